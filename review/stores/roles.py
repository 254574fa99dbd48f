"""Roles of a team's store: who has which, granting and taking them away, and why somebody may not do a thing."""

from __future__ import annotations

from review.documents import Doc
from review.errors import RemitError
from review.workspace import Workspace
from store.duties import DUTIES, ROLES, Role, lacking
from store.duties import Duty as Duty


def roles(work: Workspace) -> Doc:
    """Every login with its roles, and what the one asking may do."""
    mine = work.store.may()
    return {
        "login": work.store.identity(),
        "may": [duty for duty in DUTIES if duty in mine],
        "roles": dict(ROLES),
        "members": [{"login": login, "role": role} for login, role in work.store.members()],
    }


def grant(work: Workspace, role: str, user: str, *, revoke: bool = False, apply: bool = True) -> Doc:
    """Give a login a role or take it away; without `apply` only the SQL that would do it is made."""
    if role not in ROLES:
        raise RemitError(f"there is no role {role[:80]!r}; the roles are {', '.join(ROLES)}")
    known: Role = role
    act = work.store.grant if apply else work.store.grant_sql
    return {"role": role, "user": user, "revoked": revoke, "applied": apply, "sql": act(known, user, revoke=revoke)}


def refused_because(work: Workspace, duty: Duty) -> str:
    """Why the login may not do this in this store, "" where it may."""
    return "" if duty in work.store.may() else lacking(duty, work.store.identity())
