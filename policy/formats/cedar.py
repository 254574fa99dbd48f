"""Cedar policies, judged by Cedar's own engine (the extra `cedar`); *ask* is `@decision("ask")` on a forbid."""

from __future__ import annotations

from typing import Any

from policy.cedar.check import FORMAT as ID
from policy.cedar.check import CedarPolicy, check
from policy.cedar.replay import CedarReplay, decide
from policy.decisions import Replay, TestResult
from policy.diagnostics import Checked
from policy.explain import explained
from policy.history import History


class Cedar:
    """See `policy.decisions.PolicyFormat`."""

    id = ID
    title = "Cedar policies"

    def check(self, text: str, as_of: int | None = None) -> Checked[CedarPolicy]:
        return check(text)

    def replay(self, history: History) -> Replay[CedarPolicy]:
        return CedarReplay(history)

    def explain(self, policy: CedarPolicy, request: object) -> dict[str, Any]:
        return explained(request, lambda read: decide(policy, read), {rule.id: rule.reason for rule in policy.rules})

    def test(self, policy: CedarPolicy) -> list[TestResult]:
        """Cedar has no examples beside its policies."""
        return []


FORMAT = Cedar()
