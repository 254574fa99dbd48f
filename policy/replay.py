"""Replays a history under a draft policy and tells what changes against a baseline."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from lang.cel.columns import Bools
from lang.times import iso
from model.words import VerdictWord
from policy.bitmaps import weigh
from policy.breadth import rule_results
from policy.change import FLIPS, NAMES, NEWLY_ASKED, NEWLY_DENIED, Change
from policy.decisions import DEFAULT, AnyPolicy, Decisions, Progress, Replay
from policy.dryrun import DryRun, Flip, HistoryInfo, PolicyInfo, Verdicts
from policy.formats import format_of
from policy.history import History
from policy.lookup import NO_TIME
from policy.model import ANSWERS, ASK, DENY

_HELD_DECISIONS = 4
_HARM = (VerdictWord.OUTSIDE.value, VerdictWord.ESCALATE.value)


class Replayer:
    """Dry-runs policies over one history. Keep one per history: an edit then re-evaluates the changed rules alone."""

    def __init__(self, history: History, replays: Mapping[str, Replay[Any]] | None = None) -> None:
        """`replays` are evaluators by format that know the history already."""
        self.history = history
        self.progress: Progress | None = None
        """Told of evaluations that take long where the call names no other."""
        self._replays: dict[str, Replay[Any]] = dict(replays or {})
        self._decisions: OrderedDict[tuple[str, str, tuple[bool, ...]], Decisions] = OrderedDict()
        self._task_numbers: dict[bytes, int] | None = None

    def decisions(self, policy: AnyPolicy, progress: Progress | None = None) -> Decisions:
        """The policy's answers over all shapes; the last few policies are remembered. Raises `Cancelled`."""
        expired = tuple(bool(getattr(rule, "expired", False)) for rule in getattr(policy, "rules", ()))
        key = (policy.format, policy.sha256, expired)
        found = self._decisions.get(key)
        if found is None:
            replay = self._replays.get(policy.format)
            if replay is None:
                replay = self._replays[policy.format] = format_of(policy.format).replay(self.history)
            found = self._decisions[key] = replay.decide(policy, progress or self.progress)
            if len(self._decisions) > _HELD_DECISIONS:
                self._decisions.popitem(last=False)
        self._decisions.move_to_end(key)
        return found

    def run(
        self,
        policy: AnyPolicy,
        baseline: AnyPolicy | None = None,
        *,
        baseline_name: str = "",
        flips_limit: int | None = 200,
        verdicts: Mapping[str, str] | None = None,
        downstream: Callable[[str], Iterable[str]] | None = None,
        progress: Progress | None = None,
    ) -> DryRun:
        """What the policy would have done.

        `baseline` is the policy to compare with, None for the recorded decisions. `flips_limit` cuts the list of flips,
        never a count (None: all). `verdicts` are reviewers' words by task. `downstream` yields the later steps that
        hang on a step, asked only for listed flips that are denied. `progress` is told of evaluations that take long.
        """
        history = self.history
        after = self.decisions(policy, progress)
        before = self.decisions(baseline, progress) if baseline is not None else None
        change = Change(history, before, after)
        words = self._judged(verdicts or {})
        return DryRun(
            policy=PolicyInfo(policy.format, policy.sha256, len(after.rules), policy.name),
            history=HistoryInfo(
                history.requests, history.shapes_told, history.tasks_told, iso(history.span[0]), iso(history.span[1])
            ),
            baseline="recorded" if baseline is None else baseline_name or baseline.name or baseline.sha256[:12],
            summary=change.summary(),
            by_tasks=change.by_tasks(),
            by_principals=change.principals(),
            verdicts=_verdicts(change, change.tasks(), words) if words else Verdicts(),
            rules=rule_results(change, _of_rules(policy, "line"), _of_rules(policy, "controls")),
            flips=flips_of(change, policy, flips_limit, downstream),
            flips_total=change.flips,
            missing_attributes=_missing(history, before, after),
        )

    def _judged(self, verdicts: Mapping[str, str]) -> dict[int, str]:
        """The verdicts by number of their task, those of tasks that are not in the history left out."""
        names = {task.encode("utf-8", "replace"): word for task, word in verdicts.items()}
        if not names:
            return {}
        if self._task_numbers is None:
            self._task_numbers = {name: n for n, name in enumerate(self.history.tasks.raws(range(len(self.history.tasks))))}
        return {self._task_numbers[name]: word for name, word in names.items() if name in self._task_numbers}


def dry_run(policy: AnyPolicy, history: History, baseline: AnyPolicy | None = None, **options: Any) -> DryRun:
    """One dry-run without keeping anything; `options` are those of `Replayer.run`."""
    return Replayer(history).run(policy, baseline, **options)


def flips_of(
    change: Change, policy: AnyPolicy, limit: int | None, downstream: Callable[[str], Iterable[str]] | None = None
) -> list[Flip]:
    """The first flips of a change that a policy makes; arguments as `Replayer.run` has them."""
    lines = _of_rules(policy, "line")
    history = change.history
    if history.elsewhere is not None:
        rows = history.elsewhere.rows(change.kind, FLIPS, limit) if limit != 0 and change.flips else []
        return [_flip(change, row.cell, row.task, row.step, row.at, row.request, lines, downstream) for row in rows]
    return [
        _flip(
            change,
            place.cell,
            history.tasks.value(place.task),
            place.step,
            None if place.at == NO_TIME else place.at,
            history.plain_request(int(history.cell_shape[place.cell])),
            lines,
            downstream,
        )
        for place in change.flip_places(limit)
    ]


def _missing(history: History, before: Decisions | None, after: Decisions) -> dict[str, int]:
    """Requests that cannot be judged for want of an attribute, by attribute, most wanted first."""
    out: dict[str, int] = {}
    for name in sorted(after.missing.keys() | (before.missing.keys() if before is not None else set())):
        bits = [d.missing[name] for d in (after, before) if d is not None and name in d.missing]
        out[name] = weigh(np.bitwise_or.reduce(bits), history)
    return dict(sorted(out.items(), key=lambda item: (-item[1], item[0])))


def _verdicts(change: Change, tasks: dict[int, Bools], words: Mapping[int, str]) -> Verdicts:
    """The draft against verdicts, given by task number."""
    out = Verdicts()
    row_cell = change.history.row_cell
    for number, word in words.items():
        denied = bool(tasks[NEWLY_DENIED][number])
        rows = change.rows_of(number)
        cells = row_cell[rows.start : rows.stop]
        if word in _HARM:
            stopped = change.to[cells]
            out.harm_judged += 1
            out.harm_stopped += denied
            out.harm_missed += not bool(((stopped == DENY) | (stopped == ASK)).any())
        elif word == VerdictWord.WITHIN.value:
            out.work_judged += 1
            out.work_broken += denied
            out.friction_added += change.history.weigh(rows, change.kind[cells] == NEWLY_ASKED)
    return out


def _flip(
    change: Change,
    cell: int,
    task: str,
    step: str,
    at: int | None,
    request: Mapping[str, Any],
    lines: Mapping[str, int],
    downstream: Callable[[str], Iterable[str]] | None,
) -> Flip:
    history, after = change.history, change.after
    decider = int(after.decider[int(history.cell_shape[cell])])
    denied = int(change.to[cell]) == DENY
    rule = after.rules[decider].id if decider != DEFAULT else None
    return Flip(
        task=task,
        step=step,
        before=ANSWERS[int(change.of[cell])],
        after=ANSWERS[int(change.to[cell])],
        rule=rule,
        request={**request},
        downstream=sorted(set(downstream(step))) if downstream is not None and denied else [],
        kind=NAMES[int(change.kind[cell])],
        at=iso(at),
        line=lines.get(rule or "", 0),
    )


def _of_rules(policy: AnyPolicy, name: str) -> dict[str, Any]:
    """A fact of each rule by its id, of formats whose rules state it."""
    return {rule.id: getattr(rule, name) for rule in getattr(policy, "rules", ()) if hasattr(rule, name) and hasattr(rule, "id")}
