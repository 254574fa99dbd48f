"""What agents go out for: credentials, secrets, pushes and pull requests."""

from __future__ import annotations

from typing import Unpack

from samplegen import cloudtrail, github, neutral, vault
from samplegen.records import Json, Record
from samplegen.session import Call, Ruling, Session
from samplegen.world import Person, Repo


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
