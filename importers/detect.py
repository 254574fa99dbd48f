"""Which format a source is of, told by its first records alone, and the source opened as that format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import BinaryIO

from importers.base import Importer, container_of, reads_documents, reads_heads
from importers.cutting.containers import TEXT, Cutter, HeadRecord, Item, NotRecognised, begun, is_json
from importers.cutting.documents import whole_document
from importers.cutting.elsewhere import ways_elsewhere
from importers.cutting.envelope import objects_in
from importers.cutting.framing import Container, Frames, Shape
from importers.cutting.framing import sample as framed_sample
from importers.cutting.origin import CHUNK, Damaged, Origin, Prefix
from importers.cutting.scanner import Restart, Window, balanced
from importers.cutting.strange import LENGTH, strange
from importers.cutting.tables import nested
from importers.cutting.wrapping import (
    FLAT,
    Unwrapped,
    Way,
    cut_by_runtime,
    first_at,
    in_carriers,
    inside,
    laid_flat,
    pieced,
    ways,
)
from importers.reading import readable
from importers.registry import importer_named, importers
from importers.shared.fields import decode
from model.event import BadRecord, Reject

SAMPLE_RECORDS = 50
SAMPLE_BYTES = 256 << 10
SURE_OF_ROWS = 60
"""A score from which a table's rows are taken for a format's records: a table has many names, and any of them may be a coincidence."""
SURE_ELSEWHERE = 60
"""A score from which records at a place that no carrier is known to use are taken for a format's."""
BARELY = 20
"""Up to this score a format knows the outer shape and nothing that is told in it: what it carries is looked at first."""
_KEYS_SHOWN = 6
_ROWS: tuple[tuple[Container, Shape | None], ...] = (("csv", None), ("csv", nested), ("lines", None))
"""How a text that is no format's own is looked into: a table's cells first, then its columns' common objects, then lines behind a prefix."""

_Cut = tuple[Item, Restart | None]


class OpenSource:
    """A recognised source: its importer, and its records to be read once.

    `sha256` and `bytes` speak of the stored (still compressed) bytes and are whole once `items` is exhausted;
    `noise_lines` counts text lines between the records, `repaired` the records that needed a repair to be decoded. `began`
    is the offset from which it is read, 0 but after `restart`.
    """

    def __init__(
        self,
        importer: Importer,
        origin: Origin,
        window: Window,
        cutter: Cutter | Frames,
        head: list[_Cut],
        rest: Iterator[Item],
        carried: Sequence[Unwrapped] = (),
    ) -> None:
        self.importer = importer
        self.compression = origin.compression
        self.line: Restart | None = None
        self.began = 0
        self._origin = origin
        self._window = window
        self._cutter = cutter
        self._head = head
        self._rest = rest
        self._carried = carried

    @property
    def format(self) -> str:
        return self.importer.id

    @property
    def sha256(self) -> str:
        return self._origin.raw.sha256

    @property
    def bytes(self) -> int:
        return self._origin.raw.size

    @property
    def carried(self) -> bool:
        """Whether the records came inside the records of a carrier, which only looking at them tells."""
        return bool(self._carried)

    @property
    def noise_lines(self) -> int:
        return self._cutter.noise_lines + sum(carried.noise_lines for carried in self._carried)

    @property
    def repaired(self) -> int:
        return self._cutter.repaired

    def items(self) -> Iterator[Item]:
        """Records and rejects in the order of the source; what follows the last one is read for the digest.

        `line` is set while the item just given stands on a last line that has no end yet: its beginning.
        """
        # No name here holds an item while the next is read: each may be of 64 MB.
        heads = reads_heads(self.importer)
        while self._head:
            item, self.line = self._head.pop(0)
            if heads or not isinstance(item, HeadRecord):
                yield item
            del item
        for item in self._rest:
            self.line = None if self._carried else _open_line(self._window, self._cutter)
            if heads or not isinstance(item, HeadRecord):
                yield item
            del item
        self.line = None
        try:
            self._origin.raw.drain()
        except Damaged as error:
            # An archive whose member breaks off behind its last record.
            if not self._window.damage:
                yield Reject(self._window.line, None, self._window.offset, str(error))

    def leave(self) -> None:
        """Keep nothing of what was read for recognising it: another process reads it all."""
        self._head, self._rest = [], iter(())
        self._window.restart(0, 1)

    def end(self) -> Restart | None:
        """Where more would be read on, once `items` is exhausted: the end, where a line ends there. None: from the beginning."""
        whole = self._origin.plain and self._window.spent and self._window.ends_line and not self.carried
        return self._cutter.place(end=True) if whole else None

    def restart(self, place: Restart, prefix: Prefix) -> bool:
        """Read on from this place, which lies within a prefix read earlier; False, and nothing changed, where that cannot be."""
        if self.carried or not self._origin.plain or place.offset > prefix.size or not self._cutter.restart(place):
            return False
        self._origin.raw.restart(place.offset, prefix)
        self._head, self._rest, self.began = [], self._cutter.items(), place.offset
        return True


def open_source(stream: BinaryIO, name: str = "", format: str | Importer | None = None) -> OpenSource:
    """Open a byte stream (a pipe will do) as a log of a known format; raises NotRecognised saying what it looks like.

    The format is told by content: every importer weighs the first records, at most 50 or 256 KB; the highest score
    wins, then the first id. `format` forces one, by its id or as it is. `name` serves messages only.
    """
    try:
        origin = Origin(stream)
    except Damaged as error:
        raise NotRecognised(str(error)) from error
    if isinstance(format, str):
        named = importer_named(format)
        if named is None:
            raise NotRecognised(f"no format is called {format!r}; known: {', '.join(importers())}")
        format = named
    if (kind := strange(origin.raw.peek(LENGTH))) is not None:
        raise NotRecognised(kind)
    window = begun(origin)
    if format is not None:
        container = container_of(format)
        if container != "json":
            return _framed(format, container, origin, window)
        if _of_document(window, (format,)) is not None:
            return _framed(format, "document", origin, window)
        if not is_json(window) and _of_table(window, (format,)) is not None:
            return _framed(format, "csv", origin, window, nested)
        cutter = Cutter(window, _of_members(window, (format,)) is not None)
        items = cutter.items()
        return OpenSource(format, origin, window, cutter, _sample(window, cutter, items)[0], items)
    known = importers()
    if (importer := _of_document(window, known.values())) is not None:
        return _framed(importer, "document", origin, window)
    if (found := _of_runtime(window, known.values())) is not None:
        frames = Frames("lines", window)
        return _carried(*found, origin, window, frames, frames.items())
    if not is_json(window):
        if (text := _of_text(window, known.values())) is not None:
            return _framed(*text, origin, window)
        if (importer := _of_table(window, known.values())) is not None:
            return _framed(importer, "csv", origin, window, nested)
        for outer, shape in _ROWS:
            rows = framed_sample(outer, _head(window))
            rows = [shape(one) for one in rows if isinstance(one, dict)] if shape else rows
            if (within := _of_carried(rows, known.values())) is not None:
                frames = Frames(outer, window, shape)
                return _carried(*within, origin, window, frames, frames.items())
    cutter = Cutter(window, _of_members(window, known.values()) is not None)
    items = cutter.items()
    head, sample, about = _sample(window, cutter, items)
    score, importer = _of_records(sample, known.values(), about)
    if importer is not None and score > BARELY:
        return OpenSource(importer, origin, window, cutter, head, items)
    first = [item for item, _ in head]
    if (within := _of_carried(sample, known.values())) is not None:
        return _carried(*within, origin, window, cutter, chain(first, items))
    if importer is not None:
        return OpenSource(importer, origin, window, cutter, head, items)
    raise NotRecognised(_looks_like(sample, first, cutter.noise_lines), empty=not head and not cutter.noise_lines)


def _of_records(
    sample: list[object], known: Iterable[Importer], about: list[object] | None = None, container: Container = "json"
) -> tuple[int, Importer | None]:
    """The format that is surest of a sample of records and of what stands beside their list, and how sure it is; 0 and None where none is."""
    heads = about or []
    if not (sample or heads):
        return 0, None
    likely = ((one.sniff(heads + sample if reads_heads(one) else sample), one) for one in known if container_of(one) == container)
    score, importer = max(likely, key=lambda pair: pair[0], default=(0, None))
    return (score, importer) if score > 0 else (0, None)


def _of_carried(sample: list[object], known: Collection[Importer], levels: int = 2) -> tuple[Importer, list[Way]] | None:
    """The format of records inside others, and the ways to them from the outside in; None where no format knows what is inside."""
    within: list[tuple[Way, list[object]]] = []
    barely: tuple[Importer, list[Way]] | None = None
    held = in_carriers(sample)
    for way in ways() if held else ():
        inner = inside(held.get(way.path, ()), way, len(sample))
        score, importer = _of_records(inner, known, container=way.container)
        if importer is not None and score > BARELY:
            return importer, [way]
        barely = barely or ((importer, [way]) if importer is not None else None)
        if inner and way.container == "json":
            within.append((way, inner))
    for way in ways_elsewhere(sample):
        inner = inside(first_at(sample, way.path), way, len(sample))
        score, importer = _of_records(inner, known)
        if importer is not None and score >= SURE_ELSEWHERE:
            return importer, [way]
        if inner and not way.objects:
            within.append((way, inner))
    for way in FLAT:
        held_flat = first_at(sample, way.path)
        inner = inside(held_flat, way, len(sample)) if any(map(laid_flat, held_flat)) else []
        score, importer = _of_records(inner, known)
        if importer is not None and score >= SURE_OF_ROWS:
            return importer, [way]
    for way, inner in within if levels > 1 and barely is None else ():
        if (further := _of_carried(inner, known, levels - 1)) is not None:
            return further[0], [way, *further[1]]
    return barely


def _carried(
    importer: Importer, to: list[Way], origin: Origin, window: Window, cutter: Cutter | Frames, items: Iterator[Item]
) -> OpenSource:
    carried: list[Unwrapped] = []
    for place, way in enumerate(to, 1):
        last = place == len(to)
        carried.append(Unwrapped(items, way, (lambda record: importer.sniff([record]) > 0) if last else bool))
        items = iter(carried[-1])
    return OpenSource(importer, origin, window, cutter, [], items, carried)


def _of_text(window: Window, known: Iterable[Importer]) -> tuple[Importer, Container] | None:
    """The format of a log of text lines, told by its first lines; None where no such format knows them."""
    head = _head(window)
    samples: dict[Container, list[object]] = {}
    best: tuple[int, Importer, Container] | None = None
    for one in known:
        container = container_of(one)
        if container == "json":
            continue
        if container not in samples:
            samples[container] = framed_sample(container, head)
        score = one.sniff(samples[container])
        if score > 0 and (best is None or score > best[0]):
            best = (score, one, container)
    return None if best is None else best[1:]


def _of_runtime(window: Window, known: Collection[Importer]) -> tuple[Importer, list[Way]] | None:
    """The format of records in a container runtime's own log file, any of which may be cut into pieces; else None."""
    head = _head(window)
    return _of_carried(pieced(framed_sample("lines", head)), known) if cut_by_runtime(head) else None


def _of_document(window: Window, known: Iterable[Importer]) -> Importer | None:
    """The format whose record the whole source is, in TOML or in JSON with comments; None where no format knows it."""
    readers = [one for one in known if reads_documents(one)]
    document = whole_document(window) if readers else None
    return None if document is None else _of_records([document], readers)[1]


def _of_table(window: Window, known: Iterable[Importer]) -> Importer | None:
    """The format whose records a table's rows are; None where no format of JSON records is sure of them."""
    rows = [nested(one) for one in framed_sample("csv", _head(window)) if isinstance(one, dict)]
    likely = ((one.sniff(rows), one) for one in known if rows and container_of(one) == "json")
    score, importer = max(likely, key=lambda pair: pair[0], default=(0, None))
    return importer if score >= SURE_OF_ROWS else None


def _of_members(window: Window, known: Collection[Importer]) -> Importer | None:
    """The format of the members of the source's first object, where it knows these and none knows the object; else None."""
    objects = _decoded(objects_in(window.buf, window.pos, SAMPLE_RECORDS) if window.buf[window.pos] == 0x7B else [])
    score, importer = _of_records(objects, known)
    if importer is None or score < SURE_ELSEWHERE or 4 * sum(importer.sniff([one]) > 0 for one in objects) < 3 * len(objects):
        return None
    end = balanced(window.buf, window.pos)[0]
    whole = _decoded([window.buf[window.pos : end]] if end > 0 else [])
    if (len(objects) == 1 and in_carriers(whole)) or _of_records(whole, known)[0] > BARELY:
        return None
    return importer


def _decoded(values: Iterable[bytes]) -> list[object]:
    found: list[object] = []
    for one in values:
        with suppress(BadRecord):
            found.append(decode(one))
    return found


def _head(window: Window) -> bytes:
    return window.buf[window.pos : window.pos + CHUNK]


def _framed(importer: Importer, container: Container, origin: Origin, window: Window, shape: Shape | None = None) -> OpenSource:
    frames = Frames(container, window, shape)
    return OpenSource(importer, origin, window, frames, [], frames.items())


def _open_line(window: Window, cutter: Cutter | Frames) -> Restart | None:
    """The beginning of the line just read, where it is the source's last and has no end."""
    return cutter.place(end=False) if window.spent else None


def _sample(window: Window, cutter: Cutter, items: Iterator[Item]) -> tuple[list[_Cut], list[object], list[object]]:
    """The first items, and their records decoded for a look only; last what stands beside a list."""
    head: list[_Cut] = []
    sample: list[object] = []
    about: list[object] = []
    size = largest = 0
    for item in items:
        head.append((item, _open_line(window, cutter)))
        if not isinstance(item, Reject):
            # One giant record alone says too little of what comes after it.
            size, largest = size + min(len(item.data), largest), max(len(item.data), largest)
            try:
                (about if isinstance(item, HeadRecord) else sample).append(decode(readable(item.data) or item.data))
            except BadRecord:
                continue
        if len(head) >= SAMPLE_RECORDS or size >= SAMPLE_BYTES:
            break
    return head, sample, about


def _looks_like(sample: list[object], head: list[Item], noise_lines: int) -> str:
    """A sentence on what the source seems to hold, from key names alone, never from values."""
    keys: Counter[str] = Counter()
    for record in sample:
        if isinstance(record, dict):
            keys.update(str(key)[:40] for key in record)
    if keys:
        common = sorted(keys, key=lambda key: (-keys[key], key))[:_KEYS_SHOWN]
        return f"JSON objects with the keys {', '.join(common)}; no known format"
    if sample:
        return "JSON values that are not objects; no known format"
    rejects = [item for item in head if isinstance(item, Reject)]
    if any(reject.reason != TEXT for reject in rejects):
        return f"no readable record (line {rejects[0].line}: {rejects[0].reason})"
    if rejects or noise_lines:
        return "text of no known format"
    return "an empty list of records"
