"""Histories elsewhere: the same policy over the same requests gives the same document as over our own store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from benchmarks.cel_writer import Writer
from chains.facts import OrgFacts
from review import locations
from review.workspace import Workspace
from store import Store
from tests.histories import fill, lake, over_lake, over_store, policy, warehouse


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locations, "data_dir", lambda: tmp_path / "data")
    monkeypatch.setattr(locations, "config_dir", lambda: tmp_path / "config")


@pytest.fixture
def work(store: Store, store_url: str) -> Iterator[Workspace]:
    yield Workspace(store, store_url, OrgFacts())


def test_a_lake_tells_what_our_own_stores_tell(work: Workspace, tmp_path: Path) -> None:
    fill(work.store, Random(7))
    far = warehouse(f"parquet://{lake(list(work.store.requests()), tmp_path)}")
    writer = Writer(Random(11))
    judged = 0
    for turn in range(3):
        draft, baseline = policy(writer), policy(writer) if turn % 2 else None
        own = over_store(work, draft, baseline)
        assert over_lake(work, far, draft, baseline) == own
        judged += own["flips_total"]
    assert judged > 20, "the policies did nothing that could have differed"
