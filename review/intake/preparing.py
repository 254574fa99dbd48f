"""A parsed record's events made complete: ids, keyed joins, exposures of secrets, operations and MATCH keys."""

from __future__ import annotations

from chains.enrich import accept_uses, enrich
from chains.masked import masked
from lang.redact import Redactor, Secret
from model.event import Event, Key, Parsed, short_id
from model.words import EventKind, KeyRole, Phase, Vantage

_DIGESTS = {"token": "", "litellm.key": "api-key"}
"""Kinds of keys that are digests of secrets, and as what secret the redaction replaces the same digest elsewhere."""


def prepare_events(
    parsed: Parsed, secrets: tuple[Secret, ...], record: str, format: str, order: int, redactor: Redactor
) -> list[Event]:
    """A record's events, complete: as `named_events` gives them, with operations and MATCH keys."""
    return [enrich(event) for event in named_events(parsed, secrets, record, format, order, redactor)]


def named_events(
    parsed: Parsed, secrets: tuple[Secret, ...], record: str, format: str, order: int, redactor: Redactor
) -> list[Event]:
    """A record's events with their ids, joins on vendor token digests made keyed, exposures added."""
    for event in () if parsed.keyed else parsed.events:
        if any(key.kind in _DIGESTS for key in event.keys):
            event.keys = tuple(_keyed(key, redactor) for key in event.keys)
    accept_uses(parsed.events)
    events = parsed.events + _exposures(parsed, secrets, format)
    for ordinal, event in enumerate(events):
        event.format = format
        event.record = record
        event.order = order
        event.id = short_id("ev", record, str(ordinal))
    return events


def _keyed(key: Key, redactor: Redactor) -> Key:
    if key.kind not in _DIGESTS or masked(key.value):
        return key
    if key.kind == "token":
        return Key(key.role, key.kind, redactor.token_pseudonym(key.value))
    # Another log of the same program has it under a secret's name, where it was replaced.
    replaced = key.value if key.value.startswith("REDACTED.") else redactor.pseudonym(_DIGESTS[key.kind], key.value)
    return Key(key.role, key.kind, replaced)


def _exposures(parsed: Parsed, secrets: tuple[Secret, ...], format: str) -> list[Event]:
    """One `credential/exposed` event for each usable secret that stood in clear, standing where its record stands."""
    known = {secret.pseudonym for secret in secrets if secret.digest}.intersection(parsed.digests)
    usable = {secret.keys: secret for secret in secrets if secret.usable and secret.keys and secret.pseudonym not in known}
    if not usable:
        return []
    host = parsed.events[0] if parsed.events else Event(EventKind.CREDENTIAL, Phase.EXPOSED, Vantage.AGENT, format, at=parsed.at)
    place = tuple(key for key in host.keys if key.role in (KeyRole.SCOPE, KeyRole.CALL, KeyRole.PARENT))
    return [
        Event(
            EventKind.CREDENTIAL,
            Phase.EXPOSED,
            host.vantage,
            host.point,
            at=host.at,
            clock=host.clock,
            principal=host.principal,
            agent=host.agent,
            text=f"{secret.label or secret.kind} in clear",
            keys=place + secret.keys,
            ref=host.ref,
            after=host.after,
            attrs={"secret_kind": secret.kind, "pseudonym": secret.pseudonym},
        )
        for _, secret in sorted(usable.items())
    ]
