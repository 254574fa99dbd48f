"""Regular expressions of RE2 in other engines: passed on where the engine is RE2 itself, or where every engine agrees."""

from __future__ import annotations

import re

from history.problems import Lacking

_RE2 = ("duckdb", "clickhouse")
# Classes of Unicode and single bytes depend on the release of RE2 an engine was built with, or on how it was set up.
_UNSURE = re.compile(r"\\[pPCQE]|\[\[:|\(\?[a-zA-Z]*[sUu]")
# Literals, ASCII classes, groups, alternatives, simple repetition and `^`: the same in RE2 and in Java. Not `.` and `$`,
# which read line ends differently, nor repetition of repetition, which is possessive in Java.
_PLAIN = re.compile(
    r"(?:[A-Za-z0-9 _/:@,;=~%&#!\"'<>-]|\\[.\-/+*?()\[\]{}|^$\\]|\[[A-Za-z0-9 _./:-]+\]|\((?!\?)|[)|^]|(?:[*+?]|\{[0-9]{1,3}\})(?![*+?{]))*\Z"
)


def searched(pattern: str, dialect: str) -> str:
    """The pattern as an engine has to be given it; raises Lacking where it may read it otherwise."""
    if dialect in _RE2:
        if _UNSURE.search(pattern) or not pattern.isascii():
            raise Lacking("matches", "with this pattern")
        # ClickHouse lets `.` match line ends unless told otherwise.
        return f"(?-s){pattern}" if dialect == "clickhouse" else pattern
    if dialect == "pyspark" and _PLAIN.match(pattern):
        return pattern
    raise Lacking("matches", "with this pattern")
