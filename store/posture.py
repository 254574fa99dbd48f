"""The sums behind the overview: kept while tasks are written and read without a look at any task, finding or tally.

What goes is counted down from what the database says it deleted, what comes is counted up from what is written: each in
the transaction that does it, so that the sums are always those of the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Table, case, cast, delete, func, select

from model.chain import Coverage, Credential, Finding, TaskChain
from model.figures import Sums, apart
from model.review import JournalEntry
from model.words import ReviewState, Severity
from store import codec
from store.engine import Database
from store.rows import TASK_COLUMNS, UNKNOWN_STARTED, FindingHour, RiskRow, ShareSumRow, TaskRow, WaitingRow, task_row
from store.streams import streamed
from store.tables import (
    CLOCK_SUM,
    COVERAGE,
    CREDENTIAL,
    CREDENTIAL_SUM,
    FINDING,
    FINDING_SUM,
    JOURNAL,
    RISK_SUM,
    SHARE_SUM,
    SOURCE,
    SOURCE_FILE,
    STEP,
    STEP_CHANGE,
    TALLY,
    TASK,
    table,
)
from store.text import UNKNOWN_EARLY, clean, distinct, instant

HOUR = 3_600_000_000
UNKNOWN_HOUR = UNKNOWN_EARLY
BONDS = ("task", "standing", "other", "unknown")
"""How a credential is bound: issued to a task with an end; without an end; with an end but to no task; not known."""

_SHARES = Sums.__struct_fields__
_SEVERITIES = ("critical", "high", "medium", "low", "blind_spots")
_RANKS = {severity: rank for rank, severity in enumerate(Severity)}

TASK_PARTS = (TASK.c.id, TASK.c.agent, TASK.c.repository, TASK.c.risk, *(TASK.c[name] for name in _SEVERITIES))
TALLY_PARTS = (TALLY.c.task_id, TALLY.c.week, *(TALLY.c[name] for name in _SHARES))
FINDING_PARTS = (FINDING.c.at, FINDING.c.rank, FINDING.c.blind_spot)


def hour_of(at: int | None) -> int:
    """The hour of a moment, counted from the epoch in UTC."""
    return UNKNOWN_HOUR if at is None else at // HOUR


def bond_of(held: Credential) -> str:
    """One of `BONDS`."""
    if held.ttl_seconds == -1:
        return "standing"
    if held.ttl_seconds is None and held.expires is None:
        return "unknown"
    return "task" if held.issued_task else "other"


Sum = tuple[str, tuple[Any, ...], tuple[int, ...]]
"""A table of sums, the key of one of its rows, and what is to be added to its counts."""


def sums_of(chain: TaskChain, findings: Sequence[Finding]) -> list[Sum]:
    """What a task adds to the sums, with its tallies and findings."""
    task = chain.task
    place = (clean(task.agent), clean(task.repository))
    real = {finding.severity for finding in findings if not finding.blind_spot}
    spots = int(any(finding.blind_spot for finding in findings))
    counts = (1, *(int(severity in real) for severity in Severity), spots)
    found: list[Sum] = [(str(RISK_SUM.name), (*place, task.risk), counts)]
    for one in chain.tallies:
        found.append((str(SHARE_SUM.name), (*place, distinct(one.week)), tuple(getattr(one, name) for name in _SHARES)))
    found += [(str(CLOCK_SUM.name), key, (1,)) for key in clock_keys(task.clocks)]
    for finding in findings:
        hour = hour_of(instant(finding.at))
        found.append((str(FINDING_SUM.name), (hour, _RANKS[finding.severity], int(finding.blind_spot)), (1,)))
    return found


def clock_keys(clocks: Mapping[str, Iterable[int]]) -> Iterator[tuple[str, int]]:
    """The row of `clock_sum` that each comparison of a task's clocks counts in."""
    yield from ((clean(point), apart(difference)) for point, differences in clocks.items() for difference in differences)


class Change:
    """What one transaction does to the sums."""

    def __init__(self) -> None:
        self._counts: dict[Table, dict[tuple[Any, ...], list[int]]] = {}

    def add(self, table: Table, key: tuple[Any, ...], counts: Iterable[int], sign: int = 1) -> None:
        held = self._counts.setdefault(table, {})
        sums = held.get(key)
        if sums is None:
            held[key] = [sign * count for count in counts]
        else:
            held[key] = [have + sign * count for have, count in zip(sums, counts, strict=True)]

    def tasks_gone(self, tasks: Iterable[Sequence[Any]], tallies: Iterable[Sequence[Any]]) -> None:
        """Deleted tasks and their tallies, as `TASK_PARTS` and `TALLY_PARTS` return them."""
        places: dict[str, tuple[str, str]] = {}
        for id, agent, repository, risk, *severities in tasks:
            places[id] = (agent, repository)
            self.add(RISK_SUM, (agent, repository, risk), (1, *(int(count > 0) for count in severities)), -1)
        for id, week, *counts in tallies:
            # A tally never outlives its task; what another program left behind is in no sum either.
            if id in places:
                self.add(SHARE_SUM, (*places[id], week), counts, -1)

    def bodies_gone(self, bodies: Iterable[bytes]) -> None:
        """What deleted tasks told of clocks."""
        for body in bodies:
            for key in clock_keys(codec.clocks(body)):
                self.add(CLOCK_SUM, key, (1,), -1)

    def findings_gone(self, rows: Iterable[Sequence[Any]]) -> None:
        """Deleted findings, as `FINDING_PARTS` return them."""
        for at, rank, spot in rows:
            self.add(FINDING_SUM, (hour_of(at), rank, int(spot)), (1,), -1)

    def take(self, sums: Iterable[Sum]) -> None:
        """A task that is written, as `sums_of` gives it."""
        for name, key, counts in sums:
            self.add(table(name), key, counts)

    def credential(self, bond: str, flags: str, sign: int = 1) -> None:
        self.add(CREDENTIAL_SUM, (bond, flags), (1,), sign)

    def write(self, db: Database, connection: Connection) -> None:
        """Add it up; a row that nothing is left for goes."""
        for sums, held in self._counts.items():
            rows = sorted((*key, *counts) for key, counts in held.items() if any(counts))
            db.add_up(connection, sums, rows)
            whole = next(one for one in sums.columns if not one.primary_key)
            place = len(sums.primary_key)
            if any(row[place] < 0 for row in rows):
                connection.execute(delete(sums).where(whole <= 0))


class Posture:
    """Reads the sums, and the few figures an index gives as cheaply."""

    db: Database

    def share_sums(self) -> list[ShareSumRow]:
        """Governed actions by agent, repository and week."""
        with self.db.read() as connection:
            c = counted_shares().c if self.db.divided(connection) else SHARE_SUM.c
            rows = connection.execute(select(*c).order_by(c.agent, c.repository, c.week))
            return [ShareSumRow(agent, repository, week, Sums(*map(int, counts))) for agent, repository, week, *counts in rows]

    def risk_sums(self) -> list[RiskRow]:
        """Tasks by agent, repository and risk."""
        with self.db.read() as connection:
            c = counted_risks().c if self.db.divided(connection) else RISK_SUM.c
            return [RiskRow(*row) for row in connection.execute(select(*c).order_by(c.agent, c.repository, c.risk))]

    def finding_hours(self) -> list[FindingHour]:
        """Findings and blind spots by hour and severity; an hour that is not known is None."""
        names = {rank: severity.value for severity, rank in _RANKS.items()}
        with self.db.read() as connection:
            c = counted_findings().c if self.db.divided(connection) else FINDING_SUM.c
            rows = connection.execute(select(*c).order_by(c.hour, c.rank, c.blind_spot))
            return [
                FindingHour(None if hour == UNKNOWN_HOUR else hour, names[rank], bool(spot), n) for hour, rank, spot, n in rows
            ]

    def credential_sums(self) -> list[tuple[str, tuple[str, ...], int]]:
        """Credentials by bond and flags: (bond, flags, how many)."""
        c = CREDENTIAL_SUM.c
        with self.db.read() as connection:
            if self.db.divided(connection):
                held = Counter((flags, bond_of(codec.CREDENTIAL.decode(body))) for flags, body in streamed(connection, _HELD))
                return [
                    (bond, tuple(flags.split()), n) for (flags, bond), n in sorted(held.items(), key=lambda one: one[0][::-1])
                ]
            rows = connection.execute(select(CREDENTIAL_SUM).order_by(c.bond, c.flags))
            return [(bond, tuple(flags.split()), count) for bond, flags, count in rows]

    def waiting(self, bounds: Sequence[int]) -> WaitingRow:
        """Tasks that wait for a reviewer: how many never judged, how many reopened, when the oldest began.

        `bounds` are moments, the latest first; `since` counts the never judged that began at or after each of them (and
        after the one before it), then those before the last, and those whose beginning is not known are `undated`.
        """
        with self.db.read() as connection:
            opened, reopened = (connection.execute(waiting_statement(state)).scalar_one() for state in _WAITS)
            undated = connection.execute(waiting_statement(_OPEN, None, UNKNOWN_STARTED)).scalar_one()
            oldest = connection.execute(oldest_statement()).scalar()
            since, upper = [], None
            for bound in bounds:
                since.append(connection.execute(waiting_statement(_OPEN, bound, upper)).scalar_one())
                upper = bound - 1
        return WaitingRow(opened, reopened, undated, oldest, (*since, opened - undated - sum(since)))

    def waiting_rows(self, limit: int) -> list[TaskRow]:
        """The riskiest tasks that wait for a reviewer, in the order of the queue."""
        with self.db.read() as connection:
            return [task_row(tuple(row)) for row in connection.execute(riskiest_statement(limit))]

    def totals(self) -> dict[str, int]:
        """How many tasks, steps and findings there are, for whoever imports: counting records and events as well takes many times as long."""
        with self.db.read() as connection:
            tasks = connection.execute(select(func.sum(RISK_SUM.c.tasks))).scalar()
            real = select(func.sum(FINDING_SUM.c.findings)).where(FINDING_SUM.c.blind_spot == 0)
            findings = connection.execute(real).scalar()
            steps = connection.execute(select(func.count()).select_from(STEP)).scalar_one()
            return {"tasks": int(tasks or 0), "steps": int(steps), "findings": int(findings or 0)}

    def source_count(self) -> int:
        """How many sources were imported."""
        with self.db.read() as connection:
            return int(connection.execute(select(func.count()).select_from(SOURCE)).scalar_one())

    def journal_after(self, at: int) -> list[JournalEntry]:
        """Entries of the review journal written at or after a moment, the newest first; older ones are not read."""
        found: list[JournalEntry] = []
        with self.db.read() as connection:
            for row in streamed(connection, select(JOURNAL).order_by(JOURNAL.c.seq.desc()), 100):
                entry = JournalEntry(*row)
                if entry.at < at:
                    break
                found.append(entry)
        return found

    def whole_coverage(self) -> list[Coverage]:
        """The coverage of points as wholes, without what is told of single hosts and sessions."""
        with self.db.read() as connection:
            return covered(connection)

    def last_change(self) -> str:
        """The last change of any task as `number:token`; "" where the store knows of none."""
        with self.db.read() as connection:
            return _mark(connection)

    def changed_after(self, mark: str) -> int | None:
        """How many tasks that still stand were built after a change; None where that change is no longer known."""
        number, _, token = mark.partition(":")
        c = STEP_CHANGE.c
        if not number.isdigit() or len(number) > 18:
            return None
        with self.db.read() as connection:
            known = select(c.task_id).where(c.seq == int(number), c.token == token).limit(1)
            if connection.execute(known).first() is None:
                return None
            later = select(c.task_id).where(c.seq > int(number))
            if connection.execute(later.where(c.task_id == "").limit(1)).first() is not None:
                return None
            there = select(func.count()).select_from(TASK).where(TASK.c.id.in_(later))
            return int(connection.execute(there).scalar_one())

    def imports_after(self, at: int) -> int:
        """How many files were imported after a moment."""
        c = SOURCE_FILE.c
        with self.db.read() as connection:
            return int(connection.execute(select(func.count()).select_from(SOURCE_FILE).where(c.at > at)).scalar_one())


_HELD = select(CREDENTIAL.c.flags, CREDENTIAL.c.body)


def counted_shares() -> Any:
    """`SHARE_SUM` as it would be of the rows that this login sees, where it sees those of some teams alone."""
    place = (TASK.c.agent, TASK.c.repository, TALLY.c.week)
    counts = (cast(func.sum(TALLY.c[name]), BigInteger).label(name) for name in _SHARES)
    return select(*place, *counts).join_from(TALLY, TASK, TASK.c.id == TALLY.c.task_id).group_by(*place).subquery()


def counted_risks() -> Any:
    """The same of `RISK_SUM`."""
    place = (TASK.c.agent, TASK.c.repository, TASK.c.risk)
    some = (func.count(case((TASK.c[name] > 0, 1))).label(name) for name in _SEVERITIES)
    return select(*place, func.count().label("tasks"), *some).group_by(*place).subquery()


def counted_findings() -> Any:
    """The same of `FINDING_SUM`."""
    f = FINDING.c
    hour = func.coalesce(cast(func.floor(f.at / HOUR), BigInteger), UNKNOWN_HOUR).label("hour")
    found = select(hour, f.rank, f.blind_spot).subquery().c
    return select(*found, func.count().label("findings")).group_by(*found).subquery()


_OPEN = ReviewState.OPEN.value
_WAITS = (_OPEN, ReviewState.REOPENED.value)


def waiting_statement(state: str, low: int | None = None, high: int | None = None) -> Any:
    """How many tasks of a waiting state began between two moments, both included."""
    c = TASK.c
    wanted = select(func.count()).select_from(TASK).where(c.state == state)
    if low is not None:
        wanted = wanted.where(c.started >= low)
    return wanted if high is None else wanted.where(c.started <= high)


def oldest_statement() -> Any:
    """When the first of the tasks never judged began, as far as that is known."""
    c = TASK.c
    return select(c.started).where(c.state == _OPEN, c.started > UNKNOWN_STARTED).order_by(c.started).limit(1)


def riskiest_statement(limit: int) -> Any:
    """Waiting tasks by risk: a walk along the index of the risk, so the state must not look like one to search by."""
    c = TASK.c
    waits = func.coalesce(c.state, "") != ReviewState.REVIEWED.value
    return select(*(c[name] for name in TASK_COLUMNS)).where(waits).order_by(c.risk.desc(), c.started.desc(), c.id).limit(limit)


def _mark(connection: Connection) -> str:
    c = STEP_CHANGE.c
    found = connection.execute(select(c.seq, c.token).order_by(c.seq.desc()).limit(1)).first()
    return f"{found.seq}:{found.token}" if found else ""


def covered(connection: Connection) -> list[Coverage]:
    """What every reader is told of when points were watched, those of some teams alone included."""
    c = COVERAGE.c
    bodies = connection.execute(select(c.body).where(c.scope.in_(("", "*"))).order_by(c.seq)).scalars()
    return [codec.COVERAGE.decode(body) for body in bodies]
