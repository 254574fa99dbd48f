"""What Claude Code prints with `--output-format stream-json`, and the sidecar `agent-*.meta.json` of a sub-agent's transcript.

A streamed message is the transcript's record in another dress: read as that, it joins the transcript by session, sub-agent and
call, and nothing is told twice. Of a run that printed its end alone, what was denied is told. The stream alone holds the questions put to an SDK (`can_use_tool`) and their answers.
Source: recordings of 2.1.330.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.claude_code import IMPORTER as TRANSCRIPT
from importers.claude_code import POINT
from importers.claude_code_background import ended_in_stream
from importers.shared.agents import Act, Frame, call_id, decided_before, field, origin_of, scope_id, scope_key
from importers.shared.fields import Json, first_moment, mapping
from importers.shared.told import effect_of
from importers.shared.transcript import object_of, objects
from model.event import Attr, BadRecord, Event, Parsed, Target
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Verb

_TYPES = frozenset(
    {"system", "assistant", "user", "result", "stream_event", "control_request", "control_response", "control_cancel_request"}
    | {"rate_limit_event", "tool_progress", "auth_status", "keep_alive", "tool_use_summary"}
    | {"prompt_suggestion", "conversation_reset", "streamlined_text", "streamlined_tool_use_summary"}
    | {"active_goal", "autocompact_state", "command_lifecycle", "ui_invalidate"}
)
_BESIDE = _TYPES - {"system", "assistant", "user", "result"}
_SYSTEM = frozenset(
    {
        "init",
        "hook_started",
        "hook_progress",
        "hook_response",
        "permission_denied",
        "task_started",
        "task_progress",
        "task_updated",
    }
    | {
        "task_notification",
        "background_tasks_changed",
        "api_retry",
        "informational",
        "notification",
        "status",
        "compact_boundary",
    }
    | {"files_persisted", "session_state_changed", "local_command_output", "elicitation_complete", "model_refusal_fallback"}
    | {"model_refusal_no_fallback", "mirror_error", "thinking_tokens", "commands_changed", "memory_recall", "plugin_install"}
    | {"control_request_progress", "worker_shutting_down", "post_turn_summary", "task_summary"}
)
_TIMES = ("timestamp", "_audit_timestamp")
"""The stream's own time, and the one its desktop program writes beside each record it keeps."""
_SNAKE = re.compile(r"_([a-z])")
_AMPS = re.compile(r"t-[0-9a-f]{8}-")
"""The sessions of Amp, which prints the same stream (`--stream-json`)."""
_OPEN = 10_000


class ClaudeCodeStream:
    id = "claude-code-stream"
    title = "Claude Code stream-json output and sub-agent sidecars"
    evidence = "real"
    version = 6

    def sniff(self, sample: Sequence[object]) -> int:
        records = [record for record in sample if isinstance(record, dict)]
        streamed = sum(
            record.get("type") in ("system", "assistant", "user", "result")
            and isinstance(record.get("session_id"), str)
            and ("parent_tool_use_id" in record or "subtype" in record)
            for record in records
        )
        beside = sum(isinstance(kind := record.get("type"), str) and kind in _BESIDE for record in records)
        if streamed and (streamed + beside) * 2 > len(records):
            return 92
        return 85 if records and all(_is_sidecar(record) for record in records) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_sidecar(record: Json) -> bool:
    return isinstance(record.get("agentType"), str) and "type" not in record and ("toolUseId" in record or "spawnDepth" in record)


class _Reader:
    """One stream: the transcript's reader, the facts of the last `init`, and the questions still open."""

    def __init__(self) -> None:
        self._transcript = TRANSCRIPT.open()
        self._facts: Json = {}
        self._session = ""
        self._asked: dict[str, Json] = {}
        self._called: dict[str, bool] = {}
        self._decided: set[str] = set()
        self._refused: set[str] = set()

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a stream record")
        if _is_sidecar(record):
            return _sidecar(record)
        kind = field(record, "type")
        if not kind:
            raise BadRecord("no record type: `type` is missing or is no text")
        self._session = scope_id(record.get("session_id")) or self._session
        at, clock = first_moment(record, *_TIMES)
        uuid = call_id(record.get("uuid"))
        parsed = Parsed(identity=uuid or None, scope="" if uuid else self._session, type=kind[:100], at=at)
        frame = self._frame(at, clock)
        if kind in ("assistant", "user"):
            read = self._transcript.read(self._as_transcript(record))
            parsed.events = read.events
            if spawned := scope_key("call", call_id(record.get("parent_tool_use_id")), KeyRole.PARENT):
                for event in parsed.events:
                    if any(key.role is KeyRole.SCOPE and key.kind == "claude.agent" for key in event.keys):
                        event.keys = tuple(dict.fromkeys((*event.keys, *spawned)))
            for one in objects(mapping(record.get("message")).get("content")):
                if field(one, "type") == "tool_use" and len(self._called) < _OPEN:
                    self._called[call_id(one.get("id"))] = True
        elif kind == "result":
            parsed.events = [event for one in objects(record.get("permission_denials")) for event in self._denied(one, frame)]
        elif kind == "system":
            parsed.type = f"system/{field(record, 'subtype')[:100]}"
            if field(record, "subtype") == "init":
                parsed.events = self._begun(record, at, clock)
            elif mode := field(record, "permissionMode")[:100]:
                parsed.events = [frame.event(EventKind.DECISION, Phase.POSTURE, attrs={"mode": mode})]
            elif field(record, "subtype") == "task_notification":
                parsed.events = list(ended_in_stream(record, frame))
            elif field(record, "subtype") == "permission_denied" and len(self._refused) < _OPEN:
                self._refused |= {call_id(record.get("tool_use_id"))} - {""}
            elif field(record, "subtype") not in _SYSTEM:
                parsed.unknown_type = parsed.type
        elif kind == "control_request":
            self._ask(record)
        elif kind == "control_response":
            parsed.events = self._answer(record, frame)
        elif kind not in _TYPES:
            parsed.unknown_type = parsed.type
        parsed.events = [event for event in parsed.events if not decided_before(self._decided, event)]
        if _AMPS.match(self._session):
            for event in parsed.events:
                event.point = event.agent = "amp"
        return parsed

    def _as_transcript(self, record: Json) -> Json:
        """The record as the transcript would hold it."""
        made: dict[str, object] = {
            name: record[name] for name in ("type", "message", "uuid", "timestamp", "isSynthetic", "origin") if name in record
        }
        made |= {"sessionId": self._session, **self._facts}
        if "timestamp" not in made and _TIMES[1] in record:
            made["timestamp"] = record[_TIMES[1]]
        if agent := call_id(record.get("agent_id")) or call_id(record.get("parent_tool_use_id")):
            made |= {"agentId": agent, "isSidechain": True}
        if "tool_use_result" in record:
            made["toolUseResult"] = record["tool_use_result"]
        told = [mapping(one.get("permission_decision")) for one in objects(record.get("tool_result_meta"))]
        kinds = [kind for one in objects(record.get("tool_result_meta")) if (kind := field(one, "non_execution_kind"))]
        if len(kinds) == 1:
            made["toolDenialKind"] = kinds[0]
        elif not kinds and not any(told) and self._refused & _answered(record):
            # A version that tells of the refusal beside the result alone: the program refused, whatever words it put there.
            made["toolDenialKind"] = "permission-rule"
        if len(told) == 1 and told[0]:
            made["permissionDecision"] = {_SNAKE.sub(lambda m: m[1].upper(), name): value for name, value in told[0].items()}
        return made

    def _frame(self, at: int | None, clock: Clock) -> Frame:
        cwd = field(self._facts, "cwd")
        named: dict[str, Attr] = {"cwd": cwd, "agent_version": field(self._facts, "version"), "origin": origin_of(cwd)}
        facts: dict[str, Attr] = {name: value for name, value in named.items() if value}
        return Frame(POINT, at, clock, "", "", scope_key("session", self._session), facts, "claude-code")

    def _begun(self, record: Json, at: int | None, clock: Clock) -> list[Event]:
        self._facts = {"cwd": field(record, "cwd")[:2000], "version": field(record, "claude_code_version")[:100]}
        frame = self._frame(at, clock)
        model, mode = field(record, "model")[:200], field(record, "permissionMode")[:100]
        events = [frame.event(EventKind.ACTION, Phase.STARTED, attrs={"model": model} if model else None)]
        return [*events, frame.event(EventKind.DECISION, Phase.POSTURE, attrs={"mode": mode})] if mode else events

    def _denied(self, denial: Json, frame: Frame) -> list[Event]:
        """A call that the end of a run names as denied, where that is all that was kept of it: what `--output-format json` prints."""
        call = call_id(denial.get("tool_use_id"))
        if not call or call in self._called or not field(denial, "tool_name"):
            return []
        used = {"type": "tool_use", "id": call, "name": denial.get("tool_name"), "input": denial.get("tool_input")}
        record: dict[str, object] = {"type": "assistant", "message": {"role": "assistant", "content": [used]}}
        made = self._transcript.read(self._as_transcript(record)).events
        return [*made, frame.verdict(Effect.DENY, call=call, rule="permission_denials")]

    def _ask(self, record: Json) -> None:
        request = mapping(record.get("request"))
        if field(request, "subtype") == "can_use_tool" and len(self._asked) < _OPEN:
            self._asked[field(record, "request_id")] = request

    def _answer(self, record: Json, frame: Frame) -> list[Event]:
        """What the program that runs the agent answered to a question: its person's, or its own, decision."""
        response = mapping(record.get("response"))
        asked = self._asked.pop(field(response, "request_id"), None)
        said = mapping(response.get("response"))
        effect = effect_of(said.get("behavior"))
        if asked is None or effect is Effect.UNKNOWN:
            return []
        reason = field(said, "message") or field(asked, "decision_reason")
        return [frame.verdict(effect, call=call_id(asked.get("tool_use_id")), rule="can_use_tool", reason=reason, by="user")]


def _answered(record: Json) -> set[str]:
    """The call whose result a message holds, where it holds one alone."""
    results = [one for one in objects(mapping(record.get("message")).get("content")) if field(one, "type") == "tool_result"]
    return {call_id(results[0].get("tool_use_id"))} if len(results) == 1 else set()


def _sidecar(record: Json) -> Parsed:
    """The declared type of a sub-agent, told of the call that spawned it; without a call there is nothing to tell it of."""
    call, kind = call_id(record.get("toolUseId")), field(record, "agentType")[:200]
    parsed = Parsed(identity=f"agent:{call}" if call else None, type="sub-agent")
    if call:
        attrs: dict[str, Attr] = {"agent_type": kind}
        if model := field(record, "model")[:200]:
            attrs["model"] = model
        act = Act(Verb.AGENT_SPAWN, Target(TargetClass.AGENT, kind, field(record, "description")[:200]), attrs)
        frame = Frame(POINT, None, Clock.ORDER_ONLY, "", "", (), {}, "claude-code")
        parsed.events = [frame.event(EventKind.ACTION, Phase.CALL, call=call, act=act, tool="Agent")]
    return parsed


IMPORTER = ClaudeCodeStream()
