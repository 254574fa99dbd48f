"""A credential's life step by step: every turn and every use in order, each use held against what should have ended it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from chains.credentials import GRACE, TaskLife, after_end, end_told
from model.chain import Credential, Turn, Use
from model.event import Target
from model.words import Phase, Tri, Verb

TASK_ENDED = "task ended"
EXPIRES = "expires"

_ORDER = ("requested", "issued", "renewed", "exposed", "used", TASK_ENDED, EXPIRES, "expired", "revoked")
"""What comes first of things that happened at the same moment."""


class Stage(msgspec.Struct, frozen=True):
    """One thing that happened to a credential; `at` in microseconds UTC as logged, None where no time is known.

    `what` is a phase (requested, issued, renewed, used, exposed, revoked, expired), `task ended`, or `expires` for an end
    that is computed and that no record reports. `late` names what a use came after: task end, revocation, expiry; `done`
    says whether whoever saw the use says that it took effect.
    """

    what: str
    at: int | None
    point: str = ""
    task: str = ""
    event: str = ""
    record: str = ""
    host: str = ""
    verb: Verb = Verb.UNKNOWN
    target: Target = Target()
    expires: int | None = None
    late: tuple[str, ...] = ()
    done: Tri = Tri.UNKNOWN


class ScopeUsed(msgspec.Struct):
    """What a credential was used for: an action on a target, how often, first and last; `refused` of the uses came to nothing."""

    verb: Verb
    target: Target
    uses: int = 0
    refused: int = 0
    first: int | None = None
    last: int | None = None


def stages(one: Credential, tasks: Mapping[str, TaskLife], skews: Mapping[str, int] | None = None) -> list[Stage]:
    """Everything in order of time, what has no time last. `tasks` are the lives of its tasks and of their ancestors.

    The end shown is that of the task it was issued to; where no issuance is seen, of each task that used it.
    """
    skews = skews or {}
    found = [_turn(turn) for turn in one.turns]
    turned = {turn.event for turn in one.turns}
    found += [_use(one, use, tasks, skews) for use in one.use_list if use.event not in turned]
    found += [Stage("exposed", u.at, u.point, u.task, u.event, u.record, u.host) for u in one.exposures]
    for task in (one.issued_task,) if one.issued_task else one.tasks:
        life = tasks.get(task)
        if life is not None and life.ended is not None:
            found.append(Stage(TASK_ENDED, life.ended, task=task))
    if one.expires is not None and not any(turn.phase is Phase.EXPIRED for turn in one.turns):
        found.append(Stage(EXPIRES, one.expires))
    return sorted(found, key=lambda s: (s.at is None, s.at or 0, _ORDER.index(s.what), s.event))


def _turn(turn: Turn) -> Stage:
    return Stage(turn.phase.value, turn.at, turn.point, turn.task, turn.event, turn.record, expires=turn.expires)


def _use(one: Credential, use: Use, tasks: Mapping[str, TaskLife], skews: Mapping[str, int]) -> Stage:
    late = []
    if after_end(one, use, tasks, skews):
        late.append("task end")
    if use.at is not None:
        at = use.at - skews.get(use.point, 0)
        if one.revoked is not None and at > one.revoked + GRACE:
            late.append("revocation")
        if one.expires is not None and at > one.expires + GRACE:
            late.append("expiry")
    return Stage(
        what="used",
        at=use.at,
        point=use.point,
        task=use.task,
        event=use.event,
        record=use.record,
        host=use.host,
        verb=use.verb,
        target=use.target,
        late=tuple(late),
        done=use.done,
    )


def scope_used(one: Credential) -> list[ScopeUsed]:
    """What it was used for, the most frequent first; uses whose record names no action come under `unknown`."""
    found: dict[tuple[Verb, Target], ScopeUsed] = {}
    for use in one.use_list:
        used = found.setdefault((use.verb, use.target), ScopeUsed(use.verb, use.target))
        used.uses += 1
        used.refused += use.done is Tri.NO
        if use.at is not None:
            used.first = use.at if used.first is None else min(used.first, use.at)
            used.last = use.at if used.last is None else max(used.last, use.at)
    return sorted(found.values(), key=lambda u: (-u.uses, u.verb.value, u.target.cls.value, u.target.name, u.target.detail))


def to_first_use(one: Credential) -> float | None:
    """Seconds from issuance to the first use; None where either time is unknown, negative where clocks disagree."""
    if one.issued is None or one.first_use is None:
        return None
    return (one.first_use - one.issued) / 1_000_000


def unskewed(one: Credential, skews: Mapping[str, int]) -> Credential:
    """The lifeline by the agents' clock: what each log's clock is ahead is taken off what that log says."""
    if not any(skews.get(point) for point in {*(t.point for t in one.turns), *(u.point for u in one.use_list)}):
        return one

    def earlier(at: int | None, point: str) -> int | None:
        return None if at is None else at - skews.get(point, 0)

    turns = tuple(replace(t, at=earlier(t.at, t.point), expires=earlier(t.expires, t.point)) for t in one.turns)
    uses = tuple(replace(u, at=earlier(u.at, u.point)) for u in one.use_list)
    seen = tuple(replace(u, at=earlier(u.at, u.point)) for u in one.exposures)
    times = [u.at for u in uses if u.at is not None]
    ends = [end for turn in turns if (end := end_told(turn)) is not None]
    return replace(
        one,
        turns=turns,
        use_list=uses,
        exposures=seen,
        issued=next((turn.at for turn in turns if turn.event == one.issued_event), one.issued),
        revoked=next((t.at for t in turns if t.phase is Phase.REVOKED and t.at is not None), one.revoked),
        expires=max(ends, default=one.expires),
        first_use=min(times, default=None),
        last_use=max(times, default=None),
    )


def expiry_at(one: Credential, at: int) -> int | None:
    """When it was to expire as far as had been said at a moment: a later renewal does not count. None: not known."""
    ends = [end for turn in one.turns if turn.at is not None and turn.at <= at and (end := end_told(turn)) is not None]
    if ends:
        return max(ends)
    renewed = any(turn.phase is Phase.RENEWED for turn in one.turns)
    return None if renewed else one.expires


def live_at(one: Credential, at: int) -> bool | None:
    """Whether it could be used at a moment: issued (or, unseen, already used), not yet revoked or expired.

    None where it was first used later and no issuance is seen: it may have existed.
    """
    begun = one.issued if one.issued is not None else one.first_use
    if begun is None:
        return None
    if begun > at:
        return False if one.issued is not None else None
    ends = [one.revoked, expiry_at(one, at)]
    ends += [turn.at for turn in one.turns if turn.phase is Phase.EXPIRED]
    return not any(end is not None and end <= at for end in ends)
