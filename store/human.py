"""What people leave behind, joined: judgements, statements, policies; and whether the journal tells of all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, LargeBinary, Table, cast, select

from model.review import ExceptionRecord, JournalEntry, PolicyVersion, Promotion, Statement, Verdict
from store.journals import JournalName, canonical_json, check_chain, entries, plain
from store.judgements import Judgements
from store.rows import JournalCheck
from store.saved_policies import SavedPolicies
from store.statements import Statements
from store.tables import ACCEPTED_RISK, POLICY_IN_FORCE, POLICY_VERSION, STATEMENT, VERDICT
from store.text import clean

_KINDS: tuple[tuple[Table, Any, str, tuple[str, ...]], ...] = (
    (VERDICT, Verdict, "a verdict", ("verdict", "withdraw")),
    (ACCEPTED_RISK, ExceptionRecord, "an accepted risk", ("exception", "exception ended")),
    (POLICY_VERSION, PolicyVersion, "a policy version", ("policy",)),
    (POLICY_IN_FORCE, Promotion, "a policy in force", ("policy promote", "policy rollback")),
    (STATEMENT, Statement, "a statement", ("comment", "assignment", "attestation", "remedy", "sample")),
)
"""What is kept in rows of its own, and under which words the journal tells of it."""


class Human(Judgements, SavedPolicies, Statements):
    """The reviewers' half of a store. Rows are added and never changed; the database refuses it as well."""

    def verify_journal(self, journal: JournalName = "review") -> JournalCheck:
        """Whether a journal is whole, and, for the review journal, whether every row says what its entry says."""
        with self.db.read() as connection:
            self.db.whole(connection, "a journal is worked out")
            check = check_chain(entries(connection, journal))
            return _held_against_rows(connection, check) if check.ok and journal == "review" else check


def _held_against_rows(connection: Connection, check: JournalCheck) -> JournalCheck:
    told: Counter[bytes] = Counter()
    places: dict[bytes, JournalEntry] = {}
    words = {word for *_, kinds in _KINDS for word in kinds}
    for entry in entries(connection):
        if entry.what in words:
            digest = _digest(msgspec.json.decode(entry.body)["data"])
            told[digest] += 1
            places.setdefault(digest, entry)
    untold = ""
    for what, digest in _rows(connection):
        if not told[digest]:
            untold = untold or f"{what} lies in the store of which the journal tells nothing"
        told[digest] -= 1
    for digest, left in told.items():
        if left > 0:
            seq, of = places[digest].seq, places[digest].what
            return JournalCheck(
                False, check.entries, check.head, seq, f"entry {seq} tells of a row ({of}) that is gone or altered"
            )
    return JournalCheck(False, check.entries, check.head, 0, untold) if untold else check


def _rows(connection: Connection) -> Iterator[tuple[str, bytes]]:
    for table, kind, what, _ in _KINDS:
        decoder = msgspec.msgpack.Decoder(kind)
        # As bytes, whatever it was changed into: a changed row is to be told, not to stop the reading.
        held = select(cast(table.c.body, LargeBinary), *_columns(table)).order_by(*table.primary_key.columns)
        for body, *columns in connection.execute(held):
            try:
                said = decoder.decode(body)
                yield what, _digest(plain(msgspec.to_builtins(said))) if _agree(table, said, columns) else b""
            except msgspec.DecodeError:
                yield what, b""


def _columns(table: Table) -> list[Any]:
    """The columns that tell of what a row is, by which the database judges who may write it."""
    return [table.c[name] for name in ("seq", "subject", "kind", "finding", "task_id", "withdraws") if name in table.c]


def _agree(table: Table, said: Any, columns: list[Any]) -> bool:
    """Whether what is packed in a row is of what its columns say."""
    for column, value in zip(_columns(table), columns, strict=True):
        told = getattr(said, "task" if column.name == "task_id" else column.name, None)
        if told is not None and (clean(told) if isinstance(told, str) else told or None) != value:
            return False
    return True


def _digest(data: Any) -> bytes:
    return sha256(canonical_json(data).encode()).digest()
