"""The lists of a dry-run that can be walked: its flips, its rules, the framework controls it has an effect on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lang.counted import count
from review.show import dryrun_words as words
from tui import format
from tui.widgets.columns import Column

Doc = dict[str, Any]


@dataclass(frozen=True)
class View:
    """One list: its name, its columns, its rows in a dry-run, what tells them apart, what an empty one means, its row in words.

    `parts` are the parts of a dry-run it shows of those that are told a moment later; none named, all of them.
    """

    name: str
    columns: Callable[[], list[Column]]
    rows: Callable[[Doc], list[Doc]]
    key: Callable[[Doc], str]
    empty: Callable[[Doc], str]
    told: Callable[[Doc], Iterator[str]]
    parts: frozenset[str] = frozenset()


def flip_columns() -> list[Column]:
    return [
        Column("change", 14, _change, tone=_tone),
        Column("time", 8, lambda f: format.clock(f["at"]), wide=70),
        Column("request", 0, request),
        Column("judged", 13, lambda f: str(f.get("verdict") or "·"), wide=90, tone=_judged),
        Column("who", 20, lambda f: str(f["request"].get("principal.id") or "·"), wide=110),
        Column("rule", 16, lambda f: str(f["rule"] or "default")),
    ]


def _change(flip: Doc) -> str:
    return f"{flip['from']} → {str(flip['to']).upper()}"


def _tone(flip: Doc) -> str:
    return {"deny": "bad", "ask": "warn"}.get(str(flip["to"]), "good")


def _judged(flip: Doc) -> str:
    return "bad" if flip.get("verdict") == "within-remit" and flip["to"] == "deny" else "dim"


def request(flip: Doc) -> str:
    """What was asked for: the command, else the verb and its target, or the tool and what it was given."""
    asked = flip["request"]
    given = asked.get("input")
    if isinstance(given, dict):
        first = next((str(value) for value in given.values() if isinstance(value, str) and value), "")
        return str(given.get("command") or f"{asked.get('tool', '?')} {first}".strip())
    target = " ".join(str(asked[name]) for name in ("resource.name", "resource.detail") if asked.get(name))
    return str(asked.get("action.command") or f"{asked.get('action.verb', '?')} {target or asked.get('resource.class', '')}")


def no_flips(run: Doc) -> str:
    """What an empty list of flips means: not that nothing would change where some could not be judged."""
    if not run["history"]["requests"]:
        return ""
    unsure = run["summary"]["cannot_judge"]
    return f"No flips among what could be judged; {unsure:,} could not." if unsure else "No flips: nothing would change."


def _flip_told(flip: Doc) -> Iterator[str]:
    where = f" (line {flip['line']})" if flip.get("line") else ""
    judged = f"; judged {flip['verdict']}" if flip.get("verdict") else ""
    why = flip["request"].get("reason") or ""
    yield f"{_change(flip)} by {flip['rule'] or 'the default'}{where}{judged}" + (f": {why}" if why else "")
    if flip["to"] != "deny":
        return
    falls = flip["consequences"]
    if not flip.get("followed"):
        yield "following the chain …"
    elif not falls:
        yield "nothing later hangs on it"
    else:
        yield f"{count(len(falls), 'later step')} {'falls' if len(falls) == 1 else 'fall'} with it:"
        yield from (f"  {line}" for line in words.consequences(flip, 40))


def _sentence_columns() -> list[Column]:
    return [
        Column("", 3, lambda s: str(s["n"]), right=True, tone=lambda _: "dim"),
        Column("all figures", 0, lambda s: str(s["text"])),
    ]


def _sentences(run: Doc) -> list[Doc]:
    return [{"n": number, "text": line} for number, line in enumerate(words.sentences(run), 1)]


def rule_columns() -> list[Column]:
    return [
        Column("rule", 0, lambda r: str(r["id"])),
        Column("effect", 6, lambda r: str(r["effect"])),
        Column("matches", 9, lambda r: f"{r['hits']:,}", right=True),
        Column("decides", 9, lambda r: f"{r['decides']:,}", right=True),
        Column("flips", 9, lambda r: f"{r['flips']:,}", right=True),
        Column("note", 30, _note, wide=90, tone=lambda r: "warn" if _note(r) else ""),
    ]


def _note(rule: Doc) -> str:
    return next(_rule_notes(rule), "")


def _rule_notes(rule: Doc) -> Iterator[str]:
    if rule["expired"]:
        yield "expired"
    elif not rule["hits"]:
        yield "never fired"
    if rule["shadowed_by"]:
        yield f"shadowed by {words.some(rule['shadowed_by'], 3)}"
    if rule["voids"]:
        yield f"voids {words.some(rule['voids'], 3)}"
    if rule["covers"]:
        yield f"covers {words.some(rule['covers'], 3)}"


def _rule_told(rule: Doc) -> Iterator[str]:
    where = f" (line {rule['line']}; enter goes there)" if rule.get("line") else ""
    yield f"{rule['effect']} {rule['id']}{where}"
    yield f"matches {rule['hits']:,}, decides {rule['decides']:,}, flips {rule['flips']:,}"
    yield from _rule_notes(rule)
    if rule["controls"]:
        yield f"controls: {words.some(rule['controls'])}"


def control_columns() -> list[Column]:
    return [
        Column("control", 0, lambda c: f"{c['framework']}:{c['id']}"),
        Column("findings", 8, lambda c: f"{c['findings']:,}", right=True),
        Column("denied", 6, lambda c: f"{c['denied']:,}", right=True),
        Column("asked", 6, lambda c: f"{c['asked']:,}", right=True),
        Column("falls", 6, lambda c: f"{c['falls']:,}", right=True, wide=64),
        Column("opened", 6, lambda c: f"{c['newly_allowed']:,}", right=True, tone=lambda c: "bad" if c["newly_allowed"] else ""),
        Column("rules", 24, lambda c: words.some(c["rules"], 2) or "none names it", wide=90),
    ]


def _control_rows(run: Doc) -> list[Doc]:
    found = run.get("controls")
    if not found:
        return []
    named = {(one["framework"], one["id"]) for one in found["controls"]}
    return [*found["controls"], *(one for one in found["silent"] if (one["framework"], one["id"]) not in named)]


def _control_told(one: Doc) -> Iterator[str]:
    if one["title"]:
        yield str(one["title"])
    yield words.control(one)
    yield "No statement that the control is met."


VIEWS: tuple[View, ...] = (
    View(
        "flips",
        flip_columns,
        lambda run: list(run["flips"]),
        lambda f: str(f["step"]),
        no_flips,
        _flip_told,
        frozenset({"flips"}),
    ),
    View("figures", _sentence_columns, _sentences, lambda s: str(s["n"]), lambda _: "", lambda s: iter((str(s["text"]),))),
    View(
        "rules",
        rule_columns,
        lambda run: list(run["rules"]),
        lambda r: str(r["id"]),
        lambda _: "The policy has no rule.",
        _rule_told,
        frozenset({"rules"}),
    ),
    View(
        "controls",
        control_columns,
        _control_rows,
        lambda c: f"{c['framework']}:{c['id']}",
        lambda run: "No control is named by a rule or has findings." if run.get("controls") else "reading the findings …",
        _control_told,
        frozenset({"controls"}),
    ),
)
