"""A record that carriers carry in tests, and how they pack it."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

OPA: dict[str, Any] = {
    "decision_id": "4ca636c1-55e4-417a-b1d8-4aceb67960d1",
    "input": {"method": "GET"},
    "labels": {"id": "1"},
    "path": "http/example/authz/allow",
    "result": True,
    "timestamp": "2026-03-01T10:00:00Z",
}
LINE = json.dumps(OPA)


def packed(line: str) -> str:
    return base64.b64encode(line.encode()).decode()


def zipped(line: str) -> str:
    return base64.urlsafe_b64encode(gzip.compress(line.encode())).decode()
