"""Claude Code's prompt history (`~/.claude/history.jsonl`): what people typed, in which folder and, in newer versions, which session.

It tells nothing of what was done. A pasted text stands beside the words, which hold a mark in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.claude_code_words import own_command
from importers.shared.agents import Frame, field, origin_of, scope_id, scope_key
from importers.shared.fields import Json, mapping, moment
from importers.shared.transcript import object_of
from model.event import Attr, BadRecord, Event, Parsed
from model.words import Phase

POINT = "claude-code"

_PASTED = re.compile(r"\[Pasted text #(\d{1,6})(?: \+\d{1,9} lines)?\]")
_MARKS = 100
_MEMBERS = frozenset({"display", "pastedContents", "timestamp", "project", "sessionId"})


class ClaudeCodeHistory:
    id = "claude-code-history"
    title = "Claude Code prompt history"
    evidence = "documentation"
    version = 1

    def sniff(self, sample: Sequence[object]) -> int:
        found = sum(isinstance(record, dict) and _is_entry(record) for record in sample)
        return 85 if found and found * 2 > len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_entry(record: Json) -> bool:
    told = isinstance(record.get("display"), str) and isinstance(record.get("project"), str)
    return told and isinstance(record.get("timestamp"), int) and record.keys() <= _MEMBERS


class _Reader:
    def read(self, record: object) -> Parsed:
        record = object_of(record, "an entry of the history")
        if not isinstance(record.get("display"), str):
            raise BadRecord("no `display`: it is what was typed")
        session = scope_id(record.get("sessionId"))
        at, _ = moment(record.get("timestamp"), "ms")
        return Parsed(list(_events(record, session)), scope=session, type="prompt", at=at)


def _events(record: Json, session: str) -> Iterator[Event]:
    words, pasted = field(record, "display").strip(), mapping(record.get("pastedContents"))
    if not words or own_command(words):
        return
    at, clock = moment(record.get("timestamp"), "ms")
    folder = field(record, "project")[:2000]
    named: dict[str, Attr] = {"cwd": folder, "origin": origin_of(folder)}
    facts: dict[str, Attr] = {name: value for name, value in named.items() if value}
    words = _PASTED.sub(lambda mark: field(mapping(pasted.get(mark[1])), "content") or mark[0], words, _MARKS)
    yield Frame(POINT, at, clock, "", "", scope_key("session", session), facts, POINT).intent(Phase.PROMPT, words)


IMPORTER = ClaudeCodeHistory()
