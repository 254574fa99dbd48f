"""Requests lie by task and shape, so that those of a shape are found without reading the others of their task."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "request_by_shape",
        sa.Column("task_id", WORDS, nullable=False),
        sa.Column("shape", sa.LargeBinary(), nullable=False),
        sa.Column("step_id", WORDS, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("answered", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("task_id", "shape", "step_id"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO request_by_shape SELECT task_id, shape, step_id, at, answered FROM request ORDER BY 1, 2, 3")
    op.drop_table("request")
    op.rename_table("request_by_shape", "request")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX request_by_shape_pkey RENAME TO request_pkey")
