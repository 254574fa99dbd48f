"""Replays a history under a draft policy and tells what changes against a baseline."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Bools
from lang.times import iso
from model.words import VerdictWord
from policy.bitmaps import indices, weigh
from policy.decisions import DEFAULT, AnyPolicy, Decisions, Progress, Replay
from policy.dryrun import DryRun, Flip, HistoryInfo, PolicyInfo, RuleResult, Summary, Verdicts
from policy.formats import format_of
from policy.history import NO_TIME, History
from policy.model import ALLOW, ANSWERS, ASK, DENY, UNKNOWN

UNCHANGED, NEWLY_ALLOWED, NEWLY_DENIED, NEWLY_ASKED, CANNOT_JUDGE = range(5)
_FLIPS = (NEWLY_ALLOWED, NEWLY_DENIED, NEWLY_ASKED)
_CHANGED = (*_FLIPS, CANNOT_JUDGE)
_BIT = np.left_shift(1, np.arange(5)).astype(np.uint8)
_NAMES = ("unchanged", "newly_allowed", "newly_denied", "newly_asked", "cannot_judge")
_HELD_DECISIONS = 4
_HARM = (VerdictWord.OUTSIDE.value, VerdictWord.ESCALATE.value)


def transition(before: int, after: int, recorded: bool) -> int:
    """What becomes of a request, from the codes of its answers.

    A recorded `unknown` means that no decision was seen: the call went ahead as far as anybody knows, so that an allow
    changes nothing. An unknown answer of a baseline policy cannot be compared with anything.
    """
    if after == UNKNOWN or (before == UNKNOWN and not recorded):
        return CANNOT_JUDGE
    if after == before or (before == UNKNOWN and after == ALLOW):
        return UNCHANGED
    return {ALLOW: NEWLY_ALLOWED, ASK: NEWLY_ASKED, DENY: NEWLY_DENIED}[after]


_TABLES = {
    recorded: np.array([transition(b, a, recorded) for b in range(4) for a in range(4)], np.uint8) for recorded in (True, False)
}


class Replayer:
    """Dry-runs policies over one history. Keep one per history: an edit then re-evaluates the changed rules alone."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._replays: dict[str, Replay[Any]] = {}
        self._decisions: OrderedDict[tuple[str, str, tuple[bool, ...]], Decisions] = OrderedDict()

    def decisions(self, policy: AnyPolicy, progress: Progress | None = None) -> Decisions:
        """The policy's answers over all shapes; the last few policies are remembered. Raises `Cancelled`."""
        expired = tuple(bool(getattr(rule, "expired", False)) for rule in getattr(policy, "rules", ()))
        key = (policy.format, policy.sha256, expired)
        found = self._decisions.get(key)
        if found is None:
            replay = self._replays.get(policy.format)
            if replay is None:
                replay = self._replays[policy.format] = format_of(policy.format).replay(self.history)
            found = self._decisions[key] = replay.decide(policy, progress)
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
        change = _Change(history, before, after)
        tasks = change.tasks()
        rows = change.flip_rows(flips_limit)
        return DryRun(
            policy=PolicyInfo(policy.format, policy.sha256, len(after.rules), policy.name),
            history=HistoryInfo(history.requests, history.size, len(history.tasks), iso(history.span[0]), iso(history.span[1])),
            baseline="recorded" if baseline is None else baseline_name or baseline.name or baseline.sha256[:12],
            summary=change.summary(),
            by_tasks=_distinct(tasks, len(history.tasks)),
            by_principals=change.principals(),
            verdicts=_verdicts(change, tasks, verdicts or {}),
            rules=_rules(change),
            flips=[_flip(change, row, downstream) for row in rows.tolist()],
            flips_total=int(change.counts[list(_FLIPS)].sum()),
            missing_attributes=_missing(history, before, after),
        )


def dry_run(policy: AnyPolicy, history: History, baseline: AnyPolicy | None = None, **options: Any) -> DryRun:
    """One dry-run without keeping anything; `options` are those of `Replayer.run`."""
    return Replayer(history).run(policy, baseline, **options)


class _Change:
    """Every cell's answer before and after, and the kind of its change."""

    def __init__(self, history: History, before: Decisions | None, after: Decisions) -> None:
        self.history = history
        self.after = after
        shape = history.cell_shape
        self.to = after.effect[shape]
        self.of = history.cell_recorded if before is None else before.effect[shape]
        self.kind = _TABLES[before is None][self.of * 4 + self.to]
        self.counts = np.bincount(self.kind, weights=history.cell_weight, minlength=5).astype(np.int64)

    def summary(self) -> Summary:
        return Summary(**{name: int(self.counts[kind]) for kind, name in enumerate(_NAMES)})

    def cells(self, kind: int) -> NDArray[np.int64]:
        return np.flatnonzero(self.kind == kind)

    def tasks(self) -> dict[int, Bools]:
        """Per kind of change, which tasks have at least one such request."""
        history = self.history
        changed = history.requests - int(self.counts[UNCHANGED])
        if changed * 8 > history.requests:
            # Most rows have a part in it: one pass over all of them, each task's rows lying side by side.
            bits = np.bitwise_or.reduceat(_BIT[self.kind][history.row_cell], history.task_starts[:-1])
            return {kind: (bits & _BIT[kind]) != 0 for kind in _CHANGED}
        out: dict[int, Bools] = {}
        for kind in _CHANGED:
            out[kind] = np.zeros(len(history.tasks), np.bool_)
            cells = self.cells(kind)
            if len(cells):
                out[kind][history.cell_tasks.of(cells)] = True
        return out

    def principals(self) -> Summary:
        """Principals by what becomes of their requests; requests that state none are left out."""
        codes = self.history.cell_principal
        size = int(codes.max(initial=0)) + 1
        hits = np.bincount(codes * 5 + self.kind, minlength=size * 5).reshape(-1, 5)[1:] > 0
        return _distinct({kind: hits[:, kind] for kind in _CHANGED}, len(hits[hits.any(axis=1)]))

    def flip_rows(self, limit: int | None) -> NDArray[np.int64]:
        """Rows of flips: newly allowed, newly denied, newly asked, each in the order (task, time, step)."""
        found: list[NDArray[np.int64]] = []
        left = int(self.counts[list(_FLIPS)].sum()) if limit is None else max(0, limit)
        for kind in _FLIPS:
            cells = self.cells(kind)
            if left and len(cells):
                rows = self._first_rows(cells, kind, left)
                found.append(rows)
                left -= len(rows)
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def _first_rows(self, cells: NDArray[np.int64], kind: int, limit: int) -> NDArray[np.int64]:
        """The first rows of the given cells. Many rows: walk from the first on; few: gather, then sort."""
        history = self.history
        total = int(self.counts[kind])
        if total * 32 > history.requests and total > limit:
            out: list[NDArray[np.int64]] = []
            have, block = 0, max(1 << 14, 4 * limit)
            for begin in range(0, history.requests, block):
                rows = np.flatnonzero(self.kind[history.row_cell[begin : begin + block]] == kind) + begin
                out.append(rows[: limit - have])
                have += len(out[-1])
                if have >= limit:
                    break
            return np.concatenate(out)
        gathered = history.cell_rows.of(cells).astype(np.int64)
        if len(gathered) > limit:
            gathered = np.partition(gathered, limit - 1)[:limit]
        return np.sort(gathered)


def _distinct(hits: dict[int, Bools], total: int) -> Summary:
    changed = np.logical_or.reduce(list(hits.values()))
    counts = {_NAMES[kind]: int(mask.sum()) for kind, mask in hits.items()}
    return Summary(unchanged=total - int(changed.sum()), **counts)


def _rules(change: _Change) -> list[RuleResult]:
    after, history = change.after, change.history
    size = len(after.rules)
    decider = after.decider + 1
    decides = np.bincount(decider, weights=history.shape_weight, minlength=size + 1)[1:].astype(np.int64)
    flipped = np.flatnonzero((change.kind != UNCHANGED) & (change.kind != CANNOT_JUDGE))
    weights = history.cell_weight[flipped]
    flips = np.bincount(decider[history.cell_shape[flipped]], weights=weights, minlength=size + 1)[1:].astype(np.int64)
    out = []
    for place, rule in enumerate(after.rules):
        shadows = _shadows(after, place) if rule.hits and not decides[place] else []
        out.append(RuleResult(rule.id, rule.effect, rule.hits, int(decides[place]), int(flips[place]), shadows, rule.expired))
    return out


def _shadows(after: Decisions, place: int) -> list[str]:
    """The rules that decide everything a rule matches; none where some of it cannot be judged."""
    shapes = indices(after.matched(place))
    deciders = np.unique(after.decider[shapes])
    if DEFAULT in deciders:
        return []
    return [after.rules[int(d)].id for d in deciders]


def _missing(history: History, before: Decisions | None, after: Decisions) -> dict[str, int]:
    """Requests that cannot be judged for want of an attribute, by attribute, most wanted first."""
    out: dict[str, int] = {}
    for name in sorted(after.missing.keys() | (before.missing.keys() if before is not None else set())):
        bits = [d.missing[name] for d in (after, before) if d is not None and name in d.missing]
        out[name] = weigh(np.bitwise_or.reduce(bits), history)
    return dict(sorted(out.items(), key=lambda item: (-item[1], item[0])))


def _verdicts(change: _Change, tasks: dict[int, Bools], verdicts: Mapping[str, str]) -> Verdicts:
    out = Verdicts()
    history = change.history
    wanted = {task.encode("utf-8", "replace"): word for task, word in verdicts.items()}
    if not wanted:
        return out
    for number, name in enumerate(history.tasks.raws(range(len(history.tasks)))):
        word = wanted.get(name)
        if word is None:
            continue
        denied = bool(tasks[NEWLY_DENIED][number])
        if word in _HARM:
            cells = history.row_cell[int(history.task_starts[number]) : int(history.task_starts[number + 1])]
            stopped = change.to[cells]
            out.harm_stopped += denied
            out.harm_missed += not bool(((stopped == DENY) | (stopped == ASK)).any())
        elif word == VerdictWord.WITHIN.value:
            out.work_broken += denied
            if tasks[NEWLY_ASKED][number]:
                cells = history.row_cell[int(history.task_starts[number]) : int(history.task_starts[number + 1])]
                out.friction_added += int((change.kind[cells] == NEWLY_ASKED).sum())
    return out


def _flip(change: _Change, row: int, downstream: Callable[[str], Iterable[str]] | None) -> Flip:
    history, after = change.history, change.after
    cell = int(history.row_cell[row])
    shape = int(history.cell_shape[cell])
    decider = int(after.decider[shape])
    step = history.steps.value(row)
    denied = int(change.to[cell]) == DENY
    at = int(history.row_at[row])
    return Flip(
        task=history.tasks.value(int(np.searchsorted(history.task_starts, row, side="right")) - 1),
        step=step,
        before=ANSWERS[int(change.of[cell])],
        after=ANSWERS[int(change.to[cell])],
        rule=after.rules[decider].id if decider != DEFAULT else None,
        request={**history.plain_request(shape)},
        downstream=sorted(set(downstream(step))) if downstream is not None and denied else [],
        kind=_NAMES[int(change.kind[cell])],
        at=None if at == NO_TIME else iso(at),
    )
