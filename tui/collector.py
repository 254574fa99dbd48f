"""Keeps Python's collector of garbage from making the screen pause: a pass over everything stops all threads for a tenth of a second.

What stays for the whole sitting, modules above all, is left out of its passes; the rest is looked through where the screen rests.
"""

from __future__ import annotations

import gc
import sys

SELDOM = 1_000
"""Passes over younger objects before all are looked through unasked: `Resting` and `tidy` do it where the screen rests."""
MANY = 10
"""Passes over younger objects after which a screen at rest has the others looked through."""


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


class Resting:
    """What the collector does while nobody waits: to be called now and then at such a moment."""

    def __init__(self) -> None:
        gc.set_threshold(*gc.get_threshold()[:2], SELDOM)
        self._modules = 0

    def __call__(self) -> None:
        """Leave out what was loaded since, for it stays; else look through what came and may have gone."""
        if (loaded := len(sys.modules)) != self._modules:
            self._modules = loaded
            gc.freeze()
        elif gc.get_count()[2] >= MANY:
            gc.collect()
