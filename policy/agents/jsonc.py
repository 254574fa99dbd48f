"""Where in a text of settings (`lang.jsonc`) a member stands, and what is wrong with it."""

from __future__ import annotations

import json
import re

from policy.diagnostics import Diagnostic, Severity


def diagnostic(text: str, path: tuple[str, ...], severity: Severity, code: str, message: str) -> Diagnostic:
    """A problem at the last member of a path of names; at the beginning of the text where the names are not found in turn."""
    at = end = 0
    for name in path:
        found = re.compile(re.escape(json.dumps(name, ensure_ascii=False)) + r"\s*:?").search(text, end)
        if found is None:
            break
        at, end = found.span()
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return Diagnostic(line, column, column + max(end - at, 1), severity, code, message)


def syntax(text: str, error: ValueError) -> Diagnostic:
    """What `loads` could not read, at its place."""
    line, column = (error.lineno, error.colno) if isinstance(error, json.JSONDecodeError) else (1, 1)
    message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    return Diagnostic(line, column, column + 1, "error", "syntax", f"not JSON: {message}; the program does not load this file")
