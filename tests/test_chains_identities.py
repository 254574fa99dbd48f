"""Which names may be one principal: every reason, what refutes it, and that the order of events changes nothing."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from chains.facts import OrgFacts
from chains.identities import CROWD, REASONS, candidates
from chains.org import load
from model.event import Key
from model.evidence import NamedAct, StepEnds
from model.words import KeyRole, LinkKind

ROLE = "arn:aws:sts::1:assumed-role"


def act(who: str, record: str, *keys: Key, at: int | None = None, host: str = "", task: str = "", behalf: str = "") -> NamedAct:
    return NamedAct(who, "unknown", behalf, record, at, host, keys, task)


def key(role: str, name: str) -> Key:
    return Key(KeyRole(role), *name.split(":", 1))


def step(id: str, *links: tuple[str, str, str], **named: str) -> StepEnds:
    return StepEnds(
        id, {event: (who, f"rec-{event}") for event, who in named.items()}, tuple((a, b, LinkKind(k)) for a, b, k in links)
    )


def found(acts: Iterable[NamedAct], steps: Iterable[StepEnds] = (), org: str = "") -> dict[tuple[str, str], list[str]]:
    held = list(acts)
    told = candidates(lambda: held, list(steps), OrgFacts(load(org)))
    return {(one.one, one.other): [reason.reason for reason in one.reasons] for one in told}


TOKEN = key("credential", "token:abc")
CASES: tuple[tuple[str, list[NamedAct], bool], ...] = (
    ("credential", [act("dana@acme", "1", TOKEN), act("dana-gh", "2", TOKEN)], True),
    ("credential", [act("dana@acme", "1", TOKEN), act("dana-gh", "2", key("via", "token:abc"))], True),
    ("credential", [act("dana@acme", "1", TOKEN), act("dana-gh", "2", key("credential", "token:other"))], False),
    ("session", [act("dana@acme", "1", key("scope", "session:s")), act(f"{ROLE}/x/run", "2", key("scope", "session:s"))], True),
    ("session", [act("dana@acme", "1", key("scope", "session:s")), act("rafa", "2", key("parent", "session:s"))], False),
    ("task", [act("dana@acme", "1", task="t-1"), act("dana-gh", "2", task="t-1")], True),
    ("task", [act("dana@acme", "1"), act("dana-gh", "2")], False),
    ("email", [act("Dana@Acme.example", "1"), act("dana@acme.example", "2")], True),
    ("email", [act(f"{ROLE}/AWSReservedSSO_dev/dana@acme.example", "1"), act("oidc:dana@acme.example", "2")], True),
    ("login", [act(f"{ROLE}/dev/dana.k", "1"), act("dana.k@acme.example", "2")], True),
    ("login", [act("arn:aws:iam::1:user/dana-k", "1"), act("dana-k", "2")], True),
    ("login", [act(f"{ROLE}/dev/GitHubActions", "1"), act("githubactions", "2")], False),
    ("login", [act("arn:aws:sts::1:assumed-role/a/deploy-bot", "1"), act("arn:aws:sts::2:assumed-role/b/deploy-bot", "2")], False),
    ("source_identity", [act(f"{ROLE}/dev/x", "1", behalf="dana-k"), act("dana-k", "2")], True),
    ("source_identity", [act("svc-agent", "1", behalf="dana-k"), act("dana-k", "2")], False),
    ("host_second", [act("dana@acme", "1", at=5_200_000, host="lt-1"), act("dk", "2", at=5_900_000, host="lt-1")], True),
    ("host_second", [act("dana@acme", "1", at=5_200_000, host="lt-1"), act("dk", "2", at=6_100_000, host="lt-1")], False),
    ("host_second", [act("dana@acme", "1", at=5_200_000, host="lt-1"), act("dk", "2", at=5_900_000, host="lt-2")], False),
)  # fmt: skip


@pytest.mark.parametrize(("reason", "acts", "holds"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)])
def test_a_reason_holds_where_the_logs_say_so(reason: str, acts: list[NamedAct], holds: bool) -> None:
    pair = tuple(sorted(one.principal for one in acts))
    assert found(acts) == ({pair: [reason]} if holds else {})


def test_a_step_ties_what_an_identifier_ties_and_no_inference() -> None:
    acts = [act("dana@acme", "rec-d"), act("dana-gh", "rec-g"), act("rafa", "rec-r")]
    exact = step(
        "step-1",
        ("call", "d", "exact"),
        ("call", "g", "derived"),
        ("call", "r", "inferred"),
        d="dana@acme",
        g="dana-gh",
        r="rafa",
    )
    assert found(acts, [exact]) == {("dana-gh", "dana@acme"): ["step"]}
    apart = step("step-2", ("call", "d", "exact"), ("other", "g", "derived"), d="dana@acme", g="dana-gh")
    assert found(acts, [apart]) == {}


def test_the_organisation_decides_where_it_knows_both() -> None:
    acts = [act("dana@acme", "1", TOKEN), act("dana-gh", "2", TOKEN)]
    assert found(acts, org="identities: {dana@acme: [], dana-gh: []}") == {}
    assert found(acts, org="identities: {dana@acme: [dana-gh]}") == {}
    assert found(acts, org="identities: {dana: [dana@acme]}") == {("dana", "dana-gh"): ["credential"]}


def test_what_a_crowd_shares_says_nothing() -> None:
    names = [f"person-{n}" for n in range(CROWD + 1)]
    assert found(act(name, name, TOKEN) for name in names) == {}
    assert len(found(act(name, name, TOKEN) for name in names[:-1])) == CROWD * (CROWD - 1) // 2


def test_one_address_in_many_roles_is_held_against_the_plainest_name_alone() -> None:
    acts = [act("dana@acme.example", "1")] + [act(f"{ROLE}/r{n}/dana@acme.example", f"a{n}") for n in range(30)]
    told = found(acts)
    assert len(told) == 30 and all("dana@acme.example" in pair for pair in told)


def test_the_order_of_events_changes_nothing_and_the_strongest_reason_comes_first() -> None:
    scope = key("scope", "session:s")
    acts = [act("dana@acme.example", f"a{n}", TOKEN, scope) for n in range(9)]
    acts += [act(f"{ROLE}/x/dana@acme.example", f"b{n}", TOKEN, scope, at=n, host="h") for n in range(5)]
    acts += [act("rafa", f"c{n}", scope) for n in range(3)]
    told = candidates(lambda: acts, [], OrgFacts())
    for seed in range(5):
        shuffled = random.Random(seed).sample(acts, len(acts))
        assert candidates(lambda shuffled=shuffled: shuffled, [], OrgFacts()) == told
    assert [reason.reason for reason in told[0].reasons] == ["credential", "session", "email"]
    assert (told[0].reasons[0].total, told[0].reasons[0].key) == (14, "token:abc")
    assert told[0].reasons[0].records == ("a0", "a1", "a2", "b0", "b1", "b2")
    strength = [list(REASONS).index(one.reasons[0].reason) for one in told]
    assert strength == sorted(strength)
