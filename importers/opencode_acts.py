"""What opencode's calls do, who refused them, and the questions put to a person about them."""

from __future__ import annotations

import re

import msgspec

from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, call_id, field, file_act, mcp_act, scope_key
from importers.shared.fields import Json, mapping
from importers.shared.tool_calls import tool_verb
from importers.shared.usage import tokens_of
from model.event import Event, Key
from model.words import KeyRole, Tri, Verb

_RULED = "The user has specified a rule which prevents"
_REFUSED = "The user rejected permission"
_METADATA = re.compile(r"<(?:bash|shell)_metadata>\n(.{0,800}?)\n</(?:bash|shell)_metadata>\s*$", re.DOTALL)


def act_of_tool(tool: str, given: object) -> Act:
    """What a call does; a tool of an MCP server bears the server's name before its own."""
    if tool_verb(tool) is None and "_" in tool:
        server, _, name = tool.partition("_")
        return mcp_act(server, name, given)
    return act_of(tool, given)


def permission_key(value: object) -> tuple[Key, ...]:
    """The id of a question put to a person, which the event stream and the log both name."""
    return scope_key("opencode.permission", call_id(value), KeyRole.CALL)


def act_asked(event: Event, permission: str, pattern: str) -> Event:
    """The decision with what a permission's pattern stands for: the command, the file, the address."""
    given = dict.fromkeys(("command", "path", "url", "subagent_type"), pattern)
    act = act_of_tool(permission, given) if permission != "external_directory" else file_act(Verb.FILE_READ, pattern)
    event.verb, event.target, event.operations = act.verb, act.target, act.operations
    event.attrs = {**event.attrs, **act.attrs}
    return event


def refusal_of(said: str) -> str:
    """Who refused a call, by the error that it ended with; \"\" where nobody did."""
    # Versions before 1.0 kept the error with its kind: "Error: The user rejected permission".
    said = said.removeprefix("Error: ")
    if said.startswith(_RULED):
        return "rule"
    if said.startswith(_REFUSED):
        return "user"
    return "interrupted" if said.startswith("Tool execution aborted") else ""


def ended_with(code: int | None, said: str) -> tuple[Tri, str]:
    """How a command ended, and whether a person stopped it: one that was killed has no exit code, and is completed all the same.

    `said` is its output, behind which the program writes why it was stopped.
    """
    if code is not None:
        return (Tri.YES if code == 0 else Tri.NO), ""
    told = _METADATA.search(said[-1000:])
    if told is None:
        return Tri.UNKNOWN, ""
    if "aborted" in told[1]:
        return Tri.NO, "interrupted"
    return (Tri.NO if "timeout" in told[1] or "timed out" in told[1] else Tri.UNKNOWN), ""


def rules_of(value: object) -> str:
    """A session's own permission rules in one line."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return ""
    rules = value if isinstance(value, list) else []
    told = (f"{field(r, 'permission')} {field(r, 'pattern')} {field(r, 'action')}" for r in rules[:20] if isinstance(r, dict))
    return "; ".join(told)


def tokens_in(info: Json) -> int:
    """Tokens that a message or a step says it took."""
    used = mapping(info.get("tokens"))
    return tokens_of(
        {**used, "cacheWrite": mapping(used.get("cache")).get("write"), "thoughts": used.get("reasoning"), "tool": None}
    )
