"""A store of many tasks for measuring the dashboard: the sample day's chains, repeated under new ids and later times.

`python -m benchmarks.fill STORE --tasks 100000`. Only derived rows are written; the chains are real ones.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

from model.chain import Finding, TaskChain
from model.event import short_id
from review.derive.building import build
from review.intake.importing import import_logs
from review.sitting.demo import NOT_LOGS
from review.workspace import open_workspace
from samplegen import generate

DAY = 86_400_000_000


def sample_chains() -> list[tuple[TaskChain, list[Finding]]]:
    """The chains and findings of the sample day."""
    with tempfile.TemporaryDirectory() as made:
        logs = Path(made, "logs")
        generate(logs)
        org = Path(made, "org.yaml")
        org.write_bytes((logs / "org.yaml").read_bytes())
        for name in NOT_LOGS:
            (logs / name).unlink(missing_ok=True)
        with open_workspace(str(Path(made, "day.db")), str(org), create=True) as work:
            import_logs(work, [str(logs)])
            build(work)
            chains = [work.store.chain(id) for id in work.store.task_ids()]
            return [(chain, work.store.findings_of(chain.task.id)) for chain in chains if chain]


def copy(chain: TaskChain, findings: list[Finding], round: int) -> tuple[TaskChain, list[Finding]]:
    """The same chain on a later day, under ids of its own."""

    def new(id: str) -> str:
        return short_id(id.partition("-")[0], id, str(round)) if id else ""

    shift = round * DAY
    task = msgspec.structs.replace(
        chain.task,
        id=new(chain.task.id),
        scope=f"{chain.task.scope}/{round}",
        started=None if chain.task.started is None else chain.task.started + shift,
        ended=None if chain.task.ended is None else chain.task.ended + shift,
        parent=new(chain.task.parent),
        children=tuple(new(child) for child in chain.task.children),
    )
    steps = [
        msgspec.structs.replace(s, id=new(s.id), task=task.id, child=new(s.child), at=None if s.at is None else s.at + shift)
        for s in chain.steps
    ]
    found = [
        msgspec.structs.replace(f, id=new(f.id), task=task.id, step=new(f.step), at=None if f.at is None else f.at + shift)
        for f in findings
    ]
    return TaskChain(task, chain.intents, steps, chain.links, chain.records), found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store")
    parser.add_argument("--tasks", type=int, default=100_000)
    args = parser.parse_args()
    day = sample_chains()
    with open_workspace(args.store, None, create=True) as work:
        written = 0
        round = 0
        while written < args.tasks:
            part = [copy(chain, findings, round) for chain, findings in day[: args.tasks - written]]
            work.store.save_chains(part)
            written += len(part)
            round += 1
    print(f"{written:,} tasks in {args.store}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
