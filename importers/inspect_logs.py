"""Inspect evaluation logs: the `.json` form, and the members of the `.eval` form (header, samples, journal) one by one.

Each sample is a task of its own. Its events tell calls, results and approvals with times; a sample without events is read from
its messages. Texts kept apart (`attachment://`) are put back. What a command came to says the sandbox, in the tool's span or, in older
logs, within the tool's own event. Source: a recorded log of version 2, the published schema and the program's source (0.3.285).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, Frame, field, words_of
from importers.shared.chat import chat_events, is_chat
from importers.shared.fields import Json, first_text, mapping, number, surest
from importers.shared.transcript import Transcript, name_of, object_of, objects
from importers.shared.usage import Purse, cost_of, spent, state, tell_spent, tokens_of
from model.event import Attr, BadRecord, Event, Parsed
from model.words import Effect, EventKind, Phase, Tri, Verb

POINT = "inspect"

_KNOWN = frozenset(
    {"sample_init", "sample_limit", "sandbox", "state", "store", "model", "tool", "approval", "compaction", "input", "score"}
    | {"score_edit", "error", "logger", "info", "span_begin", "span_end", "step", "subtask", "anchor", "branch", "interrupt"}
)
_APART = ("attachment://", "tc://")
_DEEPEST = 8
_NONE = object()
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
    version = 5
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
        self._counted = False
        self._purse: Purse = {}
        self._people: set[str] = set()

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
            parsed.events = [e for one in _flat([record]) for e in self._event(one, self._file, {}, _exit(one))]
            return parsed
        raise BadRecord("neither a header (`eval`) nor a sample (`epoch` and `input`)")

    def _sample(self, sample: Json) -> Parsed:
        run = first_text(self._eval, "run_id", "eval_id")
        self._file = file = Transcript(POINT, unique_calls=False, model_calls=True)
        own = first_text(sample, "uuid") or f"{run or name_of(sample)}/{first_text(sample, 'id')}/{first_text(sample, 'epoch')}"
        file.begin(own, sample)
        file.know(model=field(self._eval, "model"), project=field(self._eval, "task"))
        self._people.clear()
        self._purse.clear()
        events = _flat(objects(sample.get("events")))
        self._told = bool(events)
        first = next((one.get("timestamp") for one in events if one.get("timestamp")), self._eval.get("created"))
        frame = file.frame(sample.get("started_at") or first)
        parsed = Parsed(scope=file.session, type="sample", at=frame.at)
        title = " ".join(part for part in (field(self._eval, "task"), first_text(sample, "id")) if part)
        if events or "messages" in sample:
            attrs: dict[str, Attr] = {"title": title[:300]} if title else {}
            parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs))
            used = [mapping(one) for one in mapping(sample.get("model_usage")).values()]
            state(parsed.events[0], sum(map(_tokens, used)), sum(cost_of(one.get("total_cost")) for one in used))
            self._counted = any(map(_tokens, used))
            parsed.events += self._asked(sample, frame)
        texts = mapping(sample.get("attachments"))
        codes = _exits(events)
        for at, one in enumerate(events):
            parsed.events += self._event(one, file, texts, codes.get(at))
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

    def _event(self, event: Json, file: Transcript, texts: Json, code: int | None) -> Iterator[Event]:
        kind = field(event, "event")
        frame = file.frame(event.get("timestamp"), ref=field(event, "uuid"))
        if kind == "model":
            file.know(model=field(event, "model"))
            usage = mapping(mapping(event.get("output")).get("usage"))
            if not self._counted and event.get("cache") != "read":
                spent(self._purse, file.session, _tokens(usage), cost_of(usage.get("total_cost")))
        elif kind == "tool":
            told = list(self._tool(event, file, frame, texts, code))
            tell_spent(self._purse, file.session, told)
            yield from told
        elif kind == "approval":
            call = first_text(mapping(event.get("call")), "id")
            effect = _APPROVALS.get(field(event, "decision"))
            if effect is not None:
                approver, reason = field(event, "approver")[:200], field(event, "explanation")
                by = "user" if approver.rpartition("/")[2] == "human" else ""
                if effect is Effect.DENY and by:
                    self._people.add(call)
                yield file.decision(frame, effect, call, rule=approver, reason=reason, by=by)
        elif kind == "input":
            words = _text(field(event, "input"), texts)
            if words and field(event, "outcome") not in ("declined", "cancelled"):
                yield frame.intent(Phase.PROMPT, words)

    def _tool(self, event: Json, file: Transcript, frame: Frame, texts: Json, code: int | None) -> Iterator[Event]:
        call, tool = first_text(event, "id") or file.unnamed_call(), field(event, "function")
        given = _whole(event.get("arguments"), texts)
        act, given = _act(event, tool, given)
        yield from file.call(frame, call, tool, given, act=act)
        error = mapping(event.get("error"))
        if event.get("pending") is True:
            return
        said = field(error, "message") or words_of(_whole(event.get("result"), texts))
        why = field(error, "type")
        refused = {"approval": "user" if call in self._people else "rule", "cancelled": "interrupted"}.get(why, "")
        done = file.frame(event.get("completed")) if event.get("completed") else frame
        ran = code if act.verb is Verb.EXEC else None
        ok = Tri.NO if error or event.get("failed") is True or ran else Tri.YES
        status = why or ("" if ran is None else str(ran))
        yield from file.result(done, call, ok, said, refused=refused, effect=Effect.UNKNOWN, status=status)


def _act(event: Json, tool: str, given: object) -> tuple[Act, object]:
    """What a tool's event does and with what; an agent may stand behind a tool of any name."""
    agent = field(event, "agent") or (tool if event.get("agent_span_id") else "")
    if not agent:
        return act_of(tool, given), given
    args = mapping(given)
    given = {**args, "agent": agent, "prompt": first_text(args, "input", "prompt")}
    return act_of("delegate", given), given


def _tokens(usage: Json) -> int:
    return tokens_of({**usage, "cacheWrites": usage.get("input_tokens_cache_write")})


def _flat(events: list[Json], depth: int = 0) -> list[Json]:
    """The events in their order, with those that older logs keep within a tool's or a subtask's."""
    flat: list[Json] = []
    for event in events:
        flat.append(event)
        if event.get("event") in ("tool", "subtask") and depth < _DEEPEST:
            flat += _flat(objects(event.get("events")), depth + 1)
    return flat


def _exit(event: Json) -> int | None:
    """The exit code of the only command that ran within a tool's event."""
    return _only(_ran(one) for one in objects(event.get("events")) if _is_run(one))


def _exits(events: list[Json]) -> dict[int, int]:
    """By a tool's place among the events, the exit code of the only command that ran in its span or within its event."""
    places: dict[str, int] = {}
    codes: dict[int, list[int | None]] = {}
    span, name = "", ""
    for at, event in enumerate(events):
        kind = event.get("event")
        if kind == "span_begin" and event.get("type") == "tool":
            span, name = field(event, "id"), field(event, "name")
        elif kind == "tool":
            if span and name == field(event, "function"):
                places[span] = at
            span = ""
        elif _is_run(event) and (place := places.get(field(event, "span_id"))) is not None:
            codes.setdefault(place, []).append(_ran(event))
    found = {at: code for at, ran in codes.items() if (code := _only(iter(ran))) is not None}
    return found | {at: code for at, event in enumerate(events) if (code := _exit(event)) is not None}


def _is_run(event: Json) -> bool:
    return event.get("event") == "sandbox" and event.get("action") == "exec"


def _ran(event: Json) -> int | None:
    return number(event.get("result"))


def _only(codes: Iterator[int | None]) -> int | None:
    first = next(codes, None)
    return first if next(codes, _NONE) is _NONE else None


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
