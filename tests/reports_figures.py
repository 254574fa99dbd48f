"""Every number that report.html prints, computed once more from the tables of the pack; nothing of `reports` is used."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

Rows = list[dict[str, str]]
AGES = {
    "up to 15 minutes": timedelta(minutes=15),
    "up to 1 hour": timedelta(hours=1),
    "up to 12 hours": timedelta(hours=12),
    "up to 1 day": timedelta(days=1),
    "up to 7 days": timedelta(days=7),
    "up to 30 days": timedelta(days=30),
    "up to 90 days": timedelta(days=90),
}


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def split(value: str) -> list[str]:
    return value.split("; ") if value else []


class Page(HTMLParser):
    """Collects what the checks ask for, that every element is closed, and the numbers that no figure marks."""

    VOID = frozenset({"meta", "br", "col", "rect", "path"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.order: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.classes: list[str] = []
        self.unmarked: list[str] = []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.order.append(tag)
        if tag not in self.VOID:
            self.classes.append(dict(attrs).get("class") or "")
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")
            if name == "aria-labelledby" or (name == "href" and (value or "").startswith("#")):
                self.targets |= set((value or "").lstrip("#").split())
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag
        self.classes.pop()

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] != "style":
            self.text.append(data)
        numbered = {"n", "figures"} & set(self.classes)
        if numbered and not {"data", "time", "code", "th"} & set(self.stack) and re.search(r"\d", data):
            self.unmarked.append(data)


def figures(folder: Path) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    text = (folder / "report.html").read_text(encoding="utf-8")
    for name, value, shown in re.findall(r'<data data-figure="([^"]*)" value="(\d+)">([^<]*)</data>', text):
        assert value == shown
        found.setdefault(name, set()).add(int(value))
    return found


def differing(folder: Path) -> dict[str, tuple[set[int], int]]:
    """Printed figures that the tables do not bear out, with both numbers."""
    own = recomputed(folder)
    return {name: (values, own[name]) for name, values in figures(folder).items() if values != {own[name]}}


def _samples(population: Rows, found: Rows) -> dict[str, int]:
    sizes = Counter(r["task"] for r in population)
    bad = {f["task"] for f in found if f["group"] == "open"}
    clean = set(sizes) - {f["task"] for f in found if f["group"] != "blind-spot"}
    made = {"samples.bad": min(3, len(bad)), "samples.good": min(3, len(clean)), "samples.clean": len(clean)}
    for task, n in sizes.items():
        made |= {f"sample/{task}/steps": n, f"sample/{task}/shown": min(12, n)}
    return made


def _trends(report: dict[str, Any], population: Rows, found: Rows) -> Counter[str]:
    width = timedelta(seconds=report["trends"]["width_seconds"])
    starts = [datetime.fromisoformat(i["start"]) for i in report["trends"]["intervals"]]
    counts: Counter[str] = Counter()

    def count(at: str, name: str, otherwise: str) -> None:
        moment = datetime.fromisoformat(at) if at else None
        place = next((i for i, s in enumerate(starts) if moment and s <= moment < s + width), None)
        counts[otherwise if place is None else f"trend/{place}/{name}"] += 1

    for f in found:
        if f["group"] != "blind-spot":
            count(f["at"], f["severity"], "trend/findings_elsewhere")
    for r in population:
        count(r["at"], "steps", "trend/steps_elsewhere")
        if r["decided"] == "yes":
            count(r["at"], "decided", "elsewhere")
    return counts


def _ages(as_of: str, credentials: Rows) -> Counter[str]:
    def named(age: timedelta | None) -> str:
        if age is None:
            return "not stated"
        return next((label for label, most in AGES.items() if age <= most), "more than 90 days")

    counts: Counter[str] = Counter()
    for c in credentials:
        issued, expires = (datetime.fromisoformat(c[name]) if c[name] else None for name in ("issued", "expires"))
        ends = [datetime.fromisoformat(t) for t in (as_of, c["expires"], c["revoked"]) if t]
        counts[f"age/{named(max(timedelta(0), min(ends) - issued) if issued else None)}/ages"] += 1
        granted = timedelta.max if c["ttl_seconds"] == "-1" else expires - issued if issued and expires else None
        counts[f"age/{named(granted)}/lifetimes"] += 1
    return counts


def recomputed(folder: Path) -> dict[str, int]:
    """Every figure of the report, from the tables alone."""
    population, found = table(folder, "population.csv"), table(folder, "findings.csv")
    controls, sources = table(folder, "controls.csv"), table(folder, "sources.csv")
    points, limits = table(folder, "coverage.csv"), table(folder, "limits.csv")
    credentials = table(folder, "credentials.csv")
    report = json.loads((folder / "report.json").read_bytes())
    counts: Counter[str] = Counter()
    groups = Counter(f["group"] for f in found)
    for group in ("open", "accepted", "dismissed", "blind-spot"):
        counts[f"findings.{group}"] = groups[group]
    counts["findings"] = len(found) - groups["blind-spot"]
    for f in found:
        counts[f"findings.state.{f['state']}"] += 1
        if f["group"] != "blind-spot":
            counts[f"findings.{f['group']}.{f['severity']}"] += 1
    yes = [
        ("decided_steps", lambda r: r["decided"] == "yes"),
        ("covered_steps", lambda r: r["covered"] == "yes"),
        ("covered_decided_steps", lambda r: r["covered"] == r["decided"] == "yes"),
        ("denied_steps", lambda r: r["permitted"] == "deny"),
        ("credentialed_steps", lambda r: r["credentials"] != ""),
        ("task_bound_steps", lambda r: r["credentials"] != "" and r["task_bound"] == "yes"),
        ("confirmed_steps", lambda r: r["effect"] == "yes"),
        ("disputed_steps", lambda r: r["disputed"] == "yes"),
    ]
    for name, test in yes:
        counts[name] = sum(map(test, population))
    for effect in ("allow", "deny", "ask", "unknown"):
        counts[f"permitted.{effect}"] = sum(r["permitted"] == effect for r in population)
    counts["steps"], counts["tasks"] = len(population), len({r["task"] for r in population})
    for name in ("read", "accepted", "duplicate", "rejected", "events"):
        counts[f"records.{name}"] = sum(int(s[name]) for s in sources)
    for s in sources:
        for name in ("read", "accepted", "duplicate", "rejected"):
            counts[f"source/{s['id']}/{name}"] = int(s[name])
    counts["sources"] = len(sources)
    seen = [p for p in points if p["state"] == "seen"]
    counts["points"], counts["points.expected_unseen"] = len(seen), len(points) - len(seen)
    for i, p in enumerate(seen):
        counts[f"point/{i}/records"] = int(p["records"])
    counts["credentials"] = len(credentials)
    counts["credentials.expiring"] = sum(c["expires"] != "" for c in credentials)
    counts["credentials.standing"] = sum("standing" in split(c["flags"]) for c in credentials)
    for row in limits:
        counts[f"limit/{row['kind']}/{row['name']}"] = int(row["count"])
        counts[f"limits.{row['kind']}"] += int(row["count"])
    sizes = {
        "steps": len(population),
        "covered_steps": counts["covered_steps"],
        "decided_steps": counts["decided_steps"],
        "tasks": counts["tasks"],
        "credentials": len(credentials),
        "records": counts["records.accepted"],
        "findings": len(found) - groups["blind-spot"],
    }
    for name, size in sizes.items():
        counts[f"population/{name}"] = size
    unjudged = {r["name"]: int(r["count"]) for r in limits if r["kind"] == "cannot judge"}
    by_detection = {d: Counter(f["group"] for f in found if f["detection"] == d) for d in {f["detection"] for f in found}}
    for c in controls:
        key = f"control/{c['framework']}/{c['id']}/"
        speaking = {*split(c["detections_run"]), *split(c["detections_not_run"])}
        standing = sum((by_detection.get(d, Counter()) for d in speaking), Counter())
        for name, group in (
            ("open", "open"),
            ("accepted", "accepted"),
            ("dismissed", "dismissed"),
            ("blind_spots", "blind-spot"),
        ):
            counts[key + name] = standing[group]
        counts[key + "cannot_judge"] = sum(unjudged.get(d, 0) for d in split(c["detections_run"]))
        counts[f"result/{c['framework']}/{c['result']}"] += 1
    for name in report["method"]["detectors"]:
        d = name["id"]
        counts[f"detector/{d}/units"] = sizes[name["population"]]
        counts[f"detector/{d}/cannot_judge"] = unjudged.get(d, 0)
        counts[f"detector/{d}/findings"] = sum(n for g, n in by_detection.get(d, Counter()).items() if g != "blind-spot")
    counts |= _samples(population, found)
    counts |= _trends(report, population, found)
    counts |= _ages(report["cover"]["as_of"], credentials)
    for v in table(folder, "verdicts.csv"):
        key = f"reviewer/{v['reviewer']}/{'stated' if v['asserted'] == 'yes' else 'checked'}/"
        counts[key + "verdicts"] += 1
        counts[key + "own"] += v["self_review"] == "yes"
    counts["shown.findings"] = min(200, counts["findings"])
    for path in folder.glob("*.csv"):
        counts[f"file/{path.name}"] = len(table(folder, path.name))
    counts["file/report.json"] = len(found)
    return counts
