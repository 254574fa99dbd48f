"""SQLite's log begins anew however busily others read, and a reader that holds on to an old state stops no write."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from store import Store, open_store, wal

LONG, PIECE, PIECES = 1_000_000, 200_000, 60


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "LONG", LONG)
    monkeypatch.setattr(wal, "STEP", 5 * PIECE)


def write(store: Store, number: int) -> int:
    """Add a piece, and tell how long the log is then."""
    with store.db.write() as connection:
        connection.exec_driver_sql("INSERT INTO meta (key, value) VALUES (?, ?)", (f"piece {number}", "x" * PIECE))
    return Path(f"{store.db.url.database}-wal").stat().st_size


def never_resting(path: Path, rests: Event) -> None:
    """Read so that at every moment some state is held: the next one is taken before the last is let go."""
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as one,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        now, last = one, other
        while not rests.wait(0.002):
            now.execute("BEGIN")
            now.execute("SELECT count(*) FROM meta").fetchone()
            if last.in_transaction:
                last.execute("COMMIT")
            now, last = last, now


def test_the_log_begins_anew_beside_a_reader_that_never_rests(tmp_path: Path) -> None:
    rests = Event()
    with closing(open_store(str(tmp_path / "s.db"), create=True)) as store:
        reader = Thread(target=never_resting, args=(tmp_path / "s.db", rests))
        reader.start()
        try:
            sizes = [write(store, number) for number in range(PIECES)]
        finally:
            rests.set()
            reader.join()
    assert max(sizes) < LONG + 12 * PIECE < PIECES * PIECE


def test_a_reader_that_holds_an_old_state_stops_no_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "PATIENCE_MS", 1)
    path = tmp_path / "s.db"
    with closing(open_store(str(path), create=True)) as store, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        (before,) = reader.execute("SELECT count(*) FROM meta").fetchone()
        grown = [write(store, number) for number in range(20)]
        assert grown == sorted(grown) and grown[-1] > 20 * PIECE
        assert reader.execute("SELECT count(*) FROM meta").fetchone() == (before,)
        reader.execute("COMMIT")
        write(store, 20)
        rest = [write(store, 21 + number) for number in range(8)]
        assert len(set(rest[-4:])) == 1, "the log's file is written from its beginning again"
        assert reader.execute("SELECT count(*) FROM meta").fetchone() == (before + 29,)


class _Waiting(sqlite3.Connection):
    """A connection before whose second try the store is let go by whoever held it."""

    tries = 0
    holder: sqlite3.Connection

    def execute(self, *words: Any) -> sqlite3.Cursor:
        self.tries += 1
        if self.tries == 2:
            self.holder.rollback()
        return super().execute(*words)


def test_a_log_is_begun_when_another_program_has_let_the_store_go(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE t (a)")
        holder.execute("BEGIN EXCLUSIVE")
        with closing(sqlite3.connect(path, timeout=0, factory=_Waiting)) as waiting:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                wal.begin_log(waiting, 0)
            waiting.tries, waiting.holder = 0, holder
            wal.begin_log(waiting, 30)
            assert waiting.tries == 2
            assert waiting.execute("PRAGMA journal_mode").fetchone() == ("wal",)
