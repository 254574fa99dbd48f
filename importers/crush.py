"""Crush sessions, and those of the opencode written in Go that it grew from: rows of `sessions` and `messages`, and `session show --json`.

A message's `parts` are JSON text: `{"type": ..., "data": {...}}` each, laid flat in what the program prints. Who let a call run is not
kept but for a hook that said so; a refusal is told by the program's own words. Times are of the message, in seconds. What a session
cost is not told: it includes its sub-agents', whose own rows repeat it. Source: the published database schema and types; no recorded
session was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, Frame, field, mcp_act, scope_id
from importers.shared.chat import json_of
from importers.shared.fields import Json, first_text, mapping
from importers.shared.recent import remember
from importers.shared.transcript import Transcript, object_of, objects, row_of
from model.event import Attr, BadRecord, Event, Parsed
from model.words import Effect, EventKind, Phase, Tri

POINT = "crush"

_PARTS = frozenset({"text", "reasoning", "image_url", "binary", "tool_call", "tool_result", "finish", "shell_command"})
_ROLES = frozenset({"user", "assistant", "tool", "system"})
_BESIDE = frozenset({"files", "read_files", "goose_db_version"})
"""Tables beside the conversation: what calls wrote and read is told by the calls, with who asked for it."""
_SESSION = frozenset({"id", "title", "message_count", "prompt_tokens", "completion_tokens"})
_REFUSED = frozenset({"user denied permission", "permission denied"})
_STOPPED = frozenset({"tool execution canceled by user", "error: user cancelled assistant tool calling"})
_HOOK = re.compile(r"\A(?:Tool call blocked|Turn halted) by hook\. Reason: ")
_BANNED = "command is not allowed for security reasons: "
# What a command ended with stands behind all it wrote; an aborted one has no code.
_ENDED = re.compile(r"\n(?:Exit code (\d{1,9})|Command was aborted before completion)\s*+(?:<cwd>[^<]*+</cwd>\s*+)?\Z")
_BACKGROUND = ("Background shell started with ID", "Command is taking longer than expected and has been moved to background")
_CONTINUED = "The previous session was interrupted because it got too long"
_CALL_NAMED = re.compile(r"(?:call|toolu|tooluse)_.+")
_NAMES = {
    "agentic_fetch": "web_fetch", "download": "fetch", "job_kill": "kill_shell", "job_output": "bash_output", "lsp_diagnostics": "diagnostics",
    "lsp_references": "lsp", "sourcegraph": "web_search", "todos": "todo_write",
}  # fmt: skip


class Crush:
    id = "crush"
    title = "Crush sessions"
    evidence = "documentation"
    version = 1
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        found = told = 0
        for record in sample:
            if not isinstance(record, dict):
                continue
            table, row = row_of(record)
            parts = _parts(row)
            beside = table in _BESIDE and "session_id" in row and "path" in row
            if beside or _is_session(row) or _is_meta(record) or _is_message(row, parts):
                found += 1
            elif _is_printed(record):
                told += any(part.get("type") in ("tool_call", "tool_result", "finish") for part in parts or ())
        if found * 2 >= max(len(sample), 1):
            return 92
        return 70 if told else 0

    def open(self) -> _Reader:
        return _Reader()


def _parts(row: Json) -> list[Json] | None:
    """A message's parts; None where it has none in any shape."""
    parts = json_of(row.get("parts"))
    return objects(parts) if isinstance(parts, list) else None


def _is_message(row: Json, parts: list[Json] | None) -> bool:
    if parts is None or "session_id" not in row or field(row, "role") not in _ROLES:
        return False
    return any("data" in part for part in parts) or (not parts and "finished_at" in row)


def _is_session(row: Json) -> bool:
    return row.keys() >= _SESSION and "cost" in row and ("parent_session_id" in row or "created_at" in row)


def _is_meta(record: Json) -> bool:
    meta = mapping(record.get("meta"))
    return "uuid" in meta and "modified" in meta and isinstance(record.get("messages"), list)


def _is_printed(record: Json) -> bool:
    return field(record, "role") in _ROLES and "created" in record and "id" in record and isinstance(record.get("parts"), list)


def _spawning(session: str) -> str:
    """The call that began this session, which a sub-agent's is called by; "" for a person's session."""
    _, split, call = session.partition("$$")
    return call if split else session if _CALL_NAMED.fullmatch(session) else ""


class _Reader:
    """One database's table, or one session as it is printed: its head, then its messages."""

    def __init__(self) -> None:
        self._files: dict[str, Transcript] = {}
        self._printed = ""

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a session or message")
        table, row = row_of(record)
        if _is_meta(record):
            return self._head(record)
        if _is_session(row):
            return self._session(row, row.get("id"), row.get("created_at"))
        if (parts := _parts(row)) is not None and field(row, "role"):
            return self._message(row, parts)
        if table:
            kind = f"row/{table[:100]}"
            return Parsed(type=kind, unknown_type=None if table in _BESIDE else kind)
        raise BadRecord("neither a session (`title`, `message_count`) nor a message (`role` and a list of `parts`)")

    def _file(self, session: str, record: Json) -> Transcript:
        file = self._files.get(session)
        if file is None:
            file = Transcript(POINT, unique_calls=False)
            file.begin(session, record)
            remember(self._files, session, file, 1000)
        return file

    def _head(self, record: Json) -> Parsed:
        meta = mapping(record.get("meta"))
        self._printed = field(meta, "uuid")
        parsed = self._session(meta, self._printed, meta.get("created"))
        for message in objects(record.get("messages")):
            if _is_printed(message):
                parsed.events += self._message(message, _parts(message) or []).events
        return parsed

    def _session(self, row: Json, name: object, created: object) -> Parsed:
        session = name if isinstance(name, str) else ""
        file = self._file(session, row)
        if parent := field(row, "parent_session_id"):
            call = _spawning(session)
            file.parent(parent, f"{scope_id(parent)}/{call}" if call else "")
        file.place(first_text(row, "workspace_cwd"))
        frame = file.frame(created, ref=session)
        parsed = Parsed(scope=file.session, type="session", at=frame.at)
        if file.first("session", session):
            title = field(row, "title")[:300]
            attrs: dict[str, Attr] = {"title": title} if title else {}
            parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs))
        parsed.events += file.posture(frame, first_text(row, "permission_mode", "collaboration_mode", "agent_mode"))
        return parsed

    def _message(self, row: Json, parts: list[Json]) -> Parsed:
        session, role = first_text(row, "session_id") or self._printed, field(row, "role")
        file = self._file(session, row)
        file.know(model=field(row, "model"))
        frame = file.frame(row.get("created_at") or row.get("created"), ref=first_text(row, "id"))
        parsed = Parsed(scope=file.session, type=f"message/{role}"[:100], at=frame.at)
        if role not in _ROLES:
            parsed.unknown_type = parsed.type
        for part in parts:
            kind, flat = field(part, "type"), "data" not in part or isinstance(part.get("data"), str)
            data = part if flat else mapping(part.get("data"))
            if kind == "text" and role == "user":
                words = field(data, "text")
                if words.strip() and data.get("hidden") is not True and not words.startswith(_CONTINUED):
                    parsed.events.append(frame.intent(Phase.DELEGATED if _spawning(session) else Phase.PROMPT, words))
            elif kind == "tool_call":
                parsed.events += self._call(data, file, frame)
            elif kind == "tool_result":
                parsed.events += _result(data, file, frame, flat)
            elif kind not in _PARTS and not kind.startswith("_"):
                parsed.unknown_type = parsed.unknown_type or f"part/{kind[:100]}"
        return parsed

    def _call(self, data: Json, file: Transcript, frame: Frame) -> Iterator[Event]:
        if data.get("finished") is False:
            # It is still being written: the same message has it whole once the model is done.
            return
        name = first_text(data, "id", "tool_call_id") or file.unnamed_call()
        tool, given = field(data, "name"), json_of(data.get("input"))
        yield from file.call(frame, name, tool, given, act=_act(tool, given))


def _act(tool: str, given: object) -> Act:
    if tool.startswith("mcp_") and not tool.startswith("mcp__"):
        server, _, inner = tool[4:].partition("_")
        return mcp_act(server, inner, given)
    return act_of(_NAMES.get(tool, tool), given)


def _result(data: Json, file: Transcript, frame: Frame, flat: bool) -> Iterator[Event]:
    call, tool, said = first_text(data, "tool_call_id"), field(data, "name"), field(data, "content")
    hook = mapping(mapping(json_of(data.get("metadata"))).get("hook"))
    # What is printed leaves out what is false.
    failed = data.get("is_error") if "is_error" in data or not flat else False
    ok = Tri.NO if failed is True else Tri.YES if failed is False else Tri.UNKNOWN
    refused, reason, code = "", "", ""
    if failed is True:
        plain = said.strip().lower()
        blocked = _HOOK.match(said)
        refused = "user" if plain in _REFUSED else "interrupted" if plain in _STOPPED else "hook" if blocked else ""
        reason = said[blocked.end() :] if blocked else said if refused == "user" else ""
    elif tool == "bash" and (ended := _ENDED.search(said)) is not None:
        ok, code = Tri.NO, ended.group(1) or ""
        banned = said.strip().startswith(_BANNED)
        refused, reason = ("rule", said.strip().partition("\n")[0]) if banned else ("", "")
    elif tool == "bash" and said.startswith(_BACKGROUND):
        ok = Tri.UNKNOWN
    if field(hook, "decision") == "allow" and not refused:
        yield file.decision(frame, Effect.ALLOW, call, rule="hook", reason=field(hook, "reason"))
    yield from file.result(frame, call, ok, said, refused=refused, rule=refused, reason=reason, status=code)


IMPORTER = Crush()
