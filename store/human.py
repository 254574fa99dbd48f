"""What people leave behind: verdicts, exceptions, policy versions, each with its entry in the journal's hash chain."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import msgspec
import rfc8785
from sqlalchemy import Connection, func, or_, select, update

from model.review import ExceptionRecord, JournalEntry, PolicyVersion, Promotion, Verdict
from model.words import ReviewState
from store.codec import mended, pack
from store.engine import Database, chunks
from store.errors import StoreError
from store.rows import JournalCheck
from store.tables import ACCEPTED_RISK, JOURNAL, POLICY_IN_FORCE, POLICY_VERSION, SCOPE_ALIAS, TASK, VERDICT
from store.text import clean

_JSON_INTEGER = 2**53 - 1
_VERDICT = msgspec.msgpack.Decoder(Verdict)
_EXCEPTION = msgspec.msgpack.Decoder(ExceptionRecord)
_POLICY = msgspec.msgpack.Decoder(PolicyVersion)
_PROMOTION = msgspec.msgpack.Decoder(Promotion)


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


class Human:
    """The reviewers' half of a store. Rows are added and never changed; the database refuses it as well."""

    db: Database

    def add_verdict(self, verdict: Verdict) -> Verdict:
        """Record a judgement; the one returned carries its number. It supersedes earlier ones on the same subject.

        A task's verdict without evidence digest takes the task's present one, so that later records reopen it.
        """
        with self.db.write() as connection:
            task = verdict.task or (verdict.subject if verdict.kind == "task" else "")
            row = connection.execute(select(TASK.c.scope, TASK.c.evidence).where(TASK.c.id == clean(task))).first()
            seq = _next(connection, VERDICT.c.seq)
            evidence = verdict.evidence or (row.evidence if row and verdict.subject == task else "")
            body = pack(msgspec.structs.replace(verdict, seq=seq, task=task, evidence=evidence))
            kept = _VERDICT.decode(body)
            anchor = row.scope if row and verdict.subject == task else ""
            self.db.insert(connection, VERDICT, [(seq, clean(kept.subject), clean(kept.kind), clean(task), anchor, body)])
            self._note(connection, kept.reviewer, "verdict", msgspec.to_builtins(kept), kept.at)
            if row and kept.subject == task:
                names = ("state", "verdict", "reviewer", "reviewed_at")
                columns = Standing(kept).columns(row.evidence)
                connection.execute(update(TASK).where(TASK.c.id == clean(task)).values(**dict(zip(names, columns, strict=True))))
            return kept

    def verdicts(self, subject: str | None = None) -> list[Verdict]:
        """Every verdict, or those on one subject, oldest first."""
        wanted = select(VERDICT.c.body).order_by(VERDICT.c.seq)
        if subject is not None:
            wanted = wanted.where(VERDICT.c.subject == clean(subject))
        with self.db.read() as connection:
            return [_VERDICT.decode(body) for body in connection.execute(wanted).scalars()]

    def latest_verdicts(self, subjects: Sequence[str]) -> dict[str, Verdict]:
        """The verdict that stands on each of these subjects."""
        found: dict[str, Verdict] = {}
        with self.db.read() as connection:
            for part in chunks(subjects):
                wanted = select(VERDICT.c.subject, VERDICT.c.body).where(VERDICT.c.subject.in_(part)).order_by(VERDICT.c.seq)
                found.update({subject: _VERDICT.decode(body) for subject, body in connection.execute(wanted)})
        return found

    def add_exception(self, exception: ExceptionRecord) -> ExceptionRecord:
        """Record an accepted risk; the one returned carries its number."""
        with self.db.write() as connection:
            body = pack(msgspec.structs.replace(exception, seq=_next(connection, ACCEPTED_RISK.c.seq)))
            kept = _EXCEPTION.decode(body)
            self.db.insert(connection, ACCEPTED_RISK, [(kept.seq, clean(kept.finding), body)])
            self._note(connection, kept.by, "exception", msgspec.to_builtins(kept), kept.at)
            return kept

    def exceptions(self, finding: str | None = None) -> list[ExceptionRecord]:
        """Every accepted risk, or those on one finding, oldest first; expired ones too."""
        wanted = select(ACCEPTED_RISK.c.body).order_by(ACCEPTED_RISK.c.seq)
        if finding is not None:
            wanted = wanted.where(ACCEPTED_RISK.c.finding == clean(finding))
        with self.db.read() as connection:
            return [_EXCEPTION.decode(body) for body in connection.execute(wanted).scalars()]

    def save_policy(self, policy: PolicyVersion) -> PolicyVersion:
        """Save a policy under its name; the one returned carries the next version number of that name."""
        with self.db.write() as connection:
            c = POLICY_VERSION.c
            last = connection.execute(select(func.max(c.version)).where(c.name == clean(policy.name))).scalar()
            body = pack(msgspec.structs.replace(policy, version=(last or 0) + 1))
            kept = _POLICY.decode(body)
            self.db.insert(connection, POLICY_VERSION, [(clean(kept.name), kept.version, body)])
            self._note(connection, kept.author, "policy", msgspec.to_builtins(kept), kept.at)
            return kept

    def policies(self, name: str | None = None) -> list[PolicyVersion]:
        """Every saved policy version, or those of one name, by name and version."""
        c = POLICY_VERSION.c
        wanted = select(c.body).order_by(c.name, c.version)
        if name is not None:
            wanted = wanted.where(c.name == clean(name))
        with self.db.read() as connection:
            return [_POLICY.decode(body) for body in connection.execute(wanted).scalars()]

    def put_in_force(self, promotion: Promotion) -> Promotion:
        """Record which version of a policy is in force from now on; the one returned carries its number."""
        with self.db.write() as connection:
            body = pack(msgspec.structs.replace(promotion, seq=_next(connection, POLICY_IN_FORCE.c.seq)))
            kept = _PROMOTION.decode(body)
            self.db.insert(connection, POLICY_IN_FORCE, [(kept.seq, clean(kept.name), clean(kept.point), kept.at, body)])
            self._note(connection, kept.by, f"policy {kept.turn}", msgspec.to_builtins(kept), kept.at)
            return kept

    def promotions(self, name: str | None = None) -> list[Promotion]:
        """What was put in force, or of one policy, oldest first."""
        wanted = select(POLICY_IN_FORCE.c.body).order_by(POLICY_IN_FORCE.c.seq)
        if name is not None:
            wanted = wanted.where(POLICY_IN_FORCE.c.name == clean(name))
        with self.db.read() as connection:
            return [_PROMOTION.decode(body) for body in connection.execute(wanted).scalars()]

    def journal_append(self, who: str, what: str, body: dict[str, Any], at: int | None = None) -> str:
        """Add an entry to the review journal; its head. `at` is now unless told otherwise."""
        with self.db.write() as connection:
            return self._note(connection, who, what, body, at)

    def journal(self, after: int = 0, limit: int | None = None) -> list[JournalEntry]:
        """Entries numbered above `after`, oldest first."""
        wanted = select(JOURNAL).where(JOURNAL.c.seq > after).order_by(JOURNAL.c.seq).limit(limit)
        with self.db.read() as connection:
            return [JournalEntry(*row) for row in connection.execute(wanted)]

    def verify_journal(self) -> JournalCheck:
        """Work the hash chain out again from its first entry."""
        head = ""
        count = 0
        for entry in self._entries():
            count += 1
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

    def _entries(self) -> Iterator[JournalEntry]:
        last = 0
        while page := self.journal(last, 1_000):
            yield from page
            last = page[-1].seq

    def _note(self, connection: Connection, who: str, what: str, body: dict[str, Any], at: int | None) -> str:
        last = connection.execute(select(JOURNAL.c.seq, JOURNAL.c.head).order_by(JOURNAL.c.seq.desc()).limit(1)).first()
        seq, previous = (last.seq + 1, last.head) if last else (1, "")
        who, what = clean(who), clean(what)
        when = mended(time.time_ns() // 1_000 if at is None else at, largest=_JSON_INTEGER)
        data = mended(body, largest=_JSON_INTEGER, free=True)
        try:
            canonical = rfc8785.dumps({"seq": seq, "at": when, "who": who, "what": what, "data": data}).decode()
        except rfc8785.CanonicalizationError as error:
            raise StoreError(f"the journal cannot hold this entry: {error}") from error
        head = next_head(previous, canonical)
        self.db.insert(connection, JOURNAL, [(seq, when, who, what, canonical, head)])
        return head


def next_head(previous: str, body: str) -> str:
    """The head after an entry: SHA-256, in hex, over the head before it and the entry's canonical body (RFC 8785)."""
    return sha256((previous + body).encode()).hexdigest()


def standing(connection: Connection, tasks: Sequence[tuple[str, str]]) -> dict[str, Standing]:
    """The latest verdict on each (task id, scope), also one given under a name of the scope that it has since outgrown."""
    found = {task: Standing() for task, _ in tasks}
    if connection.execute(select(VERDICT.c.seq).limit(1)).first() is None:
        return found
    for task, scope in tasks:
        names = {scope, *connection.execute(select(SCOPE_ALIAS.c.name).where(SCOPE_ALIAS.c.root == scope)).scalars()} - {""}
        c = VERDICT.c
        mine = or_(c.subject == task, c.anchor.in_(sorted(names)))
        row = connection.execute(select(c.subject, c.body).where(mine, c.kind == "task").order_by(c.seq.desc()).limit(1)).first()
        if row is not None:
            found[task] = Standing(_VERDICT.decode(row.body), row.subject != task)
    return found


def _body_agrees(entry: JournalEntry) -> bool:
    try:
        said = msgspec.json.decode(entry.body)
    except msgspec.DecodeError:
        return False
    return isinstance(said, dict) and all(said.get(name) == getattr(entry, name) for name in ("seq", "at", "who", "what"))


def _next(connection: Connection, column: Any) -> int:
    return int(connection.execute(select(func.max(column))).scalar() or 0) + 1
