"""What a dry-run of an agent's own rules rests on: the honesty ledger, friction, and rules that no call met or that others overrule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from model.words import Effect
from policy.agents.base import AgentPolicy, Answer
from policy.agents.calls import named
from policy.dryrun import Friction, Lacking, Ledger, RuleResult
from policy.model import ALLOW, ASK, DENY
from review.policy.agent_history import AgentHistory

_DAY = 86_400_000_000
TRUSTED = "trusted"
"""The fact that the layers of the files stand in for where a call does not state it."""


def ledger(history: AgentHistory, agent: str, answers: Sequence[Answer], stood_in: Iterable[int]) -> Ledger:
    """How every call was replayed; `stood_in` are the numbers of the distinct calls whose answer rests on a fact stood in for.

    Nothing but the agent's own record tells of these calls, so that is where a fact is to be logged.
    """
    made = Counter(history.call)
    lacking: Counter[str] = Counter()
    unknown = 0
    for at, answer in enumerate(answers):
        if answer.effect is Effect.UNKNOWN:
            unknown += made[at]
            for name in answer.missing or (answer.reason or "a fact the record lacks",):
                lacking[named(name)] += made[at]
    standing = sum(made[at] for at in stood_in)
    missing = [Lacking(name, count, {agent: count}) for name, count in sorted(lacking.items(), key=lambda one: (-one[1], one[0]))]
    stand_ins = [Lacking(TRUSTED, standing, {agent: standing})] if standing else []
    return Ledger(
        exact=len(history) - unknown - standing,
        stand_in=standing,
        not_replayable=unknown,
        recorded_by_inference=sum(history.inferred),
        missing=missing,
        stand_ins=stand_ins,
        log_next=sorted([*missing, *stand_ins], key=lambda one: (-one.requests, one.attribute)),
    )


def friction(history: AgentHistory, before: Sequence[int], after: Sequence[int]) -> Friction:
    """Asks added and taken away, per developer and active day; `before` by each time a call was made, `after` by distinct call."""
    active: set[tuple[int, int]] = set()
    found = Friction()
    for who, at, was, call in zip(history.who, history.at, before, history.call, strict=True):
        if who and at >= 0:
            active.add((who, at // _DAY))
        now = after[call]
        added, removed = was in (ALLOW, DENY) and now == ASK, was == ASK and now in (ALLOW, DENY)
        if not who:
            found.unattributed += added or removed
            continue
        found.asks_added += added
        found.asks_removed += removed
    found.developers, found.developer_days = len({who for who, _ in active}), len(active)
    if active:
        found.per_developer_day = round((found.asks_added - found.asks_removed) / len(active), 4)
    return found


def with_idle(rules: list[RuleResult], policy: AgentPolicy, answers: Sequence[Answer]) -> list[RuleResult]:
    """The rules that were met, and those that no call of the history met; each that others overrule whenever it is met with their names."""
    met = {name for answer in answers for name in (answer.rule, *(part.rule for part in answer.parts))}
    known = {rule.id for rule in rules}
    idle: dict[str, RuleResult] = {}
    for one in policy.written():
        name = f"{one.place}: {one.rule}" if one.place else one.rule
        if one.rule not in met and name not in known:
            idle[name] = RuleResult(name, one.effect.value, 0, 0, 0, [])
    over = _overruled(answers)
    told = [msgspec.structs.replace(rule, shadowed_by=over.get(rule.id, [])) if not rule.decides else rule for rule in rules]
    return sorted([*told, *idle.values()], key=lambda rule: rule.id)


def _overruled(answers: Sequence[Answer]) -> dict[str, list[str]]:
    """By rule of a part, the rules that decided otherwise every time; a part that agrees with the answer is not overruled."""
    by: dict[str, set[str]] = {}
    free: set[str] = set()
    for answer in answers:
        decider = f"{answer.place}: {answer.rule}" if answer.place and answer.rule else answer.rule
        for part in answer.parts:
            if not part.rule:
                continue
            name = f"{answer.place}: {part.rule}" if answer.place else part.rule
            if answer.rule and part.rule != answer.rule and part.effect is not answer.effect:
                by.setdefault(name, set()).add(decider)
            else:
                free.add(name)
    return {name: sorted(deciders) for name, deciders in by.items() if name not in free}
