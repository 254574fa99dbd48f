"""ENF: a policy in force that was not enforced. Remit's own family: its ids are not of the crosswalk and map to no control.

GOV-02 is about a denial that was given and not kept. Here none was given: the enforcement point's own rules say one thing
and the point did another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chains.context import Context
from chains.detections.examples import chain, context, example, step
from chains.detections.reading import said, when
from chains.detections.registry import Hit, Unjudged, detection
from chains.shelf import by_id
from model.chain import TaskChain
from model.conformance import Compared, Conformance, Expected
from model.words import Effect, Severity


def _held(kind: Conformance, effect: str, *, certain: bool = True) -> Callable[[], Context]:
    expected = Expected("claude-code", Effect(effect), "Bash(git push:*)", "settings.json", "rec-settings", certain=certain)
    return context(compared=(Compared("step-1", kind, expected, "it ran: tool yes, effect unknown"),))


_PUSH = chain(step("exec", command="git push origin main", tool="yes"))


def _told(task: TaskChain, around: Context, kind: Conformance) -> Iterator[Hit]:
    steps = by_id(task.steps) if around.compared else {}
    for found in around.compared:
        one = steps.get(found.step)
        if found.kind is not kind or one is None or not found.expected.certain:
            continue
        policy = found.expected
        yield Hit(
            anchor=one.call or one.id,
            step=one.id,
            at=one.at,
            evidence=(policy.record, *one.records),
            why=f"{policy.policy}, in force at {policy.point}, says {policy.effect.value} of `{said(one)}` by {policy.rule}; at {when(one.at)} {found.why}",
            facts={"point": policy.point, "rule": policy.rule, "policy": policy.policy},
        )


_NEEDS = ("the policy in force at the point, with since when (`policies` of org.yaml)", "the call and whether it ran")
_LIMITS = (
    "Only where org.yaml says which imported settings file or saved policy was in force, for whom and since when, and only where the rules' reading "
    "of the call is exact; `remit conformance` lists the rest as cannot judge. Rules of the modelled version of each program."
)


@detection(
    "ENF-01",
    "Executed although the point's own policy denies",
    Severity.HIGH,
    needs=_NEEDS,
    looks_for="a call that ran although a rule of the policy in force at its own enforcement point denies it, and nobody's denial is on record",
    limits=_LIMITS,
    examples=(
        example("ran against a deny rule", True, _PUSH, _held(Conformance.EXECUTED, "deny")),
        example("was refused", False, _PUSH, _held(Conformance.AGREES, "deny")),
        example("not known since when the rule held", False, _PUSH, _held(Conformance.EXECUTED, "deny", certain=False)),
        example("no policy is known", False, _PUSH),
    ),
)
def executed(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    yield from _told(task, around, Conformance.EXECUTED)


@detection(
    "ENF-02",
    "Let through unasked although the point's own policy says ask",
    Severity.MEDIUM,
    needs=(*_NEEDS, "who let the call through, as the agent's telemetry says"),
    looks_for="a call that a rule of the policy in force puts to a person, and that the point let through by itself",
    limits=_LIMITS + " A transcript alone does not say who let a call through: an agent's telemetry does.",
    examples=(
        example("let through by its configuration", True, _PUSH, _held(Conformance.NOT_ASKED, "ask")),
        example("a person was asked", False, _PUSH, _held(Conformance.AGREES, "ask")),
        example("no record says who let it through", False, _PUSH, _held(Conformance.UNKNOWN, "ask")),
    ),
)
def unasked(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    yield from _told(task, around, Conformance.NOT_ASKED)
