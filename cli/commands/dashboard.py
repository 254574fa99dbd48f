"""`remit` without a command: the dashboard."""

from __future__ import annotations

import gc
import os
import sys
from argparse import Namespace
from pathlib import Path

from review import locations
from review.settings import load


def open_dashboard(args: Namespace) -> int:
    return run_app(args.store, args.org, detections=args.detections, readonly=args.readonly, mouse=not args.no_mouse)


def run_app(
    store: str | None,
    org: str | None,
    *,
    detections: str | None = None,
    readonly: bool = False,
    mouse: bool = True,
    tour: bool = False,
) -> int:
    """Open the dashboard; without a real terminal say what to use instead and exit with 2."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        print(
            "remit: the dashboard needs a terminal; use `remit tasks`, `remit show ID --plain` or --json instead", file=sys.stderr
        )
        return 2
    location = store or locations.default_store()
    if not locations.is_url(location) and not Path(location).exists():
        print(
            f"remit: no store at {location} yet. Import logs with `remit import PATH`, or look around with `remit demo`.",
            file=sys.stderr,
        )
        return 2
    return open_app(location, org, detections=detections, readonly=readonly, mouse=mouse, tour=tour)


def open_app(
    store: str, org: str | None, *, detections: str | None = None, readonly: bool = False, mouse: bool = True, tour: bool = False
) -> int:
    """Run the dashboard over a store, on whatever Textual's driver draws on."""
    settings = load().settings
    # What importing makes stays: looking for cycles among it would cost the first frame a tenth of its time.
    gc.disable()
    from review.desk import Desk
    from tui.app import RemitApp

    gc.freeze()
    gc.enable()
    desk = Desk(store, org, detections=detections, readonly=readonly or settings.readonly)
    try:
        RemitApp(desk, settings=settings, themes=locations.themes_dir(), tour=tour).run(mouse=mouse and settings.mouse)
    finally:
        if left := desk.close():
            print(f"remit: {left} accesses could not be written to the access journal; the store was busy", file=sys.stderr)
    return 0
