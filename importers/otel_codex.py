"""Codex's telemetry log events (`codex.*`): the only record of who approved a call, joined to the rollout by call id."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from importers.codex_outputs import output_of
from importers.codex_tools import arguments_of, call_act, custom_act
from importers.otel_context import prompt_of
from importers.otel_signals import Signal
from importers.shared.agents import Act, Frame, call_id, mcp_act, scope_id, scope_key, words_of
from importers.shared.fields import Json, first_text, text, truth
from model.event import Attr, Event
from model.words import Effect, EventKind, KeyRole, Phase, Tri

EVENTS = frozenset(
    {
        "conversation_starts",
        "user_prompt",
        "tool_decision",
        "tool_result",
        "sandbox_outcome",
        "agent_communication",
        "api_request",
    }
    | {
        "sse_event",
        "websocket_request",
        "websocket_event",
        "websocket_connect",
        "startup_phase",
        "turn_ttft",
        "turn_ttfm",
        "auth_recovery",
    }
)
_EFFECTS = {
    "approved": Effect.ALLOW, "approved_for_session": Effect.ALLOW, "approved_with_amendment": Effect.ALLOW,
    "approved_execpolicy_amendment": Effect.ALLOW, "network_policy_amendment": Effect.ALLOW, "accept": Effect.ALLOW,
    "denied": Effect.DENY, "rejected": Effect.DENY, "abort": Effect.DENY, "timed_out": Effect.ASK,
}  # fmt: skip
_BY = {"config": "config", "user": "user", "automatedreviewer": "automated reviewer"}
_NATIVE = frozenset({"", "functions", "collaboration"})


def log_events(name: str, signal: Signal, frame: Frame) -> Iterator[Event]:
    """Events of one log record, `name` without its prefix."""
    attrs = signal.attrs
    call = call_id(attrs.get("call_id"))
    if name == "conversation_starts":
        yield frame.event(EventKind.ACTION, Phase.STARTED)
        posture: dict[str, Attr] = {}
        if mode := first_text(attrs, "approval_policy"):
            posture["mode"] = mode[:100]
        if sandbox := first_text(attrs, "sandbox_policy"):
            posture["sandbox"] = sandbox[:100]
        if posture:
            yield frame.event(EventKind.DECISION, Phase.POSTURE, attrs=posture)
    elif name == "user_prompt":
        if words := prompt_of(attrs, "prompt"):
            yield frame.intent(Phase.PROMPT, words)
    elif name == "tool_decision":
        yield _decided(attrs, call, frame)
    elif name == "tool_result":
        yield from _result(attrs, call, frame)
    elif name == "sandbox_outcome" and first_text(attrs, "outcome") == "denied":
        made = frame.verdict(Effect.DENY, call=call, rule="sandbox", reason="the sandbox refused")
        yield _about(made, attrs, "sandbox")
    elif name == "agent_communication":
        yield from _communicated(attrs, frame)


def _decided(attrs: Json, call: str, frame: Frame) -> Event:
    word = first_text(attrs, "decision")
    source = first_text(attrs, "source")
    effect = _EFFECTS.get(word.lower(), Effect.UNKNOWN)
    return _about(frame.verdict(effect, call=call, rule=source[:100], reason=word[:100]), attrs, _BY.get(source.lower(), source))


def _about(event: Event, attrs: Json, by: str) -> Event:
    act = _act(attrs)
    event.verb, event.target, event.operations, event.tool = act.verb, act.target, act.operations, _tool(attrs)
    event.attrs = {**event.attrs, **act.attrs}
    if event.decision is not None and by:
        event.decision = replace(event.decision, by=by[:100])
    return event


def _result(attrs: Json, call: str, frame: Frame) -> Iterator[Event]:
    said = output_of(first_text(attrs, "output"))
    ok = truth(attrs.get("success"))
    tool = said.tool
    if ok is not None and tool is Tri.UNKNOWN:
        tool = Tri.YES if ok else Tri.NO
    event = frame.result(call, tool, said.text, refused=said.refused, status=said.status)
    act = _act(attrs)
    event.verb, event.target, event.operations, event.tool = act.verb, act.target, act.operations, _tool(attrs)
    event.attrs = {**event.attrs, **act.attrs}
    if duration := text(attrs.get("duration_ms")):
        event.attrs["duration_ms"] = duration
    yield event
    if said.effect is not Effect.UNKNOWN:
        yield _about(frame.verdict(said.effect, call=call, rule=said.refused, reason=said.reason), attrs, "")
    if first_text(attrs, "tool_name") == "spawn_agent":
        given = arguments_of(attrs)
        if words := words_of(given.get("message")) or words_of(given.get("prompt")):
            yield frame.intent(Phase.DELEGATED, words, call=call, attrs=dict(act.attrs))


def _communicated(attrs: Json, frame: Frame) -> Iterator[Event]:
    """A spawned thread and what it was told, in its own scope."""
    child, parent = scope_id(attrs.get("receiver_thread_id")), scope_id(attrs.get("sender_thread_id"))
    if attrs.get("kind") != "spawn" or not child or not parent or child == parent:
        return
    frame = frame._replace(scope=scope_key("session", child) + scope_key("session", parent, KeyRole.PARENT))
    yield frame.event(EventKind.ACTION, Phase.STARTED)
    if words := prompt_of(attrs, "content"):
        yield frame.intent(Phase.DELEGATED, words)


def _tool(attrs: Json) -> str:
    name, namespace = first_text(attrs, "tool_name")[:300], first_text(attrs, "tool_namespace")[:300]
    return name if namespace in _NATIVE else f"{namespace}__{name}"


def _act(attrs: Json) -> Act:
    name, namespace = first_text(attrs, "tool_name")[:300], first_text(attrs, "tool_namespace")[:300]
    if server := first_text(attrs, "mcp_server"):
        return mcp_act(server, name.removeprefix(f"mcp__{server}__"), arguments_of(attrs))
    given = first_text(attrs, "arguments")
    if name in ("exec", "apply_patch") and not given.lstrip().startswith("{"):
        return custom_act(name, given)
    return call_act(attrs, name, namespace)
