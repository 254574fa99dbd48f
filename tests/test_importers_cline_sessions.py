"""What sessions of Cline's command line say: messages beside the session's name, and the session's state."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings

from importers import open_source
from importers.cline import IMPORTER
from model.event import Event, Outcome
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

SESSION = "1782600000000_abcde_cli"
HEAD = {
    "version": 1,
    "updated_at": "2026-11-01T00:00:00.000Z",
    "agent": "lead",
    "sessionId": SESSION,
    "origin": {"source": "cli"},
}
COST = {"inputTokens": 100, "outputTokens": 20, "cacheReadTokens": 50, "cacheWriteTokens": 10, "cost": 0.01}


def says(*texts: str, **members: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": text} for text in texts]
    return {"id": "m", "role": "user", "content": content, "ts": 1782600000000, **members}


def asks(tool: str, given: object, id: str = "toolu_1") -> dict[str, Any]:
    made = [{"type": "tool_use", "id": id, "name": tool, "input": given}]
    return {"id": "m", "role": "assistant", "content": made, "ts": 1782600001000, "modelInfo": {"id": "m-1", "provider": "p"}}


def gave(content: object, id: str = "toolu_1", **members: Any) -> dict[str, Any]:
    return {
        "id": "m",
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": id, "content": content, **members}],
        "ts": 1782600002000,
    }


ASKED = says(
    '<mode_notice>x</mode_notice><user_input mode="plan">close PAY-7</user_input>', '<file_content path="a">y</file_content>'
)
RUN = asks("run_commands", {"commands": ["make", {"command": "git", "args": ["push"]}]}) | {"metrics": COST}
STATE = {
    "version": 1, "session_id": SESSION, "source": "cli", "pid": 1, "started_at": "2026-11-01T00:00:00.000Z", "status": "completed",
    "ended_at": "2026-11-01T00:05:00.000Z", "interactive": False, "provider": "p", "model": "m-1", "cwd": "/w", "workspace_root": "/w",
}  # fmt: skip


def read(*messages: object, **head: Any) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in (HEAD | head | {"messages": []}, *messages) for event in reader.read(one).events]


def test_a_session_as_it_lies() -> None:
    done = [{"query": "make", "result": "ok", "success": True}]
    for indent in (None, 1):
        text = json.dumps(HEAD | {"messages": [ASKED, RUN, gave(done)]}, indent=indent)
        assert open_source(BytesIO(text.encode())).format == "cline"
        parsed, rejects = whole(text, "cline")
        mode, intent, call, result = [event for one in parsed for event in one.events]
        assert rejects == []
        assert (mode.attrs["mode"], intent.phase, intent.text, intent.at) == (
            "plan",
            Phase.PROMPT,
            "close PAY-7",
            1782600000000000,
        )
        assert (call.verb, call.attrs["command"], call.attrs["model"]) == (Verb.EXEC, "make\ngit push", "m-1")
        assert (call.attrs["tokens"], call.attrs["cost_usd"]) == (70, 0.01)
        assert (result.attrs["output"], (result.outcome or Outcome()).tool) == ("ok", Tri.YES)
        assert names(call, KeyRole.CALL) == names(result, KeyRole.CALL)
        assert {name for event in (intent, call) for name in names(event, KeyRole.SCOPE)} == {f"session:{SESSION}"}


@pytest.mark.parametrize(
    ("answer", "ok", "refused", "status"),
    [
        (gave([{"query": "make", "result": "x", "error": "Command exited with code 2", "success": False}]), Tri.NO, None, "2"),
        (gave([{"query": "a", "success": True, "result": "x"}, {"query": "b", "success": False}]), Tri.NO, None, None),
        (gave('{"error":"Unknown tool: x"}', is_error=True), Tri.NO, None, None),
        (gave("done", is_error=False), Tri.YES, None, None),
        (gave([{"type": "text", "text": "done"}]), Tri.UNKNOWN, None, None),
        (
            gave(
                json.dumps({"error": "not now -- NOT a tool or system failure. Clarify with user before proceeding."}),
                is_error=True,
            ),
            Tri.NO,
            "user",
            None,
        ),
        (
            gave(json.dumps({"error": 'Tool "x" is disabled by policy'}), is_error=True),
            Tri.NO,
            "rule",
            None,
        ),
        # What a command printed refuses nothing.
        (gave([{"query": "cat", "result": "a -- NOT a tool or system failure.", "success": True}]), Tri.YES, None, None),
    ],
)
def test_what_became_of_a_call(answer: dict[str, Any], ok: Tri, refused: str | None, status: str | None) -> None:
    events = read(ASKED, RUN, answer)
    done = only(events, EventKind.ACTION, Phase.RESULT)
    assert ((done.outcome or Outcome()).tool, done.attrs.get("refused"), done.attrs.get("status")) == (ok, refused, status)
    verdicts = [(e.decision.effect, e.decision.reason) for e in events if e.decision and e.phase is Phase.VERDICT]
    assert verdicts == ([(Effect.DENY, "not now" if refused == "user" else 'Tool "x" is disabled by policy')] if refused else [])


@pytest.mark.parametrize(
    ("tool", "given", "verb", "target"),
    [
        ("read_files", {"files": [{"path": "/w/a"}, "/w/b"]}, Verb.FILE_READ, "/w/b"),
        ("editor", {"path": "/w/a", "new_text": "x"}, Verb.FILE_WRITE, "/w/a"),
        ("search_codebase", {"queries": ["x"]}, Verb.FILE_READ, ""),
        ("fetch_web_content", {"requests": [{"url": "https://a.example/x", "prompt": "x"}]}, Verb.HTTP_REQUEST, "a.example"),
        ("submit_and_exit", {"summary": "x"}, Verb.AGENT_MESSAGE, ""),
    ],
)
def test_its_tools(tool: str, given: dict[str, Any], verb: Verb, target: str) -> None:
    (call,) = read(asks(tool, given))
    assert (call.verb, target in {call.target.name, *(one.target.name for one in call.operations)}) == (verb, True)


def test_what_the_program_says_in_a_persons_place_is_no_persons() -> None:
    notice = says("You did not use a tool.")
    events = read(ASKED, notice, says("x", metadata={"displayRole": "status"}), says("y", metadata={"displayOnly": True}))
    assert [e.text for e in events if e.kind is EventKind.INTENT] == ["close PAY-7"]
    assert [e.text for e in read(says("go"), notice) if e.kind is EventKind.INTENT] == ["go"]


def test_an_agent_that_a_session_began() -> None:
    call, delegated = read(asks("spawn_agent", {"systemPrompt": "x", "task": "look"}))
    assert (call.verb, delegated.phase, delegated.text) == (Verb.AGENT_SPAWN, Phase.DELEGATED, "look")
    (intent,) = read(says("look"), agent="subagent", sessionId=f"{SESSION}__agent_1")
    assert (intent.phase, names(intent, KeyRole.PARENT)) == (Phase.DELEGATED, [f"session:{SESSION}"])


def test_the_state_of_a_session() -> None:
    started, ended = [event for one in whole(json.dumps(STATE), "cline")[0] for event in one.events]
    assert (started.phase, started.attrs["cwd"], started.at) == (Phase.STARTED, "/w", 1793491200000000)
    assert (ended.phase, ended.attrs["status"], names(ended, KeyRole.SCOPE)) == (Phase.ENDED, "completed", [f"session:{SESSION}"])
    running = {name: value for name, value in STATE.items() if name != "ended_at"} | {"status": "running"}
    assert [event.phase for event in IMPORTER.open().read(running).events] == [Phase.STARTED]


@settings(deadline=None)
@given(mutated([HEAD | {"messages": []}, ASKED, RUN, gave([{"query": "x", "success": True}]), STATE]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
