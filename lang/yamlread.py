"""Reading a YAML file strictly: every complaint names its line and column, and nothing in the file can blow up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from difflib import get_close_matches
from typing import Any

import yaml

MAX_BYTES = 4_000_000
MAX_DEPTH = 24
MAX_ALIASES = 200
MAX_NODES = 200_000


class YamlError(ValueError):
    """What is wrong in the file and where; `line` and `column` count from 1."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column


class Node:
    """One place in the file: its value is asked for by the type it must have."""

    def __init__(self, node: yaml.Node, budget: list[int], what: str, depth: int = 0) -> None:
        budget[0] -= 1
        if budget[0] < 0:
            raise YamlError(f"more than {MAX_NODES} values once aliases are followed", *_place(node))
        if depth > 2 * MAX_DEPTH:
            raise YamlError("an alias leads back into itself or too deep", *_place(node))
        self.node = node
        self.budget = budget
        self.what = what
        self.depth = depth

    def _inner(self, node: yaml.Node, what: str) -> Node:
        return Node(node, self.budget, what, self.depth + 1)

    def error(self, reason: str) -> YamlError:
        return YamlError(reason, *_place(self.node))

    @property
    def is_null(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == "tag:yaml.org,2002:null"

    @property
    def is_map(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    def entries(self) -> Iterator[tuple[str, Node, Node]]:
        """Key text, key place and value of a mapping; nothing for an empty value."""
        if self.is_null:
            return
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error(f"{self.what} must be a mapping of names to values")
        seen: set[str] = set()
        for key, value in self.node.value:
            place = self._inner(key, "a key")
            name = place.text()
            if name in seen:
                raise place.error(f"{name!r} stands here a second time")
            seen.add(name)
            yield name, place, self._inner(value, name)

    def fields(self, known: Iterable[str]) -> dict[str, Node]:
        """A mapping whose keys are all known; an unknown one is an error that names the nearest."""
        names = tuple(known)
        found: dict[str, Node] = {}
        for name, place, value in self.entries():
            if name not in names:
                near = get_close_matches(name, names, 1, 0.6)
                hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(names)}"
                raise place.error(f"unknown key {name!r} in {self.what}; {hint}")
            if not value.is_null:
                found[name] = value
        return found

    def items(self) -> list[Node]:
        if self.is_null:
            return []
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"{self.what} must be a list")
        return [self._inner(value, f"an entry of {self.what}") for value in self.node.value]

    def text(self) -> str:
        """Any scalar as it is written: an account number needs no quotes."""
        if not isinstance(self.node, yaml.ScalarNode) or self.is_null:
            raise self.error(f"{self.what} must be text")
        return str(self.node.value)

    def texts(self) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        if isinstance(self.node, yaml.ScalarNode) and not self.is_null:
            return (self.text(),)
        return tuple(item.text() for item in self.items())

    def choice(self, allowed: Iterable[str]) -> str:
        value, names = self.text(), tuple(allowed)
        if value not in names:
            near = get_close_matches(value, names, 1, 0.6)
            raise self.error(
                f"{self.what} is {value!r}; " + (f"did you mean {near[0]!r}?" if near else f"one of {', '.join(names)}")
            )
        return value

    def number(self, low: float, high: float) -> float:
        try:
            value = float(self.text())
        except ValueError:
            raise self.error(f"{self.what} must be a number") from None
        if not low <= value <= high:
            raise self.error(f"{self.what} must lie between {low:g} and {high:g}")
        return value

    def plain(self) -> object:
        """The value as plain data: text, number, truth, None, list or mapping with text keys."""
        if isinstance(self.node, yaml.MappingNode):
            return {name: value.plain() for name, _, value in self.entries()}
        if isinstance(self.node, yaml.SequenceNode):
            return [item.plain() for item in self.items()]
        kind = self.node.tag.rsplit(":", 1)[-1]
        text = str(self.node.value)
        try:
            if kind == "int":
                return int(text.replace("_", ""), 0) if not text.lstrip("+-").isdigit() else int(text)
            if kind == "float":
                return float(text.replace("_", ""))
        except ValueError:
            return text
        if kind == "bool":
            return text.casefold() in ("true", "yes", "on")
        return None if kind == "null" else text


def read(text: str, what: str) -> Node:
    """The root of a YAML document, called `what` in messages; raises YamlError for anything that is not one plain document of bounded size."""
    if len(text) > MAX_BYTES:
        raise YamlError(f"the file is longer than {MAX_BYTES} characters")
    try:
        node = _composed(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(part for part in (error.context, error.problem) if part)
        raise YamlError(f"not valid YAML: {reason}", *((mark.line + 1, mark.column + 1) if mark else (1, 1))) from error
    except yaml.YAMLError as error:
        raise YamlError(f"not valid YAML: {error}") from error
    if node is None:
        node = yaml.MappingNode("tag:yaml.org,2002:map", [])
    return Node(node, [MAX_NODES], what)


def _composed(text: str) -> yaml.Node | None:
    """The document by libyaml where it is there, five times as fast; what it refuses is PyYAML's to explain, in one wording."""
    if (fast := getattr(yaml, "CSafeLoader", None)) is not None:
        with suppress(yaml.YAMLError):
            _bound(text, fast)
            return yaml.compose(text, Loader=fast)
    _bound(text, yaml.SafeLoader)
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _bound(text: str, loader: Any) -> None:
    """Refuse nesting bombs and alias bombs on the event stream, before anything recursive reads them."""
    depth = aliases = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > MAX_DEPTH or aliases > MAX_ALIASES:
            place = (event.start_mark.line + 1, event.start_mark.column + 1) if event.start_mark else (1, 1)
            what = f"nested deeper than {MAX_DEPTH} levels" if depth > MAX_DEPTH else f"more than {MAX_ALIASES} aliases"
            raise YamlError(what, *place)


def _place(node: yaml.Node) -> tuple[int, int]:
    mark = node.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
