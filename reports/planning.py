"""What is settled before the population streams by: the order of the findings and the tasks that are shown in full."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from model.words import Severity
from reports.input import FindingRow, PackInput
from reports.standing import Desk

RANK = {severity: rank for rank, severity in enumerate(Severity)}
DETAILED = 200
"""Findings shown with their whole chain; the rest are in the tables."""


class Plan(msgspec.Struct):
    """What must be known before the population streams by: findings in order, and which steps and tasks are kept."""

    findings: list[FindingRow]
    steps: frozenset[str]
    bad: list[str]
    good: list[str]
    clean: int


def plan(given: PackInput, desk: Desk, *, full: bool = False) -> Plan:
    """Order the findings, `full` keeping the step of each, and draw the samples: the riskiest tasks with open findings, and tasks without any, by digest."""
    rows = sorted(given.findings, key=lambda r: (r.finding.blind_spot, RANK[r.finding.severity], r.finding.at or 0, r.finding.id))
    open_tasks = {r.finding.task for r in rows if desk.standing(r.finding).group == "open"}
    any_tasks = {r.finding.task for r in rows if not r.finding.blind_spot}
    bad = sorted((t for t in given.tasks if t.id in open_tasks), key=lambda t: (-t.risk, t.id))
    clean = [t for t in given.tasks if t.id not in any_tasks and t.steps > 0]
    drawn = sorted(clean, key=lambda t: sha256(f"{given.sample_seed}\0{t.id}".encode("utf-8", "replace")).digest())
    size = max(0, given.sample_size)
    return Plan(
        findings=rows,
        steps=frozenset(r.finding.step for r in (rows if full else rows[:DETAILED]) if r.finding.step),
        bad=[t.id for t in bad[:size]],
        good=[t.id for t in drawn[:size]],
        clean=len(clean),
    )
