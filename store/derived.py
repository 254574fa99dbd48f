"""Writing what follows from the evidence: attributions, chains, findings, credentials, coverage. All of it can be rebuilt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from model.chain import Coverage, Credential, Finding, Step, Task, TaskChain
from model.conformance import Conformance
from model.event import Attr, digest
from model.figures import Tally, Version
from model.request import ASSUMED, SEPARATOR, TOLD_BY
from model.words import Severity
from store.codec import CREDENTIAL as CREDENTIAL_BODY
from store.codec import Extra, pack
from store.engine import chunks
from store.judgements import standing
from store.meta import unbuild
from store.posture import FINDING_PARTS, TALLY_PARTS, TASK_PARTS, Change, bond_of
from store.searching import SearchWriter, task_text
from store.shapes import forget_changes, note_change, shape_digest
from store.statements import assigned
from store.tables import (
    CLAIM,
    CONFORMANCE,
    COVERAGE,
    CREDENTIAL,
    CREDENTIAL_SUM,
    CREDENTIAL_TASK,
    DERIVED,
    DIRTY_KEY,
    DIRTY_TASK,
    EVENT,
    FINDING,
    POINT_VERSION,
    REQUEST,
    SHAPE,
    STEP,
    TALLY,
    TASK,
    TASK_BODY,
    table,
)
from store.text import UNKNOWN_EARLY, clean, distinct, instant
from store.waiting import Waiting

Built = tuple[TaskChain, Sequence[Finding]]
"""A task as the build hands it over."""

RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Derived(Waiting):
    """The build's half of a store."""

    # chains

    def save_chain(self, chain: TaskChain, findings: Sequence[Finding]) -> None:
        """Put a task's chain and findings in place of what was derived for it before."""
        self.save_chains([(chain, findings)])

    def save_chains(self, chains: Sequence[Built]) -> None:
        """The same for many tasks in one transaction."""
        with self.db.write() as connection:
            for part in chunks(chains, 100):
                self._save(connection, part)

    def _save(self, connection: Connection, chains: Sequence[Built]) -> None:
        change = Change()
        self._drop(
            connection,
            change,
            [chain.task.id for chain, _ in chains],
            steps=[step.id for chain, _ in chains for step in chain.steps],
            findings=[finding.id for _, found in chains for finding in found],
        )
        assignees = assigned(connection, [chain.task.id for chain, _ in chains])
        reviews = standing(connection, [(chain.task.id, clean(chain.task.scope)) for chain, _ in chains])
        tasks: list[tuple[Any, ...]] = []
        bodies: list[tuple[Any, ...]] = []
        steps: list[tuple[Any, ...]] = []
        requests: list[tuple[Any, ...]] = []
        shapes: dict[bytes, bytes] = {}
        tallies: list[tuple[Any, ...]] = []
        versions: list[tuple[Any, ...]] = []
        claims: list[tuple[Any, ...]] = []
        compared: list[tuple[Any, ...]] = []
        rows: list[tuple[Any, ...]] = []
        search = SearchWriter(self.db, connection)
        for chain, found in chains:
            task = chain.task
            evidence = evidence_of(chain, found)
            tasks.append(
                (
                    *_task_columns(task, found),
                    evidence,
                    *reviews[task.id].columns(evidence),
                    hidden_of(task),
                    clean(assignees.get(task.id, "")),
                )
            )
            bodies.append((task.id, pack(task), pack(Extra(chain.intents, chain.links, chain.records))))
            search.add(task.id, "", 0, task_text(task, chain.intents))
            for step in chain.steps:
                search.add_step(step)
                request = pack(_replayed(step))
                shape = shape_digest(request)
                shapes[shape] = request
                steps.append(
                    (
                        step.id,
                        task.id,
                        step.n,
                        instant(step.at),
                        step.verb.value,
                        clean(f"{step.target.cls.value}:{step.target.name}" if step.target.name else ""),
                        clean(step.title),
                        step.outcome.permitted.value,
                        step.outcome.disputed,
                        pack(step),
                    )
                )
                requests.append((task.id, shape, step.id, instant(step.at), step.outcome.answered.value))
            tallies += [(task.id, *_cells(one)) for one in chain.tallies]
            versions += [(task.id, *_cells(one)) for one in chain.versions]
            claims += [(one.value, one.start, one.step, task.id) for one in chain.claims]
            compared += _compared_rows(chain)
            rows += [_finding_columns(finding) for finding in found]
            change.task_comes(chain, found)
        self.db.insert(connection, TASK, tasks)
        self.db.insert(connection, TASK_BODY, bodies)
        self.db.insert(connection, SHAPE, sorted(shapes.items()), ignore=True)
        self.db.insert(connection, STEP, steps)
        self.db.insert(connection, REQUEST, requests)
        self.db.insert(connection, TALLY, tallies)
        self.db.insert(connection, POINT_VERSION, versions)
        self.db.insert(connection, CLAIM, claims)
        self.db.insert(connection, CONFORMANCE, compared)
        self.db.insert(connection, FINDING, rows)
        change.write(self.db, connection)
        search.flush()

    def delete_task(self, task_id: str) -> None:
        """Take away everything derived for a task that no longer has events."""
        with self.db.write() as connection:
            change = Change()
            self._drop(connection, change, [task_id], steps=[], findings=[])
            change.write(self.db, connection)

    def _drop(
        self, connection: Connection, change: Change, tasks: Sequence[str], *, steps: Sequence[str], findings: Sequence[str]
    ) -> None:
        """Remove rows of these tasks, and rows of these ids that stood on other tasks (two tasks became one)."""
        changed = set(tasks)
        for part in chunks(tasks):
            if connection.execute(select(TASK.c.id).where(TASK.c.id.in_(part)).limit(1)).first() is not None:
                SearchWriter(self.db, connection).drop(part)
                connection.execute(delete(STEP).where(STEP.c.task_id.in_(part)))
                connection.execute(delete(REQUEST).where(REQUEST.c.task_id.in_(part)))
                gone = connection.execute(delete(TASK).where(TASK.c.id.in_(part)).returning(*TASK_PARTS)).all()
                counted = connection.execute(delete(TALLY).where(TALLY.c.task_id.in_(part)).returning(*TALLY_PARTS)).all()
                change.tasks_gone(gone, counted)
                connection.execute(delete(TASK_BODY).where(TASK_BODY.c.task_id.in_(part)))
                connection.execute(delete(POINT_VERSION).where(POINT_VERSION.c.task_id.in_(part)))
                connection.execute(delete(CLAIM).where(CLAIM.c.task_id.in_(part)))
                connection.execute(delete(CONFORMANCE).where(CONFORMANCE.c.task_id.in_(part)))
            change.findings_gone(connection.execute(delete(FINDING).where(FINDING.c.task_id.in_(part)).returning(*FINDING_PARTS)))
        for part in chunks(steps):
            moved = list(connection.execute(delete(STEP).where(STEP.c.id.in_(part)).returning(STEP.c.task_id, STEP.c.id)))
            for task, step in moved:
                connection.execute(delete(REQUEST).where(REQUEST.c.task_id == task, REQUEST.c.step_id == step))
                changed.add(task)
        for part in chunks(steps):
            connection.execute(delete(CLAIM).where(CLAIM.c.step_id.in_(part)))
        for part in chunks(findings):
            change.findings_gone(connection.execute(delete(FINDING).where(FINDING.c.id.in_(part)).returning(*FINDING_PARTS)))
        note_change(self.db, connection, changed)

    # credentials and coverage

    def save_credentials(self, credentials: Sequence[Credential]) -> None:
        """Put credential lifelines in place of earlier ones of the same ids."""
        with self.db.write() as connection:
            change = Change()
            self._drop_credentials(connection, change, [credential.id for credential in credentials])
            for one in credentials:
                change.credential(bond_of(one), _listed(one.flags))
            self.db.insert(
                connection,
                CREDENTIAL,
                [
                    (
                        one.id,
                        clean(one.key),
                        clean(one.kind),
                        clean(one.issuer),
                        clean(one.subject),
                        _listed(one.flags),
                        instant(one.last_use),
                        pack(one),
                    )
                    for one in credentials
                ],
            )
            pairs = {(one.id, task) for one in credentials for task in (*one.tasks, one.issued_task) if task}
            self.db.insert(connection, CREDENTIAL_TASK, sorted(pairs))
            change.write(self.db, connection)

    def delete_credentials(self, ids: Sequence[str] | None = None) -> None:
        """Take these credential lifelines away, or all of them."""
        with self.db.write() as connection:
            if ids is None:
                for rows in (CREDENTIAL, CREDENTIAL_TASK, CREDENTIAL_SUM):
                    connection.execute(delete(rows))
            else:
                change = Change()
                self._drop_credentials(connection, change, ids)
                change.write(self.db, connection)

    def _drop_credentials(self, connection: Connection, change: Change, ids: Sequence[str]) -> None:
        for part in chunks(ids):
            gone = delete(CREDENTIAL).where(CREDENTIAL.c.id.in_(part)).returning(CREDENTIAL.c.flags, CREDENTIAL.c.body)
            for flags, body in connection.execute(gone):
                change.credential(bond_of(CREDENTIAL_BODY.decode(body)), flags, -1)
            connection.execute(delete(CREDENTIAL_TASK).where(CREDENTIAL_TASK.c.credential_id.in_(part)))

    def save_coverage(self, coverage: Sequence[Coverage]) -> None:
        """Put this coverage in place of all earlier."""
        ordered = sorted(coverage, key=lambda one: (one.point, one.vantage.value, one.scope, one.start))
        with self.db.write() as connection:
            connection.execute(delete(COVERAGE))
            self.db.insert(
                connection,
                COVERAGE,
                [
                    (seq, clean(one.point), one.vantage.value, clean(one.scope), instant(one.start) or 0, pack(one))
                    for seq, one in enumerate(ordered, 1)
                ],
            )

    def clear_derived(self) -> None:
        """Forget everything derived and have every event looked at again; evidence and what people said stay."""
        with self.db.write() as connection:
            SearchWriter(self.db, connection).clear()
            for name in DERIVED:
                connection.execute(delete(table(name)))
            forget_changes(self.db, connection)
            for waiting in (DIRTY_KEY, DIRTY_TASK):
                connection.execute(delete(waiting))
            unbuild(connection)
            e = EVENT.c
            connection.execute(
                update(EVENT).where(or_(e.task_id.is_not(None), e.links.is_not(None))).values(task_id=None, links=None)
            )


def evidence_of(chain: TaskChain, findings: Sequence[Finding]) -> str:
    """Digest of what a verdict on a task was given on: its records and its findings with their evidence."""
    found = sorted(f"{finding.id} {finding.evidence_digest}" for finding in findings)
    return digest(*sorted(set(chain.records)), "findings", *found)


def hidden_of(task: Task) -> int:
    """How many findings of a task are not reported."""
    return sum(count for reasons in task.hidden.values() for count in reasons.values())


def _task_columns(task: Task, findings: Sequence[Finding]) -> tuple[Any, ...]:
    real = [finding.severity for finding in findings if not finding.blind_spot]
    started = instant(task.started)
    return (
        task.id,
        clean(task.scope),
        clean(task.title),
        clean(task.agent),
        clean(task.principal),
        clean(task.on_behalf_of),
        clean(task.repository),
        clean(task.environment),
        UNKNOWN_EARLY if started is None else started,
        instant(task.ended),
        task.steps,
        task.events,
        task.risk,
        len(real),
        *(real.count(severity) for severity in Severity),
        len(findings) - len(real),
        _listed({finding.detection for finding in findings if not finding.blind_spot}),
        _listed(task.vantages),
        _listed(task.points),
        clean(task.parent),
        task.depth,
    )


def _compared_rows(chain: TaskChain) -> list[tuple[Any, ...]]:
    """Each step that is another thing than its policy says, and how many others there are of each kind."""
    if not chain.compared:
        return []
    times = {step.id: step.at for step in chain.steps}
    counts: Counter[tuple[str, ...]] = Counter()
    found: list[tuple[Any, ...]] = []
    for one in chain.compared:
        place = (chain.task.id, distinct(one.expected.policy), distinct(one.expected.point), one.kind.value, distinct(one.why))
        if one.kind in (Conformance.AGREES, Conformance.UNKNOWN):
            counts[place] += 1
        else:
            found.append((*place, one.step, 1, instant(times.get(one.step)), pack(one)))
    return found + [(*place, "", count, None, b"") for place, count in sorted(counts.items())]


def _replayed(step: Step) -> dict[str, Attr]:
    """A step's request as replay reads it: with the names of what was assumed in it and of the points that tell of it."""
    request = dict(step.request)
    if step.assumed:
        request[ASSUMED] = SEPARATOR.join(step.assumed)
    if points := sorted({item.point for item in step.items() if item.point}):
        request[TOLD_BY] = SEPARATOR.join(points)
    return request


def _cells(counted: Tally | Version) -> Iterator[Any]:
    """The columns of what was counted: text and times as the database takes them. Different texts stay different."""
    for name in counted.__struct_fields__:
        value = getattr(counted, name)
        yield distinct(value) if isinstance(value, str) else instant(value) if name in ("first", "last") else value


def _finding_columns(finding: Finding) -> tuple[Any, ...]:
    return (
        finding.id,
        clean(finding.detection),
        RANKS[finding.severity],
        finding.blind_spot,
        finding.task,
        finding.step,
        instant(finding.at),
        pack(finding),
    )


def _listed(names: Any) -> str:
    """Names as one blank-framed column, so that ` name ` finds exactly one of them."""
    ordered = sorted({clean(name).replace(" ", "_") for name in names})
    return f" {' '.join(ordered)} " if ordered else ""
