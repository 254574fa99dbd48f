"""What a rule that does not do what it says was meant to do, and the calls for which the two differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from lang.names import host_name
from model.words import Effect
from policy.agents.base import Answer, Call, Slip, falls_short
from policy.agents.claude_code.paths import Place, matching
from policy.agents.claude_code.rules import Rule, command_matches, covers, domain_matches, named
from policy.agents.inner import inner_commands
from policy.diagnostics import Diagnostic

_EDITORS = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})
_READERS = frozenset({"Read", "Grep", "Glob", "LS", "NotebookRead"})
_Met = Callable[[Rule, Call, Place], str]


def slips(told: list[tuple[Diagnostic, Rule]], call: Call, place: Place, answer: Answer) -> Iterator[Slip]:
    """The rules with a problem whose meaning covers a call and whose effect it did not have.

    An allow counts only where no rule stood against it, or the problem is that one did.
    """
    for problem, rule in told:
        if not falls_short(rule.effect, answer.effect) or answer.rule == rule.text:
            continue
        if rule.effect is Effect.ALLOW and answer.rule and problem.code != "void":
            continue
        meant = _MEANT.get(problem.code)
        text = meant(rule, call, place) if meant is not None else ""
        if text:
            yield Slip(rule.place, problem.line, problem.code, text, problem.column)


def _given(call: Call, *names: str) -> str:
    return next((v for n in names if isinstance(v := call.input.get(n), str) and v), "")


def _inside(rule: Rule, call: Call, place: Place) -> str:
    """A command anywhere inside a call that a rule on commands names."""
    if call.tool != "Bash" or rule.tool != "Bash" or rule.spec is None:
        return ""
    forms = (" ".join(words) for words in inner_commands(_given(call, "command")))
    return next((form for form in forms if command_matches(rule.spec, form)), "")


def _path(rule: Rule, call: Call, place: Place) -> str:
    """The file of a call, where a rule with a path names it that the program compares with no call of its tool."""
    tool = "Edit" if rule.tool in _EDITORS else "Read"
    among = _EDITORS if tool == "Edit" else _READERS
    path = _given(call, "file_path", "notebook_path", "path")
    if not path or named(call.tool) not in among or rule.spec is None:
        return ""
    meant = msgspec.structs.replace(rule, tool=tool, spec=rule.spec)
    return path if matching((meant,), place.both(place.absolute(path)), place) else ""


def _rooted(rule: Rule, call: Call, place: Place) -> str:
    return _path(msgspec.structs.replace(rule, spec=f"/{rule.spec}"), call, place)


def _without_effect(rule: Rule, call: Call, place: Place) -> str:
    if rule.tool == "Agent":
        kind = _given(call, "subagent_type")
        return kind if named(call.tool) == "Agent" and kind == rule.spec else ""
    return _inside(rule, call, place) if rule.tool == "Bash" else _path(rule, call, place)


def _tool_by_case(rule: Rule, call: Call, place: Place) -> str:
    """A call of the tool that a rule names in other letters."""
    if rule.tool.casefold() != named(call.tool).casefold():
        return ""
    meant = msgspec.structs.replace(rule, tool=named(call.tool))
    if rule.spec is None:
        return call.tool
    return _inside(meant, call, place) or _path(meant, call, place)


def _other_editors(rule: Rule, call: Call, place: Place) -> str:
    return _given(call, "file_path", "notebook_path") if named(call.tool) in _EDITORS - {"Edit"} else ""


def _apex(rule: Rule, call: Call, place: Place) -> str:
    if rule.tool == "Bash":
        return _inside(rule, call, place)
    url = _given(call, "url")
    wider = (rule.spec or "").replace("domain:*.", "domain:", 1)
    return host_name(url) if call.tool == "WebFetch" and domain_matches(wider, url) else ""


def _covered(rule: Rule, call: Call, place: Place) -> str:
    """A call of a rule that another one voids."""
    if rule.spec is None:
        return call.tool if covers(rule, call.tool) else ""
    return _inside(rule, call, place) or (_path(rule, call, place) if rule.tool in ("Read", "Edit") else "")


_MEANT: Mapping[str, _Met] = {
    "evaded": _inside,
    "narrower": _apex,
    "literal": _inside,
    "no-effect": _without_effect,
    "rooted": _rooted,
    "unknown": _tool_by_case,
    "edit-alone": _other_editors,
    "void": _covered,
}
"""By the code of a problem, what the rule was meant to meet in a call; "" where it was not meant for it."""
