"""What every importer's tests need: reading one record, finding its events, and hostile variants of a good record."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import msgspec
from hypothesis import strategies as st
from msgspec.structs import replace

from chains import OrgFacts, Stitched, enrich, stitch
from importers import open_source
from importers.base import Importer, reader_of
from importers.registry import importers
from importers.shared.fields import decode
from lang.redact import Redactor
from model.event import BadRecord, Event, Parsed, RawRecord, Reject
from model.words import Effect, EventKind, KeyRole, Phase, Tri

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def read(importer: Importer, record: object) -> Parsed:
    return importer.open().read(record)


def only(events: list[Event], kind: EventKind, phase: Phase | None = None) -> Event:
    """The one event of this kind (and phase)."""
    (found,) = [event for event in events if event.kind is kind and phase in (None, event.phase)]
    return found


def refused_by_user(events: list[Event], words: str) -> None:
    """That a question was put and answered with no, in these words, and that its result says whose no it was."""
    assert [e.decision.effect for e in events if e.decision] == [Effect.ASK, Effect.DENY]
    assert only(events, EventKind.INTENT).text == words
    done = only(events, EventKind.ACTION, Phase.RESULT)
    assert done.outcome and (done.outcome.tool, done.attrs["refused"]) == (Tri.NO, "user")


def how_ended(events: list[Event]) -> tuple[Tri | None, object, object, list[Effect]]:
    """How the one call of these went: the tool's outcome, its status, who refused it, and what was decided on it."""
    done = only(events, EventKind.ACTION, Phase.RESULT)
    tool = done.outcome.tool if done.outcome else None
    return tool, done.attrs.get("status"), done.attrs.get("refused"), [e.decision.effect for e in events if e.decision]


def names(event: Event, role: KeyRole) -> list[str]:
    return [key.name for key in event.keys_of(role)]


def _paths(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in pairs:
        yield from _paths(inner, (*path, name))


def mutated(records: list[dict[str, object]]) -> st.SearchStrategy[object]:
    """Real-shaped records in which one to four members, at any depth, are anything at all."""

    @st.composite
    def build(draw: Callable[..., object]) -> object:
        record = copy.deepcopy(draw(st.sampled_from(records)))
        for _ in range(draw(st.integers(1, 4))):  # type: ignore[call-overload]
            paths = list(_paths(record))
            if not paths:
                break
            path = draw(st.sampled_from(paths))
            place = record
            for name in path[:-1]:  # type: ignore[index]
                place = place[name]  # type: ignore[index]
            place[path[-1]] = draw(JSON)  # type: ignore[index]
        return record

    return build()


def survives(importer: Importer, record: object) -> None:
    """A record is weighed by every format, read or refused with a sentence, and what was read can be stored."""
    for known in importers().values():
        assert 0 <= known.sniff([record]) <= 100
    try:
        parsed = read(importer, record)
    except BadRecord as error:
        assert str(error)
    else:
        msgspec.json.encode(parsed)
        assert len({(k.role, k.kind, k.value) for e in parsed.events for k in e.keys if not k.value}) == 0


def whole(data: bytes | str, expected: str) -> tuple[list[Parsed], list[Reject]]:
    """A source read through recognition and cutting, as an import does."""
    source = open_source(BytesIO(data.encode() if isinstance(data, str) else data))
    assert source.format == expected
    reader = source.importer.open()
    parsed: list[Parsed] = []
    rejects: list[Reject] = []
    for item in source.items():
        if isinstance(item, RawRecord):
            parsed.append(reader.read(decode(item.data)))
        else:
            rejects.append(item)
    return parsed, rejects


def pretty(*records: object) -> str:
    return "\n".join(json.dumps(record, indent=2) for record in records)


def all_of(path: Path) -> tuple[str, list[Parsed], list[str]]:
    """Format, records and the reasons of all rejects of a whole file, redacted as an import does."""
    redactor = Redactor(b"k" * 32)
    with path.open("rb") as stream:
        source = open_source(stream, name=path.name)
        reader = source.importer.open()
        parsed: list[Parsed] = []
        reasons: list[str] = []
        for item in source.items():
            if isinstance(item, Reject):
                reasons.append(item.reason)
                continue
            try:
                parsed.append(reader.read(decode(redactor.redact(item.data).data)))
            except BadRecord as error:
                reasons.append(str(error))
        return source.format, parsed, reasons


def joined(*records: Parsed) -> Stitched:
    """The chains that these records alone make, each record being one of its own."""
    events: list[Event] = []
    for order, parsed in enumerate(records):
        for n, event in enumerate(parsed.events):
            events.append(enrich(replace(event, id=f"{order}-{n}", record=f"rec-{order}", order=order)))
    return stitch(events, OrgFacts())


def of_files(*paths: Path) -> list[Event]:
    """The events of files as a build is given them, their records named by file and place."""
    found: list[Event] = []
    for path in paths:
        source = open_source(BytesIO(path.read_bytes()))
        reader = reader_of(source.importer, str(path))
        for order, item in enumerate(source.items()):
            if isinstance(item, RawRecord):
                for n, event in enumerate(reader.read(decode(item.data)).events):
                    event.record, event.order, event.format = f"{path.name}:{order}", order, source.format
                    event.id = f"{event.record}:{n}"
                    found.append(enrich(event))
    return found
