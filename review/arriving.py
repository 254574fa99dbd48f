"""An import that runs in a process of its own while somebody works at the desk: started, watched, ended early, followed.

What it reads is told as lines of JSON on its standard output; a line on its standard input, or the end of it, asks it to
end: what was read is kept and the chains of it are built.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from review.errors import RemitError, foreseen
from review.imported import FileReport, ImportReport
from review.walking import Found, walk

EVERY = 0.1
"""Seconds between two words about progress."""

REJECTS = 200
"""Rejected records of a file that are told one by one; the store has them all."""

Doc = dict[str, Any]
_PROGRAM = "import gc; gc.set_threshold(100_000); from review.arriving import serve; serve()"


@dataclass
class Arrival:
    """One import: how far it is, and once it has ended what came of it. Read from any thread."""

    paths: list[str]
    follow: bool = False
    phase: str = "starting"
    file: str = ""
    files: int = 0
    records: int = 0
    bytes: int = 0
    total: int = 0
    accepted: int = 0
    rejected: int = 0
    began: float = field(default_factory=time.monotonic)
    at: float = field(default_factory=time.time)
    took: float = 0.0
    stopping: bool = False
    report: Doc | None = None
    error: str = ""

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def under_way(self) -> bool:
        return not self.took

    @property
    def rate(self) -> float:
        """Bytes a second so far."""
        return self.bytes / max((self.took or time.monotonic() - self.began), 0.001)

    @property
    def left(self) -> float | None:
        """Seconds until all is read, if it goes on like this; None where that cannot be said."""
        if self.follow or self.phase != "reading" or not self.bytes or self.total < self.bytes:
            return None
        return (self.total - self.bytes) / self.rate

    def start(self, store: str, org: str | None, detections: str | None, ended: Callable[[Arrival], None]) -> Arrival:
        """Begin; `ended` is called on a thread of its own once the import is over, however it went."""
        # See `review.helper` for `-P` and the session of its own.
        env = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=env,
            start_new_session=True,
        )
        self._tell({"store": store, "org": org, "detections": detections, "paths": self.paths, "follow": self.follow})
        threading.Thread(target=self._listen, args=(ended,), name="arrival", daemon=True).start()
        return self

    def stop(self) -> None:
        """Ask it to end after the records at hand; asked again, it is ended where it is: what was committed stays."""
        process = self._process
        if process is None or not self.under_way:
            return
        if self.stopping:
            process.kill()
        else:
            self.stopping = True
            self._tell("stop")

    def close(self) -> None:
        """Leave it: it ends by itself, keeping what it read."""
        process = self._process
        if process is not None and process.stdin is not None and self.under_way:
            self.stopping = True
            try:
                process.stdin.close()
            except BrokenPipeError:
                return

    def _tell(self, what: object) -> None:
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(what).encode() + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            # It has ended; what it said last is still to be read.
            return

    def _listen(self, ended: Callable[[Arrival], None]) -> None:
        process = self._process
        assert process is not None and process.stdout is not None
        for line in process.stdout:
            for name, value in json.loads(line).items():
                setattr(self, name, value)
        process.wait()
        if self.report is None and not self.error:
            self.error = "it was ended; what was committed stays, import again to complete it"
        self.phase = "ended"
        self.took = max(time.monotonic() - self.began, 0.001)
        ended(self)

    def sentence(self) -> str:
        """What came of it."""
        if self.report is None:
            return f"the import did not finish: {self.error}"
        totals = self.report["totals"]
        early = "stopped early, what was read is kept: " if self.report.get("stopped") else ""
        skipped = self.report["skipped"]
        more = f"; skipped {skipped[0]['name']}: {skipped[0]['reason']}" if skipped else ""
        more += f" and {len(skipped) - 1:,} more" if len(skipped) > 1 else ""
        return (
            f"{early}{totals['accepted']:,} records accepted, {totals['duplicate']:,} already known, {totals['rejected']:,} rejected; "
            f"{totals['tasks']:,} tasks{more}"
        )

    def refusals(self) -> list[str]:
        """What was refused and why: `file:line: reason`, then files that were skipped."""
        if self.report is None:
            return []
        told = []
        for source in self.report["sources"]:
            told += [f"{source['name']}:{one['line']}: {one['reason']}" for one in source["rejects"]]
            if source["records"]["rejected"] > len(source["rejects"]):
                told.append(
                    f"{source['name']}: … and {source['records']['rejected'] - len(source['rejects']):,} more rejected records"
                )
        return told + [f"{one['name']}: skipped: {one['reason']}" for one in self.report["skipped"]]


# The process itself.


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
        self._sums[file.name] = (file.read, file.accepted, len(file.rejects))
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

    def send(self, what: object) -> None:
        self._out.write(json.dumps(what).encode() + b"\n")
        self._out.flush()


def serve() -> None:
    """Import what the first line of standard input names."""
    out = os.fdopen(os.dup(1), "wb")
    # Whatever else prints must not come between the lines.
    os.dup2(2, 1)
    asked: Doc = json.loads(sys.stdin.readline())
    stop = threading.Event()
    threading.Thread(target=_hear, args=(stop,), daemon=True).start()
    try:
        _run(asked, out, stop)
    except BrokenPipeError:
        # Nobody is there any more.
        os._exit(0)


def _hear(stop: threading.Event) -> None:
    sys.stdin.readline()
    stop.set()


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
    from review.building import build
    from review.importing import Settings, import_sources
    from review.upkeep import keep_history

    report = import_sources(work, walk(paths), Settings(heed=teller.heed))
    report.totals = build(work, progress=teller.build)
    keep_history(work)
    return report


def _follow(work: Any, paths: list[str], teller: _Teller, stop: threading.Event) -> ImportReport:
    """Look again and again until asked to end; the report of all looks together."""
    from review.following import Following
    from review.importing import Settings

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
