"""The calls within an answer of gptme's model: code blocks, `@tool(id): {json}` lines and tags, in their order.

A block may hold blocks, as the README it saves does: what is nested is content and no call. What the model only thought is none either.
"""

from __future__ import annotations

import html
import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, code_act, exec_act, field, file_act
from importers.shared.enclosed import enclosed
from importers.shared.fields import Json, mapping
from lang.late import late
from model.words import Verb

MOST = 200
_SCAN_LIMIT = 1 << 20
_NAMES = (
    "shell|ipython|py|tmux|gh|save|append|patch|patch_many|hashline_edit|morph|read|vision|browser|subagent|todo|todowrite|todoread"
    "|complete|choice|form|clarify|elicit|restart|mcp|memory|watch|computer|request_tool_change"
)
_TAGS = frozenset(_NAMES.split("|"))
_FENCE = re.compile(r"^(`{3,})[ \t]*+([^\n`]*)$")
_XML, _XML_END = (
    late(rf"<tool-use>\s*<(?P<tag>{_NAMES})(?: args=['\"]([^'\"\n]{{0,1000}})['\"])?>\n?"),
    late(rf"</(?P<tag>{_NAMES})>\s*+</tool-use>"),
)
_INVOKE, _INVOKE_END = late(rf"<invoke name=\"({_NAMES})\"(?: \w+=['\"]([^'\"\n]{{0,1000}})['\"])?>\n?"), late("</invoke>")
_LINE = late(r"^@([^\r\n@]{1,200}?)\(([\w:.-]{1,100})\): ?(?=\{)", re.MULTILINE)
_WRITES = frozenset({"save", "append", "patch", "patch_many", "hashline_edit", "morph"})
_EXECS = frozenset({"shell", "ipython", "py", "tmux"})
_JSON = json.JSONDecoder(strict=False)


class Called(NamedTuple):
    """One call: the id it states, if any, its tool, its arguments and what it does."""

    id: str
    tool: str
    given: object
    act: Act | None


class _Block(NamedTuple):
    start: int
    end: int
    head: str
    body: str


def calls(words: str) -> Iterator[Called]:
    """The calls in an answer, in their order."""
    text = words[:_SCAN_LIMIT]
    found: list[tuple[int, Called]] = []
    blocks = list(islice(_blocks(text), 10 * MOST))
    spoken = _thought(text)
    for block in blocks:
        tool, _, argument = block.head.partition(" ")
        if tool in _TAGS and block.start >= spoken:
            found.append((block.start, _written(tool, argument.strip(), block.body)))
    if "<tool-use>" in text or "<function_calls>" in text:
        for opening, closing in ((_XML, _XML_END), (_INVOKE, _INVOKE_END)):
            said = islice(enclosed(text, opening, closing), MOST)
            found += [(m.start(), _written(m[1], m[2] or "", html.unescape(body))) for m, body in said]
    found += _lines(text, blocks)
    yield from (one for _, one in sorted(found, key=lambda pair: pair[0])[: 2 * MOST])


def _thought(text: str) -> int:
    """Where what the model only thought ends; past the end where it never does."""
    for tag in ("thinking", "think"):
        begun = text.startswith(f"<{tag}>") or f"\n<{tag}>" in text
        end = text.find(f"</{tag}>")
        if end >= 0 and (begun or f"<{tag}>" not in text[:end]):
            return end
        if end < 0 and begun:
            return len(text)
    return 0


def _blocks(text: str) -> Iterator[_Block]:
    """The outermost code blocks; a fence that names a language within one opens another, a bare one closes the innermost."""
    at, depth, start, body, fence, head = 0, 0, 0, 0, "", ""
    for line in text.splitlines(keepends=True):
        m = _FENCE.match(line.rstrip("\r\n"))
        if m and not depth:
            depth, start, body, fence, head = 1, at, at + len(line), m[1], m[2].strip()
        elif m and m[2].strip():
            depth += 1
        elif m and (depth > 1 or m[1] == fence):
            depth -= 1
            if not depth:
                yield _Block(start, at + len(line), head, text[body:at])
        at += len(line)


def _lines(text: str, blocks: list[_Block]) -> Iterator[tuple[int, Called]]:
    """Calls that a line begins, of which a code block only speaks and one's arguments only tell."""
    after, told, starts = 0, 0, [block.start for block in blocks]
    for m in _LINE.finditer(text):
        before = bisect_right(starts, m.start())
        if m.start() < after or (before and m.start() < blocks[before - 1].end):
            continue
        try:
            given, after = _JSON.raw_decode(text, m.end())
        except (ValueError, RecursionError):
            given = {}
        told += 1
        yield m.start(), Called(m[2], m[1], given, _stated(m[1], mapping(given)))
        if told >= MOST:
            return


def _stated(tool: str, given: Json) -> Act | None:
    """What a call does that states its arguments by name; None where its name and they say enough."""
    server, dot, inner = tool.partition(".")
    if dot and server not in _TAGS:
        return act_of(tool, given, server=server, name=inner)
    if tool in _WRITES:
        return file_act(Verb.FILE_WRITE, field(given, "path"))
    if tool == "gh":
        return exec_act(f"gh {field(given, 'command')} {field(given, 'url')}".strip())
    if tool in ("ipython", "py"):
        return code_act(field(given, "code"))
    return None


def _written(tool: str, argument: str, body: str) -> Called:
    """A call whose argument and content stand as they are."""
    act: Act | None = None
    if tool in _WRITES:
        act = file_act(Verb.FILE_WRITE, argument)
    elif tool == "read":
        act = file_act(Verb.FILE_READ, argument or body.strip().partition("\n")[0])
    elif tool in _EXECS:
        act = (exec_act if tool in ("shell", "tmux") else code_act)(body.strip())
    elif tool == "gh":
        act = exec_act(f"gh {argument} {body.strip()}".strip())
    return Called("", tool, {"prompt": body} if tool == "subagent" else {}, act)
