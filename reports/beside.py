"""What somebody else may do of a pack while this process does the rest. Whatever they cannot do is done here, to the same bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from reports.input import StepRow
from reports.renderers.base import Document
from reports.tally import Counted


class Beside(Protocol):
    """Counts the population and writes formats that stand alone."""

    @property
    def counting(self) -> bool:
        """Whether the population is being counted, and written into the tables of it that stand alone."""
        ...

    def rows(self, tasks: Collection[str], steps: Collection[str]) -> Iterable[StepRow]:
        """The rows of some tasks, in the population's order, and of some steps."""
        ...

    def counted(self) -> Counted | None:
        """Wait for the counts; None where they could not be had."""
        ...

    def render(self, formats: Sequence[str], document: Document) -> None:
        """Begin to write formats that stand alone, one after the other."""
        ...

    def rendered(self, format: str) -> dict[str, dict[str, Any]] | None:
        """Wait for one of them that is begun: what the manifest says of each of its files; None where it is not, or failed."""
        ...
