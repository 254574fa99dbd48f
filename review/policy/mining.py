"""Rules proposed from the store: from verdicts, from denials, from one step, and grants in place of standing credentials.

Nothing is put in force here, and nothing is kept: each call computes its figures from the store as it stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from lang.counted import count as how_many
from model.review import Verdict
from model.words import VerdictWord
from policy import History, Policy, Replayer, check
from policy.insertion import NotInsertable, inserted
from policy.mining import (
    HARM,
    Counted,
    Grant,
    Judged,
    Mined,
    Proposal,
    Refused,
    Space,
    catch,
    from_denials,
    from_verdicts,
    grant_text,
    grants,
    proposal_text,
    rules_text,
)
from policy.mining.conditions import exact
from policy.mining.propose import SUPPORT
from policy.model import FORMAT
from review.documents import Doc
from review.errors import NotFoundError, RemitError
from review.policy import versions
from review.policy.dryruns import first_figures
from review.policy.policies import history, sound
from review.workspace import Workspace

SOURCES = ("verdicts", "denials", "grants")
"""What rules can be mined from, besides one step."""
_CLOSED = frozenset({VerdictWord.FALSE_POSITIVE.value, VerdictWord.WITHIN.value})
_REMARKED = 5
"""Conditions held back that the comments at the head of a mined policy name."""
_EMPTY = {"allow": "ask", "deny": "allow", "ask": "allow"}
"""The default of the policy a rule is tried in where there is none yet: one in which the rule's effect makes a difference."""


def judged(work: Workspace) -> Judged:
    """The last word on every task and step, and the steps with a finding that nobody called false or within the remit."""
    last: dict[tuple[str, str], Verdict] = {(one.kind, one.subject): one for one in work.store.verdicts()}
    tasks = {subject: one.verdict.value for (kind, subject), one in last.items() if kind == "task"}
    steps: dict[str, dict[str, str]] = defaultdict(dict)
    for (kind, subject), one in last.items():
        if kind == "step":
            steps[one.task][subject] = one.verdict.value
    found: dict[str, set[str]] = defaultdict(set)
    for finding in work.store.findings():
        word = last.get(("finding", finding.id))
        if finding.step and not finding.blind_spot and (word is None or word.verdict.value not in _CLOSED):
            found[finding.task].add(finding.step)
    return Judged(tasks, steps, {task: frozenset(some) for task, some in found.items()})


class Mining:
    """One sitting of mining: the history is read once, each question computed anew from it and from what people said."""

    def __init__(self, work: Workspace, replayer: Replayer | None = None) -> None:
        self.work = work
        self._replayer = replayer or Replayer(history(work))
        self._judged = judged(work)
        self.space = Space(self._replayer.history, self._judged)

    def from_verdicts(self, support: int = SUPPORT) -> Doc:
        """Least-privilege allow rules for the work that was judged within its remit."""
        found = from_verdicts(self.space, support)
        return self._document("verdicts", found, _about_verdicts(self.space, found, support))

    def from_denials(self) -> Doc:
        """The smallest rules that would have allowed what was denied and was not judged outside its remit."""
        found = from_denials(self.space)
        about = [
            f"{_requests(found.base.requests)} denied and not judged outside their remit",
            f"these rules would have allowed {found.base.requests - found.rest.requests:,} of them; {found.rest.requests:,} stay denied",
        ]
        return self._document("denials", found, about)

    def from_step(self, id: str, effect: str = "deny") -> Doc:
        """Rules that catch a step and its like, and the rule that would allow just this where that is wanted."""
        step = self._step(id)
        shape = self.space.step_shape(step.task, step.id)
        if shape is None:
            raise RemitError(f"step {id} made no request that a policy is asked about, so no rule can match it")
        request = self.space.request(shape)
        if effect == "allow":
            found = self._allow(request, step.id)
        else:
            found = _alone(catch(self.space, request, effect))
        about = [
            f"rules that match step {step.id} and its like, those that touch no work judged within its remit first, the widest of them first"
        ]
        return self._document("step", found, about) | {"step": step.id, "task": step.task}

    def _step(self, id: str) -> Any:
        found = [whole for kind, whole in self.work.store.resolve(id) if kind == "step"]
        if len(found) != 1:
            what = f"could be any of {len(found)} steps; give more of it" if found else "is no step"
            raise NotFoundError(f"{id[:80]!r} {what}; `remit show TASK` lists a task's steps")
        return self.work.store.step(found[0])

    def _allow(self, request: Any, step: str) -> Mined:
        """The one narrow rule that allows a request, unless it is guarded."""
        one = exact(request)
        matched = self.space.matched(one.when) if one is not None else None
        if one is None or matched is None:
            raise RemitError(f"step {step} says too little to be told from others: no rule could allow it alone")
        rows = matched.maybe[self.space.row_shape]
        outside, findings = rows & self.space.outside, rows & self.space.found
        count = self.space.count
        if (outside | findings).any():
            steps = self.space.steps(outside | findings)
            held = Refused(one.when, count(matched.shapes[self.space.row_shape]), count(outside), count(findings), steps)
            return _alone([], (held,))
        base = matched.shapes[self.space.row_shape] & self.space.within
        made = self.space.proposal(f"allow-{one.name}", "allow", "allow", one.when, "one step and its like", matched, base)
        return _alone([made])

    def grants(self) -> Doc:
        """Task-bound grants in place of standing credentials, from what each was used for in tasks not judged outside."""
        outside = frozenset(task for task, word in self._judged.tasks.items() if word in HARM)
        found = grants(self.work.store.credentials(), outside)
        kept = [one for one in found if not self._matches_guarded(one)]
        about = [f"standing credentials used in tasks: {len(found):,}; each rule is the grant that those uses needed"]
        if len(kept) < len(found):
            about.append(
                f"{len(found) - len(kept):,} grants are held back: they would match requests judged outside or with open findings"
            )
        proposals = [
            {**msgspec.to_builtins(one), "kind": "grant", "credential_kind": one.kind, "effect": "allow", "text": grant_text(one)}
            for one in kept
        ]
        return self._told("grants", proposals, about, {"refused": []})

    def _matches_guarded(self, one: Grant) -> bool:
        matched = self.space.matched(one.when)
        return matched is None or bool((matched.shapes & self.space.guarded).any())

    def tried(self, proposal: Doc, text: str | None = None, name: str = "") -> Doc:
        """What a proposal would do, added to a policy: the document of a dry-run against that policy as it stands.

        Without `text` the policy is the one in force, else the last saved; where there is none, an empty one in which the rule makes a difference.
        """
        base, name = self.base(text, name, proposal["effect"])
        one = check(f"version: 1\ndefault: deny\nrules:\n{proposal['text']}").policy
        if one is None:
            raise RemitError(f"the proposal {proposal['id']} is no sound rule")
        rules = (*base.rules, *one.rules)
        added = msgspec.structs.replace(base, rules=rules, sha256=f"{base.sha256}+{one.sha256}")
        told, _ = first_figures(self.work, self._replayer, added, base, name, 20, None)
        return told

    def base(self, text: str | None, name: str, effect: str) -> tuple[Policy, str]:
        """The policy proposals are tried in, and what to call it."""
        if text is not None:
            return sound(text, name), name
        held = versions.current(self.work) or next(reversed(self.work.store.policies()), None)
        if held is not None and held.format == FORMAT:
            return sound(held.text, held.name), f"{held.name}@{held.version}"
        default = _EMPTY[effect]
        return sound(f"version: 1\ndefault: {default}\nrules: []\n", "an empty policy"), f"an empty policy, default {default}"

    def _document(self, source: str, found: Mined, about: Sequence[str]) -> Doc:
        proposals = [{**msgspec.to_builtins(one), "text": proposal_text(one)} for one in found.proposals]
        rest = {
            "base": msgspec.to_builtins(found.base),
            "rest": {**msgspec.to_builtins(found.rest), "examples": list(found.rest_examples)},
            "refused": [{**msgspec.to_builtins(one), "why": why_refused(one)} for one in found.refused],
            "unseen": found.unseen,
        }
        more = [f"{found.unseen:,} rarer distinct requests were not made into rules"] if found.unseen else []
        return self._told(source, proposals, [*about, *more], rest)

    def _told(self, source: str, proposals: list[Doc], about: Sequence[str], rest: Doc) -> Doc:
        held: History = self._replayer.history
        refused = [one["why"] for one in rest["refused"]]
        remarks = [*about, *refused[:_REMARKED]]
        if len(refused) > _REMARKED:
            remarks.append(f"and {len(refused) - _REMARKED} more are not proposed; --plain and --json list them")
        default = "allow" if any(one["effect"] != "allow" for one in proposals) else "ask"
        text = rules_text(f"mined-from-{source}", (one["text"] for one in proposals), remarks, default)
        words = list(self._judged.tasks.values())
        return {
            "from": source,
            "history": {
                "requests": held.requests,
                "tasks": len(held.tasks),
                "judged_within": sum(word == VerdictWord.WITHIN.value for word in words),
                "judged_outside": sum(word in HARM for word in words),
                "steps_with_findings": sum(len(steps) for steps in self._judged.findings.values()),
            },
            "about": list(about),
            "proposals": proposals,
            **rest,
            "policy": text,
        }


def _alone(proposals: Sequence[Proposal], refused: tuple[Refused, ...] = ()) -> Mined:
    """Proposals that were mined for one step, not for a part of the history."""
    return Mined(tuple(proposals), Counted(), Counted(), (), refused)


def why_refused(one: Refused) -> str:
    """Why a condition is not proposed, in one sentence."""
    reasons = []
    if one.outside.requests:
        reasons.append(f"{_requests(one.outside.requests)} judged outside their remit")
    if one.findings.requests:
        reasons.append(f"{_requests(one.findings.requests)} of steps with an open finding")
    steps = ", ".join(one.steps)
    return (
        f"not proposed: {one.when} (for {_requests(one.covers.requests)}): it would also match {' and '.join(reasons)}: {steps}"
    )


def _requests(count: int) -> str:
    return how_many(count, "request")


def _about_verdicts(space: Space, found: Mined, support: int) -> list[str]:
    if not found.base.requests:
        return [
            "no task is judged within its remit yet, so there is nothing to propose; `remit review TASK --verdict within-remit` judges one"
        ]
    covered = found.base.requests - found.rest.requests
    return [
        f"{_requests(found.base.requests)} of {found.base.tasks:,} tasks judged within their remit; rules rest on at least {support} of those tasks",
        f"these rules allow {covered:,} of them; the other {found.rest.requests:,} would be asked",
    ]


def with_rule(text: str, proposal: Doc) -> str:
    """A policy's text with a proposal at the end of its rules; raises RemitError where it cannot be put there."""

    def written(id: str, indent: str) -> str:
        lines = proposal["text"].replace(f"- id: {proposal['id']}\n", f"- id: {id}\n", 1).splitlines()
        return "".join(f"{indent}{line[2:]}\n" for line in lines)

    try:
        return inserted(text, proposal["id"], written)
    except NotInsertable as error:
        raise RemitError(f"the rule cannot be put into this policy: {error}") from error
