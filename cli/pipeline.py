"""What pipelines read: JUnit XML and SARIF 2.1.0, written beside the command's own output.

SARIF: OASIS Static Analysis Results Interchange Format 2.1.0. JUnit XML has no standard; this is the form that the common
readers agree on (testsuites, testsuite, testcase with failure, error or skipped).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from lang.safe import safe_line
from lang.sarif import LONGEST, Level, log, message, physical
from review.errors import UnreadableError

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Case(NamedTuple):
    """One test: `problem` is "" where it passed; `skipped` says that it could not be judged."""

    group: str
    name: str
    problem: str = ""
    skipped: bool = False


class Result(NamedTuple):
    """One thing to say at a line of a file (0 where no line is known); `rule` names the kind of thing."""

    rule: str
    level: Level
    message: str
    file: str
    line: int = 0
    column: int = 0


def junit(suite: str, cases: Sequence[Case]) -> str:
    """The cases as JUnit XML, grouped as `classname`."""
    failed = sum(bool(case.problem) and not case.skipped for case in cases)
    skipped = sum(case.skipped for case in cases)
    counts = f'tests="{len(cases)}" failures="{failed}" errors="0" skipped="{skipped}"'
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="remit" {counts}>',
        f"  <testsuite name={_quoted(suite)} {counts}>",
    ]
    for case in cases:
        head = f"    <testcase classname={_quoted(case.group)} name={_quoted(case.name)}"
        if not case.problem and not case.skipped:
            out.append(head + "/>")
        else:
            kind = "skipped" if case.skipped else "failure"
            out += [head + ">", f"      <{kind} message={_quoted(case.problem)}/>", "    </testcase>"]
    return "\n".join([*out, "  </testsuite>", "</testsuites>", ""])


def _quoted(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", safe_line(text, LONGEST)))


def sarif(results: Sequence[Result]) -> str:
    """The results as one SARIF run; files as relative or absolute URIs, lines and columns from 1."""
    names = sorted({one.rule for one in results})
    told = log(version("remit"), [{"id": name} for name in names], [_result(one, names.index(one.rule)) for one in results])
    return json.dumps(told, indent=2) + "\n"


def _result(one: Result, index: int) -> dict[str, Any]:
    return {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": one.level,
        "message": message(one.message),
        "locations": [physical({"uri": _uri(one.file)}, one.line, one.column)],
    }


def _uri(name: str) -> str:
    path = Path(name)
    if path.is_absolute():
        return path.as_uri()
    return quote(path.as_posix()) if name != "-" else "stdin"


def write(path: str | None, text: str) -> None:
    """Write a report where one was asked for; raises UnreadableError with the reason."""
    if path is None:
        return
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise UnreadableError(f"cannot write {path}: {error.strerror}") from error
