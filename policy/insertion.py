"""A rule put into the text of a policy that a person keeps: everything that stood there stays as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from policy.document import check

_EMPTY = re.compile(r"^rules:[ \t]*\[[ \t]*\][ \t]*(?=#|$)", re.MULTILINE)


class NotInsertable(ValueError):
    """The text is not written so that a rule could be added without changing what stands there; the message says why."""


def inserted(text: str, id: str, rule: Callable[[str, str], str]) -> str:
    """The policy with one more rule at the end of its list; `rule(id, indent)` writes it.

    The id gets a number where it is taken. Raises NotInsertable where the policy has errors or its rules are written in braces.
    """
    before = check(text).policy
    if before is None:
        raise NotInsertable("the policy has errors; put them right first")
    name = _free(id, (one.id for one in before.rules))
    text = text if text.endswith("\n") else text + "\n"
    if before.rules:
        lines = text.splitlines(keepends=True)
        first = re.match(r"( *)- ", lines[before.rules[-1].line - 1])
        if first is None:
            raise NotInsertable("its rules are written in braces; write each rule on lines of its own, beginning with a dash")
        end = _end(lines, before.rules[-1].line, len(first[1]))
        made = "".join(lines[:end]) + rule(name, first[1]) + "".join(lines[end:])
    else:
        made = _EMPTY.sub(lambda _: "rules:\n" + rule(name, "  ").rstrip("\n"), text, count=1)
    after = check(made).policy
    kept = () if after is None else after.rules[: len(before.rules)]
    same = [(one.id, one.effect, one.when, one.line) for one in kept] == [
        (one.id, one.effect, one.when, one.line) for one in before.rules
    ]
    if after is None or not same or [one.id for one in after.rules[len(before.rules) :]] != [name]:
        raise NotInsertable("its rules are written in a way that no rule can be added to; write each on lines of its own")
    return made


def _end(lines: list[str], line: int, indent: int) -> int:
    """The number of lines up to the end of the item that begins on a line (from 1): blank lines after it are not part of it."""
    end = line
    for number in range(line, len(lines)):
        told = lines[number]
        if not told.strip():
            continue
        if len(told) - len(told.lstrip(" ")) <= indent:
            break
        end = number + 1
    return end


def _free(id: str, taken: Iterable[str]) -> str:
    held = set(taken)
    if id not in held:
        return id
    number = 2
    while f"{id}-{number}" in held:
        number += 1
    return f"{id}-{number}"
