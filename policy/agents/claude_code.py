"""Claude Code's permission rules (`permissions.deny|ask|allow`), deny > ask > allow over all layers.

Modelled on what version 2.1.330 was observed to do. Exact for whole tools, MCP tools, domains, paths in their plain
spellings, and commands that are lists and pipes of plain simple commands; unknown for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import translate
from functools import lru_cache
from posixpath import normpath
from typing import Any

import msgspec

from lang.names import host_name
from lang.shell_plain import plain
from model.words import Effect
from policy.agents.base import Answer, Call, RuleFile
from policy.diagnostics import Diagnostic

_ORDER = (Effect.DENY, Effect.ASK, Effect.ALLOW)
_RULE = re.compile(r"([A-Za-z_*][A-Za-z0-9_*-]*)(?:\((.+)\))?", re.S)
_READS = frozenset({"Read", "Grep", "Glob", "LS", "NotebookRead"})
_EDITS = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})
_SHELLS = frozenset({"Bash"})
_ALIAS = {"Task": "Agent"}
_WRAPPERS = frozenset(
    [
        "sudo",
        "doas",
        "env",
        "command",
        "builtin",
        "exec",
        "eval",
        "xargs",
        "watch",
        "time",
        "timeout",
        "nice",
        "nohup",
        "stdbuf",
        "setsid",
        "flock",
        "ionice",
        "chroot",
        "su",
        "busybox",
        "npx",
        "find",
        "bash",
        "sh",
        "zsh",
        "dash",
        "ksh",
        "trap",
        "source",
        ".",
        "export",
        "alias",
        "function",
    ]
)
"""Programs that run others, or that a rule is known to look past in some spellings and not in others."""

_UNJUDGED_MODES = frozenset({"plan", "auto"})
"""Modes in which a classifier decides what no deny or ask rule settles."""

_Match = bool | None


class _Rule(msgspec.Struct, frozen=True):
    text: str
    tool: str
    spec: str | None


class _Layer(msgspec.Struct, frozen=True):
    name: str
    settings: Mapping[str, Any]


class _Call(msgspec.Struct, frozen=True):
    """What rules ask of a call, by the names the program gives its arguments."""

    tool: str
    command: str = ""
    path: str = ""
    url: str = ""
    cwd: str = ""
    mode: str = ""
    kind: str = ""


class _Loaded:
    """See `policy.agents.base.AgentPolicy`."""

    def __init__(self, layers: Sequence[_Layer], problems: Sequence[tuple[str, Diagnostic]]) -> None:
        self._layers = layers
        self.problems = problems

    def judge(self, call: Call) -> Answer:
        return _judge(self._layers, _asked(call))


class ClaudeCode:
    """See `policy.agents.base.Adapter`."""

    id = "claude-code"
    title = "Claude Code settings (permission rules)"
    layers = ("project", "user", "local", "managed")
    modelled = "2.1.330"

    def load(self, files: Sequence[RuleFile]) -> _Loaded:
        layers: list[_Layer] = []
        problems: list[tuple[str, Diagnostic]] = []
        for file in files:
            try:
                settings = msgspec.json.decode(file.text.encode("utf-8", "replace"))
            except (msgspec.DecodeError, RecursionError) as error:
                problems.append((file.name, Diagnostic(1, 1, 1, "error", "syntax", f"not JSON: {error}")))
                continue
            if isinstance(settings, dict):
                layers.append(_Layer(file.layer, settings))
            else:
                problems.append((file.name, Diagnostic(1, 1, 1, "error", "syntax", "settings are one JSON object")))
        return _Loaded(layers, problems)


def _asked(call: Call) -> _Call:
    def given(*names: str) -> str:
        return next((value for name in names if isinstance(value := call.input.get(name), str) and value), "")

    return _Call(
        call.tool,
        given("command"),
        given("file_path", "notebook_path", "path"),
        given("url"),
        call.cwd,
        call.mode,
        given("subagent_type"),
    )


def _judge(layers: Sequence[_Layer], call: _Call) -> Answer:
    rules = {effect: list(_rules(layers, effect)) for effect in _ORDER}
    open_ = ""
    for effect in _ORDER:
        found, unsure = _decide(rules[effect], call, effect)
        if found is not None and not open_:
            return _settled(effect, found, layers, call, rules)
        open_ = open_ or unsure
    return Answer(Effect.UNKNOWN, reason=open_ or "no rule matches: the program's own defaults decide")


def _settled(effect: Effect, rule: str, layers: Sequence[_Layer], call: _Call, rules: Mapping[Effect, Sequence[_Rule]]) -> Answer:
    """What a matching rule comes to in the mode in force; a denial holds in every mode and against every hook."""

    def open_(reason: str) -> Answer:
        return Answer(Effect.UNKNOWN, rule, reason=reason)

    mode = call.mode.casefold()
    if effect is not Effect.DENY and any(_hooks(layer) for layer in layers):
        return open_("a hook may answer otherwise than the rule")
    if effect is Effect.ASK and mode == "dontask":
        return Answer(Effect.DENY, rule)
    if effect is Effect.ALLOW:
        if call.tool in _READS | _EDITS:
            return open_("links, protected folders and folders outside the project are looked at besides the rules")
        if mode in _UNJUDGED_MODES:
            return open_(f"mode {call.mode}: what no deny or ask rule settles is put to a classifier")
        paths = [one for name in (Effect.DENY, Effect.ASK) for one in rules[name] if one.spec and one.tool in ("Read", "Edit")]
        if call.tool in _SHELLS and paths:
            return open_(f"{paths[0].text} may cover a file the command touches")
    return Answer(effect, rule)


def _rules(layers: Sequence[_Layer], effect: Effect) -> Iterator[_Rule]:
    """The rules of one effect over all layers; what is malformed matches nothing."""
    for layer in layers:
        permissions = layer.settings.get("permissions")
        listed = permissions.get(effect.value) if isinstance(permissions, dict) else None
        for text in listed if isinstance(listed, list) else ():
            found = _RULE.fullmatch(text) if isinstance(text, str) and len(text) <= 2_000 else None
            if found is not None:
                yield _Rule(text, _ALIAS.get(found.group(1), found.group(1)), None if found.group(2) == "*" else found.group(2))


def _hooks(layer: _Layer) -> bool:
    hooks = layer.settings.get("hooks")
    return isinstance(hooks, dict) and bool({"PreToolUse", "PermissionRequest"} & hooks.keys())


def _decide(rules: Sequence[_Rule], call: _Call, effect: Effect) -> tuple[str | None, str]:
    """The rule that matches the call, and where none certainly does what it hangs on."""
    if call.tool in _SHELLS:
        return _shell(rules, call, effect)
    unsure = ""
    for one in rules:
        answer = _matches(one, call, effect)
        if answer:
            return one.text, ""
        if answer is None:
            unsure = unsure or f"whether {one.text} covers this call is not certain"
    return None, unsure


def _shell(rules: Sequence[_Rule], call: _Call, effect: Effect) -> tuple[str | None, str]:
    """Of a command made of several, a deny or an ask needs one that matches, an allow a match for each."""
    whole = [one for one in rules if one.spec is None and _tool(one, call.tool, effect)]
    if whole:
        return whole[0].text, ""
    narrow = [one for one in rules if one.tool == call.tool and one.spec]
    if not narrow:
        return None, ""
    unsure = f"how {narrow[0].text} and its like read this command is not certain"
    parts = plain(call.command) if call.command else None
    if parts is None or any(part.partition(" ")[0] in _WRAPPERS for part in parts):
        return None, unsure
    matched = [next((one.text for one in narrow if _command(one.spec or "", part)), None) for part in parts]
    if effect is Effect.ALLOW:
        return (matched[0], "") if all(matched) else (None, "")
    # A rule may also spell out a whole list.
    whole_line = (one.text for one in narrow if _command(one.spec or "", call.command.strip()))
    certain = next((one for one in matched if one), None) or next(whole_line, None)
    if certain is None and any(_may_hide(part, narrow) for part in parts):
        return None, unsure
    return certain, ""


def _may_hide(command: str, rules: Sequence[_Rule]) -> bool:
    """Whether a rule's program stands in a command otherwise than as its first word: behind another, or by its path."""
    first, *rest = command.split()
    words = {word.rpartition("/")[2] for word in (*rest, *((first,) if "/" in first else ()))}
    programs = {re.split(r"[\s:*]", one.spec or "", maxsplit=1)[0].rpartition("/")[2] for one in rules}
    return "" in programs or bool(words & programs)


def _matches(rule: _Rule, call: _Call, effect: Effect) -> _Match:
    tool = _ALIAS.get(call.tool, call.tool)
    if tool.startswith("mcp__"):
        return _mcp(rule, tool, effect)
    if rule.spec is None:
        if rule.tool == "Read" and tool in _READS | _EDITS and tool != "Read":
            return None
        return _tool(rule, tool, effect)
    if rule.tool == "Edit" and tool in _EDITS:
        return _path(rule.spec, call)
    if rule.tool == "Read":
        # A path that may not be read may not be written either; searches are covered in part.
        if tool in _READS - {"Read"} or (tool in _EDITS and effect is not Effect.DENY):
            return None
        return _path(rule.spec, call) if tool in _EDITS | {"Read"} else False
    if rule.tool == "WebFetch" and tool == "WebFetch":
        return _domain(rule.spec, call.url)
    if rule.tool == "Agent" and tool == "Agent" and effect is Effect.DENY:
        return (rule.spec == call.kind) if call.kind else None
    return False


def _tool(rule: _Rule, tool: str, effect: Effect) -> bool:
    """Whether a rule names the whole tool; `*` in a name counts in deny and ask alone."""
    if "*" in rule.tool:
        return effect is not Effect.ALLOW and bool(re.fullmatch(translate(rule.tool), tool))
    return rule.tool == _ALIAS.get(tool, tool)


def _mcp(rule: _Rule, tool: str, effect: Effect) -> bool:
    if rule.spec is not None:
        return False
    if not rule.tool.startswith("mcp__"):
        return "*" in rule.tool and _tool(rule, tool, effect)
    server = tool.removeprefix("mcp__").partition("__")[0]
    if "*" in rule.tool:
        named = rule.tool.removeprefix("mcp__").partition("__")
        if effect is Effect.ALLOW and ("*" in named[0] or not named[1]):
            return False
        return bool(re.fullmatch(translate(rule.tool), tool))
    return rule.tool in (tool, f"mcp__{server}")


def _command(spec: str, command: str) -> bool:
    """Whether a command rule matches one plain command: `x:*` and `x *` end at a word, `*` elsewhere spans anything."""
    if spec.endswith(":*"):
        return _begins(spec[:-2], command)
    if spec.endswith(" *") and "*" not in spec[:-2]:
        return _begins(spec[:-2], command)
    if "*" in spec:
        return bool(_glob(spec).fullmatch(command))
    return spec.strip() == command


def _begins(prefix: str, command: str) -> bool:
    if "*" in prefix:
        return bool(_glob(prefix).fullmatch(command) or _glob(prefix + " *").fullmatch(command))
    return command == prefix or command.startswith(prefix + " ")


@lru_cache(maxsize=4_096)
def _glob(spec: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in re.split(r"\*+", spec)), re.S)


def _domain(spec: str, url: str) -> _Match:
    """A `domain:` rule: case, port and user information do not matter, `*.x` leaves the apex out."""
    kind, _, domain = spec.partition(":")
    if kind != "domain":
        return None
    host = host_name(url).casefold().rstrip(".")
    if not host:
        return None
    domain = domain.strip().casefold()
    if domain == "*":
        return True
    if domain.startswith("*."):
        return host.endswith(domain[1:]) and host != domain[2:]
    return None if "*" in domain else host == domain


def _path(spec: str, call: _Call) -> _Match:
    """A path rule in its plain spellings; matching ignores case. Anything else, and a home folder nobody states, is unknown."""
    if spec == "//**":
        return True
    path = _absolute(call.path, call.cwd)
    if path is None or spec.startswith(("~", "!")) or "[" in spec or "?" in spec:
        return None
    body = spec
    if spec.startswith("//"):
        root, body = "/", spec[2:]
    elif spec.startswith("/"):
        # Relative to wherever the file lies: the project for its own, unknown for others.
        return None
    else:
        if not call.cwd:
            return None
        root, body = call.cwd.rstrip("/") + "/", spec.removeprefix("./")
    base = normpath(root).rstrip("/") + "/"
    if not path.casefold().startswith(base.casefold()):
        return False if ".." not in spec else None
    below = path[len(base) :].casefold()
    if _ignore(body, anchored=True).match(below):
        return True
    if not _ignore(body, anchored=False).match(below):
        return False
    # Without a slash inside, a name holds at any depth; whether a folder with all below it does is not certain.
    return True if "/" not in body.rstrip("/") else None


def _absolute(path: str, cwd: str) -> str | None:
    path, cwd = path.replace("\\", "/"), cwd.replace("\\", "/")
    if not path or path.startswith("~"):
        return None
    if path.startswith("/"):
        return normpath(path)
    return normpath(f"{cwd}/{path}") if cwd.startswith("/") else None


@lru_cache(maxsize=4_096)
def _ignore(body: str, anchored: bool) -> re.Pattern[str]:
    """A pattern as .gitignore reads it: without a slash it holds at any depth, and what it names it names with all below."""
    found = "" if anchored else r"(?:.*/)?"
    text = body.casefold().strip("/")
    below = text.endswith("/**")
    text = text.removesuffix("/**")
    for part in re.split(r"(\*\*/|\*\*|\*)", text):
        found += {"**/": r"(?:.*/)?", "**": ".*", "*": "[^/]*"}.get(part, re.escape(part))
    return re.compile(found + (r"/.+" if below else r"(?:/.*)?") + r"\Z")


ADAPTER = ClaudeCode()
