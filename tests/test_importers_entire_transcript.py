"""Entire's own transcripts: words and calls of any agent, refusals in its words, and the session that the metadata beside them names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from importers.base import reader_of
from importers.entire import IMPORTER as METADATA
from importers.entire_transcript import IMPORTER
from model.event import BadRecord, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, survives, whole

SESSION = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
FOLDER = "7d/bb86f78700/1"


def line(kind: str, *blocks: object, agent: str = "claude-code", **members: Any) -> dict[str, Any]:
    return {
        "v": 1,
        "agent": agent,
        "cli_version": "0.6.2",
        "type": kind,
        "ts": "2026-05-08T17:47:43.274Z",
        "content": list(blocks),
        **members,
    }


def used(call: str, tool: str, given: object, output: str | None = None, status: str = "success") -> dict[str, Any]:
    result = {} if output is None else {"result": {"output": output, "status": status}}
    return {"type": "tool_use", "id": call, "name": tool, "input": given, **result}


def told(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for record in records for event in reader.read(record).events]


ASKED = line("user", {"id": "u-1", "text": "PAY-7 fix it"}, {"type": "image", "source": {}})
CALLED = line("assistant", {"type": "text", "text": "ok"}, used("toolu_1", "Bash", {"command": "git push"}, "done"),
              used("toolu_2", "Read", {"file_path": "a.py"}, "no such file", "error"), used("toolu_3", "Bash", {"command": "ls"}),
              id="msg_1", input_tokens=6, output_tokens=4)  # fmt: skip


def test_words_calls_and_results() -> None:
    parsed, rejects = whole("\n".join(json.dumps(one) for one in (ASKED, CALLED)), "entire-transcript")
    assert rejects == [] and [one.unknown_type for one in parsed] == [None, None]
    started, intent, push, pushed, _, failed, listed = [event for one in parsed for event in one.events]
    assert (started.phase, intent.phase, intent.text) == (Phase.STARTED, Phase.PROMPT, "PAY-7 fix it")
    assert (push.verb, push.attrs["command"], push.point, push.agent) == (Verb.EXEC, "git push", "claude-code", "claude-code")
    assert (names(push, KeyRole.CALL), push.attrs["tokens"]) == (["call:toolu_1"], 10)
    assert [event.outcome and event.outcome.tool for event in (pushed, failed)] == [Tri.YES, Tri.NO]
    assert (listed.phase, names(listed, KeyRole.SCOPE)) == (Phase.CALL, names(started, KeyRole.SCOPE))


def test_a_refusal_in_the_agents_words_is_a_denial() -> None:
    no = "The user doesn't want to proceed with this tool use. The tool use was rejected"
    events = told(line("assistant", used("toolu_1", "Bash", {"command": "rm -rf x"}, no, "error")))
    assert [event.decision.effect for event in events if event.kind is EventKind.DECISION and event.decision] == [Effect.DENY]
    assert [event.attrs.get("refused") for event in events if event.phase is Phase.RESULT] == ["user"]


def test_codex_is_judged_by_its_text_and_its_scripts_by_what_they_spell_out() -> None:
    ran = used("call_1", "exec_command", {"cmd": "make"}, "Wall time: 1 seconds\nProcess exited with code 2\nOutput:\n")
    script = used("call_2", "exec", {"input": "await tools.exec_command({cmd: 'git push'})"}, "Script completed")
    patch = used("call_3", "apply_patch", {"input": "*** Begin Patch\n*** Delete File: b.py\n*** End Patch"})
    events = told(line("assistant", ran, script, patch, agent="codex", ts=""))
    assert [e.attrs.get("command") or e.target.name for e in events if e.phase is Phase.CALL] == ["make", "", "git push", "b.py"]
    assert [e.outcome and e.outcome.tool for e in events if e.phase is Phase.RESULT] == [Tri.NO, Tri.UNKNOWN, Tri.UNKNOWN]
    assert events[0].at is None


def test_the_metadata_beside_it_names_the_session() -> None:
    metadata = {"checkpoint_id": "7dbb86f78700", "session_id": SESSION, "strategy": "manual-commit"}
    begun = reader_of(IMPORTER, f"/repo/{FOLDER}/transcript.jsonl/transcript.jsonl").read(ASKED).events[0]
    known = reader_of(METADATA, f"/repo/{FOLDER}/metadata.json/metadata.json").read(metadata).events[0]
    shared = set(names(begun, KeyRole.SCOPE)) & set(names(known, KeyRole.SCOPE))
    assert shared == {"entire.session:7dbb86f78700/1"}
    several = metadata | {"session_id": "", "session_ids": [SESSION, SESSION[::-1]]}
    for event in reader_of(METADATA, f"/repo/{FOLDER}/metadata.json/metadata.json").read(several).events:
        assert len(names(event, KeyRole.SCOPE)) == 1


@pytest.mark.parametrize("record", [[], {"v": 2, "type": "user"}, {"v": 1}, {"type": "user", "content": []}])
def test_what_is_no_line_is_refused(record: object) -> None:
    with pytest.raises(BadRecord, match="transcript"):
        IMPORTER.open().read(record)


def test_unknown_lines_and_blocks_are_counted() -> None:
    reader = IMPORTER.open()
    assert reader.read(line("summary")).unknown_type == "summary"
    assert reader.read(line("user", {"type": "hologram"})).unknown_type == "user/block"
    assert reader.read(line("user") | {"content": "words alone"}).events[0].text == "words alone"


@given(mutated([ASKED, CALLED]))
@settings(max_examples=30, deadline=None)
def test_survives_anything(record: object) -> None:
    survives(IMPORTER, record)


@pytest.mark.parametrize(
    ("agent", "tool", "output", "ok"),
    [
        ("gemini-cli", "run_shell_command", "Output: no\nExit Code: 1", Tri.NO),
        ("gemini-cli", "read_file", "Exit Code: 1", Tri.YES),
        ("Copilot CLI", "bash", "no\n<shellId: 0 completed with exit code 1>", Tri.NO),
        ("Copilot CLI", "bash", "<command with shellId: 0 is still running after 9 seconds. Wait.>", Tri.UNKNOWN),
    ],
)
def test_what_an_agent_calls_a_success_may_have_failed(agent: str, tool: str, output: str, ok: Tri) -> None:
    events = told(line("assistant", used("call_1", tool, {"command": "make"}, output), agent=agent))
    assert [event.outcome and event.outcome.tool for event in events if event.phase is Phase.RESULT] == [ok]
