"""Which column of a warehouse's table states which attribute: a file of YAML, checked against the schema of requests.

An attribute that is not mapped is unknown. Nothing is guessed from the names of columns.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from lang.cel.problems import did_you_mean
from lang.cel.requests import well_typed
from lang.cel.typed import Value
from lang.diagnostics import Diagnostic
from lang.yamlcheck import Document
from lang.yamltree import Mapping as MappingNode
from lang.yamltree import Node, Scalar, is_null, plain
from model.request import ASSUMED, FIELD, REPLAYED, TOLD_BY, Field

Unit = Literal["s", "ms", "us"]
UNITS: dict[str, int] = {"s": 1_000_000, "ms": 1_000, "us": 1}
"""Microseconds in one unit of a time that is kept as a whole number."""
RECORDED = ("allow", "ask", "deny")
TOP = ("task", "step", "at", "recorded", "attributes")
MAPPABLE: dict[str, Field] = {field.name: field for field in REPLAYED if field.name in {*FIELD, ASSUMED, TOLD_BY}}
_WAYS = ("column", "values", "value", "as", "empty", "unit")


class Mapped(msgspec.Struct, frozen=True):
    """What states one attribute: a `column`, whose texts `values` translates, or one `value` for every row.

    `line` and `at` are where the column is named in the file, from 1. Texts that `values` does not list are unknown.
    `json`: the column holds a list as JSON text. `empty` says what an empty list means, for engines that keep no missing
    ones. `unit` is set for times kept as whole numbers.
    """

    column: str = ""
    values: tuple[tuple[str, str], ...] = ()
    value: Value | None = None
    json: bool = False
    empty: Literal["", "unknown", "stated"] = ""
    unit: Unit | None = None
    line: int = 0
    at: int = 0


class Mapping(msgspec.Struct, frozen=True):
    """The columns of a table by what they state; `attributes` in the order of the schema."""

    task: Mapped
    step: Mapped
    at: Mapped | None
    recorded: Mapped | None
    attributes: dict[str, Mapped]


class Checked(msgspec.Struct, frozen=True):
    """A mapping, None where it has errors, and everything there is to say about it."""

    mapping: Mapping | None
    diagnostics: tuple[Diagnostic, ...]


def read_mapping(text: str) -> Checked:
    """Reads a mapping; never raises."""
    document = _Reader(text)
    mapping = document.mapping()
    found = document.found()
    return Checked(None if any(one.severity == "error" for one in found) else mapping, found)


class _Reader(Document):
    def mapping(self) -> Mapping | None:
        root = self.read("mapping", "`task`, `step` and `attributes`")
        keys = self.keys(root, TOP, "the mapping") if root is not None else None
        if root is None or keys is None:
            return None
        for needed in ("task", "step", "attributes"):
            if needed not in keys:
                self.say(root.start, root.start, "error", "missing-key", f"the mapping needs `{needed}`")
        task = self._mapped(keys.get("task"), "task", ("column",))
        step = self._mapped(keys.get("step"), "step", ("column",))
        at = self._mapped(keys.get("at"), "at", ("column", "unit"))
        recorded = self._mapped(keys.get("recorded"), "recorded", ("column", "values"), RECORDED)
        attributes = self._attributes(keys.get("attributes"))
        return Mapping(task, step, at, recorded, attributes) if task is not None and step is not None else None

    def _attributes(self, node: Node | None) -> dict[str, Mapped]:
        keys = self.keys(node, tuple(MAPPABLE), "`attributes`") if node is not None else None
        found: dict[str, Mapped] = {}
        for name in MAPPABLE:
            if keys and name in keys:
                mapped = self._attribute(keys[name], MAPPABLE[name])
                if mapped is not None:
                    found[name] = mapped
        return found

    def _attribute(self, node: Node, field: Field) -> Mapped | None:
        ways = {"string": ("column", "values", "value"), "list<string>": ("column", "value", "as", "empty")}.get(
            field.type, ("column", "value")
        )
        return self._mapped(node, field.name, ways, field.values, field)

    def _mapped(
        self, node: Node | None, name: str, ways: tuple[str, ...], words: tuple[str, ...] = (), field: Field | None = None
    ) -> Mapped | None:
        """What a mapping says of one name: a column's name, or a mapping of these ways."""
        if node is None:
            return None
        if isinstance(node, Scalar):
            return Mapped(node.value, line=node.start.line + 1, at=node.start.column + 1)
        keys = self.keys(node, _WAYS, f"`{name}`")
        if keys is None:
            return None
        for way in keys:
            if way not in ways:
                self.error(keys[way], "wrong-key", f"`{way}` is not for `{name}`; it takes {', '.join(f'`{w}`' for w in ways)}")
        if ("column" in keys) == ("value" in keys):
            choice = "`column` or `value`, one of them" if "value" in ways else "`column`"
            self.error(node, "missing-key", f"`{name}` needs {choice}")
            return None
        if "value" in keys:
            return self._constant(keys["value"], field) if field is not None else None
        column = self.text_of(keys["column"], "column")
        form = self.choice(keys["as"], "as", ("list", "json")) if "as" in keys else None
        empty = self.choice(keys["empty"], "empty", ("unknown", "stated")) if "empty" in keys else None
        unit = self.choice(keys["unit"], "unit", tuple(UNITS)) if "unit" in keys else None
        values = self._values(keys["values"], words) if "values" in keys else ()
        if column is None:
            return None
        start = keys["column"].start
        return Mapped(
            column, values, json=form == "json", empty=_empty(empty), unit=_unit(unit), line=start.line + 1, at=start.column + 1
        )  # fmt: skip

    def _constant(self, node: Node, field: Field | None) -> Mapped | None:
        assert field is not None
        value = well_typed(field, plain(node))
        if value is None:
            self.error(node, "wrong-type", f"`{field.name}` is {field.type}, and this is not")
            return None
        return Mapped(value=value, line=node.start.line + 1, at=node.start.column + 1)

    def _values(self, node: Node, words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        if not isinstance(node, MappingNode):
            self.error(node, "wrong-type", "`values` is a mapping from the column's texts to ours, such as `{Bash: exec}`")
            return ()
        found: dict[str, str] = {}
        for key, value in node.pairs:
            if not isinstance(key, Scalar) or not isinstance(value, Scalar) or is_null(value):
                self.error(value, "wrong-type", "`values` maps one text to one text")
            elif key.value in found:
                self.error(key, "duplicate-key", f"`{key.value[:60]}` is given twice in `values`")
            elif words and value.value not in words:
                hint = did_you_mean(value.value, words) or f"; known: {', '.join(words)}"
                self.error(value, "bad-word", f"`{value.value[:60]}` is no value of this attribute{hint}")
            else:
                found[key.value] = value.value
        return tuple(found.items())


def _unit(word: str | None) -> Unit | None:
    return "s" if word == "s" else "ms" if word == "ms" else "us" if word == "us" else None


def _empty(word: str | None) -> Literal["", "unknown", "stated"]:
    return "unknown" if word == "unknown" else "stated" if word == "stated" else ""
