"""What a Teleport cluster hands out: certificates of people, bots and hosts, and identity documents of workloads."""

from __future__ import annotations

from importers.shared.fields import Json, first_text, key, moment, texts
from importers.shared.told import Told
from model.event import CredentialFact, Event, Key, Target
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Verb


def certificate(told: Told, entry: Json, identity: Json) -> Event:
    """A certificate handed out; it is known by the serial number where one is logged, else by this record."""
    told.verb = Verb.CREDENTIAL_ISSUE
    expires = moment(identity.get("expires"))[0]
    ttl = (expires - told.at) // 1_000_000 if expires is not None and told.at is not None and expires > told.at else None
    serial = first_text(entry, "serial_number") or first_text(identity, "serial_number")
    name = (
        key(KeyRole.CREDENTIAL, "x509.serial", serial)
        if serial
        else key(KeyRole.CREDENTIAL, "teleport.certificate", first_text(entry, "uid"))
    )
    fact = CredentialFact(
        kind=f"teleport-{first_text(entry, 'cert_type') or 'user'}-certificate",
        issuer=told.point,
        subject=first_text(identity, "user"),
        scope=texts(identity.get("roles")) + texts(identity.get("kubernetes_groups")),
        ttl_seconds=ttl,
        expires=expires,
        label=first_text(identity, "bot_name", "impersonator"),
    )
    return told.event(EventKind.CREDENTIAL, Phase.ISSUED, name, credential=fact)


def bot_fact(told: Told, entry: Json) -> CredentialFact:
    return CredentialFact(
        kind="teleport-bot-instance", issuer=told.point, subject=first_text(entry, "user_name", "user", "bot_name")
    )


def joined_bot(told: Told, entry: Json, instance: Key) -> Event:
    """The identity that a joined bot goes on with until it joins anew."""
    return told.event(EventKind.CREDENTIAL, Phase.ISSUED, instance, credential=bot_fact(told, entry))


def svid(told: Told, entry: Json, succeeded: bool | None) -> list[Event]:
    """A workload's identity document: a certificate by its serial number, a token by its id."""
    told.verb = Verb.CREDENTIAL_ISSUE
    name = first_text(entry, "spiffe_id")
    told.target = Target(TargetClass.UNKNOWN, name)
    if succeeded is False:
        return [told.verdict(Effect.DENY, reason=first_text(entry, "error", "message"))]
    found = (
        key(KeyRole.CREDENTIAL, "jti", first_text(entry, "jti")),
        key(KeyRole.CREDENTIAL, "x509.serial", first_text(entry, "serial_number")),
    )
    fact = CredentialFact(
        kind=f"spiffe-{first_text(entry, 'svid_type') or 'x509'}-svid",
        issuer=told.point,
        subject=name,
        scope=texts(entry.get("audiences")),
        expires=moment(entry.get("expires_at"))[0],
    )
    return [told.event(EventKind.CREDENTIAL, Phase.ISSUED, *found, credential=fact)]
