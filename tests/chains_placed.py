"""Where the events of a story are put: each asked for on its own."""

from __future__ import annotations

from collections.abc import Iterable

from chains import MemoryIndex, attribute
from chains.facts import OrgFacts
from model.event import Event
from model.evidence import Attribution
from tests.chains_story import facts, ready


def place(events: Iterable[Event], org: OrgFacts | None = None, skews: dict[str, int] | None = None) -> dict[str, Attribution]:
    """Attributions by the record's readable name, every event asked for on its own."""
    made = ready(events)
    index = MemoryIndex(made)
    found: dict[str, Attribution] = {}
    for one in made:
        (answer,) = attribute([index.stubs[one.id]], index, org or facts(), skews)
        found[one.id] = answer
    return found


def of(found: dict[str, Attribution], one: Event) -> Attribution:
    return found[one.id]
