"""`remit policy export`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from cli.output import emit_json, note
from lang.safe import safe_line
from review.errors import RemitError
from review.policy.exports import exported
from review.policy.policies import read_policy


def export(args: Namespace) -> int:
    """The policy in the other format on stdout or in --out; exit code 2 and nothing written where a part is refused."""
    told = exported(read_policy(args.file), args.file, args.to, per_command=args.per_command)
    written = told["whole"] or (args.partial and told["text"] != "")
    if written and args.out:
        try:
            Path(args.out).write_text(told["text"], "utf-8")
        except OSError as error:
            raise RemitError(f"cannot write {args.out}: {error.strerror}") from error
    if args.output == "json":
        emit_json(told if written else {**told, "text": None})
    else:
        for one in told["refused"]:
            what = f"rule {one['rule']}" if one["rule"] else "the default"
            note(
                f"{args.file}:{one['line']}:{one['column']}: {what} cannot be exported to {told['to']}: {safe_line(one['reason'], 400)}"
            )
        if written:
            for one in told["notes"]:
                note(one)
            if not args.out:
                print(told["text"], end="")
        else:
            note("nothing is written" + ("" if args.partial else "; --partial writes the rules that survive"))
    return 0 if written else 2
