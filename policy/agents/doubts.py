"""Entries of listed rules with a problem, and the calls whose answer shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from model.words import Effect
from policy.agents.base import Answer, Call, Slip, falls_short
from policy.agents.listed import Listed
from policy.diagnostics import Diagnostic

VOID = "void"
"""The code of an entry that another takes the effect of."""


class Doubt(msgspec.Struct, frozen=True):
    """An entry with a problem; `command` is what it reads as, where it is one on commands."""

    code: str
    rule: Listed
    command: str = ""


def slips(
    told: Sequence[tuple[str, Diagnostic, Doubt]], call: Call, answer: Answer, met: Callable[[Doubt, Call, str], str]
) -> Iterator[Slip]:
    """The entries that cover a call as they read and had another effect on it; `met` tells the part of the call an entry reads on."""
    command = str(call.input.get("command") or "")
    for file, problem, doubt in told:
        if answer.rule == doubt.rule.text or not falls_short(doubt.rule.effect, answer.effect):
            continue
        if doubt.rule.effect is Effect.ALLOW and answer.rule and doubt.code != VOID:
            continue
        text = met(doubt, call, command)
        if text:
            yield Slip(file, problem.line, doubt.code, text, problem.column)
