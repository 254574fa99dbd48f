"""All files of a person, a machine and its extensions as one policy, and a call put to it in every state it may be in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import msgspec

from lang.jsonc import loads
from model.words import Effect
from policy.agents.base import Answer, Call, Part, Proposal, RuleFile, Slip, Written, placed
from policy.agents.gemini_cli import builtin, toml_rules
from policy.agents.gemini_cli.engine import Fitting, Outcome, Session
from policy.agents.gemini_cli.lint import shadowed
from policy.agents.gemini_cli.model import MODES, SHELL_NAMES, Checker, Rule, World, server_of
from policy.agents.gemini_cli.places import Places
from policy.agents.gemini_cli.safety import CannotJudge
from policy.agents.gemini_cli.settings import merged, rules
from policy.agents.gemini_cli.slips import slips
from policy.agents.jsonc import syntax
from policy.diagnostics import Diagnostic

_POLICIES = ("admin", "user", "extension", "workspace")
_SETTINGS = ("extension", "user", "workspace", "admin")
_MODES = {mode.lower(): mode for mode in MODES}
_ANNOTATIONS = "annotations"


class GeminiPolicy:
    """See `policy.agents.base.AgentPolicy`. `rules` is what the program holds besides its own, highest priority first."""

    def __init__(self, files: Sequence[RuleFile]) -> None:
        self.problems: list[tuple[str, Diagnostic]] = []
        self.stops = ""
        self._loaded: dict[tuple[str, str], tuple[RuleFile, toml_rules.Loaded]] = {}
        checkers: list[Checker] = []
        held = {layer: self._policies(files, layer, checkers) for layer in _POLICIES}
        made = self._settings(files)
        ordered = [*held["admin"], *held["user"], *made, *held["extension"]]
        self.rules = sorted(ordered, key=lambda rule: -rule.priority)
        self._lint()
        everything = sorted([*ordered, *builtin.RULES, builtin.HEADLESS], key=lambda rule: -rule.priority)
        self._rules = [rule for rule in everything if not (self._no_always_allow and rule.always_allow)]
        self._fitting: Fitting = {}
        self._checkers = sorted([*checkers, *builtin.CHECKERS], key=lambda checker: -checker.when.priority)

    def _policies(self, files: Sequence[RuleFile], layer: str, checkers: list[Checker]) -> list[Rule]:
        found: list[Rule] = []
        for file in sorted((one for one in files if one.layer == layer and not _is_settings(one)), key=lambda one: one.name):
            loaded = toml_rules.load(file)
            self._loaded[layer, file.name] = file, loaded
            if layer == "workspace":
                what = "the program loads no policies of a workspace: nothing in this file has an effect"
                loaded.problems.append(Places(file.text).at("warning", "no-effect", what))
                continue
            found += loaded.rules
            checkers += loaded.checkers
            self.stops = self.stops or loaded.stops
        return found

    def _settings(self, files: Sequence[RuleFile]) -> list[Rule]:
        held: list[tuple[str, Mapping[str, object]]] = []
        for file in sorted((one for one in files if _is_settings(one)), key=lambda one: _order(one.layer)):
            try:
                value = loads(file.text) if file.text.strip() else {}
            except ValueError as error:
                self.problems.append((file.name, syntax(file.text, error)))
                continue
            if isinstance(value, dict):
                held.append((file.name, value))
            elif value is not None:
                self.problems.append((file.name, Diagnostic(1, 1, 2, "error", "syntax", "settings are an object")))
        settings = merged(held)
        self._no_always_allow = settings.no_always_allow
        found = rules(settings)
        if any("" in (rule.tool, rule.mcp) for rule in found):
            self.stops = self.stops or "the settings name a tool or a server by an empty text"
        return found

    def _lint(self) -> None:
        for rule, other in shadowed(self.rules):
            what = f"never decides: `{other}` comes first and takes all its calls"
            file, loaded = self._loaded[rule.source.partition(":")[0].lower(), rule.place]
            loaded.doubt(file, Places(file.text).at("warning", "shadowed", what, "rule", rule.index), rule.index)
        for file, loaded in self._loaded.values():
            self.problems += [(file.name, problem) for problem in loaded.problems]

    # -- answering

    def slips(self, call: Call, answer: Answer | None = None) -> list[Slip]:
        """See `policy.agents.base.AgentPolicy`."""
        doubts = [doubt for _, loaded in self._loaded.values() for doubt in loaded.doubts]
        return list(slips(doubts, call, answer or self.judge(call))) if doubts else []

    def written(self) -> list[Written]:
        """See `AgentPolicy`."""
        return [Written(str(one), one.place, one.effect) for one in self.rules]

    def judge(self, call: Call) -> Answer:
        if self.stops:
            return Answer(Effect.UNKNOWN, reason=f"the program does not start: {self.stops}", missing=("policies that load",))
        unknown = _unknown(call, self._rules)
        found: dict[tuple[int, ...], tuple[Outcome, tuple[Part, ...]]] = {}
        for at, world in _worlds(call, unknown):
            session = Session(self._rules, self._checkers, call, world, self._fitting)
            try:
                found[at] = session.outcome(), tuple(session.parts)
            except CannotJudge as error:
                return Answer(Effect.UNKNOWN, reason=f"it hangs on {error}", missing=(str(error),))
        missing = tuple(fact.words for number, fact in enumerate(unknown) if _matters(found, number))
        if missing:
            return Answer(Effect.UNKNOWN, reason=f"the answer changes with {' and '.join(missing)}", missing=missing)
        outcome, parts = next(iter(found.values()))
        rule = outcome.rule
        reason = outcome.reason or ("the first rule that matches decides" if rule is not None else "")
        return Answer(outcome.effect, str(rule) if rule is not None else "", rule.place if rule else "", reason, parts=parts)


class GeminiCli:
    """See `policy.agents.base.Adapter`."""

    id = "gemini-cli"
    title = "Gemini CLI policies and settings"
    modelled = "0.61.0"
    layers = ("user", "workspace", "admin", "extension")
    reads = (("*.toml", ""), ("settings.json", ""), ("*.jsonc", ""))
    ways: tuple[str, ...] = ()

    def proposed(self, command: str) -> Proposal | None:
        if not command:
            return None
        lines = (
            'toolName = "run_shell_command"',
            f"commandPrefix = {json.dumps(command)}",
            'decision = "allow"',
            "priority = 100",
        )
        file = RuleFile("user", "proposal.toml", "[[rule]]\n" + "\n".join(lines))
        return Proposal(f"[[rule]] {', '.join(lines)}", file)

    def load(self, files: Sequence[RuleFile], mode: str = "") -> GeminiPolicy:
        return GeminiPolicy(placed(files, self.layers))


def _is_settings(file: RuleFile) -> bool:
    if file.name.lower().endswith((".json", ".jsonc")):
        return True
    return not file.name.lower().endswith(".toml") and file.text.lstrip("\ufeff \t\r\n").startswith(("{", "//", "/*"))


def _order(layer: str) -> int:
    return _SETTINGS.index(layer) if layer in _SETTINGS else 0


class _Unknown(msgspec.Struct, frozen=True):
    """A fact the record lacks: in words, the field of a `World` it is, and all it may be."""

    words: str
    field: str
    values: tuple[object, ...]


def _unknown(call: Call, held: Sequence[Rule]) -> list[_Unknown]:
    found: list[_Unknown] = []
    if _mode(call.mode) is None:
        found.append(_Unknown("the approval mode", "mode", MODES))
    if call.interactive is None:
        found.append(_Unknown("whether a person was there to ask", "interactive", (True, False)))
    if call.trusted is None and call.tool in SHELL_NAMES:
        found.append(_Unknown("whether the folder was trusted", "trusted", (True, False)))
    if _ANNOTATIONS not in call.facts and (call.mcp_server or server_of(call.tool)):
        told = [rule.annotations for rule in held if rule.annotations is not None]
        found.append(_Unknown("the annotations of the server's tool", "annotations", (None, *told)))
    return found


def _worlds(call: Call, unknown: Sequence[_Unknown]) -> Iterator[tuple[tuple[int, ...], World]]:
    """Every state of the world the record allows, with the number of the choice made for each unknown fact."""
    told = call.facts.get(_ANNOTATIONS)
    known = World(
        _mode(call.mode) or "default",
        call.interactive is not False,
        call.trusted is not False,
        told if isinstance(told, dict) else None,
    )
    for choice in product(*(range(len(fact.values)) for fact in unknown)):
        picked = {fact.field: fact.values[at] for fact, at in zip(unknown, choice, strict=True)}
        yield choice, msgspec.structs.replace(known, **picked)


def _matters(found: Mapping[tuple[int, ...], tuple[Outcome, tuple[Part, ...]]], number: int) -> bool:
    """Whether two states that differ in one fact alone have different answers."""
    seen: dict[tuple[int, ...], Effect] = {}
    for at, (outcome, _) in found.items():
        others = at[:number] + at[number + 1 :]
        if seen.setdefault(others, outcome.effect) is not outcome.effect:
            return True
    return False


def _mode(told: str) -> str | None:
    return _MODES.get(told.lower().replace("_", "").replace("-", ""))
