"""How facts look in a cell: marks that carry a letter or shape besides their colour."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

Doc = dict[str, Any]

VANTAGES = (("agent", "A"), ("enforcer", "E"), ("target", "T"), ("witness", "W"))
SEVERITY = {"critical": "!!", "high": "! ", "medium": "^ ", "low": "- "}
TRI = {"yes": "✓", "no": "✗", "unknown": "·"}
REVIEWED = {"within-remit": "within", "outside-remit": "outside", "false-positive": "false +", "reopened": "again"}
PERMITTED = {"allow": "allow", "deny": "DENY", "ask": "ask", "unknown": "· none"}


def vantages(seen: list[str] | tuple[str, ...]) -> str:
    """`A E · ·`: agent, enforcer, target, witness; a dot is "not seen"."""
    return _vantages(tuple(seen))


@lru_cache(256)
def _vantages(seen: tuple[str, ...]) -> str:
    return " ".join(letter if name in seen else "·" for name, letter in VANTAGES)


def severity_mark(counts: Doc) -> str:
    """The worst severity present, as a mark; blank where there is none."""
    for name, mark in SEVERITY.items():
        if counts.get(name):
            return mark
    return "  "


def clock(at: str | None) -> str:
    """`14:02:11` of an ISO time; dots where there is none."""
    return at[11:19] if at and len(at) >= 19 else "··:··:··"


def day(at: str | None) -> str:
    """`2026-06-01 14:02`; a dot where there is no time."""
    return f"{at[:10]} {at[11:16]}" if at and len(at) >= 16 else "·"


def period(start: str | None, end: str | None) -> str:
    """`2026-06-01 14:02 – 14:31 UTC`, with the day of the end where it is another."""
    if not end:
        return f"{day(start)} – ? UTC"
    same = start is not None and start[:10] == end[:10]
    return f"{day(start)} – {day(end)[11:] if same else day(end)} UTC"


def target(value: Doc) -> str:
    name = value.get("name") or ""
    detail = value.get("detail") or ""
    text = f"{name} {detail}".strip()
    return text or ("" if value.get("class") in (None, "unknown") else str(value["class"]))


def what(step: Doc, *, verb: bool = False) -> str:
    """What the step does, in a cell; sub-agents lead with ▸. Without `verb` a title that repeats the verb loses it."""
    text = str(step["title"] or target(step["target"]) or step["verb"])
    if not verb:
        text = text.removeprefix(f"{step['verb']} ")
    return ("▸ " if step["child"] else "") + ("" if step["agent_claimed"] else "(unclaimed) ") + text


def decision(step: Doc) -> str:
    """The step's recorded decision in a cell, with the rule that made it."""
    permitted = step["outcome"]["permitted"]
    if not step["decisions"]:
        return PERMITTED["unknown"]
    made = step["decisions"][0]
    return f"{PERMITTED[permitted]} {made['rule'] or made['by']}" + (f" ({made['by']})" if made["rule"] else "")


def count(number: int) -> str:
    """A number in at most seven cells: exact below a million, else in millions."""
    return f"{number:,}" if number < 1_000_000 else f"{number / 1_000_000:.2f} M"


def span(seconds: int) -> str:
    """A length of time in its two largest units, e.g. `1h30m` or `32d`; from a hundred days on, in days alone."""
    for name, size, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1)):
        if seconds >= size:
            rest = seconds % size // part if seconds < 100 * 86400 else 0
            return f"{seconds // size}{name}" + (f"{rest}{smaller}" if rest else "")
    return f"{seconds}s"
