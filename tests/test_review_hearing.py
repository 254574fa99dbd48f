"""What a build goes on from of what was heard of each point says what all of it says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.coverage import coverage_of
from chains.facts import OrgFacts
from chains.heard import Heard
from model.event import Event, Principal
from model.words import EventKind, Phase, Vantage
from review.derive import covering, hearing
from review.derive.building import build
from review.derive.hearing import heard, heard_on
from review.intake.importing import import_logs
from review.sitting.demo import NOT_LOGS
from review.workspace import open_workspace
from samplegen import generate
from store import HeardState, Store
from tests.store_fixtures import make_event, make_record


@pytest.fixture
def agreed(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Of every build the points it went on from; each is held against all that was heard."""
    went_on: list[set[str]] = []

    def both(store: Store, facts: OrgFacts) -> dict[str, Heard]:
        kept, otherwise = store.heard_states(), store.dirty_points()
        went_on.append({point for point, (first, *_) in kept.items() if otherwise.get(point, first.until + 1) > first.until})
        found, whole = heard_on(store, facts), heard(store, facts)
        assert found == whole
        assert coverage_of(found, facts) == coverage_of(whole, facts)
        return found

    monkeypatch.setattr(covering, "heard_on", both)
    monkeypatch.setattr(hearing, "WORTH", 5)
    monkeypatch.setattr(hearing, "APART", 2)
    return went_on


def _days(folder: Path, days: int) -> list[Path]:
    for day in range(days):
        generate(folder / f"{day}", 8, truth=False, day=day)
        for other in NOT_LOGS:
            (folder / f"{day}" / other).unlink(missing_ok=True)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_days_in_order_go_on_from_what_was_kept(tmp_path: Path, agreed: list[set[str]]) -> None:
    _days(tmp_path, 3)
    with open_workspace(str(tmp_path / "store.db"), None, create=True) as work:
        for day in range(3):
            import_logs(work, [str(tmp_path / f"{day}")])
            build(work)
    assert not agreed[0]
    assert all(len(points) >= 4 for points in agreed[1:])


@pytest.mark.parametrize("seed", range(3))
def test_files_in_any_order_are_heard_as_if_all_were_there_at_once(tmp_path: Path, agreed: list[set[str]], seed: int) -> None:
    files = _days(tmp_path, 2)
    random.Random(seed).shuffle(files)
    with open_workspace(str(tmp_path / "store.db"), None, create=True) as work:
        for start in range(0, len(files), 4):
            import_logs(work, [str(path) for path in files[start : start + 4]])
            build(work)
    assert any(agreed)


def test_what_is_read_otherwise_is_heard_again(tmp_path: Path, agreed: list[set[str]]) -> None:
    _days(tmp_path, 1)
    with open_workspace(str(tmp_path / "store.db"), None, create=True) as work:
        import_logs(work, [str(tmp_path / "0")])
        build(work)
        record = next(
            row.id for source in work.store.sources() for row in work.store.raw_records(source.id) if source.format == "opa"
        )
        assert [event for event, _ in work.store.events_of_record(record)]
        work.store.replace_events(record, [])
        build(work)
    assert "opa" not in " ".join(agreed[-1])
    assert agreed[-1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9_000), min_size=1, max_size=60))
def test_of_any_growth_few_moments_stay_and_none_lies_far_behind_the_next(growth: list[int]) -> None:
    """`growth` is how many sightings each build brings. Whatever of them is late, some times as many as lie behind it are read."""
    stay: list[HeardState] = []
    total = 0
    for events in growth:
        total += events
        new = [HeardState("p", n, n) for n in hearing._targets(stay[0].records if stay else 0, total)]
        stay = hearing._thinned([*reversed(stay), *new], total)
        assert len({one.until for one in stay}) == len(stay) <= 2 * total.bit_length()
        behind = [total - one.records for one in stay]
        assert behind == sorted(behind)
        for near, far, farther in zip(behind, behind[1:], behind[2:], strict=False):
            assert farther > hearing.APART * near, f"{far} could go"
    largest = max(growth)
    for near, far in pairwise([hearing.WORTH, *(total - one.records for one in stay), total]):
        assert far <= hearing.APART * near + largest + 2 * hearing.WORTH


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "WORTH", 5)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("decides", [False, True])
def test_something_late_costs_what_lies_behind_it(store: Store, decides: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    for name in ("moments", "sightings"):
        monkeypatch.setattr(Store, name, _counted(getattr(Store, name), read))

    def brought(*moments: int) -> int:
        """How many sightings a build reads that these are new to."""
        store.add([make_record(f"r{at}", events=[_spoken(at, decides)], at=at) for at in moments])
        store.begin_build()
        read.clear()
        found = heard_on(store, OrgFacts())
        fell = sum(read)
        store.mark_built()
        assert found == heard(store, OrgFacts())
        return fell

    assert brought(*range(10, 2_010, 2)) == 1_000
    assert len(store.heard_states()["opa"]) >= 4
    assert brought(2_010) <= 25, "what comes in order is read with the few behind the last state"
    for late, behind in ((1_911, 50), (1_811, 100), (1_011, 500)):
        assert behind < brought(late) <= hearing.APART * behind + 50
    store.replace_events(make_record("r1011").id, [msgspec.structs.replace(_spoken(1_011, decides), principal=Principal("x"))])
    assert 500 < brought() <= hearing.APART * 500 + 50, "as many as before, told otherwise"
    assert brought(9) == 1_005, "where something is earlier than all, all is heard again"
    assert brought(2_012) <= 30


def _counted(told: Any, read: list[int]) -> Any:
    def counted(*about: Any, **more: Any) -> Iterator[Any]:
        for one in told(*about, **more):
            read.append(1)
            yield one

    return counted


def _spoken(at: int, decides: bool) -> Event:
    """What a point says each second: that it was there, or a verdict."""
    if not decides:
        return make_event(f"r{at}", at=at * 1_000_000, point="opa")
    return make_event(
        f"r{at}", at=at * 1_000_000, point="opa", kind=EventKind.DECISION, phase=Phase.VERDICT, vantage=Vantage.ENFORCER
    )
