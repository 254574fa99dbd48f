"""`remit policy referee`, and what `dry-run --referee` adds."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from cli.output import emit_json
from lang.safe import safe_line
from review.policy import referee as judges
from review.workspace import Workspace, open_workspace

Doc = dict[str, Any]
LISTED = 20


def referee(args: Namespace) -> int:
    with open_workspace(args.store, args.org, readonly=True) as work:
        found = judged(args, work)["referee"]
    if args.output == "json":
        emit_json(found)
    else:
        show(found)
    return int(differs(found))


def ready(args: Namespace) -> None:
    """Refuses beforehand where there is no referee, rather than after a long dry-run."""
    judges.ready(args.format)


def judged(args: Namespace, work: Workspace, text: str | None = None) -> Doc:
    """What a dry-run's document has under `referee`."""
    return {"referee": judges.judged(work, args.format, args.files, text=text, scopes=args.scope, filter=args.filter)}


def nobody(args: Namespace, work: Workspace, text: str | None = None) -> Doc:
    """No referee was asked for."""
    return {}


def differs(found: Doc | None) -> bool:
    return found is not None and found["disagreeing"] > 0


def show(found: Doc | None) -> None:
    if found is None:
        return
    for line in judges.sentences(found | {"disagreements": found["disagreements"][:LISTED]}):
        print(safe_line(line, 2000))
    if len(found["disagreements"]) > LISTED:
        print(f"{len(found['disagreements']) - LISTED:,} more are listed with --json")
