"""What may be written at a place in `policy.yaml`: keys, effects, names, functions, and values seen in the history."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import msgspec

from lang.cel.functions import METHODS
from lang.cel.maps import Maps
from lang.cel.typed import Type
from lang.cel.wanted import Wanted, wanted
from lang.yamlspot import ITEM, Spot, spot
from model.request import DERIVED, FIELD, FIELDS
from policy.document import POLICY_KEYS, RULE_KEYS, TEST_KEYS
from policy.model import EFFECTS

Kind = Literal["key", "word", "attribute", "function", "operator", "value", "variable"]
Values = Callable[[str, str, int], Iterable[tuple[str, int]]]
"""(attribute, beginning, at most) -> values with the number of requests that have them, the most frequent first."""
MOST = 50

_MAPS = Maps(FIELD)
_KEYS = {
    "version": "`1`", "name": "a name for people", "default": "what holds where no rule matches", "rules": "the rules",
    "id": "letters, digits, `.`, `_`, `-`; unique", "effect": "deny, ask or allow", "when": "a condition in CEL",
    "reason": "shown wherever the rule decides", "controls": "framework controls the rule speaks to",
    "expires": "a day (its evening, UTC) or a time", "tests": "requests it must and must not match",
    "match": "requests the rule must match", "not_match": "requests the rule must not match",
}  # fmt: skip
_EFFECTS = {"deny": "the request is refused", "ask": "a person is asked", "allow": "the request goes on"}
_CALLS = {
    "has(": "whether an attribute is stated", "size(": "characters of a text, entries of a list or a map",
    'duration("': 'a duration: "1h30m"', 'timestamp("': 'a time: "2026-03-01T00:00:00Z"',
    "true": "matches every request", "false": "", "!": "not",
}  # fmt: skip
_OPERATORS: dict[str, str] = {
    "==": "is equal to", "!=": "is another than", "in": "is in a list, or a key of a map", "&&": "and", "||": "or",
    "<": "is less than", "<=": "is at most", ">": "is more than", ">=": "is at least", "? :": "if so, else", "+": "joined with, plus",
}  # fmt: skip
_JOIN = ("&&", "||")
_OF_TYPE: dict[Type, tuple[str, ...]] = {
    "bool": (*_JOIN, "==", "!=", "? :"), "string": ("==", "!=", "in", "<", "<=", ">", ">=", "+"), "int": ("==", "!=", "<", "<=", ">", ">=", "+"),
    "duration": ("<", "<=", ">", ">=", "==", "!=", "+"), "timestamp": ("<", "<=", ">", ">=", "==", "!=", "+"),
    "list<string>": ("==", "!="),
}  # fmt: skip
_LIST_CALLS = {"exists(": "an entry meets a condition: `exists(x, condition on x)`", "all(": "every entry meets a condition"}
_SIZE = {"size()": "characters of a text, entries of a list"}
_PLAIN = re.compile(r"[A-Za-z0-9_./@+][A-Za-z0-9_./@+-]*\Z")
_WORDS = frozenset(("true", "false", "null", "~"))
_NUMBER = re.compile(r"[-+]?[0-9]")


class Candidate(msgspec.Struct, frozen=True):
    """Something that may be written: `text` takes the place of what is begun, `shown` is it in a list; `seen` requests have it."""

    text: str
    kind: Kind
    doc: str = ""
    shown: str = ""
    seen: int | None = None


class Completion(msgspec.Struct, frozen=True):
    """`candidates` for what is begun from `start` (a column of the line, from 0) up to the cursor."""

    start: int
    candidates: list[Candidate]


def complete(text: str, line: int, column: int, values: Values | None = None) -> Completion:
    """What may stand at (line, column), both from 0, in a policy that is still being written; never raises."""
    found = spot(text, line, column)
    if found is None:
        return Completion(column, [])
    typed, some = _candidates(found, values or (lambda name, typed, most: ()), _after(text, line, column))
    start = column - len(typed)
    if start < 0:
        return Completion(column, [])
    return Completion(start, list(some)[:MOST])


def _after(text: str, line: int, column: int) -> str:
    return text.split("\n")[line][column : column + 1] if text.count("\n") >= line else ""


def _candidates(at: Spot, values: Values, after: str) -> tuple[str, Iterable[Candidate]]:
    """What is begun, and what it may become."""
    path = at.path
    if at.is_key:
        known = _known_keys(path)
        if known is not None:
            return at.text, _matching((Candidate(f"{k}: ", "key", _KEYS[k], k) for k in known if k not in at.known), at.text)
        within = _request(path)
        if within is None:
            return "", ()
        return at.text, _matching(_attributes(f"{within}.".lstrip("."), at.known), at.text)
    if path[-1:] in (("default",), ("effect",)) and len(path) in (1, 3):
        return at.text, _matching((Candidate(word, "word", _EFFECTS[word]) for word in EFFECTS[::-1]), at.text)
    if len(path) == 3 and path[0] == "rules" and path[2] == "when":
        return _condition(at, values, after)
    if (name := _request(path)) in FIELD:
        return at.text, _written(at, str(name), values, after)
    return "", ()


def _known_keys(path: tuple[str, ...]) -> tuple[str, ...] | None:
    if not path:
        return POLICY_KEYS
    if path[0] == "rules" and len(path) == 2:
        return RULE_KEYS
    return TEST_KEYS if path[0] == "rules" and len(path) == 3 and path[2] == "tests" else None


def _request(path: tuple[str, ...]) -> str | None:
    """The attribute or group inside a written request, "" right inside it; None outside of any."""
    if len(path) < 5 or path[2] != "tests" or path[3] not in TEST_KEYS or path[4] != ITEM:
        return None
    return ".".join(name for name in path[5:] if name != ITEM)


def _matching(some: Iterable[Candidate], typed: str) -> list[Candidate]:
    """Those that begin with what is typed, then those of which a part does, then those that hold it."""
    low = typed.lower()
    ranked: list[tuple[int, Candidate]] = []
    for one in some:
        name = (one.shown or one.text).lower()
        rank = 0 if name.startswith(low) else 1 if any(part.startswith(low) for part in re.split(r"[._]", name)) else 2
        if rank < 2 or low in name:
            ranked.append((rank, one))
    return [one for _, one in sorted(ranked, key=lambda pair: pair[0])]


def _attributes(within: str, known: frozenset[str]) -> Iterator[Candidate]:
    """Attributes as keys of a written request, below a group where one is open."""
    for field in FIELDS:
        if field.name.startswith(within) and (name := field.name[len(within) :]) not in known:
            yield Candidate(f"{name}: ", "key", field.doc, name)


def _of(name: str, typed: str, values: Values) -> Iterator[tuple[str, int | None]]:
    """Values of an attribute: those seen, then the rest of a closed list."""
    told: dict[str, int] = dict(values(name, typed, MOST))
    yield from told.items()
    listed = FIELD[name].values or (FIELD["action.verb"].values if name == "action.verbs" else ())
    rest = [value for value in listed if value not in told and typed.lower() in value]
    yield from ((value, None) for value in sorted(rest, key=lambda value: not value.startswith(typed.lower())))
    if FIELD[name].type == "bool":
        yield from ((word, None) for word in ("true", "false") if word not in told and word.startswith(typed))


def _written(at: Spot, name: str, values: Values, after: str) -> Iterator[Candidate]:
    """Values as YAML in a request of a rule's tests."""
    is_text = FIELD[name].type in ("string", "list<string>")
    for value, seen in _of(name, at.text, values):
        if not _printable(value):
            continue
        if at.style == "'":
            text = value.replace("'", "''") + ("" if after == "'" else "'")
        elif at.style == '"':
            text = _json(value)[1:-1] + ("" if after == '"' else '"')
        else:
            plain = not is_text or (_PLAIN.match(value) and value.lower() not in _WORDS and not _NUMBER.match(value))
            text = value if plain else _json(value)
        yield Candidate(text, "value", "", value, seen)


def _condition(at: Spot, values: Values, after: str) -> tuple[str, Iterable[Candidate]]:
    want = wanted(at.text, FIELD)
    match want.kind:
        case "operand":
            return want.typed, _operands(at, want, values)
        case "function":
            return want.typed, _matching(_functions(want.type), want.typed)
        case "operator":
            some = [f"{name}" for name in _OF_TYPE.get(want.type, (*_JOIN, "==", "!=", "in"))]
            return want.typed, _matching(
                (Candidate(f"{one.partition(' ')[0]} ", "operator", _OPERATORS[one], one) for one in some), want.typed
            )
        case "key":
            keys = ((key, None) for key in _MAPS.groups.get(want.of, ()))
            return want.typed, _matching(_texts(at, keys, want.quote, after), want.typed)
        case "value" if want.of in FIELD:
            return want.typed, _texts(at, _of(want.of, want.typed, values), want.quote, after)
        case "text":
            lists = (one for field in FIELDS if field.type == "list<string>" for one in _of(field.name, want.typed, values))
            return want.typed, _texts(at, lists, want.quote, after)
    return "", ()


def _operands(at: Spot, want: Wanted, values: Values) -> Iterator[Candidate]:
    """What may begin a condition or stand after an operator: values of what it is compared with first."""
    quote = "'" if at.style == '"' else '"'
    if want.of in FIELD and not want.typed and FIELD[want.of].type != "timestamp":
        if want.type == "string" or want.type == "list<string>":
            for one in _texts(at, _of(want.of, "", values), quote, ""):
                yield Candidate(f"{_outer(at, quote)}{one.text}", "value", "", one.shown, one.seen)
        else:
            yield from (Candidate(value, "value", "", value, seen) for value, seen in _of(want.of, "", values))
    some = [Candidate(name, "variable", "the entry a macro is at") for name in want.names]
    some += [Candidate(field.name, "attribute", f"{field.type}: {field.doc}") for field in FIELDS]
    some += [Candidate(one.name, "attribute", f"{one.type}: {one.doc}") for one in DERIVED.values()]
    for text, doc in _CALLS.items():
        if not (at.style == '"' and text.endswith('"')):
            some.append(Candidate(text, "function", doc, text.rstrip('("')))
    yield from _matching(some, want.typed)


def _functions(kind: Type) -> Iterator[Candidate]:
    if kind.startswith("list"):
        yield from (Candidate(text, "function", doc, text.rstrip("(")) for text, doc in _LIST_CALLS.items())
    if kind == "string" or kind.startswith("list"):
        yield from (Candidate(text, "function", doc, text.rstrip("()")) for text, doc in _SIZE.items())
    for name, method in METHODS.items():
        if method.types[0] == kind:
            yield Candidate(f"{name}(" + ")" * (len(method.types) == 1), "function", method.doc, name)


def _texts(at: Spot, some: Iterable[tuple[str, int | None]], quote: str, after: str) -> Iterator[Candidate]:
    """Values as texts of a condition, written as its YAML scalar needs it, closing quote included."""
    for value, seen in some:
        if not _printable(value) or ("\\" in value and at.style == '"'):
            continue
        text = value.replace("\\", "\\\\").replace(quote[0], f"\\{quote[0]}")
        if not at.style and (": " in text or " #" in text or (at.flow and re.search(r"[][{},]", text))):
            continue  # would end a plain scalar
        close = "" if after == quote[:1] else quote
        yield Candidate(_outer(at, text) + _outer(at, close), "value", "", value, seen)


def _outer(at: Spot, text: str) -> str:
    """A piece of a condition as the quotes around it need it."""
    if at.style == "'":
        return text.replace("'", "''")
    return text.replace("\\", "\\\\").replace('"', '\\"') if at.style == '"' else text


def _printable(value: str) -> bool:
    return value.isprintable() and len(value) <= 200


def _json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
