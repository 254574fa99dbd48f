"""Aider's analytics log: what the program did and when, never with words: launches, models, messages sent, commands used.

There is no session id: a launch begins one. Times are epoch seconds. Source: the log its authors publish.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.shared.agents import Frame, field
from importers.shared.fields import Json, mapping
from importers.shared.transcript import Transcript, name_of, object_of
from model.event import Attr, BadRecord, Event, Parsed
from model.words import EventKind, Phase

POINT = "aider"

_KNOWN = frozenset(
    {"launched", "exit", "cli session", "gui session", "message_send", "message_send_starting", "message_send_exception"}
    | {"model warning", "auto_commits", "repo", "no-repo", "copy-paste mode", "ai-comments file-add", "ai-comments execute"}
)


class Aider:
    id = "aider"
    title = "Aider analytics"
    evidence = "real"
    version = 1

    def sniff(self, sample: Sequence[object]) -> int:
        shape = {"event", "properties", "user_id", "time"}
        found = sum(isinstance(record, dict) and shape <= record.keys() for record in sample)
        return 80 if found and found * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._launches = 0

    def read(self, record: object) -> Parsed:
        record = object_of(record, "an analytics event")
        kind, given = field(record, "event"), mapping(record.get("properties"))
        if not kind:
            raise BadRecord("no event name: `event` is missing or is no text")
        if kind == "launched" or not self._file.session:
            self._launches += 1
            self._file = Transcript(POINT)
            self._file.begin(f"aider-{name_of([record, self._launches])}")
        model = field(given, "main_model")
        self._file.know(model="" if model == "None" else model)
        frame = self._file.frame(record.get("time"), unit="s")
        parsed = Parsed(scope=self._file.session, type=kind[:100], at=frame.at)
        parsed.events = list(self._told(kind, given, frame))
        if kind not in _KNOWN and not kind.startswith("command_"):
            parsed.unknown_type = parsed.type
        return parsed

    def _told(self, kind: str, given: Json, frame: Frame) -> Iterator[Event]:
        if kind in ("launched", "cli session", "gui session"):
            yield frame.event(EventKind.ACTION, Phase.STARTED)
        elif kind == "exit":
            reason = field(given, "reason")[:100]
            attrs: dict[str, Attr] = {"status": reason} if reason else {}
            yield frame.event(EventKind.ACTION, Phase.ENDED, attrs=attrs)


IMPORTER = Aider()
