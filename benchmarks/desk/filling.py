"""A store of millions of invented tasks, written by the database itself: what queue and overview read, in minutes rather than hours."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from model.chain import Coverage, Credential, Task
from model.figures import Sums
from model.words import Vantage
from store import open_store
from store.codec import pack
from store.posture import HOUR
from store.schema import HEAD

DAY = 86_400_000_000
FIRST = 1_767_225_600_000_000
"""2026-01-01, in microseconds."""
SPAN = 200 * 86_400
"""The tasks lie over so many seconds from there: whole seconds keep the sum within 64 bits."""
CREDENTIALS = 300

_SEQUENCE = {
    "sqlite": "WITH RECURSIVE seq(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM seq WHERE n + 1 < {rows})",
    "postgresql": "WITH seq(n) AS (SELECT generate_series(0::bigint, {rows} - 1))",
}
# A product modulo a prime scatters what a counter would leave in order; each figure takes another.
_MADE = f"""
SELECT n,
       {{task}} AS id,
       (n * 7919) % 1000003 AS a, (n * 104729) % 1000033 AS b, (n * 1299709) % 1000037 AS c, (n * 15485863) % 1000039 AS d,
       {FIRST} + (n * 48271) % 2147483647 * {SPAN} / 2147483647 * 1000000 AS started
FROM seq
"""
_TASK = f"""
{{sequence}}, made AS ({{made}}), judged AS (
    SELECT *, CASE WHEN a % 10 < 6 THEN 0 WHEN a % 10 < 9 THEN 1 ELSE 2 END AS found,
           CASE WHEN d % 4 = 0 THEN 'reviewed' WHEN d % 50 = 1 THEN 'reopened' ELSE 'open' END AS state FROM made)
INSERT INTO task (id, scope, title, agent, principal, on_behalf_of, repository, environment, started, ended, steps, events, risk,
                  findings, critical, high, medium, low, blind_spots, detections, vantages, points, parent, depth, evidence,
                  state, verdict, reviewer, reviewed_at, hidden, assignee)
SELECT id, 'session:' || n,
       CASE b % 6 WHEN 0 THEN 'Rotate the signing key of service ' WHEN 1 THEN 'fix flaky e2e test in module '
                  WHEN 2 THEN 'Migrate user table, part ' WHEN 3 THEN 'Speed up CI job ' WHEN 4 THEN 'nightly dependency bump '
                  ELSE 'Explain the failing build of ' END || (c % 5003),
       CASE WHEN a % 20 < 9 THEN 'claude-code' WHEN a % 20 < 14 THEN 'codex' WHEN a % 20 < 17 THEN 'gemini-cli'
            WHEN a % 20 < 19 THEN 'opencode' ELSE 'copilot' END,
       'dev' || (b % 400) || '@acme.example', '',
       'acme/' || CASE WHEN c % 3 = 0 THEN 'payments' ELSE 'service-' || (d % 120) END,
       CASE c % 8 WHEN 0 THEN 'prod' WHEN 1 THEN 'staging' WHEN 2 THEN '' ELSE 'dev' END,
       started, started + 1800000000, 1 + a % 90, 2 + a % 200, CASE WHEN found > 0 THEN (b % 100) * (b % 100) / 100 ELSE b % 12 END,
       found, CASE WHEN d % 10 = 0 THEN found ELSE 0 END, CASE WHEN d % 10 IN (1, 2, 3) THEN found ELSE 0 END,
       CASE WHEN d % 10 IN (4, 5, 6) THEN found ELSE 0 END, CASE WHEN d % 10 > 6 THEN found ELSE 0 END,
       CASE WHEN a % 3 = 0 THEN 1 ELSE 0 END,
       CASE found WHEN 0 THEN '' WHEN 1 THEN ' CRED-0' || (1 + d % 9) || ' '
            ELSE ' BND-0' || (1 + c % 6) || ' GOV-0' || (1 + d % 4) || ' ' END,
       CASE a % 4 WHEN 0 THEN ' agent ' WHEN 1 THEN ' agent enforcer ' WHEN 2 THEN ' agent enforcer target ' ELSE ' agent target ' END,
       ' claude-code ', '', 0, {{evidence}}, state,
       CASE WHEN state = 'open' THEN '' WHEN b % 9 = 0 THEN 'escalate' ELSE 'within-remit' END,
       CASE WHEN state = 'open' THEN '' ELSE 'lee' END, CASE WHEN state = 'open' THEN NULL ELSE started + {DAY} END, 0, ''
FROM judged ORDER BY id
"""
_DOCS = """
{sequence}, made AS ({made})
INSERT INTO search_doc (id, task_id, step_id, n, text)
SELECT n + 1, id, {step}, 1 + n % 40,
       CASE a % 4 WHEN 0 THEN 'git push origin branch' WHEN 1 THEN 'make test in module' WHEN 2 THEN 'secret read vault staging key'
                  ELSE 'edit file source' END || ' word' || (b % 20011) || ' place' || (c % 503)
FROM made
"""
_SOME = [f"sum(CASE WHEN {name} > 0 THEN 1 ELSE 0 END)" for name in ("critical", "high", "medium", "low", "blind_spots")]
_WEEK = f"(started - {FIRST} + 3 * {DAY}) / (7 * {DAY}) + 1"
"""The ISO week: the first of that year began three days before it."""
_REST = (
    "INSERT INTO task_body (task_id, body, extra) SELECT id, {body}, {extra} FROM task ORDER BY id",
    "INSERT INTO finding (id, detection, rank, blind_spot, task_id, step_id, at, body) SELECT 'finding-' || substr(id, 6),"
    " substr(detections, 2, {blank} - 1),"
    " CASE WHEN critical > 0 THEN 0 WHEN high > 0 THEN 1 WHEN medium > 0 THEN 2 ELSE 3 END,"
    " {no}, id, '', started, {nothing} FROM task WHERE findings > 0 ORDER BY id",
    "INSERT INTO tally (task_id, owner, week, verb, tool, actions, decided, allowed, refused, held, bound, confirmed, burst,"
    " timed, waited, near, far) SELECT id, 'team-' || (length(title) % 7), {week}, 'exec', 'Bash', steps,"
    " steps - steps / 4, steps - steps / 3, steps / 3 - steps / 4, steps / 2, steps / 3, steps / 5, 0, 0, 0, 0, 0"
    " FROM task ORDER BY id",
    _DOCS,
    "INSERT INTO search_fts ({words}) SELECT d.id, {tokens}{placed} FROM search_doc d JOIN task t ON t.id = d.task_id ORDER BY d.id",
    "INSERT INTO source (id, format, name, sha256, bytes) VALUES ('source-invented', 'claude-code', 'invented.jsonl', '', 0)",
    # The sums the product keeps while it writes tasks: here they are added up from what was written, as its migration does.
    f"INSERT INTO share_sum SELECT t.agent, t.repository, y.week, {', '.join(f'sum(y.{name})' for name in Sums.__struct_fields__)}"
    " FROM tally y JOIN task t ON t.id = y.task_id GROUP BY t.agent, t.repository, y.week",
    f"INSERT INTO risk_sum SELECT agent, repository, risk, count(*), {', '.join(_SOME)} FROM task GROUP BY agent, repository, risk",
    f"INSERT INTO finding_sum SELECT at / {HOUR}, rank, 0, count(*) FROM finding GROUP BY at / {HOUR}, rank",
)
_SPELT = {
    "sqlite": {
        "task": "printf('task-%016x', (n * 2654435761) % 4294967291)",
        "evidence": "printf('%032x', n)",
        "step": "printf('step-%016x', n)",
        "bytes": "x'{}'",
        "blank": "instr(substr(detections, 2), ' ')",
        "no": "0",
        "tokens": "d.text",
        "words": "rowid, tokens",
        "placed": "",
        "week": f"printf('2026-W%02d', {_WEEK})",
    },
    "postgresql": {
        "task": "'task-' || lpad(to_hex((n * 2654435761) % 4294967291), 16, '0')",
        "evidence": "lpad(to_hex(n), 32, '0')",
        "step": "'step-' || lpad(to_hex(n), 16, '0')",
        "bytes": "'\\x{}'::bytea",
        "blank": "strpos(substr(detections, 2), ' ')",
        "no": "FALSE",
        "tokens": "to_tsvector('simple', d.text)",
        "words": "rowid, tokens, task_id, risk, started",
        "placed": ", t.id, t.risk, t.started",
        "week": f"'2026-W' || lpad(({_WEEK})::text, 2, '0')",
    },
}
"""What the two databases write differently."""
_FILLED = "('task', 'task_body', 'tally', 'search_doc', 'search_fts', 'finding')"


def statements(engine: str, tasks: int) -> list[str]:
    """What fills an empty store of this engine, in order."""
    words = dict(_SPELT[engine])
    literal = words.pop("bytes")
    body = pack(
        Task("task-0", "session:0", title="invented", risk=70, risk_factors={"used after task end": 40, "production": 30})
    )
    words |= {"body": literal.format(body.hex()), "extra": literal.format("93909090"), "nothing": literal.format("80")}
    words |= {"sequence": _SEQUENCE[engine].format(rows=tasks), "made": _MADE.format(task=words["task"])}
    return [statement.format(**words) for statement in (_TASK, *_REST)]


def fill(path: Path, tasks: int) -> None:
    """Make a SQLite store of so many tasks, each with one searchable step."""
    open_store(str(path)).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Losing power here loses a benchmark's store; indexes are built once, at the end.
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144;")
        indexes = connection.execute(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN {_FILLED}"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        for statement in statements("sqlite", tasks):
            connection.execute(statement)
        for _, made in indexes:
            connection.execute(made)
        connection.executescript("ANALYZE; PRAGMA journal_mode = WAL;")
    _counted(str(path), tasks)


def fill_postgresql(url: str, tasks: int) -> None:
    """The same in an empty PostgreSQL database, every step of it by the server."""
    import psycopg

    open_store(url).close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '512MB'")
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND indexname NOT LIKE '%_pkey'"
            f" AND indexdef NOT LIKE 'CREATE UNIQUE%' AND tablename IN {_FILLED}"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"'.encode())
        for statement in statements("postgresql", tasks):
            connection.execute(statement.encode())
        for _, made in indexes:
            connection.execute(made.encode())
        connection.execute("VACUUM ANALYZE")
    _counted(url, tasks)


def _counted(location: str, tasks: int) -> None:
    """What the overview reads beside the tasks, written as the product writes it; the tasks are all there."""
    ends = FIRST + SPAN * 1_000_000
    with open_store(location) as store:
        assert HEAD and store.count_tasks() == tasks
        assert sum(row.tasks for row in store.risk_sums()) == tasks
        store.save_credentials(
            [
                Credential(
                    f"credential-{n}",
                    f"pat:invented-{n}",
                    issued=FIRST,
                    ttl_seconds=(-1, 3600, None)[n % 3],
                    issued_task="task-0" * (n % 2),
                )
                for n in range(CREDENTIALS)
            ]
        )
        store.save_coverage(
            [
                Coverage(f"invented-{vantage.value}", vantage, "", FIRST, ends, tasks)
                for vantage in (Vantage.AGENT, Vantage.ENFORCER)
            ]
        )
