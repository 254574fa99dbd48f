"""Walking a YAML document that people write: what is wrong is collected, each problem at its line and column.

What policies and detections share: keys with the nearest known one, texts, ids, conditions in CEL, written requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as AbstractMapping

from lang.cel import Tree, compile_condition
from lang.cel.comments import comments
from lang.cel.problems import did_you_mean
from lang.cel.typed import Value
from lang.cel.written import Fields, RequestError, read_request
from lang.diagnostics import Diagnostic, Severity
from lang.yamlplaces import places
from lang.yamltree import Mapping, Node, Place, Scalar, Sequence, YamlProblem, is_null, lines_of, plain, read
from model.request import FIELD

_TAG = re.compile(r"!(?!!|<)[^\s]*")
_KEEPS_LINES = "write the condition below `|-`, which keeps its lines"
_IN_A_BLOCK = "quote the condition, or write it on lines of its own below `>-`"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")


class Document:
    """One document and what is wrong with it. `synonyms` are words people write for a known key."""

    synonyms: AbstractMapping[str, str] = {}

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = lines_of(text)
        self.diagnostics: list[Diagnostic] = []

    def read(self, what: str, needs: str) -> Node | None:
        """The tree of the text; None where it is empty or no YAML we read, which is then said with what it `needs`."""
        try:
            root = read(self.text, what)
        except YamlProblem as problem:
            self.say(problem.start, problem.end, "error", problem.code, problem.message)
            return None
        if root is None:
            start = Place(0, 0)
            self.say(start, start, "error", "empty", f"the {what} is empty; it needs {needs}")
        return root

    def found(self) -> tuple[Diagnostic, ...]:
        """Everything there is to say, each once, in the order of the text."""
        return tuple(sorted(set(self.diagnostics)))

    def say(self, start: Place, end: Place, severity: Severity, code: str, message: str) -> None:
        """Adds a diagnostic; one that spans lines ends with its first line."""
        line = self.lines[start.line] if start.line < len(self.lines) else ""
        until = end.column if end.line == start.line else len(line)
        self.diagnostics.append(
            Diagnostic(start.line + 1, start.column + 1, max(until, start.column + 1) + 1, severity, code, message)
        )

    def error(self, node: Node, code: str, message: str) -> None:
        self.say(node.start, node.end, "error", code, message)

    def warn(self, node: Node, code: str, message: str) -> None:
        self.say(node.start, node.end, "warning", code, message)

    def keys(self, node: Node, known: tuple[str, ...], what: str) -> AbstractMapping[str, Node] | None:
        """The values of a mapping by key, null ones left out; unknown and repeated keys are errors."""
        if not isinstance(node, Mapping):
            self.error(node, "wrong-type", f"{what} is a mapping of {', '.join(f'`{k}`' for k in known)}")
            return None
        out: dict[str, Node] = {}
        for key, value in node.pairs:
            if not isinstance(key, Scalar):
                self.error(key, "wrong-type", "a key is a word")
            elif key.value == "<<":
                self.error(key, "unknown-key", f"merged keys (`<<`) are not supported; write them out in {what}")
            elif key.value not in known:
                synonym = self.synonyms.get(key.value.lower(), "")
                hint = f"; did you mean `{synonym}`?" if synonym in known else did_you_mean(key.value, known)
                message = f"unknown key `{key.value[:60]}` in {what}{hint or '; known: ' + ', '.join(known)}"
                self.error(key, "unknown-key", message)
            elif key.value in out:
                self.error(key, "duplicate-key", f"`{key.value}` is given twice in {what}")
            elif not is_null(value) or key.value == "when":
                out[key.value] = value
        return out

    def text_of(self, node: Node | None, key: str) -> str | None:
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.error(node, "wrong-type", f"`{key}` is one text")
            return None
        return node.value

    def texts_of(self, node: Node | None, key: str) -> tuple[str, ...]:
        """A list of texts; one text counts as a list of one."""
        if node is None:
            return ()
        items = node.items if isinstance(node, Sequence) else [node]
        return tuple(text for item in items if (text := self.text_of(item, key)) is not None)

    def items_of(self, node: Node | None, key: str, example: str) -> list[Node]:
        """The entries of a list."""
        if node is None:
            return []
        if not isinstance(node, Sequence):
            self.error(node, "wrong-type", f"`{key}` is a list: {example}")
            return []
        return node.items

    def choice(
        self,
        node: Node,
        key: str,
        known: tuple[str, ...],
        synonyms: AbstractMapping[str, str] | None = None,
        code: str = "bad-word",
    ) -> str | None:
        """One word of a closed list."""
        word = self.text_of(node, key)
        if word is None or word in known:
            return word
        near = (synonyms or {}).get(word.lower(), "")
        hint = f"; did you mean `{near}`?" if near else did_you_mean(word, known)
        listed = f"{', '.join(f'`{k}`' for k in known[:-1])} or `{known[-1]}`"
        self.error(node, code, f"`{key}` is {listed}{hint}")
        return None

    def identity(self, node: Node | None, seen: dict[str, int], what: str) -> str | None:
        """An id, once in the document; `seen` has the lines of those met so far."""
        identity = self.text_of(node, "id")
        if node is None or identity is None:
            return None
        if not _ID.match(identity):
            message = "an id is letters, digits, `.`, `_` and `-`, at most 128, and begins with a letter or digit"
            self.error(node, "bad-id", message)
            return None
        if identity in seen:
            self.error(node, "duplicate-id", f"`{identity}` is already the id of the {what} in line {seen[identity]}")
            return None
        seen[identity] = node.start.line + 1
        return identity

    def condition(self, node: Node, key: str = "when", fields: Fields = FIELD) -> Tree | None:
        """A condition in CEL over these attributes; its problems stand at their own places."""
        if not isinstance(node, Scalar):
            message = f"`{key}` is a condition in CEL, one text; quote it if it begins with `[`, `{{` or `!`"
            self.error(node, "wrong-type", message)
            return None
        first = self.lines[node.start.line][node.start.column :] if node.start.line < len(self.lines) else ""
        if tag := _TAG.match(first):
            message = f"to YAML `{tag.group()}` is a tag, not part of the condition; {_IN_A_BLOCK}"
            self.say(node.start, Place(node.start.line, node.start.column + tag.end()), "error", "yaml-tag", message)
            return None
        compiled = compile_condition(node.value, None if fields is FIELD else fields)
        swallowed = self._swallowed(node)
        if compiled.problems:
            where = places(self.lines, node)
            cut = "; to YAML ` #` begins a comment: quote the condition" if self._cut(node) and not swallowed else ""
            for p in compiled.problems:
                said = p.message + (cut if p.code == "cel-syntax" and p.end >= len(node.value) else "")
                self.say(where[p.start], where[p.end] if p.end > p.start else where[p.start], p.severity, p.code, said)
        return compiled.tree

    def _swallowed(self, node: Scalar) -> bool:
        """Whether a `//` comment takes in lines below it, which YAML has put on its own line; each such line is told."""
        if "//" not in node.value or node.start.line == node.end.line:
            return False
        where = places(self.lines, node)
        found = False
        for start, end in comments(node.value):
            for i in range(start + 1, end):
                if where[i].line == where[i - 1].line or node.value.startswith(("//", " "), i):
                    continue
                found = True
                message = (
                    f"this is part of the comment in line {where[start].line + 1}: YAML makes one line of these; {_KEEPS_LINES}"
                )
                self.say(where[i], Place(where[i].line, len(self.lines[where[i].line])), "warning", "swallowed", message)
        return found

    def _cut(self, node: Scalar) -> bool:
        """Whether a comment ends a plain text, which may not be meant."""
        return not node.style and self.lines[node.end.line][node.end.column :].lstrip().startswith("#")

    def request(self, node: Node, fields: Fields = FIELD, leave: frozenset[str] = frozenset()) -> dict[str, Value] | None:
        """A written request; keys to `leave` aside are not part of it."""
        twice = list(_twice(node))
        for key in twice:
            self.error(key, "duplicate-key", f"`{key.value[:60]}` is given twice in a request")
        value = plain(node)
        if isinstance(value, dict):
            value = {name: item for name, item in value.items() if name not in leave}
        try:
            request = read_request(value, fields)
            return None if twice else request
        except RequestError as error:
            where = _key_places(node)
            for problem in error.problems:
                self.error(where.get(problem.name, node), "bad-request", problem.message)
            return None


def _twice(node: Node) -> Iterator[Scalar]:
    """Keys that a mapping has already, at any depth."""
    if isinstance(node, Mapping):
        seen: set[str] = set()
        for key, value in node.pairs:
            if isinstance(key, Scalar):
                if key.value in seen:
                    yield key
                seen.add(key.value)
            yield from _twice(value)


def _key_places(node: Node, above: str = "") -> dict[str, Node]:
    """Where each attribute of a written request stands, by its dotted name."""
    out: dict[str, Node] = {}
    if isinstance(node, Mapping):
        for key, value in node.pairs:
            if isinstance(key, Scalar):
                out.setdefault(f"{above}{key.value}", key)
                for name, part in _key_places(value, f"{above}{key.value}.").items():
                    out.setdefault(name, part)
    return out
