"""A pack as one ZIP file: the same bytes whenever and wherever it is made, and read without trust in what it says of itself."""

from __future__ import annotations

import os
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from reports.checking.folder import MANIFEST
from reports.errors import PackError

SUFFIX = ".zip"
MOST_FILES = 10_000
MOST_BYTES = 4 << 30
_EPOCH = (1980, 1, 1, 0, 0, 0)
_BLOCK = 1 << 20
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_DEPTH = 8
_HEADER = struct.Struct("<6xHH8xI4xHH")
"""What stands before a file's bytes: flags, compression and length, and the lengths of the name and of more that follow it."""
_FOLLOWS, _LARGE = 1 << 3, 0xFFFFFFFF
"""The flag of a length that stands behind the bytes, and the length that stands with the name."""
_LONGEST_DESCRIPTOR = 24
"""Bytes that may stand behind a file's: its lengths once more. A file needs more of them."""
_END, _END_MARK = struct.Struct("<4s18x"), b"PK\x05\x06"
_DAMAGE = (BadZipFile, zlib.error, struct.error, NotImplementedError, EOFError, RuntimeError, ValueError, OSError)
"""What reading a damaged archive raises, a wrong offset or size in its directory included."""


def is_zipped(path: Path) -> bool:
    """Whether a path names a ZIP file or, for one that is still to be written, is called like one."""
    return path.suffix.lower() == SUFFIX and not path.is_dir()


def write_zip(folder: Path, out: Path) -> None:
    """Put a folder's files into a ZIP file: in order of their names, all at one time, with one mode. `out` is replaced at once."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with ZipFile(part, "w", ZIP_DEFLATED, compresslevel=6) as archive:
            for path in files:
                entry = ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
                entry.compress_type = ZIP_DEFLATED
                entry.create_system = 3
                entry.external_attr = (stat.S_IFREG | 0o644) << 16
                entry.file_size = path.stat().st_size
                with path.open("rb") as source, archive.open(entry, "w") as held:
                    while block := source.read(_BLOCK):
                        held.write(block)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The files of a ZIP file in a folder of their own for as long as they are needed; raises PackError.

    Taken to be hostile: no name leaves the folder, only plain files are written, a name may stand once, and not more than
    MOST_FILES files and MOST_BYTES bytes are, whatever the directory of the archive claims.
    """
    with TemporaryDirectory(prefix="remit-pack-") as made:
        folder = Path(made)
        try:
            with ZipFile(path) as archive:
                _unpack(archive, path, folder)
        except PackError:
            raise
        except _DAMAGE as error:
            raise PackError(f"{path} is no ZIP file that can be read: {error}") from error
        yield _within(folder)


def _within(folder: Path) -> Path:
    """Where the pack lies: the folder, or the one in it where somebody put a pack's folder as such into the archive, and nothing else."""
    held = list(folder.iterdir())
    return held[0] if len(held) == 1 and (held[0] / MANIFEST).is_file() else folder


def _unpack(archive: ZipFile, path: Path, folder: Path) -> None:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MOST_FILES:
        raise PackError(f"{path} holds {len(entries)} files, more than any pack")
    _check_seamless(archive, path)
    left, seen = MOST_BYTES, set[str]()
    for entry in entries:
        name = entry.filename
        parts = name.split("/")
        kind = stat.S_IFMT(entry.external_attr >> 16)  # 0 where whoever made the file keeps permissions alone.
        if len(parts) > _DEPTH or not all(_SEGMENT.fullmatch(part) for part in parts) or (kind and not stat.S_ISREG(kind)):
            raise PackError(f"{path} holds {name[:80]!r}, which no pack holds: only plain files with plain names")
        if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise PackError(f"{path} holds {name[:80]!r} in a compression no pack uses")
        if name.casefold() in seen:
            raise PackError(f"{path} holds {name[:80]!r} twice")
        seen.add(name.casefold())
        target = folder.joinpath(*parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as held, target.open("xb") as out:
                while block := held.read(_BLOCK):
                    left -= len(block)
                    if left < 0:
                        raise PackError(f"{path} unpacks to more than {MOST_BYTES >> 30} GB; no pack is as large")
                    out.write(block)
        except (FileExistsError, NotADirectoryError) as error:
            raise PackError(f"{path} holds {name[:80]!r} as a file and as a folder") from error


def _check_seamless(archive: ZipFile, path: Path) -> None:
    """Refuse bytes that the archive's directory does not speak of: a program that does not go by it unpacks other files than were checked."""
    wrong = PackError(f"{path} holds bytes outside of the files it lists, which another program may take for files of the pack")
    with path.open("rb") as file:
        at = spare = 0
        for entry in sorted(archive.infolist(), key=lambda one: one.header_offset):
            file.seek(entry.header_offset)
            head = file.read(_HEADER.size)
            if not 0 <= entry.header_offset - at <= spare or len(head) < _HEADER.size:
                raise wrong
            flags, method, size, *more = _HEADER.unpack(head)
            follows = flags & _FOLLOWS
            told = size in (entry.compress_size, _LARGE) or (follows and size == 0)
            if method != entry.compress_type or not told:
                raise wrong
            at = entry.header_offset + _HEADER.size + sum(more) + entry.compress_size
            spare = _LONGEST_DESCRIPTOR if follows else 0
        file.seek(-_END.size, os.SEEK_END)
        (mark,) = _END.unpack(file.read(_END.size))
    if not 0 <= archive.start_dir - at <= spare or archive.comment or mark != _END_MARK:
        raise wrong
