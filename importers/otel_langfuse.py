"""Langfuse's traces and observations as its API and exports give them: each observation is a span, its trace says whose it is.

What came over OpenTelemetry keeps its own attributes in `metadata.attributes`. Source: Langfuse's API reference.
"""

from __future__ import annotations

from collections.abc import Iterator

from importers.otel_context import json_in
from importers.otel_signals import MAX_SIGNALS, Signal, flat_signal
from importers.shared.fields import Json, first_text, mapping, text

_KINDS = frozenset({"SPAN", "GENERATION", "EVENT", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL"})
_OWN = "langfuse.observation."


def is_langfuse(record: Json) -> bool:
    """Whether a record is a trace with its observations, or one observation."""
    listed = record.get("observations")
    if isinstance(listed, list) and listed:
        return all(_is_observation(one) for one in listed[:20])
    return (
        bool(text(record.get("traceId"))) and _is_observation(record) and ("level" in record or "parentObservationId" in record)
    )


def _is_observation(one: object) -> bool:
    return isinstance(one, dict) and text(one.get("type")) in _KINDS and "startTime" in one and "id" in one


def langfuse_signals(record: Json) -> Iterator[Signal]:
    """The observations of a trace, in its order, or the one a record is."""
    listed = record.get("observations")
    for one in (listed if isinstance(listed, list) and listed else [record])[:MAX_SIGNALS]:
        if isinstance(one, dict):
            yield _signal(one, record)


def _signal(one: Json, trace: Json) -> Signal:
    own = mapping(mapping(json_in(one.get("metadata"))).get("attributes"))
    attrs: Json = dict(own)
    for name in ("input", "output", "level"):
        if (value := one.get(name)) not in (None, ""):
            attrs.setdefault(_OWN + name, json_in(value) if isinstance(value, str) and value[:1] in ("{", "[") else value)
    attrs.setdefault(_OWN + "type", text(one.get("type")).lower())
    if one.get("type") == "GENERATION":
        said = attrs.get(_OWN + "output")
        attrs.setdefault("gen_ai.input.messages", mapping(attrs.get(_OWN + "input")).get("messages") or attrs.get(_OWN + "input"))
        attrs.setdefault("gen_ai.output.messages", [said] if isinstance(said, dict) else said)
    named = {
        "langfuse.session.id": first_text(one, "sessionId") or first_text(trace, "sessionId"),
        "langfuse.user.id": first_text(one, "userId") or first_text(trace, "userId"),
        "gen_ai.request.model": first_text(one, "model", "providedModelName"),
    }
    for name, found in named.items():
        if found:
            attrs.setdefault(name, found)
    made: Json = {
        "name": one.get("name"),
        "traceId": one.get("traceId") or trace.get("id"),
        "spanId": one.get("id"),
        "parentSpanId": one.get("parentObservationId"),
        "startTime": one.get("startTime"),
        "endTime": one.get("endTime"),
        "attributes": attrs,
        "status": {"code": "error" if one.get("level") == "ERROR" else "", "message": one.get("statusMessage")},
    }
    signal = flat_signal(made)
    # Ids that are no OpenTelemetry ids tie nothing together but what Langfuse itself keeps.
    if not signal.span:
        signal.attrs.setdefault("gen_ai.tool.call.id", text(one.get("id")))
    if not signal.trace and not named["langfuse.session.id"]:
        signal.attrs.setdefault("session.id", text(made["traceId"]))
    return signal
