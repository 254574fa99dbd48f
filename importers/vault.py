"""HashiCorp Vault and OpenBao audit log: who asked the secret store for what, what it answered, which token and lease.

Every operation is two records with one `request.id`. The request record carries the decision and the use of the token;
the response record carries the effect and what was issued, renewed or revoked, so that nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Sequence

from importers.shared.fields import Json, clip, mapping, moment, text, truth
from importers.vault_credentials import handed_out, login_fact, taken_back, token_fact
from importers.vault_identity import device_of, shown
from importers.vault_record import Facts
from model.event import BadRecord, CredentialFact, Decision, Event, Outcome, Parsed, digest
from model.words import Effect, EventKind, Phase, Tri, Vantage

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
        facts = Facts(entry, request)
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

    def _adjacent(self, facts: Facts, kind: str) -> None:
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


def _decision(facts: Facts, effect: Effect, reason: str) -> Decision:
    results = mapping(facts.auth.get("policy_results"))
    granting = results.get("granting_policies")
    named = [
        text(one.get("name"))
        for one in (granting if isinstance(granting, list) else [])
        if isinstance(one, dict) and text(one.get("name"))
    ]
    return Decision(effect=effect, reason=reason, policy=",".join(dict.fromkeys(named)), by="vault")


def _verdict(facts: Facts) -> Decision | None:
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
    if facts.factor_due:
        return _decision(facts, Effect.ASK, "another factor is due")
    return _decision(facts, Effect.ALLOW, "granted by policy" if allowed else "no error in the audit record")


def _request(facts: Facts) -> list[Event]:
    events: list[Event] = []
    verdict = _verdict(facts)
    if facts.login and (verdict is None or verdict.effect is Effect.ALLOW):
        # Everybody may try to log in: only the response knows whether it was granted.
        events.append(facts.event(EventKind.CREDENTIAL, Phase.REQUESTED, Vantage.ENFORCER, credential=login_fact(facts)))
    elif verdict is not None:
        events.append(facts.event(EventKind.DECISION, Phase.VERDICT, Vantage.ENFORCER, facts.made_with, decision=verdict))
    if facts.token_keys:
        events.append(
            facts.event(
                EventKind.CREDENTIAL, Phase.USED, Vantage.ENFORCER, facts.token_keys, credential=token_fact(facts, facts.auth)
            )
        )
    if facts.unwrapped and facts.unwrapped[0] not in facts.token_keys:
        fact = CredentialFact(kind="vault-wrapping-token", issuer="vault")
        events.append(facts.event(EventKind.CREDENTIAL, Phase.USED, Vantage.ENFORCER, facts.unwrapped, credential=fact))
    return events


def _response(facts: Facts, response: Json) -> list[Event]:
    verdict = _verdict(facts)
    refused = verdict is not None and verdict.effect is Effect.DENY
    events: list[Event] = []
    if verdict is not None and (refused or facts.login):
        events.append(facts.event(EventKind.DECISION, Phase.VERDICT, Vantage.ENFORCER, facts.made_with, decision=verdict))
    done = not facts.error and not refused and not facts.answered_error
    permitted = Effect.DENY if refused else Effect.ASK if facts.factor_due else Effect.ALLOW if done else Effect.UNKNOWN
    found = Tri.NO if not done else Tri.UNKNOWN if facts.factor_due else facts.found
    outcome = Outcome(permitted=permitted, transport=Tri.YES, effect=found)
    events.append(facts.event(EventKind.EFFECT, Phase.OBSERVED, Vantage.TARGET, facts.made_with, outcome=outcome))
    if done and not facts.factor_due:
        events += handed_out(facts, response)
        events += taken_back(facts)
    return events


class Vault:
    """The audit log of HashiCorp Vault and OpenBao."""

    id = "vault"
    title = "HashiCorp Vault / OpenBao audit log"
    evidence = "real"
    version = 3

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
