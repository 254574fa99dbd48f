"""Cursor's conversations as text: a chat exported as Markdown, and agent transcripts before they were JSON (`agent-transcripts/*.txt`).

An export holds what was said and no call; a transcript names its calls with their arguments, and of what came back that something did.
Neither has times but that of the export. A person's words are told once whoever answers begins to speak. Source: exported chats and
transcripts in public repositories, and programs that read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.cursor import POINT, act_of_tool, conversation_at, queries
from importers.cutting.framing import Container
from importers.shared.agents import Frame, field
from importers.shared.fields import Json, mapping
from importers.shared.transcript import Transcript, object_of
from model.event import BadRecord, Event, Parsed
from model.words import EventKind, Phase

_EXPORTED = re.compile(r"^# (.{1,500})\n_Exported on (.{6,80}) from Cursor \((\S{1,40})\)_\s*$", re.MULTILINE)
_CALL = re.compile(r"\[Tool call\] (\S.{0,200})")
_GIVEN = re.compile(r" {2}(\w{1,60}): ?(.*)")
_ROLES = {"**User**": "user", "**Cursor**": "cursor", "user:": "user", "assistant:": "cursor", "A:": "cursor"}
_WORDS = 64_000


class CursorText:
    id = "cursor-text"
    title = "Cursor chats as text (Markdown export, text transcripts)"
    evidence = "documentation"
    version = 1
    container: Container = "paragraphs"

    def sniff(self, sample: Sequence[object]) -> int:
        blocks = [field(mapping(record), "line") for record in sample]
        if any(_EXPORTED.search(block) for block in blocks[:5]):
            return 90
        asked = any(block.startswith("user:\n") and "<user_query>" in block[:20_000] for block in blocks)
        answered = any(line in ("A:", "assistant:") for block in blocks for line in block[:2000].split("\n"))
        return 80 if asked and answered else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    """One conversation: who speaks, and a person's words until they are whole."""

    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._conversation = self._parent = ""
        self._role = ""
        self._exported = False
        self._words: list[str] = []
        self._size = 0

    def lies_at(self, place: str) -> None:
        """A transcript's file is called by its conversation's id."""
        self._conversation, self._parent = conversation_at(place)

    def read(self, record: object) -> Parsed:
        block = field(object_of(record, "a paragraph of a conversation"), "line")
        if not block.strip():
            raise BadRecord("a paragraph without text")
        events: list[Event] = []
        exported = _EXPORTED.search(block)
        if not self._file.session:
            self._exported = exported is not None
            self._file.begin(self._conversation, block[:20_000])
            self._file.parent(self._parent)
            if exported is not None:
                self._file.know(agent_version=exported[3])
            title = {"title": exported[1][:300]} if exported is not None else None
            events.append(self._file.frame().event(EventKind.ACTION, Phase.STARTED, attrs=dict(title) if title else None))
            if exported is not None:
                return Parsed(events, scope=self._file.session, type="export")
        events += self._exchange(block) if self._exported else self._lines(block)
        return Parsed(events, scope=self._file.session, type=self._role or "text")

    def _exchange(self, block: str) -> Iterator[Event]:
        """A paragraph of an export: who speaks stands alone in one, behind a rule."""
        role = _ROLES.get(block.strip())
        if role is not None and block.startswith("**"):
            while self._words and self._words[-1].strip() == "---":
                self._words.pop()
            yield from self._said("\n\n".join(self._words))
            self._role = role
        else:
            self._keep(block)

    def _lines(self, block: str) -> Iterator[Event]:
        """A paragraph of a transcript: who speaks, a person's words, or a call with its arguments below it."""
        tool, given = "", dict[str, list[str]]()
        last: list[str] = []
        for line in block.split("\n"):
            role = _ROLES.get(line)
            if role is not None and not line.startswith("**"):
                yield from self._said(queries("\n".join(self._words)))
                self._role = role
            elif self._role == "user":
                self._keep(line)
            elif called := _CALL.fullmatch(line):
                yield from self._called(tool, given)
                tool, given, last = called[1].strip(), {}, []
            elif tool and (argument := _GIVEN.fullmatch(line)):
                last = given[argument[1]] = [argument[2]]
            elif tool and last and not line.startswith("["):
                last.append(line)
        if self._role == "user":
            self._keep("")
        yield from self._called(tool, given)

    def _called(self, tool: str, told: dict[str, list[str]]) -> Iterator[Event]:
        if tool:
            given: Json = {name: "\n".join(lines) for name, lines in told.items()}
            yield from self._file.call(self._frame(), self._file.unnamed_call(), tool, given, act=act_of_tool(tool, given))

    def _keep(self, words: str) -> None:
        if self._role == "user" and self._size < _WORDS:
            self._words.append(words)
            self._size += len(words) + 1

    def _said(self, words: str) -> Iterator[Event]:
        if self._role == "user" and words.strip():
            yield self._frame().intent(Phase.DELEGATED if self._parent else Phase.PROMPT, words.strip())
        self._words, self._size = [], 0

    def _frame(self) -> Frame:
        return self._file.frame()


IMPORTER = CursorText()
