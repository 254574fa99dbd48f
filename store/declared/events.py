"""What logs tell, as events and the keys they carry, and what is to be stitched anew. Derived from evidence."""

from __future__ import annotations

from sqlalchemy import Index, text

from store.declared.fields import (
    PACKED,
    Base,
    bytes_column,
    number_column,
    optional_bytes_column,
    optional_text_column,
    serial_column,
    text_column,
)


class EventTable(Base, table=True):
    """`task_id` is NULL until stitching has looked at the event, "" when it belongs to no task.

    `seq` grows with every row written, so that what a build has not seen is what lies beyond a number.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index(
            "ix_event_task",
            "task_id",
            "at",
            "id",
            sqlite_where=text("task_id IS NOT NULL"),
            postgresql_where=text("task_id IS NOT NULL"),
        ),
        Index("ix_event_id", "id", unique=True),
    )

    seq: int = serial_column()
    id: str = text_column()
    record_id: str = text_column()
    ordinal: int = 0
    kind: str = text_column()
    phase: str = text_column()
    vantage: str = text_column()
    point: str = text_column()
    at: int | None = number_column(None)
    principal: str = text_column()
    verb: str = text_column()
    task_id: str | None = optional_text_column()
    links: bytes | None = optional_bytes_column()
    body: bytes = bytes_column()


class EventKeyTable(Base, table=True):
    """Which events carry a key: `name` is the hash of `kind:value`, `at` the event's time (unknown sorts last)."""

    __tablename__ = "event_key"
    __table_args__ = (PACKED,)

    name: int = number_column(key=True)
    at: int = number_column(key=True)
    event_id: str = text_column(key=True)


class ScopeEdgeTable(Base, table=True):
    """Two scope keys that events name together, and how many events do."""

    __tablename__ = "scope_edge"
    __table_args__ = (Index("ix_scope_edge_b", "b"), PACKED)

    a: str = text_column(key=True)
    b: str = text_column(key=True)
    events: int = number_column()


class ScopeAliasTable(Base, table=True):
    """The strongest name of every scope key that has another; scope keys that stand alone have no row."""

    __tablename__ = "scope_alias"

    name: str = text_column(key=True)
    root: str = text_column(index=True)


class PointTable(Base, table=True):
    """What was seen of each enforcement point, kept up to date as events come and go."""

    __tablename__ = "point"

    point: str = text_column(key=True)
    vantage: str = text_column(key=True)
    records: int = number_column()
    events: int = number_column()
    verdicts: int = number_column()
    first: int | None = number_column(None)
    last: int | None = number_column(None)


class SightingTable(Base, table=True):
    """When each point was seen to be alive, for whom as far as it says, and how many events say so.

    `decided` is the verb of a verdict, else "". `host` and `session` are kept of enforcers only: whose silence means
    absence is asked of nobody else. Unknown times sort last.
    """

    __tablename__ = "sighting"
    __table_args__ = (PACKED,)

    point: str = text_column(key=True)
    at: int = number_column(key=True)
    vantage: str = text_column(key=True)
    principal: str = text_column(key=True)
    host: str = text_column(key=True)
    session: str = text_column(key=True)
    decided: str = text_column(key=True)
    events: int = number_column()


class SequenceBreakTable(Base, table=True):
    """An event before which its log's own numbers or hash chain say that something is missing or was changed."""

    __tablename__ = "sequence_break"
    __table_args__ = (PACKED,)

    event_id: str = text_column(key=True)
    point: str = text_column()
    at: int = number_column()
    missing: int = number_column()
    why: str = text_column()


class DirtyKeyTable(Base, table=True):
    """Keys whose carriers must be looked at again: an event went away, or a scope got a stronger name.

    `epoch` counts builds begun, so that a build clears only what it saw.
    """

    __tablename__ = "dirty_key"
    __table_args__ = (PACKED,)

    epoch: int = number_column(key=True)
    name: str = text_column(key=True)


class DirtyPointTable(Base, table=True):
    """Points of which events came or went, and the earliest moment that is told otherwise: what was heard from then on is heard again."""

    __tablename__ = "dirty_point"
    __table_args__ = (PACKED,)

    epoch: int = number_column(key=True)
    point: str = text_column(key=True)
    at: int = number_column(key=True)


class DirtyTaskTable(Base, table=True):
    """Tasks that lost, gained or kept an event that was looked at again."""

    __tablename__ = "dirty_task"
    __table_args__ = (PACKED,)

    epoch: int = number_column(key=True)
    task_id: str = text_column(key=True)
