"""What was heard of a point is kept up to several moments, so that a log that tells of something earlier costs what lies behind it.

What was kept until now is heard again by the next build.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        # The table stays, with who may read it.
        key = sa.inspect(bind).get_pk_constraint("heard")["name"]
        op.execute("DELETE FROM heard")
        op.drop_constraint(str(key), "heard", type_="primary")
        op.create_primary_key("heard_pkey", "heard", ["point", "until"])
        op.drop_column("heard", "body")
        op.add_column("heard", sa.Column("records", sa.BigInteger(), nullable=False))
        op.add_column("heard", sa.Column("body", sa.LargeBinary(), nullable=False))
        return
    op.drop_table("heard")
    op.create_table(
        "heard",
        sa.Column("point", WORDS, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("point", "until"),
    )
