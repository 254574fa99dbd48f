"""Keeps Python's collector of garbage from making the screen pause: a pass over everything stops all threads for a tenth of a second."""

from __future__ import annotations

import gc

SELDOM = 1_000
"""Passes over younger objects before all are looked through unasked: `tidy` does it where the screen rests."""


def settle(*, anew: bool = False) -> None:
    """Leave what is in memory now out of later passes.

    `anew` where something large has taken the place of what was left out before: that is looked through once, to be freed.
    """
    if anew:
        gc.unfreeze()
        gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], SELDOM)


def tidy(*, first: bool) -> None:
    """Look through what came since; the `first` time that is mostly there to stay."""
    gc.collect()
    if first:
        gc.freeze()
