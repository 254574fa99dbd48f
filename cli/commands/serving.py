"""`remit serve`: the dashboard in a browser on this machine."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from importlib.util import find_spec
from typing import Any

from cli.output import note
from review import locations
from review.errors import RemitError

_PROGRAM = "from cli.commands.serving import inside; inside()"


def serve(args: Namespace) -> int:
    """Serve until interrupted; the address is the only thing printed to standard output."""
    if find_spec("textual_serve") is None:
        raise RemitError("the browser is served by textual-serve, which is not installed: install remit[serve]")
    from review.sitting.desk import Desk
    from tui.web.gate import MINUTES
    from tui.web.server import loopback, run

    if args.port > 65535:
        raise RemitError(f"--port {args.port}: ports end at 65535")
    location = args.store or locations.default_store()
    # Opened once here, so that what is wrong with a store is said where the command was given.
    beside: dict[str, Any] = {
        "org": args.org,
        "detections": args.detections,
        "frameworks": args.frameworks_dir,
        "overrides": args.override or [],
    }
    desk = Desk(location, **beside, readonly=True)
    try:
        for problem in desk.work.library.problems:
            note(problem)
    finally:
        desk.close()
    try:
        listening = loopback(args.port)
    except OSError as error:
        raise RemitError(
            f"cannot listen at port {args.port} of this machine: {error.strerror}; choose another with --port"
        ) from error

    def tell(address: str) -> None:
        note(
            f"serving {desk.name} to this machine's own browser; the address works once, within {MINUTES} minutes; ctrl+c ends it"
        )
        print(address, flush=True)

    given = json.dumps({"store": location, **beside, "readonly": args.readonly})
    asyncio.run(run([sys.executable, "-P", "-c", _PROGRAM, given], listening, f"remit {desk.name}", tell))
    return 0


def inside() -> None:
    """The process of one tab: the dashboard, drawn through pipes."""
    from cli.commands.dashboard import open_app

    sys.exit(open_app(**json.loads(sys.argv[1])))
