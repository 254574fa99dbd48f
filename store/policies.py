"""Row-level security of a team's PostgreSQL store: for each table which rows a login sees that sees some teams alone, or why all.

A rule is the condition of a policy; it is evaluated as the one who asks, so a table named in it shows its own rows alone: all
rules come down to `task_team`, of which a login sees the teams it was granted (table `team_sight`). Whoever may import, or was
granted everything, is held to none. A test sees that every table of the schema is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from store.duties import Role
from store.placement import SEARCH_TABLE
from store.schema import VERSION_TABLE

_ALL = "(SELECT remit_sees_all())"
_OWN = "ANY((SELECT remit_teams())::text[])"


class Seen(NamedTuple):
    """The rows that are seen: those a condition holds for."""

    condition: str


class Open(NamedTuple):
    """Every row is seen by every reader, and why that tells nothing of another team's tasks."""

    reason: str


Sight = Seen | Open | Literal["hidden"]
"""`hidden`: seen only by those who see everything, since a row is of many teams or of none."""


def _of_task(column: str) -> Seen:
    """Rows of a task; those of no task are seen like a task of no team."""
    return Seen(f"EXISTS (SELECT FROM task_team t WHERE t.task_id = {column}) OR ({column} = '' AND '' = {_OWN})")


def _under(table: str, key: str, column: str) -> Seen:
    return Seen(f"EXISTS (SELECT FROM {table} x WHERE x.{key} = {column})")


def _journal(name: str) -> Seen:
    """What one did oneself, and what was done to a task or finding one sees; quotes within a text are escaped, so a key is a key."""
    task, subject, finding = (f'substring({name}.body FROM \'"{key}":"([^"\\\\]*)"\')' for key in ("task", "subject", "finding"))
    of_task = f"EXISTS (SELECT FROM task_team t WHERE t.task_id IN ({task}, {subject}))"
    return Seen(f"{name}.who = session_user OR {of_task} OR EXISTS (SELECT FROM finding x WHERE x.id = {finding})")


SIGHTS: dict[str, Sight] = {
    "task_team": Seen(f"task_team.team = {_OWN}"),
    "team_sight": Seen("team_sight.login = session_user"),
    "task": Seen("EXISTS (SELECT FROM task_team t WHERE t.task_id = task.id)"),
    **{
        name: _of_task(f"{name}.task_id")
        for name in (
            "task_body",
            "step",
            "request",
            "tally",
            "claim",
            "conformance",
            "point_version",
            "finding",
            "credential_task",
            "search_doc",
            "event",
            "statement",
        )
    },
    "verdict": Seen(
        "EXISTS (SELECT FROM task_team t WHERE t.task_id = verdict.task_id) "
        "OR EXISTS (SELECT FROM task k WHERE k.scope = verdict.anchor AND verdict.anchor > '')"
    ),
    "shape": _under("request", "shape", "shape.digest"),
    "credential": _under("credential_task", "credential_id", "credential.id"),
    "accepted_risk": _under("finding", "id", "accepted_risk.finding"),
    "event_key": _under("event", "id", "event_key.event_id"),
    "sequence_break": _under("event", "id", "sequence_break.event_id"),
    "record": Seen("EXISTS (SELECT FROM event x WHERE x.id = ANY(string_to_array(record.events, ' ')))"),
    "record_also": _under("record", "id", "record_also.id"),
    # How a point as a whole was watched tells of no task; what is told of single hosts and sessions would.
    "coverage": Seen("coverage.scope IN ('', '*')"),
    "scope_alias": _under("task", "scope", "scope_alias.root"),
    "journal": _journal("journal"),
    "access_journal": _journal("access_journal"),
    # Of everybody's evidence at once: a block holds the raw bytes of whatever was imported together, a sum counts every task.
    **dict.fromkeys(
        (
            "block",
            "source",
            "source_file",
            "bookmark",
            "reject",
            "alert",
            "point",
            "sighting",
            "word_pair",
            "scope_edge",
            "dirty_key",
            "dirty_point",
            "heard",
            "dirty_task",
            "share_sum",
            "risk_sum",
            "finding_sum",
            "credential_sum",
            "clock_sum",
            SEARCH_TABLE,
        ),
        "hidden",
    ),
    "dropped_block": Open("digests, sizes and times of raw bytes that are gone"),
    "meta": Open("settings of the store and how far it is built"),
    "step_change": Open(
        "numbers of tasks that changed, which replay must learn of also where a task is gone; a task's id is a digest"
    ),
    "policy_version": Open("policies are the organisation's and hold for every team"),
    "policy_in_force": Open("policies are the organisation's and hold for every team"),
    VERSION_TABLE: Open("the number of the schema"),
}

NUMBERED = ("verdict", "statement", "accepted_risk", "journal", "access_journal")
"""Tables whose next number follows from rows that not everybody sees: `remit_last` answers it."""

_INSERTS: dict[str, Role] = {
    "verdict": "reviewer",
    "statement": "reviewer",
    "accepted_risk": "reviewer",
    "journal": "reader",
    "access_journal": "reader",
}
"""Who adds rows without being an importer; journals name who acts by a trigger of their own."""

_OF_ITS_TASK = {
    # What is judged is the task by which it may be judged, or lies in it; what takes a verdict back is of the same.
    "verdict": "CASE WHEN verdict.withdraws IS NOT NULL "
    "THEN remit_takes_back(verdict.withdraws, verdict.subject, verdict.task_id, verdict.anchor) "
    "ELSE (verdict.subject = verdict.task_id "
    "OR EXISTS (SELECT FROM finding f WHERE f.id = verdict.subject AND f.task_id = verdict.task_id) "
    "OR EXISTS (SELECT FROM step s WHERE s.id = verdict.subject AND s.task_id = verdict.task_id)) "
    "AND (verdict.anchor = '' OR EXISTS (SELECT FROM task k WHERE k.id = verdict.task_id AND k.scope = verdict.anchor)) END",
    "statement": "statement.what <> 'assignment' OR statement.subject = statement.task_id",
}
"""What must hold of a row that a reviewer adds besides, since several columns of it name tasks."""

INDEXES = {"ix_request_shape": "request (shape)"}
"""What a rule looks up that nothing else does: made with the first division of a store."""


def switched_on(groups: Mapping[Role, str]) -> Iterator[str]:
    """The statements that put every rule in force, in place of earlier ones; groups are quoted names of roles."""
    for name, on in INDEXES.items():
        yield f"CREATE INDEX IF NOT EXISTS {name} ON {on}"
    yield from switched_off()
    for table, sight in SIGHTS.items():
        if isinstance(sight, Open):
            continue
        condition = f"{_ALL} OR {sight.condition}" if isinstance(sight, Seen) else _ALL
        yield f"CREATE POLICY remit_seen ON {table} FOR SELECT TO {groups['reader']} USING ({condition})"
        # The database itself holds an importer to what it was granted; which rows is no question.
        yield f"CREATE POLICY remit_imported ON {table} TO {groups['importer']} USING (true) WITH CHECK (true)"
        if table in _INSERTS:
            added = "true" if table.endswith("journal") else condition
            if table in _OF_ITS_TASK:
                added = f"({added}) AND ({_OF_ITS_TASK[table]})"
            yield f"CREATE POLICY remit_added ON {table} FOR INSERT TO {groups[_INSERTS[table]]} WITH CHECK ({added})"
        if table == "task":
            yield f"CREATE POLICY remit_judged ON task FOR UPDATE TO {groups['reviewer']} USING ({condition})"
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"


def switched_off() -> Iterator[str]:
    """The statements that leave no rule in force."""
    for table, sight in SIGHTS.items():
        if isinstance(sight, Open):
            continue
        for policy in ("remit_seen", "remit_imported", "remit_added", "remit_judged"):
            yield f"DROP POLICY IF EXISTS {policy} ON {table}"
        yield f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"


def guarded(connection: Connection) -> frozenset[str]:
    """The tables whose rows are held to rules for this login; asked once a transaction, since dividing a store takes the writer's lock."""
    begun = connection.get_transaction()
    known: tuple[object, frozenset[str]] | None = connection.info.get("guarded")
    if known is None or known[0] is not begun:
        rows = connection.exec_driver_sql("SELECT relname FROM pg_class WHERE relrowsecurity AND row_security_active(oid)")
        known = connection.info["guarded"] = (begun, frozenset(str(name) for (name,) in rows))
    return known[1]
