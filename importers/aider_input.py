"""Aider's input history (`.aider.input.history`): what people typed at its prompt and when, of all launches, in no session.

The file is prompt_toolkit's: `# 2024-08-05 19:33:02.123456` before each entry, `+` before each of its lines, which other
programs write as well; it is known by the commands of Aider's chat. Times are local. Aider also adds commands there that
it offered to run, each twice within the same moment, and the answers to its questions stand among the requests. Source: prompt_toolkit's `FileHistory` and Aider's `io.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.aider_chat import POINT, said
from importers.cutting.framing import Container
from importers.shared.agents import field
from importers.shared.fields import mapping
from importers.shared.transcript import Transcript, object_of
from model.event import BadRecord, Parsed

_ENTRY = re.compile(r"# (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)\n((?:\+[^\n]*(?:\n|$))+)")
_COMMANDS = re.compile(
    r"^\+/(?:add|drop|run|ask|code|architect|context|undo|diff|commit|lint|test|tokens|clear|reset|read-only|web|models?|map|map-refresh|ls|git"
    r"|help|exit|quit|chat-mode|copy|copy-context|paste|voice|settings|save|load|edit|editor|editor-model|weak-model|reasoning-effort|think-tokens"
    r"|multiline-mode|report)\b",
    re.MULTILINE,
)
# What its questions are answered with: which question it was, only the chat history says.
_ANSWERS = frozenset({"y", "n", "a", "s", "d", "yes", "no", "all", "skip", "don't"})
_AT_ONCE = 50_000
"""Microseconds within which nobody types a line again."""


class AiderInput:
    id = "aider-input"
    title = "Aider input history"
    evidence = "documentation"
    version = 2
    container: Container = "paragraphs"

    def sniff(self, sample: Sequence[object]) -> int:
        blocks = [field(mapping(record), "line") for record in sample]
        entries = sum(_ENTRY.fullmatch(block) is not None for block in blocks)
        return 60 if entries * 2 >= len(blocks) and any(_COMMANDS.search(block) for block in blocks) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    """One history; it only counts the commands, which have no names."""

    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._last: tuple[str, int] = ("", 0)

    def read(self, record: object) -> Parsed:
        match = _ENTRY.fullmatch(field(object_of(record, "an entry of the history"), "line"))
        if match is None:
            raise BadRecord("no entry of the history: a line `# date time`, then lines that begin with `+`")
        words = "\n".join(line[1:] for line in match[2].splitlines()).strip()
        frame = self._file.frame(match[1])
        if words.lower() in _ANSWERS:
            return Parsed(type="answer", at=frame.at)
        (before, then), now = self._last, frame.at or 0
        self._last = (words, now)
        if words == before and 0 <= now - then < _AT_ONCE:
            return Parsed(type="entry", at=frame.at)
        return Parsed(list(said(words, frame, self._file)), type="entry", at=frame.at)


IMPORTER = AiderInput()
