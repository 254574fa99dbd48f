"""Captures of Codex's app-server: who was asked, what the client answered, calls and outcomes, in both protocol versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.codex_app import IMPORTER
from model.event import BadRecord, Event, Key
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Verb
from tests.importer_checks import all_of, joined, mutated, survives, whole

THREAD = "019c8a4c-ed82-79a1-aa28-7738fc5ab61a"
CHILD = "019c8a4c-0000-79a1-aa28-7738fc5ab61a"
AT = 1772359200123


def told(method: str, **params: Any) -> dict[str, Any]:
    return {"method": method, "params": {"threadId": THREAD, **params}, "emittedAtMs": AT}


def ask(kind: str, ident: object = 0, **params: Any) -> dict[str, Any]:
    return {
        "method": kind,
        "id": ident,
        "params": {"threadId": THREAD, "turnId": "t", "itemId": "call_1", "startedAtMs": AT, **params},
    }


def answer(result: object, ident: object = 0) -> dict[str, Any]:
    return {"id": ident, "result": result}


def item(kind: str, **members: Any) -> dict[str, Any]:
    return {"type": kind, "id": "call_1", **members}


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


COMMAND = "item/commandExecution/requestApproval"


@pytest.mark.parametrize(
    ("result", "effect", "rule"),
    [
        ({"decision": "accept"}, Effect.ALLOW, "accept"),
        ({"decision": "acceptForSession"}, Effect.ALLOW, "acceptForSession"),
        ({"decision": {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["ls"]}}}, Effect.ALLOW, "acceptWithExecpolicyAmendment"),
        ({"decision": {"applyNetworkPolicyAmendment": {"network_policy_amendment": {"action": "allow", "host": "x.org"}}}}, Effect.ALLOW,
         "applyNetworkPolicyAmendment allow x.org"),
        ({"decision": {"applyNetworkPolicyAmendment": {"network_policy_amendment": {"action": "deny", "host": "x.org"}}}}, Effect.DENY,
         "applyNetworkPolicyAmendment deny x.org"),
        ({"decision": "decline"}, Effect.DENY, "decline"),
        ({"decision": "cancel"}, Effect.DENY, "cancel"),
        ({"decision": "perhaps"}, None, ""),
        ({"decision": {}}, None, ""),
    ],
)  # fmt: skip
def test_an_answer_decides_the_call_that_was_asked_for(result: object, effect: Effect | None, rule: str) -> None:
    question = ask(COMMAND, command="/bin/bash -lc 'git push'", cwd="/home/ada/api", reason="leave the sandbox")
    asked, *answers = read(question, answer(result))
    assert asked.decision is not None
    assert (asked.decision.effect, asked.decision.reason, asked.attrs["command"]) == (Effect.ASK, "leave the sandbox", "git push")
    assert [(one.decision.effect, one.decision.rule) for one in answers if one.decision] == ([(effect, rule)] if effect else [])
    for one in (asked, *answers):
        assert one.first_key(KeyRole.CALL) == Key(KeyRole.CALL, "call", "call_1")
        assert one.keys[0] == Key(KeyRole.SCOPE, "session", THREAD)


def test_a_question_nobody_answered_stays_a_question() -> None:
    assert len(read(ask(COMMAND, command="ls"), {"id": 0, "error": {"code": -1, "message": "x"}})) == 1
    assert len(read(ask(COMMAND, command="ls"), answer({"decision": "accept"}, 7), answer({"decision": "accept"}, "0"))) == 1


def test_a_question_about_files_and_the_folder_they_lie_in() -> None:
    (asked,) = read(ask("item/fileChange/requestApproval", reason=None, grantRoot="/w"))
    assert asked.verb is Verb.FILE_WRITE
    changes = {"/w/a": {"type": "delete"}}
    legacy = {
        "method": "applyPatchApproval",
        "id": 1,
        "params": {"conversationId": THREAD, "callId": "call_2", "fileChanges": changes},
    }
    asked, verdict = read(legacy, answer({"decision": "denied"}, 1))
    assert (asked.verb, asked.target.name, verdict.first_key(KeyRole.CALL)) == (
        Verb.FILE_DELETE,
        "/w/a",
        Key(KeyRole.CALL, "call", "call_2"),
    )


@pytest.mark.parametrize(
    "word", ["approved", "approved_for_session", {"approved_execpolicy_amendment": {"proposed_execpolicy_amendment": []}}]
)
def test_the_first_protocols_questions(word: object) -> None:
    question = {
        "method": "execCommandApproval",
        "id": 9,
        "params": {"conversationId": THREAD, "callId": "call_1", "command": ["git", "push"], "cwd": "/w"},
    }
    asked, verdict = read(question, answer({"decision": word}, 9))
    assert verdict.decision is not None
    assert (asked.attrs["command"], verdict.decision.effect) == ("git push", Effect.ALLOW)


def test_a_profile_of_permissions_is_granted_or_left_empty() -> None:
    question = ask("item/permissions/requestApproval", permissions={"network": {"enabled": True}}, reason="fetch")
    for given_back, effect in (
        ({"network": {"enabled": True}}, Effect.ALLOW),
        ({}, Effect.DENY),
        ({"network": None}, Effect.DENY),
    ):
        _, verdict = read(question, answer({"permissions": given_back, "scope": "turn"}))
        assert verdict.decision is not None
        assert verdict.decision.effect is effect


def test_an_mcp_call_that_waits_for_its_approval_is_found_by_server_and_tool() -> None:
    running = told("item/started", item=item("mcpToolCall", server="tracker", tool="close", arguments={}, status="inProgress"))
    about = {"codex_approval_kind": "mcp_tool_call", "tool_name": "close"}
    question = {
        "method": "mcpServer/elicitation/request",
        "id": 3,
        "params": {"threadId": THREAD, "turnId": "turn-1", "serverName": "tracker", "_meta": about, "message": "Allow?"},
    }
    call, asked, verdict = read(running, question, answer({"action": "decline", "content": None}, 3))
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.first_key(KeyRole.CALL)) == (Effect.DENY, call.first_key(KeyRole.CALL))
    assert (asked.verb, asked.target.cls) == (Verb.MCP_CALL, TargetClass.MCP_SERVER)
    asked, verdict = read(question, answer({"action": "accept"}, 3))
    assert (
        asked.first_key(KeyRole.CALL)
        == verdict.first_key(KeyRole.CALL)
        == Key(KeyRole.CALL, "codex.request", f"{THREAD}/turn-1/int:3")
    )
    form = {**question, "params": {"threadId": THREAD, "serverName": "tracker", "message": "Your name?"}}
    assert read(form, answer({"action": "accept", "content": {"name": "x"}}, 3)) == []


def test_an_automatic_review_decides() -> None:
    review = {"status": "denied", "riskLevel": "high", "rationale": "leaks"}
    (verdict,) = read(told("item/autoApprovalReview/completed", targetItemId="call_1", review=review))
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.rule) == (Effect.DENY, "automatic review, risk high")
    assert read(told("item/autoApprovalReview/started", targetItemId="call_1", review={"status": "inProgress"})) == []


def test_a_thread_its_policy_and_its_prompt() -> None:
    opened = {"thread": {"id": THREAD, "cwd": "/home/ada/api", "cliVersion": "0.169.0", "gitInfo": {"branch": "PAY-3", "sha": "1cdfa7b17410e00cddbb7a4347336af2c6f80ee0",
              "originUrl": "git@github.com:Acme/Api.git"}}, "approvalPolicy": "on-request", "sandbox": {"type": "workspaceWrite"}, "model": "m"}  # fmt: skip
    words = [{"type": "text", "text": "Fix it"}, {"type": "localImage", "path": "/a.png"}]
    events = read(
        {"method": "thread/start", "id": 2, "params": {"cwd": "/home/ada/api"}},
        answer(opened, 2),
        told("thread/started", thread=opened["thread"]),
        {
            "method": "turn/start",
            "id": 3,
            "params": {
                "threadId": THREAD,
                "input": words,
                "approvalPolicy": "never",
                "sandboxPolicy": {"type": "dangerFullAccess"},
            },
        },
        told("item/started", item={"type": "userMessage", "id": "u", "content": words}),
        told("item/completed", item={"type": "userMessage", "id": "u", "content": words}),
        {"method": "turn/steer", "id": 4, "params": {"threadId": THREAD, "input": [{"type": "text", "text": "Tests first"}]}},
    )
    assert [(event.kind, event.phase) for event in events] == [
        (EventKind.ACTION, Phase.STARTED),
        (EventKind.DECISION, Phase.POSTURE),
        (EventKind.DECISION, Phase.POSTURE),
        (EventKind.INTENT, Phase.PROMPT),
        (EventKind.INTENT, Phase.PROMPT),
    ]
    begun, first, second, prompt, steered = events
    assert (begun.attrs["repository"], begun.attrs["branch"], begun.attrs["agent_version"]) == ("acme/api", "PAY-3", "0.169.0")
    assert (first.attrs["mode"], first.attrs["sandbox"]) == ("on-request", "workspace-write")
    assert (second.attrs["mode"], second.attrs["sandbox"]) == ("never", "danger-full-access")
    assert (prompt.text, prompt.attrs["ticket"], steered.text) == ("Fix it", "PAY-3", "Tests first")


def test_an_item_is_a_call_and_its_result() -> None:
    running = item(
        "commandExecution",
        command="/bin/zsh -lc 'cargo test'",
        cwd="/w",
        status="inProgress",
        aggregatedOutput=None,
        exitCode=None,
    )
    over = {**running, "status": "completed", "aggregatedOutput": "ok", "exitCode": 0}
    call, done = read(
        told("item/started", item=running), told("item/completed", item=over), told("turn/completed", turn={"items": [over]})
    )
    assert (call.attrs["command"], call.attrs["cwd"], done.attrs["status"], done.at) == ("cargo test", "/w", "0", AT * 1000)
    assert done.outcome is not None
    assert done.outcome.tool is Tri.YES
    declined = {**running, "status": "declined"}
    _, done, verdict = read(told("item/completed", item=declined))
    assert verdict.decision is not None
    assert (done.attrs["refused"], verdict.decision.effect) == ("user", Effect.DENY)


def test_more_kinds_of_items() -> None:
    spawn = item(
        "collabAgentToolCall",
        tool="spawnAgent",
        prompt="read it",
        senderThreadId=THREAD,
        receiverThreadIds=[CHILD],
        status="completed",
    )
    call, intent, child, _ = read(told("item/completed", item=spawn))
    assert (call.verb, intent.text, child.keys[0]) == (Verb.AGENT_SPAWN, "read it", Key(KeyRole.SCOPE, "session", CHILD))
    call, done = read(
        told(
            "item/completed",
            item=item("dynamicToolCall", tool="deploy", arguments={}, success=False, contentItems=[], status="failed"),
        )
    )
    assert (call.tool, call.verb, done.outcome and done.outcome.tool) == ("deploy", Verb.UNKNOWN, Tri.NO)
    (call, _) = read(told("item/completed", item=item("imageView", path="/a.png")))
    assert call.target.name == "/a.png"


def test_events_that_the_server_passes_on() -> None:
    def passed(**msg: Any) -> dict[str, Any]:
        return {"method": f"codex/event/{msg['type']}", "params": {"id": "0", "conversationId": THREAD, "msg": msg}}

    begun, call, done = read(
        passed(type="exec_command_begin", call_id="call_1", command=["bash", "-lc", "ls"], cwd="/w"),
        passed(type="exec_command_end", call_id="call_1", exit_code=0, stdout="a"),
    )
    assert (begun.phase, call.attrs["command"], done.attrs["status"]) == (Phase.STARTED, "ls", "0")


@pytest.mark.parametrize(
    "hold",
    [
        lambda m: m,
        lambda m: {"ts": 1, "direction": "in", "message": m},
        lambda m: {"data": json.dumps(m)},
        lambda m: {"dir": "in", **m},
        lambda m: {"jsonrpc": "2.0", **m},
    ],
)
def test_a_message_may_be_held_by_a_line_of_the_capture(hold: Any) -> None:
    records = [
        ask(COMMAND, command="ls"),
        answer({"decision": "decline"}),
        told("item/completed", item=item("commandExecution", command="ls", status="declined")),
    ]
    parsed, rejects = whole("\n".join(json.dumps(hold(one)) for one in records), "codex-app")
    assert rejects == []
    assert sum(bool(event.decision and event.decision.effect is Effect.DENY) for one in parsed for event in one.events) == 1
    assert {one.scope for one in parsed} == {THREAD}


def test_what_was_asked_answered_and_done_is_one_step() -> None:
    reader = IMPORTER.open()
    running = item("commandExecution", command="git push", status="inProgress")
    done = {**running, "status": "completed", "exitCode": 0}
    records = [
        told("item/started", item=running),
        ask(COMMAND, command="git push"),
        answer({"decision": "accept"}),
        told("item/completed", item=done),
    ]
    made = joined(*[reader.read(one) for one in records])
    (chain,) = made.chains.values()
    assert len(chain.steps) == 1


@pytest.mark.parametrize("bad", [[], 7, {}, {"method": 7}, {"id": 1}, {"message": "x"}])
def test_what_is_no_message_is_refused_with_a_sentence(bad: object) -> None:
    with pytest.raises(BadRecord, match="no message of the protocol"):
        read(bad)


def test_a_method_nobody_knows_is_counted() -> None:
    assert IMPORTER.open().read(told("moon/landed")).unknown_type == "moon/landed"
    assert IMPORTER.open().read(told("thread/tokenUsage/updated")).unknown_type is None


RECORDS = [ask(COMMAND, command="ls"), answer({"decision": "accept"}), told("item/completed", item=item("fileChange", changes=[{"path": "a", "kind": {"type": "add"}}])),
           told("thread/started", thread={"id": THREAD}), told("turn/start", input=[{"type": "text", "text": "x"}]), told("turn/completed", turn={"items": []})]  # fmt: skip


@settings(deadline=None)
@given(mutated(RECORDS))
def test_anything_at_all_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)


def test_recorded_clients(corpus: Path) -> None:
    """Every question and every answer that the captures hold, counted by plain JSON."""
    for path in sorted((corpus / "codex-live" / "runs").glob("*/approvals.jsonl")):
        format, parsed, reasons = all_of(path)
        assert (format, reasons) == ("codex-app", [])
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        questions = [one for one in lines if "requestApproval" in one.get("method", "") or "elicitation" in one.get("method", "")]
        answers = [one for one in lines if "result" in one]
        effects = [event.decision.effect for one in parsed for event in one.events if event.decision]
        assert effects.count(Effect.ASK) == len(questions)
        reviews = [one for one in lines if one.get("method") == "item/autoApprovalReview/completed"]
        assert len(effects) == len(questions) + len(answers) + len(reviews)
        assert [one.unknown_type for one in parsed if one.unknown_type] == []
