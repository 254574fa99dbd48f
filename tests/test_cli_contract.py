"""The command line keeps its contract: names, types, sums, record references, output forms and exit codes."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.running import (
    DRAFT,
    ORG,
    POLICY,
    ROOT,
    SAMPLE,
    Day,
    Either,
    fits,
    ok,
    refused,
    run,
    sample_day,
    sample_logs,
    surroundings,
)

# How many records the tests look up one by one; the whole day would take minutes.
LOOKED_UP = 60

COUNT = int
TIME = Either(lambda value: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", value))
TEXT = Either(str)
DIGEST = lambda value: isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value)  # noqa: E731
VANTAGE = {"agent", "enforcer", "target", "witness"}
SEVERITIES = ("critical", "high", "medium", "low")
LISTINGS = (
    "tasks",
    "findings",
    "credentials",
    "coverage",
    "sources",
    "identities",
    "journal",
    "formats",
    "frameworks",
    "detections",
)

REFERENCE = {"source": str, "name": str, "line": COUNT, "index": Either(COUNT), "offset": COUNT, "digest": DIGEST}
REVIEW = {"state": {"open", "reviewed", "reopened"}, "verdict": TEXT, "reviewer": TEXT, "at": TIME}
COUNTS = {"read": COUNT, "accepted": COUNT, "duplicate": COUNT, "rejected": COUNT}
REJECT = {"line": COUNT, "index": Either(COUNT), "offset": COUNT, "reason": str}
IMPORT = {
    "sources": [
        {
            "id": str,
            "name": str,
            "format": str,
            "sha256": DIGEST,
            "bytes": COUNT,
            "first": TIME,
            "last": TIME,
            "records": COUNTS,
            "events": COUNT,
            "rejects": [REJECT],
        }
    ],
    "skipped": [{"name": str, "reason": str}],
    "totals": COUNTS | {"events": COUNT, "tasks": COUNT, "steps": COUNT, "findings": COUNT},
    "seconds": (int, float),
}
TASK = {
    "id": str,
    "title": str,
    "agent": TEXT,
    "principal": TEXT,
    "on_behalf_of": TEXT,
    "repository": TEXT,
    "environment": TEXT,
    "started": TIME,
    "ended": TIME,
    "steps": COUNT,
    "risk": COUNT,
    "findings": dict.fromkeys(SEVERITIES, COUNT),
    "vantages": [VANTAGE],
    "parent": TEXT,
    "review": REVIEW,
}
LINK = {
    "from": {"event": str, **REFERENCE},
    "to": {"event": str, **REFERENCE},
    "kind": {"exact", "derived", "inferred"},
    "key": str,
    "confidence": (int, float),
    "candidates": list,
}
TARGET = {"class": str, "name": TEXT, "owner": TEXT, "environment": TEXT}
HELD = {"id": str, "record": REFERENCE}
YES_NO = {"yes", "no", "unknown"}
STEP = {
    "id": str,
    "at": TIME,
    "intent": TEXT,
    "verb": str,
    "tool": TEXT,
    "target": TARGET,
    "operations": [{"verb": str, "target": dict}],
    "request": dict,
    "decisions": [
        {
            "at": TIME,
            "by": str,
            "effect": {"allow", "deny", "ask", "unknown"},
            "rule": TEXT,
            "reason": TEXT,
            "policy": TEXT,
            "vantage": VANTAGE,
            **HELD,
        }
    ],
    "credentials": [str],
    "outcome": {
        "permitted": {"allow", "deny", "ask", "unknown"},
        "transport": YES_NO,
        "tool": YES_NO,
        "effect": YES_NO,
    },
    "actions": [HELD],
    "effects": [HELD],
    "links": [LINK],
    "records": [REFERENCE],
}
FINDING = {
    "id": str,
    "detection": str,
    "title": str,
    "severity": set(SEVERITIES),
    "task": TEXT,
    "step": TEXT,
    "at": TIME,
    "evidence": [REFERENCE],
    "why": str,
    "controls": [{"framework": str, "id": str}],
    "blind_spot": bool,
    "review": REVIEW,
}
CREDENTIAL = {
    "id": str,
    "kind": TEXT,
    "issuer": TEXT,
    "subject": TEXT,
    "scope": [str],
    "requested": TIME,
    "issued": TIME,
    "ttl_seconds": Either(COUNT),
    "expires": TIME,
    "revoked": TIME,
    "first_use": TIME,
    "last_use": TIME,
    "uses": COUNT,
    "tasks": [str],
    "flags": [str],
}
WHOLE_TASK = {
    "task": TASK,
    "intents": [{"id": str, "at": TIME, "kind": str, "text": str, "by": TEXT, "records": [REFERENCE], "record": REFERENCE}],
    "steps": [STEP],
    "children": [str],
    "findings": [FINDING],
    "credentials": [CREDENTIAL],
    "records": [REFERENCE],
    "links": [LINK],
}
COVERAGE = {
    "enforcement_point": str,
    "vantage": VANTAGE,
    "scope": str,
    "from": TIME,
    "to": TIME,
    "records": COUNT,
    "gaps": [{"from": TIME, "to": TIME}],
}
SUMMARY = dict.fromkeys(("newly_denied", "newly_asked", "newly_allowed", "unchanged", "cannot_judge"), COUNT)
DRY_RUN = {
    "policy": {"format": str, "sha256": DIGEST, "rules": COUNT},
    "history": {"requests": COUNT, "shapes": COUNT, "tasks": COUNT, "from": TIME, "to": TIME},
    "baseline": str,
    "summary": SUMMARY,
    "by_tasks": SUMMARY,
    "verdicts": dict.fromkeys(("harm_stopped", "harm_missed", "work_broken", "friction_added"), COUNT),
    "rules": [{"id": str, "effect": str, "hits": COUNT, "decides": COUNT, "flips": COUNT, "shadowed_by": [str]}],
    "flips": [{"task": str, "step": str, "from": str, "to": str, "rule": TEXT, "request": dict, "downstream": [str]}],
    "flips_total": COUNT,
    "missing_attributes": dict,
}
EXPLAINED = {
    "effect": {"allow", "ask", "deny", "none", "unknown"},
    "rule": TEXT,
    "reason": TEXT,
    "matched": list,
    "undetermined": [{"rule": str, "missing": [str]}],
    "operations": [{"text": str, "effect": str, "rule": TEXT}],
}
VERIFIED = {
    "integrity": {"intact", "altered"},
    "altered": [str],
    "extra": [str],
    "missing": [str],
    "completeness": {"claimed": COUNT, "found": COUNT},
    "signature": {"state": {"absent", "valid", "invalid", "untrusted"}, "key": TEXT},
}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path) -> Iterator[None]:
    with surroundings(tmp_path):
        yield


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return sample_day(tmp_path_factory)


@pytest.fixture(scope="session")
def chains(day: Day) -> list[dict[str, Any]]:
    """Every task of the day with its chain."""
    return [row for row in ok("--store", day.store, "store", "export").lines if row["kind"] == "task"]


def records_in(path: Path) -> list[bytes]:
    """The records of a sample log, cut out by means that are not Remit's."""
    data = path.read_bytes()
    if path.name.startswith("cloudtrail"):
        return [json.dumps(one).encode() for one in json.loads(data)["Records"]]
    return [line for line in data.split(b"\n") if line.strip()]


def references(value: Any) -> Iterator[dict[str, Any]]:
    """Every record reference anywhere in a document."""
    if isinstance(value, dict):
        if {"digest", "offset", "line"} <= value.keys():
            yield value
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


# import


def test_import_reconciles_every_record_with_the_files(day: Day) -> None:
    said = day.imported
    fits(said, IMPORT)
    assert {one["name"] for one in said["sources"]} == {path.name for path in sample_logs()}
    for one in said["sources"]:
        path = SAMPLE / one["name"]
        counts = one["records"]
        assert counts["read"] == counts["accepted"] + counts["duplicate"] + counts["rejected"] == len(records_in(path))
        assert one["sha256"] == sha256(path.read_bytes()).hexdigest()
        assert one["bytes"] == path.stat().st_size
        assert one["first"] <= one["last"]
    for name in ("read", "accepted", "duplicate", "rejected"):
        assert said["totals"][name] == sum(one["records"][name] for one in said["sources"])
    assert said["totals"]["events"] == sum(one["events"] for one in said["sources"]) > 0


def test_import_totals_are_what_the_listings_hold(day: Day) -> None:
    tasks, totals = day.json("tasks"), day.imported["totals"]
    assert totals["tasks"] == len(tasks)
    assert totals["steps"] == sum(row["steps"] for row in tasks)
    assert totals["findings"] == sum(not row["blind_spot"] for row in day.json("findings"))


def test_import_skips_strangers_in_a_directory_and_ends_well(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "notes.txt").write_text("nothing to see\n")
    (folder / "ci.ndjson").write_bytes((SAMPLE / "ci-events.ndjson").read_bytes())
    said = ok("--store", tmp_path / "s.db", "import", folder, "--json").json
    assert [one["name"] for one in said["sources"]] == ["ci.ndjson"]
    assert [one["name"] for one in said["skipped"]] == ["notes.txt"]


def test_an_explicitly_named_stranger_is_code_3_and_the_rest_is_imported(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see\n")
    ran = run("--store", tmp_path / "s.db", "import", tmp_path / "notes.txt", SAMPLE / "ci-events.ndjson", "--json")
    assert ran.code == 3
    assert ran.json["totals"]["accepted"] == len(records_in(SAMPLE / "ci-events.ndjson"))


def test_a_bad_record_is_rejected_with_its_place_and_the_rest_is_imported(tmp_path: Path) -> None:
    good = (SAMPLE / "ci-events.ndjson").read_bytes().splitlines(keepends=True)
    path = tmp_path / "ci.ndjson"
    path.write_bytes(good[0] + b'{"broken": \n' + b"".join(good[1:]))
    ran = run("--store", tmp_path / "s.db", "import", path, "--json")
    assert ran.code == 3
    (source,) = ran.json["sources"]
    assert source["records"] == {"read": len(good) + 1, "accepted": len(good), "duplicate": 0, "rejected": 1}
    (reject,) = source["rejects"]
    assert (reject["line"], reject["offset"], reject["index"]) == (2, len(good[0]), None)
    assert reject["reason"]
    (row,) = ok("--store", tmp_path / "s.db", "sources", "--json").json
    assert row["records"]["rejected"] == 1 and row["rejects"] == source["rejects"]


def test_import_reads_standard_input_globs_and_a_given_name(tmp_path: Path) -> None:
    data = (SAMPLE / "ci-events.ndjson").read_bytes()
    store = tmp_path / "s.db"
    said = ok("--store", store, "import", "-", "--as", "ci/today.ndjson", "--json", stdin=data).json
    assert [one["name"] for one in said["sources"]] == ["ci/today.ndjson"]
    said = ok("--store", store, "import", str(SAMPLE / "*-events.ndjson"), "--json").json
    assert {one["name"] for one in said["sources"]} == {path.name for path in SAMPLE.glob("*-events.ndjson")}
    assert said["totals"]["duplicate"] == len(records_in(SAMPLE / "ci-events.ndjson"))


def test_names_lie_below_the_argument_and_absolute_paths_are_nowhere(day: Day, tmp_path: Path) -> None:
    ok("--store", day.store, "report", "--out", tmp_path / "pack")
    told = [path for path in (tmp_path / "pack").rglob("*") if path.is_file() and path.name != "custody.json"]
    said = "".join(ok("--store", day.store, name, "--json").out for name in LISTINGS) + "".join(
        path.read_text("utf-8") for path in told
    )
    assert str(ROOT) not in said
    assert all(not one["name"].startswith("/") for one in day.json("sources"))


def test_preview_shows_what_would_be_read_and_writes_nothing(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    (one,) = ok("--store", store, "import", "--preview", SAMPLE / "ci-events.ndjson", "--json").json
    assert one["format"] == "remit-events"
    assert one["records"] == len(records_in(SAMPLE / "ci-events.ndjson"))
    assert not store.exists()


# listings


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


# show


def test_every_task_is_shown_whole(chains: list[dict[str, Any]], day: Day) -> None:
    fits(chains, [WHOLE_TASK])
    first = chains[0]["task"]["id"]
    assert day.json("show", first) == chains[0]
    rows = {row["id"]: row for row in day.json("tasks")}
    for chain in chains:
        for name in TASK:
            assert chain["task"][name] == rows[chain["task"]["id"]][name]
        assert chain["task"]["steps"] == len(chain["steps"])


def test_the_records_of_a_task_are_all_it_rests_on(chains: list[dict[str, Any]]) -> None:
    for chain in chains:
        held = {(ref["source"], ref["offset"], ref["digest"]) for ref in chain["records"]}
        assert len(held) == len(chain["records"])
        parts = [chain["intents"], [{k: v for k, v in step.items() if k != "links"} for step in chain["steps"]]]
        for ref in references(parts):
            assert (ref["source"], ref["offset"], ref["digest"]) in held, (chain["task"]["id"], ref)


def test_links_at_task_level_touch_no_step(chains: list[dict[str, Any]]) -> None:
    for chain in chains:
        inside = {
            item["id"]
            for step in chain["steps"]
            for name in ("decisions", "actions", "effects", "credential_events")
            for item in step[name]
        }
        for link in chain["links"]:
            assert not {link["from"]["event"], link["to"]["event"]} & inside


def test_links_say_why(chains: list[dict[str, Any]]) -> None:
    links = [link for chain in chains for link in (*chain["links"], *(one for step in chain["steps"] for one in step["links"]))]
    assert {link["kind"] for link in links} == {"exact", "derived", "inferred"}
    for link in links:
        assert 0 < link["confidence"] <= 1
        assert ":" in link["key"]
        if link["kind"] != "inferred":
            assert link["confidence"] == 1


def test_every_reference_leads_to_the_very_bytes(chains: list[dict[str, Any]], day: Day) -> None:
    files = {path.name: path.read_bytes() for path in sample_logs()}
    seen = {(ref["name"], ref["offset"]): ref for ref in references([chains, day.json("findings")])}
    assert len(seen) > 300
    for (name, offset), ref in seen.items():
        data = files[name]
        if ref["index"] is None:
            raw = data[offset:].split(b"\n", 1)[0]
        else:
            text = data[offset:].decode()
            raw = text[: json.JSONDecoder().raw_decode(text)[1]].encode()
            assert json.loads(data)["Records"][ref["index"] - 1] == json.loads(raw)
        assert ref["line"] == 1 + data[:offset].count(b"\n")
        assert ref["digest"] == sha256(raw).hexdigest(), ref


def test_a_record_is_shown_by_its_digest_with_all_its_events(chains: list[dict[str, Any]], day: Day) -> None:
    rests = {chain["task"]["id"]: {ref["digest"] for ref in chain["records"]} for chain in chains}
    digests = sorted({ref["digest"] for chain in chains for ref in chain["records"]})
    for digest in digests[:: max(1, len(digests) // LOOKED_UP)]:
        shown = day.json("show", digest)
        fits(shown, {"record": REFERENCE, "raw": str, "events": [{"id": str, "kind": str, "by": str, "at": TIME, "task": TEXT}]})
        assert shown["record"]["digest"] == digest
        assert shown["events"]
        for event in shown["events"]:
            assert event["task"] is None or digest in rests[event["task"]]


def test_steps_findings_and_credentials_are_shown_by_id(day: Day) -> None:
    finding = next(row for row in day.json("findings") if row["step"])
    assert day.json("show", finding["id"])["finding"] == finding
    shown = day.json("show", finding["step"])
    fits(shown, {"step": STEP, "task": TASK, "findings": [FINDING]})
    assert shown["step"]["id"] == finding["step"] and finding in shown["findings"]
    held = max(day.json("credentials"), key=lambda row: row["uses"])
    shown = day.json("show", held["id"])
    fits(shown, {"credential": CREDENTIAL, "uses": [{"at": TIME, "by": str, "task": TEXT, "record": REFERENCE}]})
    assert shown["credential"] == held and len(shown["uses"]) == held["uses"]


@pytest.mark.parametrize("name", ["tasks", "findings", "credentials"])
def test_a_unique_beginning_of_an_id_is_enough(day: Day, name: str) -> None:
    ids = [row["id"] for row in day.json(name)]
    length = next(n for n in range(5, 30) if sum(id.startswith(ids[0][:n]) for id in ids) == 1)
    assert day.json("show", ids[0][:length]) == day.json("show", ids[0])


def test_show_tells_the_authority_of_one_moment(day: Day, chains: list[dict[str, Any]]) -> None:
    chain = next(c for c in chains if any(x["issued"] and x["issued_task"] == c["task"]["id"] for x in c["credentials"]))
    held = next(x for x in chain["credentials"] if x["issued"] and x["issued_task"] == chain["task"]["id"])
    fits(
        day.json("show", chain["task"]["id"], "--at", held["issued"])["authorised"],
        {
            "at": TIME,
            "mode": TEXT,
            "policy": TEXT,
            "ticket": TEXT,
            "change_window": {"open", "closed", "unknown"},
            "credentials": list,
        },
    )
    at = day.json("show", chain["task"]["id"], "--at", held["issued"])["authorised"]
    before = day.json("show", chain["task"]["id"], "--at", "2026-03-16T00:00:00Z")["authorised"]
    assert held["id"] in {one["id"] for one in at["credentials"]}
    assert before["credentials"] == [] and before["refused"] == []


def test_show_speaks_plain_sentences_for_every_kind(day: Day) -> None:
    finding = next(row for row in day.json("findings") if row["step"])
    held = day.json("credentials")[0]["id"]
    for id in (finding["task"], finding["step"], finding["id"], held, finding["evidence"][0]["digest"]):
        said = ok("--store", day.store, "show", id, "--plain").out
        assert len(said) > 40 and not said.lstrip().startswith("{")


# thresholds


def test_fail_on_counts_what_is_at_least_as_severe(day: Day) -> None:
    worst = {row["severity"] for row in day.json("findings") if not row["blind_spot"]}
    for severity in SEVERITIES:
        expected = any(SEVERITIES.index(one) <= SEVERITIES.index(severity) for one in worst)
        assert run("--store", day.store, "findings", "--fail-on", severity, "--json").code == int(expected)
    assert run("--store", day.store, "findings", "--filter", "detection:NONE-00", "--fail-on", "low", "--json").code == 0


def test_fail_on_looks_beyond_the_limit(day: Day) -> None:
    assert run("--store", day.store, "findings", "--limit", "1", "--fail-on", "low", "--json").code == 1


def test_blind_spots_alone_cross_no_threshold_and_are_in_no_summary(day: Day, tmp_path: Path) -> None:
    blind = [row for row in day.json("findings") if row["blind_spot"]]
    assert blind
    assert run("--store", day.store, "findings", "--filter", "blind:yes", "--fail-on", "low", "--json").code == 0
    assert len(day.json("findings", "--filter", "blind:yes")) == len(blind)
    assert day.json("store", "info")["findings"] == len(day.json("findings")) - len(blind)
    ok("--store", day.store, "report", "--out", tmp_path / "pack")
    report = json.loads((tmp_path / "pack" / "report.json").read_text("utf-8"))
    ids = {row["id"] for row in blind}
    assert not ids & {row["id"] for row in report["summary"]["worst"]}
    listed = [control for framework in report["frameworks"] for control in framework["controls"] if control.get("findings")]
    assert any(ids & set(control["findings"]) for control in listed)
    for control in listed:
        assert control["open"] + control["accepted"] + control["dismissed"] == len(set(control["findings"]) - ids)


# reviewing


def test_a_verdict_is_kept_listed_and_journalled(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    task = mine.json("tasks")[0]["id"]
    given = mine.json("review", task, "--verdict", "outside-remit", "--reason", "the key outlived the task")
    assert (given["subject"], given["verdict"]) == (task, "outside-remit")
    review = next(row for row in mine.json("tasks") if row["id"] == task)["review"]
    assert (review["state"], review["verdict"]) == ("reviewed", "outside-remit") and review["reviewer"] and review["at"]
    (entry,) = mine.json("journal")
    fits(entry, {"seq": COUNT, "at": TIME, "who": str, "what": str, "head": str})
    assert mine.json("journal", "verify")["state"] == "intact"
    run_now = mine.json("policy", "dry-run", DRAFT)
    assert run_now["verdicts"]["harm_stopped"] + run_now["verdicts"]["harm_missed"] == 1


# policy


def test_policy_check_gives_diagnostics_with_their_place(tmp_path: Path) -> None:
    good = ok("policy", "check", POLICY, "--json").json
    fits(good, {"ok": bool, "diagnostics": [{"line": COUNT, "column": COUNT, "severity": str, "message": str}]})
    assert good["ok"] is True
    bad = tmp_path / "bad.yaml"
    bad.write_text("version: 1\ndefault: allow\nrules:\n  - id: a\n    effect: refuse\n    when: 'action.verb == '\n")
    ran = run("policy", "check", bad, "--json")
    assert ran.code == 2 and ran.json["ok"] is False
    assert {one["line"] for one in ran.json["diagnostics"] if one["severity"] == "error"} == {5, 6}
    plain = run("policy", "check", bad)
    assert plain.code == 2 and re.search(r"bad\.yaml:5:\d+: error: ", plain.out)


def test_dry_run_sums_hold(day: Day, chains: list[dict[str, Any]]) -> None:
    said = day.json("policy", "dry-run", DRAFT)
    fits(said, DRY_RUN)
    summary = said["summary"]
    steps = {step["id"]: chain["task"]["id"] for chain in chains for step in chain["steps"]}
    assert sum(summary.values()) == said["history"]["requests"] == len(steps)
    assert said["flips_total"] == sum(summary[kind] for kind in ("newly_denied", "newly_asked", "newly_allowed"))
    assert len(said["flips"]) == said["flips_total"]
    assert said["baseline"] == "recorded"
    assert said["policy"]["sha256"] == sha256(DRAFT.read_bytes()).hexdigest()
    for flip in said["flips"]:
        assert steps[flip["step"]] == flip["task"] and flip["from"] != flip["to"]
        assert set(flip["downstream"]) <= set(steps)
    for rule in said["rules"]:
        assert rule["flips"] <= rule["decides"] <= rule["hits"] <= said["history"]["requests"]


def test_dry_run_against_itself_changes_nothing(day: Day) -> None:
    said = day.json("policy", "dry-run", POLICY, "--against", POLICY)
    assert said["flips_total"] == 0 and said["flips"] == []
    assert said["summary"]["unchanged"] + said["summary"]["cannot_judge"] == said["history"]["requests"]


def test_dry_run_of_the_draft_denies_more_than_the_policy_in_force(day: Day) -> None:
    said = day.json("policy", "dry-run", DRAFT, "--against", POLICY)
    assert said["summary"]["newly_denied"] > 0
    assert said["summary"]["newly_asked"] == said["summary"]["newly_allowed"] == 0
    assert len({flip["rule"] for flip in said["flips"]}) == 1


def test_the_draft_flips_exactly_what_the_truth_says(day: Day, chains: list[dict[str, Any]]) -> None:
    said = day.json("policy", "dry-run", DRAFT, "--against", POLICY)
    calls = {step["id"]: (chain["task"]["scope"], step["call"]) for chain in chains for step in chain["steps"]}
    truth = json.loads((SAMPLE / "truth.json").read_text("utf-8"))["dry_run"]["newly_denied"]
    assert {calls[flip["step"]] for flip in said["flips"]} == {(one["task"], f"call:{one['step']}") for one in truth}
    assert said["flips_total"] == said["summary"]["newly_denied"] == len(truth) > 0


def test_dry_run_counts_over_chosen_tasks_only(day: Day) -> None:
    whole, some = (day.json("policy", "dry-run", DRAFT, *more) for more in ((), ("--filter", "agent:codex")))
    chosen = {row["id"] for row in day.json("tasks", "--filter", "agent:codex")}
    assert 0 < some["history"]["requests"] < whole["history"]["requests"]
    assert {flip["task"] for flip in some["flips"]} <= chosen
    limited = day.json("policy", "dry-run", DRAFT, "--limit", "1")
    assert len(limited["flips"]) == 1 and limited["flips_total"] == whole["flips_total"]


@pytest.mark.parametrize(
    ("kinds", "code"),
    [("newly-denied", 1), ("newly_denied", 1), ("newly-allowed", 0), ("newly-allowed,newly-denied", 1), ("newly-asked", 0)],
)
def test_dry_run_fails_on_what_is_asked_for(day: Day, kinds: str, code: int) -> None:
    assert run("--store", day.store, "policy", "dry-run", DRAFT, "--against", POLICY, "--fail-on", kinds, "--json").code == code


def test_explain_answers_one_request_and_many(tmp_path: Path) -> None:
    push = {"agent": "claude-code", "tool": "Bash", "input": {"command": "git push origin main"}, "cwd": "/home/x/repo"}
    own = {"action": {"verb": "exec", "verbs": ["exec", "repo.write"], "command": "git push origin main"}, "resource": {"class": "repository", "detail": "main"},
           "principal": {"origin": "endpoint"}}  # fmt: skip
    one = ok("policy", "explain", POLICY, "--request", json.dumps(own), "--json").json
    fits(one, EXPLAINED)
    assert (one["effect"], one["rule"]) == ("deny", "deny-push-to-main")
    requests = tmp_path / "requests.jsonl"
    requests.write_text("".join(json.dumps(r) + "\n" for r in (own, push, own)))
    answers = ok("policy", "explain", POLICY, "--requests", requests, "--jsonl").lines
    fits(answers, [EXPLAINED])
    assert len(answers) == 3 and answers[0] == answers[2] == one
    assert answers[1]["operations"]


def test_policy_test_runs_the_examples(tmp_path: Path) -> None:
    said = ok("policy", "test", POLICY, "--json").json
    assert said["failed"] == 0 and said["tests"]
    broken = tmp_path / "broken.yaml"
    broken.write_text(POLICY.read_text().replace("action.verbs: [exec, repo.write], action.command: git push origin main",
                                                 "action.verbs: [exec], action.command: git push origin main"))  # fmt: skip
    ran = run("policy", "test", broken, "--json")
    assert ran.code == 1 and ran.json["failed"] == 1


def test_policies_are_kept_by_version(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    for text, version in ((POLICY, 1), (DRAFT, 2)):
        kept = mine.json("policy", "save", text, "--name", "prod", "--reason", "first words")
        assert (kept["name"], kept["version"], kept["sha256"]) == ("prod", version, sha256(text.read_bytes()).hexdigest())
    rows = mine.json("policy", "history")
    fits(rows, [{"name": str, "version": COUNT, "author": str, "at": TIME, "reason": str, "sha256": DIGEST}])
    assert [row["version"] for row in rows] == [1, 2]
    assert ok("--store", mine.store, "policy", "history", "--jsonl").lines == rows


def test_the_schemas_are_published() -> None:
    assert ok("policy", "schema", "--json").json == ok("policy", "schema").json
    assert ok("config", "schema", "org").json["$schema"]


# reports


def test_a_report_is_the_same_bytes_twice_and_verifies_without_a_store(
    day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packs = [tmp_path / "one", tmp_path / "two"]
    for pack in packs:
        manifest = ok("--store", day.store, "report", "--out", pack, "--json").json
        assert manifest["files"]
    names = sorted(path.name for path in packs[0].iterdir())
    assert {"report.html", "report.md", "report.json", "findings.csv", "population.csv", "controls.csv", "sources.csv",
            "manifest.json"} <= set(names)  # fmt: skip
    for name in names:
        assert (packs[0] / name).read_bytes() == (packs[1] / name).read_bytes(), name
    monkeypatch.setenv("REMIT_STORE", str(tmp_path / "nowhere" / "no.db"))
    said = ok("verify", packs[0], "--json").json
    fits(said, VERIFIED)
    assert said["integrity"] == "intact" and said["completeness"]["claimed"] == said["completeness"]["found"] > 0


def test_a_report_keeps_to_the_asked_for_frameworks_period_and_forms(day: Day, tmp_path: Path) -> None:
    ok("--store", day.store, "report", "--out", tmp_path / "p", "--framework", "owasp-asi-2026", "--only", "json,md",
       "--from", "2026-03-17T12:00:00Z", "--to", "2026-03-18")  # fmt: skip
    names = {path.name for path in (tmp_path / "p").iterdir()}
    assert {"report.json", "report.md"} <= names and "report.html" not in names
    text = (tmp_path / "p" / "report.md").read_text("utf-8")
    assert "ASI01" in text and "GOVERN 1" not in text


def test_findings_in_the_pack_are_the_stores(day: Day, tmp_path: Path) -> None:
    ok("--store", day.store, "report", "--out", tmp_path / "p")
    with (tmp_path / "p" / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    (column,) = (name for name in rows[0] if name in ("id", "finding", "finding_id"))
    packed = {row[column] for row in rows}
    assert {row["id"] for row in day.json("findings") if not row["blind_spot"]} <= packed


@pytest.mark.parametrize("harm", ["altered", "missing", "extra", "manifest"])
def test_a_touched_pack_is_code_4(day: Day, tmp_path: Path, harm: str) -> None:
    pack = tmp_path / "p"
    ok("--store", day.store, "report", "--out", pack)
    victim = pack / ("manifest.json" if harm == "manifest" else "findings.csv")
    if harm == "missing":
        victim.unlink()
    elif harm == "extra":
        (pack / "more.csv").write_text("x\n")
    else:
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 1
        victim.write_bytes(data)
    ran = run("verify", pack, "--json")
    assert ran.code == 4
    said = ran.json
    fits(said, VERIFIED)
    assert said["integrity"] == "altered"
    if harm != "manifest":
        assert said[harm] == ["more.csv" if harm == "extra" else "findings.csv"]


# store and settings


def test_the_store_tells_checks_and_rebuilds_itself(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    info = mine.json("store", "info")
    totals = day.imported["totals"]
    assert (info["records"], info["events"], info["tasks"], info["steps"]) == (
        totals["accepted"], totals["events"], totals["tasks"], totals["steps"])  # fmt: skip
    fits(mine.json("store", "check"), {"state": {"intact"}, "problems": list})
    before = ok("--store", mine.store, "store", "export").out
    mine.json("store", "rebuild")
    assert ok("--store", mine.store, "store", "export").out == before
    mine.json("store", "rebuild", "--events")
    assert ok("--store", mine.store, "store", "export").out == before
    assert mine.json("store", "migrate")["tasks"] == info["tasks"]


def test_an_altered_store_is_code_4(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    task = mine.json("tasks")[0]["id"]
    mine.json("review", task, "--verdict", "escalate", "--reason", "look at this")
    data = mine.store.read_bytes()
    assert b"look at this" in data
    mine.store.write_bytes(data.replace(b"look at this", b"look at that"))
    ran = run("--store", mine.store, "journal", "verify", "--json")
    assert ran.code == 4 and ran.json["state"] == "altered"
    assert run("--store", mine.store, "store", "check", "--json").code == 4


def test_export_is_one_object_a_line_and_one_document(day: Day) -> None:
    lines = ok("--store", day.store, "store", "export", "--jsonl").lines
    kinds = Counter(row["kind"] for row in lines)
    assert kinds["task"] == day.imported["totals"]["tasks"]
    assert kinds["finding"] == len(day.json("findings"))
    assert kinds["credential"] == len(day.json("credentials"))
    assert day.json("store", "export") == lines


def test_config_tells_where_things_lie(day: Day) -> None:
    said = day.json("config", "show")
    assert said["store"] == str(day.store)
    assert said["organisation"] == str(day.store.parent / "org.yaml")
    assert day.json("config", "validate")["organisation_state"] == "valid"
    assert day.json("config", "path")["store"] == str(day.store)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command(shell: str) -> None:
    said = ok("completion", shell).out
    for name in ("import", "tasks", "show", "findings", "policy", "report", "verify", "--store", "dry-run"):
        assert name.lstrip("-") in said, name


def test_search_finds_a_command(day: Day) -> None:
    hits = day.json("search", "create-access-key")
    fits(hits, [{"task": str, "step": TEXT, "text": str}])
    assert hits


def test_help_and_version_end_well() -> None:
    for arguments in (["--version"], ["--help"], ["policy", "--help"], ["policy", "dry-run", "--help"], ["store", "--help"]):
        assert ok(*arguments).out


def test_demo_without_a_terminal_prints_a_summary_and_ends_well() -> None:
    said = ok("demo", "--json").json
    fits(said, {"store": str, "totals": {"tasks": COUNT, "findings": COUNT}, "top": [TASK]})
    assert said["totals"]["tasks"] >= 40
    again = ok("demo")
    assert "Demo store" in again.out
    for row, line in zip(said["top"], again.out.splitlines()[1:], strict=False):
        shown = line.split(None, 2)[2][:24].split(" +")[0].strip()
        assert set(shown.split(", ")) <= {*row["detections"], "-"}, line
    assert "--store is not used" in run("demo", "--store", "elsewhere.db").err
    refused(run("demo", "--tasks", "0"), 2, "--tasks")
