"""MCP requests that wait for their answer, and which of them an answer can belong to."""

from __future__ import annotations

from typing import NamedTuple

from importers.shared.fields import Json
from importers.shared.told import Told
from model.event import Key

_ANSWERS = {"content": "tools/call", "contents": "resources/read", "tools": "tools/list", "resources": "resources/list",
            "resourceTemplates": "resources/templates/list", "messages": "prompts/get", "prompts": "prompts/list",
            "protocolVersion": "initialize"}  # fmt: skip


class Asked(NamedTuple):
    """A request that waits for its answer."""

    method: str
    side: str
    key: Key
    told: Told
    server: str
    task: str = ""


class Nameless:
    """The open requests of one kind to one server in a capture that leaves out their ids, and how many answers fitted several."""

    def __init__(self) -> None:
        self.open = self.answers = 0
        self._only: Asked | None = None

    def asked(self, request: Asked) -> None:
        """One more is open; of several, none can be told by its answer."""
        self.open += 1
        self._only = request if self.open == 1 else None

    def answered(self) -> Asked | None:
        """The request that an answer belongs to, where only one is open."""
        only, self._only = self._only, None
        self.answers += 1
        if self.answers >= self.open:
            self.open = self.answers = 0
        return only


def fits(asked: Asked, side: str, server: str) -> bool:
    """Whether an answer from this side and server can be the request's; a gateway's servers count their ids each for itself."""
    return not (side and side == asked.side) and not (server and asked.server and server != asked.server)


def method_of(result: Json) -> str:
    """What was asked where an answer looks so: only a tool's has content. An error tells nothing: most are a tool's."""
    return next((method for name, method in _ANSWERS.items() if name in result), "tools/call")
