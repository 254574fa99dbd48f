"""Formats as data: a mapping says how a record is recognised, what is mandatory, and which events it is evidence of.

A mapping turns each record into the shape of remit-events (docs/remit-events.md), so the words, types and phases it may
use are those of the published schema, and a record that does not fit is rejected with the place of the fault.
docs/mapping.md explains the file; `importers/mappings/` holds ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from importers.cutting.framing import Container
from importers.mapping.columns import Column, put, reachable, with_columns
from importers.mapping.times import ReadTime
from importers.mapping.values import Value
from importers.remit_events import event_of
from importers.shared.api_calls import classify
from importers.shared.fields import Json, decode, dig, first_text, mapping, moment, text
from importers.shared.registry_calls import registry_call
from importers.shared.tool_calls import tool_call
from lang.names import host_name
from model.event import BadRecord, Parsed
from model.words import Clock

MAX_ROUNDS = 10_000
"""So many elements of one list make events; a record with more is no log entry."""

MAX_FOLD = 32

Evidence = Literal["real", "fixture", "documentation"]
Build = Callable[[Json], object]


class Recognise(msgspec.Struct, frozen=True):
    """What a record of the format must look like: all of `has`, one of `any`, none of `lacks`, and `when`.

    `needs` are the members among those that `has` looks into: a record without one of them need not be looked into, and neither
    need one that has none of those that `touches` names.
    """

    has: tuple[Value, ...] = ()
    any: tuple[Value, ...] = ()
    lacks: tuple[Value, ...] = ()
    when: Value | None = None
    score: int = 80
    needs: frozenset[str] = frozenset()
    touches: frozenset[str] = frozenset()

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
    rules: Callable[[], tuple[EventRule, ...]]
    clock: ReadTime = moment
    pattern: object = None
    unpack: tuple[str, ...] = ()
    inside: tuple[tuple[str, ...], ...] = ()
    columns: tuple[Column, ...] = ()
    requires: tuple[tuple[str, Value], ...] = ()
    absent: frozenset[str] = frozenset()
    fold: Literal["", "lower", "joined"] = ""
    skip: Value | None = None
    each: tuple[Value, ...] = ()
    identity: Value | None = None
    type: Value | None = None

    def sniff(self, sample: Sequence[object]) -> int:
        known = sum(1 for record in sample if isinstance(record, dict) and self._knows(record))
        return self.recognise.score if known and known * 2 >= len(sample) else self.recognise.score - 2 if known > 2 else 0

    def open(self) -> MappingReader:
        return MappingReader(self)

    def _knows(self, record: Json) -> bool:
        if self.pattern is None and not self._may(record):
            return False
        try:
            return self.recognise.holds(self.prepared(record))
        except BadRecord:
            return False

    def _may(self, record: Json) -> bool:
        """Whether a record has the members that it is looked into for, or may have them once it is prepared."""
        told = self.recognise
        if not (self.fold or self.inside or self.columns):
            return told.needs <= record.keys()
        if any(isinstance(dig(record, *place), dict) for place in self.inside):
            return True
        names = {_spelt(name, self.fold) for name in record} if self.fold else record.keys()
        if not told.needs <= names:
            return bool(self.columns) and told.needs.difference(names) <= reachable(record, self.columns)
        return bool(self.columns) or not told.touches or not told.touches.isdisjoint(names)

    def prepared(self, record: Json) -> Json:
        """The record as expressions see it: out of an envelope, a line taken apart, names folded, words for nothing left off, a
        table's columns as the members they hold, JSON in texts unpacked.
        """
        for place in self.inside:
            if isinstance(inner := dig(record, *place), dict):
                record = inner
                break
        if self.fold:
            record = mapping(_folded(record, self.fold))
        if self.pattern is not None:
            pairs = self.container == "keyvalue"
            taken = text(record.get("_prefix" if pairs else "line"))[:65536]
            match = self.pattern.search(taken)  # type: ignore[attr-defined]  # RE2 has no types
            if match is None and not pairs:
                raise BadRecord("the line does not fit the pattern of the format")
            named = match.groupdict() if match else {}
            record = {**{name: found for name, found in named.items() if found is not None}, **record}
        if self.absent:
            record = {name: one for name, one in record.items() if not (isinstance(one, str) and one in self.absent)}
        if self.columns:
            record = with_columns(record, self.columns)
        for path in self.unpack:
            # A member's own name may have dots in it.
            record = _unpacked(record, [path] if path in record else path.split("."), self.fold)
        return record


class MappingReader:
    """Reads records by one mapping; holds no state."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._rules = mapping.rules()

    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object")
        rules = self._mapping
        record = rules.prepared(record)
        at, clock = rules.clock(rules.time(record))
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
        if not parsed.events and kind:
            parsed.unknown_type = kind
        return parsed

    def _items(self, record: Json) -> list[Json]:
        """The record once, or once for each element, which is its `item`; `outer` is the element around that."""
        rounds = [record]
        for depth, each in enumerate(self._mapping.each):
            found = [(one, each(one)) for one in rounds]
            rounds = [
                {**one, **({"outer": one["item"]} if depth else {}), "item": inner}
                for one, inners in found
                for inner in (inners[:MAX_ROUNDS] if isinstance(inners, list) else ())
            ]
        return rounds

    def _events(self, record: Json, at: int | None, clock: Clock, parsed: Parsed) -> None:
        made = False
        for rule in self._rules:
            if (rule.otherwise and made) or (rule.when is not None and not rule.when(record)):
                continue
            shape = rule.build(record)
            if isinstance(shape, dict):
                stated = moment(shape["time"]) if "time" in shape else (at, clock)
                event = event_of(_meant(shape), *(stated if stated[0] is not None else (at, clock)))
                parsed.events.append(event)
                made = True


def _meant(shape: Json) -> Json:
    """`request`, `package` and `call` of an event worked out: what a request or a tool call does in Remit's words."""
    request, call, package = shape.pop("request", None), shape.pop("call", None), shape.pop("package", None)
    if isinstance(request, dict):
        url = first_text(request, "url")
        host = first_text(request, "host") or host_name(url)
        path = first_text(request, "path") or ("/" + url.partition("://")[2].partition("/")[2] if "://" in url else url)
        verb, target = classify(first_text(request, "method"), host, path)
    elif isinstance(package, dict):
        verb, target = registry_call(first_text(package, "method"), first_text(package, "path"), first_text(package, "registry"))
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


def _unpacked(record: Json, path: list[str], fold: str) -> Json:
    inner = dig(record, *path)
    if not isinstance(inner, str) or inner[:1] not in ("{", "["):
        return record
    held = _json(inner)
    return put(record, path, _folded(held, fold) if fold else held)


def _spelt(name: object, fold: str) -> str:
    return str(name).lower().replace("_", "") if fold == "joined" else str(name).lower()


def _folded(record: object, way: str) -> object:
    """Member names in one spelling, as deep as any log entry nests; what lies deeper stays as it is."""

    def fold(value: object, depth: int) -> object:
        if depth > MAX_FOLD:
            return value
        if isinstance(value, dict):
            return {_spelt(name, way): fold(one, depth + 1) for name, one in value.items()}
        return [fold(one, depth + 1) for one in value] if isinstance(value, list) else value

    return fold(record, 0)
