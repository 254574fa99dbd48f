"""What agents with hook protocols of their own hand to their hooks, in the words of the protocol that most took over.

Windsurf's Cascade and Cline name the action and lay what it is about beside it; Augment has the usual names but one. A call without an id
is paired with its end by what it asks for. Source: their documentation, and Cline's own source.
"""

from __future__ import annotations

from importers.shared.agents import call_id, field
from importers.shared.fields import Json, first_text, mapping, texts, truth
from importers.shared.hooks import DIALECTS
from importers.shared.tool_calls import tool_verb
from model.words import Verb

_BEFORE, _AFTER, _PROMPT = "PreToolUse", "PostToolUse", "UserPromptSubmit"
_OF_TOOLS = (_BEFORE, _AFTER)
_CASCADES = {
    "pre_read_code": _BEFORE, "pre_write_code": _BEFORE, "pre_run_command": _BEFORE, "pre_mcp_tool_use": _BEFORE,
    "post_read_code": _AFTER, "post_write_code": _AFTER, "post_run_command": _AFTER, "post_mcp_tool_use": _AFTER,
    "pre_user_prompt": _PROMPT, "post_cascade_response": "Stop", "post_cascade_response_with_transcript": "Stop",
    "post_setup_worktree": "WorktreeCreate",
}  # fmt: skip
_CLINES = {"TaskStart": "SessionStart", "TaskResume": "SessionStart", "TaskCancel": "SessionEnd", "TaskComplete": "Stop"}
_AUGMENTS = frozenset({_BEFORE, _AFTER, "SessionStart", "SessionEnd", "Stop", "Notification"})
_MCP = "mcp_tool_use"


def in_usual_words(given: Json) -> Json | None:
    """The input of a hook by the usual names, None for what no agent with names of its own wrote."""
    return _of_cascade(given) or _of_cline(given) or _of_augment(given)


def ends_untold(given: Json) -> bool:
    """Whether nothing says how a call ended: of a command these agents tell that it ran, and not its exit code."""
    return given.get("dialect") in DIALECTS and (bool(given.get("untold")) or tool_verb(field(given, "tool_name")) is Verb.EXEC)


def _made(given: Json, agent: str, event: str, named: str, session: str) -> Json:
    return {
        "dialect": agent,
        "hook_event_name": event,
        "named": named,
        "session_id": session,
        "timestamp": given.get("timestamp"),
    }


def _of_cascade(given: Json) -> Json | None:
    told, session, info = field(given, "agent_action_name"), field(given, "trajectory_id"), given.get("tool_info")
    if not told.startswith(("pre_", "post_")) or not session or not isinstance(info, dict):
        return None
    event = _CASCADES.get(told, told)
    made = _made(given, "windsurf", event, told, session) | {"cwd": field(info, "cwd")}
    if event == _PROMPT:
        made["prompt"] = info.get("user_prompt")
    elif event in _OF_TOOLS:
        what = told.partition("_")[2]
        made["tool_name"], made["tool_input"] = what, info
        if what == _MCP:
            made["tool_name"] = field(info, "mcp_tool_name")
            made["tool_input"] = mapping(info.get("mcp_tool_arguments"))
            made["mcp_context"] = {"server_name": field(info, "mcp_server_name"), "tool_name": made["tool_name"]}
            made["tool_response"] = info.get("mcp_result")
    return made


def _of_cline(given: Json) -> Json | None:
    told, session = field(given, "hookName"), field(given, "taskId")
    if not told or not session or "clineVersion" not in given:
        return None
    event = _CLINES.get(told, told)
    roots = texts(given.get("workspaceRoots"))
    made = _made(given, "cline", event, told, session) | {"cwd": roots[0] if roots else ""}
    # Of a task's begin, what it is to do; what is asked later is told by its own hook.
    start = mapping(given.get("taskStart"))
    asked = field(mapping(start.get("taskMetadata")), "initialTask") or field(start, "task")
    if told == "TaskStart" and asked:
        made["hook_event_name"], made["prompt"] = _PROMPT, asked
    elif event == _PROMPT:
        made["prompt"] = mapping(given.get("userPromptSubmit")).get("prompt")
    elif event in _OF_TOOLS:
        about = mapping(given.get("preToolUse" if event == _BEFORE else "postToolUse"))
        made["tool_name"] = first_text(about, "toolName") or first_text(given, "toolName")
        made["tool_input"] = about.get("parameters", given.get("parameters"))
        if call := call_id(mapping(given.get("tool_call")).get("id")):
            made["tool_use_id"] = call
        if event == _AFTER:
            made["tool_response"] = {"success": truth(about.get("success")), "output": field(about, "result")}
            made["untold"] = truth(about.get("success")) is None
    return made


def _of_augment(given: Json) -> Json | None:
    event, session = field(given, "hook_event_name"), field(given, "conversation_id")
    if event not in _AUGMENTS or not session or "session_id" in given or "cursor_version" in given:
        return None
    context, served = mapping(given.get("context")), mapping(given.get("mcp_metadata"))
    roots = texts(given.get("workspace_roots"))
    made = _made(given, "auggie", event, event, session) | {"cwd": roots[0] if roots else ""}
    made["timestamp"] = first_text(context, "timestamp") or first_text(served, "timestamp") or given.get("timestamp")
    if event in _OF_TOOLS:
        tool = field(given, "tool_name").removeprefix("mcp:")
        made["tool_name"], made["tool_input"] = tool, given.get("tool_input")
        if server := first_text(given, "mcp_server_name") or first_text(served, "mcpExecutedToolServerName"):
            made["mcp_context"] = {"server_name": server, "tool_name": tool.removesuffix(f"_{server}")}
        if event == _AFTER:
            made["tool_response"] = {"output": field(given, "tool_output"), "error": field(given, "tool_error")}
            made["untold"] = not field(given, "tool_output") and "file_changes" not in given
    return made
