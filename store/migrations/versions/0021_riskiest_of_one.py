"""Indexes that hold the riskiest tasks of one person or repository, and which vantages saw how many tasks."""

from __future__ import annotations

from alembic import op

from store.online import Index, make

revision = "0021"
down_revision = "0020"

INDEXES = (
    Index("ix_task_principal_risk", "task", "principal, started DESC, id, risk"),
    Index("ix_task_repository_risk", "task", "repository, started DESC, id, risk"),
    Index("ix_task_vantages", "task", "vantages"),
)


def upgrade() -> None:
    make(INDEXES)
    for name in ("ix_task_principal", "ix_task_repository"):
        op.drop_index(name, "task")
