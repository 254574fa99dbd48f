"""Spans as rows of stores: Application Insights' tables and Phoenix's data frames and API, with how the span ended."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from hypothesis import given

from importers import open_source
from importers.otlp import IMPORTER
from importers.shared.fields import decode
from model.event import Event, RawRecord
from model.words import EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import JSON, mutated, names, only, read, survives

Record = dict[str, object]
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ABOUT = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "bash", "gen_ai.tool.call.arguments": '{"command": "make"}'}
CLASSIC: Record = {
    "timestamp": "2026-06-01T14:00:00.123Z",
    "id": SPAN,
    "name": "execute_tool bash",
    "type": "InProc",
    "success": "False",
    "duration": 1000,
    "operation_Id": TRACE,
    "operation_ParentId": "00f067aa0ba902b6",
    "customDimensions": json.dumps(ABOUT),
    "cloud_RoleName": "coder",
    "itemType": "dependency",
}
WORKSPACE: Record = {
    "TimeGenerated": "2026-06-01T14:00:00.123Z",
    "Type": "AppDependencies",
    "Id": SPAN,
    "Name": "execute_tool bash",
    "DependencyType": "InProc",
    "Success": False,
    "DurationMs": 1000.4,
    "OperationId": TRACE,
    "ParentId": "00f067aa0ba902b6",
    "Properties": ABOUT,
    "AppRoleName": "coder",
}
STREAMED: Record = {
    **{name: value for name, value in WORKSPACE.items() if name != "TimeGenerated"},
    "time": "2026-06-01T14:00:00.123Z",
}
FRAME: Record = {
    "name": "bash",
    "span_kind": "TOOL",
    "parent_id": None,
    "start_time": "2026-06-01T14:00:00.123Z",
    "end_time": "2026-06-01T14:00:01.123Z",
    "status_code": "ERROR",
    "status_message": "exit 2",
    "events": [],
    "context.span_id": SPAN,
    "context.trace_id": TRACE,
    "attributes.openinference.span.kind": "TOOL",
    "attributes.tool.name": "bash",
    "attributes.input.value": '{"command": "make"}',
}
ANSWER: Record = {
    "name": "bash",
    "context": {"trace_id": TRACE, "span_id": SPAN},
    "span_kind": "TOOL",
    "start_time": "2026-06-01T14:00:00.123Z",
    "end_time": "2026-06-01T14:00:01.123Z",
    "status_code": "ERROR",
    "status_message": "exit 2",
    "attributes": {
        "openinference": {"span": {"kind": "TOOL"}},
        "tool": {"name": "bash"},
        "input": {"value": '{"command": "make"}'},
    },
    "events": [],
}
ROWS = {"classic": CLASSIC, "workspace": WORKSPACE, "streamed": STREAMED, "frame": FRAME, "answer": ANSWER}


def imported(text: str) -> list[Event]:
    source = open_source(BytesIO(text.encode()))
    assert source.format == "otlp"
    reader = IMPORTER.open()
    return [event for item in source.items() if isinstance(item, RawRecord) for event in reader.read(decode(item.data)).events]


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_the_span_it_was_made_from(name: str) -> None:
    events = imported(json.dumps(ROWS[name]) + "\n")
    call, result = only(events, EventKind.ACTION, Phase.CALL), only(events, EventKind.ACTION, Phase.RESULT)
    assert (call.tool, call.verb, call.attrs["command"], call.at) == ("bash", Verb.EXEC, "make", 1_780_322_400_123_000)
    assert f"span:{TRACE}/{SPAN}" in names(call, KeyRole.CALL)
    assert result.outcome and result.outcome.tool is Tri.NO
    assert result.attrs["duration_ms"] == 1000


@pytest.mark.parametrize(
    ("name", "good"),
    [("classic", {"success": "True"}), ("workspace", {"Success": True}), ("frame", {"status_code": "OK"}), ("answer", {"status_code": "UNSET"})],
)  # fmt: skip
def test_a_span_that_ended_well_says_so(name: str, good: Record) -> None:
    result = only(read(IMPORTER, ROWS[name] | good).events, EventKind.ACTION, Phase.RESULT)
    assert result.outcome and result.outcome.tool is Tri.YES


def test_a_table_of_a_data_frame_or_a_portal_is_read_too() -> None:
    for row in (FRAME, CLASSIC):
        cells = [str("" if value in (None, []) else value).replace('"', '""') for value in row.values()]
        head, body = ",".join(row), ",".join(f'"{cell}"' for cell in cells)
        events = imported(f"{head}\n{body}\n")
        assert only(events, EventKind.ACTION, Phase.RESULT).outcome.tool is Tri.NO  # type: ignore[union-attr]


def test_rows_of_other_programs_are_nobodys_log() -> None:
    assert IMPORTER.sniff([CLASSIC | {"customDimensions": {"http.url": "https://acme.example"}}]) == 0


@given(mutated(list(ROWS.values())) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
