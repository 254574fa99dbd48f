"""GitLab webhook bodies: pushes with their commits, merge requests, pipelines, jobs, deployments, comments, issues and releases.

A body says no time of its own for a push: when it came stands in, else that of its newest commit, which it only came after. System hooks call a push's kind `event_name`.
"""

from __future__ import annotations

from collections.abc import Sequence

from importers.shared.fields import Json, clip, commit_id, first_moment, first_text, key, keys, mapping, moment, surest, text
from importers.shared.told import Told
from importers.shared.webhooks import body_of, commits_of
from lang.names import repository_name
from model.event import BadRecord, Outcome, Parsed, Principal, Target
from model.words import Clock, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

_MARKS = ("object_kind", "event_name")
_KINDS = frozenset(
    {"push", "tag_push", "merge_request", "note", "issue", "work_item", "pipeline", "build", "deployment", "release", "wiki_page"}
)
_PUSHES = ("push", "tag_push")
_ALIKE = {"confidential_note": "note", "confidential_issue": "issue", "job": "build", "work_item": "issue"}
_RAN: dict[str, Tri] = {"skipped": Tri.NO} | dict.fromkeys(
    ("created", "pending", "manual", "scheduled", "waiting_for_resource", "preparing"), Tri.UNKNOWN
)
"""States of a job that has not run, or not yet."""
_ENDS = {"success": Tri.YES, "failed": Tri.NO}
_MERGES = {"open": Verb.PR_OPEN, "reopen": Verb.PR_OPEN, "merge": Verb.PR_MERGE}


class GitLabWebhookReader:
    """Reads one body a record; holds no state."""

    def read(self, record: object) -> Parsed:
        kept = body_of(mapping(record), _MARKS)
        body = kept.body
        named = first_text(body, *_MARKS)
        kind = _ALIKE.get(named, named)
        if not named:
            raise BadRecord("no GitLab webhook body: it wants object_kind or event_name")
        part = mapping(body.get("object_attributes"))
        action = first_text(part, "action") or first_text(body, "action")
        name = f"{named}.{action}" if action else named
        own, came = _moment(body, part, kind), moment(kept.at)
        at, clock = next((one for one in ((came, own) if kind in _PUSHES else (own, came)) if one[0] is not None), own)
        if kind in _PUSHES and came[0] is None:
            clock = Clock.ORDER_ONLY
        parsed = Parsed(type=clip(f"webhook {name}", 100), at=at)
        if kind not in _KINDS:
            parsed.unknown_type = clip(f"webhook {name}", 80)
            return parsed
        told = Told("gitlab-webhook", "gitlab", Vantage.TARGET, at, clock, _principal(body))
        told.tool = name
        words, tool = _told(told, body, part, kind, action)
        outcome = Outcome(tool=tool, effect=_RAN.get(str(told.attrs.get("status")), Tri.YES) if kind == "build" else Tri.YES)
        parsed.events = [told.event(EventKind.EFFECT, Phase.OBSERVED, words=clip(words or name, 400), outcome=outcome)]
        return parsed


def _moment(body: Json, part: Json, kind: str) -> tuple[int | None, Clock]:
    if kind in _PUSHES:
        listed = body.get("commits")
        commits = [mapping(one) for one in listed] if isinstance(listed, list) else []
        head = next((one for one in commits if one.get("id") == body.get("after")), commits[-1] if commits else {})
        return first_moment(head, "timestamp")
    found = first_moment(part, "finished_at", "updated_at", "created_at")
    if found[0] is None:
        found = first_moment(
            body, "build_finished_at", "build_started_at", "build_created_at", "status_changed_at", "released_at", "created_at"
        )
    return found


def _principal(body: Json) -> Principal | None:
    user = mapping(body.get("user"))
    name = first_text(user, "username", "name") or first_text(body, "user_username", "user_name")
    return Principal(name, "workload" if "_bot_" in name else "unknown") if name else None


def _told(told: Told, body: Json, part: Json, kind: str, action: str) -> tuple[str, Tri]:
    """Verb, target, keys and attributes by the kind of body; its words, and how a run ended."""
    project, place = mapping(body.get("project")), mapping(body.get("repository"))
    repository = repository_name(first_text(project, "path_with_namespace")) or repository_name(
        first_text(project, "web_url") or first_text(place, "homepage", "git_http_url", "url")
    )
    told.note(repository=repository)
    told.target = Target(TargetClass.REPOSITORY, repository)
    if kind in _PUSHES:
        return _pushed(told, body, repository), Tri.UNKNOWN
    if kind == "merge_request":
        return _merge(told, body, part, repository, action), Tri.UNKNOWN
    if kind in ("pipeline", "build", "deployment"):
        return _run(told, body, part, kind, repository)
    if kind == "note":
        return _note(told, body, part, repository), Tri.UNKNOWN
    if kind == "issue":
        told.verb = Verb.TICKET_OPEN if action == "open" else Verb.TICKET_UPDATE
        told.target = Target(TargetClass.TICKETING, repository, f"#{first_text(part, 'iid')}")
        told.note(ticket_state=first_text(part, "state"))
        return first_text(part, "title"), Tri.UNKNOWN
    # A release, or a page of the wiki.
    told.verb = Verb.REPO_WRITE
    told.target = Target(TargetClass.REPOSITORY, repository, first_text(body, "tag") if kind == "release" else "wiki")
    return first_text(body, "name") or first_text(part, "title"), Tri.UNKNOWN


def _pushed(told: Told, body: Json, repository: str) -> str:
    branch = text(body.get("ref")).removeprefix("refs/heads/").removeprefix("refs/tags/")
    sha = commit_id(body.get("after"))
    told.verb, told.target = Verb.REPO_WRITE, Target(TargetClass.REPOSITORY, repository, clip(branch, 300))
    told.keys = commits_of(sha, body.get("commits"), "id")
    told.note(branch=clip(branch, 300), sha=sha)
    if not sha:
        told.note(forced=True)
        return f"deleted {branch}"
    listed = body.get("commits")
    messages = (
        [text(mapping(one).get("message")) for one in listed if mapping(one).get("id") == sha] if isinstance(listed, list) else []
    )
    return messages[0] if messages else ""


def _merge(told: Told, body: Json, part: Json, repository: str, action: str) -> str:
    pushed = action == "update" and first_text(part, "oldrev") != ""
    told.verb = Verb.REPO_WRITE if pushed else _MERGES.get(action, Verb.UNKNOWN)
    branch = first_text(part, "source_branch")
    told.target = Target(TargetClass.REPOSITORY, repository, clip(branch, 300))
    number, head = first_text(part, "iid"), commit_id(mapping(part.get("last_commit")).get("id"))
    told.keys = keys(
        key(KeyRole.REFERENCE, "pr", f"{repository}#{number}" if number and repository else ""),
        key(KeyRole.REFERENCE, "commit", head),
        key(KeyRole.REFERENCE, "commit", commit_id(part.get("merge_commit_sha")) if action == "merge" else ""),
    )
    told.note(branch=clip(branch, 300), sha=head, status=first_text(part, "state"))
    if action in ("approved", "approval"):
        told.note(approver=first_text(mapping(body.get("user")), "username"))
    return first_text(part, "title")


def _run(told: Told, body: Json, part: Json, kind: str, repository: str) -> tuple[str, Tri]:
    told.verb = Verb.CI_RUN
    run, named, status, sha, ref = {
        "pipeline": (first_text(part, "id"), first_text(part, "name"), first_text(part, "status"), part.get("sha"), part.get("ref")),
        "build": (
            first_text(body, "pipeline_id"), first_text(body, "build_name"), first_text(body, "build_status"), body.get("sha"),
            body.get("ref"),
        ),
        "deployment": (
            "", first_text(body, "environment"), first_text(body, "status"),
            first_text(body, "commit_url").rpartition("/commit/")[2], body.get("ref"),
        ),
    }[kind]  # fmt: skip
    told.target = Target(TargetClass.CI_CD, repository, clip(named, 200))
    told.keys = keys(
        key(KeyRole.SCOPE, "ci.job", f"gitlab-ci:{repository}:{run}" if run and repository else ""),
        key(KeyRole.REFERENCE, "commit", commit_id(sha)),
    )
    told.note(branch=clip(text(ref), 300), sha=commit_id(sha), status=first_text(body, "build_failure_reason") or status)
    told.note(host=first_text(mapping(body.get("runner")), "description"), trigger=clip(first_text(part, "source"), 100))
    return named or kind, _ENDS.get(status, Tri.UNKNOWN)


def _note(told: Told, body: Json, part: Json, repository: str) -> str:
    about = first_text(part, "noteable_type")
    number = first_text(mapping(body.get("merge_request")), "iid")
    if about == "Issue":
        told.verb = Verb.TICKET_UPDATE
        told.target = Target(TargetClass.TICKETING, repository, f"#{first_text(mapping(body.get('issue')), 'iid')}")
    told.keys = keys(
        key(KeyRole.REFERENCE, "pr", f"{repository}#{number}" if number and repository else ""),
        key(KeyRole.REFERENCE, "commit", commit_id(part.get("commit_id"))),
    )
    return f"comment on {about}"


class GitLabWebhook:
    """Webhook and system hook bodies of GitLab."""

    id = "gitlab-webhook"
    title = "GitLab webhook bodies"
    evidence = "documentation"
    version = 3

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> GitLabWebhookReader:
        return GitLabWebhookReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    body = body_of(record, _MARKS).body
    named = first_text(body, *_MARKS)
    return 90 if _ALIKE.get(named, named) in _KINDS and ("project" in body or "project_id" in body) else 0


IMPORTER = GitLabWebhook()
