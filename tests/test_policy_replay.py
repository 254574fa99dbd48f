"""A dry-run equals what request-by-request evaluation gives, whatever the policy and the history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.evidence import RequestRow
from policy import History, HistoryStale, Policy, Replayer, check, dry_run, history_files
from policy.change import Change
from policy.details import Details
from policy.grouping import Cell, GroupBuilder
from policy.lookup import Fetch, Found, Pair
from policy.merging import merged
from store.shapes import DAY
from tests.brute import brute, comparable

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


def cells_of(rows: list[RequestRow]) -> tuple[list[Cell], dict[bytes, dict[str, Any]]]:
    """What a database tells of requests: counted per task, shape, answer and day. Some equal requests have two names."""
    contents: dict[bytes, dict[str, Any]] = {}
    times: dict[tuple[str, bytes, str, int | None], list[int | None]] = {}
    for row in rows:
        name = sha256(json.dumps(row.request).encode()).digest()[:16]
        contents[name] = row.request
        times.setdefault((row.task, name, row.recorded, None if row.at is None else row.at // DAY), []).append(row.at)
    cells = []
    for (task, name, recorded, _), found in times.items():
        known = [at for at in found if at is not None]
        cells.append((task, name, recorded, len(found), min(known, default=None), max(known, default=None)))
    return cells, contents


def fetching(rows: list[RequestRow]) -> Fetch:
    named = [(row, sha256(json.dumps(row.request).encode()).digest()[:16]) for row in rows]

    def fetch(pairs: Sequence[Pair]) -> list[Found]:
        return [(row.step, row.task, row.at, row.recorded, name) for row, name in named if (row.task, name) in set(pairs)]

    return fetch


def grouped(rows: list[RequestRow], state: str = "", before: History | None = None, changed: Iterable[str] = ()) -> History:
    """The history a database's counts give; with `before`, that one brought up to date for the tasks that changed."""
    gone = frozenset(changed)
    builder = GroupBuilder()
    cells, contents = cells_of(rows if before is None else [row for row in rows if row.task in gone])
    builder.add(cells)
    built = builder.build(lambda names: [(name, contents[name]) for name in names if name in contents], state)
    history = built if before is None else merged(before, gone, built, state)
    history.fetch = fetching(rows)
    return history


@given(drafts=st.lists(policies, min_size=1, max_size=3), rows=rows, base=st.none() | policies)
@settings(max_examples=100, deadline=None)
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
@settings(max_examples=80, deadline=None)
def test_the_order_of_rows_and_rows_told_twice_change_nothing(draft: Any, rows: list[RequestRow], data: st.DataObject) -> None:
    policy = policy_of(*draft)
    want = dry_run(policy, History.from_rows(rows)).as_json()
    shuffled = data.draw(st.permutations(rows))
    assert dry_run(policy, History.from_rows(shuffled)).as_json() == want
    assert dry_run(policy, History.from_rows([*rows, *rows])).as_json() == want


@given(draft=policies, rows=rows, base=st.none() | policies, limit=st.none() | st.integers(0, 12))
@settings(max_examples=150, deadline=None)
def test_what_a_database_grouped_gives_the_same(draft: Any, rows: list[RequestRow], base: Any, limit: int | None) -> None:
    policy = policy_of(*draft)
    baseline = policy_of(*base) if base is not None else None
    words = {"task-a": "within", "task-b": "outside"}
    one, other = History.from_rows(rows), grouped(rows)
    want, got = (dry_run(policy, h, baseline, flips_limit=limit, verdicts=words).as_json() for h in (one, other))
    assert got == want
    assert sorted(row.step for row in other.rows()) == sorted(row.step for row in rows)
    telling = [Details(h) for h in (one, other)]
    assert len({msgspec.json.encode(_told(details, policy, rows)) for details in telling}) == 1


def _told(details: Details, policy: Policy, rows: list[RequestRow]) -> list[Any]:
    after = Replayer(details.history).decisions(policy)
    change = Change(details.history, None, after)
    steps = {task: [row.step for row in rows if row.task == task] for task in ("task-a", "task-b")}
    return [
        details.figures(after, None, "recorded"), details.friction(change), details.ledger(policy, after),
        [(task, details.denied_in(change, task)) for task in details.denied_tasks(change)],
        sorted(details.fates(change, steps).items()), sorted(details.allowed_by_rules(change).items(), key=str),
    ]  # fmt: skip


@given(draft=policies, rows=rows, other=rows, changed=st.sets(st.sampled_from(["task-a", "task-b", "task-c"])))
def test_a_history_brought_up_to_date_equals_one_made_anew(
    draft: Any, rows: list[RequestRow], other: list[RequestRow], changed: set[str]
) -> None:
    policy = policy_of(*draft)
    kept = [row for row in rows if row.task not in changed]
    steps = {row.step for row in kept}
    now = [*kept, *(row for row in other if row.task in changed and row.step not in steps)]
    updated = grouped(now, before=grouped(rows), changed=changed)
    assert dry_run(policy, updated).as_json() == dry_run(policy, History.from_rows(now)).as_json()
    assert (updated.size, updated.span) == (grouped(now).size, grouped(now).span)
    assert not now or all(len(updated.columns[name].values) == len(grouped(now).columns[name].values) for name in updated.columns)
    anew = updated.with_columns(updated.columns)
    for name in ("cell_rows", "cell_tasks"):
        kept_lists, lists = getattr(updated, name), getattr(anew, name)
        assert np.array_equal(kept_lists.starts, lists.starts)
        assert np.array_equal(kept_lists.items, lists.items), "what was inserted into is as what is sorted anew"
    assert np.array_equal(updated.cell_weight, anew.cell_weight)


def test_requests_that_say_nothing_are_found_again_after_their_task_changed() -> None:
    before, now = ([RequestRow(f"step-{n}", "task-b", None, "allow", {}) for n in range(count)] for count in (1, 3))
    updated = grouped(now, before=grouped(before), changed={"task-b"})
    policy = policy_of("deny", [])
    assert dry_run(policy, updated).as_json() == dry_run(policy, History.from_rows(now)).as_json()


@given(draft=policies, rows=rows, limit=st.integers(0, 12))
@settings(max_examples=80, deadline=None)
def test_a_limit_cuts_the_list_and_no_count(draft: Any, rows: list[RequestRow], limit: int) -> None:
    history = History.from_rows(rows)
    policy = policy_of(*draft)
    whole = dry_run(policy, history, flips_limit=None).as_json()
    cut = dry_run(policy, history, flips_limit=limit).as_json()
    assert cut["flips"] == whole["flips"][:limit]
    assert {k: v for k, v in cut.items() if k != "flips"} == {k: v for k, v in whole.items() if k != "flips"}


def many_rows(count: int = 8_000) -> list[RequestRow]:
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
        for limit in (1, 50, 2000):
            assert dry_run(policy, history, flips_limit=limit).as_json()["flips"] == whole["flips"][:limit]


def test_a_history_saved_and_opened_gives_the_same(tmp_path: Path) -> None:
    rows = many_rows(3000)
    want, history = History.from_rows(rows), grouped(rows, "rev 7")
    history.save(tmp_path / "index")
    opened = History.load(tmp_path / "index")
    opened.fetch = history.fetch
    assert opened.state == "rev 7"
    draft = policy_of(
        "deny", [("allow", CONDITIONS[3]), ("ask", CONDITIONS[7]), ("deny", CONDITIONS[6]), ("deny", CONDITIONS[12])]
    )
    assert dry_run(draft, opened).as_json() == dry_run(draft, want).as_json()
    assert [r.step for r in opened.rows()] == [r.step for r in want.rows()]
    grouped(rows[10:], before=opened, changed=["t0000"]).save(tmp_path / "index")
    again = History.load(tmp_path / "index")
    assert again.requests == 2990
    assert dry_run(draft, opened).as_json() == dry_run(draft, want).as_json(), "a reader keeps the generation it opened"
    assert len([p for p in (tmp_path / "index").iterdir() if p.is_dir()]) == 1


def test_an_empty_history_is_kept_too(tmp_path: Path) -> None:
    grouped([], "1:a").save(tmp_path)
    opened = History.load(tmp_path)
    assert (opened.state, opened.requests, dry_run(policy_of("deny", []), opened).flips) == ("1:a", 0, [])


def test_every_byte_of_an_index_is_checked_before_it_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HistoryStale):
        History.load(tmp_path / "none")
    grouped(many_rows(200)).save(tmp_path)
    [place] = [p for p in tmp_path.iterdir() if p.is_dir()]
    for file in sorted(place.iterdir()):
        good = file.read_bytes()
        half = len(good) // 2
        for bad in (good[:-1], good + b"\0", good[:half] + bytes([good[half] ^ 1]) + good[half + 1 :]) if good else (b"\0",):
            file.write_bytes(bad)
            with pytest.raises(HistoryStale):
                History.load(tmp_path)
        file.write_bytes(good)
    assert History.load(tmp_path).requests == 200
    monkeypatch.setattr(history_files, "VERSION", history_files.VERSION + 1)
    with pytest.raises(HistoryStale, match="another version"):
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
