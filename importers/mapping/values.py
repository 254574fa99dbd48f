"""What stands on the right of a mapping's colons: words as they are, and values computed from the record.

A text that begins with `=` is a JMESPath expression over the record. An object with one of these members computes:
`{of, values, default}` looks a value up (keys may be globs), `{of, pattern}` takes group `v` (else the first) of an RE2
match, `{of, as}` brings it to one spelling, `{of, split}` makes a list of a text and `{of, join}` a text of a list, `{first: [...]}` is the first that is
there, `{template, with}` puts `{expression}`s, and the values named in `with`, into a text and is nothing where one of them is, `{time, unit, format, zone}` is a time.
What cannot be computed is None: unknown, never an error.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import unescape

import re2

from importers.mapping.expressions import JMESPathError, compiled
from importers.mapping.times import MEMBERS, time_reader
from importers.shared.agents import scope_id
from importers.shared.fields import Json, clip, commit_id, number, session_id, text, trace_id
from lang.hosts import socket_of
from lang.names import host_name, repository_name
from lang.times import iso
from lang.yamlread import Node
from model.words import Clock

Value = Callable[[Json], object]

_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_HOLE = re.compile(r"\{([^{}]+)\}")
_FORMS = ("values", "pattern", "as", "split", "join")
_HEX = re.compile(r"[0-9A-Fa-f]*")
_REPLACED = re.compile(r"(REDACTED\.[a-z0-9-]{1,40}\.[0-9a-f]{12})")
_SHORT = 200
"""Words of a closed list are no longer; longer texts are not remembered."""

SPELLINGS: dict[str, Callable[[str], str | int | None]] = {
    "lower": str.lower,
    "repository": repository_name,
    "host": host_name,
    "session": session_id,
    "scope": scope_id,
    "commit": commit_id,
    "trace": trace_id,
    "excerpt": lambda value: clip(value, 2000),
    "basename": lambda value: value.rstrip("/").rpartition("/")[2],
    "hex": lambda value: _unhexed(value),
    "socket-address": lambda value: socket_of(value)[0],
    "socket-port": lambda value: socket_of(value)[1],
    "argument": shlex.quote,
    "xml": lambda value: unescape(value, {"&quot;": '"', "&apos;": "'"}),
    "number": number,
}
"""What `as` may ask for: one spelling of an identifier, or "" where the text is none."""


def _unhexed(value: str) -> str:
    """The text behind hex digits, as auditd writes what holds a space, a quote or a control character; other texts stay.

    What would be plain text without any of these, or no text at all, was not encoded: it only looks like hex digits. Bytes
    of value 0 part arguments. A secret in it was replaced by what is not in hex.
    """
    parts = _REPLACED.split(value)
    if len(value) < 2 or any(len(part) % 2 or not _HEX.fullmatch(part) for part in parts[::2]):
        return value
    data = b"".join(part.encode() if at % 2 else bytes.fromhex(part) for at, part in enumerate(parts))
    if all(0x20 < byte < 0x7F and byte != 0x22 for byte in data):
        return value
    try:
        return data.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8")
    except UnicodeDecodeError:
        return value


def expression(source: str, place: Node) -> Value:
    """A JMESPath expression as a function of the record; raises YamlError where it is none."""
    source = source.strip()
    if _PATH.fullmatch(source):
        return _path(source.split("."))
    try:
        look = compiled(source)
    except JMESPathError as error:
        raise place.error(f"not a JMESPath expression: {str(error).splitlines()[0]}") from error
    return lambda record: _search(look, record)


def beginning(source: str) -> str:
    """The member of a record that a plain path begins with; "" for any other expression, which may be there without it."""
    source = source.strip()
    return source.split(".")[0] if _PATH.fullmatch(source) else ""


def _path(names: list[str]) -> Value:
    """Plain member access, which is most of every mapping, without the interpreter."""

    def look(record: Json) -> object:
        found: object = record
        for name in names:
            if not isinstance(found, dict):
                return None
            found = found.get(name)
        return found

    return look


def _search(look: Value, record: Json) -> object:
    try:
        return look(record)
    except (JMESPathError, TypeError, ValueError, ArithmeticError):
        # A function that got the wrong type of argument: the record does not say what was asked for.
        return None


def value(node: Node) -> Value:
    """The value a node of the mapping stands for."""
    if node.is_map:
        return _computed(node)
    plain = node.plain()
    if isinstance(plain, bool) and node.text().casefold() not in ("true", "false"):
        plain = node.text()  # yes, no, on and off are words here, as in YAML 1.2
    if isinstance(plain, str) and plain.startswith("="):
        return expression(plain[1:], node)
    return lambda record: plain


def is_computed(node: Node) -> bool:
    """Whether a map is one of the computing forms and not a part of an event."""
    return node.is_map and bool({name for name, _, _ in node.entries()} & {"of", "first", "template", "time"})


def _computed(node: Node) -> Value:
    names = {name for name, _, _ in node.entries()}
    if "first" in names:
        tried = [value(one) for one in node.fields(("first",))["first"].items()]
        return lambda record: next((found for one in tried if (found := one(record)) not in (None, "", [], {})), None)
    if "template" in names:
        return _template(node)
    if "time" in names:
        return _time(node)
    parts = node.fields(("of", *_FORMS, "default"))
    if "of" not in parts:
        raise node.error(f"{node.what}: a computed value needs one of of, first, template, time")
    source = value(parts["of"]) if parts["of"].is_map else expression(parts["of"].text().removeprefix("="), parts["of"])
    for name in _FORMS:
        if name in parts:
            source = _FORM[name](source, parts[name])
    if "default" in parts:
        source = _or_default(source, value(parts["default"]))
    return source


def _or_default(source: Value, default: Value) -> Value:
    def choose(record: Json) -> object:
        found = source(record)
        return default(record) if found in (None, "", [], {}) else found

    return choose


def _values(source: Value, node: Node) -> Value:
    """A look-up by the value's text; keys with `*`, `?` or `[` are globs, tried in the order of the file."""
    exact: dict[str, Value] = {}
    globs: list[tuple[str, Value]] = []
    for name, _, one in node.entries():
        if any(mark in name for mark in "*?["):
            globs.append((name, value(one)))
        else:
            exact[name] = value(one)

    def choice(word: str) -> Value | None:
        return exact.get(word) or next((one for glob, one in globs if fnmatchcase(word, glob)), None)

    known = lru_cache(maxsize=1024)(choice)

    def look(record: Json) -> object:
        found = source(record)
        word = ("true" if found else "false") if isinstance(found, bool) else text(found)
        chosen = known(word) if len(word) <= _SHORT else choice(word)
        return None if chosen is None else chosen(record)

    return look


def _pattern(source: Value, node: Node) -> Value:
    pattern = compiled_pattern(node)
    group: str | int = "v" if "v" in pattern.groupindex else 1 if pattern.groups else 0

    def look(record: Json) -> object:
        match = pattern.search(text(source(record))[:65536])
        return match.group(group) if match else None

    return look


def compiled_pattern(node: Node) -> Any:
    """An RE2 pattern: its matching takes linear time, whatever the log holds."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(node.text(), options)
    except re2.error as error:
        raise node.error(f"not an RE2 pattern: {error}") from error


def _spelt(source: Value, node: Node) -> Value:
    spelling = SPELLINGS[node.choice(SPELLINGS)]

    def look(record: Json) -> object:
        found = source(record)
        if isinstance(found, list):
            return [spelt for one in found if (spelt := spelling(text(one)))]
        spelt = spelling(said) if (said := text(found)) else ""
        return None if spelt == "" else spelt

    return look


def _split(source: Value, node: Node) -> Value:
    mark = node.text()

    def look(record: Json) -> object:
        found = source(record)
        if isinstance(found, list):
            return found
        return [part.strip() for part in text(found).split(mark) if part.strip()]

    return look


def _join(source: Value, node: Node) -> Value:
    mark = node.text()

    def look(record: Json) -> object:
        found = source(record)
        if not isinstance(found, list):
            return found
        return mark.join(part for one in found if (part := text(one)))

    return look


_FORM: dict[str, Callable[[Value, Node], Value]] = {
    "values": _values,
    "pattern": _pattern,
    "as": _spelt,
    "split": _split,
    "join": _join,
}


def _template(node: Node) -> Value:
    fields = node.fields(("template", "with"))
    source = fields["template"].text()
    named = {name: value(one) for name, _, one in fields["with"].entries()} if "with" in fields else {}
    parts: list[str | Value] = []
    done = 0
    for hole in _HOLE.finditer(source):
        parts += [source[done : hole.start()], named.get(hole.group(1)) or expression(hole.group(1), fields["template"])]
        done = hole.end()
    parts.append(source[done:])

    def fill(record: Json) -> object:
        found = [part if isinstance(part, str) else text(part(record)) for part in parts]
        return "".join(found) if all(one or isinstance(part, str) for one, part in zip(found, parts, strict=True)) else None

    return fill


def _time(node: Node) -> Value:
    parts = node.fields(("time", *MEMBERS))
    source, read = expression(parts["time"].text(), parts["time"]), time_reader(parts)

    def told(record: Json) -> object:
        at, clock = read(source(record))
        said = iso(at)
        # Without a zone as its record has it, so that it is flagged.
        return said if said is None or clock is Clock.EXACT else said.removesuffix("Z")

    return told
