"""Schema versions: a new store is made, an older one brought up to date by Alembic, a newer one refused."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, delete, inspect, text

from store.engine import Database
from store.errors import StoreError
from store.fresh import statements
from store.meta import read_meta, write_meta
from store.schema import APPLICATION_ID, HEAD, REVISIONS, VERSION_TABLE, newer, older
from store.tables import META

_FILLING = "filling"
"""Names the fact that columns of a migration may have rows that are not filled, and the schema it began from."""


def version(connection: Connection) -> str | None:
    """The schema version a database holds, None where it holds no store."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608  a constant of ours
    return str(found) if found else None


def bring_up(database: Database, *, create: bool) -> None:
    """Make the schema the one this program knows; raises StoreError where that must not or cannot be."""
    with database.read() as connection:
        found = version(connection)
        occupied = found is None and not database.fresh and _occupied(connection)
    if found == HEAD:
        if create and not (database.sqlite or database.readonly):
            finish(database)
        return
    if occupied:
        raise StoreError(f"{database.shown} is not a Remit store; choose another database and leave this one alone")
    if found is not None and found not in REVISIONS:
        raise StoreError(newer(database.shown, found))
    if database.readonly or not (create or (found is None and database.fresh)):
        if found is None:
            raise StoreError(f"there is no store at {database.shown}; make one with `remit import PATH`")
        raise StoreError(older(database.shown, found))
    upgrade(database)


def upgrade(database: Database) -> None:
    """Make a new store, or run the missing migrations; another process that was faster is no error."""
    if database.sqlite and (new := statements()):
        with database.write() as connection:
            if version(connection) is None:
                for statement in new:
                    connection.exec_driver_sql(statement)
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
                return
    migrate(database)


def migrate(database: Database, to: str = HEAD) -> None:
    """Run the missing migrations up to a version in one transaction; PostgreSQL builds their indexes and fills their columns beside the work."""
    from alembic import command
    from alembic.config import Config

    from store.online import build, fill, patiently, pending
    from store.roles import become_owner, renew

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")

    def change(connection: Connection) -> None:
        if (before := version(connection)) == to:
            return
        if not database.sqlite:
            become_owner(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        if not database.sqlite:
            renew(connection)
            if fills:
                write_meta(connection, _FILLING, str(before))
        else:
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")

    if not database.sqlite:
        with database.read() as connection:
            indexes, fills = pending(version(connection), to)
        if indexes:
            build(database, indexes)
        fill(database, fills)
    patiently(database, change)
    if not database.sqlite:
        finish(database)


def finish(database: Database) -> None:
    """Fill what was written without the new columns while they were first filled; a migration that was killed before it did is gone on with."""
    from store.online import filled, pending

    with database.read() as connection:
        since, found = read_meta(connection, _FILLING), version(connection)
    if since is not None:
        filled(database, pending(since, found or "")[1])
        with database.write() as connection:
            connection.execute(delete(META).where(META.c.key == _FILLING))


def _occupied(connection: Connection) -> bool:
    """True where tables stand that would get in the way: any in a SQLite file, those with our names in PostgreSQL."""
    from store.tables import METADATA

    names = set(inspect(connection).get_table_names())
    return bool(names) if connection.dialect.name == "sqlite" else bool(names & set(METADATA.tables))
