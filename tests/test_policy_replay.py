"""A dry-run equals what request-by-request evaluation gives, whatever the policy and the history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.evidence import RequestRow
from policy import History, HistoryStale, Policy, Replayer, check, decide, dry_run, read_request
from policy.dryrun import KINDS

CONDITIONS = (
    'action.verb == "secret.read"',
    'action.verb != "exec"',
    'resource.environment == "production" && action.verb in ["secret.read", "repo.write"]',
    'principal.origin == "endpoint" || action.forced',
    "credential.ttl_seconds > 3600",
    "credential.ttl_seconds / agent.depth > 100",
    "has(resource.owner) && resource.owner != principal.id",
    'action.targets.exists(t, t.startsWith("cloud:"))',
    'action.verbs.all(v, v == "exec")',
    "!action.forced",
    "true",
    "false",
    'resource.name.matches("^acme/")',
    'action.forced ? resource.name == "acme/pay" : agent.depth > 0',
)
VALUES: dict[str, list[Any]] = {
    "action.verb": ["exec", "secret.read", "repo.write"],
    "resource.environment": ["production", "staging"],
    "principal.origin": ["endpoint", "ci"],
    "principal.id": ["ana", "bo"],
    "resource.owner": ["ana", "team"],
    "resource.name": ["acme/pay", "evil/x"],
    "action.forced": [True, False],
    "credential.ttl_seconds": [60, 7200, "a day"],
    "agent.depth": [0, 1],
    "action.targets": [["cloud:a"], ["repository:b", "cloud:c"], []],
    "action.verbs": [["exec"], ["exec", "repo.write"], []],
}
requests = st.fixed_dictionaries({}, optional={name: st.sampled_from([*values, None]) for name, values in VALUES.items()})
rows = st.lists(
    st.builds(
        RequestRow,
        step=st.integers(0, 30).map("step-{}".format),
        task=st.sampled_from(["task-b", "task-a", "task-c"]),
        at=st.none() | st.integers(1, 5),
        recorded=st.sampled_from(["allow", "ask", "deny", "unknown"]),
        request=requests,
    ),
    max_size=40,
    unique_by=lambda row: row.step,
)
rules = st.lists(st.tuples(st.sampled_from(["deny", "ask", "allow"]), st.sampled_from(CONDITIONS)), max_size=6)
policies = st.tuples(st.sampled_from(["deny", "ask", "allow"]), rules)


def policy_of(default: str, rules: list[tuple[str, str]]) -> Policy:
    document = {
        "version": 1,
        "default": default,
        "rules": [{"id": f"r{i}", "effect": effect, "when": when} for i, (effect, when) in enumerate(rules)],
    }
    checked = check(json.dumps(document))
    assert checked.policy is not None, checked.diagnostics
    return checked.policy


def brute(policy: Policy, rows: list[RequestRow], baseline: Policy | None = None) -> dict[str, Any]:
    """The dry-run by the book: one request after the other."""
    kinds: dict[str, str] = {}
    tasks: dict[str, set[str]] = {}
    missing: dict[str, int] = {}
    hits: dict[str, int] = {r.id: 0 for r in policy.rules}
    decides, flips = dict(hits), dict(hits)
    flip_list = []
    for row in rows:
        request = read_request({k: v for k, v in row.request.items() if v != "a day"})
        after = decide(policy, request)
        before = decide(baseline, request) if baseline is not None else None
        was = row.recorded if before is None else before.effect
        if after.effect == "unknown" or (before is not None and was == "unknown"):
            kind = "cannot_judge"
            names = {
                n for d in (after, before) if d is not None and d.effect == "unknown" for u in d.undetermined for n in u.missing
            }
            for name in names:
                missing[name] = missing.get(name, 0) + 1
        elif after.effect == was or (was == "unknown" and after.effect == "allow"):
            kind = "unchanged"
        else:
            kind = {"allow": "newly_allowed", "ask": "newly_asked", "deny": "newly_denied"}[after.effect]
        kinds[row.step] = kind
        tasks.setdefault(row.task, set()).add(kind)
        for rule in after.matched:
            hits[rule] += 1
        if after.rule:
            decides[after.rule] += 1
        if kind in KINDS:
            flip_list.append(
                (
                    KINDS.index(kind),
                    row.task,
                    float("inf") if row.at is None else row.at,
                    row.step,
                    was,
                    after.effect,
                    after.rule or None,
                )
            )
            if after.rule:
                flips[after.rule] += 1
    names = ("newly_denied", "newly_asked", "newly_allowed", "unchanged", "cannot_judge")
    return {
        "summary": {n: sum(k == n for k in kinds.values()) for n in names},
        "by_tasks": {n: sum((k == {"unchanged"}) if n == "unchanged" else n in k for k in tasks.values()) for n in names},
        "missing": missing,
        "rules": [(r.id, hits[r.id], decides[r.id], flips[r.id]) for r in policy.rules],
        "flips": [flip[1:2] + flip[3:] for flip in sorted(flip_list)],
    }


def comparable(result: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": result["summary"],
        "by_tasks": result["by_tasks"],
        "missing": result["missing_attributes"],
        "rules": [(r["id"], r["hits"], r["decides"], r["flips"]) for r in result["rules"]],
        "flips": [(f["task"], f["step"], f["from"], f["to"], f["rule"]) for f in result["flips"]],
    }


@given(drafts=st.lists(policies, min_size=1, max_size=3), rows=rows, base=st.none() | policies)
@settings(max_examples=250, deadline=None)
def test_run_equals_brute_force(drafts: list[Any], rows: list[RequestRow], base: Any) -> None:
    replayer = Replayer(History.from_rows(rows))
    baseline = policy_of(*base) if base is not None else None
    for draft in drafts:
        policy = policy_of(*draft)
        result = replayer.run(policy, baseline, flips_limit=None).as_json()
        assert comparable(result) == brute(policy, rows, baseline)
        assert result["flips_total"] == len(result["flips"])
        assert sum(result["summary"].values()) == len(rows) == result["history"]["requests"]


@given(draft=policies, rows=rows, data=st.data())
@settings(max_examples=100, deadline=None)
def test_order_of_rows_splits_and_saving_change_nothing(draft: Any, rows: list[RequestRow], data: st.DataObject) -> None:
    policy = policy_of(*draft)
    want = dry_run(policy, History.from_rows(rows)).as_json()
    shuffled = data.draw(st.permutations(rows))
    assert dry_run(policy, History.from_rows(shuffled)).as_json() == want
    cut = data.draw(st.integers(0, len(rows)))
    grown = History.from_rows(shuffled[:cut]).updated(shuffled[cut:])
    assert dry_run(policy, grown).as_json() == want
    assert dry_run(policy, History.from_rows([*rows, *rows])).as_json() == want


@given(draft=policies, rows=rows, gone=st.sets(st.sampled_from(["task-a", "task-b"])))
@settings(max_examples=60, deadline=None)
def test_dropping_tasks_equals_never_having_had_them(draft: Any, rows: list[RequestRow], gone: set[str]) -> None:
    policy = policy_of(*draft)
    kept = [row for row in rows if row.task not in gone]
    assert (
        dry_run(policy, History.from_rows(rows).updated([], gone)).as_json() == dry_run(policy, History.from_rows(kept)).as_json()
    )


@given(draft=policies, rows=rows, limit=st.integers(0, 12))
@settings(max_examples=80, deadline=None)
def test_a_limit_cuts_the_list_and_no_count(draft: Any, rows: list[RequestRow], limit: int) -> None:
    history = History.from_rows(rows)
    policy = policy_of(*draft)
    whole = dry_run(policy, history, flips_limit=None).as_json()
    cut = dry_run(policy, history, flips_limit=limit).as_json()
    assert cut["flips"] == whole["flips"][:limit]
    assert {k: v for k, v in cut.items() if k != "flips"} == {k: v for k, v in whole.items() if k != "flips"}


def many_rows(count: int = 30_000) -> list[RequestRow]:
    random = np.random.default_rng(5)
    picks = {name: random.integers(0, len(values) + 1, count) for name, values in VALUES.items()}
    out = []
    for i in range(count):
        request = {n: v[picks[n][i]] for n, v in VALUES.items() if picks[n][i] < len(v)}
        out.append(RequestRow(f"s{i:06d}", f"t{i // 50:04d}", i, ("allow", "deny", "ask", "unknown")[i % 4], request))
    return out


def test_long_lists_of_flips_come_in_the_same_order_from_both_ends() -> None:
    rows = many_rows()
    history = History.from_rows(rows)
    for draft in (("deny", []), ("allow", [("deny", CONDITIONS[0])]), ("ask", [("allow", "agent.depth == 1")])):
        policy = policy_of(*draft)
        whole = dry_run(policy, history, flips_limit=None).as_json()
        assert comparable(whole) == brute(policy, rows)
        for limit in (1, 50, 5000):
            assert dry_run(policy, history, flips_limit=limit).as_json()["flips"] == whole["flips"][:limit]


def test_a_history_saved_and_opened_gives_the_same(tmp_path: Path) -> None:
    rows = many_rows(3000)
    history = History.from_rows(rows, state="rev 7")
    history.save(tmp_path / "index")
    opened = History.load(tmp_path / "index")
    assert opened.state == "rev 7"
    draft = policy_of(
        "deny", [("allow", CONDITIONS[3]), ("ask", CONDITIONS[7]), ("deny", CONDITIONS[6]), ("deny", CONDITIONS[12])]
    )
    assert dry_run(draft, opened).as_json() == dry_run(draft, history).as_json()
    assert [r.step for r in opened.rows()] == [r.step for r in history.rows()]
    opened.updated(rows[:10], ["t0000"]).save(tmp_path / "index")
    again = History.load(tmp_path / "index")
    assert again.requests == 2960
    assert dry_run(draft, opened).as_json() == dry_run(draft, history).as_json(), "a reader keeps the generation it opened"
    assert len([p for p in (tmp_path / "index").iterdir() if p.is_dir()]) == 1


def test_a_damaged_or_foreign_index_is_stale_never_wrong(tmp_path: Path) -> None:
    with pytest.raises(HistoryStale):
        History.load(tmp_path / "none")
    history = History.from_rows(many_rows(200))
    history.save(tmp_path)
    [place] = [p for p in tmp_path.iterdir() if p.is_dir()]
    (place / "row_at").write_bytes((place / "row_at").read_bytes()[:-1])
    with pytest.raises(HistoryStale, match="damaged"):
        History.load(tmp_path)
    meta = place / "meta.json"
    meta.write_bytes(meta.read_bytes().replace(b'"version":1', b'"version":0'))
    with pytest.raises(HistoryStale, match="another version"):
        History.load(tmp_path)
    meta.write_bytes(b"{")
    with pytest.raises(HistoryStale):
        History.load(tmp_path)


def test_deleting_one_request_moves_every_count_it_was_in() -> None:
    rows = [RequestRow(f"s{i}", "t", i, "allow", {"action.verb": "secret.read"}) for i in range(3)]
    draft = policy_of("allow", [("deny", CONDITIONS[0])])
    before = dry_run(draft, History.from_rows(rows)).as_json()
    after = dry_run(draft, History.from_rows(rows[1:])).as_json()
    for result, count in ((before, 3), (after, 2)):
        assert result["summary"]["newly_denied"] == count == result["flips_total"] == len(result["flips"])
        assert result["rules"][0]["hits"] == result["rules"][0]["decides"] == result["rules"][0]["flips"] == count
        assert result["history"]["requests"] == count


def test_an_empty_history_and_an_empty_policy() -> None:
    empty = History.from_rows([])
    result = dry_run(policy_of("deny", [("ask", CONDITIONS[0])]), empty).as_json()
    assert sum(result["summary"].values()) == 0
    assert result["flips"] == []
    assert result["history"] == {"requests": 0, "shapes": 0, "tasks": 0, "from": None, "to": None}
    rows = [RequestRow("s", "t", 1_700_000_000_000_000, "allow", {})]
    result = dry_run(policy_of("deny", []), History.from_rows(rows)).as_json()
    assert result["summary"]["newly_denied"] == 1
    assert result["flips"][0]["rule"] is None
    assert result["history"]["from"] == "2023-11-14T22:13:20Z"
