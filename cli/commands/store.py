"""`remit store ...`."""

from __future__ import annotations

from argparse import Namespace

from cli.output import Progress, emit_json, emit_jsonl, note
from review import upkeep
from review.workspace import open_workspace


def info(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        _print(args, upkeep.info(work))
    return 0


def check(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        result = upkeep.check(work)
    _print(args, result)
    return 0 if result["state"] == "intact" else 4


def migrate(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, create=True) as work:
        _print(args, upkeep.info(work))
    return 0


def rebuild(args: Namespace) -> int:
    progress = Progress("building")
    with open_workspace(args.store, args.org, detections=args.detections) as work:
        try:
            result = upkeep.rebuild(work, events=args.events, progress=progress)
        finally:
            progress.close()
        for problem in work.own.problems:
            note(problem)
    _print(args, result)
    return 0


def export(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        if args.output == "json":
            emit_json(list(upkeep.export(work)))
        else:
            emit_jsonl(upkeep.export(work))
    return 0


def _print(args: Namespace, result: dict[str, object]) -> None:
    if args.output == "json":
        emit_json(result)
    else:
        for name, value in result.items():
            print(f"{name}: {value}")
