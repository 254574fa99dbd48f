"""`remit tasks` and `remit views`: the queue, in a module of its own because it comes without what the other listings load."""

from __future__ import annotations

from argparse import Namespace
from itertools import chain, islice

from cli.output import emit_rows, note
from lang.counted import count
from review.show.tasks import list_tasks, task_sentence

TABLE = ("risk", "detections", "title", "agent", "principal", "repository", "seen", "started", "state", "id")
CSV = ("id", "title", "agent", "principal", "on_behalf_of", "repository", "environment", "started", "ended",
       "steps", "risk", "findings", "vantages", "parent", "review")  # fmt: skip


def tasks(args: Namespace) -> int:
    filter, sort = args.filter, args.sort
    if args.view:
        filter, sort = _view(args)
    if args.facets:
        return _facets(args, filter)
    if args.out:
        return _export(args, filter, sort or "risk")
    rows = list_tasks(args.store, args.org, args.detections, filter, sort or "risk", args.limit)
    first = list(islice(rows, 1))
    empty = "No task matches this filter." if first or filter else _none(args)
    emit_rows(args.output, chain(first, rows), {None: TABLE, "csv": CSV}.get(args.output, ()), task_sentence, empty=empty)
    return 0


def _none(args: Namespace) -> str:
    """Why the queue is empty: who sees some teams alone is not told to import."""
    from review.stores.teams import sight
    from review.workspace import open_workspace

    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        if sight(work) is not None:
            return "No task of the teams you see (`remit store teams`)."
    return "No tasks. Import logs with `remit import PATH`, or look at `remit demo`."


def _view(args: Namespace) -> tuple[str, str]:
    """The filter and order of a saved view, narrowed and reordered by what else was asked for."""
    from review.sitting.views import view
    from review.workspace import open_workspace

    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        chosen = view(args.view, work.identity)
    return f"{chosen.filter} {args.filter}".strip(), args.sort or chosen.sort


def _facets(args: Namespace, filter: str) -> int:
    from review.sitting.facets import facets, sentence
    from review.workspace import open_workspace

    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        rows = facets(work.store, filter, args.limit or 6)
    emit_rows(args.output, rows, ("field", "value", "tasks", "word"), sentence, empty="No task matches this filter.")
    return 0


def _export(args: Namespace, filter: str, sort: str) -> int:
    from review.sitting.view_export import export_view
    from review.workspace import open_workspace

    with open_workspace(args.store, args.org, detections=args.detections) as work:
        done = export_view(work, args.out, filter, sort, args.limit)
    emit_rows(
        args.output, [done], ("tasks", "path"), lambda row: f"{count(row['tasks'], 'task')} written to {row['path']}", empty=""
    )
    return 0


def views(args: Namespace) -> int:
    from review.sitting.views import delete_view, save_view, sentence, views
    from review.workspace import whoami

    if args.action == "save":
        kept = save_view(args.name, args.filter, args.sort or "risk")
        note(f"view {kept.name} kept: {kept.filter or 'every task'}, by {kept.sort}")
    elif args.action == "delete":
        delete_view(args.name)
        note(f"view {args.name} forgotten")
    else:
        emit_rows(args.output, views(whoami()), ("name", "filter", "sort", "own"), sentence, empty="")
    return 0
