"""Which objects of a store were imported as they are: what is unchanged since is not read again.

An object whose store tells nothing that changes with its content is read each time. So is everything once a format of this
installation reads differently, and with a user's mapping, which may change under the same name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from importers.base import Importer
from importers.bookmark import stamp_of
from importers.registry import importers
from model.event import digest, short_id
from model.evidence import Bookmark
from review.intake.found import Found, Missing
from store import Store

if TYPE_CHECKING:
    from review.intake.objects import Listed

STRANGE = 100_000
"""Objects without a log that are remembered for a sitting; any more are looked at again."""


class Marks:
    """The marks of imported objects in a store of ours; `unchanged` counts those that were left out."""

    def __init__(self, store: Store, format: str | Importer | None) -> None:
        self._store = store
        self._kept = format is None or isinstance(format, str)
        self._format = format if isinstance(format, str) else ""
        self._stamp = ""
        self._strange: set[tuple[str, str]] = set()
        self.unchanged = 0

    def changed(self, address: str, as_name: str | None = None) -> Iterator[Found | Missing]:
        """The sources at an address, without those that were imported as they are."""
        from review.intake.objects import sources

        if self._kept and not self._stamp:
            self._stamp = digest("object", *(stamp_of(one) for _, one in sorted(importers().items())))
        return sources(address, as_name, self)

    def known(self, one: Listed) -> bool:
        """Whether an object was imported as it is, or looked at in this sitting and found to be no log."""
        if not one.at.state or (self._id(one), one.at.state) in self._strange:
            return bool(one.at.state)
        mark = self._store.bookmark(self._id(one)) if self._kept else None
        known = mark is not None and mark.stamp == self._stamp and mark.sha256 == one.at.state
        self.unchanged += known
        return known

    def keep(self, one: Listed) -> None:
        """An object was imported to its end."""
        if self._kept and one.at.state:
            self._store.keep_bookmark(self._id(one), Bookmark(self._stamp, "", one.at.size or 0, one.at.state, 0, 0, (), b""))

    def left(self, one: Listed) -> None:
        """An object was read and nothing of it imported."""
        if len(self._strange) < STRANGE:
            self._strange.add((self._id(one), one.at.state))

    def _id(self, one: Listed) -> str:
        return short_id("object", one.key, one.name, self._format)
