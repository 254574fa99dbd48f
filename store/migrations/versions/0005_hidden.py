"""How many findings of a task the organisation file has not reported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("task", sa.Column("hidden", sa.BigInteger(), nullable=False, server_default="0"))
