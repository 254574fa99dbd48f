"""How one step of the population reads in a finding and in a sample."""

from __future__ import annotations

from model.words import Tri
from reports.input import StepRow


def decision(step: StepRow) -> str:
    """Who decided what by which rule, or what the absence of a decision means here."""
    if not step.decided:
        return "none recorded; the decider's log covers this moment" if step.covered else "none seen; no log covers this moment"
    return " ".join(filter(None, (step.permitted.value, "by", step.decided_by or "unknown", step.rule)))


def action(step: StepRow) -> str:
    """What was done to what, and in which environment where that is known."""
    return " ".join(filter(None, (step.verb.value, step.target, f"({step.environment})" if step.environment else "")))


def outcome(step: StepRow) -> str:
    """What the tool reported and what the target confirmed."""
    return f"tool {step.tool_outcome.value}, effect {step.effect.value}" + (", disputed" if step.disputed else "")


def absent(step: StepRow, stated: bool) -> list[str]:
    """The links of a step's chain of which no record tells; `stated` says whether the task's intent is known."""
    known = {
        "intent": stated,
        "decision": step.decided,
        "credential": bool(step.credentials),
        "effect": step.effect is not Tri.UNKNOWN,
    }
    return [name for name, seen in known.items() if not seen]
