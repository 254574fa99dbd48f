"""`remit overview`: posture in figures, each with the command that lists the rows behind it."""

from __future__ import annotations

from argparse import Namespace

from cli.output import emit_json
from lang.safe import safe_line
from review.sitting import overview as figures
from review.sitting.overview_words import sections
from review.workspace import open_workspace


def overview(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        document = figures.overview(work, args.days, visit=args.visit)
    if args.output == "json":
        emit_json(document)
        return 0
    number = 0
    for title, told in sections(document):
        if args.output != "plain":
            print(title)
        for sentence in told:
            number += 1
            print(f"{number}. {safe_line(sentence)}" if args.output == "plain" else f"  {safe_line(sentence)}")
    return 0
