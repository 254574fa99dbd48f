"""pi coding agent sessions, and OpenClaw's, which is built on it: a session record, then entries that form a tree by `id` and `parentId`.

pi asks nobody and has no modes: a call that has a result ran. OpenClaw keeps beside a result what became of the call
(`details`), which may wait for a person or be refused; that an error came back is told there alone. A branched session begins
with a copy of what its origin told, which is older than itself: whichever copy speaks, the deeds are the origin's. `--mode json`
prints the same session and messages among the events of a run. Source: sessions of versions 1-3, the programs' documentation and
types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.shared.agents import Frame, call_id, exec_act, field, words_of
from importers.shared.chat import json_of
from importers.shared.fields import Json, first_text, mapping, number
from importers.shared.recent import remember
from importers.shared.transcript import Transcript, name_of, object_of, objects
from importers.shared.usage import Purse, cost_of, spent, tell_spent, tokens_of
from model.event import BadRecord, Event, Parsed
from model.words import Effect, EventKind, Phase, Tri

POINT = "pi"

_ENTRIES = frozenset(
    {"message", "model_change", "thinking_level_change", "compaction", "branch_summary", "custom", "custom_message", "label"}
    | {"session_info", "title"}
)
_PRINTED = frozenset(
    {"agent_start", "agent_end", "turn_start", "turn_end", "message_start", "message_update", "message_end", "queue_update"}
    | {"tool_execution_start", "tool_execution_update", "tool_execution_end", "auto_compaction_start", "auto_compaction_end"}
    | {"compaction_start", "compaction_end", "auto_retry_start", "auto_retry_end", "extension_error"}
)
_ROLES = frozenset(
    {"user", "assistant", "toolResult", "bashExecution", "custom", "branchSummary", "compactionSummary", "hookMessage"}
)
_CALLS = frozenset({"toolCall", "toolUse", "tool_use", "functionCall"})
_ANSWERS = ("toolCallId", "toolUseId", "tool_use_id", "call_id")
_EXIT = re.compile(r"Command exited with code (\d{1,9})\)?\s*$")
_BLOCKED = "Tool execution was blocked"
_BY_USER = "Blocked by user"
_DENIED = "exec denied: "
# What OpenClaw says became of a call: kept from running and by whom, not at its end yet, at an end that is no good one.
_STOPPED = {"approval-unavailable": "rule", "forbidden": "rule", "blocked": "rule", "denied": "rule"}
_WAITING = frozenset({"approval-pending", "running", "pending"})
_FAILED = frozenset({"error", "failed", "timeout"})
# What became of a command that waited for a person, as the program tells the model in the person's place.
_EXEC = re.compile(
    r"Exec (denied|finished|running) \((?:gateway|node=\S+) id=([0-9a-zA-Z-]{4,64}),? ?([^\n]{0,200}?)\)(?::|\n|$)"
)
_CODE = re.compile(r"\bcode (-?\d{1,9})$")
_ASYNC = "An async command"
_SCAN, _HEAD = 20_000, 200
_MOST_ASKED = 1_000
_PARENT = re.compile(r"_([0-9A-Za-z-]{4,64})\.jsonl$")


class PiAgent:
    id = "pi-agent"
    title = "pi coding agent sessions"
    evidence = "fixture"
    version = 6
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
        self._origin = Transcript(POINT)
        self._began: int | None = None
        self._asked: dict[str, str] = {}
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
        at = self._file.frame(when).at
        copied = bool(self._origin.session) and at is not None and self._began is not None and at < self._began
        own, self._file = self._file, self._origin if copied else self._file
        frame = self._file.frame(when, ref=name, after=call_id(record.get("parentId")))
        try:
            parsed = self._entry(kind, record, message, frame)
        finally:
            self._file = own
        if kind == "message" and at is not None:
            parsed.identity, parsed.scope, parsed.copied = f"message/{name_of(record)}", "", copied
        return parsed

    def _entry(self, kind: str, record: Json, message: Json, frame: Frame) -> Parsed:
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
        self._file.know(model=field(record, "modelId"))
        origin = first_text(record, "parentSession", "branchedFrom")
        if m := _PARENT.search(origin[-200:]):
            self._file.parent(m.group(1))
            self._origin.begin(m.group(1))
            self._origin.facts = self._file.facts
        frame = self._file.frame(record.get("timestamp"))
        self._began = frame.at
        event = frame.event(EventKind.ACTION, Phase.STARTED)
        return Parsed([event], scope=self._file.session, type="session", at=frame.at)

    def _message(self, message: Json, role: str, frame: Frame) -> Iterator[Event]:
        content = message.get("content")
        if role == "user":
            words = words_of(content)
            told = list(_EXEC.finditer(words[:_SCAN])) if "Exec " in words else []
            for m in told:
                yield from self._became(m[1], self._asked.get(m[2], ""), m[3], frame)
            if words.strip() and not (told and _ASYNC in words[:_HEAD]):
                yield frame.intent(Phase.PROMPT, words)
        elif role == "assistant":
            self._file.know(model=field(message, "model"))
            for block in objects(content):
                if field(block, "type") in _CALLS:
                    tool, given = field(block, "name"), json_of(block.get("arguments", block.get("input")))
                    yield from self._file.call(self._file.informed(frame), call_id(block.get("id")), tool, given)
        elif role == "toolResult":
            yield from self._result(message, words_of(content), frame)
        elif role == "bashExecution":
            # A command the person typed at the agent's prompt.
            call, code_ = self._file.unnamed_call(), number(message.get("exitCode"))
            yield from self._file.call(frame, call, "bash", {}, act=exec_act(field(message, "command")))
            ok = Tri.UNKNOWN if code_ is None else Tri.YES if code_ == 0 else Tri.NO
            stopped, status = "interrupted" if message.get("cancelled") is True else "", "" if code_ is None else str(code_)
            yield from self._file.result(frame, call, ok, field(message, "output"), refused=stopped, status=status)

    def _result(self, message: Json, said: str, frame: Frame) -> Iterator[Event]:
        """What came back of a call, by the program's own words and by what stands beside them."""
        details, call = mapping(message.get("details")), call_id(first_text(message, *_ANSWERS))
        became = field(details, "status")
        # The program says so of an error, and OpenClaw of a command it ran; elsewhere it is what was read or printed.
        speaks = message.get("isError") is not False or field(message, "toolName") == "exec"
        shown, exited = _EXIT.search(said[-100:]) if speaks else None, number(details.get("exitCode"))
        failed = message.get("isError") is True or became in _FAILED or shown is not None or exited not in (None, 0)
        waits = not failed and became in _WAITING
        well = not waits and (message.get("isError") is False or exited == 0)
        ok = Tri.NO if failed else Tri.YES if well else Tri.UNKNOWN
        why = field(details, "error") or field(details, "reason") or said
        refused = _STOPPED.get(became, "")
        if failed and not refused:
            refused = _stopped(why, said)
        if waits and became == "approval-pending":
            remember(self._asked, field(details, "approvalId"), call, _MOST_ASKED)
            yield self._file.decision(frame, Effect.ASK, call, rule=became, reason=field(details, "command"))
            return
        status = shown.group(1) if shown else "" if exited is None else str(exited)
        reason = why[:200] if refused not in ("", "interrupted") else ""
        yield from self._file.result(frame, call, ok, said, refused=refused, status=status, reason=reason)

    def _became(self, word: str, call: str, told: str, frame: Frame) -> Iterator[Event]:
        """What became of a command that waited for a person: who refused it, or that it was let run and how it ended."""
        if call and word == "denied":
            refused = "user" if told.startswith("user-denied") else "rule"
            yield from self._file.result(frame, call, Tri.NO, "", refused=refused, rule=told[:100], reason=told)
        elif call and word == "finished":
            code = _CODE.search(told)
            ok, status = Tri.UNKNOWN if code is None else Tri.YES if code[1] == "0" else Tri.NO, code[1] if code else ""
            yield from self._file.result(frame, call, ok, "", effect=Effect.ALLOW, rule="approved", status=status)


def _stopped(why: str, said: str) -> str:
    """Who kept a call that came back as an error from running; "" where nobody did."""
    if why.startswith(_DENIED):
        return "user" if why.startswith(f"{_DENIED}user") else "rule"
    if said.rstrip().endswith(("Command aborted", "Operation aborted")):
        return "interrupted"
    return "hook" if said.startswith(_BLOCKED) else "user" if said.strip() == _BY_USER else ""


IMPORTER = PiAgent()
