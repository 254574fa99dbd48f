"""Entries of Copilot CLI's lists that do not do what they say, and the calls that show it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from model.words import Effect, Tri
from policy.agents.base import Call, RuleFile, name_set
from policy.agents.copilot_cli.commands import addresses, redirected, segments, shell_matches
from policy.agents.copilot_cli.options import OPTION, Options
from policy.agents.doubts import VOID, Doubt
from policy.agents.inner import inner_commands
from policy.agents.listed import Listed, path_fits, place_of
from policy.diagnostics import Diagnostic

_BORROWED = {"Bash": "shell", "Edit": "write", "Write": "write", "Read": "read", "WebFetch": "url", "Shell": "shell", "run_shell_command": "shell"}  # fmt: skip
_INNER = name_set("view create glob web_fetch")
"""Tools of the program whose names are no usual commands."""


def lint(file: RuleFile, rules: Sequence[Listed], options: Options) -> Iterator[tuple[Diagnostic, Doubt]]:
    """What is to be said of the entries of one file; `options` are those of all files together."""
    for rule in rules:
        for code, message, command in _said(rule, options):
            written = rule.text if rule.text in file.text else rule.argument or rule.text
            yield place_of(file.text, written, code, message), Doubt(code, rule, command)


def _said(rule: Listed, options: Options) -> Iterator[tuple[str, str, str]]:
    argument = rule.argument or ""
    stem = re.sub(r"(:\*|\s+\*|\*)$", "", argument).strip()
    if rule.kind in _BORROWED and rule.how == OPTION:
        meant = _BORROWED[rule.kind]
        yield "borrowed", f"`{rule.text}` names a server called {rule.kind}: the kind of rule is `{meant}`", stem
    elif rule.kind == "shell" and stem.split(" ")[0] in _INNER and not stem.count(" "):
        yield "tool-name", f"`{rule.text}` names a shell command; `{stem}` is a tool of the program", ""
    elif rule.kind == "shell" and argument.endswith("*") and not argument.endswith(":*"):
        yield "dead", f"`{rule.text}` never matches: only `:*` at the end stands for more", stem
    elif rule.kind == "shell" and _names_arguments(stem):
        yield (
            "dead",
            f"`{rule.text}` never matches: arguments are no part of a command's name; write shell({stem.split()[0]})",
            stem,
        )
    elif rule.kind == "shell" and rule.effect is Effect.DENY and argument:
        what = "a deny is not met by the command behind `env`, `sudo`, `xargs`, `bash -c`, by its full path or with its name in quotes"
        yield "evaded", f"`{rule.text}`: {what}", stem
    if rule.kind == "write" and rule.effect is Effect.DENY:
        yield "redirect", f"`{rule.text}` does not look at what shell commands write", ""
    if rule.kind == "url" and argument and "://" not in argument:
        yield "https-only", f"`{rule.text}` names https addresses alone; write http://{argument} beside it for the others", ""
    if rule.effect is Effect.ALLOW and rule.how == OPTION and any(_same(rule, other) for other in options.rules):
        yield "void", f"`{rule.text}` is denied by an entry of the same words: a deny comes first whatever is allowed", stem


def _names_arguments(stem: str) -> bool:
    """Whether a pattern goes on behind the words that are a command's name, for programs of which that is published."""
    words = stem.split()
    deep = {"git": 2, "gh": 3, "node": 1, "python": 1, "python3": 1, "sh": 1, "bash": 1, "curl": 1, "rm": 1}.get(
        words[0] if words else "", 0
    )
    return deep > 0 and len(words) > deep


def _same(rule: Listed, other: Listed) -> bool:
    return other.effect is Effect.DENY and other.kind == rule.kind and other.argument in (None, rule.argument)


def met(doubt: Doubt, call: Call, command: str) -> str:
    """The part of a call that an entry reads on, "" where it is none."""
    rule = doubt.rule
    if doubt.code == "redirect":
        wanted = rule.argument
        return next(
            (one for one in redirected(command) if wanted is None or path_fits(f"**/{wanted.strip('/')}", one.lstrip("/"))), ""
        )
    if doubt.code == "https-only":
        host = re.escape((rule.argument or "").removeprefix("*."))
        return next((one for one in addresses(command) if re.match(rf"http://([\w.-]+\.)?{host}([:/]|$)", one)), "")
    if not doubt.command or not command:
        return ""
    if doubt.code == VOID:
        return next((one.text for one in segments(call, command) if shell_matches(rule.argument, one) is Tri.YES), "")
    forms = [one.text for one in segments(call, command)] + [" ".join(words) for words in inner_commands(command)]
    return next((one for one in forms if one == doubt.command or one.startswith(doubt.command + " ")), "")
