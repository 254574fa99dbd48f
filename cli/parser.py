"""The program's parser: its own options here, those of every command in `cli.parsers`; importing this must stay cheap."""

from __future__ import annotations

import argparse
from functools import cache

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


@cache
def build_parser() -> argparse.ArgumentParser:
    common = common_options()
    parser = Parser(prog="remit", description=DESCRIPTION, epilog=EPILOG, parents=[common])
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
    place = Place(parser, common, dest="command", metavar="COMMAND")
    for group in GROUPS:
        group.declare(place)
    return parser
