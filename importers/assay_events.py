"""Assay's CloudEvents: the mandate a human or a service signed, the decisions taken under it, its use and its revocation."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import rfc8785

from importers.shared.fields import Json, clip, first_text, key, keys, mapping, moment, number, text, texts, trace_id
from importers.shared.told import Told, effect_of, session_key
from importers.shared.tool_calls import tool_call
from model.event import BadRecord, CredentialFact, Event, Key, Principal
from model.words import Clock, EventKind, KeyRole, Phase, Vantage, Verb

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")

Reader = Callable[[Json, Json, int, Clock], list[Event]]


def run_scopes(run: str) -> tuple[Key, ...]:
    """The run as a scope: as a session, and by the name under which spans state it (`assay.run.id`)."""
    return keys(session_key(run), key(KeyRole.SCOPE, "assay.run", run))


def _told(entry: Json, data: Json, at: int, clock: Clock) -> Told:
    """What every event shares: the run, the mandate as scopes, the trace, the agent's own call."""
    told = Told("assay", "assay", Vantage.ENFORCER, at, clock)
    mandate = text(data.get("mandate_id"))
    context = mapping(data.get("context"))
    told.keys = keys(
        *run_scopes(first_text(entry, "assayrunid", "run_id") or first_text(data, "run_id", "session_id")),
        key(KeyRole.SCOPE, "assay.mandate", mandate),
        key(KeyRole.SCOPE, "trace", trace_id(first_text(entry, "traceparent") or first_text(context, "traceparent"))),
        key(KeyRole.CALL, "call", text(data.get("tool_call_id"))),
    )
    if text(data.get("tool")):
        told.tool = text(data["tool"])
        told.verb, told.target, attrs = tool_call(told.tool, "", data.get("args"), None)
        told.attrs.update(attrs)
        if told.verb is Verb.UNKNOWN:
            told.verb = Verb.MCP_CALL
    return told


def _mandate(entry: Json, data: Json, at: int, clock: Clock) -> list[Event]:
    """The mandate as the task's intent, and as the authority that is handed out with it."""
    ident, kind = text(data.get("mandate_id")), text(data.get("mandate_kind"))
    if not ident or not kind:
        raise BadRecord("an Assay mandate without mandate_id or mandate_kind")
    told = _told(entry, data, at, clock)
    principal, scope = mapping(data.get("principal")), mapping(data.get("scope"))
    validity, limits = mapping(data.get("validity")), mapping(data.get("constraints"))
    context = mapping(data.get("context"))
    who = text(principal.get("subject"))
    told.principal = Principal(who, "human" if text(principal.get("method")) == "oidc" else "unknown") if who else None
    tools = texts(scope.get("tools"))
    allowed = [f"{first_text(scope, 'operation_class') or 'any operation'} with {', '.join(tools[:50]) or 'any tool'}"]
    if value := mapping(scope.get("max_value")):
        allowed.append(f"up to {text(value.get('amount'))} {text(value.get('currency'))}".rstrip())
    allowed += [name.replace("_", " ") for name in ("single_use", "require_confirmation") if limits.get(name) is True]
    if (uses := number(limits.get("max_uses"))) is not None:
        allowed.append(f"{uses} use{'s' if uses != 1 else ''} at most")
    signature = mapping(data.get("signature"))
    stated = (
        "not signed"
        if not signature
        else f"signed ({text(signature.get('algorithm')) or 'unknown algorithm'}), not verified here"
    )
    broken = _broken(data, ident, signature)
    told.note(chain="checked" if broken is not None else "", chain_broken=broken or "")
    told.note(delegated_scope="; ".join(allowed), status=stated)
    begin = moment(first_text(validity, "not_before", "issued_at"))[0]
    expires = moment(validity.get("expires_at"))[0]
    ttl = -1 if expires is None else (expires - begin) // 1_000_000 if begin is not None and expires >= begin else None
    fact = CredentialFact(
        kind=f"assay-{clip(kind, 40)}-mandate",
        issuer=text(context.get("issuer")),
        subject=who,
        scope=tools[:50],
        ttl_seconds=ttl,
        expires=expires,
        label=text(context.get("audience")),
    )
    words = f"{kind} mandate of {who or 'an unnamed principal'}: {'; '.join(allowed)}"
    own = key(KeyRole.CREDENTIAL, "mandate", ident)
    return [
        told.event(EventKind.INTENT, Phase.MANDATE, words=words),
        told.event(EventKind.CREDENTIAL, Phase.ISSUED, own, credential=fact),
    ]


def _broken(data: Json, ident: str, signature: Json) -> str | None:
    """How a mandate is not what was signed, as far as hashes alone tell; "" where they hold, None where they cannot be computed again.

    Its id is the SHA-256 of its content without id and signature as canonical JSON (RFC 8785); what was signed is the
    content with the id. Whose key signed it is for a verifier with that key to say. A mandate from which a secret was
    taken before it was read here cannot be hashed again.
    """
    if text(signature.get("content_id")) not in ("", ident):
        return "the signature is of another mandate"
    content: dict[str, Any] = {name: value for name, value in data.items() if name not in ("mandate_id", "signature")}
    try:
        canonical, signed = rfc8785.dumps(content), rfc8785.dumps(content | {"mandate_id": ident})
    except rfc8785.CanonicalizationError:
        return None
    if b"REDACTED." in canonical:
        return None
    if _SHA256.fullmatch(ident) and ident != f"sha256:{sha256(canonical).hexdigest()}":
        return "the mandate was changed: its id is not the hash of its content"
    digest = text(signature.get("signed_payload_digest"))
    if _SHA256.fullmatch(digest) and digest != f"sha256:{sha256(signed).hexdigest()}":
        return "the signature is of another payload than this mandate"
    return "" if _SHA256.fullmatch(ident) or _SHA256.fullmatch(digest) else None


def _decision(entry: Json, data: Json, at: int, clock: Clock) -> list[Event]:
    missing = [name for name in ("tool", "decision") if not text(data.get(name))]
    if missing:
        raise BadRecord(f"an Assay tool decision without {', '.join(missing)}")
    told = _told(entry, data, at, clock)
    who = first_text(data, "principal")
    if who:
        told.principal = Principal(who, "unknown", "", text(data.get("delegated_from")))
    told.note(policy_revision=first_text(data, "policy_snapshot_digest", "policy_digest", "policy_version"))
    effect = effect_of(data.get("decision"))
    reasons = [text(data.get("reason_code")), text(data.get("reason"))]
    for name, words in (
        ("mandate_scope_match", "the tool is outside the mandate's scope"),
        ("mandate_kind_match", "the mandate is of the wrong kind"),
        ("transaction_ref_match", "another transaction than the mandate's"),
        ("transaction_ref_valid", "another transaction than the mandate's"),
    ):
        if data.get(name) is False:
            reasons.append(words)
    if not text(data.get("mandate_id")):
        reasons.append("no mandate named")
    reason = "; ".join(dict.fromkeys(part for part in reasons if part))
    return [told.verdict(effect, rule=first_text(data, "matched_rule"), reason=reason, policy=first_text(data, "policy_version"))]


def _used(entry: Json, data: Json, at: int, clock: Clock) -> list[Event]:
    ident = text(data.get("mandate_id"))
    if not ident:
        raise BadRecord("a mandate's use without mandate_id")
    told = _told(entry, data, at, clock)
    if (count := number(data.get("use_count"))) is not None:
        told.note(status=f"use {count}")
    return told.used(key(KeyRole.CREDENTIAL, "mandate", ident), fact=CredentialFact(kind="assay-mandate"))


def _revoked(entry: Json, data: Json, at: int, clock: Clock) -> list[Event]:
    ident = text(data.get("mandate_id"))
    if not ident:
        raise BadRecord("a mandate's revocation without mandate_id")
    told = _told(entry, data, at, clock)
    told.note(status=first_text(data, "reason", "reason_code"))
    own = key(KeyRole.CREDENTIAL, "mandate", ident)
    return [told.event(EventKind.CREDENTIAL, Phase.REVOKED, own, credential=CredentialFact(kind="assay-mandate"))]


def _degraded(entry: Json, data: Json, at: int, clock: Clock) -> list[Event]:
    """Containment that fell back to watching only."""
    told = _told(entry, data, at, clock)
    told.note(sandbox=first_text(data, "degradation_mode") or "degraded", status=first_text(data, "reason_code", "detail"))
    return [told.event(EventKind.DECISION, Phase.POSTURE)]


EVENTS: dict[str, Reader] = {
    "assay.mandate.v1": _mandate,
    "assay.tool.decision": _decision,
    "assay.mandate.used.v1": _used,
    "assay.mandate.revoked.v1": _revoked,
    "assay.sandbox.degraded": _degraded,
}
