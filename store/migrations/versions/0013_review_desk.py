"""Verdicts that withdraw others and name who acted, what people say without judging, and the access journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HUMAN = ("statement", "access_journal")


def upgrade() -> None:
    op.add_column("verdict", sa.Column("withdraws", sa.BigInteger(), nullable=True))
    op.add_column("verdict", sa.Column("actor", WORDS, nullable=False, server_default=""))
    op.create_index("ix_verdict_withdraws", "verdict", ["withdraws"])
    op.create_table(
        "statement",
        sa.Column("seq", SERIAL, autoincrement=False, nullable=False),
        *(sa.Column(name, WORDS, nullable=False) for name in ("what", "subject", "task_id")),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_statement_subject", "statement", ["what", "subject", "seq"])
    op.create_index("ix_statement_task", "statement", ["task_id"])
    op.create_table(
        "access_journal",
        *(sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False) for name in ("seq", "at")),
        *(sa.Column(name, WORDS, nullable=False) for name in ("who", "what", "body", "head")),
        sa.PrimaryKeyConstraint("seq"),
    )
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()


def _sqlite() -> None:
    for name in HUMAN:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {name}_refuses_{change.lower()} BEFORE {change} ON {name} "
                f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
            )


def _postgresql() -> None:
    for name in HUMAN:
        op.execute(
            f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION remit_append_only()"
        )
    op.execute(
        "CREATE FUNCTION remit_own_name() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.actor <> session_user THEN RAISE EXCEPTION 'a verdict names the role that gives it'; END IF; "
        "RETURN NEW; END $$"
    )
    op.execute("CREATE TRIGGER verdict_own_name BEFORE INSERT ON verdict FOR EACH ROW EXECUTE FUNCTION remit_own_name()")
