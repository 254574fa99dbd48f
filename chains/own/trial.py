"""Runs the tests a definition carries: steps it must see, must leave alone, or must call unjudged or a blind spot."""

from __future__ import annotations

import msgspec

from chains.own.definition import Definition, OwnTest
from chains.own.detections import parameter_values
from chains.own.matching import Match, Matcher
from chains.own.rows import Row

_BEGINNING = 1_780_000_000_000_000


class Tried(msgspec.Struct, frozen=True):
    """How one test went; `got` is what the definition made of its steps."""

    detection: str
    test: str
    wanted: str
    line: int
    ok: bool
    got: str
    missing: tuple[str, ...] = ()
    message: str = ""


def try_tests(definition: Definition) -> list[Tried]:
    """One result per test, in the order of the file, with the parameters' defaults."""
    matcher = Matcher(definition)
    return [_try(definition, matcher, test) for test in definition.tests]


def _try(definition: Definition, matcher: Matcher, test: OwnTest) -> Tried:
    rows = [
        Row(f"call:{n}", f"step-{n}", at, row.values, f"step {n}", at, (f"rec-{n}",))
        for n, row in enumerate(test.rows, 1)
        for at in (None if row.at is None else _BEGINNING + row.at,)
        if definition.refused or row.values.get("outcome.refused") is not True
    ]

    def watched(start: int, end: int) -> bool:
        return test.watched is not None and test.watched[0] <= start - _BEGINNING and end - _BEGINNING <= test.watched[1]

    found = list(matcher.matches(rows, parameter_values(definition.parameters, {}), watched))
    matches = [one for one in found if isinstance(one, Match)]
    missing = tuple(sorted({name for one in found if not isinstance(one, Match) for name in one.missing}))
    if any(not one.blind for one in matches):
        got = "match"
    elif matches:
        got = "blind_spot"
    else:
        got = "unjudged" if len(matches) < len(found) else "not_match"
    ok = got == test.wanted
    return Tried(definition.id, test.title, test.wanted, test.line, ok, got, missing, "" if ok else _message(test, got, missing))


def _message(test: OwnTest, got: str, missing: tuple[str, ...]) -> str:
    said = {
        "match": "the steps are seen",
        "not_match": "the steps are not seen",
        "unjudged": f"the steps cannot be judged, for they do not state {', '.join(missing) or 'a value that can be computed'}",
        "blind_spot": "the absence falls into a time in which nobody was watching",
    }[got]
    return f"{said}, but the test wants {test.wanted}"
