"""Clocks held against the agents' by what both sides say: only what stands alone, by itself or in step, makes a pair, and only many even pairs tell."""

from __future__ import annotations

import pytest

from chains import MemoryIndex, attribute
from chains.skew import Compared, compare, estimate
from model.event import Event
from tests.chains_story import S1, S2, call, effect, facts, ready, scope, verdict


def apart(events: list[Event], one: Event) -> float | None:
    made = ready(events)
    index = MemoryIndex(made)
    (answer,) = attribute([index.stubs[one.id]], index, facts())
    return None if answer.apart is None else answer.apart / 1e6


def asked(id: str, seconds: float, command: str, *keys: str) -> Event:
    return verdict(id, seconds, *keys, verb="exec", attrs={"command": command})


def runs(session: str, id: str, seconds: float, command: str) -> Event:
    return call(session, id, seconds, attrs={"command": command})


def test_the_same_command_once_on_both_sides_is_a_pair() -> None:
    one = asked("v", 100, "make   deploy")
    assert apart([runs(S1, "c1", 10, "make deploy"), runs(S1, "c2", 20, "make test"), one], one) == 90


@pytest.mark.parametrize(
    "beside",
    [
        [runs(S2, "c3", 250, "make deploy")],
        [asked("other", 130, "make deploy")],
    ],
    ids=["another call", "another verdict"],
)
def test_what_either_side_says_twice_is_none(beside: list[Event]) -> None:
    one = asked("v", 100, "make deploy")
    assert apart([runs(S1, "c1", 10, "make deploy"), one, *beside], one) is None


def test_of_as_many_calls_as_records_each_has_its_place_in_the_order() -> None:
    first, second = asked("v1", 55, "make deploy"), asked("v2", 67, "make deploy")
    story = [runs(S1, "c1", 100, "make deploy"), runs(S2, "c2", 111, "make deploy"), first, second]
    assert (apart(story, first), apart(story, second)) == (-45, -44)


@pytest.mark.parametrize(
    ("calls", "records"),
    [((100, 111), (55, 80)), ((100, 111, 120), (55, 67)), ((100, 111), (55, 67, 240)), ((100, 340), (55, 295))],
    ids=["unevenly apart", "a call more", "a record more", "one of them minutes away"],
)
def test_a_group_that_is_uneven_or_not_alone_tells_nothing(calls: tuple[int, ...], records: tuple[int, ...]) -> None:
    told = [asked(f"v{n}", at, "make deploy") for n, at in enumerate(records)]
    story = [runs(S1, f"c{n}", at, "make deploy") for n, at in enumerate(calls)]
    assert apart([*story, *told], told[0]) is None


def test_what_lies_minutes_away_is_not_meant() -> None:
    one = asked("v", 100, "make deploy")
    story = [runs(S1, "c1", 10, "make deploy"), runs(S2, "c3", 900, "make deploy"), one]
    assert apart(story, one) == 90
    far = asked("far", 900, "make deploy")
    assert apart([story[0], far], far) is None


def test_the_same_verb_on_the_same_target_will_do_but_a_folder_or_a_host_will_not() -> None:
    push = call(S1, "c1", 10, verb="repo.write", target="repository:acme/payments")
    seen = effect("push", 130)
    assert apart([push, seen], seen) == 120
    asks = call(S1, "c2", 10, verb="http.request", target="network:example.com")
    through = effect("get", 130, verb="http.request", target="network:example.com", point="proxy")
    assert apart([asks, through], through) is None


def test_who_names_a_session_is_placed_by_it_and_not_by_words() -> None:
    one = asked("v", 100, "make deploy", scope(S1))
    assert apart([runs(S1, "c1", 10, "make deploy"), one], one) is None


def pairs(*seconds: float) -> list[tuple[str, int]]:
    return [("opa", int(one * 1e6)) for one in seconds]


def test_words_tell_only_where_keys_do_not() -> None:
    assert compare(pairs(120, 121, 122), pairs(*[0.1] * 20)) == {"opa": Compared(3, 120_000_000)}
    assert compare(pairs(120), pairs(*[61] * 8)) == {"opa": Compared(8, 60_000_000, words=True)}
    assert compare(pairs(120), pairs(*[61] * 7)) == {"opa": Compared(1, None)}
    assert estimate((), pairs(*[61] * 7)) == {}


@pytest.mark.parametrize(
    ("seconds", "skew"),
    [
        ([20] * 8, 20),
        ([20, 20, 20, 20, 20, 20, -200, 250], 20),
        ([9] * 8, 0),
        ([12, 22, 18, 29, 14, 25, 11, 27], 0),
        ([121, 240, 118, 122, 119, -290, 120, 125], 120),
        ([0, 60, 120, 180, 240, 300, -60, -120], None),
    ],
    ids=["even", "even but two", "latency", "uneven waits", "robust", "no agreement"],
)
def test_a_skew_is_what_most_pairs_agree_on(seconds: list[float], skew: int | None) -> None:
    found = compare((), pairs(*seconds))["opa"]
    assert found == Compared(8, None if skew is None else skew * 1_000_000, words=True)
