"""LiteLLM: keys by their hash, guardrails, MCP calls, JSON within texts, "None" that means nothing, both kinds of time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from importers.claude_code import IMPORTER as CLAUDE_CODE
from importers.litellm import IMPORTER
from lang.redact import Redactor
from model.event import BadRecord, Event
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from review.intake.preparing import prepare_events
from tests.importer_checks import JSON, all_of, joined, mutated, names, only, pretty, read, survives, whole

SESSION = "8f0c6a8e-3f57-4d6e-9a5e-3c6f5f0f9a11"
Record = dict[str, object]
METADATA: Record = {
    "user_api_key_hash": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
    "user_api_key_alias": "agents",
    "user_api_key_user_email": "dev@acme.example",
    "requester_ip_address": "10.0.0.7",
}
PAYLOAD: Record = {
    "id": "chatcmpl-1",
    "trace_id": None,
    "call_type": "acompletion",
    "status": "success",
    "custom_llm_provider": "openai",
    "startTime": "2026-06-01 10:00:00.250000",
    "endTime": "2026-06-01 10:00:01.500000",
    "model": "gpt-4o",
    "metadata": METADATA,
    "response_cost": 0.1,
    "api_base": "https://api.openai.example/v1",
    "messages": [{"role": "user", "content": "hi"}],
}
SPEND: Record = {
    "request_id": "chatcmpl-2",
    "call_type": "acompletion",
    "api_key": METADATA["user_api_key_hash"],
    "spend": 0.1,
    "total_tokens": 30,
    "startTime": "2026-06-01T10:00:00.250Z",
    "endTime": "2026-06-01T10:00:01.5Z",
    "model": "gpt-4o",
    "user": "dev@acme.example",
    "metadata": json.dumps({"user_api_key_alias": "agents", "status": "failure", "error_information": {"error_code": "429"}}),
    "cache_hit": "None",
    "end_user": "None",
    "session_id": SESSION,
    "messages": "{}",
    "response": "{}",
}


def test_payload() -> None:
    parsed = read(IMPORTER, PAYLOAD)
    used = only(parsed.events, EventKind.CREDENTIAL)
    assert names(used, KeyRole.CREDENTIAL) == [f"litellm.key:{METADATA['user_api_key_hash']}"]
    assert used.credential is not None
    assert used.credential.label == "agents"
    result = only(parsed.events, EventKind.ACTION)
    assert (result.phase, result.verb, result.target.name, result.target.detail) == (
        Phase.RESULT, Verb.HTTP_REQUEST, "api.openai.example", "gpt-4o",
    )  # fmt: skip
    assert result.outcome is not None
    assert result.outcome.tool is Tri.YES
    assert (result.clock, result.attrs["duration_ms"], result.attrs["host"]) == (Clock.ZONE_ASSUMED, 1250, "10.0.0.7")
    assert result.principal is not None
    assert result.principal.name == "dev@acme.example"
    assert not result.keys_of(KeyRole.SCOPE)
    epoch = read(IMPORTER, PAYLOAD | {"startTime": 1780308000.25, "endTime": 1780308001.5})
    assert (epoch.at, epoch.events[0].clock) == (1_780_308_000_250_000, Clock.EXACT)


def test_spend_log_holds_json_in_texts() -> None:
    parsed = read(IMPORTER, SPEND)
    result = only(parsed.events, EventKind.ACTION)
    assert result.attrs["status"] == "failure 429"
    assert result.outcome is not None
    assert result.outcome.tool is Tri.NO
    assert names(result, KeyRole.SCOPE) == [f"session:{SESSION}"]
    assert result.principal is not None
    assert (result.principal.name, result.principal.on_behalf_of) == ("dev@acme.example", "")
    assert names(only(parsed.events, EventKind.CREDENTIAL), KeyRole.CREDENTIAL) == [f"litellm.key:{SPEND['api_key']}"]
    half = read(IMPORTER, SPEND | {"metadata": '{"cut": '})
    assert only(half.events, EventKind.ACTION).outcome is not None


@pytest.mark.parametrize(
    ("answers", "effects"),
    [
        ([{"guardrail_name": "pii", "guardrail_status": "guardrail_intervened", "guardrail_mode": "post_call"}], [Effect.DENY]),
        # A call that went on was not stopped before it: what the guardrail found was masked.
        ([{"guardrail_name": "pii", "guardrail_status": "guardrail_intervened", "guardrail_mode": ["pre_call"]}], [Effect.ALLOW]),
        ([{"guardrail_name": "pii", "guardrail_status": "guardrail_intervened", "masked_entity_count": {"EMAIL": 1}}], [Effect.ALLOW]),
        # What runs over the log alone stops nothing.
        ([{"guardrail_name": "pii", "guardrail_status": "guardrail_intervened", "guardrail_mode": "logging_only"}], [Effect.ALLOW]),
        ({"guardrail_name": "pii", "guardrail_status": "success"}, [Effect.ALLOW]),
        ([{"guardrail_name": "pii", "guardrail_status": "guardrail_monitored"}], [Effect.ALLOW]),
        ([{"guardrail_name": "pii", "guardrail_status": "guardrail_failed_to_respond"}], []),
        ([{"guardrail_name": "a", "guardrail_status": "success"}, {"guardrail_name": "b", "guardrail_status": "blocked"}],
         [Effect.ALLOW, Effect.DENY]),
        (None, []),
    ],
)  # fmt: skip
def test_guardrails(answers: object, effects: list[Effect]) -> None:
    events = read(IMPORTER, PAYLOAD | {"guardrail_information": answers}).events
    assert [e.decision.effect for e in events if e.decision] == effects
    outcome = only(events, EventKind.ACTION).outcome
    assert outcome is not None
    assert outcome.tool is (Tri.NO if Effect.DENY in effects else Tri.YES)


@pytest.mark.parametrize(
    ("error", "denied"),
    [
        ({"error_code": "401", "error_class": "ProxyException", "llm_provider": "", "error_message": "key not allowed"}, True),
        ({"error_code": "400", "error_class": "BudgetExceededError", "llm_provider": "", "error_message": "over budget"}, True),
        (
            {"error_code": "401", "error_class": "AuthenticationError", "llm_provider": "openai", "error_message": "bad key"},
            False,
        ),
        ({"error_code": "429", "error_class": "HTTPException", "llm_provider": "", "error_message": "slow down"}, False),
    ],
)
def test_what_the_proxy_itself_refuses_is_denied(error: Record, denied: bool) -> None:
    events = read(IMPORTER, PAYLOAD | {"status": "failure", "error_information": error}).events
    reasons = [e.decision.reason for e in events if e.decision and e.decision.effect is Effect.DENY]
    assert reasons == ([error["error_message"]] if denied else [])


def test_a_guardrail_that_stopped_the_call_is_its_only_refusal() -> None:
    answers = [{"guardrail_name": "pii", "guardrail_status": "guardrail_intervened", "guardrail_mode": "pre_call"}]
    error = {"error_code": "400", "error_class": "GuardrailRaisedException", "llm_provider": ""}
    events = read(IMPORTER, PAYLOAD | {"status": "failure", "guardrail_information": answers, "error_information": error}).events
    assert [(e.decision.effect, e.decision.rule) for e in events if e.decision] == [(Effect.DENY, "pii")]


def test_mcp_call_through_the_proxy() -> None:
    called = {
        "name": "push_files",
        "namespaced_tool_name": "github/push_files",
        "mcp_server_name": "github",
        "arguments": {"path": "a"},
        "mcp_session_id": "m-1",
    }
    record = PAYLOAD | {"call_type": "call_mcp_tool", "metadata": METADATA | {"mcp_tool_call_metadata": called}}
    result = only(read(IMPORTER, record).events, EventKind.ACTION)
    assert (result.verb, result.tool, result.target.cls, result.target.name) == (
        Verb.MCP_CALL, "push_files", TargetClass.MCP_SERVER, "github",
    )  # fmt: skip
    assert names(result, KeyRole.SCOPE) == ["mcp.session:m-1"]
    assert result.outcome and result.outcome.tool is Tri.YES
    failed = only(read(IMPORTER, record | {"response": {"content": [], "isError": True}}).events, EventKind.ACTION)
    assert failed.outcome and (failed.outcome.transport, failed.outcome.tool) == (Tri.YES, Tri.NO)
    listing = {"name": "list_mcp_tools", "mcp_server_name": "github,jira", "arguments": {"requested_mcp_servers": ["github"]}}
    asked = PAYLOAD | {"call_type": "list_mcp_tools", "metadata": METADATA | {"mcp_tool_call_metadata": listing}}
    listed = only(read(IMPORTER, asked).events, EventKind.ACTION)
    assert (listed.verb, listed.target.name, listed.target.detail) == (Verb.UNKNOWN, "github,jira", "")
    spend = only(read(IMPORTER, SPEND | {"mcp_namespaced_tool_name": "github/push_files"}).events, EventKind.ACTION)
    assert (spend.tool, spend.target.name) == ("push_files", "github")


@pytest.mark.parametrize(
    ("members", "scopes", "calls"),
    [
        (
            {"end_user": f"user_ab12_account_{SESSION[::-1]}_session_{SESSION}"},
            [f"session:{SESSION}"],
            ["litellm.request:chatcmpl-1"],
        ),
        ({"trace_id": "ab" * 16}, ["trace:" + "ab" * 16], ["litellm.request:chatcmpl-1"]),
        # What a caller states as its session is what a payload calls its trace: of all its requests, not of one.
        ({"trace_id": "my-session"}, ["session:my-session"], ["litellm.request:chatcmpl-1"]),
        ({"trace_id": "my-trace", "session_id": SESSION}, [f"session:{SESSION}"], ["litellm.request:chatcmpl-1"]),
    ],
)
def test_where_the_session_stands(members: Record, scopes: list[str], calls: list[str]) -> None:
    result = only(read(IMPORTER, PAYLOAD | members).events, EventKind.ACTION)
    assert (names(result, KeyRole.SCOPE), names(result, KeyRole.CALL)) == (scopes, calls)


def _chat(id: str, messages: object, **answer: object) -> Record:
    response = {"choices": [{"message": {"role": "assistant", "content": None, **answer}}]}
    return PAYLOAD | {"id": id, "messages": messages, "response": response, "session_id": SESSION}


ASKED: Record = {"id": "call_9f2ab34c", "type": "function", "function": {"name": "bash", "arguments": '{"command": "make"}'}}
USE: Record = {"type": "tool_use", "id": "toolu_01AbCdEf23", "name": "Write", "input": {"file_path": "/a"}}
PROMPT: Record = {"role": "user", "content": "go"}
ITEM: Record = {"type": "function_call", "call_id": "call_77aa88bb", "name": "shell", "arguments": '{"command": ["ls"]}'}


@pytest.mark.parametrize(
    ("response", "name", "verb", "attrs"),
    [
        ({"choices": [{"message": {"role": "assistant", "tool_calls": [ASKED]}}]}, "call_9f2ab34c", Verb.EXEC, {"command": "make"}),
        ({"role": "assistant", "content": [{"type": "text", "text": "x"}, USE]}, "toolu_01AbCdEf23", Verb.FILE_WRITE, {"path": "/a"}),
        ({"output": [{"type": "reasoning"}, ITEM]}, "call_77aa88bb", Verb.EXEC, {"command": "ls"}),
        (json.dumps({"choices": [{"message": {"function_call": ASKED["function"]}}]}), "chatcmpl-1/#0", Verb.EXEC, {"command": "make"}),
        ({"choices": [{"message": {"tool_calls": [ASKED | {"id": "functions.bash:3"}]}}]}, "chatcmpl-1/functions.bash:3", Verb.EXEC, {}),
    ],
)  # fmt: skip
def test_the_calls_an_answer_asks_for(response: object, name: str, verb: Verb, attrs: Record) -> None:
    events = read(IMPORTER, PAYLOAD | {"response": response}).events
    call = only(events, EventKind.ACTION, Phase.CALL)
    assert (names(call, KeyRole.CALL), call.verb, call.vantage) == ([f"call:{name}"], verb, Vantage.WITNESS)
    assert call.attrs.items() >= ({"model": "gpt-4o"} | attrs).items()
    assert (call.at, call.principal) == (1_780_308_001_500_000, events[-1].principal)
    assert only(events, EventKind.ACTION, Phase.RESULT).tool == "acompletion"


def test_a_call_is_the_agent_s_step_and_its_request_one_of_its_own() -> None:
    """The proxy let a question to a model pass; about the call in the answer it said nothing."""
    said = {"uuid": "u1", "sessionId": SESSION, "type": "assistant", "timestamp": "2026-06-01T10:00:01Z",
            "message": {"role": "assistant", "content": [USE]}}  # fmt: skip
    chains = joined(read(CLAUDE_CODE, said), read(IMPORTER, _chat("a", [PROMPT], content=[USE]))).chains
    (chain,) = chains.values()
    call, request = sorted(chain.steps, key=lambda step: step.verb is Verb.HTTP_REQUEST)
    assert (call.verb, call.outcome.tool, len(call.actions)) == (Verb.FILE_WRITE, Tri.UNKNOWN, 2)
    assert (request.verb, request.outcome.tool) == (Verb.HTTP_REQUEST, Tri.YES)


def test_an_id_that_only_counts_joins_within_its_session_alone() -> None:
    def said(session: str) -> Record:
        message = {"role": "assistant", "content": [USE | {"id": "call_1"}]}
        return {
            "uuid": f"u-{session}",
            "sessionId": session,
            "type": "assistant",
            "timestamp": "2026-06-01T10:00:01Z",
            "message": message,
        }

    mine = _chat("a", [PROMPT], content=[USE | {"id": "call_1"}])
    away = _chat("b", [PROMPT], content=[USE | {"id": "call_1", "input": {"file_path": "/elsewhere"}}])
    nobody_s = {name: value for name, value in away.items() if name != "session_id"}
    other = "0a0b0c0d-0000-4000-8000-000000000001"
    stitched = joined(*(read(CLAUDE_CODE, said(one)) for one in (SESSION, other)), read(IMPORTER, mine), read(IMPORTER, nobody_s))
    calls = sorted(
        len(step.actions) for chain in stitched.chains.values() for step in chain.steps if step.verb is Verb.FILE_WRITE
    )
    assert calls == [1, 1, 2]


def test_results_are_told_once_with_what_they_answer() -> None:
    history = [
        PROMPT,
        {"role": "assistant", "tool_calls": [ASKED]},
        {"role": "tool", "tool_call_id": ASKED["id"], "content": "ok"},
    ]
    used = [*history, {"role": "assistant", "content": [USE]}]
    failed = {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": USE["id"], "content": "denied", "is_error": True}],
    }
    records = [
        _chat("a", [PROMPT], tool_calls=[ASKED]), _chat("b", history, content=[USE]), _chat("c", history, content=[USE]),
        _chat("d", [*used, failed], content="done"), _chat("e", [*used, failed, {"role": "assistant", "content": "done"}, PROMPT]),
    ]  # fmt: skip
    reader = IMPORTER.open()
    made = [event for record in records for event in reader.read(record).events if event.vantage is Vantage.WITNESS]
    assert [(event.phase, event.keys_of(KeyRole.CALL)[0].value, event.verb) for event in made] == [
        (Phase.CALL, ASKED["id"], Verb.EXEC), (Phase.RESULT, ASKED["id"], Verb.EXEC),
        (Phase.CALL, USE["id"], Verb.FILE_WRITE), (Phase.RESULT, USE["id"], Verb.FILE_WRITE),
    ]  # fmt: skip
    assert [event.outcome.tool for event in made if event.outcome] == [Tri.UNKNOWN, Tri.NO]
    assert [event.attrs.get("output") for event in made] == [None, "ok", None, "denied"]
    assert all(names(event, KeyRole.SCOPE) == [f"session:{SESSION}"] for event in made)


def test_results_of_a_spend_log_and_of_the_responses_api() -> None:
    asked = {"input": [PROMPT, ITEM, {"type": "function_call_output", "call_id": ITEM["call_id"], "output": "a b"}]}
    events = read(IMPORTER, SPEND | {"proxy_server_request": json.dumps(asked)}).events
    result = next(event for event in events if event.vantage is Vantage.WITNESS)
    assert (result.phase, result.attrs["command"], result.attrs["output"]) == (Phase.RESULT, "ls", "a b")


def test_what_a_guardrail_kept_back_never_reached_the_agent() -> None:
    stopped = {"guardrail_information": {"guardrail_name": "g", "guardrail_status": "blocked"}}
    assert not [e for e in read(IMPORTER, _chat("a", [PROMPT], tool_calls=[ASKED]) | stopped).events if e.phase is Phase.CALL]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"id": "x"}, "needs id or request_id, and call_type, spend or response_cost"),
        ({"spend": 0.1, "startTime": 1780308000.25}, "needs id or request_id"),
        ({k: v for k, v in PAYLOAD.items() if k != "startTime"}, "without a readable startTime"),
    ],
)
def test_refused(record: Record, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        read(IMPORTER, record)


@pytest.mark.parametrize("members", [{"call_type": "None"}, {"call_type": ""}, None])
def test_a_call_whose_kind_is_not_said_is_one_all_the_same(members: Record | None) -> None:
    record = SPEND | members if members else {name: value for name, value in SPEND.items() if name != "call_type"}
    result = only(read(IMPORTER, record).events, EventKind.ACTION)
    assert (result.verb, result.tool, result.target.detail) == (Verb.HTTP_REQUEST, "", "gpt-4o")


def test_one_payload_with_its_messages_is_one_record() -> None:
    wide = {f"field_{n}": n for n in range(20)} | PAYLOAD
    for data in (json.dumps(wide), pretty(wide), pretty(wide, SPEND)):
        parsed, rejects = whole(data, "litellm")
        assert (parsed[0].identity, rejects) == ("chatcmpl-1", [])


@given(mutated([PAYLOAD, SPEND, _chat("a", [PROMPT, {"role": "assistant", "content": [USE]}], tool_calls=[ASKED])]) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_public_samples(corpus: Path) -> None:
    form, parsed, reasons = all_of(corpus / "litellm/BerriAI__litellm/standard_logging_payload.json")
    assert (form, len(parsed), reasons) == ("litellm", 1, [])
    assert [e.kind for e in parsed[0].events] == [EventKind.ACTION]


HASH = "5d0e1c9a7b34f2e86a90c1d7e4b3f85a2c6d9e0f17a8b4c3d2e1f09a8b7c6d5e"


def prepared(record: Record) -> list[Event]:
    """The events as an import keeps them: redacted, with the secrets that stood in clear."""
    redactor = Redactor(b"k" * 32)
    redacted = redactor.redact(json.dumps(record).encode())
    parsed = read(IMPORTER, json.loads(redacted.data))
    return prepare_events(parsed, redacted.secrets, "rec-1", "litellm", 0, redactor)


@pytest.mark.parametrize(
    "members", [{"api_key": HASH}, {"metadata": json.dumps({"user_api_key": HASH})}], ids=["column", "metadata"]
)
def test_the_digest_of_a_key_is_no_key_in_clear_and_is_the_same_in_both_logs(members: Record) -> None:
    spend = prepared({"request_id": "r-1", "call_type": "acompletion", "spend": 0, "startTime": "2026-06-01T10:00:00Z"} | members)
    payload = prepared(PAYLOAD | {"metadata": {"user_api_key_hash": HASH}})
    assert [e.phase for e in spend if e.kind is EventKind.CREDENTIAL] == [Phase.USED]
    keys = {key.name for e in (*spend, *payload) for key in e.keys if key.role is KeyRole.CREDENTIAL}
    assert len(keys) == 1


def test_a_key_in_clear_is_told_of() -> None:
    row = {"request_id": "r-1", "call_type": "acompletion", "spend": 0, "startTime": "2026-06-01T10:00:00Z"}
    assert Phase.EXPOSED in [e.phase for e in prepared(row | {"api_key": "sk-Ab12Cd34Ef56Gh78Ij90kl"})]
