"""Entries of Cursor's lists that do not do what they say, and the calls that show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model.words import Effect, Tri
from policy.agents.base import Call
from policy.agents.cursor.rules import KINDS, PREFIX, Config, path_matches, shell_matches
from policy.agents.doubts import VOID, Doubt
from policy.agents.inner import inner_commands, script_of
from policy.agents.listed import Listed, place_of
from policy.diagnostics import Diagnostic

_BORROWED = {"Bash": "Shell", "Edit": "Write", "Execute": "Shell"}


def lint(config: Config, everything: Sequence[Listed]) -> Iterator[tuple[Diagnostic, Doubt]]:
    """What is to be said of the entries of one file; `everything` are those of all files."""
    text = config.file.text
    for rule in config.rules:
        for code, message, command in _said(rule, everything):
            yield place_of(text, f'"{rule.text}"', code, message), Doubt(code, rule, command)


def _said(rule: Listed, everything: Sequence[Listed]) -> Iterator[tuple[str, str, str]]:
    argument = rule.argument or ""
    plain = argument.replace(":", " ").removesuffix("*").strip()
    if rule.how == PREFIX:
        if rule.kind == "shell" and ("*" in argument or "(" in argument):
            yield "dead", f"`{rule.text}` never matches: an entry here is a prefix of a command, without `*` or brackets", plain
        elif rule.kind == "mcp" and ":" not in argument:
            yield "dead", f"`{rule.text}` never matches: an entry here is `server:tool`", ""
        return
    if rule.kind not in KINDS.values():
        meant = f": write {_BORROWED[rule.kind]}(...)" if rule.kind in _BORROWED else f"; there are {', '.join(KINDS)}"
        yield "unknown", f"`{rule.text}` is no token of Cursor's and matches nothing{meant}", plain if rule.kind == "Bash" else ""
        return
    base = argument.partition(":")[0]
    if rule.kind == "shell" and " " in base:
        name, _, rest = argument.partition(" ")
        yield (
            "words",
            f"`{rule.text}` names a first word with a space in it; write Shell({name}:{rest}{'' if rest.endswith('*') else '*'})",
            plain,
        )
    elif rule.kind == "shell" and rule.effect is Effect.DENY and argument not in ("*", "**"):
        what = "a deny is not met by the command behind `env`, `sudo`, `xargs` or `bash -c`"
        yield "evaded", f"`{rule.text}`: {what}", plain
    if rule.kind in ("read", "write") and rule.effect is Effect.DENY:
        yield (
            "by-shell",
            f"`{rule.text}` does not look at the files that shell commands {'read' if rule.kind == 'read' else 'write'}",
            "",
        )
    shadow = next((one for one in everything if _covers(one, rule)), None)
    if rule.effect is Effect.ALLOW and shadow is not None:
        yield "void", f"`{rule.text}` is denied by {shadow.text} of {shadow.place}: a deny comes first", plain


def _covers(deny: Listed, rule: Listed) -> bool:
    if deny.effect is not Effect.DENY or deny.kind != rule.kind:
        return False
    return deny.argument in (None, "*", "**", rule.argument) or (
        rule.kind == "shell" and deny.argument == (rule.argument or "").partition(":")[0]
    )


def met(doubt: Doubt, call: Call, command: str) -> str:
    """The part of a call that an entry reads on, "" where it is none."""
    rule = doubt.rule
    if not command:
        return ""
    if doubt.code == "by-shell":
        commands = script_of(command).commands
        wrote = [one.target.text for part in commands for one in part.redirects if one.writes == (rule.kind == "write")]
        read = [word.text for part in commands for word in part.words[1:]] if rule.kind == "read" else []
        return next((one for one in (*wrote, *read) if path_matches(rule, rule.kind, one, call) is Tri.YES), "")
    if doubt.code == VOID:
        return next(
            (one.text for one in script_of(command).commands if shell_matches([w.text for w in one.words], rule) is Tri.YES), ""
        )
    forms = (" ".join(words) for words in inner_commands(command))
    wanted = doubt.command
    return next((one for one in forms if wanted and (one == wanted or one.startswith(wanted + " "))), "")
