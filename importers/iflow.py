"""iFlow CLI sessions: the frame of a Claude Code transcript around the tools and results of its parent, Gemini CLI.

Source: one recorded session of 1.0.0 (a parser's fixture).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.gemini_outputs import answered, output_of, typed
from importers.shared.agents import Frame, call_id, field, words_of
from importers.shared.fields import Json, mapping
from importers.shared.transcript import Transcript, object_of, objects
from model.event import BadRecord, Event, Parsed
from model.words import KeyRole, Phase

POINT = "iflow-cli"

_TYPES = frozenset({"user", "assistant"})


class IFlow:
    id = "iflow-cli"
    title = "iFlow CLI sessions"
    evidence = "fixture"
    version = 2
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        found = [record for record in sample if isinstance(record, dict) and field(record, "sessionId").startswith("session-")]
        return 97 if any(isinstance(record.get("message"), dict) and "uuid" in record for record in found) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._tools: dict[str, str] = {}

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a transcript record")
        kind = field(record, "type")
        if not kind:
            raise BadRecord("no record type: `type` is missing or is no text")
        # The same session is named with and without the word before its id.
        self._file.begin(field(record, "sessionId").removeprefix("session-"), record)
        self._file.place(field(record, "cwd"))
        self._file.know(branch=field(record, "gitBranch"), agent_version=field(record, "version"))
        message = record.get("message")
        uuid = call_id(record.get("uuid"))
        frame = self._file.frame(record.get("timestamp"), ref=uuid, after=call_id(record.get("parentUuid")))
        parsed = Parsed(identity=uuid or None, scope="" if uuid else self._file.session, type=kind[:100], at=frame.at)
        if kind not in _TYPES:
            parsed.unknown_type = parsed.type
        elif not isinstance(message, dict):
            raise BadRecord(f"a {kind} record without a `message` object")
        else:
            parsed.events = list(self._message(record, message, kind, frame))
        return parsed

    def _message(self, record: Json, message: Json, kind: str, frame: Frame) -> Iterator[Event]:
        content = message.get("content")
        self._file.know(model=field(message, "model"))
        told = mapping(record.get("toolUseResult"))
        results = False
        for block in objects(content):
            call = call_id(block.get("tool_use_id"))
            if block.get("type") == "tool_use":
                tool, name = field(block, "name"), call_id(block.get("id"))
                self._tools[name] = tool
                yield from self._file.call(frame, name, tool, block.get("input"))
            elif block.get("type") == "tool_result":
                results = True
                inner = block.get("content")
                parts = mapping(inner).get("responseParts") or inner
                said = output_of(parts) or words_of(inner) or field(mapping(inner), "resultDisplay")
                status = field(told, "status") or ("error" if block.get("is_error") is True else "")
                tool = field(told, "toolName") or self._tools.get(call, "")
                yield from answered(self._file, frame, call, tool, status, said)
        words = typed(content)
        if kind == "user" and not results and record.get("isMeta") is not True and words.strip():
            child = record.get("isSidechain") is True or any(key.role is KeyRole.PARENT for key in frame.scope)
            yield frame.intent(Phase.DELEGATED if child else Phase.PROMPT, words, branch=field(record, "gitBranch"))


IMPORTER = IFlow()
