"""Every listing keeps its contract in all its output forms."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model.evidence import NamedAct
from store import Store
from tests.cli_contract import (
    COUNT,
    COUNTS,
    COVERAGE,
    CREDENTIAL,
    FINDING,
    LISTINGS,
    REFERENCE,
    REJECT,
    SEVERITIES,
    TASK,
)
from tests.running import (
    ORG,
    Day,
    fits,
    ok,
)

pytestmark = pytest.mark.usefixtures("alone")


def test_tasks_have_their_shape_and_stand_by_risk(day: Day) -> None:
    rows = day.json("tasks")
    fits(rows, [TASK])
    risks = [row["risk"] for row in rows]
    assert risks == sorted(risks, reverse=True) and risks[0] > risks[-1]
    assert len({row["id"] for row in rows}) == len(rows)


def test_a_task_counts_its_findings_and_never_its_blind_spots(day: Day) -> None:
    counted: Counter[tuple[str, str]] = Counter()
    blind: Counter[str] = Counter()
    for row in day.json("findings"):
        if row["blind_spot"]:
            blind[row["task"]] += 1
        else:
            counted[row["task"], row["severity"]] += 1
    rows = day.json("tasks")
    assert {(row["id"], s): row["findings"][s] for row in rows for s in SEVERITIES if row["findings"][s]} == dict(counted)
    assert sum(blind.values()) > 0
    assert {row["id"]: row["blind_spots"] for row in rows if row["blind_spots"]} == dict(blind)


def test_parents_and_children_name_each_other(day: Day, chains: list[dict[str, Any]]) -> None:
    parents = {row["id"]: row["parent"] for row in day.json("tasks")}
    children = {row["task"]["id"]: set(row["children"]) for row in chains}
    assert any(parents.values())
    for id, parent in parents.items():
        assert parent is None or id in children[parent]
    assert sum(map(len, children.values())) == sum(parent is not None for parent in parents.values())


def test_the_queue_is_the_same_by_either_way_of_reading_it(day: Day) -> None:
    """Without a filter it is read over plain `sqlite3`; a filter that all tasks pass takes the other way."""
    assert day.json("tasks") == day.json("tasks", "--filter", "risk:>=0")


@pytest.mark.parametrize("key", ["risk", "started", "title", "agent", "repository", "steps", "findings"])
def test_every_sort_lists_the_same_tasks(day: Day, key: str) -> None:
    rows = day.json("tasks", "--sort", key)
    assert {row["id"] for row in rows} == {row["id"] for row in day.json("tasks")}
    assert day.json("tasks", "--sort", key, "--limit", "7") == rows[:7]
    if key != "findings":
        values = [row[key] for row in rows if row[key] not in (None, "")]
        assert values in (sorted(values), sorted(values, reverse=True))


@pytest.mark.parametrize(
    ("expression", "keeps"),
    [
        ("agent:codex", lambda row: row["agent"] == "codex"),
        ("risk:>20", lambda row: row["risk"] > 20),
        ("risk:>=22 agent:claude-code", lambda row: row["risk"] >= 22 and row["agent"] == "claude-code"),
        ("risk:0", lambda row: row["risk"] == 0),
        ("finding:CRED-03", lambda row: "CRED-03" in row["detections"]),
        ("seen:target", lambda row: "target" in row["vantages"]),
        ("-verdict:*", lambda row: row["review"]["verdict"] is None),
        ("verdict:*", lambda row: row["review"]["verdict"] is not None),
        ("repo:harbour-lane/infra-live", lambda row: row["repository"] == "harbour-lane/infra-live"),
        ("env:staging", lambda row: row["environment"] == "staging"),
        ("after:2026-03-17T12:00:00Z", lambda row: row["started"] is not None and row["started"] >= "2026-03-17T12:00:00Z"),
        ("before:2026-03-17T12:00:00Z", lambda row: row["started"] is not None and row["started"] < "2026-03-17T12:00:00Z"),
        ("principal:petra.novak@harbourlane.example", lambda row: row["principal"] == "petra.novak@harbourlane.example"),
    ],
)  # fmt: skip
def test_filters_keep_exactly_what_they_say(day: Day, expression: str, keeps: Any) -> None:
    kept = day.json("tasks", "--filter", expression)
    assert kept == [row for row in day.json("tasks") if keeps(row)]


def test_findings_have_their_shape_and_evidence(day: Day) -> None:
    rows = day.json("findings")
    fits(rows, [FINDING])
    assert all(row["evidence"] for row in rows if not row["blind_spot"])
    assert all(row["why"] and row["controls"] for row in rows)
    assert len({row["id"] for row in rows}) == len(rows)
    kept = day.json("findings", "--filter", "severity:critical detection:BND-04")
    assert kept == [row for row in rows if row["severity"] == "critical" and row["detection"] == "BND-04"] and kept


def test_credentials_have_their_shape_and_their_tasks_exist(day: Day) -> None:
    rows = day.json("credentials")
    fits(rows, [CREDENTIAL])
    tasks = {row["id"] for row in day.json("tasks")}
    assert any("used_after_task_end" in row["flags"] for row in rows)
    for row in rows:
        assert set(row["tasks"]) <= tasks
        assert (row["uses"] == 0) == (row["first_use"] is None) == (row["last_use"] is None)
        if row["ttl_seconds"] == -1:
            assert row["expires"] is None and "standing" in row["flags"]
        else:
            assert row["ttl_seconds"] is None or row["ttl_seconds"] > 0


def test_coverage_has_its_shape_and_gaps_within_it(day: Day) -> None:
    rows = day.json("coverage")
    fits(rows, [COVERAGE])
    for row in rows:
        assert row["from"] <= row["to"]
        assert all(row["from"] <= gap["from"] < gap["to"] <= row["to"] for gap in row["gaps"])
    assert {row["vantage"] for row in rows} >= {"agent", "enforcer", "target"}


def test_sources_reconcile_from_each_records_home(day: Day) -> None:
    rows = day.json("sources")
    fits(rows, [{"id": str, "name": str, "format": str, "records": COUNTS, "rejects": [REJECT]}])
    for row in rows:
        counts = row["records"]
        assert counts["read"] == counts["accepted"] + counts["duplicate"] + counts["rejected"]
    assert {row["id"] for row in rows} == {one["id"] for one in day.imported["sources"]}
    assert sum(row["records"]["accepted"] for row in rows) == day.imported["totals"]["accepted"]


def test_identities_merge_the_names_of_one_person(day: Day) -> None:
    rows = day.json("identities")
    fits(rows, [{"identity": str, "kind": str, "names": [str], "events": COUNT, "points": [str]}])
    assert any(len(row["names"]) > 1 for row in rows), "the organisation file beside the store is read"


def test_unknown_names_are_listed_apart_with_the_evidence_for_merging_them(day: Day, tmp_path: Path) -> None:
    """What the organisation file of the sample day says is found without it, and nothing is merged by itself."""
    nobody = tmp_path / "org.yaml"
    nobody.write_text("name: nobody knows anybody\n")
    rows = ok("--store", day.store, "--org", nobody, "identities", "--json").json
    fits(rows, [{"identity": str, "known": bool, "candidates": [{"identity": str, "against": [str], "reasons": [
        {"reason": str, "why": str, "key": str, "keys": COUNT, "count": COUNT, "records": [REFERENCE]}]}]}])  # fmt: skip
    assert all(row["names"] == [row["identity"]] and not row["known"] for row in rows)
    told = {row["identity"]: {one["identity"]: one for one in row["candidates"]} for row in rows}
    merged = [row["names"] for row in day.json("identities") if len(row["names"]) > 1]
    pairs = [(names[0], name) for names in merged for name in names[1:]]
    hit = [pair for pair in pairs if pair[1] in told[pair[0]]]
    assert len(hit) * 2 > len(pairs)
    one = told[hit[0][0]][hit[0][1]]
    assert told[hit[0][1]][hit[0][0]]["reasons"] == one["reasons"]
    assert all(0 < len(reason["records"]) <= reason["count"] for reason in one["reasons"])
    plain = ok("--store", day.store, "--org", nobody, "identities", "--plain").out
    assert f"may be {hit[0][1]}: " in plain
    assert "may_be" in ok("--store", day.store, "--org", nobody, "identities").out.splitlines()[0]


def test_identities_are_of_one_moment(day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = day.copy(tmp_path / "mine")
    before, read = mine.json("identities"), Store.named_acts
    reads: list[None] = []

    def beside(store: Store) -> Iterator[NamedAct]:
        yield from read(store)
        reads.append(None)
        with closing(sqlite3.connect(mine.store)) as other, other:
            other.execute("DELETE FROM sighting")

    monkeypatch.setattr(Store, "named_acts", beside)
    assert mine.json("identities") == before and len(reads) == 2


def test_registries_tell_what_is_there(day: Day) -> None:
    fits(ok("formats", "--json").json, [{"id": str, "title": str, "evidence": str, "version": COUNT}])
    fits(ok("frameworks", "--json").json, [{"id": str, "title": str, "edition": str}])
    fits(ok("detections", "--json").json, [{"id": str, "title": str, "severity": set(SEVERITIES), "parameters": list}])
    assert {one["format"] for one in day.imported["sources"]} <= {row["id"] for row in ok("formats", "--json").json}
    assert {row["detection"] for row in day.json("findings")} <= {row["id"] for row in ok("detections", "--json").json}
    assert {"owasp-asi-2026", "owasp-nhi-2025", "nist-ai-rmf-1.0"} <= {row["id"] for row in ok("frameworks", "--json").json}


@pytest.mark.parametrize("name", LISTINGS)
def test_every_listing_comes_in_every_form(day: Day, name: str) -> None:
    rows = day.json(name)
    assert ok("--store", day.store, name, "--jsonl").lines == rows
    table = list(csv.reader(io.StringIO(ok("--store", day.store, name, "--csv").out)))
    assert len(table) == len(rows) + 1
    assert len({len(line) for line in table}) == 1
    plain = ok("--store", day.store, name, "--plain").out.splitlines()
    if rows:
        assert [line.split(".", 1)[0] for line in plain] == [str(number) for number in range(1, len(rows) + 1)]
    else:
        assert len(plain) == 1
    assert not set("│┃┌└├─━╭╰") & set("".join(plain))
    assert ok("--store", day.store, name).out


@pytest.mark.parametrize("name", [*LISTINGS, "store info", "store check", "config path", "policy history"])
def test_global_options_stand_before_or_after_the_command(day: Day, name: str) -> None:
    words = name.split()
    before = ok("--store", day.store, "--org", ORG, *words, "--json")
    after = ok(*words, "--json", "--org", ORG, "--store", day.store)
    assert before.out == after.out


def test_the_store_may_be_named_by_the_environment(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_STORE", str(day.store))
    assert ok("tasks", "--json").json == day.json("tasks")


def test_settings_that_belong_to_no_task_say_what_they_put_in_force(tmp_path: Path) -> None:
    (tmp_path / "opencode.json").write_text(
        '{"$schema":"https://opencode.ai/config.json","permission":{"bash":"ask","edit":"deny"}}'
    )
    (tmp_path / "config.toml").write_text('sandbox_mode = "read-only"\n')
    store = tmp_path / "store.db"
    ok("--store", store, "import", tmp_path / "opencode.json", tmp_path / "config.toml")
    told = ok("--store", store, "unattributed", "--plain").out
    assert "in force by settings of opencode: permission.bash: ask; permission.edit: deny" in told
    assert "in force by settings of codex: sandbox_mode: read-only" in told
    rows = ok("--store", store, "unattributed", "--json").json
    assert {row["what"] for row in rows} == {"permission.bash: ask", "sandbox_mode: read-only"}


def test_a_listing_that_ends_of_itself_says_that_there_is_more(tmp_path: Path) -> None:
    event = {
        "format": "remit-events", "version": 1, "time": "2026-03-02T09:00:00Z", "kind": "effect", "vantage": "target",
        "point": "github:acme", "verb": "repo.write", "target": {"class": "repository", "name": "acme/app"},
    }  # fmt: skip
    (tmp_path / "log.ndjson").write_text("".join(json.dumps(event | {"id": f"e{n}"}) + "\n" for n in range(201)))
    store = tmp_path / "store.db"
    ok("--store", store, "import", tmp_path / "log.ndjson")
    first = ok("--store", store, "unattributed", "--json")
    assert len(first.json) == 200 and "these are the first 200; --limit N lists more" in first.err
    for limit, count in (("201", 201), ("5", 5)):
        some = ok("--store", store, "unattributed", "--json", "--limit", limit)
        assert len(some.json) == count and not some.err
