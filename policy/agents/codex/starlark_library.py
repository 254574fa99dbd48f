"""The methods and functions of Starlark that rule files may use, as far as they are modelled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

from policy.agents.codex.starlark_values import (
    LARGEST,
    TooMuch,
    Wrong,
    bounded,
    key,
    ordered,
    shown,
    text,
    truth,
    type_name,
)

Apply = Callable[..., object]
_DIGITS = 4_000
_FIELD_NUMBER = re.compile(r"[0-9]{1,9}")
_FARTHEST = 2**40
_FIELD = re.compile(r"\{\{|\}\}|\{([^{}!:]*)(?:!([rs]))?\}|[{}]")

# -- methods

_TEXT_METHODS = frozenset(
    [
        "capitalize",
        "count",
        "endswith",
        "find",
        "index",
        "isalnum",
        "isalpha",
        "isdigit",
        "islower",
        "isspace",
        "istitle",
        "isupper",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "rfind",
        "rindex",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "title",
        "upper",
    ]
)
_LIST_METHODS = frozenset(["append", "clear", "extend", "index", "insert", "pop", "remove"])
_DICT_METHODS = frozenset(["clear", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"])


def method(held: object, name: str, given: list[object], named: dict[str, object]) -> object:
    """A method called on a value."""
    if isinstance(held, str) and name == "format":
        return _format(held, given, named)
    if named and not (isinstance(held, dict) and name == "update"):
        raise TooMuch(f"`{name}` with named values is not modelled")
    if isinstance(held, str):
        return _text_method(held, name, given)
    if isinstance(held, list) and name in _LIST_METHODS:
        if name == "extend":
            given = [_items(one) for one in given]
        made = _python(held, name, given)
        bounded(held)
        return made
    if isinstance(held, dict) and name in _DICT_METHODS:
        return _dict_method(held, name, given, named)
    raise Wrong(f"a {type_name(held)} has no `{name}`")


def goes_through(held: object, name: str) -> bool:
    """Whether a method's work grows with what it is called on."""
    return isinstance(held, str) or name in ("index", "items", "keys", "remove", "values")


def has_method(held: object, name: str) -> bool:
    if isinstance(held, str):
        return name in _TEXT_METHODS or name in ("codepoints", "elems", "format", "join", "replace")
    return (isinstance(held, list) and name in _LIST_METHODS) or (isinstance(held, dict) and name in _DICT_METHODS)


def _python(held: object, name: str, given: Iterable[object]) -> object:
    try:
        return getattr(held, name)(*given)
    except (TypeError, ValueError, LookupError) as error:
        raise Wrong(str(error)) from None


def _text_method(held: str, name: str, given: list[object]) -> object:
    if name == "join":
        parts = _items(given[0]) if len(given) == 1 else None
        if parts is None or not all(isinstance(part, str) for part in parts):
            raise Wrong("`join` takes a list of texts")
        if sum(len(str(part)) + len(held) for part in parts) > LARGEST:
            raise TooMuch("a text that long")
        return held.join(str(part) for part in parts)
    if name == "replace":
        if len(given) not in (2, 3) or not isinstance(given[0], str) or not isinstance(given[1], str):
            raise Wrong("`replace` takes two texts")
        if (held.count(given[0]) + 1) * len(given[1]) + len(held) > LARGEST:
            raise TooMuch("a text that long")
        return _python(held, name, given)
    if name == "elems":
        return list(held)
    if name == "codepoints":
        return [ord(char) for char in held]
    if name not in _TEXT_METHODS:
        raise Wrong(f"a string has no `{name}`")
    return _python(held, name, given)


def _dict_method(held: dict[object, object], name: str, given: list[object], named: dict[str, object]) -> object:
    if name in ("items", "keys", "values"):
        return list(_python(held, name, given))  # type: ignore[call-overload]
    if name == "update":
        for one in given:
            held.update(_pairs(one))
        held.update(named)
        bounded(held)
        return None
    if name == "popitem" and held:
        first = next(iter(held))
        return first, held.pop(first)
    if given:
        key(given[0])
    return bounded(_python(held, name, given))


def _format(form: str, given: list[object], named: dict[str, object]) -> object:
    counted = 0
    if {
        bool(field.group(1))
        for field in _FIELD.finditer(form)
        if _FIELD_NUMBER.fullmatch(field.group(1) or "0") and field.group(1) is not None
    } == {True, False}:
        raise Wrong("fields with and without a number are mixed")

    def put(found: re.Match[str]) -> str:
        nonlocal counted
        if found.group() in ("{{", "}}"):
            return found.group()[0]
        field, kind = found.group(1), found.group(2)
        if field is None:
            raise Wrong("a brace that stands alone")
        if not field:
            field, counted = str(counted), counted + 1
        if _FIELD_NUMBER.fullmatch(field) and int(field) < len(given):
            value = given[int(field)]
        elif field in named:
            value = named[field]
        else:
            raise Wrong(f"nothing given for {{{field}}}")
        return shown(value) if kind == "r" else text(value)

    return bounded(_FIELD.sub(put, form))


# -- functions


def _items(value: object) -> list[object]:
    if not isinstance(value, list | tuple | dict | range):
        raise Wrong(f"a {type_name(value)} cannot be gone through")
    if len(value) > LARGEST:
        raise TooMuch("that many parts")
    return list(value)


def _pairs(value: object) -> dict[object, object]:
    if isinstance(value, dict):
        return value
    pairs = [_items(pair) for pair in _items(value)]
    if any(len(pair) != 2 for pair in pairs):
        raise Wrong("a dict is made of pairs")
    return {key(pair[0]): pair[1] for pair in pairs}


def _named(function: Callable[..., object], *names: str) -> Callable[..., object]:
    """A function of Starlark from one of ours; `names` are those that may be given by name."""

    def called(apply: Apply, given: list[object], named: Mapping[str, object]) -> object:
        if any(name not in names for name in named):
            raise Wrong("a name it does not know")
        more = {name if name != "key" else "by": value for name, value in named.items()}
        if "by" in more:
            by = more["by"]
            more["by"] = lambda value: apply(by, value)
        try:
            return bounded(function(*given, **more))
        except TypeError as error:
            raise Wrong(str(error)) from None
        except (ValueError, OverflowError) as error:
            raise Wrong(str(error)) from None

    return called


def _sorted(value: object, by: Callable[[object], object] | None = None, reverse: object = False) -> object:
    items = _items(value)
    keys = [by(one) if by else one for one in items]
    for first, second in pairwise(keys):
        ordered("Lt", first, second)
    order = sorted(range(len(items)), key=lambda at: keys[at], reverse=truth(reverse))  # type: ignore[arg-type,return-value]
    return [items[at] for at in order]


def _extreme(sign: str, given: tuple[object, ...], by: Callable[[object], object] | None) -> object:
    items = _items(given[0]) if len(given) == 1 else list(given)
    if not items:
        raise Wrong("nothing to choose from")
    best = items[0]
    for one in items[1:]:
        if ordered(sign, by(one) if by else one, by(best) if by else best):
            best = one
    return best


def _int(value: object = 0, base: object = None) -> object:
    if isinstance(value, str) and (base is None or type(base) is int):
        if len(value) > _DIGITS:
            raise TooMuch("a number with that many digits")
        return int(value, 10 if base is None else base)
    if isinstance(value, int | float) and base is None:
        return int(value)
    raise Wrong(f"a {type_name(value)} is no number")


def _chr(value: object) -> object:
    if type(value) is not int:
        raise Wrong("`chr` takes a whole number")
    return chr(value)


def _ord(value: object) -> object:
    if not isinstance(value, str) or len(value) != 1:
        raise Wrong("`ord` takes one character")
    return ord(value)


def _abs(value: object) -> object:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Wrong("`abs` takes a number")
    return abs(value)


def _len(value: object) -> int:
    if not isinstance(value, str | list | tuple | dict | range):
        raise Wrong(f"a {type_name(value)} has no length")
    return len(value)


def _fail(*given: object) -> object:
    raise Wrong("fail: " + " ".join(map(text, given)))


def _range(*ends: object) -> object:
    whole = [end for end in ends if type(end) is int]
    if not 1 <= len(whole) == len(ends) <= 3:
        raise Wrong("`range` takes one to three whole numbers")
    if any(abs(end) > _FARTHEST for end in whole):
        raise TooMuch("a range that far")
    return range(*whole)


FUNCTIONS: dict[str, Callable[..., object]] = {
    "abs": _named(_abs),
    "all": _named(lambda value: all(map(truth, _items(value)))),
    "any": _named(lambda value: any(map(truth, _items(value)))),
    "bool": _named(lambda value=False: truth(value)),
    "chr": _named(_chr),
    "dict": lambda _apply, given, named: {**(_pairs(given[0]) if given else {}), **named},
    "enumerate": _named(lambda value, start=0: [(start + at, one) for at, one in enumerate(_items(value))], "start"),
    "fail": _named(_fail),
    "int": _named(_int),
    "len": _named(_len),
    "list": _named(lambda value=(): _items(value)),
    "max": _named(lambda *given, by=None: _extreme("Gt", given, by), "key"),
    "min": _named(lambda *given, by=None: _extreme("Lt", given, by), "key"),
    "ord": _named(_ord),
    "range": _named(_range),
    "repr": _named(shown),
    "reversed": _named(lambda value: _items(value)[::-1]),
    "sorted": _named(_sorted, "key", "reverse"),
    "str": _named(text),
    "tuple": _named(lambda value=(): tuple(_items(value))),
    "type": _named(type_name),
    "zip": _named(lambda *given: [tuple(row) for row in zip(*map(_items, given), strict=False)]),
}
UNMODELLED = frozenset({"dir", "float", "getattr", "hasattr", "hash"})
"""Functions of Starlark's standard library that this model does not know."""
