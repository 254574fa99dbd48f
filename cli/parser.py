"""The program's parser: its own options here, those of every command in `cli.parsers`; importing this must stay cheap."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from cli.parsers import (
    bringing,
    finding,
    history,
    listing,
    opening,
    policy,
    report_room,
    reporting,
    reviewing,
    sealing,
    settings,
    store,
)
from cli.parsers.words import Parser, Place, common_options, size

DESCRIPTION = "Governance review of coding agents: what was this agent authorised to do, and did it stay inside that?"
EPILOG = "Without a command the dashboard opens. Exit codes: 0 fine, 1 --fail-on crossed, 2 usage or policy error, \
3 unreadable file or rejected record, 4 altered pack or journal, 130 interrupted."
# In the order of the help.
GROUPS = (opening, bringing, listing, finding, reviewing, policy, reporting, sealing, report_room, store, history, settings)


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    parser, place = _program()
    for group in GROUPS:
        group.declare(place)
    return parser


def parser_for(words: Sequence[str]) -> argparse.ArgumentParser:
    """A parser that knows the command these words name: declaring all of them is work that a dashboard's first frame waits for.

    Where they name none that is known, or ask for help, it knows every command, as what it then says needs them.
    """
    parser, place = _program()
    command = _command(words)
    for group in GROUPS if command is not None else ():
        if place.knows(command or ""):
            break
        group.declare(place)
    return parser


def _program() -> tuple[argparse.ArgumentParser, Place]:
    common = common_options()
    parser = Parser(prog="remit", description=DESCRIPTION, epilog=EPILOG, parents=[common])
    _own_options(parser)
    return parser, Place(parser, common, dest="command", metavar="COMMAND")


def _command(words: Sequence[str]) -> str | None:
    """The first word beside the program's own options: a command, "" for one that stands behind what is not known; None for none."""
    alone = argparse.ArgumentParser(parents=[common_options()], add_help=False, allow_abbrev=False, exit_on_error=False)
    _own_options(alone)
    try:
        _, left = alone.parse_known_args(words)
    except argparse.ArgumentError:
        return ""
    return None if not left else "" if left[0].startswith("-") else left[0]


def _own_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("--readonly", action="store_true", help="open the dashboard without the means to change anything")
    parser.add_argument("--no-mouse", action="store_true", help="open the dashboard without the mouse")
    parser.add_argument("--record", metavar="FILE", help="keep the keys of this sitting in a file, what is typed included")
    parser.add_argument(
        "--play", metavar="FILE", help="press the keys of a file; without a terminal print the screen they lead to"
    )
    parser.add_argument(
        "--size", metavar="WxH", type=size, default=(120, 40), help="the screen of --play without a terminal (120x40)"
    )
