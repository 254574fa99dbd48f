"""The engine of Gemini CLI: the first rule by priority decides, then every part of a shell command, then what is built in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from model.words import Effect
from policy.agents.base import Call, Part
from policy.agents.gemini_cli.arguments import stringified
from policy.agents.gemini_cli.model import AGENT, SHELL_NAMES, Checker, Rule, World, aliases, applies, needed, server_of
from policy.agents.gemini_cli.regexes import JsUnsupported, searched, units
from policy.agents.gemini_cli.safety import (
    CannotJudge,
    Place,
    checked_paths,
    edits,
    is_build_file,
    is_dangerous,
    is_safe,
    names_git,
)
from policy.agents.gemini_cli.shell import BadSubstitution, TooHard, redirected, script, unwrapped, words

_DEPTH = 60
_CHECKS = 4000
_COMMANDS = ('"command":"', r"\"command\":\"")
"""How a pattern begins that looks at the command alone."""
_SOFT = ("autoEdit", "yolo")
"""Modes in which a redirection is not asked about."""


class Outcome(msgspec.Struct, frozen=True):
    """A decision, the rule that answers for it, and why where it is no rule."""

    effect: Effect
    rule: Rule | None = None
    reason: str = ""


Fitting = dict[tuple[object, ...], tuple[list[Rule], list[Checker]]]
_KINDS = 4_096
"""Kinds of calls that are remembered for one policy."""


class Session:
    """One call put to the engine in one state of the world."""

    def __init__(
        self, rules: Sequence[Rule], checkers: Sequence[Checker], call: Call, world: World, fitting: Fitting | None = None
    ) -> None:
        """`fitting` remembers, for one set of rules and checkers, which of them fit calls of a kind."""
        self.world = world
        self.call = call
        self.place = Place(call.project or call.cwd, call.home)
        told = (world.annotations or {}).get("_serverName")
        self.server = call.mcp_server or (told if isinstance(told, str) else "") or server_of(call.tool)
        agent = call.input.get("agent_name") if call.tool == AGENT else None
        self.names = (*aliases(call.tool), *((agent,) if isinstance(agent, str) else ()))
        # The parts of a command go by the same names: only patterns are left to look at.
        kind = (call.tool, self.names, self.server, call.agent, world.mode, world.interactive)
        found = fitting.get(kind) if fitting is not None and world.annotations is None else None
        if found is None:
            found = (
                [rule for rule in rules if self._fits(rule, self.names)],
                [checker for checker in checkers if self._fits(checker.when, (call.tool,))],
            )
            if fitting is not None and world.annotations is None and len(fitting) < _KINDS:
                fitting[kind] = found
        self.rules, self.checkers = found
        self.default = Effect.ASK if world.interactive else Effect.DENY
        self.parts: list[Part] = []
        self._known: dict[str, Outcome] = {}

    def outcome(self) -> Outcome:
        """What the engine decides; raises `CannotJudge`."""
        try:
            return self._check(self.call.input, 0)
        except TooHard as error:
            raise CannotJudge(str(error)) from None

    def _check(self, given: Mapping[str, object], depth: int) -> Outcome:
        if self.call.tool == AGENT:
            self._whole(given.get("agent_name"))
        arguments = units(stringified(given))
        rule = next((one for one in self.rules if self._found(one, arguments)), None)
        found = self._decided(rule, given, depth)
        if found.effect is Effect.ALLOW:
            found = self._guarded(found, given)
        return self._second_opinion(found, given, arguments)

    def _whole(self, told: object) -> None:
        """What hangs on an argument is not judged where the record holds only some of them, and not this one."""
        if not told and self.call.facts.get("partial"):
            raise CannotJudge("all the arguments of the call")

    def _fits(self, rule: Rule, names: Sequence[str]) -> bool:
        return any(applies(rule, name, self.server, self.world, self.call.agent) for name in names)

    def _found(self, rule: Rule, arguments: str) -> bool:
        """Whether the pattern of a rule that fits is found in the arguments."""
        if needed(rule.pattern) not in arguments:
            return False
        if rule.pattern:
            self._whole(rule.pattern.startswith(_COMMANDS))
        try:
            return not rule.pattern or searched(rule.pattern, arguments)
        except JsUnsupported as error:
            raise CannotJudge(f"what the pattern of `{rule}` matches: {error}") from None

    def _decided(self, rule: Rule | None, given: Mapping[str, object], depth: int) -> Outcome:
        if rule is None and self.world.mode == "yolo":
            return Outcome(Effect.ALLOW, reason="no rule matches, and the mode is yolo")
        effect = rule.effect if rule is not None else self.default
        if self.call.tool not in SHELL_NAMES:
            return Outcome(effect, rule, "" if rule is not None else "no rule matches")
        command = given.get("command")
        if command is not None and not isinstance(command, str):
            raise CannotJudge("a command that is text")
        folder = given.get("dir_path")
        base = folder if isinstance(folder, str) else ""
        reason = "" if rule is not None else "no rule matches"
        if depth == 0 and command and (rule is None or not rule.pattern):
            effect, reason = self._heuristics(command, effect, base, reason)
        return self._shell(command or "", effect, rule, base, depth, reason)

    def _heuristics(self, command: str, effect: Effect, base: str, reason: str) -> tuple[Effect, str]:
        """What is thought of a whole command where no pattern has looked at it."""
        if effect is Effect.DENY:
            return effect, reason
        try:
            args = words(command)
        except BadSubstitution:
            return effect, reason
        cwd = self.place.resolved(base) if base else self.place.root
        if not self.place.holds(cwd) and self.world.mode != "yolo":
            return Effect.ASK, "the command runs in a folder outside the workspace"
        if not self.world.trusted and names_git(args):
            return Effect.ASK, "git is asked about in a folder that is not trusted"
        if is_dangerous(args):
            return (effect, reason) if self.world.mode == "yolo" else (Effect.ASK, "the command is held to be dangerous")
        if effect is Effect.ASK and is_safe(args, cwd, self.place):
            return Effect.ALLOW, "the command is known to be safe"
        return effect, reason

    def _shell(self, command: str, effect: Effect, rule: Rule | None, base: str, depth: int, reason: str) -> Outcome:
        """A command in its parts: a denied one denies it, one that asks lets nothing through unasked."""
        if not command or effect is Effect.DENY:
            return Outcome(effect, rule, reason)
        held = script(command)
        if held.broken:
            if self.world.mode == "yolo":
                denied = rule is not None and bool(rule.pattern)
                return Outcome(Effect.DENY if denied else Effect.ALLOW, rule, "the command cannot be parsed")
            return Outcome(self.default, rule, "the command cannot be parsed")
        given = effect
        blamed = rule if rule is not None and effect is rule.effect else None
        if effect is Effect.ALLOW and self._downgraded(command, rule):
            effect, blamed, reason = Effect.ASK, None, "a redirection is asked about"
        for piece in held.pieces:
            atomic = piece.text == command or (piece.start == 0 and len(piece.text) == len(command))
            inner = unwrapped(piece.text)
            for text in (*((inner,) if inner != piece.text else ()), *(() if atomic else (piece.text,))):
                part = self._part(text, base, depth)
                if depth == 0:
                    self.parts.append(Part(text, part.effect, str(part.rule) if part.rule is not None else ""))
                if part.effect is Effect.DENY:
                    return part
                if part.effect is Effect.ASK:
                    reason = reason if effect is Effect.ASK else part.reason
                    blamed = part.rule if effect is Effect.ALLOW or blamed is None else blamed
                    effect = Effect.ASK
                elif text is piece.text and effect is Effect.ALLOW and self._downgraded(text, rule):
                    effect, blamed, reason = Effect.ASK, None, "a redirection is asked about"
        return Outcome(effect, rule if effect is given else blamed, reason)

    def _part(self, command: str, base: str, depth: int) -> Outcome:
        if command not in self._known:
            if depth >= _DEPTH or len(self._known) >= _CHECKS:
                raise CannotJudge("a command with fewer parts")
            self._known[command] = self._check({"command": command, **({"dir_path": base} if base else {})}, depth + 1)
        return self._known[command]

    def _downgraded(self, command: str, rule: Rule | None) -> bool:
        return not (rule is not None and rule.redirection) and self.world.mode not in _SOFT and redirected(command)

    def _guarded(self, found: Outcome, given: Mapping[str, object]) -> Outcome:
        """What is asked about although it is allowed."""
        asked = given.get("additional_permissions")
        files = asked.get("fileSystem") if isinstance(asked, Mapping) else None
        if isinstance(files, Mapping):
            wanted = [path for kind in ("read", "write") if isinstance(files.get(kind), list) for path in files[kind]]
            if any(isinstance(path, str) and not self.place.holds(self.place.resolved(path)) for path in wanted):
                found = Outcome(Effect.ASK, found.rule, "it wants permission for a path outside the workspace")
        if edits(self.names):
            self._whole(given.get("file_path"))
        if edits(self.names) and is_build_file(given):
            return Outcome(self.default, None, "build files are protected")
        return found

    def _second_opinion(self, found: Outcome, given: Mapping[str, object], arguments: str) -> Outcome:
        for checker in self.checkers:
            if found.effect is Effect.DENY:
                break
            if not self._found(checker.when, arguments):
                continue
            if not checker.name:
                return Outcome(Effect.DENY, found.rule, "a safety checker that is a program of its own always fails")
            self._whole(given.get("file_path") or checker.name != "allowed-path")
            said = checked_paths(checker, given, self.place) if checker.name == "allowed-path" else ""
            if said:
                effect = Effect.DENY if said == "deny" else Effect.ASK
                found = Outcome(effect, found.rule, "the safety checker does not let the path pass")
        return found
