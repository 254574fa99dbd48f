"""One record of Vault's audit log as what its events share: who, what, by which token, and the two names a request goes by."""

from __future__ import annotations

from importers.shared.fields import Json, clip, first_text, key, keys, mapping, moment, number, text
from importers.shared.vault_paths import is_login, vault_target, vault_verb
from importers.vault_identity import hashed, principal_of, proof_of, shown, stated_keys
from model.event import Attr, CredentialFact, Decision, Event, Key, Outcome
from model.words import EventKind, KeyRole, Phase, Tri, Vantage, Verb

_STORES = frozenset({"kv", "generic", "cubbyhole"})


class Facts:
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
        self.found = _found(mapping(record.get("response")), mount_type) if self.verb is Verb.SECRET_READ else Tri.YES
        self.factor_due = self.login and _factor_due(auth, mapping(mapping(record.get("response")).get("auth")))
        # Of any other request the mount says what was asked for, and nothing of who asks.
        self.principal = principal_of(auth, mount_type if self.login else "")
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


def _says_error(response: Json, mount_type: str) -> bool:
    """Whether the answer is an error alone, its words hashed: nothing at the top says so. A stored secret may be called so too."""
    data = mapping(response.get("data"))
    return "error" in data and data.keys() <= {"error", "errors", "data"} and mount_type not in _STORES


def _factor_due(*said: Json) -> bool:
    """Whether a login was answered with the demand for another factor: a token is given once that is shown."""
    given = any(one.get("accessor") or one.get("client_token") for one in said)
    return not given and any(isinstance(one.get("mfa_requirement"), dict) for one in said)


def _found(response: Json, mount_type: str) -> Tri:
    """Whether a secret that was asked for was there: a deleted one is answered with 404, one that never was with nothing.

    A device may also be told to leave data out, so that nothing there says neither yes nor no.
    """
    data = mapping(response.get("data"))
    if (status := number(data.get("http_status_code"))) is not None and status >= 400:
        return Tri.NO
    return Tri.UNKNOWN if mount_type in _STORES and not data and not response.get("wrap_info") else Tri.YES
