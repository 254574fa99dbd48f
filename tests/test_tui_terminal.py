"""The dashboard in a real terminal: colours it may emit, how it is left and resized, and where it will not start."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import pty
import signal
import struct
import termios
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from tests.running import refused, run, start, surroundings
from tests.tty import colours, terminal, text
from tests.tui_desk import KEY, sample_store
from tui.driver import Lasting, driver_for

LEFT = b"\x1b[?1049l"
SHOWN = b"\x1b[?25h"


@pytest.fixture(autouse=True)
def alone(tmp_path: Path) -> Iterator[None]:
    with surroundings(tmp_path, REMIT_PSEUDONYM_KEY=KEY):
        yield


def walk(folder: Path, *keys: str) -> Path:
    path = folder / "keys"
    path.write_text(" ".join((*keys, "ctrl+q", "ctrl+q")), "utf-8")
    return path


def test_under_no_color_no_colour_is_emitted(tmp_path: Path) -> None:
    keys = walk(
        tmp_path,
        *[
            "slash",
            "a",
            "escape",
            "v",
            "escape",
            "question_mark",
            "escape",
            "enter",
            "r",
            "l",
            "t",
            "semicolon",
            "escape",
            "2",
            "3",
            "4",
            "5",
            "colon",
        ],
        "escape",
    )
    with terminal("--store", sample_store(), "--play", keys, NO_COLOR="1", COLORTERM="truecolor", REMIT_THEME="nord") as child:
        assert child.end() == 0
    assert "seen by" in text(child.written) and "lifeline" in text(child.written)
    assert not colours(child.written)
    # The row of the cursor is told by more than colour.
    assert "▶" in text(child.written)


def test_a_terminal_of_16_colours_gets_its_own(tmp_path: Path) -> None:
    with terminal("--store", sample_store(), "--play", walk(tmp_path, "j"), TERM="linux") as child:
        assert child.end() == 0
    emitted = colours(child.written)
    assert emitted and not any(b"38;" in one or b"48;" in one for one in emitted), emitted


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_gives_the_screen_back(name: str) -> None:
    with terminal("--store", sample_store()) as child:
        child.until(b"help")
        os.kill(child.pid, getattr(signal, name))
        assert child.end() in (0, 130)
    assert LEFT in child.written and SHOWN in child.written and "Traceback" not in text(child.written)


def test_ctrl_z_gives_the_shell_back_and_ctrl_c_the_screen_after_another_size() -> None:
    script = '"$@"; echo IN THE SHELL; fg >/dev/null; exit $?'
    with terminal("--store", sample_store(), "--no-mouse", size=(80, 24), script=script) as child:
        child.until(b"help")
        assert b"\x1b[?1000h" not in child.written and b"\x1b[?1006h" not in child.written
        child.press(b"\x1a")
        child.until(b"IN THE SHELL")
        shell = child.written.rindex(b"IN THE SHELL")
        assert LEFT in child.written[:shell] and SHOWN in child.written[:shell]
        child.until(b"help", after=shell)
        resized = len(child.written)
        # The terminal tells whoever is in its foreground.
        fcntl.ioctl(child.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 150, 0, 0))
        child.until(b"help", after=resized)
        child.press(b"\x03")
        assert child.end() == 0
    assert child.written.rindex(LEFT) > resized and SHOWN in child.written[resized:]
    assert "Traceback" not in text(child.written)


def test_it_ends_where_its_terminal_goes_away_while_it_draws() -> None:
    with terminal("--store", sample_store(), size=(80, 24)) as child:
        child.until(b"help")
        # Behind the signal that says so the kernel sends the one that wakes whoever is stopped.
        before = len(child.written)
        child.press(b"2" + b"jjjkjk" * 60)
        child.until("▶".encode(), after=before)
        assert child.hang_up() in (0, -signal.SIGHUP)


def test_what_is_written_to_a_terminal_that_has_gone_is_told_once() -> None:
    told: list[str] = []
    here, there = pty.openpty()
    with suppress(OSError), os.fdopen(there, "w") as file:
        lasting = Lasting(file, lambda: told.append("gone"))
        assert lasting.write("a") == 1 and lasting.isatty() and lasting.fileno() == file.fileno()
        lasting.flush()
        assert os.read(here, 10) == b"a" and told == []
        os.close(here)
        for _ in range(3):
            lasting.write("b")
            lasting.flush()
        assert told == ["gone"]


def test_a_stop_without_notice_leaves_one_dashboard_behind() -> None:
    with terminal("--store", sample_store(), size=(80, 24)) as child:
        child.until(b"help")
        os.kill(child.pid, signal.SIGSTOP)
        stopped = len(child.written)
        os.kill(child.pid, signal.SIGCONT)
        child.until(LEFT, after=stopped)
        child.until(b"help", after=child.written.index(LEFT, stopped))
        child.press(b"2")
        child.until("▶".encode(), after=stopped)
        child.press(b"\x03")
        assert child.end() == 0
    assert "Traceback" not in text(child.written)


def test_a_first_run_opens_an_empty_dashboard_that_says_how_to_begin(tmp_path: Path) -> None:
    with terminal(size=(80, 24), XDG_DATA_HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path), REMIT_STORE="") as child:
        child.until(b"remit import PATH")
        child.press(b"q")
        assert child.end() == 0
    assert "remit demo" in text(child.written) and (tmp_path / "remit" / "remit.db").is_file()
    with terminal("--store", tmp_path / "typo.db") as child:
        assert child.end() == 2
    assert b"no store at" in child.written and not (tmp_path / "typo.db").exists()


def test_without_a_terminal_or_on_a_dumb_one_the_way_to_the_commands_is_told(tmp_path: Path) -> None:
    refused(run("--store", sample_store()), 2, "needs a terminal", "remit tasks")
    with terminal("--store", sample_store(), TERM="dumb") as child:
        assert child.end() == 2
    assert b"\x1b" not in child.written and b"remit tasks" in child.written


def test_keys_play_without_a_terminal_and_print_the_screen_they_lead_to(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("# to the second task\nj enter\n", "utf-8")
    ran = run("--store", sample_store(), "--play", keys, "--size", "80x24")
    assert ran.code == 0 and "evidence" in ran.out and all(len(line) <= 80 for line in ran.out.splitlines())
    keys.write_text("j\nsideways\n", "utf-8")
    refused(run("--store", sample_store(), "--play", keys), 2, "line 2", "'sideways'")
    refused(run("--store", sample_store(), "--play", tmp_path / "none"), 3, "cannot read the keys")
    refused(run("--size", "12"), 2, "--size")


def test_what_was_recorded_plays_to_the_same_screen(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with terminal(
        "--store", sample_store(), "--record", kept, "--play", walk(tmp_path, "j", "slash", "x", "escape", "enter")
    ) as child:
        assert child.end() == 0
    assert kept.read_text().split("\n")[1:-1] == ["j", "slash", "x", "escape", "enter", "ctrl+q"]


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = start("--store", sample_store(), "tasks", "--json")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() in (0, 141) and said == b""


@pytest.mark.parametrize("there", [False, True])
async def test_reading_from_a_terminal_that_has_gone_is_its_end_and_no_fault(
    there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read may fail before the signal comes; on a terminal that is there it is a fault and told as one."""
    controller, worker = pty.openpty()
    app: App[None] = App()
    ended: list[str] = []
    monkeypatch.setattr(app, "exit", lambda: ended.append("exit"))
    monkeypatch.setattr(app, "panic", lambda *_: ended.append("panic"))
    monkeypatch.setattr(app, "call_later", lambda call, *given: call(*given))

    def broken(_driver: LinuxDriver) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(LinuxDriver, "run_input_thread", broken)
    driver = driver_for(None)(app)
    assert isinstance(driver, LinuxDriver)
    driver.fileno = worker
    if not there:
        os.close(worker)
    driver._run_input_thread()
    await asyncio.sleep(0)
    assert ended == ["panic" if there else "exit"]
    os.close(controller)
    with suppress(OSError):
        os.close(worker)
