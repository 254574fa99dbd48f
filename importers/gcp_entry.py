"""One Cloud Audit Logs entry to events: decision, key used, effect, and the token or key that was handed out.

A `LogEntry` whose `protoPayload` is an `AuditLog`; GKE writes the API server's audit in the same form.
"""

from __future__ import annotations

from msgspec.structs import replace

from importers.gcp_calls import classify, permission_of, service_of, statement_of
from importers.gcp_exports import entry_of
from importers.kubernetes_request import Request
from importers.shared.fields import (
    Json,
    clip,
    dig,
    first_moment,
    first_text,
    key,
    keys,
    mapping,
    moment,
    number,
    session_id,
    text,
    trace_id,
    truth,
)
from importers.shared.told import Told
from importers.shared.transcript import objects
from model.event import BadRecord, CredentialFact, Event, Key, Parsed, Principal
from model.words import Effect, EventKind, KeyRole, Phase, Vantage, Verb

_OTHER_PAYLOADS = ("jsonPayload", "textPayload")
_REFUSED = (7, 16)
_ISSUED = {
    "CreateServiceAccountKey": "gcp.service_account_key",
    "UploadServiceAccountKey": "gcp.service_account_key",
    "GenerateAccessToken": "gcp.access_token",
    "GenerateIdToken": "gcp.id_token",
    "ExchangeToken": "gcp.access_token",
    "SignJwt": "jwt",
    "SignBlob": "signature",
    "CreateKey": "gcp.api_key",
    "create": "gcp.hmac_key",
}
_SIGN_INS = {"loginSuccess": Effect.ALLOW, "loginFailure": Effect.DENY, "loginChallenge": Effect.ASK}
_NEVER_EXPIRE = frozenset({"gcp.api_key", "gcp.hmac_key"})
_HOPS = 20
_END_OF_TIME = 253_402_300_799_000_000
"""9999-12-31T23:59:59Z, which the API writes where a key has no end."""
_REVOKED = frozenset({"DeleteServiceAccountKey", "DisableServiceAccountKey", "DeleteKey", "delete"})


def read_entry(entry: Json, format: str) -> Parsed:
    """Events of one entry, told as records of `format`; raises BadRecord where it is no audit entry."""
    entry = entry_of(entry)
    at, clock = first_moment(entry, "timestamp", "receiveTimestamp", "p_event_time")
    payload = entry.get("protoPayload")
    if not isinstance(payload, dict):
        other = next((name for name in _OTHER_PAYLOADS if name in entry), "")
        if other and (text(entry.get("logName")) or isinstance(entry.get("resource"), dict)):
            return Parsed(type=other, at=at, unknown_type=other)
        raise BadRecord("not a Cloud Audit Logs entry: no protoPayload")
    method = text(payload.get("methodName")) or permission_of(payload)
    if not method:
        raise BadRecord("a Cloud Audit Logs entry with neither methodName nor a permission")
    if at is None:
        at, clock = moment(dig(payload, "requestMetadata", "requestAttributes", "time"))
    insert = text(entry.get("insertId"))
    name, stamp = text(entry.get("logName")), text(entry.get("timestamp"))
    identity = f"{name}:{stamp}:{insert}" if insert and stamp else None
    call = _Call(entry, payload, method, format)
    call.told.at, call.told.clock = at, clock
    return Parsed(events=call.events(), identity=identity, type=clip(method, 120), at=at)


class _Call:
    """One call and the events it is evidence of."""

    def __init__(self, entry: Json, payload: Json, method: str, format: str) -> None:
        self.payload = payload
        self.request = mapping(payload.get("request"))
        self.response = mapping(payload.get("response"))
        self.authentication = mapping(payload.get("authenticationInfo"))
        self.service = service_of(text(payload.get("serviceName")), method)
        self.name = method.rpartition(".")[2]
        self.status = mapping(payload.get("status"))
        self.code = number(self.status.get("code")) or 0
        operation = mapping(entry.get("operation"))
        # A perimeter that is only tried out says what it would have refused: the call went on.
        self.tried = truth(dig(payload, "metadata", "dryRun")) is True
        self.begun = truth(operation.get("first")) is True and truth(operation.get("last")) is not True
        resource = mapping(entry.get("resource"))
        labels = mapping(resource.get("labels"))
        project = first_text(labels, "project_id", "project_number") or _project(text(entry.get("logName")))
        metadata = mapping(payload.get("requestMetadata"))
        principal = principal_of(payload, self.authentication)
        self.told = told = Told(
            format, f"gcp:{project}" if project else "gcp", Vantage.TARGET, principal=principal, tool=f"{self.service}:{method}"
        )
        self.used = _key_name(text(self.authentication.get("serviceAccountKeyName")))
        told.keys = self._keys(entry)
        cluster = method.startswith("io.k8s.")
        if cluster:
            self._kubernetes(method, first_text(labels, "cluster_name"), entry)
        else:
            told.verb, told.target = classify(self.service, method, payload)
            if told.verb is Verb.DB_QUERY:
                told.note(command=statement_of(payload))
        told.note(
            account=project if not cluster else first_text(labels, "cluster_name") or project,
            region=first_text(labels, "location", "zone", "region"),
            host=first_text(metadata, "callerIp", "callerIP"),
            user_agent=clip(text(metadata.get("callerSuppliedUserAgent")), 300),
            status=f"{self.code} {text(self.status.get('message'))}".strip() if self.code else "",
            origin=principal.origin if principal else "",
        )

    def _keys(self, entry: Json) -> tuple[Key, ...]:
        operation = mapping(entry.get("operation"))
        named = text(operation.get("id"))
        scope = trace_id(text(entry.get("trace")).rpartition("/")[2])
        agent = text(dig(self.payload, "requestMetadata", "callerSuppliedUserAgent"))
        session = session_id(agent) if "session" in agent.lower() else ""
        # Whoever acts as a service account is named by the chain it was handed on through.
        chain = objects(self.authentication.get("serviceAccountDelegationInfo"))[:_HOPS]
        return keys(
            key(KeyRole.SCOPE, "session", session),
            key(KeyRole.SCOPE, "trace", scope),
            key(KeyRole.CALL, "gcp.operation", f"{text(operation.get('producer'))}/{named}" if named else ""),
            *(
                key(KeyRole.REFERENCE, "oidc.subject", text(one.get("principalSubject")).partition("/subject/")[2])
                for one in (self.authentication, *chain)
            ),
        )

    def _kubernetes(self, method: str, cluster: str, entry: Json) -> None:
        """A GKE record as the API server's own: resource, subresource and verb out of the method, the rest of the address."""
        told = self.told
        parts = method.split(".")
        version = next((n for n, part in enumerate(parts) if part.startswith("v") and part[1:2].isdigit()), 2)
        words = parts[version + 1 :] or parts[-1:]
        address = text(self.payload.get("resourceName")).split("/")
        named = dict(zip(address[2::2], address[3::2], strict=False)) if len(address) > 3 else {}
        resource = words[0]
        reference: Json = {
            "resource": resource,
            "subresource": words[1] if len(words) > 2 else "",
            "namespace": named.get("namespaces", ""),
            "name": named.get(resource, ""),
        }
        labels = mapping(entry.get("labels"))
        asked = Request(
            {
                "verb": words[-1] if len(words) > 1 else "get",
                "objectRef": reference,
                "annotations": labels,
                "requestObject": self.request,
                "responseObject": self.response,
            }
        )
        told.verb, told.target = asked.action, asked.target
        told.point = f"kubernetes:{cluster}" if cluster else told.point
        # In the API server's own words, by which a kubectl command is known in either log.
        told.tool = " ".join(part for part in (asked.verb, asked.resource) if part)
        told.note(command=asked.command)

    def decision(self) -> tuple[Effect, str]:
        """What was decided and why; unknown where the record neither grants nor refuses."""
        if self.name in _SIGN_INS:
            return _SIGN_INS[self.name], self.name
        if rule := self._constraint():
            return Effect.DENY, text(self.status.get("message")) or rule
        asked = objects(self.payload.get("authorizationInfo"))
        refused = [first_text(one, "permission", "resource") for one in asked if one.get("granted") is False]
        if self.code in _REFUSED or refused:
            return Effect.DENY, text(self.status.get("message")) or f"not granted: {', '.join(refused[:5])}"
        granted = [first_text(one, "permission", "resource") for one in asked if one.get("granted") is True]
        if granted and len(granted) == len(asked):
            return Effect.ALLOW, f"granted: {', '.join(dict.fromkeys(granted[:5]))}"
        return Effect.UNKNOWN, ""

    def _constraint(self) -> str:
        """The organisation's policy that stood against a call which its permissions allowed."""
        found = (
            text(violation.get("type"))
            for detail in objects(self.status.get("details"))
            for violation in objects(detail.get("violations"))
        )
        return next((one for one in found if one.startswith("constraints/")), "")

    def events(self) -> list[Event]:
        told = self.told
        if self.tried:
            return [told.verdict(Effect.UNKNOWN, reason=text(self.status.get("message")))]
        effect, reason = self.decision()
        events: list[Event] = []
        subject = text(self.authentication.get("principalSubject"))
        federated = "workloadIdentityPools" in subject or "/subject/" in subject
        told.note(identity_proof="static key" if self.used else "oidc" if federated else "")
        if effect is not Effect.UNKNOWN:
            events.append(told.verdict(effect, reason=reason, rule=self._constraint() if effect is Effect.DENY else ""))
        if self.used:
            fact = CredentialFact(
                kind="gcp.service_account_key", issuer=told.point, subject=text(self.authentication.get("principalEmail"))
            )
            events += told.used(key(KeyRole.CREDENTIAL, "gcp.key", self.used), fact=fact)
        # The first entry of a long operation says that it began; whether it went well stands in its last.
        open_still = self.begun or effect is Effect.ASK
        done = False if effect is Effect.DENY or self.code else None if open_still else True
        events.append(told.observed(done, permitted=effect))
        if done and told.verb is Verb.CREDENTIAL_ISSUE:
            events.append(self._given())
        if done and told.verb is Verb.CREDENTIAL_REVOKE and self.name in _REVOKED:
            ident = _key_name(text(self.request.get("name")) or text(self.payload.get("resourceName")))
            made = key(KeyRole.CREDENTIAL, "gcp.key", ident)
            events.append(told.event(EventKind.CREDENTIAL, Phase.REVOKED, made, credential=self._fact("gcp.service_account_key")))
        return events

    def _given(self) -> Event:
        """A key or token handed out. Tokens have no id in the log: only who may act as whom is known."""
        kind = _ISSUED.get(self.name, "gcp.access_token")
        ident = _key_name(text(self.response.get("name"))) or text(dig(self.response, "metadata", "accessId"))
        fact = self._fact(kind)
        if kind in _NEVER_EXPIRE:
            fact = replace(fact, ttl_seconds=-1)
        elif kind == "gcp.service_account_key":
            # An organisation may limit its keys: one whose end is not logged may have one.
            expires = moment(self.response.get("valid_before_time") or self.response.get("validBeforeTime"))[0]
            forever = expires is not None and expires >= _END_OF_TIME
            fact = replace(fact, ttl_seconds=-1 if forever else None, expires=None if forever else expires)
        lasts = text(self.request.get("lifetime"))
        if lasts.endswith("s") and (ttl := number(lasts[:-1])) and self.told.at is not None and 0 < ttl < 10**9:
            fact = replace(fact, ttl_seconds=ttl, expires=self.told.at + ttl * 1_000_000)
        return self.told.event(
            EventKind.CREDENTIAL,
            Phase.ISSUED,
            key(KeyRole.CREDENTIAL, "gcp.key", ident),
            key(KeyRole.VIA, "gcp.key", self.used) if self.used != ident else None,
            credential=fact,
        )

    def _fact(self, kind: str) -> CredentialFact:
        scope = self.request.get("scope")
        granted = tuple(one for one in scope if isinstance(one, str))[:50] if isinstance(scope, list) else ()
        account = text(self.request.get("name")) or text(self.payload.get("resourceName"))
        subject = account.partition("/serviceAccounts/")[2].partition("/")[0] or account
        if "/workloadIdentityPools/" in account and self.told.principal is not None:
            # An exchange is asked of a provider; the token is the caller's.
            subject = self.told.principal.name
        return CredentialFact(kind=kind, issuer=self.told.point, subject=clip(subject, 300), scope=granted)


def principal_of(payload: Json, authentication: Json) -> Principal | None:
    """The caller by mail, subject or authority; whom it acts through stands in the delegation chain."""
    name = first_text(authentication, "principalEmail", "principalSubject", "authoritySelector")
    if not name:
        return None
    subject = text(authentication.get("principalSubject"))
    chain = objects(authentication.get("serviceAccountDelegationInfo"))
    first = chain[0] if chain else {}
    behalf = first_text(first, "principalSubject") or text(dig(first, "firstPartyPrincipal", "principalEmail"))
    federated = "/subject/" in subject or "workloadIdentityPools" in subject
    if name.endswith("gserviceaccount.com") or federated or subject.startswith("serviceAccount:"):
        kind = "workload"
    elif name.startswith("system:"):
        kind = "workload" if name.startswith("system:serviceaccount:") else "service"
    else:
        kind = "service" if name.lower() == "system@google.com" else "human" if "@" in name else "unknown"
    origin = "ci" if "/subject/repo:" in subject or "cloudbuild.gserviceaccount.com" in name else ""
    origin = origin or ("cluster" if ".svc.id.goog" in subject else "")
    return Principal(name, kind, origin, behalf.partition(":")[2] if behalf.startswith("user:") else behalf)


def _key_name(address: str) -> str:
    """The id at the end of a key's resource name."""
    return address.rpartition("/keys/")[2] if "/keys/" in address else ""


def _project(log: str) -> str:
    return log.partition("projects/")[2].partition("/")[0]
