"""Sums behind the overview, kept while tasks are written: governed shares, tasks by risk, findings by hour, credentials by bond."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SHARES = ("actions", "decided", "allowed", "refused", "held", "bound", "confirmed", "timed", "waited", "near", "far")
SEVERITIES = ("critical", "high", "medium", "low", "blind_spots")
HOUR = 3_600_000_000
UNKNOWN = -(2**62)


def upgrade() -> None:
    _make("share_sum", {"agent": WORDS, "repository": WORDS, "week": WORDS}, SHARES)
    _make("risk_sum", {"agent": WORDS, "repository": WORDS, "risk": sa.BigInteger()}, ("tasks", *SEVERITIES))
    _make("finding_sum", dict.fromkeys(("hour", "rank", "blind_spot"), sa.BigInteger()), ("findings",))
    _make("credential_sum", {"bond": WORDS, "flags": WORDS}, ("credentials",))
    sums = ", ".join(f"sum(y.{name})" for name in SHARES)
    op.execute(
        f"INSERT INTO share_sum SELECT t.agent, t.repository, y.week, {sums} FROM tally y "  # noqa: S608  names of ours
        "JOIN task t ON t.id = y.task_id GROUP BY t.agent, t.repository, y.week"
    )
    some = ", ".join(f"sum(CASE WHEN {name} > 0 THEN 1 ELSE 0 END)" for name in SEVERITIES)
    op.execute(
        f"INSERT INTO risk_sum SELECT agent, repository, risk, count(*), {some} "  # noqa: S608  names of ours
        "FROM task GROUP BY agent, repository, risk"
    )
    hour = f"coalesce(at / {HOUR} - CASE WHEN at < 0 AND at % {HOUR} <> 0 THEN 1 ELSE 0 END, {UNKNOWN})"
    spot = "CASE WHEN blind_spot THEN 1 ELSE 0 END"
    op.execute(
        f"INSERT INTO finding_sum SELECT hour, rank, spot, count(*) "  # noqa: S608  names of ours
        f"FROM (SELECT {hour} AS hour, rank, {spot} AS spot FROM finding) AS found GROUP BY hour, rank, spot"
    )
    _credentials()


def _make(name: str, keys: dict[str, Any], counts: tuple[str, ...]) -> None:
    op.create_table(
        name,
        *(sa.Column(key, kind, nullable=False) for key, kind in keys.items()),
        *(sa.Column(count, sa.BigInteger(), nullable=False) for count in counts),
        sa.PrimaryKeyConstraint(*keys),
        sqlite_with_rowid=False,
    )


def _credentials() -> None:
    """How a credential is bound stands in its body alone; the rule is that of `store.posture` at the time of this migration."""
    counts: Counter[tuple[str, str]] = Counter()
    for flags, body in op.get_bind().execute(sa.text("SELECT flags, body FROM credential")):
        held = msgspec.msgpack.decode(bytes(body))
        ttl, ends = held.get("ttl_seconds"), held.get("expires")
        if ttl == -1:
            bond = "standing"
        elif ttl is None and ends is None:
            bond = "unknown"
        else:
            bond = "task" if held.get("issued_task") else "other"
        counts[bond, flags] += 1
    table = sa.table("credential_sum", sa.column("bond"), sa.column("flags"), sa.column("credentials"))
    op.bulk_insert(table, [{"bond": bond, "flags": flags, "credentials": n} for (bond, flags), n in sorted(counts.items())])
