"""Which commands most often caused a question, and the rule that would have let them run: a proposal, applied by nobody."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable

import msgspec

from model.words import Effect
from policy.agents.base import Answer, name_set

_GROUPED = name_set(
    "apt apt-get aws az brew bun cargo composer conda docker dotnet flux gcloud gh git go gradle helm kubectl make mvn nix npm npx "
    "pip pip3 pnpm podman poetry rustup systemctl terraform uv yarn"
)
"""Programs whose first word says what is done; a rule on the name alone would allow all of it."""
_DEEPER = name_set("aws az gcloud gh")
_GROUPS = frozenset(["npm run", "pnpm run", "yarn run", "bun run", "docker compose", "uv run", "uv pip", "poetry run", "go tool"])
_WORD = re.compile(r"[a-z][\w.:-]*")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_EXAMPLES = 3


class Ask(msgspec.Struct):
    """One kind of command that lacked a rule: how often it was asked about, in how many tasks, and what would have allowed it.

    `rule` is written as the agent's files are, "" where no rule can allow it.
    """

    command: str
    count: int
    tasks: int
    rule: str
    examples: list[str]


def lacking(answer: Answer) -> list[str]:
    """The parts of a command that no rule matched and that the program asks about, or refuses for want of anybody to ask."""
    if answer.effect is not Effect.ASK and (answer.effect is not Effect.DENY or answer.rule):
        return []
    return [part.text for part in answer.parts if not part.rule and part.effect is not Effect.ALLOW and part.text.strip()]


def commonest_asks(
    asked: Iterable[tuple[Answer, int, Iterable[int]]], allowing: Callable[[str], str], limit: int = 20
) -> list[Ask]:
    """The kinds of commands that lacked a rule, most frequent first.

    `asked` holds each distinct answer with the number of calls it was given to and the tasks they were made in;
    `allowing` writes the rule that allows a command, as `Adapter.allowing` does.
    """
    found: dict[str, Ask] = {}
    tasks: dict[str, set[int]] = {}
    for answer, count, where in asked:
        for text in dict.fromkeys(lacking(answer)):
            stem = stem_of(text)
            held = found.setdefault(stem, Ask(stem, 0, 0, allowing(stem), []))
            held.count += count
            tasks.setdefault(stem, set()).update(where)
            if len(held.examples) < _EXAMPLES and text not in held.examples:
                held.examples.append(text)
    for stem, held in found.items():
        held.tasks = len(tasks[stem])
    return sorted(found.values(), key=lambda one: (-one.count, one.command))[:limit]


def stem_of(command: str) -> str:
    """What a rule would be written on: the program, with its sub-command where it has them; assignments are left out."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    if not words:
        return command.strip()
    taken = 1
    if words[0] in _GROUPED and len(words) > 1 and _WORD.fullmatch(words[1]):
        deeper = words[0] in _DEEPER or " ".join(words[:2]) in _GROUPS
        taken = 3 if deeper and len(words) > 2 and _WORD.fullmatch(words[2]) else 2
    return " ".join(word if re.fullmatch(r"[^\s\"'\\]+", word) else shlex.quote(word) for word in words[:taken])
