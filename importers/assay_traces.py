"""Traces kept beside Assay's evidence: exported spans of the OpenAI Agents SDK, and episodes recorded from MCP traffic."""

from __future__ import annotations

from collections.abc import Callable

from importers.shared.agents import excerpt, words_of
from importers.shared.fields import Json, clip, first_text, key, keys, mapping, moment, text
from importers.shared.told import Told, session_key
from importers.shared.tool_calls import tool_call
from model.event import BadRecord, Parsed
from model.words import EventKind, KeyRole, Phase, Vantage, Verb

_DONE = {"ok": True, "completed": True, "failed": False, "error": False}


def _agents(entry: Json) -> Parsed:
    """One half of a span: its start or its finish; a function span is a tool call."""
    trace, phase = text(entry.get("trace_id")), text(entry.get("event_phase"))
    if not trace or phase not in ("start", "finish"):
        raise BadRecord("an exported span without trace_id or event_phase")
    at, clock = moment(entry.get("timestamp"))
    told = Told(
        "assay", "openai-agents", Vantage.AGENT, at, clock, agent=first_text(entry, "agent_name") or text(entry.get("framework"))
    )
    told.note(agent_version=text(entry.get("sdk_version")))
    span = text(entry.get("span_id"))
    told.keys = keys(session_key(trace), key(KeyRole.SCOPE, "openai.group", text(entry.get("group_id"))))
    begins = phase == "start"
    parsed = Parsed(type=f"{text(entry.get('object_type'))} {phase}", at=at, identity=f"{trace}:{span}:{phase}")
    if not span:
        if begins:
            told.note(title=text(entry.get("workflow_name")))
        parsed.events = [told.event(EventKind.ACTION, Phase.STARTED if begins else Phase.ENDED)]
    elif text(entry.get("span_type")) in ("function", "mcp_tools", "handoff"):
        told.tool = first_text(entry, "tool_name", "span_name")
        told.verb, told.target, _ = tool_call(told.tool, "", None, None)
        if text(entry.get("span_type")) == "handoff":
            told.verb = Verb.AGENT_SPAWN
        told.keys = keys(*told.keys, key(KeyRole.CALL, "call", f"{trace}/{span}"))
        told.note(status=clip(first_text(mapping(entry.get("error")), "message"), 300))
        parsed.events = [told.called() if begins else told.result(_DONE.get(text(entry.get("observed_status"))))]
    return parsed


def episode(entry: Json, kind: str) -> Parsed:
    """A line of a recorded episode. A tool call stands on one line with what came back."""
    name = text(entry.get("episode_id"))
    at, clock = moment(entry.get("timestamp"))
    told = Told("assay", "assay-trace", Vantage.AGENT, at, clock)
    told.keys = keys(session_key(name))
    parsed = Parsed(type=kind, at=at)
    if kind in ("episode_start", "episode_end"):
        begins = kind == "episode_start"
        parsed.identity = f"{name}:{kind}"
        parsed.events = [told.event(EventKind.ACTION, Phase.STARTED if begins else Phase.ENDED)]
        return parsed
    if kind == "step":
        return parsed
    step, index = text(entry.get("step_id")), text(entry.get("call_index"))
    parsed.identity = f"{name}:{step}:{index}"
    told.tool = text(entry.get("tool_name"))
    told.verb, told.target, attrs = tool_call(told.tool, "", entry.get("args"), None)
    told.verb = Verb.MCP_CALL if told.verb is Verb.UNKNOWN else told.verb
    told.attrs.update(attrs)
    told.keys = keys(*told.keys, key(KeyRole.CALL, "call", f"{name}/{step}/{index}"))
    result, error = mapping(entry.get("result")), text(entry.get("error"))
    called = told.called()
    told.note(status=clip(error, 300), output=excerpt(words_of(result.get("content"))))
    ok = False if error else None if not result else result.get("isError") is not True
    parsed.events = [called, told.result(ok)]
    return parsed


TRACES: dict[str, Callable[[Json], Parsed]] = {"openai.agents.trace.export.v1": _agents}
