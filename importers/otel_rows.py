"""Spans and log records as rows of stores that keep them in columns: Application Insights, in a workspace and by itself, and Phoenix.

Application Insights keeps a span among `dependencies` or, where a server wrote it, `requests`, a log record among `traces`; the attributes
are the members of `customDimensions` (`Properties` in a workspace), which may come as text. Phoenix's data frames name a column after
each attribute. Source: Azure Monitor's table reference, Phoenix's client.
"""

from __future__ import annotations

from importers.otel_context import json_in
from importers.otel_signals import Signal, flat_signal
from importers.shared.fields import Json, first_text, mapping, truth

_COLUMN = "attributes."
_ABOUT = ("customDimensions", "Properties", "customdimensions")
_TRACE = ("operation_Id", "OperationId")


def is_row(record: Json) -> bool:
    """Whether a record is a row of one of these stores."""
    if "context.span_id" in record and "context.trace_id" in record:
        return True
    return any(name in record for name in _TRACE) and any(name in record for name in _ABOUT)


def row_signal(record: Json) -> Signal:
    """The span or log record of a row."""
    if "context.span_id" in record:
        return _framed(record)
    return _insight(record)


def _framed(record: Json) -> Signal:
    attrs = {name.removeprefix(_COLUMN): value for name, value in record.items() if name.startswith(_COLUMN)}
    context = {"trace_id": record.get("context.trace_id"), "span_id": record.get("context.span_id")}
    plain = {name: value for name, value in record.items() if not name.startswith((_COLUMN, "context."))}
    return flat_signal({**plain, "context": context, "attributes": {n: v for n, v in attrs.items() if v is not None}})


def _insight(record: Json) -> Signal:
    about = next((found for name in _ABOUT if (found := mapping(json_in(record.get(name))))), {})
    started = record.get("timestamp") or record.get("TimeGenerated") or record.get("time")
    took = record.get("duration", record.get("DurationMs"))
    is_span = took is not None
    good = truth(record.get("success", record.get("Success")))
    how = first_text(record, "type", "DependencyType") if is_span else ""
    served = first_text(record, "itemType", "Type") in ("request", "AppRequests") or "source" in record or "Source" in record
    made: Json = {
        "name": first_text(record, "name", "Name"),
        "traceId": first_text(record, *_TRACE),
        "spanId": first_text(record, "id", "Id") if is_span else first_text(record, "operation_ParentId", "ParentId"),
        "parentSpanId": first_text(record, "operation_ParentId", "ParentId") if is_span else "",
        "attributes": about,
        "resource": {"service.name": first_text(record, "cloud_RoleName", "AppRoleName")},
        "kind": "server" if served else "internal" if not how or how.lower().startswith("inproc") else "client",
        "status": {"code": "error" if good is False else ""},
        ("startTime" if is_span else "timestamp"): started,
    }
    if not is_span:
        made["body"] = first_text(record, "message", "Message")
    signal = flat_signal(made)
    if signal.at is not None and isinstance(took, int | float) and not isinstance(took, bool) and 0 <= took < 1e12:
        signal = signal._replace(end=signal.at + int(took * 1000))
    return signal
