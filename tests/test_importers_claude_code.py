"""What Claude Code transcripts say: intents, calls, results, refusals, decisions, sub-agents; and that nothing breaks them."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from importers import open_source
from importers.claude_code import IMPORTER
from importers.claude_code_stream import IMPORTER as STREAM
from importers.registry import importers
from importers.shared.agents import decided_before, references_in
from importers.shared.fields import decode
from model.event import ATTRS, BadRecord, Decision, Key, Reject
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb
from tests.claude_records import REJECTED, SESSION, attached, call, calls, only, prompt, read, record, result


def test_a_linked_pull_request_is_told_once() -> None:
    link = {"type": "pr-link", "sessionId": SESSION, "prNumber": 7, "prUrl": "https://github.com/Acme/Pay/pull/7",
            "prRepository": "Acme/Pay", "timestamp": "2026-01-02T03:04:05.678Z"}  # fmt: skip
    (event,) = read(link, {**link, "timestamp": "2026-01-03T03:04:05.678Z"})
    assert Key(KeyRole.REFERENCE, "pr", "acme/pay#7") in event.keys
    assert Key(KeyRole.SCOPE, "session", SESSION) in event.keys


@pytest.mark.parametrize(
    ("said", "refused"),
    [("Permission to read /etc/shadow has been denied.", "rule"), ("Hook PreToolUse:Bash denied this tool", "hook")],
)
def test_short_refusals(said: str, refused: str) -> None:
    verdict = next(event for event in read(result(said, True)) if event.kind is EventKind.DECISION)
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.DENY
    assert next(event for event in read(result(said, True)) if event.phase is Phase.RESULT).attrs["refused"] == refused


@pytest.mark.parametrize(
    ("given", "effect", "reason"),
    [
        (attached("hook_permission_decision", decision="allow", toolUseID="toolu_1", hookEvent="PermissionRequest"), Effect.ALLOW, ""),
        (attached("hook_permission_decision", decision="deny", toolUseID="toolu_1", hookEvent="PermissionRequest"), Effect.DENY, ""),
        (attached("hook_blocking_error", hookName="PreToolUse:Bash", toolUseID="toolu_1", hookEvent="PreToolUse",
                  blockingError={"blockingError": "not on main", "command": "guard.sh"}), Effect.DENY, "not on main"),
        (attached("hook_success", hookName="PreToolUse:Bash", toolUseID="toolu_1", hookEvent="PreToolUse", exitCode=0, stdout=json.dumps(
            {"hookSpecificOutput": {"permissionDecision": "ask", "permissionDecisionReason": "prod"}})), Effect.ASK, "prod"),
    ],
)  # fmt: skip
def test_a_hooks_answer_is_a_decision_on_its_call(given: dict[str, Any], effect: Effect, reason: str) -> None:
    (verdict,) = read(given)
    assert verdict.decision is not None
    assert (verdict.kind, verdict.decision.effect, verdict.decision.reason, verdict.decision.by) == (
        EventKind.DECISION, effect, reason, "hook",
    )  # fmt: skip
    assert Key(KeyRole.CALL, "call", "toolu_1") in verdict.keys


@pytest.mark.parametrize(
    "given",
    [
        attached("hook_success", toolUseID="toolu_1", hookEvent="PreToolUse", exitCode=0, stdout="checked"),
        attached("hook_success", toolUseID="toolu_1", hookEvent="PostToolUse", exitCode=0, stdout='{"decision": "block"}'),
        attached("hook_blocking_error", toolUseID="5c0375b4", hookEvent="Stop", blockingError={"blockingError": "tests"}),
        attached("hook_non_blocking_error", toolUseID="toolu_1", hookEvent="PreToolUse", exitCode=1),
    ],
)
def test_a_hook_that_decides_nothing_about_a_call_is_no_decision(given: dict[str, Any]) -> None:
    assert read(given) == []


@pytest.mark.parametrize(
    ("tool", "given", "verb", "cls", "name", "attrs"),
    [
        ("Bash", {"command": "git push"}, Verb.EXEC, TargetClass.UNKNOWN, "", {"command": "git push"}),
        ("Read", {"file_path": "/a/b"}, Verb.FILE_READ, TargetClass.FILESYSTEM, "/a/b", {"path": "/a/b"}),
        ("Grep", {"pattern": "x", "path": "src"}, Verb.FILE_READ, TargetClass.FILESYSTEM, "src", {"path": "src"}),
        ("Write", {"file_path": "/a/b"}, Verb.FILE_WRITE, TargetClass.FILESYSTEM, "/a/b", {"path": "/a/b"}),
        ("Edit", {"file_path": ".github/workflows/ci.yml"}, Verb.CI_MODIFY, TargetClass.CI_CD, ".github/workflows/ci.yml", {}),
        ("MultiEdit", {"file_path": "/r/CLAUDE.md"}, Verb.INSTRUCTIONS_WRITE, TargetClass.AGENT, "/r/CLAUDE.md", {}),
        ("NotebookEdit", {"notebook_path": "n.ipynb"}, Verb.FILE_WRITE, TargetClass.FILESYSTEM, "n.ipynb", {}),
        ("WebFetch", {"url": "https://Docs.Example.org/x"}, Verb.HTTP_REQUEST, TargetClass.NETWORK, "docs.example.org", {}),
        ("mcp__linear-server__create_issue", {}, Verb.MCP_CALL, TargetClass.MCP_SERVER, "linear-server", {}),
        ("Task", {"subagent_type": "Explore"}, Verb.AGENT_SPAWN, TargetClass.AGENT, "Explore", {"agent_type": "Explore"}),
        ("Workflow", {"scriptPath": "/a/sweep.js"}, Verb.AGENT_SPAWN, TargetClass.AGENT, "/a/sweep.js", {}),
        ("RemoteTrigger", {"action": "create", "body": {"name": "nightly"}}, Verb.AGENT_SPAWN, TargetClass.AGENT, "nightly", {}),
        ("Artifact", {"file_path": "/a/r.html"}, Verb.HTTP_REQUEST, TargetClass.NETWORK, "claude.ai", {"path": "/a/r.html"}),
        (
            "Config",
            {"setting": "permissions.defaultMode"},
            Verb.GUARDRAIL_CHANGE,
            TargetClass.AGENT,
            "permissions.defaultMode",
            {},
        ),
        ("EnterWorktree", {"path": "feat"}, Verb.FILE_WRITE, TargetClass.FILESYSTEM, "feat", {"path": "feat"}),
        ("CronCreate", {"cron": "* * * * *", "prompt": "x"}, Verb.AGENT_MESSAGE, TargetClass.AGENT, "", {}),
        ("TodoWrite", {"todos": []}, Verb.AGENT_MESSAGE, TargetClass.AGENT, "", {}),
        ("NoSuchTool", {"x": 1}, Verb.UNKNOWN, TargetClass.UNKNOWN, "", {}),
    ],
)
def test_every_tool_has_its_verb_and_target(
    tool: str, given: dict[str, Any], verb: Verb, cls: TargetClass, name: str, attrs: dict[str, str]
) -> None:
    event = read(calls(call(tool, **given)))[0]
    assert (event.kind, event.phase, event.tool) == (EventKind.ACTION, Phase.CALL, tool)
    assert (event.verb, event.target.cls, event.target.name) == (verb, cls, name)
    assert event.attrs.items() >= attrs.items()
    assert event.first_key(KeyRole.CALL) == Key(KeyRole.CALL, "call", "toolu_1")


def test_a_call_without_an_id_still_counts() -> None:
    (event,) = read(calls({"type": "tool_use", "name": "Bash", "input": {"command": "ls"}}))
    assert event.keys_of(KeyRole.CALL) == ()


def test_several_calls_of_one_message_are_several_events() -> None:
    assert len(read(calls(call("Read", "t1", file_path="a"), call("Read", "t2", file_path="b")))) == 2


def test_delegation_and_plans_are_intents_of_their_call() -> None:
    events = read(calls(call("Task", subagent_type="Explore", prompt="look at PAY-9"), call("ExitPlanMode", "t2", plan="1. do")))
    delegated, plan = (event for event in events if event.kind is EventKind.INTENT)
    assert (delegated.phase, delegated.text, delegated.attrs["agent_type"]) == (Phase.DELEGATED, "look at PAY-9", "Explore")
    assert delegated.first_key(KeyRole.CALL) == Key(KeyRole.CALL, "call", "toolu_1")
    assert (plan.phase, plan.text) == (Phase.PLAN, "1. do")


def test_a_successful_result_proves_no_permission() -> None:
    (event,) = read(result("ok", False, toolUseResult={"stdout": "ok", "stderr": "", "interrupted": False}))
    assert (event.phase, event.attrs["output"]) == (Phase.RESULT, "ok")
    assert event.outcome is not None
    assert (event.outcome.tool, event.outcome.permitted) == (Tri.YES, Effect.UNKNOWN)


def test_a_failed_command_says_its_exit_code() -> None:
    (event,) = read(result("Exit code 128\nfatal: no", True, toolUseResult="Error: Exit code 128\nfatal: no"))
    assert event.outcome is not None
    assert (event.outcome.tool, event.attrs["status"], event.attrs.get("refused")) == (Tri.NO, "128", None)


def test_what_the_sandbox_refused_to_a_command_that_failed_is_a_denial() -> None:
    said = "Exit code 1\ntouch: not permitted\n<sandbox_violations>\ndeny(1) file-write-create /etc/x\n</sandbox_violations>"
    done, verdict = read(result(said, True))
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.rule) == (Effect.DENY, "sandbox")
    assert (verdict.decision.reason, done.attrs["status"]) == ("deny(1) file-write-create /etc/x", "1")
    assert len(read(result(said, False))) == len(read(result(said + "\nmore", True))) == 1


def test_a_page_that_its_host_did_not_give_says_its_status() -> None:
    (event,) = read(result("sorry", False, toolUseResult={"code": 404, "codeText": "Not Found", "result": "sorry"}))
    assert event.outcome is not None
    assert (event.outcome.tool, event.attrs["status"]) == (Tri.NO, "404")


@pytest.mark.parametrize(
    ("told", "tool", "status"),
    [
        ({"shellId": "bash_1", "command": "npm start", "status": "running", "exitCode": None, "stdout": "x"}, Tri.UNKNOWN, None),
        ({"shellId": "bash_1", "command": "npm start", "status": "failed", "exitCode": 1, "stdout": "x"}, Tri.NO, "1"),
        ({"retrieval_status": "success", "task": {"task_id": "b1", "status": "completed", "exitCode": 0}}, Tri.YES, "0"),
    ],
)
def test_how_a_command_in_the_background_does(told: dict[str, Any], tool: Tri, status: str | None) -> None:
    (event,) = read(result("x", False, toolUseResult=told))
    assert event.outcome is not None
    assert (event.outcome.tool, event.attrs.get("status")) == (tool, status)


def test_an_approved_plan_is_a_decision_and_words_that_look_like_it_are_none() -> None:
    said = "User has approved your plan. You can now start coding."
    _, verdict = read(result(said, toolUseResult={"plan": "1. do", "isAgent": False}))
    assert verdict.decision and (verdict.decision.effect, verdict.decision.reason, verdict.decision.by) == (
        Effect.ALLOW,
        "User has approved your plan",
        "user",
    )
    assert len(read(result(said, False, toolUseResult={"stdout": said}))) == len(read(result(said))) == 1


@pytest.mark.parametrize(
    ("one", "refused", "effect"),
    [
        (result(REJECTED + "STOP what you are doing.", True), "user", Effect.DENY),
        (result("Permission to use Bash with command git push has been denied.", True), "rule", Effect.DENY),
        (result("<tool_use_error>File is in a directory that is denied by your permission settings.</tool_use_error>", True), "rule", Effect.DENY),
        (result("Agent type 'x' has been denied by permission rule 'Agent(x)' from userSettings.", True), "rule", Effect.DENY),
        (result("<tool_use_error>Skill execution blocked by permission rules</tool_use_error>", True), "rule", Effect.DENY),
        (result("[Request interrupted by user for tool use]", True), "interrupted", None),
        (result("PreToolUse:Bash hook error: [x]: tests are frozen", True), "hook", Effect.DENY),
        (result("Claude requested permissions to write to /x, but you haven't granted it yet.", True), "rule", Effect.ASK),
        (result("Permission for this action has been denied. Reason: pushes to main. If you have other tasks", True), "rule", Effect.DENY),
        (result([{"type": "text", "text": "Permission for this action was denied by the Claude Code auto mode classifier. Reason: x"}], True),
         "rule", Effect.DENY),
        (result("cd in '/etc' was blocked. For security, Claude Code may only change directories to the allowed ones.", True), "rule", Effect.ASK),
        (result("cp in '/dev/null' needs approval. The path is outside of the project.", True), "rule", Effect.ASK),
        (result("Command contains output redirection (>) which could write to arbitrary files", True), "rule", Effect.ASK),
        (result("Tool permission request failed: Error: Stream closed", True), "rule", Effect.ASK),
        (result("Contains simple_expansion", True), "rule", Effect.ASK),
        (result("Contains shell syntax (string) that cannot be statically analyzed", True), "rule", Effect.ASK),
        (result("Multiple directory changes in one command require approval for clarity", True), "rule", Effect.ASK),
        (result("Permission rule Bash(sed -i:*) requires confirmation for this command.", True), "rule", Effect.ASK),
        (result("Compound commands with cd and git require approval to prevent bare repository attacks", True), "rule", Effect.ASK),
        (result("Contains simple_expansion", False), None, None),
        (result("Exit plan mode?", True), "rule", Effect.ASK),
        (result("Permission for this tool use was denied. The tool use was rejected (eg. a file edit).", True), "user", Effect.DENY),
        (result("Permission for this tool use was denied. It requires approval, and this session has no approval surface, so it was "
                "denied automatically.", True), "rule", Effect.ASK),
        (result("Permission for this tool use was denied. It requires approval, and this session has no approval surface.", True,
                toolDenialKind="user-rejected"), "rule", Effect.ASK),
        (result("Permission for this tool use was denied: it requires interactive approval, and permission prompts are not available.", True),
         "rule", Effect.ASK),
        (result("Permission to use Bash has been auto-denied (prompts unavailable).", True), "rule", Effect.ASK),
        (result("m-1 is temporarily unavailable (server error), so auto mode cannot determine the safety of Bash right now. Wait.", True),
         "rule", Effect.ASK),
        (result("Auto mode could not evaluate this action and is blocking it for safety", True), "rule", Effect.ASK),
        (result("The agent proposed a plan that was rejected by the user. The user chose to stay in plan mode.\n\nRejected plan:\nx", True),
         "user", Effect.DENY),
        (result("<tool_use_error>Cancelled: parallel tool call Bash(make) errored</tool_use_error>", True), "interrupted", None),
        (result("Permission to use Bash has been auto-denied in dontAsk mode.", True), "rule", Effect.DENY),
        (result("This Bash command contains multiple operations. The following part requires approval: rm x", True), "rule", Effect.ASK),
        (result("no", True, toolDenialKind="automode-unavailable"), "rule", Effect.ASK),
        (result("no", True, toolDenialKind="automode-blocked"), "rule", Effect.DENY),
        (result("no", True, toolDenialKind="permission-rule"), "rule", Effect.DENY),
        (result("Claude requested permissions to use Bash, but you haven't granted it yet.", True, toolDenialKind="user-rejected"),
         "rule", Effect.ASK),
        (result("This command requires approval", True, toolDenialKind="user-rejected",
                permissionDecision={"decision": "reject", "source": "config", "reasonCode": "bashMiss:no-rule-match"}), "rule", Effect.ASK),
        (result("no", True, toolDenialKind="permission-rule",
                permissionDecision={"decision": "reject", "source": "config", "reasonType": "rule", "ruleSource": "projectSettings"}),
         "rule", Effect.DENY),
        (result("no", True, toolDenialKind="user-rejected",
                permissionDecision={"decision": "reject", "source": "user_reject", "reasonCode": "x"}), "user", Effect.DENY),
        (result("no", True, toolDenialKind="permission-rule",
                permissionDecision={"decision": "reject", "source": "hook", "reasonType": "hook"}), "hook", Effect.DENY),
        (result("ran", False, permissionDecision={"decision": "accept", "source": "user_temporary", "grantScope": "once"}),
         None, Effect.ALLOW),
    ],
)  # fmt: skip
def test_refusals_and_decisions(one: dict[str, Any], refused: str | None, effect: Effect | None) -> None:
    events = read(one)
    done = only(events, EventKind.ACTION)
    assert done.attrs.get("refused") == refused
    assert done.outcome is not None
    assert done.outcome.tool is (Tri.YES if refused is None else Tri.NO)
    verdicts = [event for event in events if event.kind is EventKind.DECISION]
    assert [event.decision.effect for event in verdicts if event.decision] == ([effect] if effect else [])
    for event in verdicts:
        assert (event.vantage, event.phase) == (Vantage.AGENT, Phase.VERDICT)
        assert (event.decision and event.decision.by) == (
            refused or "user" if refused in ("user", "hook", None) else "claude-code"
        )
        assert event.first_key(KeyRole.CALL) == done.first_key(KeyRole.CALL)


@pytest.mark.parametrize(
    ("source", "by"), [("user_temporary", "user"), ("user_permanent", "user"), ("config", "claude-code"), ("hook", "hook")]
)
def test_who_let_a_call_run_is_named_where_the_record_names_them(source: str, by: str) -> None:
    ran = result("ran", False, permissionDecision={"decision": "accept", "source": source, "reasonType": "x"})
    verdict = only(read(ran), EventKind.DECISION)
    assert verdict.decision is not None and verdict.decision.by == by


def test_a_failure_that_begins_like_a_question_is_a_failure() -> None:
    done = only(read(result("Contains expansions of the map which are not drawn", True)), EventKind.ACTION)
    assert "refused" not in done.attrs
    assert done.outcome is not None and done.outcome.tool is Tri.NO


def test_a_command_cannot_fake_a_refusal_by_what_it_prints() -> None:
    (event,) = read(result("Exit code 1\nPermission to use Bash with command x has been denied.", True))
    assert "refused" not in event.attrs


def test_commits_and_pull_requests_made_are_references() -> None:
    made = "[main abc1234] Fix it\n 1 file changed\n"
    opened = "Creating pull request\nhttps://github.com/Acme/Api/pull/12\n"
    told = {"stdout": "", "stderr": "", "interrupted": False}
    (commit,) = read(result(made, False, toolUseResult=told))
    assert commit.keys_of(KeyRole.REFERENCE) == (Key(KeyRole.REFERENCE, "commit", "abc1234"),)
    (pull,) = read(result(opened, False, toolUseResult=told))
    assert pull.keys_of(KeyRole.REFERENCE) == (Key(KeyRole.REFERENCE, "pr", "acme/api#12"),)
    (moved,) = read(result(f"{opened}Shell cwd was reset to /home/ada/work/api", False, toolUseResult=told))
    assert moved.keys_of(KeyRole.REFERENCE) == pull.keys_of(KeyRole.REFERENCE)
    (file,) = read(result(made, toolUseResult={"type": "text", "file": {"filePath": "log.txt"}}))
    assert file.keys_of(KeyRole.REFERENCE) == ()


def test_permission_modes_are_postures() -> None:
    for one in (prompt("go", permissionMode="bypassPermissions"), record("permission-mode", permissionMode="bypassPermissions")):
        event = only(read(one), EventKind.DECISION)
        assert (event.phase, event.attrs["mode"]) == (Phase.POSTURE, "bypassPermissions")


def test_a_sub_agents_own_file_is_a_child_of_the_session() -> None:
    events = read(
        prompt("Look at src", isSidechain=True, agentId="a1", parentUuid=None),
        calls(call("Read", file_path="x"), isSidechain=True, agentId="a1"),
    )
    for event in events:
        assert event.keys[:2] == (Key(KeyRole.SCOPE, "claude.agent", f"{SESSION}/a1"), Key(KeyRole.PARENT, "session", SESSION))
    assert [event.phase for event in events] == [Phase.DELEGATED, Phase.CALL]


def test_the_parents_record_ties_the_spawning_call_to_the_sub_agent() -> None:
    events = read(result([{"type": "text", "text": "done"}], toolUseResult={"status": "completed", "agentId": "a1"}))
    tie = events[-1]
    assert (tie.phase, tie.keys) == (
        Phase.ENDED,
        (
            Key(KeyRole.SCOPE, "claude.agent", f"{SESSION}/a1"),
            Key(KeyRole.PARENT, "session", SESSION),
            Key(KeyRole.PARENT, "call", "toolu_1"),
        ),
    )


def test_an_inline_sidechain_is_followed_from_its_root() -> None:
    reader = IMPORTER.open()
    side = {"isSidechain": True, "version": "1.0.98"}
    chain = [
        calls(call("Task", prompt="dig"), uuid="m1"),
        prompt("dig", uuid="s1", parentUuid=None, **side),
        calls(call("Bash", "toolu_2", command="ls"), uuid="s2", parentUuid="s1", **side),
        prompt("other", uuid="t1", parentUuid=None, **side),
        result("x", id="toolu_2", uuid="s3", parentUuid="s2", **side),
    ]
    scopes = [reader.read(one).events[0].keys for one in chain]
    assert [keys[0].value for keys in scopes] == [SESSION, begun := f"{SESSION}/toolu_1", begun, f"{SESSION}/t1", begun]
    printed = {**chain[2], "parent_tool_use_id": "toolu_1", "session_id": SESSION}
    (same, *_) = STREAM.open().read({key: printed[key] for key in ("type", "message", "parent_tool_use_id", "session_id")}).events
    assert same.keys[0] == scopes[2][0], "what the program prints of it is of the same sub-agent"
    assert Key(KeyRole.PARENT, "call", "toolu_1") in scopes[1]


def test_a_sub_agents_message_told_by_its_parent_belongs_to_the_sub_agent() -> None:
    inner = {
        "type": "assistant",
        "timestamp": "2026-01-02T03:04:06Z",
        "message": {"content": [call("Bash", "toolu_9", command="ls")]},
    }
    (event,) = read(
        record("progress", parentToolUseID="toolu_1", data={"type": "agent_progress", "agentId": "a1", "message": inner})
    )
    assert event.keys == (
        Key(KeyRole.SCOPE, "claude.agent", f"{SESSION}/a1"),
        Key(KeyRole.PARENT, "session", SESSION),
        Key(KeyRole.PARENT, "call", "toolu_1"),
        Key(KeyRole.CALL, "call", "toolu_9"),
    )


def test_identity_is_the_uuid_and_else_the_session() -> None:
    reader = IMPORTER.open()
    with_id = reader.read(prompt("x", sessionId="2026-02-03-" + SESSION.upper()))
    assert (with_id.identity, with_id.scope) == ("u1", "")
    without = reader.read({"type": "summary", "summary": "s", "leafUuid": "elsewhere"})
    assert (without.identity, without.scope, without.events) == (None, SESSION, [])


def test_the_history_a_forked_session_copies_stays_its_origins() -> None:
    fork = "0f0f0f0f-57a5-4f26-b12d-d022ee4e51b7"
    copied = prompt("push it", sessionId=fork, forkedFrom={"sessionId": SESSION, "messageUuid": "u1"})
    reader = IMPORTER.open()
    first, own = reader.read(copied), reader.read(prompt("now undo it", sessionId=fork, uuid="u2", parentUuid="u1"))
    assert [event.keys[0].value for event in (*first.events, *own.events)] == [SESSION, fork]
    assert first.identity == IMPORTER.open().read(prompt("push it")).identity
    assert reader.read({"type": "mode"}).scope == fork


@pytest.mark.parametrize(
    "head",
    [
        {"type": "queue-operation", "operation": "enqueue", "timestamp": "2026-02-03T10:00:00Z"},
        {"type": "history-suppression", "cause": "fork_inherit", "ts": "2026-02-03T10:00:00Z"},
        {"type": "history-suppression", "cause": "fork_inherit", "ts": 1770112800000},
    ],
    ids=["prompt", "inherits", "inherits-number"],
)
def test_what_is_older_than_what_a_file_begins_with_was_copied_from_another_session(head: dict[str, object]) -> None:
    reader = IMPORTER.open()
    assert reader.read({**head, "sessionId": SESSION}).unknown_type is None
    old, new = (
        reader.read(prompt(words, uuid=uuid, timestamp=at))
        for words, uuid, at in (("push it", "u1", "2026-02-03T09:00:00Z"), ("undo it", "u2", "2026-02-03T10:00:01Z"))
    )
    reader.read({"type": "queue-operation", "operation": "enqueue", "sessionId": SESSION, "timestamp": "2026-02-03T11:00:00Z"})
    late = reader.read(prompt("and now", uuid="u3", timestamp="2026-02-03T10:59:59Z"))
    assert [(one.copied, one.voice) for one in (old, new, late)] == [(True, SESSION), (False, SESSION), (False, SESSION)]
    assert [event.text for event in old.events] == ["push it"], "where nobody else tells of it, the copy does"


def test_where_a_session_goes_on_and_which_model_answers_are_known_records() -> None:
    for one in (
        {"type": "continued-in", "sessionId": SESSION, "continuedInSessionId": "0c0c", "timestamp": "2026-02-03T10:00:00Z"},
        {"type": "fork-context-ref", "agentId": "a1", "parentSessionId": SESSION, "parentLastUuid": "u1", "contextLength": 9},
        {"type": "artifact-autoreact-ledger", "v": 1, "sessionId": SESSION, "artifacts": {}},
        record("system", subtype="model_refusal_fallback", originalModel="a", fallbackModel="b", content="flagged"),
        record("system", subtype="model_refusal_no_fallback", originalModel="a", content=""),
    ):
        assert (IMPORTER.open().read(one).unknown_type, IMPORTER.open().read(one).events) == (None, [])


def test_a_summary_of_this_session_is_its_title() -> None:
    events = read(prompt("x"), {"type": "summary", "summary": "Fix retries", "leafUuid": "u1"})
    assert events[-1].attrs["title"] == "Fix retries"


def test_a_session_without_an_id_is_named_by_its_first_record() -> None:
    first = {"type": "user", "timestamp": "2026-01-01T00:00:00Z", "message": {"role": "user", "content": "add"}}
    again = read(first)[0].keys
    assert read(first, {**first, "message": {"content": "more"}})[1].keys == again
    assert again[0].value.startswith("unnamed-")


def test_unknown_types_are_kept_and_counted() -> None:
    reader = IMPORTER.open()
    assert reader.read(record("hologram")).unknown_type == "hologram"
    assert reader.read(record("progress", data={"type": "new"})).unknown_type == "progress/new"
    assert reader.read(record("system", subtype="new")).unknown_type == "system/new"


@pytest.mark.parametrize("one", [1, [], "x", None, {}, {"type": 3}, {"type": "user"}, {"type": "assistant", "message": "x"}])
def test_what_no_transcript_holds_is_rejected(one: object) -> None:
    with pytest.raises(BadRecord):
        IMPORTER.open().read(one)


def test_web_sessions_are_read_from_their_envelope() -> None:
    web = {
        "loglines": [
            {k: v for k, v in prompt("hi").items() if k not in ("cwd", "version", "uuid")},
            calls(call("Bash", command="ls")),
        ]
    }
    source = open_source(io.BytesIO(json.dumps(web, indent=2).encode()))
    items = list(source.items())
    assert source.format == "claude-code"
    assert [item.index for item in items] == [1, 2]


def test_other_logs_are_not_taken_for_transcripts() -> None:
    stream = {
        "type": "user",
        "session_id": "s",
        "uuid": "u",
        "parent_tool_use_id": None,
        "message": {"role": "user", "content": "x"},
    }
    assert IMPORTER.sniff([stream, {"type": "system", "subtype": "init", "session_id": "s"}]) == 0
    assert IMPORTER.sniff([{"type": "session_meta", "payload": {}}, [], 3, None]) == 0


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = ("type", "uuid", "sessionId", "parentUuid", "message", "toolUseResult", "data", "timestamp", "permissionMode", "agentId",
           "isSidechain", "permissionDecision", "toolDenialKind", "attachment", "subtype", "content", "operation", "origin", "leafUuid",
           "cwd", "gitBranch", "version", "planContent", "parentToolUseID", "entrypoint", "holdsPersonsWords", "userFeedback")  # fmt: skip
BLOCKS = st.dictionaries(
    st.sampled_from(["type", "id", "name", "input", "content", "tool_use_id", "is_error", "text", "server_name"]),
    st.sampled_from(["tool_use", "tool_result", "text", "Bash", "Task", "Edit", "mcp__a__b", "ExitPlanMode", "server_tool_use"])
    | VALUES,
)
HOSTILE = st.dictionaries(
    st.sampled_from(MEMBERS),
    VALUES
    | st.sampled_from(["user", "assistant", "progress", "system", "summary", "queue-operation", "attachment", "permission-mode"])
    | st.fixed_dictionaries({"content": st.lists(BLOCKS | VALUES, max_size=3) | VALUES, "type": VALUES | st.just("agent_progress")})
    | st.fixed_dictionaries({"type": st.just("agent_progress"), "agentId": st.text(), "message": VALUES | st.fixed_dictionaries(
        {"type": st.sampled_from(["user", "assistant"]), "message": st.fixed_dictionaries({"content": st.lists(BLOCKS)})})})
    | st.fixed_dictionaries({"agentId": VALUES, "answers": VALUES, "status": VALUES, "decision": VALUES}),
)  # fmt: skip


@given(st.lists(HOSTILE | VALUES, max_size=6))
@settings(max_examples=100, deadline=None)
def test_no_record_breaks_the_reader(records: list[object]) -> None:
    reader = IMPORTER.open()
    for one in records:
        try:
            parsed = reader.read(one)
        except BadRecord:
            continue
        for event in parsed.events:
            assert event.attrs.keys() <= ATTRS.keys()
            assert all(key.value and isinstance(key.value, str) for key in event.keys)
    assert 0 <= IMPORTER.sniff(records) <= 100


def transcripts(corpus: Path) -> list[Path]:
    return sorted([*corpus.glob("claude-code/**/*.json*"), *corpus.glob("claude-code-live/*/*/projects/**/*.jsonl")])


def test_corpus_counts_agree_with_plain_json(corpus: Path) -> None:
    """Calls, results and their pairing, counted a second time without any of the product's code."""
    seen: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    for path in transcripts(corpus):
        data = path.read_bytes()
        rows = json.loads(data)["loglines"] if path.suffix == ".json" else []
        for line in data.splitlines() if path.suffix == ".jsonl" else []:
            text = line.decode()
            try:
                while text.strip():
                    row, end = json.JSONDecoder().raw_decode(text)
                    rows.append(row)
                    text = text[end:]
            except ValueError:
                continue
        for row in rows:
            nested = row["data"].get("message") if isinstance(row, dict) and row.get("type") == "progress" else None
            for one in (row, nested):
                told = isinstance(one, dict) and one.get("type") in ("user", "assistant") and not one.get("isApiErrorMessage")
                message = one.get("message") if isinstance(one, dict) and told else None
                content = message.get("content") if isinstance(message, dict) else None
                for block in content if isinstance(content, list) else []:
                    if isinstance(block, dict):
                        expected[block.get("type") or ""] += 1
        source = open_source(io.BytesIO(data))
        assert source.format == "claude-code", path
        reader = source.importer.open()
        for item in source.items():
            if isinstance(item, Reject):
                continue
            try:
                parsed = reader.read(decode(item.data))
            except BadRecord:
                seen["bad"] += 1
                continue
            assert parsed.unknown_type is None
            for event in parsed.events:
                seen[event.phase.value] += 1
                assert event.keys[0].role is KeyRole.SCOPE
                assert event.attrs.keys() <= ATTRS.keys()
    assert seen["call"] == expected["tool_use"]
    assert seen["result"] == expected["tool_result"]
    assert seen["bad"] == 2


def test_corpus_decisions_are_those_the_program_wrote(corpus: Path) -> None:
    """Each is told once, by the hook that made it where it has a record of its own."""
    allowed = 0
    for path in sorted(corpus.glob("claude-code-live/2.1.330/*/projects/**/*.jsonl")):
        reader, expected, seen = IMPORTER.open(), [], []
        for line in path.read_bytes().splitlines():
            row = json.loads(line)
            decided = row.get("permissionDecision")
            if isinstance(decided, dict):
                (call,) = (one["tool_use_id"] for one in row["message"]["content"])
                expected.append((call, "ran" if decided["decision"] == "accept" else "refused"))
            for event in reader.read(row).events:
                if event.decision and (key := event.first_key(KeyRole.CALL)):
                    seen.append((key.value, "ran" if event.decision.effect is Effect.ALLOW else "refused"))
        assert [seen.count(one) for one in expected] == [1] * len(expected), path
        allowed += sum(word == "ran" for _, word in expected)
    assert allowed > 50


def test_it_is_found_by_the_registry(corpus: Path) -> None:
    assert importers()["claude-code"] is IMPORTER
    for path in [*corpus.glob("codex/**/*.jsonl"), *corpus.glob("claude-code-live/*/*/stream.jsonl")]:
        sample = [json.loads(line) for line in path.read_bytes().splitlines()[:50]]
        assert IMPORTER.sniff(sample) == 0


def test_of_a_long_file_the_latest_messages_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message told over two lines costs its tokens once, however many came before it."""
    monkeypatch.setattr("importers.claude_code._RECENT", 4)
    told = []
    for number in range(20):
        message = {"id": f"msg_{number}", "role": "assistant", "model": "m", "usage": {"input_tokens": 10, "output_tokens": 1}}
        for part in range(2):
            content = [call("Bash", f"toolu_{number}_{part}", command="ls")]
            told.append(record("assistant", uuid=f"u{number}.{part}", message={**message, "content": content}))
    assert [event.attrs.get("tokens") for event in read(*told)] == [11, None] * 20


def test_a_decision_told_again_is_one_and_another_deciders_is_its_own() -> None:
    told: set[str] = set()

    def again(rule: str, effect: Effect = Effect.DENY, call: str = "toolu_1") -> bool:
        (event,) = (
            one for one in read(calls({"type": "tool_use", "id": call, "name": "Bash", "input": {}})) if one.phase is Phase.CALL
        )
        return decided_before(told, replace(event, phase=Phase.VERDICT, decision=Decision(effect, rule)))

    assert [again("hook:guard"), again("hook"), again("hook:guard"), again("hook:audit"), again("user")] == [
        False,
        True,
        True,
        False,
        True,
    ]
    assert [again("", Effect.ALLOW), again("", call="toolu_2")] == [False, False]


@pytest.mark.parametrize(
    ("printed", "named"),
    [
        ("https://github.com/Acme/Api/pull/12", "pr:acme/api#12"),
        ("https://git.acme.example/acme/team/pay/-/merge_requests/41", "pr:acme/team/pay#41"),
        ("https://git.acme.example/acme/pay/merge_requests/4", "pr:acme/pay#4"),
        ("https://bitbucket.org/acme/shop/pull-requests/9", "pr:acme/shop#9"),
        ("https://git.acme.example/projects/PAY/repos/shop/pull-requests/3/overview", "pr:pay/shop#3"),
        ("https://bitbucket.org/acme/shop/pull-requests/new?source=x", ""),
    ],
)
def test_a_pull_request_is_known_by_the_address_that_any_host_prints(printed: str, named: str) -> None:
    assert [key.name for key in references_in(f"Created\n{printed}\n")] == ([named] if named else [])
