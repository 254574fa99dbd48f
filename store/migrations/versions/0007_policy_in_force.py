"""Which version of a policy is in force from when: rows that are added and never changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = "policy_in_force"


def upgrade() -> None:
    op.create_table(
        NAME,
        sa.Column("seq", SERIAL, autoincrement=False, nullable=False),
        *(sa.Column(name, WORDS, nullable=False) for name in ("name", "point")),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(f"ix_{NAME}_name", NAME, ["name"])
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {NAME}_refuses_{change.lower()} BEFORE {change} ON {NAME} "
                f"BEGIN SELECT RAISE(ABORT, '{NAME} is append-only'); END"
            )
    else:
        op.execute(
            f"CREATE TRIGGER {NAME}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {NAME} "
            "FOR EACH STATEMENT EXECUTE FUNCTION remit_append_only()"
        )
