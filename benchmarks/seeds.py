"""Records of every registered format to measure with: those that the tests write, the sample day's, and the corpus read in place.

A format needs no entry here: whatever its own tests hand to its reader is recorded, in the order of the tests.
"""

from __future__ import annotations

import contextlib
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import is_hypothesis_test

from importers import NotRecognised, open_source
from importers.base import Importer, Reader, container_of
from importers.registry import importers
from model.event import BadRecord, Parsed, RawRecord
from review.intake.found import Missing
from review.intake.walking import walk

ROOT = Path(__file__).resolve().parent.parent
MOST = 400
LARGEST = 48 << 10
FROM_ONE_FILE = 60

Seeds = dict[str, list[bytes]]
"""By format: its records as JSON, whatever the format's container writes them as."""


def written() -> Seeds:
    """What the importers' own tests read, by format; tests that draw at random or need the corpus are left out."""
    kept = _Kept()
    names = sorted(str(path) for path in (ROOT / "tests").glob("test_importers_*.py"))
    silent = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={ROOT}"]
    with kept, contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*silent, *names], plugins=[_Selected()])
    return kept.records


class _Selected:
    """A pytest plugin: only the tests whose records are the same on every machine and in every run."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [
            item
            for item in items
            if "corpus" not in getattr(item, "fixturenames", ()) and not is_hypothesis_test(getattr(item, "obj", None))
        ]


class _Kept:
    """Between entering and leaving, records that any importer's reader is asked to read are kept."""

    def __init__(self) -> None:
        self.records: Seeds = defaultdict(list)
        self._seen: set[tuple[str, bytes]] = set()
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> None:
        for kind in {type(one) for one in importers().values()}:
            self._patch.setattr(kind, "open", self._opening(kind.open))

    def __exit__(self, *_: object) -> None:
        self._patch.undo()

    def _opening(self, plain: Any) -> Any:
        @wraps(plain)
        def opened(importer: Importer) -> Reader:
            return _Keeping(plain(importer), importer.id, self)

        return opened

    def keep(self, format: str, record: object) -> None:
        try:
            data = msgspec.json.encode(record)
        except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
            return
        seen = (format, data)
        if isinstance(record, dict) and format in importers() and len(data) <= LARGEST and seen not in self._seen:
            self._seen.add(seen)
            self.records[format].append(data)


class _Keeping:
    """A reader that keeps what it is asked to read."""

    def __init__(self, reader: Reader, format: str, kept: _Kept) -> None:
        self._reader, self._format, self._kept = reader, format, kept

    def read(self, record: object) -> Parsed:
        self._kept.keep(self._format, record)
        return self._reader.read(record)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


def found_in(folder: Path) -> Seeds:
    """The first records of every recognised file of a folder, by format; at most 60 of a file, of 48 KB each."""
    kept: Seeds = defaultdict(list)
    for found in walk([str(folder)]):
        if isinstance(found, Missing):
            continue
        try:
            with found.open() as stream:
                source = open_source(stream, name=found.name)
                count = 0
                for item in source.items():
                    if isinstance(item, RawRecord) and len(item.data) <= LARGEST:
                        kept[source.format].append(item.data)
                        count += 1
                    if count >= FROM_ONE_FILE:
                        break
        except (NotRecognised, OSError):
            continue
    return kept


def merged(*several: Seeds) -> Seeds:
    """All records of these, in their order."""
    return {format: [record for one in several for record in one.get(format, [])] for format in importers()}


def corpus_folder() -> Path | None:
    """The folder of public logs beside the checkout, if it is there."""
    path = ROOT.parent / "shared" / "corpus"
    return path if path.is_dir() else None


def gathered(corpus: Path | None) -> dict[str, tuple[bytes, ...]]:
    """At most 400 records of each registered format: the tests' first, then an even choice of the others."""
    own = written()
    others = merged(found_in(ROOT / "sample_data"), *([found_in(corpus)] if corpus else []))
    out: dict[str, tuple[bytes, ...]] = {}
    for format in importers():
        first = own.get(format, [])[:MOST]
        more = others[format]
        step = max(1, -(-len(more) // max(1, MOST - len(first))))
        out[format] = tuple(dict.fromkeys([*first, *more[::step]]))
    return out


def gives(records: Mapping[str, list[bytes]]) -> dict[str, tuple[set[str], set[str]]]:
    """By format: the kinds of events that these records give, and the vantages they are seen from."""
    out: dict[str, tuple[set[str], set[str]]] = {format: (set(), set()) for format in importers()}
    for format, some in records.items():
        kinds, vantages = out[format]
        for parsed in read_each(importers()[format], some):
            kinds.update(str(event.kind) for event in parsed.events)
            vantages.update(str(event.vantage) for event in parsed.events)
    return out


def read_each(importer: Importer, records: list[bytes]) -> Iterator[Parsed]:
    """What one reader makes of records in their order; those it refuses are passed over."""
    reader = importer.open()
    for data in records:
        with contextlib.suppress(BadRecord):
            yield reader.read(msgspec.json.decode(data))


def as_line(format: str, data: bytes) -> bytes:
    """A record as a line of its format's container: the JSON itself, key=value pairs, a table's row, or its text."""
    container = container_of(importers()[format])
    if container == "json":
        return data
    record: dict[str, Any] = msgspec.json.decode(data)
    if container == "paragraphs":
        return (str(record.get("line", "")) + "\n").encode("utf-8", "surrogatepass")
    if container == "lines":
        return str(record.get("line", "")).replace("\n", " ").encode("utf-8", "surrogatepass")
    if container == "csv":
        return b",".join(_cell(value) for value in record.values())
    prefix = str(record.pop("_prefix", ""))
    pairs = [f"{name}={_quoted(value)}" for name, value in record.items()]
    return " ".join([*([prefix] if prefix else []), *pairs]).encode("utf-8", "surrogatepass")


def table_header(data: bytes) -> bytes:
    """The first line of a table that holds this record."""
    return b",".join(_cell(name) for name in msgspec.json.decode(data))


def _cell(value: object) -> bytes:
    return ('"' + str(value).replace('"', '""') + '"').encode("utf-8", "surrogatepass")


def _quoted(value: object) -> str:
    if isinstance(value, dict):
        return "'" + " ".join(f"{name}={_quoted(inner)}" for name, inner in value.items()) + "'"
    text = str(value)
    if text and not any(c in text for c in " \"'=\n\t\\"):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
