"""Kiro sessions of 3.x, its command line's and its editor's: a folder with `session.json` and `messages.jsonl`, and one file for each sub-agent.

A message is {id, timestamp, payload: {type, ...}} and names no session: the folder it lies in does. A person's answer to an approval
is told by `interaction_resolved`, in the words of the options that `pending_interaction` offered. Source: published schemas of readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from importers.kiro_words import stopped
from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, Frame, call_id, field, scope_id, scope_key, words_of
from importers.shared.fields import Json, mapping, number, texts
from importers.shared.transcript import Transcript, objects
from model.event import Event, Parsed, Target
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Verb

_FOLDER = re.compile(r"([^/\\!]{1,200})[/\\](?:messages\.jsonl|session\.json)")
_CHILD = re.compile(r"([^/\\!]{1,200})[/\\]sub-executions[/\\]([^/\\!]{1,200}?)\.jsonl")
_FILE = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.jsonl?(?![0-9a-z])", re.IGNORECASE)
_SILENT = frozenset(
    {"assistant", "turn_start", "turn_end", "session_start", "session_metadata", "session_event", "usage_summary", "tombstone"}
    | {"steering_inclusion", "sub_agent_progress", "ContextualHookInvoked", "pending_interaction"}
)
PAYLOADS = _SILENT | {"user", "tool_call", "tool_result", "interaction_resolved", "sub_agent_start", "sub_agent_complete"}
_ANSWERS = (("always-", ""), ("accept", "allow"), ("approve", "allow"), ("trust", "allow"), ("deny", "reject"))
_EFFECTS = {"allow": Effect.ALLOW, "reject": Effect.DENY}
_REFUSED = frozenset({"rejected", "denied", "declined"})
# How the tools that run a command begin and end what it gave.
_GAVE, _ENDED = "Output:", re.compile(r"\nExit Code: (-?\d{1,9})\s*\Z")
_LIMIT = 1_000


def session_at(place: str) -> tuple[str, str]:
    """The session whose file lies here, and the one that started it; "" where the place says nothing."""
    if m := _CHILD.search(place):
        return m[2], m[1]
    found = _FOLDER.search(place) or _FILE.search(place)
    return (found[1], "") if found and not found[1].endswith((".jsonl", ".json")) else ("", "")


def is_message(record: Json) -> bool:
    payload = mapping(record.get("payload"))
    told = "timestamp" in record or "version" in record
    return told and field(payload, "type") in PAYLOADS and record.keys() <= {"id", "timestamp", "payload", "version", "parentId"}


def is_state(record: Json) -> bool:
    """A session's `session.json`, or the state that 2.x keeps beside a file of lines."""
    newer = "schemaVersion" in record and "workspacePaths" in record and "id" in record
    return newer or ("session_state" in record and "session_id" in record and "cwd" in record)


def state(file: Transcript, record: Json) -> Parsed:
    """What a session's state says of it: where it ran, its title and model, and whose sub-agent it is."""
    inner = mapping(record.get("session_state"))
    model = mapping(mapping(inner.get("rts_model_state")).get("model_info")) or mapping(inner.get("model_info"))
    file.begin(record.get("session_id") or record.get("id"), record)
    file.parent(record.get("parentSessionId") or record.get("parent_session_id"))
    file.place(field(record, "cwd") or next(iter(texts(record.get("workspacePaths"))), ""))
    file.know(model=field(record, "modelId") or field(model, "model_id"))
    frame = file.frame(record.get("createdAt") or record.get("created_at"))
    role = field(inner, "agent_name") or field(record, "agentMode")
    more = {"title": field(record, "title")[:300], "agent_type": role[:200]}
    event = frame.event(EventKind.ACTION, Phase.STARTED, attrs={name: value for name, value in more.items() if value})
    return Parsed([event], scope=file.session, type="session", at=frame.at)


class Messages:
    """The messages of one session; what an approval offered is remembered until it is answered."""

    def __init__(self, file: Transcript) -> None:
        self._file = file
        self._asked: dict[str, Json] = {}

    def read(self, record: Json) -> Parsed:
        payload = mapping(record.get("payload"))
        kind, name = field(payload, "type"), call_id(record.get("id"))
        self._file.begin(None, record)
        frame = self._file.frame(record.get("timestamp"), ref=name)
        parsed = Parsed(scope=self._file.session, type=kind[:100] or "no type", at=frame.at)
        if kind not in PAYLOADS:
            parsed.unknown_type = parsed.type
        parsed.events = list(self._message(kind, payload, frame))
        return parsed

    def _message(self, kind: str, payload: Json, frame: Frame) -> Iterator[Event]:
        call = call_id(payload.get("toolCallId"))
        content = payload.get("content")
        said = words_of([content] if isinstance(content, dict) else content)
        if kind == "session_start" and (role := field(payload, "agentType")):
            yield frame.event(EventKind.ACTION, Phase.STARTED, attrs={"agent_type": role[:200]})
        elif kind == "user" and said.strip():
            child = any(key.role is KeyRole.PARENT for key in frame.scope)
            yield frame.intent(Phase.DELEGATED if child else Phase.PROMPT, said)
        elif kind == "tool_call":
            tool, given = field(payload, "toolName"), payload.get("args")
            act = _act(tool, given)
            yield from self._file.call(frame, call or self._file.unnamed_call(), tool, given, act=act)
            if field(payload, "status") in _REFUSED:
                yield from self._file.result(frame, call, Tri.NO, "", refused="user")
        elif kind == "tool_result":
            ok = payload.get("success")
            interrupted = "interrupted" if ok is False and "session was interrupted" in said[:500] else ""
            done = Tri.UNKNOWN if not isinstance(ok, bool) else Tri.YES if ok else Tri.NO
            by, why = (interrupted, "") if interrupted else stopped(said) if ok is False else ("", "")
            ended = _ENDED.search(said[-40:]) if said.startswith(_GAVE) else None
            code = ended[1] if ended else ""
            if code not in ("", "0"):
                done = Tri.NO
            for event in self._file.result(frame, call, done, said, refused=by, reason=why, status=code):
                if (took := number(payload.get("durationMs"))) is not None:
                    event.attrs["duration_ms"] = took
                yield event
        elif kind == "pending_interaction" and call and len(self._asked) < _LIMIT:
            self._asked[call] = payload
        elif kind == "interaction_resolved":
            yield from self._answered(call, payload, frame)
        elif kind in ("sub_agent_start", "sub_agent_complete"):
            yield from self._child(kind, payload, frame)

    def _answered(self, call: str, payload: Json, frame: Frame) -> Iterator[Event]:
        """A person's answer; one to a question of the agent's decides nothing."""
        asked, chosen = self._asked.pop(call, {}), field(payload, "selectedOption")
        option: Json = next((one for one in objects(asked.get("options")) if one.get("optionId") == chosen), {})
        if not chosen or field(asked, "interactionType") not in ("", "tool_approval"):
            return
        meant = field(option, "kind") or chosen.lower()
        for mark, word in _ANSWERS:
            meant = meant.replace(mark, word, 1)
        effect = next((_EFFECTS[word] for word in _EFFECTS if meant.startswith(word)), Effect.UNKNOWN)
        reason = field(asked, "question") or field(option, "name")
        yield self._file.decision(frame, effect, call, rule=(field(option, "kind") or chosen)[:200], reason=reason)
        if effect is Effect.DENY:
            yield from self._file.result(frame, call, Tri.NO, "", refused="user", effect=Effect.UNKNOWN)

    def _child(self, kind: str, payload: Json, frame: Frame) -> Iterator[Event]:
        child, role = scope_id(payload.get("subSessionId")), field(payload, "subAgentName")[:200]
        if kind == "sub_agent_complete":
            yield from self._file.result(frame, child, Tri.YES, field(payload, "response"))
            return
        act = Act(Verb.AGENT_SPAWN, Target(TargetClass.AGENT, role), {"agent_type": role} if role else {})
        yield from self._file.call(frame, child or self._file.unnamed_call(), "sub_agent", payload, act=act)
        if child:
            scope = scope_key("session", child) + scope_key("session", self._file.session, KeyRole.PARENT)
            scope += scope_key("call", self._file.call_key(child), KeyRole.PARENT)
            yield frame._replace(scope=scope, attrs={}).event(EventKind.ACTION, Phase.STARTED, attrs=dict(act.attrs))


def _act(tool: str, given: object) -> Act:
    """A tool of an MCP server carries the server's name before its own."""
    server, _, inner = tool.removeprefix("@").partition("/" if tool.startswith("@") else "___")
    return act_of(tool, given, server=server if inner else "", name=inner)
