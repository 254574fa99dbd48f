"""A file that has grown is read on from its bookmark, and the store is what a full import of it makes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from importers.bookmark import memory, remembering
from lang.redact import Redacted, Redactor
from store.bookmarks import Bookmarks
from tests.running import ORG, SAMPLE, ok, run

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
def redacted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every record that was redacted, which is every record that was read."""
    seen: list[bytes] = []
    real = Redactor.redact

    def redact(self: Redactor, data: bytes, json: bool = True) -> Redacted:
        if json:
            seen.append(data)
        return real(self, data, json)

    monkeypatch.setattr(Redactor, "redact", redact)
    return seen


def take(store: Path, *paths: Path) -> Any:
    ran = run("--store", store, "--org", ORG, "import", *paths, "--json")
    assert ran.code in (0, 3), ran
    return ran.json


def content(store: Path) -> list[str]:
    """Everything derived, the sources' reconciliation and the rejects, as they stand in the store."""
    said = ok("--store", store, "--org", ORG, "store", "export").out + ok("--store", store, "sources", "--json").out
    return said.splitlines()


def biggest(pattern: str) -> Path:
    return max(SAMPLE.glob(pattern), key=lambda path: path.stat().st_size)


LINES = ["claude-code-*.jsonl", "codex-*.jsonl", "opa-*.jsonl", "vault-audit.log", "github-audit.ndjson", "ci-events.ndjson"]


@pytest.mark.parametrize("pattern", LINES)
def test_only_what_is_new_is_read(pattern: str, tmp_path: Path, redacted: list[bytes]) -> None:
    lines = biggest(pattern).read_bytes().splitlines(keepends=True)
    log, grown, whole = tmp_path / "log", tmp_path / "grown.db", tmp_path / "whole.db"
    dice = random.Random(pattern)
    done = 0
    for count in [*sorted(dice.sample(range(1, len(lines)), 3)), len(lines), len(lines)]:
        # Now and then the last line has no end yet.
        data = b"".join(lines[:count])
        log.write_bytes(data if count == len(lines) or dice.random() < 0.5 else data.rstrip(b"\n"))
        redacted.clear()
        said = take(grown, log)["totals"]
        assert len(redacted) <= count - done + 1
        assert (said["read"], said["rejected"]) == (count, 0)
        done = count
    redacted.clear()
    assert take(whole, log)["totals"]["read"] == len(redacted) == len(lines)
    assert content(grown) == content(whole)


def test_a_line_cut_in_half_is_read_again(tmp_path: Path, redacted: list[bytes]) -> None:
    data = biggest("codex-*.jsonl").read_bytes()
    log, grown, whole = tmp_path / "log", tmp_path / "grown.db", tmp_path / "whole.db"
    half = data.rindex(b"\n", 0, len(data) // 2) + 40
    log.write_bytes(data[:half])
    assert take(grown, log)["totals"]["rejected"] == 1
    log.write_bytes(data)
    redacted.clear()
    assert take(grown, log)["totals"]["rejected"] == 0
    assert 0 < len(redacted) == data[half - 39 :].count(b"\n")
    take(whole, log)
    derived = [[line for line in content(store) if line.startswith('{"kind"')] for store in (grown, whole)]
    assert derived[0] == derived[1]


def test_equal_records_without_an_id_keep_counting(tmp_path: Path, redacted: list[bytes]) -> None:
    """Lines alike are told apart by their ordinal, which goes on where the file was left."""
    start = {"timestamp": "2026-03-01T10:00:00Z", "type": "session_meta", "payload": {"id": "s1", "cwd": "/home/a/x"}}
    beat = json.dumps(
        {"timestamp": "2026-03-01T10:00:01Z", "type": "event_msg", "payload": {"type": "user_message", "message": "go"}}
    )
    log, grown, whole = tmp_path / "log", tmp_path / "grown.db", tmp_path / "whole.db"
    for count in (1, 6, 7, 20):
        log.write_text(json.dumps(start) + "\n" + (beat + "\n") * count)
        redacted.clear()
        take(grown, log)
    assert len(redacted) == 13
    take(whole, log)
    assert content(grown) == content(whole)
    assert take(whole, log)["totals"]["accepted"] == 0


@pytest.mark.parametrize("change", ["another beginning", "shorter", "another name", "compressed"])
def test_what_is_not_the_same_file_is_read_from_its_beginning(change: str, tmp_path: Path, redacted: list[bytes]) -> None:
    import gzip

    lines = biggest("claude-code-*.jsonl").read_bytes().splitlines(keepends=True)
    log, store = tmp_path / "log.jsonl", tmp_path / "s.db"
    first = b"".join(lines[:-3])
    log.write_bytes(gzip.compress(first) if change == "compressed" else first)
    take(store, log)
    redacted.clear()
    data = b"".join(lines)
    expected = len(lines)
    if change == "another beginning":
        data = data.replace(b'"version"', b'"Version"', 1)
    elif change == "shorter":
        data, expected = b"".join(lines[:5]), 5
    elif change == "another name":
        log = log.rename(tmp_path / "other.jsonl")
    log.write_bytes(gzip.compress(data) if change == "compressed" else data)
    assert take(store, log)["totals"]["read"] == expected == len(redacted)


def test_rejects_are_told_again(tmp_path: Path, redacted: list[bytes]) -> None:
    lines = biggest("vault-*.log").read_bytes().splitlines(keepends=True)
    log, store = tmp_path / "log", tmp_path / "s.db"
    log.write_bytes(b"".join([*lines[:4], b'{"time": broken\n', b"[1\n", *lines[4:9]]))
    first = take(store, log)
    redacted.clear()
    again = take(store, log)
    assert redacted == []
    assert again["sources"][0]["rejects"] == first["sources"][0]["rejects"] != []
    assert again["totals"]["read"] == first["totals"]["read"] == again["totals"]["duplicate"] + again["totals"]["rejected"]


def test_a_damaged_bookmark_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redacted: list[bytes]) -> None:
    log, store = biggest("codex-*.jsonl"), tmp_path / "s.db"
    take(store, log)
    real = Bookmarks.bookmark

    def damaged(self: Bookmarks, id: str) -> Any:
        mark = real(self, id)
        assert mark is not None
        mark.reader = mark.reader[:-1]
        return mark

    monkeypatch.setattr(Bookmarks, "bookmark", damaged)
    redacted.clear()
    totals = take(store, log)["totals"]
    assert totals["duplicate"] == totals["read"] == len(redacted)


def test_lists_are_read_from_their_beginning(tmp_path: Path, redacted: list[bytes]) -> None:
    log, store = SAMPLE / "cloudtrail-staging.json", tmp_path / "s.db"
    count = take(store, log)["totals"]["read"]
    redacted.clear()
    take(store, log)
    assert len(redacted) == count


@pytest.mark.parametrize(
    "path",
    [max(g, key=lambda p: p.stat().st_size) for pattern in LINES if (g := list(SAMPLE.glob(pattern)))],
    ids=lambda p: p.name[:12],
)
def test_a_kept_memory_is_the_memory(path: Path) -> None:
    from importers import open_source
    from importers.shared.fields import decode
    from model.event import Reject

    with path.open("rb") as stream:
        source = open_source(stream)
        reader = source.importer.open()
        for item in source.items():
            if not isinstance(item, Reject):
                reader.read(decode(item.data))
    kept = memory(source.importer, reader)
    assert kept is not None
    restored = remembering(source.importer, kept)
    assert restored is not None and vars(restored) == vars(reader)


def test_what_is_no_plain_value_is_not_kept() -> None:
    class Odd:
        def __init__(self) -> None:
            self.seen: Any = None

    class Format:
        id, title, evidence, version = "odd", "Odd", "fixture", 1

        def open(self) -> Any:
            return Odd()

    reader = Odd()
    shared: list[int] = [1]
    for value, kept in (
        ([1, (2, {"a": {3}})], True),
        (Odd(), False),
        (2**70, False),
        ([shared, shared], False),
        (lambda: 1, False),
    ):
        reader.seen = value
        assert (memory(Format(), reader) is not None) is kept  # type: ignore[arg-type]
