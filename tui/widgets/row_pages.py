"""The pages of a table's rows that are at hand: few of them, however many rows there are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

PAGE = 200
KEPT_PAGES = 24

Row = Any


class Rows(Protocol):
    """Where a table's rows come from; every call happens on the reader's thread."""

    def count(self) -> int: ...

    def page(self, number: int) -> Sequence[Row]:
        """Rows [number*PAGE, (number+1)*PAGE) in the order of the table."""
        ...


@runtime_checkable
class Named(Rows, Protocol):
    """Rows whose keys can be asked for without the rows: ranges of them can be marked that were never read."""

    def ids(self, first: int, stop: int) -> Sequence[str]:
        """Keys of rows [first, stop), whether or not their pages were ever read."""
        ...


class RowPages:
    """At most `kept` pages by number, those looked at longest ago going first; None stands for one that was asked for."""

    def __init__(self, key_of: Callable[[Row], str], kept: int) -> None:
        self.key_of = key_of
        self.kept = kept
        self._pages: OrderedDict[int, Sequence[Row] | None] = OrderedDict()
        self._outdated: set[str] = set()

    def __len__(self) -> int:
        return len(self._pages)

    def begin(self, pages: Mapping[int, Sequence[Row]]) -> None:
        """Other rows, of which these pages are here."""
        self._pages = OrderedDict(pages)
        self._outdated = set()

    def look(self, number: int) -> bool:
        """Count a page as looked at; whether it is here or asked for."""
        if number in self._pages:
            self._pages.move_to_end(number)
            return True
        return False

    def ask(self, number: int) -> None:
        """Make room for a page that is being read."""
        self._pages[number] = None
        while len(self._pages) > self.kept:
            self._pages.popitem(last=False)

    def take(self, number: int, rows: Sequence[Row]) -> bool:
        """Keep a page that was read, unless it is no longer waited for."""
        if number not in self._pages:
            return False
        self._pages[number] = rows
        return True

    def row(self, index: int) -> Row | None:
        number, inside = divmod(index, PAGE)
        rows = self._pages.get(number)
        return rows[inside] if rows and inside < len(rows) else None

    def rows(self) -> list[Row]:
        """Every row that is here."""
        return [row for rows in self._pages.values() for row in rows or ()]

    def keys(self) -> list[str]:
        """Keys of the rows that are here, in their order."""
        return [self.key_of(row) for number in sorted(self._pages) for row in self._pages[number] or ()]

    def renew(self, found: Mapping[str, Row]) -> bool:
        """Put these rows in place of those of the same keys; whether that changed anything."""
        changed = False
        for number, rows in self._pages.items() if found else ():
            kept = [found.get(self.key_of(row), row) for row in rows or ()]
            if rows is not None and kept != rows:
                self._pages[number], changed = kept, True
        return changed

    def outdate(self, keys: Collection[str]) -> None:
        """Rows of these keys say what was."""
        self._outdated.update(keys)

    def due(self, first: int, stop: int) -> list[str]:
        """Keys of outdated rows between two places: whoever asks reads them, so they are told once."""
        if not self._outdated:
            return []
        found = [self.key_of(row) for row in self._between(first, stop)]
        due = [key for key in found if key in self._outdated]
        self._outdated.difference_update(due)
        return due

    def _between(self, first: int, stop: int) -> Iterator[Row]:
        for index in range(max(first, 0), stop):
            row = self.row(index)
            if row is not None:
                yield row
