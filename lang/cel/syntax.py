"""CEL text to an untyped tree.

The grammar is our own, for lark's LALR parser. The one that ships with cel-python is not used: importing any part of
`celpy` loads its evaluator and a calendar library (about 180 ms, against 45 ms for lark alone), its lexer takes the
sign of a number into the literal, so that `a -1` does not parse, and its tree has fifteen nested rules for a single
name. Ours folds those away while parsing. LALR needs no recursion: nesting is bounded here, where nodes are built.

Reference: the CEL language definition, section "Syntax" (github.com/google/cel-spec).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TypeAlias

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError

from lang.cel.nodes import Node
from lang.cel.problems import CelError, Problem

MAX_TEXT = 20_000
MAX_DEPTH = 100

_GRAMMAR = r"""
?start: expr
?expr: either | either "?" either ":" expr -> cond
?either: both | both ("||" both)+ -> or_
?both: relation | relation ("&&" relation)+ -> and_
?relation: sum | relation (LT | LE | GT | GE | EQ | NE | IN) sum -> binary
?sum: product | sum (PLUS | MINUS) product -> binary
?product: unary | product (STAR | SLASH | PERCENT) unary -> binary
?unary: member | BANG unary -> not_ | MINUS unary -> neg
?member: primary
       | member "." NAME -> select
       | member "." NAME "(" [arguments] RPAR -> method
       | member "[" expr RSQB -> index
?primary: NAME -> name
        | NAME "(" [arguments] RPAR -> call
        | "(" expr ")"
        | LSQB [items] RSQB -> list_
        | INT -> int_
        | (UINT | FLOAT | BYTES | NULL) -> other
        | (STRING | RAW | TRIPLE | RAW_TRIPLE) -> string
        | (TRUE | FALSE) -> bool_
arguments: expr ("," expr)*
items: expr ("," expr)* [","]

LT: "<"
LE: "<="
GT: ">"
GE: ">="
EQ: "=="
NE: "!="
IN: "in"
PLUS: "+"
MINUS: "-"
STAR: "*"
SLASH: "/"
PERCENT: "%"
BANG: "!"
RPAR: ")"
LSQB: "["
RSQB: "]"
TRUE: "true"
FALSE: "false"
NULL: "null"
NAME: /[_a-zA-Z][_a-zA-Z0-9]*/
FLOAT.3: /[0-9]+\.[0-9]+([eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+([eE][+-]?[0-9]+)?/
UINT.3: /(0[xX][0-9a-fA-F]+|[0-9]+)[uU]/
INT.2: /0[xX][0-9a-fA-F]+|[0-9]+/
BYTES.5: /([bB][rR]?|[rR][bB])("[^"\n\r]*"|'[^'\n\r]*')/
RAW_TRIPLE.4: /[rR]("{3}[\s\S]*?"{3}|'{3}[\s\S]*?'{3})/
TRIPLE.4: /"{3}(?:\\[\s\S]|[^\\])*?"{3}|'{3}(?:\\[\s\S]|[^\\])*?'{3}/
RAW.3: /[rR]("[^"\n\r]*"|'[^'\n\r]*')/
STRING.3: /"(?:\\.|[^"\\\n\r])*"|'(?:\\.|[^'\\\n\r])*'/
COMMENT: /\/\/[^\n\r]*/
%ignore /[ \t\n\r\f]+/
%ignore COMMENT
"""

_RESERVED = frozenset(
    {
        "as", "break", "const", "continue", "else", "for", "function", "if",
        "import", "let", "loop", "package", "namespace", "return", "var", "void", "while",
    }
)  # fmt: skip


def parse(text: str) -> Node:
    """The tree of a condition; raises CelError with the first syntax error, its place, and what would be right there."""
    if len(text) > MAX_TEXT:
        raise _error(0, len(text), "cel-too-long", f"the condition is longer than {MAX_TEXT:,} characters; split the rule")
    if half := _HALF.search(text):
        raise _error(half.start(), half.end(), "cel-syntax", "half a character (a lone surrogate) cannot be matched")
    if not text.strip():
        raise _error(0, len(text), "cel-empty", "the condition is empty; write `true` to match every request")
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _unexpected(text, error) from None
    except VisitError as error:
        if isinstance(error.orig_exc, CelError):
            raise error.orig_exc from None
        raise
    assert isinstance(tree, Node)
    return tree


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Build(), maybe_placeholders=False)


_Child: TypeAlias = "Node | Token | list[Node]"


def _error(start: int, end: int, code: str, message: str) -> CelError:
    return CelError((Problem(start, max(end, start), code, message),))


def _node(
    op: str, start: int, end: int, args: tuple[Node, ...] = (), text: str = "", value: str | int | bool | None = None
) -> Node:
    depth = 1 + max((a.depth for a in args), default=0)
    if depth > MAX_DEPTH:
        raise _error(start, end, "cel-too-deep", f"the condition is nested more than {MAX_DEPTH} deep; split the rule")
    return Node(op, start, end, args, text, value, depth)


def _from(token: Token) -> int:
    return token.start_pos or 0


def _to(token: Token) -> int:
    return token.end_pos or 0


@v_args(inline=True)
class _Build(Transformer[Token, Node]):
    """Builds nodes while lark parses; each method is one rule of the grammar."""

    def arguments(self, *args: Node) -> list[Node]:
        return list(args)

    items = arguments

    def cond(self, test: Node, yes: Node, no: Node) -> Node:
        return _node("?:", test.start, no.end, (test, yes, no))

    def or_(self, *args: Node) -> Node:
        return _node("||", args[0].start, args[-1].end, args)

    def and_(self, *args: Node) -> Node:
        return _node("&&", args[0].start, args[-1].end, args)

    def binary(self, left: Node, op: Token, right: Node) -> Node:
        return _node(str(op), left.start, right.end, (left, right))

    def not_(self, op: Token, arg: Node) -> Node:
        return _node("!", _from(op), arg.end, (arg,))

    def neg(self, op: Token, arg: Node) -> Node:
        return _node("neg", _from(op), arg.end, (arg,))

    def select(self, of: Node, name: Token) -> Node:
        return _node("select", of.start, _to(name), (of,), str(name))

    def method(self, of: Node, name: Token, *rest: list[Node] | Token) -> Node:
        args, end = _arguments(rest)
        return _node("method", of.start, end, (of, *args), str(name), _from(name))

    def index(self, of: Node, at: Node, end: Token) -> Node:
        return _node("index", of.start, _to(end), (of, at))

    def name(self, name: Token) -> Node:
        if name in _RESERVED:
            raise _error(_from(name), _to(name), "cel-reserved", f"`{name}` is a reserved word of CEL and cannot be a name")
        return _node("name", _from(name), _to(name), (), str(name))

    def call(self, name: Token, *rest: list[Node] | Token) -> Node:
        args, end = _arguments(rest)
        return _node("call", _from(name), end, tuple(args), str(name))

    def list_(self, begin: Token, *rest: list[Node] | Token) -> Node:
        args, end = _arguments(rest)
        return _node("list", _from(begin), end, tuple(args))

    def int_(self, token: Token) -> Node:
        digits = len(token)
        value = int(token, 0) if token[:2] in ("0x", "0X") else int(token) if digits <= 40 else 1 << 64
        return _node("int", _from(token), _to(token), (), str(token), value)

    def other(self, token: Token) -> Node:
        return _node(token.type.lower(), _from(token), _to(token), (), str(token))

    def string(self, token: Token) -> Node:
        value = _text_value(token)
        return _node("string", _from(token), _to(token), (), str(token), value)

    def bool_(self, token: Token) -> Node:
        return _node("bool", _from(token), _to(token), (), str(token), token == "true")


def _arguments(rest: tuple[list[Node] | Token, ...]) -> tuple[list[Node], int]:
    args: list[Node] = []
    end = 0
    for item in rest:
        if isinstance(item, Token):
            end = _to(item)
        else:
            args = item
    return args, end


_HALF = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]))")
_SIMPLE = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
}  # fmt: skip


def _text_value(token: Token) -> str:
    raw = token.type.startswith("RAW")
    quote = 3 if token.type.endswith("TRIPLE") else 1
    lead = quote + (1 if raw else 0)
    body = str(token)[lead:-quote]
    if raw or "\\" not in body:
        return body
    out: list[str] = []
    done = 0
    for found in _ESCAPE.finditer(body):
        out.append(body[done : found.start()])
        done = found.end()
        start = _from(token) + lead + found.start()
        number = next((g for g in found.groups()[:3] if g), "")
        if number or found.group(4):
            code = int(number, 16) if number else int(found.group(4), 8)
            if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
                raise _error(start, start + len(found.group()), "cel-escape", f"`{found.group()}` is no character")
            out.append(chr(code))
        elif (simple := _SIMPLE.get(found.group(5))) is not None:
            out.append(simple)
        else:
            letter = found.group(5)
            raise _error(
                start, start + 2, "cel-escape",
                f"unknown escape `\\{letter}`; write `\\\\{letter}`, or a raw text: r\"...\"",
            )  # fmt: skip
    out.append(body[done:])
    return "".join(out)


_WORDS = {"and": "&&", "or": "||", "not": "!", "is": "==", "AND": "&&", "OR": "||", "NOT": "!", "IN": "in"}
_SIGNS = {
    "=": "write `==` to compare",
    "&": "write `&&` for and",
    "|": "write `||` for or",
    "{": "maps are read, not written: `resource[\"owner\"]`, `\"owner\" in resource`; a list is written [\"a\", \"b\"]",
    "`": "texts are written in \"double\" or 'single' quotes",
    ";": "one condition per rule; join conditions with `&&` or `||`",
    "#": "comments are written `// ...`",
    "$": "names are written as they are, without a sign before them",
    "@": "names are written as they are, without a sign before them",
    "~": "regular expressions are written `name.matches(\"...\")`",
}  # fmt: skip
# Operators of other languages that stand after a value, and what says the same.
_INFIX = {
    "contains": "write `name.contains(...)`", "matches": "write `name.matches(...)`", "like": "write `name.matches(...)` or `name.startsWith(...)`",
    "startsWith": "write `name.startsWith(...)`", "endsWith": "write `name.endsWith(...)`", "xor": "write `!=` between two conditions",
    "between": "write `x >= a && x <= b`", "exists": "write `has(name)`", "eq": "write `==`", "ne": "write `!=`",
}  # fmt: skip
_PAIRS = {
    ".?": "optional values are not supported; ask `has(name)` first: `has(name) && name == ...`",
    "[?": "optional values are not supported; ask `has(name)` first: `has(name) && name == ...`",
    "??": "write `has(name) ? name : ...`", "<>": "write `!=`", "=~": "write `name.matches(\"...\")`", "==": "write `==` to compare",
}  # fmt: skip
_NAMES = {
    "RPAR": "`)`", "LPAR": "`(`", "RSQB": "`]`", "LSQB": "`[`", "NAME": "a name", "COLON": "`:`",
    "$END": "the end of the condition", "STRING": "a text", "INT": "a whole number",
}  # fmt: skip


def _unexpected(text: str, error: UnexpectedInput) -> CelError:
    if isinstance(error, UnexpectedCharacters):
        at = error.pos_in_stream or 0
        sign = text[at]
        if sign in "\"'":
            return _error(at, _line_end(text, at), "cel-syntax", f"the text is not closed: {sign} is missing at its end")
        hint = _PAIRS.get(text[max(at - 1, 0) : at + 1]) or _PAIRS.get(text[at : at + 2]) or _SIGNS.get(sign, "")
        if sign == "{" and re.search(r"[\w.]\s*$", text[:at]):
            hint = 'messages are not supported; durations and times are written duration("1h") and timestamp("...")'
        return _error(at, at + 1, "cel-syntax", f"unexpected {_shown(sign)}" + _hint(hint))
    if isinstance(error, UnexpectedToken):
        token = error.token
        if token.type == "$END":
            end = len(text.rstrip())
            return _error(end, end, "cel-syntax", "the condition ends too early" + _wanted(error.accepts or error.expected))
        at, word = _from(token), str(token)
        if misplaced := _word_before(text, at):
            start = misplaced.start(1)
            hint = f"write `{_WORDS[misplaced.group(1)]}`"
            return _error(start, misplaced.end(1), "cel-syntax", f"unexpected `{misplaced.group(1)}`" + _hint(hint))
        wanted = error.accepts or error.expected
        if word in _WORDS:
            hint = f"write `{_WORDS[word]}`"
        elif (pair := text[max(at - 1, 0) : at + 1]) in _PAIRS and word in "?>":
            hint = _PAIRS[pair]
        elif word == "." and "NAME" in wanted:
            hint = "names begin with a letter: leave out the dot before it"
        elif word == "," and re.search(r"\bin\s*\([^()]*\Z", text[:at]):
            hint = 'a list is written in brackets: ["a", "b"]'
        elif word in _INFIX and "NAME" not in wanted:
            hint = _INFIX[word]
        elif "NAME" in wanted:
            hint = "a value is expected here"
        elif token.type in ("NAME", "STRING", "RAW", "INT", "TRUE", "FALSE", "LSQB", "LPAR", "BANG"):
            hint = "an operator such as `&&` or `==` is missing before it"
        else:
            hint = _wanted(wanted).removeprefix("; ")
        return _error(at, _to(token), "cel-syntax", f"unexpected {_shown(word)}" + _hint(hint))
    end = len(text)
    return _error(end, end, "cel-syntax", "the condition cannot be read")


def _word_before(text: str, at: int) -> re.Match[str] | None:
    """The word just before an unexpected token where it is an operator of another language: `not x`."""
    found = re.search(r"([A-Za-z]{2,3})\s*$", text[:at])
    return found if found and found.group(1) in _WORDS and found.group(1) != "IN" else None


def _wanted(expected: set[str]) -> str:
    if "NAME" in expected:
        return "; a value is expected here"
    named = sorted(_NAMES[e] for e in expected & _NAMES.keys() - {"$END", "LSQB", "LPAR"})
    return f"; {' or '.join(named)} is missing" if named else ""


def _hint(hint: str) -> str:
    return f"; {hint}" if hint else ""


def _shown(sign: str) -> str:
    return f"`{sign[:40]}`" if sign.isprintable() else f"character U+{ord(sign[0]):04X}"


def _line_end(text: str, at: int) -> int:
    found = re.search(r"[\r\n]", text[at:])
    return at + found.start() if found else len(text)
