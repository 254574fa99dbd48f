"""Strings that try to steer a terminal, and an import in which they stand in every field of every kind of event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unicodedata import category

from lang.safe import MARKS_KEPT
from tests.running import ROOT

CORPUS: tuple[str, ...] = (
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x1b]8;;http://evil.example/\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]1337;File=:AAAA\x07",
    "\x1bPq#0;2;0;0;0\x1b\\",
    "\x1b_Gf=24;AAAA\x1b\\",
    "\x1b[6n\x1b[c\x1b[>q",
    "\x1b[?1049l\x1b[?25l\x1bc",
    "\x9b31mC1\x9d8;;x\x9c",
    "a\rb\x08\x08\x0c\x0b\x07\x00\x7f",
    "line one\nline two\r\nline three\u2028four\u0085five",
    "user\u202egnp.exe\u202c\u2066x\u2069\u200f",
    "pay\u200bments\u200c\u200d\ufeff\u2060\u00ad",
    "tag\U000e0041\U000e0042\ufe0f\ufe0f\u3164\u115f",
    "zalgo" + "\u0301\u0302\u0303\u0489" * 60,
    "[red]markup[/red] [@click=app.quit]quit[/] [link=http://evil.example]x[/link] $text {{ 7*7 }} %s",
    "=cmd|'/c calc'!A0",
    "漢字🚀" * 20,
)
LONG = "long\x1b[31m\u202e" + "x" * 1_000_000

FORBIDDEN = {"\u3164", "\u115f", "\u2028", "\u2029"}


def unsafe(shown: str, *, lines: str = "\n") -> set[str]:
    """The characters of a text that may reach no terminal: controls, reordering and invisible ones; and floods of marks."""
    found = {char for char in shown if char not in lines and (category(char) in ("Cc", "Cf", "Cs", "Co") or char in FORBIDDEN)}
    run = 0
    for char in shown:
        run = run + 1 if category(char) in ("Mn", "Me") and char != "\ufe0f" else 0
        if run > MARKS_KEPT:
            found.add(f"{run} marks")
            break
    return found


def write_log(path: Path) -> Path:
    """A log in `remit-events` whose every free text is hostile, one string of the corpus after the other."""
    schema = json.loads((ROOT / "importers" / "remit-events.schema.json").read_text("utf-8"))["properties"]
    with path.open("w", encoding="utf-8") as file:
        for number, string in enumerate((*CORPUS, LONG)):
            for event in _events(schema, number, string):
                file.write(json.dumps(event) + "\n")
    return path


KINDS = (("intent", "prompt", "agent"), ("decision", "verdict", "enforcer"), ("credential", "issued", "target"),
         ("action", "call", "agent"), ("action", "result", "agent"), ("effect", "observed", "target"), ("credential", "used", "target"))  # fmt: skip
LONG_IN = {("intent", "text"), ("intent", "attrs", "title"), ("decision", "decision", "reason"), ("action", "attrs", "command")}
"""Where the long line stands, by kind of event: a megabyte in each of fifty fields would be a test of patience."""
ENUMERATED = {("principal", "kind"): "workload", ("principal", "origin"): "ci", ("credential", "expires"): None}


def _events(schema: dict[str, Any], number: int, string: str) -> Iterator[dict[str, Any]]:
    for n, (kind, phase, vantage) in enumerate(KINDS):
        own = string[:40]
        made = {name: _filled(part, string, (kind, name)) for name, part in schema.items() if name not in ("keys", "operations")}
        called = [{"role": "scope", "kind": "session", "value": f"s{number}{string[:40]}"}]
        if kind in ("decision", "action", "effect"):
            called.append({"role": "call", "kind": "call", "value": f"c{number}"})
        if kind in ("credential", "effect"):
            called.append({"role": "credential", "kind": "jti", "value": f"j{number}{string[:40]}"})
        made |= {
            "format": "remit-events",
            "version": 1,
            "id": f"{number}-{n}{string[:40]}",
            "time": f"2026-06-01T14:{number:02}:{n * 5:02}Z",
            "kind": kind,
            "phase": phase,
            "vantage": vantage,
            "verb": "exec" if kind != "credential" else "credential.issue",
            "keys": called,
            "operations": [
                {"verb": "exec", "target": {"class": "filesystem", "name": own, "detail": own}, "text": own, "flags": [own]}
            ],
            "decision": made["decision"] | {"effect": "deny"} if kind == "decision" else None,
            "credential": made["credential"] if kind == "credential" else None,
            "outcome": {"tool": "yes", "effect": "yes"},
        }
        yield made


def _filled(part: dict[str, Any], string: str, path: tuple[str, ...]) -> Any:
    if path[1:] in ENUMERATED:
        return ENUMERATED[path[1:]]
    if "const" in part:
        return part["const"]
    if "enum" in part:
        return part["enum"][0]
    kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
    if "object" in kinds:
        return {name: _filled(inner, string, (*path, name)) for name, inner in part["properties"].items()}
    own = string if len(string) < 1000 or path in LONG_IN else string[:40]
    if "string" in kinds:
        return own
    if "array" in kinds:
        return [own]
    return 60
