"""The overview: one look at a store's posture, part by part, each figure with the rows behind it.

Every part is worked out from sums the store keeps, never from all tasks, findings or events (`store.posture`).
"""

from __future__ import annotations

import shlex
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property

from lang.times import iso
from model.chain import Coverage
from model.figures import Sums
from model.words import Severity
from review.documents import Doc
from review.judge import visits
from review.judge.exceptions import exceptions
from review.show.shares import share, share_document
from review.sitting.days import DAY, HOUR, Span, last, lit, merge, shares, unit_of, watched
from review.sitting.figures import BONDS, PARTS, RISKIEST, elsewhere, in_queue, waiting_document
from review.stores.teams import sight
from review.workspace import Workspace
from store.rows import RiskRow

DAYS = 14
"""Days told of (or hours, where the evidence has few days) where nobody says how many."""
WEEKS = 12
RANKED = 50
"""Agents and repositories listed; how many there are is told whole."""
BANDS = (20, 40, 60, 80)
"""Lower bounds of the bands of risk above the first."""
RISKY = 60
AGES = (("under a day", 1), ("1 to 7 days", 7), ("7 to 30 days", 30))
OLDER = "over 30 days"
SOON = 7 * DAY
"""An acceptance that ends within this time is told of."""


def overview(work: Workspace, days: int = DAYS, *, visit: bool = False) -> Doc:
    """`remit overview`: every part; with `visit` the look counts as one, so that the next tells what is new since."""
    look = Overview(work, days)
    document = look.head() | {part: look.part(part) for part in PARTS}
    if visit:
        document["visit"]["remembered"] = look.remember()
    return document


class Overview:
    """One look at a store. `now` is the wall clock in microseconds."""

    def __init__(self, work: Workspace, days: int = DAYS, now: int | None = None) -> None:
        self.work = work
        self.wanted = days
        self.now = time.time_ns() // 1_000 if now is None else now
        self.reviewer = work.identity

    def part(self, name: str) -> Doc:
        """One of `PARTS`."""
        made: Callable[[], Doc] = getattr(self, f"_{name}")
        return made()

    def head(self) -> Doc:
        """What the look is at: until when there is evidence, how much, and of which teams alone (`sees`, null for all)."""
        last = self.work.store.last_evidence()
        return {
            "at": iso(self.now),
            "evidence_until": iso(last),
            "sources": self.work.store.source_count(),
            "tasks": sum(row.tasks for row in self._risks),
            "sees": sight(self.work),
        }

    @cached_property
    def as_of(self) -> int:
        """Ages are told as of the last evidence: a store of old logs waits no longer than its logs say."""
        last = self.work.store.last_evidence()
        return self.now if last is None else min(last, self.now)

    @cached_property
    def _risks(self) -> list[RiskRow]:
        return self.work.store.risk_sums()

    @cached_property
    def _spans(self) -> list[Span]:
        """When anything was watched."""
        return merge(span for row in self._covered for span in watched(row))

    @cached_property
    def _covered(self) -> list[Coverage]:
        return self.work.store.whole_coverage()

    @cached_property
    def _unit(self) -> int:
        return unit_of(self._spans)

    @cached_property
    def _periods(self) -> list[int]:
        return last(self._spans, self._unit, self.wanted)

    def _axis(self) -> Doc:
        """The periods a figure over time speaks of: days, or hours where the evidence has few days."""
        size = 10 if self._unit == DAY else 13
        return {
            "unit": "day" if self._unit == DAY else "hour",
            "periods": [(iso(period * self._unit) or "")[:size] for period in self._periods],
            "after_gap": [n > 0 and period != self._periods[n - 1] + 1 for n, period in enumerate(self._periods)],
        }

    # the parts

    def _riskiest(self) -> Doc:
        return {"tasks": [waiting_document(row) for row in self.work.store.waiting_rows(RISKIEST)]}

    def _review(self) -> Doc:
        """What waits for a reviewer and since when, what was judged, which risks are accepted."""
        bounds = [self.as_of - days * DAY for _, days in AGES]
        found = self.work.store.waiting(bounds)
        ages = []
        upper: int | None = None
        for (name, _), bound, count in zip(AGES, bounds, found.since, strict=False):
            ages.append({"age": name, "tasks": count, "rows": in_queue("state:open", *_between(bound, upper))})
            upper = bound
        ages.append({"age": OLDER, "tasks": found.since[-1], "rows": in_queue("state:open", *_between(None, upper))})
        total = sum(row.tasks for row in self._risks)
        judged = [entry for entry in self.work.store.journal_after(self.now - DAY) if entry.what == "verdict"]
        accepted = [one for one in exceptions(self.work) if one["state"] == "in force"]
        soon = iso(self.now + SOON) or ""
        return {
            "waiting": found.open + found.reopened,
            "open": {"tasks": found.open, "rows": in_queue("state:open")},
            "reopened": {"tasks": found.reopened, "rows": in_queue("state:reopened")},
            "judged": {"tasks": total - found.open - found.reopened, "rows": in_queue("state:reviewed")},
            "oldest": iso(found.oldest),
            "oldest_seconds": None if found.oldest is None else max((self.as_of - found.oldest) // 1_000_000, 0),
            "as_of": iso(self.as_of),
            "ages": ages,
            "undated": found.undated,
            "last_day": {
                "verdicts": len(judged),
                "reviewers": len({entry.who for entry in judged}),
                "rows": elsewhere("journal"),
            },
            "accepted": {
                "exceptions": len(accepted),
                "hides": sum(one["hides"] for one in accepted),
                "ending_within_7_days": sum((one["expires"] or "") <= soon for one in accepted),
                "rows": elsewhere("accepted"),
            },
        }

    def _visit(self) -> Doc:
        """What is new since the reviewer's last visit; counts are null where the store cannot tell."""
        kept = visits.recall(self.work.location, self.reviewer)
        seen = visits.since(kept, self.now)
        shape: Doc = {"reviewer": self.reviewer, "last": iso(seen.at) if seen else None, "tasks": None}
        if seen is None:
            return shape
        changed = self.work.store.changed_after(seen.mark) if seen.mark else None
        mark = f"since:{seen.mark.partition(':')[0]}"
        narrowed = [in_queue(mark, f"severity:{one}") for one in ("critical", "high")] if changed is not None else []
        return shape | {
            "tasks": None if changed is None else {"tasks": changed, "rows": in_queue(mark)},
            "with": [
                {"severity": name, "tasks": self._count(rows["filter"]), "rows": rows}
                for name, rows in zip(("critical", "high"), narrowed, strict=False)
            ],
            "tasks_before": seen.tasks,
            "findings_before": dict(seen.findings),
            "imports": {"files": self.work.store.imports_after(seen.at), "rows": elsewhere("sources")},
        }

    def _count(self, filter: str) -> int:
        from review.show.filters import task_filter

        return self.work.store.count_tasks(task_filter(filter))

    def _findings(self) -> Doc:
        """Findings by severity, and blind spots, over time; `new` is against the last visit, null where there was none."""
        before = visits.since(visits.recall(self.work.location, self.reviewer), self.now)
        over: dict[str, dict[int | None, int]] = defaultdict(lambda: defaultdict(int))
        for one in self.work.store.finding_hours():
            period = None if one.hour is None else one.hour * HOUR // self._unit
            over["blind" if one.blind_spot else one.severity][period] += one.findings
        rows = []
        for name in (*(one.value for one in Severity), "blind"):
            held = over[name]
            total = sum(held.values())
            column = "blind_spots" if name == "blind" else name
            rows.append(
                {
                    "severity": name,
                    "total": total,
                    "tasks": sum(getattr(row, column) for row in self._risks),
                    "over_time": [held.get(period, 0) for period in self._periods],
                    "undated": held.get(None, 0),
                    "new": total - before.findings.get(name, 0) if before else None,
                    "rows": in_queue(f"severity:{name}"),
                }
            )
        return self._axis() | {"severities": rows}

    def _governed(self) -> Doc:
        """The governed share of all actions, and how it went week by week."""
        weeks: dict[str, Sums] = defaultdict(Sums)
        for row in self.work.store.share_sums():
            weeks[row.week] = weeks[row.week].plus(row.sums)
        total = _added(weeks.values())
        told = [name for name in sorted(weeks) if name][-WEEKS:]
        return share_document(total) | {
            "weeks": [{"week": name, "share": share_document(weeks[name])["share"]} for name in told],
            "rows": {
                "with_decision": elsewhere("shares"),
                "task_bound": elsewhere("credentials"),
                "effect_confirmed": elsewhere("shares"),
            },
        }

    def _credentials(self) -> Doc:
        """Standing against task-bound credentials, and what is wrong with how many."""
        bonds = dict.fromkeys(BONDS, 0)
        flags: dict[str, int] = defaultdict(int)
        for bond, marked, count in self.work.store.credential_sums():
            bonds[bond] += count
            for flag in marked:
                flags[flag] += count
        return {
            "credentials": sum(bonds.values()),
            "bonds": [
                {"bond": name, "credentials": count, "rows": elsewhere("credentials", bond=name)} for name, count in bonds.items()
            ],
            "flags": [
                {"flag": name, "credentials": count, "rows": elsewhere("credentials", flag=name)}
                for name, count in sorted(flags.items(), key=lambda pair: (-pair[1], pair[0]))
            ],
        }

    def _coverage(self) -> Doc:
        """Each enforcement point over time: how much of what anybody watched it watched too."""
        whole = lit(self._spans, self._periods, self._unit)
        points = [
            {
                "enforcement_point": row.point,
                "vantage": row.vantage.value,
                "decides": row.decides,
                "records": row.records,
                "gaps": len(row.gaps),
                **self._seen(row, whole),
                "rows": elsewhere("sources"),
            }
            for row in self._covered
        ]
        return self._axis() | {"points": points}

    def _seen(self, row: Coverage, whole: list[int]) -> Doc:
        """Period by period and over all of them, `watched`, how much of what anybody watched a point watched too."""
        over = shares(row, self._periods, self._unit, whole)
        seen = sum((part or 0.0) * lit for part, lit in zip(over, whole, strict=True))
        return {"watched": share(round(seen), sum(whole)), "over_time": over}

    def _agents(self) -> Doc:
        return self._ranking("agent", "agent")

    def _repositories(self) -> Doc:
        return self._ranking("repository", "repo")

    def _ranking(self, column: str, field: str) -> Doc:
        """Agents or repositories, those with the riskiest task first."""
        risks: dict[str, list[RiskRow]] = defaultdict(list)
        for row in self._risks:
            risks[getattr(row, column)].append(row)
        sums: dict[str, Sums] = defaultdict(Sums)
        for governed in self.work.store.share_sums():
            name = getattr(governed, column)
            sums[name] = sums[name].plus(governed.sums)
        rows = [
            {
                column: name or None,
                "tasks": sum(row.tasks for row in held),
                "risk": max(row.risk for row in held),
                f"risk_from_{RISKY}": sum(row.tasks for row in held if row.risk >= RISKY),
                "bands": _bands(held),
                **{severity.value: sum(getattr(row, severity.value) for row in held) for severity in Severity},
                "share": share_document(sums[name])["share"],
                "rows": in_queue(f"{field}:{shlex.quote(name) if name else '?'}"),
            }
            for name, held in risks.items()
        ]
        rows.sort(key=lambda row: (-row["risk"], -row["critical"], -row["high"], -row["tasks"], row[column] or ""))
        return {"total": len(rows), "rows": rows[:RANKED]}

    # visits

    def remember(self) -> bool:
        """Count this look as a visit; False where that cannot be kept."""
        findings = {row["severity"]: row["total"] for row in self._findings()["severities"]}
        seen = visits.Seen(self.now, self.work.store.last_change(), sum(row.tasks for row in self._risks), findings)
        return visits.remember(self.work.location, self.reviewer, seen)


def _between(low: int | None, high: int | None) -> list[str]:
    """The words of a filter for tasks that began from one moment on and before another."""
    return [f"{word}:{iso(at)}" for word, at in (("after", low), ("before", high)) if at is not None]


def _bands(rows: Iterable[RiskRow]) -> list[int]:
    """Tasks by band of risk, the lowest band first."""
    found = [0] * (len(BANDS) + 1)
    for row in rows:
        found[sum(row.risk >= bound for bound in BANDS)] += row.tasks
    return found


def _added(sums: Iterable[Sums]) -> Sums:
    total = Sums()
    for one in sums:
        total = total.plus(one)
    return total
