"""What every SARIF 2.1.0 log of ours has in common (OASIS Static Analysis Results Interchange Format, errata 01)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from lang.safe import safe_line

Level = Literal["error", "warning", "note", "none"]
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LONGEST = 2_000
_LINK = re.compile(r"\[[^\]]*\]\(")
_BRACKETS = re.compile(r"([\\\[\]])")


def log(version: str, rules: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A log of one run; `more` are further properties of the run."""
    driver = {"name": "Remit", "version": version, "rules": list(rules)}
    tool = {"driver": driver | more.pop("driver", {})}
    run = {"tool": tool, "columnKind": "unicodeCodePoints", "results": list(results), **more}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def message(text: str) -> dict[str, str]:
    """Foreign text as a plain-text message; brackets that a viewer would take for a link are escaped."""
    line = safe_line(text, LONGEST)
    return {"text": _BRACKETS.sub(r"\\\1", line) if _LINK.search(line) else line}


def physical(artifact: dict[str, Any], line: int = 0, column: int = 0) -> dict[str, Any]:
    """A location in an artifact; lines and columns count from 1, 0 is none known."""
    place: dict[str, Any] = {"artifactLocation": artifact}
    if line > 0:
        place["region"] = {"startLine": line} | ({"startColumn": column} if column > 0 else {})
    return {"physicalLocation": place}
