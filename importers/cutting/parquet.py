"""Parquet files as JSON records: one list, each row an element of it, each row group on a line of its own.

A record's `line` is so the number of its row group, its `index` the number of its row in the file. What a row says is
what JSON would: no member that is null, times in ISO 8601, decimals as numbers, bytes that are text as text. One row
group is read at a time, in batches, and before it is, its pages' headers say what unpacking them takes: a file that is
small and grows without measure is refused with the reason.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import msgspec

from importers.cutting.origin import BOMB_FLOOR, CHUNK, Damaged, Made, Prefix
from importers.cutting.pages import BadPage, pages
from importers.cutting.scanner import MAX_RECORD
from importers.cutting.tables import put

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

MAGIC, SEALED = b"PAR1", b"PARE"
MAX_FOOTER = 64 << 20
MAX_COLUMNS = 10_000
MAX_GROUPS = 100_000
MAX_NESTING = 64
MAX_PAGE = 64 << 20
"""Bytes of a page once unpacked; writers make pages of a megabyte."""
MAX_VALUES = 16 << 20
VALUES_A_ROW = 256
"""A column of a row group holds at most so many values, and so many more for each row."""
BOMB_RATIO = 1_000
"""Bytes of JSON for each stored byte beyond the first 64 MB. Columns of few values pack far better than text does."""
BATCH = 500
_WORDS = ("STRING", "NONE", "JSON", "ENUM", "BSON")
_REFUSED = (ValueError, OverflowError, KeyError, TypeError, NotImplementedError)
"""What a value is refused with that Python has no like for: Arrow's own errors are of these kinds."""
_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


def rows_of(path: Path) -> tuple[AbstractContextManager[BinaryIO] | None, str]:
    """The rows of a Parquet file as a stream of JSON lists, or None and the reason they cannot be read; raises OSError."""
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError:
        return None, "a Parquet file; reading one needs the extra `parquet`: install remit[parquet]"
    with path.open("rb") as stream:
        if reason := _footer(stream):
            return None, reason
    try:
        rows = _Rows(path)
    except (pa.ArrowException, OSError, ValueError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        return None, f"a damaged Parquet file: {_first(error)}"
    if reason := rows.refused():
        rows.close()
        return None, reason
    return closing(cast("BinaryIO", rows)), ""


def _footer(stream: BinaryIO) -> str:
    """Why the end of a file is no footer one could read, "" where it is one."""
    size = stream.seek(0, io.SEEK_END)
    if size < 12:
        return "a damaged Parquet file: it has no footer"
    stream.seek(size - 8)
    tail = stream.read(8)
    if tail[4:] == SEALED:
        return "an encrypted Parquet file; decrypt it with its key"
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != MAGIC or length > size - 12:
        return "a damaged Parquet file: it has no footer (it is cut off, or still being written)"
    if length > MAX_FOOTER:
        return f"a Parquet file whose footer has {length} bytes; more than {MAX_FOOTER} are not read"
    return ""


class _Rows(Made):
    """The stream; raises Damaged where the file cannot be read any further."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        self._path = path
        self._file = pq.ParquetFile(
            path,
            pre_buffer=False,
            buffer_size=CHUNK,
            arrow_extensions_enabled=False,
            coerce_int96_timestamp_unit="us",
            thrift_string_size_limit=MAX_FOOTER,
            thrift_container_size_limit=MAX_GROUPS,
            schema_depth_limit=MAX_NESTING,
        )
        super().__init__(self._text())
        with path.open("rb") as stream:
            prefix = Prefix(stream, path.stat().st_size)
        self.stored = (prefix.hash.hexdigest(), prefix.size)

    def refused(self) -> str:
        """Why a file that could be opened is not read, "" where it is."""
        meta = self._file.metadata
        if meta.num_columns > MAX_COLUMNS:
            return f"a Parquet file of {meta.num_columns} columns; more than {MAX_COLUMNS} are not read"
        if meta.num_row_groups > MAX_GROUPS:
            return f"a Parquet file of {meta.num_row_groups} row groups; more than {MAX_GROUPS} are not read"
        return ""

    def close(self) -> None:
        self._file.close()
        super().close()

    def _text(self) -> Iterator[bytes]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        words = [
            column.path
            for column in map(self._file.schema.column, range(self._file.metadata.num_columns))
            if column.physical_type == "BYTE_ARRAY" and column.logical_type.type in _WORDS
        ]
        # Texts stay numbers into their dictionary until it is known how long they are in all.
        with (
            pq.ParquetFile(
                self._path,
                metadata=self._file.metadata,
                read_dictionary=words,
                pre_buffer=False,
                buffer_size=CHUNK,
                arrow_extensions_enabled=False,
                coerce_int96_timestamp_unit="us",
            ) as file,
            self._path.open("rb") as stream,
        ):
            made, before = 0, b"["
            for number in range(file.metadata.num_row_groups):
                group = file.metadata.row_group(number)
                try:
                    _weigh(stream, group)
                    for batch in file.iter_batches(BATCH, row_groups=[number], use_threads=False):
                        for part in _parts(batch):
                            made += len(part)
                            if made > BOMB_FLOOR and made > BOMB_RATIO * self.stored[1]:
                                raise Damaged(f"reading stopped after {made} bytes: more than {BOMB_RATIO} times what is stored")
                            yield before + part
                            before = b","
                    yield b"\n"
                except BadPage as error:
                    raise Damaged(f"row group {number + 1} is not read: {error}") from error
                except (pa.ArrowException, OSError, ValueError, NotImplementedError) as error:
                    if isinstance(error, Damaged):
                        raise
                    raise Damaged(f"row group {number + 1} cannot be read: {_first(error)}") from error
            yield b"]" if made else b"[]"


def _weigh(stream: BinaryIO, group: pq.RowGroupMetaData) -> None:
    """Raise BadPage where a row group's pages would unpack to more than its rows can be."""
    most = MAX_VALUES + VALUES_A_ROW * max(0, group.num_rows)
    for column in map(group.column, range(group.num_columns)):
        starts = [at for at in (column.dictionary_page_offset, column.data_page_offset) if at]
        if not starts or column.total_compressed_size < 0:
            continue
        values = 0
        for page in pages(stream, min(starts), column.total_compressed_size):
            if page.unpacked > MAX_PAGE:
                raise BadPage(f"a page that unpacks to {page.unpacked} bytes; more than {MAX_PAGE} are not read")
            values += 0 if page.dictionary else page.values
            if values > most:
                raise BadPage(f"more than {most} values for {group.num_rows} rows")


def _parts(batch: pa.RecordBatch) -> Iterator[bytes]:
    """The rows of a batch as the elements of a JSON list; a half at a time where they are long."""
    if batch.num_rows > 1 and _spread(batch) > MAX_RECORD:
        half = batch.num_rows // 2
        yield from _parts(batch.slice(0, half))
        yield from _parts(batch.slice(half))
    elif batch.num_rows and _spread(batch) > MAX_RECORD:
        yield _ENCODER.encode({"_unreadable": f"a row of more than {MAX_RECORD} bytes"})
    elif batch.num_rows:
        rows: list[Any] = _values(batch.to_struct_array())
        dotted = any("." in name for name in batch.schema.names)
        yield _ENCODER.encode([_unfolded(row) for row in rows] if dotted else rows)[1:-1]


def _unfolded(row: dict[str, object]) -> dict[str, object]:
    """A row whose columns are named by their path: `a.b` as a member of `a`."""
    found: dict[str, object] = {}
    for name, value in row.items():
        path = name.split(".")
        if not all(path) or not put(found, path, value):
            found[name] = value
    return found


def _values(array: pa.Array) -> list[object]:
    """What JSON says for each value of an array: members without a value left out, bytes as their text or told by their length."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, types = array.type, pa.types
    if types.is_dictionary(kind):
        words = [*_values(array.dictionary), None]
        return [words[place] for place in array.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False).tolist()]
    if types.is_struct(kind):
        names = [field.name for field in kind]
        cells = zip(*map(_values, array.flatten()), strict=True)
        made: list[object] = [{name: one for name, one in zip(names, row, strict=True) if one is not None} for row in cells]
        return made if not array.null_count else [one if there else None for one, there in zip(made, _there(array), strict=True)]
    if types.is_map(kind):
        pairs = _lists(array.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)]))))
        return [None if one is None else _mapped(one) for one in pairs]
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return list(_lists(array))
    if types.is_timestamp(kind):
        array = pc.cast(array, options=pc.CastOptions(pa.timestamp("us", "UTC" if kind.tz else None), allow_time_truncate=True))
    elif types.is_time64(kind):
        array = pc.cast(array, options=pc.CastOptions(pa.time64("us"), allow_time_truncate=True))
    elif types.is_duration(kind):
        array = pc.cast(array, options=pc.CastOptions(pa.duration("us"), allow_time_truncate=True))
    try:
        found: list[object] = array.to_pylist()
    except _REFUSED:
        found = [_scalar(one) for one in array]
    return (
        [_text(one) if isinstance(one, bytes) else one for one in found]
        if types.is_fixed_size_binary(kind) or _is_bytes(kind)
        else found
    )


def _is_bytes(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _there(array: pa.Array) -> list[bool]:
    found: list[bool] = array.is_valid().to_pylist()
    return found


def _lists(array: pa.Array) -> Iterator[list[Any] | None]:
    import pyarrow.compute as pc

    inner, at = _values(array.flatten()), 0
    for length in pc.list_value_length(array).to_pylist():
        yield None if length is None else inner[at : at + length]
        at += length or 0


def _mapped(pairs: list[Any]) -> object:
    """An object, or the pairs where a name comes twice or is no text."""
    names = {name for pair in pairs if isinstance(name := pair.get("key"), str)}
    return {pair["key"]: pair.get("value") for pair in pairs if "value" in pair} if len(names) == len(pairs) else pairs


def _scalar(one: pa.Scalar) -> object:
    """A value, or that Python has none for it."""
    try:
        return one.as_py()
    except _REFUSED as error:
        return {"_unreadable": _first(error)}


def _text(value: bytes) -> object:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"_bytes": len(value)}


def _spread(batch: pa.RecordBatch) -> int:
    """About how many bytes a batch takes once every text stands for itself."""
    return sum(_size(column) for column in batch.columns)


def _size(array: pa.Array) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        lengths = pc.take(pc.binary_length(array.dictionary), array.indices)
        return int(pc.sum(lengths).as_py() or 0)
    if pa.types.is_struct(kind):
        return sum(map(_size, array.flatten()))
    if pa.types.is_map(kind):
        return _size(array.keys) + _size(array.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return 8 * len(array) + _size(array.flatten())
    return int(array.nbytes)


def _first(error: BaseException) -> str:
    """The first line of what a library said, at a length one can read."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
