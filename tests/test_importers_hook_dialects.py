"""Hooks in words of their own (Windsurf's Cascade, Cline, Augment): read as those of the agents that share one protocol."""

from __future__ import annotations

import json
from typing import Any

import pytest

from importers.agent_hooks import IMPORTER
from model.event import Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Vantage, Verb
from tests.importer_checks import names, only


def logged(given: dict[str, Any], stdout: Any = None, code: int = 0, stderr: str = "") -> dict[str, Any]:
    return {"recorded_at": "2026-11-22T23:26:47.196+00:00", "stdin": given, "stdout": stdout, "exit_code": code, "stderr": stderr}


def events(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for record in records for event in reader.read(record).events]


def cascade(action: str, second: int = 0, **info: Any) -> dict[str, Any]:
    return {
        "agent_action_name": action,
        "trajectory_id": "3f0c9a52-0d7e-4c55-9d0b-8f2f6f0a7c11",
        "execution_id": "51f0",
        "timestamp": f"2026-11-22T23:26:{second:02}Z",
        "model_name": "swe-2",
        "tool_info": info,
    }


def test_what_windsurf_hands_to_its_hooks() -> None:
    run = {"command_line": "npm publish", "cwd": "/home/ada/api"}
    served = {"mcp_server_name": "tracker", "mcp_tool_name": "create_issue", "mcp_tool_arguments": {"title": "late"}}
    records = [
        cascade("pre_user_prompt", 1, user_prompt="publish ACME-12"),
        cascade("pre_run_command", 2, **run),
        cascade("post_run_command", 3, **run),
        cascade("post_read_code", 4, file_path="/home/ada/api/.env"),
        cascade("post_write_code", 5, file_path="/home/ada/api/a.py", edits=[{"old_string": "a", "new_string": "b"}]),
        cascade("pre_mcp_tool_use", 6, **served),
        cascade("post_mcp_tool_use", 7, **served, mcp_result="made"),
        cascade("post_cascade_response", 8, response="done"),
    ]
    assert IMPORTER.sniff(records) == 92
    made = events(*records)
    assert {one.point for one in made} == {"windsurf"}
    assert {tuple(names(one, KeyRole.SCOPE)) for one in made} == {("session:3f0c9a52-0d7e-4c55-9d0b-8f2f6f0a7c11",)}
    prompt, call, ran, read, wrote, asked, served_one = made
    assert (prompt.kind, prompt.text, prompt.attrs["ticket"]) == (EventKind.INTENT, "publish ACME-12", "ACME-12")
    assert (call.phase, call.verb, call.attrs["command"], call.attrs["cwd"]) == (
        Phase.CALL,
        Verb.EXEC,
        "npm publish",
        "/home/ada/api",
    )
    # What was told before and after one command is one call, and nobody says how it ended.
    assert names(call, KeyRole.CALL) == names(ran, KeyRole.CALL) != []
    assert ran.outcome is not None and ran.outcome.tool is Tri.UNKNOWN
    assert [(one.verb, one.target.name, one.outcome and one.outcome.tool) for one in (read, wrote)] == [
        (Verb.FILE_READ, "/home/ada/api/.env", Tri.YES),
        (Verb.FILE_WRITE, "/home/ada/api/a.py", Tri.YES),
    ]
    assert (asked.verb, asked.target.name, asked.target.detail) == (Verb.MCP_CALL, "tracker", "create_issue")
    assert names(asked, KeyRole.CALL) == names(served_one, KeyRole.CALL) != []
    assert served_one.attrs["output"] == "made"


def test_what_a_hook_of_windsurf_answered() -> None:
    asked = cascade("pre_run_command", command_line="rm -rf build", cwd="/home/ada/api")
    verdict = only(events({"stdin": json.dumps(asked), "exit_code": 2, "stderr": "not here"}), EventKind.DECISION, Phase.VERDICT)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.rule, verdict.decision.reason) == (
        Effect.DENY,
        "pre_run_command",
        "not here",
    )
    assert (verdict.point, verdict.vantage, verdict.verb) == ("windsurf:hook", Vantage.ENFORCER, Verb.EXEC)
    passed = only(events({"input": asked, "exit_code": 0}), EventKind.DECISION, Phase.VERDICT)
    assert passed.decision is not None and passed.decision.effect is Effect.UNKNOWN
    assert IMPORTER.open().read(cascade("pre_teleport")).unknown_type == "pre_teleport"


def cline(hook: str, **members: Any) -> dict[str, Any]:
    base = {"clineVersion": "4.1.3", "hookName": hook, "timestamp": "1795390007000", "taskId": "1795390000123", "userId": "u-1"}
    return {**base, "workspaceRoots": ["/home/ada/api"], "model": {"provider": "anthropic", "slug": "opus"}, **members}


def test_what_cline_hands_to_its_hooks() -> None:
    command = {"toolName": "execute_command", "parameters": {"command": "npm test", "requires_approval": "false"}}
    wrote = {"toolName": "write_to_file", "parameters": {"path": "a.py", "content": "x"}, "result": "ok", "success": True}
    records = [
        cline("TaskStart", taskStart={"taskMetadata": {"taskId": "1795390000123", "initialTask": "fix ACME-12"}}),
        cline("UserPromptSubmit", userPromptSubmit={"prompt": "and the docs", "attachments": []}),
        cline("PreToolUse", preToolUse=command),
        cline("PostToolUse", postToolUse={**command, "result": "1 failing", "success": True, "executionTimeMs": 3}),
        cline("PostToolUse", postToolUse=wrote),
        cline("PostToolUse", postToolUse={**wrote, "success": False}, tool_call={"id": "call_9", "name": "write_to_file"}),
    ]
    assert IMPORTER.sniff(records) == 92
    first, second, call, ran, written, failed = events(*records)
    assert {one.point for one in events(*records)} == {"cline"}
    assert (first.kind, first.text, second.text) == (EventKind.INTENT, "fix ACME-12", "and the docs")
    assert first.at == 1795390007000000 and names(first, KeyRole.SCOPE) == ["session:1795390000123"]
    assert (call.verb, call.attrs["command"], call.attrs["cwd"]) == (Verb.EXEC, "npm test", "/home/ada/api")
    assert names(call, KeyRole.CALL) == names(ran, KeyRole.CALL) != []
    # That the tool did its work does not say that the command did.
    assert [one.outcome and one.outcome.tool for one in (ran, written, failed)] == [Tri.UNKNOWN, Tri.YES, Tri.NO]
    assert names(failed, KeyRole.CALL) == ["call:call_9"]


@pytest.mark.parametrize(
    "answer", [{"cancel": True, "errorMessage": "frozen"}, {"shouldContinue": False, "errorMessage": "frozen"}]
)
def test_what_a_hook_of_cline_answered(answer: dict[str, Any]) -> None:
    asked = cline("PreToolUse", preToolUse={"toolName": "execute_command", "parameters": {"command": "npm publish"}})
    verdict = only(events({"input": asked, "output": answer}), EventKind.DECISION, Phase.VERDICT)
    assert verdict.decision is not None and (verdict.decision.effect, verdict.decision.reason) == (Effect.DENY, "frozen")
    passed = only(events({"input": asked, "output": {"cancel": False}}), EventKind.DECISION, Phase.VERDICT)
    assert passed.decision is not None and passed.decision.effect is Effect.UNKNOWN


def augment(event: str, **members: Any) -> dict[str, Any]:
    context = {"userEmail": "ada@acme.example", "timestamp": "2026-11-22T23:26:47Z"}
    base = {"hook_event_name": event, "conversation_id": "conv-77", "workspace_roots": ["/home/ada/api"], "context": context}
    return {**base, **members}


def test_what_augment_hands_to_its_hooks() -> None:
    command = {"tool_name": "launch-process", "tool_input": {"command": "git push"}}
    records = [
        augment("SessionStart"),
        augment("PreToolUse", **command),
        augment("PostToolUse", **command, tool_output="done"),
        augment("PostToolUse", tool_name="str-replace-editor", tool_input={"path": "a.ts"}, tool_output="ok"),
        augment("PostToolUse", tool_name="save-file", tool_input={"path": "b.ts"}, tool_error="no space"),
        augment("PreToolUse", tool_name="search_tracker", tool_input={"q": "x"}, mcp_server_name="tracker"),
    ]
    assert IMPORTER.sniff(records) == 92
    started, call, ran, edited, failed, served = events(*records)
    assert {one.point for one in events(*records)} == {"auggie"}
    assert names(started, KeyRole.SCOPE) == ["session:conv-77"] and call.at == 1795390007000000
    assert (call.verb, call.attrs["command"]) == (Verb.EXEC, "git push")
    assert names(call, KeyRole.CALL) == names(ran, KeyRole.CALL) != []
    assert [one.outcome and one.outcome.tool for one in (ran, edited, failed)] == [Tri.UNKNOWN, Tri.YES, Tri.NO]
    assert (edited.verb, edited.target.name) == (Verb.FILE_WRITE, "a.ts")
    (unsaid,) = events(augment("PostToolUse", tool_name="save-file", tool_input={"path": "b.ts"}))
    assert unsaid.outcome is not None and unsaid.outcome.tool is Tri.UNKNOWN
    assert (served.verb, served.target.name, served.target.detail) == (Verb.MCP_CALL, "tracker", "search")


def test_another_programs_action_beside_a_trajectory_is_none_of_windsurfs() -> None:
    record = {"agent_action_name": "dial", "trajectory_id": "t", "tool_info": {"number": 1}, "timestamp": "2026-06-01T14:00:00Z"}
    assert IMPORTER.sniff([record] * 3) == 0
