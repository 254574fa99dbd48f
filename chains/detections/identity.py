"""IDN: who acted, with whose credential, and how far that is proven."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from chains.context import Context
from chains.detections.examples import at, chain, credential, example, step, use, with_credentials
from chains.detections.reading import when
from chains.detections.registry import Hit, Unjudged, detection
from lang.counted import count
from model.chain import Credential, TaskChain
from model.event import CredentialFact, Event, Key, Principal
from model.words import EventKind, KeyRole, Phase, Severity, Tri, Vantage, Verb

_NOBODY = re.compile(
    r"^(?:system:)?(?:anonymous|unauthenticated)(?:[_ -]?(?:user|principal|access))?$|^allusers$|^-$|^nobody$", re.I
)
_ANSWERABLE = frozenset({
    Verb.REPO_WRITE, Verb.REPO_MERGE, Verb.PR_OPEN, Verb.PR_MERGE, Verb.PACKAGE_PUBLISH, Verb.SECRET_READ, Verb.SECRET_WRITE,
    Verb.CREDENTIAL_ISSUE, Verb.CLOUD_CALL, Verb.CLUSTER_CALL, Verb.CI_RUN, Verb.CI_MODIFY, Verb.TICKET_OPEN, Verb.TICKET_UPDATE,
    Verb.DB_QUERY, Verb.GUARDRAIL_CHANGE, Verb.FILE_WRITE, Verb.FILE_DELETE, Verb.MCP_CALL,
})  # fmt: skip
_MACHINES = frozenset({"workload", "agent", "service"})
_PERSONAL = re.compile(r"personal|\bpat\b|password|console|\bsso\b|browser|cookie|user[ _-]?(?:session|key)|ssh key", re.I)
_APP = re.compile(r"app\b.*\btoken|server|installation|oidc|federat|svid|workload|instance", re.I)
_BROWSER = re.compile(
    r"^Mozilla/|^\[?S3Console|signin\.(?:\w+\.)?amazonaws\.com|console\.(?:\w+\.)?amazonaws\.com|AWS Internal Console", re.I
)
_WEAK = frozenset({"static key", "password", "none"})
_STRONG = frozenset({"oidc", "spiffe", "attested", "certificate", "session"})
_STATIC = re.compile(
    r"(?:access|api|deploy|service[ _-]?account|account|static)[ ._-]?key|personal access token|\bpat\b|basic|password|approle",
    re.I,
)


def _event(phase: str, who: Principal | None, *keys: Key, kind: str = "credential", seconds: float = 5, **more: Any) -> Event:
    return Event(
        EventKind(kind), Phase(phase), Vantage(more.pop("vantage", "target")), more.pop("point", "vault"), id=f"ev-{phase}-{seconds}",
        record=f"rec-{phase}-{seconds}", at=at(seconds), principal=who, keys=keys, verb=Verb(more.pop("verb", "secret.read")), **more,
    )  # fmt: skip


_KEY = Key(KeyRole.CREDENTIAL, "vault.accessor", "a1")
_BOT, _DANA = Principal("svc-deploy", "workload"), Principal("dana@acme.example", "human")


def _of_agent(*events: Event) -> Callable[[], TaskChain]:
    return chain(step("secret.read", tool="yes", effects=()), events=events, agent="claude-code", vantages=("agent", "target"))


@detection(
    "IDN-01",
    "Anonymous or unattributed action",
    Severity.HIGH,
    needs=("principal, agent, delegating user and workload identity fields",),
    looks_for="an action that a decider or target logged as anonymous and let pass, or one that a target logged with nobody's name while "
    "nothing else of the task names anybody either",
    limits="Whoever the agent's own log leaves unnamed is unknown, not anonymous: a transcript alone cannot be judged. Reading what is public "
    "is not counted. One finding for each enforcement point.",
    examples=(
        example("an anonymous caller read a secret", True, _of_agent(_event("observed", Principal("system:anonymous"), kind="effect"))),
        example("and was refused", False,
                _of_agent(_event("observed", Principal("system:anonymous"), kind="effect", attrs={"status": "403"}))),
        example("the target names nobody, nor does anything else", True, _of_agent(_event("observed", None, kind="effect"))),
        example("the target names nobody, the decider does", False,
                _of_agent(_event("observed", None, kind="effect"), _event("verdict", _DANA, kind="decision", vantage="enforcer"))),
        example("an anonymous clone of what is public", False,
                _of_agent(_event("observed", Principal("anonymous"), kind="effect", verb="repo.read"))),
        example("only the transcript is at hand", False, chain(step("exec", tool="yes"), agent="claude-code", vantages=("agent",))),
    ),
)  # fmt: skip
def anonymous(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    named = any(
        e.principal is not None and e.principal.name and not _NOBODY.match(e.principal.name) for e in task.events.values()
    )
    agents = _agents(task)
    found: dict[str, list[Event]] = {}
    for event in task.events.values():
        if (
            event.verb not in _ANSWERABLE
            or event.kind is not EventKind.EFFECT
            or event.vantage is Vantage.AGENT
            or _failed(event)
        ):
            continue
        who = event.principal.name if event.principal is not None else ""
        if _NOBODY.match(who) or (not who and not named and agents and event.vantage is Vantage.TARGET):
            found.setdefault(event.point, []).append(event)
    for point, events in sorted(found.items()):
        first = min(events, key=lambda e: (e.at is None, e.at or 0, e.id))
        who = f"as {first.principal.name}" if first.principal is not None and first.principal.name else "with nobody's name"
        yield Hit(
            anchor=f"identity:{point}",
            step=_step(task, first.record),
            at=first.at,
            evidence=[e.record for e in events[:20]],
            why=f"{point} logged {len(events)} actions {who} and let them pass, the first at {when(first.at)} ({first.verb.value} on "
            f"{first.target.name or 'an unknown target'}); nothing binds them to a person or workload",
            facts={"point": point, "actions": len(events)},
        )
    if not found and not named and not task.task.principal:
        yield Unjudged("a principal in any record")


def _failed(event: Event) -> bool:
    refused_by = str(event.attrs.get("status") or "") in ("401", "403")
    return refused_by or (
        event.outcome is not None and (event.outcome.effect is Tri.NO or event.outcome.permitted.value == "deny")
    )


def _step(task: TaskChain, record: str) -> str:
    return next((one.id for one in task.steps if record in one.records), "")


@detection(
    "IDN-02",
    "Personal (human) credential used by an agent",
    Severity.HIGH,
    version=2,
    needs=("credential owner type", "actor type"),
    looks_for="an agent's task that used a person's own credential: a personal access token, a login session, a key of a person's account",
    limits="A credential that was issued to the task itself, or to another agent's (CRED-07), or that a workload's token was exchanged for, is delegation "
    "and not counted; so is an application's token that acts for a person. Whose a credential is, is told by its kind, by the log that saw it used, or by `kind` in the organisation file.",
    examples=(
        example("a personal access token", True, _of_agent(_event("used", _DANA, _KEY)),
                with_credentials(credential(kind="Personal access token (classic)", issued_task="", issued_event="", use_list=(use(5),)))),
        example("a workload's token", False, _of_agent(_event("used", _BOT, _KEY)),
                with_credentials(credential(kind="vault token", issued_task="", issued_event="", use_list=(use(5),)))),
        example("a login session the log calls a person's", True, _of_agent(_event("used", _DANA, _KEY)),
                with_credentials(credential(kind="aws.session", issued_task="", issued_event="", use_list=(use(5),)))),
        example("issued to this very task", False, _of_agent(_event("used", _DANA, _KEY)), with_credentials(credential(use_list=(use(5),)))),
        example("issued to another agent's task", False, _of_agent(_event("used", _DANA, _KEY)),
                with_credentials(credential(issued_task="task-a", issued_agent="codex", use_list=(use(5),)))),
        example("an application's token that acts for the person", False, _of_agent(_event("used", _DANA, _KEY)),
                with_credentials(credential(kind="GitHub App user-to-server token", issued_task="", issued_event="", use_list=(use(5),)))),
        example("a person's session without an agent", False, chain(step("secret.read"), events=(_event("used", _DANA, _KEY),), vantages=("target",)),
                with_credentials(credential(kind="aws.session", issued_task="", issued_event="", use_list=(use(5),)))),
    ),
)  # fmt: skip
def personal(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    if not _agents(task):
        return
    for one, events in _used(task, around):
        if one.issued_task == task.task.id or one.issued_task in around.relatives or one.issued_agent:
            continue
        owner = _owner(one, events, around)
        kind = one.kind or ""
        app = bool(_APP.search(kind))
        if not owner and not _PERSONAL.search(kind) and not app:
            yield Unjudged("whether a credential is a person's or a workload's")
            continue
        if app or owner in _MACHINES or not (owner == "human" or _PERSONAL.search(kind)):
            continue
        who = one.subject or next((e.principal.name for e in events if e.principal is not None), "")
        yield Hit(
            anchor=one.key,
            step=_step(task, events[0].record),
            at=events[0].at,
            evidence=[e.record for e in events[:20]],
            why=f"{task.task.agent or 'an agent'} used {kind or 'a credential'} {one.id}{f' of {who}' if who else ''}, a person's own, "
            f"{count(len(events), 'time')}, first at {when(events[0].at)} ({events[0].point}); the trail names the person, not the agent",
            facts={"credential": one.id, "owner": who},
        )


def _agents(task: TaskChain) -> bool:
    return bool(task.task.agent) or Vantage.AGENT.value in task.task.vantages


def _used(task: TaskChain, around: Context) -> Iterator[tuple[Credential, list[Event]]]:
    """Credentials the task used or obtained others with, each with the records of that use that are at hand, in order of time."""
    uses: dict[str, list[Event]] = {}
    for event in task.events.values():
        if event.phase in (Phase.USED, Phase.RENEWED):
            for key in event.keys:
                if key.role is KeyRole.CREDENTIAL:
                    uses.setdefault(key.name, []).append(event)
    for _, one in sorted(around.credentials.items()):
        names = {one.key, *(k.name for e in uses.get(one.key, ()) for k in e.keys if k.role is KeyRole.CREDENTIAL)}
        records = {u.event for u in one.use_list if u.task == task.task.id}
        found = {e.id: e for name in names for e in uses.get(name, ())} | {
            id: task.events[id] for id in records if id in task.events
        }
        if found:
            yield one, sorted(found.values(), key=lambda e: (e.at is None, e.at or 0, e.id))


def _owner(one: Credential, events: list[Event], around: Context) -> str:
    """human, workload, agent or service: what the organisation says of its subject, else what the log that saw it used says."""
    stated = around.facts.kind(one.subject)
    told = [
        around.facts.kind(e.principal.name) or e.principal.kind
        for e in events
        if e.principal is not None and e.vantage is not Vantage.AGENT
    ]
    return stated or next((kind for kind in told if kind not in ("", "unknown")), "")


@detection(
    "IDN-03",
    "Agent (machine) identity used by a person",
    Severity.MEDIUM,
    needs=("actor type", "interactive marker", "credential owner type"),
    looks_for="a machine's identity, or a credential that was issued to the task of an agent, at work in a console, a browser or a terminal session of a person",
    limits="A person is told by what the log marks as interactive and by browsers' user agents; an agent that drives a browser looks the same. "
    "One finding for each identity.",
    examples=(
        example("the agent's role in the console", True,
                _of_agent(_event("observed", _BOT, kind="effect", attrs={"interactive": True}))),
        example("in a browser", True,
                _of_agent(_event("observed", _BOT, kind="effect", attrs={"user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}))),
        example("in a program", False, _of_agent(_event("observed", _BOT, kind="effect", attrs={"user_agent": "aws-cli/2.17"}))),
        example("a person's own identity in a browser", False, _of_agent(_event("observed", _DANA, kind="effect", attrs={"interactive": True}))),
        example("a credential of the task in a browser", True,
                _of_agent(_event("used", Principal("role/ops"), _KEY, attrs={"interactive": True})), with_credentials(credential(use_list=(use(5),)))),
    ),
)  # fmt: skip
def by_a_person(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    issued = {c.key: c for c in around.credentials.values() if c.issued_task == task.task.id}
    found: dict[str, list[Event]] = {}
    known = False
    for event in task.events.values():
        if (
            event.vantage is Vantage.AGENT
            or event.kind is EventKind.INTENT
            or event.principal is None
            or not event.principal.name
        ):
            continue
        agent = str(event.attrs.get("user_agent") or "")
        known |= bool(agent) or "interactive" in event.attrs
        if not (event.attrs.get("interactive") is True or _BROWSER.search(agent)):
            continue
        kind = around.facts.kind(event.principal.name) or event.principal.kind
        held = _agents(task) and any(k.name in issued for k in event.keys if k.role is KeyRole.CREDENTIAL)
        if kind in _MACHINES or (held and event.phase is Phase.USED):
            found.setdefault(around.facts.identity(event.principal.name), []).append(event)
    for who, events in sorted(found.items()):
        first = min(events, key=lambda e: (e.at is None, e.at or 0, e.id))
        how = str(first.attrs.get("user_agent") or "")[:80] or "an interactive session"
        yield Hit(
            anchor=f"identity:{who}",
            step=_step(task, first.record),
            at=first.at,
            evidence=[e.record for e in events[:20]],
            why=f"{who}, the identity of a machine or of this agent's task, was at work in {how} at {when(first.at)} ({first.point}): a person's hand",
            facts={"identity": who, "records": len(events)},
        )
    if not found and not known and any(e.vantage is Vantage.TARGET for e in task.events.values()):
        yield Unjudged("a mark of interactive use")


@detection(
    "IDN-04",
    "Weak or unattested workload identity",
    Severity.MEDIUM,
    needs=("issuer, subject, audience, attestation type of the agent's token",),
    looks_for="a machine's identity that an agent's task used and that rests on a static key, a password or nothing at all, instead of an "
    "OIDC token, a SPIFFE document or the attestation of the machine",
    limits="How an identity was proven is told by the log (`identity_proof`) or, failing that, by the credential's kind; a person's credential is "
    "IDN-02's concern, one without any word on it cannot be judged. What proved the identity that obtained another credential counts for both.",
    examples=(
        example("a service user's static key", True, _of_agent(_event("used", Principal("svc-deploy", "service"), _KEY, attrs={"identity_proof": "static key"})),
                with_credentials(credential(kind="aws.access_key", issued_task="", use_list=(use(5),)))),
        example("an OIDC token", False, _of_agent(_event("used", _BOT, _KEY, attrs={"identity_proof": "oidc"})),
                with_credentials(credential(kind="aws.session", use_list=(use(5),)))),
        example("an API key by its kind alone", True, _of_agent(_event("used", _BOT, _KEY, credential=CredentialFact("api key"))),
                with_credentials(credential(kind="api key", issued_task="", use_list=(use(5),)))),
        example("a person's key", False, _of_agent(_event("used", _DANA, _KEY, attrs={"identity_proof": "static key"})),
                with_credentials(credential(kind="aws.access_key", issued_task="", use_list=(use(5),)))),
        example("nothing says how", False, _of_agent(_event("used", _BOT, _KEY)), with_credentials(credential(kind="token", use_list=(use(5),)))),
    ),
)  # fmt: skip
def weak_identity(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    if not _agents(task):
        return
    proven: dict[str, list[Event]] = {}
    for event in task.events.values():
        if event.attrs.get("identity_proof"):
            for key in event.keys:
                if key.role in (KeyRole.CREDENTIAL, KeyRole.VIA):
                    proven.setdefault(key.name, []).append(event)
    for one, events in _used(task, around):
        owner = _owner(one, events, around)
        if owner == "human":
            continue
        told = proven.get(one.key, [])
        proofs = {str(e.attrs["identity_proof"]).casefold() for e in told}
        weak = sorted(proofs & _WEAK) or (["static key"] if not proofs and _STATIC.search(one.kind.replace(".", " ")) else [])
        if proofs & _STRONG or not weak or (owner not in _MACHINES and not proofs and one.ttl_seconds != -1):
            if not proofs and not weak:
                yield Unjudged("how the workload identity was proven")
            continue
        if owner not in _MACHINES:
            yield Unjudged("whether a credential is a person's or a workload's")
            continue
        who = one.subject or next((e.principal.name for e in events if e.principal is not None), "")
        yield Hit(
            anchor=one.key,
            step=_step(task, events[0].record),
            at=events[0].at,
            evidence=[*(e.record for e in told[:5]), *(e.record for e in events[:20])],
            why=f"{who or 'a workload'} was known by {' and '.join(weak)} only ({one.kind or 'credential'} {one.id}), used {count(len(events), 'time')}, first at "
            f"{when(events[0].at)} ({events[0].point}): whoever holds it is the workload",
            facts={"credential": one.id, "proof": ", ".join(weak)},
        )
