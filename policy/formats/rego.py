"""Rego policies, judged by rego-cpp (the extra `rego`) in a process of its own."""

from __future__ import annotations

from typing import Any

from policy.decide import Decision
from policy.decisions import Replay, TestResult
from policy.diagnostics import Checked
from policy.explain import explained
from policy.history import History
from policy.model import Request
from policy.rego.check import FORMAT as ID
from policy.rego.check import RegoPolicy, check
from policy.rego.replay import RegoReplay, decide


class Rego:
    """See `policy.decisions.PolicyFormat`."""

    id = ID
    title = "Rego policy"

    def check(self, text: str, as_of: int | None = None) -> Checked[RegoPolicy]:
        return check(text)

    def replay(self, history: History) -> Replay[RegoPolicy]:
        return RegoReplay(history)

    def explain(self, policy: RegoPolicy, request: object) -> dict[str, Any]:
        reasons: dict[str, str] = {}
        why: list[str] = []

        def told(read: Request) -> Decision:
            decision, reason = decide(policy, read)
            why.append(reason)
            reasons.setdefault(decision.rule, reason)
            return decision

        out = explained(request, told, reasons)
        if out["effect"] == "unknown" and why[0]:
            out["reason"] = why[0]
        return out

    def test(self, policy: RegoPolicy) -> list[TestResult]:
        """The tests of Rego (`test_...` rules) bring inputs of their own and are OPA's to run."""
        return []


FORMAT = Rego()
