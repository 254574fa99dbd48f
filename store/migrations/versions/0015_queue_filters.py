"""Who is to review a task, and indexes that filters of the queue are answered from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NARROWED = ("agent", "principal", "repository", "environment", "state", "verdict", "assignee", "vantages")


def upgrade() -> None:
    op.add_column("task", sa.Column("assignee", WORDS, nullable=False, server_default=""))
    op.drop_index("ix_task_risk", "task")
    op.create_index("ix_task_risk", "task", [sa.text("risk DESC"), sa.text("started DESC"), "id", *NARROWED])
    for name in ("principal", "environment", "state"):
        op.create_index(f"ix_task_{name}", "task", [name, sa.text("started DESC"), "id"])
    for name in ("verdict", "assignee"):
        op.create_index(f"ix_task_{name}", "task", [name])
    op.create_index("ix_finding_detection", "finding", ["blind_spot", "detection", "task_id"])
    op.create_index("ix_tally_owner", "tally", ["owner", "task_id"])
