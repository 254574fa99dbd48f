"""Microsoft's Agent Governance Toolkit: audit trails of Agent OS, lines of the MCP trust proxy, entries of AgentMesh, receipts.

A trail has no ids, no session and times without a zone: its order in the file is all there is, so a tool's decision and
the next one by the same agent are told apart by `call_count` alone. No scope is made up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.shared.fields import Json, clip, first_moment, first_text, key, mapping, number, surest, text, trace_id
from importers.shared.told import Told, effect_of, session_key
from importers.shared.tool_calls import tool_call
from model.event import BadRecord, Parsed, Principal
from model.words import Effect, EventKind, KeyRole, Phase, Vantage, Verb

_TRAIL = {"ALLOWED": Effect.ALLOW, "BLOCKED": Effect.DENY, "DENIED": Effect.DENY, "ESCALATED": Effect.ASK, "PENDING": Effect.ASK}

_TWO_ZONES = re.compile(r"[+-]\d\d:\d\dZ$")
_ENDED = {"success": True, "succeeded": True, "failure": False, "failed": False, "error": False}


_CLOUD = "ai.agentmesh."
_CLOUD_KINDS = {"tool.invoked": "tool_invocation", "tool.blocked": "tool_blocked", "policy.evaluation": "policy_evaluation",
                "policy.violation": "policy_violation"}  # fmt: skip
"""What AgentMesh calls its event types where it hands entries out as CloudEvents."""


class AgentGovernanceReader:
    """Reads one trail; knows the hash of the entry before, which AgentMesh's entries name."""

    def __init__(self) -> None:
        self._head = ""

    def read(self, record: object) -> Parsed:
        entry = _entry(mapping(record))
        if "entry_id" in entry and "agent_did" in entry:
            before, self._head = self._head, first_text(entry, "entry_hash", "content_hash")
            stated = text(entry.get("previous_hash"))
            held = bool(before and stated)
            broken = "previous_hash is not the hash of the entry before" if held and stated != before else ""
            return _mesh(entry, held, broken)
        if "allowed" in entry and ("tool" in entry or "agent_did" in entry):
            return _proxy(entry)
        if "policy_attestation" in entry and "receipt_id" in entry:
            before, self._head = self._head, text(entry.get("receipt_hash"))
            stated = text(entry.get("previous_receipt_hash"))
            return _receipt(entry, bool(before and stated), bool(before and stated != before))
        if "event_type" in entry and "agent_id" in entry:
            return _trail(entry)
        raise BadRecord("no Agent Governance Toolkit record: needs event_type and agent_id, or allowed, tool and agent_did")


def _entry(record: Json) -> Json:
    """An entry of AgentMesh's out of the CloudEvent it was handed out as, whose time has two zones one after the other."""
    kind = text(record.get("type"))
    if not kind.startswith(_CLOUD) or not text(record.get("specversion")):
        return record
    data, time = mapping(record.get("data")), text(record.get("time"))
    kind = kind.removeprefix(_CLOUD)
    return {
        **data,
        "entry_id": record.get("id"),
        "timestamp": time[:-1] if _TWO_ZONES.search(time) else time,
        "event_type": _CLOUD_KINDS.get(kind, kind),
        "agent_did": record.get("source"),
        "data": data,
        "previous_hash": record.get("agentmeshprevioushash"),
        "entry_hash": record.get("agentmeshentryhash"),
        "trace_id": record.get("traceid"),
        "session_id": record.get("sessionid"),
    }


def _told(entry: Json, agent: str, tool: str, point: str) -> Told:
    at, clock = first_moment(entry, "timestamp", "time")
    told = Told("agent-governance", point, Vantage.ENFORCER, at, clock, Principal(agent, "agent"), agent, tool=tool)
    told.verb, told.target, attrs = tool_call(tool, "", entry.get("arguments") or entry.get("args"), entry.get("resource"))
    told.attrs.update(attrs)
    scopes = (
        session_key(entry.get("session_id")),
        key(KeyRole.SCOPE, "trace", trace_id(text(entry.get("trace_id")).replace("-", ""))),
    )
    told.keys = tuple(one for one in scopes if one is not None)
    return told


def _trail(entry: Json) -> Parsed:
    """One line of an Agent OS trail; a checkpoint is a count, no decision."""
    kind = text(entry.get("event_type")).upper()
    agent = first_text(entry, "agent_name", "agent_id")
    if not agent:
        raise BadRecord("a governance trail entry without agent_id")
    told = _told(entry, agent, text(entry.get("tool")), "agent-os")
    parsed = Parsed(type=kind, at=told.at)
    if kind == "CHECKPOINT":
        return parsed
    if not told.tool:
        raise BadRecord(f"a governance trail entry {clip(kind, 40)} that names no tool")
    effect = _TRAIL.get(kind, Effect.UNKNOWN)
    said = effect_of(entry.get("decision"))
    if effect is Effect.UNKNOWN and said is Effect.UNKNOWN:
        parsed.unknown_type = clip(kind, 80)
        return parsed
    if (count := number(entry.get("call_count"))) is not None:
        told.note(status=f"call {count}")
    contradiction = effect is not said and Effect.UNKNOWN not in (effect, said)
    reason = text(entry.get("reason"))
    if contradiction:
        reason = f"event_type {kind} contradicts decision {text(entry.get('decision'))}; {reason}".rstrip("; ")
        effect = Effect.DENY if Effect.DENY in (effect, said) else Effect.ASK
    parsed.events = [told.verdict(effect if effect is not Effect.UNKNOWN else said, reason=reason)]
    return parsed


def _proxy(entry: Json) -> Parsed:
    """One line of the MCP trust proxy."""
    missing = [name for name in ("agent_did", "tool", "timestamp") if not text(entry.get(name))]
    if missing or not isinstance(entry.get("allowed"), bool):
        raise BadRecord(f"an MCP trust proxy line without {', '.join(missing) or 'a truth value in allowed'}")
    told = _told(entry, text(entry["agent_did"]), text(entry["tool"]), "agt-mcp-trust-proxy")
    if told.verb is Verb.UNKNOWN:
        told.verb = Verb.MCP_CALL
    score = number(entry.get("trust_score"))
    reason = text(entry.get("reason"))
    reason = f"{reason} (trust score {score})" if score is not None else reason
    return Parsed(events=[told.verdict(effect_of(entry["allowed"]), reason=reason)], type="mcp-trust-proxy", at=told.at)


def _receipt(entry: Json, held: bool, broken: bool) -> Parsed:
    """A signed receipt of one decision; its signature is not checked, its place in the chain is."""
    agent, ident, tool = (text(entry.get(name)) for name in ("agent_id", "receipt_id", "action_name"))
    attested = mapping(entry.get("policy_attestation"))
    if not (agent and ident and tool and text(attested.get("decision"))):
        raise BadRecord("a governance receipt needs receipt_id, agent_id, action_name and policy_attestation.decision")
    told = _told(
        {**entry, "timestamp": entry.get("timestamp_utc"), "args": entry.get("action_args")}, agent, tool, "agent-governance"
    )
    told.note(
        chain="checked" if held else "",
        chain_broken="previous_receipt_hash is not the hash of the receipt before" if broken else "",
    )
    policy = "@".join(part for part in (text(attested.get("policy_id")), text(attested.get("policy_version"))) if part)
    verdict = told.verdict(effect_of(attested.get("decision")), reason=text(attested.get("reason")), policy=policy)
    return Parsed(events=[verdict], identity=ident, type="receipt", at=told.at)


def _mesh(entry: Json, held: bool, broken: str) -> Parsed:
    """One entry of AgentMesh's hash-chained audit: what was done and, where a policy was asked, what it said."""
    kind = text(entry.get("event_type"))
    agent, ident = text(entry.get("agent_did")), text(entry.get("entry_id"))
    action = text(entry.get("action"))
    if not (agent and ident and action):
        raise BadRecord("an AgentMesh audit entry needs entry_id, agent_did and action")
    told = _told(entry, agent, action, "agentmesh")
    told.verb, told.target, attrs = tool_call(action, action, entry.get("data"), entry.get("resource"))
    told.attrs.update(attrs)
    told.note(
        environment=text(entry.get("environment")),
        status=text(entry.get("outcome")),
        approver=text(entry.get("approver_did")),
        request_digest=text(entry.get("arguments_hash")),
        policy_revision=text(entry.get("policy_version")),
        chain="checked" if held else "",
        chain_broken=broken,
    )
    call = key(KeyRole.CALL, "agentmesh.entry", ident)
    told.keys = (*told.keys, *((call,) if call else ()))
    said = text(entry.get("policy_decision"))
    effect = Effect.ALLOW if said.lower() == "warn" else effect_of(said)
    outcome = text(entry.get("outcome")).lower()
    events = []
    if effect is not Effect.UNKNOWN:
        events.append(told.verdict(effect, rule=text(entry.get("matched_rule"))))
    elif outcome in ("denied", "blocked") or kind == "tool_blocked":
        events.append(told.verdict(Effect.DENY, rule=text(entry.get("matched_rule"))))
    if kind in ("tool_invocation", "tool_call", "agent_invocation"):
        events.append(told.event(EventKind.ACTION, Phase.CALL))
        if (ok := _ENDED.get(outcome)) is not None:
            events.append(told.result(ok))
    known = bool(events)
    if broken and not events:
        events.append(told.event(EventKind.DECISION, Phase.POSTURE))
    return Parsed(events=events, identity=ident, type=kind, at=told.at, unknown_type=None if known else clip(kind or "entry", 80))


class AgentGovernance:
    """Trails of the Agent Governance Toolkit."""

    id = "agent-governance"
    checks_chains = True
    title = "Agent Governance Toolkit audit trail"
    evidence = "fixture"
    version = 6

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> AgentGovernanceReader:
        return AgentGovernanceReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    kind = text(record.get("event_type")).upper()
    if "agent_id" in record and "timestamp" in record and (kind in _TRAIL or kind == "CHECKPOINT"):
        return 90
    elif isinstance(record.get("allowed"), bool) and "tool" in record:
        return 92 if "agent_did" in record else 30
    if text(record.get("type")).startswith(_CLOUD) and "specversion" in record:
        return 92
    entry = "entry_id" in record and "agent_did" in record and "previous_hash" in record
    return 92 if entry or ("receipt_id" in record and isinstance(record.get("policy_attestation"), dict)) else 0


IMPORTER = AgentGovernance()
