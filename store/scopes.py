"""Which scope keys name the same task: edges between keys that events name together, and the strongest name of each group.

A key that `is_wide` by the stronger ones that events name it with tells no task from another: it joins none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, case, delete, func, or_, select, update

from model.event import Event
from model.evidence import is_wide
from model.words import KeyRole
from store.engine import Database, chunks, marks
from store.tables import SCOPE_ALIAS, SCOPE_EDGE
from store.text import bounded_name

Edge = tuple[str, str]
_RANKS = {"session": 0, "claude.agent": 1, "trace": 2, "ci.job": 3, "mcp.session": 5}
_OTHER = 4


def strength(name: str) -> tuple[int, str]:
    """Sort key of a scope key `kind:value`: the smallest of a group is its strongest name."""
    return _RANKS.get(name.partition(":")[0], _OTHER), name


def edges_of(event: Event) -> list[Edge]:
    """Pairs of the scope keys one event carries: its strongest with each other."""
    keys = [key for key in event.keys if key.role is KeyRole.SCOPE]
    if len(keys) < 2:
        return []
    names = sorted({bounded_name(key.name) for key in keys}, key=strength)
    return [(names[0], other) for other in names[1:]]


class Scopes:
    """Applies counted edges in one transaction; `changed` then holds the names whose strongest name is another."""

    def __init__(self, db: Database, connection: Connection) -> None:
        self._db = db
        self._connection = connection
        self.changed: set[str] = set()

    def apply(self, edges: Counter[Edge]) -> None:
        """Count edges up or down; those new or gone join or part groups."""
        touched = {edge: count for edge, count in edges.items() if count}
        held = self._held(touched)
        c = SCOPE_EDGE.c
        joined: list[Edge] = []
        parted: set[str] = set()
        rows: list[tuple[str, str, int]] = []
        for edge, count in sorted(touched.items()):
            was = held.get(edge, 0)
            after = was + count
            where = (c.a == edge[0], c.b == edge[1])
            if after <= 0:
                self._connection.execute(delete(SCOPE_EDGE).where(*where))
                parted.update(edge if was else ())
            elif was:
                self._connection.execute(update(SCOPE_EDGE).where(*where).values(events=after))
            else:
                rows.append((*edge, after))
                joined.append(edge)
        self._db.insert(self._connection, SCOPE_EDGE, rows)
        now = self._degrees({b for _, b in touched})
        gone = [edge for edge in touched if held.get(edge, 0) and held[edge] + touched[edge] <= 0]
        before = dict(now)
        for edges_now, sign in ((joined, -1), (gone, 1)):
            for a, b in edges_now:
                stronger, sharers = before.get(b, (0, 0))
                before[b] = stronger + sign, sharers + sign * (not a.startswith("trace:"))
        turned = {b for _, b in (*joined, *gone) if is_wide(b, *now.get(b, (0, 0))) != is_wide(b, *before[b])}
        if turned:
            parted |= turned | self._stronger(turned)
        if parted:
            self._part(parted)
        if narrow := [edge for edge in joined if not is_wide(edge[1], *now.get(edge[1], (0, 0)))]:
            self._join(narrow)

    def _degrees(self, names: Iterable[str]) -> dict[str, tuple[int, int]]:
        """With how many stronger keys each key is named together, and how many of them are no traces."""
        found: dict[str, tuple[int, int]] = {}
        c = SCOPE_EDGE.c
        sharers = func.sum(case((c.a.like("trace:%"), 0), else_=1))
        for part in chunks(sorted(names)):
            rows = self._connection.execute(select(c.b, func.count(), sharers).where(c.b.in_(part)).group_by(c.b))
            found |= {name: (int(count), int(some)) for name, count, some in rows}
        return found

    def _stronger(self, names: Iterable[str]) -> set[str]:
        c = SCOPE_EDGE.c
        found: set[str] = set()
        for part in chunks(sorted(names)):
            found.update(self._connection.execute(select(c.a).where(c.b.in_(part))).scalars())
        return found

    def _held(self, edges: Iterable[Edge]) -> dict[Edge, int]:
        found: dict[Edge, int] = {}
        wanted = set(edges)
        for part in chunks(sorted({a for a, _ in wanted})):
            for a, b, events in self._connection.execute(select(SCOPE_EDGE).where(SCOPE_EDGE.c.a.in_(part))):
                if (a, b) in wanted:
                    found[a, b] = events
        return found

    def _join(self, edges: Sequence[Edge]) -> None:
        names = sorted({name for edge in edges for name in edge})
        roots = roots_of(self._db, self._connection, names)
        members: dict[str, set[str]] = {}
        for name in names:
            members.setdefault(roots[name], set()).add(name)
        for a, b in edges:
            one, other = sorted((roots[a], roots[b]), key=strength)
            if one == other:
                continue
            losing = self._members(other) | members.pop(other, set()) | {other}
            members.setdefault(one, set()).update(losing)
            for name in losing:
                roots[name] = one
            self._set(losing, one)
            self._set({one}, one)

    def _members(self, root: str) -> set[str]:
        return set(self._connection.execute(select(SCOPE_ALIAS.c.name).where(SCOPE_ALIAS.c.root == root)).scalars())

    def _set(self, names: set[str], root: str) -> None:
        for part in chunks(sorted(names)):
            self._connection.execute(delete(SCOPE_ALIAS).where(SCOPE_ALIAS.c.name.in_(part)))
        self._db.insert(self._connection, SCOPE_ALIAS, [(name, root) for name in sorted(names)])
        self.changed |= {name for name in names if name != root}

    def _part(self, names: set[str]) -> None:
        """Work the groups of these names out again from the edges that are left."""
        roots = roots_of(self._db, self._connection, sorted(names))
        group = set(names)
        for root in sorted(set(roots.values())):
            group |= self._members(root)
        for part in chunks(sorted(group)):
            self._connection.execute(delete(SCOPE_ALIAS).where(SCOPE_ALIAS.c.name.in_(part)))
        self.changed |= group
        left: set[Edge] = set()
        for part in chunks(sorted(group)):
            found = self._connection.execute(
                select(SCOPE_EDGE.c.a, SCOPE_EDGE.c.b).where(or_(SCOPE_EDGE.c.a.in_(part), SCOPE_EDGE.c.b.in_(part)))
            )
            left |= {(a, b) for a, b in found}
        degrees = self._degrees({b for _, b in left})
        if narrow := [edge for edge in sorted(left) if not is_wide(edge[1], *degrees.get(edge[1], (0, 0)))]:
            self._join(narrow)


def roots_of(db: Database, connection: Connection, names: Sequence[str]) -> dict[str, str]:
    """The strongest name of each scope key; a key that stands alone is its own."""
    found = {name: name for name in names}
    for part in chunks(names):
        found.update(db.fetch(connection, f"SELECT name, root FROM scope_alias WHERE name IN ({marks(part)})", part))  # noqa: S608
    return found
