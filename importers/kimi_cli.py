"""Kimi CLI: what a session's agent told its screen (`~/.kimi/sessions/<folder>/<session>/wire.jsonl`), a message a line.

Questions put to the person and their answers have messages of their own; what ran unasked has none. A sub-agent's messages stand in its
own file and again, as `SubagentEvent`, in that of the session. No message names the session: the folder it lies in does. Source: the
program's types and tools; no recorded session was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, Frame, call_id, field, scope_id, words_of
from importers.shared.chat import json_of
from importers.shared.counted_calls import CountedCalls
from importers.shared.fields import Json, first_text, mapping
from importers.shared.recent import remember
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import Purse, spent, tell_spent, tokens_of
from model.event import BadRecord, Event, Parsed
from model.words import Effect, Phase, Tri

POINT = "kimi"

_ASKING = frozenset({"TurnBegin", "SteerInput"})
_KNOWN = _ASKING | {
    "TurnEnd", "StepBegin", "StepInterrupted", "StepRetry", "CompactionBegin", "CompactionEnd", "HookTriggered", "HookResolved", "StatusUpdate",
    "Notification", "MCPLoadingBegin", "MCPLoadingEnd", "ContentPart", "TextPart", "ThinkPart", "ImageURLPart", "AudioURLPart", "VideoURLPart",
    "ToolCall", "ToolCallPart", "ToolResult", "ToolCallRequest", "ApprovalRequest", "ApprovalResponse", "ApprovalRequestResolved",
    "QuestionRequest", "QuestionResponse", "SubagentEvent", "PlanDisplay", "BtwBegin", "BtwEnd",
}  # fmt: skip
_ANSWERS = {"approve": Effect.ALLOW, "approve_for_session": Effect.ALLOW, "reject": Effect.DENY}
_REJECTED = "The tool call is rejected by the user"
_FEEDBACK = "User feedback: "
_EXIT = re.compile(r"\ACommand failed with exit code: (-?\d{1,9})\.")
_NAMES = {
    "StrReplaceFile": "edit_file", "ReadMediaFile": "view_image", "SetTodoList": "todo_write", "SendDMail": "send_message", "PatchFile": "patch",
}  # fmt: skip
_LIMIT = 10_000
_DEEPEST = 8


class KimiCli:
    id = "kimi-cli"
    title = "Kimi CLI sessions"
    evidence = "documentation"
    version = 1
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        found = sum(isinstance(record, dict) and bool(_kind(record)) for record in sample)
        return 93 if found and found * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _kind(record: Json) -> str:
    """The type of the message a line holds; "" where it holds none that this program writes."""
    message = mapping(record.get("message"))
    kind = field(message, "type")
    return kind if "timestamp" in record and "payload" in message and kind in _KNOWN else ""


def session_at(place: str) -> tuple[str, str]:
    """The session, and the agent within it, that a `wire.jsonl` at this place is of; "" where the place does not say."""
    *folders, file = place.replace("\\", "/").replace("!", "/").split("/")
    while folders and folders[-1] == file:
        folders.pop()
    if file != "wire.jsonl" or not folders:
        return "", ""
    if len(folders) > 2 and folders[-2] in ("subagents", "agents"):
        return folders[-3], folders[-1][:200]
    return folders[-1], ""


class _Reader:
    """One `wire.jsonl`; it remembers which question was about which call."""

    def __init__(self) -> None:
        self._session = self._agent = ""
        self._files: dict[str, Transcript] = {}
        self._asked: dict[str, str] = {}
        self._calls = CountedCalls()
        self._purse: Purse = {}

    def lies_at(self, place: str) -> None:
        """The folder is called by the session; a sub-agent's lies within its `subagents`."""
        self._session, self._agent = session_at(place)

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a line of wire.jsonl")
        if record.get("type") == "metadata" and "protocol_version" in record:
            # It says the same in every file: only where it lies tells it from that of another.
            return Parsed(type="metadata", scope=scope_id(f"{self._session}/{self._agent}".strip("/")))
        message = mapping(record.get("message"))
        kind = field(message, "type")
        if not kind or not isinstance(message.get("payload"), dict):
            raise BadRecord("neither a line with a `message` of `type` and `payload` nor the file's metadata")
        file = self._file(self._agent, record)
        parsed = Parsed(scope=file.session, type=kind[:100], at=file.frame(record.get("timestamp")).at)
        parsed.events = list(self._message(kind, mapping(message.get("payload")), record, self._agent))
        if kind not in _KNOWN:
            parsed.unknown_type = parsed.type
        return parsed

    def _file(self, agent: str, record: Json, call: str = "") -> Transcript:
        """The session's transcript, or that of an agent it started."""
        main = self._files.get("")
        if main is None:
            main = self._files[""] = Transcript(POINT, unique_calls=False)
            main.begin(self._session, record)
        if not agent or (file := self._files.get(agent)) is None:
            if not agent:
                return main
            file = Transcript(POINT, unique_calls=False)
            file.begin(f"{main.session}/{agent}", record)
            file.parent(main.session, main.call_key(call))
            remember(self._files, agent, file, 1000)
            self._files[""] = main
        return file

    def _message(self, kind: str, told: Json, record: Json, agent: str, call: str = "", depth: int = 0) -> Iterator[Event]:
        if kind == "SubagentEvent":
            event, begun = mapping(told.get("event")), first_text(told, "parent_tool_call_id", "task_tool_call_id")
            inner = first_text(told, "agent_id") or begun
            if inner and depth < _DEEPEST:
                payload = mapping(event.get("payload"))
                begun = self._calls.of(self._file("", record), begun)
                yield from self._message(field(event, "type"), payload, record, inner[:200], begun, depth + 1)
            return
        file = self._file(agent, record, call)
        frame = file.frame(record.get("timestamp"))
        events = list(self._told(kind, told, file, frame, agent))
        tell_spent(self._purse, file.session, events)
        yield from events

    def _told(self, kind: str, told: Json, file: Transcript, frame: Frame, agent: str) -> Iterator[Event]:
        if kind in _ASKING:
            words = words_of(told.get("user_input"))
            if words.strip():
                yield frame.intent(Phase.DELEGATED if agent else Phase.PROMPT, words)
        elif kind in ("ToolCall", "ToolCallRequest"):
            made = mapping(told.get("function")) or told
            tool, given = field(made, "name"), json_of(made.get("arguments"))
            name = self._calls.begun(file, call_id(told.get("id"))) or file.unnamed_call()
            yield from file.call(frame, name, tool, given, act=_act(tool, given))
        elif kind == "ToolResult":
            yield from self._result(told, file, frame, self._calls.of(file, call_id(told.get("tool_call_id"))))
        elif kind == "ApprovalRequest":
            call = self._calls.of(file, call_id(told.get("tool_call_id")))
            remember(self._asked, first_text(told, "id"), call, _LIMIT)
            reason = ": ".join(words for name in ("action", "description") if (words := field(told, name)))
            yield file.decision(frame, Effect.ASK, call, reason=reason)
        elif kind in ("ApprovalResponse", "ApprovalRequestResolved"):
            answer, call = field(told, "response"), self._asked.get(first_text(told, "request_id"), "")
            if answer in _ANSWERS:
                said = field(told, "feedback")
                yield file.decision(frame, _ANSWERS[answer], call, rule=answer, reason=said, by="user")
                if said.strip():
                    yield frame.intent(Phase.PROMPT, said, call=file.call_key(call))
        elif kind == "StatusUpdate":
            self._spend(told, file)
            if isinstance(planning := told.get("plan_mode"), bool):
                yield from file.posture(frame, "plan" if planning else "default")

    def _spend(self, told: Json, file: Transcript) -> None:
        used = mapping(told.get("token_usage"))
        if used and file.first("usage", first_text(told, "message_id")):
            counted = {
                "input": used.get("input_other"),
                "output": used.get("output"),
                "cacheWrite": used.get("input_cache_creation"),
            }
            spent(self._purse, file.session, tokens_of(counted))

    def _result(self, told: Json, file: Transcript, frame: Frame, call: str) -> Iterator[Event]:
        # Before the program called it `return_value`, `ok` beside the result said how it went.
        value = mapping(told.get("return_value")) or mapping(told.get("result"))
        failed = value.get("is_error")
        if not isinstance(failed, bool) and isinstance(told.get("ok"), bool):
            failed = not told.get("ok")
        ok = Tri.NO if failed is True else Tri.YES if failed is False else Tri.UNKNOWN
        message = field(value, "message")
        said = "\n".join(words for words in (words_of(value.get("output")), message) if words)
        brief = next((field(one, "text") for one in objects(value.get("display")) if one.get("type") == "brief"), "") or field(
            value, "brief"
        )
        refused = ""
        if failed is True:
            refused = "user" if message.startswith(_REJECTED) else "hook" if brief == "Hook blocked" else ""
        code = _EXIT.match(message) if failed is True else None
        reason = (message.partition(_FEEDBACK)[2] or message) if refused else ""
        yield from file.result(frame, call, ok, said, refused=refused, reason=reason, status=code.group(1) if code else "")


def _act(tool: str, given: object) -> Act:
    args = mapping(given)
    if isinstance(args.get("subagent_name"), str):
        given = {**args, "subagent_type": args["subagent_name"]}
    return act_of(_NAMES.get(tool, tool), given)


IMPORTER = KimiCli()
