"""How import and build grow: ten times the events, one task of very many steps, one key that everything carries.

`python -m benchmarks.growth` writes each set of logs twice, the second ten times as large, imports both with the command
line, and prints processor seconds, the ratio between them, and the peak memory over all processes. The goal is a ratio of
at most 11; memory of the larger run is what one task of that many steps needs.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks.measured import Cost, measured
from review.sitting.demo import NOT_LOGS
from samplegen import generate
from samplegen.moments import moment

TEN = 10
MOST = 11.0
_START = moment("2026-03-02T08:00:00")


def days(folder: Path, tasks: int) -> int:
    """So many agent sessions with all the logs around them."""
    generate(folder, tasks)
    for other in NOT_LOGS:
        (folder / other).unlink(missing_ok=True)
    return tasks


def one_task(folder: Path, steps: int) -> int:
    """One session of so many calls, each with its result and a policy's verdict."""
    with (folder / "task.ndjson").open("wb") as out:
        for n in range(steps):
            at = _START + n * 700_000
            keys = [_key("scope", "session", "s-1"), _key("call", "call", f"c{n}")]
            what = {"verb": "file.read", "target": {"class": "filesystem", "name": f"src/f{n % 997}.py"}, "keys": keys}
            out.write(
                _event(
                    f"a{n}", at, kind="action", phase="call", vantage="agent", point="claude-code", agent="claude-code", **what
                )
            )
            out.write(
                _event(
                    f"d{n}", at - 5_000, kind="decision", vantage="enforcer", point="opa", decision={"effect": "allow"}, **what
                )
            )
            out.write(_event(f"r{n}", at + 90_000, kind="action", phase="result", vantage="agent", point="claude-code",
                             outcome={"tool": "yes"}, keys=keys))  # fmt: skip
    return steps


def one_key(folder: Path, events: int) -> int:
    """So many events of many sessions, all with one trace, one request and one ticket."""
    shared = [_key("scope", "trace", "7" * 32), _key("call", "request", "r"), _key("reference", "ticket", "OPS-1")]
    with (folder / "shared.ndjson").open("wb") as out:
        for n in range(events):
            own = [_key("scope", "session", f"s{n // 100}"), *shared]
            out.write(_event(f"a{n}", _START + n * 100_000, kind="effect", vantage="target", point="github", verb="repo.read",
                             target={"class": "repository", "name": "acme/pay"}, keys=own if n % 2 else shared[1:]))  # fmt: skip
    return events


def _key(role: str, kind: str, value: str) -> dict[str, str]:
    return {"role": role, "kind": kind, "value": value}


def _event(id: str, at: int, **members: object) -> bytes:
    moment = f"{at // 1_000_000}.{at % 1_000_000:06d}"
    stated = {"format": "remit-events", "version": 1, "id": id, "time": _iso(moment), **members}
    return msgspec.json.encode(stated) + b"\n"


def _iso(epoch: str) -> str:
    from lang.times import iso

    seconds, _, micros = epoch.partition(".")
    return iso(int(seconds) * 1_000_000 + int(micros)) or ""


CASES: dict[str, tuple[Callable[[Path, int], int], int, str]] = {
    "days": (days, 40, "sessions with the logs around them"),
    "one-task": (one_task, 20_000, "steps in one task"),
    "one-key": (one_key, 20_000, "events that share a trace, a request and a ticket"),
}


def run(name: str, size: int) -> Cost:
    write, _, what = CASES[name]
    with tempfile.TemporaryDirectory() as made:
        logs = Path(made, "logs")
        logs.mkdir()
        write(logs, size)
        bulk = sum(path.stat().st_size for path in logs.iterdir())
        store = ["--store", str(Path(made, "s.db"))]
        cost = measured([sys.executable, "-m", "cli.main", *store, "import", str(logs)], {"PYTHONPATH": os.getcwd()})
    said = cost.out.decode().strip().splitlines()[-1:] or [cost.err.decode()[-300:]]
    print(
        f"{size:>9,} {what}, {bulk / 1e6:.0f} MB: {cost.cpu:.1f} s of processor time, peak {cost.peak / 1e6:.0f} MB; {said[0]}",
        flush=True,
    )
    return cost


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--case", choices=CASES, action="append", help="only this one; may be repeated")
    parser.add_argument("--size", type=int, help="the smaller size (default: 40 sessions, 20,000 steps, 20,000 events)")
    args = parser.parse_args()
    worst = 0.0
    for name in args.case or CASES:
        size = args.size or CASES[name][1]
        small, large = run(name, size), run(name, size * TEN)
        ratio = large.cpu / small.cpu if small.cpu else 0.0
        worst = max(worst, ratio)
        print(f"          ten times as much takes {ratio:.1f} times as long (goal: at most {MOST:g})", flush=True)
    return int(worst > MOST)


if __name__ == "__main__":
    sys.exit(main())
