"""How facts look in a cell: marks that carry a letter or shape besides their colour."""

from __future__ import annotations

from typing import Any

from lang.safe import safe_line

Doc = dict[str, Any]

VANTAGES = (("agent", "A"), ("enforcer", "E"), ("target", "T"), ("witness", "W"))
SEVERITY = {"critical": "!!", "high": "! ", "medium": "^ ", "low": "- "}
TRI = {"yes": "✓", "no": "✗", "unknown": "·"}
PERMITTED = {"allow": "allow", "deny": "DENY", "ask": "ask", "unknown": "· none"}


def vantages(seen: list[str] | tuple[str, ...]) -> str:
    """`A E · ·`: agent, enforcer, target, witness; a dot is "not seen"."""
    return " ".join(letter if name in seen else "·" for name, letter in VANTAGES)


def severity_mark(counts: Doc) -> str:
    """The worst severity present, as a mark; blank where there is none."""
    return next((SEVERITY[name] for name in SEVERITY if counts.get(name)), "  ")


def clock(at: str | None) -> str:
    """`14:02:11` of an ISO time; dots where there is none."""
    return at[11:19] if at and len(at) >= 19 else "··:··:··"


def day(at: str | None) -> str:
    return f"{at[:10]} {at[11:16]}" if at and len(at) >= 16 else "····-··-·· ··:··"


def target(value: Doc) -> str:
    name = value.get("name") or ""
    detail = value.get("detail") or ""
    text = f"{name} {detail}".strip()
    return safe_line(text or ("" if value.get("class") in (None, "unknown") else str(value["class"])))


def decision(step: Doc) -> str:
    """The step's recorded decision in a cell, with the rule that made it."""
    permitted = step["outcome"]["permitted"]
    if not step["decisions"]:
        return PERMITTED["unknown"]
    made = step["decisions"][0]
    return safe_line(f"{PERMITTED[permitted]} {made['by']}" + (f" {made['rule']}" if made["rule"] else ""))


def outcome_marks(step: Doc) -> str:
    """Tool and effect as two marks, for narrow tables."""
    shown = step["outcome"]
    return f"{TRI[shown['tool']]} {TRI[shown['effect']]}" + (" !" if shown["disputed"] else "")


def outcome(step: Doc) -> str:
    shown = step["outcome"]
    return f"{TRI[shown['tool']]} tool {TRI[shown['effect']]} effect" + (" !" if shown["disputed"] else "")
