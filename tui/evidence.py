"""A task's head and a step's evidence as lines of text, each fact with its source and line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lang.safe import safe_line
from review.sentences import distance_text, outcome_text, percent, place, target_text
from tui import format

Doc = dict[str, Any]

TEXT = 300
"""Characters of an intent or of an event's text that a line shows; the record holds the whole."""


def spread_findings(document: Doc) -> list[Doc]:
    """Give each step its findings; returns those on the task as a whole."""
    by_step: dict[str, list[Doc]] = {}
    for finding in document["findings"]:
        by_step.setdefault(finding["step"] or "", []).append(finding)
    for step in document["steps"]:
        step["findings"] = by_step.pop(step["id"], [])
    return [finding for found in by_step.values() for finding in found]


def head(document: Doc) -> str:
    """Who, through what, on what, when, and why: the intents first of all."""
    task = document["task"]
    who = task["principal"] or "unknown principal"
    through = task["agent"] or "unknown agent"
    children = f"  {len(document['children'])} sub-agents" if document["children"] else ""
    lines = [
        f"{who} → {through}{children}  {task['repository'] or ''}",
        f"{format.period(task['started'], task['ended'])}  env {task['environment'] or '?'}  "
        f"ticket {task['ticket'] or '?'}  seen by {format.vantages(task['vantages'])}",
    ]
    lines.append(fact_line(document["facts"]))
    for one in document["intents"][:2]:
        by = f" {one['by']}" if one["by"] else ""
        lines.append(f"INTENT {format.clock(one['at'])} {one['kind']}{by} “{one['text'][:TEXT]}”")
    if len(document["intents"]) > 2:
        lines[-1] += f"  … and {len(document['intents']) - 2} further"
    return "\n".join(safe_line(line) for line in lines)


def fact_line(facts: Doc) -> str:
    """The task's own figures in one line: how governed, how fast, how new."""
    before, burst = facts["baseline"], facts["burst"]
    parts = [f"{facts['actions']} actions, {percent(facts['share']['with_decision'])} decided"]
    if burst:
        parts.append(f"at most {burst['actions']} a minute")
    if before:
        parts.append("first task of this agent here" if before["first_task"] else f"{before['tasks_before']} earlier tasks here")
        if before["new_tools"]:
            parts.append(f"new tools {', '.join(before['new_tools'][:6])}")
    return "  ".join(parts)


def finding_lines(finding: Doc) -> Iterable[str]:
    kind = "▒ blind spot" if finding["blind_spot"] else f"{format.SEVERITY[finding['severity']].strip()} {finding['severity']}"
    yield f"{kind} {finding['detection']} {finding['title']}"
    yield f"   {finding['why']}"
    if finding["controls"]:
        yield "   speaks to " + ", ".join(c["id"] for c in finding["controls"][:8])


def lines(step: Doc, on_task: Sequence[Doc] = ()) -> Iterable[str]:
    """Everything the step rests on, then what was found on the task as a whole."""
    for finding in step["findings"]:
        yield from finding_lines(finding)
    yield f"{step['verb']} on {target_text(step['target'])}" + (f", mode {step['mode']}" if step["mode"] else "")
    if step["title"]:
        yield f"  {step['title'][:TEXT]}"
    if not step["agent_claimed"]:
        yield "  unclaimed: no record of the agent's own speaks of it"
    if step["child"]:
        yield "  ▸ a sub-agent's task; enter opens it"
    for one in step["operations"]:
        yield f"  operation  {one['verb']} {one['text'][:TEXT]}" + ("" if one["certain"] else "  (not certain)")
    for one in step["decisions"]:
        by = f"{one['by']} {one['rule'] or ''}".strip()
        yield f"  decision   {one['effect']} by {by} {one['reason'] or ''}  [{place(one['record'])}]"
    if not step["decisions"]:
        yield "  decision   · none seen"
    if step["decision_distance"]:
        yield f"  distance   {distance_text(step['decision_distance'])}"
    for label, items in (("credential", step["credential_events"]), ("action", step["actions"]), ("effect", step["effects"])):
        for one in items:
            text = one["text"] or one["verb"]
            yield f"  {label:<10} {one['vantage']} {one['by']} {one['phase']}: {text[:TEXT]}  [{place(one['record'])}]"
    if not step["effects"]:
        yield "  effect     · none seen"
    yield f"  outcome    {outcome_text(step['outcome'])}"
    if step["order_uncertain"]:
        yield "  the order of this step is uncertain: clocks disagree"
    if step["zone_assumed"]:
        yield f"  time zone not stated by {', '.join(step['zone_assumed'])} and taken as UTC"
    if on_task:
        yield ""
        yield "On the task as a whole:"
        for finding in on_task:
            yield from finding_lines(finding)


def links_lines(step: Doc) -> Iterable[str]:
    """Why the step's events stand together: each link's key and kind, its score and rivals."""
    if not step["links"]:
        yield "One record, or several that share nothing but the task: no link was needed."
    for one in step["links"]:
        yield f"{one['kind']:<8} {one['key']}  score {one['confidence']}"
        yield f"   from {place(one['from'])}  to {place(one['to'])}"
        if one["factors"]:
            yield "   factors " + ", ".join(f"{name} {value}" for name, value in one["factors"].items())
        for rival in one["candidates"]:
            yield f"   rival {rival['task']} score {rival['score']}"
