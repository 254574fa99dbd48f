"""Cedar decision logs written where the decision fell: Cedarling's records, and answers of a local Cedar or of Verified
Permissions logged by their caller (principal, action, resource, decision, the policies that determined it).
"""

from __future__ import annotations

from collections.abc import Sequence

from importers.cedar_entity import entity, meaning, principal_of
from importers.shared.fields import (
    Json,
    clip,
    first_moment,
    first_text,
    key,
    mapping,
    names_session,
    number,
    session_id,
    surest,
    text,
    trace_id,
)
from importers.shared.told import Told, effect_of
from model.event import BadRecord, CredentialFact, Event, Key, Parsed, Principal
from model.words import Effect, KeyRole, Vantage

_PARTS = ("principal", "action", "resource", "decision")
_CLAIMS = ("sub", "email", "username", "client_id", "org_id")


class CedarReader:
    """Reads one log; holds no state."""

    def read(self, record: object) -> Parsed:
        entry = mapping(record)
        kind = first_text(entry, "log_kind", "log_type")
        at, clock = first_moment(entry, "timestamp", "time", "@timestamp", "ts")
        if kind and kind != "Decision":
            return Parsed(type=kind, at=at, unknown_type=None if kind in ("System", "Metric") else clip(kind, 60))
        request = mapping(entry.get("request")) if isinstance(entry.get("request"), dict) else entry
        answer = mapping(entry.get("response")) or mapping(entry.get("answer")) or entry
        apart = _asked_apart(entry) if kind else {}
        stated = {**request, "decision": answer.get("decision") or apart.get("decision")}
        missing = [name for name in _PARTS if stated.get(name) in (None, "") and not (kind and name == "principal")]
        if missing:
            raise BadRecord(f"a Cedar decision without {', '.join(missing)}")
        effect = effect_of(stated["decision"])
        if effect is Effect.UNKNOWN:
            raise BadRecord(f"a Cedar decision that is neither Allow nor Deny: {clip(text(stated['decision']) or '?', 40)!r}")
        told = Told("cedar", _point(entry), Vantage.ENFORCER, at, clock)
        told.principal = _cedarling_principal({**apart, **entry}) if kind else principal_of(entity(request.get("principal")))
        action, resource = entity(request.get("action")), entity(request.get("resource"))
        told.verb, told.tool, told.target, attrs = meaning(action, resource, request.get("context"))
        told.attrs.update(attrs)
        told.keys = _keys(entry, mapping(request.get("context")))
        if revision := first_text(entry, "policystore_version", "policy_version"):
            told.note(policy_revision="" if revision == "undefined" else revision)
        if (took := number(entry.get("decision_time_micro_sec"))) is not None:
            told.attrs["duration_ms"] = took / 1000
        policies, reason = _why(apart or (answer if "decision" in answer else entry))
        store = first_text(entry, "policystore_id", "policyStoreId", "policy_store_id")
        verdict = told.verdict(effect, rule=policies, reason=reason, policy=store)
        events: list[Event] = [verdict, *_tokens(told, entry)]
        name = first_text(entry, "id", "request_id")
        return Parsed(events=events, identity=name or None, type="Decision", at=at)


def _point(entry: Json) -> str:
    name = first_text(entry, "application_id", "pdp_id", "policyStoreId", "policy_store_id")
    return f"cedar:{name}" if name else "cedar"


def _why(answer: Json) -> tuple[str, str]:
    """The determining policies, and what they or the errors say."""
    diagnostics = mapping(answer.get("diagnostics"))
    named, words = [], []
    for place in (diagnostics.get("reason"), answer.get("determiningPolicies"), answer.get("determining_policies")):
        for one in place if isinstance(place, list) else []:
            if isinstance(one, dict):
                named.append(first_text(one, "id", "policyId", "policy_id"))
                words.append(first_text(one, "description", "effect"))
            else:
                named.append(text(one))
    for place in (diagnostics.get("errors"), answer.get("errors")):
        for one in place if isinstance(place, list) else []:
            said = first_text(one, "errorDescription", "error", "message") if isinstance(one, dict) else text(one)
            words.append(f"error: {said}" if said else "")
    return ",".join(dict.fromkeys(name for name in named if name)), "; ".join(dict.fromkeys(word for word in words if word))


def _asked_apart(entry: Json) -> Json:
    """Cedarling's first releases asked for a person and a workload apart, and said of both whether they were authorized; else {}."""
    authorized = entry.get("authorized")
    if not isinstance(authorized, bool) or "decision" in entry:
        return {}
    asked = [name for name in ("person", "workload") if entry.get(f"{name}_principal")]
    found = [mapping(entry.get(f"{name}_diagnostics")) for name in asked]
    both = {part: [one for held in found for one in _listed(held.get(part))] for part in ("reason", "errors")}
    return {"decision": authorized, "principal": [entry[f"{name}_principal"] for name in asked], "diagnostics": both}


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _cedarling_principal(entry: Json) -> Principal | None:
    """Cedarling names who asked, or only their types; who these are stands in a member of that name, by the claims one let it log."""
    stated = entry.get("principal")
    types = [text(one) for one in stated] if isinstance(stated, list) else text(stated).split(" & ")
    for kind in types:
        if (named := entity(kind)).type and named.id:
            return principal_of(named)
        short = kind.rpartition("::")[2]
        claims = mapping(entry.get(kind)) or mapping(entry.get(short))
        mail = mapping(claims.get("email"))
        name = f"{text(mail.get('uid'))}@{text(mail.get('domain'))}" if mail.get("uid") and mail.get("domain") else ""
        name = name or first_text(claims, *_CLAIMS)
        if name:
            return principal_of(entity({"type": short, "id": name}))
    return None


def _keys(entry: Json, context: Json) -> tuple[Key, ...]:
    """The session the context states, the trace, the request."""
    found: list[Key | None] = []
    for place in (entry, context):
        for name, value in place.items():
            if isinstance(value, str) and len(value) >= 36 and names_session(name):
                found.append(key(KeyRole.SCOPE, "session", session_id(value)))
    trace = trace_id(first_text(entry, "trace_id", "traceId", "traceparent") or first_text(context, "traceparent", "trace_id"))
    found.append(key(KeyRole.SCOPE, "trace", trace))
    found.append(key(KeyRole.CALL, "call", first_text(context, "tool_use_id", "tool_call_id", "toolCallId", "call_id")))
    found.append(key(KeyRole.CALL, "request", first_text(entry, "request_id", "requestId") or first_text(context, "request_id")))
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _tokens(told: Told, entry: Json) -> list[Event]:
    """The tokens that were shown, by their ids."""
    events: list[Event] = []
    for name, claims in list(mapping(entry.get("tokens")).items())[:10]:
        ident = text(mapping(claims).get("jti"))
        fact = CredentialFact(kind="jwt", subject=told.principal.name if told.principal else "", label=clip(name, 100))
        events += told.used(key(KeyRole.CREDENTIAL, "jti", ident), fact=fact)
    return events


class Cedar:
    """Decisions of Cedar policies, as logged by Cedarling or by the program that asked."""

    id = "cedar"
    title = "Cedar decision log"
    evidence = "fixture"
    version = 4

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> CedarReader:
        return CedarReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    if record.get("log_kind", record.get("log_type")) in ("Decision", "System", "Metric") and "pdp_id" in record:
        return 95
    request, answer = mapping(record.get("request")) or record, mapping(record.get("response")) or record
    if all(name in request for name in _PARTS[:3]) and "decision" in answer:
        entities = [entity(request.get(name)) for name in _PARTS[:3]]
        typed = all(one.type and one.id for one in entities)
        sure = typed and any(name in answer for name in ("diagnostics", "determiningPolicies", "errors"))
        return 85 if sure else 55 if typed else 0
    return 0


IMPORTER = Cedar()
