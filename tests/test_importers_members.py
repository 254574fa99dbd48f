"""Archives by member and databases by table: what is inside is read, bounded, and never written where a name points."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import sqlite3
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import zstandard

from importers import open_source
from importers.cutting import databases
from importers.cutting import members as members_module
from importers.cutting.members import Member, Unreadable, members
from importers.cutting.origin import Damaged
from model.event import RawRecord, Reject

FILES = {"one.jsonl": b'{"a":1}\n', "sub/two.jsonl": b'{"b":2}\n{"b":3}\n'}


def contents(path: Path) -> dict[str, bytes]:
    found = {}
    for one in members(path) or ():
        assert isinstance(one, Member), one
        with one.open() as stream:
            data = b""
            while more := stream.read(1 << 16):
                data += more
            found[one.name] = data
    return found


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def test_archives_inside_archives_give_their_members_in_place(tmp_path: Path) -> None:
    path = tmp_path / "logs.zip"
    deep = tarred({"deep.zip": zipped({"d.jsonl": b'{"d":1}\n'}), "../up.jsonl": b'{"u":1}\n'})
    path.write_bytes(
        zipped(
            {
                "a/in.tar.gz": gzip.compress(tarred(FILES)),
                "b.tar.bz2": bz2.compress(deep),
                "plain.jsonl": b'{"p":1}\n',
                "one.jsonl.gz": gzip.compress(b'{"z":1}\n'),
                "empty": b"",
            }
        )
    )
    found = contents(path)
    assert gzip.decompress(found.pop("one.jsonl.gz")) == b'{"z":1}\n'
    assert found == {
        "a/in.tar.gz!one.jsonl": FILES["one.jsonl"],
        "a/in.tar.gz!sub/two.jsonl": FILES["sub/two.jsonl"],
        "b.tar.bz2!deep.zip!d.jsonl": b'{"d":1}\n',
        "b.tar.bz2!up.jsonl": b'{"u":1}\n',
        "plain.jsonl": b'{"p":1}\n',
        "empty": b"",
    }


def test_what_lies_in_archives_too_deep_or_too_large_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = zipped(FILES)
    for _ in range(members_module.DEEPEST):
        data = zipped({"in.zip": data})
    path = tmp_path / "deep.zip"
    path.write_bytes(data)
    (refused,) = members(path) or ()
    assert isinstance(refused, Unreadable) and refused.name == "in.zip!in.zip!in.zip!in.zip" and "4 deep" in refused.reason
    monkeypatch.setattr(members_module, "MAX_INNER", 10)
    path.write_bytes(zipped({"big.tar": tarred({"x": bytes(members_module.CHUNK)}), "a.jsonl": b"{}\n"}))
    large, good = members(path) or ()
    assert isinstance(large, Unreadable) and large.name == "big.tar" and isinstance(good, Member)


def test_a_damaged_archive_inside_another_is_named_and_what_is_beside_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "logs.tar"
    path.write_bytes(tarred({"bad.zip": zipped(FILES)[:60], "cut.tar": tarred(FILES)[:1200], "good.jsonl": b"{}\n"}))
    found = [(one.name, type(one)) for one in members(path) or ()]
    assert ("bad.zip", Unreadable) in found and ("cut.tar", Unreadable) in found and found[-1] == ("good.jsonl", Member)


def test_a_column_whose_name_is_no_text_ends_its_table_alone(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE a (namename TEXT)")
        connection.execute("CREATE TABLE b (x TEXT)")
        connection.execute("INSERT INTO b VALUES ('1')")
        connection.commit()
    path.write_bytes(path.read_bytes().replace(b"namename", b"\xfa\xfb\xfc\xfdname"))
    for name, one in zip("ab", members(path) or (), strict=True):
        assert isinstance(one, Member) and one.name == name
        with one.open() as stream:
            if name == "a":
                with pytest.raises(Damaged, match="cannot be read any further"):
                    stream.read(100)
            else:
                assert stream.read(100) == b'{"_table":"b","x":"1"}\n'


def test_a_zip_gives_its_members(tmp_path: Path) -> None:
    path = tmp_path / "logs.bin"
    path.write_bytes(zipped(FILES))
    assert contents(path) == FILES


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, bz2.compress, lzma.compress, lambda data: zstandard.ZstdCompressor().compress(data)]
)
def test_a_tar_gives_its_members_however_it_is_compressed(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "logs"
    path.write_bytes(pack(tarred(FILES)))
    assert contents(path) == FILES


def test_an_ordinary_file_has_no_members(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for data in (b"", b'{"a":1}\n', gzip.compress(b'{"a":1}\n'), b"\x1f\x8bbroken", b"x" * 600):
        path.write_bytes(data)
        assert members(path) is None


def test_a_name_that_points_outside_is_a_label_and_nothing_is_written(tmp_path: Path) -> None:
    place = tmp_path / "inner"
    place.mkdir()
    for pack in (zipped, tarred):
        path = place / "logs"
        path.write_bytes(pack({"../../evil.jsonl": b"{}", "/etc/evil": b"{}"}))
        assert set(contents(path)) == {"evil.jsonl", "etc/evil"}
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["logs"]


def test_a_workbook_is_named_and_not_searched(tmp_path: Path) -> None:
    path = tmp_path / "audit.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    (found,) = members(path)
    assert isinstance(found, Unreadable) and found.reason == "a document of an Office program: save its table as CSV"


def test_a_zip_bomb_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(zipped({"zeros": bytes(150 << 20)}))
    inside = members(path)
    assert inside is not None
    one = next(inside)
    assert isinstance(one, Member)
    with one.open() as stream, pytest.raises(Damaged, match="times what is stored"):
        while stream.read(1 << 20):
            pass


def test_what_is_damaged_or_locked_is_said_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "half.tar"
    path.write_bytes(tarred(FILES)[:1100])
    found = list(members(path) or ())
    assert isinstance(found[0], Member)
    assert isinstance(found[-1], Unreadable)
    assert "cut off" in found[-1].reason
    path.write_bytes(b"PK\x03\x04" + b"x" * 50)
    (bad,) = list(members(path) or ())
    assert isinstance(bad, Unreadable)
    assert "damaged zip" in bad.reason
    locked = bytearray(zipped({"a": b"{}"}))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(locked))
    (one,) = list(members(path) or ())
    assert isinstance(one, Unreadable)
    assert "encrypted" in one.reason


def test_a_database_gives_its_tables_with_what_still_lies_in_its_write_ahead_log(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute('CREATE TABLE "odd ""name" (id INTEGER, body TEXT, raw BLOB)')
    writer.execute('INSERT INTO "odd ""name" VALUES (1, ?, ?), (2, NULL, ?)', ("{}", b"text", b"\xff\xfe"))
    writer.execute("CREATE VIEW boom AS SELECT randomblob(1000000000)")
    writer.commit()
    before = {p.name for p in tmp_path.iterdir()}
    (name, data), *others = contents(path).items()
    assert not others
    assert name == 'odd "name'
    assert [json.loads(line) for line in data.splitlines()] == [
        {"_table": 'odd "name', "id": 1, "body": "{}", "raw": "text"},
        {"_table": 'odd "name', "id": 2, "body": None, "raw": {"_bytes": 2}},
    ]
    assert {p.name for p in tmp_path.iterdir()} == before
    writer.close()


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize("order", [("", "-wal"), ("-wal", "")])
def test_a_database_in_an_archive_is_read_with_its_log_wherever_that_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[dict[str, bytes]], bytes], order: tuple[str, str]
) -> None:
    path = tmp_path / "s.db"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE t (a)")
        writer.execute("INSERT INTO t VALUES ('late')")
        writer.commit()
        files = {f"in/s.db{end}": Path(f"{path}{end}").read_bytes() for end in order}
    archive = tmp_path / "all"
    archive.write_bytes(pack({"x": pack({**files, "a.jsonl": b"{}\n"}), "gone.db-wal": files["in/s.db-wal"]}))
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    told: list[str] = []
    for one in members(archive) or ():
        if isinstance(one, Member):
            with one.open() as stream:
                told.append(f"{one.name} {stream.read(100).decode().strip()}")
        else:
            told.append(f"{one.name}: {one.reason}")
    assert told == [
        "x!a.jsonl {}",
        'x!in/s.db!t {"_table":"t","a":"late"}',
        "gone.db-wal: what a database had not taken over from its log; the database is not beside it",
    ]
    assert not list(temporary.iterdir())


def test_of_many_databases_in_an_archive_only_some_are_held_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.db"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE t (a)")
        writer.commit()
    monkeypatch.setattr(members_module, "MAX_HELD", 2)
    archive = tmp_path / "all.tar"
    archive.write_bytes(tarred({f"{n}.db": path.read_bytes() for n in range(4)} | {"z.jsonl": b"{}\n"}))
    assert list(contents(archive)) == ["0.db!t", "1.db!t", "z.jsonl", "2.db!t", "3.db!t"]


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be taken off the file system there")
def test_an_opened_copy_of_a_database_lies_in_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its secrets are in clear: not even a crash may leave it behind."""
    path, temporary = tmp_path / "state.db", tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    for number in range(40):
        writer.execute(f"CREATE TABLE t{number:02} (a)")
        writer.executemany(f"INSERT INTO t{number:02} VALUES (?)", [("x" * 900,)] * 20)
    writer.commit()
    read = 0
    for one in members(path) or ():
        assert isinstance(one, Member)
        with one.open() as stream:
            while data := stream.read(65536):
                read += data.count(b"\n")
        assert not [found for found in temporary.rglob("*") if found.is_file()]
    assert read == 800 and not list(temporary.iterdir())
    writer.close()


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (zstandard.compress(b"a text"), "a text"),
        (gzip.compress(b"a text", mtime=0), "a text"),
        (zstandard.compress(b"\x80\x81\x82"), None),
        (zstandard.compress(b"a text")[:-3], None),
        (zstandard.compress(bytes(4096)), None),
        (b"\xff\x00", None),
    ],
)
def test_a_text_that_a_cell_holds_compressed_is_unpacked(
    cell: bytes, told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "MAX_CELL", 1024)
    with closing(sqlite3.connect(tmp_path / "a.db")) as made:
        made.execute("CREATE TABLE t (c BLOB)")
        made.execute("INSERT INTO t VALUES (?)", (cell,))
        made.commit()
    (found,) = contents(tmp_path / "a.db").values()
    assert json.loads(found)["c"] == ({"_bytes": len(cell)} if told is None else told)


def test_a_damaged_database_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"SQLite format 3\0" + b"\x07" * 4000)
    (one,) = list(members(path) or ())
    assert isinstance(one, Unreadable)
    assert "SQLite" in one.reason


def test_a_database_whose_schema_is_no_text_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE logs (body TEXT)")
        made.commit()
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE logs", b"CREATE T\xd7BLE logs"))
    (one,) = list(members(path) or ())
    assert isinstance(one, Unreadable)
    assert one.reason == "a damaged or encrypted SQLite database: malformed database schema"


def test_a_damaged_member_of_a_cut_off_archive_keeps_its_records(tmp_path: Path) -> None:
    """Behind the member's own damage the archive's bytes are read for the digest alone: there it ends."""
    inner = gzip.compress(b'{"event_id": 1}\n{"event_id": 2}\n') + random.Random(1).randbytes(3_000_000)
    path = tmp_path / "logs.tar.gz"
    path.write_bytes(gzip.compress(tarred({"a.json.gz": inner}))[:-400_000])
    found = members(path)
    assert found is not None
    one = next(found)
    assert isinstance(one, Member)
    with one.open() as stream:
        items = list(open_source(stream, format="remit-events").items())
    assert isinstance(items[0], RawRecord) and isinstance(items[-1], Reject)
    assert "gzip data is damaged" in items[-1].reason
