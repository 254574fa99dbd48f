"""Gemini CLI chats: one JSON object per session (to 0.3x), JSONL with updates (0.4x on), the prompt log `logs.json`, saved
checkpoints, and what `--output-format stream-json` prints.

The file holds prompts, calls, results and refusals; nothing in it says who let a call run. A message is written again
whenever one of its calls ends; `$set.messages` is what the model is shown, not what happened: what it repeats is told once.
A resumed session is a new file with the old id. Source: recorded sessions of 0.1x to 0.61.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.gemini_outputs import answered, output_of, shown, typed
from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, Frame, field, mcp_act, words_of
from importers.shared.fields import Json, first_text, mapping
from importers.shared.recent import remember
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import Purse, spent, tell_spent, tokens_of
from model.event import Attr, BadRecord, Event, Parsed, digest
from model.words import EventKind, Phase

POINT = "gemini-cli"

_MESSAGES = frozenset({"user", "gemini", "model", "info", "warning", "error"})
_PRINTED = frozenset({"init", "message", "tool_use", "tool_result", "result"})
_MACHINE = (
    "<session_context>",
    "<state_snapshot>",
    "<system-reminder>",
    "System: ",
    "[SYSTEM]",
    "This is the Gemini CLI. We are ",
)
_WORKSPACE = re.compile(
    r"Workspace Directories:\*\*(?=[^\S\n]*+\n)\s*+- (\S[^\n]*)|currently working in the director(?:y|ies):?\s*+-? ?(/[^\n]+)"
)
_COMMAND = re.compile(r"/[a-z][a-z-]*(?:\s|$)")
_SERVER = re.compile(r" \((.{1,200}) MCP Server\)$")
_TOLD_LIMIT = 10_000
_OPEN_LIMIT = 1_000


class GeminiCli:
    id = "gemini-cli"
    title = "Gemini CLI chats"
    evidence = "real"
    version = 9
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        told = 0
        for record in sample:
            if not isinstance(record, dict):
                continue
            if "projectHash" in record and "sessionId" in record:
                return 95
            kind = record.get("type")
            if kind == "gemini" and "timestamp" in record:
                return 85
            if _is_restore(record) or (kind == "init" and {"session_id", "model", "timestamp"} <= record.keys()):
                return 88
            told += kind == "user" and isinstance(record.get("messageId"), int) and "sessionId" in record
            told += record.get("role") in ("user", "model") and isinstance(record.get("parts"), list)
        return 60 if told and told * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_restore(record: Json) -> bool:
    """What is kept before a tool changes a file, to go back to: the chat as the model saw it and the call that waits."""
    return isinstance(record.get("clientHistory"), list) and isinstance(record.get("toolCall"), dict)


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._shown = False
        self._kind = ""
        self._started: set[str] = set()
        self._told: set[str] = set()
        self._purse: Purse = {}
        self._open: dict[str, list[str]] = {}
        self._tools: dict[str, str] = {}

    def read(self, record: object) -> Parsed:
        parsed = self._read(record)
        tell_spent(self._purse, self._file.session, parsed.events)
        return parsed

    def _read(self, record: object) -> Parsed:
        record = object_of(record, "a chat record")
        update = mapping(record.get("$set"))
        if "projectHash" in record or ("sessionId" in record and "startTime" in record):
            return self._header(record)
        if _is_restore(record):
            return self._restore(record)
        self._file.begin(record.get("sessionId") or record.get("session_id"), record)
        scope = self._file.session
        if "history" in record and not record.get("history"):
            # What stands beside the list of a saved chat: how its owner signed in.
            return Parsed(scope=scope, type="checkpoint")
        if self._shown or field(record, "type") in _PRINTED:
            return self._printed(record)
        if "$set" in record or "$rewindTo" in record:
            parsed = Parsed(scope=scope, type="$set" if "$set" in record else "$rewindTo")
            parsed.events = [event for message in objects(update.get("messages")) for event in self._message(message)]
            return parsed
        if record.keys() == {"sessionId"}:
            return Parsed(scope=scope, type="session")
        kind = field(record, "type") or field(record, "role")
        if not kind:
            raise BadRecord("no record type: neither `type` nor `role`, `$set` or `projectHash` says what this is")
        parsed = Parsed(scope=scope, type=kind[:100])
        if kind not in _MESSAGES:
            parsed.unknown_type = parsed.type
            return parsed
        if not {"content", "parts", "message", "toolCalls", "displayContent"} & record.keys():
            raise BadRecord(f"a {kind} message without content")
        parsed.at = self._file.frame(record.get("timestamp")).at
        parsed.events = list(self._message(record, alone=True))
        return parsed

    def _restore(self, record: Json) -> Parsed:
        """A restore point; the list of what the terminal showed may follow it element by element."""
        chat = objects(record.get("clientHistory"))
        self._shown = True
        # All restore points of a chat begin with the same message.
        self._file.begin(None, chat[0] if chat else record)
        parsed = Parsed(scope=self._file.session, type="restore point")
        parsed.events = [event for message in chat for event in self._message(message)]
        call = mapping(record.get("toolCall"))
        tool, frame = field(call, "name"), self._file.frame()
        name = first_text(call, "id") or self._file.unnamed_call()
        parsed.events += self._file.call(frame, name, tool, call.get("args"), act=_act(tool, call.get("args"), ""))
        return parsed

    def _printed(self, record: Json) -> Parsed:
        """One event of a headless run's stream."""
        kind = field(record, "type")
        frame = self._file.frame(record.get("timestamp"))
        parsed = Parsed(scope=self._file.session, type=kind[:100], at=frame.at)
        if self._shown:
            return parsed
        if kind == "init":
            self._file.know(model=field(record, "model"))
            parsed.events.append(self._file.frame(record.get("timestamp")).event(EventKind.ACTION, Phase.STARTED))
        elif kind == "message" and field(record, "role") == "user":
            parsed.events += self._said(words_of(record.get("content")), "", frame)
        elif kind == "tool_use":
            tool, given = field(record, "tool_name"), record.get("parameters")
            remember(self._tools, first_text(record, "tool_id"), tool, _OPEN_LIMIT)
            parsed.events += self._file.call(frame, first_text(record, "tool_id"), tool, given, act=_act(tool, given, ""))
        elif kind == "tool_result":
            problem = field(mapping(record.get("error")), "message")
            output = problem or words_of(record.get("output"))
            call = first_text(record, "tool_id")
            parsed.events += shown(self._file, frame, call, self._tools.get(call, ""), field(record, "status"), output)
        return parsed

    def _header(self, record: Json) -> Parsed:
        """The session's first record, also the whole session where it was read as one."""
        self._file.begin(record.get("sessionId"), record)
        self._kind = field(record, "kind")
        directories = record.get("directories")
        if isinstance(directories, list) and directories and isinstance(directories[0], str):
            self._file.place(directories[0])
        frame = self._file.frame(record.get("startTime"))
        parsed = Parsed(scope=self._file.session, type="session", at=frame.at)
        if self._file.session not in self._started:
            if len(self._started) >= _TOLD_LIMIT:
                self._started.clear()
            self._started.add(self._file.session)
            title = field(record, "summary")[:300]
            attrs: dict[str, Attr] = {"title": title} if title else {}
            if self._kind == "subagent":
                attrs["agent_type"] = self._kind
            parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs))
        parsed.events += [event for message in objects(record.get("messages")) for event in self._message(message)]
        return parsed

    def _message(self, message: Json, *, alone: bool = False) -> Iterator[Event]:
        """What a message says; `alone` where it is a record of its own, not one of those that a record repeats."""
        kind = field(message, "type") or field(message, "role")
        ref = field(message, "id")
        self._file.know(model=field(message, "model"))
        frame = self._file.frame(message.get("timestamp"), ref=ref)
        # A message that was told again, with more in it, was paid for once.
        if (tokens := tokens_of(mapping(message.get("tokens")))) and self._file.first("tokens", ref or str(frame.at)):
            spent(self._purse, self._file.session, tokens)
        content = next((message[name] for name in ("content", "parts", "message") if message.get(name)), "")
        if kind == "user":
            # What was shown is what was typed; what the model was given may hold files, or what a command stands for.
            shown = typed(message.get("displayContent"))
            yield from self._said(shown or typed(content), ref, frame, command=shown != words_of(content) and bool(shown))
        if kind in ("user", "gemini", "model"):
            place = ref or (str(frame.at) if frame.at is not None else "")
            calls = objects(message.get("toolCalls"))
            for ordinal, part in enumerate(objects(content)):
                unnamed = f"{self._file.session}/{place}#part{ordinal}" if place else self._file.unnamed_call() if alone else ""
                yield from self._part(part, frame, "" if calls else unnamed)
            for ordinal, call in enumerate(calls):
                yield from self._called(call, ref or str(frame.at), ordinal, frame)

    def _said(self, words: str, ref: str, frame: Frame, *, command: bool = False) -> Iterator[Event]:
        """A person's words, once for each time they were said: a repeated message keeps its id, a shown one its words.

        A command is a request where it stands for words of its own.
        """
        begin = words.lstrip()
        if begin.startswith(_MACHINE):
            if m := _WORKSPACE.search(words[:4000]):
                self._file.place((m.group(1) or m.group(2)).strip())
            return
        if not begin or (_COMMAND.match(begin) and not command):
            return
        mark, text = f"{self._file.session}/{ref}", digest(self._file.session, words)[:32]
        if (ref and mark in self._told) or (frame.at is None and text in self._told):
            return
        if len(self._told) > _TOLD_LIMIT:
            self._told.clear()
        self._told |= {mark, text}
        yield frame.intent(Phase.DELEGATED if self._kind == "subagent" else Phase.PROMPT, words)

    def _part(self, part: Json, frame: Frame, unnamed: str) -> Iterator[Event]:
        """A call or answer in the shape the model is given: in saved checkpoints the only trace of it.

        One without an id is called `unnamed`, unless that is "": what the same message or another record tells better. Its
        answer is the next one of that tool.
        """
        call, answer = mapping(part.get("functionCall")), mapping(part.get("functionResponse"))
        tool = field(call, "name")
        if call and (name := first_text(call, "id") or unnamed):
            told = list(self._file.call(frame, name, tool, call.get("args"), act=_act(tool, call.get("args"), "")))
            if told and "id" not in call:
                if len(self._open) > _OPEN_LIMIT:
                    self._open.clear()
                self._open.setdefault(tool, []).append(name)
            yield from told
        tool = field(answer, "name")
        if answer and (name := first_text(answer, "id") or (unnamed and self._answered(tool))):
            yield from self._answer(frame, name, tool, "", output_of([{"functionResponse": answer}]))

    def _answered(self, tool: str) -> str:
        waiting = self._open.get(tool, [])
        name = waiting.pop(0) if waiting else ""
        if not waiting:
            self._open.pop(tool, None)
        return name

    def _called(self, call: Json, message: str, ordinal: int, frame: Frame) -> Iterator[Event]:
        tool = field(call, "name")
        name = first_text(call, "id") or f"{self._file.session}/{message}#{ordinal}"
        started = self._file.frame(call.get("timestamp"), ref=field(call, "id"))
        act = _act(tool, call.get("args"), field(call, "displayName"))
        yield from self._file.call(frame, name, tool, call.get("args"), act=act)
        status = field(call, "status")
        if status in ("success", "error", "cancelled"):
            if child := field(call, "agentId"):
                yield from self._spawned(child, name, started)
            output = output_of(call.get("result")) or field(call, "resultDisplay")
            yield from self._answer(started if started.at is not None else frame, name, tool, status, output)

    def _spawned(self, child: str, call: str, frame: Frame) -> Iterator[Event]:
        """The sub-agent's own session, named by the call that began it."""
        if self._file.answered(call) or child == self._file.session:
            return
        spawned = Transcript(POINT)
        spawned.begin(child)
        spawned.parent(self._file.session, call)
        yield frame._replace(scope=spawned.frame().scope, ref="").event(EventKind.ACTION, Phase.STARTED)

    def _answer(self, frame: Frame, call: str, tool: str, status: str, output: str) -> Iterator[Event]:
        yield from answered(self._file, frame, call, tool, status, output)


def _act(tool: str, args: object, display: str) -> Act:
    if tool.startswith("mcp_") and not tool.startswith("mcp__"):
        shown = _SERVER.search(display)
        server = shown.group(1) if shown else tool[4:].partition("_")[0]
        return mcp_act(server, tool[4:].removeprefix(server).lstrip("_") or tool, args)
    if shown := _SERVER.search(display):
        return mcp_act(shown.group(1), tool.removeprefix(f"{shown.group(1)}__"), args)
    return act_of(tool, args)


IMPORTER = GeminiCli()
