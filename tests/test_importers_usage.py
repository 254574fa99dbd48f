"""Tokens and money that agents' logs state: one meaning, each message counted once, with an event that says so."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from importers.registry import importers
from importers.shared.usage import otel_tokens, tokens_of
from model.event import Event
from tests.importer_checks import all_of


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (
            {
                "input_tokens": 100,
                "cached_input_tokens": 80,
                "output_tokens": 10,
                "reasoning_output_tokens": 5,
                "total_tokens": 110,
            },
            30,
        ),
        ({"input_tokens": 3, "cache_creation_input_tokens": 50, "cache_read_input_tokens": 900, "output_tokens": 7}, 60),
        ({"promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 5, "thoughtsTokenCount": 4}, 49),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens": 1}, 6),
        ({"input": 100, "output": 10, "cached": 90, "thoughts": 3, "tool": 2, "total": 115}, 25),
        ({"total_tokens": 12}, 12),
        ({"input_tokens": -5, "output_tokens": "many"}, 0),
        ({"input_tokens": True, "output_tokens": 1.5}, 0),
        ({}, 0),
    ],
)
def test_tokens_are_those_read_anew_and_those_written(usage: dict[str, object], tokens: int) -> None:
    assert tokens_of(usage) == tokens


@pytest.mark.parametrize(
    ("attrs", "tokens"),
    [
        ({"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 2}, 12),
        ({"gen_ai.usage.prompt_tokens": "10", "gen_ai.usage.completion_tokens": 2, "gen_ai.usage.cache_read.input_tokens": 4}, 8),
        ({"llm.token_count.prompt": 7, "llm.token_count.completion": 1}, 8),
        ({"ai.usage.promptTokens": 7, "ai.usage.completionTokens": 1}, 8),
        ({"gen_ai.request.max_tokens": 9}, 0),
    ],
)
def test_a_models_span_states_them_in_many_spellings(attrs: dict[str, object], tokens: int) -> None:
    assert otel_tokens(attrs) == tokens


def read(format: str, records: Iterable[object]) -> list[Event]:
    reader = importers()[format].open()
    return [event for record in records for event in reader.read(record).events]


def sums(events: Iterable[Event]) -> tuple[int, float]:
    events = list(events)
    return sum(int(str(e.attrs.get("tokens", 0))) for e in events), sum(float(str(e.attrs.get("cost_usd", 0))) for e in events)


def codex(kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": "2026-05-01T10:00:00Z", "type": kind, "payload": payload}


def counted(total: int, last: int) -> dict[str, Any]:
    usage = {"input_tokens": last, "cached_input_tokens": 0, "output_tokens": 1, "total_tokens": last + 1}
    return codex("event_msg", type="token_count", info={"total_token_usage": {"total_tokens": total}, "last_token_usage": usage})


def test_codex_states_them_beside_its_calls_and_repeats_them() -> None:
    call = codex("response_item", type="function_call", name="exec_command", arguments='{"cmd": "ls"}', call_id="call_1")
    done = codex("response_item", type="function_call_output", call_id="call_1", output="ok")
    records = [codex("session_meta", id="019c8a4c-ed82-79a1-aa28-7738fc5ab61a", cwd="/w"), call, counted(11, 10), counted(11, 10), done,
               codex("event_msg", type="token_count", info=None), counted(32, 20), call | {"timestamp": "2026-05-01T10:01:00Z"}]  # fmt: skip
    events = read("codex", records)
    assert [e.attrs.get("tokens") for e in events] == [None, None, 11, 21]


def test_gemini_counts_a_message_once_however_often_it_is_told() -> None:
    tokens = {"input": 100, "output": 10, "cached": 50, "thoughts": 5, "tool": 0, "total": 115}
    call = {"id": "c1", "name": "read_file", "args": {"file_path": "a"}, "status": "success", "timestamp": "2026-05-01T10:00:02Z"}
    told = {"id": "m2", "type": "gemini", "content": "", "timestamp": "2026-05-01T10:00:01Z", "tokens": tokens}
    head = {
        "sessionId": "5e0a1b4e-1111-4222-8333-444455556666",
        "projectHash": "x",
        "startTime": "2026-05-01T10:00:00Z",
        "messages": [],
    }
    assert sums(read("gemini-cli", [head, told, told | {"toolCalls": [call]}])) == (65, 0)


def test_opencode_counts_a_message_when_it_is_complete() -> None:
    used = {"input": 10, "output": 3, "reasoning": 2, "cache": {"read": 500, "write": 7}}
    info = {
        "id": "msg_1",
        "sessionID": "ses_1",
        "role": "assistant",
        "time": {"created": 1, "completed": 2},
        "tokens": used,
        "cost": 0.25,
    }
    part = {"id": "prt_1", "sessionID": "ses_1", "messageID": "msg_1", "type": "tool", "tool": "bash", "callID": "c1",
            "state": {"status": "completed", "input": {"command": "ls"}, "output": "", "time": {"start": 1, "end": 2}}}  # fmt: skip
    running = info | {"time": {"created": 1}, "tokens": {"input": 0, "output": 0}}
    assert sums(read("opencode", [running, info, info, part])) == (22, 0.25)


@pytest.mark.parametrize(
    ("format", "records", "spent"),
    [
        (
            "pi-agent",
            [
                {"type": "session", "id": "s", "timestamp": "2026-05-01T10:00:00Z", "cwd": "/w"},
                {"type": "message", "id": "a", "timestamp": "2026-05-01T10:00:01Z", "message": {
                    "role": "assistant", "usage": {"input": 5, "output": 2, "cacheRead": 90, "cacheWrite": 3, "cost": {"total": 0.5}},
                    "content": [{"type": "toolCall", "id": "t1", "name": "bash", "arguments": {"command": "ls"}}]}},
            ],
            (10, 0.5),
        ),
        (
            "cline",
            [
                {"ts": 1, "type": "say", "say": "task", "text": "go"},
                {"ts": 2, "type": "say", "say": "api_req_started",
                 "text": json.dumps({"tokensIn": 5, "tokensOut": 2, "cacheWrites": 1, "cacheReads": 80, "cost": 0.01})},
                {"ts": 3, "type": "ask", "ask": "command", "text": "ls"},
            ],
            (8, 0.01),
        ),
        (
            "copilot-cli",
            [
                {"type": "session.start", "id": "1", "timestamp": "2026-05-01T10:00:00Z", "data": {"sessionId": "s-1"}},
                {"type": "assistant.usage", "id": "2", "timestamp": "2026-05-01T10:00:01Z",
                 "data": {"inputTokens": 100, "outputTokens": 5, "cacheReadTokens": 60, "cacheWriteTokens": 10}},
                {"type": "session.shutdown", "id": "3", "timestamp": "2026-05-01T10:00:02Z", "data": {}},
            ],
            (45, 0),
        ),
        (
            "litellm",
            [{"id": "r1", "call_type": "acompletion", "startTime": "2026-05-01T10:00:00Z", "prompt_tokens": 9, "completion_tokens": 1,
              "total_tokens": 10, "spend": 0.002}],
            (10, 0.002),
        ),
        (
            "bedrock",
            [{"schemaType": "ModelInvocationLog", "requestId": "r", "operation": "Converse", "timestamp": "2026-05-01T10:00:00Z",
              "modelId": "m", "input": {"inputTokenCount": 9}, "output": {"outputTokenCount": 4}}],
            (13, 0),
        ),
    ],
)  # fmt: skip
def test_other_logs_that_state_them(format: str, records: list[object], spent: tuple[int, float]) -> None:
    assert sums(read(format, records)) == spent


def test_recorded_rollouts_add_up_to_their_own_totals(corpus: Path) -> None:
    """What the events state is the total the program itself keeps."""
    checked = 0
    for path in sorted((corpus / "codex-live").rglob("rollout-*.jsonl")):
        _, parsed, _ = all_of(path)
        told = [json.loads(line)["payload"] for line in path.read_text().splitlines()]
        infos = [one["info"] for one in told if one.get("type") == "token_count" and one.get("info")]
        if not infos or infos[0]["total_token_usage"] != infos[0]["last_token_usage"]:
            continue  # the thread began in another file
        total = tokens_of(infos[-1]["total_token_usage"])
        stated, _ = sums(event for one in parsed for event in one.events)
        ended = any(one.get("type") in ("task_complete", "turn_aborted") for one in told)
        assert stated == total or (stated < total and not ended), path.name
        checked += 1
    assert checked
