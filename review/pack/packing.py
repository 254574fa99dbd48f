"""The process of a pack that `review.pack.pack_run` starts: it reads the store, writes the pack and tells how far it is."""

from __future__ import annotations

import _thread
import signal
import time
from pathlib import Path
from typing import IO, Any

import msgspec

from review.child import send, serve
from review.errors import RemitError, foreseen

EVERY = 0.1
"""Seconds between two words about progress."""

Doc = dict[str, Any]


def main() -> None:
    """Write the pack the desk asks for."""
    # To stop it is to interrupt it, so that what it had begun to write is cleared away; a shell may have had it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    serve(_run, _thread.interrupt_main)


def _run(asked: Doc, out: IO[bytes]) -> None:
    # Loading what it needs takes longer than anything else at first: a stop may come then as well.
    try:
        _told(asked, out)
    except KeyboardInterrupt:
        send(out, {"error": "it was stopped, and nothing of it stays"})


def _told(asked: Doc, out: IO[bytes]) -> None:
    from store import StoreError

    try:
        send(out, {"files": _write(asked, out), "phase": "done"})
    except (RemitError, StoreError) as error:
        known = foreseen(error)
        send(out, {"error": known[0] if known else str(error)})


def _write(asked: Doc, out: IO[bytes]) -> list[str]:
    """Write it; the names of its files."""
    from review.pack.pack_wish import PackWish
    from review.pack.packs import export_pack, write_pack
    from review.pack.signing import signing_key
    from review.workspace import open_workspace

    told = 0.0

    def heed(phase: str, done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now >= told or done == total:
            told = now + EVERY
            send(out, {"phase": phase, "done": done, "total": total})

    key = signing_key(Path(asked["key"]).expanduser(), lambda question: str(asked["passphrase"])) if asked["key"] else None
    send(out, {"phase": "reading the store"})
    wish = msgspec.convert(asked["wish"], PackWish)
    with open_workspace(
        asked["store"],
        asked["org"],
        detections=asked["detections"],
        frameworks=asked["frameworks_dir"],
        overrides=asked["overrides"],
        readonly=True,
    ) as work:
        if asked["noted"]:
            manifest, _ = export_pack(work, Path(asked["folder"]), wish, sign=key, heed=heed)
        else:
            manifest = write_pack(work, Path(asked["folder"]), wish, sign=key, heed=heed)
    return sorted(str(one["path"]) for one in manifest["files"])
