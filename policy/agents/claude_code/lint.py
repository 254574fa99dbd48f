"""Rules of a Claude Code settings file that do not load, or do not do what they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec

from model.words import Effect
from policy.agents.base import RuleFile
from policy.agents.claude_code.commands import FILE_CHANGERS
from policy.agents.claude_code.rules import ORDER, Rule, command_matches, covers, has_star, is_prefix, listed, name_set, parse
from policy.agents.claude_code.shell import EVALUATES, NOT_STARTED, shell
from policy.agents.jsonc import diagnostic
from policy.diagnostics import Diagnostic, Severity

_KEYS = name_set(
    "allow ask deny defaultMode additionalDirectories disableBypassPermissionsMode disableAutoMode "
    "blockReadsOutsideWorkingDirectories blockWritesOutsideWorkingDirectories denyInsteadOfPrompting"
)
_MODES = name_set("default acceptEdits plan auto dontAsk bypassPermissions")
_TOOLS = name_set(
    "Agent AskUserQuestion Bash BashOutput Edit EnterPlanMode EnterWorktree ExitPlanMode Glob Grep KillShell LS LSP "
    "ListMcpResourcesTool Monitor MultiEdit NotebookEdit NotebookRead PowerShell Read ReadMcpResourceTool SendMessage Skill "
    "SlashCommand TaskCreate TaskGet TaskList TaskOutput TaskStop TaskUpdate TodoRead TodoWrite ToolSearch WebFetch WebSearch Write"
)
_OF_EDIT = frozenset({"Write", "MultiEdit", "NotebookEdit"})
_OF_READ = frozenset({"Grep", "Glob", "LS", "NotebookRead"})
_TOP_FOLDERS = name_set("home Users etc usr var tmp root opt private mnt srv dev proc")
_Told = Iterator[tuple[str, str]]


class _Entry(msgspec.Struct, frozen=True):
    """A rule as it stands in a list, with all the rules of its file beside it."""

    rule: Rule
    beside: tuple[Rule, ...]
    layer: str

    @property
    def spec(self) -> str:
        return self.rule.spec or ""

    @property
    def restrains(self) -> bool:
        return self.rule.effect is not Effect.ALLOW


def lint(file: RuleFile, settings: Mapping[str, object]) -> Iterator[tuple[Diagnostic, Rule | None]]:
    """What is to be said of one file, in the order of its lists, and the rule it is said of."""

    rules: list[Rule] = []
    yield from ((one, None) for one in _frame(file, settings, rules))
    for rule in rules:
        entry = _Entry(rule, tuple(rules), file.layer)
        path = ("permissions", rule.effect.value, rule.text)
        for check in _CHECKS:
            for code, message in check(entry):
                yield diagnostic(file.text, path, "warning", code, message), rule


def _frame(file: RuleFile, settings: Mapping[str, object], rules: list[Rule]) -> Iterator[Diagnostic]:
    """What is to be said of the settings around the rules; the rules that are sound are added to `rules`."""

    def at(path: tuple[str, ...], severity: Severity, code: str, message: str) -> Diagnostic:
        return diagnostic(file.text, path, severity, code, message)

    if settings.get("allowManagedPermissionRulesOnly") is True and file.layer != "managed":
        yield at(
            ("allowManagedPermissionRulesOnly",), "warning", "no-effect", "only the managed file can leave out the others' rules"
        )
    permissions = settings.get("permissions")
    if permissions is None:
        return
    if not isinstance(permissions, dict):
        yield at(("permissions",), "error", "no-load", "`permissions` is an object of `allow`, `ask` and `deny` lists")
        return
    for key in permissions:
        if key not in _KEYS:
            yield at(("permissions", str(key)), "warning", "unknown", f"the program knows no `permissions.{key}`")
    mode = permissions.get("defaultMode")
    if mode is not None and not (isinstance(mode, str) and mode in _MODES):
        yield at(
            ("permissions", "defaultMode"), "warning", "unknown", f"{mode!r} is no mode; there are {', '.join(sorted(_MODES))}"
        )
    for effect in ORDER:
        if effect.value in permissions and not isinstance(permissions[effect.value], list):
            yield at(("permissions", effect.value), "error", "no-load", f"`{effect.value}` is a list of rules")
        for _, text in listed(permissions, effect):
            path = ("permissions", effect.value, str(text))
            made = parse(text) if isinstance(text, str) else None
            if made is None:
                yield at(
                    path, "warning", "malformed", f"{text!r} is no rule, so it matches nothing: write `Tool` or `Tool(specifier)`"
                )
            else:
                rules.append(Rule(str(text), made[0], made[1], effect, file.name, file.layer))


def _names(one: _Entry) -> _Told:
    tool = one.rule.tool
    if "*" in tool and not one.restrains:
        head, _, rest = tool.removeprefix("mcp__").partition("__")
        if not tool.startswith("mcp__") or "*" in head or not rest:
            yield "no-effect", "an allow with `*` in the name of the tool is ignored; name the tool, or `mcp__server__*`"
    elif "*" not in tool and not tool.startswith("mcp__") and tool not in _TOOLS:
        near = next((name for name in _TOOLS if name.casefold() == tool.casefold()), "")
        yield "unknown", f"there is no tool `{tool}`" + (f"; write `{near}`: case counts" if near else "")
    if tool.startswith("mcp__") and one.rule.spec is not None:
        yield "no-effect", "a rule for an MCP tool takes no specifier"


def _shadowed(one: _Entry) -> _Told:
    for other in one.beside:
        if ORDER.index(other.effect) >= ORDER.index(one.rule.effect):
            continue
        whole = other.spec is None and covers(other, one.rule.tool)
        same = (other.tool, other.spec) == (one.rule.tool, one.rule.spec)
        if whole or same or (other.tool == one.rule.tool == "Bash" and _wider(other.spec or "", one.spec)):
            yield (
                "void",
                f"`{other.text}` in {other.effect.value} matches all that this matches: {other.effect.value} comes first",
            )
            return


def _wider(outer: str, inner: str) -> bool:
    if has_star(inner) and not is_prefix(inner):
        return False
    plain = inner.removesuffix(":*")
    return command_matches(outer, plain) and (not is_prefix(inner) or command_matches(outer, plain + " x"))


def _commands(one: _Entry) -> _Told:
    if one.rule.tool != "Bash":
        return
    spec = one.spec
    if one.rule.spec is None:
        if not one.restrains:
            yield "runs-anything", "allows every command, with redirections to any file and commands behind any other"
        return
    if spec != spec.strip():
        yield "never", "a blank at an end of the specifier matches no command"
    body = spec.removesuffix(":*")
    if ":*" in body:
        yield "never", "`:*` counts at the end alone; here it is taken as written"
    if "*" in body and is_prefix(spec):
        yield "never", "before `:*` a `*` is taken as written"
    if len(shell(body).pieces) > 1:
        yield ("whole-only", "compares with a whole command line alone; each part is also asked about by itself") if one.restrains else (
            "never", "commands are compared part by part, so a rule with several of them allows nothing")  # fmt: skip
    first = body.split(" ", 1)[0] if body.strip() else ""
    if one.restrains:
        if first and (is_prefix(spec) or has_star(spec) or " " in spec):
            way = " and `git -C dir`, `git -c name=value`" if first == "git" else ""
            yield "evaded", f"is not met behind `bash -c`, `eval`, `xargs -n1`, `find -exec`, `npx`, `su -c`, `trap`{way}"
        return
    yield from _allowed_commands(one, first)


def _allowed_commands(one: _Entry, first: str) -> _Told:
    spec = one.spec
    if first in NOT_STARTED | EVALUATES:
        yield "no-effect", f"what `{first}` runs cannot be checked, so it is asked about whatever is allowed"
    if first == "find" and (is_prefix(spec) or has_star(spec)):
        yield "narrower", "does not cover `find` with -exec, -delete or -fprint"
    if first in FILE_CHANGERS:
        yield (
            "narrower",
            f"`{first}` is still asked about outside mode acceptEdits, unless an Edit rule covers the files it changes",
        )
    if re.match(r"[A-Za-z_]\w*=", first):
        yield "literal", "an allow with an assignment matches that assignment alone, while a deny looks past assignments"
    if has_star(spec) and not is_prefix(spec) and re.search(r"\w\*$", spec):
        yield "no-boundary", f"also matches longer words: `{spec[:-1]}x`; write `{spec[:-1]} *` or `{spec[:-1]}:*`"
    if re.fullmatch(
        r"(?:ba|z|da|k)?sh(?: -l?c)?(?::\*| \*|\*)|(?:python3?|node|perl|ruby|npx|sudo|env|xargs)(?::\*| \*|\*)", spec
    ):
        yield "runs-anything", f"whatever `{first}` is given runs: a deny does not look into it"


def _paths(one: _Entry) -> _Told:
    tool, spec = one.rule.tool, one.spec
    if one.rule.spec is None:
        if tool == "Edit":
            yield (
                "edit-alone",
                "without a path this is the tool Edit alone: Write and shell commands are not covered; `Edit(**)` covers them",
            )
        return
    if tool in _OF_EDIT:
        yield "no-effect", f"`{tool}(path)` has no effect: changes of files are compared with `Edit(path)`"
    if tool in _OF_READ:
        yield "no-effect", f"`{tool}(path)` has no effect: reading is compared with `Read(path)`"
    if tool not in ("Read", "Edit"):
        return
    if (
        spec.startswith("/")
        and not spec.startswith("//")
        and spec.split("/")[1].casefold() in {f.casefold() for f in _TOP_FOLDERS}
    ):
        yield (
            "rooted",
            f"one slash begins at {'~/.claude' if one.layer == 'user' else 'the project'}; write `{tool}(/{spec})` for the whole disk",
        )
    if spec.startswith("!"):
        yield "no-effect", "`!` takes nothing out of a folder that another rule names"
    plain = spec.removeprefix("./").removesuffix("/**")
    if not spec.startswith(("/", "~", "!")) and plain and "/" not in plain.rstrip("/") and "*" not in plain:
        yield "any-depth", f"also matches `{plain.rstrip('/')}` in every folder below; `/{plain}` names the one at the top"
    if one.restrains and tool == "Read":
        yield "evaded", "commands that name the file are covered; globs, `grep -r .`, `git show HEAD:path` and scripts are not"


def _agents(one: _Entry) -> _Told:
    if one.rule.tool != "Agent" or one.rule.spec is None:
        return
    if one.rule.effect is not Effect.DENY:
        yield (
            "no-effect",
            f"a type has no effect in {one.rule.effect.value}: sub-agents of any type run; only a deny looks at the type",
        )
    elif "*" in one.spec:
        yield "never", "the type is compared as written; `*` stands for nothing"


def _hosts(one: _Entry) -> _Told:
    if one.rule.tool != "WebFetch" or one.rule.spec is None:
        return
    kind, _, domain = one.spec.partition(":")
    if kind != "domain":
        yield "never", "only `domain:host` is compared"
    elif re.search(r"[/@:\s]", domain):
        yield "never", "a domain is a host alone, without scheme, port or path"
    elif domain.startswith("*.") and not any(
        o.spec == f"domain:{domain[2:]}" and o.effect is one.rule.effect for o in one.beside
    ):
        yield "narrower", f"`{domain}` leaves out {domain[2:]} itself"


_CHECKS: tuple[Callable[[_Entry], _Told], ...] = (_names, _shadowed, _commands, _paths, _agents, _hosts)
