"""What Amp's threads say: calls, how they ran, what a person refused, where they ran."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from importers.amp import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

THREAD = "T-7c1b6b0e-3f0c-4b0e-9d6a-1f2a3b4c5d6e"
ENV = {
    "initial": {
        "trees": [
            {
                "uri": "file:///home/ada/api",
                "repository": {
                    "type": "git",
                    "url": "git@github.com:Acme/Api.git",
                    "ref": "refs/heads/fix/PAY-3",
                    "sha": "ab12" * 10,
                },
            }
        ],
        "platform": {"os": "linux", "clientVersion": "0.0.1"},
    }
}


def call(name: str, **given: Any) -> dict[str, Any]:
    block = {"type": "tool_use", "complete": True, "id": "toolu_1", "name": name, "input": given}
    return {"role": "assistant", "messageId": 1, "content": [block], "usage": {"model": "m", "inputTokens": 3, "outputTokens": 4}}


def ran(**run: Any) -> dict[str, Any]:
    return {"role": "user", "messageId": 2, "content": [{"type": "tool_result", "toolUseID": "toolu_1", "run": run}]}


SAID = {"role": "user", "messageId": 0, "content": [{"type": "text", "text": "fix it"}], "meta": {"sentAt": 1767323045000}}


def thread(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"v": 3, "id": THREAD, "created": 1767323040000, "title": "Fix", "messages": list(messages), "env": ENV}


def read(*messages: dict[str, Any]) -> list[Event]:
    return IMPORTER.open().read(thread(*messages)).events[1:]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_thread_is_recognised_and_told(indent: int | None) -> None:
    made = thread(
        SAID, call("Bash", cmd="npm test", cwd="/home/ada/api/web"), ran(status="done", result={"output": "ok", "exitCode": 0})
    )
    parsed, rejects = whole(json.dumps(made, indent=indent), "amp")
    events = [event for one in parsed for event in one.events]
    assert not rejects
    assert [e.phase for e in events] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert {names(e, KeyRole.SCOPE)[0] for e in events} == {f"session:{THREAD.lower()}"}
    assert (events[1].text, events[1].at, events[1].attrs["cwd"]) == ("fix it", 1767323045000000, "/home/ada/api")
    assert str(events[1].attrs["repository"]).lower() == "acme/api" and events[1].attrs["branch"] == "fix/PAY-3"
    assert (events[2].verb, events[2].attrs["command"], events[2].attrs["cwd"], events[2].attrs["tokens"]) == (
        Verb.EXEC, "npm test", "/home/ada/api/web", 7,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("run", "tool", "refused", "effects"),
    [
        ({"status": "done", "result": {"output": "ok", "exitCode": 0}}, Tri.YES, None, []),
        ({"status": "done", "result": {"output": "no", "exitCode": 1}}, Tri.NO, None, []),
        ({"status": "done", "result": "text"}, Tri.YES, None, []),
        ({"status": "done", "result": {"success": False}}, Tri.NO, None, []),
        ({"status": "error", "error": {"message": "no"}}, Tri.NO, None, []),
        ({"status": "cancelled", "reason": "esc"}, Tri.NO, "interrupted", []),
        ({"status": "rejected-by-user", "reason": "no"}, Tri.NO, "user", [Effect.DENY]),
        ({"status": "done", "result": "Tool rejected by plugin: no"}, Tri.NO, "hook", [Effect.DENY]),
        ({"result": "text"}, Tri.UNKNOWN, None, []),
    ],
)
def test_how_a_call_ran(run: dict[str, Any], tool: Tri, refused: str | None, effects: list[Effect]) -> None:
    events = read(call("Bash", cmd="x"), ran(**run))
    result = only(events, EventKind.ACTION, Phase.RESULT)
    assert (result.outcome and result.outcome.tool, result.attrs.get("refused")) == (tool, refused)
    assert [e.decision.effect for e in events if e.decision] == effects


def test_a_call_that_still_runs_has_no_result() -> None:
    assert [e.phase for e in read(call("Bash", cmd="x"), ran(status="in-progress"))] == [Phase.CALL]


@pytest.mark.parametrize(
    ("name", "given", "verb", "target"),
    [
        ("edit_file", {"path": "/w/a.py", "old_str": "a", "new_str": "b"}, Verb.FILE_WRITE, "/w/a.py"),
        ("read_web_page", {"url": "https://example.com/x"}, Verb.HTTP_REQUEST, "example.com"),
        ("mcp__linear__create_issue", {}, Verb.MCP_CALL, "linear"),
        ("nobody_knows", {}, Verb.UNKNOWN, ""),
    ],
)
def test_its_tools(name: str, given: dict[str, Any], verb: Verb, target: str) -> None:
    found = only(read(call(name, **given)), EventKind.ACTION, Phase.CALL)
    assert (found.verb, found.target.name) == (verb, target)


def test_broken_records() -> None:
    for bad in ([], {"id": "T-1"}, {"role": "user"}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@given(mutated([thread(SAID, call("Bash", cmd="x"), ran(status="error", error={"message": "no"}))]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
