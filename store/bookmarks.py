"""Bookmarks: where a file that was imported is read on when it has grown, and what the store already holds of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import and_, select

from model.event import Reject
from model.evidence import Bookmark
from store.addition import Addition
from store.engine import Database, chunks
from store.tables import BOOKMARK, RECORD, RECORD_ALSO, REJECT
from store.text import PATH_BYTES, clean

_BODY = msgspec.msgpack.Decoder(Bookmark)


class Bookmarks:
    """A bookmark says less than the evidence does: where it is lost or cannot be read, the file is read from its beginning."""

    db: Database

    def bookmark(self, id: str) -> Bookmark | None:
        """The bookmark kept under this id, None where there is none this program can read."""
        with self.db.read() as connection:
            body = connection.execute(select(BOOKMARK.c.body).where(BOOKMARK.c.id == id)).scalar()
        try:
            return None if body is None else _BODY.decode(bytes(body))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def has_bookmarks(self) -> bool:
        """Whether there is any."""
        with self.db.read() as connection:
            return connection.execute(select(BOOKMARK.c.id).limit(1)).first() is not None

    def bookmarked(self, ids: Sequence[str]) -> set[str]:
        """Those of these ids that a bookmark is kept under."""
        with self.db.read() as connection:
            wanted = (select(BOOKMARK.c.id).where(BOOKMARK.c.id.in_(part)) for part in chunks(ids))
            return {id for one in wanted for id in connection.execute(one).scalars()}

    def keep_bookmark(self, id: str, mark: Bookmark) -> None:
        """Keep a bookmark in place of an earlier one; everything before it must be in the store."""
        with self.db.gathering(Addition) as added:
            added.custody.bookmark(id, mark)

    def stands_in(self, record_id: str, digest: str, source: str, name: str, before: int) -> bool:
        """Whether this record was seen in this file before a byte offset."""
        name, key = clean(name, PATH_BYTES), bytes.fromhex(digest)
        with self.db.read() as connection:
            for table in (RECORD, RECORD_ALSO):
                c = table.c
                here = and_(c.source_id == source, c.name == name, c.start < before)
                if connection.execute(select(c.id).where(c.id == record_id, c.digest == key, here)).first() is not None:
                    return True
        return False

    def rejects_before(self, source: str, name: str, before: int, most: int) -> list[Reject]:
        """What could not be read of this file before a byte offset, in its order, the first so many."""
        c = REJECT.c
        here = and_(c.source_id == source, c.name == clean(name, PATH_BYTES), c.start < before)
        with self.db.read() as connection:
            rows = connection.execute(select(REJECT).where(here).order_by(c.line, c.idx, c.start).limit(most)).all()
        return [Reject(row.line, row.idx or None, row.start, row.reason, row.digest) for row in rows]
