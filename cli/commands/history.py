"""`remit history ...`: histories of requests that stay in a warehouse."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from cli.output import emit_json, emit_jsonl, emit_rows, note
from lang.safe import safe_line
from review.policy import histories

COLUMNS = ("name", "url", "table", "shapes", "mapping_sha256")


def add(args: Namespace) -> int:
    if args.preview:
        rows = histories.preview(args.url, args.table, args.mapping)
        if args.output == "json":
            emit_json(rows)
        else:
            emit_jsonl(rows)
        if not rows:
            note("the table has no rows")
        return 0
    row = histories.add(args.name, args.url, args.table, args.mapping, args.shapes or histories.SHAPES, args.replace)
    if args.output == "json":
        emit_json(row)
    else:
        print(safe_line(f"{_sentence(row)}; try `remit policy dry-run DRAFT --history {row['name']}`", 2000))
    return 0


def list_(args: Namespace) -> int:
    emit_rows(args.output, histories.listed(), COLUMNS, _sentence, empty="None.")
    return 0


def _sentence(row: dict[str, Any]) -> str:
    table = f", table {row['table']}" if row["table"] else ""
    return f"{row['name']}: {row['url']}{table}"
