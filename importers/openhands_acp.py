"""Calls of another agent that OpenHands drives over the Agent Client Protocol: events that tell one call's state again and again.

The last of them, `completed` or `failed`, is told of every call at the end of a turn; the first may lack what it is called with.
"""

from __future__ import annotations

from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, exec_act, field, file_act, mcp_act, web_act, words_of
from importers.shared.fields import Json, first_text, mapping, number
from importers.shared.tool_calls import command_line
from importers.shared.transcript import objects
from model.words import Tri, Verb

ENDS = frozenset({"completed", "failed"})
_FILES = {
    "read": Verb.FILE_READ, "search": Verb.FILE_READ, "edit": Verb.FILE_WRITE, "move": Verb.FILE_WRITE, "delete": Verb.FILE_DELETE,
}  # fmt: skip


def says_enough(event: Json) -> bool:
    """Whether an event tells what its call is called with."""
    return field(event, "status") in ENDS or bool(event.get("raw_input"))


def act(event: Json) -> Act:
    """What a call does: by its kind and what it is called with, else by its title."""
    kind, title, given = field(event, "tool_kind"), field(event, "title").strip("` "), event.get("raw_input")
    args = mapping(given)
    if title.startswith("mcp__"):
        return act_of(title, given)
    if title.startswith("mcp.") and title.count(".") > 1:
        server, _, tool = title[4:].partition(".")
        return mcp_act(server, tool, args.get("arguments", given))
    if kind == "execute":
        return exec_act(command_line(args) or title)
    if kind in _FILES:
        named = [one for one in objects(event.get("content")) if field(one, "path")]
        path = first_text(args, "file_path", "path", "absolute_path", "filePath") or (field(named[0], "path") if named else "")
        return file_act(_FILES[kind], path)
    if kind == "fetch":
        return web_act(first_text(args, "url", "uri") or title)
    return Act()


def outcome(event: Json) -> tuple[Tri, str, str]:
    """How a call ended: whether well, what it gave, and its exit code where one is stated."""
    raw = event.get("raw_output")
    told = mapping(raw)
    code = number(told.get("exit_code", told.get("exitCode")))
    failed = event.get("is_error") is True or field(event, "status") == "failed" or code not in (None, 0)
    parts = [words_of([inner]) for one in objects(event.get("content")) if isinstance(inner := one.get("content"), dict)]
    said = "\n".join(part for part in parts if part) or (raw if isinstance(raw, str) else "")
    said = said or first_text(told, "formatted_output", "aggregated_output", "output", "stdout", "stderr", "error", "message")
    return Tri.NO if failed else Tri.YES, said, "" if code is None else str(code)
