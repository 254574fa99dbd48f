"""The first schema: evidence, derived and human tables, full-text search, and triggers that keep human rows as they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BIG = sa.BigInteger()
BYTES = sa.LargeBinary()
HUMAN = ("verdict", "accepted_risk", "policy_version", "journal")


def upgrade() -> None:
    _tables()
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()


def _sqlite() -> None:
    op.execute("CREATE VIRTUAL TABLE search_fts USING fts5(tokens, content='', tokenize='ascii')")
    for name in HUMAN:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {name}_refuses_{change.lower()} BEFORE {change} ON {name} "
                f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
            )


def _postgresql() -> None:
    op.execute("CREATE TABLE search_fts (rowid BIGINT PRIMARY KEY, tokens TSVECTOR NOT NULL)")
    op.execute("CREATE INDEX ix_search_fts_tokens ON search_fts USING gin (tokens)")
    op.execute(
        "CREATE FUNCTION remit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for name in HUMAN:
        op.execute(
            f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION remit_append_only()"
        )


def _tables() -> None:
    op.create_table(
        "accepted_risk",
        sa.Column("seq", SERIAL, autoincrement=False, nullable=False),
        sa.Column("finding", WORDS, nullable=False),
        sa.Column("body", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_accepted_risk_finding", "accepted_risk", ["finding"])
    op.create_table(
        "block",
        sa.Column("id", SERIAL, autoincrement=False, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("digest", BYTES, nullable=False),
        sa.Column("data", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "coverage",
        sa.Column("seq", SERIAL, autoincrement=False, nullable=False),
        sa.Column("point", WORDS, nullable=False),
        sa.Column("vantage", WORDS, nullable=False),
        sa.Column("scope", WORDS, nullable=False),
        sa.Column("started", BIG, nullable=False),
        sa.Column("body", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "credential",
        sa.Column("id", WORDS, nullable=False),
        sa.Column("key", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("issuer", WORDS, nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("flags", WORDS, nullable=False),
        sa.Column("last_use", BIG, nullable=True),
        sa.Column("body", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_credential_key", "credential", ["key"])
    op.create_table(
        "credential_task",
        sa.Column("credential_id", WORDS, nullable=False),
        sa.Column("task_id", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("credential_id", "task_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_credential_task_task", "credential_task", ["task_id"])
    op.create_table(
        "dirty_key",
        sa.Column("epoch", BIG, autoincrement=False, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("epoch", "name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dirty_task",
        sa.Column("epoch", BIG, autoincrement=False, nullable=False),
        sa.Column("task_id", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("epoch", "task_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event",
        sa.Column("seq", SERIAL, autoincrement=False, nullable=False),
        sa.Column("id", WORDS, nullable=False),
        sa.Column("record_id", WORDS, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("phase", WORDS, nullable=False),
        sa.Column("vantage", WORDS, nullable=False),
        sa.Column("point", WORDS, nullable=False),
        sa.Column("at", BIG, nullable=True),
        sa.Column("principal", WORDS, nullable=False),
        sa.Column("verb", WORDS, nullable=False),
        sa.Column("task_id", WORDS, nullable=True),
        sa.Column("links", BYTES, nullable=True),
        sa.Column("body", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_event_id", "event", ["id"], unique=True)
    op.create_index(
        "ix_event_task",
        "event",
        ["task_id", "at", "id"],
        sqlite_where=sa.text("task_id IS NOT NULL"),
        postgresql_where=sa.text("task_id IS NOT NULL"),
    )
    op.create_table(
        "event_key",
        sa.Column("name", BIG, autoincrement=False, nullable=False),
        sa.Column("at", BIG, autoincrement=False, nullable=False),
        sa.Column("event_id", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("name", "at", "event_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "finding",
        sa.Column("id", WORDS, nullable=False),
        sa.Column("detection", WORDS, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("blind_spot", sa.Boolean(), nullable=False),
        sa.Column("task_id", WORDS, nullable=False),
        sa.Column("step_id", WORDS, nullable=False),
        sa.Column("at", BIG, nullable=True),
        sa.Column("body", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_finding_rank", "finding", ["blind_spot", "rank", "detection", "id"])
    op.create_index("ix_finding_task", "finding", ["task_id"])
    op.create_table(
        "journal",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("who", WORDS, nullable=False),
        sa.Column("what", WORDS, nullable=False),
        sa.Column("body", WORDS, nullable=False),
        sa.Column("head", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "meta", sa.Column("key", WORDS, nullable=False), sa.Column("value", WORDS, nullable=False), sa.PrimaryKeyConstraint("key")
    )
    op.create_table(
        "point",
        sa.Column("point", WORDS, nullable=False),
        sa.Column("vantage", WORDS, nullable=False),
        sa.Column("records", BIG, nullable=False),
        sa.Column("events", BIG, nullable=False),
        sa.Column("verdicts", BIG, nullable=False),
        sa.Column("first", BIG, nullable=True),
        sa.Column("last", BIG, nullable=True),
        sa.PrimaryKeyConstraint("point", "vantage"),
    )
    op.create_table(
        "policy_version",
        sa.Column("name", WORDS, nullable=False),
        sa.Column("version", BIG, autoincrement=False, nullable=False),
        sa.Column("body", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("name", "version"),
    )
    op.create_table(
        "record",
        sa.Column("id", WORDS, nullable=False),
        sa.Column("digest", BYTES, nullable=False),
        sa.Column("source_id", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("line", BIG, nullable=False),
        sa.Column("idx", BIG, nullable=False),
        sa.Column("start", BIG, nullable=False),
        sa.Column("length", BIG, nullable=False),
        sa.Column("block_id", BIG, nullable=False),
        sa.Column("block_start", BIG, nullable=False),
        sa.Column("at", BIG, nullable=True),
        sa.Column("type", WORDS, nullable=False),
        sa.Column("unknown_type", WORDS, nullable=False),
        sa.Column("secrets", WORDS, nullable=False),
        sa.Column("speaks", sa.Boolean(), nullable=False),
        sa.Column("events", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", "digest"),
    )
    op.create_index("ix_record_digest", "record", ["digest"])
    op.create_index("ix_record_home", "record", ["source_id", "line", "idx"])
    op.create_table(
        "record_also",
        sa.Column("id", WORDS, nullable=False),
        sa.Column("digest", BYTES, nullable=False),
        sa.Column("source_id", WORDS, nullable=False),
        sa.Column("line", BIG, autoincrement=False, nullable=False),
        sa.Column("idx", BIG, autoincrement=False, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("start", BIG, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id", "digest", "source_id", "line", "idx", "name", "start"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_record_also_source", "record_also", ["source_id"])
    op.create_table(
        "reject",
        sa.Column("source_id", WORDS, nullable=False),
        sa.Column("line", BIG, autoincrement=False, nullable=False),
        sa.Column("idx", BIG, autoincrement=False, nullable=False),
        sa.Column("start", BIG, autoincrement=False, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("digest", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("source_id", "line", "idx", "start", "name", "digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "scope_alias",
        sa.Column("name", WORDS, nullable=False),
        sa.Column("root", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_scope_alias_root", "scope_alias", ["root"])
    op.create_table(
        "scope_edge",
        sa.Column("a", WORDS, nullable=False),
        sa.Column("b", WORDS, nullable=False),
        sa.Column("events", BIG, nullable=False),
        sa.PrimaryKeyConstraint("a", "b"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_scope_edge_b", "scope_edge", ["b"])
    op.create_table(
        "search_doc",
        sa.Column("id", SERIAL, autoincrement=False, nullable=False),
        sa.Column("task_id", WORDS, nullable=False),
        sa.Column("step_id", WORDS, nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.Column("text", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_search_doc_task_id", "search_doc", ["task_id"])
    op.create_table(
        "sighting",
        sa.Column("point", WORDS, nullable=False),
        sa.Column("at", BIG, autoincrement=False, nullable=False),
        sa.Column("vantage", WORDS, nullable=False),
        sa.Column("principal", WORDS, nullable=False),
        sa.Column("host", WORDS, nullable=False),
        sa.Column("session", WORDS, nullable=False),
        sa.Column("decided", WORDS, nullable=False),
        sa.Column("events", BIG, nullable=False),
        sa.PrimaryKeyConstraint("point", "at", "vantage", "principal", "host", "session", "decided"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "source",
        sa.Column("id", WORDS, nullable=False),
        sa.Column("format", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("sha256", WORDS, nullable=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "source_file",
        sa.Column("seq", SERIAL, autoincrement=False, nullable=False),
        sa.Column("source_id", WORDS, nullable=False),
        sa.Column("name", WORDS, nullable=False),
        sa.Column("path", WORDS, nullable=False),
        sa.Column("sha256", WORDS, nullable=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("by", WORDS, nullable=False),
        sa.Column("note", WORDS, nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_source_file_source_id", "source_file", ["source_id"])
    op.create_table(
        "step",
        sa.Column("id", WORDS, nullable=False),
        sa.Column("task_id", WORDS, nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.Column("at", BIG, nullable=True),
        sa.Column("verb", WORDS, nullable=False),
        sa.Column("target", WORDS, nullable=False),
        sa.Column("title", WORDS, nullable=False),
        sa.Column("recorded", WORDS, nullable=False),
        sa.Column("disputed", sa.Boolean(), nullable=False),
        sa.Column("request", BYTES, nullable=False),
        sa.Column("body", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_step_task", "step", ["task_id", "n"])
    op.create_table(
        "task",
        sa.Column("id", WORDS, nullable=False),
        sa.Column("scope", WORDS, nullable=False),
        sa.Column("title", WORDS, nullable=False),
        sa.Column("agent", WORDS, nullable=False),
        sa.Column("principal", WORDS, nullable=False),
        sa.Column("on_behalf_of", WORDS, nullable=False),
        sa.Column("repository", WORDS, nullable=False),
        sa.Column("environment", WORDS, nullable=False),
        sa.Column("started", BIG, nullable=False),
        sa.Column("ended", BIG, nullable=True),
        sa.Column("steps", BIG, nullable=False),
        sa.Column("events", BIG, nullable=False),
        sa.Column("risk", BIG, nullable=False),
        sa.Column("findings", BIG, nullable=False),
        sa.Column("critical", BIG, nullable=False),
        sa.Column("high", BIG, nullable=False),
        sa.Column("medium", BIG, nullable=False),
        sa.Column("low", BIG, nullable=False),
        sa.Column("blind_spots", BIG, nullable=False),
        sa.Column("detections", WORDS, nullable=False),
        sa.Column("vantages", WORDS, nullable=False),
        sa.Column("points", WORDS, nullable=False),
        sa.Column("parent", WORDS, nullable=False),
        sa.Column("depth", BIG, nullable=False),
        sa.Column("evidence", WORDS, nullable=False),
        sa.Column("state", WORDS, nullable=False),
        sa.Column("verdict", WORDS, nullable=False),
        sa.Column("reviewer", WORDS, nullable=False),
        sa.Column("reviewed_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_task_parent", "task", ["parent"])
    op.create_index("ix_task_scope", "task", ["scope"])
    op.create_table(
        "task_body",
        sa.Column("task_id", WORDS, nullable=False),
        sa.Column("body", BYTES, nullable=False),
        sa.Column("extra", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("task_id"),
    )
    op.create_table(
        "verdict",
        sa.Column("seq", SERIAL, autoincrement=False, nullable=False),
        sa.Column("subject", WORDS, nullable=False),
        sa.Column("kind", WORDS, nullable=False),
        sa.Column("task_id", WORDS, nullable=False),
        sa.Column("anchor", WORDS, nullable=False),
        sa.Column("body", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_verdict_anchor", "verdict", ["anchor"])
    op.create_index("ix_verdict_subject", "verdict", ["subject", "seq"])
    op.create_index("ix_task_agent", "task", ["agent", sa.text("started DESC"), "id"])
    op.create_index("ix_task_findings", "task", [sa.text("findings DESC"), sa.text("started DESC"), "id"])
    op.create_index("ix_task_repository", "task", ["repository", sa.text("started DESC"), "id"])
    op.create_index("ix_task_risk", "task", [sa.text("risk DESC"), sa.text("started DESC"), "id"])
    op.create_index("ix_task_started", "task", [sa.text("started DESC"), "id"])
    op.create_index("ix_task_steps", "task", [sa.text("steps DESC"), sa.text("started DESC"), "id"])
    op.create_index("ix_task_title", "task", ["title", sa.text("started DESC"), "id"])
