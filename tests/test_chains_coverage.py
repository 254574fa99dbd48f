"""Coverage: silence told from absence, expected points that are missing, and for whom a decider speaks."""

from __future__ import annotations

import random
from collections.abc import Iterable

from msgspec.structs import replace

from chains import OrgFacts, Sighting, covered, measure, relevant
from chains.coverage import gap_kind, shifts
from chains.heard import GAP_FACTOR, GAP_FLOOR
from chains.org import load
from model.chain import Coverage, Gap
from model.words import Vantage, Verb
from tests.chains_story import at

MINUTE = 60


def seen(minutes: Iterable[float], who: str = "", verb: str = "exec", point: str = "opa", **more: str) -> list[Sighting]:
    return [
        Sighting(point, Vantage.ENFORCER, at(m * MINUTE), who, more.get("host", ""), more.get("session", ""), True, Verb(verb))
        for m in minutes
    ]


def rows(sightings: Iterable[Sighting], org: str = "", until: float | None = None) -> list[Coverage]:
    last = None if until is None else at(until * MINUTE)
    return measure(sorted(sightings, key=lambda s: s.at), OrgFacts(load(org)), last)


def test_a_decider_covers_from_its_first_to_its_last_record() -> None:
    (row,) = rows(seen(range(0, 60, 2)))
    assert (row.start, row.end, row.records, row.gaps, row.decides, row.scope) == (at(0), at(58 * 60), 30, (), True, "*")
    assert row.verbs == (Verb.EXEC,)


def test_ten_times_the_usual_silence_is_a_gap() -> None:
    (row,) = rows(seen([*range(0, 60, 2), *range(90, 120, 2)]))
    assert row.gaps == (Gap(at(58 * 60), at(90 * 60)),)
    assert row.covers(at(30 * 60))
    assert not row.covers(at(70 * 60))


def test_a_gap_says_what_makes_it_one() -> None:
    def kinds(org: str, *, until: float = 120) -> list[str]:
        facts = OrgFacts(load(org))
        found = measure(seen([*range(0, 60, 2), *range(90, 120, 2)]), facts, at(until * MINUTE))
        return [gap_kind(row, gap, facts) for row in found for gap in row.gaps]

    expected = "enforcement_points: [{id: opa, vantage: enforcer"
    assert kinds("") == ["silence longer than usual"]
    assert kinds(f"{expected}}}]", until=600) == ["silence longer than usual", "not heard"]
    assert set(kinds(f"{expected}, heartbeat: 300}}]")) == {"heartbeat missed"}
    missing = kinds("enforcement_points: [{id: vault, vantage: enforcer, since: '2020-01-01T00:00:00Z'}]")
    assert missing == ["silence longer than usual", "nothing imported"]


def test_a_quiet_point_has_no_gap_at_its_usual_silence() -> None:
    (row,) = rows(seen(range(0, 600, 30)))
    assert row.gaps == ()


def test_bursts_do_not_make_every_pause_a_gap() -> None:
    bursts = [start + n / 600 for start in range(0, 100, 10) for n in range(30)]
    (row,) = rows(seen(bursts))
    assert row.gaps == ()
    assert GAP_FLOOR == 15 * MINUTE * 1_000_000
    assert GAP_FACTOR == 10


def test_a_stated_heartbeat_decides_what_a_gap_is() -> None:
    org = "enforcement_points: [{id: opa, heartbeat: 20m}]"
    (row,) = rows(seen([0, 5, 10, 35, 40]), org)
    assert row.gaps == (Gap(at(10 * 60), at(35 * 60)),)


def test_a_decider_speaks_for_those_its_log_names_from_then_on() -> None:
    found = rows([*seen(range(0, 60, 2), "dana"), *seen(range(21, 60, 2), "lee")])
    assert [r.scope for r in found] == ["*", "principal:dana", "principal:lee"]
    assert [r.decides for r in found] == [False, True, True]
    assert found[2].start == at(21 * 60)
    assert found[2].end == found[1].end == found[0].end
    assert covered(found, at(30 * 60), ["dana"])
    assert not covered(found, at(10 * 60), ["lee"])
    assert not covered(found, at(30 * 60), ["stranger"])
    assert not covered(found, at(30 * 60), [])
    assert not covered(found, None, ["dana"])


def test_names_are_the_organisations_names() -> None:
    found = rows(seen(range(0, 60, 2), "dana-gh"), "identities: {dana@acme: [dana-gh]}")
    assert covered(found, at(30 * 60), ["dana@acme"])


def test_a_verb_never_decided_on_is_not_covered() -> None:
    found = rows(seen(range(0, 60, 2)))
    assert covered(found, at(30 * 60), [], verb=Verb.EXEC)
    assert not covered(found, at(30 * 60), [], verb=Verb.SECRET_READ)
    assert covered(found, at(30 * 60), [], point="opa")
    assert not covered(found, at(30 * 60), [], point="vault")


def test_hosts_and_sessions_count_where_nobody_is_named() -> None:
    assert [r.scope for r in rows(seen([0, 1], host="h1", session="session:s"))] == ["*", "host:h1"]
    assert [r.scope for r in rows(seen([0, 1], session="session:s"))] == ["*", "session:session:s"]


def test_an_account_that_many_hosts_share_speaks_for_none_but_those_hosts() -> None:
    shared = [one for n in range(8) for one in seen(range(n, 60, 8), "svc@acme", host=f"h{n}")]
    found = rows([*shared, *seen(range(1, 60, 9), "dana@acme", host="h1")])
    decides = {row.scope for row in found if row.decides}
    assert decides == {"principal:dana@acme", *(f"host:h{n}" for n in range(8))}
    assert covered(found, at(30 * 60), ["svc@acme", "h3"])
    assert not covered(found, at(30 * 60), ["svc@acme", "h9"])


def test_an_agents_own_refusals_do_not_make_it_a_decider() -> None:
    own = [Sighting("claude-code", Vantage.AGENT, at(n * 60), "dana", decides=True, verb=Verb.EXEC) for n in range(5)]
    (row,) = rows(own)
    assert not row.decides
    assert not covered([row], at(60), ["dana"])


def test_an_expected_point_that_is_missing_or_falls_silent_is_a_gap() -> None:
    org = """
enforcement_points:
  - {id: "opa*", since: "2026-05-01", heartbeat: 10m}
  - {id: vault, vantage: enforcer, since: "2026-05-01", scope: "dana@*"}
"""
    found = {r.point: r for r in rows(seen(range(0, 60, 2)), org, until=600)}
    opa, vault = found["opa"], found["vault"]
    assert opa.end == at(600 * 60)
    assert opa.gaps[-1] == Gap(at(58 * 60), at(600 * 60))
    assert opa.gaps[0].end == at(0)
    assert opa.start == opa.gaps[0].start < at(0)
    assert (vault.records, vault.scope, vault.decides) == (0, "dana@*", False)
    assert len(vault.gaps) == 1
    assert not covered([opa], at(300 * 60))
    assert covered([opa], at(30 * 60))


def test_points_may_be_mixed_and_equal_times_shuffled() -> None:
    mixed = [*seen(range(0, 60, 2), "dana"), *seen(range(0, 60, 2), "lee"), *seen(range(0, 60, 5), "dana", point="vault")]
    expected = rows(mixed)
    for seed in range(5):
        random.Random(seed).shuffle(mixed)
        assert rows(mixed) == expected


def test_relevant_leaves_out_what_speaks_of_others() -> None:
    found = rows([*seen([0, 1], "dana"), *seen([0, 1], "lee")])
    assert [r.scope for r in relevant(found, ["lee"])] == ["*", "principal:lee"]


def test_nothing_seen_and_nothing_expected_is_nothing() -> None:
    assert rows([]) == []
    assert rows([], "enforcement_points: [{id: vault}]") == []


def test_of_a_point_that_decides_nothing_its_times_say_all() -> None:
    random.seed(11)
    times = sorted(random.choice((random.uniform(0, 3), random.uniform(0, 900))) for _ in range(80))
    own = [Sighting("log", Vantage.TARGET, at(m * MINUTE), "dana", "h", "s") for m in times]
    facts = OrgFacts(load("enforcement_points: [{id: log, vantage: target, heartbeat: 600}]"))
    for known in (facts, OrgFacts(load(""))):
        moments = [(one.point, one.vantage, one.at, 1) for one in own]
        assert measure(seen(range(60)), known, moments=moments) == measure([*seen(range(60)), *own], known)


def vault(start: float, end: float, *gaps: tuple[float, float], records: int = 9) -> Coverage:
    return Coverage("vault", Vantage.ENFORCER, "*", at(start), at(end), records, tuple(Gap(at(a), at(b)) for a, b in gaps))


def test_only_what_is_covered_otherwise_has_shifted() -> None:
    assert shifts([vault(0, 100)], [vault(0, 100, records=20)]) == []
    assert shifts([vault(0, 100)], [vault(0, 160)]) == [(at(100) + 1, at(160))]
    assert shifts([vault(0, 100)], [vault(0, 160, (100, 160))]) == [(at(100), at(160))]
    # Of the new record's own moment is covered what happened in it, however coarse the clocks.
    assert shifts([vault(0, 100)], [vault(0, 160, (100, 160))], lambda point: False) == [(at(160), at(160))]
    assert shifts([], [vault(0, 100)]) == [(at(0), at(100))]


def test_a_decider_that_says_more_has_shifted_only_where_it_does() -> None:
    opa = Coverage("opa", Vantage.ENFORCER, "*", at(0), at(100), 9, (), True, (Verb.EXEC,))
    assert shifts([opa], [replace(opa, end=at(160), records=12, usual=7)]) == [(at(100) + 1, at(160))]
    assert shifts([opa], [replace(opa, verbs=(Verb.EXEC, Verb.FILE_READ))]) == [(at(0), at(100))]
    assert shifts([opa], [replace(opa, decides=False)]) == [(at(0), at(100))]
    mara = replace(opa, scope="principal:mara", start=at(70))
    assert shifts([opa], [opa, mara]) == [(at(70), at(100))]


def test_a_gap_has_shifted_where_it_covers_less_or_is_told_otherwise() -> None:
    one, two = [vault(0, 100, (20, 80))], [vault(0, 100, (20, 40), (50, 80))]
    assert shifts(one, two, lambda point: False) == [(at(40), at(50))]
    assert shifts(one, two) == [(at(20), at(80))]
    # "Silent from 60 on" stays true while that silence lasts; who ran after it began is told of another end when it is over.
    lasts, ended = [vault(0, 100, (60, 100))], [vault(0, 200, (60, 100))]
    assert shifts(lasts, [vault(0, 160, (60, 160))]) == [(at(100), at(160))]
    assert shifts(lasts, ended) == [(at(60), at(200))]
    assert shifts(lasts, ended, lambda point: False) == [(at(100) + 1, at(200))]


def test_a_gap_that_began_before_a_row_did_covers_nothing_before_it() -> None:
    before = [vault(50, 100, (20, 60))]
    assert shifts(before, [vault(50, 120, (20, 60))], lambda point: False) == [(at(100) + 1, at(120))]


def test_what_has_shifted_is_what_is_covered_on_one_side_alone() -> None:
    dice = random.Random(3)

    def some(scope: str) -> Coverage:
        start = dice.randrange(50)
        end = start + dice.randrange(1, 100)
        edges = sorted(dice.sample(range(start - 10, end + 1), 2 * dice.randrange(4)))
        gaps = tuple(Gap(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > start)
        return Coverage("p", Vantage.ENFORCER, scope, start, end, 9, gaps)

    for turn in range(300):
        one = other = some("*")
        if turn % 2:
            other = some("*")
        else:
            end = one.end + dice.randrange(3, 40)
            gaps = (*one.gaps, Gap(one.end, end)) if turn % 4 else one.gaps
            other = replace(one, end=end, gaps=gaps)
        spans = shifts([one], [other], lambda point: False)
        for moment in range(-10, 200):
            assert (one.covers(moment) is not other.covers(moment)) is any(a <= moment <= b for a, b in spans)
