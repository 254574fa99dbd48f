"""Avro files: every type, every packing, what Event Hubs captures, and files that are broken or made to hurt."""

from __future__ import annotations

import bz2
import json
import lzma
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from importers.cutting import avro
from importers.cutting.members import Member, Unreadable, holds_members, members
from importers.cutting.origin import Damaged
from importers.detect import open_source
from model.event import RawRecord

SYNC = b"0123456789abcdef"


def number(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return number(len(data)) + data


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "null": bytes, "deflate": raw_deflate, "bzip2": bz2.compress, "xz": lzma.compress, "zstandard": zstandard.compress,
}  # fmt: skip


def header(schema: object, codec: str = "null") -> bytes:
    told = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
    return avro.MAGIC + number(2) + text("avro.schema") + text(told) + text("avro.codec") + text(codec) + number(0) + SYNC


def block(records: list[bytes], codec: str = "null", count: int | None = None) -> bytes:
    packed = PACKERS[codec](b"".join(records))
    return number(len(records) if count is None else count) + number(len(packed)) + packed + SYNC


def rows(data: bytes, path: Path) -> Any:
    path.write_bytes(data)
    (member,) = members(path) or ()
    if isinstance(member, Unreadable):
        return member.reason
    assert isinstance(member, Member)
    with member.open() as stream:
        return json.loads(b"".join(iter(lambda: stream.read(7), b"")))


CAPTURED = {
    "type": "record", "name": "EventData", "namespace": "Microsoft.ServiceBus.Messaging", "fields": [
        {"name": "SequenceNumber", "type": "long"},
        {"name": "Properties", "type": {"type": "map", "values": ["long", "double", "string", "bytes", "null"]}},
        {"name": "Body", "type": ["null", "bytes"]},
    ],
}  # fmt: skip


def captured(place: int, body: bytes) -> bytes:
    return number(place) + number(1) + text("a") + number(2) + text("b") + number(0) + number(1) + text(body)


@pytest.mark.parametrize("codec", sorted(PACKERS))
def test_events_that_were_captured_are_read_whatever_packs_them(codec: str, tmp_path: Path) -> None:
    at, vault = "2026-06-01T14:00:0{}Z", "/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/V"
    event = {
        "resourceId": vault,
        "operationName": "SecretGet",
        "category": "AuditEvent",
        "resultSignature": "OK",
        "callerIpAddress": "10.0.0.7",
    }
    event |= {
        "properties": {
            "id": "https://v.vault.azure.net/secrets/x/1",
            "requestUri": "https://v.vault.azure.net/secrets/x",
            "httpStatusCode": 200,
        }
    }
    bodies = [json.dumps({"records": [event | {"time": at.format(2 * n + k)} for k in range(2)]}).encode() for n in range(2)]
    path = tmp_path / "0.avro"
    path.write_bytes(header(CAPTURED, codec) + b"".join(block([captured(n, one)], codec) for n, one in enumerate(bodies)))
    assert holds_members(path.read_bytes())
    (member,) = members(path) or ()
    assert isinstance(member, Member)
    with member.open() as stream:
        source = open_source(stream)
        items = list(source.items())
    assert (source.format, len(items)) == ("azure-keyvault", 4)
    assert all(isinstance(item, RawRecord) for item in items)


def test_all_types_are_told_as_json_would(tmp_path: Path) -> None:
    fields = {
        "int": "int", "long": "long", "float": "float", "double": "double", "yes": "boolean", "text": "string", "none": "null",
        "text_bytes": "bytes", "bytes": "bytes", "fixed": {"type": "fixed", "name": "F", "size": 2}, "enum": {"type": "enum", "name": "E", "symbols": ["A", "B"]},
        "list": {"type": "array", "items": "long"}, "map": {"type": "map", "values": "string"}, "day": {"type": "long", "logicalType": "timestamp-millis"},
        "far": {"type": "long", "logicalType": "timestamp-micros"}, "next": ["null", "R"], "again": "n.F",
    }  # fmt: skip
    schema = {
        "type": "record",
        "name": "R",
        "namespace": "n",
        "fields": [{"name": name, "type": kind} for name, kind in fields.items()],
    }
    begin = (
        number(-3)
        + number(2**62)
        + struct.pack("<fd", 0.5, -1.25)
        + b"\1"
        + text("\u00e9")
        + text("b")
        + text(b"\xff")
        + b"fx"
        + number(1)
    )
    begin += number(-2) + number(2) + number(7) + number(-7) + number(0) + number(1) + text("k") + text("v") + number(0)
    begin += number(1780322400123) + number(2**61)
    inner, outer = begin + number(0) + b"yz", begin + number(1) + begin + number(0) + b"yz" + b"yz"
    told = {
        "int": -3, "long": 2**62, "float": 0.5, "double": -1.25, "yes": True, "text": "\u00e9", "text_bytes": "b", "bytes": {"_bytes": 1}, "fixed": "fx",
        "enum": "B", "list": [7, -7], "map": {"k": "v"}, "day": "2026-06-01T14:00:00.123000Z", "far": 2**61, "again": "yz",
    }  # fmt: skip
    assert rows(header(schema) + block([inner, outer]), tmp_path / "a") == [told, told | {"next": told}]
    assert rows(header(schema), tmp_path / "b") == []


LONG = {"type": "record", "name": "R", "fields": [{"name": "n", "type": "long"}]}
NULLS = {"type": "record", "name": "R", "fields": [{"name": "n", "type": {"type": "array", "items": "null"}}]}
WIDE = {"type": "record", "name": "W", "fields": [{"name": f"n{n}", "type": "null"} for n in range(2000)]}
ITSELF = {"type": "record", "name": "R", "fields": [{"name": "n", "type": "R"}]}
DEEP: Any = "long"
for _ in range(200):
    DEEP = {"type": "array", "items": DEEP}

BROKEN: dict[str, tuple[bytes, str]] = {
    "snappy": (header(LONG, "snappy"), "packed with snappy"),
    "no schema": (header(b"{"), "no JSON"),
    "no type": (header({"type": 7}), "no type"),
    "a deep schema": (header(DEEP), "nested deeper"),
    "a header cut off": (header(LONG)[:40], "beyond its block"),
    "cut off": (header(LONG) + block([number(1)])[:-5], "cut off"),
    "another end": (header(LONG) + block([number(1)])[:-16] + b"x" * 16, "no end"),
    "a block too large": (header(LONG) + number(1) + number(1 << 40), "a block of"),
    "more records than bytes": (header(LONG) + block([number(1)], count=9), "no end"),
    "records of nothing": (header({"type": "record", "name": "R", "fields": []}) + block([b""], count=1 << 40), "no bytes"),
    "a list of nothing": (header(NULLS) + block([number(1 << 40)]), "more than 1048576 values"),
    "lists of nothing": (header(NULLS) + block([number(1 << 19) + number(0)] * 9), "more values than bytes"),
    "wide records of nothing": (header({"type": "array", "items": WIDE}) + block([number(1 << 40)]), "values"),
    "within itself": (header(ITSELF) + block([b"x"]), "nested deeper"),
    "a type nobody defined": (header(LONG | {"fields": [{"name": "n", "type": "X"}]}) + block([b"x"]), "does not say"),
    "a bomb": (header(LONG, "deflate") + block([b"\0" * (avro.MAX_BLOCK + 1)], "deflate"), "unpacks to more"),
    "no deflate": (header(LONG, "deflate") + number(1) + number(3) + b"\xff\xff\xff" + SYNC, "damaged"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_cannot_be_read_is_said(broken: str, tmp_path: Path) -> None:
    data, reason = BROKEN[broken]
    try:
        said = rows(data, tmp_path / "a")
    except Damaged as error:
        said = str(error)
    assert reason in said


def test_what_was_whole_before_the_damage_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(header(LONG) + block([number(1), number(2)]) + block([number(3)])[:-9])
    (member,) = members(path) or ()
    assert isinstance(member, Member)
    with member.open() as stream:
        assert stream.read(64) == b'[{"n":1},{"n":2}\n'
        with pytest.raises(Damaged, match="cut off"):
            stream.read(64)


@given(st.integers(4, 600), st.binary(max_size=6))
def test_no_byte_that_was_changed_does_worse_than_a_reason(tmp_path_factory: pytest.TempPathFactory, at: int, put: bytes) -> None:
    data = header(CAPTURED) + block([captured(1, b"{}"), captured(2, b"x")])
    with suppress(Damaged):
        rows(data[:at] + put + data[at + len(put) :], tmp_path_factory.getbasetemp() / "mutated.avro")
