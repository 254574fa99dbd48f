"""GitHub audit log: what people, apps and tokens did on the Git host, as an organisation or enterprise exports or streams it.

Fields rarely stand in one form: times are epoch milliseconds, floats or texts, older entries keep facts in `data`, SIEM
copies rename `@timestamp` and mix webhook bodies in. `hashed_token` names the token a call was made with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.github_actions import action_verb, answer, by_the_host, credential_phase, is_forced
from importers.github_webhook import is_webhook, read_webhook
from importers.shared.api_calls import github_route
from importers.shared.fields import (
    Json,
    clip,
    commit_id,
    first_moment,
    first_text,
    key,
    keys,
    mapping,
    number,
    session_id,
    text,
    texts,
    truth,
)
from lang.names import repository_name
from model.event import Attr, BadRecord, CredentialFact, Decision, Event, Key, Outcome, Parsed, Principal, Target
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

_TIMES = ("@timestamp", "at_sign_timestamp", "created_at", "timestamp")
_ACTION = re.compile(r"^[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+$")
_CALLED = re.compile(r"^(?:/api/v3)?/repos/([\w.-]+/[\w.-]+)(?:[/?]|$)")
_PULL = re.compile(r"/pull/(\d+)")
_STANDING = ("deploy", "public_key", "public key", "personal access token (classic)")
_TOOLS_FAILED = frozenset({"failure", "timed_out", "startup_failure"})


class GitHubAudit:
    """The organisation or enterprise audit log, exported, streamed or kept by a SIEM."""

    id = "github-audit"
    title = "GitHub audit log"
    evidence = "fixture"
    version = 8

    def sniff(self, sample: Sequence[object]) -> int:
        score = sum(1 for record in sample if isinstance(record, dict) and _is_audit(record))
        return 80 if score and score * 2 >= len(sample) else 78 if score else 0

    def open(self) -> GitHubAuditReader:
        return GitHubAuditReader()


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


class GitHubAuditReader:
    """Reads audit entries, and webhook bodies that were filed among them; holds no state."""

    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object: an audit log entry is one JSON object")
        if is_webhook(record):
            return read_webhook(record)
        action = record.get("action")
        if not isinstance(action, str) or not action:
            raise BadRecord("action: is missing")
        identity = first_text(record, "_document_id") or None
        data = record.get("data")
        # No event is named so long, and what is known of one is asked of its name by many patterns.
        action = clip(action, 200)
        entry = _Entry({**data, **record} if isinstance(data, dict) else record, action)
        return Parsed(entry.events(), identity, type=action, at=entry.at)


class _Entry:
    """One audit entry and the events it is evidence of."""

    def __init__(self, record: Json, action: str) -> None:
        self.record, self.action = record, action
        self.at, self.clock = _time(record)
        self.repository = repository = _repository(record)
        self.org = org = first_text(record, "org", "business") or repository.partition("/")[0]
        self.status = number(record.get("status_code")) if action == "api.request" else None
        self.phase = credential_phase(action)
        self.verb, self.target = self._meaning()
        self.point = f"github:{org.lower()}" if org else "github"
        self.principal = _principal(record)
        self.keys = _keys(record, action, repository)
        self.attrs = self._attrs()

    def _meaning(self) -> tuple[Verb, Target]:
        record, repository, org = self.record, self.repository, self.org
        if self.action == "api.request":
            route = first_text(record, "route", "url_path", "path")
            verb, target = github_route(first_text(record, "request_method", "method"), clip(route, 1000), repository)
            if verb in (Verb.CI_RUN, Verb.CI_MODIFY):
                return verb, Target(TargetClass.CI_CD, target.name, target.detail)
            return verb, target
        verb = action_verb(self.action)
        if verb in (Verb.CI_RUN, Verb.CI_MODIFY):
            return verb, Target(
                TargetClass.CI_CD, repository, clip(first_text(record, "name", "workflow_name", "head_branch"), 200)
            )
        if verb is Verb.SECRET_WRITE:
            return verb, Target(TargetClass.SECRET_STORE, repository or org, clip(first_text(record, "key", "secret_name"), 200))
        if verb in (Verb.TICKET_OPEN, Verb.TICKET_UPDATE):
            return verb, Target(TargetClass.TICKETING, repository)
        if verb is Verb.PACKAGE_PUBLISH and (package := clip(first_text(record, "package", "package_name"), 200)):
            return verb, Target(
                TargetClass.PACKAGE_REGISTRY, package, clip(first_text(record, "version", "package_version"), 200)
            )
        if repository:
            return verb, Target(TargetClass.REPOSITORY, repository, clip(_branch(record, self.action), 300))
        return verb, Target(TargetClass.REPOSITORY, "", org) if org else Target()

    def _attrs(self) -> dict[str, Attr]:
        record = self.record
        found: dict[str, Attr] = {
            "repository": self.repository,
            "host": first_text(record, "actor_ip"),
            "user_agent": clip(first_text(record, "user_agent"), 300),
            "branch": clip(_branch(record, self.action), 300),
            "sha": commit_id(record.get("head_sha")),
            "status": first_text(record, "status_code", "conclusion"),
            "trigger": clip(first_text(record, "event"), 100) if self.action.startswith("workflows.") else "",
            "account": first_text(record, "org", "business"),
            "url": clip(first_text(record, "url_path", "route"), 1000),
        }
        if is_forced(self.action):
            found["forced"] = True
        if answer(self.action) is Effect.ALLOW:
            found["approver"] = first_text(record, "actor")
            found["requester"] = first_text(record, "user", "requester")
        return {name: value for name, value in found.items() if value}

    def _event(
        self,
        kind: EventKind,
        phase: Phase,
        own: tuple[Key, ...] = (),
        *,
        decision: Decision | None = None,
        credential: CredentialFact | None = None,
        outcome: Outcome | None = None,
    ) -> Event:
        return Event(
            kind,
            phase,
            Vantage.TARGET,
            self.point,
            at=self.at,
            clock=self.clock,
            format="github-audit",
            principal=self.principal,
            verb=self.verb,
            tool=self.action,
            target=self.target,
            text=_words(self.record, self.action) if kind is EventKind.EFFECT else "",
            keys=keys(*self.keys, *own),
            decision=decision,
            credential=credential,
            outcome=outcome,
            attrs=dict(self.attrs),
        )

    def events(self) -> list[Event]:
        used = self._token_keys()
        refusal = self._refusal()
        answered = answer(self.action)
        events = []
        if refusal:
            by_rule = answered is None or by_the_host(self.action)
            decision = Decision(Effect.DENY, reason=refusal, by=self.point if by_rule else first_text(self.record, "actor"))
            events.append(self._event(EventKind.DECISION, Phase.VERDICT, decision=decision))
        elif answered is not None:
            decision = Decision(answered, reason=self.action, by=first_text(self.record, "actor") or self.point)
            events.append(self._event(EventKind.DECISION, Phase.VERDICT, decision=decision))
        if self.phase is None:
            events.append(self._event(EventKind.EFFECT, Phase.OBSERVED, outcome=self._outcome(refusal)))
        else:
            own = _subject_keys(self.record)
            if used and self._names_its_subject():
                own, used = own + used, ()
            if self.phase is Phase.ISSUED:
                own += tuple(Key(KeyRole.VIA, one.kind, one.value) for one in used)
            events.append(self._event(EventKind.CREDENTIAL, self.phase, own, credential=self._fact(self.phase)))
        if used:
            events.append(self._event(EventKind.CREDENTIAL, Phase.USED, used, credential=self._fact(Phase.USED)))
        return events

    def _names_its_subject(self) -> bool:
        """Whether the token an entry names is the one it is about, and its kind of access that one's kind.

        It is where the entry was made in the browser, and where no token could have made it: people's tokens come of the browser
        and of an application's own sign-in alone; what an app does about them it does as itself.
        """
        access = first_text(self.record, "programmatic_access_type").lower()
        return not access or (
            self.action.startswith(("personal_access_token.", "oauth_access.")) and "server-to-server" not in access
        )

    def _refusal(self) -> str:
        """Why the host itself refused, "" where it did not; an exhausted rate limit is no refusal of this kind."""
        if answer(self.action) is Effect.DENY:
            return self.action
        if self.action == "workflows.actions_policy_violation" and self.record.get("allowed") is False:
            return clip(", ".join(texts(self.record.get("violations"))), 300) or self.action
        limited = self.status == 403 and number(self.record.get("rate_limit_remaining")) == 0
        return f"status {self.status}" if self.status in (401, 403) and not limited else ""

    def _outcome(self, refusal: str) -> Outcome:
        if refusal:
            return Outcome(Effect.DENY, Tri.YES, Tri.UNKNOWN, Tri.NO)
        tool = Tri.UNKNOWN
        if conclusion := text(self.record.get("conclusion")):
            tool = Tri.YES if conclusion == "success" else Tri.NO if conclusion in _TOOLS_FAILED else Tri.UNKNOWN
        if self.action.startswith("agent_session."):
            # One action stands for a session's start, its end and its failure.
            return Outcome(transport=Tri.YES, tool=tool)
        return Outcome(transport=Tri.YES, tool=tool, effect=Tri.NO if self.status is not None and self.status >= 400 else Tri.YES)

    def _token_keys(self) -> tuple[Key, ...]:
        """Both names of the token an entry was made with: where both stand, they are one credential."""
        return keys(
            key(KeyRole.CREDENTIAL, "token", first_text(self.record, "hashed_token")),
            key(KeyRole.CREDENTIAL, "github.token_id", first_text(self.record, "token_id")),
        )

    def _fact(self, phase: Phase) -> CredentialFact:
        record = self.record
        about = phase is not Phase.USED
        kind = first_text(record, "credential_type") if about else ""
        kind = kind or first_text(record, "programmatic_access_type", "oauth_application_name") or self.action.partition(".")[0]
        expires, _ = first_moment(record, "token_expires_at", "expires_at", "expiration", "credential_expires_at")
        standing = expires is None and about and any(word in kind.lower() or word in self.action for word in _STANDING)
        scopes = texts(record.get("token_scopes")) or texts(record.get("scopes"))
        if len(scopes) == 1:
            scopes = tuple(part.strip() for part in scopes[0].split(",") if part.strip())
        return CredentialFact(kind, "github", first_text(record, "user", "actor"), scopes, -1 if standing else None, expires)


def _time(record: Json) -> tuple[int | None, Clock]:
    # GitHub's own is a number; a text is the moment at which a collector took the record over.
    if isinstance(at := record.get("@timestamp"), str) and not at.isdecimal() and "created_at" in record:
        return first_moment(record, "created_at", "@timestamp")
    return first_moment(record, *_TIMES)


def _repository(record: Json) -> str:
    for name in ("repo", "repository"):
        value = record.get(name)
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else ""
        named = text(value)
        if named and "/" not in named and (owner := first_text(record, "org")):
            named = f"{owner}/{named}"
        if found := repository_name(named):
            return found
    # An API call's route is a template; only the path that was called names the repository.
    called = _CALLED.match(first_text(record, "url_path", "path"))
    return repository_name(called.group(1)) if called else ""


def _principal(record: Json) -> Principal | None:
    name = first_text(record, "actor", "user")
    if not name:
        return None
    access = first_text(record, "programmatic_access_type").lower()
    if truth(record.get("actor_is_agent")):
        kind = "agent"
    elif truth(record.get("actor_is_bot")) or name.endswith("[bot]") or "server-to-server" in access:
        kind = "workload"
    else:
        kind = "human" if record.get("actor_is_bot") is False and not access else "unknown"
    behind = first_text(record, "external_identity_nameid", "external_identity_username")
    if kind == "agent":
        # For an agent's entries `user` is the person it works for.
        behind = first_text(record, "user") or behind
    return Principal(name, kind, "ci" if name == "github-actions[bot]" else "", behind)


def _branch(record: Json, action: str) -> str:
    """The branch an entry names; `name` is one where the action is about branches, else a workflow's, an app's or a hook's."""
    named = ("branch", "ref", "head_branch", *(("name",) if "branch" in action.partition(".")[0] else ()))
    return first_text(record, *named).removeprefix("refs/heads/")


def _words(record: Json, action: str) -> str:
    parts = (first_text(record, "pull_request_title", "name", "title", "hook_id", "permission"), first_text(record, "conclusion"))
    return clip(" ".join([action, *(part for part in parts if part)]), 400)


def _keys(record: Json, action: str, repository: str) -> tuple[Key, ...]:
    run = first_text(record, "workflow_run_id")
    job = (
        f"github-actions:{repository}:{run}"
        if run and repository and action.startswith(("workflow", "check", "environment"))
        else ""
    )
    pull = first_text(record, "pull_request_number")
    if not pull and action.startswith("pull_request"):
        pull = first_text(record, "number")
    if not pull and (found := _PULL.search(first_text(record, "pull_request_url"))):
        pull = found.group(1)
    commits = (commit_id(record.get(name)) for name in ("head_sha", "after", "sha"))
    return keys(
        key(KeyRole.SCOPE, "session", session_id(first_text(record, "agent_session_id", "session_id"))),
        key(KeyRole.SCOPE, "ci.job", job),
        key(KeyRole.CALL, "request", first_text(record, "request_id")),
        *(key(KeyRole.REFERENCE, "commit", commit) for commit in commits),
        key(KeyRole.REFERENCE, "pr", f"{repository}#{pull}" if pull.isdecimal() and repository else ""),
    )


def _subject_keys(record: Json) -> tuple[Key, ...]:
    """Keys of the credential an entry is about, which need not be the one it was made with."""
    grant = first_text(record, "user_programmatic_access_id", "credential_id", "deploy_key_id")
    installation = first_text(mapping(record.get("installation")), "id") or first_text(record, "installation_id")
    fingerprint = first_text(record, "fingerprint", "public_key_fingerprint", "key_fingerprint")
    return keys(
        key(KeyRole.CREDENTIAL, "github.grant", grant),
        None if grant else key(KeyRole.CREDENTIAL, "github.installation", installation),
        key(KeyRole.CREDENTIAL, "github.key", fingerprint),
    )


IMPORTER = GitHubAudit()
