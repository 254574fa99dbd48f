"""Zed's agent threads: rows of `threads` (`threads/threads.db`), whose `data` is a thread in JSON, mostly compressed, and threads by themselves.

A message is `User` or `Agent` with calls and results beside each other (0.3.0); before that one of a role, whose results stood with the
next one first (0.1.0) and then with its calls. No message has a time. Who let a call run is not kept: a refusal is told by the words
the program gives the model. Source: the program's types, permissions and tools; no recorded thread was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, Frame, call_id, field, scope_id, words_of
from importers.shared.chat import json_of
from importers.shared.fields import Json, first_text, mapping
from importers.shared.recent import remember
from importers.shared.transcript import Transcript, object_of, objects, row_of
from model.event import Attr, BadRecord, Event, Parsed
from model.words import EventKind, Phase, Tri

POINT = "zed"

_BESIDE = frozenset(
    {"profile", "cumulative_token_usage", "request_token_usage", "initial_project_snapshot", "detailed_summary", "imported"}
)
_KNOWN = frozenset({"User", "Agent", "Resume", "Compaction"})
_TERMINALS = frozenset({"terminal", "sandboxed_terminal"})
_RULES = re.compile(
    r"\A(?:Blocked by built-in security rule|Command blocked by security rule for |Blocked by global default: deny|"
    r"The terminal command could not be approved because |[a-z_]{1,64} tool is disabled\Z|"
    r"The [^\n]{1,100} tool cannot run because \d+ regex |The [^\n]{1,100} shell does not support \"always allow\" patterns)"
)
_DENIED = "Permission to run tool denied by user"
_CANCELED = ("Tool canceled by user", "MCP tool cancelled by user", "MCP tool canceled by user")
# A command that a person kept from running, or that failed, is no error to the program.
_KEPT = (
    "Command cancelled: user denied permission to run outside the sandbox",
    "Command cancelled: user denied the requested sandbox",
)
_STOPPED = "The user stopped this command."
_FAILED = re.compile(r'\ACommand ".*?" (?:failed with exit code (-?\d{1,10})\.|timed out\.)', re.DOTALL)
_BROKEN = ("Command terminated unexpectedly.", "Command failed or was interrupted.")
_NAMES = {"restore_file_from_disk": "write_file", "sandboxed_terminal": "terminal", "save_file": "write_file"}


class Zed:
    id = "zed"
    title = "Zed agent threads"
    evidence = "documentation"
    version = 1
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        rows = messages = older = 0
        for record in sample:
            if not isinstance(record, dict):
                continue
            _, row = row_of(record)
            rows += _is_row(row) or _is_thread(record)
            messages += _is_message(record)
            older += _is_older(record)
        if rows or messages * 2 > len(sample):
            return 93
        return 85 if older and older == len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_row(row: Json) -> bool:
    return row.get("data_type") in ("json", "zstd") and "data" in row and "summary" in row and "updated_at" in row


def _is_thread(record: Json) -> bool:
    """A thread by itself, or what stands beside its messages."""
    named = isinstance(record.get("title"), str) or isinstance(record.get("summary"), str)
    told = bool(_BESIDE & record.keys()) or field(record, "version") in ("0.1.0", "0.2.0", "0.3.0")
    return named and told and "updated_at" in record and isinstance(record.get("messages"), list)


def _is_message(record: Json) -> bool:
    if record.keys() == {"Agent"}:
        return isinstance(mapping(record["Agent"]).get("content"), list)
    return record.keys() == {"User"} and isinstance(mapping(record["User"]).get("content"), list)


def _is_older(record: Json) -> bool:
    named = isinstance(record.get("id"), int) and field(record, "role") in ("user", "assistant", "system")
    return named and isinstance(record.get("tool_uses"), list) and ("segments" in record or "text" in record)


class _Reader:
    """Rows of a database, or one thread: its head, then its messages."""

    def __init__(self) -> None:
        self._file = Transcript(POINT, unique_calls=False)
        self._tools: dict[str, str] = {}

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a thread, or a message of one")
        table, row = row_of(record)
        if _is_row(row):
            return self._row(row)
        if _is_thread(record):
            self._file.begin(None, record)
            return self._thread(record, {})
        if len(record) == 1 or _is_older(record):
            self._file.begin(None, record)
            parsed = Parsed(scope=self._file.session, type="message")
            self._message(record, parsed)
            return parsed
        if table:
            return Parsed(type=f"row/{table[:100]}", unknown_type=f"row/{table[:100]}")
        raise BadRecord("neither a row with `data_type` and `data`, nor a thread with `messages`, nor a message of one")

    def _row(self, row: Json) -> Parsed:
        thread = json_of(row.get("data"))
        if not isinstance(thread, dict) or not isinstance(thread.get("messages"), list):
            raise BadRecord(
                "the `data` of a thread is no JSON object with `messages`, or is compressed in a way that cannot be read"
            )
        self._file = Transcript(POINT, unique_calls=False)
        self._file.begin(row.get("id"), row)
        return self._thread(thread, row)

    def _thread(self, thread: Json, row: Json) -> Parsed:
        file, above = self._file, mapping(thread.get("subagent_context"))
        parent = first_text(row, "parent_id") or first_text(above, "parent_thread_id")
        if parent:
            call = first_text(above, "tool_use_id")
            file.parent(parent, f"{scope_id(parent)}/{call}" if call else "")
        before = mapping(thread.get("initial_project_snapshot"))
        folders = field(row, "folder_paths").split("\n") if row.get("folder_paths") else []
        folders = folders or [field(one, "worktree_path") for one in objects(before.get("worktree_snapshots"))]
        if len(folders) == 1:
            file.place(folders[0])
        file.know(model=field(mapping(thread.get("model")), "model"))
        frame = file.frame(row.get("created_at") or before.get("timestamp"))
        parsed = Parsed(scope=file.session, type="thread", at=frame.at)
        title = first_text(thread, "title", "summary")[:300]
        attrs: dict[str, Attr] = {"title": title} if title else {}
        parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs))
        parsed.events += file.posture(frame, field(thread, "profile"))
        for message in objects(thread.get("messages")):
            self._message(message, parsed)
        return parsed

    def _message(self, message: Json, parsed: Parsed) -> None:
        frame = self._file.frame()
        if field(message, "role"):
            parsed.events += self._older(message, frame)
            return
        kind = next(iter(message), "")
        told = mapping(message.get(kind))
        if kind == "User":
            parsed.events += self._said([one.get("Text") for one in objects(told.get("content"))], frame)
        elif kind == "Agent":
            results = mapping(told.get("tool_results"))
            for part in objects(told.get("content")):
                use = mapping(part.get("ToolUse"))
                if use and (use.get("is_input_complete") is not False or field(use, "id") in results):
                    parsed.events += self._call(use, frame)
            for name, result in results.items():
                parsed.events += self._result(name, mapping(result), frame)
        elif kind not in _KNOWN:
            parsed.unknown_type = f"message/{kind[:100]}"

    def _said(self, parts: list[object], frame: Frame) -> Iterator[Event]:
        words = "\n".join(part for part in parts if isinstance(part, str) and part.strip())
        if words:
            # An agent that another one started is told by that one what to do.
            child = any(key.role.value == "parent" for key in frame.scope)
            yield frame.intent(Phase.DELEGATED if child else Phase.PROMPT, words)

    def _older(self, message: Json, frame: Frame) -> Iterator[Event]:
        if field(message, "role") == "user" and message.get("is_hidden") is not True:
            said = [one.get("text") for one in objects(message.get("segments")) if one.get("type") == "text"]
            results = message.get("tool_results")
            yield from self._said(said or [message.get("text")], frame) if not results else ()
        for use in objects(message.get("tool_uses")):
            yield from self._call(use, frame)
        for result in objects(message.get("tool_results")):
            yield from self._result(field(result, "tool_use_id"), result, frame)

    def _call(self, use: Json, frame: Frame) -> Iterator[Event]:
        name, tool, given = call_id(use.get("id")) or self._file.unnamed_call(), field(use, "name"), use.get("input")
        if isinstance(given, dict) and given.keys() == {"type", "value"} and given["type"] in ("json", "text"):
            given = given["value"]
        if given is None or given == {}:
            given = json_of(use.get("raw_input"))
        remember(self._tools, name, tool, 10_000)
        yield from self._file.call(frame, name, tool, given, act=_act(tool, mapping(given)))

    def _result(self, name: str, result: Json, frame: Frame) -> Iterator[Event]:
        said, failed = _words(result.get("content")), result.get("is_error")
        tool = field(result, "tool_name") or self._tools.get(name, "")
        ok = Tri.NO if failed is True else Tri.YES if failed is False else Tri.UNKNOWN
        refused = code = ""
        if failed is True:
            refused = "user" if said.startswith(_DENIED) else "interrupted" if said.startswith(_CANCELED) else ""
            refused = refused or ("rule" if _RULES.match(said) else "")
        elif tool in _TERMINALS:
            ended = _FAILED.match(said)
            refused = "user" if said.startswith(_KEPT) else "interrupted" if said.startswith(_STOPPED) else ""
            ok = Tri.NO if ended or said.startswith(_BROKEN) else ok
            code = ended.group(1) or "" if ended else ""
        reason = said.partition("\n")[0] if refused else ""
        yield from self._file.result(frame, call_id(name), ok, said, refused=refused, reason=reason, status=code)


def _words(content: object) -> str:
    """The text of a result, which versions wrote in as many ways."""
    if isinstance(content, list):
        return "\n".join(words for one in content if (words := _words(one)))
    if isinstance(content, dict):
        return first_text(content, "Text", "text")
    return words_of(content)


def _act(tool: str, given: Json) -> Act:
    if tool in ("copy_path", "move_path"):
        given = {**given, "path": given.get("destination_path")}
    elif tool == "open" and (place := field(given, "path_or_url")):
        return act_of("fetch" if place.startswith(("http://", "https://")) else "open", {"url": place, "path": place})
    elif tool == "subagent":
        given = {**given, "prompt": given.get("task_prompt")}
    elif tool == "find_path":
        given = {"glob": given.get("glob")}
    return act_of(_NAMES.get(tool, tool), given)


IMPORTER = Zed()
