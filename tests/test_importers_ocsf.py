"""OCSF, read leniently: times of any unit, decisions wherever they stand, ids that join CloudTrail, members of the wrong type."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from importers.ocsf import IMPORTER
from model.event import BadRecord
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from tests.importer_checks import JSON, all_of, joined, mutated, names, only, read, survives

SESSION = "8f0c6a8e-3f57-4d6e-9a5e-3c6f5f0f9a11"
Record = dict[str, object]


def event(class_uid: int, activity: int = 1, **members: object) -> Record:
    return {
        "class_uid": class_uid,
        "category_uid": class_uid // 1000,
        "activity_id": activity,
        "type_uid": class_uid * 100 + activity,
        "time": 1780308000000,
        "severity_id": 1,
        "metadata": {"version": "1.3.0", "uid": "ev-1", "product": {"name": "Gate", "vendor_name": "Acme"}},
    } | members


API = event(
    6003,
    2,
    api={"operation": "GetSecretValue", "service": {"name": "secretsmanager.amazonaws.com"}, "request": {"uid": "req-1"},
         "response": {"code": None}},
    actor={"user": {"uid": "arn:aws:sts::1:assumed-role/A/b", "name": "A", "credential_uid": "ASIAEXAMPLE"},
           "session": {"uid": f"agent-{SESSION}"}},
    cloud={"provider": "AWS", "region": "eu-west-1", "account": {"uid": "1"}},
    resources=[{"uid": "arn:aws:secretsmanager:eu:1:secret:db-AbCdEf"}],
    src_endpoint={"ip": "10.0.0.7"},
    http_request={"user_agent": "boto"},
    status_id=1,
)  # fmt: skip


def test_a_lakes_copy_of_cloudtrail_names_the_same_caller_and_session() -> None:
    arn = f"arn:aws:sts::1:assumed-role/agent/{SESSION}"
    user = {"uid": arn, "uid_alt": f"AROAEXAMPLE:{SESSION}", "credential_uid": "ASIAEXAMPLE", "type": "AssumedRole"}
    for event_ in read(IMPORTER, API | {"actor": {"user": user, "session": {"issuer": "arn:aws:iam::1:role/agent"}}}).events:
        assert event_.principal is not None
        assert event_.principal.name == arn
        assert names(event_, KeyRole.SCOPE) == [f"session:{SESSION}"]


def test_a_requests_own_id_is_its_call() -> None:
    record = event(
        4002, 3, http_request={"uid": "rq-1", "http_method": "GET", "url": {"url_string": "https://x.example/a"}}, status_id=1
    )
    assert names(only(read(IMPORTER, record).events, EventKind.EFFECT), KeyRole.CALL) == ["request:rq-1"]


def test_calls_before_1_0_are_calls() -> None:
    """Release candidates had API Activity as class 3005, the caller's ARN in `uuid` and its id in `uid`."""
    arn = f"arn:aws:sts::1:assumed-role/agent/{SESSION}"
    user = {"type": "AssumedRole", "uid": f"AROAEXAMPLE:{SESSION}", "uuid": arn, "credential_uid": "ASIAEXAMPLE"}
    old = API | {"class_uid": 3005, "category_uid": 3, "type_uid": 300502, "actor": {"user": user, "session": {}}}
    effect = only(read(IMPORTER, old).events, EventKind.EFFECT)
    assert (effect.verb, effect.target.name, effect.principal and effect.principal.name) == (Verb.SECRET_READ, "db", arn)
    assert names(effect, KeyRole.SCOPE) == [f"session:{SESSION}"]
    key_made = event(3001, api={"operation": "CreateAccessKey", "service": {"name": "iam.amazonaws.com"}},
                     cloud={"provider": "AWS"}, user={"name": "ci"}, status_id=1)  # fmt: skip
    assert only(read(IMPORTER, key_made).events, EventKind.EFFECT).verb is Verb.CREDENTIAL_ISSUE
    changed = only(read(IMPORTER, event(3001, user={"name": "ci"}, activity_name="Create")).events, EventKind.EFFECT)
    assert (changed.tool, changed.target.name) == ("Create", "ci")


OLD_API: Record = {
    "response": {"error": None, "message": None},
    "operation": "GetSecretValue",
    "request": {"uid": "req-1"},
    "service": {"name": "secretsmanager.amazonaws.com"},
}
OLD_CALL: Record = {
    "metadata": {"product": {"version": "1.08", "name": "CloudTrail", "vendor_name": "AWS"}, "version": "0.26.1"},
    "time": 1780323670000,
    "cloud": {"region": "eu-west-1", "provider": "AWS"},
    "api": OLD_API,
    "ref_event_uid": "ev-1",
    "identity": {
        "user": {"type": "IAMUser", "name": "dana", "uid": "AIDAEXAMPLE", "uuid": "arn:aws:iam::111122223333:user/dana",
                 "credential_uid": "ASIAEXAMPLE"},
        "invoked_by": None,
    },
    "class_name": "Cloud API",
    "class_uid": 5001,
    "category_name": "Cloud Activity",
    "category_uid": 5,
    "activity_id": 3,
    "type_uid": 500103,
    "unmapped": [["eventCategory", "Management"], ["requestParameters", '{"secretId": "prod/db"}'], ["odd"]],
}  # fmt: skip
"""A cloud's call as the schema had it before 1.0, where the number is an inventory's now."""


def test_a_call_of_a_clouds_own_category_is_a_call() -> None:
    parsed = read(IMPORTER, OLD_CALL)
    used, effect = parsed.events
    assert parsed.identity == "cloudtrail:ev-1"
    assert (effect.verb, effect.target.name) == (Verb.SECRET_READ, "prod/db")
    assert effect.principal is not None
    assert effect.principal.name == "arn:aws:iam::111122223333:user/dana"
    assert effect.outcome is not None
    assert effect.outcome.effect is Tri.YES
    assert names(used, KeyRole.CREDENTIAL) == ["aws.key:ASIAEXAMPLE"]
    refused = {"error": "AccessDenied", "message": "not authorized to perform"}
    verdict, *_, failed = read(IMPORTER, OLD_CALL | {"api": OLD_API | {"response": refused}}).events
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.DENY
    assert failed.outcome is not None
    assert failed.outcome.effect is Tri.NO
    silent = read(IMPORTER, OLD_CALL | {"api": OLD_API | {"response": None}}).events[-1]
    assert silent.outcome is not None
    assert silent.outcome.effect is Tri.UNKNOWN


@pytest.mark.parametrize(
    ("record", "effect", "done"),
    [
        (event(6004, 1, web_resources=[{"url_string": "https://x.example/a"}], status_id=1), Effect.ALLOW, Tri.YES),
        (event(6004, 2, web_resources=[{"url_string": "https://x.example/a"}], status_id=1), Effect.DENY, Tri.NO),
        (event(6004, 4, web_resources=[{"url_string": "https://x.example/a"}]), None, Tri.NO),
        (event(6006, 1, file={"name": "plan.md"}, status_id=1), None, Tri.YES),
        (event(4001, 1, dst_endpoint={"ip": "203.0.113.7"}), None, Tri.UNKNOWN),
        (event(4001, 5, dst_endpoint={"ip": "203.0.113.7"}, status_code="OK"), None, Tri.NO),
        (event(4001, 4, dst_endpoint={"ip": "203.0.113.7"}), None, Tri.NO),
        (event(4001, 6, dst_endpoint={"ip": "203.0.113.7"}, disposition_id=25), Effect.DENY, Tri.NO),
        (
            event(4002, 3, http_request={"http_method": "GET", "url": {"hostname": "x.example"}}, http_status=403),
            Effect.DENY,
            Tri.NO,
        ),
        (event(4002, 3, http_request={"http_method": "GET", "url": {"hostname": "x.example"}}, http_status=502), None, Tri.NO),
        (event(4002, 3, http_request={"url": {"hostname": "x.example"}}, disposition_id=23), Effect.ASK, Tri.UNKNOWN),
    ],
)
def test_what_an_activity_or_an_answer_says_of_the_outcome(record: Record, effect: Effect | None, done: Tri) -> None:
    events = read(IMPORTER, record).events
    assert [e.decision.effect for e in events if e.decision] == ([effect] if effect else [])
    outcome = only(events, EventKind.EFFECT).outcome
    assert outcome is not None
    assert outcome.effect is done


@pytest.mark.parametrize(
    ("time", "at"),
    [
        (1780308000000, 1_780_308_000_000_000),
        ("1780308000000000000", 1_780_308_000_000_000),
        (1780308000, 1_780_308_000_000_000),
        ("2026-06-01T10:00:00Z", 1_780_308_000_000_000),
    ],
)
def test_times(time: object, at: int) -> None:
    assert read(IMPORTER, event(6003, api={"operation": "x"}, time=time)).at == at
    logged = event(6003, api={"operation": "x"}, time=None, metadata={"logged_time": time})
    assert read(IMPORTER, logged).at == at


def test_api_activity() -> None:
    events = read(IMPORTER, API).events
    effect = only(events, EventKind.EFFECT)
    assert (effect.verb, effect.target.cls, effect.target.name, effect.vantage) == (
        Verb.SECRET_READ, TargetClass.SECRET_STORE, "db", Vantage.TARGET,
    )  # fmt: skip
    assert (names(effect, KeyRole.CALL), names(effect, KeyRole.SCOPE)) == (["request:req-1"], [f"session:{SESSION}"])
    assert effect.principal is not None
    assert (effect.principal.name, effect.attrs["account"], effect.attrs["host"]) == (
        "arn:aws:sts::1:assumed-role/A/b",
        "1",
        "10.0.0.7",
    )
    assert names(only(events, EventKind.CREDENTIAL), KeyRole.CREDENTIAL) == ["aws.key:ASIAEXAMPLE"]
    assert effect.outcome is not None
    assert effect.outcome.effect is Tri.YES


@pytest.mark.parametrize(
    ("members", "effect", "rule"),
    [
        ({"policy_decision": "deny", "policy_rule": "no-curl"}, Effect.DENY, "no-curl"),
        ({"policy_decision": "warn", "policy_rule": "r"}, Effect.ALLOW, "r"),
        ({"disposition_id": 2, "policy": {"name": "p"}}, Effect.DENY, "p"),
        ({"disposition_id": "1"}, Effect.ALLOW, ""),
        ({"disposition": "Blocked"}, Effect.DENY, ""),
        ({"action_id": 2, "firewall_rule": {"name": "fw"}}, Effect.DENY, "fw"),
        ({"actor": {"authorizations": [{"decision": "Allowed", "policy": {"name": "role-x"}}]}}, Effect.ALLOW, "role-x"),
        ({"api": {"operation": "x", "response": {"error": "AccessDenied"}}}, Effect.DENY, ""),
        ({"http_response": {"code": 403}}, Effect.DENY, ""),
        ({"disposition_id": 0}, None, ""),
        ({"disposition_id": 17, "action_id": 3}, None, ""),
    ],
)
def test_decisions_wherever_they_stand(members: Record, effect: Effect | None, rule: str) -> None:
    events = read(IMPORTER, API | members).events
    assert [(e.decision.effect, e.decision.rule) for e in events if e.decision] == ([(effect, rule)] if effect else [])
    outcome = only(events, EventKind.EFFECT).outcome
    assert outcome is not None
    assert outcome.effect is (Tri.NO if effect is Effect.DENY else Tri.YES)


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ({"status_id": 2}, Tri.NO),
        ({"status_id": 0}, Tri.UNKNOWN),
        ({"status_id": None, "status": "Failure"}, Tri.NO),
        ({"status_id": "1"}, Tri.YES),
    ],
)
def test_unsaid_is_not_done(status: Record, done: Tri) -> None:
    outcome = only(read(IMPORTER, API | status).events, EventKind.EFFECT).outcome
    assert outcome is not None
    assert outcome.effect is done


@pytest.mark.parametrize(
    ("record", "verb", "cls", "name"),
    [
        (event(1001, 2, file={"path": "/etc/passwd"}), Verb.FILE_READ, TargetClass.FILESYSTEM, "/etc/passwd"),
        (event(1001, 4, file={"path": "/a"}), Verb.FILE_DELETE, TargetClass.FILESYSTEM, "/a"),
        (event(1007, 1, process={"pid": "7", "cmd_line": "git push"}), Verb.EXEC, TargetClass.UNKNOWN, ""),
        (event(4001, 1, dst_endpoint={"hostname": "api.example", "port": "443"}), Verb.NET_CONNECT, TargetClass.NETWORK, "api.example"),
        (event(4003, 1, query={"hostname": "x.example"}), Verb.NET_CONNECT, TargetClass.NETWORK, "x.example"),
        (event(4002, 1, http_request={"http_method": "POST", "url": {"url_string": "https://api.github.com/repos/acme/pay/pulls"}}),
         Verb.PR_OPEN, TargetClass.REPOSITORY, "acme/pay"),
        (event(4002, 1, http_request={"http_method": "GET", "url": "/file"}, dst_endpoint={"hostname": "raw.example"}),
         Verb.HTTP_REQUEST, TargetClass.NETWORK, "raw.example"),
        (event(6005, 4, database={"name": "pay"}, query_info={"query_string": "select 1"}), Verb.DB_QUERY, TargetClass.DATABASE, "pay"),
        (event(6005, 105, enrichments={"server_name": "s", "tool_name": "t"}), Verb.MCP_CALL, TargetClass.MCP_SERVER, "s"),
        (event(6005, 105, enrichments=[{"name": "server_name", "value": "s"}, {"name": "tool_name", "value": "t"}]),
         Verb.MCP_CALL, TargetClass.MCP_SERVER, "s"),
        (event(6005, 155, enrichments={"provider": "vault", "secret_name": "pat"}), Verb.SECRET_READ, TargetClass.SECRET_STORE, "pat"),
        (event(6002, 1, app={"name": "agent"}), Verb.UNKNOWN, TargetClass.CLOUD, "agent"),
        (event(6003, 1, api={"operation": "create", "service": {"name": "kubernetes"}}, resources=[{"name": "pods/a"}]),
         Verb.CLUSTER_CALL, TargetClass.CLUSTER, "pods/a"),
    ],
)  # fmt: skip
def test_classes(record: Record, verb: Verb, cls: TargetClass, name: str) -> None:
    effect = only(read(IMPORTER, record).events, EventKind.EFFECT)
    assert (effect.verb, effect.target.cls, effect.target.name) == (verb, cls, name)


@pytest.mark.parametrize(
    ("path", "operation", "resource", "verb", "name", "detail"),
    [
        ("/api/v1/nodes", "create", {"type": "nodes", "name": "n1"}, Verb.CLUSTER_CALL, "", "nodes/n1"),
        ("/api/v1/namespaces/pay/pods/p/exec", "create", {"type": "pods", "name": "p"}, Verb.EXEC, "pay", "pods/p/exec"),
        ("", "get", {"type": "secrets", "name": "s", "namespace": "pay"}, Verb.SECRET_READ, "pay/s", "secrets/s"),
    ],
)
def test_eks_in_security_lake_is_told_as_the_cluster_tells_it(
    path: str, operation: str, resource: Record, verb: Verb, name: str, detail: str
) -> None:
    request = {"operation": operation, "request": {"uid": "a-1"}, "response": {"code": 201}}
    lake = event(
        6003, 1, api=request, resources=[resource], cloud={"provider": "AWS"},
        metadata={"uid": "m", "product": {"name": "Amazon EKS", "vendor_name": "AWS", "version": "audit.k8s.io/v1"}},
        http_request={"url": {"path": path, "query_string": "command=ls&command=-l"}},
    )  # fmt: skip
    (effect,) = read(IMPORTER, lake).events
    assert (effect.verb, effect.target.name, effect.target.detail) == (verb, name, detail)
    assert effect.attrs.get("command") == ("ls -l" if verb is Verb.EXEC else None)
    assert "k8s.audit:a-1" in names(effect, KeyRole.CALL)
    said = {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": "no role"}
    for unmapped in ({"annotations": said}, {f"annotations.{key}": value for key, value in said.items()}):
        decision, effect = read(IMPORTER, lake | {"unmapped": unmapped}).events
        assert decision.decision is not None
        assert effect.outcome is not None
        assert (decision.decision.effect, decision.decision.reason) == (Effect.DENY, "no role")
        assert effect.outcome.effect is Tri.NO


def test_authentication_is_a_decision() -> None:
    user = {"user": {"email_addr": "dev@acme.example"}}
    for status, effect in ((1, Effect.ALLOW), (2, Effect.DENY)):
        decision = only(read(IMPORTER, event(3002, 1, status_id=status, actor=user)).events, EventKind.DECISION).decision
        assert decision is not None
        assert decision.effect is effect
    assert read(IMPORTER, event(3002, 1, actor=user)).events == []


def test_findings_are_no_effects_and_their_decisions_are_kept() -> None:
    finding = event(
        2004, 1, finding_info={"title": "t", "desc": "curl is blocked"}, policy_decision="deny", policy_rule="no-curl"
    )
    (verdict,) = read(IMPORTER, finding).events
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.reason) == (Effect.DENY, "curl is blocked")
    plain = read(IMPORTER, event(2004, 1, finding_info={"title": "t"}))
    assert (plain.events, plain.unknown_type) == ([], None)


def test_a_process_ends_and_a_session_holds_it_together() -> None:
    actor = {"process": {"session_uid": "sess-x", "pid": "600"}}
    begun = event(6005, 130, actor=actor, metadata={"event_code": "session_created", "uid": "a", "product": {"name": "agentsh"}})
    launched = event(1007, 1, actor=actor, process={"cmd_line": "ls"}, metadata={"uid": "b"})
    ended = read(IMPORTER, event(1007, 2, actor=actor, exit_code="3", metadata={"uid": "c"}))
    result = only(ended.events, EventKind.ACTION)
    assert result.outcome is not None
    assert (result.phase, result.outcome.tool) == (Phase.RESULT, Tri.NO)
    (chain,) = joined(read(IMPORTER, begun), read(IMPORTER, launched), ended).chains.values()
    assert chain.task.scope == "session:sess-x"


def test_a_call_without_an_operation_is_called_as_its_own_log_calls_it() -> None:
    metadata = {"version": "1.7.0", "event_code": "app.oauth2.token.grant.access_token", "product": {"name": "Idp"}}
    record = event(6003, 99, metadata=metadata, api={"request": {"uid": "rq-2"}}, actor={"user": {"name": "svc"}}, status_id=1)
    effect = only(read(IMPORTER, record).events, EventKind.EFFECT)
    assert (effect.verb, effect.tool) == (Verb.CLOUD_CALL, "app.oauth2.token.grant.access_token")
    assert effect.principal is not None
    assert effect.principal.name == "svc"
    assert effect.outcome is not None
    assert effect.outcome.effect is Tri.YES


def test_unknown_classes_are_kept_and_others_refused() -> None:
    assert read(IMPORTER, event(9999)).unknown_type == "class 9999"
    assert read(IMPORTER, event(6005, 150)).unknown_type == "6005/150"
    assert read(IMPORTER, event(6005, 150, agent_internal=True)).unknown_type is None
    only_type = {name: value for name, value in API.items() if name != "class_uid"}
    assert only(read(IMPORTER, only_type).events, EventKind.EFFECT).verb is Verb.SECRET_READ
    with pytest.raises(BadRecord, match="no class_uid"):
        read(IMPORTER, {"metadata": {}})
    with pytest.raises(BadRecord, match="without a readable time"):
        read(IMPORTER, event(6003, time="soon"))


@given(
    mutated([API, event(4002, http_request={"url": "/x"}), event(1007, process={}), event(6005, enrichments={"tool_name": "t"})])
    | JSON
)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_public_samples(corpus: Path) -> None:
    records = verdicts = unknown = 0
    for path in sorted((corpus / "ocsf").rglob("*.json")):
        form, parsed, reasons = all_of(path)
        assert (form, len(parsed), reasons) == ("ocsf", 1, []), path.name
        records += 1
        verdicts += sum(e.kind is EventKind.DECISION for e in parsed[0].events)
        unknown += parsed[0].unknown_type is not None
    assert (records, verdicts, unknown) == (96, 8, 9)


def named(class_name: str, activity_name: str, **members: object) -> Record:
    """An event whose writer kept the schema's captions and left its numbers off."""
    product = {"version": "1.4.0", "product": {"name": "Gate"}}
    return {"class_name": class_name, "activity_name": activity_name, "time": 1780308000000, "metadata": product} | members


@pytest.mark.parametrize(
    ("record", "verb", "effect", "done"),
    [
        (named("Process Activity", "Launch", process={"cmd_line": "make"}, status="Success"), Verb.EXEC, None, Tri.YES),
        (named("File System Activity", "Delete", file={"path": "/w/a"}), Verb.FILE_DELETE, None, Tri.UNKNOWN),
        (named("Network Activity", "Refuse", dst_endpoint={"ip": "203.0.113.7"}), Verb.NET_CONNECT, None, Tri.NO),
        (named("Network Activity", "Open", dst_endpoint={"ip": "203.0.113.7"}, action="Denied"), Verb.NET_CONNECT, Effect.DENY, Tri.NO),
        (named("Network Activity", "Open", dst_endpoint={"ip": "203.0.113.7"}, disposition="Blocked"), Verb.NET_CONNECT, Effect.DENY,
         Tri.NO),
    ],
    ids=["launch", "delete", "refuse", "denied", "blocked"],
)  # fmt: skip
def test_names_stand_for_numbers_that_are_not_there(record: Record, verb: Verb, effect: Effect | None, done: Tri) -> None:
    assert IMPORTER.sniff([record]) > 0
    events = read(IMPORTER, record).events
    assert [one.decision.effect for one in events if one.decision] == ([effect] if effect else [])
    seen = only(events, EventKind.EFFECT)
    assert seen.outcome is not None
    assert (seen.verb, seen.outcome.effect) == (verb, done)


@pytest.mark.parametrize("said", [{"action_id": 3}, {"disposition_id": 15}, {"disposition_id": 16}], ids=str)
def test_what_was_only_observed_was_allowed_by_nobody(said: Record) -> None:
    events = read(IMPORTER, event(1007, process={"cmd_line": "make"}, **said)).events
    assert [one.kind for one in events] == [EventKind.EFFECT]


def test_a_call_that_hands_out_a_session_issues_it() -> None:
    response = '{"credentials": {"accessKeyId": "ASIAEXAMPLE2", "expiration": "Jun 1, 2026, 11:00:00 AM"}}'
    api = {"operation": "AssumeRole", "service": {"name": "sts.amazonaws.com"}, "request": {"uid": "req-2"}}
    made = API | {"api": api | {"response": {"data": response}}, "resources": []}
    issued = only(read(IMPORTER, made).events, EventKind.CREDENTIAL, Phase.ISSUED)
    assert names(issued, KeyRole.CREDENTIAL) == ["aws.key:ASIAEXAMPLE2"]
    assert names(issued, KeyRole.VIA) == ["aws.key:ASIAEXAMPLE"]
    assert issued.credential is not None
    assert issued.credential.ttl_seconds == 3600
    refused = made | {"status_id": 2}
    assert not [one for one in read(IMPORTER, refused).events if one.phase is Phase.ISSUED]


def test_a_connection_has_its_port_and_a_process_its_program() -> None:
    place = {"hostname": "x.example", "ip": "203.0.113.7", "port": 443}
    connected = only(read(IMPORTER, event(4001, dst_endpoint=place)).events, EventKind.EFFECT).target
    assert (connected.name, connected.detail) == ("x.example", "443")
    program = {"cmd_line": "make all", "file": {"path": "/usr/bin/make", "name": "make"}}
    started = only(read(IMPORTER, event(1007, process=program)).events, EventKind.EFFECT).target
    assert (started.cls, started.name) == (TargetClass.FILESYSTEM, "/usr/bin/make")
