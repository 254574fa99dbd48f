"""What Copilot CLI says of a call: how a command ended, which it writes behind what the command wrote, and why one did not run."""

from __future__ import annotations

import re

from importers.shared.agents import field
from importers.shared.fields import number
from importers.shared.transcript import objects
from model.words import Effect

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


_UNASKED = "could not request permission from user"
_BLOCKED = ("command not executed.", "command blocked:")


def refusal_of(code: str, said: str) -> tuple[str, Effect | None]:
    """By whom a call that failed was refused, "" where by nobody, and the decision where it is no plain denial.

    `code` is the program's own word for it, "" where it has none; `said` are its words, which begin the text.
    """
    why = said[:200].lower()
    if code in ("aborted", "cancelled") or why.startswith("operation aborted by user"):
        return "interrupted", Effect.UNKNOWN
    if _UNASKED in why:
        # The rules wanted a person, and nobody could be asked.
        return "rule", Effect.ASK
    if code == "rejected" or "user rejected" in why or "denied by the user" in why:
        return "user", None
    if code == "denied" or "denied by" in why:
        return ("hook" if "hook" in why else "rule"), None
    return ("rule" if why.startswith(_BLOCKED) else ""), None
