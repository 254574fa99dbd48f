"""Syslog messages that say how long they are and have no end of their own."""

from __future__ import annotations

import io
import json

import pytest

from importers.cutting.containers import NotRecognised
from importers.cutting.framing import sample
from importers.detect import open_source
from model.event import RawRecord, Reject

VAULT = json.dumps(
    {
        "time": "2026-03-01T10:00:00Z",
        "type": "response",
        "auth": {"accessor": "hmac-sha256:b1", "display_name": "token", "policies": ["ci"], "token_type": "service"},
        "request": {"id": "r1", "operation": "read", "path": "secret/data/ci", "mount_type": "kv", "remote_address": "10.0.0.7"},
        "response": {"mount_type": "kv"},
    }
)
SYSMON = (
    '<Event><System><Provider Name="Linux-Sysmon" Guid="{0}"/><EventID>11</EventID><EventRecordID>7</EventRecordID>'
    '<TimeCreated SystemTime="2026-03-01T10:00:00.000000000Z"/><Computer>h1</Computer></System><EventData>'
    '<Data Name="Image">/usr/bin/tee</Data><Data Name="TargetFilename">/etc/motd</Data></EventData></Event>'
)
HEAD = "<134>1 2026-03-01T10:00:00Z h1 app 77 - - "


def counted(*messages: str) -> bytes:
    return b"".join(f"{len(one.encode())} ".encode() + one.encode() for one in messages)


@pytest.mark.parametrize(("format", "line"), [("vault", VAULT), ("sysmon-linux", SYSMON)], ids=["JSON", "text"])
@pytest.mark.parametrize("count", [1, 3], ids=["one", "several"])
def test_messages_without_line_ends_are_told_apart_by_their_counts(format: str, line: str, count: int) -> None:
    data = counted(*[HEAD + line] * count)
    source = open_source(io.BytesIO(data))
    items = list(source.items())
    assert (source.format, len(items)) == (format, count)
    assert [item.offset for item in items] == [len(data) // count * place for place in range(count)]
    assert all(isinstance(item, RawRecord) and item.original == (HEAD + line).encode() for item in items)


def test_a_line_end_within_a_message_is_one_of_its_characters() -> None:
    source = open_source(io.BytesIO(counted(HEAD + VAULT, HEAD + VAULT.replace(", ", ",\n"), HEAD + VAULT)))
    assert [(type(item), item.line) for item in source.items()] == [
        (RawRecord, 1),
        (RawRecord, 1),
        (RawRecord, 1 + VAULT.count(", ")),
    ]


def test_what_breaks_off_and_what_has_no_count_is_told() -> None:
    whole = counted(HEAD + VAULT, HEAD + VAULT)
    cut = list(open_source(io.BytesIO(whole + counted(HEAD + VAULT)[:-9])).items())
    assert [type(item) for item in cut] == [RawRecord, RawRecord, Reject]
    source = open_source(io.BytesIO(whole + b"a line of another program\n\n" + counted(HEAD + VAULT)))
    assert [type(item) for item in source.items()] == [RawRecord] * 3 and source.noise_lines == 1


def test_a_number_before_a_bracket_is_no_count_of_its_own() -> None:
    lines = f"7 {HEAD}{VAULT}\n" * 3
    assert [one.line for one in open_source(io.BytesIO(lines.encode())).items()] == [1, 2, 3]
    with pytest.raises(NotRecognised):
        open_source(io.BytesIO(counted("<1>a", "<2>b")))
    assert sample("counted", counted("<1>a", "<2>b")[:-1]) == [{"line": "<1>a"}]
