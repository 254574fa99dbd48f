"""Answers of agents' own rules as documents, and the requests they are asked with, read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import msgspec

from model.words import Effect
from policy.agents.base import Answer, RuleFile
from policy.agents.calls import named
from policy.diagnostics import Diagnostic
from review.documents import Doc

_HALVES = re.compile(r"\\u[dD][89a-fA-F]")


def problem_document(file: str, problem: Diagnostic) -> Doc:
    return {"file": file, **msgspec.to_builtins(problem)}


def read_json(text: str) -> object:
    """The value of a JSON text; half of a character pair is replaced, as an agent does when it writes it out."""
    value: object = json.loads(text)
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")) if _HALVES.search(text) else value


def unread(where: str, error: Exception) -> Doc:
    """What stands in the place of an answer to a request that cannot be read."""
    said = f"not JSON: {error}" if isinstance(error, json.JSONDecodeError) else str(error) or "nested too deeply"
    return answer_document(Answer(Effect.UNKNOWN, reason=f"{where}: {said}")) | {"error": f"{where}: {said}"}


def stated_trust(files: Sequence[RuleFile]) -> bool | None:
    """Whether the layers of the files say that the project is trusted; None where they say nothing of it."""
    held = {file.layer for file in files}
    return False if "project-untrusted" in held else True if "project" in held else None


def answer_document(answer: Answer) -> Doc:
    """An answer in the shape of `remit policy explain`; a fact that is missing is named as a request would name it."""
    by = [answer.rule, *(part.rule for part in answer.parts)]
    open_ = answer.effect is Effect.UNKNOWN and not answer.silent and answer.missing
    return {
        "effect": "none" if answer.silent else answer.effect.value,
        "rule": None if open_ else answer.rule or None,
        "file": answer.place or None,
        "reason": answer.reason or None,
        "matched": list(dict.fromkeys(rule for rule in by if rule)),
        "undetermined": [{"rule": answer.rule or None, "missing": [named(one) for one in answer.missing]}] if open_ else [],
        "operations": [
            {
                "text": one.text,
                "effect": "none" if answer.silent else one.effect.value,
                "rule": one.rule or None,
            }
            for one in answer.parts
        ],
    }
