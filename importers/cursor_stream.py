"""What Cursor's command line prints with `--output-format stream-json`: a run's session, words, and calls with their outcomes.

A call stands in a member of its tool's name (`shellToolCall: {args, result}`), its result in one of how it went (`success`,
`rejected`, ...). A run of this kind asks nobody: `rejected` is a call that wanted a person's yes, whatever its reason says (`User
rejected MCP: ...`). Source: the vendor's documentation of the format, and public records of runs; no recorded run was at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.cursor import act_of_tool
from importers.shared.agents import Frame, call_id, field, mcp_act, words_of
from importers.shared.chat import json_of
from importers.shared.fields import Json, first_text, mapping, number
from importers.shared.transcript import Transcript, object_of
from importers.shared.usage import tokens_of
from model.event import Attr, BadRecord, Event, Parsed
from model.words import Effect, EventKind, Phase, Tri

POINT = "cursor"

_KNOWN = frozenset({"system", "user", "assistant", "thinking", "tool_call", "result", "interaction_query", "connection"})
_REFUSED = {"rejected": "rule", "permissionDenied": "rule", "permission_denied": "rule", "blocked": "rule"}
_FAILED = frozenset({"error", "failure", "timeout", "spawnError", "fileNotFound", "noSpace", "invalidFile"})
_SUFFIX = "ToolCall"
_SERVERS = ("providerIdentifier", "serverIdentifier", "server", "serverName")


class CursorStream:
    id = "cursor-stream"
    title = "Cursor stream-json output"
    evidence = "documentation"
    version = 2

    def sniff(self, sample: Sequence[object]) -> int:
        found = sure = 0
        for record in sample:
            if isinstance(record, dict) and field(record, "type") in _KNOWN and "session_id" in record:
                found += 1
                sure += field(record, "type") == "tool_call" and isinstance(record.get("tool_call"), dict) and "call_id" in record
        return 92 if sure and found * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT)

    def read(self, record: object) -> Parsed:
        record = object_of(record, "an event of the stream")
        kind = field(record, "type")
        if not kind:
            raise BadRecord("no event type: `type` is missing or is no text")
        self._file.begin(record.get("session_id"), record)
        called = mapping(record.get("tool_call"))
        when = record.get("timestamp_ms") or called.get("completedAtMs") or called.get("startedAtMs")
        frame = self._file.frame(when, unit="ms")
        parsed = Parsed(scope=self._file.session, type=kind[:100], at=frame.at)
        if kind == "system" and field(record, "subtype") == "init":
            self._file.place(field(record, "cwd"))
            self._file.know(model=field(record, "model"))
            frame = self._file.informed(frame)
            parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED))
            parsed.events += self._file.posture(frame, field(record, "permissionMode"))
        elif kind == "user":
            words = words_of(mapping(record.get("message")).get("content"))
            if words.strip():
                parsed.events.append(frame.intent(Phase.PROMPT, words))
        elif kind == "tool_call":
            parsed.events += self._call(record, frame)
        elif kind == "result":
            ended: dict[str, Attr] = {"status": field(record, "subtype")[:100]}
            if tokens := tokens_of(mapping(record.get("usage"))):
                ended["tokens"] = tokens
            parsed.events.append(frame.event(EventKind.ACTION, Phase.ENDED, attrs=ended))
        elif kind not in _KNOWN:
            parsed.unknown_type = parsed.type
        return parsed

    def _call(self, record: Json, frame: Frame) -> Iterator[Event]:
        called = mapping(record.get("tool_call"))
        name = next((one for one in called if one.endswith(_SUFFIX) or one == "function"), "")
        told = mapping(called.get(name))
        tool = field(told, "name") if name == "function" else name.removesuffix(_SUFFIX)
        given = json_of(told.get("arguments")) if name == "function" else told.get("args")
        args = mapping(given)
        act = act_of_tool(tool, given)
        if tool == "mcp":
            act = mcp_act(first_text(args, *_SERVERS), first_text(args, "toolName", "name"))
        call = call_id(record.get("call_id"))
        yield from self._file.call(frame, call, tool, given, act=act)
        result = mapping(told.get("result"))
        if field(record, "subtype") == "completed" or result:
            yield from self._result(call, result, frame)

    def _result(self, call: str, result: Json, frame: Frame) -> Iterator[Event]:
        how = next(iter(result), "")
        more = mapping(result.get(how))
        code = number(more.get("exitCode"))
        said = first_text(more, "stdout", "output", "content", "message", "error", "reason", "errorMessage")
        refused = _REFUSED.get(how, "")
        failed = how in _FAILED or code not in (None, 0) or more.get("isError") is True
        ok = Tri.NO if failed else Tri.YES if how == "success" else Tri.UNKNOWN
        effect = Effect.ASK if how == "rejected" else None
        status = "" if code is None else str(code)
        yield from self._file.result(
            frame, call, ok, said, refused=refused, reason=field(more, "reason"), effect=effect, status=status
        )


IMPORTER = CursorStream()
