"""Calls that got past a rule: what a script kept whole, a wrapper or an option before the sub-command hid from it."""

from __future__ import annotations

import posixpath
import shlex

from policy.agents.codex.broad import ignored
from policy.agents.codex.rules import Rule, RuleSet
from policy.agents.codex.shell import Argv, commands_of, read_script, script_of
from policy.agents.inner import inner_commands, inner_of


def slipped(rules: RuleSet, argv: Argv) -> list[tuple[Rule, str, str]]:
    """The rules that did not do for a call what they say: which, the code of the problem that tells so, the inner command.

    A rule that asks or forbids would have met an inner command and was not asked; an allow rule was left out as too broad.
    """
    commands, whole = commands_of(argv)
    met = [match for command in commands for match in rules.matching(command, resolve=True)]
    found: dict[tuple[Rule, str, str], None] = {
        (match.rule, "ignored", shlex.join(match.prefix)): None for match in met if ignored(match.rule, match.prefix)
    }
    asked = {match.rule for match in met}
    script = script_of(argv)
    plain = set(read_script(script).literal) if script is not None else set()
    for command in inner_commands(script) if script is not None else inner_of(argv):
        for rule in rules.rules:
            if rule.decision != "allow" and rule not in asked and _would_meet(rule, command):
                found[rule, _code(rules, rule, kept_whole=bool(whole) and command in plain), shlex.join(command)] = None
    return list(found)


def _code(rules: RuleSet, rule: Rule, *, kept_whole: bool) -> str:
    if kept_whole:
        return "evaded"
    return "excluded" if rule.first in rules.hosts else "by-path" if rule.first.startswith("/") else "wrapped"


def _would_meet(rule: Rule, command: Argv) -> bool:
    name = posixpath.basename(rule.first)
    return name == command[0] and rule.matches((rule.first, *command[1:]))
