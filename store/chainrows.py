"""A built task as the rows that are written of it: made by whoever builds it, written by whoever holds the store's writer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from model.chain import Finding, Step, Task, TaskChain
from model.conformance import Conformance
from model.event import Attr, digest
from model.figures import Tally, Version
from model.request import ASSUMED, SEPARATOR, TOLD_BY
from model.words import Severity
from store.codec import Extra, pack
from store.posture import Sum, sums_of
from store.searching import Text, step_text, task_text, text_of
from store.shapes import shape_digest
from store.text import UNKNOWN_EARLY, clean, distinct, instant

RANKS = {severity: rank for rank, severity in enumerate(Severity)}

Rows = list[tuple[Any, ...]]
"""Rows of one table, each in the order of its columns."""


PAGE = 500
"""Steps whose rows are made and written at a time."""


class Page(msgspec.Struct, array_like=True):
    """Some of a task's steps; each row begins with the step's id."""

    task: str
    texts: list[Text] = []
    shapes: list[tuple[bytes, bytes]] = []
    steps: Rows = []
    requests: Rows = []

    @property
    def full(self) -> bool:
        """Whether another may follow."""
        return len(self.steps) >= PAGE


class Built(msgspec.Struct, array_like=True):
    """One task with its first steps. `columns` are those of its own row up to what its review adds; finding rows begin with their ids."""

    task: str
    scope: str
    columns: tuple[Any, ...]
    evidence: str
    hidden: int
    body: bytes
    extra: bytes
    sums: list[Sum]
    page: Page
    tallies: Rows
    versions: Rows
    claims: Rows
    compared: Rows
    teams: Rows
    findings: Rows


def rows_of(chain: TaskChain, findings: Sequence[Finding]) -> tuple[Built, Iterator[Page]]:
    """The rows of a task's chain and its findings, and those of the steps that are beyond the first page."""
    task = chain.task
    pages = _pages(chain)
    first = next(pages, Page(task.id))
    if (text := text_of("", 0, task_text(task, chain.intents))) is not None:
        first.texts.insert(0, text)
    built = Built(
        task=task.id,
        scope=clean(task.scope),
        columns=_task_columns(task, findings),
        evidence=evidence_of(chain, findings),
        hidden=hidden_of(task),
        body=pack(task),
        extra=pack(Extra(chain.intents, chain.links, chain.records)),
        sums=sums_of(chain, findings),
        page=first,
        tallies=[(task.id, *_cells(one)) for one in chain.tallies],
        versions=[(task.id, *_cells(one)) for one in chain.versions],
        claims=[(one.value, one.start, one.step, task.id) for one in chain.claims],
        compared=_compared_rows(chain),
        teams=team_rows(task),
        findings=[_finding_columns(finding) for finding in findings],
    )
    return built, pages


def _pages(chain: TaskChain) -> Iterator[Page]:
    steps = iter(chain.steps)
    while part := list(islice(steps, PAGE)):
        page = Page(chain.task.id)
        shapes: dict[bytes, bytes] = {}
        for step in part:
            if (text := text_of(step.id, step.n, step_text(step))) is not None:
                page.texts.append(text)
            request = pack(_replayed(step))
            shape = shape_digest(request)
            shapes[shape] = request
            page.steps.append(_step_columns(step))
            page.requests.append((step.task, shape, step.id, instant(step.at), step.outcome.answered.value))
        page.shapes = list(shapes.items())
        yield page


def _step_columns(step: Step) -> tuple[Any, ...]:
    return (
        step.id,
        step.task,
        step.n,
        instant(step.at),
        step.verb.value,
        clean(f"{step.target.cls.value}:{step.target.name}" if step.target.name else ""),
        clean(step.title),
        step.outcome.permitted.value,
        step.outcome.disputed,
        pack(step),
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
        listed({finding.detection for finding in findings if not finding.blind_spot}),
        listed(task.vantages),
        listed(task.points),
        clean(task.parent),
        task.depth,
    )


def team_rows(task: Task) -> Rows:
    """Whose a task is: the owners of what it worked in and on; "" where none is known."""
    return [(task.id, team) for team in sorted({clean(owner) for owner in task.owners}) or [""]]


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


def listed(names: Any) -> str:
    """Names as one blank-framed column, so that ` name ` finds exactly one of them."""
    ordered = sorted({clean(name).replace(" ", "_") for name in names})
    return f" {' '.join(ordered)} " if ordered else ""
