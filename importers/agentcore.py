"""Amazon Bedrock AgentCore: the gateway's application log, its policy spans (`aws/spans`) and the code interpreter's log.

The gateway's log spreads one request over several records with one `request_id`. The code interpreter writes what it
was asked and what came back as one record, and a long request as the beginning of its JSON. The logs of the runtime, memory and
browser say nothing about an action. Among the gateway's spans stand those of the agents that called it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.agentcore_spans import is_agentcore, keys_of, name_tool, read_span, span_id, verdict
from importers.cedar_entity import entity, principal_of
from importers.otlp import OtlpReader
from importers.shared.agents import Act, exec_act, file_act
from importers.shared.chat import json_of
from importers.shared.fields import Json, clip, first_moment, first_text, mapping, moment, surest, text, texts
from importers.shared.told import Told
from model.event import BadRecord, Operation, Parsed
from model.words import Effect, Tri, Vantage, Verb

_CALL = re.compile(r"method[=:]\s*\"?tools/call\b")
_NAME = re.compile(r"params[=:]\s*\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*+\})*+\})*?\bname[=:]\s*\"?([\w./-]{1,200})")
_PASSED_ON = re.compile(r"Processing request for tool (\S{1,300}) from target ")
_BODY_LOOKED_AT = 20_000
_CUT = re.compile(r'^\{"name":"(\w{1,100})"')
_FILES = {
    "readFiles": Verb.FILE_READ,
    "listFiles": Verb.FILE_READ,
    "writeFiles": Verb.FILE_WRITE,
    "removeFiles": Verb.FILE_DELETE,
}
_PATHS = 100


class AgentCoreReader:
    """Reads one log group's export; remembers of the agents' spans what their reader does."""

    def __init__(self) -> None:
        self._spans = OtlpReader()

    def read(self, record: object) -> Parsed:
        entry = mapping(record)
        if is_agentcore(entry):
            return read_span(entry)
        body = entry.get("body")
        if isinstance(body, dict) and ("gateway" in text(entry.get("resource_arn")) or "policy" in body):
            return _line(entry, body)
        if isinstance(body, dict) and "bedrock-agentcore" in text(entry.get("resource_arn")):
            return _ran(entry, body)
        if isinstance(entry.get("attributes"), dict) and text(entry.get("name")):
            return self._spans.read(entry)
        raise BadRecord("neither an AgentCore span (name, attributes) nor a line of its logs (resource_arn, body)")


def _line(entry: Json, body: Json) -> Parsed:
    at, clock = first_moment(entry, "event_timestamp", "timestamp", "@timestamp")
    gateway = text(entry.get("resource_arn")).rpartition("/")[2]
    told = Told("agentcore", f"agentcore:{gateway}" if gateway else "agentcore", Vantage.ENFORCER, at, clock)
    told.keys = keys_of(
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
        name_tool(told, first_text(policy, "toolName", "action"))
        made = verdict(
            told, text(policy.get("decision")), texts(policy.get("determiningPolicies")), text(policy.get("reason")), mode, engine
        )
        if made is None:
            raise BadRecord("an AgentCore policy record whose decision is neither ALLOW nor DENY")
        parsed.events = [made]
    elif (asked := text(body.get("requestBody"))[:_BODY_LOOKED_AT]) and _CALL.search(asked):
        m = _NAME.search(asked)
        name_tool(told, m.group(1) if m else "")
        parsed.events = [told.called()] if told.tool else []
    elif m := _PASSED_ON.match(log):
        name_tool(told, m.group(1))
        parsed.events = [told.called()]
    elif log.startswith("Tool Execution Denied"):
        told.verb = Verb.MCP_CALL
        told.note(refused="rule", status=clip(log, 300))
        # Where spans are not kept, this line is all that tells of the refusal.
        parsed.events = [
            told.verdict(Effect.DENY, reason=log.partition(":")[2].strip() or log),
            told.result(False, transport=Tri.YES),
        ]
    return parsed


def _ran(entry: Json, body: Json) -> Parsed:
    """What a code interpreter was asked to run and said of it; another service's line is known and tells no action."""
    at, clock = moment(entry.get("timeUnixNano"), "ns")
    if at is None:
        at, clock = first_moment(entry, "event_timestamp", "timestamp", "@timestamp")
    parsed = Parsed(type=clip(text(entry.get("operation")) or "log", 80), at=at, identity=span_id(entry))
    if ":code-interpreter" not in text(entry.get("resource_arn")):
        return parsed
    asked = mapping(body.get("request_payload"))
    cut = text(asked.get("truncatedPayload"))
    asked = mapping(json_of(cut)) or asked
    name = text(asked.get("name")) or (m[1] if (m := _CUT.match(cut)) else "")
    if not name:
        return parsed
    told = Told("agentcore", f"agentcore:{text(entry['resource_arn']).rpartition('/')[2]}", Vantage.TARGET, at, clock)
    told.keys = keys_of(
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


class AgentCore:
    """Policy decisions of an AgentCore gateway, and what its code interpreter ran."""

    id = "agentcore"
    title = "Amazon Bedrock AgentCore policy decisions and code interpreter"
    evidence = "fixture"
    version = 4

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> AgentCoreReader:
        return AgentCoreReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    body = record.get("body")
    if is_agentcore(record):
        return 95
    if isinstance(body, dict) and "bedrock-agentcore" in text(record.get("resource_arn")):
        return 92
    return 0


IMPORTER = AgentCore()
