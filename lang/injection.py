"""Text that talks to the machine: passages of a tool's output that read like instructions to an agent.

A pattern is an indicator, no proof. The kinds follow what published indirect prompt injections share: they void what
was said before (`override`), address the model (`address`), forge the marks of a conversation (`marks`), ask for
silence towards the person (`conceal`) or give the model another role (`role`). Texts that speak *about* such
phrases (documentation, scanners, tests) quote them or name the subject: these are told apart where they do.
All patterns run in RE2, whose time is linear in hostile text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import re2

MAX_TEXT = 200_000
"""Characters of one text that are looked at."""
AROUND = 160
"""Characters kept on each side of a passage when it is quoted."""
_NEAR = 300
_MOST = 20

_FILLER = r"(?:(?:all|any|the|of|my|these|those|every|other|and|or|aforementioned)\s+){0,4}"
_SAID_BEFORE = (
    r"(?:previous|previously given|prior|above|earlier|preceding|foregoing|existing|current|original|initial|system|safety|your)"
)
_ORDERS = (
    r"(?:instructions?|prompts?|rules|guidelines|directions|directives|constraints|guardrails|restrictions|orders|programming)"
)
_MODEL = (
    r"(?:ai(?: (?:agents?|assistants?|models?))?|llms?|(?:large )?language models?|(?:coding )?(?:assistants?|agents?)"
    r"|claude(?: code)?|codex|copilot|gemini|chatgpt|gpt|cursor)"
)
_PATTERNS: dict[str, str] = {
    "override": "|".join(
        (
            rf"\b(?:ignore|disregard|forget|do not follow|don't follow|stop following)\s+{_FILLER}{_SAID_BEFORE}\s+{_FILLER}(?:{_SAID_BEFORE}\s+){{0,3}}{_ORDERS}\b",
            r"\b(?:ignore|disregard|forget)\s+(?:all|any)\s+(?:of\s+)?(?:the\s+|your\s+)?(?:instructions|prompts|directives|guidelines)\b",
            rf"\b(?:override|bypass)\s+{_FILLER}(?:your|previous|prior)\s+(?:{_SAID_BEFORE}\s+){{0,3}}{_ORDERS}\b",
            r"\b(?:ignore|disregard|forget)\s+(?:everything|anything|all)\s+(?:above|before this|you were told|that came before)\b",
        )
    ),
    "role": "|".join(
        (
            r"\byou are now\s+(?:in\s+)?(?:dan\b|an?\s+unrestricted|unrestricted|jailbroken|developer mode|admin(?:istrator)?\s+mode|free from)",
            r"\b(?:system|admin|developer|security)\s+override\s*[:!\]]",
            r"\byour\s+(?:new|real|true|actual|updated)\s+(?:task|goal|objective|instructions?|job|purpose)\s+(?:is|are)\b",
            r"\bnew\s+system\s+(?:instructions?|prompt)\s*:|(?m:^)\W{0,6}new\s+instructions?\s*(?:from\s+\w+\s*)?:",
        )
    ),
    "conceal": r"\b(?:do not|don't|never|must not)\s+(?:tell|inform|(?:mention|reveal|disclose)(?:\s+(?:this|it|that|any of this|these steps))?\s+to)"
    r"\s+(?:the\s+)?(?:user|human|operator|developer|reviewer|maintainer)\b",
    "marks": r"<\|(?:im_start|start_header_id)\|>\s*system|\[INST\]|<<SYS>>|<(?:system|developer)>\s*(?:you|new|ignore|override|important|from now)\b|<important>"
    r"|(?m:^)\s*#{2,3}\s*system\s*:",
    "address": "|".join(
        (
            rf"\b(?:attention|note|notice|message|instructions?|important|warning)\s*(?:to|for)\s+(?:the\s+|all\s+|any\s+)?{_MODEL}\s*[:,!.\-\x{{2014}}]",
            rf"\bif you(?:'re| are)\s+(?:an?\s+)?{_MODEL}\b[^.\n]{{0,60}}(?:,|you must|you should|please|then)",
            r"\b(?:as|because you are)\s+an?\s+(?:ai|llm|language model|coding (?:agent|assistant))\b[^.\n]{0,40}\byou\s+(?:must|should|have to|need to|are required to)\b",
            r"\b(?:ai|llm|coding)\s+(?:agents?|assistants?|models?)\s+(?:reading|processing|viewing|summari[sz]ing|handling)\s+th(?:is|ese)\b",
            rf"\b(?:dear|hey|hello)\s+{_MODEL}\s*[,:!]",
        )
    ),
}
WEAK = frozenset({"address"})
"""Kinds that honest documents use too: they say something only where what they ask for is done."""

_ABOUT = (
    r"prompt[- ]injection|injection (?:attack|attempt|pattern|payload|phrase|scan)|jailbreak|red[- ]?team|adversarial|attacker|malicious|"
    r"owasp|llm01|promptfoo|garak|threat model|sanitiz|injection_|detector|blocklist|chat_template|special_token|tokenizer"
)
_QUOTES = "\"'`“”‘’«»/"


class Passage(NamedTuple):
    """One instruction-like passage: its kind and the text around it, on one line."""

    kind: str
    quote: str
    start: int
    end: int


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return [(kind, re2.compile(pattern, options)) for kind, pattern in _PATTERNS.items()]


@cache
def _any() -> re.Pattern[str]:
    options = re2.Options()
    options.case_sensitive = False
    found: re.Pattern[str] = re2.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS.values()), options)
    return found


@cache
def _about() -> re.Pattern[str]:
    options = re2.Options()
    options.case_sensitive = False
    found: re.Pattern[str] = re2.compile(_ABOUT, options)
    return found


def passages(text: str) -> Iterator[Passage]:
    """Instruction-like passages in a text, in their order, without those that only speak about such phrases."""
    text = text[:MAX_TEXT]
    if not _any().search(text):
        return
    found = sorted(
        ((m.start(), m.end(), kind) for kind, pattern in _patterns() for m in _first(pattern, text)), key=lambda one: one[0]
    )
    for start, end, kind in found:
        if not _quoted(text, start, end) and not _about().search(text[max(0, start - _NEAR) : end + _NEAR]):
            yield Passage(kind, quote(text, start, end), start, end)


def _first(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    for n, match in enumerate(pattern.finditer(text)):
        if n >= _MOST:
            return
        yield match


def quote(text: str, start: int, end: int) -> str:
    """A stretch of text with what stands around it, blanks made single."""
    return " ".join(text[max(0, start - AROUND) : end + AROUND].split())


def _quoted(text: str, start: int, end: int) -> bool:
    """Whether the phrase is a short quotation: a quote mark right before it and one soon after it, on the same line."""
    before = text[start - 1 : start]
    rest = text[end : end + 60].partition("\n")[0]
    return bool(before) and before in _QUOTES and any(mark in rest for mark in _QUOTES)


def telling_part(text: str, start: int, end: int) -> str:
    """The part of `text[start:end]` around its first instruction-like passage, "" where there is none."""
    found = next(passages(text[start:end]), None)
    return text[start + max(0, found.start - AROUND) : start + found.end + 2 * AROUND] if found else ""
