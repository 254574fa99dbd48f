"""What Gemini CLI chats say, as one object and as JSONL: told once, refusals with their reason, sub-agents as children."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.gemini_cli import IMPORTER
from model.event import BadRecord, Event
from model.words import Clock, Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import how_ended, mutated, names, only, survives, whole

SESSION = "0cef17d9-d54f-4d96-a161-7fc99ec0157e"
HEAD = {"sessionId": SESSION, "projectHash": "ab" * 32, "startTime": "2026-01-02T03:04:05.678Z", "kind": "main"}


def said(words: str, id: str = "m1", **members: Any) -> dict[str, Any]:
    return {"id": id, "timestamp": "2026-01-02T03:04:06Z", "type": "user", "content": [{"text": words}], **members}


def turn(*calls: dict[str, Any], id: str = "m2", **members: Any) -> dict[str, Any]:
    return {"id": id, "timestamp": "2026-01-02T03:04:07Z", "type": "gemini", "content": "", "toolCalls": list(calls), **members}


def call(
    name: str, status: str = "success", said: str = "", id: str | None = "c1", error: str = "", **given: Any
) -> dict[str, Any]:
    response = {"error": error} if error else {"output": said}
    made: dict[str, Any] = {"name": name, "args": given, "status": status}
    if id is not None:
        made["id"] = id
    return made | {"result": [{"functionResponse": {"id": id, "name": name, "response": response}}]}


def read(*records: object, head: object = HEAD) -> list[Event]:
    reader = IMPORTER.open()
    reader.read(head)
    return [event for one in records for event in reader.read(one).events]


def test_a_session_of_one_object_keeps_its_context_for_every_message() -> None:
    body = json.dumps(
        {"lastUpdated": "x", "messages": [said("PAY-118 please"), turn(call("read_file", file_path="a.py"))], **HEAD}
    )
    for text in (body, json.dumps(json.loads(body), indent=2)):
        parsed, rejects = whole(text, "gemini-cli")
        assert not rejects
        assert len(parsed) == 3
        events = [event for one in parsed for event in one.events]
        assert {name for event in events for name in names(event, KeyRole.SCOPE)} == {f"session:{SESSION}"}
        intent = only(events, EventKind.INTENT)
        assert (intent.phase, intent.text, intent.attrs["ticket"]) == (Phase.PROMPT, "PAY-118 please", "PAY-118")


def test_the_same_session_in_lines_gives_the_same_events() -> None:
    messages = [said("go"), turn(call("write_file", file_path="a.py"))]
    lines = "\n".join(json.dumps(one) for one in (HEAD, *messages))
    one, _ = whole(lines, "gemini-cli")
    two, _ = whole(json.dumps({**HEAD, "messages": messages}), "gemini-cli")
    assert [e for p in one for e in p.events] == [e for p in two for e in p.events]


def test_a_message_written_again_with_its_calls_tells_each_once() -> None:
    plain = turn()
    events = read(said("go"), plain, turn(call("run_shell_command", command="ls")), turn(call("run_shell_command", command="ls")))
    assert [(e.kind, e.phase) for e in events] == [
        (EventKind.INTENT, Phase.PROMPT),
        (EventKind.ACTION, Phase.CALL),
        (EventKind.ACTION, Phase.RESULT),
    ]
    assert events[1].attrs["command"] == "ls"
    assert names(events[1], KeyRole.CALL) == names(events[2], KeyRole.CALL) == ["call:c1"]


def test_a_call_without_an_id_is_named_by_its_place_and_told_once() -> None:
    events = read(turn(call("read_file", id=None)), turn(call("read_file", id=None)))
    assert len(events) == 2
    assert names(events[0], KeyRole.CALL) == names(events[1], KeyRole.CALL)


@pytest.mark.parametrize(
    ("status", "error", "refused", "effect", "permitted"),
    [
        ("cancelled", "[Operation Cancelled] Reason: User denied execution.", "user", Effect.DENY, Effect.DENY),
        ("cancelled", "", "user", Effect.DENY, Effect.DENY),
        ("cancelled", "[Operation Cancelled] Reason: the turn was stopped", "interrupted", None, Effect.UNKNOWN),
        ("error", "Tool execution denied by policy. No pushes.", "rule", Effect.DENY, Effect.DENY),
        ("error", 'Tool execution for "Shell" denied by policy.', "rule", Effect.DENY, Effect.DENY),
        ("error", "Tool execution blocked: not on Fridays", "hook", Effect.DENY, Effect.DENY),
        ("error", "Agent execution stopped by hook: no pushes", "hook", None, Effect.UNKNOWN),
        (
            "error",
            "Tool requires user confirmation, which is not supported in non-interactive mode.",
            "rule",
            Effect.ASK,
            Effect.ASK,
        ),
        ("error", 'Tool "run_shell_command" not found. Did you mean one of: "x"?', "rule", None, Effect.UNKNOWN),
        ("error", "Command failed", "", None, Effect.UNKNOWN),
    ],
)
def test_refusals(status: str, error: str, refused: str, effect: Effect | None, permitted: Effect) -> None:
    events = read(turn(call("run_shell_command", status, error=error, command="git push")))
    result = only(events, EventKind.ACTION, Phase.RESULT)
    assert result.outcome is not None
    assert (result.attrs.get("refused", ""), result.outcome.permitted, result.outcome.tool) == (refused, permitted, Tri.NO)
    verdicts = [(event.decision.effect, event.decision.by) for event in events if event.decision]
    assert verdicts == ([(effect, refused if refused in ("user", "hook") else "gemini-cli")] if effect else [])


@pytest.mark.parametrize(
    ("said", "tool", "refused"),
    [
        ("Command was automatically cancelled because it exceeded the timeout of 5.0 minutes without output.", Tri.NO, None),
        (
            "<untrusted_context>\nCommand was automatically cancelled because it exceeded the timeout of 5.0 minutes.",
            Tri.NO,
            None,
        ),
        ("Command was cancelled by user before it could complete. There was no output.", Tri.NO, "interrupted"),
        ("Command moved to background (PID: 4711). Output hidden. Press Ctrl+B to view.", Tri.UNKNOWN, None),
        ("Output: Command was cancelled by user before it could complete\nProcess Group PGID: 1", Tri.YES, None),
    ],
)
def test_a_command_that_did_not_end_by_itself_has_not_succeeded(said: str, tool: Tri, refused: str | None) -> None:
    events = read(turn(call("run_shell_command", said=said, command="make")))
    assert how_ended(events) == (tool, None, refused, [])


def test_a_plan_that_a_person_rejected_is_their_no_and_their_words() -> None:
    said = "Plan rejected. User feedback: smaller\nsteps\n\nThe plan is stored at: /p.md\nRevise the plan based on the feedback."
    events = read(turn(call("exit_plan_mode", said=said, plan_filename="p.md")))
    assert how_ended(events) == (Tri.NO, None, "user", [Effect.DENY])
    assert [(e.phase, e.text) for e in events if e.kind is EventKind.INTENT] == [(Phase.PROMPT, "smaller\nsteps")]
    left = "User cancelled the plan approval dialog. The plan was not approved."
    assert how_ended(read(turn(call("exit_plan_mode", said=left)))) == (Tri.NO, None, "interrupted", [])


@pytest.mark.parametrize(
    ("output", "made"),
    [
        ("Output: [main abc1234] Fix it\n 1 file changed\nProcess Group PGID: 4711", "commit:abc1234"),
        ("Output: https://github.com/Acme/Api/pull/12\nProcess Group PGID: 4711", "pr:acme/api#12"),
        (
            "Command: gh pr create\nDirectory: (root)\nStdout: https://github.com/Acme/Api/pull/12\nStderr: (empty)\nError: (none)\nExit Code: 0\n"
            "Signal: (none)\nBackground PIDs: (none)\nProcess Group PGID: 4711",
            "pr:acme/api#12",
        ),
        ("Output: see https://github.com/Acme/Api/pull/12\nProcess Group PGID: 4711", ""),
    ],
)
def test_what_a_command_made_is_found_within_the_program_s_own_lines(output: str, made: str) -> None:
    event = only(read(turn(call("run_shell_command", said=output, command="x"))), EventKind.ACTION, Phase.RESULT)
    assert names(event, KeyRole.REFERENCE) == ([made] if made else [])


@pytest.mark.parametrize(
    "words",
    [
        "Command 'npm' is not in the allowed commands list",
        "Command rejected: npm t\nReason: Command 'npm' is blocked by configuration",
        "Invalid parameters provided. Reason: Command substitution using $() is not allowed for security reasons",
        "File path must be within one of the workspace directories: /w",
    ],
)
def test_what_older_versions_forbade_is_a_rule_s_denial(words: str) -> None:
    answer = {"functionResponse": {"id": "c1", "response": {"error": words}}}
    one = {"id": "c1", "name": "run_shell_command", "args": {"command": "npm t"}, "status": "error", "result": [answer]}
    events = read(turn(one))
    assert [(e.decision.effect, e.outcome and e.outcome.permitted) for e in events if e.decision] == [(Effect.DENY, Effect.DENY)]


def test_what_a_person_answered_is_their_words_and_an_mcp_server_s_answer_is_not() -> None:
    answer = {"functionResponse": {"id": "c1", "response": {"output": '{"answers": {"database": "postgres"}}'}}}
    asked = {"id": "c1", "name": "ask_user", "args": {"questions": []}, "status": "success", "result": [answer]}
    assert [e.text for e in read(turn(asked)) if e.kind is EventKind.INTENT] == ["database: postgres"]
    other = {**asked, "displayName": "ask_user (x MCP Server)"}
    assert [e for e in read(turn(other)) if e.kind is EventKind.INTENT] == []


def test_a_prompt_is_what_was_typed_without_the_files_it_names() -> None:
    parts = [
        {"text": text} for text in ("Read @a.md", "\n--- Content from referenced files ---", "\nContent from @a.md:\n", "text")
    ]
    whole_text = {**said("x"), "content": "".join(part["text"] for part in parts)}
    command = {**said("what it stands for", "m3"), "displayContent": [{"text": "/deploy prod"}]}
    events = read({**said("x"), "content": parts}, {**whole_text, "id": "m2"}, command)
    assert [e.text for e in events if e.kind is EventKind.INTENT] == ["Read @a.md", "Read @a.md", "/deploy prod"]


def test_a_non_zero_exit_is_no_success_whatever_the_status_says() -> None:
    for output, tool, status in (
        ("Output: x\nExit Code: 3\n", Tri.NO, "3"),
        ("Output: x\nExit Code: 0", Tri.YES, "0"),
        ("Stdout: a log\nExit Code: 0\nStderr: (empty)\nExit Code: 2\nSignal: (none)", Tri.NO, "2"),
        ("Stdout: a log\nExit Code: 7\nStderr: (empty)\nExit Code: (none)\nSignal: (none)", Tri.YES, None),
        ("x", Tri.YES, None),
    ):
        result = only(read(turn(call("run_shell_command", said=output, command="make"))), EventKind.ACTION, Phase.RESULT)
        assert result.outcome is not None
        assert (result.outcome.tool, result.attrs.get("status")) == (tool, status)


def test_a_refusal_over_a_protocol_leaves_only_the_answer_given_to_the_model() -> None:
    answer = {
        "functionResponse": {"id": "c9", "name": "run_shell_command", "response": {"error": 'Tool "x" was canceled by the user.'}}
    }
    result, verdict = read(said("", content=[answer]))
    assert result.attrs["refused"] == "user"
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.DENY
    assert names(result, KeyRole.CALL) == ["call:c9"]


def test_what_the_model_is_shown_again_is_not_said_again() -> None:
    shown = {"$set": {"messages": [{"id": "other", "type": "user", "content": [{"text": "go"}]}, said("go")]}}
    assert len(read(said("go"), shown)) == 1
    assert len(read(said("go"), said("go", id="m5"))) == 2


def test_machine_words_and_commands_are_no_intent_but_tell_the_folder() -> None:
    context = "<session_context>\nThis is the Gemini CLI.\n- **Workspace Directories:**\n  - /home/ada/api\n</session_context>"
    events = read(said(context), said("/quit", id="m3"), said("System: Please continue.", id="m4"), said("go", id="m5"))
    assert [event.text for event in events] == ["go"]
    assert (events[0].attrs["cwd"], events[0].attrs["origin"]) == ("/home/ada/api", "endpoint")


def test_tools_in_our_words() -> None:
    for name, arguments, verb, target in (
        ("replace", {"file_path": "AGENTS.md"}, Verb.INSTRUCTIONS_WRITE, "AGENTS.md"),
        ("write_file", {"file_path": ".gemini/settings.json"}, Verb.GUARDRAIL_CHANGE, ".gemini/settings.json"),
        ("list_directory", {"dir_path": "src"}, Verb.FILE_READ, "src"),
        ("read_many_files", {"paths": ["a", "b"]}, Verb.FILE_READ, "a"),
        ("web_fetch", {"prompt": "Sum up https://a.example/x."}, Verb.HTTP_REQUEST, "a.example"),
        ("mcp_tracker_create_issue", {}, Verb.MCP_CALL, "tracker"),
        ("save_memory", {"fact": "x"}, Verb.INSTRUCTIONS_WRITE, ""),
        ("brand_new_tool", {}, Verb.UNKNOWN, ""),
    ):
        event = only(read(turn(call(name, **arguments))), EventKind.ACTION, Phase.CALL)
        assert (event.verb, event.target.name) == (verb, target), name


def test_a_sub_agent_is_a_child_of_the_call_that_began_it() -> None:
    spawn = call("invoke_agent", agent_name="investigator", prompt="look") | {"agentId": "3728f2f2-a470-420b-bfed-6f1c6558eb49"}
    events = read(turn(spawn))
    child = only(events, EventKind.ACTION, Phase.STARTED)
    assert names(child, KeyRole.SCOPE) == ["session:3728f2f2-a470-420b-bfed-6f1c6558eb49"]
    assert names(child, KeyRole.PARENT) == [f"session:{SESSION}", "call:c1"]
    assert only(events, EventKind.INTENT).phase is Phase.DELEGATED
    own = read(said("look"), head=HEAD | {"kind": "subagent"})
    assert own[0].phase is Phase.DELEGATED


def test_the_prompt_log() -> None:
    rows = [{"sessionId": SESSION, "messageId": 0, "type": "user", "message": "go", "timestamp": "2026-01-02T03:04:05Z"}]
    parsed, _ = whole(json.dumps(rows), "gemini-cli")
    assert only(parsed[0].events, EventKind.INTENT).text == "go"


CHAT = [
    {"role": "user", "parts": [{"text": "fix PAY-3"}]},
    {"role": "model", "parts": [{"functionCall": {"id": "c1", "name": "run_shell_command", "args": {"command": "ls"}}}]},
    {"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "run_shell_command", "response": {"output": "a"}}}]},
]


@pytest.mark.parametrize("saved", [CHAT, {"history": CHAT, "authType": "oauth-personal"}])
def test_a_saved_chat(saved: object) -> None:
    parsed, rejects = whole(json.dumps(saved), "gemini-cli")
    assert rejects == []
    events = [event for one in parsed for event in one.events]
    assert [event.phase for event in events] == [Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert len({event.keys[0] for event in events}) == 1


def test_a_restore_point_holds_the_chat_and_the_call_that_waits() -> None:
    shown = [{"type": "user", "text": "fix PAY-3", "id": 1}, {"type": "tool_group", "tools": [{"callId": "c1", "name": "x"}]}]
    waits = {"name": "write_file", "args": {"file_path": "/w/a.py", "content": "x"}}
    record = {"history": shown, "clientHistory": CHAT, "toolCall": waits, "commitHash": "1cdfa7b", "filePath": "/w/a.py"}
    parsed, rejects = whole(json.dumps(record), "gemini-cli")
    assert rejects == []
    events = [event for one in parsed for event in one.events]
    assert [(event.phase, event.verb) for event in events] == [
        (Phase.PROMPT, Verb.UNKNOWN),
        (Phase.CALL, Verb.EXEC),
        (Phase.RESULT, Verb.UNKNOWN),
        (Phase.CALL, Verb.FILE_WRITE),
    ]
    later, _ = whole(json.dumps({**record, "clientHistory": [*CHAT, CHAT[0]]}), "gemini-cli")
    assert later[0].scope == parsed[0].scope


def test_what_a_headless_run_prints() -> None:
    at = "2026-03-01T10:00:00.000Z"
    rows = [
        {"type": "init", "timestamp": at, "session_id": "0a1b2c3d-0000-4000-8000-000000000001", "model": "gemini-2.5-pro"},
        {"type": "message", "role": "user", "content": "fix it", "timestamp": at},
        {"type": "message", "role": "assistant", "content": "I will", "delta": True, "timestamp": at},
        {"type": "tool_use", "tool_name": "run_shell_command", "tool_id": "t1", "parameters": {"command": "ls"}, "timestamp": at},
        {
            "type": "tool_result",
            "tool_id": "t1",
            "status": "error",
            "output": "",
            "error": {"type": "x", "message": "no"},
            "timestamp": at,
        },
        {"type": "error", "severity": "warning", "message": "x", "timestamp": at},
        {"type": "result", "status": "success", "stats": {}, "timestamp": at},
    ]
    parsed, rejects = whole("\n".join(json.dumps(row) for row in rows), "gemini-cli")
    assert rejects == []
    begun, prompt, asked, done = [event for one in parsed for event in one.events]
    assert (begun.phase, prompt.text, asked.attrs["command"], asked.attrs["model"]) == (
        Phase.STARTED,
        "fix it",
        "ls",
        "gemini-2.5-pro",
    )
    assert done.outcome is not None
    assert done.outcome.tool is Tri.NO
    assert [one.unknown_type for one in parsed] == [None] * len(rows)


@pytest.mark.parametrize(
    ("tool", "output", "ok", "status"),
    [
        ("run_shell_command", "1 failing", Tri.UNKNOWN, None),
        ("run_shell_command", "Command exited with code: 2", Tri.NO, "2"),
        ("run_shell_command", "Output: no\nExit Code: 3", Tri.NO, "3"),
        ("read_file", "1 failing", Tri.YES, None),
    ],
)
def test_a_headless_run_does_not_say_how_a_command_ended(tool: str, output: str, ok: Tri, status: str | None) -> None:
    made = read(
        {"type": "init", "timestamp": None, "session_id": "s", "model": "m"},
        {"type": "tool_use", "tool_name": tool, "tool_id": "t1", "parameters": {}},
        {"type": "tool_result", "tool_id": "t1", "status": "success", "output": output},
    )
    done = only(made, EventKind.ACTION, Phase.RESULT)
    assert (done.outcome and done.outcome.tool, done.attrs.get("status")) == (ok, status)


def test_unknown_types_are_kept_and_what_is_no_record_is_refused() -> None:
    reader = IMPORTER.open()
    assert reader.read({"type": "brand-new", "id": "x"}).unknown_type == "brand-new"
    for bad in ([], "x", {"id": "x"}, {"type": "user", "id": "x"}):
        with pytest.raises(BadRecord):
            reader.read(bad)


def test_a_time_that_is_none_leaves_the_order() -> None:
    event = read(said("go", timestamp="soon"))[0]
    assert (event.at, event.clock) == (None, Clock.ORDER_ONLY)


@settings(deadline=None)
@given(mutated([HEAD, said("go"), turn(call("run_shell_command", command="ls")), {"$set": {"messages": [said("x")]}}]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_corpus_counts_agree_with_plain_json(corpus: Path) -> None:
    for path in sorted([*corpus.glob("gemini-cli/*/*"), *corpus.glob("gemini-cli-live/*/.gemini/tmp/*/chats/**/*.jsonl")]):
        text = path.read_text()
        try:
            rows = json.loads(text)["messages"]
            records = len(rows) + 1
        except json.JSONDecodeError:
            lines = [json.loads(line) for line in text.splitlines() if line.strip()]
            records = len(lines)
            rows = [row for line in lines for row in (line, *line.get("$set", {}).get("messages", []))]
        parsed, rejects = whole(path.read_bytes(), "gemini-cli")
        events = [event for one in parsed for event in one.events]
        assert (len(parsed), rejects) == (records, []), path
        calls = {c.get("id") or (row["id"], at) for row in rows for at, c in enumerate(row.get("toolCalls", []))}
        parts = [part for row in rows if isinstance(row.get("content"), list) for part in row["content"]]
        calls |= {part["functionCall"]["id"] for part in parts if "functionCall" in part}
        assert sum(event.phase is Phase.CALL for event in events) == len(calls), path
        assert all(event.verb is not Verb.UNKNOWN for event in events if event.phase is Phase.CALL), path


@pytest.mark.parametrize("placed", [{}, {"timestamp": "2026-06-01T10:00:05.000Z"}, {"id": "m2"}])
def test_calls_that_stand_in_the_parts_alone_pair_in_order(placed: dict[str, str]) -> None:
    """Saved checkpoints hold the chat as the model saw it: calls and answers have no ids there."""

    def shell(*commands: str) -> list[dict[str, Any]]:
        return [{"functionCall": {"name": "run_shell_command", "args": {"command": one}}} for one in commands]

    def answers(*said: str) -> list[dict[str, Any]]:
        return [{"functionResponse": {"name": "run_shell_command", "response": {"output": one}}} for one in said]

    chat = [
        {"role": "user", "parts": [{"text": "deploy the app"}]},
        {"role": "model", "parts": [{"text": "Now."}, *shell("git diff", "git log")], **placed},
        {"role": "user", "parts": answers("D", "L")},
        {"role": "model", "parts": shell("./deploy.sh")},
    ]
    reader = IMPORTER.open()
    events = [event for one in chat for event in reader.read(one).events]
    calls = [event for event in events if event.phase is Phase.CALL]
    assert [event.attrs["command"] for event in calls] == ["git diff", "git log", "./deploy.sh"]
    done = {tuple(names(event, KeyRole.CALL)): event.attrs["output"] for event in events if event.phase is Phase.RESULT}
    assert done == {tuple(names(calls[0], KeyRole.CALL)): "D", tuple(names(calls[1], KeyRole.CALL)): "L"}
    again = [event for event in reader.read({"$set": {"messages": chat}}).events if event.phase is Phase.CALL]
    assert not again, "what the model is shown again did not happen again"


def test_a_call_told_by_its_own_member_is_not_told_by_its_part_again() -> None:
    call = {"id": "c1", "name": "run_shell_command", "args": {"command": "ls"}, "status": "success", "result": []}
    part = {"functionCall": {"name": "run_shell_command", "args": {"command": "ls"}}}
    message = {"id": "m", "type": "gemini", "timestamp": "2026-06-01T10:00:05.000Z", "content": [part], "toolCalls": [call]}
    assert [event.phase for event in IMPORTER.open().read(message).events].count(Phase.CALL) == 1
