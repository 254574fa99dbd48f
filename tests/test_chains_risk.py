"""Risk: a sum of named factors; skew: estimated from pairs that no clock had a hand in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chains import build_task, clock_pairs, estimate, exact_pairs, score, severities, task_id
from chains.context import Context
from chains.detections import run
from model.chain import Finding, Link, Task
from model.words import LinkKind, Severity
from tests.chains_story import REPO, S1, call, effect, facts, issued, ready, result, scope, verdict

SEEN = Task("t", "session:s", vantages=("agent", "enforcer"))


def finding(detection: str, severity: str, n: int = 0, blind: bool = False) -> Finding:
    return Finding(f"f-{detection}-{n}", detection, "", Severity(severity), "t", "a", blind_spot=blind)


def test_a_task_without_findings_that_everybody_saw_has_no_risk() -> None:
    assert score([], SEEN) == (0, {})
    assert score([], Task("t", "session:s", vantages=("agent", "enforcer"), environment="prod")) == (0, {})


def test_risk_is_the_sum_of_its_factors_largest_first() -> None:
    task = Task("t", "session:s", vantages=("agent", "enforcer"), environment="prod", owners=("a", "b"))
    risk, factors = score([finding("GOV-02", "critical"), finding("CRED-06", "medium")], task, bypassed=True)
    assert factors == {"GOV-02": 40, "CRED-06": 10, "production": 8, "nobody asked": 6, "several owners": 5}
    assert list(factors) == ["GOV-02", "CRED-06", "production", "nobody asked", "several owners"]
    assert risk == 69


def test_more_of_the_same_weighs_less_and_never_more_than_double() -> None:
    once, _ = score([finding("GOV-01", "high")], SEEN)
    twice, _ = score([finding("GOV-01", "high", n) for n in range(2)], SEEN)
    often, _ = score([finding("GOV-01", "high", n) for n in range(500)], SEEN)
    assert once < twice < 2 * once
    assert often == 2 * once


def test_what_was_not_seen_weighs_a_little() -> None:
    unseen, factors = score([finding("GOV-01", "high", blind=True)], Task("t", "session:s", vantages=("agent",)))
    assert factors == {"no decider's own log": 4, "blind spots": 1}
    assert unseen == 5
    assert score([], Task("t", "session:s", vantages=("enforcer",)))[1] == {"agent not seen": 3}
    assert score([], Task("t", "ci.job:x", vantages=("target",)))[1] == {}


@given(st.lists(st.tuples(st.sampled_from(["A-1", "B-2", "C-3"]), st.sampled_from(list(Severity)), st.booleans())))
def test_risk_lies_between_0_and_100_and_does_not_depend_on_order(found: list[tuple[str, Severity, bool]]) -> None:
    findings = [Finding(f"f{n}", d, "", s, "t", "a", blind_spot=b) for n, (d, s, b) in enumerate(found)]
    risk, factors = score(findings, SEEN)
    assert 0 <= risk <= 100
    assert risk == min(sum(factors.values()), 100)
    assert score(list(reversed(findings)), SEEN) == (risk, factors)


def test_severities_count_findings_and_no_blind_spots() -> None:
    counted = severities([finding("A", "high"), finding("A", "high", 1), finding("B", "low", blind=True)])
    assert counted == {"critical": 0, "high": 2, "medium": 0, "low": 0}


def test_skew_is_the_median_of_exact_pairs_in_steps() -> None:
    second = 1_000_000
    pairs = [("opa", 601 * second), ("opa", 602 * second), ("opa", 9_000 * second), ("vault", second), ("lone", 900 * second)]
    assert estimate(pairs) == {"opa": 600 * second}
    assert estimate(reversed(pairs)) == estimate(pairs)


def test_pairs_come_from_call_keys_and_not_from_inference() -> None:
    story = ready(
        [
            call(S1, "c1", 10),
            result(S1, "c1", 12),
            verdict("d", 70, scope(S1), "call call:c1"),
            verdict("loose", 9.5, scope(S1), verb="exec"),
        ]
    )
    chain = build_task(task_id(f"session:{S1}"), story, [], facts())
    assert exact_pairs(chain) == [("opa:agents", 60_000_000)]


def test_pairs_that_lie_far_apart_tell_of_late_work_and_not_of_a_clock() -> None:
    second = 1_000_000
    assert estimate([("github", n * 100 * second) for n in range(1, 8)]) == {}


def test_what_was_called_once_and_seen_once_over_keys_alone_is_a_pair() -> None:
    issue = issued("i", 5, scope(S1), "credential token:t")
    push = effect("push", 130, "credential token:t")
    story = ready([call(S1, "c1", 10, verb="repo.write", target=f"repository:{REPO}"), result(S1, "c1", 12), issue, push])
    task = task_id(f"session:{S1}")
    by_key = Link(issue.id, push.id, LinkKind.DERIVED, "token:t")
    guessed = Link(story[0].id, push.id, LinkKind.INFERRED, "match:x", 0.9)
    pairs = {}
    for link in (by_key, guessed):
        pairs[link.kind] = clock_pairs(build_task(task, story, [link], facts()), [link])
    assert pairs == {LinkKind.DERIVED: {"github:acme": [120_000_000]}, LinkKind.INFERRED: {}}
    twice = ready([*story, effect("again", 140, "credential token:t")])
    links = [by_key, Link(issue.id, twice[-1].id, LinkKind.DERIVED, "token:t")]
    assert clock_pairs(build_task(task, twice, links, facts()), links) == {}


def test_a_clock_known_to_be_wrong_is_put_right_before_times_are_compared() -> None:
    story = ready(
        [
            call(S1, "c1", 10, verb="repo.write", target=f"repository:{REPO}"),
            result(S1, "c1", 12),
            call(S1, "c2", 60, verb="file.read", target="filesystem:a"),
            effect("push", 11 - 300, scope(S1), target=f"repository:{REPO}"),
        ]
    )
    task = task_id(f"session:{S1}")
    skews = {"github:acme": -300_000_000}
    wrong, right = (build_task(task, story, [], facts(), skews=given) for given in ({}, skews))
    assert [len(step.effects) for step in wrong.steps] == [1, 0, 0]
    assert [(step.call, len(step.effects)) for step in right.steps] == [("call:c1", 1), ("call:c2", 0)]
    found, _ = run(right, Context(facts=facts(), skews=skews))
    assert [(f.detection, f.anchor) for f in found if f.detection == "AUD-02"] == [("AUD-02", "skew:github:acme")]
