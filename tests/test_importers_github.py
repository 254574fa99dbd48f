"""The GitHub audit log and webhook bodies: verbs, tokens, times of every kind, and the joins to commits and runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from importers.github import IMPORTER
from importers.github_webhook import IMPORTER as WEBHOOK
from model.event import BadRecord, Event, Key
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import JSON, mutated, only, read, survives

SHA = "4f1d2c3b5a69788796a5b4c3d2e1f00112233445"


def audit(**members: object) -> list[Event]:
    base: dict[str, object] = {"@timestamp": 1_700_000_000_123, "_document_id": "d1", "actor": "dana", "org": "Acme"}
    return IMPORTER.open().read(base | members).events


@pytest.mark.parametrize(
    ("action", "effect", "by"),
    [
        ("protected_branch.rejected_ref_update", Effect.DENY, "github:acme"),
        ("workflows.reject_workflow_job", Effect.DENY, "dana"),
        ("workflows.approve_workflow_job", Effect.ALLOW, "dana"),
        ("org.oauth_app_access_denied", Effect.DENY, "dana"),
        ("personal_access_token.request_denied", Effect.DENY, "dana"),
    ],
)
def test_what_is_answered_is_a_decision(action: str, effect: Effect, by: str) -> None:
    verdict, observed = audit(action=action, repo="Acme/Pay")[:2]
    assert verdict.decision is not None
    assert (verdict.kind, verdict.decision.effect, verdict.decision.by) == (EventKind.DECISION, effect, by)
    assert observed.outcome is not None
    assert observed.outcome.effect is (Tri.NO if effect is Effect.DENY else Tri.YES)


def test_a_rejected_push_is_a_push_that_was_refused() -> None:
    assert audit(action="protected_branch.rejected_ref_update", repo="Acme/Pay")[0].verb is Verb.REPO_WRITE


def test_an_agents_entry_names_whom_it_works_for() -> None:
    told = audit(action="pull_request.create", actor="Copilot", actor_is_agent=True, user="dana", repo="Acme/Pay",
                 agent_session_id="8f0c6a8e-3f57-4d6e-9a5e-3c6f5f0f9a11")[0]  # fmt: skip
    assert told.principal is not None
    assert (told.principal.name, told.principal.kind, told.principal.on_behalf_of) == ("Copilot", "agent", "dana")


def test_a_bare_repository_stands_in_its_organisation() -> None:
    assert audit(action="git.push", repository="pay")[0].target.name == "acme/pay"


PLACE: dict[str, object] = {"repository": {"full_name": "acme/pay"}, "sender": {"login": "dana", "type": "User"}}


@pytest.mark.parametrize(
    ("body", "verb", "words"),
    [
        ({"action": "created"}, Verb.REPO_WRITE, "repository created"),
        ({"action": "created", "label": {"name": "bug"}}, Verb.UNKNOWN, ""),
        ({"action": "created", "personal_access_token_request": {"id": 1}, "organization": {"login": "acme"}}, Verb.UNKNOWN, ""),
        ({"action": "created", "starred_at": "2026-01-01T00:00:00Z"}, Verb.UNKNOWN, ""),
        ({"action": "created", "discussion": {"number": 1}, "comment": {"id": 1}}, Verb.UNKNOWN, "comment"),
        ({"action": "created", "comment": {"id": 1, "commit_id": SHA}}, Verb.UNKNOWN, "commit comment"),
        ({"action": "created", "alert": {"number": 1, "push_protection_bypassed": True}}, Verb.GUARDRAIL_CHANGE, ""),
        ({"inputs": {"env": "prod"}, "ref": "refs/heads/main", "workflow": ".github/workflows/deploy.yml"}, Verb.CI_RUN, "workflow dispatch"),
        ({"sha": SHA, "state": "success", "context": "ci/build", "commit": {"sha": SHA}}, Verb.UNKNOWN, "status ci/build success"),
    ],
)  # fmt: skip
def test_a_body_is_what_it_has_beside_its_repository(body: dict[str, object], verb: Verb, words: str) -> None:
    (event,) = WEBHOOK.open().read(PLACE | body).events
    assert (event.verb, words in event.text) == (verb, True)
    if SHA in json.dumps(body):
        assert event.keys == (Key(KeyRole.REFERENCE, "commit", SHA),)


@pytest.mark.parametrize(("action", "effect"), [("approved", Effect.ALLOW), ("rejected", Effect.DENY)])
def test_a_deployments_review_is_a_decision(action: str, effect: Effect) -> None:
    body = PLACE | {"action": action, "approver": {"login": "lee"}, "comment": "not today", "environment": "prod",
                    "workflow_run": {"id": 5512345678, "head_sha": SHA}}  # fmt: skip
    verdict = WEBHOOK.open().read(body).events[0]
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.by, verdict.decision.reason) == (effect, "lee", "not today")
    assert Key(KeyRole.SCOPE, "ci.job", "github-actions:acme/pay:5512345678") in verdict.keys


def test_push_with_a_token_is_an_effect_and_a_use() -> None:
    effect, use = audit(action="git.push", repo="Acme/Pay", hashed_token="q83v", token_id=7, actor_is_bot=False)
    assert (effect.kind, effect.verb, effect.target.name) == (EventKind.EFFECT, Verb.REPO_WRITE, "acme/pay")
    assert effect.point == "github:acme"
    assert (use.kind, use.phase) == (EventKind.CREDENTIAL, Phase.USED)
    assert use.keys == (Key(KeyRole.CREDENTIAL, "token", "q83v"), Key(KeyRole.CREDENTIAL, "github.token_id", "7"))
    assert not effect.keys_of(KeyRole.CREDENTIAL)


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ({"@timestamp": 1_621_305_118_553}, 1_621_305_118_553_000),
        ({"@timestamp": None, "created_at": "2022-08-16 16:56:49.309"}, 1_660_669_009_309_000),
        ({"@timestamp": None, "at_sign_timestamp": "2023-01-31 18:58:27.638"}, 1_675_191_507_638_000),
        ({"@timestamp": None, "created_at": 1_621_305_118.5}, 1_621_305_118_500_000),
        ({"@timestamp": "2026-08-02T00:00:00.123Z", "created_at": 1_621_305_118_553}, 1_621_305_118_553_000),
        ({"@timestamp": None}, None),
    ],
)
def test_times(time: dict[str, object], at: int | None) -> None:
    assert audit(action="repo.create", repo="a/b", **time)[0].at == at


@pytest.mark.parametrize(
    ("action", "verb"),
    [
        ("protected_branch.policy_override", Verb.GUARDRAIL_CHANGE),
        ("repository_secret_scanning_push_protection.disable", Verb.GUARDRAIL_CHANGE),
        ("secret_scanning.enable", Verb.UNKNOWN),
        ("protected_branch.create", Verb.UNKNOWN),
        ("pull_request.merge", Verb.PR_MERGE),
        ("workflows.created_workflow_run", Verb.CI_RUN),
        ("git.clone", Verb.REPO_READ),
        ("public_key.create", Verb.CREDENTIAL_ISSUE),
        ("personal_access_token.access_revoked", Verb.CREDENTIAL_REVOKE),
        ("team.create", Verb.UNKNOWN),
        ("repo.add_member", Verb.GUARDRAIL_CHANGE),
        ("team.update_repository_permission", Verb.GUARDRAIL_CHANGE),
        ("organization_role.assign", Verb.GUARDRAIL_CHANGE),
        ("org.add_member", Verb.UNKNOWN),
        ("repo.set_workflow_permission_can_approve_pr", Verb.GUARDRAIL_CHANGE),
        ("business.set_default_workflow_permissions", Verb.GUARDRAIL_CHANGE),
        ("org.set_actions_private_fork_pr_approvals_policy", Verb.GUARDRAIL_CHANGE),
        ("org.set_actions_retention_limit", Verb.UNKNOWN),
        ("repository_branch_protection_evaluation.disable", Verb.GUARDRAIL_CHANGE),
        ("repository_branch_protection_evaluation.enable", Verb.UNKNOWN),
        ("mcp_registry.allowlist_add_server", Verb.GUARDRAIL_CHANGE),
        ("copilot.swe_agent_firewall_allowlist_updated", Verb.GUARDRAIL_CHANGE),
        ("copilot.swe_agent_mcp_config_updated", Verb.GUARDRAIL_CHANGE),
        ("integration_installation.repositories_added", Verb.GUARDRAIL_CHANGE),
        ("two_factor_authentication.disabled", Verb.GUARDRAIL_CHANGE),
        ("sandbox.generate_token", Verb.CREDENTIAL_ISSUE),
        ("repo.configure_self_hosted_jit_runner", Verb.CI_MODIFY),
    ],
)
def test_actions(action: str, verb: Verb) -> None:
    assert audit(action=action, repo="a/b")[0].verb is verb


@pytest.mark.parametrize(
    ("method", "route", "verb"),
    [
        ("POST", "/repos/{owner}/{repo}/pulls", Verb.PR_OPEN),
        ("PUT", "/repos/{owner}/{repo}/pulls/{pull_number}/merge", Verb.PR_MERGE),
        ("GET", "/repos/{owner}/{repo}/contents/{path}", Verb.REPO_READ),
        ("PUT", "/repos/{owner}/{repo}/contents/{path}", Verb.REPO_WRITE),
        ("DELETE", "/repos/{owner}/{repo}/branches/{branch}/protection", Verb.GUARDRAIL_CHANGE),
        ("PUT", "/repos/{owner}/{repo}/collaborators/{username}", Verb.GUARDRAIL_CHANGE),
        ("PUT", "/orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}", Verb.GUARDRAIL_CHANGE),
        ("GET", "/user", Verb.HTTP_REQUEST),
    ],
)
def test_api_requests(method: str, route: str, verb: Verb) -> None:
    event = audit(action="api.request", request_method=method, route=route, status_code=200)[0]
    assert event.verb is verb
    assert event.outcome is not None
    assert event.outcome.effect is Tri.YES


@pytest.mark.parametrize(
    "route", ["/repos/:owner/:repo/pulls/:pull_number/merge", "/repositories/:repository_id/pulls/:number/merge"]
)
def test_the_path_that_was_called_names_the_repository_of_a_route(route: str) -> None:
    called = {"action": "api.request", "org": "acme", "actor": "bot", "@timestamp": 1_714_692_687_389, "request_method": "PUT"}
    event = only(read(IMPORTER, called | {"route": route, "url_path": "/repos/acme/pay/pulls/5/merge"}).events, EventKind.EFFECT)
    assert (event.verb, event.target.name, event.attrs["repository"]) == (Verb.PR_MERGE, "acme/pay", "acme/pay")
    event = only(read(IMPORTER, called | {"route": route, "url_path": "/repositories/12/pulls/5/merge"}).events, EventKind.EFFECT)
    assert (event.verb, event.target.name) == (Verb.PR_MERGE, "")


def test_refused_api_request_is_a_decision_and_had_no_effect() -> None:
    verdict, effect = audit(
        action="api.request",
        request_method="POST",
        route="/repos/{owner}/{repo}/pulls",
        status_code="403",
        rate_limit_remaining=9,
    )
    assert verdict.decision is not None
    assert (verdict.kind, verdict.decision.effect) == (EventKind.DECISION, Effect.DENY)
    assert effect.outcome is not None
    assert (effect.outcome.permitted, effect.outcome.effect) == (Effect.DENY, Tri.NO)


def test_exhausted_rate_limit_and_server_error_decide_nothing() -> None:
    for members in ({"status_code": 403, "rate_limit_remaining": 0}, {"status_code": 404}, {"status_code": 502}):
        (effect,) = audit(action="api.request", request_method="GET", route="/repos/{owner}/{repo}", **members)
        assert effect.outcome is not None
        assert (effect.outcome.permitted, effect.outcome.effect) == (Effect.UNKNOWN, Tri.NO)


def test_override_is_forced_and_a_rejected_push_is_refused() -> None:
    (override,) = audit(action="protected_branch.policy_override", repo="a/b", branch="refs/heads/main")
    assert (override.verb, override.attrs["forced"], override.target.detail) == (Verb.GUARDRAIL_CHANGE, True, "main")
    verdict, effect = audit(action="protected_branch.rejected_ref_update", repo="a/b")
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.DENY
    assert effect.outcome is not None
    assert effect.outcome.effect is Tri.NO


def test_a_token_created_in_the_browser_is_the_one_the_entry_names() -> None:
    (issued,) = audit(action="oauth_access.create", hashed_token="n3w", token_scopes="repo,workflow")
    assert (issued.phase, issued.keys) == (Phase.ISSUED, (Key(KeyRole.CREDENTIAL, "token", "n3w"),))
    assert issued.credential is not None
    assert issued.credential.scope == ("repo", "workflow")
    by_token = audit(
        action="deploy_key.create", deploy_key_id=5, hashed_token="old", programmatic_access_type="OAuth access token"
    )
    issued, used = by_token
    assert issued.keys == (Key(KeyRole.CREDENTIAL, "github.grant", "5"), Key(KeyRole.VIA, "token", "old"))
    assert issued.credential is not None
    assert issued.credential.ttl_seconds == -1
    assert (used.phase, used.keys_of(KeyRole.CREDENTIAL)) == (Phase.USED, (Key(KeyRole.CREDENTIAL, "token", "old"),))


@pytest.mark.parametrize(
    ("action", "access"),
    [
        ("personal_access_token.create", "Fine-grained personal access token"),
        ("personal_access_token.credential_regenerated", "Fine-grained personal access token"),
        ("oauth_access.create", "Personal access token (classic)"),
        ("oauth_access.create", "OAuth access token"),
    ],
)
def test_no_token_of_a_person_was_made_with_itself(action: str, access: str) -> None:
    (about,) = audit(action=action, hashed_token="n3w", token_id=8, programmatic_access_type=access)
    assert about.phase is not Phase.USED
    assert about.keys == (Key(KeyRole.CREDENTIAL, "token", "n3w"), Key(KeyRole.CREDENTIAL, "github.token_id", "8"))
    assert about.credential is not None
    assert about.credential.kind == access


def test_an_app_that_grants_a_token_is_not_that_token() -> None:
    granted, used = audit(
        action="personal_access_token.access_granted",
        user_programmatic_access_id=4,
        hashed_token="app",
        programmatic_access_type="GitHub App server-to-server token",
    )
    assert granted.keys_of(KeyRole.CREDENTIAL) == (Key(KeyRole.CREDENTIAL, "github.grant", "4"),)
    assert (used.phase, used.keys_of(KeyRole.CREDENTIAL)) == (Phase.USED, (Key(KeyRole.CREDENTIAL, "token", "app"),))


def test_either_name_of_a_token_may_be_missing() -> None:
    use = audit(action="git.push", repo="a/b", token_id="9")[1]
    assert use.keys == (Key(KeyRole.CREDENTIAL, "github.token_id", "9"),)
    assert len(audit(action="git.push", repo="a/b", hashed_token="", token_id=None)) == 1


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"actor_is_bot": True}, "workload"),
        ({"actor": "renovate[bot]"}, "workload"),
        ({"actor_is_agent": True, "actor_is_bot": True}, "agent"),
        ({"actor_is_bot": False}, "human"),
        ({"actor_is_bot": False, "programmatic_access_type": "personal_access_token"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_kinds_of_actors(members: dict[str, object], kind: str) -> None:
    principal = audit(action="repo.update", repo="a/b", **members)[0].principal
    assert principal is not None
    assert principal.kind == kind


def test_numbers_of_alerts_are_no_pull_requests() -> None:
    assert not audit(action="secret_scanning_alert.create", repo="a/b", number=12)[0].keys
    (opened,) = audit(action="pull_request.create", repo="A/B", pull_request_url="https://github.com/A/B/pull/12")
    assert opened.keys == (Key(KeyRole.REFERENCE, "pr", "a/b#12"),)
    (bare,) = audit(action="pull_request.merge")
    assert (bare.verb, bare.keys) == (Verb.PR_MERGE, ())


def test_facts_within_data_count() -> None:
    (event,) = audit(action="workflows.completed_workflow_run", repo="a/b",
                     data={"workflow_run_id": 55, "head_sha": SHA, "conclusion": "failure"})  # fmt: skip
    assert Key(KeyRole.SCOPE, "ci.job", "github-actions:a/b:55") in event.keys
    assert event.outcome is not None
    assert (event.outcome.tool, event.outcome.effect) == (Tri.NO, Tri.YES)


def test_identity_is_the_document() -> None:
    reader = IMPORTER.open()
    assert reader.read({"action": "repo.create", "_document_id": "x"}).identity == "x"
    assert reader.read({"action": "repo.create"}).identity is None


def test_workflow_run_is_a_job_and_names_its_commit() -> None:
    (event,) = audit(action="workflows.completed_workflow_run", repo="a/b", workflow_run_id=55, head_sha=SHA)
    assert event.keys == (Key(KeyRole.SCOPE, "ci.job", "github-actions:a/b:55"), Key(KeyRole.REFERENCE, "commit", SHA))


def test_what_began_a_run_is_told() -> None:
    (logged,) = audit(action="workflows.created_workflow_run", repo="a/b", workflow_run_id=55, head_sha=SHA, event="schedule")
    run = {"id": 55, "head_sha": SHA, "event": "schedule"}
    (sent,) = WEBHOOK.open().read({"action": "requested", "workflow_run": run, "repository": {"full_name": "a/b"}}).events
    assert [event.attrs["trigger"] for event in (logged, sent)] == ["schedule", "schedule"]


def test_webhook_push_names_every_commit() -> None:
    body = {"ref": "refs/heads/main", "after": SHA, "forced": True, "commits": [{"id": SHA}, {"id": "0" * 40}, 7],
            "repository": {"full_name": "A/B"}, "pusher": {"name": "dana"}}  # fmt: skip
    for reader in (IMPORTER.open(), WEBHOOK.open()):
        (event,) = reader.read(body).events
        assert (event.verb, event.target.detail, event.attrs["forced"]) == (Verb.REPO_WRITE, "main", True)
        assert event.keys == (Key(KeyRole.REFERENCE, "commit", SHA),)


def test_merged_pull_request() -> None:
    body = {"action": "closed", "pull_request": {"number": 12, "merged": True, "head": {"sha": SHA}, "title": "t"},
            "repository": {"full_name": "a/b"}, "sender": {"login": "dana", "type": "User"}}  # fmt: skip
    (event,) = WEBHOOK.open().read(body).events
    assert event.verb is Verb.PR_MERGE
    assert Key(KeyRole.REFERENCE, "pr", "a/b#12") in event.keys


BODY = {"ref": "refs/heads/main", "after": SHA, "commits": [{"id": SHA, "message": "x\n\nEntire-Checkpoint: 0123456789ab"}],
        "repository": {"full_name": "a/b", "pushed_at": 1_700_000_000}, "sender": {"login": "github-actions[bot]", "type": "Bot"}}  # fmt: skip


@pytest.mark.parametrize(
    "record",
    [
        {"headers": {"X-GitHub-Event": "push", "X-GitHub-Delivery": "g-1"}, "payload": BODY},
        {"headers": {"x-github-event": ["push"], "x-github-delivery": ["g-1"]}, "body": json.dumps(BODY)},
        {
            "id": 1,
            "guid": "g-1",
            "event": "push",
            "delivered_at": "2026-06-01T10:00:00Z",
            "request": {"headers": {}, "payload": BODY},
        },
    ],
)
def test_deliveries_have_an_identity(record: dict[str, object]) -> None:
    assert WEBHOOK.sniff([record]) > 0
    parsed = WEBHOOK.open().read(record)
    (event,) = parsed.events
    assert (parsed.identity, parsed.type, event.verb) == ("g-1", "webhook push", Verb.REPO_WRITE)
    assert Key(KeyRole.REFERENCE, "entire.checkpoint", "0123456789ab") in event.keys
    assert event.principal is not None
    assert (event.principal.kind, event.principal.origin) == ("workload", "ci")


@pytest.mark.parametrize(
    ("body", "verb"),
    [
        ({"action": "opened", "pull_request": {"number": 1}}, Verb.PR_OPEN),
        ({"action": "synchronize", "pull_request": {"number": 1}}, Verb.REPO_WRITE),
        ({"action": "closed", "pull_request": {"number": 1, "merged": False}}, Verb.UNKNOWN),
        ({"action": "opened", "issue": {"number": 1}}, Verb.TICKET_OPEN),
        ({"action": "created", "issue": {"number": 1}, "comment": {"body": "x"}}, Verb.TICKET_UPDATE),
        ({"action": "created", "pull_request": {"number": 1}, "comment": {"body": "x"}}, Verb.UNKNOWN),
        ({"action": "deleted", "rule": {"name": "main"}}, Verb.GUARDRAIL_CHANGE),
        ({"action": "created", "rule": {"name": "main"}}, Verb.UNKNOWN),
        ({"action": "created", "key": {"id": 1, "title": "ci"}}, Verb.CREDENTIAL_ISSUE),
        ({"action": "published", "package": {"name": "pay"}}, Verb.PACKAGE_PUBLISH),
        ({"action": "deleted", "sender": {"login": "x"}}, Verb.REPO_WRITE),
        ({"ref": "x", "ref_type": "branch"}, Verb.REPO_WRITE),
        ({"action": "created", "deployment": {"sha": SHA, "environment": "prod"}}, Verb.CI_RUN),
        ({"action": "push", "ref": "refs/heads/main"}, Verb.REPO_WRITE),
        ({"pages": [{"page_name": "x"}]}, Verb.REPO_WRITE),
        ({"action": "added", "member": {"login": "eve"}, "changes": {}}, Verb.GUARDRAIL_CHANGE),
        ({"action": "added", "member": {"login": "eve"}, "scope": "team", "team": {"slug": "core"}}, Verb.UNKNOWN),
        ({"action": "added_to_repository", "team": {"slug": "core"}}, Verb.GUARDRAIL_CHANGE),
        ({"team": {"slug": "core"}}, Verb.GUARDRAIL_CHANGE),
        ({"action": "edited", "team": {"slug": "core"}, "changes": {"name": {"from": "x"}}}, Verb.UNKNOWN),
        ({"action": "edited", "team": {"slug": "core"}, "changes": {"repository": {"permissions": {}}}}, Verb.GUARDRAIL_CHANGE),
        ({"action": "added", "installation": {"app_slug": "robot"}, "repositories_added": []}, Verb.GUARDRAIL_CHANGE),
        ({"action": "created", "installation": {"app_slug": "robot"}}, Verb.UNKNOWN),
    ],
)
def test_webhook_verbs(body: dict[str, object], verb: Verb) -> None:
    (event,) = WEBHOOK.open().read({"repository": {"full_name": "a/b"}} | body).events
    assert event.verb is verb


def test_webhook_run_names_job_commit_and_pull_request() -> None:
    run = {
        "id": 77,
        "name": "ci",
        "head_sha": SHA,
        "conclusion": "failure",
        "pull_requests": [{"number": 4}],
        "updated_at": "2026-06-01T10:00:00Z",
    }
    (event,) = WEBHOOK.open().read({"action": "completed", "workflow_run": run, "repository": {"full_name": "a/b"}}).events
    assert [key.name for key in event.keys] == ["ci.job:github-actions:a/b:77", f"commit:{SHA}", "pr:a/b#4"]
    assert event.outcome is not None
    assert event.outcome.tool is Tri.NO
    assert event.at is not None


def test_corpus_counts(corpus: Path) -> None:
    (path,) = corpus.glob("github-audit/*/*.jsonl")
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    assert IMPORTER.sniff(records[:50]) > 50
    refused = 0
    for record in records:
        try:
            assert IMPORTER.open().read(record).events
        except BadRecord:
            refused += 1
    assert refused == sum(1 for r in records if "action" not in r and "repository" not in r and "organization" not in r)


GOOD: list[dict[str, object]] = [
    {"action": "api.request", "@timestamp": 1, "status_code": 403, "route": "/repos/{owner}/{repo}/pulls", "request_method": "POST",
     "hashed_token": "x", "token_id": 1, "token_scopes": "a,b", "data": {"workflow_run_id": 1}, "repo": "a/b", "actor": "x"},
    {"action": "public_key.create", "fingerprint": "f", "installation": {"id": 1}, "created_at": "2022-08-16 16:56:49.309"},
    {"headers": {"X-GitHub-Event": "push"}, "payload": dict(BODY)},
    {"action": "completed", "workflow_run": {"id": 1, "pull_requests": [{"number": 1}], "head_sha": SHA}, "repository": {"full_name": "a/b"}},
]  # fmt: skip


@given(JSON)
def test_anything_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
    survives(WEBHOOK, record)


@given(mutated(GOOD))
def test_spoilt_records_are_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
    survives(WEBHOOK, record)


def test_a_failed_sign_in_is_the_hosts_refusal() -> None:
    verdict, observed = audit(action="user.failed_login", actor="dana")
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.by) == (Effect.DENY, "github:acme")
    assert observed.outcome is not None
    assert observed.outcome.effect is Tri.NO


def test_a_session_that_may_have_failed_is_no_success() -> None:
    (told,) = audit(action="agent_session.task", actor="Copilot", actor_is_agent=True, repo="acme/pay")
    assert told.outcome is not None
    assert told.outcome.effect is Tri.UNKNOWN


def test_a_workflows_or_an_apps_name_is_no_branch() -> None:
    assert "branch" not in audit(action="workflows.disable_workflow", repo="acme/pay", name="nightly")[0].attrs
    assert "branch" not in audit(action="integration_installation.create", repo="acme/pay", name="bot")[0].attrs
    assert audit(action="protected_branch.destroy", repo="acme/pay", name="main")[0].attrs["branch"] == "main"


def test_a_published_package_is_the_target() -> None:
    told = audit(action="packages.package_version_published", repo="acme/pay", package="till", version="1.4.0")[0]
    assert (told.target.cls.value, told.target.name, told.target.detail) == ("package_registry", "till", "1.4.0")


def test_a_ping_is_no_act() -> None:
    body = PLACE | {"zen": "Half measures are as bad as nothing at all.", "hook_id": 4, "hook": {"id": 4}}
    assert WEBHOOK.open().read(body).events == []


def test_a_push_happens_when_it_arrives_and_not_when_its_commits_were_made() -> None:
    commit = {"id": SHA, "timestamp": "2026-01-01T00:00:00Z"}
    body = {"ref": "refs/heads/main", "after": SHA, "commits": [commit], "head_commit": commit, "sender": {"login": "dana"}}
    pushed = PLACE | body | {"repository": {"full_name": "acme/pay", "pushed_at": 1_768_987_806}}
    kept = {"received_at": "2026-01-21T09:30:06Z", "headers": {"X-GitHub-Event": "push"}, "body": PLACE | body}
    for record in (pushed, kept):
        assert WEBHOOK.open().read(record).events[0].at == 1_768_987_806_000_000


def test_a_rejected_deployment_was_not_run_and_was_answered_when_it_says() -> None:
    run = {"id": 7, "head_sha": SHA, "conclusion": "failure", "updated_at": "2026-01-21T12:00:00Z"}
    body = PLACE | {"action": "rejected", "approver": {"login": "lee"}, "since": "2026-01-21T09:36:00Z", "workflow_run": run}
    verdict, observed = WEBHOOK.open().read(body).events
    assert (verdict.at, observed.at) == (1_768_988_160_000_000,) * 2
    assert observed.outcome is not None
    assert (observed.outcome.permitted, observed.outcome.effect, observed.outcome.tool) == (Effect.DENY, Tri.NO, Tri.UNKNOWN)


def test_a_skipped_job_did_not_run() -> None:
    job = {"id": 5, "run_id": 7, "head_sha": SHA, "status": "completed", "conclusion": "skipped"}
    (told,) = WEBHOOK.open().read(PLACE | {"action": "completed", "workflow_job": job}).events
    assert told.outcome is not None
    assert (told.outcome.tool, told.outcome.effect) == (Tri.UNKNOWN, Tri.NO)


def test_a_workflow_that_a_policy_stopped_did_not_run() -> None:
    members = {"action": "workflows.actions_policy_violation", "org": "acme", "repo": "acme/shop", "workflow_run_id": 7}
    denied, effect = audit(**members, allowed=False, violations=["actor_not_allowed"])
    assert denied.decision and (denied.decision.effect, denied.decision.reason) == (Effect.DENY, "actor_not_allowed")
    assert effect.outcome and effect.outcome.effect is Tri.NO
    # A policy that is only tried out, or an entry that does not say, refuses nothing.
    assert [event.kind for event in audit(**members, allowed=True)] == [EventKind.EFFECT]
    assert [event.kind for event in audit(**members)] == [EventKind.EFFECT]


def test_a_second_factor_that_failed_is_the_hosts_refusal() -> None:
    denied, effect = audit(action="user.two_factor_challenge_failure", org="acme", actor="dana")
    assert denied.decision and (denied.decision.effect, denied.decision.by) == (Effect.DENY, "github:acme")
    assert effect.outcome and effect.outcome.effect is Tri.NO
