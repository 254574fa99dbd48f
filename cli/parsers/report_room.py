"""What the commands of the report room take: `controls` and `sign-off`."""

from __future__ import annotations

import argparse

from cli.parsers.words import Place, formats


def declare(place: Place) -> None:
    sub = place.command(
        "controls", "report_room:controls", "how controls come out, as a report would tell them; or one of them whole"
    )
    sub.add_argument("control", nargs="?", metavar="CONTROL", help="this control with its findings and what was attested of it")
    _period(sub)
    sub.add_argument("--result", metavar="WORDS", help="only controls with this result, e.g. 'insufficient evidence'")
    formats(sub)
    sub = place.command("sign-off", "report_room:sign_off", "sign the review off; without --text show what would be signed")
    sub.add_argument("--text", metavar="TEXT", help='sign, with these words behind the statement ("" adds none)')
    sub.add_argument("--reviewer", metavar="WHO", help="kept as asserted beside the identity that acts")
    _period(sub)
    formats(sub, lines=False)


def _period(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--framework", action="append", default=[], metavar="ID", help="repeat for several (see `remit frameworks`)")
    sub.add_argument("--from", dest="start", default="", metavar="T", help="beginning of the period")
    sub.add_argument("--to", dest="end", default="", metavar="T", help="end of the period")
    sub.add_argument("--as-of", default="", metavar="T", help="what was known at T (default: the last evidence time)")
