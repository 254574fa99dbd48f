"""Claude Code's stream-json output: the transcript told again, joined and not doubled; an SDK's answers; sub-agents' sidecars."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from importers.claude_code import IMPORTER as TRANSCRIPT
from importers.claude_code_stream import IMPORTER
from model.event import Event
from model.words import Effect, KeyRole, Phase, Tri, Verb
from tests.importer_checks import JSON, all_of, mutated, names, survives, whole
from tests.running import ok

S = "943e3da1-c56b-4385-8435-000000000001"
CALL = "toolu_019c329418140a5d9115f7aa"
Record = dict[str, object]


def streamed(kind: str, content: list[Record], uuid: str, **more: object) -> Record:
    message = {"role": kind, "content": content, "model": "m"}
    return {"type": kind, "message": message, "parent_tool_use_id": None, "session_id": S, "uuid": uuid,
            "timestamp": "2026-03-01T08:00:02.000Z"} | more  # fmt: skip


INIT: Record = {"type": "system", "subtype": "init", "cwd": "/home/dana/shop", "session_id": S, "uuid": "u-0", "model": "m",
                "permissionMode": "plan", "claude_code_version": "2.1.330", "tools": ["Bash"]}  # fmt: skip
USE = streamed("assistant", [{"type": "tool_use", "id": CALL, "name": "Bash", "input": {"command": "npm publish"}}], "u-1")
RESULT = streamed(
    "user", [{"type": "tool_result", "tool_use_id": CALL, "is_error": True, "content": "PreToolUse:Bash hook error: no ticket"}], "u-2",
    tool_result_meta=[{"id": CALL, "permission_decision": {"decision": "reject", "source": "hook", "reason_type": "hook"}}],
)  # fmt: skip
ASK: Record = {"type": "control_request", "request_id": "r-1", "session_id": S,
               "request": {"subtype": "can_use_tool", "tool_name": "Bash", "tool_use_id": CALL, "input": {"command": "npm publish"}}}  # fmt: skip
END: Record = {"type": "result", "subtype": "success", "session_id": S, "uuid": "u-9", "is_error": False}
SIDECAR: Record = {"agentType": "Explore", "description": "Look around", "toolUseId": CALL, "spawnDepth": 1, "model": "m"}


def replied(behavior: object) -> Record:
    return {
        "type": "control_response",
        "response": {"subtype": "success", "request_id": "r-1", "response": {"behavior": behavior}},
    }


def events(*records: Record) -> list[Event]:
    parsed, rejects = whole("\n".join(json.dumps(record) for record in records), "claude-code-stream")
    assert not rejects
    return [event for one in parsed for event in one.events]


def test_the_desktop_program_writes_its_own_time_beside_each_record() -> None:
    (call,) = events({**{k: v for k, v in USE.items() if k != "timestamp"}, "_audit_timestamp": "2026-03-01T10:00:00.000Z"})
    assert call.at == 1772359200000000


def test_a_stream_tells_session_mode_call_and_refusal() -> None:
    found = events(INIT, USE, RESULT, END)
    started, mode, call, result, verdict = found
    assert (started.phase, started.attrs["cwd"], mode.attrs["mode"]) == (Phase.STARTED, "/home/dana/shop", "plan")
    assert (call.verb, call.attrs["command"], call.attrs["agent_version"]) == (Verb.EXEC, "npm publish", "2.1.330")
    assert result.attrs["refused"] == "hook"
    assert verdict.decision is not None and verdict.decision.effect is Effect.DENY
    assert all(names(event, KeyRole.SCOPE) == [f"session:{S}"] for event in found)
    assert [names(event, KeyRole.CALL) for event in (call, result, verdict)] == [[f"call:{CALL}"]] * 3


@pytest.mark.parametrize(
    ("behavior", "effect"), [("allow", Effect.ALLOW), ("deny", Effect.DENY), ("shrug", None), (["allow"], None)]
)
def test_what_an_sdk_answers_is_a_persons_decision(behavior: object, effect: Effect | None) -> None:
    verdicts = [event for event in events(INIT, ASK, USE, replied(behavior)) if event.phase is Phase.VERDICT]
    assert [one.decision.effect for one in verdicts if one.decision] == ([effect] if effect else [])
    assert all(one.decision and one.decision.by == "user" and names(one, KeyRole.CALL) == [f"call:{CALL}"] for one in verdicts)


def test_an_answer_to_no_question_decides_nothing() -> None:
    assert [event.phase for event in events(INIT, USE, replied("allow"))].count(Phase.VERDICT) == 0


def test_a_sub_agents_messages_stand_in_its_own_scope() -> None:
    inner = streamed("assistant", [{"type": "tool_use", "id": "toolu_2", "name": "Read", "input": {"file_path": "/a"}}], "u-3",
                     parent_tool_use_id=CALL, agent_id="a1")  # fmt: skip
    (call,) = [event for event in events(INIT, USE, inner) if event.verb is Verb.FILE_READ]
    assert names(call, KeyRole.SCOPE) == [f"claude.agent:{S}/a1"]
    assert names(call, KeyRole.PARENT) == [f"session:{S}", f"call:{CALL}"]
    older = {name: value for name, value in inner.items() if name != "agent_id"}
    told = [event for event in events(INIT, USE, older) if event.verb is Verb.FILE_READ]
    assert names(told[0], KeyRole.PARENT) == [f"session:{S}", f"call:{CALL}"]


def test_a_sidecar_tells_the_type_of_the_sub_agent_of_the_call_that_spawned_it() -> None:
    (event,) = events(SIDECAR)
    assert (event.verb, event.target.name, event.attrs["agent_type"]) == (Verb.AGENT_SPAWN, "Explore", "Explore")
    assert names(event, KeyRole.CALL) == [f"call:{CALL}"]
    assert events({"agentType": "Explore", "spawnDepth": 1}) == []


def test_the_transcript_beside_the_stream_is_not_doubled(tmp_path: Path) -> None:
    prompt = {"type": "user", "uuid": "u-p", "sessionId": S, "timestamp": "2026-03-01T08:00:00.000Z",
              "message": {"role": "user", "content": "Publish it."}}  # fmt: skip
    kept = [
        {**{k: v for k, v in one.items() if k in ("type", "message", "uuid", "timestamp")}, "sessionId": S}
        for one in (USE, RESULT)
    ]
    for name, lines in (("t.jsonl", [prompt, *kept]), ("s.jsonl", [INIT, USE, RESULT, END])):
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    alone, both = tmp_path / "1.db", tmp_path / "2.db"
    ok("--store", alone, "import", tmp_path / "t.jsonl", "--json")
    ok("--store", both, "import", tmp_path / "t.jsonl", tmp_path / "s.jsonl", "--json")
    rows = [ok("--store", store, "tasks", "--json").json for store in (alone, both)]
    assert [[(row["id"], row["title"], row["steps"]) for row in one] for one in rows] == [
        [(rows[0][0]["id"], "Publish it.", 1)]
    ] * 2
    shown = ok("--store", both, "show", rows[1][0]["id"], "--json").json
    assert len(shown["intents"]) == 1 and "AUD-02" not in [one["detection"] for one in shown["findings"]]


def test_transcripts_and_streams_are_told_apart() -> None:
    transcript = [{"type": "user", "uuid": "u", "sessionId": S, "timestamp": "2026-03-01T08:00:00Z", "message": {"content": "x"}}]
    stream: list[object] = [INIT, USE, RESULT]
    assert IMPORTER.sniff(transcript) == 0 < TRANSCRIPT.sniff(transcript)
    assert IMPORTER.sniff(stream) > TRANSCRIPT.sniff(stream)
    assert IMPORTER.sniff([]) == IMPORTER.sniff([1, None]) == 0


@given(JSON)
def test_anything_at_all_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)


@given(mutated([INIT, USE, RESULT, ASK, replied("allow"), END, SIDECAR]))
def test_a_damaged_record_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)


def test_the_recordings_are_read_whole(corpus: Path) -> None:
    found = [*(corpus / "claude-code-live").rglob("stream.jsonl"), *(corpus / "claude-code-live").rglob("agent-*.meta.json")]
    assert found
    for path in found:
        format, parsed, problems = all_of(path)
        assert (format, problems, [one.unknown_type for one in parsed if one.unknown_type]) == ("claude-code-stream", [], []), (
            path
        )


@pytest.mark.parametrize(
    ("kind", "said", "refused", "effect"),
    [
        ("permission-rule", "Not under .claude, said our own hook.", "rule", Effect.DENY),
        ("permission-rule", "PreToolUse:Bash hook error: no ticket", "hook", Effect.DENY),
        ("user-rejected", "This command requires approval", "rule", Effect.ASK),
        ("interrupted", "stopped", "interrupted", None),
    ],
)
def test_a_version_that_only_marks_what_did_not_run(kind: str, said: str, refused: str, effect: Effect | None) -> None:
    content: list[Record] = [{"type": "tool_result", "tool_use_id": CALL, "is_error": True, "content": said}]
    found = events(INIT, USE, streamed("user", content, "u-2", tool_result_meta=[{"id": CALL, "non_execution_kind": kind}]), END)
    assert found[3].attrs["refused"] == refused
    assert [one.decision.effect for one in found[4:] if one.decision] == ([effect] if effect else [])


def test_a_version_that_tells_of_the_refusal_beside_the_result_alone() -> None:
    beside: Record = {"type": "system", "subtype": "permission_denied", "tool_name": "Bash", "tool_use_id": CALL, "session_id": S,
                      "decision_reason_type": "asyncAgent", "message": "Not here.", "uuid": "u-3"}  # fmt: skip
    came = streamed("user", [{"type": "tool_result", "tool_use_id": CALL, "is_error": True, "content": "Not here."}], "u-2")
    for record, refused in ((beside, "rule"), (beside | {"tool_use_id": "another"}, None), (beside | {"tool_use_id": []}, None)):
        result = next(event for event in events(USE, record, came) if event.phase is Phase.RESULT)
        assert result.attrs.get("refused") == refused


def test_how_a_command_in_the_background_ended() -> None:
    notice: Record = {"type": "system", "subtype": "task_notification", "task_id": "b1", "tool_use_id": CALL, "status": "failed",
                      "summary": 'Background command "npm" failed with exit code 2', "session_id": S, "uuid": "u-3"}  # fmt: skip
    (call, ended) = events(USE, notice)
    assert names(call, KeyRole.CALL) == names(ended, KeyRole.CALL)
    assert ended.outcome is not None and (ended.outcome.tool, ended.attrs["status"]) == (Tri.NO, "2")
    assert events(USE, notice | {"summary": 'Agent "look" finished', "status": "completed"}) == [call]


def test_a_mode_that_changes_on_the_way_is_a_posture() -> None:
    changed: Record = {"type": "system", "subtype": "status", "status": None, "permissionMode": "bypassPermissions",
                       "session_id": S, "uuid": "u-3"}  # fmt: skip
    compacting: Record = {"type": "system", "subtype": "status", "status": "compacting", "session_id": S, "uuid": "u-4"}
    modes = [event.attrs["mode"] for event in events(INIT, changed, compacting) if event.phase is Phase.POSTURE]
    assert modes == ["plan", "bypassPermissions"]


def test_what_others_than_a_person_send_is_no_persons_words() -> None:
    said = [
        streamed("user", [{"type": "text", "text": kind}], f"u-{kind}", origin={"kind": kind}, isReplay=True)
        for kind in ("human", "peer", "task-notification", "coordinator")
    ]
    assert [event.text for event in events(INIT, *said) if event.phase is Phase.PROMPT] == ["human"]


@pytest.mark.parametrize(
    "kind",
    ["active_goal", "autocompact_state", "command_lifecycle", "conversation_reset", "prompt_suggestion", "system/commands_changed",
     "system/memory_recall", "system/plugin_install", "system/thinking_tokens", "system/worker_shutting_down"],
)  # fmt: skip
def test_what_the_stream_says_beside_the_conversation_is_known(kind: str) -> None:
    top, _, subtype = kind.partition("/")
    said: Record = {"type": top, "session_id": S, "uuid": "u-3"} | ({"subtype": subtype} if subtype else {})
    parsed, rejects = whole("\n".join(json.dumps(record) for record in (INIT, USE, said)), "claude-code-stream")
    assert not rejects and parsed[-1].type == kind and not parsed[-1].unknown_type and not parsed[-1].events


def test_the_end_of_a_run_tells_denials_that_nothing_else_did() -> None:
    denied = {"tool_name": "Bash", "tool_use_id": CALL, "tool_input": {"command": "npm publish"}}
    call, verdict = events(END | {"permission_denials": [denied, {"tool_name": "Bash"}, "x"]})
    assert (call.phase, call.verb, call.attrs["command"]) == (Phase.CALL, Verb.EXEC, "npm publish")
    assert verdict.decision is not None and verdict.decision.effect is Effect.DENY
    assert names(call, KeyRole.CALL) == names(verdict, KeyRole.CALL) == [f"call:{CALL}"]
    assert events(INIT, USE, RESULT, END | {"permission_denials": [denied]}) == events(INIT, USE, RESULT, END)


def test_a_persons_answer_that_the_result_tells_again_is_one_decision() -> None:
    came = {"type": "tool_result", "tool_use_id": CALL, "content": "ok"}
    told = [{"id": CALL, "permission_decision": {"decision": "accept", "source": "user_temporary", "reason_type": "rule"}}]
    done: Record = {"type": "user", "session_id": S, "uuid": "u-7", "parent_tool_use_id": None,
                    "message": {"role": "user", "content": [came]}, "tool_result_meta": told}  # fmt: skip
    verdicts = [one.decision for one in events(USE, ASK, replied("allow"), done, END) if one.decision]
    assert [(one.effect, one.by, one.rule) for one in verdicts] == [(Effect.ALLOW, "user", "can_use_tool")]


def test_amp_prints_the_same_stream_with_tools_of_its_own() -> None:
    thread = "T-7c1b6b0e-3f0c-4b0e-9d6a-1f2a3b4c5d6e"
    uses = [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"cmd": "ls"}},
            {"type": "tool_use", "id": "t2", "name": "create_file", "input": {"path": "/w/a.py"}}]  # fmt: skip
    said: Record = {
        "type": "assistant",
        "session_id": thread,
        "parent_tool_use_id": None,
        "message": {"role": "assistant", "content": uses},
    }
    shell, write = events({"type": "system", "subtype": "init", "session_id": thread, "cwd": "/w", "tools": []}, said)[1:]
    assert (shell.point, shell.attrs["command"], names(shell, KeyRole.SCOPE)) == ("amp", "ls", [f"session:{thread.lower()}"])
    assert (write.verb, write.target.name) == (Verb.FILE_WRITE, "/w/a.py")
