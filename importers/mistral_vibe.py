"""Mistral Vibe: the messages of a session (`messages.jsonl`), what stands beside them (`meta.json`), and both in one file as before 2.0.

No message has a time. How a call went is told by what the model was given: a mark for errors and for what a person stopped, the
program's own words for what its rules refuse, and the members of the result where it went well. Sessions are called by the first eight
digits of their id, which the folder has and a message has not. Source: the program's types and its loop; no recorded session was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.shared.agent_tools import act_of
from importers.shared.agents import Frame, call_id, field, words_of
from importers.shared.chat import json_of
from importers.shared.fields import Json, mapping
from importers.shared.transcript import Transcript, object_of, objects
from model.event import Attr, BadRecord, Event, Parsed
from model.words import EventKind, Phase, Tri

POINT = "vibe"

_ROLES = frozenset({"user", "assistant", "tool"})
_FOLDER = re.compile(r"_\d{8}_\d{6}_([0-9a-f]{8})(?:\.json)?\Z")
_MARKED = re.compile(r"\A<(tool_error|user_cancellation)>(.*)</\1>\s*\Z", re.DOTALL)
_HOOK = re.compile(r"\ATool '[^']{1,300}' was denied by hook '")
_RULED = re.compile(
    r"\A(?:Tool '[^'\n]{1,300}' is permanently disabled\Z|Tool execution not permitted\.\Z|"
    r"Command denied: '.*' (?:matches denylist pattern '|is not allowed as a standalone command))",
    re.DOTALL,
)
_INTERRUPTED = ("Tool execution interrupted by user.", "Tool execution interrupted - no response available")
_CODE = re.compile(r"\nReturn code: (-?\d{1,9})")
_MEMBERS = re.compile(r"\A[a-z][a-z0-9_]{0,60}: ")
_ENDED = re.compile(r"\nreturncode: (-?\d{1,9})\s*\Z")
_BROKEN_OFF = re.compile(r"\A(?:ok: False\n|response: .*\nturns_used: \d{1,9}\ncompleted: False\s*\Z)", re.DOTALL)
_PROGRAMS = ("<vibe_warning>", "<vibe_stop_event>")


class MistralVibe:
    id = "mistral-vibe"
    title = "Mistral Vibe sessions"
    evidence = "documentation"
    version = 1
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        records = [record for record in sample if isinstance(record, dict)]
        if any(_is_meta(record) or _is_whole(record) for record in records):
            return 92
        told = sum(_is_message(record) for record in records)
        return 88 if told and told == len(sample) and any("injected" in record for record in records) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_meta(record: Json) -> bool:
    told = isinstance(record.get("session_id"), str) and isinstance(record.get("start_time"), str) and "username" in record
    return told and "working_directory" in mapping(record.get("environment"))


def _is_whole(record: Json) -> bool:
    return _is_meta(mapping(record.get("metadata"))) and isinstance(record.get("messages"), list)


def _is_message(record: Json) -> bool:
    named = isinstance(record.get("injected"), bool) and ("message_id" in record or "tool_call_id" in record)
    return field(record, "role") in _ROLES and named


class _Reader:
    """One session: what is known of it, or its messages."""

    def __init__(self) -> None:
        self._file = Transcript(POINT, unique_calls=False)
        self._session = self._above = ""

    def lies_at(self, place: str) -> None:
        """The folder, or the file of both, ends in the beginning of the session's id."""
        parts = place.replace("\\", "/").replace("!", "/").split("/")
        found = [(at, match.group(1)) for at, part in enumerate(parts) if (match := _FOLDER.search(part))]
        if found:
            at, self._session = found[-1]
            # What a sub-agent does is kept within the folder of the session that started it.
            self._above = next((name for above, name in found if above == at - 2 and parts[at - 1] == "agents"), "")

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a message, or what is known of a session")
        if _is_whole(record):
            return self._meta(mapping(record.get("metadata")), record)
        if _is_meta(record):
            return self._meta(record, record)
        role = field(record, "role")
        if not role:
            raise BadRecord(
                "neither a message (`role`) nor what is known of a session (`session_id`, `start_time`, `environment`)"
            )
        self._begin(self._session, record)
        parsed = Parsed(list(self._message(role, record)), scope=self._file.session, type=f"message/{role}"[:100])
        if role not in _ROLES and role != "system":
            parsed.unknown_type = parsed.type
        return parsed

    def _begin(self, session: str, record: Json) -> None:
        self._file.begin(session, record)
        self._file.parent(self._above)

    def _meta(self, meta: Json, record: Json) -> Parsed:
        file = self._file
        self._begin(self._session or field(meta, "session_id")[:8], meta)
        file.parent(field(meta, "parent_session_id")[:8])
        file.place(field(mapping(meta.get("environment")), "working_directory"))
        config = mapping(record.get("config")) or mapping(meta.get("config"))
        file.know(branch=field(meta, "git_branch"), model=field(config, "active_model"))
        frame = file.frame(meta.get("start_time"))
        parsed = Parsed(scope=file.session, type="session", at=frame.at)
        title = field(meta, "title")[:300]
        attrs: dict[str, Attr] = {"title": title} if title else {}
        parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs))
        profile = mapping(record.get("agent_profile")) or mapping(meta.get("agent_profile"))
        parsed.events += file.posture(frame, field(profile, "name"))
        for message in objects(record.get("messages")):
            parsed.events += self._message(field(message, "role"), message)
        return parsed

    def _message(self, role: str, message: Json) -> Iterator[Event]:
        frame = self._file.frame(ref=call_id(message.get("message_id")))
        words = words_of(message.get("content"))
        if role == "user" and message.get("injected") is not True and words.strip() and not words.startswith(_PROGRAMS):
            phase = Phase.DELEGATED if self._above else Phase.PROMPT
            yield frame.intent(phase, words, branch=str(self._file.facts.get("branch", "")))
        elif role == "assistant":
            for call in objects(message.get("tool_calls")):
                made = mapping(call.get("function"))
                name, tool, given = call_id(call.get("id")), field(made, "name"), json_of(made.get("arguments"))
                yield from self._file.call(frame, name or self._file.unnamed_call(), tool, given, act=act_of(tool, given))
        elif role == "tool":
            yield from self._result(call_id(message.get("tool_call_id")), words, frame)

    def _result(self, call: str, said: str, frame: Frame) -> Iterator[Event]:
        marked = _MARKED.match(said)
        kind, inner = marked.groups() if marked else ("", said)
        ended = _ENDED.search(said) if not kind else _CODE.search(inner)
        code = ended.group(1) if ended else ""
        refused = ""
        if kind == "user_cancellation":
            refused = "interrupted" if inner.startswith(_INTERRUPTED) else "user"
        elif kind == "tool_error":
            refused = "hook" if _HOOK.match(inner) else ""
        elif _RULED.match(said):
            refused = "rule"
        ok = Tri.NO if kind or _BROKEN_OFF.match(said) or code not in ("", "0") else Tri.UNKNOWN
        if ok is Tri.UNKNOWN and _MEMBERS.match(said):
            ok = Tri.YES
        yield from self._file.result(
            frame, call, ok, said, refused=refused, reason=inner if refused else "", status="" if refused else code
        )


IMPORTER = MistralVibe()
