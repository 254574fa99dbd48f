"""Events as coverage sees them: when, at which point, and for whom as far as the log says."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import case, select

from model.words import EventKind, KeyRole, Phase, Vantage
from store.codec import EVENT as DECODER
from store.engine import Database
from store.tables import EVENT
from store.text import UNKNOWN_LATE

_FETCH = 2_000


class Sightings:
    """Reads what coverage is measured from."""

    db: Database

    def sightings(self) -> Iterator[tuple[str, str, int, str, str, str, bool, str]]:
        """Every event with a time, in order of time: (point, vantage, at, principal, host, session, decides, verb).

        Host and session are read for enforcers only: whose silence means absence is asked of nobody else.
        """
        c = EVENT.c
        body = case((c.vantage == Vantage.ENFORCER.value, c.body), else_=None)
        wanted = (
            select(c.point, c.vantage, c.at, c.principal, c.kind, c.phase, c.verb, body)
            .where(c.at.is_not(None), c.at < UNKNOWN_LATE)
            .order_by(c.at, c.point, c.id)
        )
        with self.db.read() as connection:
            for point, vantage, at, principal, kind, phase, verb, held in connection.execute(wanted).yield_per(_FETCH):
                host = session = ""
                if held is not None:
                    event = DECODER.decode(held)
                    host = str(event.attrs.get("host") or "")
                    session = next((key.name for key in event.keys if key.role is KeyRole.SCOPE), "")
                decides = kind == EventKind.DECISION.value and phase == Phase.VERDICT.value
                yield point, vantage, at, principal, host, session, decides, verb
