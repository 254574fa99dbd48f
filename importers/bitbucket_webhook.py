"""Bitbucket webhook bodies, of the Cloud and of Data Center: pushes with their commits and pull requests.

The Cloud's body does not say which event it is of; its header does, where it is kept. Without it the pull request's state and
what stands beside it tell most: one that is open may be new, changed or commented on, and is new only where nothing changed since.
"""

from __future__ import annotations

from collections.abc import Sequence

from importers.shared.fields import Json, clip, commit_id, first_moment, first_text, key, keys, mapping, moment, surest, text
from importers.shared.told import Told
from importers.shared.webhooks import Kept, body_of, commits_of
from lang.names import repository_name
from model.event import BadRecord, Event, Outcome, Parsed, Principal, Target
from model.words import Clock, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

_MARKS = ("push", "pullrequest", "eventKey")
_VERBS = {
    "pullrequest:created": Verb.PR_OPEN, "pullrequest:fulfilled": Verb.PR_MERGE, "pr:opened": Verb.PR_OPEN,
    "pr:merged": Verb.PR_MERGE, "pr:from_ref_updated": Verb.REPO_WRITE,
}  # fmt: skip
_MAX_CHANGES = 100


class BitbucketWebhookReader:
    """Reads one body a record; holds no state."""

    def read(self, record: object) -> Parsed:
        kept = body_of(mapping(record), _MARKS)
        body = kept.body
        pull = mapping(body.get("pullrequest")) or mapping(body.get("pullRequest"))
        listed = mapping(body.get("push")).get("changes") or body.get("changes")
        changes = [mapping(one) for one in listed[:_MAX_CHANGES]] if isinstance(listed, list) else []
        event = _event(kept, pull)
        if not event and not pull and not changes:
            raise BadRecord("no Bitbucket webhook body: it wants push, pullrequest or eventKey")
        parsed = Parsed(type=clip(f"webhook {event}", 100))
        own, came = _moment(body, pull), moment(kept.at)
        made = first_moment(mapping(mapping(changes[0].get("new")).get("target")), "date") if changes else own
        # Of a push the Cloud's body says only when its newest commit was made, and thus what it came after.
        at, clock = next((one for one in (own, came, (made[0], Clock.ORDER_ONLY)) if one[0] is not None), own)
        parsed.at = at
        place = mapping(body.get("repository"))
        place = place or mapping(mapping(pull.get("destination")).get("repository"))
        place = place or mapping(mapping(pull.get("toRef")).get("repository"))
        repository = _repository(place)
        told = Told("bitbucket-webhook", "bitbucket", Vantage.TARGET, at, clock, _principal(body))
        told.tool = event
        told.note(repository=repository)
        if pull:
            parsed.events = [_pulled(told, body, pull, repository, event)]
        elif changes:
            parsed.events = [_changed(told, one, repository) for one in changes]
        else:
            parsed.unknown_type = clip(f"webhook {event}", 80)
        return parsed


def _event(kept: Kept, pull: Json) -> str:
    body = kept.body
    said = first_text(body, "eventKey") or next(
        (text(value) for name, value in kept.headers.items() if name.lower() == "x-event-key" and isinstance(value, str)), ""
    )
    if said or not pull:
        return said or ("repo:push" if body.get("push") else "")
    for beside, event in (("approval", "approved"), ("changes_request", "changes_request"), ("comment", "comment")):
        if mapping(body.get(beside)):
            return f"pullrequest:{event}"
    state = first_text(pull, "state")
    if state in ("MERGED", "DECLINED"):
        return "pullrequest:fulfilled" if state == "MERGED" else "pullrequest:rejected"
    created, updated = first_moment(pull, "created_on")[0], first_moment(pull, "updated_on")[0]
    # The two are written a moment apart.
    new = created is not None and updated is not None and updated - created < 1_000_000
    return "pullrequest:created" if new else "pullrequest"


def _moment(body: Json, pull: Json) -> tuple[int | None, Clock]:
    said = first_moment(body, "date")
    if said[0] is None:
        for beside in ("approval", "changes_request"):
            said = first_moment(mapping(body.get(beside)), "date") if said[0] is None else said
    if said[0] is None:
        said = first_moment(pull, "updated_on", "updatedDate", "created_on", "createdDate")
    return said


def _repository(place: Json) -> str:
    """`workspace/name` in the Cloud, `project/name` elsewhere; a person's own project is written with a tilde."""
    named = first_text(place, "full_name")
    if not named and (slug := first_text(place, "slug")):
        named = f"{first_text(mapping(place.get('project')), 'key')}/{slug}"
    return repository_name(named) or clip(named.lower(), 300)


def _principal(body: Json) -> Principal | None:
    actor = mapping(body.get("actor"))
    name = first_text(actor, "username", "nickname", "name", "display_name", "displayName", "account_id")
    kind = "workload" if first_text(actor, "type") in ("app_user", "SERVICE") else "unknown"
    return Principal(name, kind) if name else None


def _pulled(told: Told, body: Json, pull: Json, repository: str, event: str) -> Event:
    number = first_text(pull, "id")
    source, ref = mapping(pull.get("source")), mapping(pull.get("fromRef"))
    branch = first_text(mapping(source.get("branch")), "name") or first_text(ref, "displayId")
    head = commit_id(mapping(source.get("commit")).get("hash")) or commit_id(ref.get("latestCommit"))
    merged = commit_id(mapping(pull.get("merge_commit")).get("hash")) or commit_id(
        mapping(mapping(pull.get("properties")).get("mergeCommit")).get("id")
    )
    told.verb = _VERBS.get(event, Verb.UNKNOWN)
    told.target = Target(TargetClass.REPOSITORY, repository, clip(branch, 300))
    told.keys = keys(
        key(KeyRole.REFERENCE, "pr", f"{repository}#{number}" if number and repository else ""),
        key(KeyRole.REFERENCE, "commit", head),
        key(KeyRole.REFERENCE, "commit", merged if told.verb is Verb.PR_MERGE else ""),
    )
    told.note(branch=clip(branch, 300), sha=head, status=first_text(pull, "state"))
    if event in ("pullrequest:approved", "pr:reviewer:approved") and told.principal is not None:
        author = mapping(pull.get("author"))
        author = mapping(author.get("user")) or author
        told.note(approver=told.principal.name, requester=first_text(author, "username", "nickname", "name", "display_name"))
    return _told(told, first_text(pull, "title") or event)


def _changed(told: Told, change: Json, repository: str) -> Event:
    """One branch or tag of a push; what is gone has no new state."""
    new, old, ref = mapping(change.get("new")), mapping(change.get("old")), mapping(change.get("ref"))
    branch = first_text(new, "name") or first_text(old, "name") or first_text(ref, "displayId")
    target = mapping(new.get("target"))
    sha = commit_id(target.get("hash")) or commit_id(change.get("toHash"))
    told.verb, told.target = Verb.REPO_WRITE, Target(TargetClass.REPOSITORY, repository, clip(branch, 300))
    told.keys = commits_of(sha, change.get("commits"), "hash")
    told.attrs = {name: value for name, value in told.attrs.items() if name == "repository"}
    told.note(branch=clip(branch, 300), sha=sha)
    if change.get("forced") is True or not sha:
        told.note(forced=True)
    return _told(told, first_text(target, "message") if sha else f"deleted {branch}")


def _told(told: Told, words: str) -> Event:
    return told.event(EventKind.EFFECT, Phase.OBSERVED, words=clip(words or told.tool, 400), outcome=Outcome(effect=Tri.YES))


class BitbucketWebhook:
    """Webhook bodies of Bitbucket, Cloud and Data Center."""

    id = "bitbucket-webhook"
    title = "Bitbucket webhook bodies"
    evidence = "fixture"
    version = 3

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> BitbucketWebhookReader:
        return BitbucketWebhookReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    body = body_of(record, _MARKS).body
    if not isinstance(body.get("actor"), dict):
        return 0
    if isinstance(body.get("repository"), dict) and (
        isinstance(body.get("pullrequest"), dict) or isinstance(mapping(body.get("push")).get("changes"), list)
    ):
        return 92
    return 92 if text(body.get("eventKey")).startswith(("pr:", "repo:", "mirror:")) else 0


IMPORTER = BitbucketWebhook()
