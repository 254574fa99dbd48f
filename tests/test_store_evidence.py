"""Evidence: each record once, whatever was imported first, in what pieces, how often, or cut short where."""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.event import Event, Key, RecordRef, Reject, short_id
from model.evidence import Attribution, NewRecord, SourceFile
from model.words import Clock, EventKind, KeyRole, Phase, Vantage
from store import Store, StoreError, open_store
from store.addition import Addition
from store.scopes import strength
from tests.store_fixtures import empty, make_event, make_record

SCOPES = ("session:a", "session:b", "trace:t1", "trace:t2", "ci.job:j", "assay.run:x", "claude.agent:a/1")


@dataclass(frozen=True)
class Line:
    """What one line of a file says: a record's identity, which of its variants, and the scope keys its events name together."""

    identity: int
    variant: int
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class File:
    source: str
    name: str
    lines: tuple[Line, ...]


def records_of(file: File) -> list[NewRecord]:
    found = []
    for number, line in enumerate(file.lines, 1):
        raw = f"{line.identity}/{line.variant}/{line.scopes}".encode()
        id = short_id("rec", str(line.identity))
        keys = tuple(Key(KeyRole.SCOPE, *scope.split(":", 1)) for scope in line.scopes)
        events = [
            make_event(id, 0, at=line.variant * 10, keys=(*keys, Key(KeyRole.CALL, "call", f"c{line.identity}")), order=number),
            make_event(
                id,
                1,
                at=None if line.variant == 1 else line.identity,
                keys=keys,
                kind=EventKind.DECISION,
                phase=Phase.VERDICT,
                vantage=Vantage.ENFORCER,
                point="opa:x",
                order=number,
            ),
        ]
        record = make_record(
            str(line.identity),
            raw,
            source=file.source,
            name=file.name,
            line=number,
            offset=number * 7,
            at=line.variant,
            events=events,
        )
        found.append(record)
    return found


@dataclass
class Expected:
    """The same, worked out by hand: places and events by record id and digest."""

    places: dict[tuple[str, str], dict[tuple[Any, ...], list[Event]]] = field(default_factory=lambda: defaultdict(dict))
    raws: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def see(self, record: NewRecord) -> None:
        place = (record.source, record.line, record.index or 0, record.name, record.offset)
        self.places[record.id, record.digest][place] = record.events
        self.raws[record.id, record.digest] = record.raw

    def speaking(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for id, digest in sorted(self.places, reverse=True):
            found[id] = digest
        return found

    def events(self, id: str, digest: str) -> list[Event]:
        places = self.places[id, digest]
        return places[min(places)]


def ref(place: tuple[Any, ...], digest: str) -> RecordRef:
    source, line, index, name, offset = place
    return RecordRef(source, name, line, index or None, offset, digest)


def assert_holds(store: Store, expected: Expected) -> None:
    """The store says exactly what the records say, and nothing in it contradicts itself."""
    with store.viewing():
        assert_says(store, expected)
    assert store.check() == []


def assert_says(store: Store, expected: Expected) -> None:
    speaking = expected.speaking()
    rows = store.records(sorted(speaking))
    assert set(rows) == set(speaking)
    said: list[Event] = []
    for id, digest in speaking.items():
        places = sorted(expected.places[id, digest])
        assert rows[id].ref == ref(places[0], digest)
        assert rows[id].also == tuple(ref(place, digest) for place in places[1:])
        others = sorted(other for one, other in expected.places if one == id and other != digest)
        assert rows[id].variants == tuple(ref(min(expected.places[id, other]), other) for other in others)
        for one in (digest, *others):
            assert store.raw(id, one) == expected.raws[id, one]
        events = expected.events(id, digest)
        assert [event for event, _ in store.events_of_record(id)] == events
        said += events
    assert store.counts()["events"] == len(said)

    accepted = Counter(min(places)[0] for places in expected.places.values())
    duplicate = Counter(place[0] for places in expected.places.values() for place in sorted(places)[1:])
    assert {s.id: (s.read, s.accepted, s.duplicate) for s in store.sources()} == {
        id: (accepted[id] + duplicate[id], accepted[id], duplicate[id]) for id in {*accepted, *duplicate}
    }
    order = sorted(said, key=lambda e: (e.at is None, e.at or 0, e.id))
    names = sorted({key.name for event in said for key in event.keys})
    carried = store.carrying([*names, "call:nobody"], 10_000)
    assert carried.pop("call:nobody") == []
    assert {name: [s.id for s in found] for name, found in carried.items()} == {
        name: [e.id for e in order if any(k.name == name for k in e.keys)] for name in names
    }
    roots = roots_of(said)
    assert store.scope_roots(SCOPES) == {name: roots.get(name, name) for name in SCOPES}
    assert all(store.scope_root(name) == roots.get(name, name) for name in SCOPES)
    for point in ("claude-code", "opa:x"):
        mine = [e for e in said if e.point == point]
        times = sorted({(e.at, e.principal.name) for e in mine if e.at is not None and e.principal})
        assert list(store.point_times(point)) == times
        assert list(store.point_times(point, mine[0].vantage.value)) == times
    assert {p.point: (p.decides, p.records, p.events, p.first, p.last) for p in store.points()} == {
        point: (point == "opa:x", len(speaking), len(mine), *span(mine))
        for point in ("claude-code", "opa:x")
        for mine in [[e for e in said if e.point == point]]
    }
    assert store.verbs_decided() == {"opa:x": ("exec",)}
    assert [(i.principal, i.points, i.events, i.first, i.last) for i in store.identities()] == [
        ("dana@acme.example", ("claude-code", "opa:x"), len(said), *span(said))
    ]
    assert store.last_evidence() == span(said)[1]


def span(events: Sequence[Event]) -> tuple[int | None, int | None]:
    times = [e.at for e in events if e.at is not None]
    return min(times, default=None), max(times, default=None)


def roots_of(events: Sequence[Event]) -> dict[str, str]:
    groups: dict[str, set[str]] = {}
    for event in events:
        names = {key.name for key in event.keys if key.role is KeyRole.SCOPE}
        joined = names.union(*(groups.get(name, {name}) for name in names))
        groups.update(dict.fromkeys(joined, joined))
    return {name: min(group, key=strength) for name, group in groups.items()}


lines = st.builds(
    Line, st.integers(0, 4), st.integers(0, 2), st.lists(st.sampled_from(SCOPES), max_size=3, unique=True).map(tuple)
)
files = st.builds(
    File,
    st.sampled_from(["src-1", "src-2"]),
    st.sampled_from(["a", "b", "aa"]),
    st.lists(lines, min_size=1, max_size=6).map(tuple),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(files, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_and_the_pieces_of_an_import_leave_no_trace(store: Store, files: list[File], chance: random.Random) -> None:
    empty(store)
    expected = Expected()
    batches = []
    for file in files:
        found = records_of(file)
        for record in found:
            expected.see(record)
        cut = chance.randint(0, len(found))
        batches += [found[:cut], found[cut:]]
    chance.shuffle(batches)
    seen: set[tuple[str, str]] = set()
    with ExitStack() as joined:
        for batch in [*batches, chance.choice(batches)]:
            if chance.random() < 0.5:
                joined.close()
            if chance.random() < 0.5:
                joined.enter_context(store.together())
            for file in files:
                store.begin_source(SourceFile(file.source, "fmt", file.name))
            new = {(r.id, r.digest) for r in batch} - seen
            counted = store.add(batch)
            assert (counted.accepted, counted.duplicate) == (len(new), len(batch) - len(new))
            seen |= new
    assert_holds(store, expected)


def test_evidence_that_fails_takes_with_it_what_was_joined_to_it(store: Store) -> None:
    broken = make_record("r2", line=2)
    broken.digest = "no digest"
    with pytest.raises(StoreError, match="nothing of these writes was kept"), store.together():
        store.begin_source(SourceFile("src-1", "fmt", "a.jsonl"))
        store.add([make_record("r1")])
        with pytest.raises(ValueError, match="hexadecimal"):
            store.add([broken])
    assert store.sources() == [] and store.counts()["events"] == 0
    with store.together():
        store.add([make_record("r1")])
        store.set_meta("seen", str(store.add([make_record("r1")]).duplicate))
    assert store.get_meta("seen") == "1" and store.counts()["events"] == 1


def test_a_second_import_adds_nothing(store: Store) -> None:
    batch = [make_record(f"r{n}", line=n) for n in range(1, 40)]
    first = store.add(batch)
    assert (first.accepted, first.duplicate, first.events) == (39, 0, 39)
    second = store.add(batch)
    assert (second.accepted, second.duplicate, second.events) == (0, 39, 0)
    assert store.counts()["duplicates"] == 0


def test_equal_records_in_one_batch_count_once(store: Store) -> None:
    store.begin_source(SourceFile("src-1", "fmt", "a.jsonl"))
    counted = store.add([make_record("r", line=3), make_record("r", line=1), make_record("r", line=2), make_record("r", line=3)])
    assert (counted.accepted, counted.duplicate, counted.events) == (1, 3, 1)
    row = store.records([short_id("rec", "r")])[short_id("rec", "r")]
    assert (row.ref.line, [r.line for r in row.also]) == (1, [2, 3])
    (source,) = store.sources()
    assert (source.read, source.accepted, source.duplicate) == (3, 1, 2)


def test_the_smallest_digest_speaks(store: Store) -> None:
    raws = sorted([b"one", b"two", b"three"], key=lambda raw: sha256(raw).hexdigest())
    id = short_id("rec", "r")
    store.begin_source(SourceFile("src-1", "fmt", "a.jsonl"))

    def variant(number: int) -> NewRecord:
        return make_record(
            "r", raws[number], line=number + 1, events=[make_event(id, n, text=f"v{number}") for n in range(number + 1)]
        )

    assert store.add([variant(1)]).events == 2
    assert store.add([variant(2)]).events == 0
    assert [e.text for e, _ in store.events_of_record(id)] == ["v1", "v1"]
    store.add([variant(0)])
    assert [e.text for e, _ in store.events_of_record(id)] == ["v0"]
    assert store.raw(id) == raws[0]
    store.save_attributions([Attribution(event.id, "task-1", ()) for event, _ in store.events_of_record(id)])
    assert store.odd_records() == store.odd_records(["task-0", "task-1"]) == ({id}, set())
    assert store.odd_records(["task-2"]) == (set(), set())
    assert store.check() == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=lambda order: "".join(map(str, order)))
def test_the_smallest_voice_speaks_and_the_others_are_copies(store: Store, order: tuple[int, ...]) -> None:
    id = short_id("rec", "r")
    small, middle, large, huge = sorted([b"one", b"two", b"three", b"four"], key=lambda raw: sha256(raw).hexdigest())
    told = [(large, "a"), (small, "b"), (middle, "b"), (huge, "c")]
    store.begin_source(SourceFile("src-1", "fmt", "a.jsonl"))
    for n in order:
        raw, voice = told[n]
        made = make_record("r", raw, line=n + 1, events=[make_event(id, text=voice)])
        made.voice = voice
        store.add([made])
    assert [event.text for event, _ in store.events_of_record(id)] == ["a"]
    assert store.odd_records() == (set(), set())
    row = store.records([id])[id]
    assert {ref.digest: row.told[ref.digest][0] for ref in (row.ref, *row.variants)} == {
        sha256(raw).hexdigest(): voice != "a" for raw, voice in told
    }
    second = make_record("r", b"five", line=9)
    second.voice = "a"
    store.add([second])
    assert store.odd_records() == ({id}, set()), "the same session told it otherwise"


@pytest.mark.parametrize("order", ["xyz ", "zx y", " zyx"], ids=["last", "between", "first"])
def test_what_has_no_voice_makes_copies_of_all_that_have_in_any_order(store: Store, order: str) -> None:
    store.begin_source(SourceFile("src-1", "fmt", "a.jsonl"))
    for n, voice in enumerate(order):
        made = make_record("r", voice.encode(), line=n + 1)
        made.voice = voice.strip()
        store.add([made])
    row = store.records([short_id("rec", "r")])[short_id("rec", "r")]
    assert {row.told[ref.digest] for ref in (row.ref, *row.variants)} == {(False, ""), (True, "x"), (True, "y"), (True, "z")}


def test_a_new_voice_writes_no_row_that_gave_way_before(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    update = Addition._update

    def told(self: Addition, row: Any) -> None:
        written.append(row.voice)
        update(self, row)

    monkeypatch.setattr(Addition, "_update", told)
    store.begin_source(SourceFile("src-1", "fmt", "a.jsonl"))
    for n, voice in enumerate("fedcba"):
        made = make_record("r", voice.encode(), line=n + 1)
        made.voice = voice
        store.add([made])
    assert written == list("fedcb")


def test_a_source_has_its_smallest_name_and_its_largest_file(store: Store) -> None:
    for name, size, path in (("longer/a.jsonl", 10, "/x"), ("b.jsonl", 30, "/y"), ("a.jsonl", 20, "/z")):
        file = SourceFile("src-1", "fmt", name, path=path, by="dana", at=size, note="collected by hand")
        store.begin_source(file)
        file.sha256, file.bytes = f"{size:064x}", size
        store.end_source(file)
    store.begin_source(SourceFile("src-1", "fmt", "b.jsonl", path="/cut-short"))
    (source,) = store.sources()
    assert (source.name, source.bytes, source.sha256) == ("a.jsonl", 30, f"{30:064x}")
    assert source.names == ("a.jsonl", "b.jsonl", "longer/a.jsonl")
    custody = store.custody("src-1")
    assert [(c.name, c.path, c.bytes, c.by) for c in custody] == [
        ("longer/a.jsonl", "/x", 10, "dana"),
        ("b.jsonl", "/y", 30, "dana"),
        ("a.jsonl", "/z", 20, "dana"),
        ("b.jsonl", "/cut-short", 0, ""),
    ]
    assert custody[0].note == "collected by hand" and custody[3].sha256 == ""


def test_rejects_are_kept_once_and_counted_as_read(store: Store) -> None:
    file = SourceFile("src-1", "fmt", "a.jsonl")
    store.begin_source(file)
    rejects = [Reject(3, None, 20, "not valid JSON", "d1"), Reject(9, 2, 40, "no time", "d2")]
    assert store.reject(file, rejects) == 2
    assert store.reject(file, [*rejects, Reject(11, None, 50, "no time", "d3")]) == 1
    store.add([make_record("r", line=1)])
    (source,) = store.sources()
    assert (source.read, source.accepted, source.duplicate, source.rejected) == (4, 1, 0, 3)
    assert store.rejects(9) == {"src-1": [*rejects, Reject(11, None, 50, "no time", "d3")]}
    assert store.rejects(2) == {"src-1": rejects}
    assert store.reject_reasons() == {"src-1": {"no time": 2, "not valid JSON": 1}}


def test_raw_bytes_come_back_in_the_order_of_their_source(store: Store) -> None:
    store.begin_source(SourceFile("src-1", "fmt", "a"))
    big = [make_record(f"b{n}", bytes([n]) * 100_000, line=1, index=n, offset=n) for n in range(1, 9)]
    huge = make_record("huge", b"x" * 1_000_000, line=2)
    void = make_record("void", b"", line=3)
    store.add([void, huge, *reversed(big)])
    rows = list(store.raw_records("src-1"))
    assert [(r.line, r.index) for r in rows] == [(1, n) for n in range(1, 9)] + [(2, None), (3, None)]
    assert [r.raw for r in rows] == [r.raw for r in (*big, huge, void)]
    assert all(r.speaks and r.digest == sha256(r.raw).hexdigest() for r in rows)
    assert list(store.raw_records("src-2")) == []
    with pytest.raises(StoreError, match="no record"):
        store.raw("rec-none")


def test_records_are_found_by_the_beginning_of_their_digest(store: Store) -> None:
    store.add([make_record(f"r{n}", line=n) for n in range(50)])
    digest = sha256(b"r7").hexdigest()
    for prefix in (digest, digest[:7], digest[:12]):
        assert store.record_by_digest(prefix) == [short_id("rec", "r7")]
    assert store.record_by_digest("zz" + digest[:10]) == []
    assert store.record_by_digest(digest[:3]) == []


def test_replacing_events_keeps_everything_that_hangs_on_them(store: Store) -> None:
    id = short_id("rec", "r")
    store.begin_source(SourceFile("src-1", "fmt", "a.jsonl"))
    store.add([make_record("r"), make_record("other", line=2)])
    fresh = [make_event(id, n, at=5, point="codex", keys=[Key(KeyRole.SCOPE, "session", "s-2")]) for n in range(2)]
    store.replace_events(id, fresh)
    assert [e for e, _ in store.events_of_record(id)] == fresh
    assert [p.point for p in store.points()] == ["claude-code", "codex"]
    assert [s.id for s in store.carrying(["session:s-2"])["session:s-2"]] == sorted(e.id for e in fresh)
    assert len(store.carrying(["session:s-1"])["session:s-1"]) == 1
    store.replace_events(id, [])
    assert store.events_of_record(id) == []
    assert [p.point for p in store.points()] == ["claude-code"]
    store.replace_events("rec-none", fresh)
    assert store.check() == []


def hostile() -> Iterator[NewRecord]:
    words = [
        "\x00",
        "a\x00b",
        "\ud800",
        "\U0001f600",
        "x" * 1_000_000,
        "\U0001f600é" * 5_000,
        "'; DROP TABLE event; --",
        "%s ? :name",
        " ",
        "\\u0000",
    ]
    for number, word in enumerate(words, 1):
        id = short_id("rec", str(number))
        event = make_event(
            id,
            at=2**90 if number == 1 else -(2**62) - number,
            keys=[Key(KeyRole.SCOPE, "session", word), Key(KeyRole.SCOPE, "trace", word), Key(KeyRole.CALL, word, word)],
            point=word,
            principal=word,
            text=word,
        )
        event.attrs = {"output": word, "status": 2**70, "title": [word]}
        yield make_record(str(number), line=number, name=word, events=[event], at=2**80, unknown_type=word)


def test_hostile_text_and_numbers_are_stored_without_harm(store: Store) -> None:
    store.begin_source(SourceFile("src-1", "f\x00", "n\x00\ud800", path="\x00", by="\ud800", note="\x00"))
    batch = list(hostile())
    counted = store.add(batch)
    assert counted.accepted == len(batch) and store.add(batch).duplicate == len(batch)
    for number, word in enumerate(record.name for record in batch):
        name = f"session:{word}"
        found = store.carrying([name])[name]
        if "\x00" not in word and "\ud800" not in word:
            assert [stub.record for stub in found] == [batch[number].id]
        assert store.scope_root(f"trace:{word}").startswith("session:")
    store.reject(SourceFile("src-1", "f", "\x00"), [Reject(1, None, 0, "\ud800" * 5_000, "\x00")])
    assert list(store.dirty_event_batches()) != []
    assert store.identities() and store.points() and store.sources() and store.check() == []


KILLED = """
import os, random, signal, sqlite3, sys
from store import open_store
from store.engine import Database
from tests.test_store_evidence import File, Line, records_of
from model.evidence import SourceFile

steps = int(sys.argv[2])
tune = Database._tune_sqlite
def count(self, connection, record):
    tune(self, connection, record)
    left = [steps]
    def tick():
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    connection.set_progress_handler(tick, 50)
Database._tune_sqlite = count
file = File("src-1", "a", tuple(Line(n, 0, ("session:a", "trace:t1")) for n in range(100)))
with open_store(sys.argv[1]) as store:
    store.begin_source(SourceFile("src-1", "fmt", "a"))
    found = records_of(file)
    for start in range(0, 100, 20):
        store.add(found[start:start + 20])
"""
"""Some 630 of such steps in all, 125 of them for each fifth of the file."""


def test_an_import_killed_at_any_moment_is_completed_by_the_next(sqlite_template: Path, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parent.parent
    ends = []
    for number, steps in enumerate((40, 310, 560)):
        path = tmp_path / f"{number}.db"
        shutil.copyfile(sqlite_template, path)
        done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(steps)], cwd=root, capture_output=True, text=True)
        ends.append(done.returncode)
        assert done.returncode in (-9, 0), done.stderr
        file = File("src-1", "a", tuple(Line(n, 0, ("session:a", "trace:t1")) for n in range(100)))
        expected = Expected()
        with open_store(str(path)) as store:
            assert store.check() == []
            store.begin_source(SourceFile("src-1", "fmt", "a"))
            found = records_of(file)
            for record in found:
                expected.see(record)
            store.add(found)
            assert_holds(store, expected)
    assert ends[:2] == [-9, -9]


def test_what_a_source_leaves_open_is_counted_on_every_database(store: Store) -> None:
    """Zones assumed, silences, secrets and notes, as reconciliation asks for them."""
    clocks = [Clock.EXACT, Clock.ZONE_ASSUMED, Clock.ORDER_ONLY, Clock.ZONE_ASSUMED]
    records = []
    for n, clock in enumerate(clocks):
        record = make_record(f"rec-{n}", source="src-1", line=n + 1, at=n * n * 1_000_000)
        # The word itself, in a record that states its zone, must not count.
        text = "clock zone-assumed \xa5clock\xaczone-assumed"
        record.events = [make_event(record.id, 0, at=n, text=text, point=f"point-{n % 2}")]
        record.events[0].clock = clock
        record.secrets = ("jwt",) * n
        records.append(record)
    store.begin_source(SourceFile("src-1", "opa", "one.jsonl", note="by dana"))
    store.begin_source(SourceFile("src-1", "opa", "one.jsonl", note="by rafa"))
    store.begin_source(SourceFile("src-2", "opa", "two.jsonl"))
    store.add(records)
    assert store.told_by_source() == [("src-1", "point-0", 2, 0), ("src-1", "point-1", 2, 2)]
    assert list(store.silences(3_000_000)) == [("src-1", 1_000_000, 4_000_000), ("src-1", 4_000_000, 9_000_000)]
    assert store.secrets_replaced() == {"src-1": {"jwt": 6}}
    assert store.records([records[2].id])[records[2].id].secrets == ("jwt",)
    assert store.notes() == {"src-1": ("by dana", "by rafa")}
