"""Whatever carried CloudTrail's records: rows of a lake's query, of an integration, lower-cased copies, tables with glued columns."""

from __future__ import annotations

import json

import pytest

from importers.cloudtrail import IMPORTER
from model.words import Clock, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import names, only, read, whole
from tests.test_importers_cloudtrail import ISSUED, ROLE, SESSION


def test_cells_of_a_table_are_objects() -> None:
    identity = ("{type=AssumedRole, principalid=AROA1:run-1, arn=arn:aws:sts::1:assumed-role/r/run-1, accesskeyid=ASIA1, "
                "sessioncontext={attributes={mfaauthenticated=false}, sourceidentity=" + SESSION + "}, invokedby=null}")  # fmt: skip
    row = {"eventName": "AssumeRole", "eventSource": "sts.amazonaws.com", "eventTime": "2023-07-10 11:54:42.000",
           "eventID": "e-1", "userIdentity": identity, "requestParameters": "{roleArn=" + ROLE + ", roleSessionName=a, b}",
           "responseElements": json.dumps(ISSUED), "errorCode": ""}  # fmt: skip
    answer = {"QueryStatus": "FINISHED", "QueryResultRows": [[{name: value} for name, value in row.items()]]}
    parsed, rejects = whole(json.dumps(answer), "cloudtrail")
    assert not rejects
    for events in (parsed[0].events, read(IMPORTER, row).events):
        seen = only(events, EventKind.EFFECT)
        assert names(seen, KeyRole.SCOPE) == [f"session:{SESSION}"]
        assert seen.principal is not None
        assert seen.principal.name == "arn:aws:sts::1:assumed-role/r/run-1"
        issued = only(events, EventKind.CREDENTIAL, Phase.ISSUED)
        assert names(issued, KeyRole.VIA) == ["aws.key:ASIA1"]
        assert issued.credential is not None
        assert issued.credential.label == "a, b"


@pytest.mark.parametrize("cell", ["{nothing}", "{ }", "{{type=Root}}", "{=}", "{a", "[1,"])
def test_a_cell_that_names_no_member_is_a_text(cell: str) -> None:
    row = {
        "eventName": "AssumeRole",
        "eventSource": "sts.amazonaws.com",
        "eventTime": "2023-07-10 11:54:42.000",
        "eventID": "e-1",
    }
    told = read(IMPORTER, {**row, "userIdentity": cell, "requestParameters": cell, "responseElements": cell})
    assert only(told.events, EventKind.EFFECT).tool == "sts:AssumeRole"


def test_an_event_of_a_lakes_integration() -> None:
    inner = {"version": "1", "userIdentity": {"type": "CustomUser", "principalId": "dana"}, "eventSource": "acme.example",
             "eventName": "approve", "eventTime": "2023-07-10T11:54:42Z", "UID": "u-1", "recipientAccountId": "111122223333"}  # fmt: skip
    outer = {"eventVersion": "1.0", "eventCategory": "ActivityAuditLog", "eventType": "ActivityLog", "eventID": "e-9",
             "eventTime": "2023-07-10T11:54:42Z", "metadata": {"channelARN": "c"}, "eventData": inner}  # fmt: skip
    parsed = read(IMPORTER, outer)
    assert (parsed.identity, only(parsed.events, EventKind.EFFECT).tool) == ("e-9", "acme.example:approve")
    assert IMPORTER.sniff([outer]) > 80


def test_lower_cased_copies() -> None:
    record = {
        "eventname": "GetSecretValue", "eventsource": "secretsmanager.amazonaws.com", "eventtime": "2023-01-10 21:04:02", "eventid": "i-1",
        "awsregion": "eu-west-1", "useridentity": {"arn": "arn:aws:iam::1:user/x", "accesskeyid": "AKIAX"}, "p_log_type": "AWS.CloudTrail",
        "requestParameters": {"secretId": "s"},
    }  # fmt: skip
    parsed = read(IMPORTER, record)
    seen = only(parsed.events, EventKind.EFFECT)
    assert (parsed.identity, seen.verb, seen.clock) == ("i-1", Verb.SECRET_READ, Clock.ZONE_ASSUMED)
    assert names(only(parsed.events, EventKind.CREDENTIAL), KeyRole.CREDENTIAL) == ["aws.key:AKIAX"]
    assert IMPORTER.sniff([record]) > 50


GLUED = {
    "eventID": "e-1", "eventTime": "2026-06-01T10:00:00Z", "eventName": "ListBuckets", "eventSource": "s3.amazonaws.com",
    "eventVersion": "1.05", "userIdentitytype": "AssumedRole", "userIdentityarn": "arn:aws:sts::1:assumed-role/agent/s",
    "userIdentityaccessKeyId": "ASIAEXAMPLEEXAMPLE01", "userIdentitysessionContextsessionIssueruserName": "agent",
    "errorCode": "NoError", "errorMessage": "NoError",
}  # fmt: skip
SENTINEL = {
    "TenantId": "t", "TimeGenerated": "2026-06-01T10:00:00Z", "AwsEventId": "e-1", "EventVersion": "1.08", "EventSource": "s3.amazonaws.com",
    "EventTypeName": "AwsApiCall", "EventName": "ListBuckets", "UserIdentityType": "AssumedRole", "SessionIssuerUserName": "agent",
    "UserIdentityArn": "arn:aws:sts::1:assumed-role/agent/s", "UserIdentityAccessKeyId": "ASIAEXAMPLEEXAMPLE01", "ErrorCode": "",
}  # fmt: skip


EXPORTED = {name: value for name, value in SENTINEL.items() if name != "TimeGenerated"} | {
    "TimeGenerated [UTC]": "6/1/2026, 10:00:00.000 AM"
}


@pytest.mark.parametrize("row", [GLUED, SENTINEL, EXPORTED])
def test_tables_with_a_column_for_each_member_of_the_identity(row: dict[str, object]) -> None:
    assert IMPORTER.sniff([row]) > 80
    parsed = read(IMPORTER, row)
    assert (parsed.identity, parsed.type) == ("e-1", "ListBuckets")
    effect = only(parsed.events, EventKind.EFFECT)
    assert effect.principal is not None
    assert (effect.principal.name, effect.at) == ("arn:aws:sts::1:assumed-role/agent/s", 1_780_308_000_000_000)
    assert effect.outcome is not None
    assert effect.outcome.effect is Tri.YES
    assert names(only(parsed.events, EventKind.CREDENTIAL), KeyRole.CREDENTIAL) == ["aws.key:ASIAEXAMPLEEXAMPLE01"]
    refused = read(IMPORTER, row | {"errorCode": "AccessDenied", "ErrorCode": "AccessDenied", "errorMessage": "nan"})
    assert only(refused.events, EventKind.DECISION).decision is not None


def test_a_stranger_with_an_event_name_is_no_call() -> None:
    assert IMPORTER.sniff([{"EventName": "signup", "EventSource": "web", "UserIdentityType": "x"}]) == 0
