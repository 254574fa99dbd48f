"""CRED: how long credentials live, who uses them, and where they lie about."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from chains.context import Context
from chains.credentials import HOUR, default_limit
from chains.detections.clocks import only_by_its_clock
from chains.detections.examples import (
    asking,
    at,
    chain,
    credential,
    example,
    exposed,
    given,
    issue,
    seen_use,
    step,
    use,
    with_credentials,
)
from chains.detections.holding import end_known, held, leased, name_of, records_of, span, step_of
from chains.detections.reading import seconds, when
from chains.detections.registry import Hit, Unjudged, detection
from lang.counted import count
from model.chain import Item, Step, TaskChain
from model.event import Event
from model.words import EventKind, KeyRole, Phase, Severity, Tri

_GIVEN = (Phase.ISSUED, Phase.RENEWED)
_STORES_KEY = credential(
    id="cred-2", key="aws.key:AKIA1", issued_task="", ttl_seconds=-1, expires=None, use_list=(seen_use(1, record="rec-2"),)
)

_LEASE = credential(kind="vault-lease", key="vault.lease:aws/creds/a/1", turns=(given("vault", "rec-1"),))
_LEASED = {
    "id": "cred-3",
    "kind": "aws.access_key",
    "key": "aws.key:AKIA3",
    "ttl_seconds": -1,
    "expires": None,
    "turns": (given("cloudtrail:1", "rec-2"),),
}
_MADE = credential(**_LEASED, subject="vault-token-deploy-1", via=("aws.key:AKIA1",))


@detection(
    "CRED-01",
    "Standing or long-lived credential",
    Severity.HIGH,
    needs=("credential issue and expiry times or type",),
    looks_for="a credential the task was issued or used that never expires or lives longer than its limit",
    limits="A credential whose issuance and expiry are both unseen is unknown, not standing. Limits: the organisation file's per "
    "environment, else 12 h for a session credential, 1 h for one issued to the task, 24 h for any other.",
    examples=(
        example("no expiry at all", True, chain(), with_credentials(credential(ttl_seconds=-1, expires=None, flags=("standing",)))),
        example("lives thirty days", True, chain(), with_credentials(credential(ttl_seconds=30 * 24 * HOUR))),
        example("a quarter of an hour", False, chain(), with_credentials(credential())),
        example("expiry unknown", False, chain(), with_credentials(credential(ttl_seconds=None, expires=None))),
        example("a session credential of eight hours", False, chain(),
                with_credentials(credential(kind="session", ttl_seconds=8 * HOUR, issued_task="task-other"))),
        example("the secret store's own key, with which it made the task's", False, chain(), with_credentials(
            credential(turns=(given("vault", "rec-1"), given("cloudtrail:1", "rec-2"))), _STORES_KEY)),
        example("a key with which the task assumed a role in another account", True, chain(), with_credentials(
            credential(turns=(given("cloudtrail:2", "rec-1"), given("cloudtrail:1", "rec-2"))), _STORES_KEY)),
        example("what the store had the cloud make for a lease, and the key it did that with", False, chain(),
                with_credentials(_LEASE, _MADE, _STORES_KEY)),
        example("a key the task made beside a lease", True, chain(),
                with_credentials(_LEASE, credential(**_LEASED, subject="svc-deploy", via=("aws.key:AKIA1",)))),
        example("a key the task made by its own, under a name like the store's", True, chain(), with_credentials(
            _LEASE, _MADE, msgspec.structs.replace(_STORES_KEY, use_list=(seen_use(1, record="rec-2"), seen_use(9))))),
    ),
)  # fmt: skip
def standing(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    made = leased(around)
    for one in held(task, around):
        if one.id in made:
            # It lives as long as its lease.
            continue
        endless = one.ttl_seconds == -1 or "standing" in one.flags
        stated = around.facts.ttl_limit(task.task.environment)
        limit = default_limit(one, one.issued_task == task.task.id) if stated is None else stated
        if one.ttl_seconds is None and not endless:
            yield Unjudged("lifetime of a credential")
        if not endless and (one.ttl_seconds is None or one.ttl_seconds <= limit):
            continue
        life = "it never expires" if endless else f"it lives {span(one.ttl_seconds or 0)}, the limit is {span(limit)}"
        yield Hit(
            anchor=one.key,
            step=step_of(task, one),
            at=one.issued or one.first_use,
            evidence=(one.issued_record, *records_of(one, task.task.id)),
            why=f"{name_of(one)} was {'issued to' if one.issued_task == task.task.id else 'used by'} this task and {life}",
            facts={"credential": one.id},
        )


@detection(
    "CRED-03",
    "Credential used after task end",
    Severity.HIGH,
    needs=("task end", "later action with the same credential id"),
    looks_for="a use, after the task's last own record, of a credential that was issued to the task",
    limits="The end of a task is the last record of the agent itself or a stated end; a log that stops early makes it look earlier than "
    "it was; of a task without the agent's records it is not known. Uses by the task's own sub-agents while they run are not counted, nor is a "
    "standing credential, which no task's end can end (CRED-01). What was refused once the credential itself had ended is how it should be. "
    "Of a use for which the task called before its end, and whose point's clock nothing shows to be right, it is not judged whether it was later.",
    version=2,
    parameters={"grace_seconds": (5, "seconds after the end within which a use still belongs to the task")},
    examples=(
        example("used an hour later", True, chain(), with_credentials(credential(use_list=(use(5), use(3700, ""))))),
        example("used within the task", False, chain(), with_credentials(credential(use_list=(use(5), use(90))))),
        example("used a moment after the end", False, chain(), with_credentials(credential(use_list=(use(103),)))),
        example("revoked with the task, and refused afterwards", False, chain(),
                with_credentials(credential(revoked=at(101), use_list=(seen_use(3700, "", done="no"),)))),
        example("refused while it was still valid", True, chain(),
                with_credentials(credential(expires=at(9000), use_list=(seen_use(3700, "", done="no"),)))),
        example("issued to another task", False, chain(),
                with_credentials(credential(issued_task="task-other", use_list=(use(3700, "task-other"),)))),
        example("a sub-agent that still runs", False, chain(),
                with_credentials(credential(use_list=(use(3700, "task-child"),)), relatives=frozenset({"task-child"}))),
    ),
)  # fmt: skip
def after_end(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    end = task.task.ended if end_known(task) else None
    issued = [c for c in held(task, around) if c.issued_task == task.task.id and c.ttl_seconds != -1]
    if end is None:
        if issued:
            yield Unjudged("end of the task")
        return
    bar = end + seconds(parameters["grace_seconds"], 5)
    for one in issued:
        over = min((moment for moment in (one.revoked, one.expires) if moment is not None), default=None)
        late = []
        for u in one.use_list:
            moment = u.at - around.skews.get(u.point, 0) if u.at is not None else None
            if moment is None or moment <= bar or u.task in around.relatives:
                continue
            if u.done is not Tri.NO or over is None or moment < over:
                late.append(u)
        if doubtful := only_by_its_clock(task, around, late, end) if late else frozenset():
            yield Unjudged("the clock of whoever saw a use after the task's end")
            late = [u for u in late if u.event not in doubtful]
        if late:
            refused = sum(u.done is Tri.NO for u in late)
            yield Hit(
                anchor=one.key,
                step=step_of(task, one),
                at=late[0].at,
                evidence=(one.issued_record, *(u.record for u in late[:20])),
                why=f"{name_of(one)} was issued to this task, which ended at {when(end)}; it was used {count(len(late), 'time')} after that, "
                f"first at {when(late[0].at)} ({late[0].point})" + (f"; {refused} of these were refused" if refused else ""),
                facts={"credential": one.id, "uses_after_end": len(late)},
            )


@detection(
    "CRED-06",
    "Credential reused across tasks",
    Severity.MEDIUM,
    needs=("credential id seen in more than one task",),
    looks_for="a credential used by this task that was issued to another, unrelated task, or that an earlier task used before",
    limits="A sub-agent that uses its parent's credential is not reuse. Where no issuance is seen, the task that used it first counts as "
    "its owner.",
    examples=(
        example("issued to another task", True, chain(),
                with_credentials(credential(issued_task="task-a", tasks=("task-a", "task-example"), use_list=(use(5),)))),
        example("issued to the parent", False, chain(),
                with_credentials(credential(issued_task="task-p", tasks=("task-p", "task-example"), use_list=(use(5),)),
                                 relatives=frozenset({"task-p"}))),
        example("this task's own", False, chain(), with_credentials(credential(use_list=(use(5),)))),
        example("no issuance seen; another task used it first", True, chain(),
                with_credentials(credential(issued=None, issued_task="", use_list=(use(1, "task-a"), use(50))))),
        example("no issuance seen; used here first", False, chain(),
                with_credentials(credential(issued=None, issued_task="", use_list=(use(1), use(50, "task-b"))))),
    ),
)  # fmt: skip
def reused(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    for one in held(task, around):
        own = [u for u in one.use_list if u.task == task.task.id]
        owner = one.issued_task or next((u.task for u in one.use_list if u.task), "")
        if not own or not owner or owner == task.task.id or owner in around.relatives:
            continue
        how = "was issued to" if one.issued_task else "was used before by"
        yield Hit(
            anchor=one.key,
            step=step_of(task, one),
            at=own[0].at,
            evidence=(one.issued_record, *(u.record for u in own[:20])),
            why=f"{name_of(one)} {how} task {owner} and was used by this one {count(len(own), 'time')}, first at {when(own[0].at)}",
            facts={"credential": one.id, "owner_task": owner},
        )


_IN_PART = frozenset({"aws-session-token"})
"""Kinds of secrets that open nothing without another one: CloudTrail writes a session's token beside every issuance, and its secret key never."""


@detection(
    "CRED-08",
    "Secret in clear in prompt, command, file or log",
    Severity.HIGH,
    needs=("text fields scanned with secret patterns", "value must be masked in our store"),
    looks_for="a usable secret that stood in clear in any record of the task, wherever it was logged",
    limits="Secrets are found by pattern and by telling names; an unknown kind without a telling name is not found. Identifiers such as "
    "an access key id do not count, nor does an AWS session token by itself.",
    examples=(
        example("a token in a tool output", True, chain(step("exec"), events=(exposed(),))),
        example("nothing in clear", False, chain(step("exec"))),
        example(
            "a session's token, which opens nothing without its secret key",
            False,
            chain(step("exec"), events=(exposed(kind="aws-session-token"),)),
        ),
    ),
)
def in_clear(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    places: dict[str, list[str]] = {}
    labels: dict[str, tuple[str, int | None]] = {}
    exposed_here = (e for e in task.events.values() if e.kind is EventKind.CREDENTIAL and e.phase is Phase.EXPOSED)
    exposed_here = (e for e in exposed_here if e.attrs.get("secret_kind") not in _IN_PART)
    for event in sorted(exposed_here, key=lambda e: (e.at or 0, e.id)):
        key = next(
            (k for k in event.keys if k.role is KeyRole.CREDENTIAL and k.kind == "secret"), event.first_key(KeyRole.CREDENTIAL)
        )
        if key is not None:
            places.setdefault(key.name, []).append(event.record)
            labels.setdefault(key.name, (f"{event.text or 'a secret in clear'} ({event.point})", event.at))
    wanted = {seen[0] for seen in places.values()}
    by_record = {record: one for one in task.steps for record in wanted.intersection(one.records)} if wanted else {}
    for name, seen in places.items():
        label, moment = labels[name]
        first = by_record.get(seen[0])
        yield Hit(
            anchor=name,
            step=first.id if first else "",
            at=moment,
            evidence=seen[:50],
            why=f"{label}, in {count(len(set(seen)), 'record')} of this task, first at {when(moment)}; the store keeps a pseudonym only",
            facts={"records": len(set(seen))},
        )


_OPENED = frozenset({"teleport-session"})
"""Kinds of credentials that nobody is given: what a certificate opened, under an identifier by which its uses are known."""


@detection(
    "CRED-09",
    "New credential or privilege requested in mid-task",
    Severity.HIGH,
    needs=("credential issue or role change during a task", "scope before and after"),
    looks_for="a further credential issued to a task that already held one, or asked for in it, with a wider or another scope",
    limits="The first issuance of a task and a renewal with the same or a narrower scope are not escalation. Where no scope is logged, a "
    "second issuance of another kind or subject counts as another scope. A request is held against issuances by the identifier both "
    "carry; one without an identifier is not judged. A call that asks to leave its sandbox asks for no credential, nor is a Teleport session "
    "one: it is opened by a certificate that was held before.",
    examples=(
        example("a second credential asked for, and not given", True,
                chain(step("credential.issue", credential_events=(issue(1),)), events=(asking(20),)),
                with_credentials(credential())),
        example("asked for, and given", False, chain(events=(asking(0), asking(1, Phase.ISSUED))), with_credentials()),
        example("the first request of a task", False, chain(events=(asking(20),)), with_credentials()),
        example("a second, wider credential", True,
                chain(step("credential.issue", credential_events=(issue(1),)),
                      step("credential.issue", credential_events=(issue(20, id="cred-2"),))),
                with_credentials(credential(scope=("read",)), credential(id="cred-2", key="k2", scope=("read", "admin"), issued=at(20)))),
        example("the first issuance", False, chain(step("credential.issue", credential_events=(issue(1),))),
                with_credentials(credential(scope=("read",)))),
        example("a renewal with the same scope", False,
                chain(step("credential.issue", credential_events=(issue(1),)),
                      step("credential.renew", credential_events=(issue(20, id="cred-2"),))),
                with_credentials(credential(scope=("read",)), credential(id="cred-2", key="k2", scope=("read",), issued=at(20)))),
        example("a session on another host", False,
                chain(step("exec", credential_events=(issue(1),)), step("exec", credential_events=(issue(20, id="cred-2"),))),
                with_credentials(credential(kind="teleport-session", scope=("ada", "db-1")),
                                 credential(id="cred-2", key="k2", kind="teleport-session", scope=("ada", "web-1"), issued=at(20)))),
        example("a lease, and what the store had the cloud make for it", False,
                chain(step("credential.issue", credential_events=(issue(1), issue(2, id="cred-3")))), with_credentials(_LEASE, _MADE)),
        example("the first issuance of a sub-agent", False,
                chain(step("exec"), step("credential.issue", credential_events=(issue(20),)), parent="task-p", depth=1),
                with_credentials(credential(scope=("admin",), issued=at(20)))),
    ),
)  # fmt: skip
def mid_task(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    given: list[tuple[str, frozenset[str]]] = []
    made, told_of = leased(around), set[str]()
    for one, item in _issuances(task, around):
        credential = around.credentials.get(item.credential)
        if item.credential in made or any(lease.id == item.credential for lease in made.values()):
            lease = made[item.credential].id if item.credential in made else item.credential
            if lease in told_of and item.phase is Phase.ISSUED:
                continue
            told_of.add(lease)
        event = task.events.get(item.id)
        fact = event.credential if event is not None else None
        scope = frozenset((fact.scope if fact else ()) or (credential.scope if credential and item.phase is Phase.ISSUED else ()))
        told = credential or fact
        if told and told.kind in _OPENED:
            continue
        what = f"{told.issuer}/{told.kind}/{told.subject}" if told else item.point
        first = not given
        covered = any((scope <= before if scope and before else same == what) for same, before in given)
        before = len(given)
        if item.phase is not Phase.REQUESTED:
            given.append((what, scope))
        if first or covered:
            continue
        name = name_of(credential) if credential else (fact.kind if fact else "") or "a credential"
        unanswered = "; no record shows that it was given" if item.phase is Phase.REQUESTED else ""
        grew = f" with scope {', '.join(sorted(scope))}" if scope else ""
        yield Hit(
            anchor=credential.key if credential else item.id,
            step=one.id if one else "",
            at=item.at,
            evidence=(item.record, *(one.records if one else ())),
            why=f"{name}{grew} was {item.phase.value} at {when(item.at)}, after the task had already been issued {before}{unanswered}",
            facts={"credential": item.credential},
        )


def _issuances(task: TaskChain, around: Context) -> list[tuple[Step | None, Item]]:
    """Issuances to this task, each credential once, renewals, and requests that no issuance answers, in order of time.

    An issuer need not name the call.
    """
    placed = [(one, item) for one in task.steps for item in one.credential_events]
    known = {item.id for _, item in placed}
    asked = _unanswered(task)
    loose = [
        _loose(event, around) for id, event in task.events.items() if (event.phase in _GIVEN or id in asked) and id not in known
    ]
    found: dict[tuple[str, str], tuple[Step | None, Item]] = {}
    given: list[tuple[Step | None, Item]] = [*placed, *((None, item) for item in loose)]
    for one, item in sorted(given, key=lambda pair: (pair[1].at or 0, pair[1].id)):
        if item.phase in _GIVEN or item.id in asked:
            found.setdefault((item.credential or item.id, "" if item.phase is Phase.ISSUED else item.id), (one, item))
    return list(found.values())


def _unanswered(task: TaskChain) -> set[str]:
    """Requests for a credential that carry an identifier which no issuance or renewal of the task carries."""
    told = [e for e in task.events.values() if e.kind is EventKind.CREDENTIAL and e.phase in (*_GIVEN, Phase.REQUESTED)]
    names = {e.id: {key.name for key in e.keys if key.role is KeyRole.CALL} for e in told}
    answered = {name for e in told if e.phase is not Phase.REQUESTED for name in names[e.id]}
    return {e.id for e in told if e.phase is Phase.REQUESTED and names[e.id] and not names[e.id] & answered}


def _loose(event: Event, around: Context) -> Item:
    names = {key.name for key in event.keys if key.role is KeyRole.CREDENTIAL}
    credential = next((c.id for c in around.credentials.values() if c.issued_event == event.id or c.key in names), "")
    return Item(event.id, event.record, event.phase, event.vantage, event.point, event.at, credential=credential)
