"""Cedar: Cedarling's records, local decisions in every spelling of an entity, Verified Permissions in CloudTrail, AgentCore."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from importers.agentcore import IMPORTER as AGENTCORE
from importers.cedar import IMPORTER
from importers.cedar_entity import Entity, entity
from importers.cloudtrail import IMPORTER as CLOUDTRAIL
from importers.otlp import IMPORTER as OTLP
from model.event import BadRecord
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from tests.importer_checks import JSON, joined, mutated, names, only, read, survives, whole

SESSION = "8f0c6a8e-3f57-4d6e-9a5e-3c6f5f0f9a11"
TRACE = "ab" * 16
Record = dict[str, object]
LOCAL: Record = {
    "timestamp": "2026-06-01T10:00:00Z",
    "request_id": "r-1",
    "principal": 'Acme::Agent::"claude-code"',
    "action": 'Acme::Action::"git_push"',
    "resource": 'Acme::Repository::"acme/pay"',
    "context": {"session_id": SESSION, "tool_use_id": "toolu_1", "input": {"branch": "main"}},
    "decision": "Deny",
    "diagnostics": {"reason": ["no-prod-push"], "errors": []},
}
CEDARLING: Record = {
    "id": "l-1",
    "request_id": "r-2",
    "timestamp": "2026-06-01T10:00:00.339Z",
    "log_kind": "Decision",
    "pdp_id": "p-1",
    "policystore_id": "store-1",
    "policystore_version": "undefined",
    "principal": ["Jans::User"],
    "User": {"email": {"domain": "acme.example", "uid": "dev"}},
    "diagnostics": {"reason": [{"id": "840da5", "description": "policy for user"}], "errors": []},
    "action": 'Jans::Action::"Update"',
    "resource": 'Jans::Issue::"ACME-1"',
    "decision": "ALLOW",
    "tokens": {"access_token": {"jti": "jti-1"}},
    "decision_time_micro_sec": 3000,
    "application_id": "desk",
}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('PhotoFlash::User::"alice"', Entity("User", "alice")),
        ('User::"a\\"b"', Entity("User", 'a"b')),
        ({"type": "Ns::User", "id": "alice"}, Entity("User", "alice")),
        ({"entityType": "PhotoFlash::User", "entityId": "alice"}, Entity("User", "alice")),
        ({"actionType": "PhotoFlash::Action", "actionId": "View"}, Entity("Action", "View")),
        ({"__entity": {"type": "User", "id": "alice"}}, Entity("User", "alice")),
        ("alice", Entity("", "alice")),
        (7, Entity("", "7")),
        (None, Entity("", "")),
    ],
)
def test_entities(value: object, found: Entity) -> None:
    assert entity(value) == found


def test_local_decision() -> None:
    (parsed,), _ = whole(json.dumps(LOCAL), "cedar")
    verdict = only(parsed.events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.rule) == (Effect.DENY, "no-prod-push")
    assert (verdict.verb, verdict.target.cls, verdict.target.name) == (Verb.REPO_WRITE, TargetClass.REPOSITORY, "acme/pay")
    assert names(verdict, KeyRole.SCOPE) == [f"session:{SESSION}"]
    assert names(verdict, KeyRole.CALL) == ["call:toolu_1", "request:r-1"]
    assert verdict.principal is not None
    assert (verdict.principal.name, verdict.principal.kind) == ("claude-code", "agent")


def test_request_and_response_apart() -> None:
    record = {
        "time": "2026-06-01T10:00:00Z",
        "request": {name: LOCAL[name] for name in ("principal", "action", "resource", "context")},
        "response": {"decision": "ALLOW", "determiningPolicies": [{"policyId": "p1"}, {"policyId": "p2"}], "errors": []},
    }
    (parsed,), _ = whole(json.dumps(record), "cedar")
    decision = only(parsed.events, EventKind.DECISION).decision
    assert decision is not None
    assert (decision.effect, decision.rule) == (Effect.ALLOW, "p1,p2")


def test_cedarling() -> None:
    system = {
        "id": "s",
        "timestamp": "2026-06-01T10:00:00Z",
        "log_kind": "System",
        "pdp_id": "p-1",
        "level": "INFO",
        "msg": "started",
    }
    text = "2026 text of the program itself\n" + "\n".join(json.dumps(r) for r in (system, CEDARLING)) + "\nResult: ALLOW\n"
    parsed, _ = whole(text, "cedar")
    assert (parsed[0].type, parsed[0].events) == ("System", [])
    verdict = only(parsed[1].events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.rule, verdict.decision.reason, verdict.decision.policy) == ("840da5", "policy for user", "store-1")
    assert verdict.principal is not None
    assert (verdict.principal.name, verdict.point) == ("dev@acme.example", "cedar:desk")
    assert "policy_revision" not in verdict.attrs
    assert names(only(parsed[1].events, EventKind.CREDENTIAL), KeyRole.CREDENTIAL) == ["jti:jti-1"]
    workload = CEDARLING | {"principal": "User & Workload", "User": None, "Workload": {"client_id": "ci"}}
    who = read(IMPORTER, workload).events[0].principal
    assert who is not None
    assert (who.name, who.kind) == ("ci", "workload")


def test_errors_are_part_of_the_reason() -> None:
    record = LOCAL | {"diagnostics": {"reason": [], "errors": ["while evaluating policy0: no such attribute"]}}
    decision = read(IMPORTER, record).events[0].decision
    assert decision is not None
    assert decision.reason == "error: while evaluating policy0: no such attribute"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({name: value for name, value in LOCAL.items() if name != "action"}, "without action"),
        (LOCAL | {"principal": None, "resource": ""}, "without principal, resource"),
        (LOCAL | {"decision": "Maybe"}, "neither Allow nor Deny: 'Maybe'"),
        ([], "without principal, action, resource, decision"),
    ],
)
def test_refused(record: object, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        read(IMPORTER, record)


ASKED: Record = {
    "principal": {"entityType": "Acme::User", "entityId": "alice"},
    "action": {"actionType": "Acme::Action", "actionId": "ViewPhoto"},
    "resource": {"entityType": "Acme::Photo", "entityId": "p.jpg"},
}
TRAIL: Record = {
    "eventVersion": "1.08",
    "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/App/x", "accessKeyId": "ASIAEXAMPLE"},
    "eventTime": "2026-06-01T10:00:00Z",
    "eventSource": "verifiedpermissions.amazonaws.com",
    "eventName": "IsAuthorized",
    "requestParameters": ASKED | {"policyStoreId": "PS1"},
    "responseElements": None,
    "additionalEventData": {"decision": "DENY"},
    "requestID": "req-1",
    "eventID": "ev-1",
    "recipientAccountId": "1",
    "eventCategory": "Data",
}


def test_verified_permissions_in_cloudtrail() -> None:
    events = read(CLOUDTRAIL, TRAIL).events
    verdict = only(events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.policy, verdict.point) == (Effect.DENY, "PS1", "verifiedpermissions:PS1")
    assert verdict.principal is not None
    assert (verdict.principal.name, verdict.vantage, verdict.at) == ("alice", Vantage.ENFORCER, 1_780_308_000_000_000)
    assert names(verdict, KeyRole.CALL) == ["request:req-1"]
    assert names(only(events, EventKind.CREDENTIAL), KeyRole.CREDENTIAL) == ["aws.key:ASIAEXAMPLE"]
    batch = TRAIL | {
        "eventName": "BatchIsAuthorized",
        "requestParameters": {"requests": [ASKED, ASKED], "policyStoreId": "PS1"},
        "additionalEventData": {
            "results": [{"request": ASKED, "decision": "ALLOW"}, {"request": ASKED, "decision": "DENY"}, "x"]
        },
    }
    said = [e.decision.effect for e in read(CLOUDTRAIL, batch).events if e.decision]
    assert said == [Effect.ALLOW, Effect.DENY]
    unsaid = read(CLOUDTRAIL, TRAIL | {"additionalEventData": None}).events
    assert not [e for e in unsaid if e.decision]
    refused = read(CLOUDTRAIL, TRAIL | {"errorCode": "AccessDenied"}).events
    assert only(refused, EventKind.DECISION).point == "cloudtrail:1"


def span(name: str, **attributes: object) -> Record:
    return {
        "name": name,
        "traceId": TRACE,
        "spanId": f"s-{name}",
        "startTimeUnixNano": 1780308000000000000,
        "attributes": {"aws.request.id": "req-1", "aws.agentcore.gateway.policy.mode": "ENFORCE"} | attributes,
    }


POLICY = "aws.agentcore.policy."
AUTHORIZED = span("AgentCore.Policy.AuthorizeAction", **{POLICY + "authorization_decision": "DENY",
                  POLICY + "determining_policies": ["cap-1"], POLICY + "authorization_reason": "denied due to cap-1"})  # fmt: skip
INVOKED = span("AgentCore.Gateway.InvokeTool", **{"tool.name": "shop___refund", POLICY + "authorization_decision": "DENY"})


def test_agentcore_spans() -> None:
    parsed, _ = whole("\n".join(json.dumps(r) for r in (INVOKED, AUTHORIZED)), "agentcore")
    verdict = only(parsed[1].events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.rule, verdict.decision.reason) == (
        Effect.DENY,
        "cap-1",
        "denied due to cap-1",
    )
    result = only(parsed[0].events, EventKind.ACTION)
    assert (result.phase, result.tool, result.target.name, result.attrs["refused"]) == (Phase.RESULT, "refund", "shop", "rule")
    assert names(verdict, KeyRole.SCOPE) == [f"trace:{TRACE}"]
    (chain,) = joined(*parsed).chains.values()
    assert len(chain.steps) == 1
    listing = span(
        "AgentCore.Policy.PartiallyAuthorizeActions",
        **{POLICY + "denied_tools": ["shop___refund"], POLICY + "allowed_tools": ["a"]},
    )
    hidden = only(read(AGENTCORE, listing).events, EventKind.DECISION).decision
    assert hidden is not None
    assert (hidden.effect, hidden.reason) == (Effect.DENY, "not listed: shop___refund")
    assert read(AGENTCORE, span("AgentCore.Gateway.Initialize")).events == []
    assert read(AGENTCORE, span("GET /health")).events == []


def test_an_agents_own_spans_among_a_gateways_and_the_other_way_round() -> None:
    agent = span("execute_tool shop___refund", **{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "shop___refund"})
    agent |= {"spanId": "00000000000000a1", "endTimeUnixNano": 1780308001000000000}
    allowed = {POLICY + "authorization_decision": "ALLOW"}
    invoked = span("AgentCore.Gateway.InvokeTool", **{"tool.name": "shop___refund", "aws.request.id": "g-1"}, **allowed)
    invoked |= {"spanId": "00000000000000b2", "parentSpanId": "00000000000000a1", "status": {"code": "OK"}}
    engine = span(
        "AgentCore.Policy.AuthorizeAction", **{"aws.request.id": "p-1", POLICY + "determining_policies": ["base-1"]}, **allowed
    )
    engine |= {"spanId": "00000000000000c3", "parentSpanId": "00000000000000b2"}
    passed = span("AgentCore.Gateway.InvokeTool.shop___refund", **{"tool.name": "shop___refund"})
    for order, expected in (((invoked, agent, engine, passed), "agentcore"), ((agent, invoked, engine, passed), "agentcore")):
        parsed, _ = whole("\n".join(json.dumps(r) for r in order), expected)
        (chain,) = joined(*parsed).chains.values()
        (step,) = chain.steps
        assert {one.decision.effect for one in step.decisions if one.decision} == {Effect.ALLOW}
        assert [one.decision.rule for one in step.decisions if one.decision and one.decision.rule] == ["base-1"]
        assert {one.tool for one in step.decisions} == {"refund", ""}
        assert parsed[3].events == []
    assert read(OTLP, invoked).events[0].tool == "refund"


def test_a_batch_is_a_step_for_each_thing_asked() -> None:
    batch = TRAIL | {
        "eventName": "BatchIsAuthorized",
        "requestParameters": {"requests": [ASKED, ASKED], "policyStoreId": "PS1"},
        "additionalEventData": {"results": [{"request": ASKED, "decision": "ALLOW"}, {"request": ASKED, "decision": "DENY"}]},
    }
    verdicts = [e for e in read(CLOUDTRAIL, batch).events if e.decision]
    assert [names(e, KeyRole.CALL) for e in verdicts] == [["request:req-1/0"], ["request:req-1/1"]]


def test_who_a_token_is_of_is_not_the_application_that_asks() -> None:
    asked = {name: value for name, value in ASKED.items() if name != "principal"} | {"policyStoreId": "PS1"}
    verdict = only(
        read(CLOUDTRAIL, TRAIL | {"eventName": "IsAuthorizedWithToken", "requestParameters": asked}).events, EventKind.DECISION
    )
    assert verdict.principal is None


@pytest.mark.parametrize(
    ("action", "resource", "verb"),
    [
        ("Read", "File", Verb.FILE_READ),
        ("Read", "Issue", Verb.UNKNOWN),
        ("Create", "Issue", Verb.TICKET_OPEN),
        ("Delete", "Issue", Verb.TICKET_UPDATE),
        ("Delete", "Repository", Verb.REPO_WRITE),
        ("Write", "Workflow", Verb.CI_MODIFY),
        ("Read", "Bucket", Verb.CLOUD_CALL),
        ("Delete", "Namespace", Verb.CLUSTER_CALL),
        ("Read", "Table", Verb.DB_QUERY),
        ("Delete", "Album", Verb.UNKNOWN),
    ],
)
def test_an_action_word_means_what_it_does_to_the_resource(action: str, resource: str, verb: Verb) -> None:
    record = CEDARLING | {"action": f'Jans::Action::"{action}"', "resource": f'Jans::{resource}::"x"'}
    assert read(IMPORTER, record).events[0].verb is verb


def test_cedarlings_first_releases() -> None:
    record = {
        "id": "l-0",
        "time": 1780308000,
        "log_kind": "Decision",
        "pdp_id": "p-1",
        "application_id": "desk",
        "action": 'Jans::Action::"Read"',
        "resource": 'Jans::Application::"some_id"',
        "context": {"network": "127.0.0.1"},
        "person_principal": 'Jans::User::"dev"',
        "person_diagnostics": {"reason": ["p1"], "errors": []},
        "person_decision": "ALLOW",
        "workload_principal": 'Jans::Workload::"ci"',
        "workload_diagnostics": {"reason": [], "errors": []},
        "workload_decision": "DENY",
        "authorized": False,
    }
    (parsed,), _ = whole(json.dumps(record), "cedar")
    verdict = only(parsed.events, EventKind.DECISION)
    assert verdict.decision is not None
    assert verdict.principal is not None
    assert (verdict.decision.effect, verdict.decision.rule, verdict.principal.name) == (Effect.DENY, "p1", "dev")
    assert (verdict.target.name, verdict.target.detail, verdict.at) == ("some_id", "Application", 1_780_308_000_000_000)
    named = CEDARLING | {"principal": ['Jans::Workload::"ci"'], "User": None}
    who = read(IMPORTER, named).events[0].principal
    assert who is not None
    assert (who.name, who.kind) == ("ci", "workload")
    assert read(IMPORTER, CEDARLING | {"principal": [], "User": None}).events[0].principal is None


@pytest.mark.parametrize(
    ("more", "tool"),
    [
        ({}, Tri.UNKNOWN),
        ({"endTimeUnixNano": 1780308001000000000}, Tri.YES),
        ({"status": {"code": "OK"}}, Tri.YES),
        ({"status": {"code": "ERROR"}, "endTimeUnixNano": 1780308001000000000}, Tri.NO),
    ],
)
def test_an_agentcore_call_went_well_only_where_its_span_has_an_end(more: Record, tool: Tri) -> None:
    result = only(
        read(AGENTCORE, span("AgentCore.Gateway.InvokeTool", **{"tool.name": "shop___refund"}) | more).events, EventKind.ACTION
    )
    assert result.outcome is not None
    assert result.outcome.tool is tool


def test_agentcore_that_only_logs_kept_nothing_from_running() -> None:
    attributes = AUTHORIZED["attributes"] | {"aws.agentcore.gateway.policy.mode": "LOG_ONLY"}  # type: ignore[operator]
    decision = read(AGENTCORE, AUTHORIZED | {"attributes": attributes}).events[0].decision
    assert decision is not None
    assert decision.effect is Effect.ALLOW
    assert decision.reason.startswith("not enforced (LOG_ONLY), would have been denied")


def gateway(log: str, **body: object) -> Record:
    return {
        "resource_arn": "arn:aws:bedrock-agentcore:eu-west-1:1:gateway/shop-gw",
        "event_timestamp": 1780308000000,
        "request_id": "req-1",
        "trace_id": TRACE,
        "span_id": "s",
        "body": {"isError": False, "log": log} | body,
    }


def test_agentcore_application_log() -> None:
    asked = "{id=13, jsonrpc=2.0, method=tools/call, params={arguments={q={deep=1}, amount=5}, name=shop___refund}}"
    policy = {
        "decision": "DENY",
        "policyEngineArn": "arn:x:policy-engine/e1",
        "determiningPolicies": ["cap-1"],
        "reason": "denied due to cap-1",
        "principal": {"entityType": "AgentCore::IamEntity", "entityId": "arn:aws:iam::1:user/sa"},
    }
    records = [
        gateway("Tool Execution Denied: Tool call not allowed", isError=True),
        gateway("Policy evaluation denied request", policy=policy),
        gateway("Started processing request", requestBody=asked),
        gateway("Started processing request", requestBody="{jsonrpc=2.0, method=tools/list, id=1}"),
    ]
    parsed, _ = whole("\n".join(json.dumps(r) for r in records), "agentcore")
    (said, denied), (verdict,), (asked_for,) = (p.events for p in parsed[:3])
    assert said.decision is not None
    assert (said.decision.effect, said.decision.reason) == (Effect.DENY, "Tool call not allowed")
    assert parsed[3].events == []
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.rule, verdict.decision.policy) == (Effect.DENY, "cap-1", "e1")
    assert verdict.principal is not None
    assert (verdict.principal.name, verdict.point) == ("arn:aws:iam::1:user/sa", "agentcore:shop-gw")
    assert (asked_for.phase, asked_for.tool, asked_for.target.name) == (Phase.CALL, "refund", "shop")
    assert denied.outcome is not None
    assert (denied.outcome.tool, denied.attrs["refused"]) == (Tri.NO, "rule")
    (chain,) = joined(*parsed).chains.values()
    assert len(chain.steps) == 1
    with pytest.raises(BadRecord, match="neither ALLOW nor DENY"):
        read(AGENTCORE, gateway("x", policy={"decision": "?"}))
    with pytest.raises(BadRecord, match="neither an AgentCore span"):
        read(AGENTCORE, {"name": "x"})


def interpreter(asked: object, failed: object = False) -> Record:
    return {
        "resource_arn": "arn:aws:bedrock-agentcore:eu-west-1:1:code-interpreter/aws.codeinterpreter.v1",
        "event_timestamp": 1780308001000,
        "timeUnixNano": 1780308000000000000,
        "request_id": "req-2",
        "tool_session_id": "01TOOL",
        "operation": "InvokeCodeInterpreter",
        "traceId": TRACE,
        "spanId": "s-2",
        "body": {"request_payload": asked, "response_payload": {"content": [], "isError": failed}},
    }


def test_what_the_agentcore_code_interpreter_ran() -> None:
    ran = read(AGENTCORE, interpreter({"name": "executeCommand", "arguments": {"command": "git push"}}, failed=True)).events
    assert [(e.phase, e.verb, e.attrs["command"], e.vantage) for e in ran] == [
        (phase, Verb.EXEC, "git push", Vantage.TARGET) for phase in (Phase.CALL, Phase.RESULT)
    ]
    assert ran[1].outcome is not None
    assert (ran[1].outcome.tool, ran[1].at) == (Tri.NO, 1_780_308_000_000_000)
    assert names(ran[0], KeyRole.SCOPE) == ["session:01TOOL", f"trace:{TRACE}"]
    code = read(AGENTCORE, interpreter({"name": "executeCode", "arguments": {"code": "import os"}})).events[0]
    assert (code.verb, [one.text for one in code.operations], "command" in code.attrs) == (Verb.EXEC, ["import os"], False)
    long = '{"name":"writeFiles","arguments":{"content":[{"path":"a.csv","text":"1"},{"path":"b.csv"}]}}'
    wrote = read(AGENTCORE, interpreter({"truncatedPayload": long})).events[0]
    assert (wrote.verb, wrote.target.name) == (Verb.FILE_WRITE, "a.csv")
    assert [one.target.name for one in wrote.operations] == ["a.csv", "b.csv"]
    cut = read(AGENTCORE, interpreter({"truncatedPayload": long[:40]})).events
    assert [(e.verb, e.tool, e.target.name) for e in cut] == [(Verb.FILE_WRITE, "writeFiles", "")] * 2
    assert len(read(AGENTCORE, interpreter({"name": "getTask", "arguments": {"taskId": "t"}}, failed=None)).events) == 1
    runtime = interpreter({"prompt": "hello"}) | {"resource_arn": "arn:aws:bedrock-agentcore:eu-west-1:1:runtime/r"}
    assert (read(AGENTCORE, runtime).events, read(AGENTCORE, interpreter({"no": "name"})).events) == ([], [])


def test_a_call_the_agentcore_gateway_passes_on_is_one_step_however_often_it_is_told() -> None:
    asked = "{id=13, jsonrpc=2.0, method=tools/call, params={name=shop___refund}}"
    passed = gateway("Processing request for tool shop___refund from target SHOP1")
    (told,) = read(AGENTCORE, passed).events
    assert (told.phase, told.verb, told.tool, told.target.name) == (Phase.CALL, Verb.MCP_CALL, "refund", "shop")
    both, _ = whole("\n".join(json.dumps(r) for r in (gateway("Started", requestBody=asked), passed)), "agentcore")
    (chain,) = joined(*both).chains.values()
    assert len(chain.steps) == 1


@given(mutated([LOCAL, CEDARLING]) | JSON)
def test_hostile_cedar_records(record: object) -> None:
    survives(IMPORTER, record)


@given(
    mutated(
        [
            AUTHORIZED,
            INVOKED,
            gateway("x", policy={"decision": "ALLOW"}, requestBody="{method=tools/call}"),
            interpreter({"name": "readFiles", "arguments": {"paths": ["a"]}}),
        ]
    )
    | JSON
)
def test_hostile_agentcore_records(record: object) -> None:
    survives(AGENTCORE, record)


@given(mutated([TRAIL]))
def test_hostile_trail_records(record: object) -> None:
    survives(CLOUDTRAIL, record)


def test_a_body_full_of_braces_is_read_at_once() -> None:
    read(AGENTCORE, gateway("x", requestBody="{method=tools/call, params={" + "{" * 20_000 + "name="))
    read(AGENTCORE, gateway("x", requestBody="{method=tools/call, params=" + "{a={b=" * 20_000))
    read(AGENTCORE, gateway("x", requestBody="{method=tools/call, params={" + "{x}" * 20_000))
    read(AGENTCORE, gateway("x", requestBody="{method=tools/call, " + "params={" * 5_000))
