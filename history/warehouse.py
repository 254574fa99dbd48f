"""What is asked of an engine: which distinct requests there are and how many of each, and then about the rows behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import ibis
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from history.columns import Bound, bound, joined, written
from history.dialects import digest
from history.engines import Engine
from history.mapping import MAPPABLE
from history.mapping import Mapping as ColumnMapping
from history.problems import HistoryError
from lang.cel.requests import well_typed, writable
from lang.cel.typed import Value

INLINE = 64
"""Shapes named in a statement itself; more are sent as a table to join with."""
KINDS = 5
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Counted:
    """Distinct requests by what a policy needs of them: per cell its key, what was recorded, how many, from when to when.

    `known` says whether the requests name a developer; `facts` are columns of what was asked for.
    """

    keys: list[str]
    recorded: NDArray[np.uint8]
    known: NDArray[np.bool_]
    weight: NDArray[np.int64]
    first: list[int | None]
    last: list[int | None]
    facts: dict[str, list[Any]]


class Found(NamedTuple):
    """One row: its cell (its key before that is known), task, step, time and what it states, as people write it."""

    cell: Any
    task: str
    step: str
    at: int | None
    request: dict[str, Any]


class Warehouse:
    """The requests in one table of an engine."""

    def __init__(self, engine: Engine, mapping: ColumnMapping) -> None:
        self.engine = engine
        self.bound: Bound = bound(engine.table, mapping, engine.dialect)

    @property
    def dialect(self) -> str:
        return self.engine.dialect

    def column(self, name: str) -> Any | None:
        """The expression of an attribute over `bound.rows`, None where it is not mapped."""
        held = self.bound.names.get(name)
        return None if held is None else self.bound.rows[held]

    @cached_property
    def developer(self) -> Any:
        """Whom the agent works for, else a principal that is a person; null where neither is stated."""
        own, kind, behalf = (self.column(f"principal.{name}") for name in ("id", "kind", "on_behalf_of"))
        person = ibis.null("string") if own is None or kind is None else ibis.ifelse(kind == "human", own, ibis.null("string"))
        return person if behalf is None else ibis.coalesce(behalf, person)

    def keyed(self, facts: Mapping[str, Any]) -> Any:
        """The rows with their key: a digest of what was recorded, whether a developer is named, and these facts."""
        rows = self.bound.rows
        texts = [written(fact, fact.type()) for fact in facts.values()]
        known = ibis.ifelse(self.developer.isnull(), "0", "1")
        key = rows["recorded"] + known + digest(joined(texts), self.dialect)
        return rows.mutate(key=key, **facts)

    def count(self, facts: Mapping[str, Any], limit: int | None = None) -> Counted | None:
        """The distinct requests by these facts, grouped by the engine; None where they are more than `limit`."""
        keyed = self.keyed(facts)
        at = keyed["at"]
        cells = keyed.group_by("key").aggregate(
            n=keyed.count(), first=at.min(), last=at.max(), **{name: keyed[name].arbitrary() for name in facts}
        )
        found = self.engine.run(cells if limit is None else cells.limit(limit + 1))
        if limit is not None and found.num_rows > limit:
            return None
        found = found.sort_by("key")
        keys = found["key"].to_pylist()
        return Counted(
            keys,
            np.array([int(key[0]) for key in keys], np.uint8),
            np.array([key[1] == "1" for key in keys], np.bool_),
            np.array(found["n"].to_pylist(), np.int64),
            self._micros(found["first"]),
            self._micros(found["last"]),
            {name: found[name].to_pylist() for name in facts},
        )

    @cached_property
    def shapes(self) -> int:
        """How many distinct requests there are, by everything that is mapped."""
        rows = self.bound.rows
        texts = [written(rows[held], rows[held].type()) for held in self.bound.names.values()]
        every = rows.select(key=digest(joined(texts), self.dialect)).distinct()
        return int(self.engine.run(every.aggregate(n=every.count()))["n"][0].as_py())

    @cached_property
    def tasks(self) -> int:
        """How many tasks the requests belong to."""
        every = self.bound.rows.select("task").distinct()
        return int(self.engine.run(every.aggregate(n=every.count()))["n"][0].as_py())

    @cached_property
    def developers(self) -> tuple[int, int]:
        """Developers with at least one request that has a time, and the days on which each has one, added up."""
        rows = self.bound.rows
        if not self.bound.timed:
            return 0, 0
        at = rows["at"]
        if self.bound.unit is None:
            day = at.date()
        else:
            length = _DAY // self.bound.unit
            day = at - ((at % length) + length) % length
        days = rows.select(who=self.developer, day=day).filter(lambda t: t.who.notnull() & t.day.notnull()).distinct()
        per = days.group_by("who").aggregate(n=days.count())
        found = self.engine.run(per.aggregate(developers=per.count(), days=per.n.sum()))
        return int(found["developers"][0].as_py()), int(found["days"][0].as_py() or 0)

    def distinct(self, keyed: Any, who: Any, kinds: Mapping[str, int]) -> Counter[frozenset[int]]:
        """How many distinct values of `who` have rows of exactly these kinds; rows are of a kind by their key."""
        marked = self._marked(keyed.mutate(who=who), kinds)
        marked = marked.filter(marked.who.notnull())
        marks = {f"k{kind}": (marked.kind == kind).cast("int16").max() for kind in range(KINDS)}
        per = marked.group_by("who").aggregate(**marks)
        held = per.group_by([f"k{kind}" for kind in range(KINDS)]).aggregate(n=per.count())
        out: Counter[frozenset[int]] = Counter()
        for row in self.engine.run(held).to_pylist():
            out[frozenset(kind for kind in range(KINDS) if row[f"k{kind}"])] += int(row["n"])
        return out

    def rows_of(self, keyed: Any, kinds: Mapping[str, int], kind: int, limit: int | None) -> list[Found]:
        """The first rows of one kind, in the order (task, time, step)."""
        marked = self._marked(keyed, kinds)
        order = [ibis.asc("task"), ibis.asc("at", nulls_first=False), ibis.asc("step")]
        chosen = marked.filter(marked.kind == kind).order_by(order)
        columns = ["key", "task", "step", "at", *self.bound.names.values()]
        chosen = chosen.select(*columns)
        return list(self._found(self.engine.run(chosen if limit is None else chosen.limit(limit))))

    def first_rows(self, limit: int) -> list[Found]:
        """Some rows as requests, to look at a mapping by."""
        rows = self.bound.rows.mutate(key=ibis.literal(""))
        return list(self._found(self.engine.run(rows.limit(limit))))

    def _found(self, table: pa.Table) -> Iterator[Found]:
        times = self._micros(table["at"])
        columns = {name: table[held].to_pylist() for name, held in self.bound.names.items() if not name.startswith("remit.")}
        keys, tasks, steps = (table[name].to_pylist() for name in ("key", "task", "step"))
        for n, key in enumerate(keys):
            request: dict[str, Any] = {}
            for name, values in columns.items():
                value = self.value(name, values[n])
                if value is not None:
                    request[name] = writable(MAPPABLE[name], value)
            yield Found(key, tasks[n], steps[n], times[n], request)

    def value(self, name: str, raw: object) -> Value | None:
        """What came from the engine as the attribute's type, None where it is missing or none of that type."""
        if name in self.bound.json and isinstance(raw, str):
            try:
                raw = msgspec.json.decode(raw)
            except (ValueError, RecursionError):
                return None
        return well_typed(MAPPABLE[name], raw)

    def _marked(self, keyed: Any, kinds: Mapping[str, int]) -> Any:
        """The rows with the kind of their key; the commonest kind is not sent."""
        counts = Counter(kinds.values())
        common = counts.most_common(1)[0][0] if counts else 0
        others = {key: kind for key, kind in kinds.items() if kind != common}
        if len(others) <= INLINE:
            by_kind: dict[int, list[str]] = {}
            for key, kind in others.items():
                by_kind.setdefault(kind, []).append(key)
            cases = [(keyed.key.isin(keys), ibis.literal(kind, "int16")) for kind, keys in sorted(by_kind.items())]
            return keyed.mutate(
                kind=ibis.cases(*cases, else_=ibis.literal(common, "int16")) if cases else ibis.literal(common, "int16")
            )
        sent = self.engine.uploaded(
            pa.table({"of": list(others), "as_kind": pa.array([kind + 1 for kind in others.values()], pa.int16())})
        )
        both = keyed.left_join(sent, keyed.key == sent.of)
        # What finds no partner is null in SQL, and 0 in ClickHouse.
        found = ibis.coalesce(both.as_kind, ibis.literal(0, "int16"))
        return both.mutate(kind=ibis.ifelse(found == 0, ibis.literal(common, "int16"), found - 1))

    def _micros(self, column: pa.ChunkedArray) -> list[int | None]:
        """Times as microseconds UTC."""
        if self.bound.unit is not None:
            return [None if value is None else value * self.bound.unit for value in column.to_pylist()]
        if not pa.types.is_timestamp(column.type):
            raise HistoryError(f"the engine gave times as {column.type}; cast the column to a timestamp in a view")
        zoned = column.type if column.type.tz else None
        cast = pc.cast(column, pa.timestamp("us", zoned.tz if zoned is not None else None), safe=False)
        found: list[int | None] = pc.cast(cast, pa.int64()).to_pylist()
        return found


class Asked:
    """What `policy.elsewhere` wants to know, about the cells of one count."""

    def __init__(self, warehouse: Warehouse, keyed: Any, keys: Sequence[str], developer_known: NDArray[np.bool_]) -> None:
        self._warehouse = warehouse
        self._keyed = keyed
        self._keys = keys
        self.developer_known = developer_known
        self._told: dict[tuple[str, bytes], Counter[frozenset[int]]] = {}

    @property
    def tasks(self) -> int:
        return self._warehouse.tasks

    @property
    def shapes(self) -> int:
        return self._warehouse.shapes

    @property
    def developers(self) -> tuple[int, int]:
        return self._warehouse.developers

    def distinct(self, whose: str, kinds: NDArray[np.uint8]) -> Counter[frozenset[int]]:
        held = "task" if whose == "task" else self._warehouse.bound.names.get("principal.id")
        if held is None:
            return Counter()
        asked = (whose, kinds.tobytes())
        if asked not in self._told:
            self._told[asked] = self._warehouse.distinct(self._keyed, self._keyed[held], self._by_key(kinds))
        return self._told[asked]

    def rows(self, kinds: NDArray[np.uint8], order: Sequence[int], limit: int | None) -> list[Found]:
        """The first rows of these kinds, kind after kind."""
        place = {key: cell for cell, key in enumerate(self._keys)}
        by_key = self._by_key(kinds)
        present = set(by_key.values())
        out: list[Found] = []
        for kind in order:
            left = None if limit is None else limit - len(out)
            if kind in present and left != 0:
                found = self._warehouse.rows_of(self._keyed, by_key, kind, left)
                out += [one._replace(cell=place[one.cell]) for one in found if one.cell in place]
        return out

    def _by_key(self, kinds: NDArray[np.uint8]) -> dict[str, int]:
        return dict(zip(self._keys, kinds.tolist(), strict=True))
