"""Why a policy answers one request as it does, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policy.decide import Decision, decide
from policy.model import Policy, Request
from policy.operations import alone, operations_of
from policy.toolcalls import to_request


def explain(policy: Policy, request: object) -> dict[str, Any]:
    """The answer in the shape of `remit policy explain`: effect, deciding rule, matches, what is undetermined, operations.

    The request is one of our schema, nested or dotted, or an agent's tool call. `rule` is None where the default
    decides or nothing can. `operations` answers for each operation inside a command line as if it stood alone.
    Raises RequestError.
    """
    reasons = {rule.id: rule.reason for rule in policy.rules}
    return explained(request, lambda read: decide(policy, read), reasons)


def explained(request: object, decide: Callable[[Request], Decision], reasons: Mapping[str, str]) -> dict[str, Any]:
    """The same for any format: `decide` answers a request of our schema, `reasons` are the rules' own by id."""
    read = to_request(request)
    decision = decide(read)
    return {
        "effect": decision.effect,
        "rule": decision.rule or None,
        "reason": reason_of(reasons, decision),
        "matched": list(decision.matched),
        "undetermined": [{"rule": u.rule, "missing": list(u.missing)} for u in decision.undetermined],
        "operations": _operations(decide, read),
    }


def reason_of(reasons: Mapping[str, str], decision: Decision) -> str:
    """One sentence: the rule's own reason, or why there is none."""
    if decision.effect == "unknown":
        names = sorted({name for u in decision.undetermined for name in u.missing})
        rules = ", ".join(u.rule for u in decision.undetermined)
        need = "needs" if len(decision.undetermined) == 1 else "need"
        return f"cannot judge: {rules} {need} {', '.join(names) or 'a value that cannot be computed'}"
    if not decision.rule:
        return f"no rule matches; the default is {decision.effect}"
    return reasons.get(decision.rule) or f"rule {decision.rule} matches"


def _operations(decide: Callable[[Request], Decision], request: Request) -> list[dict[str, Any]]:
    command = request.get("action.command")
    if not isinstance(command, str) or not command.strip():
        return []
    out: list[dict[str, Any]] = []
    for operation in operations_of(command):
        decision = decide(alone(request, operation))
        name = f" {operation.target.name}" if operation.target.name else ""
        text = operation.text or f"{operation.verb.value}{name}"
        out.append({"text": text, "effect": decision.effect, "rule": decision.rule or None})
    return out
