"""What Kimi Code's journals say: prompts, calls, approvals, modes and sub-agents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from importers.kimi_code import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import how_ended, mutated, names, only, refused_by_user, survives, whole

SESSION = "session_7d2e5a10-51c4-4f0f-8a0e-0a6d1f2b3c4d"
HEAD = {"type": "metadata", "protocol_version": "1.5", "created_at": 1767225600000}


def line(kind: str, **payload: Any) -> dict[str, Any]:
    return {"type": kind, **payload, "agentId": "main", "time": 1767225600500}


def loop(kind: str, **event: Any) -> dict[str, Any]:
    return line("context.append_loop_event", event={"type": kind, "turnId": "0", "step": 1, **event})


def called(tool: str, call: str = "Bash_0", **args: Any) -> dict[str, Any]:
    return loop("tool.call", uuid="u", stepUuid="s", toolCallId=call, name=tool, args=args)


def result(output: Any = "ok", call: str = "Bash_0", **more: Any) -> dict[str, Any]:
    return loop("tool.result", parentUuid="u", toolCallId=call, result={"output": output, **more})


def approval(decision: str, **more: Any) -> dict[str, Any]:
    told = {"turnId": 0, "toolCallId": "Bash_0", "toolName": "Bash", "action": "Running: make"}
    return line("permission.record_approval_result", **told, result={"decision": decision, **more})


WORDS = [{"type": "text", "text": "fix PAY-3"}]
TYPED = line("turn.prompt", input=WORDS, origin={"kind": "user"})
GOT = line("context.append_message", message={"role": "user", "content": WORDS, "toolCalls": [], "origin": {"kind": "user"}})
CALL = called("Bash", command="make")
REJECTED = 'Tool "Bash" was not run because the user rejected the approval request. Reason: use npm Do not re-attempt'


def read(*records: object, agent: str = "main") -> list[Event]:
    reader = IMPORTER.open()
    reader.lies_at(f"/home/ada/.kimi-code/sessions/wd_api_ab12/{SESSION}/agents/{agent}/wire.jsonl")
    return [event for one in records for event in reader.read(one).events]


def test_a_journal_is_recognised_and_told() -> None:
    more = [line("turn.ended", turnId=0), loop("step.begin", uuid="s"), loop("content.part", part={"type": "text", "text": "x"})]
    parsed, rejects = whole("\n".join(map(json.dumps, [HEAD, TYPED, GOT, CALL, result(), *more])), "kimi-code")
    events = [event for one in parsed for event in one.events]
    assert not rejects and not any(one.unknown_type for one in parsed)
    assert [e.phase for e in events] == [Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert (events[0].text, events[0].attrs["ticket"], events[1].attrs["command"]) == ("fix PAY-3", "PAY-3", "make")


def test_the_folders_name_the_session_and_the_agent() -> None:
    main, other = read(GOT, CALL), read(GOT, CALL, agent="agent-0")
    assert names(main[1], KeyRole.SCOPE) == [f"session:{SESSION}"]
    assert (main[0].phase, main[0].at) == (Phase.PROMPT, 1767225600_500000)
    assert names(other[1], KeyRole.SCOPE) == [f"session:{SESSION}/agent-0"]
    assert (other[0].phase, names(other[0], KeyRole.PARENT)) == (Phase.DELEGATED, [f"session:{SESSION}"])


@pytest.mark.parametrize(
    ("record", "effects", "by"),
    [
        (approval("approved", selectedLabel="Approve once"), [Effect.ASK, Effect.ALLOW], "user"),
        (approval("approved", scope="session"), [Effect.ASK, Effect.ALLOW], "user"),
        (approval("approved"), [Effect.ASK, Effect.ALLOW], "kimi"),
        (approval("rejected"), [Effect.ASK, Effect.DENY], "user"),
        (approval("cancelled"), [Effect.ASK], "kimi"),
        (approval("postponed"), [Effect.ASK], "kimi"),
    ],
)
def test_an_approval_is_a_question_and_its_answer(record: dict[str, Any], effects: list[Effect], by: str) -> None:
    told = [e for e in read(CALL, record) if e.decision]
    assert [e.decision.effect for e in told if e.decision] == effects
    assert told[-1].decision and told[-1].decision.by == by
    assert names(told[-1], KeyRole.CALL) == [f"call:{SESSION}/Bash_0"]


def test_a_refusal_is_told_once_with_its_words() -> None:
    events = read(CALL, approval("rejected", feedback="use npm"), result(REJECTED, isError=True))
    refused_by_user(events, "use npm")


@pytest.mark.parametrize(
    ("record", "tool", "code", "refused", "effects"),
    [
        (result(), Tri.YES, None, None, []),
        (result("x", isError=False), Tri.YES, None, None, []),
        (result("x", isError="maybe"), Tri.UNKNOWN, None, None, []),
        (result("task_id: b1\npid: 7\ndescription: d\nstatus: running"), Tri.UNKNOWN, None, None, []),
        (result("boom\nCommand failed with exit code: 2.", isError=True), Tri.NO, "2", None, []),
        (result("Command failed with exit code: 2."), Tri.YES, None, None, []),
        (result(REJECTED, isError=True), Tri.NO, None, "user", [Effect.DENY]),
        (result('Tool "Bash" was denied by permission rule. Reason: no', isError=True), Tri.NO, None, "rule", [Effect.DENY]),
        (result('Tool "Bash" was denied by permission policy.', isError=True), Tri.NO, None, "rule", [Effect.DENY]),
        (
            result('Tool "Bash" was not run because the approval request was cancelled.', isError=True),
            Tri.NO,
            None,
            "interrupted",
            [],
        ),
        (result([{"type": "text", "text": "no such file"}], isError=True), Tri.NO, None, None, []),
    ],
)
def test_how_a_call_ended(
    record: dict[str, Any], tool: Tri, code: str | None, refused: str | None, effects: list[Effect]
) -> None:
    assert how_ended(read(CALL, record)) == (tool, code, refused, effects)


def test_calls_that_are_merely_counted_are_told_apart() -> None:
    events = read(CALL, result(), called("Bash", command="b"), result("x", isError=True))
    calls, results = ([e for e in events if e.phase is phase] for phase in (Phase.CALL, Phase.RESULT))
    assert [names(e, KeyRole.CALL) for e in calls] == [names(e, KeyRole.CALL) for e in results]
    assert [e.outcome and e.outcome.tool for e in results] == [Tri.YES, Tri.NO]
    assert names(calls[0], KeyRole.CALL) != names(calls[1], KeyRole.CALL)


@pytest.mark.parametrize("kind", ["injection", "shell_command", "hook_result", "compaction_summary", "cron_job"])
def test_what_nobody_typed_is_no_prompt(kind: str) -> None:
    message = {"role": "user", "content": WORDS, "toolCalls": [], "origin": {"kind": kind}}
    assert read(line("context.append_message", message=message), line("turn.prompt", input=WORDS, origin={"kind": kind})) == []


@pytest.mark.parametrize(
    ("tool", "args", "verb", "target"),
    [
        ("Write", {"path": "/home/ada/a.py", "content": "x"}, Verb.FILE_WRITE, "/home/ada/a.py"),
        ("Read", {"path": "a.py"}, Verb.FILE_READ, "a.py"),
        ("FetchURL", {"url": "https://example.com/x"}, Verb.HTTP_REQUEST, "example.com"),
        ("mcp__tracker__close_issue", {}, Verb.MCP_CALL, "tracker"),
        ("Agent", {"prompt": "look", "subagent_type": "explore"}, Verb.AGENT_SPAWN, "explore"),
        ("NobodyKnows", {}, Verb.UNKNOWN, ""),
    ],
)
def test_its_tools(tool: str, args: dict[str, Any], verb: Verb, target: str) -> None:
    call = only(read(called(tool, **args)), EventKind.ACTION, Phase.CALL)
    assert (call.verb, call.target.name) == (verb, target)


def test_modes_model_place_and_cost() -> None:
    set_mode, plan, back = (
        line("permission.set_mode", mode="yolo"),
        line("plan_mode.enter", id="p"),
        line("plan_mode.exit", id="p"),
    )
    assert [e.attrs["mode"] for e in read(set_mode, plan, back)] == ["yolo", "plan", "yolo"]
    ended = loop("step.end", uuid="s1", usage={"inputOther": 10, "output": 3, "inputCacheRead": 500, "inputCacheCreation": 2})
    about = [line("config.update", cwd="/home/ada/api", modelAlias="kimi-k3"), ended, ended]
    call = only(read(*about, CALL), EventKind.ACTION, Phase.CALL)
    assert (call.attrs["cwd"], call.attrs["model"], call.attrs["tokens"]) == ("/home/ada/api", "kimi-k3", 15)


def test_calls_within_a_message_of_an_older_journal() -> None:
    made = {"type": "function", "id": "c1", "function": {"name": "Bash", "arguments": '{"command":"ls"}'}}
    message = {"role": "assistant", "content": [], "toolCalls": [made]}
    assert only(read(line("context.append_message", message=message)), EventKind.ACTION).attrs["command"] == "ls"


def test_what_is_new_is_kept_as_unknown_and_broken_records_are_refused() -> None:
    assert IMPORTER.open().read(line("telepathy.begin")).unknown_type == "telepathy.begin"
    assert IMPORTER.open().read(loop("tool.ack")).unknown_type == "context.append_loop_event/tool.ack"
    for bad in ([], {"a": 1}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([HEAD, TYPED, GOT, CALL, result(), approval("rejected", feedback="x")]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
