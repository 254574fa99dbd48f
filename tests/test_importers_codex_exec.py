"""What `codex exec --json` prints, in every form the program has had: calls, outcomes, refusals by policy, spawned threads."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from chains.facts import OrgFacts
from chains.stitch import stitch
from importers.codex_exec import IMPORTER
from model.event import BadRecord, Event, Key
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Verb
from tests.codex_rows import item as rollout
from tests.codex_rows import meta
from tests.importer_checks import all_of, mutated, of_files, survives, whole

THREAD = "019c8a4c-ed82-79a1-aa28-7738fc5ab61a"
CHILD = "019c8a4c-0000-79a1-aa28-7738fc5ab61a"
BEGUN = {"type": "thread.started", "thread_id": THREAD}


def item(kind: str, what: str = "item.completed", **members: Any) -> dict[str, Any]:
    return {"type": what, "item": {"id": "item_0", "type": kind, **members}}


def command(line: str, what: str = "item.completed", **members: Any) -> dict[str, Any]:
    told = {"aggregated_output": "", "exit_code": 0, "status": "completed", **members}
    return item("command_execution", what, command=line, **told)


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    reader.read(BEGUN)
    return [event for one in records for event in reader.read(one).events]


def test_a_run_begins_with_its_thread_and_tells_no_time() -> None:
    (event,) = IMPORTER.open().read(BEGUN).events
    assert (event.kind, event.phase, event.point, event.clock) == (EventKind.ACTION, Phase.STARTED, "codex", Clock.ORDER_ONLY)
    assert event.keys == (Key(KeyRole.SCOPE, "session", THREAD),)


def test_a_call_is_told_once_and_its_shell_taken_off() -> None:
    line = "/bin/bash -lc \"git add -A && git commit -m 'one two'\""
    call, done = read(
        command(line, "item.started", exit_code=None, status="in_progress"),
        command(line, "item.updated", exit_code=None, status="in_progress"),
        command(line, aggregated_output="[main a0a0f5a] one two\n"),
    )
    assert (call.phase, call.verb, call.attrs["command"]) == (Phase.CALL, Verb.EXEC, "git add -A && git commit -m 'one two'")
    assert (done.phase, done.attrs["status"]) == (Phase.RESULT, "0")
    assert Key(KeyRole.REFERENCE, "commit", "a0a0f5a") in done.keys
    assert call.first_key(KeyRole.CALL) == done.first_key(KeyRole.CALL) == Key(KeyRole.CALL, "codex.item", f"{THREAD}/item_0")


def test_what_a_run_prints_and_its_rollout_tell_of_the_same_calls(tmp_path: Path) -> None:
    """Other ids, and no times in what is printed: the words and their order are left."""

    def ran(id: str, second: int, kind: str, **members: Any) -> dict[str, Any]:
        return {**rollout(kind, call_id=id, **members), "timestamp": f"2026-02-23T11:40:{second:02d}.000Z"}

    rows = [meta()]
    for n, line in enumerate(("make", "make", "ls")):
        rows.append(ran(f"call_a{n}", 10 * n, "function_call", name="exec_command", arguments=json.dumps({"cmd": line})))
        rows.append(ran(f"call_a{n}", 10 * n + 5, "function_call_output", output=f"Process exited with code {n}\nOutput:\nx"))
    edit = "*** Begin Patch\n*** Update File: src/a.py\n@@\n-a\n+b\n*** End Patch"
    rows.append(ran("call_b", 40, "custom_tool_call", name="apply_patch", input=edit))
    printed: list[dict[str, Any]] = [BEGUN]
    for n, line in enumerate(("make", "make", "ls", "cargo test")):
        printed.append(command(f"bash -lc '{line}'", exit_code=n))
        printed[-1]["item"]["id"] = f"item_{n}"
    for n, path in enumerate(("/home/ada/api/src/a.py", "/home/ada/api/lib/a.py"), 4):
        printed.append(item("file_change", changes=[{"path": path, "kind": "update"}], status="completed"))
        printed[-1]["item"]["id"] = f"item_{n}"
    for name, records in (("rollout.jsonl", rows), ("events.jsonl", printed)):
        (tmp_path / name).write_text("\n".join(map(json.dumps, records)))
    both = stitch(of_files(tmp_path / "rollout.jsonl", tmp_path / "events.jsonl"), OrgFacts())
    ((_, chain),) = both.chains.items()
    told = {
        one.call.partition("/")[2] or one.call: sorted({record for record in one.records if record[0] == "e"})
        for one in chain.steps
    }
    assert told == {
        "call:call_a0": ["events.jsonl:1"],
        "call:call_a1": ["events.jsonl:2"],
        "call:call_a2": ["events.jsonl:3"],
        "item_3": ["events.jsonl:4"],
        "call:call_b": ["events.jsonl:5"],
        "item_5": ["events.jsonl:6"],
    }


@pytest.mark.parametrize(
    ("status", "code", "tool", "refused"),
    [
        ("completed", 0, Tri.YES, None),
        ("failed", 1, Tri.NO, None),
        ("failed", None, Tri.NO, None),
        ("declined", None, Tri.NO, "rule"),
        ("completed", None, Tri.YES, None),
    ],
)
def test_outcomes_of_a_command(status: str, code: int | None, tool: Tri, refused: str | None) -> None:
    _, done, *verdicts = read(command("ls", status=status, exit_code=code))
    assert done.outcome is not None
    assert (done.outcome.tool, done.attrs.get("refused")) == (tool, refused)
    assert [one.decision.effect for one in verdicts if one.decision] == ([Effect.DENY] if refused else [])


def test_an_unfinished_call_has_no_result() -> None:
    (call,) = read(command("ls", "item.started", exit_code=None, status="in_progress"))
    assert call.phase is Phase.CALL


def test_the_files_of_a_change() -> None:
    changes = [
        {"path": "/w/a.py", "kind": "update"},
        {"path": "/w/.github/workflows/x.yml", "kind": "add"},
        {"path": "/w/c", "kind": {"type": "delete"}},
        {"path": "/w/d", "kind": {"type": "update", "move_path": "/w/e"}},
    ]
    call, done = read(item("file_change", changes=changes, status="completed"))
    assert [(op.verb, op.target.name) for op in call.operations] == [
        (Verb.FILE_WRITE, "/w/a.py"),
        (Verb.CI_MODIFY, "/w/.github/workflows/x.yml"),
        (Verb.FILE_DELETE, "/w/c"),
        (Verb.FILE_WRITE, "/w/d"),
        (Verb.FILE_WRITE, "/w/e"),
    ]
    assert done.outcome is not None
    assert done.outcome.tool is Tri.YES


@pytest.mark.parametrize(
    ("members", "tool", "refused"),
    [
        ({"status": "completed", "result": {"content": [{"type": "text", "text": "3 found"}]}}, Tri.YES, None),
        ({"status": "failed", "error": {"message": "timed out"}}, Tri.NO, None),
        (
            {"status": "failed", "error": {"message": "MCP tool call requires approval, but approval policy is never"}},
            Tri.NO,
            "rule",
        ),
        ({"status": "failed", "error": {"message": "user rejected MCP tool call"}}, Tri.NO, "rule"),
    ],
)
def test_a_call_of_an_mcp_server(members: dict[str, Any], tool: Tri, refused: str | None) -> None:
    call, done, *verdicts = read(item("mcp_tool_call", server="tracker", tool="close", arguments={"id": 1}, **members))
    assert (call.verb, call.tool, call.target.cls, call.target.name) == (
        Verb.MCP_CALL,
        "mcp__tracker__close",
        TargetClass.MCP_SERVER,
        "tracker",
    )
    assert done.outcome is not None
    assert (done.outcome.tool, done.attrs.get("refused"), len(verdicts)) == (tool, refused, 1 if refused else 0)


def test_a_search_and_what_touches_nothing() -> None:
    call, _ = read(item("web_search", query="left-pad", action={"type": "search", "query": "left-pad"}))
    assert (call.verb, call.target.detail) == (Verb.HTTP_REQUEST, "left-pad")
    call, _ = read(item("web_search", query="", action={"type": "open_page", "url": "https://x.org/a"}))
    assert call.target.name == "x.org"
    silent = [
        item("agent_message", text="x"),
        item("reasoning", text="x"),
        item("todo_list", items=[]),
        item("error", message="x"),
    ]
    reader = IMPORTER.open()
    reader.read(BEGUN)
    more = [{"type": "turn.started"}, {"type": "turn.completed", "usage": {}}, {"type": "turn.failed", "error": {"message": "x"}}]
    for one in (*silent, *more, {"type": "error", "message": "x"}):
        parsed = reader.read(one)
        assert (parsed.events, parsed.unknown_type) == ([], None)
    assert reader.read(item("hologram")).unknown_type == "item.completed/hologram"
    assert reader.read({"type": "turn.paused"}).unknown_type == "turn.paused"


def test_a_spawned_thread_is_tied_to_its_call() -> None:
    spawn = item(
        "collab_tool_call",
        tool="spawn_agent",
        prompt="read it",
        sender_thread_id=THREAD,
        receiver_thread_ids=[CHILD],
        status="completed",
    )
    call, intent, child, done = read(spawn)
    assert (call.verb, intent.phase, intent.text, done.phase) == (Verb.AGENT_SPAWN, Phase.DELEGATED, "read it", Phase.RESULT)
    assert child.keys == (
        Key(KeyRole.SCOPE, "session", CHILD),
        Key(KeyRole.PARENT, "session", THREAD),
        Key(KeyRole.PARENT, "call", f"{THREAD}/item_0"),
    )
    (wait, _) = read(item("collab_tool_call", tool="wait", receiver_thread_ids=[], status="completed"))
    assert wait.verb is Verb.AGENT_MESSAGE


def test_two_runs_in_one_stream_are_two_sessions() -> None:
    other = {"type": "thread.started", "thread_id": CHILD}
    parsed, _ = whole("\n".join(json.dumps(one) for one in (BEGUN, command("ls"), other, command("ls"))), "codex-exec")
    calls = [event for one in parsed for event in one.events if event.phase is Phase.CALL]
    assert [event.keys[0].value for event in calls] == [THREAD, CHILD]
    assert parsed[1].scope != parsed[3].scope


def test_the_first_item_form() -> None:
    rows = [
        {"type": "session.created", "session_id": THREAD},
        {"type": "item.completed", "item": {"id": "itm_0", "item_type": "reasoning", "text": "x"}},
        {"type": "item.completed", "item": {"id": "itm_1", "item_type": "command_execution", "command": "bash -lc ls", "aggregated_output": "a", "exit_code": 0, "status": "completed"}},
        {"type": "item.completed", "item": {"id": "itm_2", "item_type": "assistant_message", "text": "x"}},
    ]  # fmt: skip
    parsed, rejects = whole("\n".join(json.dumps(one) for one in rows), "codex-exec")
    assert rejects == []
    assert [event.phase for one in parsed for event in one.events] == [Phase.STARTED, Phase.CALL, Phase.RESULT]
    assert parsed[2].events[0].attrs["command"] == "ls"
    assert [one.unknown_type for one in parsed] == [None] * 4


def test_the_oldest_form_prints_settings_prompt_and_the_programs_events() -> None:
    def told(**msg: Any) -> dict[str, Any]:
        return {"id": "0", "msg": msg}

    rows = [
        {"workdir": "/home/ada/api", "model": "o4-mini", "provider": "openai", "approval": "never", "sandbox": "workspace-write [/tmp]"},
        {"prompt": "Fix PAY-3"},
        told(type="session_configured", session_id=THREAD, model="o4-mini"),
        told(type="task_started"),
        told(type="exec_command_begin", call_id="call_1", command=["bash", "-lc", "git push"], cwd="/home/ada/api"),
        told(type="exec_command_end", call_id="call_1", stdout="", stderr="", exit_code=1),
        told(type="patch_apply_begin", call_id="call_2", auto_approved=True, changes={"/w/a": {"delete": {}}}),
        told(type="patch_apply_end", call_id="call_2", stdout="Success.", stderr="", success=True),
        told(type="mcp_tool_call_begin", call_id="call_3", invocation={"server": "gh", "tool": "list", "arguments": {}}),
        told(type="mcp_tool_call_end", call_id="call_3", result={"Ok": {"content": []}}),
        told(type="exec_approval_request", call_id="call_4", command=["rm", "x"], cwd="/w", reason="outside"),
        told(type="task_complete", last_agent_message="x"),
    ]  # fmt: skip
    parsed, rejects = whole("\n".join(json.dumps(one) for one in rows), "codex-exec")
    assert rejects == []
    events = [event for one in parsed for event in one.events]
    assert [(event.phase, event.verb) for event in events] == [
        (Phase.STARTED, Verb.UNKNOWN),
        (Phase.POSTURE, Verb.UNKNOWN),
        (Phase.PROMPT, Verb.UNKNOWN),
        (Phase.CALL, Verb.EXEC),
        (Phase.RESULT, Verb.UNKNOWN),
        (Phase.CALL, Verb.FILE_WRITE),
        (Phase.RESULT, Verb.UNKNOWN),
        (Phase.CALL, Verb.MCP_CALL),
        (Phase.RESULT, Verb.UNKNOWN),
        (Phase.VERDICT, Verb.EXEC),
    ]
    assert {event.keys[0] for event in events} == {Key(KeyRole.SCOPE, "session", THREAD)}
    assert (events[1].attrs["mode"], events[1].attrs["sandbox"], events[2].text) == ("never", "workspace-write", "Fix PAY-3")
    assert [event.outcome.tool for event in events if event.phase is Phase.RESULT and event.outcome] == [Tri.NO, Tri.YES, Tri.YES]
    assert [one.unknown_type for one in parsed] == [None] * len(rows)


@pytest.mark.parametrize("bad", [[], 7, {}, {"type": "item.completed"}, {"type": "item.completed", "item": 7}, {"x": 1}])
def test_what_is_no_event_is_refused_with_a_sentence(bad: object) -> None:
    with pytest.raises(BadRecord, match=r"\w+ \w+"):
        read(bad)


RECORDS = [BEGUN, command("ls"), item("file_change", changes=[{"path": "a", "kind": "add"}], status="completed"),
           item("mcp_tool_call", server="a", tool="b", status="failed", error={"message": "x"}),
           item("collab_tool_call", tool="spawn_agent", receiver_thread_ids=[CHILD], prompt="x", status="completed"),
           {"id": "1", "msg": {"type": "exec_command_begin", "call_id": "c", "command": ["ls"]}}]  # fmt: skip


@settings(deadline=None)
@given(mutated(RECORDS))
def test_anything_at_all_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)


def test_recorded_runs(corpus: Path) -> None:
    """Every call that the runs print has its one call and its one result, counted by plain JSON."""
    for path in sorted((corpus / "codex-live" / "runs").glob("exec*/events.jsonl")):
        format, parsed, reasons = all_of(path)
        assert (format, reasons) == ("codex-exec", [])
        told = [json.loads(line) for line in path.read_text().splitlines()]
        touching = {"command_execution", "file_change", "mcp_tool_call", "collab_tool_call", "web_search"}
        done = [one for one in told if one["type"] == "item.completed" and one["item"]["type"] in touching]
        phases = Counter(event.phase for one in parsed for event in one.events)
        turns = [one["usage"] for one in told if one["type"] == "turn.completed"]
        assert (phases[Phase.CALL], phases[Phase.RESULT], phases[Phase.STARTED]) == (len(done), len(done), 1 + len(turns))
        spent = sum(one["input_tokens"] - one["cached_input_tokens"] + one["output_tokens"] for one in turns)
        assert sum(int(str(event.attrs.get("tokens", 0))) for one in parsed for event in one.events) == spent > 0
        assert [one.unknown_type for one in parsed if one.unknown_type] == []
