"""Google Cloud audit: decisions, service account keys, tokens handed out, secrets, other spellings of an entry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from importers.gcp import IMPORTER
from model.event import BadRecord
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from tests.importer_checks import JSON, all_of, mutated, names, only, read, survives, whole

Record = dict[str, object]
KEY = "69049163b190437ab9279b28e8afa24bb5c5b076"
ACCOUNT = "projects/p/serviceAccounts/ci@p.iam.gserviceaccount.com"


def entry(method: str, service: str = "iam.googleapis.com", **payload: object) -> Record:
    return {
        "insertId": "i1",
        "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
        "timestamp": "2026-06-01T10:00:00.339983306Z",
        "resource": {"type": "service_account", "labels": {"project_id": "p"}},
        "protoPayload": {
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "serviceName": service,
            "methodName": method,
            "resourceName": ACCOUNT,
            "authenticationInfo": {"principalEmail": "dev@acme.example", "principalSubject": "user:dev@acme.example"},
            "authorizationInfo": [{"permission": "iam.serviceAccountKeys.create", "granted": True, "resourceAttributes": {}}],
            "requestMetadata": {"callerIp": "10.0.0.7", "callerSuppliedUserAgent": "gcloud"},
        }
        | payload,
    }


def test_decision_and_effect() -> None:
    parsed = read(IMPORTER, entry("v1.compute.instances.delete", "compute.googleapis.com"))
    verdict = only(parsed.events, EventKind.DECISION).decision
    assert verdict is not None
    assert verdict.effect is Effect.ALLOW
    effect = only(parsed.events, EventKind.EFFECT)
    assert (effect.vantage, effect.verb, effect.point) == (Vantage.TARGET, Verb.CLOUD_CALL, "gcp:p")
    assert effect.target.name == "compute:delete"
    assert effect.clock is Clock.EXACT
    assert parsed.at == 1_780_308_000_339_983


SINK: Record = {
    "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity", "timestamp": "2026-06-01 10:00:00.000 UTC", "insertId": "i1",
    "resource": {"type": "service_account", "labels": {"project_id": "p"}},
    "protopayload_auditlog": {
        "serviceName": "iam.googleapis.com", "methodName": "google.iam.admin.v1.CreateServiceAccountKey",
        "resourceName": "projects/-/serviceAccounts/1", "authenticationInfo": {"principalEmail": "dana@acme.example"},
        "requestJson": "{broken", "responseJson": json.dumps({"name": f"{ACCOUNT}/keys/{KEY}"}),
    },
}  # fmt: skip
ANALYTICS: Record = {
    "log_name": "projects/p/logs/cloudaudit.googleapis.com%2Fdata_access", "timestamp": "2026-06-01T10:00:01Z", "insert_id": "i2",
    "resource": {"type": "audited_resource", "labels": {"project_id": "p"}},
    "proto_payload": {"type": "type.googleapis.com/google.cloud.audit.AuditLog", "audit_log": {
        "service_name": "secretmanager.googleapis.com", "resource_name": "projects/1/secrets/db/versions/1",
        "method_name": "google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion",
        "authentication_info": {"principal_email": "eve@acme.example"}, "request_metadata": {"caller_ip": "192.0.2.1"},
        "status": {"code": 7, "message": "PERMISSION_DENIED"}}},
}  # fmt: skip


def test_entries_as_a_sink_or_analytics_keep_them() -> None:
    assert min(IMPORTER.sniff([SINK]), IMPORTER.sniff([ANALYTICS])) > 90
    issued = only(read(IMPORTER, SINK).events, EventKind.CREDENTIAL, Phase.ISSUED)
    assert names(issued, KeyRole.CREDENTIAL) == [f"gcp.key:{KEY}"]
    kept = read(IMPORTER, ANALYTICS)
    verdict = only(kept.events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.verb, verdict.target.name) == (Effect.DENY, Verb.SECRET_READ, "db")
    assert (verdict.principal and verdict.principal.name, verdict.attrs["host"]) == ("eve@acme.example", "192.0.2.1")
    assert kept.identity and kept.identity.endswith(":i2")


@pytest.mark.parametrize(
    ("payload", "effect", "done"),
    [
        ({"authorizationInfo": [{"permission": "x", "granted": False}]}, Effect.DENY, Tri.NO),
        ({"authorizationInfo": [{"permission": "x"}], "status": {"code": 7, "message": "denied"}}, Effect.DENY, Tri.NO),
        ({"status": {"code": 5, "message": "not found"}}, Effect.ALLOW, Tri.NO),
        ({"authorizationInfo": []}, None, Tri.YES),
        ({"authorizationInfo": [{"resource": "projects/p/x", "granted": True}]}, Effect.ALLOW, Tri.YES),
        ({"authorizationInfo": [{"permission": "x"}]}, None, Tri.YES),
        ({"status": {}}, Effect.ALLOW, Tri.YES),
    ],
)
def test_granted_refused_or_not_said(payload: Record, effect: Effect | None, done: Tri) -> None:
    events = read(IMPORTER, entry("v1.compute.instances.delete", "compute.googleapis.com", **payload)).events
    said = [e.decision.effect for e in events if e.decision]
    assert said == ([effect] if effect else [])
    outcome = only(events, EventKind.EFFECT).outcome
    assert outcome is not None
    assert outcome.effect is done


@pytest.mark.parametrize(
    ("method", "service", "payload"),
    [
        ("cloudsql.instances.query", "cloudsql.googleapis.com", {"request": {"statement": "DROP TABLE t"}}),
        ("google.cloud.bigquery.v2.JobService.InsertJob", "bigquery.googleapis.com",
         {"metadata": {"jobInsertion": {"job": {"jobConfig": {"queryConfig": {"query": "DROP TABLE t"}}}}}}),
        ("jobservice.insert", "bigquery.googleapis.com",
         {"serviceData": {"jobInsertRequest": {"resource": {"jobConfiguration": {"query": {"query": "DROP TABLE t"}}}}}}),
    ],
    ids=["sql", "job", "older"],
)  # fmt: skip
def test_what_a_database_was_asked(method: str, service: str, payload: Record) -> None:
    seen = only(read(IMPORTER, entry(method, service, **payload)).events, EventKind.EFFECT)
    assert (seen.verb, seen.attrs["command"]) == (Verb.DB_QUERY, "DROP TABLE t")


def test_a_perimeter_that_is_only_tried_out_refuses_nothing() -> None:
    said = {"code": 7, "message": "(Dry Run Mode) Request is prohibited by organization's policy."}
    tried = read(IMPORTER, entry("google.storage.objects.get", "storage.googleapis.com", status=said, metadata={"dryRun": True}))
    verdict = only(tried.events, EventKind.DECISION).decision
    assert verdict is not None
    assert (len(tried.events), verdict.effect) == (1, Effect.UNKNOWN)
    enforced = read(IMPORTER, entry("google.storage.objects.get", "storage.googleapis.com", status=said)).events
    verdict = only(enforced, EventKind.DECISION).decision
    assert verdict is not None
    assert verdict.effect is Effect.DENY


def test_what_an_organisations_policy_forbids_is_refused_though_it_was_granted() -> None:
    rule = "constraints/iam.disableServiceAccountKeyCreation"
    said = {"code": 9, "message": "Key creation is not allowed", "details": [{"violations": [{"type": rule}]}]}
    events = read(IMPORTER, entry("google.iam.admin.v1.CreateServiceAccountKey", status=said)).events
    verdict = only(events, EventKind.DECISION).decision
    assert verdict is not None
    assert (verdict.effect, verdict.rule, verdict.reason) == (Effect.DENY, rule, "Key creation is not allowed")


@pytest.mark.parametrize(
    ("method", "effect", "done"),
    [
        ("google.login.LoginService.loginFailure", Effect.DENY, Tri.NO),
        ("google.login.LoginService.loginSuccess", Effect.ALLOW, Tri.YES),
        ("google.login.LoginService.loginChallenge", Effect.ASK, Tri.UNKNOWN),
    ],
)
def test_sign_ins_say_by_their_name_how_they_ended(method: str, effect: Effect, done: Tri) -> None:
    events = read(IMPORTER, entry(method, "login.googleapis.com", authorizationInfo=[])).events
    verdict, seen = only(events, EventKind.DECISION).decision, only(events, EventKind.EFFECT).outcome
    assert verdict is not None and seen is not None
    assert (verdict.effect, seen.effect) == (effect, done)


@pytest.mark.parametrize(
    ("mail", "kind"),
    [
        ("system@google.com", "service"),
        ("system:serviceaccount:agents:coder", "workload"),
        ("system:kube-scheduler", "service"),
        ("dana@acme.example", "human"),
    ],
)
def test_who_called(mail: str, kind: str) -> None:
    seen = only(read(IMPORTER, entry("x.y.z", authenticationInfo={"principalEmail": mail})).events, EventKind.EFFECT)
    assert seen.principal is not None
    assert (seen.principal.name, seen.principal.kind) == (mail, kind)


def test_a_service_accounts_call_names_the_job_that_acts_as_it() -> None:
    job = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/gh/subject/repo:acme/pay:ref:refs/heads/main"
    acting = {
        "principalEmail": "ci@p.iam.gserviceaccount.com",
        "principalSubject": "serviceAccount:ci@p.iam.gserviceaccount.com",
        "serviceAccountDelegationInfo": [{"principalSubject": job}, {"firstPartyPrincipal": {"principalEmail": "x@p.example"}}],
    }
    seen = only(read(IMPORTER, entry("x.y.z", authenticationInfo=acting)).events, EventKind.EFFECT)
    assert seen.principal is not None
    assert (seen.principal.name, seen.principal.on_behalf_of) == ("ci@p.iam.gserviceaccount.com", job)
    assert names(seen, KeyRole.REFERENCE) == ["oidc.subject:repo:acme/pay:ref:refs/heads/main"]


def test_an_exchanged_token_is_the_callers() -> None:
    pool = "projects/1/locations/global/workloadIdentityPools/gh"
    who = f"principal://iam.googleapis.com/{pool}/subject/repo:acme/pay:ref:refs/heads/main"
    exchange = entry(
        "google.identity.sts.v1.SecurityTokenService.ExchangeToken", "sts.googleapis.com", resourceName=f"{pool}/providers/gh",
        authenticationInfo={"principalSubject": who}, authorizationInfo=[],
    )  # fmt: skip
    issued = only(read(IMPORTER, exchange).events, EventKind.CREDENTIAL).credential
    assert issued is not None
    assert issued.subject == who


def test_service_account_key_from_issue_to_revocation() -> None:
    name = f"{ACCOUNT}/keys/{KEY}"
    made = entry(
        "google.iam.admin.v1.CreateServiceAccountKey",
        request={"name": ACCOUNT},
        response={"name": name, "valid_before_time": {"seconds": 253402300799}},
    )
    issued = only(read(IMPORTER, made).events, EventKind.CREDENTIAL, Phase.ISSUED)
    assert names(issued, KeyRole.CREDENTIAL) == [f"gcp.key:{KEY}"]
    assert issued.credential is not None
    assert (issued.credential.ttl_seconds, issued.credential.subject) == (-1, "ci@p.iam.gserviceaccount.com")
    shown = {"principalEmail": "ci@p.iam.gserviceaccount.com", "serviceAccountKeyName": f"//iam.googleapis.com/{name}"}
    used = only(read(IMPORTER, entry("storage.objects.get", authenticationInfo=shown)).events, EventKind.CREDENTIAL, Phase.USED)
    assert names(used, KeyRole.CREDENTIAL) == [f"gcp.key:{KEY}"]
    gone = entry("google.iam.admin.v1.DeleteServiceAccountKey", resourceName=name)
    assert names(only(read(IMPORTER, gone).events, EventKind.CREDENTIAL, Phase.REVOKED), KeyRole.CREDENTIAL) == [f"gcp.key:{KEY}"]


def test_token_for_another_account_names_who_may_act_as_whom() -> None:
    shown = {"serviceAccountKeyName": f"//iam.googleapis.com/{ACCOUNT}/keys/{KEY}", "principalEmail": "ci@p"}
    record = entry(
        "GenerateAccessToken",
        "iamcredentials.googleapis.com",
        request={"name": "projects/-/serviceAccounts/admin@p", "lifetime": "3600s", "scope": ["cloud-platform"]},
        authenticationInfo=shown,
    )
    issued = only(read(IMPORTER, record).events, EventKind.CREDENTIAL, Phase.ISSUED)
    assert issued.credential is not None
    assert (issued.credential.kind, issued.credential.subject, issued.credential.ttl_seconds) == (
        "gcp.access_token",
        "admin@p",
        3600,
    )
    assert issued.credential.scope == ("cloud-platform",)
    assert names(issued, KeyRole.VIA) == [f"gcp.key:{KEY}"]
    refused = record | {"protoPayload": record["protoPayload"] | {"status": {"code": 7}}}  # type: ignore[operator]
    assert all(e.phase is not Phase.ISSUED for e in read(IMPORTER, refused).events)


@pytest.mark.parametrize(
    ("method", "service", "resource", "verb", "cls", "name"),
    [
        ("google.cloud.secretmanager.v1.SecretManagerService.AccessSecretVersion", "secretmanager.googleapis.com",
         "projects/p/secrets/db/versions/3", Verb.SECRET_READ, TargetClass.SECRET_STORE, "db"),
        ("Decrypt", "cloudkms.googleapis.com", "projects/p/k", Verb.SECRET_READ, TargetClass.SECRET_STORE, "projects/p/k"),
        ("google.logging.v2.ConfigServiceV2.DeleteSink", "logging.googleapis.com", "s", Verb.GUARDRAIL_CHANGE, TargetClass.CLOUD,
         "logging:DeleteSink"),
        ("SetIamPolicy", "cloudresourcemanager.googleapis.com", "projects/p", Verb.GUARDRAIL_CHANGE, TargetClass.CLOUD,
         "cloudresourcemanager:SetIamPolicy"),
        ("storage.setIamPermissions", "storage.googleapis.com", "projects/_/buckets/b", Verb.GUARDRAIL_CHANGE, TargetClass.CLOUD,
         "storage:setIamPermissions"),
        ("google.iam.admin.v1.CreateRole", "iam.googleapis.com", "projects/p/roles/r", Verb.GUARDRAIL_CHANGE, TargetClass.CLOUD,
         "iam:CreateRole"),
        ("google.iam.v2.Policies.CreatePolicy", "iam.googleapis.com", "policies/p", Verb.GUARDRAIL_CHANGE, TargetClass.CLOUD,
         "iam:CreatePolicy"),
        ("google.iam.admin.v1.CreateServiceAccount", "iam.googleapis.com", "projects/p", Verb.CLOUD_CALL, TargetClass.CLOUD,
         "iam:CreateServiceAccount"),
        ("google.devtools.cloudbuild.v1.CloudBuild.CreateBuild", "cloudbuild.googleapis.com", "projects/p/builds", Verb.CI_RUN,
         TargetClass.CI_CD, "projects/p/builds"),
        ("google.cloud.bigquery.v2.JobService.InsertJob", "bigquery.googleapis.com", "projects/p/jobs/1", Verb.DB_QUERY,
         TargetClass.DATABASE, "projects/p/jobs/1"),
        ("google.container.v1.ClusterManager.DeleteCluster", "container.googleapis.com", "projects/p/zones/z/clusters/prod",
         Verb.CLUSTER_CALL, TargetClass.CLUSTER, "prod"),
    ],
)  # fmt: skip
def test_verbs(method: str, service: str, resource: str, verb: Verb, cls: TargetClass, name: str) -> None:
    effect = only(read(IMPORTER, entry(method, service, resourceName=resource)).events, EventKind.EFFECT)
    assert (effect.verb, effect.target.cls, effect.target.name) == (verb, cls, name)


def test_first_and_last_record_of_an_operation_share_a_call() -> None:
    record = entry("v1.compute.instances.insert", "compute.googleapis.com")
    keys = [
        names(only(read(IMPORTER, record | {"operation": {"id": "op-1", "producer": "compute", place: True}}).events, EventKind.EFFECT),
              KeyRole.CALL)
        for place in ("first", "last")
    ]  # fmt: skip
    assert keys == [["gcp.operation:compute/op-1"]] * 2


@pytest.mark.parametrize(
    ("places", "done"),
    [({"first": True}, Tri.UNKNOWN), ({"last": True}, Tri.YES), ({"first": True, "last": True}, Tri.YES), ({}, Tri.YES)],
)
def test_a_long_operation_that_began_is_not_done(places: Record, done: Tri) -> None:
    record = entry("google.api.apikeys.v2.ApiKeys.CreateKey", "apikeys.googleapis.com")
    events = read(IMPORTER, record | {"operation": {"id": "op-1", "producer": "apikeys"} | places}).events
    outcome = only(events, EventKind.EFFECT).outcome
    assert outcome is not None
    assert outcome.effect is done
    assert [e.phase for e in events if e.kind is EventKind.CREDENTIAL] == ([Phase.ISSUED] if done is Tri.YES else [])


@pytest.mark.parametrize(
    ("method", "service", "response", "ttl"),
    [
        ("google.iam.admin.v1.CreateServiceAccountKey", "iam.googleapis.com", {"name": "x/keys/1"}, None),
        ("google.api.apikeys.v2.ApiKeys.CreateKey", "apikeys.googleapis.com", {"name": "x/keys/1"}, -1),
    ],
)
def test_a_key_has_no_end_only_where_that_is_known(method: str, service: str, response: Record, ttl: int | None) -> None:
    issued = only(read(IMPORTER, entry(method, service, response=response)).events, EventKind.CREDENTIAL, Phase.ISSUED)
    assert issued.credential is not None
    assert (issued.credential.ttl_seconds, issued.credential.expires) == (ttl, None)


def test_federated_caller_and_trace() -> None:
    subject = "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/gh/subject/repo:acme/pay:ref:refs/heads/main"
    record = entry("x.y", authenticationInfo={"principalSubject": subject}) | {"trace": "projects/p/traces/" + "ab" * 16}
    effect = only(read(IMPORTER, record).events, EventKind.EFFECT)
    assert effect.principal is not None
    assert (effect.principal.kind, effect.principal.origin) == ("workload", "ci")
    assert names(effect, KeyRole.SCOPE) == ["trace:" + "ab" * 16]
    assert names(effect, KeyRole.REFERENCE) == ["oidc.subject:repo:acme/pay:ref:refs/heads/main"]


def test_other_spellings_and_other_payloads() -> None:
    record = entry("google.iam.admin.v1.CreateRole")
    lower = {name.lower(): value for name, value in record.items()}
    assert read(IMPORTER, lower).identity == read(IMPORTER, record).identity
    naive = record | {"timestamp": "2026-06-01 10:00:00.339983306"}
    assert only(read(IMPORTER, naive).events, EventKind.EFFECT).clock is Clock.ZONE_ASSUMED
    plain = {"logName": "projects/p/logs/app", "jsonPayload": {"message": "x"}, "timestamp": "2026-06-01T10:00:00Z"}
    parsed, _ = whole("\n".join(json.dumps(r) for r in (record, plain)), "gcp-audit")
    assert (parsed[1].unknown_type, parsed[1].events) == ("jsonPayload", [])


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"methodName": "v1.compute.firewalls.patch"}, "no protoPayload"),
        ({"protoPayload": {"serviceName": "iam.googleapis.com"}}, "neither methodName nor a permission"),
        ([], "no protoPayload"),
    ],
)
def test_refused(record: object, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        read(IMPORTER, record)


@given(mutated([entry("google.iam.admin.v1.CreateServiceAccountKey", response={"name": f"{ACCOUNT}/keys/{KEY}"})]) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_public_samples(corpus: Path) -> None:
    form, parsed, reasons = all_of(corpus / "gcp-audit/panther-labs__panther-analysis/gcp-audit.jsonl")
    assert (form, len(parsed), len(reasons)) == ("gcp-audit", 131, 3)
    events = [e for p in parsed for e in p.events]
    assert sum(e.kind is EventKind.EFFECT for e in events) == 131
    assert sum(e.phase is Phase.USED for e in events) == 15
    assert sum(e.phase is Phase.VERDICT for e in events) == 97
