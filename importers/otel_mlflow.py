"""MLflow's traces as it exports and stores them: what is known of the trace, then its spans, each attribute's value as JSON."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from importers.otel_signals import Signal, signals
from importers.shared.fields import Json, first_text, mapping

_SESSION, _PERSON = "mlflow.trace.session", "mlflow.trace.user"


def is_mlflow(record: Json) -> bool:
    spans = mapping(record.get("data")).get("spans")
    first = mapping(spans[0]) if isinstance(spans, list) and spans else {}
    return isinstance(record.get("info"), dict) and "attributes" in first and ("trace_id" in first or "context" in first)


def mlflow_signals(record: Json) -> Iterator[Signal]:
    about = mapping(record.get("info"))
    told = mapping(about.get("trace_metadata")) or mapping(about.get("request_metadata"))
    named = {"session.id": first_text(told, _SESSION), "user.name": first_text(told, _PERSON)}
    resource = {"attributes": {name: value for name, value in named.items() if value}}
    for signal in signals({"resource": resource, "spans": mapping(record.get("data"))["spans"]}):
        yield signal._replace(is_span=True, attrs={name: _decoded(value) for name, value in signal.attrs.items()})


def _decoded(value: object) -> object:
    """A text without the quotes that JSON puts around it; other values are decoded where they are looked at."""
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError):
            return value
    return value
