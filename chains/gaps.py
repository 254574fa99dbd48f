"""Why a part of a step is missing: nobody saw it though somebody watched, nobody watched, or such logs do not tell of it.

Coverage alone answers: of a point that was watching then its silence is worth something, of any other it is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from chains.match import asked_as
from lang.times import iso
from model.chain import Coverage, Step, Task
from model.words import Phase, Tri, Vantage, Verb

_LOCAL = frozenset(
    {
        *(Verb.EXEC, Verb.FILE_READ, Verb.FILE_WRITE, Verb.FILE_DELETE, Verb.AGENT_SPAWN, Verb.AGENT_MESSAGE),
        *(Verb.INSTRUCTIONS_WRITE, Verb.GUARDRAIL_CHANGE, Verb.UNKNOWN),
    }
)
"""What happens on the agent's own machine, where no target keeps a log."""
_PHASES = frozenset({Phase.CALL, Phase.RESULT})
"""What asks and what answers; a mode that is stated waits for no answer."""
_NAMED = 3
"""Points that a reason names; the rest are counted."""


class Why(StrEnum):
    """What a silence is worth: SEEN nothing although watching, COVERED by nobody, LOGGED by no tool of this kind."""

    SEEN = "not seen"
    COVERED = "not covered"
    LOGGED = "not logged"


class Missing(msgspec.Struct, frozen=True):
    """One of decision, credential, action, result, effect that no record of a step tells of, and why."""

    part: str
    kind: Why
    why: str


def names_of(task: Task, aliases: Iterable[str] = ()) -> frozenset[str]:
    """The names by which a log may tell that it watched this task; `aliases` are other names of its people."""
    return frozenset({task.principal, task.on_behalf_of, task.scope, *aliases} - {""})


def missing(step: Step, coverages: Sequence[Coverage], names: frozenset[str]) -> list[Missing]:
    """What a step lacks, in the order of the chain. `coverages` may be those of all points or of these names alone."""
    found: list[Missing] = []
    if not step.decisions:
        found.append(_decision(step, coverages, names))
    if not step.credentials and not step.credential_events:
        found.append(_credential(step, coverages))
    if not step.actions:
        found.append(_action(step, coverages))
    elif step.outcome.tool is Tri.UNKNOWN and {item.phase for item in step.actions} & _PHASES == {Phase.CALL}:
        by = _listed({item.point for item in step.actions})
        found.append(Missing("result", Why.LOGGED, f"{by} told of the call and of no answer to it"))
    if not step.effects:
        found.append(_effect(step, coverages))
    return found


def _decision(step: Step, coverages: Sequence[Coverage], names: frozenset[str]) -> Missing:
    enforcers = [row for row in coverages if row.vantage is Vantage.ENFORCER]
    if not enforcers:
        return Missing("decision", Why.COVERED, "no log of an enforcement point that decides was imported")
    if step.at is None:
        return _timeless("decision")
    mine = [row for row in enforcers if row.decides and row.records and _concerns(row.scope, names)]
    there = [row for row in mine if row.covers(step.at)]
    wanted = {step.verb, *(one.verb for one in step.operations)}
    judging = [row for row in there if not row.verbs or wanted & set(row.verbs)]
    told = {item.point for item in step.items() if item.vantage is Vantage.ENFORCER}
    if judging and all(row.point in told for row in judging):
        return Missing("decision", Why.LOGGED, f"{_points(judging)} told of this step and of no decision: it was let through")
    if judging:
        return Missing("decision", Why.SEEN, f"{_points(judging)} watched then and told of no decision")
    if there:
        return Missing(
            "decision", Why.LOGGED, f"{_points(there)} watched then; no decision of theirs on {step.verb.value} was ever seen"
        )
    if mine:
        return Missing("decision", Why.COVERED, _elsewhen(mine, step.at))
    return Missing("decision", Why.COVERED, f"{_points(enforcers)} told of no decision in this task's name")


def _credential(step: Step, coverages: Sequence[Coverage]) -> Missing:
    own = {item.point for item in step.items() if item.vantage in (Vantage.ENFORCER, Vantage.TARGET)}
    if own:
        return Missing("credential", Why.LOGGED, f"{_listed(own)} told of this step and named no credential")
    others = [row for row in coverages if row.vantage in (Vantage.ENFORCER, Vantage.TARGET) and row.records]
    if step.verb in _LOCAL:
        return Missing("credential", Why.LOGGED, f"an agent's log names no credential for {_act(step)}")
    return _watched("credential", step, others, "a log that could name one")


def _action(step: Step, coverages: Sequence[Coverage]) -> Missing:
    return _watched("action", step, [row for row in coverages if row.vantage is Vantage.AGENT and row.records], "an agent's log")


def _effect(step: Step, coverages: Sequence[Coverage]) -> Missing:
    outside = [row for row in coverages if row.vantage in (Vantage.TARGET, Vantage.WITNESS) and row.records]
    if {step.verb, *(asked_as(one.verb, one.target) for one in step.operations)} <= _LOCAL:
        outside = [row for row in outside if row.vantage is Vantage.WITNESS]
        if not outside:
            return Missing("effect", Why.LOGGED, f"no target logs {_act(step)}; a witness on the machine would")
        return _watched("effect", step, outside, "a witness's log")
    return _watched("effect", step, outside, "a target's log")


def _watched(part: str, step: Step, rows: Sequence[Coverage], needed: str) -> Missing:
    """Of points whose log would tell of it: were they watching?"""
    if not rows:
        return Missing(part, Why.COVERED, f"{needed} was not imported")
    if step.at is None:
        return _timeless(part)
    there = [row for row in rows if row.covers(step.at)]
    if there:
        return Missing(part, Why.SEEN, f"{_points(there)} watched then and told nothing that is tied to it")
    return Missing(part, Why.COVERED, _elsewhen(rows, step.at))


def _timeless(part: str) -> Missing:
    return Missing(part, Why.COVERED, "the step has no time, so that who was watching cannot be told")


def _elsewhen(rows: Sequence[Coverage], at: int) -> str:
    """When the nearest of these points was watched instead."""
    row = min(rows, key=lambda one: (max(one.start - at, at - one.end, 0), one.point, one.scope))
    gap = next((gap for gap in row.gaps if gap.start < at < gap.end), None)
    if gap is not None:
        return f"{row.point} was silent from {_moment(gap.start)} to {_moment(gap.end)}"
    return f"the log of {row.point} reaches from {_moment(row.start)} to {_moment(row.end)}"


def _moment(at: int) -> str:
    return (iso(at) or "?")[:19].replace("T", " ")


def _concerns(scope: str, names: frozenset[str]) -> bool:
    return scope in ("", "*") or scope in names or scope.partition(":")[2] in names


def _act(step: Step) -> str:
    return "an act of this kind" if step.verb is Verb.UNKNOWN else step.verb.value


def _points(rows: Sequence[Coverage]) -> str:
    return _listed({row.point for row in rows})


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(name for name in names if name) or ["a log"]
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return ", ".join(ordered[:_NAMED]) + more
