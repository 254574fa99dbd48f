"""What `codex exec --json` prints: thread, turns and items; before 0.4x, one event of the program a line.

Items have ids of their own (`item_0`), which are no call ids, and no times. The prompt stands on the command line, not in
the stream; the oldest form prints it. A run asks nobody: a declined call was declined by policy. Source: the events that
the program's sources declare, and recorded runs of 0.169.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from importers.codex import CodexReader
from importers.codex_items import Told, item_of, receivers, spelled
from importers.codex_records import MESSAGES
from importers.shared.agents import Frame, field, scope_id
from importers.shared.fields import Json, mapping
from importers.shared.transcript import Transcript, object_of
from importers.shared.usage import tokens_of
from model.event import BadRecord, Event, Parsed
from model.words import EventKind, KeyRole, Phase

POINT = "codex"

_EVENTS = frozenset(
    {"thread.started", "session.created", "turn.started", "turn.completed", "turn.failed", "item.started", "item.updated"}
    | {"item.completed", "item.plan.delta", "request_user_input", "error"}
)
_SILENT = frozenset({"agentmessage", "assistantmessage", "plan", "reasoning", "todolist", "error", "usermessage"})
_SUMMARY = frozenset({"model", "workdir", "provider", "approval", "sandbox"})


class CodexExec:
    id = "codex-exec"
    title = "Codex exec event streams (`codex exec --json`)"
    evidence = "real"
    version = 6

    def sniff(self, sample: Sequence[object]) -> int:
        found = sure = 0
        for record in sample:
            if not isinstance(record, dict):
                continue
            kind, item = field(record, "type"), record.get("item")
            if isinstance(item, dict) and kind in _EVENTS:
                found += 1
                sure += "type" in item or "item_type" in item
            elif kind == "thread.started" and isinstance(record.get("thread_id"), str):
                found, sure = found + 1, sure + 1
            elif kind in _EVENTS or _printed(record) or record.keys() >= _SUMMARY:
                found += 1
                sure += _printed(record)
        return 93 if sure and found * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _printed(record: Json) -> bool:
    """An event of the oldest form: {id, msg: {type, ...}}."""
    return "id" in record and field(mapping(record.get("msg")), "type") in MESSAGES


def _numbered(event: Event) -> Event:
    """The event with its item's number under a name of its own: the rollout of the same thread knows the call by another id."""
    event.keys = tuple(
        replace(key, kind="codex.item") if key.role is KeyRole.CALL and key.kind == "call" else key for key in event.keys
    )
    return event


class _Reader:
    """The runs of one stream; each begins with its thread."""

    def __init__(self) -> None:
        self._file = Transcript(POINT, unique_calls=False)
        self._old: CodexReader | None = None
        self._before: Json = {}
        self._prompt = ""

    def read(self, record: object) -> Parsed:
        record = object_of(record, "an event of the stream")
        if _printed(record) or (self._old is not None and field(record, "type") not in _EVENTS):
            return self._printed(record)
        kind = field(record, "type")
        if not kind:
            return self._ahead(record)
        if kind in ("thread.started", "session.created"):
            return self._thread(record)
        if not self._file.session:
            self._file.begin(None, record)
        item = mapping(record.get("item"))
        if kind.startswith("item.") and kind != "item.plan.delta" and not item:
            raise BadRecord(f"an {kind} event without an `item` object")
        what = field(item, "type") or field(item, "item_type")
        frame = self._file.frame()
        parsed = Parsed(scope=self._file.session, type=f"{kind}/{what}"[:100] if what else kind[:100])
        if item:
            parsed.events = list(self._item(kind, item, frame))
        if kind == "turn.completed" and (tokens := tokens_of(mapping(record.get("usage")))):
            # The last record of most runs: no later event could say it.
            parsed.events = [frame.event(EventKind.ACTION, Phase.STARTED, attrs={"tokens": tokens})]
        if kind not in _EVENTS or (item and item_of(item) is None and spelled(what) not in _SILENT):
            parsed.unknown_type = parsed.type
        return parsed

    def _thread(self, record: Json) -> Parsed:
        self._file = Transcript(POINT, unique_calls=False)
        self._file.begin(record.get("thread_id") or record.get("session_id"), record)
        events = [self._file.frame().event(EventKind.ACTION, Phase.STARTED)]
        return Parsed(events, scope=self._file.session, type=field(record, "type"))

    def _item(self, kind: str, item: Json, frame: Frame) -> Iterator[Event]:
        told, call = item_of(item), field(item, "id")
        if told is None:
            return
        made = list(self._file.call(frame, call, told.tool, told.arguments, act=told.act))
        yield from made if spelled(told.tool) == "spawnagent" else map(_numbered, made)
        if spelled(told.tool) == "spawnagent":
            for child in receivers(item):
                yield from self._spawned(child, call, frame)
        if kind == "item.completed" and spelled(field(item, "status")) != "inprogress":
            ended = self._result(told, call, frame)
            yield from ended if spelled(told.tool) == "spawnagent" else map(_numbered, ended)

    def _result(self, told: Told, call: str, frame: Frame) -> Iterator[Event]:
        found = told.output
        # Nobody is there to ask, so what says no is the policy.
        refused = "rule" if found.refused == "user" else found.refused
        yield from self._file.result(
            frame,
            call,
            found.tool,
            found.text,
            refused=refused,
            rule=refused,
            reason=found.reason,
            effect=found.effect,
            status=found.status,
        )

    def _spawned(self, child: str, call: str, frame: Frame) -> Iterator[Event]:
        if self._file.first("spawned", child):
            spawned = Transcript(POINT)
            spawned.begin(child)
            spawned.parent(self._file.session, self._file.call_key(call))
            yield frame._replace(scope=spawned.frame().scope).event(EventKind.ACTION, Phase.STARTED)

    # The oldest form

    def _ahead(self, record: Json) -> Parsed:
        """What is printed before the first event: the settings, then the prompt."""
        prompt = record.get("prompt")
        if isinstance(prompt, str) and len(record) == 1:
            self._prompt = prompt
            return Parsed(type="prompt")
        if not _SUMMARY & record.keys():
            raise BadRecord("no event of a Codex run: neither `type`, nor `msg`, nor the run's settings")
        self._before = record
        return Parsed(type="settings")

    def _printed(self, record: Json) -> Parsed:
        message = mapping(record.get("msg"))
        kind = field(message, "type")
        if not kind:
            raise BadRecord("an event without `msg.type`")
        ahead: list[Event] = []
        if self._old is None or kind == "session_configured":
            self._old = CodexReader(stream=True)
            session = scope_id(message.get("session_id"))
            begun = {"id": session, "cwd": field(self._before, "workdir"), **({} if session else {"run": record})}
            ahead = self._old.read({"type": "session_meta", "payload": begun}).events
            told = {
                "approval_policy": self._before.get("approval"),
                "sandbox_policy": self._sandbox(),
                "model": field(message, "model"),
            }
            ahead += self._old.read({"type": "turn_context", "payload": told}).events
            if self._prompt:
                ahead += self._old.read(
                    {"type": "event_msg", "payload": {"type": "user_message", "message": self._prompt}}
                ).events
                self._prompt = ""
        parsed = self._old.read({"type": "event_msg", "payload": message})
        parsed.events = ahead + parsed.events
        return parsed

    def _sandbox(self) -> str:
        """The sandbox's name; folders it may write may stand behind it."""
        return field(self._before, "sandbox").partition(" ")[0]


IMPORTER = CodexExec()
