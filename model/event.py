"""Record and Event: what a log said, byte for byte, and what that means in our words."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

Scalar = str | int | float | bool | None
Attr = Scalar | list[str]


_LENGTHS = [size.to_bytes(8, "big") for size in range(512)]


def digest(*parts: str | bytes) -> str:
    """SHA-256 hex over length-prefixed parts, so that no two part lists give the same bytes."""
    found: list[bytes] = []
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode() if part.isascii() else part.encode("utf-8", "surrogatepass")
        size = len(data)
        found.append(_LENGTHS[size] if size < len(_LENGTHS) else size.to_bytes(8, "big"))
        found.append(data)
    return sha256(b"".join(found)).hexdigest()


def short_id(prefix: str, *parts: str | bytes) -> str:
    """A stable id people can type: a prefix and 80 bits of the digest of the parts."""
    return f"{prefix}-{digest(*parts)[:20]}"


class Key(msgspec.Struct, frozen=True, array_like=True, order=True):
    """An identifier carried by an event: what it may join (role), in which name space (kind), and its value.

    Two events share a key when kind and value are equal; the roles may differ (issuance carries CREDENTIAL, a
    later AssumeRole made with it carries VIA).
    """

    role: KeyRole
    kind: str
    value: str

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.value}"


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was acted on. `name` is normalised within its class (a repository is `owner/name`); "" is unknown."""

    cls: TargetClass = TargetClass.UNKNOWN
    name: str = ""
    detail: str = ""


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One operation found inside a step, e.g. `repo.write` in `cd x && git push -f origin main`."""

    verb: Verb
    target: Target = Target()
    text: str = ""
    flags: tuple[str, ...] = ()
    certain: bool = True


class Principal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who acted, as the log names them; `kind` human, workload, agent, service or unknown."""

    name: str
    kind: str = "unknown"
    origin: str = ""
    on_behalf_of: str = ""


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """A decider's answer to one request."""

    effect: Effect
    rule: str = ""
    reason: str = ""
    policy: str = ""
    by: str = ""


class CredentialFact(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one event states about a credential. Times are microseconds since the epoch, UTC; -1 in ttl is no expiry."""

    kind: str = ""
    issuer: str = ""
    subject: str = ""
    scope: tuple[str, ...] = ()
    ttl_seconds: int | None = None
    expires: int | None = None
    label: str = ""


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The four outcomes an event can testify to."""

    permitted: Effect = Effect.UNKNOWN
    transport: Tri = Tri.UNKNOWN
    tool: Tri = Tri.UNKNOWN
    effect: Tri = Tri.UNKNOWN


class Event(msgspec.Struct, omit_defaults=True):
    """What a record says: one event of one kind, seen from one vantage.

    Importers fill everything but `id` and `record`, which the import sets: id = digest of the record's identity
    and the event's ordinal in it. `at` is microseconds since the epoch, UTC, or None. `order` is the record's
    position among the records of its source; `ref` and `after` give causal order (`kind:value` of this record and
    of the one it answers). `point` names the enforcement point ("opa:envoy/authz", "vault",
    "github", "claude-code"). `attrs` holds further facts under the names listed in ATTRS.
    """

    kind: EventKind
    phase: Phase
    vantage: Vantage
    point: str
    at: int | None = None
    clock: Clock = Clock.EXACT
    format: str = ""
    id: str = ""
    record: str = ""
    order: int = 0
    ref: str = ""
    after: str = ""
    principal: Principal | None = None
    agent: str = ""
    verb: Verb = Verb.UNKNOWN
    tool: str = ""
    target: Target = Target()
    operations: tuple[Operation, ...] = ()
    text: str = ""
    keys: tuple[Key, ...] = ()
    decision: Decision | None = None
    credential: CredentialFact | None = None
    outcome: Outcome | None = None
    attrs: dict[str, Attr] = msgspec.field(default_factory=dict)

    def keys_of(self, role: KeyRole) -> tuple[Key, ...]:
        return tuple(k for k in self.keys if k.role is role)

    def first_key(self, role: KeyRole) -> Key | None:
        return next((k for k in self.keys if k.role is role), None)


ATTRS: dict[str, str] = {
    "command": "the shell command line of an exec step",
    "path": "the file acted on",
    "url": "the address asked for",
    "cwd": "working directory of the agent",
    "branch": "git branch the agent stood on, or the branch acted on",
    "repository": "owner/name of the repository worked in",
    "project": "project name",
    "environment": "environment as stated by the log",
    "ticket": "ticket reference as stated by the log",
    "arguments": "digest of a call's arguments, where no command, path or address tells what it does",
    "mode": "permission mode or approval policy in force from this event on",
    "sandbox": "sandbox in force from this event on",
    "agent_version": "version of the agent",
    "agent_type": "declared type of a sub-agent",
    "delegated_scope": "the stated narrowing a sub-agent was given (tools, sandbox, mode, policy, mandate)",
    "model": "model name",
    "origin": "where the request came from: endpoint, ci, vendor, cloud, cluster",
    "host": "host name or address the request came from",
    "user_agent": "client software as stated",
    "region": "cloud region",
    "account": "cloud account or tenant that owns the target",
    "status": "status or error code as logged",
    "forced": "true where history was overwritten or checks were skipped",
    "trigger": "what began a CI run: push, schedule, ...",
    "refused": "why a call did not run: rule, user, hook, interrupted",
    "title": "a short human title of the task, where the log has one",
    "mcp_server": "the MCP server called",
    "sha": "commit id",
    "duration_ms": "duration in milliseconds",
    "policy_revision": "revision of the policy bundle in force",
    "decision_expires": "time after which the decision no longer holds, ISO 8601",
    "request_digest": "digest of the request's parameters as stated by whoever decided on it, passed it on or ran it",
    "approver": "who approved, where a person or identity of its own did, as stated by the log",
    "requester": "whose request was approved, as stated by the log",
    "identity_proof": "how the principal proved who it is: static key, password, session, certificate, oidc, spiffe, attested or none",
    "interactive": "true where the log shows a person at work: a console, a browser, a terminal session",
    "ticket_state": "state of the ticket from this event on, as stated by the ticket system",
    "redirected": "true where the decider changed the request",
    "change_window": "change window reference as stated",
    "output": "an excerpt of what came back, redacted",
    "accepted": "whether the use of a credential was let through, as its record says",
    "tokens": "tokens the model used for the message this event stands in",
    "cost_usd": "what the log says this event cost, in US dollars",
    "chain": "`checked` where the record was held against its own log's hash chain, or its own hash was computed again",
    "chain_broken": "how the record fails to fit into its log's own hash chain",
    "missing_before": "how many records are missing before this one by the log's own numbers",
}


class RecordRef(msgspec.Struct, frozen=True):
    """Where a record lies; the same shape everywhere (design: "Record reference")."""

    source: str
    name: str
    line: int
    index: int | None
    offset: int
    digest: str


class RawRecord(msgspec.Struct):
    """One record cut out of a source: its place and its own bytes, line end excluded.

    `line` is the 1-based physical line on which it begins, `index` its 1-based place in an array or envelope
    (else None), `offset` its byte offset in the decompressed source. `original` holds the bytes the source has where
    `data` had to be made from them: a text line framed as JSON, a record that needed a repair.
    """

    data: bytes
    line: int
    offset: int
    index: int | None = None
    original: bytes | None = None


class Reject(msgspec.Struct, frozen=True):
    """A stretch of a source that could not be read as a record, and why."""

    line: int
    index: int | None
    offset: int
    reason: str
    digest: str = ""


class Parsed(msgspec.Struct):
    """What an importer's reader makes of one decoded record.

    `identity` is the format's own id of the record, None where it has none (then bytes + ordinal count, within
    `scope`, the context without which equal bytes mean different things, e.g. a Codex session). `unknown_type`
    names a record type this importer does not know: accepted, kept raw, counted.
    `copied` where the record says of itself that it repeats another's: its own bytes are no second version of that one.
    `voice` is who tells a record that others may tell word for word under the same id, e.g. the session it was copied into: of
    all voices one is heard, the same for every record they share, and the others are copies of it.
    `keyed` where its digests of tokens are keyed already, as a store has them. `digests` are texts of the record, as redacted,
    that stand where a secret would and by the format are no more than its SHA-256, where they look it: nobody can use them.
    """

    events: list[Event] = msgspec.field(default_factory=list)
    identity: str | None = None
    scope: str = ""
    type: str = ""
    at: int | None = None
    unknown_type: str | None = None
    copied: bool = False
    voice: str = ""
    keyed: bool = False
    digests: tuple[str, ...] = ()


class BadRecord(ValueError):
    """A record of a known format that lacks what its format makes mandatory; the text is shown as the reject's reason."""
