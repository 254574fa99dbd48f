"""Calls that got past a rule: what a script kept whole, a wrapper or an option before the sub-command hid from it."""

from __future__ import annotations

import posixpath
import re
import shlex

from policy.agents.codex.rules import Rule, RuleSet
from policy.agents.codex.shell import Argv, commands_of, read_script, script_of

_WRAPPERS = frozenset(
    [
        "builtin",
        "command",
        "doas",
        "env",
        "eval",
        "exec",
        "ionice",
        "nice",
        "nohup",
        "setsid",
        "stdbuf",
        "sudo",
        "time",
        "timeout",
        "watch",
        "xargs",
    ]
)
_VALUED = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env", "--prefix", "-n", "-u"})
"""Options of wrappers and of git, npm and kubectl before their sub-command that take a value."""
_SKIPPED = re.compile(r"-.*|[A-Za-z_]\w*=.*|[0-9.]+[smhd]?")
_DEEP = 4


def slipped(rules: RuleSet, argv: Argv) -> list[tuple[Rule, str]]:
    """The rules that ask or forbid and would have met an inner command of a call, but were not asked; with that command."""
    asked = {match.rule for command in commands_of(argv)[0] for match in rules.matching(command, resolve=True)}
    found: dict[tuple[Rule, str], None] = {}
    for command in _inner(argv, 0):
        for rule in rules.rules:
            if rule.decision != "allow" and rule not in asked and _would_meet(rule, command):
                found[rule, shlex.join(command)] = None
    return list(found)


def _inner(argv: Argv, depth: int) -> list[Argv]:
    """Every command in a call, out of scripts and wrappers."""
    script = script_of(argv)
    if script is not None:
        commands = read_script(script).literal
        return [inner for command in commands for inner in _inner(command, depth + 1)] if depth < _DEEP else []
    if argv and posixpath.basename(argv[0]) in _WRAPPERS and depth < _DEEP:
        return _inner(_plain(argv[1:]), depth + 1)
    if len(argv) == 1 and " " in argv[0]:
        return _inner(("bash", "-c", argv[0]), depth + 1)
    return [argv] if argv else []


def _plain(words: Argv) -> Argv:
    """Words without the options, assignments and durations at their head."""
    at = 0
    while at < len(words) and _SKIPPED.fullmatch(words[at]):
        at += 2 if words[at] in _VALUED else 1
    return words[at:]


def _would_meet(rule: Rule, command: Argv) -> bool:
    name = posixpath.basename(command[0])
    return any(rule.matches((name, *rest)) for rest in (command[1:], _plain(command[1:])))
