"""The build's half: what must be looked at again, and that no crash or late arrival makes it forget anything."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chains.memory import MemoryIndex
from model.chain import Link
from model.event import Event, Key, short_id
from model.evidence import Attribution, SourceFile
from model.words import EventKind, KeyRole, LinkKind, Phase, Vantage
from store import Store
from store.index import _sharing, place_of
from tests.store_fixtures import SESSION, empty, make_event, make_record


def waiting(store: Store, size: int = 1_000) -> list[str]:
    return [stub.id for batch in store.dirty_event_batches(size) for stub in batch]


def attribute(store: Store, ids: list[str], task: str) -> set[str]:
    return store.save_attributions([Attribution(id, task) for id in ids])


def test_a_build_sees_each_new_event_and_clears_only_what_it_saw(store: Store) -> None:
    batch = [make_record(f"r{n}", line=n) for n in range(1, 8)]
    ids = sorted(record.events[0].id for record in batch)
    store.add(batch)
    batches = list(store.dirty_event_batches(3))
    assert [len(one) for one in batches] == [3, 3, 1]
    assert sorted(stub.id for one in batches for stub in one) == ids
    late = make_record("late", line=9)
    store.add([late])
    store.mark_built()
    assert store.dirty_count() == 1
    assert waiting(store) == [late.events[0].id]
    store.mark_built()
    assert waiting(store) == [] and store.dirty_count() == 0
    store.add(batch)
    assert waiting(store) == []


def test_a_build_that_never_ended_is_begun_anew(store: Store) -> None:
    store.add([make_record("r1"), make_record("r2", line=2)])
    ids = waiting(store)
    assert attribute(store, ids, "task-a") == {"task-a"}
    assert store.dirty_tasks() == ["task-a"]
    assert sorted(waiting(store)) == sorted(ids), "nothing was marked as built"
    assert attribute(store, ids[:1], "task-b") == {"task-a", "task-b"}
    assert store.dirty_tasks() == ["task-a", "task-b"]
    assert waiting(store) == ids
    assert attribute(store, ids[:1], "task-b") == {"task-b"}
    assert store.dirty_tasks() == ["task-a", "task-b"], "the task that lost an event is not forgotten"
    store.mark_built()
    assert store.dirty_tasks() == []


def test_an_event_that_goes_makes_its_task_and_its_neighbours_dirty(store: Store) -> None:
    call = Key(KeyRole.CALL, "call", "c1")
    first = make_record("r", b"b", events=[make_event(short_id("rec", "r"), keys=[SESSION, call])])
    other = short_id("rec", "neighbour")
    neighbour = make_record("neighbour", line=2, events=[make_event(other, keys=[call], vantage=first.events[0].vantage)])
    stranger = make_record("stranger", line=3, events=[make_event(short_id("rec", "stranger"), keys=[])])
    store.add([first, neighbour, stranger])
    attribute(store, waiting(store), "task-a")
    store.mark_built()
    smaller = next(
        record
        for number in range(100)
        if (record := make_record("r", f"{number}".encode(), line=4, events=[])).digest < first.digest
    )
    store.add([smaller])
    assert store.events_of_record(first.id) == []
    assert waiting(store) == [neighbour.events[0].id]
    assert store.dirty_tasks() == ["task-a"]
    assert store.dirty_keys() == ["call:c1", "session:s-1"]
    store.mark_built()
    assert store.dirty_keys() == [] and store.dirty_tasks() == []


def test_a_scope_that_gets_a_stronger_name_makes_all_its_events_dirty(store: Store) -> None:
    trace = Key(KeyRole.SCOPE, "trace", "t")
    lone = [make_record(f"t{n}", line=n, events=[make_event(short_id("rec", f"t{n}"), keys=[trace])]) for n in range(1, 6)]
    store.add(lone)
    waiting(store)
    store.mark_built()
    assert store.scope_root("trace:t") == "trace:t"
    both = make_record("both", line=9, events=[make_event(short_id("rec", "both"), keys=[SESSION, trace])])
    store.add([both])
    assert store.scope_root("trace:t") == "session:s-1"
    assert set(waiting(store, 2)) == {record.events[0].id for record in (*lone, both)}
    store.mark_built()
    store.replace_events(both.id, [])
    assert store.scope_root("trace:t") == "trace:t"
    assert set(waiting(store)) == {record.events[0].id for record in lone}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3, unique=True), min_size=1, max_size=8),
    st.data(),
)
def test_scope_groups_follow_the_events_that_are_there(store: Store, events: list[list[str]], data: st.DataObject) -> None:
    empty(store)
    records = []
    for number, names in enumerate(events):
        keys = [Key(KeyRole.SCOPE, "session" if name in "ab" else "trace", name) for name in names]
        records.append(make_record(f"r{number}", line=number + 1, events=[make_event(short_id("rec", f"r{number}"), keys=keys)]))
    for record in records:
        store.add([record])
    gone = data.draw(st.sets(st.integers(0, len(records) - 1)))
    for number in sorted(gone):
        store.replace_events(records[number].id, [])
    groups = {name: {name} for name in "abcdef"}
    for number, names in enumerate(events):
        if number not in gone:
            joined = set().union(*(groups[name] for name in names))
            groups.update(dict.fromkeys(joined, joined))
    with store.viewing():
        for name in "abcdef":
            strongest = min(groups[name], key=lambda one: (one not in "ab", one))
            kind = {True: "session", False: "trace"}
            assert store.scope_root(f"{kind[name in 'ab']}:{name}") == f"{kind[strongest in 'ab']}:{strongest}"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=2, max_size=3, unique=True), min_size=3, max_size=9), st.data())
def test_a_scope_key_of_too_many_tasks_joins_none_of_them(store: Store, events: list[list[str]], data: st.DataObject) -> None:
    kinds = dict.fromkeys("abcd", "session") | {"e": "trace", "f": "mcp.session"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.evidence.WIDE", 2)
        empty(store)
        records = []
        for number, names in enumerate(events):
            keys = [Key(KeyRole.SCOPE, kinds[name], name) for name in names]
            records.append(make_record(f"r{number}", line=number, events=[make_event(short_id("rec", f"r{number}"), keys=keys)]))
        for record in data.draw(st.permutations(records)):
            store.add([record])
        gone = data.draw(st.sets(st.integers(0, len(records) - 1)))
        for number in sorted(gone):
            store.replace_events(records[number].id, [])
        model = MemoryIndex(event for number, one in enumerate(records) if number not in gone for event in one.events)
        with store.viewing():
            for name in (f"{kind}:{one}" for one, kind in kinds.items()):
                assert store.scope_root(name) == model.scope_root(name)


def test_keys_that_identify_nothing_are_told(store: Store) -> None:
    trace = Key(KeyRole.SCOPE, "trace", "t")
    records = []
    for n in range(1, 8):
        keys = [Key(KeyRole.SCOPE, "session", f"s{n}"), trace, Key(KeyRole.CALL, "call", "c"), Key(KeyRole.MATCH, "sha", "0a")]
        records.append(make_record(f"r{n}", line=n, events=[make_event(short_id("rec", f"r{n}"), keys=keys)]))
    store.add(records)
    assert store.crowded_keys(6) == [(Key(KeyRole.CALL, "call", "c"), 7), (trace, 7)] and store.crowded_keys(7) == []
    assert store.wide_scopes(6) == {"trace:t": 7} and store.wide_scopes(7) == {}


def test_breaks_in_a_log_are_kept_while_the_events_are(store: Store) -> None:
    broken = make_record("b", line=1, events=[make_event(short_id("rec", "b"), at=5)])
    broken.events[0].attrs = {"missing_before": 3}
    changed = make_record("c", line=2, events=[make_event(short_id("rec", "c"), at=None)])
    changed.events[0].attrs = {"chain_broken": "the hash does not match"}
    store.add([changed, broken, make_record("d", line=3)])
    assert list(store.sequence_breaks()) == [("claude-code", 5, 3, ""), ("claude-code", None, 0, "the hash does not match")]
    store.replace_events(broken.id, [])
    assert [one[2] for one in store.sequence_breaks()] == [0]


def test_attributions_say_why_and_can_be_taken_back(store: Store) -> None:
    records = [make_record(f"r{n}", line=n, at=None if n == 3 else 10 - n) for n in range(1, 5)]
    for number, record in enumerate(records):
        record.events[0].order = number
    store.add(records)
    ids = [record.events[0].id for record in records]
    link = Link(ids[0], ids[1], LinkKind.DERIVED, "aws.key:AKIA", 0.9)
    touched = store.save_attributions(
        [Attribution(ids[0], "task-a", (link,)), Attribution(ids[1], "task-a"), Attribution(ids[2], "task-a")]
    )
    assert touched == {"task-a"}
    assert store.save_attributions([Attribution(ids[3], ""), Attribution("ev-unknown", "task-x")]) == set()
    assert [event.id for event in store.events_of_task("task-a")] == [ids[1], ids[0], ids[2]]
    assert store.attributions_of("task-a") == [link]
    assert store.attributions_of_tasks(["task-a", "none"]) == {"task-a": [link], "none": []}
    assert store.links_of_event(ids[0]) == [link] and store.links_of_event("ev-unknown") == []
    assert store.unattributed_counts() == {"action": 1} and store.counts()["unattributed"] == 1
    assert [event.id for event in store.unattributed()] == [ids[3]]
    assert store.tasks_of_events(ids) == dict(zip(ids, ["task-a"] * 3 + [""], strict=True))
    assert store.stubs(ids[:1])[ids[0]].task == "task-a"
    assert store.save_attributions([Attribution(ids[0], "")]) == {"task-a"}
    assert store.attributions_of("task-a") == []
    assert store.event_records(ids) == {record.events[0].id: record.id for record in records}
    assert store.event(ids[0]) == records[0].events[0] and store.event("ev-unknown") is None


def test_unattributed_events_come_in_pages(store: Store) -> None:
    store.add([make_record(f"r{n}", line=n, at=None if n % 3 == 0 else n % 5) for n in range(1, 31)])
    attribute(store, waiting(store), "")
    seen = []
    after = None
    while page := store.unattributed(after, 7):
        seen += page
        after = place_of(page[-1])
    assert len(seen) == 30
    assert all(place_of(one) < place_of(other) for one, other in pairwise(seen))


def test_a_hot_key_is_marked_by_one_event_more_than_asked_for(store: Store) -> None:
    hot = [make_record(f"h{n}", line=n, at=n) for n in range(1, 3_001)]
    key = [Key(KeyRole.CALL, "call", "c")]
    rare = [make_record(f"c{n}", line=4_000 + n, events=[make_event(short_id("rec", f"c{n}"), at=n, keys=key)]) for n in (2, 1)]
    store.add([*hot, *rare])
    found = store.carrying(["call:c", "session:s-1", "call:none"], 10)
    assert [stub.at for stub in found["session:s-1"]] == list(range(1, 12))
    assert [stub.at for stub in found["call:c"]] == [1, 2]
    assert found["call:none"] == []
    assert len(store.carrying(["session:s-1"], 10_000)["session:s-1"]) == 3_000
    assert [event.at for event, task in store.events_with_key("call:c") if task == ""] == [1, 2]


def test_what_a_task_was_asked_and_what_targets_saw_are_read_apart(store: Store) -> None:
    key = [Key(KeyRole.REFERENCE, "ticket", "PAY-1")]
    told = [
        make_event(short_id("rec", "a"), at=2, kind=EventKind.INTENT, phase=Phase.PROMPT, text="second"),
        make_event(short_id("rec", "b"), at=1, kind=EventKind.INTENT, phase=Phase.PROMPT, text="first", keys=key),
        make_event(short_id("rec", "c"), at=3, kind=EventKind.EFFECT, phase=Phase.OBSERVED, vantage=Vantage.TARGET, keys=key),
    ]
    store.add([make_record(name, line=n, events=[event]) for n, (name, event) in enumerate(zip("abc", told, strict=True), 1)])
    attribute(store, [event.id for event in told], "task-1")
    assert [event.text for event in store.intents_of_task("task-1")] == ["first", "second"]
    assert [event.at for event, _ in store.events_with_key("ticket:PAY-1", "target")] == [3]
    assert [event.at for event, _ in store.events_with_key("ticket:PAY-1")] == [1, 3]


def test_clearing_makes_every_event_new_again(store: Store) -> None:
    store.begin_source(SourceFile("src-1", "fmt", "a.jsonl"))
    store.add([make_record(f"r{n}", line=n) for n in range(1, 4)])
    ids = waiting(store)
    store.save_attributions([Attribution(id, "task-a", (Link(id, id, LinkKind.EXACT, "k"),)) for id in ids])
    store.mark_built()
    store.clear_derived()
    assert store.events_of_task("task-a") == [] and store.attributions_of("task-a") == []
    assert waiting(store) == ids
    assert store.counts()["records"] == 3 and store.check() == []


def test_what_events_of_a_task_say_alike_is_held_once() -> None:
    read = [make_event(f"rec-{n}", 0, at=n, text="x", keys=(SESSION, Key(KeyRole.CALL, "call", f"c{n // 2}"))) for n in range(4)]
    before = [msgspec.msgpack.encode(one) for one in read]
    # As they come from the store: each with objects of its own.
    held = _sharing([msgspec.msgpack.decode(one, type=Event) for one in before])
    assert [msgspec.msgpack.encode(one) for one in held] == before
    assert len({id(key) for one in held for key in one.keys}) == len({key for one in read for key in one.keys}) == 3
    assert len({id(one.target) for one in held}) == len({id(one.point) for one in held}) == 1
