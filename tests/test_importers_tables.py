"""Logs of JSON records that were exported as tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest

from importers import NotRecognised, open_source
from importers.cutting.tables import nested
from lang.times import iso
from model.words import Clock, EventKind, KeyRole, Phase, Verb
from tests.importer_checks import names, only, whole

GITHUB = """@timestamp,_document_id,action,actor,org,repo,data.head_sha,hashed_token,user
1772359200000,abc1,git.push,dana,acme,acme/pay,,YWJj,
1772359201000,abc2,workflows.completed_workflow_run,dana,acme,acme/pay,0a1b2c3d4e5f60718293a4b5c6d7e8f901234567,,
"""
CONSOLE = """Event name,Event time,User name,Event source,Resource type,Resource name,AWS access key,AWS region,Read-only,Error code,Event ID
AssumeRole,2026-03-01T10:00:00Z,dana,sts.amazonaws.com,AWS::IAM::Role,deploy,AKIAABCDEFGHIJKLMNOP,eu-west-1,false,,e-1
GetSecretValue,"March 17, 2026, 12:31:29 (UTC+05:30)",dana,secretsmanager.amazonaws.com,,,ASIAABCDEFGHIJKLMNOP,eu-west-1,true,AccessDenied,e-2
"""
LAKE = """eventVersion,eventTime,eventSource,eventName,awsRegion,userIdentity,eventID
1.09,2026-03-01T10:00:00Z,s3.amazonaws.com,GetObject,eu-west-1,"{""type"":""IAMUser"",""userName"":""dana"",""accessKeyId"":""AKIAABCDEFGHIJKLMNOP""}",e-1
"""


@pytest.mark.parametrize(
    ("row", "record"),
    [
        ({"a": "x", "b": ""}, {"a": "x"}),
        ({"data.sha": "0a", "data.run.id": "17"}, {"data": {"sha": "0a", "run": {"id": 17}}}),
        ({"a": '{"b": [1]}', "c": "{broken", "d": "True"}, {"a": {"b": [1]}, "c": "{broken", "d": True}),
        ({"account": "007", "long": "1234567890123456"}, {"account": "007", "long": "1234567890123456"}),
        ({"a": "1", "a.b": "2"}, {"a": 1, "a.b": 2}),
        ({"a.b": "2", "a": "1"}, {"a": 1}),
        ({".": "x", "a..b": "y"}, {".": "x", "a..b": "y"}),
        ({"a[0].b": "x", "a[0].c": "y", "a[1].b": "z"}, {"a": [{"b": "x", "c": "y"}, {"b": "z"}]}),
        ({"a.0.b": "x", "a.1.b": "y", "c.1": "z"}, {"a": [{"b": "x"}, {"b": "y"}], "c": {"1": "z"}}),
        ({"a{}.b": "x", "c{}": "y", "d{}.e": "x\ny"}, {"a": [{"b": "x"}], "c": ["y"], "d": [{"e": "x"}, {"e": "y"}]}),
        ({"a{}.b": "x\ny", "a{}.c": "z", "d{}.e{}": "x"}, {"a{}.b": "x\ny", "a{}.c": "z", "d{}.e{}": "x"}),
        ({"a": "{'b': None, 'c': [True, 1.5], \"d\": \"it's\"}"}, {"a": {"b": None, "c": [True, 1.5], "d": "it's"}}),
        ({"a": r"{'b': 'it\'s \"so\"\n\x41\u00e9\U0001f600\\', 'None': 1}"}, {"a": {"b": 'it\'s "so"\nAé😀\\', "None": 1}}),
        (
            {"a": "{'b': datetime(2026, 3, 17)}", "c": "{'b': <X.Y: 'z'>}"},
            {"a": "{'b': datetime(2026, 3, 17)}", "c": "{'b': <X.Y: 'z'>}"},
        ),
        (
            {"a": "{'b'", "c": "[" * 50 + "'x'" + "]" * 49, "d": "{'b': 'x}"},
            {"a": "{'b'", "c": "[" * 50 + "'x'" + "]" * 49, "d": "{'b': 'x}"},
        ),
    ],
)
def test_a_row_is_the_record_it_was_made_from(row: dict[str, object], record: dict[str, object]) -> None:
    assert nested(row) == record


def test_an_audit_log_of_github_as_a_table() -> None:
    parsed, rejects = whole(GITHUB, "github-audit")
    assert rejects == [] and [one.identity for one in parsed] == ["abc1", "abc2"]
    push = only(parsed[0].events, EventKind.EFFECT)
    assert (push.verb, push.target.name, push.at) == (Verb.REPO_WRITE, "acme/pay", 1772359200000000)
    assert names(only(parsed[0].events, EventKind.CREDENTIAL), KeyRole.CREDENTIAL) == ["token:YWJj"]
    assert any(key.kind == "commit" for event in parsed[1].events for key in event.keys)


def test_the_event_history_of_cloudtrail_s_console_as_a_table() -> None:
    parsed, rejects = whole(CONSOLE, "cloudtrail")
    assert rejects == [] and [(one.identity, one.type) for one in parsed] == [("e-1", "AssumeRole"), ("e-2", "GetSecretValue")]
    denied = only(parsed[1].events, EventKind.DECISION)
    assert iso(denied.at) == "2026-03-17T07:01:29Z"
    assert (denied.phase, denied.principal.name if denied.principal else "") == (Phase.VERDICT, "dana")
    held = [name for one in parsed for e in one.events for name in names(e, KeyRole.CREDENTIAL)]
    assert {"aws.key:AKIAABCDEFGHIJKLMNOP", "aws.key:ASIAABCDEFGHIJKLMNOP"} <= set(held)


def test_a_query_s_answer_as_a_table_holds_json_in_its_cells() -> None:
    parsed, rejects = whole(LAKE, "cloudtrail")
    assert rejects == [] and parsed[0].events[0].principal is not None


@pytest.mark.parametrize("text", ["eventName,b,c\nx,y,z\n", "name,amount\nrent,100\n", "action\na.b\n"])
def test_a_table_of_anything_else_is_no_log(text: str) -> None:
    with pytest.raises(NotRecognised):
        open_source(io.BytesIO(text.encode()))


K8S = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "level": "Metadata",
    "stage": "ResponseComplete",
    "auditID": "0b1f7c1e-1111-41ee-8333-444455556666",
    "requestURI": "/api/v1/namespaces/pay/secrets/db",
    "verb": "get",
    "user": {"username": "dana"},
    "objectRef": {"resource": "secrets", "namespace": "pay", "name": "db"},
    "responseStatus": {"code": 200},
    "stageTimestamp": "2026-03-17T10:00:00.000Z",
}
KIBANA = """"@timestamp","_id","kubernetes.audit.kind","kubernetes.audit.apiVersion","kubernetes.audit.level","kubernetes.audit.stage","kubernetes.audit.auditID","kubernetes.audit.requestURI","kubernetes.audit.verb","kubernetes.audit.user.username","kubernetes.audit.objectRef.resource","kubernetes.audit.objectRef.namespace","kubernetes.audit.objectRef.name","kubernetes.audit.objectRef.subresource","kubernetes.audit.responseStatus.code","kubernetes.audit.stageTimestamp"
"Mar 17, 2026 @ 11:00:00.000",x,Event,audit.k8s.io/v1,Metadata,ResponseComplete,0b1f7c1e-1111-41ee-8333-444455556666,/api/v1/namespaces/pay/secrets/db,get,dana,secrets,pay,db,-,200,2026-03-17T10:00:00.000Z
"""


@pytest.mark.parametrize(
    "data",
    [
        KIBANA,
        json.dumps({"@timestamp": "2026-03-17T10:00:00Z", "kubernetes": {"audit": K8S}}),
        json.dumps({"_source": {"kubernetes": {"audit": K8S}}}),
    ],
)
def test_what_elastic_keeps_of_a_cluster_s_audit_log(data: str) -> None:
    ((parsed,), rejects) = whole(data, "kubernetes")
    assert rejects == [] and [(one.verb, one.target.name, iso(one.at)) for one in parsed.events] == [
        (Verb.SECRET_READ, "pay/db", "2026-03-17T10:00:00Z")
    ]


SPLUNK = """_time,eventType,published,uuid,actor.id,actor.type,actor.alternateId,outcome.result,target{}.id,target{}.type,target{}.displayName
2026-03-17T10:00:00.000+0000,system.api_token.create,2026-03-17T10:00:00.000Z,u1,00u1,User,dana@acme.example,SUCCESS,00T1,Token,ci token
"""


def test_a_list_in_splunk_s_columns() -> None:
    ((parsed,), _) = whole(SPLUNK, "okta")
    assert [name for event in parsed.events for name in names(event, KeyRole.CREDENTIAL)] == ["okta.token_id:00T1"]


def test_a_table_of_lines_that_a_store_kept_whole() -> None:
    rows = [["Date", "Host", "Content"], ["2026-03-17T10:00:00Z", "h", json.dumps(K8S)]]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    ((parsed,), rejects) = whole(out.getvalue(), "kubernetes")
    assert rejects == [] and parsed.events[0].verb is Verb.SECRET_READ


# What consoles and stores of logs export of JSON records, column by column.
EXPORTED = {
    "gcp-audit": (
        'insertId,logName,operation.id,protoPayload.@type,protoPayload.authenticationInfo.principalEmail,protoPayload.authorizationInfo,protoPayload.methodName,protoPayload.requestMetadata.callerIp,protoPayload.resourceName,protoPayload.serviceName,protoPayload.status.code,protoPayload.status.message,receiveTimestamp,resource.labels.project_id,resource.type,severity,timestamp\na1,projects/acme/logs/cloudaudit.googleapis.com%2Fdata_access,,type.googleapis.com/google.cloud.audit.AuditLog,dana@acme.example,"[{""permission"":""secretmanager.versions.access"",""granted"":true,""resource"":""projects/1/secrets/db/versions/1""}]",google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion,192.0.2.7,projects/1/secrets/db/versions/1,secretmanager.googleapis.com,,,2026-03-17T10:00:01Z,acme,audited_resource,INFO,2026-03-17T10:00:00Z\na2,projects/acme/logs/cloudaudit.googleapis.com%2Factivity,,type.googleapis.com/google.cloud.audit.AuditLog,dana@acme.example,"[{""permission"":""storage.buckets.delete"",""resource"":""projects/_/buckets/b""}]",storage.buckets.delete,192.0.2.7,projects/_/buckets/b,storage.googleapis.com,7,PERMISSION_DENIED,2026-03-17T10:00:01Z,acme,gcs_bucket,ERROR,2026-03-17T10:00:00Z',
        ["secret.read", "secret.read", "cloud.call", "cloud.call"],
    ),
    "1password": (
        "uuid,timestamp,used_version,vault_uuid,item_uuid,action,user.uuid,user.name,user.email,client.app_name,client.ip_address,location.country\nU1,2026-03-17T10:00:00Z,1,V1,I1,reveal,X1,Dana Fox,dana@acme.example,1Password CLI,192.0.2.7,DE",
        ["secret.read"],
    ),
    "teleport": (
        "time,event,code,uid,user,login,cluster_name,server_hostname,proto,sid\n2026-03-17T10:00:00Z,session.start,T2000I,u1,dana,root,acme,web1,ssh,s1",
        ["credential.issue", "credential.issue"],
    ),
    "opa": (
        'decision_id,path,timestamp,"labels.id","labels.version","input.user","input.action","input.resource",result.allow,"result.reasons{}",msg,type\nd1,authz/decision,2026-03-17T10:00:00Z,l1,1.0,dana,push,acme/pay,false,not allowed,Decision Log,openpolicyagent.org/decision_logs',
        ["repo.write"],
    ),
    "falco": (
        'time,rule,priority,source,hostname,output,"output_fields.proc.cmdline","output_fields.proc.name","output_fields.fd.name","output_fields.user.name"\n2026-03-17T10:00:00.000000000Z,Read sensitive file untrusted,Warning,syscall,h,"10:00:00.000000000: Warning Sensitive file opened",cat /etc/shadow,cat,/etc/shadow,root',
        ["unknown"],
    ),
    "github-audit": (
        "action,actor,user,actor_ip,repo,org,created_at,actor_location.country_code,data.event,transport_protocol_name,repository,operation_type,@timestamp,_document_id,token_id,hashed_token,programmatic_access_type,user_agent\ngit.clone,dana,,192.0.2.7,acme/pay,acme,,DE,,https,acme/pay,access,1772359200000,d1,99,YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=,Fine-grained personal access token,git/2.44\nrepo.create,dana,,192.0.2.7,acme/pay,acme,1772359201000,DE,,,,create,,d2,,,,\nprotected_branch.destroy,dana,,192.0.2.7,acme/pay,acme,2026-03-01 10:00:02 UTC,DE,,,,,,d3,,,,",
        ["repo.read", "repo.read", "repo.write", "guardrail.change"],
    ),
}


@pytest.mark.parametrize("format", EXPORTED)
def test_a_table_with_a_column_for_each_member(format: str) -> None:
    data, verbs = EXPORTED[format]
    parsed, rejects = whole(data, format)
    assert rejects == [] and [event.verb.value for one in parsed for event in one.events] == verbs
    assert all(event.at is not None and event.clock is Clock.EXACT for one in parsed for event in one.events)


FLAT_OKTA = {
    "eventType": "system.api_token.create",
    "published": "2026-03-17T10:00:00.000Z",
    "uuid": "u1",
    "actor.id": "00u1",
    "actor.alternateId": "dana@acme.example",
    "outcome.result": "SUCCESS",
    "target{}.id": ["00T1", "00u2"],
    "target{}.type": ["Token", "User"],
}


@pytest.mark.parametrize(
    "around", [lambda one: one, lambda one: {"preview": False, "result": one}, lambda one: {"_index": "a", "_source": one}]
)
@pytest.mark.parametrize(
    "form", [lambda one: json.dumps(one) + "\n" + json.dumps(one), lambda one: json.dumps([one, one], indent=1)]
)
def test_objects_that_were_laid_flat(around: Callable[[object], object], form: Callable[[object], str]) -> None:
    parsed, rejects = whole(form(around(FLAT_OKTA)), "okta")
    assert rejects == [] and [one.identity for one in parsed] == ["u1", "u1"]
    (issued,) = parsed[0].events
    assert (
        names(issued, KeyRole.CREDENTIAL) == ["okta.token_id:00T1"]
        and issued.principal
        and issued.principal.name == "dana@acme.example"
    )


VAULT = """"TimeGenerated [UTC]",uuid_s,"timestamp [UTC]",category,action_type,target_user,client,Type
"11/23/2026, 5:10:29.821 PM",AAAA,"6/1/2026, 11:24:00.359 AM",credentials_failed,password_secret_bad,"{""uuid"":""U1"",""email"":""eve@acme.example""}","{""ip_address"":""192.0.2.1""}",OnePasswordEventLogs_CL
"""
SIGN_INS = {
    "TimeGenerated": "2026-06-01T10:00:00Z", "actor_id_s": "00u1", "actor_type_s": "User", "actor_alternateId_s": "dana@acme.example",
    "client_userAgent_rawUserAgent_s": "curl", "eventType_s": "user.session.start", "outcome_result_s": "FAILURE", "severity_s": "INFO",
    "outcome_reason_s": "INVALID_CREDENTIALS", "published_t": "2026-06-01T09:59:00Z", "uuid_g": "1-2", "Type": "Okta_CL",
}  # fmt: skip


def test_custom_tables_of_log_analytics_are_the_records_that_were_put_into_them() -> None:
    (row,), rejects = whole(VAULT, "1password")
    verdict = only(row.events, EventKind.DECISION)
    assert not rejects
    assert verdict.decision is not None
    assert (verdict.decision.reason, iso(verdict.at)) == ("password_secret_bad", "2026-06-01T11:24:00.359Z")
    assert verdict.principal and verdict.principal.name == "eve@acme.example"
    (event,), rejects = whole(json.dumps([SIGN_INS]), "okta")
    verdict = only(event.events, EventKind.DECISION)
    assert not rejects
    assert verdict.decision is not None
    assert (verdict.decision.reason, iso(verdict.at), event.identity) == ("INVALID_CREDENTIALS", "2026-06-01T09:59:00Z", "1-2")
    assert (verdict.principal and verdict.principal.name, verdict.attrs["user_agent"]) == ("dana@acme.example", "curl")


def test_a_heading_s_zone_is_the_times_own() -> None:
    assert nested({"at [UTC]": "6/1/2026, 1:00:00 PM", "n (UTC)": "x", "b [UTC]": "y", "b": "z"}) == {
        "at": "6/1/2026, 1:00:00 PM UTC", "n": "x", "b [UTC]": "y", "b": "z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("dates", "told"),
    [
        (["11/04/2025, 10:14:36.000", "21/04/2025, 09:45:54.000"], ["2025-04-11T10:14:36Z", "2025-04-21T09:45:54Z"]),
        (["4/11/2025, 10:14:36 pm", "4/21/2025, 9:45:54 am"], ["2025-04-11T22:14:36Z", "2025-04-21T09:45:54Z"]),
        (["11/4/2025, 10:14:36 pm", "21/4/2025, 9:45:54 am"], ["2025-04-11T22:14:36Z", "2025-04-21T09:45:54Z"]),
        (["11/04/2025 10:14", "21/04/2025 09:45", "04/21/2025 09:46"], [None, "2025-04-21T09:45:00Z", "2025-04-21T09:46:00Z"]),
        (["11/04/2025, 10:14:36.000", "02/04/2025, 09:45:54.000"], [None, None]),
    ],
    ids=["days first", "months first", "days first by halves of a day", "both", "neither"],
)
def test_a_tables_other_dates_tell_which_number_is_the_month(dates: list[str], told: list[str | None]) -> None:
    rows = [
        [
            "TimeGenerated [UTC]",
            "AwsEventId",
            "EventVersion",
            "EventSource",
            "EventName",
            "UserIdentityType",
            "UserIdentityUserName",
        ]
    ]
    rows += [[date, f"e-{n}", "1.09", "s3.amazonaws.com", "GetObject", "IAMUser", "dana"] for n, date in enumerate(dates)]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    parsed, _ = whole(text.getvalue(), "cloudtrail")
    found = [only(one.events, EventKind.EFFECT).at for one in parsed]
    assert [None if at is None else iso(at) for at in found] == told
