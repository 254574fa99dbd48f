"""Cursor's conversations as text: prompts of an exported chat, prompts and calls of a transcript."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.base import reader_of
from importers.cursor_text import IMPORTER
from model.event import BadRecord, Event
from model.words import KeyRole, Phase, Verb
from tests.importer_checks import names, whole

EXPORT = """# Close the ticket
_Exported on 3/12/2026 at 20:32:07 GMT+8 from Cursor (2.6.18)_

---

**User**

Fix PAY-3.

---

It is in a.py.

---

**Cursor**

I read it.

**User** is a word of mine.

---

**User**

thanks

---

**Cursor**

Done.
"""

TRANSCRIPT = """user:
<user_query>
Publish it.

Then tell me.
</user_query>

A:
I will.
[Tool call] Shell
  command: npm publish \\
    --tag next
  description: Publish

[Tool result] Shell

[Thinking] Good.
assistant:
[Tool call] Read
  path: a.py
[Tool call] Nothing

user:
<user_query>
thanks
</user_query>

A:
Done.
"""


def events(text: str) -> list[Event]:
    parsed, rejects = whole(text, "cursor-text")
    assert not rejects
    return [event for one in parsed for event in one.events]


def test_an_exported_chat() -> None:
    begun, first, second = events(EXPORT)
    assert (begun.attrs["title"], begun.attrs["agent_version"]) == ("Close the ticket", "2.6.18")
    assert (first.phase, first.text, first.attrs["ticket"]) == (Phase.PROMPT, "Fix PAY-3.\n\n---\n\nIt is in a.py.", "PAY-3")
    assert second.text == "thanks"
    assert len({tuple(names(one, KeyRole.SCOPE)) for one in (begun, first, second)}) == 1


def test_a_transcript() -> None:
    _, asked, shell, read, unknown, thanks = events(TRANSCRIPT)
    assert (asked.text, thanks.text) == ("Publish it.\n\nThen tell me.", "thanks")
    assert (shell.verb, shell.attrs["command"]) == (Verb.EXEC, "npm publish \\\n    --tag next")
    assert (read.verb, read.target.name, unknown.verb) == (Verb.FILE_READ, "a.py", Verb.UNKNOWN)


def test_a_transcript_is_called_by_its_conversation() -> None:
    conversation = "0a1b2c3d-0000-4000-8000-000000000001"
    reader = reader_of(IMPORTER, f"/home/ada/.cursor/projects/api/agent-transcripts/{conversation}.txt")
    (event,) = reader.read({"line": "user:\n<user_query>\nx\n</user_query>"}).events
    assert names(event, KeyRole.SCOPE) == [f"session:{conversation}"]


@pytest.mark.parametrize("text", ["# A title\n\n**User**\n\nx", "user:\nx\n\nassistant:\ny", "**User**\n\nx\n\n**Cursor**\n\ny"])
def test_other_texts_are_not_cursors(text: str) -> None:
    assert IMPORTER.sniff([{"line": block} for block in text.split("\n\n")]) == 0


def test_what_is_no_paragraph() -> None:
    for bad in ([], {}, {"line": " "}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@given(
    st.lists(
        st.text() | st.sampled_from([EXPORT.split("\n\n")[0], "**User**", "user:", "A:", "[Tool call] x\n  a: b"]), max_size=6
    )
)
def test_hostile_texts(blocks: list[str]) -> None:
    reader = IMPORTER.open()
    for block in blocks:
        if block.strip():
            reader.read({"line": block})
