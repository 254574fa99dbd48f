"""Traces of the Agent Client Protocol: JSON-RPC between an editor and a coding agent, bare or within a line of a capture.

The agent tells its tool calls and asks the editor for permission; the answer is a person's decision, which the agent's own
session file often lacks. Requests run both ways, each side with ids of its own. Source: agentclientprotocol.com, version 1
and the draft of 2, and traces of Gemini CLI 0.61. What an agent logs of its own updates (`acp_updates`) is read as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from importers.acp_updates import UPDATE, child, folder_of, is_update, logged, model_of, moment_of, tool_named
from importers.gemini_outputs import exit_code, refusal_of
from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, Frame, call_id, exec_act, field, file_act, scope_id, web_act, words_of
from importers.shared.fields import Json, clip, first_text, mapping, number, text
from importers.shared.jsonrpc import TIMES, direction, message_id, messages
from importers.shared.recent import remember
from importers.shared.tool_calls import command_line
from importers.shared.transcript import Transcript, objects
from model.event import BadRecord, Event, Parsed
from model.words import Effect, EventKind, Phase, Tri, Verb

POINT = "acp"

_EDITOR = frozenset(
    {"client", "fromclient", "editor", "ide", "c2a", "outgoing", "out", "request", "send", "sent", ">", "-", "stdin"}
)
_AGENT = frozenset({"agent", "fromagent", "server", "a2c", "incoming", "in", "response", "recv", "received", "<", "<-", "stdout"})
_BY_EDITOR = frozenset(
    {"initialize", "authenticate", "logout", "session/new", "session/load", "session/resume", "session/fork", "session/list"}
    | {"session/close", "session/prompt", "session/cancel", "session/set_mode", "session/set_model", "session/set_config_option"}
    | {"providers/list", "providers/set", "providers/disable"}
)
_BY_AGENT = frozenset(
    {"session/update", "session/request_permission", "session/elicitation", "session/elicitation/complete", "fs/read_text_file"}
    | {"fs/write_text_file", "terminal/create", "terminal/output", "terminal/kill", "terminal/release", "terminal/wait_for_exit"}
)
_KNOWN = _BY_EDITOR | _BY_AGENT | {"$/cancel_request"}
_OPENING = frozenset({"session/new", "session/load", "session/resume", "session/fork"})
_SILENT = frozenset(
    {"agent_message_chunk", "agent_thought_chunk", "user_message_chunk", "available_commands_update", "plan", "plan_update"}
    | {"usage_update", "agent_message", "agent_thought", "user_message", "state_update"}
)
_FILES = {
    "read": Verb.FILE_READ, "search": Verb.FILE_READ, "edit": Verb.FILE_WRITE, "move": Verb.FILE_WRITE, "delete": Verb.FILE_DELETE,
}  # fmt: skip
_EFFECTS = {"allow": Effect.ALLOW, "reject": Effect.DENY}
_TOLD = ("output", "stdout", "output_for_prompt", "error", "message", "text")
_CHILDREN = {"subagent_spawned": Phase.STARTED, "subagent_finished": Phase.ENDED}
_UNIQUE = re.compile(r"(?=.*\d)[A-Za-z0-9_.:-]{16,200}")
"""A call id that no other session will have; a shorter one is unique in its session alone."""
_SILENT_ON_ENDS = ("gemini", "qwen", "iflow")
_OPEN = 10_000


class _Asked(NamedTuple):
    """A request that waits for its answer."""

    method: str
    side: str
    session: str
    params: Json


class Acp:
    id = "acp"
    title = "Agent Client Protocol traces and session logs (Grok Build)"
    evidence = "real"
    version = 4

    def sniff(self, sample: Sequence[object]) -> int:
        methods = [text(message.get("method")) for record in sample for message in _messages(record)]
        named = [method for method in methods if method]
        own = sum((method.startswith("session/") and method in _KNOWN) or is_update(method) for method in named)
        known = sum(method in _KNOWN or method.startswith("_") for method in named)
        return 94 if own and known * 2 > len(named) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    """One trace in order: the sessions in it, and the requests that are still open, by asking side and id."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], _Asked] = {}
        self._sessions: dict[str, Transcript] = {}
        self._session = ""
        self._agent = ""
        self._version = ""
        self._folder = ("", "")

    def lies_at(self, place: str) -> None:
        self._folder = folder_of(place)

    def read(self, record: object) -> Parsed:
        found = _messages(record)
        if not found:
            raise BadRecord("not a protocol trace: no JSON-RPC 2.0 message with a method, a result or an error")
        around = mapping(record) if not isinstance(record, list) else {}
        when = next((around[name] for name in TIMES if around.get(name)), None) if "jsonrpc" not in around else None
        log = logged(record)
        when = moment_of(log) if log is not None else when
        sender = direction(around) if "jsonrpc" not in around and log is None else ""
        side = "editor" if sender in _EDITOR else "agent" if sender in _AGENT else ""
        parsed = Parsed(scope=self._session)
        names: list[str] = []
        for message in found:
            method = text(message.get("method"))
            name, events = self._asked(method, message, when) if method else self._answered(message, side, when)
            names.append(name)
            # Equal answers in two sessions are two: what they answer tells them apart.
            parsed.scope = self._session
            parsed.events += events
            if name.partition(" ")[0] == "unknown":
                parsed.unknown_type = clip(name.partition(" ")[2], 80)
        parsed.type = clip(" + ".join(names), 120)
        parsed.at = self._file(self._session).frame(when).at
        return parsed

    def _file(self, session: str) -> Transcript:
        """What is remembered of one session."""
        found = self._sessions.get(session)
        if found is None:
            found = Transcript(POINT, self._agent or POINT)
            remember(self._sessions, session, found, _OPEN)
            found.begin(session, session)
            found.know(agent_version=self._version)
            if session and session == self._folder[0]:
                found.place(self._folder[1])
        return found

    def _asked(self, method: str, message: Json, when: object) -> tuple[str, list[Event]]:
        params = mapping(message.get("params"))
        session = scope_id(params.get("sessionId"))
        self._session = session or self._session
        side = "agent" if method in _BY_AGENT else "editor"
        if method == "initialize":
            self._open.clear()
        if (ident := message_id(message.get("id"))) and (method in _KNOWN):
            self._open[side, ident] = _Asked(method, side, session, params)
            if len(self._open) > _OPEN:
                self._open.pop(next(iter(self._open)))
        if is_update(method) and session:
            own, said = method != UPDATE, "jsonrpc" not in message
            return self._update(mapping(params.get("update")), self._file(session), when, own=own, said=said)
        if method not in _KNOWN:
            # Names that begin with an underscore are each program's own, by the protocol.
            return (method[:80] if method.startswith(("_", "$/")) else f"unknown {method}"), []
        if not session:
            return method, []
        file = self._file(session)
        frame = file.frame(when)
        if method == "session/prompt":
            return method, list(_prompt(params, frame))
        if method == "session/request_permission":
            return method, list(self._call(mapping(params.get("toolCall")), file, frame))
        return method, []

    def _update(self, update: Json, file: Transcript, when: object, *, own: bool, said: bool) -> tuple[str, list[Event]]:
        """One update; `own` where its method is the program's own, `said` where no prompt tells what the user said, as in a log."""
        kind = field(update, "sessionUpdate")
        name = f"session/update {kind[:60]}"
        file.know(model=model_of(update))
        frame = file.frame(when)
        if kind == "user_message_chunk" and said:
            return name, list(_prompt({"prompt": [mapping(update.get("content"))]}, frame))
        if own and kind in _CHILDREN:
            return name, list(child(update, frame, file.session, _CHILDREN[kind]))
        if own and kind == "turn_completed":
            return name, list(_stopped(update, file, frame))
        if kind in ("tool_call", "tool_call_update"):
            return name, [*self._call(update, file, frame), *self._result(update, file, frame)]
        if kind == "current_mode_update":
            return name, list(file.posture(frame, first_text(update, "currentModeId", "modeId")))
        if kind == "session_info_update":
            title = clip(field(update, "title"), 300)
            return name, [frame.event(EventKind.ACTION, Phase.STARTED, attrs={"title": title})] if title else []
        if kind == "config_option_update":
            return name, list(_options(update, file, frame))
        return (name if own or kind in _SILENT else f"unknown {name}"), []

    def _call(self, told: Json, file: Transcript, frame: Frame) -> Iterator[Event]:
        """A call, the first time it is told with anything but its end."""
        call = _name(told, file)
        if call and (told.get("title") or told.get("kind") or told.get("rawInput")):
            tool = _tool(told)
            if not file.called(call) and not file.answered(call):
                remember(file.waiting, call, None, _OPEN)
            yield from file.call(frame, call, tool, told.get("rawInput"), act=_act(tool, told))

    def _result(self, told: Json, file: Transcript, frame: Frame) -> Iterator[Event]:
        status = field(told, "status").lower()
        call = _name(told, file)
        if status not in ("completed", "failed", "cancelled") or not call:
            return
        file.waiting.pop(call, None)
        said = _said(told)
        refused, effect = ("", None) if status == "completed" else ("interrupted", Effect.UNKNOWN)
        if status == "failed" or (status == "cancelled" and said):
            # In this protocol a cancelled call is a turn that was stopped, unless the agent's own words say more.
            refused, effect = refusal_of("", "error" if status == "failed" else "cancelled", said)
        code = "" if refused else _exit(told, said)
        # Gemini CLI and its forks complete a command however it ended, and say nothing of that here.
        silent = not code and field(told, "kind") == "execute" and frame.agent.startswith(_SILENT_ON_ENDS)
        yield from file.result(
            frame,
            call,
            Tri.NO if status != "completed" or code not in ("", "0") else Tri.UNKNOWN if silent else Tri.YES,
            said,
            status=code,
            refused=refused,
            reason=said.partition("\n")[0] if refused else "",
            effect=effect,
        )

    def _answered(self, message: Json, side: str, when: object) -> tuple[str, list[Event]]:
        """The answer to an open request of the other side; where the trace names no side, to the last one with this id."""
        ident = message_id(message.get("id"))
        asking = {"editor": ("agent",), "agent": ("editor",)}.get(side, ("agent", "editor"))
        waiting = [one for one in self._open if one[1] == ident and one[0] in asking]
        if not waiting:
            return "answer without request", []
        asked = self._open.pop(waiting[-1])
        result, name = mapping(message.get("result")), f"answer to {asked.method}"
        session = asked.session or scope_id(result.get("sessionId"))
        self._session = session or self._session
        if asked.method == "initialize":
            self._know(mapping(result.get("agentInfo")))
        if not session or "error" in message:
            return name, []
        file = self._file(session)
        if asked.method in _OPENING:
            file.place(field(asked.params, "cwd"))
        frame = file.frame(when)
        if asked.method in _OPENING:
            return name, list(_opened(asked, session, result, file, frame))
        if asked.method == "session/request_permission":
            return name, list(_permitted(asked.params, result, file, frame))
        if asked.method == "session/set_mode":
            return name, list(file.posture(frame, field(asked.params, "modeId")))
        if asked.method == "session/set_config_option":
            return name, list(_options(result, file, frame))
        return name, []

    def _know(self, info: Json) -> None:
        """The agent by its own name, less what marks the protocol: `claude-code-acp` is `claude-code`."""
        named = field(info, "name").rpartition("/")[2].lower()
        self._agent = named.removesuffix("-acp").removesuffix("-agent")[:100]
        self._version = field(info, "version")[:100]


def _messages(record: object) -> list[Json]:
    """The messages of a record of a capture, or of an agent's log of its updates."""
    log = logged(record)
    return [log] if log is not None else [message for message, _ in messages(record)]


def _prompt(params: Json, frame: Frame) -> Iterator[Event]:
    words = words_of(params.get("prompt"))
    if words.strip():
        yield frame.intent(Phase.PROMPT, words)


def _stopped(update: Json, file: Transcript, frame: Frame) -> Iterator[Event]:
    """What a turn that was stopped leaves undone."""
    if field(update, "stop_reason") == "cancelled":
        for call in file.waiting:
            yield from file.result(frame, call, Tri.NO, "", refused="interrupted")
    file.waiting.clear()


def _opened(asked: _Asked, session: str, result: Json, file: Transcript, frame: Frame) -> Iterator[Event]:
    """A session that begins or goes on, and the mode it is in."""
    if file.first("begun", session):
        yield frame.event(EventKind.ACTION, Phase.STARTED)
    yield from file.posture(frame, first_text(mapping(result.get("modes")), "currentModeId"))
    yield from _options(result, file, frame)


def _options(told: Json, file: Transcript, frame: Frame) -> Iterator[Event]:
    for option in objects(told.get("configOptions")):
        if "mode" in (option.get("category"), option.get("id")):
            yield from file.posture(frame, field(option, "currentValue"))


def _permitted(params: Json, result: Json, file: Transcript, frame: Frame) -> Iterator[Event]:
    """The person's answer. What was refused does not run, and the agent may say no more of it."""
    call = _name(mapping(params.get("toolCall")), file)
    outcome = mapping(result.get("outcome"))
    if field(outcome, "outcome") != "selected":
        if call and field(outcome, "outcome") == "cancelled":
            yield from file.result(frame, call, Tri.NO, "", refused="interrupted")
        return
    chosen = field(outcome, "optionId")
    option = next((one for one in objects(params.get("options")) if one.get("optionId") == chosen), {})
    effect = _EFFECTS.get(field(option, "kind").partition("_")[0], Effect.UNKNOWN)
    rule = field(option, "kind") or chosen[:200]
    yield frame.verdict(effect, call=file.call_key(call), rule=rule, reason=field(option, "name"), by="user")
    if effect is Effect.DENY and call:
        yield from file.result(frame, call, Tri.NO, "", refused="user", effect=Effect.UNKNOWN)


def _name(told: Json, file: Transcript) -> str:
    """The call's id where it can be no other session's, else with its session."""
    call = call_id(told.get("toolCallId"))
    return call if not call or _UNIQUE.fullmatch(call) else f"{file.session}/{call}"


def _tool(told: Json) -> str:
    """The tool's own name, "" where the agent tells no more than its kind."""
    meta = mapping(told.get("_meta"))
    return (
        field(mapping(meta.get("claudeCode")), "toolName") or field(meta, "toolName") or tool_named(meta) or field(told, "name")
    )


def _act(tool: str, told: Json) -> Act:
    """What the call does: by the tool's name and input where they are told, else by its kind, its places and its title."""
    kind, title, given = field(told, "kind"), field(told, "title").strip("` "), told.get("rawInput")
    if tool and (act := act_of(tool, given)).verb is not Verb.UNKNOWN:
        return act
    if kind == "execute":
        return exec_act(command_line(mapping(given)) or title)
    if kind in _FILES:
        places = [*objects(told.get("locations")), *objects(told.get("content"))]
        return file_act(_FILES[kind], next((found for one in places if (found := field(one, "path"))), ""))
    if kind == "fetch":
        return web_act(first_text(mapping(given), "url", "uri") or title)
    return act_of(title, given) if title.startswith("mcp__") else Act()


def _exit(told: Json, said: str) -> str:
    """The exit code of a command that is completed however it ended: in the raw output, beside it, or in the agent's own words."""
    raw, meta = mapping(told.get("rawOutput")), mapping(told.get("_meta"))
    held = (raw.get("exit_code"), raw.get("exitCode"), mapping(meta.get("terminal_exit")).get("exit_code"))
    code = next((found for one in held if (found := number(one)) is not None), None)
    return str(code) if code is not None else exit_code(_tool(told), said)


def _said(told: Json) -> str:
    """What came back: the text of the content, else the raw output."""
    parts = [
        words_of([inner] if isinstance(inner := one.get("content"), dict) else inner) for one in objects(told.get("content"))
    ]
    said = "\n".join(part for part in parts if part)
    raw = told.get("rawOutput")
    return said or (raw if isinstance(raw, str) else first_text(mapping(raw), *_TOLD))


IMPORTER = Acp()
