"""From import arguments to files: paths, directories, globs and standard input, with names that do not depend on where they lie."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MAGIC = set("*?[")
_SKIPPED_DIRS = {".git", "__pycache__", "node_modules"}


@dataclass(frozen=True, slots=True)
class Found:
    """One file to import: its path (None: standard input), its name below the argument's root, and whether it was named itself."""

    path: Path | None
    name: str
    explicit: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """An argument that leads to no file, and why."""

    name: str
    reason: str


def walk(arguments: list[str], as_name: str | None = None) -> Iterator[Found | Missing]:
    """Files in a stable order. A directory is walked without following links; a glob's root is its part before the first wildcard."""
    for argument in arguments:
        if argument == "-":
            yield Found(None, as_name or "stdin", True)
            continue
        path = Path(argument)
        if path.is_dir():
            yield from _directory(path, as_name)
        elif path.exists():
            yield Found(path, as_name or path.name, True)
        elif _MAGIC & set(argument):
            yield from _pattern(argument)
        else:
            yield Missing(argument, "no such file or directory")


def _directory(root: Path, as_name: str | None) -> Iterator[Found]:
    prefix = f"{as_name}/" if as_name else ""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in _SKIPPED_DIRS)
        for name in sorted(files):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield Found(path, prefix + path.relative_to(root).as_posix(), False)


def _pattern(pattern: str) -> Iterator[Found | Missing]:
    parts = Path(pattern).parts
    fixed = next((i for i, part in enumerate(parts) if _MAGIC & set(part)), len(parts))
    root = Path(*parts[:fixed]) if fixed else Path()
    matches = sorted(Path(match) for match in glob.glob(pattern, recursive=True))  # noqa: PTH207  Path.glob refuses absolute patterns
    files = [m for m in matches if m.is_file()]
    if not files:
        yield Missing(pattern, "no file matches this pattern")
    for path in files:
        yield Found(path, path.relative_to(root).as_posix(), False)
