"""What can be wrong with a history elsewhere, in sentences for people."""

from __future__ import annotations


class HistoryError(Exception):
    """A history cannot be read: what, where, what to do."""


class Lacking(Exception):
    """Something of a condition has no exact counterpart in an engine: `what` is the function or the form, `how` narrows it."""

    def __init__(self, what: str, how: str = "") -> None:
        super().__init__(f"{what} {how}".rstrip())
        self.what = what
        self.how = how
