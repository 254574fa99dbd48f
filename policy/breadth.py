"""Rules against one another over a history: which decide what another matches, which void or cover a narrower one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from policy.bitmaps import indices
from policy.change import CANNOT_JUDGE, UNCHANGED, Change
from policy.decisions import DEFAULT, Decisions
from policy.dryrun import RuleResult
from policy.model import CODE

_PROBES = 8


def rule_results(change: Change, lines: dict[str, int], controls: dict[str, tuple[str, ...]]) -> list[RuleResult]:
    """Of each rule what it matches, decides and flips, and the rules that decide all it matches."""
    after, history = change.after, change.history
    size = len(after.rules)
    decider = after.decider + 1
    decides = np.bincount(decider, weights=history.shape_weight, minlength=size + 1)[1:].astype(np.int64)
    flipped = np.flatnonzero((change.kind != UNCHANGED) & (change.kind != CANNOT_JUDGE))
    weights = history.cell_weight[flipped]
    flips = np.bincount(decider[history.cell_shape[flipped]], weights=weights, minlength=size + 1)[1:].astype(np.int64)
    out = []
    for place, rule in enumerate(after.rules):
        shadows = _shadows(after, place) if rule.hits and not decides[place] else []
        out.append(
            RuleResult(
                rule.id, rule.effect, rule.hits, int(decides[place]), int(flips[place]), shadows, rule.expired,
                line=lines.get(rule.id, 0), controls=list(controls.get(rule.id, ())),
            )
        )  # fmt: skip
    return out


def _shadows(after: Decisions, place: int) -> list[str]:
    """The rules that decide everything a rule matches; none where some of it cannot be judged."""
    shapes = indices(after.matched(place))
    deciders = np.unique(after.decider[shapes])
    if DEFAULT in deciders:
        return []
    return [after.rules[int(d)].id for d in deciders]


def wider(after: Decisions) -> dict[str, tuple[list[str], list[str]]]:
    """By rule, the narrower rules it voids and the narrower ones it covers, on this history.

    A rule *voids* another of a weaker effect, and *covers* another of the same effect, where every request the other
    certainly matches it certainly matches too, and more besides. A voided rule never decides; without a covered one
    no answer of what it certainly matches would be another.
    """
    matched = [after.matched(place) for place in range(len(after.rules))]
    probes = [_probe(bits) for bits in matched]
    out: dict[str, tuple[list[str], list[str]]] = {}
    for wide, one in enumerate(after.rules):
        voids: list[str] = []
        covers: list[str] = []
        for narrow, other in enumerate(after.rules):
            weaker = CODE[other.effect] - CODE[one.effect]
            if not 0 < other.hits < one.hits or weaker > 0 or not _has(matched[wide], probes[narrow]):
                continue
            if not (matched[narrow] & ~matched[wide]).any():
                (voids if weaker < 0 else covers).append(other.id)
        if voids or covers:
            out[one.id] = (voids, covers)
    return out


def _probe(bits: NDArray[np.uint8]) -> Sequence[tuple[int, int]]:
    """A few bytes in which bits are set: whoever lacks one of them cannot hold them all."""
    held = np.flatnonzero(bits)
    some = held[:: max(1, len(held) // _PROBES)][:_PROBES]
    return [(int(place), int(bits[place])) for place in some]


def _has(bits: NDArray[np.uint8], probe: Sequence[tuple[int, int]]) -> bool:
    return all(int(bits[place]) & wanted == wanted for place, wanted in probe)
