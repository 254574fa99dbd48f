"""Policy text to Policy; requests to decisions; a whole history replayed under a draft. Pure functions, no database."""

from __future__ import annotations

from lang.cel.written import RequestError, read_request
from lang.diagnostics import Diagnostic
from policy.decide import Decision, Undetermined, decide
from policy.decisions import AnyPolicy, PolicyFormat, TestResult
from policy.diagnostics import Checked
from policy.document import check
from policy.dryrun import DryRun
from policy.explain import explain
from policy.formats import format_of, formats
from policy.history import History
from policy.history_files import HistoryStale
from policy.model import Policy, Rule
from policy.replay import Replayer, dry_run
from policy.schema import policy_schema, request_schema
from policy.testing import run_tests
from policy.toolcalls import to_request

__all__ = [
    "AnyPolicy",
    "Checked",
    "Decision",
    "Diagnostic",
    "DryRun",
    "History",
    "HistoryStale",
    "Policy",
    "PolicyFormat",
    "Replayer",
    "RequestError",
    "Rule",
    "TestResult",
    "Undetermined",
    "check",
    "decide",
    "dry_run",
    "explain",
    "format_of",
    "formats",
    "policy_schema",
    "read_request",
    "request_schema",
    "run_tests",
    "to_request",
]
