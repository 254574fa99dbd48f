"""Sources: every imported file reconciled to its last record, with what it leaves open: gaps, assumed zones, wrong clocks."""

from __future__ import annotations

from collections import Counter, defaultdict

from chains.heard import BURST, Silences
from chains.skew import Compared, compare
from importers.base import checks_chains
from importers.registry import importers
from lang.counted import count as how_many
from lang.times import iso, parse_time
from model.chain import Gap
from review.documents import Doc
from review.intake.imported import REJECTS_TOLD
from review.workspace import Workspace
from store import Store

NOT_JUDGED = "not judged"
SHOWN = 5
"""Reasons of rejection and unknown types a sentence names, the most frequent; the listing has them all."""


def sources(work: Workspace) -> list[Doc]:
    """Every source, counted from each record's home, in the shape of `remit sources --json` (docs/listings.md)."""
    store = work.store
    told, gaps, clocks = Told(store), _gaps(store), compare(store.clock_sums(), store.word_clocks())
    reasons, secrets, notes = store.reject_reasons(), store.secrets_replaced(), store.notes()
    rejects = store.rejects(REJECTS_TOLD)
    gone = store.not_kept_by_source()
    chained = _chained(store)
    found: list[Doc] = []
    for row in store.sources():
        bad = rejects.get(row.id, [])
        points = told.points.get(row.id, [])
        held = clocks_of(points, clocks)
        one: Doc = {
            "id": row.id,
            "name": row.name,
            "names": list(row.names),
            "format": row.format,
            "sha256": row.sha256,
            "bytes": row.bytes,
            "note": "; ".join(notes.get(row.id, ())) or None,
            "first": iso(row.first),
            "last": iso(row.last),
            "records": {
                "read": row.read,
                "accepted": row.accepted,
                "duplicate": row.duplicate,
                "rejected": row.rejected,
            },
            "not_kept": gone.get(row.id, 0),
            "events": told.events[row.id],
            "enforcement_points": points,
            "rejects": [{"line": r.line, "index": r.index, "offset": r.offset, "reason": r.reason} for r in bad],
            "rejects_left_out": row.rejected - len(bad),
            "reject_reasons": reasons.get(row.id, {}),
            "unknown_types": row.unknown_types,
            "secrets_replaced": secrets.get(row.id, {}),
            "gaps": [{"from": iso(gap.start), "to": iso(gap.end)} for gap in gaps.get(row.id, ())],
            "zone_assumed": told.zones[row.id],
            "skew_seconds": _seconds(widest(held)),
            "log_chain": chained.get(row.id) if told.events[row.id] else None,
            "clocks": [
                {"enforcement_point": point, "skew_seconds": _seconds(clock.skew), "pairs": clock.pairs, "words": clock.words}
                for point, clock in held.items()
            ],
        }
        found.append(one | {"flags": flags(one)})
    return found


class Told:
    """What the events of each source tell: how many, of which points, how many with an assumed time zone.

    With `until` events that happened later are left out.
    """

    def __init__(self, store: Store, until: int | None = None) -> None:
        self.events: Counter[str] = Counter()
        self.zones: Counter[str] = Counter()
        self.points: dict[str, list[str]] = defaultdict(list)
        for source, point, events, zones in store.told_by_source(until):
            self.events[source] += events
            self.zones[source] += zones
            self.points[source].append(point)


def clocks_of(points: list[str], clocks: dict[str, Compared]) -> dict[str, Compared]:
    """What is known of the clocks a source was written by: those of its points that were held against an agent's."""
    return {point: clocks[point] for point in points if point in clocks}


def widest(clocks: dict[str, Compared]) -> int | None:
    """The largest skew of these clocks in microseconds; None where none could be judged."""
    return max((one.skew for one in clocks.values() if one.skew is not None), key=abs, default=None)


def _seconds(skew: int | None) -> float | None:
    return None if skew is None else round(skew / 1e6, 3)


def _gaps(store: Store) -> dict[str, tuple[Gap, ...]]:
    """Silences of each source longer than ten times its usual one, by the rule coverage has for points."""
    found: dict[str, Silences] = defaultdict(Silences)
    for source, start, end in store.silences(BURST):
        found[source].see(start, end)
    return {source: silences.gaps() for source, silences in found.items()}


def _chained(store: Store) -> dict[str, str]:
    """Whether the records of a source were held against the chain their log keeps; sources of other formats are left out."""
    known = importers()
    rows = [row for row in store.named_sources() if row.format in known and checks_chains(known[row.format])]
    checked = {told[0] for told in store.delivered() if "log_chain" in told[-1]} if rows else set()
    return {row.id: "checked" if row.id in checked else NOT_JUDGED for row in rows}


def source_sentence(row: Doc) -> str:
    """A source in one sentence; what is in order is not spoken of."""
    counts = row["records"]
    return "; ".join(
        [
            f"{row['name']} ({row['format']}): read {counts['read']:,} = accepted {counts['accepted']:,} + duplicate "
            f"{counts['duplicate']:,} + rejected {counts['rejected']:,}",
            f"{row['first'] or '?'} to {row['last'] or '?'}",
            *remarks(row),
            f"sha256 {row['sha256'] or 'unknown: the import was cut short'}",
        ]
    )


def remarks(row: Doc) -> list[str]:
    """What a person should know of a source besides its counts: each a short clause."""
    often = sorted(row["reject_reasons"].items(), key=lambda pair: -pair[1])
    found = [f"rejected {count:,}: {reason}" for reason, count in often[:SHOWN]]
    if len(often) > SHOWN:
        found.append(f"rejected for {len(often) - SHOWN:,} further reasons")
    types = sorted(row["unknown_types"].items(), key=lambda pair: -pair[1])
    found += [f"kept without being understood: {count:,} of type {kind}" for kind, count in types[:SHOWN]]
    if len(types) > SHOWN:
        found.append(
            f"kept without being understood: {sum(count for _, count in types[SHOWN:]):,} of {len(types) - SHOWN:,} further types"
        )
    if row["not_kept"]:
        found.append(f"raw records no longer kept: {row['not_kept']:,} of {row['records']['accepted']:,}; their digests are")
    if row["secrets_replaced"]:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in row["secrets_replaced"].items())
        found.append(f"secrets replaced: {kinds}")
    if gaps := row["gaps"]:
        longest = max(gaps, key=lambda gap: (parse_time(gap["to"])[0] or 0) - (parse_time(gap["from"])[0] or 0))
        times = "once" if len(gaps) == 1 else f"{len(gaps):,} times, the longest"
        found.append(f"silent {times} from {longest['from']} to {longest['to']}")
    if row["zone_assumed"]:
        found.append(f"time zone not stated and taken as UTC in {row['zone_assumed']:,} of {how_many(row['events'], 'event')}")
    found += [clock_remark(one) for one in row["clocks"]]
    if row["log_chain"] == NOT_JUDGED:
        found.append(
            "log chain not judged: no record was held against it; what an earlier Remit read is by `remit store rebuild --events`"
        )
    if row["note"]:
        found.append(f"note: {row['note']}")
    return found


def clock_remark(one: Doc) -> str:
    """What is known of one clock and over how many pairs."""
    pairs = f"{how_many(one['pairs'], 'pair')}{', estimated from words' if one['words'] else ''}"
    if one["skew_seconds"] is None:
        return f"clock of {one['enforcement_point']} cannot be judged by {pairs}"
    if not one["skew_seconds"]:
        return f"clock of {one['enforcement_point']} agrees with the agents' over {pairs}"
    side = "ahead of" if one["skew_seconds"] > 0 else "behind"
    return f"clock of {one['enforcement_point']} {abs(one['skew_seconds']):g} s {side} the agents' over {pairs}"


def flags(row: Doc) -> list[str]:
    """What of a source wants a look, in single words."""
    wanted = {
        "unfinished": not row["sha256"],
        "rejected": row["records"]["rejected"],
        "unknown_types": row["unknown_types"],
        "gaps": row["gaps"],
        "not_kept": row["not_kept"],
        "zone_assumed": row["zone_assumed"],
        "skew": row["skew_seconds"],
        "chain_not_judged": row["log_chain"] == NOT_JUDGED,
    }
    return [name for name, there in wanted.items() if there]
