"""The unattended importer: what it says of itself, whom it alerts, how it stops and goes on after trouble."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import traceback
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from sqlalchemy import event, text

from model.words import Severity
from review.errors import RemitError
from review.intake.imported import ImportReport
from review.intake.importing import Settings
from review.watch.alerting import ANYHOW, PAUSES, AlertFailed, Alerting, Command, Webhook, _Said, alert_of
from review.watch.watch_figures import CONNECTIONS, LATE, Figures, address, serve
from review.watch.watching import Log, Watcher
from review.workspace import Workspace, open_workspace
from store import StoreError
from tests.running import SAMPLE, start
from tests.store_fixtures import make_finding
from tests.tui_desk import KEY, own_store

SECONDS = 60.0


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)
    with open_workspace(str(own_store(tmp_path))) as opened:
        yield opened


class Receiver(BaseHTTPRequestHandler):
    """A webhook that keeps what it is sent and answers as told."""

    got: ClassVar[list[tuple[str, dict[str, Any], str | None]]] = []
    answer: ClassVar[int] = 204

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, json.loads(body), self.headers.get("Authorization")))
        self.send_response(self.answer)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Receiver.got, Receiver.answer = [], 204
    yield f"http://127.0.0.1:{server.server_port}/hook/s3cret"
    server.shutdown()
    server.server_close()


def ask(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": f"{host}:{port}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_a_watch_imports_alerts_once_and_stops_when_asked(tmp_path: Path) -> None:
    logs, alerts, port = tmp_path / "logs", tmp_path / "alerts", free_port()
    logs.mkdir()
    command = f"{shutil.which('sh')} -c 'cat >> {alerts}; echo >> {alerts}'"
    words = ("--store", tmp_path / "s.db", "watch", logs, "--every", "0.1", "--listen", f":{port}", "--alert-command", command)

    def watch(until: Any, *more: str) -> list[dict[str, Any]]:
        """Watch until something holds, then stop it; its log."""
        process = start(*words, *more, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert process.stderr is not None
        lines: list[dict[str, Any]] = []
        for line in process.stderr:
            lines.append(json.loads(line))
            if until(lines):
                break
        told = ask(port, "/metrics")
        health = ask(port, "/health")
        # What rotates logs sends this to whoever may write one; it ends nothing where no terminal is.
        process.send_signal(signal.SIGHUP)
        assert ask(port, "/health")[0] in (200, 503)
        process.send_signal(signal.SIGTERM)
        lines += [json.loads(line) for line in process.stderr]
        process.stderr.close()
        assert process.wait(SECONDS) == 0 and lines[-1]["event"] == "stopped"
        assert told[0] == 200 and "remit_look_seconds_count" in told[1] and health[0] in (200, 503)
        return lines

    # What is there before the first watch is no news; what comes afterwards is.
    watch(lambda lines: lines[-1]["event"] == "watching")
    for log in sorted(SAMPLE.glob("*.*json*"))[:40]:
        if log.name != "truth.json":
            shutil.copy(log, logs)
    lines = watch(lambda lines: any(line["event"] == "alerted" for line in lines))
    looked = next(line for line in lines if line["event"] == "looked")
    assert looked["accepted"] == looked["read"] > 100

    # What was sent before the stop is not sent again; what was left follows.
    def all_told(_: list[dict[str, Any]]) -> bool:
        end = time.monotonic() + SECONDS
        with open_workspace(str(tmp_path / "s.db"), readonly=True) as work:
            while work.store.count_untold(Severity.CRITICAL) and time.monotonic() < end:
                threading.Event().wait(0.02)
        return True

    for _ in range(2):
        watch(all_told)
    told = [json.loads(line) for line in alerts.read_text().splitlines()]
    assert len(told) > 1 and {one["severity"] for one in told} == {"critical"}
    assert len({one["finding"] for one in told}) == len(told)


def test_an_alert_names_nobody_unless_wanted(work: Workspace) -> None:
    finding = next(one for one in work.store.findings() if one.task and one.severity is Severity.CRITICAL)
    task = work.store.task(finding.task)
    assert task is not None and task.principal and task.repository
    short, whole = alert_of(work, finding), alert_of(work, finding, details=True)
    assert not any(name in json.dumps(short) for name in (task.principal, task.repository, finding.why))
    assert (whole["principal"], whole["repository"]) == (task.principal, task.repository) and whole["why"]
    finding.title = "\x1b]0;x\x07 password=hunter2hunter2 AKIA" + "Z" * 16
    shown = alert_of(work, finding)["title"]
    assert "\x1b" not in shown and "hunter2" not in shown


def test_what_was_not_taken_is_sent_again_later(work: Workspace, receiver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_WEBHOOK_TOKEN", "t0ken")
    now, attempts = [0.0], []
    alerting = Alerting([Webhook(receiver)], Severity.CRITICAL, clock=lambda: now[0])
    assert alerting.begin(work, existing=True) == 0
    wanted = work.store.count_untold(Severity.CRITICAL)
    Receiver.answer = 302

    def attempt(*told: Any) -> None:
        attempts.append(told[2])

    assert alerting.send(work, attempt) == 0 and attempts == ["it answered 302"] and len(Receiver.got) == 1
    assert alerting.send(work, attempt) == 0 and len(attempts) == 1, "not before its time"
    Receiver.answer, now[0] = 200, PAUSES[0]
    assert alerting.send(work, attempt) == wanted > 1 and work.store.count_untold(Severity.CRITICAL) == 0
    assert alerting.send(work, attempt) == 0
    path, body, token = Receiver.got[-1]
    assert (path, body["schema"], token) == ("/hook/s3cret", "remit-alert/1", "Bearer t0ken")
    assert "s3cret" not in Webhook(receiver).name
    assert Webhook("https://hooks.example:8443/hook/s3cret?key=s3cret").name == "webhook at hooks.example:8443"


class Receiving:
    """A receiver of the test's own: takes, refuses or lets one wait, as told."""

    def __init__(self, name: str, does: Callable[[], None] = lambda: None) -> None:
        self.name = name
        self.does = does
        self.got: list[str] = []

    def send(self, alert: dict[str, Any]) -> None:
        self.got.append(alert["finding"])
        self.does()


def test_a_receiver_that_does_not_answer_holds_no_other_up(work: Workspace) -> None:
    def hang() -> None:
        now[0] += 15.0
        raise AlertFailed("it did not answer within 15 s", waited=True)

    now, attempts = [0.0], []
    hanging, other = Receiving("hanging", hang), Receiving("other")
    alerting = Alerting([hanging, other], Severity.CRITICAL, clock=lambda: now[0])
    alerting.begin(work, existing=True)
    wanted = work.store.count_untold(Severity.CRITICAL)
    assert alerting.send(work, lambda *told: attempts.append(told[2])) == wanted > 1
    assert len(hanging.got) == 1 and len(other.got) == wanted and now[0] == 15.0, "only one alert waited for it"
    assert attempts[2] == "it did not answer an earlier alert and is left out for a while"

    alone = Alerting([hanging], Severity.CRITICAL, clock=lambda: now[0])
    with work.store.db.write() as connection:
        connection.execute(text("DELETE FROM alert"))
    assert alone.send(work, lambda *_: None) == 0
    now[0] += PAUSES[0]
    assert alone.send(work, lambda *_: None) == 0 and len(hanging.got) == 3, (
        "a receiver that is alone is asked again after its pause"
    )


def test_a_store_of_which_nothing_changed_is_not_searched_for_alerts(work: Workspace) -> None:
    now = [0.0]
    taking = Receiving("taking")
    alerting = Alerting([taking], Severity.CRITICAL, clock=lambda: now[0])
    alerting.begin(work, existing=False)
    assert alerting.send(work, lambda *_: None) == 0
    asked: list[str] = []
    event.listen(work.store.db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    assert alerting.send(work, lambda *_: None) == 0 and not [one for one in asked if "finding" in one]

    row = work.store.task_rows()[0]
    chain = work.store.chain(row.id)
    assert chain is not None
    new = make_finding(row.id, "as-new", severity=Severity.CRITICAL)
    work.store.save_chain(chain, [*work.store.findings_of(row.id), new])
    assert alerting.send(work, lambda *_: None) == 1 and taking.got == [new.id] and alerting.waiting == 0
    assert alerting.send(work, lambda *_: None) == 0

    with work.store.db.write() as connection:
        connection.execute(text("DELETE FROM alert WHERE finding_id = :id"), {"id": new.id})
    assert alerting.send(work, lambda *_: None) == 0
    now[0] += ANYHOW
    assert alerting.send(work, lambda *_: None) == 1, "what changed without a task is found a little later"


def test_a_stop_loses_no_note_of_what_was_sent(work: Workspace) -> None:
    taking = Receiving("taking")
    alerting = Alerting([taking], Severity.CRITICAL)
    alerting.begin(work, existing=True)
    wanted = work.store.count_untold(Severity.CRITICAL)
    left: list[int] = []
    taking.does = lambda: left.append(work.store.count_untold(Severity.CRITICAL))
    assert alerting.send(work, lambda *_: None, lambda: len(taking.got) == 2) == 2 < wanted
    assert left == [wanted, wanted - 1] and work.store.count_untold(Severity.CRITICAL) == wanted - 2


def test_what_was_sent_and_could_not_be_noted_is_not_sent_again(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    taking = Receiving("taking")
    alerting = Alerting([taking], Severity.CRITICAL)
    alerting.begin(work, existing=True)
    wanted = work.store.count_untold(Severity.CRITICAL)

    def away(*_: Any) -> None:
        raise StoreError("the store is away")

    with monkeypatch.context() as gone:
        gone.setattr(work.store, "note_told", away)
        for _ in range(3):
            with pytest.raises(StoreError):
                alerting.send(work, lambda *_: None)
        assert len(taking.got) == 1
    while alerting.send(work, lambda *_: None):
        pass
    assert len(taking.got) == len(set(taking.got)) == wanted and not work.store.count_untold(Severity.CRITICAL)


def test_alerts_go_on_after_a_machine_that_had_nothing_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as full:
        full.setattr("os.pipe", none_left)
        with pytest.raises(AlertFailed, match="cannot be run: Too many open files"):
            Command("true").send({})
    Command("true").send({})


def test_a_command_that_never_stops_talking_fills_nothing() -> None:
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(AlertFailed, match=r"^it ended with 3: no no no no"):
        Command("sh -c 'yes no | head -c 5000000 | tr \\\\n \" \" >&2; exit 3'").send({})
    assert set(os.listdir("/proc/self/fd")) <= before


def test_what_commands_leave_running_takes_few_threads_and_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.watch.alerting._MOMENT", 0.05)

    def listening() -> list[threading.Thread]:
        return [one for one in threading.enumerate() if one.name == "command's words"]

    # What is left running ends with this test, whose end of the pipe it reads from.
    stays, ends = os.pipe()
    os.set_inheritable(stays, True)
    try:
        command = Command(f"sh -c 'cat /proc/{os.getpid()}/fd/{stays} >/dev/null & exit 3'")
        for _ in range(3 * _Said.HEARD):
            with pytest.raises(AlertFailed, match="ended with 3"):
                command.send({})
        for one in listening()[: -_Said.HEARD]:
            one.join(SECONDS)
        assert len(listening()) <= _Said.HEARD
    finally:
        os.close(ends)
        os.close(stays)
    for one in listening():
        one.join(SECONDS)
    assert listening() == []


@pytest.mark.parametrize("command", ["false", "/nowhere/at/all", "sh -c 'echo no >&2; exit 3'"])
def test_a_command_that_fails_is_told_of(work: Workspace, command: str) -> None:
    attempts: list[str] = []
    alerting = Alerting([Command(command)], Severity.CRITICAL)
    alerting.begin(work, existing=True)
    assert alerting.send(work, lambda *told: attempts.append(told[2])) == 0
    assert len(attempts) == 1 and ("ended with" in attempts[0] or "cannot be run" in attempts[0])


def test_a_command_that_leaves_something_running_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.watch.alerting.SECONDS", SECONDS)
    pid = tmp_path / "pid"
    Command(f"sh -c 'cat > /dev/null; sleep 300 & echo $! > {pid}'").send({"finding": "find-1"})
    left = int(pid.read_text())
    assert not gone(left), "what it left was not waited for"
    os.kill(left, signal.SIGKILL)


def test_a_command_that_does_not_end_is_ended_with_all_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.watch.alerting.SECONDS", 1.0)
    pid = tmp_path / "pid"
    with pytest.raises(AlertFailed, match="did not end within") as failed:
        Command(f"sh -c 'sleep 300 & echo $! > {pid}; wait'").send({})
    assert failed.value.waited
    end = time.monotonic() + SECONDS
    while gone(int(pid.read_text())) is False and time.monotonic() < end:
        threading.Event().wait(0.02)
    assert gone(int(pid.read_text()))


def gone(pid: int) -> bool:
    """Whether a process ended, be it not waited for yet."""
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_webhook_that_answers_a_byte_at_a_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.watch.alerting.SECONDS", 0.2)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                while not over.wait(0.02):
                    connection.sendall(b"H")

        dripping = threading.Thread(target=drip)
        dripping.start()
        hook = Webhook(f"http://127.0.0.1:{server.getsockname()[1]}/")
        with pytest.raises(AlertFailed, match="did not answer within"):
            hook.send({})
        with pytest.raises(AlertFailed, match="has not answered an earlier alert"):
            hook.send({})
        over.set()
        dripping.join(SECONDS)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "http://", "https://[bad", "nowhere"])
def test_a_webhook_is_an_address_of_the_web(url: str) -> None:
    with pytest.raises(RemitError, match="--alert-webhook"):
        Webhook(url)


def test_a_webhook_takes_no_login_and_repeats_none() -> None:
    with pytest.raises(RemitError, match=r"takes no login.*REMIT_WEBHOOK_TOKEN") as caught:
        Webhook("https://dana:hunter2@hooks.example/x")
    assert "hunter2" not in str(caught.value)


def test_a_watch_begins_with_what_comes_unless_told_otherwise(work: Workspace) -> None:
    alerting = Alerting([Command("true")], Severity.CRITICAL)
    assert alerting.begin(work, existing=False) > 0 and work.store.count_untold(Severity.LOW) == 0
    assert alerting.begin(work, existing=False) == 0


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        (":80", ("127.0.0.1", 80)),
        ("[::1]:1", ("::1", 1)),
        ("localhost:5", ("localhost", 5)),
    ],
)
def test_figures_are_served_on_loopback(given: str, found: tuple[str, int]) -> None:
    assert address(given) == found


@pytest.mark.parametrize(
    "given", ["0.0.0.0:9464", "10.0.0.1:80", "example.org:80", "127.0.0.1:x", "127.0.0.1:70000", "[::]:80", ""]
)
def test_and_nowhere_else(given: str) -> None:
    with pytest.raises(RemitError, match="--listen"):
        address(given)


def test_any_number_of_connections_that_ask_nothing_leaves_files_to_read_logs_by() -> None:
    server = serve(Figures(), "127.0.0.1", 0)
    with ExitStack() as held:
        held.callback(server.server_close)
        held.callback(server.shutdown)
        place = server.server_address[:2]
        idle = [held.enter_context(socket.create_connection(place, timeout=SECONDS)) for _ in range(3 * CONNECTIONS)]
        with urllib.request.urlopen(f"http://127.0.0.1:{place[1]}/health", timeout=SECONDS) as answer:
            assert answer.status == 200
        assert idle[0].recv(1) == b"", "whoever came first and asked nothing is let go"
        assert idle[-1].send(b"G") == 1


def test_health_tells_a_watch_that_stands_still() -> None:
    now = [1000.0]
    figures = Figures(clock=lambda: now[0])
    server = serve(figures, "127.0.0.1", 0)
    port = server.server_address[1]
    assert isinstance(port, int)
    try:
        assert json.loads(ask(port, "/health")[1])["status"] == "starting"
        figures.failed("the store is away")
        code, text = ask(port, "/health")
        assert code == 503 and json.loads(text)["trouble"] == "the store is away"
        assert ask(port, "/health", host="evil.example")[0] == 403, "a page's own name for this machine"
        assert ask(port, "/elsewhere")[0] == 404
        assert 'remit_looks_total{outcome="failed"} 1.0' in ask(port, "/metrics")[1]
    finally:
        server.shutdown()
        server.server_close()


def test_a_long_look_that_goes_on_is_no_standstill() -> None:
    now = [1000.0]
    figures = Figures(clock=lambda: now[0])
    figures.looked(ImportReport(totals={"tasks": 0, "steps": 0, "findings": 0}), 0.1)
    now[0] += LATE + 1
    assert figures.health()[0] is False
    figures.moved()
    assert figures.health() == (True, {"status": "busy", "seconds_since_last_look": LATE + 1, "trouble": None})
    now[0] += LATE + 1
    well, told = figures.health()
    assert not well and told["trouble"] == "no look ended for long"


def test_a_watch_tells_that_it_moves_while_it_reads_and_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)
    moved: list[str] = []

    class Told:
        def moved(self) -> None:
            moved.append("built" if any(frame.name == "build" for frame in traceback.extract_stack()) else "read")

        def looked(self, report: ImportReport, seconds: float) -> None:
            watcher.stop()

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *_: None

    def open_() -> Workspace:
        return open_workspace(str(tmp_path / "s.db"), create=True)

    watcher = Watcher(
        open_, [str(SAMPLE)], Settings(), as_name=None, every=0.1, log=Log(io.StringIO()), told=Told(), alerting=None
    )
    assert watcher.run() == 0 and {"read", "built"} <= set(moved)


def test_a_store_that_is_away_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.watch.watching.PAUSES", (0.01,))
    opened: list[str] = []
    written = io.StringIO()

    def open_() -> Workspace:
        opened.append("")
        if len(opened) == 2:
            raise StoreError("the server is away")
        found = open_workspace(str(tmp_path / "s.db"), create=True)
        if len(opened) == 1:

            def gone(*_: Any, **__: Any) -> None:
                raise StoreError("the connection was lost")

            monkeypatch.setattr("review.watch.following.build", gone)
        else:
            monkeypatch.undo()
        return found

    watcher = Watcher(open_, [str(tmp_path)], Settings(), as_name=None, every=0.1, log=Log(written), told=None, alerting=None)
    thread = threading.Thread(target=watcher.run)
    thread.start()
    end = time.monotonic() + SECONDS
    while len(opened) < 3 and time.monotonic() < end:
        threading.Event().wait(0.02)
    watcher.stop()
    thread.join(SECONDS)
    told = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [one["why"] for one in told if one["event"] == "look failed"] == ["the connection was lost", "the server is away"]
    assert told[-1]["event"] == "stopped"


def test_the_pauses_grow_while_a_store_that_was_there_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = (0.0, 0.001, 0.002, 0.003)
    monkeypatch.setattr("review.watch.watching.PAUSES", pauses)
    written = io.StringIO()
    opened: list[str] = []

    class Lost(Watcher):
        def _watch(self, work: Workspace) -> None:
            self._went_well = True
            raise StoreError("the connection was lost")

    def open_() -> Any:
        opened.append("")
        if len(opened) > len(pauses):
            watcher.stop()
        if len(opened) > 1:
            raise StoreError("the server is away")
        return SimpleNamespace(close=lambda: None)

    watcher = Lost(open_, [], Settings(), as_name=None, every=0.1, log=Log(written), told=None, alerting=None)
    assert watcher.run() == 0
    told = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [one["again_in"] for one in told if one["event"] == "look failed"] == list(pauses)
