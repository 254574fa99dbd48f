"""How much came from an engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Moved:
    """What came from an engine so far."""

    statements: int = 0
    rows: int = 0
    bytes: int = 0

    def add(self, table: Any) -> None:
        """Count an Arrow table."""
        self.statements += 1
        self.rows += table.num_rows
        self.bytes += table.nbytes
