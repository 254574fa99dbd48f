"""What Windsurf's Cascade hands to its hooks, in the words of the hooks that other agents run.

Source: its documentation. A call has no id, so that what is told before and after it is paired by what it asks for.
"""

from __future__ import annotations

from importers.shared.agents import field
from importers.shared.fields import Json, mapping

_BEFORE, _AFTER = "PreToolUse", "PostToolUse"
_ACTIONS = {
    "pre_read_code": _BEFORE, "pre_write_code": _BEFORE, "pre_run_command": _BEFORE, "pre_mcp_tool_use": _BEFORE,
    "post_read_code": _AFTER, "post_write_code": _AFTER, "post_run_command": _AFTER, "post_mcp_tool_use": _AFTER,
    "pre_user_prompt": "UserPromptSubmit", "post_cascade_response": "Stop", "post_cascade_response_with_transcript": "Stop",
    "post_setup_worktree": "WorktreeCreate",
}  # fmt: skip
_MCP = "mcp_tool_use"


def of_cascade(given: Json) -> Json | None:
    """The input of a hook of Cascade's by the usual names, None for any other."""
    told, session, info = field(given, "agent_action_name"), field(given, "trajectory_id"), given.get("tool_info")
    if not told or not session or not isinstance(info, dict):
        return None
    event = _ACTIONS.get(told, told)
    made: Json = {
        "hook_event_name": event,
        "session_id": session,
        "trajectory_id": session,
        "agent_action_name": told,
        "timestamp": given.get("timestamp"),
        "cwd": field(info, "cwd"),
    }
    if event == "UserPromptSubmit":
        made["prompt"] = info.get("user_prompt")
    elif event in (_BEFORE, _AFTER):
        what = told.partition("_")[2]
        made["tool_name"], made["tool_input"] = what, info
        if what == _MCP:
            made["tool_name"] = field(info, "mcp_tool_name")
            made["tool_input"] = mapping(info.get("mcp_tool_arguments"))
            made["mcp_context"] = {"server_name": field(info, "mcp_server_name"), "tool_name": made["tool_name"]}
            made["tool_response"] = info.get("mcp_result")
    return made


def ends_untold(given: Json) -> bool:
    """Whether a call was over and nobody said how: of a command Cascade tells that it ran, not its exit code."""
    return field(given, "agent_action_name") == "post_run_command"
