"""What people say without judging: comments, assignments, attestations, remedies and samples, each with its entry in the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, func, select, update

from model.review import Assignment, Attestation, Comment, Remedy, Sample, Statement
from store.codec import pack
from store.engine import chunks
from store.journals import Journals, last_of
from store.tables import STATEMENT, TASK
from store.text import clean

_STATEMENT: msgspec.msgpack.Decoder[Statement] = msgspec.msgpack.Decoder(Statement)
_Kind = TypeVar("_Kind", Comment, Assignment, Attestation, Remedy, Sample)


class Statements(Journals):
    """Rows of one table, told apart by their kind."""

    def add_statement(self, statement: _Kind) -> _Kind:
        """Record what somebody said; the one returned carries its number."""
        with self.db.write() as connection:
            seq = last_of(self.db, connection, STATEMENT)[0] + 1
            body = pack(msgspec.structs.replace(statement, seq=seq))
            kept = msgspec.msgpack.decode(body, type=type(statement))
            columns = (seq, what_of(type(kept)), clean(kept.subject), clean(_task_of(kept)), body)
            self.db.insert(connection, STATEMENT, [columns])
            if isinstance(kept, Assignment):
                connection.execute(update(TASK).where(TASK.c.id == columns[2]).values(assignee=clean(kept.to)))
            self._note(connection, kept.by, columns[1], msgspec.to_builtins(kept), kept.at)
            return kept

    def statements(self, kind: type[_Kind], subject: str | None = None, *, task: str | None = None) -> list[_Kind]:
        """What was said of one kind, oldest first: all, of one subject, or of one task and what is in it."""
        c = STATEMENT.c
        wanted = select(c.seq, c.subject, c.task_id, c.body).where(c.what == what_of(kind)).order_by(c.seq)
        if subject is not None:
            wanted = wanted.where(c.subject == clean(subject))
        if task is not None:
            wanted = wanted.where(c.task_id == clean(task))
        with self.db.read() as connection:
            found = [statement_of(*row) for row in connection.execute(wanted)]
        return [one for one in found if isinstance(one, kind)]

    def assignees(self, tasks: Sequence[str] | None = None) -> dict[str, str]:
        """Who looks after each of these tasks, or after any; tasks that nobody does are left out."""
        with self.db.read() as connection:
            return assigned(connection, tasks)

    def comment_counts(self, tasks: Sequence[str] | None = None) -> dict[str, int]:
        """How many comments there are on each of these tasks, or on any, and on what is in them."""
        c = STATEMENT.c
        found: dict[str, int] = {}
        with self.db.read() as connection:
            wanted = select(c.task_id, func.count()).where(c.what == what_of(Comment)).group_by(c.task_id)
            for part in [None] if tasks is None else chunks(tasks):
                asked = wanted if part is None else wanted.where(c.task_id.in_(part))
                found.update((str(task), int(count)) for task, count in connection.execute(asked))
        return found


def statement_of(seq: int, subject: str, task: str, body: bytes) -> Statement:
    """What was said as its row tells of whom: what a login may write, the database judges by the row, not by what is packed in it."""
    said = _STATEMENT.decode(body)
    if (said.seq, clean(said.subject)) != (seq, subject):
        said = msgspec.structs.replace(said, seq=seq, subject=subject)
    if isinstance(said, Comment | Remedy) and clean(said.task) != task:
        said = msgspec.structs.replace(said, task=task)
    return said


def assigned(connection: Connection, tasks: Sequence[str] | None = None) -> dict[str, str]:
    """Who was last said to look after each of these tasks, or after any."""
    c = STATEMENT.c
    found: dict[str, str] = {}
    wanted = select(c.subject, c.body).where(c.what == what_of(Assignment)).order_by(c.seq)
    for part in [None] if tasks is None else chunks(tasks):
        asked = wanted if part is None else wanted.where(c.subject.in_(part), c.task_id.in_(part))
        for subject, body in connection.execute(asked):
            said = _STATEMENT.decode(body)
            found[subject] = said.to if isinstance(said, Assignment) else ""
    return {subject: to for subject, to in found.items() if to}


def what_of(kind: type[_Kind]) -> str:
    """What a kind of statement is called in its table and in the journal."""
    return str(kind.__struct_config__.tag)


def _task_of(said: Statement) -> str:
    return said.task if isinstance(said, Comment | Remedy) else said.subject if isinstance(said, Assignment) else ""
