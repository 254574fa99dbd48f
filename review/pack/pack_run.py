"""A pack that is being written in a process of its own while somebody works at the desk: started, watched, stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from lang.counted import count
from review.child import Child
from review.pack.report_choices import Choices

Doc = dict[str, Any]


@dataclass
class PackRun(Child):
    """One pack: how far it is, and once it has ended what came of it. Stopped or left, nothing of it stays. Read from any thread."""

    folder: str
    frameworks: Sequence[str]
    signed: bool = False
    done: int = 0
    total: int = 0
    files: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return bool(self.files) and not self.error

    def start(
        self,
        whereabouts: Mapping[str, Any],
        choices: Choices,
        passphrase: str,
        noted: bool,
        ended: Callable[[PackRun], None],
    ) -> PackRun:
        """Begin; `whereabouts` are the store and the files that lie beside it; with `noted` the access journal is told.

        `ended` is called on a thread of its own once it is over, however it went. The passphrase goes through a pipe.
        """
        from review.pack.report_room import wished_here

        asked = {
            **whereabouts,
            "folder": self.folder,
            "wish": msgspec.to_builtins(wished_here(self.frameworks, choices)),
            "key": choices.key,
            "noted": noted,
            "passphrase": passphrase,
        }
        self._begin("review.pack.packing", asked, lambda: self._over(ended))
        return self

    def _over(self, ended: Callable[[PackRun], None]) -> None:
        if not self.files and not self.error:
            self.error = f"it was ended before it was done; a folder .{Path(self.folder).name}.… beside it may be left over"
        self._end()
        ended(self)

    def sentence(self) -> str:
        """How far it is, or what came of it."""
        if self.under_way:
            how = f"{self.done:,} of {self.total:,} steps" if self.phase == "steps" else self.phase
            return f"writing {self.folder}: {'stopping' if self.stopping else how}"
        if not self.good:
            return f"no pack was written: {self.error}"
        alone = f", or without Remit by `python {self.folder}/verify.py`" if "verify.py" in self.files else ""
        opened = next((name for name in ("report.html", "report.md", "report.json") if name in self.files), "")
        first = f"; open {Path(self.folder) / opened}" if opened else ""
        done = f"{'wrote and signed' if self.signed else 'wrote'} {count(len(self.files), 'file')} to {self.folder}{first}"
        return f"{done}; check them anywhere with `remit verify {self.folder}`{alone}"
