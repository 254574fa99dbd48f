"""Baselines without a model: what an agent usually does in a repository, and what of one task is new against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from statistics import median_low
from typing import Any

from chains.rotation import Rotation, long_lived, rotations
from chains.tally import BURST_WITHIN
from lang.counted import count
from lang.times import iso
from model.chain import Credential, Finding, Task
from model.figures import Burst, Sums
from review.documents import Doc
from review.show.shares import share_document
from review.workspace import Workspace
from store import HabitRow

HOUR = 3_600_000_000


def baselines(work: Workspace) -> list[Doc]:
    """`remit baselines`: one row for each agent in each repository, by name."""
    habits: dict[tuple[str, str], list[HabitRow]] = defaultdict(list)
    for one in work.store.habits():
        habits[one.agent, one.repository].append(one)
    delays: dict[tuple[str, str], list[int]] = defaultdict(list)
    for agent, repository, _, delay in work.store.detection_delays():
        delays[agent, repository].append(delay)
    return [
        _baseline(pair.agent, pair.repository, pair.tasks, pair.first, pair.last, habits[pair.agent, pair.repository])
        | {"time_to_evidence": _delays(delays[pair.agent, pair.repository])}
        for pair in work.store.pairs()
    ]


def _baseline(agent: str, repository: str, tasks: int, first: int | None, last: int | None, habits: list[HabitRow]) -> Doc:
    sums = _total(habits)
    weeks = sorted({one.week for one in habits if one.week})
    tools = _tools(habits)
    return {
        "agent": agent or None,
        "repository": repository or None,
        "tasks": tasks,
        "first_seen": iso(first),
        "last_seen": iso(last),
        "active_weeks": len(weeks),
        "per_task": round(sums.actions / tasks, 2) if tasks else None,
        "per_week": round(sums.actions / len(weeks), 2) if weeks else None,
        "burst": {"actions": max((one.burst for one in habits), default=0), "within_seconds": BURST_WITHIN // 1_000_000},
        **share_document(sums),
        "tools": tools,
        "drift": [{"tool": t["tool"], "verb": t["verb"], "since": t["first_seen"]} for t in tools if weeks and t["drift"]],
    }


def _total(habits: Iterable[HabitRow]) -> Sums:
    total = Sums()
    for one in habits:
        total = total.plus(one.sums)
    return total


def _tools(habits: Iterable[HabitRow]) -> list[Doc]:
    """Every tool the agent was seen to use there; `drift` marks one let through only since a later week than the first."""
    by_tool: dict[tuple[str, str], list[HabitRow]] = defaultdict(list)
    weeks: set[str] = set()
    for one in habits:
        by_tool[one.tool, one.verb].append(one)
        weeks |= {one.week} - {""}
    beginning = min(weeks, default="")
    found = []
    for (tool, verb), rows in sorted(by_tool.items()):
        sums = _total(rows)
        passed = [row.week for row in rows if row.sums.actions > row.sums.refused]
        found.append(
            {
                "tool": tool or None,
                "verb": verb,
                "first_seen": iso(min((row.first for row in rows if row.first is not None), default=None)),
                "last_seen": iso(max((row.last for row in rows if row.last is not None), default=None)),
                "actions": sums.actions,
                "allowed": sums.allowed,
                "refused": sums.refused,
                "drift": bool(passed) and "" not in passed and min(passed) > beginning,
            }
        )
    return found


def _delays(delays: list[int]) -> Doc:
    return {"findings": len(delays), "median_seconds": round(median_low(delays) / 1e6, 3) if delays else None}


# one task, step, finding, credential


def task_facts(work: Workspace, task: Task) -> Doc:
    """What `show TASK` says of a task beside its chain: how fast, how governed, and what was new when it began."""
    total, tools = work.store.task_sums(task.id)
    span = (task.ended - task.started) if task.started is not None and task.ended is not None else None
    return {
        **share_document(total),
        "per_hour": round(total.actions * HOUR / span, 2) if span else None,
        "over_seconds": round(span / 1e6, 3) if span else None,
        "burst": burst_document(task.burst),
        "baseline": _before(work, task, tools),
    }


def _before(work: Workspace, task: Task, used: Collection[str]) -> Doc | None:
    """This agent in this repository before the task began; None where agent, repository or beginning is not known."""
    if not task.agent or not task.repository or task.started is None:
        return None
    count, first = work.store.pair_before(task.agent, task.repository, task.id, task.started)
    known = work.store.tools_before(task.agent, task.repository, task.id, task.started, used) if count else set()
    return {
        "tasks_before": count,
        "first_seen": iso(first if first is not None else task.started),
        "first_task": count == 0,
        "new_tools": [tool for tool in used if tool not in known] if count else [],
    }


def burst_document(burst: Burst | None) -> Doc | None:
    if burst is None:
        return None
    return {"actions": burst.actions, "within_seconds": BURST_WITHIN // 1_000_000, "at": iso(burst.at)}


def finding_times(work: Workspace, finding: Finding) -> Doc:
    """From what happened to who could know it: the last of its evidence logged, all of it imported, a person's judgement."""
    imported = work.store.imported_at(list(finding.evidence))
    at_hand = max(imported.values()) if imported and len(imported) == len(set(finding.evidence)) else None
    judged = next((v.at for v in work.store.verdicts(finding.id)), None)
    moments = {"evident": finding.evident, "imported": at_hand, "judged": judged}
    return {
        "happened": iso(finding.at),
        **{name: iso(at) for name, at in moments.items()},
        "seconds_to": {name: _apart(finding.at, at) for name, at in moments.items()},
    }


def _apart(start: int | None, end: int | None) -> float | None:
    return None if start is None or end is None else round((end - start) / 1e6, 3)


def rotated(work: Workspace, one: Credential) -> Doc | None:
    """By which newer one of the same holder a credential was replaced, None where by none that was seen."""
    if not long_lived(one):
        return None
    found = rotations(work.store.credentials_held(one.kind, one.issuer, one.subject)).get(one.id)
    return None if found is None else rotation_document(found)


def rotation_document(one: Rotation) -> Doc:
    return {"at": iso(one.at), "by": one.by, "uses_after": one.uses_after, "last_use_after": iso(one.last_use)}


# sentences


def baseline_sentence(row: Doc) -> str:
    distance: Any = row["decision_distance"]["mean_seconds"]
    drift = ", ".join(f"{d['tool'] or d['verb']} since {d['since']}" for d in row["drift"]) or "none"
    decided = "never timed" if distance is None else f"{distance:g} s from the call on average"
    return (
        f"{row['agent'] or 'an unknown agent'} in {row['repository'] or 'an unknown repository'}: {count(row['tasks'], 'task')} since "
        f"{row['first_seen'] or '?'}, {row['per_week'] or 0:g} actions a week in {count(row['active_weeks'], 'week')}, at most "
        f"{row['burst']['actions']} within a minute; decisions {decided}; tools allowed later than at first: {drift}"
    )
