"""Texts made to be slow: what nothing closes is looked at once, by every reader that looks for what stands between two signs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.codex_scripts import script_runs
from importers.cursor import queries
from importers.cutting.documents import document_of
from importers.gptme_calls import calls
from importers.reading import shortened
from importers.registry import importers
from importers.shared.agents import names_one_call
from importers.shared.enclosed import enclosed
from importers.shared.headings import without_zone

MANY = 100_000
OPENING, CLOSING = re.compile("<(?P<tag>[ab])>"), re.compile("</(?P<tag>[ab])>")


@given(st.lists(st.sampled_from(["<a>", "<b>", "</a>", "</b>", "x", "\n"]), max_size=12).map("".join))
def test_what_is_enclosed_is_what_one_pattern_finds(text: str) -> None:
    assert [(begun["tag"], said) for begun, said in enclosed(text, OPENING, CLOSING)] == re.findall(
        r"<([ab])>(.*?)</\1>", text, re.DOTALL
    )


def read(format: str, *records: Any) -> list[Any]:
    reader = importers()[format].open()
    return [event for one in records for event in reader.read(one).events]


def said(words: str, role: str = "assistant") -> dict[str, object]:
    return {"role": role, "content": [{"type": "text", "text": words}]}


# At the square of their length, or worse, each of these takes from many seconds to years.
@pytest.mark.parametrize("words", ["<read_file>\n", "<read_file><path>", "<a></b>"], ids=["calls", "arguments", "neither"])
def test_calls_that_nothing_closes(words: str) -> None:
    read("cline", {**said("<read_file>" + words * MANY + "</read_file>"), "ts": 1_760_000_000_000})


@pytest.mark.parametrize(
    "words", ["<user_query>", "<user_query>" + "\n" * MANY, "</user_query>"], ids=["opened", "blank", "closed"]
)
def test_questions_that_nothing_closes(words: str) -> None:
    assert queries(words * 3 if len(words) > 100 else words * MANY) == ""


def test_a_question_between_its_signs() -> None:
    assert (
        queries("<timestamp>now</timestamp>\n<user_query>\n fix it \n</user_query> <user_query>twice</user_query>")
        == "fix it\ntwice"
    )


@pytest.mark.parametrize(
    "words", ["```bash\n", "```bash" + "\n" * MANY + "```", "```bash\nls "], ids=["opened", "blank", "inside"]
)
def test_blocks_that_nothing_closes(words: str) -> None:
    read("swe-agent", {"messages": [said(words if len(words) > 100 else words * MANY)], "trajectory_format": "mini-swe-agent-1"})


@pytest.mark.parametrize("words", ["<tool-use><shell>\n", '<invoke name="shell">\n', "<tool-use><shell></tool-use>", "```" + "\t" * MANY + "`\n"],
                         ids=["tags", "invoked", "half", "fence"])  # fmt: skip
def test_tags_that_nothing_closes(words: str) -> None:
    assert list(calls("<function_calls>" + (words if len(words) > 100 else words * 30_000))) == []


@pytest.mark.parametrize("line", [
    "service=permission " + "permission=bash pattern=a action={ " * 30_000 + "evaluated",
    "service=permission " + "id=per_1 permission=bash patterns=[ " * 30_000 + "asking",
    "service=session id=ses_1" + " version=1" * 30_000 + " created",
    "service=session id=ses_1" + " " * MANY + "created",
], ids=["evaluated", "asking", "created", "blank"])  # fmt: skip
def test_lines_that_say_the_same_again_and_again(line: str) -> None:
    read("opencode-log", {"line": f"INFO  2026-06-09T17:38:43 +40ms {line}"})


@pytest.mark.parametrize("script", ['"\\', "'\\\n\\'", "/*/", "`\\`"], ids=["text", "lines", "comment", "template"])
def test_scripts_with_a_text_that_nothing_closes(script: str) -> None:
    assert script_runs("tools." + '"\\' + script * 50_000) == []


def test_surroundings_that_are_blank() -> None:
    words = "<environment_context><cwd>" + "\n" * MANY
    read("codex", {"timestamp": "2026-02-23T11:40:29.275Z", "type": "response_item",
                   "payload": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}})  # fmt: skip


def test_small_texts_that_are_long() -> None:
    assert not names_one_call("A" * MANY) and names_one_call("A" * MANY + "1") and names_one_call("_aaaaaaa1")
    assert without_zone(" " * MANY) == " " * MANY and without_zone("At (UTC)") == "At"
    assert document_of(('a."' + '\\"' * 30_000 + "." * 200 + "\n")[:64_000]) is None
    records = [{"text": "\\" * (40 << 10)} for _ in range(60)]
    cut = shortened(json.dumps(records).encode())
    assert cut is not None and all(set(one["text"]) == {"\\", "…"} or one["text"] == "…" for one in json.loads(cut))
