"""How Kiro's programs word what stopped a call, and what they say in the person's place."""

from __future__ import annotations

import re

from lang.late import late

_STOPPED: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (late(pattern, re.DOTALL), who)
    for pattern, who in (
        (r"PreToolHook blocked the tool execution:\s*(?P<why>.*)", "hook"),
        (
            r"(?P<why>Tool use (?:with [^\n]{1,200}? )?was rejected because the arguments supplied (?:are|were) forbidden.*)",
            "rule",
        ),
        (r"Tool use was denied by the user\.?(?: Reason: (?P<why>.*))?", "user"),
        (r"Tool use was (?P<why>cancelled by the user)", "user"),
    )
)
_INTERRUPTED = "The user interrupted the tool execution."
_DENIED = "I deny this tool request."
_OWN = (
    _INTERRUPTED,
    _DENIED,
    "In a few words, summarize our conversation so far.",
    "[SYSTEM NOTE: This is an automated request, not from the user]",
)


def stopped(output: str) -> tuple[str, str]:
    """Who stopped a call that failed with these words (a person, a rule, a hook) and why; twice "" where nobody did."""
    head = output[:4000].lstrip()
    for pattern, who in _STOPPED:
        if m := pattern.match(head):
            return who, (m["why"] or "").strip()[:500]
    return "", ""


def cancelled(words: str) -> tuple[str, str]:
    """Who cancelled a call, by what was sent along: the person's own words or the program's."""
    if words.startswith(_INTERRUPTED):
        return "interrupted", ""
    who, why = stopped(words)
    return (who, why) if who else ("user", "cancelled by the user")


def own(words: str) -> bool:
    """Whether the program said this and no person."""
    return words.startswith(_OWN) or stopped(words)[0] == "rule"
