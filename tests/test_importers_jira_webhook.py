"""Webhook bodies of Jira: which issue, who, what changed, when; with and without their delivery, their user or their issue."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from importers.jira_webhook import IMPORTER
from model.event import BadRecord
from model.words import Clock, KeyRole, TargetClass, Tri, Verb
from tests.importer_checks import JSON, mutated, names, read, survives, whole

Record = dict[str, object]
SITE = "https://acme.atlassian.example/rest/api/2"
DANA: Record = {"self": f"{SITE}/user?accountId=5b10", "accountId": "5b10", "displayName": "Dana", "accountType": "atlassian"}
ISSUE: Record = {
    "id": "10418",
    "self": f"{SITE}/issue/10418",
    "key": "PAY-63",
    "fields": {
        "summary": "Pay by card fails",
        "status": {"name": "In Progress", "statusCategory": {"key": "indeterminate"}},
        "updated": "2026-06-01T12:00:00.000+0200",
        "reporter": {"name": "robin"},
    },
}
UPDATED: Record = {
    "timestamp": 1780308000123,
    "webhookEvent": "jira:issue_updated",
    "issue_event_type_name": "issue_generic",
    "user": DANA,
    "issue": ISSUE,
    "changelog": {
        "id": "27318",
        "items": [
            {"field": "status", "fieldtype": "jira", "from": "1", "fromString": "To Do", "to": "3", "toString": "In Progress"},
            {"field": "assignee", "fieldtype": "jira", "from": None, "fromString": None, "to": "5b10", "toString": "Dana"},
        ],
    },
}
COMMENT: Record = {
    "self": f"{SITE}/issue/10418/comment/10455",
    "id": "10455",
    "author": {"name": "robin", "emailAddress": "robin@acme.example"},
    "updateAuthor": {"name": "dana", "emailAddress": "dana@acme.example"},
    "body": {
        "type": "doc",
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": "please"}, {"text": "look"}]}],
    },
    "created": "2026-06-01T11:58:00.000+0200",
    "updated": "2026-06-01T12:00:00.000+0200",
}


@pytest.mark.parametrize(
    "record",
    [UPDATED, {"body": UPDATED, "headers": {"X-Atlassian-Webhook-Identifier": "d-1"}}, {"payload": json.dumps(UPDATED)}],
)
def test_an_issue_that_was_changed(record: Record) -> None:
    (parsed,), _ = whole(json.dumps(record), "jira-webhook")
    (event,) = parsed.events
    assert event.principal is not None
    assert event.outcome is not None
    assert (event.verb, event.target.cls, event.target.name) == (Verb.TICKET_UPDATE, TargetClass.TICKETING, "PAY-63")
    assert (event.principal.name, event.principal.kind, event.outcome.effect) == ("5b10", "human", Tri.YES)
    assert (event.at, event.clock) == (1_780_308_000_123_000, Clock.EXACT)
    assert names(event, KeyRole.REFERENCE) == ["ticket:PAY-63"]
    assert event.text == "status: To Do -> In Progress; assignee:  -> Dana"
    assert event.attrs == {"account": "acme.atlassian.example", "ticket_state": "In Progress"}
    assert parsed.identity == ("d-1" if "headers" in record else None)


@pytest.mark.parametrize(
    ("event", "verb", "state"),
    [
        ("jira:issue_created", Verb.TICKET_OPEN, "In Progress"),
        ("jira:issue_deleted", Verb.TICKET_UPDATE, "deleted"),
        ("worklog_created", Verb.TICKET_UPDATE, "In Progress"),
        ("attachment_created", Verb.TICKET_UPDATE, "In Progress"),
    ],
)
def test_what_happened_to_an_issue(event: str, verb: Verb, state: str) -> None:
    (told,) = read(IMPORTER, {"webhookEvent": event, "user": DANA, "issue": ISSUE}).events
    assert (told.verb, told.tool, told.attrs["ticket_state"], told.text) == (verb, event, state, "Pay by card fails")
    assert told.at == 1_780_308_000_000_000


def test_a_comment_is_its_last_authors() -> None:
    (told,) = read(IMPORTER, {"webhookEvent": "comment_updated", "comment": COMMENT, "issue": ISSUE}).events
    assert told.principal is not None
    assert (told.principal.name, told.text, told.at) == ("dana@acme.example", "please look", 1_780_308_000_000_000)


def test_a_comment_without_its_issue_names_none() -> None:
    (told,) = read(IMPORTER, {"timestamp": 1780308000123, "webhookEvent": "comment_created", "comment": COMMENT}).events
    assert (told.target.name, told.target.detail, told.keys) == ("", "issue 10418", ())


def test_a_user_that_was_changed_did_nothing() -> None:
    record = {"timestamp": 1780308000123, "webhookEvent": "user_deleted", "user": {"name": "robin"}}
    (told,) = read(IMPORTER, record).events
    assert (told.principal, told.verb, told.target.name, told.target.detail) == (None, Verb.UNKNOWN, "robin", "user")
    (told,) = read(IMPORTER, {"webhookEvent": "project_deleted", "project": {"key": "PAY", "id": 1}}).events
    assert (told.target.name, told.target.detail, told.at) == ("PAY", "project", None)


def test_what_is_not_known_is_kept_and_what_is_none_refused() -> None:
    assert read(IMPORTER, {"webhookEvent": "jira:brand_new", "issue": ISSUE}).unknown_type == "webhook jira:brand_new"
    with pytest.raises(BadRecord, match="webhookEvent"):
        read(IMPORTER, {"issue": ISSUE})


@given(mutated([UPDATED, {"webhookEvent": "comment_created", "comment": COMMENT, "issue": ISSUE}]) | JSON)
def test_survives(record: object) -> None:
    survives(IMPORTER, record)
