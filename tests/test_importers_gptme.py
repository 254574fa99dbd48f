"""What gptme conversations say: calls in code blocks and in lines, answered by the messages that follow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.gptme import IMPORTER
from model.event import BadRecord, Event, Outcome
from model.words import Clock, Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, only, survives, whole


def says(role: str, content: str, **members: Any) -> dict[str, Any]:
    return {"role": role, "content": content, "timestamp": "2026-06-13T10:00:05.000000", **members}


BEGIN = says("system", "You are gptme", pinned=True)
SHELL = says("assistant", "First:\n```shell\ngit push\n```\nthen\n```save src/a.py\nx = 1\n```\n")


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    reader.read(BEGIN)
    return [event for one in records for event in reader.read(one).events]


def test_blocks_are_calls_and_the_next_messages_their_results() -> None:
    events = read(
        says("user", "go"), SHELL, says("system", "Ran allowlisted command: `git push`"), says("system", "Saved to a.py")
    )
    calls = [e for e in events if e.phase is Phase.CALL]
    results = [e for e in events if e.phase is Phase.RESULT]
    assert [(c.verb, c.attrs.get("command"), c.target.name) for c in calls] == [
        (Verb.EXEC, "git push", ""),
        (Verb.FILE_WRITE, None, "src/a.py"),
    ]
    assert [names(c, KeyRole.CALL) for c in calls] == [names(r, KeyRole.CALL) for r in results]
    verdict = only(events, EventKind.DECISION)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.rule) == (Effect.ALLOW, "allowlist")
    assert events[0].clock is Clock.ZONE_ASSUMED


@pytest.mark.parametrize(
    ("words", "code", "ok"),
    [
        ("Ran command: `false`\n\nNo output\nReturn code: 1", "1", Tri.NO),
        ("Ran allowlisted command: `ls`\n\n```stdout\na\n```", None, Tri.YES),
        ("Ran command: `sleep 9`\n\n**Timed out** after 5s", None, Tri.UNKNOWN),
        ("Command timed out (after 5s): `sleep 9`\n\nNo output before timeout\n", None, Tri.NO),
        ("Command interrupted: `sleep 9`\n\nNo output\nProcess interrupted (return code: -2)", "-2", Tri.NO),
        ("Ran command: `cat log`\n\n```stdout\nReturn code: 3\n```\n\n", None, Tri.YES),
        ("Saved to a.py", None, Tri.YES),
        ("Patch successfully applied to `a.py`", None, Tri.YES),
        ("Tool 'shell' is not available for execution.", None, Tri.NO),
        ("File not found: a.py", None, Tri.NO),
        ("Executed code block.\n\nResult:\n```\n2\n```\n", None, Tri.YES),
        ("Executed code block.\n\nException during execution on line 1:\n  ValueError: x", None, Tri.NO),
        ("Executed code block.\n\n```stdout\nException: ValueError: x\n```\n", None, Tri.YES),
        ("Todo list is empty", None, Tri.UNKNOWN),
    ],
)
def test_a_shell_names_its_exit_code_where_it_failed(words: str, code: str | None, ok: Tri) -> None:
    done = only(read(SHELL, says("system", words)), EventKind.ACTION, Phase.RESULT)
    assert (done.attrs.get("status"), (done.outcome or Outcome()).tool) == (code, ok)


@pytest.mark.parametrize(
    ("words", "who", "effect"),
    [
        ("Aborted, user chose not to run command.", "user", Effect.DENY),
        ("Operation aborted: user chose not to run the operation.", "user", Effect.DENY),
        ("Declined by user", "user", Effect.DENY),
        ("Execution declined by user", "user", Effect.DENY),
        ("Save aborted: user refused to create a missing folder.", "user", Effect.DENY),
        ("Background command denied: `rm`\n\nx", "rule", Effect.DENY),
        ("Blocked by anomaly_watchdog:\nmany writes", "hook", Effect.DENY),
        ("Command denied: `git push --force`\n\nRewrites what others have", "rule", Effect.DENY),
        ("Shellcheck found critical issues that prevent execution:\n```\nx\n```", "rule", Effect.DENY),
        ("[guardrails] blocked: shell policy: rm of a root", "hook", Effect.DENY),
        ("No confirmation hook registered", "rule", Effect.ASK),
    ],
)
def test_who_kept_a_call_from_being_run(words: str, who: str, effect: Effect) -> None:
    events = read(SHELL, says("system", words))
    done = only(events, EventKind.ACTION, Phase.RESULT)
    verdict = only(events, EventKind.DECISION)
    assert verdict.decision is not None and done.outcome is not None
    assert (done.attrs["refused"], done.outcome.tool, verdict.decision.effect) == (who, Tri.NO, effect)
    assert verdict.decision.reason == " ".join(words.split())


@pytest.mark.parametrize(
    "note",
    [
        "<system_warning>Token usage: 1/9</system_warning>",
        "# Relevant Lessons\n\n## x",
        "Shellcheck found potential issues:\n```\nx\n```",
        '<agent-instructions source="AGENTS.md">x</agent-instructions>',
        "Background shell job #1 finished (exit code 0): `make`",
    ],
)
def test_a_note_of_the_programs_own_is_not_what_a_call_gave(note: str) -> None:
    done = only(
        read(SHELL, says("system", note), says("system", "Ran command: `git push`\n\nno\nReturn code: 1")),
        EventKind.ACTION,
        Phase.RESULT,
    )
    assert (done.attrs["status"], done.attrs["output"]) == ("1", "Ran command: `git push`\n\nno\nReturn code: 1")


def test_calls_in_lines_name_themselves() -> None:
    call, done = read(says("assistant", '@shell(call-7): {"command": "ls"}'), says("tool", "a b", call_id="call-7"))
    assert (call.attrs["command"], names(call, KeyRole.CALL)) == ("ls", names(done, KeyRole.CALL))


def test_what_a_program_adds_to_an_answer_that_names_its_call_is_nobodys_answer() -> None:
    asked = [says("assistant", f'@shell(call-{n}): {{"command": "ls"}}') for n in (1, 2)]
    events = read(
        asked[0],
        says("system", "Ran command: `ls`", call_id="call-1"),
        says("system", "a hook's words"),
        asked[1],
        says("system", "a hook's words"),
        says("system", "Interrupted by user", call_id="call-2"),
    )
    results = [e for e in events if e.phase is Phase.RESULT]
    assert [names(e, KeyRole.CALL) for e in results] == [names(e, KeyRole.CALL) for e in events if e.phase is Phase.CALL]
    assert [e.attrs.get("refused") for e in results] == [None, "interrupted"]


def test_calls_of_servers_and_arguments_over_several_lines() -> None:
    words = '@db.run_query(toolu_1:2): {\n  "sql": "x",\n  "note": "@shell(a): {}"\n}\n@ipython(c.2): {"code": "1"}'
    server, code = read(says("assistant", words))
    assert (server.verb, server.attrs["mcp_server"], code.attrs["command"]) == (Verb.MCP_CALL, "db", "1")


def test_a_block_within_a_block_and_a_thought_are_no_calls() -> None:
    saved = "```save README.md\n# Use\n```shell\nrm -rf build\n```\nand\n```shell\nmake\n```\n```\n"
    thought = "<think>\n```shell\nrm -rf /\n```\n</think>\n"
    shown = '```markdown\n@shell(a): {"command": "ls"}\n```\n'
    (call,) = read(says("assistant", thought + saved + shown))
    assert (call.verb, call.target.name) == (Verb.FILE_WRITE, "README.md")
    assert read(says("assistant", thought.removesuffix("</think>\n"))) == []


def test_what_the_program_says_in_a_persons_place_is_nobodys_request() -> None:
    own = "<system>No tool call detected in last message. Did you mean to finish?</system>"
    assert read(says("user", own), says("user", "x", metadata={"compaction_checkpoint_view": ""})) == []


@pytest.mark.parametrize("flat", [False, True])
def test_an_answer_states_what_it_cost(flat: bool) -> None:
    usage = {"input_tokens": 100, "output_tokens": 20, "cache_creation_tokens": 10, "cache_read_tokens": 400}
    meta = {"model": "m", "cost": 0.25, **(usage if flat else {"usage": usage})}
    first, second = read(says("assistant", "```shell\nls\n```\n```shell\npwd\n```", metadata=meta))
    assert (first.attrs["tokens"], first.attrs["cost_usd"]) == (130, 0.25)
    assert "tokens" not in second.attrs


def test_calls_in_tags() -> None:
    words = "I will.\n<tool-use>\n<shell>\nls -la\n</shell>\n</tool-use>\nand\n<tool-use>\n<save args='a.py'>\nx\n</save>\n</tool-use>"
    first, second = read(says("assistant", words))
    assert (first.verb, first.attrs["command"], second.verb, second.target.name) == (Verb.EXEC, "ls -la", Verb.FILE_WRITE, "a.py")
    (invoked,) = read(says("assistant", '<function_calls>\n<invoke name="shell">\na &amp;&amp; b\n</invoke>\n</function_calls>'))
    assert invoked.attrs["command"] == "a && b"


def test_code_that_is_only_shown_is_no_call() -> None:
    assert read(says("assistant", "```python\nprint(1)\n```")) == []
    assert read(says("system", "a note of the program")) == []


def test_broken_records() -> None:
    for bad in ([], {}, {"role": "user"}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([BEGIN, SHELL, says("tool", "x", call_id="c")]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_corpus(corpus: Path) -> None:
    for path in corpus.glob("gptme/*/*.jsonl"):
        parsed, rejects = whole(path.read_bytes(), "gptme")
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert (len(parsed), rejects) == (len(rows), [])
        prompts = sum(e.kind is EventKind.INTENT for p in parsed for e in p.events)
        assert prompts == sum(row["role"] == "user" for row in rows)


def test_python_is_not_read_as_commands_of_a_shell() -> None:
    for words in ("```ipython\ngit = repo\n```", '@ipython(c.1): {"code": "git = repo"}'):
        call = only(read(says("assistant", words)), EventKind.ACTION, Phase.CALL)
        assert [(one.verb, one.certain) for one in call.operations] == [(Verb.UNKNOWN, False)]


def test_a_call_is_known_by_the_models_own_id() -> None:
    (call,) = read(says("assistant", '@shell(toolu_01AbCdEf23): {"command": "ls"}'))
    assert names(call, KeyRole.CALL) == ["call:toolu_01AbCdEf23"]
