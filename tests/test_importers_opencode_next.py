"""opencode 2: its messages and events, and that what versions 1 and 2 both record is told once."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from importers.opencode import IMPORTER
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole
from tests.test_importers_opencode import MSG, SES, USER, event, read, tool, words

AT = 1795390136311


def state(status: str = "completed", **more: Any) -> dict[str, Any]:
    return {"status": status, "input": {"command": "npm test"}, "content": [{"type": "text", "text": "ok"}], **more}


def answer(done: dict[str, Any], name: str = "shell", **more: Any) -> dict[str, Any]:
    call = {"type": "tool", "id": "call_1", "name": name, "state": done, "time": {"created": AT, "ran": AT, "completed": AT + 9}}
    content = [{"type": "text", "text": "I test."}, call]
    return {
        "id": "msg_2",
        "sessionID": SES,
        "type": "assistant",
        "agent": "build",
        "model": {"id": "m", "providerID": "p"},
        "content": content,
        "time": {"created": AT, "completed": AT + 10},
        **more,
    }


ASKED = {"id": MSG, "sessionID": SES, "type": "user", "text": "PAY-7: go", "time": {"created": AT - 5}}


def row(message: dict[str, Any], seq: int = 1) -> dict[str, Any]:
    data = {name: value for name, value in message.items() if name not in ("id", "sessionID", "type")}
    columns = {"id": message["id"], "session_id": SES, "type": message["type"], "seq": seq, "time_created": AT}
    return {"_table": "session_message", **columns, "data": json.dumps(data)}


def carried(kind: str, **data: Any) -> dict[str, Any]:
    return {"id": f"evt_{kind}{len(json.dumps(data))}", "created": AT, "type": kind, "data": {"sessionID": SES, **data}}


def wire(kind: str, **data: Any) -> dict[str, Any]:
    return event(f"session.next.{kind}", timestamp=AT, sessionID=SES, **data)


def test_messages_as_rows_lists_and_exports() -> None:
    done = answer(state(metadata={"exit": 1}), cost=0.5, tokens={"input": 9, "output": 1, "reasoning": 0, "cache": {}})
    export = json.dumps({"info": {"id": SES, "directory": "/home/ada/api"}, "messages": [ASKED, done]})
    parsed, rejects = whole(export, "opencode")
    assert rejects == []
    for events in (read(ASKED, done), read(row(ASKED), row(done, 2)), [e for one in parsed for e in one.events][1:]):
        assert [e.phase for e in events] == [Phase.PROMPT, Phase.POSTURE, Phase.CALL, Phase.RESULT]
        prompt, _, call, result = events
        assert (prompt.text, prompt.at) == ("PAY-7: go", (AT - 5) * 1000)
        assert (call.verb, call.attrs["command"], names(call, KeyRole.SCOPE)) == (Verb.EXEC, "npm test", [f"session:{SES}"])
        assert (call.attrs["model"], result.outcome and result.outcome.tool, result.attrs["status"]) == ("m", Tri.NO, "1")
        assert events[1].attrs["tokens"] == 10


@pytest.mark.parametrize(
    ("kind", "said", "refused", "effects"),
    [
        ("permission.rejected", "Permission denied: shell", "rule", [Effect.DENY]),
        ("aborted", "The user declined this tool call", "user", [Effect.DENY]),
        ("aborted", "Tool execution interrupted", "interrupted", []),
        ("tool.execution", "bash: x: Permission denied: y", "", []),
        ("unknown", "The user rejected permission to use this specific tool call.", "user", [Effect.DENY]),
    ],
)
def test_refusals(kind: str, said: str, refused: str, effects: list[Effect]) -> None:
    error = {"type": kind, "message": said}
    for events in (
        read(answer(state("error", error=error))),
        read(
            carried("session.tool.called", callID="c", tool="shell", input={}),
            carried("session.tool.failed", callID="c", error=error),
        ),
    ):
        result = only(events, EventKind.ACTION, Phase.RESULT)
        assert (result.attrs.get("refused", ""), result.outcome and result.outcome.tool) == (refused, Tri.NO)
        assert [e.decision.effect for e in events if e.decision] == effects


def test_events_name_the_tool_before_the_call_and_never_at_its_end() -> None:
    named = carried("session.tool.input.started", id="c", name="shell", assistantMessageID="msg_2")
    called = carried("session.tool.called.1", id="c", input={"command": "ls"}, assistantMessageID="msg_2")
    done = carried("session.tool.success", id="c", content=[{"type": "text", "text": "a"}], metadata={"exit": 0})
    call, result = read(named, called, done)
    assert (call.tool, call.attrs["command"], call.at, result.outcome and result.outcome.tool) == (
        "shell",
        "ls",
        AT * 1000,
        Tri.YES,
    )
    assert [e.phase for e in read(done)] == [Phase.RESULT]


@pytest.mark.parametrize(
    "kind",
    [
        ("session.input.admitted", {"inputID": MSG, "input": {"type": "user", "data": {"text": "go"}}}),
        ("session.inbox.enqueued", {"inboxID": MSG, "item": {"type": "user", "payload": {"text": "go"}}}),
        ("session.next.prompted", {"messageID": MSG, "prompt": {"text": "go"}}),
    ],
)
def test_a_person_is_heard_once(kind: tuple[str, dict[str, Any]]) -> None:
    name, data = kind
    first = carried(name, **data)
    later = carried("session.inbox.delivered", inboxID=MSG)
    assert [e.text for e in read(first, {**first, "id": "evt_2"}, later)] == ["go"]
    assert read(carried(name, **{**data, "input": {"type": "synthetic"}, "item": {}, "prompt": {}})) == []


def test_what_both_versions_record_is_told_once() -> None:
    old = [
        event("message.updated", info=USER),
        event("message.part.updated", part=words("go")),
        event("message.part.updated", part=tool("bash", command="ls")),
    ]
    new = [
        wire("prompted", prompt={"text": "go"}),
        wire("tool.called", callID="call_1", tool="bash", input={"command": "ls"}),
        wire("tool.success", callID="call_1", structured={}, content=[]),
    ]
    phases = [e.phase for e in read(*old)]
    assert [e.phase for e in read(*old, *new)] == phases == [Phase.POSTURE, Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert [e.text for e in read(new[0])] == ["go"]
    reader = IMPORTER.open()
    part, message = (reader.read(one) for one in (words("PAY-7: go"), row(ASKED)))
    assert (part.identity, part.copied, message.copied, message.events) == (message.identity, True, True, [])


def test_a_command_that_a_person_ran() -> None:
    shell = {"id": "msg_5", "sessionID": SES, "type": "shell", "shellID": "sh_1", "command": "ls"}
    times = {"created": AT, "completed": AT + 5}
    for more, ok in (
        ({"status": "exited", "exit": 0, "output": {"output": "a"}}, Tri.YES),
        ({"status": "exited", "exit": 2, "output": {"output": "a"}}, Tri.NO),
        ({"status": "timeout", "output": {"output": "a"}}, Tri.NO),
        ({"output": "a"}, Tri.UNKNOWN),
    ):
        call, result = read({**shell, **more, "time": times})
        assert (call.attrs["command"], result.outcome and result.outcome.tool, result.attrs["output"]) == ("ls", ok, "a")
    begun = carried("session.shell.started", shell={"id": "sh_1", "command": "ls", "status": "running"})
    ended = carried("session.shell.ended", shell={"id": "sh_1", "command": "ls", "status": "killed"}, output={"output": "a"})
    assert [(e.phase, e.outcome and e.outcome.tool) for e in read(begun, ended)] == [(Phase.CALL, None), (Phase.RESULT, Tri.NO)]
    told = read(wire("shell.started", callID="c", command="ls"), wire("shell.ended", callID="c", output="a"))
    assert [(e.phase, e.outcome and e.outcome.tool) for e in told] == [(Phase.CALL, None), (Phase.RESULT, Tri.UNKNOWN)]


def test_a_subagent_is_a_child_and_questions_are_about_their_call() -> None:
    done = {**state(metadata={"sessionID": "ses_9", "status": "completed"}), "input": {"agent": "review", "prompt": "look"}}
    events = read(answer(done, "subagent"))
    spawned = only(events, EventKind.ACTION, Phase.STARTED)
    assert (names(spawned, KeyRole.SCOPE), f"session:{SES}" in names(spawned, KeyRole.PARENT)) == (["session:ses_9"], True)
    source = {"type": "tool", "messageID": "msg_2", "callID": "call_1"}
    asked = carried("permission.v2.asked", id="per_1", action="shell", resources=["npm test"], source=source)
    ask, deny = read(asked, carried("permission.v2.replied", requestID="per_1", reply="reject"))
    assert [e.decision and e.decision.effect for e in (ask, deny)] == [Effect.ASK, Effect.DENY]
    assert f"call:{SES}/call_1" in names(deny, KeyRole.CALL)
    assert ask.decision and ask.decision.reason == "shell: npm test"


def test_what_a_step_cost_is_told_once() -> None:
    step = {"assistantMessageID": "msg_2", "tokens": {"input": 9, "output": 1}, "cost": 0.5}
    prompted = carried("session.next.prompted", messageID=MSG, prompt={"text": "go"})
    events = read(carried("session.step.ended", **step), carried("session.step.ended", **step), prompted, answer(state(), **step))
    assert sum(e.attrs.get("tokens", 0) for e in events if isinstance(e.attrs.get("tokens", 0), int)) == 10  # type: ignore[misc]


def test_the_event_log_of_a_database_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    rows: dict[str, list[dict[str, Any]]] = {
        "event": [
            {
                "id": "evt_1",
                "aggregate_id": SES,
                "seq": 0,
                "type": "message.part.updated.1",
                "data": json.dumps({"part": words("go")}),
            },
            {"id": "evt_2", "aggregate_id": SES, "seq": 1, "type": "session.tool.called.1", "data": json.dumps({"callID": "c"})},
        ],
        "session_message": [row(ASKED), row(answer(state()), 2)],
    }
    with closing(sqlite3.connect(path)) as database:
        for table, held in rows.items():
            columns = [name for name in held[0] if name != "_table"]
            database.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            marks = ", ".join("?" * len(columns))
            database.executemany(f"INSERT INTO {table} VALUES ({marks})", [[one[name] for name in columns] for one in held])
        database.commit()
    for table in rows:
        parsed = [IMPORTER.open().read({"_table": table, **one}) for one in rows[table]]
        assert not any(one.unknown_type for one in parsed)
        assert sum(len(one.events) for one in parsed) == (0 if table == "event" else 4)
    assert IMPORTER.sniff([{"_table": "event", **one} for one in rows["event"]]) > 0


def test_unknown_names_are_kept() -> None:
    assert IMPORTER.open().read(carried("session.hologram.shown")).unknown_type == "session.hologram.shown"
    for known in ("session.next.retried", "session.compaction.failed", "session.next.tool.progress.1"):
        assert IMPORTER.open().read(carried(known)).unknown_type is None
    for kind in ("idle", "synthetic", "compaction", "system"):
        parsed = IMPORTER.open().read({"id": MSG, "sessionID": SES, "type": kind, "text": "x", "time": {"created": AT}})
        assert (parsed.events, parsed.unknown_type) == ([], None)


@given(
    mutated(
        [
            ASKED,
            answer(state()),
            row(ASKED),
            carried("session.tool.failed", callID="c", error={"type": "aborted", "message": "x"}),
            carried("session.shell.ended", shell={"id": "sh_1"}, output={"output": "a"}),
            wire("prompted", prompt={"text": "go"}),
        ]
    )
)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
