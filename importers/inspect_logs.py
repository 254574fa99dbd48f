"""Inspect evaluation logs: the `.json` form, and the members of the `.eval` form (header, samples, journal) one by one.

Each sample is a task of its own. Its events tell calls, results and approvals with times; a sample without events is read from
its messages. Texts kept apart (`attachment://`) are put back. Source: a recorded log of version 2 and the published schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.shared.agents import Frame, field, words_of
from importers.shared.chat import chat_events, is_chat
from importers.shared.fields import Json, first_text, mapping, surest
from importers.shared.transcript import Transcript, name_of, object_of, objects
from model.event import Attr, BadRecord, Event, Parsed
from model.words import Effect, EventKind, Phase, Tri

POINT = "inspect"

_KNOWN = frozenset(
    {"sample_init", "sample_limit", "sandbox", "state", "store", "model", "tool", "approval", "compaction", "input", "score"}
    | {"score_edit", "error", "logger", "info", "span_begin", "span_end", "step", "subtask", "anchor", "branch", "interrupt"}
)
_APART = ("attachment://", "tc://")
_DEEPEST = 8
_APPROVALS = {
    "approve": Effect.ALLOW,
    "modify": Effect.ALLOW,
    "reject": Effect.DENY,
    "terminate": Effect.DENY,
    "escalate": Effect.ASK,
}


class Inspect:
    id = "inspect-eval"
    title = "Inspect evaluation logs"
    evidence = "real"
    version = 3
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> _Reader:
        return _Reader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    if "eval" in record and "version" in record and isinstance(mapping(record.get("eval")).get("task"), str):
        return 95
    if "epoch" in record and "input" in record and "target" in record:
        return 85
    return 0


class _Reader:
    def __init__(self) -> None:
        self._eval: Json = {}
        self._file = Transcript(POINT)
        self._told = False

    def read(self, record: object) -> Parsed:
        record = object_of(record, "an evaluation record")
        if isinstance(record.get("eval"), dict):
            self._eval = mapping(record["eval"])
            parsed = Parsed(scope=first_text(self._eval, "eval_id", "run_id"), type="header")
            parsed.events = [e for sample in objects(record.get("samples")) for e in self._sample(sample).events]
            return parsed
        if "epoch" in record and ("input" in record or "events" in record):
            return self._sample(record)
        if field(record, "role") and self._file.session:
            # A message of a sample that was cut out of its own member; its events speak where it has any.
            parsed = Parsed(scope=self._file.session, type=f"message/{field(record, 'role')}"[:100])
            if not self._told:
                parsed.events = list(_told(self._file, record, self._file.frame()))
            return parsed
        if "event" in record and self._file.session:
            parsed = Parsed(scope=self._file.session, type=f"event/{field(record, 'event')}"[:100])
            parsed.events = list(self._event(record, self._file, {}))
            return parsed
        raise BadRecord("neither a header (`eval`) nor a sample (`epoch` and `input`)")

    def _sample(self, sample: Json) -> Parsed:
        run = first_text(self._eval, "run_id", "eval_id")
        self._file = file = Transcript(POINT, unique_calls=False)
        own = first_text(sample, "uuid") or f"{run or name_of(sample)}/{first_text(sample, 'id')}/{first_text(sample, 'epoch')}"
        file.begin(own, sample)
        file.know(model=field(self._eval, "model"), project=field(self._eval, "task"))
        events = objects(sample.get("events"))
        self._told = bool(events)
        first = next((one.get("timestamp") for one in events if one.get("timestamp")), self._eval.get("created"))
        frame = file.frame(sample.get("started_at") or first)
        parsed = Parsed(scope=file.session, type="sample", at=frame.at)
        title = " ".join(part for part in (field(self._eval, "task"), first_text(sample, "id")) if part)
        if events or "messages" in sample:
            attrs: dict[str, Attr] = {"title": title[:300]} if title else {}
            parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs))
            parsed.events += self._asked(sample, frame)
        texts = mapping(sample.get("attachments"))
        for one in events:
            parsed.events += self._event(one, file, texts)
            kind = field(one, "event")
            if kind not in _KNOWN:
                parsed.unknown_type = parsed.unknown_type or f"event/{kind}"[:100]
        for message in [] if events else objects(sample.get("messages")):
            if field(message, "role") != "user":
                parsed.events += _told(file, message, frame)
        return parsed

    def _asked(self, sample: Json, frame: Frame) -> Iterator[Event]:
        given = sample.get("input")
        rows = objects(given) if is_chat(given) else []
        words = (
            given if isinstance(given, str) else "\n".join(words_of(r.get("content")) for r in rows if r.get("role") == "user")
        )
        words = _text(words, mapping(sample.get("attachments")))
        if words.strip():
            yield frame.intent(Phase.PROMPT, words)

    def _event(self, event: Json, file: Transcript, texts: Json) -> Iterator[Event]:
        kind = field(event, "event")
        frame = file.frame(event.get("timestamp"), ref=field(event, "uuid"))
        if kind == "model":
            file.know(model=field(event, "model"))
        elif kind == "tool":
            call, tool = first_text(event, "id") or file.unnamed_call(), field(event, "function")
            yield from file.call(frame, call, tool, _whole(event.get("arguments"), texts))
            error = mapping(event.get("error"))
            if event.get("pending") is True:
                return
            said = field(error, "message") or words_of(_whole(event.get("result"), texts))
            refused = "rule" if field(error, "type") == "approval" else ""
            done = file.frame(event.get("completed")) if event.get("completed") else frame
            ok = Tri.NO if error or event.get("failed") is True else Tri.YES
            status = field(error, "type")
            yield from file.result(done, call, ok, said, refused=refused, effect=Effect.UNKNOWN, status=status)
        elif kind == "approval":
            call = first_text(mapping(event.get("call")), "id")
            effect = _APPROVALS.get(field(event, "decision"))
            if effect is not None:
                approver, reason = field(event, "approver")[:200], field(event, "explanation")
                yield file.decision(frame, effect, call, rule=approver, reason=reason)
        elif kind == "input" and (words := _text(field(event, "input"), texts)):
            yield frame.intent(Phase.PROMPT, words)


def _told(file: Transcript, message: Json, frame: Frame) -> Iterator[Event]:
    """What a message says by itself; a tool's names the tool, and why it failed, which an approver may have wanted."""
    why = field(mapping(message.get("error")), "type")[:100]
    for event in chat_events(file, message, frame):
        if event.phase is Phase.RESULT:
            event.tool = field(message, "function")[:300]
            event.attrs = {
                **event.attrs,
                **({"status": why} if why else {}),
                **({"refused": "rule"} if why == "approval" else {}),
            }
        yield event


def _text(value: str, texts: Json) -> str:
    """A text, or the one kept apart that it points to."""
    _, apart, name = value.partition("://") if value.startswith(_APART) else ("", "", "")
    return field(texts, name) or value if apart else value


def _whole(value: object, texts: Json, depth: int = 0) -> object:
    """A value with the texts in it that are kept apart: a call's long arguments are, and what it gave back."""
    if isinstance(value, str):
        return _text(value, texts)
    if not texts or depth > _DEEPEST:
        return value
    if isinstance(value, list):
        return [_whole(one, texts, depth + 1) for one in value]
    return {name: _whole(one, texts, depth + 1) for name, one in value.items()} if isinstance(value, dict) else value


IMPORTER = Inspect()
