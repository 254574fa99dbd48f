"""A pack that is being written in a process of its own while somebody works at the desk: started, watched, stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from review.child import Child
from review.report_choices import Choices

Doc = dict[str, Any]


@dataclass
class PackRun(Child):
    """One pack: how far it is, and once it has ended what came of it. Read from any thread."""

    folder: str
    frameworks: Sequence[str]
    signed: bool = False
    phase: str = "starting"
    done: int = 0
    total: int = 0
    began: float = field(default_factory=time.monotonic)
    took: float = 0.0
    stopping: bool = False
    files: list[str] = field(default_factory=list)
    error: str = ""

    @property
    def under_way(self) -> bool:
        return not self.took

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
        from review.report_room import wished_here

        asked = {
            **whereabouts,
            "folder": self.folder,
            "wish": msgspec.to_builtins(wished_here(self.frameworks, choices)),
            "key": choices.key,
            "noted": noted,
            "passphrase": passphrase,
        }
        self._begin("review.packing", asked, lambda: self._over(ended))
        return self

    def stop(self) -> None:
        """End it: nothing of it stays. Asked again, the process is ended where it is."""
        if not self.under_way:
            return
        if self.stopping:
            self._kill()
        else:
            self.stopping = True
            self._tell("stop")

    def close(self) -> None:
        """Leave it: it stops and nothing of it stays."""
        if self.under_way:
            self.stopping = True
            self._leave()

    def _over(self, ended: Callable[[PackRun], None]) -> None:
        if not self.files and not self.error:
            self.error = f"it was ended before it was done; a folder .{Path(self.folder).name}.… beside it may be left over"
        self.phase = "ended"
        self.took = max(time.monotonic() - self.began, 0.001)
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
        done = f"{'wrote and signed' if self.signed else 'wrote'} {len(self.files)} files to {self.folder}{first}"
        return f"{done}; check them anywhere with `remit verify {self.folder}`{alone}"
