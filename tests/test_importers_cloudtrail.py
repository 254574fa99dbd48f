"""CloudTrail: every container, refusals, verbs, access keys from issuance to use, and the ids an agent can leave in a role session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from importers.cloudtrail import IMPORTER
from importers.cloudtrail_calls import secret_name
from importers.cloudtrail_credentials import locale_moment
from model.event import BadRecord, Event
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from tests.importer_checks import JSON, mutated, names, only, read, survives, whole

SESSION = "8f0c6a8e-3f57-4d6e-9a5e-3c6f5f0f9a11"
ROLE = "arn:aws:iam::111122223333:role/agent-deploy"


def call(source: str = "s3", name: str = "GetObject", **members: object) -> dict[str, object]:
    return {
        "eventVersion": "1.08",
        "eventTime": "2023-07-10T11:54:42Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-north-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2.15",
        "requestParameters": None,
        "responseElements": None,
        "requestID": "req-1",
        "eventID": "e4bad408-6272-4892-bf47-bd41b435ce40",
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/dana", "accessKeyId": "AKIAEXAMPLE0000000001"},
    } | members


def effect(record: dict[str, object]) -> Event:
    return only(read(IMPORTER, record).events, EventKind.EFFECT)


def test_a_call_is_an_effect_and_a_use_of_its_key() -> None:
    parsed = read(IMPORTER, call(requestParameters={"bucketName": "b", "key": "k/x"}))
    assert parsed.identity == "e4bad408-6272-4892-bf47-bd41b435ce40"
    seen = only(parsed.events, EventKind.EFFECT)
    assert (seen.vantage, seen.point, seen.verb) == (Vantage.TARGET, "cloudtrail:111122223333", Verb.CLOUD_CALL)
    assert (seen.target.cls, seen.target.name, seen.target.detail) == (TargetClass.CLOUD, "s3:GetObject", "arn:aws:s3:::b/k/x")
    assert (seen.attrs["account"], seen.attrs["region"], seen.clock) == ("111122223333", "eu-north-1", Clock.EXACT)
    assert names(seen, KeyRole.CALL) == ["request:req-1"]
    assert seen.outcome is not None
    assert (seen.outcome.effect, seen.outcome.permitted) == (Tri.YES, Effect.UNKNOWN)
    use = only(parsed.events, EventKind.CREDENTIAL)
    assert (use.phase, names(use, KeyRole.CREDENTIAL)) == (Phase.USED, ["aws.key:AKIAEXAMPLE0000000001"])
    assert use.credential is not None
    assert use.credential.kind == "aws.access_key"


@pytest.mark.parametrize(
    "code",
    ["AccessDenied", "Client.UnauthorizedOperation", "UnauthorizedOperation", "AccessDeniedException", "VpceAccessDenied",
     "NotAuthorizedException", "AuthorizationErrorException", "Client.AccessDenied", "UnauthorizedException",
     "Client.AuthFailure", "InsufficientPrivilegesException"],
)  # fmt: skip
def test_refusals_are_decisions(code: str) -> None:
    events = read(IMPORTER, call(errorCode=code, errorMessage="not authorized")).events
    verdict = only(events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.by) == (Effect.DENY, "cloudtrail:111122223333")
    outcome = only(events, EventKind.EFFECT).outcome
    assert outcome is not None
    assert (outcome.effect, outcome.permitted) == (Tri.NO, Effect.DENY)


def test_a_refused_dependent_call_is_told_by_its_message() -> None:
    said = "User: arn:aws:iam::1:user/x is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/r"
    events = read(IMPORTER, call("ecs", "RunTask", errorCode="InvalidParameterException", errorMessage=said)).events
    verdict = only(events, EventKind.DECISION)
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.DENY


@pytest.mark.parametrize("code", ["ExpiredTokenException", "InvalidIdentityTokenException", "IDPRejectedClaim"])
def test_a_token_that_is_not_taken_for_a_session_is_refused(code: str) -> None:
    verdict = only(read(IMPORTER, call("sts", "AssumeRoleWithWebIdentity", errorCode=code)).events, EventKind.DECISION)
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.DENY


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "NoSuchBucketPolicy", "Client.DryRunOperation", "ExpiredToken", "InvalidAccessException"]
)
def test_other_errors_decide_nothing(code: str) -> None:
    events = read(IMPORTER, call(errorCode=code)).events
    assert not [event for event in events if event.kind is EventKind.DECISION]
    seen = only(events, EventKind.EFFECT)
    assert seen.outcome is not None
    assert (seen.outcome.effect, seen.attrs["status"]) == (Tri.NO, code)


def test_the_refusing_policy_is_named() -> None:
    message = (
        "User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform: sts:AssumeRole on resource: "
        f"{ROLE} with an explicit deny in a service control policy: arn:aws:organizations::999988887777:policy/o-1/service_control_policy/p-1"
    )
    events = read(IMPORTER, call("sts", "AssumeRole", errorCode="AccessDenied", errorMessage=message)).events
    verdict = only(events, EventKind.DECISION)
    assert verdict.decision is not None
    assert verdict.decision.rule == "explicit deny: service control policy"
    assert verdict.decision.policy.startswith("arn:aws:organizations::")
    assert verdict.target.detail == ROLE, "a refused AssumeRole has no parameters: the message names the role"
    message = "... because no identity-based policy allows the s3:GetObject action"
    verdict = only(read(IMPORTER, call(errorCode="AccessDenied", errorMessage=message)).events, EventKind.DECISION)
    assert verdict.decision is not None
    assert verdict.decision.rule == "no allow: identity-based policy"


ISSUED: dict[str, object] = {
    "credentials": {"accessKeyId": "ASIAEXAMPLE0000000002", "expiration": "Jul 10, 2023, 12:09:47 PM", "sessionToken": "x"},
    "assumedRoleUser": {"arn": "arn:aws:sts::111122223333:assumed-role/agent-deploy/run-1", "assumedRoleId": "AROA:run-1"},
}


def test_assumed_role_issues_a_key_via_the_one_it_was_asked_with() -> None:
    record = call(
        "sts",
        "AssumeRole",
        requestParameters={"roleArn": ROLE, "roleSessionName": "run-1", "durationSeconds": 900},
        responseElements=ISSUED,
    )
    events = read(IMPORTER, record).events
    issued = only(events, EventKind.CREDENTIAL, Phase.ISSUED)
    assert names(issued, KeyRole.CREDENTIAL) == ["aws.key:ASIAEXAMPLE0000000002"]
    assert names(issued, KeyRole.VIA) == ["aws.key:AKIAEXAMPLE0000000001"]
    fact = issued.credential
    assert fact is not None
    assert (fact.kind, fact.scope, fact.ttl_seconds) == ("aws.session", (ROLE,), 900)
    assert fact.expires == locale_moment("2023-07-10T12:09:47Z")
    assert fact.subject.endswith("assumed-role/agent-deploy/run-1")
    assert only(events, EventKind.CREDENTIAL, Phase.USED).credential is not None
    assert effect(record).verb is Verb.CREDENTIAL_ISSUE


def test_life_time_follows_from_the_expiry_where_no_duration_was_asked() -> None:
    record = call("sts", "GetSessionToken", responseElements=ISSUED, requestParameters=None)
    fact = only(read(IMPORTER, record).events, EventKind.CREDENTIAL, Phase.ISSUED).credential
    assert fact is not None
    assert fact.ttl_seconds == 905


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("Jul 10, 2023, 12:09:47 PM", "2023-07-10T12:09:47Z"),
        ("Jul 10, 2023, 12:09:47\u202fPM", "2023-07-10T12:09:47Z"),
        ("Jul 10, 2023, 12:09:47 AM", "2023-07-10T00:09:47Z"),
        ("Sep 27, 2022 5:09:18 PM", "2022-09-27T17:09:18Z"),
        ("2023-07-10 12:09:47", "2023-07-10T12:09:47Z"),
        ("Foo 10, 2023, 12:09:47 PM", None),
        ("Feb 31, 2023, 1:00:00 AM", None),
        ({"a": 1}, None),
    ],
)
def test_locale_times(stated: object, expected: str | None) -> None:
    assert locale_moment(stated) == (locale_moment(expected) if expected else None)


def test_a_users_access_key_never_expires_until_it_is_deleted() -> None:
    key = {"accessKeyId": "AKIAEXAMPLE0000000009", "status": "Active", "userName": "bot", "createDate": "Sep 27, 2022 5:09:18 PM"}
    created = only(
        read(IMPORTER, call("iam", "CreateAccessKey", responseElements={"accessKey": key})).events,
        EventKind.CREDENTIAL,
        Phase.ISSUED,
    )
    assert created.credential is not None
    assert (created.credential.ttl_seconds, created.credential.subject, created.credential.kind) == (-1, "bot", "aws.access_key")
    for name, status in (("DeleteAccessKey", None), ("UpdateAccessKey", "Inactive")):
        parameters = {"accessKeyId": "AKIAEXAMPLE0000000009", "userName": "bot", "status": status}
        revoked = only(
            read(IMPORTER, call("iam", name, requestParameters=parameters)).events, EventKind.CREDENTIAL, Phase.REVOKED
        )
        assert names(revoked, KeyRole.CREDENTIAL) == ["aws.key:AKIAEXAMPLE0000000009"]
    failed = call(
        "iam", "DeleteAccessKey", requestParameters={"accessKeyId": "AKIAEXAMPLE0000000009"}, errorCode="NoSuchEntityException"
    )
    assert not [event for event in read(IMPORTER, failed).events if event.phase is Phase.REVOKED]


def assumed(name: str, **members: object) -> dict[str, object]:
    arn = f"arn:aws:sts::111122223333:assumed-role/agent-deploy/{name}"
    return {"type": "AssumedRole", "arn": arn, "accessKeyId": "ASIAEXAMPLE0000000002"} | members


@pytest.mark.parametrize(
    "record",
    [
        call("sts", "AssumeRole", requestParameters={"roleArn": ROLE, "roleSessionName": f"agent-{SESSION}"}),
        call("sts", "AssumeRole", requestParameters={"roleSessionName": "x", "sourceIdentity": SESSION.upper()}),
        call(
            "sts", "AssumeRole", requestParameters={"roleSessionName": "x", "tags": [{"key": "agent-session", "value": SESSION}]}
        ),
        call("sts", "AssumeRoleWithSAML", requestParameters={"principalTags": {"SessionId": SESSION}}),
        call(userIdentity=assumed(SESSION)),
        call(userIdentity=assumed("x", sessionContext={"sourceIdentity": f"claude/{SESSION}"})),
        call("sts", "GetFederationToken", requestParameters={"name": SESSION}, responseElements={"federatedUser": {"arn": "a"}}),
        call(userIdentity={"type": "FederatedUser", "arn": f"arn:aws:sts::111122223333:federated-user/{SESSION}"}),
        call(userIdentity={"type": "AWSAccount", "principalId": f"AROAEXAMPLE000001:{SESSION}", "accountId": "444455556666"}),
    ],
)
def test_a_session_id_in_the_identity_is_the_tasks_scope(record: dict[str, object]) -> None:
    for event in read(IMPORTER, record).events:
        assert names(event, KeyRole.SCOPE) == [f"session:{SESSION}"]


def test_other_uuids_are_no_session() -> None:
    for name in (f"AWSCodeBuild-{SESSION}", f"botocore-session-{SESSION}", f"{SESSION}-and-{SESSION}"):
        assert not effect(call(userIdentity=assumed(name))).keys_of(KeyRole.SCOPE)
    tags = [{"key": "CostCentre", "value": SESSION}]
    assert not effect(call("sts", "AssumeRole", requestParameters={"tags": tags, "roleSessionName": "x"})).keys_of(KeyRole.SCOPE)


def test_a_github_job_is_named_by_its_subject_and_session_name() -> None:
    subject = "repo:Acme/Pay:ref:refs/heads/main"
    identity = {"type": "WebIdentityUser", "userName": subject, "identityProvider": "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com",
                "principalId": f"arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com:sts.amazonaws.com:{subject}"}  # fmt: skip
    response = ISSUED | {"subjectFromWebIdentityToken": subject, "provider": "p", "audience": "sts.amazonaws.com"}
    record = call("sts", "AssumeRoleWithWebIdentity", userIdentity=identity, responseElements=response,
                  requestParameters={"roleArn": ROLE, "roleSessionName": "GitHubActions-5512345678"})  # fmt: skip
    events = read(IMPORTER, record).events
    seen = only(events, EventKind.EFFECT)
    assert names(seen, KeyRole.SCOPE) == ["ci.job:github-actions:acme/pay:5512345678"]
    assert names(seen, KeyRole.REFERENCE) == [f"oidc.subject:{subject}"]
    assert seen.principal is not None
    assert (seen.principal.name, seen.principal.kind, seen.principal.origin) == (subject, "workload", "ci")
    assert only(events, EventKind.CREDENTIAL).phase is Phase.ISSUED


def test_later_calls_of_a_federated_role_are_workloads() -> None:
    federation = {"federatedProvider": "arn:aws:iam::1:oidc-provider/oidc.eks.eu-north-1.amazonaws.com/id/X", "attributes": {}}
    seen = effect(call(userIdentity=assumed("pod", sessionContext={"webIdFederationData": federation})))
    assert seen.principal is not None
    assert (seen.principal.kind, seen.principal.origin) == ("workload", "cluster")


@pytest.mark.parametrize(
    ("identity", "name", "kind"),
    [
        ({"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}, "lambda.amazonaws.com", "service"),
        ({"type": "SAMLUser", "principalId": "p:dana", "userName": "dana"}, "dana", "human"),
        (assumed("dana@acme.example") | {"arn": "arn:aws:sts::1:assumed-role/AWSReservedSSO_Dev_1/dana@acme.example"},
         "arn:aws:sts::1:assumed-role/AWSReservedSSO_Dev_1/dana@acme.example", "human"),
        (assumed("i-0123456789abcdef0"), "arn:aws:sts::111122223333:assumed-role/agent-deploy/i-0123456789abcdef0", "workload"),
        ({"type": "Root", "arn": "arn:aws:iam::1:root"}, "arn:aws:iam::1:root", "unknown"),
    ],
)  # fmt: skip
def test_principals(identity: dict[str, object], name: str, kind: str) -> None:
    principal = effect(call(userIdentity=identity)).principal
    assert principal is not None
    assert (principal.name, principal.kind) == (name, kind)


def test_service_events_have_no_identity() -> None:
    record = call(eventType="AwsServiceEvent")
    del record["userIdentity"]
    (seen,) = read(IMPORTER, record).events
    assert (seen.kind, seen.principal) == (EventKind.EFFECT, None)


SECRET = "arn:aws:secretsmanager:eu-north-1:111122223333:secret:prod/pay/db-AbCd12"


@pytest.mark.parametrize(
    ("source", "name", "parameters", "verb", "target"),
    [
        ("secretsmanager", "GetSecretValue", {"secretId": "prod/pay/db"}, Verb.SECRET_READ, "prod/pay/db"),
        ("secretsmanager", "GetSecretValue", {"secretId": SECRET}, Verb.SECRET_READ, "prod/pay/db"),
        ("secretsmanager", "BatchGetSecretValue", {"secretIdList": ["a", "b"]}, Verb.SECRET_READ, "a,b"),
        (
            "secretsmanager",
            "BatchGetSecretValue",
            {"secretIdList": [f"arn:aws:secretsmanager:eu-west-1:1:secret:{name}-AbCdEf" for name in ("db", "ci/token")]},
            Verb.SECRET_READ,
            "db,ci/token",
        ),
        ("secretsmanager", "PutSecretValue", {"secretId": "x"}, Verb.SECRET_WRITE, "x"),
        ("secretsmanager", "DescribeSecret", {"secretId": "x"}, Verb.CLOUD_CALL, "secretsmanager:DescribeSecret"),
        ("ssm", "GetParameter", {"name": "/p/x", "withDecryption": True}, Verb.SECRET_READ, "/p/x"),
        ("ssm", "GetParameters", {"names": ["/a", "/b"], "withDecryption": "true"}, Verb.SECRET_READ, "/a,/b"),
        ("ssm", "GetParameter", {"name": "/p/x", "withDecryption": False}, Verb.CLOUD_CALL, "ssm:GetParameter"),
        ("ssm", "PutParameter", {"name": "/p/x", "type": "SecureString"}, Verb.SECRET_WRITE, "/p/x"),
        ("kms", "Decrypt", {"encryptionContext": {"SecretARN": SECRET}}, Verb.SECRET_READ, "prod/pay/db"),
        ("kms", "Encrypt", {"keyId": "k"}, Verb.CLOUD_CALL, "kms:Encrypt"),
        ("codecommit", "GitPush", {"repositoryName": "pay"}, Verb.REPO_WRITE, "pay"),
        ("codecommit", "MergePullRequestBySquash", {"repositoryName": "pay"}, Verb.PR_MERGE, "pay"),
        ("codebuild", "StartBuild", {"projectName": "pay-ci"}, Verb.CI_RUN, "pay-ci"),
        ("codepipeline", "UpdatePipeline", {"name": "pay"}, Verb.CI_MODIFY, "pay"),
        ("ecr", "PutImage", {"repositoryName": "pay"}, Verb.PACKAGE_PUBLISH, "ecr/pay"),
        ("eks", "DescribeCluster", {"name": "prod"}, Verb.CLUSTER_CALL, "prod"),
        ("rds-data", "ExecuteStatement", {"resourceArn": "arn:aws:rds:x", "database": "pay"}, Verb.DB_QUERY, "pay"),
        ("dynamodb", "GetItem", {"tableName": "orders"}, Verb.DB_QUERY, "orders"),
        ("cloudtrail", "StopLogging", {"name": "main"}, Verb.GUARDRAIL_CHANGE, "cloudtrail:StopLogging"),
        ("iam", "AttachUserPolicy", {"userName": "u"}, Verb.GUARDRAIL_CHANGE, "iam:AttachUserPolicy"),
        ("iam", "GetUserPolicy", {"userName": "u"}, Verb.CLOUD_CALL, "iam:GetUserPolicy"),
        ("sso", "CreateAccountAssignment", {"principalId": "u"}, Verb.GUARDRAIL_CHANGE, "sso:CreateAccountAssignment"),
        ("s3", "PutBucketPolicy", {"bucketName": "b"}, Verb.GUARDRAIL_CHANGE, "s3:PutBucketPolicy"),
        ("lambda", "AddPermission20150331v2", {"functionName": "f"}, Verb.GUARDRAIL_CHANGE, "lambda:AddPermission"),
        ("eks", "AssociateAccessPolicy", {"name": "prod"}, Verb.GUARDRAIL_CHANGE, "prod"),
        ("lambda", "UpdateFunctionCode20150331v2", {"functionName": "f"}, Verb.CLOUD_CALL, "lambda:UpdateFunctionCode"),
    ],
)
def test_verbs(source: str, name: str, parameters: dict[str, object], verb: Verb, target: str) -> None:
    seen = effect(call(source, name, requestParameters=parameters))
    assert (seen.verb, seen.target.name) == (verb, target)


@pytest.mark.parametrize(
    ("source", "name", "resource", "target"),
    [
        ("secretsmanager", "GetSecretValue", "prod/stripe", "prod/stripe"),
        ("secretsmanager", "GetSecretValue", "arn:aws:secretsmanager:eu-north-1:111122223333:secret:prod/db-AbCdEf", "prod/db"),
        ("dynamodb", "PutItem", "arn:aws:dynamodb:eu-north-1:111122223333:table/orders",
         "arn:aws:dynamodb:eu-north-1:111122223333:table/orders"),
        ("secretsmanager", "ListSecrets", "*", "secretsmanager:ListSecrets"),
    ],
)  # fmt: skip
def test_what_was_refused_stands_in_the_message_where_there_are_no_parameters(
    source: str, name: str, resource: str, target: str
) -> None:
    message = f"User: u is not authorized to perform: {source}:{name} on resource: {resource} because no policy allows it"
    verdict = only(read(IMPORTER, call(source, name, errorCode="AccessDenied", errorMessage=message)).events, EventKind.DECISION)
    assert verdict.target.name == target


@pytest.mark.parametrize(
    ("source", "name", "members", "detail"),
    [
        ("ssm", "SendCommand", {"requestParameters": {"instanceIds": ["i-1", "i-2"]}}, "i-1,i-2"),
        ("ssm", "StartSession", {"requestParameters": {"target": "i-1"}}, "i-1"),
        ("sso", "GetRoleCredentials", {"serviceEventDetails": {"role_name": "Admin", "account_id": "444455556666"}}, "Admin"),
    ],
)
def test_the_machine_or_role_a_call_is_about(source: str, name: str, members: dict[str, object], detail: str) -> None:
    assert effect(call(source, name, **members)).target.detail == detail


def test_a_push_names_its_repository_branch_and_commit() -> None:
    moved = {"references": [{"commit": "ab" * 20, "ref": "refs/heads/main"}]}
    seen = effect(call("codecommit", "GitPush", requestParameters=moved, additionalEventData={"repositoryName": "pay"}))
    assert (seen.verb, seen.target.name, seen.target.detail) == (Verb.REPO_WRITE, "pay", "main")
    assert names(seen, KeyRole.REFERENCE) == [f"commit:{'ab' * 20}"]


def test_secret_names() -> None:
    assert secret_name("arn:aws-cn:ssm:cn-north-1:1:parameter/a/b") == "/a/b"
    assert secret_name("plain") == "plain"


def test_one_call_in_two_accounts_is_two_records_of_one_call() -> None:
    here = call("sts", "AssumeRole", sharedEventID="s-1")
    there = here | {"eventID": "other", "recipientAccountId": "444455556666"}
    first, second = read(IMPORTER, here), read(IMPORTER, there)
    assert first.identity != second.identity
    assert {event.point for parsed in (first, second) for event in parsed.events} == {
        "cloudtrail:111122223333",
        "cloudtrail:444455556666",
    }
    assert set(names(first.events[0], KeyRole.CALL)) & set(names(second.events[0], KeyRole.CALL))


def test_insight_events_hold_no_call() -> None:
    parsed = read(IMPORTER, call(eventCategory="Insight", eventType="AwsCloudTrailInsight", insightDetails={"state": "Start"}))
    assert (parsed.events, parsed.type) == ([], "insight")
    bare = {
        "eventVersion": "1.07",
        "eventTime": "2026-06-01T10:00:00Z",
        "eventID": "i-1",
        "eventCategory": "Insight",
        "insightDetails": {"eventName": "x"},
    }
    assert read(IMPORTER, bare).type == "insight" and IMPORTER.sniff([bare]) == 90


@pytest.mark.parametrize(
    "record",
    [
        call("signin", "ConsoleLogin", responseElements={"ConsoleLogin": "Failure"}, errorMessage="Failed authentication"),
        call("signin", "SwitchRole", responseElements={"SwitchRole": "Failure"}),
        call("signin", "CredentialVerification", serviceEventDetails={"CredentialVerification": "Failure"}),
    ],
)
def test_a_failed_sign_in_was_refused_and_had_no_effect(record: dict[str, object]) -> None:
    seen = effect(record)
    assert seen.outcome is not None
    assert (seen.outcome.effect, seen.outcome.permitted) == (Tri.NO, Effect.DENY)
    verdict = only(read(IMPORTER, record).events, EventKind.DECISION)
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.DENY
    assert verdict.decision.reason in ("Failed authentication", "sign-in failed")


def test_a_call_that_answers_false_was_not_done() -> None:
    seen = effect(call("ec2", "DeleteKeyPair", responseElements={"_return": False}))
    assert seen.outcome is not None
    assert seen.outcome.effect is Tri.NO


@pytest.mark.parametrize(
    ("more", "extra", "who"),
    [
        ({}, {}, None),
        ({}, {"UserName": "dana"}, "dana"),
        ({"userName": "robin"}, {}, "robin"),
        ({"onBehalfOf": {"userId": "u-1"}}, {}, "u-1"),
        ({"accountId": "ANONYMOUS_PRINCIPAL", "principalId": ""}, {}, "ANONYMOUS_PRINCIPAL"),
    ],
    ids=["nobody", "tried", "named", "numbered", "anonymous"],
)
def test_an_account_that_is_signed_in_to_is_not_who_signs_in(
    more: dict[str, object], extra: dict[str, object], who: str | None
) -> None:
    identity = {"type": "Unknown", "principalId": "111122223333", "arn": "", "accountId": "111122223333", "accessKeyId": ""}
    record = call("signin", "CredentialVerification", userIdentity=identity | more, eventType="AwsServiceEvent",
                  additionalEventData=extra | {"CredentialType": "PASSWORD"}, errorCode=None,
                  serviceEventDetails={"CredentialVerification": "Success"})  # fmt: skip
    seen = effect(record).principal
    assert (seen.name if seen else None) == who


def test_who_signs_in_at_the_identity_center_is_a_person() -> None:
    identity = {"type": "IdentityCenterUser", "arn": "", "accountId": "111122223333", "accessKeyId": "", "credentialId": "c-77",
                "onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:aws:identitystore::1:identitystore/d-1"}}  # fmt: skip
    record = call("signin", "UserAuthentication", userIdentity=identity, eventType="AwsServiceEvent",
                  additionalEventData={"UserName": "dana@acme.example", "CredentialType": "EXTERNAL_IDP"},
                  serviceEventDetails={"UserAuthentication": "Success"})  # fmt: skip
    seen = effect(record)
    assert seen.principal is not None
    assert (seen.principal.name, seen.principal.kind, seen.principal.on_behalf_of) == ("dana@acme.example", "human", "u-1")
    assert seen.outcome is not None
    assert seen.outcome.effect is Tri.YES
    used = only(read(IMPORTER, record).events, EventKind.CREDENTIAL, Phase.USED)
    assert names(used, KeyRole.CREDENTIAL) == ["aws.credential:c-77"]
    called = effect(call(userIdentity=identity)).principal
    assert called is not None
    assert (called.name, called.on_behalf_of) == ("u-1", "")


def test_a_session_for_a_service_is_named_after_its_role() -> None:
    record = call("sts", "AssumeRole", userIdentity={"type": "AWSService", "invokedBy": "ecs-tasks.amazonaws.com"},
                  requestParameters={"roleArn": "arn:aws:iam::111122223333:role/ci/agent", "roleSessionName": "task-1",
                                     "policyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]},
                  responseElements={"credentials": {"accessKeyId": "ASIAEXAMPLE0000000003", "expiration": "Jul 10, 2023, 12:54:42 PM"}})  # fmt: skip
    fact = only(read(IMPORTER, record).events, EventKind.CREDENTIAL, Phase.ISSUED).credential
    assert fact is not None
    assert fact.subject == "arn:aws:sts::111122223333:assumed-role/agent/task-1"
    assert fact.scope == ("arn:aws:iam::111122223333:role/ci/agent", "arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert fact.ttl_seconds == 3600


def test_every_session_of_a_certificate_is_issued() -> None:
    one = {"credentials": {"accessKeyId": "ASIAEXAMPLE0000000004", "expiration": "2023-07-10T12:54:42Z"}, "roleArn": ROLE,
           "assumedRoleUser": {"arn": "arn:aws:sts::111122223333:assumed-role/agent-deploy/0a1b"}}  # fmt: skip
    two = one | {"credentials": {"accessKeyId": "ASIAEXAMPLE0000000005"}}
    record = call("rolesanywhere", "CreateSession", responseElements={"credentialSet": [one, two], "subjectArn": "s"})
    issued = [event for event in read(IMPORTER, record).events if event.phase is Phase.ISSUED]
    assert [names(event, KeyRole.CREDENTIAL) for event in issued] == [
        ["aws.key:ASIAEXAMPLE0000000004"],
        ["aws.key:ASIAEXAMPLE0000000005"],
    ]
    assert issued[0].credential is not None
    assert issued[0].credential.scope == (ROLE,)


@pytest.mark.parametrize(
    ("source", "made", "response", "gone", "parameters", "kind"),
    [
        ("iam", "CreateServiceSpecificCredential", {"serviceSpecificCredential": {"serviceSpecificCredentialId": "ACCA1", "userName": "bot"}},
         "DeleteServiceSpecificCredential", {"serviceSpecificCredentialId": "ACCA1"}, "aws.credential"),
        ("iam", "UploadSSHPublicKey", {"sSHPublicKey": {"sSHPublicKeyId": "APKA1", "userName": "bot"}},
         "UpdateSSHPublicKey", {"sSHPublicKeyId": "APKA1", "status": "Inactive"}, "aws.ssh_key"),
        ("ec2", "CreateKeyPair", {"keyName": "k", "keyFingerprint": "30:1d"}, "DeleteKeyPair", {"keyName": "k"}, "aws.key_pair"),
    ],
)  # fmt: skip
def test_lasting_credentials_are_issued_and_taken_back(
    source: str, made: str, response: dict[str, object], gone: str, parameters: dict[str, object], kind: str
) -> None:
    issued = only(read(IMPORTER, call(source, made, responseElements=response)).events, EventKind.CREDENTIAL, Phase.ISSUED)
    revoked = only(read(IMPORTER, call(source, gone, requestParameters=parameters)).events, EventKind.CREDENTIAL, Phase.REVOKED)
    assert issued.credential is not None
    assert (issued.credential.kind, issued.credential.ttl_seconds) == (kind, -1)
    assert names(issued, KeyRole.CREDENTIAL) == names(revoked, KeyRole.CREDENTIAL) != []
    failed = call(source, made, responseElements=None, errorCode="LimitExceeded")
    assert not [event for event in read(IMPORTER, failed).events if event.phase is Phase.ISSUED]


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({"Records": [call(), call(eventID="2")]}),
        json.dumps({"Records": [call(), call(eventID="2")]}, indent=2),
        "".join(json.dumps(call(eventID=str(n))) + "\n" for n in range(2)),
        json.dumps([call(), call(eventID="2")]),
        json.dumps({"Events": [{"EventId": str(n), "EventName": "GetObject", "CloudTrailEvent": json.dumps(call(eventID=str(n)))} for n in range(2)]}),
        "".join(json.dumps({"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3", "detail": call(eventID=str(n))}) + "\n"
                for n in range(2)),
    ],
    ids=["delivered", "pretty", "lines", "list", "lookup", "eventbridge"],
)  # fmt: skip
def test_containers(data: str) -> None:
    parsed, rejects = whole(data, "cloudtrail")
    assert not rejects
    assert len({one.identity for one in parsed}) == 2
    assert all(len(one.events) == 2 for one in parsed)


def test_a_streamed_envelope_is_read_whole() -> None:
    assert len(read(IMPORTER, {"Records": [call(), call(eventID="2")]}).events) == 4


def test_digest_files_are_understood_and_hold_no_event() -> None:
    digest = {
        "awsAccountId": "1",
        "digestStartTime": "2023-07-10T11:00:00Z",
        "digestS3Object": "AWSLogs/x.json.gz",
        "logFiles": [{"s3Object": "a"}],
    }
    assert IMPORTER.sniff([digest]) > 0
    parsed = read(IMPORTER, digest)
    assert (parsed.events, parsed.type, parsed.unknown_type) == ([], "digest", None)


@pytest.mark.parametrize(
    "record",
    [
        {},
        [],
        None,
        {"detail": {}},
        {"CloudTrailEvent": "{"},
        {"CloudTrailEvent": "[1]"},
        {"eventName": 7.5},
        {"eventName": "openat"},
    ],
)
def test_strangers_are_refused(record: object) -> None:
    with pytest.raises(BadRecord):
        read(IMPORTER, record)


def test_a_name_of_an_event_alone_is_no_call_in_a_cloud() -> None:
    """Agents, kernels and web sites name their events so too."""
    assert (
        IMPORTER.sniff([{"eventName": "openat", "timestamp": 1780322400123456789, "processName": "cat", "returnValue": -13}]) == 0
    )
    assert IMPORTER.sniff([{"eventName": "GetObject", "eventTime": "2026-06-01T14:00:00Z"}]) > 0


def test_corpus(corpus: Path) -> None:
    """Counts taken here by hand from the same files: records, refusals, keys issued and the share of keys with an issuance."""
    events: list[Event] = []
    records = 0
    raw = {"denied": 0, "with_key": 0}
    for path in sorted(corpus.glob("cloudtrail/invictus-ir__aws_dataset/*")):
        parsed, rejects = whole(path.read_bytes(), "cloudtrail")
        assert not rejects
        records += len(parsed)
        events += [event for one in parsed for event in one.events]
        for record in json.loads(path.read_text("utf-8"))["Records"]:
            raw["denied"] += record.get("errorCode") in ("AccessDenied", "Client.UnauthorizedOperation", "UnauthorizedOperation")
            raw["with_key"] += bool((record.get("userIdentity") or {}).get("accessKeyId"))
    assert records == 2122
    assert sum(event.kind is EventKind.DECISION for event in events) == raw["denied"] > 0
    assert sum(event.phase is Phase.USED for event in events) == raw["with_key"]
    issued = {names(event, KeyRole.CREDENTIAL)[0] for event in events if event.phase is Phase.ISSUED}
    used = {names(event, KeyRole.CREDENTIAL)[0] for event in events if event.phase is Phase.USED}
    assert len([name for name in issued if "ASIA" in name]) == 23
    assert len(issued & {name for name in used if "ASIA" in name}) == 7


def test_corpus_of_partial_records(corpus: Path) -> None:
    parsed, rejects = whole((corpus / "cloudtrail/panther-labs__panther-analysis/cloudtrail.jsonl").read_bytes(), "cloudtrail")
    assert (len(parsed), len(rejects)) == (440, 0)
    assert sum(one.identity is None for one in parsed) == 440 - 385 - 7


GOOD = [
    call(
        "sts",
        "AssumeRole",
        requestParameters={"roleArn": ROLE, "tags": [{"key": "session", "value": SESSION}]},
        responseElements=ISSUED,
    ),
    call("iam", "CreateAccessKey", responseElements={"accessKey": {"accessKeyId": "AKIA1"}}, resources=[{"ARN": "arn:x"}]),
    call(
        errorCode="AccessDenied",
        errorMessage="m",
        userIdentity=assumed("x", sessionContext={"webIdFederationData": {"attributes": {"a:sub": "s"}}}),
    ),
    {"detail": call()},
]


@given(JSON)
def test_anything_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)


@given(mutated(GOOD))
def test_spoilt_records_are_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
