"""HUM-03 in listings of findings: where it stands among the others, and when no finding need be looked at for it."""

from __future__ import annotations

import pytest

from chains.org import Org, OrgFacts
from model.words import Severity
from review.show.filters import finding_filter
from review.show.listings import findings
from review.state.overdue import DETECTION, overdue
from review.workspace import Workspace
from store import Store
from store.findings import finding_place
from tests.store_fixtures import make_chain, make_finding, make_step

FAR = 4_000_000_000_000_000
"""A moment by which everything is overdue."""
FILTERS = (
    "",
    "severity:low",
    "severity:critical",
    "severity:low,high",
    "detection:HUM-03",
    "detection:CRED-03",
    "detection:CRED-03,HUM-03",
    "task:task-3",
    "blind:yes",
    "blind:no",
    "after:2001-01-01",
    "before:2001-01-01",
    "severity:low blind:no before:2200-01-01",
)
SETTINGS = (
    {},
    {"HUM-03": {"severity": "high"}},
    {"HUM-03": {"enabled": False}},
    {"HUM-03": {"low_hours": 1e9, "high_hours": 1e9}},
)


@pytest.fixture
def filled(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    severities, detections = tuple(Severity), ("CRED-03", "ATT-01", "OUT-02", "HUM-01")
    for n in range(12):
        task = f"task-{n}"
        found = [
            make_finding(task, f"{n}/{k}", detection=detections[(n + k) % 4], severity=severities[(n * k) % 4], blind_spot=k == 4)
            for k in range(n % 6)
        ]
        store.save_chain(make_chain(task, [make_step(task, 1)], [f"rec-{n}"]), found)
    monkeypatch.setattr(store, "last_evidence", lambda: FAR)
    return store


@pytest.mark.parametrize("settings", SETTINGS, ids=["as they are", "high", "off", "other times"])
@pytest.mark.parametrize("filter", FILTERS)
def test_a_listing_holds_what_is_overdue_in_its_place(filled: Store, filter: str, settings: dict[str, dict[str, object]]) -> None:
    work = Workspace(filled, "", OrgFacts(Org(detections=settings)))
    chosen = finding_filter(filter)
    late = [
        one
        for one in overdue(work, task=chosen.task)
        if chosen.blind_spot is not True
        and (not chosen.detections or DETECTION in chosen.detections)
        and (not chosen.severities or one.severity.value in chosen.severities)
        and (chosen.after is None or (one.at or 0) >= chosen.after)
        and (chosen.before is None or (one.at or 0) < chosen.before)
    ]
    whole = [one.id for one in sorted([*filled.findings(chosen), *late], key=finding_place)]
    assert settings or filter or (late and len(whole) > 20)
    for limit in (None, 1, 3, len(whole) or 1, 1000):
        assert [one["id"] for one in findings(work, filter, limit)] == whole[:limit]


@pytest.mark.parametrize("page", [1, 2, 7])
def test_a_listing_is_read_a_page_at_a_time(filled: Store, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Workspace(filled, "", OrgFacts(Org()))
    whole = [one["id"] for one in findings(work)]
    monkeypatch.setattr("review.show.listings.AT_ONCE", page)
    assert [one["id"] for one in findings(work)] == whole


def test_findings_are_looked_at_for_what_is_overdue_only_where_a_listing_comes_to_it(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    by_task = filled.findings_by_task
    monkeypatch.setattr(filled, "findings_by_task", lambda: looked.append("all") or by_task())
    work = Workspace(filled, "", OrgFacts(Org()))
    for filter, limit, looks in (
        ("", 5, 0),
        ("severity:critical", None, 0),
        ("detection:CRED-03", None, 0),
        ("blind:yes", None, 0),
        ("severity:low", None, 1),
        ("", None, 1),
    ):
        looked.clear()
        assert list(findings(work, filter, limit))
        assert len(looked) == looks, (filter, limit)
