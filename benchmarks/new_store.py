"""`make schema`: print the tables of a new SQLite store as the migrations make them, for `store/new_store.sql`."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from store.engine import Database
from store.fresh import written
from store.migrate import migrate


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        database = Database(str(path), create=True, readonly=False)
        migrate(database)
        database.close()
        with closing(sqlite3.connect(path)) as connection:
            sys.stdout.write(written(connection))
    return 0


if __name__ == "__main__":
    sys.exit(main())
