"""Import from object stores: listed, only what changed read, retried, bounded, and nothing shown of what it is reached with."""

from __future__ import annotations

import gzip
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from review.intake import objects, remote
from review.intake.found import Found, Missing
from review.intake.imported import ImportReport
from review.intake.importing import Settings, import_logs
from review.intake.objects import Prefetched, sources
from review.intake.remote import Remote, shown
from review.intake.walking import walk
from review.watch.following import Following
from review.workspace import Workspace, open_workspace
from tests.neutral import happened

fsspec = pytest.importorskip("fsspec", reason="the extra `cloud` is not installed")


def line(name: str) -> bytes:
    return json.dumps(happened(name)).encode() + b"\n"


@pytest.fixture
def bucket() -> Iterator[Any]:
    store = fsspec.filesystem("memory")
    store.store.clear()
    store.pseudo_dirs[:] = [""]
    yield store
    store.store.clear()
    store.pseudo_dirs[:] = [""]


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(str(tmp_path / "remit.db"), create=True) as opened:
        yield opened


def imported(work: Workspace, *addresses: str, **how: Any) -> ImportReport:
    return import_logs(work, list(addresses), **how)


def names(report: ImportReport) -> dict[str, int]:
    return {one.name: one.accepted for one in report.sources}


def test_a_prefix_is_read_by_names_below_it_and_only_what_changed_again(bucket: Any, work: Workspace) -> None:
    bucket.pipe("/logs/a.jsonl", line("a"))
    bucket.pipe("/logs/2026/03/b.jsonl.gz", gzip.compress(line("b")))
    bucket.pipe("/logs/notes.txt", b"nothing of ours\n")
    bucket.pipe("/other/c.jsonl", line("c"))
    report = imported(work, "memory://logs/")
    assert names(report) == {"a.jsonl": 1, "2026/03/b.jsonl.gz": 1}
    assert [name for name, _ in report.skipped] == ["notes.txt"] and not report.unreadable
    assert {one.path for one in work.store.custody()} == {"memory://logs/a.jsonl", "memory://logs/2026/03/b.jsonl.gz"}

    again = imported(work, "memory://logs/")
    assert names(again) == {} and again.unchanged == 2
    bucket.pipe("/logs/a.jsonl", line("a") + line("a2"))
    bucket.pipe("/logs/d.jsonl", line("d"))
    third = imported(work, "memory://logs/")
    assert names(third) == {"a.jsonl": 1, "d.jsonl": 1} and third.unchanged == 1
    forced = imported(work, "memory://logs/", format="remit-events")
    assert forced.unchanged == 0 and forced.document()["totals"]["duplicate"] == 4


def test_a_single_object_a_pattern_and_a_name(bucket: Any, work: Workspace) -> None:
    bucket.pipe("/logs/x/a.jsonl", line("a"))
    bucket.pipe("/logs/y/b.jsonl", line("b"))
    bucket.pipe("/logs/y/b.txt", line("c"))
    assert names(imported(work, "memory://logs/x/a.jsonl")) == {"a.jsonl": 1}
    assert names(imported(work, "memory://logs/*/*.jsonl", as_name="lake")) == {"lake/x/a.jsonl": 0, "lake/y/b.jsonl": 1}
    missing = imported(work, "memory://logs/none/")
    assert missing.unreadable and "no such object" in missing.skipped[0][1]


def test_archives_and_large_objects(bucket: Any, work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "SMALL", 2000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("in/a.jsonl", line("z1"))
        archive.writestr("b.txt", "nothing\n")
    bucket.pipe("/logs/pack.zip", out.getvalue())
    many = [line(f"m{n}") for n in range(3000)]
    bucket.pipe("/logs/many.jsonl", b"".join(many))
    report = imported(work, "memory://logs")
    assert names(report) == {"pack.zip!in/a.jsonl": 1, "many.jsonl": 3000}
    assert [name for name, _ in report.skipped] == ["pack.zip!b.txt"]
    assert imported(work, "memory://logs").unchanged == 2


def test_parquet_in_a_store(bucket: Any, work: Workspace, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([json.loads(line("p1")), json.loads(line("p2"))]), tmp_path / "t.parquet")
    bucket.pipe("/lake/day=2026-03-17/part-0.parquet", (tmp_path / "t.parquet").read_bytes())
    assert names(imported(work, "memory://lake/")) == {"day=2026-03-17/part-0.parquet": 2}


def test_trouble_with_one_object_leaves_the_others(bucket: Any, work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        bucket.pipe(f"/logs/{name}.jsonl", line(name))
    plain = Remote.chunks

    def chunks(self: Remote, one: remote.Object) -> Iterator[bytes]:
        if one.path.endswith("b.jsonl"):
            raise OSError("PermissionError: not yours")
        yield from plain(self, one)

    monkeypatch.setattr(Remote, "chunks", chunks)
    report = imported(work, "memory://logs/")
    assert names(report) == {"a.jsonl": 1, "c.jsonl": 1}
    assert report.skipped == [("b.jsonl", "cannot be read: PermissionError: not yours")]
    monkeypatch.undo()
    assert names(imported(work, "memory://logs/")) == {"b.jsonl": 1}


class Flaky:
    """A file that breaks off after some bytes, so many times."""

    def __init__(self, data: bytes, most: int, errors: list[Exception]) -> None:
        self.data, self.most, self.errors, self.at = data, most, errors, 0

    def __enter__(self) -> Flaky:
        return self

    def __exit__(self, *_: object) -> None: ...

    def seek(self, offset: int) -> None:
        self.at = offset

    def read(self, size: int) -> bytes:
        if self.errors and self.at >= self.most:
            raise self.errors.pop()
        end = min(self.at + size, len(self.data), self.most if self.errors else len(self.data))
        found, self.at = self.data[self.at : end], end
        return found


def test_a_lost_connection_is_taken_up_where_it_was_lost(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(range(256)) * 40
    bucket.pipe("/logs/a", data)
    pauses: list[float] = []
    store = Remote("memory://logs/a", pauses.append)
    errors: list[Exception] = [ConnectionResetError("gone"), TimeoutError("slow")]
    monkeypatch.setattr(store._fs, "open", lambda *_, **__: Flaky(data, 5000, errors), raising=False)
    assert b"".join(store.chunks(store.look("/logs/a"))) == data
    assert pauses == [0.5, 0.5] or pauses == [0.5, 1.0]

    errors[:] = [ConnectionResetError("gone")] * 9
    with pytest.raises(OSError, match="gone"):
        list(store.chunks(store.look("/logs/a")))
    errors[:] = [PermissionError("no")] * 2
    before = len(pauses)
    with pytest.raises(OSError, match="no"):
        list(store.chunks(store.look("/logs/a")))
    assert len(pauses) == before


def test_what_an_object_gave_before_it_broke_off_is_kept_and_counted(
    bucket: Any, work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [json.dumps(happened(f"r{n}", text="x" * 500)).encode() + b"\n" for n in range(2_500)]
    data = b"".join(lines)
    bucket.pipe("/logs/a.jsonl", data)
    monkeypatch.setattr("review.intake.objects.SMALL", 10)
    errors: list[Exception] = [PermissionError("no longer yours")]
    real = Remote._from
    monkeypatch.setattr(Remote, "_from", lambda *_: iter(partial(Flaky(data, 1_000_000, errors).read, 65_536), b""))
    first = import_logs(work, ["memory://logs"])
    (source,) = first.sources
    assert first.unreadable and 0 < source.read == source.accepted == work.store.counts()["records"] < len(lines)
    assert first.skipped == [
        (
            "a.jsonl",
            f"breaks off after {source.read:,} records, which are kept: PermissionError: no longer yours; import it again",
        )
    ]
    monkeypatch.setattr(Remote, "_from", real)
    second = import_logs(work, ["memory://logs"])
    assert not second.unreadable and second.sources[0].accepted == len(lines) - source.accepted


def test_an_object_that_became_another_is_not_put_together(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"x" * 9000
    bucket.pipe("/logs/a", data)
    store = Remote("memory://logs/a", lambda _: None)
    monkeypatch.setattr(store._fs, "open", lambda *_, **__: Flaky(data, 5000, [ConnectionResetError("gone")]), raising=False)
    one = store.look("/logs/a")
    bucket.pipe("/logs/a", b"y" * 9000)
    with pytest.raises(OSError, match="changed while it was read"):
        list(store.chunks(one))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("s3://AKIA:secret@bucket/x", "s3://bucket/x"),
        ("https://host/a/b.json?sig=secret&x=1", "https://host/a/b.json"),
        ("sftp://me:secret@host/logs/", "sftp://host/logs/"),
    ],
)
def test_an_address_is_shown_without_what_it_is_reached_with(address: str, told: str) -> None:
    assert shown(address) == told


@pytest.mark.parametrize(
    "address",
    [
        "zip://x::https://u:secret@host/y",
        "github://a:b@c/",
        "simplecache::s3://bucket/",
        "ftp://me:secret@host/x",
        "reference://x",
    ],
)
def test_chains_and_unknown_stores_are_refused(address: str, work: Workspace) -> None:
    report = imported(work, address)
    assert report.unreadable and "no store of this kind" in report.skipped[0][1]
    assert "secret" not in str(report.document())


def test_a_driver_that_is_missing_is_named(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    report = imported(work, "s3://KEY:secret@bucket/logs/")
    assert report.unreadable and "'s3fs'" in report.skipped[0][1] and "secret" not in str(report.document())
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    assert "remit[cloud]" in imported(work, "s3://bucket/logs/").skipped[0][1]


@pytest.mark.parametrize(("address", "told"), [("sftp://host/logs", False), ("ssh://host/logs", False), ("memory://logs", True)])
def test_a_driver_that_keeps_no_listings_is_told_nothing_of_them(
    address: str, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the SFTP driver does not know itself goes into its connection, which refuses it."""
    given: dict[str, Any] = {}
    opened = ("a driver", "/logs")
    monkeypatch.setattr("fsspec.core.url_to_fs", lambda _address, **options: given.update(options) or opened)
    assert Remote(address).root == "/logs" and ("use_listings_cache" in given) is told


def test_a_file_address_is_a_path(tmp_path: Path, work: Workspace) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(line("a"))
    assert names(imported(work, folder.as_uri())) == {"a.jsonl": 1}


class Pages(BaseHTTPRequestHandler):
    """A web server of a few objects, one of which fails at first."""

    broken = 0
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Pages.asked.append(self.path)
        path = self.path.partition("?")[0]
        if path in ("/away", "/worse"):
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd" if path == "/away" else "ftp://other/x")
            self.end_headers()
        elif path == "/moved.jsonl":
            self.send_response(302)
            self.send_header("Location", "/logs/a.jsonl")
            self.end_headers()
        elif path == "/busy.jsonl" and Pages.broken:
            Pages.broken -= 1
            self.send_error(503)
        elif path == "/refused.jsonl":
            self.send_error(403)
        elif path == "/logs/":
            self._say(
                b'<a href="a.jsonl">a</a> <a href="b.jsonl">b</a> <a href="https://elsewhere/x.jsonl">x</a> <a href="../up">..</a> <a href="%2e%2e/up">..</a>',
                "text/html",
            )
        elif path.startswith("/maze/") and not path.endswith(".jsonl"):
            self._say(b'<a href="x.jsonl">x</a> <a href="left/">l</a> <a href="right/">r</a>', "text/html")
        elif path.endswith(".jsonl"):
            self._say(line(path), "application/json")
        else:
            self.send_error(404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _say(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", '"1"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def web() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_web_server(web: str, work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PAUSES", (0.0, 0.0))
    assert names(imported(work, f"{web}/logs/")) == {"a.jsonl": 1, "b.jsonl": 1}
    assert imported(work, f"{web}/logs/").unchanged == 2
    assert names(imported(work, f"{web}/c.jsonl?sig=secret")) == {"c.jsonl": 1}
    assert names(imported(work, f"{web}/moved.jsonl")) == {"moved.jsonl": 0}
    Pages.broken = 2
    assert names(imported(work, f"{web}/busy.jsonl")) == {"busy.jsonl": 1}
    for path, reason in (
        ("/away", "redirect"),
        ("/worse", "redirect"),
        ("/refused.jsonl?sig=secret", "403"),
        ("/none", "no such object"),
    ):
        report = imported(work, web + path)
        assert report.unreadable and reason in report.skipped[0][1], report.skipped
        assert "secret" not in str(report.document())
    assert not any("secret" in one.path or "secret" in one.name for one in work.store.custody())
    assert not any("elsewhere" in path or "up" in path for path in Pages.asked)


def test_listings_of_a_web_server_have_bounds(web: str, work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PAGES", 5)
    report = imported(work, f"{web}/maze/")
    assert report.unreadable and "more than 5 pages of listings" in report.skipped[0][1]
    assert len(report.sources) == 5, "what was listed is read"
    monkeypatch.setattr(remote, "PAGE_BYTES", 50)
    assert "more than 0 MB" in imported(work, f"{web}/maze/").skipped[0][1]


def test_following_a_prefix(bucket: Any, work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("review.watch.following.time.monotonic", lambda: now[0])
    bucket.pipe("/logs/a.jsonl", line("a"))
    bucket.pipe("/logs/notes.txt", b"nothing of ours\n")
    following = Following(work, ["memory://logs/"], Settings(live=True))
    first = following.look()
    assert names(first) == {"a.jsonl": 1} and len(first.skipped) == 1 and first.totals["tasks"] >= 0
    bucket.pipe("/logs/b.jsonl", line("b"))
    assert names(following.look()) == {}
    now[0] += 60
    later = following.look()
    assert names(later) == {"b.jsonl": 1} and later.skipped == []
    following.close()


def test_a_slow_store_holds_the_reading_up() -> None:
    given = 0

    def chunks() -> Iterator[bytes]:
        nonlocal given
        for _ in range(500):
            given += 1
            yield b"x" * 1000

    stream = Prefetched(chunks(), most=4)
    for taken in range(500):
        assert stream.read(1000)
        # One in hand, one waiting at the full queue.
        assert given <= taken + 1 + 4 + 1
    assert stream.read(1000) == b"" and given == 500
    stream.close()


def test_what_a_driver_raises_that_nobody_knows_reaches_whoever_reads() -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise KeyError("ContentRange")

    stream = Prefetched(broken())
    assert stream.read() == b"a"
    with pytest.raises(KeyError, match="ContentRange"):
        stream.read()


def test_objects_are_fetched_ahead_within_bounds(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "AHEAD", 4)
    fetched: list[str] = []
    plain = Remote.chunks

    def chunks(self: Remote, one: remote.Object) -> Iterator[bytes]:
        fetched.append(one.path)
        yield from plain(self, one)

    monkeypatch.setattr(Remote, "chunks", chunks)
    for n in range(40):
        bucket.pipe(f"/logs/{n:02}.jsonl", line(str(n)))
    for taken, one in enumerate(sources("memory://logs/", None)):
        assert isinstance(one, Found), one
        assert len(fetched) <= taken + 4
    assert len(fetched) == 40


def test_walking_without_a_store_gives_everything(bucket: Any) -> None:
    bucket.pipe("/logs/a.jsonl", line("a"))
    [one] = walk(["memory://logs/"])
    assert isinstance(one, Found) and one.name == "a.jsonl"
    [none] = walk(["memory://none/"])
    assert isinstance(none, Missing)
