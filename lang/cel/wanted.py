"""What may stand at the end of a condition that is still being written: read from its tokens, for it parses not yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from lang.cel.functions import METHODS
from lang.cel.maps import Maps
from lang.cel.typed import Type
from model.request import DERIVED, Field

Kind = Literal["operand", "function", "operator", "value", "key", "text", "binding", "nothing"]
"""An operand or a part of its name, a function of a value, an operator after one, a text inside quotes: a value of an
attribute, the key of a map, or any text; the name of a macro's variable."""

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f]+|//[^\r\n]*)
    |(?P<text>[rR]?(?:"{3}[\s\S]*?"{3}|'{3}[\s\S]*?'{3}|"(?:\\.|[^"\\\r\n])*"|'(?:\\.|[^'\\\r\n])*'))
    |(?P<open>[rR]?(?:"{3}|'{3}|["']))
    |(?P<number>[0-9][0-9a-zA-Z.]*)
    |(?P<path>\.?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\.?|\.)
    |(?P<sign>&&|\|\||[=!<>]=|.)""",
    re.VERBOSE | re.DOTALL,
)
_OPERATORS = frozenset(("==", "!=", "<", "<=", ">", ">=", "in", "&&", "||", "!", "+", "-", "*", "/", "%", "?", ":"))
_COMPARING = frozenset(("==", "!=", "<", "<=", ">", ">="))
_OF_TEXT = frozenset(("startsWith", "endsWith", "contains", "indexOf", "replace"))
_MACROS = frozenset(("exists", "all"))
_BRACKETS = {")": "(", "]": "["}


class Wanted(msgspec.Struct, frozen=True):
    """`typed` is the beginning of it that is there already; `of` the attribute or map it belongs to, "" where none is
    known, and `type` the type of the value before it; `quote` closes a text; `names` are variables of macros around it.
    """

    kind: Kind
    typed: str = ""
    of: str = ""
    type: Type = "?"
    quote: str = ""
    names: tuple[str, ...] = ()


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    start: int


class _Frame(msgspec.Struct):
    """An open bracket: what stands before it, and for a macro the variable once it is named."""

    sign: str
    before: _Token | None
    of: str
    var: str = ""


def wanted(text: str, fields: Mapping[str, Field]) -> Wanted:
    """What may come after `text`, which is a condition up to where it is being written."""
    return _Reader(fields).read(text)


class _Reader:
    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields
        self.groups = Maps(fields).groups
        self.frames: list[_Frame] = []

    def read(self, text: str) -> Wanted:
        before: list[_Token] = []
        closed: _Frame | None = None
        for token in _tokens(text):
            if token.kind == "open":
                return self._inside(before, text[token.start :])
            if token.text in ("(", "["):
                last = before[-1] if before else None
                self.frames.append(_Frame(token.text, last, self._subject(before) if token.text == "[" else ""))
            elif token.text in (")", "]"):
                closed = self.frames.pop() if self.frames and self.frames[-1].sign == _BRACKETS[token.text] else None
            elif token.text == "," and self.frames and before and before[-1].kind == "path" and not self.frames[-1].var:
                self.frames[-1].var = before[-1].text
            before.append(token)
        if before and before[-1].kind == "path" and before[-1].start + len(before[-1].text) == len(text):
            return self._name(before[-1].text, before[:-1], closed)
        if before and before[-1].kind == "number" and not text[-1:].isspace():
            return Wanted("nothing")
        return self._next(before, "", closed)

    def _inside(self, before: list[_Token], text: str) -> Wanted:
        """Inside a text that is not closed."""
        raw = text[:1] in "rR"
        quote = text[raw : raw + 3] if text[raw : raw + 3] in ('"""', "'''") else text[raw : raw + 1]
        typed = text[raw + len(quote) :]
        frame = self.frames[-1] if self.frames else None
        last = before[-1] if before else None
        if frame is not None and frame.sign == "[" and last is not None and last.text in ("[", ","):
            if frame.before is not None and frame.before.kind == "path" and frame.before.text != "in":
                return Wanted("key", typed, frame.before.text, quote=quote)
            of = frame.of
        elif frame is not None and last is not None and last.text == "(" and frame.before is not None:
            stem, _, method = frame.before.text.rpartition(".")
            if method not in _OF_TEXT and frame.before.kind == "path":
                return Wanted("nothing", typed)
            of = self._attribute(stem)
        else:
            of = self._subject(before)
        return Wanted("key" if of in self.groups else "value" if of else "text", typed, of, quote=quote)

    def _name(self, path: str, before: list[_Token], closed: _Frame | None) -> Wanted:
        """A name at the very end: of an attribute, or of a function after a value."""
        last = before[-1] if before else None
        stem, dot, typed = path.rpartition(".")
        if dot and not stem and last is not None:
            return Wanted("function", typed, type=self._result(last, closed))
        if dot and (kind := self.type_of(stem)) != "?":
            return Wanted("function", typed, stem, kind)
        frame = self.frames[-1] if self.frames else None
        if not dot and frame is not None and last is not None and last.text == "(" and self._macro(frame):
            return Wanted("binding", path)
        return self._next(before, path, closed)

    def _next(self, before: list[_Token], typed: str, closed: _Frame | None) -> Wanted:
        last = before[-1] if before else None
        if last is None or last.text in _OPERATORS or last.text in ("(", "[", ","):
            if last is not None and last.text == "(" and self.frames and self._macro(self.frames[-1]) and not typed:
                return Wanted("binding")
            of = self._subject(before) if last is not None and last.text in ("in", *_COMPARING, "[", ",") else ""
            return Wanted("operand", typed, of, self.type_of(of) if of else "?", names=self._variables())
        return Wanted("operator", typed, type=self._result(last, closed))

    def _subject(self, before: list[_Token]) -> str:
        """The attribute that what follows is compared with, or is in a list beside; "" where there is none."""
        if before and before[-1].text in ("[", ",") and self.frames:
            return self.frames[-1].of
        if len(before) > 1 and (before[-1].text in _COMPARING or before[-1].text == "in") and before[-2].kind == "path":
            return self._attribute(before[-2].text)
        return ""

    def _attribute(self, path: str) -> str:
        """The attribute or map a name stands for: itself, or the one whose elements or keys a variable runs over."""
        for frame in reversed(self.frames):
            if frame.var == path and self._macro(frame) and frame.before is not None:
                return self._attribute(frame.before.text.rpartition(".")[0])
        stem, _, method = path.rpartition(".")
        if path not in self.fields and method in ("lowerAscii", "trim"):
            return self._attribute(stem)
        return path if path in self.fields or path in DERIVED or path in self.groups else ""

    def type_of(self, path: str) -> Type:
        """The type of a name, "?" where it is none."""
        if path in self.fields:
            return self.fields[path].type
        if path in DERIVED:
            return DERIVED[path].type
        return "string" if path in self._variables() else "?"

    def _result(self, last: _Token, closed: _Frame | None) -> Type:
        """The type of the value that ends with a token."""
        if last.kind == "path":
            return "bool" if last.text in ("true", "false") else self.type_of(last.text)
        if last.kind in ("text", "number"):
            return "string" if last.kind == "text" else "int"
        if last.text == ")" and closed is not None and closed.before is not None and closed.before.kind == "path":
            name = closed.before.text.rpartition(".")[2]
            known: dict[str, Type] = {
                "size": "int",
                "has": "bool",
                "exists": "bool",
                "all": "bool",
                "duration": "duration",
                "timestamp": "timestamp",
            }
            return METHODS[name].result if name in METHODS else known.get(name, "?")
        return "?"

    def _variables(self) -> tuple[str, ...]:
        return tuple(frame.var for frame in reversed(self.frames) if frame.var and self._macro(frame))

    @staticmethod
    def _macro(frame: _Frame) -> bool:
        return frame.sign == "(" and frame.before is not None and frame.before.text.rpartition(".")[2] in _MACROS


def _tokens(text: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "sign"
        if kind == "open":
            yield _Token(kind, found.group(), found.start())
            return
        if kind != "space":
            yield _Token(kind, found.group(), found.start())
