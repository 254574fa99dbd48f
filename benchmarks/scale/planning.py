"""What follows for a billion and a hundred billion events on named engines: a simulation from measured costs and stated assumptions.

Nothing here was run at these sizes. Costs per event come from measured rows (`benchmarks.scale.fitting`), what a machine can do
and how often requests repeat from `Assumed`; both are printed beside what follows from them. Days of arrival are simulated one
after the other until the kept period is full: index pages that are not in memory when a key arrives cost a read each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from benchmarks.scale.fitting import Row, figures

DAY = 86_400
GB, TB = 1e9, 1e12
_AT = 1e9
"""Events at which a cost that grows faster than a line is taken."""


@dataclass(frozen=True)
class Assumed:
    """What is not measured here."""

    keep_days: float = 365  # how long evidence is kept
    cores: int = 16  # of one node
    memory: float = 64 * GB  # of one node
    disk: float = 8 * TB  # of one node, usable
    reads: float = 50_000  # random 8 KB reads a second that one node's disk answers
    copies: float = 2  # of everything on a server, the second for failover
    busy: float = 0.6  # share of a node that steady work may take
    cached: float = 0.5  # share of a node's memory that holds index pages
    open_days: float = 3  # days whose partitions still take late records
    packed: float = 4  # an event's row in a columnar file is so many times smaller than in a table
    column_rate: float = 0.25 * GB  # bytes of columnar file that a core reads and groups in a second
    lake_cores: int = 64  # an engine over a lake is given for one question
    rule_rows: float = 30e6  # rows that a core judges by one condition in a second, where rules are pushed down

    def told(self) -> str:
        return ", ".join(f"{one.name} {getattr(self, one.name):,.4g}" for one in fields(self))


@dataclass(frozen=True)
class Measured:
    """Costs of one more event, from the fits of one engine; `shape` is what replay costs by shapes and requests."""

    prepare: float
    store: float
    server: float
    build: float
    evidence: float
    derived: float
    keys: float
    entries: float
    requests: float
    request_bytes: float
    shape_bytes: float
    index_cpu: float

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Measured:
        found = figures(rows)

        def each(*names: str) -> float:
            return sum((found[name].at(_AT) - found[name].start) / _AT for name in names if name in found)

        last = max(rows, key=lambda row: row["events"])
        counted = max((row for row in rows if "entries" in row), key=lambda row: row["events"])
        keys = sum(size for name, size in last["disk"].items() if ": " in name)
        evidence = each("disk evidence", "disk events")
        return cls(
            prepare=each("cpu read", "cpu redact", "cpu parse", "cpu enrich"),
            store=each("cpu store"),
            server=each("server"),
            build=each("cpu build"),
            evidence=evidence,
            derived=each("disk all") - evidence - each("disk policy index"),
            keys=keys / last["events"],
            entries=counted["entries"] / counted["events"],
            requests=each("steps"),
            request_bytes=each("disk policy index") / each("steps"),
            shape_bytes=each("disk requests") / each("shapes"),
            index_cpu=each("cpu index"),
        )

    def told(self) -> str:
        return ", ".join(f"{one.name} {getattr(self, one.name):.3g}" for one in fields(self))


@dataclass(frozen=True)
class Engine:
    """A way to keep events: on how many nodes, how many of the keys are within reach of new ones, and who may write at once."""

    name: str
    columnar: bool = False
    partitioned: bool = False
    spread: bool = False
    one_writer: bool = False


ENGINES = (
    Engine("PostgreSQL, one node, tables whole, one writer", one_writer=True),
    Engine("PostgreSQL, one node, partitioned by day, importers side by side", partitioned=True),
    Engine("Citus, as many workers as it takes, partitioned by day", partitioned=True, spread=True),
    Engine("a lake of Parquet behind DuckDB, ClickHouse or Spark", columnar=True, spread=True),
)


@dataclass
class Followed:
    """What a kept number of events asks of an engine."""

    stored: float
    nodes: int
    importers: float
    builders: float
    writer: float
    hot_keys: float
    reads: float

    def limits(self, engine: Engine, assumed: Assumed) -> dict[str, float]:
        """Each limit by name, as the share of it that is used; what is over 1 breaks."""
        if engine.columnar:
            return {}
        out = {
            "disk": self.stored / (self.nodes * assumed.disk * assumed.busy),
            "random reads": self.reads / (self.nodes * assumed.reads * assumed.busy),
            "processors": self.writer / (self.nodes * assumed.cores * assumed.busy),
        }
        return out | ({"the one writer": self.writer / assumed.busy} if engine.one_writer else {})


def simulate(events: float, engine: Engine, measured: Measured, assumed: Assumed, nodes: int = 1) -> Followed:
    """Fill the kept period day by day; reads are those of its last day, when indexes are largest."""
    daily = events / assumed.keep_days
    rate = daily / DAY
    if engine.columnar:
        stored = events * (measured.evidence / assumed.packed + measured.requests * measured.request_bytes)
        return Followed(stored, 0, rate * measured.prepare / assumed.busy, 0, 0, 0, 0)
    room = nodes * assumed.memory * assumed.cached
    kept = reads = hot = 0.0
    for day in range(1, int(assumed.keep_days) + 1):
        kept = daily * day
        hot = measured.keys * (daily * min(assumed.open_days, day) if engine.partitioned else kept)
        reads = rate * measured.entries * max(0.0, 1 - room / hot)
    writing = rate * (measured.store + measured.server + measured.build) if engine.one_writer else rate * measured.server
    stored = kept * (measured.evidence + measured.derived) * assumed.copies
    builders = rate * (measured.store + measured.build) / assumed.busy
    return Followed(stored, nodes, rate * measured.prepare / assumed.busy, builders, writing, hot, reads)


def fitting(events: float, engine: Engine, measured: Measured, assumed: Assumed) -> tuple[Followed, bool]:
    """On the fewest nodes that hold, where an engine takes several; whether it holds at all."""
    nodes = 1
    while True:
        found = simulate(events, engine, measured, assumed, nodes)
        holds = all(used <= 1 for used in found.limits(engine, assumed).values())
        if holds or not engine.spread or nodes > 1 << 16:
            return found, holds
        nodes += max(1, nodes // 8)


def breaks(engine: Engine, measured: Measured, assumed: Assumed) -> list[tuple[str, float]]:
    """On one node: each limit with the kept events at which it is reached, the first first."""
    found = []
    for limit in simulate(1e6, engine, measured, assumed).limits(engine, assumed):
        low, high = 1e4, 1e14
        while high / low > 1.01:
            middle = (low * high) ** 0.5
            over = simulate(middle, engine, measured, assumed).limits(engine, assumed)[limit] > 1
            low, high = (low, middle) if over else (middle, high)
        found.append((limit, low))
    return sorted(found, key=lambda one: one[1])


Law = Callable[[float], float]


def laws(rows: Sequence[Row]) -> dict[str, Law]:
    """How many distinct requests so many requests make: as measured, and two that are assumed."""
    slope, level = np.polyfit(np.log([r["requests"] for r in rows]), np.log([r["shapes"] for r in rows]), 1)
    return {
        f"as generated (requests^{slope:.2f})": lambda r: float(np.exp(level) * r**slope),
        "requests^0.7 (assumed)": lambda r: float(r**0.7),
        "200,000 and no more (assumed)": lambda r: min(r, 200_000.0),
    }


def plane(rows: Sequence[Row], of: str) -> tuple[float, float, float]:
    """A figure of replay as `start + each * shapes + more * requests`, by relative errors, none below 0."""
    columns = np.array([[1.0, row["shapes"], row["requests"]] for row in rows])
    y = np.array([row[of] for row in rows])
    chosen = [0, 1, 2]
    while True:
        found, *_ = np.linalg.lstsq(columns[:, chosen] / y[:, None], np.ones_like(y), rcond=None)
        if (found >= 0).all() or len(chosen) == 1:
            out = dict(zip(chosen, found.tolist(), strict=True))
            return out.get(0, 0.0), out.get(1, 0.0), out.get(2, 0.0)
        chosen.pop(int(np.argmin(found)))


def show(kept: dict[str, list[Row]], sizes: Sequence[float], assumed: Assumed) -> None:
    """Print what follows. `kept` are measured rows by engine, and under `shapes` those of replay."""
    base = kept.get("postgresql") or kept["sqlite"]
    measured = Measured.of(base)
    print(f"\nSimulated, not measured. From the rows of {base[0]['engine']}, per event: {measured.told()}")
    print(
        "  (seconds of processor time, bytes, index entries, requests; request_bytes and shape_bytes are per request and shape)"
    )
    print(f"Assumed: {assumed.told()}")
    for events in sizes:
        daily = events / assumed.keep_days
        print(f"\n{events:,.0f} events kept, {daily:,.0f} a day, {daily * measured.requests:,.0f} actions a day")
        for engine in ENGINES:
            _engine(events, engine, measured, assumed)
        if kept.get("shapes"):
            _replay(events, base, kept["shapes"], measured, assumed)
    print("\nWhat breaks first on one node, and at how many kept events")
    for engine in ENGINES:
        if not engine.columnar:
            print(
                f"  {engine.name}: "
                + ", ".join(
                    f"{name} at {at:.2g}, {at / assumed.keep_days:.2g} a day" for name, at in breaks(engine, measured, assumed)
                )
            )


def _engine(events: float, engine: Engine, measured: Measured, assumed: Assumed) -> None:
    found, holds = fitting(events, engine, measured, assumed)
    nodes = f"{found.nodes} nodes" if found.nodes else "an object store"
    used = found.limits(engine, assumed)
    worst = max(used, key=lambda name: used[name]) if used else ""
    told = f"; {'nearest limit' if holds else 'does not hold'}: {worst} {used[worst]:.0%}" if used else ""
    print(
        f"  {engine.name}: {found.stored / TB:,.2f} TB on {nodes}; processors: {found.importers:.1f} prepare, {found.builders:.1f} store"
        f" and build; keys that new ones fall among {found.hot_keys / GB:,.0f} GB, {found.reads:,.0f} reads/s{told}"
    )


def _replay(events: float, base: Sequence[Row], replay: Sequence[Row], measured: Measured, assumed: Assumed) -> None:
    requests = events * measured.requests
    for name, law in laws(base).items():
        shapes = law(requests)
        # The database hands over groups: what replay holds of requests is a row per task, shape, answer and day.
        local = {of: plane(replay, of) for of in ("memory", "edit", "first")}
        held = {of: start + each * shapes + more * requests for of, (start, each, more) in local.items()}
        lake = {of: start + each * shapes for of, (start, each, _) in local.items()}
        scan = requests * measured.request_bytes / (assumed.column_rate * assumed.lake_cores)
        pushed = requests * 40 / (assumed.rule_rows * assumed.lake_cores)
        print(
            f"  dry-run of forty rules, shapes {name}: {shapes:,.0f} of {requests:,.0f} requests. Our index: {held['memory'] / 1e3:,.1f} GB,"
            f" {held['edit']:,.1f} s an edit. Grouped by a lake: {scan:,.0f} s to group on {assumed.lake_cores} cores, {shapes * measured.shape_bytes / GB:,.2f} GB moved,"
            f" {lake['memory'] / 1e3:,.1f} GB, {lake['edit']:,.1f} s an edit. Rules pushed down: {pushed:,.0f} s on as many, counts alone moved"
        )
