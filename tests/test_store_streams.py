"""Rows that may be millions are taken from the database some at a time."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy import func, select, text

from store import open_store
from store.streams import streamed
from tests.running import ROOT


def test_what_is_not_read_yet_stays_in_the_database(postgresql_url: str) -> None:
    with closing(open_store(postgresql_url)) as store, store.db.read() as connection:
        rows = streamed(connection, select(func.generate_series(1, 5_000))).scalars()
        assert next(rows) == 1
        assert connection.execute(text("SELECT count(*) FROM pg_cursors")).scalar_one() == 1
        assert sum(rows) == sum(range(2, 5_001))
        assert connection.execute(text("SELECT count(*) FROM pg_cursors")).scalar_one() == 0


def test_no_rows_are_asked_for_some_at_a_time_once_all_are_here() -> None:
    late = [path.name for path in (ROOT / "store").rglob("*.py") if ".yield_per(" in path.read_text("utf-8")]
    assert late == []
