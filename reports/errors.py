"""Errors a person can act on: what is wrong, where, and what to do. Only `cli` and `tui` print them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

_NAMED = 5


class ReportError(ValueError):
    """Something a report was asked for cannot be done; the text is one sentence to show."""


class DataError(ReportError):
    """A catalogue or crosswalk file cannot be used: `path` names it, the text says where and why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class UnknownName(ReportError):
    """A framework, control or format that nobody knows, with the nearest names; `likeness` (0 to 1) says how near the nearest is."""

    likeness = 0.0

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        spelled = {one.lower(): one for one in reversed(names)}
        near = get_close_matches(name.lower(), spelled, n=3, cutoff=0.4)
        self.nearest = tuple(spelled[one] for one in near) or tuple(names[:3])
        self.likeness = SequenceMatcher(None, name.lower(), near[0]).ratio() if near else 0.0
        self.name = name
        super().__init__(f"unknown {what} {name[:80]!r}; nearest: {', '.join(self.nearest)}")


class SeveralNames(UnknownName):
    """A name that several are called, with those."""

    def __init__(self, several: str, name: str, fits: Iterable[str]) -> None:
        names = sorted(fits)
        self.nearest = tuple(names[:_NAMED])
        self.name = name
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        ReportError.__init__(self, f"{several} {name[:80]!r}: {', '.join(self.nearest)}{more}")


class PackError(ReportError):
    """A pack cannot be written or read where it was asked for."""


class TemplateFault(ReportError):
    """An organisation's template cannot be used: which, where, why."""
