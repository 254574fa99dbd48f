"""Reading a grown file on from where the last import of it ended, with the result that reading all of it would give.

A bookmark is kept for a file of its own, not compressed, of lines, in a format of this installation whose reader's memory
is plain values (`importers.bookmark`). All other sources are read from their beginning, which costs time and nothing else:
archives, standard input, lists and envelopes, and formats that a user's mapping describes, since the mapping may change
under the same name. So is a file of which the part read earlier is not what it was, or that is called otherwise now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from importers import OpenSource
from importers.base import Importer
from importers.bookmark import remembering, stamp_of
from importers.cutting.origin import Prefix
from importers.cutting.scanner import Restart
from importers.registry import importers
from lang.redact import Redactor
from model.event import Reject, short_id
from model.evidence import Bookmark
from review.intake.cleaning import Cleaning
from review.intake.feed import Feed, Tally
from review.intake.found import Found
from store import Store


class Place:
    """The bookmark of one file: looked up before it is read, kept after."""

    def __init__(self, store: Store, found: Found, importer: Importer) -> None:
        self._store = store
        self._importer = importer
        self._name = found.name
        self.path = found.path if found.inside is None and importers().get(importer.id) is importer else None
        self._id = _id(str(self.path.resolve()) if self.path else "", found.name, importer.id)

    def resume(self, source: OpenSource, redactor: Redactor) -> Feed | None:
        """The rest of the source, set to where it was read to, with what was told of it then; None: read it all."""
        mark = self._store.bookmark(self._id) if self.path else None
        if mark is None or mark.stamp != stamp_of(self._importer) or self.path is None or self.path.stat().st_size < mark.size:
            return None
        reader = remembering(self._importer, mark.reader)
        with self.path.open("rb") as stream:
            prefix = Prefix(stream, mark.size)
        if reader is None or prefix.size != mark.size or prefix.hash.hexdigest() != mark.sha256:
            return None
        if not source.restart(Restart(mark.offset, mark.line, mark.cutter), prefix):
            return None
        tally = Tally(mark.read, mark.rejected, mark.first, mark.last, mark.unknown_types, mark.secrets)
        return Feed(
            Cleaning(source, redactor), self._name, redactor, "", reader, mark.source, tally, partial(self._ordinal, mark)
        )

    def rejects(self, feed: Feed, source: OpenSource, most: int) -> list[Reject]:
        """What could not be read of the part of a source that a feed begins behind, the first so many."""
        return self._store.rejects_before(feed.id, self._name, source.began, most)

    def keep(self, mark: Bookmark | None) -> None:
        """Keep a bookmark, now that everything before it is stored and the file was read to its end."""
        if mark is not None and self.path is not None:
            self._store.keep_bookmark(self._id, mark)

    def _ordinal(self, mark: Bookmark, digest: str, ids: Callable[[int], str]) -> int:
        """How often these bytes stand before the bookmark: ordinals have no gaps, so halving finds it."""

        def there(n: int) -> bool:
            return self._store.stands_in(ids(n), digest, mark.source, self._name, mark.offset)

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


def marked(store: Store, files: Iterable[Found], format: str | None) -> set[Found]:
    """Those of these files that were read before, in this format or in any."""
    if not store.has_bookmarks():
        return set()
    named = [format] if format else list(importers())
    ids: dict[str, Found] = {}
    for found in files:
        path = str(found.path.resolve()) if found.path else ""
        ids |= {_id(path, found.name, one): found for one in named}
    return {ids[id] for id in store.bookmarked(list(ids))}


def _id(path: str, name: str, format: str) -> str:
    return short_id("mark", path, name, format)
