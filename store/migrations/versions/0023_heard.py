"""What was heard of each point is kept up to a moment, and how far clocks are apart counted, so that a build reads what came since.

Before, each build read every sighting and every task again. In PostgreSQL a rule may ask what a verdict takes back.
"""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa
from alembic import op

from store import codec
from store.posture import clock_keys

revision = "0023"
down_revision = "0022"

# Run as the owner: a rule on a table may not ask that table as whoever it holds.
TAKES_BACK = """
CREATE FUNCTION remit_takes_back(number bigint, of text, task text, named text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = {schema}, pg_temp AS $$
    SELECT EXISTS (SELECT FROM verdict w WHERE w.seq = number AND w.subject = of AND w.task_id = task AND w.anchor = named)
$$
"""

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
    op.create_table(
        "clock_sum",
        sa.Column("point", WORDS, nullable=False),
        sa.Column("apart", sa.BigInteger(), nullable=False),
        sa.Column("pairs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("point", "apart"),
    )
    if op.get_bind().dialect.name == "postgresql":
        schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
        op.execute(TAKES_BACK.format(schema=schema))
    if rows := _counted(op.get_bind()):
        op.bulk_insert(sa.table("clock_sum", sa.column("point"), sa.column("apart"), sa.column("pairs")), rows)


def _counted(connection: sa.Connection) -> list[dict[str, object]]:
    """The clocks of the tasks that are there, as they are counted when tasks are written."""
    found: Counter[tuple[str, int]] = Counter()
    bodies = connection.execute(sa.text("SELECT body FROM task_body"), execution_options={"yield_per": 2_000})
    for (body,) in bodies:
        found.update(clock_keys(codec.clocks(body)))
    return [{"point": point, "apart": difference, "pairs": pairs} for (point, difference), pairs in sorted(found.items())]
