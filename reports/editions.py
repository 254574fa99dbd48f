"""Two editions of a catalogue side by side: which entry is which, by the links the catalogues themselves state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from reports.catalogue import Framework, Item


class Pair(msgspec.Struct, frozen=True):
    """An entry in an older and a newer edition; "" where one of them has it not. `change` says what became of it."""

    old: str
    old_title: str
    new: str
    new_title: str
    change: str


def paired(old: Framework, new: Framework) -> list[Pair]:
    """Every entry of both, in the older one's order, then what is new.

    Entries are one where either catalogue links them or, without a link, where they have the same id less the edition. Titles
    are never compared to find out.
    """
    successors = _successors(old, new)
    came = {id for ids in successors.values() for id in ids}
    pairs = []
    for item in old.assessable:
        found = [new.by_id[id] for id in successors.get(item.id, ())]
        pairs += [_pair(item, one, old, new) for one in found] or [Pair(item.id, item.title, "", "", "not carried on")]
    pairs += [Pair("", "", item.id, item.title, "new") for item in new.assessable if item.id not in came]
    return pairs


def editions(chosen: Iterable[Framework]) -> list[tuple[Framework, Framework]]:
    """Each two chosen catalogues that are neighbouring editions of one another, the older first."""
    families: dict[str, list[Framework]] = {}
    for one in chosen:
        families.setdefault(one.catalogue, []).append(one)
    found = []
    for _, family in sorted(families.items()):
        ordered = in_order(family)
        found += list(pairwise(ordered))
    return found


def in_order(family: Sequence[Framework]) -> list[Framework]:
    """Editions by the date of their publication, then by id."""
    return sorted(family, key=lambda f: (f.published, f.edition, f.id))


def _successors(old: Framework, new: Framework) -> dict[str, list[str]]:
    """The entries of `new` that continue each entry of `old`."""
    found: dict[str, list[str]] = {}
    linked: set[str] = set()
    for item in old.assessable:
        later = item.same.get(new.edition, "")
        earlier = [one.id for one in new.assessable if one.same.get(old.edition) == item.id]
        ids = list(dict.fromkeys(([later] if later in new.by_id else []) + earlier))
        if ids:
            found[item.id] = ids
            linked.update(ids)
    for item in old.assessable:
        same = _bare(item, old)
        match = next((one.id for one in new.assessable if _bare(one, new) == same), "")
        if match and item.id not in found and match not in linked and not new.by_id[match].same and not item.same:
            found[item.id] = [match]
    return found


def _bare(item: Item, framework: Framework) -> str:
    return item.id.removesuffix(f":{framework.edition}").casefold()


def _pair(item: Item, one: Item, old: Framework, new: Framework) -> Pair:
    moved = "same number" if _bare(item, old) == _bare(one, new) else "renumbered"
    named = "" if item.title == one.title else ", renamed"
    return Pair(item.id, item.title, one.id, one.title, moved + named)
