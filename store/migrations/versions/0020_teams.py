"""Which teams a task is of, and who sees which: the tables, and in PostgreSQL what the database answers by itself.

The functions run as the owner of the tables and answer for the login alone (`session_user`). Nothing asks them until a store
is divided by team, which `store.teams` does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0018"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

# Whoever may import sees everything: what a record adds to is not known before it is looked up among all of them.
FUNCTIONS = {
    "remit_teams() RETURNS text[]": "SELECT coalesce(array_agg(team), '{}') FROM team_sight WHERE login = session_user",
    "remit_sees_all() RETURNS boolean": (
        "SELECT has_table_privilege(session_user, 'record', 'INSERT') "
        "OR EXISTS (SELECT FROM team_sight WHERE login = session_user AND team = '*')"
    ),
    "remit_found(asked tsquery) RETURNS SETOF bigint": (
        "SELECT f.rowid FROM search_fts f WHERE f.tokens @@ asked AND ((SELECT remit_sees_all()) OR EXISTS (SELECT FROM search_doc d "
        "JOIN task_team t ON t.task_id = d.task_id WHERE d.id = f.rowid AND t.team = ANY((SELECT remit_teams())::text[])))"
    ),
    # The next number of what people add follows from rows that not everybody sees.
    "remit_last(which text, OUT seq bigint, OUT head text)": (
        "SELECT max(v.seq), NULL FROM verdict v WHERE which = 'verdict' HAVING which = 'verdict' "
        "UNION ALL SELECT max(s.seq), NULL FROM statement s WHERE which = 'statement' HAVING which = 'statement' "
        "UNION ALL SELECT max(a.seq), NULL FROM accepted_risk a WHERE which = 'accepted_risk' HAVING which = 'accepted_risk' "
        "UNION ALL (SELECT j.seq, j.head FROM journal j WHERE which = 'journal' ORDER BY j.seq DESC LIMIT 1) "
        "UNION ALL (SELECT j.seq, j.head FROM access_journal j WHERE which = 'access_journal' ORDER BY j.seq DESC LIMIT 1)"
    ),
}


def upgrade() -> None:
    op.create_table(
        "task_team",
        sa.Column("task_id", WORDS, nullable=False),
        sa.Column("team", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("task_id", "team"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_task_team_team", "task_team", ["team", "task_id"])
    op.create_table(
        "team_sight",
        sa.Column("login", WORDS, nullable=False),
        sa.Column("team", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("login", "team"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name != "postgresql":
        return
    # Run as the owner, they must look nowhere else: a caller's own tables come last.
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    path = f"SET search_path = {schema}, pg_temp"
    for declared, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {declared} LANGUAGE sql STABLE SECURITY DEFINER {path} AS $$ {body} $$".replace(":", r"\:"))
    op.execute(f"ALTER FUNCTION remit_chained() SECURITY DEFINER {path}")
