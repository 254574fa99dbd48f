"""From import arguments to sources: paths, directories, globs, members of archives, object stores and standard input.

Names do not depend on where the files lie.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from review.intake.found import Found, Missing, expanded
from review.locations import is_address, is_url

_MAGIC = set("*?[")
_SKIPPED_DIRS = {".git", "__pycache__", "node_modules"}


def walk(
    arguments: list[str],
    as_name: str | None = None,
    wanted: Callable[[Path], bool] | None = None,
    objects: Callable[[str], Iterator[Found | Missing]] | None = None,
    store: str = "",
) -> Iterator[Found | Missing]:
    """Sources in a stable order. A directory is walked without following links; a glob's root is its part before the first wildcard.

    An archive or a database gives its members, named `archive!member`. `wanted` says which files to open at all, `objects`
    gives what lies at the address of an object store: all of it where nothing is said. The files of the `store` imported into
    are left closed, as no log.
    """
    apart = _files_of(store)
    for argument in arguments:
        if is_address(argument):
            yield from everything(argument, as_name) if objects is None else objects(argument)
            continue
        for found in _files(argument, as_name):
            if isinstance(found, Missing) or found.path is None:
                yield found
            elif found.path.name in apart and found.path.resolve() == apart[found.path.name]:
                yield Missing(found.name, "it is the store itself", found.explicit)
            elif wanted is None or wanted(found.path):
                yield from expanded(found, found.path)


def _files_of(store: str) -> dict[str, Path]:
    """The files of a SQLite store by name, as they lie.

    Closing any of them takes away the locks this process holds on it (POSIX): another process would then believe itself alone
    and truncate what this one has mapped.
    """
    if not store or is_url(store):
        return {}
    place = Path(store).resolve()
    return {name: place.with_name(name) for name in (place.name + end for end in ("", "-wal", "-shm", "-journal"))}


def everything(address: str, as_name: str | None) -> Iterator[Found | Missing]:
    """All that lies at an address of an object store."""
    from review.intake.objects import sources

    return sources(address, as_name)


def _files(argument: str, as_name: str | None) -> Iterator[Found | Missing]:
    if argument == "-":
        yield Found(None, as_name or "stdin", True)
        return
    path = _path(argument)
    if path.is_dir():
        yield from _directory(path, as_name)
    elif path.exists():
        yield Found(path, as_name or path.name, True)
    elif _MAGIC & set(str(path)):
        yield from _pattern(str(path))
    else:
        yield Missing(argument, "no such file or directory")


def _path(argument: str) -> Path:
    if not argument.lower().startswith("file://"):
        return Path(argument)
    from urllib.request import url2pathname  # it loads an HTTP client

    return Path(url2pathname(argument[7:]))


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
