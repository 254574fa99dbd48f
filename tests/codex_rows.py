"""Records of Codex rollouts as the tests write them, and what a reader makes of several."""

from __future__ import annotations

import json
from typing import Any

from importers.codex import IMPORTER
from model.event import Event

THREAD = "019c8a4c-ed82-79a1-aa28-7738fc5ab61a"
PARENT = "019c8a4c-0000-79a1-aa28-7738fc5ab61a"


def row(kind: str, payload: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"timestamp": "2026-02-23T11:40:29.275Z", "type": kind, "payload": payload, **members}


def meta(**members: Any) -> dict[str, Any]:
    return row(
        "session_meta", {"id": THREAD, "cwd": "/home/ada/api", "originator": "codex_cli_rs", "cli_version": "0.104.0", **members}
    )


def item(kind: str, **members: Any) -> dict[str, Any]:
    return row("response_item", {"type": kind, **members})


def message(kind: str, **members: Any) -> dict[str, Any]:
    return row("event_msg", {"type": kind, **members})


def said(words: str, role: str = "user") -> dict[str, Any]:
    return item("message", role=role, content=[{"type": "input_text", "text": words}])


def call(name: str, arguments: object, **members: Any) -> dict[str, Any]:
    given = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return item("function_call", name=name, arguments=given, call_id="call_1", **members)


def output(value: object, kind: str = "function_call_output") -> dict[str, Any]:
    return item(kind, call_id="call_1", output=value)


def read(*rows: object, begin: dict[str, Any] | None = None) -> list[Event]:
    reader = IMPORTER.open()
    reader.read(begin or meta())
    return [event for one in rows for event in reader.read(one).events]
