"""pi coding agent sessions: a session record, then entries that form a tree by `id` and `parentId`.

The agent asks nobody and has no modes: a call that has a result ran. `--mode json` prints the same session and messages among
the events of a run. Source: one session (a parser's fixture), versions 1-3, and the program's documentation of its events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.shared.agents import Frame, call_id, exec_act, field, words_of
from importers.shared.fields import Json, first_text, mapping, number
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import Purse, cost_of, spent, tell_spent, tokens_of
from model.event import BadRecord, Event, Parsed
from model.words import EventKind, Phase, Tri

POINT = "pi"

_ENTRIES = frozenset(
    {"message", "model_change", "thinking_level_change", "compaction", "branch_summary", "custom", "custom_message", "label"}
    | {"session_info"}
)
_PRINTED = frozenset(
    {"agent_start", "agent_end", "turn_start", "turn_end", "message_start", "message_update", "message_end", "queue_update"}
    | {"tool_execution_start", "tool_execution_update", "tool_execution_end", "auto_compaction_start", "auto_compaction_end"}
    | {"compaction_start", "compaction_end", "auto_retry_start", "auto_retry_end", "extension_error"}
)
_ROLES = frozenset(
    {"user", "assistant", "toolResult", "bashExecution", "custom", "branchSummary", "compactionSummary", "hookMessage"}
)
_EXIT = re.compile(r"Command exited with code (\d{1,9})\s*$")
_BLOCKED = "Tool execution was blocked by "
_PARENT = re.compile(r"_([0-9A-Za-z-]{4,64})\.jsonl$")


class PiAgent:
    id = "pi-agent"
    title = "pi coding agent sessions"
    evidence = "fixture"
    version = 4
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        entries = [record for record in sample if isinstance(record, dict)]
        begins = any(r.get("type") == "session" and "cwd" in r and "id" in r and "timestamp" in r for r in entries)
        roles = sum(r.get("type") == "message" and field(mapping(r.get("message")), "role") in _ROLES for r in entries)
        printed = sum(field(r, "type") in _PRINTED for r in entries)
        if begins and (roles or printed or len(entries) == 1):
            return 90
        if printed * 2 >= len(entries) and any({"toolCallId", "toolName"} <= r.keys() for r in entries):
            return 80
        calls = any(mapping(r.get("message")).get("role") == "toolResult" and "parentId" in r for r in entries)
        return 80 if calls and roles * 2 >= len(entries) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._purse: Purse = {}

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a session entry")
        kind = field(record, "type")
        if not kind:
            raise BadRecord("no entry type: `type` is missing or is no text")
        if kind == "session":
            return self._begin(record)
        self._file.begin(None, record)
        message = mapping(record.get("message"))
        if kind == "message" and not field(message, "role"):
            raise BadRecord("a message entry without a `message` that has a `role`")
        name = call_id(record.get("id"))
        when = record.get("timestamp") or message.get("timestamp")
        frame = self._file.frame(when, ref=name, after=call_id(record.get("parentId")))
        parsed = Parsed(scope=self._file.session, type=kind[:100], at=frame.at)
        if kind == "message":
            role = field(message, "role")
            parsed.type = f"message/{role}"[:100]
            if role not in _ROLES:
                parsed.unknown_type = parsed.type
            parsed.events = list(self._message(message, role, frame))
        elif kind in _PRINTED:
            parsed.events = list(self._printed(kind, record, message, frame))
        elif kind == "model_change":
            self._file.know(model=field(record, "modelId"))
        elif kind == "session_info" and (title := field(record, "name")):
            parsed.events = [frame.event(EventKind.ACTION, Phase.STARTED, attrs={"title": title[:300]})]
        elif kind not in _ENTRIES:
            parsed.unknown_type = parsed.type
        usage = mapping(message.get("usage"))
        mark = f"{field(message, 'timestamp') or message.get('timestamp')}"
        if usage and (kind == "message" or (kind == "message_end" and self._file.first("tokens", mark))):
            spent(self._purse, self._file.session, tokens_of(usage), cost_of(mapping(usage.get("cost")).get("total")))
        tell_spent(self._purse, self._file.session, parsed.events)
        return parsed

    def _printed(self, kind: str, record: Json, message: Json, frame: Frame) -> Iterator[Event]:
        """One event of a run; a call is told by its message and by its execution."""
        call = call_id(record.get("toolCallId"))
        if kind == "message_end":
            yield from self._message(message, field(message, "role"), frame)
        elif kind == "tool_execution_start":
            yield from self._file.call(frame, call, field(record, "toolName"), record.get("args"))
        elif kind == "tool_execution_end":
            told = {**mapping(record.get("result")), "toolCallId": call, "isError": record.get("isError")}
            yield from self._message(told, "toolResult", frame)

    def _begin(self, record: Json) -> Parsed:
        self._file.begin(record.get("id"), record)
        self._file.place(field(record, "cwd"))
        origin = first_text(record, "parentSession", "branchedFrom")
        if m := _PARENT.search(origin[-200:]):
            self._file.parent(m.group(1))
        frame = self._file.frame(record.get("timestamp"))
        event = frame.event(EventKind.ACTION, Phase.STARTED)
        return Parsed([event], scope=self._file.session, type="session", at=frame.at)

    def _message(self, message: Json, role: str, frame: Frame) -> Iterator[Event]:
        content = message.get("content")
        if role == "user":
            if (words := words_of(content)).strip():
                yield frame.intent(Phase.PROMPT, words)
        elif role == "assistant":
            self._file.know(model=field(message, "model"))
            for block in objects(content):
                if block.get("type") == "toolCall":
                    tool = field(block, "name")
                    yield from self._file.call(self._now(frame), call_id(block.get("id")), tool, block.get("arguments"))
        elif role == "toolResult":
            said = words_of(content)
            code = _EXIT.search(said[-100:])
            exited = number(mapping(message.get("details")).get("exitCode"))
            ok = (
                Tri.NO
                if message.get("isError") is True or code or exited
                else Tri.YES
                if message.get("isError") is False
                else Tri.UNKNOWN
            )
            aborted = "interrupted" if ok is Tri.NO and said.rstrip().endswith(("Command aborted", "Operation aborted")) else ""
            blocked = "hook" if ok is Tri.NO and said.startswith(_BLOCKED) else ""
            call = call_id(message.get("toolCallId"))
            status, reason = code.group(1) if code else "" if exited is None else str(exited), said[:200] if blocked else ""
            yield from self._file.result(frame, call, ok, said, refused=blocked or aborted, status=status, reason=reason)
        elif role == "bashExecution":
            # A command the person typed at the agent's prompt.
            call, code_ = self._file.unnamed_call(), number(message.get("exitCode"))
            yield from self._file.call(frame, call, "bash", {}, act=exec_act(field(message, "command")))
            ok = Tri.UNKNOWN if code_ is None else Tri.YES if code_ == 0 else Tri.NO
            yield from self._file.result(frame, call, ok, field(message, "output"), status="" if code_ is None else str(code_))

    def _now(self, frame: Frame) -> Frame:
        return frame._replace(attrs=self._file.facts)


IMPORTER = PiAgent()
