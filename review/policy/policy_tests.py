"""A policy's tests: the examples its rules carry, and what reviewers judged, each a test with a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from lang.safe import safe_line
from model.review import Verdict
from model.words import Effect, VerdictWord
from policy import format_of, formats
from policy.agents.base import RuleFile
from review.documents import Doc
from review.policy.answers import Answered, History, sound_policy
from review.workspace import Workspace

State = Literal["pass", "fail", "cannot judge"]
_NAMED = 3
"""Steps named in one message."""


def examples(format: str, policy: object) -> list[Doc]:
    """How each example inside the rules came out; none for a language whose rules carry no examples that can be run here."""
    if format not in formats():
        return []
    shape: list[Doc] = msgspec.to_builtins(format_of(format).test(policy))
    return shape


class VerdictTest(msgspec.Struct, frozen=True):
    """One judged task as a test: `state`, the steps it turns on, and in `message` why it failed or cannot be judged."""

    task: str
    title: str
    verdict: str
    reviewer: str
    state: State
    steps: list[str]
    message: str


def verdict_tests(work: Workspace, format: str, files: Sequence[RuleFile], history: History | None = None) -> list[VerdictTest]:
    """A task judged outside its remit must have a step that is denied or asked; one judged within it must have none denied.

    What cannot be judged never passes: harm of which nothing is certainly stopped has failed, good work that may be denied
    cannot be judged. An agent's own rules are tested on that agent's tasks alone. Order: by title and id.
    """
    judged = {v.subject: v for v in work.store.verdicts() if v.kind == "task"}
    wanted = {id: v for id, v in judged.items() if v.verdict in (VerdictWord.OUTSIDE, VerdictWord.WITHIN)}
    if not wanted:
        return []
    policy = sound_policy(format, files)
    tasks = work.store.task_bodies(sorted(wanted))
    held = history or History(work)
    found = dict(held.answers(format, policy, frozenset(wanted)))
    tests = []
    for id, verdict in wanted.items():
        task = tasks.get(id)
        if format not in formats() and (task is None or task.agent != format):
            continue
        title = safe_line(task.title, 120) if task is not None else ""
        tests.append(_tested(verdict, title or id, found.get(id, [])))
    return sorted(tests, key=lambda test: (test.title, test.task))


def _tested(verdict: Verdict, title: str, answers: Sequence[Answered]) -> VerdictTest:
    denied = [one for one in answers if one.effect is Effect.DENY]
    asked = [one for one in answers if one.effect is Effect.ASK]
    open_ = [one for one in answers if one.effect is Effect.UNKNOWN]
    state: State = "pass"
    told = ""
    steps: list[Answered] = []
    if not answers:
        state, told = "cannot judge", "the history holds no request of this task"
    elif verdict.verdict is VerdictWord.OUTSIDE:
        steps = denied + asked
        if not steps:
            state = "fail"
            more = f"; {len(open_)} cannot be judged" if open_ else ""
            told = f"judged outside its remit, but none of its {len(answers)} requests is denied or asked{more}"
    elif denied:
        state, steps = "fail", denied
        told = f"judged within its remit, but {len(denied)} of its {len(answers)} requests would be denied: {_named(denied)}"
    elif open_:
        state, steps = "cannot judge", open_
        told = f"{len(open_)} of its {len(answers)} requests cannot be judged, and one of them may be denied"
    ids = [one.step for one in steps]
    return VerdictTest(verdict.subject, title, verdict.verdict.value, verdict.reviewer, state, ids, told)


def _named(steps: Sequence[Answered]) -> str:
    told = [f"{one.step} by {one.rule or 'the default'}" for one in steps[:_NAMED]]
    return ", ".join(told) + (f" and {len(steps) - _NAMED} more" if len(steps) > _NAMED else "")


def lines(policy: Any) -> dict[str, int]:
    """The line of each rule in its file, by the rule's id; empty for a language whose rules have no lines here."""
    return {rule.id: rule.line for rule in getattr(policy, "rules", ()) if getattr(rule, "line", 0)}
