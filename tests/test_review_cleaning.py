"""Cleaning a source: what is given to the next process is not kept here, however large its records."""

from __future__ import annotations

import io
import json
import tracemalloc

from importers import open_source
from lang.redact import Redactor
from review.intake.cleaning import Cleaning, packs

MB = 1 << 20


def lines(sizes: list[int]) -> bytes:
    record = {
        "format": "remit-events",
        "version": 1,
        "time": "2026-01-01T00:00:00Z",
        "kind": "intent",
        "vantage": "agent",
        "point": "acme",
    }
    return b"".join(
        json.dumps(record | {"id": str(n), "text": "x y " * (size // 4)}).encode() + b"\n" for n, size in enumerate(sizes)
    )


def test_large_records_are_held_one_at_a_time() -> None:
    stream = io.BytesIO(lines([100, 100, *[24 * MB] * 3, 100]))
    tracemalloc.start()
    try:
        held = sum(len(pack.items) for pack in packs(Cleaning(open_source(stream), Redactor(b"k" * 32))))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held == 6
    assert peak < 5 * 24 * MB
