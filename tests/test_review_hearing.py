"""What a build goes on from of what was heard of each point says what all of it says."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from chains.coverage import coverage_of
from chains.facts import OrgFacts
from chains.heard import Heard
from review.derive import covering, hearing
from review.derive.building import build
from review.derive.hearing import heard, heard_on
from review.intake.importing import import_logs
from review.sitting.demo import NOT_LOGS
from review.workspace import open_workspace
from samplegen import generate
from store import Store


@pytest.fixture
def agreed(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Of every build the points it went on from; each is held against all that was heard."""
    went_on: list[set[str]] = []

    def both(store: Store, facts: OrgFacts) -> dict[str, Heard]:
        kept, otherwise = store.heard(), store.dirty_points()
        went_on.append({point for point, (until, _) in kept.items() if otherwise.get(point, until + 1) > until})
        found, whole = heard_on(store, facts), heard(store, facts)
        assert found == whole
        assert coverage_of(found, facts) == coverage_of(whole, facts)
        return found

    monkeypatch.setattr(covering, "heard_on", both)
    monkeypatch.setattr(hearing, "WORTH", 5)
    monkeypatch.setattr(hearing, "LATE", 60_000_000)
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
