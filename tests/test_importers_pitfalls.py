"""Pitfalls that recorded logs hold and that belong to no single importer's tests; docs/pitfalls.md names the test of every one."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from importers import open_source
from importers.registry import importers
from model.event import Event
from model.words import Effect, KeyRole, Phase, Tri, Verb
from tests.importer_checks import joined, names, whole

SESSION = "5c0375b4-57a5-4f26-b12d-d022ee4e51b7"
OTHER = "8f0c6a8e-3f57-4d6e-9a5e-3c6f5f0f9a11"
THREAD = "019c8a4c-ed82-79a1-aa28-7738fc5ab61a"
TABLE = Path(__file__).parent.parent / "docs" / "pitfalls.md"
Record = dict[str, Any]


def lines(*records: object) -> str:
    return "\n".join(json.dumps(one) for one in records)


def claude(kind: str, uuid: str, *blocks: Record, words: str = "", **members: Any) -> Record:
    content: object = words or list(blocks)
    return {"type": kind, "uuid": uuid, "parentUuid": None, "sessionId": SESSION, "cwd": "/w/api", "version": "2.1.42", "gitBranch": "",
            "timestamp": "2026-01-02T03:04:05.678Z", "message": {"role": kind, "content": content}} | members  # fmt: skip


def bash(id: str, command: str) -> Record:
    return {"type": "tool_use", "id": id, "name": "Bash", "input": {"command": command}}


def codex(kind: str, payload: Record) -> Record:
    return {"timestamp": "2026-02-23T11:40:29.275Z", "type": kind, "payload": payload}


def read(format: str, *records: object) -> list[Event]:
    reader = importers()[format].open()
    return [event for one in records for event in reader.read(one).events]


@pytest.mark.parametrize("first", [
    {"type": "file-history-snapshot", "messageId": "m", "snapshot": {}, "isSnapshotUpdate": False},
    {"type": "summary", "summary": "Fix", "leafUuid": "x"},
    {"type": "queue-operation", "operation": "dequeue", "timestamp": "2026-01-02T03:04:05Z", "sessionId": SESSION},
])  # fmt: skip
def test_a_transcript_that_does_not_begin_with_a_message_is_one(first: Record) -> None:
    parsed, rejects = whole(lines(*[first] * 12, claude("user", "u1", words="fix it")), "claude-code")
    assert rejects == [] and [e.text for one in parsed for e in one.events if e.phase is Phase.PROMPT] == ["fix it"]


def test_a_message_of_several_lines_states_its_tokens_once() -> None:
    usage = {"input_tokens": 100, "output_tokens": 20}
    message = {"role": "assistant", "id": "msg_1", "usage": usage}
    parts = [
        claude("assistant", f"u{n}", requestId="r") | {"message": message | {"content": [bash(f"t{n}", "ls")]}} for n in range(3)
    ]
    told = [event.attrs["tokens"] for event in read("claude-code", *parts) if "tokens" in event.attrs]
    assert told == [120]


def test_a_file_of_two_sessions_is_two_tasks() -> None:
    own, resumed = (
        claude("user", "u1", words="one"),
        claude("user", "u2", words="two", sessionId=OTHER, cwd="/w/web", version="2.1.43"),
    )
    parsed, _ = whole(lines(own, resumed), "claude-code")
    assert [names(one.events[0], KeyRole.SCOPE) for one in parsed] == [[f"session:{SESSION}"], [f"session:{OTHER}"]]
    assert len(joined(*parsed).chains) == 2


def test_snapshots_of_one_session_add_nothing_to_the_longest() -> None:
    rows = [
        claude("user", "u1", words="go"),
        claude("assistant", "u2", bash("t1", "ls")),
        claude("assistant", "u3", bash("t2", "pwd")),
    ]
    whole_one, _ = whole(lines(*rows), "claude-code")
    shorter, _ = whole(lines(*rows[:2]), "claude-code")
    assert {one.identity for one in shorter} <= {one.identity for one in whole_one}


def test_a_call_that_still_waits_has_no_outcome() -> None:
    ((_, chain),) = joined(
        *whole(lines(claude("user", "u1", words="go"), claude("assistant", "u2", bash("t1", "ls"))), "claude-code")[0]
    ).chains.items()
    assert [(step.outcome.tool, step.outcome.permitted) for step in chain.steps] == [(Tri.UNKNOWN, Effect.UNKNOWN)]


@pytest.mark.parametrize("structured", [{"stdout": "x"}, "Error: no", [{"type": "text", "text": "x"}], None, 7])
def test_the_structured_result_of_a_call_may_be_of_any_type(structured: object) -> None:
    block = {"type": "tool_result", "tool_use_id": "t1", "content": "x"}
    events = read(
        "claude-code", claude("assistant", "u1", bash("t1", "ls")), claude("user", "u2", block, toolUseResult=structured)
    )
    assert [event.phase for event in events] == [Phase.CALL, Phase.RESULT]


def test_order_survives_a_compaction_and_clocks_that_step_back() -> None:
    rows = [
        claude("user", "u1", words="go", timestamp="2026-01-02T03:04:09Z"),
        claude("assistant", "u2", bash("t1", "first"), parentUuid="u1", timestamp="2026-01-02T03:04:08Z"),
        claude("system", "u3", logicalParentUuid="u2", subtype="compact_boundary", timestamp="2026-01-02T03:04:10Z"),
        claude("assistant", "u4", bash("t2", "second"), parentUuid="u3", timestamp="2026-01-02T03:04:07Z"),
    ]
    ((_, chain),) = joined(*whole(lines(*rows), "claude-code")[0]).chains.items()
    assert [step.request["action.command"] for step in chain.steps] == ["first", "second"]


def test_progress_is_most_of_a_file_and_none_of_its_events() -> None:
    noise = [claude("progress", f"p{n}", data={"type": "hook_progress", "hookEvent": "PreToolUse", "hookName": "PreToolUse:Bash", "command": "x"})
             for n in range(20)]  # fmt: skip
    parsed, rejects = whole(lines(*noise, claude("user", "u1", words="go")), "claude-code")
    assert (len(parsed), rejects) == (21, []) and sum(len(one.events) for one in parsed) == 1


def test_images_are_no_text_and_no_reason_to_cut_a_record() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 1_000_000}}
    (event,) = read("claude-code", claude("user", "u1", {"type": "text", "text": "look"}, image))
    assert event.text == "look"


@pytest.mark.parametrize(
    ("source", "parents", "phase"),
    [
        ("cli", [], Phase.PROMPT),
        ({"subagent": {"thread_spawn": {"parent_thread_id": OTHER, "depth": 1}}}, [f"session:{OTHER}"], Phase.DELEGATED),
        ({"subagent": "review"}, [], Phase.DELEGATED),
        (7, [], Phase.PROMPT),
    ],
)
def test_codex_tells_where_a_thread_comes_from_as_text_or_object(source: object, parents: list[str], phase: Phase) -> None:
    meta = codex("session_meta", {"id": THREAD, "cwd": "/w", "cli_version": "0.104.0", "source": source})
    started, intent = read("codex", meta, codex("event_msg", {"type": "user_message", "message": "go"}))
    assert names(started, KeyRole.PARENT) == names(intent, KeyRole.PARENT) == parents
    assert intent.phase is phase


def test_codex_counts_tokens_before_there_are_any_and_repeats_its_turns() -> None:
    turn = codex(
        "turn_context", {"cwd": "/w", "approval_policy": "never", "sandbox_policy": {"type": "danger-full-access"}, "model": "m"}
    )
    later = turn | {"timestamp": "2026-02-26T09:00:00Z"}
    call = codex(
        "response_item", {"type": "function_call", "name": "exec_command", "arguments": "[REDACTED len=40]", "call_id": "c1"}
    )
    end = codex("response_item", {"type": "function_call_output", "call_id": "c1", "output": "ok"})
    none = codex("event_msg", {"type": "token_count", "info": None, "rate_limits": {}})
    rows = [codex("session_meta", {"id": THREAD, "cwd": "/w", "cli_version": "0.104.0"}), turn, none, turn, call, end, later]
    events = read("codex", *rows)
    assert len([e for e in events if e.phase is Phase.POSTURE]) == 1
    assert [e.phase for e in events if "call:c1" in names(e, KeyRole.CALL)] == [Phase.CALL, Phase.RESULT]


def test_what_a_file_is_called_says_nothing() -> None:
    chat = {"sessionId": SESSION, "projectHash": "a" * 64, "startTime": "2026-01-02T03:04:05Z", "lastUpdated": "2026-01-02T03:05:05Z",
            "messages": [{"id": "m1", "timestamp": "2026-01-02T03:04:05Z", "type": "user", "content": "fix it"}]}  # fmt: skip
    for name in ("session.jsonl", "audit.csv", "x.gz", ""):
        assert open_source(io.BytesIO(json.dumps(chat, indent=1).encode()), name).format == "gemini-cli"


def test_masked_parts_of_a_policy_s_input_are_not_taken_for_the_input() -> None:
    log = {"decision_id": "d1", "labels": {"id": "x"}, "path": "authz/allow", "result": True, "timestamp": "2026-01-05T20:54:47Z",
           "input": {"user": "**REDACTED**", "action": "deploy", "tags": [{"a/b": "**"}]}, "erased": ["/input/token"]}  # fmt: skip
    (verdict,) = read(
        "opa", log | {"masked": ["/input/user", "/input/tags/0/a~1b", "/input/none/of/it", "/input/tags/9", "input", ""]}
    )
    assert verdict.decision is not None and verdict.decision.effect is Effect.ALLOW
    assert (verdict.principal, verdict.verb) == (None, Verb.CI_RUN)
    (plain,) = read("opa", log)
    assert plain.principal is not None and plain.principal.name == "**REDACTED**"


def test_telemetry_without_a_session_belongs_to_no_task() -> None:
    log = {"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "claude-code"}}]}, "scopeLogs": [{"logRecords": [
        {"timeUnixNano": "1771846829275000000", "body": {"stringValue": "claude_code.tool_decision"}, "attributes": [
            {"key": "event.sequence", "value": {"intValue": "7"}}, {"key": "tool_name", "value": {"stringValue": "Bash"}},
            {"key": "decision", "value": {"stringValue": "reject"}}, {"key": "source", "value": {"stringValue": "user_reject"}}]}]}]}]}  # fmt: skip
    (verdict,) = read("otlp", log)
    assert names(verdict, KeyRole.SCOPE) == [] and verdict.decision is not None and verdict.decision.effect is Effect.DENY


def test_children_before_parents_are_one_task() -> None:
    def payload(name: str, span: str, parent: str, **attrs: str) -> Record:
        told = [{"key": key.replace("__", "."), "value": {"stringValue": value}} for key, value in attrs.items()]
        one = {"traceId": "7c0f0f833eef36062b3fe9d11f8ade7e", "spanId": span, "parentSpanId": parent, "name": name, "kind": "SPAN_KIND_INTERNAL",
               "startTimeUnixNano": "1771846829275000000", "endTimeUnixNano": "1771846830275000000", "attributes": told}  # fmt: skip
        return {"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}

    child = payload("execute_tool bash", "00f067aa0ba902b7", "00f067aa0ba902b8", gen_ai__tool__name="bash")
    parent = payload(
        "invoke_agent helper", "00f067aa0ba902b8", "", gen_ai__operation__name="invoke_agent", virtual_parent__genai="x"
    )
    parsed, _ = whole(lines(child, parent), "otlp")
    assert len(joined(*parsed).chains) == 1


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_missing_and_empty_are_one_nothing(nothing: object) -> None:
    (event,) = read("claude-code", claude("user", "u1", words="go", gitBranch=nothing))
    assert "branch" not in event.attrs
    entry = {
        "action": "git.push",
        "actor": "dana",
        "org": "acme",
        "repo": nothing,
        "@timestamp": 1772359200000,
        "hashed_token": nothing,
    }
    assert [e.target.name for e in read("github-audit", entry)] == [""]


def test_every_pitfall_names_a_test_that_exists() -> None:
    named = re.findall(r"`(test_\w+)\.(test_\w+)`", TABLE.read_text("utf-8"))
    assert len(named) >= 60
    here = Path(__file__).parent
    missing = [f"{file}.{test}" for file, test in named if f"def {test}(" not in (here / f"{file}.py").read_text("utf-8")]
    assert missing == []
