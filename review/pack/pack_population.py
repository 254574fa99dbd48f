"""The population of a pack: every step of its tasks as a row, judged by what the pack knows of tasks, credentials and coverage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from chains.coverage import observed, relevant
from model.chain import Coverage
from model.evidence import SeenStep
from model.words import Tri
from reports.input import AnyCredential, AnyTask, StepRow, step_row
from review.derive.surroundings import Watched


class Held(msgspec.Struct, frozen=True, array_like=True):
    """What a step needs to know of a credential that it used."""

    issued: bool
    expires: bool
    task: str


class Ground(msgspec.Struct, frozen=True):
    """What rows are judged by: by task who it acted for and within what, credentials by id, the reviewers' words by what they
    speak of, the coverage of deciders, and the period in microseconds. Another process may be told it.
    """

    names: dict[str, tuple[str, str, str]]
    credentials: dict[str, Held]
    words: dict[str, str]
    deciding: list[Coverage]
    start: int | None
    end: int


def ground(
    tasks: Iterable[AnyTask],
    credentials: Mapping[str, AnyCredential],
    words: dict[str, str],
    coverages: Iterable[Coverage],
    start: int | None,
    end: int,
) -> Ground:
    return Ground(
        {task.id: (task.principal, task.on_behalf_of, task.scope) for task in tasks},
        {id: Held(c.issued is not None, c.expires is not None, c.issued_task) for id, c in credentials.items()},
        words,
        [c for c in coverages if c.decides and c.records],
        start,
        end,
    )


def rows(steps: Iterable[SeenStep], ground: Ground) -> Iterator[StepRow]:
    """The rows of the steps within the period, in the order the steps come."""
    deciding = Watched(ground.deciding)
    known: dict[tuple[str, ...], list[Coverage]] = {}
    words, names_of, credentials = ground.words, ground.names, ground.credentials
    start, end = ground.start, ground.end
    for step in steps:
        at = step.at
        if not within(at, start, end):
            continue
        names = (*names_of[step.task], str(step.request.principal or ""))
        held = known.get(names)
        if held is None:
            held = known[names] = relevant(deciding.of({*names}), names)
        yield step_row(
            step,
            covered=bool(held) and observed(held, at, step.verb),
            task_bound=_task_bound(step, credentials) if step.credentials else Tri.UNKNOWN,
            verdict=words.get(step.id) or words.get(step.task, "") if words else "",
        )


def _task_bound(step: SeenStep, credentials: Mapping[str, Held]) -> Tri:
    held = [credentials[id] for id in step.credentials if id in credentials]
    if not held or not all(c.issued for c in held):
        return Tri.UNKNOWN
    return Tri.YES if all(c.task == step.task and c.expires for c in held) else Tri.NO


def within(at: int | None, start: int | None, end: int | None) -> bool:
    """Whether something belongs to a period; what has no time does."""
    if at is None:
        return True
    return (start is None or at >= start) and (end is None or at <= end)
