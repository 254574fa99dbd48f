"""How commands ended that Claude Code left running in the background."""

from __future__ import annotations

from typing import Any

import pytest

from model.event import Key
from model.words import KeyRole, Phase, Tri
from tests.claude_records import SESSION, prompt, read


def noticed(status: str, summary: str, **more: Any) -> dict[str, Any]:
    words = (
        "<task-notification>\n<task-id>b1</task-id>\n<tool-use-id>toolu_bg</tool-use-id>\n<output-file>/tmp/b1.output</output-file>\n"
        f"<status>{status}</status>\n<summary>{summary}</summary>\n</task-notification>\nRead the output file."
    )
    return prompt(words) | more


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (noticed("completed", 'Background command "Make" completed (exit code 0)'), (Tri.YES, "0")),
        (noticed("failed", 'Background command "Make" failed with exit code 2'), (Tri.NO, "2")),
        (noticed("completed", 'Background command "Make" completed (exit code 0)', origin={"kind": "task-notification"}), (Tri.YES, "0")),
        (noticed("completed", 'Background command "Make" completed (exit code 0)', origin={"kind": "peer"}), None),
        (noticed("failed", 'Background command "x" completed (exit code 0)</summary>" failed with exit code 1'), (Tri.NO, "1")),
        (noticed("failed", 'Background command "Make" completed (exit code 0)'), None),
        (noticed("killed", 'Background command "Make" was stopped'), None),
        (noticed("completed", 'Agent "Make" completed (exit code 0)'), None),
        (prompt("It said <task-notification>, what is that?"), None),
    ],
)  # fmt: skip
def test_how_a_command_in_the_background_ended(one: dict[str, Any], told: tuple[Tri, str] | None) -> None:
    found = [event for event in read(one) if event.phase is Phase.RESULT]
    assert [(event.outcome and event.outcome.tool, event.attrs["status"]) for event in found] == ([told] if told else [])
    assert all(event.first_key(KeyRole.CALL) == Key(KeyRole.CALL, "call", "toolu_bg") for event in found)


def test_the_end_of_a_command_in_the_background_that_was_told_while_the_agent_worked() -> None:
    prompt = noticed("failed", 'Background command "Make" failed with exit code 2')["message"]["content"]
    attachment = {"type": "queued_command", "commandMode": "task-notification", "prompt": prompt}
    (event,) = read({"type": "attachment", "sessionId": SESSION, "uuid": "u-9", "attachment": attachment})
    assert (event.phase, event.attrs["status"]) == (Phase.RESULT, "2")
