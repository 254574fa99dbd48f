"""Comments in Markdown and who looks after a task: what reviewers tell each other without judging."""

from __future__ import annotations

import time

from lang.times import iso
from model.review import Assignment, Comment
from review.documents import Doc
from review.errors import RemitError
from review.show.subjects import subject
from review.workspace import Workspace

LONGEST = 20_000
"""Characters of a comment; a longer text is a document and belongs elsewhere."""
ME = "me"


def comment(work: Workspace, id: str, text: str) -> Doc:
    """Say something of a task, step or finding; secrets in it are replaced as in everything else that is kept."""
    told = work.redactor.redact_text(text.strip())
    if not told:
        raise RemitError("a comment needs a text (--text)")
    if len(told) > LONGEST:
        raise RemitError(f"this comment has {len(told):,} characters; at most {LONGEST:,} are kept")
    on = subject(work, id)
    said = Comment(on.id, on.kind, on.task, told, work.identity, time.time_ns() // 1000)
    return comment_document(work.store.add_statement(said))


def comments(work: Workspace, id: str) -> list[Doc]:
    """What was said of a step or finding, or of a task and everything in it, oldest first."""
    on = subject(work, id)
    whole = on.kind == "task"
    found = work.store.statements(Comment, task=on.id) if whole else work.store.statements(Comment, on.id)
    return [comment_document(one) for one in found]


def comment_document(one: Comment) -> Doc:
    return {
        "seq": one.seq,
        "subject": one.subject,
        "kind": one.kind,
        "task": one.task,
        "text": one.text,
        "by": one.by,
        "at": iso(one.at),
    }


def assign(work: Workspace, ids: list[str], to: str, reason: str = "") -> list[Doc]:
    """Give tasks to somebody, or to nobody with ""; of a step or finding, its task. `me` is whoever acts."""
    who = work.identity if to.strip() == ME else to.strip()
    told = work.redactor.redact_text(reason.strip())
    tasks = list(dict.fromkeys(subject(work, id).task for id in ids))
    if "" in tasks:
        raise RemitError("one of these stands on no task, so nobody can be given it")
    now = time.time_ns() // 1000
    with work.store.together():
        kept = [work.store.add_statement(Assignment(task, who, work.identity, now, told)) for task in tasks]
    return [
        {"task": one.subject, "assignee": one.to or None, "by": one.by, "at": iso(one.at), "reason": one.reason} for one in kept
    ]


def people(work: Workspace) -> list[str]:
    """Who takes part in reviews here, by name: to offer when a task is given to somebody."""
    held = {one.to for one in work.store.statements(Assignment)} | {one.reviewer for one in work.store.verdicts()}
    return sorted((held | {work.identity}) - {""})
