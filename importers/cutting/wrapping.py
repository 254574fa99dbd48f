"""Records inside the envelope of whatever carried them: container runtimes, journals, collectors, SIEMs, message queues.

A carrier writes one object a line with the log's own line, or the log's own object, as one member. Where nobody knows
the outer objects, the inner ones are looked at; the digest is of the outer line, as the source has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from importers.shared.fields import decode, dig
from model.event import BadRecord, RawRecord, Reject

CARRIERS: tuple[tuple[str, ...], ...] = (
    ("log",),  # Docker and containerd json-file, fluent-bit
    ("MESSAGE",),  # systemd journal, JSON export
    ("message",),  # Elastic, Datadog, Logstash, Vector
    ("@message",),  # CloudWatch Logs Insights
    ("event", "original"),  # Elastic, where the original is kept
    ("event",),  # Splunk HTTP Event Collector
    ("_raw",),  # Splunk export
    ("result", "_raw"),  # Splunk, a search exported as JSON
    ("_source", "event", "original"),  # Elastic, documents dumped or found
    ("_source", "message"),
    ("_source",),
    ("Message",),  # SNS notification
    ("body",),  # SQS, as a function gets it
    ("Body",),  # SQS, as its API answers
    ("jsonPayload",),  # Google Cloud Logging
    ("textPayload",),
    ("full_log",),  # Wazuh
    ("line",),  # Loki
)
_OBJECTS = frozenset({"event", "jsonPayload", "_source"})
"""Carriers that keep the record as an object; everywhere else it is text, and an object there is part of the record."""

Item = RawRecord | Reject


def unwrapped(record: object, path: Sequence[str]) -> bytes | None:
    """The inner record of one carrier's object as JSON, None where that member holds no object."""
    inner = dig(record, *path)
    if isinstance(inner, dict) and inner and path[-1] in _OBJECTS:
        return msgspec.json.encode(inner)
    if not isinstance(inner, str):
        return None
    begin = inner.find("{")
    if begin < 0 or begin > 256:
        return None
    data = inner[begin:].strip().encode("utf-8", "surrogatepass")
    try:
        return data if isinstance(decode(data), dict) else None
    except BadRecord:
        return None


def inside(sample: Sequence[object], path: Sequence[str]) -> list[object]:
    """The inner records of a sample; empty unless at least half of it holds one."""
    found = [decode(data) for record in sample if (data := unwrapped(record, path)) is not None]
    return found if found and 2 * len(found) >= len(sample) else []


class Unwrapped:
    """The items of a source whose records stand inside a carrier's; what holds none is text between the records."""

    def __init__(self, items: Iterator[Item], path: Sequence[str]) -> None:
        self._items = items
        self._path = path
        self.noise_lines = 0

    def __iter__(self) -> Iterator[Item]:
        for item in self._items:
            if isinstance(item, Reject):
                yield item
                continue
            data = unwrapped(decode(item.data), self._path)
            if data is None:
                self.noise_lines += 1
                continue
            original = item.data if item.original is None else item.original
            yield RawRecord(data, item.line, item.offset, item.index, original)
