"""Spans as Jaeger shows and stores them: a trace of its API or its export button, and single spans as its storage keeps them.

`tags` are lists of {key, type, value} or, in a storage, objects under `tag`; times are microseconds. Source: Jaeger's public
data model for its user interface.
"""

from __future__ import annotations

from collections.abc import Iterator

from importers.otel_signals import MAX_EVENTS, MAX_SIGNALS, Signal, attributes
from importers.shared.fields import Json, mapping, moment, text, truth
from model.words import Clock

_KINDS = frozenset({"internal", "server", "client", "producer", "consumer"})


def is_jaeger(record: Json) -> bool:
    """Whether a record is one trace of Jaeger's, or one span."""
    spans = record.get("spans")
    if isinstance(spans, list) and isinstance(record.get("processes"), dict):
        return not spans or (isinstance(spans[0], dict) and _is_span(spans[0]))
    return _is_span(record) and isinstance(record.get("process"), dict)


def _is_span(record: Json) -> bool:
    return all(isinstance(record.get(name), str) for name in ("traceID", "spanID", "operationName"))


def jaeger_signals(record: Json) -> Iterator[Signal]:
    """The spans of a trace, in its order, each with the process that wrote it as its resource."""
    processes = mapping(record.get("processes"))
    spans = record.get("spans")
    for one in (spans if isinstance(spans, list) else [record])[:MAX_SIGNALS]:
        if isinstance(one, dict):
            process = mapping(one.get("process")) or mapping(processes.get(text(one.get("processID"))))
            yield _signal(one, process)


def _signal(span: Json, process: Json) -> Signal:
    attrs = _tags(span)
    resource = _tags(process) | {"service.name": text(process.get("serviceName"))}
    start = span.get("startTime")
    at, clock = moment(start, "us") if type(start) is int and start > 0 else (None, Clock.ORDER_ONLY)
    duration = span.get("duration")
    kind = text(attrs.get("span.kind")).lower()
    failed = truth(attrs.get("error")) is True or text(attrs.get("otel.status_code")).upper() == "ERROR"
    fine = text(attrs.get("otel.status_code")).upper() == "OK"
    return Signal(
        is_span=True,
        name=text(span.get("operationName"))[:300],
        attrs=attrs,
        resource=resource,
        scope=text(attrs.get("otel.scope.name") or attrs.get("otel.library.name"))[:300],
        at=at,
        clock=clock,
        end=at + duration if at is not None and type(duration) is int and duration >= 0 else None,
        trace=_id(span.get("traceID"), 32),
        span=_id(span.get("spanID"), 16),
        parent=_parent(span),
        kind=kind if kind in _KINDS else "",
        status="error" if failed else "ok" if fine else "",
        body=None,
        happened=tuple(_logged(span)),
    )


def _logged(span: Json) -> Iterator[tuple[str, Json]]:
    """The span's events, which Jaeger calls logs; their name is a field among the others."""
    listed = span.get("logs")
    for one in listed[:MAX_EVENTS] if isinstance(listed, list) else ():
        fields = attributes(mapping(one).get("fields"))
        if name := text(fields.get("event")) or text(fields.get("name")):
            yield name[:200], fields


def _tags(holder: Json) -> Json:
    """Tags by name; a storage that keeps them as an object writes `@` for the dots of their names."""
    stored = mapping(holder.get("tag"))
    return attributes(holder.get("tags")) | {str(name).replace("@", "."): value for name, value in stored.items()}


def _parent(span: Json) -> str:
    own = _id(span.get("spanID"), 16)
    references = span.get("references")
    above = [
        _id(one.get("spanID"), 16)
        for one in (references if isinstance(references, list) else [])
        if isinstance(one, dict) and one.get("refType") == "CHILD_OF"
    ]
    found = above[0] if above else _id(span.get("parentSpanID"), 16)
    return "" if found == own else found


def _id(value: object, length: int) -> str:
    """An id in full length: Jaeger leaves out the zeros at its beginning."""
    found = text(value).lower()
    return found.rjust(length, "0") if found and len(found) <= length and found.strip("0") else ""
