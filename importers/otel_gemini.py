"""Gemini CLI's telemetry log events (`gemini_cli.*`), and those of the programs that grew out of it.

`accept` stands for a rule and a person alike; what policy refuses has an error and no decision; over ACP there is none.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from importers.otel_context import object_in, prompt_of, span_key
from importers.otel_signals import Signal
from importers.shared.agents import Act, Frame, mcp_act, words_of
from importers.shared.fields import Json, first_text, text, truth
from importers.shared.tool_calls import tool_call
from model.event import Attr, Event, Key
from model.words import Effect, EventKind, Phase, Tri, Verb

EVENTS = frozenset(
    {"config", "user_prompt", "tool_call", "approval_mode_switch", "plan.approval_mode_switch", "plan.approval_mode_duration"}
    | {"api_request", "api_response", "api_error", "ripgrep_fallback", "startup_stats", "model_routing", "file_operation"}
    | {
        "edit_strategy",
        "edit_correction",
        "slash_command",
        "slash_command.model",
        "agent.start",
        "agent.finish",
        "agent.recovery_attempt",
    }
    | {"malformed_json_response", "next_speaker_check", "loop_detected", "loop_detection_disabled", "conversation_finished"}
    | {"chat_compression", "chat.invalid_chunk", "chat.content_retry", "chat.content_retry_failure", "flash_fallback"}
    | {"tool_output_truncated", "tool_output_masking", "extension_install", "extension_uninstall", "extension_enable"}
    | {
        "extension_disable",
        "extension_update",
        "ide_connection",
        "kitty_sequence_overflow",
        "hook_call",
        "rewind",
        "keychain.availability",
    }
    | {"token_storage.initialization", "web_fetch_fallback_attempt", "invalid_chunk", "onboarding.start", "onboarding.success"}
    | {"conseca.policy_generation", "plan.execution", "network_retry_attempt"}
)
EFFECTS = {"accept": Effect.ALLOW, "auto_accept": Effect.ALLOW, "modify": Effect.ALLOW, "reject": Effect.DENY}
BY = {"auto_accept": "config", "modify": "user", "reject": "user", "accept": "config or user"}
"""What a decision on a call is and who took it, by the word the telemetry has for it."""


def log_events(name: str, signal: Signal, frame: Frame) -> Iterator[Event]:
    """Events of one log record, `name` without its prefix."""
    attrs = signal.attrs
    if name == "config":
        yield frame.event(EventKind.ACTION, Phase.STARTED)
        if mode := first_text(attrs, "approval_mode"):
            yield frame.event(EventKind.DECISION, Phase.POSTURE, attrs={"mode": mode[:100]})
    elif name == "user_prompt":
        if words := prompt_of(attrs, "prompt"):
            yield frame.intent(Phase.PROMPT, words)
    elif name.endswith("approval_mode_switch"):
        if mode := first_text(attrs, "to_mode"):
            yield frame.event(EventKind.DECISION, Phase.POSTURE, attrs={"mode": mode[:100]})
    elif name == "tool_call":
        yield from _called(signal, frame)


def _called(signal: Signal, frame: Frame) -> Iterator[Event]:
    attrs = signal.attrs
    error = first_text(attrs, "error", "error.message")
    decision = first_text(attrs, "decision").lower()
    effect, by = EFFECTS.get(decision, Effect.UNKNOWN), BY.get(decision, "")
    refused = "user" if decision == "reject" else ""
    if not decision and (
        first_text(attrs, "error_type", "error.type") == "policy_violation" or "denied by policy" in error[:200]
    ):
        effect, by, refused = Effect.DENY, "policy", "rule"
    elif not decision and error.endswith("was canceled by the user."):
        effect, by, refused = Effect.DENY, "user", "user"
    call = first_text(attrs, "call_id", "tool_call_id", "gen_ai.tool.call_id")[:200]
    # A call's record lies in the span that scheduled it: where that span held one call alone, it is this one.
    more = () if call else span_key(signal.trace, signal.span)
    act, tool = _act(attrs), first_text(attrs, "function_name")[:300]
    ok = truth(attrs.get("success"))
    # A command that ran and failed is a success here, and its exit code is not told.
    unsaid = ok is None or (ok and act.verb is Verb.EXEC)
    outcome = Tri.UNKNOWN if unsaid else Tri.YES if ok else Tri.NO
    status = first_text(attrs, "error_type", "error.type")[:200]
    result = frame.result(call, outcome, error, refused=refused, permitted=effect, status=status)
    if duration := text(attrs.get("duration_ms")):
        result.attrs["duration_ms"] = duration
    yield _about(result, act, tool, more)
    if effect is not Effect.UNKNOWN:
        made = frame.verdict(
            effect, call=call, rule=decision or status or refused, reason=error if effect is not Effect.ALLOW else ""
        )
        if made.decision is not None:
            made.decision = replace(made.decision, by=by)
        yield _about(made, act, tool, more)
    if act.attrs.get("agent_type") and (words := words_of(object_in(attrs.get("function_args")).get("prompt"))):
        yield frame.intent(Phase.DELEGATED, words, call=call, attrs={"agent_type": act.attrs["agent_type"]})


def _about(event: Event, act: Act, tool: str, more: tuple[Key, ...]) -> Event:
    event.verb, event.target, event.operations, event.tool = act.verb, act.target, act.operations, tool
    event.attrs = {**event.attrs, **act.attrs}
    event.keys += more
    return event


def _act(attrs: Json) -> Act:
    name, given = first_text(attrs, "function_name")[:300], object_in(attrs.get("function_args"))
    if server := first_text(attrs, "mcp_server_name")[:300]:
        return mcp_act(server, name.removeprefix(f"mcp_{server}_").removeprefix(f"{server}__"), given)
    verb, target, found = tool_call(name, "", given, None)
    kind = first_text(given, "agent_name")[:200] if name == "invoke_agent" else ""
    more: dict[str, Attr] = {"agent_type": kind} if kind else {}
    return Act(verb, target, {**found, **more})
