"""The committed sample day: made by the generator byte for byte, whole, and true to itself."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from samplegen.day import FURTHER, SESSIONS, TIMETABLE, generate
from samplegen.scene import Noise

SAMPLE = Path(__file__).resolve().parent.parent / "sample_data"
DETECTIONS = {
    *("GOV-01", "GOV-02", "CRED-01", "CRED-03", "CRED-06", "CRED-08", "CRED-09", "DEL-01", "DEL-02"),
    *("BND-03", "BND-04", "BND-05", "BND-07", "SUP-02", "AUD-02"),
    *("CRED-02", "CRED-05", "CRED-07", "BND-01", "BND-06"),
    *("GOV-04", "GOV-05", "GOV-07", "IDN-04"),
}
ELSEWHERE = {"GOV-03", "GOV-06", "GOV-08", "IDN-01", "IDN-02", "IDN-03", "HUM-01", "HUM-02"}
"""What only the further stories tell of."""
STORIES = {
    "token_after_end",
    "keys_exposed",
    "bypass_mode",
    "push_through_shell",
    "push_through_tool",
    "push_ran_anyway",
    "helper_asks_for_more",
    "owners_crossed",
    "production_at_noon",
    "vendor_assistant",
    "hidden_instruction",
    "workflow_edited",
}


def records(folder: Path) -> dict[tuple[str, int, int], dict[str, object]]:
    """Every record by (file, line, index); reading fails where a line is not a JSON object."""
    found: dict[tuple[str, int, int], dict[str, object]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if name == "truth.json" or path.suffix in (".yaml", ".md"):
            continue
        if path.suffix == ".json":
            for n, record in enumerate(json.loads(path.read_bytes())["Records"], 1):
                found[name, 1, n] = record
            continue
        for n, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
            record = json.loads(line)
            assert isinstance(record, dict)
            found[name, n, 0] = record
    return found


def place(value: dict[str, object]) -> tuple[str, int, int]:
    return str(value["file"]), int(str(value["line"])), int(str(value.get("index", 0)))


@pytest.fixture(scope="module")
def truth() -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads((SAMPLE / "truth.json").read_bytes())
    return found


@pytest.fixture(scope="module")
def logged() -> dict[tuple[str, int, int], dict[str, object]]:
    return records(SAMPLE)


def test_committed_day_equals_a_fresh_one(tmp_path: Path) -> None:
    generate(tmp_path)
    fresh = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    committed = {p.name: p.read_bytes() for p in SAMPLE.iterdir()}
    assert sorted(fresh) == sorted(committed)
    assert [name for name in fresh if fresh[name] != committed[name]] == []


def test_flat_and_small() -> None:
    assert all(p.is_file() for p in SAMPLE.iterdir())
    assert sum(p.stat().st_size for p in SAMPLE.iterdir()) < 3_000_000


def test_enough_tasks_mostly_benign(truth: dict[str, list[dict[str, object]]]) -> None:
    top = [t for t in truth["tasks"] if "parent" not in t and not str(t["scope"]).startswith("ci.job:")]
    assert len(top) == SESSIONS >= 40
    told = {slot.story for slot in TIMETABLE if not slot.who}
    assert sum(t["story"] not in told for t in top) > len(top) / 2
    assert {str(t["story"]) for t in top} >= STORIES
    assert len({t["scope"] for t in truth["tasks"]}) == len(truth["tasks"])


def test_at_least_nine_enforcement_points(logged: dict[tuple[str, int, int], dict[str, object]]) -> None:
    def point(name: str) -> str:
        return "claude-code" if name.startswith("claude-code") else "codex" if name.startswith("codex") else name

    assert len({point(file) for file, _, _ in logged}) >= 10


def test_truth_names_every_record_once(
    truth: dict[str, list[dict[str, object]]], logged: dict[tuple[str, int, int], dict[str, object]]
) -> None:
    named = Counter(place(e) for e in truth["events"])
    assert set(named) == set(logged)
    assert max(named.values()) == 1


def test_truth_is_consistent(truth: dict[str, list[dict[str, object]]]) -> None:
    events = {place(e): e for e in truth["events"]}
    tasks = {str(t["scope"]) for t in truth["tasks"]}
    calls = {(e["task"], e["step"]) for e in truth["events"]}
    assert {e["task"] for e in truth["events"]} - {None} == tasks
    for link in truth["links"]:
        start, end = events[place(link["from"])], events[place(link["to"])]  # type: ignore[arg-type]
        if link["via"] == "call":
            assert link["key"] == f"call:{start['step']}"
        if link["via"] in ("call", "request") and end["by"] == "call":
            assert start["step"] == end["step"] or str(end["task"]).startswith("claude.agent:")
        assert start["task"] is not None or end["task"] is None
    for found in truth["findings"]:
        assert place(found["where"]) in events  # type: ignore[arg-type]
        assert (found["task"], found["step"]) in calls
    denied = truth["dry_run"]["newly_denied"]  # type: ignore[call-overload]
    assert denied and all((d["task"], d["step"]) in calls for d in denied)


def test_each_detection_has_a_finding_and_no_finding_stands_twice(truth: dict[str, list[dict[str, object]]]) -> None:
    assert {f["detection"] for f in truth["findings"]} == DETECTIONS
    assert max(Counter((f["detection"], f["task"], f["step"]) for f in truth["findings"]).values()) == 1
    found = {(f["detection"], f["task"], f["step"]) for f in truth["findings"]}
    assert not found & {(n["detection"], n["task"], n["step"]) for n in truth["near_misses"]}


def test_further_stories_are_told_beside_the_days(tmp_path: Path, truth: dict[str, list[dict[str, object]]]) -> None:
    generate(tmp_path / "all", stories="all")
    told = json.loads((tmp_path / "all" / "truth.json").read_bytes())
    further = {slot.story for slot in FURTHER}
    assert further <= {t["story"] for t in told["tasks"]}
    assert not further & {t["story"] for t in truth["tasks"]}
    assert {f["detection"] for f in told["findings"]} >= DETECTIONS | ELSEWHERE
    test_truth_is_consistent(told)
    test_truth_names_every_record_once(told, records(tmp_path / "all"))
    found = {(f["detection"], f["task"], f["step"]) for f in told["findings"]}
    assert not found & {(n["detection"], n["task"], n["step"]) for n in told["near_misses"]}
    with pytest.raises(ValueError, match="choices: day, all"):
        generate(tmp_path / "none", stories="some")


def test_seed_changes_ids_and_nothing_else(tmp_path: Path) -> None:
    generate(tmp_path / "a", seed=1)
    generate(tmp_path / "b", seed=2)
    a, b = (json.loads((tmp_path / n / "truth.json").read_bytes()) for n in "ab")
    # Stories end, and are written, in an order that hangs on how long each takes.
    assert sorted(f["detection"] for f in a["findings"]) == sorted(f["detection"] for f in b["findings"])
    assert not {t["scope"] for t in a["tasks"]} & {t["scope"] for t in b["tasks"]}


def test_dropped_source_is_absent(tmp_path: Path) -> None:
    generate(tmp_path, noise=Noise(drop=frozenset({"opa", "codex"})))
    names = {p.name for p in tmp_path.iterdir()}
    assert "opa-decisions.jsonl" not in names and not any(n.startswith("codex") for n in names)
    truth = json.loads((tmp_path / "truth.json").read_bytes())
    assert set(records(tmp_path)) == {place(e) for e in truth["events"]}
    assert not {"GOV-01", "GOV-02"} & {f["detection"] for f in truth["findings"]}
    assert "CRED-03" in {f["detection"] for f in truth["findings"]}


def test_masked_ids_stand_in_no_foreign_log(tmp_path: Path, truth: dict[str, list[dict[str, object]]]) -> None:
    generate(tmp_path, noise=Noise(masked=True))
    ids = {str(t["scope"]).split("/")[0].split(":")[-1] for t in truth["tasks"] if not str(t["scope"]).startswith("ci.job:")}
    ids |= {str(e["step"]) for e in truth["events"]} - {"None"}
    for path in tmp_path.iterdir():
        if not path.name.startswith(("claude-code", "codex", "truth")):
            text = path.read_text()
            assert not [i for i in ids if i in text], path.name


def test_skew_moves_one_clock_only(tmp_path: Path) -> None:
    generate(tmp_path, noise=Noise(skew={"github": 7.5}))
    changed = {p.name for p in tmp_path.iterdir() if p.read_bytes() != (SAMPLE / p.name).read_bytes()}
    assert changed - {"truth.json"} == {"github-audit.ndjson"}
    before, after = (json.loads((f / "github-audit.ndjson").read_text().split("\n")[0]) for f in (SAMPLE, tmp_path))
    assert after["@timestamp"] - before["@timestamp"] == 7500


def test_unknown_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such source: firewall"):
        generate(tmp_path, noise=Noise(drop=frozenset({"firewall"})))


def test_scaled_history_is_whole_and_chunked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samplegen.day.FLAT", 100)
    monkeypatch.setattr("samplegen.writing.CHUNK", 500)
    count = generate(tmp_path, tasks=3 * SESSIONS + 5)
    found = records(tmp_path)
    truth = json.loads((tmp_path / "truth.json").read_bytes())
    assert count == len(found) == len(truth["events"])
    assert {place(e) for e in truth["events"]} == set(found)
    assert (tmp_path / "opa-decisions-0002.jsonl").is_file()
    assert len(list((tmp_path / "codex").rglob("*.jsonl"))) > 20
    top = [t for t in truth["tasks"] if "parent" not in t and not t["scope"].startswith("ci.job:")]
    assert len(top) == 3 * SESSIONS + 5
    for name in ("opa-decisions.jsonl", "opa-decisions-0002.jsonl"):
        times = [json.loads(line)["timestamp"] for line in (tmp_path / name).read_text().splitlines()]
        assert times == sorted(times)
