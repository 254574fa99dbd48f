"""What every classifier of program calls uses: options told from operands, and operations made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from lang.shell_calls import Call
from lang.shell_inside import PROGRAMS
from lang.shell_syntax import Word
from model.event import Operation, Target
from model.words import TargetClass, Verb

Classifier = Callable[[Call], Iterable[Operation]]
"""A program's operations; none where what it does touches nothing outside."""

NOTHING = frozenset[str]()
_TEXT = 400
# Letters of a cluster such as `-rf`; longer words after one dash are long options of some programs.
_CLUSTER = 5


class Args(NamedTuple):
    """A call's words as options (name, value or None) and operands. A cluster such as `-rf` is kept and asked by letter."""

    options: tuple[tuple[str, Word | None], ...]
    operands: tuple[Word, ...]

    def has(self, *names: str) -> bool:
        """Whether an option is given under one of its names; a single letter is found in clusters as well."""
        for option, _ in self.options:
            if option in names:
                return True
            cluster = option[1:]
            if len(cluster) <= _CLUSTER and cluster.isalpha() and any(len(n) == 2 and n[1] in cluster for n in names):
                return True
        return False

    def value(self, *names: str) -> str:
        """The value of an option under one of its names, "" where it is absent or dynamic."""
        return next((w.text for o, w in self.options if o in names and w is not None and w.literal), "")

    def values(self, *names: str) -> list[str]:
        return [w.text for o, w in self.options if o in names and w is not None and w.literal]

    @property
    def known(self) -> bool:
        """Whether all operands are literal, so that none can turn out to be an option or another target."""
        return all(word.literal for word in self.operands)

    def words(self, start: int = 0) -> list[str]:
        """The operands from a position on, "" for a dynamic one."""
        return [w.text if w.literal else "" for w in self.operands[start:]]

    def after(self, count: int) -> Args:
        return Args(self.options, self.operands[count:])


def split(words: Iterable[Word], valued: frozenset[str] = NOTHING) -> Args:
    """Words told apart; `valued` options take the following word where they have no `=`."""
    options: list[tuple[str, Word | None]] = []
    operands: list[Word] = []
    waiting = ""
    ended = False
    for word in words:
        text = word.text
        if waiting:
            options.append((waiting, word))
            waiting = ""
        elif ended or text == "-" or not text.startswith("-") or (not word.literal and "=" not in text):
            operands.append(word)
        elif text == "--":
            ended = True
        elif "=" in text and text.startswith("-"):
            name, _, value = text.partition("=")
            options.append((name, Word(value, word.literal)))
        elif text in valued:
            waiting = text
        elif len(text) > 2 and text[1] != "-" and text[:2] in valued:
            options.append((text[:2], Word(text[2:], word.literal)))
        elif 2 < len(text) <= _CLUSTER + 1 and text[1:].isalpha() and f"-{text[-1]}" in valued:
            options.append((text[:-1], None))
            waiting = f"-{text[-1]}"
        else:
            options.append((text, None))
    if waiting:
        options.append((waiting, None))
    return Args(tuple(options), tuple(operands))


def tried(args: Args, *short: str) -> list[str]:
    """The flag of a call that only shows what it would do: `--dry-run` in its spellings, the last one counting, a short form, or `--help`.

    Only an option is one: what stands as another option's value, or behind `--`, switches nothing off.
    """
    if args.has("--help", *short):
        return ["dry-run"]
    stated = [word for option, word in args.options if option in ("--dry-run", "--dryrun", "--check", "--preview-only")]
    last = stated[-1] if stated else Word("none")
    return [] if last is not None and (not last.literal or last.text in ("none", "false")) else ["dry-run"]


def made(
    call: Call,
    verb: Verb,
    cls: TargetClass = TargetClass.UNKNOWN,
    name: str = "",
    detail: str = "",
    flags: Iterable[str] = (),
    certain: bool = True,
) -> Operation:
    """One operation of a call; `sudo` and further words from elsewhere (xargs) show in it."""
    told = [flag for flag in flags if flag]
    if "sudo" in call.through or "doas" in call.through:
        told.append("sudo")
    if not PROGRAMS.isdisjoint(call.through) and "container" not in told:
        told.append("container")
    return Operation(verb, Target(cls, name, detail), (call.text or call.command.text)[:_TEXT], tuple(told), certain)


def sub_command(args: Args, depth: int = 3) -> Iterator[tuple[str, int]]:
    """The sub-command by its words, longest first: `secrets versions access`, `secrets versions`, `secrets`."""
    words = args.words()[:depth]
    for count in range(len(words), 0, -1):
        if all(words[:count]):
            yield " ".join(words[:count]), count
