"""GitHub Copilot CLI before its event log (`history-session-state/session_<id>_<time>.json`): one object a session.

`timeline` holds what the terminal showed, with times; `chatMessages` what was sent to the model, without. Both tell the
same calls. No folder, repository or answer to a question of permission stands there but the refusal in a call's result.
Source: public readers of the format; no recorded session was at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.copilot_results import shell_end
from importers.shared.agent_tools import act_of
from importers.shared.agents import Frame, call_id, field, words_of
from importers.shared.chat import chat_events, is_chat, json_of
from importers.shared.fields import Json, mapping
from importers.shared.transcript import Transcript, object_of, objects
from model.event import BadRecord, Event, Parsed
from model.words import Effect, EventKind, Phase, Tri

POINT = "copilot-cli"

_ENTRIES = frozenset(
    {
        "user",
        "copilot",
        "assistant",
        "info",
        "error",
        "warning",
        "tool_call_requested",
        "tool_call_completed",
        "group_tool_call_requested",
    }
    | {"group_tool_call_completed", "copilot_mini", "handoff", "notification"}
)


class CopilotHistory:
    id = "copilot-history"
    title = "GitHub Copilot CLI sessions (before its event log)"
    evidence = "documentation"
    version = 2
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        return 92 if any(isinstance(record, dict) and _is_session(record) for record in sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_session(record: Json) -> bool:
    held = isinstance(record.get("timeline"), list) or isinstance(record.get("chatMessages"), list)
    return held and isinstance(record.get("sessionId"), str) and "startTime" in record


class _Reader:
    """One session; its lists may come whole or, behind their head, element by element."""

    def __init__(self) -> None:
        self._file = Transcript(POINT, unique_calls=False)
        self._said = 0

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a session")
        if not _is_session(record):
            return self._element(record)
        self._file.begin(record.get("sessionId"), record)
        self._file.know(model=field(record, "selectedModel") or field(record, "model"))
        frame = self._file.frame(record.get("startTime"), ref="start")
        parsed = Parsed(scope=self._file.session, type="session", at=frame.at)
        if self._file.first("session", self._file.session):
            parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED))
        for entry in objects(record.get("timeline")):
            parsed.events += self._entry(entry)
        messages = record.get("chatMessages")
        for message in objects(messages) if is_chat(messages) else ():
            # What a person said stands in the timeline with its time; the model was sent more than that.
            parsed.events += chat_events(self._file, message, self._file.frame(), prompts=not self._said)
        return parsed

    def _element(self, record: Json) -> Parsed:
        kind = field(record, "type") or field(record, "role")
        if not kind:
            raise BadRecord("no session, entry or message: neither `sessionId` with a list, nor `type`, nor `role`")
        self._file.begin(None, record)
        parsed = Parsed(scope=self._file.session, type=kind[:100])
        if field(record, "type"):
            parsed.events = list(self._entry(record))
            parsed.unknown_type = None if kind in _ENTRIES else parsed.type
        else:
            parsed.events = list(chat_events(self._file, record, self._file.frame(), prompts=not self._said))
        parsed.at = next((event.at for event in parsed.events if event.at is not None), None)
        return parsed

    def _entry(self, entry: Json) -> Iterator[Event]:
        kind = field(entry, "type")
        frame = self._file.frame(entry.get("timestamp"))
        if kind == "user":
            words = field(entry, "text") or words_of(entry.get("content"))
            if words.strip():
                self._said += 1
                yield frame.intent(Phase.PROMPT, words)
        elif kind in ("tool_call_requested", "tool_call_completed"):
            call, tool = call_id(entry.get("callId")), field(entry, "name") or field(entry, "toolTitle")
            given = json_of(entry.get("arguments"))
            yield from self._file.call(frame, call, tool, given, act=act_of(tool, given))
            if kind == "tool_call_completed":
                yield from self._result(call, entry.get("result"), frame)

    def _result(self, call: str, told: object, frame: Frame) -> Iterator[Event]:
        result = mapping(told)
        how = field(result, "type") or field(result, "resultType")
        said = (
            field(result, "log")
            or field(result, "textResultForLlm")
            or field(result, "error")
            or (told if isinstance(told, str) else "")
        )
        refused = {"rejected": "user", "denied": "rule"}.get(how, "")
        ok = {"success": Tri.YES, "failure": Tri.NO, "error": Tri.NO, "timeout": Tri.NO}.get(how, Tri.UNKNOWN)
        # A command that ran and failed is a success of the tool, and so is one that still runs.
        code, runs = ("", False) if refused else shell_end(field(result, "textResultForLlm") or said)
        ok = Tri.NO if code not in ("", "0") else Tri.UNKNOWN if runs and ok is Tri.YES else ok
        reason = said[:300] if refused else ""
        effect = Effect.DENY if refused else None
        yield from self._file.result(frame, call, ok, said, refused=refused, reason=reason, effect=effect, status=code)


IMPORTER = CopilotHistory()
