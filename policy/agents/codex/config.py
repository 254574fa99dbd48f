"""The two settings of Codex's `config.toml` that decide whether the program starts and what it asks."""

from __future__ import annotations

import re
import tomllib

from policy.diagnostics import Diagnostic

_POLICIES = ("on-failure", "on-request", "never")
_SANDBOXES = ("read-only", "workspace-write", "danger-full-access")


def problems(text: str) -> list[Diagnostic]:
    """What in a configuration stops the program, at its line."""
    try:
        stated = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        found = re.search(r"line (\d+), column (\d+)", what)
        line, column = (int(found[1]), int(found[2])) if found else (1, 1)
        return [Diagnostic(line, column, column + 1, "error", "no-load", f"not TOML: {what}: the program does not start")]
    made: list[Diagnostic] = []
    policy, sandbox = stated.get("approval_policy"), stated.get("sandbox_mode")
    if policy == "untrusted":
        made.append(_at(text, "approval_policy", "`untrusted` is no longer supported here; take the setting out"))
    elif policy is not None and policy not in _POLICIES and not (isinstance(policy, dict) and list(policy) == ["granular"]):
        made.append(_at(text, "approval_policy", f"{policy!r} is no approval policy; write on-request, granular or never"))
    if sandbox is not None and sandbox not in _SANDBOXES:
        made.append(
            _at(text, "sandbox_mode", f"{sandbox!r} is no sandbox; write read-only, workspace-write or danger-full-access")
        )
    return made


def _at(text: str, name: str, message: str) -> Diagnostic:
    found = re.search(rf"^[ \t]*({name})\b", text, re.MULTILINE)
    at = found.start(1) if found else 0
    line, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
    return Diagnostic(line, column, column + len(name), "error", "no-load", f"{message}: the program does not start")
