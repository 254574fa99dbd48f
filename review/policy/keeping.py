"""The index of the history kept up to date where it is worth it. Nothing heavy is loaded here: each import asks for it."""

from __future__ import annotations

from review.workspace import Workspace

FEW = 20_000
"""Requests below which the index of the history is not worth keeping."""


LITTLE = 20
"""As many times as many requests as there are new events, and the next dry-run takes these up in no time."""


def keep_history(work: Workspace, events: int | None = None) -> None:
    """Bring the index of the history up to the store once much was written, so that the next dry-run need not.

    `events` says how many are new, where that is known: a little is left to the next dry-run.
    """
    if events is not None and work.store.has_requests(max(FEW, LITTLE * events)):
        return
    if work.store.has_requests(FEW):
        from review.policy.history_index import open_history  # it loads numpy, which most imports can do without

        open_history(work)
