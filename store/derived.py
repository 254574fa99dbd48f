"""Writing what follows from the evidence: attributions, chains, findings, credentials, coverage. All of it can be rebuilt."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, or_, select, update

from model.chain import Coverage, Credential, Finding, TaskChain
from store.chainrows import Built, Page, listed, rows_of
from store.codec import CREDENTIAL as CREDENTIAL_BODY
from store.codec import pack
from store.engine import chunks
from store.judgements import standing
from store.meta import unbuild
from store.posture import FINDING_PARTS, TALLY_PARTS, TASK_PARTS, Change, bond_of
from store.rows import HeardState
from store.searching import SearchWriter
from store.shapes import forget_changes, note_change
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
    DIRTY_POINT,
    DIRTY_TASK,
    EVENT,
    FINDING,
    HEARD,
    POINT_VERSION,
    REQUEST,
    SHAPE,
    STEP,
    TALLY,
    TASK,
    TASK_BODY,
    TASK_TEAM,
    table,
)
from store.text import clean, instant
from store.waiting import Waiting

_RISK, _STARTED = ([column.name for column in TASK.columns].index(name) for name in ("risk", "started"))
"""Where a task's row says what orders it."""


class Derived(Waiting):
    """The build's half of a store."""

    # chains

    def save_chain(self, chain: TaskChain, findings: Sequence[Finding]) -> None:
        """Put a task's chain and findings in place of what was derived for it before."""
        self.save_chains([(chain, findings)])

    def save_chains(self, chains: Sequence[tuple[TaskChain, Sequence[Finding]]]) -> None:
        """The same for many tasks in one transaction."""
        made = [rows_of(chain, findings) for chain, findings in chains]
        with self.db.write() as connection:
            for part in chunks([built for built, _ in made], 100):
                self._save(connection, part)
            for _, pages in made:
                for page in pages:
                    self._save_page(connection, page)

    def save_built(self, built: Sequence[Built], pages: Sequence[Page] = ()) -> None:
        """The same for tasks whose rows are made already, and further pages of tasks whose first ones are written."""
        with self.db.write() as connection:
            for part in chunks(built, 100):
                self._save(connection, part)
            for page in pages:
                self._save_page(connection, page)

    def _save_page(self, connection: Connection, page: Page) -> None:
        """One more page of a task's steps. A build that ends before the last of them is done again."""
        change = Change()
        self._drop(connection, change, [], steps=[step[0] for step in page.steps], findings=[])
        note_change(self.db, connection, {page.task})
        search = SearchWriter(self.db, connection)
        held = connection.execute(select(TASK.c.risk, TASK.c.started).where(TASK.c.id == page.task)).one()
        search.take(page.task, page.texts, held.risk, held.started)
        self._insert_pages(connection, [page])
        change.write(self.db, connection)
        search.flush()

    def _insert_pages(self, connection: Connection, pages: Sequence[Page]) -> None:
        self.db.insert(connection, SHAPE, sorted({shape for page in pages for shape in page.shapes}), ignore=True)
        self.db.insert(connection, STEP, [row for page in pages for row in page.steps])
        self.db.insert(connection, REQUEST, [row for page in pages for row in page.requests])

    def _save(self, connection: Connection, built: Sequence[Built]) -> None:
        change = Change()
        self._drop(
            connection,
            change,
            [one.task for one in built],
            steps=[step[0] for one in built for step in one.page.steps],
            findings=[finding[0] for one in built for finding in one.findings],
        )
        assignees = assigned(connection, [one.task for one in built])
        reviews = standing(connection, [(one.task, one.scope) for one in built])
        search = SearchWriter(self.db, connection)
        for one in built:
            search.take(one.task, one.page.texts, one.columns[_RISK], one.columns[_STARTED])
            change.take(one.sums)
        self.db.insert(
            connection,
            TASK,
            [
                (
                    *one.columns,
                    one.evidence,
                    *reviews[one.task].columns(one.evidence),
                    one.hidden,
                    clean(assignees.get(one.task, "")),
                )
                for one in built
            ],
        )
        self.db.insert(connection, TASK_BODY, [(one.task, one.body, one.extra) for one in built])
        self._insert_pages(connection, [one.page for one in built])
        for name, rows in (
            (TALLY, [row for one in built for row in one.tallies]),
            (POINT_VERSION, [row for one in built for row in one.versions]),
            (CLAIM, [row for one in built for row in one.claims]),
            (CONFORMANCE, [row for one in built for row in one.compared]),
            (TASK_TEAM, [row for one in built for row in one.teams]),
            (FINDING, [row for one in built for row in one.findings]),
        ):
            self.db.insert(connection, name, rows)
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
                bodies = delete(TASK_BODY).where(TASK_BODY.c.task_id.in_(part)).returning(TASK_BODY.c.body)
                change.bodies_gone(connection.execute(bodies).scalars())
                connection.execute(delete(POINT_VERSION).where(POINT_VERSION.c.task_id.in_(part)))
                connection.execute(delete(CLAIM).where(CLAIM.c.task_id.in_(part)))
                connection.execute(delete(CONFORMANCE).where(CONFORMANCE.c.task_id.in_(part)))
                connection.execute(delete(TASK_TEAM).where(TASK_TEAM.c.task_id.in_(part)))
            change.findings_gone(connection.execute(delete(FINDING).where(FINDING.c.task_id.in_(part)).returning(*FINDING_PARTS)))
        for part in chunks(steps):
            moved = list(connection.execute(delete(STEP).where(STEP.c.id.in_(part)).returning(STEP.c.task_id, STEP.c.id)))
            for task, step in moved:
                for rows in (REQUEST, CLAIM):
                    connection.execute(delete(rows).where(rows.c.task_id == task, rows.c.step_id == step))
                changed.add(task)
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
                change.credential(bond_of(one), listed(one.flags))
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
                        listed(one.flags),
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

    def save_heard(self, heard: Sequence[tuple[HeardState, bytes]], gone: Sequence[HeardState]) -> None:
        """Keep what was heard of points up to these moments, and forget it for those that are `gone`."""
        c = HEARD.c
        with self.db.write() as connection:
            for state in gone:
                connection.execute(delete(HEARD).where(c.point == state.point, c.until == state.until))
            self.db.insert(connection, HEARD, [(state.point, state.until, state.records, body) for state, body in heard])

    def clear_derived(self) -> None:
        """Forget everything derived and have every event looked at again; evidence and what people said stay."""
        with self.db.write() as connection:
            SearchWriter(self.db, connection).clear()
            for name in DERIVED:
                connection.execute(delete(table(name)))
            forget_changes(self.db, connection)
            for waiting in (DIRTY_KEY, DIRTY_POINT, DIRTY_TASK):
                connection.execute(delete(waiting))
            unbuild(connection)
            e = EVENT.c
            connection.execute(
                update(EVENT).where(or_(e.task_id.is_not(None), e.links.is_not(None))).values(task_id=None, links=None)
            )
