"""What a check of a policy text yields: the policy, or what is wrong with it."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from lang.diagnostics import Diagnostic, Severity

__all__ = ["Checked", "Diagnostic", "Severity"]

P = TypeVar("P")


class Checked(msgspec.Struct, Generic[P], frozen=True):
    """A policy, or None where there is an error; and everything there is to say, in the order of the text."""

    policy: P | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == "error")
