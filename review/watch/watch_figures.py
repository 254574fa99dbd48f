"""What a running watcher says of itself: figures in Prometheus text and its health, served on loopback alone.

No label holds a name out of a log: whoever may scrape need not be one who may read the evidence.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from ipaddress import ip_address
from socket import AF_INET6, SHUT_RDWR
from typing import TYPE_CHECKING, Any

from review.errors import RemitError
from review.intake.imported import ImportReport

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

PORT = 9464
"""OpenTelemetry's customary port for a Prometheus exporter."""
ASKING = 10.0
"""Seconds a connection may say nothing."""
CONNECTIONS = 32
"""Connections held at once: whoever may reach the loopback may open any number, and each takes a file from those that logs are read by."""
LATE = 120.0
"""Seconds without a whole look after which a watcher is not well."""


class Figures:
    """Counters and gauges of one watcher, in a registry of their own."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
        except ImportError as error:
            raise RemitError("metrics need an extra: pip install 'remit[watch]'; or watch without --listen") from error
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._clock = clock
        self.registry: CollectorRegistry = CollectorRegistry()
        self.begun = clock()
        self.last = self.moving = 0.0
        self.trouble = ""
        made: dict[str, Any] = {"registry": self.registry}
        self._records = Counter("remit_records", "Records read, by what became of them", ["outcome"], **made)
        for outcome in ("accepted", "duplicate", "rejected"):
            self._records.labels(outcome)
        self._events = Counter("remit_events", "Events stored", **made)
        self._files = Counter("remit_files", "Files looked into, by whether they could be read", ["outcome"], **made)
        for outcome in ("read", "skipped"):
            self._files.labels(outcome)
        self._held = Gauge("remit_held", "What the store holds", ["what"], **made)
        self._findings = Gauge("remit_findings", "Findings in the store, blind spots apart", ["severity"], **made)
        self._looks = Counter("remit_looks", "Looks at the files, by how they ended", ["outcome"], **made)
        for outcome in ("ok", "failed"):
            self._looks.labels(outcome)
        self._seconds = Histogram(
            "remit_look_seconds", "Seconds a look took", buckets=(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300), **made
        )
        self._last = Gauge("remit_last_look_timestamp_seconds", "When the last look that went well ended", **made)
        self._evidence = Gauge("remit_last_evidence_timestamp_seconds", "Time of the latest event in the store", **made)
        self._alerts = Counter("remit_alerts", "Alerts, by what became of them", ["outcome"], **made)
        for outcome in ("sent", "failed"):
            self._alerts.labels(outcome)
        self._waiting = Gauge("remit_alerts_waiting", "Findings that are to be told of and were not", **made)
        Gauge("remit_build_info", "The program", ["version"], **made).labels(version("remit")).set(1)

    def looked(self, report: ImportReport, seconds: float) -> None:
        """A look went well."""
        totals = report.document()["totals"]
        for outcome in ("accepted", "duplicate", "rejected"):
            self._records.labels(outcome).inc(totals[outcome])
        self._events.inc(totals["events"])
        self._files.labels("read").inc(len(report.sources))
        self._files.labels("skipped").inc(len(report.skipped))
        for what in ("tasks", "steps", "findings"):
            self._held.labels(what).set(totals[what])
        self._looks.labels("ok").inc()
        self._seconds.observe(seconds)
        self.last, self.trouble = self._clock(), ""
        self._last.set(self.last)

    def moved(self) -> None:
        """A look goes on: a batch was written, or tasks were built."""
        self.moving = self._clock()

    def failed(self, why: str) -> None:
        """A look ended before its end."""
        self._looks.labels("failed").inc()
        self.trouble = why

    def state(self, findings: Mapping[str, int], evidence: int | None) -> None:
        """What the store holds: findings by severity, the latest event's moment in microseconds."""
        for severity, count in findings.items():
            if severity != "blind_spots":
                self._findings.labels(severity).set(count)
        if evidence is not None:
            self._evidence.set(evidence / 1e6)

    def waiting(self, count: int) -> None:
        """So many findings are to be told of still."""
        self._waiting.set(count)

    def alerted(self, arrived: bool) -> None:
        self._alerts.labels("sent" if arrived else "failed").inc()

    def text(self) -> bytes:
        """Every figure in Prometheus' text format."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Whether it is well, and what to say of it. A first look at much history may take long: it is `starting` till then, and a later
        one `busy`, as long as it goes on."""
        now = self._clock()
        long = bool(self.last) and now - self.last > LATE
        late = long and now - self.moving > LATE
        well = not self.trouble and not late
        state = ("starting" if not self.last else "busy" if long else "ok") if well else "failing"
        return well, {
            "status": state,
            "seconds_since_last_look": round(now - self.last, 1) if self.last else None,
            "trouble": self.trouble or ("no look ended for long" if late else None),
        }


def address(given: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, `:PORT` or `PORT`; raises RemitError for any host but this machine's loopback."""
    host, _, port = given.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not (port.isascii() and port.isdigit() and int(port[:6]) < 65536):
        raise RemitError(f"--listen wants HOST:PORT, as 127.0.0.1:{PORT}, and {given[:60]!r} is not that")
    try:
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise RemitError(
            f"--listen {given[:60]}: figures are served on loopback alone; put a proxy of yours before it to reach farther"
        )
    return host, int(port)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = ASKING

    def do_GET(self) -> None:
        figures = self.server.figures
        if not _local(self.headers.get("Host", "")):
            self._answer(403, "text/plain; charset=utf-8", b"ask by a loopback name\n")
        elif self.path == "/metrics":
            self._answer(200, "text/plain; version=0.0.4; charset=utf-8", figures.text())
        elif self.path in ("/health", "/healthz"):
            well, told = figures.health()
            self._answer(200 if well else 503, "application/json", json.dumps(told).encode() + b"\n")
        else:
            self._answer(404, "text/plain; charset=utf-8", b"/metrics and /health are here\n")

    def _answer(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are no news."""


def _local(host: str) -> bool:
    """Whether a request names this machine: a page in a browser may not ask by a name of its own (DNS rebinding)."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    name = name.strip("[]").lower()
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 2 * CONNECTIONS
    figures: Figures

    def __init__(self, *given: Any) -> None:
        self._held: dict[Any, None] = {}
        self._holding = threading.Lock()
        super().__init__(*given)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer on a thread of its own; where too many are open, the one that was opened first ends."""
        with self._holding:
            if len(self._held) >= CONNECTIONS:
                with suppress(OSError):
                    next(iter(self._held)).shutdown(SHUT_RDWR)
                del self._held[next(iter(self._held))]
            self._held[request] = None
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._holding:
            self._held.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asks and goes away is no news, and no line of the log's."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Server6(_Server):
    address_family = AF_INET6


def serve(figures: Figures, host: str, port: int) -> ThreadingHTTPServer:
    """Serve on a thread of its own; raises RemitError where the port cannot be had. `shutdown` and `server_close` end it."""
    try:
        server = (_Server6 if ":" in host else _Server)((host, port), _Handler)
    except OSError as error:
        raise RemitError(f"--listen {host}:{port}: {error.strerror or error}; choose another port") from error
    server.figures = figures
    threading.Thread(target=server.serve_forever, name="figures", daemon=True).start()
    return server
