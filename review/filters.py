"""The filter language of the queue: `agent:codex risk:>60 finding:CRED-03 -verdict:* after:2026-06-01 words`."""

from __future__ import annotations

import shlex
from difflib import get_close_matches
from enum import StrEnum

import msgspec

from lang.times import parse_time
from model.words import ReviewState, Severity, Vantage, VerdictWord
from review.errors import RemitError
from store import FindingFilter, TaskFilter

FIELDS = {
    "agent": "agent product, e.g. agent:codex",
    "principal": "who acts, e.g. principal:dana@acme.example",
    "repo": "repository, e.g. repo:acme/payments",
    "env": "environment, e.g. env:prod",
    "risk": "risk:>60, risk:<20 or risk:40",
    "finding": "detection that must be there, e.g. finding:CRED-03",
    "verdict": "latest verdict, e.g. verdict:escalate; -verdict:* for none yet",
    "state": "open, reviewed or reopened",
    "seen": "vantage that saw it: agent, enforcer, target, witness",
    "after": "started at or after a time, e.g. after:2026-06-01",
    "before": "started before a time",
    "parent": "sub-agent tasks of a task",
    "severity": "a finding of this severity, e.g. severity:critical; severity:blind for blind spots",
    "since": "built after a change of the store, by the number `remit overview` gives it",
}
UNKNOWN = "?"
"""Stands, in a field of names, for the tasks of which the name is not known."""
_ALIASES = {"repository": "repo", "environment": "env", "detection": "finding", "vantage": "seen", "who": "principal"}
_EXACT = {"agent": "agent", "principal": "principal", "repo": "repository", "env": "environment", "parent": "parent"}


def task_filter(expression: str) -> TaskFilter:
    """Read a filter; raises RemitError naming the part that cannot be read and what would be."""
    found: dict[str, object] = {}
    words: list[str] = []
    detections: list[str] = []
    vantages: list[str] = []
    severe: list[str] = []
    for token in _tokens(expression):
        name, colon, value = token.lstrip("-").partition(":")
        name = _ALIASES.get(name, name)
        if not colon or (name not in FIELDS and not name.isidentifier()):
            words.append(token)
            continue
        if name not in FIELDS:
            near = get_close_matches(name, FIELDS, 1)
            raise RemitError(
                f"filter: unknown field {name!r}" + (f"; did you mean {near[0]}?" if near else f"; known: {', '.join(FIELDS)}")
            )
        if token.startswith("-"):
            if name == "verdict" and value == "*":
                found["state"] = "open"
                continue
            raise RemitError(f"filter: {token!r}: only -verdict:* can be negated")
        if not value:
            raise RemitError(f"filter: {name}: wants a value, {FIELDS[name]}")
        match name:
            case "risk":
                found |= _risk(value)
            case "finding":
                detections.append(value.upper())
            case "seen":
                vantages.append(_one_of("seen", value.lower(), Vantage))
            case "severity":
                severe.append("blind_spots" if value.lower() == "blind" else _one_of("severity", value.lower(), Severity))
            case "since":
                found["since"] = _number("since", value)
            case "after" | "before":
                found[name] = moment(value, f"filter: {name}")
            case "verdict":
                found |= {"state": "reviewed"} if value == "*" else {"verdict": _one_of("verdict", value, VerdictWord)}
            case "state":
                found["state"] = _one_of("state", value, ReviewState)
            case _:
                found[_EXACT[name]] = "" if value == UNKNOWN else value
    return msgspec.convert(
        found
        | {"detections": tuple(detections), "vantage": tuple(vantages), "severities": tuple(severe), "text": " ".join(words)},
        TaskFilter,
    )


def finding_filter(expression: str) -> FindingFilter:
    """Read a filter of findings: detection:, severity:, task:, step:, after:, before:, blind:yes|no."""
    found: dict[str, object] = {}
    detections: list[str] = []
    severities: list[str] = []
    for token in _tokens(expression):
        name, colon, value = token.partition(":")
        name = {"finding": "detection"}.get(name, name)
        if not colon or name not in ("detection", "severity", "task", "step", "after", "before", "blind"):
            raise RemitError(
                f"filter: cannot read {token!r}; known: detection:, severity:, task:, step:, after:, before:, blind:"
            )
        if not value:
            raise RemitError(f"filter: {name}: wants a value")
        if name == "detection":
            detections.append(value.upper())
        elif name == "severity":
            severities.append(_one_of("severity", value.lower(), Severity))
        elif name == "blind":
            if value.lower() not in ("yes", "no"):
                raise RemitError(f"filter: blind:{value[:40]}: yes or no")
            found["blind_spot"] = value.lower() == "yes"
        elif name in ("after", "before"):
            found[name] = moment(value, f"filter: {name}")
        else:
            found[name] = value
    return msgspec.convert(found | {"detections": tuple(detections), "severities": tuple(severities)}, FindingFilter)


def moment(text: str, what: str) -> int:
    """A time a person typed, in microseconds; raises RemitError."""
    at, _ = parse_time(text)
    if at is None:
        raise RemitError(f"{what}: {text!r} is not a time; write 2026-06-01 or 2026-06-01T14:00:00Z")
    return at


def _tokens(expression: str) -> list[str]:
    try:
        return shlex.split(expression)
    except ValueError as error:
        raise RemitError(f"filter: {error}; close the quotation mark") from error


def _one_of(field: str, value: str, words: type[StrEnum]) -> str:
    """A word of a closed list; raises RemitError with the list."""
    known = [word.value for word in words]
    if value not in known:
        raise RemitError(f"filter: {field}:{value[:40]} is not one of {', '.join(known)}")
    return value


def _number(field: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise RemitError(f"filter: {field}:{value[:40]} is no number; {FIELDS[field]}")
    return int(value)


def _risk(value: str) -> dict[str, object]:
    sign, number = (value[0], value[1:].lstrip("=")) if value[0] in "<>" else ("", value)
    if not (number.isascii() and number.isdigit() and len(number) <= 9):
        raise RemitError(f"filter: risk:{value[:40]} is no bound; write {FIELDS['risk']}")
    inclusive = value[1:2] == "="
    if sign == ">":
        return {"risk_min": int(number) + (not inclusive)}
    if sign == "<":
        return {"risk_max": int(number) - (not inclusive)}
    return {"risk_min": int(number), "risk_max": int(number)}
