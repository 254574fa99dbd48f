"""OpenTelemetry in every spelling: payloads and single records, what is refused, what is no log of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.otlp import IMPORTER
from importers.registry import importers
from model.event import BadRecord
from model.words import Clock, EventKind, KeyRole, Phase, Tri, Vantage, Verb
from tests.importer_checks import mutated, names, only, read, survives, whole
from tests.otlp_records import (
    MCP,
    SESSION,
    SPAN,
    TOOL,
    TRACE,
    claude,
    events,
    gemini,
    log,
    span,
    spellings,
)


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


def zipkin(**members: Any) -> dict[str, Any]:
    tags = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "bash", "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.call.arguments": '{"command":"git push"}'}  # fmt: skip
    span = {"traceId": "82fe77008310cc80f1da5e10147517", "id": "bd7a977555f6b982", "name": "execute_tool bash", "kind": "CLIENT",
            "timestamp": 1780322400000000, "duration": 12000, "localEndpoint": {"serviceName": "helper"}, "tags": tags}  # fmt: skip
    return span | members


@pytest.mark.parametrize(
    ("members", "went"),
    [
        ({}, Tri.YES),
        ({"error": ""}, Tri.NO),
        ({"error": "false"}, Tri.YES),
        ({"otel.status_code": "ERROR"}, Tri.NO),
        ({"otel.status_code": "OK"}, Tri.YES),
    ],
    ids=["no status", "an error without words", "no error", "failed", "fine"],
)
def test_a_span_of_zipkin_says_what_it_said_elsewhere(members: dict[str, str], went: Tri) -> None:
    span = zipkin()
    call, result = events(span | {"tags": span["tags"] | members})
    assert (call.attrs["command"], call.agent, call.at) == ("git push", "helper", 1780322400000000)
    assert result.at == 1780322400012000
    assert result.outcome is not None and result.outcome.tool is went
    assert "trace:0082fe77008310cc80f1da5e10147517" in names(call, KeyRole.SCOPE)


def test_zipkins_spans_are_read_from_a_list_and_without_their_times() -> None:
    parsed, rejects = whole(
        json.dumps([zipkin(), zipkin(id="1", parentId="1", timestamp=-5, tags=None, annotations=[None])]), "otlp"
    )
    assert not rejects
    assert len(parsed[0].events) == 2


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


def test_a_metric_between_the_spans_of_a_file_says_nothing() -> None:
    record = {"type": "metric", "name": "gen_ai.client.token.usage", "dataPoints": [{"attributes": {}, "value": 1}]}
    assert read(IMPORTER, record).events == []
    assert read(IMPORTER, record).unknown_type is None
    assert IMPORTER.sniff([record]) > 50


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


@settings(max_examples=100, deadline=None)
@given(mutated(HOSTILE))
def test_anything_at_all_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
    IMPORTER.sniff([record])
