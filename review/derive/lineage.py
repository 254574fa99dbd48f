"""Who descends from whom while a build runs: what the build has found out so far, over what the store holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from chains.family import MAX_DEPTH, Parentage
from model.chain import Task
from store import Store

KEPT = 20_000
"""Tasks of the store whose rows are at hand: more than those around one task, fewer than a store may hold."""


class Lineage:
    """Parents and children of tasks; `found` holds the parentage of every task looked at in this build.

    `empty` says that the store holds no task yet, so that it need not be asked.
    """

    def __init__(self, store: Store, *, empty: bool = False) -> None:
        self._store = store
        self._empty = empty
        self.found: dict[str, Parentage] = {}
        self._read = lru_cache(KEPT)(lambda task: store.task(task))
        self._children: dict[str, dict[str, str]] | None = None
        self._ahead: dict[str, list[str]] = {}

    def ahead(self, tasks: Sequence[str]) -> None:
        """These tasks are looked at next: what the store holds of their children is read at once. No build gives a task of the
        store another parent but those in `found`."""
        self._ahead = {} if self._empty else self._store.children_of(tasks)

    def stored(self, task: str) -> Task | None:
        return None if self._empty else self._read(task)

    def parent(self, task: str) -> str:
        if task in self.found:
            return self.found[task].parent
        row = self.stored(task)
        return row.parent if row else ""

    def children(self, task: str) -> dict[str, str]:
        """Each child of a task with the name of the call that spawned it ("" if unknown)."""
        kept = {}
        for child in self._stored_children(task):
            if child not in self.found:
                row = self.stored(child)
                kept[child] = row.parent_call if row else ""
        if self._children is None:
            self._children = {}
            for child, parentage in sorted(self.found.items()):
                if parentage.parent:
                    self._children.setdefault(parentage.parent, {})[child] = parentage.call
        return kept | self._children.get(task, {})

    def _stored_children(self, task: str) -> list[str]:
        if self._empty:
            return []
        read = self._ahead.get(task)
        return self._store.children(task) if read is None else read

    def settled(self) -> None:
        """All parentage of this build is found."""
        self._children = None

    def ancestors(self, task: str) -> tuple[str, ...]:
        """Nearest first; a circle is cut where it closes."""
        line: list[str] = []
        current = self.parent(task)
        while current and current != task and current not in line and len(line) < MAX_DEPTH:
            line.append(current)
            current = self.parent(current)
        return tuple(line)

    def descendants(self, tasks: Iterable[str]) -> set[str]:
        """All tasks below these."""
        seen: set[str] = set()
        queue = list(tasks)
        while queue:
            for child in self.children(queue.pop()):
                if child not in seen:
                    seen.add(child)
                    queue.append(child)
        return seen
