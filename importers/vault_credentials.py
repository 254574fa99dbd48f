"""What Vault gave away, renewed or took back: tokens, leases, certificates and wrapping tokens, as their records name them."""

from __future__ import annotations

from importers.shared.fields import Json, first_moment, key, keys, mapping, moment, number, text, texts
from importers.vault_identity import hashed, shown
from importers.vault_record import Facts
from model.event import CredentialFact, Event, Key, Principal
from model.words import EventKind, KeyRole, Phase, Vantage, Verb

_LIVES = ("lease_duration", "secret_id_ttl", "ttl", "token_ttl")
_LEASE_PATHS = ("sys/leases/revoke/", "sys/leases/renew/", "sys/revoke/", "sys/renew/")


def handed_out(facts: Facts, response: Json) -> list[Event]:
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
        events.append(_given(facts, phase, token + (() if renewal else via), token_fact(facts, auth)))
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
        ttl = number(secret.get("lease_duration")) or number(response.get("lease_duration"))
        ttl = ttl or next((n for name in _LIVES if (n := number(data.get(name)))), None)
        ttl = ttl or _until(facts, data.get("expiration") or data.get("expires_at_seconds"))
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


def taken_back(facts: Facts) -> list[Event]:
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
        kind = _taken(facts)
    via = tuple(Key(KeyRole.VIA, one.kind, one.value) for one in facts.token_keys if one not in ids)
    return [_given(facts, Phase.REVOKED, ids + via, CredentialFact(kind=kind, issuer="vault"))]


def _taken(facts: Facts) -> str:
    """What kind of credential a revocation is of that names none: a token, a role's secret id, a certificate, all leases below a path."""
    if facts.path.startswith(("sys/leases/", "sys/revoke")):
        return "vault-lease"
    return "vault-token" if facts.path.startswith("auth/token/") else f"vault-{_engine(facts)}"


def _given(facts: Facts, phase: Phase, ids: tuple[Key, ...], fact: CredentialFact) -> Event:
    return facts.event(EventKind.CREDENTIAL, phase, Vantage.ENFORCER, ids, credential=fact)


def _named_lease(facts: Facts) -> str:
    """The lease a request names, in its body or at the end of its path."""
    if lease := shown(mapping(facts.request.get("data")).get("lease_id")):
        return lease
    for begin in _LEASE_PATHS:
        if facts.path.startswith(begin):
            return shown(facts.path[len(begin) :])
    return ""


def _engine(facts: Facts) -> str:
    return text(facts.request.get("mount_type")) or facts.path.split("/")[0] or "secret"


def _until(facts: Facts, stated: object) -> int | None:
    """Seconds from a record's time to the moment a certificate ends at, which numbers show where texts are hashed."""
    ends = moment(stated, "s")[0] if number(stated) is not None else None
    return (ends - facts.at) // 1_000_000 if ends is not None and facts.at is not None and ends > facts.at else None


def _clear(value: object) -> str:
    """A value the device did not hash: only such a one is the same outside this log."""
    found = shown(value)
    return "" if found.startswith("hmac-") else found


def _fact(facts: Facts, kind: str, ttl: int | None, subject: str = "", scope: tuple[str, ...] = ()) -> CredentialFact:
    expires = facts.at + ttl * 1_000_000 if facts.at is not None and ttl is not None and 0 < ttl < 10**10 else None
    return CredentialFact(
        kind=kind,
        issuer="vault",
        subject=subject or (facts.principal.name if isinstance(facts.principal, Principal) else ""),
        scope=scope or (facts.path,),
        ttl_seconds=ttl,
        expires=expires,
    )


def login_fact(facts: Facts) -> CredentialFact:
    return CredentialFact(kind="vault-token", issuer="vault", label=facts.path)


def token_fact(facts: Facts, auth: Json) -> CredentialFact:
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
