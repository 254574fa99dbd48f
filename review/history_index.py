"""The history of requests as replay needs it, kept beside the store so that nobody reads every request again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from model.evidence import RequestRow
from policy import History
from review.workspace import Workspace

Read = Callable[[int], None]
"""Called now and then with the number of requests read so far; may raise to give the reading up."""

TOLD_EVERY = 5_000
"""Requests between two words of how far the reading of the history is."""


def open_history(work: Workspace, progress: Read | None = None) -> History:
    """Every request of the store as it stands now, for replay."""
    return History.from_rows(_told(work.store.requests(), progress))


def _told(rows: Iterator[RequestRow], progress: Read | None) -> Iterator[RequestRow]:
    for number, row in enumerate(rows, 1):
        if progress is not None and number % TOLD_EVERY == 0:
            progress(number)
        yield row
