"""`remit demo`."""

from __future__ import annotations

import os
import sys
from argparse import Namespace

from cli.commands.dashboard import run_app
from cli.output import Progress, emit_json, note
from lang.counted import count
from review.show.listings import findings
from review.show.tasks import tasks
from review.sitting.demo import make_demo
from review.workspace import open_workspace


def demo(args: Namespace) -> int:
    if args.store:
        note("the demo keeps a store of its own, so that made-up tasks never stand among real ones; --store is not used")
    progress = Progress("preparing the demo:")
    try:
        made = make_demo(args.tasks, progress=progress)
    finally:
        progress.close()
    if args.output is None and sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return run_app(args, str(made.store), None, tour=True)
    with open_workspace(str(made.store), readonly=True) as work:
        top = tasks(work.store, limit=10)
        found = [row for row in findings(work) if not row["blind_spot"]] if args.tasks is None else []
    if args.output == "json":
        emit_json({"store": str(made.store), "totals": made.totals, "top": top})
        return 0
    print(f"Demo store {made.store}: " + ", ".join(f"{value:,} {name}" for name, value in made.totals.items()) + ".")
    for row in top:
        print(f"  risk {row['risk']:>3}  {_some(row['detections']):<24}  {row['title'] or row['scope']}")
    if found:
        print(f"{count(len(found), 'finding')}; the first: {found[0]['detection']} {found[0]['why']}")
    print(f"Open it in a terminal with `remit demo`, or use --store {made.store}.")
    return 0


def _some(detections: list[str], room: int = 24) -> str:
    """As many ids as fit whole, then how many more there are."""
    for kept in range(len(detections), 0, -1):
        more = f" +{len(detections) - kept}" if kept < len(detections) else ""
        if len(said := ", ".join(detections[:kept]) + more) <= room:
            return said
    return f"{len(detections)} detections" if detections else "-"
