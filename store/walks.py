"""One task in parts, so that a walk through fifty thousand steps reads what is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import func, select

from model.chain import Coverage, Finding, Intent, Step
from model.evidence import StepSketch
from model.figures import Sums
from store import codec
from store.engine import Database, chunks
from store.tables import COVERAGE, FINDING, SEARCH_DOC, STEP, TALLY, TASK_BODY
from store.text import clean


class Walks:
    """Reads of one task by step number."""

    db: Database

    def sketches(self, task_id: str, first: int, limit: int) -> list[StepSketch]:
        """So many steps of a task from number `first` on, each with only what groups it and what is jumped to."""
        c = STEP.c
        wanted = select(c.body).where(c.task_id == task_id, c.n >= first).order_by(c.n, c.id).limit(limit)
        with self.db.read() as connection:
            return [codec.sketch(body) for body in connection.execute(wanted).scalars()]

    def steps_numbered(self, task_id: str, numbers: Sequence[int]) -> list[Step]:
        """The steps of these numbers, in their order."""
        c = STEP.c
        found: list[Step] = []
        with self.db.read() as connection:
            for part in chunks(sorted(set(numbers))):
                wanted = select(c.body).where(c.task_id == task_id, c.n.in_(part)).order_by(c.n, c.id)
                found += [codec.STEP.decode(body) for body in connection.execute(wanted).scalars()]
        return found

    def count_steps(self, task_id: str) -> int:
        with self.db.read() as connection:
            return int(connection.execute(select(func.count()).select_from(STEP).where(STEP.c.task_id == task_id)).scalar_one())

    def number_of_step(self, id: str) -> tuple[str, int] | None:
        """Task and number of a step by its id."""
        with self.db.read() as connection:
            row = connection.execute(select(STEP.c.task_id, STEP.c.n).where(STEP.c.id == id)).first()
        return None if row is None else (row.task_id, row.n)

    def first_intents(self, task_id: str) -> list[Intent]:
        """A task's intents, without the records and links that are stored beside them."""
        with self.db.read() as connection:
            extra = connection.execute(select(TASK_BODY.c.extra).where(TASK_BODY.c.task_id == task_id)).scalar()
        return [] if extra is None else codec.intents(extra)

    def finding_places(self, task_id: str) -> list[tuple[str, str, int, bool]]:
        """Where a task's findings stand: (step or "", detection, rank, blind spot), the gravest first."""
        c = FINDING.c
        wanted = select(c.step_id, c.detection, c.rank, c.blind_spot).where(c.task_id == task_id)
        with self.db.read() as connection:
            rows = connection.execute(wanted.order_by(c.blind_spot, c.rank, c.detection, c.id))
            return [(step, detection, rank, bool(spot)) for step, detection, rank, spot in rows]

    def findings_of_steps(self, task_id: str, steps: Iterable[str], limit: int | None = None) -> list[Finding]:
        """Findings on these steps of a task ("" for the task as a whole), blind spots last, the gravest first."""
        c = FINDING.c
        found: list[Finding] = []
        with self.db.read() as connection:
            for part in chunks(sorted(set(steps))):
                wanted = select(c.body).where(c.task_id == task_id, c.step_id.in_(part))
                wanted = wanted.order_by(c.blind_spot, c.rank, c.detection, c.id).limit(limit)
                found += [codec.FINDING.decode(body) for body in connection.execute(wanted).scalars()]
        return found

    def steps_holding(self, task_id: str, text: str) -> list[int]:
        """Numbers of the steps whose searchable text holds this text somewhere, whatever its case, in order."""
        c = SEARCH_DOC.c
        wanted = clean(text.strip())
        if not wanted:
            return []
        held = select(c.n).where(c.task_id == task_id, c.step_id != "", c.text.icontains(wanted, autoescape=True))
        with self.db.read() as connection:
            return sorted(set(connection.execute(held).scalars()))

    def coverage_for(self, names: Iterable[str]) -> list[Coverage]:
        """Coverage of every point as a whole, and what it covers of these principals, hosts or scopes."""
        c = COVERAGE.c
        scopes = {f"{kind}:{name}" for name in names for kind in ("principal", "host", "session")} | set(names)
        with self.db.read() as connection:
            found: list[tuple[int, bytes]] = []
            for part in chunks(sorted({"", "*", *map(clean, scopes)})):
                found += [(row.seq, row.body) for row in connection.execute(select(c.seq, c.body).where(c.scope.in_(part)))]
        return [codec.COVERAGE.decode(body) for _, body in sorted(found)]

    def task_sums(self, task_id: str) -> tuple[Sums, list[str]]:
        """What a task's actions add up to, and the tools they were done with."""
        total, tools = Sums(), set()
        for one, tool in self._tallied(task_id):
            total = total.plus(one)
            tools.add(tool)
        return total, sorted(tools - {""})

    def _tallied(self, task_id: str) -> Iterator[tuple[Sums, str]]:
        c = TALLY.c
        wanted = select(c.tool, *(c[name] for name in Sums.__struct_fields__)).where(c.task_id == task_id)
        with self.db.read() as connection:
            for tool, *values in connection.execute(wanted):
                yield Sums(*values), tool
