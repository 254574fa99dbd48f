"""Closed lists of the domain: kinds, vantages, verbs, target classes, effects and results."""

from __future__ import annotations

from enum import StrEnum


class EventKind(StrEnum):
    """The five links of the chain; every event is one of them."""

    INTENT = "intent"
    DECISION = "decision"
    CREDENTIAL = "credential"
    ACTION = "action"
    EFFECT = "effect"


class Phase(StrEnum):
    """What within its kind an event reports."""

    # intent
    PROMPT = "prompt"
    QUEUED = "queued"
    DELEGATED = "delegated"
    PLAN = "plan"
    TICKET = "ticket"
    MANDATE = "mandate"
    # decision: VERDICT answers one request; POSTURE states the mode or policy in force from here on
    VERDICT = "verdict"
    POSTURE = "posture"
    # credential
    REQUESTED = "requested"
    ISSUED = "issued"
    USED = "used"
    RENEWED = "renewed"
    REVOKED = "revoked"
    EXPIRED = "expired"
    EXPOSED = "exposed"
    # action: CALL is what was set out to be done, RESULT what came back to the caller
    CALL = "call"
    RESULT = "result"
    # effect: what the target itself, or a witness, saw happen
    OBSERVED = "observed"
    # scope life: the first and last word of a task's own records
    STARTED = "started"
    ENDED = "ended"


class Vantage(StrEnum):
    """Who saw an event."""

    AGENT = "agent"
    ENFORCER = "enforcer"
    TARGET = "target"
    WITNESS = "witness"


class Verb(StrEnum):
    """What was done, in one closed list for every format."""

    EXEC = "exec"
    FILE_READ = "file.read"
    FILE_WRITE = "file.write"
    FILE_DELETE = "file.delete"
    NET_CONNECT = "net.connect"
    HTTP_REQUEST = "http.request"
    MCP_CALL = "mcp.call"
    REPO_READ = "repo.read"
    REPO_WRITE = "repo.write"
    REPO_MERGE = "repo.merge"
    PR_OPEN = "pr.open"
    PR_MERGE = "pr.merge"
    PACKAGE_INSTALL = "package.install"
    PACKAGE_PUBLISH = "package.publish"
    SECRET_READ = "secret.read"
    SECRET_WRITE = "secret.write"
    CREDENTIAL_ISSUE = "credential.issue"
    CREDENTIAL_RENEW = "credential.renew"
    CREDENTIAL_REVOKE = "credential.revoke"
    CLOUD_CALL = "cloud.call"
    CLUSTER_CALL = "cluster.call"
    CI_RUN = "ci.run"
    CI_MODIFY = "ci.modify"
    TICKET_OPEN = "ticket.open"
    TICKET_UPDATE = "ticket.update"
    AGENT_SPAWN = "agent.spawn"
    AGENT_MESSAGE = "agent.message"
    DB_QUERY = "db.query"
    INSTRUCTIONS_WRITE = "instructions.write"
    GUARDRAIL_CHANGE = "guardrail.change"
    UNKNOWN = "unknown"


class TargetClass(StrEnum):
    """What kind of thing was acted on."""

    REPOSITORY = "repository"
    SECRET_STORE = "secret_store"
    PACKAGE_REGISTRY = "package_registry"
    CI_CD = "ci_cd"
    TICKETING = "ticketing"
    CLOUD = "cloud"
    CLUSTER = "cluster"
    DATABASE = "database"
    FILESYSTEM = "filesystem"
    NETWORK = "network"
    AGENT = "agent"
    MCP_SERVER = "mcp_server"
    UNKNOWN = "unknown"


class LinkKind(StrEnum):
    """How two events came to stand in one chain."""

    EXACT = "exact"
    DERIVED = "derived"
    INFERRED = "inferred"


class KeyRole(StrEnum):
    """What an identifier may do: CALL joins a step, SCOPE joins a task, CREDENTIAL is an edge from issuance to use.

    VIA names the credential a request was made with to obtain another; PARENT names the scope or call that
    spawned this one; REFERENCE is a commit, pull request or ticket;
    MATCH is no identifier at all but a bucket of verb and target within which an inference may be scored.
    """

    CALL = "call"
    SCOPE = "scope"
    CREDENTIAL = "credential"
    VIA = "via"
    PARENT = "parent"
    REFERENCE = "reference"
    MATCH = "match"


WINDOW = "window"
"""The kind of an event's `ref` where it was read from what an agent's window showed, beside the record of the same session."""


class Effect(StrEnum):
    """What a decider answered."""

    ALLOW = "allow"
    DENY = "deny"
    ASK = "ask"
    UNKNOWN = "unknown"


class Tri(StrEnum):
    """A fact that may be unknown."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Clock(StrEnum):
    """How far an event's time can be trusted."""

    EXACT = "exact"
    ZONE_ASSUMED = "zone-assumed"
    ORDER_ONLY = "order-only"


class VerdictWord(StrEnum):
    """A reviewer's judgement."""

    WITHIN = "within-remit"
    OUTSIDE = "outside-remit"
    ESCALATE = "escalate"
    FALSE_POSITIVE = "false-positive"


class ReviewState(StrEnum):
    OPEN = "open"
    REVIEWED = "reviewed"
    REOPENED = "reopened"


class ResultWord(StrEnum):
    """What a report may say of a control; the crosswalk's five words and no others."""

    EXCEPTIONS = "exceptions found"
    NONE_FOUND = "no exceptions found in the covered population"
    INSUFFICIENT = "insufficient evidence"
    NOT_ASSESSABLE = "not assessable from imported evidence"
    NOT_IN_SCOPE = "not in scope"
