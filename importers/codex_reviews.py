"""What Codex says about approvals: what was asked for, and the automatic reviewer's answers in either thread."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from importers.shared.agents import Act, Frame, call_id, field
from importers.shared.fields import Json, mapping
from model.event import Event
from model.words import Effect


def asked(act: Act, payload: Json, call: str, frame: Frame) -> Event:
    event = frame.verdict(Effect.ASK, call=call, reason=field(payload, "reason"))
    event.verb, event.target, event.operations = act.verb, act.target, act.operations
    event.attrs = {**event.attrs, **act.attrs}
    return event


def reviewed(words: str, frame: Frame) -> Iterator[Event]:
    """The automatic reviewer's answer, given in its own thread; it names no call."""
    if not words.startswith("{"):
        return
    try:
        said = mapping(msgspec.json.decode(words))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return
    effect = {"allow": Effect.ALLOW, "deny": Effect.DENY}.get(field(said, "outcome"))
    if effect is not None:
        risk = field(said, "risk_level")[:100]
        yield frame.verdict(
            effect, rule=f"automatic review, risk {risk}" if risk else "automatic review", reason=field(said, "rationale")
        )


def assessed(payload: Json, frame: Frame) -> Iterator[Event]:
    """The automatic reviewer's answer as told in the thread of the call it reviewed; an open or failed review decides nothing."""
    effect = {"approved": Effect.ALLOW, "denied": Effect.DENY}.get(field(payload, "status"))
    if effect is not None:
        risk = field(payload, "risk_level")[:100]
        yield frame.verdict(
            effect,
            call=call_id(payload.get("target_item_id")),
            rule=f"automatic review, risk {risk}" if risk else "automatic review",
            reason=field(payload, "rationale"),
        )


def permitted(output: str, call: str, frame: Frame) -> Iterator[Event]:
    """The answer to an agent that asked for more than its sandbox gives it, as its tool has it."""
    try:
        result = mapping(msgspec.json.decode(output)) if output.startswith("{") else {}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return
    effect, word = answered("permissions", result)
    if effect is not Effect.UNKNOWN:
        yield frame.verdict(effect, call=call, rule=word, reason=field(result, "scope")[:100])


_ANSWERS = {
    "accept": Effect.ALLOW, "acceptForSession": Effect.ALLOW, "acceptWithExecpolicyAmendment": Effect.ALLOW,
    "approved": Effect.ALLOW, "approved_for_session": Effect.ALLOW, "approved_execpolicy_amendment": Effect.ALLOW,
    "approved_mcp_policy_amendment": Effect.ALLOW,
    "decline": Effect.DENY, "cancel": Effect.DENY, "denied": Effect.DENY, "abort": Effect.DENY,
}  # fmt: skip


def answered(what: str, result: Json) -> tuple[Effect, str]:
    """What a client answered to a question of the server, and its word; unknown where it answered with an error.

    A permission profile has no word for no: it is granted in part, and refused where the part is empty.
    """
    if what == "permissions" and "permissions" in result:
        granted = any(mapping(result.get("permissions")).values())
        return (Effect.ALLOW, "permissions granted") if granted else (Effect.DENY, "no permissions granted")
    word = result.get("decision", result.get("action"))
    if isinstance(word, dict) and word:
        name, more = next(iter(word.items()))
        amended = mapping(mapping(more).get("network_policy_amendment"))
        if amended:
            effect = {"allow": Effect.ALLOW, "deny": Effect.DENY}.get(field(amended, "action"), Effect.UNKNOWN)
            return effect, f"{name} {field(amended, 'action')} {field(amended, 'host')}"[:200]
        return _ANSWERS.get(name, Effect.UNKNOWN), name[:200]
    return (_ANSWERS.get(word, Effect.UNKNOWN), word[:200]) if isinstance(word, str) else (Effect.UNKNOWN, "")
