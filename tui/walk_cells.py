"""The cells of a walk: intent, decision, credential, action and effect of a step, and a mark with a word where one is missing."""

from __future__ import annotations

from typing import Any

from review.show.sentences import only_stated
from tui import format
from tui.widgets.columns import Column

Doc = dict[str, Any]

SIDE_BY_SIDE = 120
"""From so many columns on the five parts stand beside one another; below, a row has their marks and the panel the parts."""
ROOMY = 160
_BAR = 1
"""The scroll bar takes a column of the table."""

GAPS = {"not seen": "·", "not covered": "▒", "not logged": "–"}
"""Marks of what is missing: nobody saw it though somebody watched, nobody watched, such logs do not tell of it."""


def columns() -> list[Column]:
    wide, roomy = SIDE_BY_SIDE - _BAR, ROOMY - _BAR
    return [
        Column("#", 5, number, right=True, below=wide),
        Column("#", 7, number, right=True, wide=wide),
        Column("time", 8, lambda step: format.clock(step["at"])),
        Column("wants", 0, lambda step: wants(step, verb=True)),
        Column("decision", 8, decision_mark, below=wide, tone=_permitted),
        Column("decision", 19, decision, wide=wide, below=roomy, tone=_permitted),
        Column("decision", 40, decision, wide=roomy, tone=_permitted),
        Column("c a e", 5, marks, below=wide),
        Column("credential", 13, credential, wide=wide, below=roomy, tone=_gap_tone("credential")),
        Column("credential", 15, credential, wide=roomy, tone=_gap_tone("credential")),
        Column("action", 10, action, wide=wide, tone=_tool_tone),
        Column("effect", 13, effect, wide=wide, below=roomy, tone=_effect_tone),
        Column("effect", 24, effect, wide=roomy, tone=_effect_tone),
        Column("found", 10, found, tone=_finding_tone),
    ]


def number(step: Doc) -> str:
    """`12`, or `12–40` of repeated steps."""
    group = step["group"]
    return f"{step['n']}–{group['last']}" if group else str(step["n"])


def wants(step: Doc, *, verb: bool = False) -> str:
    """What the step is to do, further in for a sub-agent's; ▸ and ▾ mark what unfolds and what is unfolded."""
    group = step["group"]
    fold = ("▸ " if step["folded"] else "▾ ") if group or step["child"] else ""
    times = f"{group['count']}× " if group else ""
    what = format.what(step | {"child": None, "agent_claimed": True}, verb=True)
    bare = not verb or what.startswith(step["verb"]) or step["verb"] == "unknown" or only_stated(step)
    lead = "" if bare else f"{step['verb']} "
    lead = lead if step["agent_claimed"] else f"(unclaimed) {lead}"
    return f"{'  ' * min(step['depth'], 8)}{fold}{times}{lead}{what}"


def gap(step: Doc, part: str) -> Doc | None:
    """What is known of a part's absence; None where the part is there."""
    return next((one for one in step["gaps"] if one["part"] == part), None)


def missing(step: Doc, part: str) -> str:
    """`▒ not covered` and the like; a dot where nothing says why."""
    one = gap(step, part)
    return f"{GAPS[one['kind']]} {one['kind']}" if one else "·"


def mark(step: Doc, part: str) -> str:
    one = gap(step, part)
    return GAPS[one["kind"]] if one else "·"


def decision(step: Doc) -> str:
    return format.decision(step) if step["decisions"] else missing(step, "decision")


def decision_mark(step: Doc) -> str:
    return format.PERMITTED[step["outcome"]["permitted"]] if step["decisions"] else mark(step, "decision")


def credential(step: Doc) -> str:
    held: list[str] = step["credentials"]
    if held:
        return "● " + held[0].removeprefix("cred-")[:8] + (f" +{len(held) - 1}" if len(held) > 1 else "")
    return f"● {step['credential_events'][0]['phase']}" if step["credential_events"] else missing(step, "credential")


def action(step: Doc) -> str:
    tool = step["outcome"]["tool"]
    if not step["actions"]:
        return missing(step, "action")
    if only_stated(step):
        return "✓ stated"
    if tool == "unknown":
        return "? no result" if gap(step, "result") else "? unclear"
    return "✓ done" if tool == "yes" else "✗ failed"


def effect(step: Doc) -> str:
    outcome, seen = step["outcome"], step["effects"]
    if not seen:
        return missing(step, "effect")
    dispute = "! " if outcome["disputed"] else ""
    return f"{dispute}{'?' if outcome['effect'] == 'unknown' else format.TRI[outcome['effect']]} {seen[0]['by']}"


def marks(step: Doc) -> str:
    """Credential, action and effect in one mark each."""
    held = "●" if step["credentials"] or step["credential_events"] else mark(step, "credential")
    done = mark(step, "action") if not step["actions"] else action(step)[0]
    seen = mark(step, "effect") if not step["effects"] else {"yes": "✓", "no": "✗", "unknown": "?"}[step["outcome"]["effect"]]
    return f"{held} {done} {'!' if step['outcome']['disputed'] else seen}"


def finding_marks(step: Doc) -> str:
    """The step's findings in one line, the gravest first."""
    return "  ".join(
        "▒ " + f["detection"] if f["blind_spot"] else format.SEVERITY[f["severity"]].strip() + f["detection"]
        for f in step["findings"]
    )


def found(step: Doc) -> str:
    real = _real(step)
    if real:
        more = f"+{len(real) - 1}" if len(real) > 1 else ""
        return f"{format.SEVERITY[real[0]['severity']].strip()}{real[0]['detection']}{more}"
    return "▒ blind" if step["findings"] else ""


def _permitted(step: Doc) -> str:
    return {"deny": "bad", "ask": "warn", "unknown": "dim"}.get(step["outcome"]["permitted"], "")


def _gap_tone(part: str) -> Any:
    return lambda step: "dim" if gap(step, part) else ""


def _tool_tone(step: Doc) -> str:
    return {"no": "warn", "unknown": "dim"}.get(step["outcome"]["tool"], "")


def _effect_tone(step: Doc) -> str:
    if step["outcome"]["disputed"]:
        return "warn"
    return "" if step["effects"] else "dim"


def _real(step: Doc) -> list[Doc]:
    return [f for f in step["findings"] if not f["blind_spot"]]


def _finding_tone(step: Doc) -> str:
    real = _real(step)
    return ("bad" if real[0]["severity"] == "critical" else "warn") if real else "dim"
