"""`make schema`: print the tables as they are declared, for `store/tables.txt`, or those of a new SQLite store as the migrations
make them, for `store/new_store.sql`, or what distributes them over machines, for `docs/citus.sql`."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path


def declared() -> str:
    from store.columns import written
    from store.declared import Base

    return written(Base.metadata)


def migrated() -> str:
    # Not before the tables' names are written down: migrations read them.
    from store.engine import Database
    from store.fresh import written
    from store.migrate import migrate

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        database = Database(str(path), create=True, readonly=False)
        migrate(database)
        database.close()
        with closing(sqlite3.connect(path)) as connection:
            return written(connection)


def distributed() -> str:
    from store.declared import Base
    from store.placement import script

    return script(Base.metadata)


if __name__ == "__main__":
    sys.stdout.write({"tables": declared, "store": migrated, "citus": distributed}[sys.argv[1]]())
