"""Every format by every road: what a collector, a bus, a store or a console made of a log gives what the log itself gives."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from importers import NotRecognised, open_source
from importers.cutting.prefixes import PREFIXES
from importers.cutting.requoted import requoted
from importers.cutting.typed import plain, told_with_kinds
from importers.shared.fields import decode
from model.event import RawRecord

RECORDS = Path(__file__).parent / "mapping_records"
TIME = "2026-08-02T00:00:00.123Z"
Road = Callable[[list[str]], bytes]


def sample(format: str) -> list[str]:
    """A few records of a format, one a line, of which none is a line that the format itself passes over."""
    lines = (RECORDS / f"{format}.log").read_text("utf-8").strip().split("\n")
    return [line for line in lines if line.strip()][:6]


def events(data: bytes, format: str) -> list[bytes]:
    source = open_source(io.BytesIO(data))
    assert source.format == format
    reader = source.importer.open()
    found: list[bytes] = []
    for item in source.items():
        assert isinstance(item, RawRecord), item
        for event in reader.read(decode(item.data)).events:
            event.order = 0
            found.append(msgspec.json.encode(event))
    return found


def lines(told: Callable[[str], str]) -> Road:
    return lambda of: "".join(told(one) + "\n" for one in of).encode()


def document(told: Callable[[list[str]], object]) -> Road:
    return lambda of: json.dumps(told(of)).encode()


def table(head: list[str], told: Callable[[str], list[str]], **quoting: int) -> Road:
    def written(of: list[str]) -> bytes:
        out = io.StringIO()
        csv.writer(out, lineterminator="\n", **quoting).writerows([*([head] if head else []), *map(told, of)])  # type: ignore[arg-type]
        return out.getvalue().encode()

    return written


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def copied(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t")


def batch(of: list[str]) -> str:
    return json.dumps(
        {
            "messageType": "DATA_MESSAGE",
            "logGroup": "/x",
            "logStream": "s",
            "logEvents": [{"id": "1", "message": one} for one in of],
        }
    )


ROADS: dict[str, Road] = {
    "table": table(["_time", "host", "_raw"], lambda one: [TIME, "h1", one]),
    "table, all quoted": table(["id", "RAW"], lambda one: ["1", one], quoting=csv.QUOTE_ALL),
    "table of one column": table(["data"], lambda one: [one], quoting=csv.QUOTE_ALL),
    "table of one column without its name": table([], lambda one: [one], quoting=csv.QUOTE_ALL),
    "table without names": table([], lambda one: ["1", TIME, one], quoting=csv.QUOTE_ALL),
    "a search's answer": document(lambda of: {"preview": False, "messages": [], "fields": [{"name": "_raw"}], "results": [{"_raw": one} for one in of]}),
    "a search's rows": document(lambda of: {"preview": False, "messages": [], "fields": ["_raw", "_time"], "rows": [[one, TIME] for one in of]}),
    "columns of a frame": document(
        lambda of: {"results": {"A": {"frames": [{"schema": {"name": "x"}, "data": {"values": [[1 for _ in of], of, [str(n) for n, _ in enumerate(of)]]}}]}}}
    ),
    "rows of values": document(lambda of: {"schema": {"fields": [{"name": "msg"}]}, "rows": [{"f": [{"v": TIME[:4]}, {"v": one}]} for one in of]}),
    "a member nobody knows": lines(lambda one: json.dumps({"when": TIME, "raw_event": one})),
    "a list in a member nobody knows": document(lambda of: {"page": 1, "lines": [{"text": one, "at": TIME} for one in of], "next": {"a": 1}}),
    "base64": document(lambda of: {"requestId": "r", "timestamp": 1, "records": [{"data": packed(one)} for one in of]}),
    "base64 in a function's call": document(
        lambda of: {
            "Records": [
                {"eventName": "aws:kinesis:record", "eventSource": "aws:kinesis", "awsRegion": "a", "eventVersion": "1.0", "kinesis": {"data": packed(one)}}
                for one in of
            ]
        }
    ),
    "base64 of an entry": lines(lambda one: json.dumps({"message": {"data": packed(json.dumps({"insertId": "i", "textPayload": one}))}})),
    "a batch, packed": document(lambda of: {"awslogs": {"data": base64.b64encode(gzip.compress(batch(of).encode())).decode()}}),
    "object in a line": lines(lambda one: json.dumps({"@timestamp": TIME, "message": json.dumps({"log": one + "\n", "stream": "stdout"})})),
    "object behind words": lines(lambda one: f"{TIME}\tkube.x\t" + json.dumps({"log": one})),
    "object behind a separator": lines(lambda one: "\x1e" + json.dumps({"MESSAGE": one, "_PID": "1", "PRIORITY": "6"})),
    "text": lines(json.dumps),
    "text, twice": lines(lambda one: json.dumps(json.dumps(one))),
    "text in a member": lines(lambda one: json.dumps({"payload": json.dumps(one), "topic": "t"})),
    "list of texts": document(lambda of: of),
    "list of time and object": lines(lambda one: json.dumps([1785628800.123, {"log": one}])),
    "list behind a tag": lines(lambda one: "kube.x: " + json.dumps([1785628800.123, {"log": one}])),
    "separators before objects": lambda of: b"".join(b"\x1e" + json.dumps({"message": one, "at": TIME}, indent=2).encode() + b"\n" for one in of),
    "key": lines(lambda one: f"key-1\t{one}"),
    "key and place": lines(lambda one: f"CreateTime:1785628800123\tPartition:0\tkey-1\t{one}"),
    "runtime": lines(lambda one: f"2026-08-02T00:00:00.123456789Z stdout F {one}"),
    "time": lines(lambda one: f"{TIME} {one}"),
    "labels": lines(lambda one: f'{TIME} {{app="x", host="h1"}} {one}'),
    "pod": lines(lambda one: f"[pod/opa-1/opa] {one}"),
    "name and bar": lines(lambda one: f"opa-1  | {one}"),
    "name and bar in colour": lines(lambda one: f"\x1b[36mopa-1  | \x1b[0m{one}"),
    "blanks": lines(lambda one: f"  {one}"),
    "two names": lines(lambda one: f"opa-7d9f8-abcde opa {one}"),
    "syslog": lines(lambda one: f"<134>Aug  2 00:00:00.123456 host1 opa[123]: {one}"),
    "syslog with its year": lines(lambda one: f"<134>2026 Aug  2 00:00:00 host1 opa: {one}"),
    "syslog with data": lines(lambda one: f'<134>1 {TIME} host1 opa 123 ID47 [ex@32473 a="3" b="App \\"x\\" \\]"][o@1 c="d"] \ufeff{one}'),
    "names and a time": lines(lambda one: f"default opa-7d9f8-abcde opa 2026-08-02T00:00:00.123456789Z {one}"),
    "journal with seconds": lines(lambda one: f"1785628800.123456 host1 opa[123]: {one}"),
}  # fmt: skip


@pytest.mark.parametrize(
    "format", ["auditd", "leash", "git-access", "squid-text", "tetragon-text", "artifactory-access", "okta", "envoy"]
)
@pytest.mark.parametrize("road", ROADS)
def test_a_road_gives_what_the_log_gives(road: str, format: str) -> None:
    records = sample(format)
    assert events(ROADS[road](records), format) == events("\n".join(records).encode(), format)


@pytest.mark.parametrize("road", [name for name in ROADS if name not in ("table without names",)])
def test_a_line_keeps_its_own_time(road: str) -> None:
    words = "gateway=default/gw route=default/mcp http.method=POST http.host=mcp.acme.example http.path=/mcp http.status=200 duration=8ms"
    line = f"2026-06-01T14:00:00.123456Z\tinfo\trequest {words}"
    assert events(ROADS[road]([line] * 3), "agentgateway") == events(f"{line}\n".encode() * 3, "agentgateway")


STATED = [json.loads(line) for line in sample("okta")]


def kinds_of_mongo(value: object) -> object:
    if isinstance(value, str) and value[4:5] == "-" and value.endswith("Z"):
        return {"$date": value}
    if isinstance(value, int) and not isinstance(value, bool):
        return {"$numberLong": str(value)}
    if isinstance(value, list):
        return [kinds_of_mongo(one) for one in value]
    return {name: kinds_of_mongo(one) for name, one in value.items()} if isinstance(value, dict) else value


def kinds_of_dynamo(value: object) -> dict[str, object]:
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | float():
            return {"N": str(value)}
        case list():
            return {"L": [kinds_of_dynamo(one) for one in value]}
        case dict():
            return {"M": {name: kinds_of_dynamo(one) for name, one in value.items()}}
    raise TypeError(value)


OBJECTS: dict[str, Callable[[dict[str, object]], object]] = {
    "member": lambda one: {"@timestamp": TIME, "json": one, "host": {"name": "h1", "os": "x", "id": "1"}},
    "driver": lambda one: {"event": {"line": one, "source": "stdout", "tag": "x"}, "time": "1"},
    "document": lambda one: {"_id": {"$oid": "65f000000000000000000001"}, **kinds_of_mongo(one)},  # type: ignore[dict-item]
    "document in a document": lambda one: {"_id": {"$oid": "65f000000000000000000001"}, "at": {"$date": {"$numberLong": "1"}}, "doc": kinds_of_mongo(one)},
    "item": lambda one: {"Item": {"pk": {"S": "1"}, **kinds_of_dynamo(one)["M"]}},  # type: ignore[dict-item]
    "member of an item": lambda one: {"Item": {"pk": {"S": "1"}, "record": kinds_of_dynamo(one)}},
    "change of an item": lambda one: {
        "eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb", "awsRegion": "a", "eventVersion": "1.1",
        "dynamodb": {"NewImage": {"pk": {"S": "1"}, "record": kinds_of_dynamo(one)}},
    },
    "row of a collector": lambda one: {"Timestamp": TIME, "ServiceName": "x", "LogAttributes": {}, "TraceId": "", "Body": json.dumps(one)},
}  # fmt: skip


def test_what_stands_beside_a_list_is_no_thread_of_its_own() -> None:
    at = "2026-06-01T14:00:00.000Z"
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Deploy it"}]}
    rollout = [
        {
            "timestamp": at,
            "type": "session_meta",
            "payload": {"id": "019fbcca-9fd4-7d20-83dc-0762b2f839b3", "timestamp": at, "cwd": "/w"},
        },
        {"timestamp": at, "type": "response_item", "payload": said},
    ]
    bare = events("\n".join(map(json.dumps, rollout)).encode(), "codex")
    assert events(json.dumps({"value": rollout, "Count": 2}).encode(), "codex") == bare


def test_a_document_with_front_matter_is_no_yaml() -> None:
    with pytest.raises(NotRecognised, match="no known format"):
        open_source(io.BytesIO(b"---\nname: auditor\nmode: primary\ntools: none\n---\nYou look for what is missing.\n"))


def test_a_record_is_read_whole_where_one_of_its_parts_is_surer() -> None:
    parts = [{"id": "prt_1", "sessionID": "ses_1", "messageID": "msg_1", "type": "tool", "tool": "bash", "callID": "c1", "state": {
        "status": "completed", "input": {"command": "git push"}, "output": "ok", "time": {"start": 1780322400000, "end": 1780322401000}}}]  # fmt: skip
    message = {
        "info": {"id": "msg_1", "sessionID": "ses_1", "role": "assistant", "time": {"created": 1780322400000}},
        "parts": parts,
    }
    bare = events(f"{json.dumps(message)}\n".encode() * 2, "opencode")
    assert len(bare) > 1
    assert events(f"{json.dumps({'at': TIME, 'row': message})}\n".encode() * 2, "opencode") == bare


@pytest.mark.parametrize("road", OBJECTS)
def test_an_object_gives_what_the_log_gives(road: str) -> None:
    data = "\n".join(json.dumps(OBJECTS[road](one)) for one in STATED).encode()
    assert events(data, "okta") == events("\n".join(map(json.dumps, STATED)).encode(), "okta")


COPIES: dict[str, Road] = {
    "column": lines(copied),
    "columns": lines(lambda one: f"1\t{TIME}\t{copied(one)}"),
    "named columns": lambda of: b"id\tpayload\n" + lines(lambda one: f"1\t{copied(one)}")(of),
    "dump": lambda of: b"COPY public.audit (id, payload) FROM stdin;\n" + lines(lambda one: f"1\t{copied(one)}")(of),
}


@pytest.mark.parametrize("road", COPIES)
def test_what_a_database_copied_out_is_read_without_its_backslashes(road: str) -> None:
    stated = [{**one, "displayMessage": 'said "no"\nto C:\\temp'} for one in STATED]
    records = [json.dumps(one) for one in stated]
    assert events(COPIES[road](records), "okta") == events("\n".join(records).encode(), "okta")


@pytest.mark.parametrize(
    "line",
    [{"a": 'said "no"', "b": "C:\\\\temp"}, {"a": "\\d+", "b": "x"}, {"a": "C:\\new"}],
    ids=["quotes", "pattern", "path"],
)
def test_a_log_s_own_backslashes_are_no_database_s(line: dict[str, str]) -> None:
    assert requoted(f"{json.dumps(line)}\n".encode() * 3) is None


def test_values_are_told_plainly() -> None:
    assert plain({"_id": {"$oid": "a"}, "at": {"$date": {"$numberLong": "1785628800123"}}, "n": [{"$numberInt": "403"}, {"$numberDouble": "0.5"}]}) == {
        "_id": "a", "at": "2026-08-02T00:00:00.123Z", "n": [403, 0.5],
    }  # fmt: skip
    assert plain({"a": {"N": "4"}, "b": {"L": [{"S": "x"}, {"NULL": True}]}, "c": {"NS": ["1", "2.5"]}}) == {
        "a": 4,
        "b": ["x", None],
        "c": [1, 2.5],
    }
    assert not told_with_kinds([{"request": {"key": {"id": {"S": "1"}}}, "n": 1}])
    for hostile in (
        {"_id": {"$date": {"$numberLong": "9" * 18}}},
        {"a": {"N": "nan"}},
        {"a": {"N": "1e999"}},
        {"a": {"S": 1}},
        {"a": {"M": {"b": 1}}},
    ):
        msgspec.json.encode(plain(hostile))


def test_no_prefix_takes_the_square_of_a_line() -> None:
    for prefix in PREFIXES:
        for text in ("<134>1 a b c d e " + "[a" * 50_000, "<134>1 a b c d e " + '["' * 50_000, f"{TIME} " + "x" * 100_000):
            prefix.match(text)


def test_a_banner_with_commas_makes_no_table_of_a_log() -> None:
    records = sample("leash")
    told = open_source(io.BytesIO("\n".join(["agent, started", *records]).encode()))
    assert told.format == "leash"
    assert not told.carried


def test_one_object_beside_others_is_no_carried_record() -> None:
    with pytest.raises(NotRecognised):
        open_source(io.BytesIO(json.dumps({"a": STATED[0], "b": {"name": "x", "value": 1}}).encode()))


@pytest.mark.parametrize("format", ["auditd", "agentgateway"])
@pytest.mark.parametrize(
    "begin",
    [
        "---\ninsertId: i\ntextPayload: ",
        "<?xml version='1.0'?>\n<results>\n<v>",
        "events:\n- message: 'x'\n  timestamp: 1\n- message: ",
    ],
)
def test_what_is_not_read_is_refused_with_what_to_do(format: str, begin: str) -> None:
    told = begin + "\n".join(sample(format)).replace("\n", "\ntimestamp: 1\n- message: ")
    with pytest.raises(NotRecognised, match="export its events as JSON"):
        open_source(io.BytesIO(told.encode()))


def test_a_list_of_texts_that_are_no_records_is_refused() -> None:
    with pytest.raises(NotRecognised, match="a list of texts"):
        open_source(io.BytesIO(json.dumps(["one thing", "another thing", "and nothing more"]).encode()))
