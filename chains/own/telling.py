"""What a finding of one's own says: the `why` template filled in, or a sentence that follows from the definition."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence

from chains.own.definition import Definition
from chains.own.rows import Row
from lang.cel.typed import Value
from lang.safe import safe_line
from lang.times import iso

_NAME = re.compile(r"\{([^{}]{1,100})\}")
_LONGEST = 200
_PLAIN = ("title", "at")


def unknown_names(template: str, fields: Container[str], sequence: bool) -> list[str]:
    """The names in a template that stand for nothing."""
    found = (name.removeprefix("first.") if sequence else name for name in _NAME.findall(template))
    return [name for name in found if name not in _PLAIN and name not in fields]


def names_of(template: str) -> frozenset[str]:
    """The attributes a template names."""
    return frozenset(name.removeprefix("first.") for name in _NAME.findall(template)) - frozenset(_PLAIN)


def why(definition: Definition, rows: Sequence[Row], parameters: Mapping[str, Value], times: int = 1) -> str:
    """What was seen, of the rows that met the links in turn; `times` says how often in the task where it is told once."""
    last = rows[-1]
    if definition.why:
        text = _NAME.sub(lambda m: _value(m.group(1), rows, parameters), definition.why)
    else:
        text = " and then ".join(f"`{_clip(row.title)}` at {_moment(row)}" for row in rows)
        if definition.without is not None:
            side = "before" if definition.without.before else "after"
            text += f", and within {span(definition.without.within)} {side} it nothing with {definition.without.when}"
    return text + (f" ({times} times in this task, last at {_moment(last)})" if times > 1 else "")


def _value(name: str, rows: Sequence[Row], parameters: Mapping[str, Value]) -> str:
    row = rows[0] if name.startswith("first.") else rows[-1]
    name = name.removeprefix("first.")
    if name == "title":
        return _clip(row.title)
    if name == "at":
        return _moment(row)
    value = parameters.get(name, row.values.get(name))
    if value is None:
        return "unknown"
    if isinstance(value, tuple):
        return _clip(", ".join(str(v) for v in value))
    return _clip(str(value).lower() if isinstance(value, bool) else str(value))


def _clip(text: str) -> str:
    text = safe_line(" ".join(text.split()))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _moment(row: Row) -> str:
    return iso(row.told_at) or "an unknown time"


def span(micros: int) -> str:
    """A duration in its largest whole unit."""
    seconds = micros // 1_000_000
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
