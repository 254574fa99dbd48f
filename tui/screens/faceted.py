"""The facets beside a list of tasks: counted for the filter that stands, and narrowing it."""

from __future__ import annotations

from functools import partial

from textual.timer import Timer

from review.sitting.queueing import FACETS, SHOWN
from tui.reader import Reader
from tui.screens.judging import Judging
from tui.widgets.facet_list import FacetList

SETTLING = 0.3
"""Seconds a filter has to stand before its facets are counted: while it is typed nobody reads them."""


WIDE = 120
"""Cells from which the facets stand beside the tasks."""


class FacetedScreen(Judging):
    """A list of tasks under a filter, with the values of their fields beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.filter = ""
        self.total: int | None = None
        """How many tasks the filter leaves, once that is known."""
        self.teller: Reader
        self.waiting: Timer | None = None
        """What counts the facets in a moment."""

    def _facets_shown(self) -> bool:
        return self.app.size.width >= WIDE or self.facets.has_class("-shown")

    @property
    def facets(self) -> FacetList:
        return self.query_one("#facets", FacetList)

    def _count_facets(self) -> None:
        """Each field by itself on the teller's thread, so that a page never waits for a count of a million tasks."""
        self.waiting = None
        if not self._facets_shown() or not self.total:
            return
        filter = self.filter
        for field in FACETS:
            counted = partial(self.desk.facet, field, filter, SHOWN)
            self.teller.ask(counted, partial(self.facets.tell, field), f"facet {field}")

    def on_resize(self) -> None:
        if self.is_mounted and self._facets_shown() and None in self.facets.told.values():
            self._recount()

    def _recount(self) -> None:
        """Count the facets, a moment later where the filter is still being typed."""
        if self.waiting is not None:
            self.waiting.stop()
            self.waiting = None
        if self._facets_shown() and self.query_one("#filter").has_class("-open"):
            self.waiting = self.set_timer(SETTLING, self._count_facets)
        else:
            self._count_facets()

    def action_facets(self) -> None:
        """To the facets and back; where there is no room beside the tasks they take their place."""
        if self.facets.has_focus:
            self._leave_facets()
            return
        self.facets.add_class("-shown")
        if None in self.facets.told.values():
            self._count_facets()
        self.set_focus(self.facets)

    def _leave_facets(self) -> None:
        self.facets.remove_class("-shown")
        self.set_focus(self.table)
