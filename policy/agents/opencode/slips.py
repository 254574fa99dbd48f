"""The calls for which an opencode rule did not do what its author meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from model.words import Effect
from policy.agents.base import Answer, Call, Slip, falls_short
from policy.agents.inner import inner_commands
from policy.agents.opencode.lint import Doubt
from policy.agents.opencode.questions import questions
from policy.agents.opencode.rules import EDITS, EFFECTS, matches, permission_of
from policy.diagnostics import Diagnostic


def slips(told: Sequence[tuple[str, Diagnostic, Doubt]], call: Call, agent: str, answer: Answer) -> Iterator[Slip]:
    """The doubtful rules that cover a call as they read, and had another effect on it."""
    for file, problem, doubt in told:
        meant = EFFECTS.get(doubt.action, Effect.UNKNOWN)
        if meant is Effect.UNKNOWN or not falls_short(meant, answer.effect):
            continue
        text = _met(doubt, call, agent)
        if text:
            yield Slip(file, problem.line, doubt.code, text, problem.column)


def _met(doubt: Doubt, call: Call, agent: str) -> str:
    """The command, path or tool of a call that a rule names; "" where it names none."""
    if doubt.code == "no-effect":
        return str(call.input.get("filePath") or call.tool) if call.tool == doubt.permission else ""
    if doubt.code == "plan-edits":
        return str(call.input.get("filePath") or call.tool) if agent == "plan" and call.tool in EDITS else ""
    if permission_of(call.tool) != doubt.permission:
        return ""
    if doubt.code == "evaded":
        forms = (" ".join(words) for words in inner_commands(str(call.input.get("command") or "")))
    else:
        forms = (text for name, texts in questions(call) if name == doubt.permission for text in texts)
    found = next((form for form in forms if matches(form, doubt.pattern)), "")
    return "" if doubt.code == "env-unasked" and found.endswith(".env.example") else found
