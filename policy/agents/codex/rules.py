"""Codex's rules: what a `.rules` file states, whether the program would load it, and which rules match a command."""

from __future__ import annotations

import ast
import posixpath
import shlex
from collections.abc import Iterator, Sequence
from typing import NoReturn

import msgspec

from policy.agents.codex import starlark_values as values
from policy.agents.codex.shell import Argv
from policy.agents.codex.starlark import Evaluator
from policy.agents.codex.starlark_syntax import Place, Refused

DECISIONS = ("allow", "prompt", "forbidden")
"""From the mildest to the strictest; the strictest of all that match holds."""
_PROTOCOLS = frozenset(["http", "https", "https_connect", "http-connect", "socks5_tcp", "socks5_udp"])
_PARAMETERS = {
    "prefix_rule": (("pattern", list), ("decision", str), ("match", list), ("not_match", list), ("justification", str)),
    "host_executable": (("name", str), ("paths", list)),
    "network_rule": (("host", str), ("protocol", str), ("decision", str), ("justification", str)),
}
_NEEDED = {"prefix_rule": ("pattern",), "host_executable": ("name", "paths"), "network_rule": ("host", "protocol", "decision")}


class Rule(msgspec.Struct, frozen=True):
    """One `prefix_rule` for one first word; `rest` holds the alternatives of every word after it."""

    first: str
    rest: tuple[tuple[str, ...], ...]
    decision: str
    justification: str = ""
    file: str = ""
    place: Place = Place(1, 1, 2)

    def matches(self, argv: Sequence[str]) -> bool:
        """Whether the words begin with the pattern."""
        words = argv[1 : len(self.rest) + 1]
        return (
            argv[0] == self.first
            and len(words) == len(self.rest)
            and all(word in alternatives for word, alternatives in zip(words, self.rest, strict=True))
        )

    def __str__(self) -> str:
        words = [values.shown(self.first)]
        words += [values.shown(one[0]) if len(one) == 1 else f"[{', '.join(map(values.shown, one))}]" for one in self.rest]
        return f'prefix_rule(pattern=[{", ".join(words)}], decision="{self.decision}")'


class Match(msgspec.Struct, frozen=True):
    """A rule that matches: the words it matched, and the program's path where it was found by its name alone."""

    rule: Rule
    prefix: Argv
    program: str = ""


class _Examples(msgspec.Struct):
    rules: list[Rule]
    call: ast.Call
    stated: dict[str, list[list[str]]]


class RuleSet:
    """Rules in the order of their files. `read` adds a file; one that would not load leaves the set of no use."""

    def __init__(self) -> None:
        self.by_program: dict[str, list[Rule]] = {}
        self.hosts: dict[str, tuple[str, ...]] = {}
        self._file = ""
        self._examples: list[_Examples] = []

    @property
    def rules(self) -> Iterator[Rule]:
        for rules in self.by_program.values():
            yield from rules

    def add(self, rule: Rule) -> None:
        self.by_program.setdefault(rule.first, []).append(rule)

    # -- matching

    def matching(self, argv: Argv, *, resolve: bool, cwd: str = "", home: str = "") -> list[Match]:
        """The rules that match a command; with `resolve`, a path is tried by its name where no rule has it as written."""
        if not argv:
            return []
        exact = [Match(rule, argv[: len(rule.rest) + 1]) for rule in self.by_program.get(argv[0], ()) if rule.matches(argv)]
        if exact or not resolve:
            return exact
        program = absolute(argv[0], cwd, home)
        name = posixpath.basename(program)
        if not name or (name in self.hosts and program not in self.hosts[name]):
            return []
        named = (name, *argv[1:])
        return [
            Match(rule, named[: len(rule.rest) + 1], program) for rule in self.by_program.get(name, ()) if rule.matches(named)
        ]

    def depends_on_cwd(self, argv: Argv) -> bool:
        """Whether it takes the working directory to know if a relative program is among the listed paths of its name."""
        word = argv[0] if argv else ""
        return not word.startswith("/") and "/" in word and posixpath.basename(word) in self.hosts

    # -- loading

    def read(self, file: str, text: str) -> list[tuple[Place, str]]:
        """Adds what a file states and returns its examples that fail, which is as bad; raises Refused or Unmodelled."""
        self._file, self._examples = file, []
        natives = {"prefix_rule": self._prefix_rule, "host_executable": self._host, "network_rule": self._network}
        self._evaluator = Evaluator(text, natives)
        self._evaluator.run()
        return [problem for examples in self._examples for problem in self._failing(examples)]

    def _given(self, node: ast.Call, name: str, given: list[object], named: dict[str, object]) -> dict[str, object]:
        parameters = _PARAMETERS[name]
        if len(given) > len(parameters):
            self._wrong(f"`{name}` takes {len(parameters)} values", node)
        held = dict(zip((parameter for parameter, _ in parameters), given, strict=False))
        for parameter, value in named.items():
            if parameter in held or parameter not in dict(parameters):
                self._wrong(f"`{name}` does not take `{parameter}`" + (" twice" if parameter in held else ""), node)
            held[parameter] = value
        for parameter in _NEEDED[name]:
            if parameter not in held:
                self._wrong(f"`{name}` needs `{parameter}`", node)
        for parameter, kind in parameters:
            if parameter in held and not isinstance(held[parameter], kind):
                wanted, found = ("list" if kind is list else "string"), values.type_name(held[parameter])
                self._wrong(f"`{parameter}` is a {wanted}, not a {found}", node)
        return held

    def _wrong(self, message: str, node: ast.AST) -> NoReturn:
        raise Refused(message, self._evaluator.place(node))

    def _decision(self, node: ast.Call, stated: object) -> str:
        if stated not in DECISIONS:
            self._wrong(f"{values.shown(stated)} is no decision; write allow, prompt or forbidden", node)
        return str(stated)

    def _justification(self, node: ast.Call, held: dict[str, object]) -> str:
        stated = str(held.get("justification", "-"))
        if not stated.strip():
            self._wrong("a justification is not empty", node)
        return stated if "justification" in held else ""

    def _prefix_rule(self, node: ast.Call, given: list[object], named: dict[str, object]) -> None:
        held = self._given(node, "prefix_rule", given, named)
        decision = self._decision(node, held.get("decision", "allow"))
        justification = self._justification(node, held)
        pattern = [self._alternatives(node, element) for element in _list(held["pattern"])]
        if not pattern:
            self._wrong("a pattern is not empty", node)
        stated = {
            name: [self._example(node, example) for example in _list(held.get(name, []))] for name in ("match", "not_match")
        }
        place = self._evaluator.place(node)
        rules = [Rule(first, tuple(pattern[1:]), decision, justification, self._file, place) for first in pattern[0]]
        self._examples.append(_Examples(rules, node, stated))
        for rule in rules:
            self.add(rule)

    def _alternatives(self, node: ast.Call, element: object) -> tuple[str, ...]:
        if isinstance(element, str):
            return (element,)
        if not isinstance(element, list):
            self._wrong(f"a word of a pattern is a string or a list of strings, not a {values.type_name(element)}", node)
        if not element:
            self._wrong("there is no alternative in an empty list", node)
        for one in element:
            if not isinstance(one, str):
                self._wrong(f"an alternative is a string, not a {values.type_name(one)}", node)
        return tuple(element)

    def _example(self, node: ast.Call, stated: object) -> list[str]:
        if isinstance(stated, str):
            words = split(stated)
            if words is None:
                self._wrong(f"the example {values.shown(stated)} is no command line", node)
            if not words:
                self._wrong("an example is not empty", node)
            return words
        if not isinstance(stated, list):
            self._wrong(f"an example is a string or a list of strings, not a {values.type_name(stated)}", node)
        for word in stated:
            if not isinstance(word, str):
                self._wrong(f"a word of an example is a string, not a {values.type_name(word)}", node)
        if not stated:
            self._wrong("an example is not empty", node)
        return list(stated)

    def _host(self, node: ast.Call, given: list[object], named: dict[str, object]) -> None:
        held = self._given(node, "host_executable", given, named)
        name = str(held["name"])
        if not name or "/" in name or name in (".", ".."):
            self._wrong(f"`name` is the name of a program without a folder, not {values.shown(name)}", node)
        paths: dict[str, None] = {}
        for path in _list(held["paths"]):
            if not isinstance(path, str) or not path.startswith("/"):
                self._wrong(f"{values.text(path)} is no absolute path", node)
            if posixpath.basename(absolute(path)) != name:
                self._wrong(f"{path} does not end in {name}", node)
            paths[absolute(path)] = None
        self.hosts[name] = tuple(paths)

    def _network(self, node: ast.Call, given: list[object], named: dict[str, object]) -> None:
        held = self._given(node, "network_rule", given, named)
        if held["protocol"] not in _PROTOCOLS:
            self._wrong("`protocol` is one of http, https, socks5_tcp and socks5_udp", node)
        if held["decision"] != "deny":
            self._decision(node, held["decision"])
        self._justification(node, held)
        problem = host_problem(str(held["host"]))
        if problem:
            self._wrong(problem, node)

    def _failing(self, examples: _Examples) -> Iterator[tuple[Place, str]]:
        own = RuleSet()
        own.hosts = self.hosts
        for rule in examples.rules:
            own.add(rule)
        for name, wanted in (("not_match", False), ("match", True)):
            for at, example in enumerate(examples.stated[name]):
                if bool(own.matching(tuple(example), resolve=True)) is not wanted:
                    what = "does not match the rule" if wanted else "matches the rule"
                    yield self._example_place(examples.call, name, at), f"the example `{shlex.join(example)}` {what}"

    def _example_place(self, call: ast.Call, name: str, at: int) -> Place:
        stated = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
        inside = isinstance(stated, ast.List) and at < len(stated.elts)
        return self._evaluator.place(stated.elts[at] if inside and isinstance(stated, ast.List) else call)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def absolute(path: str, cwd: str = "", home: str = "") -> str:
    """A path from the root without `.` and `..`; a relative one from `cwd`, from a folder nobody has where it is not known."""
    if home and (path == "~" or path.startswith("~/")):
        path = home + path[1:]
    return "/" + posixpath.normpath(posixpath.join(cwd or "/\0", path)).lstrip("/")


def host_problem(host: str) -> str:
    """Why a host of a `network_rule` is refused; "" where it is not."""
    host = host.strip()
    if not host:
        return "`host` is not empty"
    if "://" in host or any(mark in host for mark in "/?#"):
        return "`host` is a name or an address without a scheme or path"
    if host.startswith("["):
        inside, closed, port = host[1:].partition("]")
        if not closed or (port and not (port[0] == ":" and port[1:].isascii() and port[1:].isdigit())):
            return "`host` is no address"
        host = inside
    elif host.count(":") == 1:
        name, _, port = host.rpartition(":")
        host = name if name and port.isascii() and port.isdigit() else host
    host = host.rstrip(".").strip()
    if not host:
        return "`host` is not empty"
    if "*" in host:
        return "`host` is one host: there are no wildcards"
    return "`host` has no spaces in it" if any(char.isspace() for char in host) else ""


def split(line: str) -> list[str] | None:
    """A command line of an example as words; None where a quote is not closed or a backslash ends it."""
    words: list[str] = []
    at, size = 0, len(line)
    while at < size:
        if line[at] in " \t\n":
            at += 1
            continue
        if line[at] == "#":
            at = line.find("\n", at) + 1 or size
            continue
        word: list[str] = []
        while at < size and line[at] not in " \t\n":
            char = line[at]
            at += 1
            if char == "'":
                end = line.find("'", at)
                if end < 0:
                    return None
                word.append(line[at:end])
                at = end + 1
            elif char == "\\":
                if at >= size:
                    return None
                word.append("" if line[at] == "\n" else line[at])
                at += 1
            elif char == '"':
                while at < size and line[at] != '"':
                    if line[at] == "\\":
                        at += 1
                        if at >= size:
                            return None
                        word.append({"\n": ""}.get(line[at], line[at] if line[at] in '$`"\\' else "\\" + line[at]))
                    else:
                        word.append(line[at])
                    at += 1
                if at >= size:
                    return None
                at += 1
            else:
                word.append(char)
        words.append("".join(word))
    return words
