"""What the audit logs of services say in cases near the usual ones, and whose records only look like theirs."""

from __future__ import annotations

import pytest

from model.event import Event
from model.words import Effect, EventKind, Tri, Verb
from tests.test_importers_mappings import MAPPINGS

AT = "2026-06-01T14:00:01Z"
Json = dict[str, object]


def only(format: str, record: Json) -> Event:
    assert MAPPINGS[format].sniff([record]) > 0
    (event,) = MAPPINGS[format].open().read(record).events
    return event


def outcome(event: Event) -> Tri:
    return event.outcome.effect if event.outcome else Tri.UNKNOWN


def auth0(kind: str) -> Json:
    return {"date": AT, "type": kind, "log_id": "9002026060114000000000000000001", "client_id": "c", "ip": "192.0.2.7"}


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("fede", Effect.DENY), ("ferrt", Effect.DENY), ("fens", Effect.DENY), ("gd_auth_rejected", Effect.DENY), ("signup_pwd_leak", Effect.DENY),
        ("limit_ui", Effect.DENY), ("api_limit", Effect.DENY), ("fcp", Tri.NO), ("fs", Tri.NO), ("scp", Tri.YES), ("sdu", Tri.YES),
        ("gd_auth_succeed", Tri.YES), ("sys_update_start", Tri.UNKNOWN), ("gd_start_auth", Tri.UNKNOWN), ("w", Tri.UNKNOWN),
    ],
)  # fmt: skip
def test_what_auth0s_codes_say(kind: str, told: Effect | Tri) -> None:
    event = only("auth0", auth0(kind))
    assert (event.decision.effect if event.decision else outcome(event)) == told


@pytest.mark.parametrize("kind", ["seccft", "sede", "sens"])
def test_every_successful_exchange_of_auth0_issues_a_token(kind: str) -> None:
    assert only("auth0", auth0(kind)).kind is EventKind.CREDENTIAL


def slack(action: str) -> Json:
    person = {"type": "user", "user": {"id": "U1", "email": "dana@acme.example"}}
    return {"id": "s", "date_create": 1780322401, "action": action, "actor": person, "entity": person, "context": {"ua": "x"}}


@pytest.mark.parametrize(
    ("action", "kind", "done", "verb"),
    [
        ("file_downloaded", EventKind.EFFECT, Tri.YES, Verb.UNKNOWN),
        ("file_downloaded_blocked", EventKind.DECISION, Tri.UNKNOWN, Verb.UNKNOWN),
        ("anomaly", EventKind.EFFECT, Tri.UNKNOWN, Verb.UNKNOWN),
        ("org_app_installed", EventKind.EFFECT, Tri.YES, Verb.GUARDRAIL_CHANGE),
        ("idp_configuration_deleted", EventKind.EFFECT, Tri.YES, Verb.GUARDRAIL_CHANGE),
    ],
)
def test_what_slacks_actions_say(action: str, kind: EventKind, done: Tri, verb: Verb) -> None:
    event = only("slack-audit", slack(action))
    assert (event.kind, outcome(event), event.verb) == (kind, done, verb)


@pytest.mark.parametrize(
    ("target", "more", "done", "verb"),
    [
        ({"type": "TAILNET", "property": "ACL"}, {}, Tri.YES, Verb.GUARDRAIL_CHANGE),
        ({"type": "TAILNET", "property": "ACL"}, {"error": "not valid"}, Tri.NO, Verb.GUARDRAIL_CHANGE),
        ({"type": "FAILED_REQUEST"}, {}, Tri.NO, Verb.UNKNOWN),
        ({"type": "USER", "property": "USER_ROLE"}, {}, Tri.YES, Verb.GUARDRAIL_CHANGE),
        ({"type": "TAILNET", "property": "MACHINE_APPROVAL_NEEDED"}, {}, Tri.YES, Verb.GUARDRAIL_CHANGE),
    ],
    ids=["rules", "rules-refused", "failed", "role", "approval"],
)
def test_what_tailscale_tells_of_a_change(target: Json, more: Json, done: Tri, verb: Verb) -> None:
    record = {
        "eventGroupID": "g",
        "origin": "CONFIG_API",
        "actor": {"type": "OAUTH_CLIENT", "id": "k"},
        "action": "UPDATE",
        "eventTime": AT,
    }
    event = only("tailscale", {**record, "target": target, **more})
    assert (outcome(event), event.verb, event.principal and event.principal.kind) == (done, verb, "workload")


@pytest.mark.parametrize(
    ("action", "verb"),
    [("getAcl", Verb.UNKNOWN), ("listAcls", Verb.UNKNOWN), ("listScopes", Verb.UNKNOWN), ("putAcl", Verb.GUARDRAIL_CHANGE), ("getSecret", Verb.SECRET_READ)],
)  # fmt: skip
def test_who_lists_in_databricks_changes_nothing(action: str, verb: Verb) -> None:
    record = {"serviceName": "secrets", "actionName": action, "timestamp": 1780322401000, "auditLevel": "WORKSPACE_LEVEL"}
    whole = record | {
        "userIdentity": {"email": "dana@acme.example"},
        "response": {"statusCode": 200},
        "requestParams": {"scope": "s"},
    }
    assert only("databricks", whole).verb is verb


@pytest.mark.parametrize(
    ("result", "done"), [("success", Tri.YES), ("failure", Tri.NO), ("", Tri.UNKNOWN)], ids=["done", "failed", "unsaid"]
)
def test_the_second_version_of_cloudflares_audit_log(result: str, done: Tri) -> None:
    pushed = {
        "AccountID": "a",
        "ActionResult": result,
        "ActionTimestamp": AT,
        "ActionType": "create",
        "ActorEmail": "dana@acme.example",
    }
    pushed |= {"ActorType": "cloudflare_admin", "AuditLogID": "l", "ResourceType": "rulesets", "ResourceProduct": "waf"}
    listed = {"id": "l", "account": {"id": "a"}, "action": {"result": result, "time": AT, "type": "create"}}
    listed |= {
        "actor": {"id": "u", "email": "dana@acme.example", "type": "user"},
        "resource": {"product": "waf", "type": "rulesets"},
    }
    for record in (pushed, listed):
        event = only("cloudflare-audit", record)
        assert (outcome(event), event.principal and event.principal.kind, event.at is not None) == (done, "human", True)


@pytest.mark.parametrize(("action", "verb"), [("force_execute", Verb.CI_RUN), ("force_cancel", Verb.UNKNOWN)])
def test_a_terraform_run_that_is_cancelled_by_force_runs_nothing(action: str, verb: Verb) -> None:
    record = {"id": "e", "timestamp": AT, "auth": {"description": "dana", "organization_id": "org-A1"}}
    assert only("terraform-audit", record | {"resource": {"id": "run-1", "type": "run", "action": action}}).verb is verb


@pytest.mark.parametrize(
    ("name", "kind", "done"),
    [
        ("login_success", EventKind.EFFECT, Tri.YES),
        ("login_challenge", EventKind.EFFECT, Tri.UNKNOWN),
        ("risky_sensitive_action_blocked", EventKind.DECISION, Tri.UNKNOWN),
    ],
)
def test_what_google_tells_of_a_sign_in(name: str, kind: EventKind, done: Tri) -> None:
    record = {
        "kind": "admin#reports#activity",
        "id": {"time": AT, "applicationName": "login"},
        "actor": {"email": "dana@acme.example"},
    }
    event = only("google-workspace", record | {"events": [{"type": "login", "name": name}]})
    assert (event.kind, outcome(event)) == (kind, done)


@pytest.mark.parametrize(
    ("endpoint", "verb"),
    [
        ("/v1/acl/token", Verb.CREDENTIAL_ISSUE),
        ("/v1/acl/token?ns=a", Verb.CREDENTIAL_ISSUE),
        ("/v1/acl/token/1234/clone", Verb.CREDENTIAL_ISSUE),
        ("/v1/acl/token/1234", Verb.GUARDRAIL_CHANGE),
    ],
)
def test_a_token_of_consuls_that_is_changed_is_none_issued(endpoint: str, verb: Verb) -> None:
    asked = {"operation": "PUT", "endpoint": endpoint}
    payload = {"id": "p", "type": "HTTPEvent", "stage": "OperationComplete", "request": asked, "response": {"status": "200"}}
    assert only("consul-audit", {"created_at": AT, "event_type": "audit", "payload": payload}).verb is verb


STRANGERS: dict[str, Json] = {
    "auth0": {"log_id": "5", "date": AT, "type": "login", "user_id": "u7", "details": "from the shop"},
    "cloudflare-audit": {"when": AT, "action": {"type": "update"}, "resource": {"type": "invoice"}, "actor": {"type": "user", "id": "7"}, "owner": {"id": "1"}},
    "slack-audit": {"id": "a", "action": "login", "actor": {"type": "user", "id": "7"}, "entity": {"type": "invoice"}, "date_create": 1780322401,
                    "context": {"ip_address": "192.0.2.7"}},
    "terraform-audit": {"id": "x", "timestamp": AT, "auth": {"organization_id": "3"}, "resource": {"type": "invoice", "action": "paid"}},
    "tailscale": {"eventGroupID": "1", "action": "create", "actor": {"type": "user"}, "target": {"type": "invoice"}, "eventTime": AT, "origin": "web"},
    "infisical": {"id": "1", "createdAt": AT, "actor": "user", "actorMetadata": {"email": "x"}, "event": {"type": "create-invoice", "metadata": {}}},
}  # fmt: skip
"""What the audit table of an application of one's own holds, by the format whose members it has."""


@pytest.mark.parametrize("format", list(STRANGERS))
def test_an_applications_own_audit_table_is_not_taken(format: str) -> None:
    assert MAPPINGS[format].sniff([STRANGERS[format]] * 3) == 0
