"""Custody of files: which sources there are, who imported which file when, and where a file is read on when it has grown."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select, update

from model.evidence import Bookmark, SourceFile
from store.engine import Database
from store.tables import BOOKMARK, SOURCE, SOURCE_FILE
from store.text import PATH_BYTES, clean

_Source = tuple[str, str, str, int]
"""Format, name, digest, bytes."""
_Custody = tuple[str, str, str, str, int, int | None, str, str, bool]
"""Source, name, path, digest, bytes, when, by whom, note, whether it was read to its end."""


class Custody:
    """What one transaction says of files; `write` puts it in."""

    def __init__(self, db: Database, connection: Connection) -> None:
        self._db = db
        self._connection = connection
        self._sources: dict[str, _Source] = {}
        self._held: dict[str, _Source | None] = {}
        self._files: list[_Custody] = []
        self._ended: dict[int, dict[str, Any]] = {}
        self._marks: dict[str, tuple[str, bytes]] = {}

    def begun_here(self, source_id: str) -> bool:
        """Whether the store knew nothing of a source before this."""
        id = clean(source_id)
        return id in self._held and self._held[id] is None

    def begin(self, file: SourceFile) -> None:
        """A file is being read: its source exists from now on."""
        self._name(file, 0, "")
        self._files.append(_custody(file, complete=False))

    def end(self, file: SourceFile) -> None:
        """A file was read to its end: `sha256` and `bytes` are of the whole of it."""
        self._name(file, file.bytes, file.sha256)
        row = _custody(file, complete=True)
        for place in reversed(range(len(self._files))):
            begun = self._files[place]
            if begun[:3] == row[:3] and not begun[-1]:
                self._files[place] = (*begun[:3], file.sha256, file.bytes, *begun[5:8], True)
                return
        if (seq := self._begun(row)) is not None:
            self._ended[seq] = {"sha256": file.sha256, "bytes": file.bytes}
        else:
            self._files.append(row)

    def bookmark(self, id: str, mark: Bookmark) -> None:
        """Where a file is read on; everything before it is written with it or was before."""
        self._marks[id] = (clean(mark.source), msgspec.msgpack.encode(mark))

    def _name(self, file: SourceFile, size: int, digest: str) -> None:
        """A source is called by the smallest name it came under, and has the digest and size of its largest file."""
        id, name = clean(file.id), clean(file.name, PATH_BYTES)
        if id not in self._held:
            # By hand, for every file asks this: see `Database.fetch`.
            asked = "SELECT format, name, sha256, bytes FROM source WHERE id = ?"
            self._held[id] = next(iter(self._db.fetch(self._connection, asked, [id])), None)
        known = self._sources.get(id) or self._held[id]
        if known is None:
            self._sources[id] = clean(file.format), name, digest, size
            return
        format, before, sha256, bytes = known
        bytes, sha256 = max((bytes, sha256), (size, digest))
        self._sources[id] = format, min((before, name), key=lambda text: (len(text), text)), sha256, bytes

    def _begun(self, row: _Custody) -> int | None:
        """The last time this file was begun and not ended, before this transaction."""
        if self._held[row[0]] is None:
            return None
        c = SOURCE_FILE.c
        begun = select(func.max(c.seq)).where(c.source_id == row[0], c.name == row[1], c.path == row[2], c.complete.is_(False))
        if self._ended:
            begun = begun.where(c.seq.not_in(sorted(self._ended)))
        found = self._connection.execute(begun).scalar()
        return None if found is None else int(found)

    def write(self) -> None:
        """Put everything in."""
        self._write_sources()
        c = SOURCE_FILE.c
        if self._files:
            seq = self._connection.execute(select(func.max(c.seq))).scalar() or 0
            self._db.insert(self._connection, SOURCE_FILE, [(seq + n, *row) for n, row in enumerate(self._files, 1)])
        for number, values in self._ended.items():
            self._connection.execute(update(SOURCE_FILE).where(c.seq == number).values(**values, complete=True))
        if self._marks:
            self._connection.execute(delete(BOOKMARK).where(BOOKMARK.c.id.in_(sorted(self._marks))))
            self._db.insert(self._connection, BOOKMARK, [(id, *mark) for id, mark in sorted(self._marks.items())])

    def _write_sources(self) -> None:
        new = [(id, *row) for id, row in sorted(self._sources.items()) if self._held[id] is None]
        self._db.insert(self._connection, SOURCE, new)
        changed = [(id, row) for id, row in sorted(self._sources.items()) if self._held[id] not in (None, row)]
        if changed:
            c = SOURCE.c
            self._connection.execute(
                update(SOURCE)
                .where(c.id == bindparam("one"))
                .values(name=bindparam("called"), sha256=bindparam("digest"), bytes=bindparam("size")),
                [{"one": id, "called": row[1], "digest": row[2], "size": row[3]} for id, row in changed],
            )


def _custody(file: SourceFile, *, complete: bool) -> _Custody:
    return (
        clean(file.id),
        clean(file.name, PATH_BYTES),
        clean(file.path, 4_096),
        file.sha256,
        file.bytes,
        file.at,
        clean(file.by),
        clean(file.note, 4_096),
        complete,
    )
