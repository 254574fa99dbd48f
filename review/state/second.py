"""What asks for a second reviewer, and who cannot be the one."""

from __future__ import annotations

from collections.abc import Mapping

from model.chain import Task
from model.evidence import SeenTask
from model.review import Verdict
from model.words import Severity
from review.workspace import Workspace
from store.rows import FindingFilter

ENFORCED = "enforced: the database says who acts"
UNENFORCED = "unenforced: a SQLite file believes whoever writes to it"


def is_critical(work: Workspace, kind: str, subject: str, task: str) -> bool:
    """Whether a subject is, or holds, a critical finding, so that one reviewer's word is not enough."""
    if kind == "finding":
        found = work.store.finding(subject)
        return found is not None and not found.blind_spot and found.severity is Severity.CRITICAL
    if kind == "task":
        row = work.store.task_row(task)
        return row is not None and row.critical > 0
    return bool(
        work.store.findings(FindingFilter(step=subject, severities=(Severity.CRITICAL.value,), blind_spot=False), limit=1)
    )


def acted_for(work: Workspace, task: Task | SeenTask | None, identity: str) -> bool:
    """Whether the agent of a task acted for a person, as far as names and the organisation's aliases tell."""
    if task is None:
        return False
    mine = _names(work, identity)
    return any(mine & _names(work, name) for name in (task.principal, task.on_behalf_of) if name)


def on_own_task(work: Workspace, verdict: Verdict, tasks: Mapping[str, Task | SeenTask]) -> bool:
    """Whether somebody judged what an agent did for them: noted when it was said, or by what names and aliases tell now."""
    return verdict.own or acted_for(work, tasks.get(verdict.task or verdict.subject), verdict.reviewer)


def _names(work: Workspace, name: str) -> set[str]:
    """What a person goes by; the part of an address before the @ counts as a login."""
    known = {name, work.facts.identity(name)}
    return {one.casefold() for one in known} | {one.partition("@")[0].casefold() for one in known if "@" in one}


def separation(work: Workspace) -> str:
    """Whether the store itself keeps two reviewers apart."""
    return ENFORCED if work.store.names_roles else UNENFORCED
