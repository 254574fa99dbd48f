"""Agent Governance Toolkit: trails without zone or ids, the MCP trust proxy, AgentMesh entries, malformed lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from importers.agent_governance import IMPORTER
from model.event import BadRecord
from model.words import Clock, Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import JSON, all_of, mutated, names, only, read, survives, whole

Record = dict[str, object]
TRAIL: Record = {
    "agent_id": "aml-monitor",
    "agent_name": "Monitor",
    "tool": "read_file",
    "call_count": 3,
    "event_type": "ALLOWED",
    "decision": "allowed",
    "timestamp": "2026-06-01T10:00:00.225944",
}
PROXY: Record = {
    "allowed": False,
    "tool": "shell_exec",
    "agent_did": "did:mesh:agent-1",
    "reason": "blocked by policy",
    "trust_score": 600,
    "timestamp": "2026-06-01T10:00:00Z",
}
MESH: Record = {
    "entry_id": "audit_1",
    "timestamp": "2026-06-01T10:00:00+00:00",
    "event_type": "policy_decision",
    "agent_did": "did:web:a",
    "action": "network_egress",
    "resource": "https://example.invalid/upload",
    "outcome": "denied",
    "policy_decision": "deny",
    "matched_rule": "rule-egress-01",
    "session_id": "session-xyz",
    "trace_id": None,
    "previous_hash": "",
}


def test_trail_times_are_without_a_zone_and_no_scope_is_made_up() -> None:
    parsed = read(IMPORTER, TRAIL)
    verdict = only(parsed.events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.agent, verdict.verb) == (Effect.ALLOW, "Monitor", Verb.FILE_READ)
    assert verdict.clock is Clock.ZONE_ASSUMED
    assert (verdict.keys, parsed.identity) == ((), None)


@pytest.mark.parametrize(
    ("members", "effect", "reason"),
    [
        ({"event_type": "BLOCKED", "decision": "blocked", "reason": "needs a human"}, Effect.DENY, "needs a human"),
        ({"event_type": "BLOCKED", "decision": None}, Effect.DENY, ""),
        ({"event_type": "ESCALATED", "decision": None}, Effect.ASK, ""),
        (
            {"event_type": "ALLOWED", "decision": "blocked", "reason": "r"},
            Effect.DENY,
            "event_type ALLOWED contradicts decision blocked; r",
        ),
    ],
)
def test_trail_verdicts(members: Record, effect: Effect, reason: str) -> None:
    decision = only(read(IMPORTER, TRAIL | members).events, EventKind.DECISION).decision
    assert decision is not None
    assert (decision.effect, decision.reason) == (effect, reason)


def test_a_checkpoint_is_no_decision() -> None:
    record = {
        "agent_id": "a",
        "checkpoint": "cp-a-9",
        "call_count": 9,
        "event_type": "CHECKPOINT",
        "timestamp": "2026-06-01T10:00:00",
    }
    parsed = read(IMPORTER, record)
    assert (parsed.events, parsed.type, parsed.unknown_type) == ([], "CHECKPOINT", None)


def test_trust_proxy() -> None:
    verdict = only(read(IMPORTER, PROXY).events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.reason) == (Effect.DENY, "blocked by policy (trust score 600)")
    assert verdict.principal is not None
    assert (verdict.principal.name, verdict.clock) == ("did:mesh:agent-1", Clock.EXACT)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"allowed": True, "tool": "web_search"}, "without agent_did, timestamp"),
        (PROXY | {"allowed": "yes"}, "a truth value in allowed"),
        ({"event_type": "ALLOWED", "agent_id": "a"}, "names no tool"),
        ({"event_type": "ALLOWED"}, "needs event_type and agent_id"),
        (MESH | {"action": ""}, "needs entry_id, agent_did and action"),
    ],
)
def test_refused(record: Record, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        read(IMPORTER, record)


RECEIPT: Record = {
    "receipt_id": "r-1",
    "timestamp_utc": "2026-06-01T10:00:00+00:00",
    "agent_id": "did:agt:demo",
    "action_name": "read_file",
    "action_args": {"path": "/w/a"},
    "policy_attestation": {"policy_id": "default", "policy_version": "1.0.0", "decision": "deny", "reason": "no rule matched"},
    "previous_receipt_hash": None,
    "receipt_hash": "aa" * 32,
}


def test_receipts_and_the_chain_of_them() -> None:
    assert IMPORTER.sniff([RECEIPT]) > 80
    reader = IMPORTER.open()
    first = reader.read(RECEIPT)
    verdict = only(first.events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.policy, verdict.verb) == (Effect.DENY, "default@1.0.0", Verb.FILE_READ)
    assert (first.identity, verdict.principal and verdict.principal.name) == ("r-1", "did:agt:demo")
    linked = reader.read(RECEIPT | {"receipt_id": "r-2", "previous_receipt_hash": "aa" * 32, "receipt_hash": "bb" * 32})
    assert "chain_broken" not in linked.events[0].attrs
    broken = reader.read(RECEIPT | {"receipt_id": "r-3", "previous_receipt_hash": "aa" * 32, "receipt_hash": "cc" * 32})
    assert broken.events[0].attrs["chain_broken"]
    with pytest.raises(BadRecord, match="needs receipt_id"):
        read(IMPORTER, RECEIPT | {"policy_attestation": {}})


def test_the_chain_of_entries_that_a_file_holds() -> None:
    reader = IMPORTER.open()
    reader.read(MESH | {"content_hash": "aa" * 32})
    assert "chain_broken" not in reader.read(MESH | {"entry_id": "audit_2", "previous_hash": "aa" * 32}).events[0].attrs
    reader.read(MESH | {"entry_id": "audit_3", "content_hash": "bb" * 32})
    assert "chain_broken" in reader.read(MESH | {"entry_id": "audit_4", "previous_hash": "cc" * 32}).events[0].attrs


def test_mesh_entries() -> None:
    parsed = read(IMPORTER, MESH)
    verdict = only(parsed.events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.rule) == (Effect.DENY, "rule-egress-01")
    assert names(verdict, KeyRole.SCOPE) == ["session:session-xyz"]
    assert parsed.identity == "audit_1"
    call = read(
        IMPORTER, MESH | {"event_type": "tool_invocation", "policy_decision": None, "outcome": "success", "action": "read_file"}
    )
    assert [(e.kind, e.phase) for e in call.events] == [(EventKind.ACTION, Phase.CALL), (EventKind.ACTION, Phase.RESULT)]
    assert {name for e in call.events for name in names(e, KeyRole.CALL)} == {"agentmesh.entry:audit_1"}
    warned = read(IMPORTER, MESH | {"policy_decision": "warn", "outcome": "success"}).events
    assert [e.decision.effect for e in warned if e.decision] == [Effect.ALLOW]
    failed = read(IMPORTER, MESH | {"event_type": "tool_invocation", "policy_decision": None, "outcome": "failure"})
    ended = only(failed.events, EventKind.ACTION, Phase.RESULT).outcome
    assert ended is not None
    assert ended.tool is Tri.NO
    assert (
        read(IMPORTER, MESH | {"event_type": "heartbeat", "policy_decision": None, "outcome": "ok"}).unknown_type == "heartbeat"
    )


CLOUD: Record = {
    "specversion": "1.0",
    "id": "audit_2",
    "type": "ai.agentmesh.tool.blocked",
    "source": "did:mesh:coder",
    "time": "2026-06-01T10:00:01+00:00Z",
    "data": {
        "action": "bash",
        "outcome": "success",
        "policy_decision": None,
        "command": "rm -rf /",
        "approver_did": "did:mesh:dana",
    },
    "agentmeshentryhash": "h2",
    "agentmeshprevioushash": "h1",
    "sessionid": "session-xyz",
}


def test_an_entry_handed_out_as_a_cloud_event_is_the_entry() -> None:
    before = CLOUD | {"id": "audit_1", "type": "ai.agentmesh.tool.invoked", "agentmeshentryhash": "h1"}
    parsed, rejects = whole("\n".join(json.dumps(one) for one in (before, CLOUD)), "agent-governance")
    assert not rejects
    assert [one.identity for one in parsed] == ["audit_1", "audit_2"]
    verdict = only(parsed[1].events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.agent, verdict.verb) == (Effect.DENY, "did:mesh:coder", Verb.EXEC)
    assert (verdict.at, names(verdict, KeyRole.SCOPE)) == (1_780_308_001_000_000, ["session:session-xyz"])
    assert (verdict.attrs["command"], verdict.attrs["approver"], verdict.attrs["chain"]) == (
        "rm -rf /",
        "did:mesh:dana",
        "checked",
    )


@given(mutated([TRAIL, PROXY, MESH, CLOUD]) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


@pytest.mark.parametrize(
    ("name", "records", "verdicts", "rejected"),
    [
        ("Rul1an__assay/examples__agt-audit-evidence__fixtures__decisions.agt.ndjson", 2, 2, 0),
        ("Rul1an__assay/examples__agt-audit-evidence__fixtures__malformed.agt.ndjson", 0, 0, 1),
        ("microsoft__agent-governance-toolkit/agent-governance-python__agent-os__examples__aml-fraud-detection__aml_audit_trail.json",
         87, 61, 0),
        ("microsoft__agent-governance-toolkit/agent-governance-python__agent-os__examples__trading-governance__trading_audit_trail.json",
         41, 32, 0),
    ],
)  # fmt: skip
def test_public_samples(corpus: Path, name: str, records: int, verdicts: int, rejected: int) -> None:
    form, parsed, reasons = all_of(corpus / "agent-governance-toolkit" / name)
    assert (form, len(parsed), len(reasons)) == ("agent-governance", records, rejected)
    assert sum(e.kind is EventKind.DECISION for p in parsed for e in p.events) == verdicts
