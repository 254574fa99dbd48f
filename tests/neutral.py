"""Records of the neutral format (`remit-events`) for tests that need any log at all."""

from __future__ import annotations

from typing import Any


def happened(name: str, **more: Any) -> dict[str, Any]:
    """An action an agent told of; `name` is its id and its text."""
    event = {
        "format": "remit-events",
        "version": 1,
        "id": name,
        "time": "2026-03-17T10:00:00Z",
        "kind": "action",
        "vantage": "agent",
        "point": "test",
        "verb": "exec",
        "text": name,
    }
    return event | more
