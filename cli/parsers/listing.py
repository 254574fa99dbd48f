"""What lists the evidence as a whole: posture, sources, points, coverage, credentials."""

from __future__ import annotations

from cli.parsers.words import Place, formats, positive


def declare(place: Place) -> None:
    sub = place.command(
        "overview",
        "overview:overview",
        "posture in figures: governed share, findings over time, coverage, what waits, what is new",
    )
    sub.add_argument(
        "--days", type=positive, default=14, metavar="N", help="days told of (hours, where the evidence has few days)"
    )
    sub.add_argument("--visit", action="store_true", help="count this as a visit: the next one tells what is new since")
    formats(sub, lines=False)

    for name, help in (
        ("sources", "what was imported, reconciled record by record"),
        ("points", "the registry of enforcement points: when seen, whether expected, in which versions"),
        ("baselines", "what each agent usually does in each repository: rates, bursts, tools, decision distance"),
        ("identities", "principals seen, with their aliases and which others may be one with them"),
    ):
        formats(place.command(name, f"listing:{name}", help))

    sub = place.command("coverage", "listing:coverage", "which enforcement point was observed when, and what share was governed")
    sub.add_argument(
        "--by",
        choices=("agent", "team", "week", "point", "key"),
        help="sums: the governed share, each point's silences, or the keys that identify nothing",
    )
    formats(sub)

    sub = place.command(
        "conformance", "listing:conformance", "where an enforcement point did another thing than its own policy says"
    )
    sub.add_argument(
        "--counts", action="store_true", help="each policy in force, and how many steps agree, differ or cannot be judged"
    )
    formats(sub)

    sub = place.command("credentials", "listing:credentials", "credential lifelines, or one of them step by step")
    sub.add_argument("id", nargs="?", metavar="ID", help="the lifeline of this credential: an id or its unique beginning")
    formats(sub)
