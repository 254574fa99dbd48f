"""A remit policy over all shapes at once: per rule a cached (true, unknown) bitmap, combined by deny > ask > allow."""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lang.cel import Tree
from lang.cel.vector import Evaluator, Tri
from policy.decisions import DEFAULT, Decisions, Progress, RuleRow
from policy.history import History
from policy.model import ALLOW, ASK, CODE, DENY, UNKNOWN, Policy

Bits: TypeAlias = "NDArray[np.uint8]"
_MAX_COUNTS = 20_000


class Masks(Protocol):
    """Packed bits of a history with no shape and with every shape set."""

    none: Bits
    full: Bits


class Answers(Masks, Protocol):
    """What tells the answer of a condition for every shape."""

    def evaluate(self, tree: Tree) -> Tri: ...


class BitmapReplay:
    """Evaluates policies over one history; only conditions not seen before are evaluated."""

    def __init__(self, history: History, answers: Answers | None = None) -> None:
        """`answers` knows what conditions yield where the history does not state what they read."""
        self.history = history
        self._evaluator: Answers = answers or Evaluator(history)
        self._counts: dict[Tree, int] = {}

    def decide(self, policy: Policy, progress: Progress | None = None) -> Decisions:
        """The policy's answer for every shape."""
        rules = policy.in_force
        answers = [(place, CODE[rule.effect], self._evaluator.evaluate(rule.tree)) for place, rule in rules]
        regions = Regions(self._evaluator, answers, CODE[policy.default])
        rows = tuple(RuleRow(r.id, r.effect, 0 if r.expired else self._count(r.tree), r.expired) for r in policy.rules)
        by_place = {place: tri for place, _, tri in answers}
        none = self._evaluator.none
        return Decisions(
            effect=regions.effect(self.history.size),
            decider=regions.decider(self.history.size),
            rules=rows,
            missing=regions.missing(),
            matched=lambda place: by_place[place].true if place in by_place else none,
        )

    def _count(self, tree: Tree) -> int:
        """Requests a condition certainly matches."""
        found = self._counts.get(tree)
        if found is None:
            if len(self._counts) >= _MAX_COUNTS:
                self._counts.clear()
            found = self._counts[tree] = weigh(self._evaluator.evaluate(tree).true, self.history)
        return found


def indices(bits: Bits) -> NDArray[np.int64]:
    """The numbers of the bits that are set, ascending."""
    held = np.flatnonzero(bits)
    if len(held) * 4 > len(bits):
        return np.flatnonzero(np.unpackbits(bits))
    rows, places = np.nonzero(np.unpackbits(bits[held]).reshape(-1, 8))
    return held[rows] * 8 + places


def weigh(bits: Bits, history: History) -> int:
    """Requests of the shapes whose bit is set."""
    if history.all_distinct:
        return int(np.bitwise_count(bits).sum())
    return int(history.shape_weight[indices(bits)].sum())


class Regions:
    """Which shapes are certainly denied, asked, allowed, left to the default, or cannot be judged."""

    def __init__(self, masks: Masks, answers: list[tuple[int, int, Tri]], default: int) -> None:
        none, full = masks.none, masks.full
        true, maybe = [none] * 3, [none] * 3
        for _, code, tri in answers:
            true[code] = true[code] | tri.true
            maybe[code] = maybe[code] | tri.unknown
        self._answers = answers
        self._default = default
        self._none = none
        denied = true[DENY]
        asked = true[ASK] & ~denied
        allowed = true[ALLOW] & ~(denied | true[ASK])
        left = full & ~(denied | true[ASK] | true[ALLOW])
        rival = none
        for code in (ALLOW, ASK, DENY):
            if code != default:
                rival = rival | maybe[code]
        self.unknown = (asked & maybe[DENY]) | (allowed & (maybe[DENY] | maybe[ASK])) | (left & rival)
        sure = ~self.unknown
        # A rule of a stronger effect is relevant where nothing as strong is certain.
        self._open = {DENY: full & ~denied, ASK: full & ~(denied | true[ASK]), ALLOW: left}
        self.decided = {ALLOW: allowed & sure, ASK: asked & sure, DENY: denied}
        self.left = left & sure

    def effect(self, size: int) -> NDArray[np.uint8]:
        out = np.full(size, self._default, np.uint8)
        for code, bits in (*self.decided.items(), (UNKNOWN, self.unknown)):
            out[np.unpackbits(bits, count=size).view(np.bool_)] = code
        return out

    def decider(self, size: int) -> NDArray[np.int32]:
        """The first rule, in the order of the policy, among those whose effect decides."""
        out = np.full(size, DEFAULT, np.int32)
        rest = dict(self.decided)
        for place, code, tri in self._answers:
            mine = tri.true & rest[code]
            if mine.any():
                out[indices(mine)] = place
                rest[code] = rest[code] & ~mine
        return out

    def missing(self) -> dict[str, Bits]:
        """For each missing attribute, the shapes that cannot be judged without it."""
        out: dict[str, Bits] = {}
        if not self.unknown.any():
            return out
        for _, code, tri in self._answers:
            if not tri.missing:
                continue
            where = self.unknown & self._open[code]
            for name, bits in tri.missing.items():
                mine = bits & where
                if mine.any():
                    out[name] = out[name] | mine if name in out else mine
        return dict(sorted(out.items()))
