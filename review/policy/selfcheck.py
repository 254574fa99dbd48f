"""The self-check: where the policy that decided is known, does replaying it give the decisions that were recorded?

A dry-run is believed only as far as this holds. Known is a policy that the organisation file says was in force, and one
that a decision names by the digest, or by name and version, of a version saved here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice

import msgspec

from model.chain import Item, Step, Task
from model.conformance import Expected
from model.review import PolicyVersion
from model.words import Effect, Phase
from policy import Policy, check, decide
from review.derive.enforced import Policies
from review.workspace import Workspace

_AT_ONCE = 50
"""Tasks that are read together."""
LISTED = 200
"""Decisions that are not reproduced and are listed one by one; all are counted."""

_VERSION = re.compile(r"^(?P<name>.+?)(?:@| v| version )(?P<version>\d{1,9})$")


class Differing(msgspec.Struct, frozen=True):
    """A recorded decision that its policy, replayed, does not give."""

    task: str
    step: str
    point: str
    policy: str
    recorded: str
    replayed: str
    rule: str


class SelfCheck(msgspec.Struct):
    """`decisions` is the number of verdicts on record, `checked` those whose policy is known and could be replayed.

    `reproduced` of `checked` came out the same; `differing` lists the others, `differing_total` counts them.
    `cannot_judge` are verdicts whose policy is known but lacks a fact; `unchecked` counts the rest by the reason.
    """

    decisions: int = 0
    checked: int = 0
    reproduced: int = 0
    cannot_judge: int = 0
    differing_total: int = 0
    differing: list[Differing] = []
    policies: list[str] = []
    unchecked: dict[str, int] = {}

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        if not self.decisions:
            return "Self-check: no decision is on record, so there is nothing to reproduce."
        if not self.checked:
            why = max(self.unchecked, key=lambda reason: self.unchecked[reason], default="")
            why = why or f"a fact is missing for all {self.cannot_judge:,} whose policy is known"
            way = (
                " Keep that policy with `remit policy save FILE --name NAME --revision R` to have it checked."
                if self.unchecked
                else ""
            )
            return f"Self-check: could not be made for any of {self.decisions:,} recorded decisions: {why}.{way}"
        rest = self.decisions - self.checked
        tail = f"; {rest:,} more could not be checked" if rest else ""
        return f"Self-check: {self.reproduced:,} of {self.checked:,} recorded decisions reproduced{tail}."


def self_check(work: Workspace, wanted: Callable[[], None] | None = None) -> SelfCheck:
    """Replay every recorded decision whose policy is known; `wanted` is called now and then and may raise to give up."""
    found = _Checking(work)
    decided = work.store.decided_steps()
    while part := list(islice(decided, _AT_ONCE)):
        if wanted is not None:
            wanted()
        tasks = work.store.task_bodies([task for task, _ in part])
        for task, steps in part:
            told = [step for step in steps if any(_verdict(item) for item in step.decisions)]
            if told and task in tasks:
                found.take(tasks[task], told)
    return found.result()


def _verdict(item: Item) -> bool:
    return item.phase is Phase.VERDICT and item.decision is not None and item.decision.effect is not Effect.UNKNOWN


class _Checking:
    """Counts as it goes; the answers of saved policies are remembered by request."""

    def __init__(self, work: Workspace) -> None:
        self._policies = Policies(work.store, work.facts)
        self._saved = _Saved(work.store.policies())
        self._unchecked: Counter[str] = Counter()
        self._used: set[str] = set()
        self.out = SelfCheck(differing=[])

    def take(self, task: Task, steps: list[Step]) -> None:
        expected = self._policies.expected(task, steps)
        for step in steps:
            for item in _last_by_point(step):
                self._one(task, step, item, expected.get(step.id))

    def _one(self, task: Task, step: Step, item: Item, expected: Expected | None) -> None:
        decision = item.decision
        assert decision is not None
        self.out.decisions += 1
        answer = self._saved.answer(decision.policy, step)
        if answer is None and expected is not None and expected.point == item.point:
            answer = (expected.policy, expected.effect, expected.rule)
        if answer is None:
            named = f"by {decision.policy}, which is not saved here" if decision.policy else "by a policy that no record names"
            self._unchecked[f"{item.point} decided {named}"] += 1
            return
        policy, effect, rule = answer
        self._used.add(policy)
        if effect is Effect.UNKNOWN:
            self.out.cannot_judge += 1
            return
        self.out.checked += 1
        if effect is decision.effect:
            self.out.reproduced += 1
            return
        self.out.differing_total += 1
        if len(self.out.differing) < LISTED:
            one = Differing(task.id, step.id, item.point, policy, decision.effect.value, effect.value, rule)
            self.out.differing.append(one)

    def result(self) -> SelfCheck:
        self.out.policies = sorted(self._used)
        self.out.unchecked = dict(sorted(self._unchecked.items(), key=lambda pair: (-pair[1], pair[0])))
        return self.out


def _last_by_point(step: Step) -> Iterator[Item]:
    """Each point's last verdict on a step: what it said before was said again, or over."""
    yield from {item.point: item for item in step.decisions if _verdict(item)}.values()


class _Saved:
    """Saved versions by the words decisions name them with."""

    def __init__(self, versions: list[PolicyVersion]) -> None:
        mine = [one for one in versions if one.format == "remit"]
        self._by_digest = {one.sha256: one for one in mine}
        self._by_version = {(one.name, one.version): one for one in mine}
        self._checked: dict[str, Policy | None] = {}
        self._answers: dict[tuple[str, bytes], tuple[Effect, str]] = {}

    def answer(self, named: str, step: Step) -> tuple[str, Effect, str] | None:
        """(policy, effect, rule) of the saved version a decision names; None where it names none."""
        found = self._find(named) if named else None
        if found is None:
            return None
        if found.sha256 not in self._checked:
            self._checked[found.sha256] = check(found.text).policy
        policy = self._checked[found.sha256]
        if policy is None:
            return None
        key = (found.sha256, msgspec.msgpack.encode(step.request))
        if key not in self._answers:
            if len(self._answers) > 100_000:
                self._answers.clear()
            said = decide(policy, step.request)  # type: ignore[arg-type]
            self._answers[key] = (Effect(said.effect), said.rule or "its default")
        return f"{found.name} version {found.version}", *self._answers[key]

    def _find(self, named: str) -> PolicyVersion | None:
        digest = self._by_digest.get(named.removeprefix("sha256:").lower())
        if digest is not None:
            return digest
        stated = _VERSION.match(named)
        return self._by_version.get((stated["name"], int(stated["version"]))) if stated else None
