"""What Cursor says in transcripts, hooks and rows of its database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from chains.facts import OrgFacts
from chains.stitch import stitch
from importers.base import reader_of
from importers.cursor import IMPORTER, act_of_tool
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, of_files, only, survives, whole

TURNS = [
    {"role": "user", "message": {"content": [{"type": "text", "text": "<user_query>\nPAY-7 go\n</user_query>"}]}},
    {
        "role": "assistant",
        "message": {
            "content": [{"type": "text", "text": "ok"}, {"type": "tool_use", "name": "Shell", "input": {"command": "ls"}}]
        },
    },
]


def hook(kind: str, **members: Any) -> dict[str, Any]:
    base = {
        "conversation_id": "c-1",
        "generation_id": "g",
        "hook_event_name": kind,
        "cursor_version": "2.4",
        "workspace_roots": ["/home/ada/api"],
    }
    return base | members


def bubble(kind: int = 2, text: str = "", **call: Any) -> dict[str, Any]:
    value = {"bubbleId": "b", "type": kind, "text": text, "createdAt": "2026-01-02T03:04:05Z"} | (
        {"toolFormerData": call} if call else {}
    )
    return {"key": "bubbleId:c-1:b", "value": json.dumps(value)}


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


CONVERSATION = "8d6cf2b5-1f4e-4c7a-9b44-0a6f2b1c3d4e"
SUB = "1b2c3d4e-1f4e-4c7a-9b44-0a6f2b1c3d4e"


def placed(path: str, *records: object) -> list[Event]:
    reader = reader_of(IMPORTER, f"{path}/{path.rpartition('/')[2]}")
    return [event for one in records for event in reader.read(one).events]


def test_a_transcript_is_of_the_conversation_it_lies_in_and_tells_when_a_person_spoke() -> None:
    words = "<timestamp>Sunday, Sep 20, 2026, 12:31 AM (UTC+3)</timestamp>\n<user_query>\ngo\n</user_query>"
    said = {"role": "user", "message": {"content": [{"type": "text", "text": words}]}}
    folder = f"/home/ada/.cursor/projects/api/agent-transcripts/{CONVERSATION}"
    (intent,) = placed(f"{folder}/{CONVERSATION}.jsonl", said, {"type": "turn_ended", "status": "success"})
    assert (names(intent, KeyRole.SCOPE), intent.text, intent.at) == ([f"session:{CONVERSATION}"], "go", 1789853460000000)
    (asked,) = placed(f"{folder}/subagents/{SUB}.jsonl", said)
    assert (names(asked, KeyRole.SCOPE), names(asked, KeyRole.PARENT)) == ([f"session:{SUB}"], [f"session:{CONVERSATION}"])
    assert asked.phase is Phase.DELEGATED
    assert names(placed(f"/x/{CONVERSATION}.jsonl", said)[0], KeyRole.SCOPE) == [f"session:{CONVERSATION}"]


def test_a_conversation_may_hold_its_messages_itself() -> None:
    said = {"type": 1, "bubbleId": "b1", "text": "PAY-7 go"}
    call = {"name": "run_terminal_cmd", "toolCallId": "t1", "rawArgs": '{"command": "ls"}', "status": "error"}
    done = {
        "type": 2,
        "bubbleId": "b2",
        "text": "",
        "toolFormerData": {**call, "error": '{"modelVisibleErrorMessage": "no shell"}'},
    }
    whole_value = {"composerId": "c-1", "createdAt": 1790000000000, "conversation": [said, done]}
    rows = [{"key": "composerData:c-1", "value": json.dumps(whole_value)}, {"key": "bubbleId:c-1:b1", "value": json.dumps(said)}]
    events = read(*rows)
    assert [e.text for e in events if e.kind is EventKind.INTENT] == ["PAY-7 go"]
    assert only(events, EventKind.ACTION, Phase.RESULT).attrs["output"] == "no shell"
    mapped = {**whole_value, "conversation": [], "conversationMap": {"b1": said, "b2": done}}
    assert len(read({"key": "composerData:c-1", "value": json.dumps(mapped)})) == len(events)


def test_results_in_a_transcript_belong_to_the_calls_before_them() -> None:
    blocks = [{"type": "tool_use", "name": "Shell", "input": {"command": name}} for name in ("ls", "pwd")]
    results = [{"type": "tool_result", "content": "a"}, {"type": "tool_result", "content": "b", "is_error": True}]
    rows = [{"role": "assistant", "message": {"content": blocks}}, {"role": "user", "message": {"content": results}}]
    events = read(*rows)
    calls, done = ([e for e in events if e.phase is phase] for phase in (Phase.CALL, Phase.RESULT))
    assert [names(e, KeyRole.CALL) for e in calls] == [names(e, KeyRole.CALL) for e in done]
    assert [e.outcome and e.outcome.tool for e in done] == [Tri.UNKNOWN, Tri.NO]


def test_a_transcript() -> None:
    parsed, rejects = whole("\n".join(map(json.dumps, TURNS)), "cursor")
    intent, call = [event for one in parsed for event in one.events]
    assert not rejects
    assert (intent.text, call.verb, call.attrs["command"]) == ("PAY-7 go", Verb.EXEC, "ls")
    assert names(intent, KeyRole.SCOPE) == names(call, KeyRole.SCOPE)


def test_hooks_with_and_without_what_they_answered() -> None:
    rows = [
        hook("beforeSubmitPrompt", prompt="PAY-7 go"),
        {
            "input": hook("beforeShellExecution", command="git push", cwd="/home/ada/api"),
            "output": {"permission": "deny", "user_message": "no"},
        },
        hook("beforeMCPExecution", tool_name="create_issue", server="tracker", tool_input="{}"),
        hook("afterFileEdit", file_path="CLAUDE.md", edits=[]),
    ]
    parsed, rejects = whole("\n".join(map(json.dumps, rows)), "cursor")
    events = [event for one in parsed for event in one.events]
    assert not rejects
    calls = [e for e in events if e.phase is Phase.CALL]
    assert [e.verb for e in calls] == [Verb.EXEC, Verb.MCP_CALL, Verb.INSTRUCTIONS_WRITE]
    verdict = only(events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.rule, verdict.decision.reason) == (
        Effect.DENY,
        "hook beforeShellExecution",
        "no",
    )
    assert names(verdict, KeyRole.CALL) == names(calls[0], KeyRole.CALL)
    assert {name for e in events for name in names(e, KeyRole.SCOPE)} == {"session:c-1"}
    assert events[0].attrs["agent_version"] == "2.4"


@pytest.mark.parametrize(
    ("call", "tool", "refused", "effects"),
    [
        ({"status": "completed", "userDecision": "accepted", "result": '{"output": "a"}'}, Tri.YES, None, [Effect.ALLOW]),
        ({"status": "cancelled", "userDecision": "rejected"}, Tri.UNKNOWN, "user", [Effect.DENY]),
        ({"status": "cancelled"}, Tri.UNKNOWN, "interrupted", []),
        ({"status": "error"}, Tri.NO, None, []),
    ],
)
def test_rows(call: dict[str, Any], tool: Tri, refused: str | None, effects: list[Effect]) -> None:
    row = bubble(name="run_terminal_command_v2", toolCallId="t", rawArgs='{"command": "ls"}', **call)
    for shape in (row, {"_table": "cursorDiskKV", **row}, {"table": "cursorDiskKV", "columns": row}):
        events = [e for one in whole(json.dumps(shape), "cursor")[0] for e in one.events]
        made, done = only(events, EventKind.ACTION, Phase.CALL), only(events, EventKind.ACTION, Phase.RESULT)
        assert (made.verb, made.attrs["command"], names(made, KeyRole.SCOPE)) == (Verb.EXEC, "ls", ["session:c-1"])
        assert done.outcome is not None
        assert done.attrs.get("refused") == refused
        assert done.outcome.tool is (Tri.NO if refused else tool)
        assert [e.decision.effect for e in events if e.decision] == effects


def test_conversations_and_prompts_of_the_database() -> None:
    composer = {
        "key": "composerData:c-1",
        "value": json.dumps({"composerId": "c-1", "name": "Tidy", "createdAt": 1767323045000, "unifiedMode": "agent"}),
    }
    started, posture, intent = read(composer, bubble(1, "PAY-7 go"))
    assert (started.attrs["title"], posture.attrs["mode"], intent.text) == ("Tidy", "agent", "PAY-7 go")


def test_two_hooks_of_one_call_tell_one_call() -> None:
    every = hook("preToolUse", tool_name="Shell", tool_input={"command": "npm i"}, tool_use_id="t1")
    shell = {
        "ts": "2026-01-02T03:04:05Z",
        "event": hook("beforeShellExecution", command="npm i"),
        "response": {"permission": "ask"},
    }
    after = hook("afterShellExecution", command="npm i", output="ok")
    call, verdict, done = read(every, shell, after, hook("postToolUse", tool_name="Shell", tool_use_id="t1", tool_output="{}"))
    assert (call.phase, done.phase) == (Phase.CALL, Phase.RESULT)
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.ASK
    assert len({one.first_key(KeyRole.CALL) for one in (call, verdict, done)}) == 1


def test_a_log_of_what_is_over_tells_the_calls_too() -> None:
    shell = hook("afterShellExecution", command="git push", output="ok")
    again, mcp = dict(shell), hook("afterMCPExecution", mcp_server_name="hub", tool_name="create_issue", tool_input='{"t": 1}')
    failed = hook("postToolUseFailure", tool_name="Shell", tool_use_id="t9", tool_input={"command": "rm x"}, error_message="no")
    events = read(shell, again, mcp, failed)
    calls = [one for one in events if one.phase is Phase.CALL]
    assert [(one.verb, one.attrs.get("command"), one.target.name) for one in calls] == [
        (Verb.EXEC, "git push", ""),
        (Verb.EXEC, "git push", ""),
        (Verb.MCP_CALL, None, "hub"),
        (Verb.EXEC, "rm x", ""),
    ]
    results = [one for one in events if one.phase is Phase.RESULT]
    assert [one.first_key(KeyRole.CALL) for one in results] == [one.first_key(KeyRole.CALL) for one in calls]
    assert len({one.first_key(KeyRole.CALL) for one in calls}) == 4


def test_calls_side_by_side_have_each_their_own_answer_and_end() -> None:
    def told(command: str, name: str) -> dict[str, dict[str, Any]]:
        of_tool = {"tool_name": "Shell", "tool_input": {"command": command}, "tool_use_id": name}
        return {
            "pre": hook("preToolUse", **of_tool),
            "before": hook("beforeShellExecution", command=command),
            "after": hook("afterShellExecution", command=command, output=f"{command} wrote"),
            "post": hook("postToolUse", tool_output='{"exitCode": 2}', **of_tool),
        }

    one, two = told("make a", "ta"), told("make b", "tb")
    denied = {"input": one["before"], "output": {"permission": "deny"}}
    order = [one["pre"], two["pre"], denied, two["before"], one["after"], one["post"], two["after"], two["post"]]
    events = read(*order)
    said = [(names(e, KeyRole.CALL), e.attrs.get("output"), e.attrs.get("status")) for e in events if e.phase is Phase.RESULT]
    assert [(names, told) for names, told, _ in said if told] == [(["call:ta"], "make a wrote"), (["call:tb"], "make b wrote")]
    assert [(names, code) for names, _, code in said if code] == [(["call:ta"], "2"), (["call:tb"], "2")]
    assert names(only(events, EventKind.DECISION), KeyRole.CALL) == ["call:ta"]
    assert [names(e, KeyRole.CALL) for e in events if e.phase is Phase.CALL] == [["call:ta"], ["call:tb"]]


def test_a_transcript_and_the_log_of_its_hooks_tell_of_the_same_calls(tmp_path: Path) -> None:
    """Neither gives a call an id, and the transcript no time: the words do."""
    told = [("Shell", {"command": "rm -rf build"}), ("Read", {"path": "/home/ada/api/a.py"}), ("Shell", {"command": "rm -rf build"}),
            ("CallMcpTool", {"server": "linear", "toolName": "create_issue", "arguments": {"title": "x"}})]  # fmt: skip
    lines = [
        {"role": "assistant", "message": {"content": [{"type": "tool_use", "name": n, "input": given}]}} for n, given in told
    ]
    place = tmp_path / "agent-transcripts" / CONVERSATION
    place.mkdir(parents=True)
    (place / f"{CONVERSATION}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    hooks = [
        hook("beforeReadFile", file_path="/home/ada/api/a.py"),
        hook("beforeMCPExecution", tool_name="create_issue", tool_input='{"title": "x"}', url="https://mcp.example.org"),
        hook("afterMCPExecution", tool_name="create_issue", result_json='{"isError": true}'),
        hook("beforeShellExecution", command="rm -rf build"),
    ]
    logged = [{**one, "conversation_id": CONVERSATION, "timestamp": f"2026-11-18T10:00:0{n}Z"} for n, one in enumerate(hooks)]
    (tmp_path / "hooks.jsonl").write_text("\n".join(map(json.dumps, logged)))
    both = stitch(of_files(place / f"{CONVERSATION}.jsonl", tmp_path / "hooks.jsonl"), OrgFacts())
    ((_, chain),) = both.chains.items()
    found = {one.call: (one.title, one.outcome.tool, len(one.records)) for one in chain.steps}
    assert len(found) == 4
    assert {(title, tool, records) for title, tool, records in found.values()} == {
        ("rm -rf build", Tri.UNKNOWN, 2),
        ("file.read /home/ada/api/a.py", Tri.UNKNOWN, 2),
        ("rm -rf build", Tri.UNKNOWN, 1),
        ("mcp.call linear", Tri.NO, 3),
    }


def test_a_conversation_says_where_it_is_worked_and_which_server_serves_a_tool() -> None:
    params = json.dumps({"tools": [{"name": "create_issue", "parameters": '{"title": "x"}', "serverName": "linear"}]})
    row = bubble(toolCallId="t1", name="mcp_linear_create_issue", params=params, status="completed")
    row["value"] = json.dumps({**json.loads(row["value"]), "workspaceUris": ["file:///home/ada/my%20api"]})
    call = only(read(row), EventKind.ACTION, Phase.CALL)
    assert (call.verb, call.target.name, call.target.detail) == (Verb.MCP_CALL, "linear", "create_issue")
    assert call.attrs["cwd"] == "/home/ada/my api"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_two_hooks_after_a_call_tell_one_call(order: tuple[int, int]) -> None:
    after = hook("afterShellExecution", command="npm i", output="ok")
    post = [
        hook("postToolUse", tool_name="Shell", tool_use_id=name, tool_input={"command": "npm i"}, tool_output="ok")
        for name in "ab"
    ]
    events = read(*((after, post[0])[one] for one in order), *((after, post[1])[one] for one in order))
    assert [one.phase for one in events] == [Phase.CALL, Phase.RESULT] * 2
    assert len({one.first_key(KeyRole.CALL) for one in events}) == 2


def test_the_hook_after_any_tool_answers_the_call_that_had_no_id() -> None:
    before = hook("beforeShellExecution", command="npm i")
    call, done = read(
        before, hook("postToolUse", tool_name="Shell", tool_use_id="t", tool_input={"command": "npm i"}, tool_output="ok")
    )
    assert (call.phase, done.phase, done.attrs["output"]) == (Phase.CALL, Phase.RESULT, "ok")
    assert call.first_key(KeyRole.CALL) == done.first_key(KeyRole.CALL)


@pytest.mark.parametrize("answer", [{"decision": "deny", "reason": "no"}, {"permission": "deny", "user_message": "no"}])
@pytest.mark.parametrize("held", ["input", "event", "payload", "hook_input"])
def test_a_home_made_log_names_its_members_as_it_likes(held: str, answer: dict[str, str]) -> None:
    call, verdict = read({held: hook("beforeShellExecution", command="ls"), "output": json.dumps(answer)})
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.reason) == (Effect.DENY, "no")
    assert verdict.first_key(KeyRole.CALL) == call.first_key(KeyRole.CALL)


def test_a_call_that_failed_for_want_of_permission_was_refused() -> None:
    failed = hook(
        "postToolUseFailure",
        tool_name="Shell",
        tool_use_id="t1",
        error_message="no",
        failure_type="permission_denied",
        is_interrupt=False,
    )
    call, done, verdict = read(failed)
    assert call.verb is Verb.EXEC
    assert (done.attrs["refused"], verdict.decision and verdict.decision.effect) == ("rule", Effect.DENY)
    _, stopped = read({**failed, "is_interrupt": True})
    assert stopped.attrs["refused"] == "interrupted"


def test_unknown_and_broken_records() -> None:
    assert IMPORTER.open().read({"key": "checkpointId:x", "value": "{}"}).unknown_type == "row/checkpointId"
    assert IMPORTER.open().read(hook("beforeDance")).unknown_type == "hook/beforeDance"
    for bad in ([], {"a": 1}, {"role": "user"}, {"key": "bubbleId:a:b", "value": "{"}, {"hook_event_name": "stop"}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([*TURNS, hook("preToolUse", tool_name="Shell", tool_input={}), bubble(name="x", status="completed")]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


@pytest.mark.parametrize(
    ("tool", "given", "verb", "target"),
    [
        ("CallDynamicTool", {"namespace": "user-tracker", "toolName": "close", "arguments": {"id": 1}}, Verb.MCP_CALL, ("tracker", "close")),
        ("FetchMcpResource", {"server": "tracker", "uri": "tracker://1"}, Verb.MCP_CALL, ("tracker", "tracker://1")),
        ("GetDynamicTools", {}, Verb.AGENT_MESSAGE, ("", "")),
        ("semSearch", {"query": "x"}, Verb.FILE_READ, ("", "x")),
    ],
)  # fmt: skip
def test_tools_of_newer_versions(tool: str, given: dict[str, object], verb: Verb, target: tuple[str, str]) -> None:
    act = act_of_tool(tool, given)
    assert (act.verb, (act.target.name, act.target.detail)) == (verb, target)


@pytest.mark.parametrize(
    ("kind", "logged", "effect"),
    [
        ("beforeShellExecution", {"exit_code": 2}, Effect.DENY),
        ("beforeShellExecution", {"exit_code": 0, "output": {"permission": "allow"}}, Effect.ALLOW),
        ("beforeShellExecution", {"exit_code": 1}, None),
        ("afterShellExecution", {"exit_code": 2}, None),
    ],
)
def test_what_a_hook_decided_is_the_hooks_word(kind: str, logged: dict[str, Any], effect: Effect | None) -> None:
    verdicts = [one for one in read({"input": hook(kind, command="ls"), **logged}) if one.decision]
    assert [one.decision and one.decision.effect for one in verdicts] == ([effect] if effect else [])
    assert {(one.point, one.decision and one.decision.by) for one in verdicts} <= {("cursor:hook", "hook")}


def test_a_prompt_that_a_hook_stopped_is_no_call() -> None:
    shell = hook("beforeShellExecution", command="ls")
    stopped = {"input": hook("beforeSubmitPrompt", prompt="go"), "output": {"continue": False, "user_message": "no"}}
    verdict = only(read(shell, stopped), EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, names(verdict, KeyRole.CALL)) == (Effect.DENY, [])


@pytest.mark.parametrize(
    ("output", "tool", "status"),
    [
        ({"exitCode": 1, "stdout": "no"}, Tri.NO, "1"),
        ({"exitCode": 0, "stdout": "ok"}, Tri.YES, "0"),
        ({"stdout": "ok"}, Tri.UNKNOWN, None),
    ],
)
def test_a_command_that_is_over_has_its_exit_code(output: dict[str, Any], tool: Tri, status: str | None) -> None:
    over = hook("postToolUse", tool_name="Shell", tool_input={"command": "ls"}, tool_use_id="t1", tool_output=json.dumps(output))
    result = only(read({**over, "user_email": "ada@example.com"}), EventKind.ACTION, Phase.RESULT)
    assert (result.outcome and result.outcome.tool, result.attrs.get("status")) == (tool, status)
    assert result.principal is not None and (result.principal.name, result.principal.kind) == ("ada@example.com", "human")


@pytest.mark.parametrize(
    ("result", "tool", "refused", "status"),
    [
        ({"output": "no", "exitCodeV2": 1, "rejected": False}, Tri.NO, None, "1"),
        ({"output": "no", "exitCode": 2}, Tri.NO, None, "2"),
        (
            {"output": "ok", "exitCodeV2": 0, "endedReason": "RUN_TERMINAL_COMMAND_ENDED_REASON_EXECUTION_COMPLETED"},
            Tri.YES,
            None,
            "0",
        ),
        ({"output": "", "endedReason": "RUN_TERMINAL_COMMAND_ENDED_REASON_EXECUTION_ABORTED"}, Tri.NO, "interrupted", None),
        ({"output": "", "endedReason": "RUN_TERMINAL_COMMAND_ENDED_REASON_BACKGROUND"}, Tri.UNKNOWN, None, None),
        ({"output": "", "rejected": True}, Tri.NO, "user", None),
        ({"error": "no such file"}, Tri.NO, None, None),
    ],
)
def test_a_command_that_is_completed_may_have_failed(
    result: dict[str, Any], tool: Tri, refused: str | None, status: str | None
) -> None:
    row = bubble(
        name="run_terminal_cmd", toolCallId="t", status="completed", rawArgs='{"command": "ls"}', result=json.dumps(result)
    )
    events = read(row)
    done = only(events, EventKind.ACTION, Phase.RESULT)
    assert (done.outcome and done.outcome.tool, done.attrs.get("refused"), done.attrs.get("status")) == (tool, refused, status)
    assert [e.decision.effect for e in events if e.decision] == ([Effect.DENY] if refused == "user" else [])


@pytest.mark.parametrize(("approved", "by"), [("user", "user"), ("allowlist", "cursor"), (None, "cursor")])
def test_a_person_decided_where_the_editor_says_that_it_asked_one(approved: str | None, by: str) -> None:
    more = {"additionalData": {"reviewData": {"approvalType": approved}}} if approved else {}
    row = bubble(name="run_terminal_cmd", toolCallId="t", status="completed", userDecision="accepted", result="{}", **more)
    verdict = only(read(row), EventKind.DECISION)
    assert verdict.decision is not None and (verdict.decision.effect, verdict.decision.by) == (Effect.ALLOW, by)


def test_a_conversation_names_those_it_began() -> None:
    value = {"composerId": "c-1", "createdAt": 1790000000000, "subagentComposerIds": ["c-2"]}
    rows = [
        {"key": "composerData:c-1", "value": json.dumps(value)},
        {"key": "bubbleId:c-2:b", "value": json.dumps({"bubbleId": "b", "type": 1, "text": "look"})},
    ]
    begun, child, asked = read(*rows)
    assert (names(begun, KeyRole.SCOPE), names(child, KeyRole.SCOPE)) == (["session:c-1"], ["session:c-2"])
    assert names(child, KeyRole.PARENT) == names(asked, KeyRole.PARENT) == ["session:c-1"]


def test_calls_of_another_piece_of_a_hooks_log_go_by_other_names() -> None:
    first = read(hook("beforeShellExecution", command="make test"), hook("afterShellExecution", command="make test", output="ok"))
    second = read(hook("beforeShellExecution", command="make lint"), hook("beforeShellExecution", command="make lint"))
    named = [names(event, KeyRole.CALL) for event in (*first, *second)]
    assert named[0] == named[1] != named[2] != named[3]
