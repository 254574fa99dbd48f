"""GenAI conventions in spans: tool calls, sessions, outcomes, agents below agents, MCP servers and gateways."""

from __future__ import annotations

import json
from typing import Any

import pytest

from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from tests.importer_checks import names, only, whole
from tests.otlp_records import (
    MCP,
    PARENT,
    SESSION,
    SPAN,
    TOOL,
    TRACE,
    events,
    span,
)


@pytest.mark.parametrize(
    "given",
    [
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "bash", "gen_ai.tool.call.arguments": '{"command":"ls"}'},
        {"gen_ai.system": "x", "gen_ai.tool.name": "bash", "gen_ai.tool.arguments": '{"command":"ls"}'},
        {"openinference.span.kind": "TOOL", "tool.name": "bash", "tool.parameters": '{"command":"ls"}'},
        {"openinference.span.kind": "TOOL", "tool.name": "bash", "input.value": '{"command":"ls"}'},
        {"traceloop.span.kind": "tool", "traceloop.entity.name": "bash", "traceloop.entity.input": '{"inputs":{"command":"ls"}}'},
        {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": "bash",
            "traceloop.entity.input": '{"args":[],"kwargs":{"command":"ls"}}',
        },
        {"langfuse.observation.type": "tool", "tool_name": "bash", "langfuse.observation.input": '{"command":"ls"}'},
        {"gen_ai.tool.name": "bash", "tool_arguments": '{"command":"ls"}', "logfire.msg": "running tool: bash"},
        {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "bash", "ai.toolCall.args": '{"command":"ls"}'},
        {"mlflow.spanType": "TOOL", "tool_name": "bash", "mlflow.spanInputs": '{"command":"ls"}'},
        {"langsmith.span.kind": "tool", "gen_ai.tool.name": "bash", "gen_ai.prompt": """{"input": "{'command': 'ls'}"}"""},
    ],
)
def test_a_tool_call_in_every_convention(given: dict[str, str]) -> None:
    call = only(events(span(given=given)), EventKind.ACTION, Phase.CALL)
    assert (call.verb, call.attrs["command"], call.tool) == (Verb.EXEC, "ls", "bash")


@pytest.mark.parametrize(
    "name",
    [
        "session.id",
        "gen_ai.conversation.id",
        "langfuse.session.id",
        "traceloop.association.properties.session_id",
        "conversation.id",
    ],
)
def test_the_session_under_all_its_names(name: str) -> None:
    call = only(events(span(given={"gen_ai.tool.name": "bash", name: f"2026-02-03-{SESSION}"})), EventKind.ACTION, Phase.CALL)
    assert names(call, KeyRole.SCOPE) == [f"session:{SESSION}", f"trace:{TRACE}"]


def test_a_project_of_langsmith_is_no_session() -> None:
    """Its SDK calls the project all traces share a session: taken for one, it would make one task of everything."""
    project = {"langsmith.span.kind": "tool", "langsmith.trace.session_id": SESSION, "langsmith.trace.session_name": "prod"}
    call = only(events(span("bash", given={**project, "gen_ai.prompt": '{"command":"ls"}'})), EventKind.ACTION, Phase.CALL)
    assert names(call, KeyRole.SCOPE) == [f"trace:{TRACE}"]
    assert (call.tool, call.attrs["command"]) == ("bash", "ls"), "its tools are named by their spans alone"
    threaded = {**project, "langsmith.metadata.thread_id": SESSION}
    call = only(events(span("bash", given=threaded)), EventKind.ACTION, Phase.CALL)
    assert names(call, KeyRole.SCOPE) == [f"session:{SESSION}", f"trace:{TRACE}"]
    own = {"langsmith.span.kind": "tool", "langsmith.trace.session_id": SESSION}
    call = only(events(span("bash", given=own)), EventKind.ACTION, Phase.CALL)
    assert names(call, KeyRole.SCOPE)[0] == f"session:{SESSION}", "who writes it by hand means the session"


@pytest.mark.parametrize("happened", [[], [{"name": "exception", "timestamp": "2026-02-23T11:40:29Z", "attributes": {}}]])
def test_a_single_span_as_an_sdk_prints_it_is_no_list_of_its_events(happened: list[object]) -> None:
    printed = {
        "name": "execute_tool bash", "context": {"trace_id": f"0x{TRACE}", "span_id": f"0x{SPAN}", "trace_state": "[]"},
        "kind": "SpanKind.INTERNAL", "parent_id": None, "start_time": "2026-02-23T11:40:29Z", "end_time": "2026-02-23T11:40:30Z",
        "status": {"status_code": "UNSET"}, "attributes": TOOL, "events": happened, "links": [],
        "resource": {"attributes": {"service.name": "helper"}, "schema_url": ""},
    }  # fmt: skip
    for form in (json.dumps(printed), json.dumps(printed, indent=4)):
        parsed, rejects = whole(form, "otlp")
        assert not rejects
        assert only(parsed[0].events, EventKind.ACTION, Phase.CALL).tool == "run_in_terminal"


@pytest.mark.parametrize(
    ("members", "tool"),
    [
        ({}, Tri.YES),
        ({"status": {"code": 1}}, Tri.YES),
        ({"status": {"code": "STATUS_CODE_ERROR"}}, Tri.NO),
        ({"status": {"code": 2}}, Tri.NO),
        ({"given": {**TOOL, "error.type": "timeout"}}, Tri.NO),
    ],
)
def test_how_a_call_went(members: dict[str, Any], tool: Tri) -> None:
    result = only(events(span(**{"given": TOOL, **members})), EventKind.ACTION, Phase.RESULT)
    assert result.outcome is not None and result.outcome.tool is tool


@pytest.mark.parametrize(
    "given",
    [
        {"mcp.tool.result.is_error": "true"},
        {"gen_ai.tool.call.result": '{"content":[{"type":"text","text":"no such ticket"}],"isError":true}'},
        {"gen_ai.task.status": "failure"},
    ],
)
def test_a_server_that_answered_with_an_error(given: dict[str, str]) -> None:
    seen = only(events(span("tools/call x", kind=2, given={**MCP, **given})), EventKind.EFFECT, Phase.OBSERVED)
    assert (seen.outcome.tool, seen.outcome.effect) == (Tri.NO, Tri.NO)


@pytest.mark.parametrize("deferral", ["ApprovalRequired", "CallDeferred"])
def test_a_call_that_was_put_off_did_not_run(deferral: str) -> None:
    found = events(span(given={**TOOL, "pydantic_ai.tool.deferral.name": deferral}))
    assert not [event for event in found if event.phase is Phase.RESULT]
    call = only(found, EventKind.ACTION, Phase.CALL)
    asked = [event for event in found if event.kind is EventKind.DECISION]
    assert [event.decision.effect for event in asked if event.decision] == (
        [Effect.ASK] if deferral == "ApprovalRequired" else []
    )
    assert all(names(event, KeyRole.CALL) == names(call, KeyRole.CALL) for event in asked)


@pytest.mark.parametrize(
    ("told", "ruled", "went"),
    [
        ({"error": "This tool call requires confirmation, please approve or reject."}, [Effect.ASK], None),
        ({"error": "This tool call is rejected."}, [Effect.DENY], Tri.NO),
        ({"error": "Command is required."}, [], Tri.NO),
        ({"error": {"code": 3}}, [], Tri.NO),
        ({"error": None, "out": "This tool call is rejected."}, [], Tri.YES),
        ({"out": "hi"}, [], Tri.YES),
    ],
    ids=["waits", "rejected", "failed", "failed otherwise", "no error", "done"],
)
def test_what_googles_kit_answers_for_a_tool(told: dict[str, object], ruled: list[Effect], went: Tri | None) -> None:
    found = events(span(given={**TOOL, "gcp.vertex.agent.tool_response": json.dumps(told)}))
    verdicts = [event.decision for event in found if event.kind is EventKind.DECISION]
    assert [one.effect for one in verdicts if one] == ruled
    assert all(one.by == "user" for one in verdicts if one and one.effect is Effect.DENY)
    results = [event.outcome.tool for event in found if event.phase is Phase.RESULT and event.outcome]
    assert results == ([] if went is None else [went])


def test_arguments_with_an_attribute_each() -> None:
    given = {
        "gen_ai.tool.name": "bash",
        "mcp.request.argument.command": "ls",
        "mcp.tool.result.content": '[{"type":"text","text":"a"}]',
    }
    found = events(span(given={**given, "mcp.request.id": "7", "mcp.session.id": "s1"}))
    call, result = only(found, EventKind.ACTION, Phase.CALL), only(found, EventKind.ACTION, Phase.RESULT)
    assert (call.verb, call.attrs["command"], result.attrs["output"]) == (Verb.EXEC, "ls", "a")
    assert "jsonrpc:s1/7" in names(call, KeyRole.CALL)


def test_why_a_call_failed_that_gave_nothing_back() -> None:
    thrown = {"name": "exception", "attributes": [{"key": "exception.message", "value": {"stringValue": "no such file"}}]}
    failed = {"status": {"code": 2, "message": "read-only filesystem"}}
    for members, said in (({**failed, "events": [thrown]}, "no such file"), (failed, "read-only filesystem")):
        assert only(events(span(given=TOOL, **members)), EventKind.ACTION, Phase.RESULT).attrs["output"] == said
    assert (
        "output"
        not in only(events(span(given=TOOL, status={"code": 1, "message": "fine"})), EventKind.ACTION, Phase.RESULT).attrs
    )


def test_an_open_span_has_no_result() -> None:
    made = events(span(given=TOOL, endTimeUnixNano="0"))
    assert [event.phase for event in made] == [Phase.CALL]


def test_an_invoked_agent_tells_the_request_once() -> None:
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "PAY-9 please"}]}])
    root = span("invoke_agent helper", given={"gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": said})
    chat = span("chat m", spanId=PARENT, given={"gen_ai.operation.name": "chat", "gen_ai.input.messages": said})
    flat = {"openinference.span.kind": "LLM", "llm.input_messages.0.message.role": "system", "llm.input_messages.0.message.content": "be good",
            "llm.input_messages.1.message.role": "user", "llm.input_messages.1.message.content": "PAY-9 please"}  # fmt: skip
    loop = {**flat, "llm.input_messages.2.message.role": "tool", "llm.input_messages.2.message.content": "42"}
    for payloads in ((root, chat, span(given=flat)), (chat, root), (span(given=flat), span(given=loop))):
        intent = only(events(*payloads), EventKind.INTENT)
        assert (intent.text, intent.phase, intent.attrs["ticket"]) == ("PAY-9 please", Phase.PROMPT, "PAY-9")
    assert events(span(given=loop)) == []


def test_an_agent_below_an_agent_is_spawned() -> None:
    child = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "reviewer", "input.value": "look at it"}
    payload = span("invoke_agent reviewer", spanId=PARENT, parentSpanId=SPAN, given=child)
    above = span("invoke_agent main", given={"gen_ai.operation.name": "invoke_agent"})
    # A file holds children before their parents: within a payload both are known.
    together = {"resourceSpans": [*payload["resourceSpans"], *above["resourceSpans"]]}
    made = events(together)
    spawn = only(made, EventKind.ACTION, Phase.CALL)
    assert (spawn.verb, spawn.target.cls, spawn.target.name) == (Verb.AGENT_SPAWN, TargetClass.AGENT, "reviewer")
    assert only(made, EventKind.INTENT).phase is Phase.DELEGATED
    assert not [one for one in events(payload) if one.verb is Verb.AGENT_SPAWN]


def test_an_mcp_server_and_a_gateway_saw_what_the_agent_says() -> None:
    client = span("tools/call close_ticket", kind=3, given={**MCP, "mcp.server.name": "tickets"})
    server = span("tools/call close_ticket", "tickets", kind=2, spanId=PARENT, parentSpanId=SPAN, given=MCP)
    gateway = span(
        "tools/call close_ticket", "agentgateway", kind="SPAN_KIND_SERVER", spanId=PARENT, parentSpanId=SPAN, given=MCP
    )
    call = only(events(client), EventKind.ACTION, Phase.CALL)
    assert (call.verb, call.target.name, call.target.detail) == (Verb.MCP_CALL, "tickets", "close_ticket")
    for payload, vantage in ((server, Vantage.TARGET), (gateway, Vantage.WITNESS)):
        (seen,) = events(payload)
        assert (seen.kind, seen.vantage, seen.verb) == (EventKind.EFFECT, vantage, Verb.MCP_CALL)
        assert f"span:{TRACE}/{SPAN}" in names(seen, KeyRole.CALL) and "jsonrpc:s1/7" in names(seen, KeyRole.CALL)
    bare = span(given={name: value for name, value in MCP.items() if name != "mcp.session.id"})
    assert not [key for key in names(events(bare)[0], KeyRole.CALL) if key.startswith("jsonrpc")]


def test_spans_of_mcps_own_python_sdk_name_the_tool_in_their_names_only() -> None:
    given = {"mcp.method.name": "tools/call", "jsonrpc.request.id": "3"}
    call = only(events(span("MCP send tools/call greet", given=given, kind=3)), EventKind.ACTION, Phase.CALL)
    seen = only(events(span("MCP handle tools/call greet", "greeter", given=given, kind=2)), EventKind.EFFECT, Phase.OBSERVED)
    assert (call.tool, call.target.detail, seen.tool, seen.target.name) == ("greet", "greet", "greet", "greeter")


def test_a_gateway_that_refuses_is_an_enforcer() -> None:
    refused = span("tools/call x", "mcp-gateway", kind=2, given={**MCP, "http.response.status_code": "403"})
    (verdict,) = events(refused)
    assert (verdict.kind, verdict.vantage) == (EventKind.DECISION, Vantage.ENFORCER)
    assert verdict.decision is not None and verdict.decision.effect is Effect.DENY
    allowed = span("tools/call x", "mcp-gateway", kind=2, given={**MCP, "policy.decision": "allow", "policy.name": "p1"})
    made = only(events(allowed), EventKind.DECISION)
    assert made.decision is not None and (made.decision.effect, made.decision.rule) == (Effect.ALLOW, "p1")


def test_a_span_of_something_else_is_no_event() -> None:
    assert events(span("GET /health", given={"http.request.method": "GET"})) == []


GUARD = {"gen_ai.operation.name": "apply_guardrail", "gen_ai.agent.name": "helper"}


@pytest.mark.parametrize("space", ["gen_ai", "microsoft"])
@pytest.mark.parametrize(
    ("word", "effect", "reason"),
    [
        ("allow", Effect.ALLOW, "wire transfer"),
        ("deny", Effect.DENY, "wire transfer"),
        ("modify", Effect.ALLOW, "modify: wire transfer"),
        ("warn", Effect.ALLOW, "warn: wire transfer"),
        ("", None, ""),
        ("perhaps", None, ""),
    ],
)
def test_a_guardrails_verdict(space: str, word: str, effect: Effect | None, reason: str) -> None:
    said = {
        f"{space}.security.decision.type": word,
        f"{space}.security.decision.reason": "wire transfer",
        f"{space}.guardian.name": "Payments",
        f"{space}.security.policy.id": "policy-7",
        f"{space}.security.target.type": "tool_call",
        f"{space}.security.target.id": "call_abc123def456",
    }
    found = events(span("apply_guardrail Payments", given={**GUARD, **said}, parentSpanId=PARENT))
    if effect is None:
        assert found == []
        return
    verdict = only(found, EventKind.DECISION, Phase.VERDICT)
    assert verdict.decision and (verdict.decision.effect, verdict.decision.reason) == (effect, reason)
    assert (verdict.decision.rule, verdict.decision.policy, verdict.vantage) == ("Payments", "policy-7", Vantage.AGENT)
    assert names(verdict, KeyRole.CALL) == [f"span:{TRACE}/{SPAN}", f"span:{TRACE}/{PARENT}", "call:call_abc123def456"]


def test_a_gateways_guardrail_enforces_and_joins_the_call_above_it() -> None:
    finding = {
        "name": "gen_ai.security.finding",
        "attributes": [{"key": "gen_ai.security.risk.category", "value": {"stringValue": "jailbreak"}}],
    }
    said = {"gen_ai.security.decision.type": "deny", "gen_ai.security.target.type": "llm_input", "gen_ai.guardrail.name": "Armor"}
    found = events(span("apply_guardrail Armor", "agent-gateway", given={**GUARD, **said}, parentSpanId=PARENT, events=[finding]))
    verdict = only(found, EventKind.DECISION, Phase.VERDICT)
    assert verdict.decision and verdict.vantage is Vantage.ENFORCER
    assert (verdict.decision.rule, verdict.decision.reason, verdict.attrs["guarded"]) == ("Armor", "jailbreak", "llm_input")
    assert names(verdict, KeyRole.CALL) == [f"span:{TRACE}/{SPAN}"]


@pytest.mark.parametrize(
    ("given", "name", "kind"),
    [
        ({"user.id": "dana"}, "dana", "unknown"),
        ({"user.id": "dana@acme.example"}, "dana@acme.example", "human"),
        ({"ai.telemetry.metadata.userId": "dana"}, "dana", "unknown"),
        ({"langsmith.metadata.user_id": "dana"}, "dana", "unknown"),
        ({"enduser.id": "dana", "user.id": "x"}, "dana", "human"),
    ],
    ids=["id", "address", "vercel", "langsmith", "end-user"],
)
def test_the_account_an_application_names(given: dict[str, str], name: str, kind: str) -> None:
    who = only(events(span(given=TOOL | given)), EventKind.ACTION, Phase.CALL).principal
    assert who is not None
    assert (who.name, who.kind) == (name, kind)


@pytest.mark.parametrize("anonymous", ["ab" * 32, SESSION], ids=["digest", "uuid"])
def test_an_installations_id_is_nobody(anonymous: str) -> None:
    assert only(events(span(given=TOOL | {"user.id": anonymous})), EventKind.ACTION, Phase.CALL).principal is None


def test_whoever_spawns_an_agent_is_the_one_above_it() -> None:
    upper = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"}
    lower = span(given=upper | {"gen_ai.agent.name": "tester"}, spanId=SPAN, parentSpanId=PARENT)
    spawn = only(events(span(given=upper, spanId=PARENT), lower), EventKind.ACTION, Phase.CALL)
    assert (spawn.verb, spawn.agent, spawn.target.name) == (Verb.AGENT_SPAWN, "planner", "tester")


def test_pydantic_ai_s_run_before_it_named_operations() -> None:
    said = [{"role": "user", "parts": [{"type": "text", "content": "read it"}]}]
    run = {"agent_name": "reader", "model_name": "m", "pydantic_ai.all_messages": json.dumps(said)}
    prompt = only(events(span("agent run", given=run)), EventKind.INTENT)
    assert (prompt.text, prompt.agent) == ("read it", "reader")


def test_google_s_kit_tells_its_calls_once() -> None:
    merged = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "(merged tools)", "gen_ai.tool.call.id": "e-1"}
    assert not events(span(given=merged))
    said = {
        "content": {"role": "model", "parts": [{"function_call": {"id": "adk-1", "name": "bash", "args": {"command": "ls"}}}]}
    }
    asked = only(events(span("call_llm", given={"gcp.vertex.agent.llm_response": json.dumps(said)})), EventKind.ACTION)
    assert (asked.verb, names(asked, KeyRole.CALL)) == (Verb.EXEC, ["call:adk-1"])


@pytest.mark.parametrize(
    ("method", "name", "detail"),
    [("resources/read", "mcp.resource.uri", "file:///a"), ("prompts/get", "gen_ai.prompt.name", "review")],
)
def test_mcp_s_other_acts_are_calls_as_well(method: str, name: str, detail: str) -> None:
    given = {"mcp.method.name": method, name: detail, "mcp.session.id": "s1", "jsonrpc.request.id": "8"}
    call = only(events(span(f"{method} {detail}", kind=3, given=given)), EventKind.ACTION, Phase.CALL)
    assert (call.verb, call.tool, call.target.cls, call.target.detail) == (Verb.MCP_CALL, method, TargetClass.MCP_SERVER, detail)
    assert not events(span("resources/list", kind=3, given=given | {"mcp.method.name": "resources/list"}))


GATEWAY = {
    "gateway": "default/gw", "listener": "http", "route": "default/mcp", "src.addr": "10.0.0.9:5555", "http.method": "POST", "jwt.sub": "eve",
    "http.host": "gw.acme.example", "http.path": "/mcp", "protocol": "mcp", "mcp.method.name": "tools/call", "mcp.target": "tracker",
    "gen_ai.tool.name": "drop_all", "http.status": "400", "error": "mcp: Unknown tool: drop_all", "reason": "MCP",
}  # fmt: skip


def test_agentgateway_s_spans_and_records_say_what_its_line_says() -> None:
    exported = span("tools/call drop_all", "agentgateway", kind=2, given=GATEWAY, parentSpanId=PARENT)
    record = exported["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    kept = {name: record[name] for name in ("traceId", "spanId", "attributes")} | {"timeUnixNano": record["startTimeUnixNano"]}
    logged = {"resourceLogs": [{"resource": {"attributes": []}, "scopeLogs": [{"logRecords": [kept]}]}]}
    for payload in (exported, logged):
        verdict, effect = events(payload)
        assert verdict.decision and (verdict.decision.effect, verdict.decision.reason) == (
            Effect.DENY,
            "mcp: Unknown tool: drop_all",
        )
        assert (verdict.vantage, effect.point, effect.tool, effect.target.name) == (
            Vantage.ENFORCER,
            "agentgateway",
            "drop_all",
            "tracker",
        )
        assert effect.principal and effect.principal.name == "eve"
        assert f"span:{TRACE}/{SPAN}" in names(effect, KeyRole.CALL)
    above, _ = events(exported)
    assert f"span:{TRACE}/{PARENT}" in names(above, KeyRole.CALL)
    allowed = span(given=GATEWAY | {"http.status": "200", "error": "", "reason": ""})
    assert [event.kind for event in events(allowed)] == [EventKind.EFFECT]
