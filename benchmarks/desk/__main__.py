"""What the queue costs at a million tasks, each figure beside its limit and the run beside a yardstick.

`python -m benchmarks.desk [--store STORE] [--tasks N] [--import FILE]`. Without a store one is made for the run. Filters and
searches are asked of the desk as the screen asks them, in processor time of the reading thread and on the wall; the terminal's
figures come from a real `remit` in a pseudo terminal. With `--import` the same keys are pressed while that file is imported.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, thread_time

from benchmarks.desk.filling import fill
from benchmarks.desk.terminal import Sitting, compiled, current
from benchmarks.first_rows import yardstick
from review.sitting.desk import Desk
from review.sitting.figures import PARTS
from review.sitting.queueing import FACETS

FILTERS = (
    "agent:codex risk:>60",
    "-verdict:*",
    "repo:payments env:prod",
    "who:dev17",
    "finding:CRED-03",
    "agent:codex risk:>60 finding:CRED-03 repo:payments -verdict:* after:2026-06-01",
    "agent:copilot env:staging verdict:escalate",
)
SEARCHES = ("word123", "push", '"git push origin"', "vault word77")
MS = 1e3


def timed(work: Callable[[], object], again: int = 3) -> tuple[float, float]:
    """Least processor and wall milliseconds of several runs."""
    found = []
    for _ in range(again):
        cpu, wall = thread_time(), perf_counter()
        work()
        found.append(((thread_time() - cpu) * MS, (perf_counter() - wall) * MS))
    return min(cpu for cpu, _ in found), min(wall for _, wall in found)


def line(name: str, figure: str, limit: str = "") -> None:
    print(f"  {name:<78} {figure:>22}  {limit}", flush=True)


def asked(desk: Desk) -> None:
    """Rows and counts of filters, and facets, as the screen asks for them."""
    print("asked of the desk: processor ms, wall ms")
    for name, expressions in (("filter", FILTERS), ("search", SEARCHES)):
        for expression in expressions:
            cpu, wall = timed(lambda e=expression: desk.tasks(e, "risk").page(0))  # type: ignore[misc]
            line(f"{name} {expression}: first rows", f"{cpu:.1f} {wall:.1f}", "limit 150")
            cpu, wall = timed(lambda e=expression: desk.tasks(e, "risk").count(), 1)  # type: ignore[misc]
            line("  its count, on a thread of its own", f"{cpu:.1f} {wall:.1f}")
    cpu, wall = timed(lambda: (desk.posture(), [desk.overview(part) for part in PARTS]))
    line("the whole overview", f"{cpu:.1f} {wall:.1f}")
    for filter in ("", "agent:codex risk:>60"):
        cpu, wall = timed(lambda f=filter: [desk.facet(field, f, 6) for field in FACETS], 1)  # type: ignore[misc]
        line(f"all facets of {filter or 'every task'}", f"{cpu:.1f} {wall:.1f}")


def seen(store: str, beside: str | None) -> None:
    """First frame, first rows, a page down, idleness and memory of a real dashboard."""
    bare = [yardstick() * MS for _ in range(3)]
    line("yardstick: importing Textual alone", f"{statistics.median(bare):.0f} ms")
    with Sitting(store) as sitting:
        line("first frame", f"{sitting.first_frame * MS:.0f} ms", "limit 300")
        line("first rows", f"{sitting.first_rows * MS:.0f} ms", "limit 500")
        line("the queue, by a key typed at the first frame", f"{sitting.answered * MS:.0f} ms")
        importer = subprocess.Popen([sys.executable, "-m", "cli.main", "--store", store, "import", beside]) if beside else None
        waits, cpu = sitting.pages(60)
        line("a page down: processor ms each", f"{cpu * MS:.1f} ms", "limit 10")
        what = "while an import runs beside it" if beside else "nothing beside it"
        line(
            f"a key until it is drawn, {what}: median, worst",
            f"{statistics.median(waits) * MS:.0f} {max(waits) * MS:.0f} ms",
            "limit 50",
        )
        if importer is not None:
            importer.terminate()
            importer.wait()
        line("idle for three seconds: processor ms", f"{sitting.idle(3.0) * MS:.0f} ms", "limit 0")
        line("memory", f"{sitting.memory() / 1e6:.0f} MB", "limit 200")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--store", help="a store made by an earlier run")
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--import", dest="beside", metavar="FILE", help="imported while keys are pressed")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        store = args.store or str(Path(made, "desk.db"))
        if not Path(store).exists():
            begin = perf_counter()
            fill(Path(store), args.tasks)
            line(f"a store of {args.tasks:,} tasks was made in", f"{perf_counter() - begin:.0f} s")
        with compiled(current(store)):
            seen(store, args.beside)
        desk = Desk(store, readonly=True)
        asked(desk)
        desk.close()


if __name__ == "__main__":
    main()
