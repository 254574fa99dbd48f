"""OpenHands: event streams and trajectories (a list, or `history` of a run), and the events of its later SDK.

An observation names the action it answers (`cause`). Times carry no zone. The oldest histories are bare actions and
observations in turn, or pairs of them; a conversation that is kept while it runs has a file for each event. `confirmed` is also
the default where nobody is asked: only a question, a refusal and a change of the agent's state say what a person decided. In the
SDK the state asks for all calls that are open, and what then ran was let run. Source: recorded trajectories of 0.9 to 0.2x; the
SDK's event types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers import openhands_acp, openhands_state
from importers.openhands_metrics import Spending, of_state, sums
from importers.shared.agent_tools import act_of, task_words
from importers.shared.agents import Act, Frame, code_act, exec_act, field, file_act, mcp_act, web_act, words_of
from importers.shared.chat import json_of
from importers.shared.fields import Json, commit_id, first_text, mapping, number, text
from importers.shared.recent import remember
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import Purse, spent, state, tell_spent
from model.event import Attr, BadRecord, Event, Operation, Parsed
from model.words import Effect, EventKind, Phase, Tri, Verb

POINT = "openhands"

_SILENT = frozenset(
    {"message", "finish", "think", "recall", "system", "change_agent_state", "null", "condensation", "condensation_request"}
    | {"reject", "summarize", "add_task", "modify_task", "pause", "resume", "stop", "push", "send_pr", "loop_recovery"}
)
_ACTIONS = frozenset(
    {
        "run",
        "run_ipython",
        "read",
        "write",
        "edit",
        "browse",
        "browse_interactive",
        "delegate",
        "mcp",
        "call_tool_mcp",
        "task_tracking",
    }
)
_OBSERVATIONS = frozenset(
    {
        "run",
        "run_ipython",
        "read",
        "write",
        "edit",
        "browse",
        "delegate",
        "mcp",
        "error",
        "user_rejected",
        "success",
        "null",
        "think",
    }
    | {
        "agent_state_changed",
        "recall",
        "agent_condensation",
        "condense",
        "message",
        "chat",
        "task_tracking",
        "loop_detection",
        "finish",
    }
)
_STATES = {"user_confirmed": Effect.ALLOW, "user_rejected": Effect.DENY, "awaiting_user_confirmation": Effect.ASK}
_SDK = frozenset(
    {"ActionEvent", "ObservationEvent", "MessageEvent", "UserRejectObservation", "AgentErrorEvent", "SystemPromptEvent"}
    | {"HookExecutionEvent", "ConversationStateUpdateEvent", "ACPToolCallEvent"}
)
_SDK_SILENT = frozenset(
    {"SystemPromptEvent", "Condensation", "CondensationRequest", "CondensationSummaryEvent", "PauseEvent", "InterruptEvent"}
    | {"ConversationErrorEvent", "LLMCompletionLogEvent", "TokenEvent", "StreamingDeltaEvent", "SecurityAnalysisEvent"}
)
# What the SDK says to its model in the person's place.
_SDK_OWN = re.compile(
    r"Parameter '[^'\n]{1,200}' is (?:not allowed for function|expected to be) |Missing required parameters for function '"
    r"|Function '[^'\n]{1,200}' not found in available tools: |Your previous response was blocked by the model's content filter\. "
    r"|The task appears incomplete \(iteration \d+, predicted success likelihood: "
)
_OF_A_CONVERSATION = re.compile(r"([^/\\!]{1,200})[/\\]events[/\\](?:event-)?(\d{1,9})[^/\\]*\.json(?:$|/)")
_STATE_OF_A_CONVERSATION = re.compile(r"([^/\\\\!]{1,200})[/\\\\]base_state\.json(?:$|/)")
_LIMIT = 50_000


class OpenHands:
    id = "openhands"
    title = "OpenHands events and trajectories"
    evidence = "real"
    version = 8
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        best = 0
        for record in sample:
            one = record[0] if isinstance(record, list) and record else record
            if not isinstance(one, dict):
                continue
            if (field(one, "kind") in _SDK | _SDK_SILENT and "source" in one) or openhands_state.is_kept(one):
                return 90
            history = one.get("history")
            if isinstance(history, list) and history and ("instruction" in one or "instance_id" in one):
                one = history[0][0] if isinstance(history[0], list) and history[0] else history[0]
                one = one if isinstance(one, dict) else {}
                best = max(best, 60)
            named = field(one, "action") in _ACTIONS | _SILENT or field(one, "observation") in _OBSERVATIONS
            if named and "source" in one and "timestamp" in one:
                return 90
            if named and ("args" in one or "extras" in one or "content" in one or "command" in one or "code" in one):
                best = max(best, 75)
        return best

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT, unique_calls=False, model_calls=True)
        self._last = ""
        self._asked = ""
        self._calls: dict[str, str] = {}
        self._event = ""
        # Calls of the SDK that have no answer yet, and who was asked about them: "" nobody, "user", "hook".
        self._open: dict[str, str] = {}
        self._purse: Purse = {}
        self._spending = Spending()
        self._counted = False

    def lies_at(self, place: str) -> None:
        """An event in a file of its own names no conversation: the folder around it does."""
        if m := _OF_A_CONVERSATION.search(place):
            self._file.begin(m[1])
            self._event = m[2]
        elif m := _STATE_OF_A_CONVERSATION.search(place):
            self._file.begin(m[1])

    def _unnamed(self) -> str:
        """A name for a call that has none: its place among the calls, or that of its file among the events."""
        return f"#event-{self._event}" if self._event else self._file.unnamed_call()

    def read(self, record: object) -> Parsed:
        if isinstance(record, list):
            self._file.begin(None, record)
            parsed = Parsed(scope=self._file.session, type="pair")
            parsed.events = [event for one in objects(record) for event in self._read(one).events]
            return parsed
        record = object_of(record, "an event")
        if {"history", "instruction", "instance_id", "git_patch"} & record.keys() and "source" not in record:
            return self._run(record)
        if openhands_state.is_kept(record):
            self._file.begin(self._file.session or record.get("id"), record)
            parsed = Parsed(scope=self._file.session, type="conversation state")
            parsed.events = list(self._state(record, self._file.frame()))
            return parsed
        self._file.begin(None, record)
        return self._read(record)

    def _run(self, run: Json) -> Parsed:
        """A run of an evaluation or of the resolver: what it was told, and its whole history."""
        self._file = Transcript(POINT, unique_calls=False, model_calls=True)
        self._last = ""
        self._file.begin(None, run)
        config = mapping(mapping(run.get("metadata")).get("llm_config"))
        issue = mapping(run.get("issue"))
        owner, name = field(issue, "owner"), field(issue, "repo")
        self._file.know(model=field(config, "model"), repository=f"{owner}/{name}" if owner and name else "")
        frame = self._file.frame()
        parsed = Parsed(scope=self._file.session, type="run")
        attrs: dict[str, Attr] = {"title": first_text(run, "instance_id")[:300] or field(issue, "title")[:300]}
        if sha := commit_id(field(run, "base_commit")):
            attrs["sha"] = sha
        parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED, attrs={k: v for k, v in attrs.items() if v}))
        state(parsed.events[0], *sums(mapping(run.get("metrics"))))
        self._counted, self._spending = any(sums(mapping(run.get("metrics")))), Spending()
        history = run.get("history")
        steps = history if isinstance(history, list) else []
        for step in steps:
            for one in objects(step) if isinstance(step, list) else objects([step]):
                parsed.events += self._read(one, lenient=True).events
        words = field(run, "instruction")
        if words and not any(event.kind is EventKind.INTENT for event in parsed.events):
            parsed.events.insert(1, frame.intent(Phase.PROMPT, words))
        return parsed

    def _read(self, record: Json, lenient: bool = False) -> Parsed:
        frame = self._file.frame(record.get("timestamp"), ref=first_text(record, "id"), after=first_text(record, "cause"))
        parsed = Parsed(scope=self._file.session, at=frame.at)
        kind, action, seen = field(record, "kind"), field(record, "action"), field(record, "observation")
        if kind:
            parsed.type = kind[:100]
            parsed.events = list(self._sdk(kind, record, frame))
            if kind not in _SDK | _SDK_SILENT:
                parsed.unknown_type = parsed.type
        elif action:
            parsed.type = f"action/{action}"[:100]
            parsed.events = list(self._action(action, record, frame))
            if action not in _ACTIONS | _SILENT:
                parsed.unknown_type = parsed.type
        elif seen:
            parsed.type = f"observation/{seen}"[:100]
            parsed.events = list(self._observation(seen, record, frame))
            if seen not in _OBSERVATIONS:
                parsed.unknown_type = parsed.type
        elif isinstance(record.get("events"), list):
            # What stands beside the events of an exported conversation.
            parsed.type = "conversation"
        elif not lenient and "observation" not in record:
            raise BadRecord("neither an action nor an observation: `action`, `observation` and `kind` are missing")
        if not self._counted and not self._event:
            # An event in a file of its own does not say what the sums were before it.
            for use, metrics in {"": mapping(record.get("llm_metrics")), **of_state(record)}.items():
                spent(self._purse, self._file.session, *self._spending.since(metrics, use))
            tell_spent(self._purse, self._file.session, parsed.events)
        return parsed

    def _name(self, record: Json, id: object) -> str:
        """The call an event is about: by the model's own id, else by the event that made it."""
        named = first_text(mapping(record.get("tool_call_metadata")), "tool_call_id")
        known = self._calls.get(text(id), "")
        return named or known or (f"#{id}" if number(id) is not None else "")

    def _made(self, record: Json, call: str) -> None:
        if id := first_text(record, "id"):
            remember(self._calls, id, call, _LIMIT)
        self._last = call

    def _action(self, action: str, record: Json, frame: Frame) -> Iterator[Event]:
        args = mapping(record.get("args")) or record
        source = field(record, "source")
        if action == "message" and (source == "user" or (not source and not self._last and self._file.first("first", "message"))):
            if (words := field(args, "content")).strip():
                yield frame.intent(Phase.PROMPT, words)
            return
        if action in _SILENT:
            return
        metadata = mapping(record.get("tool_call_metadata"))
        self._file.know(model=field(mapping(metadata.get("model_response")), "model"))
        call = self._name(record, record.get("id")) or self._unnamed()
        self._made(record, call)
        given = {"prompt": words_of(mapping(args.get("inputs")).get("task")), **args} if action == "delegate" else args
        yield from self._file.call(frame, call, field(metadata, "function_name") or action, given, act=_act(action, args))
        state = field(args, "confirmation_state") or field(args, "is_confirmed")
        if state == "awaiting_confirmation":
            self._asked = call
            yield self._file.decision(frame, Effect.ASK, call)
        elif state == "rejected":
            yield self._file.decision(frame, Effect.DENY, call, reason="rejected by the user", by="user")

    def _observation(self, seen: str, record: Json, frame: Frame) -> Iterator[Event]:
        extras = mapping(record.get("extras"))
        if seen == "agent_state_changed":
            effect = _STATES.get(field(extras, "agent_state"))
            if effect is not None:
                by = "" if effect is Effect.ASK else "user"
                yield self._file.decision(frame, effect, self._asked or self._last, rule=field(extras, "agent_state"), by=by)
            return
        if seen in ("null", "recall", "agent_condensation", "condense", "think", "loop_detection"):
            return
        call = self._name(record, record.get("cause")) or self._last
        if not call:
            return
        code = number(extras.get("exit_code"))
        code = number(mapping(extras.get("metadata")).get("exit_code")) if code is None else code
        code = number(record.get("exit_code")) if code is None else code
        stated = _error_in(seen, record, extras)
        failed = seen == "error" or stated is True or code not in (None, 0, -1)
        ok = Tri.NO if failed else Tri.YES if code == 0 or stated is False else Tri.UNKNOWN
        refused = "user" if seen == "user_rejected" else ""
        said = words_of(record.get("content"))
        status = "" if code is None or code == -1 else str(code)
        yield from self._file.result(frame, call, ok, said, refused=refused, reason=said[:200] if refused else "", status=status)

    def _sdk(self, kind: str, record: Json, frame: Frame) -> Iterator[Event]:
        call = first_text(record, "tool_call_id") or self._calls.get(first_text(record, "action_id"), "")
        if kind == "MessageEvent" and field(record, "source") == "user":
            words = words_of(mapping(record.get("llm_message")).get("content"))
            if words.strip() and not _SDK_OWN.match(words):
                # In a conversation that an agent began, it is the agent who speaks.
                yield frame.intent(Phase.DELEGATED if field(record, "sender") else Phase.PROMPT, words)
        elif kind == "ACPToolCallEvent":
            ended = field(record, "status") in openhands_acp.ENDS
            # Of events in files of their own each is read by itself: the last one tells the call.
            if call and (ended or (openhands_acp.says_enough(record) and not self._event)):
                act = openhands_acp.act(record)
                yield from self._file.call(frame, call, field(record, "title"), record.get("raw_input"), act=act)
            if call and ended:
                ok, said, status = openhands_acp.outcome(record)
                yield from self._file.result(frame, call, ok, said, status=status)
        elif kind == "ActionEvent":
            tool, given = field(record, "tool_name"), record.get("action")
            made = mapping(record.get("tool_call"))
            call = call or first_text(made, "id") or self._unnamed()
            self._made(record, call)
            outer = field(mapping(given), "kind") == "MCPToolAction"
            if not isinstance(given, dict):
                given = json_of(made.get("arguments") or mapping(made.get("function")).get("arguments"))
            given = mapping(given).get("data", given) if outer else given
            yield from self._file.call(frame, call, tool, given, act=mcp_act("", tool, given) if outer else None)
            if len(self._open) < _LIMIT:
                self._open[call] = ""
        elif kind in ("ObservationEvent", "AgentErrorEvent"):
            seen = mapping(record.get("observation"))
            code = number(seen.get("exit_code"))
            failed = kind == "AgentErrorEvent" or seen.get("is_error") is True or code not in (None, 0, -1)
            well = code == 0 or ("exit_code" not in seen and seen.get("is_error") is False)
            said = field(record, "error") or words_of(seen.get("content")) or field(seen, "output")
            status = "" if code in (None, -1) else str(code)
            let = Effect.ALLOW if self._open.pop(call, "") == "user" and kind == "ObservationEvent" else None
            ok = Tri.NO if failed else Tri.YES if well else Tri.UNKNOWN
            rule, by = ("confirmed", "user") if let else ("", "")
            yield from self._file.result(frame, call, ok, said, effect=let, rule=rule, status=status, by=by)
        elif kind == "UserRejectObservation":
            reason = field(record, "rejection_reason")
            told = Effect.UNKNOWN if self._open.pop(call, "") == "hook" else None
            refused = "hook" if field(record, "rejection_source") == "hook" else "user"
            yield from self._file.result(frame, call, Tri.NO, reason, refused=refused, reason=reason, effect=told)
        elif kind == "HookExecutionEvent" and record.get("blocked") is True and call:
            self._open[call] = "hook"
            reason = field(record, "reason") or field(record, "stderr")
            yield self._file.decision(frame, Effect.DENY, call, rule=field(record, "hook_command"), reason=reason)
        elif kind == "ConversationStateUpdateEvent":
            now = openhands_state.of_update(record)
            yield from self._state(now, frame)
            if "waiting_for_confirmation" in (now.get("execution_status"), now.get("agent_status")):
                for asked in [name for name, who in self._open.items() if not who]:
                    self._open[asked] = "user"
                    yield self._file.decision(frame, Effect.ASK, asked, rule="waiting_for_confirmation")

    def _state(self, told: Json, frame: Frame) -> Iterator[Event]:
        """What the state of a conversation says of the agent and of whom it asks."""
        self._file.know(model=openhands_state.model_of(told))
        if cwd := openhands_state.folder_of(told):
            self._file.place(cwd)
        yield from self._file.posture(self._file.informed(frame), openhands_state.policy_of(told))


def _error_in(seen: str, record: Json, extras: Json) -> bool | None:
    """Whether a page or an MCP server's answer, which is kept as it came, says that it failed; None where it does not tell."""
    told = extras.get("error") if seen == "browse" else None
    if seen == "mcp":
        told = mapping(json_of(record.get("content"))).get("isError")
    return told if isinstance(told, bool) else None


def _act(action: str, args: Json) -> Act:
    if action == "run":
        return exec_act(field(args, "command"))
    if action == "run_ipython":
        return code_act(field(args, "code"))
    if action in ("read", "write", "edit"):
        looks = action == "read" or field(args, "command") == "view"
        return file_act(Verb.FILE_READ if looks else Verb.FILE_WRITE, field(args, "path"))
    if action == "browse":
        return web_act(field(args, "url"))
    if action == "browse_interactive":
        return Act(Verb.HTTP_REQUEST, operations=(Operation(Verb.HTTP_REQUEST, text=field(args, "browser_actions")[:500]),))
    if action in ("mcp", "call_tool_mcp"):
        return mcp_act("", field(args, "name"), args.get("arguments"))
    if action == "delegate":
        return act_of("delegate", {"agent": field(args, "agent"), "description": task_words(args.get("inputs"))})
    return act_of(action, args)


IMPORTER = OpenHands()
