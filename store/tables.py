"""The tables by name, as SQLAlchemy Core moves their rows; what they hold and mean is declared in `store.declared`."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Table

from store.columns import read

WRITTEN = Path(__file__).with_name("tables.txt")
METADATA = read(WRITTEN.read_text("utf-8"))

HUMAN = ("verdict", "accepted_risk", "policy_version", "policy_in_force", "statement", "journal", "access_journal")
DERIVED = (
    "task",
    "task_body",
    "step",
    "request",
    "shape",
    "tally",
    "point_version",
    "claim",
    "conformance",
    "task_team",
    "finding",
    "credential",
    "credential_task",
    "coverage",
    "heard",
    "word_pair",
    "search_doc",
    "share_sum",
    "risk_sum",
    "finding_sum",
    "credential_sum",
    "clock_sum",
)


def table(name: str) -> Table:
    """The Core table of this name."""
    return METADATA.tables[name]


META = table("meta")
ALERT = table("alert")
SOURCE = table("source")
SOURCE_FILE = table("source_file")
BLOCK = table("block")
DROPPED_BLOCK = table("dropped_block")
BOOKMARK = table("bookmark")
RECORD = table("record")
RECORD_ALSO = table("record_also")
REJECT = table("reject")
EVENT = table("event")
EVENT_KEY = table("event_key")
SCOPE_EDGE = table("scope_edge")
SCOPE_ALIAS = table("scope_alias")
POINT = table("point")
SIGHTING = table("sighting")
SEQUENCE_BREAK = table("sequence_break")
DIRTY_KEY = table("dirty_key")
DIRTY_POINT = table("dirty_point")
DIRTY_TASK = table("dirty_task")
TASK = table("task")
TASK_BODY = table("task_body")
STEP = table("step")
REQUEST = table("request")
SHAPE = table("shape")
STEP_CHANGE = table("step_change")
TALLY = table("tally")
POINT_VERSION = table("point_version")
CLAIM = table("claim")
CONFORMANCE = table("conformance")
TASK_TEAM = table("task_team")
FINDING = table("finding")
CREDENTIAL = table("credential")
CREDENTIAL_TASK = table("credential_task")
COVERAGE = table("coverage")
HEARD = table("heard")
CLOCK_SUM = table("clock_sum")
WORD_PAIR = table("word_pair")
SEARCH_DOC = table("search_doc")
SHARE_SUM = table("share_sum")
RISK_SUM = table("risk_sum")
FINDING_SUM = table("finding_sum")
CREDENTIAL_SUM = table("credential_sum")
TEAM_SIGHT = table("team_sight")
VERDICT = table("verdict")
ACCEPTED_RISK = table("accepted_risk")
POLICY_VERSION = table("policy_version")
POLICY_IN_FORCE = table("policy_in_force")
JOURNAL = table("journal")
STATEMENT = table("statement")
ACCESS_JOURNAL = table("access_journal")
