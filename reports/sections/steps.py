"""How one step of the population reads in a finding and in a sample."""

from __future__ import annotations

from model.words import Tri
from reports.input import StepRow

_TOOL = {Tri.YES: "the tool reports success", Tri.NO: "the tool reports failure", Tri.UNKNOWN: "no result of the tool was seen"}
_EFFECT = {
    Tri.YES: "the target's log confirms it",
    Tri.NO: "the target's log denies it",
    Tri.UNKNOWN: "no log of the target tells",
}


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
    return f"{_TOOL[step.tool_outcome]}; {_EFFECT[step.effect]}" + ("; the records disagree" if step.disputed else "")


def absent(step: StepRow, stated: bool) -> list[str]:
    """The links of a step's chain of which no record tells; `stated` says whether the task's intent is known."""
    known = {
        "intent": stated,
        "decision": step.decided,
        "credential": bool(step.credentials),
        "effect": step.effect is not Tri.UNKNOWN,
    }
    return [name for name, seen in known.items() if not seen]
