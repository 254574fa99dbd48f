"""Records too large to be read in full: long texts cut at whole characters, the rest read as ever."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from importers.reading import OVERSIZE, read_record, shortened
from importers.registry import importers
from model.evidence import FULL_RECORD


def large(text: str) -> bytes:
    record = {
        "format": "remit-events",
        "version": 1,
        "id": "1",
        "time": "2026-01-01T00:00:00Z",
        "kind": "intent",
        "vantage": "agent",
        "point": "acme",
        "text": text,
    }
    return json.dumps(record).encode()


def test_a_record_of_many_megabytes_still_says_what_it_says() -> None:
    data = large("begin " + "x" * (FULL_RECORD + 1))
    parsed = read_record(importers()["remit-events"].open(), data)
    assert parsed.events[0].text.startswith("begin xxx")
    assert parsed.identity == "1"
    assert len(parsed.events[0].text) < 20_000


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=5), st.integers(0, 40), st.booleans())
def test_what_is_cut_is_still_json(unit: str, shift: int, escaped: bool) -> None:
    value = {"a": "y" * shift + unit * 20_000, "b": [1, None]}
    short = shortened(json.dumps(value, ensure_ascii=escaped).encode())
    assert short is not None
    found = json.loads(short)
    assert found["b"] == [1, None]
    assert found["a"] == value["a"] or (found["a"].endswith("…") and value["a"].startswith(found["a"][:-2]))


def test_a_record_large_by_its_number_of_members_is_kept_and_counted() -> None:
    data = json.dumps({f"k{n}": "v" * 90 for n in range(60_000)}).encode()
    parsed = read_record(importers()["remit-events"].open(), data)
    assert (parsed.events, parsed.unknown_type) == ([], OVERSIZE)
