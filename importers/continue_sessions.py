"""Continue sessions (`~/.continue/sessions/<id>.json`): one object a session, a message with its calls an item of its history.

A call stands with its state beside the message that asked for it: `done` and `errored` say how it ran. `canceled` is a person who skipped
it or stopped the answer, which the log does not tell apart. Items of the editor have no times. Source: the program's types, and programs
that read its sessions; no recorded session was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, Frame, call_id, field, folder, mcp_act, words_of
from importers.shared.chat import json_of
from importers.shared.fields import Json, mapping
from importers.shared.transcript import Transcript, object_of, objects
from model.event import Attr, BadRecord, Event, Parsed
from model.words import EventKind, Phase, Tri

POINT = "continue"

_ENDED = {"done": Tri.YES, "errored": Tri.NO, "canceled": Tri.UNKNOWN}
_COMMANDS = {"Command completed": Tri.YES, "Command failed": Tri.NO}
_CODE = re.compile(r"exit code (\d{1,9})")
_NAMES = {
    "edit_existing_file": "edit_file", "single_find_and_replace": "edit_file", "create_new_file": "create_file",
    "file_glob_search": "file_search", "read_currently_open_file": "read_file", "read_file_range": "read_file", "view_diff": "view",
    "view_repo_map": "view", "view_subdirectory": "view", "fetch_url_content": "fetch", "create_rule_block": "save_memory",
    "request_rule": "fetch_instructions", "checklist": "todo_write",
}  # fmt: skip


class ContinueSessions:
    id = "continue"
    title = "Continue sessions"
    evidence = "documentation"
    version = 1
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        return 92 if any(isinstance(record, dict) and _is_session(record) for record in sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_session(record: Json) -> bool:
    named = isinstance(record.get("sessionId"), str) and isinstance(record.get("workspaceDirectory"), str)
    return named and isinstance(record.get("history"), list)


class _Reader:
    """One session; its history comes whole or, behind its head, item by item."""

    def __init__(self) -> None:
        self._file = Transcript(POINT)

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a session")
        if _is_session(record):
            return self._session(record)
        if not isinstance(record.get("message"), dict):
            raise BadRecord("neither a session (`sessionId`, `workspaceDirectory`, `history`) nor an item of one (`message`)")
        self._file.begin(None, record)
        parsed = Parsed(list(self._item(record)), scope=self._file.session, type="item")
        parsed.at = self._file.frame(record.get("timestamp")).at
        return parsed

    def _session(self, record: Json) -> Parsed:
        self._file.begin(record.get("sessionId"), record)
        self._file.place(folder(record.get("workspaceDirectory")))
        self._file.know(model=field(record, "chatModelTitle"))
        parsed = Parsed(scope=self._file.session, type="session")
        frame = self._file.frame()
        if self._file.first("session", self._file.session):
            title = field(record, "title")[:300]
            attrs: dict[str, Attr] = {"title": title} if title else {}
            parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs))
        parsed.events += self._file.posture(frame, field(record, "mode"))
        for item in objects(record.get("history")):
            parsed.events += self._item(item)
        return parsed

    def _item(self, item: Json) -> Iterator[Event]:
        message = mapping(item.get("message"))
        frame = self._file.frame(item.get("timestamp"), ref=call_id(item.get("id")))
        role, states = field(message, "role"), objects(item.get("toolCallStates"))
        if role == "user" and (words := words_of(message.get("content"))).strip():
            yield frame.intent(Phase.PROMPT, words)
        for state in states:
            yield from self._state(state, frame)
        if role == "assistant" and not states:
            for call in objects(message.get("toolCalls")):
                yield from self._call(call, call_id(call.get("id")), None, frame)

    def _state(self, state: Json, frame: Frame) -> Iterator[Event]:
        call = mapping(state.get("toolCall"))
        name = call_id(state.get("toolCallId")) or call_id(call.get("id")) or self._file.unnamed_call()
        yield from self._call(call, name, state, frame)
        status = field(state, "status")
        if status in _ENDED:
            output = state.get("output")
            said = output if isinstance(output, str) else "\n".join(field(one, "content") for one in objects(output))
            ok, code = _ENDED[status], ""
            if status == "done" and field(mapping(call.get("function")), "name").endswith("run_terminal_command"):
                # A command that ran is done, however it ended: the program says that beside what it wrote.
                told = next((words for one in objects(output) if (words := field(one, "status"))), "")
                ok = next((ended for begin, ended in _COMMANDS.items() if told.startswith(begin)), Tri.UNKNOWN)
                found = _CODE.search(told) if ok is Tri.NO else None
                code = found.group(1) if found else ""
            refused = "interrupted" if status == "canceled" else ""
            yield from self._file.result(frame, name, ok, said, refused=refused, status=code)

    def _call(self, call: Json, name: str, state: Json | None, frame: Frame) -> Iterator[Event]:
        made, told = mapping(call.get("function")), mapping(mapping(state).get("tool"))
        tool, given = field(made, "name"), json_of(made.get("arguments"))
        if not isinstance(given, dict):
            given = mapping(mapping(state).get("parsedArgs"))
        yield from self._file.call(frame, name, tool, given, act=_act(tool, given, field(told, "uri")))


def _act(tool: str, given: Json, uri: str) -> Act:
    """What a call does; a tool of an MCP server has the server's address."""
    if uri.startswith("mcp://"):
        server, _, inner = uri[6:].partition("/")
        return mcp_act(server, inner or tool, given)
    plain = tool.removeprefix("builtin_")
    # Its own tools name a file by a word of their own.
    named = {**given, "file_path": given["filepath"]} if isinstance(given.get("filepath"), str) else given
    return act_of(_NAMES.get(plain, plain), named)


IMPORTER = ContinueSessions()
