"""Reads the YAML of catalogues and crosswalks: no aliases, no tags, no dates, bounded in size."""

from __future__ import annotations

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
T = TypeVar("T")


class _Plain(_Base):
    """Refuses anchors and aliases, by which a small file can unfold into a huge one; dates stay text."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not accepted here", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:timestamp"]
    for first, pairs in _Base.yaml_implicit_resolvers.items()
}


def load(data: bytes, path: str) -> object:
    """One YAML document as plain values; raises DataError with line and column."""
    if len(data) > LIMIT:
        raise DataError(path, f"larger than {LIMIT} bytes")
    try:
        return yaml.load(data, Loader=_Plain)  # noqa: S506 - a SafeLoader with less in it
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise DataError(path, f"{where}{error.problem or 'not valid YAML'}") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise DataError(path, f"not valid YAML: {str(error)[:200]}") from error


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
