"""Keeps Python's collector of garbage from making the screen pause."""

from __future__ import annotations

import gc


def settle(*, anew: bool = False) -> None:
    """Leave what is in memory now out of later collections: each looks at every object, which stops all threads for a tenth of a second.

    `anew` where something large has taken the place of what was left out before: that is looked through once, to be freed.
    """
    if anew:
        gc.unfreeze()
        gc.collect()
    gc.freeze()
