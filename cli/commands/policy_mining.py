"""`remit policy mine`."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from cli.output import emit_json
from lang.safe import safe_line
from review.policy import policy_words as words
from review.policy.mining import Mining
from review.policy.policies import read_policy
from review.workspace import open_workspace

Doc = dict[str, Any]


def mine(args: Namespace) -> int:
    """The proposals as a policy to redirect into a file; with --dry-run what each would change."""
    text = read_policy(args.add_to) if args.add_to else None
    with open_workspace(args.store, args.org, readonly=True) as work:
        mining = Mining(work)
        if args.step:
            told = mining.from_step(args.step, args.effect)
        elif args.source == "denials":
            told = mining.from_denials()
        elif args.source == "grants":
            told = mining.grants()
        else:
            told = mining.from_verdicts(args.support)
        if args.dry_run:
            for one in told["proposals"]:
                run = mining.tried(one, text, args.add_to or "")
                one["dry_run"] = {key: run[key] for key in ("baseline", "summary", "by_tasks", "verdicts", "flips_total")}
    if args.output == "json":
        emit_json(told)
    elif args.output == "plain" or args.dry_run:
        _sentences(told)
    else:
        print(told["policy"], end="")
    return 0


def _sentences(told: Doc) -> None:
    lines = [*told["about"]]
    for one in told["proposals"]:
        lines.append(f"{one['id']}: {one['effect']} when {one['when']}: {words.proposal_line(one)}")
        if "dry_run" in one:
            lines.append(f"  {words.tried_line(one['dry_run'])}")
    lines += [one["why"] for one in told["refused"]]
    number = 0
    for line in lines:
        if line.startswith("  "):
            print(f"   {safe_line(line.strip(), 2000)}")
        else:
            number += 1
            print(f"{number}. {safe_line(line, 2000)}")
