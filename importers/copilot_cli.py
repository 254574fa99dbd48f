"""GitHub Copilot CLI: the event log of a session (`session-state/<id>/events.jsonl`).

Every line is {type, data, id, timestamp, parentId}. The session's start and each change of place carry folder, repository,
branch and commit; questions of permission and their answers stand in events of their own where the version writes them.
Source: the event types published with the Copilot SDK, and recorded events in public repositories.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.copilot_results import refusal_of, shell_end
from importers.shared.agent_tools import act_of
from importers.shared.agents import Frame, call_id, field, words_of
from importers.shared.chat import json_of
from importers.shared.fields import Json, commit_id, first_text, mapping, number, truth
from importers.shared.recent import remember
from importers.shared.told import effect_of, yes_no
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import Purse, spent, tell_spent, tokens_of
from lang.names import repository_name
from model.event import Attr, BadRecord, Event, Parsed
from model.words import Effect, EventKind, Phase, Tri

POINT = "copilot-cli"

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
    | {"session.auto_mode_resolved", "session.tools_updated", "session.skills_loaded", "session.mcp_servers_loaded"}
    | {"session.mcp_server_status_changed", "session.custom_agents_updated", "session.background_tasks_changed"}
    | {"session.extensions_loaded", "session.permissions_changed", "session.remote_steerable_changed", "model.call_start"}
    | {"session.usage_record", "session.usage_checkpoint"}
    | {"assistant.tool_call_delta", "assistant.message_start", "auto_mode_switch.requested", "auto_mode_switch.completed"}
    | {"session.schedule_created", "session.schedule_cancelled", "session.schedule_rearmed", "session.mode_notice_delivered"}
    | {"session.session_limits_changed", "session.todos_changed", "session.autopilot_objective_changed", "commands.changed"}
    | {"session_limits_exhausted.requested", "session_limits_exhausted.completed", "capabilities.changed", "command.execute"}
    | {"session.managed_settings_resolved", "session.managed_settings_enforced", "factory.run_updated", "factory.run_started"}
    | {"factory.run_settled", "mcp.tools.list_changed", "mcp.resources.list_changed", "mcp.prompts.list_changed"}
    | {"session.canvas.opened", "session.canvas.registry_changed", "session.canvas.closed", "session.canvas.unavailable"}
    | {"session.canvas.recorded", "session.canvas.removed", "session.extensions.attachments_pushed"}
)
_TELLING = frozenset(
    {"session.start", "user.message", "assistant.message", "assistant.turn_start", "tool.execution_start"}
    | {"tool.execution_complete", "permission.requested", "permission.completed"}
)
"""What only this program's events are called."""
_UNASKED = ("could-not-request-from-user", "user-not-available")
"""Nobody could be asked, and the rules wanted a person."""
_NOTICE, _SENT = "<system_notification>", "<cross_session_message>"
"""What the program tells the model, and what another session sent it: both are written down as a person's words."""
_ASKED_LIMIT = 10_000
_OF_THE_FOLDER = frozenset({"branch", "repository", "sha"})
_UNASKED_MODES = frozenset({"allow-all", "assisted"})
"""Permission modes that let calls through without a person, whatever mode the agent works in."""


class CopilotCli:
    id = "copilot-cli"
    title = "GitHub Copilot CLI session events"
    evidence = "fixture"
    version = 9
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        found = sure = telling = 0
        for record in sample:
            if not isinstance(record, dict) or not isinstance(record.get("data"), dict):
                continue
            kind = field(record, "type")
            if kind in _KNOWN:
                found += 1
                telling += kind in _TELLING
                sure += "copilotVersion" in record["data"] or ("parentId" in record and "id" in record)
        if found * 2 < len(sample):
            return 0
        return 90 if sure else 70 if telling else 0

    def open(self) -> _Reader:
        return _Reader()


def _granted(data: Json) -> str:
    """The permission mode after a change; older versions only say whether everything is allowed."""
    everything = truth(data.get("allowAllPermissions"))
    return field(data, "mode") or ("" if everything is None else "allow-all" if everything else "manual")


def _sent(data: Json, words: str) -> bool:
    """Whether another session sent these words: the model is given them within a mark, which a person may only quote."""
    return words.lstrip().startswith(_SENT) or _SENT in field(data, "transformedContent").replace(words, "", 1)


def _tokens(usage: Json) -> int:
    """Here what came from the cache is part of the input and has a name of its own."""
    return tokens_of({**usage, "cached": usage.get("cacheReadTokens"), "cacheWrite": None})


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._asked: dict[str, str] = {}
        self._purse: Purse = {}
        self._agents: dict[str, str] = {}
        self._persons: dict[str, None] = {}
        self._paid: dict[str, None] = {}
        self._granted = self._acting = self._plan = ""

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
        if kind == "session.start":
            self._granted = self._acting = ""
        self._file.know(
            agent_version=field(data, "copilotVersion"), model=field(data, "selectedModel") or field(data, "newModel")
        )
        when = record.get("timestamp") or record.get("ts")
        frame = self._file.frame(when, ref=name, after=call_id(record.get("parentId")))
        parsed = Parsed(identity=name or None, scope="" if name else self._file.session, type=kind[:100], at=frame.at)
        data = self._within(call_id(record.get("agentId")), kind, data)
        parsed.events = list(self._told(kind, data, frame))
        if kind not in _KNOWN:
            parsed.unknown_type = parsed.type
        if kind in ("assistant.usage", "session.usage_record"):
            self._spend(data if kind == "assistant.usage" else mapping(data.get("usage")))
        tell_spent(self._purse, self._file.session, parsed.events)
        return parsed

    def _spend(self, usage: Json) -> None:
        """What one answer of a model cost, which a stream may tell twice."""
        answer = call_id(usage.get("apiCallId"))
        if not answer or answer not in self._paid:
            spent(self._purse, self._file.session, _tokens(usage))
        if answer:
            remember(self._paid, answer, None, _ASKED_LIMIT)

    def _within(self, agent: str, kind: str, data: Json) -> Json:
        """The event as one of the sub-agent's whose id it carries: a sub-agent is known by the call that began it."""
        if agent and kind.startswith("subagent.") and (call := call_id(data.get("toolCallId"))):
            if len(self._agents) < _ASKED_LIMIT:
                self._agents.setdefault(agent, call)
        elif agent and "parentToolCallId" not in data:
            return {**data, "parentToolCallId": self._agents.get(agent, agent)}
        return data

    def _where(self, context: Json) -> None:
        cwd = field(context, "cwd") or field(context, "gitRoot")
        if cwd:
            # What another folder's repository was, and where it stood, says nothing of this one.
            self._file.facts = {name: value for name, value in self._file.facts.items() if name not in _OF_THE_FOLDER}
        self._file.place(cwd)
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
        elif kind in ("session.mode_changed", "session.permissions_changed"):
            yield from self._mode(frame, _granted(data), field(data, "newMode"))
        elif kind == "session.info" and field(data, "infoType") == "folder_trust":
            yield frame.event(
                EventKind.DECISION, Phase.POSTURE, attrs={"mode": "folder trusted"}, text=field(data, "message")[:500]
            )
        elif kind == "user.message":
            yield from self._mode(frame, acting=field(data, "agentMode"))
            words = field(data, "content")
            if words.strip() and field(data, "source") in ("", "user") and not words.lstrip().startswith(_NOTICE):
                phase = Phase.DELEGATED if data.get("parentToolCallId") or _sent(data, words) else Phase.PROMPT
                yield self._inner(data, frame).intent(phase, words, branch=str(self._file.facts.get("branch", "")))
        elif kind == "session.schedule_created" and field(data, "prompt").strip():
            # What is said on every tick is not a person's message then, but was theirs, or the model's, when it was set.
            phase = Phase.DELEGATED if field(data, "origin") == "model" else Phase.QUEUED
            yield self._inner(data, frame).intent(phase, field(data, "prompt"), branch=str(self._file.facts.get("branch", "")))
        elif kind == "exit_plan_mode.completed":
            yield from self._planned(data, frame)
        elif kind == "assistant.message":
            for request in objects(data.get("toolRequests")):
                yield from self._called(request, field(request, "name"), data, frame)
        elif kind == "tool.user_requested":
            remember(self._persons, call_id(data.get("toolCallId")), None, _ASKED_LIMIT)
        elif call_id(data.get("toolCallId")) in self._persons or data.get("isUserRequested") is True:
            # What a person ran at the prompt is no call of the agent's.
            return
        elif kind == "tool.execution_start":
            yield from self._called(data, field(data, "toolName") or field(data, "name"), data, frame)
        elif kind == "tool.execution_complete":
            yield from self._done(data, frame)
        elif kind.startswith("subagent."):
            yield from self._agent(kind, data, frame)
        elif kind.startswith("permission."):
            yield from self._permission(kind, data, frame)
        elif kind.startswith("hook."):
            yield from self._hook(kind, data, frame)

    def _mode(self, frame: Frame, granted: str = "", acting: str = "") -> Iterator[Event]:
        """The mode in force: what is let through unasked, and only where that is nothing special how the agent works."""
        self._granted, self._acting = granted or self._granted, acting or self._acting
        yield from self._file.posture(frame, self._granted if self._granted in _UNASKED_MODES else self._acting or self._granted)

    def _called(self, call: Json, tool: str, data: Json, frame: Frame) -> Iterator[Event]:
        name, server = call_id(call.get("toolCallId")), field(call, "mcpServerName")
        if tool == "exit_plan_mode":
            self._plan = name
        given = call.get("arguments")
        if isinstance(given, str) and given.startswith("{"):
            given = json_of(given) or given
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
        said = field(data, "result") or words_of(result.get("content")) or field(result, "detailedContent")
        code, problem = field(error, "code"), field(error, "message") or field(data, "error")
        why = problem or (said if data.get("success") is False else "")
        refused, effect = refusal_of(code, why)
        ok = yes_no(truth(data.get("success")))
        # A command that ran and failed is a success of the tool, and so is one that still runs.
        ended = number(mapping(data.get("shellExecution")).get("exitCode"))
        status, runs = (
            ("", False) if refused else shell_end(said, result.get("contents")) if ended is None else (str(ended), False)
        )
        if status not in ("", "0"):
            ok = Tri.NO
        elif runs and ok is Tri.YES:
            ok = Tri.UNKNOWN
        yield from self._file.result(
            self._inner(data, frame),
            call_id(data.get("toolCallId")),
            ok,
            problem or said,
            refused=refused,
            reason=why if refused else "",
            effect=effect,
            status=status,
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
        call = call_id(request.get("toolCallId")) or call_id(data.get("toolCallId"))
        if kind == "permission.requested":
            remember(self._asked, name, call, _ASKED_LIMIT)
            reason = ": ".join(part for part in (field(request, "kind"), field(request, "intention")) if part)
            yield self._file.decision(frame, Effect.ASK, call, reason=reason)
        elif kind == "permission.completed":
            result = mapping(data.get("result"))
            answer = field(result, "kind") or field(data, "result") or field(data, "kind")
            # Here `approve-once` is a person's yes, where other programs mean by the word that one has to be asked.
            word = "approved" if answer.startswith("approve") else answer.partition("-")[0]
            effect = Effect.ASK if answer.endswith(_UNASKED) else effect_of(word)
            call = call or self._asked.get(name, "")
            if effect is not Effect.UNKNOWN:
                words = field(result, "feedback")
                by = "user" if "by-user" in answer or data.get("decisionSource") == "human_response" else ""
                by = "hook" if answer.endswith("-hook") else by
                why = words or field(result, "message")
                yield self._file.decision(frame, effect, call, rule=answer[:200], reason=why, by=by)
                if effect is Effect.DENY and words.strip():
                    yield frame.intent(Phase.PROMPT, words, call=self._file.call_key(call))

    def _planned(self, data: Json, frame: Frame) -> Iterator[Event]:
        """What a person said to a plan that was put to them by the last call of that tool."""
        approved, words = truth(data.get("approved")), field(data, "feedback")
        if approved is not None and self._plan:
            effect = Effect.ALLOW if approved else Effect.DENY
            yield self._file.decision(frame, effect, self._plan, rule="exit_plan_mode", reason=words, by="user")
        if words.strip() and approved is not True:
            yield frame.intent(Phase.PROMPT, words, call=self._file.call_key(self._plan) if self._plan else "")
        self._plan = ""

    def _hook(self, kind: str, data: Json, frame: Frame) -> Iterator[Event]:
        """A hook that refuses; its beginning names the calls it was asked about, in older versions only the tool."""
        if field(data, "hookType") != "preToolUse":
            return
        name = first_text(data, "hookInvocationId")
        if kind == "hook.start":
            calls = [call_id(one.get("id")) for one in objects(mapping(data.get("input")).get("toolCalls"))]
            if len(calls) == 1 and len(self._asked) <= _ASKED_LIMIT:
                self._asked[f"hook {name}"] = calls[0]
            return
        output = mapping(data.get("output"))
        effect = effect_of(output.get("permissionDecision"))
        if effect is not Effect.UNKNOWN:
            reason = field(output, "permissionDecisionReason")
            yield self._file.decision(frame, effect, self._asked.pop(f"hook {name}", ""), rule="hook preToolUse", reason=reason)


IMPORTER = CopilotCli()
