"""MLflow's traces: spans whose every attribute is JSON, below what is known of the trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from importers.otlp import IMPORTER
from model.words import KeyRole
from tests.importer_checks import names, survives
from tests.otlp_records import SESSION, events

J = json.dumps
ASKED = {"command": "git push"}
USER = {"role": "user", "content": "push it"}


def mlflow(kind: str, name: str, given: object, gave: object, **members: Any) -> dict[str, Any]:
    attributes = {
        "mlflow.traceRequestId": J("tr-1"),
        "mlflow.spanType": J(kind),
        "mlflow.spanFunctionName": J(name),
        "mlflow.spanInputs": J(given),
        "mlflow.spanOutputs": J(gave),
    }
    return {
        "trace_id": "Cvd2UZFnIDzZhEjrIRyAMZw="[:24],
        "span_id": "t61rcWkgMzE=",
        "parent_span_id": "",
        "name": name,
        "start_time_unix_nano": 1771846829275000000,
        "end_time_unix_nano": 1771846830275000000,
        "attributes": attributes,
        "status": {"code": "STATUS_CODE_OK", "message": ""},
        "events": [],
        **members,
    }


def test_a_trace_of_mlflow() -> None:
    spans = [mlflow("CHAT_MODEL", "Completions", {"messages": [USER]}, {}), mlflow("TOOL", "shell", ASKED, "pushed")]
    about = {"trace_id": "tr-1", "state": "OK", "trace_metadata": {"mlflow.trace.session": SESSION, "mlflow.trace.user": "ann"}}
    found = events({"info": about, "data": {"spans": spans}})
    assert [f"{event.kind}/{event.phase}" for event in found] == ["intent/prompt", "action/call", "action/result"]
    assert (found[0].text, found[1].tool, found[1].attrs["command"], found[2].attrs["output"]) == (
        "push it",
        "shell",
        "git push",
        "pushed",
    )
    assert all(names(event, KeyRole.SCOPE)[0] == f"session:{SESSION}" for event in found)
    assert all(event.principal and event.principal.name == "ann" for event in found)


def over_otlp(span: dict[str, Any]) -> dict[str, Any]:
    """The same span as MLflow sends it to a collector."""
    told = [{"key": name, "value": {"stringValue": value}} for name, value in span["attributes"].items()]
    sent = {"traceId": "0" * 31 + "a", "spanId": "0" * 15 + "b", "name": span["name"], "attributes": told, "status": {"code": 2}}
    sent |= {"startTimeUnixNano": "1771846829275000000", "endTimeUnixNano": "1771846830275000000"}
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "mlflow"}, "spans": [sent]}]}]}


@pytest.mark.parametrize(
    "wrapped",
    [lambda span: span, over_otlp, lambda span: {"trace_info": {"trace_id": "tr-1"}, "spans": [span]}],
    ids=["by itself", "over OTLP", "as the server answers"],
)
def test_spans_of_mlflow_without_its_file_around_them(wrapped: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    failed = mlflow("TOOL", "shell", ASKED, None, status={"code": "STATUS_CODE_ERROR", "message": "denied"})
    record = wrapped(failed)
    called, result = events(record)
    assert (called.tool, called.attrs["command"]) == ("shell", "git push")
    assert result.outcome is not None and result.outcome.tool == "no"
    assert IMPORTER.sniff([record]) >= 85


@pytest.mark.parametrize(
    "record",
    [{"info": {}, "data": {"spans": []}}, {"info": {}, "data": {"spans": [{"trace_id": 7, "attributes": {"a": '"' * 9}}, 7]}}],
)
def test_hostile_traces_of_mlflow(record: dict[str, Any]) -> None:
    survives(IMPORTER, record)
