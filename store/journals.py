"""The reviewers' own trail: two append-only hash chains, one of what people decided, one of what they looked at and took away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Literal

import msgspec
import rfc8785
from sqlalchemy import Connection, LargeBinary, Table, cast, func, literal, select, text

from model.review import JournalEntry
from store.codec import mended
from store.engine import Database
from store.errors import StoreError
from store.rows import JournalCheck
from store.tables import ACCESS_JOURNAL, JOURNAL
from store.text import clean

JournalName = Literal["review", "access"]
_TABLES: dict[JournalName, Table] = {"review": JOURNAL, "access": ACCESS_JOURNAL}
JOURNALS: tuple[JournalName, ...] = ("review", "access")
_JSON_INTEGER = 2**53 - 1
_PAGE = 1_000


class Journals:
    """Entries are added under the writer's lock and never changed; the database refuses it as well."""

    db: Database

    def journal_append(
        self, who: str, what: str, body: dict[str, Any], at: int | None = None, *, journal: JournalName = "review"
    ) -> str:
        """Add an entry to a journal; its head. `at` is now unless told otherwise; in PostgreSQL `who` is always the login's role."""
        with self.db.write() as connection:
            return self._note(connection, who, what, body, at, journal)

    def journal(self, after: int = 0, limit: int | None = None, *, journal: JournalName = "review") -> list[JournalEntry]:
        """Entries numbered above `after`, oldest first."""
        with self.db.read() as connection:
            return _page(connection, _TABLES[journal], after, limit)

    def journal_head(self, until: int | None = None) -> JournalEntry | None:
        """The last entry of the review journal that was made by `until`; None where there is none."""
        wanted = select(JOURNAL).order_by(JOURNAL.c.seq.desc()).limit(1)
        if until is not None:
            wanted = wanted.where(JOURNAL.c.at <= until)
        with self.db.read() as connection:
            found = connection.execute(wanted).first()
        return None if found is None else JournalEntry(*found)

    def verify_chain(self, journal: JournalName = "review") -> JournalCheck:
        """Work a hash chain out again from its first entry."""
        with self.db.read() as connection:
            self.db.whole(connection, "a journal is worked out")
            return check_chain(entries(connection, journal))

    def identity(self) -> str:
        """The role this store is open as; "" in a SQLite file, which knows none."""
        with self.db.read() as connection:
            return self._role(connection)

    def _role(self, connection: Connection) -> str:
        return "" if self.db.sqlite else str(connection.execute(select(func.session_user())).scalar_one())

    def _note(
        self, connection: Connection, who: str, what: str, body: dict[str, Any], at: int | None, journal: JournalName = "review"
    ) -> str:
        table = _TABLES[journal]
        seq, previous = last_of(self.db, connection, table)
        seq += 1
        who, what = self._role(connection) or clean(who), clean(what)
        when = mended(time.time_ns() // 1_000 if at is None else at, largest=_JSON_INTEGER)
        canonical = canonical_json({"seq": seq, "at": when, "who": who, "what": what, "data": plain(body)})
        head = next_head(previous, canonical)
        self.db.insert(connection, table, [(seq, when, who, what, canonical, head)])
        return head


def last_of(db: Database, connection: Connection, table: Table) -> tuple[int, str]:
    """The last number given in a table of what people add, 0 where there is none, and the head there if it is a journal.

    A login that sees some teams alone (`store.teams`) does not see every row; the database answers of them all.
    """
    if db.divided(connection):
        wanted: Any = text("SELECT seq, head FROM remit_last(:which)").bindparams(which=table.name)
    else:
        head = table.c.head if "head" in table.c else literal("")
        wanted = select(table.c.seq, head.label("head")).order_by(table.c.seq.desc()).limit(1)
    row = connection.execute(wanted).first()
    return (int(row.seq or 0), str(row.head or "")) if row else (0, "")


def plain(body: dict[str, Any]) -> Any:
    """A body as an entry holds it: no integer that JSON would round, no text that is none."""
    return mended(body, largest=_JSON_INTEGER, free=True)


def canonical_json(data: Any) -> str:
    """Canonical JSON (RFC 8785), which anyone can work out again."""
    try:
        return rfc8785.dumps(data).decode()
    except rfc8785.CanonicalizationError as error:
        raise StoreError(f"the journal cannot hold this entry: {error}") from error


def next_head(previous: str, body: str) -> str:
    """The head after an entry: SHA-256, in hex, over the head before it and the entry's canonical body (RFC 8785)."""
    return sha256((previous + body).encode("utf-8", "surrogatepass")).hexdigest()


def entries(connection: Connection, journal: JournalName = "review") -> Iterator[JournalEntry]:
    """Every entry of a journal as it lies in the store, by number."""
    table = _TABLES[journal]
    read = _bare_page if connection.dialect.name == "sqlite" else _page
    last: Any = None
    while page := read(connection, table, last, _PAGE):
        yield from page
        last = page[-1].seq


def _bare_page(connection: Connection, table: Table, after: Any, limit: int | None) -> list[JournalEntry]:
    """As `_page`, also where somebody wrote no text into a column of words, or text that is none: it is there to be told."""
    words = [table.c[name] for name in ("who", "what", "body", "head")]
    wanted = select(table.c.seq, table.c.at, *(cast(one, LargeBinary) for one in words), *(func.typeof(one) for one in words))
    if after is not None:
        wanted = wanted.where(table.c.seq > after)
    found = []
    for seq, at, *rest in connection.execute(wanted.order_by(table.c.seq).limit(limit)):
        held = [
            cell.decode("utf-8", "replace") if kind == "text" else cell for cell, kind in zip(rest[:4], rest[4:], strict=True)
        ]
        found.append(JournalEntry(seq, at, *held))
    return found


def _page(connection: Connection, table: Table, after: int | None, limit: int | None) -> list[JournalEntry]:
    wanted = select(table).order_by(table.c.seq).limit(limit)
    if after is not None:
        wanted = wanted.where(table.c.seq > after)
    return [JournalEntry(*row) for row in connection.execute(wanted)]


def check_chain(found: Iterator[JournalEntry]) -> JournalCheck:
    """Whether each entry follows from the one before it, and says of itself what its body says."""
    head = ""
    count = 0
    for entry in found:
        count += 1
        if not _typed(entry):
            return JournalCheck(False, count, head, count, f"entry {count} holds something that no entry can")
        if entry.seq != count:
            return JournalCheck(False, count, head, entry.seq, f"entry {count} is missing")
        if entry.head != next_head(head, entry.body):
            return JournalCheck(False, count, head, entry.seq, f"entry {entry.seq} does not follow from the one before it")
        if not _body_agrees(entry):
            return JournalCheck(
                False, count, head, entry.seq, f"entry {entry.seq} says another time, author or kind than its body"
            )
        head = entry.head
    return JournalCheck(True, count, head)


def _typed(entry: JournalEntry) -> bool:
    """Whether each column holds what it is for; SQLite keeps whatever type somebody writes into one."""
    return isinstance(entry.at, int) and all(isinstance(one, str) for one in (entry.who, entry.what, entry.body, entry.head))


def _body_agrees(entry: JournalEntry) -> bool:
    try:
        said = msgspec.json.decode(entry.body)
    except msgspec.DecodeError:
        return False
    return isinstance(said, dict) and all(said.get(name) == getattr(entry, name) for name in ("seq", "at", "who", "what"))
