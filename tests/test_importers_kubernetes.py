"""Kubernetes audit: stages of one request, decisions, exec commands, credentials, and every cloud's wrapping."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from importers.kubernetes import IMPORTER
from model.event import BadRecord, Parsed
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from tests.importer_checks import JSON, all_of, joined, mutated, names, only, pretty, read, survives, whole

AUDIT = "c07ab0e2-9b07-4cc6-8e3b-91ac69586a1f"
SESSION = "8f0c6a8e-3f57-4d6e-9a5e-3c6f5f0f9a11"
Record = dict[str, object]


def event(verb: str = "get", resource: str = "pods", stage: str = "ResponseComplete", **members: object) -> Record:
    reference = {"resource": resource, "namespace": "pay", "name": "api-1", "apiVersion": "v1"}
    reference |= members.pop("ref", {})  # type: ignore[arg-type]
    made: Record = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": AUDIT,
        "stage": stage,
        "requestURI": f"/api/v1/namespaces/pay/{resource}/api-1",
        "verb": verb,
        "user": {"username": "dev@acme.example", "groups": ["system:authenticated"]},
        "sourceIPs": ["10.0.0.7"],
        "userAgent": "kubectl/v1.31.0",
        "objectRef": reference,
        "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": "2026-06-01T10:00:00.000000Z",
        "stageTimestamp": "2026-06-01T10:00:00.250000Z",
        "annotations": {
            "authorization.k8s.io/decision": "allow",
            "authorization.k8s.io/reason": 'RBAC: allowed by RoleBinding "devs/pay" of Role "pod-reader" to User "dev@acme.example"',
        },
    }
    return made | members


EXEC = event(
    "create",
    stage="ResponseStarted",
    ref={"subresource": "exec"},
    requestURI="/api/v1/namespaces/pay/pods/api-1/exec?command=cat&command=%2Fetc%2Fpass+wd&container=app&stdin=true",
    responseStatus={"code": 101},
)


def test_decision_effect_and_who() -> None:
    parsed = read(IMPORTER, event())
    verdict = only(parsed.events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.policy) == (Effect.ALLOW, "Role/pod-reader")
    assert "devs/pay" in verdict.decision.reason
    effect = only(parsed.events, EventKind.EFFECT)
    assert effect.outcome is not None
    assert (effect.outcome.effect, effect.vantage, effect.verb) == (Tri.YES, Vantage.TARGET, Verb.CLUSTER_CALL)
    assert (effect.target.cls, effect.target.name, effect.target.detail) == (TargetClass.CLUSTER, "pay", "pods/api-1")
    assert effect.principal is not None
    assert (effect.principal.name, effect.principal.kind) == ("dev@acme.example", "human")
    assert effect.attrs["host"] == "10.0.0.7"
    assert names(effect, KeyRole.CALL) == [f"k8s.audit:{AUDIT}"]
    assert parsed.at == 1_780_308_000_000_000


@pytest.mark.parametrize(
    ("members", "effect", "reason"),
    [
        ({"annotations": {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": "no"}}, Effect.DENY, "no"),
        ({"annotations": {}, "responseStatus": {"code": 403, "message": "pods is forbidden"}}, Effect.DENY, "pods is forbidden"),
        ({"annotations": {}, "responseStatus": {"code": 401, "reason": "Unauthorized"}}, Effect.DENY, "Unauthorized"),
        ({"responseStatus": {"code": 403, "message": "admission webhook denied"}}, Effect.DENY, "admission webhook denied"),
        (
            {"responseStatus": {"code": 400, "message": 'admission webhook "validate.kyverno.svc-fail" denied the request: no'}},
            Effect.DENY,
            'admission webhook "validate.kyverno.svc-fail" denied the request: no',
        ),
        (
            {
                "responseStatus": {
                    "code": 422,
                    "message": "pods is forbidden: ValidatingAdmissionPolicy 'no-latest' with binding 'b' denied request: no",
                }
            },
            Effect.DENY,
            "pods is forbidden: ValidatingAdmissionPolicy 'no-latest' with binding 'b' denied request: no",
        ),
    ],
)
def test_refusals(members: Record, effect: Effect, reason: str) -> None:
    events = read(IMPORTER, event(**members)).events
    verdict = only(events, EventKind.DECISION).decision
    assert verdict is not None
    assert (verdict.effect, verdict.reason) == (effect, reason)
    outcome = only(events, EventKind.EFFECT).outcome
    assert outcome is not None
    assert (outcome.effect, outcome.permitted) == (Tri.NO, Effect.DENY)


@pytest.mark.parametrize(
    ("said", "code", "effect", "done"),
    [
        ("allow", 302, Effect.ALLOW, Tri.YES),
        ("deny", 302, Effect.DENY, Tri.NO),
        ("deny", 401, Effect.DENY, Tri.NO),
        ("error", 302, Effect.UNKNOWN, Tri.NO),
    ],
)
def test_a_sign_in_at_openshift_is_decided_by_its_own_annotation(said: str, code: int, effect: Effect, done: Tri) -> None:
    """The server lets anybody ask, and answers a refusal with a page too."""
    entry = {
        **event("post", ""),
        "requestURI": "/login/htpasswd",
        "user": {"username": "system:anonymous"},
        "responseStatus": {"code": code},
        "annotations": {
            "authorization.k8s.io/decision": "allow",
            "authentication.openshift.io/decision": said,
            "authentication.openshift.io/username": "dana",
        },
    }
    found = read(IMPORTER, entry).events
    decided, observed = only(found, EventKind.DECISION), only(found, EventKind.EFFECT)
    assert decided.decision and decided.decision.effect is effect
    assert observed.outcome and observed.outcome.effect is done
    assert {one.principal and one.principal.name for one in found} == {"dana"}


def test_a_review_of_somebodys_access_is_a_verdict_on_that_one() -> None:
    """The component that asks was let ask; whom it asked about was refused."""
    spec = {
        "user": "system:serviceaccount:agents:coder",
        "resourceAttributes": {"namespace": "pay", "verb": "delete", "resource": "secrets", "name": "db"},
    }
    answer = {"spec": spec, "status": {"allowed": False, "reason": "no RBAC policy matched"}}
    asked = event("create", "subjectaccessreviews", ref={"namespace": "", "name": ""}, responseObject=answer)
    found = read(IMPORTER, asked).events
    verdicts = [(e.principal and e.principal.name, e.verb, e.decision.effect) for e in found if e.decision]
    assert verdicts == [
        ("dev@acme.example", Verb.CLUSTER_CALL, Effect.ALLOW),
        ("system:serviceaccount:agents:coder", Verb.SECRET_WRITE, Effect.DENY),
    ]
    assert (found[-1].target.name, names(found[-1], KeyRole.CALL)) == ("pay/db", [f"k8s.review:{AUDIT}"])
    oneself = event("create", "selfsubjectaccessreviews", responseObject=answer)
    assert len([e for e in read(IMPORTER, oneself).events if e.decision]) == 1


def test_the_refusing_webhook_is_the_policy() -> None:
    said = 'admission webhook "validation.gatekeeper.sh" denied the request: [no-root] no'
    verdict = only(read(IMPORTER, event("create", responseStatus={"code": 403, "message": said})).events, EventKind.DECISION)
    assert verdict.decision is not None
    assert verdict.decision.policy == "validation.gatekeeper.sh"


@pytest.mark.parametrize(
    "members",
    [{"requestURI": "/api/v1/namespaces/pay/pods/api-1?dryRun=All&fieldManager=kubectl"}, {"requestObject": {"dryRun": ["All"]}}],
)
def test_what_is_tried_out_changes_nothing(members: Record) -> None:
    seen = only(read(IMPORTER, event("delete", **members)).events, EventKind.EFFECT)
    assert seen.outcome is not None
    assert (seen.outcome.effect, seen.outcome.permitted) == (Tri.NO, Effect.ALLOW)


def test_the_session_of_whom_is_impersonated_is_a_scope() -> None:
    acting = {"username": "agent", "extra": {"agent-session": [SESSION], "team": ["a"]}}
    for one in read(IMPORTER, event(impersonatedUser=acting)).events:
        assert names(one, KeyRole.SCOPE) == [f"session:{SESSION}"]


def test_a_table_of_a_workspace_holds_the_event_as_text() -> None:
    row = {
        "TimeGenerated": "2026-06-01T10:00:00Z",
        "Category": "kube-audit",
        "log_s": json.dumps(event()),
        "_ResourceId": "/x/managedClusters/PROD",
    }
    parsed, rejects = whole(json.dumps([row]), "kubernetes")
    assert not rejects
    assert {one.point for one in parsed[0].events} == {"kubernetes:prod"}


ROW = {
    "TimeGenerated": "2026-05-30T18:02:52.4298698Z",
    "AuditId": AUDIT,
    "Stage": "ResponseComplete",
    "RequestUri": "/api/v1/namespaces/pay/secrets/db",
    "Verb": "get",
    "User": {"username": "masterclient", "groups": ["system:masters"]},
    "SourceIps": ["10.0.0.7"],
    "UserAgent": "kubectl",
    "ObjectRef": {"resource": "secrets", "namespace": "pay", "name": "db"},
    "ResponseStatus": {"code": 403},
    "RequestReceivedTime": "2026-05-30T18:02:52.425513Z",
    "StageReceivedTime": "2026-05-30T18:02:52.429672Z",
    "Annotations": {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": "no rule"},
    "Type": "AKSAudit",
    "_ResourceId": "/subscriptions/s/resourcegroups/g/providers/microsoft.containerservice/managedclusters/Blue",
}
TIMES = ("TimeGenerated", "RequestReceivedTime", "StageReceivedTime")


@pytest.mark.parametrize(
    "row",
    [
        ROW,
        {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in ROW.items()},
        {name: value for name, value in ROW.items() if name not in TIMES}
        | {f"{name} [UTC]": value for name, value in ROW.items() if name in TIMES},
        {name: value for name, value in ROW.items() if name not in TIMES}
        | {f"{name} [UTC]": "5/30/2026, 6:02:52.425513 PM" for name in TIMES},
    ],
    ids=["objects", "texts", "with zones", "as the portal shows it"],
)
def test_the_clusters_own_table_is_read_by_its_columns(row: Record) -> None:
    (parsed,), rejects = whole(pretty(row), "kubernetes")
    assert not rejects
    verdict = only(parsed.events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.reason, verdict.point) == (
        Effect.DENY,
        "no rule",
        "kubernetes:blue",
    )
    assert (verdict.verb, verdict.target.name, verdict.attrs["host"]) == (Verb.SECRET_READ, "pay/db", "10.0.0.7")
    assert verdict.principal is not None
    assert verdict.principal.name == "masterclient"
    assert verdict.at == 1780164172425513


@pytest.mark.parametrize(
    ("shown", "hour"), [("12:05:00.000 AM", 0), ("11:05:00 AM", 11), ("12:05:00 PM", 12), ("11:05:00 PM", 23)]
)
def test_noon_and_midnight_of_the_portals_times(shown: str, hour: int) -> None:
    row = {name: value for name, value in ROW.items() if name != "RequestReceivedTime"}
    event = only(read(IMPORTER, row | {"RequestReceivedTime [UTC]": f"1/2/2026, {shown}"}).events, EventKind.DECISION)
    assert event.at == 1767312300000000 + hour * 3_600_000_000


def test_other_streams_of_a_log_group_are_kept_and_counted() -> None:
    lines = [
        'I0601 10:00:00.000000 1 trace.go:236] "List"',
        json.dumps({"level": "info", "msg": "access granted"}),
        json.dumps(event()),
    ]
    told = {"events": [{"logStreamName": "s", "timestamp": 1780308000000, "message": line} for line in lines]}
    parsed, rejects = whole(json.dumps(told), "kubernetes")
    assert not rejects
    assert [one.unknown_type for one in parsed] == ["line of another stream", "line of another stream", None]


def test_no_annotation_and_no_refusal_is_no_decision() -> None:
    events = read(IMPORTER, event(annotations=None)).events
    assert [e.kind for e in events] == [EventKind.EFFECT]
    assert events[0].outcome is not None
    assert events[0].outcome.permitted is Effect.UNKNOWN


@pytest.mark.parametrize("status", [{}, {"code": 504, "reason": "Timeout"}], ids=["missing", "timeout"])
def test_missing_code_is_not_a_success_and_no_answer_in_time_no_failure(status: Record) -> None:
    outcome = only(read(IMPORTER, event(responseStatus=status)).events, EventKind.EFFECT).outcome
    assert outcome is not None
    assert outcome.effect is Tri.UNKNOWN


def test_the_stages_of_one_request_are_one_step() -> None:
    user = {"username": "dev@acme.example", "extra": {"sessionName": [f"agent-{SESSION}"]}}
    records = [
        event("create", stage="RequestReceived", user=user, annotations={}, responseStatus=None),
        EXEC | {"user": user},
        EXEC | {"user": user, "stage": "ResponseComplete", "stageTimestamp": "2026-06-01T10:00:05Z"},
    ]
    parsed, rejects = whole("\n".join(json.dumps(r) for r in records), "kubernetes")
    assert not rejects
    assert [[(e.kind, e.phase) for e in p.events] for p in parsed] == [
        [(EventKind.ACTION, Phase.CALL)],
        [(EventKind.DECISION, Phase.VERDICT), (EventKind.EFFECT, Phase.OBSERVED)],
        [(EventKind.ACTION, Phase.RESULT)],
    ]
    assert parsed[2].events[0].attrs["duration_ms"] == 5000
    assert len({p.identity for p in parsed}) == 3
    (chain,) = joined(*parsed).chains.values()
    assert chain.task.scope == f"session:{SESSION}"
    (step,) = chain.steps
    assert (len(step.decisions), len(step.effects), step.outcome.effect) == (1, 1, Tri.YES)


@pytest.mark.parametrize(
    ("first", "ok"),
    [(EXEC, Tri.UNKNOWN), (event("get", stage="ResponseStarted", ref={"subresource": "log"}), Tri.YES)],
    ids=["exec", "log"],
)
def test_an_opened_stream_does_not_say_how_the_command_ended(first: Record, ok: Tri) -> None:
    last = first | {"stage": "ResponseComplete", "stageTimestamp": "2026-06-01T10:00:05Z"}
    parsed, _ = whole("\n".join(json.dumps(one) for one in (first, last)), "kubernetes")
    ended = only(parsed[1].events, EventKind.ACTION).outcome
    assert ended is not None
    assert ended.tool is ok


def test_two_requests_with_one_masked_id_both_keep_their_decision() -> None:
    parsed, _ = whole("\n".join(json.dumps(event(verb)) for verb in ("get", "delete")), "kubernetes")
    assert [sum(e.kind is EventKind.DECISION for e in p.events) for p in parsed] == [1, 1]


def test_exec_command_stands_in_the_query() -> None:
    effect = only(read(IMPORTER, EXEC).events, EventKind.EFFECT)
    assert (effect.verb, effect.attrs["command"]) == (Verb.EXEC, "cat '/etc/pass wd'")
    assert effect.outcome is not None
    assert effect.outcome.effect is Tri.YES
    shell = EXEC | {"requestURI": "/api/v1/namespaces/pay/pods/api-1/exec?command=sh&command=-c&command=curl+x+%7C+sh"}
    assert only(read(IMPORTER, shell).events, EventKind.EFFECT).attrs["command"] == "curl x | sh"


def test_address_alone_names_the_object() -> None:
    bare = EXEC | {"objectRef": None}
    effect = only(read(IMPORTER, bare).events, EventKind.EFFECT)
    assert (effect.verb, effect.target.detail) == (Verb.EXEC, "pods/api-1/exec")


@pytest.mark.parametrize(
    ("verb", "resource", "expected", "name"),
    [
        ("get", "secrets", Verb.SECRET_READ, "pay/api-1"),
        ("list", "secrets", Verb.SECRET_READ, "pay/api-1"),
        ("patch", "secrets", Verb.SECRET_WRITE, "pay/api-1"),
        ("create", "clusterrolebindings", Verb.GUARDRAIL_CHANGE, "pay"),
        ("get", "clusterrolebindings", Verb.CLUSTER_CALL, "pay"),
        ("delete", "networkpolicies", Verb.GUARDRAIL_CHANGE, "pay"),
        ("create", "certificatesigningrequests", Verb.CREDENTIAL_ISSUE, "pay"),
    ],
)
def test_verbs(verb: str, resource: str, expected: Verb, name: str) -> None:
    effect = only(read(IMPORTER, event(verb, resource)).events, EventKind.EFFECT)
    assert (effect.verb, effect.target.name) == (expected, name)


def test_eks_identity_leads_to_cloudtrail() -> None:
    user = {
        "username": "system:aws",
        "extra": {
            "accessKeyId": ["ASIAEXAMPLE"],
            "arn": ["arn:aws:sts::1:assumed-role/Dev/agent-" + SESSION],
            "sessionName": [f"agent-{SESSION}"],
        },
    }
    events = read(IMPORTER, event(user=user)).events
    used = only(events, EventKind.CREDENTIAL, Phase.USED)
    assert names(used, KeyRole.CREDENTIAL) == ["aws.key:ASIAEXAMPLE"]
    assert names(used, KeyRole.SCOPE) == [f"session:{SESSION}"]
    assert used.principal is not None
    assert used.principal.name.startswith("arn:aws:sts::1:assumed-role/Dev/")


def test_service_account_token_issued_and_used() -> None:
    issued = event(
        "create",
        "serviceaccounts",
        ref={"subresource": "token", "name": "builder"},
        responseStatus={"code": 201},
        requestObject={"spec": {"expirationSeconds": 3600}},
        annotations={
            "authorization.k8s.io/decision": "allow",
            "authentication.kubernetes.io/issued-credential-id": "JTI=0f2b",
        },
    )
    given_out = only(read(IMPORTER, issued).events, EventKind.CREDENTIAL, Phase.ISSUED)
    assert names(given_out, KeyRole.CREDENTIAL) == ["jti:0f2b"]
    assert given_out.credential is not None
    assert (given_out.credential.ttl_seconds, given_out.credential.subject) == (3600, "system:serviceaccount:pay:builder")
    user = {
        "username": "system:serviceaccount:pay:builder",
        "extra": {
            "authentication.kubernetes.io/credential-id": ["JTI=0f2b"],
            "authentication.kubernetes.io/pod-name": ["builder-1"],
        },
    }
    used = only(read(IMPORTER, event(user=user)).events, EventKind.CREDENTIAL, Phase.USED)
    assert names(used, KeyRole.CREDENTIAL) == ["jti:0f2b"]
    assert used.principal is not None
    assert (used.principal.kind, used.principal.origin) == ("workload", "cluster")
    refused = issued | {"responseStatus": {"code": 403}}
    assert all(e.phase is not Phase.ISSUED for e in read(IMPORTER, refused).events)


def test_impersonation_is_told() -> None:
    effect = only(read(IMPORTER, event(impersonatedUser={"username": "admin"})).events, EventKind.EFFECT)
    assert effect.principal is not None
    assert (effect.principal.name, effect.principal.on_behalf_of) == ("dev@acme.example", "admin")


def test_aks_holds_the_event_as_text() -> None:
    record = {
        "category": "kube-audit",
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "resourceId": "/SUBSCRIPTIONS/X/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/PROD",
        "properties": {"log": json.dumps(event())},
    }
    parsed, _ = whole(
        json.dumps({"records": [record, record | {"category": "kube-scheduler", "properties": {"log": "x"}}]}), "kubernetes"
    )
    effect = only(parsed[0].events, EventKind.EFFECT)
    assert (effect.point, effect.attrs["account"]) == ("kubernetes:prod", "prod")
    assert (parsed[1].unknown_type, parsed[1].events) == ("kube-scheduler", [])
    with pytest.raises(BadRecord, match=r"properties\.log"):
        read(IMPORTER, record | {"properties": {"log": "half a"}})
    with pytest.raises(BadRecord, match="not valid JSON"):
        read(IMPORTER, record | {"properties": {"log": '{"kind":"Event"'}})


def test_gke_is_read_like_the_api_servers_own() -> None:
    record = {
        "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
        "insertId": "i1",
        "timestamp": "2026-06-01T10:00:00.5Z",
        "resource": {"type": "k8s_cluster", "labels": {"project_id": "p", "cluster_name": "prod", "location": "eu"}},
        "protoPayload": {
            "serviceName": "k8s.io",
            "methodName": "io.k8s.core.v1.pods.exec.create",
            "resourceName": "core/v1/namespaces/pay/pods/api-1/exec",
            "authenticationInfo": {"principalEmail": "dev@acme.example"},
            "authorizationInfo": [{"permission": "io.k8s.core.v1.pods.exec.create", "granted": True}],
        },
    }
    (parsed,), _ = whole(json.dumps(record), "kubernetes")
    effect = only(parsed.events, EventKind.EFFECT)
    assert (effect.verb, effect.target.name, effect.target.detail) == (Verb.EXEC, "pay", "pods/api-1/exec")
    assert (effect.format, effect.point, effect.tool) == ("kubernetes", "kubernetes:prod", "create pods")
    verdict = only(parsed.events, EventKind.DECISION).decision
    assert verdict is not None
    assert verdict.effect is Effect.ALLOW


def test_lists_and_pretty_documents() -> None:
    listed = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": [event(), event("delete")]}
    parsed, rejects = whole(json.dumps(listed), "kubernetes")
    assert (len(parsed), rejects) == (2, [])
    assert len(read(IMPORTER, listed).events) == 4
    lines, _ = whole("\n".join(json.dumps(listed) for _ in range(3)), "kubernetes")
    assert sum(len(p.events) for p in lines) == 12
    assert len(whole(pretty(event(), event("delete")), "kubernetes")[0]) == 2


def test_cloudwatch_holds_the_event_as_a_message() -> None:
    lines = [
        {"id": str(n), "timestamp": 1780308000000, "message": json.dumps(event(verb))} for n, verb in enumerate(("get", "delete"))
    ]
    parsed, rejects = whole(json.dumps({"logGroup": "/aws/eks/prod/cluster", "logEvents": lines}), "kubernetes")
    assert ([p.type for p in parsed], rejects) == (["ResponseComplete get pods", "ResponseComplete delete pods"], [])


def test_unknown_stage_is_kept_and_counted_and_a_bare_record_is_refused() -> None:
    assert read(IMPORTER, event(stage="ResponseBuffered")).unknown_type == "stage ResponseBuffered"
    panic = only(read(IMPORTER, event(stage="Panic")).events, EventKind.EFFECT)
    assert panic.outcome is not None
    assert panic.outcome.effect is Tri.NO
    with pytest.raises(BadRecord, match="neither verb nor requestURI"):
        read(IMPORTER, {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "sourceIPs": []})


def test_a_batch_that_a_webhook_delivers_again_adds_nothing() -> None:
    first, later = event(), event("delete", auditID="c07ab0e2-9b07-4cc6-8e3b-91ac69586a20")
    batch = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": [first, later]}
    once, again, other = (read(IMPORTER, one).identity for one in (batch, dict(batch), batch | {"items": [first]}))
    assert once is not None
    assert (again == once, other == once) == (True, False)
    assert (
        read(IMPORTER, batch | {"items": [{name: value for name, value in first.items() if name != "auditID"}]}).identity is None
    )
    assert read(IMPORTER, batch | {"items": []}).identity is None


@given(mutated([event(), EXEC, {"kind": "EventList", "items": [event()]}]) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def _count(parsed: list[Parsed], kind: EventKind) -> int:
    return sum(event.kind is kind for one in parsed for event in one.events)


@pytest.mark.parametrize(
    ("name", "records", "rejected", "verdicts"),
    [
        ("falcosecurity__falco/create_secret.json", 1, 0, 1),
        ("falcosecurity__falco/exec_pod.json", 1, 0, 1),
        ("panther-labs__panther-analysis/k8s-audit-eks.jsonl", 19, 0, 18),
        ("panther-labs__panther-analysis/k8s-audit-gke.jsonl", 25, 2, 17),
        ("panther-labs__panther-analysis/k8s-audit.jsonl", 236, 1, 66),
    ],
)
def test_public_samples(corpus: Path, name: str, records: int, rejected: int, verdicts: int) -> None:
    form, parsed, reasons = all_of(corpus / "k8s-audit" / name)
    assert (form, len(parsed) + len(reasons), len(reasons)) == ("kubernetes", records, rejected)
    assert _count(parsed, EventKind.DECISION) == verdicts
    assert _count(parsed, EventKind.EFFECT) + sum(p.unknown_type is not None for p in parsed) + sum(
        e.phase is Phase.RESULT for p in parsed for e in p.events
    ) == len(parsed)
    assert "MzFiNGQ0YjctMDAyNi" not in "".join(e.text + str(e.attrs) for p in parsed for e in p.events)
