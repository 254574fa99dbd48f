"""Credential lifelines: requested, issued, each use, task end, revoked or expired, last use; and what that says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from chains.facts import OrgFacts
from chains.masked import shown_part
from model.chain import Credential, Turn, Use
from model.event import Event, Key, Outcome, short_id
from model.words import Effect, EventKind, KeyRole, Phase, Tri

HOUR = 3600
SESSION_LIMIT = 12 * HOUR
TASK_LIMIT = HOUR
OTHER_LIMIT = 24 * HOUR
"""Longest lives in seconds where the organisation file sets none: a session's, one issued to a task, any other."""

GRACE = 5_000_000
"""Microseconds after a task's end or a revocation within which a use is still put down to clock noise."""

FLAGS = (
    "standing",
    "long_lived",
    "used_after_task_end",
    "used_after_revocation",
    "never_revoked",
    "reused",
    "mid_task",
    "exposed",
    "no_issuance_seen",
)
"""All flags, in the order they are listed in."""

_STRENGTH = ("vault.accessor", "aws.key", "jti", "token", "vault.lease", "vault.token", "x509.serial", "secret")
_SESSION = ("session", "role", "sts", "federat", "oauth", "sso", "login", "console")
_USES = frozenset({Phase.USED, Phase.RENEWED})
_TURNS = frozenset({Phase.REQUESTED, Phase.ISSUED, Phase.RENEWED, Phase.REVOKED, Phase.EXPIRED})


class TaskLife(msgspec.Struct, frozen=True, gc=False):
    """What a lifeline must know of a task. `first_issue` is the id of the first event that issued it any credential,
    `agent` and `principal` who works in it."""

    ended: int | None = None
    parent: str = ""
    first_issue: str = ""
    environment: str = ""
    agent: str = ""
    principal: str = ""


def strength(name: str) -> tuple[int, str]:
    """Sorts the names of one credential, the one it is best known by first."""
    kind = name.partition(":")[0]
    return (_STRENGTH.index(kind) if kind in _STRENGTH else len(_STRENGTH) - 2, name)


def credential_id(names: Iterable[str]) -> str:
    """The id of the credential that goes by these names (`kind:value`)."""
    return short_id("cred", min(names, key=strength))


def credential_groups(events: Iterable[Event]) -> list[tuple[str, ...]]:
    """Names that denote one credential: all CREDENTIAL keys of one event do. Groups and names are sorted."""
    return name_groups(event.keys for event in events)


def name_groups(keys: Iterable[Sequence[Key]]) -> list[tuple[str, ...]]:
    """The same over the keys of events or stubs."""
    up: dict[str, str] = {}

    def root(name: str) -> str:
        up.setdefault(name, name)
        while up[name] != name:
            up[name] = up[up[name]]
            name = up[name]
        return name

    for one in keys:
        names = [key.name for key in one if key.role is KeyRole.CREDENTIAL]
        for name in names:
            first, second = sorted((root(names[0]), root(name)))
            up[second] = first
    groups: dict[str, list[str]] = {}
    for name in up:
        groups.setdefault(root(name), []).append(name)
    return sorted(tuple(sorted(group, key=strength)) for group in groups.values())


def lifeline(
    names: Sequence[str],
    events: Iterable[tuple[Event, str]],
    tasks: Mapping[str, TaskLife],
    facts: OrgFacts | None = None,
    skews: Mapping[str, int] | None = None,
) -> Credential:
    """One credential from all events that carry one of its names, each with its task ("" = unattributed).

    `tasks` gives the life of every task named among them and of their parents. Times are microseconds UTC;
    `skews` by point is taken off where a use is held against the end of a task, which the agents' clock tells.
    """
    carried = set(names)
    ordered = sorted(
        ((e, t) for e, t in events if any(k.role is KeyRole.CREDENTIAL and k.name in carried for k in e.keys)),
        key=lambda pair: (pair[0].at is None, pair[0].at or 0, pair[0].id),
    )
    best = min(names, key=strength)
    made = Credential(id=credential_id(names), key=best, names=tuple(sorted(carried, key=strength)))
    _facts(made, [e for e, _ in ordered])
    _life(made, ordered, tasks, facts or OrgFacts())
    if made.ttl_seconds is None and made.issued is not None and made.expires is not None and made.expires >= made.issued:
        made.ttl_seconds = (made.expires - made.issued) // 1_000_000
    made.flags = _flags(made, tasks, facts or OrgFacts(), skews or {})
    return made


def _facts(made: Credential, events: Sequence[Event]) -> None:
    """What is stated of it: by its issuance first, then by the earliest event that says anything."""
    rank = {Phase.ISSUED: 0, Phase.RENEWED: 2}
    stated = sorted(
        ((rank.get(e.phase, 1), n, e.credential) for n, e in enumerate(events) if e.credential is not None), key=lambda s: s[:2]
    )
    for _, _, fact in stated:
        made.kind = made.kind or fact.kind
        made.issuer = made.issuer or fact.issuer
        made.subject = made.subject or fact.subject
        made.scope = made.scope or fact.scope
        made.ttl_seconds = fact.ttl_seconds if made.ttl_seconds is None else made.ttl_seconds
    made.kind = made.kind or made.key.partition(":")[0]
    made.expires = max((e.credential.expires for e in events if e.credential and e.credential.expires is not None), default=None)
    if endless(made.key):
        made.ttl_seconds = -1


def endless(name: str) -> bool:
    """Whether a name alone says that the credential never expires: AWS access keys of a user begin with AKIA."""
    return (shown_part(name) or name).startswith("aws.key:AKIA")


def _life(made: Credential, ordered: Sequence[tuple[Event, str]], lives: Mapping[str, TaskLife], facts: OrgFacts) -> None:
    uses: dict[str, Use] = {}
    exposures: dict[str, Use] = {}
    turns: list[Turn] = []
    tasks: set[str] = set()
    for event, task in ordered:
        tasks.add(task)
        one = _use(event, task, lives.get(task) or TaskLife(), facts)
        if event.kind is EventKind.CREDENTIAL and event.phase in _TURNS:
            turns.append(_turn(event, task))
        if event.phase is Phase.EXPOSED:
            exposures.setdefault(event.record, one)
        elif event.kind is EventKind.CREDENTIAL and event.phase is Phase.ISSUED:
            if not made.issued_event:
                made.issued, made.issued_task = event.at, task
                made.issued_event, made.issued_record = event.id, event.record
                made.via = tuple(k.name for k in event.keys if k.role is KeyRole.VIA and k.name not in made.names)
            elif not made.issued_task:
                made.issued_task = task
        elif event.phase is Phase.REQUESTED:
            made.requested = event.at if made.requested is None else made.requested
        elif event.phase in (Phase.REVOKED, Phase.EXPIRED):
            if event.phase is Phase.REVOKED and event.at is not None and made.revoked is None:
                made.revoked, made.revoked_record = event.at, event.record
        elif event.phase in _USES or event.kind is not EventKind.CREDENTIAL:
            before = uses.get(event.record)
            uses[event.record] = one if before is None else _same_use(before, one)
    made.use_list, made.exposures, made.turns = tuple(uses.values()), tuple(exposures.values()), tuple(turns)
    made.uses = len(uses)
    times = [u.at for u in made.use_list if u.at is not None]
    made.first_use, made.last_use = min(times, default=None), max(times, default=None)
    made.tasks = tuple(sorted(tasks - {""}))
    owner = lives.get(made.issued_task) or TaskLife()
    made.issued_agent, made.issued_for = owner.agent, owner.principal
    ends = [end for turn in turns if (end := end_told(turn)) is not None]
    if made.expires is None and not ends and made.issued is not None and made.ttl_seconds is not None and made.ttl_seconds > 0:
        ends.append(made.issued + made.ttl_seconds * 1_000_000)
    made.expires = max([*ends, *((made.expires,) if made.expires is not None else ())], default=None)


def end_told(turn: Turn) -> int | None:
    """When a credential is to expire as one record of its issuance or renewal has it: stated, or its time and the life given."""
    if turn.expires is not None or turn.phase not in (Phase.ISSUED, Phase.RENEWED):
        return turn.expires
    if turn.at is None or turn.ttl_seconds is None or turn.ttl_seconds <= 0:
        return None
    return turn.at + turn.ttl_seconds * 1_000_000


def _turn(event: Event, task: str) -> Turn:
    stated = event.credential
    expires, ttl = (stated.expires, stated.ttl_seconds) if stated is not None else (None, None)
    return Turn(event.phase, event.id, event.record, event.at, task, event.point, expires, ttl)


def _use(event: Event, task: str, life: TaskLife, facts: OrgFacts) -> Use:
    outcome = event.outcome or Outcome()
    done = outcome.effect if outcome.effect is not Tri.UNKNOWN else Tri.NO if outcome.permitted is Effect.DENY else outcome.tool
    accepted = event.attrs.get("accepted")
    if isinstance(accepted, bool):
        done = Tri.YES if accepted else Tri.NO
    elif event.decision is not None and event.decision.effect is Effect.DENY:
        done = Tri.NO
    account = str(event.attrs.get("account") or "")
    environment = (
        facts.resource(event.target.cls, event.target.name, event.target.detail).environment
        or facts.resource("account", account).environment
        or str(event.attrs.get("environment") or "")
    )
    host = str(event.attrs.get("host") or "")
    return Use(
        event=event.id,
        record=event.record,
        at=event.at,
        task=task,
        point=event.point,
        host=host,
        verb=event.verb,
        target=event.target,
        vantage=event.vantage,
        done=done,
        agent=life.agent,
        by=life.principal,
        environment=environment,
    )


def _same_use(one: Use, other: Use) -> Use:
    """One record may say in several events what was done: what one of them leaves open another may tell."""
    told = one if one.done is not Tri.UNKNOWN else other
    return replace(one, done=told.done, vantage=told.vantage, environment=one.environment or other.environment)


def _flags(made: Credential, tasks: Mapping[str, TaskLife], facts: OrgFacts, skews: Mapping[str, int]) -> tuple[str, ...]:
    found: set[str] = set()
    if made.ttl_seconds == -1:
        found.add("standing")
    elif _too_long(made, life.environment if (life := tasks.get(made.issued_task)) else "", facts):
        found.add("long_lived")
    if made.exposures:
        found.add("exposed")
    if not made.issued_event:
        found.add("no_issuance_seen")
    if made.revoked is not None and made.last_use is not None and made.last_use > made.revoked + GRACE:
        found.add("used_after_revocation")
    if any(after_end(made, use, tasks, skews) for use in made.use_list):
        found.add("used_after_task_end")
    if _reused(made, tasks):
        found.add("reused")
    life = tasks.get(made.issued_task)
    if life is not None:
        lives_on = made.expires is None or life.ended is None or made.expires > life.ended
        if made.revoked is None and lives_on:
            found.add("never_revoked")
        if life.first_issue and life.first_issue != made.issued_event:
            found.add("mid_task")
    return tuple(flag for flag in FLAGS if flag in found)


def in_environment(made: Credential, environment: str, facts: OrgFacts) -> Credential:
    """The lifeline once it is known in which environment the task works that it was issued to: limits differ by environment."""
    flags = {flag for flag in made.flags if flag != "long_lived"}
    if "standing" not in flags and _too_long(made, environment, facts):
        flags.add("long_lived")
    ordered = tuple(flag for flag in FLAGS if flag in flags)
    return made if ordered == made.flags else replace(made, flags=ordered)


def _too_long(made: Credential, environment: str, facts: OrgFacts) -> bool:
    """Whether it lives longer than the organisation allows in the environment or, where that is not said, than the default."""
    stated = facts.ttl_limit(environment)
    limit = default_limit(made, bool(made.issued_task)) if stated is None else stated
    return made.ttl_seconds is not None and made.ttl_seconds > limit


def default_limit(made: Credential, task_bound: bool) -> int:
    """The longest life in seconds where the organisation file sets none."""
    if any(word in made.kind.casefold() for word in _SESSION):
        return SESSION_LIMIT
    return TASK_LIMIT if task_bound else OTHER_LIMIT


def after_end(made: Credential, use: Use, tasks: Mapping[str, TaskLife], skews: Mapping[str, int]) -> bool:
    """Used after the end of the task it was issued to (or, if none is seen, of the task that used it) and of its children."""
    owner = made.issued_task or use.task
    life = tasks.get(owner)
    if use.at is None or life is None or life.ended is None:
        return False
    ends = [life.ended]
    if use.task != owner and related(use.task, owner, tasks) and (own := tasks.get(use.task)) is not None:
        ends.append(own.ended if own.ended is not None else use.at)
    return use.at - skews.get(use.point, 0) > max(ends) + GRACE


def _reused(made: Credential, tasks: Mapping[str, TaskLife]) -> bool:
    """Used by a task that is neither the one it was issued to nor of its family; unattributed uses prove nothing."""
    users = [u.task for u in made.use_list if u.task]
    owner = made.issued_task or (users[0] if users else "")
    return any(user != owner and not related(user, owner, tasks) for user in users)


def related(one: str, other: str, tasks: Mapping[str, TaskLife]) -> bool:
    """Whether one task is an ancestor of the other, or the same."""
    return one == other or other in _line(one, tasks) or one in _line(other, tasks)


def _line(task: str, tasks: Mapping[str, TaskLife]) -> list[str]:
    line: list[str] = []
    life = tasks.get(task)
    while life is not None and life.parent and life.parent not in line and len(line) < 100:
        line.append(life.parent)
        life = tasks.get(life.parent)
    return line
