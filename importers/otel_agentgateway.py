"""agentgateway's requests as it exports them over OTLP: the fields of its access log, as attributes of a span or a log record.

They say the same as the line it writes, so the format of that line reads them: who called, which tool, what was refused and by
what. The span adds which span of the caller it answers.
"""

from __future__ import annotations

from functools import cache

from importers.base import Reader
from importers.otel_context import span_key
from importers.otel_signals import Signal
from importers.registry import importer_named
from model.event import BadRecord, Event

_FIELDS = frozenset({"http.status", "protocol"})
_PLACES = frozenset({"gateway", "route"})
_ITS_OWN = frozenset({"src.addr", "listener", "endpoint"})
"""Names that are no convention's: with the others they are this gateway's."""


def is_agentgateway(signal: Signal) -> bool:
    """Whether a span or a log record is a request as the gateway logs it."""
    names = signal.attrs.keys()
    return not (_FIELDS.isdisjoint(names) or _PLACES.isdisjoint(names) or _ITS_OWN.isdisjoint(names))


def request_events(signal: Signal) -> list[Event]:
    """What the request's line would tell, at the span's time and with its place in the trace."""
    own = {"scope": "request", "trace.id": signal.trace, "span.id": signal.span}
    line = {**signal.attrs, **{name: value for name, value in own.items() if value}}
    try:
        events = _line().read(line).events
    except BadRecord:
        return []
    above = span_key(signal.trace, signal.parent)
    for event in events:
        event.at, event.clock = signal.at, signal.clock
        event.keys = tuple(dict.fromkeys(event.keys + above))
    return events


@cache
def _line() -> Reader:
    """The reader of the gateway's own log, which holds no state."""
    found = importer_named("agentgateway-json")
    assert found is not None
    return found.open()
