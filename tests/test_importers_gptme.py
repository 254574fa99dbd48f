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
        ("Saved to a.py", None, Tri.UNKNOWN),
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


def test_calls_in_tags() -> None:
    words = "I will.\n<tool-use>\n<shell>\nls -la\n</shell>\n</tool-use>\nand\n<tool-use>\n<save args='a.py'>\nx\n</save>\n</tool-use>"
    first, second = read(says("assistant", words))
    assert (first.verb, first.attrs["command"], second.verb, second.target.name) == (Verb.EXEC, "ls -la", Verb.FILE_WRITE, "a.py")


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
