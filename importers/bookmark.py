"""Where a growing file may be read on: behind its last whole line, with what its cutter and its reader knew there.

A reader's memory is kept where it is made of plain values: texts, numbers, lists, tuples, sets and dictionaries. What a
fresh reader holds as well (its mapping, say) is no memory. A reader that remembers anything else, or one thing in two
places, is not kept, and its files are read from the beginning.
"""

from __future__ import annotations

from typing import Any

import msgspec

from importers.base import Importer, Reader

VERSION = 2
"""Rises whenever a kept place or memory means something else."""

_SIMPLE = (type(None), bool, int, float, str, bytes)
_LISTS = {"l": list, "t": tuple, "s": set, "f": frozenset}
_TAGS = {made: tag for tag, made in _LISTS.items()}
_MISSING = object()


class _Unkept(TypeError):
    """Something that is no plain value."""


def stamp_of(importer: Importer) -> str:
    """What a kept memory fits: another format or another version of it reads from the beginning."""
    return f"{VERSION}:{importer.id}:{importer.version}"


def memory(importer: Importer, reader: Reader) -> bytes | None:
    """What a reader remembers, None where that cannot be kept."""
    try:
        fresh, held = vars(importer.open()), vars(reader)
        seen: set[int] = set()
        state = {name: _plain(value, seen) for name, value in held.items() if fresh.get(name, _MISSING) is not value}
        return msgspec.msgpack.encode(state)
    except (TypeError, OverflowError, UnicodeEncodeError, RecursionError):
        return None


def remembering(importer: Importer, kept: bytes) -> Reader | None:
    """A reader that remembers what was kept, None where this program's readers are built otherwise."""
    reader = importer.open()
    try:
        state = msgspec.msgpack.decode(kept, type=dict[str, Any])
        held = vars(reader)
        if not state.keys() <= held.keys():
            return None
        for name, value in state.items():
            setattr(reader, name, _value(value))
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, ValueError, KeyError, RecursionError):
        return None
    return reader


def _plain(value: object, seen: set[int]) -> Any:
    if isinstance(value, _SIMPLE) and type(value) in _SIMPLE:
        return value
    if not isinstance(value, tuple | frozenset):
        # Two names for one list or dictionary would be two lists afterwards.
        if id(value) in seen:
            raise _Unkept
        seen.add(id(value))
    if type(value) is dict:
        # One after the other: a pair of their own for each would be most of the memory this takes.
        return ["d", *(_plain(one, seen) for pair in value.items() for one in pair)]
    if type(value) in _TAGS:
        return [_TAGS[type(value)], *(_plain(item, seen) for item in value)]  # type: ignore[index,attr-defined]
    raise _Unkept


def _value(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    tag, *items = value
    if tag == "d":
        return {_value(key): _value(item) for key, item in zip(items[::2], items[1::2], strict=True)}
    return _LISTS[tag](_value(item) for item in items)
