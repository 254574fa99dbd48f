"""GitHub webhook bodies: pushes with their commits, pull requests, workflow runs; the join from commit to task that the audit log lacks.

A body may stand alone, under `payload` or `body` beside its headers, or in a delivery as the API lists them; only then is
there a delivery id.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from importers.shared.fields import Json, clip, commit_id, first_moment, first_text, key, keys, mapping, moment, text, texts
from importers.shared.webhooks import came_at, commits_of
from lang.names import repository_name
from model.event import Attr, BadRecord, Decision, Event, Key, Outcome, Parsed, Principal, Target
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

_BODIES = (
    "commits", "workflow_job", "workflow_run", "check_run", "check_suite", "deployment_status", "deployment", "review", "thread",
    "comment", "pull_request", "issue", "release", "alert", "branch_protection_rule", "rule", "repository_ruleset", "key", "hook",
    "registry_package", "package", "pages", "forkee", "ref_type", "member", "membership", "team", "installation", "workflow",
    "pusher", "ref",
)  # fmt: skip
_PLAIN = frozenset({"action", "repository", "organization", "enterprise", "sender", "installation", "changes"})
"""All that the body of an event about a repository itself has; others are named by what they have beside it."""
_CI = frozenset({"workflow_run", "workflow_job", "check_run", "check_suite"})
_WRAPS = ("payload", "body")
_ANSWERS = {"approved": Effect.ALLOW, "rejected": Effect.DENY}
_FAILED = frozenset({"failure", "timed_out", "startup_failure", "error"})


class GitHubWebhook:
    """Webhook bodies, alone or with their delivery around them."""

    id = "github-webhook"
    title = "GitHub webhook bodies"
    evidence = "fixture"
    version = 6

    def sniff(self, sample: Sequence[object]) -> int:
        score = sum(1 for record in sample if is_webhook(record))
        return 75 if score and score * 2 > len(sample) else 0

    def open(self) -> GitHubWebhookReader:
        return GitHubWebhookReader()


class GitHubWebhookReader:
    """Reads one body a record; holds no state."""

    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict) or not is_webhook(record):
            raise BadRecord(
                "no webhook body: it wants a repository or organization and one of commits, pull_request, workflow_run, ..."
            )
        return read_webhook(record)


class Delivery(msgspec.Struct):
    """A body with what stands around it: the event's name, the delivery's id and time."""

    body: Json
    event: str = ""
    id: str = ""
    at: object = None


def is_webhook(record: object) -> bool:
    """Whether a record is a webhook body: nested repository or organisation, and the part its kind of event is named for."""
    if not isinstance(record, dict):
        return False
    body = _opened(record).body
    place = isinstance(body.get("repository"), dict) or isinstance(body.get("organization"), dict)
    if not place:
        return False
    action = body.get("action")
    if isinstance(action, str) and "." in action:
        return False
    return any(name in body for name in _BODIES) or isinstance(body.get("sender"), dict) or (
        isinstance(action, str) and action != "" and isinstance(body.get("repository"), dict)
    )  # fmt: skip


def _opened(record: Json) -> Delivery:
    """The body within the ways deliveries are kept; a body under `payload` may be JSON in a string."""
    if isinstance(record.get("repository"), dict) or isinstance(record.get("organization"), dict):
        return Delivery(record)
    request = mapping(record.get("request"))
    for holder in (record, request):
        for name in _WRAPS:
            inner = holder.get(name)
            if isinstance(inner, str) and inner.lstrip()[:1] == "{" and len(inner) < 1 << 25:
                try:
                    inner = msgspec.json.decode(inner)
                except (msgspec.DecodeError, UnicodeError, RecursionError):
                    inner = None
            if isinstance(inner, dict):
                headers = {k.lower(): v for k, v in mapping(holder.get("headers")).items()}
                event = _header(headers, "x-github-event") or first_text(record, "event", "x_github_event")
                guid = _header(headers, "x-github-delivery") or first_text(record, "guid", "delivery", "delivery_id")
                return Delivery(inner, event, guid, came_at(record))
    return Delivery(record)


def _header(headers: Json, name: str) -> str:
    value = headers.get(name)
    return text(value) or next(iter(texts(value)), "")


def read_webhook(record: Json) -> Parsed:
    """One effect per body; its identity is the delivery's id, which only a kept header gives."""
    delivery = _opened(record)
    body = delivery.body
    if delivery.event == "ping" or ("zen" in body and "hook_id" in body):
        return Parsed([], delivery.id or None, type="webhook ping")
    repository = repository_name(text(mapping(body.get("repository")).get("full_name")))
    action = first_text(body, "action")
    said = _answered(body, action)
    kind = next((name for name in _BODIES if name in body and name != "pusher"), "sender")
    part = mapping(body.get("head_commit")) if kind == "commits" else mapping(body.get(kind))
    verb, target, found, words = _meaning(body, kind, action, repository)
    at, clock = _time(delivery, kind, part, said is not None)
    org = repository.partition("/")[0] or first_text(mapping(body.get("organization")), "login")
    named = "push" if kind == "commits" else delivery.event or kind
    name = f"{named}.{action}" if action and action != named else named
    event = Event(
        EventKind.EFFECT,
        Phase.OBSERVED,
        Vantage.TARGET,
        f"github:{org.lower()}" if org else "github",
        at=at,
        clock=clock,
        format="github-webhook",
        principal=_principal(body, part),
        verb=verb,
        tool=name,
        target=target,
        text=clip(words or name, 400),
        keys=found,
        outcome=_outcome(kind, part),
        attrs=_attrs(body, part, repository, verb),
    )
    events = [event]
    if said is not None:
        effect, by, reason = said
        event.outcome = Outcome(permitted=effect, effect=Tri.NO if effect is Effect.DENY else Tri.YES)
        event.attrs["status"] = action
        decision = Decision(effect, reason=clip(reason, 500), by=by)
        events.insert(0, msgspec.structs.replace(event, kind=EventKind.DECISION, phase=Phase.VERDICT, decision=decision,
                                                 outcome=Outcome(permitted=effect), attrs=dict(event.attrs)))  # fmt: skip
    return Parsed(events, delivery.id or None, type=f"webhook {name}", at=at)


def _time(delivery: Delivery, kind: str, part: Json, answered: bool) -> tuple[int | None, Clock]:
    """When it happened: of a push not when its commits were made, of an answer not when the run that waited for it went on."""
    place = mapping(delivery.body.get("repository"))
    own = first_moment(part, "updated_at", "completed_at", "submitted_at", "created_at", "timestamp", "run_started_at",
                       "started_at")  # fmt: skip
    around = (moment(delivery.at), moment(place.get("pushed_at")), moment(place.get("updated_at")))
    told = (first_moment(delivery.body, "since"), own, *around) if answered else (own, *around)
    if kind == "commits":
        made = own[0], Clock.ORDER_ONLY
        told = (moment(place.get("pushed_at")), moment(delivery.at), made, moment(place.get("updated_at")))
    return next((one for one in told if one[0] is not None), (None, Clock.ORDER_ONLY))


def _answered(body: Json, action: str) -> tuple[Effect, str, str] | None:
    """What a person answered to a deployment that waited for it: effect, who, why."""
    approver = first_text(mapping(body.get("approver")), "login")
    effect = _ANSWERS.get(action) if approver else None
    return (effect, approver, first_text(body, "comment")) if effect else None


def _meaning(body: Json, kind: str, action: str, repository: str) -> tuple[Verb, Target, tuple[Key, ...], str]:
    ref = text(body.get("ref"))
    branch = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    place = Target(TargetClass.REPOSITORY, repository, clip(branch, 300))
    part = mapping(body.get(kind))
    if kind == "commits" or (kind == "ref" and action in ("", "push")):
        return (
            Verb.REPO_WRITE,
            place,
            commits_of(body.get("after"), body.get("commits"), "id"),
            first_text(mapping(body.get("head_commit")), "message"),
        )
    if kind == "ref_type":
        return Verb.REPO_WRITE, place, (), f"{text(body.get('ref_type'))} {branch}"
    if kind == "pull_request":
        merged = action == "closed" and part.get("merged") is True
        opened = action in ("opened", "reopened")
        verb = (
            Verb.PR_MERGE if merged else Verb.PR_OPEN if opened else Verb.REPO_WRITE if action == "synchronize" else Verb.UNKNOWN
        )
        head = text(mapping(part.get("head")).get("ref"))
        place = Target(TargetClass.REPOSITORY, repository, clip(head, 300))
        return verb, place, _pull_keys(part, repository), first_text(part, "title")
    if kind in ("review", "thread", "comment") and "pull_request" in body:
        return Verb.UNKNOWN, place, _pull_keys(mapping(body.get("pull_request")), repository), f"pull request {kind}"
    if kind in _CI:
        named = clip(first_text(part, "workflow_name", "name"), 200)
        return Verb.CI_RUN, Target(TargetClass.CI_CD, repository, named), _run_keys(part, kind, repository), named
    if kind in ("deployment", "deployment_status"):
        deployment = mapping(body.get("deployment"))
        run = mapping(body.get("workflow_run"))
        found = _run_keys(run, "workflow_run", repository)
        commit = key(KeyRole.REFERENCE, "commit", commit_id(deployment.get("sha")))
        target = Target(TargetClass.CI_CD, repository, first_text(deployment, "environment"))
        return Verb.CI_RUN, target, keys(*found, commit), "deployment"
    if kind == "comment" and "issue" not in body:
        found = keys(key(KeyRole.REFERENCE, "commit", commit_id(part.get("commit_id"))))
        return Verb.UNKNOWN, place, found, "commit comment" if found else "comment"
    if kind in ("issue", "comment"):
        issue = mapping(body.get("issue"))
        verb = Verb.TICKET_OPEN if action == "opened" and kind == "issue" else Verb.TICKET_UPDATE
        pull = mapping(issue.get("pull_request"))
        found = _pull_keys(issue, repository) if pull else ()
        return (
            verb,
            Target(TargetClass.TICKETING, repository, f"#{first_text(issue, 'number')}"),
            found,
            first_text(issue, "title"),
        )
    if kind in ("branch_protection_rule", "rule", "repository_ruleset", "alert"):
        loosened = action in ("deleted", "edited", "dismissed", "resolved", "auto_dismissed", "closed_by_user")
        loosened = loosened or part.get("push_protection_bypassed") is True
        verb = Verb.GUARDRAIL_CHANGE if loosened else Verb.UNKNOWN
        return verb, Target(TargetClass.REPOSITORY, repository, clip(first_text(part, "name", "pattern"), 200)), (), ""
    if _gives_rights(body, kind, action, repository):
        who = first_text(part, "login", "slug", "name", "app_slug")
        return Verb.GUARDRAIL_CHANGE, Target(TargetClass.REPOSITORY, repository, clip(who, 200)), (), f"{kind} {action}".strip()
    if kind == "key":
        verb = Verb.CREDENTIAL_ISSUE if action == "created" else Verb.CREDENTIAL_REVOKE
        return verb, place, (), first_text(part, "title")
    if kind in ("package", "registry_package"):
        verb = Verb.PACKAGE_PUBLISH if action in ("published", "updated") else Verb.UNKNOWN
        return verb, Target(TargetClass.PACKAGE_REGISTRY, first_text(part, "name"), repository), (), ""
    if kind == "release":
        return (
            Verb.REPO_WRITE,
            Target(TargetClass.REPOSITORY, repository, first_text(part, "tag_name")),
            (),
            first_text(part, "name"),
        )
    if kind == "pages":
        return Verb.REPO_WRITE, Target(TargetClass.REPOSITORY, repository, "wiki"), (), ""
    if kind == "workflow" and "inputs" in body:
        return Verb.CI_RUN, Target(TargetClass.CI_CD, repository, clip(text(body.get("workflow")), 200)), (), "workflow dispatch"
    if kind == "sender" and "sha" in body and "state" in body:
        found = keys(key(KeyRole.REFERENCE, "commit", commit_id(body.get("sha"))))
        return Verb.UNKNOWN, place, found, f"status {first_text(body, 'context')} {first_text(body, 'state')}"
    if (
        kind == "sender"
        and body.keys() <= _PLAIN
        and action in ("created", "deleted", "renamed", "publicized", "privatized", "transferred", "archived")
    ):
        return Verb.REPO_WRITE, place, (), f"repository {action}"
    return Verb.UNKNOWN, place, (), ""


def _gives_rights(body: Json, kind: str, action: str, repository: str) -> bool:
    """Whether a body tells who may do what in a repository from now on: a person, a team or an app; who is in a team is not told as that."""
    if kind == "member":
        return bool(repository) and action in ("added", "edited", "removed") and "team" not in body
    if kind == "team":
        told = ("", "added_to_repository", "removed_from_repository")
        return bool(repository) and (action in told or (action == "edited" and "repository" in mapping(body.get("changes"))))
    return kind == "installation" and ("repositories_added" in body or "repositories_removed" in body)


def _pull_keys(pull: Json, repository: str) -> tuple[Key, ...]:
    number = first_text(pull, "number")
    return keys(
        key(KeyRole.REFERENCE, "pr", f"{repository}#{number}" if number.isdecimal() and repository else ""),
        key(KeyRole.REFERENCE, "commit", commit_id(mapping(pull.get("head")).get("sha"))),
        key(KeyRole.REFERENCE, "commit", commit_id(pull.get("merge_commit_sha"))),
    )


def _run_keys(run: Json, kind: str, repository: str) -> tuple[Key, ...]:
    number = first_text(run, "id") if kind == "workflow_run" else first_text(run, "run_id")
    listed = run.get("pull_requests")
    pulls = [first_text(mapping(one), "number") for one in listed[:20]] if isinstance(listed, list) else []
    return keys(
        key(KeyRole.SCOPE, "ci.job", f"github-actions:{repository}:{number}" if number and repository else ""),
        key(KeyRole.REFERENCE, "commit", commit_id(run.get("head_sha"))),
        *(key(KeyRole.REFERENCE, "pr", f"{repository}#{one}") for one in pulls if one and repository),
    )


def _principal(body: Json, part: Json) -> Principal | None:
    actor = mapping(body.get("sender")) or mapping(part.get("user")) or mapping(part.get("actor"))
    name = first_text(actor, "login") or first_text(mapping(body.get("pusher")), "name", "email")
    if not name:
        return None
    bot = first_text(actor, "type") == "Bot" or name.endswith("[bot]")
    return Principal(name, "workload" if bot else "unknown", "ci" if name == "github-actions[bot]" else "")


def _outcome(kind: str, part: Json) -> Outcome:
    """That it happened is the host's own word; how a run ended is the run's."""
    said = text(part.get("conclusion")) or (text(part.get("state")) if kind == "deployment_status" else "")
    tool = Tri.YES if said == "success" else Tri.NO if said in _FAILED else Tri.UNKNOWN
    return Outcome(tool=tool, effect=Tri.NO if said == "skipped" else Tri.YES)


def _attrs(body: Json, part: Json, repository: str, verb: Verb) -> dict[str, Attr]:
    ref = text(body.get("ref")).removeprefix("refs/heads/")
    found: dict[str, Attr] = {
        "repository": repository,
        "branch": clip(ref or first_text(part, "head_branch") or text(mapping(part.get("head")).get("ref")), 300),
        "sha": commit_id(body.get("after")) or commit_id(part.get("head_sha")),
        "status": first_text(part, "conclusion", "status", "state"),
        "host": first_text(part, "runner_name"),
        "trigger": clip(first_text(mapping(body.get("workflow_run")), "event"), 100),
    }
    bypassed = mapping(body.get("alert")).get("push_protection_bypassed") is True
    if bypassed or body.get("forced") is True or (verb is Verb.REPO_WRITE and body.get("deleted") is True):
        found["forced"] = True
    if "review" in body and text(part.get("state")).lower() == "approved":
        found["approver"] = first_text(mapping(part.get("user")), "login") or first_text(mapping(body.get("sender")), "login")
        found["requester"] = first_text(mapping(mapping(body.get("pull_request")).get("user")), "login")
    if verb in (Verb.TICKET_OPEN, Verb.TICKET_UPDATE):
        found["ticket_state"] = text(mapping(body.get("issue")).get("state"))
    return {name: value for name, value in found.items() if value}


IMPORTER = GitHubWebhook()
