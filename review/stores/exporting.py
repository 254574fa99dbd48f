"""Events and requests of a store as Parquet files by day, which any engine reads; a second export writes only what changed.

Each day is made anew in a file beside its place and put there if its bytes are others: what was exported stands whole at
every moment, and an export that was cut off is completed by the next. The manifest says what is there and is written last.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lang.times import parse_time
from review.errors import RemitError
from review.judge.journals import note_access
from review.stores.lake import COLUMNS, KINDS, VERSION, Kind, arrow_schema, event_row, mapping_text, request_row
from review.workspace import Workspace
from store.lake import DAY, LakeView

if TYPE_CHECKING:
    import pyarrow as pa

Doc = dict[str, Any]
GROUP_ROWS = 20_000
GROUP_BYTES = 32 << 20
"""A row group has at most so many rows, or about so many bytes: what is held in memory at once."""
PART_ROWS = 1_000_000
"""Rows of a file; a longer day has several."""
UNKNOWN_DAY = "__HIVE_DEFAULT_PARTITION__"
"""How engines that read such folders call a partition without a value."""
MANIFEST = "manifest.json"
MAPPING = "requests.mapping.yaml"
_OURS = re.compile(r"(events|requests)/day=[^/]{1,40}/part-\d{4}\.parquet")
_EPOCH = date(1970, 1, 1)

Told = Callable[[str, int, int], None]
"""Called with the day, rows written so far and files done."""


def export_parquet(
    work: Workspace,
    folder: str,
    kinds: tuple[Kind, ...] = KINDS,
    start: str | None = None,
    end: str | None = None,
    told: Told | None = None,
) -> Doc:
    """Write the days from `start` to `end` (both included) below a folder; what was `written`, left as it was and removed.

    Raises RemitError where the extra is missing, a day is none, or the folder holds something else.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise RemitError("--parquet needs the extra `parquet`: install remit[parquet]") from error
    first, last = _day(start, "--from"), _day(end, "--to")
    root = Path(folder).expanduser().absolute()
    known = _manifest(root)
    export = _Export(root, known, told)
    try:
        with work.store.lake_view() as view:
            for kind in kinds:
                export.kind(view, kind, first, last)
        export.finish()
    except OSError as error:
        raise RemitError(
            f"cannot write to {root}: {error.strerror or error}; what was written stands, export again to go on"
        ) from error
    done = export.document() | {"path": str(root), "from": start, "to": end}
    note_access(work, "export", {"parquet": root.name, "kinds": list(kinds), "rows": done["rows"], "from": start, "to": end})
    return done


class _Export:
    """One export under way."""

    def __init__(self, root: Path, known: dict[str, Doc], told: Told | None) -> None:
        self._root = root
        self._files = known
        self._told = told
        self._rows = {"events": 0, "requests": 0}
        self._written = self._same = self._removed = 0

    def kind(self, view: LakeView, kind: Kind, first: int | None, last: int | None) -> None:
        """Every day of a span; days that have nothing any more lose their files."""
        counts = view.event_days() if kind == "events" else view.request_days()
        wanted = {name: days for name, days in _named(counts) if _in(_number(f"{kind}/day={name}"), first, last)}
        kept: set[str] = set()
        for name in sorted(wanted):
            kept |= self._day(view, kind, name, *wanted[name])
            self._save()
        for path in [one for one in self._files if one.startswith(f"{kind}/") and one not in kept]:
            if _in(_number(path), first, last):
                (self._root / path).unlink(missing_ok=True)
                with suppress(OSError):
                    (self._root / path).parent.rmdir()
                del self._files[path]
                self._removed += 1

    def finish(self) -> None:
        """Write down what there is now."""
        self._save()
        _replace(self._root / MAPPING, mapping_text().encode())

    def document(self) -> Doc:
        return {
            "schema": VERSION,
            "rows": self._rows,
            "written": self._written,
            "unchanged": self._same,
            "removed": self._removed,
        }

    def _day(self, view: LakeView, kind: Kind, name: str, days: list[int | None], counts: list[int]) -> set[str]:
        folder = self._root / kind / f"day={name}"
        folder.mkdir(parents=True, exist_ok=True)
        made: set[str] = set()
        groups = _groups(view, kind, days, counts)
        group = next(groups, None)
        while group is not None:
            path = folder / f"part-{len(made):04}.parquet"
            fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
            try:
                rows = 0
                with _writer(fresh, kind) as writer:
                    while group is not None and (not rows or rows + group.num_rows <= PART_ROWS):
                        writer.write_table(group, row_group_size=GROUP_ROWS)
                        rows += group.num_rows
                        self._rows[kind] += group.num_rows
                        group = next(groups, None)
                        if self._told is not None:
                            self._told(f"{kind} {name}", self._rows[kind], self._written + self._same)
                self._place(fresh, path, rows)
            finally:
                fresh.unlink(missing_ok=True)
            made.add(path.relative_to(self._root).as_posix())
        return made

    def _place(self, fresh: Path, path: Path, rows: int) -> None:
        digest = _sha256(fresh)
        same = path.is_file() and not path.is_symlink() and _sha256(path) == digest
        if not same:
            with fresh.open("rb") as file:
                os.fsync(file.fileno())
            fresh.replace(path)
        self._same += same
        self._written += not same
        about = {"rows": rows, "bytes": path.stat().st_size, "sha256": digest}
        self._files[path.relative_to(self._root).as_posix()] = about

    def _save(self) -> None:
        shape = {
            "format": "remit-lake",
            "version": VERSION,
            "columns": {kind: {column.name: column.type for column in COLUMNS[kind]} for kind in KINDS},
            "files": dict(sorted(self._files.items())),
        }
        self._root.mkdir(parents=True, exist_ok=True)
        _replace(self._root / MANIFEST, json.dumps(shape, indent=1).encode() + b"\n")


def _manifest(root: Path) -> dict[str, Doc]:
    """The files of an earlier export; raises RemitError where the folder holds something that is none."""
    path = root / MANIFEST
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return {}
    try:
        found = json.loads(path.read_bytes())
        files = {str(name): dict(about) for name, about in found["files"].items()}
        if found["format"] != "remit-lake" or not all(_OURS.fullmatch(name) for name in files):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RemitError(f"{root} holds something that is no export; choose an empty or new folder") from error
    if found.get("version") != VERSION:
        raise RemitError(
            f"{root} holds an export of schema {found.get('version')!r}, this Remit writes {VERSION}; choose another folder"
        )
    return files


def _groups(view: LakeView, kind: Kind, days: list[int | None], counts: list[int]) -> Iterator[pa.Table]:
    """The rows of a partition as tables of one row group each, cut by what they hold alone."""
    held: list[tuple[Any, ...]] = []
    size = 0
    for row in _rows(view, kind, days, counts):
        held.append(row)
        size += sum(len(cell) for cell in row if isinstance(cell, str))
        if len(held) >= GROUP_ROWS or size >= GROUP_BYTES:
            yield _table(kind, held)
            held, size = [], 0
    if held:
        yield _table(kind, held)


def _rows(view: LakeView, kind: Kind, days: list[int | None], counts: list[int]) -> Iterator[tuple[Any, ...]]:
    for day, count in zip(days, counts, strict=True):
        if kind == "events":
            for events in view.events(day, count):
                yield from map(event_row, events)
        else:
            for requests in view.requests(day, count):
                yield from map(request_row, requests)


def _table(kind: Kind, rows: list[tuple[Any, ...]]) -> pa.Table:
    import pyarrow as pa

    schema = arrow_schema(kind)
    columns = []
    for field, cells in zip(schema, zip(*rows, strict=True), strict=True):
        try:
            columns.append(pa.array(cells, field.type))
        except (pa.ArrowException, ValueError, OverflowError):
            columns.append(pa.array([_mended(cell) for cell in cells], field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _mended(value: Any) -> Any:
    """A value that Parquet can hold: half characters become U+FFFD, numbers beyond 64 bits are unknown."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, bool) or not isinstance(value, int | list | tuple | dict):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else None
    if isinstance(value, dict):
        return {name: _mended(one) for name, one in value.items()}
    return type(value)(_mended(one) for one in value)


def _writer(path: Path, kind: Kind) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetWriter(path, arrow_schema(kind), compression="zstd", compression_level=3, version="2.6", store_schema=False)


def _named(counts: dict[int | None, int]) -> Iterator[tuple[str, tuple[list[int | None], list[int]]]]:
    """Partitions by name; days no calendar has stand with the unknown ones."""
    rest: list[int | None] = []
    for day in sorted(counts, key=lambda one: (one is None, one or 0)):
        if (name := _name(day)) is None:
            rest.append(day)
        else:
            yield name, ([day], [counts[day]])
    if rest:
        yield UNKNOWN_DAY, (rest, [counts[day] for day in rest])


def _name(day: int | None) -> str | None:
    try:
        return None if day is None else (_EPOCH + timedelta(days=day)).isoformat()
    except OverflowError:
        return None


def _number(path: str) -> int | None:
    """The day of a file's partition, counted from 1970."""
    try:
        return (date.fromisoformat(path.split("/")[1].removeprefix("day=")) - _EPOCH).days
    except ValueError:
        return None


def _in(day: int | None, first: int | None, last: int | None) -> bool:
    if first is None and last is None:
        return True
    return day is not None and (first is None or day >= first) and (last is None or day <= last)


def _day(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    at, _ = parse_time(text)
    if at is None:
        raise RemitError(f"{option}: {text[:40]!r} is no day; write 2026-03-17")
    return at // DAY


def _sha256(path: Path) -> str:
    found = sha256()
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            found.update(data)
    return found.hexdigest()


def _replace(path: Path, data: bytes) -> None:
    if path.is_file() and path.read_bytes() == data:
        return
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
