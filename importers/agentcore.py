"""Amazon Bedrock AgentCore: the gateway's application log, its policy spans (`aws/spans`) and the code interpreter's log.

A gateway in LOG_ONLY mode writes what it would have decided; nothing was kept from running, so the verdict is an allow that
says so. The gateway's log spreads one request over several records with one `request_id`. The code interpreter writes what it
was asked and what came back as one record, and a long request as the beginning of its JSON. The logs of the runtime, memory and
browser say nothing about an action.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.cedar_entity import entity, principal_of
from importers.shared.agents import Act, exec_act, file_act
from importers.shared.chat import json_of
from importers.shared.fields import Json, clip, dig, first_moment, first_text, key, mapping, moment, surest, text, texts, trace_id
from importers.shared.told import Told, effect_of, session_key
from model.event import BadRecord, Event, Key, Operation, Parsed, Target
from model.words import Effect, KeyRole, TargetClass, Tri, Vantage, Verb

_POLICY = "aws.agentcore.policy."
_SPANS = ("AgentCore.Policy.", "AgentCore.Gateway.")
_CALL = re.compile(r"method[=:]\s*\"?tools/call\b")
_NAME = re.compile(r"params[=:]\s*\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*+\})*+\})*?\bname[=:]\s*\"?([\w./-]{1,200})")
_PASSED_ON = re.compile(r"Processing request for tool (\S{1,300}) from target ")
_BODY_LOOKED_AT = 20_000
_SPLIT = re.compile(r"^(.+?)_{3}(.+)$")
_CUT = re.compile(r'^\{"name":"(\w{1,100})"')
_FILES = {
    "readFiles": Verb.FILE_READ,
    "listFiles": Verb.FILE_READ,
    "writeFiles": Verb.FILE_WRITE,
    "removeFiles": Verb.FILE_DELETE,
}
_PATHS = 100


class AgentCoreReader:
    """Reads one log group's export; holds no state."""

    def read(self, record: object) -> Parsed:
        entry = mapping(record)
        attributes = entry.get("attributes")
        if isinstance(attributes, dict) and text(entry.get("name")):
            return _span(entry, attributes)
        body = entry.get("body")
        if isinstance(body, dict) and ("gateway" in text(entry.get("resource_arn")) or "policy" in body):
            return _line(entry, body)
        if isinstance(body, dict) and "bedrock-agentcore" in text(entry.get("resource_arn")):
            return _ran(entry, body)
        raise BadRecord("neither an AgentCore span (name, attributes) nor a line of its logs (resource_arn, body)")


def _keys(trace: str, request: str, session: object) -> tuple[Key, ...]:
    found = (session_key(session), key(KeyRole.SCOPE, "trace", trace_id(trace)), key(KeyRole.CALL, "request", request))
    return tuple(one for one in found if one is not None)


def _tool(told: Told, named: str) -> None:
    """`<target>___<tool>` is how a gateway names the tool of one of its targets."""
    if not named:
        return
    m = _SPLIT.match(named)
    server, tool = m.groups() if m else ("", named)
    told.verb, told.tool = Verb.MCP_CALL, tool
    told.target = Target(TargetClass.MCP_SERVER, server, tool)
    told.note(mcp_server=server)


def _verdict(told: Told, decision: str, policies: tuple[str, ...], reason: str, mode: str, engine: str) -> Event | None:
    effect = effect_of(decision)
    if effect is Effect.UNKNOWN:
        return None
    if mode.upper() == "LOG_ONLY" and effect is Effect.DENY:
        effect, reason = Effect.ALLOW, f"not enforced (LOG_ONLY), would have been denied; {reason}".rstrip("; ")
    if not policies and effect is Effect.DENY and not reason:
        reason = "no policy applies to the request"
    return told.verdict(effect, rule=",".join(dict.fromkeys(policies)), reason=reason, policy=engine)


def _span(entry: Json, attributes: Json) -> Parsed:
    name = text(entry["name"])
    at, clock = moment(entry.get("startTimeUnixNano"), "ns")
    if at is None:
        at, clock = first_moment(entry, "startTime", "timestamp", "@timestamp")
    parsed = Parsed(type=clip(name, 100), at=at, identity=_span_id(entry))
    if not name.startswith(_SPANS):
        parsed.unknown_type = clip(name, 100)
        return parsed
    gateway = first_text(attributes, "aws.agentcore.gateway.id", "aws.resource.arn").rpartition("/")[2]
    told = Told("agentcore", f"agentcore:{gateway}" if gateway else "agentcore", Vantage.ENFORCER, at, clock)
    request = first_text(attributes, "aws.request.id", "request_id")
    told.keys = _keys(text(entry.get("traceId")), request, first_text(attributes, "session.id", "mcp.session.id"))
    told.note(region=first_text(attributes, "aws.region"), account=first_text(attributes, "aws.account.id"))
    told.principal = principal_of(entity({"type": "OAuthUser", "id": first_text(attributes, "jwt.sub")}))
    mode = first_text(attributes, "aws.agentcore.gateway.policy.mode")
    engine = first_text(attributes, "aws.agentcore.gateway.policy.arn").rpartition("/")[2]
    _tool(told, first_text(attributes, "tool.name", "gen_ai.tool.name", _POLICY + "tool_name"))
    if name.startswith("AgentCore.Policy."):
        reason = first_text(attributes, _POLICY + "authorization_reason")
        policies = texts(attributes.get(_POLICY + "determining_policies"))
        made = _verdict(told, first_text(attributes, _POLICY + "authorization_decision"), policies, reason, mode, engine)
        parsed.events = [made] if made else _filtered(told, attributes, mode, engine)
    elif name.startswith("AgentCore.Gateway.InvokeTool"):
        denied = effect_of(attributes.get(_POLICY + "authorization_decision")) is Effect.DENY and mode.upper() != "LOG_ONLY"
        status = dig(entry, "status", "code")
        failed = denied or first_text(attributes, "jsonrpc.error.code", "error_type") != "" or status in ("ERROR", 2)
        if denied:
            told.note(refused="rule")
        # By the convention of traces a span that ended without an error went well; one without an end is still open.
        ended = status in ("OK", 1) or text(entry.get("endTimeUnixNano")) != "" or text(entry.get("endTime")) != ""
        parsed.events = [told.result(False if failed else True if ended else None, transport=Tri.YES)] if told.tool else []
    return parsed


def _filtered(told: Told, attributes: Json, mode: str, engine: str) -> list[Event]:
    """Tools that were taken out of a listing: one verdict that names them; what stays listed was not asked for yet."""
    denied = texts(attributes.get(_POLICY + "denied_tools"))
    if not denied:
        return []
    told.verb = Verb.MCP_CALL
    told.tool = "tools/list"
    made = _verdict(told, "DENY", (), f"not listed: {', '.join(denied[:50])}", mode, engine)
    return [made] if made else []


def _line(entry: Json, body: Json) -> Parsed:
    at, clock = first_moment(entry, "event_timestamp", "timestamp", "@timestamp")
    gateway = text(entry.get("resource_arn")).rpartition("/")[2]
    told = Told("agentcore", f"agentcore:{gateway}" if gateway else "agentcore", Vantage.ENFORCER, at, clock)
    told.keys = _keys(
        text(entry.get("trace_id")), text(entry.get("request_id")), first_text(entry, "session_id", "mcp_session_id")
    )
    told.note(account=text(entry.get("account_id")))
    log = text(body.get("log"))
    policy = mapping(body.get("policy"))
    parsed = Parsed(type=clip(log.partition(":")[0] or "gateway log", 80), at=at)
    if policy:
        told.principal = principal_of(entity(policy.get("principal")))
        engine = text(policy.get("policyEngineArn")).rpartition("/")[2]
        mode = first_text(policy, "mode", "enforcementMode")
        _tool(told, first_text(policy, "toolName", "action"))
        made = _verdict(
            told, text(policy.get("decision")), texts(policy.get("determiningPolicies")), text(policy.get("reason")), mode, engine
        )
        if made is None:
            raise BadRecord("an AgentCore policy record whose decision is neither ALLOW nor DENY")
        parsed.events = [made]
    elif (asked := text(body.get("requestBody"))[:_BODY_LOOKED_AT]) and _CALL.search(asked):
        m = _NAME.search(asked)
        _tool(told, m.group(1) if m else "")
        parsed.events = [told.called()] if told.tool else []
    elif m := _PASSED_ON.match(log):
        _tool(told, m.group(1))
        parsed.events = [told.called()]
    elif log.startswith("Tool Execution Denied"):
        told.verb = Verb.MCP_CALL
        told.note(refused="rule", status=clip(log, 300))
        parsed.events = [told.result(False, transport=Tri.YES)]
    return parsed


def _ran(entry: Json, body: Json) -> Parsed:
    """What a code interpreter was asked to run and said of it; another service's line is known and tells no action."""
    at, clock = moment(entry.get("timeUnixNano"), "ns")
    if at is None:
        at, clock = first_moment(entry, "event_timestamp", "timestamp", "@timestamp")
    parsed = Parsed(type=clip(text(entry.get("operation")) or "log", 80), at=at, identity=_span_id(entry))
    if ":code-interpreter" not in text(entry.get("resource_arn")):
        return parsed
    asked = mapping(body.get("request_payload"))
    cut = text(asked.get("truncatedPayload"))
    asked = mapping(json_of(cut)) or asked
    name = text(asked.get("name")) or (m[1] if (m := _CUT.match(cut)) else "")
    if not name:
        return parsed
    told = Told("agentcore", f"agentcore:{text(entry['resource_arn']).rpartition('/')[2]}", Vantage.TARGET, at, clock)
    told.keys = _keys(
        first_text(entry, "traceId", "trace_id"),
        text(entry.get("request_id")),
        first_text(entry, "tool_session_id", "session_id"),
    )
    told.note(account=text(entry.get("account_id")))
    given = mapping(asked.get("arguments"))
    act = _act(name, given)
    told.tool, told.verb, told.target = name, act.verb, act.target
    told.attrs.update(act.attrs)
    parsed.events = [told.called()]
    parsed.events[0].operations = act.operations
    failed = mapping(body.get("response_payload")).get("isError")
    if isinstance(failed, bool):
        parsed.events.append(told.result(not failed, transport=Tri.YES))
    return parsed


def _act(name: str, given: Json) -> Act:
    """What one of the code interpreter's own tools does; code is in no shell's words, and several files are several operations."""
    if name == "executeCode":
        code = text(given.get("code"))[:500]
        return Act(Verb.EXEC, operations=(Operation(Verb.UNKNOWN, text=code, certain=False),) if code else ())
    if name in ("executeCommand", "startCommandExecution"):
        return exec_act(text(given.get("command")))
    if (verb := _FILES.get(name)) is None:
        return Act()
    written = given.get("content")
    paths = [text(mapping(one).get("path")) for one in written] if isinstance(written, list) else list(texts(given.get("paths")))
    paths = [path for path in paths if path] or [first_text(given, "path", "directoryPath")]
    first, *more = (file_act(verb, path) for path in paths[:_PATHS])
    rest = tuple(Operation(one.verb, one.target) for one in (first, *more)) if more else ()
    return first._replace(operations=rest)


def _span_id(entry: Json) -> str | None:
    trace, span = text(entry.get("traceId")), text(entry.get("spanId"))
    return f"{trace}:{span}" if trace and span else None


class AgentCore:
    """Policy decisions of an AgentCore gateway, and what its code interpreter ran."""

    id = "agentcore"
    title = "Amazon Bedrock AgentCore policy decisions and code interpreter"
    evidence = "documentation"
    version = 2

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> AgentCoreReader:
        return AgentCoreReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    attributes, body = record.get("attributes"), record.get("body")
    if isinstance(attributes, dict) and text(record.get("name")).startswith(_SPANS):
        return 95
    if isinstance(body, dict) and "bedrock-agentcore" in text(record.get("resource_arn")):
        return 92
    return 0


IMPORTER = AgentCore()
