"""What people said, and the trail of who did what. Append-only, refused otherwise by triggers."""

from __future__ import annotations

from sqlalchemy import Index

from store.declared.fields import PACKED, Base, bytes_column, number_column, serial_column, text_column


class VerdictTable(Base, table=True):
    """`anchor` is the scope of the task at the time: it finds the verdict again when late records merge two tasks.

    `withdraws` is the number of the verdict that a row takes back, `actor` who acted: in PostgreSQL always the role logged in.
    """

    __tablename__ = "verdict"
    __table_args__ = (
        Index("ix_verdict_subject", "subject", "seq"),
        Index("ix_verdict_anchor", "anchor"),
        Index("ix_verdict_withdraws", "withdraws"),
    )

    seq: int = serial_column()
    subject: str = text_column()
    kind: str = text_column()
    task_id: str = text_column()
    anchor: str = text_column()
    body: bytes = bytes_column()
    withdraws: int | None = number_column(None)
    actor: str = text_column()


class ExceptionTable(Base, table=True):
    __tablename__ = "accepted_risk"

    seq: int = serial_column()
    finding: str = text_column(index=True)
    body: bytes = bytes_column()


class PolicyTable(Base, table=True):
    __tablename__ = "policy_version"

    name: str = text_column(key=True)
    version: int = number_column(key=True)
    body: bytes = bytes_column()


class InForceTable(Base, table=True):
    """Which version of a policy is in force from when, `point` by `point`; a row holds until the next of its name and point."""

    __tablename__ = "policy_in_force"

    seq: int = serial_column()
    name: str = text_column(index=True)
    point: str = text_column()
    at: int = number_column()
    body: bytes = bytes_column()


class StatementTable(Base, table=True):
    """What people say without judging: comments, assignments, attestations, samples (`what`)."""

    __tablename__ = "statement"
    __table_args__ = (Index("ix_statement_subject", "what", "subject", "seq"), Index("ix_statement_task", "task_id"))

    seq: int = serial_column()
    what: str = text_column()
    subject: str = text_column()
    task_id: str = text_column()
    body: bytes = bytes_column()


class TeamSightTable(Base, table=True):
    """Which team's tasks a login of PostgreSQL sees, where a store is divided by team: "" are those of none, `*` is everything."""

    __tablename__ = "team_sight"
    __table_args__ = (PACKED,)

    login: str = text_column(key=True)
    team: str = text_column(key=True)


class JournalTable(Base, table=True):
    """The review journal: everything people decided, as a hash chain."""

    __tablename__ = "journal"

    seq: int = number_column(key=True)
    at: int = number_column()
    who: str = text_column()
    what: str = text_column()
    body: str = text_column()
    head: str = text_column()


class AccessJournalTable(Base, table=True):
    """The access journal: what people opened, revealed, tried and took away, as a hash chain of its own."""

    __tablename__ = "access_journal"

    seq: int = number_column(key=True)
    at: int = number_column()
    who: str = text_column()
    what: str = text_column()
    body: str = text_column()
    head: str = text_column()
