"""opencode's permission rules: flattened in order, last match wins, every sub-command of a script asked about by itself.

Modelled on 1.18.33: its published source where it is clear and its own answers everywhere. A rule is (permission,
pattern, action), both compared with `*` and `?` over the whole text; a pattern that ends in ` *` also matches without it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec
import yaml

from lang.shell_syntax import bounded_root, nodes_below
from model.words import Effect
from policy.agents.base import Answer, Call, Part, RuleFile
from policy.agents.jsonc import diagnostic, loads, syntax
from policy.diagnostics import Diagnostic

_EFFECTS = {"allow": Effect.ALLOW, "deny": Effect.DENY, "ask": Effect.ASK}
_EDITS = frozenset({"edit", "write", "patch", "multiedit", "apply_patch"})
_TOOLS = frozenset(
    [
        "bash",
        "read",
        "edit",
        "write",
        "multiedit",
        "patch",
        "apply_patch",
        "glob",
        "grep",
        "list",
        "webfetch",
        "websearch",
        "codesearch",
        "task",
        "todowrite",
        "todoread",
        "skill",
        "lsp",
        "question",
        "plan_enter",
        "plan_exit",
        "batch",
    ]
)
_KEYS = _TOOLS - {"write", "multiedit", "patch", "apply_patch"} | {"external_directory", "doom_loop", "*"}
_MOVES = frozenset({"cd", "rm", "cp", "mv", "mkdir", "touch", "chmod", "chown", "cat"})
"""Commands whose arguments are looked at for folders outside the project."""
_WORDS = frozenset({"command_name", "word", "string", "raw_string", "concatenation"})
_LOOP = 3
"""So many equal calls in a row are a loop, which has a permission of its own."""
_DEFAULTS = (
    ("*", "*", "allow"), ("doom_loop", "*", "ask"), ("external_directory", "*", "ask"),
    ("external_directory", "{data}/tool-output/*", "allow"), ("external_directory", "/tmp/opencode/*", "allow"),  # noqa: S108
    ("question", "*", "deny"), ("plan_enter", "*", "deny"), ("plan_exit", "*", "deny"),
    ("read", "*", "allow"), ("read", "*.env", "ask"), ("read", "*.env.*", "ask"), ("read", "*.env.example", "allow"),
)  # fmt: skip
_BUILT_IN: dict[str, tuple[tuple[str, str, str], ...]] = {
    "build": (("question", "*", "allow"), ("plan_enter", "*", "allow")),
    "plan": (
        ("question", "*", "allow"), ("plan_exit", "*", "allow"), ("task", "general", "deny"),
        ("external_directory", "{data}/plans/*", "allow"), ("edit", "*", "deny"), ("edit", ".opencode/plans/*.md", "allow"),
        ("edit", "{up}/plans/*.md", "allow"),
    ),
    "general": (("todoread", "*", "deny"), ("todowrite", "*", "deny")),
    "explore": (
        ("*", "*", "deny"), ("grep", "*", "allow"), ("glob", "*", "allow"), ("list", "*", "allow"), ("bash", "*", "allow"),
        ("webfetch", "*", "allow"), ("websearch", "*", "allow"), ("codesearch", "*", "allow"), ("read", "*", "allow"),
        ("external_directory", "{data}/tool-output/*", "allow"),
    ),
}  # fmt: skip
_LAST = (("external_directory", "{data}/tool-output/*", "allow"),)
"""What every agent may do whatever its rules say."""


class Rule(msgspec.Struct, frozen=True):
    """One flattened rule; `place` is the file it stands in, "" for what is built in."""

    permission: str
    pattern: str
    effect: Effect
    place: str = ""

    def __str__(self) -> str:
        return f"{self.permission} {self.pattern}: {self.effect.value}"


class OpencodePolicy:
    """Configuration files in the order of their layers: `global`, then `project`, then agent files in Markdown (`agent`)."""

    def __init__(self, files: Sequence[RuleFile]) -> None:
        self.problems: list[tuple[str, Diagnostic]] = []
        self.broken = ""
        self._permission: dict[str, object] = {}
        self._agents: dict[str, dict[str, object]] = {}
        self._places: dict[str, str] = {}
        for file in sorted(files, key=lambda f: ("global", "project", "agent").index(f.layer) if f.layer != "user" else 0):
            if file.layer == "agent":
                self._markdown(file)
            else:
                self._config(file)

    # -- loading

    def _config(self, file: RuleFile) -> None:
        try:
            config = loads(file.text) if file.text.strip() else {}
        except ValueError as error:
            self.broken = self.broken or file.name
            self.problems.append((file.name, syntax(file.text, error)))
            return
        if not isinstance(config, dict):
            self._refuse(file, (), "a configuration is an object")
            return
        permission = self._checked(file, ("permission",), config.get("permission"))
        self._lint(file, permission)
        self._permission = _merged(self._permission, _with_tools(config.get("tools"), permission))
        for name in permission:
            self._places.setdefault(name, file.name)
            self._places[name] = file.name
        agents = {**_objects(config.get("mode")), **_objects(config.get("agent"))}
        for name, agent in agents.items():
            own = self._checked(file, ("agent", name, "permission"), agent.get("permission"))
            self._agents[name] = _merged(self._agents.get(name, {}), _with_tools(agent.get("tools"), own))

    def _markdown(self, file: RuleFile) -> None:
        name = posixpath.splitext(posixpath.basename(file.name))[0]
        head = re.match(r"\ufeff?---\r?\n(.*?)\r?\n---", file.text, re.DOTALL)
        try:
            stated = yaml.safe_load(head.group(1)) if head else {}
        except yaml.YAMLError as error:
            self._refuse(file, (), f"the head of the agent is not YAML: {error}")
            return
        stated = stated if isinstance(stated, dict) else {}
        own = self._checked(file, ("permission",), stated.get("permission"))
        self._agents[name] = _merged(self._agents.get(name, {}), _with_tools(stated.get("tools"), own))

    def _checked(self, file: RuleFile, path: tuple[str, ...], value: object) -> dict[str, object]:
        """A permission in its long form; whatever is no action stops the program."""
        if value is None:
            return {}
        if isinstance(value, str):
            value = {"*": value}
        if not isinstance(value, dict):
            self._refuse(file, path, "`permission` is an action or an object of them")
            return {}
        for name, told in value.items():
            for pattern, action in told.items() if isinstance(told, dict) else (("*", told),):
                if action not in _EFFECTS:
                    inner = (*path, str(name), *((str(pattern),) if isinstance(told, dict) else ()))
                    self._refuse(file, inner, f"{action!r} is no action; write allow, ask or deny")
                    return {}
        return {str(name): told for name, told in value.items()}

    def _refuse(self, file: RuleFile, path: tuple[str, ...], message: str) -> None:
        self.broken = self.broken or file.name
        self.problems.append(
            (file.name, diagnostic(file.text, path, "error", "no-load", f"{message}: the program does not start"))
        )

    def _lint(self, file: RuleFile, permission: Mapping[str, object]) -> None:
        """Rules that do not do what they say."""

        def warn(path: tuple[str, ...], code: str, message: str) -> None:
            self.problems.append((file.name, diagnostic(file.text, ("permission", *path), "warning", code, message)))

        for name, told in permission.items():
            before = self._permission.get(name)
            if name in _EDITS - {"edit"}:
                warn((name,), "no-effect", f"`{name}` has no effect: all tools that change files ask for `edit`")
            elif name not in _KEYS and "_" not in name and "*" not in name:
                warn((name,), "unknown", f"no tool asks for `{name}`; a shell command asks for `bash`")
            if isinstance(before, str) and isinstance(told, dict) and "*" not in told:
                warn((name,), "replaced", f"this object replaces `{name}: {before}` of the global file: what it does not name is no longer "
                     f"{before} but what the defaults say")  # fmt: skip
            if name == "read" and told == "allow":
                warn((name,), "env-unasked", "`read: allow` also takes away the question before .env files are read")
            if name == "edit" and told == "allow":
                warn((name,), "plan-edits", "`edit: allow` at the top also lifts the plan agent's ban on editing")
            if isinstance(told, dict):
                seen: list[str] = []
                for pattern, action in told.items():
                    for earlier in seen:
                        if matches(earlier, pattern) and told[earlier] != action:
                            warn((name, earlier), "void", f"`{pattern}: {action}` comes later and matches all that `{earlier}` does: the last "
                                 "match wins")  # fmt: skip
                    seen.append(pattern)
                    if name == "bash" and action == "deny" and pattern != "*":
                        warn((name, pattern), "evaded", "a deny of a command is not met by the command behind `env`, `xargs`, `bash -c`, an "
                             "assignment, a full path or a quoted name")  # fmt: skip

    # -- answering

    def rules(self, agent: str = "build", home: str = "", project: str = "") -> list[Rule]:
        """All rules of an agent in their order."""
        data = f"{home}/.local/share/opencode"
        up = posixpath.relpath(data, project) if home and project else ".."

        def made(rows: Sequence[tuple[str, str, str]]) -> Iterator[Rule]:
            for permission, pattern, action in rows:
                yield Rule(permission, pattern.replace("{data}", data).replace("{up}", up), _EFFECTS[action])

        found = [*made(_DEFAULTS), *made(_BUILT_IN.get(agent, ()))]
        found += [
            Rule(permission, _expanded(pattern, home), effect, self._places.get(permission, ""))
            for permission, pattern, effect in _flat(self._permission)
        ]
        place = f"agent {agent}"
        found += [Rule(p, _expanded(pattern, home), effect, place) for p, pattern, effect in _flat(self._agents.get(agent, {}))]
        return [*found, *made(_LAST)]

    def judge(self, call: Call) -> Answer:
        if self.broken:
            return Answer(Effect.UNKNOWN, reason=f"{self.broken} does not load", missing=("a configuration that loads",))
        rules = self.rules(call.agent or call.mode or "build", call.home, call.project or call.cwd)
        if call.tool not in _TOOLS and not call.mcp_server and not any(c in call.tool for c in "_-"):
            return Answer(Effect.DENY, reason="no such tool")
        hidden = _last(rules, lambda rule: matches(_permission(call.tool), rule.permission))
        if hidden is not None and hidden.pattern == "*" and hidden.effect is Effect.DENY:
            return Answer(Effect.DENY, str(hidden), hidden.place, "the tool is not offered to the model at all")
        if call.tool == "bash" and bounded_root(str(call.input.get("command") or "").encode()) is None:
            return Answer(Effect.UNKNOWN, reason="the script is too hard to parse", missing=("a script that can be parsed",))
        parts: list[Part] = []
        if call.facts.get("identical_calls_before") is not None and int(str(call.facts["identical_calls_before"])) >= _LOOP - 1:
            loop = self._asked(rules, "doom_loop", (call.tool,), parts)
            if loop is not None:
                return loop
        for permission, patterns in _questions(call):
            answer = self._asked(rules, permission, patterns, parts)
            if answer is not None:
                return answer
        deciding = next((part.rule for part in reversed(parts) if part.rule), "")
        return Answer(Effect.ALLOW, deciding, reason="every question the tool asks is allowed", parts=tuple(parts))

    def _asked(self, rules: Sequence[Rule], permission: str, patterns: Sequence[str], parts: list[Part]) -> Answer | None:
        """One question over several patterns: a denied one decides, then one that asks; None where all are allowed."""
        asked: tuple[Rule | None, str] | None = None
        for pattern in patterns:
            rule = _deciding(rules, permission, pattern)
            effect = rule.effect if rule is not None else Effect.ASK
            parts.append(Part(pattern, effect, str(rule) if rule is not None else ""))
            if effect is Effect.DENY and rule is not None:
                return Answer(effect, str(rule), rule.place, f"`{pattern}` is denied by {permission}", parts=tuple(parts))
            if effect is Effect.ASK and asked is None:
                asked = rule, pattern
        if asked is None:
            return None
        rule, pattern = asked
        why = f"{permission} asks about `{pattern}`" + ("" if rule is not None else ": no rule matches it")
        return Answer(Effect.ASK, str(rule) if rule else "", rule.place if rule else "", why, parts=tuple(parts))


class _Adapter:
    id = "opencode"
    title = "opencode permission"
    layers = ("project", "global", "agent")
    modelled = "1.18.33"

    def load(self, files: Sequence[RuleFile]) -> OpencodePolicy:
        return OpencodePolicy(files)


ADAPTER = _Adapter()


@lru_cache(maxsize=8192)
def _pattern(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    if text.endswith(r"\ .*"):
        text = text[: -len(r"\ .*")] + r"(?:\ .*)?"
    return re.compile(text, re.DOTALL)


def matches(text: str, pattern: str) -> bool:
    """Whether a pattern with `*` and `?` matches a whole text; a trailing ` *` may be missing."""
    return _pattern(pattern.replace("\\", "/")).fullmatch(text.replace("\\", "/")) is not None


def _last(rules: Sequence[Rule], holds: Callable[[Rule], bool]) -> Rule | None:
    return next((rule for rule in reversed(rules) if holds(rule)), None)


def _deciding(rules: Sequence[Rule], permission: str, pattern: str) -> Rule | None:
    return _last(rules, lambda rule: matches(permission, rule.permission) and matches(pattern, rule.pattern))


def _permission(tool: str) -> str:
    return "edit" if tool in _EDITS else tool


def _questions(call: Call) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The questions a tool asks before it does anything, in its order: (permission, patterns)."""
    given = call.input
    project = call.project or call.cwd

    def text(*names: str) -> str:
        return next((v for n in names if isinstance(v := given.get(n), str)), "")

    if call.tool == "bash":
        yield from _shell(text("command"), text("workdir"), call)
    elif call.tool in _EDITS or call.tool in ("read", "lsp"):
        path = _resolved(text("filePath", "file_path", "path"), call)
        yield from _outside(posixpath.dirname(path), path, project)
        yield _permission(call.tool), (posixpath.relpath(path, project) if project else path,)
    elif call.tool in ("glob", "grep", "list"):
        folder = _resolved(text("path") or project, call)
        yield from _outside(folder, folder, project)
        yield call.tool, (text("pattern") if call.tool != "list" else folder,)
    elif call.tool in ("webfetch", "websearch", "codesearch"):
        yield call.tool, (text("url", "query"),)
    elif call.tool == "task":
        yield call.tool, (text("subagent_type"),)
    elif call.tool == "skill":
        yield call.tool, (text("name"),)
    else:
        yield call.tool, ("*",)


def _outside(folder: str, path: str, project: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if project and not _within(path, project):
        yield "external_directory", (posixpath.join(folder, "*"),)


def _within(path: str, project: str) -> bool:
    return path == project or path.startswith(project.rstrip("/") + "/")


def _resolved(path: str, call: Call) -> str:
    return posixpath.normpath(posixpath.join(call.cwd or call.project, _expanded(path.replace("\\", "/"), call.home)))


def _shell(command: str, workdir: str, call: Call) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every command of a script asks by itself; a redirection counts where it stands with that one command alone."""
    patterns: dict[str, None] = {}
    folders: dict[str, None] = {}
    project = call.project or call.cwd
    here = _resolved(workdir, call) if workdir else call.cwd or project
    if workdir and project and not _within(here, project):
        folders[posixpath.join(here, "*")] = None
    data = command.encode()
    root = bounded_root(data)
    for node in nodes_below(root) if root is not None else ():
        if node.type != "command":
            continue
        outer = node.parent if node.parent is not None and node.parent.type == "redirected_statement" else node
        words = [data[c.start_byte : c.end_byte].decode("utf-8", "replace") for c in node.children if c.type in _WORDS]
        if not words:
            continue
        if words[0] in _MOVES and project:
            for word in words[1:]:
                if word.startswith("-") or (words[0] == "chmod" and word.startswith("+")) or re.search(r"[$`*?]", word):
                    continue
                path = posixpath.normpath(posixpath.join(here, _expanded(word.strip("'\""), call.home)))
                if not _within(path, project):
                    folder = path if words[0] == "cd" or word.endswith("/") else posixpath.dirname(path)
                    folders[posixpath.join(folder, "*")] = None
        if words[0] != "cd":
            patterns[data[outer.start_byte : outer.end_byte].decode("utf-8", "replace").strip()] = None
    if folders:
        yield "external_directory", tuple(folders)
    if patterns:
        yield "bash", tuple(patterns)


def _expanded(pattern: str, home: str) -> str:
    for mark in ("~", "$HOME"):
        if home and (pattern == mark or pattern.startswith(mark + "/")):
            return home + pattern[len(mark) :]
    return pattern


def _flat(permission: Mapping[str, object]) -> Iterator[tuple[str, str, Effect]]:
    for name, told in permission.items():
        if isinstance(told, dict):
            for pattern, action in told.items():
                yield name, str(pattern), _EFFECTS[str(action)]
        else:
            yield name, "*", _EFFECTS[str(told)]


def _merged(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """Objects are merged member by member, the lower file's first; anything else is replaced in its place."""
    found = dict(below)
    for name, value in above.items():
        held = found.get(name)
        found[name] = _merged(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return found


def _with_tools(tools: object, permission: dict[str, object]) -> dict[str, object]:
    """The older `tools: {bash: false}` as permissions, which what is stated as a permission outranks."""
    if not isinstance(tools, dict):
        return permission
    stated: dict[str, object] = {_permission(str(name)): "allow" if on else "deny" for name, on in tools.items()}
    return _merged(stated, permission)


def _objects(value: object) -> dict[str, dict[str, object]]:
    return {str(k): v for k, v in value.items() if isinstance(v, dict)} if isinstance(value, dict) else {}
