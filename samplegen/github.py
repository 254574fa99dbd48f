"""GitHub's organisation audit log, streamed as JSON lines."""

from __future__ import annotations

from dataclasses import dataclass

from samplegen.ids import hashed_token
from samplegen.moments import iso_millis
from samplegen.records import Json, Record
from samplegen.scene import Scene
from samplegen.world import BUSINESS, BUSINESS_ID, ORG, ORG_ID, Repo

LOG = "github-audit"


@dataclass(slots=True)
class Token:
    """An installation token; `issue_record` is where somebody logged its issuance or showed it."""

    value: str
    number: int
    issue_record: Record | None = None

    @property
    def hashed(self) -> str:
        return hashed_token(self.value)


@dataclass(frozen=True, slots=True)
class Actor:
    login: str
    id: int
    address: str
    bot: bool = False


def new_token(scene: Scene) -> Token:
    return Token(scene.ids.app_token(), scene.ids.number(10))


def _base(scene: Scene, at: int, action: str, actor: Actor, repo: Repo, token: Token | None) -> Json:
    shown = scene.clock("github", at) // 1000
    made: Json = {
        "@timestamp": shown,
        "_document_id": scene.ids.document(),
        "action": action,
        "actor": actor.login,
        "actor_id": actor.id,
        "actor_ip": actor.address,
        "actor_is_bot": actor.bot,
        "actor_location": {"country_code": "SE"},
        "business": BUSINESS,
        "business_id": BUSINESS_ID,
        "created_at": shown,
        "org": ORG,
        "org_id": ORG_ID,
        "repo": repo.slug,
        "repo_id": repo.number,
    }
    if token is not None:
        made["hashed_token"] = token.hashed
        made["programmatic_access_type"] = "GitHub App server-to-server token"
        made["token_id"] = token.number
    return made


def _place(
    scene: Scene,
    at: int,
    data: Json,
    token: Token | None,
    task: str | None,
    step: str | None,
) -> Record:
    by = "none" if task is None else "credential" if token is not None and token.issue_record is not None else "inference"
    made = scene.record("github", LOG, at, data, task, step, by)
    if token is not None and token.issue_record is not None:
        scene.bundle.link(token.issue_record, made, "derived", "credential", f"token:{token.hashed}")
    return made


def git(
    scene: Scene,
    at: int,
    action: str,
    actor: Actor,
    repo: Repo,
    *,
    token: Token | None = None,
    task: str | None = None,
    step: str | None = None,
) -> Record:
    """`git.push`, `git.clone` or `git.fetch`: no commit in it, as in life."""
    data = _base(scene, at, action, actor, repo, token)
    del data["created_at"]
    http = token is not None
    data |= {
        "repository": repo.slug,
        "repository_public": False,
        "transport_protocol": 1 if http else 2,
        "transport_protocol_name": "http" if http else "ssh",
        "user": "",
        "user_agent": "git/2.43.0",
        "user_id": 0,
    }
    return _place(scene, at, data, token, task, step)


def pull_request(
    scene: Scene,
    at: int,
    actor: Actor,
    repo: Repo,
    number: int,
    title: str,
    *,
    action: str = "pull_request.create",
    token: Token | None = None,
    task: str | None = None,
    step: str | None = None,
) -> Record:
    data = _base(scene, at, action, actor, repo, token)
    data |= {
        "operation_type": "create" if action.endswith("create") else "modify",
        "public_repo": False,
        "pull_request_id": 2_400_000_000 + repo.number + number,
        "pull_request_title": title,
        "pull_request_url": f"https://github.com/{repo.slug}/pull/{number}",
        "user_agent": "GitHub CLI 2.62.0",
    }
    return _place(scene, at, data, token, task, step)


def workflow_run(
    scene: Scene,
    at: int,
    repo: Repo,
    *,
    name: str,
    run: int,
    sha: str,
    branch: str,
    started: int,
    conclusion: str = "",
    task: str | None,
    job: Record | None,
) -> Record:
    """A run beginning, or ended where `conclusion` is given."""
    actor = Actor("github-actions[bot]", 41898282, "192.0.2.15", True)
    action = "workflows.completed_workflow_run" if conclusion else "workflows.created_workflow_run"
    data = _base(scene, at, action, actor, repo, None)
    data |= {
        "event": "push",
        "head_branch": branch,
        "head_sha": sha,
        "name": name,
        "operation_type": "modify" if conclusion else "create",
        "public_repo": False,
        "run_attempt": 1,
        "run_number": run % 1000,
        "started_at": iso_millis(started),
        "workflow_id": 5_100_000 + repo.number,
        "workflow_run_id": run,
    }
    if conclusion:
        data |= {"completed_at": iso_millis(at), "conclusion": conclusion}
    made = scene.record("github", LOG, at, data, task, None, "scope")
    if job is not None and task is not None:
        scene.bundle.link(job, made, "exact", "scope", task)
    return made


def organisation(scene: Scene, at: int, action: str, actor: Actor, repo: Repo) -> Record:
    """A record of people's own work, which no task claims."""
    data = _base(scene, at, action, actor, repo, None)
    data |= {"operation_type": "modify", "public_repo": False}
    return scene.record("github", LOG, at, data)
