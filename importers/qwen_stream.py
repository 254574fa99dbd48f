"""What Qwen Code prints with `--output-format stream-json` or `json`: the frame of Claude Code's stream around its own tools and results.

A command that ran and failed is no error there: its exit code stands in the text, as in the program's sessions, which this joins by
session and call. Source: public records of runs of 0.14 and later; no recorded run was at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.gemini_outputs import answered
from importers.qwen_code import POINT, declined
from importers.shared.agents import Frame, call_id, field, words_of
from importers.shared.fields import Json, mapping
from importers.shared.recent import remember
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import tokens_of
from model.event import BadRecord, Event, Parsed
from model.words import Effect, EventKind, Phase, Tri

_TYPES = frozenset({"system", "assistant", "user", "result", "stream_event", "control_request", "control_response"})
_LIMIT = 10_000


class QwenStream:
    id = "qwen-stream"
    title = "Qwen Code stream-json output"
    evidence = "documentation"
    version = 1

    def sniff(self, sample: Sequence[object]) -> int:
        begun = any(
            isinstance(record, dict) and "qwen_code_version" in record and record.get("type") == "system" for record in sample
        )
        return 96 if begun else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._tools: dict[str, str] = {}
        self._paid: dict[str, None] = {}

    def read(self, record: object) -> Parsed:
        record = object_of(record, "an event of the stream")
        kind = field(record, "type")
        if not kind:
            raise BadRecord("no event type: `type` is missing or is no text")
        self._file.begin(record.get("session_id"), record)
        frame = self._file.frame(record.get("timestamp"))
        uuid = call_id(record.get("uuid"))
        parsed = Parsed(scope=self._file.session, type=kind[:100], at=frame.at)
        message = mapping(record.get("message"))
        if parent := call_id(record.get("parent_tool_use_id")):
            child = Transcript(POINT)
            child.begin(f"{self._file.session}/{parent}")
            child.parent(self._file.session, self._file.call_key(parent))
            frame = frame._replace(scope=child.frame().scope)
        if kind == "system":
            parsed.type = f"system/{field(record, 'subtype')}"[:100]
            parsed.events = list(self._begun(record)) if "qwen_code_version" in record else []
        elif kind in ("assistant", "user"):
            if not message:
                raise BadRecord(f"a {kind} event without a `message` object")
            parsed.identity, parsed.scope = uuid or None, "" if uuid else self._file.session
            parsed.events = list(self._message(kind, message, frame, delegated=bool(parent)))
        elif kind == "result":
            parsed.events = [one for denial in objects(record.get("permission_denials")) for one in self._denied(denial, frame)]
            parsed.events.append(frame.event(EventKind.ACTION, Phase.ENDED, attrs={"status": field(record, "subtype")[:100]}))
        elif kind not in _TYPES:
            parsed.unknown_type = parsed.type
        return parsed

    def _begun(self, record: Json) -> Iterator[Event]:
        self._file.place(field(record, "cwd"))
        self._file.know(agent_version=field(record, "qwen_code_version"), model=field(record, "model"))
        frame = self._file.frame(record.get("timestamp"))
        if self._file.first("begun", self._file.session):
            yield frame.event(EventKind.ACTION, Phase.STARTED)
        yield from self._file.posture(frame, field(record, "permission_mode"))

    def _message(self, kind: str, message: Json, frame: Frame, *, delegated: bool) -> Iterator[Event]:
        content = message.get("content")
        made: list[Event] = []
        for block in objects(content):
            if block.get("type") == "tool_use" and kind == "assistant":
                call, tool = call_id(block.get("id")) or self._file.unnamed_call(), field(block, "name")
                remember(self._tools, call, tool, _LIMIT)
                made += self._file.call(frame, call, tool, block.get("input"))
            elif block.get("type") == "tool_result":
                made += self._answered(call_id(block.get("tool_use_id")), block, frame)
        name = call_id(message.get("id"))
        if made and name and name not in self._paid and (tokens := tokens_of(mapping(message.get("usage")))):
            # Every event of one message repeats the usage of the whole.
            remember(self._paid, name, None, _LIMIT)
            made[0].attrs = {**made[0].attrs, "tokens": tokens}
        yield from made
        words = words_of([one for one in objects(content) if one.get("type") == "text"] if isinstance(content, list) else content)
        if kind == "user" and words.strip():
            yield frame.intent(Phase.DELEGATED if delegated else Phase.PROMPT, words)

    def _answered(self, call: str, block: Json, frame: Frame) -> Iterator[Event]:
        said = words_of(block.get("content"))
        status = "error" if block.get("is_error") is True else "success"
        if (effect := declined(said)) is not None:
            reason = said.partition("\n")[0]
            yield from self._file.result(frame, call, Tri.NO, said, refused="rule", reason=reason, effect=effect)
        else:
            yield from answered(self._file, frame, call, self._tools.get(call, ""), status, said)

    def _denied(self, denial: Json, frame: Frame) -> Iterator[Event]:
        """A call that the end of a run names as denied, where nothing else was told of it."""
        call, tool = call_id(denial.get("tool_use_id")), field(denial, "tool_name")
        if not call or not tool or self._file.answered(call):
            return
        yield from self._file.call(frame, call, tool, denial.get("tool_input"))
        yield from self._file.result(frame, call, Tri.NO, "", refused="rule", rule="permission_denials", effect=Effect.DENY)


IMPORTER = QwenStream()
