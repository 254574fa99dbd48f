"""Parquet files: rows are read as the JSON records they were made from, and what would not end is refused with its reason."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from importers import NotRecognised, open_source
from importers.cutting import parquet
from importers.cutting.members import Member, Unreadable, members
from importers.cutting.pages import BadPage, pages
from model.event import RawRecord, Reject

pa = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
pq = pytest.importorskip("pyarrow.parquet")


def written(path: Path, table: Any, **how: Any) -> Path:
    pq.write_table(table, path, **how)
    return path


def text_of(path: Path) -> str:
    [one] = members(path) or ()
    assert isinstance(one, Member), one
    with one.open() as stream:
        return b"".join(iter(lambda: stream.read(1000), b"")).decode()


def rows(path: Path) -> list[dict[str, Any]]:
    return json.loads(text_of(path))


def refusal(path: Path) -> str:
    [one] = members(path) or ()
    assert isinstance(one, Unreadable), one
    return one.reason


def test_a_row_says_what_json_would_say(tmp_path: Path) -> None:
    inner = pa.struct([("at", pa.timestamp("ns", "America/New_York")), ("raw", pa.binary()), ("none", pa.string())])
    made = pa.table(
        {
            "who": pa.array([{"at": 1_700_000_000_123_456_789, "raw": b"abc", "none": None}, None], inner),
            "tags": pa.array([[("a", "1"), ("b", "2")], []], pa.map_(pa.string(), pa.string())),
            "twice": pa.array([[("a", "1"), ("a", "2")], None], pa.map_(pa.string(), pa.string())),
            "list": pa.array([["x", None], []], pa.list_(pa.string())),
            "amount": pa.array([decimal.Decimal("12345678901234567890.10"), None], pa.decimal128(22, 2)),
            "whole": pa.array([2**63 - 1, -1]),
            "raw": pa.array([b"\xff\xfe", b"ok"]),
            "day": pa.array([dt.date(2026, 3, 17), None]),
            "late": pa.array([2**62, 0], pa.timestamp("us")),
            "yes": pa.array([True, False]),
            "words": pa.array(["a", "b"]).dictionary_encode(),
        }
    )
    found = text_of(written(tmp_path / "t.parquet", made))
    first, second = json.loads(found)
    assert first["who"] == {"at": "2023-11-14T22:13:20.123456Z", "raw": "abc"}
    assert first["tags"] == {"a": "1", "b": "2"}
    assert first["twice"] == [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]
    assert first["list"] == ["x", None]
    assert '"amount":12345678901234567890.10' in found
    assert first["whole"] == 2**63 - 1
    assert first["raw"] == {"_bytes": 2} and second["raw"] == "ok"
    assert first["day"] == "2026-03-17" and first["yes"] is True and first["words"] == "a"
    assert "_unreadable" in first["late"] and second["late"] == "1970-01-01T00:00:00"
    assert "who" not in second and "amount" not in second


def test_columns_named_by_their_path_are_put_together(tmp_path: Path) -> None:
    made = pa.table({"a.b": ["x"], "a.c": ["y"], "d": [1]})
    assert rows(written(tmp_path / "t.parquet", made)) == [{"a": {"b": "x", "c": "y"}, "d": 1}]


EVENTS = [
    {
        "eventversion": "1.08",
        "eventid": f"id-{n}",
        "eventtime": f"2026-03-17T10:00:{n:02}Z",
        "eventsource": "s3.amazonaws.com",
        "eventname": "PutObject",
        "useridentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/dev", "accountid": "123456789012"},
        "requestparameters": '{"bucketName":"b","key":"k"}',
    }
    for n in range(5)
]


def test_a_lake_of_cloudtrail_is_read_by_row_group_and_row(tmp_path: Path) -> None:
    path = written(tmp_path / "t.parquet", pa.Table.from_pylist(EVENTS), row_group_size=2)
    [one] = members(path) or ()
    assert isinstance(one, Member)
    with one.open() as stream:
        source = open_source(stream)
        found = list(source.items())
    assert source.importer.id == "cloudtrail"
    assert all(isinstance(item, RawRecord) for item in found)
    assert [(item.line, item.index) for item in found] == [(1, 1), (1, 2), (2, 3), (2, 4), (3, 5)]
    assert source.sha256 == sha256(path.read_bytes()).hexdigest() and source.bytes == path.stat().st_size
    parsed = source.importer.open().read(json.loads(found[0].data))
    assert parsed.identity == "id-0" and parsed.events[0].attrs["account"] == "123456789012"


def test_an_empty_file_holds_no_record(tmp_path: Path) -> None:
    path = written(tmp_path / "t.parquet", pa.Table.from_pylist(EVENTS).slice(0, 0))
    [one] = members(path) or ()
    assert isinstance(one, Member)
    with one.open() as stream, pytest.raises(NotRecognised, match="empty list"):
        open_source(stream)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:-3], "no footer"),
        (lambda data: data[:4] + b"garbage!" * 4, "no footer"),
        (lambda data: data[:-4] + b"PARE", "encrypted"),
        (lambda data: data[:-40] + b"\xff" * 32 + data[-8:], "damaged"),
        (lambda data: b"PAR1" + b"\0" * 8 + (12).to_bytes(4, "little") + b"PAR1", "footer"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, change: Any, reason: str) -> None:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(EVENTS), out)
    path = tmp_path / "t.parquet"
    path.write_bytes(change(out.getvalue()))
    assert reason in refusal(path)


def test_a_footer_a_schema_and_columns_without_measure_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = written(tmp_path / "wide.parquet", pa.table({f"c{n}": [1] for n in range(60)}))
    monkeypatch.setattr(parquet, "MAX_COLUMNS", 50)
    assert "60 columns" in refusal(wide)
    monkeypatch.setattr(parquet, "MAX_FOOTER", 100)
    assert "footer has" in refusal(wide)
    monkeypatch.undo()
    kind, value = pa.string(), "x"
    for _ in range(parquet.MAX_NESTING + 5):
        kind, value = pa.struct([("a", kind)]), {"a": value}  # type: ignore[assignment]
    deep = written(tmp_path / "deep.parquet", pa.table({"a": pa.array([value], kind)}))
    assert "damaged" in refusal(deep)


def items(path: Path) -> Iterator[Any]:
    [one] = members(path) or ()
    assert isinstance(one, Member)
    with one.open() as stream:
        yield from open_source(stream).items()


def test_a_page_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [{**event, "useragent": "x" * 300_000} for event in EVENTS]
    path = written(tmp_path / "t.parquet", pa.Table.from_pylist(events), compression="zstd", row_group_size=4)
    assert path.stat().st_size < 30_000
    monkeypatch.setattr(parquet, "MAX_PAGE", 200_000)
    with pytest.raises(NotRecognised, match="row group 1 is not read: a page that unpacks to 3000"):
        list(items(path))
    monkeypatch.undo()
    assert len(list(items(path))) == 5
    monkeypatch.setattr(parquet, "BATCH", 1)
    monkeypatch.setattr(parquet, "BOMB_FLOOR", 1_000_000)
    monkeypatch.setattr(parquet, "BOMB_RATIO", 10)
    found = list(items(path))
    assert isinstance(found[-1], Reject) and "reading stopped" in found[-1].reason
    assert len(found) < 6


def test_a_later_damage_leaves_what_was_read(tmp_path: Path) -> None:
    path = written(tmp_path / "t.parquet", pa.Table.from_pylist(EVENTS), compression="zstd", row_group_size=2)
    where = pq.read_metadata(path).row_group(2).column(0)
    data = bytearray(path.read_bytes())
    data[where.dictionary_page_offset : where.dictionary_page_offset + 12] = b"\xff" * 12
    path.write_bytes(data)
    found = list(items(path))
    assert [type(one) for one in found] == [RawRecord] * 4 + [Reject]
    assert "row group 3" in found[-1].reason


def test_a_row_of_values_without_number_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(
        tmp_path / "t.parquet", pa.table({"eventname": ["x"], "list": pa.array([[None] * 50_000], pa.list_(pa.int64()))})
    )
    assert path.stat().st_size < 3000
    monkeypatch.setattr(parquet, "MAX_VALUES", 10_000)
    with pytest.raises(NotRecognised, match="values for 1 rows"):
        list(items(path))


def test_a_text_repeated_by_its_number_is_weighed_before_it_is_spread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = "y" * 10_000
    path = written(tmp_path / "t.parquet", pa.table({"a": [{"b": [long]}] * 400 + [{"b": [long] * 9}]}))
    monkeypatch.setattr(parquet, "MAX_RECORD", 50_000)
    largest = 0
    plain = parquet._ENCODER

    class Watched:
        def encode(self, rows: Any) -> bytes:
            nonlocal largest
            data = plain.encode(rows)
            largest = max(largest, len(data))
            return data

    monkeypatch.setattr(parquet, "_ENCODER", Watched())
    found = rows(path)
    assert len(found) == 401 and found[0] == {"a": {"b": [long]}}
    assert "_unreadable" in found[-1]
    assert 10_000 < largest <= 60_000


@pytest.mark.parametrize(
    "data", [b"\x15\x80", b"\x19\xf5" + b"\xff" * 9, b"\x0c" * 40, b"\x1c" * 40 + b"\0" * 9, b"\x00" * 9, b"\x18\xff\xff\xff\x7f"]
)
def test_bytes_that_are_no_page_header_are_refused(data: bytes) -> None:
    with pytest.raises(BadPage):
        list(pages(io.BytesIO(data), 0, len(data)))


def test_without_the_extra_the_reason_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "t.parquet", pa.Table.from_pylist(EVENTS))
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert "remit[parquet]" in refusal(path)
