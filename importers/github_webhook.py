"""GitHub webhook bodies: pushes with their commits, pull requests, workflow runs; the join from commit to task that the audit log lacks."""

from __future__ import annotations

from collections.abc import Sequence

from importers.fields import Json, clip, commit_id, first_moment, first_text, key, keys, mapping, moment, text
from lang.names import repository_name
from model.event import Attr, BadRecord, Event, Key, Outcome, Parsed, Principal, Target
from model.words import EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

_ZERO = "0" * 40
_BODIES = (
    "commits", "pull_request", "workflow_run", "workflow_job", "check_run", "check_suite", "issue", "comment", "review", "release",
    "deployment", "pusher", "pages", "forkee", "alert", "rule", "hook", "ref_type", "installation", "package", "registry_package",
)  # fmt: skip
MAX_COMMITS = 200


class GitHubWebhook:
    id = "github-webhook"
    title = "GitHub webhook bodies"
    evidence = "fixture"
    version = 1

    def sniff(self, sample: Sequence[object]) -> int:
        score = sum(1 for record in sample if is_webhook(record))
        return 75 if score and score * 2 > len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict) or not is_webhook(record):
            raise BadRecord(
                "no webhook body: it wants a repository or organization and one of commits, pull_request, workflow_run, ..."
            )
        return read_webhook(record)


def is_webhook(record: object) -> bool:
    """Whether a record is a webhook body: nested repository or organisation, and the part its kind of event is named for."""
    if not isinstance(record, dict):
        return False
    place = isinstance(record.get("repository"), dict) or isinstance(record.get("organization"), dict)
    action = record.get("action")
    dotted = isinstance(action, str) and "." in action
    return not dotted and place and (any(name in record for name in _BODIES) or isinstance(record.get("sender"), dict))


def read_webhook(record: Json) -> Parsed:
    """One effect per body; the delivery's own id is in a header and so not here, hence no identity."""
    repository = repository_name(text(mapping(record.get("repository")).get("full_name")))
    action = first_text(record, "action")
    kind = next((name for name in _BODIES if name in record and name != "pusher"), "sender")
    verb, target, found, words = _meaning(record, kind, action, repository)
    body = mapping(record.get(kind)) if kind not in ("commits",) else mapping(record.get("head_commit"))
    at, clock = first_moment(body, "updated_at", "completed_at", "submitted_at", "created_at", "timestamp", "run_started_at")
    if at is None:
        at, clock = moment(mapping(record.get("repository")).get("pushed_at"))
    org = repository.partition("/")[0] or first_text(mapping(record.get("organization")), "login")
    name = f"{kind}.{action}" if action else "push" if kind == "commits" else kind
    event = Event(
        EventKind.EFFECT,
        Phase.OBSERVED,
        Vantage.TARGET,
        f"github:{org.lower()}" if org else "github",
        at=at,
        clock=clock,
        principal=_principal(record, body),
        verb=verb,
        tool=name,
        target=target,
        text=clip(words or name, 400),
        keys=found,
        outcome=Outcome(effect=Tri.YES),
        attrs=_attrs(record, body, repository),
    )
    return Parsed([event], None, type=f"webhook {name}", at=at)


def _meaning(record: Json, kind: str, action: str, repository: str) -> tuple[Verb, Target, tuple[Key, ...], str]:
    branch = text(record.get("ref")).removeprefix("refs/heads/")
    place = Target(TargetClass.REPOSITORY, repository, clip(branch, 300))
    if kind == "commits":
        return Verb.REPO_WRITE, place, _push_keys(record), first_text(mapping(record.get("head_commit")), "message")
    if kind == "pull_request":
        pull = mapping(record.get("pull_request"))
        merged = action == "closed" and pull.get("merged") is True
        verb = Verb.PR_MERGE if merged else Verb.PR_OPEN if action in ("opened", "reopened") else Verb.UNKNOWN
        return verb, place, _pull_keys(pull, repository), first_text(pull, "title")
    if kind in ("review", "comment") and "pull_request" in record:
        return Verb.UNKNOWN, place, _pull_keys(mapping(record.get("pull_request")), repository), f"pull request {kind}"
    if kind in ("workflow_run", "workflow_job", "check_run", "check_suite"):
        run = mapping(record.get(kind))
        return (
            Verb.CI_RUN,
            Target(TargetClass.CI_CD, repository, clip(first_text(run, "name"), 200)),
            _run_keys(run, kind, repository),
            first_text(run, "name", "display_title"),
        )
    if kind == "issue":
        issue = mapping(record.get("issue"))
        verb = Verb.TICKET_OPEN if action == "opened" else Verb.TICKET_UPDATE
        return verb, Target(TargetClass.TICKETING, repository, f"#{first_text(issue, 'number')}"), (), first_text(issue, "title")
    return Verb.UNKNOWN, place, (), ""


def _push_keys(record: Json) -> tuple[Key, ...]:
    listed = record.get("commits")
    commits = [text(mapping(one).get("id")) for one in listed[:MAX_COMMITS]] if isinstance(listed, list) else []
    head = text(record.get("after"))
    return keys(*(key(KeyRole.REFERENCE, "commit", commit_id(sha)) for sha in (head, *commits) if sha != _ZERO))


def _pull_keys(pull: Json, repository: str) -> tuple[Key, ...]:
    number = first_text(pull, "number")
    return keys(
        key(KeyRole.REFERENCE, "pr", f"{repository}#{number}" if number.isdigit() and repository else ""),
        key(KeyRole.REFERENCE, "commit", commit_id(mapping(pull.get("head")).get("sha"))),
        key(KeyRole.REFERENCE, "commit", commit_id(pull.get("merge_commit_sha"))),
    )


def _run_keys(run: Json, kind: str, repository: str) -> tuple[Key, ...]:
    number = first_text(run, "id") if kind == "workflow_run" else first_text(run, "run_id")
    return keys(
        key(KeyRole.SCOPE, "ci.job", f"github-actions:{repository}:{number}" if number and repository else ""),
        key(KeyRole.REFERENCE, "commit", commit_id(run.get("head_sha"))),
    )


def _principal(record: Json, body: Json) -> Principal | None:
    actor = mapping(record.get("sender")) or mapping(body.get("user"))
    name = first_text(actor, "login") or first_text(mapping(record.get("pusher")), "name", "email")
    if not name:
        return None
    bot = first_text(actor, "type") == "Bot" or name.endswith("[bot]")
    return Principal(name, "workload" if bot else "unknown")


def _attrs(record: Json, body: Json, repository: str) -> dict[str, Attr]:
    ref = text(record.get("ref")).removeprefix("refs/heads/")
    found: dict[str, Attr] = {
        "repository": repository,
        "branch": clip(ref or first_text(body, "head_branch"), 300),
        "sha": commit_id(record.get("after")) or commit_id(body.get("head_sha")),
        "status": first_text(body, "conclusion", "status", "state"),
    }
    if record.get("forced") is True:
        found["forced"] = True
    return {name: value for name, value in found.items() if value}


IMPORTER = GitHubWebhook()
