"""JSON-RPC 2.0 messages as captures hold them: bare, in a batch, or within a line of the capture's own, as an object or as text.

A capture of HTTP has both bodies on one line (a proxy's, an HTTP archive's): the request's message, and its answer as JSON or as
the events of a stream.
"""

from __future__ import annotations

from importers.shared.fields import Json, clip, decode, first_text, mapping
from importers.shared.http_exchange import bodies
from model.event import BadRecord

_HOLDERS = (
    "message",
    "payload",
    "data",
    "body",
    "frame",
    "msg",
    "json",
    "jsonrpc_message",
    "rpc",
    "content",
    "request",
    "response",
)
TIMES = ("startedDateTime", "timestamp", "time", "ts", "@timestamp", "at", "date", "created_at")
"""Where a capture states when a message passed."""


def messages(record: object) -> list[tuple[Json, str]]:
    """The JSON-RPC messages of a record and the member each stood in: bare, a batch, or held by a line of the capture."""
    if isinstance(record, list):
        return [(one, "") for one in record if is_message(one)]
    entry = mapping(record)
    if is_message(entry):
        return [(entry, "")]
    found: list[tuple[Json, str]] = []
    for name in _HOLDERS:
        value = entry.get(name)
        if isinstance(value, str) and '"jsonrpc"' in value:
            try:
                value = decode(value.encode("utf-8", "replace"))
            except BadRecord:
                continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and is_message(one):
                found.append((one, name))
    return found or [(one, side) for side in ("request", "response") for one in _told(mapping(entry.get(side)))]


def _told(side: Json) -> list[Json]:
    """The messages in the body of a request or an answer of HTTP."""
    found: list[Json] = []
    for value in bodies(side):
        if isinstance(value, str):
            if '"jsonrpc"' not in value:
                continue
            try:
                value = decode(value.encode("utf-8", "replace"))
            except BadRecord:
                continue
        found += [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict) and is_message(one)]
    return found


def is_message(value: object) -> bool:
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        return False
    return isinstance(value.get("method"), str) or "result" in value or "error" in value


def message_id(value: object) -> str:
    """A number and a text are different ids."""
    return "" if value is None else f"{type(value).__name__}:{clip(str(value), 200)}"


def direction(around: Json) -> str:
    """The sender as the capture's line names it, in lower case: `client`, `out`, `c2s`, `>`; "" where it does not."""
    word = first_text(around, "direction", "dir", "from", "sender", "source", "origin").lower()
    head = word.replace("_to_", "->").replace("→", "->").replace(" ", "")
    return head.partition("->")[0] or head
