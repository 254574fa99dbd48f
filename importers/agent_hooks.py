"""Hook logs of Claude Code, of the agents that took over its protocol (Codex, Gemini CLI and its forks, Copilot), and of Windsurf,
Cline and Augment: what a hook was told, and what it answered.

The input is the agent's own word; the answer is the hook's, an enforcer's. Logs are home-made: the input by itself, or
input, output and exit code under the usual names. Only where an answer was logged is there a decision; a hook that was
asked and said nothing decided nothing, which is told as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from importers.claude_code_tools import TOOLS, act_of
from importers.claude_code_words import MACHINE
from importers.codex_outputs import output_of
from importers.codex_tools import patch_act
from importers.copilot_results import shell_end
from importers.gemini_outputs import command_end, exit_code
from importers.hook_answers import EVENTS, GEMINI, answer_of, halves, kept_halves
from importers.hook_dialects import ends_untold
from importers.shared.agent_tools import act_of as others_act
from importers.shared.agents import Act, Frame, call_id, field, mcp_act, origin_of, prompt_key, scope_id, scope_key, words_of
from importers.shared.fields import Json, arguments_digest, first_moment, first_text, key, keys, mapping, text
from importers.shared.hooks import hook_agent
from importers.shared.recent import remember
from model.event import Attr, BadRecord, Event, Key, Parsed, digest
from model.words import Effect, EventKind, KeyRole, Phase, Tri, Vantage

_ASKED = frozenset({"PreToolUse", "PermissionRequest", "UserPromptSubmit"})
_TIMES = ("recorded_at", "timestamp", "time", "ts", "at", "logged_at", "date", "created_at", "received_at")
_WAITING = 10_000
_SHOWN = ("llmContent", "returnDisplay", "output", "text_result_for_llm", "textResultForLlm")
_REFUSED = {"denied": "rule", "rejected": "user"}


class AgentHooks:
    id = "agent-hooks"
    title = "Hook logs of Claude Code, Codex, Gemini CLI, Copilot, Windsurf, Cline and Augment (input, or input and answer)"
    evidence = "real"
    version = 8

    def sniff(self, sample: Sequence[object]) -> int:
        known = others = loose = 0
        for record in sample:
            if not isinstance(record, dict):
                continue
            if (found := kept_halves(record)) is not None:
                known += found[0].get("hook_event_name") in EVENTS or found[0].get("hook_event_name") in GEMINI
                others += 1
            else:
                loose += halves(record) is not None
        if known:
            return 92
        return 55 if loose * 2 > len(sample) else 40 if others * 2 > len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    """One log; it remembers each session's mode and, for agents that name no call, the calls that wait for a result."""

    def __init__(self) -> None:
        self._modes: dict[str, str] = {}
        self._waiting: dict[str, list[int]] = {}
        self._begun: dict[str, str] = {}
        self._count = 0

    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object: a hook's record is one JSON object")
        found = halves(record)
        if found is None:
            raise BadRecord("no hook input: neither the record nor a member of it has `hook_event_name` and `session_id`")
        given, answered = found
        told = field(given, "hook_event_name")[:100]
        event = GEMINI.get(told, told)
        given = self._named({**given, "hook_event_name": event})
        at, clock = first_moment(record, *_TIMES)
        if at is None:
            at, clock = first_moment(given, "timestamp")
        agent = "gemini-cli" if told in GEMINI else hook_agent(given) or "claude-code"
        session = scope_id(given.get("session_id"))
        frame = Frame(agent, at, clock, "", "", _scope(given, agent, session), _facts(given), agent)
        named = field(given, "named")[:100] or told
        parsed = Parsed(scope=session, type=named, at=at)
        if event not in EVENTS and told not in GEMINI:
            parsed.unknown_type = named
        parsed.events = [*self._mode(given, frame), *self._told(event, given, frame, alone=answered is None)]
        if answered is not None and event in _ASKED:
            parsed.events += self._decided(named, given, answered, frame, parsed.events)
        return parsed

    def _named(self, given: Json) -> Json:
        """The input with the id of its call: what is put to a person is told without one, right after the call that it is about."""
        call, event = call_id(given.get("tool_use_id")), field(given, "hook_event_name")
        if not call and event != "PermissionRequest":
            return given
        about = digest(scope_id(given.get("session_id")), call_id(given.get("agent_id")), _tool(given), _what(given))[:32]
        if event == "PreToolUse":
            remember(self._begun, about, call, _WAITING)
        elif event == "PermissionRequest" and not call and (begun := self._begun.get(about)):
            return {**given, "tool_use_id": begun}
        elif call and self._begun.get(about) == call:
            del self._begun[about]
        return given

    def _mode(self, given: Json, frame: Frame) -> Iterator[Event]:
        """The permission mode, told with every event, passed on where it changes."""
        mode = field(given, "permission_mode")[:100]
        if frame.point == "codex":
            # It puts its approval policy into Claude Code's words, and leaves out the sandbox that still confines.
            mode = "never" if mode == "bypassPermissions" else ""
        scope = frame.scope[0].name if frame.scope else ""
        if mode and self._modes.get(scope) != mode:
            if len(self._modes) < _WAITING:
                self._modes[scope] = mode
            yield frame.event(EventKind.DECISION, Phase.POSTURE, attrs={"mode": mode})

    def _told(self, event: str, given: Json, frame: Frame, *, alone: bool) -> Iterator[Event]:
        """What the agent said by itself; `alone` where no answer was logged with it, which would stand for a call without an id."""
        call = call_id(given.get("tool_use_id"))
        if event == "PreToolUse" and (call or (alone and _tool(given))):
            more = () if call else self._pair(given, False)
            yield frame.event(EventKind.ACTION, Phase.CALL, call=call, more=more, act=_act(given), tool=_tool(given))
        elif event in ("PostToolUse", "PostToolUseFailure"):
            yield self._result(event, given, call, frame)
        elif event == "PermissionRequest":
            # The agent puts the call to a person; what a hook says to that is told beside.
            asked = frame.verdict(Effect.ASK, call=call, rule=event)
            yield _about(asked, given, () if call else self._pair(given, True))
        elif event == "PermissionDenied":
            yield _about(frame.verdict(Effect.DENY, call=call, rule="PermissionDenied", reason=field(given, "reason")), given, ())
        elif event == "UserPromptSubmit":
            words = words_of(given.get("prompt"))
            if words.strip() and not words.startswith(MACHINE):
                yield frame.intent(Phase.PROMPT, words)
        elif event in ("SessionStart", "SubagentStart"):
            model = field(given, "model")[:200]
            yield frame.event(EventKind.ACTION, Phase.STARTED, attrs={**_type(given), **({"model": model} if model else {})})
        elif event in ("SessionEnd", "SubagentStop"):
            status = field(given, "reason")[:100]
            yield frame.event(EventKind.ACTION, Phase.ENDED, attrs={**_type(given), **({"status": status} if status else {})})

    def _result(self, event: str, given: Json, call: str, frame: Frame) -> Event:
        response = given.get("tool_response", given.get("tool_result"))
        details = mapping(response)
        stopped = given.get("is_interrupt") is True or details.get("interrupted") is True
        failed = event == "PostToolUseFailure" or stopped or details.get("success") is False
        failed = failed or details.get("is_error") is True or details.get("isError") is True
        shown = next((words for name in _SHOWN if (words := words_of(details.get(name)))), "")
        code, runs = exit_code(_tool(given), shown), bool(details.get("backgroundTaskId"))
        how = first_text(details, "result_type", "resultType")
        if how or frame.point.startswith("copilot"):
            code, runs = shell_end(shown or words_of(response))
        refused = "interrupted" if stopped else _REFUSED.get(how, "")
        failed = failed or bool(details.get("error")) or code not in ("", "0") or how not in ("", "success")
        said = (
            shown
            or words_of(response)
            or words_of(details.get("content"))
            or words_of(details.get("stdout"))
            or field(given, "error")
        )
        ok = Tri.NO if failed else Tri.UNKNOWN if runs or ends_untold(given) else command_end(_tool(given), shown)
        if frame.point == "codex" and isinstance(response, str) and not failed:
            # It tells the hook what a command wrote, and not how it ended.
            told = output_of(response)
            ok, code, refused = told.tool, told.status, told.refused
        result = frame.result(call, ok, said, refused=refused, status=code)
        if details and "stdout" not in details:
            # What a file or a page says about commits is not what this call did.
            result.keys = tuple(one for one in result.keys if one.role is not KeyRole.REFERENCE)
        if duration := text(given.get("duration_ms")):
            result.attrs["duration_ms"] = duration
        return _about(result, given, () if call else self._pair(given, True))

    def _decided(self, hook: str, given: Json, log: Json, frame: Frame, told: list[Event]) -> Iterator[Event]:
        event = field(given, "hook_event_name")
        answer = answer_of(log, event)
        if answer.effect is Effect.UNKNOWN and event != "PreToolUse":
            return
        call = call_id(given.get("tool_use_id"))
        made = frame.verdict(answer.effect, call=call, rule=hook, reason=answer.reason, by="hook")
        made.vantage, made.point = Vantage.ENFORCER, f"{frame.point}:hook"
        if answer.rewritten:
            made.attrs["redirected"] = True
        if event == "UserPromptSubmit":
            made.keys += prompt_key(given.get("prompt_id"))
        else:
            made = _about(made, given, () if call else self._pair(given, event == "PermissionRequest"))
        yield made

    def _pair(self, given: Json, again: bool) -> tuple[Key, ...]:
        """A key of our own for a call the agent gave no id: the same tool with the same input, in order."""
        try:
            body = msgspec.json.encode([given.get("session_id"), given.get("tool_name"), given.get("tool_input")], order="sorted")
        except (TypeError, ValueError, RecursionError):
            return ()
        name = digest(body)[:32]
        waiting = self._waiting.setdefault(name, [])
        if again and not waiting:
            return ()
        if not again:
            self._count += 1
            waiting.append(self._count)
            number = self._count
        else:
            number = waiting[0] if given.get("hook_event_name") == "PermissionRequest" else waiting.pop(0)
        if len(self._waiting) > _WAITING:
            self._waiting.clear()
        return keys(key(KeyRole.CALL, "hook.call", f"{name}-{number}"))


def _scope(given: Json, agent: str, session: str) -> tuple[Key, ...]:
    """The session; a sub-agent of Claude Code within it, a sub-agent of Codex as the thread of its own that it is."""
    child = call_id(given.get("agent_id"))
    parent = scope_key("session", session, KeyRole.PARENT)
    if not child or child == session:
        return scope_key("session", session)
    if agent == "codex":
        return scope_key("session", scope_id(child)) + parent
    return (Key(KeyRole.SCOPE, "claude.agent", f"{session}/{child}"), *parent)


def _facts(given: Json) -> dict[str, Attr]:
    cwd = field(given, "cwd")[:2000]
    named = {"cwd": cwd, "origin": origin_of(cwd)}
    return {name: value for name, value in named.items() if value}


def _type(given: Json) -> dict[str, Attr]:
    kind = field(given, "agent_type")[:200]
    return {"agent_type": kind} if kind else {}


def _tool(given: Json) -> str:
    return field(given, "tool_name")[:300]


def _what(given: Json) -> str:
    """What two hooks of one call say alike: its command, else all of its input."""
    arguments = given.get("tool_input")
    return field(mapping(arguments), "command") or arguments_digest(arguments)


def _act(given: Json) -> Act:
    name, arguments = _tool(given), given.get("tool_input")
    if name == "apply_patch":
        return patch_act(field(mapping(arguments), "command") or field(mapping(arguments), "input"))
    if name.startswith("mcp__"):
        server, _, tool = name[5:].partition("__")
        return mcp_act(server, tool, arguments)
    served = mapping(given.get("mcp_context"))
    if server := field(served, "server_name"):
        return mcp_act(server, field(served, "tool_name") or name, arguments)
    # Its own tools begin with a capital, as those of the agents that took over its hooks do not.
    return act_of(name, arguments) if name in TOOLS else others_act(name, arguments)


def _about(event: Event, given: Json, more: tuple[Key, ...]) -> Event:
    act = _act(given)
    event.verb, event.target, event.operations, event.tool = act.verb, act.target, act.operations, _tool(given)
    event.attrs = {**event.attrs, **act.attrs}
    event.keys += more
    return event


IMPORTER = AgentHooks()
