"""Invariant traces, and other logs of conversations in the common message form: one trace a line, or one message a record.

Nothing has a time; a call id is unique within its trace at most. Source: the Explorer's sample data.
"""

from __future__ import annotations

from collections.abc import Sequence

from importers.shared.chat import ROLES, chat_events, is_chat, json_of, role_of
from importers.shared.fields import Json, first_text, is_session_id, mapping
from importers.shared.transcript import Transcript, objects
from model.event import BadRecord, Parsed

POINT = "invariant"


class Invariant:
    id = "invariant"
    title = "Invariant traces and plain conversations"
    evidence = "real"
    version = 4
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        traces = sure = messages = about = calls = 0
        for record in sample:
            found = mapping(record)
            if is_chat(_held(found) if found else record):
                traces += 1
                sure += isinstance(record, list) or "annotations" in found or "index" in found
            elif role_of(found) in ROLES and "content" in found:
                messages += 1
                calls += "tool_calls" in found or "tool_call_id" in found
            elif found and found.keys() <= {
                "metadata",
                "id",
                "trace_id",
                "thread_id",
                "index",
                "messages",
                "annotations",
                "feedback",
            }:
                about += 1
        if traces and (traces + about) * 2 > len(sample):
            return 70 if sure else 55
        return (
            45 if messages * 2 > len(sample) and (calls or about) else 30 if messages and messages + about == len(sample) else 0
        )

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT, unique_calls=False, model_calls=True)

    def read(self, record: object) -> Parsed:
        rows = record if isinstance(record, list) else None
        about: Json = mapping(record)
        if {"messages", "trajectory"} & about.keys():
            rows = _held(about)
        if rows is not None:
            if not is_chat(rows) and rows:
                raise BadRecord("a trace whose messages are not objects with a known `role` or `type`")
            return self._trace(rows, about)
        if "role" in about or role_of(about):
            if role_of(about) not in ROLES:
                raise BadRecord("a message whose `role` is none of those known")
            self._file.begin(None, record)
            parsed = Parsed(scope=self._file.session, type="message")
            parsed.events = list(chat_events(self._file, about, self._file.frame(about.get("timestamp"))))
            return parsed
        if {"metadata", "annotations", "index", "address", "feedback"} & about.keys():
            if session := _session(about):
                # Of a trace by itself the messages come one by one behind what is said of it.
                self._file = Transcript(POINT, unique_calls=False, model_calls=True)
                self._file.begin(session)
            return Parsed(type="metadata")
        raise BadRecord("neither a trace (a list of messages, or `messages`) nor a message (`role`)")

    def _trace(self, rows: list[object], about: Json) -> Parsed:
        self._file = file = Transcript(POINT, unique_calls=False, model_calls=True)
        file.begin(_session(about) or None, [about, rows])
        parsed = Parsed(scope=file.session, type="trace")
        for row in objects(rows):
            parsed.events += chat_events(file, row, file.frame(row.get("timestamp")))
        return parsed


def _held(about: Json) -> list[object]:
    """The messages of a trace: a list, or in published collections a text that holds one, and by either name."""
    found = json_of(about.get("messages") or about.get("trajectory"))
    return found if isinstance(found, list) else []


def _session(about: Json) -> str:
    """The trace's own id, else the session that its metadata names."""
    stated = mapping(about.get("metadata"))
    named = (found for name in stated if is_session_id(name) and (found := first_text(stated, name)))
    return first_text(about, "id", "trace_id", "thread_id", "trajectory_id", "traj_id") or next(named, "")


IMPORTER = Invariant()
