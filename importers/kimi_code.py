"""Kimi Code: the journal of each agent of a session (`~/.kimi-code/sessions/<folder>/<session>/agents/<agent>/wire.jsonl`).

What the agent does is told in loop events (`context.append_loop_event`), what the person was asked and answered in
`permission.record_approval_result`. A prompt stands as it was typed (`turn.prompt`) and again as the model got it. No record names the
session: the folder it lies in does. Source: the program's types and policies; no recorded session was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.kimi_cli import session_at
from importers.shared.agent_tools import act_of
from importers.shared.agents import Frame, call_id, field, scope_id, words_of
from importers.shared.chat import json_of
from importers.shared.counted_calls import CountedCalls
from importers.shared.fields import Json, first_text, mapping
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import Purse, spent, tell_spent, tokens_of
from model.event import BadRecord, Event, Parsed
from model.words import Effect, Phase, Tri

POINT = "kimi"

_MAIN = ("", "main")
_FAMILIES = frozenset(
    {"turn", "prompt", "context", "permission", "config", "profile", "llm", "usage", "tools", "mcp", "plan_mode", "plan", "swarm_mode",
     "tower_mode", "task", "cron", "interaction", "interruptionReminder", "goal", "forked", "full_compaction", "micro_compaction",
     "token_counting", "context_size", "file_history", "plugin", "runtime", "background", "skill", "subagent", "agent"}
)  # fmt: skip
_LOOP = frozenset({"step.begin", "step.end", "content.part", "tool.call", "tool.result"})
_ANSWERS = {"approved": Effect.ALLOW, "rejected": Effect.DENY}
_REFUSED = re.compile(
    r'\ATool "[^"]{1,300}" was (not run because the user rejected|not run because the approval request was cancelled|denied)'
)
_DECIDERS = {
    "not run because the user rejected": "user",
    "not run because the approval request was cancelled": "interrupted",
    "denied": "rule",
}
_PLANNING = "Plan mode is active. You may only write to the current plan file"
_EXIT = re.compile(r"Command failed with exit code: (-?\d{1,9})\.")
_BACKGROUND = re.compile(r"\Atask_id: [^\n]{1,200}\npid: ")
_NAMES = {"AgentSwarm": "spawn_agent", "ReadMediaFile": "view_image", "TaskStop": "kill_shell"}
_TAIL = 2_000


class KimiCode:
    id = "kimi-code"
    title = "Kimi Code sessions"
    evidence = "documentation"
    version = 1
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        records = [record for record in sample if isinstance(record, dict)]
        told = sum(_is_telling(record) for record in records)
        known = sum(field(record, "type").partition(".")[0] in _FAMILIES or _is_head(record) for record in records)
        return 93 if told and known * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_head(record: Json) -> bool:
    return record.get("type") == "metadata" and "protocol_version" in record


def _is_telling(record: Json) -> bool:
    """Whether this is one of the records that no other program's log has."""
    kind = field(record, "type")
    if kind == "context.append_loop_event":
        return field(mapping(record.get("event")), "type") in _LOOP
    if kind in ("turn.prompt", "turn.steer"):
        return isinstance(record.get("input"), list)
    return kind == "permission.record_approval_result" or (
        kind == "context.append_message" and isinstance(record.get("message"), dict)
    )


class _Reader:
    """One agent's journal."""

    def __init__(self) -> None:
        self._session = self._agent = ""
        self._file = Transcript(POINT, unique_calls=False)
        self._calls = CountedCalls()
        self._purse: Purse = {}
        self._typed = ""
        self._mode = ""

    def lies_at(self, place: str) -> None:
        """The folders are called by the session and the agent; the session's own agent is `main`."""
        self._session, self._agent = session_at(place)

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a line of wire.jsonl")
        kind = field(record, "type")
        if _is_head(record):
            # It says the same in every file: only where it lies tells it from that of another.
            return Parsed(type="metadata", scope=scope_id(f"{self._session}/{self._agent}".strip("/")))
        if not kind:
            raise BadRecord("a line without `type`")
        if not self._file.session:
            self._begin(record)
        frame = self._file.frame(record.get("time"), unit="ms")
        parsed = Parsed(scope=self._file.session, type=kind[:100], at=frame.at)
        parsed.events = list(self._told(kind, record, frame))
        tell_spent(self._purse, self._file.session, parsed.events)
        event = field(mapping(record.get("event")), "type")
        if kind == "context.append_loop_event" and event not in _LOOP:
            parsed.unknown_type = f"{kind}/{event[:100]}"
        elif kind.partition(".")[0] not in _FAMILIES:
            parsed.unknown_type = parsed.type
        return parsed

    def _begin(self, record: Json) -> None:
        agent = self._agent or field(record, "agentId")[:200]
        if agent in _MAIN or not self._session:
            self._agent = agent
            self._file.begin(self._session, record)
            return
        self._agent = agent
        self._file.begin(f"{self._session}/{agent}", record)
        self._file.parent(self._session)

    def _told(self, kind: str, record: Json, frame: Frame) -> Iterator[Event]:
        if kind in ("turn.prompt", "turn.steer"):
            words = words_of(record.get("input"))
            self._typed = words
            yield from self._said(words, mapping(record.get("origin")), frame)
        elif kind == "context.append_message":
            yield from self._message(mapping(record.get("message")), frame)
        elif kind == "context.append_loop_event":
            yield from self._event(mapping(record.get("event")), frame)
        elif kind == "permission.set_mode":
            self._mode = field(record, "mode")
            yield from self._file.posture(frame, self._mode)
        elif kind == "plan_mode.enter":
            yield from self._file.posture(frame, "plan")
        elif kind in ("plan_mode.exit", "plan_mode.cancel"):
            yield from self._file.posture(frame, self._mode or "manual")
        elif kind == "permission.record_approval_result":
            yield from self._approval(record, frame)
        elif kind in ("config.update", "profile.bind"):
            self._file.place(field(record, "cwd"))
            self._file.know(model=field(record, "modelAlias"))
        elif kind == "llm.request":
            self._file.know(model=first_text(record, "model", "modelAlias"))

    def _said(self, words: str, origin: Json, frame: Frame) -> Iterator[Event]:
        """A person's words, or those of the agent that started this one; what the program says itself has another origin."""
        if words.strip() and field(origin, "kind") in ("", "user") and not words.lstrip().startswith("<system-reminder>"):
            yield frame.intent(Phase.PROMPT if self._agent in _MAIN else Phase.DELEGATED, words)

    def _message(self, message: Json, frame: Frame) -> Iterator[Event]:
        role, words = field(message, "role"), words_of(message.get("content"))
        if role == "user" and words != self._typed:
            yield from self._said(words, mapping(message.get("origin")), frame)
        elif role == "user":
            self._typed = ""
        for call in objects(message.get("toolCalls")) if role == "assistant" else ():
            made = mapping(call.get("function")) or call
            yield from self._call(call_id(call.get("id")), field(made, "name"), json_of(made.get("arguments")), frame)

    def _event(self, event: Json, frame: Frame) -> Iterator[Event]:
        kind, call = field(event, "type"), call_id(event.get("toolCallId"))
        if kind == "tool.call":
            yield from self._call(call, field(event, "name"), json_of(event.get("args")), frame)
        elif kind == "tool.result":
            yield from self._result(self._calls.of(self._file, call), mapping(event.get("result")), frame)
        elif kind == "step.end" and self._file.first("usage", first_text(event, "uuid")):
            used = mapping(event.get("usage"))
            counted = {
                "input": used.get("inputOther"),
                "output": used.get("output"),
                "cacheWrite": used.get("inputCacheCreation"),
            }
            spent(self._purse, self._file.session, tokens_of(counted))

    def _call(self, call: str, tool: str, given: object, frame: Frame) -> Iterator[Event]:
        name = self._calls.begun(self._file, call) or self._file.unnamed_call()
        yield from self._file.call(frame, name, tool, given, act=act_of(_NAMES.get(tool, tool), given))

    def _result(self, call: str, result: Json, frame: Frame) -> Iterator[Event]:
        if not result:
            return
        output = words_of(result.get("output"))
        failed = result.get("isError")
        # It is left out where it is false; what runs on in the background has not ended.
        ok = Tri.NO if failed is True else Tri.UNKNOWN if _BACKGROUND.match(output) or failed not in (None, False) else Tri.YES
        refused = code = ""
        if failed is True:
            found = _REFUSED.match(output)
            refused = _DECIDERS[found.group(1)] if found else "rule" if output.startswith(_PLANNING) else ""
            codes = _EXIT.findall(field(result, "message") or output[-_TAIL:])
            code = codes[-1] if codes and not refused else ""
        yield from self._file.result(frame, call, ok, output, refused=refused, reason=output if refused else "", status=code)

    def _approval(self, record: Json, frame: Frame) -> Iterator[Event]:
        result, call = mapping(record.get("result")), self._calls.of(self._file, call_id(record.get("toolCallId")))
        decision, said = field(result, "decision"), field(result, "feedback")
        yield self._file.decision(frame, Effect.ASK, call, reason=field(record, "action"))
        if (effect := _ANSWERS.get(decision)) is None:
            return
        # Where nobody can be asked the program approves by itself, and says neither label nor scope.
        person = effect is Effect.DENY or any(name in result for name in ("selectedLabel", "scope", "feedback"))
        rule = field(record, "sessionApprovalRule") or decision
        yield self._file.decision(frame, effect, call, rule=rule, reason=said, by="user" if person else "")
        if said.strip():
            yield frame.intent(Phase.PROMPT, said, call=self._file.call_key(call))


IMPORTER = KimiCode()
