"""PostgreSQL itself sees that an entry of a journal follows from the one before it and names who makes it."""

from __future__ import annotations

from alembic import op

from store.engine import WRITER_LOCK

revision = "0014"
down_revision = "0013"

JOURNALS = ("journal", "access_journal")


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(
        f"""
        CREATE FUNCTION remit_chained() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE last record;
        BEGIN
            PERFORM pg_advisory_xact_lock({WRITER_LOCK});
            EXECUTE format('SELECT max(seq) AS seq, (array_agg(head ORDER BY seq DESC))[1] AS head FROM '
                '(SELECT seq, head FROM %I.%I ORDER BY seq DESC LIMIT 1) AS latest', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO last;
            IF NEW.seq <> coalesce(last.seq, 0) + 1
                OR NEW.head <> encode(sha256(convert_to(coalesce(last.head, '') || NEW.body, 'UTF8')), 'hex') THEN
                RAISE EXCEPTION 'entry % of % does not follow from the one before it', NEW.seq, TG_TABLE_NAME;
            END IF;
            IF NEW.who <> session_user THEN
                RAISE EXCEPTION 'an entry of % names the role that makes it', TG_TABLE_NAME;
            END IF;
            RETURN NEW;
        END $$
        """  # noqa: S608  a constant of ours
    )
    for name in JOURNALS:
        op.execute(f"CREATE TRIGGER {name}_chained BEFORE INSERT ON {name} FOR EACH ROW EXECUTE FUNCTION remit_chained()")
