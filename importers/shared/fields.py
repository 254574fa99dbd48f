"""Reading hostile JSON: values of the type one hopes for or an empty one, never an error; and ids inside other words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from hashlib import blake2b

import msgspec

from lang.times import parse_time
from model.event import BadRecord, Key
from model.words import Clock, KeyRole

Json = dict[str, object]

_EMPTY: Json = {}
_UUID = re.compile(r"(?<![0-9a-zA-Z])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}(?![0-9a-zA-Z])")
_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}", re.I)
_COMMIT = re.compile(r"^(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{7,39})$")
_SESSION_NAME = re.compile(r"session|conversation|thread", re.I)
_SESSION_NAMES = frozenset({"agent_run", "agentrun", "agent_run_id", "agent", "agent_id", "agentid", "task", "task_id", "taskid"})
_SESSION_IDS = frozenset({"session", "sessionid", "conversationid", "threadid"})
_NO_AGENT = re.compile(
    r"^(?:awscodebuild|codebuild|awscli|botocore|aws-sdk|aws-go-sdk|ssm|cloudformation|awscloudformation)", re.I
)


_LONGEST_TIME = 96
"""No time is spelled longer, with its zone in words behind it."""
TELLING = ("command", "path", "url")
"""Facts that tell a call apart from others; a call without any of them is known by its arguments."""


def arguments_digest(given: object) -> str:
    """16 hex digits that are equal for equal arguments, in whatever order their members stand.

    "" where there are none, or where they are nested too deep to be written down.
    """
    if not isinstance(given, dict) or not given:
        return ""
    written = canonical(given)
    return blake2b(written, digest_size=8).hexdigest() if written else ""


def canonical(value: object) -> bytes:
    """Bytes that are equal for equal values, in whatever order their members stand; none where it cannot be written down."""
    try:
        return msgspec.json.encode(value, order="sorted")
    except (TypeError, ValueError, RecursionError):
        return b""


def mapping(value: object) -> Json:
    """The object itself, or an empty one."""
    return value if isinstance(value, dict) else _EMPTY


def surest(sample: Sequence[object], surely: Callable[[Json], int]) -> int:
    """The highest score that one of a sample's records gets; 95 and more is beyond doubt, and no further record is looked at."""
    best = 0
    for record in sample:
        if isinstance(record, dict) and best < 95:
            best = max(best, surely(record))
    return best


def decode(data: bytes) -> object:
    """One JSON value; raises BadRecord with a sentence a person can act on."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRecord(f"not valid JSON: {error}") from error


def dig(value: object, *path: str) -> object:
    """What lies at the path of member names, None where there is nothing."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text(value: object) -> str:
    """A text, or a whole number written as one; "" for everything else."""
    if type(value) is str:
        return value
    if type(value) is int and -(10**30) < value < 10**30:
        return str(value)
    return ""


def first_text(record: Json, *names: str) -> str:
    """The first member among these that holds a text or a whole number and is not empty."""
    for name in names:
        if (value := record.get(name)) and (found := text(value)):
            return found
    return ""


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list, or the one text that stands in its place."""
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, list):
        return tuple(item for item in value if isinstance(item, str) and item)
    return ()


def number(value: object) -> int | None:
    """A whole number, also one written as text, within 63 bits; None otherwise."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and len(value) <= 19 and value.lstrip("-").isdecimal() and value.isascii():
        try:
            return int(value)
        except ValueError:
            return None
    return value if isinstance(value, int) and -(2**63) <= value < 2**63 else None


def truth(value: object) -> bool | None:
    """A truth value, also as the words true and false; None where it is neither."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return None


def moment(value: object, unit: str = "") -> tuple[int | None, Clock]:
    """`lang.times.parse_time` for values that nobody has looked at: what it cannot read is no time."""
    if value is None or (isinstance(value, str) and len(value) > _LONGEST_TIME):
        return None, Clock.ORDER_ONLY
    try:
        return parse_time(value, unit)
    except (ValueError, OverflowError):
        return None, Clock.ORDER_ONLY


def first_moment(record: Json, *names: str, unit: str = "") -> tuple[int | None, Clock]:
    """The first member among these that holds a readable time."""
    for name in names:
        at, clock = moment(record.get(name), unit)
        if at is not None:
            return at, clock
    return None, Clock.ORDER_ONLY


def session_id(value: object) -> str:
    """The agent session named in a text: its only UUID, lower case; "" where there is none, or it is a known service's.

    `agent-<uuid>`, `<name>/<uuid>`, `2026-02-03-<uuid>` and the bare UUID all name the session `<uuid>`.
    """
    if not isinstance(value, str) or len(value) < 36 or len(value) > 512:
        return ""
    found = _UUID.findall(value)
    if len(found) != 1 or _NO_AGENT.match(value):
        return ""
    return str(found[0]).lower()


def names_session(name: str) -> bool:
    """Whether a field, tag or claim of this name is the place for an agent's session id."""
    return _SESSION_NAME.search(name) is not None or name.lower().replace("-", "_") in _SESSION_NAMES


def is_session_id(name: str) -> bool:
    """Whether a tag of this name holds a session's id and nothing else, so that a text of any spelling is one."""
    return name.lower().replace("-", "").replace("_", "") in _SESSION_IDS


def trace_id(value: object) -> str:
    """The W3C trace id of a `traceparent` header or of a bare id, lower case; "" if it is none or all zeros."""
    if not isinstance(value, str):
        return ""
    if m := _TRACEPARENT.match(value):
        value = m.group(1)
    value = value.lower()
    plain = len(value) == 32 and all(c in "0123456789abcdef" for c in value) and value.strip("0")
    return value if plain else ""


def commit_id(value: object) -> str:
    """A commit id as logged, "" if it is none: 7 to 64 hex digits that are not all zero."""
    return value if isinstance(value, str) and _COMMIT.match(value) and value.strip("0") else ""


def keys(*found: Key | None) -> tuple[Key, ...]:
    """The keys that are there and have a value, each once, in the order given."""
    return tuple(dict.fromkeys(key for key in found if key is not None and key.value))


def key(role: KeyRole, kind: str, value: str) -> Key | None:
    """A key, None where its value is empty or too long to be an identifier."""
    return Key(role, kind, value) if value and len(value) <= 2048 else None


def clip(value: str, length: int = 2000) -> str:
    """A text no longer than an event should carry."""
    return value if len(value) <= length else value[: length - 1] + "…"
