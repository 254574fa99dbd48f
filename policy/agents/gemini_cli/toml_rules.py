"""A policy file of Gemini CLI: its TOML, the schema that drops a whole file, and the rules that come of it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping

import msgspec

from model.words import Effect
from policy.agents.base import RuleFile
from policy.agents.gemini_cli.arguments import json_text
from policy.agents.gemini_cli.lint import lint
from policy.agents.gemini_cli.model import (
    BUILT_IN_TOOLS,
    EFFECTS,
    MODES,
    PREFIX_END,
    SHELL,
    TIERS,
    Checker,
    Rule,
    escaped,
    qualified,
    valid_name,
)
from policy.agents.gemini_cli.places import Places
from policy.agents.gemini_cli.regexes import JsSyntaxError, JsUnsupported, compiled, length, searched, units
from policy.agents.gemini_cli.slips import Doubt
from policy.diagnostics import Diagnostic

_NESTED = r"\([^)]*[*+?{].*\)[*+?{]"
_LONGEST = 2048
_TYPO = 3
_AT = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")
_TEXTS = ("mcpName", "argsPattern", "commandRegex")
_RULE_TEXTS = (*_TEXTS, "subagent", "denyMessage", "deny_message")
_RULE_FLAGS = ("interactive", "allowRedirection", "allow_redirection")


class Loaded(msgspec.Struct):
    """What a file gives: rules in its order, safety checkers, what there is to say, and why the program would not start."""

    rules: list[Rule] = msgspec.field(default_factory=list)
    checkers: list[Checker] = msgspec.field(default_factory=list)
    problems: list[Diagnostic] = msgspec.field(default_factory=list)
    doubts: list[Doubt] = msgspec.field(default_factory=list)
    tables: tuple[Mapping[str, object], ...] = ()
    stops: str = ""

    def doubt(self, file: RuleFile, problem: Diagnostic, index: int) -> None:
        """Adds a problem of one rule that does not do what it says."""
        table = self.tables[index]
        self.problems.append(problem)
        self.doubts.append(Doubt(file.name, problem, table, tuple(pattern for pattern, _ in patterns(table))))


def load(file: RuleFile) -> Loaded:
    """The rules of one file, none where it does not pass the schema."""
    found = Loaded()
    places = Places(file.text)
    try:
        value = tomllib.loads(file.text.replace("\r\n", "\n"))
        _uniform(value)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        found.problems.append(_broken(file.text, error))
        return found
    wrong = list(_schema(value))
    for table, index, key, message in wrong:
        what = f"{message}: one error drops the whole file"
        found.problems.append(places.at("error", "schema", what, table, index, key))
    if wrong:
        return found
    for index, table in enumerate(value.get("rule", ())):
        _rule(found, file, places, index, table)
    for index, table in enumerate(value.get("safety_checker", ())):
        _checker(found, file, places, index, table)
    found.tables = tuple(value.get("rule", ()))
    for problem, index in lint(file, places, found.tables):
        found.doubt(file, problem, index)
    return found


def prefix_pattern(prefix: str) -> str:
    """The pattern a command prefix becomes: the words as they stand in the arguments, then a space or the end."""
    return escaped('"command":"' + json_text(prefix)[1:-1]) + PREFIX_END


def patterns(table: Mapping[str, object]) -> list[tuple[str, str]]:
    """The patterns of a rule, each with the key it comes from; one empty one where there is none."""
    prefix, regex, args = (table.get(name) for name in ("commandPrefix", "commandRegex", "argsPattern"))
    if prefix or isinstance(prefix, list):
        texts = prefix if isinstance(prefix, list) else [prefix]
        return [(prefix_pattern(str(text)), "commandPrefix") for text in texts]
    if regex:
        return [(f'"command":"{regex}', "commandRegex")]
    return [(str(args or ""), "argsPattern")]


def tools(table: Mapping[str, object]) -> list[str]:
    told = table.get("toolName")
    return [str(name) for name in told] if isinstance(told, list) else [str(told)]


def _rule(found: Loaded, file: RuleFile, places: Places, index: int, table: Mapping[str, object]) -> None:
    misplaced = _misplaced(table)
    if misplaced:
        key = "commandPrefix" if "commandPrefix" in table else "commandRegex"
        what = f"{misplaced}: the program prints an error and applies the rule all the same"
        found.problems.append(places.at("error", "shell-syntax", what, "rule", index, key))
    found.problems += _names(places, "rule", index, table)
    mcp, subagent, annotations = table.get("mcpName"), table.get("subagent"), table.get("toolAnnotations")
    modes, interactive = table.get("modes"), table.get("interactive")
    for pattern in _compiling(found, places, "rule", index, table):
        for tool in tools(table):
            rule = Rule(
                qualified(str(mcp), tool) if mcp else tool,
                EFFECTS[str(table["decision"])],
                _priority(file, table),
                file.name,
                pattern,
                None if mcp is None else str(mcp),
                None if subagent is None else str(subagent),
                tuple(modes) if isinstance(modes, list) else (),
                interactive if isinstance(interactive, bool) else None,
                annotations if isinstance(annotations, dict) else None,
                bool(table.get("allowRedirection", table.get("allow_redirection", False))),
                f"{file.layer.capitalize()}: {file.name.rpartition('/')[2]}",
                index,
            )
            if file.layer == "extension":
                if rule.effect is Effect.ALLOW or "yolo" in rule.modes:
                    continue
            elif "" in (rule.tool, rule.mcp, rule.subagent):
                found.stops = found.stops or f"a rule of {file.name} has an empty toolName, mcpName or subagent"
            found.rules.append(rule)
    for key in ("toolName", "mcpName", "subagent"):
        told = table.get(key)
        if "" in (told if isinstance(told, list) else [told]) and (key != "toolName" or not mcp):
            effect = "fits nothing" if file.layer == "extension" else "stops the program when it starts"
            found.problems.append(places.at("error", "no-start", f"an empty `{key}` {effect}", "rule", index, key))


def _checker(found: Loaded, file: RuleFile, places: Places, index: int, table: Mapping[str, object]) -> None:
    mcp, annotations, modes = table.get("mcpName"), table.get("toolAnnotations"), table.get("modes")
    told = table["checker"]
    config = told.get("config") if isinstance(told, dict) else None
    lists = config if isinstance(config, dict) else {}
    if not mcp:
        found.problems += _names(places, "safety_checker", index, table)
    for pattern in _compiling(found, places, "safety_checker", index, table):
        for tool in tools(table):
            when = Rule(
                qualified(str(mcp), tool) if mcp else tool,
                Effect.DENY,
                _priority(file, table),
                file.name,
                pattern,
                None if mcp is None else str(mcp),
                modes=tuple(modes) if isinstance(modes, list) else (),
                annotations=annotations if isinstance(annotations, dict) else None,
                index=index,
            )
            if file.layer == "extension":
                if "yolo" in when.modes:
                    continue
            elif "" in (when.tool, when.mcp):
                found.stops = found.stops or f"a safety checker of {file.name} has an empty toolName or mcpName"
            name = str(told["name"]) if isinstance(told, dict) and told["type"] == "in-process" else ""
            found.checkers.append(Checker(when, name, _listed(lists, "included_args"), _listed(lists, "excluded_args")))


def _listed(config: Mapping[str, object], name: str) -> tuple[str, ...]:
    told = config.get(name)
    return tuple(str(one) for one in told) if isinstance(told, list) else ()


def _priority(file: RuleFile, table: Mapping[str, object]) -> float:
    told = table.get("priority", 0)
    return TIERS[file.layer] + (told if isinstance(told, int | float) else 0) / 1000


def _compiling(found: Loaded, places: Places, kind: str, index: int, table: Mapping[str, object]) -> Iterator[str]:
    """The patterns the program keeps; one that it does not compile, or holds to be dangerous, drops its rule alone."""
    for pattern, key in patterns(table):
        why = ""
        if pattern:
            try:
                compiled(pattern)
            except JsSyntaxError as error:
                why = f"not a pattern ({error})"
            except JsUnsupported as error:
                what = f"what this pattern matches cannot be judged here: {error}"
                found.problems.append(places.at("warning", "not-judged", what, kind, index, key))
            if not why and (length(pattern) > _LONGEST or searched(_NESTED, units(pattern))):
                why = "held to be unsafe (a repeated group with repeats in it, or too long)"
        if why:
            found.problems.append(places.at("error", "pattern", f"{why}: the rule is dropped", kind, index, key))
        else:
            yield pattern


def _misplaced(table: Mapping[str, object]) -> str:
    if "commandPrefix" not in table and "commandRegex" not in table:
        return ""
    if table.get("toolName") != SHELL:
        return f'`commandPrefix` and `commandRegex` go with toolName = "{SHELL}" alone, not in a list'
    if "argsPattern" in table:
        return "`argsPattern` beside `commandPrefix` or `commandRegex`"
    return "`commandPrefix` beside `commandRegex`" if "commandPrefix" in table and "commandRegex" in table else ""


def _names(places: Places, kind: str, index: int, table: Mapping[str, object]) -> Iterator[Diagnostic]:
    names = tools(table)
    if "" in names:
        return
    for name in names:
        what = ""
        if "__" in name:
            what = "`__` no longer names the tool of a server: say mcpName, or mcp_server_tool"
        elif not valid_name(name):
            near = sorted((_distance(name, one), one) for one in BUILT_IN_TOOLS)
            if near[0][0] <= _TYPO:
                what = f"no tool is called `{name}`; near it: {', '.join(one for _, one in near[:3])}"
        if what:
            yield places.at("warning", "tool-name", what, kind, index, "toolName", name)


def _distance(one: str, other: str) -> int:
    if abs(len(one) - len(other)) > _TYPO:
        return _TYPO + 1
    row = list(range(len(other) + 1))
    for at, char in enumerate(one):
        before, row = row, [at + 1]
        for to, found in enumerate(other):
            row.append(min(before[to + 1] + 1, row[to] + 1, before[to] + (char != found)))
    return row[-1]


def _broken(text: str, error: Exception) -> Diagnostic:
    found = _AT.search(str(error))
    lines = text.split("\n")
    line, column = (int(found.group(1)), int(found.group(2))) if found and found.group(1) else (len(lines), len(lines[-1]) + 1)
    if not found:
        line = column = 1
    what = _AT.sub("", str(error)).strip() or "nested too deeply"
    return Diagnostic(line, column, column + 1, "error", "syntax", f"not TOML: {what}; the program drops the file")


def _uniform(value: object) -> None:
    """The program's own reader of TOML is older: a list holds values of one kind."""
    if isinstance(value, dict):
        for one in value.values():
            _uniform(one)
    elif isinstance(value, list):
        if len({type(one) for one in value}) > 1:
            raise ValueError("a list of values of different kinds")
        for one in value:
            _uniform(one)


Wrong = tuple[str, int, str, str]


def _schema(value: Mapping[str, object]) -> Iterator[Wrong]:
    for kind in ("rule", "safety_checker"):
        held = value.get(kind, [])
        if not isinstance(held, list) or not all(isinstance(table, dict) for table in held):
            yield "", 0, kind, f"`{kind}` is a list of tables: write [[{kind}]]"
            continue
        for index, table in enumerate(held):
            for key, message in _table(table, kind == "rule"):
                yield kind, index, key, message


def _table(table: Mapping[str, object], is_rule: bool) -> Iterator[tuple[str, str]]:
    if not _texts(table.get("toolName")):
        yield "toolName", "`toolName` is required, a text or a list of texts"
    for key in _RULE_TEXTS if is_rule else _TEXTS:
        if key in table and not isinstance(table[key], str):
            yield key, f"`{key}` is a text"
    if "commandPrefix" in table and not _texts(table["commandPrefix"]):
        yield "commandPrefix", "`commandPrefix` is a text or a list of texts"
    if "toolAnnotations" in table and not isinstance(table["toolAnnotations"], dict):
        yield "toolAnnotations", "`toolAnnotations` is a table"
    modes = table.get("modes", [])
    if not isinstance(modes, list) or not all(mode in MODES for mode in modes):
        yield "modes", f"`modes` is a list of {', '.join(MODES)}"
    if "priority" in table or is_rule:
        yield from _number(table.get("priority"), is_rule)
    if not is_rule:
        yield from _told_checker(table.get("checker"))
        return
    if table.get("decision") not in tuple(EFFECTS):
        yield "decision", f"`decision` is required, one of {', '.join(EFFECTS)}"
    for key in _RULE_FLAGS:
        if key in table and not isinstance(table[key], bool):
            yield key, f"`{key}` is true or false"


def _number(value: object, is_rule: bool) -> Iterator[tuple[str, str]]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield "priority", "`priority` is required, a number"
    elif value != value or abs(value) > 2**53 or value != int(value):
        yield "priority", "`priority` is a whole number"
    elif is_rule and not 0 <= value <= 999:
        yield "priority", "`priority` is between 0 and 999"


def _told_checker(value: object) -> Iterator[tuple[str, str]]:
    kind = value.get("type") if isinstance(value, dict) else None
    name = value.get("name") if isinstance(value, dict) else None
    if kind not in ("in-process", "external"):
        yield "checker", "`checker` is a table whose `type` is in-process or external"
    elif not isinstance(name, str) or (kind == "in-process" and name not in ("allowed-path", "conseca")):
        yield "checker", "the `name` of an in-process checker is allowed-path or conseca"
    elif isinstance(value, dict):
        context, config = value.get("required_context", []), value.get("config", {})
        if not isinstance(context, list) or not all(isinstance(one, str) for one in context) or not isinstance(config, dict):
            yield "checker", "`required_context` is a list of texts, `config` a table"


def _texts(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))
