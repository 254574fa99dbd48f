"""What report.json states for whoever checks a pack: how many findings it holds and how many records each table has.

The report of a large pack is read a piece at a time, so that memory does not grow with it.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any, BinaryIO

_PIECE = 1 << 20
_LONGEST_VALUE = 64 * 1024 * 1024
"""Characters of one value that is held whole: a finding, the section of a framework."""
_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class _Text:
    """JSON text of which only the part that is looked at is held; raises ValueError for what is none."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._decode = file, codecs.getincrementaldecoder("utf-8")().decode
        self._held, self._at, self._over = "", 0, False

    def _more(self) -> bool:
        """Hold more of the text; False where there is no more."""
        if self._over:
            return False
        left = self._held[self._at :]
        if len(left) > _LONGEST_VALUE:
            raise ValueError("a value that is longer than any of a report")
        block = self._file.read(max(_PIECE, len(left)))
        self._over = not block
        self._held, self._at = left + self._decode(block, self._over), 0
        return True

    def mark(self) -> str:
        """The next character that is no blank, "" at the end."""
        while True:
            blanks = _BLANKS.match(self._held, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more():
                return ""

    def take(self, *marks: str) -> str:
        """Go past the next character, which is one of these."""
        found = self.mark()
        if found not in marks:
            raise ValueError("not JSON")
        self._at += 1
        return found

    def value(self) -> Any:
        """Go past the next value."""
        self.mark()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._held, self._at)
            except ValueError:
                if not self._more():
                    raise
                continue
            if end == len(self._held) and self._more():  # A number may go on.
                continue
            self._at = end
            return value

    def items(self) -> int:
        """Go past a list, one item after the other; how many there were."""
        self.take("[")
        if self.mark() == "]":
            self.take("]")
            return 0
        count = 1
        self.value()
        while self.take(",", "]") == ",":
            self.value()
            count += 1
        return count


def stated_in(file: BinaryIO) -> tuple[int, dict[str, Any]]:
    """The number of findings and what is stated under `records`; nothing of either where the file is no JSON object."""
    text, found, records = _Text(file), 0, {}
    try:
        text.take("{")
        while text.mark() != "}":
            name = text.value()
            text.take(":")
            listed = text.mark() == "["
            value = text.items() if listed else text.value()
            if name == "findings":
                found = value if listed else 0
            elif name == "records":
                records = value if isinstance(value, dict) else {}
            if text.mark() != "}":
                text.take(",")
                if text.mark() != '"':
                    raise ValueError("not JSON")
        text.take("}")
        text.take("")
    except (ValueError, RecursionError, OSError):
        return 0, {}
    return found, records
