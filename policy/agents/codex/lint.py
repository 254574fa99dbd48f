"""Rules of Codex that load and do not do what they say."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from policy.agents.base import RuleFile
from policy.agents.codex.broad import broad_prefixes
from policy.agents.codex.rules import DECISIONS, Rule, RuleSet
from policy.agents.codex.shell import commands_of, script_of
from policy.diagnostics import Diagnostic

_SHELL_NAMES = frozenset({"bash", "sh", "zsh"})
_MANY = 500
"""More rules than this on one program are not compared with each other."""
_SCRIPT = "echo $x"
"""A script that is not split, whatever its words."""


def problems(files: Sequence[RuleFile], rules: RuleSet) -> list[tuple[str, Diagnostic]]:
    """By file: what the running program makes of its rules, where that is not what they seem to say."""
    layers = {file.name: file.layer for file in files}
    whole = any(match.rule.decision != "allow" for match in rules.matching(("/bin/bash", "-lc", _SCRIPT), resolve=True))
    found: dict[tuple[str, Diagnostic], None] = {}
    for rule in rules.rules:
        told = [*_reach(rule, rules), *_void(rule, rules)]
        if rule.decision == "allow":
            told += _allowed(rule)
        elif not any(code == "never" for code, _ in told):
            told += _evaded(rule, rules, whole=whole)
            if layers.get(rule.file) in ("project", "project-untrusted"):
                told.append(
                    ("untrusted", "a project's rules are read only once the project is trusted: until then nothing is held back")
                )
        for code, message in told:
            place = rule.place
            found[rule.file, Diagnostic(place.line, place.column, place.end, "warning", code, message)] = None
    return list(found)


def _allowed(rule: Rule) -> Iterator[tuple[str, str]]:
    for prefix in broad_prefixes(rule):
        yield (
            "ignored",
            f"an allow of `{' '.join(prefix)}` is too broad: the running program leaves it out, though the check says allow",
        )
    if not broad_prefixes(rule):
        yield "unsandboxed", f"what begins with `{rule.first}` here also runs outside the sandbox"


def _reach(rule: Rule, rules: RuleSet) -> Iterator[tuple[str, str]]:
    """Whether scripts can bring a command to the rule at all."""
    first = rule.first
    if commands_of(("bash", "-c", f"{first} x"))[0] != ((first, "x"),) and script_of((first, "-c", "")) is None:
        yield (
            "never",
            f"no script is split into a command named `{first}`, so this rule meets only programs that are run without a shell",
        )
        return
    if posixpath.basename(first) in _SHELL_NAMES and rule.rest and {"-c", "-lc"} & set(rule.rest[0]):
        yield (
            "whole-only",
            "a script of plain words is split first: this rule is asked only about scripts that are kept whole, and nested ones",
        )
    for words in rule.rest:
        for word in words:
            if " " in word and rule.first not in _SHELL_NAMES:
                yield "one-word", f"`{word}` is one word with a space in it: it matches only where the two are quoted together"
    name = posixpath.basename(first)
    if first.startswith("/") and any(_stricter(other, rule) for other in rules.by_program.get(name, ())):
        yield "hides", f"where this rule matches, the stricter rules on `{name}` are not asked"


def _stricter(other: Rule, rule: Rule) -> bool:
    return DECISIONS.index(other.decision) > DECISIONS.index(rule.decision)


def _void(rule: Rule, rules: RuleSet) -> Iterator[tuple[str, str]]:
    """A stricter rule that matches all that this one does leaves it nothing to say."""
    others = rules.by_program[rule.first]
    for other in others if len(others) <= _MANY else ():
        covered = len(other.rest) <= len(rule.rest) and all(
            set(words) <= set(wider) for words, wider in zip(rule.rest, other.rest, strict=False)
        )
        if covered and _stricter(other, rule):
            yield "void", f"{other} matches all that this rule does, and the strictest holds"
            return


def _evaded(rule: Rule, rules: RuleSet, *, whole: bool) -> Iterator[tuple[str, str]]:
    """How a command gets past a rule that asks or forbids."""
    first = rule.first
    if posixpath.basename(first) not in _SHELL_NAMES and not whole:
        yield (
            "evaded",
            "any redirection (`2>&1` too), variable, glob, `~`, `$()`, comment, assignment or `&` keeps a script whole, and then "
            "this rule is not asked; a rule on `bash -lc` would be",
        )
    wrapped = f"`env {first}`, `sudo {first}`, `eval`, `xargs` and the like are other commands"
    if rule.rest and not first.startswith("-"):
        wrapped += f", and so is an option before `{rule.rest[0][0]}`" + (" (`git -C .`)" if first == "git" else "")
    yield "wrapped", f"{wrapped}: this rule does not meet them"
    paths = rules.hosts.get(first)
    if paths is not None:
        yield (
            "excluded",
            f"only {', '.join(paths) or 'no path'} counts as `{first}`: at any other path it is not met by this rule",
        )
    if first.startswith("/"):
        yield "by-path", f"only `{first}` as written is met, not `{posixpath.basename(first)}`"
