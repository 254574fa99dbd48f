"""Kubernetes audit log: plain lines, EventLists, EKS, AKS (`properties.log`, a JSON string, or a table) and GKE (`protoPayload`).

One request is up to four records (stages) with one `auditID`, which joins them in one step: RequestReceived is the call,
the first stage that has an answer carries decision, credential and effect; what completes a started one is its result.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from importers.gcp_entry import read_entry
from importers.kubernetes_request import Caller, Request
from importers.kubernetes_reviews import answered
from importers.kubernetes_table import event_of, is_row
from importers.shared.fields import Json, clip, decode, dig, first_moment, first_text, key, mapping, moment, number, surest, text
from importers.shared.told import Told, duration_ms
from model.event import BadRecord, CredentialFact, Event, Outcome, Parsed, digest
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Vantage, Verb

_AKS = ("kube-audit", "kube-audit-admin", "guard")
_REMEMBERED = 50_000
_STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic", "")


class KubernetesReader:
    """Reads one API server's file; remembers which long-running requests have begun to answer."""

    def __init__(self) -> None:
        self._started: OrderedDict[str, None] = OrderedDict()

    def read(self, record: object) -> Parsed:
        entry = mapping(record)
        if isinstance(entry.get("items"), list) and text(entry.get("kind")) == "EventList":
            return self._many(entry)
        if "protoPayload" in entry:
            return read_entry(entry, KubernetesAudit.id)
        event, cluster = _unwrapped(entry)
        if event is None:
            kind = clip(first_text(entry, "category", "Category"), 60) or "line of another stream"
            return Parsed(type=kind, at=first_moment(entry, "time", "timestamp")[0], unknown_type=kind)
        return self._event(event, cluster)

    def _many(self, entry: Json) -> Parsed:
        """A whole list that came as one record, as a webhook delivers it; one delivered again holds the same events."""
        parsed = Parsed(type="EventList")
        items = entry["items"]
        held: list[str] = []
        for item in items if isinstance(items, list) else []:
            if isinstance(item, dict) and text(item.get("kind")) != "EventList" and "items" not in item:
                inner = self._event({"kind": "Event", **item}, "")
                held.append(inner.identity or "")
                parsed.events += inner.events
                parsed.at = inner.at if parsed.at is None else parsed.at
        if held and all(held):
            parsed.identity = digest(*held)
        return parsed

    def _event(self, entry: Json, cluster: str) -> Parsed:
        if not (text(entry.get("verb")) or text(entry.get("requestURI"))):
            raise BadRecord("not a Kubernetes audit event: neither verb nor requestURI")
        stage = text(entry.get("stage"))
        audit = text(entry.get("auditID"))
        request = Request(entry)
        told = _told(entry, request, cluster)
        told.keys = tuple(one for one in (key(KeyRole.CALL, "k8s.audit", audit), *request.caller.scopes) if one is not None)
        received = moment(entry.get("requestReceivedTimestamp"))
        done, clock = first_moment(entry, "stageTimestamp", "requestReceivedTimestamp", "timestamp")
        told.at, told.clock = received if received[0] is not None else (done, clock)
        kind = " ".join(part for part in (stage, request.verb, request.resource) if part)
        identity = f"{audit}:{stage}:{text(entry.get('stageTimestamp'))}" if audit and stage else None
        parsed = Parsed(identity=identity, type=clip(kind, 120), at=told.at)
        if stage not in _STAGES:
            parsed.unknown_type = f"stage {clip(stage, 60)}"
        elif stage == "RequestReceived":
            parsed.events = [told.called()]
        elif stage in ("ResponseComplete", "Panic") and audit in self._started:
            del self._started[audit]
            told.at, told.clock = done, clock
            if (took := duration_ms(received[0], done)) is not None:
                told.attrs["duration_ms"] = took
            # A stream that was opened says nothing of how the command in it ended.
            streamed = request.action is Verb.EXEC and request.succeeded
            parsed.events = [told.result(False if stage == "Panic" else None if streamed else request.succeeded)]
        else:
            if stage == "ResponseStarted" and audit:
                self._remember(audit)
            parsed.events = _answer(told, request, stage) + answered(told, request, audit)
        return parsed

    def _remember(self, audit: str) -> None:
        self._started[audit] = None
        if len(self._started) > _REMEMBERED:
            self._started.popitem(last=False)


def _unwrapped(entry: Json) -> tuple[Json | None, str]:
    """The audit event itself and the cluster its wrapper names; None for another category or stream of the same log."""
    if is_row(entry):
        return event_of(entry)
    category = first_text(entry, "category", "Category")
    properties = entry.get("properties")
    if category or isinstance(properties, dict):
        log = mapping(properties).get("log") or entry.get("log_s")
        cluster = first_text(entry, "resourceId", "ResourceId", "_ResourceId").rstrip("/").rpartition("/")[2].lower()
        if category and category not in _AKS:
            return None, cluster
        if isinstance(log, str):
            log = decode(log.encode("utf-8", "replace")) if log.lstrip()[:1] == "{" else None
        if not isinstance(log, dict):
            raise BadRecord("a kube-audit record whose properties.log holds no audit event")
        return log, cluster
    inner = entry.get("message") if "verb" not in entry and "requestURI" not in entry else None
    if not isinstance(inner, str):
        return entry, ""
    if inner.lstrip()[:1] == "{" and '"audit.k8s.io' in inner:
        inner = decode(inner.encode("utf-8", "replace"))
    # One log group holds the streams of all parts of a control plane.
    return (inner, "") if isinstance(inner, dict) and "verb" in inner else (None, "")


def _told(entry: Json, request: Request, cluster: str) -> Told:
    agent = text(entry.get("userAgent"))
    told = Told(
        KubernetesAudit.id,
        f"kubernetes:{cluster}" if cluster else "kubernetes",
        Vantage.TARGET,
        principal=request.caller.principal,
        verb=request.action,
        tool=" ".join(part for part in (request.verb, request.resource) if part),
        target=request.target,
    )
    addresses = entry.get("sourceIPs")
    told.note(
        command=request.command,
        account=cluster,
        host=text(addresses[0]) if isinstance(addresses, list) and addresses else "",
        user_agent=clip(agent, 300),
        url=text(entry.get("requestURI")),
        status=str(request.code) if request.code is not None else "",
        origin=request.caller.principal.origin if request.caller.principal else "",
        identity_proof=request.caller.proof,
    )
    if request.interactive:
        told.note(interactive=True)
    return told


def _answer(told: Told, request: Request, stage: str) -> list[Event]:
    """Decision, credential, effect and what was issued, as the first answered stage tells them."""
    events: list[Event] = []
    decision = request.decision()
    if decision is not None:
        effect, policy, reason = decision
        events.append(told.verdict(effect, policy=policy, reason=reason))
    refused = decision is not None and decision[0] is Effect.DENY
    caller: Caller = request.caller
    events += told.used(*caller.credentials, fact=caller.fact)
    permitted = Effect.DENY if refused or request.code in (401, 403) else decision[0] if decision else Effect.UNKNOWN
    # What is only tried out changes nothing, however well it went.
    done = False if refused or stage == "Panic" or request.dry else request.succeeded
    events.append(told.observed(done, permitted=permitted))
    if request.action is Verb.CREDENTIAL_ISSUE and done and (issued := _issued(told, request)) is not None:
        events.append(issued)
    return events


def _issued(told: Told, request: Request) -> Event | None:
    """The service account token that a `token` request handed out, by the id the API server noted."""
    if (request.resource, request.subresource) != ("serviceaccounts", "token"):
        return None
    expires = moment(dig(request.response, "status", "expirationTimestamp"))[0]
    ttl = number(dig(request.body, "spec", "expirationSeconds"))
    if ttl is None and expires is not None and told.at is not None and expires > told.at:
        ttl = (expires - told.at) // 1_000_000
    fact = CredentialFact(
        kind="kubernetes-token",
        issuer=told.point,
        subject=f"system:serviceaccount:{request.namespace}:{request.name}",
        ttl_seconds=ttl,
        expires=expires,
    )
    via = (key(KeyRole.VIA, one.kind, one.value) for one in request.caller.credentials)
    ident = key(KeyRole.CREDENTIAL, "jti", request.issued_id)
    return told.event(
        EventKind.CREDENTIAL, Phase.ISSUED, ident, *via, credential=fact, outcome=Outcome(permitted=Effect.ALLOW, effect=Tri.YES)
    )


class KubernetesAudit:
    """Audit events of the Kubernetes API server, however a cloud wraps them."""

    id = "kubernetes"
    title = "Kubernetes audit log"
    evidence = "real"
    version = 5

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> KubernetesReader:
        return KubernetesReader()


def _surely(record: Json) -> int:
    if text(record.get("apiVersion")).startswith("audit.k8s.io/"):
        return 96
    if "auditID" in record and "stage" in record and "verb" in record:
        return 96
    if record.get("kind") == "Event" and ("objectRef" in record or ("verb" in record and "responseStatus" in record)):
        return 90
    if first_text(record, "category", "Category") in _AKS and (isinstance(record.get("properties"), dict) or "log_s" in record):
        return 92
    if is_row(record):
        return 92
    payload = mapping(record.get("protoPayload"))
    if payload:
        return 92 if first_text(payload, "serviceName") == "k8s.io" else 0
    message = record.get("message")
    return 85 if isinstance(message, str) and '"audit.k8s.io/' in message[:400] else 0


IMPORTER = KubernetesAudit()
