"""Blocks of raw bytes lie in PostgreSQL by the month they were imported in, so that what is let go is a table and no million rows.

Partitions are ranges of the block's number, which grows with time: it is the key already, so no key changes and a look-up goes to
one partition. The last range is open; the first import of a month closes it and opens the next, unless somebody reads there for
long: then a later one does.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"

OPEN = """
CREATE FUNCTION remit_open_blocks() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {schema}, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    month text := 'block_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM');
    held text; bounds text; vacant boolean; next bigint;
BEGIN
    IF to_regclass(month) IS NOT NULL THEN RETURN; END IF;
    SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) INTO held, bounds FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'block'::regclass AND pg_get_expr(c.relpartbound, c.oid) LIKE '% TO (MAXVALUE)';
    IF held IS NULL THEN RETURN; END IF;
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I)', held) INTO vacant;
    IF vacant THEN
        EXECUTE format('ALTER TABLE %I RENAME TO %I', held, month);
        RETURN;
    END IF;
    SELECT greatest((SELECT max(id) FROM block), (SELECT max(id) FROM dropped_block)) + 1 INTO next;
    EXECUTE format('ALTER TABLE block DETACH PARTITION %I', held);
    EXECUTE format('ALTER TABLE block ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', held,
        substring(bounds FROM 'FROM \\((.*)\\) TO'), next);
    EXECUTE format('CREATE TABLE %I PARTITION OF block FOR VALUES FROM (%s) TO (MAXVALUE)', month, next);
EXCEPTION WHEN lock_not_available THEN RETURN;
END $$
"""

DROP = """
CREATE FUNCTION remit_drop_blocks() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE part text; kept boolean; gone bigint := 0;
BEGIN
    FOR part IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'block'::regclass AND pg_get_expr(c.relpartbound, c.oid) LIKE 'FOR VALUES FROM %'
        AND pg_get_expr(c.relpartbound, c.oid) NOT LIKE '% TO (MAXVALUE)'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I b WHERE NOT EXISTS (SELECT FROM dropped_block d WHERE d.id = b.id))', part) INTO kept;
        IF NOT kept THEN
            EXECUTE format('DROP TABLE %I', part);
            gone := gone + 1;
        END IF;
    END LOOP;
    RETURN gone;
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE block RENAME TO block_first")
    op.execute("ALTER INDEX block_pkey RENAME TO block_first_pkey")
    op.execute(
        "CREATE TABLE block (id BIGINT NOT NULL, size BIGINT NOT NULL, digest BYTEA NOT NULL, data BYTEA NOT NULL, "
        "CONSTRAINT block_pkey PRIMARY KEY (id)) PARTITION BY RANGE (id)"
    )
    op.execute("ALTER TABLE block ATTACH PARTITION block_first FOR VALUES FROM (MINVALUE) TO (MAXVALUE)")
    # Run as the owner, they must look nowhere else: a caller's own tables come last.
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    for function in (OPEN, DROP):
        op.execute(function.replace("{schema}", schema))
