"""Where in a TOML text the tables of an array and their keys stand."""

from __future__ import annotations

import re

from policy.diagnostics import Diagnostic, Severity

_QUIET = re.compile(
    r'"""(?:\\.|[^\\])*?"""|' + r"'''.*?'''" + r'|"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'|#[^\n]*",
    re.DOTALL,
)
_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*(?P<name>[\w.-]+)[ \t]*\]\]|^[ \t]*\[[^\[\]\n]+\]", re.MULTILINE)


class Places:
    """Finds a problem's line and column; where a key is not found, its table, and else the beginning of the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._bare = _QUIET.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)
        self._tables: dict[tuple[str, int], tuple[int, int]] = {}
        headers = list(_HEADER.finditer(self._bare))
        counts: dict[str, int] = {}
        for at, header in enumerate(headers):
            name = header.group("name")
            if name is None:
                continue
            end = next((one.start() for one in headers[at + 1 :] if one.group("name")), len(text))
            self._tables[name, counts.get(name, 0)] = header.start(), end
            counts[name] = counts.get(name, 0) + 1

    def at(
        self, severity: Severity, code: str, message: str, table: str = "", index: int = 0, key: str = "", part: str = ""
    ) -> Diagnostic:
        """A problem at a key of a table, at a text in its value where `part` is given."""
        start, end = self._span(table, index, key, part)
        line = self.text.count("\n", 0, start) + 1
        column = start - self.text.rfind("\n", 0, start)
        return Diagnostic(line, column, column + max(end - start, 1), severity, code, message)

    def _span(self, table: str, index: int, key: str, part: str) -> tuple[int, int]:
        first, last = self._tables.get((table, index), (0, 0))
        if last == 0 and table:
            found = re.compile(rf"^[ \t]*{re.escape(table)}\b", re.MULTILINE).search(self._bare)
            return found.span() if found else (0, 1)
        start = first + len(self.text[first:]) - len(self.text[first:].lstrip(" \t"))
        header = start, self._line_end(start)
        if not key:
            return header
        found = re.compile(rf"^[ \t]*({re.escape(key)})[ \t]*=", re.MULTILINE).search(self._bare, first, last)
        if found is None:
            return header
        if part:
            at = self.text.find(part, found.end(), last)
            if at >= 0:
                return at, at + len(part)
        return found.span(1)

    def _line_end(self, start: int) -> int:
        end = self.text.find("\n", start)
        return len(self.text.rstrip()) if end < 0 else end
