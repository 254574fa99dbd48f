"""A shell command as Gemini CLI reads it, in the two ways it does: tree-sitter for its parts, shell-quote for its words."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

import msgspec
from tree_sitter import Node

from lang.shell_syntax import nodes_below, parsed
from policy.agents.gemini_cli.regexes import WHITESPACE, compiled, units

_SPACE = f"[{re.escape(WHITESPACE)}]"
_WRAPPER = re.compile(
    rf"{_SPACE}*(?:(?:[^{re.escape(WHITESPACE)}]+/)?(?:sh|bash|zsh){_SPACE}+-c|cmd\.exe{_SPACE}+/c"
    rf"|(?:powershell|pwsh)(?:\.exe)?{_SPACE}+(?:-NoProfile{_SPACE}+)?-Command){_SPACE}+",
    re.ASCII | re.IGNORECASE,
)
_NOT_ASCII = re.compile(r"[^\x01-\x7f]")
_CONTROL = r"\|\||&&|;;|\|&|<\(|<<<|>>|>&|<&|[&;()|<>]"
_META = r"|&;()<> \t"
_CHUNK = rf"""({_CONTROL})|((\\['"{_META}]|[^\s'"{_META}])+|"((\\"|[^"])*?)"|'((\\'|[^'])*?)')+"""
_OPERATORS = frozenset(["||", "&&", ";;", "|&", "<(", "<<<", ">>", ">&", "<&", *"&;()|<>"])
_NAMED = ("declaration_command", "unset_command", "test_command")
_REDIRECTIONS = ("redirected_statement", "file_redirect", "heredoc_redirect", "herestring_redirect")


class Piece(msgspec.Struct, frozen=True):
    """One command in a script: its text, and where it begins."""

    text: str
    start: int


class Script(msgspec.Struct, frozen=True):
    """`broken` says that the program takes it for no script it understands."""

    pieces: tuple[Piece, ...]
    broken: bool
    redirects: bool


class TooHard(ValueError):
    """Text made to keep a parser busy: nobody knows what the program's own parser does in its second."""


class BadSubstitution(ValueError):
    """shell-quote gives up on the command."""


def trimmed(text: str) -> str:
    return text.strip(WHITESPACE)


@lru_cache(maxsize=4096)
def script(command: str) -> Script:
    """The commands of a script in the order they begin; raises `TooHard`."""
    if not trimmed(command):
        return Script((), True, any(c in command for c in "<>"))
    # One letter for every character that is not ASCII: offsets in bytes are offsets in the text then.
    root = parsed(_NOT_ASCII.sub("x", command))
    if root is None:
        raise TooHard("a command too hard to parse")
    found: list[Piece] = []
    named = redirects = transformed = False
    for node in nodes_below(root):
        redirects = redirects or node.type in _REDIRECTIONS
        transformed = transformed or (node.type == "expansion" and _prompts(node, command))
        name = _name(node, command)
        if name:
            named = True
            found.append(Piece(trimmed(command[node.start_byte : node.end_byte]), node.start_byte))
        named = named or node.type in _REDIRECTIONS[1:]
    found.sort(key=lambda piece: piece.start)
    return Script(tuple(found), root.has_error or not named or transformed, redirects)


def redirected(command: str) -> bool:
    """Whether a command reads or writes through the shell; raises `TooHard`."""
    return any(c in command for c in "<>") and script(command).redirects


def unwrapped(command: str) -> str:
    """What `bash -c` and its like are given, without the quotes around it; else the command, trimmed."""
    found = _WRAPPER.match(command)
    if found is None:
        return trimmed(command)
    inner = trimmed(command[found.end() :])
    for quote in "\"'":
        if len(inner) > 1 and inner.startswith(quote) and inner.endswith(quote):
            return inner[1:-1]
    return inner


@lru_cache(maxsize=4096)
def words(command: str) -> tuple[str, ...]:
    """The words and operators of a command as shell-quote gives them, every variable empty; raises `BadSubstitution`."""
    found: list[str] = []
    for chunk in compiled(_CHUNK).finditer(units(command)):
        text = command[chunk.start() : chunk.end()] if command.isascii() else chunk.group()
        if text in _OPERATORS:
            found.append(text)
            continue
        word, commented = _word(text)
        if word is not None:
            found.append(word)
        if commented:
            found.append("")
            break
    return tuple(found)


def _word(chunk: str) -> tuple[str | None, bool]:
    """A word without its quotes, and whether a comment begins in it."""
    out: list[str] = []
    quote = ""
    at = 0
    while at < len(chunk):
        char = chunk[at]
        if quote:
            if char == quote:
                quote = ""
            elif quote == '"' and char == "\\":
                at += 1
                char = chunk[at : at + 1]
                out.append(char if char and char in '"\\$' else "\\" + char)
            elif quote == '"' and char == "$":
                text, at = _variable(chunk, at)
                out.append(text)
            else:
                out.append(char)
        elif char in "\"'":
            quote = char
        elif char in _OPERATORS:
            return chunk, False
        elif char == "#":
            return ("".join(out) if out else None), True
        elif char == "\\":
            at += 1
            out.append(chunk[at : at + 1])
        elif char == "$":
            text, at = _variable(chunk, at)
            out.append(text)
        else:
            out.append(char)
        at += 1
    return "".join(out), False


def _variable(chunk: str, at: int) -> tuple[str, int]:
    """The value of the variable that begins at a `$`, and the last character that belongs to it."""
    at += 1
    char = chunk[at : at + 1]
    if char == "{":
        end = chunk.find("}", at + 1)
        if end < 0 or end == at + 1:
            raise BadSubstitution(chunk)
        return "", end
    if char and char in "*@#?$!_-":
        return "", at + 1
    end = at
    while end < len(chunk) and chunk[end].isascii() and (chunk[end].isalnum() or chunk[end] == "_"):
        end += 1
    name = chunk[at:end]
    return ("" if name else "$"), (end - 1 if end < len(chunk) else end)


def _name(node: Node, source: str) -> str:
    if node.type == "command":
        named = node.child_by_field_name("name")
    else:
        named = node.children[0] if node.type in _NAMED and node.children else None
    if named is None:
        return ""
    raw = source[named.start_byte : named.end_byte]
    if len(raw) >= 2 and raw[0] == raw[-1] and raw[0] in "\"'":
        return raw[1:-1]
    return trimmed(raw)


def _prompts(node: Node, source: str) -> bool:
    """`${x@P}`, which runs what a variable holds."""
    texts = [source[child.start_byte : child.end_byte] for child in node.children]
    return any(one == "@" and other.lower() == "p" for one, other in pairwise(texts))
