"""Integrity: are the bytes those that were written, and does everything point to something that is there?"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Table, exists, func, inspect, select

from store.blocks import open_block
from store.errors import StoreError
from store.human import Human
from store.journals import JOURNALS
from store.meta import Meta
from store.read import Reads
from store.schema import HEAD
from store.streams import streamed
from store.tables import (
    BLOCK,
    CREDENTIAL,
    CREDENTIAL_TASK,
    DROPPED_BLOCK,
    EVENT,
    EVENT_KEY,
    FINDING,
    METADATA,
    RECORD,
    RECORD_ALSO,
    REQUEST,
    SEARCH_DOC,
    SHAPE,
    SOURCE,
    STEP,
    TASK,
    TASK_BODY,
)

_REFERENCES: tuple[tuple[Table, str, tuple[Table, ...], str, str], ...] = (
    (RECORD, "source_id", (SOURCE,), "id", "records name a source"),
    (RECORD, "block_id", (BLOCK, DROPPED_BLOCK), "id", "records name a block of raw bytes"),
    (RECORD_ALSO, "id", (RECORD,), "id", "further places name a record"),
    (EVENT, "record_id", (RECORD,), "id", "events name a record"),
    (EVENT_KEY, "event_id", (EVENT,), "id", "keys name an event"),
    (TASK, "id", (TASK_BODY,), "task_id", "tasks name their content"),
    (STEP, "task_id", (TASK,), "id", "steps name a task"),
    (REQUEST, "step_id", (STEP,), "id", "requests name a step"),
    (REQUEST, "shape", (SHAPE,), "digest", "requests name their content"),
    (FINDING, "task_id", (TASK,), "id", "findings name a task"),
    (SEARCH_DOC, "task_id", (TASK,), "id", "searchable texts name a task"),
    (CREDENTIAL_TASK, "credential_id", (CREDENTIAL,), "id", "uses name a credential"),
)


class Checks(Human, Meta, Reads):
    """Questions about the store as a whole."""

    def info(self) -> dict[str, str | int | None]:
        """Where the store is, its schema, its pseudonym key's id, its size in bytes and its counts.

        None: not known, or told of no team alone.
        """
        return {
            "location": self.db.shown,
            "database": "sqlite" if self.db.sqlite else "postgresql",
            "schema": HEAD,
            "pseudonym_key": self.key_id(),
            "bytes": self._size(),
            **self.counts(),
        }

    def check(self) -> list[str]:
        """One sentence for each thing that is wrong; an empty list means the store is whole."""
        with self.db.read() as connection:
            self.db.whole(connection, "a store is checked")
            if lacking := _lacking(connection):
                return [*self._database(connection), *lacking]
            problems = [*self._database(connection), *_blocks(connection), *_references(connection), *_records(connection)]
            problems += _requests(connection)
        for name in JOURNALS:
            journal = self.verify_journal(name)
            if not journal.ok:
                problems.append(f"the {name} journal is altered: {journal.problem}")
        return problems

    def optimise(self) -> None:
        """Let PostgreSQL look at its rows again, so that it plans reads well; worth doing after much was written.

        SQLite is left alone: its plans follow the indexes, and averages over skewed columns would mislead it.
        """
        if not self.db.sqlite:
            with self.db.write() as connection:
                connection.exec_driver_sql("ANALYZE")

    def vacuum(self) -> None:
        """Give unused space back; nobody else may be writing."""
        self.db.outside_transaction("VACUUM")

    def _size(self) -> int:
        with self.db.read() as connection:
            if not self.db.sqlite:
                return int(connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())

    def _database(self, connection: Connection) -> Iterator[str]:
        if self.db.sqlite:
            said = connection.exec_driver_sql("PRAGMA integrity_check(10)").scalars().all()
            yield from (f"SQLite says: {line}" for line in said if line != "ok")


def _lacking(connection: Connection) -> list[str]:
    """What the schema has and the database does not: a copy that was restored in part, say, of which no row would tell."""
    told = inspect(connection).get_multi_columns()
    there = {name: {str(column["name"]) for column in columns} for (_, name), columns in told.items()}
    found = []
    for name, rows in sorted(METADATA.tables.items()):
        if name not in there:
            found.append(f"there is no table {name}; restore the store from a copy")
        elif lacking := [column.name for column in rows.columns if column.name not in there[name]]:
            found.append(f"the table {name} has no {', '.join(lacking)}; restore the store from a copy")
    return found


def _blocks(connection: Connection) -> Iterator[str]:
    wanted = select(BLOCK.c.id, BLOCK.c.size, BLOCK.c.digest, BLOCK.c.data).order_by(BLOCK.c.id)
    for row in streamed(connection, wanted, 16):
        try:
            open_block(row.id, row.size, bytes(row.digest), bytes(row.data))
        except StoreError as error:
            yield str(error)


def _references(connection: Connection) -> Iterator[str]:
    for source, column, targets, key, what in _REFERENCES:
        missing = [~exists(select(1).where(target.c[key] == source.c[column])) for target in targets]
        count = connection.execute(select(func.count()).select_from(source).where(*missing)).scalar_one()
        if count:
            yield f"{count} {what} that is not there; `remit store rebuild` derives everything anew from the evidence"


def _requests(connection: Connection) -> Iterator[str]:
    steps, requests = (connection.execute(select(func.count()).select_from(rows)).scalar_one() for rows in (STEP, REQUEST))
    if steps != requests:
        yield f"{steps} steps have {requests} requests; `remit store rebuild` derives everything anew from the evidence"


def _records(connection: Connection) -> Iterator[str]:
    c = RECORD.c
    beyond = (
        select(func.count())
        .select_from(RECORD)
        .join(BLOCK, BLOCK.c.id == c.block_id)
        .where(c.block_start + c.length > BLOCK.c.size)
    )
    count = connection.execute(beyond).scalar_one()
    if count:
        yield f"{count} records reach beyond the end of their block; restore the store from a copy"
    records = connection.execute(select(func.count(c.id.distinct()))).scalar_one()
    speaking = connection.execute(select(func.count()).where(c.speaks.is_(True))).scalar_one()
    if records != speaking:
        yield f"{abs(records - speaking)} records have no variant, or more than one, that speaks; restore the store from a copy"
    named = sum(len(events.split()) for events in streamed(connection, select(c.events).where(c.events != ""), 1_000).scalars())
    held = connection.execute(select(func.count()).select_from(EVENT)).scalar_one()
    if named != held:
        yield f"records name {named} events, the store holds {held}; `remit store rebuild --events` reads them anew"
