"""Which schema this program knows; apart, so that reading the first pages needs no database library."""

from __future__ import annotations

REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
    "0017",
    "0018",
    "0020",
    "0021",
    "0022",
    "0023",
    "0024",
    "0025",
)
"""Every schema version this program knows, oldest first; each is a module of `store/migrations/versions`."""

HEAD = REVISIONS[-1]
VERSION_TABLE = "remit_schema"
APPLICATION_ID = 0x52454D54
"""Marks a SQLite file as ours ("REMT")."""


def older(shown: str, found: str) -> str:
    """What to say of a store whose schema is to be brought up to date first."""
    return f"{shown} has an older schema ({found}); bring it to {HEAD} with `remit store migrate`"


def changed(shown: str, found: str, known: str) -> str:
    """What to say to whoever would write as before into a store whose schema another Remit changed meanwhile."""
    return (
        f"the schema of {shown} is {found or 'gone'} by now and was {known} when this program opened it: another Remit changed it; "
        "what was committed stays: begin this one again, in the version of the other"
    )


def newer(shown: str, found: str) -> str:
    """What to say of a store whose schema this program does not know."""
    return f"{shown} was written by a newer Remit (schema {found}, this one knows up to {HEAD}); update Remit to open it"
