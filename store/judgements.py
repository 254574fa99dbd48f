"""Verdicts and accepted risks: rows that are added, superseded and withdrawn, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, or_, select, update

from model.review import ExceptionRecord, Verdict, standing_rows
from model.words import ReviewState
from store.codec import pack
from store.engine import chunks
from store.errors import StoreError
from store.journals import Journals, last_of
from store.tables import ACCEPTED_RISK, FINDING, SCOPE_ALIAS, TASK, VERDICT
from store.text import clean

_VERDICT = msgspec.msgpack.Decoder(Verdict)
_EXCEPTION = msgspec.msgpack.Decoder(ExceptionRecord)
_PARTS = (VERDICT.c.seq, VERDICT.c.subject, VERDICT.c.kind, VERDICT.c.task_id, VERDICT.c.withdraws, VERDICT.c.body)
"""What `verdict_of` reads of a row."""


class Standing(msgspec.Struct, frozen=True):
    """The verdict that stands on a task, if any."""

    verdict: Verdict | None = None
    foreign: bool = False

    def columns(self, evidence: str) -> tuple[Any, ...]:
        """State, word, reviewer and time of the latest verdict, given the evidence as it is now."""
        if self.verdict is None:
            return (ReviewState.OPEN.value, "", "", None)
        changed = self.foreign or bool(self.verdict.evidence and self.verdict.evidence != evidence)
        state = ReviewState.REOPENED if changed else ReviewState.REVIEWED
        return (state.value, self.verdict.verdict.value, clean(self.verdict.reviewer), self.verdict.at)


class Judgements(Journals):
    """What reviewers judged, and which risks were accepted."""

    def add_verdict(self, verdict: Verdict) -> Verdict:
        """Record a judgement; the one returned carries its number. It supersedes earlier ones on the same subject.

        A task's verdict without evidence digest takes the task's present one, so that later records reopen it.
        """
        with self.db.write() as connection:
            task = verdict.task or (verdict.subject if verdict.kind == "task" else "")
            row = connection.execute(select(TASK.c.scope, TASK.c.evidence).where(TASK.c.id == clean(task))).first()
            own = row is not None and verdict.subject == task
            evidence = verdict.evidence or (row.evidence if row and own else "")
            made = msgspec.structs.replace(verdict, task=task, evidence=evidence, withdraws=0)
            kept = self._add(connection, made, row.scope if row and own else "", "verdict")
            self._restate(connection, kept, row.scope if row and own else "")
            return kept

    def withdraw_verdict(self, seq: int, reason: str, by: str, at: int) -> Verdict:
        """Take a verdict back by a row of its own; the one before it on the same subject stands again.

        Raises StoreError where there is none of that number, it is itself a withdrawal, or it was withdrawn before.
        """
        with self.db.write() as connection:
            row = connection.execute(select(VERDICT.c.body, VERDICT.c.anchor).where(VERDICT.c.seq == seq)).first()
            given = _VERDICT.decode(row.body) if row else None
            if row is None or given is None or given.withdraws:
                raise StoreError(f"there is no verdict number {seq}; `remit journal` lists them")
            if connection.execute(select(VERDICT.c.seq).where(VERDICT.c.withdraws == seq)).first() is not None:
                raise StoreError(f"verdict {seq} is withdrawn already")
            made = msgspec.structs.replace(given, reason=reason, reviewer=by, by=by, at=at, asserted=False, withdraws=seq)
            kept = self._add(connection, made, row.anchor, "withdraw")
            self._restate(connection, kept, row.anchor)
            return kept

    def _add(self, connection: Connection, verdict: Verdict, anchor: str, what: str) -> Verdict:
        seq = last_of(self.db, connection, VERDICT)[0] + 1
        # PostgreSQL knows who is there; of a file, only the one who writes it can tell.
        actor = self._role(connection) or clean(verdict.by or verdict.reviewer)
        body = pack(msgspec.structs.replace(verdict, seq=seq, by=actor))
        kept = _VERDICT.decode(body)
        columns = (seq, clean(kept.subject), clean(kept.kind), clean(kept.task), anchor, body, kept.withdraws or None, actor)
        self.db.insert(connection, VERDICT, [columns])
        self._note(connection, actor, what, msgspec.to_builtins(kept), kept.at)
        return kept

    def _restate(self, connection: Connection, given: Verdict, anchor: str) -> None:
        """The columns of every task that a verdict on a task speaks of, as all of them together have it."""
        if given.kind != "task":
            return
        roots = {anchor, *connection.execute(select(SCOPE_ALIAS.c.root).where(SCOPE_ALIAS.c.name == anchor)).scalars()} - {""}
        mine = or_(TASK.c.id == clean(given.subject), TASK.c.scope.in_(sorted(roots)))
        rows = connection.execute(select(TASK.c.id, TASK.c.scope, TASK.c.evidence).where(mine)).all()
        found = standing(connection, [(row.id, row.scope) for row in rows])
        names = ("state", "verdict", "reviewer", "reviewed_at")
        for row in rows:
            columns = found[row.id].columns(row.evidence)
            connection.execute(update(TASK).where(TASK.c.id == row.id).values(**dict(zip(names, columns, strict=True))))

    def verdict_rows(self, subject: str | None = None) -> list[Verdict]:
        """Every row ever written, withdrawals and what they took back included, oldest first."""
        wanted = select(*_PARTS).order_by(VERDICT.c.seq)
        if subject is not None:
            wanted = wanted.where(VERDICT.c.subject == clean(subject))
        with self.db.read() as connection:
            return [verdict_of(*row) for row in connection.execute(wanted)]

    def verdicts(self, subject: str | None = None, until: int | None = None) -> list[Verdict]:
        """Every verdict that was not withdrawn, or those on one subject, oldest first; as things were at `until`."""
        return standing_rows(self.verdict_rows(subject), until)

    def latest_verdicts(self, subjects: Sequence[str]) -> dict[str, Verdict]:
        """The verdict that stands on each of these subjects."""
        found: list[Verdict] = []
        with self.db.read() as connection:
            for part in chunks(subjects):
                wanted = select(*_PARTS).where(VERDICT.c.subject.in_(part)).order_by(VERDICT.c.seq)
                found += [verdict_of(*row) for row in connection.execute(wanted)]
        return {verdict.subject: verdict for verdict in standing_rows(found)}

    def add_exception(self, exception: ExceptionRecord) -> ExceptionRecord:
        """Record an accepted risk, or the end of one; the one returned carries its number."""
        with self.db.write() as connection:
            body = pack(msgspec.structs.replace(exception, seq=last_of(self.db, connection, ACCEPTED_RISK)[0] + 1))
            kept = _EXCEPTION.decode(body)
            self.db.insert(connection, ACCEPTED_RISK, [(kept.seq, clean(kept.finding), body)])
            what = "exception ended" if kept.withdraws else "exception"
            self._note(connection, kept.by, what, msgspec.to_builtins(kept), kept.at)
            return kept

    def exception_rows(self) -> list[ExceptionRecord]:
        """Every row ever written of accepted risks, oldest first."""
        with self.db.read() as connection:
            wanted = select(ACCEPTED_RISK.c.seq, ACCEPTED_RISK.c.finding, ACCEPTED_RISK.c.body).order_by(ACCEPTED_RISK.c.seq)
            return [exception_of(*row) for row in connection.execute(wanted)]

    def exceptions(self, finding: str | None = None, until: int | None = None) -> list[ExceptionRecord]:
        """Every accepted risk that was not ended early, or those given on one finding, oldest first; expired ones too."""
        return [one for one in standing_rows(self.exception_rows(), until) if finding is None or one.finding == finding]

    def alike(self, detection: str, scope: str, where: str) -> list[str]:
        """Findings of a detection in one task, in one repository or by one agent; blind spots are none."""
        f = FINDING.c
        wanted = select(f.id).where(f.detection == clean(detection), f.blind_spot.is_(False)).order_by(f.id)
        if scope == "task":
            wanted = wanted.where(f.task_id == where)
        else:
            column = {"repository": TASK.c.repository, "agent": TASK.c.agent}[scope]
            wanted = wanted.join(TASK, TASK.c.id == f.task_id).where(column == clean(where))
        with self.db.read() as connection:
            return list(connection.execute(wanted).scalars())


def verdict_of(seq: int, subject: str, kind: str, task: str, withdraws: int | None, body: bytes) -> Verdict:
    """A verdict as its row tells of what it is: what a login may write, the database judges by the row, not by what is packed in it."""
    said = _VERDICT.decode(body)
    told = (said.seq, clean(said.subject), clean(said.kind), clean(said.task), said.withdraws)
    if told == (seq, subject, kind, task, withdraws or 0):
        return said
    return msgspec.structs.replace(said, seq=seq, subject=subject, kind=kind, task=task, withdraws=withdraws or 0)


def exception_of(seq: int, finding: str, body: bytes) -> ExceptionRecord:
    """An accepted risk as its row tells of what it is."""
    said = _EXCEPTION.decode(body)
    return said if (said.seq, clean(said.finding)) == (seq, finding) else msgspec.structs.replace(said, seq=seq, finding=finding)


def standing(connection: Connection, tasks: Sequence[tuple[str, str]]) -> dict[str, Standing]:
    """The latest verdict on each (task id, scope), also one given under a name of the scope that it has since outgrown."""
    found = {task: Standing() for task, _ in tasks}
    if connection.execute(select(VERDICT.c.seq).limit(1)).first() is None:
        return found
    c, later = VERDICT.c, VERDICT.alias()
    withdrawn = select(later.c.seq).where(later.c.withdraws == c.seq).exists()
    for task, scope in tasks:
        names = {scope, *connection.execute(select(SCOPE_ALIAS.c.name).where(SCOPE_ALIAS.c.root == scope)).scalars()} - {""}
        mine = or_(c.subject == task, c.anchor.in_(sorted(names)))
        wanted = select(*_PARTS).where(mine, c.kind == "task", c.withdraws.is_(None), ~withdrawn)
        row = connection.execute(wanted.order_by(c.seq.desc()).limit(1)).first()
        if row is not None:
            found[task] = Standing(verdict_of(*row), row.subject != task)
    return found
