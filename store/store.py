"""The door: `open_store` gives a Store, which joins what the other modules of this room do."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from types import TracebackType

from sqlalchemy.exc import SQLAlchemyError

from store.alerts import Alerts
from store.alone import Turns
from store.bookmarks import Bookmarks
from store.check import Checks
from store.claims import Claims
from store.derived import Derived
from store.engine import Database
from store.errors import StoreError
from store.evidence import Evidence
from store.figures import Figures
from store.fingerprints import Fingerprints
from store.index import EventReads
from store.lake import Lakes
from store.migrate import bring_up
from store.population import Population
from store.posture import Posture
from store.pulse import Pulses
from store.queue import Queue
from store.retention import Retention
from store.schema import HEAD
from store.shapes import Shapes
from store.sharing import VIEW_SECONDS
from store.tallies import Tallies
from store.teams import Teams
from store.walks import Walks


class Store(
    Evidence,
    Alerts,
    Turns,
    Bookmarks,
    Derived,
    EventReads,
    Claims,
    Tallies,
    Figures,
    Population,
    Posture,
    Queue,
    Retention,
    Shapes,
    Walks,
    Teams,
    Pulses,
    Fingerprints,
    Lakes,
    Checks,
):
    """Everything that was imported, what follows from it, and what people said of it. Safe to share between threads."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @property
    def location(self) -> str:
        """Path or URL, without a password."""
        return self.db.shown

    @property
    def readonly(self) -> bool:
        """Whether this Store may write nothing."""
        return self.db.readonly

    @property
    def names_roles(self) -> bool:
        """Whether the database itself says who acts; a SQLite file believes whoever writes to it."""
        return not self.db.sqlite

    def together(self) -> AbstractContextManager[None]:
        """Every write of this thread until the end as one transaction."""
        return self.db.together()

    def viewing(self, seconds: float = VIEW_SECONDS) -> AbstractContextManager[None]:
        """Reads of this thread until the end share a view, taken anew behind each of its writes and every few `seconds`."""
        return self.db.viewing(seconds)

    def interrupt(self, threads: Collection[int] | None = None) -> None:
        """Stop every read of this Store that is under way in other threads, or in these; each raises Interrupted there."""
        self.db.interrupt(threads)

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_store(url: str, *, create: bool = True, readonly: bool = False) -> Store:
    """Open the store at a path or database URL, making it, or bringing an older one up to date, when `create` is set.

    Raises StoreError with what to do when it cannot be opened, is not ours, or was written by a newer Remit.
    """
    db = Database(url, create=create, readonly=readonly)
    try:
        bring_up(db, create=create)
        db.schema = HEAD
    except SQLAlchemyError as error:
        db.close()
        raise StoreError(f"cannot open the store {db.shown}: {error}") from error
    except StoreError:
        db.close()
        raise
    return Store(db)
