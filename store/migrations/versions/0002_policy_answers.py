"""What policy answered to a step, beside what was permitted; derived rows are built again to fill it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("step", sa.Column("answered", WORDS, nullable=False, server_default=""))
    op.execute("UPDATE meta SET value = '' WHERE key = 'built_with'")
