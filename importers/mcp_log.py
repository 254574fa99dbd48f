"""The logs that MCP clients keep of their servers (Claude Desktop's `mcp*.log`, Visual Studio Code's output): JSON-RPC within lines.

A line names the time, the sender and, in Claude Desktop's, the server; what it says besides of the server's process holds no
event. Each server is a connection of its own, whose name is no session. A wrapper that copies what passes writes the same
with a word or an arrow for the direction. Source: logs in public reports.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from importers.cutting.framing import Container
from importers.cutting.scanner import balanced
from importers.mcp import IMPORTER as MCP
from importers.mcp import McpReader, sender_named
from importers.shared.agents import field
from importers.shared.fields import mapping
from importers.shared.jsonrpc import direction, is_message
from lang.late import late
from model.event import BadRecord, Parsed

_LINE = late(
    r"(?P<at>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d{1,6}Z?) (?:\[(?P<one>[^\]\n]{1,200})\] )(?:\[(?P<two>[^\]\n]{1,200})\] )?"
    r"(?:Message from (?P<from>client|server): )?(?=(?P<json>\{)?)"
)
_COPIED = late(
    r"\[?(?P<at>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)\]?\s{1,4}"
    r"(?P<mark>[^{}\n]{1,40}?)\s{0,4}(?P<json>\{)"
)
_LEVELS = frozenset({"info", "debug", "trace", "error", "warn", "warning"})
_SENDERS = {"editor -> server": "client", "server -> editor": "server"}
_MANY = 1_000


class McpLog:
    id = "mcp-log"
    title = "MCP client log (Claude Desktop, Visual Studio Code)"
    evidence = "documentation"
    version = 2
    container: Container = "lines"

    def sniff(self, sample: Sequence[object]) -> int:
        lines = [field(mapping(record), "line") for record in sample]
        shaped = sum((_LINE.match(line) or _COPIED.match(line)) is not None for line in lines)
        found = [told for line in lines if (told := _told(line)) is not None]
        # Other protocols of agents and editors are copied in the same way.
        spoken = any("server" in told for told in found) or MCP.sniff([told["message"] for told in found])
        return 85 if shaped * 2 >= len(lines) and spoken else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    """One log; each server's traffic has a reader of its own."""

    def __init__(self) -> None:
        self._servers: dict[str, McpReader] = {}

    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not a line of a log")
        told = _told(field(record, "line"))
        if told is None:
            return Parsed(type="no message")
        server = field(told, "server")
        if server not in self._servers and len(self._servers) >= _MANY:
            self._servers.clear()
        return self._servers.setdefault(server, McpReader()).read(told)


def _told(line: str) -> dict[str, object] | None:
    """The message of a line with its time, server and sender; None where it holds none."""
    found = _LINE.match(line)
    if found is None or found["json"] is None:
        return _copied(line)
    marks = [mark for mark in (found["one"], found["two"]) if mark and mark not in _LEVELS]
    sender = found["from"] or next((_SENDERS[mark] for mark in marks if mark in _SENDERS), "")
    if not sender or (message := _message(line, found.end())) is None:
        return _copied(line)
    server = next((mark for mark in marks if mark not in _SENDERS), "")
    return {"timestamp": found["at"], "server": server, "direction": sender, "message": message}


def _copied(line: str) -> dict[str, object] | None:
    """The message of a line behind a time and a word for its direction."""
    found = _COPIED.match(line)
    sender = sender_named(direction({"direction": found["mark"].strip("[]():- ") or found["mark"]})) if found else ""
    if found is None or not sender or (message := _message(line, found.start("json"))) is None:
        return None
    return {"timestamp": found["at"], "direction": sender, "message": message}


def _message(line: str, begin: int) -> object | None:
    """The message that begins here, None where what stands here is none."""
    data = line[begin:].encode("utf-8", "surrogatepass")
    end, _ = balanced(data, 0)
    try:
        message = msgspec.json.decode(data[:end]) if end > 0 else None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return message if is_message(message) else None


IMPORTER = McpLog()
