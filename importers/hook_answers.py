"""What a hook answered: its JSON in both generations, or its exit code; and where a home-made log keeps the two halves."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from importers.hook_dialects import in_usual_words
from importers.shared.agents import words_of
from importers.shared.fields import Json, first_text, mapping, number
from importers.shared.told import effect_of
from model.words import Effect

EVENTS = frozenset(
    [
        "PreToolUse",
        "PostToolUse",
        "PostToolUseFailure",
        "PostToolBatch",
        "PermissionRequest",
        "PermissionDenied",
        "UserPromptSubmit",
        "UserPromptExpansion",
        "Notification",
        "Stop",
        "StopFailure",
        "SubagentStart",
        "SubagentStop",
        "SessionStart",
        "SessionEnd",
        "PreCompact",
        "PostCompact",
        "ConfigChange",
        "CwdChanged",
        "FileChanged",
        "InstructionsLoaded",
        "WorktreeCreate",
        "WorktreeRemove",
        "TaskCreated",
        "TaskCompleted",
        "TeammateIdle",
        "Elicitation",
        "ElicitationResult",
        "Setup",
        "MessageDisplay",
        "errorOccurred",
    ]
)
"""What hooks are told of, as Claude Code names it; of errors as such Copilot alone tells them."""
GEMINI = {
    "BeforeTool": "PreToolUse", "AfterTool": "PostToolUse", "BeforeAgent": "UserPromptSubmit", "AfterAgent": "Stop",
    "PreCompress": "PreCompact", "BeforeModel": "BeforeModel", "AfterModel": "AfterModel", "BeforeToolSelection": "BeforeToolSelection",
}  # fmt: skip
"""What Gemini CLI calls them, in Claude Code's words where it has one."""
_COPILOTS = {"userpromptsubmitted": "UserPromptSubmit", "agentstop": "Stop"}
_COPILOTS_MEMBERS = frozenset({"sessionId", "timestamp", "cwd"})
_UNNAMED = {
    frozenset({"prompt"}): "UserPromptSubmit",
    frozenset({"source"}): "SessionStart",
    frozenset({"source", "initialPrompt"}): "SessionStart",
    frozenset({"reason"}): "SessionEnd",
    frozenset({"transcriptPath", "stopReason"}): "Stop",
    frozenset({"error", "errorContext", "recoverable"}): "errorOccurred",
}
"""What Copilot hands to its hooks beside session, time and folder: by that alone they know what happened."""
_SPELLED = {name.lower(): name for name in EVENTS} | _COPILOTS
_NAMED = ("hook_event_name", "hookEventName", "hook_event", "hookEvent", "hook_type", "event_name", "event_type", "event", "hook")
_OF_TOOLS = frozenset({"PreToolUse", "PostToolUse", "PostToolUseFailure", "PermissionRequest", "PermissionDenied"})
_INPUTS = ("stdin", "input", "hook_input", "hookInput", "event", "payload", "request", "data", "body",
           "hook", "hook_data", "hookData", "raw", "raw_input", "full_input", "original")  # fmt: skip
_OUTPUTS = ("stdout", "output", "hook_output", "hookOutput", "response", "result", "answer", "reply")
_CODES = ("exit_code", "exitCode", "returncode", "return_code", "rc", "code", "status")
_ERRORS = ("stderr", "error")
_VERDICTS = ("decision", "permissionDecision", "permission_decision")
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
    if (found := kept_halves(record)) is not None:
        return found
    own = _in_own_words(record)
    return None if own is None else (own, record if any(name in record for name in _VERDICTS) else None)


def kept_halves(record: Json) -> tuple[Json, Json | None] | None:
    """The same of a record that kept the input as the hook was given it."""
    if (own := as_input(record)) is not None:
        answered = any(name in record for name in (*_OUTPUTS, "exit_code", "exitCode", "hookSpecificOutput"))
        return own, (record if answered else None)
    for name in _INPUTS:
        held = _object(record.get(name))
        given = as_input(held)
        if given is None and "toolName" in held:
            given = _in_own_words({**{one: record[one] for one in _NAMED if one in record and one != name}, **held})
        if given is not None:
            answered = any(other in record for other in (*_OUTPUTS, *_CODES) if other != name)
            return given, (record if answered else None)
    return None


def _in_own_words(record: Json) -> Json | None:
    """A line that tells of a hook in its writer's words: the event by its name in any spelling, the session, and the tool."""
    session = first_text(record, "session_id", "sessionId", "session")
    stated = first_text(record, *_NAMED)
    spelled = stated.lower().replace("_", "").replace("-", "")
    event = _SPELLED.get(spelled) if session else None
    if (
        session
        and not stated
        and ({"toolName", "toolArgs"} <= record.keys() or {"transcript_path", "tool_name", "tool_input"} <= record.keys())
    ):
        # Copilot's hooks are not told their own name, and the first ones of Claude Code were not.
        event = "PostToolUse" if "toolResult" in record or "tool_response" in record else "PreToolUse"
    unnamed = ""
    if session and not stated and record.keys() >= _COPILOTS_MEMBERS:
        unnamed = _UNNAMED.get(frozenset(record.keys() - _COPILOTS_MEMBERS), "")
    event = event or unnamed or None
    if event is None:
        return None
    tool = first_text(record, "tool_name", "toolName", "tool")
    if not tool and (event in _OF_TOOLS or not any(name in record for name in ("prompt", "cwd", "transcript_path", "source"))):
        return None
    made: Json = {**record, "hook_event_name": event, "session_id": session, "tool_name": tool}
    if spelled in _COPILOTS or unnamed:
        made.setdefault("toolArgs", None)
    for name, spellings in (
        ("tool_input", ("tool_input", "toolInput", "toolArgs", "tool_args", "input")),
        ("tool_response", ("tool_response", "toolResponse", "tool_result", "toolResult")),
    ):
        told = next((record[one] for one in spellings if one in record), None)
        made[name] = _object(told) or told
    if call := first_text(record, "tool_use_id", "toolUseId", "toolUseID"):
        made["tool_use_id"] = call
    return made


def as_input(record: Json) -> Json | None:
    """What an agent hands to a hook, by the usual names; None for anything else."""
    if isinstance(record.get("hook_event_name"), str) and isinstance(record.get("session_id"), str):
        return record
    return in_usual_words(record)


def answer_of(log: Json, event: str) -> Answer:
    """Read the answer: a refusal by exit code first, then the JSON on standard output."""
    code = next((number(log[name]) for name in _CODES if number(log.get(name)) is not None), 0)
    stderr = next((words for name in _ERRORS if (words := words_of(log.get(name)))), "")
    if code == BLOCKED:
        return Answer(Effect.DENY, stderr)
    said: Json = next((answer for name in _OUTPUTS if (answer := _object(log.get(name)))), {})
    if not said and any(name in log for name in ("hookSpecificOutput", *_VERDICTS)):
        said = log
    if code:
        return Answer(Effect.UNKNOWN, f"the hook itself failed with exit code {code}: {stderr}".rstrip(": "))
    specific = mapping(said.get("hookSpecificOutput"))
    inner = mapping(specific.get("decision"))
    word = first_text(specific, "permissionDecision") or first_text(inner, "behavior") or first_text(said, *_VERDICTS)
    reason = (
        first_text(specific, "permissionDecisionReason")
        or first_text(inner, "message")
        or first_text(said, "permissionDecisionReason", "reason", "stopReason")
    )
    effect = _EFFECTS.get(word.lower()) or (effect_of(word) if word and effect_of(word) is not Effect.UNKNOWN else None)
    if effect is None:
        if said.get("continue") is False or said.get("cancel") is True or said.get("shouldContinue") is False:
            return Answer(Effect.DENY, reason or first_text(said, "errorMessage") or "the hook stopped the agent")
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
