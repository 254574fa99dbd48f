"""The tool calls in a log of requests to models: what a model's answer asks for, and what the next request brings back of it.

Each request repeats the whole conversation: only what follows the model's last word in it is new, and a request sent again
says nothing new at all. The ids are the model's, so they join the agent's own transcript exactly; what the model or the
agent merely says is theirs to report. The shapes are those of chat completions, Anthropic messages, OpenAI responses and
Bedrock's Converse, and of the pieces in which Anthropic's are streamed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, call_id, excerpt, field, names_one_call, references_in, told_apart, words_of
from importers.shared.chat import json_of
from importers.shared.fields import Json, key, mapping, number
from importers.shared.recent import remember
from importers.shared.told import Told
from importers.shared.transcript import objects
from model.event import Event, Outcome
from model.words import EventKind, KeyRole, Phase, Tri, Vantage

_MOST = 200
_LIMIT = 50_000


class _Call(NamedTuple):
    name: str
    tool: str
    given: object


class _Answer(NamedTuple):
    name: str
    said: str
    failed: bool


def asked(seen: dict[str, None], told: Told, place: str, response: object) -> Iterator[Event]:
    """The calls of a model's answer; `place` names the conversation, or the request where it has no name.

    `seen` is what a reader remembers of what it told already.
    """
    for nth, call in enumerate(_calls(_answered(response))):
        name = _name(call.name, told, place) if call.name else f"{place}/#{nth}"
        if _first(seen, f"call {place} {name}"):
            yield _event(told, Phase.CALL, name, call, told_apart(act_of(call.tool, call.given), call.given))


def brought(seen: dict[str, None], told: Told, place: str, messages: object) -> Iterator[Event]:
    """The results that a request's messages end with, each described by the call it answers."""
    calls, answers = _end(objects(messages))
    for answer in answers:
        name = _name(answer.name, told, place)
        if not answer.name or not _first(seen, f"result {place} {name}"):
            continue
        call = calls.get(answer.name, _Call(answer.name, "", None))
        act = told_apart(act_of(call.tool, call.given), call.given) if call.tool else Act()
        made = _event(told, Phase.RESULT, name, call, act)
        made.outcome = Outcome(tool=Tri.NO if answer.failed else Tri.UNKNOWN)
        made.keys += references_in(answer.said)
        if answer.said:
            made.attrs["output"] = excerpt(answer.said)
        yield made


def _first(seen: dict[str, None], name: str) -> bool:
    if name in seen:
        return False
    remember(seen, name, None, _LIMIT)
    return True


def _name(call: str, told: Told, place: str) -> str:
    """The call's own id; one that merely counts means nothing where no conversation is stated that it could count in."""
    stated = any(one.role is KeyRole.SCOPE for one in told.keys)
    return call if stated or names_one_call(call) else f"{place}/{call}"


def _event(told: Told, phase: Phase, name: str, call: _Call, act: Act) -> Event:
    """The proxy passed the call on and decided nothing about it: it is a witness, and the call no part of the request it came by."""
    made = told.event(EventKind.ACTION, phase, vantage=Vantage.WITNESS)
    scopes = tuple(one for one in told.keys if one.role is KeyRole.SCOPE)
    own = key(KeyRole.CALL, "call", name)
    made.keys = (*scopes, own) if own else scopes
    made.verb, made.target, made.operations, made.tool = act.verb, act.target, act.operations, call.tool[:300]
    model = told.attrs.get("model")
    made.attrs = {**({"model": model} if model else {}), **act.attrs}
    return made


def _answered(response: object) -> list[Json]:
    """The messages, or the items, that make up an answer."""
    if isinstance(response, list):
        return [{"content": _of_pieces(objects(response))}]
    body = mapping(response)
    if message := mapping(mapping(body.get("output")).get("message")):
        return [message]
    if "choices" in body:
        return [mapping(choice.get("message")) for choice in objects(body["choices"])[:_MOST]]
    return objects(body.get("output")) or [body]


def _of_pieces(pieces: list[Json]) -> list[Json]:
    """The calls of a streamed answer: each begins with a block of its own, whose arguments follow in pieces of text."""
    blocks: dict[object, Json] = {}
    words: dict[object, list[str]] = {}
    for piece in pieces:
        place = number(piece.get("index"))
        if (block := mapping(piece.get("content_block"))).get("type") == "tool_use" and len(blocks) < _MOST:
            blocks[place], words[place] = block, []
        elif place in words:
            words[place].append(field(mapping(piece.get("delta")), "partial_json"))
    return [{**block, "input": json_of("".join(words[place])) or block.get("input")} for place, block in blocks.items()]


def _calls(parts: list[Json]) -> list[_Call]:
    """The calls in messages of a model, however they are written."""
    found: list[_Call] = []
    for part in parts:
        if part.get("type") in ("function_call", "custom_tool_call"):
            given = json_of(part.get("arguments", part.get("input")))
            found.append(_Call(call_id(part.get("call_id")), field(part, "name"), given))
        for call in objects(part.get("tool_calls")) or [{"function": part.get("function_call")}]:
            inner = mapping(call.get("function"))
            found.append(_Call(call_id(call.get("id")), field(inner, "name"), json_of(inner.get("arguments"))))
        for block in objects(part.get("content")):
            if block.get("type") == "tool_use":
                found.append(_Call(call_id(block.get("id")), field(block, "name"), block.get("input")))
            elif use := mapping(block.get("toolUse")):
                found.append(_Call(call_id(use.get("toolUseId")), field(use, "name"), use.get("input")))
    return [one for one in found if one.tool][:_MOST]


def _end(messages: list[Json]) -> tuple[dict[str, _Call], list[_Answer]]:
    """The calls of the model's last turn by their ids, and the answers that stand behind it."""
    last = next((n for n in range(len(messages) - 1, -1, -1) if _is_model_s(messages[n])), -1)
    first = last
    while first > 0 and _is_model_s(messages[first - 1]):
        first -= 1
    calls = {one.name: one for one in _calls(messages[max(first, 0) : last + 1])}
    return calls, [answer for message in messages[last + 1 :] for answer in _answers(message)][:_MOST]


def _is_model_s(message: Json) -> bool:
    return message.get("role") == "assistant" or message.get("type") in ("function_call", "custom_tool_call", "reasoning")


def _answers(message: Json) -> Iterator[_Answer]:
    if message.get("role") == "tool":
        yield _Answer(call_id(message.get("tool_call_id")), words_of(message.get("content")), False)
    elif message.get("type") in ("function_call_output", "custom_tool_call_output"):
        yield _Answer(call_id(message.get("call_id")), words_of(message.get("output")), False)
    for block in objects(message.get("content")):
        if block.get("type") == "tool_result":
            yield _Answer(call_id(block.get("tool_use_id")), words_of(block.get("content")), block.get("is_error") is True)
        elif given := mapping(block.get("toolResult")):
            said = words_of(given.get("content"))
            yield _Answer(call_id(given.get("toolUseId")), said, given.get("status") == "error")
