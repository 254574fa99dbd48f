"""The commands that open the dashboard."""

from __future__ import annotations

import argparse

from cli.parsers.words import Place, formats, natural, positive


def declare(place: Place) -> None:
    sub = place.command("serve", "serving:serve", "open the dashboard in a browser on this machine")
    sub.add_argument("--port", type=natural, default=0, metavar="N", help="the port to listen at (default: any free one)")
    sub.add_argument("--readonly", action="store_true", default=argparse.SUPPRESS, help="without the means to change anything")

    sub = place.command("demo", "demo:demo", "make a demo store and open it; without a terminal print the summary")
    sub.add_argument("--tasks", type=positive, metavar="N", help="generate N tasks instead of the sample day")
    formats(sub, lines=False)
