"""In PostgreSQL the index of words tells the task of a text with its risk and beginning, so that a search looks up no other table."""

from __future__ import annotations

from alembic import op

from store.online import Fill, add

revision = "0022"
down_revision = "0021"

FILLS = (
    Fill(
        "search_fts",
        ('task_id TEXT COLLATE "C"', "risk BIGINT", "started BIGINT"),
        "rowid",
        "UPDATE search_fts f SET task_id = d.task_id, risk = t.risk, started = t.started FROM search_doc d JOIN task t ON t.id = d.task_id"
        " WHERE d.id = f.rowid AND f.task_id IS NULL AND f.rowid > %s AND f.rowid <= %s",
    ),
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        add(FILLS)
