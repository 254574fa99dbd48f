"""Evidence: what was read, where it came from and what was refused. Append-only."""

from __future__ import annotations

from sqlalchemy import Index

from store.declared.fields import PACKED, Base, bytes_column, number_column, serial_column, text_column


class MetaTable(Base, table=True):
    __tablename__ = "meta"

    key: str = text_column(key=True)
    value: str = text_column()


class SourceTable(Base, table=True):
    __tablename__ = "source"

    id: str = text_column(key=True)
    format: str = text_column()
    name: str = text_column()
    sha256: str = text_column()
    bytes: int = number_column()


class SourceFileTable(Base, table=True):
    """Custody: every import of a file. The one table whose content tells what was imported when, and by whom."""

    __tablename__ = "source_file"

    seq: int = serial_column()
    source_id: str = text_column(index=True)
    name: str = text_column()
    path: str = text_column()
    sha256: str = text_column()
    bytes: int = number_column()
    at: int = number_column()
    by: str = text_column()
    note: str = text_column()
    complete: bool = False


class BookmarkTable(Base, table=True):
    """Where a file that may grow is read on: the importer's own notes, which cost only a longer import where they are lost."""

    __tablename__ = "bookmark"

    id: str = text_column(key=True)
    source_id: str = text_column()
    body: bytes = bytes_column()


class AlertTable(Base, table=True):
    """Findings somebody was alerted to, and when, in microseconds; kept when chains are built again."""

    __tablename__ = "alert"

    finding_id: str = text_column(key=True)
    at: int = number_column()


class BlockTable(Base, table=True):
    """Redacted raw bytes of many records, one after the other, compressed; `digest` is of the bytes before compression."""

    __tablename__ = "block"

    id: int = serial_column()
    size: int = number_column()
    digest: bytes = bytes_column()
    data: bytes = bytes_column()


class DroppedBlockTable(Base, table=True):
    """The tombstone of a block of raw bytes that is no longer kept: what it was, of how many records and from when.

    `before` is the moment that the records were older than; `at` is when they were dropped, `by` whom.
    """

    __tablename__ = "dropped_block"

    id: int = serial_column()
    size: int = number_column()
    digest: bytes = bytes_column()
    records: int = number_column()
    first: int | None = number_column(None)
    last: int | None = number_column(None)
    before: int = number_column()
    at: int = number_column()
    by: str = text_column()


class RecordTable(Base, table=True):
    """One record: its home (source, name, line, idx, start) and its bytes (block, block_start, length).

    `idx` is 0 outside arrays. Of records with one id and several digests the smallest of the smallest `voice` `speaks`, one
    that is `copied` last, as all of other voices are: `events` are the ids of its events, separated by blanks.
    """

    __tablename__ = "record"
    __table_args__ = (Index("ix_record_home", "source_id", "line", "idx"),)

    id: str = text_column(key=True)
    digest: bytes = bytes_column(key=True, index=True)
    source_id: str = text_column()
    name: str = text_column()
    line: int = number_column()
    idx: int = number_column()
    start: int = number_column()
    length: int = number_column()
    block_id: int = number_column()
    block_start: int = number_column()
    at: int | None = number_column(None)
    type: str = text_column()
    unknown_type: str = text_column()
    secrets: str = text_column()
    speaks: bool = True
    events: str = text_column()
    copied: bool = False
    voice: str = text_column()


class RecordAlsoTable(Base, table=True):
    """Where else a record was seen; its home, the smallest place, is not among them."""

    __tablename__ = "record_also"
    __table_args__ = (Index("ix_record_also_source", "source_id"), PACKED)

    id: str = text_column(key=True)
    digest: bytes = bytes_column(key=True)
    source_id: str = text_column(key=True)
    line: int = number_column(key=True)
    idx: int = number_column(key=True)
    name: str = text_column(key=True)
    start: int = number_column(key=True)


class RejectTable(Base, table=True):
    __tablename__ = "reject"
    __table_args__ = (PACKED,)

    source_id: str = text_column(key=True)
    line: int = number_column(key=True)
    idx: int = number_column(key=True)
    start: int = number_column(key=True)
    name: str = text_column(key=True)
    digest: str = text_column(key=True)
    reason: str = text_column()
