"""One credential's lifeline, a task as of a moment, and its delegation, on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lang.times import parse_time
from tests.cli_contract import CREDENTIAL, REFERENCE, TEXT, TIME
from tests.running import ORG, Day, Either, fits, ok, refused, run, sample_logs

pytestmark = pytest.mark.usefixtures("alone")

LIFELINE = {
    "kind": {"credential"},
    "credential": CREDENTIAL,
    "lifeline": [{"what": str, "at": TIME, "by": TEXT, "task": TEXT, "late": [str], "record": Either(REFERENCE)}],
    "scope_used": [{"verb": str, "target": dict, "uses": int, "first": TIME, "last": TIME}],
    "names": [{"name": str, "joins": str, "limit": TEXT}],
    "obtained_with": [str],
    "may_be": [str],
    "unknown": [{"what": str, "why": str}],
}
GRANT = {
    "id": str,
    "kind": TEXT,
    "scope": [str],
    "ttl_left_seconds": Either(int),
    "standing": bool,
    "task_bound": bool,
    "since": TIME,
    "why": TEXT,
    "ended": TIME,
}
ANSWER = {"step": str, "n": int, "at": TIME, "verb": str, "target": str, "by": str, "answer": {"allow", "deny", "unknown"}}
AUTHORISED = {
    "at": TIME,
    "step": TEXT,
    "n": Either(int),
    "mode": TEXT,
    "sandbox": TEXT,
    "policy": TEXT,
    "policies": [{"by": str, "policy": TEXT, "revision": TEXT, "stated_at": TIME}],
    "saved_policies": [{"name": str, "version": int, "sha256": str, "saved": TIME}],
    "ticket": TEXT,
    "change_window": {"open", "closed", "unknown"},
    "credentials": [GRANT],
    "uncertain_credentials": [GRANT],
    "ended_credentials": [GRANT],
    "delegations": [{"step": str, "n": int, "task": str, "at": TIME, "scope": TEXT, "running": Either(bool)}],
    "asked": [ANSWER],
    "refused": [ANSWER],
    "unknown": [{"what": str, "why": str}],
}
REACH = Either({"breadth": {"read", "local", "shared", "control"}, "words": str, "what": str, "step": TEXT, "credential": TEXT})
NODE = {
    "task": str,
    "asked": bool,
    "depth": int,
    "agent": TEXT,
    "principal": TEXT,
    "mode": TEXT,
    "credentials": [{"id": str, "kind": TEXT, "scope": [str]}],
    "done": REACH,
    "granted": REACH,
    "effective": REACH,
    "borders": [{"kind": str, "from": str, "to": str}],
    "crossings": [{"kind": {"owner", "repository"}, "to": str, "step": str, "agreed": list}],
    "requests": [{"credential": str, "phase": str, "at": TIME, "why": str}],
    "children": [dict],
}
DELEGATION = {
    "kind": {"delegation"},
    "task": str,
    "root": str,
    "path": [str],
    "depth": int,
    "deepest": int,
    "effective": REACH,
    "through": [str],
    "tree": NODE,
    "self_chaining": [{"kind": str, "tasks": [str], "why": str}],
    "crossings": list,
    "requests": list,
    "left_out": int,
}

Doc = dict[str, Any]


def micros(text: str) -> int:
    at = parse_time(text)[0]
    assert at is not None
    return at


# lifelines


def test_a_lifeline_is_the_same_whichever_way_it_is_asked_for(day: Day) -> None:
    for row in day.json("credentials"):
        shown = day.json("credentials", row["id"])
        fits(shown, LIFELINE)
        assert shown["credential"] == row
        assert shown == day.json("show", f"credential:{row['id']}") == day.json("show", row["id"])


def test_every_use_stands_in_the_lifeline_and_is_late_where_the_flags_say_so(day: Day) -> None:
    for row in day.json("credentials"):
        shown = day.json("credentials", row["id"])
        stages = shown["lifeline"]
        assert [s["at"] for s in stages if s["at"]] == sorted((s["at"] for s in stages if s["at"]), key=micros)
        uses = [s for s in stages if s["what"] in ("used", "renewed")]
        assert len(uses) == row["uses"] == sum(used["uses"] for used in shown["scope_used"])
        assert any("task end" in s["late"] for s in uses) == ("used_after_task_end" in row["flags"]), row["id"]
        issued = next((s["at"] for s in stages if s["what"] == "issued"), None)
        assert issued == row["issued"]
        if row["issued"] and row["first_use"]:
            seconds = (micros(row["first_use"]) - micros(row["issued"])) / 1e6
            assert row["issue_to_first_use_seconds"] == pytest.approx(seconds)
        assert ("issuance" in {gap["what"] for gap in shown["unknown"]}) == (row["issued"] is None)


def test_a_lifeline_in_words_marks_what_came_late_and_says_what_its_names_join(day: Day) -> None:
    late = next(row for row in day.json("credentials") if "used_after_task_end" in row["flags"] and "vault" in row["kind"])
    said = ok("--store", day.store, "credentials", late["id"], "--plain").out
    assert "AFTER task end" in said and "task ended" in said and "salt of its own" in said and "Scope granted" in said
    rows = ok("--store", day.store, "credentials", late["id"], "--csv").out.splitlines()
    assert rows[0].startswith("at,what,by") and len(rows) == 1 + len(day.json("credentials", late["id"])["lifeline"])


def test_an_unknown_credential_and_an_id_of_another_kind_are_refused(day: Day) -> None:
    refused(run("--store", day.store, "credentials", "nothing"), 2, "nothing")
    task = day.json("tasks")[0]["id"]
    refused(run("--store", day.store, "credentials", task), 2, task)
    refused(run("--store", day.store, "show", f"finding:{task}"), 2, task)
    assert day.json("show", f"task:{task}") == day.json("show", task)


def test_the_limit_of_an_environment_counts_and_pieces_give_the_same_lifelines(tmp_path: Path) -> None:
    stated = ORG.read_text().replace("ttl_limits: {staging: 1h, prod: 1h}", "ttl_limits: {staging: 30m, prod: 2h}")
    assert "staging: 30m" in stated
    logs = sample_logs()
    told = []
    for name, parts in (("whole", [logs]), ("pieces", [logs[::2], logs[1::2]])):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "org.yaml").write_text(stated)
        for part in parts:
            ok("--store", folder / "s.db", "import", *part)
        told.append({verb: ok("--store", folder / "s.db", verb, "--json").json for verb in ("tasks", "credentials")})
    assert told[0] == told[1]
    places = {task["id"]: task["environment"] for task in told[0]["tasks"]}
    hour = [c for c in told[0]["credentials"] if c["ttl_seconds"] == 3600 and c["issued_task"]]
    staging = [c for c in hour if places[c["issued_task"]] == "staging"]
    assert staging and all("long_lived" in c["flags"] for c in staging)
    prod = [c for c in hour if places[c["issued_task"]] == "prod"]
    assert not any("long_lived" in c["flags"] for c in prod)


# as of a moment


def test_every_task_answers_at_every_step_by_number_and_by_id(day: Day, chains: list[Doc]) -> None:
    for chain in chains[::4]:
        task = chain["task"]["id"]
        for step in chain["steps"][:2]:
            by_number = day.json("show", task, "--at", str(step["n"]))["authorised"]
            fits(by_number, AUTHORISED)
            assert by_number == day.json("show", task, "--at", step["id"])["authorised"]
            assert (by_number["n"], by_number["step"]) == (step["n"], step["id"])
            denied = [
                s["n"] for s in chain["steps"] if s["n"] <= step["n"] and any(d["effect"] == "deny" for d in s["decisions"])
            ]
            assert [one["n"] for one in by_number["refused"]] == denied
            assert all(gap["why"] for gap in by_number["unknown"])


def test_time_left_shrinks_and_what_ran_out_is_named(day: Day) -> None:
    held = next(c for c in day.json("credentials") if c["expires"] and c["issued"] and c["issued_task"] and c["uses"])
    task = held["issued_task"]

    def at(moment: str) -> Doc:
        found: Doc = day.json("show", task, "--at", moment)["authorised"]
        return found

    (grant,) = [g for g in at(held["issued"])["credentials"] if g["id"] == held["id"]]
    assert grant["ttl_left_seconds"] == (micros(held["expires"]) - micros(held["issued"])) // 1_000_000
    over = at("2027-01-01T00:00:00Z")
    assert over["ended"] is True and held["id"] in {g["id"] for g in over["ended_credentials"]}
    assert held["id"] not in {g["id"] for g in over["credentials"]}


def test_the_policy_revision_is_the_one_the_decider_stated(day: Day, chains: list[Doc]) -> None:
    chain = next(c for c in chains if any(d["policy"] for s in c["steps"] for d in s["decisions"]))
    step = next(s for s in chain["steps"] if any(d["policy"] for d in s["decisions"]))
    found = day.json("show", chain["task"]["id"], "--at", str(step["n"]))["authorised"]
    assert found["policy"] in {d["policy"] for d in step["decisions"]}
    assert all(one["revision"] for one in found["policies"] if one["by"].startswith("opa"))
    assert found["saved_policies"] == []


def test_a_saved_version_counts_from_when_it_was_saved(day: Day, tmp_path: Path) -> None:
    own = day.copy(tmp_path)
    task = own.json("tasks")[0]["id"]
    ok("--store", own.store, "policy", "save", ORG.parent / "policy.yaml", "--name", "agents", "--reason", "first")
    later = own.json("show", task, "--at", "2100-01-01T00:00:00Z")["authorised"]
    assert [(p["name"], p["version"]) for p in later["saved_policies"]] == [("agents", 1)]
    assert own.json("show", task, "--at", "1")["authorised"]["saved_policies"] == []


@pytest.mark.parametrize("moment", ["9999", "0", "step-nothing", "soon", ""])
def test_a_moment_that_is_none_is_refused_with_what_would_be_one(day: Day, moment: str) -> None:
    task = day.json("tasks")[0]["id"]
    refused(run("--store", day.store, "show", task, "--at", moment), 2, "--at")


def test_moments_and_delegation_are_asked_of_tasks_only(day: Day) -> None:
    held = day.json("credentials")[0]["id"]
    refused(run("--store", day.store, "show", held, "--at", "1"), 2, "--at", "credential")
    refused(run("--store", day.store, "show", held, "--delegation"), 2, "--delegation", "credential")


# delegation


def test_the_tree_of_every_family_is_the_same_from_each_of_its_tasks(day: Day) -> None:
    rows = {row["id"]: row for row in day.json("tasks")}
    for row in rows.values():
        if not row["parent"]:
            continue
        found = day.json("show", row["id"], "--delegation")
        fits(found, DELEGATION)
        assert found["path"][-2:] == [row["parent"], row["id"]] and found["depth"] == row["depth"]
        above = day.json("show", row["parent"], "--delegation")
        assert above["root"] == found["root"] and above["tree"]["done"] == found["tree"]["done"]
        child = next(node for node in found["tree"]["children"] if node["task"] == row["id"])
        assert child["asked"] and child["depth"] == 1


def test_a_sub_agent_that_goes_farther_than_its_parent_is_marked(day: Day) -> None:
    row = next(t for t in day.json("tasks") if t["parent"] and "CRED-09" in t["detections"])
    found = day.json("show", row["id"], "--delegation")
    child = next(node for node in found["tree"]["children"] if node["task"] == row["id"])
    assert "reach" in {border["kind"] for border in child["borders"]} and found["through"] == [row["parent"], row["id"]]
    assert [one["task"] for one in found["requests"]] == [row["id"]]
    said = ok("--store", day.store, "show", row["id"], "--delegation").out
    assert "╪ border: reach" in said and "└─ ▶" in said and "in mid-task" in said


def test_a_scope_that_a_record_states_is_shown_and_no_self_chaining_is_claimed(day: Day) -> None:
    for row in day.json("tasks"):
        if row["parent"] and row["agent"] == "codex":
            found = day.json("show", row["id"], "--delegation")
            (child,) = found["tree"]["children"]
            assert child["spawned_by"]["scope"] == "explorer" and found["self_chaining"] == []
            break
    else:
        pytest.fail("the sample day has no sub-agent of Codex")
