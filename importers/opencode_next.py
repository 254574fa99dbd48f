"""opencode 2: its messages (table `session_message`) and its events (`session.next.*`, later `session.*`) told as the parts they were before.

Version 1 writes both side by side in part, so that whatever both tell goes through the same reader, which tells it once: calls by
their id, words by their message. Source: the program's own schemas of both versions.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from importers.shared.agents import field, words_of
from importers.shared.fields import Json, first_text, mapping, number
from importers.shared.recent import remember
from importers.shared.transcript import objects

MESSAGES = frozenset(
    {"user", "assistant", "shell", "agent-switched", "model-switched", "location-switched", "synthetic", "system", "skill"}
    | {"compaction", "idle"}
)
_FAMILIES: dict[str, str] = {
    "": "moved renamed forked synthetic prompted retried",
    "agent": "switched selected",
    "model": "switched selected",
    "usage": "recorded updated",
    "prompt": "admitted",
    "input": "admitted promoted",
    "inbox": "enqueued delivered cancelled",
    "execution": "started succeeded failed interrupted",
    "instructions": "updated",
    "context": "updated",
    "skill": "activated",
    "step": "started ended failed",
    "text": "started delta ended",
    "reasoning": "started delta ended",
    "shell": "started ended",
    "tool": "input.started input.delta input.ended called progress success failed",
    "retry": "scheduled",
    "compaction": "admitted started delta ended failed",
    "revert": "staged cleared committed",
}
_NAMES = frozenset(f"{family}.{end}".lstrip(".") for family, ends in _FAMILIES.items() for end in ends.split())
_VERSIONED = re.compile(r"\.\d{1,3}$")
_DECLINED = "The user declined"
_LIMIT = 10_000


class Told(NamedTuple):
    """What a record of version 2 says: the message it belongs to, and its parts, as version 1 would have them."""

    info: Json
    parts: list[Json]


def name_of_event(kind: str) -> str:
    """The name of an event within a session without its version (`tool.called`); "" for one that no version 2 has."""
    name = _VERSIONED.sub("", kind).removeprefix("session.").removeprefix("next.")
    return name if kind.startswith("session.") and name in _NAMES else ""


def message_of(record: Json, session: str) -> Told:
    """A message of version 2: a person's words, an answer with its calls, a command that a person ran."""
    kind, name = field(record, "type"), first_text(record, "id")
    ids = {"sessionID": record.get("sessionID") or session, "messageID": name}
    info: Json = {**record, "id": name, "sessionID": ids["sessionID"], "role": kind}
    times = mapping(record.get("time"))
    if kind == "user":
        return Told(info, [{**ids, "id": name, "type": "text", "text": field(record, "text")}])
    if kind == "shell":
        call = first_text(record, "shellID") or first_text(record, "callID")
        return Told(info, [{**ids, "id": name, **_command(call, record, record.get("output"), times)}])
    if kind != "assistant":
        return Told(info, [])
    parts = [_call(part, ids) for part in objects(record.get("content")) if field(part, "type") == "tool"]
    return Told(info, parts)


def _call(part: Json, ids: Json) -> Json:
    state, times = mapping(part.get("state")), mapping(part.get("time"))
    when = {"start": times.get("ran") or times.get("created"), "end": times.get("completed")}
    status = field(state, "status")
    # What is still being written is no call yet.
    given = state.get("input") if status not in ("pending", "streaming") else None
    return {
        **ids,
        "id": ids["messageID"],
        "type": "tool",
        "tool": field(part, "name"),
        "callID": part.get("id"),
        "state": {**_ended(state), "status": "pending" if given is None else status, "input": given, "time": when},
    }


def _ended(told: Json) -> Json:
    """What became of a call: its output, or its error and who refused it."""
    error, details = mapping(told.get("error")), mapping(told.get("metadata")) or mapping(told.get("structured"))
    said, kind = field(error, "message"), field(error, "type")
    refused = {"permission.rejected": "rule", "aborted": "user" if said.startswith(_DECLINED) else "interrupted"}.get(kind, "")
    exit_code = details.get("exit") if "exit" in details else details.get("exitCode")
    return {
        "output": told.get("content") or told.get("result"),
        "error": said,
        "refused": refused,
        "metadata": {**details, "exit": exit_code},
    }


def _command(call: str, told: Json, output: object, times: Json) -> Json:
    """A command that a person ran in the session."""
    status, code = field(told, "status"), number(told.get("exit"))
    printed = mapping(output).get("output") if isinstance(output, dict) else output
    over = bool(times.get("completed")) or status in ("exited", "timeout", "killed")
    state: Json = {
        "input": {"command": field(told, "command")},
        "time": {"start": times.get("created"), "end": times.get("completed")},
    }
    if over:
        state |= {"output": printed, "metadata": {"exit": code}, "unsaid": code is None and status not in ("timeout", "killed")}
    ended = "error" if status in ("timeout", "killed") else "completed"
    state |= {"status": ended if over else "running", "error": words_of(printed) if ended == "error" else ""}
    return {"type": "tool", "tool": "bash", "callID": call, "state": state}


class Stream:
    """The events of version 2 in order; it remembers what each call is, for its end does not say so again."""

    def __init__(self) -> None:
        self._tools: dict[str, str] = {}
        self._commands: dict[str, str] = {}

    def read(self, name: str, told: Json, record: Json) -> Told:
        """What one event says; no parts where it tells no act."""
        when = told.get("timestamp") or record.get("created")
        session = told.get("sessionID")
        message = (
            first_text(told, "assistantMessageID") or first_text(told, "messageID") or first_text(told, "inputID", "inboxID")
        )
        ids = {"sessionID": session, "messageID": message}
        info: Json = {"id": message, "sessionID": session, "time": {"created": when}}
        if name in ("prompted", "prompt.admitted", "input.admitted", "inbox.enqueued"):
            words = _words(told)
            # What is admitted is told again when its turn comes, under the same id; without one, then only.
            known = words and (message or name == "prompted")
            # A server of version 1 has told the words in a part of its own before.
            again = "properties" in record
            part = {**ids, "id": message or first_text(record, "id"), "type": "text", "text": words, "again": again}
            return Told({**info, "role": "user"}, [part] if known else [])
        call = first_text(told, "callID") or first_text(told, "id")
        if name == "tool.input.started":
            remember(self._tools, call, field(told, "name"), _LIMIT)
        elif name == "tool.called":
            tool = first_text(told, "tool", "name") or self._tools.get(call, "")
            remember(self._tools, call, tool, _LIMIT)
            state: Json = {"status": "running", "input": told.get("input"), "time": {"start": when}}
            return Told(info, [{**ids, "id": message, "type": "tool", "tool": tool, "callID": call, "state": state}])
        elif name in ("tool.success", "tool.failed"):
            status = "completed" if name == "tool.success" else "error"
            state = {**_ended(told), "status": status, "time": {"start": when, "end": when}}
            part = {
                "id": message,
                "type": "tool",
                "tool": self._tools.get(call, ""),
                "callID": call,
                "state": state,
                "resultOnly": True,
            }
            return Told(info, [{**ids, **part}])
        elif name in ("shell.started", "shell.ended"):
            return Told(info, [{**ids, "id": message, **self._shell(name, told, when)}])
        return Told(info, [])

    def _shell(self, name: str, told: Json, when: object) -> Json:
        shell = mapping(told.get("shell")) or told
        call = first_text(shell, "id", "callID")
        command = field(shell, "command") or self._commands.get(call, "")
        remember(self._commands, call, command, _LIMIT)
        times: Json = {"created": when, "completed": when if name == "shell.ended" else None}
        return _command(call, {**shell, "command": command}, told.get("output"), times)


def _words(told: Json) -> str:
    prompt = mapping(told.get("prompt"))
    if prompt:
        return field(prompt, "text")
    item = mapping(told.get("input")) or mapping(told.get("item"))
    return field(mapping(item.get("payload")) or mapping(item.get("data")), "text") if field(item, "type") == "user" else ""
