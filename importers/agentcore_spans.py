"""Spans of an AgentCore gateway and its policy engine (`aws/spans`): what was decided on a call, and how the call ended.

A gateway in LOG_ONLY mode writes what it would have decided; nothing was kept from running, so the verdict is an allow that
says so. Its own span names the tool, the policy engine's below it the policies; `InvokeTool.<tool>` is the same call once more,
passed on to the target.
"""

from __future__ import annotations

import re

from importers.cedar_entity import entity, principal_of
from importers.otel_context import span_key
from importers.shared.fields import Json, clip, dig, first_moment, first_text, key, mapping, moment, text, texts, trace_id
from importers.shared.told import Told, effect_of, session_key
from model.event import Event, Key, Parsed, Target
from model.words import Effect, KeyRole, TargetClass, Tri, Vantage, Verb

_POLICY = "aws.agentcore.policy."
_SPANS = ("AgentCore.Policy.", "AgentCore.Gateway.")
_SPLIT = re.compile(r"^(.+?)_{3}(.+)$")


def is_agentcore(record: Json) -> bool:
    """Whether a record is a span of a gateway or its policy engine."""
    return isinstance(record.get("attributes"), dict) and text(record.get("name")).startswith(_SPANS)


def keys_of(trace: str, request: str, session: object) -> tuple[Key, ...]:
    """What joins a record to its session, trace and request."""
    found = (session_key(session), key(KeyRole.SCOPE, "trace", trace_id(trace)), key(KeyRole.CALL, "request", request))
    return tuple(one for one in found if one is not None)


def name_tool(told: Told, named: str) -> None:
    """`<target>___<tool>` is how a gateway names the tool of one of its targets."""
    if not named:
        return
    m = _SPLIT.match(named)
    server, tool = m.groups() if m else ("", named)
    told.verb, told.tool = Verb.MCP_CALL, tool
    told.target = Target(TargetClass.MCP_SERVER, server, tool)
    told.note(mcp_server=server)


def verdict(told: Told, decision: str, policies: tuple[str, ...], reason: str, mode: str, engine: str) -> Event | None:
    """The decision these words state, None where they state none."""
    effect = effect_of(decision)
    if effect is Effect.UNKNOWN:
        return None
    if mode.upper() == "LOG_ONLY" and effect is Effect.DENY:
        effect, reason = Effect.ALLOW, f"not enforced (LOG_ONLY), would have been denied; {reason}".rstrip("; ")
    return told.verdict(effect, rule=",".join(dict.fromkeys(policies)), reason=reason, policy=engine)


def read_span(entry: Json) -> Parsed:
    """What one span that `is_agentcore` tells."""
    name, attributes = text(entry["name"]), mapping(entry.get("attributes"))
    at, clock = moment(entry.get("startTimeUnixNano"), "ns")
    if at is None:
        at, clock = first_moment(entry, "startTime", "timestamp", "@timestamp")
    parsed = Parsed(type=clip(name, 100), at=at, identity=span_id(entry))
    gateway = first_text(attributes, "aws.agentcore.gateway.id", "gateway.id", "aws.resource.arn").rpartition("/")[2]
    told = Told("agentcore", f"agentcore:{gateway}" if gateway else "agentcore", Vantage.ENFORCER, at, clock)
    request = first_text(attributes, "aws.request.id", "request_id")
    told.keys = keys_of(text(entry.get("traceId")), request, first_text(attributes, "session.id", "mcp.session.id"))
    told.note(region=first_text(attributes, "aws.region"), account=first_text(attributes, "aws.account.id"))
    told.principal = principal_of(entity({"type": "OAuthUser", "id": first_text(attributes, "jwt.sub")}))
    mode = first_text(attributes, "aws.agentcore.gateway.policy.mode")
    engine = first_text(attributes, "aws.agentcore.gateway.policy.arn").rpartition("/")[2]
    name_tool(told, first_text(attributes, "tool.name", "gen_ai.tool.name", _POLICY + "tool_name"))
    if name.startswith("AgentCore.Policy."):
        told.keys += _spans(entry, "parentSpanId")
        reason = first_text(attributes, _POLICY + "authorization_reason")
        policies = texts(attributes.get(_POLICY + "determining_policies"))
        decision = first_text(attributes, _POLICY + "authorization_decision")
        if not policies and not reason and effect_of(decision) is Effect.DENY:
            reason = "no policy applies to the request"
        made = verdict(told, decision, policies, reason, mode, engine)
        parsed.events = [made] if made else _filtered(told, attributes, mode, engine)
    elif name == "AgentCore.Gateway.InvokeTool":
        told.keys += _spans(entry, "spanId", "parentSpanId")
        decision = first_text(attributes, _POLICY + "authorization_decision")
        denied = effect_of(decision) is Effect.DENY and mode.upper() != "LOG_ONLY"
        status = dig(entry, "status", "code")
        failed = denied or first_text(attributes, "jsonrpc.error.code", "error_type") != "" or status in ("ERROR", 2)
        if denied:
            told.note(refused="rule")
        # By the convention of traces a span that ended without an error went well; one without an end is still open.
        ended = status in ("OK", 1) or text(entry.get("endTimeUnixNano")) != "" or text(entry.get("endTime")) != ""
        parsed.events = [told.result(False if failed else True if ended else None, transport=Tri.YES)] if told.tool else []
        # Only this span names the tool; which policies decided is told by the one below it, which may not have been exported.
        made = verdict(told, decision, (), "", mode, engine) if told.tool else None
        parsed.events += [made] if made else []
    return parsed


def _spans(entry: Json, *names: str) -> tuple[Key, ...]:
    """The spans that tell of the same call: the gateway's own, that of the agent above it, and the policy engine's below."""
    trace = trace_id(text(entry.get("traceId")))
    return tuple(one for name in names for one in span_key(trace, text(entry.get(name)).lower()))


def _filtered(told: Told, attributes: Json, mode: str, engine: str) -> list[Event]:
    """Tools that were taken out of a listing: one verdict that names them; what stays listed was not asked for yet."""
    denied = texts(attributes.get(_POLICY + "denied_tools"))
    if not denied:
        return []
    told.verb = Verb.MCP_CALL
    told.tool = "tools/list"
    made = verdict(told, "DENY", (), f"not listed: {', '.join(denied[:50])}", mode, engine)
    return [made] if made else []


def span_id(entry: Json) -> str | None:
    """A span's own id, None where it has none."""
    trace, span = text(entry.get("traceId")), text(entry.get("spanId"))
    return f"{trace}:{span}" if trace and span else None
