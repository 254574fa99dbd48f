"""The options of `remit history`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any


def histories(
    commands: Any, common: argparse.ArgumentParser, formats: Callable[..., None], parser: type, positive: Callable[[str], int]
) -> None:
    history = commands.add_parser("history", help="histories of requests that stay in a warehouse", parents=[common])
    actions = history.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=parser)
    help = "keep a warehouse's table under a name, for `remit policy dry-run --history NAME`"
    sub = actions.add_parser("add", help=help, description=help, parents=[common])
    sub.set_defaults(run="history:add")
    sub.add_argument("name", metavar="NAME")
    sub.add_argument(
        "--url",
        required=True,
        metavar="URL",
        help="duckdb:///FILE, parquet:///DIR/*.parquet, clickhouse://, chdb:///DIR/*.parquet, spark://local, trino://, "
        "bigquery:// or snowflake://; a password is written ${VARIABLE}",
    )
    sub.add_argument(
        "--table", default="", metavar="T", help="the table or view, as TABLE or SCHEMA.TABLE; not for Parquet files"
    )
    sub.add_argument("--mapping", required=True, metavar="FILE", help="which column states what (see docs/history.md)")
    sub.add_argument(
        "--shapes", type=positive, metavar="N", help="judge policies in the engine where there are more shapes (2000000)"
    )
    sub.add_argument("--preview", action="store_true", help="print the first rows as requests and keep nothing")
    sub.add_argument("--replace", action="store_true", help="in place of the history of this name")
    formats(sub, lines=False)
    help = "the histories that are kept"
    sub = actions.add_parser("list", help=help, description=help, parents=[common])
    sub.set_defaults(run="history:list_")
    formats(sub)
