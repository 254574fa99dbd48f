"""An evidence pack over 100,000 steps and every framework: seconds, processor time, peak memory, the size of each file.

`python -m benchmarks.report` imports the sample day, repeats its chains, findings and credentials on earlier days until there
are that many steps, exports with the command line, and beside it measures the yardstick: reading the same steps out of the
same store and writing them as CSV. The goals: under 10 s on the wall and 500 MB, HTML under 5 MB; the median of `--runs` is
judged, and the largest peak, on a machine that does nothing else. `--store` keeps the store for the next run; `--stages` profiles one
export instead.
"""

from __future__ import annotations

import argparse
import cProfile
import csv
import os
import pstats
import shutil
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import msgspec

from benchmarks.fill import copy
from benchmarks.measured import Cost, measured
from model.chain import Credential, Finding, TaskChain
from model.event import short_id
from reports.catalogue import frameworks
from review.derive.building import build
from review.intake.importing import import_logs
from review.sitting.demo import NOT_LOGS
from review.workspace import open_workspace
from samplegen import generate

SECONDS = 10.0
BYTES = 500_000_000
HTML = 5_000_000


def fill(store: Path, steps: int) -> None:
    """A store of the sample day, repeated on earlier days until it holds so many steps."""
    with tempfile.TemporaryDirectory() as made:
        logs = Path(made, "logs")
        generate(logs)
        store.with_name("org.yaml").write_bytes((logs / "org.yaml").read_bytes())
        for name in NOT_LOGS:
            (logs / name).unlink(missing_ok=True)
        with open_workspace(str(store), None, create=True) as work:
            import_logs(work, [str(logs)])
            build(work)
            chains = [chain for id in work.store.task_ids() if (chain := work.store.chain(id))]
            day = [(chain, work.store.findings_of(chain.task.id)) for chain in chains]
            held = work.store.credentials()
            written, round = sum(len(chain.steps) for chain in chains), 0
            while written < steps:
                round += 1
                part = [_again(chain, found, -round) for chain, found in day]
                work.store.save_chains(part)
                work.store.save_credentials([_credential(one, -round) for one in held])
                written += sum(len(chain.steps) for chain, _ in part)


def _again(chain: TaskChain, findings: list[Finding], round: int) -> tuple[TaskChain, list[Finding]]:
    made, found = copy(chain, findings, round)
    steps = [msgspec.structs.replace(s, credentials=tuple(_new(c, round) for c in s.credentials)) for s in made.steps]
    return TaskChain(made.task, made.intents, steps, made.links, made.records), found


def _credential(one: Credential, round: int) -> Credential:
    return msgspec.structs.replace(
        one,
        id=_new(one.id, round),
        key=f"{one.key}/{round}",
        tasks=tuple(_new(task, round) for task in one.tasks),
        issued_task=_new(one.issued_task, round),
    )


def _new(id: str, round: int) -> str:
    return short_id(id.partition("-")[0], id, str(round)) if id else ""


def report(store: Path, out: Path) -> list[str]:
    """The command line of the whole export."""
    words = [sys.executable, "-m", "cli.main", "--store", str(store), "report", "--out", str(out)]
    return [*words, *(word for one in frameworks() for word in ("--framework", one.id))]


def yardstick(store: Path, out: Path) -> None:
    """The least an export could do: read every step and write a line of it."""
    with open_workspace(str(store), None, readonly=True) as work, out.open("w", newline="") as file:
        rows = csv.writer(file)
        for step in work.store.steps_of(list(work.store.task_ids())):
            rows.writerow([step.id, step.task, step.n, step.at, step.verb, step.title, step.target.name])


def _say(what: str, cost: Cost) -> None:
    print(
        f"{what}: {cost.cpu:.1f} s of processor time, {cost.seconds:.1f} s on the wall, peak {cost.peak / 1e6:.0f} MB", flush=True
    )


def _usual(costs: list[Cost]) -> Cost:
    """The median times of several runs, and the largest peak."""
    seconds, cpu = (statistics.median(times) for times in zip(*((one.seconds, one.cpu) for one in costs), strict=True))
    return replace(costs[0], seconds=seconds, cpu=cpu, peak=max(one.peak for one in costs))


def _stages(store: Path, out: Path) -> None:
    from cli.main import main as remit

    profile = cProfile.Profile()
    profile.runcall(remit, report(store, out)[3:])
    pstats.Stats(profile).sort_stats("tottime").print_stats(45)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--store", type=Path, help="keep the store here, and use it where it is")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--stages", action="store_true", help="profile one export")
    parser.add_argument("--yardstick", metavar="CSV", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.yardstick:
        yardstick(args.store, args.yardstick)
        return 0
    with tempfile.TemporaryDirectory() as made:
        store = args.store or Path(made, "s.db")
        if not store.exists():
            fill(store, args.steps)
        out = Path(made, "pack")
        if args.stages:
            _stages(store, out)
            return 0
        # As installed: modules are compiled before, which a checkout may leave undone.
        env = {"PYTHONPATH": os.getcwd(), "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(made, "compiled"))}
        words = [sys.executable, "-m", "benchmarks.report", "--store", str(store), "--yardstick", str(Path(made, "y.csv"))]
        rods, costs = [], []
        for _ in range(1 + max(1, args.runs)):
            rods.append(measured(words, env))
            shutil.rmtree(out, ignore_errors=True)
            costs.append(measured(report(store, out), env))
            if costs[-1].code or rods[-1].code:
                print((costs[-1].err or rods[-1].err).decode()[-2000:], file=sys.stderr)
                return 2
            _say("  a run" if costs[1:] else "  a run that compiles", costs[-1])
        rod, cost = _usual(rods[1:]), _usual(costs[1:])
        _say("yardstick (read every step, write it as CSV)", rod)
        _say(f"the pack, {len(frameworks())} frameworks", cost)
        for path in sorted(out.rglob("*")):
            if path.is_file():
                print(f"  {path.relative_to(out)}: {path.stat().st_size / 1e6:.2f} MB")
        page = (out / "report.html").stat().st_size
    within = cost.seconds < SECONDS and cost.peak < BYTES and page < HTML
    times = f"{cost.seconds / rod.seconds:.1f} times the yardstick's seconds, {cost.cpu / rod.cpu:.1f} times its processor time"
    print(f"goals (10 s, 500 MB, 5 MB of HTML) {'held' if within else 'NOT held'}; {times}; load {os.getloadavg()[0]:.1f}")
    return int(not within)


if __name__ == "__main__":
    sys.exit(main())
