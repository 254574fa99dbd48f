"""The JSON shapes of the command-line contract, made from what the store holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lang.times import iso
from model.chain import Coverage, Credential, Finding, Intent, Item, Link, Step, Task
from model.event import Operation, RecordRef, Target
from model.figures import Distance
from model.words import Clock

if TYPE_CHECKING:
    from chains.facts import OrgFacts

Doc = dict[str, Any]


class Refs:
    """Record references by record id and record ids by event id, as the store knows them."""

    def __init__(self, records: Mapping[str, tuple[RecordRef, tuple[RecordRef, ...]]], events: Mapping[str, str]) -> None:
        self._records = records
        self._events = events

    def record(self, record: str) -> Doc | None:
        found = self._records.get(record)
        if found is None:
            return None
        home, also = found
        shape = reference(home)
        if also:
            shape["also"] = [reference(ref) for ref in also]
        return shape

    def records(self, records: Iterable[str]) -> list[Doc]:
        return [shape for record in records if (shape := self.record(record)) is not None]

    def end(self, event: str) -> Doc:
        """One end of a link: the event and where its record lies."""
        record = self._events.get(event, "")
        return {"event": event} | (self.record(record) or {})


def reference(ref: RecordRef) -> Doc:
    return {
        "source": ref.source,
        "name": ref.name,
        "line": ref.line,
        "index": ref.index,
        "offset": ref.offset,
        "digest": ref.digest,
    }


def task_row(task: Task, review: Doc) -> Doc:
    return {
        "id": task.id,
        "title": task.title,
        "agent": task.agent or None,
        "principal": task.principal or None,
        "on_behalf_of": task.on_behalf_of or None,
        "repository": task.repository or None,
        "environment": task.environment or None,
        "started": iso(task.started),
        "ended": iso(task.ended),
        "steps": task.steps,
        "risk": task.risk,
        "findings": {name: task.counts.get(name, 0) for name in ("critical", "high", "medium", "low")},
        "vantages": list(task.vantages),
        "parent": task.parent or None,
        "review": review,
        "scope": task.scope,
        "detections": list(task.detections),
        "blind_spots": task.blind_spots,
        "risk_factors": task.risk_factors,
        "repositories": list(task.repositories),
        "owners": list(task.owners),
        "project": task.project or None,
        "ticket": task.ticket or None,
        "origin": task.origin or None,
        "mode": task.mode or None,
        "enforcement_points": list(task.points),
        "depth": task.depth,
        "not_reported": task.hidden,
    }


def target(value: Target, owner: str = "", environment: str = "") -> Doc:
    return {
        "class": value.cls.value,
        "name": value.name or None,
        "detail": value.detail or None,
        "owner": owner or None,
        "environment": environment or None,
    }


def operation(value: Operation) -> Doc:
    return {
        "verb": value.verb.value,
        "target": target(value.target),
        "text": value.text,
        "flags": list(value.flags),
        "certain": value.certain,
    }


def item(value: Item, refs: Refs) -> Doc:
    """An action, effect or credential event inside a step."""
    shape: Doc = {
        "id": value.id,
        "at": iso(value.at),
        "clock": value.clock.value,
        "phase": value.phase.value,
        "by": value.point,
        "vantage": value.vantage.value,
        "verb": value.verb.value,
        "tool": value.tool or None,
        "target": target(value.target),
        "text": value.text,
        "status": value.status or None,
        "principal": value.principal or None,
        "record": refs.record(value.record),
    }
    if value.credential:
        shape["credential"] = value.credential
    return shape


def decision(value: Item, refs: Refs) -> Doc:
    made = value.decision
    return {
        "id": value.id,
        "at": iso(value.at),
        "clock": value.clock.value,
        "by": (made.by if made else "") or value.point,
        "effect": made.effect.value if made else "unknown",
        "rule": (made.rule if made else "") or None,
        "reason": (made.reason if made else "") or None,
        "policy": (made.policy if made else "") or None,
        "vantage": value.vantage.value,
        "record": refs.record(value.record),
    }


def link(value: Link, refs: Refs) -> Doc:
    return {
        "from": refs.end(value.source),
        "to": refs.end(value.target),
        "kind": value.kind.value,
        "key": value.key,
        "confidence": round(value.confidence, 4),
        "candidates": [
            {"task": c.task, "event": c.event, "score": round(c.score, 4), "factors": _rounded(c.factors)}
            for c in value.candidates
        ],
        "factors": _rounded(value.factors),
    }


def _rounded(factors: Mapping[str, float]) -> Doc:
    return {name: round(score, 4) for name, score in sorted(factors.items())}


def intent(value: Intent, refs: Refs) -> Doc:
    return {
        "id": value.id,
        "at": iso(value.at),
        "clock": value.clock.value,
        "kind": value.kind.value,
        "text": value.text,
        "by": value.by or None,
        "record": refs.record(value.record),
        "records": refs.records([value.record]),
    }


def step(value: Step, refs: Refs) -> Doc:
    return {
        "id": value.id,
        "n": value.n,
        "at": iso(value.at),
        "end": iso(value.end),
        "intent": value.intent or None,
        "verb": value.verb.value,
        "tool": value.tool or None,
        "title": value.title,
        "target": target(value.target, value.owner, value.environment),
        "operations": [operation(o) for o in value.operations],
        "request": nested(value.request),
        "decisions": [decision(d, refs) for d in value.decisions],
        "credentials": list(value.credentials),
        "credential_events": [item(c, refs) for c in value.credential_events],
        "outcome": {
            "permitted": value.outcome.permitted.value,
            "transport": value.outcome.transport.value,
            "tool": value.outcome.tool.value,
            "effect": value.outcome.effect.value,
            "disputed": value.outcome.disputed,
            "disagreements": list(value.outcome.disagreements),
        },
        "actions": [item(a, refs) for a in value.actions],
        "effects": [item(e, refs) for e in value.effects],
        "links": [link(one, refs) for one in value.links],
        "records": refs.records(value.records),
        "call": value.call or None,
        "child": value.child or None,
        "mode": value.mode or None,
        "order_uncertain": value.order_uncertain,
        "zone_assumed": sorted({i.point for i in value.items() if i.clock is Clock.ZONE_ASSUMED}),
        "agent_claimed": value.agent_claimed,
        "decision_distance": distance(value.distance),
    }


def distance(value: Distance | None) -> Doc | None:
    """How far from the action its decision was taken; None where no enforcer decided."""
    if value is None:
        return None
    return {"by": value.point, "seconds": value.seconds, "hops": value.hops, "same_host": value.same_host}


def nested(request: Mapping[str, Any]) -> Doc:
    """A request by its dotted names, as the nested object a policy sees; missing names stay missing."""
    shape: Doc = {}
    for name in sorted(request):
        *path, last = name.split(".")
        place = shape
        for part in path:
            place = place.setdefault(part, {})
        place[last] = request[name]
    return shape


def finding(value: Finding, refs: Refs, controls: list[Doc], review: Doc) -> Doc:
    return {
        "id": value.id,
        "detection": value.detection,
        "title": value.title,
        "severity": value.severity.value,
        "task": value.task or None,
        "step": value.step or None,
        "at": iso(value.at),
        "evidence": refs.records(value.evidence),
        "why": value.why,
        "controls": controls,
        "blind_spot": value.blind_spot,
        "review": review,
        "facts": value.facts,
    }


def credential(value: Credential, refs: Refs) -> Doc:
    # Here, because a listing of tasks needs these shapes and none of what knows credentials.
    from chains.lifespan import to_first_use
    from store.posture import bond_of

    return {
        "id": value.id,
        "bond": bond_of(value),
        "key": value.key,
        "kind": value.kind or None,
        "issuer": value.issuer or None,
        "subject": value.subject or None,
        "scope": list(value.scope),
        "requested": iso(value.requested),
        "issued": iso(value.issued),
        "ttl_seconds": value.ttl_seconds,
        "expires": iso(value.expires),
        "revoked": iso(value.revoked),
        "first_use": iso(value.first_use),
        "last_use": iso(value.last_use),
        "uses": value.uses,
        "tasks": list(value.tasks),
        "flags": list(value.flags),
        "issued_task": value.issued_task or None,
        "issued_record": refs.record(value.issued_record) if value.issued_record else None,
        "issue_to_first_use_seconds": to_first_use(value),
        "names": list(value.names),
    }


Break = tuple[str, int | None, int, str]
"""Where a log says of itself that it is not whole: its point, the time, how many records are missing, what does not fit."""


def sequence_break(one: Break) -> Doc:
    _, at, missing, why = one
    return {"at": iso(at), "missing": missing, "why": why or f"{missing} records are missing by the log's own numbers"}


def coverage(value: Coverage, facts: OrgFacts, breaks: Sequence[Break] = ()) -> Doc:
    """One row of coverage; `breaks` are those of the point's log, told on the row that stands for all it sees."""
    # Here for the same reason as in `credential`.
    from chains.coverage import gap_kind

    return {
        "enforcement_point": value.point,
        "vantage": value.vantage.value,
        "scope": value.scope,
        "from": iso(value.start),
        "to": iso(value.end),
        "records": value.records,
        "gaps": [{"from": iso(g.start), "to": iso(g.end), "kind": gap_kind(value, g, facts)} for g in value.gaps],
        "sequence_breaks": [sequence_break(one) for one in breaks] if value.scope in ("", "*") else [],
        "decides": value.decides,
        "usual_silence_seconds": round(value.usual / 1e6, 3) if value.usual else None,
    }
