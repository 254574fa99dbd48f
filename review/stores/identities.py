"""Identities: principals by their one name after the organisation's aliases, and which of the others may be one."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator

from chains.identities import REASONS, Candidate, candidates
from lang.counted import count
from lang.times import iso
from model.evidence import NamedAct
from review.documents import Doc, Refs
from review.show.listings import references
from review.workspace import Workspace

SHOWN = 3
"""Candidates that a sentence names; the listing has them all."""


def identities(work: Workspace) -> list[Doc]:
    """Every principal in the shape of `remit identities --json` (docs/listings.md); candidates are listed, never merged."""
    # One view: an import beside it may bring a name to what is read later that what is read first does not know.
    with work.store.viewing(math.inf):
        return _identities(work)


def _identities(work: Workspace) -> list[Doc]:
    kinds: dict[str, set[str]] = defaultdict(set)

    def acts() -> Iterator[NamedAct]:
        for act in work.store.named_acts():
            kinds[act.principal].add(act.kind)
            yield act

    found = candidates(acts, work.store.step_ends(), work.facts)
    called: dict[str, set[str]] = defaultdict(set)
    for principal, told in kinds.items():
        called[work.facts.identity(principal)] |= told
    merged: dict[str, Doc] = {}
    for row in work.store.identities():
        name = work.facts.identity(row.principal)
        one = merged.setdefault(
            name,
            {
                "identity": name,
                "kind": work.facts.kind(row.principal) or _kind(called[name]),
                "known": work.facts.knows_identity(row.principal),
                "names": [],
                "points": [],
                "events": 0,
                "first": None,
                "last": None,
                "candidates": [],
            },
        )
        one["names"] = sorted({*one["names"], row.principal})
        one["points"] = sorted({*one["points"], *row.points})
        one["events"] += row.events
        one["first"] = min(filter(None, (one["first"], iso(row.first))), default=None)
        one["last"] = max(filter(None, (one["last"], iso(row.last))), default=None)
    _tell(work, merged, found)
    return sorted(merged.values(), key=lambda one: (-one["events"], one["identity"]))


def _kind(stated: set[str]) -> str:
    """What the logs call a principal, where they call it one thing."""
    told = stated - {"unknown", ""}
    return told.pop() if len(told) == 1 else "unknown"


def _tell(work: Workspace, merged: dict[str, Doc], found: list[Candidate]) -> None:
    """Tell each identity which others it may be one with."""
    refs = references(work, [record for one in found for reason in one.reasons for record in reason.records])
    for one in found:
        for name, other in ((one.one, one.other), (one.other, one.one)):
            merged[name]["candidates"].append(_candidate(one, merged[other], merged[name], refs))


def _candidate(found: Candidate, other: Doc, own: Doc, refs: Refs) -> Doc:
    kinds = {own["kind"], other["kind"]} - {"unknown"}
    return {
        "identity": other["identity"],
        "reasons": [
            {
                "reason": reason.reason,
                "why": REASONS[reason.reason],
                "key": reason.key,
                "keys": reason.keys,
                "count": reason.total,
                "records": refs.records(reason.records),
            }
            for reason in found.reasons
        ],
        "against": [f"the one is {' and the other '.join(sorted(kinds))}"] if len(kinds) > 1 else [],
    }


def identity_sentence(row: Doc) -> str:
    """A principal in one sentence, with the strongest reasons to take it for another."""
    also = [name for name in row["names"] if name != row["identity"]]
    parts = [
        f"{row['identity']} ({row['kind']}{'' if row['known'] else ', in no organisation file'}): {count(row['events'], 'event')}"
    ]
    if also:
        parts.append(f"also {', '.join(also)}")
    for one in row["candidates"][:SHOWN]:
        reasons = ", ".join(f"{reason['why']} ({count(reason['count'], 'record')})" for reason in one["reasons"])
        against = f"; against it: {', '.join(one['against'])}" if one["against"] else ""
        parts.append(f"may be {one['identity']}: {reasons}{against}")
    if len(row["candidates"]) > SHOWN:
        parts.append(f"may be one of {len(row['candidates']) - SHOWN:,} further names")
    return "; ".join(parts)


def cells(row: Doc) -> Doc:
    """The row as a table shows it: the candidates by name and reason."""
    return row | {"may_be": ", ".join(f"{one['identity']} ({one['reasons'][0]['reason']})" for one in row["candidates"])}
