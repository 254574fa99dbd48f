"""OpenTelemetry traces and logs as JSON: OTLP payloads, and what SDK exporters print of single spans and log records.

A payload is one record with as many events as it tells of; metrics are recognised and hold no events.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from importers import otel_claude, otel_codex, otel_gemini
from importers.agentcore_spans import is_agentcore, read_span
from importers.otel_agentgateway import is_agentgateway, request_events
from importers.otel_context import Speaker, frame_of, principal_of, speaker_of, with_principal
from importers.otel_jaeger import is_jaeger, jaeger_signals
from importers.otel_langfuse import is_langfuse, langfuse_signals
from importers.otel_messages import is_talk
from importers.otel_mlflow import is_mlflow, mlflow_signals
from importers.otel_rows import is_row, row_signal
from importers.otel_signals import Signal, flat_signal, is_flat, is_metrics, payload_of, signals
from importers.otel_spans import Spans
from importers.otel_zipkin import is_zipkin, zipkin_signal
from importers.shared.agents import decided_before
from importers.shared.fields import Json, surest, text
from model.event import BadRecord, Event, Parsed
from model.words import Vantage

_TELLERS = {
    "claude_code": ("claude-code", otel_claude),
    "codex": ("codex", otel_codex),
    "gemini_cli": ("gemini-cli", otel_gemini),
    "qwen-code": ("qwen-code", otel_gemini),
    "iflow_cli": ("iflow-cli", otel_gemini),
}
_BY_POINT = {point: (prefix, teller) for prefix, (point, teller) in _TELLERS.items()}
_MARKS = (
    "gen_ai.",
    "mcp.",
    "openinference.",
    "traceloop.",
    "llm.",
    "tool.",
    "copilot_chat.",
    "langfuse.",
    "ai.toolCall",
    "assay.",
    "lmnr.",
    "mlflow.",
)


_SHAPE_ONLY = 20
"""The score of a payload that tells nothing of an agent (`importers.detect.BARELY`)."""
_LOOKED_AT = 200


class Otlp:
    """OTLP JSON and flat exporter output, of agents with log events of their own and of anything that follows GenAI conventions."""

    id = "otlp"
    title = "OpenTelemetry traces and logs (OTLP JSON, SDK exporters, Jaeger, Zipkin, MLflow, Phoenix, Langfuse, Application Insights)"
    evidence = "real"
    version = 11

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> OtlpReader:
        return OtlpReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    if (payload := payload_of(record)) is not None:
        return 95 if _tells(payload) else _SHAPE_ONLY
    if is_flat(record):
        signal = flat_signal(record)
        if _product(signal)[0] or _is_genai(signal):
            return 85
        # A log line of any program may be told so, and is what it holds.
        return (
            55 if signal.is_span and (signal.trace or signal.resource) else _SHAPE_ONLY if signal.trace or signal.resource else 0
        )
    if is_row(record):
        return 85 if _is_genai(row_signal(record)) else 0
    if _is_event_row(record):
        return 75
    if _is_metric(record):
        return 60
    return 85 if is_jaeger(record) or is_zipkin(record) or is_mlflow(record) or is_langfuse(record) else 0


def _tells(payload: Json) -> bool:
    """Whether a payload is of traces, metrics or an agent's own log; the logs of any program are collected in the same shape."""
    return any(one.is_span or _product(one)[0] or _is_genai(one) for one in islice(signals(payload), _LOOKED_AT)) or (
        is_metrics(payload)
    )


def _is_metric(record: Json) -> bool:
    """A metric by itself, which an exporter writes between the spans of the same file."""
    return record.get("type") == "metric" and isinstance(record.get("dataPoints"), list)


class OtlpReader:
    """One source; it remembers which spans were agents and tools, since a trace is spread over many payloads."""

    def __init__(self) -> None:
        self._spans = Spans()
        self._decided: set[str] = set()

    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object: an OTLP payload is one JSON object")
        payload = payload_of(record)
        if _is_metric(record):
            return Parsed(type="metrics")
        if is_agentcore(record):
            # Where an agent's spans come first, its gateway's stand among them.
            return read_span(record)
        if payload is not None:
            if is_metrics(payload):
                return Parsed(type="metrics")
            found = list(signals(payload))
            kind = "traces" if any(name in payload for name in ("resourceSpans", "resource_spans")) else "logs"
        elif is_jaeger(record):
            found, kind = list(jaeger_signals(record)), "jaeger"
        elif is_zipkin(record):
            found, kind = [zipkin_signal(record)], "zipkin"
        elif is_mlflow(record):
            found, kind = list(mlflow_signals(record)), "mlflow"
        elif is_langfuse(record):
            found, kind = list(langfuse_signals(record)), "langfuse"
        elif is_flat(record):
            found = [flat_signal(record)]
            kind = "span" if found[0].is_span else "log"
        elif is_row(record):
            found = [row_signal(record)]
            kind = "span" if found[0].is_span else "log"
        elif _is_event_row(record):
            found = [flat_signal({"attributes": record, "timestamp": record.get("timestamp") or record.get("time")})]
            kind = "log"
        else:
            raise BadRecord("neither an OTLP payload nor a span or log record: no resourceSpans, resourceLogs or attributes")
        self._spans.learn(found)
        parsed = Parsed(type=kind, at=min((one.at for one in found if one.at is not None), default=None))
        for signal in found:
            if is_agentgateway(signal):
                made = request_events(signal)
            elif signal.is_span:
                made = list(self._spans.events(signal, speaker_of(signal)))
            else:
                made = self._logged(signal, parsed)
            if made:
                parsed.events += with_principal(made, principal_of(signal))
        return parsed

    def _logged(self, signal: Signal, parsed: Parsed) -> list[Event]:
        """Events of an agent's own log record, and of messages by the convention; those of other programs are kept as they are."""
        point, name = _product(signal)
        if not point:
            return list(self._spans.logged(signal, speaker_of(signal))) if is_talk(signal) else []
        _, teller = _BY_POINT[point]
        if name not in teller.EVENTS:
            parsed.unknown_type = f"{point}/{name}"[:100]
            return []
        made = teller.log_events(name, signal, frame_of(signal, Speaker(point, point, Vantage.AGENT)))
        # Codex tells a refusal by an event of its own and in what came of the call, which that event's id names.
        return [event for event in made if point != "codex" or not decided_before(self._decided, event)]


def _product(signal: Signal) -> tuple[str, str]:
    """Whose log event this is and which, by its name's prefix, else by the service that wrote it; ("", "") for any other."""
    if signal.is_span:
        return "", ""
    body = text(signal.body)
    for name in (text(signal.attrs.get("event.name")), signal.name, body[:200]):
        prefix, dot, rest = name.partition(".")
        if dot and prefix in _TELLERS and rest and " " not in rest:
            return _TELLERS[prefix][0], rest
    point = speaker_of(signal).point
    name = text(signal.attrs.get("event.name"))
    if point in _BY_POINT and name and "." not in name:
        return point, name
    return "", ""


def _is_genai(signal: Signal) -> bool:
    return any(name.startswith(_MARKS) for name in signal.attrs)


def _is_event_row(record: Json) -> bool:
    """A log record flattened to its attributes, as log stores export them."""
    name = text(record.get("event.name"))
    return name.partition(".")[0] in _TELLERS and "." in name


IMPORTER = Otlp()
