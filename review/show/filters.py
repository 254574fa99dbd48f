"""The filter language of the queue: `agent:codex risk:>60 finding:CRED-03 repo:payments -verdict:* after:2026-06-01 words`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

import msgspec

from lang.times import parse_time
from model.words import ReviewState, Severity, Vantage, VerdictWord
from review.errors import RemitError
from review.show.filter_words import Unclosed, Value, Word, words
from store.rows import Clause, FindingFilter, TaskFilter

Span = tuple[int | None, int | None]

UNKNOWN = "?"
"""Stands, in a field of names, for the tasks of which the name is not known."""

BLIND = ("blind_spots",)
SECOND = 1_000_000
DAY = 86_400 * SECOND
_UNITS = {"m": 60 * SECOND, "h": 3_600 * SECOND, "d": DAY, "w": 7 * DAY}
_AGO = re.compile(r"(\d{1,5})([mhdw])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"\d{1,9}")
_BOUND = re.compile(r"(>=|<=|>|<)?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the language: which of the queue's it asks, how its values are read, and a word on it."""

    column: str
    read: Callable[[str, str, tuple[Value, ...]], Clause]
    help: str
    words: tuple[str, ...] = ()


def _texts(name: str, column: str, values: tuple[Value, ...]) -> Clause:
    """Whole values, or patterns where `*` or `?` stand outside quotation marks; `*` alone is any value at all.

    A detection's id is always a pattern: nobody minds its capitals.
    """
    plain: list[str] = []
    patterns: list[str] = []
    for value in values:
        if value.text == "*" and not value.quoted:
            return Clause(column, anything=True)
        text = "" if value.text == UNKNOWN and not value.quoted else value.text
        if not value.quoted and text and (column == "detection" or "*" in text or "?" in text):
            patterns.append(text)
        else:
            plain.append(text)
            patterns += [shape(text) for sign, shape in _SHORT.get(column, ()) if text and sign not in text and not value.quoted]
    return Clause(column, tuple(plain), tuple(patterns))


_SHORT: dict[str, tuple[tuple[str, Callable[[str], str]], ...]] = {
    "repository": (("/", lambda text: f"*/{text}"),),
    "principal": (("@", lambda text: f"{text}@*"),),
}
"""Names that may be told by a part: a repository by what follows its last slash, a person by what stands before the @."""


def _severities(name: str, column: str, values: tuple[Value, ...]) -> Clause:
    """Severities as the columns that count them; `blind` for blind spots."""
    read = _words(Severity)
    columns = [BLIND if value.text.lower() == "blind" else read(name, column, (value,)).values for value in values]
    return Clause(column, tuple(word for one in columns for word in one))


def _words(known: type[StrEnum]) -> Callable[[str, str, tuple[Value, ...]], Clause]:
    def read(name: str, column: str, values: tuple[Value, ...]) -> Clause:
        if any(value.text == "*" for value in values):
            return Clause(column, anything=True)
        return Clause(column, tuple(_one_of(name, value.text.lower(), known) for value in values))

    return read


def _numbers(name: str, column: str, values: tuple[Value, ...]) -> Clause:
    return Clause(column, spans=tuple(_span(name, value.text, _number) for value in values))


def _times(name: str, column: str, values: tuple[Value, ...]) -> Clause:
    return Clause(column, spans=tuple(_span(name, value.text, _moments) for value in values))


def _after(name: str, column: str, values: tuple[Value, ...]) -> Clause:
    return Clause(column, spans=tuple((_moments(name, value.text)[0], None) for value in values))


def _before(name: str, column: str, values: tuple[Value, ...]) -> Clause:
    return Clause(column, spans=tuple((None, _moments(name, value.text)[0]) for value in values))


def _since(name: str, column: str, values: tuple[Value, ...]) -> Clause:
    for value in values:
        if not (value.text.isascii() and value.text.isdigit() and len(value.text) <= 18):
            raise RemitError(f"filter: {name}:{value.text[:40]} is no number; {FIELDS[name].help}")
    return Clause(column, spans=tuple((int(value.text) + 1, None) for value in values))


def _of(words: type[StrEnum]) -> tuple[str, ...]:
    return tuple(word.value for word in words)


FIELDS: dict[str, Field] = {
    "agent": Field("agent", _texts, "agent product, e.g. agent:codex"),
    "who": Field("principal", _texts, "who acts, e.g. who:dana@acme.example or who:dana"),
    "repo": Field("repository", _texts, "repository, e.g. repo:acme/payments or repo:payments"),
    "env": Field("environment", _texts, "environment, e.g. env:prod"),
    "owner": Field("owner", _texts, "owner of what was acted on, e.g. owner:team-payments"),
    "finding": Field("detection", _texts, "a detection that found something, e.g. finding:CRED-03 or finding:CRED-*"),
    "severity": Field(
        "severity",
        _severities,
        "a finding of this severity, e.g. severity:critical,high; severity:blind for blind spots",
        (*_of(Severity), "blind"),
    ),
    "risk": Field("risk", _numbers, "risk:>60, risk:<20, risk:40..60 or risk:40"),
    "steps": Field("steps", _numbers, "number of steps, e.g. steps:>500"),
    "blind": Field("blind_spots", _numbers, "number of blind spots, e.g. blind:>0"),
    "state": Field("state", _words(ReviewState), "open, reviewed or reopened", _of(ReviewState)),
    "verdict": Field("verdict", _words(VerdictWord), "verdict:escalate; -verdict:* for none yet", _of(VerdictWord)),
    "assignee": Field("assignee", _texts, "who is to review it, e.g. assignee:lee; -assignee:* for nobody"),
    "reviewer": Field("reviewer", _texts, "who gave the latest verdict"),
    "seen": Field("vantages", _words(Vantage), "vantage that saw it: agent, enforcer, target, witness", _of(Vantage)),
    "after": Field("started", _after, "started at or after a time, e.g. after:2026-06-01 or after:7d"),
    "before": Field("started", _before, "started before a time"),
    "started": Field("started", _times, "started:2026-06-01 is that day, started:2026-06-01..2026-06-07 these days"),
    "since": Field("changed", _since, "built after a change of the store, by the number `remit overview` gives it"),
    "title": Field("title", _texts, "the whole title, or title:*rotate* for a part of it"),
    "parent": Field("parent", _texts, "sub-agent tasks of a task; -parent:* for tasks nobody spawned"),
}
ALIASES = {
    "repository": "repo",
    "environment": "env",
    "detection": "finding",
    "vantage": "seen",
    "principal": "who",
    "assigned": "assignee",
}


def task_filter(expression: str) -> TaskFilter:
    """Read a filter; raises RemitError naming the part that cannot be read and what would be."""
    clauses: list[Clause] = []
    phrases: list[str] = []
    without: list[str] = []
    for word in _cut(expression):
        if not word.field:
            (without if word.negated else phrases).append(word.values[0].text)
            continue
        name = ALIASES.get(word.field.lower(), word.field.lower())
        field = FIELDS.get(name)
        if field is None:
            raise RemitError(_unknown(word, name))
        if any(not value.text and not value.quoted for value in word.values):
            raise RemitError(f"filter: {name}: wants a value, {field.help}")
        clause = field.read(name, field.column, word.values)
        clauses.append(msgspec.structs.replace(clause, negated=word.negated))
    return TaskFilter(tuple(clauses), tuple(phrases), tuple(without))


def with_word(expression: str, word: str) -> str:
    """A filter narrowed by one word more; where it has that word already, it stays."""
    if word in (one.text for one in words(expression, unfinished=True)):
        return expression
    return f"{expression.strip()} {word}".strip()


def finding_filter(expression: str) -> FindingFilter:
    """Read a filter of findings: detection:, severity:, task:, step:, after:, before:, blind:yes|no."""
    found: dict[str, object] = {}
    detections: list[str] = []
    severities: list[str] = []
    known = ("detection", "severity", "task", "step", "after", "before", "blind")
    for word in _cut(expression):
        name = {"finding": "detection"}.get(word.field, word.field)
        if name not in known or word.negated:
            raise RemitError(f"filter: cannot read {word.text[:80]!r}; known: {', '.join(f'{one}:' for one in known)}")
        texts = [value.text for value in word.values]
        if not all(texts):
            raise RemitError(f"filter: {name}: wants a value")
        if name == "detection":
            detections += [text.upper() for text in texts]
        elif name == "severity":
            severities += [_one_of("severity", text.lower(), Severity) for text in texts]
        elif len(texts) > 1:
            raise RemitError(f"filter: {name}: takes one value")
        elif name == "blind":
            if texts[0].lower() not in ("yes", "no"):
                raise RemitError(f"filter: blind:{texts[0][:40]}: yes or no")
            found["blind_spot"] = texts[0].lower() == "yes"
        elif name in ("after", "before"):
            found[name] = moment(texts[0], f"filter: {name}")
        else:
            found[name] = texts[0]
    return msgspec.convert(found | {"detections": tuple(detections), "severities": tuple(severities)}, FindingFilter)


def moment(text: str, what: str) -> int:
    """A time a person typed, in microseconds; raises RemitError."""
    at, _ = parse_time(text)
    if at is None:
        raise RemitError(f"{what}: {text[:40]!r} is not a time; write 2026-06-01 or 2026-06-01T14:00:00Z")
    return at


def _cut(expression: str) -> list[Word]:
    try:
        return words(expression)
    except Unclosed as error:
        raise RemitError(f"filter: {error} for the one at character {error.at + 1}; close the quotation mark") from error


def _unknown(word: Word, name: str) -> str:
    near = get_close_matches(name, [*FIELDS, *ALIASES], 1, 0.65)
    advice = f"did you mean {near[0]}?" if near else f"known: {', '.join(FIELDS)}"
    return f"filter: unknown field {name[:40]!r}; {advice} (in quotation marks it is searched for)"


def _one_of(field: str, value: str, words: type[StrEnum]) -> str:
    """A word of a closed list; raises RemitError with the nearest of it, or the list."""
    known = _of(words)
    if value not in known:
        near = get_close_matches(value, known, 1)
        raise RemitError(
            f"filter: {field}:{value[:40]} is not one of {', '.join(known)}" + (f"; did you mean {near[0]}?" if near else "")
        )
    return value


def _span(name: str, text: str, read: Callable[[str, str], tuple[int, int]]) -> Span:
    """`>a`, `>=a`, `<a`, `<=a`, `a..b`, `a..`, `..b` or `a` as [low, high); `read` gives where a value begins and ends."""
    low, dots, high = text.partition("..")
    if dots and (low or high):
        span = (read(name, low)[0] if low else None, read(name, high)[1] if high else None)
        if span[0] is not None and span[1] is not None and span[0] >= span[1]:
            raise RemitError(f"filter: {name}:{text[:40]} ends before it begins; turn it round")
        return span
    match = _BOUND.fullmatch(text)
    sign, value = match.groups() if match else (None, text)
    begin, end = read(name, value)
    return {">": (end, None), ">=": (begin, None), "<": (None, begin), "<=": (None, end)}.get(sign or "", (begin, end))


def _number(name: str, text: str) -> tuple[int, int]:
    if not (text.isascii() and _NUMBER.fullmatch(text)):
        raise RemitError(f"filter: {name}:{text[:40]} is no number; write {FIELDS[name].help}")
    return int(text), int(text) + 1


def _moments(name: str, text: str) -> tuple[int, int]:
    """Where a time a person typed begins and ends: a day for a date, a moment for anything finer, `7d` for so long ago."""
    if ago := _AGO.fullmatch(text):
        at = time.time_ns() // 1_000 - int(ago[1]) * _UNITS[ago[2]]
        return at, at + 1
    at = moment(text, f"filter: {name}")
    return at, at + (DAY if _DATE.fullmatch(text) else 1)


def field_names() -> Iterable[tuple[str, str]]:
    """Every field with its word of help, in the order of the documentation."""
    return ((name, field.help) for name, field in FIELDS.items())
