"""What a task's actions add up to, what its agent claims, and the versions points ran; derived rows are built again to fill them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COUNTS = ("actions", "decided", "allowed", "refused", "held", "bound", "confirmed", "burst", "timed", "waited", "near", "far")


def upgrade() -> None:
    op.create_table(
        "tally",
        *(sa.Column(name, WORDS, nullable=False) for name in ("task_id", "owner", "week", "verb", "tool")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTS),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("first", "last")),
        sa.PrimaryKeyConstraint("task_id", "owner", "week", "verb", "tool"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "point_version",
        *(sa.Column(name, WORDS, nullable=False) for name in ("task_id", "point", "kind", "version")),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("first", "last")),
        sa.PrimaryKeyConstraint("task_id", "point", "kind", "version"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "claim",
        sa.Column("value", WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, WORDS, nullable=False) for name in ("step_id", "task_id")),
        sa.PrimaryKeyConstraint("value", "at", "step_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "conformance",
        *(sa.Column(name, WORDS, nullable=False) for name in ("task_id", "policy", "point", "kind", "why", "step_id")),
        sa.Column("steps", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("task_id", "policy", "point", "kind", "why", "step_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_claim_task", "claim", ["task_id"])
    op.execute("UPDATE meta SET value = '' WHERE key = 'built_with'")
