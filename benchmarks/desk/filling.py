"""A store of a million invented tasks, written by the database itself: only what the queue reads, in minutes rather than hours."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from model.chain import Task
from store import open_store
from store.codec import pack
from store.schema import HEAD

DAY = 86_400_000_000
FIRST = 1_767_225_600_000_000
"""2026-01-01, in microseconds."""
SPAN = 200 * 86_400
"""The tasks lie over so many seconds from there: whole seconds keep the sum within 64 bits."""

_SEQUENCE = "WITH RECURSIVE seq(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM seq WHERE n + 1 < :tasks)"
# A product modulo a prime scatters what a counter would leave in order; each figure takes another.
_MADE = f"""
SELECT n,
       printf('task-%016x', (n * 2654435761) % 4294967291) AS id,
       (n * 7919) % 1000003 AS a, (n * 104729) % 1000033 AS b, (n * 1299709) % 1000037 AS c, (n * 15485863) % 1000039 AS d,
       {FIRST} + (n * 48271) % 2147483647 * {SPAN} / 2147483647 * 1000000 AS started
FROM seq
"""
_TASK = f"""
{_SEQUENCE}, made AS ({_MADE}), judged AS (
    SELECT *, CASE WHEN a % 10 < 6 THEN 0 WHEN a % 10 < 9 THEN 1 ELSE 2 END AS found,
           CASE WHEN d % 4 = 0 THEN 'reviewed' WHEN d % 50 = 1 THEN 'reopened' ELSE 'open' END AS state FROM made)
INSERT INTO task (id, scope, title, agent, principal, on_behalf_of, repository, environment, started, ended, steps, events, risk,
                  findings, critical, high, medium, low, blind_spots, detections, vantages, points, parent, depth, evidence,
                  state, verdict, reviewer, reviewed_at, hidden)
SELECT id, 'session:' || n,
       CASE b % 6 WHEN 0 THEN 'Rotate the signing key of service ' WHEN 1 THEN 'fix flaky e2e test in module '
                  WHEN 2 THEN 'Migrate user table, part ' WHEN 3 THEN 'Speed up CI job ' WHEN 4 THEN 'nightly dependency bump '
                  ELSE 'Explain the failing build of ' END || (c % 5003),
       CASE WHEN a % 20 < 9 THEN 'claude-code' WHEN a % 20 < 14 THEN 'codex' WHEN a % 20 < 17 THEN 'gemini-cli'
            WHEN a % 20 < 19 THEN 'opencode' ELSE 'copilot' END,
       'dev' || (b % 400) || '@acme.example', '',
       'acme/' || CASE WHEN c % 3 = 0 THEN 'payments' ELSE 'service-' || (d % 120) END,
       CASE c % 8 WHEN 0 THEN 'prod' WHEN 1 THEN 'staging' WHEN 2 THEN '' ELSE 'dev' END,
       started, started + 1800000000, 1 + a % 90, 2 + a % 200, CASE WHEN found THEN (b % 100) * (b % 100) / 100 ELSE b % 12 END,
       found, found * (d % 10 = 0), found * (d % 10 IN (1, 2, 3)), found * (d % 10 IN (4, 5, 6)), found * (d % 10 > 6), a % 3 = 0,
       CASE found WHEN 0 THEN '' WHEN 1 THEN ' ' || printf('CRED-%02d', 1 + d % 9) || ' '
            ELSE ' ' || printf('BND-%02d', 1 + c % 6) || ' ' || printf('GOV-%02d', 1 + d % 4) || ' ' END,
       CASE a % 4 WHEN 0 THEN ' agent ' WHEN 1 THEN ' agent enforcer ' WHEN 2 THEN ' agent enforcer target ' ELSE ' agent target ' END,
       ' claude-code ', '', 0, printf('%032x', n), state,
       CASE WHEN state = 'open' THEN '' WHEN b % 9 = 0 THEN 'escalate' ELSE 'within-remit' END,
       CASE WHEN state = 'open' THEN '' ELSE 'lee' END, CASE WHEN state = 'open' THEN NULL ELSE started + {DAY} END, 0
FROM judged ORDER BY id
"""
_DOCS = f"""
{_SEQUENCE}, made AS ({_MADE})
INSERT INTO search_doc (id, task_id, step_id, n, text)
SELECT n + 1, id, printf('step-%016x', n), 1 + n % 40,
       CASE a % 4 WHEN 0 THEN 'git push origin branch' WHEN 1 THEN 'make test in module' WHEN 2 THEN 'secret read vault staging key'
                  ELSE 'edit file source' END || ' word' || (b % 20011) || ' place' || (c % 503)
FROM made
"""


def fill(path: Path, tasks: int) -> None:
    """Make a store of so many tasks, each with one searchable step."""
    open_store(str(path)).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Losing power here loses a benchmark's store; indexes are built once, at the end.
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144;")
        tables = "('task', 'task_body', 'tally', 'search_doc', 'finding')"
        indexes = connection.execute(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN {tables}"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        counts = {"tasks": tasks}
        connection.execute(_TASK, counts)
        body = pack(
            Task("task-0", "session:0", title="invented", risk=70, risk_factors={"used after task end": 40, "production": 30})
        )
        connection.execute("INSERT INTO task_body SELECT id, :body, x'93909090' FROM task ORDER BY id", {"body": body})
        connection.execute(
            "INSERT INTO finding (id, detection, rank, blind_spot, task_id, step_id, at, body) SELECT 'finding-' || substr(id, 6),"
            " substr(detections, 2, instr(substr(detections, 2), ' ') - 1), 2, 0, id, '', started, x'80' FROM task WHERE findings ORDER BY id"
        )
        owner = (
            "INSERT INTO tally (task_id, owner, week, verb, tool, actions, decided, allowed, refused, held, bound, confirmed, burst,"
            " timed, waited, near, far) SELECT id, 'team-' || (length(title) % 7), '2026-W01', 'exec', 'Bash', steps,"
            " 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM task ORDER BY id"
        )
        connection.execute(owner)
        connection.execute(_DOCS, counts)
        connection.execute("INSERT INTO search_fts (rowid, tokens) SELECT id, text FROM search_doc")
        for _, made in indexes:
            connection.execute(made)
        connection.executescript("ANALYZE; PRAGMA journal_mode = WAL;")
    with open_store(str(path)) as store:
        assert HEAD and store.count_tasks() == tasks
