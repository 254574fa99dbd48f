"""Who tells a record that a copy of its session tells as well, so that one session speaks for all that both tell.

Of what was imported before it is not known; imported again, a record is what it was.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("record", sa.Column("voice", WORDS, nullable=False, server_default=""))
