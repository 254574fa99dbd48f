"""Spans of a guardrail's verdict (`apply_guardrail`), in the words proposed for OpenTelemetry and in Microsoft's own."""

from __future__ import annotations

from collections.abc import Iterator

from importers.otel_context import Speaker, span_key
from importers.otel_signals import Signal
from importers.shared.agents import Frame, names_one_call, scope_key
from importers.shared.fields import Json, first_text, keys
from model.event import Decision, Event, Outcome
from model.words import Effect, EventKind, KeyRole, Phase, Vantage

_EFFECTS = {"allow": Effect.ALLOW, "deny": Effect.DENY, "block": Effect.DENY}
# What such a verdict lets pass, changed or with a mark.
_PASSED = frozenset({"modify", "warn", "audit"})
_FINDINGS = ("gen_ai.security.finding", "microsoft.security.finding")


def is_guardrail(signal: Signal) -> bool:
    return first_text(signal.attrs, "gen_ai.operation.name") == "apply_guardrail"


def verdict_of(signal: Signal, frame: Frame, who: Speaker) -> Iterator[Event]:
    """What the guardrail answered; one that failed, or says nothing of the sort, has decided nothing."""
    attrs = signal.attrs
    word = _said(attrs, "security.decision.type").lower()
    effect = Effect.ALLOW if word in _PASSED else _EFFECTS.get(word)
    if effect is None:
        return
    rule = _said(attrs, "guardian.name", "guardrail.name", "security.guardrail.name", "guardian.id")
    policy = _said(attrs, "security.policy.name", "security.policy.id")
    reason = _said(attrs, "security.decision.reason") or ", ".join(sorted(set(_risks(signal))))
    if word in _PASSED:
        reason = f"{word}: {reason}" if reason else word
    event = frame.event(EventKind.DECISION, Phase.VERDICT)
    event.decision = Decision(effect, rule=rule[:300], reason=reason[:500], policy=policy[:300], by=who.point)
    event.outcome = Outcome(permitted=effect)
    if who.vantage is not Vantage.AGENT:
        event.vantage = Vantage.ENFORCER
    kind, aim = _said(attrs, "security.target.type"), _said(attrs, "security.target.id")
    event.attrs["guarded"] = kind[:100]
    own = span_key(signal.trace, signal.span)
    if kind == "tool_call":
        # It lies within the call's own span, or beside it and names the call.
        own += span_key(signal.trace, signal.parent)
        if names_one_call(aim):
            own += scope_key("call", aim[:200], KeyRole.CALL)
        event.tool = first_text(attrs, "gen_ai.tool.name")[:300]
    event.keys = keys(*event.keys, *own)
    yield event


def _risks(signal: Signal) -> Iterator[str]:
    for name, held in signal.happened:
        if name in _FINDINGS and (risk := _said(held, "security.risk.category")):
            yield risk[:100]


def _said(attrs: Json, *names: str) -> str:
    return first_text(attrs, *(f"{space}.{name}" for name in names for space in ("gen_ai", "microsoft")))
