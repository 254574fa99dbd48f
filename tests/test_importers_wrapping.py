"""Logs inside what carried them: the inner records are read, the outer lines are the evidence."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from importers import NotRecognised, open_source
from importers.shared.fields import decode
from model.event import RawRecord, Reject

OPA: dict[str, Any] = {
    "decision_id": "4ca636c1-55e4-417a-b1d8-4aceb67960d1",
    "input": {"method": "GET"},
    "labels": {"id": "1"},
    "path": "http/example/authz/allow",
    "result": True,
    "timestamp": "2026-03-01T10:00:00Z",
}
LINE = json.dumps(OPA)

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
    "cloud logging": lambda: {"insertId": "1", "jsonPayload": OPA},
    "queue": lambda: {"MessageId": "1", "Message": LINE},
    "prefixed": lambda: {"log": "2026-03-01T10:00:00Z stdout F " + LINE},
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


def test_a_carrier_of_something_unknown_stays_unknown() -> None:
    with pytest.raises(NotRecognised, match="no known format"):
        open_source(io.BytesIO(json.dumps({"log": "hello", "stream": "stdout"}).encode()))
    with pytest.raises(NotRecognised, match="no known format"):
        open_source(io.BytesIO(json.dumps({"log": '{"a": 1}'}).encode()))
