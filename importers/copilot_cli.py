"""GitHub Copilot CLI: the event log of a session (`session-state/<id>/events.jsonl`).

Every line is {type, data, id, timestamp, parentId}. The session's start and each change of place carry folder, repository,
branch and commit; questions of permission and their answers stand in events of their own where the version writes them.
Source: the event types published with the Copilot SDK; no recorded session was at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.shared.agent_tools import act_of
from importers.shared.agents import Frame, call_id, field, words_of
from importers.shared.fields import Json, commit_id, first_text, mapping, truth
from importers.shared.told import yes_no
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import Purse, spent, tell_spent, tokens_of
from lang.names import repository_name
from model.event import Attr, BadRecord, Event, Parsed
from model.words import Effect, EventKind, Phase

POINT = "copilot-cli"

_PREFIXES = (
    "session.",
    "user.",
    "assistant.",
    "tool.",
    "subagent.",
    "hook.",
    "permission.",
    "system.",
    "skill.",
    "pending_messages.",
)
_KNOWN = frozenset(
    {"session.start", "session.resume", "session.error", "session.idle", "session.info", "session.warning", "session.handoff"}
    | {"session.model_change", "session.mode_changed", "session.plan_changed", "session.truncation", "session.snapshot_rewind"}
    | {"session.shutdown", "session.context_changed", "session.usage_info", "session.compaction_start", "session.title_changed"}
    | {"session.compaction_complete", "session.task_complete", "session.workspace_file_changed", "session.import_legacy"}
    | {"user.message", "pending_messages.modified", "assistant.turn_start", "assistant.turn_end", "assistant.intent"}
    | {"assistant.reasoning", "assistant.reasoning_delta", "assistant.message", "assistant.message_delta", "assistant.usage"}
    | {"assistant.streaming_delta", "abort", "tool.user_requested", "tool.execution_start", "tool.execution_partial_result"}
    | {"tool.execution_progress", "tool.execution_complete", "skill.invoked", "subagent.started", "subagent.completed"}
    | {"subagent.failed", "subagent.selected", "subagent.deselected", "hook.start", "hook.end", "system.message"}
    | {"system.notification", "permission.requested", "permission.completed", "user_input.requested", "user_input.completed"}
    | {"external_tool.requested", "external_tool.completed", "command.queued", "command.completed", "exit_plan_mode.requested"}
    | {"exit_plan_mode.completed", "elicitation.requested", "elicitation.completed", "result"}
)
_ASKED_LIMIT = 10_000


class CopilotCli:
    id = "copilot-cli"
    title = "GitHub Copilot CLI session events"
    evidence = "documentation"
    version = 4
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        found = sure = 0
        for record in sample:
            if not isinstance(record, dict) or not isinstance(record.get("data"), dict):
                continue
            kind = field(record, "type")
            if kind in _KNOWN and "timestamp" in record and "id" in record:
                found += 1
                sure += "copilotVersion" in record["data"] or "parentId" in record
        return 90 if sure and found * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _tokens(usage: Json) -> int:
    """Here what came from the cache is part of the input and has a name of its own."""
    return tokens_of({**usage, "cached": usage.get("cacheReadTokens"), "cacheWrite": None})


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._asked: dict[str, str] = {}
        self._purse: Purse = {}

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a session event")
        kind, data = field(record, "type"), mapping(record.get("data"))
        if not kind:
            raise BadRecord("no event type: `type` is missing or is no text")
        if not isinstance(record.get("data"), dict) and kind != "result":
            raise BadRecord(f"a {kind} event without a `data` object")
        name = call_id(record.get("id"))
        self._file.begin(data.get("sessionId") if kind in ("session.start", "session.resume") else None, record)
        if kind in ("session.start", "session.resume", "session.context_changed"):
            self._where(mapping(data.get("context")) or data)
        self._file.know(
            agent_version=field(data, "copilotVersion"), model=field(data, "selectedModel") or field(data, "newModel")
        )
        frame = self._file.frame(record.get("timestamp"), ref=name, after=call_id(record.get("parentId")))
        parsed = Parsed(identity=name or None, scope="" if name else self._file.session, type=kind[:100], at=frame.at)
        parsed.events = list(self._told(kind, data, frame))
        if kind not in _KNOWN:
            parsed.unknown_type = parsed.type
        if kind == "assistant.usage":
            spent(self._purse, self._file.session, _tokens(data))
        tell_spent(self._purse, self._file.session, parsed.events)
        return parsed

    def _where(self, context: Json) -> None:
        self._file.place(field(context, "cwd") or field(context, "gitRoot"))
        self._file.know(
            branch=field(context, "branch"),
            repository=repository_name(field(context, "repository")[:1000]),
            sha=commit_id(field(context, "headCommit")),
        )

    def _told(self, kind: str, data: Json, frame: Frame) -> Iterator[Event]:
        if kind == "session.start":
            yield frame.event(EventKind.ACTION, Phase.STARTED)
        elif kind == "session.shutdown":
            yield frame.event(EventKind.ACTION, Phase.ENDED)
        elif kind == "session.title_changed" and (title := field(data, "title")):
            yield frame.event(EventKind.ACTION, Phase.STARTED, attrs={"title": title[:300]})
        elif kind == "session.mode_changed":
            yield from self._file.posture(frame, field(data, "newMode"))
        elif kind == "session.info" and field(data, "infoType") == "folder_trust":
            yield frame.event(
                EventKind.DECISION, Phase.POSTURE, attrs={"mode": "folder trusted"}, text=field(data, "message")[:500]
            )
        elif kind == "user.message":
            yield from self._file.posture(frame, field(data, "agentMode"))
            words = field(data, "content")
            if words.strip() and field(data, "source") in ("", "user"):
                yield frame.intent(Phase.PROMPT, words, branch=str(self._file.facts.get("branch", "")))
        elif kind == "assistant.message":
            for request in objects(data.get("toolRequests")):
                yield from self._called(request, field(request, "name"), data, frame)
        elif kind == "tool.execution_start":
            yield from self._called(data, field(data, "toolName"), data, frame)
        elif kind == "tool.execution_complete":
            yield from self._done(data, frame)
        elif kind.startswith("subagent."):
            yield from self._agent(kind, data, frame)
        elif kind.startswith("permission."):
            yield from self._permission(kind, data, frame)
        elif kind.startswith("hook."):
            yield from self._hook(kind, data, frame)

    def _called(self, call: Json, tool: str, data: Json, frame: Frame) -> Iterator[Event]:
        name, server = call_id(call.get("toolCallId")), field(call, "mcpServerName")
        given = call.get("arguments")
        act = act_of(tool, given, server=server, name=field(call, "mcpToolName"))
        if not server and tool.startswith("github-mcp-server-"):
            act = act_of(tool, given, server="github-mcp-server", name=tool[18:])
        inner = self._inner(data, frame)
        yield from self._file.call(inner, name, tool, given, act=act)

    def _inner(self, data: Json, frame: Frame) -> Frame:
        """The sub-agent that a call belongs to, where it names the call that began it."""
        parent = call_id(data.get("parentToolCallId"))
        if not parent:
            return frame
        child = Transcript(POINT)
        child.begin(f"{self._file.session}/{parent}")
        child.parent(self._file.session, self._file.call_key(parent))
        return frame._replace(scope=child.frame().scope)

    def _done(self, data: Json, frame: Frame) -> Iterator[Event]:
        result, error = mapping(data.get("result")), mapping(data.get("error"))
        said = words_of(result.get("content")) or field(result, "detailedContent")
        code, problem = field(error, "code"), field(error, "message") or field(data, "error")
        refused, effect = "", None
        if code in ("denied", "rejected") or "denied by" in problem[:200].lower():
            refused = "user" if code == "rejected" or "user" in problem[:200].lower() else "rule"
        elif code in ("aborted", "cancelled"):
            refused, effect = "interrupted", Effect.UNKNOWN
        ok = yes_no(truth(data.get("success")))
        yield from self._file.result(
            self._inner(data, frame),
            call_id(data.get("toolCallId")),
            ok,
            problem or said,
            refused=refused,
            reason=problem,
            effect=effect,
        )

    def _agent(self, kind: str, data: Json, frame: Frame) -> Iterator[Event]:
        call, name = call_id(data.get("toolCallId")), field(data, "agentName")[:200]
        if not call or kind not in ("subagent.started", "subagent.completed", "subagent.failed"):
            return
        attrs: dict[str, Attr] = {"agent_type": name} if name else {}
        if kind == "subagent.failed":
            attrs["status"] = field(data, "error")[:100]
        phase = Phase.STARTED if kind == "subagent.started" else Phase.ENDED
        yield self._inner({"parentToolCallId": call}, frame).event(EventKind.ACTION, phase, attrs=attrs)

    def _permission(self, kind: str, data: Json, frame: Frame) -> Iterator[Event]:
        name, request = first_text(data, "requestId"), mapping(data.get("permissionRequest"))
        if kind == "permission.requested":
            call = call_id(request.get("toolCallId"))
            if len(self._asked) > _ASKED_LIMIT:
                self._asked.clear()
            self._asked[name] = call
            reason = ": ".join(part for part in (field(request, "kind"), field(request, "intention")) if part)
            yield self._file.decision(frame, Effect.ASK, call, reason=reason)
        elif kind == "permission.completed":
            answer = field(mapping(data.get("result")), "kind") or field(data, "result")
            effect = (
                Effect.ALLOW if answer.startswith("approved") else Effect.DENY if answer.startswith("denied") else Effect.UNKNOWN
            )
            if effect is not Effect.UNKNOWN:
                why = field(mapping(data.get("result")), "feedback")
                yield self._file.decision(frame, effect, self._asked.get(name, ""), rule=answer[:200], reason=why)

    def _hook(self, kind: str, data: Json, frame: Frame) -> Iterator[Event]:
        """A hook that refuses; it names the tool, not the call."""
        if kind != "hook.end" or field(data, "hookType") != "preToolUse":
            return
        output = mapping(data.get("output"))
        effect = {"deny": Effect.DENY, "allow": Effect.ALLOW, "ask": Effect.ASK}.get(field(output, "permissionDecision"))
        if effect is not None:
            yield frame.verdict(effect, rule="hook preToolUse", reason=field(output, "permissionDecisionReason"))


IMPORTER = CopilotCli()
