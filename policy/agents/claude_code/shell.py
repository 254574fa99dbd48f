"""A shell command as Claude Code sees it: the pieces that each need leave, and what it cannot check before it runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec
from tree_sitter import Node

from lang.shell_syntax import SimpleCommand, parsed, read_script
from policy.agents.claude_code.rules import name_set

_WITHIN = name_set(
    "program list pipeline redirected_statement negated_command if_statement elif_clause else_clause for_statement "
    "while_statement do_group"
)
_REFUSED = {
    "subshell": "a subshell",
    "compound_statement": "a group in braces or double parentheses",
    "case_statement": "a case statement",
    "function_definition": "a function definition",
    "c_style_for_statement": "a loop with arithmetic",
    "command_substitution": "a nested command",
    "process_substitution": "a command used as a file",
    "expansion": "a variable in braces",
    "ansi_c_string": "text with escape codes",
    "translated_string": "translated text",
    "ERROR": "what does not parse",
}
_KNOWN_NAMES = name_set("HOME PWD OLDPWD USER LOGNAME SHELL HOSTNAME UID EUID TMPDIR")
_BRACES = re.compile(r"(?<![\\$])\{[^{}\s'\"]*(?:,|\.\.)[^{}\s'\"]*\}")
_SAFE_NAMES = name_set(
    "GOEXPERIMENT GOOS GOARCH CGO_ENABLED GO111MODULE RUST_BACKTRACE RUST_LOG NODE_ENV PYTHONUNBUFFERED "
    "PYTHONDONTWRITEBYTECODE PYTEST_DISABLE_PLUGIN_AUTOLOAD PYTEST_DEBUG LANG LANGUAGE LC_ALL LC_CTYPE LC_TIME CHARSET TERM "
    "COLORTERM NO_COLOR FORCE_COLOR TZ LS_COLORS LSCOLORS GREP_COLOR GREP_COLORS GCC_COLORS TIME_STYLE BLOCK_SIZE "
    "BLOCKSIZE"
)
"""Variables that an allow rule looks past; a deny or an ask looks past all."""
_DANGEROUS_NAMES = re.compile(
    r"PATH|IFS|ENV|BASH_ENV|PS4|PROMPT_COMMAND|SHELLOPTS|BASHOPTS|CDPATH|(LD|DYLD|GIT)_\w+|\w+_OPTIONS|PYTHON\w+|PERL5\w+|RUBYOPT|EDITOR|VISUAL|PAGER"
)
_SAFE_VALUE = re.compile(r"[A-Za-z0-9_./:@%+,-]*")
NOT_STARTED = name_set("ionice setsid watch flock strace ltrace chrt taskset script")
"""What starts another program in ways that are not looked into; an allow of it has no effect."""
EVALUATES = name_set("eval exec source . trap")
"""What runs its arguments as shell code."""
_READ = "<read>"
"""Stands for the arguments that xargs puts behind a command."""
_DURATION = re.compile(r"\d+(?:\.\d+)?[smhd]?")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")


class Piece(msgspec.Struct, frozen=True):
    """One sub-command: as rules compare it (`text`), its words with quotes taken off (None where only running tells)."""

    text: str
    words: tuple[str | None, ...]
    assigned: tuple[tuple[str, str], ...] = ()
    kind: str = "command"


class Shell(msgspec.Struct, frozen=True):
    """A whole script: its pieces, every command anywhere in it, and the first thing in it that cannot be checked, if any."""

    text: str
    pieces: tuple[Piece, ...]
    commands: tuple[SimpleCommand, ...]
    unchecked: str


@lru_cache(maxsize=8192)
def shell(script: str) -> Shell:
    """Reads a script; never raises."""
    commands = read_script(script).commands
    root = parsed(script)
    if root is None:
        return Shell(script.strip(), (), commands, "a command too long to parse")
    reader = _Reader(script)
    reader.walk(root)
    named = [one for one in commands if one.words]
    mine = [at for at, piece in enumerate(reader.pieces) if piece.kind == "command"]
    if len(named) == len(mine):
        for at, one in zip(mine, named, strict=True):
            reader.pieces[at] = msgspec.structs.replace(reader.pieces[at], words=one.argv)
    elif not reader.unchecked:
        reader.unchecked = "what is read in two ways"
    return Shell(script.strip(), tuple(reader.pieces), commands, reader.unchecked)


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.pieces: list[Piece] = []
        self.unchecked = ""
        self.set: set[str] = set()

    def refuse(self, why: str) -> None:
        self.unchecked = self.unchecked or why

    def text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte]

    def walk(self, root: Node) -> None:
        todo: list[Node] = [root]
        while todo:
            node = todo.pop()
            kind = node.type
            if node.is_missing:
                self.refuse("what does not parse")
            elif kind == "command":
                self._command(node)
            elif kind in ("variable_assignment", "variable_assignments"):
                self._assignment(node)
            elif kind in ("declaration_command", "unset_command"):
                self._inside(node)
                self.pieces.append(Piece(" ".join(self.text(node).split()), tuple(self.text(node).split()), kind="declaration"))
            elif kind == "test_command":
                self._inside(node)
                self.pieces.append(Piece(self.text(node), (), kind="test"))
            elif kind == "file_redirect":
                self._inside(node)
            elif kind == "heredoc_redirect":
                self._heredoc(node, todo)
            elif kind == "herestring_redirect":
                self._inside(node)
            elif kind in _WITHIN:
                if kind == "for_statement":
                    self._loop(node)
                    todo += [c for c in node.named_children if c.type == "do_group"]
                    continue
                if any(child.type == "&" for child in node.children):
                    self.refuse("the background operator `&`")
                todo += reversed(node.named_children)
            elif kind != "comment":
                self.refuse(_REFUSED.get(kind, f"{kind.replace('_', ' ')} in it"))
        if root.has_error:
            self.refuse("what does not parse")

    def _loop(self, node: Node) -> None:
        for child in node.named_children:
            if child.type == "variable_name":
                self.set.add(self.text(child))
            elif child.type != "do_group":
                self._inside(child)

    def _heredoc(self, node: Node, todo: list[Node]) -> None:
        start = next((c for c in node.named_children if c.type == "heredoc_start"), None)
        if start is None or self.text(start)[:1] not in ("'", '"', "\\"):
            self.refuse("a here-document whose mark is not quoted")
        todo += [
            c for c in node.named_children if c.type not in ("heredoc_start", "heredoc_body", "heredoc_end", "file_descriptor")
        ]

    def _inside(self, node: Node) -> None:
        """Looks for what cannot be checked within the words of a command."""
        todo = [node]
        while todo:
            one = todo.pop()
            if one.type == "simple_expansion":
                name = self.text(one)[1:]
                if name in self.set:
                    self.refuse("a variable set in it")
                elif name not in _KNOWN_NAMES:
                    self.refuse("a variable")
            elif one.type in _REFUSED:
                self.refuse(_REFUSED[one.type])
            elif one.type == "concatenation" and _BRACES.search(self.text(one)):
                self.refuse("brace expansion")
            todo += one.named_children

    def _assignment(self, node: Node) -> None:
        for one in [node] if node.type == "variable_assignment" else node.named_children:
            self._inside(one)
            name = one.child_by_field_name("name")
            if name is not None:
                self.set.add(self.text(name))
        self.pieces.append(Piece(self.text(node), (), (self._pair(node),), "assignment"))

    def _pair(self, node: Node) -> tuple[str, str]:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        return (self.text(name) if name else "", self.text(value) if value else "")

    def _command(self, node: Node) -> None:
        words: list[str] = []
        assigned: list[tuple[str, str]] = []
        for child in node.children:
            kind = child.type
            if kind == "variable_assignment":
                assigned.append(self._pair(child))
                # A nested command in a value is asked about with the command, not refused.
                if "command_substitution" not in {c.type for c in child.named_children}:
                    self._inside(child)
            elif kind == "command_name":
                self._inside(child)
                words.append(_bare(self.text(child)))
            elif kind in ("file_redirect", "herestring_redirect"):
                self._inside(child)
            elif child.is_named or kind not in ("<<<",):
                self._inside(child)
                words.append(self.text(child))
        lead = [f"{name}={value}" for name, value in assigned]
        self.pieces.append(Piece(" ".join([*lead, *words]), tuple(words), tuple(assigned)))


def _bare(word: str) -> str:
    """The name of a command without quotes and backslashes, where it is nothing else."""
    return re.sub(r"\\(.)", r"\1", word).strip("'\"") if "$" not in word and "`" not in word else word


# -- what an allow compares


def safely_assigned(piece: Piece) -> bool:
    """Whether an allow looks past everything that is assigned before a command."""
    return all(name in _SAFE_NAMES and _SAFE_VALUE.fullmatch(value) for name, value in piece.assigned)


def allowed_forms(piece: Piece) -> tuple[str, ...]:
    """The forms of a piece that an allow may match: as it is, without safe assignments, and behind what only wraps it."""
    found = [piece.text]
    if not safely_assigned(piece):
        return tuple(found)
    rest = _split(piece.text)[len(piece.assigned) :]
    for _ in range(len(rest)):
        found.append(" ".join(rest))
        inner = _unwrapped(rest)
        if inner is None:
            break
        rest = inner
    return tuple(dict.fromkeys(one for one in found if one))


@lru_cache(maxsize=8192)
def _split(text: str) -> tuple[str, ...]:
    """A text at its blanks outside quotes."""
    return tuple(re.findall(r"(?:[^\s'\"\\]|\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\")+|['\"]", text, re.DOTALL))


def _unwrapped(words: Sequence[str]) -> tuple[str, ...] | None:
    """The command behind a wrapper that an allow looks past; None where there is none."""
    name, rest = (words[0], words[1:]) if words else ("", ())
    at = 0
    if name == "timeout":
        while at < len(rest) and rest[at].startswith("-"):
            at += 2 if rest[at] in ("-k", "-s", "--kill-after", "--signal") else 1
        if at >= len(rest) or not _DURATION.fullmatch(rest[at]):
            return None
        at += 1
    elif name == "nice":
        if at < len(rest) and rest[at] in ("-n", "--adjustment"):
            at += 2
        elif at < len(rest) and re.fullmatch(r"-n?-?\d+|--adjustment=-?\d+", rest[at]):
            at += 1
    elif name == "stdbuf":
        while at < len(rest) and rest[at].startswith("-"):
            at += 2 if rest[at] in ("-i", "-o", "-e") else 1
        if at == 0:
            return None
    elif name not in ("time", "nohup", "xargs", "command", "builtin"):
        return None
    if at < len(rest) and rest[at] == "--":
        at += 1
    inner = tuple(rest[at:]) if name != "xargs" else (*rest[at:], _READ)
    return inner if rest[at:] and not inner[0].startswith("-") else None


def starts_unseen(piece: Piece) -> str:
    """Why no rule can let a piece run, "" where one can."""
    words = _split(piece.text)[len(piece.assigned) :]
    for _ in range(len(words)):
        if words[0] in NOT_STARTED:
            return f"what `{words[0]}` starts cannot be checked"
        if words[0] in EVALUATES:
            return f"`{words[0]}` runs its arguments as shell code"
        if words[0] == "time" and len(words) > 1 and words[1].startswith("-"):
            return "`time` with an option leaves an incomplete fragment"
        inner = _unwrapped(words)
        if inner is None:
            break
        words = inner
    return ""


def harmless_assignment(piece: Piece) -> bool:
    return not any(_DANGEROUS_NAMES.fullmatch(name) for name, _ in piece.assigned)


# -- what a deny or an ask compares

_Skip = Callable[[Sequence[str]], int]


def _options(valued: str = "", assigns: bool = False, operands: int = 0) -> _Skip:
    """How many words of a wrapper come before the command it runs."""
    values = frozenset(valued.split())

    def skip(words: Sequence[str]) -> int:
        at, left = 1, operands
        while at < len(words):
            word = words[at]
            if word == "--":
                at += 1
            elif word.startswith("-") and len(word) > 1:
                at += 2 if word in values else 1
            elif assigns and _ASSIGNMENT.match(word):
                at += 1
            elif left:
                at, left = at + 1, left - 1
            else:
                break
        return at

    return skip


_LOOKED_PAST: dict[str, _Skip] = {
    "sudo": _options("-u -g -h -p -C -D -R -T -U -r -t --user --group --host --prompt --chdir", assigns=True),
    "doas": _options("-u -C"),
    "env": _options("-u -C -S --unset --chdir", assigns=True),
    "timeout": _options("-k -s --kill-after --signal", operands=1),
    "time": _options("-f -o --format --output"),
    "nice": _options("-n --adjustment"),
    "nohup": _options(),
    "stdbuf": _options("-i -o -e"),
    "ionice": _options("-c -n -p -t --class --classdata"),
    "setsid": _options(),
    "watch": _options("-n -q --interval"),
    "flock": _options("-w -E --timeout", operands=1),
    "strace": _options("-o -e -p -s -u -E -O -S -a -b -I -P -U -X"),
    "ltrace": _options("-o -e -p -s -u -a -n"),
    "chrt": _options("-T -P -D", operands=1),
    "taskset": _options(operands=1),
    "exec": _options("-a"),
    "command": _options(),
    "builtin": _options(),
    "xargs": lambda words: 1 if len(words) > 1 and not words[1].startswith("-") else len(words),
}


def refused_forms(command: SimpleCommand) -> tuple[str, ...]:
    """The forms of a command that a deny or an ask may match: quotes and assignments off, behind all that wraps it."""
    dynamic = [word.text for word in command.words]
    known = [word.text for word in command.words if word.literal]
    found = _behind(dynamic)
    if len(known) != len(dynamic) and command.words and command.words[0].literal:
        # What only running tells may be nothing.
        found += _behind(known)
    if command.assignments:
        lead = " ".join(f"{one.name}={one.value.text}" for one in command.assignments)
        found.append(" ".join([lead, *dynamic]))
    return tuple(dict.fromkeys(found))


def _behind(words: Sequence[str]) -> list[str]:
    found: list[str] = []
    for _ in range(len(words)):
        if not words:
            break
        found.append(" ".join(words))
        name = posixpath.basename(words[0])
        if name != words[0]:
            words = [name, *words[1:]]
            found.append(" ".join(words))
        skip = _LOOKED_PAST.get(name)
        if skip is None:
            break
        words = words[skip(words) :]
        if name == "xargs" and words:
            # What it reads is put behind.
            words = [*words, _READ]
    return found
