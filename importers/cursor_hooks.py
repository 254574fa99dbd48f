"""What Cursor's hooks are called and given, and what they answered, as home-made logs keep it."""

from __future__ import annotations

from importers.hook_answers import BLOCKED
from importers.shared.agents import field
from importers.shared.chat import json_of
from importers.shared.fields import Json, first_text, mapping, number
from model.words import Effect

HOOKS = frozenset(
    {"beforeShellExecution", "afterShellExecution", "beforeMCPExecution", "afterMCPExecution", "beforeReadFile", "afterFileEdit"}
    | {"beforeSubmitPrompt", "preToolUse", "postToolUse", "postToolUseFailure", "subagentStart", "subagentStop", "sessionStart"}
    | {
        "sessionEnd",
        "workspaceOpen",
        "stop",
        "afterAgentResponse",
        "afterAgentThought",
        "preCompact",
        "beforeTabFileRead",
        "afterTabFileEdit",
    }
)
ASKED = frozenset(
    {"beforeShellExecution", "beforeMCPExecution", "beforeReadFile", "preToolUse", "subagentStart", "beforeSubmitPrompt"}
)
"""The hooks whose answer lets something happen or not."""
_REASONS = ("userMessage", "user_message", "agentMessage", "agent_message", "reason")
_ANSWERS = {"allow": Effect.ALLOW, "deny": Effect.DENY, "ask": Effect.ASK}


def is_hook(record: Json) -> bool:
    """Whether a log of hooks wrote this; a policy engine's decision on what a hook was given is its own log's."""
    given = given_of(record)
    return "decision_id" not in record and field(given, "hook_event_name") in HOOKS and "conversation_id" in given


def given_of(record: Json) -> Json:
    """What a hook was given: the record itself, or the member a home-made log keeps it in."""
    held = (mapping(record.get(name)) for name in ("input", "event", "payload", "hook_input", "data", "stdin"))
    return record if "hook_event_name" in record else next((one for one in held if "hook_event_name" in one), record)


def answer_of(record: Json) -> Json:
    """What the hook answered, as far as it was logged."""
    answers = (mapping(json_of(record.get(name))) for name in ("output", "response", "hook_output", "stdout", "answer"))
    return next((one for one in answers if one), record)


def answered(kind: str, record: Json) -> Effect:
    """What a hook that was asked decided; one that ends with the code for a refusal needs no words."""
    answer = answer_of(record)
    if any(number(record.get(name)) == BLOCKED for name in ("exit_code", "exitCode")):
        return Effect.DENY
    if kind == "beforeSubmitPrompt" and answer.get("continue") is False:
        return Effect.DENY
    return _ANSWERS.get(first_text(answer, "permission", "decision"), Effect.UNKNOWN)


def reason_of(record: Json) -> str:
    """Why the hook answered so, in its own words."""
    return first_text(answer_of(record), *_REASONS)
