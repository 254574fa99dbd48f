"""Credential lifelines: one credential under all its names, its life, and the flags that life earns."""

from __future__ import annotations

import random

import pytest

from chains import TaskLife, credential_groups, credential_id, lifeline
from chains.credentials import FLAGS
from model.chain import Credential
from model.event import CredentialFact, Event
from tests.chains_story import at, event, facts, issued, used

T = "credential token:t"
A, B, CHILD = "task-a", "task-b", "task-child"


def life(*events: tuple[Event, str], **tasks: TaskLife) -> Credential:
    lives = {A: TaskLife(ended=at(100)), B: TaskLife(ended=at(5000)), CHILD: TaskLife(ended=at(130), parent=A)}
    return lifeline(("token:t",), events, lives | tasks)


def revoked(seconds: float) -> Event:
    return event(f"revoked {seconds}", "credential", "revoked", "enforcer", "vault", seconds, T)


def exposed(seconds: float) -> Event:
    return event(f"exposed {seconds}", "credential", "exposed", "agent", "claude-code", seconds, T)


def test_names_that_meet_in_one_event_are_one_credential() -> None:
    events = [
        issued("i", 1, "credential vault.accessor:a", "credential vault.token:x"),
        used("u", 2, "credential vault.token:x", "credential vault.lease:l"),
        used("v", 3, "credential aws.key:ASIA", "via vault.token:x"),
    ]
    assert credential_groups(events) == [("aws.key:ASIA",), ("vault.accessor:a", "vault.lease:l", "vault.token:x")]
    assert credential_id(("vault.token:x", "vault.accessor:a")) == credential_id(("vault.accessor:a",))


def test_a_short_life_well_ended_earns_no_flag() -> None:
    made = life((issued("i", 1, T), A), (used("u", 10, T), A), (revoked(90), A))
    assert made.flags == ()
    assert (made.issued, made.issued_task, made.first_use, made.last_use, made.uses) == (at(1), A, at(10), at(10), 1)
    assert (made.revoked, made.expires, made.ttl_seconds) == (at(90), at(3601), 3600)
    assert (made.kind, made.issuer) == ("github-app-token", "broker")


def test_a_life_stated_by_its_end_alone_is_as_long_as_one_stated_in_seconds() -> None:
    fact = CredentialFact("github-app-token", "broker", expires=at(1 + 30 * 86400))
    issue = event("i", "credential", "issued", "enforcer", "gateway", 1, T, credential=fact)
    made = life((issue, A))
    assert (made.ttl_seconds, "long_lived" in made.flags) == (30 * 86400, True)


@pytest.mark.parametrize(
    ("flag", "events"),
    [
        ("used_after_task_end", [(issued("i", 1, T), A), (used("u", 200, T), "")]),
        ("used_after_revocation", [(issued("i", 1, T), A), (revoked(20), A), (used("u", 60, T), A)]),
        ("never_revoked", [(issued("i", 1, T), A), (used("u", 10, T), A)]),
        ("reused", [(issued("i", 1, T), A), (used("u", 10, T), B)]),
        ("reused", [(used("u", 10, T), A), (used("v", 20, T), B)]),
        ("exposed", [(issued("i", 1, T), A), (exposed(5), A)]),
        ("no_issuance_seen", [(used("u", 10, T), A)]),
        ("standing", [(issued("i", 1, T, ttl=-1), A)]),
        ("long_lived", [(issued("i", 1, T, ttl=86_400), A)]),
    ],
)
def test_each_flag(flag: str, events: list[tuple[Event, str]]) -> None:
    assert flag in FLAGS
    assert flag in life(*events).flags


@pytest.mark.parametrize(
    ("flag", "events"),
    [
        ("used_after_task_end", [(issued("i", 1, T), A), (used("u", 103, T), A)]),
        ("used_after_task_end", [(issued("i", 1, T), A), (used("u", 125, T), CHILD)]),
        ("used_after_revocation", [(issued("i", 1, T), A), (revoked(20), A), (used("u", 20, T), A)]),
        ("never_revoked", [(issued("i", 1, T, ttl=30), A)]),
        ("reused", [(issued("i", 1, T), A), (used("u", 10, T), CHILD)]),
        ("reused", [(issued("i", 1, T), A), (used("u", 10, T), "")]),
        ("long_lived", [(issued("i", 1, T, ttl=3600), A)]),
        ("standing", [(issued("i", 1, T, ttl=None), A)]),
        ("mid_task", [(issued("i", 1, T), A)]),
    ],
)
def test_what_earns_no_flag(flag: str, events: list[tuple[Event, str]]) -> None:
    assert flag not in life(*events).flags


def test_a_later_issuance_of_a_task_is_mid_task_and_its_first_is_not() -> None:
    first, second = issued("first", 1, T), issued("second", 50, T)
    assert "mid_task" not in life((first, A), **{A: TaskLife(at(100), first_issue=first.id)}).flags
    assert "mid_task" in life((second, A), **{A: TaskLife(at(100), first_issue=first.id)}).flags


def test_limits_follow_kind_task_and_organisation() -> None:
    def flagged(ttl: int, kind: str = "x", task: str = "", environment: str = "", limits: str = "") -> bool:
        one = event("i", "credential", "issued", "enforcer", "v", 1, T, credential=CredentialFact(kind, ttl_seconds=ttl))
        lives = {A: TaskLife(at(100), environment=environment)}
        return "long_lived" in lifeline(("token:t",), [(one, task)], lives, facts(limits)).flags

    assert flagged(3601, task=A) and not flagged(3600, task=A)
    assert flagged(12 * 3600 + 1, "aws-session", A) and not flagged(12 * 3600, "aws-session", A)
    assert flagged(24 * 3600 + 1) and not flagged(24 * 3600)
    assert flagged(901, task=A, environment="prod", limits="ttl_limits: {prod: 15m}")
    assert not flagged(7200, task=A, environment="dev", limits="ttl_limits: {prod: 15m, '*': 2h}")


def test_an_access_key_of_a_user_never_expires_and_one_of_a_role_may() -> None:
    def flags(name: str) -> tuple[str, ...]:
        return lifeline((name,), [(used("u", 1, f"credential {name}"), "")], {}).flags

    assert "standing" in flags("aws.key:AKIAEXAMPLE")
    assert "standing" not in flags("aws.key:ASIAEXAMPLE")


def test_a_use_logged_by_two_records_counts_twice_and_by_two_events_of_one_once() -> None:
    same = used("u", 5, T, record="rec-1"), event("e", "effect", "observed", "target", "x", 5, T, record="rec-1")
    made = life(*((e, A) for e in same), (used("v", 6, T), A))
    assert made.uses == 2


def test_the_order_of_events_changes_nothing() -> None:
    events = [(issued("i", 1, T), A), (issued("j", 1, T), B), (used("u", 200, T), ""), (revoked(90), A), (exposed(5), B)]
    expected = life(*events)
    for seed in range(10):
        shuffled = list(events)
        random.Random(seed).shuffle(shuffled)
        assert life(*shuffled) == expected


def test_a_circle_of_parents_is_followed_once() -> None:
    loop = {A: TaskLife(at(9), parent=B), B: TaskLife(at(9), parent=A)}
    assert "reused" not in lifeline(("token:t",), [(issued("i", 1, T), A), (used("u", 2, T), B)], loop).flags
