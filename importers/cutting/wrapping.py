"""Records inside the envelope of whatever carried them: container runtimes, journals, collectors, SIEMs, message queues.

A carrier writes one object or row a line with the log's own line, or the log's own object, as one member; some write many
lines into one object, some a few words before each line of plain text. Where nobody knows the outer records, the inner
ones are looked at: JSON, or a line of one of the text formats. The digest is of the outer line, as the source has it; of
the inner one where an object holds many.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from importers.cutting.audited import event_records, from_journal
from importers.cutting.containers import TRUNCATED_LINE, HeadRecord
from importers.cutting.framing import Container, fields_of
from importers.cutting.packed import WITHIN, json_in, line_in, text_in
from importers.cutting.prefixes import CRI, PREFIXES, WORDS
from importers.cutting.scanner import balanced, fault
from importers.cutting.tables import is_custom, nested
from importers.cutting.typed import plain
from importers.shared.anyvalue import value_of
from importers.shared.fields import decode, mapping
from model.event import RawRecord, Reject

Path = tuple[str | int, ...]
EACH = "*"
"""In a path: every element of the list that stands here."""
ROWS = "*rows"
"""In a path: every row of the table that stands here as a list of columns and a list of rows, as query services answer."""

_COLLECTED: Path = ("resourceLogs", EACH, "scopeLogs", EACH, "logRecords", EACH, "body")
"""What a collector of OpenTelemetry makes of a file it follows."""
NAMED = "*named"
"""In a path: the object that a list of {key, value} stands for."""
_ATTRIBUTED: Path = (*_COLLECTED[:-1], "attributes", NAMED)
"""What a program tells in the attributes of its own log records, Envoy its requests."""
JOURNAL = "*journal"
"""In a path: what the journal's entry says; a record of the kernel's audit as the audit daemon would have written it."""
EVENT = "*event"
"""In a path: each record of the event of the kernel's audit that stands here in one line."""
_ARCHIVED: Path = ("log", "entries", EACH)
"""The exchanges of an HTTP archive, as browsers and proxies save them."""
CARRIERS: tuple[Path, ...] = (
    _ARCHIVED,
    ("log",),  # Docker and containerd json-file, fluent-bit
    (JOURNAL,),  # systemd journal, JSON export
    ("message",),  # Elastic, Datadog, Logstash, Vector, CloudWatch log events
    ("@message",),  # CloudWatch Logs Insights
    ("results", EACH, "@message"),
    ("event", "original"),  # Elastic, where the original is kept
    ("event",),  # Splunk HTTP Event Collector
    ("_raw",),  # Splunk export
    ("result", "_raw"),  # Splunk, streamed export
    ("_source", "event", "original"),  # Elastic, exported with index and id
    ("_source", "message"),
    ("_source",),
    ("hits", "hits", EACH, "_source", "event", "original"),  # Elastic, the answer to a search
    ("hits", "hits", EACH, "_source", "message"),
    ("hits", "hits", EACH, "_source"),
    ("kubernetes", "audit"),  # Elastic's integration for Kubernetes
    ("_source", "kubernetes", "audit"),
    ("hits", "hits", EACH, "_source", "kubernetes", "audit"),
    ("detail",),  # Amazon EventBridge
    ("data",),  # CloudEvents
    ("payload",),  # Kafka, kcat -J
    ("value",),  # Kafka, as its connectors write
    ("kinesis", "data"),  # Kinesis, as a function gets it
    ("message", "data"),  # Pub/Sub
    ("awslogs", "data"),  # CloudWatch Logs, as a function gets it
    ("Message",),  # SNS notification
    ("body",),  # SQS, as a function gets it
    ("Body",),  # SQS, as its API answers
    ("jsonPayload",),  # Google Cloud Logging
    ("jsonPayload", "message"),
    ("textPayload",),
    ("full_log", EVENT),  # Wazuh, a watched audit log
    ("_source", "full_log", EVENT),
    ("full_log",),  # Wazuh
    ("line",),  # Loki, logcli; the lines of a plain text
    ("Line",),  # Grafana's table of a Loki query
    ("values", EACH, 1),  # Loki, one stream of a query or a push
    ("streams", EACH, "values", EACH, 1),
    ("data", "result", EACH, "values", EACH, 1),
    ("LogMessage",),  # Azure Monitor, container logs
    ("LogEntry",),
    ("SyslogMessage",),  # Azure Monitor, syslog
    ("attributes", "message"),  # Datadog, search and archive
    ("attributes", "attributes"),  # the same, where the line was JSON
    ("attributes",),
    ("content", "message"),
    ("content", "attributes"),  # Datadog's older search, where the line was JSON
    ("RawData",),  # Azure Monitor, a table of one's own
    _COLLECTED,
    _ATTRIBUTED,
    ("tables", EACH, ROWS),  # Azure Monitor, a query's answer
    ("Tables", EACH, ROWS),
    (ROWS,),
    ("full_message",),  # Graylog
    ("short_message",),
)
_OBJECTS = frozenset(
    {"event", "jsonPayload", "_source", "detail", "data", "payload", "value", "attributes", "audit", "LogMessage", ROWS, NAMED}
)
"""Carriers that keep the record as an object; everywhere else it is text, and an object there is part of the record."""

_PIECES = 64 << 20
_DOCKER = frozenset({"log", "stream", "time", "attrs"})
_DOCKER_BUFFER = 16 << 10
_OF_EACH = 200
_MOST_COLUMNS = 2_000
"""No query service answers with more; each row of more would be an object of as many members."""
_CUT_CHARACTERS = 16
"""Bytes that a piece may have beyond the buffer: what is left of a character at either end is told as characters of three bytes."""

Item = RawRecord | Reject


class Way(NamedTuple):
    """Where the inner record lies, what stands before it there, how it is itself framed, whether it may be an object there, and whether
    its members are told as a table's columns are (`actor.email`, `target{}.id`), or each value with its kind (`{"$date": ...}`).
    """

    path: Path
    container: Container = "json"
    prefix: re.Pattern[str] | None = None
    objects: bool = False
    flat: bool = False
    typed: bool = False

    @property
    def many(self) -> bool:
        return not {EACH, ROWS, EVENT}.isdisjoint(self.path)


def ways() -> Iterator[Way]:
    """Every way to look inside, the surest first: JSON everywhere, then lines of text, at last those behind a prefix."""
    yield from (Way(path, objects=path[-1] in _OBJECTS or path in (_ARCHIVED, _COLLECTED)) for path in CARRIERS)
    for prefix in (None, *PREFIXES):
        yield from (Way(path, container, prefix) for path in CARRIERS for container in ("keyvalue", "lines"))


def found_at(record: object, path: Path) -> Iterator[object]:
    """What lies at a path, once for each element of the lists on its way."""
    for place, step in enumerate(path):
        if step == EACH:
            for one in record if isinstance(record, list) else ():
                yield from found_at(one, path[place + 1 :])
            return
        if step == ROWS:
            for row in _rows(mapping(record)):
                yield from found_at(row, path[place + 1 :])
            return
        if step == NAMED:
            pairs = (mapping(one) for one in (record if isinstance(record, list) else ()))
            record = {name: value_of(pair.get("value")) for pair in pairs if isinstance(name := pair.get("key"), str)} or None
        elif step == JOURNAL:
            record = from_journal(mapping(record))
        elif step == EVENT:
            yield from event_records(record)
            return
        elif isinstance(step, int):
            record = record[step] if isinstance(record, list) and len(record) > step else None
        else:
            record = _named(record).get(step) if isinstance(record, list) else mapping(record).get(step)
    if record is not None:
        yield value_of(record)


def _named(cells: list[object]) -> dict[object, object]:
    """A row that is told as a list of {field, value}."""
    pairs = (mapping(cell) for cell in cells)
    return {name: pair.get("value") for pair in pairs if isinstance(name := pair.get("field"), str)}


def _rows(table: dict[str, object]) -> Iterator[dict[str, object]]:
    """The rows of a table as objects; a row of another length than the columns is none."""
    columns = next((one for name in ("columns", "Columns", "fields") if isinstance(one := table.get(name), list)), None)
    rows = table.get("rows", table.get("Rows"))
    if not isinstance(columns, list) or not isinstance(rows, list) or len(columns) > _MOST_COLUMNS:
        return
    told = [one if isinstance(one, str) else mapping(one).get("name", mapping(one).get("ColumnName")) for one in columns]
    names = [one for one in told if isinstance(one, str)]
    for row in rows if names and len(names) == len(told) else ():
        if isinstance(row, list) and len(row) == len(names):
            yield dict(zip(names, row, strict=True))


def unwrapped(inner: object, way: Way) -> bytes | None:
    """The inner record as JSON, None where that member holds none."""
    if isinstance(inner, dict):
        inner = nested(inner) if way.flat else plain(inner) if way.typed else inner
        return msgspec.json.encode(inner) if inner and way.objects else None
    line = text_in(inner)
    if line is None:
        return None
    if way.container == "json":
        return json_in(line)
    line = line_in(line).strip("\r\n")
    if way.prefix is not None:
        match = way.prefix.match(line)
        if match is None:
            return None
        line = line[match.end() :]
    fields = fields_of(way.container, line) if line.strip() else None
    return None if fields is None else msgspec.json.encode(fields)


def ways_behind_words(held: Mapping[Path, Sequence[object]]) -> Iterator[Way]:
    """Ways to lines at these places before which so many words stand each time."""
    texts = [path for path, inner in held.items() if any(isinstance(one, str) for one in inner)]
    yield from (Way(path, "lines", prefix) for prefix in WORDS for path in texts)


def in_carriers(sample: Sequence[object]) -> dict[Path, list[object]]:
    """What a sample holds at the places where carriers keep a record; a place that holds nothing is not named."""
    found = {path: first_at(sample, path) for path in CARRIERS}
    return {path: inner for path, inner in found.items() if inner}


def begin_as_json(there: Sequence[object]) -> bool:
    """Whether most texts among these are objects as a whole: what looks like pairs in them is theirs, and lies deeper."""
    lines = [line for line in there if isinstance(line, str)]
    texts = [(line.lstrip()[:1] == "{" or "{" not in line) and json_in(line) is not None for line in lines]
    return bool(texts) and 2 * sum(texts) >= len(texts)


def first_at(sample: Sequence[object], path: Path) -> list[object]:
    """What stands at a path, of each record's the first so many: a table's rows are all alike, and may be a hundred thousand."""
    return [one for record in sample for one in islice(found_at(record, path), _OF_EACH)]


def inside(inner: Sequence[object], way: Way, records: int) -> list[object]:
    """The inner records among what lies at the way's path in so many records; empty unless at least half of it is one."""
    found = [decode(data) for one in inner if (data := unwrapped(one, way)) is not None]
    return found if found and 2 * len(found) >= max(records, len(inner)) else []


def cut_by_runtime(head: bytes) -> bool:
    """Whether a source begins as a container runtime's own log file, which cuts long lines into pieces."""
    first = head.lstrip(b"\r\n").partition(b"\n")[0]
    return CRI.match(first[:200].decode("utf-8", "replace")) is not None


def pieced(sample: Sequence[object]) -> list[object]:
    """The lines of a sample with the runtime's pieces put together; a line whose last piece is not in it is left out."""
    begun: dict[str, str] = {}
    whole: list[object] = []
    for record in sample:
        piece = _piece(record, mapping(record).get("line"))
        line = begun.pop(piece.stream, piece.head) + piece.words
        if piece.more:
            begun[piece.stream] = line
        else:
            whole.append({"line": line})
    return whole


FLAT = tuple(Way(path, objects=True, flat=True) for path in ((), ("result",), ("_source",)))
"""Ways to records whose objects were laid flat: a stream of them, Splunk's export of a search, Elastic's of an index."""


TYPED = Way((), objects=True, typed=True)
"""The way to the records of a database that tells each value with its kind."""


def laid_flat(value: object) -> bool:
    """Whether an object has members that are told by a path, or by what they hold."""
    return isinstance(value, dict) and (is_custom(value) or any("." in name or "{}" in name for name in value))


class Unwrapped:
    """The items of a source whose records stand inside a carrier's; what holds none is text between the records.

    `knows` says whether a line of text is one of the format's: a carrier's stream holds other programs' lines as well. A
    line that the container runtime cut into pieces is put together again. What begins as the format's records do and breaks
    off is a record that was lost, not text.
    """

    def __init__(self, items: Iterator[Item], way: Way, knows: Callable[[object], bool]) -> None:
        self._items = items
        self._way = way
        self._knows = knows
        self._pieces: dict[str, tuple[str, RawRecord]] = {}
        self._prefixed = False
        self._lost: tuple[Reject, bool] | None = None
        self.noise_lines = 0

    def __iter__(self) -> Iterator[Item]:
        for item in self._items:
            if self._lost is not None:
                yield self._lost[0]
                self._lost = None
            if isinstance(item, Reject):
                yield item
            elif not isinstance(item, HeadRecord):
                yield from self._inner(item)
        for line, first in self._pieces.values():
            yield from self._whole(line, first, None)
        if self._lost is not None:
            reject, cut = self._lost
            yield replace(reject, reason=TRUNCATED_LINE) if cut else reject

    def _inner(self, item: RawRecord) -> Iterator[Item]:
        record = decode(item.data)
        place = 0
        for place, one in enumerate(found_at(record, self._way.path), 1):
            if self._way.many:
                yield from self._whole(one, item, place)
                continue
            piece = _piece(record, one)
            if not piece.more and piece.stream not in self._pieces:
                yield from self._whole(one, item, item.index)
                continue
            begun, first = self._pieces.pop(piece.stream, ("", item))
            line = begun + piece.words if begun else piece.head + piece.words
            if first is not item:
                first = RawRecord(b"", first.line, first.offset, first.index, _own(first) + b"\n" + _own(item))
            if piece.more and len(line) < _PIECES:
                self._pieces[piece.stream] = (line, first)
            else:
                yield from self._whole(line, first, first.index)

        if not place:
            self.noise_lines += 1

    def _whole(self, inner: object, item: RawRecord, index: int | None) -> Iterator[Item]:
        data = unwrapped(inner, self._way)
        if data is None and (lost := self._broken(inner, item, index)) is not None:
            if self._lost is not None:
                yield self._lost[0]
            self._lost = lost
            return
        if data is None or (self._way.container != "json" and not self._knows(decode(data))):
            self.noise_lines += 1
            return
        self._prefixed = self._prefixed or (isinstance(inner, str) and not inner.lstrip().startswith("{"))
        original: bytes | None = _own(item)
        if self._way.many:
            line = text_in(inner)
            original = None if line is None else line.encode("utf-8", "surrogatepass")
        yield RawRecord(data, item.line, item.offset, index, original)

    def _broken(self, inner: object, item: RawRecord, index: int | None) -> tuple[Reject, bool] | None:
        """The reject of a record that does not decode, and whether its end is missing; None for a line of text."""
        line = text_in(inner) if self._way.container == "json" else None
        begin = -1 if line is None else line.find('{"', 0, WITHIN)
        if line is None or begin < 0 or (line[:begin].strip() and not self._prefixed):
            return None
        data = line[begin:].strip().encode("utf-8", "surrogatepass")
        reason = fault(data) or "not an object"
        own = sha256(_own(item)).hexdigest()
        return Reject(item.line, index, item.offset, f"not valid JSON: {reason}", own), balanced(data, 0)[0] < 0


def _own(item: RawRecord) -> bytes:
    return item.data if item.original is None else item.original


class _Piece(NamedTuple):
    """A line that may have been cut: `head` is what stood before its words, `more` says that its next piece follows."""

    stream: str
    head: str
    words: str
    more: bool


def _piece(record: object, inner: object) -> _Piece:
    line = text_in(inner)
    if line is None:
        return _Piece("", "", "", False)
    if (match := CRI.match(line)) is not None:
        return _Piece(match["stream"], match.group(), line[match.end() :], match["tag"] == "P")
    outer = mapping(record)
    stream = outer.get("stream")
    if not isinstance(stream, str):
        return _Piece("", "", line, False)
    # The runtime's own file: a line that has no end although it just fills the buffer goes on in the next record.
    size = len(line.encode("utf-8", "replace")) - _DOCKER_BUFFER
    full = outer.keys() <= _DOCKER and not line.endswith("\n") and 0 <= size <= _CUT_CHARACTERS
    return _Piece(stream, "", line, full or outer.get("logtag") == "P")
