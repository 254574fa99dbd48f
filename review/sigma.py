"""Sigma rules to own detections: reads the files, names what cannot be carried over."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import msgspec

from lang.sigma import Carried, Refused, carry_over, document
from review.errors import RemitError, UnreadableError


class Imported(msgspec.Struct):
    """The document to write, the ids in it, and `[{"file", "rule", "reason"}]` of what is not in it."""

    document: str
    ids: list[str]
    refused: list[dict[str, str]]


def import_rules(paths: list[str]) -> Imported:
    """Carry the rules of these files and folders over; raises where one cannot be read or pySigma is not installed."""
    if find_spec("sigma") is None:
        raise RemitError("Sigma rules are read by pySigma, which is not installed: install remit[sigma]")
    carried: dict[str, Carried] = {}
    refused: list[dict[str, str]] = []
    for path in paths:
        for file in _files(Path(path)):
            for one in carry_over(_read(file)):
                if isinstance(one, Refused):
                    refused.append({"file": str(file), "rule": one.rule, "reason": one.reason})
                elif one.id in carried:
                    refused.append({"file": str(file), "rule": one.title, "reason": f"its id {one.id} is taken by another rule"})
                else:
                    carried[one.id] = one
    return Imported(document(list(carried.values())) if carried else "", list(carried), refused)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.suffix in (".yml", ".yaml") and p.is_file())
    return [path]


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UnreadableError(f"cannot read the Sigma rule {path}: {reason}") from error
