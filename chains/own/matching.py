"""Where a definition matches in the rows of a task: certainly, perhaps, or as an absence nobody was watching for.

Two tracks run along the rows, what is certain and what is possible where unknown conditions are granted. For each link
only the latest row that reached it is kept: it is the nearest to whatever comes. One pass, linear in the rows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from chains.own.definition import Definition, Without
from chains.own.rows import Row
from lang.cel.scalar import Answer, Closure, answer_of, closure
from lang.cel.typed import Value

TIME = "the time of a step"
Watched = Callable[[int, int], bool]
"""Whether what is absent would have been seen from one moment to another."""


@dataclass(frozen=True, slots=True)
class Match:
    """Rows that met the links in turn; `blind` where the absence that makes it a finding was watched by nobody."""

    rows: tuple[Row, ...]
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Perhaps:
    """Rows that would match if what is missing were known."""

    missing: frozenset[str]


@dataclass(slots=True)
class _Reached:
    """A row that met a link, the rows before it, and what had to be granted on the way."""

    index: int
    row: Row
    before: _Reached | None = None
    missing: frozenset[str] = frozenset()

    def rows(self) -> tuple[Row, ...]:
        found: list[Row] = []
        here: _Reached | None = self
        while here is not None:
            found.append(here.row)
            here = here.before
        return tuple(reversed(found))


class Matcher:
    """A definition made ready to look at tasks."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self._links: list[Closure] = [closure(stage.tree) for stage in definition.stages]
        self._within = [stage.within for stage in definition.stages]

    def matches(self, rows: Sequence[Row], parameters: Mapping[str, Value], watched: Watched) -> Iterator[Match | Perhaps]:
        """Every match in the order of its last row."""
        asked = _Asked(parameters)
        absence = _Absence(self.definition.without, rows, asked, watched) if self.definition.without else None
        for certain, possible in self._runs(rows, asked):
            if absence is None:
                if certain is not None:
                    yield Match(certain.rows())
                elif possible is not None:
                    yield Perhaps(possible.missing)
                continue
            reached = certain or possible
            assert reached is not None
            verdict = absence.of(reached)
            if verdict is True and certain is not None:
                yield Match(certain.rows())
            elif verdict is None and certain is not None:
                yield Match(certain.rows(), blind=True)
            elif verdict is True or verdict is None:
                yield Perhaps(reached.missing)
            elif isinstance(verdict, frozenset):
                yield Perhaps(verdict | reached.missing)

    def _runs(self, rows: Sequence[Row], asked: _Asked) -> Iterator[tuple[_Reached | None, _Reached | None]]:
        """For each row that may complete the sequence: the certain way to it, and the way if the unknown is granted."""
        links, within = self._links, self._within
        last = len(links) - 1
        certain: list[_Reached | None] = [None] * len(links)
        possible: list[_Reached | None] = [None] * len(links)
        for index, row in enumerate(rows):
            # From the last link back, so that no row serves two links of one sequence.
            for n in range(last, -1, -1):
                sure, maybe = (certain[n - 1], possible[n - 1]) if n else (None, None)
                if n and maybe is None:
                    continue
                answer = asked(links[n], row)
                if answer.value is False:
                    continue
                sure_way = answer.value is True and (not n or (sure is not None and _near(sure.row, row, within[n]) is True))
                new_sure = _Reached(index, row, sure) if sure_way else None
                new_maybe = new_sure or self._granted(n, index, row, maybe, answer, within[n])
                if n == last:
                    if new_maybe is not None:
                        yield new_sure, new_maybe
                    continue
                if new_sure is not None and row.at is not None:
                    certain[n] = new_sure
                if new_maybe is not None:
                    possible[n] = new_maybe

    @staticmethod
    def _granted(n: int, index: int, row: Row, maybe: _Reached | None, answer: Answer, within: int) -> _Reached | None:
        missing = answer.missing
        if n:
            assert maybe is not None
            near = _near(maybe.row, row, within)
            if near is False:
                return None
            missing |= maybe.missing | (frozenset({TIME}) if near is None else frozenset())
        return _Reached(index, row, maybe, missing)


def _near(first: Row, then: Row, within: int) -> bool | None:
    """Whether two rows stand within a time; None where a time is unknown."""
    if first.at is None or then.at is None:
        return None
    return then.at - first.at <= within


@dataclass(slots=True)
class _Asked:
    """Answers of conditions for rows, with the parameters in force among what they read."""

    parameters: Mapping[str, Value]

    def __call__(self, condition: Closure, row: Row) -> Answer:
        return answer_of(condition({**row.values, **self.parameters} if self.parameters else row.values))


@dataclass(slots=True)
class _Absence:
    """Looks for what must not be there. The rows that are or may be it are found once, when first asked."""

    wanted: Without
    rows: Sequence[Row]
    asked: _Asked
    watched: Watched
    _sure: list[tuple[int, int]] | None = None
    _maybe: list[tuple[int, int, frozenset[str]]] = field(default_factory=list)
    _timeless: list[tuple[int, frozenset[str]]] = field(default_factory=list)

    def of(self, reached: _Reached) -> bool | frozenset[str] | None:
        """True: certainly absent. False: there. None: nobody was watching. A set: what is missing to say."""
        ways = reached.rows()
        mine = {id(row) for row in ways}
        row = ways[0] if self.wanted.before else ways[-1]
        if row.at is None:
            return frozenset({TIME})
        start, end = (row.at - self.wanted.within, row.at) if self.wanted.before else (row.at, row.at + self.wanted.within)
        if self._sure is None:
            self._look()
        assert self._sure is not None
        for at, index in _from(self._sure, start):
            if at > end:
                break
            if id(self.rows[index]) not in mine and self._beside(at, index, row.at, reached.index):
                return False
        # One row that cannot be judged is enough not to say; looking for all of them would cost the square of the task.
        for at, index, lacks in _from(self._maybe, start):
            if at > end:
                break
            if id(self.rows[index]) not in mine:
                return lacks
        for index, lacks in self._timeless:
            if id(self.rows[index]) not in mine:
                return lacks | {TIME}
        return True if self.watched(start, end) else None

    def _beside(self, at: int, index: int, moment: int, mine: int) -> bool:
        """Of rows at the same moment the order of the chain says which is before."""
        return at != moment or (index < mine) == self.wanted.before

    def _look(self) -> None:
        condition = closure(self.wanted.tree)
        self._sure = []
        for index, row in enumerate(self.rows):
            answer = self.asked(condition, row)
            if answer.value is False:
                continue
            if row.at is None:
                self._timeless.append((index, answer.missing))
            elif answer.value is True:
                self._sure.append((row.at, index))
            else:
                self._maybe.append((row.at, index, answer.missing))
        self._sure.sort()
        self._maybe.sort(key=lambda one: one[:2])


T = TypeVar("T", bound="tuple[Any, ...]")


def _from(found: Sequence[T], start: int) -> Iterator[T]:
    """Entries from a moment on; they are sorted by it."""
    for n in range(bisect_left(found, start, key=lambda one: one[0]), len(found)):
        yield found[n]
