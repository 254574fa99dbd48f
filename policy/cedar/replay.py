"""Cedar policies over a history and over one request: parts by Cedar, put together with unknown as a third value."""

from __future__ import annotations

from collections import OrderedDict
from itertools import groupby

import numpy as np

from lang.cel.vector import Tri
from policy.bitmaps import Regions, weigh
from policy.cedar.check import CedarPolicy, CedarRule
from policy.cedar.conditions import Both, Condition, Not, Part, parts_of
from policy.cedar.engine import Asker, Verdict
from policy.decide import Decision, settled
from policy.decisions import Cancelled, Decisions, Progress, RuleRow
from policy.history import History
from policy.model import CODE, Request
from policy.projection import Projection, Threefold

CACHE_BYTES = 64 << 20
_TOLD_EVERY = 256


class CedarReplay:
    """Evaluates Cedar policies over one history; only parts of conditions not asked before are asked."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._logic = Threefold(history.size)
        self._held: OrderedDict[Part, Tri] = OrderedDict()
        self._bytes = 0

    def decide(self, policy: CedarPolicy, progress: Progress | None = None) -> Decisions:
        """The policy's answer for every shape; each part is asked once per distinct combination of what it reads."""
        wanted = list(dict.fromkeys(part for rule in policy.rules for part in parts_of(rule.condition)))
        self._evict(wanted)
        self._ask([part for part in wanted if part not in self._held], progress)
        answers = [(place, CODE[rule.effect], self._of(rule.condition)) for place, rule in enumerate(policy.rules)]
        regions = Regions(self._logic, answers, CODE[policy.default])
        return Decisions(
            effect=regions.effect(self.history.size),
            decider=regions.decider(self.history.size),
            rules=tuple(
                RuleRow(r.id, r.effect, weigh(t.true, self.history)) for r, (_, _, t) in zip(policy.rules, answers, strict=True)
            ),
            missing=regions.missing(),
            matched=lambda place: answers[place][2].true,
        )

    def _ask(self, parts: list[Part], progress: Progress | None) -> None:
        groups = [(reads, list(some)) for reads, some in groupby(sorted(parts, key=_reads), key=_reads)]
        projections = [Projection(self.history, reads) for reads, _ in groups]
        total, done = sum(len(one.requests) for one in projections), 0
        for (_, some), projection in zip(groups, projections, strict=True):
            asker = Asker(some)
            rows: list[list[Verdict]] = []
            for request in projection.requests:
                if progress is not None and done % _TOLD_EVERY == 0 and not progress(done, total):
                    raise Cancelled
                rows.append(asker.ask(request))
                done += 1
            for number, part in enumerate(some):
                self._keep(part, _spread(projection, [row[number] for row in rows]))

    def _keep(self, part: Part, tri: Tri) -> None:
        self._held[part] = tri
        self._bytes += tri.nbytes

    def _evict(self, wanted: list[Part]) -> None:
        """Forgets parts of earlier drafts, the oldest first; those of this one stay."""
        for part in wanted:
            if part in self._held:
                self._held.move_to_end(part)
        keep = set(wanted)
        while self._bytes > CACHE_BYTES and self._held and next(iter(self._held)) not in keep:
            self._bytes -= self._held.popitem(last=False)[1].nbytes

    def _of(self, condition: Condition) -> Tri:
        if isinstance(condition, bool):
            return self._logic.constant(condition)
        if isinstance(condition, Part):
            return self._held[condition]
        if isinstance(condition, Not):
            return self._logic.negated(self._of(condition.inner))
        return self._logic.joined([self._of(one) for one in condition.inner], condition.every)


def _reads(part: Part) -> tuple[str, ...]:
    return part.reads


def _spread(projection: Projection, verdicts: list[Verdict]) -> Tri:
    size = len(verdicts)
    true = np.fromiter((one.value is True for one in verdicts), np.bool_, size)
    unknown = np.fromiter((one.value is None for one in verdicts), np.bool_, size)
    missing = {
        name: projection.spread(np.fromiter((name in one.missing for one in verdicts), np.bool_, size))
        for name in sorted({name for one in verdicts for name in one.missing})
    }
    return Tri(projection.spread(true), projection.spread(unknown), missing)


def decide(policy: CedarPolicy, request: Request) -> Decision:
    """The policy's answer to one request, with the policies that hold and those that cannot be judged."""
    parts = list(dict.fromkeys(part for rule in policy.rules for part in parts_of(rule.condition)))
    said: dict[Part, Verdict] = {}
    for reads, group in groupby(sorted(parts, key=_reads), key=_reads):
        some = list(group)
        told = {name: request[name] for name in reads if name in request}
        said.update(zip(some, Asker(some).ask(told), strict=True))
    matched: list[CedarRule] = []
    open_: list[tuple[CedarRule, frozenset[str]]] = []
    for rule in policy.rules:
        answer = _scalar(rule.condition, said)
        if answer.value is None:
            open_.append((rule, frozenset(answer.missing)))
        elif answer.value:
            matched.append(rule)
    return settled(policy.default, matched, open_)


def _scalar(condition: Condition, said: dict[Part, Verdict]) -> Verdict:
    if isinstance(condition, bool):
        return Verdict(condition)
    if isinstance(condition, Part):
        return said[condition]
    if isinstance(condition, Not):
        inner = _scalar(condition.inner, said)
        return Verdict(None if inner.value is None else not inner.value, inner.missing)
    assert isinstance(condition, Both)
    parts = [_scalar(one, said) for one in condition.inner]
    if any(one.value is (not condition.every) for one in parts):
        return Verdict(not condition.every)
    if all(one.value is not None for one in parts):
        return Verdict(condition.every)
    return Verdict(None, tuple(sorted({name for one in parts for name in one.missing})))
