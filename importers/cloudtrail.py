"""AWS CloudTrail: calls seen by the cloud itself, refusals, access keys issued, used and taken back.

Containers: delivered `{"Records": [...]}`, JSON lines, EventBridge `{"detail": {...}}`, the Lookup API's
`{"CloudTrailEvent": "<json>"}`, and copies whose member names were lower-cased.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from importers.cloudtrail_calls import call_name, classify, service_of
from importers.cloudtrail_decisions import AUTHORIZES, authorizations
from importers.cloudtrail_identity import principal_of, stated_keys, subject_of
from importers.shared.fields import Json, clip, decode, first_text, key, keys, mapping, moment, number, surest, text, texts
from model.event import Attr, BadRecord, CredentialFact, Decision, Event, Key, Outcome, Parsed
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Vantage, Verb

_NAMES = (
    "eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent",
    "requestParameters", "responseElements", "eventID", "requestID", "readOnly", "eventType", "managementEvent",
    "recipientAccountId", "eventCategory", "userIdentity", "errorCode", "errorMessage", "sharedEventID", "resources",
    "additionalEventData", "insightDetails", "vpcEndpointId", "serviceEventDetails", "apiVersion",
    "type", "principalId", "arn", "accountId", "accessKeyId", "userName", "sessionContext", "invokedBy",
    "identityProvider", "sessionIssuer", "webIdFederationData", "federatedProvider", "sourceIdentity", "attributes",
)  # fmt: skip
_SPELLING = {name.lower(): name for name in _NAMES}
_REFUSALS = ("accessdenied", "unauthorizedoperation", "notauthorized", "authorizationerror", "unauthorizedaccess", "forbidden")
_EXPLICIT = re.compile(r"with an explicit deny in (?:an? |the )?([\w -]{3,60}?policy|[\w -]{3,40}?boundary)")
_MISSING = re.compile(r"because no ([\w -]{3,60}?(?:policy|boundary)) allows")
_POLICY = re.compile(r"arn:[\w-]+:(?:iam|organizations)::[\w-]*:policy/[\w+=,.@/-]+")
_RESOURCE = re.compile(r"on resource: (arn:\S+)")
_LOCALE = re.compile(r"^([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d\d):(\d\d)\s([AP])M$")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class CloudTrailReader:
    """Reads records in any of the containers; holds no state."""

    def read(self, record: object) -> Parsed:
        entry = _unwrap(mapping(record))
        name = text(entry.get("eventName"))
        if not name:
            if isinstance(entry.get("Records"), list):
                return _many(entry)
            if entry.get("digestS3Object") is not None:
                # It lists log files and their hashes: understood, and evidence of no event.
                return Parsed(type="digest", at=moment(entry.get("digestEndTime"))[0])
            raise BadRecord("not a CloudTrail record: no eventName")
        at, clock = moment(entry.get("eventTime"))
        identity = text(entry.get("eventID")) or None
        if text(entry.get("eventCategory")) == "Insight" or text(entry.get("eventType")) == "AwsCloudTrailInsight":
            return Parsed(identity=identity, type="insight", at=at)
        call = _Call(entry, name)
        events = list(call.events())
        for event in events:
            event.at, event.clock = at, clock
        return Parsed(events=events, identity=identity, type=name, at=at)


def _many(entry: Json) -> Parsed:
    """A whole envelope that came as one record, as a stream delivers it."""
    records = entry["Records"]
    parsed = Parsed(type="Records")
    reader = CloudTrailReader()
    for one in records if isinstance(records, list) else []:
        if isinstance(one, dict) and "Records" not in one:
            inner = reader.read(one)
            parsed.events += inner.events
            parsed.at = inner.at if parsed.at is None else parsed.at
    return parsed


def _unwrap(entry: Json) -> Json:
    """The CloudTrail record inside an EventBridge event, a Lookup answer or a log line, in its own spelling."""
    if "eventName" in entry:
        return entry
    detail = entry.get("detail")
    if isinstance(detail, dict) and ("eventName" in detail or "eventname" in detail):
        entry = detail
    else:
        for holder in ("CloudTrailEvent", "message"):
            inner = entry.get(holder)
            if isinstance(inner, str) and inner.lstrip()[:1] == "{":
                inner = decode(inner.encode("utf-8", "replace"))
            if isinstance(inner, dict) and ("eventName" in inner or "eventname" in inner):
                entry = inner
                break
    return entry if "eventName" in entry or "eventname" not in entry else _spelled(entry)


def _spelled(entry: Json) -> Json:
    """A lower-cased copy with the names CloudTrail itself uses, two levels deep."""
    own = {_SPELLING.get(name, name): value for name, value in entry.items()}
    identity = own.get("userIdentity")
    if isinstance(identity, dict):
        own["userIdentity"] = {_SPELLING.get(name, name): value for name, value in identity.items()}
    return own


class _Call:
    """One call and the events it is evidence of."""

    def __init__(self, entry: Json, name: str) -> None:
        self.entry = entry
        self.identity = identity = mapping(entry.get("userIdentity"))
        self.parameters = parameters = mapping(entry.get("requestParameters"))
        self.response = response = mapping(entry.get("responseElements"))
        self.service = service_of(text(entry.get("eventSource")))
        self.name = call_name(name)
        self.account = first_text(entry, "recipientAccountId") or text(identity.get("accountId"))
        self.verb, self.target = classify(self.service, self.name, parameters, entry.get("resources"))
        self.principal = principal_of(identity)
        self.error = text(entry.get("errorCode"))
        self.message = text(entry.get("errorMessage"))
        self.refused = self.error != "" and any(word in self.error.lower() for word in _REFUSALS)
        if self.refused and not self.target.detail and (m := _RESOURCE.search(self.message)):
            self.target = replace(self.target, detail=m.group(1))
        request = text(entry.get("requestID"))
        self.used = text(identity.get("accessKeyId"))
        self.keys = keys(
            key(KeyRole.CALL, "request", request),
            key(KeyRole.CALL, "aws.shared_event", text(entry.get("sharedEventID"))),
            None if request else key(KeyRole.CALL, "cloudtrail.event", text(entry.get("eventID"))),
        ) + stated_keys(identity, parameters, response, mapping(entry.get("additionalEventData")))
        self.attrs = self._attrs()

    def _attrs(self) -> dict[str, Attr]:
        entry = self.entry
        attrs: dict[str, Attr] = {}
        for name, value in (
            ("account", self.account),
            ("region", text(entry.get("awsRegion"))),
            ("host", text(entry.get("sourceIPAddress"))),
            ("user_agent", clip(text(entry.get("userAgent")), 300)),
            ("status", self.error),
            ("origin", self.principal.origin if self.principal else ""),
        ):
            if value:
                attrs[name] = value
        return attrs

    def _event(
        self,
        kind: EventKind,
        phase: Phase,
        own: tuple[Key | None, ...] = (),
        *,
        decision: Decision | None = None,
        credential: CredentialFact | None = None,
        outcome: Outcome | None = None,
    ) -> Event:
        return Event(
            kind=kind,
            phase=phase,
            vantage=Vantage.TARGET,
            point=f"cloudtrail:{self.account}" if self.account else "cloudtrail",
            format="cloudtrail",
            principal=self.principal,
            verb=self.verb,
            tool=f"{self.service}:{self.name}",
            target=self.target,
            keys=keys(*self.keys, *own) if own else self.keys,
            decision=decision,
            credential=credential,
            outcome=outcome,
            attrs=dict(self.attrs),
        )

    def events(self) -> list[Event]:
        used = key(KeyRole.CREDENTIAL, "aws.key", self.used)
        events = []
        if self.refused:
            events.append(self._event(EventKind.DECISION, Phase.VERDICT, decision=self._refusal()))
        elif self.service == "verifiedpermissions" and self.name in AUTHORIZES:
            events += authorizations(self.entry, self._event(EventKind.DECISION, Phase.VERDICT))
        if used:
            events.append(self._event(EventKind.CREDENTIAL, Phase.USED, (used,), credential=self._used_fact()))
        done = not self.error and text(self.response.get("ConsoleLogin")) != "Failure"
        outcome = Outcome(
            permitted=Effect.DENY if self.refused else Effect.UNKNOWN,
            transport=Tri.YES,
            effect=Tri.YES if done else Tri.NO,
        )
        events.append(self._event(EventKind.EFFECT, Phase.OBSERVED, outcome=outcome))
        if done and (issued := self._issued()) is not None:
            events.append(issued)
        if done and (changed := self._key_changed()) is not None:
            events.append(changed)
        return events

    def _refusal(self) -> Decision:
        rule = ""
        if m := _EXPLICIT.search(self.message):
            rule = f"explicit deny: {m.group(1).strip()}"
        elif m := _MISSING.search(self.message):
            rule = f"no allow: {m.group(1).strip()}"
        policy = _POLICY.search(self.message)
        by = f"cloudtrail:{self.account}" if self.account else "cloudtrail"
        return Decision(
            effect=Effect.DENY,
            rule=rule,
            reason=clip(self.message or self.error, 500),
            policy=policy.group() if policy else "",
            by=by,
        )

    def _used_fact(self) -> CredentialFact:
        temporary = not self.used.startswith("AKIA")
        return CredentialFact(
            kind="aws.session" if temporary else "aws.access_key",
            issuer=f"aws:{self.account}" if self.account else "aws",
            subject=first_text(self.identity, "arn", "userName", "principalId"),
        )

    def _issued(self) -> Event | None:
        """The temporary or long-lived access key that this call handed out."""
        if self.verb is not Verb.CREDENTIAL_ISSUE:
            return None
        given = mapping(self.response.get("credentials")) or mapping(self.response.get("credential"))
        long_lived = mapping(self.response.get("accessKey"))
        ident = first_text(given, "accessKeyId", "accesskeyid") or text(long_lived.get("accessKeyId"))
        if not ident or ident == self.used:
            return None
        at = moment(self.entry.get("eventTime"))[0]
        expires = locale_moment(given.get("expiration"))
        ttl = number(self.parameters.get("durationSeconds"))
        if ttl is None and expires is not None and at is not None and expires >= at:
            ttl = (expires - at) // 1_000_000
        if long_lived:
            ttl = -1
        subject = text(mapping(self.response.get("assumedRoleUser")).get("arn"))
        subject = subject or text(mapping(self.response.get("federatedUser")).get("arn"))
        subject = subject or text(long_lived.get("userName")) or subject_of(self.identity, self.parameters, self.response)
        scope = tuple(arn for arn in (text(self.parameters.get("roleArn")),) if arn) + texts(self.parameters.get("policyArns"))
        fact = CredentialFact(
            kind="aws.access_key" if long_lived else "aws.session",
            issuer=f"aws:{self.account}" if self.account else "aws",
            subject=subject or first_text(self.identity, "arn", "userName"),
            scope=scope,
            ttl_seconds=ttl,
            expires=expires,
            label=text(self.parameters.get("roleSessionName")),
        )
        own = (key(KeyRole.CREDENTIAL, "aws.key", ident), key(KeyRole.VIA, "aws.key", self.used))
        return self._event(EventKind.CREDENTIAL, Phase.ISSUED, own, credential=fact)

    def _key_changed(self) -> Event | None:
        """An access key deleted, switched off or on again."""
        ident = text(self.parameters.get("accessKeyId"))
        if self.service != "iam" or not ident or self.verb not in (Verb.CREDENTIAL_REVOKE, Verb.CREDENTIAL_RENEW):
            return None
        phase = Phase.REVOKED if self.verb is Verb.CREDENTIAL_REVOKE else Phase.RENEWED
        fact = CredentialFact(kind="aws.access_key", issuer=f"aws:{self.account}", subject=text(self.parameters.get("userName")))
        via = key(KeyRole.VIA, "aws.key", self.used) if self.used != ident else None
        return self._event(EventKind.CREDENTIAL, phase, (key(KeyRole.CREDENTIAL, "aws.key", ident), via), credential=fact)


def locale_moment(value: object) -> int | None:
    """A time as responses print it ("Jul 10, 2023, 12:09:47 PM", any kind of space, no zone: UTC), or in any other form."""
    if isinstance(value, str) and (m := _LOCALE.match(value)) and m.group(1) in _MONTHS:
        month, day, year, hour, minute, second, half = m.groups()
        clock = int(hour) % 12 + (12 if half == "P" else 0)
        value = f"{year}-{_MONTHS.index(month) + 1:02d}-{int(day):02d}T{clock:02d}:{minute}:{second}Z"
    return moment(value)[0]


class CloudTrail:
    """Management, data, network activity and Insights events of AWS CloudTrail."""

    id = "cloudtrail"
    title = "AWS CloudTrail"
    evidence = "real"
    version = 2

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> CloudTrailReader:
        return CloudTrailReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    if "digestS3Object" in record and "logFiles" in record:
        return 90
    try:
        entry = _unwrap(record)
    except BadRecord:
        return 0
    if "eventName" in entry:
        aws = ".amazonaws." in text(entry.get("eventSource")) or "userIdentity" in entry
        aws = aws or "awsRegion" in entry or "recipientAccountId" in entry
        return 95 if aws and "eventVersion" in entry else 85 if aws else 20
    return 0


IMPORTER = CloudTrail()
