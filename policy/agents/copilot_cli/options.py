"""Copilot CLI's lists read from a command line, from settings and from saved approvals."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

import msgspec

from lang.jsonc import loads
from model.words import Effect
from policy.agents.base import RuleFile, name_set
from policy.agents.jsonc import diagnostic, syntax
from policy.agents.listed import Listed, place_of, split_entry
from policy.diagnostics import Diagnostic

_EVERYTHING = name_set("--allow-all --yolo")
_LISTS = {
    "--allow-tool": Effect.ALLOW,
    "--deny-tool": Effect.DENY,
    "--allow-url": Effect.ALLOW,
    "--deny-url": Effect.DENY,
}
_TAKING = name_set("--add-dir --available-tools --excluded-tools --mode")
_TOKEN = re.compile(r"#[^\n]*|\\\r?\n|(?:'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.|[^\s'\"\\])+", re.DOTALL)
_UNTIL = re.compile(r"(?:[^,(]|\([^)]*\)?)+")
_BY_KIND = {"read": "read", "write": "write", "memory": "memory"}
_KINDS = name_set("commands read write mcp mcp-sampling memory custom-tool extension-management extension-permission-access")
SAVED, OPTION = "saved", "option"
MODES = {
    "": "manual", "manual": "manual", "default": "manual", "interactive": "manual", "autopilot": "manual", "agent": "manual",
    "assisted": "assisted", "allow-all": "allow-all", "yolo": "allow-all", "plan": "plan",
}  # fmt: skip
"""The program's permission modes, and the names of agent modes that change nothing in them."""


class Options(msgspec.Struct):
    """Everything that files state together. `headless` is set by `-p`, `directories` are folders beside the working one."""

    rules: list[Listed] = []
    all_tools: bool = False
    all_paths: bool = False
    all_urls: bool = False
    bypass_disabled: bool = False
    headless: bool = False
    temp: bool = True
    mode: str = ""
    available: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    directories: list[tuple[str, str]] = []
    """(the folder it holds for, "" for all, the folder)."""
    problems: list[tuple[str, Diagnostic]] = []

    def say(self, file: RuleFile, problem: Diagnostic) -> None:
        self.problems.append((file.name, problem))


def read_options(file: RuleFile, into: Options) -> None:
    """Add what one file states."""
    text = file.text.lstrip("\ufeff \t\r\n")
    if file.name.lower().endswith((".json", ".jsonc")) or text.startswith(("{", "//", "/*")):
        _json(file, into)
    else:
        _command_line(file, into)


def _command_line(file: RuleFile, into: Options) -> None:
    """Options of a command line, wherever they stand in a text; other words are not looked at."""
    tokens = [one for one in _TOKEN.finditer(file.text) if not one.group().startswith(("#", "\\\n", "\\\r"))]
    open_ = re.search("[\"']", _TOKEN.sub(lambda found: " " * len(found.group()), file.text))
    if open_ is not None:
        into.say(file, place_of(file.text, open_.group(), "no-load", "a quote is not closed", "error", open_.start()))
        return
    at = 0
    while at < len(tokens):
        written = tokens[at].group()
        name, given, value = _unquoted(written).partition("=")
        at += 1
        _switch(name, into)
        if name not in _LISTS and name not in _TAKING:
            continue
        values = [value] if given else []
        while not given and at < len(tokens) and not tokens[at].group().startswith("-"):
            values.append(_unquoted(tokens[at].group()))
            at += 1
            if name not in ("--allow-tool", "--deny-tool", "--available-tools", "--excluded-tools"):
                break
        for entry in (one.strip() for value in values for one in _UNTIL.findall(value)):
            if entry:
                _take(name, entry, file, into)


def _switch(name: str, into: Options) -> None:
    everything = name in _EVERYTHING
    into.all_tools |= everything or name == "--allow-all-tools"
    into.all_paths |= everything or name == "--allow-all-paths"
    into.all_urls |= everything or name == "--allow-all-urls"
    into.headless |= name in ("-p", "--prompt")
    into.temp &= name != "--disallow-temp-dir"


def _take(name: str, entry: str, file: RuleFile, into: Options) -> None:
    if name == "--add-dir":
        into.directories.append(("", entry))
    elif name == "--mode":
        into.mode = entry
    elif name == "--available-tools":
        into.available += (entry,)
    elif name == "--excluded-tools":
        into.excluded += (entry,)
    elif name.endswith("-url"):
        into.rules.append(Listed(_LISTS[name], f"url({entry})", file.name, "url", entry, OPTION))
    else:
        kind, argument = split_entry(entry)
        if "(" in entry and argument is None:
            into.say(file, place_of(file.text, entry, "no-load", f"`{entry}` has no closing bracket", "error"))
            return
        # The name of a kind is compared in any case; the name of a server is not.
        kind = kind.lower() if kind.lower() in ("shell", "write", "read", "url", "memory") else kind
        into.rules.append(Listed(_LISTS[name], entry, file.name, kind, argument or None, OPTION))


def _unquoted(word: str) -> str:
    return re.sub(
        r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|\\(.)", lambda m: m[1] or re.sub(r"\\(.)", r"\1", m[2] or "") or m[3] or "", word
    )


def _json(file: RuleFile, into: Options) -> None:
    try:
        told = loads(file.text)
    except ValueError as error:
        into.say(file, syntax(file.text, error))
        return
    if not isinstance(told, dict):
        into.say(file, diagnostic(file.text, (), "error", "no-load", "a settings file is an object"))
        return
    for key, effect in (("allowedUrls", Effect.ALLOW), ("deniedUrls", Effect.DENY)):
        for entry in _texts(file, told.get(key), (key,), into):
            into.rules.append(Listed(effect, f"url({entry})", file.name, "url", entry, OPTION))
    mode = told.get("defaultPermissionMode")
    if isinstance(mode, str):
        into.mode = into.mode or mode
        if mode not in MODES:
            into.say(
                file, diagnostic(file.text, ("defaultPermissionMode",), "warning", "unknown", f"`{mode}` is no permission mode")
            )
    permissions = told.get("permissions")
    if isinstance(permissions, dict):
        into.bypass_disabled |= permissions.get("disableBypassPermissionsMode") == "disable"
        for key in permissions.keys() & {"allow", "ask", "deny"}:
            what = f"`permissions.{key}` has no effect here: tools are listed with --allow-tool and --deny-tool, or saved as approvals"
            into.say(file, diagnostic(file.text, ("permissions", key), "warning", "no-effect", what))
    locations = told.get("locations")
    for location, saved in locations.items() if isinstance(locations, dict) else ():
        if isinstance(saved, dict):
            _saved(file, str(location), saved, into)


def _texts(file: RuleFile, value: object, path: tuple[str, ...], into: Options) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, list):
        into.say(
            file, diagnostic(file.text, path, "warning", "ignored", f"`{path[-1]}` is a list of texts; this one is left out")
        )
        return
    yield from (one for one in value if isinstance(one, str) and one)


def _saved(file: RuleFile, location: str, saved: Mapping[str, object], into: Options) -> None:
    """The approvals kept for one folder: there are only allows among them."""
    path = ("locations", location)
    into.directories += [
        (location, one) for one in _texts(file, saved.get("allowed_directories"), (*path, "allowed_directories"), into)
    ]
    approvals = saved.get("tool_approvals")
    for approval in approvals if isinstance(approvals, list) else ():
        kind = approval.get("kind") if isinstance(approval, dict) else None
        if not isinstance(kind, str) or kind not in _KINDS:
            what = f"`{kind}` is no kind of approval: it is skipped"
            if kind in ("deny", "ask") or (isinstance(approval, dict) and approval.keys() & {"deny", "ask", "decision"}):
                what = "saved approvals only allow: a deny or an ask among them is skipped"
            into.say(file, diagnostic(file.text, (*path, "tool_approvals"), "warning", "ignored", what))
            continue
        into.rules += _approved(file, location, kind, approval, into)


def _approved(file: RuleFile, location: str, kind: str, told: Mapping[str, object], into: Options) -> Iterator[Listed]:
    def rule(kind: str, argument: str | None) -> Listed:
        text = f"{kind}({argument})" if argument else kind
        return Listed(Effect.ALLOW, text, file.name, kind, argument, SAVED, posixpath.normpath(location.replace("\\", "/")))

    path = ("locations", location, "tool_approvals")
    if kind == "commands":
        yield from (
            rule("shell", one) for one in _texts(file, told.get("commandIdentifiers"), (*path, "commandIdentifiers"), into)
        )
    elif kind == "mcp" and isinstance(told.get("serverName"), str):
        tool = told.get("toolName")
        yield rule(str(told["serverName"]), tool if isinstance(tool, str) else None)
    elif kind == "custom-tool" and isinstance(told.get("toolName"), str):
        yield rule(str(told["toolName"]), None)
    elif kind in _BY_KIND:
        yield rule(kind, None)
