"""nono: the hash chain is computed again and a break is said; decisions on capabilities, addresses and connections."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given

from importers.nono import BROKEN, IMPORTER
from lang.redact import Redactor
from model.event import BadRecord, Parsed
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import JSON, joined, mutated, names, only, read, survives, whole

SESSION = "20260601-100000-4711"
Record = dict[str, object]


def request(**members: object) -> Record:
    return {"request_id": "r1", "child_pid": 7, "session_id": SESSION} | members


EVENTS: list[Record] = [
    {"type": "session_started", "started": "2026-06-01T10:00:00Z", "command": ["claude", "-p", "fix it"]},
    {"type": "capability_decision", "entry": {
        "timestamp": "2026-06-01T10:00:01Z", "request": request(path="/home/dev/.aws/credentials", access="Read", reason="needs keys"),
        "decision": {"Denied": {"reason": "outside the workspace"}}, "backend": "terminal", "duration_ms": 900}},
    {"type": "capability_decision", "entry": {
        "timestamp": "2026-06-01T10:00:02Z", "request": request(request_id="r2", path="/tmp/x", access="ReadWrite"),
        "decision": "Granted", "backend": "terminal", "duration_ms": 9}},
    {"type": "url_open", "request": request(request_id="r3", url="https://login.example/x"), "success": True, "error": None},
    {"type": "network", "event": {"timestamp_unix_ms": 1780308003000, "mode": "reverse", "decision": "allow", "target": "api.example",
                                  "port": 443, "method": "POST", "path": "/v1/messages", "status": 200, "reason": None}},
    {"type": "network", "event": {"timestamp_unix_ms": 1780308004000, "mode": "connect", "decision": "deny", "target": "10.0.0.1",
                                  "port": 22, "method": None, "path": None, "status": None, "reason": "denied_cidr"}},
    {"type": "session_ended", "ended": "2026-06-01T10:00:09Z", "exit_code": 0},
]  # fmt: skip


def chained(events: list[Record]) -> list[Record]:
    """The records nono writes of these events (alpha scheme)."""
    found: list[Record] = []
    previous: bytes | None = None
    for n, event in enumerate(events):
        text = json.dumps(event, separators=(",", ":"))
        leaf = sha256(b"nono.audit.event.alpha\n" + text.encode()).digest()
        chain = sha256(b"nono.audit.chain.alpha\n" + (previous or bytes(32)) + leaf).digest()
        found.append(
            {
                "sequence": n,
                "prev_chain": previous.hex() if previous else None,
                "leaf_hash": leaf.hex(),
                "chain_hash": chain.hex(),
                "event_json": text,
                "event": event,
            }
        )
        previous = chain
    return found


def all_read(records: list[Record]) -> list[Parsed]:
    parsed, rejects = whole("\n".join(json.dumps(record) for record in records), "nono")
    assert not rejects
    return parsed


def broken(records: list[Record]) -> list[str]:
    return [p.unknown_type for p in all_read(records) if p.unknown_type]


def test_a_whole_chain_is_silent_and_one_task() -> None:
    parsed = all_read(chained(EVENTS))
    assert not any(p.unknown_type or any(BROKEN in str(e.attrs) for e in p.events) for p in parsed)
    (chain,) = joined(*parsed).chains.values()
    assert chain.task.scope == f"session:{SESSION}"
    assert not joined(*parsed).unattributed


def test_changed_event_is_said() -> None:
    records = chained(EVENTS)
    changed = json.loads(json.dumps(records[1]).replace("outside the workspace", "fine"))
    assert broken([records[0], changed, *records[2:]]) == [
        f"{BROKEN}: the event was changed: leaf_hash does not match event_json"
    ]
    parsed = all_read([records[0], changed])
    assert str(only(parsed[1].events, EventKind.DECISION).attrs["status"]).startswith(BROKEN)
    only_event = {**records[1], "event": EVENTS[2]}
    assert broken([records[0], only_event]) == [f"{BROKEN}: event differs from event_json"]


def test_removed_swapped_and_forged_records_are_said() -> None:
    records = chained(EVENTS)
    assert broken([records[0], *records[2:]]) == [f"{BROKEN}: record 2 follows record 0"]
    assert len(broken([records[0], records[2], records[1], *records[3:]])) == 3
    forged = {**records[2], "chain_hash": "ab" * 32}
    assert broken([*records[:2], forged]) == [f"{BROKEN}: chain_hash does not follow from prev_chain and leaf_hash"]
    stray = {**records[0], "prev_chain": "ab" * 32}
    assert broken([stray]) == [f"{BROKEN}: the first record names a predecessor"]


def test_a_log_that_begins_later_and_files_one_after_another_are_no_break() -> None:
    records = chained(EVENTS)
    assert broken(records[3:]) == []
    assert broken([*records, *chained(EVENTS[:2])]) == []


def test_a_redacted_record_cannot_be_checked_and_is_not_called_broken() -> None:
    token = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
    records = chained(
        [EVENTS[0], {"type": "session_started", "started": "2026-06-01T10:00:00Z", "command": ["curl", "-H", token]}]
    )
    redactor = Redactor(b"k" * 32)
    lines = [redactor.redact(json.dumps(record).encode()).data.decode() for record in records]
    assert token not in lines[1]
    parsed, _ = whole("\n".join(lines), "nono")
    assert [p.unknown_type for p in parsed] == [None, None]


def test_decisions() -> None:
    denied, granted = (only(read(IMPORTER, record).events, EventKind.DECISION) for record in chained(EVENTS)[1:3])
    assert denied.decision is not None
    assert granted.decision is not None
    assert (denied.decision.effect, denied.decision.reason, denied.decision.by) == (
        Effect.DENY,
        "outside the workspace",
        "nono:terminal",
    )
    assert (denied.verb, denied.target.name) == (Verb.FILE_READ, "/home/dev/.aws/credentials")
    assert (granted.decision.effect, granted.verb) == (Effect.ALLOW, Verb.FILE_WRITE)
    assert names(denied, KeyRole.CALL) == ["nono.request:r1"]
    timeout = chained([{**EVENTS[1], "entry": {**EVENTS[1]["entry"], "decision": "Timeout"}}])[0]  # type: ignore[dict-item]
    late = only(read(IMPORTER, timeout).events, EventKind.DECISION).decision
    assert late is not None
    assert (late.effect, late.reason) == (Effect.DENY, "no answer in time")


def test_network_and_addresses() -> None:
    opened, allowed, refused = (read(IMPORTER, record).events for record in chained(EVENTS)[3:6])
    outcome = only(opened, EventKind.EFFECT).outcome
    assert outcome is not None
    assert outcome.effect is Tri.YES
    assert only(allowed, EventKind.EFFECT).target.name == "api.example"
    assert only(allowed, EventKind.DECISION).at == 1_780_308_003_000_000
    verdict = only(refused, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.reason, verdict.verb) == (Effect.DENY, "denied_cidr", Verb.NET_CONNECT)


@pytest.mark.parametrize(
    ("word", "effect", "by"),
    [
        ("approve_requested", Effect.ASK, "nono"),
        ("approve_granted", Effect.ALLOW, "nono:terminal"),
        ("approve_denied", Effect.DENY, "nono:terminal"),
        ("approve_timeout", Effect.DENY, "nono:terminal"),
        ("approve_error", Effect.DENY, "nono:terminal"),
    ],
)
def test_what_somebody_was_asked_about_a_request_and_answered(word: str, effect: Effect, by: str) -> None:
    asked = {
        "timestamp_unix_ms": 1780308003000, "mode": "connect_intercept", "decision": word, "target": "api.example", "port": 443,
        "method": "DELETE", "path": "/v1/x", "approval_backend": "terminal", "endpoint_policy_rule": "deletes", "reason": "why",
    }  # fmt: skip
    (record,) = chained([{"type": "network", "event": asked}])
    verdict = only(read(IMPORTER, record).events, EventKind.DECISION).decision
    assert verdict is not None
    assert (verdict.effect, verdict.rule, verdict.reason, verdict.by) == (effect, "deletes", "why", by)


def test_a_route_with_an_identity_of_its_own_says_who_asks_and_for_whom() -> None:
    context = {"workload_spiffe_id": "spiffe://acme/agent", "delegation": {"authorized_by": "session-7", "on_behalf_of": "dana"}}
    asked = {
        "timestamp_unix_ms": 1780308003000,
        "mode": "reverse",
        "decision": "allow",
        "target": "api",
        "spiffe_context": context,
    }
    (record,) = chained([{"type": "network", "event": asked}])
    who = only(read(IMPORTER, record).events, EventKind.DECISION).principal
    assert who is not None
    assert (who.name, who.kind, who.on_behalf_of) == ("spiffe://acme/agent", "workload", "dana")


def test_commands_inside_the_sandbox_and_connections_that_failed() -> None:
    asked = {"timestamp": "2026-06-01T10:00:05Z", "session_id": SESSION, "command": "git", "caller": "root", "stdio_mode": "inherit",
             "argv_display": ["git", "push", "origin", "main"], "cwd_display": "/w"}  # fmt: skip
    called = {"timestamp_unix_ms": 1780308004000, "mode": "connect", "decision": "deny", "target": "api.example", "port": 443}
    runtime = {"timestamp": "2026-06-01T10:00:00Z", "platform": "linux", "tool_sandbox_active": True}
    denied, ran, refused, away, began = all_read(
        chained(
            [
                {
                    "type": "command_policy",
                    "event": asked | {"decision": "deny", "reason": "push is not granted", "exit_code": None},
                },
                {"type": "command_policy", "event": asked | {"decision": "allow", "reason": None, "exit_code": 1}},
                {"type": "network", "event": called | {"denial_category": "endpoint_policy", "reason": "no such route"}},
                {"type": "network", "event": called | {"denial_category": "upstream_connect_failed", "reason": "refused"}},
                {"type": "sandbox_runtime", "event": runtime},
            ]
        )
    )
    verdict = only(denied.events, EventKind.DECISION)
    assert verdict.decision and (verdict.decision.effect, verdict.verb) == (Effect.DENY, Verb.EXEC)
    assert (verdict.attrs["command"], denied.unknown_type) == ("git push origin main", None)
    assert [event.kind for event in denied.events] == [EventKind.DECISION]
    result = only(ran.events, EventKind.ACTION, Phase.RESULT)
    assert result.outcome and result.outcome.tool is Tri.NO
    policy = only(refused.events, EventKind.DECISION).decision
    assert policy and (policy.effect, policy.rule, policy.reason) == (Effect.DENY, "endpoint_policy", "no such route")
    failed = only(away.events, EventKind.EFFECT).outcome
    assert failed and failed.effect is Tri.NO and len(away.events) == 1
    assert (began.events, began.unknown_type) == ([], None)


def test_unknown_events_are_kept_and_others_refused() -> None:
    (parsed,) = all_read(chained([{"type": "policy_override_applied", "jti": "x"}]))
    assert parsed.unknown_type == "policy_override_applied"
    with pytest.raises(BadRecord, match=r"needs sequence and event\.type"):
        read(IMPORTER, {"sequence": 1})
    with pytest.raises(BadRecord, match="no SHA-256"):
        read(IMPORTER, chained(EVENTS)[0] | {"leaf_hash": "x"})


def test_life_of_a_session() -> None:
    parsed = all_read(chained(EVENTS))
    assert [p.events[0].phase for p in (parsed[0], parsed[-1])] == [Phase.STARTED, Phase.ENDED]


@given(mutated(chained(EVENTS)) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


SUMMARY: Record = {
    "session_id": SESSION,
    "started": "2026-06-01T14:00:00Z",
    "ended": "2026-06-01T14:05:00Z",
    "command": ["claude", "-p", "go on"],
    "tracked_paths": ["/home/dana/pay"],
    "snapshot_count": 2,
    "exit_code": 1,
    "merkle_roots": ["a" * 64],
    "network_events": [
        {"timestamp_unix_ms": 1780322401000, "mode": "connect", "decision": "allow", "target": "api.acme.example", "port": 443},
        {
            "timestamp_unix_ms": 1780322402000,
            "mode": "connect",
            "decision": "deny",
            "target": "evil.example",
            "port": 443,
            "reason": "host",
        },
    ],
}


@pytest.mark.parametrize("indent", [None, 2])
def test_a_session_without_an_audit_log_is_told_by_its_own_file(indent: int | None) -> None:
    parsed, rejects = whole(json.dumps(SUMMARY, indent=indent), "nono")
    events = [event for one in parsed for event in one.events]
    assert rejects == []
    assert [(e.phase, e.decision and e.decision.effect) for e in events] == [
        (Phase.STARTED, None),
        (Phase.VERDICT, Effect.ALLOW),
        (Phase.VERDICT, Effect.DENY),
        (Phase.ENDED, None),
    ]
    assert [e.target.name for e in events[1:3]] == ["api.acme.example", "evil.example"]
    assert all(names(e, KeyRole.SCOPE) == [f"session:{SESSION}"] for e in events)
    assert (events[0].attrs["command"], events[0].attrs.get("status"), events[3].attrs["status"]) == (
        "claude -p 'go on'",
        None,
        "1",
    )


def test_what_the_audit_log_tells_its_summary_does_not_tell_again() -> None:
    summed = {"hash_algorithm": "sha256", "event_count": 4, "chain_head": "b" * 64, "merkle_root": "c" * 64}
    parsed, rejects = whole(json.dumps({**SUMMARY, "audit_event_count": 4, "audit_integrity": summed}), "nono")
    assert (rejects, [event for one in parsed for event in one.events]) == ([], [])
    begun = {**SUMMARY, "ended": None, "exit_code": None, "network_events": []}
    assert [e.phase for one in whole(json.dumps(begun), "nono")[0] for e in one.events] == [Phase.STARTED]
