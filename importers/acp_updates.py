"""The log an agent keeps of the updates it sends: the protocol's notifications with a time, without its version member.

Source: `updates.jsonl` of Grok Build sessions, 0.2 to 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from importers.shared.agents import Frame, field, scope_id, scope_key
from importers.shared.fields import Json, first_text, key, keys, mapping, number, text
from importers.shared.jsonrpc import TIMES
from model.event import Attr, Event
from model.words import EventKind, KeyRole, Phase

UPDATE = "session/update"

_PLACE = re.compile(r"(?:\A|/)((?:%2F|[A-Za-z]%3A)[^/]{0,1000})/([^/]{1,200})/[^/]{1,200}\Z")


def folder_of(place: str) -> tuple[str, str]:
    """The session and the folder it works in, which the folders of its log are called by, the second as a part of an address; "" where not."""
    found = _PLACE.search(place.replace("\\", "/"))
    return (scope_id(found[2]), unquote(found[1])) if found else ("", "")


def logged(record: object) -> Json | None:
    """The notification that a line of such a log is; None where the line is a message of its own or something else."""
    entry = mapping(record)
    if "jsonrpc" in entry or not is_update(text(entry.get("method"))):
        return None
    params = mapping(entry.get("params"))
    return entry if field(mapping(params.get("update")), "sessionUpdate") and scope_id(params.get("sessionId")) else None


def is_update(method: str) -> bool:
    """Whether these are a session's updates, the protocol's or the program's own, whose method begins with an underscore."""
    return method == UPDATE or (method.startswith("_") and method.endswith("/" + UPDATE))


def moment_of(entry: Json) -> object:
    """When the agent saw it: its own milliseconds, else when the line was written, which for a streamed text is its end."""
    told = number(mapping(mapping(entry.get("params")).get("_meta")).get("agentTimestampMs"))
    return told if told else next((entry[name] for name in TIMES if entry.get(name)), None)


def tool_named(meta: Json) -> str:
    """The tool's own name where a vendor's member tells it, as `x.ai/tool` does."""
    return next((field(mapping(inner), "name") for name, inner in meta.items() if name.endswith("/tool")), "")


def model_of(update: Json) -> str:
    return field(mapping(update.get("_meta")), "modelId")[:200]


def child(update: Json, frame: Frame, session: str, phase: Phase) -> Iterator[Event]:
    """A sub-agent's session that begins or ends, of which the update names the session that spawned it."""
    spawned = scope_id(update.get("child_session_id"))
    parent = scope_id(update.get("parent_session_id")) or session
    if not spawned or spawned == parent:
        return
    scope = scope_key("session", spawned) + keys(key(KeyRole.PARENT, "session", parent))
    kind, model = first_text(update, "subagent_type", "role")[:100], field(update, "model")[:200]
    attrs: dict[str, Attr] = {name: value for name, value in (("agent_type", kind), ("model", model)) if value}
    yield frame._replace(scope=scope, attrs={}).event(EventKind.ACTION, phase, attrs=attrs)
