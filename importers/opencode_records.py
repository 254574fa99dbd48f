"""Which of opencode's kinds of record one is, and the names of what it can be."""

from __future__ import annotations

from importers.opencode_next import MESSAGES
from importers.shared.agents import field
from importers.shared.fields import Json, mapping
from importers.shared.transcript import row_of

PARTS = frozenset(
    {"text", "tool", "reasoning", "step-start", "step-finish", "snapshot", "patch", "file", "agent", "subtask", "retry"}
    | {"compaction"}
)
EVENTS = frozenset(
    {
        "message.part.updated",
        "message.part.delta",
        "message.part.removed",
        "message.updated",
        "message.removed",
        "session.created",
    }
    | {
        "session.updated",
        "session.deleted",
        "session.status",
        "session.idle",
        "session.diff",
        "session.error",
        "session.compacted",
    }
    | {"permission.asked", "permission.updated", "permission.replied", "server.connected", "server.heartbeat", "plugin.added"}
    | {"catalog.updated", "reference.updated", "integration.updated", "todo.updated", "file.edited", "command.executed"}
    | {
        "file.watcher.updated",
        "lsp.updated",
        "lsp.client.diagnostics",
        "vcs.branch.updated",
        "question.asked",
        "question.replied",
        "question.rejected",
    }
    | {"installation.updated", "project.updated", "mcp.tools.changed"}
)
PRINTED = frozenset({"tool_use", "text", "step_start", "step_finish", "reasoning", "error", "user"})
TABLES = frozenset({"session", "session_v2", "message", "part", "session_message"})
OTHER_TABLES = frozenset(
    {"event", "session_input", "session_inbox", "session_context_epoch", "instruction_entry", "instruction_checkpoint"}
    | {"todo", "session_share"}
)
"""Known, and silent: what they say of an act stands in the tables beside them."""


def _is_id(value: object, prefix: str) -> bool:
    return isinstance(value, str) and value.startswith(prefix)


def shape_of(record: Json) -> str:
    """What kind of record this is: by the ids that opencode gives alone; "" if it is none of them."""
    info = mapping(record.get("info"))
    if _is_id(info.get("id"), "msg_") or ("parts" in record and _is_id(info.get("sessionID"), "ses_")):
        return "message with parts"
    if _is_id(info.get("id"), "ses_"):
        return "export"
    carried = record.get("data") if _is_id(record.get("id"), "evt_") else None
    if "." in field(record, "type") and (isinstance(record.get("properties"), dict) or isinstance(carried, dict)):
        return "event"
    if _is_id(record.get("id"), "msg_") and "role" not in record and field(record, "type") in MESSAGES and "time" in record:
        return "next message"
    if _is_id(record.get("sessionID"), "ses_") and field(record, "type") in PRINTED and "timestamp" in record:
        return "printed"
    table, row = row_of(record)
    if _is_id(row.get("aggregate_id"), "ses_") and _is_id(row.get("id"), "evt_"):
        return "row"
    if _is_id(row.get("session_id"), "ses_") and (table in ("message", "part") or "data" in row):
        return "row"
    for prefix, kind in (("ses_", "session"), ("msg_", "message"), ("prt_", "part")):
        # Other vendors' message ids begin alike; a message or part of opencode names its session.
        if _is_id(row.get("id"), prefix) and (kind == "session" or _is_id(row.get("sessionID"), "ses_")):
            return kind
    return "row" if table and (_is_id(row.get("id"), "ses_") or _is_id(row.get("session_id"), "ses_")) else ""
