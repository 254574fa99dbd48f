"""agentsh: verdicts in effect, redirects and approvals, one step per command, and what was seen under it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from importers.agentsh import IMPORTER
from model.event import BadRecord
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from tests.importer_checks import JSON, all_of, joined, mutated, names, only, read, survives

Record = dict[str, object]


def event(kind: str, **members: object) -> Record:
    return {
        "id": f"evt-{kind}",
        "timestamp": "2026-06-01T10:00:00.000Z",
        "type": kind,
        "session_id": "sess-1",
        "command_id": "cmd-1",
    } | members


def policy(decision: str, effective: str = "", **more: object) -> Record:
    return {
        "decision": decision,
        "effective_decision": effective or decision,
        "rule": "commands.r[0]",
        "message": "says so",
    } | more


CHECK = event(
    "command_policy", operation="command_precheck", policy=policy("allow"), fields={"command": "git", "args": ["push", "a b"]}
)


def test_verdict_on_a_command() -> None:
    verdict = only(read(IMPORTER, CHECK).events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.rule, verdict.decision.reason) == (Effect.ALLOW, "commands.r[0]", "says so")
    assert (verdict.verb, verdict.attrs["command"]) == (Verb.EXEC, "git push 'a b'")
    assert names(verdict, KeyRole.SCOPE) == ["session:sess-1"]
    assert names(verdict, KeyRole.CALL) == ["agentsh.command:sess-1/cmd-1"]


@pytest.mark.parametrize(
    ("stated", "effect", "reason", "redirected"),
    [
        (policy("deny"), Effect.DENY, "says so", None),
        (policy("approve", "allow", approval={"required": True, "id": "apr-1"}), Effect.ALLOW,
         "decided approve, in effect allow; says so", None),
        (policy("approve", "deny"), Effect.DENY, "decided approve, in effect deny; says so", None),
        (policy("redirect", "allow", redirect={"from_command": "python", "to_command": "python3"}), Effect.ALLOW,
         "decided redirect, in effect allow: python became python3; says so", True),
        (policy("approve"), Effect.ASK, "says so", None),
    ],
)  # fmt: skip
def test_what_was_done_is_the_verdict_and_what_was_decided_its_reason(
    stated: Record, effect: Effect, reason: str, redirected: bool | None
) -> None:
    verdict = only(read(IMPORTER, CHECK | {"policy": stated}).events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.reason, verdict.attrs.get("redirected")) == (effect, reason, redirected)


def test_one_command_is_one_step() -> None:
    records = [
        event("session_created", command_id=None, fields={"workspace": "/home/dev/pay", "policy": "default"}),
        CHECK,
        event("command_started", fields={"command": "git", "args": ["push"]}),
        event("file_read", path="/home/dev/pay/.env", policy=policy("allow"), fields={}),
        event("command_finished", fields={"exit_code": 3, "duration_ms": 126}),
    ]
    parsed = [read(IMPORTER, record) for record in records]
    assert [[(e.kind.value, e.phase.value) for e in p.events] for p in parsed] == [
        [("action", "started")],
        [("decision", "verdict")],
        [("action", "call")],
        [("decision", "verdict"), ("effect", "observed")],
        [("action", "result")],
    ]
    (chain,) = joined(*parsed).chains.values()
    (step,) = chain.steps
    assert (len(step.decisions), len(step.effects), step.outcome.tool, step.verb) == (2, 1, Tri.NO, Verb.EXEC)


@pytest.mark.parametrize(
    ("record", "verb", "cls", "name"),
    [
        (event("file_write", path="/a/b", policy=policy("allow")), Verb.FILE_WRITE, TargetClass.FILESYSTEM, "/a/b"),
        (event("file_soft_deleted", path="/a/b"), Verb.FILE_DELETE, TargetClass.FILESYSTEM, "/a/b"),
        (event("net_connect", domain="api.example", remote="1.2.3.4:443"), Verb.NET_CONNECT, TargetClass.NETWORK, "api.example"),
        (event("dns_query", domain="api.example"), Verb.NET_CONNECT, TargetClass.NETWORK, "api.example"),
        (event("registry_read", operation="read", path="HKLM\\X"), Verb.FILE_READ, TargetClass.FILESYSTEM, "HKLM\\X"),
        (event("soft_delete", operation="delete", path="/a/b"), Verb.FILE_DELETE, TargetClass.FILESYSTEM, "/a/b"),
        (
            event("secret_access", fields={"provider": "vault", "secret_name": "pat"}),
            Verb.SECRET_READ,
            TargetClass.SECRET_STORE,
            "pat",
        ),
    ],
)
def test_effects(record: Record, verb: Verb, cls: TargetClass, name: str) -> None:
    effect = only(read(IMPORTER, record).events, EventKind.EFFECT)
    assert (effect.verb, effect.target.cls, effect.target.name, effect.vantage) == (verb, cls, name, Vantage.WITNESS)
    assert effect.outcome is not None
    assert effect.outcome.effect is Tri.YES


def test_what_was_refused_took_no_effect() -> None:
    events = read(IMPORTER, event("file_read", path="/etc/shadow", policy=policy("deny"))).events
    outcome = only(events, EventKind.EFFECT).outcome
    assert outcome is not None
    assert (outcome.effect, outcome.permitted) == (Tri.NO, Effect.DENY)
    waiting = read(IMPORTER, event("file_write", path="/a", policy=policy("approve"))).events
    outcome = only(waiting, EventKind.EFFECT).outcome
    assert outcome is not None
    assert outcome.effect is Tri.UNKNOWN
    blocked = read(IMPORTER, event("registry_blocked", path="HKLM\\Run", fields={"reason": "persistence"})).events
    decision = only(blocked, EventKind.DECISION).decision
    assert decision is not None
    assert (decision.effect, decision.reason) == (Effect.DENY, "persistence")


TOOL = {"server_id": "s", "tool_name": "t", "tool_call_id": "toolu_1"}


@pytest.mark.parametrize(
    ("kind", "said", "effect", "done"),
    [
        ("mcp_tool_call_intercepted", {"action": "block", "reason": "not listed"}, Effect.DENY, Tri.NO),
        ("mcp_tool_call_intercepted", {"action": "allow"}, Effect.ALLOW, Tri.UNKNOWN),
        ("mcp_tool_called", {}, None, Tri.UNKNOWN),
    ],
)
def test_a_call_on_its_way_to_the_server_is_not_yet_done(kind: str, said: Record, effect: Effect | None, done: Tri) -> None:
    events = read(IMPORTER, event(kind, command_id=None, fields=TOOL | said)).events
    assert [e.decision.effect for e in events if e.decision] == ([effect] if effect else [])
    seen = only(events, EventKind.EFFECT)
    assert seen.outcome is not None
    assert (seen.outcome.effect, seen.target.name, names(seen, KeyRole.CALL)) == (done, "s", ["call:toolu_1"])


def test_what_the_gateway_judged_by_itself_is_no_part_of_a_tools_call() -> None:
    records = [
        event("session_created", command_id=None),
        event("mcp_tool_call_intercepted", command_id=None, fields=TOOL | {"action": "allow"}, timestamp="2026-06-01T10:00:01Z"),
        CHECK | {"timestamp": "2026-06-01T10:00:02Z"},
        event(
            "unix_socket_blocked",
            command_id=None,
            path="/run/docker.sock",
            policy=policy("deny"),
            timestamp="2026-06-01T10:00:03Z",
        ),
    ]
    (chain,) = joined(*(read(IMPORTER, one) for one in records)).chains.values()
    assert [(one.verb, one.outcome.permitted) for one in chain.steps] == [
        (Verb.MCP_CALL, Effect.ALLOW),
        (Verb.EXEC, Effect.ALLOW),
        (Verb.NET_CONNECT, Effect.DENY),
    ]


@pytest.mark.parametrize("kind", ["mcp_tool_seen", "mcp_tool_changed", "mcp_detection"])
def test_what_a_server_says_of_its_tools_is_no_call(kind: str) -> None:
    parsed = read(IMPORTER, event(kind, fields=TOOL))
    assert (parsed.events, parsed.unknown_type) == ([], None)


@pytest.mark.parametrize(
    ("kind", "said", "effect", "reason"),
    [
        ("approval_requested", {"message": "npm publish needs a person"}, Effect.ASK, "npm publish needs a person"),
        ("approval_resolved", {"approved": True, "reason": "local tty"}, Effect.ALLOW, "local tty"),
        ("approval_resolved", {"approved": False, "reason": "approval timeout"}, Effect.DENY, "approval timeout"),
    ],
)
def test_what_a_person_was_asked_and_answered(kind: str, said: Record, effect: Effect, reason: str) -> None:
    asked = {"approval_id": "approval-1", "kind": "command", "target": "npm", "rule": "r", "command": "npm", "args": ["publish"]}
    verdict = only(read(IMPORTER, event(kind, fields=asked | said)).events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.rule, verdict.decision.reason) == (effect, "r", reason)
    assert (verdict.verb, verdict.attrs["command"]) == (Verb.EXEC, "npm publish")
    assert names(verdict, KeyRole.CALL) == ["agentsh.command:sess-1/cmd-1", "agentsh.approval:approval-1"]


def test_a_blocked_system_call_is_a_refusal_and_a_failed_request_no_success() -> None:
    blocked = only(read(IMPORTER, event("seccomp_blocked", fields={"syscall": "ptrace"})).events, EventKind.DECISION)
    assert blocked.decision is not None
    assert (blocked.decision.effect, blocked.decision.reason) == (Effect.DENY, "seccomp_blocked ptrace")
    asked = event("net_http_request", domain="api.example", fields={"method": "POST", "status": 502})
    outcome = only(read(IMPORTER, asked).events, EventKind.EFFECT).outcome
    assert outcome is not None
    assert outcome.effect is Tri.NO
    ended = only(read(IMPORTER, event("process_end", fields={"exit_code": 2})).events, EventKind.ACTION)
    assert (ended.phase, ended.outcome and ended.outcome.tool) == (Phase.RESULT, Tri.NO)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"type": "command_policy", "timestamp": "2026-06-01T10:00:00Z"}, "needs type and session_id"),
        ({"type": "command_policy", "session_id": "s"}, "without a readable timestamp"),
    ],
)
def test_refused(record: Record, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        read(IMPORTER, record)


def test_unknown_types_are_kept() -> None:
    assert read(IMPORTER, event("quantum_leap")).unknown_type == "quantum_leap"
    assert read(IMPORTER, event("cgroup_applied")).unknown_type is None


@given(mutated([CHECK, event("net_connect", domain="x", policy=policy("deny"), fields={})]) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_public_samples(corpus: Path) -> None:
    form, parsed, reasons = all_of(corpus / "agentsh/canyonroad__agentsh/examples__sample-events.jsonl")
    assert (form, len(parsed), reasons) == ("agentsh", 56, [])
    events = [e for p in parsed for e in p.events]
    assert sum(e.kind is EventKind.DECISION for e in events) == 33
    assert sum(e.phase is Phase.CALL for e in events) == sum(e.phase is Phase.RESULT for e in events) == 11
    assert not any(p.unknown_type for p in parsed)
