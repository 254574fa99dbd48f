"""What decides in Codex besides its rules: the approval policy, the sandbox, the trust in a project; known, or all it may be."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

from model.words import Effect
from policy.agents.base import Call
from policy.agents.codex.shell import Argv, dangerous

POLICIES = {
    "untrusted": "untrusted", "unless-trusted": "untrusted", "on-request": "on-request", "on-failure": "on-request",
    "never": "never", "granular": "granular",
}  # fmt: skip
SANDBOXES = frozenset({"read-only", "workspace-write", "danger-full-access", "external-sandbox"})
OPEN = frozenset({"danger-full-access", "external-sandbox"})


class Facts(NamedTuple):
    """What decides besides the rules, all known; `refused` holds what a granular approval policy does not let be asked."""

    policy: str
    sandbox: str
    trusted: bool
    refused: frozenset[str]


WORDS = (
    "the approval policy in force",
    "the sandbox in force",
    "whether the project is trusted",
    "what the granular approval policy lets through",
)
"""What each of the facts is called where it is missing."""


def possible(call: Call, *, by_trust: bool) -> list[Facts]:
    """Every state of affairs a call may have been made in; `by_trust` says that the trust in its project makes a difference."""
    policy = POLICIES.get(call.mode, "")
    if not policy and call.interactive is False and not call.facts.get("automatic_review"):
        policy = "never"
    policies = [policy] if policy else ["untrusted", "on-request", "never"]
    sandboxes = [call.sandbox] if call.sandbox in SANDBOXES else ["workspace-write", "danger-full-access"]
    trusted = [call.trusted] if call.trusted is not None else [True, False] if by_trust else [True]
    granular = call.facts.get("granular")
    stated: list[Mapping[str, object]] = [granular if isinstance(granular, Mapping) else {}]
    if policy == "granular" and not stated[0]:
        stated = [{"rules": rules, "sandbox_approval": sandbox} for rules, sandbox in product((True, False), repeat=2)]
    return [Facts(*facts) for facts in product(policies, sandboxes, trusted, map(_frozen, stated))]


def _frozen(granular: Mapping[str, object]) -> frozenset[str]:
    return frozenset(name for name, lets in granular.items() if not lets)


def matters(effects: Mapping[Facts, Effect], at: int) -> bool:
    """Whether two states that differ in one fact alone have different answers."""
    seen: dict[tuple[object, ...], Effect] = {}
    return any(seen.setdefault(facts[:at] + facts[at + 1 :], effect) is not effect for facts, effect in effects.items())


def may_escalate(facts: Facts) -> bool:
    if facts.policy == "granular":
        return "sandbox_approval" not in facts.refused
    return facts.policy != "never"


def may_ask(facts: Facts) -> bool:
    """Whether a rule's question reaches anybody."""
    if facts.policy == "granular":
        return "rules" not in facts.refused
    return facts.policy != "never"


def unmatched(command: Argv, facts: Facts, *, escalated: bool) -> str:
    """What becomes of a command that no rule matches."""
    if dangerous(command):
        return "forbidden" if facts.policy == "never" else "prompt"
    if facts.policy == "untrusted":
        return "prompt"
    return "prompt" if escalated and facts.policy != "never" and facts.sandbox not in OPEN else "allow"
