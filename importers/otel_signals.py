"""OpenTelemetry JSON in its many spellings, read into one shape: a span or a log record with plain attributes.

OTLP's protobuf JSON (camel and snake case, ids in hex or base64, integers as text, kinds as number or name), the objects
the JavaScript and Python SDKs print (`hrTime`, `_spanContext`, `_rawAttributes`, `context.trace_id`), and the column
names of common exporters (`LogAttributes`, `ResourceAttributes`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from importers.shared.anyvalue import value_of
from importers.shared.fields import Json, mapping, moment, text
from model.words import Clock

MAX_EVENTS = 1000
"""Events of one span that are looked at."""
MAX_SIGNALS = 50_000
"""Signals of one payload that are looked at; exporters send a few hundred."""

_DEEPEST = 6

_PAYLOADS = ("resourceSpans", "resource_spans", "resourceLogs", "resource_logs", "resourceMetrics", "resource_metrics")
_SCOPED = ("scopeSpans", "scope_spans", "scopeLogs", "scope_logs", "instrumentationLibrarySpans", "instrumentation_library_spans",
           "instrumentationLibraryLogs")  # fmt: skip
_SIGNALS = ("spans", "logRecords", "log_records", "logs")
_METRICS = frozenset({"resourceMetrics", "resource_metrics", "scopeMetrics", "scope_metrics"})
_ATTRIBUTES = (
    "attributes",
    "LogAttributes",
    "SpanAttributes",
    "logAttributes",
    "spanAttributes",
    "log_attributes",
    "span_attributes",
)
_RESOURCES = ("attributes", "_rawAttributes", "_attributes")
_HEX = frozenset("0123456789abcdef")
_KINDS = {0: "", 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
_ERRORS = frozenset({"2", "error", "status_code_error"})
_MLFLOW = frozenset({"mlflow.spanType", "mlflow.traceRequestId"})
"""Attributes of MLflow's spans, which write every value as JSON whatever they are sent or kept as."""
_FINE = frozenset({"1", "ok", "status_code_ok"})


class Signal(NamedTuple):
    """One span or log record. Times are microseconds since the epoch, `end` None for a log record or an open span.

    `span` is the record's own span, for a log record the one it was written in. `status` is ok, error or "". `happened` are the
    events of a span by name, in its order, `reason` what it says of its status.
    """

    is_span: bool
    name: str
    attrs: Json
    resource: Json
    scope: str
    at: int | None
    clock: Clock
    end: int | None
    trace: str
    span: str
    parent: str
    kind: str
    status: str
    body: object
    happened: tuple[tuple[str, Json], ...] = ()
    reason: str = ""

    @property
    def service(self) -> str:
        return text(self.resource.get("service.name")) or text(self.resource.get("service_name"))


def payload_of(record: Json) -> Json | None:
    """The OTLP payload in a record: the record itself, or the one member under which a collector wrapped it."""
    if any(name in record for name in (*_PAYLOADS, *_SCOPED)):
        return record
    if "scopeMetrics" in record or "scope_metrics" in record:
        return record
    for value in record.values():
        if isinstance(value, dict) and any(isinstance(value.get(name), list) for name in _PAYLOADS):
            return value
    return None


def is_metrics(payload: Json) -> bool:
    """Whether a payload holds metrics, which say nothing of a single act."""
    return any(name in payload for name in _METRICS)


def is_flat(record: Json) -> bool:
    """Whether a record is one span or log record by itself, as SDK exporters print them."""
    if not isinstance(_member(record, *_ATTRIBUTES), dict | list):
        return False
    timed = ("hrTime", "timeUnixNano", "time_unix_nano", "startTimeUnixNano", "start_time_unix_nano", "Timestamp")
    spanned = ("_spanContext", "spanContext", "context", "spanId", "span_id", "SpanId", "traceId", "trace_id", "TraceId")
    return any(name in record for name in timed) or any(name in record for name in spanned)


def signals(payload: Json) -> Iterator[Signal]:
    """The spans and log records of a payload, in its order; those beyond `MAX_SIGNALS` are left to the raw record."""
    count = 0
    for name in _PAYLOADS:
        for part in _objects(payload.get(name)):
            for signal in _scoped(part):
                yield signal
                count += 1
                if count >= MAX_SIGNALS:
                    return
    if not any(name in payload for name in _PAYLOADS):
        yield from _scoped(payload)


def _scoped(part: Json) -> Iterator[Signal]:
    resource = _resource(part)
    for name in _SCOPED:
        for scoped in _objects(part.get(name)):
            about = mapping(_member(scoped, "scope", "instrumentationLibrary", "instrumentation_library"))
            for kind in _SIGNALS:
                for one in _objects(scoped.get(kind)):
                    yield signal_of(one, resource, text(about.get("name")), kind == "spans")
    for kind in _SIGNALS:
        for one in _objects(part.get(kind)):
            yield signal_of(one, resource, "", kind == "spans")


def flat_signal(record: Json) -> Signal:
    """A span or log record that stands by itself, its resource beside it."""
    about = mapping(_member(record, "instrumentationScope", "instrumentationLibrary", "scope"))
    scope = text(about.get("name")) or text(record.get("ScopeName"))
    is_span = any(name in record for name in ("startTime", "start_time", "startTimeUnixNano", "start_time_unix_nano", "SpanName"))
    return signal_of(record, _resource(record), scope, is_span)


def signal_of(record: Json, resource: Json, scope: str, is_span: bool) -> Signal:
    attrs = attributes(_member(record, *_ATTRIBUTES))
    if not _MLFLOW.isdisjoint(attrs):
        attrs = {name: _unquoted(value) for name, value in attrs.items()}
    at, clock = _time(record, "startTimeUnixNano", "start_time_unix_nano", "startTime", "start_time", "timeUnixNano",
                      "time_unix_nano", "hrTime", "Timestamp", "timestamp")  # fmt: skip
    if at is None and (stated := attrs.get("event.timestamp")):
        at, clock = moment(stated)
    if at is None:
        at, clock = _time(record, "observedTimeUnixNano", "observed_time_unix_nano", "hrTimeObserved")
    end, _ = _time(record, "endTimeUnixNano", "end_time_unix_nano", "endTime", "end_time")
    if end is None and is_span and at is not None and type(duration := record.get("Duration")) is int and duration >= 0:
        end = at + duration // 1000
    context = mapping(_member(record, "_spanContext", "spanContext", "context"))
    above = mapping(_member(record, "parentSpanContext", "parent"))
    trace = _id(_member(record, "traceId", "trace_id", "TraceId") or _member(context, "traceId", "trace_id"), 32)
    span = _id(_member(record, "spanId", "span_id", "SpanId") or _member(context, "spanId", "span_id"), 16)
    parent = _id(
        _member(record, "parentSpanId", "parent_span_id", "ParentSpanId", "parent_id") or _member(above, "spanId", "span_id"), 16
    )
    name = text(_member(record, "name", "eventName", "event_name", "SpanName", "EventName"))
    kind = _member(record, "kind", "SpanKind")
    return Signal(
        is_span,
        name[:300],
        attrs,
        resource,
        scope[:300],
        at,
        clock,
        end,
        trace,
        span,
        parent if parent != span else "",
        # The JavaScript SDK counts kinds from 0, OTLP from 1.
        _kind(kind + 1 if "_spanContext" in record and type(kind) is int else kind),
        _status(record),
        value_of(_member(record, "body", "_body", "Body")),
        tuple(_happened(record)) if is_span else (),
        text(_member(mapping(record.get("status")), "message", "description"))
        or text(_member(record, "StatusMessage", "status_message")),
    )


def _unquoted(value: object) -> object:
    """A text without the quotes that JSON puts around it; other values are decoded where they are looked at."""
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError):
            return value
    return value


def _happened(record: Json) -> Iterator[tuple[str, Json]]:
    listed = record.get("events")
    for one in listed[:MAX_EVENTS] if isinstance(listed, list) else ():
        if isinstance(one, dict) and (name := text(one.get("name"))):
            yield name[:200], attributes(_member(one, "attributes", "_attributes"))


def attributes(found: object) -> Json:
    """Attributes as a plain object, from a list of {key, value}, a list of pairs, or an object; the first of a key counts."""
    if isinstance(found, dict):
        plain = {str(name): value_of(value) for name, value in found.items()}
        for outer in [one for one, value in plain.items() if isinstance(value, dict) and "." not in one]:
            _dotted(outer, mapping(plain[outer]), plain)
        return plain
    made: Json = {}
    if isinstance(found, list):
        for one in found:
            if isinstance(one, dict) and isinstance(name := one.get("key"), str):
                value = one.get("value")
                # Nearly every value is a text.
                if type(value) is dict and len(value) == 1 and "stringValue" in value:
                    made.setdefault(name, value["stringValue"])
                else:
                    made.setdefault(name, value_of(value))
            elif isinstance(one, list) and len(one) == 2 and isinstance(one[0], str):
                made.setdefault(one[0], value_of(one[1]))
    return made


def _dotted(name: str, inner: Json, into: Json, depth: int = 0) -> None:
    """Attributes that a store laid into each other (`{"tool": {"name": ...}}`) by their whole names, besides."""
    for one, value in inner.items():
        if len(into) >= MAX_EVENTS:
            return
        into.setdefault(f"{name}.{one}", value)
        if isinstance(value, dict) and depth < _DEEPEST:
            _dotted(f"{name}.{one}", value, into, depth + 1)


def _objects(value: object) -> Iterator[Json]:
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))
    elif isinstance(value, dict):
        yield value


def _resource(part: Json) -> Json:
    found = part.get("resource")
    if isinstance(found, dict):
        inner = _member(found, *_RESOURCES)
        return attributes(found if inner is None else inner)
    made = attributes(_member(part, "ResourceAttributes", "resourceAttributes", "resource_attributes"))
    if service := text(part.get("ServiceName")):
        made.setdefault("service.name", service)
    return made


def _member(record: Json, *names: str) -> object:
    """The first member among these that is there and not null."""
    for name in names:
        if (value := record.get(name)) is not None:
            return value
    return None


def _time(record: Json, *names: str) -> tuple[int | None, Clock]:
    """The first of these members that holds a time other than zero: [seconds, nanoseconds], epoch or ISO 8601."""
    for name in names:
        value = record.get(name)
        if isinstance(value, list) and len(value) == 2 and all(type(part) is int for part in value):
            value = {"seconds": value[0], "nanos": value[1]}
        at, clock = moment(value, "ns" if "ano" in name else "")
        if at:
            return at, clock
    return None, Clock.ORDER_ONLY


def _id(value: object, digits: int) -> str:
    """A trace or span id in lower-case hex, also from base64 or with 0x before it; "" if it is none or all zeros."""
    if not isinstance(value, str):
        return ""
    plain = value.lower().removeprefix("0x")
    if len(plain) != digits or not _HEX.issuperset(plain):
        try:
            plain = base64.b64decode(value, validate=True).hex()
        except (binascii.Error, ValueError):
            return ""
    return plain if len(plain) == digits and plain.strip("0") else ""


def _kind(value: object) -> str:
    if isinstance(value, str):
        if value.isdecimal() and len(value) == 1:
            return _KINDS.get(int(value), "")
        return value.lower().removeprefix("span_kind_").removeprefix("spankind.").replace("unspecified", "")[:20]
    return _KINDS.get(value, "") if type(value) is int else ""


def _status(record: Json) -> str:
    # Phoenix keeps a span's status in a column; a member of that name beside a status is another's.
    status = record.get("status", record.get("StatusCode", record.get("status_code")))
    code = _member(status, "code", "status_code", "statusCode") if isinstance(status, dict) else status
    word = text(code).lower().removeprefix("statuscode.")
    return "error" if word in _ERRORS else "ok" if word in _FINE else ""
