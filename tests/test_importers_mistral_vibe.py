"""What Mistral Vibe's sessions say: prompts, calls, and how each went by what the model was given."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from importers.mistral_vibe import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import how_ended, mutated, names, only, survives, whole

FOLDER = "/home/ada/.vibe/logs/session/session_20260101_000000_ab12cd34"
META = {
    "session_id": "ab12cd34-0000-4000-8000-000000000001", "parent_session_id": None, "start_time": "2026-01-01T00:00:00+00:00",
    "end_time": None, "git_commit": None, "git_branch": "main", "environment": {"working_directory": "/home/ada/api"}, "username": "ada",
    "title": "Fix", "total_messages": 3, "tools_available": [{"type": "function"}], "config": {"active_model": "devstral"},
    "agent_profile": {"name": "auto-approve", "overrides": {}}, "system_prompt": None,
}  # fmt: skip
ASKED = {"role": "user", "content": "fix PAY-3", "injected": False, "message_id": "m1"}
INJECTED = {"role": "user", "content": "reminder", "injected": True, "message_id": "m2"}


def called(tool: str, **given: Any) -> dict[str, Any]:
    made = {"id": "c1", "index": 0, "function": {"name": tool, "arguments": json.dumps(given)}, "type": "function"}
    return {"role": "assistant", "content": "", "injected": False, "tool_calls": [made], "message_id": "m3"}


def result(content: str) -> dict[str, Any]:
    return {"role": "tool", "content": content, "injected": False, "name": "bash", "tool_call_id": "c1"}


CALL = called("bash", command="make")
DONE = result("command: make\nstdout: ok\nstderr: \nreturncode: 0")


def read(*records: object, place: str = f"{FOLDER}/messages.jsonl") -> list[Event]:
    reader = IMPORTER.open()
    reader.lies_at(place)
    return [event for one in records for event in reader.read(one).events]


def test_messages_are_recognised_and_told() -> None:
    parsed, rejects = whole("\n".join(map(json.dumps, [ASKED, INJECTED, CALL, DONE])), "mistral-vibe")
    events = [event for one in parsed for event in one.events]
    assert not rejects and not any(one.unknown_type for one in parsed)
    assert [e.phase for e in events] == [Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert (events[0].text, events[0].attrs["ticket"], events[1].attrs["command"]) == ("fix PAY-3", "PAY-3", "make")


@pytest.mark.parametrize("indent", [None, 2])
def test_what_stands_beside_them_is_of_the_same_session(indent: int | None) -> None:
    parsed, rejects = whole(json.dumps(META, indent=indent), "mistral-vibe")
    assert not rejects and [e.phase for one in parsed for e in one.events] == [Phase.STARTED, Phase.POSTURE]
    started, posture = read(META, place=f"{FOLDER}/meta.json")
    call = read(CALL)[0]
    assert {names(e, KeyRole.SCOPE)[0] for e in (started, posture, call)} == {"session:ab12cd34"}
    assert (started.at, started.attrs["cwd"], started.attrs["model"]) == (1767225600_000000, "/home/ada/api", "devstral")
    assert posture.attrs["mode"] == "auto-approve"
    assert names(read(META, place="x")[0], KeyRole.SCOPE) == ["session:ab12cd34"]


@pytest.mark.parametrize("indent", [None, 2])
def test_both_in_one_file(indent: int | None) -> None:
    plain = [{k: v for k, v in one.items() if k not in ("injected", "message_id")} for one in (ASKED, CALL, DONE)]
    parsed, rejects = whole(json.dumps({"metadata": META, "messages": plain}, indent=indent), "mistral-vibe")
    events = [event for one in parsed for event in one.events]
    assert not rejects
    assert [e.phase for e in events] == [Phase.STARTED, Phase.POSTURE, Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert {names(e, KeyRole.SCOPE)[0] for e in events} == {"session:ab12cd34"}


@pytest.mark.parametrize(
    ("content", "tool", "code", "refused", "effects"),
    [
        (DONE["content"], Tri.YES, "0", None, []),
        ("path: a.py\ncontent: Command denied: x", Tri.YES, None, None, []),
        ("command: x\nstdout: \nstderr: \nreturncode: 3", Tri.NO, "3", None, []),
        ("ok: False\nserver: s\ntool: t", Tri.NO, None, None, []),
        ("response: x\ny\nturns_used: 2\ncompleted: False", Tri.NO, None, None, []),
        ("response: x\nturns_used: 2\ncompleted: True", Tri.YES, None, None, []),
        ("<tool_error>bash failed: Command failed: 'make'\nReturn code: 2\nStderr: x</tool_error>", Tri.NO, "2", None, []),
        ("<tool_error>Tool 'bash' was denied by hook 'guard': no</tool_error>", Tri.NO, None, "hook", [Effect.DENY]),
        ("<user_cancellation>User cancelled the operation.</user_cancellation>", Tri.NO, None, "user", [Effect.DENY]),
        ("<user_cancellation>Tool execution skipped by user.</user_cancellation>", Tri.NO, None, "user", [Effect.DENY]),
        ("<user_cancellation>Tool execution interrupted by user.</user_cancellation>", Tri.NO, None, "interrupted", []),
        ("Tool 'bash' is permanently disabled", Tri.NO, None, "rule", [Effect.DENY]),
        ("Tool execution not permitted.", Tri.NO, None, "rule", [Effect.DENY]),
        ("Command denied: 'vim a' matches denylist pattern 'vim'. Do not attempt", Tri.NO, None, "rule", [Effect.DENY]),
        ("please use npm", Tri.UNKNOWN, None, None, []),
    ],
)
def test_how_a_call_ended(content: str, tool: Tri, code: str | None, refused: str | None, effects: list[Effect]) -> None:
    assert how_ended(read(CALL, result(content))) == (tool, code, refused, effects)


@pytest.mark.parametrize(
    ("tool", "given", "verb", "target"),
    [
        ("write_file", {"path": "a.py", "content": "x"}, Verb.FILE_WRITE, "a.py"),
        ("search_replace", {"file_path": "a.py", "content": "x"}, Verb.FILE_WRITE, "a.py"),
        ("read_file", {"path": "a.py"}, Verb.FILE_READ, "a.py"),
        ("web_fetch", {"url": "https://example.com/x"}, Verb.HTTP_REQUEST, "example.com"),
        ("task", {"task": "look", "agent": "explore"}, Verb.AGENT_SPAWN, "explore"),
        ("tracker_close_issue", {}, Verb.UNKNOWN, ""),
    ],
)
def test_its_tools(tool: str, given: dict[str, Any], verb: Verb, target: str) -> None:
    call = only(read(called(tool, **given)), EventKind.ACTION, Phase.CALL)
    assert (call.verb, call.target.name) == (verb, target)


def test_a_session_that_goes_on_another_has_a_persons_words() -> None:
    events = read(META | {"parent_session_id": "ffff0000-0000"}, ASKED)
    assert names(events[0], KeyRole.PARENT) == ["session:ffff0000"]
    assert events[-1].phase is Phase.PROMPT


def test_a_sub_agents_session_lies_within_the_one_that_began_it() -> None:
    (asked,) = read(ASKED, place=f"{FOLDER}/agents/explore_20260101_000100_0123abcd/messages.jsonl")
    assert (asked.phase, names(asked, KeyRole.SCOPE)) == (Phase.DELEGATED, ["session:0123abcd"])
    assert names(asked, KeyRole.PARENT) == ["session:ab12cd34"]


def test_what_is_new_is_kept_as_unknown_and_broken_records_are_refused() -> None:
    assert IMPORTER.open().read({"role": "oracle", "content": "x"}).unknown_type == "message/oracle"
    for bad in ([], {"a": 1}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([META, ASKED, CALL, DONE, {"metadata": META, "messages": [ASKED, CALL, DONE]}]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
