"""Importing for as long as the machine runs: what goes wrong is told and tried again, a stop is heeded between two batches."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol, TextIO

from lang.safe import safe_line
from model.chain import Finding
from review.errors import RemitError
from review.intake.imported import ImportReport
from review.intake.importing import Settings
from review.policy.keeping import keep_history
from review.watch.alerting import Alerting, Channel
from review.watch.following import Following
from review.workspace import Workspace
from store import StoreError

KEEPING = 300.0
"""Seconds between two times the index of the history is brought up."""
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds to wait after a look that failed, after the next, and so on."""
GIVING_UP = 20.0
"""Seconds an alert that is under way at the end is waited for."""


class Told(Protocol):
    """Counts what happens; `review.watch.watch_figures.Figures` is one."""

    def looked(self, report: ImportReport, seconds: float) -> None: ...
    def failed(self, why: str) -> None: ...
    def moved(self) -> None: ...
    def state(self, findings: dict[str, int], evidence: int | None) -> None: ...
    def waiting(self, count: int) -> None: ...
    def alerted(self, arrived: bool) -> None: ...


class Log:
    """One line an event: JSON for a collector, or words. Names and reasons come out of logs and are made harmless."""

    def __init__(self, out: TextIO | None = None, *, json: bool = True) -> None:
        self._out = sys.stderr if out is None else out
        self._json = json
        self._lock = threading.Lock()

    def __call__(self, level: str, event: str, **fields: Any) -> None:
        safe = {name: safe_line(value, 500) if isinstance(value, str) else value for name, value in fields.items()}
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self._json:
            line = json.dumps({"at": at, "level": level, "event": event, **safe}, ensure_ascii=False)
        else:
            line = f"{at} {level} {event}" + "".join(f" {name}={value}" for name, value in safe.items())
        with self._lock:
            print(line, file=self._out, flush=True)


class Watcher:
    """The watch: looks, builds, tells. `open` opens the store anew after it could not be reached."""

    def __init__(
        self,
        open: Callable[[], Workspace],
        arguments: list[str],
        settings: Settings,
        *,
        as_name: str | None,
        every: float,
        log: Log,
        told: Told | None,
        alerting: Alerting | None,
        existing: bool = False,
    ) -> None:
        self._open = open
        self._arguments = arguments
        self.stopping = threading.Event()
        self._settings = Settings(settings.format, settings.note, live=True, heed=lambda *_: self._goes_on())
        self._as_name = as_name
        self._every = every
        self._log = log
        self._told = told
        self._alerting = alerting
        self._existing = existing
        self._alarm = threading.Event()
        self._kept = time.monotonic()
        self._stale = False
        self._went_well = False

    def stop(self) -> None:
        """End after the batch that is being written; from any thread or a signal's handler."""
        self.stopping.set()
        self._alarm.set()

    def run(self) -> int:
        """Watch until told to stop; the exit code. Raises RemitError where the store cannot even be opened the first time."""
        failures = 0
        work: Workspace | None = self._open()
        self._log("info", "watching", arguments=len(self._arguments), every=self._every)
        while not self.stopping.is_set():
            try:
                self._went_well = False
                work = work or self._open()
                self._watch(work)
                failures = 0
            except (RemitError, StoreError, OSError) as error:
                if self.stopping.is_set():
                    break
                pause = PAUSES[min(failures, len(PAUSES) - 1)]
                failures = 1 if self._went_well else failures + 1
                self._log("error", "look failed", why=str(error), again_in=pause)
                if self._told is not None:
                    self._told.failed("the last look failed; the log says why")
                self.stopping.wait(pause)
            finally:
                if work is not None:
                    with suppress(StoreError):
                        work.close()
                    work = None
        notify("STOPPING=1")
        self._log("info", "stopped")
        return 0

    def _watch(self, work: Workspace) -> None:
        """Look again and again at one open store, with alerts on a thread of their own: a slow receiver holds no import up."""
        if self._alerting is not None:
            passed = self._alerting.begin(work, existing=self._existing)
            if passed:
                self._log("info", "findings already there are not alerted to", findings=passed)
        following = Following(
            work, self._arguments, self._settings, self._as_name, self._rebuilt, self.stopping.is_set, self._moves
        )
        over = threading.Event()
        sender = threading.Thread(target=self._send, args=(work, over), name="alerts", daemon=True)
        if self._alerting is not None:
            sender.start()
        try:
            while not self.stopping.is_set():
                began = time.monotonic()
                self._look(work, following, began)
                self.stopping.wait(max(0.05, self._every - (time.monotonic() - began)))
            if self._stale and following.built:
                keep_history(work)
        finally:
            following.close()
            over.set()
            self._alarm.set()
            if sender.is_alive():
                sender.join(GIVING_UP)

    def _goes_on(self) -> bool:
        self._moves()
        return not self.stopping.is_set()

    def _moves(self) -> None:
        """A long look is no standstill: after a day's outage there is much to read and to build."""
        if self._told is not None:
            self._told.moved()
        notify("WATCHDOG=1")

    def _rebuilt(self, why: str) -> None:
        self._log("warning", "all tasks are built again", why=why)

    def _look(self, work: Workspace, following: Following, began: float) -> None:
        report = following.look()
        seconds = time.monotonic() - began
        new = sum(one.accepted for one in report.sources)
        if report.sources or report.skipped:
            totals = report.document()["totals"]
            self._log("info", "looked", seconds=round(seconds, 3), **totals)
        for source in report.sources:
            for reject in source.rejects[:5]:
                self._log("warning", "rejected", source=source.name, line=reject.line, offset=reject.offset, why=reject.reason)
        for name, reason in report.skipped[:20]:
            self._log("warning", "skipped", source=name, why=reason)
        if self._told is not None:
            self._told.looked(report, seconds)
            if new or not self._went_well:
                self._told.state(work.store.count_findings(), work.store.last_evidence())
        if not self._went_well:
            notify("READY=1")
            self._went_well = True
        notify("WATCHDOG=1")
        self._alarm.set()
        self._stale |= bool(new)
        if self._stale and time.monotonic() - self._kept > KEEPING:
            keep_history(work)
            self._kept, self._stale = time.monotonic(), False

    def _send(self, work: Workspace, over: threading.Event) -> None:
        """On a thread of its own: send what waits after each look, and what failed again after its pause."""
        assert self._alerting is not None

        def attempt(channel: Channel, finding: Finding, why: str) -> None:
            self._attempt(channel, finding, why)
            self._tell_waiting()

        while not over.is_set():
            self._alarm.wait(5.0)
            self._alarm.clear()
            try:
                while self._alerting.send(work, attempt, over.is_set) and not over.is_set():
                    pass
                self._tell_waiting()
            except (RemitError, StoreError, OSError) as error:
                self._log("error", "alerts wait", why=str(error))

    def _tell_waiting(self) -> None:
        if self._told is not None and self._alerting is not None:
            self._told.waiting(self._alerting.waiting)

    def _attempt(self, channel: Channel, finding: Finding, why: str) -> None:
        if self._told is not None:
            self._told.alerted(not why)
        fields = {"to": channel.name, "finding": finding.id, "detection": finding.detection, "severity": finding.severity.value}
        if why:
            self._log("error", "alert failed", **fields, why=why)
        else:
            self._log("info", "alerted", **fields)


def notify(state: str) -> None:
    """Tell systemd how it stands, where it asked to be told (`sd_notify`: one datagram to the socket it names)."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place or place[0] not in "/@":
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.connect("\0" + place[1:] if place[0] == "@" else place)
        out.sendall(state.encode())
