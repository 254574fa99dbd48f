"""What Claude Code, Codex and Gemini CLI send as telemetry: who let a call run, prompts, modes, sub-agents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from importers.otlp import IMPORTER
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Vantage, Verb
from tests.claude_records import call as call_of
from tests.claude_records import calls
from tests.claude_records import read as read_transcript
from tests.importer_checks import names, only, read
from tests.otlp_records import (
    SESSION,
    claude,
    events,
    gemini,
    log,
)


@pytest.mark.parametrize(
    ("source", "decision", "by", "effect"),
    [
        ("config", "accept", "config", Effect.ALLOW),
        ("hook", "reject", "hook", Effect.DENY),
        ("user_permanent", "accept", "user", Effect.ALLOW),
        ("user_temporary", "accept", "user", Effect.ALLOW),
        ("user_abort", "reject", "user", Effect.DENY),
        ("user_reject", "reject", "user", Effect.DENY),
        ("config", "somehow", "config", Effect.UNKNOWN),
    ],
)
def test_claude_code_says_who_let_a_call_run(source: str, decision: str, by: str, effect: Effect) -> None:
    given = {"full_command": "git push --force"}
    made = only(
        events(
            claude("tool_decision", source=source, decision=decision, tool_name="Bash", tool_use_id="toolu_1",
                   tool_parameters=json.dumps(given), permission_mode="acceptEdits")
        ),
        EventKind.DECISION,
    )  # fmt: skip
    assert made.decision is not None
    assert (made.decision.effect, made.decision.by, made.decision.rule, made.phase) == (effect, by, source, Phase.VERDICT)
    assert (made.verb, made.attrs["command"], made.attrs["mode"]) == (Verb.EXEC, "git push --force", "acceptEdits")
    assert names(made, KeyRole.CALL) == ["call:toolu_1"]
    assert names(made, KeyRole.SCOPE) == [f"session:{SESSION}"]
    assert made.vantage is Vantage.AGENT


def test_event_names_stand_with_and_without_prefix_in_attribute_or_body() -> None:
    bare = log("claude-code", None, event__name="tool_decision", tool_name="Read", decision="accept", source="config")
    full = log("anything", None, event__name="claude_code.tool_decision", tool_name="Read", decision="accept", source="config")
    body = log("anything", "claude_code.tool_decision", tool_name="Read", decision="accept", source="config")
    row = {"event.name": "claude_code.tool_decision", "tool_name": "Read", "decision": "accept", "source": "config"}
    table = {"Timestamp": "2026-02-23 11:40:29.275000000", "ServiceName": "claude-code", "Body": "claude_code.tool_decision",
             "LogAttributes": {"tool_name": "Read", "decision": "accept"}}  # fmt: skip
    for record in (bare, full, body, row, table):
        assert only(events(record), EventKind.DECISION).verb is Verb.FILE_READ
        assert IMPORTER.sniff([record]) >= 75
    assert events(log("my-own-service", "tool_decision", event__name="tool_decision", tool_name="Read", decision="accept")) == []


def test_a_result_carries_outcome_and_act_but_is_no_second_call() -> None:
    failed = claude("tool_result", tool_name="Read", tool_use_id="toolu_1", success="false", error="no such file",
                    tool_input='{"file_path":"/etc/x"}', duration_ms="12")  # fmt: skip
    (event,) = events(failed)
    assert (event.phase, event.verb, event.target.name) == (Phase.RESULT, Verb.FILE_READ, "/etc/x")
    assert event.outcome is not None and event.outcome.tool is Tri.NO
    assert (event.attrs["output"], event.attrs["duration_ms"]) == ("no such file", "12")
    spawned = events(claude("tool_result", tool_name="Agent", tool_use_id="t", success="true",
                            tool_input='{"subagent_type":"Explore","prompt":"look"}'))  # fmt: skip
    assert only(spawned, EventKind.INTENT).text == "look"
    told = {"mcp_server_name": "tickets", "mcp_tool_name": "close_ticket"}
    (event,) = events(claude("tool_result", tool_name="mcp_tool", success="true", tool_parameters=json.dumps(told)))
    assert (event.verb, event.target.name, event.target.detail) == (Verb.MCP_CALL, "tickets", "close_ticket")


def test_what_a_call_of_an_mcp_server_does_and_which_call_it_is_its_input_alone_says() -> None:
    served = json.dumps({"mcp_server_name": "github", "mcp_tool_name": "create_pull_request"})
    name = "mcp__github__create_pull_request"
    decision = only(events(claude("tool_decision", tool_name=name, decision="accept", source="config", tool_parameters=served)),
                    EventKind.DECISION)  # fmt: skip
    (done,) = events(claude("tool_result", tool_name="mcp_tool", success="true", tool_parameters=served,
                            tool_input='{"owner": "acme", "repo": "api", "title": "x"}'))  # fmt: skip
    (call,) = (event for event in read_transcript(calls(call_of(name, owner="acme", repo="api", title="x"))) if event.tool)
    assert (decision.target, "arguments" in decision.attrs) == (call.target, False)
    assert (done.target, done.operations, done.attrs["arguments"]) == (call.target, call.operations, call.attrs["arguments"])
    assert [one.verb for one in done.operations] == [Verb.PR_OPEN]


def test_the_commit_a_command_made_is_the_result_s() -> None:
    told = json.dumps({"full_command": "git commit -m x", "git_commit_id": "3f4e5d6"})
    (done,) = events(claude("tool_result", tool_name="Bash", success="true", tool_parameters=told))
    assert names(done, KeyRole.REFERENCE) == ["commit:3f4e5d6"]


def test_json_in_a_text_that_does_not_parse_is_left_alone() -> None:
    (event,) = events(claude("tool_result", tool_name="Bash", success="true", tool_input='{"command": "ls'))
    assert (event.verb, "command" in event.attrs) == (Verb.EXEC, False)


@pytest.mark.parametrize("words", ["<REDACTED>", "", "/exit", "<task-notification>done", "<local-command-stdout>x"])
def test_what_is_no_request_of_a_person_is_no_intent(words: str) -> None:
    assert events(claude("user_prompt", prompt=words)) == []


def test_prompts_modes_and_sub_agents() -> None:
    (prompt,) = events(claude("user_prompt", prompt="PAY-3: fix it", user__email="ada@example.com"))
    assert (prompt.kind, prompt.text, prompt.attrs["ticket"]) == (EventKind.INTENT, "PAY-3: fix it", "PAY-3")
    assert prompt.principal is not None and (prompt.principal.name, prompt.principal.kind) == ("ada@example.com", "human")
    (mode,) = events(claude("permission_mode_changed", from_mode="default", to_mode="bypassPermissions", trigger="shift_tab"))
    assert (mode.phase, mode.attrs["mode"]) == (Phase.POSTURE, "bypassPermissions")
    (ended,) = events(claude("subagent_completed", agent_id="a1", agent_type="Explore"))
    assert names(ended, KeyRole.SCOPE) == [f"claude.agent:{SESSION}/a1"]
    assert names(ended, KeyRole.PARENT) == [f"session:{SESSION}"]
    (blocked,) = events(claude("hook_execution_complete", hook_event="UserPromptSubmit", num_blocking="1"))
    assert blocked.decision is not None and (blocked.decision.effect, blocked.decision.by) == (Effect.DENY, "hook")
    assert events(claude("hook_execution_complete", hook_event="PreToolUse", num_blocking="1")) == []
    assert read(IMPORTER, claude("brand_new")).unknown_type == "claude-code/brand_new"


@pytest.mark.parametrize(
    ("decision", "source", "by", "effect"),
    [
        ("approved", "Config", "config", Effect.ALLOW),
        ("approved_for_session", "User", "user", Effect.ALLOW),
        ("approved_with_amendment", "User", "user", Effect.ALLOW),
        ("denied", "AutomatedReviewer", "automated reviewer", Effect.DENY),
        ("abort", "User", "user", Effect.DENY),
        ("timed_out", "AutomatedReviewer", "automated reviewer", Effect.ASK),
    ],
)
def test_codex_says_who_approved(decision: str, source: str, by: str, effect: Effect) -> None:
    record = log("codex_exec", None, event__name="codex.tool_decision", conversation__id=SESSION, call_id="call_9", tool_name="exec_command",
                 tool_namespace="functions", decision=decision, source=source)  # fmt: skip
    (made,) = events(record)
    assert made.decision is not None
    assert (made.decision.effect, made.decision.by, made.point, made.verb) == (effect, by, "codex", Verb.EXEC)
    assert names(made, KeyRole.CALL) == ["call:call_9"]
    assert names(made, KeyRole.SCOPE) == [f"session:{SESSION}"]


def test_codex_s_refusal_in_the_output_is_the_decision_told_before() -> None:
    about = {"event__name": "codex.tool_decision", "conversation__id": SESSION, "call_id": "call_9", "tool_name": "exec_command"}
    decision = log("codex_exec", None, **about, decision="denied", source="User")
    said = 'exec_command failed: CreateProcess { message: "Rejected(\\"rejected by user\\")" }'
    result = log("codex_exec", None, **{**about, "event__name": "codex.tool_result"}, output=said, success="false")
    reader = IMPORTER.open()
    made = [event for one in (decision, result) for event in reader.read(one).events]
    assert [event.decision.by for event in made if event.decision] == ["user"]
    assert [event.attrs["refused"] for event in made if event.phase is Phase.RESULT] == ["user"]
    assert [event.decision.effect for event in events(result) if event.decision] == [Effect.DENY]


def test_codex_starts_with_the_policy_in_force_and_spawns_threads() -> None:
    start = log("codex_exec", None, event__name="codex.conversation_starts", conversation__id=SESSION, approval_policy="never",
                sandbox_policy="danger-full-access")  # fmt: skip
    posture = only(events(start), EventKind.DECISION)
    assert (posture.phase, posture.attrs["mode"], posture.attrs["sandbox"]) == (Phase.POSTURE, "never", "danger-full-access")
    spawn = {
        "event.name": "codex.agent_communication",
        "kind": "spawn",
        "sender_thread_id": "p-1",
        "receiver_thread_id": "c-1",
        "content": "look",
    }
    intent = only(events(spawn), EventKind.INTENT)
    assert (intent.phase, names(intent, KeyRole.SCOPE), names(intent, KeyRole.PARENT)) == (
        Phase.DELEGATED,
        ["session:c-1"],
        ["session:p-1"],
    )


def test_a_time_of_zero_is_none_and_the_event_s_own_counts() -> None:
    record = log("codex_exec", None, event__name="codex.user_prompt", prompt="go", event__timestamp="2026-11-22T23:17:04.062Z")
    record["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0] |= {
        "timeUnixNano": "0",
        "observedTimeUnixNano": "1795389424062077586",
    }
    (event,) = events(record)
    assert event.at == 1795389424062000


@pytest.mark.parametrize(
    ("given", "effect", "by", "refused"),
    [
        ({"success": True, "decision": "accept"}, Effect.ALLOW, "config or user", None),
        ({"success": True, "decision": "auto_accept"}, Effect.ALLOW, "config", None),
        ({"success": False, "decision": "reject"}, Effect.DENY, "user", "user"),
        (
            {"success": False, "error_type": "policy_violation", "error": "Tool execution denied by policy."},
            Effect.DENY,
            "policy",
            "rule",
        ),
        ({"success": False, "error": 'Tool "run_shell_command" was canceled by the user.'}, Effect.DENY, "user", "user"),
    ],
)
def test_gemini_decisions(given: dict[str, Any], effect: Effect, by: str, refused: str | None) -> None:
    made = events(gemini(**given))
    verdict, result = only(made, EventKind.DECISION), only(made, EventKind.ACTION)
    assert verdict.decision is not None and (verdict.decision.effect, verdict.decision.by) == (effect, by)
    assert (result.attrs.get("refused"), result.attrs["command"], result.point) == (refused, "rm -rf build", "gemini-cli")


def test_an_mcp_call_in_codex_s_and_gemini_s_telemetry_does_what_its_arguments_say() -> None:
    given = json.dumps({"owner": "acme", "repo": "api", "title": "x"})
    codex = log("codex_exec", None, event__name="codex.tool_result", conversation__id=SESSION, call_id="c1", success="true",
                tool_name="mcp__github__create_pull_request", mcp_server="github", arguments=given)  # fmt: skip
    other = gemini(function_name="mcp_github_create_pull_request", mcp_server_name="github", function_args=given,
                   success=False, decision="accept", error="boom")  # fmt: skip
    for made in (events(codex), events(other)):
        for event in made:
            assert (event.verb, event.target.name, event.target.detail) == (Verb.MCP_CALL, "github", "create_pull_request")
            assert [(one.verb, one.target.name) for one in event.operations] == [(Verb.PR_OPEN, "acme/api")]
            assert event.decision is None or event.decision.reason == ""


def test_a_command_that_gemini_calls_a_success_may_have_failed() -> None:
    ended = {
        name: [e.outcome and e.outcome.tool for e in events(gemini(success=success, **more)) if e.phase is Phase.RESULT]
        for name, success, more in (
            ("ran", True, {}),
            ("not", False, {}),
            ("read", True, {"function_name": "read_file", "function_args": "{}"}),
        )
    }
    assert ended == {"ran": [Tri.UNKNOWN], "not": [Tri.NO], "read": [Tri.YES]}


def test_gemini_proves_no_decision_where_it_states_none() -> None:
    (result,) = events(gemini(success=False, error_type="tool_not_registered", error='Tool "x" not found.'))
    assert (result.phase, result.attrs["status"]) == (Phase.RESULT, "tool_not_registered")


@pytest.mark.parametrize("name", ["conseca.policy_generation", "network_retry_attempt", "plan.execution"])
def test_what_gemini_tells_beside_its_calls_is_known(name: str) -> None:
    told = read(IMPORTER, gemini(**{"event.name": f"gemini_cli.{name}"}))
    assert told.unknown_type is None and not told.events


def copilot(name: str, operation: str, **given: Any) -> dict[str, Any]:
    """A line of Copilot's own file of spans."""
    return {
        "type": "span",
        "traceId": "3d38e764af7148db9df452343179feb4",
        "spanId": "a131d11ad7970246",
        "name": name,
        "startTime": [1789068146, 811000000],
        "endTime": [1789068147, 811000000],
        "attributes": {"gen_ai.operation.name": operation, "gen_ai.conversation.id": "c-1"}
        | {key.replace("__", "."): value for key, value in given.items()},
        "status": {"code": 0},
        "resource": {"attributes": {"service.name": "github-copilot"}},
    }


TOOL = "github__copilot__tool__parameters__"


@pytest.mark.parametrize(
    ("tool", "given", "verb", "said"),
    [
        ("bash", {f"{TOOL}command": "npm test"}, Verb.EXEC, "npm test"),
        ("replace_string_in_file", {f"{TOOL}file_path": "/w/a.py"}, Verb.FILE_WRITE, "/w/a.py"),
        ("some_new_editor", {f"{TOOL}file_path": "/w/a.py", f"{TOOL}edit_type": "insert"}, Verb.FILE_WRITE, "/w/a.py"),
        ("hub-create", {f"{TOOL}mcp_tool_name": "create", f"{TOOL}mcp_server_name": "hub"}, Verb.MCP_CALL, "hub"),
        ("hub-create", {f"{TOOL}mcp_tool_name": "create", f"{TOOL}mcp_server_name_hash": "ab12"}, Verb.MCP_CALL, ""),
    ],
)
def test_copilot_tells_a_call_without_its_arguments(tool: str, given: dict[str, Any], verb: Verb, said: str) -> None:
    call = only(
        events(copilot(f"execute_tool {tool}", "execute_tool", gen_ai__tool__name=tool, **given)), EventKind.ACTION, Phase.CALL
    )
    assert call.verb is verb
    assert said in (call.attrs.get("command"), call.attrs.get("path"), call.target.name)


@pytest.mark.parametrize(
    ("word", "effect"),
    [("block", Effect.DENY), ("approve", Effect.ALLOW), ("ask", Effect.ASK), ("pass", None), ("non_blocking_error", None)],
)
def test_a_hook_of_copilot_decides(word: str, effect: Effect | None) -> None:
    made = events(
        copilot(
            "execute_hook PreToolUse",
            "execute_hook",
            github__copilot__hook__decision=word,
            copilot_chat__hook_type="PreToolUse",
            github__copilot__hook__tool_names='["bash"]',
        )
    )
    assert [one.decision.effect for one in made if one.decision] == ([] if effect is None else [effect])
    assert all((one.tool, one.decision.rule) == ("bash", "hook PreToolUse") for one in made if one.decision)


def test_copilot_names_the_repository() -> None:
    given = {"github__copilot__git__repository": "https://github.com/acme/api.git", "github__copilot__git__branch": "main"}
    started = only(events(copilot("invoke_agent", "invoke_agent", **given)), EventKind.ACTION, Phase.STARTED)
    assert (started.attrs["repository"], started.attrs["branch"]) == ("acme/api", "main")


CHAT_SESSION, CHILD_SESSION = "4740c799-1c7c-4bb3-a093-35a29e15ef9c", "5740c799-1c7c-4bb3-a093-35a29e15ef9d"


def messages(words: str) -> str:
    return json.dumps([{"role": "user", "parts": [{"type": "text", "content": words}]}])


def test_copilots_request_is_what_was_typed_and_a_models_answer_is_no_session() -> None:
    wrapped = messages("<context>long</context>\n<userRequest>\nfix it\n</userRequest>")
    asked = {"gen_ai__conversation__id": "req-1", "gen_ai__response__id": "req-1", "gen_ai__usage__input_tokens": 10}
    session = {"copilot_chat__chat_session_id": CHAT_SESSION}
    found = events(
        copilot("chat gpt", "chat", gen_ai__input__messages=wrapped, copilot_chat__user_request=wrapped, **asked, **session),
        copilot(
            "invoke_agent x", "invoke_agent", gen_ai__input__messages=wrapped, copilot_chat__user_request="fix it", **session
        ),
        copilot("chat mini", "chat", gen_ai__input__messages=messages("Write a title for: fix it"), **asked),
    )
    assert [event.text for event in found if event.kind is EventKind.INTENT] == ["fix it"]
    sessions = [[name for name in names(event, KeyRole.SCOPE) if name.startswith("session:")] for event in found]
    assert sessions == [[f"session:{CHAT_SESSION}"]] * 3 + [[]]


def test_what_copilot_gave_a_subagent_is_no_persons_request() -> None:
    given = {"copilot_chat__chat_session_id": CHILD_SESSION, "copilot_chat__parent_chat_session_id": CHAT_SESSION}
    found = events(copilot("invoke_agent Plan", "invoke_agent", copilot_chat__user_request="plan the work", **given))
    delegated = only(found, EventKind.INTENT, Phase.DELEGATED)
    assert names(delegated, KeyRole.SCOPE) == [f"session:{CHILD_SESSION}"]
    assert names(delegated, KeyRole.PARENT) == [f"session:{CHAT_SESSION}"]
