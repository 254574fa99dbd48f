"""The population on its way through a pack: every row is counted and goes into every table of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from reports.input import StepRow
from reports.renderers.base import PopulationSink
from reports.tally import Tally

EVERY = 2_000
"""Rows between two words about how far it is."""


def stream(
    rows: Iterable[StepRow], tally: Tally, sinks: Sequence[PopulationSink], shown: Callable[[StepRow], StepRow] | None = None
) -> dict[str, int]:
    """Count the rows and hand them, as they may be `shown`, to the sinks; the number of records in each file these wrote."""
    records: dict[str, int] = {}
    try:
        for _ in passing(rows, tally, sinks, shown):
            pass
    finally:
        for sink in sinks:
            records |= sink.close()
    return records


def passing(
    rows: Iterable[StepRow], tally: Tally, sinks: Sequence[PopulationSink], shown: Callable[[StepRow], StepRow] | None = None
) -> Iterator[int]:
    """The same for whoever closes the sinks: how many have passed, now and then."""
    for done, row in enumerate(rows, 1):
        tally.add(row)
        told = shown(row) if shown is not None else row
        for sink in sinks:
            sink.add(told)
        if not done % EVERY:
            yield done
