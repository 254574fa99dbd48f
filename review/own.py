"""The organisation's own detections: where their files lie, what is wrong with them, which are in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chains.detections import Detection, registry
from chains.own import Definition, Found, as_detections, read_detections
from lang.diagnostics import Diagnostic
from review.errors import RemitError, UnreadableError

if TYPE_CHECKING:
    from reports.library import Library

MAX_FILES = 2_000
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Own:
    """The definitions in force by id, the file of each, and everything there is to say of the files, with its place."""

    definitions: dict[str, Definition]
    files: dict[str, str]
    problems: tuple[str, ...]
    detections: tuple[Detection, ...]

    @property
    def reach(self) -> int:
        """How far from a task, in microseconds, a change of coverage may change what is found in it; 0 where it cannot."""
        return max((one.reach for one in self.definitions.values()), default=0)


def load_own(folder: Path | None, named: Sequence[str], base: Path | None) -> Own:
    """Read the detections of a folder and those that the organisation file names relative to `base`.

    Never raises for what a file holds: what is wrong is left out and said. Ids are the first file's that has them.
    """
    problems: list[str] = []
    definitions: dict[str, Definition] = {}
    files: dict[str, str] = {}
    for path in own_paths(folder, named, base, problems):
        try:
            found = read_file(str(path))
        except RemitError as error:
            problems.append(str(error))
            continue
        problems += [placed(str(path), one) for one in found.errors]
        for one in found.definitions:
            if one.id in definitions:
                problems.append(f"{path}:{one.line}:1: {one.id} is already defined in {files[one.id]}; this one is left out")
                continue
            definitions[one.id], files[one.id] = one, str(path)
    return Own(definitions, files, tuple(problems), as_detections(definitions.values()))


def own_paths(folder: Path | None, named: Sequence[str], base: Path | None, problems: list[str]) -> list[Path]:
    """The files that hold own detections; what is named and not there goes to `problems`."""
    found: list[Path] = []
    for text in named:
        path = (base or Path()) / text
        if path.is_dir():
            found += _inside(path)
        elif path.exists():
            found.append(path)
        else:
            problems.append(f"own_detections: there is nothing at {path}; the organisation file names it")
    if folder is not None:
        found += _inside(folder)
    found = list(dict.fromkeys(found))
    if len(found) > MAX_FILES:
        problems.append(f"more than {MAX_FILES:,} files of detections; the first {MAX_FILES:,} by name are read")
    return found[:MAX_FILES]


def _inside(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES and not p.name.startswith(".") and p.is_file())


def read_file(path: str, *, library: Library | None = None) -> Found:
    """One file of detections; with a `library` what they speak to is held against its catalogues, the organisation's own included."""
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UnreadableError(f"cannot read the detections in {path}: {reason}") from error
    known = {id: frozenset(one.by_id) for id, one in library.frameworks.items()} if library is not None else None
    return read_detections(text, families=families(), controls=known)


def families() -> frozenset[str]:
    """Families of the built-in detections."""
    return frozenset(one.family for one in registry().values())


def placed(path: str, one: Diagnostic) -> str:
    return f"{path}:{one.line}:{one.column}: {one.message}"
