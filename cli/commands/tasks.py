"""`remit tasks`: the queue, in a module of its own because it comes without what the other listings load."""

from __future__ import annotations

from argparse import Namespace

from cli.output import emit_rows
from review.tasks import list_tasks, task_sentence


def tasks(args: Namespace) -> int:
    if args.output in (None, "csv"):
        columns: tuple[str, ...] = (
            "risk",
            "detections",
            "title",
            "agent",
            "principal",
            "repository",
            "seen",
            "started",
            "state",
            "id",
        )
        if args.output == "csv":
            columns = ("id", "title", "agent", "principal", "on_behalf_of", "repository", "environment", "started", "ended",
                       "steps", "risk", "findings", "vantages", "parent", "review")  # fmt: skip
    else:
        columns = ()
    rows = list_tasks(args.store, args.org, args.detections, args.filter, args.sort, args.limit)
    empty = (
        "No task matches this filter."
        if args.filter
        else "No tasks. Import logs with `remit import PATH`, or look at `remit demo`."
    )
    emit_rows(args.output, rows, columns, task_sentence, empty=empty)
    return 0
