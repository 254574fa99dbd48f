"""Rules of Gemini CLI that do not do what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from policy.agents.base import RuleFile
from policy.agents.gemini_cli.model import MCP, PREFIX_END, SHELL, Rule
from policy.agents.gemini_cli.places import Places
from policy.agents.gemini_cli.regexes import alternatives
from policy.diagnostics import Diagnostic

_KEYS = frozenset(
    [
        "name", "description", "toolName", "subagent", "mcpName", "argsPattern", "commandPrefix", "commandRegex", "decision",
        "priority", "modes", "interactive", "toolAnnotations", "allowRedirection", "allow_redirection", "denyMessage",
        "deny_message",
    ]
)  # fmt: skip
_END = re.compile(r"(?<!\\)(?:\\\\)*\$$")
_OBJECT = re.compile(r"\^(?:\\\{|\{|\[\{\])(?!\\x00|\\0|\\u0000)")
_NEXT = re.compile(r'"(?:\\s\*)?,(?:\\s\*)?\\?"')


def lint(file: RuleFile, places: Places, tables: Sequence[Mapping[str, object]]) -> Iterator[tuple[Diagnostic, int]]:
    """What there is to say of the rules of a file that loads, one by one, at the key in question; with the rule's number."""
    for index, table in enumerate(tables):
        for key, part, code, message in (*_layer(file, table), *_table(table)):
            yield places.at("warning", code, message, "rule", index, key, part), index


def shadowed(rules: Sequence[Rule]) -> Iterator[tuple[Rule, Rule]]:
    """Rules that never decide, each with the one that takes all their calls; `rules` in the order they are tried.

    A rule in a file may stand for several here; it is told of where none of them decides.
    """
    found: dict[tuple[str, int], tuple[Rule, Rule]] = {}
    deciding: set[tuple[str, int]] = set()
    for at, rule in enumerate(rules):
        if rule.index < 0:
            continue
        cover = next((other for other in rules[:at] if _covers(other, rule)), None)
        if cover is None:
            deciding.add((rule.place, rule.index))
        elif cover.effect is not rule.effect:
            found.setdefault((rule.place, rule.index), (rule, cover))
    yield from (pair for key, pair in found.items() if key not in deciding)


def _layer(file: RuleFile, table: Mapping[str, object]) -> Iterator[tuple[str, str, str, str]]:
    if file.layer != "extension":
        return
    modes = table.get("modes")
    if table["decision"] == "allow":
        yield "decision", "", "no-effect", "an extension may not allow anything: the rule is dropped without a word"
    elif isinstance(modes, list) and "yolo" in modes:
        yield "modes", "", "no-effect", "an extension may say nothing of the mode yolo: the rule is dropped without a word"


def _table(table: Mapping[str, object]) -> Iterator[tuple[str, str, str, str]]:
    for key in table:
        if key not in _KEYS:
            yield key, "", "unknown-key", f"`{key}` is no key of a rule: the program ignores it"
    told, mcp = table.get("toolName"), table.get("mcpName")
    for name in told if isinstance(told, list) else [told]:
        yield from _wildcard(str(name), mcp)
    yield from _shell(table)
    yield from _arguments(table)


def _wildcard(name: str, mcp: object) -> Iterator[tuple[str, str, str, str]]:
    if mcp == "*" and name not in ("*", ""):
        yield (
            "mcpName",
            "",
            "never-matches",
            f'mcpName = "*" goes with toolName = "*" alone: `{name}` of any server is never matched',
        )
    elif not mcp and "*" in name and name != "*":
        server = name[len(MCP) : -2]
        if not name.startswith(MCP) or (name != f"{MCP}*" and (not name.endswith("_*") or "*" in server)):
            yield (
                "toolName",
                name,
                "never-matches",
                f"`{name}` matches no tool: `*` stands for all, or ends `{MCP}*` or `{MCP}server_*`",
            )


def _shell(table: Mapping[str, object]) -> Iterator[tuple[str, str, str, str]]:
    prefix, regex, decision = table.get("commandPrefix"), table.get("commandRegex"), table["decision"]
    prefixes = [str(one) for one in prefix] if isinstance(prefix, list) else [prefix] if isinstance(prefix, str) else []
    if isinstance(prefix, list) and not prefix:
        yield "commandPrefix", "", "never-matches", "an empty list of prefixes makes no rule at all"
    for text in prefixes:
        if text != text.rstrip(" "):
            what = "a prefix is followed by a space or the end of the command already: one that ends in a space needs two"
            yield "commandPrefix", text, "narrow", what
    if isinstance(regex, str) and not prefixes:
        yield from _regex(regex)
    if not (prefixes or regex):
        return
    if decision == "deny":
        what = "a denied command is not met behind sudo, env, timeout, nohup, command, eval or xargs, an assignment, a quote or a full path"
        yield ("commandPrefix" if prefixes else "commandRegex"), "", "evaded", what
    if decision == "allow" and not table.get("allowRedirection", table.get("allow_redirection", False)):
        what = (
            "a command with a redirection, 2>&1 and 2>/dev/null too, is asked about all the same: allowRedirection lets it pass"
        )
        yield "decision", "", "redirect-asks", what


def _regex(regex: str) -> Iterator[tuple[str, str, str, str]]:
    parts = alternatives(regex)
    if parts[0].startswith("^"):
        yield "commandRegex", "", "dead-anchor", "`^` never matches: the pattern is already tied to the beginning of the command"
    if any(_END.search(part) for part in parts):
        yield "commandRegex", "", "dead-anchor", '`$` never matches: a quote ends the command in what is searched; write `"`'
    if len(parts) > 1:
        what = "`|` outside of brackets cuts the pattern in two: what follows it is found anywhere in the arguments; put (?:...) around"
        yield "commandRegex", "", "alternatives", what


def _arguments(table: Mapping[str, object]) -> Iterator[tuple[str, str, str, str]]:
    pattern = table.get("argsPattern")
    if not isinstance(pattern, str) or "commandPrefix" in table or "commandRegex" in table:
        return
    for part in alternatives(pattern):
        if _OBJECT.match(part):
            what = r"never matches: a NUL stands before and after every pair of the arguments, so begin with `^\{\x00`, or leave `^\{` away"
            yield "argsPattern", "", "never-matches", what
        elif part.startswith("^") and len(part) > 1 and part[1] not in "\\{[(.":
            yield "argsPattern", "", "dead-anchor", r"`^` never matches here: the arguments begin with `{`"
        if _NEXT.search(part):
            what = r"pairs of arguments are parted by `\x00,\x00`, sorted by name: a bare comma is found only inside a value"
            yield "argsPattern", "", "never-matches", what
        if r"\\0" in part or r"\\x00" in part:
            what = (
                r"a backslash and a zero are searched here, not a NUL: rules saved by `always allow` never match for that reason"
            )
            yield "argsPattern", "", "never-matches", what
    if table.get("toolName") == SHELL and table["decision"] == "deny":
        what = "a denied command is looked for in its parts as they are written: quotes and variables hide words"
        yield "argsPattern", "", "evaded", what


def _covers(other: Rule, rule: Rule) -> bool:
    """Whether one rule takes every call of another; False where that is not plain."""
    return (
        other.tool in ("*", rule.tool)
        and other.mcp in (None, rule.mcp)
        and other.annotations is None
        and (not other.modes or (bool(rule.modes) and set(rule.modes) <= set(other.modes)))
        and other.interactive in (None, rule.interactive)
        and other.subagent in (None, rule.subagent)
        and (not other.pattern or other.pattern == rule.pattern or _shorter(other.pattern, rule.pattern))
    )


def _shorter(one: str, other: str) -> bool:
    """Whether one pattern is of a command prefix that another prefix begins with, word by word."""
    end = PREFIX_END
    return one.endswith(end) and other.endswith(end) and other.startswith(one.removesuffix(end) + r"\ ")
