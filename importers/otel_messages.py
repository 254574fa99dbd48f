"""Messages of a conversation in telemetry, wherever a convention puts them: attributes of a span, its events, or log records.

OpenTelemetry moved them twice: events of a span or log records named after the role (`gen_ai.user.message`, `gen_ai.choice`), one
event with all of them (`gen_ai.client.inference.operation.details`), attributes (`gen_ai.input.messages`). Amazon's distribution
takes them out of the span into a log record with `input` and `output`. Contents are texts, blocks of the model's maker, or parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from importers.otel_context import json_in
from importers.otel_signals import Signal
from importers.otel_wrapped import arguments_in, message_in, messages_in, returned_in
from importers.shared.agents import call_id
from importers.shared.fields import Json, first_text, mapping, text

DETAILS = "gen_ai.client.inference.operation.details"
_ROLES = {f"gen_ai.{role}.message": role for role in ("system", "user", "assistant", "tool")}
_CHOICE = ("gen_ai.choice", "gen_ai.assistant.message")
_INPUT = ("gen_ai.input.messages", "ai.prompt.messages", "gcp.vertex.agent.llm_request", "braintrust.input_json")
_OUTPUT = ("gen_ai.output.messages", "gcp.vertex.agent.llm_response", "braintrust.output_json")
_CONTENT = {"gen_ai.content.prompt": "gen_ai.prompt", "gen_ai.content.completion": "gen_ai.completion"}
# Messages with one attribute for each of their members: OpenInference, then OpenLLMetry.
_SPREAD_IN = ("llm.input_messages.", "gen_ai.prompt.")
_SPREAD_OUT = ("llm.output_messages.", "gen_ai.completion.")
_SPREAD_CALL = {"id": "id", "name": "name", "arguments": "arguments", "function.name": "name", "function.arguments": "arguments"}
_MOST, _BLOCKS, _DEPTH = 2000, 200, 6
_CALLS = ("tool_call", "tool_use", "tool-call", "function_call")
_RESULTS = ("tool_call_response", "tool_result", "tool-result", "function_response")


class Asked(NamedTuple):
    """A call of a tool that the model asked for."""

    id: str
    tool: str
    given: object


class Answered(NamedTuple):
    """What came back of a call; `failed` None where nothing says so."""

    id: str
    words: str
    failed: bool | None
    tool: str = ""


class Message(NamedTuple):
    """One message; `call` is the id it carries itself, which for a tool's message names the call, `content` what it holds, decoded."""

    role: str
    words: str
    asked: tuple[Asked, ...]
    answered: tuple[Answered, ...]
    call: str
    content: object


class Talk(NamedTuple):
    """What went in and what came out."""

    given: list[Message]
    said: list[Message]


def is_talk(signal: Signal) -> bool:
    """Whether a log record holds messages."""
    body, name = mapping(json_in(signal.body)), _name(signal)
    apart = any("messages" in mapping(body.get(side)) for side in ("input", "output"))
    return name in _ROLES or name in (*_CHOICE, DETAILS) or apart


def _name(signal: Signal) -> str:
    """The event's name, or what a record must be that lost it on its way and is still known as a model's."""
    if name := first_text(signal.attrs, "event.name") or signal.name:
        return name
    body = mapping(json_in(signal.body))
    if not first_text(signal.attrs, "gen_ai.system", "gen_ai.provider.name"):
        return ""
    if "tool_calls" in body:
        return "gen_ai.assistant.message"
    return "gen_ai.tool.message" if "id" in body and "content" in body else ""


def talk_of(signal: Signal) -> Talk:
    """The messages of a span, in its attributes or else its events; of a log record, in its body or its attributes."""
    talk, attrs = Talk([], []), signal.attrs
    for names, spread, held in ((_INPUT, _SPREAD_IN, talk.given), (_OUTPUT, _SPREAD_OUT, talk.said)):
        told = [found for name in names if (found := _messages(attrs.get(name)))]
        held += told[0] if told else _spread(attrs, spread)
    if "ai.response.toolCalls" in attrs:
        talk.said.append(_message({"role": "assistant", "tool_calls": attrs["ai.response.toolCalls"]}))
    if signal.is_span:
        if not (talk.given or talk.said):
            for name, given in signal.happened:
                _event(name, given, given, talk)
        return talk
    body = mapping(json_in(signal.body))
    for side, held in (("input", talk.given), ("output", talk.said)):
        held += _messages(mapping(body.get(side)).get("messages"))
    if not (talk.given or talk.said):
        _event(_name(signal), body or attrs, attrs, talk)
    return talk


def _spread(attrs: Json, prefixes: tuple[str, ...]) -> list[Message]:
    """Messages whose every member is an attribute of its own, with its place among the others in its name."""
    for prefix in prefixes:
        found: dict[int, Json] = {}
        for name, value in attrs.items():
            place, _, member = name[len(prefix) :].partition(".") if name.startswith(prefix) else ("", "", "")
            if member and _is_place(place) and len(found) < _MOST:
                found.setdefault(int(place), {})[member.removeprefix("message.")] = value
        if found:
            return [_message(_gathered(found[place])) for place in sorted(found)]
    return []


def _gathered(spread: Json) -> Json:
    """One message, with its calls and texts as lists."""
    calls: dict[int, Json] = {}
    texts: dict[int, Json] = {}
    for name, value in spread.items():
        group, _, rest = name.partition(".")
        place, _, member = rest.partition(".")
        if not _is_place(place):
            continue
        if group == "tool_calls" and (kept := _SPREAD_CALL.get(member.removeprefix("tool_call."))):
            calls.setdefault(int(place), {"type": "tool_call"})[kept] = value
        elif group == "contents" and member == "message_content.text":
            texts[int(place)] = {"type": "text", "text": value}
    lists = {"tool_calls": calls, "parts": texts}
    listed = {name: [one for _, one in sorted(held.items(), key=lambda at: at[0])] for name, held in lists.items() if held}
    return message_in({"role": "", **spread, **listed}) or {}


def _is_place(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) < 5


def _event(name: str, found: Json, attrs: Json, talk: Talk) -> None:
    """What one event tells: all messages, or one whose role is the event's name."""
    found = mapping(json_in(found.get("gen_ai.event.content"))) or found
    if name == DETAILS:
        talk.given.extend(_messages(attrs.get(_INPUT[0]) or found.get(_INPUT[0])))
        talk.said.extend(_messages(attrs.get(_OUTPUT[0]) or found.get(_OUTPUT[0])))
    elif name == "gen_ai.choice":
        inner = json_in(found.get("message"))
        said = inner if isinstance(inner, dict) else {"content": inner}
        talk.said.append(_message({**said, "role": first_text(said, "role") or "assistant", "id": first_text(found, "id")}))
        if "tool.result" in found:
            talk.said.append(_message({"role": "tool", "content": found["tool.result"]}))
    elif name in _CONTENT:
        held, value = (talk.given if name == "gen_ai.content.prompt" else talk.said), found.get(_CONTENT[name])
        held.extend(_messages(value) or [_message({"role": "", "content": value})])
    elif name in _ROLES:
        talk.given.append(_message({**found, "role": _ROLES[name]}))


def _messages(value: object) -> list[Message]:
    found = json_in(value)
    if isinstance(found, dict):
        found = next((found[name] for name in ("messages", "contents") if isinstance(found.get(name), list)), [found])
        # Gemini's answer is one content with its role.
        found = [mapping(one)["content"] if "parts" in mapping(mapping(one).get("content")) else one for one in found[:_MOST]]
    told: list[Message] = []
    for one in found[:_MOST] if isinstance(found, list) else []:
        plain = message_in(one) or mapping(one)
        # A graph's state is written as one message that holds all of its own.
        inner = list(messages_in(plain.get("content"))) if isinstance(plain.get("content"), str) else []
        told += [_message(each) for each in inner or ([plain] if plain else [])]
        if len(told) >= _MOST:
            break
    return told[:_MOST]


def _message(one: Json) -> Message:
    """One message, out of the object that Amazon's distribution puts around its content."""
    inner = mapping(one.get("content"))
    call = first_text(one, "tool_call_id", "id")
    if "content" in inner or "message" in inner:
        call = first_text(inner, "id") or call
        content = json_in(inner["content"] if "content" in inner else inner["message"])
    else:
        content = json_in(one.get("content"))
    role = first_text(one, "role")
    if (back := returned_in(content)) is not None:
        return Message("tool", "", (), (Answered(back.call, spoken(back.content), back.failed, back.tool),), back.call, content)
    blocks = [one.get("parts"), one.get("blocks"), content]
    words = [said for found in blocks for said in _words(found)]
    asked = [made for found in (*blocks, json_in(one.get("tool_calls"))) for made in _asked(found)]
    answered = [made for found in blocks for made in _answered(found)]
    if role == "tool" and not answered and not asked and (call or "name" in one):
        failed = {"error": True, "success": False}.get(first_text(one, "status"))
        said = "\n".join(words) or spoken(content) or text(one.get("content"))
        answered.append(Answered(call_id(call), said, failed, first_text(one, "name")[:300]))
    return Message(
        role,
        "\n".join(words),
        tuple({(made.id, made.tool): made for made in asked}.values()),
        tuple(answered),
        call_id(call),
        content,
    )


class Ran(NamedTuple):
    """What a tool's own span or record says of one call: its id, the tool, what it was given, what it gave back."""

    id: str
    tool: str
    given: object
    output: str
    failed: bool | None


def ran(talk: Talk) -> Ran | None:
    """The one call that a tool's own messages tell of, None where they are no tool's own: it is given arguments, and answers."""
    for message in talk.given:
        if message.role == "tool":
            for one in message.asked:
                return _ended(talk, one.id, one.given)
            if isinstance(message.content, dict):
                return _ended(talk, message.call, message.content)
    back = talk.said[0] if len(talk.said) == 1 and talk.said[0].role == "tool" else None
    if back is None or len(talk.given) > 1:
        return None
    given = talk.given[0].content if talk.given else None
    return _ended(talk, back.answered[0].id if back.answered else "", given if isinstance(given, dict) else None)


def _ended(talk: Talk, call: str, given: object) -> Ran:
    arguments = arguments_in(given) if given is not None else None
    for message in talk.said:
        for one in message.answered:
            if one.id == call or not call or not one.id:
                return Ran(call or one.id, one.tool, arguments, one.words, one.failed)
        if message.call == call:
            return Ran(call, "", arguments, message.words or spoken(message.content), None)
    return Ran(call, "", arguments, "", None)


def _blocks(value: object) -> Iterator[Json]:
    for one in value[:_BLOCKS] if isinstance(value, list) else ():
        if isinstance(one, dict):
            yield one


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    if isinstance(value, dict) and (said := first_text(mapping(value.get("text")), "value") or first_text(value, "text")):
        yield said
    for block in _blocks(value):
        if first_text(block, "type") in ("", "text", "input_text", "output_text") and (
            said := first_text(block, "text", "content")
        ):
            yield said


def _asked(value: object) -> Iterator[Asked]:
    """Calls in the words of OpenAI (`function`), Anthropic (`tool_use`), Bedrock (`toolUse`), Google (`function_call`), the standard."""
    for block in _blocks(value):
        inner = next((found for name in ("toolUse", "functionCall", "function_call") if (found := mapping(block.get(name)))), {})
        made = inner or mapping(block.get("function")) or block
        if not inner and not ({"function", "toolName"} & block.keys()) and first_text(block, "type") not in _CALLS:
            continue
        tool = first_text(made, "name", "toolName", "tool_name")
        ident = first_text(made, "toolUseId", "toolCallId", "id") or first_text(block, "id", "tool_call_id")
        given = next((made[name] for name in ("arguments", "input", "args") if name in made), None)
        if tool:
            yield Asked(call_id(ident), tool[:300], json_in(given))


def _answered(value: object) -> Iterator[Answered]:
    for block in _blocks(value):
        inner = next(
            (found for name in ("toolResult", "functionResponse", "function_response") if (found := mapping(block.get(name)))), {}
        )
        made = inner or block
        if not inner and first_text(block, "type") not in _RESULTS:
            continue
        ident = first_text(made, "toolUseId", "tool_use_id", "toolCallId", "tool_call_id", "id")
        said = next((made[name] for name in ("response", "result", "content", "output") if name in made), None)
        failed = made.get("is_error") is True or first_text(made, "status") == "error"
        failed = failed or first_text(mapping(said), "type") in ("error-text", "error-json")
        yield Answered(call_id(ident), spoken(said), failed or None)


def spoken(value: object, depth: int = 0) -> str:
    """The text of what a tool gave back: blocks of text, or whatever it is as one text."""
    found = json_in(value)
    if isinstance(found, list):
        said = "\n".join(said for one in found[:_BLOCKS] if depth < _DEPTH and (said := spoken(one, depth + 1)))
    elif isinstance(found, dict):
        inner = next((found[name] for name in ("text", "output", "result", "value", "content") if name in found), None)
        said = spoken(inner, depth + 1) if depth < _DEPTH and first_text(found, "type") not in _CALLS else ""
    else:
        said = text(found)
    return said or (value if isinstance(value, str) else "")
