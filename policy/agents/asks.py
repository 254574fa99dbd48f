"""Which commands most often lacked a rule, and the narrowest rule that lets them run: a proposal, tried out and applied by nobody."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from model.words import Effect
from policy.agents.base import Adapter, Answer, Call, Part, RuleFile, name_set

_GROUPED = name_set(
    "apt apt-get aws az brew bun cargo composer conda docker dotnet flux gcloud gh git go gradle helm kubectl make mvn nix npm npx "
    "pip pip3 pnpm podman poetry rustup systemctl terraform uv yarn"
)
"""Programs whose first word says what is done; a rule on the name alone would allow all of it."""
_DEEPER = name_set("aws az gcloud gh")
_GROUPS = frozenset(["npm run", "pnpm run", "yarn run", "bun run", "docker compose", "uv run", "uv pip", "poetry run", "go tool"])
_WORD = re.compile(r"[a-z][\w.:-]*")
_PLAIN = re.compile(r"[^\s\"'\\$`*?;|&<>(){}\[\]~#!]+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_EXAMPLES = 3
_TRIED = 200
"""Different commands of one kind that a proposal is tried on."""


class Ask(msgspec.Struct):
    """One kind of command that lacked a rule: how often, in how many tasks, and the narrowest rule that names all of them.

    `rule` is written as the agent's files are, "" where no rule can allow it. `covers` are those of `count` that run unasked
    with the rule beside the files, of the `tried` it was tried on.
    """

    command: str
    count: int
    tasks: int
    rule: str
    examples: list[str]
    covers: int = 0
    tried: int = 0


class _Kind:
    """The commands of one kind: each with its number and a call it was part of."""

    def __init__(self) -> None:
        self.texts: Counter[str] = Counter()
        self.calls: dict[str, Call] = {}
        self.tasks: set[int] = set()


def lacking(answer: Answer) -> list[str]:
    """The parts of a command that no rule matched and that the program asks about, or refuses for want of anybody to ask."""
    if answer.effect is not Effect.ASK and (answer.effect is not Effect.DENY or answer.rule):
        return []
    return [part.text for part in answer.parts if _lacks(part)]


def _lacks(part: Part) -> bool:
    return not part.rule and part.effect is not Effect.ALLOW and bool(part.text.strip())


def commonest_asks(
    asked: Iterable[tuple[Call, Answer, int, Iterable[int]]], adapter: Adapter, files: Sequence[RuleFile], limit: int = 20
) -> list[Ask]:
    """The kinds of commands that lacked a rule, most frequent first, each with a proposal that was tried beside the files.

    `asked` holds each distinct call with its answer, how often it was made and in which tasks.
    """
    kinds: dict[str, _Kind] = {}
    for call, answer, count, where in asked:
        for text in dict.fromkeys(lacking(answer)):
            kind = kinds.setdefault(stem_of(text), _Kind())
            kind.texts[text] += count
            kind.calls.setdefault(text, call)
            kind.tasks.update(where)
    order = sorted(kinds.items(), key=lambda pair: (-pair[1].texts.total(), pair[0]))[:limit]
    return [_ask(stem, kind, adapter, files) for stem, kind in order]


def _ask(stem: str, kind: _Kind, adapter: Adapter, files: Sequence[RuleFile]) -> Ask:
    found = Ask(stem, kind.texts.total(), len(kind.tasks), "", [text for text, _ in kind.texts.most_common(_EXAMPLES)])
    for command in dict.fromkeys((common_words(kind.texts), stem)):
        proposal = adapter.proposed(command)
        if proposal is None:
            continue
        held = adapter.load([*files, proposal.file])
        trial = kind.texts.most_common(_TRIED)
        covers = sum(count for text, count in trial if held.judge(_alone(kind.calls[text], text)).effect is Effect.ALLOW)
        if not found.rule or covers > found.covers:
            found.rule, found.covers, found.tried = proposal.rule, covers, sum(count for _, count in trial)
    return found


def _alone(call: Call, text: str) -> Call:
    """A call of one part of its command alone."""
    name = next((name for name in ("command", "cmd") if name in call.input), "command")
    given = {key: value for key, value in call.input.items() if key not in ("command", "cmd", "argv")}
    return msgspec.structs.replace(call, input={**given, name: text})


def common_words(texts: Iterable[str]) -> str:
    """The plain words that all commands of a kind begin with."""
    shared: list[str] | None = None
    for text in texts:
        words: list[str] = []
        for word in text.split():
            if not _PLAIN.fullmatch(word):
                break
            words.append(word)
        if shared is None:
            shared = words
        same = next((at for at, (a, b) in enumerate(zip(shared, words, strict=False)) if a != b), min(len(shared), len(words)))
        shared = shared[:same]
    return " ".join(shared or ())


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
