"""`remit sources`: each file reconciled with what it leaves open: rejects, unknown types, secrets, gaps, zones, clocks, notes."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from review.sitting.demo import NOT_LOGS
from samplegen import Noise, generate
from tests.running import ok, run

SESSION = "5e0c8f0e-0000-4000-8000-00000000000a"
BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)
TOKEN = "ghp_" + "q7Rw2Lm9Xc4Vb1Nz8Kt6Yp3Hd5Fs0Ja2Ge4U"
OTHER = "ghp_" + "Zk4Wd8Pn2Qs6Xv0Bt3Jm7Hc1Lf5Ry9Ga4Ue8K"


def said(second: float, words: str, **more: Any) -> str:
    """A prompt of a Claude Code transcript, so long after the beginning."""
    at = (BEGIN + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    record = {
        "type": "user",
        "uuid": f"u-{second}",
        "sessionId": SESSION,
        "timestamp": at,
        "message": {"role": "user", "content": words},
    }
    return json.dumps(record | more)


def neutral(number: int, time: str) -> str:
    """A record of our own format by an enforcement point that states its time so."""
    record = {"format": "remit-events", "version": 1, "id": f"t-{number}", "time": time, "point": "tickets", "vantage": "target"}
    return json.dumps(record | {"kind": "intent", "phase": "ticket", "verb": "ticket.open", "text": f"number {number}"})


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A store of two files, and the rows of `remit sources --json` by name."""
    folder = tmp_path_factory.mktemp("sources")
    lines = [said(n * 30, f"prompt {n}") for n in range(20)]
    lines += [said(3 * 3600 + n * 30, f"later {n}") for n in range(3)]
    lines.insert(4, '{"type": "user", "uuid": "u-bad", "sessionId": "' + SESSION + '"}')
    lines.insert(7, "{this is not json")
    lines.append(said(3 * 3600 + 100, f"the token is {TOKEN}, and again {TOKEN}, and another {OTHER}"))
    lines.append(json.dumps({"type": "telepathy", "sessionId": SESSION, "uuid": "u-t", "timestamp": "2026-03-01T11:02:00Z"}))
    lines.append(lines[0])
    logs = folder / "logs"
    logs.mkdir()
    (logs / "agent.jsonl").write_text("\n".join(lines) + "\n")
    (logs / "tickets.ndjson").write_text(
        "\n".join([neutral(1, "2026-03-01T08:00:00Z"), *(neutral(n, f"2026-03-01 08:0{n}:00") for n in (2, 3))]) + "\n"
    )
    store = folder / "s.db"
    assert run("--store", store, "import", logs, "--note", f"copied with TOKEN={TOKEN} by dana", "--json").code == 3
    return store, {row["name"]: row for row in ok("--store", store, "sources", "--json").json}


def test_every_record_of_a_file_is_accounted_for(told: tuple[Path, dict[str, Any]]) -> None:
    row = told[1]["agent.jsonl"]
    data = (told[0].parent / "logs" / "agent.jsonl").read_bytes()
    assert row["records"] == {"read": 28, "accepted": 25, "duplicate": 1, "rejected": 2}
    assert (row["bytes"], row["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert [reject["line"] for reject in row["rejects"]] == [5, 8]
    assert sorted(row["reject_reasons"].values()) == [1, 1]
    assert set(row["reject_reasons"]) == {reject["reason"] for reject in row["rejects"]}
    assert row["unknown_types"] == {"telepathy": 1}
    assert row["enforcement_points"] == ["claude-code"]
    # Every prompt is an event, and so is each token in clear.
    assert row["events"] == 26
    assert (row["first"], row["last"]) == ("2026-03-01T08:00:00Z", "2026-03-01T11:02:00Z")


def test_a_secret_is_counted_where_it_was_replaced_and_in_no_note(told: tuple[Path, dict[str, Any]]) -> None:
    store, rows = told
    assert rows["agent.jsonl"]["secrets_replaced"] == {"github-pat": 2}
    assert rows["tickets.ndjson"]["secrets_replaced"] == {}
    assert "copied with" in rows["agent.jsonl"]["note"] and "by dana" in rows["agent.jsonl"]["note"]
    for form in ("--json", "--plain", "--csv"):
        assert TOKEN not in ok("--store", store, "sources", form).out
    assert TOKEN.encode() not in store.read_bytes()


def test_a_silence_longer_than_ten_times_the_usual_is_a_gap(told: tuple[Path, dict[str, Any]]) -> None:
    row = told[1]["agent.jsonl"]
    assert row["gaps"] == [{"from": "2026-03-01T08:09:30Z", "to": "2026-03-01T11:00:00Z"}]
    assert told[1]["tickets.ndjson"]["gaps"] == []


def test_a_time_without_zone_is_flagged_wherever_it_is_shown(told: tuple[Path, dict[str, Any]]) -> None:
    store, rows = told
    assert (rows["agent.jsonl"]["zone_assumed"], rows["tickets.ndjson"]["zone_assumed"]) == (0, 2)
    assert rows["tickets.ndjson"]["flags"] == ["zone_assumed"]
    assert rows["agent.jsonl"]["flags"] == ["rejected", "unknown_types", "gaps"]
    plain = ok("--store", store, "sources", "--plain").out
    assert "time zone not stated and taken as UTC in 2 of 3 events" in plain
    marked = [line for line in ok("--store", store, "unattributed", "--jsonl").lines if line["by"] == "tickets"]
    for one in marked:
        shown = ok("--store", store, "show", one["record"]["digest"], "--plain").out
        assert ("(zone assumed)" in shown) == (one["at"] != "2026-03-01T08:00:00Z")


def test_the_table_and_the_sentences_say_what_the_json_says(
    told: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    store, rows = told
    head, *lines = ok("--store", store, "sources").out.splitlines()
    assert head.split() == ["name", "format", "read", "accepted", "duplicate", "rejected", "first", "last", "flags"]
    assert lines[0].split()[2:6] == ["28", "25", "1", "2"]
    sentence = ok("--store", store, "sources", "--plain").out.splitlines()[0]
    for part in ("silent once from 2026-03-01T08:09:30Z", "1 of type telepathy", "2 github-pat", rows["agent.jsonl"]["sha256"]):
        assert part in sentence, part
    table = list(csv.DictReader(ok("--store", store, "sources", "--csv").out.splitlines()))
    assert json.loads(table[0]["records"]) == rows["agent.jsonl"]["records"]


def test_a_zone_assumed_is_flagged_on_the_step_that_rests_on_it(tmp_path: Path) -> None:
    call = {"format": "remit-events", "version": 1, "id": "c-1", "time": "2026-03-01 08:00:00", "point": "robot", "vantage": "agent",
            "kind": "action", "phase": "call", "verb": "exec", "agent": "robot",
            "keys": [{"role": "scope", "kind": "session", "value": SESSION}, {"role": "call", "kind": "call", "value": "c"}]}  # fmt: skip
    log = tmp_path / "robot.ndjson"
    log.write_text(json.dumps(call) + "\n")
    store = tmp_path / "s.db"
    ok("--store", store, "import", log, "--json")
    (task,) = ok("--store", store, "tasks", "--json").json
    (step,) = ok("--store", store, "show", task["id"], "--json").json["steps"]
    assert step["zone_assumed"] == ["robot"]
    assert [one["clock"] for one in step["actions"]] == ["zone-assumed"]
    assert "time zone not stated by robot and taken as UTC" in ok("--store", store, "show", task["id"], "--plain").out


def test_the_skew_of_a_clock_is_told_with_the_pairs_behind_it(tmp_path: Path) -> None:
    logs, store = tmp_path / "logs", tmp_path / "s.db"
    generate(logs, noise=Noise(skew={"github": 120, "vault": -45}))
    ok("--store", store, "import", *(path for path in logs.iterdir() if path.name not in NOT_LOGS), "--json")
    rows = {row["name"]: row for row in ok("--store", store, "sources", "--json").json}
    for name, point, skew in (("github-audit.ndjson", "github:harbour-lane", 120), ("vault-audit.log", "vault", -45)):
        (clock,) = rows[name]["clocks"]
        assert (clock["enforcement_point"], clock["skew_seconds"], rows[name]["skew_seconds"]) == (point, skew, skew)
        assert clock["pairs"] >= 3 and "skew" in rows[name]["flags"]
    (opa,) = rows["opa-decisions.jsonl"]["clocks"]
    assert opa["skew_seconds"] == 0 and opa["pairs"] > 100 and "skew" not in rows["opa-decisions.jsonl"]["flags"]
    few = [one for row in rows.values() for one in row["clocks"] if one["pairs"] < 3]
    assert all(one["skew_seconds"] is None for one in few)
    plain = ok("--store", store, "sources", "--plain").out
    assert "clock of vault 45 s behind the agents' over" in plain
    pack = tmp_path / "pack"
    ok("--store", store, "report", "--out", pack, "--framework", "owasp-asi-2026", "--json")
    table = {row["name"]: row for row in csv.DictReader((pack / "sources.csv").open(newline=""))}
    assert float(table["vault-audit.log"]["skew_seconds"]) == -45
    assert float(table["opa-decisions.jsonl"]["skew_seconds"]) == 0


def trail(number: int, **members: str) -> str:
    """An entry of AgentMesh's audit, which may state hashes of itself and of the one before."""
    return json.dumps({
        "entry_id": f"audit_{number}", "timestamp": f"2026-03-01T08:00:0{number}Z", "event_type": "policy_decision",
        "agent_did": "did:mesh:a", "action": "read_file", "outcome": "success", "policy_decision": "allow", "session_id": "s-1",
        "previous_hash": "",
    } | members)  # fmt: skip


def test_a_log_whose_chain_was_never_looked_at_is_not_called_whole(tmp_path: Path) -> None:
    logs, store = tmp_path / "logs", tmp_path / "s.db"
    logs.mkdir()
    (logs / "plain.jsonl").write_text("\n".join(trail(n) for n in range(3)) + "\n")
    hashed = [trail(n, previous_hash="0" * 63 + str(n - 1), entry_hash="0" * 63 + str(n)) for n in (4, 5)]
    (logs / "hashed.jsonl").write_text("\n".join(hashed) + "\n")
    (logs / "tickets.ndjson").write_text(neutral(1, "2026-03-01T08:00:00Z") + "\n")
    ok("--store", store, "import", logs, "--json")
    rows = {row["name"]: row for row in ok("--store", store, "sources", "--json").json}
    assert {name: row["log_chain"] for name, row in rows.items()} == {
        "plain.jsonl": "not judged", "hashed.jsonl": "checked", "tickets.ndjson": None,
    }  # fmt: skip
    assert rows["plain.jsonl"]["flags"] == ["chain_not_judged"] and "chain_not_judged" not in rows["hashed.jsonl"]["flags"]
    assert "`remit store rebuild --events`" in ok("--store", store, "sources", "--plain").out
