"""HashiCorp Vault and OpenBao audit log: who asked the secret store for what, what it answered, which token and lease.

Every operation is two records with one `request.id`. The request record carries the decision and the use of the token;
the response record carries the effect and what was issued, renewed or revoked, so that nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from importers.shared.fields import Json, clip, first_moment, first_text, key, keys, mapping, moment, number, text, texts, truth
from importers.shared.vault_paths import is_login, vault_target, vault_verb
from importers.vault_identity import device_of, hashed, principal_of, proof_of, shown, stated_keys
from model.event import (
    Attr,
    BadRecord,
    CredentialFact,
    Decision,
    Event,
    Key,
    Outcome,
    Parsed,
    Principal,
    digest,
)
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Vantage, Verb

_REFUSALS = (
    "permission denied",
    "missing client token",
    "invalid token",
    "bad token",
    "token not found",
    "wrapping token is not valid",
    "invalid role",
    "invalid secret id",
    "invalid username or password",
    "error validating token",
    "failed to validate",
    "not authorized",
    "unauthorized",
)
# What the methods say of who may not log in; elsewhere the same words are about something else.
_LOGIN_REFUSALS = (
    "invalid",
    "does not match",
    "failed to match",
    "no match",
    "not trusted",
    "expired",
    "failed to verify",
    "verification failed",
    "failed to bind",
    "login failed",
    "code: 401",
    "code: 403",
    "denied",
    "source address",
    "locked",
)
_OTHER_TYPES = frozenset({"kmip-request", "kmip-response"})
_LEASE_PATHS = ("sys/leases/revoke/", "sys/leases/renew/", "sys/revoke/", "sys/renew/")


class _Facts:
    """What the events of one record share."""

    def __init__(self, record: Json, request: Json) -> None:
        self.request = request
        self.auth = auth = mapping(record.get("auth"))
        self.path = text(request.get("path"))
        self.operation = operation = text(request.get("operation"))
        mount_type = text(request.get("mount_type"))
        self.verb = vault_verb(operation, self.path, mount_type)
        self.target = vault_target(operation, self.path, text(mapping(request.get("namespace")).get("path")))
        self.at, self.clock = moment(record.get("time"))
        self.error = text(record.get("error")).strip()
        self.login = is_login(self.path)
        self.answered_error = not self.error and _says_error(mapping(record.get("response")), mount_type)
        self.principal = principal_of(auth, mount_type)
        call = shown(request.get("id"))
        self.keys = keys(key(KeyRole.CALL, "vault.request", call)) + stated_keys(request, auth)
        accessor = shown(request.get("client_token_accessor")) or ("" if self.login else shown(auth.get("accessor")))
        token = hashed(request.get("client_token")) or ("" if self.login else hashed(auth.get("client_token")))
        self.token_keys = keys(
            key(KeyRole.CREDENTIAL, "vault.accessor", accessor),
            key(KeyRole.CREDENTIAL, "vault.token", token),
            key(KeyRole.CREDENTIAL, "x509.serial", shown(request.get("client_certificate_serial_number")) if self.login else ""),
        )
        unwrapped = mapping(request.get("data")).get("token") if self.path == "sys/wrapping/unwrap" else None
        self.unwrapped = keys(key(KeyRole.CREDENTIAL, "vault.token", hashed(unwrapped)))
        # What a request was made with is told once, by its use; without a request id nothing else leads to the issuance.
        self.made_with = () if call else tuple(Key(KeyRole.VIA, one.kind, one.value) for one in self.token_keys)
        self.ref = self.after = ""
        self.attrs: dict[str, Attr] = {}
        if host := first_text(request, "remote_address"):
            self.attrs["host"] = host
        if self.error:
            self.attrs["status"] = clip(self.error, 300)
        if proof := proof_of(auth, mount_type if self.login else ""):
            self.attrs["identity_proof"] = proof

    def event(
        self,
        kind: EventKind,
        phase: Phase,
        vantage: Vantage,
        extra: tuple[Key, ...] = (),
        *,
        decision: Decision | None = None,
        credential: CredentialFact | None = None,
        outcome: Outcome | None = None,
    ) -> Event:
        return Event(
            kind=kind,
            phase=phase,
            vantage=vantage,
            point="vault",
            at=self.at,
            clock=self.clock,
            format="vault",
            ref=self.ref,
            after=self.after,
            principal=self.principal,
            verb=self.verb,
            tool=self.operation,
            target=self.target,
            keys=keys(*self.keys, *extra),
            decision=decision,
            credential=credential,
            outcome=outcome,
            attrs=dict(self.attrs),
        )


class VaultReader:
    """Reads one audit device's file; remembers the last request only, to pair records whose ids are masked."""

    def __init__(self) -> None:
        self._open = ""
        self._pair = ""

    def read(self, record: object) -> Parsed:
        entry = mapping(record)
        kind = text(entry.get("type"))
        if kind in _OTHER_TYPES:
            return Parsed(type=kind, at=moment(entry.get("time"))[0], unknown_type=kind)
        request = entry.get("request")
        if kind not in ("request", "response") or not isinstance(request, dict):
            raise BadRecord("not a Vault audit record: no type request or response with a request object")
        if not text(request.get("path")) and not text(request.get("operation")):
            raise BadRecord("a Vault audit record without request.path and request.operation")
        facts = _Facts(entry, request)
        name = shown(request.get("id"))
        identity = None
        if name:
            device = device_of(entry)
            identity = f"{name}:{kind}:{device}" if device else f"{name}:{kind}"
        else:
            self._adjacent(facts, kind)
        events = _request(facts) if kind == "request" else _response(facts, mapping(entry.get("response")))
        for event in events:
            event.ref, event.after = facts.ref, facts.after
        return Parsed(events=events, identity=identity, type=f"{kind} {facts.operation}".strip(), at=facts.at)

    def _adjacent(self, facts: _Facts, kind: str) -> None:
        """Masked ids join nothing; a response that directly follows its like request is said to answer it."""
        request = facts.request
        shape = digest(
            *(text(request.get(name)) for name in ("path", "operation", "remote_address", "remote_port", "mount_accessor"))
        )
        if kind == "request":
            self._open, self._pair = shape, f"vault.pair:{digest(shape, str(facts.at))[:24]}"
            facts.ref = self._pair
        elif shape == self._open:
            facts.after, self._open = self._pair, ""


def _decision(facts: _Facts, effect: Effect, reason: str) -> Decision:
    results = mapping(facts.auth.get("policy_results"))
    granting = results.get("granting_policies")
    named = [
        text(one.get("name"))
        for one in (granting if isinstance(granting, list) else [])
        if isinstance(one, dict) and text(one.get("name"))
    ]
    return Decision(effect=effect, reason=reason, policy=",".join(dict.fromkeys(named)), by="vault")


def _verdict(facts: _Facts) -> Decision | None:
    """What the record proves about permission; None where it proves nothing (an error that is no refusal)."""
    allowed = truth(mapping(facts.auth.get("policy_results")).get("allowed"))
    if facts.error:
        words = (*_REFUSALS, *_LOGIN_REFUSALS) if facts.login else _REFUSALS
        if allowed is False or any(word in facts.error.lower() for word in words):
            return _decision(facts, Effect.DENY, clip(facts.error, 500))
        return _decision(facts, Effect.ALLOW, "granted by policy") if allowed and not facts.login else None
    if allowed is False:
        return _decision(facts, Effect.DENY, "no policy grants this")
    if facts.answered_error:
        # The words are hashed; a method that answers a login with an error lets nobody in.
        return _decision(facts, Effect.DENY, "the login was answered with an error") if facts.login else None
    return _decision(facts, Effect.ALLOW, "granted by policy" if allowed else "no error in the audit record")


def _request(facts: _Facts) -> list[Event]:
    events: list[Event] = []
    verdict = _verdict(facts)
    if facts.login and (verdict is None or verdict.effect is Effect.ALLOW):
        # Everybody may try to log in: only the response knows whether it was granted.
        events.append(facts.event(EventKind.CREDENTIAL, Phase.REQUESTED, Vantage.ENFORCER, credential=_login_fact(facts)))
    elif verdict is not None:
        events.append(facts.event(EventKind.DECISION, Phase.VERDICT, Vantage.ENFORCER, facts.made_with, decision=verdict))
    if facts.token_keys:
        events.append(
            facts.event(
                EventKind.CREDENTIAL, Phase.USED, Vantage.ENFORCER, facts.token_keys, credential=_token_fact(facts, facts.auth)
            )
        )
    if facts.unwrapped and facts.unwrapped[0] not in facts.token_keys:
        fact = CredentialFact(kind="vault-wrapping-token", issuer="vault")
        events.append(facts.event(EventKind.CREDENTIAL, Phase.USED, Vantage.ENFORCER, facts.unwrapped, credential=fact))
    return events


def _says_error(response: Json, mount_type: str) -> bool:
    """Whether the answer is an error alone, its words hashed: nothing at the top says so. A stored secret may be called so too."""
    data = mapping(response.get("data"))
    return "error" in data and data.keys() <= {"error", "errors", "data"} and mount_type not in ("kv", "generic", "cubbyhole")


def _response(facts: _Facts, response: Json) -> list[Event]:
    verdict = _verdict(facts)
    refused = verdict is not None and verdict.effect is Effect.DENY
    events: list[Event] = []
    if verdict is not None and (refused or facts.login):
        events.append(facts.event(EventKind.DECISION, Phase.VERDICT, Vantage.ENFORCER, facts.made_with, decision=verdict))
    done = not facts.error and not refused and not facts.answered_error
    outcome = Outcome(
        permitted=Effect.DENY if refused else Effect.ALLOW if done else Effect.UNKNOWN,
        transport=Tri.YES,
        effect=Tri.YES if done else Tri.NO,
    )
    events.append(facts.event(EventKind.EFFECT, Phase.OBSERVED, Vantage.TARGET, facts.made_with, outcome=outcome))
    if done:
        events += _handed_out(facts, response)
        events += _taken_back(facts)
    return events


def _handed_out(facts: _Facts, response: Json) -> list[Event]:
    """Tokens, leases, certificates and wrapping tokens that this response gave away or renewed."""
    events: list[Event] = []
    via = tuple(Key(KeyRole.VIA, one.kind, one.value) for one in facts.token_keys)
    renewal = facts.verb is Verb.CREDENTIAL_RENEW
    phase = Phase.RENEWED if renewal else Phase.ISSUED
    auth = mapping(response.get("auth"))
    if not auth and facts.login and (shown(facts.auth.get("accessor")) or hashed(facts.auth.get("client_token"))):
        # Every login says something of a token in `auth`; only one that was given is named there.
        auth = facts.auth
    if auth and (renewal or facts.verb is Verb.CREDENTIAL_ISSUE or facts.login):
        token = keys(
            key(KeyRole.CREDENTIAL, "vault.accessor", shown(auth.get("accessor"))),
            key(KeyRole.CREDENTIAL, "vault.token", hashed(auth.get("client_token"))),
        )
        events.append(_given(facts, phase, token + (() if renewal else via), _token_fact(facts, auth)))
    secret = mapping(response.get("secret"))
    data = mapping(response.get("data"))
    lease = shown(secret.get("lease_id")) or (_named_lease(facts) if renewal and not auth else "")
    ids = keys(
        key(KeyRole.CREDENTIAL, "vault.lease", lease),
        key(KeyRole.CREDENTIAL, "aws.key", _clear(data.get("access_key"))),
        key(KeyRole.CREDENTIAL, "vault.secret_id_accessor", shown(data.get("secret_id_accessor"))),
        key(KeyRole.CREDENTIAL, "x509.serial", _clear(data.get("serial_number"))),
        key(KeyRole.CREDENTIAL, "vault.serial", hashed(data.get("serial_number"))),
    )
    if ids or (facts.verb is Verb.CREDENTIAL_ISSUE and not auth and not facts.login and not response.get("wrap_info")):
        ttl = number(secret.get("lease_duration")) or number(response.get("lease_duration")) or number(data.get("lease_duration"))
        ttl = ttl or number(data.get("secret_id_ttl"))
        fact = _fact(facts, "vault-lease" if lease else f"vault-{_engine(facts)}", ttl, subject=_clear(data.get("username")))
        if facts.verb in (Verb.CREDENTIAL_ISSUE, Verb.CREDENTIAL_RENEW) or lease:
            events.append(_given(facts, phase, ids + (() if renewal else via), fact))
    wrap = mapping(response.get("wrap_info"))
    if wrap:
        ttl = number(wrap.get("ttl"))
        for name, kind in (("accessor", "vault-wrapping-token"), ("wrapped_accessor", "vault-token")):
            if accessor := shown(wrap.get(name)):
                wrapped = hashed(wrap.get("token")) if name == "accessor" else ""
                ids = keys(key(KeyRole.CREDENTIAL, "vault.accessor", accessor), key(KeyRole.CREDENTIAL, "vault.token", wrapped))
                fact = _fact(facts, kind, ttl if name == "accessor" else None)
                events.append(_given(facts, Phase.ISSUED, ids + via, fact))
    return events


def _taken_back(facts: _Facts) -> list[Event]:
    if facts.verb is not Verb.CREDENTIAL_REVOKE:
        return []
    data = mapping(facts.request.get("data"))
    if facts.path.endswith("revoke-self"):
        ids, kind = facts.token_keys, "vault-token"
    elif lease := _named_lease(facts):
        ids, kind = keys(key(KeyRole.CREDENTIAL, "vault.lease", lease)), "vault-lease"
    else:
        ids = keys(
            key(KeyRole.CREDENTIAL, "vault.accessor", shown(data.get("accessor"))),
            key(KeyRole.CREDENTIAL, "vault.token", hashed(data.get("token"))),
            key(KeyRole.CREDENTIAL, "vault.secret_id_accessor", shown(data.get("secret_id_accessor"))),
            key(KeyRole.CREDENTIAL, "x509.serial", _clear(data.get("serial_number"))),
            key(KeyRole.CREDENTIAL, "vault.serial", hashed(data.get("serial_number"))),
        )
        kind = "vault-token"
    via = tuple(Key(KeyRole.VIA, one.kind, one.value) for one in facts.token_keys if one not in ids)
    return [_given(facts, Phase.REVOKED, ids + via, CredentialFact(kind=kind, issuer="vault"))]


def _given(facts: _Facts, phase: Phase, ids: tuple[Key, ...], fact: CredentialFact) -> Event:
    return facts.event(EventKind.CREDENTIAL, phase, Vantage.ENFORCER, ids, credential=fact)


def _named_lease(facts: _Facts) -> str:
    """The lease a request names, in its body or at the end of its path."""
    if lease := shown(mapping(facts.request.get("data")).get("lease_id")):
        return lease
    for begin in _LEASE_PATHS:
        if facts.path.startswith(begin):
            return shown(facts.path[len(begin) :])
    return ""


def _engine(facts: _Facts) -> str:
    return text(facts.request.get("mount_type")) or facts.path.split("/")[0] or "secret"


def _clear(value: object) -> str:
    """A value the device did not hash: only such a one is the same outside this log."""
    found = shown(value)
    return "" if found.startswith("hmac-") else found


def _fact(facts: _Facts, kind: str, ttl: int | None, subject: str = "", scope: tuple[str, ...] = ()) -> CredentialFact:
    expires = facts.at + ttl * 1_000_000 if facts.at is not None and ttl is not None and 0 < ttl < 10**10 else None
    return CredentialFact(
        kind=kind,
        issuer="vault",
        subject=subject or (facts.principal.name if isinstance(facts.principal, Principal) else ""),
        scope=scope or (facts.path,),
        ttl_seconds=ttl,
        expires=expires,
    )


def _login_fact(facts: _Facts) -> CredentialFact:
    return CredentialFact(kind="vault-token", issuer="vault", label=facts.path)


def _token_fact(facts: _Facts, auth: Json) -> CredentialFact:
    """Life time and policies of a token; a root token with a time to live of 0 never expires."""
    policies = texts(auth.get("policies")) or texts(auth.get("token_policies"))
    ttl = number(auth.get("token_ttl"))
    if ttl is None:
        ttl = number(auth.get("lease_duration"))
    expires = None
    if ttl == 0:
        ttl = -1 if "root" in policies else None
    elif ttl is not None and 0 < ttl < 10**10:
        begin = first_moment(auth, "token_issue_time")[0]
        expires = (facts.at if begin is None else begin) or None
        expires = expires + ttl * 1_000_000 if expires is not None else None
    return CredentialFact(
        kind=f"vault-{text(auth.get('token_type')) or 'service'}-token"
        if text(auth.get("token_type")) == "batch"
        else "vault-token",
        issuer="vault",
        subject=text(auth.get("display_name")),
        scope=policies,
        ttl_seconds=ttl,
        expires=expires,
        label=text(auth.get("entity_id")),
    )


class Vault:
    """The audit log of HashiCorp Vault and OpenBao."""

    id = "vault"
    title = "HashiCorp Vault / OpenBao audit log"
    evidence = "real"
    version = 2

    def sniff(self, sample: Sequence[object]) -> int:
        for record in sample:
            if isinstance(record, dict) and isinstance(record.get("request"), dict):
                request = record["request"]
                if record.get("type") in ("request", "response") and ("path" in request or "operation" in request):
                    sure = "remote_address" in request or "namespace" in request or isinstance(record.get("auth"), dict)
                    return 95 if sure else 80
            elif isinstance(record, dict) and text(record.get("type")) in _OTHER_TYPES:
                return 60
        return 0

    def open(self) -> VaultReader:
        return VaultReader()


IMPORTER = Vault()
