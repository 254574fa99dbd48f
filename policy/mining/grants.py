"""Just-in-time replacements for standing credentials: what each was really used for, as a grant that a task would have been enough with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import ceil

import msgspec

from lang.times import iso
from model.chain import Credential, Use
from policy.mining.conditions import equal, listed
from policy.mining.space import Counted

_STANDING = "standing"
_SECOND = 1_000_000
_STEP = 300
"""TTLs are rounded up to so many seconds, and no shorter than one such step."""
_LISTED = 30


class Grant(msgspec.Struct, frozen=True):
    """A task-bound grant in place of a standing credential.

    `ttl_seconds` is the 95th percentile (nearest rank) of the time between first and last use within one task, rounded up;
    `longest_seconds` the longest such time. `homeless` counts uses that belong to no task: they would have no grant,
    `refused` those in tasks judged outside their remit.
    `when` is the condition under which the grant's use would be allowed, `issue_when` that under which it would be issued.
    """

    id: str
    credential: str
    kind: str
    issuer: str
    subject: str
    held_scope: tuple[str, ...]
    used: tuple[str, ...]
    uses: Counted
    homeless: int
    refused: int
    first: str | None
    last: str | None
    ttl_seconds: int
    longest_seconds: int
    measured_tasks: int
    when: str
    issue_when: str


def grants(credentials: Iterable[Credential], outside: frozenset[str] = frozenset()) -> list[Grant]:
    """A proposal for every standing credential that was used in a task, those of most uses first.

    Uses in the tasks `outside` (judged outside their remit) are no need to be met: they count as `refused` alone.
    """
    found = [made for one in credentials if _STANDING in one.flags and (made := _grant(one, outside)) is not None]
    return sorted(found, key=lambda grant: (-grant.uses.requests, grant.credential))


def nearest_rank(values: Sequence[int], share: float) -> int:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def _grant(credential: Credential, outside: frozenset[str]) -> Grant | None:
    by_task: dict[str, list[Use]] = defaultdict(list)
    for use in credential.use_list:
        by_task[use.task].append(use)
    homeless = len(by_task.pop("", []))
    refused = sum(len(by_task.pop(task)) for task in outside & by_task.keys())
    uses = [use for some in by_task.values() for use in some]
    if not uses:
        return None
    spans = [_span(some) for some in by_task.values()]
    measured = [span for span in spans if span is not None]
    longest = max(measured, default=0)
    ttl = max(_STEP, ceil(nearest_rank(measured, 0.95) / _STEP) * _STEP) if measured else _STEP
    verbs = sorted({use.verb.value for use in uses})
    targets = sorted({use.target.name for use in uses if use.target.name})
    people = sorted({use.by for use in uses if use.by})
    places = sorted({use.environment for use in uses if use.environment})
    bound = ["credential.task_bound", f"credential.ttl_seconds <= {ttl}"]
    of = [
        equal(name, value)
        for name, value in (("credential.kind", credential.kind), ("credential.issuer", credential.issuer))
        if value
    ]
    need = [f"action.verb in {listed(verbs)}"]
    if targets and len(targets) <= _LISTED:
        need.append(f"resource.name in {listed(targets)}")
    who = [f"principal.id in {listed(people)}"] if people and all(use.by for use in uses) and len(people) <= _LISTED else []
    where = [f"context.environment in {listed(places)}"] if places and all(use.environment for use in uses) else []
    times = [use.at for use in uses if use.at is not None]
    used = sorted({f"{use.verb.value} {use.target.cls.value}:{use.target.name or '?'}" for use in uses})
    return Grant(
        id=f"jit-{credential.id}",
        credential=credential.id,
        kind=credential.kind,
        issuer=credential.issuer,
        subject=credential.subject,
        held_scope=credential.scope,
        used=tuple(used),
        uses=Counted(len(uses), len(by_task), len(people)),
        homeless=homeless,
        refused=refused,
        first=iso(min(times)) if times else None,
        last=iso(max(times)) if times else None,
        ttl_seconds=ttl,
        longest_seconds=longest,
        measured_tasks=len(measured),
        when=" && ".join([*of, *bound, *need]),
        issue_when=" && ".join(['action.verb == "credential.issue"', *who, *where, *bound]),
    )


def _span(uses: Sequence[Use]) -> int | None:
    """Whole seconds between the first and the last use, rounded up; None where no time is known."""
    times = [use.at for use in uses if use.at is not None]
    return ceil((max(times) - min(times)) / _SECOND) if times else None
