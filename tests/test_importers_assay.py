"""Assay: mandates as intent, decisions under them, credentials by alias, provider records, and the layers of a run as one task."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given

from importers.assay import IMPORTER
from model.event import BadRecord, Parsed
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from tests.importer_checks import JSON, all_of, joined, mutated, names, only, pretty, read, survives, whole

RUN = "run_1"
MANDATE = "sha256:" + "13" * 32
BINDING = "sha256:" + "31" * 32
Record = dict[str, object]


def cloud(kind: str, data: Record, **members: object) -> Record:
    return {
        "specversion": "1.0",
        "id": f"evt-{kind}",
        "type": kind,
        "source": "assay://acme/pay",
        "time": "2026-06-01T10:00:00Z",
        "data": data,
    } | members


INTENT = cloud(
    "assay.mandate.v1",
    {
        "mandate_id": MANDATE,
        "mandate_kind": "intent",
        "principal": {"method": "oidc", "subject": "dev@acme.example"},
        "scope": {"operation_class": "write", "tools": ["github.*"], "max_value": {"amount": "9.99", "currency": "EUR"}},
        "constraints": {"single_use": True, "max_uses": 1},
        "validity": {"issued_at": "2026-06-01T10:00:00Z", "expires_at": "2026-06-01T10:05:00Z"},
        "context": {"issuer": "auth.acme.example", "audience": "acme/pay"},
        "signature": {"algorithm": "ed25519", "content_id": MANDATE, "signature": "x"},
    },
    assayrunid=RUN,
)
_CONTENT: Record = {
    "mandate_kind": "intent",
    "principal": {"subject": "dev@acme.example"},
    "scope": {"tools": ["github.*"], "max": 1e2},
}
_IDENT = "sha256:" + sha256(rfc8785.dumps(_CONTENT)).hexdigest()
_PAYLOAD = "sha256:" + sha256(rfc8785.dumps(_CONTENT | {"mandate_id": _IDENT})).hexdigest()
_SIGNED: Record = _CONTENT | {"mandate_id": _IDENT, "signature": {"content_id": _IDENT, "signed_payload_digest": _PAYLOAD}}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, ""),
        ({"signature": None}, ""),
        ({"signature": {"content_id": "sha256:x"}}, "the signature is of another mandate"),
        ({"principal": {"subject": "eve@acme.example"}}, "the mandate was changed: its id is not the hash of its content"),
        ({"signature": {"signed_payload_digest": "sha256:" + "0" * 64}}, "the signature is of another payload than this mandate"),
        ({"context": {"note": "<REDACTED.github.abc>"}}, ""),
    ],
)
def test_a_mandate_is_held_against_its_own_hashes(change: Record, fault: str) -> None:
    for event in read(IMPORTER, cloud("assay.mandate.v1", _SIGNED | change)).events:
        assert event.attrs.get("chain_broken", "") == fault


DECISION = cloud(
    "assay.tool.decision",
    {
        "tool": "github.add_deploy_key",
        "decision": "allow",
        "reason_code": "P_MANDATE_VALID",
        "tool_call_id": "tc_1",
        "mandate_id": MANDATE,
        "mandate_scope_match": True,
    },
)
USED = cloud("assay.mandate.used.v1", {"mandate_id": MANDATE, "use_id": "u", "tool_call_id": "tc_1", "use_count": 1})
ENFORCED: Record = {
    "schema": "assay.enforcement_decision.v0",
    "caller": {"id": "ci-agent"},
    "tool": {"name": "github.add_deploy_key", "action_class": "github_deploy_key"},
    "action": {
        "verb": "create",
        "resource_type": "github_deploy_key",
        "target": {"provider": "github", "owner": "Acme", "repo": "pay"},
    },
    "decision": "allow",
    "reason": "allow",
    "fail_closed": True,
    "drift_state": "satisfied",
    "credential_alias": "gh-deploy",
    "run_id": RUN,
    "tool_call_id": "tc_1",
}
PROVIDER: Record = {
    "schema": "assay.provider_audit_record.v0",
    "provider": "github",
    "record_id": "audit-1",
    "subject": {"action_class": "github_deploy_key", "verb": "create", "target": {"owner": "acme", "repo": "pay"}},
    "binding_digest": BINDING,
    "tool_call_id": "tc_1",
}


def layer(schema: str, seq: int, **members: object) -> Record:
    return {"schema": f"assay.runner.{schema}.v0", "run_id": RUN, "seq": seq} | members


STARTED = layer("sdk_event", 0, event_type="tool_call_started", sdk_name="@openai/agents", sdk_version="1", tool_call_id="tc_1",
                tool="github.add_deploy_key")  # fmt: skip
KERNEL = layer("kernel_event", 0, pid=1, event_type=1, kind="openat", value="/home/dev/pay/.env")
POLICY = layer("policy_event", 0, source="x", tool_call_id="tc_1", tool="github.add_deploy_key", decision="allow")
LAYERS = [
    layer("event", 0, type="run_started", agent_shim="openai-agents", command=["node", "w.js"]),
    STARTED,
    STARTED | {"seq": 1, "event_type": "tool_call_completed"},
    KERNEL,
    POLICY,
    layer("event", 1, type="run_finished", exit_code=0),
]


def report(*bindings: Record, status: str = "clean") -> Record:
    made: Record = {"schema": "assay.runner.correlation_report.v0", "run_id": RUN, "status": status}
    return made | {"bindings": list(bindings), "ambiguities": []}


def test_a_run_and_its_mandate_are_one_task() -> None:
    records = [INTENT, DECISION, USED, ENFORCED, PROVIDER, *LAYERS, report({"tool_call_id": "tc_1", "kernel_event_count": 1})]
    done = joined(*(read(IMPORTER, record) for record in records))
    (chain,) = done.chains.values()
    assert not done.unattributed
    assert chain.task.scope == f"session:{RUN}"
    assert chain.task.title.startswith("intent mandate of dev@acme.example")
    (intent,) = chain.intents
    assert (intent.kind, intent.by) == (Phase.MANDATE, "dev@acme.example")
    step = next(step for step in chain.steps if step.call == "call:tc_1")
    assert len(step.decisions) == 3
    assert {d.decision.effect for d in step.decisions if d.decision} == {Effect.ALLOW}
    assert (step.outcome.tool, step.outcome.effect, step.agent_claimed) == (Tri.YES, Tri.YES, True)
    assert {e.vantage for e in step.effects} == {Vantage.TARGET, Vantage.WITNESS}
    assert {c.kind for c in done.credentials.values()} == {"assay-intent-mandate", "alias"}
    assert len(step.credentials) == 2


def test_mandate_is_intent_and_authority() -> None:
    events = read(IMPORTER, INTENT).events
    intent = only(events, EventKind.INTENT, Phase.MANDATE)
    assert intent.text == (
        "intent mandate of dev@acme.example: write with github.*; up to 9.99 EUR; single use; 1 use at most"
    )  # fmt: skip
    assert intent.attrs["status"] == "signed (ed25519), not verified here"
    issued = only(events, EventKind.CREDENTIAL, Phase.ISSUED)
    assert issued.credential is not None
    assert (issued.credential.ttl_seconds, issued.credential.subject, issued.credential.issuer) == (
        300, "dev@acme.example", "auth.acme.example",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("signature", "stated"),
    [({}, "not signed"), (None, "not signed"), ({"content_id": "sha256:x"}, "signed (unknown algorithm), not verified here")],
)
def test_what_is_said_of_the_signature(signature: object, stated: str) -> None:
    data = INTENT["data"] | {"signature": signature, "validity": {}}  # type: ignore[operator]
    events = read(IMPORTER, INTENT | {"data": data}).events
    assert events[0].attrs["status"] == stated
    assert events[1].credential is not None
    assert events[1].credential.ttl_seconds == -1


def test_decision_outside_its_mandate_and_without_one() -> None:
    data: Record = DECISION["data"]  # type: ignore[assignment]
    outside = only(read(IMPORTER, DECISION | {"data": data | {"mandate_scope_match": False}}).events, EventKind.DECISION).decision
    assert outside is not None
    assert outside.reason == "P_MANDATE_VALID; the tool is outside the mandate's scope"
    bare = only(read(IMPORTER, DECISION | {"data": {"tool": "x", "decision": "deny"}}).events, EventKind.DECISION)
    assert bare.decision is not None
    assert (bare.decision.effect, bare.decision.reason, bare.keys) == (Effect.DENY, "no mandate named", ())
    revoked = cloud("assay.mandate.revoked.v1", {"mandate_id": MANDATE, "reason": "stolen"})
    assert only(read(IMPORTER, revoked).events, EventKind.CREDENTIAL).phase is Phase.REVOKED


def test_a_refused_action_used_no_credential() -> None:
    refused = ENFORCED | {"decision": "deny", "reason": "credential_scope_insufficient"}
    events = read(IMPORTER, refused).events
    decision = only(events, EventKind.DECISION).decision
    assert decision is not None
    assert (decision.effect, decision.reason) == (Effect.DENY, "credential_scope_insufficient (fail closed)")
    assert only(events, EventKind.CREDENTIAL).phase is Phase.REQUESTED
    allowed = only(read(IMPORTER, ENFORCED).events, EventKind.CREDENTIAL)
    assert (allowed.phase, names(allowed, KeyRole.CREDENTIAL)) == (Phase.USED, ["assay.credential_alias:gh-deploy"])
    assert len(read(IMPORTER, ENFORCED | {"credential_alias": None}).events) == 1
    wrapped = read(IMPORTER, {"case": "x", "record": ENFORCED})
    assert wrapped.events[0].target == allowed.target
    assert (allowed.verb, allowed.target.cls, allowed.target.name) == (Verb.CREDENTIAL_ISSUE, TargetClass.REPOSITORY, "acme/pay")


def test_clean_with_nothing_matched_does_not_look_like_everything_matched() -> None:
    nothing, all_bound, unseen = (
        read(IMPORTER, report(*bindings)).events
        for bindings in (
            (),
            ({"tool_call_id": "tc_1", "kernel_event_count": 2},),
            ({"tool_call_id": "tc_1", "kernel_event_count": 0},),
        )
    )
    assert nothing[0].attrs["status"] == "clean: nothing was matched, 0 ambiguities"
    assert (nothing[0].phase, len(nothing)) == (Phase.POSTURE, 1)
    assert all_bound[0].attrs["status"] == "clean: 1 calls bound, 0 ambiguities"
    assert all_bound[1].phase is Phase.OBSERVED
    assert len(unseen) == 1


@pytest.mark.parametrize(
    ("kind", "value", "verb", "name"),
    [
        ("openat", "/a/b", Verb.FILE_READ, "/a/b"),
        ("connect", "1.2.3.4:443", Verb.NET_CONNECT, "1.2.3.4:443"),
        ("execve", "/bin/sh -c ls", Verb.EXEC, ""),
        ("unlinkat", "/a/b", Verb.FILE_DELETE, "/a/b"),
    ],
)
def test_kernel_events(kind: str, value: str, verb: Verb, name: str) -> None:
    effect = only(read(IMPORTER, KERNEL | {"kind": kind, "value": value}).events, EventKind.EFFECT)
    assert (effect.verb, effect.target.name, effect.vantage, effect.at) == (verb, name, Vantage.WITNESS, None)


def test_traces() -> None:
    span = {"schema": "openai.agents.trace.export.v1", "trace_id": "t1", "span_id": "s2", "span_type": "function", "tool_name": "lookup",
            "timestamp": "2026-06-01T10:00:00Z", "object_type": "trace.span", "sdk_version": "1"}  # fmt: skip
    begin = span | {"event_phase": "start", "observed_status": "started"}
    finish = span | {"event_phase": "finish", "observed_status": "failed", "error": {"message": "no backend"}}
    (chain,) = joined(read(IMPORTER, begin), read(IMPORTER, finish)).chains.values()
    (step,) = chain.steps
    assert (step.tool, step.outcome.tool) == ("lookup", Tri.NO)
    call = {
        "type": "tool_call",
        "episode_id": "e",
        "step_id": "s",
        "call_index": 0,
        "timestamp": 1780308000000,
        "tool_name": "lookup",
    }
    events = read(IMPORTER, call | {"error": "timeout/no_response", "result": None, "args": {}}).events
    assert [e.phase for e in events] == [Phase.CALL, Phase.RESULT]
    assert events[1].outcome is not None
    assert events[1].outcome.tool is Tri.NO


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"schema": ""}, "needs a schema"),
        ({"specversion": "1.0", "type": "assay.tool.decision"}, "without id, source, time"),
        (INTENT | {"time": "soon"}, "cannot be read"),
        (INTENT | {"data": {}}, "without mandate_id"),
        (cloud("assay.tool.decision", {"tool": "x"}), "without decision"),
        (ENFORCED | {"decision": "perhaps"}, "a decision that is allow or deny"),
        (KERNEL | {"run_id": None}, "without run_id"),
        (PROVIDER | {"subject": None}, "without provider or subject"),
        (POLICY | {"decision": ""}, "without decision"),
    ],
)
def test_refused(record: Record, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        read(IMPORTER, record)


def test_unknown_kinds_are_kept() -> None:
    assert read(IMPORTER, cloud("assay.profile.started", {})).unknown_type == "assay.profile.started"
    assert read(IMPORTER, {"schema": "assay.new.v9"}).unknown_type == "assay.new.v9"
    assert read(IMPORTER, KERNEL | {"kind": "mmap"}).unknown_type == "kernel mmap"
    assert read(IMPORTER, {"schema": "assay.runner.archive_manifest.v0"}).unknown_type is None


def test_containers() -> None:
    contract = {
        "schema_contract": "x",
        "note": "n",
        "records": [{"case": "a", "record": ENFORCED}, {"case": "b", "record": ENFORCED}],
    }
    assert len(whole(json.dumps(contract), "assay")[0]) == 2
    assert len(whole(pretty(report({"tool_call_id": "a"})), "assay")[0]) == 1
    assert len(whole(pretty(PROVIDER), "assay")[0]) == 1


@given(mutated([INTENT, DECISION, USED, ENFORCED, PROVIDER, *LAYERS, report({"tool_call_id": "a"})]) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_public_samples(corpus: Path) -> None:
    found: list[Parsed] = []
    for path in sorted((corpus / "assay/Rul1an__assay").iterdir()):
        if path.stat().st_size and "__mcp__edge_case.json" not in path.name:
            form, parsed, reasons = all_of(path)
            assert (form, reasons) == ("otlp" if path.name.endswith("_3__trace.json") else "assay", []), path.name
            assert not any(p.unknown_type for p in parsed), path.name
            found += parsed
    assert len(found) == 57
    events = [e for p in found for e in p.events]
    assert sum(e.kind is EventKind.DECISION and e.phase is Phase.VERDICT for e in events) == 12
    done = joined(*found)
    (run,) = [chain for chain in done.chains.values() if any(s.call == "call:tc_runner_policy_001" for s in chain.steps)]
    assert run.task.scope == "session:run_arm_c_20260524T220636Z_3"
    assert run.task.agent == "openai-agents"
    mandates = [chain for chain in done.chains.values() if chain.intents]
    assert [len(chain.steps) for chain in mandates] == [1, 1]
