"""What Copilot CLI's session events say: place and commit, calls, permissions, refusals, sub-agents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from chains.modes import asks_nobody
from importers.copilot_cli import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

SESSION = "3d0d8f2e-5b1d-4a5e-9d6a-9b8f6f0a1c11"


def row(kind: str, id: str = "", **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": data, "id": id or f"e-{kind}", "timestamp": "2026-01-02T03:04:05.678Z", "parentId": "e0"}


CONTEXT = {"cwd": "/home/ada/api", "repository": "Acme/API", "branch": "fix/PAY-7", "headCommit": "ab12" * 10}
START = row("session.start", sessionId=SESSION, copilotVersion="0.0.407", context=CONTEXT)
CALL = row("tool.execution_start", toolCallId="t1", toolName="bash", arguments={"command": "git push"})


def done(**data: Any) -> dict[str, Any]:
    return row("tool.execution_complete", toolCallId="t1", **data)


def read(*rows: object) -> list[Event]:
    reader = IMPORTER.open()
    reader.read(START)
    return [event for one in rows for event in reader.read(one).events]


def test_it_is_recognised_and_its_place_is_on_every_event() -> None:
    rows = [START, row("user.message", content="go"), CALL, done(success=True, result={"content": "ok"})]
    parsed, rejects = whole("\n".join(map(json.dumps, rows)), "copilot-cli")
    events = [event for one in parsed for event in one.events]
    assert not rejects
    assert [e.phase for e in events] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT]
    for event in events:
        assert names(event, KeyRole.SCOPE) == [f"session:{SESSION}"]
        assert (event.attrs["branch"], event.attrs["sha"], event.attrs["cwd"]) == ("fix/PAY-7", "ab12" * 10, "/home/ada/api")
        assert str(event.attrs["repository"]).lower() == "acme/api"
    assert events[1].attrs["ticket"] == "PAY-7"


def test_a_call_told_twice_is_one() -> None:
    request = {"toolCallId": "t1", "name": "bash", "arguments": {"command": "git push"}}
    call = only(read(row("assistant.message", content="", toolRequests=[request]), CALL), EventKind.ACTION)
    assert (call.verb, call.attrs["command"]) == (Verb.EXEC, "git push")


def test_mcp_calls() -> None:
    one, two = read(
        row("tool.execution_start", toolCallId="a", toolName="x-y", mcpServerName="x", mcpToolName="y", arguments={}),
        row("tool.execution_start", toolCallId="b", toolName="github-mcp-server-create_issue", arguments={}),
    )
    assert [(e.verb, e.target.name, e.target.detail) for e in (one, two)] == [
        (Verb.MCP_CALL, "x", "y"),
        (Verb.MCP_CALL, "github-mcp-server", "create_issue"),
    ]


@pytest.mark.parametrize(
    ("data", "refused", "effects"),
    [
        (
            {"success": False, "error": {"code": "rejected", "message": "The user rejected this tool call."}},
            "user",
            [Effect.DENY],
        ),
        ({"success": False, "error": {"code": "denied", "message": "Denied by rules"}}, "rule", [Effect.DENY]),
        ({"success": False, "error": {"code": "aborted", "message": "x"}}, "interrupted", []),
        ({"success": False, "error": {"code": "failure", "message": "exit 1"}}, "", []),
        (
            {"success": False, "error": {"message": "Command not executed. The 'killall' command is not allowed."}},
            "rule",
            [Effect.DENY],
        ),
        (
            {"success": False, "result": {"content": "Command blocked: contains dangerous shell expansion patterns"}},
            "rule",
            [Effect.DENY],
        ),
        ({"success": False, "error": {"message": "Operation aborted by user"}}, "interrupted", []),
    ],
)
def test_refusals(data: dict[str, Any], refused: str, effects: list[Effect]) -> None:
    events = read(CALL, done(**data))
    result = only(events, EventKind.ACTION, Phase.RESULT)
    assert result.outcome is not None
    assert (result.attrs.get("refused", ""), result.outcome.tool) == (refused, Tri.NO)
    assert [e.decision.effect for e in events if e.decision] == effects


@pytest.mark.parametrize(
    ("data", "tool"),
    [({"success": True}, Tri.YES), ({"success": False}, Tri.NO), ({"success": None}, Tri.UNKNOWN), ({}, Tri.UNKNOWN)],
)
def test_how_a_call_went_is_known_only_where_it_is_said(data: dict[str, Any], tool: Tri) -> None:
    result = only(read(CALL, done(**data)), EventKind.ACTION, Phase.RESULT)
    assert result.outcome is not None
    assert result.outcome.tool is tool


def test_permissions_are_decisions_on_their_call() -> None:
    asked = row("permission.requested", requestId="r", permissionRequest={"kind": "shell", "toolCallId": "t1"})
    for kind, effect in (
        ("approved", Effect.ALLOW),
        ("denied-interactively-by-user", Effect.DENY),
        ("denied-by-rules", Effect.DENY),
    ):
        first, second = read(asked, row("permission.completed", requestId="r", result={"kind": kind}))
        assert [e.decision.effect for e in (first, second) if e.decision] == [Effect.ASK, effect]
        assert names(second, KeyRole.CALL) == ["call:t1"]


def test_a_refusal_that_the_result_tells_again_is_one_decision() -> None:
    asked = row("permission.requested", requestId="r", permissionRequest={"kind": "shell", "toolCallId": "t1"})
    answered = row("permission.completed", requestId="r", result={"kind": "denied-interactively-by-user"})
    ended = done(success=False, error={"code": "rejected", "message": "The user rejected this tool call."})
    events = read(CALL, asked, answered, ended)
    assert [e.decision.effect for e in events if e.decision] == [Effect.ASK, Effect.DENY]
    assert only(events, EventKind.ACTION, Phase.RESULT).attrs["refused"] == "user"


def test_a_question_that_nobody_could_be_asked_is_no_denial() -> None:
    answer = row(
        "permission.completed", toolCallId="t1", result={"kind": "denied-no-approval-rule-and-could-not-request-from-user"}
    )
    ended = done(
        success=False, error={"code": "denied", "message": "Permission denied and could not request permission from user"}
    )
    events = read(CALL, answer, ended)
    assert [e.decision.effect for e in events if e.decision] == [Effect.ASK]
    result = only(events, EventKind.ACTION, Phase.RESULT)
    assert (result.attrs["refused"], result.outcome and result.outcome.permitted) == ("rule", Effect.ASK)


def test_what_a_person_wrote_with_a_refusal_is_what_they_want() -> None:
    refused = {"kind": "denied-interactively-by-user", "feedback": "use the job"}
    events = read(CALL, row("permission.completed", toolCallId="t1", result=refused))
    assert (only(events, EventKind.INTENT).text, names(events[-1], KeyRole.CALL)) == ("use the job", ["call:t1"])


def test_a_hook_s_refusal_is_one_decision_on_the_call_it_was_asked_about() -> None:
    asked = row("hook.start", hookInvocationId="h", hookType="preToolUse", input={"toolCalls": [{"id": "t1", "name": "bash"}]})
    said = {"permissionDecision": "deny", "permissionDecisionReason": "no pushes"}
    answered = row("hook.end", hookInvocationId="h", hookType="preToolUse", output=said)
    events = read(
        CALL, asked, answered, done(success=False, error={"code": "denied", "message": "Denied by preToolUse hook: no pushes"})
    )
    verdict = only(events, EventKind.DECISION)
    assert (names(verdict, KeyRole.CALL), verdict.decision and verdict.decision.reason) == (["call:t1"], "no pushes")
    assert only(events, EventKind.ACTION, Phase.RESULT).attrs["refused"] == "hook"


@pytest.mark.parametrize(
    ("result", "status", "tool"),
    [
        ({"content": "no\n<exited with exit code 2>"}, "2", Tri.NO),
        ({"content": "no\n<shellId: 0 completed with exit code 127>"}, "127", Tri.NO),
        ({"content": "<shellId: build completed with exit code 0>\n"}, "0", Tri.YES),
        ({"content": "no", "contents": [{"type": "shell_exit", "shellId": "0", "exitCode": 1}]}, "1", Tri.NO),
        ({"content": "no", "contents": [{"type": "terminal", "text": "no", "exitCode": 1}]}, "1", Tri.NO),
        ({"content": "..\n<command with shellId: 3 is still running after 30 seconds. Use read_bash.>"}, None, Tri.UNKNOWN),
        ({"content": "<command with shellId: 3 moved to background by the user. Wait.>"}, None, Tri.UNKNOWN),
        ({"content": "<command started in detached background with shellId: 3>"}, None, Tri.UNKNOWN),
        ({"content": "<command with id: 3 stopped>"}, None, Tri.YES),
        ({"content": "is still running after 3 seconds"}, None, Tri.YES),
    ],
)
def test_how_a_command_ended_stands_at_the_end_of_what_it_wrote(result: dict[str, Any], status: str | None, tool: Tri) -> None:
    event = only(read(CALL, done(success=True, result=result)), EventKind.ACTION, Phase.RESULT)
    assert (event.attrs.get("status"), event.outcome and event.outcome.tool) == (status, tool)


def test_the_pull_request_a_command_made_stands_before_how_it_ended() -> None:
    wrote = "https://github.com/Acme/API/pull/77\n<shellId: 0 completed with exit code 0>"
    event = only(read(CALL, done(success=True, result={"content": wrote})), EventKind.ACTION, Phase.RESULT)
    assert names(event, KeyRole.REFERENCE) == ["pr:acme/api#77"]
    listed = only(read(CALL, done(success=True, result={"content": f"{wrote}\n2 more"})), EventKind.ACTION, Phase.RESULT)
    assert names(listed, KeyRole.REFERENCE) == []


@pytest.mark.parametrize(
    ("data", "effect", "by"),
    [
        ({"result": {"kind": "approved"}}, Effect.ALLOW, "copilot-cli"),
        ({"result": {"kind": "approved"}, "decisionSource": "human_response"}, Effect.ALLOW, "user"),
        ({"result": {"kind": "approved-for-session"}}, Effect.ALLOW, "copilot-cli"),
        ({"result": {"kind": "approve-once"}}, Effect.ALLOW, "copilot-cli"),
        ({"result": {"kind": "reject"}}, Effect.DENY, "copilot-cli"),
        ({"result": {"kind": "denied-interactively-by-user"}}, Effect.DENY, "user"),
        ({"result": {"kind": "denied-by-permission-request-hook", "message": "no"}}, Effect.DENY, "hook"),
        ({"result": {"kind": "denied-by-content-exclusion-policy"}}, Effect.DENY, "copilot-cli"),
        ({"result": {"kind": "user-not-available"}}, Effect.ASK, "copilot-cli"),
    ],
)
def test_who_answered_a_question_and_what(data: dict[str, Any], effect: Effect, by: str) -> None:
    decision = only(read(CALL, row("permission.completed", toolCallId="t1", **data)), EventKind.DECISION).decision
    assert decision is not None
    assert (decision.effect, decision.by) == (effect, by)


def test_a_question_that_was_withdrawn_decides_nothing() -> None:
    assert read(row("permission.completed", toolCallId="t1", result={"kind": "cancelled"})) == []


def test_what_a_person_ran_is_no_call_of_the_agent() -> None:
    mine = row("tool.user_requested", toolCallId="u1", toolName="bash", arguments={"command": "ls"})
    begun = row("tool.execution_start", toolCallId="u1", toolName="bash", arguments={"command": "ls"})
    ended = row("tool.execution_complete", toolCallId="u1", success=True, isUserRequested=True, result={"content": "x"})
    assert read(mine, begun, ended) == read(ended) == []


def test_a_call_by_the_older_name_of_its_tool() -> None:
    call = only(read(row("tool.execution_start", toolCallId="t1", name="bash", arguments={"command": "ls"})), EventKind.ACTION)
    assert (call.tool, call.attrs["command"]) == ("bash", "ls")


def test_events_that_carry_a_sub_agents_id_are_its_own() -> None:
    rows = [
        {**row("subagent.started", toolCallId="t1", agentName="explore"), "agentId": "a"},
        {**row("user.message", content="look"), "agentId": "a"},
        {**row("tool.execution_start", toolCallId="t2", toolName="view", arguments='{"path": "a.py"}'), "agentId": "a"},
        {**row("tool.execution_complete", toolCallId="t2", success=True, result="text"), "agentId": "a"},
    ]
    events = read(*rows)
    assert {names(e, KeyRole.SCOPE)[0] for e in events} == {f"session:{SESSION}/t1"}
    assert [(e.phase, e.text or e.attrs.get("path") or e.attrs.get("output")) for e in events[1:]] == [
        (Phase.DELEGATED, "look"),
        (Phase.CALL, "a.py"),
        (Phase.RESULT, "text"),
    ]


def test_events_without_ids_are_recognised() -> None:
    rows = [
        {"type": "session.start", "data": {"sessionId": SESSION}, "timestamp": "2026-01-02T03:04:05Z"},
        {"type": "user.message", "data": {"content": "go"}, "timestamp": "2026-01-02T03:04:06Z"},
        {"type": "assistant.message", "data": {"content": "done"}, "timestamp": "2026-01-02T03:04:07Z"},
    ]
    parsed, rejects = whole("\n".join(map(json.dumps, rows)), "copilot-cli")
    assert not rejects and [e.text for one in parsed for e in one.events if e.kind is EventKind.INTENT] == ["go"]


def test_modes_and_trust_are_posture() -> None:
    events = read(row("session.mode_changed", newMode="autopilot"), row("session.mode_changed", newMode="autopilot"))
    assert [(e.phase, e.attrs["mode"]) for e in events] == [(Phase.POSTURE, "autopilot")]
    trusted = only(read(row("session.info", infoType="folder_trust", message="Folder /x trusted")), EventKind.DECISION)
    assert trusted.phase is Phase.POSTURE


@pytest.mark.parametrize(
    ("changed", "back"),
    [
        ({"mode": "allow-all", "previousMode": "manual"}, {"mode": "manual", "previousMode": "allow-all"}),
        ({"allowAllPermissions": True}, {"allowAllPermissions": False}),
    ],
)
def test_letting_everything_through_outweighs_the_mode_an_agent_works_in(changed: dict[str, Any], back: dict[str, Any]) -> None:
    events = read(
        row("user.message", content="go", agentMode="interactive"),
        row("session.permissions_changed", **changed),
        row("user.message", content="on", agentMode="interactive"),
        row("session.mode_changed", newMode="autopilot"),
        row("session.permissions_changed", **back),
    )
    modes = [str(e.attrs["mode"]) for e in events if e.phase is Phase.POSTURE]
    assert (modes, [asks_nobody(mode) for mode in modes]) == (["interactive", "allow-all", "autopilot"], [False, True, False])


def test_a_new_folder_does_not_stand_at_the_old_one_s_commit() -> None:
    moved = row("session.context_changed", cwd="/home/ada/infra", repository="Acme/Infra", branch="main")
    call = only(read(START, moved, CALL), EventKind.ACTION, Phase.CALL)
    assert [call.attrs.get(name) for name in ("repository", "branch", "sha")] == ["acme/infra", "main", None]


def test_a_sub_agent_is_a_child_of_its_call() -> None:
    started, inner = read(
        row("subagent.started", toolCallId="t1", agentName="explore"),
        row("tool.execution_start", toolCallId="t2", toolName="view", arguments={"path": "a"}, parentToolCallId="t1"),
    )
    assert names(started, KeyRole.SCOPE) == names(inner, KeyRole.SCOPE) == [f"session:{SESSION}/t1"]
    assert names(inner, KeyRole.PARENT) == [f"session:{SESSION}", "call:t1"]


def test_unknown_and_broken_records() -> None:
    assert IMPORTER.open().read(row("brand.new")).unknown_type == "brand.new"
    for bad in ([], {"data": {}}, {"type": "user.message"}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@given(
    mutated(
        [
            START,
            CALL,
            done(success=False, error={"code": "x"}),
            row("hook.end", hookType="preToolUse", output={"permissionDecision": "deny"}),
        ]
    )
)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


SENT = "<cross_session_message>\nfrom_session_id: 11111111-2222-4333-8444-555555555555\n\nfix it\n</cross_session_message>"


@pytest.mark.parametrize(
    ("content", "given", "told"),
    [
        ("fix it", f"<now>x</now>\n\n{SENT}", [(Phase.DELEGATED, "fix it")]),
        (SENT, None, [(Phase.DELEGATED, SENT)]),
        ("what is <cross_session_message>?", "<now>x</now>\n\nwhat is <cross_session_message>?", [(Phase.PROMPT, None)]),
        ("<system_notification>\nan agent ended\n</system_notification>", None, []),
    ],
    ids=["marked-for-the-model", "marked", "quoted", "notice"],
)
def test_what_another_session_or_the_program_says_is_no_persons_word(
    content: str, given: str | None, told: list[tuple[Phase, str | None]]
) -> None:
    events = read(row("user.message", content=content, transformedContent=given or content))
    assert [(event.phase, event.text) for event in events] == [(phase, text or content) for phase, text in told]


@pytest.mark.parametrize(("code", "outcome"), [(0, Tri.YES), (1, Tri.NO)])
def test_how_a_command_ended_stands_beside_what_it_wrote(code: int, outcome: Tri) -> None:
    result = read(CALL, done(success=True, result={"content": "x"}, shellExecution={"exitCode": code}))[-1]
    assert (result.outcome and result.outcome.tool, result.attrs["status"]) == (outcome, str(code))


def test_what_an_answer_cost_is_counted_once() -> None:
    usage = {"inputTokens": 100, "outputTokens": 20, "cacheReadTokens": 30, "cacheWriteTokens": 60, "apiCallId": "m1"}
    record = row("session.usage_record", usage=usage)
    reader = IMPORTER.open()
    reader.read(START)
    assert (reader.read(record).unknown_type, reader.read(row("session.usage_checkpoint")).unknown_type) == (None, None)
    reader.read(row("assistant.usage", **usage))
    assert reader.read(CALL).events[0].attrs["tokens"] == 90


def test_what_was_scheduled_is_a_request_from_then_on() -> None:
    typed, own = read(
        row("session.schedule_created", intervalMs=60000, prompt="check PAY-9", recurring=True, origin="user"),
        row("session.schedule_created", prompt="look again", selfPaced=True, origin="model"),
    )
    assert (typed.kind, typed.phase, typed.text) == (EventKind.INTENT, Phase.QUEUED, "check PAY-9")
    assert (own.phase, own.text) == (Phase.DELEGATED, "look again")


def test_what_a_person_said_to_a_plan() -> None:
    plan = row("tool.execution_start", toolCallId="p1", toolName="exit_plan_mode", arguments={"summary": "do it"})
    asked = row("exit_plan_mode.requested", requestId="r1", planContent="do it", actions=["interactive"])
    _, refused, words = read(plan, asked, row("exit_plan_mode.completed", requestId="r1", approved=False, feedback="tests first"))
    assert refused.decision is not None
    assert (refused.decision.effect, refused.decision.by) == (Effect.DENY, "user")
    assert names(refused, KeyRole.CALL) == ["call:p1"]
    assert (words.phase, words.text) == (Phase.PROMPT, "tests first")
    _, passed = read(plan, row("exit_plan_mode.completed", requestId="r1", approved=True))
    assert passed.decision is not None and passed.decision.effect is Effect.ALLOW
    # An answer to a plan nobody saw decides on no call.
    assert read(row("exit_plan_mode.completed", requestId="r1", approved=True)) == []


@pytest.mark.parametrize("kind", ["session.mode_notice_delivered", "factory.run_started", "session.canvas.recorded"])
def test_what_newer_versions_tell_of_themselves_is_known(kind: str) -> None:
    assert IMPORTER.open().read(row(kind)).unknown_type is None
