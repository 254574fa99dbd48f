"""The records of Codex rollouts of all ages: which kinds there are, how they are known, and the wrapping an old one would have today."""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.shared.agents import field
from importers.shared.fields import Json, mapping
from model.event import BadRecord

TYPES = frozenset(
    {"session_meta", "turn_context", "response_item", "event_msg", "compacted", "world_state", "token_usage_record"}
    | {"inter_agent_communication_metadata", "inter_agent_communication", "ghost_snapshot", "history_mutation"}
)
_BARE = frozenset(
    {"message", "reasoning", "function_call", "function_call_output", "local_shell_call", "local_shell_call_output"}
    | {"custom_tool_call", "custom_tool_call_output", "web_search_call"}
)
_DATED = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_BARE_HEAD = frozenset({"id", "timestamp", "instructions", "git"})
_BLOCKS = frozenset({"input_text", "output_text", "input_image"})
ITEMS = (
    _BARE
    | {"agent_message", "additional_tools", "ghost_snapshot", "compaction", "tool_search_call", "tool_search_output"}
    | {
        "compaction_summary",
        "context_compaction",
        "image_generation_call",
    }
)
MESSAGES = frozenset(
    {"token_count", "agent_message", "agent_reasoning", "agent_reasoning_raw_content", "agent_reasoning_section_break"}
    | {"task_started", "task_complete", "turn_started", "turn_complete", "turn_aborted", "context_compacted", "item_completed"}
    | {"item_started", "user_message", "exec_command_begin", "exec_command_end", "exec_command_output_delta"}
    | {"exec_approval_request", "apply_patch_approval_request", "patch_apply_begin", "patch_apply_end", "turn_diff"}
    | {"mcp_tool_call_begin", "mcp_tool_call_end", "web_search_begin", "web_search_end", "entered_review_mode"}
    | {"exited_review_mode", "thread_settings_applied", "collab_agent_spawn_begin", "collab_agent_spawn_end", "plan_update"}
    | {"collab_agent_interaction_begin", "collab_agent_interaction_end", "collab_waiting_begin", "collab_waiting_end"}
    | {
        "collab_tool_call",
        "collab_close_begin",
        "collab_close_end",
        "view_image_tool_call",
        "background_event",
        "stream_error",
        "error",
        "warning",
    }
    | {"guardian_assessment", "sub_agent_activity", "thread_goal_updated", "image_generation_begin", "image_generation_end"}
    | {"collab_resume_begin", "collab_resume_end", "guardian_warning", "model_reroute", "deprecation_notice"}
    | {"thread_rolled_back", "thread_name_updated", "undo_completed", "undo_started", "session_configured", "shutdown_complete"}
    | {
        "elicitation_request",
        "request_permissions",
        "request_user_input",
        "dynamic_tool_call_request",
        "dynamic_tool_call_response",
    }
    | {"plan_delta", "model_verification", "realtime_conversation_started", "hook_started", "hook_completed"}
)


def sureness(sample: Sequence[object]) -> int:
    """How surely a sample is of a rollout."""
    told = sure = bare = 0
    for record in sample:
        if not isinstance(record, dict):
            continue
        kind, payload = record.get("type"), record.get("payload")
        if isinstance(payload, dict) and isinstance(kind, str) and kind in TYPES:
            told += 1
            sure += kind in ("session_meta", "response_item", "turn_context")
        elif record.get("record_type") == "state" or _is_head(record) or _is_start(record) or _is_item(record):
            bare += 1
    if sure and told * 2 >= len(sample):
        return 95
    if told * 2 >= len(sample) and told:
        return 70
    return 65 if bare and bare * 2 >= len(sample) else 0


def wrapped(record: Json) -> tuple[str, Json]:
    """What a record is and what it holds; raises BadRecord where it says neither."""
    payload, kind = record.get("payload"), field(record, "type")
    if isinstance(payload, dict):
        return kind, payload
    if kind in TYPES:
        raise BadRecord(f"a {kind} record without a `payload` object")
    if _is_head(record):
        return "session_meta", mapping(record["session"])
    if _is_start(record):
        return "session_meta", record
    if record.get("record_type") == "state":
        return "state", record
    if not kind and [] in record.values():
        # What stands beside a list of records that somebody else put them in.
        return "state", record
    if not kind:
        raise BadRecord("no record type: neither `type` nor `payload` says what this is")
    return ("response_item" if kind in _BARE else kind), record


def turn_of(payload: Json) -> str:
    """The turn that a record names."""
    return field(payload, "turn_id") or field(mapping(payload.get("internal_chat_message_metadata_passthrough")), "turn_id")


def made_at(name: str) -> int:
    """When a thread or turn was made, by its id (a UUID of version 7): milliseconds since the epoch, 0 where the id does not say."""
    return int(name[:8] + name[9:13], 16) if _DATED.fullmatch(name) else 0


def _is_head(record: Json) -> bool:
    """What stands beside the items in the one object that the first program wrote."""
    return _is_start(mapping(record.get("session"))) and isinstance(record.get("items"), list)


def _is_start(record: Json) -> bool:
    """The oldest head: an id and a time, with instructions and git where there were any, and nothing else."""
    return record.keys() <= _BARE_HEAD and isinstance(record.get("id"), str) and isinstance(record.get("timestamp"), str)


def _is_item(record: Json) -> bool:
    """An item without an envelope. Another vendor's message has type and role as well; its content is of other blocks."""
    kind, content = record.get("type"), record.get("content")
    if not isinstance(kind, str) or kind not in _BARE:
        return False
    if kind != "message":
        return "call_id" in record or "summary" in record
    blocks = content if isinstance(content, list) else []
    return "role" in record and any(field(mapping(one), "type") in _BLOCKS for one in blocks)
