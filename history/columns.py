"""The columns of a table as expressions of the types that the schema of requests has; what does not fit is refused by its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.datatypes as dt

from history.dialects import as_json_text
from history.mapping import MAPPABLE, RECORDED, UNITS, Mapped, Mapping
from history.problems import HistoryError
from lang.cel.functions import INT_MAX
from lang.cel.problems import did_you_mean
from lang.cel.requests import writable

_FIRST, _LAST = "0001-01-01", "9999-12-31"
MAX_PROBLEMS = 20


@dataclass(frozen=True)
class Bound:
    """A table's rows by what they state: `rows` has `task`, `step`, `at`, `recorded` and one column per attribute.

    `recorded` is a digit, the place of the answer in `policy.model.ANSWERS`. `unit` is set where `at` is a whole number.
    """

    rows: Any
    names: dict[str, str]
    """The column of each attribute."""
    json: frozenset[str]
    """Attributes whose column holds a list as JSON text."""
    texts: frozenset[str]
    """Attributes of type timestamp whose column holds text."""
    lists: dict[str, tuple[str, str]]
    """Of attributes that are lists: the column of the list itself, and the one that says whether it is stated."""
    unit: int | None
    timed: bool


def bound(table: Any, mapping: Mapping, dialect: str) -> Bound:
    """Binds a mapping to a table; raises HistoryError with every column that is missing or of another type."""
    schema = table.schema()
    problems: list[tuple[int, int, str]] = []

    def say(mapped: Mapped, message: str) -> None:
        problems.append((mapped.line, mapped.at, message))

    def column(mapped: Mapped) -> Any | None:
        if mapped.column in schema:
            return table[mapped.column]
        say(mapped, f"the table has no column `{mapped.column[:60]}`{did_you_mean(mapped.column, schema.names)}")
        return None

    made: dict[str, Any] = {}
    for name, mapped in (("task", mapping.task), ("step", mapping.step)):
        found = column(mapped)
        made[name] = None if found is None else ibis.coalesce(found.cast("string"), ibis.literal(""))
    made["at"], unit = _time(mapping.at, column, say)
    made["recorded"] = _recorded(mapping.recorded, column, say)
    names: dict[str, str] = {}
    texts: set[str] = set()
    lists: dict[str, tuple[str, str]] = {}
    as_json = {name for name, mapped in mapping.attributes.items() if mapped.json}
    for number, (name, mapped) in enumerate(mapping.attributes.items()):
        names[name] = f"a{number}"
        value = _attribute(name, mapped, column, say, texts, dialect)
        if value is not None and value.type().is_array():
            held, stated = f"l{number}", f"s{number}"
            made[held], made[stated] = value, _stated(value, mapped, say, dialect)
            lists[name] = (held, stated)
            value = _whole(value, made[stated], dialect)
            if dialect == "clickhouse":
                as_json.add(name)
        made[names[name]] = value
    if problems:
        more = f"\n(and {len(problems) - MAX_PROBLEMS} more)" if len(problems) > MAX_PROBLEMS else ""
        told = [f"{line}:{at}: {message}" for line, at, message in sorted(problems)[:MAX_PROBLEMS]]
        raise HistoryError("\n".join(told) + more)
    rows = table.select(**made)
    return Bound(rows, names, frozenset(as_json), frozenset(texts), lists, unit, mapping.at is not None)


def _time(mapped: Mapped | None, column: Any, say: Any) -> tuple[Any, int | None]:
    if mapped is None:
        return ibis.null("int64"), 1
    found = column(mapped)
    if found is None:
        return None, None
    kind = found.type()
    if kind.is_integer():
        if mapped.unit is None:
            say(mapped, f"`{mapped.column}` is a whole number: write its unit, `at: {{column: {mapped.column}, unit: ms}}`")
            return None, None
        return found.cast("int64"), UNITS[mapped.unit]
    if not (kind.is_timestamp() or kind.is_date()):
        say(mapped, f"`{mapped.column}` is {kind}, and `at` is a time or a whole number")
        return None, None
    return found.cast(dt.Timestamp("UTC", 6)), None


def _recorded(mapped: Mapped | None, column: Any, say: Any) -> Any:
    if mapped is None:
        return ibis.literal("3")
    found = column(mapped)
    if found is None:
        return None
    if not found.type().is_string():
        say(mapped, f"`{mapped.column}` is {found.type()}, and `recorded` is a text")
        return None
    words = mapped.values or tuple((word, word) for word in RECORDED)
    return ibis.cases(*((found == text, str(RECORDED.index(word))) for text, word in words), else_="3")


def _attribute(name: str, mapped: Mapped, column: Any, say: Any, texts: set[str], dialect: str) -> Any:
    field = MAPPABLE[name]
    if mapped.value is not None:
        return _constant(name, mapped)
    found = column(mapped)
    if found is None:
        return None
    kind = found.type()
    match field.type:
        case "string" if kind.is_string():
            if not mapped.values:
                return found
            return ibis.cases(*((found == text, value) for text, value in mapped.values), else_=ibis.null("string"))
        case "bool" if kind.is_boolean():
            return found
        case "int" if kind.is_integer():
            return (
                ibis.ifelse(found <= INT_MAX, found, ibis.null(kind)).cast("int64") if kind == dt.uint64 else found.cast("int64")
            )
        case "timestamp" if kind.is_date():
            if dialect == "clickhouse":  # its days are all within bounds, and it takes those of our bounds for others
                return found.cast("string")
            good = (found >= ibis.date(_FIRST)) & (found <= ibis.date(_LAST))
            return ibis.ifelse(good, found.cast("string"), ibis.null("string"))
        case "timestamp" if kind.is_string():
            texts.add(name)
            return found
        case "list<string>" if mapped.json and (kind.is_string() or kind.is_json()):
            return found.cast("string")
        case "list<string>" if not mapped.json and kind.is_array() and kind.value_type.is_string():
            return found
    wanted = {"timestamp": "a date or a text", "list<string>": "a list of texts, or JSON text with `as: json`"}
    say(mapped, f"`{mapped.column}` is {kind}, and `{name}` is {wanted.get(field.type, field.type)}")
    return None


def _stated(value: Any, mapped: Mapped, say: Any, dialect: str) -> Any:
    """Whether a list is stated: it is there, and each of its elements is a text."""
    if dialect == "clickhouse" and not mapped.empty and mapped.value is None:
        choice = f"`{{column: {mapped.column}, empty: unknown}}` where an empty list means that nothing is stated, else `empty: stated`"
        say(mapped, f"ClickHouse keeps no missing lists, so `{mapped.column}` does not tell them from empty ones: write {choice}")
    stated = value.length() == value.filter(lambda item: item.notnull()).length()
    if mapped.empty == "unknown":
        stated = stated & (value.length() > 0)
    return ibis.coalesce(value.notnull() & stated, ibis.literal(False))


def _whole(value: Any, stated: Any, dialect: str) -> Any:
    """A list, null where it is not stated; as JSON text where an engine keeps no list that is null."""
    if dialect == "clickhouse":
        return ibis.ifelse(stated, as_json_text(value), ibis.null("string"))
    return ibis.ifelse(stated, value, ibis.null("array<string>"))


def _constant(name: str, mapped: Mapped) -> Any:
    field = MAPPABLE[name]
    assert mapped.value is not None
    value = writable(field, mapped.value)
    kinds = {"int": "int64", "bool": "boolean", "list<string>": "array<string>"}
    return ibis.literal(value, type=kinds.get(field.type, "string"))


def written(value: Any, kind: dt.DataType) -> Any:
    """A value as text from which it can be told apart from any other, also from a missing one, and from what follows."""
    if kind.is_array():
        parts = value.map(lambda item: item.length().cast("string") + ":" + item).join("")
        text = value.length().cast("string") + "[" + ibis.coalesce(parts, ibis.literal(""))
    elif kind.is_string():
        text = value.length().cast("string") + ":" + value
    elif kind.is_boolean():
        text = ibis.ifelse(value, "t;", "f;")
    else:
        text = value.cast("string") + ";"
    return ibis.ifelse(value.isnull(), ibis.literal("n"), text)


def joined(parts: list[Any]) -> Any:
    """Texts one after another."""
    return folded(parts, lambda a, b: a + b) if parts else ibis.literal("")


def folded(parts: list[Any], join: Callable[[Any, Any], Any]) -> Any:
    """Parts joined by an associative operation as a tree of little depth: what writes statements walks it recursively."""
    while len(parts) > 1:
        pairs = [join(a, b) for a, b in zip(parts[::2], parts[1::2], strict=False)]
        parts = pairs + parts[len(parts) - len(parts) % 2 :]
    return parts[0]
