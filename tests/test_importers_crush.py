"""What Crush's rows and printed sessions say: prompts, calls, refusals and how commands ended."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.crush import IMPORTER
from importers.cutting.members import Member, members
from importers.detect import open_source
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import how_ended, mutated, names, only, survives, whole

SESSION = "0b6cf2f5-0c7e-4b68-9d7e-52a3c1a9d001"
ROW = {
    "id": SESSION, "parent_session_id": None, "title": "Fix", "message_count": 3, "prompt_tokens": 5, "completion_tokens": 1, "cost": 0.1,
    "updated_at": 1767225700, "created_at": 1767225600, "summary_message_id": None,
}  # fmt: skip


def part(kind: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": data}


def row(role: str, *parts: dict[str, Any], session: str = SESSION) -> dict[str, Any]:
    made = {"id": f"m-{role}", "session_id": session, "role": role, "parts": json.dumps(parts), "model": "m-large"}
    return made | {"created_at": 1767225601, "updated_at": 1767225601, "finished_at": None, "provider": "p"}


def called(tool: str, finished: bool = True, **given: Any) -> dict[str, Any]:
    return part("tool_call", id="call_1", name=tool, input=json.dumps(given), provider_executed=False, finished=finished)


def result(tool: str, content: str, is_error: bool = False, metadata: str = "") -> dict[str, Any]:
    return part("tool_result", tool_call_id="call_1", name=tool, content=content, metadata=metadata, is_error=is_error)


USER = row("user", part("text", text="fix PAY-3"), part("finish", reason="stop", time=0))
CALL = row(
    "assistant", part("reasoning", thinking="x"), called("bash", command="make"), part("finish", reason="tool_use", time=1)
)
DONE = row("tool", result("bash", "ok\n\n<cwd>/home/ada</cwd>"))


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


def test_a_database_is_read_table_by_table(tmp_path: Path) -> None:
    path = tmp_path / "crush.db"
    with sqlite3.connect(path) as made:
        for table, rows in (("sessions", [ROW]), ("messages", [USER, CALL, DONE])):
            made.execute(f"CREATE TABLE {table} ({', '.join(rows[0])})")
            for one in rows:
                made.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(one))})", tuple(one.values()))
        made.execute("CREATE TABLE files (id, session_id, path, content, version, created_at, updated_at)")
        made.execute(f"INSERT INTO files VALUES ('f', '{SESSION}', '/home/ada/a.py', 'x', 0, 1, 1)")
    made.close()
    found = {}
    for member in members(path) or ():
        assert isinstance(member, Member)
        with member.open() as stream:
            source = open_source(stream, name=member.name)
            reader = source.importer.open()
            parsed = [reader.read(json.loads(item.data)) for item in source.items()]  # type: ignore[union-attr]
        assert source.format == "crush" and not any(one.unknown_type for one in parsed)
        found[member.name] = [event.phase for one in parsed for event in one.events]
    assert found == {"files": [], "messages": [Phase.PROMPT, Phase.CALL, Phase.RESULT], "sessions": [Phase.STARTED]}


def test_rows_are_told_with_their_session_and_time() -> None:
    events = read({"_table": "sessions", **ROW}, *({"_table": "messages", **one} for one in (USER, CALL, DONE)))
    assert {names(e, KeyRole.SCOPE)[0] for e in events} == {f"session:{SESSION}"}
    assert [e.at for e in events] == [1767225600_000000] + [1767225601_000000] * 3
    assert (events[1].text, events[1].attrs["ticket"]) == ("fix PAY-3", "PAY-3")
    assert (events[2].verb, events[2].attrs["command"], events[2].attrs["model"]) == (Verb.EXEC, "make", "m-large")
    assert names(events[2], KeyRole.CALL) == names(events[3], KeyRole.CALL) == [f"call:{SESSION}/call_1"]


def test_a_printed_session_says_the_same() -> None:
    flat = [
        {"type": "tool_call", "tool_call_id": "call_1", "name": "bash", "input": '{"command":"make"}'},
        {"type": "tool_result", "tool_call_id": "call_1", "name": "bash", "content": "ok"},
    ]
    asked = {"id": "m1", "role": "user", "created": "2026-01-01T00:00:01Z", "parts": [{"type": "text", "text": "fix PAY-3"}]}
    more = [
        {"id": f"m{n}", "role": role, "created": "2026-01-01T00:00:01Z", "parts": [one]}
        for n, role, one in ((2, "assistant", flat[0]), (3, "tool", flat[1]))
    ]
    meta = {"id": "ab12", "uuid": SESSION, "title": "Fix", "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:01:40Z"}
    parsed, rejects = whole(json.dumps({"meta": meta, "messages": [asked, *more]}), "crush")
    events = [event for one in parsed for event in one.events]
    rows = read(ROW, USER, CALL, DONE)
    assert not rejects
    assert [(e.phase, e.verb, e.text, e.keys, e.at) for e in events] == [(e.phase, e.verb, e.text, e.keys, e.at) for e in rows]
    assert events[3].outcome and events[3].outcome.tool is Tri.YES


@pytest.mark.parametrize(
    ("content", "failed", "tool", "code", "refused", "effects"),
    [
        ("ok\n\n<cwd>/a</cwd>", False, Tri.YES, None, None, []),
        ("no output", False, Tri.YES, None, None, []),
        ("\nboom\nExit code 2\n\n<cwd>/a</cwd>", False, Tri.NO, "2", None, []),
        ("a\nCommand was aborted before completion\n\n<cwd>/a</cwd>", False, Tri.NO, None, None, []),
        ("Background shell started with ID: 00A\n\nUse job_output", False, Tri.UNKNOWN, None, None, []),
        ('\ncommand is not allowed for security reasons: "curl"\nExit code 1', False, Tri.NO, "1", "rule", [Effect.DENY]),
        ("User denied permission", True, Tri.NO, None, "user", [Effect.DENY]),
        ("Permission denied", True, Tri.NO, None, "user", [Effect.DENY]),
        ("open /etc/x: permission denied", True, Tri.NO, None, None, []),
        ("Tool call blocked by hook. Reason: no pushes", True, Tri.NO, None, "hook", [Effect.DENY]),
        ("Error: user cancelled assistant tool calling", True, Tri.NO, None, "interrupted", []),
        ("There was an error while executing the tool", True, Tri.NO, None, None, []),
    ],
)
def test_how_a_call_ended(
    content: str, failed: bool, tool: Tri, code: str | None, refused: str | None, effects: list[Effect]
) -> None:
    assert how_ended(read(CALL, row("tool", result("bash", content, failed)))) == (tool, code, refused, effects)


def test_a_file_that_ends_with_the_words_of_a_failed_command_was_read() -> None:
    done = only(read(row("tool", result("view", "log\nExit code 2"))), EventKind.ACTION, Phase.RESULT)
    assert done.outcome and done.outcome.tool is Tri.YES


def test_a_result_that_does_not_say_how_it_ended_is_unknown() -> None:
    done = only(read(row("tool", part("tool_result", tool_call_id="call_1", content="x"))), EventKind.ACTION, Phase.RESULT)
    assert done.outcome and done.outcome.tool is Tri.UNKNOWN


def test_what_a_hook_allowed_is_a_decision() -> None:
    told = json.dumps({"hook": {"hook_count": 1, "decision": "allow", "reason": "listed"}})
    verdict = only(read(CALL, row("tool", result("bash", "ok", metadata=told))), EventKind.DECISION)
    assert verdict.decision and (verdict.decision.effect, verdict.decision.rule) == (Effect.ALLOW, "hook")


@pytest.mark.parametrize(
    ("tool", "given", "verb", "target"),
    [
        ("edit", {"file_path": "a.py", "old_string": "x", "new_string": "y"}, Verb.FILE_WRITE, "a.py"),
        ("view", {"file_path": "a.py"}, Verb.FILE_READ, "a.py"),
        ("agentic_fetch", {"url": "https://example.com/x", "prompt": "p"}, Verb.HTTP_REQUEST, "example.com"),
        ("mcp_tracker_close_issue", {}, Verb.MCP_CALL, "tracker"),
        ("agent", {"prompt": "look"}, Verb.AGENT_SPAWN, ""),
        ("nobody_knows", {}, Verb.UNKNOWN, ""),
    ],
)
def test_its_tools(tool: str, given: dict[str, Any], verb: Verb, target: str) -> None:
    call = only(read(row("assistant", called(tool, **given))), EventKind.ACTION, Phase.CALL)
    assert (call.verb, call.target.name) == (verb, target)


@pytest.mark.parametrize("child", ["m-assistant$$call_1", "call_1"])
def test_a_sub_agents_session_names_the_call_that_began_it(child: str) -> None:
    events = read(ROW | {"id": child, "parent_session_id": SESSION}, row("user", part("text", text="look"), session=child))
    assert names(events[0], KeyRole.PARENT) == [f"session:{SESSION}", f"call:{SESSION}/call_1"]
    assert (events[1].kind, events[1].phase) == (EventKind.INTENT, Phase.DELEGATED)


def test_words_of_the_program_and_a_persons_own_commands_are_no_prompts() -> None:
    again = "The previous session was interrupted because it got too long, the initial user request was: `x`"
    ran = part("shell_command", command="ls", output="a", exit_code=0)
    assert read(row("user", part("text", text=again), part("text", text="go on", hidden=True), ran)) == []
    assert read(row("assistant", called("bash", finished=False))) == []


def test_what_is_new_is_kept_as_unknown() -> None:
    reader = IMPORTER.open()
    assert reader.read(row("assistant", part("subagent_note", text="x"))).unknown_type == "part/subagent_note"
    assert reader.read(row("user", {"type": "_meta", "data": {"v": 2}})).unknown_type is None
    assert reader.read({"_table": "worktrees", "id": "w"}).unknown_type == "row/worktrees"


def test_broken_records() -> None:
    for bad in ([], {"a": 1}, {"role": "user", "parts": "{"}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([ROW, USER, CALL, DONE]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
