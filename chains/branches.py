"""Branches and tags: which of a repository's a command pushes and which one its host saw pushed, in one spelling."""

from __future__ import annotations

from collections.abc import Iterable

from model.event import Event, Key, Operation
from model.evidence import Stub
from model.words import KeyRole, Vantage, Verb

BRANCH = "branch"
"""Kind of the MATCH keys that tell of them; they lead nowhere by themselves, for a name is that of many repositories' branches."""
_MORE = frozenset({"all", "mirror", "tags", "follow-tags", "branches"})
_MOST = 20


def branch_keys(event: Event) -> list[Key]:
    """A key for each branch that an agent's call pushes, if all that it pushes are named, or for the one that a target saw pushed."""
    names = branches_asked(event.operations) if event.vantage is Vantage.AGENT else branch_seen(event)
    return [Key(KeyRole.MATCH, BRANCH, name) for name in sorted(names)]


def branches_asked(operations: Iterable[Operation]) -> frozenset[str]:
    """What commands push; none where one of them writes to a repository and does not say where by name."""
    named: set[str] = set()
    for op in operations:
        if op.verb not in (Verb.REPO_WRITE, Verb.PR_MERGE) or "local" in op.flags:
            continue
        name = _plain(op.target.detail) if op.text.startswith("git ") and " push" in op.text else ""
        if not name or "*" in name or _MORE.intersection(op.flags):
            return frozenset()
        named.add(name)
    return frozenset(named) if len(named) <= _MOST else frozenset()


def branch_seen(event: Event) -> frozenset[str]:
    """What a target saw pushed, where it says so."""
    branch = event.attrs.get("branch")
    if event.vantage is not Vantage.TARGET or event.verb is not Verb.REPO_WRITE or not isinstance(branch, str) or not branch:
        return frozenset()
    return frozenset((_plain(branch),))


def branches_of(stub: Stub) -> frozenset[str]:
    """The branches that an event names."""
    return frozenset([key.value for key in stub.keys if key.kind == BRANCH])


def other_branch(mine: frozenset[str], other: Stub) -> bool:
    """Whether an event names branches too, and none of these."""
    return bool(mine) and bool(theirs := branches_of(other)) and not mine & theirs


def _plain(name: str) -> str:
    return name.removeprefix("refs/").removeprefix("heads/").removeprefix("tags/")[:300]
