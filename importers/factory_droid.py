"""Factory droid: sessions (`~/.factory/sessions/<folder>/<id>.jsonl`) and what `droid exec --output-format stream-json` prints.

A session's messages are of Anthropic's blocks; a result says that it failed, and in some versions nothing where it did not. Nothing in
either says who let a call run. A session that another's call began names both. Source: published descriptions of the program's records
and other readers of them; no recorded session was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.claude_code_words import spoken
from importers.shared.agents import Frame, call_id, field, words_of
from importers.shared.fields import Json, mapping, truth
from importers.shared.tool_calls import tool_verb
from importers.shared.transcript import Transcript, object_of, objects
from model.event import Attr, BadRecord, Event, Parsed
from model.words import EventKind, Phase, Tri, Verb

POINT = "droid"

_ENTRIES = frozenset({"session_start", "message", "todo_state", "compaction_state", "session_end"})
_PRINTED = frozenset({"system", "message", "reasoning", "tool_call", "tool_result", "completion", "error"})
_EXIT = re.compile(r"\A(?:Error: )?Command failed \(exit code: (-?\d{1,9})\)|\[Process exited with code (-?\d{1,9})\]\s*\Z")
_LIMIT = 10_000


class FactoryDroid:
    id = "factory-droid"
    title = "Factory droid sessions and exec streams"
    evidence = "documentation"
    version = 1
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        entries = [record for record in sample if isinstance(record, dict)]
        if any(_is_start(record) for record in entries):
            return 94
        if any(_is_printed(record) for record in entries):
            return 93
        told = sum(field(r, "type") == "message" and bool(_called(mapping(r.get("message")))) for r in entries)
        return 55 if told and told * 3 > len(entries) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_start(record: Json) -> bool:
    named = "owner" in record or "version" in record or "title" in record
    return record.get("type") == "session_start" and isinstance(record.get("id"), str) and named


def _is_printed(record: Json) -> bool:
    kind = record.get("type")
    if kind == "tool_call":
        return "toolName" in record and "parameters" in record
    return (kind == "tool_result" and "toolId" in record and "isError" in record) or (
        kind == "completion" and "finalText" in record
    )


def _called(message: Json) -> list[Json]:
    return [block for block in objects(message.get("content")) if block.get("type") in ("tool_use", "tool_result")]


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._tools: dict[str, str] = {}
        self._child = False

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a session record")
        kind = field(record, "type")
        if not kind:
            raise BadRecord("no record type: `type` is missing or is no text")
        if kind == "session_start":
            return self._begin(record)
        self._file.begin(record.get("session_id") or record.get("sessionId"), record)
        name = call_id(record.get("id")) if kind == "message" else ""
        frame = self._file.frame(record.get("timestamp"), ref=name, after=call_id(record.get("parentId")))
        parsed = Parsed(scope=self._file.session, type=kind[:100], at=frame.at)
        if kind == "message":
            message = mapping(record.get("message")) or record
            if not isinstance(message.get("role"), str):
                raise BadRecord("a message record without a `message` that has a `role`")
            parsed.events = list(self._message(message, frame))
        elif kind == "system":
            self._file.place(field(record, "cwd"))
            self._file.know(model=field(record, "model"))
            begun = field(record, "subtype") == "init"
            parsed.events = [self._file.informed(frame).event(EventKind.ACTION, Phase.STARTED)] if begun else []
        elif kind == "tool_call":
            tool = field(record, "toolName") or field(record, "toolId")
            parsed.events = list(self._call(call_id(record.get("id")), tool, record.get("parameters"), frame))
        elif kind == "tool_result":
            failed = truth(record.get("isError"))
            said = words_of(record.get("value")) or field(mapping(record.get("error")), "message")
            parsed.events = list(self._result(call_id(record.get("id")), failed, said, frame, field(record, "toolId")))
        elif kind not in _ENTRIES | _PRINTED:
            parsed.unknown_type = parsed.type
        return parsed

    def _begin(self, record: Json) -> Parsed:
        self._file.begin(record.get("id"), record)
        self._file.place(field(record, "lastCwd") or field(record, "cwd"))
        caller = call_id(record.get("callingSessionId"))
        self._child = bool(caller)
        if caller:
            self._file.parent(caller, self._file.call_key(call_id(record.get("callingToolUseId"))))
        title = (field(record, "sessionTitle") or field(record, "title"))[:300]
        attrs: dict[str, Attr] = {"title": title} if title else {}
        frame = self._file.frame(record.get("timestamp"))
        event = frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs)
        return Parsed([event], scope=self._file.session, type="session_start", at=frame.at)

    def _message(self, message: Json, frame: Frame) -> Iterator[Event]:
        role, content = field(message, "role"), message.get("content", message.get("text"))
        blocks = objects(content)
        self._file.know(model=field(message, "model"))
        for block in blocks:
            if block.get("type") == "tool_use" and role == "assistant":
                yield from self._call(
                    call_id(block.get("id")), field(block, "name"), block.get("input"), self._file.informed(frame)
                )
            elif block.get("type") == "tool_result":
                said = words_of(block.get("content"))
                yield from self._result(call_id(block.get("tool_use_id")), truth(block.get("is_error")), said, frame)
        if role == "user":
            words = spoken([one for one in blocks if one.get("type") == "text"] if blocks else content)
            if words.strip() and not words.lstrip().startswith("<system-reminder>"):
                yield frame.intent(Phase.DELEGATED if self._child else Phase.PROMPT, words)

    def _call(self, call: str, tool: str, given: object, frame: Frame) -> Iterator[Event]:
        call = call or self._file.unnamed_call()
        if len(self._tools) < _LIMIT:
            self._tools[call] = tool
        if "___" in tool:
            # A server's tool: the server's name, three underscores, the tool's.
            tool = "mcp__" + tool.replace("___", "__", 1)
        yield from self._file.call(frame, call, tool, given)

    def _result(self, call: str, failed: bool | None, said: str, frame: Frame, tool: str = "") -> Iterator[Event]:
        if not call:
            return
        found = _EXIT.search(said) if tool_verb(self._tools.pop(call, tool)) is Verb.EXEC else None
        code = (found.group(1) or found.group(2)) if found else ""
        ok = Tri.UNKNOWN if failed is None and not code else Tri.NO if failed or code not in ("", "0") else Tri.YES
        if failed is None and said.startswith("Error: "):
            ok = Tri.NO
        yield from self._file.result(frame, call, ok, said, status=code)


IMPORTER = FactoryDroid()
