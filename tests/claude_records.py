"""Records of Claude Code's transcripts to test with, and what is read of them."""

from __future__ import annotations

from typing import Any

from importers.claude_code import IMPORTER
from model.event import Event
from model.words import EventKind

SESSION = "5c0375b4-57a5-4f26-b12d-d022ee4e51b7"


def record(kind: str, **members: Any) -> dict[str, Any]:
    return {
        "parentUuid": "u0",
        "isSidechain": False,
        "cwd": "/home/ada/work/api",
        "sessionId": SESSION,
        "version": "2.1.42",
        "gitBranch": "main",
        "type": kind,
        "uuid": "u1",
        "timestamp": "2026-01-02T03:04:05.678Z",
        **members,
    }


def calls(*blocks: dict[str, Any], **members: Any) -> dict[str, Any]:
    return record("assistant", message={"role": "assistant", "model": "m", "content": list(blocks)}, **members)


def call(name: str, id: str = "toolu_1", **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": name, "input": given}


def result(content: object, failed: bool | None = None, id: str = "toolu_1", **members: Any) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": id, "content": content}
    if failed is not None:
        block["is_error"] = failed
    return record("user", message={"role": "user", "content": [block]}, **members)


def prompt(words: object, **members: Any) -> dict[str, Any]:
    return record("user", message={"role": "user", "content": words}, **members)


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


def only(events: list[Event], kind: EventKind) -> Event:
    (event,) = [event for event in events if event.kind is kind]
    return event


def attached(kind: str, **members: Any) -> dict[str, Any]:
    return record("attachment", attachment={"type": kind, **members})


REJECTED = (
    "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. ...). To tell you how to proceed, "
)
