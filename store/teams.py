"""A team's PostgreSQL store divided by team: who sees whose tasks, switched on and off, and what that means for a reader.

`store.policies` has the rules; the database enforces them, whatever program asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select, text

from store import codec
from store.chainrows import team_rows
from store.errors import StoreError
from store.policies import switched_off, switched_on
from store.roles import Roles, become_owner, is_divided, quoted_groups, run
from store.tables import TASK_BODY, TASK_TEAM, TEAM_SIGHT
from store.text import clean

EVERYTHING = "*"
_BATCH = 2_000


class Division(NamedTuple):
    """Whether a store is divided, the tasks of each team, which logins were granted which teams, and what the one asking sees.

    `mine` is None for everything.
    """

    on: bool
    teams: list[tuple[str, int]]
    granted: list[tuple[str, str]]
    mine: tuple[str, ...] | None


class Teams(Roles):
    """Row-level security by team."""

    def division(self) -> Division:
        """How this store is divided; of teams and grants the one asking is told what it sees."""
        self._only_postgresql()
        t, s = TASK_TEAM.c, TEAM_SIGHT.c
        with self.db.read() as connection:
            teams = connection.execute(select(t.team, func.count()).group_by(t.team).order_by(t.team)).all()
            granted = connection.execute(select(s.login, s.team).order_by(s.login, s.team)).all()
            mine = _mine(connection) if self.db.divided(connection) else None
            return Division(is_divided(connection), [(n, int(c)) for n, c in teams], [(w, n) for w, n in granted], mine)

    def sees(self) -> tuple[str, ...] | None:
        """The teams whose tasks alone this login sees; None where it sees everything."""
        if self.db.sqlite:
            return None
        with self.db.read() as connection:
            return _mine(connection) if self.db.divided(connection) else None

    def divide(self, progress: Callable[[int], None] | None = None) -> int:
        """Put the rules in force; tasks that an older Remit built are told their teams first: the number of those.

        Raises StoreError where PostgreSQL distributes the tables, whose rules may look at no other table.
        """
        self._only_postgresql()
        with self.db.read() as connection:
            if connection.execute(text("SELECT FROM pg_extension WHERE extname = 'citus'")).first() is not None:
                raise StoreError(
                    f"{self.db.shown} is distributed by Citus, whose tables take no rule that looks at another table"
                )
        filled = 0
        while count := self._fill():
            filled += count
            if progress is not None:
                progress(filled)
        with self.db.write() as connection:
            run(connection, self.arrangement(connection))
            become_owner(connection)
            run(connection, list(switched_on(quoted_groups(connection))))
        return filled

    def undivide(self) -> None:
        """Take the rules away: every reader sees everything again; who was granted what is kept."""
        self._only_postgresql()
        with self.db.write() as connection:
            become_owner(connection)
            run(connection, list(switched_off()))

    def show_team(self, team: str, login: str, *, revoke: bool = False) -> None:
        """Let a login see a team's tasks, those of no team ("") or everything (`*`); or no longer.

        Raises StoreError where there is no such login.
        """
        self._only_postgresql()
        team = clean(team)
        row = {"login": login, "team": team}
        with self.db.write() as connection:
            known = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": login}).first()
            if known is None and not revoke:
                raise StoreError(
                    f"there is no role {login[:80]!r} in this PostgreSQL; make it with `CREATE ROLE ... LOGIN` first"
                )
            become_owner(connection)
            if revoke:
                connection.execute(delete(TEAM_SIGHT).where(TEAM_SIGHT.c.login == login, TEAM_SIGHT.c.team == team))
            else:
                connection.execute(self.db.dialect(TEAM_SIGHT).values(**row).on_conflict_do_nothing())

    def _fill(self) -> int:
        """Tell some tasks their teams that have none on record; how many."""
        b, t = TASK_BODY.c, TASK_TEAM.c
        lacking = select(b.body).where(~select(t.task_id).where(t.task_id == b.task_id).exists()).limit(_BATCH)
        with self.db.write() as connection:
            become_owner(connection)
            found = [codec.TASK.decode(body) for body in connection.execute(lacking).scalars()]
            self.db.insert(connection, TASK_TEAM, [row for task in found for row in team_rows(task)])
        return len(found)


def _mine(connection: Connection) -> tuple[str, ...]:
    return tuple(sorted(connection.execute(text("SELECT remit_teams()")).scalar_one()))
