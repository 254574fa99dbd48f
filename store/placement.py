"""Where the rows of each table lie when PostgreSQL distributes them over machines by hash, as Citus and its like do.

A unique key that lacks the column its table is distributed by cannot be kept, and a question without that column is asked of
every machine. Evidence lies by record, what follows from it and what people say of it by task, small tables on every
machine; `docs/citus.sql` is written from here by `make schema`, and a test holds it against the declared tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from sqlalchemy import MetaData

from store.schema import HEAD, VERSION_TABLE

SEARCH_TABLE = "search_fts"


class Place(NamedTuple):
    """`column` is what rows are spread by, with those of table `beside`; `widened` means that the primary key takes it in as well."""

    column: str
    beside: str = ""
    widened: bool = False


Spread = Place | Literal["everywhere", "one"]
"""Rows spread by a column, a copy on every machine, or all on the one that is connected to."""

PLACES: dict[str, Spread] = {
    # A record's id is a digest: of its format's own id, else of its bytes. The rule that of several bytes under one id the
    # smallest digest speaks asks for all of an id, so they lie together; the key (id, digest) holds the column.
    "record": Place("id"),
    "record_also": Place("id", "record"),
    "block": Place("id"),
    "dropped_block": Place("id", "block"),
    "reject": Place("source_id"),
    "event": Place("id", widened=True),
    "sequence_break": Place("event_id", "event"),
    "word_pair": Place("event_id", "event"),
    "event_key": Place("name"),
    "sighting": Place("point"),
    "scope_alias": Place("name"),
    "scope_edge": Place("a", "scope_alias"),
    "task": Place("id"),
    "task_body": Place("task_id", "task"),
    "step": Place("task_id", "task", widened=True),
    "request": Place("task_id", "task"),
    "tally": Place("task_id", "task"),
    "claim": Place("task_id", "task", widened=True),
    "conformance": Place("task_id", "task"),
    "point_version": Place("task_id", "task"),
    "task_team": Place("task_id", "task"),
    "finding": Place("task_id", "task", widened=True),
    "credential_task": Place("task_id", "task"),
    "search_doc": Place("task_id", "task", widened=True),
    "verdict": Place("task_id", "task", widened=True),
    "statement": Place("task_id", "task", widened=True),
    "credential": Place("id"),
    SEARCH_TABLE: Place("rowid"),
    "accepted_risk": "everywhere",
    "alert": "everywhere",
    "bookmark": "everywhere",
    "clock_sum": "everywhere",
    "coverage": "everywhere",
    "credential_sum": "everywhere",
    "dirty_key": "everywhere",
    "dirty_point": "everywhere",
    "dirty_task": "everywhere",
    "finding_sum": "everywhere",
    "heard": "everywhere",
    "meta": "everywhere",
    "point": "everywhere",
    "policy_in_force": "everywhere",
    "policy_version": "everywhere",
    "risk_sum": "everywhere",
    "shape": "everywhere",
    "share_sum": "everywhere",
    "source": "everywhere",
    "source_file": "everywhere",
    "step_change": "everywhere",
    "team_sight": "everywhere",
    # Each entry follows from the one before it, which a trigger sees to: they stay where one lock sees them all.
    "access_journal": "one",
    "journal": "one",
    VERSION_TABLE: "one",
}


def unplaced(metadata: MetaData) -> list[str]:
    """What is wrong with the places of these tables, one sentence each: no place, a key that cannot be kept, a column that is not."""
    found = []
    for name, table in sorted(metadata.tables.items()):
        place = PLACES.get(name)
        if place is None:
            found.append(f"table {name} has no place: say in store.placement where its rows lie")
        if not isinstance(place, Place):
            continue
        if place.column not in table.columns:
            found.append(f"table {name} has no column {place.column}, by which it is to be distributed")
            continue
        if (place.column in table.primary_key.columns) == place.widened:
            found.append(
                f"the primary key of {name} {'holds' if place.widened else 'lacks'} {place.column}, by which it is distributed"
            )
        for index in table.indexes:
            if index.unique and place.column not in index.columns:
                found.append(f"the unique index {index.name} lacks {place.column}, by which {name} is distributed")
    return found


def script(metadata: MetaData) -> str:
    """The statements that distribute a store of today's schema."""
    return "\n".join(_script(metadata)) + "\n"


def _script(metadata: MetaData) -> Iterator[str]:
    yield f"-- Distributes a Remit store of schema {HEAD} over the machines of a Citus cluster; see docs/postgresql.md."
    yield "-- Written by `make schema` from store/placement.py. Run it once, by whoever owns the tables, before the store is large."
    yield "BEGIN;"
    yield "-- The triggers that keep what people left behind look at no row of another machine."
    yield "SET LOCAL citus.enable_unsafe_triggers TO on;"
    for name, place in PLACES.items():
        if place == "everywhere":
            yield f"SELECT create_reference_table('{name}');"
    for name, place in PLACES.items():
        if not isinstance(place, Place):
            continue
        if place.widened:
            keys = ", ".join((*(column.name for column in metadata.tables[name].primary_key), place.column))
            yield f"ALTER TABLE {name} DROP CONSTRAINT {name}_pkey, ADD CONSTRAINT {name}_pkey PRIMARY KEY ({keys});"
        yield f"SELECT create_distributed_table('{name}', '{place.column}', colocate_with => '{place.beside or 'none'}');"
    yield "COMMIT;"
