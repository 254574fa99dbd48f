"""How far a store has come: three numbers that change with everything others see, cheap enough to be asked every second."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from store.engine import Database

ASKED = (
    "SELECT coalesce((SELECT max(seq) FROM journal), 0), coalesce((SELECT max(seq) FROM step_change), 0), "
    "coalesce((SELECT max(seq) FROM source_file), 0)"
)
"""The last entry of the review journal, the last change of any step, the last file taken in: each is one look into an index."""

CHANGED = "SELECT DISTINCT task_id FROM step_change WHERE seq > ? LIMIT ?"


class Pulse(NamedTuple):
    """Where a store stands; another one means that somebody wrote."""

    journal: int = 0
    steps: int = 0
    files: int = 0


class Pulses:
    """What a store that several people share is asked again and again."""

    db: Database

    def pulse(self) -> Pulse:
        """Where the store stands now."""
        with self.db.read() as connection:
            return Pulse(*self.db.fetch(connection, ASKED, ())[0])

    def tasks_changed(self, after: int, limit: int) -> list[str]:
        """Tasks whose steps changed after this number (`Pulse.steps`), at most so many; "" among them stands for all."""
        with self.db.read() as connection:
            return [str(task) for (task,) in self.db.fetch(connection, CHANGED, (after, limit))]
