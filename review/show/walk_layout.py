"""The rows of a walk: every step one row, repeated steps folded into one, sub-agents unfolded below the step that started them.

What is known of a task's steps without reading them again takes a byte each (`Outline`); the rows are spans of step numbers
(`Layout`), so that fifty thousand steps cost no more than the folds among them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from model.evidence import StepSketch

REPEATED = 3
"""So many steps in a row that do the same and end the same are shown as one."""

FINDING, BLIND, DECISION, CREDENTIAL = 1, 2, 4, 8

STEP, GROUP, CHILD = "step", "group", "child"


class Outline:
    """What of one task is known step by step: findings, decisions, credentials, repeats and the sub-agents it started."""

    def __init__(self, task: str, total: int, found: Mapping[str, int]) -> None:
        self.task = task
        self.total = total
        self.flags = bytearray()
        self.runs: list[tuple[int, int]] = []
        self.children: dict[int, str] = {}
        self._found = found
        self._sort: tuple[object, ...] | None = None
        self._first = 0

    @property
    def known(self) -> int:
        """How many steps, from the first, have been looked at."""
        return len(self.flags)

    @property
    def whole(self) -> bool:
        return self.known >= self.total

    def extend(self, sketches: Sequence[StepSketch]) -> None:
        """Take in the next steps; where none comes the task ends here."""
        for one in sketches:
            found = self._found.get(one.id, 0)
            number = len(self.flags) + 1
            alone = bool(found or one.child)
            if alone or one.sort != self._sort:
                self._close(number)
                self._sort, self._first = (None if alone else one.sort), number
            self.flags.append(found | (DECISION if one.decided else 0) | (CREDENTIAL if one.held else 0))
            if one.child:
                self.children[number] = one.child
        if not sketches:
            self.total = len(self.flags)
        if self.whole:
            self._close(len(self.flags) + 1)
            self._sort = None

    def _close(self, end: int) -> None:
        if self._sort is not None and end - self._first >= REPEATED:
            self.runs.append((self._first, end - 1))

    def has(self, number: int, flag: int) -> bool:
        """Whether a step carries a flag; False where it was not looked at yet."""
        return 0 < number <= len(self.flags) and bool(self.flags[number - 1] & flag)


class Place(NamedTuple):
    """What one row shows: a step, a group of steps `n` to `last`, or (`n` 0) a sub-agent that no step is known to have started."""

    kind: str
    task: str
    n: int
    last: int
    depth: int

    @property
    def key(self) -> str:
        """Names the row as long as it is folded or unfolded in the same way."""
        return f"{self.kind}:{self.task}:{self.n}"


class _Span(NamedTuple):
    row: int
    rows: int
    place: Place


class Layout:
    """Rows by number and numbers by step. It does not change; another fold makes another layout."""

    def __init__(self, places: Iterable[tuple[Place, bool]]) -> None:
        self._spans: list[_Span] = []
        self._of: dict[str, list[tuple[int, int, int, bool]]] = {}
        row = 0
        for place, stands_for in places:
            rows = place.last - place.n + 1 if place.kind == STEP else 1
            self._spans.append(_Span(row, rows, place))
            if stands_for:
                self._of.setdefault(place.task, []).append((place.n, place.last, row, place.kind == STEP))
            row += rows
        self.rows = row
        self._starts = [span.row for span in self._spans]
        for held in self._of.values():
            held.sort()

    def at(self, row: int) -> Place | None:
        return next(iter(self.places(row, 1)), None)

    def places(self, row: int, count: int) -> list[Place]:
        """What so many rows from `row` on show; fewer at the end."""
        found: list[Place] = []
        index = bisect_right(self._starts, row) - 1
        while 0 <= index < len(self._spans) and len(found) < count:
            begin, rows, place = self._spans[index]
            if place.kind == STEP:
                inside = row + len(found) - begin
                wanted = min(rows - inside, count - len(found))
                first = place.n + inside
                found += [Place(STEP, place.task, n, n, place.depth) for n in range(first, first + wanted)]
            else:
                found.append(place)
            index += 1
        return found

    def row_of(self, task: str, number: int) -> int | None:
        """The row of a step, or of the group it is folded into; None where its task is not unfolded."""
        held = self._of.get(task, [])
        index = bisect_right(held, (number, 2**62, 0, False)) - 1
        if index < 0:
            return None
        first, last, row, each = held[index]
        return None if number > last else row + number - first if each else row

    def tasks(self) -> list[str]:
        """The tasks whose steps are shown."""
        return list(self._of)

    def seek(self, outlines: Mapping[str, Outline], flag: int, row: int, direction: int) -> int | None:
        """The next row after (1) or before (-1) `row` with a step that carries a flag."""
        for number, task, first, last in self._from(row, direction):
            outline = outlines.get(task)
            if outline is None:
                continue
            if any(outline.has(n, flag) for n in range(first, last + 1)):
                return number
        return None

    def _from(self, row: int, direction: int) -> Iterator[tuple[int, str, int, int]]:
        index = bisect_right(self._starts, row) - 1
        while 0 <= index < len(self._spans):
            begin, rows, place = self._spans[index]
            if place.kind == STEP:
                inside = range(max(row + 1 - begin, 0), rows) if direction > 0 else range(min(row - begin, rows) - 1, -1, -1)
                for n in inside:
                    yield begin + n, place.task, place.n + n, place.n + n
            elif place.kind == GROUP and (begin - row) * direction > 0:
                yield begin, place.task, place.n, place.last
            index += direction


def lay_out(root: str, outlines: Mapping[str, Outline], unfolded: Collection[str], loose: Sequence[str] = ()) -> Layout:
    """The rows of a task. `unfolded` are keys of places; `loose` the sub-agents that no step of it is known to have started."""
    return Layout(_rows(root, outlines, unfolded, loose, 0, (root,)))


def _rows(
    task: str,
    outlines: Mapping[str, Outline],
    unfolded: Collection[str],
    loose: Sequence[str],
    depth: int,
    above: tuple[str, ...],
) -> Iterator[tuple[Place, bool]]:
    outline = outlines[task]
    children = {n: child for n, child in outline.children.items() if Place(STEP, task, n, n, 0).key in unfolded}
    breaks: list[tuple[int, int, str]] = [(first, last, "") for first, last in outline.runs]
    breaks += [(n, n, child) for n, child in children.items() if child in outlines and child not in above]
    reached = 1
    for first, last, child in sorted(breaks):
        if first > reached:
            yield Place(STEP, task, reached, first - 1, depth), True
        reached = last + 1
        if child:
            yield Place(STEP, task, first, first, depth), True
            yield from _rows(child, outlines, unfolded, (), depth + 1, (*above, child))
            continue
        group = Place(GROUP, task, first, last, depth)
        inside = group.key in unfolded
        yield group, not inside
        if inside:
            yield Place(STEP, task, first, last, depth + 1), True
    if outline.total >= reached:
        yield Place(STEP, task, reached, outline.total, depth), True
    for child in loose:
        place = Place(CHILD, child, 0, 0, depth)
        yield place, False
        if place.key in unfolded and child in outlines and child not in above:
            yield from _rows(child, outlines, unfolded, (), depth + 1, (*above, child))
