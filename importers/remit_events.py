"""remit-events: our own neutral NDJSON, for any enforcement point that wants to speak to us directly.

The published shape is `importers/remit-events.schema.json`; docs/remit-events.md explains it. Members nobody knows are
left alone; a wrong type or an unknown word in a known member rejects the record with the place of the first fault.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from importlib.resources import files
from typing import TypeVar

from importers.shared.fields import Json, moment
from model.event import (
    ATTRS,
    Attr,
    BadRecord,
    CredentialFact,
    Decision,
    Event,
    Key,
    Operation,
    Outcome,
    Parsed,
    Principal,
    Target,
)
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

VERSION = 1
EXPORTED = "events/1"
"""The schema that a row of an exported event names in its member `remit`."""
_ROLES = frozenset(role.value for role in KeyRole if role is not KeyRole.MATCH)
_PHASES: dict[EventKind, frozenset[Phase]] = {
    EventKind.INTENT: frozenset({Phase.PROMPT, Phase.QUEUED, Phase.DELEGATED, Phase.PLAN, Phase.TICKET, Phase.MANDATE}),
    EventKind.DECISION: frozenset({Phase.VERDICT, Phase.POSTURE}),
    EventKind.CREDENTIAL: frozenset(
        {Phase.REQUESTED, Phase.ISSUED, Phase.USED, Phase.RENEWED, Phase.REVOKED, Phase.EXPIRED, Phase.EXPOSED}
    ),
    EventKind.ACTION: frozenset({Phase.CALL, Phase.RESULT, Phase.STARTED, Phase.ENDED}),
    EventKind.EFFECT: frozenset({Phase.OBSERVED}),
}
_DEFAULT_PHASE = {
    EventKind.INTENT: Phase.PROMPT,
    EventKind.DECISION: Phase.VERDICT,
    EventKind.CREDENTIAL: Phase.USED,
    EventKind.ACTION: Phase.CALL,
    EventKind.EFFECT: Phase.OBSERVED,
}
_TEXT_LIMIT = 64_000
_ALIASES = {"hashed_token": "token"}
"""A kind called `token` would invite a token in clear, and would be redacted as one: writers call the digest what GitHub does."""

Word = TypeVar("Word", bound=StrEnum)


class RemitEvents:
    id = "remit-events"
    title = "remit-events (Remit's neutral NDJSON)"
    evidence = "real"
    version = 1

    def sniff(self, sample: Sequence[object]) -> int:
        # A row of an export names the format its event came in; it is read by `importers.remit_lake`.
        ours = sum(
            1
            for record in sample
            if isinstance(record, dict) and record.get("format") == "remit-events" and record.get("remit") != EXPORTED
        )
        return 100 if ours and ours * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object: a remit-events record is one JSON object a line")
        if record.get("format") != "remit-events":
            raise BadRecord('format: must be "remit-events"')
        if record.get("version") != VERSION or isinstance(record.get("version"), bool):
            raise BadRecord(f"version: must be {VERSION}; this Remit reads no other")
        time = _text(record, "time", required=True)
        at, clock = moment(time)
        if at is None:
            raise BadRecord(f"time: {time[:40]!r} is no ISO 8601 time, e.g. 2026-06-01T14:00:00Z")
        event = event_of(record, at, clock)
        name = _text(record, "id", required=True)
        # An id is unique within its point only: two points may count from 1.
        return Parsed([event], name, scope=event.point, type=f"{event.kind.value}/{event.phase.value}", at=event.at)


def event_of(record: Json, at: int | None, clock: Clock) -> Event:
    """The event that an object in the shape of remit-events says, at a time read elsewhere; raises BadRecord."""
    kind = _word(record, "kind", EventKind)
    phase = _word(record, "phase", Phase, _DEFAULT_PHASE[kind])
    if phase not in _PHASES[kind]:
        raise BadRecord(f"phase: {phase.value!r} is no phase of kind {kind.value!r}; one of {_list(_PHASES[kind])}")
    operations = _each(record, "operations")
    return Event(
        kind,
        phase,
        _word(record, "vantage", Vantage),
        _text(record, "point", required=True),
        at=at,
        clock=clock,
        principal=_principal(record),
        agent=_text(record, "agent"),
        verb=_word(record, "verb", Verb, Verb.UNKNOWN),
        tool=_text(record, "tool"),
        target=_target(record, ""),
        operations=tuple(_operation(one, f"operations[{n}]") for n, one in enumerate(operations)),
        text=_text(record, "text"),
        keys=tuple(dict.fromkeys(_key(one, f"keys[{n}]") for n, one in enumerate(_each(record, "keys")))),
        decision=_decision(record, kind, phase),
        credential=_credential(record),
        outcome=_outcome(record),
        attrs=_attrs(record),
    )


def _principal(record: Json) -> Principal | None:
    part = _part(record, "principal")
    if part is None:
        return None
    place = "principal."
    return Principal(
        _text(part, "name", place, required=True),
        _text(part, "kind", place) or "unknown",
        _text(part, "origin", place),
        _text(part, "on_behalf_of", place),
    )


def _target(record: Json, place: str) -> Target:
    part = _part(record, "target", place)
    if part is None:
        return Target()
    inner = f"{place}target."
    return Target(
        _word(part, "class", TargetClass, TargetClass.UNKNOWN, inner), _text(part, "name", inner), _text(part, "detail", inner)
    )


def _operation(part: Json, place: str) -> Operation:
    inner = f"{place}."
    return Operation(
        _word(part, "verb", Verb, place=inner),
        _target(part, inner),
        _text(part, "text", inner),
        tuple(_texts(part, "flags", inner)),
    )


def _key(part: Json, place: str) -> Key:
    inner = f"{place}."
    role = _text(part, "role", inner, required=True)
    if role not in _ROLES:
        raise BadRecord(f"{inner}role: {role!r} is none of {', '.join(sorted(_ROLES))}")
    kind = _text(part, "kind", inner, required=True)
    return Key(KeyRole(role), _ALIASES.get(kind, kind), _text(part, "value", inner, required=True))


def _decision(record: Json, kind: EventKind, phase: Phase) -> Decision | None:
    part = _part(record, "decision")
    if part is None:
        if kind is EventKind.DECISION and phase is Phase.VERDICT:
            raise BadRecord("decision: a verdict needs one, with its effect")
        return None
    place = "decision."
    return Decision(
        _word(part, "effect", Effect, place=place),
        _text(part, "rule", place),
        _text(part, "reason", place),
        _text(part, "policy", place),
        _text(record, "point"),
    )


def _credential(record: Json) -> CredentialFact | None:
    part = _part(record, "credential")
    if part is None:
        return None
    place = "credential."
    ttl = part.get("ttl_seconds")
    if isinstance(ttl, float) and ttl.is_integer():
        ttl = int(ttl)
    if ttl is not None and (not isinstance(ttl, int) or isinstance(ttl, bool) or not -1 <= ttl < 2**53):
        raise BadRecord(f"{place}ttl_seconds: must be a whole number of seconds, -1 for no expiry")
    expires = None
    if stated := _text(part, "expires", place):
        expires = moment(stated)[0]
        if expires is None:
            raise BadRecord(f"{place}expires: {stated[:40]!r} is no ISO 8601 time")
    return CredentialFact(
        _text(part, "kind", place),
        _text(part, "issuer", place),
        _text(part, "subject", place),
        tuple(_texts(part, "scope", place)),
        ttl,
        expires,
        _text(part, "label", place),
    )


def _outcome(record: Json) -> Outcome | None:
    part = _part(record, "outcome")
    if part is None:
        return None
    place = "outcome."
    return Outcome(
        _word(part, "permitted", Effect, Effect.UNKNOWN, place),
        *(_word(part, name, Tri, Tri.UNKNOWN, place) for name in ("transport", "tool", "effect")),
    )


def _attrs(record: Json) -> dict[str, Attr]:
    part = _part(record, "attrs") or {}
    found: dict[str, Attr] = {}
    for name, value in part.items():
        if not isinstance(name, str) or name not in ATTRS:
            continue
        if isinstance(value, list):
            if not all(isinstance(one, str) for one in value):
                raise BadRecord(f"attrs.{name}: a list may hold texts only")
            found[name] = value
        elif value is None or isinstance(value, str | int | float | bool):
            found[name] = value[:_TEXT_LIMIT] if isinstance(value, str) else value
        else:
            raise BadRecord(f"attrs.{name}: must be a text, number, truth value, null or list of texts")
    return found


def _part(record: Json, name: str, place: str = "") -> Json | None:
    value = record.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BadRecord(f"{place}{name}: must be an object")
    return value


def _each(record: Json, name: str) -> list[Json]:
    value = record.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadRecord(f"{name}: must be a list of objects")
    return value


def _text(record: Json, name: str, place: str = "", *, required: bool = False) -> str:
    value = record.get(name)
    if value is None or value == "":
        if required:
            raise BadRecord(f"{place}{name}: is missing")
        return ""
    if not isinstance(value, str):
        raise BadRecord(f"{place}{name}: must be a text")
    return value[:_TEXT_LIMIT]


def _texts(record: Json, name: str, place: str) -> list[str]:
    value = record.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadRecord(f"{place}{name}: must be a list of texts")
    return value


def _word(record: Json, name: str, words: type[Word], default: Word | None = None, place: str = "") -> Word:
    value = record.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise BadRecord(f"{place}{name}: " + ("is missing" if value is None else "must be a text"))
    try:
        return words(value)
    except ValueError:
        raise BadRecord(f"{place}{name}: {value[:40]!r} is none of {_list(words)}") from None


def _list(words: object) -> str:
    return ", ".join(sorted(str(word) for word in words))  # type: ignore[attr-defined]


def schema() -> Json:
    """The published JSON Schema of one record."""
    found: Json = json.loads(files("importers").joinpath("remit-events.schema.json").read_text("utf-8"))
    return found


IMPORTER = RemitEvents()
