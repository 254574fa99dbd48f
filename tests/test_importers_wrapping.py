"""Logs inside what carried them: the inner records and lines are read, the outer lines are the evidence."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from importers import NotRecognised, open_source
from importers.cutting.wrapping import ROWS, first_at
from importers.shared.fields import decode, mapping
from model.event import RawRecord, Reject
from model.words import Effect
from tests.carried_records import LINE, OPA, packed, zipped
from tests.importer_checks import whole

CARRIED: dict[str, Callable[[], dict[str, Any]]] = {
    "docker": lambda: {"log": LINE + "\n", "stream": "stdout", "time": "2026-03-01T10:00:00Z"},
    "journal": lambda: {"MESSAGE": LINE, "_SYSTEMD_UNIT": "opa.service"},
    "elastic": lambda: {"@timestamp": "2026-03-01T10:00:00Z", "message": LINE},
    "elastic original": lambda: {"event": {"original": LINE}, "host": {"name": "a"}},
    "splunk": lambda: {"time": 1, "host": "a", "event": OPA},
    "splunk search": lambda: {"preview": False, "offset": 0, "result": {"_raw": LINE, "sourcetype": "opa"}},
    "elastic dump": lambda: {"_index": "logs", "_id": "1", "_source": {"message": LINE}},
    "elastic dump of originals": lambda: {"_index": "logs", "_source": {"event": {"original": LINE}, "message": "decision"}},
    "elastic dump of documents": lambda: {"_index": "logs", "_source": OPA},
    "queue's answer": lambda: {"MessageId": "1", "ReceiptHandle": "r", "Body": LINE},
    "datadog archive": lambda: {"_id": "a", "date": "2026-03-01T10:00:00Z", "service": "opa", "attributes": OPA, "tags": []},
    "datadog search": lambda: {"id": "a", "type": "log", "attributes": {"service": "opa", "attributes": OPA, "tags": []}},
    "cloudevents": lambda: {"specversion": "1.0", "id": "1", "source": "/opa", "type": "decision", "data": OPA},
    "kafka": lambda: {"topic": "audit", "partition": 0, "offset": 7, "key": None, "payload": LINE},
    "eventbridge": lambda: {"version": "0", "id": "e", "detail-type": "SystemLog", "source": "aws.partner/x", "detail": OPA},
    "cloud logging": lambda: {"insertId": "1", "jsonPayload": OPA},
    "container insights": lambda: {"TimeGenerated": "2026-03-01T10:00:00Z", "PodName": "opa-1", "LogMessage": OPA},
    "datadog search before": lambda: {"id": "1", "content": {"service": "opa", "message": "Decision Log", "attributes": OPA}},
    "queue": lambda: {"MessageId": "1", "Message": LINE},
    "prefixed": lambda: {"log": "2026-03-01T10:00:00Z stdout F " + LINE},
    "connector": lambda: {"topic": "audit", "partition": 0, "offset": 7, "key": None, "value": LINE, "headers": []},
    "connector of objects": lambda: {"topic": "audit", "partition": 0, "offset": 7, "value": OPA},
    "own table of a log store": lambda: {"TimeGenerated": "2026-03-01T10:00:00Z", "RawData": LINE, "Type": "Opa_CL"},
    "stream": lambda: {"kinesis": {"data": packed(LINE), "sequenceNumber": "4"}, "eventSource": "aws:kinesis"},
    "stream, zipped": lambda: {"kinesis": {"data": zipped(LINE)}, "eventSource": "aws:kinesis"},
    "subscription": lambda: {"ackId": "a", "message": {"data": packed(LINE), "messageId": "1"}},
    "a member nobody knows": lambda: {"when": "2026-03-01", "host": {"name": "a", "log_line": LINE}},
}


@pytest.mark.parametrize("name", CARRIED)
def test_the_inner_record_is_read_and_the_outer_line_is_the_evidence(name: str) -> None:
    outer = json.dumps(CARRIED[name]())
    source = open_source(io.BytesIO((outer + "\n" + outer + "\n").encode()))
    items = list(source.items())
    assert source.format == "opa"
    assert len(items) == 2
    for item in items:
        assert isinstance(item, RawRecord)
        assert decode(item.data) == OPA
        assert item.original == outer.encode()


@pytest.mark.parametrize("between", ["\n", ""], ids=["lines", "glued"])
def test_a_log_groups_batches_follow_each_other(between: str) -> None:
    batch = {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "/opa", "logStream": "s", "subscriptionFilters": ["all"]}
    told = [{**batch, "logEvents": [{"id": str(n), "timestamp": n, "message": LINE} for n in range(2)]} for _ in range(3)]
    source = open_source(io.BytesIO(between.join(json.dumps(one) for one in told).encode()))
    items = list(source.items())
    assert source.format == "opa"
    assert [decode(item.data) for item in items if isinstance(item, RawRecord)] == [OPA] * 6


def test_what_carries_no_record_is_text_between_the_records() -> None:
    outer = [json.dumps({"log": "Initializing server."}), *[json.dumps({"log": LINE})] * 3, '{"log": "cut']
    source = open_source(io.BytesIO("\n".join(outer).encode()))
    items = list(source.items())
    assert [type(item) for item in items] == [RawRecord, RawRecord, RawRecord, Reject]
    assert source.noise_lines == 1


BROKEN = LINE[:-9]


@pytest.mark.parametrize(
    ("lines", "records", "rejects"),
    [
        (["# from the server", LINE, BROKEN, "# later", LINE], 2, [(3, "not valid JSON")]),
        (["starting", LINE, LINE, BROKEN], 2, [(4, "truncated last line (the file may still be growing)")]),
        ([f"opa_1 | {LINE}", f"opa_1 | {BROKEN}", "opa_1 | stopping", f"opa_1 | {LINE}"], 2, [(2, "not valid JSON")]),
        (["starting", LINE, 'client said {"a', LINE], 2, []),
        ([json.dumps({"log": one}) for one in (LINE, BROKEN, LINE)], 2, [(2, "not valid JSON")]),
    ],
)
def test_a_record_that_breaks_off_inside_its_carrier_is_no_text(
    lines: list[str], records: int, rejects: list[tuple[int, str]]
) -> None:
    source = open_source(io.BytesIO(("\n".join(lines) + "\n").encode()))
    items = list(source.items())
    assert source.format == "opa"
    assert sum(isinstance(item, RawRecord) for item in items) == records
    assert [(one.line, one.reason.partition(":")[0]) for one in items if isinstance(one, Reject)] == rejects
    assert records + len(rejects) + source.noise_lines == len(lines)


def test_a_carrier_of_something_unknown_stays_unknown() -> None:
    with pytest.raises(NotRecognised, match="no known format"):
        open_source(io.BytesIO(json.dumps({"log": "hello", "stream": "stdout"}).encode()))
    with pytest.raises(NotRecognised, match="no known format"):
        open_source(io.BytesIO(json.dumps({"log": '{"a": 1}'}).encode()))


AUDITD = (
    'type=USER_CMD msg=audit(1772359200.123:77): pid=9 uid=1000 auid=1000 ses=3 msg=\'cwd="/srv" cmd="id" exe="/usr/bin/sudo" '
    "res=failed'"
)
SPIRE = (
    'time="2026-03-01T10:00:00Z" level=info msg="API accessed" type=audit status=success method=MintJWTSVID '
    'service=svid.v1.SVID authorized_as=agent authorized_via=datastore caller_addr="10.0.0.9:1" caller_id="spiffe://acme/agent" '
    "request_id=5b1a svid_id=a1 spiffe_id=spiffe://acme/ci audience=vault ttl=300 registered=true"
)
ENVOY = (
    '[2026-03-01T10:00:00.123Z] "POST /api/v1/keys HTTP/1.1" 403 - 12 0 3 - "10.1.1.1" "curl/8.5" '
    '"0f2ec2c5-7d64-9b0c-a1d0-32c2b22fd9b1" "api.acme.example" "-"'
)
GIT = '10.0.0.7 - ci-bot [01/Mar/2026:10:00:00 +0000] "POST /acme/api.git/git-receive-pack HTTP/1.1" 403 162 "-" "git/2.45.0"'
KEYCLOAK = (
    '2026-03-01 10:00:00,123 WARN  [org.keycloak.events] (executor-thread-1) type="LOGIN_ERROR", realmId="acme", '
    'clientId="ci", userId="null", ipAddress="10.0.0.9", error="invalid_user_credentials"'
)
LINES = {"auditd": AUDITD, "spire-text": SPIRE, "envoy-text": ENVOY, "git-access": GIT, "keycloak-text": KEYCLOAK}

OUTER: dict[str, Callable[[str], dict[str, Any]]] = {
    "docker": lambda line: {"log": line + "\n", "stream": "stdout", "time": "2026-03-01T10:00:00.1Z"},
    "journal": lambda line: {"MESSAGE": line, "_SYSTEMD_UNIT": "a.service", "__REALTIME_TIMESTAMP": "1772359200000000"},
    "journal, bytes": lambda line: {"MESSAGE": list(line.encode()), "_SYSTEMD_UNIT": "a.service"},
    "fluent-bit": lambda line: {"date": 1772359200.1, "log": line, "stream": "stdout", "kubernetes": {"pod_name": "a"}},
    "fluent-bit, CRI": lambda line: {"log": "2026-03-01T10:00:00.123456789Z stdout F " + line},
    "elastic": lambda line: {"@timestamp": "2026-03-01T10:00:00Z", "message": line, "host": {"name": "a"}},
    "elastic, original": lambda line: {"_index": "a", "_id": "1", "_source": {"event": {"original": line}, "message": "x"}},
    "cloudwatch": lambda line: {"timestamp": 1772359200123, "message": line, "ingestionTime": 1, "eventId": "1"},
    "splunk": lambda line: {"preview": False, "offset": 0, "result": {"_raw": line, "_time": "2026-03-01"}},
    "logcli": lambda line: {"labels": {"app": "a"}, "line": line, "timestamp": "2026-03-01T10:00:00Z"},
    "cloud logging": lambda line: {"insertId": "1", "textPayload": line, "resource": {"type": "k8s_container"}},
    "syslog inside": lambda line: {"message": "<13>Mar  1 10:00:00 host nginx[7]: " + line},
}


@pytest.mark.parametrize("carrier", OUTER)
@pytest.mark.parametrize("format", LINES)
def test_a_line_of_text_inside_a_record_is_read(carrier: str, format: str) -> None:
    outer = [json.dumps(OUTER[carrier](line)) for line in (LINES[format], "Listening on :8080", LINES[format])]
    source = open_source(io.BytesIO("\n".join(outer).encode()))
    items = list(source.items())
    assert (source.format, len(items), source.noise_lines) == (format, 2, 1)
    reader = source.importer.open()
    for item, place in zip(items, (0, 2), strict=True):
        assert isinstance(item, RawRecord)
        assert (item.original, item.line) == (outer[place].encode(), place + 1)
        assert reader.read(decode(item.data)).events


def test_a_record_of_the_audit_in_the_journal_has_its_type_serial_and_time_beside_its_text() -> None:
    said = 'AVC apparmor="DENIED" operation="open" profile="agent" name="/etc/shadow" pid=7 comm="cat" requested_mask="r" denied_mask="r"'
    about = {"_TRANSPORT": "audit", "_AUDIT_TYPE_NAME": "AVC", "_AUDIT_ID": "41", "_HOSTNAME": "h1", "MESSAGE": said}
    entries = [about | {"_SOURCE_REALTIME_TIMESTAMP": at} for at in ("1772359200012000", "soon")]
    entries.append({"_TRANSPORT": "stdout", "MESSAGE": "Started a.service.", "_HOSTNAME": "h1"})
    source = open_source(io.BytesIO("\n".join(json.dumps(one) for one in entries).encode()))
    (item,) = source.items()
    assert isinstance(item, RawRecord)
    assert (source.format, item.original) == ("auditd", json.dumps(entries[0]).encode())
    (event,) = source.importer.open().read(decode(item.data)).events
    assert event.decision is not None and event.decision.effect is Effect.DENY
    assert (event.at, event.target.name, event.attrs["host"]) == (1772359200012000, "/etc/shadow", "h1")
    assert [one.value for one in event.keys] == ["h1/1772359200.012:41"]


@pytest.mark.parametrize("node", ["", "node=h1 "], ids=["this machine", "named machine"])
@pytest.mark.parametrize("around", [lambda alert: alert, lambda alert: {"_id": "1", "_source": alert}], ids=["alert", "document"])
def test_records_of_one_event_in_one_line_are_read_one_by_one(around: Callable[[Any], Any], node: str) -> None:
    records = [
        'type=SYSCALL msg=audit(1772359200.012:41): arch=c000003e syscall=59 success=yes exit=0 auid=1000 uid=0 comm="cat" exe="/usr/bin/cat"',
        'type=EXECVE msg=audit(1772359200.012:41): argc=2 a0="cat" a1="/etc/shadow"',
        "type=PROCTITLE msg=audit(1772359200.012:41): proctitle=636174 type=AVC msg=audit(1772359200.012:7): avc:  denied  { read } for",
    ]
    alert = {"timestamp": "2026-03-01T10:00:01.000+0000", "decoder": {"name": "auditd"}, "data": {"audit": {"id": "41"}}}
    outer = [alert | {"full_log": " ".join(node + record for record in records)}, alert | {"full_log": "Started a.service."}]
    source = open_source(io.BytesIO("\n".join(json.dumps(around(one)) for one in outer).encode()))
    items = [item for item in source.items() if isinstance(item, RawRecord)]
    assert (source.format, [item.original for item in items]) == ("auditd", [(node + record).encode() for record in records])
    call, execve, title = (source.importer.open().read(decode(item.data)).events for item in items)
    assert [event.attrs.get("command") for event in (*call, *execve, *title)] == [None, "cat /etc/shadow"]


PREFIXED = [
    "2026-03-01T10:00:00.123456789Z stdout F ",
    "<190>Mar  1 10:00:00 proxy nginx: ",
    "Mar  1 10:00:00 proxy nginx[31]: ",
    "<190>1 2026-03-01T10:00:00.1Z proxy nginx 31 - - ",
    '<190>1 2026-03-01T10:00:00.1Z proxy nginx 31 ID1 [x@1 a="b"][y@1 c="d"] ',
    "2026-03-01T10:00:00.123456+00:00 proxy nginx[31]: ",
    "2026-03-01T10:00:00Z\tkube.proxy\t",
    '2026-03-01T10:00:00Z {app="proxy", pod="a"} ',
    "[pod/proxy-1/nginx] ",
    "proxy-1  | ",
    "2026-03-01T10:00:00.123Z ",
]


@pytest.mark.parametrize("prefix", PREFIXED)
@pytest.mark.parametrize("format", ["git-access", "envoy-text"])
def test_a_line_of_text_behind_a_prefix_is_read(prefix: str, format: str) -> None:
    lines = [prefix + LINES[format], prefix + "worker started", prefix + LINES[format]]
    source = open_source(io.BytesIO("\n".join(lines).encode()))
    items = list(source.items())
    assert (source.format, len(items), source.noise_lines) == (format, 2, 1)
    assert [item.original for item in items if isinstance(item, RawRecord)] == [lines[0].encode(), lines[2].encode()]
    assert source.importer.open().read(decode(items[0].data)).events  # type: ignore[union-attr]


MANY: dict[str, Callable[[list[str]], object]] = {
    "loki, query": lambda lines: {
        "status": "success",
        "data": {"resultType": "streams", "result": [{"stream": {"a": "b"}, "values": [["1772359200000000000", one] for one in lines]}]},
    },
    "loki, push": lambda lines: {"streams": [{"stream": {}, "values": [["1772359200000000000", one, {}] for one in lines]}]},
    "elastic, search": lambda lines: {"took": 1, "hits": {"total": {"value": 2}, "hits": [{"_id": "1", "_source": {"message": one}} for one in lines]}},
    "insights": lambda lines: {
        "status": "Complete",
        "results": [[{"field": "@timestamp", "value": "2026-03-01 10:00:00.000"}, {"field": "@message", "value": one}] for one in lines],
    },
    "subscription": lambda lines: {
        "messageType": "DATA_MESSAGE",
        "logGroup": "/a",
        "logEvents": [{"id": "1", "timestamp": 1772359200000, "message": one} for one in lines],
    },
}  # fmt: skip


@pytest.mark.parametrize("carrier", MANY)
@pytest.mark.parametrize(("format", "line"), [*LINES.items(), ("opa", LINE)])
def test_an_object_of_many_lines_gives_each(carrier: str, format: str, line: str) -> None:
    parsed, rejects = whole(json.dumps(MANY[carrier]([line, line])), format)
    assert (len(parsed), rejects) == (2, [])
    assert all(one.events for one in parsed)


def test_batches_of_a_log_subscription_may_follow_each_other_without_a_line_end() -> None:
    batch = json.dumps(MANY["subscription"]([GIT, GIT]))
    parsed, rejects = whole(batch * 3, "git-access")
    assert (len(parsed), rejects) == (6, [])


@pytest.mark.parametrize("head", ["_time,host,_raw", "@timestamp,host,@message", "Date,Host,Message", "Time,labels,Line"])
def test_a_table_with_the_line_in_a_column(head: str) -> None:
    quoted = GIT.replace('"', '""')
    table = "\n".join([head, *[f'2026-03-01T10:00:00Z,a,"{quoted}"'] * 2])
    parsed, rejects = whole(table, "git-access")
    assert (len(parsed), rejects) == (2, [])
    quoted = LINE.replace('"', '""')
    parsed, _ = whole("\n".join([head, *[f'2026-03-01T10:00:00Z,a,"{quoted}"'] * 2]), "opa")
    assert [one.events[0].decision.effect for one in parsed if one.events[0].decision] == [Effect.ALLOW] * 2


def test_a_line_that_the_container_runtime_cut_is_put_together() -> None:
    long = json.dumps({**OPA, "input": {"method": "GET", "body": "x" * 40_000}})
    pieces = [long[:16384], long[16384:32768], long[32768:] + "\n"]
    docker = [json.dumps({"log": one, "stream": "stdout", "time": "2026-03-01T10:00:00Z"}) for one in pieces]
    other = json.dumps({"log": LINE + "\n", "stream": "stderr", "time": "2026-03-01T10:00:00Z"})
    source = open_source(io.BytesIO("\n".join([other, docker[0], other, docker[1], docker[2], other]).encode()))
    items = [item for item in source.items() if isinstance(item, RawRecord)]
    assert [len(item.data) for item in items] == [len(LINE), len(LINE), len(long), len(LINE)]
    assert (items[2].original, items[2].line) == ("\n".join(docker).encode(), 2)

    git = GIT.replace("/acme/", "/acme/" + "x" * 100)
    cri = "2026-03-01T10:00:00.1Z stdout "
    lines = [cri + "P " + git[:60], cri + "P " + git[60:90], cri + "F " + git[90:], cri + "F " + git]
    source = open_source(io.BytesIO("\n".join([cri + "F " + GIT] * 3 + lines).encode()))
    items = [item for item in source.items() if isinstance(item, RawRecord)]
    assert (source.format, source.noise_lines) == ("git-access", 0)
    assert [decode(item.data) for item in items] == [{"line": GIT}] * 3 + [{"line": git}] * 2
    assert items[3].original == "\n".join(lines[:3]).encode()


def test_a_line_longer_than_the_runtime_cuts_is_whole_though_a_collector_took_its_end() -> None:
    long = json.dumps({**OPA, "input": {"method": "GET", "body": "x" * 40_000}})
    carried = [json.dumps({"log": one, "stream": "stdout", "time": "2026-03-01T10:00:00Z"}) for one in (LINE, long, long, LINE)]
    items = list(open_source(io.BytesIO("\n".join(carried).encode())).items())
    assert [len(item.data) for item in items if isinstance(item, RawRecord)] == [len(LINE), len(long), len(long), len(LINE)]


def test_json_that_the_container_runtime_cut_is_put_together() -> None:
    long = json.dumps({**OPA, "input": {"method": "GET", "body": "x" * 3_000}})
    out, err = "2026-03-01T10:00:00.1Z stdout ", "2026-03-01T10:00:00.1Z stderr "
    lines = [
        out + "F starting",
        out + "P " + long[:1000],
        err + "F noise",
        out + "P " + long[1000:2000],
        out + "F " + long[2000:],
        out + "F " + LINE,
    ]
    source = open_source(io.BytesIO("\n".join(lines).encode()))
    items = [item for item in source.items() if isinstance(item, RawRecord)]
    assert (source.format, source.noise_lines) == ("opa", 2)
    assert [decode(item.data) for item in items] == [json.loads(long), json.loads(LINE)]
    assert items[0].original == "\n".join((lines[1], lines[3], lines[4])).encode() and items[0].line == 2


def test_a_line_without_end_is_no_piece_of_the_next() -> None:
    """Collectors take the line end off: nothing but a full buffer says that a line goes on."""
    outer = json.dumps({"log": LINE, "stream": "stdout", "time": "2026-03-01T10:00:00Z"})
    source = open_source(io.BytesIO("\n".join([outer] * 3).encode()))
    assert len(list(source.items())) == 3


@pytest.mark.parametrize("cased", [False, True], ids=["names", "Kusto's"])
def test_rows_of_a_queried_table_are_records(cased: bool) -> None:
    """A query service answers with the columns once and lists of cells; a row that does not fit them is no record."""
    names = list(OPA)
    columns = [{"ColumnName": name} if cased else {"name": name, "type": "dynamic"} for name in names]
    rows = [list(OPA.values()), list(OPA.values()), ["too short"]]
    told = {"Columns": columns, "Rows": rows} if cased else {"name": "PrimaryResult", "columns": columns, "rows": rows}
    source = open_source(io.BytesIO(json.dumps({"Tables" if cased else "tables": [told]}).encode()))
    items = list(source.items())
    assert source.format == "opa"
    assert [decode(item.data) for item in items if isinstance(item, RawRecord)] == [OPA] * 2


def test_attributes_of_a_log_record_may_be_the_record() -> None:
    """Programs that log over OpenTelemetry tell their members as attributes; the body says in words what it is."""

    def value(one: object) -> dict[str, object]:
        if isinstance(one, dict):
            return {"kvlistValue": {"values": [{"key": name, "value": value(inner)} for name, inner in one.items()]}}
        return {"boolValue": one} if isinstance(one, bool) else {"stringValue": str(one)}

    attributes = [{"key": name, "value": value(one)} for name, one in OPA.items()]
    logged = {"timeUnixNano": "1772359200000000000", "body": {"stringValue": "Decision Log"}, "attributes": attributes}
    source = open_source(io.BytesIO(json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [logged, logged]}]}]}).encode()))
    items = [item for item in source.items() if isinstance(item, RawRecord)]
    assert (source.format, [item.index for item in items]) == ("opa", [1, 2])
    assert mapping(decode(items[0].data))["decision_id"] == OPA["decision_id"]


def test_of_a_large_answer_the_first_rows_tell_the_format_and_all_are_read() -> None:
    table = {"columns": list(OPA), "rows": [list(OPA.values())] * 3_000}
    assert len(first_at([table], (ROWS,))) < 1_000
    source = open_source(io.BytesIO(json.dumps({"tables": [table]}).encode()))
    assert source.format == "opa"
    assert sum(isinstance(item, RawRecord) for item in source.items()) == 3_000


def test_a_list_of_thousands_of_columns_is_no_table() -> None:
    names = [f"c{n}" for n in range(5_000)]
    assert first_at([{"columns": names, "rows": [names] * 3}], (ROWS,)) == []
    assert len(first_at([{"columns": names[:500], "rows": [names[:500]] * 3}], (ROWS,))) == 3
