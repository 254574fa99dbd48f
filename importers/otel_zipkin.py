"""Spans as Zipkin takes and answers them (its second JSON format), which the collector's and the SDKs' exporters write.

Tags are texts by name, times microseconds; a tag `error` alone says that a span failed. Source: Zipkin's API, version 2, and
OpenTelemetry's mapping of spans to Zipkin's.
"""

from __future__ import annotations

from collections.abc import Iterator

from importers.otel_signals import MAX_EVENTS, Signal, attributes
from importers.shared.fields import Json, mapping, moment, text
from model.words import Clock

_KINDS = frozenset({"server", "client", "producer", "consumer"})


def is_zipkin(record: Json) -> bool:
    """Whether a record is one span of Zipkin's."""
    named = all(isinstance(record.get(name), str) for name in ("traceId", "id"))
    return named and isinstance(record.get("localEndpoint"), dict)


def zipkin_signal(span: Json) -> Signal:
    """The span, with the service that wrote it as its resource."""
    attrs = attributes(mapping(span.get("tags")))
    start, duration = span.get("timestamp"), span.get("duration")
    at, clock = moment(start, "us") if type(start) is int and start > 0 else (None, Clock.ORDER_ONLY)
    kind = text(span.get("kind")).lower()
    status = text(attrs.get("otel.status_code") or attrs.get("ot.status_code")).upper()
    failed = status == "ERROR" or ("error" in attrs and text(attrs["error"]).lower() != "false")
    own, above = _id(span.get("id"), 16), _id(span.get("parentId"), 16)
    return Signal(
        is_span=True,
        name=text(span.get("name"))[:300],
        attrs=attrs,
        resource={"service.name": text(mapping(span.get("localEndpoint")).get("serviceName"))},
        scope=text(attrs.get("otel.scope.name") or attrs.get("otel.library.name"))[:300],
        at=at,
        clock=clock,
        end=at + duration if at is not None and type(duration) is int and duration >= 0 else None,
        trace=_id(span.get("traceId"), 32),
        span=own,
        parent="" if above == own else above,
        kind=kind if kind in _KINDS else "",
        status="error" if failed else "ok" if status == "OK" else "",
        body=None,
        happened=tuple(_annotated(span)),
    )


def _annotated(span: Json) -> Iterator[tuple[str, Json]]:
    """The span's events, which Zipkin calls annotations: a name, or OpenTelemetry's name and attributes in one text."""
    listed = span.get("annotations")
    for one in listed[:MAX_EVENTS] if isinstance(listed, list) else ():
        if name := text(mapping(one).get("value")):
            yield name[:200], {}


def _id(value: object, length: int) -> str:
    """An id in full length, in which older tracers leave out half of a trace's."""
    found = text(value).lower()
    return found.rjust(length, "0") if found and len(found) <= length and found.strip("0") else ""
