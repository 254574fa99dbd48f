"""Stretches of a first build's events placed in their tasks: none hangs on where another was put, so any process may place any."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from chains.attribution import attribute
from chains.facts import OrgFacts
from model.evidence import Attribution
from model.words import KeyRole
from review.derive.index import CachedIndex
from store import Store

EVENTS = 1_000
"""Events placed at a time."""


class Stretch(msgspec.Struct):
    """The events numbered after the first up to the second."""

    after: int
    last: int


class Placed(msgspec.Struct, array_like=True):
    """Where the events of a stretch belong, and the names of the credentials they tell of."""

    attributions: list[Attribution]
    credentials: list[str]
    end: bool = True


def stretches(after: int, last: int) -> list[Stretch]:
    """All events numbered after the first up to the second, a part at a time."""
    return [Stretch(number, min(number + EVENTS, last)) for number in range(after, last, EVENTS)]


def place(store: Store, index: CachedIndex, facts: OrgFacts, skews: Mapping[str, int], stretch: Stretch) -> Placed:
    """Place the events of one stretch; nothing is written."""
    stubs = store.stubs_between(stretch.after, stretch.last)
    index.prefetch(stubs)
    told = {key.name for stub in stubs for key in stub.keys if key.role is KeyRole.CREDENTIAL}
    return Placed(attribute(stubs, index, facts, skews), sorted(told))
