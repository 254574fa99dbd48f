"""Copilot Chat's sessions in both forms: prompts, calls with what confirmed them, edits, and a log of changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from importers.copilot_chat import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, Phase, TargetClass, Tri, Verb
from tests.importer_checks import mutated, survives, whole

SESSION = "0a1b2c3d-0000-4000-8000-000000000002"
AT = 1772359200123


def tool(name: str, **members: Any) -> dict[str, Any]:
    return {"kind": "toolInvocationSerialized", "toolId": name, "toolCallId": "call_1", "isComplete": True, **members}


def request(*parts: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "requestId": "request_1",
        "timestamp": AT,
        "modelId": "copilot/gpt-5",
        "message": {"text": "Fix PAY-3", "parts": []},
        "response": list(parts),
        **members,
    }


def session(*requests: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": 3,
        "sessionId": SESSION,
        "creationDate": AT,
        "customTitle": "Tax",
        "requests": list(requests),
        "requesterUsername": "ada",
        "responderUsername": "GitHub Copilot",
    }


def read(*parts: dict[str, Any], **members: Any) -> list[Event]:
    return IMPORTER.open().read(session(request(*parts, **members))).events[2:]


def test_a_session_its_title_and_its_prompt() -> None:
    begun, posture, prompt = IMPORTER.open().read(session(request(agent={"modes": ["agent"]}))).events
    assert (begun.phase, begun.attrs["title"], begun.keys[0].value) == (Phase.STARTED, "Tax", SESSION)
    assert (posture.phase, posture.attrs["mode"], prompt.phase, prompt.text) == (
        Phase.POSTURE,
        "agent",
        Phase.PROMPT,
        "Fix PAY-3",
    )
    words = {"parts": [{"text": "a "}, {"text": "b"}, {"kind": "x"}]}
    (older,) = [event for event in IMPORTER.open().read(session(request(message=words))).events if event.kind is EventKind.INTENT]
    assert older.text == "a b"
    (oldest,) = [event for event in IMPORTER.open().read(session(request(message="hi"))).events if event.kind is EventKind.INTENT]
    assert oldest.text == "hi"


def test_what_the_editor_says_to_the_model_is_no_prompt_but_its_calls_count() -> None:
    ran = tool(
        "runInTerminal", toolSpecificData={"commandLine": {"original": "go test"}, "terminalCommandState": {"exitCode": 1}}
    )
    events = IMPORTER.open().read(session(request(ran, isSystemInitiated=True, message={"text": "the command ended"}))).events
    assert [event.phase for event in events] == [Phase.STARTED, Phase.CALL, Phase.RESULT]
    assert (events[1].attrs["command"], events[2].outcome and events[2].outcome.tool) == ("go test", Tri.NO)


def test_a_session_says_where_it_works() -> None:
    told = {**session(request()), "workingDirectory": "file:///home/ada/my%20api"}
    assert {event.attrs["cwd"] for event in IMPORTER.open().read(told).events} == {"/home/ada/my api"}


LINK = {"value": "Reading [](file:///d%3A/src/a%20b.md#1-20), lines 1 to 20"}


@pytest.mark.parametrize(
    ("part", "verb", "cls", "name", "attrs"),
    [
        (tool("run_in_terminal", toolSpecificData={"kind": "terminal", "commandLine": {"original": "ls", "userEdited": "ls -la"}, "language": "sh"}),
         Verb.EXEC, TargetClass.UNKNOWN, "", {"command": "ls -la"}),
        (tool("copilot_runInTerminal", toolSpecificData={"kind": "terminal", "command": "npm test", "language": "sh"}), Verb.EXEC, TargetClass.UNKNOWN, "",
         {"command": "npm test"}),
        (tool("copilot_readFile", invocationMessage=LINK), Verb.FILE_READ, TargetClass.FILESYSTEM, "/d:/src/a b.md", {}),
        (tool("copilot_findTextInFiles"), Verb.FILE_READ, TargetClass.FILESYSTEM, "", {}),
        (tool("copilot_replaceString", pastTenseMessage="Edited [a](file:///w/a.py)"), Verb.FILE_WRITE, TargetClass.FILESYSTEM, "/w/a.py", {}),
        (tool("copilot_fetchWebPage", invocationMessage="Fetching [x](https://x.example/a)"), Verb.HTTP_REQUEST, TargetClass.NETWORK, "x.example", {}),
        (tool("vscode_fetchWebPage_internal", toolSpecificData={"kind": "input", "rawInput": {"urls": ["https://y.example/"]}}), Verb.HTTP_REQUEST,
         TargetClass.NETWORK, "y.example", {}),
        (tool("mcp_tracker_close", source={"type": "mcp", "serverLabel": "tracker", "label": "Tracker"}, resultDetails={"input": '{"id": 1}', "output": []}),
         Verb.MCP_CALL, TargetClass.MCP_SERVER, "tracker", {}),
        (tool("mcp_tracker_close"), Verb.MCP_CALL, TargetClass.MCP_SERVER, "tracker", {}),
        (tool("manage_todo_list", toolSpecificData={"kind": "todoList", "todoList": []}), Verb.AGENT_MESSAGE, TargetClass.AGENT, "", {}),
        (tool("runTests"), Verb.EXEC, TargetClass.UNKNOWN, "", {}),
        (tool("somebody.elses_tool"), Verb.UNKNOWN, TargetClass.UNKNOWN, "", {}),
    ],
)  # fmt: skip
def test_what_a_call_does(part: dict[str, Any], verb: Verb, cls: TargetClass, name: str, attrs: dict[str, str]) -> None:
    call = read(part)[0]
    assert (call.phase, call.verb, call.target.name) == (Phase.CALL, verb, name)
    assert call.target.cls is cls or not name
    assert call.attrs.items() >= attrs.items()


def test_arguments_come_from_the_round_that_made_the_call() -> None:
    rounds = [{"toolCalls": [{"id": "call_1__vscode-17", "name": "read_file", "arguments": '{"filePath": "/w/a.py"}'}]}]
    (call,) = read(tool("copilot_readFile"), result={"metadata": {"toolCallRounds": rounds}})
    assert (call.verb, call.target.name) == (Verb.FILE_READ, "/w/a.py")


def test_a_spawned_agent_is_given_words() -> None:
    call, intent = read(tool("runSubagent", toolSpecificData={"kind": "subagent", "prompt": "read it", "agentName": "explorer"}))
    assert (call.verb, call.attrs["agent_type"], intent.phase, intent.text) == (
        Verb.AGENT_SPAWN,
        "explorer",
        Phase.DELEGATED,
        "read it",
    )


@pytest.mark.parametrize(
    ("confirmed", "effect", "rule"),
    [
        (True, None, ""),
        (None, None, ""),
        (False, Effect.DENY, "denied"),
        ({"type": 0}, Effect.DENY, "denied"),
        ({"type": 1}, Effect.ALLOW, "no confirmation needed"),
        ({"type": 2, "id": "chat.tools.autoApprove"}, Effect.ALLOW, "setting: chat.tools.autoApprove"),
        ({"type": 3, "scope": "workspace"}, Effect.ALLOW, "allowed before: workspace"),
        ({"type": 4}, Effect.ALLOW, "a person"),
        ({"type": 5}, None, ""),
        ({"type": 99}, None, ""),
        ({"type": True}, None, ""),
    ],
)
def test_what_confirmed_a_call(confirmed: object, effect: Effect | None, rule: str) -> None:
    events = read(tool("run_in_terminal", isConfirmed=confirmed, pastTenseMessage="Ran"))
    verdicts = [event.decision for event in events if event.decision]
    assert [(one.effect, one.rule) for one in verdicts] == ([(effect, rule)] if effect else [])
    assert [one.by for one in verdicts if one.effect is Effect.ALLOW] == (
        ["user" if rule == "a person" else "copilot-chat"] if effect is Effect.ALLOW else []
    )
    (done,) = [event for event in events if event.phase is Phase.RESULT]
    assert done.outcome is not None
    assert (done.outcome.tool, done.attrs.get("refused")) == ((Tri.NO, "user") if effect is Effect.DENY else (Tri.UNKNOWN, None))


@pytest.mark.parametrize(
    ("members", "tool_ok"),
    [
        ({"resultDetails": {"input": "{}", "output": [{"value": "x"}], "isError": True}}, Tri.NO),
        ({"resultDetails": {"input": "{}", "output": [{"value": "x"}], "isError": False}}, Tri.YES),
        (
            {"toolSpecificData": {"kind": "terminal", "commandLine": {"original": "a"}, "terminalCommandState": {"exitCode": 0}}},
            Tri.YES,
        ),
        (
            {"toolSpecificData": {"kind": "terminal", "commandLine": {"original": "a"}, "terminalCommandState": {"exitCode": 2}}},
            Tri.NO,
        ),
        ({"resultDetails": []}, Tri.UNKNOWN),
        ({}, None),
        ({"isComplete": False, "pastTenseMessage": "x"}, None),
    ],
)
def test_how_a_call_went(members: dict[str, Any], tool_ok: Tri | None) -> None:
    results = [event.outcome.tool for event in read(tool("x", **members)) if event.phase is Phase.RESULT and event.outcome]
    assert results == ([] if tool_ok is None else [tool_ok])


def test_edits_of_files() -> None:
    parts = [
        {
            "kind": "textEditGroup",
            "uri": {"$mid": 1, "fsPath": "/w/a.py", "path": "/w/a.py", "scheme": "file"},
            "edits": [[]],
            "done": True,
        },
        {"kind": "textEditGroup", "uri": "file:///w/.github/workflows/x.yml", "edits": []},
        {"kind": "workspaceEdit", "edits": [{"oldResource": {"path": "/w/b"}, "newResource": {"path": "/w/c"}}]},
    ]
    events = read(*parts, {"value": "words"}, {"kind": "undoStop"})
    assert [(event.phase, event.verb, event.target.name) for event in events] == [
        (Phase.CALL, Verb.FILE_WRITE, "/w/a.py"),
        (Phase.RESULT, Verb.UNKNOWN, ""),
        (Phase.CALL, Verb.CI_MODIFY, "/w/.github/workflows/x.yml"),
        (Phase.CALL, Verb.FILE_WRITE, "/w/c"),
    ]


def test_a_log_of_changes_tells_each_call_once_and_its_last_word() -> None:
    early = tool("run_in_terminal", toolSpecificData={"kind": "terminal", "commandLine": {"original": "git push"}})
    late = {
        **early,
        "isConfirmed": {"type": 4},
        "pastTenseMessage": "Ran",
        "toolSpecificData": {**early["toolSpecificData"], "terminalCommandState": {"exitCode": 1}},
    }
    rows = [
        {"kind": 0, "v": {"version": 3, "sessionId": SESSION, "creationDate": AT, "requests": []}},
        {"kind": 2, "k": ["requests"], "v": [request()]},
        {"kind": 2, "k": ["requests", 0, "response"], "v": [{"value": "I will"}, early]},
        {"kind": 2, "k": ["requests", 0, "response"], "v": [late], "i": 1},
        {"kind": 1, "k": ["requests", 0, "result"], "v": {"metadata": {}}},
        {"kind": 1, "k": ["customTitle"], "v": "Tax"},
        {"kind": 1, "k": ["inputState", "text"], "v": "draft"},
        {"kind": 2, "k": ["requests"], "v": [request(requestId="request_2", message={"text": "and now"})]},
        {"kind": 2, "k": ["requests", 7, "response"], "v": [early]},
        {"kind": 3, "k": ["requests", 0, "followups"]},
    ]
    parsed, rejects = whole("\n".join(json.dumps(row) for row in rows), "copilot-chat")
    assert rejects == []
    events = [event for one in parsed for event in one.events]
    assert [(event.phase, event.text) for event in events if event.kind is EventKind.INTENT] == [
        (Phase.PROMPT, "Fix PAY-3"),
        (Phase.PROMPT, "and now"),
    ]
    assert [event.attrs["command"] for event in events if event.phase is Phase.CALL] == ["git push"]
    assert [event.outcome.tool for event in events if event.phase is Phase.RESULT and event.outcome] == [Tri.NO]
    assert [event.decision.effect for event in events if event.phase is Phase.VERDICT and event.decision] == [Effect.ALLOW]
    assert {event.keys[0].value for event in events} == {SESSION}
    assert [event.attrs["title"] for event in events if "title" in event.attrs] == ["Tax"]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("members", [{}, {"creationDate": AT, "requesterUsername": "ada"}])
def test_a_file_is_recognised_and_read(indent: int | None, members: dict[str, Any]) -> None:
    record = {
        "sessionId": SESSION,
        "version": 3,
        **members,
        "requests": [request(tool("runTests")), request(requestId="request_2")],
    }
    parsed, rejects = whole(json.dumps(record, indent=indent), "copilot-chat")
    assert rejects == []
    assert [event.phase for one in parsed for event in one.events] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.PROMPT]
    assert {event.keys[0].value for one in parsed for event in one.events} == {SESSION}


def test_what_is_no_session_is_refused() -> None:
    for bad in ([], 7, {}, {"kind": 9, "k": []}, {"requests": 7}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([session(request(tool("run_in_terminal", isConfirmed={"type": 4}, toolSpecificData={"kind": "terminal", "commandLine": {"original": "x"}}))),
                {"kind": 2, "k": ["requests", 0, "response"], "v": [tool("x")]}, {"kind": 0, "v": session(request())}]))  # fmt: skip
def test_anything_at_all_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
