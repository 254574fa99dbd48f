"""Whether one JSON object is a record, the envelope of records, or a line of whatever carries them."""

from __future__ import annotations

import re

from importers.cutting.scanner import balanced

# Members that hold the records wherever a whole source is one object.
_HOLDERS = frozenset(
    {
        "Records", "records", "Events", "events", "items", "Items", "messages", "history", "loglines", "logEvents",
        "value", "entries", "logs", "results", "data", "hits", "audit_logs", "auditLogs", "spans", "samples", "conversation",
        "entities", "log_entries",
    }
)  # fmt: skip
# Lists of objects that are part of a record; an OTLP payload is itself the record.
_NEVER = frozenset(
    {"content", "resources", "commits", "tool_calls", "keys", "operations"}
    | {"resourceSpans", "resourceLogs", "resourceMetrics", "resource_spans", "resource_logs", "resource_metrics"}
    | {"scopeSpans", "scopeLogs", "scope_spans", "scope_logs", "response", "result"}
)
# What happened during a span is part of it; nothing that holds spans names one itself.
_OF_A_SPAN = frozenset(
    {"trace_id", "traceId", "span_id", "spanId", "context", "spanContext", "_spanContext", "attributes", "span_kind"}
)
# A list behind so many other members is part of a record that only uses a holder's name for something of its own.
_BESIDE = 12
# Envelopes that are also written one after another, or one a line.
REPEATED = frozenset({"Records", "records", "logEvents"})

# What stands before a document in a file for Elasticsearch's bulk API: what to do with it, and where it goes.
_ACTION = re.compile(rb'\{\s*+"(?:index|create|update|delete)"\s*+:\s*+\{([^{}\n]{0,2000}+)\}\s*+\}[ \t\r]*+(?=\n|\Z)')
_OF_AN_ACTION = re.compile(
    rb'\s*+(?:"(?:_\w++|routing|version|version_type|pipeline|require_alias|require_data_stream|if_seq_no|if_primary_term|'
    rb'retry_on_conflict|list_executed_pipelines)"\s*+:\s*+(?:"[^"\\\n]*+"|[\w.+-]++)\s*+(?:,|\Z)\s*+)*+'
)

_MEMBER = re.compile(rb'\s*+,?\s*+"([^"\\]{0,200}+)"\s*+:\s*+')
_CUT_NAME = re.compile(rb'\s*+,?+\s*+(?:"[^"\\]{0,200}+"?+\s*+)?+')
_SCALAR = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^\s,:\[\]{}"]++', re.DOTALL)
_EMPTY = re.compile(rb"\[\s*+\]")
_OBJECT_NEXT = re.compile(rb"\[\s*+[{\]]")


def envelope_key(data: bytes, at: int = 0) -> str | None:
    """The member of the object at `at` that holds the records, None if the object is a record itself."""
    found = envelope(data, at)
    return found[0] if found else None


def envelope(data: bytes, at: int = 0, wanted: str | None = None) -> tuple[str, int] | None:
    """The member of the object at `at` that holds the records and where its list begins, None if there is none; `wanted` is one for sure.

    `data` may end before the object does. A member of a usual name that is a list of objects holds the records; one of
    another name does where hardly anything stands beside it.
    """
    at += 1
    scalars = containers = 0
    candidate: tuple[str, int] | None = None
    nothing: tuple[str, int] | None = None
    other = span = False
    while member := _MEMBER.match(data, at):
        at = member.end()
        key = member.group(1).decode("utf-8", "replace")
        first = data[at : at + 1]
        span = span or key in _OF_A_SPAN
        if first in (b"[", b"{"):
            if first == b"[" and key == wanted:
                return key, at
            empty = _EMPTY.match(data, at) is not None
            other = other or (first == b"[" and not empty)
            if first == b"[" and _OBJECT_NEXT.match(data, at):
                if key in _HOLDERS and scalars + containers <= _BESIDE and not (span and key == "events"):
                    if not empty:
                        return key, at
                    # Some answers have an empty list of messages beside what was asked for.
                    nothing = nothing or (key, at)
                if containers == 0 and key not in _NEVER and not empty:
                    candidate = key, at
            containers += 1
            at, _ = balanced(data, at)
            if at < 0:
                return candidate if containers == 1 and scalars <= 1 else None if other else nothing
        else:
            scalars += 1
            scalar = _SCALAR.match(data, at)
            if scalar is None:
                break
            at = scalar.end()
    if containers == 1 and scalars <= 3 and candidate:
        return candidate
    return None if other else nothing


def action_line(data: bytes, at: int) -> int:
    """Where the line at `at` ends if it is an action of Elasticsearch's bulk API, which is no record; 0 for any other line."""
    found = _ACTION.match(data, at)
    return found.end() if found and _OF_AN_ACTION.fullmatch(found.group(1)) else 0


def objects_in(data: bytes, at: int, most: int) -> list[bytes]:
    """The first members of the object at `at`, where all of these are objects: what may be records by their names.

    `data` may end before the object does.
    """
    at += 1
    found: list[bytes] = []
    while len(found) < most and (member := _MEMBER.match(data, at)):
        at = member.end()
        if at < len(data) and data[at] != 0x7B:
            return []
        end, _ = balanced(data, at) if at < len(data) else (-1, 0)
        if end < 0:
            return found
        found.append(data[at:end])
        at = end
    return found if len(found) == most or _CUT_NAME.fullmatch(data, at) or data[at : at + 64].lstrip()[:1] == b"}" else []
