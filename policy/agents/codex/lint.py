"""Rules of Codex that load and do not do what they say."""

from __future__ import annotations

from collections.abc import Sequence

from policy.agents.base import RuleFile
from policy.agents.codex.rules import RuleSet
from policy.diagnostics import Diagnostic


def problems(files: Sequence[RuleFile], rules: RuleSet) -> list[tuple[str, Diagnostic]]:
    return []
