"""Which files of an agent's rules are meant by `FILE`, `LAYER=FILE`, `DIR` and `LAYER=DIR`, and the layer of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePath

from policy.agents.base import Adapter, RuleFile
from review.errors import RemitError
from review.policy.policies import read_policy

_MANY = 2_000
_SUGGESTED = frozenset({"managed", "local"})
"""Layers that a file's name only suggests: where another is stated, or a folder tells, that one holds."""
_SETTINGS = "settings"
"""A layer's name for the settings of the person, in a program that keeps rules in other files as well."""


def rule_files(adapter: Adapter, names: Sequence[str], scopes: Sequence[str] = ()) -> list[RuleFile]:
    """The files of `names` (a bare path, or `LAYER=PATH`) and of `scopes` (`LAYER=PATH` always), in the order given.

    A bare path takes the layer of the nearest folder above it that has a layer's name, else the layer that the program
    gives a file of that name, else the adapter's first. A folder stands for all files in it that the program reads.
    Raises RemitError for an unknown layer or an empty folder, UnreadableError for a file that cannot be read.
    """
    found: list[RuleFile] = []
    for name in (*names, *scopes):
        layer, split, path = name.partition("=")
        if name in names and (not split or "/" in layer or Path(name).exists()):
            layer, path = "", name
        elif not split or not path:
            raise RemitError(f"{name}: write LAYER=FILE; the layers of {adapter.title}: {', '.join(layers(adapter))}")
        if layer and layer not in layers(adapter):
            raise RemitError(f"{name}: {adapter.title} has no layer {layer!r}; its layers: {', '.join(layers(adapter))}")
        found += _read(adapter, layer, path)
    return found


def layers(adapter: Adapter) -> tuple[str, ...]:
    """The layers that may be named: the program's own, and `settings` where a file's name alone would not tell settings from rules."""
    kinds = {PurePath(pattern).suffix for pattern, _ in adapter.reads}
    return (*adapter.layers, _SETTINGS) if {".toml", ".json"} <= kinds else adapter.layers


def _read(adapter: Adapter, layer: str, path: str) -> Iterator[RuleFile]:
    where = Path(path)
    if path != "-" and where.is_dir():
        files = [one for one in sorted(where.rglob("*"))[:_MANY] if one.is_file() and _pattern(adapter, one)]
        if not files:
            wanted = ", ".join(pattern for pattern, _ in adapter.reads)
            raise RemitError(f"{path}: no file in this folder is one of {wanted}")
    else:
        files = [where]
    for one in files:
        name = path if files == [where] else str(one)
        held = _layer(adapter, one, layer)
        yield RuleFile(held, name, read_policy(name))


def _pattern(adapter: Adapter, path: PurePath) -> str | None:
    return next((pattern for pattern, _ in adapter.reads if fnmatch(path.name, pattern)), None)


def layer_by_name(adapter: Adapter, name: str) -> str:
    """The layer of a file that nothing was stated of: by its folder, its name, else the adapter's first."""
    return _layer(adapter, PurePath(name), "")


def _layer(adapter: Adapter, path: PurePath, stated: str) -> str:
    fixed = next((layer for pattern, layer in adapter.reads if layer and fnmatch(path.name, pattern)), "")
    if stated == _SETTINGS:
        return "user" if "user" in adapter.layers else adapter.layers[0]
    if stated:
        return fixed if fixed and fixed not in _SUGGESTED else stated
    above = next((folder for folder in reversed(path.parent.parts) if folder in adapter.layers), "")
    return fixed if fixed and fixed not in _SUGGESTED else above or fixed or adapter.layers[0]
