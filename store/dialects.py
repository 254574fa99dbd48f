"""The two databases as SQLAlchemy speaks to them, alike in every store of a process, so that what a statement compiles to is kept once.

Compiling a statement costs more than most answers. SQLAlchemy keeps what it compiled by dialect, and makes a dialect for each engine:
here those of one kind are equal, and all engines look into one cache.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sqlalchemy.dialects import registry
from sqlalchemy.util import LRUCache

SQLITE, POSTGRESQL = "sqlite+remit", "postgresql+remit"
"""What the URL of an engine begins with."""

COMPILED: LRUCache[Any, Any] = LRUCache(1_000)
"""For the execution option `compiled_cache` of every engine."""

_KINDS = {"SQLite": "sqlalchemy.dialects.sqlite.pysqlite", "PostgreSQL": "sqlalchemy.dialects.postgresql.psycopg"}


def _equal(self: object, other: object) -> bool:
    return type(self) is type(other)


def _hash(self: object) -> int:
    return hash(type(self))


def __getattr__(name: str) -> Any:
    """The class of a dialect; the driver behind it is loaded when the first engine of its kind is made."""
    if name not in _KINDS:
        raise AttributeError(name)
    kept = {"supports_statement_cache": True, "__eq__": _equal, "__hash__": _hash, "__module__": __name__}
    found = globals()[name] = type(name, (import_module(_KINDS[name]).dialect,), kept)
    return found


registry.register("sqlite.remit", __name__, "SQLite")
registry.register("postgresql.remit", __name__, "PostgreSQL")
