"""Kiro CLI (and its ancestor Amazon Q) conversations: the JSON its database keeps for each, or the database's rows themselves.

A history entry pairs what went to the model with what came back: a prompt or tool results, then words or tool calls.
`CancelledToolUses` is a person's refusal. Since 2.x a session is a file of lines {version, kind, data}, named by its session, which tells the
time of nothing but prompts, with its state beside it, or both in one file where a person saved it; for 3.x see `kiro_sessions`.
Source: one payload (a parser's fixture), one saved session, the program's published types, public readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.kiro_sessions import Messages, is_message, is_state, session_at, state
from importers.kiro_words import cancelled, own, stopped
from importers.shared.agent_tools import act_of
from importers.shared.agents import Frame, call_id, field, words_of
from importers.shared.chat import json_of
from importers.shared.fields import Json, first_text, mapping, number, surest
from importers.shared.transcript import Transcript, object_of, objects, row_of
from model.event import BadRecord, Event, Parsed
from model.words import EventKind, Phase, Tri

POINT = "kiro"

_LINES = frozenset({"Prompt", "AssistantMessage", "ToolResults"})
_STATUS = re.compile(r"^exit (?:status|code): (\d{1,10})$")
_KILLED = re.compile(r"^(?:signal: \d|exit code: 0x)")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SAID = frozenset({"Prompt", "ToolUseResults", "CancelledToolUses"})


class Kiro:
    id = "kiro"
    title = "Kiro and Amazon Q conversations"
    evidence = "fixture"
    version = 5
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> _Reader:
        return _Reader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    table, row = row_of(record)
    if "value" in row and ("conversation_id" in row or table.startswith("conversations")):
        return 90
    user, assistant = mapping(record.get("user")), mapping(record.get("assistant"))
    if {"Response", "ToolUse"} & assistant.keys() or _SAID & mapping(user.get("content")).keys():
        return 90
    if "conversation_id" in record and "history" in record:
        return 70
    if row.keys() == {"key", "value"} and '"conversation_id"' in field(row, "value")[:400]:
        return 85
    if is_state(record) or is_state(mapping(record.get("metadata"))) or is_message(record):
        return 85
    if field(record, "kind") in _LINES and isinstance(mapping(record.get("data")).get("content"), list):
        return 88
    return 0


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._messages = Messages(self._file)
        self._again = False

    def lies_at(self, place: str) -> None:
        """Lines and messages name no session: their file, or the folder around it, does."""
        session, parent = session_at(place)
        if session:
            self._file.begin(session)
            self._file.parent(parent)

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a conversation record")
        if isinstance(record.get("payload"), dict):
            return self._messages.read(record)
        if is_state(record):
            return state(self._file, record)
        if is_state(mapping(record.get("metadata"))):
            return self._saved(record)
        if "kind" in record and "data" in record:
            return self._line(record)
        _, row = row_of(record)
        if "value" in row and "user" not in row:
            value = json_of(row.get("value"))
            if not isinstance(value, dict):
                raise BadRecord("a row whose `value` is not a conversation in JSON")
            return self._conversation(
                {"conversation_id": row.get("conversation_id"), **value}, field(row, "key"), row.get("created_at")
            )
        if "conversation_id" in record or isinstance(record.get("history"), list):
            return self._conversation(record, "")
        if "user" not in record and "assistant" not in record:
            raise BadRecord("neither a conversation (`conversation_id`) nor an entry of its history (`user`, `assistant`)")
        self._file.begin(None, record)
        return self._entry(record)

    def _saved(self, record: Json) -> Parsed:
        """A session that a person saved: its state, and the lines of its file where they come with it."""
        self._again = True
        parsed = state(self._file, mapping(record.get("metadata")))
        for line in objects(record.get("log_entries")):
            parsed.events += self._line(line).events
        return parsed

    def _line(self, record: Json) -> Parsed:
        """One line of a session's file."""
        kind, data = field(record, "kind"), mapping(record.get("data"))
        if not kind:
            raise BadRecord("a line without `kind`")
        self._file.begin(None, record)
        message = first_text(data, "message_id")
        frame = self._file.frame(mapping(data.get("meta")).get("timestamp"), unit="s", ref=message)
        parsed = Parsed(scope=self._file.session, type=kind[:100], at=frame.at)
        if _UUID.fullmatch(message):
            # A saved session writes the same lines anew, in other white space.
            parsed.identity, parsed.copied = f"{kind[:100]}/{message}", self._again
        blocks = [(field(block, "kind"), block.get("data")) for block in objects(data.get("content"))]
        if kind == "Prompt":
            words = "\n".join(one for name, one in blocks if name == "text" and isinstance(one, str))
            if words.strip() and not own(words):
                parsed.events.append(frame.intent(Phase.PROMPT, words))
        for name, one in blocks:
            if name == "toolUse":
                call = mapping(one)
                again = {"id": call.get("toolUseId"), "name": call.get("name"), "args": call.get("input")}
                parsed.events += self._asked({"tool_uses": [again]}, frame)
            elif name == "toolResult":
                parsed.events += self._returned(mapping(one), frame)
        if kind not in _LINES | {"Clear", "Compaction", "Summary", "ResetTo"}:
            parsed.unknown_type = parsed.type
        return parsed

    def _returned(self, result: Json, frame: Frame) -> Iterator[Event]:
        told = next((mapping(part.get("data")) for part in objects(result.get("content")) if part.get("kind") == "json"), {})
        said = "\n".join(field(part, "data") for part in objects(result.get("content"))).strip()
        yield from self._gave(call_id(result.get("toolUseId")), field(result, "status"), said, told, frame)

    def _gave(
        self, call: str, status: str, said: str, told: Json, frame: Frame, *, by: tuple[str, str] | None = None
    ) -> Iterator[Event]:
        """What a call gave, in words or as a command's end; `by` names who cancelled it and why."""
        ended = field(told, "exit_status")
        shown = _STATUS.search(ended)
        code = number(told.get("exit_status")) if shown is None else int(shown[1])
        failed = status.lower() == "error" or code not in (None, 0) or _KILLED.match(ended) is not None
        output = said or "\n".join(part for part in (field(told, "stdout"), field(told, "stderr")) if part)
        refused, why = by or (stopped(output) if failed else ("", ""))
        ok = Tri.NO if failed else Tri.YES if status.lower() == "success" else Tri.UNKNOWN
        shows = ended[:100] if code is None else str(code)
        yield from self._file.result(frame, call, ok, output, refused=refused, reason=why, status=shows)

    def _conversation(self, record: Json, folder: str, begun: object = None) -> Parsed:
        self._file.begin(record.get("conversation_id"), record)
        self._file.place(folder)
        self._file.know(model=first_text(mapping(record.get("model_info")), "model_id") or field(record, "model"))
        frame = self._file.frame(begun, unit="ms")
        parsed = Parsed(scope=self._file.session, type="conversation", at=frame.at)
        parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED))
        history = record.get("history")
        for entry in history if isinstance(history, list) else ():
            # Amazon Q's first versions kept an entry as a list of the two.
            both = dict(zip(("user", "assistant"), entry, strict=False)) if isinstance(entry, list) else mapping(entry)
            parsed.events += self._entry(both).events
        return parsed

    def _entry(self, entry: Json) -> Parsed:
        user, assistant, about = (mapping(entry.get(name)) for name in ("user", "assistant", "request_metadata"))
        env = mapping(mapping(user.get("env_context")).get("env_state"))
        self._file.place(field(env, "current_working_directory"))
        self._file.know(model=field(about, "model_id"))
        frame = self._file.frame(user.get("timestamp"))
        if frame.at is None:
            # What tools gave bears no time; it went out with the request.
            frame = self._file.frame(about.get("request_start_timestamp_ms"), unit="ms")
        ended = self._file.frame(about.get("stream_end_timestamp_ms"), unit="ms")
        parsed = Parsed(scope=self._file.session, type="entry", at=frame.at if frame.at is not None else ended.at)
        content = mapping(user.get("content"))
        parsed.events = list(self._said(content, frame))
        parsed.events += self._asked(mapping(assistant.get("ToolUse")), ended if ended.at is not None else frame)
        if (content and not _SAID & content.keys()) or (assistant and not {"ToolUse", "Response"} & assistant.keys()):
            parsed.unknown_type = f"entry/{next(iter({**content, **assistant}), '')}"[:100]
        return parsed

    def _said(self, content: Json, frame: Frame) -> Iterator[Event]:
        stop = mapping(content.get("CancelledToolUses"))
        asked = field(stop, "prompt")
        for result in objects((mapping(content.get("ToolUseResults")) or stop).get("tool_use_results")):
            parts = objects(result.get("content"))
            told = next((mapping(part.get("Json")) for part in parts if "Json" in part), {})
            said = "\n".join(field(part, "Text") or words_of(part.get("text")) for part in parts).strip()
            by = cancelled(asked) if stop else None
            yield from self._gave(call_id(result.get("tool_use_id")), field(result, "status"), said, told, frame, by=by)
        words = field(mapping(content.get("Prompt")), "prompt") or asked
        if words.strip() and not own(words):
            yield frame.intent(Phase.PROMPT, words)

    def _asked(self, answer: Json, frame: Frame) -> Iterator[Event]:
        for call in objects(answer.get("tool_uses")):
            tool, given = field(call, "name"), call.get("args")
            server, _, inner = tool.removeprefix("@").partition("/" if tool.startswith("@") else "___")
            act = act_of(tool, given, server=server if inner else "", name=inner)
            yield from self._file.call(frame, call_id(call.get("id")) or self._file.unnamed_call(), tool, given, act=act)


IMPORTER = Kiro()
