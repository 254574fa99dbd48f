"""What is asked of one task, step, finding, credential or record is looked up, however many of them a store holds."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from store.engine import Database
from tests.running import ORG, Day, ok

GROWING = ("credential", "credential_task", "event", "event_key", "finding", "record", "search_doc", "sighting", "step", "tally")
"""Tables with rows for every task."""
WALKS = re.compile(rf"SCAN ({'|'.join(GROWING)})\b|SEARCH ({'|'.join(GROWING)}) USING .* \((blind_spot=\?|id>\?)\)$")
"""Plans that go through most rows of one, by a part of a key that most rows have too."""


@contextmanager
def heard(patch: pytest.MonkeyPatch) -> Iterator[dict[str, Sequence[Any]]]:
    """Every statement that is run meanwhile, with values it was run with."""
    found: dict[str, Sequence[Any]] = {}
    fetch = Database.fetch

    def run(self: Database, connection: Any, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        found[statement] = values
        return fetch(self, connection, statement, values)

    def before(connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        found[statement] = values[0] if many else values

    patch.setattr(Database, "fetch", run)
    event.listen(Engine, "before_cursor_execute", before)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", before)


@pytest.mark.parametrize("kind", ["task", "step", "finding", "credential", "record"])
def test_one_thing_is_looked_up(kind: str, day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(day.store)) as store:
        (id,) = store.execute(f"SELECT id FROM {kind} ORDER BY id LIMIT 1").fetchone()
        with heard(monkeypatch) as statements:
            ok("show", "--store", day.store, "--org", ORG, "--json", id)
        assert len(statements) > 3
        for statement, values in statements.items():
            if statement.lstrip().upper().startswith(("SELECT", "WITH")):
                plan = [step for *_, step in store.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
                assert not [step for step in plan if WALKS.match(step)], statement
