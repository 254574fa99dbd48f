"""Reads the YAML of catalogues and crosswalks: no aliases, no tags, no dates, bounded in size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

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
    """Reads dates as text."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:timestamp"]
    for first, pairs in _Base.yaml_implicit_resolvers.items()
}


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


def convert(value: object, kind: type[T], path: str) -> T:
    """Check plain values against a struct; raises DataError naming the field."""
    try:
        return msgspec.convert(value, type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise DataError(path, str(error)) from error


def read(path: Path) -> bytes:
    """The bytes of a data file; raises DataError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(path.name, f"cannot be read: {error.strerror or error}") from error
