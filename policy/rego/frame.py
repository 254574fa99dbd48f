"""The locals of a call while a plan runs: what they hold, and how certain that is."""

from __future__ import annotations

from typing import Any

from policy.rego.plan import Local
from policy.rego.values import NONE, UNDEFINED, Maybe, Names, joined


class Fail(Exception):
    """A statement is undefined: its block ends."""


class Frame:
    """The locals of one call, how many open statements stand before the one that runs, and what these hang on.

    `before` are the locals as they were at the first open statement of the block that runs, None while there was none.
    """

    __slots__ = ("before", "block", "count", "names", "result", "values")

    def __init__(self, values: dict[int, Any]) -> None:
        self.values = values
        self.count = 0
        self.names: Names = NONE
        self.before: dict[int, Any] | None = None
        self.block = 0
        self.result: Any = UNDEFINED

    def enter(self) -> tuple[int, Names, dict[int, Any] | None]:
        """Begin a block; what is returned ends it."""
        held = (self.count, self.names, self.before)
        self.before = None
        return held

    def leave(self, held: tuple[int, Names, dict[int, Any] | None]) -> None:
        """End a block: what was assigned behind something open is joined with what was there before it."""
        if self.before is not None:
            for local, value in self.values.items():
                old = self.before.get(local, UNDEFINED)
                if old is not value:
                    self.values[local] = joined(old, value, self.names)
        self.count, self.names, self.before = held

    def opened(self, names: Names) -> None:
        """From here to the end of the block all hangs on these names too."""
        if self.before is None:
            self.before = dict(self.values)
        self.count += 1
        self.names |= names

    def read(self, operand: Any) -> Any:
        """The value of an operand; what has none fails."""
        if not isinstance(operand, Local):
            return operand
        value = self.values.get(operand.number, UNDEFINED)
        if value is UNDEFINED:
            raise Fail
        if isinstance(value, Maybe):
            self.opened(value.names)
            value = self.values[operand.number] = value.value
        return value


class Array(list[Any]):
    """An array that is being made; `born` is how uncertain its making was."""

    def __init__(self, born: int) -> None:
        super().__init__()
        self.born = born
