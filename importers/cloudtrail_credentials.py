"""What an AWS call did to credentials: access keys, sessions and long-lived credentials handed out, and taken back again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from importers.cloudtrail_identity import subject_of
from importers.shared.fields import Json, first_text, key, keys, mapping, moment, number, text, texts
from model.event import CredentialFact, Key
from model.words import KeyRole, Phase, Verb

_LOCALE = re.compile(r"^([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d\d):(\d\d)\s([AP])M$")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ROLE = re.compile(r"^arn:([\w-]+):iam::(\d+):role/(?:.*/)?([^/]+)$")


class Grant(NamedTuple):
    """One credential given, changed or taken back, under the names it has."""

    phase: Phase
    names: tuple[Key, ...]
    fact: CredentialFact


class _Kind(NamedTuple):
    """A long-lived credential that is no access key: where a response describes it and how a request names it."""

    member: str
    names: tuple[str, ...]
    kind: str


_KINDS = {
    "ServiceSpecificCredential": _Kind("serviceSpecificCredential", ("serviceSpecificCredentialId",), "aws.credential"),
    "SSHPublicKey": _Kind("sSHPublicKey", ("sSHPublicKeyId",), "aws.ssh_key"),
    "SigningCertificate": _Kind("certificate", ("certificateId",), "aws.signing_certificate"),
    "KeyPair": _Kind("", ("keyPairId", "keyName"), "aws.key_pair"),
}
_VERB = re.compile(r"^(?:Create|Upload|Import|Update|Delete|Reset)")


def grants(
    name: str, verb: Verb, identity: Json, parameters: Json, response: Json, account: str, region: str, at: int | None
) -> Iterator[Grant]:
    """What a call that succeeded gave, renewed or took back; `at` is its time in microseconds."""
    issuer = f"aws:{account}" if account else "aws"
    if verb is Verb.CREDENTIAL_ISSUE:
        yield from _sessions(identity, parameters, response, issuer, at)
    kind = _KINDS.get(_VERB.sub("", name))
    if kind is not None and verb in (Verb.CREDENTIAL_ISSUE, Verb.CREDENTIAL_RENEW, Verb.CREDENTIAL_REVOKE):
        yield from _lasting(kind, verb, parameters, response, issuer, f"{account}/{region}")
    elif name in ("DeleteAccessKey", "UpdateAccessKey") and (ident := text(parameters.get("accessKeyId"))):
        fact = CredentialFact(kind="aws.access_key", issuer=issuer, subject=text(parameters.get("userName")))
        names = keys(key(KeyRole.CREDENTIAL, "aws.key", ident))
        yield Grant(Phase.REVOKED if verb is Verb.CREDENTIAL_REVOKE else Phase.RENEWED, names, fact)


def _sessions(identity: Json, parameters: Json, response: Json, issuer: str, at: int | None) -> Iterator[Grant]:
    """The access keys in a response, each with the identity it was made for."""
    used = text(identity.get("accessKeyId"))
    listed = response.get("credentialSet")
    answers = [mapping(one) for one in listed] if isinstance(listed, list) else [response]
    for answer in answers:
        given = mapping(answer.get("credentials")) or mapping(answer.get("credential"))
        lasting = mapping(answer.get("accessKey"))
        ident = first_text(given, "accessKeyId", "accesskeyid") or text(lasting.get("accessKeyId"))
        if not ident or ident == used:
            continue
        expires = locale_moment(given.get("expiration"))
        ttl = number(parameters.get("durationSeconds"))
        if ttl is None and expires is not None and at is not None and expires >= at:
            ttl = (expires - at) // 1_000_000
        subject = text(mapping(answer.get("assumedRoleUser")).get("arn"))
        subject = subject or text(mapping(answer.get("federatedUser")).get("arn")) or text(lasting.get("userName"))
        subject = subject or subject_of(identity, parameters, response) or _session_arn(parameters)
        fact = CredentialFact(
            kind="aws.access_key" if lasting else "aws.session",
            issuer=issuer,
            subject=subject or first_text(identity, "arn", "userName"),
            scope=_scope(parameters, answer),
            ttl_seconds=-1 if lasting else ttl,
            expires=expires,
            label=first_text(parameters, "roleSessionName") or _federated(parameters, answer),
        )
        yield Grant(Phase.ISSUED, keys(key(KeyRole.CREDENTIAL, "aws.key", ident)), fact)


def _lasting(kind: _Kind, verb: Verb, parameters: Json, response: Json, issuer: str, place: str) -> Iterator[Grant]:
    made = mapping(response.get(kind.member)) if kind.member else response
    named = [first_text(made, name) or first_text(parameters, name) for name in kind.names]
    # A key pair's name is its own within one account and region only.
    values = [f"{place}/{value}" if name == "keyName" and value else value for name, value in zip(kind.names, named, strict=True)]
    names = keys(*(key(KeyRole.CREDENTIAL, kind.kind, value) for value in values))
    if not names:
        return
    expires = locale_moment(made.get("expirationDate"))
    phase = {Verb.CREDENTIAL_REVOKE: Phase.REVOKED, Verb.CREDENTIAL_RENEW: Phase.RENEWED}.get(verb, Phase.ISSUED)
    endless = phase is Phase.ISSUED and expires is None
    subject = first_text(made, "userName", "keyName") or first_text(parameters, "userName", "keyName")
    yield Grant(phase, names, CredentialFact(kind.kind, issuer, subject, ttl_seconds=-1 if endless else None, expires=expires))


def _scope(parameters: Json, answer: Json) -> tuple[str, ...]:
    """The role and the policies a session is held to."""
    found = [first_text(parameters, "roleArn") or first_text(answer, "roleArn")]
    found.append(text(mapping(parameters.get("taskPolicyArn")).get("arn")))
    listed = parameters.get("policyArns")
    found += [text(one.get("arn")) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return tuple(one for one in found if one) + texts(listed)


def _session_arn(parameters: Json) -> str:
    """The session a service assumed a role for, where the response leaves it out."""
    role, name = _ROLE.match(text(parameters.get("roleArn"))), text(parameters.get("roleSessionName"))
    return f"arn:{role.group(1)}:sts::{role.group(2)}:assumed-role/{role.group(3)}/{name}" if role and name else ""


def _federated(parameters: Json, answer: Json) -> str:
    return text(parameters.get("name")) if mapping(answer.get("federatedUser")) else ""


def locale_moment(value: object) -> int | None:
    """A time as responses print it ("Jul 10, 2023, 12:09:47 PM", any kind of space, no zone: UTC), or in any other form."""
    if isinstance(value, str) and (m := _LOCALE.match(value)) and m.group(1) in _MONTHS:
        month, day, year, hour, minute, second, half = m.groups()
        clock = int(hour) % 12 + (12 if half == "P" else 0)
        value = f"{year}-{_MONTHS.index(month) + 1:02d}-{int(day):02d}T{clock:02d}:{minute}:{second}Z"
    return moment(value)[0]
