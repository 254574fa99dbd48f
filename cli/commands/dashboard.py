"""`remit` without a command: the dashboard."""

from __future__ import annotations

import gc
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lang.counted import count
from review import locations
from review.settings import load

if TYPE_CHECKING:
    from review.sitting.desk import Desk
    from tui.app import RemitApp
    from tui.first_frame import Standing


def open_dashboard(args: Namespace) -> int:
    return run_app(args, args.store, args.org, detections=args.detections)


def run_app(args: Namespace, store: str | None, org: str | None, *, detections: str | None = None, tour: bool = False) -> int:
    """Open the dashboard; without a real terminal say what to use instead and exit with 2, unless keys are to be played."""
    seen = sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    if not seen and args.play is None:
        print(
            "remit: the dashboard needs a terminal; use `remit tasks`, `remit show ID --plain` or --json instead", file=sys.stderr
        )
        return 2
    location = store or locations.default_store()
    if not locations.is_url(location) and not Path(location).exists() and not _made(location, args.readonly):
        print(
            f"remit: no store at {locations.shown(location)} yet. Import logs with `remit import PATH`, or look around with `remit demo`.",
            file=sys.stderr,
        )
        return 2
    run = partial(_played, args, seen=seen) if args.play or args.record else _shown
    mouse = not args.no_mouse
    return open_app(
        location,
        org,
        detections=detections,
        frameworks=args.frameworks_dir,
        overrides=args.override or (),
        readonly=args.readonly,
        mouse=mouse,
        tour=tour and seen,
        seen=seen,
        run=run,
    )


def _made(location: str, readonly: bool) -> bool:
    """On a first run, an empty store in the default place: its dashboard says how to begin. A place that was named is no first run."""
    if readonly or location != locations.first_store():
        return False
    from review.workspace import open_workspace

    open_workspace(location, create=True).close()
    return True


def _shown(app: RemitApp, mouse: bool) -> int:
    app.run(mouse=mouse)
    return app.return_code or 0


def _played(args: Namespace, app: RemitApp, mouse: bool, *, seen: bool) -> int:
    """Play keys, record them, or both; without a terminal print the screen they lead to."""
    from tui.playing import Recorder, play_unseen, player, read_keys

    keys = read_keys(Path(args.play)) if args.play else None
    if not seen:
        print(play_unseen(app, keys or [], args.size), end="")
        return 0
    with closing(Recorder(Path(args.record))) if args.record else nullcontext() as app.record:
        app.run(mouse=mouse, auto_pilot=player(keys) if keys is not None else None)
    return app.return_code or 0


def open_app(
    store: str,
    org: str | None,
    *,
    detections: str | None = None,
    frameworks: str | None = None,
    overrides: Sequence[str] = (),
    readonly: bool = False,
    mouse: bool = True,
    tour: bool = False,
    seen: bool = False,
    run: Callable[[RemitApp, bool], int] = _shown,
) -> int:
    """Run the dashboard over a store, on whatever Textual's driver draws on; `run` has it with whether the mouse is wanted.

    Where it is `seen` on a terminal, the first rows stand there before Textual is imported.
    """
    settings = load().settings
    # What importing makes stays: looking for cycles among it would cost the first frame a tenth of its time.
    gc.disable()
    from review.sitting.desk import Desk

    desk = Desk(
        store,
        org,
        detections=detections,
        frameworks=frameworks,
        overrides=overrides,
        readonly=readonly or settings.readonly,
        told=lambda said: print(f"remit: {said}", file=sys.stderr, flush=True),
    )
    try:
        with _first_frame(desk, settings.start) if seen else nullcontext() as standing:
            from tui.app import RemitApp

            gc.freeze()
            gc.enable()
            app = RemitApp(desk, settings=settings, themes=locations.themes_dir(), tour=tour, standing=standing)
            return run(app, mouse and settings.mouse)
    finally:
        if left := desk.close():
            told = (
                f"{count(left, 'line')} of the access journal could not be written: the store was busy, or cannot be written to"
            )
            print(f"remit: {told}", file=sys.stderr)


def _first_frame(desk: Desk, place: str) -> AbstractContextManager[Standing | None]:
    from tui.first_frame import first_frame

    return first_frame(desk, place)
