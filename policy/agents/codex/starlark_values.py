"""The values of Starlark and what its operators make of them, with a bound on what they may grow to."""

from __future__ import annotations

import re

LARGEST = 1_000_000
"""Texts and lists are no longer than this."""
BITS = 4_096
"""Numbers have no more bits than this."""
_TEXT = 200
"""So many characters are as much work as one value."""
NOTHING = object()
"""The default of a parameter that has none."""
_PERCENT = re.compile(r"%(.?)", re.DOTALL)
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_NAMES: dict[type, str] = {
    bool: "bool", int: "int", float: "float", str: "string", list: "list", tuple: "tuple", dict: "dict", range: "range",
    type(None): "NoneType",
}  # fmt: skip


class Wrong(Exception):
    """An operation Starlark refuses."""


class TooMuch(Exception):
    """A value larger than this model holds, or an operation it does not know."""


def type_name(value: object) -> str:
    return _NAMES.get(type(value), "function")


def bounded(value: object) -> object:
    """The value itself; raises TooMuch where it is too large."""
    if isinstance(value, str | list | tuple | dict) and len(value) > LARGEST:
        raise TooMuch(f"a {type_name(value)} of more than {LARGEST} parts")
    if type(value) is int and value.bit_length() > BITS:
        raise TooMuch(f"a number of more than {BITS} bits")
    return value


def weight(value: object, limit: int) -> int:
    """How much work it is to go through a value with all that it holds, counted no further than a little beyond `limit`."""
    waiting, found = [value], 0
    while waiting and found <= limit:
        one = waiting.pop()
        found += 1 + (len(one) // _TEXT if isinstance(one, str) else 0)
        if isinstance(one, list | tuple):
            waiting.extend(one[: limit + 1])
        elif isinstance(one, dict):
            waiting.extend(one)
            waiting.extend(one.values())
        elif isinstance(one, range):
            found += len(one)
    return found


def truth(value: object) -> bool:
    return bool(value) if type_name(value) != "function" else True


def shown(value: object) -> str:
    """`repr` of a value."""
    if isinstance(value, str):
        return '"' + "".join(_ESCAPES.get(char, char) for char in value) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(shown, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{shown(k)}: {shown(v)}" for k, v in value.items()) + "}"
    if isinstance(value, bool | int | float | range | type(None)):
        return str(value)
    raise TooMuch("how a function is written out is not modelled")


def text(value: object) -> str:
    """`str` of a value."""
    return value if isinstance(value, str) else shown(value)


def key(value: object) -> object:
    """A value as the key of a dict; lists and dicts are refused."""
    if isinstance(value, tuple):
        for part in value:
            key(part)
    if type_name(value) in ("list", "dict", "range", "function"):
        raise Wrong(f"a {type_name(value)} is no key")
    if isinstance(value, bool | float):
        raise TooMuch("keys that are truth values or fractions are not modelled")
    return value


# -- operators


def _number(value: object) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def unary(operator: str, value: object) -> object:
    if operator == "Not":
        return not truth(value)
    number = _number(value)
    if number is None or (operator == "Invert" and isinstance(number, float)):
        raise Wrong(f"`{operator}` does not go with a {type_name(value)}")
    return -number if operator == "USub" else +number if operator == "UAdd" else ~int(number)


def _arithmetic(operator: str, left: int | float, right: int | float) -> object:
    if operator in ("Div", "FloorDiv", "Mod") and not right:
        raise Wrong("division by zero")
    match operator:
        case "Add":
            return left + right
        case "Sub":
            return left - right
        case "Mult":
            if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > BITS:
                raise TooMuch("a number that large")
            return left * right
        case "Div":
            return left / right
        case "FloorDiv":
            return left // right
        case "Mod":
            return left % right
    if not isinstance(left, int) or not isinstance(right, int):
        raise Wrong(f"`{operator}` does not go with fractions")
    match operator:
        case "BitAnd":
            return left & right
        case "BitOr":
            return left | right
        case "BitXor":
            return left ^ right
    if right < 0:
        raise Wrong("a shift by less than nothing")
    if right > BITS:
        raise TooMuch("a shift that far")
    return bounded(left << right if operator == "LShift" else left >> right)


def binary(operator: str, left: object, right: object) -> object:
    one, other = _number(left), _number(right)
    try:
        if one is not None and other is not None:
            return bounded(_arithmetic(operator, one, other))
    except OverflowError:
        raise TooMuch("a fraction that large") from None
    if operator == "Add":
        for kind in (str, list, tuple):
            if isinstance(left, kind) and isinstance(right, kind):
                return bounded(left + right)  # type: ignore[operator]
    if operator == "Mult":
        series, times = (left, right) if isinstance(left, str | list | tuple) else (right, left)
        if isinstance(series, str | list | tuple) and type(times) is int:
            if len(series) * max(times, 0) > LARGEST:
                raise TooMuch(f"a {type_name(series)} of more than {LARGEST} parts")
            return series * times
    if operator == "BitOr" and isinstance(left, dict) and isinstance(right, dict):
        return bounded({**left, **right})
    if operator == "Mod" and isinstance(left, str):
        return _percent(left, right)
    raise Wrong(f"`{operator}` does not go with a {type_name(left)} and a {type_name(right)}")


def _percent(form: str, given: object) -> object:
    items = list(given) if isinstance(given, tuple) else [given]

    def put(found: re.Match[str]) -> str:
        kind = found.group(1)
        if kind == "%":
            return "%"
        if kind not in ("s", "r", "d"):
            raise TooMuch(f"`%{kind}` is not modelled")
        if not items:
            raise Wrong("too few values for the text before `%`")
        item = items.pop(0)
        if kind == "d" and type(item) is not int:
            raise Wrong("`%d` takes a whole number")
        return shown(item) if kind == "r" else text(item)

    made = _PERCENT.sub(put, form)
    if items:
        raise Wrong("too many values for the text before `%`")
    return bounded(made)


def _equal(left: object, right: object) -> bool:
    if isinstance(left, list | tuple) and type(left) is type(right):
        return len(left) == len(right) and all(map(_equal, left, right))
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    return left == right


def compared(operator: str, left: object, right: object) -> object:
    if operator in ("Eq", "NotEq"):
        return _equal(left, right) is (operator == "Eq")
    if operator in ("In", "NotIn"):
        return _within(left, right) is (operator == "In")
    return ordered(operator, left, right)


def _within(value: object, held: object) -> bool:
    if isinstance(held, str):
        if not isinstance(value, str):
            raise Wrong("only a text is in a text")
        return value in held
    if isinstance(held, dict):
        return key(value) in held
    if isinstance(held, list | tuple | range):
        return any(_equal(value, item) for item in held)
    raise Wrong(f"nothing is in a {type_name(held)}")


def ordered(operator: str, left: object, right: object) -> bool:
    same = type(left) is type(right) and isinstance(left, str | list | tuple | bool)
    if not same and (_number(left) is None or _number(right) is None):
        raise Wrong(f"a {type_name(left)} and a {type_name(right)} have no order")
    try:
        if operator == "Lt":
            return bool(left < right)  # type: ignore[operator]
        if operator == "LtE":
            return bool(left <= right)  # type: ignore[operator]
        return bool(left > right) if operator == "Gt" else bool(left >= right)  # type: ignore[operator]
    except TypeError:
        raise Wrong("parts without an order") from None


def item(held: object, index: object) -> object:
    if isinstance(held, dict):
        if key(index) not in held:
            raise Wrong(f"no {shown(index)} in the dict")
        return held[index]
    if not isinstance(held, str | list | tuple | range) or type(index) is not int:
        raise Wrong(f"a {type_name(held)} has no part {text(index)}")
    if not -len(held) <= index < len(held):
        raise Wrong(f"{index} is beyond the end")
    return held[index]


def set_item(held: object, index: object, value: object) -> None:
    if isinstance(held, dict):
        held[key(index)] = value
        bounded(held)
    elif isinstance(held, list) and type(index) is int and -len(held) <= index < len(held):
        held[index] = value
    else:
        raise Wrong(f"{text(index)} of a {type_name(held)} cannot be set")


def sliced(held: object, start: object, stop: object, step: object) -> object:
    ends = [end for end in (start, stop, step) if end is None or type(end) is int]
    if not isinstance(held, str | list | tuple | range) or len(ends) < 3:
        raise Wrong(f"a {type_name(held)} is not cut like this")
    if step == 0:
        raise Wrong("a step of nothing")
    return held[slice(*ends)]
