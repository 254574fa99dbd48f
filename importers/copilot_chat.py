"""Copilot Chat in Visual Studio Code (`chatSessions/<id>.json`, and `.jsonl` since 1.109): requests, tool calls, edits.

A `.json` holds the whole session. A `.jsonl` begins with a snapshot (`kind` 0) and goes on with what was set (1), appended
(2) or deleted (3) at a path; a part of an answer may be written several times, and its last form says how it went. A
confirmed tool call says by what: a person, a setting, an earlier "always allow", or that it needed none. Terminal commands
stand in the call; other arguments only in the round that the request's result keeps. Source: the editor's own classes,
and sessions that parsers by others are tested with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from importers.copilot_chat_tools import PERSON, call_of, decided, ended, path_of
from importers.shared.agents import Frame, call_id, field, file_act
from importers.shared.chat import json_of
from importers.shared.fields import Json, first_text, mapping, number
from importers.shared.transcript import Transcript, object_of, objects
from model.event import BadRecord, Event, Parsed
from model.words import EventKind, Phase, Tri, Verb

POINT = "copilot-chat"

_SET, _PUSH, _DELETE = 1, 2, 3
_EDITS = frozenset({"textEditGroup", "notebookEditGroup", "workspaceEdit"})
_LIMIT = 10_000


class CopilotChat:
    id = "copilot-chat"
    title = "Copilot Chat sessions of Visual Studio Code"
    evidence = "fixture"
    version = 3
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        found = sum(isinstance(record, dict) and bool(_shape(record)) for record in sample)
        sure = any(isinstance(record, dict) and _shape(record) in ("session", "snapshot") for record in sample)
        return 93 if sure and found * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _shape(record: Json) -> str:
    """What kind of record this is; "" if none of this format."""
    if isinstance(record.get("requests"), list):
        own = {"requesterUsername", "responderUsername", "initialLocation", "creationDate", "lastMessageDate", "customTitle"}
        known = (
            bool(own & record.keys())
            or record.keys() >= {"sessionId", "version"}
            or any("requestId" in one for one in objects(record.get("requests"))[:5])
        )
        return "session" if known else ""
    kind = record.get("kind")
    if type(kind) is int and 0 <= kind <= _DELETE:
        if kind == 0:
            return "snapshot" if isinstance(mapping(record.get("v")).get("requests"), list) else ""
        return "change" if isinstance(record.get("k"), list) else ""
    return "request" if "requestId" in record and ("message" in record or "response" in record) else ""


class _Reader:
    """One session; of each request its id, time and the arguments known so far, for changes name it by its place alone."""

    def __init__(self) -> None:
        self._file = Transcript(POINT, unique_calls=False)
        self._requests: list[list[object]] = []
        self._given: dict[str, object] = {}

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a chat session")
        shape = _shape(record)
        if shape in ("session", "snapshot"):
            session = mapping(record.get("v")) if shape == "snapshot" else record
            events = list(self._session(session))
        elif shape == "request":
            self._file.begin(record.get("sessionId"), record)
            events = list(self._request(record))
        elif shape == "change":
            self._file.begin(None, record)
            events = list(self._change(record))
        else:
            raise BadRecord("no chat session, request or change: neither `requests`, nor `requestId`, nor `kind` with a path `k`")
        at = next((event.at for event in events if event.at is not None), None)
        return Parsed(events, scope=self._file.session, type=shape, at=at)

    def _session(self, session: Json) -> Iterator[Event]:
        self._file.begin(session.get("sessionId"), session.get("creationDate") or session)
        self._file.place(path_of(session.get("workingDirectory")))
        frame = self._file.frame(session.get("creationDate"), unit="ms", ref="session")
        title = field(session, "customTitle")[:300]
        if self._file.first("session", self._file.session):
            yield frame.event(EventKind.ACTION, Phase.STARTED, attrs={"title": title} if title else {})
        self._requests = []
        for request in objects(session.get("requests")):
            yield from self._request(request)

    def _request(self, request: Json) -> Iterator[Event]:
        """A person's words and what came of them, as far as it is told yet."""
        name, at = first_text(request, "requestId", "id"), request.get("timestamp")
        if len(self._requests) < _LIMIT:
            self._requests.append([name, at])
        self._file.know(model=field(request, "modelId").rpartition("/")[2])
        frame = self._file.frame(at, unit="ms", ref=name)
        yield from self._file.posture(frame, _mode(request))
        message = request.get("message")
        words = message if isinstance(message, str) else field(mapping(message), "text")
        if not words:
            words = "".join(field(part, "text") for part in objects(mapping(message).get("parts")))
        # What the editor says to the model itself, that a command ended, say, is no person's.
        own = request.get("isSystemInitiated") is True
        if words.strip() and not own and self._file.first("said", name):
            yield frame.intent(Phase.PROMPT, words)
        self._learn(request.get("result"))
        for part in objects(request.get("response")):
            yield from self._part(part, frame)

    def _learn(self, result: object) -> None:
        """The arguments of calls, which the rounds of a result hold."""
        for round in objects(mapping(mapping(result).get("metadata")).get("toolCallRounds")):
            for call in objects(round.get("toolCalls")):
                if len(self._given) < _LIMIT:
                    self._given[call_id(call.get("id")).partition("__vscode")[0]] = json_of(call.get("arguments"))

    def _part(self, part: Json, frame: Frame) -> Iterator[Event]:
        kind = field(part, "kind")
        if kind in ("toolInvocationSerialized", "toolInvocation"):
            yield from self._tool(part, frame)
        elif kind in _EDITS:
            for path in _edited(part):
                name = f"edit {frame.ref} {path}"[:200]
                yield from self._file.call(frame, name, "edit", None, act=file_act(Verb.FILE_WRITE, path))
                if part.get("done") is True:
                    yield from self._file.result(frame, name, Tri.YES, "")

    def _tool(self, part: Json, frame: Frame) -> Iterator[Event]:
        name = call_id(part.get("toolCallId")) or self._file.unnamed_call()
        given = self._given.get(name.partition("__vscode")[0])
        tool, act, arguments = call_of(part, given)
        yield from self._file.call(frame, name, tool, arguments, act=act)
        effect, why = decided(part)
        if effect is not None and self._file.first("decided", name):
            yield self._file.decision(frame, effect, name, rule=why, by="user" if why.startswith(PERSON) else "")
        outcome = ended(part)
        if outcome is not None:
            ok, said, refused = outcome
            # The decision is told already, with what it was made by.
            for event in self._file.result(frame, name, ok, said, refused=refused):
                if event.kind is EventKind.ACTION:
                    yield event

    def _change(self, record: Json) -> Iterator[Event]:
        """What one line of the log sets or appends."""
        path = record.get("k")
        steps = path if isinstance(path, list) else []
        kind, value = record.get("kind"), record.get("v")
        if steps == ["customTitle"] and isinstance(value, str) and value:
            yield self._file.frame().event(EventKind.ACTION, Phase.STARTED, attrs={"title": value[:300]})
        if not steps or steps[0] != "requests" or kind == _DELETE:
            return
        if len(steps) == 1:
            keep = number(record.get("i")) if kind == _PUSH else 0
            if keep is not None and 0 <= keep < len(self._requests):
                del self._requests[keep:]
            for request in objects(value):
                yield from self._request(request)
            return
        place = number(steps[1])
        if place is None or not 0 <= place < len(self._requests):
            return
        if len(steps) == 2:
            if isinstance(value, dict):
                kept = self._requests[place:]
                del self._requests[place:]
                yield from self._request(value)
                self._requests += kept[1:]
            return
        name, at = self._requests[place]
        frame = self._file.frame(at, unit="ms", ref=str(name))
        if steps[2] == "result":
            self._learn(value if len(steps) == 3 else {})
        elif steps[2] == "response":
            for part in objects(value) if isinstance(value, list) else objects([value]):
                yield from self._part(part, frame)


def _mode(request: Json) -> str:
    """Ask, edit or agent: what the chat may do at all."""
    told = mapping(request.get("modeInfo"))
    agent = mapping(request.get("agent"))
    modes = agent.get("modes")
    return first_text(told, "modeId", "kind") or (
        modes[0] if isinstance(modes, list) and modes and isinstance(modes[0], str) else ""
    )


def _edited(part: Json) -> Iterator[str]:
    """The files of an edit that says which; URIs come as texts or as their parts."""
    found = [part.get("uri")] if part.get("kind") != "workspaceEdit" else [
        one.get("newResource") or one.get("oldResource") for one in objects(part.get("edits"))
    ]  # fmt: skip
    for uri in found:
        if path := path_of(uri):
            yield unquote(path)


IMPORTER = CopilotChat()
