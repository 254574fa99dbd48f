"""The overview's panels as lines: pure functions of what `review.sitting.overview` tells and of the cells there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lang.cells import cell_width
from lang.counted import count
from lang.safe import safe_line
from review.sitting.figures import BONDS
from tui import charts, format
from tui.widgets.columns import CURSOR, fit

Doc = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a panel: harmless text, the rows it leads to (None: it leads nowhere), and a tone that only repeats the text."""

    text: str
    rows: Doc | None = None
    tone: str = ""


RISKIEST = "riskiest"
TITLES = {
    RISKIEST: "waiting, riskiest first",
    "visit": "since your last visit",
    "findings": "findings",
    "governed": "governed share",
    "review": "review",
    "coverage": "coverage by enforcement point",
    "credentials": "credentials",
    "agents": "agents by risk",
    "repositories": "repositories by risk",
}
NARROW_RISKIEST = 3
"""Tasks of the first panel where panels are stacked."""


def room(cells: int) -> int:
    """What a panel's lines have of so many cells: two stand before each, for the cursor."""
    return max(cells - 2, 20)


def row_text(line: Line, *, here: bool) -> str:
    """A line as it is drawn, behind the cursor or the place for it."""
    return f"{CURSOR if here else ' '} {line.text}"


def lines(part: str, doc: Doc, width: int) -> list[Line]:
    """The lines of a panel, by the name of its part."""
    room = max(width, 20)
    return [replace(line, text=safe_line(line.text, room)) for line in _PANELS[part](doc, room)]


def riskiest(doc: Doc, width: int) -> Iterable[Line]:
    if not doc["tasks"]:
        yield Line("nothing waits for a reviewer")
    wide = width >= 70
    for row in doc["tasks"]:
        found = format.severity_mark(row["findings"]) + (row["detections"][0] if row["detections"] else "")
        more = f"+{len(row['detections']) - 1}" if len(row["detections"]) > 1 else ""
        head = f"{row['risk']:>3} {found:<9} {more:<3} "
        tail = f"  {fit(str(row['agent'] or '?'), 12)} {fit(_short(row['repository']), 14)}" if wide else ""
        yield Line(
            head + fit(str(row["title"]), width - len(head) - cell_width(tail)) + tail, row["rows"], _severity(row["findings"])
        )


def review(doc: Doc, width: int) -> Iterable[Line]:
    oldest = doc["oldest_seconds"]
    age = f"  oldest {format.span(oldest)}" if oldest is not None else ""
    whole = doc["open"]["tasks"]
    yield Line(f"{'open':<13}{whole:>7,}{age}", doc["open"]["rows"])
    cells = max(min(width - 23, 24), 4)
    for row in doc["ages"]:
        share = row["tasks"] / whole if whole else None
        yield Line(f"  {row['age']:<12}{row['tasks']:>6,} {charts.bar(share, cells)}".rstrip(), row["rows"])
    if doc["undated"]:
        yield Line(f"  no date     {doc['undated']:>6,}")
    yield Line(f"{'reopened':<13}{doc['reopened']['tasks']:>7,}", doc["reopened"]["rows"])
    yield Line(f"{'judged':<13}{doc['judged']['tasks']:>7,}", doc["judged"]["rows"])
    day = doc["last_day"]
    yield Line(f"{'last 24 h':<13}{day['verdicts']:>7,}  by {day['reviewers']:,}", day["rows"])
    accepted = doc["accepted"]
    ending = f", {accepted['ending_within_7_days']:,} end in 7 d" if accepted["ending_within_7_days"] else ""
    yield Line(f"{'exceptions':<13}{accepted['exceptions']:>7,}  hide {accepted['hides']:,}{ending}", accepted["rows"])


def visit(doc: Doc, width: int) -> Iterable[Line]:
    if doc["last"] is None:
        yield Line("this is your first visit")
        yield Line("the next one tells what is new", tone="dim")
        return
    yield Line(f"last here {format.day(doc['last'])}")
    if doc["tasks"] is None:
        yield Line("all was built anew since: changes are not known")
    else:
        yield Line(f"{'tasks new or changed':<22}{doc['tasks']['tasks']:>6,}", doc["tasks"]["rows"])
        for row in doc["with"]:
            name = f"with {row['severity']} findings"
            yield Line(f"  {name:<20}{row['tasks']:>6,}", row["rows"], _TONES[row["severity"]] if row["tasks"] else "")
    yield Line(f"{'files imported':<22}{doc['imports']['files']:>6,}", doc["imports"]["rows"])


def findings(doc: Doc, width: int) -> Iterable[Line]:
    room = max(width - 31, 4)
    kept = min(len(doc["periods"]), room)
    cells = max(min(room // max(kept, 1), 3), 1)
    yield _axis(doc, kept, 11)
    top = max((max(row["over_time"][-room:], default=0) for row in doc["severities"]), default=0)
    for row in doc["severities"]:
        name = row["severity"]
        mark = format.SEVERITY.get(name, "▒ ")
        drawn = "".join(level * cells for level in charts.sparkline(row["over_time"][-room:], top))
        new = charts.change(row["new"]) if row["new"] else ""
        tasks = f"in {row['tasks']:,}"
        yield Line(
            f"{mark}{name:<9}{drawn} {row['total']:>5,} {tasks:<7}{new}".rstrip(),
            row["rows"],
            _TONES.get(name, "") if row["total"] else "dim",
        )


def governed(doc: Doc, width: int) -> Iterable[Line]:
    told = (
        ("with a decision", "with_decision", doc["decided"], doc["actions"]),
        ("task-bound cred.", "task_bound", doc["with_task_bound_credential"], doc["with_credential"]),
        ("effect confirmed", "effect_confirmed", doc["confirmed"], doc["actions"]),
    )
    weeks = [one["share"] for one in doc["weeks"]]
    trend = len(weeks) > 1 and width >= 48 + len(weeks)
    room = width - 24 - (len(weeks) + 1 if trend else 0)
    for name, share, part, whole in told:
        value = doc["share"][share]
        of = f" {part:,} of {whole:,}"
        cells = min(room - len(of), 40)
        if cells < 8:
            of, cells = "", max(min(room, 40), 4)
        drawn = f" {charts.sparkline([week[share] for week in weeks], 1.0)}" if trend else ""
        yield Line(f"{name:<17}{charts.bar(value, cells)} {_percent(value)}{drawn}{of}", doc["rows"][share])
    yield Line(f"refused {doc['refused']:,}, allowed {doc['allowed']:,} by a decision", doc["rows"]["with_decision"])
    if trend:
        yield Line(f"week by week {doc['weeks'][0]['week']} – {doc['weeks'][-1]['week']}")


def credentials(doc: Doc, width: int) -> Iterable[Line]:
    whole = doc["credentials"]
    cells = max(min(width - 26, 24), 4)
    for row in doc["bonds"]:
        if row["credentials"] or row["bond"] in ("task", "standing"):
            share = row["credentials"] / whole if whole else None
            yield Line(f"{BONDS[row['bond']]:<17}{row['credentials']:>6,} {charts.bar(share, cells)}".rstrip(), row["rows"])
    for row in doc["flags"]:
        yield Line(f"! {row['flag'].replace('_', ' '):<21}{row['credentials']:>6,}", row["rows"], "warn")


def coverage(doc: Doc, width: int) -> Iterable[Line]:
    points = doc["points"]
    if not points:
        yield Line("no enforcement point was seen yet")
        return
    names = max(min(max(cell_width(row["enforcement_point"]) for row in points), width // 3, 30), 8)
    periods = len(doc["periods"])
    room = max(width - names - 17, 4)
    kept = min(periods, max(room // 2, 1) if periods * 2 > room else periods)
    folds = sum(doc["after_gap"][-kept:][1:])
    cells = max(min((room - folds) // max(kept, 1), 6), 1)
    if cells == 1:
        kept = min(periods, max(room - folds, 1))
    yield _axis(doc, kept, names + 3)
    beside = [place == 0 or not gap for place, gap in enumerate(doc["after_gap"][-kept:])]
    for row in points:
        strip = charts.folded(charts.heat(row["over_time"][-kept:], cells), beside, cells)
        gaps = f" {count(row['gaps'], 'gap')}" if row["gaps"] else ""
        name = fit(str(row["enforcement_point"]), names, ends=True)
        letter = next((letter for vantage, letter in format.VANTAGES if vantage == row["vantage"]), "?")
        yield Line(f"{name} {letter} {strip} {_percent(row['watched'])}{gaps}", row["rows"])
    yield Line(
        safe_line(
            f"█ watched as much as anything was  ▁ little  {charts.SILENT} silent  {charts.OUTSIDE} outside  {charts.FOLD} left out",
            width,
        ),
        tone="dim",
    )


COUNTED = {"tasks": 6, "critical": 3, "high": 3}
"""What is counted of an agent or repository, and the cells that it has at least."""


def ranking(column: str) -> Any:
    """The panel of agents, or of repositories."""

    def drawn(doc: Doc, width: int) -> Iterable[Line]:
        if not doc["rows"]:
            yield Line("no task was built yet")
            return
        wide = width >= 52
        tasks, critical, high = (max(least, *(len(f"{row[name]:,}") for row in doc["rows"])) for name, least in COUNTED.items())
        room = max(min(width - (25 if wide else 14) - tasks - critical - high, 34), 8)
        head = f"{'':<{room}} {'0-100':<5} {'most':>4} {'tasks':>{tasks}} {'!!':>{critical}} {'!':>{high}}"
        yield Line(head + ("  decided" if wide else ""), tone="dim")
        for row in doc["rows"]:
            name = fit(str(row[column] or "not known"), room, ends=True)
            value = f"  {_percent(row['share']['with_decision']):>7}" if wide else ""
            yield Line(
                f"{name} {charts.sparkline(row['bands'])} {row['risk']:>4} {row['tasks']:>{tasks},}"
                f" {_few(row['critical'], critical)} {_few(row['high'], high)}{value}",
                row["rows"],
                _severity(row),
            )
        if doc["total"] > len(doc["rows"]):
            yield Line(f"and {doc['total'] - len(doc['rows']):,} more")

    return drawn


def _axis(doc: Doc, kept: int, indent: int) -> Line:
    """The first and the last period, above where they are drawn."""
    periods = doc["periods"][-kept:] if kept else []
    if not periods:
        return Line("nothing was watched yet", tone="dim")
    first, last = periods[0], periods[-1]
    if doc["unit"] == "hour":
        text = f"{first[5:10]} {first[11:]}h" + (
            "" if first == last else f" – {last[5:10] + ' ' if last[:10] != first[:10] else ''}{last[11:]}h"
        )
    else:
        same = first[:4] == last[:4]
        text = first[5:] if first == last else f"{first[5:]} – {last[5:]}" if same else f"{first} – {last}"
    return Line(f"{'':<{indent}}{text}", tone="dim")


def _percent(value: float | None) -> str:
    return (
        "   ·"
        if value is None
        else f"{value:>4.0%}"
        if value != 1 and round(value * 100) < 100
        else " 99%"
        if value != 1
        else "100%"
    )


def _few(number: int, width: int) -> str:
    return f"{number:>{width},}" if number else f"{'·':>{width}}"


def _short(repository: str | None) -> str:
    return str(repository or "?").rpartition("/")[2]


def _severity(counts: Doc) -> str:
    return next((_TONES[name] for name in ("critical", "high") if counts.get(name)), "")


def first_with_rows(drawn: Sequence[Line]) -> int | None:
    """The place of the first line that leads somewhere."""
    return next((place for place, line in enumerate(drawn) if line.rows), None)


_TONES = {"critical": "bad", "high": "warn"}
_PANELS = {
    "riskiest": riskiest,
    "review": review,
    "visit": visit,
    "findings": findings,
    "governed": governed,
    "credentials": credentials,
    "coverage": coverage,
    "agents": ranking("agent"),
    "repositories": ranking("repository"),
}
