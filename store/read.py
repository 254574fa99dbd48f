"""Reading what was derived: tasks, steps, findings, credentials, coverage, requests, search, and ids by their beginning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, Table, case, func, select

from model.chain import Coverage, Credential, Intent, Step, Task, TaskChain
from model.evidence import RequestRow
from store import codec
from store.engine import chunks
from store.findings import FindingReads
from store.records import RecordReads
from store.rows import TASK_COLUMNS, SearchHit, StepRow, TaskRow, task_row
from store.searching import among, holding, is_common, matching, snippet
from store.streams import streamed
from store.tables import (
    CLOCK_SUM,
    COVERAGE,
    CREDENTIAL,
    CREDENTIAL_TASK,
    EVENT,
    FINDING,
    RECORD,
    RECORD_ALSO,
    REJECT,
    REQUEST,
    SEARCH_DOC,
    SHAPE,
    SOURCE,
    STEP,
    TASK,
    TASK_BODY,
    WORD_PAIR,
)
from store.text import clean

_MATCHES = 10
_ALIKE = 8
"""So many first characters an id must share with what was typed to be offered in its place."""


class Reads(FindingReads, RecordReads):
    """What the build left behind, for people and reports."""

    # tasks and steps

    def task(self, id: str) -> Task | None:
        with self.db.read() as connection:
            rows = self.db.fetch(connection, "SELECT body FROM task_body WHERE task_id = ?", (id,))
        return codec.TASK.decode(rows[0][0]) if rows else None

    def task_bodies(self, ids: Sequence[str]) -> dict[str, Task]:
        """These tasks by id; unknown ids are left out."""
        found: dict[str, Task] = {}
        with self.db.read() as connection:
            for part in chunks(ids):
                rows = connection.execute(select(TASK_BODY.c.task_id, TASK_BODY.c.body).where(TASK_BODY.c.task_id.in_(part)))
                found.update({id: codec.TASK.decode(body) for id, body in rows})
        return found

    def clock_sums(self) -> dict[str, dict[int, int]]:
        """By point how many comparisons of its clock with an agent's gave which difference, in microseconds (`model.figures.apart`)."""
        found: dict[str, dict[int, int]] = {}
        with self.db.read() as connection:
            for point, apart, pairs in connection.execute(select(CLOCK_SUM)):
                found.setdefault(point, {})[int(apart)] = int(pairs)
        return found

    def word_clocks(self, until: int | None = None) -> Iterator[tuple[str, int]]:
        """Comparisons of clocks over calls and records that name no scope and say what only one of either side says: (point, difference).

        Of events that happened by `until`, where that is stated.
        """
        c = WORD_PAIR.c
        with self.db.read() as connection:
            rows = select(c.point, c.apart).join(EVENT, EVENT.c.id == c.event_id)
            rows = rows if until is None else rows.where(EVENT.c.at <= until)
            yield from ((point, apart) for point, apart in streamed(connection, rows))

    def task_row(self, id: str) -> TaskRow | None:
        """One task as the queue shows it, its review state included."""
        with self.db.read() as connection:
            row = connection.execute(select(*[TASK.c[name] for name in TASK_COLUMNS]).where(TASK.c.id == id)).first()
        return None if row is None else task_row(tuple(row))

    def tasks_by_id(self, ids: Sequence[str]) -> list[TaskRow]:
        """These tasks as the queue shows them, in no order; unknown ids are left out."""
        wanted = select(*[TASK.c[name] for name in TASK_COLUMNS])
        with self.db.read() as connection:
            return [task_row(tuple(row)) for part in chunks(ids) for row in connection.execute(wanted.where(TASK.c.id.in_(part)))]

    def task_evidence(self, id: str) -> str:
        """Digest of what a verdict on a task is given on, "" for an unknown task."""
        with self.db.read() as connection:
            return connection.execute(select(TASK.c.evidence).where(TASK.c.id == id)).scalar() or ""

    def tasks_of_scope(self, name: str) -> list[str]:
        """Ids of the tasks whose scope key (`kind:value`) this is."""
        with self.db.read() as connection:
            return list(connection.execute(select(TASK.c.id).where(TASK.c.scope == clean(name)).order_by(TASK.c.id)).scalars())

    def task_ids(self) -> Iterator[str]:
        """Every task, by id."""
        with self.db.read() as connection:
            yield from streamed(connection, select(TASK.c.id).order_by(TASK.c.id)).scalars()

    def chain(self, task_id: str) -> TaskChain | None:
        """A task with everything in it except the events themselves; `events_of_task` has those."""
        with self.db.read() as connection:
            row = connection.execute(select(TASK_BODY.c.body, TASK_BODY.c.extra).where(TASK_BODY.c.task_id == task_id)).first()
            if row is None:
                return None
            steps = connection.execute(select(STEP.c.body).where(STEP.c.task_id == task_id).order_by(STEP.c.n, STEP.c.id))
            extra = codec.EXTRA.decode(row.extra)
            return TaskChain(
                codec.TASK.decode(row.body),
                extra.intents,
                [codec.STEP.decode(body) for body in steps.scalars()],
                extra.links,
                extra.records,
            )

    def intents(self, task_id: str) -> list[Intent]:
        with self.db.read() as connection:
            extra = connection.execute(select(TASK_BODY.c.extra).where(TASK_BODY.c.task_id == task_id)).scalar()
        return [] if extra is None else codec.EXTRA.decode(extra).intents

    def steps(self, task_id: str, first: int = 0, limit: int | None = None) -> list[Step]:
        """A task's steps numbered from `first` on, in their order."""
        c = STEP.c
        wanted = select(c.body).where(c.task_id == task_id, c.n >= first).order_by(c.n, c.id).limit(limit)
        with self.db.read() as connection:
            return [codec.STEP.decode(body) for body in connection.execute(wanted).scalars()]

    def step_rows(self, task_id: str, first: int = 0, limit: int | None = None) -> list[StepRow]:
        """The same as short rows for a list."""
        c = STEP.c
        columns = (c.id, c.task_id, c.n, c.at, c.verb, c.target, c.title, c.recorded, c.disputed)
        wanted = select(*columns).where(c.task_id == task_id, c.n >= first).order_by(c.n, c.id).limit(limit)
        with self.db.read() as connection:
            return [StepRow(*row[:-1], disputed=bool(row[-1])) for row in connection.execute(wanted)]

    def step(self, id: str) -> Step | None:
        with self.db.read() as connection:
            body = connection.execute(select(STEP.c.body).where(STEP.c.id == id)).scalar()
        return None if body is None else codec.STEP.decode(body)

    def requests(self) -> Iterator[RequestRow]:
        """Every request of the history, by task and step."""
        c = REQUEST.c
        columns = (c.step_id, c.task_id, c.at, c.answered, SHAPE.c.request)
        wanted = select(*columns).join(SHAPE, SHAPE.c.digest == c.shape).order_by(c.task_id, c.step_id)
        with self.db.read() as connection:
            for id, task, at, answered, request in streamed(connection, wanted):
                yield RequestRow(id, task, at, answered, codec.REQUEST.decode(request))

    # credentials, coverage

    def credential(self, id: str) -> Credential | None:
        return self._lifeline("SELECT body FROM credential WHERE id = ?", id)

    def credential_by_key(self, key: str) -> Credential | None:
        """The lifeline of the credential whose key (`kind:value`) this is."""
        return self._lifeline("SELECT body FROM credential WHERE key = ?", clean(key))

    def _lifeline(self, statement: str, name: str) -> Credential | None:
        with self.db.read() as connection:
            rows = self.db.fetch(connection, statement, (name,))
        return codec.CREDENTIAL.decode(rows[0][0]) if rows else None

    def credentials(
        self, task: str | None = None, ids: Sequence[str] | None = None, after: str = "", limit: int | None = None
    ) -> list[Credential]:
        """Credential lifelines by id: all, those of a task, or those named; from the one after `after` on."""
        c = CREDENTIAL.c
        wanted = select(c.body).where(c.id > after).order_by(c.id).limit(limit)
        if task is not None:
            wanted = wanted.where(c.id.in_(select(CREDENTIAL_TASK.c.credential_id).where(CREDENTIAL_TASK.c.task_id == task)))
        with self.db.read() as connection:
            if ids is None:
                rows = streamed(connection, wanted) if task is None and limit is None else connection.execute(wanted)
                return [codec.CREDENTIAL.decode(body) for body in rows.scalars()]
            found: list[Credential] = []
            for part in chunks(sorted(set(ids))):
                found += [codec.CREDENTIAL.decode(body) for body in connection.execute(wanted.where(c.id.in_(part))).scalars()]
            return found[:limit]

    def credentials_held(self, kind: str, issuer: str, subject: str) -> list[Credential]:
        """The credentials of one holder by id; none where kind or subject are not known."""
        c = CREDENTIAL.c
        mine = (c.kind == clean(kind), c.issuer == clean(issuer), c.subject == clean(subject))
        wanted = select(c.body).where(*mine, c.kind != "", c.subject != "").order_by(c.id)
        with self.db.read() as connection:
            return [codec.CREDENTIAL.decode(body) for body in streamed(connection, wanted).scalars()]

    def credentials_of(self, task_id: str) -> list[Credential]:
        """The credentials issued to, used or exposed in a task."""
        return self.credentials(task=task_id)

    def coverage(self) -> list[Coverage]:
        """Every observed span of every enforcement point, by point, vantage, scope and start."""
        with self.db.read() as connection:
            bodies = connection.execute(select(COVERAGE.c.body).order_by(COVERAGE.c.seq)).scalars()
            return [codec.COVERAGE.decode(body) for body in bodies]

    # finding things

    def search(self, text: str, limit: int = 100) -> list[SearchHit]:
        """Steps and tasks that hold every word of a text, those of the riskiest tasks first."""
        d, t = SEARCH_DOC.c, TASK.c
        order = (t.risk.desc(), t.started.desc(), t.id)
        wanted = select(d.task_id, d.step_id, d.text).join(TASK, t.id == d.task_id).order_by(*order, d.n, d.step_id).limit(limit)
        with self.db.read() as connection:
            hits = matching(self.db, connection, text.split())
            if hits is None:
                return []
            if is_common(self.db, connection, hits):
                first = (
                    connection.execute(select(t.id).where(holding(self.db, hits)).order_by(*order).limit(limit)).scalars().all()
                )
                wanted = wanted.where(d.task_id.in_(first), among(self.db, hits))
            else:
                wanted = wanted.where(d.id.in_(hits))
            return [SearchHit(task, step, snippet(content, text)) for task, step, content in connection.execute(wanted)]

    def resolve(self, text: str) -> list[tuple[str, str]]:
        """What an id, its beginning, a record digest or a session id may mean, as (kind, id): none, one, or several to choose from.

        Kinds: task, step, finding, credential, event, record, source. A whole id means itself alone.
        """
        wanted = clean(text.strip())
        if not wanted:
            return []
        found: list[tuple[str, str]] = []
        with self.db.read() as connection:
            for kind, rows in _ID_TABLES:
                ids = list(connection.execute(_beginning(rows, wanted)).scalars())
                if wanted in ids:
                    return [(kind, wanted)]
                found += [(kind, id) for id in ids]
            if not found:
                scoped = select(TASK.c.id).where(TASK.c.scope.in_((wanted, f"session:{wanted.lower()}"))).order_by(TASK.c.id)
                found += [("task", id) for id in connection.execute(scoped).scalars()]
        if not found:
            found += [("record", id) for id in self.record_by_digest(wanted.lower())]
        return found[:_MATCHES]

    def nearest(self, text: str, count: int = 3) -> list[tuple[str, str]]:
        """Ids that begin most like a text that names nothing, as (kind, id), the most alike first; none that begins otherwise.

        Of each kind only the ids just before and after the text are looked at, so that it costs the same in any store.
        """
        wanted = clean(text.strip())
        found: set[tuple[str, str]] = set()
        with self.db.read() as connection:
            for kind, rows in _ID_TABLES:
                id = rows.c.id
                before = select(id).where(id < wanted).order_by(id.desc()).limit(1)
                after = select(id).where(id > wanted).order_by(id).limit(1)
                found |= {(kind, one) for query in (before, after) for one in connection.execute(query).scalars()}
        alike = {one: _shared(one[1], wanted) for one in found}
        best = max(alike.values(), default=0)
        if best < _ALIKE:
            return []
        return sorted((one for one in found if alike[one] == best), key=lambda one: one[1])[:count]

    def counts(self) -> dict[str, int]:
        """How much there is of everything."""
        tables = {
            "sources": SOURCE,
            "records": RECORD,
            "duplicates": RECORD_ALSO,
            "rejects": REJECT,
            "events": EVENT,
            "tasks": TASK,
            "steps": STEP,
            "credentials": CREDENTIAL,
        }
        spots = select(func.count()).select_from(FINDING)
        with self.db.read() as connection:
            found = {
                name: connection.execute(select(func.count()).select_from(rows)).scalar_one() for name, rows in tables.items()
            }
            found["findings"] = connection.execute(spots.where(FINDING.c.blind_spot.is_(False))).scalar_one()
            found["blind_spots"] = connection.execute(spots.where(FINDING.c.blind_spot.is_(True))).scalar_one()
            lost = select(func.count()).select_from(EVENT).where(EVENT.c.task_id == "")
            found["unattributed"] = connection.execute(lost).scalar_one()
        return found

    def tasks_between(self, start: int, end: int) -> set[str]:
        """Tasks that have an event of this span, whoever told of it."""
        c = EVENT.c
        wanted = select(c.task_id).where(c.task_id.is_not(None), c.task_id != "", c.at >= start, c.at <= end).distinct()
        with self.db.read() as connection:
            return set(connection.execute(wanted).scalars())

    def found_by(self) -> dict[str, tuple[int, int, int]]:
        """By detection: findings, blind spots, and tasks that have a finding."""
        c = FINDING.c
        real = case((c.blind_spot.is_(False), 1), else_=0)
        tasks = func.count(func.distinct(case((c.blind_spot.is_(False), c.task_id))))
        wanted = select(c.detection, func.sum(real), func.count() - func.sum(real), tasks).group_by(c.detection)
        with self.db.read() as connection:
            return {
                name: (int(n), int(spots), int(held)) for name, n, spots, held in connection.execute(wanted.order_by(c.detection))
            }

    def hidden(self) -> dict[str, dict[str, int]]:
        """Findings that the organisation file has not reported, by detection and reason."""
        found: dict[str, dict[str, int]] = {}
        with self.db.read() as connection:
            ids = [str(id) for id in connection.execute(select(TASK.c.id).where(TASK.c.hidden > 0).order_by(TASK.c.id)).scalars()]
        for part in chunks(ids):
            for task in self.task_bodies(list(part)).values():
                for detection, reasons in task.hidden.items():
                    held = found.setdefault(detection, {})
                    for reason, count in reasons.items():
                        held[reason] = held.get(reason, 0) + count
        return {detection: dict(sorted(reasons.items())) for detection, reasons in sorted(found.items())}


_ID_TABLES: tuple[tuple[str, Table], ...] = (
    ("task", TASK),
    ("step", STEP),
    ("finding", FINDING),
    ("credential", CREDENTIAL),
    ("event", EVENT),
    ("record", RECORD),
    ("source", SOURCE),
)


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _beginning(table: Table, prefix: str) -> Select[Any]:
    """Ids that begin so: a range of the key, not a pattern, so that its index serves."""
    id = table.c.id
    return select(id).where(id >= prefix, id < prefix + "\U0010ffff").distinct().order_by(id).limit(_MATCHES)
