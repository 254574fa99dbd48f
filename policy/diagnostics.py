"""What a check of a policy text says, line by line."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

import msgspec

Severity = Literal["error", "warning"]
P = TypeVar("P")


class Diagnostic(msgspec.Struct, frozen=True, order=True):
    """One problem; line and columns count from 1, `end_column` is the first column after it on the same line."""

    line: int
    column: int
    end_column: int
    severity: Severity
    code: str
    message: str


class Checked(msgspec.Struct, Generic[P], frozen=True):
    """A policy, or None where there is an error; and everything there is to say, in the order of the text."""

    policy: P | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == "error")
