"""What opencode says in files, rows, exports and streams: the same events, refusals with their reason, answers of people."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from importers.opencode import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

SES, MSG, PRT = "ses_1a", "msg_1b", "prt_1c"
SESSION = {
    "id": SES,
    "directory": "/home/ada/api",
    "title": "Tidy",
    "version": "1.18.33",
    "agent": "build",
    "time": {"created": 1795390127727},
}
USER = {"id": MSG, "sessionID": SES, "role": "user", "time": {"created": 1795390127823}, "agent": "build"}


def words(text: str, **members: Any) -> dict[str, Any]:
    return {"id": PRT, "sessionID": SES, "messageID": MSG, "type": "text", "text": text, **members}


def tool(name: str, status: str = "completed", output: str = "", id: str = "prt_2", **given: Any) -> dict[str, Any]:
    state: dict[str, Any] = {"status": status, "input": given, "time": {"start": 1795390136311, "end": 1795390137565}}
    state |= {"error": output} if status == "error" else {"output": output}
    return {"id": id, "sessionID": SES, "messageID": "msg_2", "type": "tool", "tool": name, "callID": "call_1", "state": state}


def row(table: str, record: dict[str, Any], **members: Any) -> dict[str, Any]:
    data = {name: value for name, value in record.items() if name not in ("id", "sessionID", "messageID")}
    ids = {"id": record["id"], "session_id": SES} | ({"message_id": record["messageID"]} if table == "part" else {})
    return {**ids, "time_created": 1795390127000, "data": json.dumps(data), **members}


def event(kind: str, **properties: Any) -> dict[str, Any]:
    return {"id": f"evt_{kind}{len(json.dumps(properties))}", "type": kind, "properties": properties}


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


def told(events: list[Event]) -> list[tuple[object, ...]]:
    return [(e.kind, e.phase, e.verb, e.text, e.attrs.get("command"), e.attrs.get("cwd"), e.keys) for e in events]


def test_files_rows_exports_and_events_say_the_same() -> None:
    bash = tool("bash", command="npm test")
    files = read(SESSION, USER, words("PAY-7: go"), bash)
    assert [e.phase for e in files] == [Phase.STARTED, Phase.POSTURE, Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert files[1].attrs["mode"] == "build"
    session = {
        "id": SES,
        "directory": "/home/ada/api",
        "title": "Tidy",
        "version": "1.18.33",
        "agent": "build",
        "parent_id": None,
    }
    plain = [{"table": "session", **session}, row("message", USER), row("part", words("PAY-7: go")), row("part", bash)]
    nested = [{"table": t, "columns": r} for t, r in zip(("session", "message", "part", "part"), plain, strict=True)]
    export = json.dumps(
        {
            "info": SESSION,
            "messages": [
                {"info": USER, "parts": [words("PAY-7: go")]},
                {"info": {**USER, "id": "msg_2", "role": "assistant"}, "parts": [bash]},
            ],
        }
    )
    stream = [
        event("session.created", info=SESSION),
        event("message.updated", info=USER),
        event("message.part.updated", part=words("PAY-7: go")),
        event("message.part.updated", part=bash),
    ]
    named = [{"_table": t, **r} for t, r in zip(("session", "message", "part", "part"), plain, strict=True)]
    assert told(read(*named)) == told(read(*plain)) == told(read(*nested)) == told(read(*stream)) == told(files)
    for text in (export, json.dumps(json.loads(export), indent=1)):
        parsed, rejects = whole(text, "opencode")
        assert not rejects
        assert told([e for p in parsed for e in p.events]) == told(files)


def test_a_part_without_its_message_is_a_persons_only_if_it_took_no_time() -> None:
    assert [e.text for e in read(words("go"))] == ["go"]
    assert read(words("done", time={"start": 1, "end": 2})) == []
    assert read(words("reminder", synthetic=True)) == []


def test_words_that_a_run_prints_are_the_agents() -> None:
    printed = {"type": "text", "timestamp": 1776342619484, "sessionID": "ses_1a2b3c", "part": {"type": "text", "text": "Done."}}
    assert IMPORTER.sniff([printed]) > 0
    assert IMPORTER.open().read(printed).events == []
    asked = {"type": "user", "timestamp": 1776342619000, "sessionID": "ses_1a2b3c", "parts": [{"type": "text", "text": "go"}]}
    parsed = IMPORTER.open().read(asked)
    assert [(e.phase, e.text, e.at) for e in parsed.events] == [(Phase.PROMPT, "go", 1776342619000000)]
    assert (parsed.scope, parsed.unknown_type) == ("ses_1a2b3c", None)


def test_a_call_told_as_it_grows_is_told_once() -> None:
    grown = [
        tool("bash", "pending"),
        tool("bash", "running", command="ls"),
        tool("bash", command="ls"),
        tool("bash", command="ls"),
    ]
    assert [e.phase for e in read(*grown)] == [Phase.CALL, Phase.RESULT]


@pytest.mark.parametrize(
    ("status", "output", "refused", "effects"),
    [
        (
            "error",
            "The user has specified a rule which prevents you from using this. Here are some of the rules []",
            "rule",
            [Effect.DENY],
        ),
        ("error", "The user rejected permission to use this specific tool call.", "user", [Effect.DENY]),
        ("error", "Error: The user rejected permission to use this specific tool call.", "user", [Effect.DENY]),
        ("error", "Tool execution aborted", "interrupted", []),
        ("error", "ripgrep execution failed", "", []),
    ],
)
def test_refusals(status: str, output: str, refused: str, effects: list[Effect]) -> None:
    events = read(tool("bash", status, output, command="git push"))
    result = only(events, EventKind.ACTION, Phase.RESULT)
    assert result.outcome is not None
    assert (result.attrs.get("refused", ""), result.outcome.tool) == (refused, Tri.NO)
    assert [e.decision.effect for e in events if e.decision] == effects


def test_the_words_of_a_refusal_are_what_the_person_wants() -> None:
    said = "The user rejected permission to use this specific tool call with the following feedback: Use the release job."
    assert only(read(tool("bash", "error", said)), EventKind.INTENT).text == "Use the release job."


def test_a_tool_denied_altogether_is_the_call_it_was_meant_to_be() -> None:
    call, result = read(tool("invalid", tool="write", error="Model tried to call unavailable tool 'write'."))
    assert (call.tool, call.verb, result.attrs["refused"]) == ("write", Verb.FILE_WRITE, "rule")
    assert result.outcome is not None
    assert result.outcome.permitted is Effect.UNKNOWN


def test_exit_codes_tell_success() -> None:
    failed = tool("bash", command="make")
    failed["state"]["metadata"] = {"exit": 2}
    result = only(read(failed), EventKind.ACTION, Phase.RESULT)
    assert result.outcome is not None
    assert (result.outcome.tool, result.attrs["status"]) == (Tri.NO, "2")


@pytest.mark.parametrize(
    ("told", "ended", "refused"),
    [
        ("", Tri.UNKNOWN, None),
        ("bash tool terminated command after exceeding timeout 1000 ms", Tri.NO, None),
        ("bash tool truncated output\nUser aborted the command", Tri.NO, "interrupted"),
    ],
)
def test_a_command_that_was_stopped_has_not_succeeded(told: str, ended: Tri, refused: str | None) -> None:
    stopped = tool("bash", command="make", output=f"x\n\n<bash_metadata>\n{told}\n</bash_metadata>" if told else "x")
    stopped["state"]["metadata"] = {"exit": None}
    result = only(read(stopped), EventKind.ACTION, Phase.RESULT)
    assert result.outcome is not None
    assert (result.outcome.tool, result.attrs.get("refused"), result.outcome.permitted) == (ended, refused, Effect.UNKNOWN)


def test_questions_and_answers_of_the_stream() -> None:
    asked = event("permission.asked", id="per_1", sessionID=SES, permission="bash", patterns=["rm x"], tool={"callID": "call_1"})
    for reply, effect in (("once", Effect.ALLOW), ("always", Effect.ALLOW), ("reject", Effect.DENY)):
        first, second = read(asked, event("permission.replied", sessionID=SES, requestID="per_1", reply=reply))
        assert first.decision is not None
        assert second.decision is not None
        assert (first.decision.effect, second.decision.effect) == (Effect.ASK, effect)
        assert names(first, KeyRole.CALL) == names(second, KeyRole.CALL) == [f"call:{SES}/call_1", "opencode.permission:per_1"]


def test_a_refusal_that_the_result_tells_again_is_one_decision() -> None:
    asked = event("permission.asked", id="per_1", sessionID=SES, permission="bash", patterns=["rm x"], tool={"callID": "call_1"})
    second = event("permission.asked", id="per_2", sessionID=SES, permission="external_directory", tool={"callID": "call_1"})
    answered = event("permission.replied", sessionID=SES, requestID="per_2", reply="reject")
    said = "The user rejected permission to use this specific tool call."
    events = read(asked, second, answered, tool("bash", "error", said, command="rm x"))
    assert [e.decision.effect for e in events if e.decision] == [Effect.ASK, Effect.ASK, Effect.DENY]
    assert only(events, EventKind.ACTION, Phase.RESULT).attrs["refused"] == "user"


def test_a_sub_agent_is_a_child_of_its_call_and_call_ids_stay_within_a_session() -> None:
    task = tool("task", prompt="look", subagent_type="explore")
    task["state"]["metadata"] = {"sessionId": "ses_child"}
    started = only(read(task), EventKind.ACTION, Phase.STARTED)
    assert names(started, KeyRole.SCOPE) == ["session:ses_child"]
    assert names(started, KeyRole.PARENT) == [f"session:{SES}", f"call:{SES}/call_1"]
    child = read({**SESSION, "id": "ses_child", "parentID": SES}, words("look", sessionID="ses_child"))
    assert child[-1].phase is Phase.DELEGATED
    assert names(child[0], KeyRole.PARENT) == [f"session:{SES}"]


CREATED = 1795390127823
FORK = "ses_2f"


def made(prefix: str, at: int, tail: str = "aaaaaaaaaaaaaa") -> str:
    """An id that was made at this time, as opencode makes them."""
    return f"{prefix}_{(at * 4096 + 1) % (1 << 48):012x}{tail}"


def forked(record: dict[str, Any], at: int) -> dict[str, Any]:
    """The copy of a message or part that a fork made at this time."""
    ids = {"id": made(record["id"][:3], at), "sessionID": FORK}
    return {**record, **ids, **({"messageID": made("msg", at)} if "messageID" in record else {})}


def test_what_a_fork_copied_is_told_where_it_was_done() -> None:
    asked = {**USER, "id": made("msg", CREATED)}
    said = words("go", id=made("prt", CREATED), messageID=asked["id"])
    bash = tool("bash", command="npm test", id=made("prt", CREATED + 8000))
    copied = [{**forked(one, CREATED + 90_000)} for one in (asked, said, bash)]
    own = [
        {**USER, "id": made("msg", CREATED + 95_000), "sessionID": FORK, "time": {"created": CREATED + 95_000}},
        words("now lint", id=made("prt", CREATED + 95_000), messageID=made("msg", CREATED + 95_000), sessionID=FORK),
    ]
    stream = [
        event("message.updated", info=one) if "role" in one else event("message.part.updated", part=one)
        for one in (asked, said, bash, *copied, *own)
    ]
    for records in ((asked, said, bash, *copied, *own), stream):
        events = read(*records)
        assert [e.text for e in events if e.phase is Phase.PROMPT] == ["go", "now lint"]
        assert [names(e, KeyRole.SCOPE) for e in events if e.phase is Phase.CALL] == [[f"session:{SES}"]]
        assert names(events[-1], KeyRole.PARENT) == [f"session:{SES}"]
    first, second = (IMPORTER.open().read(one) for one in (bash, copied[2]))
    assert (first.identity, first.copied) == (second.identity, False)
    assert (second.copied, [e.phase for e in second.events]) == (True, [Phase.CALL, Phase.RESULT])
    whole_ones = [
        {"info": asked, "parts": [said]},
        {"info": copied[0], "parts": [copied[1]]},
        {"info": own[0], "parts": [own[1]]},
    ]
    first, second, third = (IMPORTER.open().read(one) for one in whole_ones)
    assert first.identity == second.identity != third.identity
    assert (first.copied, second.copied, third.copied) == (False, True, False)


def test_a_fork_that_names_its_origin_is_no_sub_agent_and_what_it_copied_costs_nothing() -> None:
    begun = {"table": "session", "id": FORK, "fork_session_id": SES, "directory": "/home/ada/api"}
    answer = {"role": "assistant", "modelID": "m", "tokens": {"input": 9, "output": 1}, "cost": 0.5}
    done = {**answer, "id": made("msg", CREATED), "sessionID": SES, "time": {"created": CREATED, "completed": CREATED + 9}}
    asked = words("now lint", sessionID=FORK)
    *_, prompt = read(begun, forked(done, CREATED + 90_000), asked)
    assert (prompt.phase, names(prompt, KeyRole.PARENT)) == (Phase.PROMPT, [f"session:{SES}"])
    assert "tokens" not in prompt.attrs
    *_, prompt = read(done, words("now lint"))
    assert (prompt.attrs["tokens"], prompt.attrs["cost_usd"]) == (10, 0.5)


def test_a_stream_says_what_its_answers_cost() -> None:
    done = {"role": "assistant", "tokens": {"input": 9, "output": 1}, "cost": 0.5, "id": "msg_8", "sessionID": SES}
    told = event("message.updated", info={**done, "time": {"created": CREATED, "completed": CREATED + 9}})
    *_, prompt = read(told, event("message.part.updated", part=words("go on")))
    assert (prompt.attrs["tokens"], prompt.attrs["cost_usd"]) == (10, 0.5)


def test_a_mode_is_told_where_it_changes() -> None:
    plan = {**USER, "id": "msg_9", "agent": "plan"}
    assert [e.attrs.get("mode") for e in read(SESSION, USER, plan, plan) if e.phase is Phase.POSTURE] == ["build", "plan"]


def test_unknown_types_are_kept_and_what_is_no_record_is_refused() -> None:
    assert IMPORTER.open().read({**words("x"), "type": "hologram"}).unknown_type == "part/hologram"
    assert IMPORTER.open().read(event("brand.new")).unknown_type == "brand.new"
    for bad in ([], {"a": 1}, {"id": MSG, "sessionID": SES}, row("part", words("x"), data="{")):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@given(
    mutated(
        [
            SESSION,
            USER,
            words("go"),
            tool("bash", command="ls"),
            row("part", words("x")),
            event("permission.replied", requestID="p", reply="once"),
        ]
    )
)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_corpus_counts_agree_with_plain_json(corpus: Path) -> None:
    for path in sorted(corpus.glob("opencode-live/*/export-*.json")):
        export = json.loads(path.read_text())
        parsed, rejects = whole(path.read_bytes(), "opencode")
        events = [event for one in parsed for event in one.events]
        parts = [part for message in export["messages"] for part in message["parts"]]
        assert (len(parsed), rejects) == (len(export["messages"]) + 1, [])
        assert sum(e.phase is Phase.CALL for e in events) == sum(part["type"] == "tool" for part in parts)
        denied = sum(
            "rule which prevents" in str(p) or "user rejected permission" in str(p) for p in parts if p["type"] == "tool"
        )
        assert sum(e.decision is not None and e.decision.effect is Effect.DENY for e in events) == denied, path
        assert all(e.verb is not Verb.UNKNOWN for e in events if e.phase is Phase.CALL)
    for path in sorted(corpus.glob("opencode-live/*/events*.jsonl")):
        parsed, rejects = whole(path.read_bytes(), "opencode")
        assert (len(parsed), rejects) == (len(path.read_text().splitlines()), [])
        assert not [one.unknown_type for one in parsed if one.unknown_type]


def test_a_database_says_what_its_export_says(corpus: Path) -> None:
    for path in sorted(corpus.glob("opencode-live/*/opencode.db")):
        (export,) = path.parent.glob("export-*.json")
        calls = {
            k.value
            for p in whole(export.read_bytes(), "opencode")[0]
            for e in p.events
            if e.phase is Phase.CALL
            for k in e.keys_of(KeyRole.CALL)
        }
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            rows = [
                {"_table": t, **dict(row)}
                for t in ("part", "message", "session")
                for row in connection.execute(f"SELECT * FROM {t}")
            ]
        events = read(*rows)
        assert {k.value for e in events if e.phase is Phase.CALL for k in e.keys_of(KeyRole.CALL)} == calls
        assert any(e.phase is Phase.PROMPT for e in events)
