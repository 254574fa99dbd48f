"""Goose sessions: JSONL with a first line about the session, exports, rows of the tables `sessions` and `messages`, and what a run prints.

`--output-format stream-json` prints each message in an envelope of its own, `json` all of them beside what the run cost; neither names the
session.

A call stands as `toolRequest`, its answer as `toolResponse`; a question put to the person as `toolConfirmationRequest` or
`actionRequired`, whose answer is not kept: a refusal is told by the words the program gives the model.
Source: the published message types and parsers' test data; no recorded session was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, Frame, field, mcp_act, words_of
from importers.shared.chat import json_of
from importers.shared.fields import Json, first_text, mapping, number
from importers.shared.recent import remember
from importers.shared.tool_calls import tool_verb
from importers.shared.transcript import Transcript, object_of, objects, row_of
from model.event import Attr, BadRecord, Event, Parsed
from model.words import Effect, EventKind, Phase, Tri

POINT = "goose"

_BLOCKS = frozenset({"toolRequest", "toolResponse", "toolConfirmationRequest", "frontendToolRequest", "actionRequired"})
_PRINTED = frozenset({"message", "notification", "model_change", "error", "complete"})
_MEMBERS = frozenset({"id", "role", "created", "content", "metadata"})
_DECLINED = "The user has declined to run this tool"
# Told as the error of each call that was under way, behind the error's own code or kind.
_INTERRUPTED = re.compile(r"(?:[\w -]{1,40}: )?Interrupted by the user to make a correction")
# In its chat mode the program lets nothing run, and a sub-agent has nobody to ask about what an inspector flagged.
_RULED = ("Let the user know the tool call was skipped in ", "This tool call was blocked by a safety inspector")
# Extensions that are part of the program; every other one is a server of its own.
_BUILT_IN = frozenset(
    {"developer", "computercontroller", "memory", "todo", "subagent", "dynamic_task", "platform", "skills", "recipe"}
)


class Goose:
    id = "goose"
    title = "Goose sessions"
    evidence = "documentation"
    version = 6
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        begins = messages = blocks = 0
        for record in sample:
            if not isinstance(record, dict):
                continue
            begins += "working_dir" in record and bool(
                {"message_count", "description", "session_type", "schedule_id"} & record.keys()
            )
            _, row = row_of(_printed(record) or record)
            content = json_of(row.get("content_json")) if "content_json" in row else row.get("content")
            shaped = field(row, "role") in ("user", "assistant") and (
                "created" in row or "content_json" in row or row is not record
            )
            messages += shaped and isinstance(content, list)
            blocks += shaped and any(field(block, "type") in _BLOCKS for block in objects(content))
        if begins or blocks:
            return 90 if begins + messages else 0
        return 50 if messages and messages * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _printed(record: Json) -> Json | None:
    """The message in the envelope that a run prints it in."""
    message = record.get("message")
    if record.keys() != {"type", "message"} or record.get("type") != "message" or not isinstance(message, dict):
        return None
    return message if message.keys() <= _MEMBERS and "role" in message else None


class _Reader:
    def __init__(self) -> None:
        self._files: dict[str, Transcript] = {}
        self._only = ""

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a session record")
        table, row = row_of(_printed(record) or record)
        if "role" in row:
            return self._message(row)
        if field(record, "type") in _PRINTED or ("messages" in record and "metadata" in record):
            return Parsed(type=f"printed/{field(record, 'type') or 'head'}")
        if "working_dir" in row or table == "sessions":
            return self._session(row)
        if table:
            return Parsed(type=f"row/{table[:100]}", unknown_type=f"row/{table[:100]}")
        raise BadRecord("neither a session (`working_dir`) nor a message (`role`)")

    def _file(self, session: str, record: Json) -> Transcript:
        name = session or self._only
        file = self._files.get(name)
        if file is None:
            file = Transcript(POINT, unique_calls=False)
            file.begin(name, record)
            remember(self._files, name, file, 1000)
        return file

    def _session(self, row: Json) -> Parsed:
        self._only = first_text(row, "id")
        file = self._file(self._only, row)
        file.parent(row.get("parent_session_id"))
        file.place(field(row, "working_dir"))
        config = mapping(json_of(row.get("model_config_json"))) or mapping(row.get("model_config"))
        file.know(model=field(config, "model_name"))
        frame = file.frame(row.get("created_at"))
        parsed = Parsed(scope=file.session, type="session", at=frame.at)
        title = first_text(row, "name", "description")[:300]
        attrs: dict[str, Attr] = {"title": title} if title else {}
        if (kind := field(row, "session_type")) and kind != "user":
            attrs["agent_type"] = kind[:200]
        parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs))
        parsed.events += file.posture(frame, field(row, "goose_mode"))
        parsed.events += [e for m in objects(row.get("conversation")) if "role" in m for e in self._message(m).events]
        return parsed

    def _message(self, row: Json) -> Parsed:
        content = json_of(row.get("content_json")) if "content_json" in row else row.get("content")
        if not isinstance(content, list):
            raise BadRecord("a message without a list of `content`")
        file = self._file(first_text(row, "session_id"), row)
        frame = file.frame(row.get("created") or row.get("created_timestamp"), ref=first_text(row, "message_id", "id"))
        role = field(row, "role")
        parsed = Parsed(scope=file.session, type=f"message/{role}"[:100], at=frame.at)
        shown = mapping(json_of(row.get("metadata_json"))) or mapping(row.get("metadata"))
        words = words_of([block for block in objects(content) if block.get("type") == "text"])
        if role == "user" and words.strip() and shown.get("userVisible") is not False:
            parsed.events.append(frame.intent(Phase.PROMPT, words))
        parsed.events += [event for block in objects(content) for event in self._block(block, file, frame)]
        return parsed

    def _block(self, block: Json, file: Transcript, frame: Frame) -> Iterator[Event]:
        kind, name = field(block, "type"), first_text(block, "id")
        if kind in ("toolRequest", "frontendToolRequest"):
            made = mapping(block.get("toolCall"))
            call = mapping(made.get("value")) or made
            name = name or file.unnamed_call()
            tool = field(call, "name")
            extension = field(mapping(block.get("_meta")), "goose_extension")
            yield from file.call(frame, name, tool, call.get("arguments"), act=_act(tool, call.get("arguments"), extension))
            if field(made, "status") == "error":
                yield from file.result(frame, name, Tri.NO, field(made, "error"))
        elif kind == "toolResponse":
            result = mapping(block.get("toolResult"))
            value = result.get("value")
            inner = mapping(value)
            told = mapping(inner.get("structuredContent"))
            said = field(result, "error") or words_of(inner.get("content") if inner else value) or field(block, "toolResult")
            said = said or "\n".join(words for name_ in ("stdout", "stderr") if (words := field(told, name_)))
            failed = field(result, "status") == "error" or inner.get("isError") is True
            # The program says so to the model as if the call had gone well.
            refused = "user" if said.startswith(_DECLINED) else "rule" if said.startswith(_RULED) else ""
            refused = "interrupted" if failed and _INTERRUPTED.match(said) else refused
            code = number(told.get("exit_code"))
            failed = failed or code not in (None, 0)
            well = field(result, "status") == "success" or inner.get("isError") is False or code == 0
            ok = Tri.NO if failed else Tri.YES if well else Tri.UNKNOWN
            status = "" if code is None else str(code)
            reason = said.partition(".")[0] if refused else ""
            yield from file.result(frame, name, ok, said, refused=refused, reason=reason, status=status)
        elif kind in ("toolConfirmationRequest", "actionRequired"):
            data = mapping(block.get("data")) or block
            if kind == "toolConfirmationRequest" or field(data, "actionType") == "toolConfirmation":
                asked = first_text(data, "id") or name
                yield file.decision(frame, Effect.ASK, asked, reason=field(data, "prompt") or field(data, "toolName"))


def _act(tool: str, given: object, extension: str) -> Act:
    server, split, inner = tool.partition("__")
    server = server if split else extension
    if server and server not in _BUILT_IN and (split or tool_verb(tool) is None):
        return mcp_act(server, inner if split else tool, given)
    return act_of(inner if split else tool, given)


IMPORTER = Goose()
