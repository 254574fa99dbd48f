"""Vault and OpenBao audit: decisions, effects, tokens, leases and what masked or hashed ids may and may not join."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from importers.shared.vault_paths import is_login, vault_target, vault_verb
from importers.vault import IMPORTER
from model.event import BadRecord, Parsed
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from tests.importer_checks import JSON, mutated, names, only, pretty, read, survives, whole

SESSION = "8f0c6a8e-3f57-4d6e-9a5e-3c6f5f0f9a11"
HMAC = "hmac-sha256:" + "ab" * 32
AUTH: dict[str, object] = {
    "accessor": HMAC,
    "client_token": "hmac-sha256:" + "cd" * 32,
    "display_name": "approle",
    "policies": ["default", "pay-read"],
    "policy_results": {"allowed": True, "granting_policies": [{"type": ""}, {"name": "pay-read", "type": "acl"}]},
    "token_ttl": 1200,
    "token_issue_time": "2026-06-01T10:00:00Z",
    "token_type": "service",
}


def entry(kind: str = "request", path: str = "secret/data/pay", operation: str = "read", **members: object) -> dict[str, object]:
    request: dict[str, object] = {
        "id": "977a96c1-095c-2c5a-6637-5dc584b823f1",
        "operation": operation,
        "path": path,
        "namespace": {"id": "root"},
        "remote_address": "172.18.0.5",
        "client_token": AUTH["client_token"],
        "client_token_accessor": AUTH["accessor"],
    }
    request |= members.pop("request", {})  # type: ignore[arg-type]
    made: dict[str, object] = {"time": "2026-06-01T10:00:01.062003966Z", "type": kind, "auth": AUTH, "request": request}
    if kind == "response":
        made["response"] = {}
    return made | members


def test_request_is_a_decision_and_a_use() -> None:
    parsed = read(IMPORTER, entry(request={"mount_type": "kv"}))
    verdict = only(parsed.events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.policy, verdict.decision.by) == (Effect.ALLOW, "pay-read", "vault")
    assert (verdict.vantage, verdict.verb) == (Vantage.ENFORCER, Verb.SECRET_READ)
    assert (verdict.target.cls, verdict.target.name) == (TargetClass.SECRET_STORE, "secret/data/pay")
    assert names(verdict, KeyRole.CALL) == ["vault.request:977a96c1-095c-2c5a-6637-5dc584b823f1"]
    use = only(parsed.events, EventKind.CREDENTIAL)
    assert use.phase is Phase.USED
    assert names(use, KeyRole.CREDENTIAL) == [f"vault.accessor:{HMAC}", f"vault.token:{AUTH['client_token']}"]
    assert use.credential is not None
    assert (use.credential.ttl_seconds, use.credential.expires) == (1200, 1_780_308_000_000_000 + 1_200_000_000)
    assert len(parsed.events) == 2


def test_response_is_an_effect_and_counts_nothing_twice() -> None:
    (effect,) = read(IMPORTER, entry("response")).events
    assert (effect.kind, effect.vantage) == (EventKind.EFFECT, Vantage.TARGET)
    assert effect.outcome is not None
    assert (effect.outcome.effect, effect.outcome.permitted) == (Tri.YES, Effect.ALLOW)
    assert not effect.keys_of(KeyRole.CREDENTIAL)


def test_denied_in_both_records() -> None:
    denied = {"auth": AUTH | {"policy_results": {"allowed": False}}, "error": "1 error occurred:\n\t* permission denied\n\n"}
    for kind in ("request", "response"):
        events = read(IMPORTER, entry(kind, **denied)).events
        verdict = only(events, EventKind.DECISION)
        assert verdict.decision is not None
        assert verdict.decision.effect is Effect.DENY
        assert "permission denied" in verdict.decision.reason
    effect = only(events, EventKind.EFFECT)
    assert effect.outcome is not None
    assert effect.outcome.effect is Tri.NO


def test_an_error_that_is_no_refusal_decides_nothing() -> None:
    events = read(IMPORTER, entry("response", error="1 error occurred:\n\t* unsupported path\n\n")).events
    assert [event.kind for event in events] == [EventKind.EFFECT]
    assert events[0].outcome is not None
    assert (events[0].outcome.effect, events[0].outcome.permitted) == (Tri.NO, Effect.UNKNOWN)


def test_record_without_policy_results_was_allowed_unless_it_has_an_error() -> None:
    auth = {name: value for name, value in AUTH.items() if name != "policy_results"}
    verdict = only(read(IMPORTER, entry(auth=auth)).events, EventKind.DECISION)
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.ALLOW


def test_login_asks_then_issues() -> None:
    asked = entry(path="auth/approle/login", operation="update", auth={"token_type": "default"},
                  request={"client_token": None, "client_token_accessor": None})  # fmt: skip
    (request,) = read(IMPORTER, asked).events
    assert (request.kind, request.phase, request.verb) == (EventKind.CREDENTIAL, Phase.REQUESTED, Verb.CREDENTIAL_ISSUE)
    answered = asked | {"type": "response", "auth": AUTH, "response": {"auth": AUTH}}
    events = read(IMPORTER, answered).events
    issued = only(events, EventKind.CREDENTIAL)
    assert issued.phase is Phase.ISSUED
    assert names(issued, KeyRole.CREDENTIAL)[0] == f"vault.accessor:{HMAC}"
    assert issued.credential is not None
    assert issued.credential.scope == ("default", "pay-read")
    assert (issued.credential.subject, issued.credential.ttl_seconds) == ("approle", 1200)
    assert only(events, EventKind.DECISION).decision is not None


def test_failed_login_is_a_deny_and_issues_nothing() -> None:
    record = entry(
        "response", "auth/userpass/login/bob", "update", auth={"token_type": "default"}, error="invalid username or password"
    )
    events = read(IMPORTER, record).events
    verdict = only(events, EventKind.DECISION)
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.DENY
    assert not [event for event in events if event.kind is EventKind.CREDENTIAL]


@pytest.mark.parametrize("mask", ["****", "***", "", None])
def test_masked_ids_join_nothing(mask: str | None) -> None:
    masked = {"accessor": mask, "client_token": mask}
    record = entry(auth=AUTH | masked, request={"id": mask, "client_token": mask, "client_token_accessor": mask})
    parsed = read(IMPORTER, record)
    assert parsed.identity is None
    assert not [key for event in parsed.events for key in event.keys]


def test_masked_records_pair_by_adjacency_only() -> None:
    request = entry(request={"id": "****"})
    response = entry("response", request={"id": "****"})
    reader = IMPORTER.open()
    asked, answered, again = (reader.read(one).events[0] for one in (request, response, response))
    assert asked.ref
    assert asked.ref == answered.after
    assert not again.after
    reader = IMPORTER.open()
    reader.read(request)
    reader.read(entry(path="sys/health", request={"id": "****"}))
    assert not reader.read(response).events[0].after


def test_identity_is_the_request_id_and_the_half() -> None:
    plain = entry(auth={}, request={"client_token": None, "client_token_accessor": None})
    assert read(IMPORTER, plain).identity == "977a96c1-095c-2c5a-6637-5dc584b823f1:request"
    assert read(IMPORTER, plain | {"type": "response"}).identity == "977a96c1-095c-2c5a-6637-5dc584b823f1:response"


def test_two_audit_devices_are_two_records_with_two_credentials() -> None:
    other = "hmac-sha256:" + "ef" * 32
    first = read(IMPORTER, entry())
    second = read(IMPORTER, entry(auth=AUTH | {"accessor": other}, request={"client_token_accessor": other}))
    assert first.identity != second.identity
    keys = [only(p.events, EventKind.CREDENTIAL).first_key(KeyRole.CREDENTIAL) for p in (first, second)]
    assert keys[0] != keys[1]
    changed = read(IMPORTER, entry(time="2026-06-01T11:00:00Z"))
    assert changed.identity == first.identity


def test_clear_tokens_are_no_keys() -> None:
    clear = {"client_token": "hvs.CAESIJ"}
    parsed = read(IMPORTER, entry(auth=AUTH | clear, request=clear | {"client_token_accessor": "Acc1"}))
    assert names(only(parsed.events, EventKind.CREDENTIAL), KeyRole.CREDENTIAL) == ["vault.accessor:Acc1"]


def issued(record: dict[str, object]) -> list[str]:
    return [
        name
        for event in read(IMPORTER, record).events
        if event.phase is Phase.ISSUED
        for name in names(event, KeyRole.CREDENTIAL)
    ]


def test_dynamic_secret_is_a_lease() -> None:
    record = entry("response", "database/creds/readonly", request={"mount_type": "database"},
                   response={"secret": {"lease_id": "database/creds/readonly/abc", "lease_duration": 3600}, "data": {"username": HMAC}})  # fmt: skip
    event = next(e for e in read(IMPORTER, record).events if e.phase is Phase.ISSUED)
    assert names(event, KeyRole.CREDENTIAL) == ["vault.lease:database/creds/readonly/abc"]
    assert names(event, KeyRole.VIA)[0] == f"vault.accessor:{HMAC}"
    assert event.credential is not None
    assert (event.credential.ttl_seconds, event.verb) == (3600, Verb.CREDENTIAL_ISSUE)


@pytest.mark.parametrize("secret", [None, {}, {"lease_id": ""}])
def test_static_secret_issues_nothing(secret: object) -> None:
    assert issued(entry("response", request={"mount_type": "kv"}, response={"secret": secret, "data": {"data": HMAC}})) == []


@pytest.mark.parametrize(
    "auth",
    [
        {"policy_results": {"allowed": True, "granting_policies": [{"type": ""}]}, "token_type": "default"},
        {"client_token": "", "accessor": "", "display_name": "", "policies": None, "metadata": None},
    ],
    ids=["newer", "of 2017"],
)
def test_a_login_answered_with_a_hashed_error_let_nobody_in(auth: dict[str, object]) -> None:
    record = entry("response", "auth/approle/login", "update", auth=auth, error="", response={"data": {"error": HMAC}})
    events = read(IMPORTER, record).events
    verdict = only(events, EventKind.DECISION)
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.DENY
    effect = only(events, EventKind.EFFECT)
    assert effect.outcome is not None
    assert (effect.outcome.effect, effect.outcome.permitted) == (Tri.NO, Effect.DENY)
    assert not [event for event in events if event.phase is Phase.ISSUED]


def test_an_answer_that_is_an_error_was_allowed_and_not_done() -> None:
    answer = {"data": {"error": HMAC}}
    (effect,) = read(IMPORTER, entry("response", "database/creds/x", request={"mount_type": "database"}, response=answer)).events
    assert effect.outcome is not None
    assert (effect.outcome.effect, effect.outcome.permitted) == (Tri.NO, Effect.UNKNOWN)
    (stored,) = read(IMPORTER, entry("response", "kv/x", request={"mount_type": "kv"}, response=answer)).events
    assert stored.outcome is not None
    assert stored.outcome.effect is Tri.YES, "a secret of this name is no error"
    verdict = only(read(IMPORTER, entry(error="unsupported operation")).events, EventKind.DECISION)
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.ALLOW, "the policy had granted what the engine could not do"


@pytest.mark.parametrize("error", ['claim "repository" does not match any associated bound claim values', "token is expired"])
def test_methods_refuse_in_their_own_words(error: str) -> None:
    record = entry("response", "auth/jwt/login", "update", auth={"token_type": "default"}, error=error)
    verdict = only(read(IMPORTER, record).events, EventKind.DECISION)
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.DENY


def test_a_wrapping_token_is_followed_to_its_unwrapping() -> None:
    wrapping = "hmac-sha256:" + "77" * 32
    wrap = {"accessor": "Wrap1", "token": wrapping, "ttl": 300, "creation_path": "secret/data/pay"}
    given = only(read(IMPORTER, entry("response", response={"wrap_info": wrap})).events, EventKind.CREDENTIAL)
    assert names(given, KeyRole.CREDENTIAL) == ["vault.accessor:Wrap1", f"vault.token:{wrapping}"]
    unwrap = entry(path="sys/wrapping/unwrap", operation="update", request={"data": {"token": wrapping}})
    used = [names(event, KeyRole.CREDENTIAL) for event in read(IMPORTER, unwrap).events if event.phase is Phase.USED]
    assert [f"vault.token:{wrapping}"] in used


def test_a_hashed_serial_joins_within_its_log() -> None:
    made = entry("response", "pki/issue/web", "update", request={"mount_type": "pki"}, response={"data": {"serial_number": HMAC}})
    gone = entry("response", "pki/revoke", "update", request={"mount_type": "pki", "data": {"serial_number": HMAC}})
    for record, phase in ((made, Phase.ISSUED), (gone, Phase.REVOKED)):
        event = only(read(IMPORTER, record).events, EventKind.CREDENTIAL, phase)
        assert names(event, KeyRole.CREDENTIAL) == [f"vault.serial:{HMAC}"]


def test_aws_key_in_clear_joins_the_cloud() -> None:
    record = entry("response", "aws/creds/deploy", request={"mount_type": "aws"},
                   response={"secret": {"lease_id": "aws/creds/deploy/x"}, "data": {"access_key": "AKIAIOSFODNN7EXAMPLE"}})  # fmt: skip
    assert issued(record) == ["vault.lease:aws/creds/deploy/x", "aws.key:AKIAIOSFODNN7EXAMPLE"]


@pytest.mark.parametrize(
    ("path", "mount", "data", "ttl"),
    [
        ("pki/issue/agents", "pki", {"serial_number": HMAC, "expiration": 1_780_311_601}, 3599),
        ("aws/sts/deploy", "aws", {"access_key": HMAC, "ttl": 900}, 900),
        ("identity/oidc/token/agent", "identity", {"token": HMAC, "ttl": 86400}, 86400),
        ("pki/issue/agents", "pki", {"serial_number": HMAC, "expiration": HMAC}, None),
    ],
)
def test_how_long_what_was_issued_lasts(path: str, mount: str, data: dict[str, object], ttl: int | None) -> None:
    operation = "read" if mount == "identity" else "update"
    parsed = read(IMPORTER, entry("response", path, operation, request={"mount_type": mount}, response={"data": data}))
    issued = only(parsed.events, EventKind.CREDENTIAL)
    assert issued.credential is not None
    assert (issued.phase, issued.credential.ttl_seconds) == (Phase.ISSUED, ttl)
    assert (issued.credential.expires is None) is (ttl is None)


@pytest.mark.parametrize(
    ("response", "found"),
    [
        ({"data": {"data": {"password": HMAC}}}, Tri.YES),
        ({"data": {"http_status_code": 404, "http_raw_body": HMAC}}, Tri.NO),
        ({}, Tri.UNKNOWN),
    ],
)
def test_a_secret_that_is_not_there_was_not_read(response: dict[str, object], found: Tri) -> None:
    seen = only(read(IMPORTER, entry("response", request={"mount_type": "kv"}, response=response)).events, EventKind.EFFECT)
    assert seen.outcome is not None
    assert (seen.outcome.effect, seen.outcome.permitted) == (found, Effect.ALLOW)


def test_wrapping_issues_the_wrapping_token_and_what_it_wraps() -> None:
    wrap = {"accessor": "Wrap1", "wrapped_accessor": "Inner1", "ttl": 300, "creation_path": "auth/token/create"}
    record = entry("response", "auth/token/create", "update", response={"wrap_info": wrap})
    assert issued(record) == ["vault.accessor:Wrap1", "vault.accessor:Inner1"]


def test_token_create_issues_the_child_via_the_parent() -> None:
    child = {"accessor": "Child", "client_token": "hmac-sha256:" + "11" * 32, "policies": ["x"], "token_ttl": 60}
    event = next(e for e in read(IMPORTER, entry("response", "auth/token/create", "update", response={"auth": child})).events
                 if e.phase is Phase.ISSUED)  # fmt: skip
    assert names(event, KeyRole.CREDENTIAL)[0] == "vault.accessor:Child"
    assert names(event, KeyRole.VIA)[0] == f"vault.accessor:{HMAC}"


def test_renewal_keeps_the_credential() -> None:
    event = next(e for e in read(IMPORTER, entry("response", "auth/token/renew-self", "update", response={"auth": AUTH})).events
                 if e.phase is Phase.RENEWED)  # fmt: skip
    assert names(event, KeyRole.CREDENTIAL)[0] == f"vault.accessor:{HMAC}"


@pytest.mark.parametrize(
    ("path", "data", "key"),
    [
        ("auth/token/revoke-self", {}, f"vault.accessor:{HMAC}"),
        ("auth/token/revoke-accessor", {"accessor": "Acc9"}, "vault.accessor:Acc9"),
        ("auth/token/revoke", {"token": HMAC}, f"vault.token:{HMAC}"),
        ("sys/leases/revoke", {"lease_id": HMAC}, f"vault.lease:{HMAC}"),
        ("sys/leases/revoke/aws/creds/x/1", {}, "vault.lease:aws/creds/x/1"),
    ],
)
def test_revocations(path: str, data: dict[str, object], key: str) -> None:
    events = read(IMPORTER, entry("response", path, "update", request={"data": data})).events
    revoked = only(events, EventKind.CREDENTIAL)
    assert (revoked.phase, revoked.verb) == (Phase.REVOKED, Verb.CREDENTIAL_REVOKE)
    assert names(revoked, KeyRole.CREDENTIAL)[0] == key
    failed = read(IMPORTER, entry("response", path, "update", request={"data": data}, error="permission denied")).events
    assert not [event for event in failed if event.phase is Phase.REVOKED]


def test_root_token_without_time_to_live_never_expires() -> None:
    use = only(read(IMPORTER, entry(auth=AUTH | {"policies": ["root"], "token_ttl": 0})).events, EventKind.CREDENTIAL)
    assert use.credential is not None
    assert (use.credential.ttl_seconds, use.credential.expires) == (-1, None)


@pytest.mark.parametrize(
    ("metadata", "display", "name", "kind"),
    [
        ({"spiffe_id": "spiffe://acme/agent/1"}, "cert-x", "spiffe://acme/agent/1", "workload"),
        ({"service_account_name": "runner", "service_account_namespace": "ci", "service_account_uid": SESSION}, "kubernetes-ci-runner",
         "system:serviceaccount:ci:runner", "workload"),
        ({"nomad_allocation_id": SESSION, "nomad_job_id": "agent"}, "", "agent", "workload"),
        ({}, "jwt-organization:acme:project:p:workspace:w", "jwt-organization:acme:project:p:workspace:w", "workload"),
        ({"email": "dana@acme.example"}, "oidc-dana", "dana@acme.example", "human"),
        ({"role": "x"}, "userpass-bob", "userpass-bob", "human"),
        ({"sub": "repo:acme/pay:ref:refs/heads/main"}, "jwt-x", "repo:acme/pay:ref:refs/heads/main", "workload"),
    ],
)  # fmt: skip
def test_principals(metadata: dict[str, str], display: str, name: str, kind: str) -> None:
    event = read(IMPORTER, entry(auth=AUTH | {"metadata": metadata, "display_name": display})).events[0]
    assert event.principal is not None
    assert (event.principal.name, event.principal.kind) == (name, kind)
    assert not event.keys_of(KeyRole.SCOPE), "no other UUID is a session"


def test_session_in_metadata_is_a_scope() -> None:
    for metadata in ({"session_id": SESSION.upper()}, {"agent_session": f"agent-{SESSION}"}, {"task": f"x/{SESSION}"}):
        event = read(IMPORTER, entry(auth=AUTH | {"metadata": metadata})).events[0]
        assert names(event, KeyRole.SCOPE) == [f"session:{SESSION}"]
    assert not read(IMPORTER, entry(auth=AUTH | {"metadata": {"session_id": HMAC}})).events[0].keys_of(KeyRole.SCOPE)


def test_job_in_metadata_is_a_scope() -> None:
    metadata = {"repository": "Acme/Pay", "run_id": "5512345678", "actor": "dana"}
    event = read(IMPORTER, entry(auth=AUTH | {"metadata": metadata})).events[0]
    assert names(event, KeyRole.SCOPE) == ["ci.job:github-actions:acme/pay:5512345678"]


def test_audited_headers() -> None:
    headers = {
        "x-request-id": ["r-1"],
        "traceparent": ["00-7c0f0f833eef36062b3fe9d11f8ade7e-8e8bb6c8bfd28f4f-01"],
        "x-vault-token": [HMAC],
    }
    event = read(IMPORTER, entry(request={"headers": headers})).events[0]
    assert "request:r-1" in names(event, KeyRole.CALL)
    assert names(event, KeyRole.SCOPE) == ["trace:7c0f0f833eef36062b3fe9d11f8ade7e"]


def test_help_operation_without_id() -> None:
    record = {
        "time": "2026-06-01T10:00:00Z",
        "type": "request",
        "auth": AUTH,
        "request": {"operation": "help", "path": "secret/x"},
    }
    parsed = read(IMPORTER, record)
    assert parsed.identity is None
    assert parsed.events[0].verb is Verb.UNKNOWN


def test_namespace_stands_before_the_path() -> None:
    record = entry(request={"namespace": {"id": "x1", "path": "team-a/"}})
    assert read(IMPORTER, record).events[0].target.name == "team-a/secret/data/pay"


@pytest.mark.parametrize(
    ("operation", "path", "mount", "verb"),
    [
        ("read", "secret/data/x", "kv", Verb.SECRET_READ),
        ("list", "secret/metadata/", "kv", Verb.SECRET_READ),
        ("patch", "team-kv/data/x", "kv", Verb.SECRET_WRITE),
        ("read", "secret/x", "", Verb.SECRET_READ),
        ("update", "transit/decrypt/k", "transit", Verb.SECRET_READ),
        ("update", "transit/encrypt/k", "transit", Verb.UNKNOWN),
        ("update", "pki_int/issue/web", "pki", Verb.CREDENTIAL_ISSUE),
        ("update", "ssh/sign/ansible", "", Verb.CREDENTIAL_ISSUE),
        ("read", "aws-prod/sts/deploy", "aws", Verb.CREDENTIAL_ISSUE),
        ("update", "auth/token/create/role", "token", Verb.CREDENTIAL_ISSUE),
        ("update", "auth/approle/role/x/secret-id", "approle", Verb.CREDENTIAL_ISSUE),
        ("update", "auth/approle/role/x", "approle", Verb.GUARDRAIL_CHANGE),
        ("read", "auth/token/lookup-self", "token", Verb.UNKNOWN),
        ("update", "sys/policies/acl/admin", "system", Verb.GUARDRAIL_CHANGE),
        ("delete", "sys/audit/file", "system", Verb.GUARDRAIL_CHANGE),
        ("read", "sys/health", "system", Verb.UNKNOWN),
        ("update", "sys/leases/renew", "system", Verb.CREDENTIAL_RENEW),
        ("update", "sys/wrapping/unwrap", "system", Verb.SECRET_READ),
        ("read", "identity/oidc/token/agent", "identity", Verb.CREDENTIAL_ISSUE),
        ("update", "identity/oidc/provider/default/token", "identity", Verb.CREDENTIAL_ISSUE),
        ("update", "identity/lookup/entity", "identity", Verb.UNKNOWN),
        ("update", "sys/audit-hash/file", "system", Verb.UNKNOWN),
        ("update", "ldap/library/team/check-out", "ldap", Verb.CREDENTIAL_ISSUE),
        ("update", "ldap/library/team/check-in", "ldap", Verb.CREDENTIAL_REVOKE),
        ("update", "pki/revoke-with-key", "pki", Verb.CREDENTIAL_REVOKE),
        ("read", "team/payments/token", "", Verb.UNKNOWN),
        ("read", "team/creds/payments", "", Verb.CREDENTIAL_ISSUE),
    ],
)
def test_verbs(operation: str, path: str, mount: str, verb: Verb) -> None:
    assert vault_verb(operation, path, mount) is verb


@pytest.mark.parametrize(
    ("mount", "path", "display", "kind"),
    [
        ("aws", "aws/creds/deploy", "oidc-dana@acme.example", "human"),
        ("approle", "auth/approle/role/ci/secret-id", "userpass-dana", "human"),
        ("ldap", "ldap/static-cred/db", "approle", "workload"),
    ],
)
def test_what_is_asked_for_says_nothing_of_who_asks(mount: str, path: str, display: str, kind: str) -> None:
    asked = entry(path=path, request={"mount_type": mount}, auth=AUTH | {"display_name": display})
    who = only(read(IMPORTER, asked).events, EventKind.DECISION).principal
    assert who is not None
    assert (who.name, who.kind) == (display, kind)


def test_a_login_that_lacks_a_factor_gives_no_token_yet() -> None:
    due = {"token_type": "default", "mfa_requirement": {"mfa_request_id": "m1"}}
    nobody = {"client_token": None, "client_token_accessor": None}
    first = entry("response", "auth/userpass/login/dana", "update", auth=due, request=nobody, response={"auth": due})
    verdict, seen = read(IMPORTER, first).events
    assert verdict.decision is not None and seen.outcome is not None
    assert (verdict.decision.effect, seen.outcome.effect, seen.outcome.permitted) == (Effect.ASK, Tri.UNKNOWN, Effect.ASK)
    second = entry("response", "sys/mfa/validate", "update", request=nobody, response={"auth": AUTH})
    issued = only(read(IMPORTER, second).events, EventKind.CREDENTIAL)
    assert (issued.phase, names(issued, KeyRole.CREDENTIAL)[0]) == (Phase.ISSUED, f"vault.accessor:{HMAC}")


@pytest.mark.parametrize(
    ("path", "mount", "kind"),
    [
        ("sys/leases/revoke-prefix/aws/creds", "system", "vault-lease"),
        ("auth/approle/role/ci/secret-id/destroy", "approle", "vault-approle"),
        ("pki/revoke", "pki", "vault-pki"),
        ("auth/token/revoke", "token", "vault-token"),
    ],
)
def test_what_kind_of_credential_was_taken_back(path: str, mount: str, kind: str) -> None:
    taken = only(
        read(IMPORTER, entry("response", path, "update", request={"mount_type": mount})).events,
        EventKind.CREDENTIAL,
        Phase.REVOKED,
    )
    assert taken.credential is not None
    assert taken.credential.kind == kind


def test_paths() -> None:
    assert is_login("auth/oidc/oidc/callback")
    assert is_login("auth/userpass/login/bob")
    assert not is_login("auth/token/create")
    assert vault_target("list", "secret/metadata/").detail == "list"


def test_kmip_is_kept_as_an_unknown_type() -> None:
    parsed = read(IMPORTER, {"type": "kmip-request", "time": "2026-06-01T10:00:00Z"})
    assert (parsed.unknown_type, parsed.events) == ("kmip-request", [])


@pytest.mark.parametrize(
    "record", [{}, [], "x", {"type": "request"}, {"type": "request", "request": {}}, {"type": "audit", "request": {"path": "x"}}]
)
def test_strangers_are_refused(record: object) -> None:
    with pytest.raises(BadRecord):
        read(IMPORTER, record)


def test_containers() -> None:
    one, two = entry(), entry("response")
    for data in (
        json.dumps(one) + "\n\n" + json.dumps(two) + "\n",
        pretty(one, two),
        "".join(f"<134>Jun  1 10:00:01 vault-0 vault[411]: {json.dumps(record)}\n" for record in (one, two)),
    ):
        parsed, rejects = whole(data, "vault")
        assert len(parsed) == 2
        assert not rejects


def test_corpus(corpus: Path) -> None:
    """A login, then the same accessor at work; and a pretty-printed file of twelve records whose ids are partly masked."""
    found: dict[str, list[Parsed]] = {}
    for path in sorted(corpus.glob("vault-audit/*/*")):
        parsed, rejects = whole(path.read_bytes(), "vault")
        assert not rejects
        found[path.parent.name.partition("__")[0]] = parsed
    assert {name: len(parsed) for name, parsed in found.items()} == {"awx-approle-doc": 3, "tallen-hashicorp": 12}
    login = [e for p in found["awx-approle-doc"] for e in p.events if e.kind is EventKind.CREDENTIAL]
    accessors = {names(e, KeyRole.CREDENTIAL)[0]: e.phase for e in login if e.keys_of(KeyRole.CREDENTIAL)}
    assert list(accessors.values()) == [Phase.USED]
    assert {e.phase for e in login} == {Phase.REQUESTED, Phase.ISSUED, Phase.USED}
    masked = found["tallen-hashicorp"]
    assert [p.identity is None for p in masked].count(True) == 2
    assert not [k for p in masked for e in p.events for k in e.keys if "**" in k.value and k.kind != "oidc.subject"]
    assert [e.phase for p in masked for e in p.events if e.phase in (Phase.ISSUED, Phase.RENEWED, Phase.REVOKED)] == [
        Phase.ISSUED,
        Phase.RENEWED,
        Phase.REVOKED,
    ]


GOOD = [
    entry(request={"headers": {"x-session-id": [SESSION]}, "mount_type": "kv"}),
    entry(
        "response",
        "database/creds/x",
        response={"secret": {"lease_id": "l"}, "data": {}, "wrap_info": {"accessor": "a", "ttl": 3}},
    ),
    entry("response", "auth/approle/login", "update", response={"auth": dict(AUTH)}),
]


@given(JSON)
def test_anything_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)


@given(mutated(GOOD))
def test_spoilt_records_are_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
