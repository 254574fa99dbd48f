"""Governed shares and the registry of enforcement points: sums the build keeps, never a scan of steps or events."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from chains.coverage import gap_kind
from chains.facts import OrgFacts, glob
from chains.reach import HOT
from lang.counted import count
from lang.times import iso
from model.chain import Coverage
from model.evidence import WIDE
from model.figures import Sums
from model.org import PointFact
from model.words import KeyRole, Vantage
from review.documents import Break, Doc, sequence_break
from review.errors import RemitError
from review.show.sentences import percent
from review.workspace import Workspace

BY = ("agent", "team", "week", "point", "key")
_COLUMNS = {"agent": "agent", "team": "owner", "week": "week"}


def coverage_by(work: Workspace, by: str) -> list[Doc]:
    """`remit coverage --by`: the governed share per agent, team or week, or how well each enforcement point was watched."""
    if by == "point":
        return watched(work)
    if by == "key":
        return crowded(work)
    if by not in _COLUMNS:
        raise RemitError(f"coverage cannot be told by {by!r}; by: {', '.join(BY)}")
    return [
        {by: row.name or None, **share_document(row.sums), "first": iso(row.first), "last": iso(row.last)}
        for row in work.store.shares(_COLUMNS[by])
    ]


def share_document(sums: Sums) -> Doc:
    """Counts of actions and the shares that follow from them; a share of nothing is null.

    `with_decision` is of all actions, `task_bound` of those that used a credential, `effect_confirmed` of all.
    """
    return {
        "actions": sums.actions,
        "decided": sums.decided,
        "allowed": sums.allowed,
        "refused": sums.refused,
        "with_credential": sums.held,
        "with_task_bound_credential": sums.bound,
        "confirmed": sums.confirmed,
        "share": {
            "with_decision": share(sums.decided, sums.actions),
            "task_bound": share(sums.bound, sums.held),
            "effect_confirmed": share(sums.confirmed, sums.actions),
        },
        "decision_distance": distance_document(sums),
    }


def distance_document(sums: Sums) -> Doc:
    """How far decisions were taken from what they were about, over all that could be compared."""
    return {
        "decisions": sums.timed,
        "mean_seconds": round(sums.waited / sums.timed / 1e6, 3) if sums.timed else None,
        "same_host": sums.near,
        "other_host": sums.far,
    }


def share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def watched(work: Workspace) -> list[Doc]:
    """Each enforcement point over its whole time: how long it was watched, its silences, and what is usual for it."""
    scopes: dict[str, int] = defaultdict(int)
    whole: list[Coverage] = []
    for row in work.store.coverage():
        if row.scope in ("", "*") or not row.records:
            whole.append(row)
        else:
            scopes[row.point] += 1
    breaks = sequence_breaks(work)
    return [_watched(row, scopes[row.point], work.facts, breaks.get(row.point, ())) for row in whole]


def sequence_breaks(work: Workspace) -> dict[str, list[Break]]:
    """By point where its log says of itself that it is not whole."""
    found: dict[str, list[Break]] = {}
    for one in work.store.sequence_breaks():
        found.setdefault(one[0], []).append(one)
    return found


def holes(row: Doc) -> str:
    """What a row of coverage lacks, by name: its gaps by kind, and the sequence breaks."""
    kinds = Counter(gap["kind"] for gap in row["gaps"])
    if broken := len(row["sequence_breaks"]):
        kinds["sequence break"] = broken
    return "".join(f", {kind}: {count}" for kind, count in sorted(kinds.items()))


def crowded(work: Workspace) -> list[Doc]:
    """Keys that identify nothing, since too many events or tasks carry them: over these nothing is joined."""
    wide = work.store.wide_scopes(WIDE)
    found: dict[str, Doc] = {}
    for key, many in work.store.crowded_keys(HOT):
        stronger = wide.get(key.name)
        if stronger is None and (key.role is KeyRole.SCOPE or any(k == key.name for k in found)):
            continue
        found[key.name] = {
            "key": key.name,
            "role": key.role.value,
            "events": many,
            "tasks": stronger,
            "why": f"more than {WIDE} tasks carry it" if stronger else f"more than {HOT} events carry it",
        }
    return list(found.values())


def _watched(row: Coverage, scopes: int, facts: OrgFacts, breaks: Sequence[Break]) -> Doc:
    silent = sum(gap.end - gap.start for gap in row.gaps)
    longest = max(row.gaps, key=lambda gap: (gap.end - gap.start, -gap.start), default=None)
    return {
        "point": row.point,
        "vantage": row.vantage.value,
        "from": iso(row.start),
        "to": iso(row.end),
        "records": row.records,
        "expected": bool(facts.expected_points(row.point)),
        "decides": row.decides or scopes > 0,
        "scopes": scopes,
        "share": {"watched": share(row.end - row.start - silent, row.end - row.start)},
        "usual_silence_seconds": round(row.usual / 1e6, 3) if row.usual else None,
        "silent_seconds": round(silent / 1e6, 3),
        "gaps": [{"from": iso(g.start), "to": iso(g.end), "kind": gap_kind(row, g, facts)} for g in row.gaps],
        "sequence_breaks": [sequence_break(one) for one in breaks],
        "longest_gap": {"from": iso(longest.start), "to": iso(longest.end), "kind": gap_kind(row, longest, facts)}
        if longest
        else None,
    }


def points(work: Workspace) -> list[Doc]:
    """`remit points`: every enforcement point that was seen or is expected, when, and in which versions."""
    store = work.store
    gaps = {row.point: row for row in store.coverage() if row.scope in ("", "*")}
    versions: dict[str, list[Doc]] = defaultdict(list)
    for one in store.point_versions():
        versions[one.point].append(
            {"kind": one.kind, "version": one.version, "seen": one.seen, "first": iso(one.first), "last": iso(one.last)}
        )
    verbs = store.verbs_decided()
    stated = bool(work.organisation.enforcement_points)
    found: list[Doc] = []
    seen = store.points()
    for row in seen:
        expected = next(iter(work.facts.expected_points(row.point)), None)
        covering = gaps.get(row.point)
        silent = covering is not None and covering.gaps and covering.gaps[-1].end == covering.end and expected is not None
        state = "silent" if silent else "seen" if expected or not stated else "not expected"
        found.append(
            {
                "id": row.point,
                "vantage": row.vantage,
                "state": state,
                "first": iso(row.first),
                "last": iso(row.last),
                "records": row.records,
                "events": row.events,
                "decides": row.decides,
                "decides_on": list(verbs.get(row.point, ())) if row.decides else [],
                "expected": _expected(expected),
                "versions": versions.get(row.point, []),
            }
        )
    for fact in work.organisation.enforcement_points:
        if not any(glob(fact.id).match(row.point.casefold()) for row in seen):
            found.append(_missing(fact))
    return sorted(found, key=lambda row: (row["id"], row["vantage"]))


def _expected(fact: PointFact | None) -> Doc | None:
    if fact is None:
        return None
    return {"id": fact.id, "since": fact.since or None, "scope": fact.scope, "heartbeat_seconds": fact.heartbeat}


def _missing(fact: PointFact) -> Doc:
    """A point the organisation expects and of which nothing was imported."""
    return {
        "id": fact.id,
        "vantage": fact.vantage or Vantage.ENFORCER.value,
        "state": "missing",
        "first": None,
        "last": None,
        "records": 0,
        "events": 0,
        "decides": False,
        "decides_on": [],
        "expected": _expected(fact),
        "versions": [],
    }


def share_sentence(row: Doc) -> str:
    """A row of `coverage --by` in one sentence."""
    if "key" in row:
        return f"{row['key']} ({row['role']}) identifies nothing: {row['events']:,} events carry it; nothing is joined over it"
    if "point" in row:
        gaps = row["gaps"]
        silent = (
            f"silent {len(gaps)} times, the longest from {row['longest_gap']['from']} to {row['longest_gap']['to']}"
            if gaps
            else "no gap"
        )
        return f"{row['point']} ({row['vantage']}): {row['from']} to {row['to']}, {percent(row['share']['watched'])} of it watched; {silent}"
    name = next(str(row[by] or f"unknown {by}") for by in _COLUMNS if by in row)
    shares = row["share"]
    return (
        f"{name}: {count(row['actions'], 'action')}, {percent(shares['with_decision'])} with a decision; of {row['with_credential']:,} that "
        f"used a credential {percent(shares['task_bound'])} with a task-bound one; {percent(shares['effect_confirmed'])} confirmed by the target"
    )


def latest(row: Doc) -> str:
    """The version of its software and of its policy that a point was seen to run last, and how many others."""
    last: dict[str, Doc] = {}
    for one in row["versions"]:
        held = last.get(one["kind"])
        if held is None or (one["last"] or "") > (held["last"] or ""):
            last[one["kind"]] = one
    more = len(row["versions"]) - len(last)
    return ", ".join(f"{kind} {one['version']}" for kind, one in sorted(last.items())) + (f" +{more}" if more else "")


def point_sentence(row: Doc) -> str:
    """An enforcement point in one sentence."""
    since = f", expected since {row['expected']['since']}" if row["expected"] and row["expected"]["since"] else ""
    versions = latest(row) or "no version stated"
    return f"{row['id']} ({row['vantage']}), {row['state']}{since}: {row['first'] or '?'} to {row['last'] or '?'}, {count(row['records'], 'record')}; {versions}"
