"""What a verdict is given on: a short token of the state somebody read, so that a verdict on another state says so first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from lang.times import iso
from review.errors import RemitError

if TYPE_CHECKING:
    from review.workspace import Workspace


class Subject(NamedTuple):
    """What is judged: its kind and id, its task, and the digest of the evidence as it is now."""

    kind: str
    id: str
    task: str
    evidence: str


class ChangedError(RemitError):
    """Somebody judged a thing, or its evidence changed, after it was read; `now` is by id the state that was told with it."""

    def __init__(self, said: str, now: Mapping[str, str]) -> None:
        super().__init__(said)
        self.now = now


def token(reviewed_at: int | None, evidence: str) -> str:
    """A state of review: when its verdict was given, 0 for none, and the evidence there was."""
    return f"{reviewed_at or 0:x}-{evidence[:12]}"


def refuse_changed(work: Workspace, subjects: Iterable[Subject], seen: Mapping[str, str]) -> None:
    """Raise ChangedError where one of these is no longer as it was read; those not in `seen` were not read.

    What the sitting showed is then the state that was told, so that the same verdict again is given knowingly. To be called under the writer's lock, so that nothing changes between the look and the verdict.
    """
    changed = [one for one in subjects if seen.get(one.id) and seen[one.id] not in _tokens(work, one)]
    if not changed:
        return
    now = {one.id: _tokens(work, one)[0] for one in changed}
    work.shown.update({id: state for id, state in now.items() if id in work.shown})
    more = f" (and {len(changed) - 1:,} more)" if len(changed) > 1 else ""
    raise ChangedError(f"{changed[0].kind} {changed[0].id}{more} changed since it was read: {_how(work, changed[0])}", now)


def _tokens(work: Workspace, one: Subject) -> list[str]:
    """The state as it is: of a task also as its row tells it, where a verdict may have come with a merged task."""
    given = work.store.latest_verdicts([one.id]).get(one.id)
    found = [token(given.at if given else None, one.evidence)]
    row = work.store.task_row(one.id) if one.kind == "task" else None
    return [token(row.reviewed_at, row.evidence), *found] if row else found


def _how(work: Workspace, one: Subject) -> str:
    given = work.store.latest_verdicts([one.id]).get(one.id)
    if given is None:
        return "its evidence is another, or its verdict was withdrawn; look at it again, then give yours"
    return (
        f"{given.reviewer} says {given.verdict.value} ({iso(given.at)}), on evidence that is "
        f"{'the same as now' if given.evidence == one.evidence else 'another by now'}; look at it again, then give yours"
    )
