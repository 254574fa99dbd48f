"""Pairs of a call and a record that say the same thing, by which a clock is held against the agents'; all is attributed again to fill them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "word_pair",
        *(sa.Column(name, WORDS, nullable=False) for name in ("event_id", "point")),
        sa.Column("apart", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        sqlite_with_rowid=False,
    )
    op.execute("UPDATE meta SET value = '' WHERE key = 'built_with'")
