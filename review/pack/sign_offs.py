"""Signing a review off: what is signed, by whom, and whether anything keeps reviewer and reviewed apart, before it is done."""

from __future__ import annotations

from collections.abc import Sequence

from lang.counted import count
from model.review import SignedScope
from reports.input import AnyTask
from reports.wording import STATEMENT
from review.documents import Doc
from review.pack.attesting import attestations, sign_off
from review.pack.report_room import Room
from review.show.filters import moment
from review.state.second import acted_for, separation
from review.workspace import Workspace

_SHOWN = 20
"""Self-reviews that are named one by one; all are counted."""


def sign_off_state(work: Workspace, room: Room, frameworks: Sequence[str]) -> Doc:
    """What a sign-off now would state and rest on.

    `statement` is recorded with the words of whoever signs, `scope` says the same as data, `own_tasks` counts the period's tasks whose agent acted for
    the signer, `self_reviews` names verdicts that somebody gave on an agent that acted for them, and `separation` says
    whether the store itself keeps the two apart.
    """
    head, tasks = room.head(), room.tasks
    own = [v for v in room.verdicts if v.own]
    kept = work.store.journal_head()
    return {
        "statement": f"{STATEMENT} {scope(head, frameworks)}",
        "scope": {"frameworks": list(frameworks), **{name: head[name] for name in ("from", "to", "as_of")}, "state": room.state},
        "signer": work.identity,
        "own_tasks": sum(_acted(work, tasks, work.identity)),
        "tasks": head["tasks"],
        "findings": head["findings"],
        "unreviewed": room.unreviewed,
        "self_reviews": [
            {"subject": v.subject, "kind": v.kind, "reviewer": v.reviewer, "verdict": v.verdict.value} for v in own[:_SHOWN]
        ],
        "self_reviews_total": len(own),
        "separation": separation(work),
        "journal": {"entries": kept.seq, "head": kept.head} if kept else {"entries": 0, "head": ""},
        "signed": [one for one in attestations(work) if one["sign_off"]],
    }


def sign(work: Workspace, state: Doc, words: str = "", *, reviewer: str | None = None) -> Doc:
    """Record the statement of `sign_off_state`, and the signer's own words behind it, in the review journal."""
    text = " ".join(part for part in (str(state["statement"]), words.strip()) if part)
    ends = {name: moment(state["scope"][name], name) if state["scope"][name] else None for name in ("from", "to", "as_of")}
    about = SignedScope(
        tuple(state["scope"]["frameworks"]), ends["as_of"] or 0, ends["from"], ends["to"], state["scope"]["state"]
    )
    return sign_off(work, text, reviewer=reviewer, about=about)


def scope(head: Doc, frameworks: Sequence[str]) -> str:
    """The sentence that says what the statement is about, so that the journal holds it too."""
    period = f"from {head['from'] or 'the first record'} to {head['to'] or 'the last'}"
    about = f"{', '.join(frameworks)}; " if frameworks else ""
    return f"It is about {about}the period {period}, as of {head['as_of'] or 'no evidence'}: {count(head['tasks'], 'task')}, {count(head['findings'], 'finding')}."


def _acted(work: Workspace, tasks: Sequence[AnyTask], identity: str) -> list[bool]:
    known: dict[tuple[str, str], bool] = {}
    told = []
    for task in tasks:
        whose = (task.principal, task.on_behalf_of)
        if whose not in known:
            known[whose] = acted_for(work, task, identity)
        told.append(known[whose])
    return told
