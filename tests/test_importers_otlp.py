"""OpenTelemetry in every spelling: payloads and single records, who let a call run, GenAI conventions, and the joined step."""

from __future__ import annotations

import base64
import json
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from chains.enrich import enrich
from chains.facts import OrgFacts
from chains.stitch import stitch
from importers import open_source
from importers.otlp import IMPORTER
from importers.registry import importers
from importers.shared.fields import decode
from model.event import ATTRS, BadRecord, Event, RawRecord
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from tests.importer_checks import mutated, names, only, read, survives, whole

TRACE, SPAN, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
SESSION = "4740c799-1c7c-4bb3-a093-35a29e15ef9c"


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


# Containers and spellings

TOOL = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "run_in_terminal",
    "gen_ai.tool.call.id": "call_1",
    "gen_ai.tool.call.arguments": '{"command":"git push"}',
    "gen_ai.conversation.id": SESSION,
}


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


@pytest.mark.parametrize("name", spellings())
def test_every_spelling_of_a_span_says_the_same(name: str) -> None:
    record = spellings()[name]
    made = events(record)
    call, result = only(made, EventKind.ACTION, Phase.CALL), only(made, EventKind.ACTION, Phase.RESULT)
    assert (call.verb, call.attrs["command"], call.tool) == (Verb.EXEC, "git push", "run_in_terminal")
    assert (call.at, result.at, call.clock) == (1771846829275000, 1771846830275000, Clock.EXACT)
    assert names(call, KeyRole.CALL) == ["call:call_1", f"span:{TRACE}/{SPAN}"]
    assert names(call, KeyRole.SCOPE) == [f"session:{SESSION}", f"trace:{TRACE}"]
    assert (call.vantage, call.point, result.outcome.tool if result.outcome else "") == (Vantage.AGENT, "otel:helper", Tri.YES)
    for text in (
        json.dumps(record),
        json.dumps(record, indent=2),
        json.dumps(record, indent=1) + "\n" + json.dumps(record, indent=1),
    ):
        parsed, rejects = whole(text, "otlp")
        assert not rejects
        assert all(len(one.events) == 2 for one in parsed)


def test_a_parent_id_may_be_empty_or_absent_and_ids_of_zeros_are_none() -> None:
    for parent in ("", None, "0000000000000000"):
        (started,) = events(span("invoke_agent x", parentSpanId=parent))
        assert started.phase is Phase.STARTED
    assert names(events(span("invoke_agent x", traceId="0" * 32))[0], KeyRole.SCOPE) == []


def jaeger(**members: Any) -> dict[str, Any]:
    tags = [{"key": name, "type": "string", "value": value} for name, value in TOOL.items()]
    one = {
        "traceID": TRACE,
        "spanID": SPAN,
        "operationName": "execute_tool run_in_terminal",
        "references": [{"refType": "CHILD_OF", "traceID": TRACE, "spanID": "1"}],
        "startTime": 1771846829275000,
        "duration": 1_000_000,
        "tags": tags,
        "processID": "p1",
    } | members
    return {"traceID": TRACE, "spans": [one], "processes": {"p1": {"serviceName": "helper", "tags": []}}}


def test_a_trace_of_jaeger_says_what_its_spans_said() -> None:
    trace = jaeger()
    stored = trace["spans"][0] | {
        "process": trace["processes"]["p1"],
        "tags": [],
        "tag": {k.replace(".", "@"): v for k, v in TOOL.items()},
    }
    for record in (trace, stored):
        made = events(record)
        call, result = only(made, EventKind.ACTION, Phase.CALL), only(made, EventKind.ACTION, Phase.RESULT)
        assert (call.verb, call.attrs["command"], call.point) == (Verb.EXEC, "git push", "otel:helper")
        assert (call.at, result.at) == (1771846829275000, 1771846830275000)
        assert names(call, KeyRole.CALL) == ["call:call_1", f"span:{TRACE}/{SPAN}"]
    parsed, rejects = whole(json.dumps({"data": [trace, jaeger(spanID="2")], "total": 0, "errors": None}), "otlp")
    assert rejects == [] and [len(one.events) for one in parsed] == [2, 2]
    failed = events(jaeger(tags=[*trace["spans"][0]["tags"], {"key": "error", "type": "bool", "value": True}]))
    assert (outcome := only(failed, EventKind.ACTION, Phase.RESULT).outcome) is not None and outcome.tool is Tri.NO
    assert events(jaeger(duration=None, startTime=-5))[0].at is None


def test_a_record_of_neither_kind_is_refused_with_a_sentence() -> None:
    for record in ([], "x", {"a": 1}, {"attributes": {}}):
        with pytest.raises(BadRecord, match="OTLP"):
            read(IMPORTER, record)


def test_metrics_are_recognised_and_say_nothing() -> None:
    for record in (
        {"resourceMetrics": [{"scopeMetrics": []}]},
        {"resource": {"attributes": []}, "scopeMetrics": [{"metrics": []}]},
    ):
        assert IMPORTER.sniff([record]) == 95
        assert read(IMPORTER, record).events == []


# Agents' own log events


@pytest.mark.parametrize(
    ("source", "decision", "by", "effect"),
    [
        ("config", "accept", "config", Effect.ALLOW),
        ("hook", "reject", "hook", Effect.DENY),
        ("user_permanent", "accept", "user", Effect.ALLOW),
        ("user_temporary", "accept", "user", Effect.ALLOW),
        ("user_abort", "reject", "user", Effect.DENY),
        ("user_reject", "reject", "user", Effect.DENY),
        ("config", "somehow", "config", Effect.UNKNOWN),
    ],
)
def test_claude_code_says_who_let_a_call_run(source: str, decision: str, by: str, effect: Effect) -> None:
    given = {"full_command": "git push --force"}
    made = only(
        events(
            claude("tool_decision", source=source, decision=decision, tool_name="Bash", tool_use_id="toolu_1",
                   tool_parameters=json.dumps(given), permission_mode="acceptEdits")
        ),
        EventKind.DECISION,
    )  # fmt: skip
    assert made.decision is not None
    assert (made.decision.effect, made.decision.by, made.decision.rule, made.phase) == (effect, by, source, Phase.VERDICT)
    assert (made.verb, made.attrs["command"], made.attrs["mode"]) == (Verb.EXEC, "git push --force", "acceptEdits")
    assert names(made, KeyRole.CALL) == ["call:toolu_1"]
    assert names(made, KeyRole.SCOPE) == [f"session:{SESSION}"]
    assert made.vantage is Vantage.AGENT


def test_event_names_stand_with_and_without_prefix_in_attribute_or_body() -> None:
    bare = log("claude-code", None, event__name="tool_decision", tool_name="Read", decision="accept", source="config")
    full = log("anything", None, event__name="claude_code.tool_decision", tool_name="Read", decision="accept", source="config")
    body = log("anything", "claude_code.tool_decision", tool_name="Read", decision="accept", source="config")
    row = {"event.name": "claude_code.tool_decision", "tool_name": "Read", "decision": "accept", "source": "config"}
    table = {"Timestamp": "2026-02-23 11:40:29.275000000", "ServiceName": "claude-code", "Body": "claude_code.tool_decision",
             "LogAttributes": {"tool_name": "Read", "decision": "accept"}}  # fmt: skip
    for record in (bare, full, body, row, table):
        assert only(events(record), EventKind.DECISION).verb is Verb.FILE_READ
        assert IMPORTER.sniff([record]) >= 75
    assert events(log("my-own-service", "tool_decision", event__name="tool_decision", tool_name="Read", decision="accept")) == []


def test_a_result_carries_outcome_and_act_but_is_no_second_call() -> None:
    failed = claude("tool_result", tool_name="Read", tool_use_id="toolu_1", success="false", error="no such file",
                    tool_input='{"file_path":"/etc/x"}', duration_ms="12")  # fmt: skip
    (event,) = events(failed)
    assert (event.phase, event.verb, event.target.name) == (Phase.RESULT, Verb.FILE_READ, "/etc/x")
    assert event.outcome is not None and event.outcome.tool is Tri.NO
    assert (event.attrs["output"], event.attrs["duration_ms"]) == ("no such file", "12")
    spawned = events(claude("tool_result", tool_name="Agent", tool_use_id="t", success="true",
                            tool_input='{"subagent_type":"Explore","prompt":"look"}'))  # fmt: skip
    assert only(spawned, EventKind.INTENT).text == "look"
    told = {"mcp_server_name": "tickets", "mcp_tool_name": "close_ticket"}
    (event,) = events(claude("tool_result", tool_name="mcp_tool", success="true", tool_parameters=json.dumps(told)))
    assert (event.verb, event.target.name, event.target.detail) == (Verb.MCP_CALL, "tickets", "close_ticket")


def test_json_in_a_text_that_does_not_parse_is_left_alone() -> None:
    (event,) = events(claude("tool_result", tool_name="Bash", success="true", tool_input='{"command": "ls'))
    assert (event.verb, "command" in event.attrs) == (Verb.EXEC, False)


@pytest.mark.parametrize("words", ["<REDACTED>", "", "/exit", "<task-notification>done", "<local-command-stdout>x"])
def test_what_is_no_request_of_a_person_is_no_intent(words: str) -> None:
    assert events(claude("user_prompt", prompt=words)) == []


def test_prompts_modes_and_sub_agents() -> None:
    (prompt,) = events(claude("user_prompt", prompt="PAY-3: fix it", user__email="ada@example.com"))
    assert (prompt.kind, prompt.text, prompt.attrs["ticket"]) == (EventKind.INTENT, "PAY-3: fix it", "PAY-3")
    assert prompt.principal is not None and (prompt.principal.name, prompt.principal.kind) == ("ada@example.com", "human")
    (mode,) = events(claude("permission_mode_changed", from_mode="default", to_mode="bypassPermissions", trigger="shift_tab"))
    assert (mode.phase, mode.attrs["mode"]) == (Phase.POSTURE, "bypassPermissions")
    (ended,) = events(claude("subagent_completed", agent_id="a1", agent_type="Explore"))
    assert names(ended, KeyRole.SCOPE) == [f"claude.agent:{SESSION}/a1"]
    assert names(ended, KeyRole.PARENT) == [f"session:{SESSION}"]
    (blocked,) = events(claude("hook_execution_complete", hook_event="UserPromptSubmit", num_blocking="1"))
    assert blocked.decision is not None and (blocked.decision.effect, blocked.decision.by) == (Effect.DENY, "hook")
    assert events(claude("hook_execution_complete", hook_event="PreToolUse", num_blocking="1")) == []
    assert read(IMPORTER, claude("brand_new")).unknown_type == "claude-code/brand_new"


@pytest.mark.parametrize(
    ("decision", "source", "by", "effect"),
    [
        ("approved", "Config", "config", Effect.ALLOW),
        ("approved_for_session", "User", "user", Effect.ALLOW),
        ("approved_with_amendment", "User", "user", Effect.ALLOW),
        ("denied", "AutomatedReviewer", "automated reviewer", Effect.DENY),
        ("abort", "User", "user", Effect.DENY),
    ],
)
def test_codex_says_who_approved(decision: str, source: str, by: str, effect: Effect) -> None:
    record = log("codex_exec", None, event__name="codex.tool_decision", conversation__id=SESSION, call_id="call_9", tool_name="exec_command",
                 tool_namespace="functions", decision=decision, source=source)  # fmt: skip
    (made,) = events(record)
    assert made.decision is not None
    assert (made.decision.effect, made.decision.by, made.point, made.verb) == (effect, by, "codex", Verb.EXEC)
    assert names(made, KeyRole.CALL) == ["call:call_9"]
    assert names(made, KeyRole.SCOPE) == [f"session:{SESSION}"]


def test_codex_starts_with_the_policy_in_force_and_spawns_threads() -> None:
    start = log("codex_exec", None, event__name="codex.conversation_starts", conversation__id=SESSION, approval_policy="never",
                sandbox_policy="danger-full-access")  # fmt: skip
    posture = only(events(start), EventKind.DECISION)
    assert (posture.phase, posture.attrs["mode"], posture.attrs["sandbox"]) == (Phase.POSTURE, "never", "danger-full-access")
    spawn = {
        "event.name": "codex.agent_communication",
        "kind": "spawn",
        "sender_thread_id": "p-1",
        "receiver_thread_id": "c-1",
        "content": "look",
    }
    intent = only(events(spawn), EventKind.INTENT)
    assert (intent.phase, names(intent, KeyRole.SCOPE), names(intent, KeyRole.PARENT)) == (
        Phase.DELEGATED,
        ["session:c-1"],
        ["session:p-1"],
    )


def test_a_time_of_zero_is_none_and_the_event_s_own_counts() -> None:
    record = log("codex_exec", None, event__name="codex.user_prompt", prompt="go", event__timestamp="2026-11-22T23:17:04.062Z")
    record["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0] |= {
        "timeUnixNano": "0",
        "observedTimeUnixNano": "1795389424062077586",
    }
    (event,) = events(record)
    assert event.at == 1795389424062000


def gemini(**given: Any) -> dict[str, Any]:
    return {
        "hrTime": [1795389815, 374000000],
        "spanContext": {"traceId": TRACE, "spanId": PARENT, "traceFlags": 1},
        "resource": {"_rawAttributes": [["service.name", "gemini-cli"]]},
        "attributes": {"event.name": "gemini_cli.tool_call", "session.id": SESSION, "function_name": "run_shell_command",
                       "function_args": '{"command": "rm -rf build"}', **given},
        "_body": "Tool call",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "effect", "by", "refused"),
    [
        ({"success": True, "decision": "accept"}, Effect.ALLOW, "config or user", None),
        ({"success": True, "decision": "auto_accept"}, Effect.ALLOW, "config", None),
        ({"success": False, "decision": "reject"}, Effect.DENY, "user", "user"),
        (
            {"success": False, "error_type": "policy_violation", "error": "Tool execution denied by policy."},
            Effect.DENY,
            "policy",
            "rule",
        ),
        ({"success": False, "error": 'Tool "run_shell_command" was canceled by the user.'}, Effect.DENY, "user", "user"),
    ],
)
def test_gemini_decisions(given: dict[str, Any], effect: Effect, by: str, refused: str | None) -> None:
    made = events(gemini(**given))
    verdict, result = only(made, EventKind.DECISION), only(made, EventKind.ACTION)
    assert verdict.decision is not None and (verdict.decision.effect, verdict.decision.by) == (effect, by)
    assert (result.attrs.get("refused"), result.attrs["command"], result.point) == (refused, "rm -rf build", "gemini-cli")


def test_gemini_proves_no_decision_where_it_states_none() -> None:
    (result,) = events(gemini(success=False, error_type="tool_not_registered", error='Tool "x" not found.'))
    assert (result.phase, result.attrs["status"]) == (Phase.RESULT, "tool_not_registered")


# GenAI conventions


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


MCP = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "close_ticket", "mcp.session.id": "s1", "jsonrpc.request.id": "7"}


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


# Joined


def of_files(*paths: Path) -> list[Event]:
    found: list[Event] = []
    for path in paths:
        source = open_source(BytesIO(path.read_bytes()))
        reader = source.importer.open()
        for order, item in enumerate(source.items()):
            if isinstance(item, RawRecord):
                for n, event in enumerate(reader.read(decode(item.data)).events):
                    event.record, event.order, event.format = f"{path.name}:{order}", order, source.format
                    event.id = f"{event.record}:{n}"
                    found.append(enrich(event))
    return found


def test_a_transcript_and_its_telemetry_are_one_step_per_call(corpus: Path) -> None:
    for name in ("tui-no-with-words", "sub-agents", "hook-denies"):
        folder = corpus / "claude-code-live/2.1.330" / name
        transcripts = sorted(folder.glob("projects/**/*.jsonl"))
        alone = stitch(of_files(*transcripts), OrgFacts())
        both = stitch(of_files(*transcripts, folder / "otel-logs.jsonl", folder / "otel-traces.jsonl"), OrgFacts())
        before = {(task, one.call) for task, chain in alone.chains.items() for one in chain.steps}
        steps = {(task, one.call): one for task, chain in both.chains.items() for one in chain.steps}
        assert steps.keys() == before
        decided = Counter(
            call for (_, call), one in steps.items() for item in one.decisions if item.record.startswith("otel-logs")
        )
        logged = [
            one for one in (folder / "otel-logs.jsonl").read_text().split('"claude_code.') if one.startswith("tool_decision")
        ]
        assert decided == Counter(
            "call:" + one.split('"tool_use_id", "value": {"stringValue": "')[1].split('"')[0] for one in logged
        )
        joined = {
            link.key
            for one in steps.values()
            for link in one.links
            if link.target.startswith("otel-logs") and link.kind == "exact"
        }
        assert decided.keys() <= joined


def test_a_codex_rollout_and_its_telemetry_are_one_step_per_call(corpus: Path, tmp_path: Path) -> None:
    (rollout,) = sorted((corpus / "codex-live/runs/app-rules-decline").glob("rollout-*.jsonl"))
    lines = (corpus / "codex-live/otel.jsonl").read_text().splitlines()
    told = tmp_path / "otel.jsonl"
    told.write_text("\n".join(line for line in lines if json.loads(line)["job"] == "app-rules-decline"))
    alone = stitch(of_files(rollout), OrgFacts())
    both = stitch(of_files(rollout, told), OrgFacts())
    assert len(both.chains) == 1
    ((task, chain),) = both.chains.items()
    before, after = Counter(one.call for one in alone.chains[task].steps), Counter(one.call for one in chain.steps)
    # Calls within a script that were refused stand in the telemetry alone.
    assert before <= after and max(after.values()) == 1
    assert all(call.startswith("call:exec-") for call in after - before)
    told_of = {one.call for one in chain.steps for item in one.decisions if item.record.startswith("otel.jsonl")}
    assert told_of & before.keys()


# The corpus, counted by other means


def test_corpus_counts_agree_with_plain_json(corpus: Path) -> None:
    expected: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    paths = [*corpus.glob("claude-code-live/*/*/otel-*.jsonl"), corpus / "codex-live/otel.jsonl", *corpus.glob("gemini-cli-live/*/telemetry.log"),
             *corpus.glob("otlp-genai/*/*.jsonl"), *corpus.glob("assay/*/*__trace.json")]  # fmt: skip
    assert len(paths) > 90
    for path in paths:
        text = path.read_text()
        for word in (
            "claude_code.tool_decision",
            "claude_code.tool_result",
            "gemini_cli.tool_call",
            "codex.tool_decision",
            "codex.tool_result",
        ):
            expected[word] += text.count(f'"event.name": "{word}"') + text.count(f'"stringValue": "{word}"')
        expected["execute_tool"] += text.count('{"stringValue":"execute_tool"}')
        parsed, rejects = whole(text, "otlp")
        assert not rejects
        for event in (event for one in parsed for event in one.events):
            assert event.attrs.keys() <= ATTRS.keys()
            result, verdict = event.phase is Phase.RESULT, event.phase is Phase.VERDICT
            by = event.decision.by if event.decision else ""
            # Of a span a result tells its length as a number, of a log record as it was logged.
            logged = isinstance(event.attrs.get("duration_ms"), str)
            if event.point == "claude-code":
                seen["claude_code.tool_decision"] += verdict and event.tool != "" and path.name == "otel-logs.jsonl"
                seen["claude_code.tool_result"] += result and path.name == "otel-logs.jsonl"
            elif event.point == "codex":
                seen["codex.tool_decision"] += verdict and by in ("config", "user", "automated reviewer")
                seen["codex.tool_result"] += result
            elif event.point == "gemini-cli":
                seen["gemini_cli.tool_call"] += result and logged
            seen["execute_tool"] += path.parent.parent.name == "otlp-genai" and event.phase is Phase.CALL
    assert seen == expected


def test_it_is_found_by_the_registry_and_takes_nothing_else(corpus: Path) -> None:
    assert importers()["otlp"] is IMPORTER
    for path in [
        *corpus.glob("claude-code/**/*.jsonl"),
        *corpus.glob("codex/**/*.jsonl"),
        *corpus.glob("claude-code-live/*/*/hooks.jsonl"),
        *corpus.glob("ocsf/*/*"),
        *corpus.glob("opa-decision-logs/*/*"),
    ]:
        sample = []
        for line in path.read_bytes().splitlines()[:50]:
            try:
                sample.append(json.loads(line))
            except ValueError:
                continue
        assert IMPORTER.sniff(sample) == 0, path


HOSTILE: list[dict[str, object]] = [
    span("execute_tool x", given=TOOL), span("tools/call x", "mcp-gateway", kind=2, given=MCP), claude("tool_decision", tool_name="Bash"),
    claude("tool_result", tool_name="Agent", tool_input='{"prompt":"x"}'), gemini(success=True), spellings()["the Python SDK"],
    log("codex_exec", None, event__name="codex.tool_result", tool_name="exec", arguments="x", output="y"),
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(mutated(HOSTILE))
def test_anything_at_all_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
    IMPORTER.sniff([record])
