"""A sitting at the desk: what takes long holds up neither the other screens nor leaving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import text

from review.intake import sources as reconciled
from review.sitting.desk import Desk
from review.workspace import Workspace
from store.errors import StoreError
from tests.tui_desk import KEY, own_store

ENDLESS = text("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Set once the listing of sources, which never ends here, asks the database."""
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)
    told = Event()

    def endless(work: Workspace) -> list[dict[str, Any]]:
        with work.store.db.read() as connection:
            told.set()
            connection.execute(ENDLESS)
        return []

    monkeypatch.setattr(reconciled, "sources", endless)
    return told


def _expecting(error: type[Exception], call: Callable[[], object], seen: list[Exception]) -> None:
    try:
        call()
    except error as raised:
        seen.append(raised)


def test_a_long_listing_holds_up_neither_other_reads_nor_leaving(begun: Event, tmp_path: Path) -> None:
    desk = Desk(str(own_store(tmp_path)))
    seen: list[Exception] = []
    reading = Thread(target=_expecting, args=(StoreError, desk.sources, seen), daemon=True)
    reading.start()
    assert begun.wait(60)
    assert desk.coverage() and desk.credentials() and desk.topic("mcp")
    desk.close()
    reading.join(60)
    assert not reading.is_alive() and len(seen) == 1
