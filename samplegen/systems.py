"""The systems agents reach through others: MCP servers behind the gateway, tickets, packages, and the jobs that follow a push."""

from __future__ import annotations

from typing import Unpack

from samplegen import cloudtrail, github, neutral
from samplegen.errands import scopes_of
from samplegen.moments import MINUTE, SECOND
from samplegen.records import Json, Record
from samplegen.session import Call, Effect, Session
from samplegen.world import REGISTRY, Person


def through_gateway(
    s: Session,
    server: str,
    tool: str,
    given: Json,
    answer: str,
    verb: str,
    on: Json,
    *,
    effects: tuple[Effect, ...] = (),
    credential: github.Token | None = None,
    allowed: bool = True,
    request: str = "",
) -> Call:
    """An MCP call: the gateway decides and forwards it, and names the session and the call."""
    made: list[Record] = []

    def decided(at: int, call: str) -> Record:
        keys = scopes_of(s, call)
        if request:
            keys = (*keys, neutral.key("call", "request", request))
        record = neutral.event(
            s.scene,
            "gateway",
            at,
            "decision",
            "verdict",
            "enforcer",
            keys,
            task=s.task,
            step=call,
            by="call",
            principal=neutral.principal(s.who.email, "human"),
            verb=verb,
            tool=f"mcp__{server}__{tool}",
            target=on,
            decision={"effect": "allow" if allowed else "deny", "rule": f"server-{server}", "policy": "mcp-gateway-7"},
            attrs={"mcp_server": server},
        )
        made.append(record)
        if credential is not None:
            used = neutral.event(
                s.scene,
                "gateway",
                at + 3_000,
                "credential",
                "used",
                "enforcer",
                (*scopes_of(s, call), neutral.key("credential", "hashed_token", credential.hashed)),
                task=s.task,
                step=call,
                by="call",
                principal=neutral.principal(s.who.email, "human"),
                target=on,
                credential={"kind": "github-app-token", "issuer": "token-broker"},
            )
            made.append(used)
            if credential.issue_record is not None:
                s.scene.bundle.link(credential.issue_record, used, "derived", "credential", f"token:{credential.hashed}")
        return record

    call = s.mcp(server, tool, given, answer, seconds=1.8, effects=(decided, *effects))
    for record in made:
        s.scene.tie(call.record, record, "call", f"call:{call.id}")
    return call


def ticket_update(s: Session, ticket: str, words: str, *, clock: int = 0) -> tuple[Call, Record]:
    """Move a ticket through the gateway; the ticket system logs the gateway's request id, by a clock that may be off."""
    request = s.scene.ids.uuid()
    seen: list[Record] = []

    def updated(at: int, call: str) -> None:
        seen.append(
            neutral.event(
                s.scene,
                "ticketing",
                at + clock,
                "effect",
                "observed",
                "target",
                (neutral.key("call", "request", request), neutral.key("reference", "ticket", ticket)),
                task=s.task,
                step=call,
                by="request",
                principal=neutral.principal("svc-mcp-gateway", "service"),
                verb="ticket.update",
                target=neutral.target("ticketing", ticket),
                outcome={"effect": "yes"},
            )
        )

    call = through_gateway(
        s,
        "tickets",
        "update_ticket",
        {"id": ticket, "comment": words},
        f"{ticket} updated",
        "ticket.update",
        neutral.target("ticketing", ticket),
        effects=(updated,),
        request=request,
    )
    gateway = next(r for r in reversed(s.scene.bundle.records) if r.source == "gateway" and r.step == call.id)
    s.scene.bundle.link(gateway, seen[0], "exact", "request", f"request:{request}")
    return call, seen[0]


def ticket_created(s: Session, ticket: str, title: str, at: int, by: Person) -> Record:
    """A person opened the ticket before the task; the task names it."""
    made = neutral.event(
        s.scene,
        "ticketing",
        at,
        "intent",
        "ticket",
        "target",
        (neutral.key("reference", "ticket", ticket),),
        task=s.task,
        by="reference",
        principal=neutral.principal(by.email, "human"),
        verb="ticket.open",
        target=neutral.target("ticketing", ticket),
        text=title,
    )
    s.scene.bundle.link(s.prompted, made, "derived", "reference", f"ticket:{ticket}")
    return made


def install(s: Session, command: str, package: str, version: str) -> Call:
    """Install a package from the organisation's own registry."""

    def served(at: int, call: str) -> Record:
        return neutral.event(
            s.scene,
            "registry",
            at,
            "effect",
            "observed",
            "target",
            (),
            task=s.task,
            step=call,
            by="inference",
            principal=neutral.principal(s.who.email, "human"),
            verb="package.install",
            target=neutral.target("package_registry", REGISTRY, f"{package}@{version}"),
            outcome={"effect": "yes"},
            attrs={"host": s.who.address},
        )

    return s.run(command, f"added {package}@{version} from {REGISTRY}\n", seconds=6.2, effects=(served,))


def ci_run(
    s: Session,
    after: int,
    workflow: str,
    branch: str,
    *,
    publishes: str = "",
    deploys: str = "",
    pull: tuple[Call, int] | None = None,
) -> str:
    """The workflow run that follows a push: a task of its own, with the CI system's and GitHub's records.

    A run for a pull request names it, and so is the child of the task that opened it.
    """
    scene, repo = s.scene, s.repo
    run = 7_400_000_000 + scene.ids.random.randrange(10**8)
    scope = f"github-actions:{repo.slug}:{run}"
    task = f"ci.job:{scope}"
    sha = scene.ids.hex(40)
    parent: Json = {"parent": s.task, "parent_step": pull[0].id} if pull else {}
    scene.bundle.tasks.append(
        {
            "scope": task,
            "story": scene.bundle.story,
            "file": "ci-events.ndjson",
            "agent": "",
            "principal": "github-actions[bot]",
            "repository": repo.slug,
            **parent,
        }
    )
    keys: tuple[neutral.Key, ...] = (neutral.key("scope", "ci.job", scope), neutral.key("reference", "commit", sha))
    if pull:
        keys = (*keys, neutral.key("reference", "pr", f"{repo.slug}#{pull[1]}"))
    bot = neutral.principal("github-actions[bot]", "workload")

    def say(at: int, kind: str, phase: str, more: tuple[neutral.Key, ...] = (), **facts: Unpack[neutral.Facts]) -> Record:
        return neutral.event(scene, "ci", at, kind, phase, "target", (*keys, *more), task=task, by="job", **facts)

    where = neutral.target("ci_cd", repo.slug, workflow)
    started = say(
        after,
        "action",
        "started",
        principal=bot,
        verb="ci.run",
        target=where,
        attrs={"branch": branch, "sha": sha, "origin": "ci"},
    )
    if pull:
        opened = pull[0].effects[0]
        assert isinstance(opened, Record)
        scene.bundle.link(opened, started, "derived", "reference", f"pr:{repo.slug}#{pull[1]}")
        scene.bundle.related.append((pull[0].result, started, f"pr:{repo.slug}#{pull[1]}"))
        scene.bundle.near("DEL-01", s.task, pull[0].id, "a CI run is no sub-agent")
    github.workflow_run(
        scene, after + 400_000, repo, name=workflow, run=run, sha=sha, branch=branch, started=after, task=task, job=started
    )
    t = after + 40 * SECOND
    if publishes:
        made = neutral.event(
            scene,
            "registry",
            t,
            "effect",
            "observed",
            "target",
            (neutral.key("scope", "ci.job", scope),),
            task=task,
            by="job",
            principal=bot,
            verb="package.publish",
            target=neutral.target("package_registry", REGISTRY, publishes),
            outcome={"effect": "yes"},
        )
        scene.bundle.link(started, made, "exact", "scope", task)
        t += 10 * SECOND
    if deploys:
        role = cloudtrail.assume(
            scene,
            t,
            deploys,
            f"{repo.system}-ci-deploy",
            cloudtrail.web_identity(deploys, f"repo:{repo.slug}:ref:refs/heads/{branch}", "token.actions.githubusercontent.com"),
            name="GitHubActions",
            session="",
            seconds=900,
            address="192.0.2.15",
            task=task,
            step=None,
            opening=None,
            by="credential",
        )
        logged = say(
            t + 300_000,
            "credential",
            "issued",
            (neutral.key("credential", "aws.key", role.key),),
            principal=bot,
            credential={
                "kind": "aws-session",
                "issuer": "sts",
                "subject": f"repo:{repo.slug}:ref:refs/heads/{branch}",
                "scope": [role.role],
                "ttl_seconds": 900,
            },
        )
        assert role.issue_record is not None
        scene.bundle.link(role.issue_record, logged, "derived", "credential", f"aws.key:{role.key}")
        scene.bundle.link(started, logged, "exact", "scope", task)
        cloudtrail.call(
            scene,
            t + 20 * SECOND,
            role,
            "ecs",
            "UpdateService",
            address="192.0.2.15",
            parameters={"cluster": repo.system, "service": repo.name, "forceNewDeployment": True},
            task=task,
            step=None,
        )
        t += 50 * SECOND
    ended = t + 30 * SECOND
    github.workflow_run(
        scene,
        ended,
        repo,
        name=workflow,
        run=run,
        sha=sha,
        branch=branch,
        started=after,
        conclusion="success",
        task=task,
        job=started,
    )
    last = say(ended + SECOND, "action", "ended", principal=bot, verb="ci.run", target=where, outcome={"effect": "yes"})
    scene.bundle.link(started, last, "exact", "scope", task)
    return task


def earlier(s: Session) -> int:
    """A moment before the task, when its ticket was written."""
    return s.t - s.scene.ids.random.randrange(12, 45) * MINUTE
