"""Cedar's principals, actions and resources in their spellings, and what an authorization request means in our words."""

from __future__ import annotations

import re
from typing import NamedTuple

from importers.shared.fields import Json, dig, first_text, mapping, text
from importers.shared.tool_calls import tool_call
from model.event import Attr, Principal, Target
from model.words import Verb

_ENTITY = re.compile(r'^((?:\w+::)*\w+)::"((?:[^"\\]|\\.)*)"$')
_HUMANS = ("user", "person", "employee", "human")
_AGENTS = ("agent",)
_WORKLOADS = ("workload", "service", "serviceaccount", "iamentity", "role", "client", "machine")
_TOOL = re.compile(r"^(.+?)_{2,3}(.+)$")


class Entity(NamedTuple):
    """One entity: its type without name spaces, and its id."""

    type: str
    id: str


def entity(value: object) -> Entity:
    """`Ns::User::"alice"`, `{type, id}`, `{entityType, entityId}`, `{actionType, actionId}` or `{__entity: ...}`."""
    if isinstance(value, dict):
        inner = mapping(value.get("__entity")) or value
        kind = first_text(inner, "type", "entityType", "actionType", "entity_type")
        name = first_text(inner, "id", "entityId", "actionId", "eid", "name")
        return Entity(kind.rpartition("::")[2], name)
    stated = text(value)
    if m := _ENTITY.match(stated):
        return Entity(m.group(1).rpartition("::")[2], m.group(2).replace('\\"', '"'))
    return Entity("", stated)


def principal_of(one: Entity) -> Principal | None:
    if not one.id:
        return None
    word = one.type.lower()
    kind = "unknown"
    for name, marks in (("agent", _AGENTS), ("human", _HUMANS), ("workload", _WORKLOADS)):
        if any(mark in word for mark in marks):
            kind = name
            break
    return Principal(one.id, "human" if word == "oauthuser" else kind)


def meaning(action: Entity, resource: Entity, context: object) -> tuple[Verb, str, Target, dict[str, Attr]]:
    """Verb, tool, target and telling arguments; a gateway's `<target>___<tool>` is an MCP call."""
    given: Json = mapping(context)
    arguments = given.get("input") or dig(given, "tool", "arguments") or given.get("arguments") or given
    if (m := _TOOL.match(action.id)) and resource.type.lower() in ("gateway", "mcpserver", "tool"):
        return *_mcp(m.group(1), m.group(2), arguments), {}
    stated: object = {"type": resource.type, "name": resource.id} if resource.id else None
    verb, target, attrs = tool_call(action.id, action.id, arguments, stated)
    return verb, action.id, target, attrs


def _mcp(server: str, tool: str, arguments: object) -> tuple[Verb, str, Target]:
    verb, target, _ = tool_call(f"mcp__{server}__{tool}", "", arguments, None)
    return verb, tool, target
