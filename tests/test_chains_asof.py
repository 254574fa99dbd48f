"""What a task was authorised to do at one moment: only what had been said by then, and a reason for what had not."""

from __future__ import annotations

from typing import Any

import pytest

from chains import stitch
from chains.asof import AsOf
from chains.authority import Authority, Cursor
from model.chain import Task
from model.event import CredentialFact, Decision, Event
from model.words import Effect
from tests.chains_story import S1, at, call, event, facts, prompt, ready, result, scope, used

T = "credential token:t"
PUSH: dict[str, Any] = {"verb": "repo.write", "target": "repository:acme/payments@main"}


def issue(
    seconds: float, phase: str = "issued", ttl: int | None = 60, key: str = T, reads: tuple[str, ...] = ("contents:write",)
) -> Event:
    fact = CredentialFact("github-app-token", "broker", scope=reads, ttl_seconds=ttl)
    return event(f"{phase} {seconds}", "credential", phase, "enforcer", "broker", seconds, scope(S1), key, credential=fact)


def answer(id: str, seconds: float, effect: str, call_id: str, revision: str = "", policy: str = "agents") -> Event:
    made = Decision(Effect(effect), rule=f"r-{id}", policy=policy, by="opa:agents")
    attrs = {"policy_revision": revision} if revision else {}
    keys = (scope(S1), f"call call:{call_id}")
    return event(f"answer {id}", "decision", "verdict", "enforcer", "opa:agents", seconds, *keys, decision=made, attrs=attrs)


def story(*more: Event, **options: Any) -> AsOf:
    """A session of four calls: a read, a refused push, a push put to a person, a sub-agent started."""
    events = [
        prompt(S1, 0, "PAY-7: rotate the key", mode="default", sandbox="workspace-write"),
        call(S1, "c1", 10, verb="file.read"),
        answer("1", 11, "allow", "c1", "v1"),
        issue(15),
        call(S1, "c2", 20, **PUSH),
        answer("2", 22, "deny", "c2", "v2"),
        call(S1, "c3", 30, **PUSH),
        answer("3", 31, "ask", "c3", "v2"),
        event(
            "yes",
            "decision",
            "verdict",
            "agent",
            "claude-code",
            36,
            scope(S1),
            "call call:c3",
            decision=Decision(Effect.ALLOW, by="user"),
        ),
        used("push", 38, scope(S1), T),
        result(S1, "c3", 39),
        prompt(S1, 40, "go on", mode="bypassPermissions"),
        call(S1, "c4", 50, verb="agent.spawn", tool="Task", attrs={"delegated_scope": "reviewer"}),
        result(S1, "c4", 90),
        *more,
    ]
    made = stitch(ready(events), facts())
    ((task, chain),) = made.chains.items()
    held = [one for one in made.credentials.values() if task in one.tasks]
    children = options.pop("children", {})
    for step in chain.steps:
        if step.verb.value == "agent.spawn" and children:
            step.child = next(iter(children))
    return AsOf(chain, held, facts(), children, **options)


def then(ready: AsOf, seconds: float) -> Authority:
    return ready.at(Cursor(at(seconds)))


def gaps(found: Authority) -> dict[str, str]:
    return dict(found.unknown)


def test_nothing_that_was_said_later_counts() -> None:
    one = story()
    early, later = then(one, 12), then(one, 35)
    assert (early.policies[0].revision, later.policies[0].revision) == ("v1", "v2")
    assert early.live == [] and [g.credential.kind for g in later.live] == ["github-app-token"]
    assert (early.refused, early.asked) == ([], []) and [a.step.n for a in later.refused] == [2]
    assert [(a.step.n, a.answer) for a in later.asked] == [(3, Effect.UNKNOWN)]
    assert [(a.step.n, a.answer) for a in then(one, 37).asked] == [(3, Effect.ALLOW)]


def test_a_refusal_counts_from_the_moment_it_was_given() -> None:
    one = story()
    assert then(one, 21).refused == []
    (refused,) = then(one, 22).refused
    assert (refused.rule, refused.by, refused.at) == ("r-2", "opa:agents", at(22))


def test_a_step_includes_what_was_decided_on_it_and_nothing_of_the_next() -> None:
    found = story().at(Cursor(None, 2))
    assert found.step is not None and (found.step.n, found.at) == (2, at(20))
    assert [a.step.n for a in found.refused] == [2] and found.policies[0].revision == "v2" and found.asked == []


def test_mode_and_sandbox_are_those_last_stated_and_each_keeps_its_own_source() -> None:
    one = story()
    before, after = then(one, 35), then(one, 45)
    assert before.mode is not None and after.mode is not None and after.sandbox is not None
    assert (before.mode.value, after.mode.value, after.sandbox.value) == ("default", "bypassPermissions", "workspace-write")
    assert (after.mode.at, after.sandbox.at) == (at(40), at(0))


def test_time_left_is_counted_to_the_end_known_at_the_moment() -> None:
    one = story(issue(60, "renewed"))
    assert [g.left for g in then(one, 35).live] == [40_000_000]
    assert [g.left for g in then(one, 61).live] == [59_000_000]
    assert [g.bound for g in then(one, 61).live] == [True]


@pytest.mark.parametrize(
    ("end", "why", "ended"), [(issue(50, "revoked"), "revoked", 50), (issue(50, "renewed", None), "expired", 75)]
)
def test_what_was_revoked_or_ran_out_is_no_longer_live(end: Event, why: str, ended: float) -> None:
    found = then(story(end), 80)
    assert found.live == [] and [(g.why, g.ended) for g in found.over] == [(why, at(ended))]


def test_a_credential_without_issuance_is_uncertain_before_its_first_use_and_live_in_the_step_that_used_it() -> None:
    own = "credential token:loose"
    use = used("loose", 21, scope(S1), "call call:c2", own)
    one = story(use)
    early = then(one, 5)
    (doubtful,) = early.uncertain
    assert doubtful.credential.key == "token:loose" and f"whether {doubtful.credential.id} was at hand" in gaps(early)
    assert "token:loose" in [g.credential.key for g in then(one, 30).live]
    assert "token:loose" in [g.credential.key for g in one.at(Cursor(None, 2)).live]


def test_what_another_task_held_is_not_taken_for_this_one_s() -> None:
    lent = CredentialFact("aws.session", "aws", ttl_seconds=3600)
    elsewhere = event(
        "lent", "credential", "issued", "enforcer", "broker", -60, "scope session:other", "credential aws.key:K", credential=lent
    )
    events = [
        prompt(S1, 0, "x"),
        call(S1, "c1", 10),
        used("k", 30, scope(S1), "credential aws.key:K"),
        elsewhere,
        call("other", "o1", -70),
    ]
    made = stitch(ready(events), facts())
    chain = next(c for c in made.chains.values() if c.task.scope == f"session:{S1}")
    one = AsOf(chain, made.credentials.values(), facts())
    (before,) = then(one, 20).uncertain
    assert "not seen with this task" in before.why
    assert [g.since for g in then(one, 31).live] == [at(30)]


def test_a_delegation_says_how_far_and_whether_it_still_ran() -> None:
    child = Task("task-child", "session:child", ended=at(80))
    one = story(children={"task-child": child})
    assert then(one, 45).delegations == []
    (handed,) = then(one, 60).delegations
    assert (handed.step.child, handed.scope, handed.running) == ("task-child", "reviewer", True)
    assert then(one, 85).delegations[0].running is False
    unseen = story(children={"task-child": Task("task-child", "session:child")})
    assert then(unseen, 60).delegations[0].running is None and "whether sub-agent task-child still ran" in gaps(then(unseen, 60))


def test_ticket_and_window_hold_from_when_they_were_stated() -> None:
    found = then(story(), 35)
    assert (found.ticket, found.window, found.environment) == ("PAY-7", True, "prod")
    before = then(story(), -5)
    assert (before.ticket, before.begun) == ("", False) and gaps(before)["ticket"] == "it is stated only later"
    assert then(story(), 500).ended is True


def test_every_gap_has_its_reason() -> None:
    made = stitch(ready([call(S1, "c1", None), call(S1, "c2", None)]), facts("name: x"))
    (chain,) = made.chains.values()
    found = AsOf(chain, [], facts("name: x")).at(Cursor(None, 1))
    assert found.at is None
    assert {"time", "permission mode", "sandbox", "policy in force", "credentials", "ticket", "change window"} <= set(gaps(found))
    assert all(why for why in gaps(found).values())


def test_a_policy_without_revision_and_a_life_without_end_are_named_as_unknown() -> None:
    found = then(story(answer("4", 33, "allow", "c3"), issue(34, ttl=None, key="credential token:u", reads=())), 35)
    assert "revision of the policy of opa:agents" in gaps(found)
    loose = next(g.credential.id for g in found.live if g.credential.key == "token:u")
    assert {f"life left of {loose}", f"scope of {loose}"} <= set(gaps(found))


def test_clocks_that_are_ahead_are_put_right() -> None:
    one = story(skews={"broker": 10_000_000})
    assert [g.left for g in then(one, 20).live] == [45_000_000] and then(one, 4).live == []


def test_the_cursor_stops_wherever_something_changed() -> None:
    shrug = event(
        "hook",
        "decision",
        "verdict",
        "enforcer",
        "hook",
        51,
        scope(S1),
        "call call:c4",
        decision=Decision(Effect.UNKNOWN, by="hook"),
    )
    changes = {change.at: change.what for change in story(shrug).changes()}
    assert list(changes) == sorted(changes)
    assert {at(10), at(15), at(22), at(40), at(75), at(90)} <= set(changes)
    assert changes[at(51)] == "not decided by hook"
    assert (changes[at(22)], changes[at(75)], changes[at(90)]) == ("deny by opa:agents", "github-app-token expires", "task ended")
