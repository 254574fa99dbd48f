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
from importers.cutting.envelope import objects_in
from importers.cutting.framing import Container, Frames, Shape
from importers.cutting.origin import CHUNK, Damaged, Origin, Prefix
from importers.cutting.printed import printed
from importers.cutting.requoted import requoted
from importers.cutting.scanner import Restart, Window, balanced
from importers.cutting.strange import LENGTH, strange, written
from importers.cutting.tables import nested
from importers.cutting.typed import plain, told_with_kinds
from importers.cutting.wrapping import TYPED, Unwrapped, Way, in_carriers
from importers.reading import readable
from importers.recognising import BARELY, SURE_ELSEWHERE, Told, of_carried, of_records, of_table, of_text
from importers.registry import importer_named, importers
from importers.shared.fields import decode, mapping
from model.event import BadRecord, Reject

SAMPLE_RECORDS = 50
SAMPLE_BYTES = 256 << 10
_KEYS_SHOWN = 6

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
        if not is_json(window) and of_table(_head(window), (format,)) is not None:
            return _framed(format, "csv", origin, window, nested)
        cutter = _cutter(window, (format,))
        items = cutter.items()
        return OpenSource(format, origin, window, cutter, _sample(window, cutter, items)[0], items)
    known = importers()
    if (importer := _of_document(window, known.values())) is not None:
        return _framed(importer, "document", origin, window)
    if (told := _of_text(window, known)) is not None:
        if told.within is None:
            return _framed(told.importer, told.container, origin, window, told.shape)
        outer = Frames(told.container, window, told.shape) if told.container != "json" else Cutter(window)
        return _carried(told.importer, told.within, origin, window, outer, outer.items())
    begin = _head(window)
    cutter = _cutter(window, known.values())
    items = cutter.items()
    head, sample, about = _sample(window, cutter, items)
    kinds = [TYPED] if told_with_kinds(sample) else []
    if kinds:
        sample = [plain(record) for record in sample]
    score, importer = of_records(sample, known.values(), about)
    first = [item for item, _ in head]
    if importer is not None and score > BARELY:
        if kinds:
            return _carried(importer, kinds, origin, window, cutter, chain(first, items))
        return OpenSource(importer, origin, window, cutter, head, items)
    if (within := of_carried(sample, known.values())) is not None:
        return _carried(within[0], [*kinds, *within[1]], origin, window, cutter, chain(first, items))
    if importer is not None:
        return OpenSource(importer, origin, window, cutter, head, items)
    if (kind := written(begin)) is not None:
        raise NotRecognised(kind)
    raise NotRecognised(_looks_like(sample, first, cutter.noise_lines), empty=not head and not cutter.noise_lines)


def _of_text(window: Window, known: dict[str, Importer]) -> Told | None:
    """How a source that does not begin as JSON is read, or one of which each line is quoted once more; None where that is not known."""
    head = _head(window)
    shape = printed(head) or requoted(head)
    if is_json(window) and shape is None:
        return None
    told = of_text(head, known.values(), shape)
    # Pairs are found in anything, and here would come with what stands around them.
    return None if told is not None and told.container == "keyvalue" and written(head) is not None else told


def _carried(
    importer: Importer, to: list[Way], origin: Origin, window: Window, cutter: Cutter | Frames, items: Iterator[Item]
) -> OpenSource:
    carried: list[Unwrapped] = []
    for place, way in enumerate(to, 1):
        last = place == len(to)
        carried.append(Unwrapped(items, way, (lambda record: importer.sniff([record]) > 0) if last else bool))
        items = iter(carried[-1])
    return OpenSource(importer, origin, window, cutter, [], items, carried)


def _of_document(window: Window, known: Iterable[Importer]) -> Importer | None:
    """The format whose record the whole source is, in TOML or in JSON with comments; None where no format knows it."""
    readers = [one for one in known if reads_documents(one)]
    document = whole_document(window) if readers else None
    return None if document is None else of_records([document], readers)[1]


def _cutter(window: Window, known: Collection[Importer]) -> Cutter:
    cutter = Cutter(window, _of_members(window, known) is not None)
    return Cutter(window, whole=True) if cutter.key is not None and _is_whole(window, cutter.key, known) else cutter


def _is_whole(window: Window, key: str, known: Collection[Importer]) -> bool:
    """Whether the source's first object, in which a list looks like the records, is a record of a format, and the list's elements are of none."""
    end = balanced(window.buf, window.pos)[0]
    whole = _decoded([window.buf[window.pos : end]] if end > 0 else [])
    first = mapping(whole[0]) if whole else {}
    rows = first.get(key)
    alone = [one for one in known if not reads_heads(one)]
    if not isinstance(rows, list) or of_records(whole, alone)[0] <= BARELY:
        return False
    some = rows[:SAMPLE_RECORDS]
    return of_records(some, known, [{**first, key: []}])[0] <= BARELY and of_carried(some, known) is None


def _of_members(window: Window, known: Collection[Importer]) -> Importer | None:
    """The format of the members of the source's first object, where it knows these and none knows the object; else None."""
    objects = _decoded(objects_in(window.buf, window.pos, SAMPLE_RECORDS) if window.buf[window.pos] == 0x7B else [])
    score, importer = of_records(objects, known)
    if importer is None or score < SURE_ELSEWHERE or 4 * sum(importer.sniff([one]) > 0 for one in objects) < 3 * len(objects):
        return None
    end = balanced(window.buf, window.pos)[0]
    whole = _decoded([window.buf[window.pos : end]] if end > 0 else [])
    if (len(objects) == 1 and in_carriers(whole)) or of_records(whole, known)[0] > BARELY:
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
    if keys.keys() == {"line"}:
        return "a list of texts; no known format"
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
