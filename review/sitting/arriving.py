"""The process of an import that `review.sitting.arrival` starts: it reads, or follows, and builds.

What it reads is told as lines of JSON on its standard output; a line on its standard input, or the end of it, asks it to
end: what was read is kept and the chains of it are built.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from review.child import send, serve
from review.errors import RemitError, foreseen
from review.intake.found import Found
from review.intake.imported import FileReport, ImportReport
from review.intake.walking import walk

EVERY = 0.1
"""Seconds between two words about progress."""

REJECTS = 200
"""Rejected records of a file that are told one by one; the store has them all."""

Doc = dict[str, Any]


class _Ended(Exception):
    """Following was asked to end."""


class _Teller:
    """Says how far the import is, not too often, and hears when it is to end."""

    def __init__(self, out: IO[bytes], stop: threading.Event, total: int) -> None:
        self._out = out
        self._stop = stop
        self._next = 0.0
        self._path: Path | None = None
        self._before = 0
        self._sums: dict[str, tuple[int, int, int]] = {}
        self.total = total

    def heed(self, found: Found, file: FileReport, offset: int, done: int) -> bool:
        if found.path != self._path:
            self._before += _size(self._path)
            self._path = found.path
        self._sums[file.name] = (file.read, file.accepted, file.rejected)
        self.say(
            phase="reading",
            file=file.name,
            files=done,
            bytes=self._before + (offset if found.inside is None else 0),
        )
        return not self._stop.is_set()

    def build(self, what: str, count: int, _files: int) -> None:
        self.say(phase="building", file=f"{what}: {count:,}", bytes=self.total)

    def say(self, **what: object) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY
        records, accepted, rejected = (sum(one[i] for one in self._sums.values()) for i in range(3))
        self.send(what | {"records": records, "accepted": accepted, "rejected": rejected, "total": self.total})

    def send(self, what: Doc) -> None:
        send(self._out, what)


def main() -> None:
    """Import what the desk asks for."""
    stop = threading.Event()
    serve(lambda asked, out: _run(asked, out, stop), stop.set)


def _run(asked: Doc, out: IO[bytes], stop: threading.Event) -> None:
    from review.workspace import open_workspace
    from store import StoreError

    teller = _Teller(out, stop, _total(asked["paths"]))
    try:
        with open_workspace(asked["store"], asked["org"], detections=asked["detections"], create=True) as work:
            report = _follow(work, asked["paths"], teller, stop) if asked["follow"] else _once(work, asked["paths"], teller)
        teller.send({"report": _brief(report)})
    except (RemitError, StoreError) as error:
        known = foreseen(error)
        teller.send({"error": known[0] if known else str(error)})


def _once(work: Any, paths: list[str], teller: _Teller) -> ImportReport:
    from review.derive.building import build
    from review.derive.settings_stamp import require_organisation
    from review.intake.importing import Settings, import_sources
    from review.policy.keeping import keep_history

    require_organisation(work)
    report = import_sources(work, walk(paths, store=work.location), Settings(heed=teller.heed))
    report.totals = build(work, progress=teller.build)
    keep_history(work, report.events)
    return report


def _follow(work: Any, paths: list[str], teller: _Teller, stop: threading.Event) -> ImportReport:
    """Look again and again until asked to end; the report of all looks together."""
    from review.intake.importing import Settings
    from review.watch.following import Following

    whole = ImportReport()

    def tell(report: ImportReport) -> None:
        whole.sources += report.sources
        whole.skipped += report.skipped
        whole.totals = report.totals
        del whole.sources[:-1000]
        teller.send({"phase": "following", "records": sum(one.read for one in whole.sources)} | _sums(whole))

    def wait(seconds: float) -> None:
        if stop.wait(seconds):
            raise _Ended

    following = Following(work, paths, Settings(live=True, heed=teller.heed))
    with suppress(_Ended):
        following.run(tell, wait)
    return whole


def _sums(report: ImportReport) -> dict[str, int]:
    return {"accepted": sum(one.accepted for one in report.sources), "rejected": report.rejected, "files": len(report.sources)}


def _brief(report: ImportReport) -> Doc:
    shape = report.document()
    for source in shape["sources"]:
        source["rejects"] = source["rejects"][:REJECTS]
    return shape


def _total(paths: list[str]) -> int:
    sizes: list[int] = []

    def measured(path: Path) -> bool:
        sizes.append(_size(path))
        return False

    for _ in walk([path for path in paths if path != "-"], wanted=measured):
        pass
    return sum(sizes)


def _size(path: Path | None) -> int:
    try:
        return path.stat().st_size if path is not None else 0
    except OSError:
        return 0
