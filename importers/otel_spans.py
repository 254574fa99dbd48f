"""GenAI spans to events: tool calls with their results, agents invoked and spawned, what servers and gateways saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from importers import otel_claude
from importers.otel_context import PARENT_SESSIONS, Speaker, frame_of, json_in, request_key, span_key
from importers.otel_genai import Use, act_asked, agent_named, request_in, ruled_on, sort_of, use_of, words_asked
from importers.otel_guardrails import is_guardrail, verdict_of
from importers.otel_messages import Talk, ran, talk_of
from importers.otel_signals import Signal
from importers.shared.agents import Frame, names_one_call, scope_key
from importers.shared.fields import first_text, keys, number, text
from importers.shared.usage import cost_of, otel_tokens, state
from model.event import Attr, Decision, Event, Outcome, Target, digest
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

_REMEMBERED = 50_000
_DECISIONS = ("policy.decision", "authz.decision", "authorization.decision", "gateway.decision", "guardrail.decision", "decision",
              "gen_ai.policy.decision", "mcp.authorization.decision")  # fmt: skip
_RULES = ("policy.rule", "policy.name", "policy.id", "authz.policy", "rule", "reason")
_EFFECTS = {
    word: effect
    for effect, words in (
        (Effect.ALLOW, "allow allowed accept accepted approve approved permit permitted"),
        (Effect.DENY, "deny denied block blocked reject rejected forbid forbidden"),
        (Effect.ASK, "ask prompt require_approval pending"),
    )
    for word in words.split()
}
_REFUSED = frozenset({401, 403})


class Spans:
    """Reads the spans of one source; remembers which of them were agents and tools, and which requests were told."""

    def __init__(self) -> None:
        self._sorts: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._told: set[str] = set()

    def learn(self, signals: Sequence[Signal]) -> None:
        """Note what the spans of a payload are: children often stand before their parents."""
        for signal in signals:
            if signal.is_span and signal.span and len(self._sorts) < _REMEMBERED and (sort := sort_of(signal)):
                self._sorts[f"{signal.trace}/{signal.span}"] = sort
                if sort == "agent" and (name := agent_named(signal)):
                    self._names[f"{signal.trace}/{signal.span}"] = name

    def events(self, signal: Signal, who: Speaker) -> Iterator[Event]:
        frame = frame_of(signal, who)
        if who.point == "claude-code" and (found := otel_claude.span_events(signal, frame)) is not None:
            yield from found
            return
        if "github.copilot.hook.decision" in signal.attrs:
            yield from _hooked(signal, frame)
            return
        if is_guardrail(signal):
            yield from verdict_of(signal, frame, who)
            return
        sort = sort_of(signal)
        if sort == "tool":
            use = use_of(signal)
            if who.vantage is Vantage.AGENT:
                yield from self._called(signal, use, frame)
            else:
                yield from _seen(signal, use, frame, who)
        elif sort == "agent" and who.vantage is Vantage.AGENT:
            yield from self._invoked(signal, frame)
        elif sort == "chat" and who.vantage is Vantage.AGENT:
            # Copilot asks a model for titles and summaries in a person's place; what was typed stands on its agent's span.
            found = [] if who.point == "copilot" else list(self._asked(signal, "chat", frame))
            if tokens := otel_tokens(signal.attrs):
                # An agent's span above it states the sum once more; only the model's own counts.
                found = found or [frame.event(EventKind.ACTION, Phase.STARTED)]
                state(found[0], tokens, cost_of(signal.attrs.get("gen_ai.usage.cost")))
            yield from found
            after = frame._replace(at=signal.end) if signal.end is not None else frame
            yield from self._talked(talk_of(signal), frame, after, signal.trace)

    def logged(self, signal: Signal, who: Speaker) -> Iterator[Event]:
        """A log record of messages: what a person said, the calls a model asked for, and what came back."""
        if who.vantage is not Vantage.AGENT:
            return
        frame, talk = frame_of(signal, who), talk_of(signal)
        if (own := ran(talk)) is not None and own.given is not None:
            # Amazon's distribution takes a tool's arguments and answer out of its span.
            span = span_key(signal.trace, signal.span)
            act = act_asked(own.tool, own.given)
            if not self._told_of(frame, signal.trace, own.id, "ran", "asked"):
                yield frame.event(EventKind.ACTION, Phase.CALL, call=own.id, more=span, act=act, tool=own.tool)
            if own.output or own.failed is not None:
                result = frame.result(own.id, _went(own.failed), own.output)
                result.keys += span
                yield result
            return
        if who.point != "copilot":
            yield from self._prompted(words_asked(talk), frame)
        yield from self._talked(talk, frame, frame, signal.trace)

    def _talked(self, talk: Talk, before: Frame, after: Frame, trace: str) -> Iterator[Event]:
        """The calls a model asked for and what came back, by their ids: a tool's own span has the same. History repeats them."""
        for frame, messages in ((before, talk.given), (after, talk.said)):
            for message in messages:
                for asked in message.asked if message.role == "assistant" else ():
                    if asked.id and not self._told_of(frame, trace, asked.id, "asked", "asked", "ran"):
                        act = act_asked(asked.tool, asked.given)
                        yield frame.event(EventKind.ACTION, Phase.CALL, call=asked.id, act=act, tool=asked.tool)
                for back in message.answered:
                    if back.id and not self._told_of(frame, trace, back.id, "told", "told", "gave"):
                        yield frame.result(back.id, _went(back.failed), back.words)

    def _first_told(self, *what: str) -> bool:
        mark = digest(*what)[:32]
        if mark in self._told:
            return False
        if len(self._told) < _REMEMBERED:
            self._told.add(mark)
        return True

    def _told_of(self, frame: Frame, trace: str, call: str, what: str, *before: str) -> bool:
        """Note that this is told of a call; whether any of what may have been told of it before was.

        A tool's span may name no session, and a record of messages no trace. An id that merely counts means one call of a tool's in
        its trace alone.
        """
        places = [place for place in (trace, *(key.name for key in frame.scope)) if place and call]
        if what == "ran" and trace and not names_one_call(call):
            places = places[:1]
        known = any(digest(one, place, call)[:32] in self._told for one in before for place in places)
        if len(self._told) < _REMEMBERED:
            self._told.update(digest(what, place, call)[:32] for place in places)
        return known

    def _called(self, signal: Signal, use: Use, frame: Frame) -> Iterator[Event]:
        """A call and how it ended. A protocol's own span below a tool's span tells of the same call once more."""
        own = span_key(signal.trace, signal.span) + request_key(signal)
        if signal.name == "tool_call" or first_text(signal.attrs, "gen_ai.operation.name") == "tool_call":
            # Written by a scheduler within whose span the call's log record lies.
            own += span_key(signal.trace, signal.parent)
        inner = use.mcp and self._sorts.get(f"{signal.trace}/{signal.parent}") == "tool"
        if inner:
            own += span_key(signal.trace, signal.parent)
        elif not self._told_of(frame, signal.trace, use.call, "ran", "asked"):
            yield frame.event(EventKind.ACTION, Phase.CALL, call=use.call, more=own, act=use.act, tool=use.tool)
        if (ruled := ruled_on(signal)) is not None:
            rule = "approval required" if ruled is Effect.ASK else "user"
            asked = frame.verdict(ruled, call=use.call, rule=rule)
            asked.keys += tuple(one for one in own if one not in asked.keys)
            asked.tool, asked.verb, asked.target = use.tool, use.act.verb, use.act.target
            yield asked
        if use.went is Tri.UNKNOWN and not use.output:
            return
        self._told_of(frame, signal.trace, use.call, "gave")
        result = frame.result(use.call, use.went, use.output, status=use.status, refused="user" if ruled is Effect.DENY else "")
        result.keys += tuple(one for one in own if one not in result.keys)
        result.at = signal.end if signal.end is not None else signal.at
        result.tool = use.tool
        result.verb, result.target = use.act.verb, use.act.target
        if signal.at is not None and signal.end is not None and signal.end >= signal.at:
            result.attrs["duration_ms"] = (signal.end - signal.at) // 1000
        yield result

    def _invoked(self, signal: Signal, frame: Frame) -> Iterator[Event]:
        """An agent at work: begun by somebody's words, or by another agent's span above it."""
        name = agent_named(signal)
        above = "tool" if first_text(signal.attrs, *PARENT_SESSIONS) else self._sorts.get(f"{signal.trace}/{signal.parent}")
        if above in ("agent", "tool"):
            target = Target(TargetClass.AGENT, name)
            attrs: dict[str, Attr] = {"agent_type": name} if name else {}
            own = span_key(signal.trace, signal.span)
            if above == "agent":
                spawn = frame.event(EventKind.ACTION, Phase.CALL, more=own, attrs=attrs)
                spawn.verb, spawn.target = Verb.AGENT_SPAWN, target
                spawn.agent = self._names.get(f"{signal.trace}/{signal.parent}", spawn.agent)
                yield spawn
            if words := request_in(signal, "agent"):
                yield frame.event(EventKind.INTENT, Phase.DELEGATED, more=own, attrs=attrs, text=words[:64_000])
            return
        yield frame.event(EventKind.ACTION, Phase.STARTED)
        yield from self._asked(signal, "agent", frame)

    def _asked(self, signal: Signal, sort: str, frame: Frame) -> Iterator[Event]:
        """A person's words, told by the agent's span and by each model call below it: the first to tell them speaks."""
        yield from self._prompted(request_in(signal, sort), frame)

    def _prompted(self, words: str, frame: Frame) -> Iterator[Event]:
        scope = frame.scope[0].name if frame.scope else ""
        if words.strip() and self._first_told(scope, words):
            yield frame.intent(Phase.PROMPT, words)


def _went(failed: bool | None) -> Tri:
    return Tri.UNKNOWN if failed is None else Tri.NO if failed else Tri.YES


def _hooked(signal: Signal, frame: Frame) -> Iterator[Event]:
    """What a hook of Copilot decided; one that let the call pass or failed itself decided nothing."""
    effect = _EFFECTS.get(first_text(signal.attrs, "github.copilot.hook.decision").lower())
    if effect is not None:
        kind = first_text(signal.attrs, "copilot_chat.hook_type", "github.copilot.hook.type")[:100]
        reason = first_text(signal.attrs, "github.copilot.hook.error_message", "error.message")
        event = frame.verdict(effect, rule=f"hook {kind}".strip(), reason=reason)
        named = json_in(signal.attrs.get("github.copilot.hook.tool_names"))
        event.tool = ", ".join(text(one) for one in named)[:300] if isinstance(named, list) else ""
        yield event


def _seen(signal: Signal, use: Use, frame: Frame, who: Speaker) -> Iterator[Event]:
    """What a server did for a caller, or a gateway saw pass: an effect, and where it says so a decision."""
    found = span_key(signal.trace, signal.span) + span_key(signal.trace, signal.parent) + request_key(signal)
    effect, code = _decision(signal)
    refused = effect is Effect.DENY
    seen = Event(
        EventKind.EFFECT,
        Phase.OBSERVED,
        who.vantage,
        who.point,
        at=signal.at,
        clock=signal.clock,
        verb=use.act.verb,
        tool=use.tool,
        target=use.act.target,
        keys=keys(*frame.scope, *found, *scope_key("call", use.call, KeyRole.CALL)),
        outcome=Outcome(permitted=effect if refused else Effect.UNKNOWN, tool=use.went, effect=use.went),
        attrs={**frame.attrs, **use.act.attrs, **({"status": code} if code else {})},
    )
    if effect is not Effect.UNKNOWN and who.vantage is Vantage.WITNESS:
        decision = Decision(effect, rule=first_text(signal.attrs, *_RULES)[:300], by=who.point)
        outcome = Outcome(permitted=effect)
        yield replace(
            seen, kind=EventKind.DECISION, phase=Phase.VERDICT, vantage=Vantage.ENFORCER, decision=decision, outcome=outcome
        )
    if not (refused and who.vantage is Vantage.WITNESS):
        yield seen


def _decision(signal: Signal) -> tuple[Effect, str]:
    """What was decided in so many words, else what the answer's code proves: only a refusal."""
    code = text(signal.attrs.get("http.response.status_code")) or text(signal.attrs.get("http.status_code"))
    word = first_text(signal.attrs, *_DECISIONS).lower()
    if word in _EFFECTS:
        return _EFFECTS[word], code
    return (Effect.DENY if number(code) in _REFUSED else Effect.UNKNOWN), code
