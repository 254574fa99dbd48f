"""HTTP as a proxy or an HTTP archive captured it: a request and its answer on one line, whatever their bodies hold.

A body stands under one of several names, as text, as what it decodes to, or within an object that names its type; an answer may
be a stream of events. What an exchange says beside its bodies is the session and the server, and that something was not let in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.shared.fields import Json, first_text, mapping, number
from lang.names import host_name

NOT_LET_IN = frozenset({401, 403})
_BODIES = ("body", "postData", "content", "text", "data", "payload")
_EVENTS = re.compile(r"\s*(?:event|data|id|retry|):")
_MOST = 1000


def is_exchange(entry: Json) -> bool:
    """Whether a line holds a request and its answer."""
    asked, answered = mapping(entry.get("request")), mapping(entry.get("response"))
    return bool(first_text(asked, "method")) and "status" in answered


def bodies(side: Json) -> Sequence[object]:
    """The body of a request or an answer, or the data of each event where it is a stream of them; texts are not decoded."""
    held = next((side[name] for name in _BODIES if side.get(name) is not None), None)
    if isinstance(held, dict) and isinstance(held.get("text"), str):
        held = held["text"]
    if isinstance(held, str) and _EVENTS.match(held):
        return [line[5:].strip() for line in held.splitlines() if line.startswith("data:")][:_MOST]
    return [] if held is None else [held]


def headers(side: object) -> Json:
    """The headers of a request or an answer by their names in lower case, from an object or from a list of names and values."""
    held = mapping(side).get("headers")
    if isinstance(held, list):
        held = {
            name: one.get("value") for one in held[:_MOST] if isinstance(one, dict) and isinstance(name := one.get("name"), str)
        }
    # Go's programs write each header as a list.
    return {name.lower(): value[0] if isinstance(value, list) and value else value for name, value in mapping(held).items()}


def stated(around: Json) -> Json:
    """The MCP session and the server that the headers and the address of an exchange name, under the names that captures use."""
    asked, answered = mapping(around.get("request")), mapping(around.get("response"))
    session = first_text(headers(asked), "mcp-session-id") or first_text(headers(answered), "mcp-session-id")
    host = host_name(first_text(asked, "url", "uri") or first_text(headers(asked), "host"))
    named = {"mcp_session_id": "" if "mcp_session_id" in around else session, "host": host}
    return {name: value for name, value in named.items() if value}


def refusal(around: Json) -> tuple[int, str]:
    """The status of an answer that is an error's, and what it asks for instead; 0 for any other."""
    answered = mapping(around.get("response"))
    status = number(answered.get("status"))
    return (status, first_text(headers(answered), "www-authenticate")[:500]) if status is not None and status >= 400 else (0, "")
