"""Alembic's entry: the connection is the caller's, so that a migration is one transaction under the writer's lock."""

from __future__ import annotations

from alembic import context

from store.declared import Base
from store.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
