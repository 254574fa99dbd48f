"""`remit watch`."""

from __future__ import annotations

import signal
import sys
from argparse import Namespace
from types import FrameType

from model.words import Severity
from review.derive.settings_stamp import require_organisation
from review.errors import RemitError
from review.intake.importing import Settings, mapping_from
from review.watch.alerting import Alerting, Channel, Command, Webhook
from review.watch.watching import Log, Watcher
from review.workspace import Workspace, open_workspace


def watch(args: Namespace) -> int:
    if "-" in args.paths:
        raise RemitError("watch looks at files again and again; standard input can be read once: name files or folders")
    if args.mapping and args.format:
        raise RemitError("--mapping and --format exclude each other: a mapping is a format")
    format = mapping_from(args.mapping) if args.mapping else args.format
    channels: list[Channel] = [*(Command(line) for line in args.alert_command), *(Webhook(url) for url in args.alert_webhook)]
    alerting = Alerting(channels, Severity(args.alert_severity), details=args.alert_details) if channels else None

    def open_() -> Workspace:
        work = open_workspace(args.store, args.org, detections=args.detections, create=True)
        require_organisation(work)
        return work

    figures, server = None, None
    if args.listen:
        from review.watch.watch_figures import Figures, address, serve

        host, port = address(args.listen)
        figures = Figures()
        server = serve(figures, host, port)
    log = Log(json=args.log == "json")
    watcher = Watcher(
        open_,
        args.paths,
        Settings(format, args.note),
        as_name=args.as_name,
        every=args.every,
        log=log,
        told=figures,
        alerting=alerting,
        existing=args.alert_existing,
    )

    def asked(number: int, frame: FrameType | None) -> None:
        if watcher.stopping.is_set():
            raise KeyboardInterrupt
        watcher.stop()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, asked)
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        # A terminal that closes asks for an end; without one it is what rotates logs that asks to reopen them, and every look does.
        # A service that the signal ended would not be begun again: to systemd that end is a clean one.
        signal.signal(signal.SIGHUP, asked if sys.stdin.isatty() or sys.stderr.isatty() else lambda *_: None)
    try:
        return watcher.run()
    finally:
        if server is not None:
            server.shutdown()
            server.server_close()
