"""How a command of Copilot's ended, as the program writes it behind what the command wrote."""

from __future__ import annotations

import re

from importers.shared.agents import field
from importers.shared.fields import number
from importers.shared.transcript import objects

_NAME = r"(?:shellId|sessionId|id): [^\s<>]{1,100}"
_EXITED = re.compile(rf"<(?:(?:command with )?{_NAME} )?(?:exited|completed) with exit code (-?\d{{1,9}})>\s*$")
_RUNNING = re.compile(
    rf"<command (?:started in (?:detached )?background with {_NAME}|with {_NAME} (?:is still running|moved to background)\b[^<>]{{0,1000}})>\s*$"
)
_TAIL = 1_500
_BLOCKS = ("shell_exit", "terminal")


def shell_end(said: str, blocks: object = None) -> tuple[str, bool]:
    """The exit code, "" where none is told, and whether the command still runs.

    `said` is the text of a result, `blocks` its structured content where the version writes one.
    """
    for one in objects(blocks):
        if field(one, "type") in _BLOCKS and (code := number(one.get("exitCode"))) is not None:
            return str(code), False
    tail = said[-_TAIL:]
    if exited := _EXITED.search(tail):
        return exited.group(1), False
    return "", _RUNNING.search(tail) is not None
