"""`remit review` and `remit except`."""

from __future__ import annotations

from argparse import Namespace

from cli.output import emit_json
from review.verdicts import accept_risk, give_verdicts
from review.workspace import open_workspace


def review(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections) as work:
        given = give_verdicts(work, args.id, args.verdict, args.reason, reviewer=args.reviewer)
    if args.output == "json":
        emit_json(given if len(given) > 1 else given[0])
    else:
        for one in given:
            print(f"{one['kind']} {one['subject']}: {one['verdict']} by {one['reviewer']}: {one['reason']}")
    return 0


def accept(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections) as work:
        given = accept_risk(work, args.finding, owner=args.owner, ticket=args.ticket, expires=args.expires, reason=args.reason)
    if args.output == "json":
        emit_json(given)
    else:
        print(f"finding {given['finding']} accepted until {given['expires']}; owner {given['owner']}, {given['ticket']}")
    return 0
