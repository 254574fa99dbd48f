"""What conditions may read of a step: its request and how it ended, by the names of `model.conditions`."""

from __future__ import annotations

from collections.abc import Iterable

from lang.cel.requests import well_typed
from lang.cel.typed import Value
from model.chain import Step
from model.conditions import STEP_CONDITION
from model.words import Effect, Tri


def was_refused(step: Step) -> bool:
    """Certainly stopped: denied, and nothing shows that it ran all the same."""
    return step.outcome.permitted is Effect.DENY and Tri.YES not in (step.outcome.tool, step.outcome.effect)


def step_values(step: Step, names: Iterable[str] = STEP_CONDITION) -> dict[str, Value]:
    """What a step states under these names, well-typed; a name that is missing is unknown."""
    found: dict[str, Value] = {}
    for name in names:
        if name.startswith("outcome."):
            value = _outcome(step, name)
        else:
            field = STEP_CONDITION.get(name)
            value = well_typed(field, step.request.get(name)) if field is not None else None
        if value is not None:
            found[name] = value
    return found


def _outcome(step: Step, name: str) -> Value | None:
    outcome = step.outcome
    match name:
        case "outcome.permitted":
            return None if outcome.permitted is Effect.UNKNOWN else outcome.permitted.value
        case "outcome.refused":
            return was_refused(step)
        case "outcome.effect":
            return None if outcome.effect is Tri.UNKNOWN else outcome.effect is Tri.YES
        case "outcome.disputed":
            return outcome.disputed
        case _:
            if Tri.YES in (outcome.tool, outcome.effect):
                return True
            return False if Tri.NO in (outcome.tool, outcome.effect) or was_refused(step) else None
