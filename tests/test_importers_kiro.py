"""What Kiro conversations say, as a payload and as database rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.base import reader_of
from importers.kiro import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole


def entry(content: dict[str, Any], assistant: dict[str, Any] | None = None) -> dict[str, Any]:
    env = {"env_state": {"current_working_directory": "/home/ada/api"}}
    user = {"env_context": env, "content": content, "timestamp": "2026-05-17T10:00:00Z"}
    answer = assistant or {"Response": {"message_id": "m", "content": "ok"}}
    return {"user": user, "assistant": answer, "request_metadata": {"stream_end_timestamp_ms": 1779012030000}}


CALL = entry(
    {"Prompt": {"prompt": "PAY-7 go"}},
    {
        "ToolUse": {
            "message_id": "m",
            "content": "",
            "tool_uses": [{"id": "t", "name": "execute_bash", "args": {"command": "ls"}}],
        }
    },
)
OUTPUT = {"tool_use_id": "t", "content": [{"Json": {"exit_status": "1", "stdout": "a", "stderr": "b"}}], "status": "Success"}
DONE = entry({"ToolUseResults": {"tool_use_results": [OUTPUT]}})
STOPPED = entry({"CancelledToolUses": {"prompt": "Use the job", "tool_use_results": [OUTPUT | {"status": "Error"}]}})
PAYLOAD = {"conversation_id": "c-1", "history": [CALL, DONE], "transcript": ["> go"]}


def told(events: list[Event]) -> list[tuple[object, ...]]:
    return [(e.kind, e.phase, e.verb, e.text, e.keys, e.attrs) for e in events]


def test_a_payload_and_its_row_say_the_same() -> None:
    forms = (
        json.dumps(PAYLOAD),
        json.dumps(PAYLOAD, indent=1),
        json.dumps({"key": "/home/ada/api", "conversation_id": "c-1", "value": json.dumps(PAYLOAD)}),
        json.dumps(
            {
                "_table": "conversations_v2",
                "columns": {"key": "/home/ada/api", "conversation_id": "c-1", "value": json.dumps(PAYLOAD)},
            }
        ),
    )
    for text in forms:
        parsed, rejects = whole(text, "kiro")
        _, intent, call, done = [event for one in parsed for event in one.events]
        assert not rejects
        assert (intent.text, call.verb, call.attrs["command"], call.attrs["cwd"]) == (
            "PAY-7 go",
            Verb.EXEC,
            "ls",
            "/home/ada/api",
        )
        assert names(call, KeyRole.SCOPE) == ["session:c-1"]
        assert names(call, KeyRole.CALL) == names(done, KeyRole.CALL) == ["call:t"]
        assert done.outcome is not None
        assert (done.outcome.tool, done.attrs["status"], done.attrs["output"]) == (Tri.NO, "1", "a\nb")
        assert call.at == 1779012030000000


def test_a_cancelled_call_is_a_refusal_with_the_persons_words() -> None:
    reader = IMPORTER.open()
    events = [event for one in (CALL, STOPPED) for event in reader.read(one).events]
    assert only(events, EventKind.ACTION, Phase.RESULT).attrs["refused"] == "user"
    assert [e.decision.effect for e in events if e.decision] == [Effect.DENY]
    assert [e.text for e in events if e.kind is EventKind.INTENT] == ["PAY-7 go", "Use the job"]


def test_a_call_that_a_hook_or_a_rule_stopped_is_refused_by_it_and_the_programs_words_are_no_intent() -> None:
    blocked = {
        "tool_use_id": "t",
        "content": [{"Text": "PreToolHook blocked the tool execution: no writes\n"}],
        "status": "Error",
    }
    by_hook = entry({"ToolUseResults": {"tool_use_results": [blocked]}})
    for prompt, by, effects in (
        ("Tool use with execute_bash was rejected because the arguments supplied were forbidden", "rule", [Effect.DENY]),
        ("I deny this tool request. Ask a follow up question clarifying the expected action", "user", [Effect.DENY]),
        ("The user interrupted the tool execution.", "interrupted", []),
    ):
        stopped = entry({"CancelledToolUses": {"prompt": prompt, "tool_use_results": [OUTPUT | {"status": "Error"}]}})
        events = IMPORTER.open().read(stopped).events
        assert only(events, EventKind.ACTION, Phase.RESULT).attrs["refused"] == by
        assert [e.decision.effect for e in events if e.decision] == effects
        assert [e for e in events if e.kind is EventKind.INTENT] == []
    result, verdict = IMPORTER.open().read(by_hook).events
    assert verdict.decision is not None
    assert (result.attrs["refused"], verdict.decision.reason) == ("hook", "no writes")
    resumed = IMPORTER.open().read(entry({"Prompt": {"prompt": "In a few words, summarize our conversation so far."}}))
    assert resumed.events == []


def test_what_tools_gave_went_out_with_the_request() -> None:
    done = entry({"ToolUseResults": {"tool_use_results": [OUTPUT]}})
    done["user"]["timestamp"] = None
    done["request_metadata"]["request_start_timestamp_ms"] = 1779012025000
    (result,) = IMPORTER.open().read(done).events
    assert result.at == 1779012025000000


def test_amazon_qs_first_versions_keep_an_entry_as_a_pair() -> None:
    pairs = {"conversation_id": "c-1", "history": [[one["user"], one["assistant"]] for one in (CALL, DONE)]}
    parsed, _ = whole(json.dumps({"key": "/home/ada/api", "value": json.dumps(pairs)}), "kiro")
    _, intent, call, result = parsed[0].events
    assert (intent.text, call.verb, result.attrs["status"]) == ("PAY-7 go", Verb.EXEC, "1")


def test_a_conversation_began_when_its_row_did() -> None:
    row = {"key": "/home/ada/api", "conversation_id": "c-1", "value": json.dumps(PAYLOAD), "created_at": 1779012000000}
    parsed, _ = whole(json.dumps(row), "kiro")
    assert parsed[0].events[0].at == 1779012000000000


def test_an_aws_call_is_the_command_that_makes_it() -> None:
    given = {"service_name": "s3api", "operation_name": "delete-bucket", "parameters": {"bucket": "a b"}, "region": "eu-west-1"}
    use = {"ToolUse": {"tool_uses": [{"id": "t", "name": "use_aws", "args": given}]}}
    (call,) = IMPORTER.open().read(entry({}, use)).events
    assert (call.verb, call.attrs["command"]) == (Verb.EXEC, "aws s3api delete-bucket --bucket 'a b'")


@pytest.mark.parametrize(
    ("tool", "given", "kind", "asked"),
    [
        (
            "use_subagent",
            {
                "command": "InvokeSubagents",
                "content": {"subagents": [{"agent_name": "explorer", "query": "look"}, {"query": "and there"}]},
            },
            "explorer",
            "look\nand there",
        ),
        (
            "agent_crew",
            {
                "task": "ship it",
                "mode": "blocking",
                "stages": [{"name": "one", "role": "builder", "prompt_template": "build {task}"}],
            },
            "builder",
            "build {task}",
        ),
        ("delegate", {"operation": "launch", "agent": "a", "task": "do"}, "a", "do"),
        ("use_subagent", {"command": "ListAgents"}, None, None),
        ("delegate", {"operation": {"status": None}}, None, None),
        ("session_management", {"command": "list_sessions"}, None, None),
    ],
)
def test_agents_that_a_call_starts_are_no_command(tool: str, given: dict[str, Any], kind: str | None, asked: str | None) -> None:
    call, *words = IMPORTER.open().read(entry({}, {"ToolUse": {"tool_uses": [{"id": "t", "name": tool, "args": given}]}})).events
    assert (call.verb, call.attrs.get("agent_type")) == (Verb.AGENT_MESSAGE if kind is None else Verb.AGENT_SPAWN, kind)
    assert [one.text for one in words] == ([] if asked is None else [asked])


@pytest.mark.parametrize(
    ("ended", "ok", "status"),
    [("exit status: 0", Tri.YES, "0"), ("exit code: 1", Tri.NO, "1"), ("signal: 9 (SIGKILL)", Tri.NO, "signal: 9 (SIGKILL)")],
)
def test_a_command_that_was_killed_did_not_succeed(ended: str, ok: Tri, status: str) -> None:
    gave = {"tool_use_id": "t", "content": [{"Json": {"exit_status": ended, "stdout": "a", "stderr": ""}}], "status": "Success"}
    (done,) = IMPORTER.open().read(entry({"ToolUseResults": {"tool_use_results": [gave]}})).events
    assert done.outcome is not None
    assert (done.outcome.tool, done.attrs["status"]) == (ok, status)


def test_a_session_of_lines() -> None:
    def line(kind: str, *content: dict[str, Any], **data: Any) -> dict[str, Any]:
        return {"version": "v1", "kind": kind, "data": {"message_id": kind, "content": list(content), **data}}

    def used(id: str) -> dict[str, Any]:
        return {
            "kind": "toolUse",
            "data": {"toolUseId": id, "name": "shell", "input": {"command": "ls", "__tool_use_purpose": "x"}},
        }

    def gave(id: str, status: str, *content: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "toolResult", "data": {"toolUseId": id, "status": status, "content": list(content)}}

    ran = {"kind": "json", "data": {"exit_status": "exit status: 1", "stdout": "a", "stderr": "b"}}
    rows = [
        line("Prompt", {"kind": "text", "data": "fix it"}, {"kind": "image", "data": {}}, meta={"timestamp": 1772359200.5}),
        line("AssistantMessage", {"kind": "thinking", "data": {"text": "x"}}, {"kind": "text", "data": "x"}, used("t1"), used("t2")),
        line("ToolResults", gave("t1", "success", ran), gave("t2", "error", {"kind": "text", "data": "Tool use was cancelled by the user"})),
        {"version": "v1", "kind": "Clear", "data": None},
    ]  # fmt: skip
    parsed, rejects = whole("\n".join(json.dumps(row) for row in rows), "kiro")
    assert rejects == []
    prompt, first, second, failed, refused, verdict = [event for one in parsed for event in one.events]
    assert (prompt.text, prompt.at, first.attrs["command"], second.verb) == ("fix it", 1772359200500000, "ls", Verb.EXEC)
    assert failed.outcome is not None
    assert verdict.decision is not None
    assert (failed.outcome.tool, failed.attrs["status"], refused.attrs["refused"]) == (Tri.NO, "1", "user")
    assert verdict.decision.effect is Effect.DENY
    assert [one.unknown_type for one in parsed] == [None] * len(rows)


def test_a_saved_session_is_the_session_whose_lines_it_holds() -> None:
    session, said, used = (f"0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4{n}" for n in "def")
    call = {"kind": "toolUse", "data": {"toolUseId": "t1", "name": "shell", "input": {"command": "ls"}}}
    lines = [
        {"version": "v1", "kind": "Prompt", "data": {"message_id": said, "content": [{"kind": "text", "data": "fix it"}]}},
        {"version": "v1", "kind": "AssistantMessage", "data": {"message_id": used, "content": [call]}},
    ]
    # What a turn came to repeats its calls, and is no call of its own.
    turns = {"user_turn_metadatas": [{"end_reason": "UserTurnEnd", "result": {"Ok": {"id": "r", "content": [call]}}}]}
    about = {"session_id": session, "cwd": "/home/ada/api", "title": "fix", "created_at": "2026-05-11T19:43:19.2Z"}
    about["session_state"] = {"agent_name": "kiro_default", "conversation_metadata": turns}
    saved = {"format": "kiro-session-export-v1", "metadata": about, "log_entries": lines}
    for text in (json.dumps(saved), json.dumps(saved, indent=2)):
        parsed, rejects = whole(text, "kiro")
        begun, intent, made = [event for one in parsed for event in one.events]
        assert rejects == []
        assert (begun.phase, intent.text, made.attrs["command"]) == (Phase.STARTED, "fix it", "ls")
        assert {scope for e in (begun, intent, made) for scope in names(e, KeyRole.SCOPE)} == {f"session:{session}"}
        assert made.attrs["cwd"] == "/home/ada/api"
    reader = reader_of(IMPORTER, f"/home/ada/.kiro/sessions/cli/{session}.jsonl/x")
    own = [reader.read(line) for line in lines]
    assert [(one.scope, one.identity) for one in own] == [(one.scope, one.identity) for one in parsed[1:]]
    assert [one.identity is not None for one in own] == [True, True]
    assert ([one.copied for one in own], [one.copied for one in parsed[1:]]) == ([False, False], [True, True])


SESSION = "sess_0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"


def message(kind: str, **payload: Any) -> dict[str, Any]:
    return {"id": f"{kind}-1", "timestamp": "2026-09-02T10:00:00.5Z", "payload": {"type": kind, **payload}}


@pytest.mark.parametrize(
    ("place", "session", "parent"),
    [
        (f"/home/ada/.kiro/sessions/9f3c/{SESSION}/messages.jsonl/messages.jsonl", SESSION, []),
        (f"kept.zip/kept.zip!9f3c/{SESSION}/messages.jsonl", SESSION, []),
        (f"/k/9f3c/{SESSION}/sub-executions/sess_child.jsonl/9f3c/{SESSION}/sub-executions/sess_child.jsonl", "sess_child", [SESSION]),
        ("/home/ada/.kiro/sessions/cli/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d.jsonl/x", "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", []),
        ("messages.jsonl/messages.jsonl", "", []),
        ("", "", []),
    ],
)  # fmt: skip
def test_messages_are_of_the_session_their_file_lies_in(place: str, session: str, parent: list[str]) -> None:
    (intent,) = reader_of(IMPORTER, place).read(message("user", content="go")).events
    (scope,) = names(intent, KeyRole.SCOPE)
    assert scope == f"session:{session}" if session else scope.startswith("session:unnamed-")
    assert names(intent, KeyRole.PARENT) == [f"session:{one}" for one in parent]
    assert intent.phase is (Phase.DELEGATED if parent else Phase.PROMPT)


def test_a_session_of_messages() -> None:
    options = [{"optionId": "accept", "kind": "allow_once", "name": "Allow"}, {"optionId": "no", "kind": "reject_always"}]
    rows = [
        message("session_start", agentType="planner"),
        message("user", content=[{"type": "text", "text": "PAY-7 go"}], images=[]),
        message(
            "pending_interaction", interactionType="tool_approval", toolCallId="t1", question="Run git push", options=options
        ),
        message("interaction_resolved", toolCallId="t1", outcome="selected", selectedOption="accept"),
        message("tool_call", toolCallId="t1", toolName="execute_pwsh", args={"command": "git push"}, status="approved"),
        message("tool_result", toolCallId="t1", success=False, content="rejected", durationMs=77),
        message("pending_interaction", interactionType="tool_approval", toolCallId="t2", options=options),
        message("interaction_resolved", toolCallId="t2", outcome="selected", selectedOption="no"),
        message("tool_call", toolCallId="t2", toolName="delete_file", args={"targetFile": "a.txt"}, status="rejected"),
        message("interaction_resolved", toolCallId="t3", outcome="selected", selectedOption="later"),
        message("pending_interaction", interactionType="user_input", toolCallId="q", question="Which?", options=[]),
        message("interaction_resolved", toolCallId="q", outcome="answered", selectedOption="accept"),
        message("sub_agent_start", subSessionId="sess_child", subAgentName="reviewer", prompt="look"),
        message("sub_agent_complete", subSessionId="sess_child", response="seen"),
        message("assistant", operationType="Say", content="done"),
    ]
    parsed, rejects = whole("\n".join(json.dumps(row) for row in rows), "kiro")
    events = [event for one in parsed for event in one.events]
    assert rejects == [] and [one.unknown_type for one in parsed] == [None] * len(rows)
    verdicts = [(names(e, KeyRole.CALL)[0], e.decision.effect, e.decision.rule, e.decision.reason) for e in events if e.decision]
    assert verdicts == [
        ("call:t1", Effect.ALLOW, "allow_once", "Run git push"),
        ("call:t2", Effect.DENY, "reject_always", ""),
        ("call:t3", Effect.UNKNOWN, "later", ""),
    ]
    calls = [(e.verb, e.attrs.get("command") or e.target.name) for e in events if e.phase is Phase.CALL]
    assert calls == [(Verb.EXEC, "git push"), (Verb.FILE_DELETE, "a.txt"), (Verb.AGENT_SPAWN, "reviewer")]
    ends = [
        (names(e, KeyRole.CALL)[0], e.outcome and e.outcome.tool, e.attrs.get("refused"))
        for e in events
        if e.phase is Phase.RESULT
    ]
    assert ends == [("call:t1", Tri.NO, None), ("call:t2", Tri.NO, "user"), ("call:sess_child", Tri.YES, None)]
    child = next(e for e in events if names(e, KeyRole.SCOPE) == ["session:sess_child"])
    assert (child.phase, child.attrs, len(child.keys_of(KeyRole.PARENT))) == (Phase.STARTED, {"agent_type": "reviewer"}, 2)
    assert [e.text for e in events if e.kind is EventKind.INTENT] == ["PAY-7 go", "look"]
    assert IMPORTER.open().read(message("hologram")).unknown_type == "hologram"


@pytest.mark.parametrize(
    ("said", "code", "ok"),
    [
        ("Output:\n/home/ada\n\nExit Code: 0", "0", Tri.YES),
        ("Output:\nno\n\nExit Code: 2", "2", Tri.NO),
        ("as the last line says\n\nExit Code: 2", None, Tri.YES),
        ("Output:\nExit Code: 2\nand more", None, Tri.YES),
    ],
)
def test_what_a_command_gave_names_its_exit_code(said: str, code: str | None, ok: Tri) -> None:
    reader = IMPORTER.open()
    reader.read(message("tool_call", toolCallId="t1", toolName="execute_bash", args={"command": "ls"}, status="completed"))
    (done,) = reader.read(message("tool_result", toolCallId="t1", content=said, success=True)).events
    assert done.outcome is not None
    assert (done.attrs.get("status"), done.outcome.tool) == (code, ok)


@pytest.mark.parametrize(
    "state",
    [
        {"schemaVersion": "1.0.0", "id": SESSION, "title": "Pay", "agentMode": "planner", "workspacePaths": ["/home/ada/api"],
         "createdAt": "2026-09-02T10:00:00Z", "modelId": "m", "parentSessionId": "sess_p"},
        {"session_id": SESSION, "cwd": "/home/ada/api", "title": "Pay", "created_at": "2026-09-02T10:00:00Z", "parent_session_id": "sess_p",
         "session_state": {"agent_name": "planner", "rts_model_state": {"model_info": {"model_id": "m"}}}},
    ],
)  # fmt: skip
def test_the_state_of_a_session_says_where_it_ran(state: dict[str, Any]) -> None:
    parsed, rejects = whole(json.dumps(state, indent=1), "kiro")
    (event,) = parsed[0].events
    assert rejects == [] and event.phase is Phase.STARTED
    told = {"cwd": "/home/ada/api", "model": "m", "title": "Pay", "agent_type": "planner", "origin": "endpoint"}
    assert (event.attrs, event.at) == (told, 1788343200000000)
    assert (names(event, KeyRole.SCOPE), names(event, KeyRole.PARENT)) == ([f"session:{SESSION}"], ["session:sess_p"])


def test_a_row_that_comes_without_its_table() -> None:
    value = json.dumps({"conversation_id": "0a1b2c3d-0000-4000-8000-000000000001", "history": []})
    parsed, _ = whole(json.dumps({"key": "/home/ada/api", "value": value}), "kiro")
    assert parsed[0].events[0].attrs["cwd"] == "/home/ada/api"


def test_a_row_with_another_agent_s_message_is_none_of_its_messages() -> None:
    assert IMPORTER.sniff([{"id": 1, "payload": {"type": "user", "message": {"role": "user", "content": "Deploy it"}}}]) == 0


def test_unknown_and_broken_records() -> None:
    assert IMPORTER.open().read(entry({"Hologram": {}})).unknown_type == "entry/Hologram"
    for bad in ([], {"a": 1}, {"value": "{", "conversation_id": "x"}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([CALL, DONE, STOPPED, PAYLOAD, message("tool_call", toolCallId="t", toolName="x", args={})]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_corpus(corpus: Path) -> None:
    for path in corpus.glob("kiro/*/*.json"):
        parsed, rejects = whole(path.read_bytes(), "kiro")
        payload = json.loads(path.read_bytes())
        assert (len(parsed), rejects) == (len(payload["history"]) + 1, [])
        assert [e.phase for p in parsed for e in p.events] == [Phase.STARTED, Phase.PROMPT, Phase.PROMPT, Phase.CALL]
