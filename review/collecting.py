"""The cycle collector while millions of records stream by: they hold no cycles, and looking for some costs a sixth of the time."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_ALLOCATIONS = 200_000


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Collect seldom, and never look at what was there before; afterwards all is as it was."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
