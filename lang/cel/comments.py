"""Where the comments of a condition stand, so that what a comment takes in unmeant can be told."""

from __future__ import annotations

from collections.abc import Iterator

from lang.late import late

# A text that is not closed goes to the end at once: sought again from each of its signs it would cost the square.
_TEXT = late(
    r'[rR]"{3}(?:[^"]++|"(?!""))*+(?:"{3})?|[rR]\'{3}(?:[^\']++|\'(?!\'\'))*+(?:\'{3})?'
    r'|"{3}(?:\\[\s\S]|[^"\\]++|"(?!""))*+(?:"{3})?|\'{3}(?:\\[\s\S]|[^\'\\]++|\'(?!\'\'))*+(?:\'{3})?'
    r'|[rR]"[^"\r\n]*+"?|[rR]\'[^\'\r\n]*+\'?|"(?:\\.|[^"\\\r\n])*+"?|\'(?:\\.|[^\'\\\r\n])*+\'?'
    r"|(?P<comment>//[^\r\n]*)"
)


def comments(text: str) -> Iterator[tuple[int, int]]:
    """The offsets of each comment of a condition, its end exclusive."""
    for found in _TEXT.finditer(text):
        if found["comment"] is not None:
            yield found.span()
