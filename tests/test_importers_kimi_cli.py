"""What Kimi CLI's wire files say: prompts, calls, questions and their answers, sub-agents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from importers.kimi_cli import IMPORTER, session_at
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import how_ended, mutated, names, only, refused_by_user, survives, whole

SESSION = "7d2e5a10-51c4-4f0f-8a0e-0a6d1f2b3c4d"
HEAD = {"type": "metadata", "protocol_version": "1.9"}


def line(kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": 1767225600.5, "message": {"type": kind, "payload": payload}}


def called(tool: str, call: str = "tool_a1", **given: Any) -> dict[str, Any]:
    return line("ToolCall", type="function", id=call, function={"name": tool, "arguments": json.dumps(given)}, extras=None)


def result(
    failed: bool | None = False, message: str = "", output: Any = "", call: str = "tool_a1", **more: Any
) -> dict[str, Any]:
    value = {"output": output, "message": message, "display": [], "extras": None, **more}
    return line("ToolResult", tool_call_id=call, return_value=value if failed is None else {"is_error": failed, **value})


ASKED = line("TurnBegin", user_input=[{"type": "text", "text": "fix PAY-3"}])
CALL = called("Shell", command="make")
QUESTION = line(
    "ApprovalRequest", id="q1", tool_call_id="tool_a1", sender="Shell", action="run command", description="Run command `make`"
)
DONE = result(output="ok", message="Command executed successfully.")


def read(*records: object, place: str = f"/home/ada/.kimi/sessions/ab12/{SESSION}/wire.jsonl") -> list[Event]:
    reader = IMPORTER.open()
    reader.lies_at(place)
    return [event for one in records for event in reader.read(one).events]


def test_a_file_is_recognised_and_told() -> None:
    more = [line("StepBegin", n=1), line("ContentPart", type="text", text="x"), line("TurnEnd")]
    parsed, rejects = whole("\n".join(map(json.dumps, [HEAD, ASKED, CALL, DONE, *more])), "kimi-cli")
    events = [event for one in parsed for event in one.events]
    assert not rejects and not any(one.unknown_type for one in parsed)
    assert [e.phase for e in events] == [Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert (events[0].text, events[0].attrs["ticket"], events[1].attrs["command"]) == ("fix PAY-3", "PAY-3", "make")


def test_the_head_of_two_files_is_not_one_record() -> None:
    """It says the same in each; a file is named by its first record."""

    def scope(folder: str) -> str:
        reader = IMPORTER.open()
        reader.lies_at(f"/home/ada/.kimi/sessions/ab12/{folder}/wire.jsonl")
        return reader.read(HEAD).scope

    assert scope("s1") == "s1" and scope("s1/subagents/a7") == "s1/a7" and scope("s2") == "s2"


def test_the_folder_names_the_session() -> None:
    events = read(ASKED, CALL, DONE)
    assert {names(e, KeyRole.SCOPE)[0] for e in events} == {f"session:{SESSION}"}
    assert names(events[1], KeyRole.CALL) == names(events[2], KeyRole.CALL) == [f"call:{SESSION}/tool_a1"]
    assert events[0].at == 1767225600_500000


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("/x/s1/wire.jsonl/wire.jsonl", ("s1", "")),
        ("/x/s1/wire.jsonl/ab/s1/wire.jsonl", ("s1", "")),
        ("/x/all.zip!ab/s1/subagents/a7/wire.jsonl", ("s1", "a7")),
        ("/x/logs/kimi.jsonl", ("", "")),
        ("wire.jsonl", ("", "")),
    ],
)
def test_where_a_file_lies(place: str, found: tuple[str, str]) -> None:
    assert session_at(place) == found


@pytest.mark.parametrize(
    ("answer", "effect"), [("approve", Effect.ALLOW), ("approve_for_session", Effect.ALLOW), ("reject", Effect.DENY)]
)
@pytest.mark.parametrize("kind", ["ApprovalResponse", "ApprovalRequestResolved"])
def test_an_answer_is_the_persons_decision(kind: str, answer: str, effect: Effect) -> None:
    events = read(CALL, QUESTION, line(kind, request_id="q1", response=answer))
    asked, told = (e for e in events if e.decision)
    assert asked.decision and told.decision
    assert (asked.decision.effect, asked.decision.reason) == (Effect.ASK, "run command: Run command `make`")
    assert (told.decision.effect, told.decision.by, told.decision.rule) == (effect, "user", answer)
    assert names(told, KeyRole.CALL) == names(asked, KeyRole.CALL) == [f"call:{SESSION}/tool_a1"]


def test_a_refusal_is_told_once_with_its_words() -> None:
    message = "The tool call is rejected by the user. User feedback: use npm"
    events = read(
        CALL, QUESTION, line("ApprovalResponse", request_id="q1", response="reject", feedback="use npm"), result(True, message)
    )
    refused_by_user(events, "use npm")


@pytest.mark.parametrize(
    ("record", "tool", "code", "refused", "effects"),
    [
        (DONE, Tri.YES, None, None, []),
        (result(None), Tri.UNKNOWN, None, None, []),
        (result(True, "Command failed with exit code: 2."), Tri.NO, "2", None, []),
        (result(True, "Command killed by timeout (60s)"), Tri.NO, None, None, []),
        (result(output="Command failed with exit code: 2."), Tri.YES, None, None, []),
        (result(True, "The tool call is rejected by the user. Stop what you are doing"), Tri.NO, None, "user", [Effect.DENY]),
        (result(True, "no pushes", display=[{"type": "brief", "text": "Hook blocked"}]), Tri.NO, None, "hook", [Effect.DENY]),
        (line("ToolResult", tool_call_id="tool_a1", ok=True, result={"output": "x", "message": ""}), Tri.YES, None, None, []),
        (line("ToolResult", tool_call_id="tool_a1", ok=False, result={"output": "", "message": "no"}), Tri.NO, None, None, []),
    ],
)
def test_how_a_call_ended(
    record: dict[str, Any], tool: Tri, code: str | None, refused: str | None, effects: list[Effect]
) -> None:
    assert how_ended(read(CALL, record)) == (tool, code, refused, effects)


def test_calls_that_are_merely_counted_are_told_apart() -> None:
    events = read(
        called("Shell", "Shell:0", command="a"),
        result(call="Shell:0"),
        called("Shell", "Shell:0", command="b"),
        result(True, "x", call="Shell:0"),
    )
    calls = [e for e in events if e.phase is Phase.CALL]
    results = [e for e in events if e.phase is Phase.RESULT]
    assert [e.attrs["command"] for e in calls] == ["a", "b"]
    assert [names(e, KeyRole.CALL) for e in calls] == [names(e, KeyRole.CALL) for e in results]
    assert names(calls[0], KeyRole.CALL) != names(calls[1], KeyRole.CALL)
    assert [e.outcome and e.outcome.tool for e in results] == [Tri.YES, Tri.NO]


@pytest.mark.parametrize(
    ("tool", "given", "verb", "target"),
    [
        ("WriteFile", {"path": "/home/ada/a.py", "content": "x"}, Verb.FILE_WRITE, "/home/ada/a.py"),
        ("StrReplaceFile", {"path": "a.py", "edit": {"old": "x", "new": "y"}}, Verb.FILE_WRITE, "a.py"),
        ("ReadFile", {"path": "a.py"}, Verb.FILE_READ, "a.py"),
        ("FetchURL", {"url": "https://example.com/x"}, Verb.HTTP_REQUEST, "example.com"),
        ("Task", {"description": "d", "subagent_name": "coder", "prompt": "look"}, Verb.AGENT_SPAWN, "coder"),
        ("SetTodoList", {"todos": []}, Verb.AGENT_MESSAGE, ""),
        ("NobodyKnows", {}, Verb.UNKNOWN, ""),
    ],
)
def test_its_tools(tool: str, given: dict[str, Any], verb: Verb, target: str) -> None:
    call = only(read(called(tool, **given)), EventKind.ACTION, Phase.CALL)
    assert (call.verb, call.target.name) == (verb, target)


@pytest.mark.parametrize("member", ["parent_tool_call_id", "task_tool_call_id"])
def test_a_sub_agents_events_are_its_own_sessions(member: str) -> None:
    inner = [
        {"type": one["message"]["type"], "payload": one["message"]["payload"]}
        for one in (ASKED, called("ReadFile", "c9", path="a"))
    ]
    events = read(called("Task", prompt="look"), *(line("SubagentEvent", **{member: "tool_a1", "event": one}) for one in inner))
    asked, call = events[-2:]
    assert (asked.phase, call.verb) == (Phase.DELEGATED, Verb.FILE_READ)
    assert names(call, KeyRole.SCOPE) == [f"session:{SESSION}/tool_a1"]
    assert names(call, KeyRole.PARENT) == [f"session:{SESSION}", f"call:{SESSION}/tool_a1"]
    own = read(called("ReadFile", "c9", path="a"), place=f"/x/{SESSION}/subagents/tool_a1/wire.jsonl")
    assert names(own[0], KeyRole.CALL) == names(call, KeyRole.CALL)


def test_what_was_spent_stands_with_the_next_event() -> None:
    used = {"input_other": 10, "output": 3, "input_cache_read": 500, "input_cache_creation": 2}
    spent = line("StatusUpdate", token_usage=used, message_id="m1", plan_mode=None)
    events = read(spent, spent, CALL)
    assert events[0].attrs["tokens"] == 15
    assert only(read(line("StatusUpdate", plan_mode=True)), EventKind.DECISION, Phase.POSTURE).attrs["mode"] == "plan"


def test_what_is_new_is_kept_as_unknown_and_broken_records_are_refused() -> None:
    assert IMPORTER.open().read(line("Telepathy")).unknown_type == "Telepathy"
    for bad in ([], {"a": 1}, {"timestamp": 1, "message": {"type": "ToolCall", "payload": []}}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([HEAD, ASKED, CALL, QUESTION, DONE, line("SubagentEvent", agent_id="a", event=CALL["message"])]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
