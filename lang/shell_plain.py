"""The plain simple commands of a script, where it is nothing but lists and pipes of these; nothing where there is more to it."""

from __future__ import annotations

import re
from functools import lru_cache

from tree_sitter import Node

from lang.shell_syntax import parsed

MAX_LENGTH = 4_096
_WITHIN = frozenset({"program", "list", "pipeline"})
_WORDS = frozenset({"command_name", "word", "number"})
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./^-]+")


@lru_cache(maxsize=8_192)
def plain(script: str) -> tuple[str, ...] | None:
    """Each simple command in order, its words joined by one blank; None where not all of the script is that plain.

    Plain is a command of bare words: no quotes, expansions, globs, redirections, assignments, background, negation,
    control flow or comment. Words are then the same to every program that reads them.
    """
    if len(script) > MAX_LENGTH or not script.isascii():
        return None
    root = parsed(script)
    if root is None or root.has_error:
        return None
    found: list[str] = []
    todo: list[Node] = [root]
    while todo:
        node = todo.pop()
        if node.type in _WITHIN:
            if any(child.type in ("&", "|&", "!") for child in node.children):
                return None
            todo += reversed(node.named_children)
        elif node.type == "command":
            words = _words(node, script)
            if words is None:
                return None
            found.append(words)
        else:
            return None
    return tuple(found) or None


def _words(node: Node, script: str) -> str | None:
    words = []
    for child in node.children:
        text = script[child.start_byte : child.end_byte]
        if child.type not in _WORDS or not _PLAIN.fullmatch(text):
            return None
        words.append(text)
    return " ".join(words) if words and "=" not in words[0] else None
