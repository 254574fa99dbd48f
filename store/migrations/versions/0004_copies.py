"""Records that say of themselves that they repeat another's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("record", sa.Column("copied", sa.Boolean(), nullable=False, server_default=sa.false()))
