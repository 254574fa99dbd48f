"""The listings' part of a desk: sources, coverage and credentials, which over a large store take long and hold up nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from review.workspace import Workspace

Doc = dict[str, Any]


class ListingSeat:
    """What a desk reads whole. No reading waits for another: the store has one writer and many readers."""

    _lock: threading.RLock
    _apart: set[int]
    """The threads that read a listing."""

    if TYPE_CHECKING:

        @property
        def work(self) -> Workspace: ...

    def sources(self) -> list[Doc]:
        from review.intake.sources import sources

        with self._aside() as work:
            return sources(work)

    def coverage(self) -> list[Doc]:
        return self._listing("coverage")

    def coverage_by(self, by: str) -> list[Doc]:
        """The governed share by agent, team or week."""
        from review.show.shares import coverage_by

        with self._aside() as work:
            return coverage_by(work, by)

    def credentials(self) -> list[Doc]:
        return self._listing("credentials")

    def _listing(self, name: str) -> list[Doc]:
        from review.show import listings

        read: Callable[[Workspace], Iterable[Doc]] = getattr(listings, name)
        with self._aside() as work:
            return list(read(work))

    def _begin_listings(self) -> None:
        self._apart = set()

    @contextmanager
    def _aside(self) -> Iterator[Workspace]:
        """The workspace for a listing that may take long; it ends where the desk is left."""
        with self._lock:
            work = self.work
        reading = threading.get_ident()
        self._apart.add(reading)
        try:
            yield work
        finally:
            self._apart.discard(reading)

    def _end_listings(self) -> None:
        """Stop what reads a listing: between two of its questions there is nothing to stop, so more than once."""
        for _ in range(100):
            if not self._apart:
                return
            self.work.store.interrupt(tuple(self._apart))
            time.sleep(0.02)
