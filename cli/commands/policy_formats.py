"""`remit policy formats`: the languages a policy can be written in, as the studio offers them."""

from __future__ import annotations

from argparse import Namespace

from cli.output import emit_rows
from review.policy.draft_formats import draft_formats


def formats(args: Namespace) -> int:
    rows = [{"id": one.id, "title": one.title, "file": one.file, "agent": one.agent} for one in draft_formats().values()]
    emit_rows(
        args.output,
        rows,
        ("id", "title", "file", "agent"),
        lambda row: (
            f"{row['id']}: {row['title']}, as in {row['file']}"
            + ("; an agent's own rules, judged over that agent's calls" if row["agent"] else "")
        ),
        empty="No language is installed.",
    )
    return 0
