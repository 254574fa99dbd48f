"""What a dry-run says beyond the counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from model.evidence import RequestRow
from policy import History, Policy, check, dry_run
from policy.change import NAMES as KIND_NAMES
from policy.change import transition
from policy.model import ALLOW, ANSWERS, ASK, DENY, UNKNOWN

SECRET = {"action.verb": "secret.read"}


def policy(text: str) -> Policy:
    checked = check(text)
    assert checked.policy is not None, checked.diagnostics
    return checked.policy


def one_rule(effect: str, when: str, default: str = "allow") -> Policy:
    return policy(json.dumps({"version": 1, "default": default, "rules": [{"id": "r", "effect": effect, "when": when}]}))


def row(step: str, recorded: str = "allow", request: dict[str, Any] | None = None, task: str = "t", at: int = 1) -> RequestRow:
    return RequestRow(step, task, at, recorded, SECRET if request is None else request)


@pytest.mark.parametrize(
    ("before", "after", "recorded", "baseline"),
    [
        (ALLOW, DENY, "newly_denied", "newly_denied"),
        (ASK, DENY, "newly_denied", "newly_denied"),
        (DENY, DENY, "unchanged", "unchanged"),
        (UNKNOWN, DENY, "newly_denied", "cannot_judge"),
        (ALLOW, ASK, "newly_asked", "newly_asked"),
        (DENY, ASK, "newly_asked", "newly_asked"),
        (ASK, ASK, "unchanged", "unchanged"),
        (UNKNOWN, ASK, "newly_asked", "cannot_judge"),
        (ALLOW, ALLOW, "unchanged", "unchanged"),
        (ASK, ALLOW, "newly_allowed", "newly_allowed"),
        (DENY, ALLOW, "newly_allowed", "newly_allowed"),
        (UNKNOWN, ALLOW, "unchanged", "cannot_judge"),
        (ALLOW, UNKNOWN, "cannot_judge", "cannot_judge"),
        (UNKNOWN, UNKNOWN, "cannot_judge", "cannot_judge"),
    ],
)
def test_every_transition(before: int, after: int, recorded: str, baseline: str) -> None:
    assert KIND_NAMES[transition(before, after, recorded=True)] == recorded
    assert KIND_NAMES[transition(before, after, recorded=False)] == baseline
    history = History.from_rows([row("s", ANSWERS[before])])
    if after != UNKNOWN:
        result = dry_run(one_rule(ANSWERS[after], "true"), history)
        assert getattr(result.summary, recorded) == 1


def test_a_missing_attribute_that_cannot_matter_does_not_count() -> None:
    rules = [
        {"id": "deep", "effect": "ask", "when": "agent.depth > 5"},
        {"id": "secrets", "effect": "deny", "when": 'action.verb == "secret.read"'},
    ]
    draft = policy(json.dumps({"version": 1, "default": "ask", "rules": rules}))
    result = dry_run(draft, History.from_rows([row("s1"), row("s2", request={"action.verb": "exec"})]))
    assert result.summary.cannot_judge == 0
    assert result.missing_attributes == {}


def test_rules_say_what_they_hit_decide_and_hide() -> None:
    rules = [
        {"id": "first", "effect": "deny", "when": 'action.verb == "secret.read"'},
        {"id": "again", "effect": "deny", "when": 'action.verb in ["secret.read", "secret.write"]'},
        {"id": "allowed", "effect": "allow", "when": 'action.verb == "secret.read"'},
        {"id": "never", "effect": "ask", "when": 'action.verb == "db.query"'},
        {"id": "gone", "effect": "deny", "when": "true", "expires": "2020-01-01"},
    ]
    checked = check(json.dumps({"version": 1, "default": "allow", "rules": rules}), as_of=1_700_000_000_000_000)
    assert [d.code for d in checked.diagnostics] == ["expired"]
    assert checked.policy is not None
    result = dry_run(checked.policy, History.from_rows([row("s1"), row("s2", "deny")]))
    assert [(r.id, r.hits, r.decides, r.flips, r.shadowed_by) for r in result.rules] == [
        ("first", 2, 2, 1, []),
        ("again", 2, 0, 0, ["first"]),
        ("allowed", 2, 0, 0, ["first"]),
        ("never", 0, 0, 0, []),
        ("gone", 0, 0, 0, []),
    ]


def test_flips_come_newly_allowed_first_and_name_what_hangs_on_them() -> None:
    rules = [
        {"id": "stop", "effect": "deny", "when": 'action.verb == "secret.read"'},
        {"id": "question", "effect": "ask", "when": 'action.verb == "db.query"'},
    ]
    draft = policy(json.dumps({"version": 1, "default": "allow", "rules": rules}))
    query = {"action.verb": "db.query"}
    rows = [
        row("b", "allow", query),
        row("d", "allow", SECRET),
        row("c", "deny", {"action.verb": "exec"}),
        row("a", "unknown", SECRET, "s"),
    ]
    asked: list[str] = []

    def downstream(step: str) -> list[str]:
        asked.append(step)
        return ["z", "y", "z"] if step == "d" else []

    flips = dry_run(draft, History.from_rows(rows), downstream=downstream).as_json()["flips"]
    assert [(f["kind"], f["task"], f["step"], f["rule"], f["downstream"]) for f in flips] == [
        ("newly_allowed", "t", "c", None, []),
        ("newly_denied", "s", "a", "stop", []),
        ("newly_denied", "t", "d", "stop", ["y", "z"]),
        ("newly_asked", "t", "b", "question", []),
    ]
    assert sorted(asked) == ["a", "d"]
    assert flips[2]["request"] == SECRET


def test_verdicts_measure_the_draft() -> None:
    rules = [
        {"id": "stop", "effect": "deny", "when": 'action.verb == "secret.read"'},
        {"id": "question", "effect": "ask", "when": 'action.verb == "db.query"'},
    ]
    draft = policy(json.dumps({"version": 1, "default": "allow", "rules": rules}))
    steps = {
        "harm": ["secret.read", "exec"],
        "missed": ["exec"],
        "known": ["secret.read"],
        "asked": ["db.query"],
        "broken": ["secret.read"],
        "slow": ["db.query", "db.query"],
        "other": ["secret.read"],
    }
    rows = [
        row(f"{task}{i}", "deny" if task == "known" else "allow", {"action.verb": verb}, task)
        for task, verbs in steps.items()
        for i, verb in enumerate(verbs)
    ]
    words = {
        "harm": "outside-remit",
        "missed": "escalate",
        "known": "outside-remit",
        "asked": "escalate",
        "broken": "within-remit",
        "slow": "within-remit",
        "other": "false-positive",
        "nobody": "escalate",
    }
    verdicts = dry_run(draft, History.from_rows(rows), verdicts=words).verdicts
    assert (verdicts.harm_stopped, verdicts.harm_missed, verdicts.work_broken, verdicts.friction_added) == (1, 1, 1, 2)
    assert dry_run(draft, History.from_rows(rows)).verdicts.harm_missed == 0


def test_counts_by_task_and_by_principal() -> None:
    rows = [
        row("s1", "allow", {**SECRET, "principal.id": "ana"}, "t1"),
        row("s2", "allow", {**SECRET, "principal.id": "ana"}, "t2"),
        row("s3", "allow", {"action.verb": "exec", "principal.id": "ana"}, "t2"),
        row("s4", "allow", {"action.verb": "exec", "principal.id": "bo"}, "t3"),
        row("s5", "allow", {"principal.id": "cy"}, "t3"),
    ]
    result = dry_run(one_rule("deny", 'action.verb == "secret.read"'), History.from_rows(rows)).as_json()
    assert result["summary"] == {"newly_denied": 2, "newly_asked": 0, "newly_allowed": 0, "unchanged": 2, "cannot_judge": 1}
    assert result["by_tasks"] == {"newly_denied": 2, "newly_asked": 0, "newly_allowed": 0, "unchanged": 0, "cannot_judge": 1}
    assert result["by_principals"] == {"newly_denied": 1, "newly_asked": 0, "newly_allowed": 0, "unchanged": 1, "cannot_judge": 1}


def test_the_document_has_the_published_shape() -> None:
    listed = {**SECRET, "action.verbs": ["secret.read"]}
    result = dry_run(one_rule("deny", "true"), History.from_rows([row("s1", request=listed)])).as_json()
    assert json.loads(json.dumps(result)) == result
    published = {
        "policy",
        "history",
        "baseline",
        "summary",
        "by_tasks",
        "verdicts",
        "rules",
        "flips",
        "flips_total",
        "missing_attributes",
        "referee",
    }
    assert published <= result.keys()
    assert result["policy"] == {"format": "remit", "sha256": one_rule("deny", "true").sha256, "rules": 1, "name": ""}
    assert {"requests", "shapes", "tasks", "from", "to"} == result["history"].keys()
    assert {"task", "step", "from", "to", "rule", "request", "downstream"} <= result["flips"][0].keys()
    assert {"id", "effect", "hits", "decides", "flips", "shadowed_by"} <= result["rules"][0].keys()
    assert result["baseline"] == "recorded"


def test_hostile_values_are_replayed_not_obeyed() -> None:
    odd: list[Any] = [
        "\ud800",
        "\x1b[31m",
        "a" * 100_000,
        "\x00",
        "é",
        3,
        None,
        [],
        ["a", 1],
        {"x": 1},
        2**70,
        float("nan"),
        True,
    ]
    names = ("resource.name", "agent.depth", "action.forced", "action.verbs", "not.a.name")
    rows = [row(f"s{i}-{name}", "allow", {name: value}) for i, value in enumerate(odd) for name in names]
    rows.append(RequestRow("\ud800", "\ud801", None, "perhaps", {}))
    draft = one_rule("deny", 'resource.name.contains("a") || agent.depth > 2 || action.forced || "a" in action.verbs')
    result = dry_run(draft, History.from_rows(rows), flips_limit=None)
    assert result.history.requests == len(rows)
    assert {f.step for f in result.flips} == {"s2-resource.name", "s5-agent.depth", "s12-action.forced"}
