"""The import's document keeps its contract and reconciles every record."""

from __future__ import annotations

import json
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cli_contract import (
    IMPORT,
    LISTINGS,
    records_in,
)
from tests.running import (
    ROOT,
    SAMPLE,
    Day,
    fits,
    ok,
    run,
    sample_logs,
)

pytestmark = pytest.mark.usefixtures("alone")


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


def test_what_holds_no_file_is_told_and_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    with zipfile.ZipFile(tmp_path / "night.zip", "w") as archive:
        archive.writestr("day/", b"")
    said = ok("--store", tmp_path / "s.db", "import", tmp_path / "drop", tmp_path / "night.zip").err
    assert f"skipped {tmp_path / 'drop'}: no file lies in it" in said
    assert "skipped night.zip: nothing lies in it" in said


def test_a_preview_says_why_a_record_would_be_rejected(tmp_path: Path) -> None:
    log, mapping = tmp_path / "gate.log", tmp_path / "gate.yaml"
    log.write_text('{"ts": "2026-11-01T10:00:00Z", "who": "ann"}\n')
    mapping.write_text(
        "mapping: 1\nid: gate\ntitle: Gate\nevidence: real\nversion: 1\ncontainer: json\nrecognise: {has: [ts]}\nrequires: [op]\n"
        "time: ts\nevent: {vantage: enforcer, point: gate}\nevents: [{otherwise: true, kind: action}]\n"
    )
    said = ok("--store", tmp_path / "s.db", "import", "--mapping", mapping, "--preview", log)
    assert "1 rejected" in said.out
    assert "gate.log: line 1: " in said.err
    assert "op" in said.err.rpartition("line 1: ")[2]


def test_a_preview_shows_what_a_mapping_made_of_a_record(tmp_path: Path) -> None:
    log, mapping = tmp_path / "gate.log", tmp_path / "gate.yaml"
    log.write_text('{"ts": "2026-11-01 10:00:00", "who": "ann", "bot": "b-7", "run": "R1", "ok": "no"}\n')
    mapping.write_text(
        "mapping: 1\nid: gate\nrecognise: {has: [ts]}\ntime: ts\nevent: {vantage: enforcer, point: gate, principal: {name: =who}, agent: =bot}\n"
        "events: [{otherwise: true, kind: decision, decision: {effect: {of: ok, values: {no: deny}}, rule: r-1},"
        " outcome: {transport: {of: ok, values: {no: 'no'}}}, keys: [{role: scope, kind: run, value: =run}]}]\n"
    )
    said = ok("--store", tmp_path / "s.db", "import", "--mapping", mapping, "--preview", log).out
    assert said.splitlines()[-1].strip() == "deny by r-1; transport no; principal ann; agent b-7; keys run:R1; time zone assumed"


def test_a_preview_counts_records_of_one_id_as_the_import_does_and_says_what_was_run(tmp_path: Path) -> None:
    log = tmp_path / "s.jsonl"
    call = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "git push origin fix"}}
    told = [
        {
            "type": "assistant",
            "uuid": "u1",
            "sessionId": "0190f5c2-7b8a-4c3d-9e21-4a5b6c7d8e9f",
            "timestamp": f"2026-03-17T10:00:0{n}Z",
            "message": {"id": "m1", "role": "assistant", "content": [call]},
        }
        for n in (1, 2)
    ]
    log.write_text("\n".join(json.dumps(one) for one in (*told, told[0])) + "\n")
    (seen,) = ok("--store", tmp_path / "s.db", "import", "--preview", log, "--json").json
    assert (seen["new"], seen["known"]) == (2, 1)
    assert next(one["text"] for one in seen["events"] if one["phase"] == "call") == "git push origin fix"
    counted = ok("--store", tmp_path / "s.db", "import", log, "--json").json["totals"]
    assert (counted["accepted"], counted["duplicate"]) == (2, 1)


def test_a_preview_obeys_nothing_that_it_shows(tmp_path: Path) -> None:
    log, other = tmp_path / "log.json", tmp_path / "\x1b[7mother.json"
    log.write_text(
        '{"author_id":1,"entity_type":"Project","entity_id":2,"created_at":"2026-03-17T10:00:00Z","entity_path":"acme/pay","custom_message":"a\\u001b[31mb\\nc\\u202e"}'
    )
    other.write_text('{"\\u001b]0;x\\u0007": 1}')
    said = ok("--store", tmp_path / "s.db", "import", "--preview", log, other).out
    assert not set(said) & {"\x1b", "\x07", "\u202e"}
    assert len(said.splitlines()) == 4


def test_preview_shows_what_would_be_read_and_writes_nothing(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    (one,) = ok("--store", store, "import", "--preview", SAMPLE / "ci-events.ndjson", "--json").json
    assert one["format"] == "remit-events"
    assert one["records"] == len(records_in(SAMPLE / "ci-events.ndjson"))
    assert not store.exists()


def test_what_many_files_have_alike_is_said_once(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for n in range(20):
        line = f'{{"type":"user","uuid":"u{n}","sessionId":"s{n}","timestamp":"2026-06-01T10:00:00Z","message":{{"role":"user","content":"go"}}}}'
        new = f'{{"type":"newkind-{n % 2}","uuid":"x{n}","sessionId":"s{n}","timestamp":"2026-06-01T10:00:01Z"}}'
        (logs / f"s{n:02}.jsonl").write_text(f'{line}\n{new}\n{{"type":"user","sess\n{line[:-1]}\n')
    ran = run("import", logs, "--store", tmp_path / "store.db")
    told = ran.err.splitlines()
    assert ran.code == 3
    unknown = [one for one in told if "does not know" in one]
    assert unknown == [
        "remit: s00.jsonl, s01.jsonl and 18 more: types of claude-code records this version does not know, kept as they are: "
        "newkind-0 (10), newkind-1 (10)"
    ]
    assert sum(": line 3," in one for one in told) == 12
    assert "remit: 16 more rejected records in 8 more files; see `remit sources` or --json" in told
