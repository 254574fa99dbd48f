"""Bugs that other replays have published, each as a test of this one."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lang.cel import compile_condition
from model.evidence import RequestRow
from policy import History, Policy, Replayer, check, dry_run
from tests.running import DRAFT, Day

pytestmark = pytest.mark.usefixtures("alone")
SECRET = {"action.verb": "secret.read"}


def policy(text: str) -> Policy:
    checked = check(text)
    assert checked.policy is not None, checked.diagnostics
    return checked.policy


def one_rule(effect: str, when: str, default: str = "allow") -> Policy:
    return policy(json.dumps({"version": 1, "default": default, "rules": [{"id": "r", "effect": effect, "when": when}]}))


def row(step: str, recorded: str = "allow", request: dict[str, Any] | None = None, task: str = "t", at: int = 1) -> RequestRow:
    return RequestRow(step, task, at, recorded, SECRET if request is None else request)


def test_an_action_with_a_decision_and_a_failure_row_counts_once() -> None:
    """OpenBot #294: the decision and the failure of one call were both replayed and scored as two actions."""
    rows = [
        row("s1", "allow"),
        row("s1", "unknown"),
        row("s2", "unknown"),
        row("s2", "deny"),
        row("s3", "ask"),
        row("s3", "allow"),
    ]
    for order in (rows, rows[::-1]):
        result = dry_run(one_rule("deny", 'action.verb == "secret.read"'), History.from_rows(order))
        assert result.history.requests == 3
        assert (result.summary.newly_denied, result.summary.unchanged) == (2, 1)
        assert [(f.step, f.before) for f in result.flips] == [("s1", "allow"), ("s3", "ask")]


def test_a_policy_against_itself_flips_nothing() -> None:
    """OpenBot #294: a wrong baseline showed flips that no edit had caused."""
    draft = one_rule("deny", 'resource.environment == "production"', default="ask")
    rows = [
        row(f"s{i}", recorded, {**SECRET, **more})
        for i, (recorded, more) in enumerate(
            (r, m)
            for r in ("allow", "ask", "deny", "unknown")
            for m in ({}, {"resource.environment": "production"}, {"resource.environment": "dev"})
        )
    ]
    result = dry_run(draft, History.from_rows(rows), draft)
    assert result.flips_total == 0
    assert (result.summary.unchanged, result.summary.cannot_judge) == (8, 4)
    replayer = Replayer(History.from_rows(rows))
    renamed = policy(
        "# a comment\n"
        + json.dumps(
            {
                "version": 1,
                "default": "ask",
                "rules": [{"id": "x", "effect": "deny", "when": 'resource.environment == "production"'}],
            }
        )
    )
    assert replayer.run(renamed, draft).flips_total == 0
    assert replayer.run(draft).flips_total == dry_run(draft, History.from_rows(rows)).flips_total > 0


@pytest.mark.parametrize("when", ["resource.name", "agent.depth", '"deny"', "action.verbs", "credential.ttl_seconds - 1"])
def test_a_deny_that_is_no_boolean_is_an_error_not_silence(when: str) -> None:
    """OpenBot #28: a deny expression that yielded a text silently denied nothing."""
    checked = check(json.dumps({"version": 1, "default": "allow", "rules": [{"id": "r", "effect": "deny", "when": when}]}))
    assert checked.policy is None
    assert [d.code for d in checked.errors] == ["cel-not-boolean"]


def test_an_unbound_name_is_an_error_at_its_place_not_at_replay() -> None:
    """OpenBot #526: names bound to nothing threw while replaying."""
    checked = check("version: 1\ndefault: allow\nrules:\n  - id: r\n    effect: deny\n    when: user.name == 'x'\n")
    assert checked.policy is None
    assert [(d.line, d.column, d.end_column) for d in checked.errors] == [(6, 11, 20)]


def test_a_deny_on_a_missing_attribute_is_cannot_judge_not_allow() -> None:
    """Cedar skips a forbid that errors: the request is then allowed."""
    draft = one_rule("deny", "agent.depth > 5")
    result = dry_run(
        draft, History.from_rows([row("s1"), row("s2", request={"agent.depth": 9}), row("s3", request={"agent.depth": 1})])
    )
    assert (result.summary.cannot_judge, result.summary.newly_denied, result.summary.unchanged) == (1, 1, 1)
    assert result.missing_attributes == {"agent.depth": 1}
    assert result.by_tasks.cannot_judge == 1


@pytest.mark.parametrize(
    "when",
    [
        'has(resource.name) ? "deny" : "allow"',
        "action.forced ? 1 : 0",
        'resource.name.replace("a", "b")',
        "[true]",
        'action.forced || "true"',
        "!agent.depth",
        "undefined(resource.name)",
        "user.is_admin || true",
        "action.verbs.exists(v, w == v)",
        'resource["nam"] == "x" && false',
    ],
)
def test_nothing_that_is_no_condition_is_taken_for_one_even_where_it_could_not_matter(when: str) -> None:
    """OpenBot #28 and #526: judged only when reached, a text counted as no, a name bound to nothing threw."""
    compiled = compile_condition(when)
    assert compiled.tree is None
    assert all(p.severity == "error" and p.end > p.start for p in compiled.problems)


def test_a_door_that_opens_is_listed_first_however_many_close() -> None:
    """talon #440: what was denied and would be allowed is what an author must see."""
    rows = [*(row(f"s{i}", "allow") for i in range(40)), row("z", "deny", {"action.verb": "exec"}, "u", at=9)]
    result = dry_run(one_rule("deny", 'action.verb == "secret.read"'), History.from_rows(rows), flips_limit=1)
    assert [(flip.kind, flip.step) for flip in result.flips] == [("newly_allowed", "z")]
    assert (result.flips_total, result.summary.newly_denied, result.summary.newly_allowed) == (41, 40, 1)


def test_every_request_is_replayed_not_the_latest_thousand() -> None:
    """Policy Simulator replays the most recent 1,000 logs; Gatekeeper caps its lists but not its totals."""
    rows = [row(f"s{i}", "allow", {"action.verb": "secret.read", "agent.depth": i % 7}, f"t{i % 11}", i) for i in range(3_000)]
    result = dry_run(one_rule("deny", "agent.depth == 3"), History.from_rows(rows), flips_limit=5)
    assert result.history.requests == 3_000
    assert (result.summary.newly_denied, result.flips_total, len(result.flips)) == (len(range(3, 3_000, 7)), 429, 5)
    assert result.by_tasks.newly_denied == 11


def test_a_dry_run_leaves_no_trace_among_what_happened(day: Day, tmp_path: Path) -> None:
    """OpenBot #301: a sibling surface recorded a dry-run as an action that succeeded. Who tried what is noted apart from it."""
    own = day.copy(tmp_path / "own")
    before = held(own.store)
    first = own.json("policy", "dry-run", DRAFT)
    assert own.json("policy", "dry-run", DRAFT) == first
    assert held(own.store) == before


def held(store: Path) -> list[str]:
    """Everything a store holds, line by line, but who looked at it."""
    with closing(sqlite3.connect(store)) as connection:
        return [line for line in connection.iterdump() if not line.startswith('INSERT INTO "access_journal"')]


def test_a_missing_fact_is_not_made_up() -> None:
    """talon #440, bernstein #5066: facts the log lacks were taken for false or empty."""
    for when in ('resource.owner != "platform"', "!action.forced", "agent.depth <= 3", "action.verbs.all(v, v == 'exec')"):
        result = dry_run(one_rule("allow", when, default="deny"), History.from_rows([row("s1", "deny", {})]))
        assert (result.summary.newly_allowed, result.summary.cannot_judge) == (0, 1), when
