"""Coverage: which enforcement point was observed for whom and when, so that silence can be told from absence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from chains.facts import OrgFacts, glob
from chains.heard import MAX_SCOPES, SHARED_HOSTS, Heard, Sighting, hear
from lang.times import parse_time
from model.chain import Coverage, Gap
from model.org import PointFact
from model.words import Vantage, Verb


def measure(
    sightings: Iterable[Sighting],
    facts: OrgFacts,
    until: int | None = None,
    moments: Iterable[tuple[str, Vantage, int, int]] = (),
) -> list[Coverage]:
    """Coverage of every point that was seen or is expected, sorted by point and scope.

    Sightings and moments (`chains.heard.hear`) come in order of time within a point; points may be mixed. `until` is the last
    evidence time of the store.
    """
    heard: dict[str, Heard] = {}
    hear(heard, facts, sightings, moments)
    return coverage_of(heard, facts, until)


def coverage_of(heard: Mapping[str, Heard], facts: OrgFacts, until: int | None = None) -> list[Coverage]:
    """Coverage of every point that was heard or is expected, sorted by point and scope.

    A point has one row with scope `*`. If it decides and its log names principals (else hosts, else sessions), it decides
    only for those: rows `principal:<name>` begin at the first record that names them, and the `*` row does not decide.
    An account that several hosts share is no principal in this sense: its hosts stand in its place.
    An agent's own log never decides: it shows refusals alone, so its silence says nothing.
    """
    end = max((one.last for one in heard.values()), default=until)
    if end is not None and until is not None:
        end = max(end, until)
    rows: list[Coverage] = []
    for name in sorted(heard):
        expected = facts.expected_points(name)
        rows += _rows(heard[name], expected[0] if expected else None, end or 0)
    for missing in facts.expected_points():
        if not any(glob(missing.id).match(name.casefold()) for name in heard):
            rows += _absent(missing, end)
    return sorted(rows, key=lambda c: (c.point, c.scope != "*", c.scope))


def _rows(one: Heard, expected: PointFact | None, end: int) -> list[Coverage]:
    heartbeat = expected.heartbeat if expected else None
    gaps = one.silences.gaps(heartbeat)
    start, last = one.first, one.last
    if expected is not None:
        since = parse_time(expected.since)[0]
        longest = one.silences.longest(heartbeat)
        if end - last > longest:
            gaps, last = (*gaps, Gap(last, end)), end
        if since is not None and since < start and start - since > longest:
            gaps, start = (Gap(since, start), *gaps), since
    verbs = tuple(sorted(one.verbs, key=lambda v: v.value)) if one.decides else ()
    named = _names(one)
    usual = one.silences.usual()
    whole = Coverage(one.point, one.vantage, "*", start, last, one.records, gaps, one.decides and not named, verbs, usual)
    rows = [whole]
    for name, (first, records) in sorted(named.items()):
        own = tuple(gap for gap in gaps if gap.end > first)
        rows.append(Coverage(one.point, one.vantage, name, first, last, records, own, one.decides, verbs, usual))
    return rows


def _names(one: Heard) -> dict[str, tuple[int, int]]:
    """By what names (`kind:name`) a decider tells whom it sees; nothing where it names nobody or too many."""
    if not one.decides:
        return {}
    shared = {name for name, hosts in one.hosts.items() if len(hosts) > SHARED_HOSTS}
    kinds = ("principal", "host", "session") if not shared else ("host",)
    for kind in kinds:
        names = one.named.get(kind)
        if names:
            found = {f"{kind}:{name}": seen for name, seen in names.items()}
            if shared:
                found |= {
                    f"principal:{name}": seen for name, seen in one.named.get("principal", {}).items() if name not in shared
                }
            return found if len(found) <= MAX_SCOPES else {}
    return {}


def _absent(expected: PointFact, end: int | None) -> list[Coverage]:
    """A point that should be there and of which nothing was imported: one gap from its beginning to the last evidence."""
    since = parse_time(expected.since)[0]
    if end is None:
        return []
    start = since if since is not None and since < end else end
    vantage = Vantage(expected.vantage) if expected.vantage else Vantage.ENFORCER
    gaps = (Gap(start, end),) if start < end else ()
    return [Coverage(expected.id, vantage, expected.scope, start, end, 0, gaps)]


def shifts(
    before: Iterable[Coverage], now: Iterable[Coverage], told: Callable[[str], bool] = lambda point: True
) -> list[tuple[int, int]]:
    """The spans in which what the rows cover or decide on is another than it was; in order, disjoint.

    A row that is new or gone, or decides on other verbs, has changed from its beginning to its end. Of points whose gaps are
    told of as such, a gap that ends elsewhere than it did has changed throughout, but for one that only lasts on. Records
    that only follow in what was covered already change nothing.
    """
    old, new = ({(c.point, c.scope): c for c in rows} for rows in (before, now))
    found: list[tuple[int, int]] = []
    for key in old.keys() | new.keys():
        one, other = old.get(key), new.get(key)
        if one == other:
            continue
        if one is None or other is None or _says(one) != _says(other):
            found += [(c.start, c.end) for c in (one, other) if c is not None]
            continue
        same = len(one.gaps) if one.gaps == other.gaps[: len(one.gaps)] and one.start == other.start else 0
        found += _differ(_heard(one, same), _heard(other, same))
        if told(one.point):
            found += _differ([(g.start, g.end) for g in one.gaps], [(g.start, g.end) for g in other.gaps])
            ends, ends_now = _ends(one), _ends(other)
            found += [
                span for spans, others in ((ends, ends_now), (ends_now, ends)) for key, span in spans.items() if key not in others
            ]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _says(row: Coverage) -> tuple[object, ...]:
    """What a row says of all its time."""
    return row.vantage, bool(row.records), row.decides, row.verbs


def _heard(row: Coverage, behind: int = 0) -> list[tuple[int, int]]:
    """What a row covers: its time less its gaps; behind the first so many of these alone."""
    start = max(row.gaps[behind - 1].end, row.start) if behind else row.start
    found: list[tuple[int, int]] = []
    for gap in row.gaps[behind:]:
        if gap.start >= start:
            found.append((start, gap.start))
        start = max(start, gap.end)
    return [*found, (start, row.end)] if start <= row.end else found


def _ends(row: Coverage) -> dict[tuple[int, int | None], tuple[int, int]]:
    """Its gaps by the moments that a finding tells of them: of one that lasts to the end of the row, the beginning."""
    return {(g.start, None if g.end == row.end else g.end): (g.start, g.end) for g in row.gaps}


def _differ(one: Iterable[tuple[int, int]], other: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The moments that lie in exactly one of two sets of disjoint spans, as spans; each holds both its ends."""
    edges = sorted(
        (edge + side, n, side) for n, spans in enumerate((one, other)) for span in spans for side, edge in enumerate(span)
    )
    inside = [0, 0]
    found: list[tuple[int, int]] = []
    last = 0
    for edge, n, side in edges:
        if (inside[0] > 0) is not (inside[1] > 0) and edge > last:
            found.append((last, edge - 1))
        inside[n] += -1 if side else 1
        last = edge
    return found


def covered(
    coverages: Sequence[Coverage], at: int | None, names: Iterable[str] = (), point: str = "", verb: Verb = Verb.UNKNOWN
) -> bool:
    """Whether at a moment some decider (or the one named) was observed for one of these principals, hosts or sessions.

    `names` are canonical principals, host names and session scopes. A verb no decision was ever seen for is not covered.
    """
    if at is None:
        return False
    wanted = {name for name in names if name}
    told = (row for row in coverages if row.decides and row.records and (not point or row.point == point) and _of(row, wanted))
    return observed(told, at, verb)


def observed(rows: Iterable[Coverage], at: int | None, verb: Verb = Verb.UNKNOWN) -> bool:
    """Whether at a moment one of these deciders was observed, all of which can say something of what is asked about."""
    if at is None:
        return False
    return any(row.covers(at) and (verb is Verb.UNKNOWN or not row.verbs or verb in row.verbs) for row in rows)


def gap_kind(row: Coverage, gap: Gap, facts: OrgFacts) -> str:
    """What makes a silence a gap: nothing imported, a heartbeat missed, not heard where expected, or a silence longer than usual."""
    if not row.records:
        return "nothing imported"
    expected = next(iter(facts.expected_points(row.point)), None)
    if expected is not None and expected.heartbeat is not None:
        return "heartbeat missed"
    if expected is not None and (gap.end == row.end or gap.start == row.start):
        return "not heard"
    return "silence longer than usual"


def watched(row: Coverage, start: int, end: int) -> bool:
    """Whether a point was observed all the time from one moment to another, on its own clock."""
    return row.start <= start and end <= row.end and not any(gap.start < end and start < gap.end for gap in row.gaps)


def relevant(coverages: Iterable[Coverage], names: Iterable[str]) -> list[Coverage]:
    """The rows that can say anything of these principals, hosts or sessions: what a task's context needs of them."""
    wanted = {name for name in names if name}
    return [c for c in coverages if _of(c, wanted)]


def _of(row: Coverage, wanted: set[str]) -> bool:
    return row.scope == "*" or row.scope in wanted or row.scope.partition(":")[2] in wanted
