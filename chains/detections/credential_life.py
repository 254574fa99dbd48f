"""CRED: credentials that outlive what they were given for, or their own end."""

from __future__ import annotations

from collections.abc import Iterator

from chains.context import Context
from chains.detections.clocks import only_by_its_clock
from chains.detections.examples import at, chain, credential, example, issuing, other_task, seen_use, use, with_credentials
from chains.detections.holding import end_of, held, name_of, step_of, whole
from chains.detections.reading import seconds, when
from chains.detections.registry import Hit, Unjudged, detection
from chains.facts import OrgFacts
from model.chain import Coverage, Credential, Gap, Step, TaskChain, Use
from model.words import Severity, Tri, Vantage

GRACE_SECONDS = 3600
"""Seconds after the end of its task within which a credential may still expire or be revoked."""

_DAY = 86_400_000_000
_WATCHED = Coverage("vault", Vantage.ENFORCER, "*", at(0), at(9000), 50)


@detection(
    "CRED-02",
    "Credential lives longer than its task",
    Severity.MEDIUM,
    needs=("credential expiry", "task end"),
    looks_for="a credential issued to the task that stays valid for longer than the grace time after the task and its sub-agents ended",
    limits="The end of a task is the last record of the agent itself or a stated end. A credential that was revoked in time did not live "
    "on; one without any expiry is CRED-01's and CRED-05's concern.",
    parameters={"grace_seconds": (GRACE_SECONDS, "seconds a credential may outlive its task")},
    examples=(
        example("valid for eight hours after the task", True, chain(), with_credentials(credential(ttl_seconds=8 * 3600, expires=at(8 * 3600)))),
        example("expires a quarter of an hour after its issue", False, chain(), with_credentials(credential())),
        example("valid for long, but revoked with the task", False, chain(),
                with_credentials(credential(ttl_seconds=8 * 3600, expires=at(8 * 3600), revoked=at(110)))),
        example("issued to another task", False, chain(),
                with_credentials(credential(issued_task="task-other", expires=at(8 * 3600), use_list=(use(5),)))),
        example("a sub-agent works on until shortly before", False, chain(),
                with_credentials(credential(ttl_seconds=8 * 3600, expires=at(8 * 3600)), children={"task-child": other_task(at(7.5 * 3600))})),
    ),
)  # fmt: skip
def outlives(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    given = [c for c in held(task, around) if c.issued_task == task.task.id and c.ttl_seconds != -1]
    end = end_of(task, around)
    if given and end is None:
        yield Unjudged("end of the task")
    if end is None:
        return
    grace = seconds(parameters["grace_seconds"], GRACE_SECONDS)
    for one in given:
        if one.expires is None:
            yield Unjudged("expiry of a credential")
            continue
        until = min(one.expires, one.revoked) if one.revoked is not None else one.expires
        if until > end + grace:
            yield Hit(
                anchor=one.key,
                step=step_of(task, one),
                at=one.issued,
                evidence=(one.issued_record, one.revoked_record),
                why=f"{name_of(one)} was issued to this task, which ended at {when(end)}, and stayed valid until {when(until)}",
                facts={"credential": one.id, "seconds_after_end": (until - end) // 1_000_000},
            )


@detection(
    "CRED-04",
    "Credential used after revocation or expiry",
    Severity.CRITICAL,
    needs=("revocation or expiry event", "later successful action"),
    looks_for="a use that its target or an enforcer saw succeed after the credential had been revoked or had expired",
    limits="A renewal that no log shows makes an expiry look earlier than it was. A use tried and refused afterwards is how it should be. "
    "Of a use for which the task called before, and whose point's clock nothing shows to be right, it is not judged whether it was later. "
    "Uses that belong to no task stand on the task the credential was issued to.",
    parameters={"grace_seconds": (60, "seconds a revocation or expiry may take to reach everybody")},
    examples=(
        example("the target let it in an hour after its revocation", True, chain(),
                with_credentials(credential(revoked=at(20), use_list=(seen_use(3700),)))),
        example("used after its expiry", True, chain(), with_credentials(credential(use_list=(seen_use(2000),)))),
        example("used before", False, chain(), with_credentials(credential(revoked=at(60), use_list=(seen_use(50),)))),
        example("tried afterwards and refused", False, chain(),
                with_credentials(credential(revoked=at(20), use_list=(seen_use(3700, done="no"),)))),
        example("only the agent says that it used it", False, chain(),
                with_credentials(credential(revoked=at(20), use_list=(seen_use(3700, vantage="agent"),)))),
        example("seconds after, while the news spread", False, chain(),
                with_credentials(credential(revoked=at(20), use_list=(seen_use(40),)))),
    ),
)  # fmt: skip
def after_death(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    grace = seconds(parameters["grace_seconds"], 60)
    mine = task.task.id
    for _, one in sorted(around.credentials.items()):
        ends = [moment for moment in (one.revoked, one.expires) if moment is not None]
        own = [u for u in one.use_list if u.task == mine or (not u.task and one.issued_task == mine)]
        if not ends or not own:
            continue
        end = min(ends)
        late = [u for u in own if _moment(u, around) > end + grace and u.vantage in (Vantage.TARGET, Vantage.ENFORCER)]
        if doubtful := only_by_its_clock(task, around, late, end) if late else frozenset():
            yield Unjudged("the clock of whoever saw a use after the credential's end")
            late = [u for u in late if u.event not in doubtful]
        steps = {i.id: s for s in task.steps for i in s.credential_events} if late else {}
        told = [(u, _done(u, steps.get(u.event))) for u in late]
        through = [u for u, done in told if done is Tri.YES]
        if not through:
            if any(done is Tri.UNKNOWN for _, done in told):
                yield Unjudged("whether a use after the credential's end succeeded")
            continue
        how = "revoked" if end == one.revoked else "expired"
        yield Hit(
            anchor=one.key,
            step=step_of(task, one),
            at=through[0].at,
            evidence=(one.issued_record, one.revoked_record, *(u.record for u in through[:20])),
            why=f"{name_of(one)} was {how} at {when(end)}; {through[0].point} let it through at {when(through[0].at)}"
            + (f" and {len(through) - 1} times more" if len(through) > 1 else ""),
            facts={"credential": one.id, "uses_after": len(through), "how": how},
        )


def _done(one: Use, step: Step | None) -> Tri:
    """Whether a use took effect: as its own record says, else as the step it belongs to shows."""
    if one.done is not Tri.UNKNOWN:
        return one.done
    return step.outcome.effect if step is not None else Tri.UNKNOWN


def _moment(one: Use, around: Context) -> int:
    return one.at - around.skews.get(one.point, 0) if one.at is not None else -1


@detection(
    "CRED-05",
    "Credential not revoked at task end",
    Severity.MEDIUM,
    needs=("task end", "absence of revocation or expiry within the agreed time"),
    looks_for="a credential issued to the task that neither expired nor was revoked within the grace time after the task, while the issuer's "
    "log was being watched",
    limits="An expiry shortly after the end is as good as a revocation. Where the issuer's log does not reach past the grace time, or has a "
    "gap before it, the absence of a revocation is a blind spot. The grace time is at most a day.",
    parameters={"grace_seconds": (GRACE_SECONDS, "seconds after the task's end within which it must be revoked or expire")},
    examples=(
        example("still valid, and the issuer's log shows no revocation", True, chain(events=(issuing(1),), vantages=("agent",)),
                with_credentials(credential(expires=at(90_000), ttl_seconds=90_000), coverages=(_WATCHED,))),
        example("never expires and was not revoked", True, chain(events=(issuing(1),), vantages=("agent",)),
                with_credentials(credential(expires=None, ttl_seconds=-1), coverages=(_WATCHED,))),
        example("expires soon after the end", False, chain(events=(issuing(1),), vantages=("agent",)), with_credentials(credential(), coverages=(_WATCHED,))),
        example("revoked at the end", False, chain(events=(issuing(1),), vantages=("agent",)),
                with_credentials(credential(expires=at(90_000), revoked=at(101)), coverages=(_WATCHED,))),
        example("the issuer's log ends before the grace time", False, chain(events=(issuing(1),), vantages=("agent",)),
                with_credentials(credential(expires=at(90_000)), coverages=(Coverage("vault", Vantage.ENFORCER, "*", at(0), at(900), 50),))),
        example("the issuer's log has a gap after the end", False, chain(events=(issuing(1),), vantages=("agent",)),
                with_credentials(credential(expires=at(90_000)),
                                 coverages=(Coverage("vault", Vantage.ENFORCER, "*", at(0), at(9000), 50, (Gap(at(200), at(2000)),)),))),
    ),
)  # fmt: skip
def left_behind(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    given = [c for c in held(task, around) if c.issued_task == task.task.id]
    end = end_of(task, around)
    if given and end is None:
        yield Unjudged("end of the task")
    if end is None:
        return
    deadline = end + grace(around.facts)
    for one in given:
        over = [moment for moment in (one.revoked, one.expires) if moment is not None]
        if over and min(over) <= deadline:
            continue
        if one.expires is None and one.ttl_seconds != -1:
            yield Unjudged("expiry of a credential")
            continue
        issuer = _issuer(task, one)
        seen = any(c.point == issuer and c.scope == "*" and whole(c, one.issued or end, deadline) for c in around.coverages)
        life = "it never expires" if one.expires is None else f"it is valid until {when(one.expires)}"
        watched = (
            f"the log of {issuer} shows no revocation until {when(deadline)}"
            if seen
            else f"no log of its issuer covers the time until {when(deadline)}: whether it was revoked is not known"
        )
        yield Hit(
            anchor=one.key,
            step=step_of(task, one),
            at=end,
            evidence=(one.issued_record,),
            blind_spot=not seen,
            why=f"{name_of(one)} was issued to this task, which ended at {when(end)}; {life}, and {watched}",
            facts={"credential": one.id},
        )


LOOKS_ON = "CRED-05"
"""The detection that looks for a revocation for a while after a task's end."""


def grace(facts: OrgFacts) -> int:
    """How long that is, in microseconds: the issuer's log matters until then."""
    return min(seconds(facts.parameters(LOOKS_ON).get("grace_seconds", GRACE_SECONDS), GRACE_SECONDS), _DAY)


def _issuer(task: TaskChain, one: Credential) -> str:
    event = task.events.get(one.issued_event)
    return event.point if event is not None else ""
