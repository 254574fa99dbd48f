"""What others did to the store since one last looked: so that several people at one store see each other's work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from lang.safe import safe_line

if TYPE_CHECKING:
    from model.review import JournalEntry
    from store.pulse import Pulse

SHOWN = 200
"""Entries and tasks looked at in one go; of more, only how many there are is told."""

_SUBJECTS = ("task", "subject", "finding", "name")


class Shared(Protocol):
    """A store as this module asks it, in full or over plain SQLite."""

    def pulse(self) -> Pulse: ...
    def journal(self, after: int = 0, limit: int | None = None) -> list[JournalEntry]: ...
    def tasks_changed(self, after: int, limit: int) -> list[str]: ...


class News(msgspec.Struct, frozen=True):
    """What changed: tasks judged or otherwise spoken of, tasks built anew ("" for all), and others' acts in short sentences."""

    spoken: frozenset[str] = frozenset()
    built: frozenset[str] = frozenset()
    said: tuple[str, ...] = ()
    files: bool = False

    def concerns(self, task: str) -> bool:
        """Whether a task was judged, spoken of or built anew."""
        return task in self.spoken or self.rebuilt(task)

    def rebuilt(self, task: str) -> bool:
        """Whether a task's steps may have changed."""
        return task in self.built or "" in self.built


class Watch:
    """Looks at a store again and again, from where it stands when made. `me` tells whose own acts are no news."""

    def __init__(self, store: Shared, me: Callable[[], str]) -> None:
        self.store = store
        self.me = me
        self.pulse = store.pulse()

    def look(self) -> News | None:
        """What changed since the last look; None where nothing did."""
        before, now = self.pulse, self.store.pulse()
        if now == before:
            return None
        self.pulse = now
        entries = self.store.journal(before.journal, SHOWN) if now.journal > before.journal else []
        built: list[str] = []
        if now.steps != before.steps:
            # A smaller number: the store was built from nothing, or put back from a copy.
            built = self.store.tasks_changed(before.steps, SHOWN) if now.steps > before.steps else [""]
            built = [""] if len(built) == SHOWN else built
        spoken = frozenset(subject for entry in entries for subject in _subjects(entry))
        me = self.me() if entries else ""
        others = [entry for entry in entries if entry.who != me]
        return News(spoken, frozenset(built), sentences(others), now.files != before.files)


def sentences(entries: list[JournalEntry]) -> tuple[str, ...]:
    """Who did what how often, the most recent kind last: `dana: 3 × within-remit`."""
    counted = Counter((entry.who, _deed(entry)) for entry in entries)
    return tuple(safe_line(f"{who}: {f'{n} × ' if n > 1 else ''}{deed}", 120) for (who, deed), n in counted.items())


def stirring(path: str) -> tuple[int, ...]:
    """What changes on disk with every commit to a SQLite file: looked at first, it costs microseconds."""
    found: list[int] = []
    for name in (path, f"{path}-wal"):
        try:
            stat = Path(name).stat()
        except OSError:
            continue
        found += [stat.st_mtime_ns, stat.st_size]
    return tuple(found)


def _deed(entry: JournalEntry) -> str:
    word = _data(entry).get("verdict")
    return str(word) if entry.what == "verdict" and word else entry.what


def _subjects(entry: JournalEntry) -> list[str]:
    data = _data(entry)
    return [data[name] for name in _SUBJECTS if isinstance(data.get(name), str) and data[name]]


def _data(entry: JournalEntry) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(entry.body)
    except msgspec.DecodeError:
        return {}
    found = body.get("data") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}
