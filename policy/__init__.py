"""Policy text to Policy; requests to decisions; a whole history replayed under a draft. Pure functions, no database."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lang.cel.written import RequestError, read_request
from lang.diagnostics import Diagnostic
from policy.decide import Decision, Undetermined, decide
from policy.decisions import AnyPolicy, PolicyFormat, TestResult
from policy.diagnostics import Checked
from policy.document import check
from policy.explain import explain
from policy.formats import format_of, formats
from policy.model import Policy, Rule
from policy.schema import policy_schema, request_schema
from policy.testing import run_tests
from policy.toolcalls import to_request

if TYPE_CHECKING:
    from policy.dryrun import DryRun
    from policy.history import History
    from policy.history_files import HistoryStale
    from policy.replay import Replayer, dry_run

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

_OF_A_HISTORY = {
    "DryRun": "policy.dryrun",
    "History": "policy.history",
    "HistoryStale": "policy.history_files",
    "Replayer": "policy.replay",
    "dry_run": "policy.replay",
}


def __getattr__(name: str) -> Any:
    """Import on first use: who asks for one request's answer need not wait for numpy, which takes a tenth of a second."""
    if name not in _OF_A_HISTORY:
        raise AttributeError(f"module 'policy' has no attribute {name!r}")
    return getattr(import_module(_OF_A_HISTORY[name]), name)
