"""YAML text to a tree of nodes with their places, within bounds.

`yaml.compose` would give the marks too, but it recurses in C without a bound on nesting and follows aliases; here the
same parser's events (libyaml where it is installed) are stacked by hand, so that depth, number of nodes and aliases
are refused at their place before they cost anything.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import msgspec
import yaml

from lang.late import late

MAX_TEXT = 1 << 20
BOM = "\ufeff"
"""May stand before the text; it is no column of the first line."""
MAX_DEPTH = 12
MAX_NODES = 100_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Characters YAML forbids, and the line separators it counts as line ends though no editor does.
_FORBIDDEN = late("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_END = late("\r\n|\n|\r")
_INT = late(r"[-+]?[0-9]{1,40}\Z")
_VALUE = late(r"[ ]*(?:- +)*[A-Za-z_][\w.-]*: +[^ ]")
_STYLES = frozenset(("'", '"', "|", ">"))
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class Place(msgspec.Struct, frozen=True, order=True, gc=False):
    """A position in the text; both count from 0."""

    line: int
    column: int


class _Mark(Protocol):
    line: int
    column: int


class YamlProblem(ValueError):
    """The text is no YAML we read; `start` and `end` say where."""

    def __init__(self, start: Place, end: Place, code: str, message: str) -> None:
        super().__init__(message)
        self.start, self.end, self.code, self.message = start, end, code, message


class Scalar(msgspec.Struct):
    """`style` is "" for a plain scalar, else one of ' " | >."""

    start: Place
    end: Place
    value: str
    style: str


class Sequence(msgspec.Struct):
    start: Place
    end: Place
    items: list[Node]


class Mapping(msgspec.Struct):
    start: Place
    end: Place
    pairs: list[tuple[Node, Node]]


Node: TypeAlias = Scalar | Sequence | Mapping
Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"


def lines_of(text: str) -> list[str]:
    """The lines of a text as YAML counts them, without their ends and without a byte order mark."""
    return _LINE_END.split(text.removeprefix(BOM))


def read(text: str, what: str = "policy") -> Node | None:
    """The tree of a text, None for an empty one; raises YamlProblem. `what` is what one such file holds, for messages."""
    text = text.removeprefix(BOM)
    if len(text) > MAX_TEXT:
        raise _at(text, 0, "too-large", f"the {what} is larger than {MAX_TEXT:,} characters; split it")
    if bad := _FORBIDDEN.search(text):
        raise _at(
            text,
            bad.start(),
            "bad-character",
            f"character U+{ord(bad.group()):04X} is not allowed; write it as an escape in double quotes",
        )
    try:
        return _build(text, what)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = _place(mark)
        context = f" {error.context}" if error.context else ""
        message = f"not valid YAML: {error.problem or 'syntax error'}{context}{_hint(text, place)}"
        raise YamlProblem(place, place, "yaml-syntax", message) from None
    except yaml.YAMLError as error:
        raise YamlProblem(Place(0, 0), Place(0, 0), "yaml-syntax", f"not valid YAML: {error}") from None


def _hint(text: str, place: Place) -> str:
    """What most often makes a line with a value no YAML: quotes, brackets or colons in a text that is written plainly."""
    lines = lines_of(text)
    line = lines[place.line] if place.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "; lines are indented with spaces, not tabs"
    if place.column and _VALUE.match(line):
        return "; a text that begins with a quote or bracket, or holds `: `, is quoted whole or written on lines of its own below `>-`"
    return ""


def _at(text: str, offset: int, code: str, message: str) -> YamlProblem:
    before = lines_of(text[:offset])
    place = Place(len(before) - 1, len(before[-1]))
    return YamlProblem(place, Place(place.line, place.column + 1), code, message)


def _build(text: str, what: str) -> Node | None:
    stack: list[tuple[Sequence | Mapping, list[Node]]] = []
    held: list[Node] = []
    root: list[Node] = held
    documents = nodes = 0
    # The first test that holds is taken: scalars come first, for most events are scalars.
    for event in yaml.parse(text, Loader=_LOADER):
        kind = type(event)
        if isinstance(event, yaml.ScalarEvent):
            style = event.style
            held.append(Scalar(_place(event.start_mark), _place(event.end_mark), event.value, style if style in _STYLES else ""))
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            start, end = _place(event.start_mark), _place(event.end_mark)
            if len(stack) >= MAX_DEPTH:
                raise YamlProblem(start, end, "too-deep", f"nested more than {MAX_DEPTH} deep")
            opened = Mapping(start, end, []) if kind is yaml.MappingStartEvent else Sequence(start, end, [])
            held.append(opened)
            stack.append((opened, held))
            held = []
            continue
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            inside = held
            closed, held = stack.pop()
            closed.end = _place(event.end_mark)
            if isinstance(closed, Sequence):
                closed.items = inside
            else:
                closed.pairs = list(zip(inside[::2], inside[1::2], strict=True))
        elif kind is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                raise YamlProblem(
                    _place(event.start_mark),
                    _place(event.end_mark),
                    "yaml-documents",
                    f"one {what} per file: remove the second `---`",
                )
            continue
        elif isinstance(event, yaml.AliasEvent):
            message = f"aliases such as `*{event.anchor}` are not supported; write it out"
            raise YamlProblem(_place(event.start_mark), _place(event.end_mark), "yaml-alias", message)
        else:
            continue
        nodes += 1
        if nodes > MAX_NODES:
            place = held[-1].start
            raise YamlProblem(place, held[-1].end, "too-large", f"more than {MAX_NODES:,} values; split the {what}")
    if not root or (isinstance(root[0], Scalar) and not root[0].style and root[0].value in _NULLS):
        return None
    return root[0]


def _place(mark: _Mark | None) -> Place:
    return Place(mark.line, mark.column) if mark is not None else Place(0, 0)


def is_null(node: Node) -> bool:
    """Whether a node says nothing: it is empty, `~` or `null`."""
    return isinstance(node, Scalar) and not node.style and node.value in _NULLS


def plain(node: Node) -> Plain:
    """The value of a node by YAML's core schema (1.2): `yes` and `no` are texts, true and false are not."""
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    if isinstance(node, Mapping):
        return {key.value: plain(value) for key, value in node.pairs if isinstance(key, Scalar)}
    if node.style:
        return node.value
    if is_null(node):
        return None
    if node.value in _BOOLS:
        return _BOOLS[node.value]
    return int(node.value) if _INT.match(node.value) else node.value
