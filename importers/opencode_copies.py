"""What opencode copied when a session was forked: told by ids, which hold the time they were made at.

A fork gives each message and part a new id and leaves everything else as it was, so a copy's id is younger than what it
tells of. Nothing names the session it was copied from but what was copied: the call's id and times, the message's words.
"""

from __future__ import annotations

import msgspec

from importers.shared.agents import field
from importers.shared.fields import Json, canonical, first_text, mapping, number
from model.event import digest

_HEX = frozenset("0123456789abcdef")
_DIGITS = 12
_TICKS = 12
_SPAN = 1 << (4 * _DIGITS - _TICKS)
"""Ids hold milliseconds and 12 bits of a counter in 48 bits: what does not fit in is cut off, and after 2.2 years they begin anew."""
_SLACK_MS = 1_000
_IDS = frozenset({"id", "sessionID", "messageID", "parentID"})
_ENDED = frozenset({"completed", "error"})


def is_copy(name: str, since: object) -> bool:
    """Whether the id of a message or part was made after what it tells of, at this time in milliseconds."""
    told, digits = number(since), name[4 : 4 + _DIGITS]
    if told is None or not name.startswith(("msg_", "prt_")) or len(digits) < _DIGITS or not _HEX.issuperset(digits):
        return False
    later = ((int(digits, 16) >> _TICKS) - told) % _SPAN
    return _SLACK_MS < later < _SPAN // 2


def act_name(part: Json) -> str:
    """A name that a call's part and all copies of it share once it has ended; "" for any other part."""
    state, call = mapping(part.get("state")), first_text(part, "callID")
    start, status = number(mapping(state.get("time")).get("start")), field(state, "status")
    return f"{call}/{start}/{status}" if call and start is not None and status in _ENDED else ""


def message_name(info: Json, parts: list[Json]) -> str:
    """A name that a message with its parts and all copies of it share; "" where it has neither time nor words nor an ended call."""
    created = number(mapping(info.get("time")).get("created"))
    told = [act_name(part) or field(part, "text") for part in parts if part.get("type") in ("tool", "text")]
    if created is None or not any(told):
        return ""
    return digest(msgspec.json.encode([field(info, "role"), created, told]))


def content_name(*records: Json) -> str:
    """A name for what these say but for their ids: equal for a copy, and another one for each later state of the same thing."""
    told = [{name: value for name, value in one.items() if name not in _IDS} for one in records]
    written = canonical(told)
    return digest(written) if written else ""


def fork_of(info: Json) -> str:
    """The session that this one was forked from, where it says so; versions before 2 do not."""
    return first_text(info, "fork_session_id") or first_text(mapping(info.get("fork")), "sessionID")
