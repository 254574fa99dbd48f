"""`remit store` and its actions."""

from __future__ import annotations

from cli.parsers.words import Place, formats


def declare(place: Place) -> None:
    store = place.group("store", "look after the store")
    for name, help in (
        ("info", "what the store holds"),
        ("check", "check digests, references and the journal"),
        ("migrate", "bring the store to this version's schema"),
        ("rebuild", "build every derived row again from the evidence"),
        ("export", "print the derived content as JSON lines, or write the review of a task as a file"),
    ):
        sub = store.command(name, f"store:{name}", help)
        if name == "rebuild":
            sub.add_argument("--events", action="store_true", help="also read the kept raw records again")
        if name == "export":
            sub.add_argument(
                "--task", metavar="ID", help="the review of this task: evidence, verdicts, comments, journal excerpt"
            )
            sub.add_argument("--out", metavar="FILE", help="where the review goes, instead of standard output")
        formats(sub, lines=name == "export")
    sub = store.command(
        "retain",
        "store:retain",
        "let raw records go that are older than a moment; their digests, places and all that was derived from them stay",
    )
    sub.add_argument("--before", metavar="T", required=True, help="the moment, such as 2026-01-31")
    sub.add_argument("--dry-run", action="store_true", help="only say what would go")
    formats(sub, lines=False)
    sub = store.command("import", "store:take_in", "take in the review of a task that another store exported")
    sub.add_argument("file", metavar="FILE", help="what `remit store export --task` wrote")
    formats(sub, lines=False)
    sub = store.command("roles", "store:roles", "who may do what in a team's PostgreSQL store")
    what = sub.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="every login with its roles (the default)")
    what.add_argument(
        "--grant", nargs=2, metavar=("ROLE", "USER"), help="reader, reviewer, author, importer or administrator to a login"
    )
    what.add_argument("--revoke", nargs=2, metavar=("ROLE", "USER"), help="take a role away")
    sub.add_argument("--print", action="store_true", help="print the SQL instead of running it")
    formats(sub, lines=False)
    sub = store.command("teams", "store:teams", "whose tasks a reader sees in a team's PostgreSQL store")
    what = sub.add_mutually_exclusive_group()
    what.add_argument("--on", action="store_true", help="have each reader see the tasks of its teams alone")
    what.add_argument("--off", action="store_true", help="have every reader see everything again")
    what.add_argument(
        "--grant",
        nargs=2,
        metavar=("TEAM", "USER"),
        help="show a login a team's tasks; - for those of no team, '*' for everything",
    )
    what.add_argument("--revoke", nargs=2, metavar=("TEAM", "USER"), help="show them no longer")
    formats(sub, lines=False)
