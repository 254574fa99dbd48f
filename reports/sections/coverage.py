"""Section 3: sources reconciled, enforcement points over the period, what was expected and not seen, what stayed unjudged."""

from __future__ import annotations

from model.chain import Coverage
from reports import coverage_shapes as shapes
from reports.assessment import unseen_points
from reports.input import PackInput, SourceRow
from reports.text import excerpt, when

SCALE = 1000


def _source(row: SourceRow) -> shapes.Source:
    return shapes.Source(
        id=row.id,
        name=row.name,
        format=row.format,
        sha256=row.sha256,
        bytes=row.bytes,
        first=when(row.first),
        last=when(row.last),
        read=row.read,
        accepted=row.accepted,
        duplicate=row.duplicate,
        rejected=row.rejected,
        reconciled=row.read == row.accepted + row.duplicate + row.rejected,
        events=row.events,
        points=sorted(row.points),
        reject_reasons=dict(sorted(row.reject_reasons.items())),
        unknown_types=dict(sorted(row.unknown_types.items())),
        zone_assumed=row.zone_assumed,
        skew_seconds="" if row.skew_micros is None else f"{row.skew_micros / 1_000_000:.3f}",
        note=excerpt(row.note),
    )


def _bar(row: Coverage, start: int, end: int) -> list[list[int]]:
    """The covered parts of a period in thousandths of it, gaps left out."""
    span = max(1, end - start)
    edges = [row.start]
    for gap in sorted(row.gaps, key=lambda g: g.start):
        edges += [gap.start, gap.end]
    edges.append(row.end)
    parts = []
    for begin, finish in zip(edges[::2], edges[1::2], strict=True):
        left = min(SCALE, max(0, (begin - start) * SCALE // span))
        right = min(SCALE, max(0, -((start - finish) * SCALE // span)))
        if finish >= start and begin <= end:
            parts.append([left, max(right, left)])
    return parts


def bounds(given: PackInput) -> tuple[int, int]:
    """The period drawn: as stated, or where it is open from the beginning of the first task to the last record that was known by then.

    A token that was issued years before is evidence too, but nothing of that time was under review.
    """
    seen = [t for c in given.coverage for t in (c.start, c.end)]
    seen += [t for s in given.sources for t in (s.first, s.last) if t is not None] or [given.as_of]
    begun = [t.started for t in given.tasks if t.started is not None] or seen
    start = given.start if given.start is not None else min(begun)
    end = given.end if given.end is not None else min(max(seen), given.as_of)
    return start, max(start, end)


def _points(given: PackInput) -> list[shapes.Point]:
    start, end = bounds(given)
    ordered = sorted(given.coverage, key=lambda c: (c.point, c.vantage, c.scope, c.start, c.end))
    return [
        shapes.Point(
            point=c.point,
            vantage=c.vantage.value,
            scope=c.scope,
            decides=c.decides,
            start=when(c.start) or "",
            end=when(c.end) or "",
            records=c.records,
            gaps=[shapes.Window(when(g.start) or "", when(g.end) or "") for g in sorted(c.gaps, key=lambda g: (g.start, g.end))],
            bar=_bar(c, start, end),
        )
        for c in ordered
    ]


def _limits(given: PackInput) -> list[shapes.Limit]:
    limits = [shapes.Limit("unattributed", kind, count) for kind, count in sorted(given.unattributed.items())]
    limits.append(shapes.Limit("outside period", "steps", given.outside_period))
    if given.not_kept:
        limits.append(shapes.Limit("raw record no longer kept", "records", given.not_kept))
    for detection in sorted(given.detections, key=lambda d: d.id):
        if detection.cannot_judge:
            limits.append(shapes.Limit("cannot judge", detection.id, detection.cannot_judge))
        for fact, count in sorted(detection.missing_facts.items()):
            limits.append(shapes.Limit("missing fact", f"{detection.id}: {fact}", count))
        for reason, count in sorted(detection.excluded.items()):
            limits.append(shapes.Limit("not reported", f"{detection.id}: {reason}", count))
    return limits


def coverage_section(given: PackInput) -> shapes.Coverage:
    """Section 3 of the report as data."""
    return shapes.Coverage(
        sources=[_source(s) for s in sorted(given.sources, key=lambda s: (s.name, s.id))],
        points=_points(given),
        expected=[shapes.Expected(p.id, p.vantage, p.scope, p.since) for p in unseen_points(given)],
        limits=_limits(given),
    )
