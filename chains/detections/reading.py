"""How detections read a step: did it run, was it refused, what does it really do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lang.times import iso
from model.chain import Item, Step, TaskChain
from model.event import Operation
from model.words import Effect, Phase, Tri, Vantage, Verb

_PROTECTED = re.compile(r"(^|/)(main|master|trunk|production|prod|release([/-].*)?|stable|develop)$", re.I)


def answers(step: Step) -> Iterator[Item]:
    """The verdicts given on a step, in their order."""
    return (item for item in step.decisions if item.phase is Phase.VERDICT and item.decision is not None)


def denials(step: Step) -> list[Item]:
    return [item for item in answers(step) if item.decision is not None and item.decision.effect is Effect.DENY]


def ran(step: Step) -> bool:
    """Certainly ran: a result came back well, or a target or witness saw its effect."""
    return step.outcome.tool is Tri.YES or step.outcome.effect is Tri.YES


def refused(step: Step) -> bool:
    """Certainly stopped: denied, and nothing shows that it ran all the same."""
    return step.outcome.permitted is Effect.DENY and not ran(step)


def turned_away(step: Step) -> bool:
    """Certainly came to nothing: the target refused the one thing the step set out to do, however well its program ended (`|| true`)."""
    refusals = sum(item.vantage is Vantage.TARGET for item in denials(step))
    seen = sum(item.vantage is Vantage.TARGET for item in step.effects)
    return seen <= refusals > 0 and step.outcome.effect is Tri.NO and len(step.operations) <= 1


def set_out(step: Step) -> bool:
    """Not known to have been stopped: it ran, failed in running, or its end is not seen."""
    return not refused(step) and not turned_away(step)


def may_have_worked(step: Step) -> bool:
    """Not known to have been stopped or to have failed."""
    return set_out(step) and (step.outcome.tool is not Tri.NO or step.outcome.effect is Tri.YES)


def may_have_done(step: Step, operation: Operation) -> bool:
    """The same of one operation: how a command ended tells of the last one it ran alone, and of files the shell wrote nothing."""
    if may_have_worked(step):
        return True
    command = str(step.request.get("action.command") or step.title).rstrip(_CLOSING)
    within = bool(step.operations) and step.verb is Verb.EXEC
    return set_out(step) and within and not command.endswith(operation.text.rstrip(_CLOSING))


_CLOSING = " \t\r\n;)}'\""


def operations(step: Step) -> Iterator[Operation]:
    """What the step really does: its parsed operations, else itself as one."""
    if step.operations:
        yield from step.operations
    if not step.operations or step.verb is not Verb.EXEC:
        yield Operation(step.verb, step.target, step.title)


def verbs(step: Step) -> set[Verb]:
    return {o.verb for o in operations(step)}


def writes(task: TaskChain, verb: Verb) -> Iterator[tuple[Step, str]]:
    """Steps that did a verb, neither stopped nor known to have failed in it, each with the names of what they changed."""
    for one in task.steps:
        changed = [o for o in operations(one) if o.verb is verb and may_have_done(one, o)]
        if changed:
            yield one, ", ".join(sorted({o.target.name or o.target.detail for o in changed} - {""})) or said(one)


def protected_branch(name: str) -> bool:
    return bool(_PROTECTED.search(name))


def decided(step: Step) -> str:
    """Who let a step pass, else who answered otherwise, for a `why`."""
    for effect, word in ((Effect.ALLOW, "allowed"), (Effect.DENY, "denied"), (Effect.ASK, "put to a person")):
        for item in answers(step):
            if item.decision is not None and item.decision.effect is effect:
                return f"{word} by {item.decision.by or item.point}"
    return "no decision on record"


def agent_items(step: Step) -> list[Item]:
    return [item for item in step.actions if item.vantage is Vantage.AGENT]


def records(*steps: Step) -> list[str]:
    return [record for step in steps for record in step.records]


def said(step: Step, width: int = 120) -> str:
    """The step in a few words, for a `why`."""
    text = " ".join((step.title or step.target.name or step.verb.value).split())
    return text if len(text) <= width else text[: width - 1] + "…"


def when(at: int | None) -> str:
    return iso(at) or "an unknown time"


def words(value: object) -> list[str]:
    """A parameter given as a list of words."""
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def count(value: object, default: int) -> int:
    """A parameter given as a whole number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def seconds(value: object, default: float) -> int:
    """A parameter given in seconds, as microseconds."""
    return int((float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else default) * 1_000_000)
