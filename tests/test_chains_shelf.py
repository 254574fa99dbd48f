"""Shelves: what is put away reads as a list would, and a task built on shelves is the task built in memory."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chains import build_task, clock_pairs, task_id
from chains.context import Context
from chains.detections import run
from chains.shelf import ById, Shelf, both, where
from model.chain import Intent, Link
from model.event import Event
from model.words import KeyRole, LinkKind, Phase
from tests.chains_story import S1, call, effect, facts, issued, prompt, ready, result, scope, used, verdict

TASK = task_id(f"session:{S1}")


def intents(count: int) -> list[Intent]:
    return [Intent(f"e{n}", f"r{n}", Phase.PROMPT, "x" * (n % 7) * 20_000, n) for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 40])
def test_a_shelf_is_the_sequence_that_was_put_on_it(count: int) -> None:
    items = intents(count)
    shelf = Shelf(Intent, items)
    assert list(shelf) == items and len(shelf) == count and [shelf[n] for n in range(count)] == items
    assert shelf[3:9:2] == items[3:9:2] and list(reversed(shelf)) == items[::-1]
    with pytest.raises(IndexError):
        shelf[count]


def test_what_cannot_be_packed_stands_in_its_place() -> None:
    items = intents(5)
    items[2] = replace(items[2], text="half a character: \ud800")
    shelf = Shelf(Intent, items)
    assert list(shelf) == items and shelf[2] == items[2] and shelf[-1] == items[4]


def test_items_are_found_by_their_ids() -> None:
    items = intents(30)
    known = ById(Shelf(Intent, items))
    assert known["e17"] == items[17] and known.get("e99") is None and "e4" in known and "e30" not in known
    assert list(known) == [item.id for item in items] and list(known.items()) == [(item.id, item) for item in items]


def test_what_passes_a_test_is_gone_through_again_and_again() -> None:
    shelf = Shelf(Intent, intents(2_100))
    even = where(shelf, lambda one: (one.at or 0) % 2 == 0)
    for _ in range(2):
        assert [one.at for one in even] == list(range(0, 2_100, 2))
    assert where(shelf, lambda one: one.at == 5) == [shelf[5]] and where(shelf, lambda one: True) is shelf
    assert len(both(even, shelf)) == 3_150 and not where(shelf, lambda one: one.at is None)


def story() -> tuple[list[Event], list[Link]]:
    """Calls with verdicts, results and effects, a guard taken down in the middle, a credential, and records that only inference places."""
    told = [prompt(S1, 0, "ship the payments fix"), issued("cred", 3, scope(S1), "credential aws:AK1")]
    for n in range(12):
        at = 10 + 10 * n
        told += [
            call(
                S1,
                f"c{n}",
                at,
                attrs={"command": f"git push origin b{n % 3}", "mode": "default" if n < 6 else "bypassPermissions"},
            ),
            verdict(f"d{n}", at + 1, scope(S1), *([f"call call:c{n}"] if n % 2 else [])),
            result(S1, f"c{n}", at + 4),
            effect(f"push{n}", at + 2, *([scope(S1)] if n % 4 else [])),
            used(f"use{n}", at + 3, scope(S1), "credential aws:AK1"),
        ]
    events = ready(told)
    by_id = {event.id: event for event in events}
    loose = [event for event in by_id.values() if event.verb.value == "repo.write" and not event.keys_of(KeyRole.SCOPE)]
    lead = next(event for event in by_id.values() if event.phase is Phase.CALL)
    return events, [Link(lead.id, event.id, LinkKind.INFERRED, "time", 0.7) for event in loose[:1]]


def test_a_task_built_on_shelves_is_the_task_built_in_memory() -> None:
    events, links = story()
    held = build_task(TASK, events, links, facts())
    put = build_task(TASK, Shelf(Event, reversed(events)), links, facts())
    assert isinstance(put.steps, Shelf) and isinstance(put.events, ById)
    assert len(held.steps) > 12 and any(link.kind is LinkKind.INFERRED for step in held.steps for link in step.links)
    assert (list(put.steps), put.links, put.task, put.records) == (held.steps, held.links, held.task, held.records)
    assert (put.tallies, put.versions, put.claims, put.intents) == (held.tallies, held.versions, held.claims, held.intents)
    assert clock_pairs(put, links) == clock_pairs(held, links)
    assert run(put, Context(facts())) == run(held, Context(facts()))
