"""Jira webhook bodies, of the Cloud and of Data Center: issues, comments, work logs, links, and what changes around them.

A body names its event (`webhookEvent`) and its time in milliseconds. Who did it stands in `user`, or with a comment, work log or
attachment as its author; with `user_created` and its like the user is what was changed. A comment may come without its issue, of
which then only the number in its address is known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.shared.fields import Json, clip, first_moment, first_text, key, keys, mapping, moment, surest, text
from importers.shared.told import Told
from importers.shared.webhooks import Kept, body_of
from lang.names import host_name
from model.event import BadRecord, Outcome, Parsed, Principal, Target
from model.words import Clock, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

_MARKS = ("webhookEvent",)
_ON_ISSUES = ("jira:issue_", "jira:worklog_", "comment_", "worklog_", "attachment_", "issuelink_", "issue_property_", "issue_")
_AROUND = ("jira:version_", "project_", "user_", "sprint_", "board_", "option_", "filter_", "issuetype_")
_PARTS = ("comment", "worklog", "attachment")
_OTHERS = ("project", "version", "sprint", "board", "user", "property", "filter", "issuetype", "issueLink")
_KINDS = {"app": "workload", "atlassian": "human", "customer": "human"}
_OF_ISSUE = re.compile(r"/issue/(\d{1,20})/")
_MAX_ITEMS, _MAX_NODES = 20, 500


class JiraWebhookReader:
    """Reads one body a record; holds no state."""

    def read(self, record: object) -> Parsed:
        kept = body_of(mapping(record), _MARKS)
        body = kept.body
        event = text(body.get("webhookEvent"))
        if not event:
            raise BadRecord("no Jira webhook body: it wants webhookEvent")
        part = next((found for name in _PARTS if (found := mapping(body.get(name)))), {})
        issue = mapping(body.get("issue"))
        at, clock = _moment(kept, part, issue)
        parsed = Parsed(type=clip(f"webhook {event}", 100), at=at, identity=_delivery(kept))
        if not event.startswith((*_ON_ISSUES, *_AROUND)):
            parsed.unknown_type = clip(f"webhook {event}", 80)
            return parsed
        told = Told("jira-webhook", "jira", Vantage.TARGET, at, clock, _principal(body, part, event))
        told.tool = event
        _place(told, body, part, issue, event)
        outcome = Outcome(effect=Tri.YES)
        parsed.events = [told.event(EventKind.EFFECT, Phase.OBSERVED, words=_words(body, part, issue, event), outcome=outcome)]
        return parsed


def _delivery(kept: Kept) -> str | None:
    """What Jira names a delivery, the same each time it tries again; it stands in a header alone."""
    names = ((name.lower(), value) for name, value in kept.headers.items())
    found = next((text(value) for name, value in names if name == "x-atlassian-webhook-identifier"), "")
    return found or None


def _moment(kept: Kept, part: Json, issue: Json) -> tuple[int | None, Clock]:
    found = moment(kept.body.get("timestamp"), "ms")
    if found[0] is None:
        found = first_moment(part, "updated", "created")
    if found[0] is None:
        found = first_moment(mapping(issue.get("fields")), "updated", "created")
    return found if found[0] is not None else moment(kept.at)


def _principal(body: Json, part: Json, event: str) -> Principal | None:
    who = {} if event.startswith("user_") else mapping(body.get("user"))
    who = who or mapping(part.get("updateAuthor")) or mapping(part.get("author"))
    name = first_text(who, "emailAddress", "name", "accountId", "key", "displayName")
    return Principal(name, _KINDS.get(first_text(who, "accountType"), "unknown")) if name else None


def _place(told: Told, body: Json, part: Json, issue: Json, event: str) -> None:
    """Verb, target and keys: the issue by its key, else what the event is about."""
    other = next((found for name in _OTHERS if (found := mapping(body.get(name)))), {})
    address = first_text(issue, "self") or first_text(part, "self") or first_text(other, "self")
    told.note(account=host_name(address))
    if not event.startswith(_ON_ISSUES):
        named = first_text(other, "key", "name", "emailAddress", "accountId", "id")
        told.target = Target(TargetClass.TICKETING, clip(named, 300), event.removeprefix("jira:").partition("_")[0])
        return
    told.verb = Verb.TICKET_OPEN if event == "jira:issue_created" else Verb.TICKET_UPDATE
    name = clip(first_text(issue, "key") or first_text(body, "issueKey", "issue_key"), 100)
    number = first_text(issue, "id") or (m[1] if (m := _OF_ISSUE.search(address)) else "")
    told.target = Target(TargetClass.TICKETING, name, "" if name or not number else f"issue {number}")
    told.keys = keys(key(KeyRole.REFERENCE, "ticket", name))
    told.note(ticket_state="deleted" if event == "jira:issue_deleted" else _state(issue))


def _state(issue: Json) -> str:
    return first_text(mapping(mapping(issue.get("fields")).get("status")), "name")


def _words(body: Json, part: Json, issue: Json, event: str) -> str:
    """What changed, from what to what; else what was written, else what the issue is about."""
    listed = mapping(body.get("changelog")).get("items")
    changes = [mapping(one) for one in listed[:_MAX_ITEMS]] if isinstance(listed, list) else []
    told = [
        f"{first_text(one, 'field')}: {clip(first_text(one, 'fromString', 'from'), 80)} -> {clip(first_text(one, 'toString', 'to'), 80)}"
        for one in changes
        if first_text(one, "field")
    ]
    written = _written(part.get("body")) or _written(part.get("comment")) or first_text(part, "filename")
    return clip("; ".join(told) or written or first_text(mapping(issue.get("fields")), "summary") or event, 400)


def _written(value: object) -> str:
    """A comment's text, also where it is a document of nodes (Atlassian Document Format)."""
    if not isinstance(value, dict):
        return text(value)
    found, waiting, seen = [], [value], 0
    while waiting and seen < _MAX_NODES:
        node, seen = waiting.pop(), seen + 1
        if words := text(node.get("text")):
            found.append(words)
        inner = node.get("content")
        waiting += [one for one in reversed(inner[:_MAX_NODES]) if isinstance(one, dict)] if isinstance(inner, list) else []
    return " ".join(found)


class JiraWebhook:
    """Webhook bodies of Jira, Cloud and Data Center."""

    id = "jira-webhook"
    title = "Jira webhook bodies"
    evidence = "fixture"
    version = 1

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> JiraWebhookReader:
        return JiraWebhookReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    event = text(body_of(record, _MARKS).body.get("webhookEvent"))
    if event.startswith("jira:"):
        return 92
    body = body_of(record, _MARKS).body
    about = ("issue", "timestamp", *_PARTS, *_OTHERS)
    return 85 if event.startswith((*_ON_ISSUES, *_AROUND)) and any(name in body for name in about) else 0


IMPORTER = JiraWebhook()
