"""The native format: `policy.yaml`, rules with conditions in CEL."""

from __future__ import annotations

from typing import Any

from policy.bitmaps import BitmapReplay
from policy.decisions import Replay, TestResult
from policy.diagnostics import Checked
from policy.document import check
from policy.explain import explain
from policy.history import History
from policy.model import Policy
from policy.testing import run_tests


class Remit:
    """See `policy.decisions.PolicyFormat`."""

    id = "remit"
    title = "Remit policy (YAML, CEL conditions)"

    def check(self, text: str, as_of: int | None = None) -> Checked[Policy]:
        return check(text, as_of)

    def replay(self, history: History) -> Replay[Policy]:
        return BitmapReplay(history)

    def explain(self, policy: Policy, request: object) -> dict[str, Any]:
        return explain(policy, request)

    def test(self, policy: Policy) -> list[TestResult]:
        return run_tests(policy)


FORMAT = Remit()
