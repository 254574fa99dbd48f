"""OpenTelemetry payloads and single records, invented for tests, in every spelling."""

from __future__ import annotations

import base64
import json
from typing import Any

from importers.otlp import IMPORTER
from model.event import Event

TRACE, SPAN, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
SESSION = "4740c799-1c7c-4bb3-a093-35a29e15ef9c"


TOOL = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "run_in_terminal",
    "gen_ai.tool.call.id": "call_1",
    "gen_ai.tool.call.arguments": '{"command":"git push"}',
    "gen_ai.conversation.id": SESSION,
}
MCP = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "close_ticket", "mcp.session.id": "s1", "jsonrpc.request.id": "7"}


def attrs(**given: Any) -> list[dict[str, Any]]:
    found = []
    for name, value in given.items():
        sort = "boolValue" if isinstance(value, bool) else "intValue" if isinstance(value, int) else "stringValue"
        found.append({"key": name.replace("__", "."), "value": {sort: str(value) if sort == "intValue" else value}})
    return found


def log(service: str, body: str | None = None, **given: Any) -> dict[str, Any]:
    record: dict[str, Any] = {"timeUnixNano": "1771846829275000000", "attributes": attrs(**given)}
    if body:
        record["body"] = {"stringValue": body}
    return {"resourceLogs": [{"resource": {"attributes": attrs(service__name=service)}, "scopeLogs": [{"logRecords": [record]}]}]}


def claude(event: str, **given: Any) -> dict[str, Any]:
    return log("claude-code", f"claude_code.{event}", event__name=event, session__id=SESSION, **given)


def span(name: str = "work", service: str = "helper", **members: Any) -> dict[str, Any]:
    given = members.pop("given", {})
    one = {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": name,
        "kind": 1,
        "startTimeUnixNano": "1771846829275000000",
        "endTimeUnixNano": "1771846830275000000",
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in given.items()],
        **members,
    }
    return {"resourceSpans": [{"resource": {"attributes": attrs(service__name=service)}, "scopeSpans": [{"spans": [one]}]}]}


def events(*payloads: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for payload in payloads for event in reader.read(payload).events]


def one_span(payload: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = payload["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    return found


def snake(value: Any) -> Any:
    """The same payload with every member of the format in snake case."""
    words = {"resourceSpans": "resource_spans", "scopeSpans": "scope_spans", "traceId": "trace_id", "spanId": "span_id",
             "startTimeUnixNano": "start_time_unix_nano", "endTimeUnixNano": "end_time_unix_nano", "stringValue": "string_value"}  # fmt: skip
    if isinstance(value, dict):
        return {words.get(name, name): snake(inner) for name, inner in value.items()}
    return [snake(one) for one in value] if isinstance(value, list) else value


def spellings() -> dict[str, dict[str, Any]]:
    plain = span("execute_tool run_in_terminal", given=TOOL)
    b64 = json.loads(json.dumps(plain))
    for name in ("traceId", "spanId"):
        one_span(b64)[name] = base64.b64encode(bytes.fromhex(one_span(b64)[name])).decode()
    named, listless, old = (json.loads(json.dumps(plain)) for _ in range(3))
    one_span(named)["kind"] = "SPAN_KIND_INTERNAL"
    one_span(listless)["attributes"] = dict(TOOL)
    part = old["resourceSpans"][0]
    part["instrumentationLibrarySpans"] = part.pop("scopeSpans")
    javascript = {
        "_spanContext": {"traceId": TRACE, "spanId": SPAN},
        "kind": 0,
        "name": "execute_tool run_in_terminal",
        "attributes": TOOL,
        "startTime": [1771846829, 275000000],
        "endTime": [1771846830, 275000000],
        "resource": {"_rawAttributes": [["service.name", "helper"], ["host.id", None]]},
        "status": {"code": 0},
    }
    python = {
        "name": "execute_tool run_in_terminal",
        "context": {"trace_id": f"0x{TRACE}", "span_id": f"0x{SPAN}", "trace_state": "[]"},
        "kind": "SpanKind.INTERNAL",
        "parent_id": None,
        "start_time": "2026-02-23T11:40:29.275000Z",
        "end_time": "2026-02-23T11:40:30.275000Z",
        "status": {"status_code": "UNSET"},
        "attributes": TOOL,
        "resource": {"attributes": {"service.name": "helper"}},
    }
    return {
        "OTLP": plain,
        "snake case": snake(plain),
        "base64 ids": b64,
        "kind as a name": named,
        "attributes as an object": listless,
        "instrumentation library": old,
        "within a collector's own object": {"signal": "traces", "body": plain},
        "the JavaScript SDK": javascript,
        "the Python SDK": python,
    }


def gemini(**given: Any) -> dict[str, Any]:
    return {
        "hrTime": [1795389815, 374000000],
        "spanContext": {"traceId": TRACE, "spanId": PARENT, "traceFlags": 1},
        "resource": {"_rawAttributes": [["service.name", "gemini-cli"]]},
        "attributes": {"event.name": "gemini_cli.tool_call", "session.id": SESSION, "function_name": "run_shell_command",
                       "function_args": '{"command": "rm -rf build"}', **given},
        "_body": "Tool call",
    }  # fmt: skip
