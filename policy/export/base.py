"""What every way of writing a policy for another program has in common: the contract, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from policy.model import Policy, Rule


class Refusal(msgspec.Struct, frozen=True):
    """A part of a policy whose meaning the other format cannot hold: `rule` is "" for the default; lines and columns count from 1."""

    rule: str
    line: int
    column: int
    reason: str


class Exported(msgspec.Struct, frozen=True):
    """The text in the other format. It holds the rules that survive; `refused` lists those that do not: with any, it is a part only.

    It is "" where the program was seen to answer otherwise than the policy. `notes` are what whoever installs the file has to know.
    """

    text: str
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()


class Target(Protocol):
    """One format: a module in `policy/export` that ends in `TARGET = <Name>()`.

    `file` is what the program calls such a file. `export` is given the rules in force with their places.
    """

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def file(self) -> str: ...

    def export(self, policy: Policy, place: Places, *, per_command: bool = False) -> Exported: ...


class Unexportable(Exception):
    """Raised by a writer at the part of a condition that the other format cannot hold; the message is the reason."""


class Places:
    """Where the rules of a policy stand in its text."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()

    def refused(self, rule: Rule, reason: str, key: str = "when") -> Refusal:
        """A refusal at a key of a rule."""
        return self._at(rule.id, max(rule.line, 1), key, reason)

    def default(self, reason: str) -> Refusal:
        """A refusal at the default."""
        return self._at("", 1, "default", reason)

    def _at(self, rule: str, first: int, key: str, reason: str) -> Refusal:
        """The key's first place from a line on, up to the next item; the line itself where the key is not found."""
        pattern = re.compile(rf"(?:^|[\s{{,-])({key})\s*:")
        for number in range(first, len(self._lines) + 1):
            line = self._lines[number - 1]
            if rule and number > first and re.match(r"\s*- ", line):
                break
            if (found := pattern.search(line)) is not None:
                return Refusal(rule, number, found.start(1) + 1, reason)
        return Refusal(rule, first, 1, reason)


def surviving(policy: Policy, place: Places, write: Callable[[Rule], str]) -> tuple[list[tuple[Rule, str]], list[Refusal]]:
    """Each rule in force as `write` has it, and those it refuses."""
    kept: list[tuple[Rule, str]] = []
    refused: list[Refusal] = []
    for _, rule in policy.in_force:
        try:
            kept.append((rule, write(rule)))
        except Unexportable as error:
            refused.append(place.refused(rule, str(error)))
    return kept, refused


def comment(mark: str, lines: Iterable[str]) -> str:
    """Lines of comment, each safe to stand on a line of its own."""
    return "".join(f"{mark} {' '.join(line.split())}\n" for line in lines)
