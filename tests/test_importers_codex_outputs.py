"""What came back of a Codex call: exit codes, refusals, and who says so, in every shape an output was ever written in."""

from __future__ import annotations

import pytest

from model.event import Key
from model.words import Effect, EventKind, KeyRole, Phase, Tri
from tests.codex_rows import message, output, read, row


@pytest.mark.parametrize(
    ("value", "tool", "status", "refused"),
    [
        ("Chunk ID: 9\nWall time: 0.0 seconds\nProcess exited with code 0\nOriginal token count: 0\nOutput:\n", Tri.YES, "0", None),
        ("Chunk ID: 9\nWall time: 0.0 seconds\nProcess exited with code 128\nOutput:\nfatal", Tri.NO, "128", None),
        ("Chunk ID: 9\nWall time: 1 seconds\nProcess running with session ID 7\nOutput:\nProcess exited with code 0\n", Tri.UNKNOWN, None, None),
        ("Exit code: 0\nWall time: 0.2 seconds\nOutput:\nSuccess.", Tri.YES, "0", None),
        ('{"output":"x","metadata":{"exit_code":1,"duration_seconds":0.1}}', Tri.NO, "1", None),
        ({"output": "x", "metadata": {"exit_code": 0}}, Tri.YES, "0", None),
        ({"content": "x", "success": False}, Tri.NO, None, None),
        ("something else", Tri.UNKNOWN, None, None),
        ("unsupported call: update_plan", Tri.NO, None, None),
        ('exec_command failed: CreateProcess { message: "Rejected(\\"rejected by user\\")" }', Tri.NO, None, "user"),
        ('exec_command failed: CreateProcess { message: "Rejected(\\"`rm` rejected: not permitted\\")" }', Tri.NO, None, "rule"),
        (f'exec_command failed for `/bin/bash -lc "{"x" * 900}"`: CreateProcess {{ message: "Rejected(\\"rejected by user\\")" }}', Tri.NO, None, "user"),
        ('exec_command failed: CreateProcess { message: "Rejected(\\"Failed to create unified exec process: No such file (os error 2)\\")" }',
         Tri.NO, None, None),
        ("patch rejected: writing outside of the project; rejected by user approval settings", Tri.NO, None, "rule"),
        ("patch rejected by user", Tri.NO, None, "user"),
        ("exec command rejected by user", Tri.NO, None, "user"),
        ("unified exec command rejected by user", Tri.NO, None, "user"),
        ('execution error: Rejected("rejected by user")', Tri.NO, None, "user"),
        ('execution error: Rejected("approval required by policy, but approvals are off")', Tri.NO, None, "rule"),
        ("exec command rejected: approval policy is never", Tri.NO, None, "rule"),
        ("`git push` rejected: blocked by policy", Tri.NO, None, "rule"),
        ("rejected: blocked by policy", Tri.NO, None, "rule"),
        ("This action was rejected due to unacceptable risk.\nReason: it deletes data.\nDo not try again.", Tri.NO, None, "rule"),
        ("user cancelled MCP tool call", Tri.NO, None, "user"),
        ("MCP tool call blocked by app configuration", Tri.NO, None, "rule"),
        ("failed in sandbox LinuxSeccomp with execution error: Denied", Tri.NO, None, None),
        ("Wall time: 0.1 seconds\naborted by user", Tri.NO, None, "interrupted"),
        ([{"type": "input_text", "text": "Wall time: 0.1 seconds\nOutput:"}, {"type": "input_text", "text": "user rejected MCP tool call"}],
         Tri.NO, None, "user"),
        ([{"type": "input_text", "text": "Script completed\nOutput:\n"}, {"type": "input_text", "text": '{"exit_code":128,"output":"x"}'}],
         Tri.NO, "128", None),
        ([{"text": "Script failed\nOutput:\n"}, {"text": 'Script error:\nexec_command failed: CreateProcess { message: "Rejected(\\"rejected by user\\")" }'}],
         Tri.NO, None, "user"),
        ([{"type": "input_text", "text": '{"output":"2 passed\\n","exit_code":0,"wall_time_seconds":0.2}'}], Tri.YES, "0", None),
        ("Chunk ID: 1\nProcess exited with code 0\nOutput:\nexec command rejected by user", Tri.YES, "0", None),
        (None, Tri.UNKNOWN, None, None),
    ],
)  # fmt: skip
def test_outputs(value: object, tool: Tri, status: str | None, refused: str | None) -> None:
    events = read(output(value))
    done = events[0]
    assert done.outcome is not None
    assert (done.phase, done.outcome.tool, done.attrs.get("status"), done.attrs.get("refused")) == (
        Phase.RESULT,
        tool,
        status,
        refused,
    )
    verdicts = [(event.decision.effect, event.decision.by) for event in events[1:] if event.decision]
    assert verdicts == ([(Effect.DENY, "user" if refused == "user" else "codex")] if refused in ("user", "rule") else [])
    assert all(event.first_key(KeyRole.CALL) == Key(KeyRole.CALL, "call", "call_1") for event in events)


@pytest.mark.parametrize(
    "words",
    [
        "approval request failed",
        "patch rejected: approval request failed",
        "Error while requesting approval: channel closed",
        "automatic approval review could not complete",
        "The automatic permission approval review did not finish before its deadline. Do not assume that the action is unsafe.",
        'exec_command failed for `/bin/bash -lc ls`: CreateProcess { message: "Rejected(\\"approval request failed\\")" }',
        'execution error: Rejected("Error while requesting approval")',
    ],
)
def test_an_approval_that_nobody_answered_is_no_denial(words: str) -> None:
    done, verdict = read(output(words))
    assert done.outcome is not None
    assert verdict.decision is not None
    assert (done.outcome.tool, done.attrs["refused"], verdict.decision.effect) == (Tri.NO, "rule", Effect.ASK)
    done, verdict = read(message("exec_command_end", call_id="call_1", aggregated_output=words, exit_code=-1, status="declined"))
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.ASK


def test_where_approvals_are_off_nobody_is_asked_and_a_no_is_the_policy_s() -> None:
    cancelled = message("mcp_tool_call_end", call_id="call_1", result={"Err": "user cancelled MCP tool call"})
    for policy, by in (("never", "rule"), ("on-request", "user")):
        context = row("turn_context", {"approval_policy": policy})
        for one in (cancelled, output("user cancelled MCP tool call")):
            events = read(context, one)
            assert [event.attrs["refused"] for event in events if event.phase is Phase.RESULT] == [by]
            assert [event.decision.rule for event in events if event.decision and event.decision.effect is Effect.DENY] == [by]


def test_a_denial_that_reviewer_program_and_output_tell_is_one_decision() -> None:
    refused = "This action was rejected due to unacceptable risk.\nReason: it deletes data."
    events = read(
        message("guardian_assessment", target_item_id="call_1", status="denied", risk_level="high", rationale="it deletes data"),
        message("exec_command_end", call_id="call_1", command=["rm"], exit_code=-1, status="declined", aggregated_output=refused),
        output(refused),
    )
    (verdict,) = [event for event in events if event.kind is EventKind.DECISION]
    assert verdict.decision and verdict.decision.rule == "automatic review, risk high"
    assert {event.attrs["refused"] for event in events if event.phase is Phase.RESULT} == {"rule"}


def test_the_programs_own_word_decides_where_the_text_is_silent() -> None:
    declined = {"type": "FileChange", "id": "call_1", "changes": {}, "status": "declined", "stderr": "patch rejected by user"}
    events = read(message("item_completed", item=declined))
    assert [event.kind for event in events] == [EventKind.ACTION, EventKind.DECISION]
    (event,) = read(message("exec_command_end", call_id="call_1", exit_code=0, stdout="[main abc1234] x"))
    assert event.outcome is not None
    assert event.outcome.tool is Tri.YES
    assert Key(KeyRole.REFERENCE, "commit", "abc1234") in event.keys


@pytest.mark.parametrize(
    ("words", "refused"), [("exec command rejected by user", "user"), ("", "user"), ("`rm` is forbidden by policy", "rule")]
)
def test_a_declined_command_was_refused_by_whoever_says_so(words: str, refused: str) -> None:
    told = message("exec_command_end", call_id="call_1", exit_code=-1, aggregated_output=words, status="declined")
    done, verdict = read(told)
    assert done.outcome is not None
    assert verdict.decision is not None
    assert (done.outcome.tool, done.attrs["refused"], verdict.decision.effect) == (Tri.NO, refused, Effect.DENY)


@pytest.mark.parametrize(
    ("result", "tool", "refused"),
    [
        ({"Ok": {"content": [{"type": "text", "text": "3 found"}]}}, Tri.YES, None),
        ({"Ok": {"content": [{"type": "text", "text": "no such repository"}], "isError": True}}, Tri.NO, None),
        ({"Ok": {"content": [], "is_error": True}}, Tri.NO, None),
        ({"content": [], "is_error": True}, Tri.NO, None),
        ({"Err": "tool call error: timed out"}, Tri.NO, None),
        ({"Err": "user rejected MCP tool call"}, Tri.NO, "user"),
        (None, Tri.UNKNOWN, None),
        ("odd", Tri.UNKNOWN, None),
    ],
)
def test_what_an_mcp_server_answers(result: object, tool: Tri, refused: str | None) -> None:
    done, *verdicts = read(message("mcp_tool_call_end", call_id="call_1", result=result))
    assert done.outcome is not None
    assert (done.outcome.tool, done.attrs.get("refused")) == (tool, refused)
    assert [one.decision.effect for one in verdicts if one.decision] == ([Effect.DENY] if refused else [])
