"""A pack in one file: whatever another program would unpack from it is what was checked."""

from __future__ import annotations

import io
import stat
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from reports.errors import PackError
from reports.zipped import unpacked

FILES = {"findings.csv": b"id\r\n" * 40, "manifest.json": b"{}"}
OUTSIDE = "bytes outside of the files it lists"


def zipped(files: dict[str, bytes], mode: int = 0) -> bytes:
    held = io.BytesIO()
    with ZipFile(held, "w", ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = ZipInfo(name)
            entry.compress_type, entry.external_attr = ZIP_DEFLATED, mode << 16
            archive.writestr(entry, data)
    return held.getvalue()


def read(path: Path, data: bytes) -> dict[str, bytes]:
    path.write_bytes(data)
    with unpacked(path) as folder:
        return {one.name: one.read_bytes() for one in folder.iterdir()}


class Pipe(io.RawIOBase):
    """Takes bytes and cannot go back, as a pipe does: lengths stand behind the files."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        assert isinstance(data, bytes | bytearray | memoryview)
        self.taken += data
        return len(data)


@pytest.mark.parametrize("mode", [0, 0o600, stat.S_IFREG | 0o644], ids=["none", "permissions", "file"])
def test_a_plain_file_may_say_no_more_than_its_permissions(tmp_path: Path, mode: int) -> None:
    assert read(tmp_path / "p.zip", zipped(FILES, mode)) == FILES


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o600], ids=["link", "pipe"])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(PackError, match="only plain files"):
        read(tmp_path / "p.zip", zipped(FILES, mode))


def test_lengths_behind_the_files_and_large_lengths_are_read(tmp_path: Path) -> None:
    pipe = Pipe()
    with ZipFile(pipe, "w", ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    assert read(tmp_path / "p.zip", bytes(pipe.taken)) == FILES
    held = io.BytesIO()
    with ZipFile(held, "w", ZIP_DEFLATED) as archive, archive.open("a.csv", "w", force_zip64=True) as file:
        file.write(b"y" * 100)
    assert read(tmp_path / "q.zip", held.getvalue()) == {"a.csv": b"y" * 100}


def between(good: bytes, more: bytes) -> bytes:
    """More bytes between the files and the directory, which is found where it is now."""
    start, end = int.from_bytes(good[-6:-2], "little"), len(good) - 22
    return good[:start] + more + good[start:end] + good[end:-6] + (start + len(more)).to_bytes(4, "little") + good[-2:]


def test_a_second_archive_or_a_file_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    good, other = zipped(FILES), zipped({"findings.csv": b"id\r\nfewer\r\n"})
    hidden = other[: other.index(b"PK\x01\x02")]
    shorter = good[:18] + (1).to_bytes(4, "little") + good[22:]
    for data in (other + good, good + other, b"MZ" + good, good + b"\0", between(good, hidden), shorter):
        with pytest.raises(PackError, match=OUTSIDE):
            read(tmp_path / "p.zip", data)
    commented = io.BytesIO(good)
    with ZipFile(commented, "a") as archive:
        archive.comment = hidden
    with pytest.raises(PackError, match=OUTSIDE):
        read(tmp_path / "p.zip", commented.getvalue())


def test_a_folder_put_into_an_archive_as_such_is_the_pack_where_nothing_else_is(tmp_path: Path) -> None:
    inside = {f"pack/{name}": data for name, data in FILES.items()}
    assert read(tmp_path / "p.zip", zipped(inside)) == FILES
    (tmp_path / "q.zip").write_bytes(zipped({**inside, "notes.txt": b"read me"}))
    with unpacked(tmp_path / "q.zip") as folder:
        assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "pack"], (
            "what lies beside a pack is not passed over"
        )
