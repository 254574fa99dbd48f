"""What Codex rollouts say, in every wrapping: intents once, posture changes, calls, outcomes, refusals, spawned threads."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers import open_source
from importers.codex import IMPORTER
from importers.codex_prompts import handed
from importers.codex_tools import folder
from importers.registry import importers
from importers.shared.fields import decode
from model.event import ATTRS, BadRecord, Event, Key, RawRecord
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Vantage, Verb
from tests.codex_rows import PARENT, THREAD, call, item, message, meta, output, read, row, said


def test_the_first_record_says_whose_thread_it_is() -> None:
    git = {
        "commit_hash": "1cdfa7b17410e00cddbb7a4347336af2c6f80ee0",
        "branch": "main",
        "repository_url": "git@github.com:Acme/Api.git",
    }
    (event,) = IMPORTER.open().read(meta(git=git)).events
    assert (event.kind, event.phase, event.vantage, event.point) == (EventKind.ACTION, Phase.STARTED, Vantage.AGENT, "codex")
    assert event.keys == (Key(KeyRole.SCOPE, "session", THREAD),)
    assert event.attrs == {
        "cwd": "/home/ada/api",
        "branch": "main",
        "repository": "acme/api",
        "agent_version": "0.104.0",
        "origin": "endpoint",
        "sha": git["commit_hash"],
    }


def test_a_prompt_told_by_several_records_is_one_intent() -> None:
    words = "PAY-3: fix it"
    twin = message("item_completed", item={"type": "UserMessage", "content": [{"type": "text", "text": words}]})
    events = read(said(words), message("user_message", message=words), twin, said(words), twin)
    assert [(event.phase, event.text, event.attrs["ticket"]) for event in events] == [(Phase.PROMPT, words, "PAY-3")] * 2


@pytest.mark.parametrize(
    "words",
    ["<environment_context>\n<cwd>/x</cwd>", "<turn_aborted>\nx", "# AGENTS.md instructions for /x", "<user_instructions>x", " "],
)
def test_texts_of_the_program_are_no_intents(words: str) -> None:
    assert read(said(words), said("be careful", "developer"), said("hello", "assistant")) == []


def context(mode: str, sandbox: object, **members: Any) -> dict[str, Any]:
    return row(
        "turn_context", {"approval_policy": mode, "sandbox_policy": sandbox, "cwd": "/home/ada/api", "model": "m", **members}
    )


def test_the_policy_in_force_is_told_where_it_changes() -> None:
    events = read(
        context("on-request", {"type": "workspace-write"}),
        context("on-request", {"type": "workspace-write"}),
        message(
            "thread_settings_applied",
            thread_settings={"approval_policy": "on-request", "permission_profile": {"type": "managed"}},
        ),
        context("never", {"mode": "danger-full-access"}),
        context("never", "danger-full-access"),
    )
    assert [(event.phase, event.attrs["mode"], event.attrs["sandbox"]) for event in events] == [
        (Phase.POSTURE, "on-request", "workspace-write"),
        (Phase.POSTURE, "never", "danger-full-access"),
    ]


@pytest.mark.parametrize(
    ("one", "verb", "cls", "name", "attrs"),
    [
        (call("exec_command", {"cmd": "git push", "workdir": "/w"}), Verb.EXEC, TargetClass.UNKNOWN, "", {"command": "git push", "cwd": "/w"}),
        (call("shell", {"command": ["bash", "-lc", "ls && pwd"]}), Verb.EXEC, TargetClass.UNKNOWN, "", {"command": "ls && pwd"}),
        (call("shell", {"command": ["git", "log", "a b"]}), Verb.EXEC, TargetClass.UNKNOWN, "", {"command": "git log 'a b'"}),
        (call("exec_command", {"cmd": "rm x", "sandbox_permissions": "require_escalated"}), Verb.EXEC, TargetClass.UNKNOWN, "",
         {"sandbox": "require_escalated"}),
        (call("exec_command", "not json"), Verb.EXEC, TargetClass.UNKNOWN, "", {}),
        (call("write_stdin", {"session_id": 1, "chars": "yes\n"}), Verb.EXEC, TargetClass.UNKNOWN, "", {"command": "yes\n"}),
        (call("tracker__close", {}), Verb.MCP_CALL, TargetClass.MCP_SERVER, "tracker", {"mcp_server": "tracker"}),
        (call("mcp__db__execute_sql", {}), Verb.MCP_CALL, TargetClass.MCP_SERVER, "db", {"mcp_server": "db"}),
        (call("close", {}, namespace="mcp__tracker"), Verb.MCP_CALL, TargetClass.MCP_SERVER, "tracker", {"mcp_server": "tracker"}),
        (call("update_plan", {}), Verb.AGENT_MESSAGE, TargetClass.AGENT, "", {}),
        (call("no_such_tool", {}), Verb.UNKNOWN, TargetClass.UNKNOWN, "", {}),
        (item("web_search_call", status="completed", action={"type": "open_page", "url": "https://x.org/a"}), Verb.HTTP_REQUEST,
         TargetClass.NETWORK, "x.org", {"url": "https://x.org/a"}),
        (item("local_shell_call", call_id="call_1", action={"type": "exec", "command": ["ls"]}), Verb.EXEC, TargetClass.UNKNOWN, "",
         {"command": "ls"}),
        (item("custom_tool_call", name="apply_patch", call_id="call_1", input="*** Begin Patch\n*** Delete File: a.py\n*** End Patch"),
         Verb.FILE_DELETE, TargetClass.FILESYSTEM, "a.py", {"path": "a.py"}),
    ],
)  # fmt: skip
def test_every_call_has_its_verb_and_target(
    one: dict[str, Any], verb: Verb, cls: TargetClass, name: str, attrs: dict[str, str]
) -> None:
    (event,) = read(one)
    assert (event.phase, event.verb, event.target.cls, event.target.name) == (Phase.CALL, verb, cls, name)
    assert event.attrs.items() >= attrs.items()


def test_a_patch_of_several_files_is_several_operations() -> None:
    patch = (
        "*** Begin Patch\n*** Update File: src/a.py\n*** Move to: src/b.py\n*** Add File: .github/workflows/x.yml\n+a\n"
        "*** Delete File: c\n*** End Patch"
    )
    for one in (item("custom_tool_call", name="apply_patch", call_id="c", input=patch), call("apply_patch", {"input": patch})):
        (event,) = read(one)
        assert event.verb is Verb.FILE_WRITE
        assert [(op.verb, op.target.name) for op in event.operations] == [
            (Verb.FILE_WRITE, "src/a.py"),
            (Verb.FILE_WRITE, "src/b.py"),
            (Verb.CI_MODIFY, ".github/workflows/x.yml"),
            (Verb.FILE_DELETE, "c"),
        ]


def test_a_script_that_calls_tools_is_never_taken_for_harmless() -> None:
    (event,) = read(item("custom_tool_call", name="exec", call_id="c", input="await tools.exec_command({})"))
    assert [(op.verb, op.certain) for op in event.operations] == [(Verb.UNKNOWN, False)]
    done = {
        "type": "CommandExecution",
        "id": "exec-1",
        "command": ["/bin/bash", "-lc", "git push"],
        "status": "completed",
        "exit_code": 0,
    }
    called, came_back = read(message("item_completed", item=done))
    assert (called.phase, called.attrs["command"], came_back.phase) == (Phase.CALL, "git push", Phase.RESULT)
    assert called.keys == came_back.keys


def test_a_call_made_by_a_script_and_told_by_its_end_alone_is_a_call() -> None:
    ends = [
        message(
            "mcp_tool_call_end", call_id="exec-1", invocation={"server": "gh", "tool": "list"}, result={"Ok": {"content": []}}
        ),
        message("exec_command_end", call_id="exec-2", command=["git", "push"], exit_code=0),
        message("patch_apply_end", call_id="exec-3", changes={"/a": {"type": "delete"}}, success=True),
    ]
    called = [event for event in read(*ends) if event.phase is Phase.CALL]
    assert [(event.verb, event.target.name) for event in called] == [
        (Verb.MCP_CALL, "gh"),
        (Verb.EXEC, ""),
        (Verb.FILE_DELETE, "/a"),
    ]


@pytest.mark.parametrize(
    ("status", "effect"),
    [("approved", Effect.ALLOW), ("denied", Effect.DENY), ("in_progress", None), ("timed_out", None), (7, None)],
)
def test_an_automatic_review_told_beside_its_call_decides_it(status: object, effect: Effect | None) -> None:
    told = message("guardian_assessment", id="g", target_item_id="call_1", status=status, risk_level="high", rationale="leaks")
    verdicts = read(told)
    assert [one.decision.effect for one in verdicts if one.decision] == ([effect] if effect else [])
    for one in verdicts:
        assert one.decision is not None
        assert one.first_key(KeyRole.CALL) == Key(KeyRole.CALL, "call", "call_1")
        assert (one.decision.rule, one.decision.reason) == ("automatic review, risk high", "leaks")


def test_an_approval_asked_for_is_a_decision_to_ask() -> None:
    (event,) = read(message("exec_approval_request", call_id="call_1", command=["git", "push"], reason="leave the sandbox"))
    assert event.decision is not None
    assert (event.decision.effect, event.decision.reason, event.attrs["command"]) == (Effect.ASK, "leave the sandbox", "git push")
    assert event.verb is Verb.EXEC


SPAWN = {
    "subagent": {"thread_spawn": {"parent_thread_id": PARENT, "depth": 1, "agent_role": "explorer", "agent_path": "/root/reader"}}
}


@pytest.mark.parametrize("begin", [meta(source=SPAWN), meta(source="exec", parent_thread_id=PARENT)])
def test_a_spawned_thread_names_its_parent(begin: dict[str, Any]) -> None:
    (event,) = read(call("exec_command", {"cmd": "ls"}), begin=begin)
    assert event.keys[:2] == (Key(KeyRole.SCOPE, "session", THREAD), Key(KeyRole.PARENT, "session", PARENT))


def test_what_a_spawned_thread_is_told_is_delegated() -> None:
    task = item("agent_message", author="/root", recipient="/root/reader", content=[{"type": "input_text", "text": "read it"}])
    answer = item("agent_message", author="/root/reader", recipient="/root", content=[{"type": "input_text", "text": "done"}])
    events = read(task, answer, begin=meta(source=SPAWN))
    assert [(event.phase, event.text) for event in events] == [(Phase.DELEGATED, "read it")]


def test_the_history_a_spawned_thread_inherits_is_left_to_its_parent() -> None:
    reader = IMPORTER.open()
    reader.read({**meta(source=SPAWN, subagent_history_start_ordinal=5), "ordinal": 0})
    inherited = [{**row("session_meta", {"id": PARENT}), "ordinal": 1}, {**call("spawn_agent", {"message": "x"}), "ordinal": 4}]
    assert [reader.read(one).events for one in inherited] == [[], []]
    assert len(reader.read({**call("exec_command", {"cmd": "ls"}), "ordinal": 5}).events) == 1


def test_the_turns_of_the_thread_that_a_fork_was_made_from_are_left_to_it() -> None:
    """Older versions copy them, with the time of the copying; a turn is dated by its id."""
    before, after = "019c8a4c-0001-79a1-aa28-7738fc5ab61a", "019c8a4d-0001-79a1-aa28-7738fc5ab61a"
    copied = [
        row("session_meta", {"id": PARENT}),
        message("task_started", turn_id=before),
        said("the parent's"),
        call("exec_command", {"cmd": "ls"}),
        message("task_started", turn_id=after),
    ]
    own = [said("go on"), call("exec_command", {"cmd": "make"})]
    told = read(*copied, *own, begin=meta(forked_from_id=PARENT))
    assert [event.text or event.attrs["command"] for event in told] == ["go on", "make"]
    assert len(read(*copied, *own)) == 4
    undated = [message("task_started", turn_id="1"), said("brief")]
    assert [event.text for event in read(*undated, begin=meta(forked_from_id=PARENT))] == ["brief"]


CHILD = "019fbcd0-1111-7000-8000-000000000001"


@pytest.mark.parametrize(
    "one",
    [
        message("item_completed", item={"type": "SubAgentActivity", "id": "call_1", "kind": "started", "agent_thread_id": CHILD}),
        row("event_msg", {"type": "sub_agent_activity", "event_id": "call_1", "kind": "started", "agent_thread_id": CHILD}),
        message("collab_agent_spawn_end", call_id="call_1", new_thread_id=CHILD, new_agent_role="explorer"),
        message("collab_tool_call", call_id="call_1", new_thread_id=CHILD, tool="spawn_agent"),
        output(json.dumps({"agent_id": CHILD, "nickname": "Sartre"}, separators=(",", ":"))),
    ],
)
def test_the_spawning_call_is_tied_to_the_thread(one: dict[str, Any]) -> None:
    tie = read(one)[-1]
    assert (tie.phase, tie.keys) == (
        Phase.STARTED,
        (
            Key(KeyRole.SCOPE, "session", CHILD),
            Key(KeyRole.PARENT, "session", THREAD),
            Key(KeyRole.PARENT, "call", "call_1"),
        ),
    )


def test_what_a_command_wrote_ties_no_thread_and_answers_no_question() -> None:
    for wrote in (json.dumps({"agent_id": CHILD}, separators=(",", ":")), '{"answers":{"a":{"answers":["go on"]}}}'):
        events = read(call("exec_command", {"cmd": "cat x"}), output(wrote))
        assert [event.phase for event in events] == [Phase.CALL, Phase.RESULT]


def test_what_a_person_answered_to_the_agent_is_their_words() -> None:
    answers = {"answers": {"database": {"answers": ["postgres"]}, "note": {"answers": []}}}
    asked = call("request_user_input", {"questions": [{"id": "database", "question": "Which?"}]})
    intent = read(asked, output(json.dumps(answers, separators=(",", ":"))))[-1]
    assert (intent.phase, intent.text) == (Phase.PROMPT, "database: postgres")
    assert intent.first_key(KeyRole.CALL) == Key(KeyRole.CALL, "call", "call_1")


@pytest.mark.parametrize(
    ("answer", "effect"),
    [
        ('{"permissions":{"network":{"enabled":true}},"scope":"turn"}', Effect.ALLOW),
        ('{"permissions":{},"scope":"turn"}', Effect.DENY),
        ("failed", None),
    ],
)
def test_an_agent_that_asks_for_more_changes_no_safeguard_and_is_answered(answer: str, effect: Effect | None) -> None:
    asked, _, *verdicts = read(call("request_permissions", {"reason": "the registry"}), output(answer))
    assert asked.verb is Verb.AGENT_MESSAGE
    assert [one.decision and one.decision.effect for one in verdicts] == ([effect] if effect else [])


def test_a_review_that_a_person_asked_for_is_a_request_and_what_came_of_it_none() -> None:
    events = read(
        message(
            "entered_review_mode", target={"type": "baseBranch", "branch": "main"}, user_facing_hint="changes against 'main'"
        ),
        said("<user_action>\n  <context>User initiated a review task.</context>\n</user_action>"),
        message("entered_review_mode", target={"type": "custom", "instructions": "look at PAY-7"}),
    )
    assert [event.text for event in events] == ["/review changes against 'main'", "/review look at PAY-7"]


def test_what_an_editor_puts_before_a_request_is_none_of_it() -> None:
    words = "# Context from my IDE setup:\n\n## Active file: a.py\n\n## My request for Codex:\nrename it\n"
    assert [event.text for event in read(said(words), message("user_message", message=words))] == ["rename it"]


def test_a_message_between_threads_neither_begins_nor_ends_one() -> None:
    def told(kind: str, thread: str) -> list[Event]:
        return read(
            row("event_msg", {"type": "sub_agent_activity", "event_id": "call_1", "kind": kind, "agent_thread_id": thread}),
            message("item_completed", item={"type": "SubAgentActivity", "id": "call_1", "kind": kind, "agent_thread_id": thread}),
            begin=meta(source=SPAWN),
        )

    assert told("interacted", CHILD) == told("interacted", PARENT) == told("started", PARENT) == []
    assert [event.phase for event in told("interrupted", CHILD)] == [Phase.ENDED, Phase.ENDED]


def test_spawning_is_a_call_with_a_delegated_intent() -> None:
    spawn, intent = read(call("spawn_agent", {"agent_type": "explorer", "message": "look around"}, namespace="collaboration"))
    assert (spawn.verb, spawn.attrs["agent_type"]) == (Verb.AGENT_SPAWN, "explorer")
    assert (intent.phase, intent.text, intent.attrs["agent_type"]) == (Phase.DELEGATED, "look around", "explorer")
    many, each = read(call("spawn_agents_on_csv", {"csv_path": "files.csv", "instruction": "Review {path}"}))
    assert (many.verb, each.phase, each.text) == (Verb.AGENT_SPAWN, Phase.DELEGATED, "Review {path}")


def test_an_automatic_reviewer_decides_in_a_thread_of_its_own() -> None:
    begin = meta(source={"subagent": {"other": "guardian"}}, parent_thread_id=PARENT)
    (event,) = read(said('{"outcome":"deny","risk_level":"high","rationale":"no"}', "assistant"), begin=begin)
    assert event.decision is not None
    assert (event.decision.effect, event.decision.reason) == (Effect.DENY, "no")
    assert read(said('{"outcome":"deny"}', "assistant")) == []


def test_records_have_no_identity_but_the_thread_they_stand_in() -> None:
    reader = IMPORTER.open()
    for one in (meta(), said("x"), message("token_count", info=None)):
        parsed = reader.read(one)
        assert (parsed.identity, parsed.scope) == (None, THREAD)


def test_unknown_types_are_kept_and_counted() -> None:
    reader = IMPORTER.open()
    assert reader.read(row("hologram", {})).unknown_type == "hologram"
    assert reader.read(message("brand_new")).unknown_type == "event_msg/brand_new"
    assert reader.read(item("brand_new")).unknown_type == "response_item/brand_new"


@pytest.mark.parametrize("one", [1, [], None, "x", {}, {"type": "event_msg"}, {"type": "session_meta", "payload": []}])
def test_what_no_rollout_holds_is_rejected(one: object) -> None:
    with pytest.raises(BadRecord):
        IMPORTER.open().read(one)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(
    [
        "message",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "local_shell_call",
        "web_search_call",
        "agent_message",
        "item_completed",
        "exec_command_end",
        "patch_apply_end",
        "mcp_tool_call_end",
        "exec_approval_request",
        "user_message",
        "started",
        "apply_patch_approval_request",
        "collab_agent_spawn_end",
        "thread_settings_applied",
        "CommandExecution",
        "FileChange",
        "user",
        "McpToolCall",
        "SubAgentActivity",
        "UserMessage",
        "exec-1",
        "apply_patch",
        "spawn_agent",
        "shell",
    ]
) | st.sampled_from(['{"agent_id":[]}', '{"output":3}'])
MEMBERS = ["type", "role", "content", "name", "namespace", "arguments", "input", "call_id", "output", "item", "id", "command", "changes",
           "status", "kind", "agent_thread_id", "exit_code", "approval_policy", "sandbox_policy", "permission_profile", "source", "git",
           "parent_thread_id", "subagent_history_start_ordinal", "cwd", "result", "error", "action", "author", "recipient",
           "thread_settings", "message", "success", "new_thread_id", "aggregated_output", "stdout"]  # fmt: skip
PAYLOADS = st.dictionaries(st.sampled_from(MEMBERS), VALUES | WORDS | st.dictionaries(st.sampled_from(MEMBERS), VALUES | WORDS))
HOSTILE = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["session_meta", "turn_context", "response_item", "event_msg", "compacted", "message"]) | VALUES,
        "payload": PAYLOADS | VALUES,
        "timestamp": VALUES,
        "ordinal": VALUES,
        "record_type": st.just("state") | VALUES,
        "instructions": VALUES,
        "id": VALUES,
    },
)


@given(st.lists(HOSTILE | PAYLOADS | VALUES, max_size=6))
@settings(max_examples=100, deadline=None)
def test_no_record_breaks_the_reader(rows: list[object]) -> None:
    reader = IMPORTER.open()
    for one in rows:
        try:
            parsed = reader.read(one)
        except BadRecord:
            continue
        for event in parsed.events:
            assert event.attrs.keys() <= ATTRS.keys()
            assert all(key.value and isinstance(key.value, str) for key in event.keys)
    assert 0 <= IMPORTER.sniff(rows) <= 100


def rollouts(corpus: Path) -> list[Path]:
    return sorted([*corpus.glob("codex/**/*.jsonl"), *corpus.glob("codex-live/runs/*/rollout*.jsonl")])


def test_corpus_counts_agree_with_plain_json(corpus: Path) -> None:
    """Calls and prompts counted a second time without any of the product's code."""
    seen: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    for path in rollouts(corpus):
        data = path.read_bytes()
        start = 0
        reviewer = b'"guardian_review"' in data
        scripts: Counter[str] = Counter()
        for line in data.splitlines():
            one = json.loads(line)
            payload = one["payload"]
            start = start or payload.get("subagent_history_start_ordinal", 0)
            expected["records"] += 1
            if one["type"] == "session_meta" or one.get("ordinal", start) < start:
                continue
            kind = payload.get("type", "")
            expected["call"] += one["type"] == "response_item" and kind.endswith("_call")
            expected["call"] += kind == "item_completed" and payload["item"]["id"].startswith("exec-")
            expected["prompt"] += not reviewer and kind == "item_completed" and payload["item"]["type"] == "UserMessage"
            # A script's commands that have no record of their own are calls as well.
            if kind == "custom_tool_call" and payload["name"] == "exec":
                scripts[payload["call_id"]] = payload["input"].count("tools.exec_command(")
            elif kind == "item_completed" and payload["item"]["type"] == "CommandExecution":
                scripts = Counter({name: left - 1 for name, left in scripts.items()})
            elif kind == "custom_tool_call_output":
                expected["call"] += max(scripts.pop(payload["call_id"], 0), 0)
        source = open_source(io.BytesIO(data))
        assert source.format == "codex", path
        reader = source.importer.open()
        for found in source.items():
            assert isinstance(found, RawRecord)
            seen["records"] += 1
            parsed = reader.read(decode(found.data))
            assert parsed.unknown_type is None
            for event in parsed.events:
                seen["call"] += event.phase is Phase.CALL
                told = event.phase is Phase.PROMPT or (event.phase is Phase.DELEGATED and not event.keys_of(KeyRole.CALL))
                seen["prompt"] += (
                    told and not reviewer and "codex-live" in str(path) and not event.text.endswith("in words this log encrypts")
                )
                assert event.attrs.keys() <= ATTRS.keys()
    assert seen == expected


def test_it_is_found_by_the_registry(corpus: Path) -> None:
    assert importers()["codex"] is IMPORTER
    for path in [
        *corpus.glob("claude-code/**/*.jsonl"),
        *corpus.glob("codex-live/runs/*/events.jsonl"),
        corpus / "codex-live/otel.jsonl",
    ]:
        sample = []
        for line in path.read_bytes().splitlines()[:50]:
            try:
                sample.append(json.loads(line))
            except ValueError:
                continue
        assert IMPORTER.sniff(sample) == 0, path


def test_what_one_agent_hands_to_another_is_the_payload_or_says_that_it_is_encrypted() -> None:
    head = "Message Type: NEW_TASK\nTask name: /root/tester\nSender: /root\nPayload:\n"
    assert handed(head + "Check the tests.") == "Check the tests."
    assert handed(head) == "/root/tester for /root, in words this log encrypts"
    assert handed("Message Type is unclear") == "Message Type is unclear"


def test_a_call_that_only_its_end_tells_of_is_a_call() -> None:
    """Newer desktop rollouts keep the program's word on a command and not the model's; a person's own command is no call."""
    end = {
        "type": "exec_command_end",
        "call_id": "c1",
        "command": ["bash", "-lc", "go test ./..."],
        "exit_code": 1,
        "status": "failed",
    }
    meta = {"timestamp": "2026-04-22T19:00:01Z", "type": "session_meta", "payload": {"id": THREAD, "cwd": "/w"}}
    call = {"type": "response_item", "payload": {"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c1"}}

    def phases(*records: dict[str, Any]) -> list[Phase]:
        reader = IMPORTER.open()
        return [event.phase for one in (meta, *records) for event in reader.read(one).events][1:]

    told = {"type": "event_msg", "payload": end}
    assert phases(told) == [Phase.CALL, Phase.RESULT]
    assert phases(call, told) == [Phase.CALL, Phase.RESULT]
    assert phases({"type": "event_msg", "payload": {**end, "source": "user_shell"}}) == []


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("/home/ada/a b", "/home/ada/a b"),
        ("file:///home/ada/a%20b", "/home/ada/a b"),
        ("file:///C:/Users/ada", "C:/Users/ada"),
        ("file://build/srv/api", "/srv/api"),
        (None, ""),
    ],
)
def test_a_folder_written_as_an_address_is_the_folder(written: object, path: str) -> None:
    assert folder(written) == path
    ran = {
        "id": "exec-1",
        "command": ["ls"],
        "cwd": written,
        "parsed_cmd": [],
        "source": "agent",
        "status": "completed",
        "exit_code": 0,
    }
    made = read(message("item_completed", item={"type": "CommandExecution", **ran}))
    assert {event.attrs.get("cwd") for event in made if event.phase is Phase.CALL} == {path or "/home/ada/api"}


@pytest.mark.parametrize("source", ["user_shell", "userShell"])
def test_a_command_that_a_person_ran_is_nothing_of_the_agents(source: str) -> None:
    ran = {
        "id": "call_1",
        "command": ["ls"],
        "cwd": "/w",
        "parsed_cmd": [],
        "source": source,
        "status": "completed",
        "exit_code": 0,
    }
    assert read(message("item_completed", item={"type": "CommandExecution", **ran})) == []


def test_a_thread_that_names_its_session_alone() -> None:
    (event,) = IMPORTER.open().read({"type": "session_meta", "payload": {"session_id": THREAD, "cwd": "/w"}}).events
    assert event.keys == (Key(KeyRole.SCOPE, "session", THREAD),)
