"""Every command inside a command, out of scripts, wrappers, assignments and quotes: what a rule on it would have met."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from lang.shell_syntax import Script, read_script
from policy.agents.base import name_set

Argv = tuple[str, ...]

_WRAPPERS = name_set(
    "builtin busybox command doas env exec ionice nice nohup npx setsid stdbuf strace sudo time timeout watch xargs"
)
_SHELLS = frozenset(["sh", "bash", "zsh", "dash", "ksh"])
_VALUED = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env", "--prefix", "-n", "-u", "-I", "-s"})
"""Options of wrappers, and of git, npm and kubectl before their sub-command, that take a value."""
_SKIPPED = re.compile(r"-.*|[A-Za-z_]\w*=.*|[0-9.]+[smhd]?")
_DEEP = 4
_MAX_SCRIPT = 100_000


@lru_cache(maxsize=2048)
def script_of(command: str) -> Script:
    """The commands of a script, which several questions about one call read."""
    return read_script(command)


@lru_cache(maxsize=8192)
def inner_commands(script: str) -> tuple[Argv, ...]:
    """The commands of a script as words, each by its program's name without a folder.

    A command with options before its sub-command (`git -C x push`) stands a second time without them. What only running
    tells is left as it is written. A script too long to be read has none.
    """
    if len(script) > _MAX_SCRIPT:
        return ()
    return tuple(dict.fromkeys(_in_script(script, 0)))


@lru_cache(maxsize=8192)
def inner_of(argv: Argv) -> tuple[Argv, ...]:
    """The same of an argument vector."""
    return tuple(dict.fromkeys(_in_words(argv, 0)))


def _in_script(script: str, depth: int) -> Iterator[Argv]:
    for command in read_script(script).commands if depth < _DEEP else ():
        yield from _in_words(tuple(word.text for word in command.words), depth)


def _in_words(words: Argv, depth: int) -> Iterator[Argv]:
    if not words or depth >= _DEEP:
        return
    name = posixpath.basename(words[0]) or words[0]
    plain = (name, *words[1:])
    yield plain
    script = _script(plain)
    if script:
        yield from _in_script(script, depth + 1)
        return
    rest = bare(plain[1:])
    if name in _WRAPPERS:
        yield from _in_words(rest, depth + 1)
    elif name == "find":
        yield from _in_words(_behind(plain, ("-exec", "-execdir", "-ok")), depth + 1)
    elif rest != plain[1:]:
        yield (name, *rest)


def _script(words: Argv) -> str:
    """The script that a command runs, "" where it runs none of its own."""
    name = words[0]
    if name in ("eval", "trap"):
        return " ".join(words[1:]) if name == "eval" else "".join(words[1:2])
    if name in _SHELLS or name == "su":
        at = next((n for n, word in enumerate(words) if n and re.fullmatch(r"-\w*c", word)), 0)
        return words[at + 1] if at and at + 1 < len(words) else ""
    return words[0] if len(words) == 1 and " " in words[0] else ""


def _behind(words: Argv, options: Sequence[str]) -> Argv:
    at = next((n for n, word in enumerate(words) if word in options), len(words))
    return words[at + 1 :]


def bare(words: Argv) -> Argv:
    """Words without the options, assignments and durations at their head."""
    at = 0
    while at < len(words) and _SKIPPED.fullmatch(words[at]):
        at += 2 if words[at] in _VALUED else 1
    return words[at:]
