"""Claude Code's telemetry: log events (`claude_code.*`, prefix or not) and the spans of its beta tracing.

The one log that states who let each call run: settings, a hook, or the person. A refused call has a decision and no result.
Where tool details are not logged, the tool's name is all that is known of the call.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from importers.claude_code_tools import act_of
from importers.otel_context import object_in, prompt_of, span_key
from importers.otel_signals import Signal
from importers.shared.agents import Act, Frame, call_id, mcp_act, prompt_key, told_apart, words_of
from importers.shared.fields import Json, commit_id, first_text, key, keys, number, text, truth
from model.event import Attr, Event, Key
from model.words import Effect, EventKind, KeyRole, Phase, Tri

EVENTS = frozenset(
    {"user_prompt", "tool_decision", "tool_result", "permission_mode_changed", "subagent_completed", "hook_execution_complete"}
    | {
        "hook_execution_start",
        "hook_registered",
        "hook_plugin_metrics",
        "api_request",
        "api_error",
        "api_refusal",
        "api_request_body",
    }
    | {"api_response_body", "api_retries_exhausted", "assistant_response", "managed_settings_resolved", "plugin_loaded"}
    | {"plugin_installed", "retention_sweep", "mcp_server_connection", "auth", "compaction", "skill_activated", "at_mention"}
    | {"internal_error", "feedback_survey"}
)
_EFFECTS = {"accept": Effect.ALLOW, "approve": Effect.ALLOW, "allow": Effect.ALLOW, "reject": Effect.DENY, "deny": Effect.DENY}
_CALLS = ("tool_use_id", "use_id", "gen_ai.tool.call.id")
_SPAWNS = frozenset({"Task", "Agent"})


def log_events(name: str, signal: Signal, frame: Frame) -> Iterator[Event]:
    """Events of one log record, `name` without its prefix."""
    attrs = signal.attrs
    call = call_id(first_text(attrs, *_CALLS))
    if name == "user_prompt":
        words = prompt_of(attrs, "prompt", "prompt_text")
        if words:
            yield frame.intent(Phase.PROMPT, words)
    elif name == "tool_decision":
        yield _decided(attrs, call, frame)
    elif name == "tool_result":
        yield from _result(attrs, call, frame)
    elif name == "permission_mode_changed":
        if mode := first_text(attrs, "to_mode", "permission_mode", "mode"):
            yield frame.event(
                EventKind.DECISION, Phase.POSTURE, attrs={"mode": mode[:100]}, text=first_text(attrs, "trigger")[:200]
            )
    elif name == "subagent_completed":
        if "agent_id" in attrs:
            kind = first_text(attrs, "agent_type")[:200]
            yield frame.event(EventKind.ACTION, Phase.ENDED, attrs={"agent_type": kind} if kind else None)
    elif (
        name == "hook_execution_complete" and attrs.get("hook_event") == "UserPromptSubmit" and number(attrs.get("num_blocking"))
    ):
        # What a hook says of a call is told again as the call's decision; of a prompt it is told here alone.
        made = _by("hook", frame.verdict(Effect.DENY, rule="UserPromptSubmit", reason="the prompt was blocked by a hook"))
        made.keys += prompt_key(attrs.get("prompt.id"))
        yield made


def span_events(signal: Signal, frame: Frame) -> list[Event] | None:
    """Events of the parts of a call that have a span of their own; None for any other span."""
    part = first_text(signal.attrs, "span.type") or signal.name.removeprefix("claude_code.")
    call = call_id(first_text(signal.attrs, *_CALLS))
    if part == "tool":
        act = _act(signal.attrs)
        own = span_key(signal.trace, signal.span)
        return [frame.event(EventKind.ACTION, Phase.CALL, call=call, more=own, act=act, tool=_tool(signal.attrs))]
    if part == "tool.blocked_on_user":
        if _EFFECTS.get(first_text(signal.attrs, "decision")) is None:
            return []
        made = _decided(signal.attrs, call, frame, span_key(signal.trace, signal.parent))
        return [_later(made, signal)]
    if part == "tool.execution":
        return [_later(one, signal) for one in _result(signal.attrs, call, frame, span_key(signal.trace, signal.parent))]
    return None


def _later(event: Event, signal: Signal) -> Event:
    event.at = signal.end if signal.end is not None else event.at
    return event


def _decided(attrs: Json, call: str, frame: Frame, more: tuple[Key, ...] = ()) -> Event:
    effect = _EFFECTS.get(first_text(attrs, "decision").lower(), Effect.UNKNOWN)
    source = first_text(attrs, "source", "decision_source")[:100]
    act = _act(attrs)
    event = frame.verdict(effect, call=call, rule=source)
    event.verb, event.target, event.operations, event.tool = act.verb, act.target, act.operations, _tool(attrs)
    event.keys += more
    event.attrs = {**event.attrs, **act.attrs}
    if mode := first_text(attrs, "permission_mode"):
        event.attrs["mode"] = mode[:100]
    return _by("user" if source.startswith("user") else source, event)


def _result(attrs: Json, call: str, frame: Frame, more: tuple[Key, ...] = ()) -> Iterator[Event]:
    ok = truth(attrs.get("success"))
    tool = Tri.UNKNOWN if ok is None else Tri.YES if ok else Tri.NO
    # That a call was let through is told by its decision; the result repeats it only for what a person was asked.
    event = frame.result(call, tool, first_text(attrs, "error"), status=first_text(attrs, "error_type", "error.type")[:200])
    act = _act(attrs)
    event.verb, event.target, event.operations, event.tool = act.verb, act.target, act.operations, _tool(attrs)
    event.attrs = {**event.attrs, **act.attrs}
    event.keys += more + keys(
        key(KeyRole.REFERENCE, "commit", commit_id(object_in(attrs.get("tool_parameters")).get("git_commit_id")))
    )
    if duration := text(attrs.get("duration_ms")):
        event.attrs["duration_ms"] = duration
    yield event
    given = object_in(attrs.get("tool_input"))
    if event.tool in _SPAWNS and (prompt := words_of(given.get("prompt"))):
        yield frame.intent(Phase.DELEGATED, prompt, call=call, attrs=_agent_type(act))


def _agent_type(act: Act) -> dict[str, Attr]:
    kind = act.attrs.get("agent_type")
    return {"agent_type": kind} if kind else {}


def _tool(attrs: Json) -> str:
    return first_text(attrs, "tool_name", "gen_ai.tool.name")[:300]


def _act(attrs: Json) -> Act:
    """The call's act from its input, else from the parameters that are logged more often: by those alone no call is told apart."""
    given = object_in(attrs.get("tool_input"))
    act = _meant(attrs, given)
    plain = {name: value for name, value in act.attrs.items() if name != "arguments"}
    return told_apart(act._replace(attrs=plain), given) if given else act._replace(attrs=plain)


def _meant(attrs: Json, given: Json) -> Act:
    name = _tool(attrs)
    told = object_in(attrs.get("tool_parameters"))
    server = first_text(told, "mcp_server_name", "mcp_server") or first_text(attrs, "mcp_server_name")
    if server and not name.startswith("mcp__"):
        return mcp_act(server, first_text(told, "mcp_tool_name", "mcp_tool") or first_text(attrs, "mcp_tool_name") or name, given)
    if name.startswith("mcp__"):
        return act_of(name, given)
    merged = {**told, **given}
    for there, here in (("full_command", "command"), ("bash_command", "command"), ("file_path", "file_path")):
        if here not in merged and (found := first_text(told, there) or first_text(attrs, there)):
            merged[here] = found
    if "subagent_type" not in merged and (kind := first_text(attrs, "subagent_type")):
        merged["subagent_type"] = kind
    return act_of(name, merged)


def _by(who: str, event: Event) -> Event:
    if who and event.decision is not None:
        event.decision = replace(event.decision, by=who)
    return event
