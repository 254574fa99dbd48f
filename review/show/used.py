"""A record as it was kept, with the fields marked that Remit used: those whose value stands in an event read from it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from lang.times import parse_time
from model.event import Event
from model.words import KeyRole

MARK = "» "
"""Stands before a line of a record whose value was used."""
_PLAIN = "  "
_PART = 6
"""Characters that a value must have to be found as a part of another."""
_VALUE = re.compile(r'^\s*(?:"(?:[^"\\]|\\.)*": )?(.+?),?$')
_LONG = 20_000
_KEYS = 12


def marked(text: str, events: Sequence[Event]) -> Iterator[str]:
    """The lines of a record, each after `MARK` or as many blanks; JSON is laid out for reading."""
    used = Used(events)
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict | list):
        for line in text.splitlines():
            yield (MARK if used.within(line) else _PLAIN) + line
        return
    for line in json.dumps(parsed, indent=2, ensure_ascii=False).splitlines():
        found = _VALUE.match(line)
        yield (MARK if found and used.scalar(found.group(1)) else _PLAIN) + line


def read_as(events: Iterable[Event]) -> Iterator[str]:
    """What each event says that was read from a record, its identifiers included."""
    for one in events:
        named = [f"{key.role.value} {key.name}" for key in one.keys if key.role is not KeyRole.MATCH]
        more = f" and {len(named) - _KEYS} more" if len(named) > _KEYS else ""
        keys = f"; identifiers {', '.join(named[:_KEYS])}{more}" if named else ""
        yield f"read as {one.kind.value}/{one.phase.value} of {one.point}: {one.verb.value} {one.target.name}".rstrip() + keys


class Used:
    """The values of some events, to ask of a field of their record whether it was used."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._times: set[int] = set()
        texts: set[str] = set()
        numbers: set[float] = set()
        for one in events:
            if one.at is not None:
                self._times.add(one.at)
            for value in _values(one):
                if isinstance(value, str):
                    texts.add(value.strip())
                elif isinstance(value, int | float) and not isinstance(value, bool):
                    numbers.add(value)
        self._texts = texts - {""}
        self._numbers = numbers
        self._parts = [text[:_LONG] for text in sorted(self._texts) if len(text) >= _PART]

    def scalar(self, written: str) -> bool:
        """Whether a value, as JSON writes it, was used."""
        if written[:1] in ("{", "[", "}", "]"):
            return False
        try:
            value = json.loads(written)
        except ValueError:
            return False
        if isinstance(value, str):
            return self._text(value.strip())
        if isinstance(value, bool) or value is None:
            return False
        return value in self._numbers or str(value) in self._texts or self._time(value)

    def within(self, line: str) -> bool:
        """Whether a line of a record that is no JSON holds a value that was used."""
        return any(part in line for part in self._parts)

    def _text(self, value: str) -> bool:
        if not value:
            return False
        if value in self._texts or self._time(value):
            return True
        if len(value) > _LONG:
            value = value[:_LONG]
        return any(part in value or (len(value) >= _PART and value in part) for part in self._parts)

    def _time(self, value: str | int | float) -> bool:
        if not self._times or (isinstance(value, str) and not (8 <= len(value) <= 40 and any(c.isdigit() for c in value))):
            return False
        return parse_time(value)[0] in self._times


def _values(event: Event) -> Iterator[object]:
    """Everything an event took from its record. Words of our own that a record may hold by chance are left out."""
    yield from (event.agent, event.tool, event.text, event.target.name, event.target.detail)
    yield from (name.partition(":")[2] for name in (event.ref, event.after))
    yield from (key.value for key in event.keys if key.role is not KeyRole.MATCH)
    if event.principal is not None:
        yield from (event.principal.name, event.principal.on_behalf_of)
    if event.decision is not None:
        yield from (
            event.decision.effect.value,
            event.decision.by,
            event.decision.rule,
            event.decision.reason,
            event.decision.policy,
        )
    if event.credential is not None:
        yield from (event.credential.kind, event.credential.issuer, event.credential.subject, *event.credential.scope)
    for value in event.attrs.values():
        yield from value if isinstance(value, Collection) and not isinstance(value, str) else (value,)
