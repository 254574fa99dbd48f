"""The overview's figures are those of the rows they lead to; visits are remembered per reviewer and store, outside the store."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lang.times import iso
from model.chain import Coverage, Gap
from model.words import Vantage
from review.errors import RemitError
from review.judge import visits
from review.judge.exceptions import accept_risk
from review.judge.verdicts import give_verdict
from review.show.filters import task_filter
from review.sitting import days
from review.sitting.figures import PARTS
from review.sitting.overview import Overview, overview
from review.sitting.overview_words import row_sentences, sections
from review.stores.teams import alone
from review.workspace import Workspace, open_workspace, whoami
from tests.running import run
from tests.tui_desk import KEY, sample_store

Doc = dict[str, Any]
HOUR, DAY = days.HOUR, days.DAY


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def work(place: Path) -> Iterator[Workspace]:
    shutil.copytree(sample_store().parent, place / "own")
    with open_workspace(str(place / "own" / "remit.db")) as opened:
        yield opened


def figures(value: Any) -> Iterator[tuple[int, Doc]]:
    """Every figure that counts tasks and leads into the queue."""
    if isinstance(value, dict):
        rows, count = value.get("rows"), value.get("tasks")
        if isinstance(rows, dict) and rows.get("place") == "queue" and isinstance(count, int):
            yield count, rows
        for one in value.values():
            yield from figures(one)
    elif isinstance(value, list):
        for one in value:
            yield from figures(one)


def test_every_count_of_tasks_is_that_of_its_rows_in_the_queue(work: Workspace) -> None:
    first = work.store.task_rows(None, "risk", 3)
    give_verdict(work, first[0].id, "within-remit", "fine")
    look = Overview(work)
    assert look.remember()
    found = list(figures([look.part(part) for part in PARTS]))
    assert len(found) >= 20
    for count, rows in found:
        assert work.store.count_tasks(task_filter(rows["filter"])) == count, rows
        assert shlex.split(rows["command"])[:3] == ["remit", "tasks", "--filter"]
        assert shlex.split(rows["command"])[3] == rows["filter"]
    assert {row["id"] for row in look.part("riskiest")["tasks"]}.isdisjoint({first[0].id})


def test_shares_and_credentials_are_those_of_their_listings(work: Workspace) -> None:
    from review.show.listings import credentials, findings
    from review.show.shares import coverage_by

    look = Overview(work)
    governed, by_agent = look.part("governed"), coverage_by(work, "agent")
    for name in ("actions", "decided", "with_credential", "with_task_bound_credential", "confirmed", "refused"):
        assert governed[name] == sum(row[name] for row in by_agent)
    held = list(credentials(work))
    told = look.part("credentials")
    assert told["credentials"] == len(held)
    for row in told["bonds"]:
        assert row["credentials"] == sum(one["bond"] == row["bond"] for one in held)
    for row in told["flags"]:
        assert row["credentials"] == sum(row["flag"] in one["flags"] for one in held)
    seen = [one for one in findings(work) if one["detection"] != "HUM-03"]
    over = look.part("findings")
    assert over["unit"] == "hour" and len(over["periods"]) == len(over["severities"][0]["over_time"])
    for row in over["severities"]:
        mine = [one for one in seen if one["blind_spot"] == (row["severity"] == "blind")]
        assert row["total"] == sum(row["severity"] in ("blind", one["severity"]) for one in mine)
        assert row["total"] == sum(row["over_time"]) + row["undated"]


def test_ages_are_told_as_of_the_last_evidence(work: Workspace) -> None:
    told = Overview(work).part("review")
    assert told["as_of"] == iso(work.store.last_evidence())
    assert sum(row["tasks"] for row in told["ages"]) + told["undated"] == told["open"]["tasks"] == 81
    assert told["waiting"] == 81 and told["judged"]["tasks"] == 0 and told["oldest_seconds"] > 3600


def test_what_people_did_stands_in_the_review(work: Workspace) -> None:
    task = work.store.task_rows(None, "risk", 1)[0].id
    finding = work.store.findings(limit=1)[0].id
    give_verdict(work, task, "escalate", "look \x1b[31mhere")
    accept_risk(work, finding, owner="dana", ticket="SEC-1", expires="2099-01-01", reason="known")
    told = Overview(work).part("review")
    assert told["last_day"]["verdicts"] == 1 and told["last_day"]["reviewers"] == 1
    assert told["accepted"]["exceptions"] == told["accepted"]["hides"] == 1 and told["accepted"]["ending_within_7_days"] == 0
    assert len(row_sentences(work, "journal")) == 1 and "escalate" in row_sentences(work, "journal")[0]
    assert len(row_sentences(work, "accepted")) == 1 and "SEC-1" in row_sentences(work, "accepted")[0]
    later = Overview(work, now=4_070_908_800_000_000 + 1).part("review")
    assert later["last_day"]["verdicts"] == 0


def test_a_visit_tells_what_is_new_and_leaves_the_store_alone(work: Workspace, place: Path) -> None:
    now = 2_000_000_000_000_000
    assert Overview(work, now=now).part("visit")["last"] is None
    assert Overview(work, now=now).remember()
    assert Overview(work, now=now + HOUR).part("visit")["last"] is None, "the same visit goes on"
    later = Overview(work, now=now + 5 * HOUR)
    told = later.part("visit")
    assert (told["last"], told["tasks"]["tasks"], told["imports"]["files"]) == (iso(now), 0, 0)
    assert [row["new"] for row in later.part("findings")["severities"]] == [0] * 5
    gone = work.store.task_rows(None, "risk", 1)[0]
    chain = work.store.chain(gone.id)
    assert chain is not None
    work.store.save_chain(chain, [])
    assert later.part("visit")["tasks"]["tasks"] == 1
    fewer = Overview(work, now=now + 5 * HOUR).part("findings")["severities"]
    assert fewer[1]["new"] == -gone.high
    work.store.clear_derived()
    assert Overview(work, now=now + 5 * HOUR).part("visit")["tasks"] is None
    kept = list((place / "state" / "remit" / "visits").iterdir())
    assert len(kept) == 1 and json.loads(kept[0].read_text())["reviewer"] == whoami()


def test_visits_are_apart_by_reviewer_and_store_and_survive_nonsense(place: Path) -> None:
    seen = visits.Seen(10, "1:a", 3, {"high": 2})
    assert visits.remember("a.db", "dana", seen)
    assert visits.recall("a.db", "lee") is None and visits.recall("b.db", "dana") is None
    assert visits.since(visits.recall("a.db", "dana"), 10 + visits.SITTING + 1) == seen
    url = "postgresql+psycopg://dana:secret@host/db"
    assert visits.remember(url, "dana", seen) and visits.recall(url, "dana") is not None
    for file in (place / "state" / "remit" / "visits").iterdir():
        assert "secret" not in file.read_text()
        file.write_bytes(b'{"store": 7}')
    assert visits.recall("a.db", "dana") is None and visits.since(None, 5) is None
    shutil.rmtree(place / "state")
    (place / "state").write_text("a file is in the way")
    assert not visits.remember("a.db", "dana", seen)


def test_days_nobody_watched_are_left_out_and_few_days_are_told_by_hours() -> None:
    row = Coverage("opa", Vantage.ENFORCER, "*", 0, 10 * DAY, 5, (Gap(HOUR, 8 * DAY), Gap(8 * DAY + HOUR, 10 * DAY - HOUR)))
    spans = days.merge(days.watched(row))
    assert spans == [(0, HOUR), (8 * DAY, 8 * DAY + HOUR), (10 * DAY - HOUR, 10 * DAY)]
    assert days.unit_of(spans) == DAY and days.last(spans, DAY, 14) == [0, 8, 9, 10] and days.last(spans, DAY, 2) == [9, 10]
    assert days.unit_of(spans[:2]) == HOUR and days.last(spans[:2], HOUR, 99) == [0, 1, 192, 193]
    assert days.last([(5 * DAY, 5 * DAY)], DAY, 9) == [5]


def test_a_point_is_measured_by_what_anybody_watched() -> None:
    whole = Coverage("agent", Vantage.AGENT, "*", 0, 4 * HOUR, 9)
    half = Coverage("opa", Vantage.ENFORCER, "*", 0, 4 * HOUR, 9, (Gap(HOUR, 3 * HOUR),))
    spans = days.merge([*days.watched(whole), *days.watched(half)])
    lit = days.lit(spans, [0, 1], DAY)
    assert days.shares(half, [0, 1], DAY, lit) == [0.5, None]
    hours = days.lit(spans, [0, 1, 2, 3], HOUR)
    assert days.shares(half, [0, 1, 2, 3], HOUR, hours) == [1.0, 0.01, 0.0, 1.0]
    missing = Coverage("vault", Vantage.ENFORCER, "*", 0, 4 * HOUR, 0, (Gap(0, 4 * HOUR),))
    assert days.watched(missing) == [] and days.shares(missing, [0], DAY, lit[:1]) == [0.0]


def test_a_filter_that_a_figure_never_makes_is_refused() -> None:
    for wrong in ("severity:awful", "since:x", "since:-1", "since:"):
        with pytest.raises(RemitError, match="filter"):
            task_filter(wrong)


def test_the_command_line_tells_the_same(place: Path) -> None:
    store = str(sample_store())
    shown = json.loads(run("overview", "--json", "--store", store).out)
    with open_workspace(store, readonly=True) as work:
        document = overview(work)
    for part in PARTS:
        if part != "review":
            assert shown[part] == json.loads(json.dumps(document[part])), part
    plain = run("overview", "--plain", "--store", store).out.splitlines()
    assert plain[0].startswith("1. 81 tasks from 82 sources") and plain[-1].startswith(f"{len(plain)}. ")
    told = [sentence for _, sentences in sections(document) for sentence in sentences]
    assert len(told) == len(plain)


def test_an_empty_store_says_what_to_do(place: Path) -> None:
    with open_workspace(str(place / "new.db"), create=True) as work:
        document = overview(work, visit=True)
        assert [title for title, _ in sections(document)] == ["Nothing yet"]
        assert document["visit"]["remembered"] and document["coverage"]["points"] == []


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (None, ""),
        ([], "of the teams you are granted, which are none"),
        (["pay"], "of team pay alone"),
        (["-", "pay"], "of no team and team pay alone"),
        (["a", "b", "c"], "of 3 teams alone"),
    ],
)
def test_a_count_says_whose_tasks_it_is_of(seen: list[str] | None, told: str) -> None:
    assert alone(seen) == told


def test_who_sees_some_teams_alone_is_told_which_and_never_that_there_is_nothing(place: Path) -> None:
    with open_workspace(str(sample_store()), readonly=True) as work:
        document = overview(work) | {"sources": 0, "sees": ["-", "pay"]}
    titles, (head, *_) = zip(*sections(document), strict=True)
    assert titles[0] == "Overview" and "Nothing yet" not in titles
    assert (
        head[0].startswith("81 tasks; evidence until ") and "You see tasks of no team, tasks of pay, and every figure" in head[0]
    )
    assert "sources" not in head[0]
