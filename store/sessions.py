"""Sessions of PostgreSQL: alike whatever an administrator set for the server, the database or the login, and standing when they are used.

The server lets each of these be set beside the program that connects. How values are written and read hangs on most of them, what
the lock of the one writer is worth on another: they are the store's to say. How long a statement or a connection may take stays the
administrator's.
"""

from __future__ import annotations

import os
from time import monotonic
from typing import Any

from sqlalchemy import URL, Engine, event
from sqlalchemy.exc import DisconnectionError

from store.errors import StoreError

ISOLATION = "READ COMMITTED"
"""Of whoever writes: what is looked up under the writer's lock must be what the last writer left, not what stood before the wait."""

ENCODING = "UTF8"

SETTINGS = {
    "array_nulls": "on",  # else a null among many values sent at once is the text NULL
    "bytea_output": "hex",
    "client_encoding": ENCODING,
    "datestyle": "ISO, YMD",
    "extra_float_digits": "1",
    "gin_fuzzy_search_limit": "0",  # else a search and its count tell of some hits alone, by chance
    "intervalstyle": "postgres",
    "standard_conforming_strings": "on",  # else bytes lose their backslashes
    "transform_null_equals": "off",
}

PATIENCE = {
    "connect_timeout": 15,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 35_000,
}
"""How long a server that answers nothing is waited for, in seconds and, the last, milliseconds: a network that drops what is sent ends
no connection, and by the system's own times whoever waits for an answer does so for hours."""
_TIMEOUT = "PGCONNECT_TIMEOUT"

_TUNE = "SELECT " + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in SETTINGS.items())
_IDLE_SECONDS = 1
"""A connection that rested for longer is asked whether it still stands before it is used."""


def patience(url: URL) -> dict[str, int]:
    """How long to wait for the server of a URL, as its driver takes it; what the URL, or the environment, says of that itself holds."""
    said = {*url.query, *({"connect_timeout"} if os.environ.get(_TIMEOUT) else ())}
    # A service may say so too, and what is handed to the driver would stand above it.
    return {} if "service" in said or os.environ.get("PGSERVICE") else {name: PATIENCE[name] for name in PATIENCE.keys() - said}


def keep_alike(engine: Engine, shown: str, errors: tuple[type[Exception], ...]) -> None:
    """Have every connection of an engine begin with the store's own settings, and be asked where it rested.

    Raises StoreError at the first connection to a database that cannot hold every text.
    """

    def begins(connection: Any, _entry: object) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != ENCODING:
            raise StoreError(
                f"the database of the store {shown} keeps text as {encoding}, which cannot hold all that logs say; make one with "
                "`createdb --template template0 --encoding UTF8 NAME` and import into it"
            )
        connection.autocommit = True
        connection.execute(_TUNE)
        connection.autocommit = False

    def rests(_connection: object, entry: Any) -> None:
        entry.info["rests"] = monotonic()

    def wakes(connection: Any, entry: Any, _proxy: object) -> None:
        if monotonic() - entry.info.get("rests", monotonic()) > _IDLE_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except errors as error:
                raise DisconnectionError from error

    event.listen(engine, "connect", begins, insert=True)
    event.listen(engine, "checkin", rests)
    event.listen(engine, "checkout", wakes)
