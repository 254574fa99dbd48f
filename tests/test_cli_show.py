"""`show` keeps its contract for tasks, steps, findings, credentials and records."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from tests.cli_contract import (
    CREDENTIAL,
    FINDING,
    LOOKED_UP,
    REFERENCE,
    STEP,
    TASK,
    TEXT,
    TIME,
    WHOLE_TASK,
    references,
)
from tests.running import (
    Day,
    fits,
    ok,
    sample_logs,
)

pytestmark = pytest.mark.usefixtures("alone")


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
    shown = day.json("show", finding["id"])["finding"]
    assert shown.pop("times").keys() >= {"happened", "evident", "imported", "judged"}
    assert shown == finding
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
