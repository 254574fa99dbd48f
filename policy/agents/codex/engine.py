"""Codex's execution policy: `codex execpolicy check` over the words as they are, or what the running program does.

The running program splits scripts of plain words, takes out allow rules that are too broad, asks about `rm` with force,
and leaves the rest to the approval policy and the sandbox.
"""

from __future__ import annotations

import json
import posixpath
import shlex
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from model.words import Effect
from policy.agents.base import Answer, Call, Part, Proposal, RuleFile, Slip, Written, falls_short, placed
from policy.agents.codex import config, lint, slips
from policy.agents.codex.broad import BROAD, ignored
from policy.agents.codex.facts import OPEN, POLICIES, WORDS, Facts, matters, may_ask, may_escalate, possible, unmatched
from policy.agents.codex.rules import DECISIONS, Match, Rule, RuleSet
from policy.agents.codex.shell import Argv, TooLong, commands_of, dangerous
from policy.agents.codex.starlark_syntax import Place, Refused, Unmodelled
from policy.diagnostics import Diagnostic

Mode = Literal["live", "check"]
_LAYERS = ("system", "user", "project", "project-untrusted")
_OF_A_PROJECT = frozenset({"project", "project-untrusted"})
_EFFECTS = {"allow": Effect.ALLOW, "prompt": Effect.ASK, "forbidden": Effect.DENY}
_SHELL_TOOLS = frozenset(
    ["exec_command", "shell", "shell_command", "local_shell", "local_shell_call", "container.exec", "unified_exec"]
)
_ESCALATED = frozenset({"require_escalated", "with_additional_permissions"})


class _Held(msgspec.Struct, frozen=True):
    """The rules of some files as the program holds them: none where one does not load, and why this model may not know."""

    rules: RuleSet
    broken: str = ""
    unknown: str = ""


class CodexPolicy:
    """Rule files by layer: `system`, `user`, `project`; a `config.toml` among them is checked for its approval settings.

    In `check` mode every file counts in the order given, as with `codex execpolicy check --rules A --rules B`. A call whose
    mode is `check` is answered as the check would, over the files that the running program reads.
    """

    def __init__(self, files: Sequence[RuleFile], mode: Mode = "live") -> None:
        self.mode = mode
        self.problems: list[tuple[str, Diagnostic]] = []
        self._config_broken = ""
        rules = [file for file in files if posixpath.basename(file.name) != "config.toml"]
        for file in files:
            if file not in rules:
                faults = config.problems(file.text)
                self.problems += [(file.name, problem) for problem in faults]
                self._config_broken = self._config_broken or (file.name if faults else "")
        if mode == "live":
            for file in rules:
                if not _read(file.name):
                    self._warn(file, "no-effect", "the program reads only files that end in `.rules`")
            rules = [file for file in rules if _read(file.name)]
            rules.sort(key=lambda file: (_LAYERS.index(file.layer) if file.layer in _LAYERS else 1, file.directory, file.name))
        self._trusting = self._load(rules, tell=True)
        others = [file for file in rules if file.layer not in _OF_A_PROJECT]
        self._wary = self._trusting if len(others) == len(rules) or mode == "check" else self._load(others)
        if mode == "live" and not self._trusting.broken:
            self.problems += lint.problems(rules, self._trusting.rules)

    def _warn(self, file: RuleFile, code: str, message: str) -> None:
        self.problems.append((file.name, Diagnostic(1, 1, 2, "warning", code, message)))

    def _load(self, files: Sequence[RuleFile], *, tell: bool = False) -> _Held:
        held, broken, unknown = RuleSet(), "", ""
        for file in files:
            try:
                failing = held.read(file.name, file.text)
            except Refused as error:
                failing = [(error.place, error.message)]
            except Unmodelled as error:
                failing, unknown = [], unknown or f"{file.name}: {error}"
                if tell:
                    self._warn(file, "not-modelled", f"whether this file loads is not known: {error}")
            broken = broken or (file.name if failing else "")
            for place, message in failing if tell else ():
                self.problems.append((file.name, _unloaded(place, message, self.mode)))
        return _Held(RuleSet() if broken else held, broken, "" if broken else unknown)

    # -- answering

    def written(self) -> list[Written]:
        """See `AgentPolicy`."""
        return [
            Written(str(one), one.file, _EFFECTS[one.decision])
            for rules in self._trusting.rules.by_program.values()
            for one in rules
        ]

    def judge(self, call: Call) -> Answer:
        if self._config_broken:
            return _unknown(f"{self._config_broken} does not load: the program does not start", "a configuration that loads")
        argv = _argv(call)
        if argv is None:
            return _other_tool(call)
        try:
            return self._checked(argv, call) if "check" in (self.mode, call.mode) else self._live(argv, call)
        except TooLong:
            return _unknown("the script is too long to be read", "a shorter script")

    def check(self, argv: Argv, *, resolve: bool = False, cwd: str = "", home: str = "") -> tuple[str, list[Match]]:
        """What `codex execpolicy check` prints: the decision, "" where no rule matches, and the rules that match."""
        matches = self._trusting.rules.matching(argv, resolve=resolve, cwd=cwd, home=home)
        return _strictest(match.rule.decision for match in matches), matches

    def slips(self, call: Call, answer: Answer | None = None) -> list[Slip]:
        """See `AgentPolicy`: rules that ask or forbid and that a call got past, and allow rules left out as too broad."""
        argv = _argv(call)
        if argv is None or self.mode != "live" or self._trusting.broken:
            return []
        try:
            found = slips.slipped(self._trusting.rules, argv)
            effect = (answer or self.judge(call)).effect if found else Effect.UNKNOWN
        except TooLong:
            return []
        return [
            Slip(rule.file, rule.place.line, code, text, rule.place.column)
            for rule, code, text in found
            if falls_short(_EFFECTS[rule.decision], effect)
        ]

    @property
    def broken(self) -> str:
        """The first file that does not load, "" where all do."""
        return self._trusting.broken

    def _checked(self, argv: Argv, call: Call) -> Answer:
        if self._trusting.broken:
            return _unknown(f"{self._trusting.broken} does not load: the check ends with an error", "rules that load")
        if self._trusting.unknown:
            return _unknown(self._trusting.unknown, "rules of a form that is modelled")
        resolve = call.facts.get("resolve_host_executables") is True
        decision, matches = self.check(argv, resolve=resolve, cwd=call.cwd, home=call.home)
        if not matches:
            return Answer(
                Effect.UNKNOWN, reason="no rule matches: the check prints no decision", parts=(_part(argv, []),), silent=True
            )
        match = next(match for match in matches if match.rule.decision == decision)
        parts = (_part(argv, matches),)
        return Answer(_EFFECTS[decision], str(match.rule), match.rule.file, _why(match), parts=parts)

    def _live(self, argv: Argv, call: Call) -> Answer:
        """The answer that all the facts a call leaves open agree on; else *cannot judge* with what to log next time."""
        if not call.cwd and any(self._trusting.rules.depends_on_cwd(command) for command in commands_of(argv)[0]):
            return _unknown("a relative program is looked for among listed paths", "the working directory")
        states = possible(call, by_trust=self._wary is not self._trusting)
        answers = [self._decided(argv, call, facts) for facts in states]
        first = answers[0]
        if all(answer.effect is first.effect for answer in answers):
            return first
        effects = {facts: answer.effect for facts, answer in zip(states, answers, strict=True)}
        missing = tuple(words for at, words in enumerate(WORDS) if matters(effects, at))
        rule = first.rule if all(answer.rule == first.rule for answer in answers) else ""
        why = f"the answer hangs on {' and '.join(missing)}"
        return Answer(Effect.UNKNOWN, rule, first.place if rule else "", why, missing, first.parts)

    def _decided(self, argv: Argv, call: Call, facts: Facts) -> Answer:
        held = self._trusting if facts.trusted else self._wary
        if held.unknown:
            return _unknown(held.unknown, "rules of a form that is modelled")
        wished = call.input.get("sandbox_permissions")
        escalated = (isinstance(wished, str) and wished in _ESCALATED) or call.input.get("with_escalated_permissions") is True
        if escalated and not may_escalate(facts):
            return Answer(Effect.DENY, reason="this approval policy lets no command ask to leave the sandbox")
        commands, whole = commands_of(argv)
        parts: list[Part] = []
        found: list[Match] = []
        dangers: list[Argv] = []
        decisions: list[str] = []
        for command in commands:
            matches = self._matching(held, command, call)
            found += matches
            if matches:
                decision = _strictest(match.rule.decision for match in matches)
            else:
                decision = unmatched(command, facts, escalated=escalated)
                dangers += [command] if dangerous(command) else []
            decisions.append(decision)
            parts.append(_part(command, matches, decision))
        asking = next((match for match in found if match.rule.decision == "prompt"), None)
        strictest = _strictest(decisions)
        note = f"; the script is not split: {whole} keeps it whole" if whole else ""
        if held.broken:
            note += f"; {held.broken} does not load, so no rule counts"
        if strictest == "prompt" and asking is not None and not may_ask(facts):
            why = f"a rule asks, and this approval policy lets nothing be asked{note}"
            return Answer(Effect.DENY, str(asking.rule), asking.rule.file, why, parts=tuple(parts))
        match = next((match for match in found if match.rule.decision == strictest), None)
        if match is not None and (strictest != "allow" or all(part.rule for part in parts)):
            return Answer(_EFFECTS[strictest], str(match.rule), match.rule.file, _why(match) + note, parts=tuple(parts))
        reason = _default(strictest, dangers, commands, parts, facts) + note
        return Answer(_EFFECTS[strictest], reason=reason, parts=tuple(parts))

    def _matching(self, held: _Held, command: Argv, call: Call) -> list[Match]:
        approved = [rule for rule in _approved(call) if rule.matches(command)]
        matches = held.rules.matching(command, resolve=True, cwd=call.cwd, home=call.home)
        matches += [Match(rule, command[: len(rule.rest) + 1]) for rule in approved]
        return [match for match in matches if not ignored(match.rule, match.prefix)]

    def amendment(self, call: Call) -> Argv | None:
        """The allow rule the program would offer with its question; None where it asks nothing or offers none.

        It is offered where no rule asks: the prefix the agent wished for where that would do, else the first command that
        is asked about. Facts that are not known are taken as they would be for the question to come.
        """
        argv = _argv(call)
        answer = self.judge(call)
        if argv is None or answer.effect is not Effect.ASK or answer.rule:
            return None
        facts = possible(call, by_trust=self._wary is not self._trusting)[0]
        if facts.policy == "granular" and "sandbox_approval" in facts.refused:
            return None
        commands, _ = commands_of(argv)
        wished = _words(call.input.get("prefix_rule"))
        if wished and wished not in BROAD and not any(part.rule for part in answer.parts):
            rule = Rule(wished[0], tuple((word,) for word in wished[1:]), "allow")
            held = self._trusting if facts.trusted else self._wary
            if all(rule.matches(command) or self._runs(held, command, call, facts) for command in commands):
                return wished
        asked = (
            command for command, part in zip(commands, answer.parts, strict=True) if part.effect is Effect.ASK and not part.rule
        )
        return next(asked, None)

    def _runs(self, held: _Held, command: Argv, call: Call, facts: Facts) -> bool:
        matches = self._matching(held, command, call)
        return bool(matches) and _strictest(match.rule.decision for match in matches) == "allow"


class _Adapter:
    id = "codex"
    title = "Codex .rules"
    layers = ("user", "project", "project-untrusted", "system")
    modelled = "0.169.0"
    reads = (("*.rules", ""), ("config.toml", ""))
    ways = ("live", "check")

    def proposed(self, command: str) -> Proposal | None:
        if not command:
            return None
        rule = f'prefix_rule(pattern={json.dumps(shlex.split(command), ensure_ascii=False)}, decision="allow")'
        return Proposal(rule, RuleFile("user", "proposal.rules", rule))

    def load(self, files: Sequence[RuleFile], mode: str = "") -> CodexPolicy:
        return CodexPolicy(placed(files, self.layers), "check" if mode == "check" else "live")


ADAPTER = _Adapter()


def _read(name: str) -> bool:
    """Whether the running program reads a file of its rules folder; a text without a file's name is taken as one."""
    return posixpath.splitext(name)[1] in ("", ".rules")


def _unknown(reason: str, missing: str) -> Answer:
    return Answer(Effect.UNKNOWN, reason=reason, missing=(missing,))


def _unloaded(place: Place, message: str, mode: Mode) -> Diagnostic:
    effect = "the check ends with an error" if mode == "check" else "with one bad file no rule of any file counts"
    return Diagnostic(place.line, place.column, place.end, "error", "no-load", f"{message}: {effect}")


def _strictest(decisions: Iterator[str] | Sequence[str]) -> str:
    return max(decisions, key=DECISIONS.index, default="")


def _part(command: Argv, matches: Sequence[Match], decision: str = "") -> Part:
    decision = decision or _strictest(match.rule.decision for match in matches)
    rule = next((str(match.rule) for match in matches if match.rule.decision == decision), "")
    return Part(shlex.join(command), _EFFECTS.get(decision, Effect.UNKNOWN), rule)


def _why(match: Match) -> str:
    said = f": {match.rule.justification}" if match.rule.justification else ""
    by = f" (found by the name of {match.program})" if match.program else ""
    return f"a rule on `{shlex.join(match.prefix)}` says {match.rule.decision}{by}{said}"


def _default(decision: str, dangers: Sequence[Argv], commands: Sequence[Argv], parts: Sequence[Part], facts: Facts) -> str:
    if dangers and decision != "allow":
        verb = "is never run unasked" if decision == "prompt" else "is refused where nothing may be asked"
        return f"`{shlex.join(dangers[0])}`: `rm` with force {verb}"
    bare = next((part.text for part in parts if not part.rule), "")
    if decision == "allow":
        return f"no rule matches `{bare}`: it runs in the sandbox ({facts.policy}, {facts.sandbox})"
    return f"no rule matches `{bare}`, and the approval policy is {facts.policy}"


def _approved(call: Call) -> Iterator[Rule]:
    """What was allowed from then on in this session: `facts["approved_prefixes"]`, lists of words."""
    prefixes = call.facts.get("approved_prefixes")
    for prefix in map(_words, prefixes if isinstance(prefixes, list) else ()):
        if prefix:
            yield Rule(prefix[0], tuple((word,) for word in prefix[1:]), "allow", file="approved in the session")


def _words(value: object) -> Argv:
    """A list of texts; () for anything else."""
    return tuple(map(str, value)) if isinstance(value, list) and all(isinstance(word, str) for word in value) else ()


def _argv(call: Call) -> Argv | None:
    """The argument vector of a call: `argv` or a list as it is, a text as the script of the user's shell.

    The shell is `shell` of the call, else `facts["shell"]`, else /bin/bash; `login: false` makes it `-c`.
    """
    for name in ("argv", "command", "cmd"):
        given = call.input.get(name)
        if words := _words(given):
            return words
        if isinstance(given, str) and not _is_mcp(call) and call.tool != "apply_patch":
            shell = str(call.input.get("shell") or call.facts.get("shell") or "/bin/bash")
            return (shell if "/" in shell else f"/bin/{shell}", "-c" if call.input.get("login") is False else "-lc", given)
    return None


def _is_mcp(call: Call) -> bool:
    return bool(call.mcp_server) or call.tool.startswith("mcp__")


def _other_tool(call: Call) -> Answer:
    if call.tool in _SHELL_TOOLS or not call.tool:
        return _unknown("the call has no command", "the command")
    if _is_mcp(call):
        return _unknown(
            "rules speak of commands only; an MCP tool is asked about by its server's own settings", "the server's settings"
        )
    if call.tool == "apply_patch":
        if POLICIES.get(call.mode) == "untrusted":
            return Answer(Effect.ASK, reason="a patch is asked about under this approval policy")
        if call.sandbox in OPEN and POLICIES.get(call.mode):
            return Answer(Effect.ALLOW, reason="nothing holds a patch back without a sandbox")
        return _unknown(
            "rules speak of commands only; a patch is held to the folders that may be written", "the folders that may be written"
        )
    return Answer(Effect.ALLOW, reason="rules speak of commands only: this tool is not asked about")
