"""Preview an import: what each file would be read as, and its first records as events; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from importers import NotRecognised, open_source
from importers.reading import read_record
from lang.redact import Redactor
from lang.times import iso
from model.event import BadRecord, Event, Reject
from review.importing import Format
from review.keys import pseudonym_key
from review.preparing import prepare_events
from review.walking import Found, Missing, walk

RECORDS = 1000
"""Records read of each file; a preview of a large file must come at once."""

EVENTS = 5


def preview_logs(arguments: list[str], format: Format = None, as_name: str | None = None) -> list[dict[str, Any]]:
    """One document a file: name, format, counts over its first records, and the first events; or the reason it would be skipped."""
    redactor = Redactor(pseudonym_key())
    return list(_each(arguments, format, as_name, redactor))


def _each(arguments: list[str], format: Format, as_name: str | None, redactor: Redactor) -> Iterator[dict[str, Any]]:
    for found in walk(arguments, as_name):
        if isinstance(found, Missing):
            yield {"name": found.name, "reason": found.reason}
            continue
        try:
            yield _one(found, format, redactor)
        except NotRecognised as error:
            yield {"name": found.name, "reason": str(error)}
        except OSError as error:
            yield {"name": found.name, "reason": f"cannot be read: {error.strerror or error}"}


def _one(found: Found, format: Format, redactor: Redactor) -> dict[str, Any]:
    events: list[Event] = []
    rejected: list[dict[str, Any]] = []
    count = 0
    with found.open() as stream:
        source = open_source(stream, name=found.name, format=format)
        reader = source.importer.open()
        for count, item in enumerate(source.items(), 1):
            if isinstance(item, Reject):
                rejected.append({"line": item.line, "reason": item.reason})
            else:
                redacted = redactor.redact(item.data)
                try:
                    parsed = read_record(reader, redacted.data)
                except BadRecord as error:
                    rejected.append({"line": item.line, "reason": redactor.redact_text(str(error))})
                else:
                    events += prepare_events(parsed, redacted.secrets, "", source.importer.id, count, redactor)
            if count >= RECORDS:
                break
    return {
        "name": found.name,
        "format": source.importer.id,
        "records": count,
        "rejected": len(rejected),
        "rejects": rejected[:EVENTS],
        "events_total": len(events),
        "events": [
            {
                "kind": event.kind.value,
                "phase": event.phase.value,
                "vantage": event.vantage.value,
                "by": event.point,
                "at": iso(event.at),
                "verb": event.verb.value,
                "target": event.target.name or event.target.detail,
                "text": event.text[:120],
                "keys": [key.name for key in event.keys],
            }
            for event in events[:EVENTS]
        ],
    }
