"""What Qwen Code sessions say: Claude's frame, Gemini's messages, and who let a call run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from importers.qwen_code import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole

SESSION = "7f640a35-0000-4000-8000-00000000beef"


def record(kind: str, parts: list[dict[str, Any]] | None = None, **members: Any) -> dict[str, Any]:
    made = {
        "uuid": f"u-{kind}", "parentUuid": None, "sessionId": SESSION, "timestamp": "2026-04-23T00:39:48.359Z", "type": kind,
        "cwd": "/home/ada/api", "version": "0.15.0", "gitBranch": "feature/PAY-7-limit", **members,
    }  # fmt: skip
    return made if parts is None else made | {"message": {"role": "model" if kind == "assistant" else "user", "parts": parts}}


def call(id: str, command: str) -> dict[str, Any]:
    return {"functionCall": {"id": id, "name": "run_shell_command", "args": {"command": command}}}


def result(id: str, status: str, **response: str) -> dict[str, Any]:
    parts = [{"functionResponse": {"id": id, "name": "run_shell_command", "response": response}}]
    return record("tool_result", parts, toolCallResult={"callId": id, "status": status})


def telemetry(command: str, decision: str, **more: Any) -> dict[str, Any]:
    told = {"event.name": "qwen-code.tool_call", "function_name": "run_shell_command", "function_args": {"command": command}}
    return record("system", subtype="ui_telemetry", systemPayload={"uiEvent": {**told, "decision": decision, **more}})


USAGE = {"promptTokenCount": 100, "candidatesTokenCount": 30, "thoughtsTokenCount": 20, "cachedContentTokenCount": 60}
SAID = record("user", [{"text": "lower the limit"}], provenance="real_user")
ASKED = record("assistant", [{"text": "hm", "thought": True}, call("call_1", "git push")], model="qwen3.6-plus",
               usageMetadata=USAGE | {"totalTokenCount": 130})  # fmt: skip


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


def test_prompt_call_decision_and_result() -> None:
    intent, asked, decided, done = read(
        SAID, ASKED, telemetry("git push", "auto_accept"), result("call_1", "success", output="ok")
    )
    assert (intent.phase, intent.text, intent.attrs["ticket"]) == (Phase.PROMPT, "lower the limit", "PAY-7")
    assert (asked.verb, asked.attrs["command"], asked.attrs["model"]) == (Verb.EXEC, "git push", "qwen3.6-plus")
    assert asked.attrs["tokens"] == 70
    assert names(asked, KeyRole.SCOPE) == [f"session:{SESSION}"]
    assert names(asked, KeyRole.CALL) == names(decided, KeyRole.CALL) == names(done, KeyRole.CALL) == ["call:call_1"]
    assert decided.decision is not None and (decided.decision.effect, decided.decision.by) == (Effect.ALLOW, "config")
    assert done.outcome is not None and done.outcome.tool is Tri.YES


def test_thoughts_counted_apart_are_tokens_too() -> None:
    (asked,) = read(ASKED | {"usageMetadata": USAGE | {"totalTokenCount": 150}})
    assert asked.attrs["tokens"] == 90


def test_equal_calls_have_their_decisions_in_order_and_nothing_is_guessed() -> None:
    both = record("assistant", [call("call_1", "ls"), call("call_2", "ls")])
    made = read(both, telemetry("ls", "accept"), telemetry("ls", "reject"), telemetry("ls", "accept"), telemetry("pwd", "accept"))
    verdicts = [event for event in made if event.decision]
    assert [names(event, KeyRole.CALL) for event in verdicts] == [["call:call_1"], ["call:call_2"]]
    assert [event.decision.effect for event in verdicts if event.decision] == [Effect.ALLOW, Effect.DENY]


def test_a_refusal_is_told_once() -> None:
    cancelled = result("call_1", "cancelled", error="[Operation Cancelled] Reason: User did not allow tool call")
    for records in ([ASKED, cancelled], [ASKED, telemetry("git push", "reject"), cancelled]):
        events = read(*records)
        assert only(events, EventKind.ACTION, Phase.RESULT).attrs["refused"] == "user"
        decision = only(events, EventKind.DECISION).decision
        assert decision is not None and decision.effect is Effect.DENY


@pytest.mark.parametrize(
    ("more", "effect"), [('. Matching deny rule: "x".', Effect.DENY), (" (… cannot prompt for confirmation).", Effect.ASK)]
)
def test_what_the_rules_refused(more: str, effect: Effect) -> None:
    words = f'Qwen Code requires permission to use "run_shell_command", but that permission was declined{more}'
    events = read(ASKED, result("call_1", "error", error=words))
    assert only(events, EventKind.ACTION, Phase.RESULT).attrs["refused"] == "rule"
    decision = only(events, EventKind.DECISION).decision
    assert decision is not None and (decision.effect, decision.reason) == (effect, words)


def test_modes_sub_agents_and_the_sessions_they_came_from() -> None:
    mode = record("system", subtype="session_approval_mode", systemPayload={"mode": "yolo"})
    assert only(read(mode, mode), EventKind.DECISION, Phase.POSTURE).attrs["mode"] == "yolo"
    (started,) = read(record("system", subtype="parent_session", systemPayload={"parentSessionId": "0a1b"}))
    assert names(started, KeyRole.PARENT) == ["session:0a1b"]
    told, done = read(record("user", [{"text": "look"}], agentId="explore-7f3c", isSidechain=True),
                      record("assistant", [call("call_9", "ls")], agentId="explore-7f3c"))  # fmt: skip
    assert (told.phase, names(told, KeyRole.SCOPE)) == (Phase.DELEGATED, [f"qwen.agent:{SESSION}/explore-7f3c"])
    assert names(done, KeyRole.PARENT) == [f"session:{SESSION}"]
    copy = IMPORTER.open().read(ASKED | {"sessionId": "another", "forkedFrom": {"sessionId": SESSION, "messageUuid": "u"}})
    assert (copy.copied, names(copy.events[0], KeyRole.SCOPE)) == (True, [f"session:{SESSION}"])


@pytest.mark.parametrize(
    "members",
    [
        {"subtype": "notification", "provenance": "system"}, {"provenance": "goal_runtime"},
        {"message": {"role": "user", "parts": [{"text": "<system-reminder>now</system-reminder>"}]}},
    ],
)  # fmt: skip
def test_the_program_s_own_words_are_no_prompt(members: dict[str, Any]) -> None:
    assert not read(SAID | members)


def test_a_prompt_is_told_without_what_hooks_put_beside_it() -> None:
    (said,) = read(SAID | {"systemPayload": {"displayText": "go", "hookContext": "x"}})
    assert said.text == "go"


def test_broken_and_unknown_records() -> None:
    assert IMPORTER.open().read(record("brand-new")).unknown_type == "brand-new"
    assert IMPORTER.open().read(record("system", subtype="new")).unknown_type == "system/new"
    broken: tuple[object, ...] = ([], {"sessionId": "x"}, record("user"), record("tool_result"))
    for bad in broken:
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


def test_it_is_recognised_among_its_relatives() -> None:
    parsed, rejects = whole("\n".join(json.dumps(one) for one in (telemetry("ls", "accept"), SAID, ASKED)), "qwen-code")
    assert (len(parsed), rejects) == (3, [])


@settings(deadline=None)
@given(mutated([SAID, ASKED, telemetry("git push", "accept"), result("call_1", "error", error="x")]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
