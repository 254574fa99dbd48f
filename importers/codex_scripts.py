"""The commands that a Codex script (tool `exec`) runs, as far as it spells them out: `await tools.exec_command({cmd: "git push"})`.

Patches and calls of MCP servers made by a script are logged by their own ends. The ends of its commands were not kept in rollouts
before 0.169, so that the script is all that tells of them. It is read, never run: texts, lists, objects and names bound to them
are understood, and what is made at run time is not.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from importers.codex_items import results
from importers.codex_outputs import Output
from importers.codex_tools import TOOLS, search_act
from importers.shared.agents import Act, Frame
from importers.shared.fields import Json
from model.event import Event
from model.words import EventKind, Phase

_LIMIT = 100_000
_STEPS = 200_000
_MOST = 50
_REMEMBERED = 1_000
_HELD = 4 << 20
"""Characters of scripts remembered at once."""
_DEEPEST = 16
_INSERTS = 100
_INSERT = 1_000
_RUNS = frozenset({"shell", "shell_command", "exec_command", "local_shell", "container.exec", "write_stdin"})
_WEB = "web__run"
_THROUGH = frozenset({"map", "forEach", "flatMap"})
_TOKEN = re.compile(
    r"(?P<skip>\s+|//[^\n]*|/\*.*?(?:\*/|\Z))|(?P<text>\"(?:[^\"\\\n]++|\\.)*+\"|'(?:[^'\\\n]++|\\.)*+')|(?P<template>`(?:[^`\\]++|\\.)*+`)"
    r"|(?P<name>[A-Za-z_$][\w$]*)|(?P<number>\d[\w.]*)"
    # A text that nothing closes is a mark as far as it was read: sought again from each of its signs it would cost the square.
    r"|(?P<mark>\"(?:[^\"\\\n]++|\\.)*+|'(?:[^'\\\n]++|\\.)*+|`(?:[^`\\]++|\\.)*+|=>|\.\.\.|\?\.|[=!]==?|.)",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}
_INSERTED = re.compile(r"\$\{\s*([\w$]+)\s*\}")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None}


class Scripts(NamedTuple):
    """The scripts of one thread that have not come back yet, and the commands that the log has told of by their own end meanwhile.

    Both are its reader's memory, which a bookmark keeps: plain values.
    """

    waiting: dict[str, tuple[int, str]]
    """By call the number of commands told of before, and the source."""
    commands: list[str]

    def begun(self, call: str, source: str) -> None:
        held = sum(len(one) for _, one in self.waiting.values()) if self.waiting else 0
        if call and len(self.waiting) < _REMEMBERED and held < _HELD and script_runs(source):
            self.waiting[call] = (len(self.commands), source[:_LIMIT])

    def told(self, act: Act) -> None:
        """The log has a record of its own for this command of a script."""
        if self.waiting:
            self.commands.append(str(act.attrs.get("command", "")))

    def ended(self, call: str, found: Output, frame: Frame) -> Generator[Event, None, Output]:
        """What a script that came back ran and no record tells of; gives back what came of the script itself.

        What came back is of one command where there is only one: a refusal is then that command's, and the script ran.
        """
        since, source = self.waiting.pop(call, (0, ""))
        runs, told = script_runs(source), self.commands[since:]
        left = [(tool, act) for tool, act in runs if act.attrs.get("command") not in told] if len(told) < len(runs) else []
        if not self.waiting:
            self.commands.clear()
        for place, (tool, act) in enumerate(left, 1):
            inner = f"{call}/{place}"
            yield frame.event(EventKind.ACTION, Phase.CALL, call=inner, act=act, tool=tool)
            if len(runs) == 1:
                yield from results(found, inner, frame)
                return found._replace(refused="", reason="")
        return found


class _Unknown:
    """What only running the script would tell."""


class _Steps:
    """How many more tokens may be looked at: a script made to be slow is given up."""

    left = _STEPS


class _Each(NamedTuple):
    """A name that stands for every member of a list in turn."""

    members: Sequence[object]


_UNKNOWN = _Unknown()


def script_runs(source: str) -> list[tuple[str, Act]]:
    """Tool and act of each command and each look-up in the web that a script spells out, in the order they stand there; at most fifty."""
    return list(islice(_Reading(source[:_LIMIT]).calls(), _MOST)) if "tools" in source else []


class _Reading:
    """One script: its tokens, and what its names are bound to so far."""

    def __init__(self, source: str, outer: _Reading | None = None) -> None:
        found = ((m.lastgroup or "", m.group()) for m in _TOKEN.finditer(source))
        self._tokens = [token for token in found if token[0] != "skip"]
        self._bound: dict[str, object] = outer._bound if outer else {}
        self._steps: _Steps = outer._steps if outer else _Steps()
        self._depth: int = outer._depth + 1 if outer else 0

    def calls(self) -> Iterator[tuple[str, Act]]:
        for at, (kind, text) in enumerate(self._tokens):
            if self._steps.left < 0:
                return
            if kind == "template" and "${" in text and self._depth < _DEEPEST:
                yield from _Reading(text[1:-1], self).calls()
            elif kind == "name" and self._is(at + 1, "=") and not self._is(at - 1, "."):
                self._bound[text] = self._value(at + 2, 0)[0]
            elif text in _THROUGH and self._is(at - 1, ".") and self._is(at + 1, "("):
                over = at + 2 + self._is(at + 2, "async")
                self._each(self._text(over + self._is(over, "(")), self._bound.get(self._text(at - 2)))
            elif kind == "name" and self._is(at + 1, "of"):
                self._each(text, self._value(at + 2, 0)[0])
            elif text == "tools":
                yield from self._call(at + 1)

    def _each(self, name: str, over: object) -> None:
        """This name is each of the list in turn."""
        self._bound[name] = _Each(over) if isinstance(over, list) else _UNKNOWN

    def _call(self, at: int) -> Iterator[tuple[str, Act]]:
        if self._is(at, ".", "?."):
            tool, at = self._text(at + 1), at + 2
        elif self._is(at, "[") and self._kind(at + 1) == "text":
            tool, at = _unescaped(self._text(at + 1)[1:-1]), at + 3
        else:
            return
        if (tool not in _RUNS and tool != _WEB) or not self._is(at, "("):
            return
        given, _ = self._value(at + 1, 0)
        if tool == _WEB:
            yield from ((tool, act) for act in _looked_up(given))
            return
        for one in _spread(given if isinstance(given, dict) else {"cmd": given}):
            act = TOOLS[tool](one)
            if act.attrs.get("command"):
                yield tool, act

    def _value(self, at: int, depth: int) -> tuple[object, int]:
        """The value that is spelled out from here, and where the next token is."""
        self._steps.left -= 1
        value, at = self._simple(at, depth) if depth < _DEEPEST else (_UNKNOWN, at)
        while self._is(at, "+"):
            more, at = self._simple(at + 1, depth)
            value = _joined("", [value, more])
        if self._is(at, ".") and self._is(at + 1, "join") and self._is(at + 2, "(") and self._is(at + 4, ")"):
            value, at = _joined(self._simple(at + 3, depth)[0], value if isinstance(value, list) else [_UNKNOWN]), at + 5
        if at < len(self._tokens) and not self._is(at, ",", ";", ")", "]", "}", "of") and self._kind(at) == "mark":
            return _UNKNOWN, self._past(at)
        return value, at

    def _simple(self, at: int, depth: int) -> tuple[object, int]:
        kind, text = self._kind(at), self._text(at)
        if kind == "text":
            return _unescaped(text[1:-1]), at + 1
        if kind == "template":
            return _unescaped(_INSERTED.sub(self._inserted, text[1:-1], _INSERTS)), at + 1
        if text == "String" and self._is(at + 2, "raw") and self._kind(at + 3) == "template":
            return self._text(at + 3)[1:-1], at + 4
        if text == "[":
            return self._list(at + 1, depth)
        if text == "{":
            return self._object(at + 1, depth)
        if kind == "name":
            return _WORDS[text] if text in _WORDS else self._bound.get(text, _UNKNOWN), at + 1
        return (text if kind == "number" else _UNKNOWN), at + (kind != "mark")

    def _inserted(self, found: re.Match[str]) -> str:
        value = self._bound.get(found.group(1))
        return value.replace("\\", "\\\\") if isinstance(value, str) and len(value) <= _INSERT else found.group()

    def _list(self, at: int, depth: int) -> tuple[object, int]:
        found: list[object] = []
        while at < len(self._tokens) and self._steps.left >= 0 and not self._is(at, "]"):
            value, at = self._value(at, depth + 1)
            found.append(value)
            at = self._past(at) + self._is(self._past(at), ",")
        return found, at + 1

    def _object(self, at: int, depth: int) -> tuple[object, int]:
        found: Json = {}
        while at < len(self._tokens) and self._steps.left >= 0 and not self._is(at, "}"):
            name = _unescaped(self._text(at)[1:-1]) if self._kind(at) == "text" else self._text(at)
            if self._is(at + 1, ":"):
                found[name], at = self._value(at + 2, depth + 1)
            elif self._kind(at) == "name":
                found[name], at = self._bound.get(name, _UNKNOWN), at + 1
            at = self._past(at) + self._is(self._past(at), ",")
        return found, at + 1

    def _past(self, at: int) -> int:
        """Where the comma or the bracket stands that ends what begins here."""
        open_: list[str] = []
        while at < len(self._tokens) and self._steps.left >= 0:
            self._steps.left -= 1
            text = self._text(at)
            if not open_ and text in (",", ";", ")", "]", "}"):
                break
            if text in _CLOSING:
                open_.append(_CLOSING[text])
            elif open_ and text == open_[-1]:
                open_.pop()
            at += 1
        return at

    def _kind(self, at: int) -> str:
        return self._tokens[at][0] if 0 <= at < len(self._tokens) else ""

    def _text(self, at: int) -> str:
        return self._tokens[at][1] if 0 <= at < len(self._tokens) else ""

    def _is(self, at: int, *texts: str) -> bool:
        return self._text(at) in texts


def _looked_up(given: object) -> Iterator[Act]:
    """What is searched for in the web and which pages are opened, as far as they are spelled out."""
    asked = given if isinstance(given, dict) else {}
    for name, word in (("search_query", "q"), ("image_query", "q"), ("open", "ref_id")):
        several = asked.get(name)
        for one in several if isinstance(several, list) else []:
            said = one.get(word) if isinstance(one, dict) else None
            if isinstance(said, str) and (name != "open" or said.startswith(("http://", "https://"))):
                yield search_act({"url" if name == "open" else "query": said})


def _spread(given: Json) -> Iterator[Json]:
    """The arguments, once for each member of the list that one of them goes through; what is unknown is left out."""
    turns: Sequence[object] = next((value.members for value in given.values() if isinstance(value, _Each)), (None,))
    for turn in turns:
        filled = {name: turn if isinstance(value, _Each) else value for name, value in given.items()}
        yield {name: value for name, value in filled.items() if not isinstance(value, _Unknown)}


def _joined(mark: object, parts: list[object]) -> object:
    """Texts put together; unknown where one of them is, or where the whole would be longer than any script."""
    texts = [part for part in parts if isinstance(part, str)]
    if not isinstance(mark, str) or len(texts) < len(parts) or sum(map(len, texts)) + len(mark) * len(texts) > _LIMIT:
        return _UNKNOWN
    return mark.join(texts)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_meant, text) if "\\" in text else text


def _meant(found: re.Match[str]) -> str:
    code = found.group(1) or found.group(2) or found.group(3)
    if code is None:
        return _PLAIN.get(found.group(4), found.group(4))
    return chr(point) if (point := int(code, 16)) <= 0x10FFFF else "\ufffd"
