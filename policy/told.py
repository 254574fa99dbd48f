"""Rules that another engine has judged: their answers per shape, under the conditions' trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lang.cel import Tree
from lang.cel.vector import Tri
from policy.projection import Bits


class Told:
    """Takes the place of an evaluator where every condition's answers are known beforehand.

    `outcomes` are the texts of each shape: per tree, in order, one character (1 true, 0 false, 2 unknown) and one for each
    of its `names`, 1 where the attribute's absence is why.
    """

    def __init__(self, outcomes: Sequence[str], trees: Mapping[Tree, tuple[str, ...]]) -> None:
        size = len(outcomes)
        self.none: Bits = np.zeros((size + 7) // 8, np.uint8)
        self.full: Bits = np.packbits(np.ones(size, np.bool_))
        width = sum(1 + len(names) for names in trees.values())
        table: NDArray[np.uint8] = np.frombuffer("".join(outcomes).encode("ascii"), np.uint8).reshape(size, width)
        self._answers: dict[Tree, Tri] = {}
        place = 0
        for tree, names in trees.items():
            missing = {name: np.packbits(table[:, place + 1 + n] == ord("1")) for n, name in enumerate(names)}
            missing = {name: bits for name, bits in missing.items() if bits.any()}
            true, unknown = (np.packbits(table[:, place] == ord(word)) for word in "12")
            self._answers[tree] = Tri(true, unknown, missing)
            place += 1 + len(names)

    def evaluate(self, tree: Tree) -> Tri:
        return self._answers[tree]
