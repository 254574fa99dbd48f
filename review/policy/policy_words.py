"""Versions and proposals in sentences, the same on the command line and in the dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lang.counted import count
from lang.safe import safe_line

Doc = dict[str, Any]
_SUMMARY = ("newly_allowed", "newly_denied", "newly_asked", "cannot_judge", "unchanged")


def state(row: Doc) -> str:
    """`in force since ... at ...`, `was in force` or `saved`."""
    at = f" at {', '.join(row['points'])}" if row["points"] else ""
    return f"in force since {row['since']}{at}" if row["state"] == "in force" else str(row["state"])


def figures(summary: Doc) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {summary[name]:,}" for name in _SUMMARY)


def dry_run_lines(tried: Doc) -> list[str]:
    """What a version would have done when it was saved, and on which history that was computed."""
    if not tried:
        return ["It was saved without a dry-run."]
    over = tried["history"]
    told = [
        f"Dry-run over {count(over.get('requests', 0), 'request')}, {over.get('from') or '?'} to {over.get('to') or '?'}, state {over['state']}:"
    ]
    recorded, previous = tried.get("recorded") or {}, tried.get("previous") or {}
    if "summary" in recorded:
        told.append(f"  against what was recorded: {figures(recorded['summary'])}")
        if verdicts := recorded.get("verdicts"):
            told.append(
                f"  against verdicts: harm stopped {verdicts['harm_stopped']:,}, missed {verdicts['harm_missed']:,}; "
                f"good work broken {verdicts['work_broken']:,}, asked {verdicts['friction_added']:,}"
            )
    if "summary" in previous:
        told.append(f"  against {previous['baseline']}: {figures(previous['summary'])}")
    elif "error" in previous:
        told.append(f"  {previous['baseline']} could not be read again: {safe_line(previous['error'])}")
    return told


def turn_line(one: Doc) -> str:
    """One turn of a version's life: when it was promoted or rolled back to, by whom and why."""
    at = f" at {safe_line(one['point'])}" if one["point"] else ""
    done = "promoted" if one["turn"] == "promote" else "rolled back to it"
    return f"{done} {one['at']}{at} by {safe_line(one['by'])}: {safe_line(one['reason'])}"


def rule_line(one: Doc) -> str:
    """A changed rule in one sentence."""
    if one["change"] != "changed":
        stated = one["after"] or one["before"]
        return f"{one['change']} {one['id']}: {stated['effect']}" + (f" when {stated['when']}" if stated.get("when") else "")
    parts = [f"{name} {one['before'].get(name)} -> {one['after'].get(name)}" for name in one["fields"]]
    return f"changed {one['id']}: {'; '.join(parts)}"


def diff_lines(found: Doc | None) -> Iterator[str]:
    """What differs between two versions: by rule, then as text."""
    if found is None:
        yield "There is no version before it."
        return
    yield f"From {found['from']} to {found['to']}:"
    for one in found["rules"] or ():
        yield f"  {rule_line(one)}"
    yield from found["text"].splitlines() if found["text"] else ("the same text",)


def done_line(done: Doc) -> str:
    """What a promotion or a rollback did."""
    at = f" at {done['point']}" if done["point"] else ""
    before = f"; before it was version {done['before']}" if done["before"] else ""
    return f"{done['name']}@{done['version']} is in force{at} since {done['at']}{before}"


def proposal_line(one: Doc) -> str:
    """What a proposal rests on and what it touches."""
    if one["kind"] == "grant":
        return f"{count(one['uses']['requests'], 'use')} of {one['credential']} in {count(one['uses']['tasks'], 'task')}, {one['ttl_seconds']:,} s each"
    matched = one["covers"]["requests"] + one["beyond"]["requests"]
    return (
        f"matches {count(matched, 'request')}, {one['covers']['requests']:,} it is meant for, {one['broken']['requests']:,} of tasks judged "
        f"within, {one['harm']['requests']:,} judged outside, {one['findings']['requests']:,} with an open finding"
    )


def tried_line(run: Doc) -> str:
    """What a proposal would change, in one line."""
    summary, verdicts = run["summary"], run["verdicts"]
    changed = [
        f"{summary[key]:,} {key.replace('_', ' ')}" for key in ("newly_allowed", "newly_denied", "newly_asked") if summary[key]
    ]
    return (
        f"added to {run['baseline']}: {', '.join(changed) or 'nothing changes'}; harm stopped {verdicts['harm_stopped']:,}, "
        f"good work broken {verdicts['work_broken']:,}"
    )
