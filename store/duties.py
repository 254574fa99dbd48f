"""Who may write what in a team's store: five roles, the tables each of them writes, and the word for one that may not.

Only names: what grants them in PostgreSQL is `store.roles`, and an error of the database is put into words from here.
"""

from __future__ import annotations

import re
from typing import Literal

Role = Literal["reader", "reviewer", "author", "importer", "administrator"]
Duty = Literal["review", "author", "import"]

ROLES: dict[Role, str] = {
    "reader": "reads everything; what it opens is kept in the access journal",
    "reviewer": "reads, and gives verdicts, comments, assignments and exceptions",
    "author": "reads, and saves policies and puts them in force",
    "importer": "reads, imports logs and builds what follows from them; judges nothing",
    "administrator": "all of these, grants roles and brings the schema up to date",
}
"""Each role in a few words, the least first."""

DUTIES: dict[Duty, tuple[Role, str, str]] = {
    "review": ("reviewer", "verdict", "give verdicts"),
    "author": ("author", "policy_version", "save policies"),
    "import": ("importer", "record", "import"),
}
"""What a person may want to do: the role it takes, a table it writes, and what it is called."""

APPENDS: dict[str, tuple[Role, ...]] = {
    "verdict": ("reviewer",),
    "accepted_risk": ("reviewer",),
    "statement": ("reviewer",),
    "imported_review": ("reviewer",),
    "policy_version": ("author",),
    "policy_in_force": ("author",),
    "journal": ("reviewer", "author"),
    "access_journal": ("reader",),
    "team_sight": ("administrator",),
    "dropped_block": ("administrator",),
}
"""The tables of what people leave behind, tombstones of raw records among it, and who may add rows to them; nobody changes or removes any."""

REVIEWED = ("state", "verdict", "reviewer", "reviewed_at", "assignee")
"""The columns of a task that a verdict on it and an assignment set; the only ones a reviewer may change."""

INSUFFICIENT = "42501"
"""PostgreSQL's code for a thing the role may not do."""

_DENIED = re.compile(r"permission denied for (?:table|view|relation) (\S+)")
_UNSEEN = re.compile(r"violates row-level security policy")


def writers(table: str) -> tuple[Role, ...]:
    """Which roles write a table: who adds to it, or, for what was imported and what follows from it, the importer."""
    return APPENDS.get(table, ("importer",))


def refusal(shown: str, user: str, what: str, text: str) -> str:
    """What to say where the database refused something for want of a role.

    `what` is read or write, `text` the database's own word, which names the table.
    """
    found = _DENIED.search(text)
    who = user or "your database role"
    if _UNSEEN.search(text):
        return (
            f"{who} sees some teams' tasks alone in the store {shown}, and this is not of a task of theirs; an administrator shows "
            f"everything with `remit store teams --grant '*' {user or 'USER'}`"
        )
    if found is None:
        return (
            f"{who} may not do this in the store {shown} ({text}); it takes the role administrator, which whoever owns the store "
            "grants with `remit store roles --grant administrator USER`"
        )
    needed: Role = "reader" if what == "read" else writers(found[1])[0]
    return (
        f"{who} may not {what} {found[1]} in the store {shown}: that takes the role {needed}; an administrator grants it with "
        f"`remit store roles --grant {needed} {user or 'USER'}`"
    )


def lacking(duty: Duty, user: str) -> str:
    """Why a key is disabled: which role its duty takes."""
    role, _, doing = DUTIES[duty]
    return (
        f"{user or 'your database role'} may not {doing} in this store: that takes the role {role} "
        f"(`remit store roles --grant {role} {user or 'USER'}`)"
    )
