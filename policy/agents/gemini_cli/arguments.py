"""The arguments of a call as Gemini CLI's rules see them: one line of JSON, as JavaScript writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from policy.agents.gemini_cli.safety import CannotJudge

_LONE = re.compile("[\ud800-\udfff]")
_DEPTH = 120


def stringified(given: Mapping[str, object]) -> str:
    """Arguments as rules see them: JSON with sorted names and a NUL on either side of every pair of the outermost object."""
    return "{" + ",".join(f"\0{pair}\0" for pair in _pairs(given, 0)) + "}"


def _pairs(given: Mapping[str, object], depth: int) -> list[str]:
    names = sorted((str(name) for name in given), key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return [f"{json_text(name)}:{_json(given[name], depth + 1)}" for name in names]


def _json(value: object, depth: int) -> str:
    if depth > _DEPTH:
        raise CannotJudge("arguments nested less deeply")
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(_pairs(value, depth)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_json(item, depth + 1) for item in value) + "]"
    return json_text(str(value))


def json_text(text: str) -> str:
    """A text as `JSON.stringify` writes it."""
    return _LONE.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False))


def number(value: float) -> str:
    """A number as JavaScript writes it."""
    try:
        exact = float(value)
    except OverflowError:
        return "null"
    if exact != exact or exact in (float("inf"), float("-inf")):
        return "null"
    if exact == int(exact) and abs(exact) < 1e21:
        return str(int(exact)) if abs(exact) < 2**53 else _large(exact)
    mantissa, _, exponent = repr(exact).partition("e")
    if not exponent:
        return mantissa
    power = int(exponent)
    if -7 < power < 0:
        digits = mantissa.lstrip("-").replace(".", "")
        return f"{'-' if exact < 0 else ''}0.{'0' * (-power - 1)}{digits}"
    return f"{mantissa.removesuffix('.0')}e{'+' if power > 0 else '-'}{abs(power)}"


def _large(exact: float) -> str:
    """A whole number beyond exact ones, its shortest digits filled up with zeros."""
    mantissa, _, exponent = repr(exact).partition("e")
    if not exponent:
        return mantissa.removesuffix(".0")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    return whole + fraction.ljust(int(exponent), "0")
