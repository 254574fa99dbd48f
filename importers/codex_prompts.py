"""Which of the texts that Codex logs as a user's are a person's words, and what one agent handed to another."""

from __future__ import annotations

import re

from model.event import digest

MACHINE = (
    "<environment_context>",
    "<user_instructions>",
    "<permissions instructions>",
    "<turn_aborted>",
    "<subagent_notification>",
    "<skill>",
    "<user_shell_command>",
    "# AGENTS.md instructions",
    "Another language model started to solve this problem",
)
"""Texts the program itself puts where a person's words would stand."""

_HANDED = re.compile(r"Message Type: \w+\s*\nTask name: (\S+)\s*\nSender: (\S+)\s*\nPayload:\s*(.*)", re.DOTALL)
_LIMIT = 10_000


def first_told(told: dict[str, dict[str, int]], words: str, teller: str) -> bool:
    """Whether these words are a request not told before.

    A prompt is told two or three times, by different records: the first to tell it once more speaks. `told` is what a
    reader remembers: how often each teller told each text.
    """
    if not words.strip() or words.lstrip().startswith(MACHINE):
        return False
    if len(told) > _LIMIT:
        told.clear()
    counts = told.setdefault(digest(words)[:32], {})
    heard = max(counts.values(), default=0)
    counts[teller] = counts.get(teller, 0) + 1
    return counts[teller] > heard


def handed(words: str) -> str:
    """What an agent was given to do by another: the payload, or, where that is encrypted, the task's name and who gave it."""
    match = _HANDED.match(words.lstrip())
    if match is None:
        return words
    name, sender, payload = match.groups()
    return payload.strip() or f"{name} for {sender}, in words this log encrypts"
