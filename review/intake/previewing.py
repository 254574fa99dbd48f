"""Preview an import: what each file would be read as and what it would add to a store; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chains.attribution import task_id
from chains.enrich import enrich
from importers import NotRecognised, open_source
from lang.redact import Redactor
from lang.times import iso
from model.event import Event, Outcome
from model.words import Clock, KeyRole, Tri
from review.intake.cleaning import Cleaning
from review.intake.feed import Feed
from review.intake.found import Found, Missing
from review.intake.importing import Format
from review.intake.walking import walk
from review.keys import pseudonym_key
from store import Store
from store.scopes import strength

RECORDS = 1000
"""Records read of each file, at most; a preview of a large file must come at once."""

EVENTS = 5
_SAYS = ("command", "path", "url")
"""What an event is about, where it has no text of its own."""

Doc = dict[str, Any]


def preview_logs(
    arguments: list[str],
    format: Format = None,
    as_name: str | None = None,
    *,
    store: Store | None = None,
    wanted: Callable[[], bool] = lambda: True,
) -> list[Doc]:
    """One document a file: its format, and of its first records how many there are, how many are new to the store, known to it or
    rejected, the tasks they name, and the first events; or the reason it would be skipped.

    Without a store everything is new. `wanted` is asked before every file; what was found by then is the answer.
    """
    redactor = Redactor(pseudonym_key())
    found: list[Doc] = []
    for one in _each(arguments, format, as_name, redactor, store):
        found.append(one)
        if not wanted():
            break
    return found


def summary(previews: list[Doc]) -> Doc:
    """The preview as a whole: files by what they would be, sums of records, tasks that would begin and that would grow."""
    read = [one for one in previews if "reason" not in one]
    formats: dict[str, int] = {}
    for one in read:
        formats[one["format"]] = formats.get(one["format"], 0) + 1
    sums = {name: sum(one[name] for one in read) for name in ("records", "new", "known", "rejected")}
    touched = {task for one in read for task in one["tasks"]["touched"]}
    begun = {task for one in read for task in one["tasks"]["new"]}
    return {
        "files": len(read),
        "skipped": len(previews) - len(read),
        "formats": formats,
        **sums,
        "whole": all(one["whole"] for one in read),
        "tasks": {"new": len(begun), "touched": len(touched)},
    }


def _each(arguments: list[str], format: Format, as_name: str | None, redactor: Redactor, store: Store | None) -> Iterator[Doc]:
    for found in walk(arguments, as_name, store="" if store is None else store.location):
        if isinstance(found, Missing):
            yield {"name": found.name, "reason": found.reason}
            continue
        try:
            yield _one(found, format, redactor, store)
        except NotRecognised as error:
            yield {"name": found.name, "reason": str(error)}
        except OSError as error:
            yield {"name": found.name, "reason": f"cannot be read: {error.strerror or error}"}


def _one(found: Found, format: Format, redactor: Redactor, store: Store | None) -> Doc:
    with found.open() as stream:
        source = open_source(stream, name=found.name, format=format)
        batch = next(Feed(Cleaning(source, redactor), found.name, redactor, found.place).batches())
    ids = list(dict.fromkeys(record.id for record in batch.records))
    known = store.known_records(ids) if store is not None else set()
    fresh = [record for record in batch.records if record.id not in known]
    # One id may come with several bytes, which are all kept.
    new = len({(record.id, record.digest) for record in fresh})
    events = [enrich(event) for record in batch.records for event in record.events]
    return {
        "name": found.name,
        "format": source.importer.id,
        "records": batch.read,
        "whole": batch.end is not None,
        "new": new,
        "known": len(batch.records) - new,
        "rejected": len(batch.rejects),
        "rejects": [{"line": one.line, "reason": one.reason} for one in batch.rejects[:EVENTS]],
        "tasks": _tasks([event for record in fresh for event in record.events], store),
        "events_total": len(events),
        "events": [
            {
                "kind": event.kind.value,
                "phase": event.phase.value,
                "vantage": event.vantage.value,
                "by": event.point,
                "at": iso(event.at),
                "zone_assumed": event.clock is Clock.ZONE_ASSUMED,
                "principal": event.principal.name if event.principal else "",
                "agent": event.agent,
                "effect": event.decision.effect.value if event.decision else None,
                "rule": event.decision.rule if event.decision else "",
                "outcome": _known(event.outcome),
                "verb": event.verb.value,
                "target": event.target.name or event.target.detail,
                "text": (event.text or next((str(event.attrs[name]) for name in _SAYS if event.attrs.get(name)), ""))[:120],
                "keys": [key.name for key in event.keys],
            }
            for event in events[:EVENTS]
        ],
    }


def _known(outcome: Outcome | None) -> dict[str, str]:
    """What an event testifies to of how it ended; what it leaves open is left out."""
    told = {} if outcome is None else {name: getattr(outcome, name) for name in outcome.__struct_fields__}
    return {name: one.value for name, one in told.items() if one.value != Tri.UNKNOWN.value}


def _tasks(events: list[Event], store: Store | None) -> Doc:
    """The tasks that new events name themselves: those the store has, and those that would begin with them.

    What only an inference would place is not told: it rests on all there is.
    """
    groups: dict[str, set[str]] = {}
    for event in events:
        names = {key.name for key in event.keys if key.role is KeyRole.SCOPE}
        joined = names.union(*(groups[name] for name in names if name in groups))
        groups.update(dict.fromkeys(joined, joined))
    roots = store.scope_roots(sorted(groups)) if store is not None else {}
    ids = sorted({task_id(min((roots.get(name, name) for name in group), key=strength)) for group in groups.values()})
    held = store.known_tasks(ids) if store is not None else set()
    return {"touched": sorted(held), "new": [id for id in ids if id not in held]}
