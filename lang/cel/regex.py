"""Texts a regular expression cannot match without: they are looked for first, because that is far quicker."""

from __future__ import annotations

from functools import lru_cache

_SPECIAL = frozenset("\\.+*?()|[]{}^$")


@lru_cache(maxsize=512)
def required(pattern: str) -> tuple[str, ...]:
    """Literal texts that occur in every match of an RE2 pattern; () where none can be told.

    Only the top level is read: what stands in groups, classes and escapes of letters is skipped, a character with an
    optional quantifier is dropped, and an alternation or a flag group anywhere gives (). Cautious by construction:
    a text left out costs time, never an answer.
    """
    if "|" in pattern or "(?" in pattern or "\\Q" in pattern:
        return ()
    found: list[str] = []
    run: list[str] = []
    i, size, depth = 0, len(pattern), 0

    def end() -> None:
        if run:
            found.append("".join(run))
            run.clear()

    while i < size:
        char = pattern[i]
        if char == "[":
            end()
            i = _class_end(pattern, i)
            continue
        if char == "\\":
            literal = pattern[i + 1 : i + 2]
            i += 2
            if not literal or literal.isalnum():
                end()
                if literal in ("x", "p", "P") and pattern[i : i + 1] == "{":
                    i = pattern.find("}", i) + 1 or size
                elif literal == "x":
                    i += 2
                elif literal in ("p", "P"):
                    i += 1
                elif literal.isdigit():
                    return ()
                continue
            char = literal
        elif char in _SPECIAL:
            if char in "*?" or char == "{":
                if run:
                    run.pop()
                if char == "{":
                    i = pattern.find("}", i)
                    if i < 0:
                        return ()
            end()
            depth += (char == "(") - (char == ")")
            i += 1
            continue
        else:
            i += 1
        if depth == 0:
            run.append(char)
    end()
    return tuple(sorted(set(found), key=lambda t: (-len(t), t))[:4])


def _class_end(pattern: str, i: int) -> int:
    """Index after the character class that begins at `i`."""
    i += 1
    if pattern[i : i + 1] == "^":
        i += 1
    if pattern[i : i + 1] == "]":
        i += 1
    while i < len(pattern) and pattern[i] != "]":
        if pattern.startswith("[:", i):
            close = pattern.find(":]", i)
            i = close + 2 if close >= 0 else i + 1
        else:
            i += 2 if pattern[i] == "\\" else 1
    return i + 1
