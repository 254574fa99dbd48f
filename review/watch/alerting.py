"""Alerts: what a new finding tells a command or a webhook of the user's, by default without names, paths or quoted text.

An alert is sent first and noted afterwards, so that a crash in between repeats it rather than loses it.
"""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.client import HTTPException
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from lang.safe import safe_line
from lang.times import iso
from model.chain import Finding
from model.words import Severity
from review.errors import RemitError
from review.workspace import Workspace

SCHEMA = "remit-alert/1"
SECONDS = 15.0
"""How long a command or a webhook may take."""
AT_ONCE = 50
"""Alerts of one look; what is more waits for the next."""
RESTING = 60.0
"""Seconds a receiver that did not answer is left out, where another takes the alerts: each would wait for it again."""
ANYHOW = 60.0
"""Seconds after which a store is asked what waits though no task of it changed: asking a large one at every look would cost more than the look."""
PAUSES = (5.0, 15.0, 60.0, 300.0)
"""Seconds to wait after a failure, after the next one, and so on; the last for every further one."""
_MOMENT = 1.0
"""Seconds that the last words of a command are waited for."""
TOKEN = "REMIT_WEBHOOK_TOKEN"
"""Environment variable whose value a webhook is given as bearer token."""

Alert = dict[str, Any]


class Channel(Protocol):
    """Where alerts go. `send` raises AlertFailed; `name` is fit for a log: it holds no secret."""

    name: str

    def send(self, alert: Alert) -> None: ...


class AlertFailed(Exception):
    """An alert did not arrive; the text says why in one sentence. `waited`: for as long as anything is waited for."""

    def __init__(self, why: str, *, waited: bool = False) -> None:
        super().__init__(why)
        self.waited = waited


class Command:
    """A program that is given each alert as one JSON document on standard input; any exit code but 0 is a failure."""

    def __init__(self, line: str) -> None:
        try:
            self.words = shlex.split(line)
        except ValueError as error:
            raise RemitError(f"--alert-command: {error}") from error
        if not self.words:
            raise RemitError("--alert-command names no program")
        self.name = f"command {self.words[0]}"

    def send(self, alert: Alert) -> None:
        environment = {name: value for name, value in os.environ.items() if name != TOKEN}
        try:
            said = _Said()
            try:
                process = subprocess.Popen(
                    self.words,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=said.given,
                    env=environment,
                    start_new_session=True,
                )
            finally:
                said.handed_over()
        except (OSError, RuntimeError) as error:
            raise AlertFailed(f"it cannot be run: {getattr(error, 'strerror', None) or error}") from error
        with process:
            try:
                process.communicate(json.dumps(alert, ensure_ascii=False).encode("utf-8", "replace"), timeout=SECONDS)
            except subprocess.TimeoutExpired as error:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise AlertFailed(f"it did not end within {SECONDS:.0f} s", waited=True) from error
        if process.returncode:
            words = safe_line(said.words().decode("utf-8", "replace").strip(), 200)
            raise AlertFailed(f"it ended with {process.returncode}" + (f": {words}" if words else ""))


class _Said:
    """What a program says on its standard error: its beginning is kept, and all of it read, so that it neither stops nor fills a disk.

    A pipe ends only when whatever the program left running in the background ends: it is read on a thread that nobody waits for.
    Where many go on, nobody listens any more to what the first of them left: each takes a thread and a file of the watch.
    """

    KEPT = 2_000
    HEARD = 16
    _heard: ClassVar[list[_Said]] = []

    def __init__(self) -> None:
        self._taken, self.given = os.pipe()
        self._kept = bytearray()
        self._over = False
        self._reader = threading.Thread(target=self._read, name="command's words", daemon=True)

    def handed_over(self) -> None:
        """The program has its end, or could not be begun."""
        os.close(self.given)
        try:
            self._reader.start()
        except RuntimeError:
            os.close(self._taken)
            raise
        self._heard[:] = [one for one in self._heard if one._reader.is_alive()]
        for one in self._heard[: max(0, len(self._heard) - self.HEARD + 1)]:
            one._over = True
        self._heard.append(self)

    def words(self) -> bytes:
        """How what it said begins, as far as it was read a moment after the program's end."""
        self._reader.join(_MOMENT)
        return bytes(self._kept)

    def _read(self) -> None:
        with os.fdopen(self._taken, "rb", buffering=0) as stream:
            waiting = select.poll()
            waiting.register(stream, select.POLLIN)
            while not self._over:
                if waiting.poll(_MOMENT * 1_000):
                    if not (piece := stream.read(65_536)):
                        return
                    self._kept += piece[: self.KEPT - len(self._kept)]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the alert, and the token, to a place nobody named."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Webhook:
    """An address each alert is posted to as JSON; redirects are not followed, any answer but 2xx is a failure."""

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = parts.netloc if parts.hostname and parts.port != 0 else ""
        except ValueError as error:
            raise RemitError(f"--alert-webhook: {error}") from error
        if parts.scheme not in ("http", "https") or not host:
            raise RemitError("--alert-webhook wants an address that begins with https:// or http://")
        if "@" in parts.netloc:
            raise RemitError(f"--alert-webhook takes no login in its address; the variable {TOKEN} is sent as bearer token")
        self.url = url
        # The path of a webhook is its secret.
        self.name = f"webhook at {safe_line(host, 100)}"
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._under_way: threading.Thread | None = None

    def send(self, alert: Alert) -> None:
        """A socket's timeout begins anew with each byte, so that an answer may take for ever: it is waited for from outside."""
        if self._under_way is not None and self._under_way.is_alive():
            raise AlertFailed("it has not answered an earlier alert yet")
        ended: list[AlertFailed | None] = []

        def post() -> None:
            try:
                self._post(alert)
            except AlertFailed as error:
                ended.append(error)
            else:
                ended.append(None)

        self._under_way = threading.Thread(target=post, name="webhook", daemon=True)
        try:
            self._under_way.start()
        except RuntimeError as error:
            self._under_way = None
            raise AlertFailed(f"nothing can be sent: {error}") from error
        self._under_way.join(SECONDS)
        failed = ended[0] if ended else AlertFailed(f"it did not answer within {SECONDS:.0f} s", waited=True)
        if failed is not None:
            raise failed

    def _post(self, alert: Alert) -> None:
        headers = {"Content-Type": "application/json", "User-Agent": "remit"}
        if token := os.environ.get(TOKEN):
            headers["Authorization"] = f"Bearer {token}"
        body = json.dumps(alert, ensure_ascii=False).encode("utf-8", "replace")
        try:
            request = urllib.request.Request(self.url, data=body, headers=headers, method="POST")  # noqa: S310  # the scheme was checked
            self._opener.open(request, timeout=SECONDS).close()
        except urllib.error.HTTPError as error:
            raise AlertFailed(f"it answered {error.code}") from error
        except (OSError, HTTPException, ValueError) as error:
            raise AlertFailed(f"it cannot be reached: {type(getattr(error, 'reason', error)).__name__}") from error


def alert_of(work: Workspace, finding: Finding, *, details: bool = False) -> Alert:
    """What is told of a finding. Without `details` it names no person, repository or target and quotes nothing."""
    row = work.store.task(finding.task) if finding.task else None
    alert: Alert = {
        "schema": SCHEMA,
        "finding": finding.id,
        "detection": finding.detection,
        "title": finding.title,
        "severity": finding.severity.value,
        "at": iso(finding.at),
        "task": finding.task or None,
        "step": finding.step or None,
        "agent": row.agent if row else None,
        "environment": row.environment if row else None,
        "look": f"remit show {finding.task}" if finding.task else f"remit findings --filter finding:{finding.detection}",
    }
    if details:
        alert |= {
            "why": finding.why,
            "principal": row.principal if row else None,
            "repository": row.repository if row else None,
            "title_of_task": row.title if row else None,
        }
    return {
        name: safe_line(work.redactor.redact_text(value), 500) if isinstance(value, str) else value
        for name, value in alert.items()
    }


class Alerting:
    """Sends what nobody was alerted to; a channel that fails is tried again after a while, alone."""

    def __init__(
        self,
        channels: Sequence[Channel],
        least: Severity,
        *,
        details: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.channels = list(channels)
        self.least = least
        self.details = details
        self._clock = clock
        self._failures = 0
        self._again = 0.0
        self._resting: dict[int, float] = {}
        self._settled: str | None = None
        self._anyhow = 0.0
        self._unnoted: list[str] = []
        self.waiting = 0
        """Findings nobody was alerted to, as of the last attempt."""

    def begin(self, work: Workspace, *, existing: bool) -> int:
        """Once for a store, before its first alert: unless wanted, what is there already is not told of; how much that was."""
        mark = "alerts"
        if work.store.get_meta(mark) is not None:
            return 0
        passed = 0 if existing else work.store.tell_nothing_of(Severity.LOW, time.time_ns() // 1000)
        work.store.set_meta(mark, "begun")
        return passed

    def send(
        self, work: Workspace, told: Callable[[Channel, Finding, str], None], over: Callable[[], bool] = lambda: False
    ) -> int:
        """Send what waits, oldest of the gravest first, until `over`; how many were sent, each noted before the next is sent.

        `told` has each attempt with "" or why it failed.
        """
        if not self.channels or self._clock() < self._again:
            return 0
        mark = work.store.last_change()
        if mark == self._settled and self._clock() < self._anyhow:
            return 0
        sent = 0
        self._note(work)
        found = work.store.untold(self.least, AT_ONCE)
        self.waiting = work.store.count_untold(self.least) if found else 0
        for finding in found:
            if over() or not self._everywhere(alert_of(work, finding, details=self.details), finding, told):
                break
            self._unnoted.append(finding.id)
            self._note(work)
            self.waiting -= 1
            sent += 1
        if not found:
            self._settled, self._anyhow = mark, self._clock() + ANYHOW
        return sent

    def _note(self, work: Workspace) -> None:
        """Note what was sent; where the store does not take it now, it is remembered, and not sent again when the store is back."""
        if self._unnoted:
            work.store.note_told(self._unnoted, time.time_ns() // 1000)
            self._unnoted = []

    def _everywhere(self, alert: Alert, finding: Finding, told: Callable[[Channel, Finding, str], None]) -> bool:
        reached = 0
        for place, channel in enumerate(self.channels):
            if self._clock() < self._resting.get(place, 0.0):
                told(channel, finding, "it did not answer an earlier alert and is left out for a while")
                continue
            try:
                channel.send(alert)
            except AlertFailed as error:
                told(channel, finding, str(error))
                if error.waited:
                    self._resting[place] = self._clock() + RESTING
            else:
                told(channel, finding, "")
                reached += 1
        if reached:
            self._failures = 0
            return True
        # Nobody takes anything: then there is nothing to hold up, and whoever comes back first is to be met soon.
        self._resting.clear()
        self._again = self._clock() + PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures += 1
        return False
