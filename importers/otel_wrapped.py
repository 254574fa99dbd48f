"""What agent frameworks put around a tool's arguments, its answer and the messages of a conversation when they write them down.

LangChain writes its objects: by constructor and keywords, by type and data, or as Python shows them. Its callbacks, and LlamaIndex,
write a call with all that was handed over besides the arguments; LangGraph a state that holds the messages.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterator
from typing import NamedTuple

from importers.otel_context import json_in
from importers.shared.agents import call_id
from importers.shared.fields import Json, first_text, mapping

_ROLES = {
    word: role
    for role, words in (
        ("user", "user human HumanMessage HumanMessageChunk"),
        ("assistant", "assistant ai AIMessage AIMessageChunk model"),
        ("tool", "tool ToolMessage"),
        ("system", "system developer SystemMessage"),
    )
    for word in words.split()
}
_WRAPPERS = ("arguments", "kwargs", "inputs", "input", "args")
_LANGCHAIN = ("tags", "metadata")
_STATES = ("inputs", "outputs", "input", "output", "update")
_MOST, _DEPTH, _SHOWN = 2000, 6, 20_000
_MESSAGE = re.compile(
    r"content=(?P<content>'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\") (?:additional_kwargs=\S{0,200} )?(?:response_metadata=\S{0,200} )?"
    r"(?:name='(?P<name>[^']{0,300})' )?(?:id='[^']{0,100}' )?tool_call_id='(?P<call>[^']{1,200})'(?P<failed> status='error')?",
    re.DOTALL,
)


class Returned(NamedTuple):
    """A tool's answer as its framework wrote it, with what it says of the call: `failed` None where it does not tell."""

    content: object
    call: str
    tool: str
    failed: bool | None


def arguments_in(given: object) -> Json:
    """The arguments themselves, where an instrumentation wrote the call around them; LangChain shows them as Python does."""
    found = mapping(json_in(given) if isinstance(given, str) else given)
    if isinstance(given, str) and not found and given[:1] == "{":
        return _shown(given)
    if "input_str" in found or {"inputs", *_LANGCHAIN} <= found.keys():
        return mapping(found.get("inputs")) or _shown(found.get("input_str"))
    for name in _WRAPPERS:
        inner = json_in(found.get(name))
        if isinstance(inner, dict) and len(found) <= 4:
            return inner
        if len(found) == 1 and (shown := _shown(inner)):
            return shown
    return found


def is_schema(found: object) -> bool:
    """Whether an object describes parameters rather than holds them."""
    held = mapping(json_in(found))
    if isinstance(held.get("properties"), dict):
        return True
    return bool(held) and all(isinstance(one, dict) and "type" in one and "description" in one for one in held.values())


def returned_in(given: object) -> Returned | None:
    """A tool's answer in one of the frameworks' own forms, None for any other value."""
    found = json_in(given)
    if isinstance(found, str):
        shown = _MESSAGE.match(found[: 4 * _SHOWN])
        return Returned(_text_of(shown["content"]), shown["call"], shown["name"] or "", bool(shown["failed"])) if shown else None
    held = mapping(found)
    for _ in range(_DEPTH):
        inner = mapping(json_in(held.get("output")))
        if not inner:
            break
        held = inner
    if isinstance(blocks := held.get("blocks"), list) and "tool_name" in held:
        return Returned(blocks, "", first_text(held, "tool_name")[:300], held.get("is_error") is True or None)
    if isinstance(outer := mapping(found).get("output"), str) and (inside := returned_in(outer)) is not None:
        return inside
    message = message_in(held)
    if message is None or message.get("role") != "tool" or "content" not in message:
        return None
    status = first_text(message, "status")
    failed = True if status == "error" else False if status == "success" else None
    return Returned(message["content"], call_id(message.get("tool_call_id")), first_text(message, "name")[:300], failed)


def messages_in(given: object, depth: int = 0) -> Iterator[Json]:
    """The messages of a state, or of a list of them; nothing where it holds none."""
    found = json_in(given)
    if depth > _DEPTH:
        return
    if isinstance(found, dict):
        if isinstance(listed := json_in(found.get("messages")), list):
            for one in listed[:_MOST]:
                if (message := message_in(one)) is not None:
                    yield message
            return
        for name in _STATES:
            inner = json_in(found.get(name))
            if isinstance(inner, dict):
                yield from messages_in(inner, depth + 1)
            elif isinstance(inner, list):
                yield from (one for each in inner[:_MOST] if (one := message_in(each)) is not None and one.get("role"))


def message_in(given: object) -> Json | None:
    """One message with its role and content, out of what its framework put around it; None where it is none."""
    if isinstance(given, list) and len(given) == 2 and isinstance(given[0], str) and given[0] in _ROLES:
        return {"role": _ROLES[given[0]], "content": given[1]}
    held = mapping(given)
    kind = held.get("id")
    inner = mapping(held.get("kwargs"))
    if held.get("type") == "constructor" and inner and isinstance(kind, list):
        named = kind[-1] if kind and isinstance(kind[-1], str) else ""
        return {**inner, "role": _ROLES.get(first_text(inner, "type")) or _ROLES.get(named, "")}
    if (data := mapping(held.get("data"))) and first_text(held, "type") in _ROLES:
        return {**data, "role": _ROLES[first_text(held, "type")]}
    word = first_text(held, "role", "type")
    return {**held, "role": _ROLES.get(word, word)} if word in _ROLES or "role" in held else None


def _shown(value: object) -> Json:
    """An object as Python shows it."""
    if not isinstance(value, str) or len(value) > _SHOWN or not value.startswith("{"):
        return {}
    try:
        found = literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return mapping(json_in(value))
    return {name: one for name, one in found.items() if isinstance(name, str)} if isinstance(found, dict) else {}


def _text_of(shown: str) -> str:
    try:
        found = literal_eval(shown)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return shown[1:-1]
    return found if isinstance(found, str) else shown[1:-1]
