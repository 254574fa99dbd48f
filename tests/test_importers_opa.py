"""OPA decision logs: containers, answers in every shape, and what `input` says of who asked for what in which session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.opa import IMPORTER
from importers.opa_result import decided, plain
from importers.shared.api_calls import classify
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Vantage, Verb
from tests.importer_checks import JSON, mutated, names, only, pretty, read, survives, whole

SESSION = "8f0c6a8e-3f57-4d6e-9a5e-3c6f5f0f9a11"
TRACE = "7c0f0f833eef36062b3fe9d11f8ade7e"


def log(**members: object) -> dict[str, object]:
    return {
        "decision_id": "4c20c9e5-4b16-4a0b-b4f8-c9d36b06da92",
        "labels": {"id": "d0a69786", "version": "1.9.0"},
        "bundles": {"agents": {"revision": "r7"}},
        "path": "agents/allow",
        "input": {},
        "result": True,
        "timestamp": "2026-01-05T20:54:47.36661959Z",
        "type": "openpolicyagent.org/decision_logs",
    } | members


def ask(asked: object, **members: object) -> Event:
    return only(read(IMPORTER, log(input=asked, **members)).events, EventKind.DECISION)


def envoy(path: str = "/", method: str = "GET", host: str = "example.com", **headers: str) -> dict[str, object]:
    http = {"method": method, "path": path, "host": host, "id": "6079090369556950701", "headers": headers}
    return {"attributes": {"request": {"http": http}, "source": {"address": {"socketAddress": {"address": "10.0.0.7"}}}}}


@pytest.mark.parametrize(
    ("path", "result", "effect"),
    [
        ("agents/is_denied", True, Effect.DENY), ("agents/is_denied", False, Effect.ALLOW), ("agents/deny_reasons", ["x"], Effect.DENY),
        ("agents/not_allowed", True, Effect.DENY), ("agents/not_allowed", False, Effect.ALLOW), ("agents/isDenied", True, Effect.DENY),
        ("agents/unauthorized", True, Effect.DENY), ("agents/deny", {"no pushes": True}, Effect.DENY), ("agents/deny", {}, Effect.ALLOW),
        ("agents/isAllowed", True, Effect.ALLOW), ("agents/notDenied", True, Effect.ALLOW),
        ("agents/not_denied", True, Effect.ALLOW), ("agents/allow_or_deny", True, Effect.ALLOW), ("agents/blocklist", True, Effect.ALLOW),
    ],
)  # fmt: skip
def test_a_rule_named_after_a_refusal_refuses_where_it_holds(path: str, result: object, effect: Effect) -> None:
    assert decided({"result": result}, path).effect is effect


@pytest.mark.parametrize(
    ("path", "result", "effect"),
    [
        ("agents/requires_approval", True, Effect.ASK),
        ("agents/requiresApproval", True, Effect.ASK),
        ("agents/review_required", ["prod"], Effect.ASK),
        ("agents/requires_approval", False, Effect.UNKNOWN),
        ("agents/needs_review", [], Effect.UNKNOWN),
        ("agents/require_mfa", True, Effect.UNKNOWN),
        ("agents/warn", True, Effect.UNKNOWN),
        ("agents/approval_granted", True, Effect.ALLOW),
        ("agents/has_required_role", True, Effect.ALLOW),
        ("agents", {"allow": True, "needs_review": True}, Effect.ASK),
    ],
)
def test_a_rule_named_after_a_question_or_a_condition_lets_nothing_through(path: str, result: object, effect: Effect) -> None:
    """That nothing is asked for, or something more is needed, is neither leave nor a refusal."""
    assert decided({"result": result}, path).effect is effect


def test_a_decision() -> None:
    parsed = read(IMPORTER, log())
    (event,) = parsed.events
    assert (event.kind, event.phase, event.vantage, event.point) == (
        EventKind.DECISION,
        Phase.VERDICT,
        Vantage.ENFORCER,
        "opa:agents/allow",
    )
    assert parsed.identity == "4c20c9e5-4b16-4a0b-b4f8-c9d36b06da92"
    assert event.decision is not None
    assert (event.decision.effect, event.decision.policy, event.decision.by) == (Effect.ALLOW, "agents@r7", "opa:agents/allow")
    assert event.attrs["policy_revision"] == "r7"
    assert event.at == 1_767_646_487_366_619


@pytest.mark.parametrize(
    ("result", "effect", "rule", "reason"),
    [
        (True, Effect.ALLOW, "", ""),
        (False, Effect.DENY, "", ""),
        ({"allow": True}, Effect.ALLOW, "", ""),
        ({"allowed": False, "reason": ["no ticket", "prod"]}, Effect.DENY, "", "no ticket; prod"),
        ({"allowed": True, "reason": [], "rule": "default-allow"}, Effect.ALLOW, "default-allow", ""),
        ({"decision": "deny", "rule_id": "R7", "reason": "prod is closed"}, Effect.DENY, "R7", "prod is closed"),
        ({"decision": "ask", "reason": "needs_human"}, Effect.ASK, "needs_human", "needs_human"),
        ({"effect": "PERMIT"}, Effect.ALLOW, "", ""),
        ({"allow": True, "deny": ["secrets"]}, Effect.DENY, "secrets", "secrets"),
        ({"deny": []}, Effect.ALLOW, "", ""),
        ({"is_denied": True}, Effect.DENY, "", ""),
        ({"should_block": False}, Effect.ALLOW, "", ""),
        ({"allow": True, "deny_reasons": ["none held"]}, Effect.ALLOW, "", "none held"),
        ({"deny": [{"msg": "m n"}]}, Effect.DENY, "", "m n"),
        ({"allowed": False, "requires_approval": True}, Effect.ASK, "", ""),
        ({"allow": False, "violations": ["a b"]}, Effect.DENY, "", "a b"),
        ({"violations": ["a b"]}, Effect.DENY, "", "a b"),
        ({"allowed": True, "violations": ["a b"]}, Effect.ALLOW, "", "a b"),
        ({"authz": {"allow": False, "rule": "x"}, "helpers": {"n": 1}}, Effect.DENY, "x", ""),
        ({"authz": {"allow": False}, "other": {"allow": True}}, Effect.UNKNOWN, "", "the result states no decision"),
        ({"score": 3}, Effect.UNKNOWN, "", "the result states no decision"),
        ("deny", Effect.DENY, "", ""),
        (None, Effect.UNKNOWN, "", "the result states no decision"),
        ([], Effect.UNKNOWN, "", "the result states no decision"),
    ],
)
def test_answers(result: object, effect: Effect, rule: str, reason: str) -> None:
    decision = ask({}, result=result).decision
    assert decision is not None
    assert (decision.effect, decision.rule, decision.reason) == (effect, rule, reason)


@pytest.mark.parametrize(
    ("result", "effect"),
    [(True, Effect.DENY), (False, Effect.ALLOW), (["no"], Effect.DENY), ([], Effect.ALLOW), ([{"msg": "m"}], Effect.DENY)],
)
def test_a_rule_that_denies_is_read_the_other_way_round(result: object, effect: Effect) -> None:
    for path in ("kubernetes/admission/deny", "main/violation"):
        decision = ask({}, path=path, result=result).decision
        assert decision is not None
        assert decision.effect is effect


def test_undefined_is_unknown_and_an_error_says_why() -> None:
    record = log()
    del record["result"]
    decision = only(read(IMPORTER, record).events, EventKind.DECISION).decision
    assert decision is not None
    assert (decision.effect, decision.reason) == (Effect.UNKNOWN, "undefined")
    decision = only(
        read(IMPORTER, record | {"error": {"code": "eval_conflict_error", "message": "conflict"}}).events, EventKind.DECISION
    ).decision
    assert decision is not None
    assert (decision.effect, decision.reason) == (Effect.UNKNOWN, "conflict")


def test_policy_is_the_bundle_and_never_opas_own_version() -> None:
    decision = ask({}, bundles={"b": {"revision": "2"}, "a": {}}).decision
    assert decision is not None
    assert decision.policy == "a,b@2"
    decision = ask({}, bundles=None).decision
    assert decision is not None
    assert decision.policy == ""
    assert ask({}, bundles=None, revision="9").attrs["policy_revision"] == "9"


def test_query_instead_of_path() -> None:
    record = log(query="data.authz.main")
    del record["path"]
    assert only(read(IMPORTER, record).events, EventKind.DECISION).point == "opa:authz/main"


@pytest.mark.parametrize(
    ("query", "point"),
    [("data.authz.allow = true", "opa:authz/allow"), ('assign(x, rand.intn("a", 15))', "opa"), ("data", "opa"), ("", "opa")],
)
def test_a_query_asked_by_hand_is_no_rules(query: str, point: str) -> None:
    record = {name: value for name, value in log(query=query, result=[{"x": 3}]).items() if name != "path"}
    assert only(read(IMPORTER, record).events, EventKind.DECISION).point == point


def test_authzens_answer_says_why_in_its_context() -> None:
    answer = {"decision": False, "context": {"reason_admin": {"en": "not an owner", "403": "C1"}, "reason_user": {"en": "no"}}}
    asked = {"subject": {"type": "user", "id": "alice"}, "action": {"name": "share"}, "resource": {"type": "todo", "id": "7"}}
    event = ask(asked, result=answer, batch_decision_id="b", intermediate_results={"a": 1}, custom={"tenant": "t"})
    assert event.decision is not None
    assert (event.decision.effect, event.decision.reason) == (Effect.DENY, "not an owner; C1")
    assert event.principal is not None
    assert (event.principal.name, event.tool, event.target.name, event.target.detail) == ("alice", "share", "7", "todo")


def test_time_of_the_console_where_there_is_no_timestamp() -> None:
    assert ask({}, timestamp=None, time="2026-01-05T20:54:47Z").at == 1_767_646_487_000_000


def test_envoy_request() -> None:
    event = ask(
        envoy(
            "/pay?x=1",
            "POST",
            "api.acme.example:8443",
            **{"x-request-id": "r-1", "user-agent": "curl", "traceparent": f"00-{TRACE}-8e8bb6c8bfd28f4f-01"},
        )
    )
    assert (event.verb, event.target.cls, event.target.name, event.target.detail) == (
        Verb.HTTP_REQUEST,
        TargetClass.NETWORK,
        "api.acme.example",
        "/pay",
    )
    assert names(event, KeyRole.SCOPE) == [f"trace:{TRACE}"]
    assert names(event, KeyRole.CALL) == [
        "request:r-1",
        "request:6079090369556950701",
        "opa.decision:4c20c9e5-4b16-4a0b-b4f8-c9d36b06da92",
    ]
    assert (event.attrs["host"], event.attrs["user_agent"]) == ("10.0.0.7", "curl")


def test_a_request_id_that_is_the_trace_is_no_call() -> None:
    asked = envoy(traceparent=f"00-{TRACE}-8e8bb6c8bfd28f4f-01")
    asked["attributes"]["request"]["http"]["id"] = TRACE  # type: ignore[index]
    assert names(ask(asked), KeyRole.CALL) == ["opa.decision:4c20c9e5-4b16-4a0b-b4f8-c9d36b06da92"]


CLAIMS: dict[str, object] = {"sub": "e3349fa1", "iss": "https://idp", "jti": "onrtro:293c", "email": "dana@acme.example", "azp": "openweb-ui",
                             "sid": SESSION, "session_state": SESSION, "scope": "profile email", "iat": 1767646479, "exp": 1767650079}  # fmt: skip


def test_the_bearer_token_is_a_use_of_its_own() -> None:
    asked = envoy()
    asked["attributes"] |= {"metadataContext": {"filterMetadata": {"envoy.filters.http.jwt_authn": {"jwt_payload": CLAIMS}}}}  # type: ignore[operator]
    events = read(IMPORTER, log(input=asked)).events
    verdict, use = only(events, EventKind.DECISION), only(events, EventKind.CREDENTIAL)
    assert verdict.principal is not None
    assert verdict.principal.name == "dana@acme.example"
    assert not verdict.keys_of(KeyRole.CREDENTIAL)
    assert not verdict.keys_of(KeyRole.SCOPE), "a login session is no agent session"
    assert names(verdict, KeyRole.REFERENCE) == ["oidc.subject:e3349fa1"]
    assert names(use, KeyRole.CREDENTIAL) == ["jti:onrtro:293c"]
    assert use.credential is not None
    assert (use.credential.ttl_seconds, use.credential.scope, use.credential.issuer) == (
        3600,
        ("profile", "email"),
        "https://idp",
    )


def test_token_exchange_names_agent_and_person() -> None:
    event = ask({"jwt": CLAIMS | {"act": {"sub": "agent-7"}, "agent_session": f"agent-{SESSION}"}, "tool": "Bash"})
    assert event.principal is not None
    assert (event.principal.name, event.principal.on_behalf_of) == ("agent-7", "dana@acme.example")
    assert names(event, KeyRole.SCOPE) == [f"session:{SESSION}"]


@pytest.mark.parametrize(
    ("given", "agent"),
    [
        ({"transcript_path": "/home/dana/.claude/projects/-work/1.jsonl"}, "claude-code"),
        ({"transcript_path": "/home/dana/.codex/sessions/2026/06/01/rollout-1.jsonl", "turn_id": "t"}, "codex"),
        ({"cursor_version": "2.4", "transcript_path": ""}, "cursor"),
        ({"hook_event_name": "BeforeTool"}, "gemini-cli"),
        ({"agent": {"name": "other"}, "transcript_path": "/home/dana/.claude/projects/-work/1.jsonl"}, "other"),
        ({}, ""),
    ],
    ids=["claude-code", "codex", "cursor", "gemini-cli", "stated", "no telling member"],
)
def test_a_hooks_agent_is_told_by_what_only_its_hooks_are_given(given: dict[str, object], agent: str) -> None:
    assert ask({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "ls"}} | given).agent == agent


def test_a_decision_on_a_cursor_hook_is_the_engines_record_and_the_persons() -> None:
    hook = {"hook_event_name": "beforeShellExecution", "conversation_id": SESSION, "generation_id": "g", "cursor_version": "2.4"}
    asked = hook | {"command": "git push origin main", "user_email": "dana@acme.example"}
    record = {"decision_id": "d", "labels": {"id": "o"}, "path": "cursor/allow", "input": asked, "result": {"allow": False}}
    (parsed,), rejects = whole(json.dumps(record | {"timestamp": "2026-06-01T10:00:00Z"}), "opa")
    assert not rejects
    event = only(parsed.events, EventKind.DECISION)
    assert event.decision is not None
    assert event.principal is not None
    assert (event.agent, event.principal.name, event.decision.effect) == ("cursor", "dana@acme.example", Effect.DENY)
    assert event.attrs["command"] == "git push origin main"
    assert names(event, KeyRole.SCOPE) == [f"session:{SESSION}"]


def test_a_hooks_input_is_the_engines_record_where_the_engine_decided_on_it() -> None:
    hook = {"session_id": SESSION, "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "ls"}}
    said = {"hookSpecificOutput": {"permissionDecision": "ask", "permissionDecisionReason": "it is production"}}
    record = {"decision_id": "d", "path": "hooks/pre", "timestamp": "2026-06-01T10:00:00Z", "input": hook, "result": said}
    (parsed,), rejects = whole(json.dumps(record), "opa")
    assert not rejects
    decision = only(parsed.events, EventKind.DECISION).decision
    assert decision is not None
    assert (decision.effect, decision.reason) == (Effect.ASK, "it is production")


def test_a_result_that_was_erased_is_not_undefined() -> None:
    decision = ask({}, erased=["/result"], result=None).decision
    assert decision is not None
    assert decision.effect is Effect.UNKNOWN
    assert decided({"erased": ["/result"]}, "a/allow").reason == "the result was erased from the log"


def test_a_principal_may_say_itself_whom_it_acts_for() -> None:
    asked = {"tool": "github.create_issue", "principal": {"id": "agent-7", "type": "agent", "on_behalf_of": "dana@acme.example"}}
    who = ask(asked).principal
    assert who is not None
    assert (who.name, who.kind, who.on_behalf_of) == ("agent-7", "agent", "dana@acme.example")


@pytest.mark.parametrize(
    ("asked", "name", "kind"),
    [
        ({"user": "dana"}, "dana", "unknown"),
        ({"user": {"name": "dana", "type": "human"}}, "dana", "human"),
        ({"subject": {"id": "spiffe://acme/x"}}, "spiffe://acme/x", "workload"),
        ({"principal": "repo:a/b:ref:x"}, "repo:a/b:ref:x", "workload"),
        ({"agent": "claude-code"}, "claude-code", "agent"),
        ({"agent": {"name": "codex", "version": "1"}, "user": "dana"}, "dana", "unknown"),
        (
            {"attributes": {"request": {"http": {"method": "GET"}}, "source": {"principal": "spiffe://x"}}},
            "spiffe://x",
            "workload",
        ),
        ({"attributes": {"request": {"http": {"headers": {"X-Forwarded-User": "dana"}}}}}, "dana", "unknown"),
    ],
)
def test_principals(asked: object, name: str, kind: str) -> None:
    principal = ask(asked).principal
    assert principal is not None
    assert (principal.name, principal.kind) == (name, kind)


@pytest.mark.parametrize(
    ("asked", "verb", "target", "attrs"),
    [
        ({"tool_name": "Bash", "tool_input": {"command": "git push"}}, Verb.EXEC, "", {"command": "git push"}),
        ({"tool": {"name": "shell", "args": {"command": ["bash", "-lc", "ls -a"]}}}, Verb.EXEC, "", {"command": "ls -a"}),
        ({"tool": "exec", "args": ["git", "commit", "-m", "it's"]}, Verb.EXEC, "", {"command": "git commit -m 'it'\\''s'"}),
        ({"command": "rm -rf x"}, Verb.EXEC, "", {"command": "rm -rf x"}),
        ({"tool": "Write", "tool_input": {"file_path": "/a"}}, Verb.FILE_WRITE, "/a", {"path": "/a"}),
        ({"tool": "mcp__github__create_issue", "input": {"title": "x"}}, Verb.MCP_CALL, "github", {"mcp_server": "github"}),
        ({"tool": "WebFetch", "parameters": {"url": "https://docs.acme.example/x"}}, Verb.HTTP_REQUEST, "docs.acme.example", {}),
        ({"action": "repo.write", "resource": "repo:Acme/Pay"}, Verb.REPO_WRITE, "acme/pay", {}),
        (
            {
                "action": "repo:write",
                "resource": {"type": "repository", "name": "https://github.com/Acme/Pay.git", "branch": "main"},
            },
            Verb.REPO_WRITE,
            "acme/pay",
            {},
        ),
        ({"action": {"name": "read_secret"}, "resource": "secret/data/pay"}, Verb.SECRET_READ, "secret/data/pay", {}),
        ({"action": "secret.read", "resource": "vault:kv/pay"}, Verb.SECRET_READ, "kv/pay", {}),
        ({"request": {"action": "deploy", "resource": {"kind": "pipeline", "id": "pay"}}}, Verb.CI_RUN, "pay", {}),
        (
            {"tool_call": {"name": "x", "arguments": {"path": "p"}}, "tool": "merge_pull_request", "repository": "a/b"},
            Verb.PR_MERGE,
            "a/b",
            {},
        ),
        ({"action": "teleport", "resource": "https://x.example/y"}, Verb.UNKNOWN, "x.example", {}),
    ],
)
def test_agent_tool_calls(asked: object, verb: Verb, target: str, attrs: dict[str, str]) -> None:
    event = ask(asked)
    assert (event.verb, event.target.name) == (verb, target)
    assert attrs.items() <= event.attrs.items()


@pytest.mark.parametrize(
    ("asked", "scopes", "calls"),
    [
        ({"tool": "Bash", "session_id": SESSION, "tool_use_id": "toolu_1"}, [f"session:{SESSION}"], ["call:toolu_1"]),
        ({"tool": "Bash", "context": {"sessionId": f"2026-02-03-{SESSION.upper()}", "toolCallId": "call_2"}}, [f"session:{SESSION}"], ["call:call_2"]),
        ({"tool": "Bash", "session": {"id": "s-1"}, "requestId": "r"}, ["session:s-1"], ["request:r"]),
        ({"tool": "Bash", "task_id": "t-9"}, ["task:t-9"], []),
        ({"tool": "Bash", "task": {"task_id": SESSION}}, [f"session:{SESSION}"], []),
        ({"tool": "Bash", "traceparent": f"00-{TRACE}-8e8bb6c8bfd28f4f-01"}, [f"trace:{TRACE}"], []),
        ({"hook_event_name": "PreToolUse", "session_id": SESSION, "agent_id": "a1b2c3d", "tool_use_id": "toolu_3"},
         [f"claude.agent:{SESSION}/a1b2c3d"], ["call:toolu_3"]),
        ({"attributes": {"request": {"http": {"headers": {"x-agent-session-id": SESSION, "mcp-session-id": "m-1"}}}}},
         [f"session:{SESSION}", "mcp.session:m-1"], []),
    ],
)  # fmt: skip
def test_what_a_question_belongs_to(asked: object, scopes: list[str], calls: list[str]) -> None:
    event = ask(asked)
    assert sorted(names(event, KeyRole.SCOPE)) == sorted(scopes)
    assert [name for name in names(event, KeyRole.CALL) if not name.startswith("opa.decision:")] == calls


def test_a_sub_agents_question_names_its_parent() -> None:
    path = f"/home/dana/.claude/projects/-work/{SESSION}.jsonl"
    event = ask({"hook_event_name": "PreToolUse", "session_id": SESSION, "agent_id": "a1b2c3d", "transcript_path": path})
    assert names(event, KeyRole.PARENT) == [f"session:{SESSION}"]
    assert event.agent == "claude-code"


def test_facts_around_a_question() -> None:
    asked = {"tool": "Bash", "cwd": "/w", "repository": "git@github.com:Acme/Pay.git", "environment": "prod", "ticket": "PAY-118",
             "permission_mode": "plan", "agent": {"name": "claude-code", "version": "2.1.42"}, "origin": "endpoint"}  # fmt: skip
    event = ask(asked)
    expected = {
        "cwd": "/w",
        "repository": "acme/pay",
        "environment": "prod",
        "ticket": "PAY-118",
        "mode": "plan",
        "agent_version": "2.1.42",
        "origin": "endpoint",
    }
    assert expected.items() <= event.attrs.items()
    assert names(event, KeyRole.REFERENCE) == ["ticket:PAY-118"]


def test_http_api_input() -> None:
    event = ask({"method": "GET", "path": ["finance", "salary", "alice"], "user": "bob"})
    assert (event.verb, event.target.detail) == (Verb.HTTP_REQUEST, "/finance/salary/alice")
    assert event.principal is not None
    assert event.principal.name == "bob"


def test_mcp_call_through_a_gateway() -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "create_issue", "arguments": {"path": "x"}, "_meta": {"claudecode/toolUseId": "toolu_9"}}}  # fmt: skip
    event = ask(envoy("/mcp", "POST", "tracker.acme.example") | {"parsed_body": body})
    assert (event.verb, event.target.cls, event.target.name, event.tool) == (
        Verb.MCP_CALL,
        TargetClass.MCP_SERVER,
        "tracker.acme.example",
        "create_issue",
    )
    assert "call:toolu_9" in names(event, KeyRole.CALL)


@pytest.mark.parametrize("below", ["", "request", "mcp"])
def test_an_mcp_message_handed_on_as_it_is(below: str) -> None:
    params = {"name": "create_issue", "arguments": {"command": "ls"}, "_meta": {"claudecode/toolUseId": "toolu_9"}}
    message = {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": params}
    event = ask(({below: message} if below else message) | {"server": "github", "user": "dana"})
    assert (event.verb, event.tool, event.target.cls, event.target.name) == (
        Verb.MCP_CALL, "create_issue", TargetClass.MCP_SERVER, "github",
    )  # fmt: skip
    assert event.attrs["command"] == "ls"
    assert "call:toolu_9" in names(event, KeyRole.CALL)


def test_an_admission_answers_reason_stands_in_its_status() -> None:
    answer = {"kind": "AdmissionReview", "response": {"allowed": False, "uid": "u", "status": {"message": "no root"}}}
    event = ask({"request": {"kind": {"kind": "Pod"}, "operation": "CREATE"}}, path="system/main", result=answer)
    assert event.decision is not None
    assert (event.decision.effect, event.decision.reason) == (Effect.DENY, "no root")


def test_admission_review() -> None:
    review = {
        "uid": "u-1",
        "kind": {"kind": "Pod"},
        "operation": "CREATE",
        "namespace": "prod",
        "name": "p",
        "userInfo": {"username": "system:serviceaccount:ci:x"},
    }
    event = ask({"kind": "AdmissionReview", "request": review})
    assert (event.verb, event.target.cls, event.target.name, event.target.detail) == (
        Verb.CLUSTER_CALL,
        TargetClass.CLUSTER,
        "prod",
        "Pod/p",
    )
    assert "request:u-1" in names(event, KeyRole.CALL)
    assert event.principal is not None
    assert event.principal.kind == "workload"


@pytest.mark.parametrize(
    ("method", "host", "path", "verb", "name"),
    [
        ("GET", "github.com", "/Acme/Pay.git/info/refs?service=git-upload-pack", Verb.REPO_READ, "acme/pay"),
        ("GET", "github.com", "/Acme/Pay/info/refs?service=git-receive-pack", Verb.REPO_WRITE, "acme/pay"),
        ("POST", "git.acme.example", "/team/sub/pay.git/git-receive-pack", Verb.REPO_WRITE, "team/sub/pay"),
        ("POST", "api.github.com", "/repos/Acme/Pay/pulls", Verb.PR_OPEN, "acme/pay"),
        ("PUT", "api.github.com", "/repos/Acme/Pay/pulls/3/merge", Verb.PR_MERGE, "acme/pay"),
        ("GET", "ghe.acme.example", "/api/v3/repos/Acme/Pay/contents/x", Verb.REPO_READ, "acme/pay"),
        ("PUT", "api.github.com", "/repos/Acme/Pay/contents/.github/workflows/ci.yml", Verb.CI_MODIFY, "acme/pay"),
        ("PUT", "api.github.com", "/repos/a/b/actions/secrets/X", Verb.SECRET_WRITE, "a/b"),
        ("PUT", "api.github.com", "/repos/a/b/collaborators/eve", Verb.GUARDRAIL_CHANGE, "a/b"),
        ("GET", "api.github.com", "/repos/a/b/collaborators/eve", Verb.REPO_READ, "a/b"),
        ("PUT", "api.github.com", "/orgs/acme/teams/core/repos/Acme/Pay", Verb.GUARDRAIL_CHANGE, "acme/pay"),
        ("DELETE", "api.github.com", "/orgs/acme/outside_collaborators/eve", Verb.GUARDRAIL_CHANGE, ""),
        ("PUT", "api.github.com", "/user/installations/7/repositories/8", Verb.GUARDRAIL_CHANGE, ""),
        ("POST", "gitlab.acme.example", "/api/v4/projects/team%2Fpay/members", Verb.GUARDRAIL_CHANGE, "team/pay"),
        ("GET", "gitlab.acme.example", "/api/v4/projects/team%2Fpay/members", Verb.REPO_READ, "team/pay"),
        ("PATCH", "gitlab.acme.example", "/api/v4/projects/7/job_token_scope", Verb.GUARDRAIL_CHANGE, "7"),
        ("POST", "gitlab.acme.example", "/api/v4/groups/5/members", Verb.GUARDRAIL_CHANGE, "gitlab.acme.example"),
        ("POST", "api.github.com", "/repos/a/b/actions/workflows/1/dispatches", Verb.CI_RUN, "a/b"),
        ("POST", "api.github.com", "/app/installations/1/access_tokens", Verb.CREDENTIAL_ISSUE, ""),
        ("POST", "gitlab.acme.example", "/api/v4/projects/team%2Fpay/merge_requests", Verb.PR_OPEN, "team/pay"),
        ("PUT", "gitlab.acme.example", "/api/v4/projects/7/merge_requests/2/merge", Verb.PR_MERGE, "7"),
        ("GET", "gitlab.acme.example", "/api/v4/projects/team%2Fpay/repository/files/x", Verb.REPO_READ, "team/pay"),
        ("GET", "vault.acme.example:8200", "/v1/secret/data/pay", Verb.SECRET_READ, "secret/data/pay"),
        ("POST", "vault.acme.example", "/v1/auth/approle/login", Verb.CREDENTIAL_ISSUE, "auth/approle/login"),
        ("POST", "api.openai.com", "/v1/chat/completions", Verb.HTTP_REQUEST, "api.openai.com"),
        ("POST", "jira.acme.example", "/rest/api/3/issue", Verb.TICKET_OPEN, "jira.acme.example"),
        ("PUT", "jira.acme.example", "/rest/api/2/issue/PAY-118", Verb.TICKET_UPDATE, "PAY-118"),
        ("GET", "registry.npmjs.org", "/@acme%2fpay", Verb.PACKAGE_INSTALL, "@acme/pay"),
        ("GET", "registry.npmjs.org", "/left-pad/-/left-pad-1.3.0.tgz", Verb.PACKAGE_INSTALL, "left-pad"),
        ("GET", "pypi.org", "/simple/requests/", Verb.PACKAGE_INSTALL, "requests"),
        ("GET", "pypi.org", "/simple/", Verb.HTTP_REQUEST, "pypi.org"),
        ("GET", "registry.npmjs.org", "/-/ping", Verb.HTTP_REQUEST, "registry.npmjs.org"),
        ("GET", "ghcr.io", "/token", Verb.HTTP_REQUEST, "ghcr.io"),
        ("PUT", "registry.npmjs.org", "/pay", Verb.PACKAGE_PUBLISH, "pay"),
        ("POST", "registry.npmjs.org", "/-/npm/v1/security/advisories/bulk", Verb.HTTP_REQUEST, "registry.npmjs.org"),
        ("CONNECT", "registry.npmjs.org", "/", Verb.HTTP_REQUEST, "registry.npmjs.org"),
        ("POST", "sts.eu-north-1.amazonaws.com", "/?Action=AssumeRole&Version=2011-06-15", Verb.CLOUD_CALL, "sts:AssumeRole"),
        ("GET", "kubernetes.default.svc", "/api/v1/namespaces/prod/secrets/x", Verb.CLUSTER_CALL, "kubernetes.default.svc"),
    ],
)  # fmt: skip
def test_known_apis(method: str, host: str, path: str, verb: Verb, name: str) -> None:
    found, target = classify(method, host, path)
    assert (found, target.name) == (verb, name)
    assert ask(envoy(path, method, host)).verb is verb


def test_vault_is_known_by_its_header_too() -> None:
    assert ask(envoy("/v1/kv/x", "GET", "10.0.0.3", **{"x-vault-request": "true"})).verb is Verb.SECRET_READ


# The AST form


def ast(value: object) -> object:
    """What OPA's debug log makes of a value."""
    if isinstance(value, dict):
        return {"type": "object", "value": [[ast(name), ast(inner)] for name, inner in value.items()]}
    if isinstance(value, list):
        return {"type": "array", "value": [ast(inner) for inner in value]}
    if value is None:
        return {"type": "null", "value": {}}
    kind = "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"
    return {"type": kind, "value": value}


@given(st.dictionaries(st.text(max_size=5), JSON.filter(lambda v: v == v), max_size=4))
def test_the_ast_form_is_read_back(value: dict[str, object]) -> None:
    form = ast(value)
    assert plain(form) == value
    assert isinstance(form, dict)
    assert plain(form["value"]) == value or not value


def test_input_in_ast_form_is_understood() -> None:
    asked = {"tool_name": "Bash", "tool_input": {"command": "ls"}, "session_id": SESSION}
    form = ast(asked)
    assert isinstance(form, dict)
    for written in (form, form["value"], asked | {"version": form["value"], "tool_input": ast({"command": "ls"})}):
        event = ask(written)
        assert (event.verb, event.attrs["command"]) == (Verb.EXEC, "ls")
        assert names(event, KeyRole.SCOPE) == [f"session:{SESSION}"]


def test_deep_nesting_is_cut_off_and_not_followed() -> None:
    deep: object = "x"
    for _ in range(5000):
        deep = {"type": "array", "value": [deep]}
    survives(IMPORTER, log(input=deep, result=deep))
    survives(IMPORTER, log(input={"tool": deep, "args": [deep], "resource": deep}))


# Other lines and containers

OTHER = {"level": "debug", "msg": "Executing policy query.", "query": "data.x", "time": "2025-11-28T16:02:27Z", "txn": 3}


def test_other_lines_are_records_without_events() -> None:
    for line in (OTHER, OTHER | {"decision-id": "x", "decision": True, "msg": "Returning policy decision."}):
        parsed = read(IMPORTER, line)
        assert (parsed.events, parsed.identity, parsed.unknown_type) == ([], None, None)


@pytest.mark.parametrize(
    "record",
    [{}, [], 3, {"msg": "Decision Log", "level": "info"}, {"type": "openpolicyagent.org/decision_logs"}, {"decision_id": ""}],
)
def test_strangers_are_refused(record: object) -> None:
    with pytest.raises(BadRecord):
        read(IMPORTER, record)


@pytest.mark.parametrize(
    ("data", "records", "decisions"),
    [
        ("\n".join(json.dumps(one) for one in (OTHER, log(), log(decision_id="2"))) + "\n", 3, 2),
        (json.dumps([log(), log(decision_id="2")]), 2, 2),
        (pretty(log(), log(decision_id="2")), 2, 2),
        (
            f"2026-01-05T20:54:47+00:00\topa-0.istio\t{json.dumps(log())}\n2026-01-05T20:54:48+00:00\topa-0.istio\t{json.dumps(OTHER)}\n",
            2,
            1,
        ),
        (f"[2026-01-05][debug] envoy says hello\nplain text\nmore\n{json.dumps(OTHER)}\n{json.dumps(log())}\n", 2, 1),
    ],
    ids=["console", "upload", "pretty", "fluentd", "mixed with text"],
)
def test_containers(data: str, records: int, decisions: int) -> None:
    parsed, rejects = whole(data, "opa")
    assert not rejects
    assert len(parsed) == records
    assert sum(len(one.events) for one in parsed) == decisions


def test_corpus(corpus: Path) -> None:
    found = {}
    for path in sorted(corpus.glob("opa-decision-logs/*/*")):
        parsed, rejects = whole(path.read_bytes(), "opa")
        assert not rejects
        found[path.name] = (len(parsed), sum(e.kind is EventKind.DECISION for one in parsed for e in one.events))
        keys = [key for one in parsed for event in one.events for key in event.keys]
        assert not [key for key in keys if "Bearer" in key.value]
    assert found == {
        "envoy-and-opa-console.log": (6, 1),
        "opa-agentgateway-pretty.json": (1, 1),
        "opa-envoy-console.jsonl": (2, 2),
        "opa-stdout.jsonl": (6, 1),
    }


GOOD = [
    log(input=envoy("/repos/a/b/pulls", "POST", "api.github.com", traceparent=f"00-{TRACE}-8e8bb6c8bfd28f4f-01") | {"jwt": dict(CLAIMS)}),
    log(input={"tool": {"name": "Bash", "args": {"command": ["ls"]}}, "session": {"id": SESSION}, "resource": {"type": "repo", "name": "a/b"}},
        result={"deny": [{"msg": "x"}], "rule": "r", "reason": ["y"]}),
    log(input={"method": "GET", "path": ["a"], "user": {"name": "x"}}, result={"a": {"allow": True}}),
    log(input={"kind": "AdmissionReview", "request": {"kind": {"kind": "Pod"}, "operation": "CREATE", "userInfo": {"username": "x"}}}),
    log(input=ast({"tool": "x", "args": ["y"]})),
]  # fmt: skip


@given(JSON)
def test_anything_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
    survives(IMPORTER, log(input=record, result=record))


@given(mutated(GOOD))
def test_spoilt_records_are_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
