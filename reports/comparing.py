"""What differs between two reports, from their `report.json` alone: findings, results, sources, coverage, policies, people.

Both sides are plain documents and may be of another version or hostile: what one of them lacks is named and not guessed. A
finding that is no longer there is not called solved: the report says whether it lies outside the new period, lost its source
or was not found again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from model.words import ResultWord
from reports.difference import (
    Basis,
    Change,
    Changes,
    Comparison,
    ControlMove,
    Direction,
    FindingChange,
    FindingMove,
    Pair,
    Side,
)
from reports.errors import PackError

SCHEMA = "remit-report"

Doc = Mapping[str, Any]
_RANK = {
    ResultWord.NONE_FOUND.value: 0,
    ResultWord.NOT_IN_SCOPE.value: 1,
    ResultWord.NOT_ASSESSABLE.value: 1,
    ResultWord.INSUFFICIENT.value: 1,
    ResultWord.EXCEPTIONS.value: 2,
}


def compare(old: Doc, new: Doc) -> Comparison:
    """Hold two reports against each other; raises PackError where one is no report."""
    for name, one in (("old", old), ("new", new)):
        if one.get("schema") != SCHEMA:
            raise PackError(f"the {name} document is no Remit report: its schema is {str(one.get('schema'))[:80]!r}")
    sources = _named(old, new, ("coverage", "sources"), _source_name, _SOURCE_FIELDS)
    was, now = ({_text(f, "id"): f for f in _rows(one, "findings")} for one in (old, new))
    found = Comparison(
        same=False,
        old=_side(old),
        new=_side(new),
        basis=_basis(old, new),
        new_findings=[_move(now[id], _why_new(now[id], old)) for id in now if id not in was],
        gone_findings=[_move(was[id], _why_gone(was[id], new)) for id in was if id not in now],
        changed_findings=list(_changed_findings(was, now)),
        controls=_controls(old, new, was, now, sources),
        sources=sources,
        coverage=_named(old, new, ("coverage", "points"), _point_name, ("start", "end", "records", "decides", "gaps")),
        expected_unseen=_named(old, new, ("coverage", "expected"), lambda e: _text(e, "id"), ("vantage", "scope", "since")),
        detections=_named(old, new, ("method", "detectors"), lambda d: _text(d, "id"), _DETECTION_FIELDS),
        policies=_named(old, new, ("annexes", "policies"), _policy_name, ("sha256", "format", "author")),
        reviewers=_names(_list(old, "method", "reviewers"), _list(new, "method", "reviewers")),
        sign_offs=_names(
            *([f"{_text(s, 'who')}, {_text(s, 'at')}" for s in _rows(one, "sign_off", "signed")] for one in (old, new))
        ),
        figures=_figures(old, new),
    )
    found.same = not any(
        (
            found.basis,
            found.new_findings,
            found.gone_findings,
            found.changed_findings,
            found.controls,
            found.sources,
            found.coverage,
            found.expected_unseen,
            found.detections,
            found.policies,
            found.reviewers,
            found.sign_offs,
            found.figures,
        )
    )
    return found


_SOURCE_FIELDS = (
    "sha256",
    "bytes",
    "first",
    "last",
    "read",
    "accepted",
    "duplicate",
    "rejected",
    "events",
    "unknown_types",
    "note",
)
_DETECTION_FIELDS = ("version", "severity", "params", "lacking", "units", "cannot_judge")
_FINDING_FIELDS = ("severity", "state", "title", "task", "step", "evidence_digest", "exception", "remedy")


# Reading documents that may hold anything


def _at(one: Doc, *path: str) -> Any:
    value: Any = one
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _mapping(one: Doc, *path: str) -> Doc:
    value = _at(one, *path)
    return value if isinstance(value, Mapping) else {}


def _list(one: Doc, *path: str) -> list[Any]:
    value = _at(one, *path)
    return value if isinstance(value, list) else []


def _rows(one: Doc, *path: str) -> list[Doc]:
    return [row for row in _list(one, *path) if isinstance(row, Mapping)]


def _text(one: Doc, *path: str) -> str:
    value = _at(one, *path)
    return value if isinstance(value, str) else "" if value is None else str(value)


def _time(one: Doc, *path: str) -> str | None:
    return _text(one, *path) or None


def _side(one: Doc) -> Side:
    version = one.get("schema_version")
    return Side(
        organisation=_text(one, "cover", "organisation"),
        system=_text(one, "cover", "system"),
        start=_time(one, "cover", "period", "start"),
        end=_time(one, "cover", "period", "end"),
        as_of=_text(one, "cover", "as_of"),
        tool_version=_text(one, "cover", "tool_version"),
        schema_version=version if isinstance(version, int) else 0,
        tables_digest=_text(one, "cover", "tables_digest"),
    )


# What the two were made with


_COVER = {
    "organisation": ("organisation",),
    "system": ("system",),
    "beginning of the period": ("period", "start"),
    "end of the period": ("period", "end"),
    "as-of": ("as_of",),
    "version of Remit": ("tool_version",),
}


def _basis(old: Doc, new: Doc) -> list[Basis]:
    found = []
    if (was := _text(old, "schema_version")) != (now := _text(new, "schema_version")):
        found.append(Basis("schema version", "report.json", was, now))
    for name, path in _COVER.items():
        was, now = (_text(one, "cover", *path) for one in (old, new))
        if was != now:
            found.append(Basis(name, "", was, now))
    found += _frameworks(old, new)
    if (was := _text(old, "annexes", "crosswalk_checked_on")) != (now := _text(new, "annexes", "crosswalk_checked_on")):
        found.append(Basis("crosswalk", "checked on", was, now))
    before, after = (_mapping(one, "annexes", "configuration") for one in (old, new))
    for name in sorted({*before, *after}, key=str):
        if before.get(name) != after.get(name):
            found.append(Basis("configuration", str(name), _text(before, name), _text(after, name)))
    return found


def _frameworks(old: Doc, new: Doc) -> list[Basis]:
    """Frameworks of one report alone, other editions of the same catalogue by name, and catalogues of the same id that changed."""
    was, now = ({_text(f, "id"): f for f in _rows(one, "frameworks")} for one in (old, new))
    found = []
    for id in sorted({*was, *now}):
        if id in was and id in now:
            before, after = was[id], now[id]
            for name, field in (("edition", "edition"), ("catalogue file", "catalogue_sha256")):
                if _text(before, field) != _text(after, field):
                    found.append(Basis(name, id, _text(before, field), _text(after, field)))
            continue
        here, there = (was, now) if id in was else (now, was)
        other = [o for o in sorted(there) if o not in here and _text(there[o], "catalogue") == _text(here[id], "catalogue")]
        what = "edition" if other and _text(here[id], "catalogue") else "framework"
        beside = ", ".join(other) if what == "edition" else ""
        if what == "edition" and id in now:
            continue
        found.append(Basis(what, _text(here[id], "catalogue") or id, id if id in was else beside, id if id in now else beside))
    return found


# Findings


def _move(row: Doc, why: str) -> FindingMove:
    return FindingMove(
        id=_text(row, "id"),
        detection=_text(row, "detection"),
        title=_text(row, "title"),
        severity=_text(row, "severity"),
        state=_text(row, "state"),
        group=_text(row, "group"),
        at=_time(row, "at"),
        why=why,
    )


def _why_new(row: Doc, old: Doc) -> str:
    if reason := _outside(_text(row, "at"), old):
        return f"it lies {reason} of the old report"
    if not (_evidence(row) & _source_ids(old)):
        return "its evidence is in sources the old report did not have"
    ran = {_text(d, "id"): _text(d, "version") for d in _rows(old, "method", "detectors")}
    if _text(row, "detection") not in ran:
        return "the detection did not run for the old report"
    return "it was not found then"


def _why_gone(row: Doc, new: Doc) -> str:
    if reason := _outside(_text(row, "at"), new):
        return f"it lies {reason} of the new report"
    if not (_evidence(row) & _source_ids(new)):
        return "the new report has none of the sources its evidence is in"
    if _text(row, "detection") not in {_text(d, "id") for d in _rows(new, "method", "detectors")}:
        return "the detection did not run for the new report"
    return "it was not found again"


def _outside(at: str, other: Doc) -> str:
    """Where a time lies outside another report's period; times are ISO 8601 in UTC and sort as text."""
    start, end, as_of = (_text(other, "cover", *path) for path in (("period", "start"), ("period", "end"), ("as_of",)))
    if not at:
        return ""
    if start and _sortable(at) < _sortable(start):
        return "before the period"
    if end and _sortable(at) > _sortable(end):
        return "after the period"
    return "after the as-of moment" if as_of and _sortable(at) > _sortable(as_of) else ""


def _sortable(at: str) -> str:
    """ISO 8601 with and without a fraction, so that text sorts as time."""
    whole, _, fraction = at.rstrip("Z").partition(".")
    return f"{whole}.{fraction.ljust(6, '0')}"


def _evidence(row: Doc) -> set[str]:
    return {_text(e, "source") for e in _rows(row, "evidence")}


def _source_ids(one: Doc) -> set[str]:
    return {_text(s, "id") for s in _rows(one, "coverage", "sources")}


def _changed_findings(was: Mapping[str, Doc], now: Mapping[str, Doc]) -> Iterable[FindingChange]:
    for id, after in now.items():
        if id in was and (changed := _fields(was[id], after, _FINDING_FIELDS)):
            yield FindingChange(id, _text(after, "detection"), _text(after, "title"), _text(after, "severity"), changed)


def _fields(old: Doc, new: Doc, names: Iterable[str]) -> dict[str, Pair]:
    """Fields that both have and that differ; a field one side never had says nothing of a change."""
    return {name: (old[name], new[name]) for name in names if name in old and name in new and old[name] != new[name]}


# Controls


def _controls(old: Doc, new: Doc, was: Mapping[str, Doc], now: Mapping[str, Doc], sources: Changes) -> list[ControlMove]:
    before = {_text(f, "id"): f for f in _rows(old, "frameworks")}
    moved = []
    for framework in _rows(new, "frameworks"):
        name = _text(framework, "id")
        if name not in before:
            continue
        earlier = {_text(c, "id"): c for c in _rows(before[name], "controls")}
        later = {_text(c, "id"): c for c in _rows(framework, "controls")}
        for id in [*later, *(id for id in earlier if id not in later)]:
            one, other = earlier.get(id, {}), later.get(id, {})
            opened = (_whole(one.get("open")), _whole(other.get("open")))
            words = (_text(one, "result") or "not in the report", _text(other, "result") or "not in the report")
            if words[0] == words[1] and opened[0] == opened[1]:
                continue
            title = _text(other or one, "title")
            why = _why_moved(one, other, was, now, sources)
            moved.append(ControlMove(name, id, title, *words, _direction(*words, *opened), opened, why))
    return moved


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _direction(old: str, new: str, was_open: int, now_open: int) -> Direction:
    """Better only where more is known or less is open; where the evidence went, a result did not get better."""
    if old not in _RANK or new not in _RANK:
        return "other"
    if old == new:
        return "worse" if now_open > was_open else "better"
    if _RANK[new] == 1:
        return "less known" if _RANK[old] != 1 else "other"
    return "worse" if _RANK[new] > _RANK[old] else "better"


def _why_moved(old: Doc, new: Doc, was: Mapping[str, Doc], now: Mapping[str, Doc], sources: Changes) -> list[str]:
    why = []
    before, after = ({str(f) for f in _list(one, "findings")} for one in (old, new))
    for what, all_ids, known in (("new", after - before, now), ("gone", before - after, was)):
        spots = {id for id in all_ids if id in known and _text(known[id], "group") == "blind-spot"}
        for kind, ids in (("findings", all_ids - spots), ("blind spots", spots)):
            if not ids:
                continue
            seen = sorted({_text(e, "name") for id in ids if id in known for e in _rows(known[id], "evidence")} - {""})
            told = f", told by {_several(seen)}" if seen else ""
            why.append(f"{what} {kind}: {_several(sorted(ids))}{told}")
    states = [
        id for id in sorted(before & after) if id in was and id in now and _text(was[id], "group") != _text(now[id], "group")
    ]
    if states:
        judged = [f"{id} from {_text(was[id], 'state')} to {_text(now[id], 'state')}" for id in states]
        why.append(f"findings judged otherwise: {_several(judged)}")
    sizes = [_mapping(one, "population") for one in (old, new)]
    for unit in sorted({*sizes[0], *sizes[1]}, key=str):
        if sizes[0].get(unit) != sizes[1].get(unit):
            why.append(f"population of {unit}: {_text(sizes[0], unit) or 0} to {_text(sizes[1], unit) or 0}")
    lacked, lacks = ([str(text) for text in _list(one, "lacking")] for one in (old, new))
    why += [f"now {text}" for text in lacks if text not in lacked]
    why += [f"no longer: {text}" for text in lacked if text not in lacks]
    ran, runs = ({str(d) for d in _list(one, "ran")} for one in (old, new))
    why += [f"detection {d} ran for the new report alone" for d in sorted(runs - ran)]
    why += [f"detection {d} ran for the old report alone" for d in sorted(ran - runs)]
    if lacks != lacked:
        why += [f"sources gone: {_several(sources.gone)}"] if sources.gone else []
        why += [f"sources added: {_several(sources.added)}"] if sources.added else []
    if not why and _text(old, "reason") != _text(new, "reason"):
        why.append(f"reason: {_text(new, 'reason') or 'none'}")
    return why


SHOWN = 5


def _several(names: list[str]) -> str:
    """The first few, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


# Named things


def _source_name(one: Doc) -> str:
    return f"{_text(one, 'name')} ({_text(one, 'id')})"


def _point_name(one: Doc) -> str:
    return f"{_text(one, 'point')} ({_text(one, 'vantage')}, scope {_text(one, 'scope')})"


def _policy_name(one: Doc) -> str:
    return f"{_text(one, 'name')}, version {_text(one, 'version')}"


def _named(old: Doc, new: Doc, path: tuple[str, ...], name: Callable[[Doc], str], fields: Iterable[str]) -> Changes:
    was, now = ({name(row): row for row in _rows(one, *path)} for one in (old, new))
    changed = [Change(key, diff) for key, row in now.items() if key in was and (diff := _fields(was[key], row, fields))]
    return Changes([key for key in now if key not in was], [key for key in was if key not in now], changed)


def _names(old: Iterable[object], new: Iterable[object]) -> Changes:
    was, now = (list(dict.fromkeys(str(one) for one in names)) for names in (old, new))
    return Changes([n for n in now if n not in was], [n for n in was if n not in now], [])


def _figures(old: Doc, new: Doc) -> dict[str, Pair]:
    was, now = (_mapping(one, "figures") for one in (old, new))
    return {str(n): (was.get(n), now.get(n)) for n in sorted({*was, *now}, key=str) if was.get(n) != now.get(n)}
