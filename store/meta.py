"""Small facts a store keeps about itself: the pseudonym key's id, the number of builds begun, whatever a build wants to remember."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select

from store.engine import Database
from store.errors import StoreError
from store.tables import EVENT, META

_EPOCH = "epoch"
_BUILT = "built"
_BUILDING = "building"
_KEY_ID = "pseudonym_key"


def read_meta(connection: Connection, key: str) -> str | None:
    found = connection.execute(select(META.c.value).where(META.c.key == key)).scalar()
    return None if found is None else str(found)


def write_meta(connection: Connection, key: str, value: str) -> None:
    connection.execute(delete(META).where(META.c.key == key))
    connection.execute(insert(META).values(key=key, value=value))


def epoch(connection: Connection) -> int:
    """How many builds have begun; what is new is marked with this number, so that a build clears only what it saw."""
    return int(read_meta(connection, _EPOCH) or 0)


def next_epoch(connection: Connection) -> int:
    number = epoch(connection) + 1
    write_meta(connection, _EPOCH, str(number))
    return number


def built(connection: Connection) -> int:
    """Number of the last event that a finished build has seen."""
    return int(read_meta(connection, _BUILT) or 0)


def next_event(connection: Connection) -> int:
    """The number of the next event: beyond every event, and beyond what a build has seen, even where that is gone."""
    last = connection.execute(select(func.max(EVENT.c.seq))).scalar() or 0
    seen = connection.execute(select(META.c.value).where(META.c.key.in_((_BUILT, _BUILDING)))).scalars()
    return max([last, *(int(number) for number in seen)]) + 1


def begin_build(connection: Connection) -> tuple[int, int]:
    """Numbers of the events a build has to look at: those after the first up to the second."""
    last = next_event(connection) - 1
    write_meta(connection, _BUILDING, str(last))
    return built(connection), last


def end_build(connection: Connection) -> None:
    write_meta(connection, _BUILT, read_meta(connection, _BUILDING) or "0")


def unbuild(connection: Connection) -> None:
    """Have the next build look at every event."""
    connection.execute(delete(META).where(META.c.key == _BUILT))


class Meta:
    """Facts about the store itself."""

    db: Database

    def get_meta(self, key: str) -> str | None:
        """A fact kept under a name of the caller's, None where there is none."""
        with self.db.read() as connection:
            return read_meta(connection, f"app.{key}")

    def set_meta(self, key: str, value: str) -> None:
        """Keep a fact under a name of the caller's, in place of an earlier one."""
        with self.db.write() as connection:
            write_meta(connection, f"app.{key}", value)

    def key_id(self) -> str | None:
        """Id of the pseudonym key this store's secrets were replaced with, None before the first import."""
        with self.db.read() as connection:
            return read_meta(connection, _KEY_ID)

    def bind_key(self, key_id: str) -> None:
        """Bind the store to a pseudonym key by its id; raises StoreError where it is bound to another."""
        held = self.key_id()
        if held == key_id:
            return
        if held is None:
            with self.db.write() as connection:
                held = read_meta(connection, _KEY_ID)
                if held is None:
                    write_meta(connection, _KEY_ID, key_id)
                    return
        if held != key_id:
            raise StoreError(
                f"{self.db.shown} was filled with another pseudonym key (id {held}, yours is {key_id}), so equal secrets would not "
                "join; set REMIT_PSEUDONYM_KEY to the key it was made with, or import into a new store"
            )
