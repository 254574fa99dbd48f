"""The history as mining sees it: which requests were judged how, and what any condition would match of them, counted exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from lang.cel import Tree, compile_condition
from lang.cel.columns import Bools
from lang.cel.vector import Evaluator
from model.words import VerdictWord
from policy.history import History
from policy.lookup import Place
from policy.model import DENY, Request

HARM = frozenset({VerdictWord.OUTSIDE.value, VerdictWord.ESCALATE.value})
"""Words on a task or step that mean it was not within its remit."""
EXAMPLES = 3


class Counted(msgspec.Struct, frozen=True):
    """How many requests, of how many tasks and principals (those that are stated)."""

    requests: int = 0
    tasks: int = 0
    principals: int = 0


class Proposal(msgspec.Struct, frozen=True):
    """A rule that may be worth writing.

    `covers` is what of the requests it was mined for it matches, `beyond` what else of the history, with `examples`; `broken`
    are requests of tasks judged within their remit that it matches, `harm` those judged outside, `findings` those of steps
    with an open finding. `kind` is allow, denial or catch.
    """

    id: str
    kind: str
    effect: str
    when: str
    reason: str
    covers: Counted
    beyond: Counted
    broken: Counted
    harm: Counted
    findings: Counted
    examples: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()


class Matched(msgspec.Struct, frozen=True, eq=False):
    """The shapes a condition certainly matches, and those it may."""

    shapes: Bools
    maybe: Bools


class Judged(msgspec.Struct, frozen=True):
    """What people and detections said: the last verdict by task and by step, and steps with an open finding; all by task id."""

    tasks: Mapping[str, str]
    steps: Mapping[str, Mapping[str, str]] = {}
    findings: Mapping[str, frozenset[str]] = {}


class Space:
    """A history with what was said of it. Rows are requests; `escalate` counts as outside the remit.

    `outside` are requests of tasks or steps judged outside, `found` those of steps with an open finding: no rule that allows
    may match any of them. `within` are those of tasks judged within, less those.
    """

    def __init__(self, history: History, judged: Judged) -> None:
        self.history = history
        # A history that a database grouped has a row for several requests of one task and cell.
        grouped = history.grouped
        weight = np.ones(len(history.row_cell), np.int64) if grouped is None else np.asarray(grouped.weight, np.int64)
        self._group: NDArray[np.int64] = np.repeat(np.arange(len(weight)), weight)
        cell = np.asarray(history.row_cell, np.int64)[self._group]
        self.row_shape: NDArray[np.int64] = np.asarray(history.cell_shape, np.int64)[cell]
        tasks = np.repeat(np.arange(len(history.tasks)), np.diff(history.task_starts))
        self.row_task: NDArray[np.int64] = tasks[self._group]
        self.denied: Bools = np.asarray(history.cell_recorded)[cell] == DENY
        names = [history.tasks.value(number) for number in range(len(history.tasks))]
        self.outside = self._tasks([judged.tasks.get(name) in HARM for name in names])
        self.found = np.zeros(len(cell), np.bool_)
        self._said: dict[int, list[str]] = {}
        for number, name in enumerate(names):
            words, findings = judged.steps.get(name, {}), judged.findings.get(name, frozenset())
            for row, step in self._steps(number, cell) if words or findings else ():
                harm, finding = words.get(step) in HARM, step in findings
                self.outside[row] |= harm
                self.found[row] = finding
                if harm or finding:
                    self._said.setdefault(row, []).append(step)
        within = self._tasks([judged.tasks.get(name) == VerdictWord.WITHIN.value for name in names])
        self.within = within & ~self.outside & ~self.found
        self.guarded = self.shapes_of(self.outside | self.found)
        self._evaluator = Evaluator(history)

    def _tasks(self, wanted: list[bool]) -> Bools:
        return np.array(wanted, np.bool_)[self.row_task] if wanted else np.zeros(0, np.bool_)

    def _places(self, task: int) -> list[Place]:
        starts = self.history.task_starts
        return self.history.places(np.arange(int(starts[task]), int(starts[task + 1])))

    def _steps(self, task: int, cell: NDArray[np.int64]) -> Iterator[tuple[int, str]]:
        """Each request of a task with its row here; of requests that only their steps tell apart it does not matter which is which."""
        rows: dict[int, list[int]] = defaultdict(list)
        first, last = np.searchsorted(self.row_task, (task, task + 1))
        for row in range(int(last) - 1, int(first) - 1, -1):
            rows[int(cell[row])].append(row)
        for place in self._places(task):
            if rows[place.cell]:
                yield rows[place.cell].pop(), place.step

    @cached_property
    def _principal(self) -> NDArray[np.int64]:
        column = self.history.column("principal.id")
        codes = column.codes if column is not None else np.zeros(self.history.size, np.int64)
        return np.asarray(codes, np.int64)[self.row_shape]

    def shapes_of(self, rows: Bools) -> Bools:
        """Which shapes any of these rows has."""
        out = np.zeros(self.history.size, np.bool_)
        out[self.row_shape[rows]] = True
        return out

    def frequent(self, rows: Bools, most: int) -> list[int]:
        """The shapes that most of these rows have."""
        shapes, counts = np.unique(self.row_shape[rows], return_counts=True)
        return [int(shapes[place]) for place in np.lexsort((shapes, -counts))[:most]]

    def request(self, shape: int) -> Request:
        return self.history.request(shape)

    def matched(self, when: str) -> Matched | None:
        """What a condition matches; None where it does not compile."""
        tree: Tree | None = compile_condition(when).tree
        if tree is None:
            return None
        answer = self._evaluator.evaluate(tree)
        size = self.history.size
        true = np.unpackbits(answer.true, count=size).view(np.bool_)
        maybe = np.unpackbits(answer.true | answer.unknown, count=size).view(np.bool_)
        return Matched(true, maybe)

    def count(self, rows: Bools) -> Counted:
        principals = np.unique(self._principal[rows])
        return Counted(int(rows.sum()), len(np.unique(self.row_task[rows])), int((principals != 0).sum()))

    def examples(self, rows: Bools) -> tuple[str, ...]:
        """Some of the requests of these rows, the most frequent first, as a person would name them."""
        return tuple(told(self.request(shape)) for shape in self.frequent(rows, EXAMPLES))

    def steps(self, rows: Bools, most: int = EXAMPLES) -> tuple[str, ...]:
        """Some steps of these rows, those that were themselves judged or found first."""
        chosen = np.flatnonzero(rows)
        out = dict.fromkeys(step for row in chosen.tolist() for step in self._said.get(row, ()))
        if len(out) < most:
            # Other rows are here because of their whole task: every step of them is meant.
            groups = np.unique(self._group[chosen[~np.isin(chosen, list(self._said))]])[:most]
            out.update(dict.fromkeys(place.step for place in self.history.places(groups)))
        return tuple(out)[:most]

    def step_shape(self, task: str, step: str) -> int | None:
        """The shape of a step's request, None where the history holds no such step."""
        for number in range(len(self.history.tasks)):
            if self.history.tasks.value(number) == task:
                cells = (place.cell for place in self._places(number) if place.step == step)
                return next((int(self.history.cell_shape[cell]) for cell in cells), None)
        return None

    def proposal(
        self, id: str, kind: str, effect: str, when: str, reason: str, found: Matched, base: Bools, covered: Iterable[str] = ()
    ) -> Proposal:
        """A proposal with its counts; `base` are the rows it was mined for."""
        rows = found.shapes[self.row_shape]
        beyond = rows & ~base
        return Proposal(
            id,
            kind,
            effect,
            when,
            reason,
            covers=self.count(rows & base),
            beyond=self.count(beyond),
            broken=self.count(rows & self.within),
            harm=self.count(rows & self.outside),
            findings=self.count(rows & self.found),
            examples=self.examples(beyond),
            covered=tuple(covered) or self.examples(rows & base),
        )


def told(request: Request) -> str:
    """What was asked for, in a few words."""
    command = request.get("action.command")
    if isinstance(command, str) and command:
        return command[:200]
    target = " ".join(str(request[name]) for name in ("resource.name", "resource.detail") if request.get(name))
    return f"{request.get('action.verb', '?')} {target or request.get('resource.class', '')}"[:200].strip()
