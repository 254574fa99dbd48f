"""`remit journal` and `remit journal verify`."""

from __future__ import annotations

from argparse import Namespace

from cli.output import Row, emit_json, emit_rows
from review.judge import journals
from review.workspace import open_workspace


def journal(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        if args.action == "verify":
            return _verify(args, journals.journal_state(work, args.head or ""))
        rows = journals.journal(work, "access" if args.access else "review")
    emit_rows(
        args.output,
        rows,
        ("seq", "at", "who", "what", "about", "head"),
        lambda row: f"{row['at']} {row['who']}: {row['what']} {row['about']}".rstrip(),
        empty="The journal is empty.",
    )
    return 0


def _verify(args: Namespace, state: Row) -> int:
    if args.output == "json":
        emit_json(state)
    else:
        for name, one in state["journals"].items():
            print(f"{name} journal: {one['entries']} entries, {one['state']}, head {one['head'] or '-'}")
            if one["state"] != "intact":
                print(f"  entry {one['seq']}: {one['problem']}" if one["seq"] else f"  {one['problem']}")
    return 0 if state["state"] == "intact" else 4
