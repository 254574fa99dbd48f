"""The GitHub audit log and webhook bodies: verbs, tokens, times of every kind, and the joins to commits and runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.github import IMPORTER
from importers.github_webhook import IMPORTER as WEBHOOK
from model.event import BadRecord, Event, Key
from model.words import EventKind, KeyRole, Phase, Tri, Verb

SHA = "4f1d2c3b5a69788796a5b4c3d2e1f00112233445"


def audit(**members: object) -> list[Event]:
    base: dict[str, object] = {"@timestamp": 1_700_000_000_123, "_document_id": "d1", "actor": "dana", "org": "Acme"}
    return IMPORTER.open().read(base | members).events


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
        ("GET", "/user", Verb.HTTP_REQUEST),
    ],
)
def test_api_requests(method: str, route: str, verb: Verb) -> None:
    event = audit(action="api.request", request_method=method, route=route, status_code=200)[0]
    assert event.verb is verb
    assert event.outcome is not None
    assert event.outcome.effect is Tri.YES


def test_refused_api_request_had_no_effect() -> None:
    outcome = audit(action="api.request", request_method="POST", route="/repos/{owner}/{repo}/pulls", status_code="403")[
        0
    ].outcome
    assert outcome is not None
    assert (outcome.permitted, outcome.effect) == ("deny", Tri.NO)


def test_workflow_run_is_a_job_and_names_its_commit() -> None:
    (event,) = audit(action="workflows.completed_workflow_run", repo="a/b", workflow_run_id=55, head_sha=SHA)
    assert event.keys == (Key(KeyRole.SCOPE, "ci.job", "github-actions:a/b:55"), Key(KeyRole.REFERENCE, "commit", SHA))


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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["action", "repo", "repository", "commits", "head_commit", "pull_request", "workflow_run", "data", "@timestamp", "token_scopes",
     "actor", "hashed_token", "sender", "ref", "route", "status_code", "_document_id", "head_sha", "after", "pusher"]
)  # fmt: skip


@given(st.one_of(JSON, st.dictionaries(NAMES, JSON | st.just("git.push"), max_size=8)))
def test_hostile_records_never_crash(record: object) -> None:
    for reader in (IMPORTER.open(), WEBHOOK.open()):
        try:
            reader.read(record)
        except BadRecord as error:
            assert str(error)
