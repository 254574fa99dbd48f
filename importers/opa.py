"""OPA decision log: one decision a record, as the console prints it, as it is uploaded, or behind a shipper's prefix.

The console mixes decisions with other log lines; those are records without events. `input` is any JSON: what can be
read of it is told by `importers.opa_input`, what the policy answered by `importers.opa_result`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.opa_input import Question
from importers.opa_result import decided, plain
from importers.shared.fields import Json, clip, first_moment, first_text, key, keys, mapping, surest, text, texts
from model.event import BadRecord, CredentialFact, Decision, Event, Parsed
from model.words import EventKind, KeyRole, Phase, Vantage

_TYPE = "openpolicyagent.org/decision_logs"
_MASKS, _DEEPEST = 100, 50
_RULE = re.compile(r"data\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")
_OWN_LINES = frozenset(
    {
        "Initializing server.",
        "Server initialized.",
        "Received request.",
        "Sent response.",
        "Executing policy query.",
        "Returning policy decision.",
        "OPA is up to date.",
        "Bundle loaded and activated successfully.",
        "Starting decision logger.",
        "Starting bundle loader.",
        "Starting gRPC server.",
        "Logs uploaded successfully.",
        "maxprocs: Leaving GOMAXPROCS=",
    }
)


class OpaReader:
    """Reads one OPA's log; holds no state."""

    def read(self, record: object) -> Parsed:
        entry = _unmasked(mapping(record))
        name = text(entry.get("decision_id"))
        if not name:
            return _other_line(entry)
        at, clock = first_moment(entry, "timestamp", "time")
        path = text(entry.get("path")).strip("/") or _asked_of(text(entry.get("query")))
        point = f"opa:{path}" if path else "opa"
        answer = decided(entry, path)
        question = Question(plain(entry.get("input")))
        policy, revision = _bundles(entry)
        attrs = dict(question.attrs)
        if revision:
            attrs["policy_revision"] = revision
        decision = Decision(answer.effect, answer.rule, clip(answer.reason, 1000), policy, point)
        event = Event(
            EventKind.DECISION,
            Phase.VERDICT,
            Vantage.ENFORCER,
            point,
            at=at,
            clock=clock,
            format="opa",
            principal=question.principal,
            agent=question.agent,
            verb=question.verb,
            tool=question.tool,
            target=question.target,
            keys=question.keys(name, text(entry.get("trace_id"))),
            decision=decision,
            attrs=attrs,
        )
        events = [event]
        if question.token is not None:
            events.append(_token_use(event, question.token, question.token_id))
        return Parsed(events=events, identity=name, type="decision", at=at)


def _asked_of(query: str) -> str:
    """The rule that a query begins with, as a path; "" for any other query, which is asked by hand and of nothing in particular."""
    found = _RULE.match(query)
    return found.group(1).replace(".", "/") if found else ""


def _unmasked(entry: Json) -> Json:
    """The entry without what a mask rule put in place of the input's or the result's own values (`masked`, JSON pointers)."""
    for pointer in texts(entry.get("masked"))[:_MASKS]:
        names = [name.replace("~1", "/").replace("~0", "~") for name in pointer.split("/")[1:]]
        if names and names[0] in ("input", "result") and len(names) <= _DEEPEST:
            entry = mapping(_without(entry, names))
    return entry


def _without(value: object, names: list[str]) -> object:
    """A copy that lacks the member at the end of these names; nothing else is copied."""
    if isinstance(value, list) and names[0].isdigit() and int(names[0]) < len(value):
        at = int(names[0])
        return [*value[:at], None if len(names) == 1 else _without(value[at], names[1:]), *value[at + 1 :]]
    if not isinstance(value, dict) or names[0] not in value:
        return value
    if len(names) == 1:
        return {name: inner for name, inner in value.items() if name != names[0]}
    return {**value, names[0]: _without(value[names[0]], names[1:])}


def _other_line(entry: Json) -> Parsed:
    """A console line that is no decision; it proves nothing and is kept."""
    if text(entry.get("type")) == _TYPE or entry.get("msg") == "Decision Log":
        raise BadRecord("a decision log entry without decision_id")
    if isinstance(entry.get("level"), str) and ("msg" in entry or "message" in entry):
        kind = clip(text(entry.get("msg")) or "log line", 80)
        return Parsed(type=kind, at=first_moment(entry, "timestamp", "time")[0])
    raise BadRecord("neither an OPA decision (no decision_id) nor a log line (no level and msg)")


def _bundles(entry: Json) -> tuple[str, str]:
    """The bundles that decided, `name@revision` each, and their revisions; `labels.version` is OPA's own and no policy."""
    bundles = mapping(entry.get("bundles"))
    if len(bundles) == 1:
        ((name, only),) = bundles.items()
        revision = text(mapping(only).get("revision"))
        return (f"{name}@{revision}" if revision else name), revision
    named = []
    revisions = []
    for name in sorted(bundles):
        revision = text(mapping(bundles[name]).get("revision"))
        named.append(f"{name}@{revision}" if revision else name)
        if revision:
            revisions.append(revision)
    if not named and (single := first_text(entry, "revision")):
        return single, single
    return clip(",".join(named), 500), clip(",".join(revisions), 300)


def _token_use(event: Event, token: CredentialFact, ident: str) -> Event:
    """The bearer token a request was made with, seen by the decider."""
    return Event(
        EventKind.CREDENTIAL,
        Phase.USED,
        Vantage.ENFORCER,
        event.point,
        at=event.at,
        clock=event.clock,
        format="opa",
        principal=event.principal,
        agent=event.agent,
        verb=event.verb,
        tool=event.tool,
        target=event.target,
        keys=keys(*event.keys, key(KeyRole.CREDENTIAL, "jti", ident)),
        credential=token,
        attrs=dict(event.attrs),
    )


class Opa:
    """Decision logs of Open Policy Agent, its Envoy plugin, and its debug console."""

    id = "opa"
    title = "OPA decision log"
    evidence = "real"
    version = 9

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> OpaReader:
        return OpaReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    if "decision_id" in record and ("labels" in record or "path" in record or "query" in record):
        sure = record.get("type") == _TYPE or record.get("msg") == "Decision Log" or "labels" in record
        return 95 if sure else 93 if "path" in record and "timestamp" in record and "input" in record else 60
    elif "decision-id" in record and "level" in record:
        return 70
    elif isinstance(record.get("level"), str) and text(record.get("msg")) in _OWN_LINES:
        return 50
    return 0


IMPORTER = Opa()
