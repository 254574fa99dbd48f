"""Calls that a model merely counts: the same id again, behind its answer, is another call."""

from __future__ import annotations

from importers.shared.recent import remember
from importers.shared.transcript import Transcript

_LIMIT = 10_000


class CountedCalls:
    """The names under which calls are told apart whose ids begin anew within one session, in a log that repeats nothing."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def begun(self, file: Transcript, call: str) -> str:
        """The name of a call that begins here; "" where it has no id."""
        if call and file.answered(self.of(file, call)):
            ordinal = file.unnamed_call().rpartition("#")[2]
            remember(self._names, f"{file.session}/{call}", f"{call}~{ordinal}", _LIMIT)
        return self.of(file, call)

    def of(self, file: Transcript, call: str) -> str:
        """The name of the call that this id means now."""
        return self._names.get(f"{file.session}/{call}", call) if call else ""
