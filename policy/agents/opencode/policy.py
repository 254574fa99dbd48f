"""opencode's configuration files as the program holds them, and its answer to a call."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Sequence

from lang.jsonc import loads
from lang.shell_syntax import bounded_root
from lang.yamltree import YamlProblem, plain, read
from model.words import Effect
from policy.agents.base import Answer, Call, Part, Proposal, RuleFile, Slip, Written, placed
from policy.agents.jsonc import diagnostic, syntax
from policy.agents.opencode.lint import Doubt, lint
from policy.agents.opencode.questions import questions
from policy.agents.opencode.rules import (
    BUILT_IN,
    DEFAULTS,
    EFFECTS,
    LAST,
    TOOLS,
    Rule,
    deciding,
    expanded,
    flat,
    last,
    matches,
    merged,
    objects,
    permission_of,
    with_tools,
)
from policy.agents.opencode.slips import slips
from policy.diagnostics import Diagnostic

_LOOP = 3
"""So many equal calls in a row are a loop, which has a permission of its own."""


class OpencodePolicy:
    """Configuration files in the order of their layers: `global`, then `project`, then agent files in Markdown (`agent`)."""

    def __init__(self, files: Sequence[RuleFile]) -> None:
        self.problems: list[tuple[str, Diagnostic]] = []
        self.broken = ""
        self._permission: dict[str, object] = {}
        self._agents: dict[str, dict[str, object]] = {}
        self._places: dict[str, str] = {}
        self._doubts: list[tuple[str, Diagnostic, Doubt]] = []
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
        self._permission = merged(self._permission, with_tools(config.get("tools"), permission))
        for name in permission:
            self._places.setdefault(name, file.name)
            self._places[name] = file.name
        agents = {**objects(config.get("mode")), **objects(config.get("agent"))}
        for name, agent in agents.items():
            own = self._checked(file, ("agent", name, "permission"), agent.get("permission"))
            self._agents[name] = merged(self._agents.get(name, {}), with_tools(agent.get("tools"), own))

    def _markdown(self, file: RuleFile) -> None:
        name = posixpath.splitext(posixpath.basename(file.name))[0]
        head = re.match(r"\ufeff?---\r?\n(.*?)\r?\n---", file.text, re.DOTALL)
        try:
            tree = read(head.group(1), "head of the agent") if head else None
        except YamlProblem as problem:
            self.broken = self.broken or file.name
            at, message = problem.start, f"the head of the agent cannot be read: {problem.message}"
            self.problems.append((file.name, Diagnostic(at.line + 2, at.column + 1, at.column + 2, "error", "no-load", message)))
            return
        value = plain(tree) if tree is not None else None
        stated = value if isinstance(value, dict) else {}
        own = self._checked(file, ("permission",), stated.get("permission"))
        self._agents[name] = merged(self._agents.get(name, {}), with_tools(stated.get("tools"), own))

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
                if not (isinstance(action, str) and action in EFFECTS):
                    inner = (*path, str(name), *((str(pattern),) if isinstance(told, dict) else ()))
                    self._refuse(file, inner, f"{action!r} is no action; write allow, ask or deny")
                    return {}
        return {str(name): told for name, told in value.items()}

    def _refuse(self, file: RuleFile, path: tuple[str, ...], message: str) -> None:
        self.broken = self.broken or file.name
        self.problems.append(
            (file.name, diagnostic(file.text, path, "error", "no-load", f"{message}: the program does not start"))
        )

    def _lint(self, file: RuleFile, permission: dict[str, object]) -> None:
        for doubt in lint(permission, self._permission):
            problem = diagnostic(file.text, ("permission", *doubt.path), "warning", doubt.code, doubt.message)
            self.problems.append((file.name, problem))
            self._doubts.append((file.name, problem, doubt))

    # -- answering

    def rules(self, agent: str = "build", home: str = "", project: str = "") -> list[Rule]:
        """All rules of an agent in their order."""
        data = f"{home}/.local/share/opencode"
        up = posixpath.relpath(data, project) if home and project else ".."

        def made(rows: Sequence[tuple[str, str, str]]) -> Iterator[Rule]:
            for permission, pattern, action in rows:
                yield Rule(permission, pattern.replace("{data}", data).replace("{up}", up), EFFECTS[action])

        found = [*made(DEFAULTS), *made(BUILT_IN.get(agent, ()))]
        found += [
            Rule(permission, expanded(pattern, home), effect, self._places.get(permission, ""))
            for permission, pattern, effect in flat(self._permission)
        ]
        place = f"agent {agent}"
        found += [Rule(p, expanded(pattern, home), effect, place) for p, pattern, effect in flat(self._agents.get(agent, {}))]
        return [*found, *made(LAST)]

    def written(self) -> list[Written]:
        """See `AgentPolicy`. Patterns of the home folder are left out: calls name them by the folder itself."""
        found = [one for agent in ("build", *self._agents) for one in self.rules(agent) if one.place]
        return [
            Written(str(one), one.place, one.effect) for one in dict.fromkeys(found) if not one.pattern.startswith(("~", "$HOME"))
        ]

    def slips(self, call: Call, answer: Answer | None = None) -> list[Slip]:
        """See `AgentPolicy`."""
        return (
            list(slips(self._doubts, call, call.agent or call.mode or "build", answer or self.judge(call)))
            if self._doubts
            else []
        )

    def judge(self, call: Call) -> Answer:
        if self.broken:
            return Answer(Effect.UNKNOWN, reason=f"{self.broken} does not load", missing=("a configuration that loads",))
        rules = self.rules(call.agent or call.mode or "build", call.home, call.project or call.cwd)
        if call.tool not in TOOLS and not call.mcp_server and not any(c in call.tool for c in "_-"):
            return Answer(Effect.DENY, reason="no such tool")
        hidden = last(rules, lambda rule: matches(permission_of(call.tool), rule.permission))
        if hidden is not None and hidden.pattern == "*" and hidden.effect is Effect.DENY:
            return Answer(Effect.DENY, str(hidden), hidden.place, "the tool is not offered to the model at all")
        if call.tool == "bash" and bounded_root(str(call.input.get("command") or "").encode()) is None:
            return Answer(Effect.UNKNOWN, reason="the script is too hard to parse", missing=("a script that can be parsed",))
        parts: list[Part] = []
        if call.facts.get("identical_calls_before") is not None and int(str(call.facts["identical_calls_before"])) >= _LOOP - 1:
            loop = self._asked(rules, "doom_loop", (call.tool,), parts)
            if loop is not None:
                return loop
        for permission, patterns in questions(call):
            answer = self._asked(rules, permission, patterns, parts)
            if answer is not None:
                return answer
        deciding = next((part.rule for part in reversed(parts) if part.rule), "")
        return Answer(Effect.ALLOW, deciding, reason="every question the tool asks is allowed", parts=tuple(parts))

    def _asked(self, rules: Sequence[Rule], permission: str, patterns: Sequence[str], parts: list[Part]) -> Answer | None:
        """One question over several patterns: a denied one decides, then one that asks; None where all are allowed."""
        asked: tuple[Rule | None, str] | None = None
        for pattern in patterns:
            rule = deciding(rules, permission, pattern)
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


class Opencode:
    id = "opencode"
    title = "opencode permission"
    layers = ("project", "global", "agent")
    modelled = "1.18.33"
    reads = (("*.md", "agent"), ("*.json", ""), ("*.jsonc", ""))
    ways: tuple[str, ...] = ()

    def proposed(self, command: str) -> Proposal | None:
        if not command:
            return None
        pattern = f"{command} *"
        file = RuleFile("project", "a proposal", json.dumps({"permission": {"bash": {pattern: "allow"}}}))
        return Proposal(f'{json.dumps(pattern, ensure_ascii=False)}: "allow"', file)

    def load(self, files: Sequence[RuleFile], mode: str = "") -> OpencodePolicy:
        return OpencodePolicy(placed(files, self.layers))
