"""AWS CloudTrail: calls seen by the cloud itself, refusals, access keys issued, used and taken back.

Containers: delivered `{"Records": [...]}`, JSON lines, and whatever `cloudtrail_record` finds a record in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.cloudtrail_calls import call_name, classify, pushed, service_of
from importers.cloudtrail_credentials import grants
from importers.cloudtrail_decisions import AUTHORIZES, authorizations
from importers.cloudtrail_identity import principal_of, proof_of, sign_in_failed, stated_keys
from importers.cloudtrail_record import insight, is_envelope, record_of, rows_of
from importers.shared.fields import Json, clip, first_text, key, keys, mapping, moment, surest, text, truth
from model.event import Attr, BadRecord, CredentialFact, Decision, Event, Key, Outcome, Parsed
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Vantage

_REFUSALS = (
    "accessdenied",
    "unauthorized",
    "notauthorized",
    "authorizationerror",
    "authfailure",
    "insufficientprivilege",
    "forbidden",
)
# Who exchanges a token or assertion for a session is turned away in words that elsewhere are about the session.
_LOGINS = frozenset({"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "CreateToken", "CreateTokenWithIAM"})
_LOGIN_REFUSALS = ("expiredtoken", "invalididentitytoken", "idprejectedclaim", "invalidgrant", "invalidclient")
_ANCHORS = ("eventSource", "eventTime", "userIdentity", "awsRegion", "recipientAccountId")
_REFUSED = "is not authorized to perform"
_EXPLICIT = re.compile(r"with an explicit deny in (?:an? |the )?([\w -]{3,60}?policy|[\w -]{3,40}?boundary)")
_MISSING = re.compile(r"because no ([\w -]{3,60}?(?:policy|boundary)) allows")
_POLICY = re.compile(r"arn:[\w-]+:(?:iam|organizations)::[\w-]*:policy/[\w+=,.@/-]+")
_RESOURCE = re.compile(r"on resource: ([^\s,\"']{1,2048}?)[.,]?(?=\s|$)")


class CloudTrailReader:
    """Reads records in any of the containers; holds no state."""

    def read(self, record: object) -> Parsed:
        entry = record_of(mapping(record))
        name = text(entry.get("eventName"))
        if insight(entry):
            return Parsed(identity=text(entry.get("eventID")) or None, type="insight", at=moment(entry.get("eventTime"))[0])
        if not name:
            if is_envelope(entry):
                return _many(entry)
            if entry.get("digestS3Object") is not None:
                # It lists log files and their hashes: understood, and evidence of no event.
                return Parsed(type="digest", at=moment(entry.get("digestEndTime"))[0])
            raise BadRecord("not a CloudTrail record: no eventName")
        if not any(name in entry for name in _ANCHORS):
            raise BadRecord("not a CloudTrail record: only its eventName")
        at, clock = moment(entry.get("eventTime"))
        identity = text(entry.get("eventID")) or None
        call = _Call(entry, name)
        events = list(call.events())
        for event in events:
            event.at, event.clock = at, clock
        return Parsed(events=events, identity=identity, type=name, at=at)


def _beside(entry: Json) -> Json:
    """What a service says of a call beside its parameters, under the names that parameters have elsewhere."""
    details, more = mapping(entry.get("serviceEventDetails")), mapping(entry.get("additionalEventData"))
    return {
        name: value
        for name, value in (("roleName", text(details.get("role_name"))), ("repositoryName", text(more.get("repositoryName"))))
        if value
    }


def _many(entry: Json) -> Parsed:
    """A whole envelope that came as one record, as a stream or a query delivers it."""
    parsed = Parsed(type="Records")
    reader = CloudTrailReader()
    for one in rows_of(entry):
        inner = reader.read(one)
        parsed.events += inner.events
        parsed.at = inner.at if parsed.at is None else parsed.at
    return parsed


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
        self.verb, self.target = classify(self.service, self.name, {**_beside(entry), **parameters}, entry.get("resources"))
        self.principal = principal_of(identity, mapping(entry.get("additionalEventData")))
        self.error = text(entry.get("errorCode"))
        self.message = text(entry.get("errorMessage"))
        self.failed = sign_in_failed(self.name, self.response, mapping(entry.get("serviceEventDetails")))
        words = (*_REFUSALS, *_LOGIN_REFUSALS) if self.name in _LOGINS else _REFUSALS
        named = any(word in self.error.lower() for word in words) or _REFUSED in self.message
        self.refused = self.failed or (self.error != "" and named)
        m = _RESOURCE.search(self.message) if self.refused and not self.target.detail else None
        if m and m.group(1) != "*":
            # What was refused for lack of permission is logged without its parameters.
            self.target = classify(self.service, self.name, parameters, [{"ARN": m.group(1)}])[1]
        request = text(entry.get("requestID"))
        self.shown = keys(
            key(KeyRole.CREDENTIAL, "aws.key", text(identity.get("accessKeyId"))),
            key(KeyRole.CREDENTIAL, "aws.credential", text(identity.get("credentialId"))),
        )
        self.keys = keys(
            key(KeyRole.CALL, "request", request),
            key(KeyRole.CALL, "aws.shared_event", text(entry.get("sharedEventID"))),
            None if request else key(KeyRole.CALL, "cloudtrail.event", text(entry.get("eventID"))),
        )
        self.keys += stated_keys(identity, parameters, response, mapping(entry.get("additionalEventData"))) + pushed(parameters)
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
            ("identity_proof", proof_of(self.identity)),
        ):
            if value:
                attrs[name] = value
        if self.name == "ConsoleLogin" or truth(entry.get("sessionCredentialFromConsole")):
            attrs["interactive"] = True
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
        events = []
        if self.refused:
            events.append(self._event(EventKind.DECISION, Phase.VERDICT, decision=self._refusal()))
        elif self.service == "verifiedpermissions" and self.name in AUTHORIZES:
            events += authorizations(self.entry, self._event(EventKind.DECISION, Phase.VERDICT))
        for one in self.shown:
            events.append(self._event(EventKind.CREDENTIAL, Phase.USED, (one,), credential=self._used_fact(one)))
        # A sign-in that failed has a message and no code; EC2 answers false where it did not do what it was asked.
        done = not self.error and not self.message and not self.failed and truth(self.response.get("_return")) is not False
        outcome = Outcome(
            permitted=Effect.DENY if self.refused else Effect.UNKNOWN,
            transport=Tri.YES,
            effect=Tri.YES if done else Tri.NO,
        )
        events.append(self._event(EventKind.EFFECT, Phase.OBSERVED, outcome=outcome))
        if done:
            events += self._grants()
        return events

    def _grants(self) -> Iterator[Event]:
        """What this call handed out or took back, and the credential it was asked with."""
        at = moment(self.entry.get("eventTime"))[0]
        region = text(self.entry.get("awsRegion"))
        for one in grants(self.name, self.verb, self.identity, self.parameters, self.response, self.account, region, at):
            via = tuple(Key(KeyRole.VIA, name.kind, name.value) for name in self.shown if name not in one.names)
            yield self._event(EventKind.CREDENTIAL, one.phase, one.names + via, credential=one.fact)

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
            reason=clip(self.message or self.error or "sign-in failed", 500),
            policy=policy.group() if policy else "",
            by=by,
        )

    def _used_fact(self, used: Key) -> CredentialFact:
        kind = "aws.access_key" if used.value.startswith("AKIA") else "aws.session"
        return CredentialFact(
            kind=kind if used.kind == "aws.key" else "aws.bearer_token",
            issuer=f"aws:{self.account}" if self.account else "aws",
            subject=first_text(self.identity, "arn", "userName", "principalId")
            or (self.principal.name if self.principal else ""),
        )


class CloudTrail:
    """Management, data, network activity and Insights events of AWS CloudTrail."""

    id = "cloudtrail"
    title = "AWS CloudTrail"
    evidence = "real"
    version = 9

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> CloudTrailReader:
        return CloudTrailReader()


_TRIGGERS = frozenset({"kinesis", "dynamodb", "body", "Sns"})
"""What a function is called with names its source as CloudTrail does; it carries a record and is none."""


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    if "digestS3Object" in record and "logFiles" in record:
        return 90
    try:
        if isinstance(record.get("QueryResultRows"), list):
            record = next(iter(rows_of(record)), {})
        entry = record_of(record)
    except BadRecord:
        return 0
    if insight(entry) and "eventTime" in entry:
        return 90
    if "eventName" in entry and not _TRIGGERS & entry.keys():
        aws = ".amazonaws." in text(entry.get("eventSource")) or "userIdentity" in entry
        aws = aws or "awsRegion" in entry or "recipientAccountId" in entry
        # Many programs name their events so; alone it is no sign of this one.
        return 95 if aws and "eventVersion" in entry else 85 if aws else 20 if any(one in entry for one in _ANCHORS) else 0
    return 0


IMPORTER = CloudTrail()
