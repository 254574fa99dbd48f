"""Cedar as a policy language: against Cedar itself, request by request, and what it is told where Cedar says nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest

from lang.cel.requests import project
from model.evidence import RequestRow
from policy import History, Replayer, format_of
from policy.cedar.replay import decide
from policy.cedar.schema import question
from policy.decisions import Cancelled
from policy.model import ANSWERS, Request

cedarpy = pytest.importorskip("cedarpy")
CEDAR = format_of("cedar")

VALUES: dict[str, list[Any]] = {
    "action.verb": ["repo.write", "repo.read", "exec"],
    "action.forced": [True, False],
    "action.arguments.path": ["/etc/passwd", "/srv/a"],
    "agent.depth": [0, 1, 2],
    "context.ticket": ["A-1", "B-2"],
    "context.day": ["2026-02-01", "2026-04-01"],
    "resource.owner": ["payments", "web"],
    "action.verbs": [["repo.write"], ["exec", "repo.read"], []],
}
PARTS = (
    "context.action.forced",
    'context.action.arguments.path like "/etc/*"',
    "context.agent.depth > 0",
    "context.agent.depth + 9223372036854775806 > 0",
    'context has ticket && context.ticket == "A-1"',
    'context.day < datetime("2026-03-01")',
    'resource in Owner::"payments"',
    'context.action.verbs.contains("exec")',
    'action in Action::"repo"',
)


def policy(text: str) -> Any:
    checked = CEDAR.check(text)
    assert checked.policy is not None, checked.errors
    return checked.policy


def some_policies(dice: random.Random) -> str:
    out = []
    for _ in range(4):
        effect = dice.choice(("forbid", "permit", "permit"))
        parts = [dice.choice(("", "!")) + f"({dice.choice(PARTS)})" for _ in range(dice.randint(1, 3))]
        scope = dice.choice(("action", 'action == Action::"repo.write"'))
        out.append(f"{effect}(principal, {scope}, resource) when {{ {dice.choice((' && ', ' || ')).join(parts)} }};")
    return "\n".join(out)


def some_request(dice: random.Random, share: float) -> Request:
    return project({name: dice.choice(values) for name, values in VALUES.items() if dice.random() < share})


def cedars_own(text: str, request: Request) -> str | None:
    """What Cedar answers; None where a policy errs, since it is then skipped."""
    asked, entities = question(request)
    result = cedarpy.is_authorized(asked, text, entities)
    return None if result.diagnostics.errors else "allow" if result.allowed else "deny"


def test_answers_are_cedars_own_and_hold_however_what_is_missing_turns_out() -> None:
    dice = random.Random(5)
    judged = 0
    for _ in range(25):
        text = some_policies(dice)
        made = policy(text)
        for _ in range(8):
            part = some_request(dice, 0.6)
            answer = decide(made, part).effect
            whole = {name: project({name: dice.choice(values)})[name] for name, values in VALUES.items()} | part
            own = cedars_own(text, whole)
            if own is not None:
                assert decide(made, whole).effect == own
                if answer != "unknown":
                    judged += 1
                    assert answer == own, (text, part, whole)
    assert judged > 50


def test_a_history_is_answered_as_each_of_its_requests_is() -> None:
    dice = random.Random(6)
    requests = [some_request(dice, 0.7) for _ in range(60)]
    rows = [
        RequestRow(f"s{n}", "t", n, "allow", {k: dice_plain(v) for k, v in r.items() if k != "context.day"})
        for n, r in enumerate(requests)
    ]
    history = History.from_rows(rows)
    made = policy(some_policies(dice))
    said = Replayer(history).decisions(made)
    for shape in range(history.size):
        assert ANSWERS[int(said.effect[shape])] == decide(made, history.request(shape)).effect


def dice_plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def test_progress_is_told_and_a_replay_can_be_stopped() -> None:
    rows = [RequestRow(f"s{n}", "t", n, "allow", {"agent.depth": n}) for n in range(600)]
    replayer = Replayer(History.from_rows(rows))
    made = policy("permit(principal, action, resource) when { context.agent.depth > 5 };")
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> bool:
        told.append((done, total))
        return done < 256

    with pytest.raises(Cancelled):
        replayer.decisions(made, progress)
    assert told == [(0, 600), (256, 600)]
    assert set(replayer.decisions(made).effect.tolist()) == {0, 2}


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("permit(principal, action, resource);\npermit(principal, action resource);", 2, 26, "resource"),
        ("permit(principal, action, resource) when { context.acton == 1 };", 1, 52, "`acton` not found"),
        ("permit(principal == ?principal, action, resource);", 1, 21, "template"),
        ('permit(principal, action == Action::"nope", resource);', 1, 37, "nope"),
        ('@decision("ask") permit(principal, action, resource);', 1, 2, "a permit cannot ask"),
        ("permit(principal, action, resource) when { context.action.forced == 3 };", 1, 1, "type"),
        ("permit(principal, action, resource)", 1, 35, "not finished"),
        ('permit(principal == App::User::"x", action, resource);', 1, 26, "`App::User` is not one"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(text: str, line: int, column: int, words: str) -> None:
    found = CEDAR.check(text)
    assert found.policy is None
    first = found.errors[0]
    assert first.line == line and words in first.message
    assert column == 1 or first.column == column


def test_a_forbid_that_errs_is_said_and_not_skipped() -> None:
    text = (
        'forbid(principal, action, resource) when { context.agent.depth > 1 };\n@id("all") permit(principal, action, resource);'
    )
    found = CEDAR.check(text)
    assert [(one.severity, one.line) for one in found.diagnostics] == [("warning", 1)]
    assert "forbids nothing" in found.diagnostics[0].message
    assert CEDAR.explain(found.policy, {})["effect"] == "unknown"
    assert CEDAR.explain(found.policy, {})["undetermined"] == [{"rule": "policy0", "missing": ["agent.depth"]}]
    assert CEDAR.explain(found.policy, {"agent.depth": 1})["rule"] == "all"


def test_ask_is_a_forbid_with_an_annotation() -> None:
    made = policy(
        '@id("q") @decision("ask") forbid(principal, action == Action::"exec", resource);\npermit(principal, action, resource);'
    )
    assert CEDAR.explain(made, {"action.verb": "exec"})["effect"] == "ask"
    assert CEDAR.explain(made, {"action.verb": "repo.read"})["effect"] == "allow"
