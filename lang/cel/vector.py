"""One condition, all rows at once: true, unknown and the missing names behind it, as packed bitmaps.

A part of a condition that reads one attribute is answered once per distinct value (`Domains`) and spread over the
rows by their codes; parts that read several are joined by Kleene's tables on the bitmaps; what relates two
attributes (`a == b`, arithmetic) is answered by the scalar evaluator once per distinct pair. Every answer is cached,
so that typing a rule letter by letter re-evaluates the letter's predicate and nothing else.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from lang.cel.columns import Column, Table, Texts
from lang.cel.domains import Domains
from lang.cel.scalar import Answer, answer_of, closure, evaluate
from lang.cel.typed import And, Attr, Call, Cond, Has, Not, Or, Tree, Value, reads

Bits: TypeAlias = "NDArray[np.uint8]"

CACHE_BYTES = 96 << 20


class Tri(msgspec.Struct, frozen=True, eq=False):
    """A three-valued answer per row as packed bits (8 rows a byte, first row highest; bits past the last row are 0).

    `missing` says, per attribute, for which rows its absence mattered; rows unknown through an error are in none.
    """

    true: Bits
    unknown: Bits
    missing: dict[str, Bits]

    @property
    def nbytes(self) -> int:
        return int(self.true.nbytes) * (2 + len(self.missing))


class Evaluator:
    """Evaluates typed trees over one table; answers are shared and must not be written to."""

    def __init__(self, table: Table, cache_bytes: int = CACHE_BYTES) -> None:
        self.table = table
        self.none: Bits = np.zeros((table.size + 7) // 8, np.uint8)
        self.full: Bits = np.packbits(np.ones(table.size, np.bool_))
        self._domains = Domains()
        self._absent: dict[str, Bits] = {}
        self._cache: OrderedDict[Tree, Tri] = OrderedDict()
        self._held = 0
        self._limit = cache_bytes

    def evaluate(self, tree: Tree) -> Tri:
        """The answer of a condition for every row."""
        found = self._cache.get(tree)
        if found is not None:
            self._cache.move_to_end(tree)
            return found
        result = self._evaluate(tree)
        self._cache[tree] = result
        self._held += result.nbytes
        while self._held > self._limit and len(self._cache) > 1:
            self._held -= self._cache.popitem(last=False)[1].nbytes
        return result

    def _evaluate(self, tree: Tree) -> Tri:
        names = sorted(reads(tree))
        if not names:
            return self._constant(evaluate(tree, {}))
        if isinstance(tree, Has):
            return Tri(~self.absent(tree.name) & self.full, self.none, {})
        if len(names) == 1:
            return self._one(tree, names[0])
        match tree:
            case Not(of):
                return self._negated(self.evaluate(of))
            case And(parts):
                return self._joined([self.evaluate(p) for p in parts], every=True)
            case Or(parts):
                return self._joined([self.evaluate(p) for p in parts], every=False)
            case Cond(test, yes, no):
                return self._chosen(self.evaluate(test), self.evaluate(yes), self.evaluate(no))
            case Call("==" | "!=" as op, (Attr(a), Attr(b))):
                same = self._same(a, b)
                if same is not None:
                    return self._negated(same) if op == "!=" else same
        return self._several(tree, names)

    def absent(self, name: str) -> Bits:
        """Rows that do not state an attribute."""
        found = self._absent.get(name)
        if found is None:
            column = self.table.column(name)
            found = self._absent[name] = self.full if column is None else np.packbits(column.codes == 0)
        return found

    # logic on bitmaps

    def _constant(self, answer: Answer) -> Tri:
        if answer.value is None:
            return Tri(self.none, self.full, {})
        return Tri(self.full if answer.value else self.none, self.none, {})

    def _negated(self, of: Tri) -> Tri:
        return Tri(self.full & ~(of.true | of.unknown), of.unknown, of.missing)

    def _joined(self, parts: list[Tri], every: bool) -> Tri:
        if every:
            true, possible = self.full, self.full
            for part in parts:
                true = true & part.true
                possible = possible & (part.true | part.unknown)
            unknown = possible & ~true
        else:
            true, possible = self.none, self.none
            for part in parts:
                true = true | part.true
                possible = possible | part.unknown
            unknown = possible & ~true
        return Tri(true, unknown, self._names([(part, unknown) for part in parts], unknown))

    def _chosen(self, test: Tri, yes: Tri, no: Tri) -> Tri:
        takes_no = self.full & ~(test.true | test.unknown)
        true = (test.true & yes.true) | (takes_no & no.true)
        unknown = test.unknown | (test.true & yes.unknown) | (takes_no & no.unknown)
        return Tri(true, unknown, self._names([(test, self.full), (yes, test.true), (no, takes_no)], unknown))

    def _names(self, parts: list[tuple[Tri, Bits]], unknown: Bits) -> dict[str, Bits]:
        """Missing names of the parts, each within its mask, where the whole is unknown."""
        out: dict[str, Bits] = {}
        if not unknown.any():
            return out
        for part, mask in parts:
            for name, rows in part.missing.items():
                seen = rows & mask
                out[name] = out[name] | seen if name in out else seen
        return {name: rows for name, rows in out.items() if rows.any()}

    # one attribute

    def _one(self, tree: Tree, name: str) -> Tri:
        nothing = evaluate(tree, {})
        column = self.table.column(name)
        if column is None:
            return self._spread(nothing, np.zeros(0, np.bool_), np.zeros(0, np.bool_), None, name)
        true, unknown = self._domains.test(tree, Attr(name, "?"), column.values)
        return self._spread(nothing, true, unknown, column, name)

    def _spread(
        self, nothing: Answer, true: NDArray[np.bool_], unknown: NDArray[np.bool_], column: Column | None, name: str
    ) -> Tri:
        """Answers per distinct value, and `nothing` for a missing one, spread over the rows."""
        if column is None:
            only = self._constant(nothing)
            return Tri(only.true, only.unknown, {name: self.full} if name in nothing.missing else {})
        table = np.empty(len(true) + 1, np.bool_)
        table[0], table[1:] = nothing.value is True, true
        hits = np.packbits(table[column.codes])
        absent = self.absent(name)
        missing = {name: absent} if name in nothing.missing and absent.any() else {}
        if not unknown.any():
            return Tri(hits, absent if nothing.value is None else self.none, missing)
        table[0], table[1:] = nothing.value is None, unknown
        return Tri(hits, np.packbits(table[column.codes]), missing)

    # several attributes in one operation

    def _same(self, a: str, b: str) -> Tri | None:
        """`a == b` for two text attributes: the values of b are looked up among those of a, then codes compared."""
        left, right = self.table.column(a), self.table.column(b)
        if left is None or right is None or not (isinstance(left.values, Texts) and isinstance(right.values, Texts)):
            return None
        place = {raw: i + 1 for i, raw in enumerate(left.values.raws(range(len(left.values))))}
        table = np.full(len(right.values) + 1, -1, np.int64)
        for i, raw in enumerate(right.values.raws(range(len(right.values)))):
            table[i + 1] = place.get(raw, -1)
        missing = {n: self.absent(n) for n in (a, b) if self.absent(n).any()}
        unknown = self.absent(a) | self.absent(b)
        true = np.packbits(table[right.codes] == left.codes) & ~unknown
        return Tri(true, unknown, missing)

    def _several(self, tree: Tree, names: list[str]) -> Tri:
        columns = [(name, column) for name in names if (column := self.table.column(name)) is not None]
        if not columns:
            answer = evaluate(tree, {})
            only = self._constant(answer)
            return Tri(only.true, only.unknown, dict.fromkeys(answer.missing, self.full))
        first, inverse = distinct([column.codes for _, column in columns])
        run = closure(tree)
        answers = [answer_of(run(request_at(columns, row))) for row in first.tolist()]
        true = np.fromiter((a.value is True for a in answers), np.bool_, len(answers))
        unknown = np.fromiter((a.value is None for a in answers), np.bool_, len(answers))
        missing: dict[str, Bits] = {}
        for name in names:
            hit = np.fromiter((name in a.missing for a in answers), np.bool_, len(answers))
            if hit.any():
                missing[name] = np.packbits(hit[inverse])
        return Tri(np.packbits(true[inverse]), np.packbits(unknown[inverse]), missing)


def request_at(columns: list[tuple[str, Column]], row: int) -> dict[str, Value]:
    """What these columns state in one row."""
    out: dict[str, Value] = {}
    for name, column in columns:
        value = column.value(row)
        if value is not None:
            out[name] = value
    return out


def distinct(codes: list[NDArray[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A row of each distinct tuple of codes, and per row which tuple it carries."""
    key = codes[0].astype(np.int64)
    size = int(key.max(initial=0)) + 1
    for more in codes[1:]:
        width = int(more.max(initial=0)) + 1
        if size * width >= 1 << 62:
            _, key = np.unique(key, return_inverse=True)
            size = int(key.max(initial=0)) + 1
        key = key * width + more
        size *= width
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return first, inverse
