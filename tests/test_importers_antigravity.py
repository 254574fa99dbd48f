"""Antigravity's conversations: calls without ids and the steps behind them, who refused, what ran on, and both logs of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from importers.antigravity import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import how_ended, mutated, names, only, survives, whole
from tests.running import ok

ID = "0b1c2d3e-0000-4000-8000-000000000001"
Step = dict[str, object]


def step(index: int, kind: str, content: str = "", source: str = "MODEL", status: str = "DONE", **more: object) -> Step:
    told: Step = {"step_index": index, "source": source, "type": kind, "status": status, "created_at": "2026-05-01T10:00:00Z"}
    return told | ({"content": content} if content else {}) | more


def asked(index: int, *calls: tuple[str, Step]) -> Step:
    return step(index, "PLANNER_RESPONSE", tool_calls=[{"name": name, "args": args} for name, args in calls])


def ran(index: int, words: str, status: str = "DONE", kind: str = "RUN_COMMAND", **more: object) -> Step:
    head = "Created At: 2026-05-01T10:00:01Z\nCompleted At: 2026-05-01T12:00:09+02:00\n"
    return step(index, kind, head + words, status=status, **more)


COMMAND = asked(2, ("run_command", {"CommandLine": "npm test", "Cwd": "/home/ada/shop"}))
PROMPT = step(
    0,
    "USER_INPUT",
    "<USER_REQUEST>\nPAY-7 go\n</USER_REQUEST>\n<USER_SETTINGS_CHANGE>\nThe user changed setting `Model Selection` from None to "
    "Gemini 9.5 Flash (High). No need to comment.\n</USER_SETTINGS_CHANGE>",
    source="USER_EXPLICIT",
)


def told(*records: Step) -> list[Event]:
    text = "\n".join(json.dumps(record) for record in (PROMPT, *records))
    parsed, rejects = whole(text, "antigravity")
    assert not rejects
    return [event for one in parsed for event in one.events]


def results(*records: Step) -> list[tuple[str, Tri | None]]:
    """The results' calls, less the session's name, and what came of them."""
    found = [event for event in told(*records) if event.phase is Phase.RESULT]
    return [(names(e, KeyRole.CALL)[0].partition("/")[2], e.outcome.tool if e.outcome else None) for e in found]


def test_a_prompt_is_what_the_user_asked_and_the_model_the_chosen_one() -> None:
    (event,) = told(step(1, "USER_INPUT", "go on", source="USER_IMPLICIT"))
    assert (event.text, event.attrs["model"]) == ("PAY-7 go", "Gemini 9.5 Flash (High)")


@pytest.mark.parametrize(
    ("words", "more", "tool", "code"),
    [
        ("\n\t\t\t\tThe command completed successfully.\n\t\t\t\tOutput:\n", {}, Tri.YES, "0"),
        ("\n\t\t\t\tThe command failed with exit code: 3\n\t\t\t\tOutput:\nThe command completed successfully.", {}, Tri.NO, "3"),
        ("The command exited with code 1.\nOutput:\nno", {}, Tri.NO, "1"),
        ("no words of its own", {"exit_code": 0}, Tri.YES, "0"),
        ("The command wrote this", {}, Tri.UNKNOWN, None),
    ],
    ids=["well", "failed", "exited", "member", "untold"],
)
def test_a_command_ended_as_the_program_says_before_what_it_wrote(words: str, more: Step, tool: Tri, code: str | None) -> None:
    events = told(COMMAND, ran(3, words, **more))
    call = only(events, EventKind.ACTION, Phase.CALL)
    assert (call.verb, call.attrs["command"], call.attrs["cwd"]) == (Verb.EXEC, "npm test", "/home/ada/shop")
    assert how_ended(events) == (tool, code, None, [])
    assert only(events, EventKind.ACTION, Phase.RESULT).at == 1_777_629_609_000_000


FAILED = "Encountered error in step execution: "


@pytest.mark.parametrize(
    ("words", "refused", "effects"),
    [
        ("user denied permission for command(npm test)", "user", [Effect.DENY]),
        ("Permission denied for read_file(/x). Matches a boundary rule.", "rule", [Effect.DENY]),
        (
            "Permission prompt for action 'command' on target 'npm test' timed out waiting for user response.",
            "rule",
            [Effect.ASK],
        ),
        ("no such folder: permission denied for nobody", None, []),
    ],
    ids=["user", "rule", "nobody", "failure"],
)
def test_who_refused_a_step(words: str, refused: str | None, effects: list[Effect]) -> None:
    later = asked(12, ("run_command", {"CommandLine": "npm test"}))
    assert how_ended(told(later, ran(13, FAILED + words, "ERROR"))) == (Tri.NO, None, refused, effects)


def test_what_the_user_wanted_instead_is_a_prompt() -> None:
    words = "user denied permission for command(npm test). The following instruction was provided by the user as an alternative: "
    events = told(COMMAND, ran(3, f"\t\t{FAILED}{words}use pnpm", "ERROR"))
    assert [e.text for e in events if e.phase is Phase.PROMPT] == ["PAY-7 go", "use pnpm"]
    assert [e.decision.by for e in events if e.decision] == ["user"]


def test_a_call_that_was_turned_away_has_an_error_message_for_its_step_also_before_it() -> None:
    words = "Error invalid tool call: tool call denied with reason: no deletions"
    for records in ((COMMAND, ran(3, words, kind="ERROR_MESSAGE")), (ran(3, words, kind="ERROR_MESSAGE"), COMMAND)):
        events = told(*records)
        assert how_ended(events) == (Tri.NO, None, "rule", [Effect.DENY])
        assert [e.decision.reason for e in events if e.decision] == ["no deletions"]


def test_steps_side_by_side_are_each_its_own_call_s() -> None:
    calls = asked(
        2,
        ("run_command", {"CommandLine": "a"}),
        ("view_file", {"AbsolutePath": "/x"}),
        ("run_command", {"CommandLine": "b"}),
        ("search_web", {"query": "q"}),
    )
    good = "The command completed successfully."
    steps = [
        ran(5, good),
        ran(6, "found", kind="GENERIC"),
        ran(4, "text", kind="VIEW_FILE"),
        ran(3, "The command exited with code 1."),
    ]
    assert results(calls, *steps) == [("#2.2", Tri.YES), ("#2.3", Tri.YES), ("#2.1", Tri.YES), ("#2.0", Tri.NO)]


def test_a_step_that_may_be_either_of_two_is_nobody_s() -> None:
    calls = asked(2, ("search_web", {"query": "q"}), ("read_url_content", {"Url": "https://example.org/a"}))
    assert results(calls, ran(9, "found", kind="GENERIC")) == []
    assert results(calls, asked(5), ran(3, "late", kind="SEARCH_WEB")) == []


def test_a_command_in_the_background_ends_where_its_task_does() -> None:
    runs = ran(3, "Tool is running as a background task with task id: c/task-3\n", "RUNNING")
    over = step(
        6,
        "SYSTEM_MESSAGE",
        '<SYSTEM_MESSAGE>\ncontent=Task id "c/task-3" finished with result:\n\n\t\tThe command failed with exit code: 2\n</SYSTEM_MESSAGE>',
        source="SYSTEM",
    )
    assert results(COMMAND, runs) == []
    assert results(COMMAND, runs, over) == [("#2.0", Tri.NO)]


def test_arguments_that_are_json_in_a_text_are_what_they_say() -> None:
    calls = asked(
        2,
        ("replace_file_content", {"TargetFile": '"/home/ada/shop/a.py"', "toolAction": '"Editing"'}),
        ("run_command", {"CommandLine": '"C:\\x.exe" --name "a"'}),
        ("call_mcp_tool", {"ServerName": '"tickets"', "ToolName": '"close"', "Arguments": '{"id": 7}'}),
    )
    edit, run, other = [event for event in told(calls) if event.phase is Phase.CALL]
    assert (edit.verb, edit.target and edit.target.name) == (Verb.FILE_WRITE, "/home/ada/shop/a.py")
    assert run.attrs["command"] == '"C:\\x.exe" --name "a"'
    assert (other.verb, other.attrs["mcp_server"]) == (Verb.MCP_CALL, "tickets")


def test_sub_agents_are_conversations_of_their_own() -> None:
    call = asked(2, ("invoke_subagent", {"Subagents": '[{"TypeName": "self", "Prompt": "Write it."}]'}))
    made = ran(3, 'Created the following subagents:\n{\n  "conversationId": "child-0001"\n}', kind="GENERIC")
    events = told(call, made)
    assert only(events, EventKind.INTENT, Phase.DELEGATED).text == "Write it."
    begun = only(events, EventKind.ACTION, Phase.STARTED)
    assert names(begun, KeyRole.SCOPE) == ["session:child-0001"]
    assert [name.partition(":")[0] for name in names(begun, KeyRole.PARENT)] == ["session", "call"]


def test_both_logs_of_a_conversation_tell_it_once(tmp_path: Path) -> None:
    logs = tmp_path / "brain" / ID / ".system_generated" / "logs"
    logs.mkdir(parents=True)
    cut = asked(2, ("run_command", {"CommandLine": '"npm test"', "Cwd": '"/home/ada/shop"'}))
    for name, call in (("transcript.jsonl", cut), ("transcript_full.jsonl", COMMAND)):
        lines = [PROMPT, call, ran(3, "The command completed successfully.")]
        (logs / name).write_text("\n".join(json.dumps(line) for line in lines))
    store = ("--store", str(tmp_path / "a.db"))
    assert "The store now holds 1 task, 1 step and 0 findings." in ok("import", tmp_path / "brain", *store, "--plain").out


def test_an_unknown_step_of_the_system_is_counted_and_one_without_a_number_refused() -> None:
    parsed, _ = whole("\n".join(json.dumps(one) for one in (PROMPT, step(1, "HOLOGRAM", source="SYSTEM"))), "antigravity")
    assert [one.unknown_type for one in parsed] == [None, "HOLOGRAM"]
    with pytest.raises(BadRecord, match="step_index"):
        IMPORTER.open().read({"type": "RUN_COMMAND"})


@given(
    mutated(
        [PROMPT, COMMAND, ran(3, FAILED + "user denied permission", "ERROR"), asked(4, ("invoke_subagent", {"Subagents": "[1]"}))]
    )
)
def test_a_damaged_step_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
