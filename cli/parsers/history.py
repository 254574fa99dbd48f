"""`remit history` and its actions."""

from __future__ import annotations

from cli.parsers.words import Place, formats, positive


def declare(place: Place) -> None:
    history = place.group("history", "histories of requests that stay in a warehouse")
    sub = history.command(
        "add", "history:add", "keep a warehouse's table under a name, for `remit policy dry-run --history NAME`"
    )
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
    sub = history.command("list", "history:list_", "the histories that are kept")
    formats(sub)
