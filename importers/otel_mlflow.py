"""MLflow's traces as it exports and stores them: what is known of the trace, then its spans."""

from __future__ import annotations

from collections.abc import Iterator

from importers.otel_signals import Signal, signals
from importers.shared.fields import Json, first_text, mapping

_SESSION, _PERSON = "mlflow.trace.session", "mlflow.trace.user"


def is_mlflow(record: Json) -> bool:
    about, spans = _parts(record)
    first = mapping(spans[0]) if isinstance(spans, list) and spans else {}
    return isinstance(about, dict) and "attributes" in first and ("trace_id" in first or "context" in first)


def mlflow_signals(record: Json) -> Iterator[Signal]:
    found, spans = _parts(record)
    about = mapping(found)
    told = mapping(about.get("trace_metadata")) or mapping(about.get("request_metadata"))
    named = {"session.id": first_text(told, _SESSION), "user.name": first_text(told, _PERSON)}
    resource = {"attributes": {name: value for name, value in named.items() if value}}
    for signal in signals({"resource": resource, "spans": spans}):
        yield signal._replace(is_span=True)


def _parts(record: Json) -> tuple[object, object]:
    """What is known of the trace, and its spans: in a file and as the server answers."""
    if "trace_info" in record:
        return record["trace_info"], record.get("spans")
    return record.get("info"), mapping(record.get("data")).get("spans")
