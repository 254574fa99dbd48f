"""`remit show`."""

from __future__ import annotations

from argparse import Namespace

from cli.output import emit_json
from lang.safe import safe_row
from review.show.sentences import sentences
from review.show.showing import show as show_thing
from review.workspace import open_workspace


def show(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        document = show_thing(work, args.id, at=args.at, delegated=args.delegation, steps=args.steps)
    if args.output == "json":
        emit_json(document)
    else:
        for line in sentences(document):
            print(safe_row(line))
    return 0
