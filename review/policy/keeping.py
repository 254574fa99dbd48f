"""The index of the history kept up to date where it is worth it. Nothing heavy is loaded here: each import asks for it."""

from __future__ import annotations

from review.workspace import Workspace

FEW = 20_000
"""Requests below which the index of the history is not worth keeping."""


def keep_history(work: Workspace) -> None:
    """Bring the index of the history up to the store once much was written, so that the next dry-run need not."""
    if work.store.has_requests(FEW):
        from review.policy.history_index import open_history  # it loads numpy, which most imports can do without

        open_history(work)
