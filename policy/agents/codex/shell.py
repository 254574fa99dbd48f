"""How Codex sees a shell script: as plain commands where it is nothing but plain words, else as one argument vector.

The same grammar reads the script here and there. A word that the shell would still change (a glob, `~`, a backslash, a
variable) keeps the whole script from being split, and with it every rule on an inner command from being asked.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from tree_sitter import Node

from lang.shell_syntax import bounded_root, nodes_below

Argv = tuple[str, ...]

_SHELLS = frozenset(
    [
        "sh",
        "/bin/sh",
        "/usr/bin/sh",
        "bash",
        "/bin/bash",
        "/usr/bin/bash",
        "/usr/local/bin/bash",
        "/opt/homebrew/bin/bash",
        "zsh",
        "/bin/zsh",
        "/usr/bin/zsh",
        "/usr/local/bin/zsh",
        "/opt/homebrew/bin/zsh",
    ]
)
_NAMED = frozenset(
    [
        "program",
        "list",
        "pipeline",
        "command",
        "command_name",
        "word",
        "string",
        "string_content",
        "raw_string",
        "number",
        "concatenation",
    ]
)
_MARKS = frozenset(["&&", "||", ";", "|", '"', "'"])
_CHANGED = frozenset("{}*?[]\\~^#$`")
_ESCAPED = ("\\$", "\\`", '\\"', "\\\\", "\\\n")
_MAX_SCRIPT = 200_000


class TooLong(Exception):
    """A script that is not read."""


class Read(NamedTuple):
    """A script as it is seen: its plain commands, () where it is not split; and every literal command in it anywhere."""

    plain: tuple[Argv, ...]
    literal: tuple[Argv, ...]
    why: str
    """What keeps the script from being split, "" where nothing does."""


def script_of(argv: Sequence[str]) -> str | None:
    """The script of `bash -lc script`; None for any other command."""
    if len(argv) == 3 and argv[0] in _SHELLS and argv[1] in ("-lc", "-c"):
        return argv[2]
    return None


def commands_of(argv: Argv) -> tuple[tuple[Argv, ...], str]:
    """The commands that rules are asked about, and why a script among them was not split."""
    script = script_of(argv)
    if script is None:
        return (argv,), ""
    read = read_script(script)
    return (read.plain or (argv,)), read.why


def dangerous(argv: Argv) -> bool:
    """Whether the program never lets a command run unasked: `rm` with force, also behind `sudo` and inside `bash -c`."""
    if _forced(argv):
        return True
    script = script_of(argv)
    return script is not None and any(_forced(command) for command in read_script(script).literal)


def _forced(argv: Argv) -> bool:
    at = 0
    while at < len(argv) and _name(argv[at]) == "sudo":
        at += 1
    if at >= len(argv) or _name(argv[at]) != "rm":
        return False
    for word in argv[at + 1 :]:
        if word == "--":
            return False
        if word == "--force" or (word.startswith("-") and not word.startswith("--") and "f" in word):
            return True
    return False


def _name(word: str) -> str:
    name = posixpath.basename(word.rstrip("/"))
    return "" if name == ".." else name


@lru_cache(maxsize=4096)
def read_script(script: str) -> Read:
    """Reads a script; raises TooLong for one made to keep a parser busy."""
    # One byte a character, so that offsets hold in the text; the grammar's scanner is not safe with large code points.
    data = "".join(char if char < "\x80" else "%" for char in script).encode()
    root = bounded_root(data) if len(data) <= _MAX_SCRIPT else None
    if root is None:
        raise TooLong
    nodes = list(nodes_below(root))
    if nodes[0].has_error:
        return Read((), (), "it is not complete")
    found = [node for node in nodes if node.type == "command"]
    literal = tuple(words for node in found if (words := _literal_words(node, script)) is not None)
    why = next((reason for node in nodes if (reason := _unplain(node, script))), "")
    plain: list[Argv] = []
    for node in found if not why else ():
        words = _plain_words(node, script)
        if words is None:
            why = "a command has no plain name, or a text in it needs the shell"
            break
        plain.append(words)
    return Read(() if why else tuple(plain), literal, why or ("" if plain else "there is no command in it"))


_REASONS = {
    "file_redirect": "a redirection", "heredoc_redirect": "a here-document", "herestring_redirect": "a here-string",
    "redirected_statement": "a redirection", "command_substitution": "a command substitution", "subshell": "a subshell",
    "process_substitution": "a process substitution", "simple_expansion": "a variable", "expansion": "a variable",
    "variable_assignment": "an assignment", "comment": "a comment", "negated_command": "`!`", "test_command": "a test",
    "brace_expression": "braces", "compound_statement": "a group", "function_definition": "a function",
}  # fmt: skip


def _unplain(node: Node, script: str) -> str:
    """What about one node keeps a script from being split."""
    kind = node.type
    if node.is_named:
        if kind not in _NAMED:
            return _REASONS.get(kind, f"a {kind.replace('_', ' ')}")
        return "a word that the shell changes" if kind in ("word", "number") and not _literal(node, script) else ""
    return f"`{kind}`" if kind not in _MARKS and kind.strip() else ""


def _text(node: Node, script: str) -> str:
    return script[node.start_byte : node.end_byte]


def _literal(node: Node, script: str) -> bool:
    word = _text(node, script)
    return not node.named_child_count and not word.startswith("=") and _CHANGED.isdisjoint(word)


def _plain_words(command: Node, script: str) -> Argv | None:
    words: list[str] = []
    for child in command.named_children:
        if child.type == "command_name":
            inner = child.named_children[0] if child.named_child_count else None
            word = _text(inner, script) if inner is not None and inner.type == "word" else None
        else:
            word = _word(child, script)
        if word is None:
            return None
        words.append(word)
    return tuple(words)


def _literal_words(command: Node, script: str) -> Argv | None:
    """The words that are known of a command; None where its name is not."""
    words: list[str] = []
    for child in command.named_children:
        if child.type == "command_name":
            name = _word(child.named_children[0], script) if child.named_child_count else None
            if name is None:
                return None
            words.append(name)
        elif words and (word := _word(child, script)) is not None:
            words.append(word)
    return tuple(words) or None


def _word(node: Node, script: str) -> str | None:
    """A word as the command gets it; None where only the shell knows."""
    source = _text(node, script)
    match node.type:
        case "word" | "number":
            return source if _literal(node, script) else None
        case "raw_string":
            return source[1:-1] if len(source) > 1 and source[0] == source[-1] == "'" else None
        case "string":
            return _quoted(node, source)
        case "concatenation":
            parts = [_word(part, script) if part.type != "concatenation" else None for part in node.named_children]
            return "".join(map(str, parts)) or None if None not in parts else None
    return None


def _quoted(node: Node, source: str) -> str | None:
    if any(part.type != "string_content" for part in node.named_children) or len(source) < 2:
        return None
    if not source.startswith('"') or not source.endswith('"') or any(pair in source[1:-1] for pair in _ESCAPED):
        return None
    return source[1:-1]
