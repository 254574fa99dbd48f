"""Dry-runs somebody tried, for the access journal: what a policy would have done tells of people's work."""

from __future__ import annotations

from review.documents import Doc
from review.errors import RemitError
from review.judge.journals import note_access
from review.workspace import open_workspace
from store import StoreError


def trial(run: Doc) -> Doc:
    """What is noted of a dry-run: the policy by name, language and digest, and against what it was held over how much."""
    policy = run["policy"]
    named = {name: policy[name] for name in ("name", "format", "sha256")}
    return {**named, "against": run["baseline"], "requests": run["history"]["requests"]}


def note_trial(store: str | None, org: str | None, run: Doc) -> str:
    """Note a dry-run of the command line, which itself reads only; why it could not be noted, "" where it was."""
    try:
        with open_workspace(store, org) as work:
            note_access(work, "trial", trial(run))
    except (RemitError, StoreError) as error:
        return str(error)
    return ""
