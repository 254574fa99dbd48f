"""Puts a finished pack where it belongs, so that whatever ends the process, a whole one is found there or beside it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

EARLIER = "earlier"


def publish(stage: Path, out: Path) -> None:
    """Move the finished folder `stage` to `out`; an earlier pack there is moved aside whole, back again where that fails.

    No link in it is followed. What ends the process between the two moves leaves both beside `out`, in the folder that holds
    `stage`: `recover` finds the earlier one.
    """
    if not out.exists():
        stage.rename(out)
        return
    shutil.copymode(out, stage)
    aside = stage.with_name(EARLIER)
    try:
        out.rename(aside)
        stage.rename(out)
    except BaseException:
        if aside.exists() and not out.exists():
            aside.rename(out)
        raise


def recover(out: Path) -> None:
    """Put back an earlier pack that a process moved aside and, ended by force, could not replace; clear what it left.

    Only what lies in folders of the name that packs are made in is looked at; where `out` is there, nothing is.
    """
    if out.exists() or not out.parent.is_dir():
        return
    for held in sorted(out.parent.glob(f".{_plain(out.name)}.*")):
        aside = held / EARLIER
        if aside.is_dir() and not aside.is_symlink():
            aside.rename(out)
            with suppress(OSError):
                shutil.rmtree(held)
            return


def _plain(name: str) -> str:
    """A name of which no character is a pattern's."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)
