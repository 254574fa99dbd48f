"""Reading a grown file on from where the last import of it ended, with the result that reading all of it would give.

A bookmark is kept for a file of its own, not compressed, of lines, in a format of this installation whose reader's memory
is plain values (`importers.bookmark`). All other sources are read from their beginning, which costs time and nothing else:
archives, standard input, lists and envelopes, and formats that a user's mapping describes, since the mapping may change
under the same name. So is a file of which the part read earlier is not what it was, or that is called otherwise now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from importers import OpenSource
from importers.base import Reader, importers
from importers.bookmark import VERSION, memory, remembering
from importers.origin import Prefix
from importers.scanner import Restart
from model.event import short_id
from model.evidence import Bookmark
from review.imported import FileReport
from review.walking import Found
from store import Store

IdAt = Callable[[int], str]


class Place:
    """The bookmark of one file: looked up before it is read, kept after."""

    def __init__(self, store: Store, found: Found, source: OpenSource) -> None:
        importer = source.importer
        self._store = store
        self._source = source
        self._path = found.path if found.inside is None and importers().get(importer.id) is importer else None
        self._stamp = f"{VERSION}:{importer.id}:{importer.version}"
        path = str(self._path.resolve()) if self._path else ""
        self._id = short_id("mark", path, found.name, importer.id)
        self._next: Bookmark | None = None

    def resume(self, report: FileReport) -> tuple[Bookmark, Reader] | None:
        """Set the source to where it was read to, and the report to what was said of it then; None: read it all."""
        mark = self._store.bookmark(self._id) if self._path else None
        if mark is None or mark.stamp != self._stamp or self._path is None or self._path.stat().st_size < mark.size:
            return None
        reader = remembering(self._source.importer, mark.reader)
        prefix = _prefix(self._path, mark.size)
        if reader is None or prefix.size != mark.size or prefix.hash.hexdigest() != mark.sha256:
            return None
        if not self._source.restart(Restart(mark.offset, mark.line, mark.cutter), prefix):
            return None
        report.read, report.duplicate = mark.read, mark.known
        report.first, report.last = mark.first, mark.last
        report.unknown_types, report.secrets = Counter(mark.unknown_types), Counter(mark.secrets)
        report.rejects = self._store.rejects_before(mark.source, report.name, mark.offset)
        return mark, reader

    def note(self, at: Restart | None, report: FileReport, reader: Reader) -> None:
        """Take down the place before the next item: everything reported so far lies before it."""
        kept = memory(self._source.importer, reader) if at is not None and self._path else None
        if at is None or kept is None:
            self._next = None
            return
        self._next = Bookmark(
            self._stamp,
            report.id,
            0,
            "",
            at.offset,
            at.line,
            at.cutter,
            kept,
            report.read,
            report.read - len(report.rejects),
            report.first,
            report.last,
            dict(report.unknown_types),
            dict(report.secrets),
        )

    def keep(self, source_id: str) -> None:
        """Keep what was noted, now that everything before it is stored and the file was read to its end."""
        if self._next is None:
            return
        self._next.source, self._next.size, self._next.sha256 = source_id, self._source.bytes, self._source.sha256
        self._store.keep_bookmark(self._id, self._next)


def ordinal(store: Store, name: str, mark: Bookmark, digest: str, ids: IdAt) -> int:
    """How often bytes without an id of their own stand before the bookmark: ordinals have no gaps, so halving finds it."""

    def there(n: int) -> bool:
        return store.stands_in(ids(n), digest, mark.source, name, mark.offset)

    beyond = 1
    while there(beyond - 1):
        beyond *= 2
    low, high = beyond // 2, beyond - 1
    while low < high:
        middle = (low + high) // 2
        if there(middle):
            low = middle + 1
        else:
            high = middle
    return low


def _prefix(path: Path, size: int) -> Prefix:
    with path.open("rb") as stream:
        return Prefix(stream, size)
