"""What brings evidence in and carries it out: `import`, `export`, `watch`."""

from __future__ import annotations

from cli.parsers.words import Place, formats, seconds


def declare(place: Place) -> None:
    sub = place.command("import", "importing:run_import", "import audit logs and build the chains")
    sub.add_argument(
        "paths",
        nargs="+",
        metavar="PATH|DIR|GLOB|URL|-",
        help="what to import, also s3://bucket/prefix/ (docs/lake.md); - is standard input",
    )
    sub.add_argument("--format", metavar="ID", help="read as this format instead of recognising it (see `remit formats`)")
    sub.add_argument("--mapping", metavar="FILE", help="read by a mapping of yours (see docs/mapping.md)")
    sub.add_argument("--as", dest="as_name", metavar="NAME", help="the name to record for the source")
    sub.add_argument("--note", default="", metavar="TEXT", help="how the log was extracted, for the auditor")
    sub.add_argument("--follow", action="store_true", help="keep reading what is written to the files, until interrupted")
    sub.add_argument("--preview", action="store_true", help="show what would be read; write nothing")
    formats(sub, lines=False)

    sub = place.command(
        "export", "exporting:export", "events and requests as Parquet files by day, for any engine (docs/lake.md)"
    )
    sub.add_argument("--parquet", required=True, metavar="DIR", help="a new folder, or that of an earlier export")
    sub.add_argument("--kind", choices=("events", "requests"), help="one of them (default: both)")
    sub.add_argument("--from", dest="start", metavar="DAY", help="the first day, as 2026-03-17")
    sub.add_argument("--to", dest="end", metavar="DAY", help="the last day")
    formats(sub, lines=False)

    _watch(place)


def _watch(place: Place) -> None:
    sub = place.command("watch", "watching:watch", "import unattended for as long as the machine runs: metrics, health, alerts")
    sub.add_argument("paths", nargs="+", metavar="PATH|DIR|GLOB|URL", help="what to watch")
    sub.add_argument("--every", type=seconds, default=1.0, metavar="SECONDS", help="between two looks (default 1)")
    sub.add_argument("--format", metavar="ID", help="read as this format instead of recognising it")
    sub.add_argument("--mapping", metavar="FILE", help="read by a mapping of yours (see docs/mapping.md)")
    sub.add_argument("--as", dest="as_name", metavar="NAME", help="the name to record for the source")
    sub.add_argument("--note", default="", metavar="TEXT", help="how the log was extracted, for the auditor")
    sub.add_argument(
        "--listen", metavar="HOST:PORT", help="serve /metrics (Prometheus) and /health on loopback, as 127.0.0.1:9464"
    )
    sub.add_argument(
        "--alert-command",
        action="append",
        default=[],
        metavar="COMMAND",
        help="run for each new finding, given as JSON on its input",
    )
    sub.add_argument(
        "--alert-webhook",
        action="append",
        default=[],
        metavar="URL",
        help="post each new finding to as JSON; REMIT_WEBHOOK_TOKEN is sent as bearer token",
    )
    sub.add_argument(
        "--alert-severity",
        choices=("critical", "high", "medium", "low"),
        default="critical",
        help="alert from this severity on (default critical)",
    )
    sub.add_argument("--alert-details", action="store_true", help="alerts name people, repositories and reasons too")
    sub.add_argument("--alert-existing", action="store_true", help="alert to what the store held before the first watch, too")
    sub.add_argument("--log", choices=("json", "text"), default="json", help="how lines on standard error are written")
