"""The replay index on disk: plain arrays opened by memory map, versioned, replaced whole and atomically.

A folder holds numbered generations and the file `current` that names one. A new generation is written beside the old
one and `current` is replaced last, so that a reader finds the old index or the new one, never half of one. The index
holds nothing that the store does not: it may be deleted at any time and is rebuilt from the store's rows.
"""

from __future__ import annotations

import mmap
import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Booleans, Buffer, Column, Lists, Numbers, Texts, Values
from model.request import REPLAYED
from policy.history import NAME_BYTES, Grouped, History

VERSION = 3
_BLOCK = 1 << 20


class HistoryStale(ValueError):
    """There is no index that this program can use; the text says why. Build it anew from the store's rows."""


class _Meta(msgspec.Struct):
    version: int
    schema: str
    state: str
    size: int
    columns: dict[str, str]
    files: dict[str, tuple[int, int]]
    first: int | None
    last: int | None


def schema_digest() -> str:
    """Changes with the request schema: an index made under another one is stale."""
    return sha256(repr([(field.name, field.type) for field in REPLAYED]).encode()).hexdigest()[:16]


def save(history: History, folder: Path, mode: int = 0o600) -> None:
    """Write a grouped history as the next generation of a folder and remove older ones no reader is opening anew.

    `mode` is that of the files; whoever may read them may enter the folder. Raises OSError.
    """
    enter = mode | (mode & 0o444) >> 2
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(enter)
    numbers = [int(p.name[1:]) for p in folder.glob("g*") if p.name[1:].isdigit()]
    name = f"g{max(numbers, default=0) + 1:08d}"
    place = folder / name
    place.mkdir(mode=0o700)
    files: dict[str, tuple[int, int]] = {}

    def put(file: str, data: NDArray[Any] | Buffer) -> None:
        content = np.ascontiguousarray(data).ravel().data.cast("B") if isinstance(data, np.ndarray) else memoryview(data)
        _write(place / file, content, mode)
        files[file] = content.nbytes, crc32(content)

    for file, array in _arrays(history).items():
        put(file, array)
    _put_texts(put, "tasks", history.tasks)
    kinds: dict[str, str] = {}
    for field, column in history.columns.items():
        kinds[field] = f"{type(column.values).__name__}:{column.codes.dtype.str}"
        put(f"{field}.codes", column.codes)
        _put_values(put, field, column.values)
    meta = _Meta(VERSION, schema_digest(), history.state, history.size, kinds, files, *history.span)
    told = msgspec.json.encode(meta)
    _write(place / "meta.json", memoryview(told), mode)
    place.chmod(enter)
    pointer = folder / f"current.{name}"
    _write(pointer, memoryview(f"{name} {crc32(told):08x}".encode()), mode)
    pointer.replace(folder / "current")
    for number in numbers:
        shutil.rmtree(folder / f"g{number:08d}", ignore_errors=True)


def _write(path: Path, content: memoryview, mode: int) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
        file.write(content)
    path.chmod(mode)


def load(folder: Path) -> History:
    """Open the current generation; see `History.load`."""
    seen = ""
    while True:
        try:
            name, _, checksum = (folder / "current").read_text(encoding="ascii").partition(" ")
        except (OSError, UnicodeDecodeError) as error:
            raise HistoryStale(f"there is no readable index: {error}") from None
        if not (name.startswith("g") and name[1:].isdigit()):
            raise HistoryStale("the index names no generation")
        try:
            return _generation(folder / name, checksum)
        except HistoryStale:
            if name == seen:
                raise
            seen = name  # a writer may have replaced it meanwhile: look once more


def _generation(place: Path, checksum: str) -> History:
    try:
        told = (place / "meta.json").read_bytes()
        if f"{crc32(told):08x}" != checksum:
            raise HistoryStale("the index is damaged: meta.json is not as it was written")
        meta = msgspec.json.decode(told, type=_Meta)
        if meta.version != VERSION or meta.schema != schema_digest():
            raise HistoryStale("the index was made by another version of this program")
        return _opened(place, meta)
    except HistoryStale:
        raise
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise HistoryStale(f"the index is damaged: {error}") from None


_ARRAYS: dict[str, str] = {
    "cell_shape": "<u4", "cell_recorded": "|u1", "row_cell": "<u4", "row_at": "<i8", "task_starts": "<i8",
    "cell_weight": "<i8", "cell_rows.starts": "<i8", "cell_rows.items": "<u4", "cell_tasks.starts": "<i8", "cell_tasks.items": "<u4",
}  # fmt: skip
_GROUPED: dict[str, str] = {"weight": "<u4", "until": "<i8", "names": "|u1", "named": "<u4"}


def _arrays(history: History) -> dict[str, NDArray[Any]]:
    assert history.grouped is not None, "only what a database can find again is kept"
    return {f"grouped.{name}": getattr(history.grouped, name) for name in _GROUPED} | {
        "cell_shape": history.cell_shape,
        "cell_recorded": history.cell_recorded,
        "row_cell": history.row_cell,
        "row_at": history.row_at,
        "task_starts": history.task_starts,
        "cell_weight": history.cell_weight,
        "cell_rows.starts": history.cell_rows.starts,
        "cell_rows.items": history.cell_rows.items,
        "cell_tasks.starts": history.cell_tasks.starts,
        "cell_tasks.items": history.cell_tasks.items,
    }


_Put = Callable[[str, "NDArray[Any] | Buffer"], None]


def _put_texts(put: _Put, name: str, texts: Texts) -> None:
    put(f"{name}.data", texts.data)
    put(f"{name}.starts", texts.starts.astype("<i8"))


def _put_values(put: _Put, name: str, values: Values) -> None:
    match values:
        case Texts():
            _put_texts(put, name, values)
        case Numbers():
            put(f"{name}.numbers", values.numbers.astype("<i8"))
        case Lists():
            _put_texts(put, f"{name}.elements", values.elements)
            put(f"{name}.items", values.items.astype("<u4"))
            put(f"{name}.lists", values.starts.astype("<i8"))
        case Booleans():
            pass


class _Files:
    """The files of one generation, each checked byte by byte before it is mapped."""

    def __init__(self, place: Path, written: dict[str, tuple[int, int]]) -> None:
        self.place = place
        self.written = written
        self._block = bytearray(_BLOCK)

    def buffer(self, name: str) -> bytes | mmap.mmap:
        with (self.place / name).open("rb", buffering=0) as file:
            if self._sum(file) != self.written[name]:
                raise HistoryStale(f"the index is damaged: {name} is not as it was written")
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self.written[name][0] else b""

    def _sum(self, file: FileIO) -> tuple[int, int]:
        """Size and checksum. Read, not mapped: pages that are only summed up should not count as ours."""
        size, total, block = 0, 0, memoryview(self._block)
        while got := file.readinto(block):
            size += got
            total = crc32(block[:got], total)
        return size, total

    def array(self, name: str, kind: str) -> NDArray[Any]:
        data = self.buffer(name)
        if len(data) % np.dtype(kind).itemsize:
            raise HistoryStale(f"the index is damaged: {name} is cut short")
        return np.frombuffer(data, np.dtype(kind))

    def texts(self, name: str) -> Texts:
        texts = Texts(self.buffer(f"{name}.data"), self.array(f"{name}.starts", "<i8"))
        if not len(texts.starts) or int(texts.starts[-1]) != len(texts.data):
            raise HistoryStale(f"the index is damaged: {name} does not fit together")
        return texts

    def values(self, name: str, kind: str) -> Values:
        match kind:
            case "Texts":
                return self.texts(name)
            case "Numbers":
                return Numbers(self.array(f"{name}.numbers", "<i8"))
            case "Lists":
                elements = self.texts(f"{name}.elements")
                return Lists(elements, self.array(f"{name}.items", "<u4"), self.array(f"{name}.lists", "<i8"))
            case "Booleans":
                return Booleans()
        raise HistoryStale(f"the index is damaged: {name} is of unknown kind {kind}")


def _opened(place: Path, meta: _Meta) -> History:
    files = _Files(place, meta.files)
    columns: dict[str, Column] = {}
    for name, kind in meta.columns.items():
        values, _, codes = kind.partition(":")
        columns[name] = Column(files.array(f"{name}.codes", codes), files.values(name, values))
        if len(columns[name].codes) != meta.size:
            raise HistoryStale(f"the index is damaged: {name} has another length than the shapes")
    arrays = {name: files.array(name, kind) for name, kind in _ARRAYS.items()}
    grouped = Grouped(**{name: files.array(f"grouped.{name}", kind) for name, kind in _GROUPED.items()})
    grouped = grouped._replace(names=grouped.names.reshape(-1, NAME_BYTES))
    span = (meta.first, meta.last)
    return History.restored(columns, arrays, files.texts("tasks"), meta.size, meta.state, span, grouped)
