"""What a dry-run tells beyond its first figures: dearer to compute, wanted a moment later, kept where nothing changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from policy.breadth import wider
from policy.change import NAMES, NEWLY_ALLOWED, NEWLY_DENIED, Change
from policy.decisions import DEFAULT, AnyPolicy, Decisions
from policy.dryrun import Figures, Friction, Ledger
from policy.friction import DeveloperDays
from policy.history import History
from policy.ledger import ledger, stated
from policy.model import ANSWERS, DENY
from policy.replay import Replayer


class Fate(NamedTuple):
    """What becomes of one step: the kind of its change, its answer now, and the rules that decided before and now."""

    kind: str
    answer: str
    rule_before: str | None
    rule: str | None


class Details:
    """Tells more of a change over one history. It evaluates by itself, so that another thread may go on replaying."""

    def __init__(self, history: History) -> None:
        self.history = history

    @cached_property
    def _stated(self) -> Replayer | None:
        without = stated(self.history)
        return None if without is None else Replayer(without)

    @cached_property
    def _days(self) -> DeveloperDays:
        return DeveloperDays(self.history)

    @cached_property
    def _tasks(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.history.tasks.values())}

    def figures(self, after: Decisions, before: Decisions | None, name: str) -> Figures:
        """The counts against one baseline, None for the recorded decisions."""
        return Change(self.history, before, after).figures(name)

    def friction(self, change: Change) -> Friction:
        return self._days.friction(change)

    def ledger(self, policy: AnyPolicy, after: Decisions) -> Ledger:
        """How every request was replayed; see `policy.ledger`."""
        return ledger(self.history, after, None if self._stated is None else self._stated.decisions(policy))

    def wider(self, after: Decisions) -> dict[str, tuple[list[str], list[str]]]:
        """By rule, the narrower ones it voids and covers; see `policy.breadth`."""
        return wider(after)

    def denied_tasks(self, change: Change) -> list[str]:
        """The tasks with a newly denied request, in order."""
        return [self.history.tasks.value(int(number)) for number in change.tasks()[NEWLY_DENIED].nonzero()[0]]

    def denied_in(self, change: Change, task: str) -> list[str]:
        """The newly denied steps of a task, in order; none where it is not in the history."""
        number = self._tasks.get(task)
        rows = change.rows_by_kind(number, NEWLY_DENIED) if number is not None else ()
        return [place.step for place in self.history.places(np.array(rows, np.int64))]

    def stopped_in(self, change: Change, task: str) -> frozenset[str]:
        """The steps of a task that are denied now, newly or as before: they are no consequence of another's denial."""
        number = self._tasks.get(task)
        rows = change.rows_of(number) if number is not None else range(0)
        places = self.history.places(np.arange(rows.start, rows.stop))
        return frozenset(place.step for place in places if change.to[place.cell] == DENY)

    def fates(self, change: Change, wanted: Mapping[str, Sequence[str]]) -> dict[str, Fate]:
        """What becomes of chosen steps, given by task; those that are not in the history are left out."""
        found: dict[str, Fate] = {}
        for task, steps in wanted.items():
            number = self._tasks.get(task)
            if number is None:
                continue
            among = set(steps)
            rows = change.rows_of(number)
            for place in self.history.places(np.arange(rows.start, rows.stop)):
                if place.step in among:
                    found[place.step] = self._fate(change, place.cell)
        return found

    def _fate(self, change: Change, cell: int) -> Fate:
        shape = int(self.history.cell_shape[cell])
        return Fate(
            NAMES[int(change.kind[cell])],
            ANSWERS[int(change.to[cell])],
            _rule(change.before, shape) if change.before is not None else None,
            _rule(change.after, shape),
        )

    def allowed_by_rules(self, change: Change) -> dict[tuple[str | None, str | None], int]:
        """Newly allowed requests by the rule that decided before (None: the default, or none known) and the one that does now."""
        found: dict[tuple[str | None, str | None], int] = {}
        cells = change.cells(NEWLY_ALLOWED)
        weights = self.history.cell_weight[cells].tolist()
        for shape, weight in zip(self.history.cell_shape[cells].tolist(), weights, strict=True):
            before = _rule(change.before, shape) if change.before is not None else None
            pair = (before, _rule(change.after, shape))
            found[pair] = found.get(pair, 0) + weight
        return found


def _rule(decisions: Decisions, shape: int) -> str | None:
    decider = int(decisions.decider[shape])
    return None if decider == DEFAULT else decisions.rules[decider].id
