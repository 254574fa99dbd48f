"""Findings somebody was alerted to, so that several watchers of one store, or one after a restart, tell of each once."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, insert, literal, select

from model.chain import Finding
from model.words import Severity
from store import codec
from store.chainrows import RANKS
from store.engine import Database, chunks
from store.tables import ALERT, FINDING


class Alerts:
    """What was told stays told, though the finding goes and comes again with a later build."""

    db: Database

    def untold(self, least: Severity, limit: int) -> list[Finding]:
        """Findings at least so severe, blind spots left out, that nobody was alerted to: the gravest first, then the oldest."""
        c = FINDING.c
        told = select(ALERT.c.finding_id).where(ALERT.c.finding_id == c.id).exists()
        wanted = select(c.body).where(c.blind_spot.is_(False), c.rank <= RANKS[least], ~told)
        with self.db.read() as connection:
            found = connection.execute(wanted.order_by(c.rank, c.at, c.id).limit(limit)).scalars()
            return [codec.FINDING.decode(body) for body in found]

    def count_untold(self, least: Severity) -> int:
        """How many findings at least so severe wait to be told of."""
        c = FINDING.c
        told = select(ALERT.c.finding_id).where(ALERT.c.finding_id == c.id).exists()
        wanted = select(func.count()).select_from(FINDING).where(c.blind_spot.is_(False), c.rank <= RANKS[least], ~told)
        with self.db.read() as connection:
            return int(connection.execute(wanted).scalar_one())

    def note_told(self, findings: Iterable[str], at: int) -> None:
        """Note that these were told of at a moment; what another watcher noted first stays as that one noted it."""
        with self.db.write() as connection:
            for some in chunks(sorted(set(findings))):
                known = set(connection.execute(select(ALERT.c.finding_id).where(ALERT.c.finding_id.in_(some))).scalars())
                if fresh := [(one, at) for one in some if one not in known]:
                    self.db.insert(connection, ALERT, fresh)

    def tell_nothing_of(self, least: Severity, at: int) -> int:
        """Note everything that is there as told of, so that alerts begin with what comes; how much that was."""
        c = FINDING.c
        told = select(ALERT.c.finding_id).where(ALERT.c.finding_id == c.id).exists()
        there = select(c.id, literal(at)).where(c.blind_spot.is_(False), c.rank <= RANKS[least], ~told)
        with self.db.write() as connection:
            return connection.execute(insert(ALERT).from_select(["finding_id", "at"], there)).rowcount
