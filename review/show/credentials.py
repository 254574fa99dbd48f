"""One credential's lifeline as a document: step by step, what it was used for, and what is unknown of it and why."""

from __future__ import annotations

from collections.abc import Iterable

from chains.credentials import TaskLife
from chains.family import MAX_DEPTH
from chains.lifespan import Stage, scope_used, stages
from chains.masked import fitting, shown_part
from chains.naming import naming, unknowns
from lang.times import iso
from model.chain import Credential
from review import documents
from review.derive.building import told_skews
from review.documents import Doc, Refs
from review.errors import NotFoundError
from review.show.baselines import rotated
from review.show.listings import references
from review.workspace import Workspace

FITTING = 20
"""Identifiers a masked one may stand for that are named; beyond, its mask tells nothing."""


def credential_document(work: Workspace, id: str) -> Doc:
    """`{"credential", "uses", "exposures", "lifeline", "scope_used", "names", "obtained_with", "may_be", "unknown"}`.

    `lifeline` holds every turn and use in order of time, `late` naming the ends a use came after; `names` what each
    identifier joins and cannot join; `unknown` what is not known, each with the reason.
    """
    held = work.store.credential(id)
    if held is None:
        raise NotFoundError(f"there is no credential {id}")
    lived = stages(held, task_lives(work, [*held.tasks, held.issued_task]), told_skews(work.store))
    refs = references(work, [held.issued_record, *(stage.record for stage in lived if stage.record)])
    return {
        "kind": "credential",
        "credential": documents.credential(held, refs) | {"rotated": rotated(work, held)},
        "lifeline": [_stage(one, refs) for one in lived],
        "scope_used": [
            {
                "verb": used.verb.value,
                "target": documents.target(used.target),
                "uses": used.uses,
                "refused": used.refused,
                "first": iso(used.first),
                "last": iso(used.last),
            }
            for used in scope_used(held)
        ],
        "names": [{"name": one.name, "joins": one.joins, "limit": one.limit or None} for one in map(naming, held.names)],
        "obtained_with": _known(work, held.via),
        "may_be": _may_be(work, held),
        "unknown": [{"what": what, "why": why} for what, why in unknowns(held)],
        "uses": [
            {"at": iso(u.at), "by": u.point, "task": u.task or None, "host": u.host or None, "record": refs.record(u.record)}
            for u in held.use_list
        ],
        "exposures": [
            {"at": iso(u.at), "by": u.point, "task": u.task or None, "record": refs.record(u.record)} for u in held.exposures
        ],
    }


def _stage(one: Stage, refs: Refs) -> Doc:
    return {
        "what": one.what,
        "at": iso(one.at),
        "by": one.point or None,
        "task": one.task or None,
        "host": one.host or None,
        "verb": one.verb.value if one.what == "used" else None,
        "target": documents.target(one.target) if one.what == "used" else None,
        "expires": iso(one.expires),
        "late": list(one.late),
        "done": one.done.value if one.what == "used" else None,
        "record": refs.record(one.record) if one.record else None,
    }


def task_lives(work: Workspace, tasks: Iterable[str]) -> dict[str, TaskLife]:
    """The lives of these tasks and of all their ancestors, as they were built."""
    lives: dict[str, TaskLife] = {}
    queue = sorted(set(tasks) - {""})
    for _ in range(MAX_DEPTH):
        rows = work.store.task_bodies(queue)
        lives |= {id: TaskLife(row.ended, row.parent, row.first_issue, row.environment) for id, row in rows.items()}
        queue = sorted({row.parent for row in rows.values() if row.parent} - set(lives))
        if not queue:
            break
    return lives


def _known(work: Workspace, names: Iterable[str]) -> list[str]:
    """Ids of the credentials that go by these names, once each; a name without lifeline stands for itself."""
    found = [kept.id if (kept := work.store.credential_by_key(name)) else name for name in names]
    return list(dict.fromkeys(found))


def _may_be(work: Workspace, held: Credential) -> list[str]:
    """Credentials whose full name a masked one may hide; more than a few tell nothing and are left out."""
    masks = [name for name in held.names if shown_part(name)]
    if not masks:
        return []
    keys = {one.key: one.id for one in work.store.credentials()}
    found = sorted({keys[key] for name in masks for key in fitting(name, keys)})
    return found if len(found) <= FITTING else []
