"""A dry-run in lines and rows: the figures, what could not be judged and why, and each flip."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tui import format
from tui.widgets.columns import Column

Doc = dict[str, Any]

NAMES = ("newly_denied", "newly_asked", "newly_allowed", "cannot_judge", "unchanged")
RULES = 6
"""Rules named in one line."""


def columns() -> list[Column]:
    return [
        Column("change", 14, _change, tone=_tone),
        Column("time", 8, lambda f: format.clock(f["at"]), wide=70),
        Column("request", 0, request),
        Column("who", 20, lambda f: str(f["request"].get("principal.id", "?")), wide=90),
        Column("rule", 16, lambda f: str(f["rule"] or "default")),
    ]


def _change(flip: Doc) -> str:
    return f"{flip['from']} → {str(flip['to']).upper()}"


def _tone(flip: Doc) -> str:
    return {"deny": "bad", "ask": "warn"}.get(str(flip["to"]), "good")


def request(flip: Doc) -> str:
    """What was asked for: the command, else the verb and its target."""
    asked = flip["request"]
    target = " ".join(str(asked[name]) for name in ("resource.name", "resource.detail") if asked.get(name))
    return str(asked.get("action.command") or f"{asked.get('action.verb', '?')} {target or asked.get('resource.class', '')}")


def summary_lines(run: Doc, *, short: bool = False) -> Iterable[str]:
    """The figures of a dry-run, exact, with what could not be judged and why; `short` where rows of the screen are few."""
    history, total, tasks = run["history"], run["summary"], run["by_tasks"]
    if not history["requests"]:
        yield "The history holds no request yet: there is nothing to replay."
        return
    yield f"{history['requests']:,} requests  {history['shapes']:,} shapes  {_tasks(history['tasks'])}  exact"
    if short:
        newly = ", ".join(f"{_mark(name, total)}{name.removeprefix('newly_')} {total[name]:,}".strip() for name in NAMES[:3])
        others = "; ".join(f"{_mark(name, total)}{name.replace('_', ' ')} {total[name]:,}".strip() for name in NAMES[3:])
        yield f"  newly {newly}; {others}"
    else:
        for name in NAMES:
            yield f"{_mark(name, total)} {name.replace('_', ' '):<14}{total[name]:>9,} in {_tasks(tasks[name])}"
    flips = sum(total[name] for name in NAMES[:3])
    if len(run["flips"]) < flips:
        yield f"  the first {len(run['flips']):,} of {flips:,} flips are listed"
    missing = sorted(run["missing_attributes"].items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    if missing:
        yield "  missing: " + ", ".join(f"{name} ({count:,})" for name, count in missing)
    verdicts = run["verdicts"]
    yield (
        f"  judged tasks: harm stopped {verdicts['harm_stopped']:,}, missed {verdicts['harm_missed']:,}; "
        f"good work broken {verdicts['work_broken']:,}, asked {verdicts['friction_added']:,}"
    )
    if short:
        return
    idle = [r["id"] for r in run["rules"] if not r["hits"]]
    if idle:
        yield (
            "  rules that never fired: "
            + " ".join(idle[:RULES])
            + (f" and {len(idle) - RULES} more" if len(idle) > RULES else "")
        )
    shadowed = [f"{r['id']} by {', '.join(r['shadowed_by'])}" for r in run["rules"] if r["shadowed_by"]]
    if shadowed:
        yield "  shadowed: " + "; ".join(shadowed[:RULES])


def no_flips(run: Doc) -> str:
    """What an empty list of flips means: not that nothing would change where some could not be judged."""
    if not run["history"]["requests"]:
        return ""
    unsure = run["summary"]["cannot_judge"]
    return f"No flips among what could be judged; {unsure:,} could not." if unsure else "No flips: nothing would change."


def _tasks(count: int) -> str:
    return f"{count:,} task{'' if count == 1 else 's'}"


def _mark(name: str, total: Doc) -> str:
    """Newly allowed requests are what a reviewer must not miss."""
    if not total[name]:
        return " "
    return {"newly_allowed": "!", "cannot_judge": "?"}.get(name, " ")


def problem_line(problem: Doc) -> str:
    """`✗ 35:17 unknown name principal.orgin` of a diagnostic."""
    return f"{mark(problem['severity'])} {problem['line']}:{problem['column']} {problem['message']}"


def mark(severity: str) -> str:
    return {"error": "✗", "warning": "▲"}.get(severity, "i")
