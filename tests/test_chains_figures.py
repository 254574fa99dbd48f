"""What is counted of tasks: tallies, bursts, decision distance, versions, rotation; never dependent on order."""

from __future__ import annotations

import random
from typing import Any

from chains import stitch
from chains.rotation import rotations
from chains.tally import BURST_WITHIN, burst_of, week_of
from model.chain import Credential, TaskChain, Use
from model.event import Decision, Event
from model.figures import Burst, Distance
from model.words import Effect
from tests.chains_story import REPO, S1, at, call, effect, event, facts, issued, prompt, ready, result, scope, verdict

DAY = 86_400


def only(*events: Event) -> TaskChain:
    (chain,) = stitch(ready(events), facts()).chains.values()
    return chain


def day() -> list[Event]:
    """Two calls of one tool with a verdict each, one of them refused, and a third by another tool in the next week."""
    return [
        prompt(S1, 0, "tidy up"),
        issued("t", 1, scope(S1), "credential token:t"),
        call(S1, "a", 10, verb="repo.write", target=f"repository:{REPO}"),
        verdict("a", 10.5, "call call:a", verb="repo.write", attrs={"host": "gate"}),
        effect("a", 11, "call call:a", "credential token:t"),
        result(S1, "a", 12),
        call(S1, "b", 20, verb="repo.write", target=f"repository:{REPO}"),
        verdict("b", 19, "call call:b", effect="deny"),
        result(S1, "b", 21, ok=False),
        call(S1, "c", 8 * DAY, verb="file.read", tool="Read", target="filesystem:/src/a.py"),
        result(S1, "c", 8 * DAY + 1),
    ]


def test_actions_are_counted_by_owner_week_verb_and_tool() -> None:
    chain = only(*day())
    first, second = chain.tallies
    assert (first.owner, first.verb, first.tool, first.week) == ("team-pay", "repo.write", "Bash", week_of(at(10)))
    assert (first.actions, first.decided, first.allowed, first.refused) == (2, 2, 1, 1)
    assert (first.held, first.bound, first.confirmed, first.burst) == (1, 1, 1, 2)
    assert (first.timed, first.waited) == (2, 1_500_000)
    assert (first.first, first.last) == (at(10), at(20))
    # A file has no owner of its own: what is done to it is its repository's.
    assert (second.owner, second.verb, second.tool, second.week) == ("team-pay", "file.read", "Read", week_of(at(8 * DAY)))
    assert (second.actions, second.decided, second.held) == (1, 0, 0)
    assert chain.task.burst == Burst(2, at(10))


def test_what_no_agent_claims_is_no_action_of_its() -> None:
    chain = only(*day(), effect("stray", 30, scope(S1), verb="pr.merge"))
    assert sum(one.actions for one in chain.tallies) == 3
    assert not any(one.verb == "pr.merge" for one in chain.tallies)


def test_order_changes_nothing() -> None:
    events = day()
    expected = only(*events)
    dice = random.Random(7)
    for _ in range(5):
        dice.shuffle(events)
        shuffled = only(*events)
        assert (shuffled.tallies, shuffled.versions) == (expected.tallies, expected.versions)
        assert [step.distance for step in shuffled.steps] == [step.distance for step in expected.steps]


def test_a_burst_is_the_most_within_a_minute_and_the_earliest_of_equals() -> None:
    minute = BURST_WITHIN
    assert burst_of([]) is None
    assert burst_of([5]) == Burst(1, 5)
    assert burst_of([0, minute, minute + 1, 2 * minute, 2 * minute + 1]) == Burst(3, minute)
    assert burst_of([3 * minute, 0, 3 * minute + 1, 1]) == Burst(2, 0)


def test_a_week_is_that_of_iso_8601_and_an_impossible_time_has_none() -> None:
    assert week_of(1_735_603_200_000_000) == "2025-W01"
    assert week_of(None) == "" == week_of(2**62) == week_of(-(2**62))


def _distances(*events: Event) -> list[Distance | None]:
    return [step.distance for step in only(prompt(S1, 0, "x"), *events).steps]


def test_distance_counts_seconds_links_and_hosts() -> None:
    asked = verdict("a", 9, "call call:a", attrs={"host": "LAPTOP"})
    made = call(S1, "a", 10, attrs={"host": "laptop"})
    assert _distances(asked, made) == [Distance("opa:agents", 1.0, 1, True)]
    elsewhere = verdict("a", 10.25, "call call:a", attrs={"host": "gate"})
    assert _distances(elsewhere, made, result(S1, "a", 11)) == [Distance("opa:agents", -0.25, 1, False)]
    assert _distances(verdict("a", 9, "call call:a"), made) == [Distance("opa:agents", 1.0, 1, None)]


def test_a_verdict_after_the_result_is_not_the_one_that_let_it_through() -> None:
    (distance,) = _distances(
        verdict("early", 9, "call call:a"), call(S1, "a", 10), result(S1, "a", 11), verdict("late", 60, "call call:a")
    )
    assert distance is not None and distance.seconds == 1.0


def test_one_record_that_calls_and_decides_is_no_link_away() -> None:
    made = call(S1, "a", 10, record="rec-one")
    asked = verdict("a", 10, "call call:a", record="rec-one")
    assert _distances(made, asked) == [Distance("opa:agents", 0.0, 0, None)]


def test_no_enforcer_or_no_call_means_no_distance() -> None:
    own = event(
        "own", "decision", "verdict", "agent", "claude-code", 9, scope(S1), "call call:a", decision=Decision(Effect.ALLOW)
    )
    assert _distances(own, call(S1, "a", 10)) == [None]
    assert _distances(verdict("a", 9, scope(S1))) == [None]


def test_a_wait_of_years_is_a_broken_clock_and_counts_in_no_sum() -> None:
    chain = only(prompt(S1, 0, "x"), call(S1, "a", 10), verdict("a", -900 * DAY, "call call:a"))
    (step,) = chain.steps
    assert step.distance is not None and step.distance.seconds == 900 * DAY + 10
    assert [(one.timed, one.waited) for one in chain.tallies] == [(0, 0)]


def test_versions_are_of_the_agents_program_and_of_the_deciders_policy() -> None:
    chain = only(
        prompt(S1, 0, "x", agent_version="2.1"),
        call(S1, "a", 10, attrs={"agent_version": "2.2"}),
        event("v", "decision", "verdict", "enforcer", "opa:x", 11, "call call:a", decision=Decision(Effect.ALLOW, policy="p@7")),
    )
    assert [(v.point, v.kind, v.version, v.seen) for v in chain.versions] == [
        ("claude-code", "software", "2.1", 1),
        ("claude-code", "software", "2.2", 1),
        ("opa:x", "policy", "p@7", 1),
    ]


def _held(id: str, issued: float | None, uses: tuple[float, ...] = (), **more: Any) -> Credential:
    base: dict[str, Any] = {"kind": "aws access key", "issuer": "iam", "subject": "svc-batch", "ttl_seconds": -1}
    listed = tuple(Use(f"ev-{id}-{s}", f"rec-{id}-{s}", at(s)) for s in uses)
    first = min((u.at for u in listed if u.at is not None), default=None)
    when = None if issued is None else at(issued)
    return Credential(id, f"aws.key:{id}", **base | {"issued": when, "first_use": first, "use_list": listed} | more)


def test_an_old_key_used_after_its_rotation_is_told() -> None:
    old, new = _held("old", 0, (10, 500, 900)), _held("new", 400, (410,))
    for order in ([old, new], [new, old]):
        found = rotations(order)
        assert set(found) == {"old"}
        assert (found["old"].at, found["old"].by, found["old"].uses_after, found["old"].last_use) == (at(400), "new", 2, at(900))
    unseen = _held("old", None, (10, 500))
    assert rotations([unseen, new])["old"].uses_after == 1


def test_what_is_issued_anew_for_every_errand_is_not_rotated() -> None:
    assert rotations([_held("a", 0, (10,), ttl_seconds=900), _held("b", 400, ttl_seconds=900)]) == {}
    assert rotations([_held("a", 0, subject="x"), _held("b", 400, subject="y")]) == {}
    assert rotations([_held("a", 0, subject=""), _held("b", 400, subject="")]) == {}
    assert rotations([_held("a", 0, ttl_seconds=None), _held("b", 400, ttl_seconds=None)]) == {}
