"""Whatever the order and the pieces events come in, the same set gives the same tasks, links, steps and ids."""

from __future__ import annotations

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from chains import MemoryIndex, affected, attribute, enrich, stitch, stub_of
from chains.outcome import outcome_of
from model.event import Decision, Event, Key
from model.evidence import Attribution
from model.words import Effect, EventKind, KeyRole, Phase, Vantage
from tests.chains_story import (
    REPO,
    S1,
    S2,
    call,
    effect,
    event,
    facts,
    issued,
    prompt,
    ready,
    result,
    scope,
    used,
    verdict,
)

SHA = "0123456789abcdef0123456789abcdef01234567"
JOB = f"scope ci.job:github-actions:{REPO}:7"
FACTS = facts()


def story() -> list[Event]:
    """Two sessions, a sub-agent, a job; tokens, pushes with and without them, strangers."""
    push = {"verb": "repo.write", "target": f"repository:{REPO}@main"}
    child = f"scope claude.agent:{S1}/a1"
    return ready(
        [
            prompt(S1, 0, "PAY-1: fix the refund", mode="default"),
            verdict("d0", 1, scope(S1), "reference ticket:PAY-1"),
            event("ticket", "intent", "ticket", "target", "tickets", -900, "reference ticket:PAY-1", text="Refunds", who="lee@acme"),
            call(S1, "c1", 10, verb="exec", attrs={"command": "hl-token issue"}),
            issued("i1", 11, scope(S1), "call call:c1", "credential token:t1"),
            result(S1, "c1", 12),
            call(S1, "c2", 20, **push),
            verdict("d2", 20, scope(S1), "call call:c2", effect="ask"),
            result(S1, "c2", 24),
            effect("p1", 22, f"reference commit:{SHA}", record="rec-p1", who="dana-gh"),
            used("p1u", 22, "credential token:t1", record="rec-p1", who="dana-gh"),
            event("job", "effect", "started", "target", "ci", 60, JOB, f"reference commit:{SHA}", verb="ci.run"),
            effect("pkg", 80, JOB, verb="package.publish", target="package_registry:acme/lib", point="registry"),
            prompt(S1, 100, "and stop asking", mode="bypassPermissions"),
            call(S1, "c3", 110, verb="agent.spawn"),
            event("sub", "intent", "delegated", "agent", "claude-code", 111, child, f"parent session:{S1}", "parent call:c3", text="look"),
            event("subcall", "action", "call", "agent", "claude-code", 112, child, "call call:s1", verb="file.read"),
            verdict("subd", 112, scope(S1), "call call:s1"),
            used("subu", 113, child, "credential token:t1"),
            result(S1, "c3", 130),
            prompt(S2, 5, "tidy up"),
            verdict("e0", 6, scope(S2)),
            call(S2, "k1", 200, **push),
            result(S2, "k1", 203),
            effect("p2", 202, who="dana-gh", record="rec-p2"),
            effect("p3", 260, who="dana-gh", record="rec-p3"),
            effect("stranger", 203, who="lee-gh", target="repository:acme/web"),
            used("late", 5000, "credential token:t1", record="rec-late"),
            effect("latepush", 5000, record="rec-late", target="repository:acme/web"),
            event("vq", "decision", "verdict", "enforcer", "vault", 300, scope(S2), verb="secret.read",
                  target="secret_store:kv/data/prod/db", ref="vault.pair:1"),
            event("va", "effect", "observed", "target", "vault", 300.1, scope(S2), verb="secret.read",
                  target="secret_store:kv/data/prod/db", after="vault.pair:1"),
        ]
    )  # fmt: skip


def picture(events: list[Event]) -> bytes:
    """Everything stitching says, as bytes."""
    done = stitch(events, FACTS)
    return msgspec.json.encode(
        [
            [done.chains[id] for id in sorted(done.chains)],
            sorted(e.id for e in done.unattributed),
            [done.credentials[id] for id in sorted(done.credentials)],
            done.coverages,
        ],
        order="deterministic",
    )


STORY = story()
WHOLE = picture(STORY)


@given(st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_events_changes_nothing(chance: random.Random) -> None:
    events = list(STORY)
    chance.shuffle(events)
    assert picture(events) == WHOLE


def test_a_second_copy_of_every_event_changes_nothing() -> None:
    assert picture([*STORY, *STORY]) == WHOLE


def test_enriching_twice_changes_nothing() -> None:
    assert [enrich(one) for one in STORY] == STORY


@given(st.lists(st.integers(0, 4), min_size=len(STORY), max_size=len(STORY)), st.integers(1, 7))
@settings(max_examples=30, deadline=None)
def test_attribution_in_pieces_equals_attribution_at_once(pieces: list[int], size: int) -> None:
    """Events arrive in up to five batches; after each only the affected ones are placed again, a few at a time."""
    index = MemoryIndex()
    found: dict[str, Attribution] = {}
    for piece in sorted(set(pieces)):
        new = [stub_of(e) for e, p in zip(STORY, pieces, strict=True) if p == piece]
        for stub in new:
            index.add(stub)
        again = list({s.id: s for n in range(0, len(new), size) for s in affected(new[n : n + size], index, FACTS)}.values())
        for start in range(0, len(again), size):
            for answer in attribute(again[start : start + size], index, FACTS):
                found[answer.event] = answer
    whole = MemoryIndex(STORY)
    expected = {a.event: a for a in attribute([whole.stubs[id] for id in sorted(whole.stubs)], whole, FACTS)}
    assert found == expected


@given(st.sets(st.integers(0, len(STORY) - 1)))
@settings(max_examples=40, deadline=None)
def test_any_part_of_the_story_can_be_stitched(missing: set[int]) -> None:
    part = [e for n, e in enumerate(STORY) if n not in missing]
    done = stitch(part, FACTS)
    placed = sum(len(chain.events) for chain in done.chains.values()) + len(done.unattributed)
    assert placed == len(part)
    for chain in done.chains.values():
        ids = [step.id for step in chain.steps]
        assert len(ids) == len(set(ids))
        assert [step.n for step in chain.steps] == list(range(1, len(ids) + 1))
        assert {record for step in chain.steps for record in step.records} <= set(chain.records)
        for step in chain.steps:
            assert all(link.step == step.id for link in step.links)


def test_ids_of_steps_outlive_records_that_come_late() -> None:
    known = {s.id for c in stitch(STORY, FACTS).chains.values() for s in c.steps if s.call.startswith("call:")}
    without = [e for e in STORY if e.point in ("claude-code",)]
    assert {s.id for c in stitch(without, FACTS).chains.values() for s in c.steps if s.call} == known


def test_the_story_ends_where_it_should() -> None:
    done = stitch(STORY, FACTS)
    by_scope = {chain.task.scope: chain for chain in done.chains.values()}
    first, second = by_scope[f"session:{S1}"], by_scope[f"session:{S2}"]
    child, job = by_scope[f"claude.agent:{S1}/a1"], by_scope[JOB.removeprefix("scope ")]
    assert child.task.parent == job.task.parent == first.task.id
    assert child.task.depth == 1
    assert set(first.task.children) == {child.task.id, job.task.id}
    assert child.task.parent_step == next(s.id for s in first.steps if s.call == "call:c3")
    assert next(s for s in first.steps if s.call == "call:c3").child == child.task.id
    named = {e.id: e for e in STORY}
    assert {named[e.id].target.name if e.record != "rec-p3" else "p3" for e in done.unattributed} == {"acme/web", "p3"}
    assert any(e.record == "rec-late" for e in first.events.values())
    assert any(e.record == "rec-p2" for e in second.events.values())
    (token,) = done.credentials.values()
    assert token.issued_task == first.task.id
    assert {"used_after_task_end", "never_revoked"} <= set(token.flags)
    assert "reused" not in token.flags


def test_a_persons_refusal_is_no_answer_of_policy() -> None:
    call = Key(KeyRole.CALL, "tool_use", "toolu_1")
    refused = Event(
        EventKind.DECISION,
        Phase.VERDICT,
        Vantage.AGENT,
        "claude-code",
        keys=(call,),
        decision=Decision(Effect.DENY),
        attrs={"refused": "user"},
    )
    allowed = Event(EventKind.DECISION, Phase.VERDICT, Vantage.ENFORCER, "opa", keys=(call,), decision=Decision(Effect.ALLOW))
    denied = Event(EventKind.DECISION, Phase.VERDICT, Vantage.ENFORCER, "opa", keys=(call,), decision=Decision(Effect.DENY))
    assert outcome_of([refused, allowed]).permitted is Effect.DENY
    assert outcome_of([refused, allowed]).answered is Effect.ALLOW
    assert outcome_of([refused, denied]).answered is Effect.DENY
    assert outcome_of([refused]).answered is Effect.ASK
    assert outcome_of([]).answered is Effect.UNKNOWN
