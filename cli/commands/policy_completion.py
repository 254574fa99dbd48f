"""`remit policy complete`: what may be written at a place in a policy, for editors."""

from __future__ import annotations

from argparse import Namespace

from cli.output import emit_json
from lang.counted import count
from lang.safe import safe_line
from review.policy import completing, policies


def complete(args: Namespace) -> int:
    text = policies.read_policy(args.files)
    values = None if args.no_history else completing.stored_values(args.store, args.org)
    told = completing.completion(text, args.line, args.column, values)
    if args.output == "json":
        emit_json(told)
        return 0
    for one in told["candidates"]:
        seen = f"  ({count(one['seen'], 'request')})" if one["seen"] is not None else ""
        doc = f"  {one['doc']}" if one["doc"] else ""
        print(safe_line(f"{one['shown']}{seen}{doc}", 300))
    return 0
