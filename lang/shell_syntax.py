"""A shell script as the simple commands in it, in source order, whatever stands around them.

tree-sitter-bash parses, with errors tolerated; pipes, lists, subshells, substitutions, functions and control flow are
walked into without recursion. Words are literal where the script alone says what they are: quotes are taken off, and a
variable that the script sets once to a literal is put in. Everything else is dynamic, and said to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bash.language()))
_ESCAPED = re.compile(r"\\(.)", re.S)
_ESCAPED_IN_STRING = re.compile(r'\\(["\\$`\n])')
_ANSI = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|([0-7]{1,3})|(.))", re.S)
_ANSI_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}
_BRACES = re.compile(r"\{[^{}\s]*(?:,|\.\.)[^{}\s]*\}")
_TEXT_LIMIT = 400
_PIECE = 64
_REREADS = 24
_LETTERS = bytes(byte if byte < 128 else ord("_") for byte in range(256))
# Very long pipelines cost the parser time that grows with the square of their length.
_MAX_PIPES = 2_500


class Word(NamedTuple):
    """One word: its value where `literal`, else its source text without the outer quotes."""

    text: str
    literal: bool = True


class Redirect(NamedTuple):
    """One redirection of a file: the operator (`>`, `>>`, `<`, `&>` ...), the descriptor before it, the file."""

    operator: str
    descriptor: str
    target: Word

    @property
    def writes(self) -> bool:
        return ">" in self.operator


class Assignment(NamedTuple):
    name: str
    value: Word


class SimpleCommand(NamedTuple):
    """One simple command. `argv` is empty where only assignments or redirections are made.

    `given` is what it reads from a here-document or here-string, `piped` says that it reads a pipe, `fed` what an
    `echo`, `printf` or `cat` before the pipe writes, where that is literal. `cwd` is where a literal `cd` before it
    led, "" for where the script began, None for unknown.
    """

    words: tuple[Word, ...]
    text: str
    redirects: tuple[Redirect, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    given: Word | None = None
    piped: bool = False
    fed: Word | None = None
    cwd: str | None = ""

    @property
    def argv(self) -> tuple[str | None, ...]:
        """The words, None where a word is dynamic."""
        return tuple(word.text if word.literal else None for word in self.words)


class Script(NamedTuple):
    """The commands of one script, the functions it defines, and a stretch that could not be parsed, if any."""

    commands: tuple[SimpleCommand, ...]
    functions: frozenset[str]
    broken: str


def read_script(source: str, cwd: str | None = "") -> Script:
    """All simple commands of a script; never raises, and gives up on text made to keep a parser busy."""
    source = source.replace("\0", "")
    root = parsed(source)
    if root is None:
        return Script((), frozenset(), source[:_TEXT_LIMIT])
    reader = _Reader(source, cwd)
    reader.walk(root)
    broken = source[:_TEXT_LIMIT] if root.has_error else ""
    return Script(tuple(reader.commands), frozenset(reader.functions), broken)


def parsed(source: str) -> Node | None:
    """The root of a script's tree, an offset in its bytes being one in the text; None for text made to keep a parser busy."""
    # One byte a character, `?` for what is not ASCII: the grammar's scanner reads beyond its tables at large code points.
    return bounded_root(source.encode("ascii", "replace"))


def bounded_root(script: bytes) -> Node | None:
    """The tree of a script as tree-sitter-bash reads it; None for one made to keep a parser busy.

    Bytes that are not ASCII are read as letters, for the grammar's scanner reads beyond its tables at large code points;
    offsets are those of the script.
    """
    text = _Text(script.translate(_LETTERS))
    tree = _PARSER.parse(text.read) if script.count(b"|") <= _MAX_PIPES else None
    if tree is None or text.left <= 0:
        _PARSER.reset()
        return None
    return tree.root_node


class _Text:
    """A source handed to the parser in pieces, so that going back over it too often shows and is ended.

    Recovering from errors can make the parser reread without end. The count of pieces is the same on every machine,
    which a time limit would not be.
    """

    __slots__ = ("data", "left")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.left = _REREADS * (len(data) // _PIECE + 8)

    def read(self, offset: int, _point: object) -> bytes:
        self.left -= 1
        return self.data[offset : offset + _PIECE] if self.left > 0 else b""


class _Reader:
    def __init__(self, source: str, cwd: str | None) -> None:
        self.source = source
        self.commands: list[SimpleCommand] = []
        self.functions: set[str] = set()
        self.cwd = cwd
        self.values: dict[str, Word] = {"HOME": Word("~")}
        self.redirects: dict[int, list[Redirect]] = {}
        self.given: dict[int, Word] = {}
        self.before: dict[int, int] = {}
        self.places: dict[int, int] = {}

    def walk(self, root: Node) -> None:
        # A node still to be read, or the working directory to return to after a subshell.
        todo: list[Node | tuple[str | None]] = [root]
        while todo:
            node = todo.pop()
            if isinstance(node, tuple):
                self.cwd = node[0]
                continue
            kind = node.type
            if kind == "command":
                self._command(node, todo)
                continue
            if kind in _LEAVES:
                continue
            if kind in ("subshell", "command_substitution", "process_substitution"):
                todo.append((self.cwd,))
            elif kind == "pipeline":
                self._pipeline(node)
            elif kind == "redirected_statement":
                self._redirected(node)
            elif kind in ("variable_assignment", "declaration_command"):
                self._assigned(node)
            elif kind == "function_definition":
                if name := node.child_by_field_name("name"):
                    self.functions.add(self._source(name))
            elif kind in ("for_statement", "select_statement") and (name := node.child_by_field_name("variable")):
                self._set(self._source(name), Word("", False))
            todo.extend(reversed(node.named_children))

    def _command(self, node: Node, todo: list[Node | tuple[str | None]]) -> None:
        words: list[Word] = []
        assignments: list[Assignment] = []
        redirects = self.redirects.pop(node.id, [])
        given = self.given.pop(node.id, None)
        inner: list[Node] = []
        for child in node.named_children:
            kind = child.type
            if kind == "command_name":
                child = child.named_children[0] if child.named_child_count else child
                kind = child.type
            if kind == "variable_assignment":
                # It holds for this command alone, so only what its value runs is walked into.
                assignments.append(self._assignment(child))
                inner += child.named_children[1:]
                continue
            if kind == "file_redirect":
                redirects.append(self._redirect(child))
            elif kind == "herestring_redirect":
                given = self._word(child.named_children[0]) if child.named_child_count else None
            elif kind not in ("heredoc_redirect", "comment", "ERROR"):
                words.append(self._word(child))
            if kind not in _PLAIN:
                inner.append(child)
        todo.extend(reversed(inner))
        piped = node.id in self.before
        writer = self.places.get(self.before[node.id]) if piped else None
        fed = _written(self.commands[writer]) if writer is not None else None
        self.places[node.id] = len(self.commands)
        made = SimpleCommand(
            tuple(words), self._source(node)[:_TEXT_LIMIT], tuple(redirects), tuple(assignments), given, piped, fed, self.cwd
        )
        self.commands.append(made)
        if words and words[0].text in ("cd", "pushd"):
            self.cwd = _moved(self.cwd, [w for w in words[1:] if not (w.literal and w.text.startswith("-"))])
        elif words and words[0].text == "popd":
            self.cwd = None

    def _pipeline(self, node: Node) -> None:
        stages = node.named_children
        # After a here-document the grammar hangs the rest of the line below the redirection.
        if node.parent is not None and node.parent.type == "heredoc_redirect" and node.parent.parent is not None:
            stages = [node.parent.parent.named_children[0], *stages]
        for previous, stage in pairwise(stages):
            self.before[_edge(stage, 0).id] = _edge(previous, -1).id

    def _redirected(self, node: Node) -> None:
        redirects: list[Redirect] = []
        given: Word | None = None
        body: Node | None = None
        for child in node.named_children:
            if child.type == "file_redirect":
                redirects.append(self._redirect(child))
            elif child.type == "heredoc_redirect":
                for part in child.named_children:
                    if part.type == "heredoc_body":
                        start = child.named_children[0]
                        quoted = start.type == "heredoc_start" and self._source(start)[:1] in ("'", '"', "\\")
                        given = Word(self._source(part), quoted or not part.named_child_count)
                    elif part.type == "file_redirect":
                        redirects.append(self._redirect(part))
            elif child.type == "herestring_redirect" and child.named_child_count:
                given = self._word(child.named_children[0])
            else:
                body = child
        while body is not None and body.type in ("list", "pipeline", "negated_command") and body.named_child_count:
            body = body.named_children[-1]
        if body is not None and body.type == "command":
            self.redirects[body.id] = redirects
            if given is not None:
                self.given[body.id] = given
        elif redirects:
            self.commands.append(SimpleCommand((), self._source(node)[:_TEXT_LIMIT], tuple(redirects), cwd=self.cwd))

    def _assigned(self, node: Node) -> None:
        parts = (
            [node] if node.type == "variable_assignment" else [c for c in node.named_children if c.type == "variable_assignment"]
        )
        assignments = tuple(self._assignment(part) for part in parts)
        if not assignments or (node.type == "variable_assignment" and node.parent and node.parent.type == "declaration_command"):
            return
        for one in assignments:
            self._set(one.name, one.value)
        self.commands.append(SimpleCommand((), self._source(node)[:_TEXT_LIMIT], assignments=assignments, cwd=self.cwd))

    def _set(self, name: str, value: Word) -> None:
        """A name that is set twice, or to what only running tells, is dynamic from then on."""
        known = self.values.get(name)
        self.values[name] = value if known is None or known == value else Word("", False)

    def _assignment(self, node: Node) -> Assignment:
        name = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        return Assignment(self._source(name) if name else "", self._word(value) if value else Word(""))

    def _redirect(self, node: Node) -> Redirect:
        operator = next((c.type for c in node.children if not c.is_named), ">")
        descriptor, target = "", Word("", False)
        for child in node.named_children:
            if child.type == "file_descriptor":
                descriptor = self._source(child)
            else:
                target = self._word(child)
                break
        return Redirect(operator, descriptor, target)

    def _word(self, node: Node) -> Word:
        """The value of a word. Concatenations hold no concatenations, so this goes two levels deep at most."""
        kind = node.type
        if kind == "concatenation":
            parts = [self._part(child) for child in node.named_children]
            text = "".join(part.text for part in parts)
            return Word(text, all(part.literal for part in parts) and not _BRACES.search(text))
        return self._part(node)

    def _part(self, node: Node) -> Word:
        kind = node.type
        source = self._source(node)
        if kind in ("word", "number", "extglob_pattern", "regex", "variable_name", "special_variable_name", "test_operator"):
            return Word(_ESCAPED.sub(lambda m: "" if m.group(1) == "\n" else m.group(1), source) if "\\" in source else source)
        if kind == "raw_string":
            return Word(source[1:-1])
        if kind == "string":
            return self._string(node, source)
        if kind in ("simple_expansion", "expansion"):
            return self._expansion(node, source)
        if kind == "ansi_c_string":
            return Word(_ANSI.sub(_ansi, source[2:-1]))
        return Word(source, False)

    def _string(self, node: Node, source: str) -> Word:
        inner = source[1:-1]
        parts = node.named_children
        if all(part.type == "string_content" for part in parts):
            return Word(
                _ESCAPED_IN_STRING.sub(lambda m: "" if m.group(1) == "\n" else m.group(1), inner) if "\\" in inner else inner
            )
        values: list[str] = []
        for part in parts:
            if part.type == "string_content":
                text = self._source(part)
                values.append(_ESCAPED_IN_STRING.sub(r"\1", text) if "\\" in text else text)
            elif part.type in ("simple_expansion", "expansion") and (known := self._expansion(part, "")).literal:
                values.append(known.text)
            else:
                return Word(inner, False)
        return Word("".join(values))

    def _expansion(self, node: Node, source: str) -> Word:
        # `$X` and `${X}` have one named child; anything with an operator or an index is left to the shell.
        if node.named_child_count == 1 and node.child_count <= 3 and node.named_children[0].type == "variable_name":
            return self.values.get(self._source(node.named_children[0]), Word(source, False))
        return Word(source, False)

    def _source(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte]


def _edge(node: Node, side: int) -> Node:
    """The first (0) or last (-1) command of a stage of a pipeline."""
    while node.type in ("redirected_statement", "list", "pipeline", "negated_command") and node.named_child_count:
        node = node.named_children[0 if node.type == "redirected_statement" else side]
    return node


_LEAVES = frozenset(
    {"word", "raw_string", "number", "comment", "variable_name", "string_content", "heredoc_start", "heredoc_end"}
)
_PLAIN = frozenset({"word", "raw_string", "number", "simple_expansion", "ansi_c_string", "herestring_redirect_literal"})


def _moved(cwd: str | None, where: list[Word]) -> str | None:
    """The working directory after `cd`."""
    if not where:
        return "~"
    path = where[0].text
    if not where[0].literal or path == "-":
        return None
    if path.startswith(("/", "~")):
        return path
    if cwd is None:
        return None
    return path if not cwd else f"{cwd.rstrip('/')}/{path}"


def _written(command: SimpleCommand) -> Word | None:
    """What a command writes into a pipe, where its words say it."""
    if not command.words or not command.words[0].literal:
        return None
    name, rest = command.words[0].text, [w for w in command.words[1:] if not w.text.startswith("-")]
    if name in ("echo", "printf") and rest:
        return Word(" ".join(w.text for w in rest), all(w.literal for w in rest))
    if name == "cat" and not rest:
        return command.given
    return None


def _ansi(match: re.Match[str]) -> str:
    hexadecimal, code, octal, char = match.groups()
    if char is not None:
        return _ANSI_LETTERS.get(char, char)
    return chr(int(hexadecimal or code, 16) if hexadecimal or code else int(octal, 8))


def nodes_below(root: Node) -> Iterator[Node]:
    """A node and all below it, in source order."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))
