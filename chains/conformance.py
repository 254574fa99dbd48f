"""Enforcement conformance: what a policy in force says of a step, against what the records say happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from chains.detections.reading import answers, ran, refused
from model.chain import Item, Step
from model.conformance import Compared, Conformance, Expected
from model.words import Effect, Vantage

_NOBODY = frozenset({"config", "policy", "rule", "rules", "allowlist"})
"""Who lets a call through without asking anybody, as agents' telemetry names them."""


def compare(steps: Iterable[Step], expected: Mapping[str, Expected]) -> Iterator[Compared]:
    """Every step of which a policy in force says something, or might."""
    for step in steps:
        said = expected.get(step.id)
        if said is not None:
            kind, why = _held(step, said)
            yield Compared(step.id, kind, said, why)


def _held(step: Step, said: Expected) -> tuple[Conformance, str]:
    if said.effect is Effect.UNKNOWN:
        return Conformance.UNKNOWN, said.why
    mine = [item for item in answers(step) if _of(item, said.point)]
    denied = next((item for item in mine if item.decision is not None and item.decision.effect is Effect.DENY), None)
    if said.effect is Effect.DENY:
        # Where the point did deny, its rules were kept to; that the call ran all the same is another finding (GOV-02).
        if ran(step) and denied is None:
            return Conformance.EXECUTED, _seen(step)
        kept = denied is not None or refused(step)
        return (Conformance.AGREES, "") if kept else (Conformance.UNKNOWN, "whether the call ran is not on record")
    asked = [item for item in mine if _asked(item)]
    if said.effect is Effect.ASK:
        if asked or refused(step):
            return Conformance.AGREES, ""
        silent = next((item for item in mine if _let_through(item)), None)
        if silent is not None and ran(step):
            by = silent.decision.by or silent.decision.rule if silent.decision else ""
            return Conformance.NOT_ASKED, f"{silent.point} let it through by {by or 'itself'}"
        return Conformance.UNKNOWN, "no record says whether anybody was asked"
    if asked:
        return Conformance.ASKED, f"{asked[0].point} put it to a person"
    if denied is not None:
        return Conformance.REFUSED, f"{denied.point} refused it"
    return (Conformance.AGREES, "") if ran(step) else (Conformance.UNKNOWN, "whether the call was let through is not on record")


def _of(item: Item, point: str) -> bool:
    """Whether a verdict is the point's own; an agent's own verdict is that of its own settings."""
    return item.point == point or (item.vantage is Vantage.AGENT and item.point.partition(":")[0] == point)


def _asked(item: Item) -> bool:
    made = item.decision
    return made is not None and (made.effect is Effect.ASK or made.by.casefold() in ("user", "person") or item.status == "user")


def _let_through(item: Item) -> bool:
    """Whether a verdict says that nobody was asked: it names who let the call through, and that is no person."""
    made = item.decision
    return (
        made is not None and made.effect is Effect.ALLOW and (made.by.casefold() in _NOBODY or item.vantage is Vantage.ENFORCER)
    )


def _seen(step: Step) -> str:
    return f"it ran: tool {step.outcome.tool.value}, effect {step.outcome.effect.value}"
