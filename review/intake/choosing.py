"""Choosing files: a tree of folders that opens in place, paths completed while typed, and what was imported before."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from model.evidence import SourceFile
from review.errors import RemitError

MOST = 2000
"""Entries of one folder that are listed."""

Doc = dict[str, Any]


def tree(root: Path, opened: Collection[str], *, hidden: bool = False) -> list[Doc]:
    """A folder's entries with those of opened folders below them: path, name, depth, whether a folder, bytes and time of change.

    Folders come first. Raises RemitError where the root cannot be read; an opened folder that cannot be is left closed.
    """
    try:
        return _entries(root, frozenset(opened), hidden, 0)
    except OSError as error:
        raise RemitError(f"cannot look into {root}: {error.strerror or error}") from error


def _entries(folder: Path, opened: frozenset[str], hidden: bool, depth: int) -> list[Doc]:
    with os.scandir(folder) as found:
        kept = [entry for entry in found if hidden or not entry.name.startswith(".")]
    kept.sort(key=lambda entry: (not _is_folder(entry), entry.name.casefold(), entry.name))
    rows: list[Doc] = []
    for entry in kept[:MOST]:
        is_folder = _is_folder(entry)
        row = {"path": entry.path, "name": entry.name, "depth": depth, "folder": is_folder, "open": False, **_facts(entry)}
        rows.append(row)
        if is_folder and entry.path in opened:
            try:
                inside = _entries(Path(entry.path), opened, hidden, depth + 1)
            except OSError as error:
                row["name"] += f"  ({error.strerror})"
                continue
            row["open"] = True
            rows += inside
    if len(kept) > MOST:
        rows.append(
            {
                "path": "",
                "name": f"… and {len(kept) - MOST:,} more",
                "depth": depth,
                "folder": False,
                "open": False,
                "bytes": None,
                "at": None,
            }
        )
    return rows


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _facts(entry: os.DirEntry[str]) -> Doc:
    try:
        stat = entry.stat()
    except OSError:
        return {"bytes": None, "at": None}
    return {"bytes": stat.st_size, "at": stat.st_mtime}


def meant(text: str) -> str:
    """A path as it was meant: whoever types a whole one behind what stood in the field means that one alone."""
    return text if Path(text).expanduser().exists() else _anew(text) or text


def _anew(text: str) -> str:
    """What is typed from the last place on at which a path begins anew, "" where none does."""
    at = max(text.rfind("//"), text.rfind("/~"))
    return text[at + 1 :] if at >= 0 else ""


def completions(text: str) -> list[str]:
    """Paths that go on from what is typed, folders with a slash behind them; `~` is the home folder, and stays as typed."""
    return _going_on(text) or (_going_on(anew) if (anew := _anew(text)) else [])


def _going_on(text: str) -> list[str]:
    head, slash, begun = text.rpartition("/")
    folder = Path(f"{head}{slash}" or ".").expanduser()
    try:
        with os.scandir(folder) as found:
            names = [
                f"{entry.name}/" if _is_folder(entry) else entry.name
                for entry in found
                if entry.name.startswith(begun) and (begun or not entry.name.startswith("."))
            ]
    except OSError:
        return []
    return [f"{head}{slash}{name}" for name in sorted(names)[:MOST]]


def completed(text: str) -> str:
    """What is typed, as far as all that goes on from it agree."""
    found = completions(text)
    if not found:
        return text
    # Sorted: what the first and the last agree in, all do.
    first, last = found[0], found[-1]
    agreed = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:agreed]


def recent(custody: Iterable[SourceFile], most: int = 20) -> list[str]:
    """What was imported before and is still there, the newest first: files, or the folder of many that came from one."""
    paths = [one.path for one in custody if one.path][::-1]
    folders = Counter(str(Path(path).parent) for path in set(paths))
    named = (str(Path(path).parent) if folders[str(Path(path).parent)] > 2 else path for path in paths)
    return [path for path in dict.fromkeys(named) if Path(path).exists()][:most]
