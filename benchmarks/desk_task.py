"""How soon a task of very many steps opens on the Task screen, and what a walk through it costs.

`python -m benchmarks.desk_task --steps 50000` writes the logs of one session of so many steps, imports them (or takes
`--store` from an earlier run), and prints how long the first steps take to stand, beside what Python needs to import
Textual alone; then jumps, a search and a page, and the memory of it all.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from textual.pilot import Pilot

from lang.times import iso
from review.sitting.desk import Desk
from tui.app import UNVEILED, RemitApp
from tui.screens.base import DeskScreen
from tui.screens.task import TaskScreen
from tui.settling import settled

LIMIT = 0.400
_START = 1_772_438_400_000_000
_COMMANDS = ("make test", "git status", "rg -n 'retry' src | head", "python -m pytest -x tests/test_queue.py", "ls -la src")


def write_logs(folder: Path, steps: int) -> None:
    """One session with a verdict on most calls, runs of the same call, refusals and a token now and then."""
    with (folder / "task.ndjson").open("wb") as out:
        for n in range(steps):
            at = _START + n * 700_000
            keys = [_key("scope", "session", "s-1"), _key("call", "call", f"c{n}")]
            what = _what(n) | {"keys": keys}
            denied = n % 400 == 399
            agent = {"kind": "action", "vantage": "agent", "point": "claude-code", "agent": "claude-code"}
            _event(out, f"a{n}", at, phase="call", **agent, **what)
            if n % 9 or n % 40 < 12:
                _event(out, f"d{n}", at - 5_000, kind="decision", vantage="enforcer", point="opa",
                       decision={"effect": "deny" if denied else "allow", "rule": f"r-{n // 40 % 7}"}, **what)  # fmt: skip
            _event(out, f"r{n}", at + 90_000, phase="result", outcome={"tool": "no" if denied and n % 800 == 799 else "yes"},
                   keys=keys, **agent)  # fmt: skip


def _what(n: int) -> dict[str, object]:
    if n % 40 < 12:
        return {"verb": "exec", "text": _COMMANDS[n // 40 % len(_COMMANDS)], "attrs": {"command": _COMMANDS[n // 40 % 5]}}
    return {"verb": "file.read", "target": {"class": "filesystem", "name": f"src/part{n % 13}/f{n % 997}.py"}}


def _key(role: str, kind: str, value: str) -> dict[str, str]:
    return {"role": role, "kind": kind, "value": value}


def _event(out: object, id: str, at: int, **members: object) -> None:
    stated = {"format": "remit-events", "version": 1, "id": id, "time": iso(at), **members}
    out.write(msgspec.json.encode(stated) + b"\n")  # type: ignore[attr-defined]


def yardstick() -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import textual.app, textual.widgets"], check=True)
    return time.perf_counter() - begin


async def _timed(what: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    await what()
    return time.perf_counter() - wall, time.process_time() - cpu


async def measure(store: str, opens: int) -> None:
    desk = Desk(store, readonly=True)
    app = RemitApp(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        task = desk.tasks("", "steps").page(0)[0]
        # A second after it stands the dashboard loads what a walk needs; nobody finds a task sooner.
        await asyncio.sleep(UNVEILED)
        await settled(pilot)
        first: list[float] = []
        work: list[float] = []
        whole: list[float] = []
        for _ in range(opens):
            begin, cpu = time.perf_counter(), time.process_time()
            screen = TaskScreen(str(task["id"]))
            app.push_screen(screen)
            await _until(pilot, lambda: screen.is_mounted and screen.table.current is not None)  # noqa: B023
            await pilot.pause(0)
            first.append(time.perf_counter() - begin)
            work.append(time.process_time() - cpu)
            await settled(pilot)
            whole.append(time.perf_counter() - begin)
            app.pop_screen()
            await settled(pilot)
        bare = yardstick()
        print(f"a task of {task['steps']:,} steps, milliseconds")
        print(f"  {'import textual (yardstick)':<34}{bare * 1e3:8.0f}")
        print(f"  {'first steps stand, worst of ' + str(opens):<34}{max(first) * 1e3:8.0f}   goal {LIMIT * 1e3:.0f}")
        print(f"  {'the same, processor time':<34}{max(work) * 1e3:8.0f}")
        print(f"  {'everything known of it, worst':<34}{max(whole) * 1e3:8.0f}")
        app.push_screen(TaskScreen(str(task["id"])))
        await settled(pilot)
        for name, keys in (
            ("page down", ("pagedown",)),
            ("to the last step", ("G",)),
            ("back to the first", ("g",)),
            ("next finding", ("n",)),
            ("next decision", ("d",)),
            ("search", ("slash", *"f996.py", "enter")),
            ("next hit", ("n",)),
        ):
            wall, cpu = await _timed(lambda: _press(pilot, keys))  # noqa: B023
            print(f"  {name:<34}{wall * 1e3:8.0f}   cpu {cpu * 1e3:.0f}")
    desk.close()
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


async def _press(pilot: Pilot[None], keys: tuple[str, ...]) -> None:
    for key in keys:
        await pilot.press(key)
    await settled(pilot)


async def _until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    while not condition():
        assert isinstance(pilot.app.screen, DeskScreen)
        await asyncio.sleep(0.001)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--steps", type=int, default=50_000)
    parser.add_argument("--store", help="a store made earlier; one is made here if it is not there")
    parser.add_argument("--opens", type=int, default=5)
    args = parser.parse_args()
    # As `remit` itself runs: what importing made is never looked through again, and the rest seldom.
    gc.set_threshold(100_000, *gc.get_threshold()[1:])
    gc.freeze()
    with tempfile.TemporaryDirectory() as made:
        store = Path(args.store or Path(made, "task.db"))
        if not store.exists():
            write_logs(Path(made), args.steps)
            print(f"importing {args.steps:,} steps …", file=sys.stderr)
            subprocess.run([str(Path(sys.executable).with_name("remit")), "--store", str(store), "import", made, "--json"],
                           check=True, stdout=subprocess.DEVNULL)  # fmt: skip
        asyncio.run(measure(str(store), args.opens))


if __name__ == "__main__":
    main()
