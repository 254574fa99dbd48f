"""Object stores as sources: the objects below a prefix, those that changed since they were imported, read ahead within bounds.

Small objects are fetched several at a time before their turn; a large one is read by a thread of its own that stays a few
chunks ahead of whoever stores. An archive, a database or a Parquet file is brought into a private file first, since it is
read by places; the file is gone when its members are read.
"""

from __future__ import annotations

import io
import re
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import Empty, Full, Queue
from typing import BinaryIO, NamedTuple, Protocol, cast

from importers.cutting.members import holds_members
from importers.cutting.origin import CHUNK
from review.errors import RemitError
from review.intake.found import Found, Missing, expanded
from review.intake.remote import Endless, Object, Remote, shown

SMALL = 1 << 20
"""Bytes up to which an object is fetched whole, before its turn."""
AHEAD = 16
"""Objects looked at before their turn: with `SMALL` each, memory is bounded."""
CHUNKS = 8
"""Chunks of 256 KB that a large object is read ahead."""
_HEAD = 64 << 10
_DEEPEST = 64
_MAGIC = re.compile(r"[*?\[]")


class Listed(NamedTuple):
    """An object and the name it is told under; `key` names it in this store of ours, `explicit` that it was named itself."""

    at: Object
    name: str
    key: str
    explicit: bool


class Marking(Protocol):
    """Which objects need not be read, told what became of those that were."""

    def known(self, one: Listed) -> bool: ...

    def keep(self, one: Listed) -> None: ...

    def left(self, one: Listed) -> None: ...


def sources(
    address: str, as_name: str | None, marks: Marking | None = None, remote: Remote | None = None
) -> Iterator[Found | Missing]:
    """What lies at an address, in a stable order, without what is known to the marks."""
    try:
        store = remote or Remote(address)
    except RemitError as error:
        yield Missing(shown(address), str(error).removeprefix(f"{shown(address)}: "))
        return
    with ThreadPoolExecutor(store.parallel, thread_name_prefix="fetch") as pool:
        waiting: deque[tuple[Listed, Future[bytes] | None] | Missing] = deque()
        try:
            for one in _listed(store, address, as_name):
                if isinstance(one, Missing):
                    waiting.append(one)
                elif marks is None or not marks.known(one):
                    small = one.at.size is not None and one.at.size <= SMALL
                    waiting.append((one, pool.submit(_whole, store, one.at) if small else None))
                if len(waiting) >= AHEAD:
                    yield from _given(store, waiting.popleft(), marks)
            while waiting:
                yield from _given(store, waiting.popleft(), marks)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _listed(store: Remote, address: str, as_name: str | None) -> Iterator[Listed | Missing]:
    """Objects below an address: one folder's listing is held at a time, and those of the folders around it."""
    magic = None if store.web else _MAGIC.search(store.root)
    root = store.root if magic is None else store.root[: magic.start()].rpartition("/")[0]
    wanted = None if magic is None else _pattern(store.root)
    prefix = f"{as_name}/" if as_name else ""
    try:
        top = Object(root, None, "", True) if magic or (store.web and address.endswith("/")) else store.look(root)
    except OSError as error:
        yield Missing(shown(address), f"cannot be read: {error}")
        return
    if not top.folder:
        name = as_name or top.path.partition("?")[0].rstrip("/").rpartition("/")[2]
        yield Listed(top, name, store.address(top.path), True)
        return
    found = False
    try:
        for one in _below(store, root, len(root.rstrip("/")) + 1, 0):
            if isinstance(one, Missing):
                found = True
                yield one
            elif wanted is None or wanted(one.path):
                found = True
                relative = one.path[len(root.rstrip("/")) + 1 :].partition("?" if store.web else "\0")[0]
                yield Listed(one, prefix + relative, store.address(one.path), False)
    except Endless as error:
        yield Missing(shown(address), str(error))
        return
    if not found:
        yield Missing(shown(address), "no object lies here")


def _pattern(pattern: str) -> Callable[[str], bool]:
    from fsspec.utils import glob_translate

    fits = re.compile(glob_translate(pattern)).match
    return lambda path: fits(path) is not None


def _below(store: Remote, folder: str, cut: int, depth: int) -> Iterator[Object | Missing]:
    try:
        entries = store.entries(folder)
    except Endless:
        raise
    except OSError as error:
        yield Missing(folder[cut:] or store.address(folder), f"cannot be listed: {error}", depth == 0)
        return
    for one in entries:
        if not one.folder:
            yield _looked(store, one)
    for one in entries:
        if one.folder:
            if depth >= _DEEPEST:
                yield Missing(one.path[cut:], f"folders deeper than {_DEEPEST} are not read", False)
            else:
                yield from _below(store, one.path.rstrip("/"), cut, depth + 1)


def _looked(store: Remote, one: Object) -> Object:
    """An object of a listing that says nothing of it but its name, as a web server's does, asked for by itself."""
    if one.size is not None or one.state:
        return one
    try:
        return store.look(one.path)
    except OSError:
        return one


def _whole(store: Remote, one: Object) -> bytes:
    """A small object; one that has grown since it was listed is refused."""
    parts: list[bytes] = []
    size = 0
    for data in store.chunks(one):
        size += len(data)
        if size > 2 * SMALL:
            raise OSError("it has grown since it was listed; import again")
        parts.append(data)
    return b"".join(parts)


def _given(store: Remote, one: tuple[Listed, Future[bytes] | None] | Missing, marks: Marking | None) -> Iterator[Found | Missing]:
    if isinstance(one, Missing):
        yield one
        return
    listed, fetched = one
    imported: list[bool] = []
    try:
        with closing(_stream(store, listed, fetched)) as stream:
            head = stream.read(_HEAD)
            if holds_members(head):
                yield from _spooled(listed, head, stream, imported)
            else:
                held = listed.at.size if fetched is not None else None
                inside = partial(_rejoined, head, stream)
                yield Found(None, listed.name, listed.explicit, inside, listed.key, lambda: imported.append(True), held)
            failed = isinstance(stream, Prefetched) and stream.failed
    except OSError as error:
        yield Missing(listed.name, f"cannot be read: {error}", listed.explicit)
        return
    if marks is not None and imported:
        marks.keep(listed)
    elif marks is not None and not failed:
        marks.left(listed)


def _stream(store: Remote, listed: Listed, fetched: Future[bytes] | None) -> BinaryIO:
    return io.BytesIO(fetched.result()) if fetched is not None else cast("BinaryIO", Prefetched(store.chunks(listed.at)))


def _rejoined(head: bytes, rest: BinaryIO) -> AbstractContextManager[BinaryIO]:
    return closing(cast("BinaryIO", _Rejoined(head, rest)))


def _spooled(listed: Listed, head: bytes, stream: BinaryIO, imported: list[bool]) -> Iterator[Found | Missing]:
    """The members of an object that is read by places."""
    with tempfile.TemporaryDirectory(prefix="remit-") as folder:
        path = Path(folder, "object")
        with path.open("xb") as file:
            file.write(head)
            while data := stream.read(CHUNK):
                file.write(data)
        for one in expanded(Found(path, listed.name, listed.explicit), path):
            if isinstance(one, Missing):
                yield one
            else:
                yield replace(one, path=None, inside=one.open, where=listed.key, done=lambda: imported.append(True))


class _Rejoined(io.RawIOBase):
    """A stream of which the beginning was read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._rest.read(size)
        size = len(self._head) if size is None or size < 0 else size
        data, self._head = self._head[:size], self._head[size:]
        return data


class Prefetched(io.RawIOBase):
    """Chunks read by a thread of its own, a bounded number before they are asked for: a slow store holds the reading up."""

    def __init__(self, chunks: Iterator[bytes], most: int = CHUNKS) -> None:
        self._queue: Queue[bytes | Exception | None] = Queue(most)
        self._left = threading.Event()
        self._held = b""
        self._ended: Exception | None = None
        self._over = False
        threading.Thread(target=self._fill, args=(chunks,), name="ahead", daemon=True).start()

    @property
    def failed(self) -> bool:
        """Whether reading broke off."""
        return self._ended is not None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._held and not self._over:
            found = self._queue.get()
            if isinstance(found, bytes):
                self._held = found
            else:
                self._over, self._ended = True, found
        if self._ended is not None:
            raise self._ended
        size = len(self._held) if size is None or size < 0 else size
        data, self._held = self._held[:size], self._held[size:]
        return data

    def close(self) -> None:
        self._left.set()
        while True:
            try:
                self._queue.get_nowait()
            except Empty:
                break
        super().close()

    def _fill(self, chunks: Iterator[bytes]) -> None:
        try:
            for data in chunks:
                if data and not self._put(data):
                    return
            self._put(None)
        except Exception as error:  # noqa: BLE001  raised again where it is read, which would wait for ever otherwise
            self._put(error)

    def _put(self, what: bytes | Exception | None) -> bool:
        """False where nobody reads any more."""
        while not self._left.is_set():
            try:
                self._queue.put(what, timeout=0.5)
            except Full:
                continue
            return True
        return False
