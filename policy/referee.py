"""A second engine judges every shape of a history, rule by rule, and every difference from ours is told.

Rules are compared, not only answers: two wrong rules may make a right decision. Unknown counts as an answer of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Table
from lang.cel.typed import Tree, Value, reads
from lang.cel.vector import Evaluator, distinct, request_at
from policy.google_cel import NAME, NotCompared, Program, Refused
from policy.history import History
from policy.model import Policy, Rule

Progress = Callable[[int, int], None]
"""Told how many of how many comparisons are done; may raise to end the work."""
LISTED = 100
_TOLD_EVERY = 500


class Disagreement(msgspec.Struct, frozen=True):
    """One request on which the engines differ about one rule, whose condition is `condition`; answers are true, false or unknown.

    `shapes` and `requests` say how many share what the rule reads. `step` and `task` are the first of them.
    """

    rule: str
    condition: str
    ours: str
    theirs: str
    request: dict[str, Any]
    shapes: int
    requests: int
    task: str
    step: str


class Judgement(msgspec.Struct, frozen=True):
    """`agree` of `of` shapes (or whatever `what` names) got the same answer for every rule; `not_compared` those the other engine could not be asked about.

    `disagreements` may be cut short, `disagreeing` (shapes) never is. `notes` say why something was not compared.
    """

    engine: str
    agree: int
    of: int
    disagreeing: int
    not_compared: int
    rules: int
    comparisons: int
    disagreements: list[Disagreement]
    notes: list[str]
    what: str = "shape"


class Judge(Protocol):
    """One rule in the other engine."""

    def answer(self, request: dict[str, Value]) -> bool | None: ...


class Compared(msgspec.Struct):
    """One condition over all rows: the rows that differ and those that could not be compared, and how often it was asked.

    `examples` are (row, ours, theirs), one for each different thing the condition reads.
    """

    differ: NDArray[np.bool_]
    left_out: NDArray[np.bool_]
    asked: int
    examples: list[tuple[int, bool | None, bool | None]]
    note: str = ""


def compare(tree: Tree, judge: Judge, evaluator: Evaluator, told: Callable[[int], None] | None = None) -> Compared:
    """Our answers to a condition against the judge's, asked once for each distinct combination of what the condition reads."""
    table: Table = evaluator.table
    columns = [(name, column) for name in sorted(reads(tree)) if (column := table.column(name)) is not None]
    ours = evaluator.evaluate(tree)
    true = np.unpackbits(ours.true, count=table.size).view(np.bool_)
    unknown = np.unpackbits(ours.unknown, count=table.size).view(np.bool_)
    first = np.zeros(min(1, table.size), np.int64)
    inverse = np.zeros(table.size, np.int64)
    if columns and table.size:
        first, inverse = distinct([column.codes for _, column in columns])
    wrong, skipped = np.zeros(len(first), np.bool_), np.zeros(len(first), np.bool_)
    found: list[tuple[int, bool | None, bool | None]] = []
    note = ""
    for place, row in enumerate(first.tolist()):
        if told is not None and place % _TOLD_EVERY == 0:
            told(place)
        mine = None if unknown[row] else bool(true[row])
        try:
            theirs = judge.answer(request_at(columns, row))
        except NotCompared as error:
            skipped[place], note = True, str(error)
            continue
        if theirs is not mine:
            wrong[place] = True
            if len(found) < LISTED:
                found.append((row, mine, theirs))
    return Compared(wrong[inverse], skipped[inverse], len(first), found, note)


def referee(policy: Policy, history: History, progress: Progress | None = None) -> Judgement:
    """Google's CEL against ours over every shape; raises NoReferee where it is not installed, and what `progress` raises."""
    evaluator = Evaluator(history)
    wrong, left_out = np.zeros(history.size, np.bool_), np.zeros(history.size, np.bool_)
    listed: list[Disagreement] = []
    notes: dict[str, None] = {}
    asked = 0
    rules = policy.in_force
    for number, (_, rule) in enumerate(rules):
        if progress is not None:
            progress(number, len(rules))
        try:
            program = Program(rule.when)
        except (NotCompared, Refused) as error:
            notes[f"{rule.id}: {'not compared' if isinstance(error, NotCompared) else 'not compiled there'}: {error}"] = None
            left_out[:] = True
            continue
        told = (lambda _, n=number: progress(n, len(rules))) if progress is not None else None
        found = compare(rule.tree, program, evaluator, told)
        asked += found.asked
        wrong |= found.differ
        left_out |= found.left_out
        if found.note:
            notes[f"{rule.id}: some requests are not compared: {found.note}"] = None
        listed.extend(_disagreements(rule, found, history, LISTED - len(listed)))
    if progress is not None:
        progress(len(rules), len(rules))
    bad, out = int(wrong.sum()), int((left_out & ~wrong).sum())
    return Judgement(NAME, history.size - bad - out, history.size, bad, out, len(rules), asked, listed, list(notes))


_WORD = {True: "true", False: "false", None: "unknown"}


def _disagreements(rule: Rule, found: Compared, history: History, room: int) -> Iterable[Disagreement]:
    names = sorted(reads(rule.tree))
    for row, ours, theirs in found.examples[: max(room, 0)]:
        same = np.ones(history.size, np.bool_)
        for name in names:
            if (column := history.column(name)) is not None:
                same &= column.codes == column.codes[row]
        cells = np.flatnonzero(same[history.cell_shape])
        at = int(history.cell_rows.of(cells).min())
        place = next(iter(history.places(np.array([at], np.int64))), None)
        stated = history.plain_request(row)
        yield Disagreement(
            rule.id, rule.when, _WORD[ours], _WORD[theirs], {name: stated[name] for name in names if name in stated}, int(same.sum()),
            int(history.cell_weight[cells].sum()), history.tasks.value(place.task) if place else "", place.step if place else "",
        )  # fmt: skip
