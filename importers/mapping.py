"""Formats as data: a mapping says how a record is recognised, what is mandatory, and which events it is evidence of.

A mapping turns each record into the shape of remit-events (docs/remit-events.md), so the words, types and phases it may
use are those of the published schema, and a record that does not fit is rejected with the place of the fault.
docs/mapping.md explains the file; `importers/mappings/` holds ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from importers.api_calls import classify
from importers.base import decode
from importers.fields import Json, dig, first_text, mapping, moment, text
from importers.framing import Container
from importers.mapping_values import Value
from importers.remit_events import event_of
from importers.tool_calls import tool_call
from lang.names import host_name
from model.event import BadRecord, Parsed
from model.words import Clock

Evidence = Literal["real", "fixture", "documentation"]
Build = Callable[[Json], object]


class Recognise(msgspec.Struct, frozen=True):
    """What a record of the format must look like: all of `has`, one of `any`, none of `lacks`, and `when`."""

    has: tuple[Value, ...] = ()
    any: tuple[Value, ...] = ()
    lacks: tuple[Value, ...] = ()
    when: Value | None = None
    score: int = 80

    def holds(self, record: Json) -> bool:
        return (
            all(one(record) is not None for one in self.has)
            and (not self.any or any(one(record) is not None for one in self.any))
            and all(one(record) is None for one in self.lacks)
            and (self.when is None or bool(self.when(record)))
        )


class EventRule(msgspec.Struct, frozen=True):
    """One event a record may be evidence of: `build` gives its remit-events shape where `when` holds.

    `otherwise` limits it to records of which no rule before it made an event.
    """

    build: Build
    when: Value | None = None
    otherwise: bool = False


class Mapping(msgspec.Struct):
    """A format read from a mapping file; an importer like any other."""

    id: str
    title: str
    evidence: Evidence
    version: int
    container: Container
    recognise: Recognise
    time: Value
    rules: tuple[EventRule, ...]
    unit: str = ""
    pattern: object = None
    unpack: tuple[str, ...] = ()
    requires: tuple[tuple[str, Value], ...] = ()
    skip: Value | None = None
    each: Value | None = None
    identity: Value | None = None
    type: Value | None = None

    def sniff(self, sample: Sequence[object]) -> int:
        known = sum(1 for record in sample if isinstance(record, dict) and self._knows(record))
        return self.recognise.score if known and known * 2 >= len(sample) else self.recognise.score - 2 if known > 2 else 0

    def open(self) -> MappingReader:
        return MappingReader(self)

    def _knows(self, record: Json) -> bool:
        try:
            return self.recognise.holds(self.prepared(record))
        except BadRecord:
            return False

    def prepared(self, record: Json) -> Json:
        """The record with its text members that hold JSON unpacked, and a text line taken apart by the pattern."""
        if self.pattern is not None:
            match = self.pattern.search(text(record.get("line"))[:65536])  # type: ignore[attr-defined]  # RE2 has no types
            if match is None:
                raise BadRecord("the line does not fit the pattern of the format")
            record = {**record, **{name: found for name, found in match.groupdict().items() if found is not None}}
        for path in self.unpack:
            record = _unpacked(record, path.split("."))
        return record


class MappingReader:
    """Reads records by one mapping; holds no state."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping

    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object")
        rules = self._mapping
        record = rules.prepared(record)
        at, clock = moment(rules.time(record), rules.unit)
        kind = text(rules.type(record)) if rules.type else ""
        identity = text(rules.identity(record)) or None if rules.identity else None
        if rules.skip is not None and rules.skip(record):
            return Parsed(identity=identity, type=kind, at=at)
        for name, value in rules.requires:
            if value(record) in (None, ""):
                raise BadRecord(f"{name}: is missing; {rules.title} makes it mandatory")
        parsed = Parsed(identity=identity, type=kind, at=at)
        for one in self._items(record):
            self._events(one, at, clock, parsed)
        if not parsed.events and kind and rules.skip is None:
            parsed.unknown_type = kind
        return parsed

    def _items(self, record: Json) -> list[Json]:
        if self._mapping.each is None:
            return [record]
        found = self._mapping.each(record)
        return [{**record, "item": one} for one in found] if isinstance(found, list) else []

    def _events(self, record: Json, at: int | None, clock: Clock, parsed: Parsed) -> None:
        made = False
        for rule in self._mapping.rules:
            if (rule.otherwise and made) or (rule.when is not None and not rule.when(record)):
                continue
            shape = rule.build(record)
            if isinstance(shape, dict):
                event = event_of(_meant(shape), at, clock)
                parsed.events.append(event)
                made = True


def _meant(shape: Json) -> Json:
    """`request` and `call` of an event worked out: what an HTTP request or a tool call does in Remit's words."""
    request, call = shape.pop("request", None), shape.pop("call", None)
    if isinstance(request, dict):
        url = first_text(request, "url")
        host = first_text(request, "host") or host_name(url)
        path = first_text(request, "path") or ("/" + url.partition("://")[2].partition("/")[2] if "://" in url else url)
        verb, target = classify(first_text(request, "method"), host, path)
    elif isinstance(call, dict):
        arguments = call.get("arguments")
        if isinstance(arguments, str) and arguments[:1] in "{[":
            arguments = _json(arguments)
        tool = first_text(call, "tool")
        verb, target, attrs = tool_call(tool, first_text(call, "action"), arguments, call.get("resource"))
        shape["attrs"] = {**attrs, **mapping(shape.get("attrs"))}
        shape.setdefault("tool", tool)
    else:
        return shape
    shape.setdefault("verb", verb.value)
    shape.setdefault("target", {"class": target.cls.value, "name": target.name, "detail": target.detail})
    return shape


def _json(source: str) -> object:
    """The value a text holds as JSON, the text itself where it holds none."""
    try:
        return decode(source.encode("utf-8", "surrogatepass"))
    except BadRecord:
        return source


def _unpacked(record: Json, path: list[str]) -> Json:
    inner = dig(record, *path)
    if not isinstance(inner, str) or inner[:1] not in ("{", "["):
        return record
    return _put(record, path, _json(inner))


def _put(record: Json, path: list[str], value: object) -> Json:
    if len(path) == 1:
        return {**record, path[0]: value}
    return {**record, path[0]: _put(mapping(record.get(path[0])), path[1:], value)}


@cache
def built_in() -> tuple[Mapping, ...]:
    """The formats that `importers/mappings/` holds as data, in the order of their ids."""
    from importers.mapping_file import read_mapping

    folder = files("importers").joinpath("mappings")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return tuple(read_mapping(folder.joinpath(name).read_text("utf-8")) for name in names)
