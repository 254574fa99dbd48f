"""What a hook answered: its JSON in both generations, or its exit code; and where a home-made log keeps the two halves."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from importers.shared.agents import words_of
from importers.shared.fields import Json, first_text, mapping, number
from model.words import Effect

_INPUTS = ("stdin", "input", "hook_input", "hookInput", "event", "payload", "request", "data", "body")
_OUTPUTS = ("stdout", "output", "hook_output", "hookOutput", "response", "result", "answer", "reply")
_CODES = ("exit_code", "exitCode", "returncode", "return_code", "rc", "code", "status")
_ERRORS = ("stderr", "error")
_EFFECTS = {
    "allow": Effect.ALLOW, "approve": Effect.ALLOW, "deny": Effect.DENY, "block": Effect.DENY, "ask": Effect.ASK,
    "defer": Effect.UNKNOWN,
}  # fmt: skip
BLOCKED = 2
"""The exit code by which a hook refuses."""


class Answer(NamedTuple):
    """`effect` UNKNOWN is a hook that was asked and had nothing to say, or failed: the agent went on by its own rules."""

    effect: Effect
    reason: str = ""
    rewritten: bool = False


def halves(record: Json) -> tuple[Json, Json | None] | None:
    """A hook's input and the record that tells its answer, None where only the input was logged; None for no hook at all."""
    if is_input(record):
        answered = any(name in record for name in (*_OUTPUTS, "exit_code", "exitCode", "hookSpecificOutput"))
        return record, (record if answered else None)
    for name in _INPUTS:
        given = _object(record.get(name))
        if is_input(given):
            answered = any(other in record for other in (*_OUTPUTS, *_CODES) if other != name)
            return given, (record if answered else None)
    return None


def is_input(record: Json) -> bool:
    """Whether an object is what an agent hands to a hook."""
    return isinstance(record.get("hook_event_name"), str) and isinstance(record.get("session_id"), str)


def answer_of(log: Json, event: str) -> Answer:
    """Read the answer: a refusal by exit code first, then the JSON on standard output."""
    code = next((number(log[name]) for name in _CODES if number(log.get(name)) is not None), 0)
    stderr = next((words for name in _ERRORS if (words := words_of(log.get(name)))), "")
    if code == BLOCKED:
        return Answer(Effect.DENY, stderr)
    said: Json = next((answer for name in _OUTPUTS if (answer := _object(log.get(name)))), {})
    if not said and "hookSpecificOutput" in log:
        said = log
    if code:
        return Answer(Effect.UNKNOWN, f"the hook itself failed with exit code {code}: {stderr}".rstrip(": "))
    specific = mapping(said.get("hookSpecificOutput"))
    inner = mapping(specific.get("decision"))
    word = (
        first_text(specific, "permissionDecision")
        or first_text(inner, "behavior")
        or first_text(said, "decision", "permissionDecision")
    )
    reason = (
        first_text(specific, "permissionDecisionReason")
        or first_text(inner, "message")
        or first_text(said, "reason", "stopReason")
    )
    effect = _EFFECTS.get(word.lower())
    if effect is None:
        if said.get("continue") is False:
            return Answer(Effect.DENY, reason or "the hook stopped the agent")
        return Answer(Effect.UNKNOWN, "the hook had no objection")
    rewritten = isinstance(specific.get("updatedInput"), dict) or isinstance(inner.get("updatedInput"), dict)
    return Answer(effect, reason, rewritten)


def _object(value: object) -> Json:
    """An object, or the one that a text holds as JSON."""
    if isinstance(value, str) and value[:64].lstrip().startswith("{"):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return {}
    return mapping(value)
