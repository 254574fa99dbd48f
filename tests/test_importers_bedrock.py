"""Bedrock invocations: the request CloudTrail knows too, the caller, and guardrails that stepped in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from importers.bedrock import IMPORTER
from importers.bookmark import memory
from importers.cloudtrail import IMPORTER as CLOUDTRAIL
from model.event import BadRecord
from model.words import Clock, Effect, EventKind, KeyRole, Phase, Tri, Vantage, Verb
from tests.importer_checks import JSON, all_of, joined, mutated, names, only, read, survives

SESSION = "8f0c6a8e-3f57-4d6e-9a5e-3c6f5f0f9a11"
Record = dict[str, object]
LOG: Record = {
    "schemaType": "ModelInvocationLog",
    "schemaVersion": "1.0",
    "timestamp": "2026-06-01T10:00:00Z",
    "accountId": "111111111111",
    "identity": {"arn": f"arn:aws:sts::111111111111:assumed-role/Agent/agent-{SESSION}"},
    "region": "eu-west-1",
    "requestId": "req-1",
    "operation": "InvokeModel",
    "modelId": "anthropic.claude",
    "input": {"inputBodyJson": {"messages": []}},
    "output": {"outputBodyJson": {"content": []}},
}


def test_call_and_caller() -> None:
    effect = only(read(IMPORTER, LOG).events, EventKind.EFFECT)
    assert (effect.verb, effect.target.name, effect.target.detail) == (Verb.CLOUD_CALL, "bedrock:InvokeModel", "anthropic.claude")
    assert names(effect, KeyRole.SCOPE) == [f"session:{SESSION}"]
    assert names(effect, KeyRole.CALL) == ["request:req-1"]
    assert (effect.point, effect.attrs["region"], effect.attrs["model"]) == (
        "bedrock:111111111111",
        "eu-west-1",
        "anthropic.claude",
    )
    tagged = LOG | {"identity": {"arn": "arn:aws:iam::1:user/x"}, "requestMetadata": {"session_id": SESSION}}
    assert names(only(read(IMPORTER, tagged).events, EventKind.EFFECT), KeyRole.SCOPE) == [f"session:{SESSION}"]


def test_cloudtrail_saw_the_same_request() -> None:
    trail = {
        "eventVersion": "1.09", "eventTime": "2026-06-01T10:00:00Z", "eventSource": "bedrock.amazonaws.com", "eventName": "InvokeModel",
        "awsRegion": "eu-west-1", "requestID": "req-1", "eventID": "e-1", "recipientAccountId": "111111111111",
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111111111111:assumed-role/Agent/x", "accessKeyId": "ASIAX"},
        "requestParameters": {"modelId": "anthropic.claude"}, "responseElements": None,
    }  # fmt: skip
    (chain,) = joined(read(IMPORTER, LOG), read(CLOUDTRAIL, trail)).chains.values()
    (step,) = chain.steps
    assert len(step.effects) == 2


@pytest.mark.parametrize(
    ("body", "effect", "reason"),
    [
        ({"stopReason": "guardrail_intervened"}, Effect.DENY, "guardrail_intervened"),
        ({"amazon-bedrock-guardrailAction": "INTERVENED", "amazon-bedrock-trace": {"guardrail": {"actionReason": "Guardrail blocked.",
          "input": {"gr1": {}}}}}, Effect.DENY, "Guardrail blocked."),
        ({"amazon-bedrock-guardrailAction": "NONE"}, Effect.ALLOW, ""),
        ([{"contentBlockDelta": {}}, {"messageStop": {"stopReason": "guardrail_intervened"}}], Effect.DENY, "guardrail_intervened"),
        ({"stopReason": "end_turn"}, None, ""),
        ({"stopReason": "end_turn", "trace": {"guardrail": {"inputAssessment": {}}}}, Effect.ALLOW, "end_turn"),
        ({"trace": {"guardrail": {"inputAssessment": {}}}}, None, ""),
        ('{"amazon-bedrock-guardrailAction": "INTERVENED"}', Effect.DENY, "guardrail intervened"),
        ({"amazon-bedrock-guardrailAction": "INTERVENED", "amazon-bedrock-trace": {"guardrail": {"actionReason": "Guardrail masked."}}},
         Effect.ALLOW, "Guardrail masked."),
        ([{"messageStop": {"stopReason": "guardrail_intervened"}}, {"metadata": {"trace": {"guardrail": {"outputAssessments": {"gr1": [
          {"sensitiveInformationPolicy": {"piiEntities": [{"type": "EMAIL", "action": "ANONYMIZED"}]}}]}}}}}],
         Effect.ALLOW, "the guardrail masked what it found"),
        ({"stopReason": "guardrail_intervened", "trace": {"guardrail": {"inputAssessment": {"gr1": {"topicPolicy": {"topics": [
          {"action": "BLOCKED"}]}, "sensitiveInformationPolicy": {"piiEntities": [{"action": "ANONYMIZED"}]}}}}}},
         Effect.DENY, "guardrail_intervened"),
        ([{"delta": {"text": "Sorry"}, "amazon-bedrock-guardrailAction": "INTERVENED"}, {"delta": {"stop_reason": "end_turn"}}, "[DONE]"],
         Effect.DENY, "guardrail intervened"),
    ],
)  # fmt: skip
def test_guardrails(body: object, effect: Effect | None, reason: str) -> None:
    events = read(IMPORTER, LOG | {"output": {"outputBodyJson": body}}).events
    found = [(e.decision.effect, e.decision.reason) for e in events if e.decision]
    assert found == ([(effect, reason)] if effect else [])
    outcome = only(events, EventKind.EFFECT).outcome
    assert outcome is not None
    assert outcome.effect is (Tri.NO if effect is Effect.DENY else Tri.YES)


@pytest.mark.parametrize("place", ["input", "inputAssessment", "outputs", "outputAssessments"])
def test_the_guardrail_is_named_by_its_assessments(place: str) -> None:
    assessed = [{"gr1": {}}] if place.startswith("out") else {"gr1": {}}
    body = {"stopReason": "guardrail_intervened", "trace": {"guardrail": {place: assessed}}}
    decision = only(read(IMPORTER, LOG | {"output": {"outputBodyJson": body}}).events, EventKind.DECISION).decision
    assert decision is not None
    assert decision.policy == "gr1"


def test_failures_and_times() -> None:
    events = read(IMPORTER, LOG | {"errorCode": "AccessDeniedException"}).events
    decision, outcome = only(events, EventKind.DECISION).decision, only(events, EventKind.EFFECT).outcome
    assert decision is not None
    assert outcome is not None
    assert (decision.effect, outcome.effect) == (Effect.DENY, Tri.NO)
    throttled = read(IMPORTER, LOG | {"errorCode": "ThrottlingException"}).events
    assert [e.kind for e in throttled] == [EventKind.EFFECT]
    naive = read(IMPORTER, LOG | {"timestamp": "2026-06-01 10:00:00.000000000"}).events[0]
    assert naive.clock is Clock.ZONE_ASSUMED


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (LOG | {"requestId": ""}, "without requestId"),
        ({"schemaType": "ModelInvocationLog"}, "without requestId and operation"),
        (LOG | {"timestamp": "soon"}, "without a readable timestamp"),
    ],
)
def test_refused(record: Record, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        read(IMPORTER, record)


USE = {"toolUse": {"toolUseId": "tooluse_Ab12Cd34", "name": "bash", "input": {"command": "make"}}}
CONVERSE: Record = LOG | {
    "output": {"outputBodyJson": {"output": {"message": {"role": "assistant", "content": [{"text": "x"}, USE]}}}}
}
STREAM: Record = LOG | {
    "output": {
        "outputBodyJson": [
            {
                "type": "content_block_start",
                "index": 1,
                "content_block": {"type": "tool_use", "id": "toolu_bdrk_01Ab", "name": "Bash"},
            },
            {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"command": '}},
            {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '"make"}'}},
        ]
    }
}


@pytest.mark.parametrize(
    ("record", "name"), [(CONVERSE, "tooluse_Ab12Cd34"), (STREAM, "toolu_bdrk_01Ab")], ids=["converse", "stream"]
)
def test_the_tools_a_model_asked_for(record: Record, name: str) -> None:
    call = only(read(IMPORTER, record).events, EventKind.ACTION)
    assert (call.phase, call.vantage, call.verb, call.attrs["command"]) == (Phase.CALL, Vantage.WITNESS, Verb.EXEC, "make")
    assert names(call, KeyRole.CALL) == [f"call:{name}"]
    assert not [e for e in read(IMPORTER, record | {"errorCode": "ThrottlingException"}).events if e.kind is EventKind.ACTION]


def test_what_a_tool_gave_stands_in_the_next_request_and_is_told_once() -> None:
    result = {"toolResult": {"toolUseId": "tooluse_Ab12Cd34", "content": [{"text": "no rule"}], "status": "error"}}
    said = [
        {"role": "user", "content": [{"text": "go"}]},
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [result]},
    ]
    reader = IMPORTER.open()
    asks = LOG | {"input": {"inputBodyJson": {"messages": said}}}
    done = only(reader.read(asks).events, EventKind.ACTION)
    assert (done.phase, done.outcome and done.outcome.tool, done.attrs["output"]) == (Phase.RESULT, Tri.NO, "no rule")
    assert [e.kind for e in reader.read(asks | {"requestId": "req-2"}).events] == [EventKind.EFFECT]
    assert memory(IMPORTER, reader) is not None


def test_a_request_may_be_tagged_with_a_session_of_any_spelling() -> None:
    tagged = LOG | {"identity": {"arn": "arn:aws:iam::1:user/x"}, "requestMetadata": {"session_id": "run-4711", "agent": "a"}}
    assert names(only(read(IMPORTER, tagged).events, EventKind.EFFECT), KeyRole.SCOPE) == ["session:run-4711"]


@given(mutated([LOG, CONVERSE, STREAM]) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_public_samples(corpus: Path) -> None:
    form, parsed, reasons = all_of(corpus / "bedrock-invocation/panther-labs__panther-analysis/bedrock-invocation.jsonl")
    assert (form, len(parsed), reasons) == ("bedrock", 6, [])
    events = [e for p in parsed for e in p.events]
    assert [e.decision.effect for e in events if e.decision] == [Effect.DENY, Effect.DENY]
