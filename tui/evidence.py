"""A task's head and a step's evidence as lines of text, each fact with its source and line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lang.cells import cut_names
from lang.counted import count
from lang.safe import safe_line
from review.show.sentences import (
    ANSWERS,
    act_text,
    distance_text,
    item_text,
    only_stated,
    outcome_text,
    percent,
    place,
    target_text,
)
from review.state.remedied import remedy_words
from tui import format
from tui.walk_cells import GAPS, finding_marks, gap

Doc = dict[str, Any]

NOTHING: Mapping[str, str] = {}
COMMAND = 2_000
"""Characters of a command that are shown with its operations marked."""
TEXT = 300
"""Cells of an intent or of an event's text that a line shows; the record holds the whole."""


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
        lines.append(f"INTENT {format.clock(one['at'])} {one['kind']}{by} “{cut_names(one['text'], TEXT)}”")
    if len(document["intents"]) > 2:
        lines[-1] += f"  … and {len(document['intents']) - 2} further"
    return "\n".join(safe_line(line) for line in lines)


def fact_line(facts: Doc) -> str:
    """The task's own figures in one line: how governed, how fast, how new."""
    before, burst = facts["baseline"], facts["burst"]
    parts = [f"{count(facts['actions'], 'action')}, {percent(facts['share']['with_decision'])} decided"]
    if burst:
        parts.append(f"at most {burst['actions']} a minute")
    if before:
        parts.append(
            "first task of this agent here" if before["first_task"] else f"{count(before['tasks_before'], 'earlier task')} here"
        )
        if before["new_tools"]:
            parts.append(f"new tools {', '.join(before['new_tools'][:6])}")
    return "  ".join(parts)


def finding_lines(finding: Doc, pending: Mapping[str, str] = NOTHING) -> Iterable[str]:
    """What was found, how it is said to be put right, and what of it waits for an import."""
    kind = "▒ blind spot" if finding["blind_spot"] else f"{format.SEVERITY[finding['severity']].strip()} {finding['severity']}"
    yield f"{kind} {finding['detection']} {finding['title']}"
    yield f"   {finding['why']}"
    if finding["controls"]:
        yield "   speaks to " + ", ".join(c["id"] for c in finding["controls"][:8])
    if "remedy" in finding:
        yield f"   put right: {cut_names(remedy_words(finding['remedy']), TEXT)}"
    if finding["id"] in pending:
        yield f"   … {pending[finding['id']]} is pending until the import lets it through"


def lines(
    step: Doc, on_task: Sequence[Doc] = (), intents: Sequence[Doc] = (), pending: Mapping[str, str] = NOTHING
) -> Iterable[str]:
    """Everything the step rests on, intent to effect, gaps with their reason; then what was found on the task as a whole."""
    if group := step["group"]:
        until = f" until {format.clock(group['until'])}" if group["until"] else ""
        yield f"▸ steps {step['n']} to {group['last']}{until}: {group['count']} that do the same and end the same; this is the first"
    if step["findings"]:
        yield f"▲ found {finding_marks(step)}"
    yield act_text(step) + (f", mode {step['mode']}" if step["mode"] and step["mode"] not in (step["title"] or "") else "")
    yield from _command(step)
    if not step["agent_claimed"]:
        yield "  unclaimed: no record of the agent's own speaks of it"
    if step["child"]:
        yield "  ▸ a sub-agent's task; space unfolds it here, enter opens it"
    intent = next((one for one in intents if one["id"] == step["intent"]), None)
    if intent is not None:
        yield f"  intent     {intent['kind']} {intent['by'] or ''} “{cut_names(intent['text'], TEXT)}”  [{place(intent['record'])}]"
    for one in step["decisions"]:
        by = f"{one['by']} {one['rule'] or ''}".strip()
        yield f"  decision   {ANSWERS[one['effect']]} by {by} {one['reason'] or ''}  [{place(one['record'])}]"
    if step["decision_distance"]:
        yield f"  distance   {distance_text(step['decision_distance'])}"
    yield from _gap(step, "decision")
    for part, items in (("credential", step["credential_events"]), ("action", step["actions"]), ("effect", step["effects"])):
        if part == "credential" and step["credentials"]:
            yield f"  credential {', '.join(step['credentials'])}"
        for one in items:
            yield f"  {part:<10} {cut_names(item_text(one), TEXT)}  [{place(one['record'])}]"
        yield from _gap(step, part)
        if part == "action":
            yield from _gap(step, "result")
    yield f"  outcome    {outcome_text(step['outcome'])}"
    if step["order_uncertain"]:
        yield "  the order of this step is uncertain: clocks disagree"
    if step["zone_assumed"]:
        yield f"  time zone not stated by {', '.join(step['zone_assumed'])} and taken as UTC"
    if step["findings"]:
        yield ""
    for finding in step["findings"]:
        yield from finding_lines(finding, pending)
    if on_task:
        yield ""
        yield from _found_on(on_task, pending)


def task_lines(on_task: Sequence[Doc], intents: Sequence[Doc], pending: Mapping[str, str] = NOTHING) -> Iterable[str]:
    """What is known of a task without steps: what was asked, where that is on record, and what was found."""
    yield "No action, decision, credential or effect of this task is on record."
    for one in intents:
        yield f"  intent     {format.clock(one['at'])} {one['kind']} {one['by'] or ''} “{cut_names(one['text'], TEXT)}”  [{place(one['record'])}]"
    if on_task:
        yield ""
        yield from _found_on(on_task, pending)


def _found_on(findings: Sequence[Doc], pending: Mapping[str, str]) -> Iterable[str]:
    yield "On the task as a whole:"
    for finding in findings:
        yield from finding_lines(finding, pending)


def _gap(step: Doc, part: str) -> Iterable[str]:
    one = gap(step, part)
    if one is not None:
        yield f"  {part:<10} {GAPS[one['kind']]} {one['kind']}: {one['why']}"


def _command(step: Doc) -> Iterable[str]:
    """The command with its operations marked by number, then each of them by that number."""
    stated = step["request"].get("action")
    command = stated.get("command") if isinstance(stated, dict) else None
    text = command if isinstance(command, str) and command else step["title"]
    texts = [one["text"] for one in step["operations"]]
    if text and not only_stated(step):
        yield f"  {marked_command(safe_line(text[:COMMAND]), [safe_line(one) for one in texts])}"
    for number, one in enumerate(step["operations"], 1):
        flags = f" {', '.join(one['flags'])}" if one["flags"] else ""
        sure = "" if one["certain"] else "  (not certain)"
        yield f"  operation  {number} {one['verb']} on {target_text(one['target'])}{flags}: {cut_names(one['text'], TEXT)}{sure}"


def marked_command(command: str, operations: Sequence[str]) -> str:
    """A command with each operation's own words between ⟦ and ⟧, led by its number; those that overlap stand unmarked."""
    places: list[tuple[int, int, int]] = []
    reached = 0
    for number, text in enumerate(operations, 1):
        start = command.find(text, reached) if text else -1
        if start >= 0:
            places.append((start, start + len(text), number))
            reached = start + len(text)
    shown, last = [], 0
    for start, end, number in places:
        shown += [command[last:start], f"⟦{number} {command[start:end]}⟧"]
        last = end
    return "".join(shown) + command[last:]


def painted(line: str) -> str:
    """The style of a line of a diff; its first character says the same."""
    return {"+": "$text-success", "-": "$text-error", "@": "$text-muted"}.get(line[:1], "")


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
