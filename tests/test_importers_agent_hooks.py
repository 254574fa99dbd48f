"""Hook logs in their home-made shapes: the agent's own word, the hook's answer in both generations, calls without an id."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from chains.facts import OrgFacts
from chains.stitch import stitch
from importers.agent_hooks import IMPORTER
from importers.otlp import IMPORTER as OTLP
from importers.registry import importers
from model.event import ATTRS, BadRecord, Event
from model.words import Effect, EventKind, KeyRole, LinkKind, Phase, Tri, Vantage, Verb
from tests.importer_checks import mutated, names, of_files, only, survives, whole

SESSION = "943e3da1-c56b-4385-8435-3f11abbf433e"


def told(event: str = "PreToolUse", **members: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"session_id": SESSION, "hook_event_name": event, "cwd": "/home/ada/api", "permission_mode": "default"}
    if event in ("PreToolUse", "PostToolUse", "PostToolUseFailure", "PermissionRequest", "PermissionDenied"):
        base |= {"tool_name": "Bash", "tool_input": {"command": "npm publish"}, "tool_use_id": "toolu_1"}
    return {**base, **members}


def logged(given: dict[str, Any], stdout: Any = None, code: int = 0, stderr: str = "") -> dict[str, Any]:
    return {"recorded_at": "2026-11-22T23:26:47.196+00:00", "stdin": given, "stdout": stdout, "exit_code": code, "stderr": stderr}


def events(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for record in records for event in reader.read(record).events]


def specific(word: str, **more: Any) -> dict[str, Any]:
    return {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": word,
            "permissionDecisionReason": "why",
            **more,
        }
    }


@pytest.mark.parametrize(
    ("stdout", "code", "effect", "reason"),
    [
        (specific("allow"), 0, Effect.ALLOW, "why"),
        (specific("deny"), 0, Effect.DENY, "why"),
        (specific("ask"), 0, Effect.ASK, "why"),
        (json.dumps(specific("deny")), 0, Effect.DENY, "why"),
        ({"decision": "approve", "reason": "fine"}, 0, Effect.ALLOW, "fine"),
        ({"decision": "block", "reason": "no"}, 0, Effect.DENY, "no"),
        ({"continue": False, "stopReason": "enough"}, 0, Effect.DENY, "enough"),
        (None, 2, Effect.DENY, "tests are frozen"),
        (specific("allow"), 2, Effect.DENY, "tests are frozen"),
        (None, 1, Effect.UNKNOWN, "the hook itself failed with exit code 1: tests are frozen"),
        (None, 0, Effect.UNKNOWN, "the hook had no objection"),
        ("plain text", 0, Effect.UNKNOWN, "the hook had no objection"),
        (specific("defer"), 0, Effect.UNKNOWN, "why"),
    ],
)
def test_what_a_hook_answered(stdout: Any, code: int, effect: Effect, reason: str) -> None:
    made = only(events(logged(told(), stdout, code, "tests are frozen")), EventKind.DECISION, Phase.VERDICT)
    assert made.decision is not None
    assert (made.decision.effect, made.decision.reason, made.decision.by) == (effect, reason, "hook")
    assert (made.vantage, made.point, made.verb, made.attrs["command"]) == (
        Vantage.ENFORCER,
        "claude-code:hook",
        Verb.EXEC,
        "npm publish",
    )
    assert names(made, KeyRole.CALL) == ["call:toolu_1"]


@pytest.mark.parametrize(
    "record",
    [
        {"input": told(), "output": specific("deny"), "ts": 1795390007},
        {"hook_input": json.dumps(told()), "hook_output": json.dumps(specific("deny")), "timestamp": "2026-11-22T23:26:47Z"},
        {**told(), "output": specific("deny"), "timestamp": "2026-11-22T23:26:47Z"},
        {**told(), **specific("deny"), "timestamp": "2026-11-22T23:26:47Z"},
        {"event": told(), "response": {"decision": "block", "reason": "why"}, "time": "2026-11-22T23:26:47Z"},
    ],
)
def test_home_made_logs_in_their_usual_shapes(record: dict[str, Any]) -> None:
    assert IMPORTER.sniff([record]) == 92
    made = events(record)
    verdict = only(made, EventKind.DECISION, Phase.VERDICT)
    assert verdict.decision is not None and (verdict.decision.effect, verdict.decision.reason) == (Effect.DENY, "why")
    assert verdict.at == 1795390007000000
    assert only(made, EventKind.ACTION, Phase.CALL).vantage is Vantage.AGENT


@pytest.mark.parametrize(
    ("record", "effect"),
    [
        ({"event": "PreToolUse", "session_id": SESSION, "tool_name": "Bash", "tool_input": '{"command": "ls"}', "tool_use_id": "toolu_7"}, None),
        ({"event_type": "pre_tool_use", "sessionId": SESSION, "tool": "Bash", "toolInput": {"command": "ls"}, "decision": "blocked", "toolUseId": "toolu_7"},
         Effect.DENY),
        ({"hook": "PreToolUse", "session_id": SESSION, "tool_name": "Bash", "tool_input": {"command": "ls"}, "decision": "allow", "tool_use_id": "toolu_7"},
         Effect.ALLOW),
        ({"timestamp": "2026-01-01T00:00:00Z", "hook_data": {"hook_event_name": "PreToolUse", "session_id": SESSION,
          "tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "toolu_7"}}, None),
    ],
)  # fmt: skip
def test_a_line_in_its_writers_own_words(record: dict[str, Any], effect: Effect | None) -> None:
    found = IMPORTER.open().read(record).events
    verdicts = [one.decision.effect for one in found if one.decision is not None]
    assert verdicts == ([effect] if effect else [])
    assert {key.name for one in found for key in one.keys if key.role is KeyRole.SCOPE} == {f"session:{SESSION}"}
    assert IMPORTER.sniff([record]) > 50
    call = only(found, EventKind.ACTION, Phase.CALL)
    assert (call.attrs["command"], names(call, KeyRole.CALL)) == ("ls", ["call:toolu_7"])


def test_other_lines_with_a_session_are_no_hooks() -> None:
    for record in (
        {"event": "stop", "session_id": SESSION},
        {"event": "PreToolUse", "tool_name": "Bash"},
        {"event": "login", "session_id": "s"},
    ):
        assert IMPORTER.sniff([record]) == 0


def test_an_input_alone_proves_no_decision() -> None:
    made = events(told())
    assert [(event.kind, event.phase) for event in made] == [
        (EventKind.DECISION, Phase.POSTURE),
        (EventKind.ACTION, Phase.CALL),
    ]


def test_a_rewritten_call_says_so() -> None:
    record = logged(told(), specific("allow", updatedInput={"command": "npm publish --dry-run"}))
    assert only(events(record), EventKind.DECISION, Phase.VERDICT).attrs["redirected"] is True


def test_the_mode_is_told_where_it_changes() -> None:
    made = events(told(), told(), told(permission_mode="bypassPermissions"), told("Stop", permission_mode="bypassPermissions"))
    modes = [event.attrs["mode"] for event in made if event.phase is Phase.POSTURE]
    assert modes == ["default", "bypassPermissions"]


def test_codex_s_mode_is_its_approval_policy_not_a_bypass() -> None:
    made = events(told(turn_id="t", permission_mode="bypassPermissions"), told(turn_id="t", permission_mode="default"))
    assert [event.attrs["mode"] for event in made if event.phase is Phase.POSTURE] == ["never"]


def test_a_blocked_prompt_is_one_step_with_its_telemetry() -> None:
    prompt = told("UserPromptSubmit", prompt="the password", prompt_id="p-1")
    verdict = only(events(logged(prompt, None, 2)), EventKind.DECISION, Phase.VERDICT)
    row = {
        "event.name": "claude_code.hook_execution_complete",
        "hook_event": "UserPromptSubmit",
        "num_blocking": 1,
        "prompt.id": "p-1",
    }
    (other,) = OTLP.open().read(row).events
    assert names(verdict, KeyRole.CALL) == names(other, KeyRole.CALL) == ["prompt:p-1"]


@pytest.mark.parametrize(
    ("record", "tool", "refused"),
    [
        (told("PostToolUse", tool_response={"stdout": "ok", "interrupted": False}), Tri.YES, None),
        (told("PostToolUse", tool_response="text"), Tri.YES, None),
        (told("PostToolUse", tool_response={"stdout": "", "interrupted": True}), Tri.NO, "interrupted"),
        (told("PostToolUseFailure", error="Exit code 1", is_interrupt=False), Tri.NO, None),
        (told("PostToolUseFailure", error="stopped", is_interrupt=True), Tri.NO, "interrupted"),
    ],
)
def test_results(record: dict[str, Any], tool: Tri, refused: str | None) -> None:
    result = only(events(record), EventKind.ACTION)
    assert result.outcome is not None
    assert (result.phase, result.outcome.tool, result.attrs.get("refused")) == (Phase.RESULT, tool, refused)


def test_prompts_sessions_and_sub_agents() -> None:
    made = events(
        told("SessionStart", source="startup"), told("UserPromptSubmit", prompt="PAY-3: fix"), told("SessionEnd", reason="other")
    )
    assert [event.phase for event in made if event.kind is not EventKind.DECISION] == [Phase.STARTED, Phase.PROMPT, Phase.ENDED]
    assert events(told("UserPromptSubmit", prompt="<task-notification>x"))[1:] == []
    blocked = only(
        events(logged(told("UserPromptSubmit", prompt="the password"), {"decision": "block", "reason": "a secret"})),
        EventKind.DECISION,
        Phase.VERDICT,
    )
    assert blocked.decision is not None and (blocked.decision.effect, blocked.verb) == (Effect.DENY, Verb.UNKNOWN)
    child = events(told("SubagentStart", agent_id="a1", agent_type="Explore"))[-1]
    assert names(child, KeyRole.SCOPE) == [f"claude.agent:{SESSION}/a1"]
    assert (names(child, KeyRole.PARENT), child.attrs["agent_type"]) == ([f"session:{SESSION}"], "Explore")
    thread = events(told("SubagentStart", agent_id="01a2058d-8b0a", turn_id="t"))[-1]
    assert (names(thread, KeyRole.SCOPE), thread.point) == (["session:01a2058d-8b0a"], "codex")
    denied = only(events(told("PermissionDenied", reason="a rule")), EventKind.DECISION, Phase.VERDICT)
    assert denied.decision is not None and denied.decision.effect is Effect.DENY
    stopped = events(logged(told("Stop"), {"decision": "block", "reason": "run the tests first"}))
    assert not [event for event in stopped if event.phase is Phase.VERDICT]


def test_gemini_s_hooks_say_the_same_in_their_own_words() -> None:
    def given(name: str, **more: Any) -> dict[str, Any]:
        base = {"session_id": "s-1", "transcript_path": "/home/ada/.gemini/tmp/x/chats/s.json", "cwd": "/home/ada/api"}
        return {**base, "hook_event_name": name, "timestamp": "2026-03-01T10:00:00.000Z", **more}

    tool = {"tool_name": "run_shell_command", "tool_input": {"command": "make"}}
    served = {"tool_name": "mcp_gh_create_issue", "mcp_context": {"server_name": "gh", "tool_name": "create_issue"}}
    rows = [
        given("BeforeAgent", prompt="go"),
        given("BeforeTool", **tool),
        given("AfterTool", **tool, tool_response={"llmContent": "Output: no\nExit Code: 2", "returnDisplay": "no"}),
        given("BeforeTool", **served),
        given("AfterModel"),
    ]
    reader = IMPORTER.open()
    parsed = [reader.read(row) for row in rows]
    assert [one.unknown_type for one in parsed] == [None] * 5
    intent, call, done, other = [event for one in parsed for event in one.events]
    assert (intent.text, intent.agent, call.attrs["command"], call.at) == ("go", "gemini-cli", "make", 1772359200000000)
    assert (done.attrs["status"], done.outcome and done.outcome.tool) == ("2", Tri.NO)
    assert names(call, KeyRole.CALL) == names(done, KeyRole.CALL)
    assert (other.target.name, other.target.detail) == ("gh", "create_issue")
    late = "Command was automatically cancelled because it exceeded the timeout of 5.0 minutes without output."
    (stopped,) = IMPORTER.open().read(given("AfterTool", **tool, tool_response={"llmContent": late})).events
    assert stopped.outcome and stopped.outcome.tool is Tri.NO
    answered = {"input": given("BeforeTool", **tool), "output": {"decision": "deny", "reason": "not today"}}
    (verdict,) = IMPORTER.open().read(answered).events
    assert verdict.decision and (verdict.decision.effect, verdict.decision.rule, verdict.point) == (
        Effect.DENY,
        "BeforeTool",
        "gemini-cli:hook",
    )
    assert IMPORTER.sniff(rows[1:3]) > 90


def test_a_call_without_an_id_is_paired_with_its_result() -> None:
    def bare(event: str, command: str) -> dict[str, Any]:
        record = told(event, tool_input={"command": command})
        del record["tool_use_id"]
        return logged(record, specific("allow") if event == "PreToolUse" else None)

    made = events(*(bare(*one) for one in [("PreToolUse", "ls"), ("PreToolUse", "ls"), ("PreToolUse", "pwd"), ("PostToolUse", "ls"),
                                           ("PostToolUse", "pwd"), ("PostToolUse", "ls"), ("PostToolUse", "id")]))  # fmt: skip
    calls = [(event.phase, names(event, KeyRole.CALL)) for event in made if event.phase in (Phase.VERDICT, Phase.RESULT)]
    asked, answered = (
        [one for phase, one in calls if phase is Phase.VERDICT],
        [one for phase, one in calls if phase is Phase.RESULT],
    )
    assert answered == [asked[0], asked[2], asked[1], []]
    assert len({one[0] for one in asked}) == 3
    assert not [event for event in made if event.phase is Phase.CALL]


def test_a_call_without_an_id_or_an_answer_is_still_a_call() -> None:
    """Equal calls are told apart by their order, and each has the result that followed it."""

    def bare(event: str, command: str, **members: Any) -> dict[str, Any]:
        record = told(event, tool_input={"command": command}, **members)
        del record["tool_use_id"]
        return record

    made = events(
        bare("PreToolUse", "ls"), bare("PreToolUse", "pwd"), bare("PostToolUse", "pwd", tool_response="/"),
        bare("PostToolUseFailure", "ls", error="no"), bare("PreToolUse", "ls"), bare("PostToolUse", "ls", tool_response=""),
        bare("PreToolUse", "ls", session_id="another"),
    )  # fmt: skip
    calls = [event for event in made if event.phase is Phase.CALL]
    results = [event for event in made if event.phase is Phase.RESULT]
    assert [(one.verb, one.attrs["command"]) for one in calls] == [(Verb.EXEC, c) for c in ("ls", "pwd", "ls", "ls")]
    named = [names(one, KeyRole.CALL) for one in calls]
    assert [names(one, KeyRole.CALL) for one in results] == [named[1], named[0], named[2]]
    assert len({one[0] for one in named}) == 4
    assert not [event for event in made if event.phase is Phase.VERDICT]
    assert not [event for event in events(bare("PreToolUse", "ls", tool_name="")) if event.phase is Phase.CALL]


@pytest.mark.parametrize(
    "record", [[], {}, {"session_id": "x"}, {"stdin": {"session_id": "x"}}, {"hook_event_name": 3, "session_id": "x"}]
)
def test_what_is_no_hook_s_record_is_refused(record: object) -> None:
    with pytest.raises(BadRecord, match=r"hook|object"):
        IMPORTER.open().read(record)


def test_an_event_nobody_knows_is_kept() -> None:
    assert IMPORTER.open().read(told("SomethingNew")).unknown_type == "SomethingNew"


def test_a_call_put_to_a_person_was_asked_about() -> None:
    """A log of what hooks were given, without what they answered, still says which calls the agent did not run by itself."""
    given = {"session_id": "s", "hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": {"command": "make"}}
    (asked,) = IMPORTER.open().read(given).events
    assert asked.decision is not None and asked.decision.effect is Effect.ASK
    assert (asked.vantage, asked.verb, asked.attrs["command"]) == (Vantage.AGENT, Verb.EXEC, "make")


def test_corpus_counts_agree_with_plain_json(corpus: Path) -> None:
    expected: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    paths = [*corpus.glob("claude-code-live/*/*/hooks.jsonl"), *corpus.glob("codex-live/runs/*/hooks.jsonl")]
    assert len(paths) > 40
    for path in paths:
        text = path.read_text()
        records = [json.loads(line) for line in text.splitlines()]
        for record in records:
            given = record.get("stdin", record)
            kind = given["hook_event_name"]
            said = json.dumps(record.get("stdout"))
            expected["calls"] += kind == "PreToolUse" and "tool_use_id" in given
            expected["results"] += kind in ("PostToolUse", "PostToolUseFailure")
            expected["denied"] += kind in ("PreToolUse", "UserPromptSubmit") and (
                '"deny"' in said or '"block"' in said or record.get("exit_code") == 2
            )
            expected["asked"] += ('"ask"' in said) + (kind == "PermissionRequest")
            expected["allowed"] += '"allow"' in said
            expected["consulted"] += (kind == "PreToolUse" and "stdin" in record) or kind == "PermissionRequest"
        parsed, rejects = whole(text, "agent-hooks")
        assert not rejects and len(parsed) == len(records)
        for event in (event for one in parsed for event in one.events):
            assert event.attrs.keys() <= ATTRS.keys()
            effect = event.decision.effect if event.decision else None
            seen["calls"] += event.phase is Phase.CALL
            seen["results"] += event.phase is Phase.RESULT
            seen["denied"] += effect is Effect.DENY
            seen["asked"] += effect is Effect.ASK
            seen["allowed"] += effect is Effect.ALLOW
            seen["consulted"] += event.phase is Phase.VERDICT and event.tool != ""
        assert not [one for one in parsed if one.unknown_type]
    assert seen == expected


@pytest.mark.parametrize("version", ["2.1.330", "2.0.14"])
def test_a_hook_s_refusal_stands_on_the_transcript_s_step(corpus: Path, version: str) -> None:
    folder = corpus / "claude-code-live" / version / "hook-denies"
    transcripts = sorted(folder.glob("projects/**/*.jsonl"))
    alone = stitch(of_files(*transcripts), OrgFacts())
    both = stitch(of_files(*transcripts, folder / "hooks.jsonl"), OrgFacts())
    ((task, chain),) = both.chains.items()
    assert [one.call for one in chain.steps] == [one.call for one in alone.chains[task].steps]
    by_hook = [
        [item.decision.effect for item in one.decisions if item.point == "claude-code:hook" and item.decision]
        for one in chain.steps
    ]
    assert by_hook == [[Effect.DENY], [Effect.DENY], [Effect.UNKNOWN]]
    assert [one.outcome.tool for one in chain.steps] == [Tri.NO, Tri.NO, Tri.YES]


@pytest.mark.parametrize("run", ["refused-then-another-way", "web"])
def test_what_a_hook_was_asked_without_an_id_stands_on_the_transcript_s_step(corpus: Path, run: str) -> None:
    """Several calls of a second touch the same file: the words say which the hook was asked about."""
    folder = corpus / "claude-code-live" / "2.0.14" / run
    transcripts = sorted(folder.glob("projects/**/*.jsonl"))
    alone = stitch(of_files(*transcripts), OrgFacts())
    both = stitch(of_files(*transcripts, folder / "hooks.jsonl"), OrgFacts())
    ((task, chain),) = both.chains.items()
    assert [one.call for one in chain.steps] == [one.call for one in alone.chains[task].steps]
    assert all(any(item.point == "claude-code:hook" for item in one.decisions) for one in chain.steps)


def test_it_is_found_by_the_registry_and_takes_nothing_else(corpus: Path) -> None:
    assert importers()["agent-hooks"] is IMPORTER
    for path in [
        *corpus.glob("claude-code/**/*.jsonl"),
        *corpus.glob("codex/**/*.jsonl"),
        *corpus.glob("claude-code-live/*/*/stream.jsonl"),
    ]:
        sample = []
        for line in path.read_bytes().splitlines()[:50]:
            try:
                sample.append(json.loads(line))
            except ValueError:
                continue
        assert IMPORTER.sniff(sample) == 0, path


@settings(max_examples=100, deadline=None)
@given(
    mutated(
        [
            logged(told(), specific("deny")),
            told("PostToolUse", tool_response={"stdout": "x"}),
            logged(told("UserPromptSubmit", prompt="x")),
        ]
    )
)
def test_anything_at_all_is_read_or_refused(record: object) -> None:
    survives(IMPORTER, record)
    IMPORTER.sniff([record])


COPILOT = {
    "sessionId": SESSION,
    "timestamp": 1795390007000,
    "cwd": "/home/ada/api",
    "toolName": "bash",
    "toolArgs": '{"command": "npm publish"}',
}


def test_what_is_put_to_a_person_is_the_call_begun_before_it() -> None:
    def told(kind: str, command: str, **members: Any) -> dict[str, Any]:
        given = {"command": command, **({"description": "why"} if kind == "PermissionRequest" else {})}
        return {"session_id": SESSION, "hook_event_name": kind, "tool_name": "Bash", "tool_input": given} | members

    log = [
        told("PreToolUse", "git push", tool_use_id="t1"),
        told("PreToolUse", "make", tool_use_id="t2"),
        told("PermissionRequest", "git push"),
        told("PermissionRequest", "make", session_id="another"),
        told("PostToolUse", "git push", tool_use_id="t1", tool_response={"stdout": "ok"}),
        told("PermissionRequest", "git push"),
    ]
    asked = [event for event in events(*log) if event.kind is EventKind.DECISION]
    assert [(e.decision and e.decision.effect, names(e, KeyRole.CALL)) for e in asked] == [
        (Effect.ASK, ["call:t1"]),
        (Effect.ASK, []),
        (Effect.ASK, []),
    ]


def test_copilots_hooks_are_not_told_their_own_name() -> None:
    ended = {
        **COPILOT,
        "toolResult": {"resultType": "success", "textResultForLlm": "no\n<shellId: 0 completed with exit code 1>"},
    }
    assert IMPORTER.sniff([COPILOT, ended]) > 50
    call, result = events(COPILOT, ended)
    assert (call.phase, call.point, call.verb, call.attrs["command"], call.at) == (
        Phase.CALL, "copilot-cli", Verb.EXEC, "npm publish", 1795390007000000,
    )  # fmt: skip
    assert (result.outcome and result.outcome.tool, result.attrs["status"]) == (Tri.NO, "1")
    assert names(call, KeyRole.CALL) == names(result, KeyRole.CALL) != []


@pytest.mark.parametrize(
    ("result", "tool", "refused"),
    [
        ({"result_type": "success", "text_result_for_llm": "ok\n<exited with exit code 0>"}, Tri.YES, None),
        ({"result_type": "success", "text_result_for_llm": "<command with shellId: 1 is still running after 9 seconds. Wait.>"}, Tri.UNKNOWN, None),
        ({"result_type": "failure", "text_result_for_llm": "no"}, Tri.NO, None),
        ({"result_type": "denied", "text_result_for_llm": "no"}, Tri.NO, "rule"),
        ({"result_type": "rejected", "text_result_for_llm": "no"}, Tri.NO, "user"),
    ],
)  # fmt: skip
def test_how_a_call_of_copilot_went(result: dict[str, str], tool: Tri, refused: str | None) -> None:
    given = {"hook_event_name": "PostToolUse", "session_id": SESSION, "tool_name": "bash", "tool_input": {"command": "ls"}}
    event = only(events({**given, "tool_result": result}), EventKind.ACTION, Phase.RESULT)
    assert (event.point, event.outcome and event.outcome.tool, event.attrs.get("refused")) == ("copilot-cli", tool, refused)


def test_what_copilot_tells_a_hook_without_a_name_is_known_by_its_members() -> None:
    base = {name: COPILOT[name] for name in ("sessionId", "timestamp", "cwd")}
    log = [
        {**base, "source": "new", "initialPrompt": "PAY-7 go"},
        {**base, "prompt": "PAY-7 go"},
        {**base, "error": {"message": "m", "name": "n"}, "errorContext": "model_call", "recoverable": True},
        {**base, "transcriptPath": "/x", "stopReason": "end_turn"},
        {**base, "reason": "complete"},
    ]
    assert IMPORTER.sniff(log) > 50
    told = events(*log)
    assert [(e.point, e.phase, e.text, e.attrs.get("status")) for e in told] == [
        ("copilot-cli", Phase.STARTED, "", None),
        ("copilot-cli", Phase.PROMPT, "PAY-7 go", None),
        ("copilot-cli", Phase.ENDED, "", "complete"),
    ]
    with pytest.raises(BadRecord):
        events({**base, "prompt": "go", "user": "ada"})


def test_a_call_that_a_hook_s_log_gives_no_id_is_the_one_of_the_session_s_own_record(tmp_path: Path) -> None:
    def ran(name: str, second: int, command: str) -> list[dict[str, Any]]:
        base = {"timestamp": f"2026-11-23T00:00:{second:02d}.000Z"}
        given = {"toolCallId": name, "toolName": "bash", "arguments": {"command": command}}
        ended = {"toolCallId": name, "success": True, "result": {"content": "x"}}
        return [
            {**base, "type": "tool.execution_start", "id": f"s{name}", "parentId": None, "data": given},
            {**base, "type": "tool.execution_complete", "id": f"c{name}", "parentId": None, "data": ended},
        ]

    start = {"type": "session.start", "id": "0", "parentId": None, "timestamp": "2026-11-23T00:00:00Z",
             "data": {"sessionId": SESSION, "copilotVersion": "1.0.0", "context": {}}}  # fmt: skip
    midnight = 1795392000000
    (tmp_path / "events.jsonl").write_text(
        "\n".join(map(json.dumps, [start, *ran("t1", 10, "npm publish"), *ran("t2", 20, "npm publish"), *ran("t3", 30, "make")]))
    )
    hooks = [
        {**COPILOT, "timestamp": midnight + 20_400},
        {**COPILOT, "timestamp": midnight + 10_200},
        {**COPILOT, "timestamp": midnight + 21_000},
        {**COPILOT, "timestamp": midnight + 30_100, "toolArgs": '{"command": "make all"}'},
    ]
    (tmp_path / "hooks.jsonl").write_text("\n".join(map(json.dumps, hooks)))
    both = stitch(of_files(tmp_path / "events.jsonl", tmp_path / "hooks.jsonl"), OrgFacts())
    ((_, chain),) = both.chains.items()
    told = {one.call: sorted(item.record for item in one.actions if item.phase is Phase.CALL) for one in chain.steps}
    assert told["call:t1"] == ["events.jsonl:1", "hooks.jsonl:1"]
    assert told["call:t2"] == ["events.jsonl:3", "hooks.jsonl:0"]
    # A third time and other words are acts of their own.
    assert told["call:t3"] == ["events.jsonl:5"] and len(chain.steps) == 5
    drawn = [link.confidence for one in chain.steps for link in one.links if link.kind is LinkKind.INFERRED]
    assert len(drawn) == 2 and all(0.85 < score <= 0.9 for score in drawn)


def test_a_copilot_hook_kept_with_its_answer() -> None:
    said = {"permissionDecision": "deny", "permissionDecisionReason": "why"}
    verdict = only(events({"event": "preToolUse", "payload": COPILOT, "output": said}), EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.reason, verdict.point) == (Effect.DENY, "why", "copilot-cli:hook")
    asked = {"event": "userPromptSubmitted", "sessionId": SESSION, "cwd": "/home/ada/api", "prompt": "go"}
    assert [(one.point, one.text) for one in events(asked)] == [("copilot-cli", "go")]


@pytest.mark.parametrize(
    ("response", "tool"),
    [
        ("error: cannot lock ref", Tri.UNKNOWN),
        ("Exit code: 0\nSuccess. Updated the following files:\nM a.py", Tri.YES),
        ({"content": [{"type": "text", "text": "no"}], "isError": True}, Tri.NO),
        ({"content": [{"type": "text", "text": "ok"}]}, Tri.YES),
    ],
)
def test_codex_tells_a_hook_what_a_command_wrote_and_not_how_it_ended(response: object, tool: Tri) -> None:
    ended = told("PostToolUse", turn_id="t", tool_response=response)
    result = only(events(ended), EventKind.ACTION, Phase.RESULT)
    assert (result.point, result.outcome and result.outcome.tool) == ("codex", tool)


def test_a_command_in_the_background_may_still_run() -> None:
    ended = told("PostToolUse", tool_response={"stdout": "", "stderr": "", "interrupted": False, "backgroundTaskId": "b1"})
    result = only(events(ended), EventKind.ACTION, Phase.RESULT)
    assert result.outcome is not None and result.outcome.tool is Tri.UNKNOWN


def test_the_first_hooks_were_not_told_their_own_name() -> None:
    base = {
        "session_id": SESSION,
        "transcript_path": "/home/ada/.claude/projects/x/y.jsonl",
        "tool_name": "Bash",
        "tool_input": {"command": "ls"},
    }
    call, result = events(base, {**base, "tool_response": {"stdout": "x", "interrupted": False}})
    assert (call.phase, result.phase, call.point) == (Phase.CALL, Phase.RESULT, "claude-code")


def test_cursor_runs_the_hooks_of_claude_code() -> None:
    call = only(events(told(cursor_version="3.2", conversation_id=SESSION, tool_name="Shell")), EventKind.ACTION, Phase.CALL)
    assert (call.point, call.attrs["command"]) == ("cursor", "npm publish")
