"""GitHub audit log: what people, apps and tokens did on the Git host, as an organisation or enterprise exports or streams it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.fields import Json, clip, commit_id, first_moment, first_text, key, keys, mapping, session_id, text, texts, truth
from importers.github_webhook import is_webhook, read_webhook
from lang.names import repository_name
from model.event import Attr, BadRecord, CredentialFact, Decision, Event, Key, Outcome, Parsed, Principal, Target
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

_TIMES = ("@timestamp", "at_sign_timestamp", "created_at", "timestamp")
_ACTION = re.compile(r"^[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+$")
_PULL = re.compile(r"/pull/(\d+)")

_VERBS: dict[str, Verb] = {
    "git.push": Verb.REPO_WRITE,
    "git.clone": Verb.REPO_READ,
    "git.fetch": Verb.REPO_READ,
    "repo.download_zip": Verb.REPO_READ,
    "pull_request.create": Verb.PR_OPEN,
    "pull_request.merge": Verb.PR_MERGE,
    "pull_request.reopen": Verb.PR_OPEN,
    "merge_queue.pull_request_dequeued": Verb.PR_MERGE,
    "issue.create": Verb.TICKET_OPEN,
    "issues.opened": Verb.TICKET_OPEN,
    "issue_comment.create": Verb.TICKET_UPDATE,
    "packages.package_published": Verb.PACKAGE_PUBLISH,
    "packages.package_version_published": Verb.PACKAGE_PUBLISH,
    "org.set_default_workflow_permissions": Verb.GUARDRAIL_CHANGE,
    "org.disable_two_factor_requirement": Verb.GUARDRAIL_CHANGE,
    "org.disable_oauth_app_restrictions": Verb.GUARDRAIL_CHANGE,
    "org.saml_disabled": Verb.GUARDRAIL_CHANGE,
    "business.disable_two_factor_requirement": Verb.GUARDRAIL_CHANGE,
    "workflows.approve_workflow_job": Verb.CI_RUN,
    "repo.actions_enabled": Verb.CI_MODIFY,
    "environment.create": Verb.CI_MODIFY,
    "environment.delete": Verb.CI_MODIFY,
    "environment.update_protection_rule": Verb.GUARDRAIL_CHANGE,
    "environment.remove_protection_rule": Verb.GUARDRAIL_CHANGE,
}
_GUARDS = re.compile(
    r"^(protected_branch|repository_ruleset|repository_branch_protection|secret_scanning|secret_scanning_push_protection|"
    r"repository_secret_scanning|repository_secret_scanning_push_protection|secret_scanning_new_repos|dependabot_alerts|"
    r"dependabot_alerts_new_repos|dependabot_security_updates|dependabot_security_updates_new_repos|code_scanning|"
    r"business_advanced_security|business_secret_scanning|ip_allow_list|ip_allow_list_entry|repository_vulnerability_alert|"
    r"repository_vulnerability_alerts|repository_advanced_security|org_secret_scanning_push_protection_bypass)\."
)
_LOOSENS = re.compile(
    r"\.(destroy|disable|disabled|delete|policy_override|dismiss|bypass|update\w*|rejected_ref_update|removed?|turn_off|"
    r"authorized_users_teams|create|enable\w*)$"
)
_TIGHTENS = re.compile(r"\.(create|enable\w*|enabled)$")
_CREDENTIALS: dict[str, Phase] = {
    "personal_access_token.access_granted": Phase.ISSUED,
    "personal_access_token.request_created": Phase.REQUESTED,
    "personal_access_token.create": Phase.ISSUED,
    "personal_access_token.access_revoked": Phase.REVOKED,
    "personal_access_token.destroy": Phase.REVOKED,
    "personal_access_token.credential_regenerated": Phase.ISSUED,
    "oauth_access.create": Phase.ISSUED,
    "oauth_access.regenerate": Phase.ISSUED,
    "oauth_access.destroy": Phase.REVOKED,
    "oauth_access.revoke": Phase.REVOKED,
    "oauth_authorization.create": Phase.ISSUED,
    "oauth_authorization.destroy": Phase.REVOKED,
    "org_credential_authorization.grant": Phase.ISSUED,
    "org_credential_authorization.revoke": Phase.REVOKED,
    "org_credential_authorization.deauthorize": Phase.REVOKED,
    "public_key.create": Phase.ISSUED,
    "public_key.delete": Phase.REVOKED,
    "public_key.verification_failure": Phase.REVOKED,
    "deploy_key.create": Phase.ISSUED,
    "deploy_key.delete": Phase.REVOKED,
    "integration_installation.create": Phase.ISSUED,
    "integration_installation.destroy": Phase.REVOKED,
    "integration.generate_client_secret": Phase.ISSUED,
    "integration.revoke_tokens": Phase.REVOKED,
    "integration.revoke_all_tokens": Phase.REVOKED,
}
_ISSUE = {Phase.ISSUED: Verb.CREDENTIAL_ISSUE, Phase.REQUESTED: Verb.CREDENTIAL_ISSUE, Phase.REVOKED: Verb.CREDENTIAL_REVOKE}
_STANDING = ("deploy", "public_key", "public key", "personal_access_token", "personal access token (classic)")
_ROUTES: tuple[tuple[re.Pattern[str], dict[str, Verb]], ...] = (
    (re.compile(r"/pulls/[^/]+/merge$"), {"PUT": Verb.PR_MERGE}),
    (re.compile(r"/pulls$"), {"POST": Verb.PR_OPEN, "GET": Verb.REPO_READ}),
    (re.compile(r"/(git/refs|contents|git/(commits|trees|blobs|tags))"), {"GET": Verb.REPO_READ, "*": Verb.REPO_WRITE}),
    (re.compile(r"/merges$"), {"POST": Verb.REPO_MERGE}),
    (re.compile(r"/actions/(secrets|variables)|/environments"), {"GET": Verb.SECRET_READ, "*": Verb.SECRET_WRITE}),
    (re.compile(r"/actions/(workflows|runs)"), {"GET": Verb.REPO_READ, "*": Verb.CI_RUN}),
    (re.compile(r"/(branches/[^/]+/protection|rulesets)"), {"GET": Verb.REPO_READ, "*": Verb.GUARDRAIL_CHANGE}),
    (re.compile(r"/(issues|comments)"), {"GET": Verb.REPO_READ, "POST": Verb.TICKET_OPEN, "*": Verb.TICKET_UPDATE}),
    (re.compile(r"/keys$|/access_tokens$|/app/installations"), {"GET": Verb.REPO_READ, "POST": Verb.CREDENTIAL_ISSUE}),
    (re.compile(r"^/repos/"), {"GET": Verb.REPO_READ, "*": Verb.REPO_WRITE}),
)


class GitHubAudit:
    id = "github-audit"
    title = "GitHub audit log"
    evidence = "fixture"
    version = 1

    def sniff(self, sample: Sequence[object]) -> int:
        """A stream may mix audit entries with webhook bodies; one audit entry makes it an audit log."""
        audit = sum(1 for record in sample if isinstance(record, dict) and _is_audit(record))
        known = audit + sum(1 for record in sample if is_webhook(record))
        return 80 if audit and known * 2 >= len(sample) else 45 if audit else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_audit(record: Json) -> bool:
    action = record.get("action")
    if record.get("p_log_type") == "GitHub.Audit":
        return True
    if not isinstance(action, str) or not _ACTION.match(action):
        return False
    if record.get("format") == "remit-events" or "eventVersion" in record:
        return False
    timed = any(name in record for name in _TIMES)
    return (timed or "_document_id" in record) and any(
        name in record for name in ("actor", "org", "business", "repo", "_document_id", "user")
    )


class _Reader:
    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object: an audit log entry is one JSON object")
        if is_webhook(record):
            return read_webhook(record)
        action = record.get("action")
        if not isinstance(action, str) or not action:
            raise BadRecord("action: is missing")
        at, clock = first_moment(record, *_TIMES)
        identity = first_text(record, "_document_id") or None
        host = _host(record, action)
        host.at, host.clock = at, clock
        events = [host]
        events += _uses(record, host)
        return Parsed(events, identity, type=action, at=at)


def _host(record: Json, action: str) -> Event:
    """What the Git host saw, as one event; a credential's life is another kind of event."""
    phase = _CREDENTIALS.get(action)
    repository = _repository(record)
    org = first_text(record, "org", "business") or repository.partition("/")[0]
    verb = _verb(record, action) if phase is None else _ISSUE[phase]
    event = Event(
        EventKind.EFFECT if phase is None else EventKind.CREDENTIAL,
        Phase.OBSERVED if phase is None else phase,
        Vantage.TARGET,
        f"github:{org.lower()}" if org else "github",
        principal=_principal(record),
        verb=verb,
        tool=action,
        target=_target(record, verb, repository, org),
        text=_words(record, action),
        keys=_keys(record, action, repository),
        outcome=_outcome(record) if phase is None else None,
        attrs=_attrs(record, repository),
    )
    if phase is not None:
        event.keys = keys(*event.keys, *_subject_keys(record))
        event.credential = _fact(record, action)
    if action.endswith((".policy_override", ".rejected_ref_update")):
        refused = action.endswith(".rejected_ref_update")
        event.decision = Decision(Effect.DENY if refused else Effect.ALLOW, reason=action, by=event.point)
    return event


def _verb(record: Json, action: str) -> Verb:
    if action == "api.request":
        return route_verb(first_text(record, "request_method"), first_text(record, "route", "url_path"))
    if action in _VERBS:
        return _VERBS[action]
    if _GUARDS.match(action):
        if _TIGHTENS.search(action) and not action.startswith("ip_allow_list_entry"):
            return Verb.UNKNOWN
        return Verb.GUARDRAIL_CHANGE if _LOOSENS.search(action) else Verb.UNKNOWN
    head, _, tail = action.partition(".")
    if head in ("workflows", "workflow_run", "workflow_job", "check_run", "check_suite"):
        return Verb.CI_MODIFY if tail.startswith(("disable_workflow", "enable_workflow", "delete_workflow")) else Verb.CI_RUN
    if head in ("pull_request_review", "pull_request"):
        return Verb.REPO_READ if tail.startswith("ready") else Verb.UNKNOWN
    if tail in ("create_actions_secret", "update_actions_secret", "remove_actions_secret"):
        return Verb.SECRET_WRITE
    return Verb.UNKNOWN


def route_verb(method: str, route: str) -> Verb:
    """The verb of a REST call from its method and its route template or path."""
    for pattern, verbs in _ROUTES:
        if pattern.search(route):
            return verbs.get(method.upper()) or verbs.get("*") or Verb.HTTP_REQUEST
    return Verb.HTTP_REQUEST


def _repository(record: Json) -> str:
    for name in ("repo", "repository"):
        value = record.get(name)
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else ""
        if found := repository_name(text(value)):
            return found
    return repository_name(first_text(mapping(record.get("data")), "repo", "repository"))


def _principal(record: Json) -> Principal | None:
    name = first_text(record, "actor", "user")
    if not name:
        return None
    access = first_text(record, "programmatic_access_type").lower()
    bot = truth(record.get("actor_is_bot")) or name.endswith("[bot]") or "server-to-server" in access
    kind = "workload" if bot else "unknown" if access else "human" if record.get("actor_is_bot") is False else "unknown"
    behind = first_text(record, "external_identity_nameid", "external_identity_username")
    return Principal(name, kind, "ci" if name == "github-actions[bot]" else "", behind)


def _target(record: Json, verb: Verb, repository: str, org: str) -> Target:
    if verb in (Verb.CI_RUN, Verb.CI_MODIFY):
        return Target(TargetClass.CI_CD, repository, clip(first_text(record, "name", "workflow_name", "head_branch"), 200))
    if verb in (Verb.SECRET_READ, Verb.SECRET_WRITE):
        return Target(TargetClass.SECRET_STORE, repository or org, clip(first_text(record, "key", "secret_name"), 200))
    if verb in (Verb.TICKET_OPEN, Verb.TICKET_UPDATE):
        return Target(TargetClass.TICKETING, repository)
    if verb is Verb.HTTP_REQUEST and not repository:
        return Target(TargetClass.NETWORK, "api.github.com", clip(first_text(record, "route", "url_path"), 300))
    if repository:
        return Target(TargetClass.REPOSITORY, repository, clip(_branch(record), 300))
    return Target(TargetClass.REPOSITORY, "", org) if org else Target()


def _branch(record: Json) -> str:
    return first_text(record, "branch", "ref", "head_branch", "name").removeprefix("refs/heads/")


def _words(record: Json, action: str) -> str:
    parts = (first_text(record, "pull_request_title", "name", "title", "hook_id", "permission"), first_text(record, "conclusion"))
    return clip(" ".join([action, *(part for part in parts if part)]), 400)


def _keys(record: Json, action: str, repository: str) -> tuple[Key, ...]:
    run = first_text(record, "workflow_run_id")
    job = f"github-actions:{repository}:{run}" if run and repository and action.startswith(("workflow", "check_")) else ""
    data = mapping(record.get("data"))
    number = first_text(record, "pull_request_number", "number") or first_text(data, "pull_request_number")
    if not number and (found := _PULL.search(first_text(record, "pull_request_url"))):
        number = found.group(1)
    commits = (commit_id(value) for source in (record, data) for value in (source.get(n) for n in ("head_sha", "after", "sha")))
    return keys(
        key(KeyRole.SCOPE, "session", session_id(first_text(record, "agent_session_id", "session_id"))),
        key(KeyRole.SCOPE, "ci.job", job),
        key(KeyRole.CALL, "request", first_text(record, "request_id")),
        *(key(KeyRole.REFERENCE, "commit", commit) for commit in commits),
        key(KeyRole.REFERENCE, "pr", f"{repository}#{number}" if number.isdigit() and repository else ""),
    )


def _token_keys(record: Json) -> tuple[Key, ...]:
    return keys(
        key(KeyRole.CREDENTIAL, "token", first_text(record, "hashed_token")),
        key(KeyRole.CREDENTIAL, "github.token_id", first_text(record, "token_id")),
    )


def _subject_keys(record: Json) -> tuple[Key, ...]:
    """Keys of the credential an event is about, which need not be the one it was made with."""
    return keys(
        key(
            KeyRole.CREDENTIAL,
            "github.grant",
            first_text(record, "user_programmatic_access_id", "credential_id", "deploy_key_id"),
        ),
        key(KeyRole.CREDENTIAL, "github.key", first_text(record, "fingerprint", "public_key_fingerprint")),
    )


def _uses(record: Json, host: Event) -> list[Event]:
    """The use of the token an action was done with."""
    used = _token_keys(record)
    if not used:
        return []
    place = tuple(k for k in host.keys if k.role in (KeyRole.SCOPE, KeyRole.CALL))
    return [
        Event(
            EventKind.CREDENTIAL,
            Phase.USED,
            Vantage.TARGET,
            host.point,
            at=host.at,
            clock=host.clock,
            principal=host.principal,
            verb=host.verb,
            tool=host.tool,
            target=host.target,
            keys=place + used,
            credential=_fact(record, "used"),
            attrs=dict(host.attrs),
        )
    ]


def _fact(record: Json, action: str) -> CredentialFact:
    kind = first_text(record, "programmatic_access_type", "credential_type", "oauth_application_name") or action.partition(".")[0]
    expires, _ = first_moment(record, "token_expires_at", "expires_at", "expiration")
    standing = expires is None and any(word in kind.lower() or word in action for word in _STANDING[:3]) and action != "used"
    scopes = texts(record.get("token_scopes"))
    if len(scopes) == 1:
        scopes = tuple(part.strip() for part in scopes[0].split(",") if part.strip())
    return CredentialFact(kind, "github", first_text(record, "user", "actor"), scopes, -1 if standing else None, expires)


def _outcome(record: Json) -> Outcome:
    status = first_text(record, "status_code")
    if not status.isdigit():
        return Outcome(effect=Tri.YES)
    code = int(status)
    permitted = Effect.DENY if code in (401, 403) else Effect.ALLOW if code < 400 else Effect.UNKNOWN
    return Outcome(permitted, Tri.YES, Tri.UNKNOWN, Tri.YES if code < 400 else Tri.NO)


def _attrs(record: Json, repository: str) -> dict[str, Attr]:
    found: dict[str, Attr] = {
        "repository": repository,
        "host": first_text(record, "actor_ip"),
        "user_agent": clip(first_text(record, "user_agent"), 300),
        "branch": clip(_branch(record), 300),
        "sha": commit_id(record.get("head_sha")),
        "status": first_text(record, "status_code", "conclusion"),
        "account": first_text(record, "org", "business"),
    }
    return {name: value for name, value in found.items() if value}


IMPORTER = GitHubAudit()
