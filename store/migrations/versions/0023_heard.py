"""What was heard of each point is kept up to a moment, so that a build reads what came since and not every sighting again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "dirty_point",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("point", WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "point", "at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "heard",
        sa.Column("point", WORDS, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("point"),
    )
