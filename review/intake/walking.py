"""From import arguments to sources: paths, directories, globs, members of archives, object stores and standard input.

Names do not depend on where the files lie. What may hold logs and is not read, a folder that stays closed or a link out of
the one named, is told: a log nobody opened must not look like one that is not there.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISFIFO, S_ISLNK, S_ISREG

from review.intake.found import Found, Missing, closed, expanded
from review.locations import is_address, is_url

_MAGIC = set("*?[")
_SKIPPED_DIRS = {".git", "__pycache__", "node_modules"}
_LEADS_OUT = "a link out of this folder, not followed: import what it leads to"
_LEADS_NOWHERE = "a link to what is not there"
_A_PIPE = "a pipe, not waited for in a folder: import it by its own name"


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
    try:
        found = path.stat()
    except OSError as error:
        if _MAGIC & set(str(path)):
            yield from _pattern(str(path))
        elif isinstance(error, FileNotFoundError | NotADirectoryError):
            yield Missing(argument, "no such file or directory")
        else:
            yield closed(argument, error, path)
        return
    if S_ISDIR(found.st_mode):
        yield from _directory(path, as_name)
    else:
        yield Found(path, as_name or path.name, True)


def _path(argument: str) -> Path:
    if not argument.lower().startswith("file://"):
        return Path(argument)
    from urllib.request import url2pathname  # it loads an HTTP client

    return Path(url2pathname(argument[7:]))


def _directory(root: Path, as_name: str | None) -> Iterator[Found | Missing]:
    prefix, home = f"{as_name}/" if as_name else "", os.path.realpath(root)
    refused: list[OSError] = []
    empty = True

    def name_of(path: Path) -> str:
        return str(root) if path == root else prefix + path.relative_to(root).as_posix()

    for folder, folders, files in os.walk(root, onerror=refused.append):
        folders[:] = sorted(f for f in folders if f not in _SKIPPED_DIRS)
        # Links to folders stand among these, where the walk leaves them.
        for name in sorted([*files, *folders]):
            path = Path(folder, name)
            if (found := _entry(path, name_of(path), home)) is not None:
                yield found
        empty = empty and not files
    yield from (closed(name_of(Path(error.filename)), error, Path(error.filename)) for error in refused)
    if empty and not refused:
        # A folder that is filled by the clock may well be empty: it is said, and is no failure.
        yield Missing(as_name or str(root), "no file lies in it", False)


def _entry(path: Path, name: str, home: str) -> Found | Missing | None:
    """What lies in a folder: a file, or a pipe or link with why it is left; None for what holds no records, and for what was within it anyway."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        return closed(name, error, path)
    if not S_ISLNK(mode):
        if S_ISFIFO(mode):
            return Missing(name, _A_PIPE, False)
        return Found(path, name, False) if S_ISREG(mode) else None
    target = Path(os.path.realpath(path))
    try:
        target.stat()
    except PermissionError:
        pass
    except OSError:
        return Missing(name, _LEADS_NOWHERE, False)
    return None if target.is_relative_to(home) else Missing(name, _LEADS_OUT, False)


def _pattern(pattern: str) -> Iterator[Found | Missing]:
    parts = Path(pattern).parts
    fixed = next((i for i, part in enumerate(parts) if _MAGIC & set(part)), len(parts))
    root = Path(*parts[:fixed]) if fixed else Path()
    matches = sorted(Path(match) for match in glob.glob(pattern, recursive=True))  # noqa: PTH207  Path.glob refuses absolute patterns
    found = [one for path in matches if (one := _matched(path, path.relative_to(root).as_posix())) is not None]
    yield from found or [_unmatched(pattern, root)]


def _matched(path: Path, name: str) -> Found | Missing | None:
    try:
        if path.is_fifo():
            return Missing(name, _A_PIPE, False)
        return Found(path, name, False) if path.is_file() else None
    except OSError as error:
        return closed(name, error, path)


def _unmatched(pattern: str, root: Path) -> Missing:
    """Why a pattern leads to nothing: the folder it begins in may be closed."""
    try:
        with os.scandir(root):
            return Missing(pattern, "no file matches this pattern")
    except FileNotFoundError:
        return Missing(pattern, "no file matches this pattern")
    except OSError as error:
        return closed(pattern, error, root)
