"""Where a log's own numbers or hash chain break; `remit store rebuild --events` fills it for what was imported before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "sequence_break",
        *(sa.Column(name, WORDS, nullable=False) for name in ("event_id", "point")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("at", "missing")),
        sa.Column("why", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        sqlite_with_rowid=False,
    )
