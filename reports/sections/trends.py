"""What the charts are drawn from: findings and governed steps over the period, and how old credentials became.

Every count here is found again in findings.csv, population.csv and credentials.csv; the intervals are half open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from model.words import Severity
from reports import document as doc
from reports.input import AnyCredential, PackInput
from reports.sections.coverage import bounds
from reports.tally import Bins
from reports.text import when

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
WIDTHS = (HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 84 * DAY, 364 * DAY)
MOST = 24
"""Intervals drawn at most; the width grows until they are enough."""

AGES = (
    ("up to 15 minutes", 900),
    ("up to 1 hour", 3600),
    ("up to 12 hours", 43_200),
    ("up to 1 day", 86_400),
    ("up to 7 days", 604_800),
    ("up to 30 days", 2_592_000),
    ("up to 90 days", 7_776_000),
)
OLDER = "more than 90 days"
UNSTATED = "not stated"
ENDLESS = -1
"""The lifetime in seconds of what never expires."""


def bins(given: PackInput) -> Bins:
    """The intervals of the period, at most MOST, aligned to UTC hours or days."""
    start, end = bounds(given)
    width = next((w for w in WIDTHS if end // w - start // w < MOST), WIDTHS[-1])
    while end // width - start // width >= MOST:
        width *= 2
    return Bins(start // width * width, width, end // width - start // width + 1)


def trends_section(places: Bins, findings: Iterable[tuple[int | None, Severity]]) -> doc.Trends:
    """Steps as the bins counted them, and findings (moment, severity) put beside them; blind spots are not handed over."""
    counted = [dict.fromkeys(Severity, 0) for _ in range(places.number)]
    elsewhere = 0
    for at, severity in findings:
        place = places.place(at)
        if place is None:
            elsewhere += 1
        else:
            counted[place][severity] += 1
    return doc.Trends(
        width_seconds=places.width // SECOND,
        intervals=[
            doc.Interval(
                start=when(places.start + i * places.width) or "",
                findings={severity.value: count for severity, count in row.items()},
                steps=places.steps[i],
                decided=places.decided[i],
            )
            for i, row in enumerate(counted)
        ],
        findings_elsewhere=elsewhere,
        steps_elsewhere=places.steps_elsewhere,
    )


def credential_ages(credentials: Sequence[AnyCredential], as_of: int) -> list[doc.AgeClass]:
    """Credentials by the age they reached and by the lifetime they were granted.

    The age runs from issue to the earliest of revocation, expiry and the as-of moment. What was granted without an end is older than
    every class.
    """
    labels = [label for label, _ in AGES] + [OLDER, UNSTATED]
    ages, lifetimes = dict.fromkeys(labels, 0), dict.fromkeys(labels, 0)
    for credential in credentials:
        ages[_class(_age(credential, as_of))] += 1
        lifetimes[_class(_lifetime(credential))] += 1
    return [doc.AgeClass(label, ages[label], lifetimes[label]) for label in labels]


def _age(credential: AnyCredential, as_of: int) -> int | None:
    if credential.issued is None:
        return None
    ends = (as_of, credential.revoked, credential.expires)
    return max(0, min(end for end in ends if end is not None) - credential.issued)


def _lifetime(credential: AnyCredential) -> float | None:
    if credential.ttl_seconds == ENDLESS:
        return inf
    if credential.issued is None or credential.expires is None:
        return None
    return max(0, credential.expires - credential.issued)


def _class(micros: float | None) -> str:
    if micros is None:
        return UNSTATED
    return next((label for label, seconds in AGES if micros <= seconds * SECOND), OLDER)
