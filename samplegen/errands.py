"""What agents go out for: credentials, secrets, pushes, pull requests, tickets, packages, and the jobs that follow."""

from __future__ import annotations

from typing import Unpack

from samplegen import cloudtrail, github, neutral, vault
from samplegen.moments import MINUTE, SECOND
from samplegen.records import Json, Record
from samplegen.session import Call, Effect, Ruling, Session
from samplegen.world import REGISTRY, Person, Repo


def actor(who: Person) -> github.Actor:
    return github.Actor(who.login, who.github_id, who.address)


def scopes_of(s: Session, call: str = "") -> tuple[neutral.Key, ...]:
    """The keys under which the gateway knows a session and, where it is given, a call."""
    named = (neutral.key("scope", "session", s.session),)
    return (*named, neutral.key("call", "call", call)) if call else named


# the broker behind the MCP gateway


def broker_token(s: Session, scopes: tuple[str, ...], *, seconds: int = 3600, phase: str = "issued") -> tuple[Call, github.Token]:
    """Ask the gateway's broker for an installation token; only its digest is logged."""
    token = github.new_token(s.scene)

    def issue(at: int, call: str) -> Record:
        made = neutral.event(
            s.scene,
            "gateway",
            at,
            "credential",
            phase,
            "enforcer",
            (*scopes_of(s, call), neutral.key("credential", "hashed_token", token.hashed)),
            task=s.task,
            step=call,
            by="call",
            principal=neutral.principal(s.who.email, "human"),
            verb="credential.issue" if phase == "issued" else "credential.renew",
            target=neutral.target("repository", s.repo.slug),
            credential={
                "kind": "github-app-token",
                "issuer": "token-broker",
                "subject": s.who.email,
                "scope": list(scopes),
                "ttl_seconds": seconds,
            },
        )
        token.issue_record = made
        return made

    call = s.run(
        f"hl-token issue --repo {s.repo.slug} --scope {','.join(scopes)}",
        f"token for {s.repo.slug} stored in the credential helper\n",
        seconds=1.6,
        effects=(issue,),
    )
    made = call.effects[0]
    assert isinstance(made, Record)
    s.scene.tie(call.record, made, "call", f"call:{call.id}")
    return call, token


def push(
    s: Session, branch: str, token: github.Token | None, *, repo: Repo | None = None, flags: str = "", **how: Unpack[Ruling]
) -> Call:
    repo = repo or s.repo
    made: list[Record] = []

    def pushed(at: int, call: str) -> None:
        made.append(github.git(s.scene, at, "git.push", actor(s.who), repo, token=token, task=s.task, step=call))

    where = "" if repo is s.repo else f"cd ../{repo.name} && "
    old, new = s.scene.ids.hex(7), s.scene.ids.hex(7)
    return s.run(
        f"{where}git push {flags}origin {branch}",
        f"To github.com:{repo.slug}.git\n   {old}..{new}  {branch} -> {branch}\n",
        seconds=3.1,
        effects=(pushed,),
        **how,
    )


def pull_request(s: Session, title: str, token: github.Token, *, repo: Repo | None = None) -> tuple[Call, int]:
    """Open a pull request; gives its number too."""
    repo = repo or s.repo
    number = s.scene.number()

    def opened(at: int, call: str) -> Record:
        return github.pull_request(s.scene, at, actor(s.who), repo, number, title, token=token, task=s.task, step=call)

    where = "" if repo is s.repo else f" --repo {repo.slug}"
    call = s.run(
        f"gh pr create{where} --title '{title}' --fill",
        f"https://github.com/{repo.slug}/pull/{number}\n",
        seconds=3.4,
        effects=(opened,),
    )
    return call, number


# the cloud


def take_role(s: Session, account: str, role: str, *, named: bool = True, seconds: int = 3600) -> cloudtrail.RoleSession:
    """Assume a role with the machine's web identity; `named` puts the session id into the role session name."""

    def assume(at: int, call: str) -> cloudtrail.RoleSession:
        return cloudtrail.assume(
            s.scene,
            at,
            account,
            role,
            cloudtrail.web_identity(account, s.who.email),
            name=f"agent-{s.session}" if named else s.who.name,
            session=s.session if named else "",
            seconds=seconds,
            address=s.who.address,
            task=s.task,
            step=call,
            opening=s.opening,
        )

    call = s.run(f"hl-aws login --role {role} --account {account}", f"assumed {role}\n", seconds=2.2, effects=(assume,))
    got = call.effects[0]
    assert isinstance(got, cloudtrail.RoleSession)
    return got


def aws(
    s: Session,
    role: cloudtrail.RoleSession,
    command: str,
    output: str,
    service: str,
    name: str,
    parameters: Json,
    *,
    read_only: bool = False,
) -> Call:
    def called(at: int, call: str) -> Record:
        return cloudtrail.call(
            s.scene,
            at,
            role,
            service,
            name,
            address=s.who.address,
            read_only=read_only,
            parameters=parameters,
            task=s.task,
            step=call,
            opening=s.opening,
        )

    return s.run(command, output, seconds=2.8, effects=(called,))


# the secret store


def vault_login(s: Session, role: str, *, named: bool = True, ttl: int = 1800) -> vault.Lease:
    def login(at: int, call: str) -> vault.Lease:
        return vault.login(
            s.scene,
            at,
            user=s.who.email,
            role=role,
            session=s.session if named else "",
            ttl=ttl,
            address=s.who.address,
            task=s.task,
            step=call,
            opening=s.opening,
        )

    call = s.run(f"vault login -method=jwt -no-print role={role}", "", seconds=1.4, effects=(login,))
    got = call.effects[0]
    assert isinstance(got, vault.Lease)
    return got


def vault_read(s: Session, lease: vault.Lease, path: str) -> Call:
    """Read a secret into a file, so that its value is shown nowhere."""
    mount, _, rest = path.partition("/")

    def read(at: int, call: str) -> object:
        return vault.use(
            s.scene,
            at,
            lease,
            "read",
            f"{mount}/data/{rest}",
            task=s.task,
            step=call,
            opening=s.opening,
            answer=vault.secret_values(s.scene, ("password", "username")),
        )

    return s.run(f"vault kv get -format=json {path} > .secrets.json", "", seconds=1.3, effects=(read,))


def vault_renew(s: Session, lease: vault.Lease) -> Call:
    def renew(at: int, call: str) -> object:
        data: Json = {"increment": s.scene.ids.hashed("increment")}
        return vault.use(
            s.scene, at, lease, "update", "auth/token/renew-self", task=s.task, step=call, opening=s.opening, data=data
        )

    return s.run("vault token renew -format=json > /dev/null", "", seconds=1.1, effects=(renew,))


def vault_revoke(s: Session, lease: vault.Lease) -> Call:
    def revoke(at: int, call: str) -> object:
        return vault.use(s.scene, at, lease, "update", "auth/token/revoke-self", task=s.task, step=call, opening=s.opening)

    return s.run("vault token revoke -self", "Success! Revoked token (if it existed)\n", seconds=1.0, effects=(revoke,))


# MCP servers behind the gateway


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


def broker_role(
    s: Session, account: str, role: str, scopes: tuple[str, ...], *, seconds: int = 1800
) -> tuple[Call, cloudtrail.RoleSession, Record]:
    """Ask the gateway's broker for a role's keys: the gateway names the call, the cloud knows only the broker; gives the gateway's record too."""

    brokered: list[Record] = []

    def issue(at: int, call: str) -> cloudtrail.RoleSession:
        got = cloudtrail.assume(
            s.scene,
            at,
            account,
            role,
            cloudtrail.web_identity(account, "svc-credential-broker"),
            name=f"broker-{s.scene.ids.hex(8)}",
            session="",
            seconds=seconds,
            address="10.20.4.31",
            task=s.task,
            step=call,
            opening=None,
            by="credential",
        )
        logged = neutral.event(
            s.scene,
            "gateway",
            at + 350_000,
            "credential",
            "issued",
            "enforcer",
            (*scopes_of(s, call), neutral.key("credential", "aws.key", got.key)),
            task=s.task,
            step=call,
            by="call",
            principal=neutral.principal(s.who.email, "human"),
            verb="credential.issue",
            target=neutral.target("cloud", role),
            credential={
                "kind": "aws-session",
                "issuer": "credential-broker",
                "subject": s.who.email,
                "scope": list(scopes),
                "ttl_seconds": seconds,
            },
        )
        assert got.issue_record is not None
        s.scene.bundle.link(got.issue_record, logged, "derived", "credential", f"aws.key:{got.key}")
        brokered.append(logged)
        return got

    call = s.run(f"hl-broker role {role} --for {scopes[-1]}", f"{role} ready for 30 minutes\n", seconds=2.0, effects=(issue,))
    got = call.effects[0]
    assert isinstance(got, cloudtrail.RoleSession)
    s.scene.tie(call.record, brokered[0], "call", f"call:{call.id}")
    return call, got, brokered[0]
