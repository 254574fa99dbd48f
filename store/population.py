"""The population as a report reads it: steps of many tasks in one go, and what a moment or a period leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import func, or_, select

from model.evidence import SeenCredential, SeenStep, SeenTask
from store import codec
from store.engine import Database, chunks
from store.streams import streamed
from store.tables import CREDENTIAL, EVENT, STEP, TASK_BODY


class Population:
    """Reads by the thousand; a query per task would cost more than all the rest."""

    db: Database

    def seen_tasks(self) -> Iterator[SeenTask]:
        """Every task by id; of each what a population needs. What many have in common is one object in memory."""
        names: dict[str, str] = {}
        lacking: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
        one = names.setdefault
        with self.db.read() as connection:
            decode = codec.SEEN_TASK.decode
            for (body,) in streamed(connection, select(TASK_BODY.c.body).order_by(TASK_BODY.c.task_id)):
                task = decode(body)
                task.agent, task.principal = one(task.agent, task.agent), one(task.principal, task.principal)
                task.repository = one(task.repository, task.repository)
                task.unjudged = lacking.setdefault(tuple(task.unjudged.items()), task.unjudged)
                yield task

    def seen_credentials(self) -> list[SeenCredential]:
        """Every credential by id; of each what a report needs."""
        with self.db.read() as connection:
            bodies = streamed(connection, select(CREDENTIAL.c.body).order_by(CREDENTIAL.c.id)).scalars()
            return [codec.SEEN_CREDENTIAL.decode(body) for body in bodies]

    def steps_of(self, tasks: Sequence[str]) -> Iterator[SeenStep]:
        """The steps of many tasks, which are named in order, by task and in their order; of each what a population needs."""
        c = STEP.c
        for part in chunks(tasks):
            with self.db.read() as connection:
                rows = streamed(connection, select(c.body).where(c.task_id.in_(part)).order_by(c.task_id, c.n, c.id))
                decode = codec.SEEN_STEP.decode
                for some in rows.partitions():
                    for (body,) in some:
                        yield decode(body)

    def has_steps(self, number: int) -> bool:
        """Whether there are so many steps at least."""
        some = select(STEP.c.id).limit(number).subquery()
        with self.db.read() as connection:
            return connection.execute(select(func.count()).select_from(some)).scalar_one() >= number

    def seen_steps(self, ids: Sequence[str]) -> Iterator[SeenStep]:
        """Steps by their ids, in no order; of each what a population needs."""
        for part in chunks(ids):
            with self.db.read() as connection:
                for (body,) in connection.execute(select(STEP.c.body).where(STEP.c.id.in_(part))):
                    yield codec.SEEN_STEP.decode(body)

    def steps_outside(self, start: int | None, end: int | None, until: int) -> int:
        """How many steps happened by `until` and lie before or after a period."""
        at = STEP.c.at
        outside = [at < start] if start is not None else []
        outside += [at > end] if end is not None else []
        if not outside:
            return 0
        with self.db.read() as connection:
            wanted = select(func.count()).select_from(STEP).where(at <= until, or_(*outside))
            return connection.execute(wanted).scalar_one()

    def tasks_beyond(self, moment: int) -> set[str]:
        """Tasks of which something happened after a moment."""
        c = EVENT.c
        wanted = select(c.task_id).where(c.task_id.is_not(None), c.task_id != "", c.at > moment).distinct()
        with self.db.read() as connection:
            return set(connection.execute(wanted).scalars())
