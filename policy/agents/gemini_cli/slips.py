"""The calls for which a rule of Gemini CLI did not do what its author meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from policy.agents.base import Answer, Call, Slip, falls_short
from policy.agents.gemini_cli.arguments import stringified
from policy.agents.gemini_cli.model import EFFECTS, SHELL_NAMES
from policy.agents.gemini_cli.regexes import JsSyntaxError, JsUnsupported, searched, units
from policy.agents.gemini_cli.safety import CannotJudge
from policy.agents.inner import inner_commands
from policy.diagnostics import Diagnostic

_ANCHORS = re.compile(r"^\^(?:\\?\{|\[\{\])?|(?<!\\)\$$")


class Doubt(msgspec.Struct, frozen=True):
    """A rule with a problem: its file, the problem, the table it stands in, and the patterns that became of it."""

    file: str
    problem: Diagnostic
    table: Mapping[str, object]
    patterns: tuple[str, ...]


def slips(told: Sequence[Doubt], call: Call, answer: Answer) -> Iterator[Slip]:
    """The doubtful rules that cover a call as they read, and had another effect on it."""
    for doubt in told:
        meant = EFFECTS.get(str(doubt.table.get("decision")))
        if meant is None or not falls_short(meant, answer.effect):
            continue
        text = _met(doubt, call)
        if text:
            yield Slip(doubt.file, doubt.problem.line, doubt.problem.code, text, doubt.problem.column)


def _met(doubt: Doubt, call: Call) -> str:
    """What of a call the rule was meant to meet; "" where it was not meant for it."""
    code, command = doubt.problem.code, call.input.get("command")
    names = _tools(doubt.table)
    if code == "never-matches" and any("*" in name and name != "*" for name in names):
        return call.tool if any(fnmatchcase(call.tool, name) for name in names) else ""
    if not any(name in (call.tool, "*") or (name in SHELL_NAMES and call.tool in SHELL_NAMES) for name in names):
        return ""
    if code in ("evaded", "redirect-asks") and isinstance(command, str):
        texts = [" ".join(words) for words in inner_commands(command)]
        return next((text for text in texts if _found(doubt.patterns, {"command": text})), "")
    patterns = doubt.patterns
    if code in ("never-matches", "dead-anchor"):
        patterns = tuple(_meant(pattern) for pattern in doubt.patterns)
    if code in ("never-matches", "dead-anchor", "shadowed", "no-effect") and _found(patterns, call.input):
        return str(command or call.input.get("file_path") or call.tool)
    return ""


def _tools(table: Mapping[str, object]) -> list[str]:
    told = table.get("toolName")
    return [str(name) for name in told] if isinstance(told, list) else [str(told or "*")]


def _meant(pattern: str) -> str:
    """A pattern without the anchors that keep it from ever matching."""
    head = '"command":"'
    inside = pattern.removeprefix(head)
    return (head if inside != pattern else "") + _ANCHORS.sub("", inside)


def _found(patterns: Sequence[str], given: Mapping[str, object]) -> bool:
    try:
        text = units(stringified(given))
        return any(not pattern or searched(pattern, text) for pattern in patterns)
    except (CannotJudge, JsSyntaxError, JsUnsupported):
        return False
