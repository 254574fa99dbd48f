"""What a check of a text says, line by line."""

from __future__ import annotations

from typing import Literal

import msgspec

Severity = Literal["error", "warning"]


class Diagnostic(msgspec.Struct, frozen=True, order=True):
    """One problem; line and columns count from 1, `end_column` is the first column after it on the same line."""

    line: int
    column: int
    end_column: int
    severity: Severity
    code: str
    message: str
