"""Whether a store's file still lies where it was opened: what is written to a file that was removed is gone with it."""

from __future__ import annotations

import os
from pathlib import Path

from store.errors import StoreError


class HeldFile:
    """The file a store was opened as.

    Whoever removes it or puts another in its place leaves the open connections on the old one. SQLite reads and writes it
    without an error, and a verdict that was recorded so is nowhere once the last connection is closed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        try:
            self._opened: os.stat_result | None = self._path.stat()
        except OSError:
            self._opened = None

    def check(self) -> None:
        """Raises StoreError where another file, or none, lies in its place."""
        if self._opened is None:
            return
        try:
            if os.path.samestat(self._path.stat(), self._opened):
                return
            happened = "replaced by another file"
        except (FileNotFoundError, NotADirectoryError):
            happened = "removed"
        except OSError:  # its folder may not be looked into any more: that says nothing of the file
            return
        raise StoreError(
            f"the store {self._path} was {happened} while it was open; open it again, for nothing can be kept in it any more"
        )
