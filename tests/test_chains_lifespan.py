"""A credential's life step by step, what it was used for, and what its names can and cannot join."""

from __future__ import annotations

import pytest

from chains import TaskLife, enrich, lifeline
from chains.lifespan import expiry_at, live_at, scope_used, stages, to_first_use
from chains.masked import fitting, masked, shown_part
from chains.naming import naming, unknowns
from model.chain import Credential
from model.event import CredentialFact, Event
from model.words import KeyRole, Tri
from tests.chains_story import S1, S2, at, event, facts, issued, scope, used

T = "credential token:t"
A, CHILD = "task-a", "task-child"
LIVES = {A: TaskLife(ended=at(100)), CHILD: TaskLife(ended=at(130), parent=A)}


def turn(phase: str, seconds: float | None, expires: float | None = None, ttl: int | None = None) -> Event:
    fact = CredentialFact("vault-token", "vault", expires=None if expires is None else at(expires), ttl_seconds=ttl)
    return event(f"{phase} {seconds}", "credential", phase, "enforcer", "vault", seconds, T, credential=fact)


def made(*events: tuple[Event, str]) -> Credential:
    return lifeline(("token:t",), events, LIVES)


def told(one: Credential, **skews: int) -> list[tuple[str, tuple[str, ...]]]:
    return [(stage.what, stage.late) for stage in stages(one, LIVES, skews)]


def test_a_whole_life_in_order_and_each_use_held_against_every_end() -> None:
    one = made(
        (turn("requested", 1), A),
        (turn("issued", 2, expires=200), A),
        (used("early", 5, T, verb="repo.write", target="repository:acme/payments"), A),
        (used("late", 120, T), A),
        (turn("revoked", 150), A),
        (used("last", 260, T), ""),
    )
    assert told(one) == [
        ("requested", ()),
        ("issued", ()),
        ("used", ()),
        ("task ended", ()),
        ("used", ("task end",)),
        ("revoked", ()),
        ("expires", ()),
        ("used", ("task end", "revocation", "expiry")),
    ]
    assert to_first_use(one) == 3.0


def test_a_use_is_held_against_the_end_by_its_own_clock_less_its_skew() -> None:
    one = made((turn("issued", 2), A), (used("late", 120, T, point="gh"), A))
    assert told(one)[-1] == ("used", ("task end",))
    assert ("used", ()) in told(one, gh=30_000_000)


def test_a_sub_agent_may_use_it_while_it_runs_and_a_stated_expiry_is_not_computed_again() -> None:
    one = made((turn("issued", 2, expires=90), A), (used("child", 125, T), CHILD), (turn("expired", 90), A))
    assert [what for what, _ in told(one)] == ["issued", "expired", "task ended", "used"]
    assert told(one)[-1] == ("used", ("expiry",))


def test_without_an_issuance_every_user_s_end_is_shown_and_the_way_to_first_use_is_unknown() -> None:
    one = made((used("u", 5, T), A), (used("v", 6, T), CHILD))
    assert [what for what, _ in told(one)] == ["used", "used", "task ended", "task ended"]
    assert to_first_use(one) is None


def test_what_it_was_used_for_is_counted_by_action_and_target() -> None:
    push = {"verb": "repo.write", "target": "repository:acme/payments"}
    one = made((used("u", 5, T, **push), A), (used("v", 9, T, **push), A), (used("w", 7, T), A))
    first, other = scope_used(one)
    assert (first.verb.value, first.target.name, first.uses, first.first, first.last) == (
        "repo.write",
        "acme/payments",
        2,
        at(5),
        at(9),
    )
    assert (other.verb.value, other.uses) == ("unknown", 1)


def test_a_use_that_came_to_nothing_is_told_from_one_that_took_effect() -> None:
    refused = used("no", 5, T, verb="secret.read", attrs={"accepted": False})
    one = made((turn("issued", 1), A), (refused, A), (used("yes", 6, T, verb="secret.read", attrs={"accepted": True}), A))
    assert [stage.done for stage in stages(one, LIVES) if stage.what == "used"] == [Tri.NO, Tri.YES]
    (scope,) = scope_used(one)
    assert (scope.uses, scope.refused) == (2, 1)


def test_a_later_renewal_says_nothing_of_the_time_before_it() -> None:
    one = made((turn("issued", 0, ttl=60), A), (turn("renewed", 50, ttl=60), A))
    assert (one.expires, expiry_at(one, at(10)), expiry_at(one, at(55))) == (at(110), at(60), at(110))
    assert live_at(one, at(100)) and not live_at(one, at(110)) and live_at(one, at(-1)) is False


def test_alive_before_its_first_use_is_unknown_where_no_issuance_is_seen() -> None:
    one = made((used("u", 5, T), A))
    assert live_at(one, at(1)) is None and live_at(one, at(6)) is True
    ended = made((used("u", 5, T), A), (turn("revoked", 20), A))
    assert live_at(ended, at(20)) is False


def test_what_it_was_obtained_with_and_all_its_names_are_kept() -> None:
    own = ("credential aws.key:ASIAONE", "credential jti:j", "via vault.accessor:a", "via aws.key:ASIAONE")
    one = lifeline(("jti:j", "aws.key:ASIAONE"), [(issued("i", 1, *own), A)], LIVES)
    assert (one.names, one.via) == (("aws.key:ASIAONE", "jti:j"), ("vault.accessor:a",))


@pytest.mark.parametrize(
    "value",
    [
        "AKIA****",
        "****",
        "AKIA************7QXA",
        "ASIAXXXXXXXXXXXX",
        "[REDACTED]",
        "HIDDEN_DUE_TO_SECURITY_REASONS",
        "sk-...abcd",
        "…",
    ],
)
def test_too_little_is_seen_of_it(value: str) -> None:
    assert masked(value)


@pytest.mark.parametrize(
    "value", ["AKIAIOSFODNN7EXAMPLE", "hmac-sha256:99174d", "ASIAXXXXNLMHSP3MFXX", "a1b2", "4711", "hidden-valley-deploy"]
)
def test_enough_is_seen_of_it(value: str) -> None:
    assert not masked(value)


def masked_use(id: str, *keys: str, who: str = "") -> Event:
    return enrich(used(id, 5, *keys, "credential aws.key:AKIA****", who=who))


def names(one: Event) -> list[str]:
    return [key.name for key in one.keys if key.role is KeyRole.CREDENTIAL]


def test_masked_identifiers_join_within_a_session_or_a_principal_and_no_further() -> None:
    assert names(masked_use("a", scope(S1))) == names(masked_use("b", scope(S1))) != names(masked_use("c", scope(S2)))
    assert names(masked_use("a", who="dana")) == names(masked_use("b", who="dana")) != names(masked_use("c", who="lee"))
    assert names(masked_use("a")) != names(masked_use("b"))
    assert enrich(masked_use("a")) == masked_use("a")


def test_a_masked_name_gives_way_to_a_full_one_and_obtains_nothing() -> None:
    assert names(masked_use("a", "credential github.token_id:7")) == ["github.token_id:7"]
    via = enrich(used("v", 5, "credential jti:j", "via aws.key:AKIA****"))
    assert [key.role for key in via.keys if key.kind in ("masked", "aws.key")] == []


def test_a_masked_lifeline_says_what_it_shows_and_which_names_fit() -> None:
    use = enrich(used("u", 5, scope(S1), "credential aws.key:AKIA************7QXA"))
    (name,) = names(use)
    one = lifeline((name,), [(use, A)], LIVES)
    assert shown_part(name) == "aws.key:AKIA************7QXA" and "standing" in one.flags
    assert fitting(name, ["aws.key:AKIAIOSFODNN4AZ67QXA", "aws.key:AKIAIOSFODNN4AZ67QXB", "jti:AKIA77QXA"]) == [
        "aws.key:AKIAIOSFODNN4AZ67QXA"
    ]
    assert ("identity", "the log shows only AKIA************7QXA") in unknowns(one)
    assert "may be several" in naming(name).limit


def test_names_say_what_they_cannot_join_and_unknowns_carry_the_reason() -> None:
    salted = naming("vault.accessor:hmac-sha256:99")
    assert "audit device" in salted.limit and naming("vault.accessor:clear").limit == "" == naming("aws.key:AKIA").limit
    one = lifeline(("vault.token:hmac-sha256:1",), [(used("u", 1, "credential vault.token:hmac-sha256:1"), A)], LIVES, facts())
    found = dict(unknowns(one))
    assert "salt of its own" in found["issuance"] and {"lifetime", "scope granted", "revocation"} <= set(found)
