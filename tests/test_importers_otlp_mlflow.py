"""MLflow's traces: spans whose every attribute is JSON, below what is known of the trace."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize(
    "record",
    [{"info": {}, "data": {"spans": []}}, {"info": {}, "data": {"spans": [{"trace_id": 7, "attributes": {"a": '"' * 9}}, 7]}}],
)
def test_hostile_traces_of_mlflow(record: dict[str, Any]) -> None:
    survives(IMPORTER, record)
