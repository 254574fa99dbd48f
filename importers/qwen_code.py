"""Qwen Code sessions (`~/.qwen/projects/*/chats/*.jsonl`): the frame of a Claude Code transcript around the messages of its
parent, Gemini CLI.

Prompts, calls and results are messages of the model's own shape; `system` records between them tell the mode, and with
`ui_telemetry` who let a call run: it names the call by tool and arguments alone. A branched session begins with a copy of its
origin's records, ids and all. Source: the program's source (`ChatRecord`) and recorded sessions of 0.15 to 0.22.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.gemini_outputs import answered, output_of, typed
from importers.otel_gemini import BY, EFFECTS
from importers.shared.agents import Frame, call_id, field, scope_id, scope_key
from importers.shared.fields import Json, arguments_digest, first_text, mapping
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import Purse, spent, tell_spent, tokens_of
from model.event import BadRecord, Event, Key, Parsed
from model.words import Effect, EventKind, KeyRole, Phase, Tri

POINT = "qwen-code"

_MESSAGES = frozenset({"user", "assistant", "tool_result"})
_SYSTEM = frozenset([
    "session_notes", "chat_compression", "slash_command", "ui_telemetry", "at_command", "attribution_snapshot",
    "notification", "background_task_completed", "cron", "mid_turn_user_message", "custom_title", "parent_session",
    "session_source", "session_execution_engine", "omni_recall", "session_model", "session_approval_mode", "rewind",
    "agent_bootstrap", "agent_launch_prompt", "agent_retry", "agent_session_ready", "file_history_snapshot",
    "user_text_elements", "session_artifact_event", "session_artifact_snapshot", "session_sources_snapshot",
    "branch_checkpoint", "goal_state", "goal_runtime", "goal_turn_end", "realtime_message", "turn_result",
    "managed_session_header_v1", "managed_session_event_v1", "managed_session_commit_v1",
])  # fmt: skip
_MACHINE = frozenset({"notification", "background_task_completed", "goal_runtime"})
_MACHINE_WORDS = ("<system-reminder>", "<task-notification>", "<session_context>", "<state_snapshot>")
_DECLINED = "Qwen Code requires permission to use "
_NOBODY = "cannot prompt for confirmation"
_LIMIT = 10_000


class QwenCode:
    id = "qwen-code"
    title = "Qwen Code sessions"
    evidence = "fixture"
    version = 2
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        framed = False
        for record in sample:
            if not isinstance(record, dict) or not (field(record, "uuid") and "sessionId" in record):
                continue
            kind, message = field(record, "type"), mapping(record.get("message"))
            if kind in _MESSAGES and isinstance(message.get("parts"), list):
                return 97
            framed |= kind == "system" and ("systemPayload" in record or field(record, "subtype") in _SYSTEM)
        return 60 if framed else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._purse: Purse = {}
        self._open: dict[str, list[str]] = {}
        self._tools: dict[str, str] = {}
        self._decided: set[str] = set()

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a chat record")
        kind = field(record, "type")
        if not kind:
            raise BadRecord("no record type: `type` is missing or is no text")
        # Whichever copy of a branched session speaks, the deeds are the origin's.
        origin = scope_id(mapping(record.get("forkedFrom")).get("sessionId"))
        self._file.begin(origin or record.get("sessionId"), record)
        self._file.place(field(record, "cwd"))
        self._file.know(branch=field(record, "gitBranch"), agent_version=field(record, "version"), model=field(record, "model"))
        uuid = call_id(record.get("uuid"))
        frame = self._file.frame(record.get("timestamp"), ref=uuid, after=call_id(record.get("parentUuid")))
        if child := call_id(record.get("agentId")):
            scope = Key(KeyRole.SCOPE, "qwen.agent", f"{self._file.session}/{child}")
            frame = frame._replace(scope=(scope, *scope_key("session", self._file.session, KeyRole.PARENT)))
        parsed = Parsed(identity=uuid or None, scope="" if uuid else self._file.session, type=kind[:100], at=frame.at)
        parsed.copied = bool(origin)
        if kind == "system":
            subtype = field(record, "subtype")
            parsed.type = f"system/{subtype}"[:100]
            if subtype not in _SYSTEM:
                parsed.unknown_type = parsed.type
            parsed.events = list(self._system(subtype, mapping(record.get("systemPayload")), frame))
        elif kind not in _MESSAGES:
            parsed.unknown_type = parsed.type
        elif not isinstance(record.get("message"), dict) and kind != "assistant":
            raise BadRecord(f"a {kind} record without a `message` object")
        else:
            parsed.events = list(self._message(kind, record, frame))
        tell_spent(self._purse, self._file.session, parsed.events)
        return parsed

    def _message(self, kind: str, record: Json, frame: Frame) -> Iterator[Event]:
        parts = objects(mapping(record.get("message")).get("parts"))
        if kind == "assistant":
            spent(self._purse, self._file.session, _tokens(mapping(record.get("usageMetadata"))))
        if kind == "user":
            yield from self._said(record, parts, frame)
        for ordinal, part in enumerate(parts):
            call, answer = mapping(part.get("functionCall")), mapping(part.get("functionResponse"))
            if call:
                yield from self._called(call, f"{self._file.session}/{frame.ref}#{ordinal}", frame)
            elif answer:
                yield from self._answered(answer, mapping(record.get("toolCallResult")), frame)

    def _said(self, record: Json, parts: list[Json], frame: Frame) -> Iterator[Event]:
        """A person's words, without what hooks and the program put beside them."""
        subtype, child = field(record, "subtype"), frame.scope[0].kind == "qwen.agent"
        if subtype in _MACHINE or field(record, "provenance") in ("goal_control", "goal_runtime", "system"):
            return
        words = field(mapping(record.get("systemPayload")), "displayText")
        words = words or typed([one for one in parts if not field(one, "text").startswith(_MACHINE_WORDS)])
        if words.strip():
            delegated = child or subtype == "agent_launch_prompt"
            yield frame.intent(Phase.DELEGATED if delegated else Phase.PROMPT, words, branch=field(record, "gitBranch"))

    def _called(self, call: Json, unnamed: str, frame: Frame) -> Iterator[Event]:
        tool, given = field(call, "name"), call.get("args")
        name = call_id(call.get("id")) or unnamed[-200:]
        if len(self._tools) > _LIMIT:
            self._tools.clear()
            self._open.clear()
            self._decided.clear()
        self._tools[name] = tool
        self._open.setdefault(_shape(self._file.session, tool, given), []).append(name)
        yield from self._file.call(frame, name, tool, given)

    def _answered(self, answer: Json, told: Json, frame: Frame) -> Iterator[Event]:
        call = call_id(answer.get("id")) or call_id(told.get("callId"))
        status = field(told, "status") or ("error" if field(mapping(answer.get("response")), "error") else "success")
        said = output_of([{"functionResponse": answer}]) or field(told, "resultDisplay")
        tool = field(answer, "name") or self._tools.get(call, "")
        events = answered(self._file, frame, call, tool, status, said)
        effect = declined(said) or (Effect.DENY if field(told, "errorType") == "execution_denied" else None)
        if effect is not None:
            events = self._file.result(
                frame,
                call,
                Tri.NO,
                said,
                refused="rule",
                reason=said.partition("\n")[0],
                effect=effect,
                status="execution_denied",
            )
        for event in events:
            if event.kind is not EventKind.DECISION or call not in self._decided:
                yield event

    def _system(self, subtype: str, payload: Json, frame: Frame) -> Iterator[Event]:
        if subtype == "session_approval_mode":
            yield from self._file.posture(frame, mode=field(payload, "mode"))
        elif subtype == "session_model":
            self._file.know(model=field(payload, "modelId"))
        elif subtype == "parent_session":
            self._file.parent(payload.get("parentSessionId"))
            yield frame._replace(scope=self._file.frame().scope).event(EventKind.ACTION, Phase.STARTED)
        elif subtype == "custom_title" and (title := field(payload, "customTitle")[:300]):
            yield frame.event(EventKind.ACTION, Phase.STARTED, attrs={"title": title})
        elif subtype == "ui_telemetry":
            yield from self._telemetry(mapping(payload.get("uiEvent")), frame)

    def _telemetry(self, told: Json, frame: Frame) -> Iterator[Event]:
        """Who let a call run: of equal calls that wait, the first; nothing where none does, for it could be anybody's."""
        word = field(told, "decision").lower()
        effect = EFFECTS.get(word, Effect.UNKNOWN)
        if not field(told, "event.name").endswith(".tool_call") or effect is Effect.UNKNOWN:
            return
        shape = _shape(self._file.session, field(told, "function_name"), told.get("function_args"))
        waiting = self._open.get(shape, [])
        stated = first_text(told, "call_id", "tool_call_id")
        call = stated if stated in waiting else next((one for one in waiting if one not in self._decided), "")
        if not call:
            return
        waiting.remove(call)
        self._decided.add(call)
        yield frame.verdict(effect, call=self._file.call_key(call), rule=word, reason=field(told, "error"), by=BY[word])


def declined(said: str) -> Effect | None:
    """What the program decided that puts these words in a result's place, None for any others: where nobody could be asked, the rules
    wanted a person.
    """
    if not said.startswith(_DECLINED):
        return None
    return Effect.ASK if _NOBODY in said[:400] else Effect.DENY


def _shape(session: str, tool: str, given: object) -> str:
    return f"{session} {tool} {arguments_digest(given)}"


def _tokens(usage: Json) -> int:
    """Tokens of an answer; other providers' counts of what was written hold what was thought, which Gemini counts apart."""
    whole = (usage.get("promptTokenCount"), usage.get("candidatesTokenCount"), usage.get("totalTokenCount"))
    if all(isinstance(one, int) for one in whole) and whole[0] + whole[1] == whole[2]:  # type: ignore[operator]
        usage = {name: value for name, value in usage.items() if name != "thoughtsTokenCount"}
    return tokens_of(usage)


IMPORTER = QwenCode()
