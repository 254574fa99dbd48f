"""How a figure grows with the number of events: a line and n log n through measured rows, with what they leave over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

# Two-sided 95% quantiles of Student's t by degrees of freedom; the last stands for more.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.0)

Row = dict[str, Any]
ENOUGH = 6
"""Rows from which an n log n term is believed: with fewer, chance makes one."""


@dataclass(frozen=True)
class Fit:
    """`start + each * n + more * n log2(n)`; `more` is 0 where its 95% interval holds 0 or rows are few, and `growing` tells the interval's end.

    `each_error` is half the interval of `each`, `off` the largest relative residual of the rows it was fitted to.
    """

    start: float
    each: float
    each_error: float
    more: float
    growing: float
    off: float
    rows: int

    def at(self, events: float) -> float:
        return self.start + self.each * events + self.more * events * float(np.log2(max(events, 2)))


def fit(sizes: Sequence[float], values: Sequence[float]) -> Fit:
    """Least squares of relative errors, so that a small run counts as much as a large one."""
    n, y = np.asarray(sizes, float), np.asarray(values, float)
    start, each, error, off = _line(n, y)
    low, high = _curve(n, y)
    if low > 0 and len(n) >= ENOUGH:
        columns = np.column_stack([np.ones_like(n), n, n * np.log2(n)])
        found, _ = _solved(columns, y)
        off = float(np.max(np.abs(columns @ found - y) / y))
        return Fit(float(found[0]), float(found[1]), error, float(found[2]), high, off, len(n))
    return Fit(start, each, error, 0.0, high, off, len(n))


def _solved(columns: Any, y: Any) -> tuple[Any, Any]:
    """Coefficients and their half-widths at 95%; the half-widths are infinite where nothing is left to tell them by."""
    scaled = columns / y[:, None]
    found, *_ = np.linalg.lstsq(scaled, np.ones_like(y), rcond=None)
    free = len(y) - columns.shape[1]
    if free < 1:
        return found, np.full(columns.shape[1], np.inf)
    left = float(np.sum((scaled @ found - 1) ** 2)) / free
    spread = np.sqrt(np.diag(np.linalg.pinv(scaled.T @ scaled)) * left)
    return found, _T[min(free, len(_T)) - 1] * spread


def _line(n: Any, y: Any) -> tuple[float, float, float, float]:
    columns = np.column_stack([np.ones_like(n), n])
    found, half = _solved(columns, y)
    return float(found[0]), float(found[1]), float(half[1]), float(np.max(np.abs(columns @ found - y) / y))


def _curve(n: Any, y: Any) -> tuple[float, float]:
    """The 95% interval of the n log n term beside a line."""
    found, half = _solved(np.column_stack([np.ones_like(n), n, n * np.log2(n)]), y)
    return float(found[2] - half[2]), float(found[2] + half[2])


STAGES = ("read", "redact", "parse", "enrich", "store", "build", "index", "dry-run")
EVIDENCE = ("block", "record", "record_also", "source", "source_file", "reject", "bookmark")
EVENTS = (
    "event", "event_key", "scope_edge", "scope_alias", "point", "sighting", "sequence_break", "dirty_key", "dirty_task", "word_pair",
)  # fmt: skip
SEARCH = ("search_doc", "search_fts")
REPLAY = ("request", "shape", "step_change")


def kind_of(name: str) -> str:
    """The group that a table or index belongs to."""
    table = name.partition(": ")[0]
    for kind, tables in (("evidence", EVIDENCE), ("events", EVENTS), ("search", SEARCH), ("requests", REPLAY)):
        if any(table == one or (kind == "search" and table.startswith("search_fts")) for one in tables):
            return kind
    return "policy index" if "policy index" in name else "derived"


def grouped(row: Row) -> dict[str, int]:
    """Bytes on disk by group, and all of them."""
    out: dict[str, int] = {}
    for name, size in row["disk"].items():
        out[kind_of(name)] = out.get(kind_of(name), 0) + size
    return {**out, "all": sum(row["disk"].values())}


def figures(rows: Sequence[Row]) -> dict[str, Fit]:
    """Every figure of one engine's rows, fitted: `cpu STAGE` seconds, `server` seconds, `peak PART` bytes, `disk GROUP` bytes."""
    sizes = [row["events"] for row in rows]
    asked: dict[str, Callable[[Row], float]] = {}
    for stage in STAGES:
        asked[f"cpu {stage}"] = lambda row, s=stage: row["cpu"][s]  # type: ignore[misc]
    asked["cpu import+build"] = lambda row: sum(row["cpu"][stage] for stage in STAGES[:6]) + sum(row["server"].values())
    # A server's process may be told of after the part it worked for has ended: only the sum is certain.
    asked["server"] = lambda row: sum(row["server"].values())
    for part in ("import", "build", "index", "replay"):
        asked[f"peak {part}"] = lambda row, p=part: row["peak"][p]  # type: ignore[misc]
    for kind in ("evidence", "events", "derived", "search", "requests", "policy index", "all"):
        asked[f"disk {kind}"] = lambda row, k=kind: grouped(row).get(k, 0)  # type: ignore[misc]
    for name in ("tasks", "steps", "shapes", "log_bytes"):
        asked[name] = lambda row, n=name: row[n]  # type: ignore[misc]
    return {name: fit(sizes, [of(row) for row in rows]) for name, of in asked.items() if all(of(row) > 0 for row in rows)}


SHOWN = (1e6, 10e6, 50e6)
"""Sizes that the line is drawn to, whether or not they were run."""


def show(engine: str, rows: Sequence[Row]) -> None:
    """Print the fits of one engine."""
    largest = max(row["events"] for row in rows)
    print(f"\n{engine}: {len(rows)} runs of {min(row['events'] for row in rows):,} to {largest:,} events")
    sizes = "".join(f"{f'{size / 1e6:g}M':>12}" for size in SHOWN)
    print(f"  {'':<18}{'at 0':>8}{'per million':>13}{'± 95%':>10}{'n log n':>18}{'most off':>9}{sizes}")
    for name, one in figures(rows).items():
        unit = 1e6 if name.startswith(("peak", "disk", "log")) else 1
        error = _number(one.each_error * 1e6 / unit)
        # Memory has caches that fill up: a line through small runs says nothing of large ones.
        drawn = "" if name.startswith("peak") else "".join(f"{_number(one.at(size) / unit):>12}" for size in SHOWN)
        print(
            f"  {name:<18}{one.start / unit:>8,.1f}{one.each * 1e6 / unit:>13,.1f}{error:>10}{_curved(one, unit):>18}{one.off:>9.1%}{drawn}"
        )
    print(
        "  seconds of processor time, MB of memory and of disk, counts. n log n: its coefficient per million where its 95% interval"
    )
    print(
        f"  leaves out 0 in {ENOUGH} rows or more, else the interval's upper end. Columns of sizes above {largest:,} are the line drawn on, not runs."
    )


def _number(value: float) -> str:
    return f"{value:,.1f}" if np.isfinite(value) else "not told"


def _curved(one: Fit, unit: float) -> str:
    if one.more:
        return f"{one.more * 1e6 / unit:.3g}"
    if not np.isfinite(one.growing):
        return "not told"
    return f"none, < {one.growing * 1e6 / unit:.3g}" if one.growing > 0 else "none, below 0"


def line(row: Row) -> str:
    """One measured row: seconds of processor time by stage, those of the server, peaks and bytes per event."""
    events = row["events"]
    cpu = ", ".join(f"{stage} {row['cpu'][stage]:.2f}" for stage in STAGES)
    server = sum(row["server"].values())
    peaks = ", ".join(f"{part} {peak / 1e6:.0f}" for part, peak in row["peak"].items())
    disk = ", ".join(f"{kind} {size / events:,.0f}" for kind, size in grouped(row).items())
    each = (sum(row["cpu"][stage] for stage in STAGES[:6]) + server) / events * 1e6
    return (
        f"{row['engine']}: {events:,} events, {row['records']:,} records, {row['tasks']:,} tasks, {row['steps']:,} actions,"
        f" {row['shapes']:,} shapes, {row['log_bytes'] / 1e6:,.1f} MB of logs\n"
        f"  processor s: {cpu}; server {server:.2f}; import and build {each:,.0f} a million\n"
        f"  peak MB: {peaks}\n"
        f"  bytes an event: {disk}"
    )
