"""The history of requests as replay needs it, kept in files so that nobody reads every request again.

The database counts its requests per task, shape, answer and day; the requests themselves stay where they are. What it
counted lies as an index of plain files beside a SQLite store, or in the data directory for a database. The index names
the store's mark it stands for: one that stands for another state is brought up to date task by task, or made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from policy import History, HistoryStale
from policy.grouping import GroupBuilder
from policy.merging import merged
from review import locations
from review.policy.keeping import FEW
from review.workspace import Workspace
from store import Store
from store.shapes import RequestCell, RequestView

Read = Callable[[int], None]
"""Called now and then with the number of requests read so far; may raise to give the reading up."""

_MANY = 5_000
"""Shapes asked for from which all of them are read in one go."""


def open_history(work: Workspace, progress: Read | None = None, *, keep_from: int = FEW) -> History:
    """Every request of the store as it stands now, for replay; from the index where it is good.

    The index of a history of `keep_from` requests or more is left up to date where it may be written.
    """
    folder = index_folder(work)
    history, fresh = _current(work.store, folder, progress)
    if fresh and history.state and history.requests >= keep_from:
        with suppress(OSError, HistoryStale):  # no room or no right to write: the next one counts again
            history.save(folder, _mode(work))
            history = History.load(folder)
    history.fetch = work.store.requests_of
    return history


def history_of(work: Workspace, tasks: Sequence[str]) -> History:
    """The requests of some tasks alone."""
    with work.store.request_view() as view:
        history = _built(view, view.cells(tasks), "", None)
    history.fetch = work.store.requests_of
    return history


def index_folder(work: Workspace) -> Path:
    """Where the index of a store lies; of one divided by team, that of what this login sees."""
    if locations.is_url(work.location):
        teams = work.store.sees()
        of = locations.shown(work.location) if teams is None else "\n".join((locations.shown(work.location), *teams))
        return locations.data_dir() / "history" / sha256(of.encode()).hexdigest()[:16]
    return Path(f"{work.location}.history")


def _mode(work: Workspace) -> int:
    """The index may be read by whoever may read the store."""
    return 0o600 if locations.is_url(work.location) else Path(work.location).stat().st_mode & 0o666 | 0o600


def _current(store: Store, folder: Path, progress: Read | None) -> tuple[History, bool]:
    """The history as it stands, and whether it had to be made or changed."""
    kept: History | None = None
    with suppress(HistoryStale):
        kept = History.load(folder)
    with store.request_view() as view:
        mark = view.mark()
        if kept is not None and mark and kept.state == mark:
            return kept, False
        changed = view.changed_since(kept.state) if kept is not None else None
        if kept is None or changed is None or len(changed) * 2 > len(kept.tasks):
            return _built(view, view.cells(), mark, progress), True
        changes = _built(view, view.cells(changed), "", progress, among=True)
        return merged(kept, changed, changes, mark), True


def _built(
    view: RequestView, parts: Iterator[list[RequestCell]], mark: str, progress: Read | None, *, among: bool = False
) -> History:
    """The history of these cells; `among` many others, whose shapes nobody needs."""
    builder, read = GroupBuilder(), 0
    for cells in parts:
        builder.add(cells)
        read += sum(cell[3] for cell in cells)
        if progress is not None:
            progress(read)
    return builder.build(lambda names: view.shapes(None if len(names) > _MANY and not among else list(names)), mark)
