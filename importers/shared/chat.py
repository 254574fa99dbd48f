"""Messages of a conversation with a model, in the common shapes: `tool_calls` beside the content, blocks within it, or LangChain's,
which have a `type` in place of the role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from importers.shared.agents import Frame, call_id, field, words_of
from importers.shared.enclosed import enclosed
from importers.shared.fields import Json, first_text, mapping
from importers.shared.transcript import Transcript, objects
from model.event import Event
from model.words import Phase, Tri

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_TYPES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool", "function": "function"}
"""LangChain's types of messages by the roles they stand for."""

_WRITTEN, _WRITTEN_END = re.compile(r"<function=([\w.-]{1,100})>"), re.compile(r"</function>")
_GIVEN, _GIVEN_END = re.compile(r"<parameter=([\w.-]{1,100})>\n?"), re.compile(r"\n?</parameter>")
_RESULT = re.compile(r"EXECUTION RESULT of \[[\w.-]{1,100}\]:\n?")
"""What came back of a call that was written down, put where a person's words would stand."""


def json_of(value: object) -> object:
    """What a text holds as JSON; the value itself where it is no text or does not parse."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return value


def is_chat(value: object) -> bool:
    """Whether this is a list of messages."""
    rows = value if isinstance(value, list) else []
    return bool(rows) and all(isinstance(row, dict) and role_of(row) in ROLES for row in rows[:50])


def role_of(message: Json) -> str:
    """Who speaks; "" where the message does not say."""
    if "role" in message or "content" not in message:
        return field(message, "role")
    return _TYPES.get(field(message, "type"), "")


def chat_events(file: Transcript, message: Json, frame: Frame, *, prompts: bool = True) -> Iterator[Event]:
    """Intent, calls and results of one message; `prompts` false where a user's words are known to be the program's."""
    role, content = role_of(message), message.get("content")
    if role == "assistant":
        yield from _calls(file, message, content, frame)
    elif role in ("tool", "function"):
        ids = message.get("tool_call_ids")
        named = call_id(ids[0]) if isinstance(ids, list) and len(ids) == 1 else ""
        call = first_text(message, "tool_call_id", "id") or named or next(iter(file.waiting), "")
        if call:
            problem = message.get("error") or (message.get("status") == "error" or None)
            yield from _answer(file, call, words_of(content), problem, frame)
    elif role == "user" and file.waiting and (said := _RESULT.match(written := words_of(content))) is not None:
        yield from _answer(file, next(iter(file.waiting)), written[said.end() :], None, frame)
    elif role == "user":
        results = [block for block in objects(content) if block.get("type") == "tool_result"]
        for block in results:
            problem = block.get("is_error") is True or None
            yield from _answer(file, call_id(block.get("tool_use_id")), words_of(block.get("content")), problem, frame)
        words = words_of(content)
        if prompts and not results and words.strip():
            yield frame.intent(Phase.PROMPT, words)


def _calls(file: Transcript, message: Json, content: object, frame: Frame) -> Iterator[Event]:
    found: list[tuple[str, str, object]] = []
    for call in objects(message.get("tool_calls")):
        inner = call.get("function")
        made = inner if isinstance(inner, dict) else call
        tool = inner if isinstance(inner, str) else field(made, "name")
        found.append((call_id(call.get("id")), tool, json_of(made.get("arguments", made.get("args")))))
    for block in objects(content):
        if block.get("type") == "tool_use":
            found.append((call_id(block.get("id")), field(block, "name"), block.get("input")))
    if not found and (written := words_of(content).rstrip()).endswith("</function>"):
        # Models without calls of their own write them down, as the last thing they say.
        for opened, body in enclosed(written, _WRITTEN, _WRITTEN_END):
            found.append(("", opened[1], {one[1]: text for one, text in enclosed(body, _GIVEN, _GIVEN_END)}))
    for name, tool, given in found:
        name = name or file.unnamed_call()
        file.waiting[name] = None
        yield from file.call(frame, name, tool, given)


def _answer(file: Transcript, call: str, said: str, problem: object, frame: Frame) -> Iterator[Event]:
    file.waiting.pop(call, None)
    words = field(mapping(problem), "message") or (problem if isinstance(problem, str) else "")
    yield from file.result(frame, call, Tri.NO if problem else Tri.UNKNOWN, words or said)
