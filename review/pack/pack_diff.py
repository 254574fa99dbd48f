"""Two evidence packs beside each other, and whether what differs crosses a threshold somebody set."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

import msgspec

from reports.compared_words import sentences
from reports.comparing import compare
from reports.difference import Comparison, FindingChange
from reports.earlier import Altered, read_report
from reports.errors import PackError
from review.documents import Doc
from review.errors import AlteredError, RemitError, UnreadableError


def _severe(word: str) -> Callable[[Comparison], bool]:
    return lambda found: any(f.severity == word and f.group == "open" for f in found.new_findings)


def _late(one: FindingChange) -> bool:
    was, now = (side.get("overdue") if isinstance(side, dict) else None for side in one.changed.get("remedy", (None, None)))
    return bool(now) and not was


THRESHOLDS: dict[str, tuple[str, Callable[[Comparison], bool]]] = {
    "new-critical": ("a critical finding that is open and new", _severe("critical")),
    "new-high": ("a high finding that is open and new", _severe("high")),
    "new-finding": ("any open finding that is new", lambda c: any(f.group == "open" for f in c.new_findings)),
    "reopened": (
        "a finding whose verdict no longer holds",
        lambda c: any(f.changed.get("state", ("", ""))[1] == "reopened" for f in c.changed_findings),
    ),
    "overdue": (
        "a finding of both that was not put right when it was due, as of the new report alone",
        lambda c: any(map(_late, c.changed_findings)),
    ),
    "worse-control": (
        "a control with a worse result, more open exceptions, or of which less is known",
        lambda c: any(one.direction in ("worse", "less known") for one in c.controls),
    ),
    "source-gone": ("a source that the new report no longer has", lambda c: bool(c.sources.gone)),
    "coverage-gone": ("an enforcement point no longer seen", lambda c: bool(c.coverage.gone or c.expected_unseen.added)),
    "any": ("any difference", lambda c: not c.same),
}
"""What `--fail-on` may name: what it means, and whether it is so."""


def chosen_thresholds(text: str | None) -> list[str]:
    """The names of a comma-separated list, hyphens and underscores alike; raises RemitError with the nearest for an unknown one."""
    found = []
    for name in (part.strip().replace("_", "-") for part in (text or "").split(",") if part.strip()):
        if name not in THRESHOLDS:
            near = get_close_matches(name, THRESHOLDS, n=1, cutoff=0) or ["any"]
            raise RemitError(f"--fail-on does not know {name[:80]!r}; did you mean {near[0]}? It takes {', '.join(THRESHOLDS)}")
        found.append(name)
    return found


def diff_packs(old: Path, new: Path) -> Comparison:
    """Compare two packs; raises UnreadableError where one cannot be read, AlteredError where it is not what its manifest lists."""
    try:
        return compare(read_report(old).document, read_report(new).document)
    except Altered as error:
        raise AlteredError(str(error)) from error
    except PackError as error:
        raise UnreadableError(str(error)) from error


def crossed(found: Comparison, thresholds: list[str]) -> list[str]:
    """Those of the thresholds that the difference crosses."""
    return [name for name in thresholds if THRESHOLDS[name][1](found)]


def diff_document(found: Comparison, over: list[str]) -> Doc:
    """The shape of `remit report diff --json`."""
    return {"schema": "remit-report-diff/1", **msgspec.to_builtins(found), "crossed": over}


def diff_sentences(found: Comparison, *, whole: bool = False) -> list[str]:
    """What differs, each difference a sentence; `whole` tells of every one."""
    return sentences(found, None) if whole else sentences(found)
