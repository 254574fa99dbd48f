"""Reads the YAML of catalogues and crosswalks: no aliases, no tags, no dates, bounded in size, complaints with their line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import yaml

from reports.errors import DataError

if TYPE_CHECKING:
    from yaml import SafeLoader as _Base
else:
    _Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

LIMIT = 4 * 1024 * 1024
DEPTH = 50
T = TypeVar("T")


class _Plain(_Base):
    """Reads dates as text, and `on`, `off`, `yes` and `no` as the words they are."""


_DATE, _TRUTH = "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool"
_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag not in (_DATE, _TRUTH)]
    for first, pairs in _Base.yaml_implicit_resolvers.items()
}
_Plain.add_implicit_resolver(_TRUTH, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def load(data: bytes, path: str) -> object:
    """One YAML document as plain values; raises DataError with line and column."""
    if len(data) > LIMIT:
        raise DataError(path, f"larger than {LIMIT} bytes")
    try:
        _walk(data, path)
        return yaml.load(data, Loader=_Plain)  # noqa: S506 - a SafeLoader with less in it
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise DataError(path, f"{where}{error.problem or 'not valid YAML'}") from error
    except DataError:
        raise
    except (yaml.YAMLError, ValueError) as error:
        raise DataError(path, f"not valid YAML: {str(error)[:200]}") from error


def _walk(data: bytes, path: str) -> None:
    """Refuse aliases, by which a small file unfolds into a huge one, and depth, before anything is built."""
    depth = 0
    for event in yaml.parse(data, Loader=_Plain):
        line = event.start_mark.line + 1 if event.start_mark is not None else 0
        if isinstance(event, yaml.AliasEvent):
            raise DataError(path, f"line {line}: aliases are not accepted here")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH:
                raise DataError(path, f"line {line}: nested deeper than {DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def convert(value: object, kind: type[T], path: str, data: bytes = b"") -> T:
    """Check plain values against a struct; raises DataError naming the field and, with the file's `data`, its line."""
    try:
        return msgspec.convert(value, type=kind, strict=False)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at ")
        about = "a key: " if place.startswith("`key` in ") else ""
        steps = _culprit(value, kind, _steps(place.rpartition("$")[2].rstrip("`")))
        inside = f" in {_told(steps)}" if steps else ""
        stray = re.findall(r"unknown field `([^`]+)`", text)
        raise DataError(path, f"{where(data, [*steps, *stray])}{about}{_sentence(text)}{inside}") from error


Step = str | int
_STEP = re.compile(r"\[(\d+|\.\.\.)\]|\.([^.\[]+)")


def _steps(place: str) -> list[Step]:
    """A path of msgspec as steps; `...` stands for a key of a mapping that it does not name."""
    return [name or (index if index == "..." else int(index)) for index, name in _STEP.findall(place)]


def _told(steps: Sequence[Step]) -> str:
    return "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def _sentence(text: str) -> str:
    return text.replace("Object missing required field", "missing field").replace(
        "Object contains unknown field", "unknown field"
    )


def _culprit(value: object, kind: type[Any], steps: list[Step]) -> list[Step]:
    """The steps with every key named: of a mapping whose entry is wrong, the first that is wrong on its own."""
    for place, step in enumerate(steps):
        if step == "...":
            holder = _at(value, steps[:place])
            if not isinstance(holder, dict):
                return steps[:place]
            for key in holder:
                try:
                    msgspec.convert(_only(value, steps[:place], key), type=kind, strict=False)
                except msgspec.ValidationError:
                    steps[place] = str(key)
                    break
            else:
                return steps[:place]
    return steps


def _at(value: Any, steps: Sequence[Step]) -> Any:
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _only(value: Any, steps: Sequence[Step], key: object) -> Any:
    """The value with one entry alone left in the mapping at the steps."""
    if not steps:
        return {key: value[key]}
    inner = _only(value[steps[0]], steps[1:], key)
    if isinstance(value, dict):
        return value | {steps[0]: inner}
    return [inner if place == steps[0] else one for place, one in enumerate(value)]


def where(data: bytes, steps: Sequence[Step]) -> str:
    """The beginning of a complaint: `line N: ` of the place these steps lead to, or of the last step that is there."""
    if not data:
        return ""
    node = yaml.compose(data, Loader=_Plain)
    line = 1
    for step in steps:
        found = dict(_children(node)).get(step)
        if found is None:
            break
        line, node = found
    return f"line {line}: "


def _children(node: yaml.Node | None) -> Iterator[tuple[Step, tuple[int, yaml.Node]]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), (key.start_mark.line + 1, value)
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield place, (value.start_mark.line + 1, value)


def read(path: Path) -> bytes:
    """The bytes of a data file, LIMIT and one more at most; raises DataError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(LIMIT + 1)
    except OSError as error:
        raise DataError(path.name, f"cannot be read: {error.strerror or error}") from error
