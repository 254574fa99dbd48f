"""How a call of Cursor's editor ended, and what a person decided on it, by the `toolFormerData` of its message.

A command that ran is `completed` however it ended: its exit code stands in the result, in older versions only where it is not 0.
"""

from __future__ import annotations

from typing import NamedTuple

from importers.shared.agents import field
from importers.shared.chat import json_of
from importers.shared.fields import Json, first_text, mapping, number
from model.words import Effect, Tri

_PROBLEMS = ("modelVisibleErrorMessage", "clientVisibleErrorMessage", "message")
_DECISIONS = {"accepted": Effect.ALLOW, "rejected": Effect.DENY}
_OUTCOMES = {"completed": Tri.YES, "error": Tri.NO, "cancelled": Tri.UNKNOWN}


class Ended(NamedTuple):
    """`refused` is "" where the call ran; `status` is the exit code as logged."""

    ok: Tri
    said: str
    refused: str
    status: str


def decided(call: Json) -> tuple[Effect, str]:
    """What was decided on a call and by whom, "user" where the editor says that it asked a person."""
    effect = _DECISIONS.get(field(call, "userDecision"), Effect.UNKNOWN)
    if mapping(json_of(call.get("result"))).get("rejected") is True:
        effect = Effect.DENY
    review = mapping(mapping(json_of(call.get("additionalData"))).get("reviewData"))
    return effect, "user" if effect is Effect.DENY or field(review, "approvalType") == "user" else ""


def ended(call: Json) -> Ended | None:
    """How a call went; None where it has not ended."""
    status = field(call, "status")
    if status not in _OUTCOMES:
        return None
    output, problem = json_of(call.get("result")), json_of(call.get("error"))
    told = mapping(output)
    said = output if isinstance(output, str) else first_text(told, "output", "contents", "error", "result")
    said = said or (problem if isinstance(problem, str) else first_text(mapping(problem), *_PROBLEMS))
    if decided(call)[0] is Effect.DENY:
        return Ended(_OUTCOMES[status] if status == "cancelled" else Tri.NO, said, "user", "")
    reason = field(told, "endedReason")
    if status == "cancelled" or reason.endswith("ABORTED"):
        return Ended(Tri.UNKNOWN, said, "interrupted", "")
    code = number(told.get("exitCodeV2", told.get("exitCode")))
    failed = code not in (None, 0) or bool(told.get("error")) or told.get("isError") is True
    running = code is None and bool(reason) and not reason.endswith("COMPLETED")
    ok = Tri.NO if failed else Tri.UNKNOWN if running else _OUTCOMES[status]
    return Ended(ok, said, "", "" if code is None else str(code))
