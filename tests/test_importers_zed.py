"""What Zed's threads say, in rows, by themselves and in their older shapes."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings

from importers.cutting.members import Member, members
from importers.detect import open_source
from importers.zed import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import how_ended, mutated, names, only, survives, whole

THREAD = "0d1f6a52-7b1c-4c59-9f0d-3f1f7a9b2c11"


def user(text: str) -> dict[str, Any]:
    mention = {"Mention": {"uri": {"File": {"abs_path": "/home/ada/a"}}, "content": "x"}}
    return {"User": {"id": "u1", "content": [{"Text": text}, mention]}}


def agent(tool: str, content: Any = None, failed: bool | None = False, wrapped: bool = False, **given: Any) -> dict[str, Any]:
    use = {"id": "call_1", "name": tool, "raw_input": json.dumps(given), "is_input_complete": True, "thought_signature": None}
    use["input"] = {"type": "json", "value": given} if wrapped else given
    told = {"tool_use_id": "call_1", "tool_name": tool, "is_error": failed, "content": content, "output": None}
    results = {} if content is None else {"call_1": told}
    return {"Agent": {"content": [{"Text": "ok"}, {"ToolUse": use}], "tool_results": results, "reasoning_details": None}}


def thread(*messages: Any, **more: Any) -> dict[str, Any]:
    made = {
        "title": "Fix",
        "messages": list(messages),
        "updated_at": "2026-01-01T01:00:00Z",
        "profile": "write",
        "imported": False,
    }
    return made | {"model": {"provider": "p", "model": "m-large"}, "version": "0.3.0", **more}


def row(told: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {
        "id": THREAD,
        "summary": "Fix",
        "updated_at": "2026-01-01T01:00:00+00:00",
        "data_type": "json",
        "data": json.dumps(told),
    }
    return made | {"parent_id": None, "folder_paths": "/home/ada/api", "created_at": "2026-01-01T00:00:00+00:00", **more}


CALL = agent("terminal", [{"Text": "```\nok\n```"}], command="make", cd="api")


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


def test_a_database_is_read_and_its_threads_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "threads.db"
    made = row(thread(user("fix PAY-3"), "Resume", CALL))
    rows = [made | {"data_type": "zstd", "data": zstandard.compress(made["data"].encode())}, made | {"id": "second"}]
    rows.append(made | {"id": "third", "data_type": "zstd", "data": b"\x28\xb5\x2f\xfd\xff"})
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE threads ({', '.join(made)})")
        for one in rows:
            connection.execute(f"INSERT INTO threads VALUES ({', '.join('?' * len(one))})", tuple(one.values()))
    connection.close()
    for member in members(path) or ():
        assert isinstance(member, Member)
        with member.open() as stream:
            source = open_source(stream, name=member.name)
            first, second, third = [json.loads(item.data) for item in source.items()]  # type: ignore[union-attr]
    assert source.format == "zed"
    events = read(first)
    assert [e.phase for e in events] == [Phase.STARTED, Phase.POSTURE, Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert [e.phase for e in events] == [e.phase for e in read(second)]
    assert third["data"] == {"_bytes": 5}
    with pytest.raises(BadRecord, match="compressed"):
        IMPORTER.open().read(third)


def test_a_row_is_told_with_its_session_place_and_start() -> None:
    events = read({"_table": "threads", **row(thread(user("fix PAY-3"), CALL))})
    assert {names(e, KeyRole.SCOPE)[0] for e in events} == {f"session:{THREAD}"}
    assert [e.at for e in events] == [1767225600_000000] * 2 + [None] * 3
    assert (events[1].attrs["mode"], events[2].text, events[2].attrs["ticket"]) == ("write", "fix PAY-3", "PAY-3")
    call = events[3]
    assert (call.verb, call.attrs["command"], call.attrs["cwd"], call.attrs["model"]) == (
        Verb.EXEC,
        "make",
        "/home/ada/api",
        "m-large",
    )
    assert names(call, KeyRole.CALL) == names(events[4], KeyRole.CALL) == [f"call:{THREAD}/call_1"]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_thread_by_itself_is_recognised(indent: int | None) -> None:
    parsed, rejects = whole(json.dumps(thread(user("x"), "Resume", CALL), indent=indent), "zed")
    # The mark that a turn went on is a mere text.
    assert [one.reason for one in rejects] == ["an element that is no object"]
    assert not any(one.unknown_type for one in parsed)
    assert [e.phase for one in parsed for e in one.events] == [
        Phase.STARTED, Phase.POSTURE, Phase.PROMPT, Phase.CALL, Phase.RESULT,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "content", "failed", "ok", "code", "refused", "effects"),
    [
        ("terminal", "```\nok\n```", False, Tri.YES, None, None, []),
        ("terminal", {"Text": "x"}, None, Tri.UNKNOWN, None, None, []),
        ("terminal", [{"Text": 'Command "make\nall" failed with exit code 2.\n\n```\nx\n```'}], False, Tri.NO, "2", None, []),
        ("terminal", 'Command "make" timed out. No output was captured.', False, Tri.NO, None, None, []),
        ("terminal", "Command terminated unexpectedly. No output", False, Tri.NO, None, None, []),
        ("terminal", "The user stopped this command. Output captured", False, Tri.NO, None, "interrupted", []),
        ("terminal", "Command cancelled: user denied permission to run outside the sandbox (x).", False, Tri.NO, None, "user", [Effect.DENY]),
        ("read_file", 'Command "make" failed with exit code 2.', False, Tri.YES, None, None, []),
        ("terminal", "Permission to run tool denied by user", True, Tri.NO, None, "user", [Effect.DENY]),
        ("terminal", "Command blocked by security rule for terminal tool", True, Tri.NO, None, "rule", [Effect.DENY]),
        ("terminal", "Blocked by built-in security rule. This operation", True, Tri.NO, None, "rule", [Effect.DENY]),
        ("fetch", "fetch tool is disabled", True, Tri.NO, None, "rule", [Effect.DENY]),
        ("fetch", "Tool canceled by user", True, Tri.NO, None, "interrupted", []),
        ("fetch", "404", True, Tri.NO, None, None, []),
    ],
)  # fmt: skip
def test_how_a_call_ended(
    tool: str, content: Any, failed: bool | None, ok: Tri, code: str | None, refused: str | None, effects: list[Effect]
) -> None:
    assert how_ended(read(agent(tool, content, failed))) == (ok, code, refused, effects)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    ("tool", "given", "verb", "target"),
    [
        ("edit_file", {"path": "a.py"}, Verb.FILE_WRITE, "a.py"),
        ("read_file", {"path": "a.py"}, Verb.FILE_READ, "a.py"),
        ("delete_path", {"path": "a.py"}, Verb.FILE_DELETE, "a.py"),
        ("move_path", {"source_path": "a", "destination_path": "b"}, Verb.FILE_WRITE, "b"),
        ("save_file", {"paths": ["a.py"]}, Verb.FILE_WRITE, "a.py"),
        ("open", {"path_or_url": "https://example.com/x"}, Verb.HTTP_REQUEST, "example.com"),
        ("fetch", {"url": "https://example.com/x"}, Verb.HTTP_REQUEST, "example.com"),
        ("spawn_agent", {"label": "l", "message": "look"}, Verb.AGENT_SPAWN, ""),
        ("nobody_knows", {}, Verb.UNKNOWN, ""),
    ],
)
def test_its_tools(tool: str, given: dict[str, Any], verb: Verb, target: str, wrapped: bool) -> None:
    call = only(read(agent(tool, wrapped=wrapped, **given)), EventKind.ACTION, Phase.CALL)
    assert (call.verb, call.target.name) == (verb, target)


def test_a_call_whose_input_never_came_whole_was_not_made() -> None:
    cut = agent("terminal", command="ma")
    cut["Agent"]["content"][1]["ToolUse"]["is_input_complete"] = False
    assert read(cut) == []


def test_a_sub_agents_thread_names_the_one_that_began_it() -> None:
    above = {"parent_thread_id": "main", "tool_use_id": "call_7", "depth": 1}
    events = read(row(thread(user("look"), subagent_context=above), parent_id="main"))
    assert names(events[0], KeyRole.PARENT) == ["session:main", "call:main/call_7"]
    assert events[-1].phase is Phase.DELEGATED


@pytest.mark.parametrize("version", ["0.2.0", "0.1.0", None])
def test_older_threads(version: str | None) -> None:
    said = {"segments": [{"type": "text", "text": "fix PAY-3"}]} if version else {"text": "fix PAY-3"}
    use = {"id": "call_1", "name": "terminal", "input": {"command": "make", "cd": "."}}
    result = {"tool_use_id": "call_1", "is_error": True, "content": "Permission to run tool denied by user", "output": None}
    asked = {"id": 0, "role": "user", **said, "tool_uses": [], "tool_results": []}
    called = {
        "id": 1,
        "role": "assistant",
        "segments": [],
        "tool_uses": [use],
        "tool_results": [result] if version == "0.2.0" else [],
    }
    more = {"id": 2, "role": "user", "segments": [{"type": "text", "text": "Here is"}], "tool_uses": [], "tool_results": [result]}
    made = {"summary": "Fix", "updated_at": "2026-01-01T01:00:00Z", "initial_project_snapshot": None}
    made["messages"] = [asked, called] if version == "0.2.0" else [asked, called, more]  # type: ignore[assignment]
    parsed, rejects = whole(json.dumps(made | ({"version": version} if version else {})), "zed")
    events = [event for one in parsed for event in one.events]
    assert not rejects
    assert [e.phase for e in events] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT, Phase.VERDICT]
    assert (events[2].attrs["command"], events[3].attrs["refused"]) == ("make", "user")


def test_what_is_new_is_kept_as_unknown_and_broken_records_are_refused() -> None:
    assert IMPORTER.open().read({"Telepathy": {}}).unknown_type == "message/Telepathy"
    for bad in ([], {"a": 1, "b": 2}, row(thread()) | {"data": "{"}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([row(thread(user("x"), CALL)), thread(user("x"), CALL), CALL, user("x")]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
