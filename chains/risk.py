"""Risk: how far up the queue a task belongs, as a sum of named factors a person can follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from model.chain import Finding, Task
from model.words import Severity

SEVERITY: dict[Severity, int] = {Severity.CRITICAL: 40, Severity.HIGH: 22, Severity.MEDIUM: 10, Severity.LOW: 4}
"""Points of the first finding of a detection."""
AGAIN = 0.25
"""Every further finding of the same detection adds this part of its points, and all of them together no more than once."""
PRODUCTION = 8
SEVERAL_OWNERS = 5
BYPASS = 6
NO_DECIDER = 4
"""The agent acted and no enforcer's record is at hand."""
BLIND_SPOT = 1
BLIND_SPOTS_AT_MOST = 3
UNSEEN_AGENT = 3
"""Others saw the task act; the agent's own records are not at hand."""
_PRODUCTION = frozenset({"prod", "production", "live"})


def score(findings: Iterable[Finding], task: Task, bypassed: bool = False) -> tuple[int, dict[str, int]]:
    """Risk 0 to 100 and its factors by name, the largest first: detection ids and circumstances.

    Circumstances weigh only beside a finding, but for what keeps findings from being made at all: missing vantages and
    blind spots. `bypassed` says that some step ran in a mode in which nobody is asked.
    """
    findings = list(findings)
    factors: dict[str, int] = {}
    real = [f for f in findings if not f.blind_spot]
    for detection in sorted({f.detection for f in real}):
        same = sorted((SEVERITY[f.severity] for f in real if f.detection == detection), reverse=True)
        factors[detection] = round(same[0] + min(AGAIN * sum(same[1:]), same[0]))
    if real:
        if task.environment.casefold() in _PRODUCTION:
            factors["production"] = PRODUCTION
        if len(task.owners) > 1:
            factors["several owners"] = SEVERAL_OWNERS
        if bypassed:
            factors["nobody asked"] = BYPASS
    if "agent" not in task.vantages and not task.scope.startswith("ci.job:"):
        factors["agent not seen"] = UNSEEN_AGENT
    if "enforcer" not in task.vantages and "agent" in task.vantages:
        factors["no decider's own log"] = NO_DECIDER
    if blind := sum(f.blind_spot for f in findings):
        factors["blind spots"] = min(BLIND_SPOT * blind, BLIND_SPOTS_AT_MOST)
    ranked = dict(sorted(factors.items(), key=lambda pair: (-pair[1], pair[0])))
    return min(sum(ranked.values()), 100), ranked


def severities(findings: Iterable[Finding]) -> Mapping[str, int]:
    """How many findings of each severity, blind spots aside; all four words are there."""
    counts = {severity.value: 0 for severity in Severity}
    for finding in findings:
        if not finding.blind_spot:
            counts[finding.severity.value] += 1
    return counts
