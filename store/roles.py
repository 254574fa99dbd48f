"""Roles in a team's PostgreSQL store: groups that hold the grants, logins that are members of them, an owner nobody logs in as.

The database enforces them: whoever connects by other means than Remit meets the same grants. Roles belong to a whole
PostgreSQL server, so a group's name carries its database's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, text

from store.duties import APPENDS, DUTIES, REVIEWED, ROLES, Duty, Role
from store.engine import Database
from store.errors import StoreError
from store.policies import switched_on
from store.schema import VERSION_TABLE
from store.tables import METADATA

_LONGEST = 63
_OLDEST = 160_000
"""Membership without inheritance, by which an administrator is the owner only while migrating, came with PostgreSQL 16."""

_CALLS: dict[str, Role] = {
    "remit_teams()": "reader",
    "remit_sees_all()": "reader",
    "remit_found(tsquery)": "reader",
    "remit_last(text)": "reader",
    "remit_takes_back(bigint, text, text, text)": "reviewer",
    "remit_open_blocks()": "importer",
    "remit_drop_blocks()": "administrator",
}
"""Functions that run as the owner of the tables, which PostgreSQL would let every login of the server call, and who may."""

_BESIDE = ("search_fts", VERSION_TABLE)
"""Tables of the store that no model declares."""


class Roles:
    """Who may do what in this store; in a SQLite file whoever may write the file may do everything."""

    db: Database

    def may(self) -> frozenset[Duty]:
        """What the login this store is open as may do, as the database itself answers."""
        if self.db.sqlite:
            return frozenset(DUTIES)
        asked = ", ".join(f"has_table_privilege('{table}', 'INSERT')" for _, table, _ in DUTIES.values())
        with self.db.read() as connection:
            answers = connection.execute(text(f"SELECT {asked}")).one()
        return frozenset(duty for duty, allowed in zip(DUTIES, answers, strict=True) if allowed)

    def members(self) -> list[tuple[str, Role]]:
        """Every login that was granted a role here, with the role, by login."""
        self._only_postgresql()
        asked = text(
            "SELECT m.rolname, g.rolname FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid "
            "JOIN pg_roles m ON m.oid = a.member WHERE g.rolname = ANY(:groups)"
        )
        with self.db.read() as connection:
            named = _groups(_database(connection))
            roles = {group: role for role, group in named.items()}
            rows = connection.execute(asked, {"groups": list(roles)}).all()
        found = {(str(member), roles[str(group)]) for member, group in rows if str(member) not in roles}
        return sorted(found, key=lambda one: (one[0], list(ROLES).index(one[1])))

    def grant_sql(self, role: Role, user: str, *, revoke: bool = False) -> list[str]:
        """The statements that give a login a role, or take it away, with all that must be there before.

        Raises StoreError in a SQLite file, on a PostgreSQL too old, and where there is no such login.
        """
        self._only_postgresql()
        with self.db.read() as connection:
            if connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": user}).first() is None:
                raise StoreError(
                    f"there is no role {user[:80]!r} in this PostgreSQL; make it with `CREATE ROLE ... LOGIN` first: Remit makes no logins"
                )
            database = _database(connection)
            before = self.arrangement(connection)
        group, member = _quoted(_groups(database)[role]), _quoted(user)
        if revoke:
            statements = [f"REVOKE {group} FROM {member}"]
        else:
            statements = [f"GRANT {group} TO {member} WITH INHERIT TRUE"]
        if role == "administrator":
            statements += _administration(database, member, revoke=revoke)
        return [*before, *statements]

    def grant(self, role: Role, user: str, *, revoke: bool = False) -> list[str]:
        """Give a login a role, or take it away, in one transaction; the statements that did it."""
        statements = self.grant_sql(role, user, revoke=revoke)
        with self.db.write() as connection:
            run(connection, statements)
        return statements

    def arrangement(self, connection: Connection) -> list[str]:
        """The statements that make the groups and the owner, where they are not there yet; StoreError on a PostgreSQL too old."""
        if int(connection.execute(text("SHOW server_version_num")).scalar_one()) < _OLDEST:
            raise StoreError(f"{self.db.shown} is a PostgreSQL older than 16, whose roles cannot keep owner and login apart")
        database = _database(connection)
        return [] if _arranged(connection, database) else _arrangement(connection, database)

    def _only_postgresql(self) -> None:
        if self.db.sqlite:
            raise StoreError(
                f"{self.db.shown} is a SQLite file, which knows no roles: whoever may write the file may do everything; "
                "a team shares a PostgreSQL store (docs/teams.md)"
            )


def become_owner(connection: Connection) -> None:
    """For the rest of this transaction act as the owner of the tables, where this login may; else stay who one is."""
    owner = owner_of(connection.connection.dbapi_connection)
    if owner is not None:
        run(connection, [f"SET LOCAL ROLE {owner}"])


def owner_of(raw: Any) -> str | None:
    """The owner of the tables, quoted, where it is another role than this login's and the login may take its place."""
    row = raw.execute(
        f"SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass('{VERSION_TABLE}') "  # noqa: S608  a constant of ours
        "AND pg_get_userbyid(relowner) <> current_user AND pg_has_role(current_user, relowner, 'SET')"
    ).fetchone()
    return _quoted(str(row[0])) if row else None


def renew(connection: Connection) -> None:
    """Grant the roles of this store, where it has any, what tables new to the schema need, and hold a divided store to its rules."""
    database = _database(connection)
    if not _made(connection, database):
        return
    run(connection, _grants(database))
    if is_divided(connection):
        run(connection, list(switched_on(quoted_groups(connection))))


def is_divided(connection: Connection) -> bool:
    """Whether rows are held to teams (`store.teams`)."""
    return bool(connection.execute(text("SELECT relrowsecurity FROM pg_class WHERE oid = 'task'::regclass")).scalar())


def quoted_groups(connection: Connection) -> dict[Role, str]:
    """The group of each role of this store, as SQL names it."""
    return {role: _quoted(name) for role, name in _groups(_database(connection)).items()}


def run(connection: Connection, statements: Sequence[str]) -> None:
    """Straight by the driver: names may hold what SQLAlchemy would take for parameters."""
    raw: Any = connection.connection.dbapi_connection
    for statement in statements:
        raw.execute(statement)


def _database(connection: Connection) -> str:
    return str(connection.execute(text("SELECT current_database()")).scalar_one())


def _named(kind: str, database: str) -> str:
    whole = f"remit_{kind}_{database}"
    if len(whole.encode()) <= _LONGEST:
        return whole
    return f"remit_{kind}_{sha256(database.encode()).hexdigest()[:24]}"


def _groups(database: str) -> dict[Role, str]:
    return {role: _named(role, database) for role in ROLES}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _made(connection: Connection, database: str) -> bool:
    """Whether every group and the owner are there."""
    names = [*_groups(database).values(), _named("owner", database)]
    asked = text("SELECT count(*) FROM pg_roles WHERE rolname = ANY(:names)")
    return int(connection.execute(asked, {"names": names}).scalar_one()) == len(names)


def _arranged(connection: Connection, database: str) -> bool:
    """Whether the groups are there and hold the tables' grants, so that only a membership is wanting."""
    if not _made(connection, database):
        return False
    asked = text(
        "SELECT count(*) FROM unnest(CAST(:tables AS text[])) AS t WHERE has_table_privilege(CAST(:reader AS text), t, 'SELECT') "
        "AND (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass(t)) = :owner"
    )
    open_to_all = text(
        "SELECT EXISTS (SELECT FROM unnest(CAST(:calls AS text[])) AS f WHERE has_function_privilege('public', f, 'EXECUTE'))"
    )
    given = {"tables": _tables(), "reader": _groups(database)["reader"], "owner": _named("owner", database)}
    lets_go = text("SELECT has_table_privilege(CAST(:importer AS text), 'block', 'DELETE')")
    whole = int(connection.execute(asked, given).scalar_one()) == len(_tables())
    if not whole or connection.execute(lets_go, {"importer": _groups(database)["importer"]}).scalar_one():
        return False
    return not connection.execute(open_to_all, {"calls": list(_CALLS)}).scalar_one()


def _tables() -> list[str]:
    return [*sorted(METADATA.tables), *_BESIDE]


def _arrangement(connection: Connection, database: str) -> list[str]:
    """The groups, the owner of everything, and what each group is granted; what is there already is left."""
    owner, schema = _named("owner", database), _schema(connection)
    made = [_create(name) for name in (owner, *_groups(database).values())]
    functions = connection.execute(
        text(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace "
            "AND proname LIKE 'remit\\_%' ORDER BY 1"
        )
    ).scalars()
    parts = connection.execute(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'block'::regclass ORDER BY 1")
    )
    return [
        *made,
        f"GRANT {_quoted(owner)} TO CURRENT_USER",
        f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {_quoted(owner)}",
        *(f"ALTER TABLE {table} OWNER TO {_quoted(owner)}" for table in (*_tables(), *parts.scalars())),
        *(f"ALTER FUNCTION {name} OWNER TO {_quoted(owner)}" for name in functions),
        f"GRANT USAGE ON SCHEMA {schema} TO {_quoted(_groups(database)['reader'])}",
        *_inheritance(database),
        *_grants(database),
    ]


def _schema(connection: Connection) -> str:
    return _quoted(str(connection.execute(text("SELECT current_schema()")).scalar_one()))


def _create(name: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_literal(name)}) "
        f"THEN CREATE ROLE {_quoted(name)} NOLOGIN; END IF; END $$"
    )


def _inheritance(database: str) -> Iterator[str]:
    """Every role reads; an administrator does what all the others do."""
    groups = _groups(database)
    for role in ("reviewer", "author", "importer"):
        yield f"GRANT {_quoted(groups['reader'])} TO {_quoted(groups[role])}"
        yield f"GRANT {_quoted(groups[role])} TO {_quoted(groups['administrator'])}"


def _administration(database: str, member: str, *, revoke: bool) -> list[str]:
    """An administrator passes roles on, and may act as the owner when told to, which no everyday connection does."""
    owner = _quoted(_named("owner", database))
    groups = [_quoted(group) for group in _groups(database).values()]
    if revoke:
        return [f"REVOKE {name} FROM {member}" for name in (owner, *groups)]
    passed_on = [f"GRANT {group} TO {member} WITH ADMIN TRUE, INHERIT TRUE" for group in groups]
    return [*passed_on, f"GRANT {owner} TO {member} WITH ADMIN TRUE, INHERIT FALSE, SET TRUE"]


def _grants(database: str) -> list[str]:
    """What each group may do with each table; only the owner can give it."""
    groups = {role: _quoted(name) for role, name in _groups(database).items()}
    imported = [name for name in (*sorted(METADATA.tables), "search_fts") if name not in APPENDS]
    every = ", ".join(_tables())
    found = [f"REVOKE ALL ON {every} FROM PUBLIC", f"GRANT SELECT ON {every} TO {groups['reader']}"]
    appended = {table: roles for table, roles in APPENDS.items() if table in METADATA.tables}
    found += [f"GRANT INSERT ON {table} TO {groups[role]}" for table, roles in appended.items() for role in roles]
    found.append(f"GRANT UPDATE ({', '.join(REVIEWED)}) ON task TO {groups['reviewer']}")
    found.append(f"GRANT INSERT, UPDATE, DELETE ON {', '.join(imported)} TO {groups['importer']}")
    # Bytes once stored are let go by an administrator alone, with an entry in the journal. Stores arranged before gave that to importers.
    found.append(f"REVOKE UPDATE, DELETE ON block FROM {groups['importer']}")
    found.append(f"REVOKE INSERT, UPDATE, DELETE ON dropped_block FROM {groups['importer']}")
    found.append(f"GRANT DELETE ON block TO {groups['administrator']}")
    found.append(f"REVOKE ALL ON FUNCTION {', '.join(_CALLS)} FROM PUBLIC, {', '.join(groups.values())}")
    found += [f"GRANT EXECUTE ON FUNCTION {call} TO {groups[role]}" for call, role in _CALLS.items()]
    return found
