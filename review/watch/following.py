"""Following logs: files that grow, are rotated or newly appear are imported as they do, and their chains built.

Where a file was read to is kept in the store (`review.intake.resuming`), so following goes on after a restart where it stopped.
What a writer has not finished is left for the next look. A file that was named itself stays open: when another takes
its name, what was still written to it is read from there.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from review.derive.building import BuildsElsewhere, build
from review.derive.settings_stamp import require_organisation
from review.intake.found import Found, Missing
from review.intake.imported import ImportReport
from review.intake.importing import Settings, import_sources
from review.intake.marks import Marks
from review.intake.walking import walk
from review.locations import is_address
from review.workspace import Workspace

INTERVAL = 1.0
"""Seconds between two looks: what was written is committed within two."""

POLL = 30.0
"""Seconds between two listings of an object store."""
LINGERING = 30.0
"""Seconds after which a file that another took the name of is looked at once more: its writer goes on until it is told to open the new one."""
TROUBLES = 10_000
"""Files and objects whose trouble is remembered, so that it is told once."""
REMEMBERED = 1_000
"""Files that are there no more and are remembered at least."""
AGAIN = 30.0
"""Seconds after which a file that could not be read is tried again, though nobody wrote to it: whoever lets it be read changes no byte of it."""

State = tuple[int, int, int, int]
"""Device, inode, size and time of the last change: a file whose state is the same was not written to."""


class _Replaced(NamedTuple):
    """A file that another took the name of, still open: how much of it was there to be read, and since when."""

    path: Path
    name: str
    held: BinaryIO
    size: int
    since: float


class Following:
    """The files that the arguments lead to, looked at again and again."""

    def __init__(
        self,
        work: Workspace,
        arguments: list[str],
        settings: Settings,
        as_name: str | None = None,
        told: Callable[[str], None] | None = None,
        leaving: Callable[[], bool] = lambda: False,
        moving: Callable[[], None] = lambda: None,
    ) -> None:
        """`told` hears why all tasks are built again, where they are; whoever is `leaving` leaves what is to be built to the next look;
        `moving` is called while a build goes on."""
        self._work = work
        self._arguments = arguments
        self._settings = settings
        self._as_name = as_name
        self._seen: dict[Path, State] = {}
        self._open: dict[Path, BinaryIO] = {}
        self._replaced: list[_Replaced] = []
        self._marks = Marks(work.store, settings.format)
        self._first = True
        self._told_why = told
        self._leaving = leaving
        self._moving = moving
        self.built = True
        self._totals: dict[str, int] = {}
        self._told: dict[str, str] = {}
        self._asked: dict[str, float] = {}
        self._again: dict[Path, float] = {}
        self._met = 0

    def look(self) -> ImportReport:
        """Import what changed since the last look, and build what follows from it."""
        require_organisation(self._work)
        report = import_sources(self._work, self._changed(), self._settings)
        for path in report.broken:
            self._try_again(path)
        due = not self.built or self._first or any(one.accepted for one in report.sources)
        self.built = not due or self._build()
        if not self.built:
            self._totals = self._totals or self._work.store.totals()
        elif not due and (report.sources or report.skipped):
            self._totals = self._work.store.totals()
        report.totals = self._totals
        self._first = False
        return report

    def _build(self) -> bool:
        """Build what follows from what was imported; not where somebody else builds, for records are not to wait for that."""
        if self._leaving():
            return False
        try:
            self._totals = build(self._work, progress=lambda *_: self._moving(), told=self._told_why, waits=False)
        except BuildsElsewhere:
            return False
        return True

    def run(self, tell: Callable[[ImportReport], None], sleep: Callable[[float], None] = time.sleep) -> None:
        """Look until interrupted; `tell` is given every look at which something was read or refused, the first in any case."""
        first = True
        try:
            while True:
                began = time.monotonic()
                report = self.look()
                if first or report.sources or report.skipped:
                    tell(report)
                first = False
                sleep(max(0.05, INTERVAL - (time.monotonic() - began)))
        finally:
            self.close()

    def close(self) -> None:
        for stream in (*self._open.values(), *(one.held for one in self._replaced)):
            stream.close()
        self._open.clear()
        self._replaced.clear()

    def _changed(self) -> Iterator[Found | Missing]:
        self._met = 0
        for found in walk(self._arguments, self._as_name, self._is_new, self._polled, self._work.location):
            if isinstance(found, Missing):
                if found.shut is not None:
                    self._try_again(found.shut)
                # A log that is not there yet is what one waits for; it is told once.
                if self._is_news(found):
                    yield Missing(found.name, found.reason, False)
                continue
            self._told.pop(found.name, None)
            try:
                rotated = self._rotated(found)
            except OSError:
                # Moved away since the walk found it: whatever takes the name next is new to the next look.
                if found.path is not None:
                    del self._seen[found.path]
                continue
            if rotated is not None:
                yield rotated
            yield found
        yield from self._lingering()
        self._forget()

    def _lingering(self) -> Iterator[Found]:
        """Files that lost their name a while ago and grew since."""
        now = time.monotonic()
        for one in [one for one in self._replaced if now - one.since >= LINGERING]:
            self._replaced.remove(one)
            if os.fstat(one.held.fileno()).st_size > one.size:
                yield Found(one.path, one.name, False, partial(_from_its_beginning, one.held))
            else:
                one.held.close()

    def _polled(self, address: str) -> Iterator[Found | Missing]:
        """What is new in an object store, which is listed less often than files are looked at: a listing costs time and money."""
        now = time.monotonic()
        if now < self._asked.get(address, 0.0):
            return
        yield from self._marks.changed(address, self._as_name)
        self._asked[address] = time.monotonic() + POLL

    def _is_news(self, missing: Missing) -> bool:
        """Whether trouble with an object, or with a file that is there, is another than at the last look; that a file is not there is told at the first one."""
        if self._told.get(missing.name) == missing.reason:
            return False
        lasting = missing.shut is not None or any(map(is_address, self._arguments))
        if lasting and len(self._told) < TROUBLES:
            self._told[missing.name] = missing.reason
        return self._first or lasting

    def _try_again(self, path: Path) -> None:
        self._again[path] = time.monotonic() + AGAIN

    def _forget(self) -> None:
        """Forget files that are there no more, once they are many: a machine that names its logs by the hour would fill its memory.

        Of a folder that is away as a whole nothing is forgotten: it may come back, and would be read anew.
        """
        if len(self._seen) + len(self._again) > 2 * self._met + REMEMBERED:
            gone = {path for path in self._seen.keys() | self._again.keys() if not os.path.lexists(path) and path.parent.exists()}
            for path in gone:
                self._seen.pop(path, None)
                self._again.pop(path, None)

    def _is_new(self, path: Path) -> bool:
        """Whether a file was written to since the last look; noted before it is read, so that nothing is missed."""
        self._met += 1
        try:
            state = _state(path)
        except OSError:
            return False
        if self._seen.get(path) == state and time.monotonic() < self._again.get(path, math.inf):
            return False
        self._seen[path] = state
        self._again.pop(path, None)
        return True

    def _rotated(self, found: Found) -> Found | None:
        """What the file that had this name before still holds, where another has taken the name; the new one is kept open.

        Raises OSError where no file has the name any more.
        """
        path = found.path
        if path is None or not found.explicit or found.inside is not None:
            return None
        held = self._open.get(path)
        if held is not None and os.path.samestat(os.fstat(held.fileno()), path.stat()):
            return None
        self._open[path] = path.open("rb")
        if held is None:
            return None
        self._replaced.append(_Replaced(path, found.name, held, os.fstat(held.fileno()).st_size, time.monotonic()))
        return Found(path, found.name, False, partial(_from_its_beginning, os.fdopen(os.dup(held.fileno()), "rb")))


def _from_its_beginning(held: BinaryIO) -> BinaryIO:
    """A stream that was kept open, from its beginning; its reader closes it."""
    held.seek(0)
    return held


def _state(path: Path) -> State:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
