"""Permission modes and sandboxes: which of them, alone or together, let an agent act without anybody being asked."""

from __future__ import annotations

import msgspec

from model.event import Event
from model.words import Phase, Vantage

_NOBODY_ASKED = frozenset({"bypasspermissions", "yolo", "allow-all", "never+danger-full-access", "dangerously-skip-permissions"})
"""In lower case. Claude Code's `dontAsk` is none of them: what no rule allows beforehand is denied there, not done."""


class Mode(msgspec.Struct):
    """Permission mode and sandbox in force."""

    mode: str = ""
    sandbox: str = ""

    @property
    def effective(self) -> str:
        """One word for both: Codex is without a guard only where it neither asks nor is confined."""
        if self.mode.casefold() == "never" and self.sandbox.casefold() == "danger-full-access":
            return "never+danger-full-access"
        return self.mode

    @property
    def bypasses(self) -> bool:
        return asks_nobody(self.effective)


def asks_nobody(effective: str) -> bool:
    """Whether in this mode, as `Mode.effective` words it, everything is done unasked."""
    return effective.casefold() in _NOBODY_ASKED


def speaks_of_mode(event: Event) -> bool:
    """Whether an event states the mode or sandbox in force from here on: the agent itself, or its settings."""
    speaks = event.vantage is Vantage.AGENT or event.phase is Phase.POSTURE
    return speaks and bool(event.attrs.get("mode") or event.attrs.get("sandbox"))
